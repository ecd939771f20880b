UPDATE applications SET received = TRUE WHERE NOT received AND json_array_length(body, '$.versions') > 0;

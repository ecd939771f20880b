DROP TABLE upload_faults;
DROP TABLE upload_progress;
DROP TABLE upload_chunks;
DROP TABLE uploads;

//! The schema: the way up and down, and the same on both databases.

use diesel::prelude::*;

use crate::database::{Database, Kind, postgres, sqlite};

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = diesel::sql_types::Text)]
    line: String,
}

const SQLITE: &[&str] = &[
    "SELECT m.name || '.' || c.name || ' ' || CASE c.type WHEN 'BLOB' THEN 'bytes' WHEN 'BIGINT' THEN 'integer' \
     WHEN 'INTEGER' THEN 'integer' WHEN 'TEXT' THEN 'text' WHEN 'BOOLEAN' THEN 'boolean' ELSE c.type END \
     || CASE WHEN c.\"notnull\" OR c.pk THEN ' not null' ELSE '' END \
     || CASE WHEN c.pk THEN ' key ' || c.pk ELSE '' END AS line \
     FROM tables m JOIN pragma_table_info(m.name) c",
    "SELECT CASE i.origin WHEN 'c' THEN 'index ' || i.name ELSE 'constraint' END || ' on ' || m.name || ' (' || \
     (SELECT group_concat(x.name, ',') FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno) x) || ')' \
     || CASE WHEN i.\"unique\" THEN ' unique' ELSE '' END || CASE WHEN i.partial THEN ' partial' ELSE '' END AS line \
     FROM tables m JOIN pragma_index_list(m.name) i WHERE i.origin <> 'pk'",
    "SELECT 'foreign ' || m.name || '.' || f.\"from\" || ' -> ' || f.\"table\" AS line \
     FROM tables m JOIN pragma_foreign_key_list(m.name) f",
];
const SQLITE_TABLES: &str = "WITH tables AS (SELECT name FROM sqlite_master WHERE type = 'table' \
     AND name NOT LIKE 'sqlite~_%' ESCAPE '~' AND name NOT LIKE '~_~_%' ESCAPE '~') ";

const POSTGRES: &[&str] = &[
    "SELECT m.name || '.' || c.column_name || ' ' || CASE c.data_type WHEN 'uuid' THEN 'bytes' WHEN 'bytea' THEN 'bytes' \
     WHEN 'bigint' THEN 'integer' WHEN 'integer' THEN 'integer' WHEN 'timestamp with time zone' THEN 'integer' \
     WHEN 'text' THEN 'text' WHEN 'json' THEN 'text' WHEN 'boolean' THEN 'boolean' ELSE c.data_type END \
     || CASE c.is_nullable WHEN 'NO' THEN ' not null' ELSE '' END \
     || coalesce((SELECT ' key ' || k.ordinal_position FROM information_schema.key_column_usage k \
        JOIN information_schema.table_constraints t USING (constraint_schema, constraint_name) \
        WHERE t.constraint_type = 'PRIMARY KEY' AND k.table_name = m.name AND k.column_name = c.column_name), '') AS line \
     FROM tables m JOIN information_schema.columns c ON c.table_schema = 'public' AND c.table_name = m.name",
    "SELECT CASE WHEN k.oid IS NULL THEN 'index ' || x.relname ELSE 'constraint' END || ' on ' || m.name || ' (' || \
     (SELECT string_agg(a.attname, ',' ORDER BY p.n) FROM unnest(i.indkey::int2[]) WITH ORDINALITY p(column_, n) \
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = p.column_) || ')' \
     || CASE WHEN i.indisunique THEN ' unique' ELSE '' END \
     || CASE WHEN i.indpred IS NOT NULL THEN ' partial' ELSE '' END AS line \
     FROM tables m JOIN pg_index i ON i.indrelid = m.oid JOIN pg_class x ON x.oid = i.indexrelid \
     LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype = 'u' WHERE NOT i.indisprimary",
    "SELECT 'foreign ' || m.name || '.' || a.attname || ' -> ' || k.confrelid::regclass::text AS line \
     FROM tables m JOIN pg_constraint k ON k.conrelid = m.oid AND k.contype = 'f' \
     JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)",
];
const POSTGRES_TABLES: &str = "WITH tables AS MATERIALIZED (SELECT oid, relname::text AS name FROM pg_class \
     WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname NOT LIKE '~_~_%' ESCAPE '~') ";

/// Tables, columns, indexes and foreign keys, a line each, in the words of both databases.
fn logical(database: &Database) -> Vec<String> {
    let mut lines: Vec<Line> = Vec::new();
    match database.kind {
        Kind::Sqlite => {
            let mut conn = sqlite(&database.url);
            for query in SQLITE {
                lines.extend(diesel::sql_query(format!("{SQLITE_TABLES}{query}")).load::<Line>(&mut conn).unwrap());
            }
        }
        Kind::Postgres => {
            let mut conn = postgres(&database.url);
            for query in POSTGRES {
                lines.extend(diesel::sql_query(format!("{POSTGRES_TABLES}{query}")).load::<Line>(&mut conn).unwrap());
            }
        }
    }
    let mut lines: Vec<String> = lines.into_iter().map(|line| line.line).collect();
    lines.sort();
    lines
}

fn up_down_up(kind: Kind) {
    let database = Database::bare(kind);
    assert!(!persistence::migrate(&database.url).unwrap().is_empty());
    let first = logical(&database);
    assert_eq!(persistence::migrate(&database.url).unwrap(), Vec::<String>::new(), "once is enough");
    persistence::revert_all(&database.url).unwrap();
    assert_eq!(logical(&database), Vec::<String>::new(), "the way down leaves nothing");
    persistence::migrate(&database.url).unwrap();
    assert_eq!(logical(&database), first);
}

mod sqlite {
    #[test]
    fn migrations_go_up_down_and_up() {
        super::up_down_up(super::Kind::Sqlite);
    }
}

mod postgres {
    use diesel::connection::SimpleConnection as _;

    #[test]
    fn migrations_go_up_down_and_up() {
        super::up_down_up(super::Kind::Postgres);
    }

    #[test]
    fn of_servers_that_start_at_once_one_migrates() {
        let database = super::Database::bare(super::Kind::Postgres);
        let ran: Vec<usize> = std::thread::scope(|scope| {
            let all = [(); 4].map(|()| scope.spawn(|| persistence::migrate(&database.url).unwrap().len()));
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(ran.iter().filter(|ran| **ran > 0).count(), 1, "{ran:?}");
    }

    #[test]
    fn a_migration_that_was_broken_off_is_run_again() {
        const MAKES_AN_INDEX: &str = "00000000000010";
        let database = super::Database::bare(super::Kind::Postgres);
        persistence::migrate(&database.url).unwrap();
        let whole = super::logical(&database);
        let indexed = |statements: &str| {
            persistence::revert(&database.url, MAKES_AN_INDEX).unwrap();
            super::postgres(&database.url).batch_execute(statements).unwrap();
            assert_eq!(persistence::migrate(&database.url).unwrap(), [MAKES_AN_INDEX]);
            assert_eq!(super::logical(&database), whole);
        };
        // Killed before the index was whole: something else has its name, and is of no use.
        indexed(
            "CREATE INDEX interests_provider ON interests (id); \
             UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'interests_provider'::regclass",
        );
        // Killed when it was whole, and before that was noted.
        indexed("CREATE INDEX interests_provider ON interests (provider_id, id)");
    }

    #[test]
    fn the_schema_is_that_of_sqlite() {
        let ours = super::logical(&super::Database::new(super::Kind::Postgres));
        let theirs = super::logical(&super::Database::new(super::Kind::Sqlite));
        // The order of the feed is that of SQLite's rows, and ends each of its indexes unseen.
        let unseen = |line: &String| line.replace(",tx,seq)", ")").replace("events (tx,seq)", "events (seq)");
        let ours: Vec<String> =
            ours.iter().filter(|line| !line.starts_with("index events_feed ")).map(unseen).collect();
        let theirs: Vec<String> = theirs.iter().map(unseen).collect();
        let only = |here: &[String], there: &[String]| -> Vec<String> {
            here.iter().filter(|line| !there.contains(line)).cloned().collect()
        };
        assert!(ours.len() > 50, "{ours:#?}");
        assert_eq!((only(&ours, &theirs), only(&theirs, &ours)), (vec![], vec![]), "only PostgreSQL's, only SQLite's");
    }

    #[test]
    fn every_foreign_key_has_an_index() {
        let lines = super::logical(&super::Database::new(super::Kind::Postgres));
        for foreign in lines.iter().filter_map(|line| line.strip_prefix("foreign ")) {
            let (column, _) = foreign.split_once(" -> ").unwrap();
            let (table, name) = column.split_once('.').unwrap();
            let leads = |line: &String| {
                let index =
                    line.contains(&format!(" on {table} ({name})")) || line.contains(&format!(" on {table} ({name},"));
                index || (line.starts_with(&format!("{column} ")) && line.ends_with(" key 1"))
            };
            assert!(lines.iter().any(leads), "no index begins with {column}");
        }
    }
}

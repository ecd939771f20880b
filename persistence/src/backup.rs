//! Backup and restore: what they ask of the databases, each on a connection of its own.

use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{PgConnection, SqliteConnection};

use crate::{Conn, Failure, Outcome};

fn unavailable(error: &dyn std::fmt::Display) -> Failure {
    Failure::Unavailable(error.to_string())
}

fn sqlite(path: &str) -> Outcome<SqliteConnection> {
    // Connecting would make the file.
    if !Path::new(path).is_file() {
        return Err(Failure::Unavailable(format!("there is no {path}")));
    }
    let mut conn = SqliteConnection::establish(path).map_err(|e| unavailable(&e))?;
    conn.batch_execute("PRAGMA busy_timeout = 5000")?;
    Ok(conn)
}

fn postgres(url: &str) -> Outcome<PgConnection> {
    PgConnection::establish(url).map_err(|e| unavailable(&e))
}

/// Where what was in `public` is while a backup is restored into its place: as long as it is there, the restore is not whole.
const ASIDE: &str = "dps_before_restore";

fn is_unfinished(conn: &mut PgConnection) -> Outcome<bool> {
    const THERE: &str = "SELECT count(*) AS counted FROM pg_namespace WHERE nspname = 'dps_before_restore'";
    Ok(diesel::sql_query(THERE).get_result::<Counted>(conn)?.counted != Some(0))
}

/// Refuses a database into which a restore was begun and not finished: what is in `public` is nothing, or not proved.
pub(crate) fn refuse_unfinished(conn: &mut PgConnection) -> Outcome<()> {
    if is_unfinished(conn)? {
        return Err(Failure::Unavailable(format!(
            "a restore into this database is not finished; what was there before is in the schema {ASIDE}: \
             `dps restore <file> --replace` restores again, `dps restore --back` puts back what was there"
        )));
    }
    Ok(())
}

/// Reads one snapshot of a store, however long it takes.
///
/// # Errors
/// [`Failure::Unavailable`] where it is not there or a restore into it is not finished, and whatever `work` fails with.
pub fn inspect<T>(url: &str, work: impl FnOnce(&mut Conn<'_>) -> Outcome<T>) -> Outcome<T> {
    if !url.starts_with("sqlite:") {
        refuse_unfinished(&mut postgres(url)?)?;
    }
    inspect_restored(url, work)
}

/// Reads one snapshot of what is being restored, before it is taken for the database.
///
/// # Errors
/// As [`inspect`].
pub fn inspect_restored<T>(url: &str, work: impl FnOnce(&mut Conn<'_>) -> Outcome<T>) -> Outcome<T> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        let mut conn = sqlite(path)?;
        conn.batch_execute("PRAGMA query_only = ON; PRAGMA mmap_size = 1099511627776")?;
        return conn.transaction(|c| work(&mut Conn::Sqlite(c)));
    }
    let mut conn = postgres(url)?;
    conn.batch_execute("SET idle_in_transaction_session_timeout = 0")?;
    conn.build_transaction().repeatable_read().read_only().run(|c| work(&mut Conn::Pg(c)))
}

#[derive(QueryableByName)]
struct Said {
    #[diesel(sql_type = Nullable<Text>)]
    said: Option<String>,
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = Nullable<BigInt>)]
    counted: Option<i64>,
}

/// The schema's version: that of the last migration that ran.
///
/// # Errors
/// Where the store fails; a store without a schema has none.
pub fn schema(conn: &mut Conn<'_>) -> Outcome<Option<String>> {
    const LAST: &str = "SELECT max(version) AS said FROM __diesel_schema_migrations";
    Ok(on!(conn, c => diesel::sql_query(LAST).get_result::<Said>(c))?.said)
}

/// What SQLite finds wrong with the file itself; nothing on PostgreSQL, which checks its pages by itself.
///
/// # Errors
/// Where the store fails.
pub fn damage(conn: &mut Conn<'_>) -> Outcome<Vec<String>> {
    let Conn::Sqlite(conn) = conn else { return Ok(Vec::new()) };
    let said = diesel::sql_query("SELECT integrity_check AS said FROM pragma_integrity_check").load::<Said>(*conn)?;
    let mut found: Vec<String> = said.into_iter().filter_map(|row| row.said).filter(|said| said != "ok").collect();
    let torn = "SELECT count(*) AS counted FROM pragma_foreign_key_check";
    if let Some(rows @ 1..) = diesel::sql_query(torn).get_result::<Counted>(*conn)?.counted {
        found.push(format!("{rows} rows refer to something that is not there"));
    }
    Ok(found)
}

/// The highest transaction that wrote an event: what another PostgreSQL cluster's counter must be beyond.
///
/// # Errors
/// Where the store fails.
pub fn newest_transaction(conn: &mut Conn<'_>) -> Outcome<Option<i64>> {
    let Conn::Pg(conn) = conn else { return Ok(None) };
    Ok(diesel::sql_query("SELECT max(tx) AS counted FROM events").get_result::<Counted>(*conn)?.counted)
}

/// The name of this transaction's snapshot, for `pg_dump --snapshot`. Nothing on SQLite.
///
/// # Errors
/// Where the store fails.
pub fn snapshot(conn: &mut Conn<'_>) -> Outcome<Option<String>> {
    let Conn::Pg(conn) = conn else { return Ok(None) };
    Ok(diesel::sql_query("SELECT pg_export_snapshot() AS said").get_result::<Said>(*conn)?.said)
}

/// Copies an SQLite database as it is now, beside a server that writes, into a file that is empty.
///
/// # Errors
/// Where it cannot be read or written.
pub fn copy_sqlite(path: &str, into: &str) -> Outcome<()> {
    diesel::sql_query("VACUUM INTO ?").bind::<Text, _>(into).execute(&mut sqlite(path)?)?;
    Ok(())
}

/// About how many bytes a copy of an SQLite database will have.
///
/// # Errors
/// Where it cannot be read.
pub fn size_of_sqlite(path: &str) -> Outcome<u64> {
    const SIZE: &str = "SELECT (page_count - freelist_count) * page_size AS counted \
                        FROM pragma_page_count, pragma_freelist_count, pragma_page_size";
    let size = diesel::sql_query(SIZE).get_result::<Counted>(&mut sqlite(path)?)?.counted;
    Ok(size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default())
}

/// Does `work` while nobody else has an SQLite database open; all that was written is in the one file by then.
///
/// # Errors
/// Where someone has it open, and whatever `work` fails with.
pub fn alone_with_sqlite<T>(path: &str, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    let conn = &mut sqlite(path)?;
    let busy =
        |e: diesel::result::Error| Failure::Unavailable(format!("{path} is in use (stop the server first): {e}"));
    // Leaving the write-ahead log needs the file for itself, and empties the log.
    diesel::sql_query("PRAGMA journal_mode = DELETE").execute(conn).map_err(busy)?;
    conn.batch_execute("BEGIN EXCLUSIVE").map_err(busy)?;
    let outcome = work();
    conn.batch_execute("ROLLBACK")?;
    outcome
}

/// A PostgreSQL database that is restored into.
pub struct Target {
    conn: PgConnection,
}

impl Target {
    /// Connects, and refuses a database that others use.
    ///
    /// # Errors
    /// [`Failure::Unavailable`] where it cannot be reached or is in use.
    pub fn open(url: &str) -> Outcome<Self> {
        const OTHERS: &str = "SELECT count(*) AS counted FROM pg_stat_activity WHERE datname = current_database() \
                              AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
        let mut conn = postgres(url)?;
        match diesel::sql_query(OTHERS).get_result::<Counted>(&mut conn)?.counted {
            Some(others @ 1..) => Err(Failure::Unavailable(format!(
                "the database is in use (stop the servers first): {others} other connections"
            ))),
            _ => Ok(Self { conn }),
        }
    }

    /// Whether there is nothing in it.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn is_empty(&mut self) -> Outcome<bool> {
        const TABLES: &str = "SELECT count(*) AS counted FROM pg_tables WHERE schemaname = 'public'";
        Ok(diesel::sql_query(TABLES).get_result::<Counted>(&mut self.conn)?.counted == Some(0))
    }

    /// Where the cluster's counter of transactions stands.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn counter(&mut self) -> Outcome<i64> {
        const NEXT: &str = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS counted";
        Ok(diesel::sql_query(NEXT).get_result::<Counted>(&mut self.conn)?.counted.unwrap_or_default())
    }

    /// Whether a restore into it was begun and not finished.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn is_unfinished(&mut self) -> Outcome<bool> {
        is_unfinished(&mut self.conn)
    }

    /// Sets aside all that is in `public`: from now on no server starts here, until it is put back or discarded.
    ///
    /// # Errors
    /// Where the store fails: nothing was moved.
    pub fn set_aside(&mut self) -> Outcome<()> {
        self.conn.transaction(|c| {
            c.batch_execute(&format!("CREATE SCHEMA {ASIDE}"))?;
            Ok(c.batch_execute(&moving("public", ASIDE))?)
        })
    }

    /// Drops what is in `public` and puts back what was set aside.
    ///
    /// # Errors
    /// Where the store fails: nothing was changed.
    pub fn put_back(&mut self) -> Outcome<()> {
        let failed = format!("{ASIDE}_failed");
        self.conn.transaction(|c| {
            c.batch_execute(&format!("CREATE SCHEMA {failed}"))?;
            c.batch_execute(&moving("public", &failed))?;
            c.batch_execute(&moving(ASIDE, "public"))?;
            Ok(c.batch_execute(&format!("DROP SCHEMA {failed} CASCADE; DROP SCHEMA {ASIDE}"))?)
        })
    }

    /// Drops what was set aside: the restore is whole.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn discard(&mut self) -> Outcome<()> {
        Ok(self.conn.batch_execute(&format!("DROP SCHEMA {ASIDE} CASCADE"))?)
    }
}

/// Moves tables (with their indexes, triggers and own sequences), views, sequences and functions between schemas.
fn moving(from: &str, to: &str) -> String {
    format!(
        "DO $$ DECLARE thing text; BEGIN
           FOR thing IN SELECT format('%s %I.%I',
               CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
               '{from}', relname)
             FROM pg_class c WHERE relnamespace = '{from}'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')
               AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                               AND d.deptype IN ('a', 'i', 'e'))
           LOOP EXECUTE 'ALTER ' || thing || ' SET SCHEMA {to}'; END LOOP;
           FOR thing IN SELECT oid::regprocedure::text FROM pg_proc p WHERE pronamespace = '{from}'::regnamespace
               AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                               AND d.deptype = 'e')
           LOOP EXECUTE 'ALTER ROUTINE ' || thing || ' SET SCHEMA {to}'; END LOOP;
         END $$"
    )
}

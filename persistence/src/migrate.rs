//! Schema changes, embedded in the binary; both sides carry the same directory names.

use std::time::Duration;

use diesel::backend::Backend;
use diesel::connection::SimpleConnection as _;
use diesel::migration::{Migration, MigrationSource};
use diesel::{Connection, PgConnection, RunQueryDsl as _, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::{Failure, Outcome, dialect};

const SQLITE: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../migrations/postgres");

/// Brings the schema up to date and says which migrations ran.
///
/// # Errors
/// [`Failure::Unavailable`] where the store cannot be reached, [`Failure::Broken`] where a migration fails.
pub fn migrate(url: &str) -> Outcome<Vec<String>> {
    match url.strip_prefix("sqlite:") {
        Some(path) => up(&mut SqliteConnection::establish(path).map_err(|e| unavailable(&e))?, SQLITE, |_, _| Ok(())),
        None => migrate_postgres(&mut PgConnection::establish(url).map_err(|e| unavailable(&e))?),
    }
}

/// How often a server asks whether the one that migrates is done.
const AGAIN: Duration = Duration::from_millis(50);

/// Several servers may start at once: one migrates, the others wait for it. They ask again and again, since one that
/// waited inside a statement would be waited for by an index that is made while others write.
fn migrate_postgres(conn: &mut PgConnection) -> Outcome<Vec<String>> {
    while !diesel::select(dialect::pg_try_advisory_lock(7_235_981)).get_result::<bool>(conn)? {
        std::thread::sleep(AGAIN);
    }
    let ran = if dialect::is_current(conn, &embedded()?) {
        Vec::new()
    } else {
        dialect::drop_broken_indexes(conn)?;
        up(conn, POSTGRES, |conn, migration| {
            // Whatever waits for a table has all later writes to it wait behind it: rather fail, and be run again. What
            // runs outside a transaction lets them through, and may wait for the oldest one.
            let limit = if migration.metadata().run_in_transaction() { "10s" } else { "0" };
            Ok(conn.batch_execute(&format!("SET lock_timeout = '{limit}'"))?)
        })?
    };
    dialect::refuse_foreign_history(conn)?;
    Ok(ran)
}

fn embedded() -> Outcome<Vec<String>> {
    let migrations = MigrationSource::<diesel::pg::Pg>::migrations(&POSTGRES).map_err(|e| broken(&*e))?;
    Ok(migrations.iter().map(|migration| migration.name().version().to_string()).collect())
}

/// The schema's version that this program works with: that of its last migration.
///
/// # Errors
/// [`Failure::Broken`] where the migrations in this program cannot be read.
pub fn newest_schema() -> Outcome<Option<String>> {
    Ok(embedded()?.into_iter().max())
}

/// Takes every migration back: for tests of the way down.
///
/// # Errors
/// As [`migrate`].
pub fn revert_all(url: &str) -> Outcome<()> {
    match url.strip_prefix("sqlite:") {
        Some(path) => down(&mut SqliteConnection::establish(path).map_err(|e| unavailable(&e))?, SQLITE),
        None => down(&mut PgConnection::establish(url).map_err(|e| unavailable(&e))?, POSTGRES),
    }
}

/// Takes one migration back: for the proof that servers go on while it runs again.
///
/// # Errors
/// As [`migrate`], and where there is no such version.
pub fn revert(url: &str, version: &str) -> Outcome<()> {
    match url.strip_prefix("sqlite:") {
        Some(path) => one(&mut SqliteConnection::establish(path).map_err(|e| unavailable(&e))?, &SQLITE, version),
        None => one(&mut PgConnection::establish(url).map_err(|e| unavailable(&e))?, &POSTGRES, version),
    }
}

/// Runs what is pending, `before` each.
fn up<DB: Backend, C: MigrationHarness<DB>>(
    conn: &mut C,
    migrations: EmbeddedMigrations,
    before: impl Fn(&mut C, &dyn Migration<DB>) -> Outcome<()>,
) -> Outcome<Vec<String>> {
    let pending = conn.pending_migrations(migrations).map_err(|e| broken(&*e))?;
    let mut ran = Vec::with_capacity(pending.len());
    for migration in pending {
        before(conn, &*migration)?;
        ran.push(conn.run_migration(&*migration).map_err(|e| broken(&*e))?.to_string());
    }
    Ok(ran)
}

fn down<DB: Backend>(conn: &mut impl MigrationHarness<DB>, migrations: EmbeddedMigrations) -> Outcome<()> {
    conn.revert_all_migrations(migrations).map_err(|e| broken(&*e)).map(drop)
}

fn one<DB: Backend>(
    conn: &mut impl MigrationHarness<DB>,
    migrations: &EmbeddedMigrations,
    version: &str,
) -> Outcome<()> {
    let all = migrations.migrations().map_err(|e| broken(&*e))?;
    let named = all.iter().find(|migration| migration.name().version().to_string() == version);
    let named = named.ok_or_else(|| Failure::Broken(format!("there is no migration {version}")))?;
    conn.revert_migration(&**named).map_err(|e| broken(&*e)).map(drop)
}

fn unavailable(error: &diesel::ConnectionError) -> Failure {
    Failure::Unavailable(error.to_string())
}

fn broken(error: &(dyn std::error::Error + Send + Sync)) -> Failure {
    Failure::Broken(format!("migration: {error}"))
}

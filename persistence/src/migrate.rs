//! Schema changes, embedded in the binary; both sides carry the same directory names.

use diesel::backend::Backend;
use diesel::{Connection, PgConnection, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::{Failure, Outcome};

const SQLITE: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../migrations/postgres");

/// Brings the schema up to date and says which migrations ran.
///
/// # Errors
/// [`Failure::Unavailable`] where the store cannot be reached, [`Failure::Broken`] where a migration fails.
pub fn migrate(url: &str) -> Outcome<Vec<String>> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        return up(&mut SqliteConnection::establish(path).map_err(|e| unavailable(&e))?, SQLITE);
    }
    let conn = &mut PgConnection::establish(url).map_err(|e| unavailable(&e))?;
    // Several servers may start at once: one migrates, the others wait for it.
    diesel::connection::SimpleConnection::batch_execute(conn, "SELECT pg_advisory_lock(7235981)")?;
    // Whatever waits for a table has all later writes to it wait behind it: rather fail, and be run again.
    diesel::connection::SimpleConnection::batch_execute(conn, "SET lock_timeout = '10s'")?;
    let ran = if crate::dialect::is_current(conn, &embedded()?) { Vec::new() } else { up(conn, POSTGRES)? };
    crate::dialect::refuse_foreign_history(conn)?;
    Ok(ran)
}

fn embedded() -> Outcome<Vec<String>> {
    let migrations =
        diesel::migration::MigrationSource::<diesel::pg::Pg>::migrations(&POSTGRES).map_err(|e| broken(&*e))?;
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

/// Takes the last migration back: for the proof that servers go on while it runs again.
///
/// # Errors
/// As [`migrate`].
pub fn revert_last(url: &str) -> Outcome<()> {
    match url.strip_prefix("sqlite:") {
        Some(path) => last(&mut SqliteConnection::establish(path).map_err(|e| unavailable(&e))?, SQLITE),
        None => last(&mut PgConnection::establish(url).map_err(|e| unavailable(&e))?, POSTGRES),
    }
}

fn up<DB: Backend>(conn: &mut impl MigrationHarness<DB>, migrations: EmbeddedMigrations) -> Outcome<Vec<String>> {
    let ran = conn.run_pending_migrations(migrations).map_err(|e| broken(&*e))?;
    Ok(ran.into_iter().map(|version| version.to_string()).collect())
}

fn down<DB: Backend>(conn: &mut impl MigrationHarness<DB>, migrations: EmbeddedMigrations) -> Outcome<()> {
    conn.revert_all_migrations(migrations).map_err(|e| broken(&*e)).map(drop)
}

fn last<DB: Backend>(conn: &mut impl MigrationHarness<DB>, migrations: EmbeddedMigrations) -> Outcome<()> {
    conn.revert_last_migration(migrations).map_err(|e| broken(&*e)).map(drop)
}

fn unavailable(error: &diesel::ConnectionError) -> Failure {
    Failure::Unavailable(error.to_string())
}

fn broken(error: &(dyn std::error::Error + Send + Sync)) -> Failure {
    Failure::Broken(format!("migration: {error}"))
}

//! Schema changes, embedded in the binary: one text for both databases, with words for the types that differ.

use std::fmt;
use std::time::Duration;

use diesel::backend::Backend;
use diesel::connection::{BoxableConnection, SimpleConnection as _};
use diesel::migration::{self, Migration, MigrationMetadata, MigrationName, MigrationSource, MigrationVersion};
use diesel::{Connection, PgConnection, RunQueryDsl as _, SqliteConnection};
use diesel_migrations::MigrationHarness;

use crate::backup::refuse_unfinished;
use crate::{Failure, Outcome, dialect};

/// A migration as it is written.
struct Text {
    /// The folder's name: version, underscore, subject.
    name: &'static str,
    up: &'static str,
    down: &'static str,
}

macro_rules! texts {
    ($($name:literal)+) => {
        &[$(Text {
            name: $name,
            up: include_str!(concat!("../../migrations/", $name, "/up.sql")),
            down: include_str!(concat!("../../migrations/", $name, "/down.sql")),
        }),+]
    };
}

/// Every migration, in their order.
static TEXTS: &[Text] = texts! {
    "00000000000001_record"
    "00000000000002_provider"
    "00000000000003_arrangement"
    "00000000000004_admission"
    "00000000000005_standing"
    "00000000000006_fee"
    "00000000000007_client"
    "00000000000008_webhook"
    "00000000000009_upload"
    "00000000000010_interests_by_provider"
};

/// What a database makes of the texts.
#[derive(Clone, Copy)]
struct Dialect {
    /// The line behind which statements are for this database alone, up to a line `-- both`.
    own: &'static str,
    /// What it says for the words in capitals.
    words: &'static [(&'static str, &'static str)],
}

const SQLITE: Dialect = Dialect {
    own: "-- sqlite",
    words: &[
        ("UID", "BLOB"),
        ("MOMENT", "BIGINT"),
        ("JSON", "TEXT"),
        ("BYTES", "BLOB"),
        ("SEQUENCE", "INTEGER PRIMARY KEY AUTOINCREMENT"),
        ("TRANSACTION", "BIGINT NOT NULL DEFAULT 0"),
        // A row's sequence is its key, with which every index ends by itself.
        ("PLACE", "seq"),
        ("CONCURRENTLY", ""),
    ],
};

const POSTGRES: Dialect = Dialect {
    own: "-- postgres",
    words: &[
        ("UID", "UUID"),
        ("MOMENT", "TIMESTAMPTZ"),
        // Not `jsonb`: the text must come back as it was hashed and stored.
        ("JSON", "JSON"),
        ("BYTES", "BYTEA"),
        ("SEQUENCE", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
        ("TRANSACTION", "BIGINT NOT NULL DEFAULT (pg_current_xact_id()::text::bigint)"),
        ("PLACE", "tx, seq"),
        ("WITHOUT", ""),
        ("ROWID", ""),
    ],
};

/// The first line of a text whose statement does not run in a transaction: an index that is made while others write.
const APART: &str = "-- outside a transaction";

impl Dialect {
    /// The statements of a text, in the words of this database.
    fn say(self, text: &str) -> String {
        let mut said = String::with_capacity(text.len());
        let mut mine = true;
        for line in text.lines() {
            match line {
                "-- both" => mine = true,
                "-- sqlite" | "-- postgres" => mine = line == self.own,
                _ if mine && self.own == SQLITE.own => self.say_line(&line.replace(", PLACE)", ")"), &mut said),
                _ if mine => self.say_line(line, &mut said),
                _ => {}
            }
        }
        said
    }

    fn say_line(self, line: &str, said: &mut String) {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let mut rest = line;
        while let Some(start) = rest.find(is_part) {
            let (before, from) = rest.split_at(start);
            let (word, after) = from.split_at(from.find(|c| !is_part(c)).unwrap_or(from.len()));
            said.push_str(before);
            said.push_str(self.words.iter().find(|(known, _)| *known == word).map_or(word, |(_, means)| means));
            rest = after;
        }
        said.push_str(rest);
        said.push('\n');
    }
}

impl<DB: Backend> MigrationSource<DB> for Dialect {
    fn migrations(&self) -> migration::Result<Vec<Box<dyn Migration<DB>>>> {
        let said = |text: &Text| -> Box<dyn Migration<DB>> {
            Box::new(Said {
                name: text.name,
                up: self.say(text.up),
                down: self.say(text.down),
                apart: text.up.starts_with(APART),
            })
        };
        Ok(TEXTS.iter().map(said).collect())
    }
}

/// A migration in the words of a database.
struct Said {
    name: &'static str,
    up: String,
    down: String,
    apart: bool,
}

impl<DB: Backend> Migration<DB> for Said {
    fn run(&self, conn: &mut dyn BoxableConnection<DB>) -> migration::Result<()> {
        Ok(conn.batch_execute(&self.up)?)
    }

    fn revert(&self, conn: &mut dyn BoxableConnection<DB>) -> migration::Result<()> {
        Ok(conn.batch_execute(&self.down)?)
    }

    fn metadata(&self) -> &dyn MigrationMetadata {
        self
    }

    fn name(&self) -> &dyn MigrationName {
        self
    }
}

impl MigrationMetadata for Said {
    fn run_in_transaction(&self) -> bool {
        !self.apart
    }
}

impl MigrationName for Said {
    fn version(&self) -> MigrationVersion<'_> {
        MigrationVersion::from(version(self.name))
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

fn version(name: &str) -> &str {
    name.split_once('_').map_or(name, |(version, _)| version)
}

/// Brings the schema up to date and says which migrations ran.
///
/// # Errors
/// [`Failure::Unavailable`] where the store cannot be reached or a restore into it is not finished, [`Failure::Broken`] where
/// a migration fails.
pub fn migrate(url: &str) -> Outcome<Vec<String>> {
    if !url.starts_with("sqlite:") {
        refuse_unfinished(&mut PgConnection::establish(url).map_err(|e| unavailable(&e))?)?;
    }
    migrate_restored(url)
}

/// Brings the schema of what is being restored up to date, before it is taken for the database.
///
/// # Errors
/// As [`migrate`].
pub fn migrate_restored(url: &str) -> Outcome<Vec<String>> {
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
    let all: Vec<String> = TEXTS.iter().map(|text| version(text.name).to_owned()).collect();
    let ran = if dialect::is_current(conn, &all) {
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

/// The schema's version that this program works with: that of its last migration.
#[must_use]
pub fn newest_schema() -> Option<String> {
    TEXTS.last().map(|text| version(text.name).to_owned())
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
        Some(path) => one(&mut SqliteConnection::establish(path).map_err(|e| unavailable(&e))?, SQLITE, version),
        None => one(&mut PgConnection::establish(url).map_err(|e| unavailable(&e))?, POSTGRES, version),
    }
}

/// Runs what is pending, `before` each.
fn up<DB: Backend, C: MigrationHarness<DB>>(
    conn: &mut C,
    dialect: Dialect,
    before: impl Fn(&mut C, &dyn Migration<DB>) -> Outcome<()>,
) -> Outcome<Vec<String>> {
    let pending = conn.pending_migrations(dialect).map_err(|e| broken(&*e))?;
    let mut ran = Vec::with_capacity(pending.len());
    for migration in pending {
        before(conn, &*migration)?;
        ran.push(conn.run_migration(&*migration).map_err(|e| broken(&*e))?.to_string());
    }
    Ok(ran)
}

fn down<DB: Backend>(conn: &mut impl MigrationHarness<DB>, dialect: Dialect) -> Outcome<()> {
    conn.revert_all_migrations(dialect).map_err(|e| broken(&*e)).map(drop)
}

fn one<DB: Backend>(conn: &mut impl MigrationHarness<DB>, dialect: Dialect, version: &str) -> Outcome<()> {
    let all = MigrationSource::<DB>::migrations(&dialect).map_err(|e| broken(&*e))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_database_has_its_own_words() {
        let text = "a UID, UIDS\nON a (b, PLACE)\nON a (PLACE)\n-- sqlite\nmine\n-- postgres\ntheirs\n-- both\nc BYTES";
        assert_eq!(SQLITE.say(text), "a BLOB, UIDS\nON a (b)\nON a (seq)\nmine\nc BLOB\n");
        assert_eq!(POSTGRES.say(text), "a UUID, UIDS\nON a (b, tx, seq)\nON a (tx, seq)\ntheirs\nc BYTEA\n");
    }

    #[test]
    fn every_folder_is_embedded() {
        let folders = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations")).unwrap();
        let mut names: Vec<String> = folders.map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        assert_eq!(names, TEXTS.iter().map(|text| text.name).collect::<Vec<_>>());
    }
}

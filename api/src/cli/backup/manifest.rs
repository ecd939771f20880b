//! The account of a backup, kept beside it.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use domain::kernel::Instant;
use persistence::record::verify::Account;
use serde::{Deserialize, Serialize};

use super::said;
use crate::cli::exit::{Ended, Exit};
use crate::clock::Clock;

/// The form of manifests that this program writes and reads.
const FORMAT: u32 = 1;

/// Which database a backup is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Database {
    Sqlite,
    Postgres,
}

impl std::fmt::Display for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        })
    }
}

impl Database {
    /// By the first bytes of the file.
    pub fn of(file: &Path) -> Result<Self, String> {
        let mut first = Vec::new();
        let open = std::fs::File::open(file).map_err(|e| said(file, &e))?;
        open.take(16).read_to_end(&mut first).map_err(|e| said(file, &e))?;
        if first.starts_with(b"SQLite format 3\0") {
            Ok(Self::Sqlite)
        } else if first.starts_with(b"PGDMP") {
            Ok(Self::Postgres)
        } else {
            Err(format!("{} is no backup: neither an SQLite database nor a dump by pg_dump -Fc", file.display()))
        }
    }
}

/// What a record is known by.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Seal {
    pub intact: bool,
    pub events: u64,
    pub chains: u64,
    pub checkpoints: u64,
    pub last_checkpoint: Option<(i64, String)>,
    /// SHA-256 over the hashes of all events.
    pub digest: String,
}

impl Seal {
    pub fn of(account: &Account) -> Self {
        Self {
            intact: account.is_intact(),
            events: account.events,
            chains: account.chains,
            checkpoints: account.checkpoints,
            last_checkpoint: account.last_checkpoint.clone(),
            digest: account.digest.clone(),
        }
    }

    /// For a reader.
    pub fn told(&self) -> String {
        let last = match &self.last_checkpoint {
            None => "no checkpoint yet".to_owned(),
            Some((number, digest)) => format!("the last checkpoint is {number}: {digest}"),
        };
        format!("{} events in {} chains; {last}", self.events, self.chains)
    }
}

/// The account of a backup.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Manifest {
    format: u32,
    /// The version of the program that made it.
    dps: String,
    database: Database,
    pub made_at: Instant,
    /// The last migration that had run.
    schema: Option<String>,
    /// On PostgreSQL: what the counter of a cluster that it is restored into must be beyond.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest_transaction: Option<i64>,
    pub record: Seal,
    pub bytes: u64,
    pub sha256: String,
}

/// Where the manifest of a backup is.
pub(super) fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".json");
    name.into()
}

impl Manifest {
    /// Of a backup that was just made.
    pub fn new(
        database: Database,
        (schema, account): (Option<String>, &Account),
        newest_transaction: Option<i64>,
        (bytes, sha256): (u64, String),
    ) -> Self {
        let dps = env!("CARGO_PKG_VERSION").to_owned();
        let record = Seal::of(account);
        let made_at = Clock::System.now();
        Self { format: FORMAT, dps, database, made_at, schema, newest_transaction, record, bytes, sha256 }
    }

    /// That of a backup, where there is one.
    pub fn of(file: &Path) -> Result<Option<Self>, String> {
        let at = beside(file);
        match std::fs::read_to_string(&at) {
            Ok(text) => serde_json::from_str(&text).map(Some).map_err(|e| format!("{}: {e}", at.display())),
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(why) => Err(said(&at, &why)),
        }
    }

    pub fn text(&self) -> Result<String, String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n").map_err(|e| e.to_string())
    }

    /// Refuses what this program cannot restore.
    pub fn fits(&self, database: Database) -> Result<(), Ended> {
        let newest = persistence::newest_schema();
        if self.format != FORMAT || self.schema > newest {
            let why = format!("the backup was made by a newer program, dps {}: restore it with that one", self.dps);
            return Err(why.into());
        }
        if self.database != database {
            return Err(broken("the manifest is that of another database"));
        }
        if !self.record.intact {
            return Err(broken("the record in the backup is broken, as its manifest says"));
        }
        Ok(())
    }

    /// Refuses a file that is not the one that was backed up.
    pub fn matches(&self, bytes: u64, sha256: &str) -> Result<(), Ended> {
        if self.bytes == bytes && self.sha256 == sha256 {
            return Ok(());
        }
        Err(broken("the file is not the one that was backed up: its SHA-256 is not that of the manifest"))
    }
}

fn broken(why: &str) -> Ended {
    Ended::new(Exit::Broken, why)
}

//! The server that the market is played on: a process of its own, on a port and (as a rule) a database of its own.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use demo::{Client, Played};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// The audience of the tokens of this play.
const AUDIENCE: &str = "dps-demo";
/// Before any play: each begins by moving the clock to where its list ends.
const STARTS_AT: &str = "2000-01-01T00:00:00Z";
/// How the server's first line begins; the address follows.
const SERVES: &str = "dps serves ";

/// A running server and a client for it.
pub struct Stage {
    /// Speaks to the server.
    pub client: Client,
    dps: PathBuf,
    /// Where the play is kept, if not in the folder.
    database: Option<String>,
    folder: TempDir,
    process: Child,
}

impl Stage {
    /// Starts the program `dps` on that database, or on one in a temporary folder.
    pub fn open(dps: PathBuf, database: Option<String>) -> Played<Self> {
        let folder = tempfile::Builder::new().prefix("dps-demo-").tempdir().map_err(|e| e.to_string())?;
        let mut serve = command(&dps, &folder, database.as_deref());
        let mut process =
            serve.arg("serve").stdout(Stdio::piped()).spawn().map_err(|e| format!("{}: {e}", dps.display()))?;
        let mut first = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut first).map_err(|e| e.to_string())?;
        }
        let Some(address) = first.strip_prefix(SERVES) else {
            return Err(process
                .wait()
                .map_or_else(|e| e.to_string(), |end| format!("the server did not start: {end}")));
        };
        let secret = std::fs::read(folder.path().join("token.key")).map_err(|e| e.to_string())?;
        let client = Client::new(address.trim().to_owned(), AUDIENCE, &secret);
        Ok(Self { client, dps, database, folder, process })
    }

    /// Proves the record, beside the server, and prints an account of it.
    pub fn prove(&self) -> Played<()> {
        let mut verify = command(&self.dps, &self.folder, self.database.as_deref());
        let end = verify.args(["audit", "verify"]).status().map_err(|e| e.to_string())?;
        if end.success() { Ok(()) } else { Err(format!("the record is not proved: {end}")) }
    }

    /// Stops the server, and removes the temporary folder.
    pub fn clear(self) -> Played<()> {
        let Self { folder, process, .. } = self;
        stop(process)?;
        folder.close().map_err(|e| e.to_string())
    }

    /// Stops the server, and leaves what was played to be looked into: where it is.
    pub fn keep(self) -> String {
        let Self { folder, process, database, .. } = self;
        drop(stop(process));
        let folder = folder.keep();
        database.map_or_else(|| folder.display().to_string(), |_| "the database that was named".to_owned())
    }
}

/// Lets the server end as it does by itself: what it holds of the database is then released.
fn stop(mut process: Child) -> Played<()> {
    kill_process(Pid::from_child(&process), Signal::TERM).map_err(|e| e.to_string())?;
    process.wait().map(drop).map_err(|e| e.to_string())
}

/// The server's program with the play's configuration, and nothing of the caller's.
fn command(dps: &Path, folder: &TempDir, database: Option<&str>) -> Command {
    let inside = |name: &str| folder.path().join(name);
    let mut command = Command::new(dps);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("DPS_")) {
        command.env_remove(name);
    }
    let own = format!("sqlite:{}", inside("dps.db").display());
    command
        .env("DATABASE_URL", database.unwrap_or(&own))
        .env("DPS_LISTEN", "127.0.0.1:0")
        .env("DPS_AUDIENCE", AUDIENCE)
        .env("DPS_CLOCK", STARTS_AT)
        .env("DPS_LOG", "warn")
        .env("DPS_TOKEN_KEY_FILE", inside("token.key"))
        .env("DPS_SEAL_KEY_FILE", inside("seal.key"));
    command
}

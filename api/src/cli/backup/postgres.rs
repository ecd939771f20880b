//! PostgreSQL: `pg_dump` and `pg_restore` do the copying; the record is proved in the snapshot that is dumped, and
//! again in what came out.

use std::path::Path;
use std::process::Command;

use persistence::backup::{self, Target};
use persistence::record::verify::Account;

use super::manifest::{Database, Manifest};
use super::{account, digested, proved};
use crate::cli::exit::{Ended, Exit};
use crate::cli::progress::Bar;
use crate::config::url;

/// Proves the record and dumps it, both from one snapshot, into the file `into`.
pub(super) fn backup(url: &str, into: &Path) -> Result<Manifest, Ended> {
    // Whatever the dump says is not the store's failure.
    let mut dumped = Ok(());
    let (schema, found, newest) = backup::inspect(url, |conn| {
        let (schema, found) = account(conn)?;
        let newest = backup::newest_transaction(conn)?;
        let snapshot = backup::snapshot(conn)?.unwrap_or_default();
        let mut dump = program("pg_dump", url);
        dump.args(["--format=custom", "--snapshot", &snapshot, "--file"]).arg(into);
        dumped = run(dump, "dumping");
        Ok((schema, found, newest))
    })?;
    dumped?;
    let mut list = Command::new("pg_restore");
    list.arg("--list").arg(into).stdout(std::process::Stdio::null());
    run(list, "reading the dump")?;
    let digest = digested(into, "hashing", None)?;
    Ok(Manifest::new(Database::Postgres, (schema, &found), newest, digest))
}

/// Restores in one transaction, and proves what came out before it gives up what was there.
pub(super) fn restore(url: &str, file: &Path, manifest: Option<&Manifest>, replace: bool) -> Result<Account, Ended> {
    let mut target = Target::open(url)?;
    if target.is_unfinished()? {
        if !replace {
            return Err(UNFINISHED.to_owned().into());
        }
        target.put_back()?;
    }
    if !target.is_empty()? && !replace {
        return Err("the database is not empty: --replace replaces what is there".to_owned().into());
    }
    if let Some(manifest) = manifest {
        let (bytes, sha256) = digested(file, "hashing", None)?;
        manifest.matches(bytes, &sha256)?;
        let counter = target.counter()?;
        if let Some(newest) = manifest.newest_transaction.filter(|newest| *newest >= counter) {
            return Err(ahead(newest, counter));
        }
    }
    target.set_aside()?;
    let restored = restored(url, file, manifest);
    match &restored {
        Ok(_) => target.discard()?,
        Err(_) => target.put_back()?,
    }
    restored
}

const UNFINISHED: &str =
    "a restore into this database is not finished: --replace restores again, --back puts back what was there";

/// Puts back what was there before a restore that was not finished.
pub(super) fn back(url: &str) -> Result<(), Ended> {
    let mut target = Target::open(url)?;
    if !target.is_unfinished()? {
        return Err("no restore into this database was left unfinished".to_owned().into());
    }
    Ok(target.put_back()?)
}

fn restored(url: &str, file: &Path, manifest: Option<&Manifest>) -> Result<Account, Ended> {
    let mut restore = program("pg_restore", url);
    restore.args(["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]).arg(file);
    run(restore, "restoring")?;
    // It refuses what comes from a cluster whose transactions were ahead of this one's.
    persistence::migrate_restored(url)?;
    proved(url, manifest)
}

fn ahead(newest: i64, counter: i64) -> Ended {
    Ended::new(
        Exit::Failed,
        format!(
            "nothing was restored: the events were written by transactions up to {newest}, and this cluster is at \
             {counter}; its feed would hide them. Stop PostgreSQL, run `pg_resetwal -x {}` on its data directory, \
             start it, and restore again (docs/operations.md, restore into another cluster)",
            newest.saturating_add(1_000_000)
        ),
    )
}

/// A program of PostgreSQL that connects; the password is in its environment, where no other user sees it.
fn program(name: &str, url: &str) -> Command {
    let (address, password) = url::parted(url);
    let mut command = Command::new(name);
    command.arg("--no-password").arg("--dbname").arg(address);
    if let Some(password) = password {
        command.env("PGPASSWORD", password);
    }
    command
}

fn run(mut command: Command, what: &'static str) -> Result<(), Ended> {
    let name = command.get_program().to_string_lossy().into_owned();
    let _bar = Bar::new(what, None);
    let answer = command.output().map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => format!("there is no {name} on the path: install PostgreSQL's client programs"),
        _ => format!("{name}: {e}"),
    })?;
    if answer.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&answer.stderr).lines().map(str::to_owned).collect();
    Err(Ended { exit: Exit::Failed, why })
}

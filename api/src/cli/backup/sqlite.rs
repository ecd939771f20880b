//! SQLite: the copy is a database of its own, in one file.

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use persistence::Failure;
use persistence::record::verify::Account;

use super::manifest::{Database, Manifest};
use super::{Partial, account, digested, proved, said};
use crate::cli::exit::{Ended, Exit};
use crate::cli::progress::Bar;

/// Copies the database as it is now into the empty file `into`, and proves the copy.
pub(super) fn backup(path: &str, into: &Path) -> Result<Manifest, Ended> {
    let text = into.to_str().ok_or("the name of the backup is not Unicode".to_owned())?;
    let total = persistence::backup::size_of_sqlite(path)?;
    watched("copying", total, into, || persistence::backup::copy_sqlite(path, text))?;
    let url = format!("sqlite:{text}");
    let (damage, found) =
        persistence::backup::inspect(&url, |conn| Ok((persistence::backup::damage(conn)?, account(conn)?)))?;
    if let Some(first) = damage.first() {
        return Err(Ended::new(Exit::Broken, format!("the database is damaged: {first}")));
    }
    let (schema, found) = found;
    let digest = digested(into, "hashing", None)?;
    Ok(Manifest::new(Database::Sqlite, (schema, &found), None, digest))
}

/// Does `work`, which writes a file, with a bar that follows its size.
fn watched<T>(what: &'static str, total: u64, file: &Path, work: impl FnOnce() -> T) -> T {
    let bar = Bar::new(what, Some(total));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let follower = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                bar.at(std::fs::metadata(file).map_or(0, |found| found.len()));
                std::thread::park_timeout(std::time::Duration::from_millis(200));
            }
        });
        let outcome = work();
        done.store(true, Ordering::Relaxed);
        follower.thread().unpark();
        outcome
    })
}

/// Proves a copy of the backup beside the target, and puts it in the target's place.
pub(super) fn restore(
    target: &Path,
    file: &Path,
    manifest: Option<&Manifest>,
    replace: bool,
) -> Result<Account, Ended> {
    let there = std::fs::metadata(target).is_ok_and(|found| found.len() > 0);
    if there && !replace {
        return Err(format!("{} is there already: --replace replaces it", target.display()).into());
    }
    if !target.exists() {
        // They would be taken for those of the restored database.
        for left in ["-wal", "-shm", "-journal"].map(|end| with(target, end)) {
            if left.exists() {
                return Err(format!("{} was left by a database that is gone: move it away", left.display()).into());
            }
        }
    }
    if let Some(folder) = target.parent() {
        std::fs::create_dir_all(folder).map_err(|e| said(folder, &e))?;
    }
    let partial = Partial::new(target)?;
    let mut copy = File::options().write(true).open(&partial.0).map_err(|e| said(&partial.0, &e))?;
    let (bytes, sha256) = digested(file, "copying", Some(&mut copy))?;
    if let Some(manifest) = manifest {
        manifest.matches(bytes, &sha256)?;
    }
    drop(copy);
    let url = format!("sqlite:{}", partial.0.to_str().ok_or("the name of the database is not Unicode".to_owned())?);
    // A damaged file is told before it is changed.
    persistence::backup::inspect(&url, |conn| match persistence::backup::damage(conn)?.first() {
        None => Ok(()),
        Some(first) => Err(Failure::Broken(format!("the backup is damaged: {first}"))),
    })
    .map_err(|failure| Ended::new(Exit::Broken, failure.to_string()))?;
    persistence::migrate(&url)?;
    let account = proved(&url, manifest)?;
    if there {
        let text = target.to_str().ok_or("the name of the database is not Unicode".to_owned())?;
        if let Ok(found) = std::fs::metadata(target) {
            std::fs::set_permissions(&partial.0, found.permissions()).map_err(|e| said(&partial.0, &e))?;
            // Whoever restores as root restores it for the account that serves it.
            let (owner, group) = (Some(found.uid()), Some(found.gid()));
            std::os::unix::fs::chown(&partial.0, owner, group).map_err(|e| said(&partial.0, &e))?;
        }
        persistence::backup::alone_with_sqlite(text, || partial.keep(target).map_err(Failure::Broken))?;
    } else {
        partial.keep(target)?;
    }
    Ok(account)
}

fn with(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    name.into()
}

//! `dps backup` and `dps restore`: a copy that is proved, with an account of it beside it.
//!
//! A backup is a file and a manifest, `<file>.json`. Both appear under their names when all is proved, and not before.

mod manifest;
mod postgres;
mod sqlite;

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use manifest::{Database, Manifest};
use persistence::record::verify::Account;
use persistence::{Conn, Outcome};
use sha2::Digest as _;

use super::exit::{Ended, Exit, Run};
use super::progress::Bar;
use crate::config::Config;

/// Backs the configured store up into `file`, while a server writes.
pub(super) fn backup(config: &Config, file: &Path, json: bool) -> Run {
    let manifest_file = manifest::beside(file);
    for taken in [file, &manifest_file] {
        if taken.exists() {
            return Err(format!("{} is there already", taken.display()).into());
        }
    }
    let partial = Partial::new(file)?;
    let manifest = match config.database.strip_prefix("sqlite:") {
        Some(path) => sqlite::backup(path, &partial.0)?,
        None => postgres::backup(&config.database, &partial.0)?,
    };
    let described = Partial::new(&manifest_file)?;
    std::fs::write(&described.0, manifest.text()?).map_err(|e| said(&described.0, &e))?;
    partial.keep(file)?;
    described.keep(&manifest_file)?;
    if json {
        super::print_json(&manifest)?;
    } else {
        println!("{}: {} bytes, SHA-256 {}", file.display(), manifest.bytes, manifest.sha256);
        println!("{}", manifest.record.told());
    }
    if manifest.record.intact {
        return Ok(());
    }
    Err(Ended::new(Exit::Broken, "the record is broken, and so is its copy: `dps audit verify` says where"))
}

/// Restores the configured store from `file`.
pub(super) fn restore(config: &Config, file: &Path, replace: bool, json: bool) -> Run {
    let manifest = Manifest::of(file)?;
    let kind = Database::of(file)?;
    let target = if config.database.starts_with("sqlite:") { Database::Sqlite } else { Database::Postgres };
    if kind != target {
        return Err(format!("{} is a backup of {kind}, and DATABASE_URL names {target}", file.display()).into());
    }
    if let Some(manifest) = &manifest {
        manifest.fits(kind)?;
    }
    let restored = match config.database.strip_prefix("sqlite:") {
        Some(path) => sqlite::restore(Path::new(path), file, manifest.as_ref(), replace)?,
        None => postgres::restore(&config.database, file, manifest.as_ref(), replace)?,
    };
    let record = manifest::Seal::of(&restored);
    if json {
        return super::print_json(&record);
    }
    println!("{}", record.told());
    match manifest {
        Some(manifest) => println!("this is the record of {}, and it is intact", manifest.made_at),
        None => println!("the record is intact; there was no manifest to compare it with"),
    }
    if target == Database::Postgres {
        println!("rights were not restored: grant them again (docs/operations.md)");
    }
    Ok(())
}

/// Goes back to what the configured store was before a restore into it that was killed.
pub(super) fn back(config: &Config) -> Run {
    if config.database.starts_with("sqlite:") {
        return Err("SQLite's file is replaced whole: a restore that was killed has changed nothing".to_owned().into());
    }
    postgres::back(&config.database)?;
    println!("what was there before the restore is in its place again");
    Ok(())
}

/// Reads a store that is backed up: it must be one that this program knows.
fn account(conn: &mut Conn<'_>) -> Outcome<(Option<String>, Account)> {
    let (schema, newest) = (persistence::backup::schema(conn)?, persistence::newest_schema());
    if schema != newest {
        let told = |version: Option<String>| version.unwrap_or_else(|| "none".to_owned());
        return Err(persistence::Failure::Broken(format!(
            "the schema is {} and this program's is {}: back up with the version that serves it, or run `dps migrate`",
            told(schema),
            told(newest)
        )));
    }
    Ok((schema, super::audit::proved(conn)?))
}

/// Proves what was restored, before it takes its place.
fn proved(url: &str, manifest: Option<&Manifest>) -> Result<Account, Ended> {
    let broken = |why: String| Ended::new(Exit::Broken, why);
    let (damage, account) = persistence::backup::inspect_restored(url, |conn| {
        Ok((persistence::backup::damage(conn)?, super::audit::proved(conn)?))
    })?;
    if let Some(first) = damage.first() {
        return Err(broken(format!("the copy is damaged: {first}")));
    }
    if !account.is_intact() {
        let mut why = vec!["the record in the backup is broken; nothing was restored".to_owned()];
        why.extend(super::audit::findings(&account));
        return Err(Ended { exit: Exit::Broken, why });
    }
    if manifest.is_some_and(|manifest| manifest.record != manifest::Seal::of(&account)) {
        return Err(broken("the record that came out is not the one of the manifest; nothing was restored".to_owned()));
    }
    Ok(account)
}

/// A file that is being made; it is gone when this is dropped before [`Partial::keep`].
struct Partial(PathBuf);

impl Partial {
    /// A new file beside `file`, for its owner only.
    fn new(file: &Path) -> Result<Self, String> {
        let mut name = file.as_os_str().to_owned();
        name.push(".partial");
        let partial = PathBuf::from(name);
        let made = File::options().write(true).create_new(true).mode(0o600).open(&partial);
        made.map_err(|e| said(&partial, &e))?;
        Ok(Self(partial))
    }

    /// Puts it in its place, safely on the disk.
    fn keep(self, file: &Path) -> Result<(), String> {
        let sync = |path: &Path| File::open(path).and_then(|open| open.sync_all()).map_err(|e| said(path, &e));
        sync(&self.0)?;
        std::fs::rename(&self.0, file).map_err(|e| said(file, &e))?;
        match file.parent() {
            Some(folder) if folder != Path::new("") => sync(folder),
            _ => sync(Path::new(".")),
        }
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // Where it was kept there is nothing under that name.
        drop(std::fs::remove_file(&self.0));
    }
}

/// Reads a file from its beginning to its end, copies it where asked, and says its size and SHA-256.
fn digested(file: &Path, what: &'static str, mut copy: Option<&mut File>) -> Result<(u64, String), String> {
    let mut open = File::open(file).map_err(|e| said(file, &e))?;
    let bar = Bar::new(what, open.metadata().ok().map(|found| found.len()));
    let (mut sha, mut bytes, mut buffer) = (sha2::Sha256::new(), 0u64, vec![0; 1 << 20]);
    loop {
        let read = open.read(&mut buffer).map_err(|e| said(file, &e))?;
        let part = buffer.get(..read).unwrap_or_default();
        if part.is_empty() {
            break;
        }
        sha.update(part);
        if let Some(copy) = &mut copy {
            copy.write_all(part).map_err(|e| e.to_string())?;
        }
        bytes += part.len() as u64;
        bar.at(bytes);
    }
    if let Some(copy) = copy {
        copy.rewind().map_err(|e| e.to_string())?;
    }
    Ok((bytes, persistence::record::hex(&sha.finalize())))
}

fn said(file: &Path, why: &std::io::Error) -> String {
    format!("{}: {why}", file.display())
}

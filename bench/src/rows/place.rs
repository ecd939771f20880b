//! Places of histories, on either database.

use std::path::PathBuf;

use crate::Outcome;
use crate::bare::postgres;

/// A database system with room for measured databases, each by a name.
#[derive(Clone, Debug)]
pub struct Place {
    /// As the table calls it.
    pub database: &'static str,
    folder: PathBuf,
    server: Option<String>,
}

impl Place {
    /// SQLite in `folder`.
    pub fn sqlite(folder: PathBuf) -> Self {
        Self { database: "SQLite", folder, server: None }
    }

    /// The PostgreSQL at `server`; the files of servers are in `folder`.
    pub fn postgres(folder: PathBuf, server: String) -> Self {
        Self { database: "PostgreSQL", folder, server: Some(server) }
    }

    /// Whether it is SQLite.
    pub fn is_sqlite(&self) -> bool {
        self.server.is_none()
    }

    /// The files beside a database: keys and the log.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The file of a database on SQLite.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder(name).join("dps.db")
    }

    /// An empty database in place of any of that name; its URL.
    pub fn fresh(&self, name: &str) -> Outcome<String> {
        self.remove(name)?;
        std::fs::create_dir_all(self.folder(name))?;
        match &self.server {
            None => Ok(format!("sqlite:{}", self.file(name).display())),
            Some(server) => postgres::database(server, name, None),
        }
    }

    /// A copy of the database `of`, which nobody uses; its URL.
    pub fn copy(&self, of: &str, name: &str) -> Outcome<String> {
        let url = self.fresh(name)?;
        match &self.server {
            None => rusqlite::Connection::open(self.file(of))?
                .execute("VACUUM INTO ?1", [self.file(name).to_string_lossy()])
                .map(drop)?,
            Some(server) => drop(postgres::database(server, name, Some(of))?),
        }
        Ok(url)
    }

    /// Removes a database, where it is there.
    pub fn remove(&self, name: &str) -> Outcome<()> {
        if let Some(server) = &self.server {
            postgres::remove(server, name)?;
        }
        let folder = self.folder(name);
        if folder.exists() {
            std::fs::remove_dir_all(folder)?;
        }
        Ok(())
    }

    /// Bytes of a database on the disk.
    pub fn bytes(&self, name: &str) -> Outcome<u64> {
        match &self.server {
            None => Ok(std::fs::metadata(self.file(name))?.len()),
            Some(server) => {
                let row = postgres::open(server)?.query_one("SELECT pg_database_size($1::text::name)", &[&name])?;
                Ok(u64::try_from(row.try_get::<_, i64>(0)?)?)
            }
        }
    }
}

//! A database of a test's own, copied from one that was migrated once, and gone when the test ends.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::{InstrumentationEvent, SimpleConnection};
use diesel::{Connection, PgConnection, RunQueryDsl, SqliteConnection};

use crate::plans;

/// Which database.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    Sqlite,
    Postgres,
}

#[derive(diesel::QueryableByName)]
struct Line {
    #[diesel(sql_type = diesel::sql_types::Text)]
    line: String,
}

/// A database with a directory for whatever else belongs to its server.
pub struct Database {
    pub kind: Kind,
    pub url: String,
    pub home: PathBuf,
}

impl Database {
    /// A new database, migrated and empty.
    pub fn new(kind: Kind) -> Self {
        Self::copied(kind, true)
    }

    /// A new database without a schema.
    pub fn bare(kind: Kind) -> Self {
        Self::copied(kind, false)
    }

    fn copied(kind: Kind, migrated: bool) -> Self {
        let name = unique("test");
        let home = folder(&name);
        let url = match kind {
            Kind::Sqlite => {
                let file = home.join("dps.db");
                if migrated {
                    std::fs::copy(sqlite_template(), &file).expect("a copy of the SQLite template");
                }
                format!("sqlite:{}", file.display())
            }
            Kind::Postgres => {
                let template = if migrated { postgres_template() } else { "template0" };
                administer(&format!("CREATE DATABASE {name} TEMPLATE {template}"));
                address(&name)
            }
        };
        if migrated {
            plans::watch::begin(&url);
        }
        Self { kind, url, home }
    }

    /// Whatever is stored, as text.
    pub fn dump(&self) -> String {
        match self.kind {
            Kind::Sqlite => {
                let file = self.url.trim_start_matches("sqlite:");
                let parts =
                    [file.to_owned(), format!("{file}-wal")].map(|part| std::fs::read(part).unwrap_or_default());
                String::from_utf8_lossy(&parts.concat()).into_owned()
            }
            Kind::Postgres => {
                let tables = "SELECT tablename::text AS line FROM pg_tables WHERE schemaname = 'public'";
                let rows = |table: Line| {
                    let all = format!("SELECT coalesce(string_agg(t::text, ' '), '') AS line FROM {} t", table.line);
                    self.query(&all).pop().unwrap().line
                };
                self.query(tables).into_iter().map(rows).collect()
            }
        }
    }

    /// Runs a statement beside the servers.
    pub fn execute(&self, statement: &str) {
        match self.kind {
            Kind::Sqlite => {
                sqlite(&self.url).batch_execute(statement).unwrap();
            }
            Kind::Postgres => postgres(&self.url).batch_execute(statement).unwrap(),
        }
    }

    fn query(&self, query: &str) -> Vec<Line> {
        diesel::sql_query(query).load(&mut postgres(&self.url)).unwrap()
    }

    fn name(&self) -> &str {
        self.home.file_name().and_then(|name| name.to_str()).unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // Before the database is gone, and never beside another failure.
        let plans =
            if std::thread::panicking() { Ok(()) } else { catch_unwind(AssertUnwindSafe(|| plans::check(self))) };
        // What a failed test leaves behind goes with the server or the build directory; a second panic would hide the first.
        if self.kind == Kind::Postgres && !std::thread::panicking() {
            administer(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name()));
        }
        drop(std::fs::remove_dir_all(&self.home));
        if let Err(wrong) = plans {
            resume_unwind(wrong);
        }
    }
}

/// A connection of the test's own: what it does is not the store's.
pub fn sqlite(url: &str) -> SqliteConnection {
    let mut conn = SqliteConnection::establish(url.trim_start_matches("sqlite:")).expect("the SQLite file");
    conn.set_instrumentation(|_: InstrumentationEvent<'_>| {});
    conn
}

/// As [`sqlite`].
pub fn postgres(url: &str) -> PgConnection {
    let mut conn = PgConnection::establish(url).expect("the PostgreSQL of TEST_POSTGRES_URL");
    conn.set_instrumentation(|_: InstrumentationEvent<'_>| {});
    conn
}

/// The SQLite database that all others were copied from: migrated, empty, and never written again.
pub fn template() -> String {
    format!("sqlite:{}", sqlite_template().display())
}

fn sqlite_template() -> &'static Path {
    static TEMPLATE: OnceLock<PathBuf> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let path = folder("template").join("dps.db");
        persistence::migrate(&format!("sqlite:{}", path.display())).expect("the SQLite template");
        path
    })
}

fn postgres_template() -> &'static str {
    static TEMPLATE: OnceLock<String> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let name = unique("template");
        administer(&format!("CREATE DATABASE {name}"));
        persistence::migrate(&address(&name)).expect("the PostgreSQL template");
        name
    })
}

/// Runs a statement as the server's administrator.
fn administer(statement: &str) {
    let mut conn = postgres(&server());
    conn.batch_execute(statement).unwrap_or_else(|e| panic!("{statement}: {e}"));
}

fn server() -> String {
    std::env::var("TEST_POSTGRES_URL").unwrap_or_else(|_| {
        panic!(
            "TEST_POSTGRES_URL is not set, so nothing can be tested on PostgreSQL. Run `make test`, or \
             `scripts/postgres run -- cargo test -p tests`, which bring their own; `cargo test -p tests sqlite::` \
             runs the other half."
        )
    })
}

fn address(name: &str) -> String {
    let server = server();
    let (host, _) = server.rsplit_once('/').expect("TEST_POSTGRES_URL ends with a database's name");
    format!("{host}/{name}")
}

fn unique(what: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{what}_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

fn folder(name: &str) -> PathBuf {
    // Beside the PostgreSQL of this run, which is in memory where it can be and cleared away at the end; else in the build directory.
    let beside = std::env::var_os("TEST_POSTGRES_HOME").map(PathBuf::from);
    let path = beside.unwrap_or_else(|| env!("CARGO_TARGET_TMPDIR").into()).join(name);
    drop(std::fs::remove_dir_all(&path));
    std::fs::create_dir_all(&path).expect("a directory for the test");
    path
}

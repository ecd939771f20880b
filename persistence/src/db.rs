//! The one way in: reads, scans and writes on either database.

use std::sync::Arc;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool};
use diesel::{Connection, PgConnection, SqliteConnection};

use crate::coherence::Mark;
use crate::coherence::{Asker, Dependencies};
use crate::pool_load::Waits;
use crate::writer::Writer;
use crate::{Conn, Failure, Load, Outcome, Stamp, Tx};

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `sqlite:path/to/file` or `postgres://user@host/database`. Any other scheme is refused.
    pub url: String,
    /// Connections that read at the same time; on PostgreSQL also those that write.
    pub connections: u32,
    /// How long a request waits for a connection.
    pub wait: Duration,
}

impl Settings {
    /// The defaults for a URL.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), connections: 8, wait: Duration::from_secs(5) }
    }
}

/// Whether a write is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// It is.
    Commit,
    /// It is decided in full and rolled back (`dryRun=true`).
    DryRun,
}

/// How long a statement of a request may take on PostgreSQL.
const STATEMENT: Duration = Duration::from_secs(60);
/// How often a transaction is run again after it met another one, before the caller is told to come back.
const RUNS: u32 = 8;

/// An open store.
#[derive(Clone)]
pub struct Db(Arc<Backend>);

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Db({})", self.name())
    }
}

enum Backend {
    Sqlite { readers: Pool<ConnectionManager<SqliteConnection>>, waits: Waits, writer: Writer },
    Postgres { pool: Pool<ConnectionManager<PgConnection>>, waits: Waits, asker: Asker },
}

#[derive(Debug)]
struct Reader;

impl CustomizeConnection<SqliteConnection, diesel::r2d2::Error> for Reader {
    fn on_acquire(&self, conn: &mut SqliteConnection) -> Result<(), diesel::r2d2::Error> {
        conn.batch_execute("PRAGMA busy_timeout = 5000; PRAGMA query_only = ON; PRAGMA mmap_size = 1099511627776;")
            .map_err(diesel::r2d2::Error::QueryError)
    }
}

/// How long a statement may take on PostgreSQL.
#[derive(Debug)]
struct Session(Duration);

impl CustomizeConnection<PgConnection, diesel::r2d2::Error> for Session {
    /// Nothing waits without end: a request that cannot be served is told so. A page of rows is quicker than starting
    /// workers or compiling for it, whatever the planner guesses.
    fn on_acquire(&self, conn: &mut PgConnection) -> Result<(), diesel::r2d2::Error> {
        conn.batch_execute(&format!(
            "SET statement_timeout = {}; SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '60s'; \
             SET max_parallel_workers_per_gather = 0; SET jit = off",
            self.0.as_millis()
        ))
        .map_err(diesel::r2d2::Error::QueryError)
    }
}

impl Db {
    /// Opens the store that the URL's scheme names. SQLite files are created where missing; the schema is left alone
    /// (see [`crate::migrate`]).
    ///
    /// # Errors
    /// [`Failure::Unavailable`] where the store cannot be opened or the scheme is unknown.
    pub fn open(settings: &Settings) -> Outcome<Self> {
        let (url, waits) = (settings.url.as_str(), Waits::default());
        if let Some(path) = url.strip_prefix("sqlite:") {
            let writer = Writer::open(path)?;
            let readers = Pool::builder()
                .max_size(settings.connections)
                .min_idle(Some(settings.connections.min(2)))
                .connection_timeout(settings.wait)
                .test_on_check_out(false)
                .connection_customizer(Box::new(Reader))
                .event_handler(Box::new(waits.clone()))
                .build(ConnectionManager::new(path))?;
            Ok(Self(Arc::new(Backend::Sqlite { readers, waits, writer })))
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let builder =
                |longest| Pool::builder().test_on_check_out(false).connection_customizer(Box::new(Session(longest)));
            let pool = builder(STATEMENT)
                .max_size(settings.connections)
                .min_idle(Some(1))
                .connection_timeout(settings.wait)
                .event_handler(Box::new(waits.clone()))
                .build(ConnectionManager::new(url))?;
            let asker = Asker::open(builder(Asker::WAIT), url)?;
            Ok(Self(Arc::new(Backend::Postgres { pool, waits, asker })))
        } else {
            Err(Failure::Unavailable("the database URL begins with `sqlite:` or `postgres:`".to_owned()))
        }
    }

    /// Which database it is: `sqlite` or `postgres`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match &*self.0 {
            Backend::Sqlite { .. } => "sqlite",
            Backend::Postgres { .. } => "postgres",
        }
    }

    /// To be taken before reading what is to be kept; `None` where it cannot be told whether that is still true.
    #[must_use]
    pub fn mark(&self) -> Option<Mark> {
        match &*self.0 {
            Backend::Sqlite { writer, .. } => writer.changes.as_ref().map(|changes| changes.mark()),
            Backend::Postgres { .. } => Some(Mark::default()),
        }
    }

    /// Whether what an answer rests on is as it was: whatever was committed before the question counts.
    pub async fn is_still(&self, basis: &Dependencies) -> bool {
        match &*self.0 {
            Backend::Sqlite { writer, .. } => {
                writer.changes.as_ref().is_some_and(|changes| changes.none_of(basis.ids(), basis.since))
            }
            Backend::Postgres { asker, .. } => asker.is_still(&basis.on).await,
        }
    }

    /// How busy it is now.
    #[must_use]
    pub fn load(&self) -> Load {
        match &*self.0 {
            Backend::Sqlite { readers, waits, writer } => {
                Load { writes_waiting: writer.waiting(), ..waits.of(readers) }
            }
            Backend::Postgres { pool, waits, .. } => waits.of(pool),
        }
    }

    /// A short read by key. On SQLite it stays on the calling thread, where it is quicker than any hop.
    ///
    /// # Errors
    /// Whatever `work` fails with, and [`Failure::Unavailable`] where no connection is to be had.
    pub async fn read<T, F>(&self, work: F) -> Outcome<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Conn<'_>) -> Outcome<T> + Send + 'static,
    {
        match &*self.0 {
            Backend::Sqlite { readers, .. } => {
                if let Some(mut reader) = readers.try_get() {
                    return work(&mut Conn::Sqlite(&mut reader));
                }
                // All are scanning: wait for one off this thread, which has other requests to serve.
                let readers = readers.clone();
                hop(move || work(&mut Conn::Sqlite(&mut *readers.get()?))).await
            }
            Backend::Postgres { pool, .. } => {
                let pool = pool.clone();
                hop(move || work(&mut Conn::Pg(&mut *pool.get()?))).await
            }
        }
    }

    /// A read that may take longer or that needs one snapshot over several statements; it always leaves the calling
    /// thread.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub async fn scan<T, F>(&self, work: F) -> Outcome<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Conn<'_>) -> Outcome<T> + Send + 'static,
    {
        let db = self.clone();
        hop(move || match &*db.0 {
            Backend::Sqlite { readers, .. } => readers.get()?.transaction(|c| work(&mut Conn::Sqlite(c))),
            Backend::Postgres { pool, .. } => {
                pool.get()?.build_transaction().repeatable_read().read_only().run(|c| work(&mut Conn::Pg(c)))
            }
        })
        .await
    }

    /// One transaction. `work` may run more than once where transactions meet, so it has no effect beside `Tx`.
    ///
    /// # Errors
    /// Whatever `work` fails with; [`Failure::Unavailable`] where no connection is to be had or transactions kept
    /// meeting. After an error nothing is written.
    pub async fn write<T, F>(&self, stamp: Stamp, mode: Mode, work: F) -> Outcome<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Outcome<T> + Send + 'static,
    {
        match &*self.0 {
            Backend::Sqlite { writer, .. } => writer.write(stamp, mode, work).await,
            Backend::Postgres { pool, .. } => {
                let pool = pool.clone();
                hop(move || {
                    let mut met = String::new();
                    for _ in 0..RUNS {
                        match run(&mut *pool.get()?, &stamp, mode, &work) {
                            Err(Failure::Again(message)) => met = message,
                            outcome => return outcome,
                        }
                    }
                    Err(Failure::Unavailable(met))
                })
                .await
            }
        }
    }
}

/// READ COMMITTED with row locks and optimistic versions: rules that span rows lock their parent row or are guarded
/// by a constraint (`docs/adr/0003-transactions.md`).
fn run<T>(conn: &mut PgConnection, stamp: &Stamp, mode: Mode, work: &impl Fn(&mut Tx<'_>) -> Outcome<T>) -> Outcome<T> {
    let mut kept = None;
    let outcome = conn.build_transaction().read_committed().run(|c| {
        let value = work(&mut Tx::new(Conn::Pg(c), stamp))?;
        match mode {
            Mode::Commit => Ok(value),
            Mode::DryRun => {
                kept = Some(value);
                Err(Failure::from(diesel::result::Error::RollbackTransaction))
            }
        }
    });
    kept.map_or(outcome, Ok)
}

/// Runs blocking work off the asynchronous threads.
async fn hop<T: Send + 'static>(work: impl FnOnce() -> Outcome<T> + Send + 'static) -> Outcome<T> {
    let span = tracing::Span::current();
    tokio::task::spawn_blocking(move || span.in_scope(work))
        .await
        .unwrap_or_else(|error| Err(Failure::Broken(format!("a store task ended: {error}"))))
}

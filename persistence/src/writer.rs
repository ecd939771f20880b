//! SQLite has one writer: a thread that groups the writes that wait into one durable commit, a savepoint each.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use diesel::connection::SimpleConnection;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool};
use diesel::{Connection, SqliteConnection};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::coherence::Changes;
use crate::{Conn, Failure, Mode, Outcome, Stamp, Tx};

/// Writes that share one commit at most.
const GROUP: usize = 64;

/// Tells the caller how its write ended, once the commit it belongs to is known.
type Answer = Box<dyn FnOnce(&Outcome<()>) + Send>;
type Job = Box<dyn FnOnce(&mut SqliteConnection) -> Done + Send>;

/// A job that has run.
struct Done {
    answer: Answer,
    /// The aggregates that it changed, and whether it is known to have written, where it is kept.
    written: (Vec<Uuid>, bool),
    /// Whether what it wrote, if anything, is kept.
    kept: bool,
    /// Whether the transaction still stands: SQLite itself ends it on a full disk and the like.
    intact: bool,
}

/// What the one connection that writes begins with: durable at each commit. What a savepoint would go back to is kept in
/// memory, or each job writes it to a file.
#[derive(Debug)]
struct Session;

impl CustomizeConnection<SqliteConnection, diesel::r2d2::Error> for Session {
    fn on_acquire(&self, conn: &mut SqliteConnection) -> Result<(), diesel::r2d2::Error> {
        conn.batch_execute(
            "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             PRAGMA foreign_keys = ON; PRAGMA mmap_size = 1099511627776; PRAGMA temp_store = MEMORY;",
        )
        .map_err(diesel::r2d2::Error::QueryError)
    }
}

/// A handle on the writer thread; the thread ends when the last handle is dropped.
pub(crate) struct Writer {
    jobs: mpsc::Sender<Job>,
    /// What it changed since when.
    pub(crate) changes: Option<Arc<Changes>>,
    waiting: Arc<AtomicUsize>,
}

impl Writer {
    /// Opens the database for writing, durable at each commit.
    pub(crate) fn open(path: &str) -> Outcome<Self> {
        let unavailable = |e: &dyn std::fmt::Display| Failure::Unavailable(format!("SQLite at {path}: {e}"));
        // What cannot be opened is told at once, and why: the pool would try for half a minute.
        drop(SqliteConnection::establish(path).map_err(|e| unavailable(&e))?);
        // Its connection lives as long as the server, with the statements that it prepared; one that broke is replaced.
        let pool = Pool::builder()
            .max_size(1)
            .max_lifetime(None)
            .idle_timeout(None)
            .test_on_check_out(false)
            .connection_customizer(Box::new(Session))
            .build(ConnectionManager::<SqliteConnection>::new(path))
            .map_err(|e| unavailable(&e))?;
        let mut conn = pool.get().map_err(|e| unavailable(&e))?;
        // The shared file is there once something was read.
        let changes = conn.batch_execute("PRAGMA schema_version").ok().and_then(|()| Changes::of(path)).map(Arc::new);
        drop(conn);
        let marked = changes.clone();
        let (jobs, waiting) = mpsc::channel::<Job>();
        std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || {
                while let Ok(first) = waiting.recv() {
                    match pool.get() {
                        Ok(mut conn) => group(&mut conn, marked.as_deref(), first, &waiting),
                        Err(error) => refuse(&error, &waiting),
                    }
                }
            })
            .map_err(|e| unavailable(&e))?;
        Ok(Self { jobs, changes, waiting: Arc::default() })
    }

    /// Jobs that wait for their turn.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    pub(crate) async fn write<T, F>(&self, stamp: Stamp, mode: Mode, work: F) -> Outcome<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Outcome<T> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        let turn = Waiting::new(&self.waiting);
        let job: Job = Box::new(move |conn| {
            drop(turn);
            let outcome = savepoint(conn, mode, |c| {
                let mut tx = Tx::new(Conn::Sqlite(c), &stamp);
                let value = work(&mut tx)?;
                Ok((value, tx.written()))
            });
            let intact = outcome.is_ok();
            let (outcome, written, kept) = match outcome.unwrap_or_else(Err) {
                Ok((value, written)) if mode == Mode::Commit => (Ok(value), written, true),
                Ok((value, _)) => (Ok(value), (Vec::new(), false), false),
                Err(failure) => (Err(failure), (Vec::new(), false), false),
            };
            let answer = Box::new(move |commit: &Outcome<()>| {
                let ended = match commit {
                    Err(failure) if outcome.is_ok() => Err(Failure::Unavailable(failure.to_string())),
                    Ok(()) | Err(_) => outcome,
                };
                // A caller that went away does not need the answer: the write stands.
                drop(tell.send(ended));
            });
            Done { answer, written, kept, intact }
        });
        let gone = || Failure::Unavailable("the writer has ended".to_owned());
        self.jobs.send(job).map_err(|_| gone())?;
        told.await.unwrap_or_else(|_| Err(gone()))
    }
}

/// Counts a job until it is run or dropped.
struct Waiting(Arc<AtomicUsize>);

impl Waiting {
    fn new(all: &Arc<AtomicUsize>) -> Self {
        all.fetch_add(1, Ordering::Relaxed);
        Self(all.clone())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Jobs that are dropped unrun tell their callers that the store is unavailable. Those that wait behind have waited as long:
/// one after the other they would wait for minutes.
fn refuse(error: &dyn std::fmt::Display, waiting: &mpsc::Receiver<Job>) {
    tracing::warn!(%error, "no write transaction");
    while waiting.try_recv().is_ok() {}
}

/// Runs `first` and whatever waits behind it in one transaction, and answers all of them after its commit.
fn group(conn: &mut SqliteConnection, changes: Option<&Changes>, first: Job, waiting: &mpsc::Receiver<Job>) {
    if let Err(error) = conn.batch_execute("BEGIN IMMEDIATE") {
        return refuse(&error, waiting);
    }
    let mut changing = changes.map(Changes::begin);
    let mut answers = Vec::new();
    let mut next = Some(first);
    let (mut intact, mut kept) = (true, false);
    while let Some(job) = next {
        let done = job(conn);
        answers.push(done.answer);
        if let Some(changing) = &mut changing {
            changing.add(done.written);
        }
        kept |= done.kept;
        intact = done.intact;
        next = if intact && answers.len() < GROUP { waiting.try_recv().ok() } else { None };
    }
    if let Some(changing) = &changing {
        changing.commits();
    }
    let commit = if intact {
        // Where nothing is kept nothing is written, and nothing that was read before ceases to be true.
        conn.batch_execute(if kept { "COMMIT" } else { "ROLLBACK" }).map_err(Failure::from)
    } else {
        Err(Failure::Unavailable("SQLite ended the transaction".to_owned()))
    };
    if commit.is_err() {
        // Nothing of the group is kept; the connection must be usable for the next one.
        drop(conn.batch_execute("ROLLBACK"));
    }
    if let Some(changing) = changing {
        changing.done(commit.is_ok());
    }
    for answer in answers {
        answer(&commit);
    }
}

/// Runs `work` so that its failure, panic or dry run undoes its own writes and nobody else's. The outer error means that
/// the whole transaction is gone.
fn savepoint<T>(
    conn: &mut SqliteConnection,
    mode: Mode,
    work: impl Fn(&mut SqliteConnection) -> Outcome<T>,
) -> Outcome<Outcome<T>> {
    conn.batch_execute("SAVEPOINT job")?;
    let outcome = catch_unwind(AssertUnwindSafe(|| work(conn)))
        .unwrap_or_else(|_| Err(Failure::Broken("a write panicked".to_owned())));
    let keep = outcome.is_ok() && mode == Mode::Commit;
    let ended = conn.batch_execute(if keep { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" });
    match (outcome, ended) {
        (outcome, Ok(())) => Ok(outcome),
        // A full disk and the like end the whole transaction: the first failure says why.
        (Err(first), Err(_)) => Err(first),
        (Ok(_), Err(error)) => Err(error.into()),
    }
}

//! Coherence on SQLite: which aggregates were changed since when, so that what was read of them can be cached while it is true.
//!
//! SQLite has one writer, and on a server that is this process's own thread: before a commit it marks what it is about to
//! change, so nothing that was read before is taken for true afterwards. A commit of another process (a command that runs
//! beside the server) shows in the counter that SQLite keeps in the file shared between processes
//! (<https://www.sqlite.org/walformat.html>, the WAL-index header).

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

/// Marks kept: identifiers that share one count as changed together.
const MARKS: usize = 1 << 16;
/// Where the counter of commits stands in the shared file, in the machine's byte order.
const COUNTER_AT: u64 = 8;

/// What this process knows of the changes to a database.
#[derive(Debug)]
pub(crate) struct Changes {
    /// Counts this process's commits, and whatever else puts an end to what was kept.
    commits: AtomicU64,
    /// Nothing that was read before this count is true for sure.
    floor: AtomicU64,
    /// At which count something was changed last; [`CHANGING`] while it is.
    marks: Box<[AtomicU64]>,
    /// Open for as long as the database is: to close it would let go of the locks that SQLite holds on it in this process.
    shared: File,
    /// The counter in the shared file up to which all changes are marked.
    counter: Mutex<Option<u32>>,
}

/// What is being changed right now.
const CHANGING: u64 = u64::MAX;

/// When something was read. On PostgreSQL, which is asked for versions instead, it says nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Mark(u64);

impl Changes {
    /// For the database at `path`, which a connection has opened; `None` where it has no shared file.
    pub(crate) fn of(path: &str) -> Option<Self> {
        // Beside the file itself, as SQLite has it, where the path is a link to it.
        let mut beside = std::fs::canonicalize(path).ok()?.into_os_string();
        beside.push("-shm");
        let changes = Self {
            commits: AtomicU64::new(1),
            floor: AtomicU64::new(0),
            marks: (0..MARKS).map(|_| AtomicU64::new(0)).collect(),
            shared: File::open(beside).ok()?,
            counter: Mutex::new(None),
        };
        changes.look();
        Some(changes)
    }

    /// To be taken before reading what is to be kept.
    pub(crate) fn mark(&self) -> Mark {
        Mark(self.commits.load(Ordering::SeqCst))
    }

    /// Whether what was read after `since` and rests on those identifiers alone is still true.
    pub(crate) fn none_of(&self, ids: impl IntoIterator<Item = Uuid>, since: Mark) -> bool {
        self.look();
        self.floor.load(Ordering::SeqCst) <= since.0
            && ids.into_iter().all(|id| self.at(id).is_some_and(|at| at.load(Ordering::SeqCst) <= since.0))
    }

    fn at(&self, id: Uuid) -> Option<&AtomicU64> {
        let (high, low) = id.as_u64_pair();
        // What is random in an identifier, mixed.
        let mixed = (high ^ low).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48;
        usize::try_from(mixed).ok().and_then(|place| self.marks.get(place))
    }

    /// Ends all that was kept where another process has changed the database.
    fn look(&self) {
        let mut known = self.counter.lock().unwrap_or_else(PoisonError::into_inner);
        let found = self.counted();
        if found.is_none() || *known != found {
            self.floor.store(self.commits.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            *known = found;
        }
    }

    fn counted(&self) -> Option<u32> {
        let mut bytes = [0; 4];
        self.shared.read_exact_at(&mut bytes, COUNTER_AT).ok()?;
        Some(u32::from_ne_bytes(bytes))
    }

    /// The writer has the database to itself: no other process changes it until [`Changing::done`].
    pub(crate) fn begin(&self) -> Changing<'_> {
        self.look();
        Changing { changes: self, counter: self.counted(), touched: Vec::new(), wrote: false }
    }
}

/// A transaction that is about to be committed.
pub(crate) struct Changing<'a> {
    changes: &'a Changes,
    counter: Option<u32>,
    touched: Vec<Uuid>,
    wrote: bool,
}

impl Changing<'_> {
    /// What a part of it changed, and whether it is known to have written anything.
    pub(crate) fn add(&mut self, (touched, wrote): (Vec<Uuid>, bool)) {
        self.touched.extend(touched);
        self.wrote |= wrote;
    }

    /// From here on until it is done nobody takes for true what was read of it.
    pub(crate) fn commits(&self) {
        self.touched.iter().filter_map(|id| self.changes.at(*id)).for_each(|at| at.store(CHANGING, Ordering::SeqCst));
    }

    /// It was committed, or was not.
    pub(crate) fn done(self, committed: bool) {
        // SQLite counts a commit that wrote, and only one that wrote something else than was there. Where it is not known
        // whether this one did, the counter is left: if it has moved, that looks like another process's doing, which is
        // never wrong, only dear.
        if committed && self.wrote && self.changes.counted() != self.counter {
            *self.changes.counter.lock().unwrap_or_else(PoisonError::into_inner) =
                self.counter.map(|counter| counter.wrapping_add(1));
        }
        let count = self.changes.commits.load(Ordering::SeqCst) + 1;
        self.touched.iter().filter_map(|id| self.changes.at(*id)).for_each(|at| at.store(count, Ordering::SeqCst));
        self.changes.commits.fetch_add(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests;

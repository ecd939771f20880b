//! A connection to either database, and the transaction that every write happens in.

use diesel::{PgConnection, SqliteConnection};
use domain::kernel::{Actor, Instant};
use uuid::Uuid;

use crate::{Ids, Outcome};

/// A connection. Functions that only read take this one.
pub enum Conn<'a> {
    /// PostgreSQL.
    Pg(&'a mut PgConnection),
    /// SQLite.
    Sqlite(&'a mut SqliteConnection),
}

/// Expands a diesel statement once per backend: written once, checked natively for both.
macro_rules! on {
    ($conn:expr, $c:ident => $statement:expr) => {
        match $conn {
            $crate::Conn::Pg(conn) => {
                let $c = &mut **conn;
                $statement
            }
            $crate::Conn::Sqlite(conn) => {
                let $c = &mut **conn;
                $statement
            }
        }
    };
}

/// Runs a statement that writes, and notes whether it wrote. The rows that it did.
macro_rules! run {
    ($tx:expr, $statement:expr) => {
        match on!(&mut **$tx, c => diesel::RunQueryDsl::execute($statement, c)) {
            Ok(rows) => Ok($tx.mark_rows(rows)),
            Err(error) => Err(error),
        }
    };
}

/// Who writes, when, and on which request: every event carries it.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// The instant of the command.
    pub now: Instant,
    /// Who gives it.
    pub actor: Actor,
    /// The request it came with, for the log and the audit.
    pub request: Option<String>,
    /// Where new identifiers come from.
    pub ids: Ids,
}

impl Stamp {
    /// A new identifier.
    #[must_use]
    pub fn mint<T: From<Uuid>>(&self) -> T {
        self.ids.next(self.now).into()
    }
}

/// An open transaction. Functions that write take this one, so that a write outside a transaction does not compile.
pub struct Tx<'a> {
    conn: Conn<'a>,
    stamp: &'a Stamp,
    changed: Vec<Uuid>,
    wrote: bool,
}

impl<'a> Tx<'a> {
    pub(crate) fn new(conn: Conn<'a>, stamp: &'a Stamp) -> Self {
        Self { conn, stamp, changed: Vec::new(), wrote: false }
    }

    /// Whether an aggregate was created or changed in it so far.
    #[must_use]
    pub fn changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Something was written that belongs to that aggregate.
    pub(crate) fn mark_changed(&mut self, id: Uuid) {
        self.changed.push(id);
    }

    /// A statement has written so many rows, which are returned.
    pub(crate) fn mark_rows(&mut self, rows: usize) -> usize {
        self.wrote |= rows > 0;
        rows
    }

    /// The aggregates that were changed, and whether anything is known to have been written at all.
    pub(crate) fn written(self) -> (Vec<Uuid>, bool) {
        (self.changed, self.wrote)
    }

    /// The instant of the command.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.stamp.now
    }

    /// Who gives the command.
    #[must_use]
    pub fn actor(&self) -> &'a Actor {
        &self.stamp.actor
    }

    /// A new identifier.
    #[must_use]
    pub fn mint<T: From<Uuid>>(&self) -> T {
        self.stamp.mint()
    }

    /// Waits until no other transaction has taken the turn of that name, and has it until this one ends. For what rests on
    /// rows that may not be there yet, and so cannot be held: how many there are of something, or that there is none.
    ///
    /// # Errors
    /// [`crate::Failure::Unavailable`] where another has it for too long.
    pub fn take_turn(&mut self, name: &str) -> Outcome<()> {
        crate::dialect::take_turn(self, name)
    }

    pub(crate) fn stamp(&self) -> &'a Stamp {
        self.stamp
    }
}

impl<'a> std::ops::Deref for Tx<'a> {
    type Target = Conn<'a>;

    fn deref(&self) -> &Self::Target {
        &self.conn
    }
}

impl std::ops::DerefMut for Tx<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.conn
    }
}

/// A page of a list in the order of creation, or of changes.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// The last id of the page before, where there is one.
    pub after: Option<Uuid>,
    /// Whether it is of a list of changes.
    pub changes: bool,
    /// When the last one of the page before was changed, in a list of changes.
    pub changed: Option<Instant>,
    /// Rows at most.
    pub limit: i64,
}

impl Page {
    /// Everything, for lists that a rule bounds.
    pub const ALL: Self = Self { after: None, changes: false, changed: None, limit: i64::MAX };

    /// Rows at most, where that is bounded.
    pub(crate) fn most(self) -> Option<usize> {
        if self.limit == i64::MAX { None } else { usize::try_from(self.limit).ok() }
    }
}

//! Cache dependencies: which aggregates, at which versions, a cached response was made from, and whether they are still so.
//!
//! SQLite has one writer, so [`Changes`] of this process knows by itself. PostgreSQL is asked, by [`Asker`], in one statement
//! for all the responses that are wanted at the time (ADR 15).

mod postgres;
mod sqlite;

pub(crate) use postgres::Asker;
pub(crate) use sqlite::Changes;
pub use sqlite::Mark;

use uuid::Uuid;

/// The aggregates that a cached response was made from, each with its version.
#[derive(Clone, Debug)]
pub struct Dependencies {
    pub(crate) since: Mark,
    pub(crate) on: Vec<(Uuid, i64)>,
}

impl Dependencies {
    /// Of these aggregates with their versions, all read after `since`.
    pub fn new(since: Mark, on: impl IntoIterator<Item = (Uuid, i64)>) -> Self {
        Self { since, on: on.into_iter().collect() }
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = Uuid> {
        self.on.iter().map(|(id, _)| *id)
    }
}

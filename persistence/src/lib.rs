//! The store: one code base for SQLite (embedded default) and PostgreSQL.
//!
//! [`Db::read`], [`Db::scan`] and [`Db::write`] are the only ways in. An aggregate is stored as a document beside the
//! typed columns that keys, filters and constraints need (`docs/adr/0002-aggregates-as-documents.md`); the columns
//! are computed from the aggregate in one place, so they cannot disagree with it.

use domain::kernel::Kind;

#[macro_use]
mod conn;
#[macro_use]
mod aggregate;
pub mod backup;
mod coherence;
mod db;
mod dialect;
mod failure;
mod ids;
mod migrate;
mod pool_load;
mod types;
mod writer;

pub mod admission;
pub mod arrangement;
pub mod client;
pub mod deadline;
pub mod fee;
pub mod impediment;
pub mod provider;
pub mod record;
pub mod standing;
pub mod upload;
pub mod webhook;

pub use aggregate::{Change, Filter, Head, Record, Stored, Table};
pub use coherence::{Dependencies, Mark};
pub use conn::{Conn, Page, Stamp, Tx};
pub use db::{Db, Mode, Settings};
pub use failure::{Failure, Outcome};
pub use ids::Ids;
pub use migrate::{migrate, migrate_restored, newest_schema, revert, revert_all};
pub use pool_load::Load;
pub use types::{Json, Moment, Uid};

/// The table of each kind of aggregate: verifier, guards and tests go through it. A kind without a table does not compile.
#[must_use]
pub fn table_of(kind: Kind) -> &'static Table {
    domain::of_kind!(kind, A => A::TABLE)
}

//! The store: one code base for SQLite (embedded default) and PostgreSQL.
//!
//! [`Db::read`], [`Db::scan`] and [`Db::write`] are the only ways in. An aggregate is stored as a document beside the
//! typed columns that keys, filters and constraints need (`docs/adr/0002-aggregates-as-documents.md`); the columns
//! are computed from the aggregate in one place, so they cannot disagree with it.

use domain::admission::Application;
use domain::admission::compliance_check::ComplianceCheck;
use domain::admission::declaration_of_interests::DeclarationOfInterests;
use domain::admission::membership::Membership;
use domain::arrangement::{Arrangement, Interest, Lot, Requirement, Round};
use domain::client::Client;
use domain::fee::Fee;
use domain::kernel::Kind;
use domain::provider::home::Home;
use domain::provider::provider::Provider;
use domain::standing::appeal::Appeal;
use domain::standing::improvement_notice::ImprovementNotice;
use domain::standing::removal::Removal;
use domain::standing::sanction::Sanction;
use domain::standing::suspension::Suspension;
use domain::upload::Upload;
use domain::webhook::Webhook;

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
pub use migrate::{migrate, newest_schema, revert, revert_all};
pub use pool_load::Load;
pub use types::{Json, Moment, Uid};

/// The table of each kind of aggregate: the one list of this layer. Verifier, guards and tests go through it.
#[must_use]
pub fn table_of(kind: Kind) -> &'static Table {
    match kind {
        Kind::Arrangement => Arrangement::TABLE,
        Kind::Lot => Lot::TABLE,
        Kind::Requirement => Requirement::TABLE,
        Kind::Round => Round::TABLE,
        Kind::Provider => Provider::TABLE,
        Kind::Home => Home::TABLE,
        Kind::Application => Application::TABLE,
        Kind::ComplianceCheck => ComplianceCheck::TABLE,
        Kind::Membership => Membership::TABLE,
        Kind::Suspension => Suspension::TABLE,
        Kind::ImprovementNotice => ImprovementNotice::TABLE,
        Kind::Sanction => Sanction::TABLE,
        Kind::Removal => Removal::TABLE,
        Kind::Appeal => Appeal::TABLE,
        Kind::DeclarationOfInterests => DeclarationOfInterests::TABLE,
        Kind::Interest => Interest::TABLE,
        Kind::Fee => Fee::TABLE,
        Kind::Client => Client::TABLE,
        Kind::Webhook => Webhook::TABLE,
        Kind::Upload => Upload::TABLE,
    }
}

//! The change feed, the audit and the checkpoints over HTTP (BEY-01).

pub mod audit;
pub mod checkpoints;
pub mod cursor;
pub mod deadlines;
pub mod events;

use crate::http::routes::Subject;

/// The routes of this subject.
#[must_use]
pub fn routes() -> Vec<Subject> {
    vec![events::routes(), audit::routes(), checkpoints::routes(), deadlines::routes()]
}

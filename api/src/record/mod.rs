//! The change feed, the audit and the checkpoints over HTTP (BEY-01).

pub mod audit;
pub mod checkpoints;
pub mod cursor;
pub mod deadlines;
pub mod events;

use crate::http::routes::{Subject, clockwork};

/// The subject.
pub static SUBJECT: Subject = Subject {
    tags: &[("record", "The change feed and the audit (BEY-01)")],
    routes: &[events::routes, audit::routes, checkpoints::routes, deadlines::routes],
    clock: &[clockwork!(TellDeadlines: Deadline "tell", usecase::deadline::tell)],
    deadlines: &[],
    uploads: &[],
};

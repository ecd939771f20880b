//! Reports (requirements §2).

pub mod members;

use crate::http::routes::Subject;

/// The subject.
pub static SUBJECT: Subject =
    Subject { tags: &[], routes: &[members::routes], clock: &[], deadlines: &[], uploads: &[] };

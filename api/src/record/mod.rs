//! The change feed and the audit over HTTP (BEY-01).

use crate::http::routes::Subject;

/// The routes of this subject.
#[must_use]
pub fn routes() -> Vec<Subject> {
    vec![]
}

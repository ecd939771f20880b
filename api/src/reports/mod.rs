//! Reports (requirements §2).

pub mod members;

use crate::http::routes::Subject;

/// The routes of this subject.
#[must_use]
pub fn routes() -> Vec<Subject> {
    vec![members::routes()]
}

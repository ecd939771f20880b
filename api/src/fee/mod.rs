//! Members' fees over HTTP (PRC-01).

pub mod fees;

use crate::http::routes::Subject;

/// The routes of this subject.
#[must_use]
pub fn routes() -> Vec<Subject> {
    vec![fees::routes()]
}

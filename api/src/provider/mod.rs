//! Providers, their homes and ratings over HTTP (A20).

pub mod gazetteer;
pub mod homes;
pub mod providers;

use crate::http::routes::Subject;

/// The routes of this subject.
#[must_use]
pub fn routes() -> Vec<Subject> {
    vec![providers::routes(), homes::routes()]
}

//! Measures against members over HTTP: suspensions, notices, sanctions, removals and appeals.

use persistence::{Outcome, Tx};
use uuid::Uuid;

use crate::http::routes::Subject;

/// The routes of this subject.
#[must_use]
pub fn routes() -> Vec<Subject> {
    vec![]
}

/// Does what is due to a measure; `false` for any other kind.
///
/// # Errors
/// Where the store fails.
pub fn tick(_tx: &mut Tx<'_>, _kind: &str, _id: Uuid) -> Outcome<bool> {
    Ok(false)
}

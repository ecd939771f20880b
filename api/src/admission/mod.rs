//! Admission over HTTP: applications, checks, decisions, memberships and the register (A4 to A6).

pub mod applications;
pub mod memberships;

use persistence::{Outcome, Tx};
use uuid::Uuid;

use crate::http::routes::Subject;

/// The routes of this subject.
#[must_use]
pub fn routes() -> Vec<Subject> {
    vec![]
}

/// Does what is due to a check or a membership; `false` for any other kind.
///
/// # Errors
/// Where the store fails.
pub fn tick(_tx: &mut Tx<'_>, _kind: &str, _id: Uuid) -> Outcome<bool> {
    Ok(false)
}

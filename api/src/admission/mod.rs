//! Admission over HTTP: applications, checks, decisions, memberships and the register (A4 to A6).

pub mod applications;
pub mod checks;
pub mod declarations;
pub mod drafts;
pub mod evaluation;
pub mod lines;
pub mod memberships;
pub mod progress;
pub mod register;
pub mod versions;

use domain::kernel::Kind;
use persistence::{Outcome, Tx};
use uuid::Uuid;

use crate::http::routes::Subject;

/// The routes of this subject.
#[must_use]
pub fn routes() -> Vec<Subject> {
    vec![
        applications::routes(),
        versions::routes(),
        drafts::routes(),
        declarations::routes(),
        checks::routes(),
        lines::routes(),
        memberships::routes(),
        register::routes(),
        progress::routes(),
    ]
}

/// Does what is due to a check or a membership; `false` for any other kind.
///
/// # Errors
/// Where the store fails.
pub fn tick(tx: &mut Tx<'_>, kind: &str, id: Uuid) -> Outcome<bool> {
    if kind == Kind::ComplianceCheck.name() {
        checks::tick(tx, id.into())?;
    } else if kind == Kind::Membership.name() {
        memberships::tick(tx, id.into())?;
    } else {
        return Ok(false);
    }
    Ok(true)
}

//! Admission: applications, their evaluation and the decisions on them (A4 to A6).

pub mod application;
pub mod check;
pub mod declaration;
pub mod draft;
pub mod evaluation;
pub mod line;
mod lots;

use domain::admission::membership::Membership;
use domain::kernel::MembershipId;
use persistence::{Outcome, Tx};

pub use lots::Lots;

/// Evidence of a member expires.
///
/// # Errors
/// Where the store fails.
pub fn expire_evidence(tx: &mut Tx<'_>, id: MembershipId) -> Outcome<()> {
    let Some(before) = crate::lock_due::<Membership>(tx, id)? else { return Ok(()) };
    let decision = before.value.clone().tick(tx.now())?;
    tx.save(&before, decision).map(drop)
}

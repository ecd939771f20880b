//! Sanctions: a member is concealed or restricted (WAL-13).

use domain::kernel::MembershipId;
use domain::standing::sanction::{ApplySanction, Sanction};
use persistence::standing::sanctions_of;
use persistence::{Outcome, Stored, Tx};

use super::lock_member;
use crate::Command;

/// Conceals or restricts a member.
///
/// # Errors
/// What the rules refuse.
pub fn apply(
    tx: &mut Tx<'_>,
    by: &Command,
    membership: MembershipId,
    order: ApplySanction,
) -> Outcome<Stored<Sanction>> {
    let member = lock_member(tx, by, membership)?.value;
    let before: Vec<_> = sanctions_of(tx, membership)?.into_iter().map(|s| s.value).collect();
    tx.create(Sanction::apply(tx.mint(), order, &member, &before, tx.actor(), tx.now())?)
}

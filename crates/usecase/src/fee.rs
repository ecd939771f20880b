//! Members' fees (PRC-01).

use domain::admission::membership::Membership;
use domain::arrangement::Arrangement;
use domain::fee::{Fee, OfferFee};
use domain::kernel::MembershipId;
use persistence::fee as store;
use persistence::{Outcome, Stored, Tx};

use crate::Command;
use crate::standing::lock_member;

/// Offers a fee for a service of a member.
///
/// # Errors
/// What the rules refuse.
pub fn offer(tx: &mut Tx<'_>, by: &Command, membership: MembershipId, order: OfferFee) -> Outcome<Stored<Fee>> {
    let member: Membership = lock_member(tx, by, membership)?.value;
    let before: Vec<_> = store::fees_of(tx, member.id)?.into_iter().map(|fee| fee.value).collect();
    let over = tx.get::<Arrangement>(member.arrangement)?.value.policies.abnormal_fee_over_median;
    let now = tx.now();
    let others = store::asked_by_others(tx, member.lot, order.unit, member.provider, now)?;
    tx.create(Fee::offer(tx.mint(), order, &member, &before, (others, over), tx.actor(), now)?)
}

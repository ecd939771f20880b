//! Measures against members: suspensions, improvement notices, sanctions, removals and appeals.
//!
//! Measures stand against a provider in a lot, whatever becomes of its membership. Every command locks the provider's
//! memberships of the lot first, so that the rules over several measures are decided one at a time; then a removal that is
//! due takes effect before anything else is decided.

pub mod appeal;
pub mod improvement_notice;
pub mod member;
pub mod register;
pub mod removal;
pub mod sanction;
pub mod suspension;

use domain::admission::membership::Membership;
use domain::kernel::{Decided, LotId, MembershipId, ProviderId};
use domain::standing::improvement_notice::ImprovementNotice;
use domain::standing::removal::Removal;
use domain::standing::sanction::Sanction;
use persistence::{Outcome, Record, Stored, Tx, admission};

use crate::Command;

/// A measure against a provider in one lot.
pub trait Measure: Record {
    /// The provider and the lot.
    fn against(&self) -> (ProviderId, LotId);
}

impl Measure for ImprovementNotice {
    fn against(&self) -> (ProviderId, LotId) {
        (self.provider, self.lot)
    }
}

impl Measure for Sanction {
    fn against(&self) -> (ProviderId, LotId) {
        (self.provider, self.lot)
    }
}

impl Measure for Removal {
    fn against(&self) -> (ProviderId, LotId) {
        (self.provider, self.lot)
    }
}

/// Locks the membership that a command is about, the caller's to act on, with the provider's others of the lot, and does what
/// is due to it.
///
/// # Errors
/// As [`Command::lock`].
pub fn lock_member(tx: &mut Tx<'_>, by: &Command, id: MembershipId) -> Outcome<Stored<Membership>> {
    // Whoever may not act on it does not get to hold the others up.
    let seen = by.who.get::<Membership>(tx, id)?.value;
    lock_lot(tx, seen.provider, seen.lot)?;
    let member = by.lock::<Membership>(tx, id)?;
    removal::run_due(tx, seen.provider, seen.lot)?;
    let now = tx.get::<Membership>(member.value.id)?;
    Ok(if now.version == member.version { member } else { now })
}

/// Locks every membership of a provider in a lot, ended ones included.
fn lock_lot(tx: &mut Tx<'_>, provider: ProviderId, lot: LotId) -> Outcome<()> {
    let held = admission::memberships_in_lot(tx, provider, lot)?;
    held.iter().try_for_each(|member| tx.lock::<Membership>(member.value.id).map(drop))
}

/// Locks the provider's memberships of the lot, and then the measure against it.
fn lock_measure<A: Measure>(tx: &mut Tx<'_>, by: &Command, id: A::Id) -> Outcome<Stored<A>> {
    // Whoever may not act on it does not get to hold its membership up.
    let (provider, lot) = by.who.get::<A>(tx, id)?.value.against();
    lock_lot(tx, provider, lot)?;
    let before = by.lock::<A>(tx, id)?;
    removal::run_due(tx, provider, lot)?;
    // The due removal may be the measure itself.
    let now = tx.get::<A>(id)?;
    Ok(if now.version == before.version { before } else { now })
}

/// The common command on a measure against a provider in one lot.
///
/// # Errors
/// What `decide` refuses, and as [`Command::lock`].
pub fn act<A: Measure>(
    tx: &mut Tx<'_>,
    by: &Command,
    id: A::Id,
    decide: impl FnOnce(A, &mut Tx<'_>) -> Outcome<Decided<A>>,
) -> Outcome<Stored<A>> {
    let before = lock_measure::<A>(tx, by, id)?;
    let decision = decide(before.value.clone(), tx)?;
    tx.save(&before, decision)
}

//! Measures against members: suspensions, improvement notices, sanctions, removals and appeals.
//!
//! Every command locks the row of the membership it is about first, so that the rules over several measures are
//! decided one at a time; then a removal that is due takes effect before anything else is decided.

pub mod appeal;
pub mod improvement_notice;
pub mod member;
pub mod register;
pub mod removal;
pub mod sanction;
pub mod suspension;

use domain::admission::membership::Membership;
use domain::kernel::{Decided, MembershipId};
use domain::standing::improvement_notice::ImprovementNotice;
use domain::standing::removal::Removal;
use domain::standing::sanction::Sanction;
use persistence::{Outcome, Record, Stored, Tx};

use crate::Command;

/// A measure against one membership.
pub trait Measure: Record {
    /// The membership.
    fn membership(&self) -> MembershipId;
}

impl Measure for ImprovementNotice {
    fn membership(&self) -> MembershipId {
        self.membership
    }
}

impl Measure for Sanction {
    fn membership(&self) -> MembershipId {
        self.membership
    }
}

impl Measure for Removal {
    fn membership(&self) -> MembershipId {
        self.membership
    }
}

/// Locks the membership that a command is about, the caller's to act on, and does what is due to it.
///
/// # Errors
/// As [`Command::lock`].
pub fn lock_member(tx: &mut Tx<'_>, by: &Command, id: MembershipId) -> Outcome<Stored<Membership>> {
    let member = by.lock::<Membership>(tx, id)?;
    removal::run_due(tx, member)
}

/// Locks a membership, and then the measure against it.
fn lock_measure<A: Measure>(tx: &mut Tx<'_>, by: &Command, id: A::Id) -> Outcome<Stored<A>> {
    // Whoever may not act on it does not get to hold its membership up.
    let seen = by.who.get::<A>(tx, id)?.value;
    let member = tx.lock::<Membership>(seen.membership())?;
    let before = by.lock::<A>(tx, id)?;
    removal::run_due(tx, member)?;
    // The due removal may be the measure itself.
    let now = tx.get::<A>(id)?;
    Ok(if now.version == before.version { before } else { now })
}

/// The common command on a measure against one membership.
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

//! Memberships after admission: the provider leaves, evidence is renewed, the arrangement ends (A6).

use domain::admission::membership::Membership;
use domain::arrangement::{Arrangement, RequirementRef};
use domain::kernel::{Instant, MembershipId, RequirementId};
use persistence::admission::memberships;
use persistence::{Filter, Outcome, Page, Stored, Tx};

use super::{lock_member, removal};
use crate::Command;
use crate::admission::declaration;

/// Lets the provider leave at once. A removal that is under way is no longer pursued; one that is due takes effect first, so
/// that nobody leaves who is already removed.
///
/// # Errors
/// What the rules refuse.
pub fn withdraw(
    tx: &mut Tx<'_>,
    by: &Command,
    id: MembershipId,
    reason: Option<String>,
) -> Outcome<Stored<Membership>> {
    let before = lock_member(tx, by, id)?;
    let decision = before.value.clone().withdraw(reason, tx.now())?;
    removal::drop_pending(tx, id, "the provider left the lot")?;
    tx.save(&before, decision)
}

/// Evidence that an officer accepts in the place of what a membership rests on.
#[derive(Clone, Debug)]
pub struct RenewEvidence {
    /// The requirement that the evidence is for.
    pub requirement: RequirementId,
    /// Its version; the one that the membership rests on, where absent.
    pub version: Option<u32>,
    /// Until when the evidence is valid.
    pub valid_until: Option<Instant>,
    /// References of the documents.
    pub evidence: Vec<String>,
}

/// Accepts renewed evidence.
///
/// # Errors
/// What the rules refuse.
pub fn renew_evidence(
    tx: &mut Tx<'_>,
    by: &Command,
    id: MembershipId,
    order: &RenewEvidence,
) -> Outcome<Stored<Membership>> {
    let before = lock_member(tx, by, id)?;
    let RenewEvidence { requirement, version, valid_until, evidence } = order;
    let held = before.value.assurances.iter().map(|a| a.requirement).find(|r| r.requirement == *requirement);
    let version = version.or(held.map(|r| r.version)).unwrap_or_default();
    let reference = RequirementRef { requirement: *requirement, version };
    let declared = declaration::own(tx, before.value.arrangement)?;
    let (actor, now) = (tx.actor(), tx.now());
    let member = before.value.clone();
    let decision = member.renew_assurance(reference, *valid_until, evidence, declared.as_ref(), actor, now)?;
    tx.save(&before, decision)
}

/// Ends the live memberships of an arrangement that has ended.
pub(crate) fn end_all(tx: &mut Tx<'_>, arrangement: &Arrangement, reason: &str) -> Outcome<()> {
    let live = Filter::all().is(memberships::arrangement_id, arrangement.id).is(memberships::live, true);
    for before in tx.list(&live, Page::ALL)? {
        let before = tx.lock::<Membership>(before.value.id)?;
        // A removal that is due comes first; one that is still considered has nothing left to remove.
        let before = removal::run_due(tx, before)?;
        if before.value.is_live() {
            removal::drop_pending(tx, before.value.id, reason)?;
            let ended = before.value.clone().end(tx.now())?;
            tx.save(&before, ended)?;
        }
    }
    Ok(())
}

//! Memberships after admission: the provider leaves, evidence is renewed, the arrangement ends (A6).

use domain::admission::membership::Membership;
use domain::arrangement::{Arrangement, Lot, RequirementRef};
use domain::fee::Fee;
use domain::kernel::{Instant, MembershipId, RequirementId};
use domain::standing::removal::{Party, Removal};
use persistence::admission::memberships;
use persistence::fee::fees_of;
use persistence::standing::removals;
use persistence::{Filter, Outcome, Page, Stored, Tx};

use super::{lock_lot, lock_member, removal};
use crate::Command;
use crate::admission::declaration;

/// Lets the provider leave at once. What the authority took against it stands, a removal that is being heard included; its
/// own notice has come true. A removal that is due takes effect first, so that nobody leaves who is already removed.
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
    let own = |removal: &Removal| removal.given_by == Party::Provider;
    removal::drop_pending(tx, before.value.provider, before.value.lot, "the provider left the lot", own)?;
    let after = tx.save(&before, decision)?;
    ended(tx, &after.value)?;
    Ok(after)
}

/// What ends with a membership, however it ended: its fees are asked no more.
pub(super) fn ended(tx: &mut Tx<'_>, membership: &Membership) -> Outcome<()> {
    let Some(at) = membership.ended_at() else { return Ok(()) };
    for fee in fees_of(tx, membership.id)? {
        if fee.value.ended_at().is_none() {
            let before = tx.lock::<Fee>(fee.value.id)?;
            let decision = before.value.clone().end(at)?;
            tx.save(&before, decision)?;
        }
    }
    Ok(())
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

/// Ends the live memberships of an arrangement that has ended: with its term, however late the clock's work is.
pub(crate) fn end_all(tx: &mut Tx<'_>, arrangement: &Arrangement, reason: &str) -> Outcome<()> {
    let at = arrangement.term().map_or(tx.now(), |term| term.ends_at().min(tx.now()));
    end_those(tx, &Filter::all().is(memberships::arrangement_id, arrangement.id), reason, at)?;
    drop_those(tx, &Filter::all().is(removals::arrangement_id, arrangement.id), reason)
}

/// Ends the live memberships of a lot that has ended.
pub(crate) fn end_in_lot(tx: &mut Tx<'_>, lot: &Lot, reason: &str) -> Outcome<()> {
    let now = tx.now();
    end_those(tx, &Filter::all().is(memberships::lot_id, lot.id), reason, now)?;
    drop_those(tx, &Filter::all().is(removals::lot_id, lot.id), reason)
}

/// Gives up the removals that are still under way: their member had left while they were heard. One that is due takes effect.
fn drop_those(tx: &mut Tx<'_>, filter: &Filter<Removal>, reason: &str) -> Outcome<()> {
    for found in tx.list(&filter.clone().is(removals::pending, true), Page::ALL)? {
        let (provider, lot) = (found.value.provider, found.value.lot);
        lock_lot(tx, provider, lot)?;
        removal::run_due(tx, provider, lot)?;
        removal::drop_pending(tx, provider, lot, reason, |_| true)?;
    }
    Ok(())
}

fn end_those(tx: &mut Tx<'_>, filter: &Filter<Membership>, reason: &str, at: Instant) -> Outcome<()> {
    for found in tx.list(&filter.clone().is(memberships::live, true), Page::ALL)? {
        let (provider, lot) = (found.value.provider, found.value.lot);
        lock_lot(tx, provider, lot)?;
        // A removal that is due comes first; one that is still considered has nothing left to remove.
        removal::run_due(tx, provider, lot)?;
        let before = tx.lock::<Membership>(found.value.id)?;
        if before.value.is_live() {
            removal::drop_pending(tx, provider, lot, reason, |_| true)?;
            let decision = before.value.clone().end(at)?;
            let after = tx.save(&before, decision)?;
            ended(tx, &after.value)?;
        }
    }
    Ok(())
}

//! Removals: begun, heard, decided, effective (A8).

use domain::admission::membership::Membership;
use domain::arrangement::Arrangement;
use domain::kernel::{Aggregate as _, Instant, LotId, MembershipId, ProviderId, RemovalId};
use domain::law::deadline::{Deadline, LegalClock, by_policy};
use domain::standing::removal::{Ground, NotifyRemoval, Removal, RemovalFacts};
use persistence::standing as store;
use persistence::{Conn, Outcome, Stored, Tx, admission};

use super::{Measure as _, act, improvement_notice, lock_lot, lock_measure, lock_member, member, suspension};
use crate::admission::evaluation;
use crate::deadline::{enforced, find};
use crate::{Caller, Command};

domain::rules! {
    NO_FAULT_HAS_NOTICE = "no_fault_has_notice", Input, "NOT-06",
        "Notice without cause is given as such: POST /v1/memberships/{id}/no-fault-notice.";
}

/// Begins the removal of a member for cause.
///
/// # Errors
/// [`NO_FAULT_HAS_NOTICE`], and what the rules refuse.
pub fn begin(
    tx: &mut Tx<'_>,
    by: &Command,
    membership: MembershipId,
    order: NotifyRemoval,
) -> Outcome<Stored<Removal>> {
    let member = lock_member(tx, by, membership)?;
    if order.ground == Ground::NoFault {
        return Err(NO_FAULT_HAS_NOTICE.broken_at("/ground", NO_FAULT_HAS_NOTICE.says).into());
    }
    notify(tx, &member.value, order)
}

/// Gives notice without cause, as either side (NOT-06).
///
/// # Errors
/// What the rules refuse.
pub fn give_no_fault_notice(
    tx: &mut Tx<'_>,
    by: &Command,
    membership: MembershipId,
    reason: String,
) -> Outcome<Stored<Removal>> {
    let member = lock_member(tx, by, membership)?;
    notify(tx, &member.value, NotifyRemoval { ground: Ground::NoFault, reason, gross: None, evidence: Vec::new() })
}

fn notify(tx: &mut Tx<'_>, membership: &Membership, order: NotifyRemoval) -> Outcome<Stored<Removal>> {
    let (provider, lot) = (membership.provider, membership.lot);
    let policies = tx.hold::<Arrangement>(membership.arrangement)?.value.policies;
    let suspensions = suspension::of_provider(tx, provider, membership.arrangement)?;
    let notices: Vec<_> = store::notices_of(tx, provider, lot)?.into_iter().map(|n| n.value).collect();
    let sanctions: Vec<_> = store::sanctions_of(tx, provider, lot)?.into_iter().map(|s| s.value).collect();
    let removals = of_lot(tx, provider, lot)?;
    let facts = RemovalFacts {
        policies: &policies,
        membership,
        suspensions: &suspensions,
        notices: &notices,
        sanctions: &sanctions,
        removals: &removals,
    };
    let created = tx.create(Removal::notify(tx.mint(), order, facts, tx.actor(), tx.now())?)?;
    carry_out(tx, &created.value)?;
    Ok(created)
}

/// The removals of a provider from a lot.
pub(super) fn of_lot(tx: &mut Tx<'_>, provider: ProviderId, lot: LotId) -> Outcome<Vec<Removal>> {
    Ok(store::removals_of(tx, provider, lot)?.into_iter().map(|removal| removal.value).collect())
}

/// Hears the provider: what it says, and whether it declares that it says no more.
///
/// # Errors
/// What the rules refuse.
pub fn hear(
    tx: &mut Tx<'_>,
    by: &Command,
    id: RemovalId,
    text: Option<String>,
    no_more: bool,
) -> Outcome<Stored<Removal>> {
    act(tx, by, id, |mut removal: Removal, tx| {
        let mut events = Vec::new();
        if text.is_some() || !no_more {
            let (heard, said) = removal.represent(text.unwrap_or_default(), tx.actor(), tx.now())?;
            events.extend(said);
            removal = heard;
        }
        if no_more {
            let (heard, waived) = removal.waive(tx.now())?;
            events.extend(waived);
            removal = heard;
        }
        Ok((removal, events))
    })
}

/// Decides a removal; the provider is told the reasons before it takes effect (PA37).
///
/// # Errors
/// What the rules refuse.
pub fn decide(
    tx: &mut Tx<'_>,
    by: &Command,
    id: RemovalId,
    effective_at: Option<Instant>,
    reasons: String,
) -> Outcome<Stored<Removal>> {
    let before = lock_measure::<Removal>(tx, by, id)?;
    let policies = tx.hold::<Arrangement>(before.value.arrangement)?.value.policies;
    let decision = before.value.clone().decide(effective_at, reasons, &policies, tx.actor(), tx.now())?;
    let after = tx.save(&before, decision)?;
    carry_out(tx, &after.value)?;
    Ok(after)
}

/// Confirms a removal that another person proposed (ADD-24).
///
/// # Errors
/// What the rules refuse.
pub fn confirm(tx: &mut Tx<'_>, by: &Command, id: RemovalId) -> Outcome<Stored<Removal>> {
    let before = lock_measure::<Removal>(tx, by, id)?;
    let policies = tx.hold::<Arrangement>(before.value.arrangement)?.value.policies;
    let decision = before.value.clone().confirm(&policies, tx.actor(), tx.now())?;
    let after = tx.save(&before, decision)?;
    carry_out(tx, &after.value)?;
    Ok(after)
}

/// Carries out a removal whose instant has come, whatever became of the membership meanwhile: what the provider holds in the
/// lot ends, what suspends it there is converted, its notices end, and an application of its own to the lot has to answer
/// the ground.
fn carry_out(tx: &mut Tx<'_>, removal: &Removal) -> Outcome<()> {
    let (false, Some(at)) = (removal.is_pending(), removal.effective_at()) else { return Ok(()) };
    let (provider, lot) = (removal.provider, removal.lot);
    for member in admission::memberships_in_lot(tx, provider, lot)? {
        let before = tx.lock::<Membership>(member.value.id)?;
        if before.value.is_live() {
            let decision = before.value.clone().remove(removal.id, at)?;
            let after = tx.save(&before, decision)?;
            member::ended(tx, &after.value)?;
        }
    }
    for before in store::open_suspensions(tx, provider, lot)? {
        // One that the clock ended before then lapses by its own work, however late that is.
        if before.value.over_at().is_none_or(|over| over >= at) {
            let decision = before.value.clone().convert(removal.id, at)?;
            tx.save(&before, decision)?;
        }
    }
    improvement_notice::end_of(tx, provider, lot, "the provider was removed from the lot")?;
    evaluation::removal_took_effect(tx, removal)
}

/// Lets a removal that is due take effect before anything else is decided about the provider in the lot, whose memberships are
/// locked.
pub(super) fn run_due(tx: &mut Tx<'_>, provider: ProviderId, lot: LotId) -> Outcome<()> {
    match store::pending_removal(tx, provider, lot)? {
        Some(before) if before.value.due().is_some_and(|due| due.at <= tx.now()) => {
            let decision = before.value.clone().tick(tx.now())?;
            let after = tx.save(&before, decision)?;
            carry_out(tx, &after.value)
        }
        Some(_) | None => Ok(()),
    }
}

/// Does what is due before a provider is admitted to a lot, and locks what it held there before: a removal under way goes
/// on against the new membership ([`follow`]).
pub(crate) fn before_admission(tx: &mut Tx<'_>, provider: ProviderId, lot: LotId) -> Outcome<()> {
    lock_lot(tx, provider, lot)?;
    run_due(tx, provider, lot)
}

/// A removal that is under way goes on against the membership that the provider holds since.
pub(crate) fn follow(tx: &mut Tx<'_>, membership: &Membership) -> Outcome<()> {
    if let Some(before) = store::pending_removal(tx, membership.provider, membership.lot)? {
        let decision = before.value.clone().follow(membership.id)?;
        tx.save(&before, decision)?;
    }
    Ok(())
}

/// Gives up a removal that is under way and that `of` lets go: its membership ends otherwise.
pub(super) fn drop_pending(
    tx: &mut Tx<'_>,
    provider: ProviderId,
    lot: LotId,
    reason: &str,
    of: impl FnOnce(&Removal) -> bool,
) -> Outcome<()> {
    let pending = store::pending_removal(tx, provider, lot)?;
    if let Some(before) = pending.filter(|removal| of(&removal.value)) {
        let decision = before.value.clone().revoke(reason.to_owned(), tx.actor(), tx.now())?;
        tx.save(&before, decision)?;
    }
    Ok(())
}

/// A decided removal takes effect.
///
/// # Errors
/// Where the store fails.
pub fn take_effect(tx: &mut Tx<'_>, id: RemovalId) -> Outcome<()> {
    let (provider, lot) = tx.get::<Removal>(id)?.value.against();
    lock_lot(tx, provider, lot)?;
    run_due(tx, provider, lot)
}

/// The end of the provider's hearing, or of the notice without cause.
///
/// # Errors
/// Not found, and what the engine refuses.
pub fn deadlines(c: &mut Conn<'_>, who: &Caller, id: RemovalId) -> Outcome<Vec<Deadline>> {
    let (removal, policies) = find::<Removal>(c, who, id)?;
    let (clock, due) = match removal.ground {
        Ground::TermEnd => return Ok(Vec::new()),
        Ground::NoFault => (LegalClock::NoFaultNotice, removal.effective_at()),
        _ => (LegalClock::RemovalNotice, Some(removal.representations_until)),
    };
    let deadline = by_policy(&policies, clock, removal.notified_at)?;
    Ok(vec![due.map_or_else(|| deadline.clone(), |due| enforced(deadline.clone(), due))])
}

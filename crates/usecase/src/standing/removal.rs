//! Removals: begun, heard, decided, effective (A8).

use domain::admission::membership::Membership;
use domain::arrangement::Arrangement;
use domain::kernel::{Aggregate as _, Instant, MembershipId, RemovalId};
use domain::law::deadline::{Deadline, LegalClock, by_policy};
use domain::standing::removal::{Ground, NotifyRemoval, Removal, RemovalFacts};
use persistence::standing as store;
use persistence::{Conn, Outcome, Stored, Tx};

use super::{act, lock_measure, lock_member, suspension};
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
    notify(tx, &member, order)
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
    notify(tx, &member, NotifyRemoval { ground: Ground::NoFault, reason, gross: None, evidence: Vec::new() })
}

fn notify(tx: &mut Tx<'_>, member: &Stored<Membership>, order: NotifyRemoval) -> Outcome<Stored<Removal>> {
    let membership = &member.value;
    let policies = tx.hold::<Arrangement>(membership.arrangement)?.value.policies;
    let suspensions = suspension::of_provider(tx, membership.provider, membership.arrangement)?;
    let notices: Vec<_> = store::notices_of(tx, membership.id)?.into_iter().map(|n| n.value).collect();
    let sanctions: Vec<_> = store::sanctions_of(tx, membership.id)?.into_iter().map(|s| s.value).collect();
    let facts = RemovalFacts {
        policies: &policies,
        membership,
        suspensions: &suspensions,
        notices: &notices,
        sanctions: &sanctions,
        removal_pending: store::pending_removal(tx, membership.id)?.is_some(),
    };
    let created = tx.create(Removal::notify(tx.mint(), order, facts, tx.actor(), tx.now())?)?;
    carry_out(tx, member.clone(), &created.value)?;
    Ok(created)
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
    let decision = before.value.clone().decide(effective_at, reasons, tx.actor(), tx.now())?;
    let after = tx.save(&before, decision)?;
    let member = tx.lock::<Membership>(after.value.membership)?;
    carry_out(tx, member, &after.value)?;
    Ok(after)
}

/// Carries out a removal whose instant has come: the membership ends, and what suspends it is converted.
fn carry_out(tx: &mut Tx<'_>, member: Stored<Membership>, removal: &Removal) -> Outcome<Stored<Membership>> {
    let (false, Some(at)) = (removal.is_pending(), removal.effective_at()) else { return Ok(member) };
    if !member.value.is_live() {
        // It ended otherwise before the removal took effect.
        return Ok(member);
    }
    let decision = member.value.clone().remove(removal.id, at)?;
    let after = tx.save(&member, decision)?;
    for before in store::open_suspensions(tx, removal.membership)? {
        // One that the clock ended before then lapses by its own work, however late that is.
        if before.value.over_at().is_none_or(|over| over >= at) {
            let decision = before.value.clone().convert(removal.id, at)?;
            tx.save(&before, decision)?;
        }
    }
    Ok(after)
}

/// Lets a removal that is due take effect before anything else is decided about a locked membership.
pub(super) fn run_due(tx: &mut Tx<'_>, member: Stored<Membership>) -> Outcome<Stored<Membership>> {
    match store::pending_removal(tx, member.value.id)? {
        Some(before) if before.value.due().is_some_and(|due| due.at <= tx.now()) => {
            let decision = before.value.clone().tick(tx.now())?;
            let after = tx.save(&before, decision)?;
            carry_out(tx, member, &after.value)
        }
        Some(_) | None => Ok(member),
    }
}

/// Gives up a removal that is under way: its membership ends otherwise.
pub(super) fn drop_pending(tx: &mut Tx<'_>, membership: MembershipId, reason: &str) -> Outcome<()> {
    if let Some(before) = store::pending_removal(tx, membership)? {
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
    let membership = tx.get::<Removal>(id)?.value.membership;
    let member = tx.lock::<Membership>(membership)?;
    run_due(tx, member).map(drop)
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

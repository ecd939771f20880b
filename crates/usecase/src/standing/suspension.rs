//! Suspensions: imposed, extended, lifted, answered, over (A7).

use domain::admission::membership::Membership;
use domain::arrangement::{Arrangement, Lot};
use domain::kernel::{
    Aggregate as _, ArrangementId, Decided, HomeId, Instant, Kind, MembershipId, ProviderId, SuspensionId,
};
use domain::law::deadline::{Deadline, LegalClock, by_policy};
use domain::provider::home::Home;
use domain::standing::suspension::{Suspend, SuspendFacts, Suspension, SuspensionScope};
use persistence::standing::{suspensions, suspensions_of};
use persistence::{Conn, Failure, Filter, Outcome, Page, Stored, Tx, admission};

use super::{lock_lot, lock_member, removal};
use crate::deadline::{enforced, find, months_between, timed};
use crate::{Caller, Command, lock_due};

/// What a suspension stops, said from one membership.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stops {
    /// That membership.
    Membership,
    /// The provider in the whole arrangement.
    Provider,
    /// One home of the provider.
    Home(HomeId),
}

/// A suspension to be imposed on a member.
#[derive(Clone, Debug)]
pub struct Impose {
    /// What it stops.
    pub stops: Stops,
    /// For how many months; as the policies say, where absent.
    pub months: Option<u32>,
    /// From when; at once, where absent.
    pub from: Option<Instant>,
    /// Why.
    pub reason: String,
    /// References of documents.
    pub evidence: Vec<String>,
}

/// Imposes a suspension.
///
/// # Errors
/// What the rules refuse.
pub fn impose(tx: &mut Tx<'_>, by: &Command, id: MembershipId, order: Impose) -> Outcome<Stored<Suspension>> {
    let Impose { stops, months, from, reason, evidence } = order;
    let seen = by.who.get::<Membership>(tx, id)?.value;
    if stops != Stops::Membership {
        lock_all(tx, seen.provider, seen.arrangement)?;
    }
    let member = lock_member(tx, by, id)?.value;
    let (scope, live_membership) = match stops {
        Stops::Membership => (SuspensionScope::Lot { membership: member.id, lot: member.lot }, member.is_live()),
        Stops::Provider => (SuspensionScope::Provider, any_live(tx, &member)?),
        Stops::Home(home) => {
            if tx.hold::<Home>(home)?.value.provider != member.provider {
                return Err(Failure::NotFound(Kind::Home));
            }
            (SuspensionScope::Home { home }, any_live(tx, &member)?)
        }
    };
    let (arrangement, provider) = (member.arrangement, member.provider);
    let policies = tx.hold::<Arrangement>(arrangement)?.value.policies;
    let others = of_provider(tx, provider, arrangement)?;
    let facts = SuspendFacts { policies: &policies, live_membership, suspensions: &others };
    let order = Suspend { arrangement, provider, scope, from, months, reason, evidence };
    tx.create(Suspension::suspend(tx.mint(), order, facts, tx.actor(), tx.now())?)
}

/// Extends a suspension to so many months in all.
///
/// # Errors
/// What the rules refuse.
pub fn extend(
    tx: &mut Tx<'_>,
    by: &Command,
    id: SuspensionId,
    months_in_all: u32,
    reason: String,
) -> Outcome<Stored<Suspension>> {
    act(tx, by, id, |suspension, tx| {
        let others = of_provider(tx, suspension.provider, suspension.arrangement)?;
        Ok(suspension.extend(months_in_all, reason, &others, tx.actor(), tx.now())?)
    })
}

/// The common command on a suspension: what it stops is locked before it.
///
/// # Errors
/// What `decide` refuses, and as [`Command::lock`].
pub fn act(
    tx: &mut Tx<'_>,
    by: &Command,
    id: SuspensionId,
    decide: impl FnOnce(Suspension, &mut Tx<'_>) -> Outcome<Decided<Suspension>>,
) -> Outcome<Stored<Suspension>> {
    let seen = by.who.get::<Suspension>(tx, id)?.value;
    lock_stopped(tx, &seen)?;
    by.act(tx, id, decide)
}

/// Locks the memberships that a suspension stops.
pub(super) fn lock_stopped(tx: &mut Tx<'_>, suspension: &Suspension) -> Outcome<()> {
    match suspension.scope {
        SuspensionScope::Lot { lot, .. } => {
            lock_lot(tx, suspension.provider, lot)?;
            removal::run_due(tx, suspension.provider, lot)
        }
        SuspensionScope::Provider | SuspensionScope::Home { .. } => {
            lock_all(tx, suspension.provider, suspension.arrangement)
        }
    }
}

/// Locks every membership of a provider in an arrangement.
fn lock_all(tx: &mut Tx<'_>, provider: ProviderId, arrangement: ArrangementId) -> Outcome<()> {
    let members = admission::memberships_of(tx, provider, arrangement)?;
    members.iter().try_for_each(|m| tx.lock::<Membership>(m.value.id).map(drop))
}

fn any_live(tx: &mut Tx<'_>, member: &Membership) -> Outcome<bool> {
    Ok(!admission::lots_held(tx, member.provider, member.arrangement)?.is_empty())
}

/// The suspensions of a provider in an arrangement.
pub(super) fn of_provider(
    tx: &mut Tx<'_>,
    provider: ProviderId,
    arrangement: ArrangementId,
) -> Outcome<Vec<Suspension>> {
    Ok(suspensions_of(tx, provider, arrangement)?.into_iter().map(|s| s.value).collect())
}

/// Ends the suspensions of an arrangement that has ended.
pub(crate) fn end_all(tx: &mut Tx<'_>, arrangement: &Arrangement, reason: &str) -> Outcome<()> {
    end_those(tx, &Filter::all().is(suspensions::arrangement_id, arrangement.id), reason)
}

/// Ends the suspensions in one lot that has ended.
pub(crate) fn end_in_lot(tx: &mut Tx<'_>, lot: &Lot, reason: &str) -> Outcome<()> {
    end_those(tx, &Filter::all().is(suspensions::lot_id, lot.id), reason)
}

fn end_those(tx: &mut Tx<'_>, filter: &Filter<Suspension>, reason: &str) -> Outcome<()> {
    let running = filter.clone().any(suspensions::state, ["active", "awaiting_review"]);
    for before in tx.list(&running, Page::ALL)? {
        let before = tx.lock::<Suspension>(before.value.id)?;
        if before.value.permit("end").is_ok() {
            let decision = before.value.clone().end(reason.to_owned(), tx.now())?;
            tx.save(&before, decision)?;
        }
    }
    Ok(())
}

/// A suspension lapses, or comes up for review.
///
/// # Errors
/// Where the store fails.
pub fn fall_due(tx: &mut Tx<'_>, id: SuspensionId) -> Outcome<()> {
    let seen = tx.get::<Suspension>(id)?.value;
    lock_stopped(tx, &seen)?;
    // A removal may have replaced it.
    let Some(before) = lock_due::<Suspension>(tx, id)? else { return Ok(()) };
    let decision = before.value.clone().tick(tx.now())?;
    tx.save(&before, decision).map(drop)
}

/// The end of a suspension, and the longest that one may last.
///
/// # Errors
/// Not found, and what the engine refuses.
pub fn deadlines(c: &mut Conn<'_>, who: &Caller, id: SuspensionId) -> Outcome<Vec<Deadline>> {
    let (suspension, policies) = find::<Suspension>(c, who, id)?;
    let months = months_between(suspension.from, suspension.until);
    Ok(vec![
        enforced(timed(&policies, LegalClock::Suspension, months, suspension.from)?, suspension.until),
        by_policy(&policies, LegalClock::LongestSuspension, suspension.from)?,
    ])
}

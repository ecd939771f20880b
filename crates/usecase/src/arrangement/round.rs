//! Rounds: scheduled by hand and by policy (A3, DPS-11, DPS-12).

use domain::arrangement::round::{NewRound, ScheduleFacts};
use domain::arrangement::{
    ARRANGEMENT_NOT_IN_FORCE, Arrangement, Lot, LotScope, Policies, Round, RoundState, schedule,
};
use domain::kernel::{Aggregate as _, ArrangementId, Decision, Instant, RoundId};
use domain::law::deadline::{Deadline, LegalClock};
use persistence::arrangement as store;
use persistence::{Conn, Outcome, Stored, Tx, admission};

use crate::deadline::{days_between, enforced, find, timed};
use crate::{Caller, Command};

/// Schedules a round. Where it comes before one that applications wait for, they go to it: that is for [`crate::lifecycle`].
pub(crate) fn schedule(
    tx: &mut Tx<'_>,
    by: &Command,
    arrangement: ArrangementId,
    new: NewRound,
) -> Outcome<Stored<Round>> {
    // The arrangement's row is locked: its rounds are numbered and kept apart one at a time.
    let found = tx.lock::<Arrangement>(arrangement);
    let arrangement = by.who.own(tx, found)?.value;
    schedule_new(tx, &arrangement, new)
}

/// Completes a round whose every line is decided.
///
/// # Errors
/// What the rules refuse.
pub fn complete(tx: &mut Tx<'_>, by: &Command, id: RoundId) -> Outcome<Stored<Round>> {
    by.act(tx, id, |round: Round, tx| {
        in_force(tx, &round)?;
        let undecided = admission::undecided_lines(tx, round.id)?;
        Ok(round.complete(undecided, tx.now())?)
    })
}

/// Lets a round close later; what hangs on its close is for [`crate::lifecycle`].
pub(crate) fn lengthen(
    tx: &mut Tx<'_>,
    by: &Command,
    id: RoundId,
    closes_at: Instant,
    reason: String,
) -> Outcome<Stored<Round>> {
    among(tx, by, id, |round, facts, now| round.lengthen(closes_at, reason, facts, now))
}

/// Undoes the cancellation of a round; what goes back to it is for [`crate::lifecycle`].
pub(crate) fn reinstate(tx: &mut Tx<'_>, by: &Command, id: RoundId, reason: String) -> Outcome<Stored<Round>> {
    among(tx, by, id, |round, facts, now| round.reinstate(reason, facts, now))
}

/// A command on a round that rests on the others: the arrangement's row is locked first, as where one is scheduled.
fn among(
    tx: &mut Tx<'_>,
    by: &Command,
    id: RoundId,
    decide: impl FnOnce(Round, ScheduleFacts<'_>, Instant) -> Decision<Round>,
) -> Outcome<Stored<Round>> {
    let seen = by.who.get::<Round>(tx, id)?.value;
    let arrangement = tx.lock::<Arrangement>(seen.arrangement)?.value;
    let before = by.lock::<Round>(tx, id)?;
    let (rounds, now) = (all(tx, arrangement.id)?, tx.now());
    let facts =
        ScheduleFacts { policies: &arrangement.policies, in_force: arrangement.in_force_at(now), rounds: &rounds };
    let decision = decide(before.value.clone(), facts, now)?;
    tx.save(&before, decision)
}

/// Refuses to go on with a round whose arrangement has ended.
pub(crate) fn in_force(tx: &mut Tx<'_>, round: &Round) -> Outcome<()> {
    let arrangement = tx.hold::<Arrangement>(round.arrangement)?.value;
    if arrangement.in_force_at(tx.now()).is_none() {
        return Err(ARRANGEMENT_NOT_IN_FORCE.broken("the arrangement has ended").into());
    }
    Ok(())
}

/// Schedules the first round of an arrangement that was published, where its policies time it (DPS-11).
pub(crate) fn schedule_first(tx: &mut Tx<'_>, arrangement: &Arrangement) -> Outcome<()> {
    let first = arrangement.in_force().and_then(|term| schedule::first_round(&arrangement.policies, term));
    let Some(window) = first else { return Ok(()) };
    let new = NewRound {
        lots: LotScope::All,
        opens_at: window.opens_at,
        closes_at: Some(window.closes_at),
        evaluation_from: Some(window.evaluation_from),
        evaluation_to: Some(window.evaluation_to),
        extra: None,
    };
    schedule_new(tx, arrangement, new).map(drop)
}

/// Schedules the next round of the same lots by policy, if none is ahead (DPS-12). What the clock does to a round,
/// and its cancellation, are not refused for want of a next one.
pub(crate) fn schedule_follow_up(tx: &mut Tx<'_>, round: &Round) -> Outcome<()> {
    let arrangement = tx.lock::<Arrangement>(round.arrangement)?.value;
    let rounds = all(tx, arrangement.id)?;
    let Some(term) = arrangement.in_force() else { return Ok(()) };
    let follow_up = schedule::follow_up(&arrangement.policies, round, &rounds, term.ends_at(), tx.now());
    let Some(new) = follow_up else { return Ok(()) };
    let facts = ScheduleFacts { policies: &arrangement.policies, in_force: Some(term), rounds: &rounds };
    if let Ok(decision) = Round::schedule(tx.mint(), arrangement.id, new, facts, tx.now()) {
        tx.create(decision)?;
    }
    Ok(())
}

/// Ends the rounds of an arrangement that has ended: those ahead are cancelled, and those under way end unfinished. What is
/// due comes first: a round that closes at the very end of the term was closed.
pub(crate) fn end_all(tx: &mut Tx<'_>, arrangement: &Arrangement, reason: &str) -> Outcome<()> {
    let now = tx.now();
    for found in store::rounds_of(tx, arrangement.id)? {
        let mut round = tx.lock::<Round>(found.value.id)?;
        while round.value.due().is_some_and(|due| due.at <= now) {
            let decision = round.value.clone().tick(now)?;
            round = tx.save(&round, decision)?;
        }
        let ahead = matches!(round.value.state, RoundState::Scheduled);
        if ahead || round.value.permit("end").is_ok() {
            let decision = round.value.clone().end(reason.to_owned(), now)?;
            tx.save(&round, decision)?;
        }
    }
    Ok(())
}

/// Ends the rounds that were for one lot that has ended, or for several that all have.
pub(crate) fn end_of_lot(tx: &mut Tx<'_>, lot: &Lot, reason: &str) -> Outcome<()> {
    let lots = store::lots_of(tx, lot.arrangement)?;
    let open: Vec<_> = lots.iter().filter(|lot| !lot.value.is_closed()).map(|lot| lot.value.id).collect();
    let now = tx.now();
    for found in store::rounds_of(tx, lot.arrangement)? {
        let LotScope::Some { lots } = &found.value.lots else { continue };
        if lots.iter().any(|of| open.contains(of)) {
            continue;
        }
        let round = tx.lock::<Round>(found.value.id)?;
        let ahead = matches!(round.value.state, RoundState::Scheduled) && now < round.value.window.opens_at;
        if ahead || round.value.permit("end").is_ok() {
            let decision = round.value.clone().end(reason.to_owned(), now)?;
            tx.save(&round, decision)?;
        }
    }
    Ok(())
}

fn schedule_new(tx: &mut Tx<'_>, arrangement: &Arrangement, new: NewRound) -> Outcome<Stored<Round>> {
    let rounds = all(tx, arrangement.id)?;
    let in_force = arrangement.in_force_at(tx.now());
    let facts = ScheduleFacts { policies: &arrangement.policies, in_force, rounds: &rounds };
    tx.create(Round::schedule(tx.mint(), arrangement.id, new, facts, tx.now())?)
}

fn all(tx: &mut Tx<'_>, arrangement: ArrangementId) -> Outcome<Vec<Round>> {
    Ok(store::rounds_of(tx, arrangement)?.into_iter().map(|round| round.value).collect())
}

/// The close of a round, and the end of its evaluation.
///
/// # Errors
/// Not found, and what the engine refuses.
pub fn deadlines(c: &mut Conn<'_>, who: &Caller, id: RoundId) -> Outcome<Vec<Deadline>> {
    let (round, policies) = find::<Round>(c, &who.in_market(), id)?;
    deadlines_of(&round, &policies)
}

pub(crate) fn deadlines_of(round: &Round, policies: &Policies) -> Outcome<Vec<Deadline>> {
    let window = round.window;
    let timed = |clock, from, to| -> Outcome<Deadline> {
        Ok(enforced(timed(policies, clock, days_between(from, to), from)?, to))
    };
    Ok(vec![
        timed(LegalClock::FirstRound, window.opens_at, window.closes_at)?,
        timed(LegalClock::Evaluation, window.evaluation_from, window.evaluation_to)?,
    ])
}

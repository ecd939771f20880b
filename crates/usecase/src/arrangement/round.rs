//! Rounds: scheduled by hand and by policy (A3, DPS-11, DPS-12).

use domain::arrangement::round::{NewRound, ScheduleFacts};
use domain::arrangement::{Arrangement, LotScope, Policies, Round, schedule};
use domain::kernel::{ArrangementId, RoundId};
use domain::law::deadline::{Deadline, LegalClock};
use persistence::arrangement as store;
use persistence::{Conn, Outcome, Stored, Tx, admission};

use crate::deadline::{days_between, enforced, find, timed};
use crate::{Caller, Command};

/// Schedules a round.
///
/// # Errors
/// What the rules refuse.
pub fn schedule(tx: &mut Tx<'_>, by: &Command, arrangement: ArrangementId, new: NewRound) -> Outcome<Stored<Round>> {
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
        let undecided = admission::undecided_lines(tx, round.id)?;
        Ok(round.complete(undecided, tx.now())?)
    })
}

/// Schedules the first round of an arrangement that was published, where its policies time it (DPS-11).
pub(crate) fn schedule_first(tx: &mut Tx<'_>, arrangement: &Arrangement) -> Outcome<()> {
    let first = arrangement.in_force().and_then(|term| schedule::first_round(&arrangement.policies, term.live_at));
    let Some(window) = first else { return Ok(()) };
    let new = NewRound {
        lots: LotScope::All,
        opens_at: window.opens_at,
        closes_at: Some(window.closes_at),
        evaluation_from: Some(window.evaluation_from),
        evaluation_to: Some(window.evaluation_to),
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

/// Cancels the rounds ahead of an arrangement that has ended.
pub(crate) fn cancel_ahead(tx: &mut Tx<'_>, arrangement: &Arrangement, reason: &str) -> Outcome<()> {
    let now = tx.now();
    for round in store::rounds_of(tx, arrangement.id)?.iter().filter(|round| round.value.is_ahead_at(now)) {
        let decision = round.value.clone().cancel(reason.to_owned(), now)?;
        tx.save(round, decision)?;
    }
    Ok(())
}

fn schedule_new(tx: &mut Tx<'_>, arrangement: &Arrangement, new: NewRound) -> Outcome<Stored<Round>> {
    let rounds = all(tx, arrangement.id)?;
    let facts = ScheduleFacts { policies: &arrangement.policies, in_force: arrangement.in_force(), rounds: &rounds };
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

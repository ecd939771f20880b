//! Life cycle across subjects: what an event of one means for the others, as one list an event, run in its transaction.
//!
//! This module is the last of the order: a subject below need not know who stands on it. A subject to come adds its line
//! to a list, and nothing else changes.

use domain::arrangement::{Arrangement, Round, RoundState};
use domain::kernel::{ArrangementId, Decided, RoundId};
use persistence::{Outcome, Stored, Tx};

use crate::admission::evaluation;
use crate::arrangement::{self, lot, round};
use crate::provider::Gazetteer;
use crate::standing::member;
use crate::{Command, lock_due};

/// What follows for others of an arrangement's end, with the reason.
pub type Ending = fn(&mut Tx<'_>, &Arrangement, &str) -> Outcome<()>;
/// What follows for others of the start of an evaluation.
pub type Evaluation = fn(&mut Tx<'_>, &Gazetteer, &Round) -> Outcome<()>;

/// What follows for others when an arrangement is published.
pub static WHEN_AN_ARRANGEMENT_IS_PUBLISHED: &[fn(&mut Tx<'_>, &Arrangement) -> Outcome<()>] =
    &[lot::open_all, round::schedule_first];

/// What follows for others when an arrangement ends, with the reason (A1).
pub static WHEN_AN_ARRANGEMENT_ENDS: &[Ending] =
    &[lot::close_all, round::cancel_ahead, evaluation::lapse_all, member::end_all];

/// What follows when a round opens. The next round is announced now rather than at the close, so that what arrives from the
/// very close on waits for it (AC-04).
pub static WHEN_A_ROUND_OPENS: &[fn(&mut Tx<'_>, &Round) -> Outcome<()>] =
    &[round::schedule_follow_up, evaluation::round_opened];

/// What follows when a round closes: the next one is announced where that could not be done when this one opened.
pub static WHEN_A_ROUND_CLOSES: &[fn(&mut Tx<'_>, &Round) -> Outcome<()>] = &[round::schedule_follow_up];

/// What follows when a round is cancelled before it opened.
pub static WHEN_A_ROUND_IS_CANCELLED: &[fn(&mut Tx<'_>, &Round) -> Outcome<()>] =
    &[round::schedule_follow_up, evaluation::reroute_from];

/// What follows when the evaluation of a round starts.
pub static WHEN_AN_EVALUATION_STARTS: &[Evaluation] = &[evaluation::begin_of_round];

/// Publishes an arrangement.
///
/// # Errors
/// Everything that is missing.
pub fn publish_arrangement(tx: &mut Tx<'_>, by: &Command, id: ArrangementId) -> Outcome<Stored<Arrangement>> {
    let after = arrangement::publish(tx, by, id)?;
    WHEN_AN_ARRANGEMENT_IS_PUBLISHED.iter().try_for_each(|then| then(tx, &after.value))?;
    Ok(after)
}

/// Terminates an arrangement.
///
/// # Errors
/// What the rules refuse.
pub fn terminate_arrangement(
    tx: &mut Tx<'_>,
    by: &Command,
    id: ArrangementId,
    reason: &str,
) -> Outcome<Stored<Arrangement>> {
    let before = by.lock::<Arrangement>(tx, id)?;
    let decision = before.value.clone().terminate(reason.to_owned(), tx.now())?;
    arrangement_ended(tx, &before, decision, reason)
}

/// The term of an arrangement is over.
///
/// # Errors
/// Where the store fails.
pub fn arrangement_is_due(tx: &mut Tx<'_>, id: ArrangementId) -> Outcome<()> {
    let Some(before) = lock_due::<Arrangement>(tx, id)? else { return Ok(()) };
    let decision = before.value.clone().tick(tx.now())?;
    arrangement_ended(tx, &before, decision, "the arrangement's term has ended").map(drop)
}

fn arrangement_ended(
    tx: &mut Tx<'_>,
    before: &Stored<Arrangement>,
    decision: Decided<Arrangement>,
    reason: &str,
) -> Outcome<Stored<Arrangement>> {
    let after = tx.save(before, decision)?;
    WHEN_AN_ARRANGEMENT_ENDS.iter().try_for_each(|then| then(tx, &after.value, reason))?;
    Ok(after)
}

/// Opens a round that is due.
///
/// # Errors
/// What the rules refuse.
pub fn open_round(tx: &mut Tx<'_>, by: &Command, id: RoundId) -> Outcome<Stored<Round>> {
    let before = by.lock::<Round>(tx, id)?;
    let decision = before.value.clone().open(tx.now())?;
    advanced(tx, &before, decision)
}

/// Closes a round that is due.
///
/// # Errors
/// What the rules refuse.
pub fn close_round(tx: &mut Tx<'_>, by: &Command, id: RoundId) -> Outcome<Stored<Round>> {
    let before = by.lock::<Round>(tx, id)?;
    let decision = before.value.clone().close(tx.now())?;
    advanced(tx, &before, decision)
}

/// A round opens or closes at its published instant.
///
/// # Errors
/// Where the store fails.
pub fn round_is_due(tx: &mut Tx<'_>, id: RoundId) -> Outcome<()> {
    let Some(before) = lock_due::<Round>(tx, id)? else { return Ok(()) };
    let decision = before.value.clone().tick(tx.now())?;
    advanced(tx, &before, decision).map(drop)
}

fn advanced(tx: &mut Tx<'_>, before: &Stored<Round>, decision: Decided<Round>) -> Outcome<Stored<Round>> {
    let after = tx.save(before, decision)?;
    let then = match after.value.state {
        RoundState::Open => WHEN_A_ROUND_OPENS,
        RoundState::Closed => WHEN_A_ROUND_CLOSES,
        RoundState::Scheduled
        | RoundState::Evaluating { .. }
        | RoundState::Completed { .. }
        | RoundState::Cancelled { .. } => &[],
    };
    then.iter().try_for_each(|then| then(tx, &after.value))?;
    Ok(after)
}

/// Cancels a round that has not opened.
///
/// # Errors
/// What the rules refuse.
pub fn cancel_round(tx: &mut Tx<'_>, by: &Command, id: RoundId, reason: &str) -> Outcome<Stored<Round>> {
    let after = by.act(tx, id, |round: Round, tx| Ok(round.cancel(reason.to_owned(), tx.now())?))?;
    WHEN_A_ROUND_IS_CANCELLED.iter().try_for_each(|then| then(tx, &after.value))?;
    Ok(after)
}

/// Starts the evaluation of a closed round: the last submitted version of each application is frozen (PRO-19).
///
/// # Errors
/// What the rules refuse.
pub fn start_evaluation(tx: &mut Tx<'_>, by: &Command, gazetteer: &Gazetteer, id: RoundId) -> Outcome<Stored<Round>> {
    let after = by.act(tx, id, |round: Round, tx| Ok(round.start_evaluation(tx.now())?))?;
    WHEN_AN_EVALUATION_STARTS.iter().try_for_each(|then| then(tx, gazetteer, &after.value))?;
    Ok(after)
}

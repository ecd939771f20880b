//! Life cycle across subjects: what an event of one means for the others, as one list an event, run in its transaction.
//!
//! This module is the last of the order: a subject below need not know who stands on it. A subject to come adds its line
//! to a list, and nothing else changes.

use domain::admission::Application;
use domain::admission::membership::Membership;
use domain::arrangement::round::NewRound;
use domain::arrangement::{Arrangement, Lot, Round, RoundState};
use domain::kernel::{ApplicationId, ArrangementId, Decided, Instant, LotId, RoundId};
use persistence::{Outcome, Stored, Tx};

use crate::admission::{evaluation, line};
use crate::arrangement::{self, interest, lot, round};
use crate::provider::Gazetteer;
use crate::standing::{appeal, improvement_notice, member, removal, sanction, suspension};
use crate::{Command, lock_due};

/// What follows for others of an arrangement's end, with the reason.
pub type Ending = fn(&mut Tx<'_>, &Arrangement, &str) -> Outcome<()>;
/// What follows for others of the end of a lot, with the reason.
pub type LotEnding = fn(&mut Tx<'_>, &Lot, &str) -> Outcome<()>;
/// What follows for the applications to a round that was changed.
pub type Evaluation = fn(&mut Tx<'_>, &Gazetteer, &Round) -> Outcome<()>;

/// What follows for others when an arrangement is published.
pub static WHEN_AN_ARRANGEMENT_IS_PUBLISHED: &[fn(&mut Tx<'_>, &Arrangement) -> Outcome<()>] =
    &[lot::open_all, round::schedule_first];

/// What follows for others when an arrangement ends, with the reason (A1): all that hangs on it ends, and nothing can be
/// begun in it any more.
pub static WHEN_AN_ARRANGEMENT_ENDS: &[Ending] = &[
    lot::close_all,
    round::end_all,
    interest::end_all,
    evaluation::lapse_all,
    member::end_all,
    suspension::end_all,
    sanction::end_all,
    improvement_notice::end_all,
    appeal::lapse_all,
];

/// What follows for others when one lot ends, with the reason (A2).
pub static WHEN_A_LOT_ENDS: &[LotEnding] = &[
    round::end_of_lot,
    evaluation::lapse_lines,
    member::end_in_lot,
    suspension::end_in_lot,
    sanction::end_in_lot,
    improvement_notice::end_in_lot,
];

/// What follows for others when a provider is admitted to a lot: what the authority began before goes on.
pub static WHEN_A_MEMBER_IS_ADMITTED: &[fn(&mut Tx<'_>, &Membership) -> Outcome<()>] = &[removal::follow];

/// What follows when a round opens. The next round is announced now rather than at the close, so that what arrives from the
/// very close on waits for it (AC-04).
pub static WHEN_A_ROUND_OPENS: &[fn(&mut Tx<'_>, &Round) -> Outcome<()>] =
    &[round::schedule_follow_up, evaluation::round_opened];

/// What follows when a round closes: the next one is announced where that could not be done when this one opened.
pub static WHEN_A_ROUND_CLOSES: &[fn(&mut Tx<'_>, &Round) -> Outcome<()>] = &[round::schedule_follow_up];

/// What follows when a round is cancelled before it opened, put in before others, or reinstated: whatever waits for a round
/// goes to the one that it would go to now.
pub static WHEN_ROUNDS_ARE_REARRANGED: &[Evaluation] = &[evaluation::reroute_all];

/// What follows when a round is lengthened.
pub static WHEN_A_ROUND_IS_LENGTHENED: &[fn(&mut Tx<'_>, &Round) -> Outcome<()>] = &[evaluation::round_lengthened];

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

/// Gives up a draft, with the lots that were defined for it.
///
/// # Errors
/// What the rules refuse.
pub fn discard_arrangement(tx: &mut Tx<'_>, by: &Command, id: ArrangementId) -> Outcome<Stored<Arrangement>> {
    let before = by.lock::<Arrangement>(tx, id)?;
    let decision = before.value.clone().discard()?;
    arrangement_ended(tx, &before, decision, "the draft was given up")
}

/// Ends a lot.
///
/// # Errors
/// What the rules refuse.
pub fn close_lot(tx: &mut Tx<'_>, by: &Command, id: LotId, reason: &str) -> Outcome<Stored<Lot>> {
    let after = by.act(tx, id, |lot: Lot, tx| Ok(lot.close(reason.to_owned(), tx.now())?))?;
    WHEN_A_LOT_ENDS.iter().try_for_each(|then| then(tx, &after.value, reason))?;
    Ok(after)
}

/// Admits a line: the provider becomes a member of the lot.
///
/// # Errors
/// What the rules refuse.
pub fn admit_line(
    tx: &mut Tx<'_>,
    by: &Command,
    id: ApplicationId,
    lot: LotId,
) -> Outcome<(Stored<Application>, Stored<Membership>)> {
    let provider = by.lock::<Application>(tx, id)?.value.provider;
    removal::before_admission(tx, provider, lot)?;
    let (application, member) = line::admit(tx, by, id, lot)?;
    WHEN_A_MEMBER_IS_ADMITTED.iter().try_for_each(|then| then(tx, &member.value))?;
    Ok((application, member))
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
        | RoundState::Ended { .. }
        | RoundState::Cancelled { .. } => &[],
    };
    then.iter().try_for_each(|then| then(tx, &after.value))?;
    Ok(after)
}

/// Schedules a round; what waits for a later one goes to it.
///
/// # Errors
/// What the rules refuse.
pub fn schedule_round(
    tx: &mut Tx<'_>,
    by: &Command,
    gazetteer: &Gazetteer,
    arrangement: ArrangementId,
    new: NewRound,
) -> Outcome<Stored<Round>> {
    let after = round::schedule(tx, by, arrangement, new)?;
    rearranged(tx, gazetteer, after)
}

/// Cancels a round that has not opened; with a successor, where none is ahead and one is wanted.
///
/// # Errors
/// What the rules refuse.
pub fn cancel_round(
    tx: &mut Tx<'_>,
    by: &Command,
    gazetteer: &Gazetteer,
    id: RoundId,
    reason: &str,
    successor: bool,
) -> Outcome<Stored<Round>> {
    let after = by.act(tx, id, |round: Round, tx| Ok(round.cancel(reason.to_owned(), tx.now())?))?;
    if successor {
        round::schedule_follow_up(tx, &after.value)?;
    }
    rearranged(tx, gazetteer, after)
}

/// Undoes the cancellation of a round; what waits for a later one goes to it.
///
/// # Errors
/// What the rules refuse.
pub fn reinstate_round(
    tx: &mut Tx<'_>,
    by: &Command,
    gazetteer: &Gazetteer,
    id: RoundId,
    reason: String,
) -> Outcome<Stored<Round>> {
    let after = round::reinstate(tx, by, id, reason)?;
    rearranged(tx, gazetteer, after)
}

fn rearranged(tx: &mut Tx<'_>, gazetteer: &Gazetteer, round: Stored<Round>) -> Outcome<Stored<Round>> {
    WHEN_ROUNDS_ARE_REARRANGED.iter().try_for_each(|then| then(tx, gazetteer, &round.value))?;
    Ok(round)
}

/// Lets a round close later.
///
/// # Errors
/// What the rules refuse.
pub fn lengthen_round(
    tx: &mut Tx<'_>,
    by: &Command,
    id: RoundId,
    closes_at: Instant,
    reason: String,
) -> Outcome<Stored<Round>> {
    let after = round::lengthen(tx, by, id, closes_at, reason)?;
    WHEN_A_ROUND_IS_LENGTHENED.iter().try_for_each(|then| then(tx, &after.value))?;
    Ok(after)
}

/// Starts the evaluation of a closed round: the last submitted version of each application is frozen (PRO-19).
///
/// # Errors
/// What the rules refuse.
pub fn start_evaluation(tx: &mut Tx<'_>, by: &Command, gazetteer: &Gazetteer, id: RoundId) -> Outcome<Stored<Round>> {
    let after = by.act(tx, id, |round: Round, tx| {
        round::in_force(tx, &round)?;
        Ok(round.start_evaluation(tx.now())?)
    })?;
    WHEN_AN_EVALUATION_STARTS.iter().try_for_each(|then| then(tx, gazetteer, &after.value))?;
    Ok(after)
}

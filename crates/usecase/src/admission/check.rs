//! Compliance checks: assessed by facts and by assessors (A5).

use domain::admission::Application;
use domain::admission::compliance_check::{ComplianceCheck, Judgement};
use domain::arrangement::{Arrangement, Test};
use domain::kernel::{ComplianceCheckId, LotId};
use persistence::{Outcome, Stored, Tx};

use super::declaration;
use super::evaluation::Context;
use crate::provider::Gazetteer;
use crate::{Command, lock_due};

/// Lets the facts decide an open check.
///
/// # Errors
/// What the rules refuse.
pub fn assess(
    tx: &mut Tx<'_>,
    by: &Command,
    gazetteer: &Gazetteer,
    id: ComplianceCheckId,
) -> Outcome<Stored<ComplianceCheck>> {
    by.act(tx, id, |check: ComplianceCheck, tx| {
        let application = tx.hold::<Application>(check.application)?.value;
        let now = tx.now();
        let context = Context::load(tx, gazetteer, &application, now)?;
        Ok(context.with_facts(&check, |facts| check.clone().assess(facts, tx.actor(), now))?)
    })
}

/// Records an assessor's judgement; proposed, where the policy asks for a second pair of eyes.
///
/// # Errors
/// What the rules refuse.
pub fn record(
    tx: &mut Tx<'_>,
    by: &Command,
    gazetteer: &Gazetteer,
    id: ComplianceCheckId,
    judgement: Judgement,
) -> Outcome<Stored<ComplianceCheck>> {
    by.act(tx, id, |check: ComplianceCheck, tx| {
        let application = tx.hold::<Application>(check.application)?.value;
        let second = tx.hold::<Arrangement>(check.arrangement)?.value.policies.second_assessor;
        let declared = declaration::own(tx, check.arrangement)?;
        let now = tx.now();
        // A judgement by hand rests on no facts.
        if check.terms.test == Test::Manual || !judgement.passed {
            return Ok(check.record(judgement, None, declared.as_ref(), second, tx.actor(), now)?);
        }
        let context = Context::load(tx, gazetteer, &application, now)?;
        let decision = context.with_facts(&check, |facts| {
            check.clone().record(judgement, Some(facts), declared.as_ref(), second, tx.actor(), now)
        });
        Ok(decision?)
    })
}

/// Confirms a proposed result.
///
/// # Errors
/// What the rules refuse.
pub fn confirm(tx: &mut Tx<'_>, by: &Command, id: ComplianceCheckId) -> Outcome<Stored<ComplianceCheck>> {
    by.act(tx, id, |check: ComplianceCheck, tx| {
        let declared = declaration::own(tx, check.arrangement)?;
        Ok(check.confirm(declared.as_ref(), tx.actor(), tx.now())?)
    })
}

/// Returns a proposed result to be assessed again.
///
/// # Errors
/// What the rules refuse.
pub fn send_back(
    tx: &mut Tx<'_>,
    by: &Command,
    id: ComplianceCheckId,
    reason: &str,
) -> Outcome<Stored<ComplianceCheck>> {
    by.act(tx, id, |check: ComplianceCheck, tx| {
        let declared = declaration::own(tx, check.arrangement)?;
        Ok(check.send_back(reason, declared.as_ref(), tx.actor())?)
    })
}

/// Waives a check, before a line that rests on it is decided.
///
/// # Errors
/// What the rules refuse.
pub fn waive(tx: &mut Tx<'_>, by: &Command, id: ComplianceCheckId, reason: &str) -> Outcome<Stored<ComplianceCheck>> {
    by.act(tx, id, |check: ComplianceCheck, tx| {
        let is_decided = is_decided(tx, &check)?;
        let declared = declaration::own(tx, check.arrangement)?;
        Ok(check.waive(reason, is_decided, declared.as_ref(), tx.actor(), tx.now())?)
    })
}

/// Reopens a check on new evidence.
///
/// # Errors
/// What the rules refuse.
pub fn reopen(tx: &mut Tx<'_>, by: &Command, id: ComplianceCheckId, reason: &str) -> Outcome<Stored<ComplianceCheck>> {
    by.act(tx, id, |check: ComplianceCheck, tx| {
        let is_decided = is_decided(tx, &check)?;
        Ok(check.reopen(reason, is_decided)?)
    })
}

/// Whether a line that rests on the check is decided. The application is held, so that none is decided meanwhile.
fn is_decided(tx: &mut Tx<'_>, check: &ComplianceCheck) -> Outcome<bool> {
    let application = tx.hold::<Application>(check.application)?.value;
    let rests_on = |lot: &LotId| application.lines.iter().any(|line| line.lot == *lot && !line.status.is_undecided());
    Ok(check.lots.iter().any(rests_on))
}

/// The validity of a pass ends.
///
/// # Errors
/// Where the store fails.
pub fn expire(tx: &mut Tx<'_>, id: ComplianceCheckId) -> Outcome<()> {
    let Some(before) = lock_due::<ComplianceCheck>(tx, id)? else { return Ok(()) };
    let decision = before.value.clone().tick(tx.now())?;
    tx.save(&before, decision).map(drop)
}

//! Decisions on the lines of an application: admitted or rejected, with reasons (A4, DPS-02, PRO-25).

use domain::admission::Application;
use domain::admission::compliance_check::{ComplianceCheck, ComplianceCheckState};
use domain::admission::declaration_of_interests;
use domain::admission::line::{CheckFact, CheckOutcome, LineDecision};
use domain::admission::membership::{AdmittedLine, Assurance, Membership};
use domain::arrangement::{self, Arrangement};
use domain::kernel::{ApplicationId, Instant, LotId, MembershipId};
use persistence::admission::{checks_of, lots_held};
use persistence::{Outcome, Stored, Tx};

use super::declaration;
use crate::Command;

/// Admits a line: the provider becomes a member of the lot. Never capped (DPS-02), nor refused because of a measure that
/// stands against the provider there: the membership begins under it. What that means is for [`crate::lifecycle`] to say.
pub(crate) fn admit(
    tx: &mut Tx<'_>,
    by: &Command,
    id: ApplicationId,
    lot: LotId,
) -> Outcome<(Stored<Application>, Stored<Membership>)> {
    let before = by.lock::<Application>(tx, id)?;
    let application = before.value.clone();
    let checks = ready(tx, &application)?;
    let membership: MembershipId = tx.mint();
    let now = tx.now();
    let decision = LineDecision::Admit { membership };
    let decision = application.clone().decide_line(lot, decision, &facts(&checks, lot, now), tx.actor(), now)?;
    let after = tx.save(&before, decision)?;
    let held = lots_held(tx, application.provider, application.arrangement)?.contains(&lot);
    let line = AdmittedLine {
        arrangement: application.arrangement,
        lot,
        provider: application.provider,
        application: application.id,
        assurances: checks.iter().filter(|check| check.lots.contains(&lot)).filter_map(assurance).collect(),
    };
    let member = tx.create(Membership::admit(membership, line, held, now)?)?;
    Ok((after, member))
}

/// Rejects a line, with the published reasons that failed checks give (PRO-25).
///
/// # Errors
/// What the rules refuse.
pub fn reject(
    tx: &mut Tx<'_>,
    by: &Command,
    id: ApplicationId,
    lot: LotId,
    reasons: Vec<String>,
    note: Option<String>,
) -> Outcome<Stored<Application>> {
    let before = by.lock::<Application>(tx, id)?;
    let checks = ready(tx, &before.value)?;
    let facts = facts(&checks, lot, tx.now());
    let decision = LineDecision::Reject { reasons, note };
    let decision = before.value.clone().decide_line(lot, decision, &facts, tx.actor(), tx.now())?;
    tx.save(&before, decision)
}

/// What any decision needs: an arrangement in force, a decider without an interest in the provider (BEY-08), and the
/// checks.
fn ready(tx: &mut Tx<'_>, application: &Application) -> Outcome<Vec<ComplianceCheck>> {
    let arrangement = tx.hold::<Arrangement>(application.arrangement)?.value;
    if arrangement.in_force_at(tx.now()).is_none() {
        return Err(arrangement::ARRANGEMENT_NOT_IN_FORCE.broken("the arrangement has ended").into());
    }
    let checks: Vec<ComplianceCheck> = checks_of(tx, application.id)?.into_iter().map(|check| check.value).collect();
    if !checks.is_empty() {
        let declared = declaration::own(tx, application.arrangement)?;
        declaration_of_interests::permits(
            declared.as_ref(),
            application.arrangement,
            application.provider,
            tx.actor(),
        )?;
    }
    Ok(checks)
}

fn facts(checks: &[ComplianceCheck], lot: LotId, now: Instant) -> Vec<CheckFact> {
    let outcome = |check: &ComplianceCheck| match check.state {
        ComplianceCheckState::Open { .. } | ComplianceCheckState::Proposed { .. } => CheckOutcome::Open,
        ComplianceCheckState::Waived { .. } => CheckOutcome::Waived,
        ComplianceCheckState::Passed { .. } if check.holds(now) => CheckOutcome::Passed,
        ComplianceCheckState::Passed { .. }
        | ComplianceCheckState::Failed { .. }
        | ComplianceCheckState::Dropped { .. }
        | ComplianceCheckState::Expired { .. } => CheckOutcome::Failed,
    };
    checks
        .iter()
        .filter(|check| check.lots.contains(&lot))
        .map(|check| CheckFact {
            requirement: check.requirement,
            code: check.code.clone(),
            title: check.terms.title.clone(),
            mandatory: check.terms.mandatory,
            gate: check.terms.gate,
            outcome: outcome(check),
        })
        .collect()
}

/// What a membership rests on: the checks it passed, each until it expires.
fn assurance(check: &ComplianceCheck) -> Option<Assurance> {
    match &check.state {
        // A removal's ground is answered once, and is no evidence that goes on.
        ComplianceCheckState::Passed { result } => check.requirement.map(|requirement| {
            Assurance::new(requirement, check.code.clone(), check.terms.mandatory, result.valid_until)
        }),
        ComplianceCheckState::Dropped { .. }
        | ComplianceCheckState::Waived { .. }
        | ComplianceCheckState::Open { .. }
        | ComplianceCheckState::Proposed { .. }
        | ComplianceCheckState::Failed { .. }
        | ComplianceCheckState::Expired { .. } => None,
    }
}

//! Decisions on the lines of an application: admitted or rejected, with reasons (A4, DPS-02, PRO-25).

use actix_web::{post, web};
use domain::admission::Application;
use domain::admission::application as rules;
use domain::admission::compliance_check::{ComplianceCheck, ComplianceCheckState};
use domain::admission::declaration_of_interests;
use domain::admission::line::{self, CheckFact, CheckOutcome, LineDecision};
use domain::admission::membership::{self, AdmittedLine, Assurance, Membership};
use domain::arrangement::{self, Arrangement};
use domain::kernel::{ApplicationId, Instant, LotId, MembershipId};
use persistence::admission::{checks_of, lots_held};
use persistence::{Outcome, Tx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::applications::{ApplicationView, view};
use super::declarations;
use crate::http::reply::Resource;
use crate::http::routes::routes;
use crate::http::{Answer, Call, Reply};

routes! {
    admit_line: DecideLine, [rules::RULES, line::RULES, membership::RULES, declaration_of_interests::RULES, arrangement::RULES];
    reject_line: DecideLine, [rules::RULES, line::RULES, declaration_of_interests::RULES, arrangement::RULES];
}

/// What an admission leads to.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Admitted {
    /// The application after the decision.
    #[serde(flatten)]
    application: ApplicationView,
    /// The membership that was created.
    membership: MembershipId,
    /// Always false: admission guarantees no award (DPS-05).
    award_guaranteed: bool,
    /// What the letter of admission says (DPS-05).
    statement: &'static str,
}

/// Admit a line
///
/// The only decision where every mandatory check is met; it makes the provider a member of the lot. Never capped
/// (DPS-02).
#[utoipa::path(tag = "applications", params(("id" = ApplicationId, Path), ("lot" = LotId, Path)), responses((status = 201, body = Resource<Admitted>)))]
#[post("/v1/applications/{id}/lines/{lot}/admit")]
async fn admit_line(call: Call, path: web::Path<(ApplicationId, LotId)>) -> Answer {
    let (id, lot) = *path;
    call.write(move |tx, call| {
        let before = call.lock::<Application>(tx, id)?;
        let application = before.value.clone();
        let checks = ready(tx, &application)?;
        let membership: MembershipId = tx.mint();
        let now = tx.now();
        let decision = LineDecision::Admit { membership };
        let after = application.clone().decide_line(lot, decision, &facts(&checks, lot, now), tx.actor(), now)?;
        let after = tx.save(&before, after)?;
        let held = lots_held(tx, application.provider, application.arrangement)?.contains(&lot);
        let line = AdmittedLine {
            arrangement: application.arrangement,
            lot,
            provider: application.provider,
            application: application.id,
            assurances: checks.iter().filter(|check| check.lots.contains(&lot)).filter_map(assurance).collect(),
        };
        tx.create(Membership::admit(membership, line, held, now)?)?;
        let admitted = Admitted {
            application: view(&after.value, call.who.side()),
            membership,
            award_guaranteed: Membership::AWARD_GUARANTEED,
            statement: arrangement::arrangement::NO_GUARANTEE,
        };
        Ok(Reply::view(&after, admitted)?.at(format!("/v1/memberships/{membership}")))
    })
    .await
}

/// Why a line is rejected.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct RejectLine {
    /// Codes of the requirements that are not met: the reasons published beforehand (PRO-25).
    #[validate(length(max = 200))]
    reasons: Vec<String>,
    /// More, for the provider.
    #[validate(length(max = 4000))]
    note: Option<String>,
}

/// Reject a line, with the published reasons that failed checks give
#[utoipa::path(tag = "applications", params(("id" = ApplicationId, Path), ("lot" = LotId, Path)), request_body = RejectLine, responses((status = 200, body = Resource<ApplicationView>)))]
#[post("/v1/applications/{id}/lines/{lot}/reject")]
async fn reject_line(call: Call<RejectLine>, path: web::Path<(ApplicationId, LotId)>) -> Answer {
    let (id, lot) = *path;
    call.write(move |tx, call| {
        let before = call.lock::<Application>(tx, id)?;
        let checks = ready(tx, &before.value)?;
        let RejectLine { reasons, note } = call.body.clone();
        let decision = LineDecision::Reject { reasons, note };
        let facts = facts(&checks, lot, tx.now());
        let after = before.value.clone().decide_line(lot, decision, &facts, tx.actor(), tx.now())?;
        let after = tx.save(&before, after)?;
        Reply::view(&after, view(&after.value, call.who.side()))
    })
    .await
}

/// What any decision needs: an arrangement in force, a decider without an interest in the provider (BEY-08), and the
/// checks.
fn ready(tx: &mut Tx<'_>, application: &Application) -> Outcome<Vec<ComplianceCheck>> {
    let arrangement = tx.hold::<Arrangement>(application.arrangement)?.value;
    if arrangement.in_force().is_none() {
        return Err(arrangement::ARRANGEMENT_NOT_IN_FORCE.broken("the arrangement has ended").into());
    }
    let checks: Vec<ComplianceCheck> = checks_of(tx, application.id)?.into_iter().map(|check| check.value).collect();
    if !checks.is_empty() {
        let declared = declarations::own(tx, application.arrangement)?;
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
        ComplianceCheckState::Passed { result } => {
            Some(Assurance::new(check.requirement, check.code.clone(), check.terms.mandatory, result.valid_until))
        }
        ComplianceCheckState::Waived { .. }
        | ComplianceCheckState::Open { .. }
        | ComplianceCheckState::Proposed { .. }
        | ComplianceCheckState::Failed { .. }
        | ComplianceCheckState::Expired { .. } => None,
    }
}

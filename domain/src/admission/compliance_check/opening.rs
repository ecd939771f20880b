//! Which checks an application needs, and which of them stand in the way of a line.

use super::{ComplianceCheck, ComplianceCheckEvent, ComplianceCheckState, Terms};
use crate::arrangement::requirement::RequirementRef;
use crate::arrangement::{Gate, RequirementVersion, Test};
use crate::kernel::{ApplicationId, ArrangementId, ComplianceCheckId, Decided, Instant, LotId, Named, ProviderId};
use crate::standing::removal::Removal;

/// The code of a check of the ground of a removal: the reason code of a rejection that rests on it.
pub const REMOVAL_GROUND: &str = "removal_ground";

/// One lot's reference to a requirement version.
#[derive(Clone, Debug)]
pub struct LotRequirement<'a> {
    /// The lot.
    pub lot: LotId,
    /// The version it refers to.
    pub requirement: RequirementRef,
    /// The requirement's code.
    pub code: &'a str,
    /// That version.
    pub version: &'a RequirementVersion,
}

/// Whose checks are opened.
#[derive(Clone, Copy, Debug)]
pub struct Applicant {
    /// The application.
    pub application: ApplicationId,
    /// Its arrangement.
    pub arrangement: ArrangementId,
    /// Its provider.
    pub provider: ProviderId,
}

/// Opens one check per requirement version of the membership gate, shared by all lots that refer to it (WAL-05).
/// Requirements of later gates are no condition of admission (PA36-1). `mint` gives the ids.
pub fn open_checks(
    of: Applicant,
    asked: &[LotRequirement<'_>],
    mut mint: impl FnMut() -> ComplianceCheckId,
    now: Instant,
) -> Vec<(ComplianceCheck, Vec<ComplianceCheckEvent>)> {
    let mut checks: Vec<ComplianceCheck> = Vec::new();
    for line in asked.iter().filter(|line| line.version.gate.is_asked_at_admission()) {
        match checks.iter_mut().find(|check| check.requirement == Some(line.requirement)) {
            Some(check) if check.lots.contains(&line.lot) => {}
            Some(check) => check.lots.push(line.lot),
            None => checks.push(ComplianceCheck {
                id: mint(),
                application: of.application,
                arrangement: of.arrangement,
                provider: of.provider,
                requirement: Some(line.requirement),
                removal: None,
                code: line.code.to_owned(),
                terms: line.version.into(),
                lots: vec![line.lot],
                opened_at: now,
                state: ComplianceCheckState::Open { reopened: None },
            }),
        }
    }
    checks.into_iter().map(|check| (opened(&check), check)).map(|(event, check)| (check, vec![event])).collect()
}

fn opened(check: &ComplianceCheck) -> ComplianceCheckEvent {
    ComplianceCheckEvent::CheckOpened {
        code: check.code.clone(),
        requirement: check.requirement,
        removal: check.removal,
        lots: check.lots.clone(),
        mandatory: check.terms.mandatory,
    }
}

/// Opens the mandatory check of a removal's ground: the provider applies again to the lot that it was removed from, and an
/// officer decides with a reason whether the ground is remedied (A8).
#[must_use]
pub fn open_for_removal(
    of: Applicant,
    removal: &Removal,
    id: ComplianceCheckId,
    now: Instant,
) -> Decided<ComplianceCheck> {
    let ground = removal.ground.name().replace('_', " ");
    let check = ComplianceCheck {
        id,
        application: of.application,
        arrangement: of.arrangement,
        provider: of.provider,
        requirement: None,
        removal: Some(removal.id),
        code: REMOVAL_GROUND.to_owned(),
        terms: Terms {
            title: format!("The ground of the removal from this lot is remedied: {ground}"),
            test: Test::Manual,
            gate: Gate::Membership,
            mandatory: true,
            self_assessable: false,
            evidence: Vec::new(),
            validity_months: None,
        },
        lots: vec![removal.lot],
        opened_at: now,
        state: ComplianceCheckState::Open { reopened: None },
    };
    let event = opened(&check);
    (check, vec![event])
}

/// The mandatory checks of `lot` that stand in the way of admission: not passed, expired, or still to be assessed.
pub fn blocking(checks: &[ComplianceCheck], lot: LotId, now: Instant) -> impl Iterator<Item = &ComplianceCheck> {
    checks.iter().filter(move |c| c.terms.mandatory && c.lots.contains(&lot) && !c.holds(now))
}

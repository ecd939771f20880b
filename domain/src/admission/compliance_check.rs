//! A compliance check: one requirement version tested once for an application, for every line that needs it
//! (A5, WAL-05). Admission rests on checks alone: no score, price or cap (DPS-02).

mod automatic;
mod event;
mod exclusions;
mod opening;

pub use automatic::{EvidenceFacts, ExclusionFinding, Facts, Finding, Outcome, automatic, confirmable};
pub use event::ComplianceCheckEvent;
pub use exclusions::exclusion_findings;
pub use opening::{Applicant, LotRequirement, blocking, open_checks, open_for_removal};

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};
use utoipa::ToSchema;
use validator::Validate;

use super::declaration_of_interests::{self, DeclarationOfInterests};
use crate::arrangement::requirement::RequirementRef;
use crate::arrangement::{EvidenceAsked, Gate, RequirementVersion, Test};
use crate::kernel::{
    Actor, Aggregate, ApplicationId, ArrangementId, ComplianceCheckId, Decision, Instant, LotId, ProviderId, RemovalId,
    Role, State, Violation, Violations,
};
use crate::provider::provider::reasoned;

crate::rules! {
    use EVIDENCE_REQUIRED;
    PROVIDER_NEVER_ASSESSES = "provider_never_assesses", Forbidden, "A5",
        "A provider never assesses a check; where a check is self-assessable, its submitted answers count.";
    NEEDS_ASSESSOR = "needs_assessor", Conflict, "A5", "Facts do not decide this check: an assessor judges it.";
    DECIDED_BY_FACTS = "decided_by_facts", Conflict, "DPS-02",
        "A check that facts decide is not passed by hand, but where they hold as the provider states them and an assessor names what confirms them; correct the facts and assess it again.";
    VALIDITY_PAST = "validity_past", Input, "A5", "What has expired does not pass.";
    SECOND_ASSESSOR = "second_assessor", Forbidden, "A5", "A proposed result is confirmed by another assessor.";
    APPLICATION_DECIDED = "application_decided", Conflict, "A5",
        "A check is reopened or waived only before the lines that rest on it are decided; one that expired is reopened later too.";
    EXCLUSION_NOT_WAIVABLE = "exclusion_not_waivable", Conflict, "PCR57, PA58",
        "A mandatory ground of exclusion is never waived, nor is a check that has not ruled one out.";
    REMOVAL_NOT_WAIVABLE = "removal_not_waivable", Conflict, "A8",
        "Whether the ground of a removal is remedied is decided with a reason; it is not set aside.";
    CHECK_NOT_EXPIRED = "check_not_expired", Conflict, "A5", "A pass expires when its validity ends.";
}

/// What of a requirement version a check keeps: the version never changes, so neither do these.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CheckTerms)]
pub struct Terms {
    /// What is required; the published reason when it is not met (PRO-25).
    pub title: String,
    /// How it is tested.
    pub test: Test,
    /// When it must be met.
    pub gate: Gate,
    /// Whether a line can be admitted without it.
    pub mandatory: bool,
    /// Whether the provider's own answers count (DPS-22).
    pub self_assessable: bool,
    /// The documents asked for.
    pub evidence: Vec<EvidenceAsked>,
    /// Months for which a document counts that names no expiry.
    pub validity_months: Option<u32>,
}

impl From<&RequirementVersion> for Terms {
    fn from(version: &RequirementVersion) -> Self {
        Self {
            title: version.title.clone(),
            test: version.test.clone(),
            gate: version.gate,
            mandatory: version.mandatory,
            self_assessable: version.self_assessable,
            evidence: version.evidence.clone(),
            validity_months: version.validity_months,
        }
    }
}

/// How a result came about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// From facts.
    Automatic,
    /// By an assessor.
    Manual,
    /// By the provider's submitted answers.
    SelfAssessment,
}

/// A result, with who, when and on what it rests (A5).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckResult {
    /// How it came about.
    pub method: Method,
    /// Subject of the account that assessed, or ran the assessment.
    pub assessor: String,
    /// The second assessor, where the policy asks for one.
    pub confirmed_by: Option<String>,
    /// When it was assessed.
    pub at: Instant,
    /// Why; always given for a failure.
    pub reason: String,
    /// References of the answers and documents it rests on.
    pub evidence: Vec<String>,
    /// The facts it rests on, explained.
    pub findings: Vec<Finding>,
    /// The instant from which a pass no longer counts.
    pub valid_until: Option<Instant>,
}

/// An assessor's judgement, as it is sent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Judgement {
    /// Whether the requirement is met.
    pub passed: bool,
    /// Why; required for a failure.
    #[serde(default)]
    pub reason: String,
    /// References of the answers and documents it rests on; required for a pass.
    #[serde(default)]
    pub evidence: Vec<String>,
    /// The instant from which a pass no longer counts.
    #[serde(default)]
    pub valid_until: Option<Instant>,
}

/// Where a check stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[strum(serialize_all = "snake_case")]
pub enum ComplianceCheckState {
    /// To be assessed.
    Open {
        /// Why it was opened again.
        reopened: Option<String>,
    },
    /// Assessed once; a second assessor confirms or returns it.
    Proposed {
        /// What the first assessor found.
        passed: bool,
        /// The result.
        result: CheckResult,
    },
    /// Met.
    Passed {
        /// The result.
        result: CheckResult,
    },
    /// Not met.
    Failed {
        /// The result.
        result: CheckResult,
    },
    /// Never decided: its application, or the line that needed it, ended before.
    Dropped {
        /// When.
        at: Instant,
        /// Why.
        reason: String,
    },
    /// Set aside by the lead.
    Waived {
        /// Why.
        reason: String,
        /// Subject of the account.
        by: String,
        /// When.
        at: Instant,
    },
    /// Was met until its evidence expired.
    Expired {
        /// The result that expired.
        result: CheckResult,
        /// When.
        expired_at: Instant,
    },
}

impl State for ComplianceCheckState {
    fn knows(&self) -> &'static [&'static str] {
        match self {
            Self::Open { .. } => &["assess", "record", "waive", "drop"],
            Self::Proposed { .. } => &["confirm", "return", "drop"],
            Self::Passed { .. } => &["reopen", "expire"],
            Self::Failed { .. } => &["reopen", "waive"],
            Self::Expired { .. } => &["reopen"],
            Self::Waived { .. } | Self::Dropped { .. } => &[],
        }
    }
}

/// One requirement version tested for one application (A5), or the ground of an earlier removal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ComplianceCheck {
    /// Identifier.
    pub id: ComplianceCheckId,
    /// The application.
    pub application: ApplicationId,
    /// Its arrangement.
    pub arrangement: ArrangementId,
    /// Its provider.
    pub provider: ProviderId,
    /// The version tested; absent where the check is about a removal.
    pub requirement: Option<RequirementRef>,
    /// The removal of the provider from the lot whose ground is to be remedied, where the check is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removal: Option<RemovalId>,
    /// The requirement's code: the reason code of a rejection that rests on it (PRO-25).
    pub code: String,
    /// What the version asks.
    pub terms: Terms,
    /// The lots whose lines need it.
    pub lots: Vec<LotId>,
    /// When it was opened.
    pub opened_at: Instant,
    /// State.
    #[serde(flatten)]
    pub state: ComplianceCheckState,
}

impl ComplianceCheck {
    /// Lets facts decide; [`NEEDS_ASSESSOR`] where they do not. Nobody judges, so no declaration is needed.
    pub fn assess(self, facts: &Facts<'_>, actor: &Actor, now: Instant) -> Decision<Self> {
        self.permit("assess")?;
        let Some(outcome) = automatic(&self.terms, facts, now) else {
            return Err(NEEDS_ASSESSOR.broken(self.terms.title.clone()).into());
        };
        let reason = if outcome.passed { String::new() } else { outcome.explain() };
        let result = CheckResult {
            method: outcome.method,
            assessor: actor.subject.clone(),
            confirmed_by: None,
            at: now,
            reason,
            evidence: facts.evidence.iter().map(|e| e.code.clone()).collect(),
            findings: outcome.findings,
            valid_until: outcome.valid_until,
        };
        Ok(self.settled(outcome.passed, result))
    }

    /// Records an assessor's judgement; with `second_assessor` (policy) it waits for another's confirmation. A test that facts
    /// decide is passed only where what the provider states of them would pass, which the assessor confirms by naming the proof.
    pub fn record(
        mut self,
        judgement: Judgement,
        facts: Option<&Facts<'_>>,
        declared: Option<&DeclarationOfInterests>,
        second_assessor: bool,
        actor: &Actor,
        now: Instant,
    ) -> Decision<Self> {
        self.permit("record")?;
        let Judgement { passed, reason, evidence, valid_until } = judgement;
        let evidence: Vec<String> =
            evidence.into_iter().map(|e| e.trim().to_owned()).filter(|e| !e.is_empty()).collect();
        let confirmed = facts.filter(|_| passed).and_then(|facts| confirmable(&self.terms, facts, now));
        let confirmed = confirmed.filter(|outcome| outcome.passed);
        let proven_until = confirmed.as_ref().and_then(|outcome| outcome.valid_until);
        // What is proven for a time does not count for longer.
        let valid_until = [valid_until, proven_until].into_iter().flatten().min().filter(|_| passed);
        let mut broken = Violations::new();
        self.barred(declared, actor).into_iter().for_each(|v| broken.add(v));
        if passed && self.removal.is_some() {
            // An officer decides it by what has changed since: the reason is what it rests on.
            broken.require_reason(&reason, "/reason");
        } else if passed {
            let by_hand = self.terms.test == Test::Manual || confirmed.is_some();
            broken.require(by_hand, &DECIDED_BY_FACTS, "/passed", "the facts do not hold as they are stated");
            broken.require(!evidence.is_empty(), &EVIDENCE_REQUIRED, "/evidence", "name what the pass rests on");
        } else {
            broken.require_reason(&reason, "/reason");
        }
        let ahead = valid_until.is_none_or(|end| end > now);
        broken.require(ahead, &VALIDITY_PAST, "/validUntil", "it lies in the past");
        broken.refuse_any()?;
        let result = CheckResult {
            method: Method::Manual,
            assessor: actor.subject.clone(),
            confirmed_by: None,
            at: now,
            reason: reason.trim().to_owned(),
            evidence,
            findings: confirmed.map(|outcome| outcome.findings).unwrap_or_default(),
            valid_until,
        };
        if second_assessor {
            self.state = ComplianceCheckState::Proposed { passed, result };
            let event = ComplianceCheckEvent::CheckProposed { code: self.code.clone() };
            return Ok((self, vec![event]));
        }
        Ok(self.settled(passed, result))
    }

    /// Confirms a proposed result, as another assessor than the first.
    pub fn confirm(self, declared: Option<&DeclarationOfInterests>, actor: &Actor, now: Instant) -> Decision<Self> {
        let (passed, mut result) = match &self.state {
            ComplianceCheckState::Proposed { passed, result } => (*passed, result.clone()),
            ComplianceCheckState::Open { .. }
            | ComplianceCheckState::Passed { .. }
            | ComplianceCheckState::Failed { .. }
            | ComplianceCheckState::Dropped { .. }
            | ComplianceCheckState::Waived { .. }
            | ComplianceCheckState::Expired { .. } => return Err(self.refused("confirm")),
        };
        let mut broken = Violations::new();
        self.barred(declared, actor).into_iter().for_each(|v| broken.add(v));
        if result.assessor == actor.subject {
            broken.add(SECOND_ASSESSOR.broken("the first assessor cannot be the second"));
        }
        if result.valid_until.is_some_and(|end| end <= now) {
            broken.add(VALIDITY_PAST.broken("it expired before it was confirmed: return it"));
        }
        broken.refuse_any()?;
        result.confirmed_by = Some(actor.subject.clone());
        Ok(self.settled(passed, result))
    }

    /// Returns a proposed result, to be assessed again.
    pub fn send_back(self, reason: &str, declared: Option<&DeclarationOfInterests>, actor: &Actor) -> Decision<Self> {
        self.permit("return")?;
        let mut broken = Violations::new();
        self.barred(declared, actor).into_iter().for_each(|v| broken.add(v));
        broken.require_reason(reason, "/reason");
        broken.refuse_any()?;
        self.opened_again(reason)
    }

    /// Opens a failed check again for new evidence, or a passed one against which something was found since (PCR57,
    /// PA36-5), unless a line that rests on it is `decided`; or an expired one.
    pub fn reopen(self, reason: &str, decided: bool) -> Decision<Self> {
        let too_late = match self.state {
            ComplianceCheckState::Passed { .. } | ComplianceCheckState::Failed { .. } => decided,
            ComplianceCheckState::Expired { .. } => false,
            ComplianceCheckState::Open { .. }
            | ComplianceCheckState::Proposed { .. }
            | ComplianceCheckState::Dropped { .. }
            | ComplianceCheckState::Waived { .. } => {
                return Err(self.refused("reopen"));
            }
        };
        let mut broken = Violations::new();
        if too_late {
            broken.add(APPLICATION_DECIDED.broken("a line that rests on it is decided; apply again"));
        }
        broken.require_reason(reason, "/reason");
        broken.refuse_any()?;
        self.opened_again(reason)
    }

    /// Sets the requirement aside for this application, unless a line that rests on it is `decided`. A mandatory ground of
    /// exclusion is never waived.
    pub fn waive(
        mut self,
        reason: &str,
        decided: bool,
        declared: Option<&DeclarationOfInterests>,
        actor: &Actor,
        now: Instant,
    ) -> Decision<Self> {
        self.permit("waive")?;
        let mut broken = Violations::new();
        if decided {
            broken.add(APPLICATION_DECIDED.broken("a line that rests on it is decided"));
        }
        self.barred(declared, actor).into_iter().for_each(|v| broken.add(v));
        broken.require_reason(reason, "/reason");
        if self.terms.test == Test::NoExclusion && !self.only_discretionary() {
            broken.add(EXCLUSION_NOT_WAIVABLE.broken("only discretionary grounds, once found, can be waived"));
        }
        if self.removal.is_some() {
            broken.add(REMOVAL_NOT_WAIVABLE.broken("record whether the ground is remedied"));
        }
        broken.refuse_any()?;
        let reason = reasoned(reason)?;
        self.state = ComplianceCheckState::Waived { reason: reason.clone(), by: actor.subject.clone(), at: now };
        let event = ComplianceCheckEvent::CheckWaived { code: self.code.clone(), reason };
        Ok((self, vec![event]))
    }

    /// Gives it up undecided: what needed it has ended.
    pub fn drop(mut self, reason: &str, now: Instant) -> Decision<Self> {
        self.permit("drop")?;
        let reason = reasoned(reason)?;
        self.state = ComplianceCheckState::Dropped { at: now, reason: reason.clone() };
        let event = ComplianceCheckEvent::CheckDropped { code: self.code.clone(), reason };
        Ok((self, vec![event]))
    }

    /// Ends a pass whose validity is over, effective from that instant however late this runs.
    pub fn tick(mut self, now: Instant) -> Decision<Self> {
        let result = match &self.state {
            ComplianceCheckState::Passed { result } => result.clone(),
            ComplianceCheckState::Open { .. }
            | ComplianceCheckState::Proposed { .. }
            | ComplianceCheckState::Failed { .. }
            | ComplianceCheckState::Dropped { .. }
            | ComplianceCheckState::Waived { .. }
            | ComplianceCheckState::Expired { .. } => return Err(self.refused("expire")),
        };
        let Some(expired_at) = result.valid_until.filter(|end| *end <= now) else {
            return Err(CHECK_NOT_EXPIRED.broken("nothing is due").into());
        };
        self.state = ComplianceCheckState::Expired { result, expired_at };
        let event = ComplianceCheckEvent::CheckExpired { code: self.code.clone(), expired_at };
        Ok((self, vec![event]))
    }

    /// Whether the requirement counts as met at `now`: passed and still valid, or waived.
    #[must_use]
    pub fn holds(&self, now: Instant) -> bool {
        match &self.state {
            ComplianceCheckState::Passed { result } => result.valid_until.is_none_or(|end| now < end),
            ComplianceCheckState::Waived { .. } => true,
            ComplianceCheckState::Open { .. }
            | ComplianceCheckState::Proposed { .. }
            | ComplianceCheckState::Failed { .. }
            | ComplianceCheckState::Dropped { .. }
            | ComplianceCheckState::Expired { .. } => false,
        }
    }

    /// The result that stands, if any.
    #[must_use]
    pub fn result(&self) -> Option<&CheckResult> {
        match &self.state {
            ComplianceCheckState::Proposed { result, .. }
            | ComplianceCheckState::Passed { result }
            | ComplianceCheckState::Failed { result }
            | ComplianceCheckState::Expired { result, .. } => Some(result),
            ComplianceCheckState::Open { .. }
            | ComplianceCheckState::Dropped { .. }
            | ComplianceCheckState::Waived { .. } => None,
        }
    }

    /// Why this actor may not judge the check (A5, BEY-08).
    fn barred(&self, declared: Option<&DeclarationOfInterests>, actor: &Actor) -> Option<Violation> {
        if actor.provider.is_some() || matches!(actor.role, Role::Provider | Role::Portal) {
            return Some(PROVIDER_NEVER_ASSESSES.broken("the actor acts for a provider"));
        }
        declaration_of_interests::permits(declared, self.arrangement, self.provider, actor).err()
    }

    fn settled(mut self, passed: bool, result: CheckResult) -> (Self, Vec<ComplianceCheckEvent>) {
        let (code, method) = (self.code.clone(), result.method);
        let event = if passed {
            ComplianceCheckEvent::CheckPassed { code, method, valid_until: result.valid_until }
        } else {
            ComplianceCheckEvent::CheckFailed { code, method, reason: result.reason.clone() }
        };
        self.state =
            if passed { ComplianceCheckState::Passed { result } } else { ComplianceCheckState::Failed { result } };
        (self, vec![event])
    }

    fn opened_again(mut self, reason: &str) -> Decision<Self> {
        let reason = reasoned(reason)?;
        self.state = ComplianceCheckState::Open { reopened: Some(reason.clone()) };
        let event = ComplianceCheckEvent::CheckReopened { code: self.code.clone(), reason };
        Ok((self, vec![event]))
    }

    /// Whether facts showed exclusion grounds and all that apply are discretionary.
    fn only_discretionary(&self) -> bool {
        self.result().is_some_and(|result| {
            !result.findings.is_empty()
                && result.findings.iter().all(|f| match f {
                    Finding::Exclusion(e) => !(e.applies && e.mandatory),
                    Finding::Fact { .. } => true,
                    Finding::Missing { .. } | Finding::Share(_) => false,
                })
        })
    }
}

#[cfg(test)]
mod tests;

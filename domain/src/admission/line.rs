//! One lot within an application, and the only decision that its compliance checks allow (DPS-02).

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};
use utoipa::ToSchema;

use crate::arrangement::Gate;
use crate::arrangement::requirement::RequirementRef;
use crate::kernel::{Actor, Instant, LotId, MembershipId, Refusal, Violations};

crate::rules! {
    CHECK_OPEN = "check_open", Conflict, "DPS-02", "A line is decided when none of its mandatory checks is open.";
    CHECK_FAILED = "check_failed", Input, "DPS-02, AC-08", "A line is admitted only if no mandatory check failed.";
    REJECTION_UNFOUNDED = "rejection_unfounded", Input, "DPS-02, AC-07",
        "A line whose mandatory checks are all passed or waived is admitted: there is no discretion.";
    REJECTION_REASON_MISSING = "rejection_reason_missing", Input, "PRO-25", "A rejection names at least one published reason.";
    REJECTION_REASON_UNPUBLISHED = "rejection_reason_unpublished", Input, "PRO-25",
        "A reason for rejection is the code of a mandatory requirement that was failed.";
}

/// What every notice of an admission says (DPS-05).
pub const ADMISSION_STATEMENT: &str =
    "Admission guarantees no award of any individual contract, and creates no contract and no commitment to spend.";

/// One lot of an application.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// The lot applied to.
    pub lot: LotId,
    /// Where the line stands.
    pub status: LineStatus,
    /// Rejections that were set aside on appeal, oldest first (BEY-05).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reopened: Vec<Reopening>,
}

/// Where a line stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[strum(serialize_all = "snake_case")]
pub enum LineStatus {
    /// Submitted, not looked at yet.
    Pending,
    /// Under evaluation.
    InEvaluation,
    /// Accepted onto the lot.
    Admitted {
        /// The membership that it led to.
        membership: MembershipId,
        /// When.
        at: Instant,
        /// The subject who decided.
        by: String,
    },
    /// Not accepted.
    Rejected(Rejection),
    /// Taken back by the provider.
    Withdrawn {
        /// When.
        at: Instant,
    },
    /// Left undecided, because the arrangement ended.
    Lapsed {
        /// When.
        at: Instant,
    },
}

impl LineStatus {
    /// The name of the state.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.into()
    }

    /// Whether a decision is yet to come.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        match self {
            LineStatus::Pending | LineStatus::InEvaluation => true,
            LineStatus::Admitted { .. }
            | LineStatus::Rejected(_)
            | LineStatus::Withdrawn { .. }
            | LineStatus::Lapsed { .. } => false,
        }
    }
}

/// Why, when and by whom a line was not accepted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rejection {
    /// At least one.
    pub reasons: Vec<Reason>,
    /// When.
    pub at: Instant,
    /// The subject who decided.
    pub by: String,
    /// Feedback to the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A published reason for a rejection (PRO-25).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reason {
    /// The requirement's code.
    pub code: String,
    /// The requirement's title, as it was published.
    pub text: String,
    /// The requirement that is not met; absent where it is the ground of an earlier removal.
    pub requirement: Option<RequirementRef>,
}

/// A rejection that was set aside.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reopening {
    /// Why.
    pub reason: String,
    /// When.
    pub at: Instant,
    /// The subject who reopened the line.
    pub by: String,
    /// What was decided before.
    pub rejection: Rejection,
}

/// The decision on one line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "decision", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum LineDecision {
    /// Accept.
    Admit {
        /// The id of the membership to be created.
        membership: MembershipId,
    },
    /// Do not accept.
    Reject {
        /// Codes of requirements that were failed.
        reasons: Vec<String>,
        /// Feedback to the provider.
        #[serde(default)]
        note: Option<String>,
    },
}

/// What is known of one compliance check.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CheckOutcome {
    /// No result yet.
    Open,
    /// Met.
    Passed,
    /// Not met.
    Failed,
    /// Not insisted on, by the lead agency.
    Waived,
}

/// The check of one requirement of a lot, as a decision needs it. The caller gives one for each requirement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CheckFact {
    /// The requirement; absent where the check is about an earlier removal.
    pub requirement: Option<RequirementRef>,
    /// Its code in the library.
    pub code: String,
    /// What it requires.
    pub title: String,
    /// Whether a line can be admitted without it.
    pub mandatory: bool,
    /// When it must be met; only `membership` bears on admission.
    pub gate: Gate,
    /// Its result.
    pub outcome: CheckOutcome,
}

/// Judges one line on its mandatory membership-gate checks: the others do not bear on admission.
pub(super) fn judge(
    decision: LineDecision,
    checks: &[CheckFact],
    actor: &Actor,
    now: Instant,
) -> Result<LineStatus, Refusal> {
    let mut broken = Violations::new();
    let mut failed = Vec::new();
    for check in checks.iter().filter(|c| c.mandatory && c.gate.is_asked_at_admission()) {
        match check.outcome {
            CheckOutcome::Open => broken.add(CHECK_OPEN.broken(format!("{}: {}", check.code, check.title))),
            CheckOutcome::Failed => failed.push(check),
            CheckOutcome::Passed | CheckOutcome::Waived => {}
        }
    }
    let by = actor.subject.clone();
    match decision {
        LineDecision::Admit { membership } => {
            for check in failed {
                broken.add(CHECK_FAILED.broken_at("/decision", format!("{}: {}", check.code, check.title)));
            }
            broken.refuse_any()?;
            Ok(LineStatus::Admitted { membership, at: now, by })
        }
        LineDecision::Reject { reasons: codes, note } => {
            // An open check is its own violation: whether the rejection has a ground is not known before.
            broken.refuse_any()?;
            if failed.is_empty() {
                let detail = "every mandatory check is passed or waived";
                return Err(REJECTION_UNFOUNDED.broken_at("/decision", detail).into());
            }
            let mut broken = Violations::new();
            broken.require(!codes.is_empty(), &REJECTION_REASON_MISSING, "/reasons", "no reason is given");
            let mut reasons: Vec<Reason> = Vec::new();
            for (i, code) in codes.iter().enumerate() {
                match failed.iter().find(|check| check.code == *code) {
                    None => broken.add(REJECTION_REASON_UNPUBLISHED.broken_at(
                        format!("/reasons/{i}"),
                        format!("`{code}` is not the code of a mandatory requirement that was failed"),
                    )),
                    Some(_) if reasons.iter().any(|r| r.code == *code) => {}
                    Some(check) => reasons.push(Reason {
                        code: check.code.clone(),
                        text: check.title.clone(),
                        requirement: check.requirement,
                    }),
                }
            }
            broken.refuse_any()?;
            Ok(LineStatus::Rejected(Rejection { reasons, at: now, by, note }))
        }
    }
}

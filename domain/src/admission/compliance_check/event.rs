//! What happens to a check, and who may see it.

use serde::Serialize;

use super::{ComplianceCheck, ComplianceCheckState, Method};
use crate::arrangement::requirement::RequirementRef;
use crate::kernel::{About, Aggregate, Audience, ComplianceCheckId, Due, Instant, Kind, LotId};

/// Events of a check, for the buying side alone: a provider reads its checks once its application is decided. A proposed
/// result stays with its assessors, so its event does not tell it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
#[expect(missing_docs, reason = "variants and fields say what happened in the words of the commands")]
pub enum ComplianceCheckEvent {
    CheckOpened {
        check: ComplianceCheckId,
        code: String,
        requirement: RequirementRef,
        lots: Vec<LotId>,
        mandatory: bool,
    },
    CheckProposed {
        check: ComplianceCheckId,
        code: String,
    },
    CheckPassed {
        check: ComplianceCheckId,
        code: String,
        method: Method,
        valid_until: Option<Instant>,
    },
    CheckFailed {
        check: ComplianceCheckId,
        code: String,
        method: Method,
        reason: String,
    },
    CheckWaived {
        check: ComplianceCheckId,
        code: String,
        reason: String,
    },
    CheckReopened {
        check: ComplianceCheckId,
        code: String,
        reason: String,
    },
    CheckExpired {
        check: ComplianceCheckId,
        code: String,
        expired_at: Instant,
    },
}

impl Aggregate for ComplianceCheck {
    type Event = ComplianceCheckEvent;
    const KIND: Kind = Kind::ComplianceCheck;
    const CLOCK: &'static [&'static str] = &["expire"];

    fn id(&self) -> uuid::Uuid {
        self.id.0
    }

    fn state(&self) -> &'static str {
        match self.state {
            ComplianceCheckState::Open { .. } => "open",
            ComplianceCheckState::Proposed { .. } => "proposed",
            ComplianceCheckState::Passed { .. } => "passed",
            ComplianceCheckState::Failed { .. } => "failed",
            ComplianceCheckState::Waived { .. } => "waived",
            ComplianceCheckState::Expired { .. } => "expired",
        }
    }

    fn about(&self) -> About {
        let lot = match self.lots.as_slice() {
            [only] => Some(*only),
            _ => None,
        };
        About {
            arrangement: Some(self.arrangement),
            lot,
            provider: Some(self.provider),
            application: Some(self.application),
        }
    }

    fn audience(&self, _event: &ComplianceCheckEvent) -> Audience {
        Audience::Buyers
    }

    fn due(&self) -> Option<Due> {
        match &self.state {
            ComplianceCheckState::Passed { result } => result.valid_until.map(|at| Due { at, what: "expire" }),
            ComplianceCheckState::Open { .. }
            | ComplianceCheckState::Proposed { .. }
            | ComplianceCheckState::Failed { .. }
            | ComplianceCheckState::Waived { .. }
            | ComplianceCheckState::Expired { .. } => None,
        }
    }
}

//! What happens to a check, and who may see it.

use serde::Serialize;

use super::{Check, CheckState, Method};
use crate::arrangement::requirement::RequirementRef;
use crate::kernel::{About, Aggregate, Audience, CheckId, Due, Instant, Kind, LotId};

/// Events of a check, for the buying side alone: a provider reads its checks once its application is decided. A proposed
/// result stays with its assessors, so its event does not tell it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
#[expect(missing_docs, reason = "variants and fields say what happened in the words of the commands")]
pub enum CheckEvent {
    CheckOpened { check: CheckId, code: String, requirement: RequirementRef, lots: Vec<LotId>, mandatory: bool },
    CheckProposed { check: CheckId, code: String },
    CheckPassed { check: CheckId, code: String, method: Method, valid_until: Option<Instant> },
    CheckFailed { check: CheckId, code: String, method: Method, reason: String },
    CheckWaived { check: CheckId, code: String, reason: String },
    CheckReopened { check: CheckId, code: String, reason: String },
    CheckExpired { check: CheckId, code: String, expired_at: Instant },
}

impl Aggregate for Check {
    type Event = CheckEvent;
    const KIND: Kind = Kind::Check;

    fn id(&self) -> uuid::Uuid {
        self.id.0
    }

    fn state(&self) -> &'static str {
        match self.state {
            CheckState::Open { .. } => "open",
            CheckState::Proposed { .. } => "proposed",
            CheckState::Passed { .. } => "passed",
            CheckState::Failed { .. } => "failed",
            CheckState::Waived { .. } => "waived",
            CheckState::Expired { .. } => "expired",
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

    fn audience(&self, _event: &CheckEvent) -> Audience {
        Audience::Buyers
    }

    fn due(&self) -> Option<Due> {
        match &self.state {
            CheckState::Passed { result } => result.valid_until.map(|at| Due { at, what: "expire" }),
            CheckState::Open { .. }
            | CheckState::Proposed { .. }
            | CheckState::Failed { .. }
            | CheckState::Waived { .. }
            | CheckState::Expired { .. } => None,
        }
    }
}

//! Events of a compliance check, and who may see them.

use serde::Serialize;
use strum::VariantNames;
use utoipa::ToSchema;

use super::{ComplianceCheck, ComplianceCheckState, Method};
use crate::arrangement::requirement::RequirementRef;
use crate::kernel::{About, Aggregate, Audience, ComplianceCheckId, Due, Instant, Kind, LotId, RemovalId};

/// Events of a check, for the buying side alone: a provider reads its checks once its application is decided. A proposed
/// result stays with its assessors, so its event does not tell it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema, VariantNames)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum ComplianceCheckEvent {
    /// It is to be assessed.
    CheckOpened {
        /// The requirement's code.
        code: String,
        /// The requirement in the version that is tested, where it is about one.
        requirement: Option<RequirementRef>,
        /// The removal whose ground is to be remedied, where it is about one.
        #[serde(skip_serializing_if = "Option::is_none")]
        removal: Option<RemovalId>,
        /// The lots whose lines need it.
        lots: Vec<LotId>,
        /// Whether a line without it is refused.
        mandatory: bool,
    },
    /// It was assessed once, and waits for a second assessor.
    CheckProposed {
        /// The requirement's code.
        code: String,
    },
    /// The requirement is met.
    CheckPassed {
        /// The requirement's code.
        code: String,
        /// How the result came about.
        method: Method,
        /// The instant from which it no longer counts.
        valid_until: Option<Instant>,
    },
    /// The requirement is not met.
    CheckFailed {
        /// The requirement's code.
        code: String,
        /// How the result came about.
        method: Method,
        /// Why.
        reason: String,
    },
    /// The lead set it aside.
    CheckWaived {
        /// The requirement's code.
        code: String,
        /// Why.
        reason: String,
    },
    /// It was never decided: what needed it has ended.
    CheckDropped {
        /// The requirement's code.
        code: String,
        /// Why.
        reason: String,
    },
    /// It is to be assessed again.
    CheckReopened {
        /// The requirement's code.
        code: String,
        /// Why.
        reason: String,
    },
    /// The evidence of a pass is out of date.
    CheckExpired {
        /// The requirement's code.
        code: String,
        /// Since when.
        expired_at: Instant,
    },
}

impl Aggregate for ComplianceCheck {
    type Id = ComplianceCheckId;
    type State = ComplianceCheckState;
    type Event = ComplianceCheckEvent;
    const KIND: Kind = Kind::ComplianceCheck;
    const CLOCK: &'static [&'static str] = &["expire"];

    fn id(&self) -> ComplianceCheckId {
        self.id
    }

    fn state(&self) -> &ComplianceCheckState {
        &self.state
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
            | ComplianceCheckState::Dropped { .. }
            | ComplianceCheckState::Waived { .. }
            | ComplianceCheckState::Expired { .. } => None,
        }
    }
}

//! A provider's appeal against a rejection, suspension or removal (BEY-05). The sources set no time limit.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};
use utoipa::ToSchema;

use crate::kernel::{
    About, Actor, Aggregate, AppealId, ApplicationId, ArrangementId, Decision, Instant, Kind, LotId, ProviderId,
    Refusal, RemovalId, State, SuspensionId, Violations,
};

crate::rules! {
    APPEAL_PENDING = "appeal_pending", Conflict, "BEY-05",
        "A decision is under at most one appeal at once.";
    NOTHING_TO_APPEAL = "nothing_to_appeal", Conflict, "BEY-05",
        "An appeal is made against a decision: a rejected line, an imposed suspension, a decided removal.";
    OWN_DECISION = "own_decision", Forbidden, "BEY-05",
        "An appeal is decided by someone other than who made the decision.";
}

/// What an appeal is made against.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum AppealTarget {
    /// The rejection of one line of an application.
    Line {
        /// The application.
        application: ApplicationId,
        /// The lot of the line.
        lot: LotId,
    },
    /// A suspension.
    Suspension {
        /// Which.
        suspension: SuspensionId,
    },
    /// A removal.
    Removal {
        /// Which.
        removal: RemovalId,
    },
}

/// The state of an appeal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[strum(serialize_all = "snake_case")]
pub enum AppealState {
    /// To be decided.
    Lodged,
    /// The provider was right.
    Upheld {
        /// When.
        at: Instant,
        /// Subject of who decided.
        by: String,
        /// Why.
        reason: String,
    },
    /// The decision stands.
    Dismissed {
        /// When.
        at: Instant,
        /// Subject of who decided.
        by: String,
        /// Why.
        reason: String,
    },
    /// Closed undecided, because the arrangement ended.
    Lapsed {
        /// When.
        at: Instant,
        /// Why.
        reason: String,
    },
    /// Taken back by the provider.
    Withdrawn {
        /// When.
        at: Instant,
    },
}

impl State for AppealState {
    fn knows(&self) -> &'static [&'static str] {
        match self {
            Self::Lodged => &["uphold", "dismiss", "withdraw", "lapse"],
            Self::Upheld { .. } | Self::Dismissed { .. } | Self::Lapsed { .. } | Self::Withdrawn { .. } => &[],
        }
    }
}

/// An appeal (BEY-05).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Appeal {
    /// Identifier.
    pub id: AppealId,
    /// The arrangement.
    pub arrangement: ArrangementId,
    /// The appellant.
    pub provider: ProviderId,
    /// Against what.
    pub target: AppealTarget,
    /// Why, in the provider's words.
    pub grounds: String,
    /// When.
    pub lodged_at: Instant,
    /// Subject of who lodged it.
    pub lodged_by: String,
    /// Subject of who made the decision appealed against.
    pub original_decider: String,
    /// State.
    #[serde(flatten)]
    pub state: AppealState,
}

/// The command to lodge an appeal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LodgeAppeal {
    /// The arrangement.
    pub arrangement: ArrangementId,
    /// The appellant.
    pub provider: ProviderId,
    /// Against what.
    pub target: AppealTarget,
    /// Why.
    pub grounds: String,
}

/// What an appeal depends on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AppealFacts {
    /// Subject of who decided: `decided_by`, `imposed_by`, `decision.by`; `None` where nothing is decided.
    pub original_decider: Option<String>,
    /// Whether another appeal against the same target is lodged.
    pub appeal_pending: bool,
}

/// What happened to an appeal. The grounds stay in the appeal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, VariantNames)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum AppealEvent {
    /// Lodged.
    AppealLodged {
        /// Against what.
        target: AppealTarget,
    },
    /// The provider was right.
    AppealUpheld {
        /// Against what.
        target: AppealTarget,
        /// Why.
        reason: String,
    },
    /// The decision stands.
    AppealDismissed {
        /// Against what.
        target: AppealTarget,
        /// Why.
        reason: String,
    },
    /// Closed undecided, because the arrangement ended.
    AppealLapsed {
        /// Why.
        reason: String,
    },
    /// Taken back.
    AppealWithdrawn,
}

impl Aggregate for Appeal {
    type Id = AppealId;
    type State = AppealState;
    type Event = AppealEvent;
    const KIND: Kind = Kind::Appeal;

    fn id(&self) -> AppealId {
        self.id
    }

    fn state(&self) -> &AppealState {
        &self.state
    }

    fn about(&self) -> About {
        let (application, lot) = match self.target {
            AppealTarget::Line { application, lot } => (Some(application), Some(lot)),
            AppealTarget::Suspension { .. } | AppealTarget::Removal { .. } => (None, None),
        };
        About { arrangement: Some(self.arrangement), lot, provider: Some(self.provider), application }
    }
}

impl Appeal {
    /// Lodges an appeal; the decision stays in effect until the appeal is upheld.
    pub fn lodge(id: AppealId, order: LodgeAppeal, facts: AppealFacts, actor: &Actor, now: Instant) -> Decision<Self> {
        let LodgeAppeal { arrangement, provider, target, grounds } = order;
        let mut broken = Violations::new();
        broken.require_reason(&grounds, "/grounds");
        if facts.appeal_pending {
            broken.add(APPEAL_PENDING.broken_at("/target", "an appeal against it is under way"));
        }
        if facts.original_decider.is_none() {
            broken.add(NOTHING_TO_APPEAL.broken_at("/target", "nothing has been decided against the provider"));
        }
        broken.refuse_any()?;
        let appeal = Self {
            id,
            arrangement,
            provider,
            target,
            grounds,
            lodged_at: now,
            lodged_by: actor.subject.clone(),
            original_decider: facts.original_decider.unwrap_or_default(),
            state: AppealState::Lodged,
        };
        Ok((appeal, vec![AppealEvent::AppealLodged { target }]))
    }

    /// Decides for the provider; what follows (lifting, revoking, a new decision) is done on the target. `second` is who confirmed what two decided.
    pub fn uphold(mut self, reason: String, second: Option<&str>, actor: &Actor, now: Instant) -> Decision<Self> {
        self.judge("uphold", &reason, second, actor)?;
        let event = AppealEvent::AppealUpheld { target: self.target, reason: reason.clone() };
        self.state = AppealState::Upheld { at: now, by: actor.subject.clone(), reason };
        Ok((self, vec![event]))
    }

    /// Decides against the provider; `second` as in [`Appeal::uphold`].
    pub fn dismiss(mut self, reason: String, second: Option<&str>, actor: &Actor, now: Instant) -> Decision<Self> {
        self.judge("dismiss", &reason, second, actor)?;
        let event = AppealEvent::AppealDismissed { target: self.target, reason: reason.clone() };
        self.state = AppealState::Dismissed { at: now, by: actor.subject.clone(), reason };
        Ok((self, vec![event]))
    }

    /// The provider takes it back.
    pub fn withdraw(mut self, now: Instant) -> Decision<Self> {
        self.permit("withdraw")?;
        self.state = AppealState::Withdrawn { at: now };
        let event = AppealEvent::AppealWithdrawn;
        Ok((self, vec![event]))
    }

    /// Closes it undecided, because the arrangement ended.
    pub fn lapse(mut self, reason: String, now: Instant) -> Decision<Self> {
        self.permit("lapse")?;
        let event = AppealEvent::AppealLapsed { reason: reason.clone() };
        self.state = AppealState::Lapsed { at: now, reason };
        Ok((self, vec![event]))
    }

    fn judge(&self, attempted: &'static str, reason: &str, second: Option<&str>, actor: &Actor) -> Result<(), Refusal> {
        self.permit(attempted)?;
        let mut broken = Violations::new();
        broken.require_reason(reason, "/reason");
        if actor.subject == self.original_decider || second == Some(actor.subject.as_str()) {
            broken.add(OWN_DECISION.broken("you made the decision that this appeal is about"));
        }
        broken.refuse_any()
    }
}

#[cfg(test)]
mod tests;

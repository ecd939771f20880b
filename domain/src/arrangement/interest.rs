//! A provider's interest in an arrangement, registered inside its window (A19, PRO-07).

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};
use utoipa::ToSchema;

use super::Arrangement;
use crate::kernel::{
    About, Aggregate, ArrangementId, Decision, Instant, InterestId, Kind, ProviderId, State, Violations,
};

crate::rules! {
    INTEREST_WINDOW_CLOSED = "interest_window_closed", Conflict, "PRO-07", "Interest is registered only inside the window.";
    NOT_PUBLISHED = "arrangement_not_published", Conflict, "PRO-03", "Interest is registered in a market that is published and not over.";
    INTEREST_REGISTERED = "interest_registered", Conflict, "PRO-07", "A provider registers its interest in an arrangement once.";
}

/// When interest may be registered: half-open, to the minute as portals print it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InterestWindow {
    /// First instant.
    pub from: Instant,
    /// First instant after it.
    pub to: Instant,
}

/// Where an interest stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[strum(serialize_all = "snake_case")]
pub enum InterestState {
    /// It stands.
    Registered,
    /// The provider took it back.
    Withdrawn {
        /// When.
        withdrawn_at: Instant,
    },
    /// The arrangement ended.
    Ended {
        /// When.
        ended_at: Instant,
    },
}

impl State for InterestState {
    fn knows(&self) -> &'static [&'static str] {
        match self {
            Self::Registered => &["withdraw", "end"],
            Self::Withdrawn { .. } | Self::Ended { .. } => &[],
        }
    }
}

/// A provider's interest in an arrangement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Interest {
    /// Identifier.
    pub id: InterestId,
    /// The arrangement.
    pub arrangement: ArrangementId,
    /// Who is interested.
    pub provider: ProviderId,
    /// Since when.
    pub registered_at: Instant,
    /// State.
    #[serde(flatten)]
    pub state: InterestState,
}

/// What happened to an interest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema, VariantNames)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum InterestEvent {
    /// It was registered.
    InterestRegistered,
    /// The provider took it back.
    InterestWithdrawn,
    /// The arrangement ended.
    InterestEnded,
}

impl Aggregate for Interest {
    type Id = InterestId;
    type State = InterestState;
    type Event = InterestEvent;
    const KIND: Kind = Kind::Interest;

    fn id(&self) -> InterestId {
        self.id
    }

    fn state(&self) -> &InterestState {
        &self.state
    }

    fn about(&self) -> About {
        About { arrangement: Some(self.arrangement), provider: Some(self.provider), ..About::default() }
    }
}

impl Interest {
    /// Registers interest; `registered` is whether the provider has one that stands.
    pub fn register(
        id: InterestId,
        provider: ProviderId,
        arrangement: &Arrangement,
        registered: bool,
        now: Instant,
    ) -> Decision<Self> {
        let mut broken = Violations::new();
        if arrangement.in_force_at(now).is_none() {
            broken.add(NOT_PUBLISHED.broken("the arrangement is not published, or over"));
        }
        if let Some(window) = arrangement.particulars.interest_window.filter(|w| now < w.from || w.to <= now) {
            broken.add(INTEREST_WINDOW_CLOSED.broken(format!("the window is from {} to {}", window.from, window.to)));
        }
        if registered {
            broken.add(INTEREST_REGISTERED.broken("the interest is registered already"));
        }
        broken.refuse_any()?;
        let new =
            Self { id, arrangement: arrangement.id, provider, registered_at: now, state: InterestState::Registered };
        Ok((new, vec![InterestEvent::InterestRegistered]))
    }

    /// Ends it with the arrangement.
    pub fn end(mut self, now: Instant) -> Decision<Self> {
        self.permit("end")?;
        self.state = InterestState::Ended { ended_at: now };
        Ok((self, vec![InterestEvent::InterestEnded]))
    }

    /// Takes it back.
    pub fn withdraw(mut self, now: Instant) -> Decision<Self> {
        self.permit("withdraw")?;
        self.state = InterestState::Withdrawn { withdrawn_at: now };
        let event = InterestEvent::InterestWithdrawn;
        Ok((self, vec![event]))
    }
}

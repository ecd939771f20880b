//! A provider's interest in an arrangement, registered inside its window (A19, PRO-07).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Arrangement, Commands};
use crate::kernel::{About, Aggregate, ArrangementId, Decision, Instant, InterestId, Kind, ProviderId, Violations};

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
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum InterestState {
    /// It stands.
    Registered,
    /// The provider took it back.
    Withdrawn {
        /// When.
        withdrawn_at: Instant,
    },
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
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
#[expect(missing_docs, reason = "past tense of the commands")]
pub enum InterestEvent {
    InterestRegistered { interest: InterestId },
    InterestWithdrawn { interest: InterestId },
}

use InterestEvent as Event;
use InterestState as State;

impl Aggregate for Interest {
    type Event = Event;
    const KIND: Kind = Kind::Interest;

    fn id(&self) -> uuid::Uuid {
        self.id.0
    }

    fn state(&self) -> &'static str {
        match self.state {
            State::Registered => "registered",
            State::Withdrawn { .. } => "withdrawn",
        }
    }

    fn about(&self) -> About {
        About { arrangement: Some(self.arrangement), provider: Some(self.provider), ..About::default() }
    }
}

impl Commands for Interest {
    fn allowed(&self) -> &'static [&'static str] {
        match self.state {
            State::Registered => &["withdraw"],
            State::Withdrawn { .. } => &[],
        }
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
        let mut found = Violations::new();
        if arrangement.in_force().is_none() {
            found.add(NOT_PUBLISHED.broken("the arrangement is not published, or over"));
        }
        if let Some(window) = arrangement.particulars.interest_window.filter(|w| now < w.from || w.to <= now) {
            found.add(INTEREST_WINDOW_CLOSED.broken(format!("the window is from {} to {}", window.from, window.to)));
        }
        if registered {
            found.add(INTEREST_REGISTERED.broken("the interest is registered already"));
        }
        found.refuse_any()?;
        let new = Self { id, arrangement: arrangement.id, provider, registered_at: now, state: State::Registered };
        Ok((new, vec![Event::InterestRegistered { interest: id }]))
    }

    /// Takes it back.
    pub fn withdraw(mut self, now: Instant) -> Decision<Self> {
        self.permit("withdraw")?;
        self.state = State::Withdrawn { withdrawn_at: now };
        let event = Event::InterestWithdrawn { interest: self.id };
        Ok((self, vec![event]))
    }
}

//! Events of a round, and what the clock does to it.

use serde::{Deserialize, Serialize};
use strum::VariantNames;
use utoipa::ToSchema;

use super::{LotScope, Round, RoundState};
use crate::arrangement::Window;
use crate::kernel::{About, Aggregate, Audience, DeadlineKind, Due, Instant, Kind, RoundId, StatedDeadline};

/// What happened to a round.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, VariantNames)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum RoundEvent {
    /// It was announced.
    RoundScheduled {
        /// Its number in the arrangement.
        number: u32,
        /// First instant of receipt.
        opens_at: Instant,
        /// First instant after receipt.
        closes_at: Instant,
        /// Which lots it receives for.
        lots: LotScope,
        /// Why it was put in beside those that the policies time, if it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        extra: Option<String>,
    },
    /// It closes later than was announced.
    RoundLengthened {
        /// Its number in the arrangement.
        number: u32,
        /// First instant of receipt.
        opens_at: Instant,
        /// When it was to close before.
        from: Instant,
        /// When it closes.
        closes_at: Instant,
        /// Why.
        reason: String,
    },
    /// Its cancellation was undone.
    RoundReinstated {
        /// Its number in the arrangement.
        number: u32,
        /// First instant of receipt.
        opens_at: Instant,
        /// First instant after receipt.
        closes_at: Instant,
        /// Why.
        reason: String,
    },
    /// It ended unfinished, with its arrangement.
    RoundEnded {
        /// Its number in the arrangement.
        number: u32,
        /// Why.
        reason: String,
    },
    /// It opened.
    RoundOpened {
        /// Its number in the arrangement.
        number: u32,
        /// When, however late it was noticed.
        effective_at: Instant,
    },
    /// It closed.
    RoundClosed {
        /// Its number in the arrangement.
        number: u32,
        /// When, however late it was noticed.
        effective_at: Instant,
    },
    /// Checks and decisions began.
    EvaluationStarted {
        /// Its number in the arrangement.
        number: u32,
    },
    /// Every line is decided.
    RoundCompleted {
        /// Its number in the arrangement.
        number: u32,
    },
    /// It was called off.
    RoundCancelled {
        /// Its number in the arrangement.
        number: u32,
        /// Why.
        reason: String,
    },
}

impl Aggregate for Round {
    type Id = RoundId;
    type State = RoundState;
    type Event = RoundEvent;
    const KIND: Kind = Kind::Round;
    const CLOCK: &'static [&'static str] = &["open", "close"];

    fn id(&self) -> RoundId {
        self.id
    }

    fn state(&self) -> &RoundState {
        &self.state
    }

    fn about(&self) -> About {
        let lot = match &self.lots {
            LotScope::Some { lots } => match lots.as_slice() {
                [only] => Some(*only),
                _ => None,
            },
            LotScope::All => None,
        };
        About { arrangement: Some(self.arrangement), lot, ..About::default() }
    }

    fn audience(&self, _event: &RoundEvent) -> Audience {
        Audience::Everyone
    }

    fn deadlines(&self) -> Vec<StatedDeadline> {
        let Window { opens_at, closes_at, evaluation_to, .. } = self.window;
        match self.state {
            RoundState::Scheduled => vec![StatedDeadline::at(DeadlineKind::RoundOpens, opens_at)],
            RoundState::Open => vec![StatedDeadline::at(DeadlineKind::RoundCloses, closes_at)],
            RoundState::Closed | RoundState::Evaluating { .. } => {
                vec![StatedDeadline::at(DeadlineKind::Evaluation, evaluation_to)]
            }
            RoundState::Completed { .. } | RoundState::Ended { .. } | RoundState::Cancelled { .. } => Vec::new(),
        }
    }

    fn due(&self) -> Option<Due> {
        match self.state {
            RoundState::Scheduled => Some(Due { at: self.window.opens_at, what: "open" }),
            RoundState::Open => Some(Due { at: self.window.closes_at, what: "close" }),
            RoundState::Closed
            | RoundState::Evaluating { .. }
            | RoundState::Completed { .. }
            | RoundState::Ended { .. }
            | RoundState::Cancelled { .. } => None,
        }
    }
}

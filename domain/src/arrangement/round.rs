//! The round (A3): SCHEDULED → OPEN → CLOSED → EVALUATING → COMPLETED, or CANCELLED before it opens.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};
use utoipa::ToSchema;
use validator::Validate;

use super::schedule::uses_rounds;
use super::{ARRANGEMENT_NOT_IN_FORCE, NOTHING_DUE, Policies, Term, Window};
use crate::kernel::{
    About, Aggregate, ArrangementId, Audience, Decision, Due, Instant, Kind, LotId, Refusal, RoundId, State, Violations,
};

crate::rules! {
    ROUNDS_NOT_USED = "rounds_not_used", Conflict, "C-01", "Rounds are held only where applications are batched or windowed.";
    ROUND_BACKWARDS = "round_backwards", Input, "A3", "A round opens, closes, and is evaluated, in this order.";
    ROUND_OVERLAPS = "round_overlaps", Conflict, "A3", "Rounds that share a lot never overlap.";
    ROUND_OUT_OF_ORDER = "round_out_of_order", Conflict, "A3",
        "Numbers increase with time: a round comes after every round that it shares a lot with.";
    FIRST_ROUND_LENGTH = "first_round_length", Input, "DPS-11, PCR34-9",
        "The first round of a lot is open for exactly the days that the policies say.";
    ROUND_OUTSIDE_TERM = "round_outside_term", Input, "A3, DPS-10", "A round lies within the term of its arrangement.";
    ROUND_OVER = "round_over", Input, "DPS-10", "A round that could receive nothing any more is not scheduled.";
    LOTS_REQUIRED = "round_lots_required", Input, "A3", "A round receives for at least one lot.";
    ROUND_NOT_DUE = "round_not_due", Conflict, "DPS-11, PRO-16",
        "A round opens, closes and is evaluated not before its published instants.";
    ROUND_HAS_OPENED = "round_has_opened", Conflict, "A3", "A round is cancelled only before it opens.";
    LINES_UNDECIDED = "lines_undecided", Conflict, "A3", "A round is complete when every line in it is decided.";
}

/// The lots that a round receives for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "scope", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum LotScope {
    /// Every lot of the arrangement.
    All,
    /// These.
    Some {
        /// At least one.
        lots: Vec<LotId>,
    },
}

impl LotScope {
    /// Whether the two have a lot in common.
    #[must_use]
    pub fn shares_with(&self, other: &Self) -> bool {
        match (self, other) {
            (LotScope::All, _) | (_, LotScope::All) => true,
            (LotScope::Some { lots }, LotScope::Some { lots: others }) => lots.iter().any(|lot| others.contains(lot)),
        }
    }
}

/// The state of a round with its data. The instants of opening and closing are the published ones.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[strum(serialize_all = "snake_case")]
pub enum RoundState {
    /// Announced.
    Scheduled,
    /// Receiving.
    Open,
    /// No longer receiving.
    Closed,
    /// Checks and decisions are made.
    Evaluating {
        /// Since when.
        started_at: Instant,
    },
    /// Every line is decided.
    Completed {
        /// When evaluation started.
        started_at: Instant,
        /// When it was completed.
        completed_at: Instant,
    },
    /// Called off before it opened.
    Cancelled {
        /// When.
        cancelled_at: Instant,
        /// Why.
        reason: String,
    },
}

impl State for RoundState {
    fn knows(&self) -> &'static [&'static str] {
        match self {
            Self::Scheduled => &["open", "cancel"],
            Self::Open => &["close"],
            Self::Closed => &["start_evaluation"],
            Self::Evaluating { .. } => &["complete"],
            Self::Completed { .. } | Self::Cancelled { .. } => &[],
        }
    }
}

/// A window of receipt followed by evaluation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Round {
    /// Identifier.
    pub id: RoundId,
    /// The arrangement it belongs to.
    pub arrangement: ArrangementId,
    /// From 1, unique and increasing in its arrangement.
    pub number: u32,
    /// The lots it receives for.
    pub lots: LotScope,
    /// Its instants.
    #[serde(flatten)]
    pub window: Window,
    /// Its state.
    #[serde(flatten)]
    pub state: RoundState,
}

/// What schedules a round. Absent instants follow from the policies.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewRound {
    /// The lots it receives for.
    pub lots: LotScope,
    /// First instant of receipt.
    pub opens_at: Instant,
    /// First instant after receipt.
    #[serde(default)]
    pub closes_at: Option<Instant>,
    /// First instant of evaluation; the close, where absent.
    #[serde(default)]
    pub evaluation_from: Option<Instant>,
    /// Planned end of evaluation.
    #[serde(default)]
    pub evaluation_to: Option<Instant>,
}

/// What scheduling needs to know of others.
#[derive(Clone, Copy, Debug)]
pub struct ScheduleFacts<'a> {
    /// The arrangement's policies.
    pub policies: &'a Policies,
    /// [`Arrangement::in_force`](super::Arrangement::in_force).
    pub in_force: Option<&'a Term>,
    /// Every round of the arrangement, cancelled ones included.
    pub rounds: &'a [Round],
}

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

    fn due(&self) -> Option<Due> {
        match self.state {
            RoundState::Scheduled => Some(Due { at: self.window.opens_at, what: "open" }),
            RoundState::Open => Some(Due { at: self.window.closes_at, what: "close" }),
            RoundState::Closed
            | RoundState::Evaluating { .. }
            | RoundState::Completed { .. }
            | RoundState::Cancelled { .. } => None,
        }
    }
}

impl Round {
    /// Announces a round. It is the first of its lots where no round that counts shares one with it.
    pub fn schedule(
        id: RoundId,
        arrangement: ArrangementId,
        new: NewRound,
        facts: ScheduleFacts<'_>,
        now: Instant,
    ) -> Decision<Self> {
        let policies = facts.policies;
        let mut broken = Violations::new();
        broken.require(uses_rounds(policies.admission_mode), &ROUNDS_NOT_USED, "", "this arrangement has no rounds");
        let some_lot = !matches!(&new.lots, LotScope::Some { lots } if lots.is_empty());
        broken.require(some_lot, &LOTS_REQUIRED, "/lots/lots", "name a lot");

        let shared: Vec<&Round> =
            facts.rounds.iter().filter(|round| round.counts() && round.lots.shares_with(&new.lots)).collect();
        let days = if shared.is_empty() { policies.first_round_days } else { policies.round_window_days };
        let planned = Window::of(policies, new.opens_at, days);
        let closes_at = new.closes_at.unwrap_or(planned.closes_at);
        let evaluation_from = new.evaluation_from.unwrap_or(closes_at);
        let evaluation_to = new.evaluation_to.unwrap_or(evaluation_from.plus_days(policies.evaluation_days));
        let window = Window { opens_at: new.opens_at, closes_at, evaluation_from, evaluation_to };

        broken.require(window.opens_at < closes_at, &ROUND_BACKWARDS, "/closesAt", "it closes after it opens");
        broken.require(
            closes_at <= evaluation_from,
            &ROUND_BACKWARDS,
            "/evaluationFrom",
            "evaluation follows the close",
        );
        broken.require(evaluation_from < evaluation_to, &ROUND_BACKWARDS, "/evaluationTo", "evaluation takes time");
        broken.require(now < closes_at, &ROUND_OVER, "/closesAt", format!("it would have closed at {closes_at}"));
        if shared.is_empty() {
            let detail = format!("{days} days from its opening is {}", planned.closes_at);
            broken.require(closes_at == planned.closes_at, &FIRST_ROUND_LENGTH, "/closesAt", detail);
        }
        for other in shared {
            let (number, theirs) = (other.number, other.window);
            if window.closes_at <= theirs.opens_at {
                let detail = format!("round {number} opens later, at {}", theirs.opens_at);
                broken.add(ROUND_OUT_OF_ORDER.broken_at("/opensAt", detail));
            } else if window.opens_at < theirs.closes_at {
                let detail = format!("round {number} is open until {}", theirs.closes_at);
                broken.add(ROUND_OVERLAPS.broken_at("/opensAt", detail));
            }
        }
        match facts.in_force {
            None => broken.add(ARRANGEMENT_NOT_IN_FORCE.broken("the arrangement is not live, established or extended")),
            Some(term) => {
                let (live_at, ends_at) = (term.live_at, term.ends_at());
                let after = format!("the arrangement goes live at {live_at}");
                broken.require(live_at <= window.opens_at, &ROUND_OUTSIDE_TERM, "/opensAt", after);
                let before = format!("the term ends at {ends_at}");
                broken.require(closes_at <= ends_at, &ROUND_OUTSIDE_TERM, "/closesAt", before);
            }
        }
        broken.refuse_any()?;

        // Numbers of cancelled rounds are not given again.
        let number = facts.rounds.iter().map(|round| round.number).max().unwrap_or(0).saturating_add(1);
        let (opens_at, lots) = (window.opens_at, new.lots.clone());
        let event = RoundEvent::RoundScheduled { number, opens_at, closes_at, lots };
        Ok((Self { id, arrangement, number, lots: new.lots, window, state: RoundState::Scheduled }, vec![event]))
    }

    /// Opens it, at or after its instant; late, it counts as opened then.
    pub fn open(mut self, now: Instant) -> Decision<Self> {
        self.permit("open")?;
        let at = self.window.opens_at;
        not_before(at, now, "opens")?;
        self.state = RoundState::Open;
        let event = RoundEvent::RoundOpened { number: self.number, effective_at: at };
        Ok((self, vec![event]))
    }

    /// Closes it, at or after its instant; late, it counts as closed then.
    pub fn close(mut self, now: Instant) -> Decision<Self> {
        self.permit("close")?;
        let at = self.window.closes_at;
        not_before(at, now, "closes")?;
        self.state = RoundState::Closed;
        let event = RoundEvent::RoundClosed { number: self.number, effective_at: at };
        Ok((self, vec![event]))
    }

    /// Starts checks and decisions (DPS-13).
    pub fn start_evaluation(mut self, now: Instant) -> Decision<Self> {
        self.permit("start_evaluation")?;
        not_before(self.window.evaluation_from, now, "is evaluated")?;
        self.state = RoundState::Evaluating { started_at: now };
        let event = RoundEvent::EvaluationStarted { number: self.number };
        Ok((self, vec![event]))
    }

    /// Completes it. `undecided` is the number of its lines without a decision.
    pub fn complete(mut self, undecided: u64, now: Instant) -> Decision<Self> {
        let started_at = match self.state {
            RoundState::Evaluating { started_at } => started_at,
            RoundState::Scheduled
            | RoundState::Open
            | RoundState::Closed
            | RoundState::Completed { .. }
            | RoundState::Cancelled { .. } => {
                return Err(self.refused("complete"));
            }
        };
        if undecided > 0 {
            return Err(LINES_UNDECIDED.broken(format!("{undecided} lines are undecided")).into());
        }
        self.state = RoundState::Completed { started_at, completed_at: now };
        let event = RoundEvent::RoundCompleted { number: self.number };
        Ok((self, vec![event]))
    }

    /// Calls it off. Past its opening it may have received something, even where the clock's work is late.
    pub fn cancel(mut self, reason: String, now: Instant) -> Decision<Self> {
        self.permit("cancel")?;
        let mut broken = Violations::new();
        broken.require_reason(&reason, "/reason");
        let detail = format!("it opened at {}", self.window.opens_at);
        broken.require(now < self.window.opens_at, &ROUND_HAS_OPENED, "", detail);
        broken.refuse_any()?;
        self.state = RoundState::Cancelled { cancelled_at: now, reason: reason.clone() };
        let event = RoundEvent::RoundCancelled { number: self.number, reason };
        Ok((self, vec![event]))
    }

    /// Opens or closes it where that is due: one step at a time.
    pub fn tick(self, now: Instant) -> Decision<Self> {
        if self.due().is_none_or(|due| now < due.at) {
            return Err(NOTHING_DUE.broken("this round neither opens nor closes now").into());
        }
        match self.state {
            RoundState::Scheduled => self.open(now),
            RoundState::Open => self.close(now),
            RoundState::Closed
            | RoundState::Evaluating { .. }
            | RoundState::Completed { .. }
            | RoundState::Cancelled { .. } => Err(self.refused("tick")),
        }
    }

    /// Whether a submission at `now` falls into it, whether or not the clock's work was done.
    #[must_use]
    pub fn accepts_at(&self, now: Instant) -> bool {
        self.counts() && self.window.opens_at <= now && now < self.window.closes_at
    }

    /// Whether it opens after `now`.
    #[must_use]
    pub fn is_ahead_at(&self, now: Instant) -> bool {
        self.counts() && now < self.window.opens_at
    }

    /// Whether it receives for every one of `lots`.
    #[must_use]
    pub fn covers(&self, lots: &[LotId]) -> bool {
        match &self.lots {
            LotScope::All => true,
            LotScope::Some { lots: own } => lots.iter().all(|lot| own.contains(lot)),
        }
    }

    /// Whether it was not called off.
    #[must_use]
    pub fn counts(&self) -> bool {
        match self.state {
            RoundState::Scheduled
            | RoundState::Open
            | RoundState::Closed
            | RoundState::Evaluating { .. }
            | RoundState::Completed { .. } => true,
            RoundState::Cancelled { .. } => false,
        }
    }
}

fn not_before(at: Instant, now: Instant, does: &str) -> Result<(), Refusal> {
    if now < at { Err(ROUND_NOT_DUE.broken(format!("it {does} at {at}")).into()) } else { Ok(()) }
}

//! The round (A3): SCHEDULED → OPEN → CLOSED → EVALUATING → COMPLETED, or CANCELLED before it opens.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};
use utoipa::ToSchema;
use validator::Validate;

mod event;

pub use event::RoundEvent;

use super::schedule::uses_rounds;
use super::{ARRANGEMENT_NOT_IN_FORCE, NOTHING_DUE, Policies, Term, Window};
use crate::kernel::{Aggregate, ArrangementId, Decision, Instant, LotId, Refusal, RoundId, State, Violations};

crate::rules! {
    ROUNDS_NOT_USED = "rounds_not_used", Conflict, "C-01", "Rounds are held only where applications are batched or windowed.";
    ROUND_BACKWARDS = "round_backwards", Input, "A3", "A round opens, closes, and is evaluated, in this order.";
    ROUND_OVERLAPS = "round_overlaps", Conflict, "A3", "Rounds that share a lot never overlap.";
    ROUND_OUT_OF_ORDER = "round_out_of_order", Conflict, "A3",
        "Numbers increase with time: a round comes after every round that it shares a lot with, unless it is an extra one.";
    FIRST_ROUND_LENGTH = "first_round_length", Input, "DPS-11, PCR34-9",
        "The first round of a lot is open for exactly the days that the policies say.";
    ROUND_OUTSIDE_TERM = "round_outside_term", Input, "A3, DPS-10", "A round lies within the term of its arrangement.";
    ROUND_IN_THE_PAST = "round_in_the_past", Input, "DPS-11, PCR34-9",
        "A round opens no earlier than it is announced: whoever applies has the whole of it.";
    ROUND_NOT_LONGER = "round_not_longer", Input, "PRO-16", "A round is lengthened before it closes, to a later close.";
    LOTS_REQUIRED = "round_lots_required", Input, "A3", "A round receives for at least one lot.";
    ROUND_NOT_DUE = "round_not_due", Conflict, "DPS-11, PRO-16",
        "A round opens, closes and is evaluated not before its published instants.";
    ROUND_HAS_OPENED = "round_has_opened", Conflict, "A3",
        "A round is cancelled, and its cancellation undone, only before it opens.";
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
    /// Ended unfinished, with its arrangement.
    Ended {
        /// When.
        ended_at: Instant,
        /// Why.
        reason: String,
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
            Self::Scheduled => &["open", "lengthen", "cancel"],
            Self::Open => &["close", "lengthen", "end"],
            Self::Closed => &["start_evaluation", "end"],
            Self::Evaluating { .. } => &["complete", "end"],
            Self::Cancelled { .. } => &["reinstate"],
            Self::Completed { .. } | Self::Ended { .. } => &[],
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
    /// Why it was put in beside those that the policies time, if it was: those go on as if it were not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<String>,
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
    /// Why it is put in beside those that the policies time: it may then come before rounds that are announced already.
    #[serde(default)]
    #[validate(length(min = 1, max = 4000))]
    #[schema(min_length = 1, max_length = 4000)]
    pub extra: Option<String>,
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
        if let Some(why) = &new.extra {
            broken.require_reason(why, "/extra");
        }
        let past = format!("{} has passed", window.opens_at);
        broken.require(now <= window.opens_at, &ROUND_IN_THE_PAST, "/opensAt", past);
        if shared.is_empty() {
            let detail = format!("{days} days from its opening is {}", planned.closes_at);
            broken.require(closes_at == planned.closes_at, &FIRST_ROUND_LENGTH, "/closesAt", detail);
        }
        let behind = shared.iter().find(|other| window.closes_at <= other.window.opens_at);
        if let Some(other) = behind.filter(|_| new.extra.is_none()) {
            let detail = format!("round {} opens later, at {}", other.number, other.window.opens_at);
            broken.add(ROUND_OUT_OF_ORDER.broken_at("/opensAt", detail));
        }
        refuse_overlap(&window, shared.into_iter(), "/opensAt", &mut broken);
        refuse_outside(&window, facts.in_force, &mut broken);
        broken.refuse_any()?;

        // Numbers of cancelled rounds are not given again.
        let number = facts.rounds.iter().map(|round| round.number).max().unwrap_or(0).saturating_add(1);
        let (opens_at, lots) = (window.opens_at, new.lots.clone());
        let event = RoundEvent::RoundScheduled { number, opens_at, closes_at, lots, extra: new.extra.clone() };
        let state = RoundState::Scheduled;
        Ok((Self { id, arrangement, number, lots: new.lots, extra: new.extra, window, state }, vec![event]))
    }

    /// Lets it close later, before it has closed; its evaluation moves with it (PRO-16).
    pub fn lengthen(
        mut self,
        closes_at: Instant,
        reason: String,
        facts: ScheduleFacts<'_>,
        now: Instant,
    ) -> Decision<Self> {
        self.permit("lengthen")?;
        let from = self.window.closes_at;
        let mut broken = Violations::new();
        broken.require_reason(&reason, "/reason");
        let detail = format!("it closes at {from}");
        broken.require(now < from && from < closes_at, &ROUND_NOT_LONGER, "/closesAt", detail);
        self.window = self.window.closing_at(closes_at);
        refuse_overlap(&self.window, self.others(facts.rounds), "/closesAt", &mut broken);
        refuse_outside(&self.window, facts.in_force, &mut broken);
        broken.refuse_any()?;
        let event = RoundEvent::RoundLengthened {
            number: self.number,
            opens_at: self.window.opens_at,
            from,
            closes_at,
            reason,
        };
        Ok((self, vec![event]))
    }

    /// Undoes its cancellation, before it would have opened.
    pub fn reinstate(mut self, reason: String, facts: ScheduleFacts<'_>, now: Instant) -> Decision<Self> {
        self.permit("reinstate")?;
        let Window { opens_at, closes_at, .. } = self.window;
        let mut broken = Violations::new();
        broken.require_reason(&reason, "/reason");
        let detail = format!("it would have opened at {opens_at}");
        broken.require(now < opens_at, &ROUND_HAS_OPENED, "", detail);
        refuse_overlap(&self.window, self.others(facts.rounds), "", &mut broken);
        refuse_outside(&self.window, facts.in_force, &mut broken);
        broken.refuse_any()?;
        self.state = RoundState::Scheduled;
        let event = RoundEvent::RoundReinstated { number: self.number, opens_at, closes_at, reason };
        Ok((self, vec![event]))
    }

    /// Ends it unfinished, with its arrangement: one ahead is cancelled, and what it has received is evaluated no more.
    pub fn end(mut self, reason: String, now: Instant) -> Decision<Self> {
        if matches!(self.state, RoundState::Scheduled) {
            return self.cancel(reason, now);
        }
        self.permit("end")?;
        let event = RoundEvent::RoundEnded { number: self.number, reason: reason.clone() };
        self.state = RoundState::Ended { ended_at: now, reason };
        Ok((self, vec![event]))
    }

    /// The rounds that count, beside this one, with which it shares a lot.
    fn others<'a>(&self, rounds: &'a [Round]) -> impl Iterator<Item = &'a Round> {
        rounds.iter().filter(move |other| other.id != self.id && other.counts() && other.lots.shares_with(&self.lots))
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
            | RoundState::Ended { .. }
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
            | RoundState::Ended { .. }
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

    /// Whether it was neither called off nor ended unfinished.
    #[must_use]
    pub fn counts(&self) -> bool {
        match self.state {
            RoundState::Scheduled
            | RoundState::Open
            | RoundState::Closed
            | RoundState::Evaluating { .. }
            | RoundState::Completed { .. } => true,
            RoundState::Ended { .. } | RoundState::Cancelled { .. } => false,
        }
    }
}

fn refuse_overlap<'a>(
    window: &Window,
    mut others: impl Iterator<Item = &'a Round>,
    field: &str,
    broken: &mut Violations,
) {
    if let Some(other) = others.find(|other| window.overlaps(&other.window)) {
        let detail =
            format!("round {} is open from {} until {}", other.number, other.window.opens_at, other.window.closes_at);
        broken.add(ROUND_OVERLAPS.broken_at(field, detail));
    }
}

fn refuse_outside(window: &Window, in_force: Option<&Term>, broken: &mut Violations) {
    match in_force {
        None => broken.add(ARRANGEMENT_NOT_IN_FORCE.broken("the arrangement is not live, established or extended")),
        Some(term) => {
            let (live_at, ends_at) = (term.live_at, term.ends_at());
            let after = format!("the arrangement goes live at {live_at}");
            broken.require(live_at <= window.opens_at, &ROUND_OUTSIDE_TERM, "/opensAt", after);
            let before = format!("the term ends at {ends_at}");
            broken.require(window.closes_at <= ends_at, &ROUND_OUTSIDE_TERM, "/closesAt", before);
        }
    }
}

fn not_before(at: Instant, now: Instant, does: &str) -> Result<(), Refusal> {
    if now < at { Err(ROUND_NOT_DUE.broken(format!("it {does} at {at}")).into()) } else { Ok(()) }
}

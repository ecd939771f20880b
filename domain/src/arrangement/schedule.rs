//! When rounds are held, and where a submission goes (C-01, DPS-10 to DPS-16).

use chrono::Days;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::round::NewRound;
use super::{AdmissionMode, LastRound, Policies, Round, Term};
use crate::kernel::{Instant, LotId, Refusal, RoundId};

crate::rules! {
    ROUND_NOT_OPEN = "round_not_open", Conflict, "C-01", "Applications are received only while a round is open.";
    ADMISSION_CLOSED = "admission_closed", Conflict, "C-01", "The arrangement receives no applications.";
}

/// The instants of a round, half-open: received from `opensAt`, refused at `closesAt` (PRO-16).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Window {
    /// First instant of receipt.
    pub opens_at: Instant,
    /// First instant after receipt.
    pub closes_at: Instant,
    /// First instant at which evaluation may start.
    pub evaluation_from: Instant,
    /// The planned end of evaluation (DPS-16).
    pub evaluation_to: Instant,
}

impl Window {
    /// `days` civil days from `opens_at`, then evaluation at once for as long as the policies plan.
    #[must_use]
    pub fn of(policies: &Policies, opens_at: Instant, days: u32) -> Self {
        let closes_at = opens_at.plus_days(days);
        Self {
            opens_at,
            closes_at,
            evaluation_from: closes_at,
            evaluation_to: closes_at.plus_days(policies.evaluation_days),
        }
    }
}

impl Window {
    /// Whether some instant of receipt is in both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.opens_at < other.closes_at && other.opens_at < self.closes_at
    }

    /// Closing at another instant: the evaluation begins no earlier, and is planned as long as before.
    #[must_use]
    pub fn closing_at(self, closes_at: Instant) -> Self {
        let evaluation_from = self.evaluation_from.max(closes_at);
        let days = (self.evaluation_to.date() - self.evaluation_from.date()).num_days();
        let evaluation_to = evaluation_from.plus_days(u32::try_from(days).unwrap_or_default());
        Self { closes_at, evaluation_from, evaluation_to: evaluation_to.max(self.evaluation_to), ..self }
    }
}

/// Where a submission goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "to", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Routing {
    /// Evaluated at once.
    Evaluate,
    /// Received in an open round, evaluated after it closes.
    Open {
        /// Which round.
        round: RoundId,
        /// When it closes.
        closes_at: Instant,
    },
    /// Received between rounds; it waits for the next one.
    Queued {
        /// Which round.
        round: RoundId,
        /// When it opens.
        opens_at: Instant,
    },
}

/// The first round of a term (DPS-11): as many days as the policies say from when anybody can apply, which is not before
/// publication; `None` where the mode has no rounds.
#[must_use]
pub fn first_round(policies: &Policies, term: &Term) -> Option<Window> {
    uses_rounds(policies.admission_mode).then(|| Window::of(policies, term.opens_at(), policies.first_round_days))
}

/// The round that follows `round` by policy, of the same lots, among `rounds`, all of the arrangement as they are now.
/// `round` opens, closes or was cancelled. `None` where a later one of its lots is announced already, or none fits.
///
/// Rounds follow each other in whole intervals (DPS-12), counted from the last one that stands and was not put in beside
/// them; where none stands, from the first that was announced. A cancelled round gives way to the first of these instants
/// that is ahead and not its own, so that cancelling one after the other never moves the next opening further than one
/// interval.
#[must_use]
pub fn follow_up(
    policies: &Policies,
    round: &Round,
    rounds: &[Round],
    term_end: Instant,
    now: Instant,
) -> Option<NewRound> {
    let sharing = || rounds.iter().filter(|other| other.counts() && other.lots.shares_with(&round.lots));
    // One that follows at once is later too, even where the clock's work is late and it should have opened by now.
    let later = |other: &Round| other.window.opens_at >= round.window.closes_at || other.is_ahead_at(now);
    if sharing().any(|other| other.id != round.id && later(other)) {
        return None;
    }
    let first = sharing().next().is_none();
    let days = if first { policies.first_round_days } else { policies.round_window_days };
    let of_its_lots = || rounds.iter().filter(|other| other.lots.shares_with(&round.lots) && other.extra.is_none());
    let standing = || of_its_lots().filter(|other| other.counts()).max_by_key(|other| other.window.opens_at);
    let (from, stands) = if round.counts() && round.extra.is_none() {
        (round, true)
    } else if let Some(last) = standing() {
        (last, true)
    } else {
        (of_its_lots().min_by_key(|other| other.window.opens_at).unwrap_or(round), false)
    };
    let given_up = (!round.counts()).then_some(round.window.opens_at);
    let window = rhythm(policies, from.window.opens_at, u32::from(stands), days, term_end).find(|window| {
        let free = sharing().all(|other| !other.window.overlaps(window));
        free && window.opens_at >= now && Some(window.opens_at) != given_up
    })?;
    let window = within(policies, window, term_end)?;
    Some(NewRound {
        lots: round.lots.clone(),
        opens_at: window.opens_at,
        closes_at: Some(window.closes_at),
        evaluation_from: Some(window.evaluation_from),
        evaluation_to: Some(window.evaluation_to),
        extra: None,
    })
}

/// The rounds by the policies' interval from `first` on, without its first `skip`.
fn rhythm(
    policies: &Policies,
    first: Instant,
    skip: u32,
    days: u32,
    term_end: Instant,
) -> impl Iterator<Item = Window> {
    // Counted from the first in one step, so that a day that clamps once does not stay clamped.
    let interval = policies.round_interval_months;
    let openings = (skip..=1200_u32).map(move |n| first.plus_months(interval.saturating_mul(n)));
    openings.take_while(move |opens_at| *opens_at < term_end).map(move |opens_at| Window::of(policies, opens_at, days))
}

/// A round as it fits into the term: the last one is shortened by policy, so that it can be evaluated before the end.
fn within(policies: &Policies, window: Window, term_end: Instant) -> Option<Window> {
    let latest = term_end.date().checked_sub_days(Days::new(u64::from(policies.evaluation_days)));
    let latest = latest.map(Instant::start_of).filter(|latest| window.opens_at < *latest);
    let fitting = match policies.last_round {
        _ if window.closes_at <= term_end => Some(window),
        LastRound::OnArrival => None,
        LastRound::Shortened => latest.map(|closes_at| Window {
            opens_at: window.opens_at,
            closes_at,
            evaluation_from: closes_at,
            evaluation_to: term_end,
        }),
    };
    fitting.filter(|_| uses_rounds(policies.admission_mode))
}

/// Whether applications are gathered in rounds.
#[must_use]
pub fn uses_rounds(mode: AdmissionMode) -> bool {
    match mode {
        AdmissionMode::ContinuousReceiptBatched | AdmissionMode::Windowed => true,
        AdmissionMode::Rolling | AdmissionMode::Closed => false,
    }
}

/// Where a submission for `lots` at `now` goes, among the arrangement's `rounds`. Only instants count, not
/// whether the clock's work was done; a round counts only where it covers every one of the lots.
///
/// Where applications are received at any time there is always a place (DPS-10, DPS-13): with rounds for some of the lots
/// only, that of them which closes last; with no further round, evaluation on arrival.
///
/// # Errors
/// [`ROUND_NOT_OPEN`] with the next opening, or [`ADMISSION_CLOSED`].
pub fn route(mode: AdmissionMode, rounds: &[Round], lots: &[LotId], now: Instant) -> Result<Routing, Refusal> {
    let open = || rounds.iter().find(|round| round.covers(lots) && round.accepts_at(now));
    let received = |round: &Round| Routing::Open { round: round.id, closes_at: round.window.closes_at };
    let next = || {
        let later = rounds.iter().filter(|round| round.covers(lots) && round.is_ahead_at(now));
        later.min_by_key(|round| round.window.opens_at)
    };
    // The round that each of the lots comes to first: the last of these to close.
    let apart = || {
        let first = |lot: &LotId| {
            let coming = rounds.iter().filter(|round| round.covers(&[*lot]));
            let coming = coming.filter(|round| round.accepts_at(now) || round.is_ahead_at(now));
            coming.min_by_key(|round| round.window.opens_at)
        };
        lots.iter().filter_map(first).max_by_key(|round| round.window.closes_at)
    };
    match mode {
        AdmissionMode::Rolling => Ok(Routing::Evaluate),
        AdmissionMode::ContinuousReceiptBatched => Ok(match open().or_else(next).or_else(apart) {
            Some(round) if round.accepts_at(now) => received(round),
            Some(round) => Routing::Queued { round: round.id, opens_at: round.window.opens_at },
            None => Routing::Evaluate,
        }),
        AdmissionMode::Windowed => open().map(received).ok_or_else(|| {
            let detail = next().map_or("no round is scheduled for these lots".to_owned(), |round| {
                let opens_at = round.window.opens_at;
                format!("the next round opens on {} ({opens_at})", opens_at.date())
            });
            ROUND_NOT_OPEN.broken(detail).into()
        }),
        AdmissionMode::Closed => Err(ADMISSION_CLOSED.broken("the lead authority has closed admission").into()),
    }
}

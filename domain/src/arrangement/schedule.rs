//! When rounds are held, and where a submission goes (C-01, DPS-10 to DPS-16).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::round::NewRound;
use super::{AdmissionMode, Policies, Round};
use crate::kernel::{Instant, LotId, Refusal, RoundId};

crate::rules! {
    ROUND_NOT_OPEN = "round_not_open", Conflict, "C-01", "Applications are received only while a round is open.";
    NO_ROUND_SCHEDULED = "no_round_scheduled", Conflict, "DPS-13",
        "An application waits for the next scheduled round, so there has to be one.";
    QUEUED_STRANDED = "queued_stranded", Conflict, "DPS-13, A3",
        "A round for which applications wait is cancelled only where another one receives them.";
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

/// The first round from `live_at` (DPS-11); `None` where the mode has no rounds.
#[must_use]
pub fn first_round(policies: &Policies, live_at: Instant) -> Option<Window> {
    uses_rounds(policies.admission_mode).then(|| Window::of(policies, live_at, policies.first_round_days))
}

/// The round after `previous` (DPS-12): whole intervals after its opening, the first that does not overlap it and is
/// not over at `now`. `None` where it would not end within the term, or the mode has no rounds.
#[must_use]
pub fn next_round(policies: &Policies, previous: &Window, term_end: Instant, now: Instant) -> Option<Window> {
    following(policies, previous, policies.round_window_days, term_end, now)
}

/// The round that follows `round` by policy, of the same lots, among `rounds`, all of the arrangement as they are now.
/// `round` opens, closes or was cancelled. `None` where a later one of its lots is announced already, or none fits.
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
    let window = following(policies, &round.window, days, term_end, now)?;
    Some(NewRound {
        lots: round.lots.clone(),
        opens_at: window.opens_at,
        closes_at: Some(window.closes_at),
        evaluation_from: Some(window.evaluation_from),
        evaluation_to: Some(window.evaluation_to),
    })
}

fn following(policies: &Policies, previous: &Window, days: u32, term_end: Instant, now: Instant) -> Option<Window> {
    // Counted from the opening in one step, so that a day that clamps once does not stay clamped.
    let window = (1..=1200_u32)
        .map(|n| previous.opens_at.plus_months(policies.round_interval_months.saturating_mul(n)))
        .take_while(|opens_at| *opens_at < term_end)
        .filter(|opens_at| *opens_at >= previous.closes_at)
        .map(|opens_at| Window::of(policies, opens_at, days))
        .find(|window| window.closes_at > now)?;
    (uses_rounds(policies.admission_mode) && window.closes_at <= term_end).then_some(window)
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
/// # Errors
/// [`ROUND_NOT_OPEN`] with the next opening, [`NO_ROUND_SCHEDULED`] or [`ADMISSION_CLOSED`].
pub fn route(mode: AdmissionMode, rounds: &[Round], lots: &[LotId], now: Instant) -> Result<Routing, Refusal> {
    let open = || rounds.iter().find(|round| round.covers(lots) && round.accepts_at(now));
    let received = |round: &Round| Routing::Open { round: round.id, closes_at: round.window.closes_at };
    let next = || {
        let later = rounds.iter().filter(|round| round.covers(lots) && round.is_ahead_at(now));
        later.min_by_key(|round| round.window.opens_at)
    };
    match mode {
        AdmissionMode::Rolling => Ok(Routing::Evaluate),
        AdmissionMode::ContinuousReceiptBatched => match (open(), next()) {
            (Some(round), _) => Ok(received(round)),
            (None, Some(round)) => Ok(Routing::Queued { round: round.id, opens_at: round.window.opens_at }),
            (None, None) => Err(NO_ROUND_SCHEDULED.broken("no round is open or scheduled for these lots").into()),
        },
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

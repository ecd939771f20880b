//! The one deadline engine: `(rule, regime, rule-set version, calendar version, start event, start) -> due`.
//!
//! Readings, the same everywhere:
//! - an act is in time while `now < due`; the due instant itself is after the period;
//! - calendar days and months end at the London clock time at which they started, months clamp (DPS-11, DPS-19);
//! - working days are counted from the day after the start, and the period ends at the midnight that ends the last.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::calendar::calendar;
use super::regime::{Bound, LegalRule, RuleSet, StartEvent, Timing, Unit, rule_set};
use crate::arrangement::policy::Division;
use crate::arrangement::{Policies, Regime};
use crate::kernel::{Instant, Refusal, Violations};

crate::rules! {
    NO_SUCH_CLOCK = "no_such_clock", Input, "BEY-06",
        "The rule is a clock of the regime that the arrangement stands under.";
    EXTENSION_TOO_LATE = "evaluation_extension_too_late", Conflict, "PCR34-17",
        "A longer evaluation is decided before the tenth working day after receipt begins.";
    PERIOD_TOO_LONG = "period_too_long", Input, "A1",
        "A period is at most 36525 of its units: a century of days.";
}

/// When something is due, with every part that made it so.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Deadline {
    /// The rule, such as `PCR34-16` or `DPS-11`.
    pub rule: String,
    /// Whether the rule is yet to be confirmed against the enacted text.
    pub verify: bool,
    /// The regime whose rule set has it.
    pub regime: Regime,
    /// The version of that rule set.
    pub rule_set_version: String,
    /// The version of the bank holidays.
    pub calendar_version: String,
    /// Whose bank holidays count.
    pub division: Division,
    /// False where working days were counted in a year whose bank holidays were not known: the real instant may then
    /// be later.
    pub calendar_covers: bool,
    /// What the clock started from.
    pub start_event: StartEvent,
    /// When that was.
    pub start: Instant,
    /// How many units.
    pub count: u32,
    /// What was counted.
    pub unit: Unit,
    /// Which side of the due instant is in time.
    pub bound: Bound,
    /// The end of the period; not part of it.
    pub due: Instant,
    /// All of this for a person.
    pub explanation: String,
}

impl Deadline {
    /// Whether the act is in time at `now`.
    #[must_use]
    pub fn in_time(&self, now: Instant) -> bool {
        match self.bound {
            Bound::Within => now < self.due,
            Bound::AtLeast => now >= self.due,
        }
    }

    /// The last London day that lies in the period, at least in part: a term from 1 April ends on 31 March (AC-18).
    #[must_use]
    pub fn last_day(&self) -> chrono::NaiveDate {
        Instant::from_micros(self.due.micros().saturating_sub(1)).date()
    }
}

/// The clocks whose length the policies set.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LegalClock {
    /// DPS-11: the first round.
    FirstRound,
    /// DPS-12: a later round.
    LaterRound,
    /// DPS-12: from one opening to the next.
    NextRound,
    /// DPS-16: the evaluation of a round.
    Evaluation,
    /// DPS-17: the term.
    Term,
    /// DPS-19: a suspension of the usual length.
    Suspension,
    /// DPS-19: the longest suspension.
    LongestSuspension,
    /// A8: from the notification of a removal to its effect.
    RemovalNotice,
    /// NOT-06: notice without cause.
    NoFaultNotice,
    /// TIR-18: the time to rectify; agreed each time.
    Improvement,
}

impl LegalClock {
    /// The rule in every rule set.
    #[must_use]
    pub fn rule(self) -> &'static str {
        match self {
            // A later round's window is counted as the first one's.
            LegalClock::FirstRound | LegalClock::LaterRound => "DPS-11",
            LegalClock::NextRound => "DPS-12",
            LegalClock::Evaluation => "DPS-16",
            LegalClock::Term => "DPS-17",
            LegalClock::Suspension | LegalClock::LongestSuspension => "DPS-19",
            LegalClock::RemovalNotice => "A8",
            LegalClock::NoFaultNotice => "NOT-06",
            LegalClock::Improvement => "TIR-18",
        }
    }

    /// The length that `policies` set; `None` where they set none.
    #[must_use]
    pub fn count(self, policies: &Policies) -> Option<u32> {
        match self {
            LegalClock::FirstRound => Some(policies.first_round_days),
            LegalClock::LaterRound => Some(policies.round_window_days),
            LegalClock::NextRound => Some(policies.round_interval_months),
            LegalClock::Evaluation => Some(policies.evaluation_days),
            LegalClock::Term => Some(policies.term_months),
            LegalClock::Suspension => Some(policies.suspension_months),
            LegalClock::LongestSuspension => Some(policies.suspension_max_months),
            LegalClock::RemovalNotice => Some(policies.removal_notice_days),
            LegalClock::NoFaultNotice => policies.no_fault_notice_months,
            LegalClock::Improvement => None,
        }
    }
}

/// The deadline of a statutory rule with a fixed period.
///
/// # Errors
/// [`NO_SUCH_CLOCK`] where the regime has no such rule, or it is not a clock of fixed length.
pub fn statutory(regime: Regime, division: Division, rule: &str, start: Instant) -> Result<Deadline, Refusal> {
    run(regime, division, rule, None, start)
}

/// The longest period that can be given: beyond it dates would leave the range that chrono knows.
const LONGEST: u32 = 36_525;

/// The deadline of a rule whose period the arrangement's policies or documents give as `count` units.
///
/// # Errors
/// [`NO_SUCH_CLOCK`] where the regime has no such rule, or it is not a clock whose length is given; [`PERIOD_TOO_LONG`].
pub fn given(regime: Regime, division: Division, rule: &str, count: u32, start: Instant) -> Result<Deadline, Refusal> {
    if count > LONGEST {
        return Err(PERIOD_TOO_LONG.broken(format!("{rule}: {count}")).into());
    }
    run(regime, division, rule, Some(count), start)
}

/// The deadline of `clock` as the policies set it.
///
/// # Errors
/// [`NO_SUCH_CLOCK`] where the policies give it no length.
pub fn by_policy(policies: &Policies, clock: LegalClock, start: Instant) -> Result<Deadline, Refusal> {
    let Some(count) = clock.count(policies) else {
        return Err(NO_SUCH_CLOCK.broken(format!("{}: the policies set no length", clock.rule())).into());
    };
    given(policies.regime(), policies.division, clock.rule(), count, start)
}

/// The longer evaluation of one request (PCR34-17): 15 working days from `received`, decided at `now` with a recorded
/// `justification`. Day 10 is the tenth working day after receipt, and the decision precedes its beginning.
///
/// # Errors
/// Every one of: no such clock in `regime`, no justification, too late.
pub fn extend_evaluation(
    regime: Regime,
    division: Division,
    received: Instant,
    justification: &str,
    now: Instant,
) -> Result<Deadline, Refusal> {
    let longer = statutory(regime, division, "PCR34-17", received)?;
    let day_10 = Instant::start_of(calendar().nth_working_day(received.date(), 10, division));
    let mut broken = Violations::new();
    broken.require_reason(justification, "/justification");
    if now >= day_10 {
        broken.add(EXTENSION_TOO_LATE.broken(format!("the tenth working day began at {day_10}")));
    }
    broken.refuse_any()?;
    Ok(longer)
}

fn run(regime: Regime, division: Division, id: &str, given: Option<u32>, start: Instant) -> Result<Deadline, Refusal> {
    let set = rule_set(regime);
    let rule = set.rule(id).ok_or_else(|| NO_SUCH_CLOCK.broken(format!("{} has no rule {id}", set.version)))?;
    match rule.timing {
        Some(timing @ Timing { count: Some(count), .. }) if given.is_none() => {
            Ok(due(set, rule, timing, count, division, start))
        }
        Some(timing @ Timing { count: None, .. }) => given
            .map(|count| due(set, rule, timing, count, division, start))
            .ok_or_else(|| NO_SUCH_CLOCK.broken(format!("{id} has no length of its own")).into()),
        Some(_) => Err(NO_SUCH_CLOCK.broken(format!("{id} fixes its own length")).into()),
        None => Err(NO_SUCH_CLOCK.broken(format!("{id} is not a clock")).into()),
    }
}

fn due(set: &RuleSet, rule: &LegalRule, timing: Timing, count: u32, division: Division, start: Instant) -> Deadline {
    let Timing { bound, unit, start_event, .. } = timing;
    let calendar = calendar();
    let due = match unit {
        Unit::CalendarDays => start.plus_days(count),
        Unit::Months => start.plus_months(count),
        Unit::WorkingDays => calendar.plus_working_days(start, count, division),
    };
    let mut deadline = Deadline {
        rule: rule.id.to_owned(),
        verify: rule.verify,
        regime: set.regime,
        rule_set_version: set.version.to_owned(),
        calendar_version: calendar.version().to_owned(),
        division,
        calendar_covers: true,
        start_event,
        start,
        count,
        unit,
        bound,
        due,
        explanation: String::new(),
    };
    deadline.calendar_covers = unit != Unit::WorkingDays
        || (calendar.covers(start.date(), division) && calendar.covers(deadline.last_day(), division));
    deadline.explanation = explain(&deadline, rule);
    deadline
}

fn explain(deadline: &Deadline, rule: &LegalRule) -> String {
    let Deadline { division, start, due, count, .. } = deadline;
    let place = match division {
        Division::EnglandAndWales => "England and Wales",
        Division::Scotland => "Scotland",
        Division::NorthernIreland => "Northern Ireland",
    };
    let verify = if rule.verify { " (to be verified)" } else { "" };
    let counted = match deadline.unit {
        Unit::CalendarDays => format!("{count} calendar days, to the same London clock time"),
        Unit::Months => format!("{count} months, to the same London clock time; the day clamps to the month's last"),
        Unit::WorkingDays => {
            let (from, to) = (start.date(), deadline.last_day());
            let left_out: Vec<String> = calendar()
                .holidays(*division)
                .iter()
                .filter(|(day, _)| **day > from && **day <= to)
                .map(|(day, title)| format!("{title} {day}"))
                .collect();
            format!(
                "{count} working days of {place} after the day of the start, to the end of the last; left out: weekends{}{}{}",
                if left_out.is_empty() { "" } else { ", " },
                left_out.join(", "),
                if deadline.calendar_covers { "" } else { "; bank holidays are not known for all of these years" },
            )
        }
    };
    let in_time = match deadline.bound {
        Bound::Within => "before that",
        Bound::AtLeast => "from then on",
    };
    format!(
        "{}{verify}: {} Counted from {start} (London {}): {counted} (rules {}, calendar {}). \
         Ends at {due} (London {}): an act is in time {in_time}.",
        rule.id,
        rule.text,
        start.civil().format("%F %R"),
        deadline.rule_set_version,
        deadline.calendar_version,
        due.civil().format("%F %R"),
    )
}

#[cfg(test)]
mod tests;

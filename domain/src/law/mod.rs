//! Procurement law as versioned data: regimes, rule sets, deadlines, calendars and exclusion grounds.

pub mod calendar;
pub mod deadline;
pub mod exclusion;
pub mod regime;
mod rows;

pub use calendar::{BankHoliday, Calendar, calendar};
pub use deadline::{Deadline, LegalClock, extend_evaluation};
pub use exclusion::{DeclaredGround, Duty, Finding, Ground, SelfCleaning};
pub use regime::{
    Bound, LegalRule, MODE_NOT_ALLOWED, RuleSet, StartEvent, TermWarning, Timing, Unit, default_regime, ended_refusal,
    mode_refusal, period_refusal, rule_set, rule_sets, statutory_end, term_warning,
};

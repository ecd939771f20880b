//! The four regimes as versioned rule sets, held as data (law.md): which rules an arrangement stands under, what each
//! says and rests on, and which of them are clocks.
//!
//! A rule that has not been confirmed against the enacted text is marked `verify` and shown so. Nothing here is legal
//! advice. Changing a row means a new version of its rule set: deadlines carry the version that made them.

use std::sync::LazyLock;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::rows::{PA23_LIGHT_TOUCH, PA23_MARKET, PCR_LIGHT_TOUCH, PCR34, POLICY};
use crate::arrangement::{AdmissionMode, Regime};
use crate::kernel::Violation;

crate::rules! {
    MODE_NOT_ALLOWED = "admission_mode_not_allowed", Input, "PCR34-16",
        "Under regulation 34 every request is evaluated within working days of its receipt, so admission is rolling.";
    REGIME_ENDED = "regime_ended", Input, "Procurement Act 2023, transitional and saving provisions",
        "A market stands under the Public Contracts Regulations only where its notice was sent before 24 February 2025.";
    PERIOD_FIXED = "period_fixed_by_statute", Conflict, "PCR34-PERIOD",
        "The period of a system under regulation 34 is not changed after 23 February 2026.";
}

/// What a period counts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Civil days in London: the period ends at the same London clock time as it started.
    CalendarDays,
    /// Working days of the arrangement's division: the period ends at the midnight that ends the last of them.
    WorkingDays,
    /// Months at the same London clock time; the day clamps to the month's last.
    Months,
}

/// What a clock starts from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StartEvent {
    /// The notice that sets the system up was sent.
    NoticeSent,
    /// An invitation to tender was sent.
    InvitationSent,
    /// A request to participate was received.
    RequestReceived,
    /// A renewed self-declaration was demanded.
    DeclarationDemanded,
    /// An applicant was refused or a member removed as excluded or excludable.
    ExclusionDecided,
    /// A contract was entered into.
    ContractEntered,
    /// A round opened.
    RoundOpened,
    /// A round closed.
    RoundClosed,
    /// The contract start of the arrangement.
    ContractStart,
    /// A suspension began.
    SuspensionBegan,
    /// A removal was notified.
    RemovalNotified,
    /// Notice to end a membership without cause was given.
    NoFaultNoticeGiven,
    /// An improvement notice was issued.
    ImprovementNoticeIssued,
}

/// On which side of the due instant the act is in time. Half-open: the due instant itself is after the period.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// The act is in time while now < due.
    Within,
    /// The period may not be cut short: the act is in time from now >= due.
    AtLeast,
}

/// A rule that is a clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Timing {
    /// Which side of the due instant is in time.
    pub bound: Bound,
    /// How many units; `null` where the policies or documents of the arrangement say.
    pub count: Option<u32>,
    /// What is counted.
    pub unit: Unit,
    /// What it is counted from.
    pub start_event: StartEvent,
}

/// One rule of a regime.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LegalRule {
    /// Such as `PCR34-16`, or the requirement id where the arrangement's policies decide.
    pub id: &'static str,
    /// What it says.
    pub text: &'static str,
    /// The statute or source it stands in.
    pub source: &'static str,
    /// Not yet confirmed against the enacted text.
    pub verify: bool,
    /// The clock, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timing: Option<Timing>,
}

impl LegalRule {
    /// A rule without a clock.
    pub(super) const fn of(id: &'static str, source: &'static str, text: &'static str) -> Self {
        Self { id, text, source, verify: false, timing: None }
    }

    /// Marks the rule as not confirmed.
    pub(super) const fn verify(self) -> Self {
        Self { verify: true, ..self }
    }

    /// The act is due before `count` units have passed.
    pub(super) const fn within(self, count: u32, unit: Unit, start_event: StartEvent) -> Self {
        Self { timing: Some(Timing { bound: Bound::Within, count: Some(count), unit, start_event }), ..self }
    }

    /// The act waits until `count` units have passed.
    pub(super) const fn at_least(self, count: u32, unit: Unit, start_event: StartEvent) -> Self {
        Self { timing: Some(Timing { bound: Bound::AtLeast, count: Some(count), unit, start_event }), ..self }
    }

    /// As many units as the arrangement itself sets.
    pub(super) const fn given(self, bound: Bound, unit: Unit, start_event: StartEvent) -> Self {
        Self { timing: Some(Timing { bound, count: None, unit, start_event }), ..self }
    }
}

/// The rules of one regime, in one version: the statute's own, then those that every arrangement sets by policy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuleSet {
    /// Which regime.
    pub regime: Regime,
    /// The version, such as `pcr34/1`.
    pub version: &'static str,
    /// What the regime is for.
    pub title: &'static str,
    /// Its rules.
    pub rules: Vec<LegalRule>,
}

impl RuleSet {
    fn of(regime: Regime, version: &'static str, title: &'static str, statute: &[LegalRule]) -> Self {
        Self { regime, version, title, rules: [statute, POLICY].concat() }
    }

    /// The rule with this id, where the regime has it.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&LegalRule> {
        self.rules.iter().find(|rule| rule.id == id)
    }
}

static SETS: LazyLock<[RuleSet; 4]> = LazyLock::new(|| {
    [
        RuleSet::of(
            Regime::PcrLightTouch,
            "pcr_light_touch/1",
            "Public Contracts Regulations 2015, regulations 74 to 76: social and other specific services",
            PCR_LIGHT_TOUCH,
        ),
        RuleSet::of(
            Regime::Pcr34,
            "pcr34/2",
            "Public Contracts Regulations 2015, regulation 34: dynamic purchasing systems set up before 24 February 2025",
            PCR34,
        ),
        RuleSet::of(
            Regime::Pa23Market,
            "pa23_market/1",
            "Procurement Act 2023, sections 34 to 40: dynamic markets",
            PA23_MARKET,
        ),
        RuleSet::of(
            Regime::Pa23LightTouch,
            "pa23_light_touch/1",
            "Procurement Act 2023: light-touch arrangements",
            PA23_LIGHT_TOUCH,
        ),
    ]
});

/// Every rule set in force, for listing.
#[must_use]
pub fn rule_sets() -> &'static [RuleSet] {
    &*SETS
}

/// The rule set that `regime` selects.
#[must_use]
pub fn rule_set(regime: Regime) -> &'static RuleSet {
    let [pcr_light_touch, pcr34, pa23_market, pa23_light_touch] = &*SETS;
    match regime {
        Regime::PcrLightTouch => pcr_light_touch,
        Regime::Pcr34 => pcr34,
        Regime::Pa23Market => pa23_market,
        Regime::Pa23LightTouch => pa23_light_touch,
    }
}

/// Why `regime` forbids `mode`, if it does. `field` is the JSON pointer of the mode.
#[must_use]
pub fn mode_refusal(regime: Regime, mode: AdmissionMode, field: &str) -> Option<Violation> {
    let batched = matches!(mode, AdmissionMode::ContinuousReceiptBatched | AdmissionMode::Windowed);
    (regime == Regime::Pcr34 && batched)
        .then(|| MODE_NOT_ALLOWED.broken_at(field, "the clock of ten working days runs from receipt: choose `rolling`"))
}

/// The last day of any system under regulation 34, as `PCR34-END` states it.
const PCR34_LAST_DAY: Option<NaiveDate> = NaiveDate::from_ymd_opt(2029, 2, 23);

/// The first day on which notices are sent under the Procurement Act 2023.
const PA23_FIRST_DAY: Option<NaiveDate> = NaiveDate::from_ymd_opt(2025, 2, 24);

/// The last day on which the period of a system under regulation 34 may be changed, as `PCR34-PERIOD` states it.
const PCR34_LAST_CHANGE: Option<NaiveDate> = NaiveDate::from_ymd_opt(2026, 2, 23);

/// The light-touch regime of a market whose notice is sent on that day.
#[must_use]
pub fn default_regime(notice_sent_on: NaiveDate) -> Regime {
    let pcr = PA23_FIRST_DAY.is_some_and(|first| notice_sent_on < first);
    if pcr { Regime::PcrLightTouch } else { Regime::Pa23LightTouch }
}

/// Why `regime` is not open any more to a market whose notice is sent on that day, if it is not. `field` is the JSON pointer
/// of what is to blame.
#[must_use]
pub fn ended_refusal(regime: Regime, notice_sent_on: NaiveDate, field: &str) -> Option<Violation> {
    let of_before = matches!(regime, Regime::PcrLightTouch | Regime::Pcr34);
    let ended = of_before && PA23_FIRST_DAY.is_some_and(|first| notice_sent_on >= first);
    ended.then(|| REGIME_ENDED.broken_at(field, format!("the notice is sent on {notice_sent_on}")))
}

/// Why the period of a system of `regime` may not be changed on that day, if it may not.
#[must_use]
pub fn period_refusal(regime: Regime, on: NaiveDate) -> Option<Violation> {
    let fixed = regime == Regime::Pcr34 && PCR34_LAST_CHANGE.is_some_and(|last| on > last);
    fixed.then(|| PERIOD_FIXED.broken(PERIOD_FIXED.says))
}

/// A term that runs beyond the regime's statutory end: a warning, never a refusal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TermWarning {
    /// The rule behind it.
    pub rule: String,
    /// The last day that the statute allows.
    #[schema(value_type = String, format = Date)]
    pub statutory_end: NaiveDate,
    /// The last day of the term.
    #[schema(value_type = String, format = Date)]
    pub term_end: NaiveDate,
    /// Whether the statutory date is yet to be confirmed.
    pub verify: bool,
    /// The warning in one sentence.
    pub text: String,
}

/// The last day on which systems of this regime may stand, where a statute sets one.
#[must_use]
pub fn statutory_end(regime: Regime) -> Option<NaiveDate> {
    rule_set(regime).rule("PCR34-END").and(PCR34_LAST_DAY)
}

/// Warns where a term whose last day is `term_end` outlives its regime.
#[must_use]
pub fn term_warning(regime: Regime, term_end: NaiveDate) -> Option<TermWarning> {
    let rule = rule_set(regime).rule("PCR34-END")?;
    let statutory_end = statutory_end(regime).filter(|last| term_end > *last)?;
    Some(TermWarning {
        rule: rule.id.to_owned(),
        statutory_end,
        term_end,
        verify: rule.verify,
        text: format!(
            "The term ends on {term_end}, but systems under regulation 34 end by {statutory_end}{}.",
            if rule.verify { " (to be verified)" } else { "" }
        ),
    })
}

#[cfg(test)]
mod tests;

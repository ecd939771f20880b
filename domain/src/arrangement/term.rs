//! The term of a published arrangement, and what is recorded of its changes.

use chrono::{Months, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::Instant;

/// The term of a published arrangement.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Term {
    /// When it was published: its policies are frozen from here, its lots' conditions in a dynamic market.
    pub published_at: Instant,
    /// When it goes live: rounds open and applications arrive from here.
    pub live_at: Instant,
    /// First day of its contracts.
    #[schema(value_type = String, format = Date)]
    pub contract_start: NaiveDate,
    /// Last day, inclusive: 2019-04-01 and 120 months read 2029-03-31 (DPS-17); by statute earlier, where the regime ends.
    #[schema(value_type = String, format = Date)]
    pub last_day: NaiveDate,
    /// Months by which it was extended in all.
    pub extended_months: u32,
}

impl Term {
    /// A term of `months` from `contract_start`, at most until the day on which systems of its regime end by statute.
    #[must_use]
    pub fn of(
        published_at: Instant,
        live_at: Instant,
        contract_start: NaiveDate,
        months: u32,
        statutory_end: Option<NaiveDate>,
    ) -> Self {
        let planned = last_day(contract_start, months);
        let last_day = statutory_end.map_or(planned, |end| planned.min(end));
        Self { published_at, live_at, contract_start, last_day, extended_months: 0 }
    }

    /// Extended to `extended_months` beyond its first `months`: counted from the start, so that a day that
    /// clamps once does not stay clamped.
    #[must_use]
    pub fn extended(self, months: u32, extended_months: u32, statutory_end: Option<NaiveDate>) -> Self {
        let planned = last_day(self.contract_start, months.saturating_add(extended_months));
        let last_day = statutory_end.map_or(planned, |end| planned.min(end));
        Self { last_day, extended_months, ..self }
    }

    /// From when applications can arrive: not before anybody could know of it.
    #[must_use]
    pub fn opens_at(&self) -> Instant {
        self.live_at.max(self.published_at)
    }

    /// The first instant after the term.
    #[must_use]
    pub fn ends_at(&self) -> Instant {
        Instant::start_of(self.last_day.succ_opt().unwrap_or(self.last_day))
    }
}

/// What was changed after publication.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Modified {
    /// The description.
    Description,
    /// The service specification.
    Specification,
    /// Other documents.
    Documents,
    /// Terms and conditions.
    Terms,
    /// The contact.
    Contact,
    /// The estimated value.
    EstimatedValue,
    /// The authorities that use it.
    Participants,
    /// The length of the term.
    Term,
}

/// A dated and reasoned change of a published arrangement, open to all (PCR34-28).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Modification {
    /// When.
    pub at: Instant,
    /// Why.
    pub reason: String,
    /// What.
    pub changed: Vec<Modified>,
}

/// Something lawful that the lead should know.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Warning {
    /// Stable code.
    pub code: String,
    /// For a person.
    pub detail: String,
}

fn last_day(start: NaiveDate, months: u32) -> NaiveDate {
    let after = start.checked_add_months(Months::new(months)).unwrap_or(NaiveDate::MAX);
    after.pred_opt().unwrap_or(after)
}

//! Working days: neither Saturdays, Sundays nor bank holidays of the division that the arrangement names.
//!
//! The holidays are data with a version, and every deadline carries the version that made it. They are those that
//! GOV.UK publishes (<https://www.gov.uk/bank-holidays>, Open Government Licence v3.0), taken from the MIT-licensed
//! package `govuk-bank-holidays` 0.19 and cut down to division, date and title. A new copy gets a new version.
//!
//! Known gap of `govuk-2028`: the bank holiday proclaimed for Scotland on 15 June 2026 came after that copy was made.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::{Datelike, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::arrangement::policy::Division;
use crate::kernel::Instant;

/// One bank holiday.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BankHoliday {
    /// Where it is kept.
    pub division: Division,
    /// The day it is kept: the substitute day, where there is one.
    #[schema(value_type = String, format = Date)]
    pub date: NaiveDate,
    /// Such as `Christmas Day`.
    pub title: String,
}

/// A version of the bank holidays of all divisions.
#[derive(Debug)]
pub struct Calendar {
    version: String,
    england_and_wales: BTreeMap<NaiveDate, String>,
    scotland: BTreeMap<NaiveDate, String>,
    northern_ireland: BTreeMap<NaiveDate, String>,
}

/// The file as it is committed. The default, without any holiday, covers no date, so that a file that cannot be read
/// shows in every deadline; a test reads the one that is built in.
#[derive(Default, Deserialize)]
struct File {
    version: String,
    holidays: Vec<BankHoliday>,
}

static CALENDAR: LazyLock<Calendar> =
    LazyLock::new(|| Calendar::of(serde_json::from_str(include_str!("bank-holidays.json")).unwrap_or_default()));

/// The calendar that new deadlines are made with.
#[must_use]
pub fn calendar() -> &'static Calendar {
    &CALENDAR
}

impl Calendar {
    fn of(file: File) -> Self {
        let mut calendar = Self {
            version: file.version,
            england_and_wales: BTreeMap::new(),
            scotland: BTreeMap::new(),
            northern_ireland: BTreeMap::new(),
        };
        for BankHoliday { division, date, title } in file.holidays {
            match division {
                Division::EnglandAndWales => &mut calendar.england_and_wales,
                Division::Scotland => &mut calendar.scotland,
                Division::NorthernIreland => &mut calendar.northern_ireland,
            }
            .insert(date, title);
        }
        calendar
    }

    /// The version, such as `govuk-2028`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The holidays kept in `division`, in order of date.
    #[must_use]
    pub fn holidays(&self, division: Division) -> &BTreeMap<NaiveDate, String> {
        match division {
            Division::EnglandAndWales => &self.england_and_wales,
            Division::Scotland => &self.scotland,
            Division::NorthernIreland => &self.northern_ireland,
        }
    }

    /// Whether the holidays of `date`'s year are known. Whole years are published, so the first and the last year
    /// with a holiday bound what is known; outside them only weekends are left out of the count.
    #[must_use]
    pub fn covers(&self, date: NaiveDate, division: Division) -> bool {
        let known = self.holidays(division);
        match (known.first_key_value(), known.last_key_value()) {
            (Some((first, _)), Some((last, _))) => (first.year()..=last.year()).contains(&date.year()),
            _ => false,
        }
    }

    /// Whether `date` is a working day in `division`; ask [`Calendar::covers`] how much that is worth.
    #[must_use]
    pub fn is_working_day(&self, date: NaiveDate, division: Division) -> bool {
        !matches!(date.weekday(), Weekday::Sat | Weekday::Sun) && !self.holidays(division).contains_key(&date)
    }

    /// The `n`th working day after `start`. The day of `start` itself never counts, working day or not; `n = 0` is
    /// `start`.
    #[must_use]
    pub fn nth_working_day(&self, start: NaiveDate, n: u32, division: Division) -> NaiveDate {
        if n == 0 {
            return start;
        }
        let later = start.iter_days().skip(1).filter(|day| self.is_working_day(*day, division));
        later.take(usize::try_from(n).unwrap_or(usize::MAX)).last().unwrap_or(NaiveDate::MAX)
    }

    /// The end of a period of `n` working days that starts at `start`: the London midnight that ends the `n`th
    /// working day after the day of `start`. Half-open, so an act at any time on that day is still in time.
    #[must_use]
    pub fn plus_working_days(&self, start: Instant, n: u32, division: Division) -> Instant {
        let last = self.nth_working_day(start.date(), n, division);
        Instant::start_of(last.succ_opt().unwrap_or(last))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use Division::{EnglandAndWales, NorthernIreland, Scotland};

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    #[test]
    fn the_committed_file_is_read_whole() {
        let c = calendar();
        assert_eq!(c.version(), "govuk-2028");
        let sizes = [EnglandAndWales, Scotland, NorthernIreland].map(|d| c.holidays(d).len());
        assert_eq!(sizes, [140, 157, 174]);
        for division in [EnglandAndWales, Scotland, NorthernIreland] {
            for year in 2012..=2028 {
                let known = c.holidays(division).keys().filter(|d| d.year() == year).count();
                assert!(known >= 8, "{division:?} {year}: {known}");
            }
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_covers_nothing() {
        let empty = Calendar::of(File::default());
        assert!(!empty.covers(day("2026-01-01"), EnglandAndWales));
    }

    #[test]
    fn divisions_keep_their_own_holidays() {
        let working = |date, division| calendar().is_working_day(day(date), division);
        // Easter Monday
        assert!(!working("2026-04-06", EnglandAndWales) && working("2026-04-06", Scotland));
        assert!(!working("2026-04-06", NorthernIreland));
        // 2 January, St Andrew's Day, St Patrick's Day (substitute in 2024 the Monday after)
        assert!(!working("2026-01-02", Scotland) && working("2026-01-02", EnglandAndWales));
        assert!(!working("2026-11-30", Scotland) && working("2026-11-30", NorthernIreland));
        assert!(!working("2024-03-18", NorthernIreland) && working("2024-03-18", EnglandAndWales));
        // a weekend, and a substitute day: Boxing Day of 2026 is a Saturday
        assert!(!working("2026-11-28", Scotland) && !working("2026-12-28", EnglandAndWales));
    }

    #[test]
    fn bounds_of_what_is_covered() {
        let covers = |date| calendar().covers(day(date), EnglandAndWales);
        assert!(!covers("2011-12-31") && covers("2012-01-01") && covers("2028-12-31") && !covers("2029-01-01"));
    }

    #[test]
    fn the_period_ends_with_the_last_working_day() {
        let plus = |start, n, division| calendar().plus_working_days(at(start), n, division);
        // received on a Monday morning or a minute before its end: the same Monday, two weeks later
        assert_eq!(plus("2026-11-02T09:00:00Z", 10, EnglandAndWales), at("2026-11-17T00:00:00Z"));
        assert_eq!(plus("2026-11-02T23:59:00Z", 10, EnglandAndWales), at("2026-11-17T00:00:00Z"));
        // received on a Saturday: Monday is day 1
        assert_eq!(plus("2026-10-31T12:00:00Z", 1, EnglandAndWales), at("2026-11-03T00:00:00Z"));
        // over Christmas and New Year: 25, 28 Dec and 1 Jan are left out, in Scotland the 4th too
        assert_eq!(plus("2026-12-24T09:00:00Z", 5, EnglandAndWales), at("2027-01-06T00:00:00Z"));
        assert_eq!(plus("2026-12-24T09:00:00Z", 5, Scotland), at("2027-01-07T00:00:00Z"));
        // midnight in British summer time
        assert_eq!(plus("2026-06-01T09:00:00Z", 1, EnglandAndWales), at("2026-06-02T23:00:00Z"));
        // 23:30Z in summer is already the next day in London
        assert_eq!(plus("2026-06-01T23:30:00Z", 1, EnglandAndWales), at("2026-06-03T23:00:00Z"));
        assert_eq!(plus("2026-11-02T09:00:00Z", 0, EnglandAndWales), at("2026-11-03T00:00:00Z"));
    }

    proptest! {
        #[test]
        fn exactly_n_working_days_lie_in_the_period(offset in 0u64..6000, n in 1u32..40, pick in 0usize..3) {
            let division = [EnglandAndWales, Scotland, NorthernIreland][pick];
            let start = day("2012-01-01") + chrono::Days::new(offset);
            let last = calendar().nth_working_day(start, n, division);
            prop_assert!(calendar().is_working_day(last, division));
            let counted = start.iter_days().skip(1).take_while(|d| *d <= last);
            prop_assert_eq!(counted.filter(|d| calendar().is_working_day(*d, division)).count(), n as usize);
        }
    }
}

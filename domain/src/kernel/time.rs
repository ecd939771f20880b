//! Instants are UTC microseconds; civil time is Europe/London; periods are half-open.

use chrono::{DateTime, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeZone, Utc};
use chrono_tz::Europe::London;

/// A point in time, to the microsecond. Written as RFC 3339 in UTC.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, format = DateTime, pattern = "^(19|2[0-9])[0-9]{2}-", example = "2019-01-04T00:00:00Z")]
pub struct Instant(i64);

impl Instant {
    /// From microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The first instant of `date` in London.
    #[must_use]
    pub fn start_of(date: NaiveDate) -> Self {
        Self::london(date.and_time(NaiveTime::MIN))
    }

    /// The instant at which London clocks show `civil`. An hour that occurs twice is read as its first passing;
    /// an hour that the clocks skip is read as the instant they jump.
    #[must_use]
    pub fn london(civil: NaiveDateTime) -> Self {
        let found = London.from_local_datetime(&civil);
        let at = found.earliest().unwrap_or_else(|| {
            // Clocks in London skip exactly one hour: the civil hour before names the instant of the jump.
            let before = civil - chrono::TimeDelta::hours(1);
            let minutes_past = chrono::TimeDelta::seconds(i64::from(
                chrono::Timelike::num_seconds_from_midnight(&before.time()) % 3600,
            ));
            London.from_utc_datetime(&(before - minutes_past + chrono::TimeDelta::hours(1)))
        });
        Self(at.timestamp_micros())
    }

    /// What London clocks show.
    #[must_use]
    pub fn civil(self) -> NaiveDateTime {
        self.utc().with_timezone(&London).naive_local()
    }

    /// The date in London.
    #[must_use]
    pub fn date(self) -> NaiveDate {
        self.civil().date()
    }

    /// `days` civil days later at the same London clock time (DPS-11): not 24-hour steps.
    #[must_use]
    pub fn plus_days(self, days: u32) -> Self {
        let civil = self.civil();
        Self::london(civil.checked_add_days(Days::new(u64::from(days))).unwrap_or(civil))
    }

    /// `days` civil days earlier at the same London clock time.
    #[must_use]
    pub fn minus_days(self, days: u32) -> Self {
        let civil = self.civil();
        Self::london(civil.checked_sub_days(Days::new(u64::from(days))).unwrap_or(civil))
    }

    /// `months` calendar months later at the same London clock time; the day clamps: 31 August + 6 months is
    /// 28 or 29 February (DPS-19).
    #[must_use]
    pub fn plus_months(self, months: u32) -> Self {
        let civil = self.civil();
        Self::london(civil.checked_add_months(Months::new(months)).unwrap_or(civil))
    }

    /// `seconds` later (or earlier, where negative).
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or_default()
    }
}

impl std::fmt::Display for Instant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.utc().to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl std::str::FromStr for Instant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let at = DateTime::parse_from_rfc3339(text)
            .map_err(|_| "an instant is written as in RFC 3339, such as 2019-01-04T00:00:00Z".to_owned())?;
        // Whatever a rule adds to it must still be written with a year of four digits.
        if !(1900..3000).contains(&chrono::Datelike::year(&at)) {
            return Err("an instant lies between the years 1900 and 2999".to_owned());
        }
        Ok(Self(at.timestamp_micros()))
    }
}

impl TryFrom<String> for Instant {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Instant> for String {
    fn from(at: Instant) -> Self {
        at.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    #[test]
    fn ac_01_thirty_days_from_go_live() {
        assert_eq!(at("2019-01-04T00:00:00Z").plus_days(30), at("2019-02-03T00:00:00Z"));
    }

    #[test]
    fn ac_02_thirty_days_across_the_clock_change() {
        assert_eq!(at("2019-03-15T00:00:00Z").plus_days(30), at("2019-04-13T23:00:00Z"));
    }

    #[test]
    fn ac_12_months_clamp() {
        assert_eq!(at("2019-08-30T23:00:00Z").plus_months(6).date().to_string(), "2020-02-29");
        assert_eq!(at("2018-08-30T23:00:00Z").plus_months(6).date().to_string(), "2019-02-28");
    }

    #[test]
    fn the_skipped_hour_is_the_jump_and_the_doubled_hour_its_first_passing() {
        let skipped = NaiveDate::from_ymd_opt(2019, 3, 31).unwrap().and_hms_opt(1, 30, 0).unwrap();
        assert_eq!(Instant::london(skipped), at("2019-03-31T01:00:00Z"));
        let doubled = NaiveDate::from_ymd_opt(2019, 10, 27).unwrap().and_hms_opt(1, 30, 0).unwrap();
        assert_eq!(Instant::london(doubled), at("2019-10-27T00:30:00Z"));
    }
}

//! The policy keys by which each authority settles what the sources leave open (requirements §3).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::kernel::text::tidy;
use crate::kernel::{BasisPoints, Violations};
use crate::law;
use crate::provider::authority;

crate::rules! {
    POLICY_OUT_OF_RANGE = "policy_out_of_range", Input, "C-01, C-03, C-08, C-09",
        "Lengths of time and percentages in policies stay within what they can mean; a length of time is not zero.";
    SUSPENSION_DEFAULT_TOO_LONG = "suspension_default_too_long", Input, "C-03",
        "A suspension of the default length may not exceed the maximum.";
    TELL_AHEAD_MALFORMED = "tell_ahead_malformed", Input, "ADD-21",
        "What is coming is told at most twelve times ahead, from one to 366 days before.";
    BOUNDARY_MALFORMED = "boundary_malformed", Input, "C-11, TIR-13",
        "A location boundary names at least one postcode area, local authority or centre on the map.";
    AUTHORITY_UNKNOWN = "authority_unknown", Input, "C-11, TIR-13",
        "A local authority in a boundary is one that is responsible for children's services in the United Kingdom, or was.";
}

/// The legal regime; it selects a versioned set of rules and deadlines.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Regime {
    /// PCR 2015 regulations 74 to 76: the authority designs its own procedure.
    PcrLightTouch,
    /// PCR 2015 regulation 34 dynamic purchasing system.
    Pcr34,
    /// Procurement Act 2023 sections 34 to 40 dynamic market.
    Pa23Market,
    /// Procurement Act 2023 light-touch arrangement.
    Pa23LightTouch,
}

/// When applications are received and when they are processed (C-01).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdmissionMode {
    /// Received at any time, processed after the round closes; late arrivals queue for the next round.
    ContinuousReceiptBatched,
    /// Decided on arrival, without rounds.
    Rolling,
    /// Received only while a round is open.
    Windowed,
    /// Not received.
    Closed,
}

/// What must precede a removal for failure (C-02). Gross failure overrides with a recorded reason.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailurePath {
    /// Nothing.
    Direct,
    /// A suspension.
    SuspendFirst,
    /// An improvement notice whose time passed unrectified.
    NoticeFirst,
    /// Concealment, then restriction.
    Ladder,
}

/// What happens at the end of a suspension (C-03).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SuspensionEnd {
    /// It lapses by itself.
    Lapse,
    /// It stays until a reviewer lifts it, extends it within the maximum, or converts it to a removal.
    Review,
}

/// What follows the last round that fits into the term, so that the arrangement stays open to its last day (DPS-10, DPS-13).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LastRound {
    /// A shorter round, which closes early enough to be evaluated within the term; what arrives after it is decided on
    /// arrival.
    Shortened,
    /// No further round: applications are decided on arrival.
    OnArrival,
}

/// How many days ahead what is coming is told, by what it is; and whether what was missed is told (ADD-21). An empty list
/// tells nothing ahead.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schema(default)]
pub struct TellAhead {
    /// The opening and the close of a round.
    pub rounds: Vec<u32>,
    /// The end of an evaluation, by law or by plan.
    pub evaluations: Vec<u32>,
    /// The end of a suspension.
    pub suspensions: Vec<u32>,
    /// The review of a sanction.
    pub reviews: Vec<u32>,
    /// The end of the time to rectify of an improvement notice.
    pub notices: Vec<u32>,
    /// The end of the hearing before a removal, and its effect.
    pub removals: Vec<u32>,
    /// The expiry of evidence that a membership rests on.
    pub evidence: Vec<u32>,
    /// The end of the term.
    pub terms: Vec<u32>,
    /// Whether what was missed is told.
    pub missed: bool,
}

impl Default for TellAhead {
    fn default() -> Self {
        Self {
            rounds: vec![7, 1],
            evaluations: vec![7, 1],
            suspensions: vec![30],
            reviews: vec![7],
            notices: vec![7],
            removals: vec![7],
            evidence: vec![30],
            terms: vec![180, 30],
            missed: true,
        }
    }
}

/// Which authorities of a joint arrangement a suspension binds (DPS-27).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScopeAuthority {
    /// The one that imposed it.
    Own,
    /// All. The others are told, and each may lift it for itself with a reason.
    All,
}

/// Whether an applicant must enter all its homes inside the boundary (C-12).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AllHomes {
    /// Omissions are warned of.
    Warn,
    /// Omissions are refused.
    Require,
    /// Not looked at.
    Off,
}

/// The area in which homes count (C-11, TIR-13).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "mode", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum LocationBoundary {
    /// Every home counts.
    Everywhere,
    /// Homes whose postcode area (the letters before the first digit) or local authority is listed.
    PostcodeAreas {
        /// Such as `HD`, `WF`, `HX`.
        postcode_areas: Vec<String>,
        /// Local authorities that count whole, by the name the regulator prints.
        #[serde(default)]
        local_authorities: Vec<String>,
    },
    /// Homes whose outward postcode's centre lies within a radius of one of the centres.
    Radius {
        /// In miles.
        miles: u16,
        /// The points measured from.
        centres: Vec<Point>,
    },
}

/// A place on the map, in millionths of a degree (WGS 84).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Point {
    /// Degrees north × 1,000,000.
    pub latitude: i32,
    /// Degrees east × 1,000,000.
    pub longitude: i32,
}

/// The part of the United Kingdom whose bank holidays count.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Division {
    /// England and Wales.
    EnglandAndWales,
    /// Scotland.
    Scotland,
    /// Northern Ireland.
    NorthernIreland,
}

/// The policies of one arrangement. Every key has a default; publication freezes them (A1).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schema(default)]
pub struct Policies {
    /// The legal regime. Where absent, publication sets the light-touch regime of the day on which the notice is sent.
    pub regime: Option<Regime>,
    /// The part of the United Kingdom whose bank holidays count.
    pub division: Division,
    /// C-01.
    pub admission_mode: AdmissionMode,
    /// Length of the first round in calendar days (DPS-11).
    pub first_round_days: u32,
    /// Months from one round's opening to the next (DPS-12).
    pub round_interval_months: u32,
    /// Length of later rounds in calendar days (DPS-12).
    pub round_window_days: u32,
    /// Days from a round's close to the planned end of its evaluation (DPS-16).
    pub evaluation_days: u32,
    /// What follows the last round that fits into the term (DPS-10, DPS-13).
    pub last_round: LastRound,
    /// Term in months (C-08).
    pub term_months: u32,
    /// Months by which the term may be extended in all; 0 = no extension (C-08).
    pub extension_months: u32,
    /// C-02.
    pub failure_path: FailurePath,
    /// Length of a suspension where none is given (C-03).
    pub suspension_months: u32,
    /// The longest a suspension may last, extensions included (C-03).
    pub suspension_max_months: u32,
    /// C-03.
    pub suspension_end: SuspensionEnd,
    /// Whether a suspension binds the authority that imposed it or all of the arrangement (DPS-27).
    pub suspension_scope_authority: ScopeAuthority,
    /// Days between the notification of a removal and its effect, in which representations are heard.
    pub removal_notice_days: u32,
    /// Whether a removal that one person decides takes another to confirm it (ADD-24).
    pub removal_by_two: bool,
    /// Months of notice to end a membership without cause; `null` = not available (C-09).
    pub no_fault_notice_months: Option<u32>,
    /// C-11.
    pub location_boundary: LocationBoundary,
    /// C-12.
    pub all_homes: AllHomes,
    /// Whether authorities may no longer join once the arrangement is live (C-17, SUB-03).
    pub participants_closed: bool,
    /// Whether a manual check result is confirmed by a second assessor before it counts.
    pub second_assessor: bool,
    /// What is told ahead, and whether what was missed is (ADD-21).
    pub tell_ahead: TellAhead,
    /// How far above the median of its lot a fee may lie before it is flagged for discussion, in hundredths of one per
    /// cent; `null` = fees are not compared (PRC-04).
    pub abnormal_fee_over_median: Option<BasisPoints>,
}

impl Default for Policies {
    fn default() -> Self {
        Self {
            regime: None,
            division: Division::EnglandAndWales,
            admission_mode: AdmissionMode::ContinuousReceiptBatched,
            first_round_days: 30,
            round_interval_months: 3,
            round_window_days: 30,
            evaluation_days: 56,
            last_round: LastRound::OnArrival,
            term_months: 120,
            extension_months: 0,
            failure_path: FailurePath::SuspendFirst,
            suspension_months: 6,
            suspension_max_months: 6,
            suspension_end: SuspensionEnd::Lapse,
            suspension_scope_authority: ScopeAuthority::All,
            removal_notice_days: 28,
            removal_by_two: false,
            no_fault_notice_months: None,
            location_boundary: LocationBoundary::Everywhere,
            all_homes: AllHomes::Warn,
            participants_closed: true,
            second_assessor: false,
            tell_ahead: TellAhead::default(),
            abnormal_fee_over_median: Some(BasisPoints(2_500)),
        }
    }
}

impl Policies {
    /// As they are kept: each text composed, with single blanks.
    #[must_use]
    pub fn tidied(mut self) -> Self {
        if let LocationBoundary::PostcodeAreas { local_authorities, .. } = &mut self.location_boundary {
            for text in local_authorities {
                *text = tidy(text);
            }
        }
        self
    }

    /// The regime; of a draft that names none, that of a light-touch arrangement whose notice is sent now.
    #[must_use]
    pub fn regime(&self) -> Regime {
        self.regime.unwrap_or(Regime::Pa23LightTouch)
    }

    /// Collects what is wrong with them; pointers begin with `at`.
    pub fn check(&self, broken: &mut Violations, at: &str) {
        let mut range = |value: u32, least: u32, most: u32, key: &str| {
            let held = (least..=most).contains(&value);
            let detail = format!("{value} is not within {least} to {most}");
            broken.require(held, &POLICY_OUT_OF_RANGE, &format!("{at}/{key}"), detail);
        };
        range(self.first_round_days, 1, 366, "firstRoundDays");
        range(self.round_interval_months, 1, 120, "roundIntervalMonths");
        range(self.round_window_days, 1, 366, "roundWindowDays");
        range(self.evaluation_days, 1, 366, "evaluationDays");
        range(self.term_months, 1, 600, "termMonths");
        range(self.extension_months, 0, 600, "extensionMonths");
        range(self.suspension_months, 1, 120, "suspensionMonths");
        range(self.suspension_max_months, 1, 120, "suspensionMaxMonths");
        range(self.removal_notice_days, 0, 366, "removalNoticeDays");
        if let Some(months) = self.no_fault_notice_months {
            range(months, 1, 120, "noFaultNoticeMonths");
        }
        if let Some(BasisPoints(over)) = self.abnormal_fee_over_median {
            range(u32::try_from(over).unwrap_or(u32::MAX), 0, 100_000, "abnormalFeeOverMedian");
        }
        broken.require(
            self.suspension_months <= self.suspension_max_months,
            &SUSPENSION_DEFAULT_TOO_LONG,
            &format!("{at}/suspensionMonths"),
            format!("{} exceeds the maximum of {}", self.suspension_months, self.suspension_max_months),
        );
        self.location_boundary.check(broken, &format!("{at}/locationBoundary"));
        self.tell_ahead.check(broken, &format!("{at}/tellAhead"));
        if let Some(refusal) = law::mode_refusal(self.regime(), self.admission_mode, &format!("{at}/admissionMode")) {
            broken.add(refusal);
        }
    }
}

impl TellAhead {
    fn check(&self, broken: &mut Violations, at: &str) {
        for (days, field) in [
            (&self.rounds, "rounds"),
            (&self.evaluations, "evaluations"),
            (&self.suspensions, "suspensions"),
            (&self.reviews, "reviews"),
            (&self.notices, "notices"),
            (&self.removals, "removals"),
            (&self.evidence, "evidence"),
            (&self.terms, "terms"),
        ] {
            let fits = days.len() <= 12 && days.iter().all(|day| (1..=366).contains(day));
            broken.require(fits, &TELL_AHEAD_MALFORMED, &format!("{at}/{field}"), format!("{days:?}"));
        }
    }
}

impl LocationBoundary {
    fn check(&self, broken: &mut Violations, at: &str) {
        match self {
            LocationBoundary::Everywhere => {}
            LocationBoundary::PostcodeAreas { postcode_areas, local_authorities } => {
                let some = !(postcode_areas.is_empty() && local_authorities.is_empty());
                broken.require(some, &BOUNDARY_MALFORMED, at, "nothing is inside this boundary");
                for (i, area) in postcode_areas.iter().enumerate() {
                    let letters = (1..=2).contains(&area.len()) && area.bytes().all(|b| b.is_ascii_uppercase());
                    let field = format!("{at}/postcodeAreas/{i}");
                    broken.require(letters, &BOUNDARY_MALFORMED, &field, "one or two capital letters, such as `HD`");
                }
                for (i, text) in local_authorities.iter().enumerate() {
                    let like = match authority::like(text).join(", ") {
                        none if none.is_empty() => String::new(),
                        some => format!("; known are {some}"),
                    };
                    let known = authority::named(text).is_some();
                    let detail = format!("`{text}` is no local authority that is known{like}");
                    broken.require(known, &AUTHORITY_UNKNOWN, &format!("{at}/localAuthorities/{i}"), detail);
                }
            }
            LocationBoundary::Radius { miles, centres } => {
                broken.require(*miles > 0, &BOUNDARY_MALFORMED, &format!("{at}/miles"), "give at least one mile");
                broken.require(!centres.is_empty(), &BOUNDARY_MALFORMED, &format!("{at}/centres"), "give a centre");
                for (i, centre) in centres.iter().enumerate() {
                    let on_map =
                        centre.latitude.unsigned_abs() <= 90_000_000 && centre.longitude.unsigned_abs() <= 180_000_000;
                    broken.require(on_map, &BOUNDARY_MALFORMED, &format!("{at}/centres/{i}"), "this is off the map");
                }
            }
        }
    }
}

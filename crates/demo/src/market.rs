//! Market of the demo, as the source documents tell it: tables, no code.

use serde_json::{Value, json};

use tables::ofsted::ProvisionType;

/// The lead agency and the authorities that take part.
pub(super) const LEAD: (&str, &str) = ("LGSS", "Local Government Shared Services");
/// The authorities that use it.
pub(super) const PARTICIPANTS: [(&str, &str); 2] =
    [("CCC", "Cambridgeshire County Council"), ("PCC", "Peterborough City Council")];

/// A lot, with the names that each authority has for it (DPS-08, DPS-09).
pub(super) struct Lot {
    /// Stable code.
    pub code: &'static str,
    /// Title.
    pub title: &'static str,
    /// What is bought.
    pub service: &'static str,
    /// Code and label at CCC.
    pub ccc: (&'static str, &'static str),
    /// Code and label at PCC.
    pub pcc: (&'static str, &'static str),
    /// Codes of the requirements it asks for.
    pub asks: &'static [&'static str],
    /// The regulator's kinds of provision that belong here.
    pub kinds: &'static [ProvisionType],
}

/// The four lots.
pub(super) const LOTS: [Lot; 4] = [
    Lot {
        code: "FOSTERING",
        title: "Independent fostering agency services",
        service: "fostering_agency",
        ccc: ("FOST", "Fostering"),
        pcc: ("1", "Lot 1 - IFA"),
        asks: &["exclusion", "insurance", "safeguarding", "service-model", "manager", "rated"],
        kinds: &[ProvisionType::FosteringAgency],
    },
    Lot {
        code: "RESIDENTIAL",
        title: "Children's homes",
        service: "childrens_home",
        ccc: ("RES", "Residential"),
        pcc: ("2", "Lot 2 Residential"),
        asks: &["exclusion", "insurance", "safeguarding", "service-model", "manager", "rated", "rating-share"],
        kinds: &[
            ProvisionType::ChildrensHome,
            ProvisionType::SecureChildrensHome,
            ProvisionType::SpecialSchoolChildrensHome,
        ],
    },
    Lot {
        code: "INMSS",
        title: "Special educational needs: independent and non-maintained special schools",
        service: "special_school",
        ccc: ("INMSS", "INMSS"),
        pcc: ("3", "Lot 3 - Out of City Education (DSG)"),
        asks: &["exclusion", "insurance", "safeguarding", "service-model", "location"],
        kinds: &[ProvisionType::ResidentialSpecialSchool, ProvisionType::SpecialSchoolChildrensHome],
    },
    Lot {
        code: "TUITION",
        title: "Out-of-school tuition",
        service: "tuition",
        ccc: ("TUIT", "Tuition"),
        pcc: ("4", "Lot 4 - Nil spend"),
        asks: &["exclusion", "insurance", "safeguarding", "service-model"],
        kinds: &[ProvisionType::ResidentialSpecialSchool, ProvisionType::FurtherEducationCollege],
    },
];

/// The least cover, in pence: £5,000,000.
pub(super) const LEAST_COVER: i64 = 500_000_000;

/// The shared library of requirements (DPS-21): code and first version.
pub(super) fn library() -> Vec<(&'static str, Value)> {
    let decided_by = |title: &str, test: Value| json!({"title": title, "test": test, "gate": "membership", "mandatory": true, "selfAssessable": false});
    let with = |mut base: Value, field: &str, value: Value| {
        base[field] = value;
        base
    };
    let judged = |title: &str| decided_by(title, json!({"kind": "manual"}));
    let insured = decided_by(
        "Public liability insurance of at least £5,000,000 is in force",
        json!({"kind": "insurance", "minimum": LEAST_COVER}),
    );
    let safe = with(judged("Children are kept safe"), "selfAssessable", json!(true));
    vec![
        ("exclusion", decided_by("No ground for exclusion applies", json!({"kind": "no_exclusion"}))),
        (
            "insurance",
            with(
                insured,
                "evidence",
                json!([{"code": "certificate", "title": "Certificate of insurance", "mandatory": true}]),
            ),
        ),
        (
            "safeguarding",
            with(
                safe,
                "questions",
                json!([
                    {"code": "lead", "text": "Is there a designated safeguarding lead?", "answer": {"type": "yes_no"}, "mandatory": true},
                    {"code": "plan", "text": "When will there be one?", "answer": {"type": "text", "maxLength": 500}, "mandatory": true,
                     "when": {"question": "lead", "equals": false}},
                ]),
            ),
        ),
        (
            "service-model",
            with(
                judged("The service meets the service specification"),
                "evidence",
                json!([{"code": "statement", "title": "Statement of purpose", "mandatory": true}]),
            ),
        ),
        (
            "manager",
            decided_by("Every home in the area has a registered manager", json!({"kind": "registered_manager"})),
        ),
        (
            "rated",
            decided_by(
                "At least one home in the area is rated Requires improvement or better",
                json!({"kind": "rated_home", "atLeast": "requires_improvement"}),
            ),
        ),
        (
            "rating-share",
            decided_by(
                "At least 65 % of the rated homes in the area are rated Good or better",
                json!({"kind": "rating_share", "atLeast": "good", "percent": 65}),
            ),
        ),
        ("location", decided_by("At least one setting stands in the area", json!({"kind": "home_inside_boundary"}))),
    ]
}

/// The requirements that ratings and places decide, and so the regulator's list.
pub(super) const DECIDED_BY_THE_LIST: [&str; 3] = ["rated", "rating-share", "location"];

/// The region of the market, and the neighbours that are asked in turn until there are applicants enough.
pub(super) const REGIONS: [&str; 4] = ["East of England", "East Midlands", "South East", "London"];
/// Applicants that are enough.
pub(super) const APPLICANTS: usize = 320;

/// The area in which homes count: the East of England, with the counties that LGSS worked for or that border on it.
/// Whole local authorities, as the regulator prints them, since the list seldom tells a home's postcode.
pub(super) const AREA: [&str; 20] = [
    "Bedford",
    "Buckinghamshire",
    "Cambridgeshire",
    "Central Bedfordshire",
    "Essex",
    "Hertfordshire",
    "Leicester",
    "Leicestershire",
    "Lincolnshire",
    "Luton",
    "Milton Keynes",
    "Norfolk",
    "North Northamptonshire",
    "Northamptonshire",
    "Peterborough",
    "Rutland",
    "Southend on Sea",
    "Suffolk",
    "Thurrock",
    "West Northamptonshire",
];

/// The portals through which providers apply; one in eight comes by itself.
pub(super) const PORTALS: [&str; 2] = ["procontract", "in-tend"];

/// What an applicant does in the play.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    /// All in order.
    Ordinary,
    /// Insurance that runs out in the summer and is renewed in time to come back.
    Renews,
    /// Insurance that runs out in the summer and is not renewed.
    LetsExpire,
    /// Forgets the certificate, is told so, and then sends it.
    Forgets,
    /// Cover below the least.
    LittleCover,
    /// A certificate that has expired.
    Expired,
    /// One home without a registered manager.
    NoManager,
    /// Does not say that it keeps children safe: an officer judges, and finds it does.
    Doubtful,
    /// The same, and the officer finds that it does not.
    Unsafe,
    /// After the round has closed.
    Late,
    /// Never submits.
    Draft,
    /// Submits and withdraws.
    Withdraws,
    /// Submits, revises and submits again.
    Revises,
}

/// The parts, given out in turn.
pub(super) const PARTS: [Part; 20] = [
    Part::Ordinary,
    Part::Ordinary,
    Part::Revises,
    Part::Late,
    Part::Expired,
    Part::Ordinary,
    Part::Renews,
    Part::Draft,
    Part::Forgets,
    Part::Unsafe,
    Part::Ordinary,
    Part::LittleCover,
    Part::LetsExpire,
    Part::Ordinary,
    Part::Withdraws,
    Part::Doubtful,
    Part::Ordinary,
    Part::NoManager,
    Part::Ordinary,
    Part::Ordinary,
];

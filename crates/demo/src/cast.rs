//! Cast of the demo: the owners of the regulator's list, grouped and dealt their parts.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};
use domain::kernel::Instant;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::market::{APPLICANTS, LOTS, PARTS, PORTALS, Part, REGIONS};
use tables::ofsted::{Entry, List, ProvisionType, Rating, Sector};

/// Everyone who plays, and the year it plays in.
pub(super) struct Cast {
    /// The year of go-live: the one after the latest date of the list, so that the list lies in the past.
    pub year: i32,
    /// The latest date in the list.
    pub latest: NaiveDate,
    /// The regions that were asked.
    pub regions: Vec<&'static str>,
    /// The providers, in the order of their numbers.
    pub players: Vec<Player>,
    /// Settings of those regions that have no place in the play, by reason.
    pub left_out: BTreeMap<&'static str, usize>,
}

/// A provider of the play.
#[derive(Clone)]
pub(super) struct Player {
    /// From 1; what is invented is told of this number.
    pub number: usize,
    /// The owner's name in the list.
    pub name: String,
    /// What it does.
    pub part: Part,
    /// The portal it comes through; none where it comes by itself.
    pub portal: Option<&'static str>,
    /// Its settings.
    pub settings: Vec<Setting>,
    /// Indexes of the lots that its settings belong to.
    pub lots: Vec<usize>,
    /// Its id, once it is registered.
    pub id: Uuid,
    /// The ids of its homes, once they are registered.
    pub homes: Vec<String>,
}

impl Player {
    /// How the account speaks of it where something is invented.
    pub fn alias(&self) -> String {
        format!("P-{:03}", self.number)
    }
}

/// A home, agency or school of the list.
#[derive(Clone)]
pub(super) struct Setting {
    kind: ProvisionType,
    urn: String,
    registered_on: NaiveDate,
    profile: Value,
    rating: Option<(Rating, NaiveDate, Option<NaiveDate>)>,
}

impl Setting {
    /// What registers it.
    pub fn new_home(&self, has_manager: bool) -> Value {
        let mut profile = self.profile.clone();
        profile["registeredManager"] = json!({"post": if has_manager { "filled" } else { "vacant" }});
        json!({"profile": profile, "registration": {"urn": self.urn, "registeredOn": self.registered_on}})
    }

    /// What records its rating; none where it has none.
    pub fn rating(&self) -> Option<Value> {
        let (rating, inspected, published) = self.rating.as_ref()?;
        let source = "the regulator's published list";
        Some(
            json!({"rating": rating_code(*rating), "inspectedOn": inspected, "publishedOn": published, "source": source,
                   "reason": "the regulator says so"}),
        )
    }
}

fn rating_code(rating: Rating) -> &'static str {
    match rating {
        Rating::Inadequate => "inadequate",
        Rating::RequiresImprovement => "requires_improvement",
        Rating::Good => "good",
        Rating::Outstanding => "outstanding",
    }
}

impl Cast {
    /// Casts the owners of the market's region, and of its neighbours until there are enough.
    pub fn of(list: &List) -> Self {
        let latest = list.rows.iter().flat_map(dates).max().unwrap_or_default();
        let mut cast = Self {
            year: latest.year() + 1,
            latest,
            regions: Vec::new(),
            players: Vec::new(),
            left_out: BTreeMap::new(),
        };
        let owners = list.owners();
        let mut asked = BTreeSet::new();
        for region in REGIONS {
            if cast.players.len() >= APPLICANTS {
                break;
            }
            cast.regions.push(region);
            for (key, rows) in &owners {
                if rows.iter().any(|row| lies_in(row, region)) && asked.insert(*key) {
                    cast.ask(rows);
                }
            }
        }
        let strays = list.rows.iter().filter(|row| row.owner.is_none());
        let strays = strays.filter(|row| cast.regions.iter().any(|region| lies_in(row, region))).count();
        if strays > 0 {
            cast.left_out.insert("no owner is named", strays);
        }
        cast
    }

    /// When the play begins: a month before go-live.
    pub fn starts(&self) -> Instant {
        let day = NaiveDate::from_ymd_opt(self.year - 1, 12, 1).unwrap_or_default();
        Instant::london(day.and_hms_opt(9, 0, 0).unwrap_or_default())
    }

    fn ask(&mut self, rows: &[&Entry]) {
        let mut settings = Vec::new();
        for row in rows {
            match setting(row) {
                Ok(setting) => settings.push(setting),
                Err(why) => *self.left_out.entry(why).or_default() += 1,
            }
        }
        let lots: Vec<usize> = (0..LOTS.len())
            .filter(|lot| LOTS.get(*lot).is_some_and(|lot| settings.iter().any(|s| lot.kinds.contains(&s.kind))))
            .collect();
        let Some(owner) = rows.first().and_then(|row| row.owner.as_ref()).filter(|_| !lots.is_empty()) else { return };
        let at = self.players.len();
        self.players.push(Player {
            number: at + 1,
            name: owner.name.clone(),
            part: PARTS.get(at % PARTS.len()).copied().unwrap_or(Part::Ordinary),
            portal: if at.is_multiple_of(8) { None } else { PORTALS.get(at % PORTALS.len()).copied() },
            settings,
            lots,
            id: Uuid::nil(),
            homes: Vec::new(),
        });
    }
}

fn lies_in(row: &Entry, region: &str) -> bool {
    row.region.as_deref().is_some_and(|there| there.eq_ignore_ascii_case(region))
}

/// The dates that the market must come after.
fn dates(row: &Entry) -> impl Iterator<Item = NaiveDate> {
    [row.latest.date, row.latest.published, row.registration_date].into_iter().flatten()
}

/// A row as a setting of the play, or why it has no place in it.
fn setting(row: &Entry) -> Result<Setting, &'static str> {
    let kind = match row.provision_type {
        ProvisionType::ChildrensHome => "childrens_home",
        ProvisionType::SecureChildrensHome => "secure_childrens_home",
        ProvisionType::FosteringAgency => "fostering_agency",
        ProvisionType::ResidentialSpecialSchool | ProvisionType::SpecialSchoolChildrensHome => {
            "residential_special_school"
        }
        ProvisionType::FurtherEducationCollege => "other",
        _ => return Err("of a kind that none of the lots buys"),
    };
    if row.sector == Some(Sector::LocalAuthority) {
        return Err("run by a local authority, which does not apply");
    }
    if row.urn.eq_ignore_ascii_case("redacted") {
        return Err("its number is redacted");
    }
    let Some(registered_on) = row.registration_date.or(row.latest.date) else {
        return Err("the list does not say since when it is registered");
    };
    let kind = if kind == "other" { json!({"other": row.provision_text}) } else { json!(kind) };
    // A postcode that is not one says nothing of where the home stands; the local authority does.
    let postcode = row.postcode.clone().filter(|code| domain::provider::Postcode::try_from(code.clone()).is_ok());
    Ok(Setting {
        kind: row.provision_type,
        urn: row.urn.clone(),
        registered_on,
        profile: json!({
            "name": row.name.clone().unwrap_or_else(|| format!("Home {}", row.urn)),
            "kind": kind,
            "postcode": postcode,
            "localAuthority": row.local_authority,
            "region": row.region,
            "beds": row.places.filter(|places| *places > 0),
        }),
        rating: row.latest.rating.zip(row.latest.date).map(|(rating, date)| (rating, date, row.latest.published)),
    })
}

//! The regulator's list as it is published, of any year: dated ratings of the homes that are known here, and what else it says of
//! them. What the latest release says holds, over anything that a provider said, also where it goes back to what was said before, and
//! where it is blank; nothing is overwritten: what differs from what stands is a further entry.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;

use chrono::NaiveDate;
use domain::kernel::text::{tidied, tidy};
use domain::kernel::{Decided, ProviderId, Rule};
use domain::provider::Postcode;
use domain::provider::home::{Home, HomeEvent, HomeState, Listing, RatingFacts, RegisterOwner, Said};
use domain::provider::identifier::regulator_number;
use domain::upload::{FileFormat, Note, Subject, UploadKind};
use persistence::provider::{homes, providers};
use persistence::{Conn, Filter, Outcome, Page, Stored};
use tables::ofsted::{self, Entry, Inspection, Judgement, Release as List};

use super::homes::kind;
use super::of_the_regulator;
use crate::Caller;
use crate::upload::row::{Cells, Column, column, fault, misread};
use crate::upload::{Batch, Change, Decisions, Opened, Release, Rows, Source, Verdict, noted, write_all};

domain::rules! {
    REGISTER_FORMAT = "register_format", Input, "CRD-07", "The regulator's list is sent as it is published: as CSV, XLSX or ODS.";
    NO_RATINGS = "no_ratings", Input, "CRD-07", "The regulator's list has the judgements with the dates of their inspections.";
}

/// Homes that are looked through at a time.
const PAGE: i64 = 1_000;

/// Ratings.
pub struct Ratings;

/// What is taken from a release, whatever its own headings are.
static COLUMNS: &[Column] = &[
    column("urn", true, ""),
    column("registrationStatus", false, ""),
    column("inspectedOn", false, ""),
    column("publishedOn", false, ""),
    column("rating", false, ""),
    column("previousInspectedOn", false, ""),
    column("previousPublishedOn", false, ""),
    column("previousRating", false, ""),
    column("asAt", false, ""),
    column("kind", false, ""),
    column("localAuthority", false, ""),
    column("postcode", false, ""),
    column("places", false, ""),
    column("owner", false, ""),
    column("ownerNumber", false, ""),
];

/// What stands in the template: headings as the regulator prints them, and one home.
const TEMPLATE: [(&str, &str); 8] = [
    ("URN", "SC900001"),
    ("Provision type", "Children's home"),
    ("Registration status", "Active"),
    ("Local authority", "Cambridgeshire"),
    ("Sector", "Private"),
    ("Latest full inspection date", "14/05/2018"),
    ("Latest full inspection publication date", "20/06/2018"),
    ("Overall experiences and progress of children and young people", "Good"),
];

/// The example of the template under the columns of this kind.
const EXAMPLE: [(&str, &str); 4] =
    [("urn", "SC900001"), ("inspectedOn", "2018-05-14"), ("publishedOn", "2018-06-20"), ("rating", "Good")];

/// A release as it comes: its rows under the columns of this kind.
struct Published {
    list: List<'static>,
    /// The columns that it tells of, in the order of [`COLUMNS`].
    columns: Vec<&'static str>,
}

/// Opens a release.
///
/// # Errors
/// Everything that is wrong with its headings.
fn open(file: File, format: FileFormat, limits: tables::Limits) -> Opened {
    if format == FileFormat::Ndjson {
        return Err(vec![fault(&REGISTER_FORMAT, 0, None, None, "this is NDJSON")]);
    }
    let list = List::within(file, limits).map_err(|errors| errors.into_iter().map(misread).collect::<Vec<_>>())?;
    let tells = list.tells();
    if !tells.rating {
        let detail = "it has no column of the overall judgement, or none of the date of the inspection: nothing is taken from it";
        return Err(vec![fault(&NO_RATINGS, list.headings_row(), None, None, detail)]);
    }
    let told = |column: &&str| match *column {
        "registrationStatus" => tells.registration,
        "previousInspectedOn" | "previousPublishedOn" | "previousRating" => tells.previous,
        _ => true,
    };
    let columns = COLUMNS.iter().map(|column| column.name).filter(told).collect();
    Ok(Box::new(Published { list, columns }))
}

impl Source for Published {
    fn headings(&self) -> Vec<String> {
        self.columns.iter().map(|&name| name.to_owned()).collect()
    }

    fn headings_row(&self) -> u64 {
        self.list.headings_row()
    }

    fn next(&mut self) -> Option<Result<tables::Row, tables::Fault>> {
        let listed = match self.list.next_row()? {
            Ok(listed) => listed,
            Err(fault) => return Some(Err(fault)),
        };
        let number = listed.row.number;
        let (urn, entry, faults) = match listed.entry {
            Ok(entry) => (entry.urn.clone(), Some(entry), Vec::new()),
            Err(faults) => (self.list.urn_of(&listed.row).unwrap_or_default(), None, faults),
        };
        let day = self.list.title().and_then(as_at);
        let cell = |&name: &&str| match (name, &entry) {
            ("asAt", _) => day.map(|day| day.to_string()).unwrap_or_default(),
            ("urn", _) if urn.eq_ignore_ascii_case("redacted") => String::new(),
            ("urn", _) => urn.clone(),
            (name, Some(entry)) => told(entry, name),
            (_, None) => String::new(),
        };
        let cells = self.columns.iter().map(cell).collect();
        Some(Ok(tables::Row { number, cells, faults, ..tables::Row::default() }))
    }

    fn notes(&self) -> Vec<Note> {
        let mut notes: Vec<Note> = self.list.notes().into_iter().map(noted).collect();
        let unused = self.list.unused_headings();
        if !unused.is_empty() {
            notes.push(Note::new("columns_not_used", "columns that nothing is taken from").on_all(unused));
        }
        notes
    }
}

/// What an entry tells under a column of this kind.
fn told(entry: &Entry, column: &str) -> String {
    let day = |date: Option<NaiveDate>| date.map(|date| date.to_string()).unwrap_or_default();
    let judged = |inspection: &Inspection| inspection.rating_text.clone().unwrap_or_default();
    match column {
        "registrationStatus" => entry.registration_status.clone().unwrap_or_default(),
        "inspectedOn" => day(entry.latest.date),
        "publishedOn" => day(entry.latest.published),
        "rating" => judged(&entry.latest),
        "previousInspectedOn" => day(entry.previous.date),
        "previousPublishedOn" => day(entry.previous.published),
        "previousRating" => judged(&entry.previous),
        "kind" => kind_of(entry),
        "localAuthority" => entry.local_authority.clone().unwrap_or_default(),
        "postcode" => entry.postcode.clone().unwrap_or_default(),
        "places" => entry.places.map(|places| places.to_string()).unwrap_or_default(),
        "owner" => entry.owner.as_ref().map(|owner| owner.name.clone()).unwrap_or_default(),
        "ownerNumber" => entry.owner.as_ref().and_then(|owner| owner.urn.clone()).unwrap_or_default(),
        _ => String::new(),
    }
}

/// The kind of a setting by its name in the API.
fn kind_of(entry: &Entry) -> String {
    use ofsted::ProvisionType as Kind;
    match entry.provision_type {
        Kind::ChildrensHome => "childrens_home".to_owned(),
        Kind::SecureChildrensHome => "secure_childrens_home".to_owned(),
        Kind::SpecialSchoolChildrensHome | Kind::ResidentialSpecialSchool => "residential_special_school".to_owned(),
        Kind::FosteringAgency => "fostering_agency".to_owned(),
        Kind::FamilyCentre => "residential_family_centre".to_owned(),
        Kind::SupportedAccommodation => "supported_accommodation".to_owned(),
        Kind::BoardingSchool
        | Kind::FurtherEducationCollege
        | Kind::VoluntaryAdoptionAgency
        | Kind::AdoptionSupportAgency
        | Kind::HolidayScheme
        | Kind::SecureTrainingCentre
        | Kind::Other => format!("other:{}", entry.provision_text),
    }
}

/// The day of which a release speaks, where its title says so: `… as at 31 March 2023`.
fn as_at(title: &str) -> Option<chrono::NaiveDate> {
    let title = title.to_lowercase();
    let (_, day) = title.rsplit_once("as at ")?;
    let words: Vec<&str> = day.split_whitespace().take(3).map(|word| word.trim_end_matches([',', '.', ')'])).collect();
    chrono::NaiveDate::parse_from_str(&words.join(" "), "%d %B %Y").ok()
}

/// The regulator's list is about whatever homes it names.
///
/// # Errors
/// None.
pub fn scope(_: &mut Conn<'_>, _: &Caller) -> Outcome<Subject> {
    Ok(Subject::default())
}

impl Rows for Ratings {
    fn kind(&self) -> UploadKind {
        UploadKind::Ratings
    }

    fn rules(&self) -> &'static [&'static Rule] {
        RULES
    }

    fn release(&self) -> Option<Release> {
        Some(Release { open, knows: ofsted::is_heading })
    }

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn template(&self) -> Vec<(&'static str, &'static str)> {
        TEMPLATE.to_vec()
    }

    fn is_example(&self, cells: &Cells<'_>) -> bool {
        EXAMPLE.iter().all(|(column, example)| cells.shows(column, example))
    }

    fn keys(&self, cells: &Cells<'_>) -> Vec<(&'static str, String)> {
        cells.text("urn").map(|urn| ("urn", regulator_number(&urn))).into_iter().collect()
    }

    fn unnamed(&self, conn: &mut Conn<'_>, names: &dyn Fn(&'static str, &str) -> bool) -> Outcome<Vec<Note>> {
        let mut missing = Vec::new();
        let mut page = Page { limit: PAGE, ..Page::ALL };
        loop {
            let found: Vec<Stored<Home>> = conn.list(&Filter::all(), page)?;
            let Some(last) = found.last() else { break };
            page.after = Some(last.value.id.into());
            let listed = found.iter().filter(|home| matches!(home.value.state, HomeState::Registered { .. }));
            let numbers = listed.filter_map(|home| home.value.urn()).filter(|urn| is_of_this_regulator(urn));
            missing.extend(numbers.filter(|urn| !names("urn", urn)).map(str::to_owned));
        }
        missing.sort_unstable();
        let detail = "registered homes that are known here and are not in the list";
        let note = (!missing.is_empty()).then(|| Note::new("homes_not_listed", detail).on_all(missing));
        Ok(note.into_iter().collect())
    }

    fn decide(&self, conn: &mut Conn<'_>, batch: &Batch<'_>) -> Outcome<Decisions> {
        let numbers = batch.cells().filter_map(|cells| cells.text("urn")).map(|urn| regulator_number(&urn));
        let known: HashMap<String, Stored<Home>> = conn
            .list(&Filter::all().any(homes::urn, numbers), Page::ALL)?
            .into_iter()
            .filter_map(|home| Some((home.value.urn()?.to_owned(), home)))
            .collect();
        let owners = known.values().map(|home| home.value.provider);
        let known_as: HashMap<ProviderId, Vec<String>> = conn
            .list(&Filter::all().any(providers::id, owners.collect::<BTreeSet<_>>()), Page::ALL)?
            .into_iter()
            .map(|found| (found.value.id, found.value.names()))
            .collect();
        let (mut changes, mut verdicts, mut notes) = (Vec::new(), Vec::new(), Vec::new());
        for mut cells in batch.cells() {
            let home = cells.text("urn").and_then(|urn| known.get(&regulator_number(&urn)));
            let Some(before) = home else {
                verdicts.push(Verdict::Skipped);
                continue;
            };
            let told = Told { cells: &mut cells, batch, notes: Vec::new() };
            let names = known_as.get(&before.value.provider).map(Vec::as_slice).unwrap_or_default();
            let (decided, own) = told.decide(before.value.clone(), names);
            verdicts.push(if cells.is_good() {
                Note::add(&mut notes, own);
                let is_rated = decided.1.iter().any(|event| matches!(event, HomeEvent::RatingRecorded { .. }));
                if decided.1.is_empty() {
                    Verdict::Unchanged
                } else {
                    changes.push(Change::Old(before.clone(), decided));
                    if is_rated { Verdict::Added } else { Verdict::Changed }
                }
            } else {
                Verdict::Refused(cells.faults())
            });
        }
        Ok(Decisions { verdicts, notes, write: Box::new(|tx| write_all(tx, changes)) })
    }
}

/// Whether a number is one that this regulator gives: others have lists of their own.
fn is_of_this_regulator(urn: &str) -> bool {
    let digits = urn.strip_prefix("SC").unwrap_or(urn);
    (5..=8).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
}

/// What a row tells of a home that is known here.
struct Told<'c, 'a> {
    cells: &'c mut Cells<'a>,
    batch: &'c Batch<'c>,
    notes: Vec<Note>,
}

impl Told<'_, '_> {
    fn decide(mut self, home: Home, names: &[String]) -> (Decided<Home>, Vec<Note>) {
        let said = self.said();
        let stamp = self.batch.stamp;
        let decided = match home.clone().released(said, names, &stamp.actor, stamp.now) {
            Ok(decided) => decided,
            Err(refusal) => {
                self.cells.refused(&refusal);
                (home, Vec::new())
            }
        };
        for event in &decided.1 {
            match event {
                HomeEvent::RatingRecorded { withdrawn: true, .. } => self.note(
                    "judgement_withdrawn",
                    "homes of which the list has a judgement no more: they hold what it still has, or none",
                ),
                HomeEvent::RatingRecorded { correction: true, .. } => {
                    self.note("judgement_corrected", "judgements of an inspection that is known which were corrected");
                }
                _ => {}
            }
        }
        (decided, self.notes)
    }

    /// What the row says of the home.
    fn said(&mut self) -> Said {
        let previous = self.judged(["previousRating", "previousInspectedOn", "previousPublishedOn"]);
        let latest = self.judged(["rating", "inspectedOn", "publishedOn"]);
        let judgement = self.cells.text("rating").as_deref().map_or(Judgement::None, ofsted::judgement);
        let suspended = self.suspended();
        let tells_previous = self.cells.text("previousRating").is_some();
        let cells = &mut *self.cells;
        let owner =
            cells.text("owner").map(|name| RegisterOwner { name: tidy(&name), number: cells.text("ownerNumber") });
        Said {
            as_at: cells.date("asAt"),
            listing: Listing {
                kind: cells.text("kind").and_then(|text| kind(&text)),
                local_authority: tidied(cells.text("localAuthority")),
                postcode: cells.text("postcode").and_then(|text| Postcode::read(&text).ok().flatten()),
                places: cells.text("places").and_then(|text| text.parse().ok()),
                owner,
            },
            suspended,
            whole: latest.is_some() || (matches!(judgement, Judgement::None) && previous.is_some() == tells_previous),
            inspections: previous.into_iter().chain(latest).collect(),
        }
    }

    fn note(&mut self, code: &str, detail: &str) {
        let note = Note::new(code, detail);
        self.notes.push(note.on(Some(self.cells.number_of_row()), self.cells.text("urn")));
    }

    /// Whether its registration is suspended, where the list says so in a word that is known.
    fn suspended(&mut self) -> Option<bool> {
        match self.cells.text("registrationStatus")?.to_lowercase().as_str() {
            "suspended" => {
                self.note("registration_suspended", "homes that are known here and whose registration is suspended");
                Some(true)
            }
            "active" | "registered" => Some(false),
            _ => {
                self.note(
                    "unknown_registration_status",
                    "registration statuses that are not known here: nothing is taken from them",
                );
                None
            }
        }
    }

    /// The judgement of an inspection on today's scale; one without its date is not taken: from when it was held is not known.
    fn judged(&mut self, [judged, inspected, published]: [&'static str; 3]) -> Option<RatingFacts> {
        let rating = match ofsted::judgement(&self.cells.text(judged)?) {
            Judgement::Rated(rating) => of_the_regulator(rating),
            Judgement::Superseded => {
                self.note("superseded_rating", "judgements on a scale of before: nothing is recorded of them");
                return None;
            }
            Judgement::None | Judgement::Unknown => return None,
        };
        let Some(inspected_on) = self.cells.date(inspected) else {
            self.note("undated_rating", "judgements without the date of their inspection: nothing is recorded of them");
            return None;
        };
        let published_on = self.cells.date(published);
        Some(RatingFacts { rating: Some(rating), inspected_on, published_on, source: SOURCE.to_owned(), reason: None })
    }
}

/// Where a release's ratings come from.
const SOURCE: &str = "ofsted";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_says_of_which_day_it_speaks() {
        let day = chrono::NaiveDate::from_ymd_opt(2023, 3, 31);
        assert_eq!(as_at("Children's social care data in England 2023 - Provider level as at 31 March 2023"), day);
        assert_eq!(as_at("PROVIDER LEVEL AS AT 31 MARCH 2023."), day);
        assert_eq!(as_at("Provider information"), None);
        assert_eq!(as_at("as at the end of March"), None);
    }
}

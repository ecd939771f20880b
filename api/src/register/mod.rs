//! The regulator's published list: Ofsted's children's social care, provider level, of any year.
//!
//! The list is read by its headings, since every release has its own columns, order, letter case and encoding. What
//! cannot be read is refused whole, with each row and column named; what was read with a reservation is a warning.

mod decode;
mod headings;
mod row;

pub use decode::Encoding;
pub use row::owner_key;

use chrono::NaiveDate;
use std::collections::{BTreeMap, HashMap};

/// Rows looked at before the headings must have come.
const MAX_PREAMBLE: usize = 15;
/// Errors given at most: a file of another kind would be wrong in every row.
const MAX_ERRORS: usize = 200;
/// Characters of a value repeated in an error.
const MAX_VALUE: usize = 60;

/// A release as read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Register {
    /// What the file was encoded in.
    pub encoding: Encoding,
    /// The first text before the headings, such as the release's title, if any.
    pub title: Option<String>,
    /// The providers, in the file's order.
    pub rows: Vec<Entry>,
    /// What was read with a reservation.
    pub warnings: Vec<RowError>,
}

impl Register {
    /// The rows of every owner, by [`owner_key`]; rows without an owner's name are left out.
    #[must_use]
    pub fn owners(&self) -> BTreeMap<&str, Vec<&Entry>> {
        let mut owners: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
        for entry in &self.rows {
            if let Some(owner) = &entry.owner {
                owners.entry(owner.key.as_str()).or_default().push(entry);
            }
        }
        owners
    }
}

/// One provider of the list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The line of the file it starts on, from 1.
    pub row: u64,
    /// The unique reference number as text (`SC009423`, `2590934`); `REDACTED` is kept and never a duplicate.
    pub urn: String,
    /// The linked education URN, of schools and colleges.
    pub linked_education_urn: Option<String>,
    /// What kind of provision it is.
    pub provision_type: ProvisionType,
    /// The kind of provision as printed.
    pub provision_text: String,
    /// `Active`, `Suspended`, as printed.
    pub registration_status: Option<String>,
    /// When it was registered.
    pub registration_date: Option<NaiveDate>,
    /// Who runs it; none when blank.
    pub sector: Option<Sector>,
    /// The sector as printed.
    pub sector_text: Option<String>,
    /// Who owns it.
    pub owner: Option<Owner>,
    /// Its name; none when redacted or blank.
    pub name: Option<String>,
    /// Its postcode, in capitals; none when redacted or blank.
    pub postcode: Option<String>,
    /// Whether the name or the postcode is redacted.
    pub redacted: bool,
    /// The local authority it lies in.
    pub local_authority: Option<String>,
    /// The government office region, else the regulator's own region.
    pub region: Option<String>,
    /// Registered places, children.
    pub places: Option<u16>,
    /// Whether it gives short breaks only; none when the release does not say.
    pub short_breaks_only: Option<bool>,
    /// Whether the home has several buildings; none when the release does not say.
    pub multi_building: Option<bool>,
    /// The latest full inspection.
    pub latest: Inspection,
    /// The full inspection before that, where the release tells.
    pub previous: Inspection,
    /// The inspection's event type as printed (`Full inspection`, `Monitoring inspection`).
    pub event_type: Option<String>,
    /// The inspection's event number, as text.
    pub event_number: Option<String>,
    /// Supported accommodation's own judgement (another scale), as printed.
    pub supported_accommodation_outcome: Option<String>,
}

/// What an inspection found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Inspection {
    /// The day it was made.
    pub date: Option<NaiveDate>,
    /// The day its report was published.
    pub published: Option<NaiveDate>,
    /// The overall judgement; none when there is none yet, or it is on a superseded scale.
    pub rating: Option<Rating>,
    /// The overall judgement as printed, `Not judged` and superseded ones included.
    pub rating_text: Option<String>,
}

/// The organisation that owns a provider.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Owner {
    /// Its name as printed, spaces made single.
    pub name: String,
    /// The name folded by [`owner_key`].
    pub key: String,
    /// Its reference number, if the release has one.
    pub urn: Option<String>,
}

/// The regulator's overall judgement, from worst to best.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Rating {
    /// Inadequate.
    Inadequate,
    /// Requires improvement to be good.
    RequiresImprovement,
    /// Good.
    Good,
    /// Outstanding.
    Outstanding,
}

/// The kinds of provision the regulator lists.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ProvisionType {
    /// A children's home.
    ChildrensHome,
    /// A secure children's home.
    SecureChildrensHome,
    /// A residential special school that is registered as a children's home.
    SpecialSchoolChildrensHome,
    /// A residential special school.
    ResidentialSpecialSchool,
    /// An independent fostering agency.
    FosteringAgency,
    /// A residential family centre.
    FamilyCentre,
    /// Supported accommodation.
    SupportedAccommodation,
    /// A boarding school.
    BoardingSchool,
    /// A further education college with residential accommodation.
    FurtherEducationCollege,
    /// A voluntary adoption agency.
    VoluntaryAdoptionAgency,
    /// An adoption support agency.
    AdoptionSupportAgency,
    /// A residential holiday scheme for disabled children.
    HolidayScheme,
    /// A secure training centre.
    SecureTrainingCentre,
    /// Any other, under the text as printed.
    Other,
}

/// Who runs a provider.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Sector {
    /// A local authority.
    LocalAuthority,
    /// Private.
    Private,
    /// Voluntary.
    Voluntary,
    /// An academy.
    Academy,
    /// A health authority.
    HealthAuthority,
    /// Any other, under the text as printed.
    Other,
}

/// What is wrong with a cell, a row or the file; also used for warnings.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {row}, column `{column}`, `{value}`: {message} ({code})")]
pub struct RowError {
    /// The line of the file, from 1; 0 for the file as a whole.
    pub row: u64,
    /// The heading as printed (line breaks made spaces), or as looked for; empty for a whole row or file.
    pub column: String,
    /// The value, shortened to 60 characters.
    pub value: String,
    /// What is wrong, as a stable name.
    pub code: &'static str,
    /// What is wrong, in words.
    pub message: String,
}

impl RowError {
    fn file(code: &'static str, message: &str) -> Self {
        Self { row: 0, column: String::new(), value: String::new(), code, message: message.to_owned() }
    }
}

/// Reads a release.
///
/// # Errors
///
/// Every reason found (at most 200, then `too_many_errors`), in the file's order. Codes: `not_csv`,
/// `unsupported_encoding`, `not_text`, `bad_encoding`, `bad_csv`, `no_headings`, `missing_heading`, `duplicate_heading`, `no_rows`,
/// `ragged_row`, `long_cell`, `missing_value`, `bad_urn`, `duplicate_urn`, `bad_date`, `bad_places`, `unknown_rating`.
///
/// Codes of warnings: `encoding_guessed`, `absent_column`, `superseded_rating`, `unknown_provision_type`,
/// `unknown_sector`, `unknown_flag`, `redacted_urn`.
pub fn read(bytes: &[u8]) -> Result<Register, Vec<RowError>> {
    let (text, encoding, guessed) = decode::decode(bytes).map_err(|e| vec![e])?;
    let records = records(&text).map_err(|e| vec![e])?;
    let (at, headings) = headings::find(&records)?;
    let title = records.iter().take(at).flat_map(|(_, r)| r.iter().map(tidy)).find(|cell| !cell.is_empty());
    let mut warnings: Vec<RowError> = guessed.into_iter().chain(headings::absent(&headings)).collect();
    let mut errors = Vec::new();
    let mut rows: Vec<Entry> = Vec::new();
    let mut first_with: HashMap<String, u64> = HashMap::new();
    let mut reported = row::Reported::default();
    for (line, record) in records.iter().skip(at + 1) {
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        let mut reader = row::Reader::new(*line, record, &headings, &mut warnings, &mut errors, &mut reported);
        if let Some(entry) = reader.entry() {
            reader.unique(&entry.urn, &mut first_with);
            rows.push(entry);
        }
        if errors.len() >= MAX_ERRORS {
            errors.truncate(MAX_ERRORS);
            let message = format!("only the first {MAX_ERRORS} errors are given: reading stopped here");
            errors.push(RowError { row: *line, ..RowError::file("too_many_errors", &message) });
            break;
        }
    }
    if rows.is_empty() && errors.is_empty() {
        let message = "there is no row under the headings";
        errors.push(RowError { row: headings.line, ..RowError::file("no_rows", message) });
    }
    if errors.is_empty() { Ok(Register { encoding, title, rows, warnings }) } else { Err(errors) }
}

/// The file's records, each with the 1-based line it starts on.
fn records(text: &str) -> Result<Vec<(u64, csv::StringRecord)>, RowError> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut records = Vec::new();
    let mut record = csv::StringRecord::new();
    loop {
        let start = reader.position().clone();
        match reader.read_record(&mut record) {
            Ok(true) => records.push((start.line() + empty_lines(text, start.byte()), record.clone())),
            Ok(false) => return Ok(records),
            Err(e) => {
                let error = RowError::file("bad_csv", &e.to_string());
                return Err(RowError { row: start.line(), ..error });
            }
        }
    }
}

/// How many empty lines the CSV reader will pass over at this place.
fn empty_lines(text: &str, from: u64) -> u64 {
    let rest = usize::try_from(from).ok().and_then(|from| text.as_bytes().get(from..)).unwrap_or_default();
    rest.iter().take_while(|&&b| b == b'\n').map(|_| 1).sum()
}

/// A text with its spaces, no-break spaces and line breaks made single spaces.
fn tidy(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A value short enough for an error.
fn shorten(value: &str) -> String {
    let value = tidy(value);
    if value.chars().count() <= MAX_VALUE {
        return value;
    }
    value.chars().take(MAX_VALUE - 1).chain(['…']).collect()
}

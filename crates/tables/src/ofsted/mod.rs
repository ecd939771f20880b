//! The regulator's published list: Ofsted's children's social care, provider level, of any year.
//!
//! The list is read by its headings, since every release has its own columns, order, letter case and encoding, as CSV, XLSX or ODS.
//! What cannot be read in a row is told with its column, and reading goes on: only what something rests on is judged. What was read
//! with a reservation is a warning.

mod headings;
mod row;

pub use headings::is_known as is_heading;
pub use row::{Judgement, judgement, owner_key, provision_type};

use crate::{Encoding, Fault, Format, Limits, Reader, tidy};
use chrono::NaiveDate;
use headings::{Column, Headings};
use std::collections::{BTreeMap, HashMap};
use std::io::{Cursor, Read, Seek};

/// Errors given at most: a file of another kind would be wrong in every row.
const MAX_ERRORS: usize = 200;
/// Bytes that tell a file's format.
const HEAD: u64 = 256;

/// Faults of a cell's value. Others, such as a quotation mark left open, may have swallowed the rows behind it.
const OF_VALUES: [&str; 7] =
    ["formula_cell", "error_cell", "inexact_number", "bad_date", "currency_cell", "bad_character", "bad_encoding"];

/// What a release may come to: a multiple of the largest there was. A longer cell is a quotation mark left open.
const LIMITS: Limits = Limits {
    bytes: 64 << 20,
    rows: 200_000,
    columns: 256,
    cell_bytes: 2_000,
    row_bytes: 1 << 20,
    inflated_bytes: 512 << 20,
    strings_bytes: 64 << 20,
    preamble: 15,
};

/// A release as read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct List {
    /// What the file was encoded in.
    pub encoding: Encoding,
    /// The first text before the headings, such as the release's title, if any.
    pub title: Option<String>,
    /// The providers, in the file's order.
    pub rows: Vec<Entry>,
    /// What was read with a reservation.
    pub warnings: Vec<Fault>,
}

impl List {
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
    /// Its row, as a spreadsheet counts.
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

/// A row of the list: its entry, or what is wrong with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// The row as it stands.
    pub row: crate::Row,
    /// What it says.
    pub entry: Result<Entry, Vec<Fault>>,
}

/// What a release tells of each home, by its headings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tells {
    /// Its registration status.
    pub registration: bool,
    /// The latest judgement.
    pub rating: bool,
    /// The judgement before that.
    pub previous: bool,
}

/// A release read row by row: no more than one row is held, and the reference numbers so far.
#[derive(Debug)]
pub struct Release<'a> {
    reader: Reader<'a>,
    headings: Headings,
    title: Option<String>,
    warnings: Vec<Fault>,
    first_with: HashMap<String, u64>,
    reported: row::Reported,
}

impl<'a> Release<'a> {
    /// Opens a release, as CSV or as a workbook.
    ///
    /// # Errors
    /// What is wrong with the file or its headings: the codes of [`Format::sniff`] and [`Reader::open`], `missing_heading`, `duplicate_heading`.
    pub fn open<S: Read + Seek + Send + 'a>(source: S) -> Result<Self, Vec<Fault>> {
        Self::within(source, LIMITS)
    }

    /// As [`Release::open`], within other limits of the file and its rows.
    ///
    /// # Errors
    /// As [`Release::open`].
    pub fn within<S: Read + Seek + Send + 'a>(mut source: S, limits: Limits) -> Result<Self, Vec<Fault>> {
        let limits = Limits { bytes: limits.bytes.min(LIMITS.bytes), rows: limits.rows.min(LIMITS.rows), ..LIMITS };
        let mut head = Vec::new();
        let looked = source.rewind().and_then(|()| source.by_ref().take(HEAD).read_to_end(&mut head));
        looked.map_err(|e| vec![Fault::file("unreadable", format!("the file cannot be read: {}", e.kind()))])?;
        let format = Format::sniff(&head).map_err(|e| vec![e])?;
        let reader = Reader::open(source, format, limits, &headings::is_known).map_err(|e| vec![e])?;
        let headings = headings::place(&reader)?;
        let title = reader.preamble().iter().flat_map(|row| &row.cells).map(|cell| tidy(cell)).find(|c| !c.is_empty());
        let warnings = reader.notes().iter().cloned().chain(headings::absent(&headings)).collect();
        let (first_with, reported) = (HashMap::new(), row::Reported::default());
        Ok(Self { reader, headings, title, warnings, first_with, reported })
    }

    /// What the file is encoded in.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.reader.encoding()
    }

    /// The first text before the headings, such as the release's title, if any.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// What it tells of each home.
    #[must_use]
    pub fn tells(&self) -> Tells {
        let has = |column| self.headings.get(column).is_some();
        Tells {
            registration: has(Column::RegistrationStatus),
            rating: has(Column::Overall) && has(Column::InspectionDate),
            previous: has(Column::PreviousOverall) && has(Column::PreviousInspectionDate),
        }
    }

    /// The row of its headings.
    #[must_use]
    pub fn headings_row(&self) -> u64 {
        self.headings.line
    }

    /// The headings of the columns that nothing is taken from, in their order.
    #[must_use]
    pub fn unused_headings(&self) -> Vec<String> {
        let unused = self.reader.headings().iter().filter(|heading| !headings::is_judged(heading));
        unused.map(|heading| crate::shorten(heading)).collect()
    }

    /// The reference number of a row, as it stands.
    #[must_use]
    pub fn urn_of(&self, row: &crate::Row) -> Option<String> {
        let (at, _) = self.headings.get(Column::Urn)?;
        Some(tidy(row.cells.get(at)?)).filter(|urn| !urn.is_empty())
    }

    /// What of the file was read with a reservation so far: the notes of [`Reader::notes`].
    #[must_use]
    pub fn notes(&self) -> Vec<Fault> {
        self.reader.notes()
    }

    /// The next row; after what is wrong with the file, nothing.
    pub fn next_row(&mut self) -> Option<Result<Listed, Fault>> {
        let mut row = match self.reader.next()? {
            Ok(row) => row,
            Err(fault) => return Some(Err(fault)),
        };
        // What is wrong with the value of a cell that nothing rests on is nobody's concern.
        let mut errors = std::mem::take(&mut row.faults);
        errors.retain(|fault| !OF_VALUES.contains(&fault.code) || headings::is_judged(&fault.column));
        if !errors.is_empty() {
            return Some(Ok(Listed { row, entry: Err(errors) }));
        }
        let mut reader = row::Reader::new(&row, &self.headings, &mut self.warnings, &mut errors, &mut self.reported);
        let entry = reader.entry();
        if let Some(entry) = &entry {
            reader.unique(&entry.urn, &mut self.first_with);
        }
        let entry = entry.filter(|_| errors.is_empty()).ok_or(errors);
        Some(Ok(Listed { row, entry }))
    }

    /// What was read with a reservation since this was last asked.
    pub fn take_warnings(&mut self) -> Vec<Fault> {
        std::mem::take(&mut self.warnings)
    }
}

impl Iterator for Release<'_> {
    type Item = Result<Entry, Vec<Fault>>;

    /// The next entry, or what is wrong with its row; after what is wrong with the file, nothing.
    fn next(&mut self) -> Option<Self::Item> {
        Some(match self.next_row()? {
            Ok(listed) => listed.entry,
            Err(fault) => Err(vec![fault]),
        })
    }
}

/// Reads a release that is in memory, whole.
///
/// # Errors
///
/// Every reason found (at most 200, then `too_many_errors`), in the file's order. Codes of rows: those of [`Reader`], `missing_value`,
/// `bad_urn`, `duplicate_urn`, `bad_date`, `dates_reversed`, `unknown_rating`; of the file those of [`Release::open`], and `no_rows`.
///
/// Codes of warnings: those of [`Reader::notes`], `absent_column`, `superseded_rating`, `unknown_provision_type`,
/// `unknown_sector`, `unknown_flag`, `unknown_places`, `unknown_registration_date`, `redacted_urn`.
pub fn read(bytes: &[u8]) -> Result<List, Vec<Fault>> {
    collect(Release::open(Cursor::new(bytes))?)
}

/// Reads what is left of a release, whole.
///
/// # Errors
/// As [`read`].
pub fn collect(mut release: Release<'_>) -> Result<List, Vec<Fault>> {
    let mut errors = Vec::new();
    let mut rows: Vec<Entry> = Vec::new();
    for entry in release.by_ref() {
        match entry {
            Ok(entry) => rows.push(entry),
            Err(found) => errors.extend(found),
        }
        if errors.len() >= MAX_ERRORS {
            errors.truncate(MAX_ERRORS);
            let row = errors.last().map_or(0, |last| last.row);
            let message = format!("only the first {MAX_ERRORS} errors are given: reading stopped here");
            errors.push(Fault::file("too_many_errors", message).at(row));
            break;
        }
    }
    if rows.is_empty() && errors.is_empty() {
        let message = "there is no row under the headings";
        errors.push(Fault::file("no_rows", message).at(release.headings.line));
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let warnings = release.take_warnings();
    Ok(List { encoding: release.encoding(), title: release.title, rows, warnings })
}

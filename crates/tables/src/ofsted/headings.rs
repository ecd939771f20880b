//! Which column is which: the headings of every release, folded and looked up.

use crate::{Fault, Reader, shorten};
use std::collections::BTreeMap;

/// A column this module reads.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Column {
    Urn,
    LinkedEducationUrn,
    ProvisionType,
    RegistrationStatus,
    RegistrationDate,
    Name,
    Postcode,
    OfstedRegion,
    GovernmentRegion,
    LocalAuthority,
    Sector,
    Places,
    ShortBreaksOnly,
    MultiBuilding,
    Owner,
    OwnerUrn,
    EventType,
    InspectionDate,
    PublicationDate,
    EventNumber,
    Overall,
    SupportedAccommodation,
    PreviousInspectionDate,
    PreviousPublicationDate,
    PreviousOverall,
}

/// Without one of these the list cannot be used.
const MANDATORY: [Column; 4] = [Column::Urn, Column::ProvisionType, Column::LocalAuthority, Column::Sector];
/// Missing from some releases, and worth saying.
const EXPECTED: [Column; 4] = [Column::Overall, Column::InspectionDate, Column::Places, Column::Owner];

/// Every spelling known, folded (see [`fold`]); `latest full inspection` in front is taken off first.
const SPELLINGS: [(Column, &[&str]); 22] = [
    (Column::Urn, &["urn", "provider urn", "setting urn", "unique reference number", "unique reference number urn"]),
    (Column::LinkedEducationUrn, &["linked education urn", "linked ed urn"]),
    (Column::ProvisionType, &["provision type", "provider type", "type of provision"]),
    (Column::RegistrationStatus, &["registration status", "reg status"]),
    (Column::RegistrationDate, &["registration date", "date registered", "date of registration"]),
    (Column::Name, &["name", "setting name", "provider name"]),
    (Column::Postcode, &["postcode", "post code"]),
    (Column::OfstedRegion, &["ofsted region", "region"]),
    (Column::GovernmentRegion, &["government office region"]),
    (Column::LocalAuthority, &["local authority", "local authority name"]),
    (Column::Sector, &["sector"]),
    (Column::Places, &["places", "number of places", "registered places", "number of registered places"]),
    (
        Column::ShortBreaksOnly,
        &["short breaks only", "short break only childrens home", "short breaks only childrens home"],
    ),
    (Column::MultiBuilding, &["multi building childrens home"]),
    (
        Column::Owner,
        &[
            "organisation which owns the provider",
            "organisation that owns the provider",
            "organisation name",
            "organisation",
            "owner",
        ],
    ),
    (Column::OwnerUrn, &["organisation urn", "organisation id", "organisation reference number", "owner urn"]),
    (Column::EventType, &["event type", "inspection type", "inspection event type"]),
    (Column::InspectionDate, &["inspection date", "inspection event date", "full inspection date"]),
    (Column::PublicationDate, &["publication date", "inspection publication date"]),
    (Column::EventNumber, &["event number", "inspection event number", "inspection id"]),
    (
        Column::Overall,
        &["overall experiences and progress of children and young people", "overall effectiveness", "overall rating"],
    ),
    (Column::SupportedAccommodation, &["supported accommodation outcome"]),
];

/// A heading without case, apostrophes, punctuation and line breaks: words with one space between.
pub(super) fn fold(heading: &str) -> String {
    let kept = heading.chars().filter(|c| !matches!(c, '\'' | '’' | '‘' | '`'));
    let spaced: String = kept.map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    spaced.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

/// The column a printed heading names, if this module reads it.
fn column_of(heading: &str) -> Option<Column> {
    let folded = fold(heading);
    if let Some(rest) = folded.strip_prefix("previous ") {
        let rest = rest.strip_prefix("full inspection ").unwrap_or(rest);
        return match inspection_column(rest)? {
            Column::InspectionDate => Some(Column::PreviousInspectionDate),
            Column::PublicationDate => Some(Column::PreviousPublicationDate),
            Column::Overall => Some(Column::PreviousOverall),
            _ => None,
        };
    }
    match folded.strip_prefix("latest full inspection ").or_else(|| folded.strip_prefix("latest ")) {
        Some(rest) => inspection_column(rest),
        None => spelled(&folded),
    }
}

fn inspection_column(rest: &str) -> Option<Column> {
    if matches!(rest, "date" | "event date") { Some(Column::InspectionDate) } else { spelled(rest) }
}

fn spelled(folded: &str) -> Option<Column> {
    SPELLINGS.iter().find(|(_, spellings)| spellings.contains(&folded)).map(|(column, _)| *column)
}

fn all_spellings(column: Column) -> &'static [&'static str] {
    SPELLINGS.iter().find(|(c, _)| *c == column).map_or(&[], |(_, all)| *all)
}

/// The first spelling: the name an error gives a column that is not there.
fn usual(column: Column) -> String {
    all_spellings(column).first().copied().unwrap_or_default().to_owned()
}

fn spellings_of(column: Column) -> String {
    all_spellings(column).iter().map(|s| format!("`{s}`")).collect::<Vec<_>>().join(" or ")
}

/// What is recorded rests on these: a cell of theirs that cannot be read refuses its row.
const JUDGED: [Column; 8] = [
    Column::Urn,
    Column::RegistrationStatus,
    Column::InspectionDate,
    Column::PublicationDate,
    Column::Overall,
    Column::PreviousInspectionDate,
    Column::PreviousPublicationDate,
    Column::PreviousOverall,
];

/// Whether something rests on the column of a heading.
pub(super) fn is_judged(heading: &str) -> bool {
    column_of(heading).is_some_and(|column| JUDGED.contains(&column))
}

/// Whether a heading is one that a release may have and this module reads.
#[must_use]
pub fn is_known(heading: &str) -> bool {
    column_of(heading).is_some()
}

/// The headings of one file.
#[derive(Debug)]
pub(super) struct Headings {
    /// Where the headings start: the 1-based line.
    pub(super) line: u64,
    columns: BTreeMap<Column, (usize, String)>,
}

impl Headings {
    /// Where a column is, and its heading as printed (line breaks made spaces).
    pub(super) fn get(&self, column: Column) -> Option<(usize, &str)> {
        self.columns.get(&column).map(|(at, printed)| (*at, printed.as_str()))
    }
}

/// A table's headings turned into columns: refused when one is missing or twice there.
pub(super) fn place(table: &Reader<'_>) -> Result<Headings, Vec<Fault>> {
    let line = table.headings_row();
    let mut headings = Headings { line, columns: BTreeMap::new() };
    let mut errors = Vec::new();
    for (at, printed) in table.headings().iter().enumerate() {
        let Some(column) = column_of(printed) else { continue };
        if let Some((_, first)) = headings.columns.get(&column) {
            let message = format!("`{first}` and `{printed}` are headings for the same thing: which one holds?");
            errors.push(Fault { column: printed.clone(), ..Fault::file("duplicate_heading", message).at(line) });
        } else {
            headings.columns.insert(column, (at, printed.clone()));
        }
    }
    for column in MANDATORY {
        if !headings.columns.contains_key(&column) {
            let found = list(table.headings());
            let message = format!("no heading {}; the headings found are {found}", spellings_of(column));
            errors.push(Fault { column: usual(column), ..Fault::file("missing_heading", message).at(line) });
        }
    }
    if errors.is_empty() { Ok(headings) } else { Err(errors) }
}

/// A warning for every expected column the release does not have.
pub(super) fn absent(headings: &Headings) -> Vec<Fault> {
    let absent = EXPECTED.into_iter().filter(|column| headings.get(*column).is_none());
    let warning = |column| {
        let looked_for = spellings_of(column);
        let message = format!("this release has no heading {looked_for}: nothing is known of it for any row");
        Fault { column: usual(column), ..Fault::file("absent_column", message).at(headings.line) }
    };
    absent.map(warning).collect()
}

fn list(headings: &[String]) -> String {
    headings.iter().map(|heading| format!("`{}`", shorten(heading))).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_release_s_spelling_is_known() {
        for (printed, column) in [
            ("URN", Column::Urn),
            ("Reg Status", Column::RegistrationStatus),
            ("\nLatest full inspection date", Column::InspectionDate),
            ("Inspection Date", Column::InspectionDate),
            ("Previous full inspection event date", Column::PreviousInspectionDate),
            ("Previous overall experiences\nand progress of children and young people", Column::PreviousOverall),
            ("Latest full inspection overall experiences and progress of children and young people", Column::Overall),
            ("Overall effectiveness", Column::Overall),
            ("Multi Building Children’s Home", Column::MultiBuilding),
            ("Short-break-only children's home", Column::ShortBreaksOnly),
            ("Organisation", Column::Owner),
            ("LOCAL AUTHORITY", Column::LocalAuthority),
        ] {
            assert_eq!(column_of(printed), Some(column), "{printed}");
        }
        assert_eq!(column_of("Parliamentary constituency"), None);
        assert_eq!(column_of("Previous effectiveness of leaders and managers"), None);
        assert_eq!(column_of(""), None);
    }
}

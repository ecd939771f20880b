//! Which column is which: the headings of every release, folded and looked up.

use super::{MAX_PREAMBLE, RowError, shorten};
use csv::StringRecord;
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
/// So many recognised headings make a row the headings' row.
const ENOUGH: usize = 3;

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

/// The headings of one file.
pub(super) struct Headings {
    /// Where the headings start: the 1-based line.
    pub(super) line: u64,
    columns: BTreeMap<Column, (usize, String)>,
    /// Columns up to and with the last one that has a heading.
    pub(super) width: usize,
}

impl Headings {
    /// Where a column is, and its heading as printed (line breaks made spaces).
    pub(super) fn get(&self, column: Column) -> Option<(usize, &str)> {
        self.columns.get(&column).map(|(at, printed)| (*at, printed.as_str()))
    }
}

/// Finds the headings among the first records: the first row with most recognised headings. Gives its index too.
pub(super) fn find(records: &[(u64, StringRecord)]) -> Result<(usize, Headings), Vec<RowError>> {
    let mut best: Option<(usize, usize)> = None;
    for (index, (_, record)) in records.iter().take(MAX_PREAMBLE + 1).enumerate() {
        let known = record.iter().filter(|cell| column_of(cell).is_some()).count();
        if known >= ENOUGH && best.is_none_or(|(_, most)| known > most) {
            best = Some((index, known));
        }
    }
    let chosen = best.and_then(|(index, _)| records.get(index).map(|record| (index, record)));
    let Some((index, (line, record))) = chosen else {
        let looked_for = MANDATORY.map(spellings_of).join("; ");
        let widest = records.iter().take(MAX_PREAMBLE + 1).max_by_key(|(_, r)| named(r).len());
        let message = format!(
            "no row of headings in the first {} rows; looked for {looked_for}; the fullest of those rows has {}",
            MAX_PREAMBLE + 1,
            widest.map(|(_, r)| list(r)).unwrap_or_default()
        );
        let row = widest.map_or(0, |(line, _)| *line);
        return Err(vec![RowError { row, ..RowError::file("no_headings", &message) }]);
    };
    place(*line, record).map(|headings| (index, headings))
}

/// The headings' row turned into columns: refused when one is missing or twice there.
fn place(line: u64, record: &StringRecord) -> Result<Headings, Vec<RowError>> {
    let mut headings = Headings { line, columns: BTreeMap::new(), width: 0 };
    let mut errors = Vec::new();
    for (at, cell) in record.iter().enumerate() {
        let printed = cell.split_whitespace().collect::<Vec<_>>().join(" ");
        if printed.is_empty() {
            continue;
        }
        headings.width = at + 1;
        let Some(column) = column_of(cell) else { continue };
        if let Some((_, first)) = headings.columns.get(&column) {
            let message = format!("`{first}` and `{printed}` are headings for the same thing: which one holds?");
            errors.push(RowError { row: line, column: printed, ..RowError::file("duplicate_heading", &message) });
        } else {
            headings.columns.insert(column, (at, printed));
        }
    }
    for column in MANDATORY {
        if !headings.columns.contains_key(&column) {
            let message = format!("no heading {}; the headings found are {}", spellings_of(column), list(record));
            errors.push(RowError { row: line, column: usual(column), ..RowError::file("missing_heading", &message) });
        }
    }
    if errors.is_empty() { Ok(headings) } else { Err(errors) }
}

/// A warning for every expected column the release does not have.
pub(super) fn absent(headings: &Headings) -> Vec<RowError> {
    let absent = EXPECTED.into_iter().filter(|column| headings.get(*column).is_none());
    let warning = |column| {
        let looked_for = spellings_of(column);
        let message = format!("this release has no heading {looked_for}: nothing is known of it for any row");
        RowError { row: headings.line, column: usual(column), ..RowError::file("absent_column", &message) }
    };
    absent.map(warning).collect()
}

fn named(record: &StringRecord) -> Vec<&str> {
    record.iter().map(str::trim).filter(|cell| !cell.is_empty()).collect()
}

fn list(record: &StringRecord) -> String {
    let names = named(record).into_iter().map(|cell| format!("`{}`", shorten(cell))).collect::<Vec<_>>();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
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

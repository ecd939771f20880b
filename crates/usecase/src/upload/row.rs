//! One row under the columns of its kind: its cells read one by one, and all that is wrong with them collected.

use std::collections::HashMap;

use chrono::NaiveDate;
use domain::kernel::text::composed;
use domain::kernel::{Pence, Refusal, Rule, Violation};
use persistence::upload::Fault;
use validator::Validate;

domain::rules! {
    UNKNOWN_COLUMN = "unknown_column", Input, "CRD-07", "A file has the columns of its kind and no others.";
    MISSING_COLUMN = "missing_column", Input, "CRD-07", "A file has every column that its kind needs.";
    NO_ROWS = "no_rows", Input, "CRD-07", "A file has at least one row under its headings.";
    MISSING_VALUE = "missing_value", Input, "CRD-07", "A row has a value in every column that it needs.";
    UNREADABLE_VALUE = "unreadable_value", Input, "CRD-07", "A value is written as its column asks for it.";
    DUPLICATE_ROW = "duplicate_row", Input, "CRD-07", "What a row is about occurs once in a file.";
    EXAMPLE_ROW = "example_row", Input, "CRD-07", "The example of a template is replaced by what is true.";
    AMOUNT_UNCLEAR = "amount_unclear", Input, "PRC-08", "An amount is in whole pence, or says its unit: £3850.00, 385000p.";
    WRONG_STATE = "row_wrong_state", Conflict, "CRD-07", "What a row is about is in a state that allows it.";
}

/// A column of a kind of upload.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its heading, which is also the name of the field in an NDJSON object and in the requests of the API.
    pub name: &'static str,
    /// Whether a file must have it.
    pub needed: bool,
    /// What stands in the template.
    pub example: &'static str,
}

/// Columns, shortly.
#[must_use]
pub const fn column(name: &'static str, needed: bool, example: &'static str) -> Column {
    Column { name, needed, example }
}

/// A heading, however it is written: `Registered on`, `registered_on` and `registeredOn` are one.
#[must_use]
pub fn folded(heading: &str) -> String {
    heading.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Where each column of a kind stands in a file.
#[derive(Clone, Debug, Default)]
pub struct Places(HashMap<&'static str, usize>);

impl Places {
    /// Looks for the columns of a kind among the headings of a file. Where each row names its own (`line` is 0), what is needed is asked
    /// of each row.
    ///
    /// # Errors
    /// Every heading that is not known, and every column that is needed and missing.
    pub fn find(columns: &[Column], headings: &[String], line: u64) -> Result<Self, Vec<Fault>> {
        let mut places = HashMap::new();
        let mut faults = Vec::new();
        for (at, heading) in headings.iter().enumerate() {
            match columns.iter().find(|column| folded(column.name) == folded(heading)) {
                Some(column) => {
                    places.insert(column.name, at);
                }
                None => faults.push(fault(&UNKNOWN_COLUMN, line, Some(heading), None, "there is no such column")),
            }
        }
        let is_missing = |column: &&Column| line > 0 && column.needed && !places.contains_key(column.name);
        for column in columns.iter().filter(is_missing) {
            faults.push(fault(&MISSING_COLUMN, line, Some(column.name), None, "the file has no such column"));
        }
        if faults.is_empty() { Ok(Self(places)) } else { Err(faults) }
    }

    /// Whether the file has that column.
    #[must_use]
    pub fn has(&self, column: &str) -> bool {
        self.0.contains_key(column)
    }

    /// Whether the row has a cell there, blank or not.
    fn stands_in(&self, column: &str, row: &tables::Row) -> bool {
        self.0.get(column).is_some_and(|at| row.absent.binary_search(at).is_err())
    }
}

/// A row, with what is known to be wrong with it.
#[derive(Clone, Debug)]
pub struct Line {
    /// The row as it was read.
    pub row: tables::Row,
    /// What is wrong with it.
    pub faults: Vec<Fault>,
}

/// The cells of a row, read one by one.
#[derive(Debug)]
pub struct Cells<'a> {
    row: &'a tables::Row,
    places: &'a Places,
    faults: Vec<Fault>,
}

impl<'a> Cells<'a> {
    /// Begins to read a row.
    #[must_use]
    pub fn of(row: &'a tables::Row, places: &'a Places) -> Self {
        Self { row, places, faults: Vec::new() }
    }

    /// What stands in a column, composed (NFC) and without blanks around it; `None` where nothing does.
    #[must_use]
    pub fn text(&self, column: &str) -> Option<String> {
        let cell = self.places.0.get(column).and_then(|at| self.row.cells.get(*at))?;
        Some(cell.trim()).filter(|text| !text.is_empty()).map(|text| composed(text).into_owned())
    }

    /// What stands in a column that the row needs; a fault where nothing does.
    pub fn needed(&mut self, column: &'static str) -> Option<String> {
        let text = self.text(column);
        if text.is_none() {
            self.refuse(&MISSING_VALUE, column, "the row needs a value here");
        }
        text
    }

    /// What stands in a column as `read` understands it; a fault where it does not.
    pub fn read<T>(&mut self, column: &'static str, says: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let text = self.text(column)?;
        let value = read(&text);
        if value.is_none() {
            self.refuse(&UNREADABLE_VALUE, column, says);
        }
        value
    }

    /// A date.
    pub fn date(&mut self, column: &'static str) -> Option<NaiveDate> {
        self.read(column, "a date is written YYYY-MM-DD or DD/MM/YYYY", date)
    }

    /// A yes or a no.
    pub fn yes(&mut self, column: &'static str) -> Option<bool> {
        self.read(column, "yes or no", |text| match text.to_ascii_lowercase().as_str() {
            "yes" | "y" | "true" | "1" => Some(true),
            "no" | "n" | "false" | "0" => Some(false),
            _ => None,
        })
    }

    /// A whole number, which a sheet may show with nothing but zeros behind its point.
    pub fn number<N: std::str::FromStr>(&mut self, column: &'static str) -> Option<N> {
        self.read(column, "a whole number", |text| whole(text).parse().ok())
    }

    /// An amount of money, by its unit.
    pub fn amount(&mut self, column: &'static str) -> Option<Pence> {
        let text = self.text(column)?;
        match Pence::read(&text) {
            Ok(amount) => Some(amount),
            Err(says) => {
                self.refuse(&AMOUNT_UNCLEAR, column, says);
                None
            }
        }
    }

    /// Whether a column shows that example, as a spreadsheet may have written it down again; an example that is blank is shown where
    /// nothing stands.
    #[must_use]
    pub fn shows(&self, column: &str, example: &str) -> bool {
        let Some(text) = self.text(column) else { return example.is_empty() };
        let dates = || date(&text).zip(date(example)).is_some_and(|(one, other)| one == other);
        let number = |text: &str| text.trim_start_matches('0').to_owned();
        let numbers = || example.bytes().all(|b| b.is_ascii_digit()) && number(&text) == number(example);
        !example.is_empty() && (text.eq_ignore_ascii_case(example) || dates() || numbers())
    }

    /// Notes a fault of a column.
    pub fn refuse(&mut self, rule: &'static Rule, column: &'static str, detail: &str) {
        let value = self.text(column);
        self.faults.push(fault(rule, self.row.number, Some(column), value, detail));
    }

    /// Notes each value that is beyond the limits of a request's body: what a row becomes has the same (CRD-06).
    pub fn limited(&mut self, value: &impl Validate) {
        for (name, _) in value.validate().err().iter().flat_map(validator::ValidationErrors::errors) {
            let column = self.places.0.keys().find(|column| folded(column) == folded(name)).copied();
            let text = column.and_then(|column| self.text(column));
            self.faults.push(fault(
                &UNREADABLE_VALUE,
                self.row.number,
                column,
                text,
                "it is longer than the contract allows",
            ));
        }
    }

    /// Notes why the domain refused the row: a field is the column of its name.
    pub fn refused(&mut self, refusal: &Refusal) {
        match refusal {
            Refusal::WrongState { from, attempted, .. } => {
                let detail = format!("it is {from}, which does not know `{attempted}`");
                self.faults.push(fault(&WRONG_STATE, self.row.number, None, None, &detail));
            }
            Refusal::Rules(violations) => violations.iter().for_each(|violation| self.violated(violation)),
        }
    }

    /// Notes a broken rule of the domain.
    pub fn violated(&mut self, violation: &Violation) {
        let named = violation.field.as_deref().unwrap_or_default();
        let field = named.split('/').find_map(|part| self.places.0.keys().find(|name| **name == part)).copied();
        let value = field.and_then(|field| self.text(field));
        self.faults.push(fault(violation.rule, self.row.number, field, value, &violation.detail));
    }

    /// What was found wrong.
    #[must_use]
    pub fn faults(self) -> Vec<Fault> {
        self.faults
    }

    /// Whether nothing was found wrong yet.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.faults.is_empty()
    }

    /// Whether the row has that column: where it has not, what is stated stays; where it is blank, it is taken back.
    #[must_use]
    pub fn has(&self, column: &str) -> bool {
        self.places.stands_in(column, self.row)
    }

    /// The row's number.
    #[must_use]
    pub fn number_of_row(&self) -> u64 {
        self.row.number
    }
}

/// A number without the zeros that a sheet may show behind its point.
#[must_use]
pub fn whole(text: &str) -> &str {
    let shown = text.split_once('.').filter(|(_, behind)| !behind.is_empty() && behind.bytes().all(|b| b == b'0'));
    shown.map_or(text, |(whole, _)| whole)
}

/// A date as the API writes it, or as spreadsheets of this country do.
fn date(text: &str) -> Option<NaiveDate> {
    let plain = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-' || b == b'/');
    let form = if text.contains('/') { "%d/%m/%Y" } else { "%Y-%m-%d" };
    let read = NaiveDate::parse_from_str(text, form).ok().filter(|_| plain)?;
    (1900..3000).contains(&chrono::Datelike::year(&read)).then_some(read)
}

/// A fault by a rule.
#[must_use]
pub fn fault(rule: &'static Rule, line: u64, column: Option<&str>, value: Option<String>, detail: &str) -> Fault {
    Fault {
        line,
        n: 0,
        column: column.map(str::to_owned),
        value: value.map(|value| tables::shorten(&value)),
        code: rule.code.to_owned(),
        rests_on: Some(rule.rests_on.to_owned()),
        detail: detail.to_owned(),
    }
}

/// A fault of the reader's.
#[must_use]
pub fn misread(found: tables::Fault) -> Fault {
    let filled = |text: String| Some(text).filter(|text| !text.is_empty());
    Fault {
        line: found.row,
        n: 0,
        column: filled(found.column),
        value: filled(found.value),
        code: found.code.to_owned(),
        rests_on: None,
        detail: found.message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_written_in_one_of_two_ways() {
        let day = NaiveDate::from_ymd_opt(2019, 4, 3);
        assert_eq!((date("2019-04-03"), date("03/04/2019")), (day, day));
        for bad in ["3/4/2019", "2019-04-31", "31/02/2019", "2019/04/03", "0019-04-03", "43558", "soon"] {
            assert_eq!(date(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_heading_is_known_however_it_is_written() {
        let columns = [column("registeredOn", true, ""), column("urn", false, "")];
        let headings = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        for name in ["Registered on", "registered_on", "REGISTEREDON", "registeredOn"] {
            assert!(Places::find(&columns, &headings(&[name]), 1).unwrap().has("registeredOn"), "{name}");
        }
        let faults = Places::find(&columns, &headings(&["urn", "colour"]), 3).unwrap_err();
        let named: Vec<_> = faults.iter().map(|f| (f.line, f.column.as_deref(), f.code.as_str())).collect();
        assert_eq!(named, [(3, Some("colour"), "unknown_column"), (3, Some("registeredOn"), "missing_column")]);
    }
}

//! The sheets of a workbook at a glance: which of them has the table.

use crate::headings::{Known, printed};
use crate::{Fault, Limits, Record, shorten};

/// Sheets that are looked at.
pub(crate) const MOST: usize = 100;
/// Columns that are named in a note at most.
const NAMED: usize = 20;

/// What the first rows of a sheet show.
#[derive(Debug, Default)]
pub(crate) struct Glance {
    pub(crate) name: String,
    /// Whether a spreadsheet shows it.
    pub(crate) shown: bool,
    /// The most known headings that one of its rows has.
    pub(crate) known: usize,
    pub(crate) blank: bool,
    /// The places of columns that are hidden in it.
    pub(crate) hidden: Vec<usize>,
}

impl Glance {
    /// Looks at the rows among which the headings have to be. One that cannot be read ends it: that is said when it is read.
    pub(crate) fn of(
        name: String,
        shown: bool,
        records: impl Iterator<Item = Result<Record, Fault>>,
        limits: &Limits,
        known: &Known<'_>,
    ) -> Self {
        let rows = records.take_while(Result::is_ok).flatten().filter(|record| !record.is_blank());
        let counts =
            rows.take(limits.preamble + 1).map(|r| r.cells.iter().filter(|cell| known(&printed(cell))).count());
        let most = counts.max();
        Self { name, shown, known: most.unwrap_or_default(), blank: most.is_none(), hidden: Vec::new() }
    }

    fn named(&self) -> String {
        format!("`{}`", shorten(&self.name))
    }
}

/// The sheet to be read.
#[derive(Debug, Default)]
pub(crate) struct Chosen {
    pub(crate) at: usize,
    /// What is to be said of the others, and of what is hidden in it.
    pub(crate) notes: Vec<Fault>,
    /// Which sheet it is, where there are others, to be said with its headings.
    pub(crate) of_several: Option<String>,
}

/// Chooses the first sheet with the most known headings, of those that are shown; none where none is.
pub(crate) fn choose(sheets: &[Glance]) -> Option<Chosen> {
    let shown = || sheets.iter().enumerate().filter(|(_, sheet)| sheet.shown);
    // Of equals `max_by_key` takes the last.
    let best = shown().rev().max_by_key(|(_, sheet)| (sheet.known, !sheet.blank));
    let (at, sheet) = best?;
    let told = |other: &Glance| if other.shown { !other.blank } else { other.known > 0 };
    let others: Vec<String> =
        sheets.iter().enumerate().filter(|(n, other)| *n != at && told(other)).map(|(_, s)| s.named()).collect();
    let mut notes = Vec::new();
    if !others.is_empty() {
        let message = format!("only the sheet {} is read, and not {}", sheet.named(), others.join(", "));
        notes.push(Fault::file("other_sheets", message));
    }
    if !sheet.hidden.is_empty() {
        let columns: Vec<String> = sheet.hidden.iter().take(NAMED).map(|at| letters(*at)).collect();
        let message = format!("columns that are hidden in the sheet are read as well: {}", columns.join(", "));
        notes.push(Fault::file("hidden_columns", message));
    }
    let of_several = (!others.is_empty())
        .then(|| format!("this is the sheet {}; beside it there are {}", sheet.named(), others.join(", ")));
    Some(Chosen { at, notes, of_several })
}

/// The letters of a column by its place, from 0.
fn letters(place: usize) -> String {
    let mut letters = Vec::new();
    let mut left = place + 1;
    while left > 0 {
        letters.push(char::from(b'A' + u8::try_from((left - 1) % 26).unwrap_or_default()));
        left = (left - 1) / 26;
    }
    letters.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::letters;

    #[test]
    fn a_column_is_named_by_its_letters() {
        for (place, name) in [(0, "A"), (25, "Z"), (26, "AA"), (16_383, "XFD")] {
            assert_eq!(letters(place), name);
        }
    }
}

//! One way through a file: its rows in batches, each with what is wrong with it before any rule of its kind is asked.

use std::collections::HashMap;
use std::fs::File;

use domain::upload::{FileFormat, Note};
use persistence::upload::Fault;
use sha2::{Digest as _, Sha256};

use usecase::upload::row::{Cells, DUPLICATE_ROW, EXAMPLE_ROW, Line, NO_ROWS, Places, fault, folded, misread};
use usecase::upload::{Rows, Source};

use super::table_limits;

/// Rows of a batch at most: short enough that other writers get in between.
const BATCH: usize = 500;
/// Bytes of the rows of a batch, about.
const WEIGHT: usize = 4 * 1024 * 1024;

/// A way through a file.
pub struct Pass {
    rows: &'static dyn Rows,
    source: Box<dyn Source>,
    /// Where the columns are.
    pub places: Places,
    /// The first row that was about each thing, by a digest of what it is.
    seen: HashMap<[u8; 16], u64>,
    any: bool,
}

impl Pass {
    /// Opens a file.
    ///
    /// # Errors
    /// What is wrong with the file as a whole.
    pub fn open(
        rows: &'static dyn Rows,
        format: FileFormat,
        file: File,
        limits: &super::Limits,
    ) -> Result<Self, Vec<Fault>> {
        let source: Box<dyn Source> = match rows.release() {
            Some(release) => (release.open)(file, format, table_limits(limits))?,
            None => Box::new(reader(rows, format, file, limits).map_err(|found| vec![misread(found)])?),
        };
        let places = Places::find(rows.columns(), &source.headings(), source.headings_row())?;
        Ok(Self { rows, source, places, seen: HashMap::new(), any: false })
    }

    /// What was read with a reservation so far.
    pub fn notes(&self) -> Vec<Note> {
        self.source.notes()
    }

    /// Whether a row had that key.
    pub fn names(&self, column: &'static str, key: &str) -> bool {
        self.seen.contains_key(&digest(column, key))
    }

    /// The next rows; empty behind the last one.
    ///
    /// # Errors
    /// What is wrong with the file as a whole: nothing comes after it.
    pub fn batch(&mut self) -> Result<Vec<Line>, Fault> {
        let mut lines = Vec::new();
        let mut weight = 0;
        while lines.len() < BATCH && weight < WEIGHT {
            let Some(row) = self.source.next() else { break };
            let mut row = row.map_err(misread)?;
            let mut faults: Vec<Fault> = std::mem::take(&mut row.faults).into_iter().map(misread).collect();
            let found = self.example(&row).or_else(|| self.repeated(&row));
            if faults.is_empty() {
                faults.extend(found);
            }
            weight += row.cells.iter().map(String::len).sum::<usize>();
            lines.push(Line { row, faults });
        }
        if lines.is_empty() && !self.any {
            return Err(fault(&NO_ROWS, 0, None, None, "there is no row under the headings"));
        }
        self.any = true;
        Ok(lines)
    }

    /// The fault of a row that is the template's example.
    fn example(&self, row: &tables::Row) -> Option<Fault> {
        let is_example = self.rows.is_example(&Cells::of(row, &self.places));
        let detail = "this is the example of the template: write what is true in its place, or leave the row out";
        is_example.then(|| fault(&EXAMPLE_ROW, row.number, None, None, detail))
    }

    /// The fault of a row that is about what an earlier one was about.
    fn repeated(&mut self, row: &tables::Row) -> Option<Fault> {
        let cells = Cells::of(row, &self.places);
        let mut found = None;
        for (column, key) in self.rows.keys(&cells) {
            let first = *self.seen.entry(digest(column, &key)).or_insert(row.number);
            if first != row.number && found.is_none() {
                let detail = format!("row {first} is about the same");
                found = Some(fault(&DUPLICATE_ROW, row.number, Some(column), cells.text(column), &detail));
            }
        }
        found
    }
}

/// A digest of what a row is about.
fn digest(column: &str, key: &str) -> [u8; 16] {
    let mut sha = Sha256::new();
    sha.update(column);
    sha.update([0]);
    sha.update(key);
    let mut digest = [0; 16];
    digest.iter_mut().zip(sha.finalize()).for_each(|(to, from)| *to = from);
    digest
}

/// The rows of a file as they stand in it.
///
/// # Errors
/// What is wrong with the file as a whole.
pub fn reader(
    rows: &'static dyn Rows,
    format: FileFormat,
    file: File,
    limits: &super::Limits,
) -> Result<tables::Reader<'static>, tables::Fault> {
    let known = |heading: &str| match rows.release() {
        Some(release) => (release.knows)(heading),
        None => rows.columns().iter().any(|column| folded(column.name) == folded(heading)),
    };
    tables::Reader::open(file, of(format), table_limits(limits), &known)
}

/// The format in the words of the table reader.
#[must_use]
pub fn of(format: FileFormat) -> tables::Format {
    match format {
        FileFormat::Csv => tables::Format::Csv,
        FileFormat::Ndjson => tables::Format::Ndjson,
        FileFormat::Xlsx => tables::Format::Xlsx,
        FileFormat::Ods => tables::Format::Ods,
    }
}

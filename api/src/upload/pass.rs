//! One way through a file: its rows in batches, each with what is wrong with it before any rule of its kind is asked.

use std::collections::HashMap;
use std::fs::File;

use domain::upload::FileFormat;
use persistence::upload::Fault;
use sha2::{Digest as _, Sha256};

use usecase::upload::Rows;
use usecase::upload::row::{Cells, DUPLICATE_ROW, Line, NO_ROWS, Places, fault, folded, misread};

use super::table_limits;

/// Rows of a batch at most: short enough that other writers get in between.
const BATCH: usize = 500;
/// Bytes of the rows of a batch, about.
const WEIGHT: usize = 4 * 1024 * 1024;

type Read = Box<dyn Iterator<Item = Result<tables::Row, tables::Fault>> + Send>;

/// A way through a file.
pub struct Pass {
    rows: &'static dyn Rows,
    read: Read,
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
        let (read, headings, line): (Read, Vec<String>, u64) = if let Some(release) = rows.release() {
            let (rows, headings) = (release.open)(file, format)?;
            (Box::new(rows.into_iter().map(Ok)), headings, 1)
        } else {
            let reader = reader(rows, format, file, limits).map_err(|found| vec![misread(found)])?;
            let (headings, line) = (reader.headings().to_vec(), reader.headings_row());
            (Box::new(reader), headings, line)
        };
        let places = Places::find(rows.columns(), &headings, line)?;
        Ok(Self { rows, read, places, seen: HashMap::new(), any: false })
    }

    /// The next rows; empty behind the last one.
    ///
    /// # Errors
    /// What is wrong with the file as a whole: nothing comes after it.
    pub fn batch(&mut self) -> Result<Vec<Line>, Fault> {
        let mut lines = Vec::new();
        let mut weight = 0;
        while lines.len() < BATCH && weight < WEIGHT {
            let Some(row) = self.read.next() else { break };
            let mut row = row.map_err(misread)?;
            let mut faults: Vec<Fault> = std::mem::take(&mut row.faults).into_iter().map(misread).collect();
            if faults.is_empty() {
                faults.extend(self.repeated(&row));
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

    /// The fault of a row that is about what an earlier one was about.
    fn repeated(&mut self, row: &tables::Row) -> Option<Fault> {
        let cells = Cells::of(row, &self.places);
        let mut found = None;
        for (column, key) in self.rows.keys(&cells) {
            let mut sha = Sha256::new();
            sha.update(column);
            sha.update([0]);
            sha.update(&key);
            let mut digest = [0; 16];
            digest.iter_mut().zip(sha.finalize()).for_each(|(to, from)| *to = from);
            let first = *self.seen.entry(digest).or_insert(row.number);
            if first != row.number && found.is_none() {
                let detail = format!("row {first} is about the same");
                found = Some(fault(&DUPLICATE_ROW, row.number, Some(column), cells.text(column), &detail));
            }
        }
        found
    }
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
    }
}

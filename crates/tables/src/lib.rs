//! Tables of rows, as people keep them: read and written one row at a time, as CSV, NDJSON, or a workbook in XLSX or ODS.
//!
//! [`Format::sniff`] tells them apart by content, [`Reader::open`] finds the headings, and the reader then gives a
//! [`Row`] after the other. Cells come as text, as written. No more than one row, the headings and,
//! of a workbook, its shared strings are held at a time, each within [`Limits`].
//!
//! What is wrong with one row is a [`Fault`] in [`Row::faults`], and reading goes on. What is wrong with the file is the error of the
//! reader: nothing comes after it, and the rows before it must not be used on their own, since a damaged or cut-off
//! file may show itself only at its end.
//!
//! **What a cut-off file looks like.** A workbook is refused at once; CSV that ends within quotation marks and NDJSON that ends within an
//! object are refused at the end; CSV that ends within a row has a row with too few cells. CSV that ends without a line end is read,
//! because common programs write it so, with the note `no_final_line_end`: its last cell may have been cut. CSV that was cut
//! exactly between two rows cannot be told from a whole one.

mod csv;
mod guard;
mod headings;
mod ndjson;
mod ods;
pub mod ofsted;
mod package;
mod sheets;
mod sniff;
#[cfg(test)]
mod tests;
mod text;
mod write;
mod xlsx;
mod xml;

pub use headings::Known;
pub use text::Encoding;
pub use write::{Rejected, Writer, template};

use headings::Headings;
use std::fmt;
use std::io::{Read, Seek, SeekFrom};

/// Characters of a value repeated in a fault.
const MAX_VALUE: usize = 200;
/// Columns that begin so are ours: what was wrong with a row, written beside it. They are not read.
pub const OWN_COLUMNS: &str = "dps_";

/// How a table is written down.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Format {
    /// Separated by commas, semicolons or tabs, with headings (RFC 4180).
    Csv,
    /// A JSON object a line.
    Ndjson,
    /// An Office Open XML workbook; of its visible sheets the one with the headings.
    Xlsx,
    /// An ODS spreadsheet (ISO/IEC 26300); of its visible sheets the one with the headings.
    Ods,
}

impl Format {
    /// How a file's name ends.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Xlsx => "xlsx",
            Self::Ods => "ods",
        }
    }

    /// Its media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv",
            Self::Ndjson => "application/x-ndjson",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Ods => ods::MEDIA_TYPE,
        }
    }
}

/// What a file may come to. More is refused, never read in part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes of the file.
    pub bytes: u64,
    /// Rows under the headings; blank ones are not counted.
    pub rows: u64,
    /// Columns.
    pub columns: usize,
    /// Bytes of one cell. A workbook's cell holds 32,767 characters.
    pub cell_bytes: usize,
    /// Bytes of one row's cells together; of one NDJSON line.
    pub row_bytes: usize,
    /// Bytes of a workbook's parts together, unpacked.
    pub inflated_bytes: u64,
    /// Bytes of a workbook's shared strings together, which are held in memory.
    pub strings_bytes: usize,
    /// Rows that may stand before the headings, such as a title.
    pub preamble: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 20 << 20,
            rows: 100_000,
            columns: 256,
            cell_bytes: 32_000,
            row_bytes: 1 << 20,
            inflated_bytes: 512 << 20,
            strings_bytes: 64 << 20,
            preamble: 15,
        }
    }
}

/// What is wrong with a cell, a row or the file; also a note on what was read with a reservation.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub struct Fault {
    /// The row as a spreadsheet counts it, from 1, blank ones and the headings counted: a cell of several lines does not make
    /// several rows. Of NDJSON the line. 0 for the file as a whole.
    pub row: u64,
    /// The heading as printed (line breaks made spaces), or as looked for; empty for a whole row or file.
    pub column: String,
    /// The value, shortened to 200 characters.
    pub value: String,
    /// What is wrong, as a stable name.
    pub code: &'static str,
    /// What is wrong, in words.
    pub message: String,
}

impl Fault {
    /// Of the file as a whole.
    pub(crate) fn file(code: &'static str, message: impl Into<String>) -> Self {
        Self { row: 0, column: String::new(), value: String::new(), code, message: message.into() }
    }

    pub(crate) fn at(self, row: u64) -> Self {
        Self { row, ..self }
    }

    pub(crate) fn quoting(self, value: &str) -> Self {
        Self { value: shorten(value), ..self }
    }

    fn unreadable(error: &std::io::Error) -> Self {
        Self::file("unreadable", format!("the file cannot be read: {}", error.kind()))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.row > 0 {
            write!(f, "row {}, ", self.row)?;
        }
        if !self.column.is_empty() {
            write!(f, "column `{}`, ", self.column)?;
        }
        if !self.value.is_empty() {
            write!(f, "`{}`: ", self.value)?;
        }
        write!(f, "{} ({})", self.message, self.code)
    }
}

/// One row under the headings.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Row {
    /// As a spreadsheet counts it (see [`Fault::row`]).
    pub number: u64,
    /// A text for each of [`Reader::headings`], in their order; empty where blank or absent.
    pub cells: Vec<String>,
    /// The places of cells that are absent, in their order: an NDJSON object without that key. A blank cell, or `null`, is there.
    pub absent: Vec<usize>,
    /// Why the row cannot be used as it stands. Its cells are then as far as they could be read: shortened where too long, a formula's
    /// last value.
    pub faults: Vec<Fault>,
}

/// A row as its format gives it, before the headings are known.
#[derive(Clone, Debug, Default)]
struct Record {
    number: u64,
    /// Whether a spreadsheet does not show it.
    hidden: bool,
    cells: Vec<String>,
    /// The places of cells that are absent, in their order.
    absent: Vec<usize>,
    /// The first text past the most columns there may be.
    beyond: Option<String>,
    flaws: Vec<Flaw>,
}

impl Record {
    fn is_blank(&self) -> bool {
        self.flaws.is_empty() && self.beyond.is_none() && self.cells.iter().all(|cell| cell.trim().is_empty())
    }
}

/// A fault of a record; `at` is the cell's place.
#[derive(Clone, Debug)]
struct Flaw {
    at: Option<usize>,
    value: String,
    code: &'static str,
    message: &'static str,
}

/// A format's records, blank ones included. Nothing is asked of it after an error.
type Records<'a> = Box<dyn Iterator<Item = Result<Record, Fault>> + Send + 'a>;

/// Reads a table row by row.
pub struct Reader<'a> {
    format: Format,
    encoding: Encoding,
    notes: Vec<Fault>,
    preamble: Vec<Row>,
    headings: Headings,
    records: Records<'a>,
    limits: Limits,
    rows: u64,
    /// The first row that is hidden, and how many are.
    hidden: Option<(u64, u64)>,
    ended: bool,
}

impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("format", &self.format).field("headings", &self.headings).finish_non_exhaustive()
    }
}

impl<'a> Reader<'a> {
    /// Opens a table and finds its headings: of the first rows that are not blank ([`Limits::preamble`] and one more), the first with the most
    /// headings that are `known`. An NDJSON file's headings are all keys of all its objects.
    ///
    /// The source is read from its start, more than once.
    ///
    /// # Errors
    /// What is wrong with the file. Codes of any format: `too_large`, `too_many_columns`, `too_many_rows`, `no_headings`, `duplicate_heading`, `unreadable`,
    /// and any fault of the headings' own row. Of text: `unsupported_encoding`, `not_text`, `unclosed_quote`, `cut_off`. Of a workbook: `not_xlsx`,
    /// `bad_xlsx`, `not_ods`, `bad_ods`, `inflated_too_large`.
    pub fn open<S: Read + Seek + Send + 'a>(
        mut source: S,
        format: Format,
        limits: Limits,
        known: &Known<'_>,
    ) -> Result<Self, Fault> {
        let size = source.seek(SeekFrom::End(0)).map_err(|e| Fault::unreadable(&e))?;
        if size > limits.bytes {
            let message = format!("the file has {size} bytes and may have at most {}", limits.bytes);
            return Err(Fault::file("too_large", message));
        }
        let mut reader = Self {
            format,
            encoding: Encoding::Utf8,
            notes: Vec::new(),
            preamble: Vec::new(),
            headings: Headings::default(),
            records: Box::new(std::iter::empty()),
            limits,
            rows: 0,
            hidden: None,
            ended: false,
        };
        match format {
            Format::Csv => {
                let survey = text::survey(&mut source)?;
                (reader.encoding, reader.notes) = (survey.encoding, survey.notes);
                let csv = csv::Csv::open(source, survey.encoding, limits, known)?;
                reader.under_headings(Box::new(csv), known)?;
            }
            Format::Ndjson => {
                let survey = text::survey(&mut source)?;
                reader.encoding = survey.unicode();
                // Whatever else it was taken for, it is read as UTF-8.
                reader.notes = survey.notes.into_iter().filter(|note| note.code == text::CUT).collect();
                let (ndjson, keys) = ndjson::Ndjson::open(source, limits)?;
                reader.headings = Headings::of_keys(&keys, known)?;
                reader.records = Box::new(ndjson);
            }
            Format::Xlsx => {
                let (sheet, chosen) = xlsx::open(source, limits, known)?;
                reader.of_sheet(Box::new(sheet), chosen, known)?;
            }
            Format::Ods => {
                let (sheet, chosen) = ods::open(source, limits, known)?;
                reader.of_sheet(Box::new(sheet), chosen, known)?;
            }
        }
        Ok(reader)
    }

    fn of_sheet(&mut self, records: Records<'a>, chosen: sheets::Chosen, known: &Known<'_>) -> Result<(), Fault> {
        self.notes = chosen.notes;
        self.under_headings(records, known).map_err(|fault| match chosen.of_several {
            Some(told) if fault.code == "no_headings" => {
                Fault { message: format!("{}; {told}", fault.message), ..fault }
            }
            Some(_) | None => fault,
        })
    }

    fn under_headings(&mut self, mut records: Records<'a>, known: &Known<'_>) -> Result<(), Fault> {
        let found = headings::find(&mut records, self.format, &self.limits, known)?;
        self.preamble = found.preamble;
        self.headings = found.headings;
        self.records = Box::new(found.ahead.into_iter().map(Ok).chain(found.fault.map(Err)).chain(records));
        Ok(())
    }

    /// How the table is written down.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// What its text is encoded in; a workbook's and NDJSON's is always UTF-8.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The headings as printed, line breaks made spaces, in the file's order, without blank ones and our own.
    #[must_use]
    pub fn headings(&self) -> &[String] {
        self.headings.printed()
    }

    /// The row of the headings; 0 for NDJSON.
    #[must_use]
    pub fn headings_row(&self) -> u64 {
        self.headings.number
    }

    /// The rows before the headings that are not blank, such as a title, with all their cells.
    #[must_use]
    pub fn preamble(&self) -> &[Row] {
        &self.preamble
    }

    /// What was read with a reservation so far: `encoding_guessed`, `no_final_line_end`, `other_sheets`, `hidden_columns`,
    /// `hidden_rows`.
    #[must_use]
    pub fn notes(&self) -> Vec<Fault> {
        let hidden = self.hidden.map(|(first, count)| {
            let message = format!("rows that are hidden in the sheet are read as well: {count}");
            Fault::file("hidden_rows", message).at(first)
        });
        self.notes.iter().cloned().chain(hidden).collect()
    }

    fn row(&mut self) -> Option<Result<Row, Fault>> {
        loop {
            let record = match self.records.next()? {
                // What was wrong with the file as a whole, and notes on it, stand in rows of ours alone.
                Ok(record) if record.is_blank() || self.headings.is_ours(&record) => continue,
                Ok(record) => record,
                Err(fault) => return Some(Err(fault)),
            };
            if record.hidden {
                let (first, count) = self.hidden.unwrap_or((record.number, 0));
                self.hidden = Some((first, count + 1));
            }
            self.rows += 1;
            if self.rows > self.limits.rows {
                let message = format!("there are more than {} rows under the headings", self.limits.rows);
                return Some(Err(Fault::file("too_many_rows", message).at(record.number)));
            }
            return Some(Ok(self.headings.row(record)));
        }
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<Row, Fault>;

    /// The next row that is not blank.
    ///
    /// Codes of its faults: `ragged_row`, `long_cell`, `long_row`, `bad_encoding`, `bad_character`, `bad_quotes`; of NDJSON `bad_json`, `not_an_object`,
    /// `nested_value`, `duplicate_key`; of a workbook `formula_cell`, `error_cell`, `inexact_number`, `bad_date`, `currency_cell`.
    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let row = self.row();
        self.ended = !matches!(row, Some(Ok(_)));
        row
    }
}

/// A text with its spaces, no-break spaces and line breaks made single spaces.
pub(crate) fn tidy(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A value short enough for a fault: on one line, 200 characters at most.
#[must_use]
pub fn shorten(value: &str) -> String {
    // A long value is cut before it is tidied: it may have megabytes.
    let head: String = value.chars().take(MAX_VALUE * 4).collect();
    let tidied = tidy(&head);
    if tidied.chars().count() <= MAX_VALUE && head.len() == value.len() {
        return tidied;
    }
    tidied.chars().take(MAX_VALUE - 1).chain(['…']).collect()
}

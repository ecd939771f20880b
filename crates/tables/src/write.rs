//! Tables written row by row.

use super::ods::Document;
use super::text::BOM;
use super::xlsx::Workbook;
use super::{Fault, Format, Row, guard};
use serde::Serializer;
use std::io::{self, Write};

/// Writes a table. What a spreadsheet would run is kept from running; [`Reader`](super::Reader) reads it back as it was.
pub struct Writer<W: Write + Send> {
    sink: Sink<W>,
}

enum Sink<W: Write + Send> {
    Csv(Box<::csv::Writer<W>>),
    Ndjson(Objects<W>),
    Xlsx(Box<Workbook<W>>),
    Ods(Box<Document<W>>),
}

impl<W: Write + Send> Writer<W> {
    /// Begins a table with its headings. CSV begins with a byte-order mark, by which spreadsheets tell UTF-8.
    pub fn new<T: AsRef<str>>(mut out: W, format: Format, headings: &[T]) -> io::Result<Self> {
        let sink = match format {
            Format::Csv => {
                out.write_all(BOM)?;
                let terminator = ::csv::Terminator::CRLF;
                Sink::Csv(Box::new(::csv::WriterBuilder::new().terminator(terminator).from_writer(out)))
            }
            Format::Ndjson => {
                let keys = headings.iter().map(|heading| heading.as_ref().to_owned()).collect();
                return Ok(Self { sink: Sink::Ndjson(Objects { out, keys }) });
            }
            Format::Xlsx => Sink::Xlsx(Box::new(Workbook::begin(out)?)),
            Format::Ods => Sink::Ods(Box::new(Document::begin(out)?)),
        };
        let mut writer = Self { sink };
        writer.row(headings)?;
        Ok(writer)
    }

    /// Writes a row: a text for each heading.
    ///
    /// # Errors
    /// Those of the output; `InvalidInput` for a row with more or fewer cells than headings (CSV), or past the last row of a sheet.
    pub fn row<T: AsRef<str>>(&mut self, cells: &[T]) -> io::Result<()> {
        match &mut self.sink {
            Sink::Csv(csv) => Ok(csv.write_record(cells.iter().map(|cell| guard::guarded(cell.as_ref())))?),
            Sink::Ndjson(objects) => objects.row(cells, |cell, _| !cell.is_empty()),
            Sink::Xlsx(workbook) => workbook.row(cells),
            Sink::Ods(document) => document.row(cells),
        }
    }

    /// Writes a row that was read, with more cells behind its own: what is blank in it is blank again, and what is absent is absent.
    ///
    /// # Errors
    /// As [`Writer::row`].
    pub fn row_again(&mut self, row: &Row, more: &[&str]) -> io::Result<()> {
        let cells: Vec<&str> = row.cells.iter().map(String::as_str).chain(more.iter().copied()).collect();
        let own = row.cells.len();
        match &mut self.sink {
            Sink::Ndjson(objects) => {
                objects.row(&cells, |cell, at| !cell.is_empty() || (at < own && row.absent.binary_search(&at).is_err()))
            }
            Sink::Csv(_) | Sink::Xlsx(_) | Sink::Ods(_) => self.row(&cells),
        }
    }

    /// Ends the table; without it the table is not whole.
    pub fn finish(self) -> io::Result<W> {
        match self.sink {
            Sink::Csv(csv) => csv.into_inner().map_err(::csv::IntoInnerError::into_error),
            Sink::Ndjson(objects) => Ok(objects.out),
            Sink::Xlsx(workbook) => workbook.end(),
            Sink::Ods(document) => document.end(),
        }
    }
}

/// Writes a table as NDJSON.
struct Objects<W> {
    out: W,
    keys: Vec<String>,
}

impl<W: Write> Objects<W> {
    /// Writes an object with the cells that are there; a blank one is `null`.
    fn row<T: AsRef<str>>(&mut self, cells: &[T], is_there: impl Fn(&str, usize) -> bool) -> io::Result<()> {
        let cells = cells.iter().map(AsRef::as_ref).enumerate();
        let fields = self.keys.iter().zip(cells).filter(|(_, (at, cell))| is_there(cell, *at));
        let fields = fields.map(|(key, (_, cell))| (key, Some(cell).filter(|cell| !cell.is_empty())));
        serde_json::Serializer::new(&mut self.out).collect_map(fields)?;
        self.out.write_all(b"\n")
    }
}

/// Writes a table to fill in: headings and one example under them.
pub fn template<W: Write + Send, T: AsRef<str>>(
    out: W,
    format: Format,
    headings: &[T],
    example: &[T],
) -> io::Result<W> {
    let mut writer = Writer::new(out, format, headings)?;
    writer.row(example)?;
    writer.finish()
}

/// Writes rows that were refused: as they came, with what was wrong beside them in columns that the reader does not read. So the file can be
/// corrected and sent again as it is.
pub struct Rejected<W: Write + Send> {
    writer: Writer<W>,
}

impl<W: Write + Send> Rejected<W> {
    /// The columns beside the refused rows'.
    pub const COLUMNS: [&str; 4] = ["dps_row", "dps_column", "dps_code", "dps_reason"];

    /// Begins a table with the headings of the one that was read.
    pub fn new(out: W, format: Format, headings: &[String]) -> io::Result<Self> {
        let all: Vec<&str> = headings.iter().map(String::as_str).chain(Self::COLUMNS).collect();
        Ok(Self { writer: Writer::new(out, format, &all)? })
    }

    /// Writes a row with what is wrong with it; several faults stand in one cell, separated by `; `.
    pub fn row(&mut self, row: &Row, faults: &[Fault]) -> io::Result<()> {
        let all = |part: fn(&Fault) -> &str| {
            let parts: Vec<&str> = faults.iter().map(part).filter(|part| !part.is_empty()).collect();
            parts.join("; ")
        };
        let number = row.number.to_string();
        let ours = [number, all(|f| &f.column), all(|f| f.code), all(|f| &f.message)];
        self.writer.row_again(row, &ours.each_ref().map(String::as_str))
    }

    /// Ends the table.
    pub fn finish(self) -> io::Result<W> {
        self.writer.finish()
    }
}

//! XLSX written row by row: one sheet of text cells, so that `007` stays `007` and nothing is a formula. Rows go to a temporary
//! file as they come: no more than one is held.

use crate::guard;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook as Book, XlsxError};
use std::io::{self, Write};

/// Units of UTF-16 that a cell has at most.
const CELL_MAX: usize = 32_767;
/// The last column's place, from 0.
const LAST_COLUMN: u16 = 16_383;
/// Columns are that wide, in characters.
const WIDTH: f64 = 18.0;

/// Writes a workbook with one sheet; the first row is bold.
pub(crate) struct Workbook<W> {
    out: W,
    book: Book,
    heading: Format,
    text: Format,
    part: Format,
    rows: u32,
}

impl<W: Write + Send> Workbook<W> {
    pub(crate) fn begin(out: W) -> io::Result<Self> {
        let text = Format::new().set_num_format("@");
        let mut book = Book::new();
        sheet(&mut book, &text).map_err(failed)?;
        Ok(Self { out, book, heading: text.clone().set_bold(), text, part: Format::new(), rows: 0 })
    }

    pub(crate) fn row<T: AsRef<str>>(&mut self, cells: &[T]) -> io::Result<()> {
        let format = if self.rows == 0 { &self.heading } else { &self.text };
        let sheet = self.book.worksheet_from_index(0).map_err(failed)?;
        for (column, cell) in (0..=u16::MAX).zip(cells.iter().map(AsRef::as_ref)).filter(|(_, cell)| !cell.is_empty()) {
            let cell = cut(guard::guarded(cell));
            let parts = parts(&cell);
            if parts.len() < 2 {
                sheet.write_string_with_format(self.rows, column, cell, format).map_err(failed)?;
            } else {
                let parts: Vec<(&Format, &str)> = parts.into_iter().map(|part| (&self.part, part)).collect();
                sheet.write_rich_string_with_format(self.rows, column, &parts, format).map_err(failed)?;
            }
        }
        self.rows += 1;
        Ok(())
    }

    pub(crate) fn end(mut self) -> io::Result<W> {
        self.book.save_to_writer(&mut self.out).map_err(failed)?;
        Ok(self.out)
    }
}

/// Adds the sheet: the headings stay in sight, and whole columns are text, so that what is typed in stays as typed.
fn sheet(book: &mut Book, text: &Format) -> Result<(), XlsxError> {
    // The same rows make the same file.
    book.set_properties(&DocProperties::new().set_creation_datetime(&ExcelDateTime::from_ymd(2000, 1, 1)?));
    let sheet = book.add_worksheet_with_constant_memory()?;
    sheet.set_name("Rows")?.set_freeze_panes(1, 0)?;
    sheet.set_column_range_width(0, LAST_COLUMN, WIDTH)?.set_column_range_format(0, LAST_COLUMN, text)?;
    Ok(())
}

/// The text, cut within whatever looks like the escape of a character, such as `_x000D_`: `rust_xlsxwriter` 0.102 escapes one
/// that stands whole, but not `_x0041` before a character that it then escapes.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    let looks = |after: &str| after.len() >= 4 && after.bytes().take(4).all(|b| b.is_ascii_hexdigit());
    let mut from = 0;
    while let Some(at) = rest.get(from..).and_then(|rest| rest.find("_x")) {
        let (before, after) = rest.split_at(from + at + 2);
        if looks(after) {
            parts.push(before);
            rest = after;
            from = 0;
        } else {
            from += at + 2;
        }
    }
    parts.push(rest);
    parts
}

/// The text as far as a cell holds it.
fn cut(text: String) -> String {
    if text.len() <= CELL_MAX {
        return text;
    }
    let mut units = 0;
    let fits = |c: &char| {
        units += c.len_utf16();
        units <= CELL_MAX
    };
    text.chars().take_while(fits).collect()
}

fn failed(error: XlsxError) -> io::Error {
    match error {
        XlsxError::IoError(error) => error,
        XlsxError::RowColumnLimitError => io::Error::new(io::ErrorKind::InvalidInput, "a sheet has no more room"),
        other => io::Error::other(other),
    }
}

//! The rows of one sheet, one after the other, and what their cells show.

use crate::package::bad;
use crate::xlsx::styles::{Shown, Unclear, shown_number};
use crate::xml::{Node, Xml, attribute};
use crate::{Fault, Flaw, Limits, Record, shorten};
use quick_xml::events::BytesStart;
use std::io::Read;

/// Rows that a sheet may have.
const MAX_ROWS: u64 = 1_048_576;
/// Blanks that one element may stand for.
const BLANKS: usize = 1_000;

/// The rows of a sheet: where one stands for several that are alike, each of them comes.
pub(super) struct Rows {
    limits: Limits,
    number: u64,
    /// The record that stands for further rows, and for how many.
    again: Option<(Record, u64)>,
    hidden_columns: Vec<usize>,
    columns: usize,
    /// Sheets within the sheet that have begun.
    depth: u32,
    ended: bool,
}

/// A cell as it stands in the XML.
#[derive(Default)]
struct Cell {
    kind: String,
    value: Option<String>,
    currency: Option<String>,
    formula: Option<String>,
    is_error: bool,
    text: String,
    times: usize,
}

impl Rows {
    pub(super) fn new(limits: Limits) -> Self {
        let (again, hidden_columns) = (None, Vec::new());
        Self { limits, number: 0, again, hidden_columns, columns: 0, depth: 0, ended: false }
    }

    /// The places of its hidden columns: known once a row was read.
    pub(super) fn hidden_columns(&self) -> Vec<usize> {
        self.hidden_columns.clone()
    }

    /// The next row of the sheet that has begun; none behind its last.
    pub(super) fn next<R: Read>(&mut self, xml: &mut Xml<R>) -> Result<Option<Record>, Fault> {
        if let Some((record, times)) = self.again.take() {
            self.number += 1;
            let next = Record { number: self.number, ..record.clone() };
            self.again = (times > 1).then_some((record, times - 1));
            return Ok(Some(next));
        }
        while !self.ended {
            match xml.next()? {
                Node::Start(element) => match element.local_name().as_ref() {
                    "table" => self.depth += 1,
                    "table-column" => self.column(&element)?,
                    "table-row" => {
                        let hidden =
                            matches!(attribute(&element, "visibility")?.as_deref(), Some("collapse" | "filter"));
                        let times = count(&element, "number-rows-repeated")?;
                        if self.number.saturating_add(times) > MAX_ROWS {
                            return Err(bad("it has more rows than a sheet"));
                        }
                        self.number += 1;
                        let record = Record { hidden, ..self.row(xml)? };
                        if record.is_blank() {
                            self.number += times - 1;
                        } else if times > 1 {
                            self.again = Some((record.clone(), times - 1));
                        }
                        return Ok(Some(record));
                    }
                    _ => {}
                },
                Node::End(name) if name == "table" => {
                    self.ended = self.depth == 0;
                    self.depth = self.depth.saturating_sub(1);
                }
                Node::End(_) | Node::Text(_) => {}
                Node::Eof => return Err(bad("a sheet ends in the middle")),
            }
        }
        Ok(None)
    }

    /// Goes on to the end of the sheet.
    pub(super) fn skip<R: Read>(&mut self, xml: &mut Xml<R>) -> Result<(), Fault> {
        if self.ended { Ok(()) } else { skip(xml, "table", self.depth) }
    }

    /// Passes over a sheet that has begun.
    pub(super) fn pass<R: Read>(xml: &mut Xml<R>) -> Result<(), Fault> {
        skip(xml, "table", 0)
    }

    fn column(&mut self, element: &BytesStart<'_>) -> Result<(), Fault> {
        let times = usize::try_from(count(element, "number-columns-repeated")?).unwrap_or(usize::MAX);
        let hidden = matches!(attribute(element, "visibility")?.as_deref(), Some("collapse" | "filter"));
        let end = self.columns.saturating_add(times);
        if hidden {
            self.hidden_columns.extend(self.columns..end.min(self.limits.columns));
        }
        self.columns = end;
        Ok(())
    }

    fn row<R: Read>(&self, xml: &mut Xml<R>) -> Result<Record, Fault> {
        let mut record = Record { number: self.number, ..Record::default() };
        let (mut place, mut bytes) = (0_usize, 0);
        loop {
            let cell = match xml.next()? {
                Node::Start(element)
                    if matches!(element.local_name().as_ref(), "table-cell" | "covered-table-cell") =>
                {
                    Cell::of(&element)?
                }
                Node::End(name) if name == "table-row" => return Ok(record),
                Node::Eof => return Err(bad("a row ends in the middle")),
                Node::Start(_) | Node::End(_) | Node::Text(_) => continue,
            };
            let cell = self.content(xml, cell)?;
            let times = cell.times;
            self.place(&mut record, place, cell, &mut bytes);
            place = place.saturating_add(times);
        }
    }

    /// The rest of a cell that has begun: its paragraphs, without notes and pictures.
    fn content<R: Read>(&self, xml: &mut Xml<R>, mut cell: Cell) -> Result<Cell, Fault> {
        let most = self.limits.cell_bytes;
        let mut paragraphs = 0;
        let push = |text: &mut String, piece: &str| {
            if text.len() <= most {
                text.push_str(piece);
            }
        };
        let mut in_paragraph = 0_u32;
        loop {
            let other = match xml.next()? {
                Node::Start(element) => match element.local_name().as_ref() {
                    "p" | "h" => {
                        if paragraphs > 0 && in_paragraph == 0 {
                            push(&mut cell.text, "\n");
                        }
                        paragraphs += 1;
                        in_paragraph += 1;
                        continue;
                    }
                    "s" => {
                        let blanks = usize::try_from(count(&element, "c")?).unwrap_or(BLANKS).min(BLANKS);
                        push(&mut cell.text, &" ".repeat(blanks));
                        continue;
                    }
                    "tab" => {
                        push(&mut cell.text, "\t");
                        continue;
                    }
                    "line-break" => {
                        push(&mut cell.text, "\n");
                        continue;
                    }
                    "span" | "a" | "ruby" | "ruby-base" => continue,
                    // A note, a picture, a sheet within the cell.
                    other => other.to_owned(),
                },
                Node::End(name) => match name.as_str() {
                    "table-cell" | "covered-table-cell" => return Ok(cell),
                    "p" | "h" => {
                        in_paragraph = in_paragraph.saturating_sub(1);
                        continue;
                    }
                    _ => continue,
                },
                Node::Text(text) => {
                    if in_paragraph > 0 {
                        push(&mut cell.text, &text);
                    }
                    continue;
                }
                Node::Eof => return Err(bad("a cell ends in the middle")),
            };
            skip(xml, &other, 0)?;
        }
    }

    fn place(&self, record: &mut Record, place: usize, cell: Cell, bytes: &mut usize) {
        let times = cell.times;
        let (mut text, mut flaw) = match cell.shows() {
            Ok(text) => (text, None),
            Err(unclear) => (cell.text.clone(), Some((cell.text.clone(), unclear))),
        };
        if let Some(formula) = cell.formula {
            flaw = Some((
                formula,
                ("formula_cell", "a formula: write its value instead, as this column is sent back with it"),
            ));
        }
        if text.len() > self.limits.cell_bytes {
            flaw = Some((text.clone(), ("long_cell", "a cell is too long to be a value")));
            text = shorten(&text);
        }
        if text.is_empty() && flaw.is_none() {
            return;
        }
        for place in place..place.saturating_add(times) {
            if place >= self.limits.columns {
                if record.beyond.is_none() && !text.trim().is_empty() {
                    record.beyond = Some(shorten(&text));
                }
                return;
            }
            *bytes += text.len();
            if *bytes > self.limits.row_bytes {
                flaw = Some((std::mem::take(&mut text), ("long_row", "the row is too long")));
            }
            let told = flaw.as_ref().map(|(value, (code, message))| Flaw {
                at: Some(place),
                value: shorten(value),
                code,
                message,
            });
            record.flaws.extend(told);
            record.cells.resize(place, String::new());
            record.cells.push(text.clone());
        }
    }
}

impl Cell {
    fn of(element: &BytesStart<'_>) -> Result<Self, Fault> {
        let kind = attribute(element, "value-type")?.unwrap_or_default();
        let value = match kind.as_str() {
            "float" | "percentage" | "currency" => attribute(element, "value")?,
            "date" => attribute(element, "date-value")?,
            "time" => attribute(element, "time-value")?,
            "boolean" => attribute(element, "boolean-value")?,
            _ => attribute(element, "string-value")?,
        };
        let is_error = element.attributes().with_checks(false).flatten().any(|attribute| {
            let name: &str = attribute.key.as_ref();
            name == "calcext:value-type" && attribute.value.as_ref() == "error"
        });
        let times = usize::try_from(count(element, "number-columns-repeated")?).unwrap_or(usize::MAX);
        let (currency, formula) = (attribute(element, "currency")?, attribute(element, "formula")?);
        Ok(Self { kind, value, currency, formula, is_error, text: String::new(), times })
    }

    /// What it shows, or why that cannot be told.
    fn shows(&self) -> Result<String, Unclear> {
        if self.is_error {
            return Err(("error_cell", "the cell shows an error, not a value"));
        }
        let value = self.value.as_deref().unwrap_or_default();
        match self.kind.as_str() {
            "float" => shown_number(value, Shown::Decimals(self.decimals())),
            "percentage" => shown_number(value, Shown::Percent),
            "currency" if self.currency.as_deref().is_some_and(|code| code.eq_ignore_ascii_case("GBP")) => {
                shown_number(value, Shown::Pounds)
            }
            "currency" if self.currency.is_none() && self.text.contains('£') => shown_number(value, Shown::Pounds),
            "currency" => shown_number(value, Shown::OtherCurrency),
            "date" => Ok(value.trim_end_matches('Z').trim_end_matches("T00:00:00").to_owned()),
            "time" => time(value).ok_or(("bad_date", "not a time of day")),
            "boolean" => Ok(value.to_owned()),
            _ => Ok(self.value.clone().unwrap_or_else(|| self.text.clone())),
        }
    }

    /// The digits that it shows behind the point.
    fn decimals(&self) -> usize {
        let behind = self.text.rsplit_once('.').map(|(_, behind)| behind).unwrap_or_default();
        if behind.bytes().all(|b| b.is_ascii_digit()) { behind.len() } else { 0 }
    }
}

/// `PT09H30M00S` as `09:30:00`.
fn time(text: &str) -> Option<String> {
    let (hours, rest) = text.strip_prefix("PT")?.split_once('H')?;
    let (minutes, rest) = rest.split_once('M')?;
    let seconds = rest.strip_suffix('S')?.split(['.', ',']).next()?;
    let part = |text: &str| text.parse::<u32>().ok();
    Some(format!("{:02}:{:02}:{:02}", part(hours)?, part(minutes)?, part(seconds)?))
}

/// How many an element stands for: 1 where it does not say.
fn count(element: &BytesStart<'_>, name: &str) -> Result<u64, Fault> {
    let Some(text) = attribute(element, name)? else { return Ok(1) };
    text.parse().ok().filter(|count| *count > 0).ok_or_else(|| bad("an element stands for no number of others"))
}

/// Goes on to the end of an element that has begun, and of `depth` more around it.
fn skip<R: Read>(xml: &mut Xml<R>, name: &str, mut depth: u32) -> Result<(), Fault> {
    loop {
        match xml.next()? {
            Node::Start(element) if element.local_name().as_ref() == name => depth += 1,
            Node::End(ended) if ended == name => match depth.checked_sub(1) {
                Some(left) => depth = left,
                None => return Ok(()),
            },
            Node::Start(_) | Node::End(_) | Node::Text(_) => {}
            Node::Eof => return Err(bad("an element ends in the middle")),
        }
    }
}

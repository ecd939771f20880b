//! A sheet's rows, one after the other.

use super::strings::{Strings, push, rich_text, unescape};
use super::styles::{self, Shown};
use crate::package::{Inflated, bad};
use crate::xml::{Node, Xml, attribute};
use crate::{Fault, Flaw, Limits, Record, shorten};
use quick_xml::events::BytesStart;
use std::io::{Read, Seek};
use std::sync::Arc;

/// What a sheet may have.
const MAX_ROWS: u64 = 1_048_576;
const MAX_COLUMNS: usize = 16_384;

/// What the sheets of a workbook share.
pub(crate) struct Book {
    pub(super) strings: Strings,
    /// How each style shows a number.
    pub(super) styles: Vec<Shown>,
    pub(super) since_1904: bool,
}

/// Reads a sheet row by row.
pub(crate) struct Sheet<S> {
    xml: Xml<Inflated<S>>,
    book: Arc<Book>,
    limits: Limits,
    /// The number of the last row.
    last: u64,
    hidden_columns: Vec<usize>,
    ended: bool,
}

/// A cell as it stands in the XML.
#[derive(Default)]
struct Cell {
    kind: String,
    style: usize,
    value: String,
    formula: Option<String>,
}

impl<S: Read + Seek> Sheet<S> {
    pub(super) fn new(xml: Xml<Inflated<S>>, book: Arc<Book>, limits: Limits) -> Self {
        Self { xml, book, limits, last: 0, hidden_columns: Vec::new(), ended: false }
    }

    /// The places of its hidden columns, as far as the limit goes: known once a row was read.
    pub(super) fn hidden_columns(&self) -> Vec<usize> {
        self.hidden_columns.clone()
    }

    fn record(&mut self) -> Result<Option<Record>, Fault> {
        loop {
            match self.xml.next()? {
                Node::Start(element) if element.local_name().as_ref() == "col" => {
                    let place = |name| Ok::<_, Fault>(attribute(&element, name)?.and_then(|n| n.parse::<usize>().ok()));
                    if is_hidden(&element)?
                        && let (Some(from), Some(to)) = (place("min")?, place("max")?)
                    {
                        self.hidden_columns.extend(from.saturating_sub(1)..to.min(self.limits.columns));
                    }
                }
                Node::Start(element) if element.local_name().as_ref() == "row" => {
                    let hidden = is_hidden(&element)?;
                    let given = attribute(&element, "r")?;
                    let number = match given {
                        Some(number) => number.parse().map_err(|_| bad("a row has no number"))?,
                        None => self.last + 1,
                    };
                    if number <= self.last || number > MAX_ROWS {
                        return Err(bad("its rows are out of order").at(number));
                    }
                    self.last = number;
                    return Ok(Some(Record { hidden, ..self.row(number)? }));
                }
                Node::End(name) if name == "sheetData" => {
                    // Only at the end is it known that the part is whole.
                    self.xml.finish()?;
                    return Ok(None);
                }
                Node::Start(_) | Node::End(_) | Node::Text(_) => {}
                Node::Eof => return Ok(None),
            }
        }
    }

    fn row(&mut self, number: u64) -> Result<Record, Fault> {
        let mut record = Record { number, ..Record::default() };
        let mut next = 0;
        let mut bytes = 0;
        loop {
            let (place, cell) = match self.xml.next()? {
                Node::Start(element) if element.local_name().as_ref() == "c" => {
                    let place = match attribute(&element, "r")? {
                        Some(place) => column(&place).ok_or_else(|| bad("a cell has no place").at(number))?,
                        None => next,
                    };
                    let style = attribute(&element, "s")?.and_then(|s| s.parse().ok()).unwrap_or(0);
                    let kind = attribute(&element, "t")?.unwrap_or_default();
                    (place, Cell { kind, style, ..Cell::default() })
                }
                Node::End(name) if name == "row" => return Ok(record),
                Node::Start(_) | Node::End(_) | Node::Text(_) | Node::Eof => continue,
            };
            if place < next || place >= MAX_COLUMNS {
                return Err(bad("its cells are out of order").at(number));
            }
            next = place + 1;
            let cell = self.cell(cell)?;
            self.place(&mut record, place, cell, &mut bytes)?;
        }
    }

    /// The rest of a cell that has begun.
    fn cell(&mut self, mut cell: Cell) -> Result<Cell, Fault> {
        let most = self.limits.cell_bytes;
        let (mut in_value, mut in_formula) = (false, false);
        loop {
            match self.xml.next()? {
                Node::Start(element) => match element.local_name().as_ref() {
                    "v" => in_value = true,
                    "f" => {
                        in_formula = true;
                        cell.formula = Some("=".to_owned());
                    }
                    "is" => cell.value = rich_text(&mut self.xml, "is", most)?,
                    _ => {}
                },
                Node::End(name) => match name.as_str() {
                    "v" => in_value = false,
                    "f" => in_formula = false,
                    "c" => return Ok(cell),
                    _ => {}
                },
                Node::Text(text) if in_value => push(&mut cell.value, &text, most),
                Node::Text(text) if in_formula => {
                    if let Some(formula) = &mut cell.formula {
                        push(formula, &text, most);
                    }
                }
                Node::Text(_) => {}
                Node::Eof => return Err(bad("a cell ends in the middle")),
            }
        }
    }

    fn place(&self, record: &mut Record, place: usize, cell: Cell, bytes: &mut usize) -> Result<(), Fault> {
        let (mut text, mut flaw) = match self.text(&cell, record.number)? {
            Ok(text) => (text, None),
            Err(unclear) => (cell.value.clone(), Some((cell.value, unclear))),
        };
        if let Some(formula) = cell.formula {
            let message = "a formula: write its value instead, as this column is sent back with it";
            flaw = Some((formula, ("formula_cell", message)));
        }
        if text.len() > self.limits.cell_bytes {
            flaw = Some((text.clone(), ("long_cell", "a cell is too long to be a value")));
            cut(&mut text, self.limits.cell_bytes);
        }
        if text.contains('\0') {
            flaw = Some((text.clone(), ("bad_character", "a character that text cannot have (NUL)")));
            text = text.replace('\0', "\u{fffd}");
        }
        if place >= self.limits.columns {
            if record.beyond.is_none() && !text.trim().is_empty() {
                record.beyond = Some(shorten(&text));
            }
            return Ok(());
        }
        *bytes += text.len();
        if *bytes > self.limits.row_bytes {
            flaw = Some((text, ("long_row", "the row is too long")));
            text = String::new();
        }
        let at = Some(place);
        record.flaws.extend(flaw.map(|(value, (code, message))| Flaw { at, value: shorten(&value), code, message }));
        // A styled cell without text need not be there.
        if !text.is_empty() || flaw_is_at(record, place) {
            record.cells.resize(place, String::new());
            record.cells.push(text);
        }
        Ok(())
    }

    /// What a cell shows, or why that cannot be told.
    fn text(&self, cell: &Cell, row: u64) -> Result<Result<String, styles::Unclear>, Fault> {
        let value = cell.value.as_str();
        Ok(match cell.kind.as_str() {
            "s" => {
                let text = value.trim().parse().ok().and_then(|at| self.book.strings.get(at));
                Ok(text.ok_or_else(|| bad("a cell names a text that is not there").at(row))?.to_owned())
            }
            "inlineStr" => Ok(value.to_owned()),
            "str" => Ok(unescape(value)),
            "b" => Ok(if value.trim() == "1" { "true" } else { "false" }.to_owned()),
            "e" => Err(("error_cell", "the cell shows an error, not a value")),
            "d" => Ok(value.strip_suffix('Z').unwrap_or(value).trim_end_matches("T00:00:00").to_owned()),
            _ if value.is_empty() => Ok(String::new()),
            _ => match self.book.styles.get(cell.style).copied().unwrap_or_default() {
                Shown::Date => styles::date(value, self.book.since_1904),
                shown => styles::shown_number(value, shown),
            },
        })
    }
}

impl<S: Read + Seek> Iterator for Sheet<S> {
    type Item = Result<Record, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let record = self.record();
        self.ended = !matches!(record, Ok(Some(_)));
        record.transpose()
    }
}

fn is_hidden(element: &BytesStart<'_>) -> Result<bool, Fault> {
    Ok(attribute(element, "hidden")?.is_some_and(|hidden| hidden == "1" || hidden == "true"))
}

fn flaw_is_at(record: &Record, place: usize) -> bool {
    record.flaws.last().is_some_and(|flaw| flaw.at == Some(place))
}

/// Cuts a text to at most so many bytes.
fn cut(text: &mut String, most: usize) {
    let end = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.truncate(end);
}

/// The place of a cell named as `BC12`, from 0.
fn column(name: &str) -> Option<usize> {
    let letters = name.bytes().take_while(u8::is_ascii_alphabetic).take(4);
    let place = letters.fold(0, |place, letter| place * 26 + usize::from(letter.to_ascii_uppercase() - b'A') + 1);
    place.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::column;

    #[test]
    fn a_cell_s_name_tells_its_column() {
        for (name, place) in
            [("A1", Some(0)), ("Z9", Some(25)), ("AA1", Some(26)), ("XFD1", Some(16_383)), ("12", None)]
        {
            assert_eq!(column(name), place, "{name}");
        }
    }
}

//! ODS read as a stream (ISO/IEC 26300): of the document no more than one row is held. Its one part of content is unpacked twice:
//! once to see which sheet has the headings, once to read that.
//!
//! Cells are what the sheet shows, as in XLSX: days as `YYYY-MM-DD`, pounds and percentages with their sign, a formula refused.

mod row;
#[cfg(test)]
mod tests;
mod write;

pub(super) use write::Document;

use crate::headings::Known;
use crate::package::{Inflated, Package};
use crate::sheets::{self, Chosen, Glance};
use crate::xml::{Node, Xml, attribute};
use crate::{Fault, Limits, Record};
use row::Rows;
use std::collections::HashSet;
use std::io::{Read, Seek};

/// The part with every sheet.
const CONTENT: &str = "content.xml";

/// The media type, which is also the content of the archive's first part.
pub(super) const MEDIA_TYPE: &str = "application/vnd.oasis.opendocument.spreadsheet";

/// Opens the sheet that has the known headings, with what is to be said of it and of the others.
///
/// # Errors
/// `not_ods`, `bad_ods`, `inflated_too_large`, `unsupported_format`, `unreadable`.
pub(super) fn open<S: Read + Seek>(source: S, limits: Limits, known: &Known<'_>) -> Result<(Table<S>, Chosen), Fault> {
    let none =
        || Fault::file("not_ods", "this is an OpenDocument file, but no ODS spreadsheet: save it as ODS, XLSX or CSV");
    let mut package = Package::open(source, limits).map_err(of_ods)?;
    #[expect(clippy::redundant_closure, reason = "the bare function is not general enough in its lifetimes")]
    let locked = package.read("META-INF/manifest.xml", |xml| is_encrypted(xml)).map_err(of_ods)?;
    if locked == Some(true) {
        return Err(Fault::file("unsupported_format", "this spreadsheet has a password: save it without one"));
    }
    let seen = package.glance(CONTENT, u64::MAX, |mut xml| sheets_of(&mut xml, &limits, known));
    let seen = seen.map_err(of_ods)?.ok_or_else(none)?;
    let chosen = sheets::choose(&seen).ok_or_else(none)?;
    let xml = package.into_part(CONTENT).map_err(of_ods)?;
    Ok((Table { xml, ahead: Some(chosen.at), rows: Rows::new(limits), ended: false }, chosen))
}

/// A fault of the package or its XML in the words of this format.
fn of_ods(fault: Fault) -> Fault {
    let code = if fault.code == "bad_xlsx" { "bad_ods" } else { fault.code };
    Fault { code, ..fault }
}

fn is_encrypted<R: Read>(xml: &mut Xml<R>) -> Result<bool, Fault> {
    loop {
        match xml.next()? {
            Node::Start(element) if element.local_name().as_ref() == "encryption-data" => return Ok(true),
            Node::Start(_) | Node::End(_) | Node::Text(_) => {}
            Node::Eof => return Ok(false),
        }
    }
}

/// Every sheet at a glance.
fn sheets_of<R: Read>(xml: &mut Xml<R>, limits: &Limits, known: &Known<'_>) -> Result<Vec<Glance>, Fault> {
    let (mut seen, mut unseen_styles) = (Vec::new(), HashSet::new());
    let mut style = String::new();
    loop {
        match xml.next()? {
            Node::Start(element) => match element.local_name().as_ref() {
                "style" => style = attribute(&element, "name")?.unwrap_or_default(),
                "table-properties" if attribute(&element, "display")?.as_deref() == Some("false") => {
                    unseen_styles.insert(std::mem::take(&mut style));
                }
                "table" if seen.len() < sheets::MOST => {
                    let name = attribute(&element, "name")?.unwrap_or_default();
                    let styled = attribute(&element, "style-name")?.unwrap_or_default();
                    let mut rows = Rows::new(*limits);
                    let records = std::iter::from_fn(|| rows.next(xml).transpose());
                    let glance = Glance::of(name, !unseen_styles.contains(&styled), records, limits, known);
                    let hidden = rows.hidden_columns();
                    rows.skip(xml)?;
                    seen.push(Glance { hidden, ..glance });
                }
                _ => {}
            },
            Node::End(_) | Node::Text(_) => {}
            Node::Eof => return Ok(seen),
        }
    }
}

/// The rows of one sheet.
pub(super) struct Table<S> {
    xml: Xml<Inflated<S>>,
    /// Sheets that come before it; none once it has begun.
    ahead: Option<usize>,
    rows: Rows,
    ended: bool,
}

impl<S: Read> Table<S> {
    fn record(&mut self) -> Result<Option<Record>, Fault> {
        while let Some(ahead) = self.ahead {
            match self.xml.next()? {
                Node::Start(element) if element.local_name().as_ref() == "table" => {
                    self.ahead = ahead.checked_sub(1);
                    if self.ahead.is_some() {
                        Rows::pass(&mut self.xml)?;
                    }
                }
                Node::Start(_) | Node::End(_) | Node::Text(_) => {}
                Node::Eof => return Ok(None),
            }
        }
        let record = self.rows.next(&mut self.xml)?;
        if record.is_none() {
            // Only at the end is it known that the part is whole.
            self.xml.finish()?;
        }
        Ok(record)
    }
}

impl<S: Read> Iterator for Table<S> {
    type Item = Result<Record, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let record = self.record().map_err(of_ods);
        self.ended = !matches!(record, Ok(Some(_)));
        record.transpose()
    }
}

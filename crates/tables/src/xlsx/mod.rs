//! XLSX read as a stream: the ZIP's parts are unpacked as they are read, and of the workbook only its shared strings and styles are held.
//!
//! The sheet with the headings is read, of those that are not hidden; hidden rows and columns of it too. Cells are what the sheet shows:
//! numbers to 15 digits, days as `YYYY-MM-DD`, pounds and percentages with their sign. A formula is refused: its value depends on when and
//! where it was last calculated.

mod sheet;
mod strings;
pub(super) mod styles;
#[cfg(test)]
mod tests;
mod write;

pub(super) use write::Workbook;

use super::{Fault, Limits};
use crate::headings::Known;
use crate::package::{Package, bad};
use crate::sheets::{self, Chosen, Glance};
use crate::xml::{Node, Xml, attribute};
use sheet::{Book, Sheet};
use std::collections::HashMap;
use std::io::{Read, Seek};
use std::sync::Arc;
use strings::Strings;

/// Bytes that are unpacked of a sheet to see whether it has the headings.
const GLANCE: u64 = 16 << 20;

/// What a workbook's own part says.
#[derive(Default)]
struct Contents {
    /// Name and relation of each sheet, and whether it is shown.
    sheets: Vec<(String, String, bool)>,
    since_1904: bool,
}

/// A part another one names.
struct Relation {
    id: String,
    kind: String,
    target: String,
}

/// Opens the sheet of a workbook that has the known headings, with what is to be said of it and of the others.
///
/// # Errors
/// `not_xlsx`, `bad_xlsx`, `inflated_too_large`, `unsupported_format`, `unreadable`.
pub(super) fn open<S: Read + Seek>(source: S, limits: Limits, known: &Known<'_>) -> Result<(Sheet<S>, Chosen), Fault> {
    let mut package = Package::open(source, limits)?;
    let not_a_workbook = || Fault::file("not_xlsx", "this is a ZIP file, but no XLSX workbook: save it as XLSX or CSV");
    let root = package.read("_rels/.rels", |xml| relations(xml, ""))?.ok_or_else(not_a_workbook)?;
    let main = root.into_iter().find(|r| r.kind == "officeDocument").ok_or_else(not_a_workbook)?.target;
    if std::path::Path::new(&main).extension().is_some_and(|kind| kind.eq_ignore_ascii_case("bin")) {
        return Err(Fault::file("unsupported_format", "this is a binary workbook (.xlsb): save it as XLSX or CSV"));
    }
    let (folder, file) = main.rsplit_once('/').unwrap_or(("", &main));
    let (folder, file) = (folder.to_owned(), file.to_owned());
    #[expect(clippy::redundant_closure, reason = "the bare function is not general enough in its lifetimes")]
    let workbook = package.read(&main, |xml| contents(xml))?.ok_or_else(not_a_workbook)?;
    let links = match folder.as_str() {
        "" => format!("_rels/{file}.rels"),
        folder => format!("{folder}/_rels/{file}.rels"),
    };
    let links = package.read(&links, |xml| relations(xml, &folder))?.ok_or_else(not_a_workbook)?;
    let part = |kind: &str| links.iter().find(|r| r.kind == kind).map(|r| r.target.as_str());
    let strings = match part("sharedStrings") {
        Some(part) => package.read(part, |xml| Strings::read(xml, &limits))?.unwrap_or_default(),
        None => Strings::default(),
    };
    #[expect(clippy::redundant_closure, reason = "as above")]
    let styles = match part("styles") {
        Some(part) => package.read(part, |xml| styles::read(xml))?.unwrap_or_default(),
        None => Vec::new(),
    };
    let book = Arc::new(Book { strings, styles, since_1904: workbook.since_1904 });
    let by_id: HashMap<&str, &Relation> = links.iter().map(|r| (r.id.as_str(), r)).collect();
    let (mut targets, mut seen) = (Vec::new(), Vec::new());
    for (name, id, shown) in workbook.sheets.into_iter().take(sheets::MOST) {
        let Some(target) = by_id.get(id.as_str()).filter(|r| r.kind == "worksheet").map(|r| &r.target) else {
            continue;
        };
        let glance = package.glance(target, GLANCE, |xml| {
            let mut sheet = Sheet::new(xml, book.clone(), limits);
            let glance = Glance::of(name, shown, &mut sheet, &limits, known);
            Ok(Glance { hidden: sheet.hidden_columns(), ..glance })
        })?;
        if let Some(glance) = glance {
            targets.push(target);
            seen.push(glance);
        }
    }
    let chosen = sheets::choose(&seen).ok_or_else(not_a_workbook)?;
    let target = targets.get(chosen.at).ok_or_else(not_a_workbook)?;
    Ok((Sheet::new(package.into_part(target)?, book, limits), chosen))
}

fn contents<R: Read>(xml: &mut Xml<R>) -> Result<Contents, Fault> {
    let mut workbook = Contents::default();
    loop {
        match xml.next()? {
            Node::Start(element) => match element.local_name().as_ref() {
                "sheet" if workbook.sheets.len() >= MAX_SHEETS => return Err(bad("it has too many sheets")),
                "sheet" => {
                    let shown = !attribute(&element, "state")?.is_some_and(|state| state.ends_with("idden"));
                    let name = attribute(&element, "name")?.unwrap_or_default();
                    // The relation's attribute is `r:id`; the sheet's own number is `sheetId`.
                    workbook.sheets.extend(attribute(&element, "id")?.map(|id| (name, id, shown)));
                }
                "workbookPr" => {
                    workbook.since_1904 = attribute(&element, "date1904")?.is_some_and(|v| v == "1" || v == "true");
                }
                _ => {}
            },
            Node::End(_) | Node::Text(_) => {}
            Node::Eof => return Ok(workbook),
        }
    }
}

/// Sheets and relations of a workbook, at most.
const MAX_SHEETS: usize = 1_000;

/// The relations of a part that lies in `folder`: of their kind the last word.
fn relations<R: Read>(xml: &mut Xml<R>, folder: &str) -> Result<Vec<Relation>, Fault> {
    let mut relations = Vec::new();
    loop {
        match xml.next()? {
            Node::Start(element) if element.local_name().as_ref() == "Relationship" => {
                let id = attribute(&element, "Id")?.unwrap_or_default();
                let kind = attribute(&element, "Type")?.unwrap_or_default();
                let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
                let target = resolve(folder, &attribute(&element, "Target")?.unwrap_or_default());
                relations.push(Relation { id, kind, target });
                if relations.len() > MAX_SHEETS {
                    return Err(bad("it has too many parts"));
                }
            }
            Node::Start(_) | Node::End(_) | Node::Text(_) => {}
            Node::Eof => return Ok(relations),
        }
    }
}

/// A part's name, from one that is relative to a folder.
fn resolve(folder: &str, target: &str) -> String {
    let joined = match target.strip_prefix('/') {
        Some(absolute) => absolute.to_owned(),
        None => format!("{folder}/{target}"),
    };
    let mut steps: Vec<&str> = Vec::new();
    for step in joined.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    steps.join("/")
}

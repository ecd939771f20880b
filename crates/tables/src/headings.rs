//! Which row has the headings, and which cells of a row stand under one.

use super::{Fault, Format, Limits, OWN_COLUMNS, Record, Records, Row, guard, shorten, tidy};
use std::collections::{HashMap, VecDeque};

/// Whether the caller knows a heading, given as printed.
pub type Known<'a> = dyn Fn(&str) -> bool + 'a;

/// The headings of a table.
#[derive(Debug, Default)]
pub(super) struct Headings {
    /// Whether each row has a cell for each heading, blank ones included.
    every_cell: bool,
    /// Whether cells may be guarded.
    guarded: bool,
    pub(super) number: u64,
    /// Where each heading's cells are.
    places: Vec<usize>,
    printed: Vec<String>,
    /// What each cell's place is under; none is a blank heading.
    all: Vec<Option<Heading>>,
}

#[derive(Clone, Copy, Debug)]
enum Heading {
    Ours,
    Theirs,
}

/// The headings with what stood before them and was read past them.
pub(super) struct Found {
    pub(super) preamble: Vec<Row>,
    pub(super) headings: Headings,
    pub(super) ahead: VecDeque<Record>,
    /// What then was wrong with the file, to be said after those rows.
    pub(super) fault: Option<Fault>,
}

/// Finds the headings among the first records: the first record with the most known ones.
pub(super) fn find(
    records: &mut Records<'_>,
    format: Format,
    limits: &Limits,
    known: &Known<'_>,
) -> Result<Found, Fault> {
    let mut ahead = VecDeque::new();
    let mut fault = None;
    while ahead.len() <= limits.preamble && fault.is_none() {
        match records.next() {
            Some(Ok(record)) if record.is_blank() => {}
            Some(Ok(record)) => ahead.push_back(record),
            Some(Err(found)) => fault = Some(found),
            None => break,
        }
    }
    let mut best: Option<(usize, usize)> = None;
    for (index, record) in ahead.iter().enumerate() {
        let count = record.cells.iter().filter(|cell| known(&printed(cell))).count();
        if count > 0 && best.is_none_or(|(_, most)| count > most) {
            best = Some((index, count));
        }
    }
    let Some((index, _)) = best else { return Err(fault.unwrap_or_else(|| none_found(&ahead))) };
    let mut rest = ahead.split_off(index);
    let preamble = ahead.into_iter().map(|r| Row { number: r.number, cells: r.cells, ..Row::default() }).collect();
    let record = rest.pop_front().unwrap_or_default();
    let mut headings = Headings::of(record, limits, known)?;
    (headings.every_cell, headings.guarded) = (format == Format::Csv, true);
    Ok(Found { preamble, headings, ahead: rest, fault })
}

fn none_found(looked_at: &VecDeque<Record>) -> Fault {
    let named = |r: &Record| r.cells.iter().filter(|c| !c.trim().is_empty()).map(|c| shorten(c)).collect::<Vec<_>>();
    let fullest = looked_at.iter().rev().max_by_key(|r| named(r).len());
    let message = match fullest.map(named) {
        Some(cells) => format!(
            "no row of known headings among the first {}; the fullest of them has `{}`",
            looked_at.len(),
            cells.join("`, `")
        ),
        None => "there is no row at all".to_owned(),
    };
    Fault::file("no_headings", message).at(fullest.map_or(0, |r| r.number))
}

/// A heading as printed.
pub(super) fn printed(cell: &str) -> String {
    tidy(guard::unguarded(cell))
}

impl Headings {
    fn of(record: Record, limits: &Limits, known: &Known<'_>) -> Result<Self, Fault> {
        let number = record.number;
        if let Some(flaw) = record.flaws.into_iter().next() {
            let column = flaw.at.and_then(|at| record.cells.get(at)).map(|cell| shorten(cell)).unwrap_or_default();
            return Err(Fault {
                row: number,
                column,
                value: flaw.value,
                code: flaw.code,
                message: flaw.message.into(),
            });
        }
        if record.beyond.is_some() {
            let message = format!("there are more than {} columns", limits.columns);
            return Err(Fault::file("too_many_columns", message).at(number));
        }
        Self::named(number, record.cells.iter().map(|cell| printed(cell)), known)
    }

    /// The headings that an object's keys are.
    pub(super) fn of_keys(keys: &[String], known: &Known<'_>) -> Result<Self, Fault> {
        Self::named(0, keys.iter().map(|key| tidy(key)), known)
    }

    fn named(number: u64, names: impl Iterator<Item = String>, known: &Known<'_>) -> Result<Self, Fault> {
        let mut headings = Self { number, ..Self::default() };
        let mut first_at = HashMap::new();
        for (at, name) in names.enumerate() {
            if name.is_empty() {
                headings.all.push(None);
                continue;
            }
            if name.to_lowercase().starts_with(OWN_COLUMNS) {
                headings.all.push(Some(Heading::Ours));
                continue;
            }
            // A heading nobody knows may be there as often as it likes.
            if let Some(first) = first_at.insert(name.to_lowercase(), at)
                && known(&name)
            {
                let message = format!("columns {} and {} have this heading: which one holds?", first + 1, at + 1);
                let fault = Fault::file("duplicate_heading", message).at(number);
                return Err(Fault { column: shorten(&name), ..fault });
            }
            headings.all.push(Some(Heading::Theirs));
            headings.places.push(at);
            headings.printed.push(name);
        }
        let width = headings.all.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        headings.all.truncate(width);
        Ok(headings)
    }

    pub(super) fn printed(&self) -> &[String] {
        &self.printed
    }

    /// Whether a record has nothing but what we wrote beside somebody's rows.
    pub(super) fn is_ours(&self, record: &Record) -> bool {
        let ours = |at: usize| matches!(self.all.get(at), Some(Some(Heading::Ours)));
        record.beyond.is_none()
            && record.cells.iter().enumerate().all(|(at, cell)| ours(at) || cell.trim().is_empty())
            && record.flaws.iter().all(|flaw| flaw.at.is_some_and(ours))
    }

    /// A record as a row under the headings.
    pub(super) fn row(&self, mut record: Record) -> Row {
        let number = record.number;
        let mut faults = Vec::new();
        for flaw in record.flaws {
            let ours = flaw.at.is_some_and(|at| matches!(self.all.get(at), Some(Some(Heading::Ours))));
            if !ours {
                let column = flaw.at.and_then(|at| self.name(at)).unwrap_or_default().to_owned();
                let message = flaw.message.to_owned();
                faults.push(Fault { row: number, column, value: flaw.value, code: flaw.code, message });
            }
        }
        let width = self.all.len();
        if self.every_cell && record.cells.len() < width && faults.is_empty() {
            let message = format!("the row has {} cells where the headings have {width}", record.cells.len());
            faults.push(Fault::file("ragged_row", message).at(number));
        }
        let stray = record
            .cells
            .iter()
            .enumerate()
            .find(|(at, cell)| !cell.trim().is_empty() && matches!(self.all.get(*at), None | Some(None)));
        if let Some(stray) = stray.map(|(_, cell)| cell).or(record.beyond.as_ref()) {
            let message = format!("a value under no heading: the last of {width} columns is `{}`", self.last());
            faults.push(Fault::file("ragged_row", message).at(number).quoting(stray));
        }
        let absent = (0..).zip(&self.places).filter(|(_, at)| record.absent.binary_search(at).is_ok());
        let absent = absent.map(|(place, _)| place).collect();
        let cells = self.places.iter().map(|&at| record.cells.get_mut(at).map(std::mem::take).unwrap_or_default());
        let cells = cells.map(|cell| if self.guarded { guard::unguard(cell) } else { cell }).collect();
        Row { number, cells, absent, faults }
    }

    fn name(&self, place: usize) -> Option<&str> {
        let at = self.places.binary_search(&place).ok()?;
        self.printed.get(at).map(String::as_str)
    }

    fn last(&self) -> &str {
        self.printed.last().map(String::as_str).unwrap_or_default()
    }
}

//! The regulator's list as it is published, of any year: dated ratings of the homes that are known here. What is recorded is never
//! overwritten: a report that is known already changes nothing, one that differs corrects it by a further entry.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;

use domain::kernel::Rule;
use domain::provider::Rating;
use domain::provider::home::{Home, RatingFacts};
use domain::provider::provider::regulator_number;
use domain::upload::{FileFormat, Subject, UploadKind};
use persistence::provider::homes;
use persistence::upload::Fault;
use persistence::{Conn, Filter, Outcome, Page, Stored};

use super::{rated, rating};
use crate::Caller;
use crate::upload::row::{Cells, Column, column, fault};
use crate::upload::{Batch, Change, Decisions, Release, Rows, Verdict, write_all};
use tables::ofsted::{self, Inspection};

domain::rules! {
    REGISTER_FORMAT = "register_format", Input, "CRD-07", "The regulator's list is sent as the CSV that it publishes.";
    REGISTER_SIZE = "register_size", Input, "CRD-07", "The regulator's list has at most 16 MB.";
}

/// A release is read whole: the largest so far has two.
const LARGEST: u64 = 16 * 1024 * 1024;

/// Ratings.
pub struct Ratings;

/// What is taken from a release, whatever its own headings are.
static COLUMNS: &[Column] = &[
    column("urn", true, ""),
    column("inspectedOn", false, ""),
    column("publishedOn", false, ""),
    column("rating", false, ""),
    column("previousInspectedOn", false, ""),
    column("previousPublishedOn", false, ""),
    column("previousRating", false, ""),
];

/// The two inspections of a row, the older one first.
const INSPECTIONS: [[&str; 3]; 2] =
    [["previousInspectedOn", "previousPublishedOn", "previousRating"], ["inspectedOn", "publishedOn", "rating"]];

/// Reads a release.
///
/// # Errors
/// Everything that is wrong with it, with row and column.
fn open(file: File, format: FileFormat) -> Result<(Vec<tables::Row>, Vec<String>), Vec<Fault>> {
    if format != FileFormat::Csv {
        return Err(vec![fault(&REGISTER_FORMAT, 0, None, None, "this is not CSV")]);
    }
    let unreadable = |_| vec![fault(&REGISTER_SIZE, 0, None, None, "the file cannot be read")];
    let mut bytes = Vec::new();
    std::io::Seek::rewind(&mut &file).map_err(unreadable)?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST {
        return Err(vec![fault(&REGISTER_SIZE, 0, None, None, "the file is larger")]);
    }
    let release = ofsted::read(&bytes).map_err(|errors| errors.into_iter().map(misread).collect::<Vec<_>>())?;
    let rows = release.rows.into_iter().map(|entry| {
        let mut cells = vec![if entry.urn.eq_ignore_ascii_case("redacted") { String::new() } else { entry.urn }];
        for inspection in [&entry.latest, &entry.previous] {
            cells.extend(stated(inspection));
        }
        tables::Row { number: entry.row, cells, faults: Vec::new() }
    });
    Ok((rows.collect(), COLUMNS.iter().map(|column| column.name.to_owned()).collect()))
}

/// An inspection as cells. One without a judgement on today's scale says nothing of a rating.
fn stated(inspection: &Inspection) -> [String; 3] {
    let Some(rating) = inspection.rating else { return Default::default() };
    let day = |date: Option<chrono::NaiveDate>| date.map(|date| date.to_string()).unwrap_or_default();
    let rating = match rating {
        ofsted::Rating::Inadequate => "inadequate",
        ofsted::Rating::RequiresImprovement => "requires_improvement",
        ofsted::Rating::Good => "good",
        ofsted::Rating::Outstanding => "outstanding",
    };
    [day(inspection.date), day(inspection.published), rating.to_owned()]
}

fn misread(error: tables::Fault) -> Fault {
    let filled = |text: String| Some(text).filter(|text| !text.is_empty());
    Fault {
        line: error.row,
        n: 0,
        column: filled(error.column),
        value: filled(error.value),
        code: error.code.to_owned(),
        rests_on: None,
        detail: error.message,
    }
}

/// Whether a release may have that heading: enough of them to find the row they stand in.
fn knows(heading: &str) -> bool {
    let folded = crate::upload::row::folded(heading);
    ["urn", "provisiontype", "localauthority", "sector", "places", "overall"]
        .iter()
        .any(|known| folded.starts_with(known))
}

/// The regulator's list is about whatever homes it names.
///
/// # Errors
/// None.
pub fn scope(_: &mut Conn<'_>, _: &Caller) -> Outcome<Subject> {
    Ok(Subject::default())
}

impl Rows for Ratings {
    fn kind(&self) -> UploadKind {
        UploadKind::Ratings
    }

    fn rules(&self) -> &'static [&'static Rule] {
        RULES
    }

    fn release(&self) -> Option<Release> {
        Some(Release { open, knows })
    }

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn keys(&self, cells: &Cells<'_>) -> Vec<(&'static str, String)> {
        cells.text("urn").map(|urn| ("urn", regulator_number(&urn))).into_iter().collect()
    }

    fn decide(&self, conn: &mut Conn<'_>, batch: &Batch<'_>) -> Outcome<Decisions> {
        let numbers = batch.cells().filter_map(|cells| cells.text("urn")).map(|urn| regulator_number(&urn));
        let known: HashMap<String, Stored<Home>> = conn
            .list(&Filter::all().any(homes::urn, numbers), Page::ALL)?
            .into_iter()
            .filter_map(|home| Some((home.value.urn()?.to_owned(), home)))
            .collect();
        let (mut changes, mut verdicts) = (Vec::new(), Vec::new());
        for mut cells in batch.cells() {
            let home = cells.text("urn").and_then(|urn| known.get(&regulator_number(&urn)));
            let Some(before) = home else {
                verdicts.push(Verdict::Skipped);
                continue;
            };
            let mut decided = (before.value.clone(), Vec::new());
            for columns in INSPECTIONS {
                if let Some(facts) = facts(&mut cells, columns).filter(|facts| !is_known(&decided.0, facts)) {
                    decided = rated(decided, facts, batch, &mut cells);
                }
            }
            verdicts.push(match decided.1.is_empty() {
                _ if !cells.is_good() => Verdict::Refused(cells.faults()),
                true => Verdict::Unchanged,
                false => {
                    changes.push(Change::Old(before.clone(), decided));
                    Verdict::Added
                }
            });
        }
        Ok(Decisions { verdicts, write: Box::new(|tx| write_all(tx, changes)) })
    }
}

/// Whether that was recorded before, corrected since or not: an older release says it again.
fn is_known(home: &Home, facts: &RatingFacts) -> bool {
    home.ratings.iter().map(|entry| &entry.facts).any(|known| {
        known.inspected_on == facts.inspected_on
            && known.rating == facts.rating
            && (facts.published_on.is_none() || known.held_from() == facts.held_from())
    })
}

/// A judgement without its date is not taken: from when it was held is not known.
fn facts(cells: &mut Cells<'_>, [inspected, published, judged]: [&'static str; 3]) -> Option<RatingFacts> {
    let held: Rating = cells.read(judged, "a judgement of the regulator", rating)?;
    let inspected_on = cells.date(inspected)?;
    let published_on = cells.date(published);
    Some(RatingFacts { rating: Some(held), inspected_on, published_on, source: "ofsted".to_owned() })
}

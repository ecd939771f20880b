//! Kinds of upload: columns, keys, and how a batch of rows is decided by the commands of the domain (CRD-07).

mod decider;
pub mod kinds;
pub mod reading;
pub mod row;

use std::fs::File;

use domain::kernel::{Decided, Rule};
use domain::upload::{FileFormat, Note, Subject, UploadKind};
use persistence::upload::Fault;
use persistence::{Conn, Outcome, Record, Stamp, Stored, Tx};

pub use decider::{Decider, Tally, note, numbered};
use row::{Cells, Column, Line, Places};

/// A kind of upload: what its file looks like and how its rows are decided.
pub trait Rows: Send + Sync {
    /// Which one.
    fn kind(&self) -> UploadKind;

    /// The rules by which its rows are refused, beside those of the commands.
    fn rules(&self) -> &'static [&'static Rule] {
        &[]
    }

    /// How its file is read, where that is another's list and no table of its columns.
    fn release(&self) -> Option<Release> {
        None
    }

    /// Its columns, in the order of the template.
    fn columns(&self) -> &'static [Column];

    /// The headings of its template, each with what stands under it as an example.
    fn template(&self) -> Vec<(&'static str, &'static str)> {
        self.columns().iter().map(|column| (column.name, column.example)).collect()
    }

    /// Whether a row is the example of the template, untouched.
    fn is_example(&self, cells: &Cells<'_>) -> bool {
        self.columns().iter().all(|column| cells.shows(column.name, column.example))
    }

    /// What the row is about: each occurs once in a file. With the column that says so.
    fn keys(&self, cells: &Cells<'_>) -> Vec<(&'static str, String)>;

    /// What is to be said of things that a file as a whole does not name; `names` tells whether a row of it has that key.
    ///
    /// # Errors
    /// Where the store fails.
    fn unnamed(&self, _conn: &mut Conn<'_>, _names: &dyn Fn(&'static str, &str) -> bool) -> Outcome<Vec<Note>> {
        Ok(Vec::new())
    }

    /// Locks what the decisions on those rows rest on.
    ///
    /// # Errors
    /// Where the store fails.
    fn hold(&self, _tx: &mut Tx<'_>, _batch: &Batch<'_>) -> Outcome<()> {
        Ok(())
    }

    /// Decides every row of a batch by the commands of the domain, with one query for each table that it rests on.
    ///
    /// # Errors
    /// Where the store fails.
    fn decide(&self, conn: &mut Conn<'_>, batch: &Batch<'_>) -> Outcome<Decisions>;
}

/// A file whose rows come one by one.
pub trait Source: Send {
    /// The headings of their cells.
    fn headings(&self) -> Vec<String>;

    /// The row of the headings; 0 where there is none.
    fn headings_row(&self) -> u64;

    /// The next row; after what is wrong with the file as a whole, nothing.
    fn next(&mut self) -> Option<Result<tables::Row, tables::Fault>>;

    /// What was read with a reservation so far.
    fn notes(&self) -> Vec<Note>;
}

impl Source for tables::Reader<'static> {
    fn headings(&self) -> Vec<String> {
        Self::headings(self).to_vec()
    }

    fn headings_row(&self) -> u64 {
        Self::headings_row(self)
    }

    fn next(&mut self) -> Option<Result<tables::Row, tables::Fault>> {
        Iterator::next(self)
    }

    fn notes(&self) -> Vec<Note> {
        Self::notes(self).into_iter().map(noted).collect()
    }
}

/// A note of the reader's.
fn noted(found: tables::Fault) -> Note {
    let note = Note::new(found.code, found.message);
    if found.row > 0 { note.on(Some(found.row), None) } else { note }
}

/// A file that is open, or everything that is wrong with it as a whole.
pub type Opened = Result<Box<dyn Source>, Vec<Fault>>;

/// A list that somebody else publishes, read as it is.
#[derive(Clone, Copy, Debug)]
pub struct Release {
    /// Reads it: its rows under the columns of the kind, or everything that is wrong with it.
    pub open: fn(File, FileFormat, tables::Limits) -> Opened,
    /// Whether it may have that heading: enough of them to find the row they stand in.
    pub knows: fn(&str) -> bool,
}

/// Rows that are decided together. None of them is known to be at fault.
pub struct Batch<'a> {
    /// Who uploads, when, and where new identifiers come from.
    pub stamp: &'a Stamp,
    /// What the file as a whole is about.
    pub subject: Subject,
    /// The rows.
    pub lines: &'a [&'a Line],
    /// Where their columns are.
    pub places: &'a Places,
}

impl<'a> Batch<'a> {
    /// The cells of each row.
    pub fn cells(&self) -> impl Iterator<Item = Cells<'a>> + use<'a, '_> {
        self.lines.iter().map(|line| Cells::of(&line.row, self.places))
    }
}

/// What a row does, or why it does not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It adds something.
    Added,
    /// It changes something.
    Changed,
    /// It says what is known.
    Unchanged,
    /// It is about something that is not kept here.
    Skipped,
    /// It is refused.
    Refused(Vec<Fault>),
}

/// Writes what was decided, in the transaction in which it was.
pub type Write = Box<dyn FnOnce(&mut Tx<'_>) -> Outcome<()>>;

/// The decisions on a batch: a verdict for each row, and how to write them all.
pub struct Decisions {
    /// One for each row, in their order.
    pub verdicts: Vec<Verdict>,
    /// What is decided with a reservation.
    pub notes: Vec<Note>,
    /// Writes them.
    pub write: Write,
}

/// What becomes of one aggregate.
pub enum Change<A: Record> {
    /// It is new.
    New(Decided<A>),
    /// It is another than before.
    Old(Stored<A>, Decided<A>),
}

/// Writes changes of different aggregates, all at once.
///
/// # Errors
/// Where the store fails, or refuses by a constraint.
pub fn write_all<A: Record>(tx: &mut Tx<'_>, changes: Vec<Change<A>>) -> Outcome<()> {
    let (mut new, mut old) = (Vec::new(), Vec::new());
    for change in changes {
        match change {
            Change::New(decided) => new.push(decided),
            Change::Old(before, decided) => old.push((before, decided)),
        }
    }
    tx.create_all(&new)?;
    tx.save_all(&old)
}

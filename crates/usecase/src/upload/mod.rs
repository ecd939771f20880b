//! Kinds of upload: columns, keys, and how a batch of rows is decided by the commands of the domain (CRD-07).

mod decider;
pub mod kinds;
pub mod reading;
pub mod row;

use std::fs::File;

use domain::kernel::{Decided, Rule};
use domain::upload::{FileFormat, Subject, UploadKind};
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

    /// What the row is about: each occurs once in a file. With the column that says so.
    fn keys(&self, cells: &Cells<'_>) -> Vec<(&'static str, String)>;

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

/// The rows of a list with the headings of its columns, or everything that is wrong with it.
pub type Opened = Result<(Vec<tables::Row>, Vec<String>), Vec<Fault>>;

/// A list that somebody else publishes, read as it is.
#[derive(Clone, Copy, Debug)]
pub struct Release {
    /// Reads it: its rows under the columns of the kind, or everything that is wrong with it.
    pub open: fn(File, FileFormat) -> Opened,
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

//! Decides the rows of an upload, batch by batch, in the name of who sent them.

use std::sync::Arc;

use domain::upload::{Counts, Note, Upload};
use persistence::upload::Fault;
use persistence::{Conn, Failure, Outcome, Stamp, Tx};

use super::row::{Cells, Line, Places};
use super::{Batch, Decisions, Rows, Verdict, Write};

/// What the rows of a batch did, with what is wrong with them.
#[derive(Default)]
pub struct Tally {
    /// What they did.
    pub counts: Counts,
    /// What is wrong with them.
    pub faults: Vec<Fault>,
    /// What is decided with a reservation.
    pub notes: Vec<Note>,
}

/// Decides rows in the name of who sent them.
#[derive(Clone)]
pub struct Decider {
    rows: &'static dyn Rows,
    upload: Arc<Upload>,
    stamp: Stamp,
}

impl Decider {
    /// For the rows of an upload, at an instant.
    #[must_use]
    pub fn new(rows: &'static dyn Rows, upload: Arc<Upload>, stamp: Stamp) -> Self {
        Self { rows, upload, stamp }
    }

    /// What the rows do, and how to write it.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn tally(&self, conn: &mut Conn<'_>, lines: &[Line], places: &Places) -> Outcome<(Tally, Write)> {
        let good: Vec<&Line> = lines.iter().filter(|line| line.faults.is_empty()).collect();
        let batch = self.batch(&good, places);
        let Decisions { verdicts, notes, write } = self.rows.decide(conn, &batch)?;
        let mut tally = Tally { notes, ..Tally::default() };
        let mut verdicts = verdicts.into_iter();
        for line in lines {
            let verdict =
                if line.faults.is_empty() { verdicts.next() } else { Some(Verdict::Refused(line.faults.clone())) };
            let Some(verdict) = verdict else {
                return Err(Failure::Broken("a row was not decided".to_owned()));
            };
            tally.add(verdict);
        }
        Ok((tally, write))
    }

    /// Decides and writes.
    ///
    /// # Errors
    /// Where the store fails, or refuses by a constraint.
    pub fn apply(&self, tx: &mut Tx<'_>, lines: &[Line], places: &Places) -> Outcome<Tally> {
        let good: Vec<&Line> = lines.iter().filter(|line| line.faults.is_empty()).collect();
        self.rows.hold(tx, &self.batch(&good, places))?;
        let (tally, write) = self.tally(tx, lines, places)?;
        write(tx)?;
        Ok(tally)
    }

    fn batch<'b>(&'b self, lines: &'b [&'b Line], places: &'b Places) -> Batch<'b> {
        Batch { stamp: &self.stamp, subject: self.upload.order.subject, lines, places }
    }
}

impl Tally {
    fn add(&mut self, verdict: Verdict) {
        self.counts.rows += 1;
        match verdict {
            Verdict::Added => self.counts.added += 1,
            Verdict::Changed => self.counts.changed += 1,
            Verdict::Unchanged => self.counts.unchanged += 1,
            Verdict::Skipped => self.counts.skipped += 1,
            Verdict::Refused(faults) => {
                self.counts.refused += 1;
                self.faults.extend(numbered(faults));
            }
        }
    }
}

/// Rows that a constraint refuses.
#[must_use]
pub fn note(lines: &[Line], places: &Places, refusal: &domain::kernel::Refusal) -> Tally {
    let mut tally = Tally::default();
    for line in lines {
        let mut cells = Cells::of(&line.row, places);
        cells.refused(refusal);
        tally.add(Verdict::Refused(cells.faults()));
    }
    tally
}

/// Faults with their place among those of their row.
#[must_use]
pub fn numbered(faults: Vec<Fault>) -> Vec<Fault> {
    faults.into_iter().zip(1..).map(|(fault, n)| Fault { n, ..fault }).collect()
}

//! Time index of the feed: what the clock said along it, so that the part of it that a time falls into is found without
//! an index on every event. Clocks jump and differ, so the order of the feed is not that of its times: a mark says by
//! how much at most.

use diesel::prelude::*;
use domain::kernel::Instant;

use super::event::{self, Cursor};
use crate::{Conn, Moment, Outcome, Tx};

mod schema {
    diesel::table! {
        use diesel::sql_types::*;
        use crate::types::sql::Moment;

        marks (tx, seq) {
            tx -> BigInt,
            seq -> BigInt,
            latest -> Moment,
            lateness -> BigInt,
        }
    }
}
use schema::marks;

/// Events from one mark to the next at most: as many are passed over for a time that falls between two.
const STEP: i64 = 1_000;
/// Marks that are made in one transaction at most.
const MOST: usize = 10;

/// A mark at a place of the feed.
#[derive(Clone, Copy, Debug, Default)]
struct Milestone {
    place: Cursor,
    /// Microseconds since 1970: no event up to the place is later.
    latest: i64,
    /// Microseconds: no event up to the place is further behind the latest one before it.
    lateness: i64,
}

impl Milestone {
    fn pass(&mut self, place: Cursor, at: i64) {
        // Before the first event nothing was late.
        let first = self.place == Cursor::default();
        self.place = place;
        self.lateness = if first { 0 } else { self.lateness.max(self.latest.saturating_sub(at)) };
        self.latest = if first { at } else { self.latest.max(at) };
    }
}

fn last(conn: &mut Conn<'_>) -> Outcome<Milestone> {
    let query = marks::table.order((marks::tx.desc(), marks::seq.desc()));
    let found = on!(conn, c => query.first::<(i64, i64, Moment, i64)>(c)).optional()?;
    Ok(found.map_or_else(Milestone::default, |(tx, seq, latest, lateness)| Milestone {
        place: Cursor { tx, seq },
        latest: latest.0.micros(),
        lateness,
    }))
}

/// Whether there are settled events behind the last mark.
///
/// # Errors
/// Where the store fails.
pub fn is_due(conn: &mut Conn<'_>) -> Outcome<bool> {
    Ok(event::end(conn)? > last(conn)?.place)
}

/// Marks the settled events behind the last mark. Whether there may be more of them.
///
/// # Errors
/// Where the store fails.
pub fn keep(tx: &mut Tx<'_>) -> Outcome<bool> {
    let mut mark = last(tx)?;
    for _ in 0..MOST {
        let passed = event::instants(tx, mark.place, STEP)?;
        let Some(full) = (!passed.is_empty()).then(|| i64::try_from(passed.len()).is_ok_and(|n| n == STEP)) else {
            return Ok(false);
        };
        for (place, at) in passed {
            mark.pass(place, at.micros());
        }
        let row = (
            marks::tx.eq(mark.place.tx),
            marks::seq.eq(mark.place.seq),
            marks::latest.eq(Moment(Instant::from_micros(mark.latest))),
            marks::lateness.eq(mark.lateness),
        );
        // Another server that marks the same events says the same of them.
        run!(tx, diesel::insert_into(marks::table).values(row).on_conflict_do_nothing())?;
        if !full {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A place up to which every event is before `from`.
pub(super) fn before(conn: &mut Conn<'_>, from: Instant) -> Outcome<Cursor> {
    let earlier = marks::table.filter(marks::latest.lt(Moment(from)));
    let query = earlier.order((marks::latest.desc(), marks::tx.desc(), marks::seq.desc()));
    let found = on!(conn, c => query.select((marks::tx, marks::seq)).first::<(i64, i64)>(c)).optional()?;
    Ok(found.map_or_else(Cursor::default, |(tx, seq)| Cursor { tx, seq }))
}

/// A place behind which no event is before `until`; none where that is not known.
pub(super) fn behind(conn: &mut Conn<'_>, until: Instant) -> Outcome<Option<Cursor>> {
    let last = last(conn)?;
    // What is not marked yet has to be looked at.
    if event::earliest_after(conn, last.place)?.is_some_and(|at| at < until) {
        return Ok(None);
    }
    let Some(over) = until.micros().checked_add(last.lateness) else { return Ok(None) };
    let later = marks::table.filter(marks::latest.ge(Moment(Instant::from_micros(over))));
    let query = later.order((marks::latest.asc(), marks::tx.asc(), marks::seq.asc()));
    let found = on!(conn, c => query.select((marks::tx, marks::seq)).first::<(i64, i64)>(c)).optional()?;
    Ok(found.map(|(tx, seq)| Cursor { tx, seq }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_knows_the_latest_and_how_late_the_latest_came() {
        let mut mark = Milestone::default();
        for (seq, at) in [(1, -50), (2, 100), (3, 70), (4, 95), (5, 200), (6, 199)] {
            mark.pass(Cursor { tx: 0, seq }, at);
        }
        assert_eq!((mark.place.seq, mark.latest, mark.lateness), (6, 200, 30));
    }
}

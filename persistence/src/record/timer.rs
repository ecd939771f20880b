//! Timers: what the clock will do next to each aggregate, one row per aggregate that has something due.

use diesel::prelude::*;
use domain::kernel::{Aggregate, Instant};
use uuid::Uuid;

use crate::{Conn, Moment, Outcome, Tx, Uid};

mod schema {
    diesel::table! {
        use diesel::sql_types::*;
        use crate::types::sql::{Moment, Uid};

        timers (aggregate_id) {
            aggregate_id -> Uid,
            kind -> Text,
            at -> Moment,
            what -> Text,
        }
    }
}
use schema::timers;

/// One thing that is due.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Timer {
    /// Of which aggregate.
    pub id: Uuid,
    /// Its kind's name.
    pub kind: String,
    /// When.
    pub at: Instant,
    /// What, such as `close`.
    pub what: String,
}

/// Keeps the timer in step with the aggregate.
pub(crate) fn keep<A: Aggregate>(tx: &mut Tx<'_>, aggregate: &A) -> Outcome<()> {
    let id = Uid(aggregate.id().into());
    match aggregate.due() {
        None => {
            run!(tx, diesel::delete(timers::table.find(id)))?;
        }
        Some(due) => {
            debug_assert!(A::CLOCK.contains(&due.what), "{} of a {} is not in its CLOCK", due.what, A::KIND.name());
            let changed = (timers::at.eq(Moment(due.at)), timers::what.eq(due.what));
            let row = (timers::aggregate_id.eq(id), timers::kind.eq(A::KIND.name()), changed);
            run!(
                tx,
                diesel::insert_into(timers::table)
                    .values(row)
                    .on_conflict(timers::aggregate_id)
                    .do_update()
                    .set(changed)
            )?;
        }
    }
    Ok(())
}

/// Timers of some sorts only: the kind of aggregate with what the clock does to it.
pub type Sorts = &'static [(&'static str, &'static str)];

/// What is due at or before `now`, earliest first; of those sorts only, where some are given.
///
/// # Errors
/// Where the store fails.
pub fn due(conn: &mut Conn<'_>, sorts: Option<Sorts>, now: Instant, limit: i64) -> Outcome<Vec<Timer>> {
    type Row = (Uid, String, Moment, String);
    let earliest = || {
        let due = timers::table.filter(timers::at.le(Moment(now))).limit(limit);
        due.order((timers::at.asc(), timers::aggregate_id.asc()))
    };
    let mut rows: Vec<Row> = Vec::new();
    match sorts {
        None => rows = on!(conn, c => earliest().load(c))?,
        // Each sort by itself is a range of an index.
        Some(sorts) => {
            for (kind, what) in sorts {
                let query = earliest().filter(timers::kind.eq(*kind)).filter(timers::what.eq(*what));
                rows.extend(on!(conn, c => query.load::<Row>(c))?);
            }
            rows.sort_unstable_by_key(|(id, _, at, _)| (*at, *id));
            rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        }
    }
    Ok(rows.into_iter().map(|(id, kind, at, what)| Timer { id: id.0, kind, at: at.0, what }).collect())
}

/// How many timers of those sorts are due at `now`, and when the next one after them is.
///
/// # Errors
/// Where the store fails.
pub fn outlook(conn: &mut Conn<'_>, sorts: Sorts, now: Instant) -> Outcome<(i64, Option<Instant>)> {
    let now = Moment(now);
    let (mut due, mut next): (i64, Option<Moment>) = (0, None);
    for (kind, what) in sorts {
        let of_sort = timers::table.filter(timers::kind.eq(*kind)).filter(timers::what.eq(*what));
        due += on!(conn, c => of_sort.filter(timers::at.le(now)).count().get_result::<i64>(c))?;
        let later = of_sort.filter(timers::at.gt(now)).order(timers::at.asc()).select(timers::at);
        let first = on!(conn, c => later.first::<Moment>(c)).optional()?;
        next = next.into_iter().chain(first).min();
    }
    Ok((due, next.map(|at| at.0)))
}

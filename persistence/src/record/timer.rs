//! What the clock will do next to each aggregate: one row per aggregate that has something due.

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
    let id = Uid(aggregate.id());
    match aggregate.due() {
        None => {
            on!(&mut **tx, c => diesel::delete(timers::table.find(id)).execute(c))?;
        }
        Some(due) => {
            let changed = (timers::at.eq(Moment(due.at)), timers::what.eq(due.what));
            let row = (timers::aggregate_id.eq(id), timers::kind.eq(A::KIND.name()), changed);
            on!(&mut **tx, c => diesel::insert_into(timers::table)
                .values(row).on_conflict(timers::aggregate_id).do_update().set(changed).execute(c))?;
        }
    }
    Ok(())
}

/// Timers of some sorts only: the kind of aggregate with what the clock does to it.
pub type Sorts = &'static [(&'static str, &'static str)];

/// The timers of those sorts as a boxed query, once per backend; all timers where no sorts are given.
macro_rules! of_sorts {
    ($sorts:expr) => {{
        let mut query = timers::table.into_boxed();
        if let Some(sorts) = $sorts {
            let sorts: Vec<String> = sorts.iter().map(|(kind, what)| format!("{kind}/{what}")).collect();
            query = query.filter(timers::kind.concat("/").concat(timers::what).eq_any(sorts));
        }
        query
    }};
}

/// What is due at or before `now`, earliest first; of those sorts only, where some are given.
///
/// # Errors
/// Where the store fails.
pub fn due(conn: &mut Conn<'_>, sorts: Option<Sorts>, now: Instant, limit: i64) -> Outcome<Vec<Timer>> {
    let rows = on!(conn, c => of_sorts!(sorts)
        .filter(timers::at.le(Moment(now)))
        .order((timers::at, timers::aggregate_id))
        .limit(limit)
        .load::<(Uid, String, Moment, String)>(c))?;
    Ok(rows.into_iter().map(|(id, kind, at, what)| Timer { id: id.0, kind, at: at.0, what }).collect())
}

/// How many timers of those sorts are due at `now`, and when the next one after them is.
///
/// # Errors
/// Where the store fails.
pub fn outlook(conn: &mut Conn<'_>, sorts: Sorts, now: Instant) -> Outcome<(i64, Option<Instant>)> {
    let now = Moment(now);
    let due = on!(conn, c => of_sorts!(Some(sorts)).filter(timers::at.le(now)).count().get_result(c))?;
    let next = on!(conn, c => of_sorts!(Some(sorts))
        .filter(timers::at.gt(now))
        .order((timers::at, timers::aggregate_id))
        .select(timers::at)
        .first::<Moment>(c))
    .optional()?;
    Ok((due, next.map(|at| at.0)))
}

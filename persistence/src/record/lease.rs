//! Leases: one server at a time does a piece of background work, taken over when that server stops answering.
//!
//! A lease runs by the machines' clocks, never by a movable one. They may differ by seconds, so a lease alone proves
//! nothing: work is committed in a transaction that first asks [`holds`], which keeps the row locked until the
//! commit. What a server did under a lease that it has lost is rolled back. A lease that ends long after any that would
//! be given now was taken by a clock that was wrong: it is free.

use diesel::prelude::*;
use domain::kernel::Instant;
use uuid::Uuid;

use crate::{Conn, Moment, Outcome, Tx, Uid};

mod schema {
    diesel::table! {
        use diesel::sql_types::*;
        use crate::types::sql::{Moment, Uid};

        leases (name) {
            name -> Text,
            holder -> Uid,
            until -> Moment,
        }
    }
}
use schema::leases;

/// How far one machine's clock may be ahead of another's, in microseconds: a minute.
const AHEAD: i64 = 60_000_000;

/// Takes or renews the lease of `name` for `holder`, by the machine's time `now`. `false` where another has it.
///
/// # Errors
/// Where the store fails.
pub fn take(tx: &mut Tx<'_>, name: &str, holder: Uuid, now: Instant, until: Instant) -> Outcome<bool> {
    let wrong = until.micros().saturating_add(AHEAD);
    let (holder, until, wrong) = (Uid(holder), Moment(until), Moment(Instant::from_micros(wrong)));
    let over = leases::until.le(Moment(now)).or(leases::until.gt(wrong));
    let free = leases::table.find(name).filter(leases::holder.eq(holder).or(over));
    let changed = (leases::holder.eq(holder), leases::until.eq(until));
    let renewed = run!(tx, diesel::update(free).set(changed))?;
    if renewed == 1 {
        return Ok(true);
    }
    let row = (leases::name.eq(name), changed);
    let made = run!(tx, diesel::insert_into(leases::table).values(row).on_conflict_do_nothing())?;
    Ok(made == 1)
}

/// Whether `holder` has the lease; it cannot lose it before the transaction ends.
///
/// # Errors
/// Where the store fails.
pub fn holds(tx: &mut Tx<'_>, name: &str, holder: Uuid) -> Outcome<bool> {
    let query = leases::table.find(name).select(leases::holder);
    let found = match &mut **tx {
        Conn::Sqlite(c) => query.first::<Uid>(*c),
        Conn::Pg(c) => query.for_update().first::<Uid>(*c),
    };
    Ok(found.optional()?.is_some_and(|found| found.0 == holder))
}

/// Gives the lease back, where `holder` has it.
///
/// # Errors
/// Where the store fails.
pub fn release(tx: &mut Tx<'_>, name: &str, holder: Uuid) -> Outcome<()> {
    let own = leases::table.find(name).filter(leases::holder.eq(Uid(holder)));
    run!(tx, diesel::delete(own))?;
    Ok(())
}

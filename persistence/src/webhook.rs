//! Webhook subscriptions, how far each has come, its sealed secrets, and the log of deliveries.

use std::collections::{BTreeMap, VecDeque};

use diesel::prelude::*;
use domain::kernel::{Actor, Aggregate as _, Instant, WebhookId};
use domain::webhook::Webhook;
use uuid::Uuid;

use crate::aggregate::Filter;
use crate::record::event::Cursor;
use crate::record::idempotency::account;
use crate::{Conn, Moment, Outcome, Page, Stored, Tx, Uid};

declare_table! {
    /// Subscriptions.
    webhooks: Webhook {
        owner: Text = |s| account(&s.owner);
    }
}

mod schema {
    diesel::table! {
        use diesel::sql_types::*;
        use crate::types::sql::{Moment, Uid};

        webhook_progress (webhook_id) {
            webhook_id -> Uid,
            tx -> BigInt,
            seq -> BigInt,
            attempts -> Integer,
            next_at -> Nullable<Moment>,
        }
    }
    diesel::table! {
        use diesel::sql_types::*;
        use crate::types::sql::{Moment, Uid};

        webhook_secrets (id) {
            id -> Uid,
            webhook_id -> Uid,
            sealed -> Binary,
            until -> Nullable<Moment>,
        }
    }
    diesel::table! {
        use diesel::sql_types::*;
        use crate::types::sql::{Moment, Uid};

        deliveries (id) {
            id -> Uid,
            webhook_id -> Uid,
            event_id -> Uid,
            kind -> Text,
            attempt -> Integer,
            at -> Moment,
            duration_ms -> BigInt,
            status -> Nullable<Integer>,
            outcome -> Text,
        }
    }
}
use schema::{deliveries, webhook_progress as progress, webhook_secrets as secrets};
use webhooks as owned;

diesel::allow_tables_to_appear_in_same_query!(owned, progress);

/// The subscriptions of an account that are there still, oldest first.
///
/// # Errors
/// Where the store fails.
pub fn of(conn: &mut Conn<'_>, owner: &Actor) -> Outcome<Vec<Stored<Webhook>>> {
    let filter =
        Filter::all().is(webhooks::owner, account(owner)).any(webhooks::state, ["active", "paused", "failing"]);
    conn.list(&filter, Page::ALL)
}

/// How far a subscription has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Whatever of the feed is up to here has been delivered, or is none of its business.
    pub cursor: Cursor,
    /// Failed attempts to deliver the event that follows.
    pub attempts: u32,
    /// Before this instant it is not tried again.
    pub next_at: Option<Instant>,
}

/// How far it has come.
///
/// # Errors
/// Where the store fails; [`crate::Failure::NotFound`] where there is no such subscription.
pub fn progress_of(conn: &mut Conn<'_>, id: WebhookId) -> Outcome<Progress> {
    let query = progress::table.find(Uid::from(id)).select((
        progress::tx,
        progress::seq,
        progress::attempts,
        progress::next_at,
    ));
    let found = on!(conn, c => query.first::<(i64, i64, i32, Option<Moment>)>(c)).optional()?;
    let (tx, seq, attempts, next_at) = found.ok_or(crate::Failure::NotFound(Webhook::KIND))?;
    Ok(Progress {
        cursor: Cursor { tx, seq },
        attempts: u32::try_from(attempts).unwrap_or_default(),
        next_at: next_at.map(|at| at.0),
    })
}

/// Puts it at a place of the feed, without a failed attempt.
///
/// # Errors
/// Where the store fails.
pub fn place(tx: &mut Tx<'_>, id: WebhookId, at: Cursor) -> Outcome<()> {
    let changed = (
        progress::tx.eq(at.tx),
        progress::seq.eq(at.seq),
        progress::attempts.eq(0),
        progress::next_at.eq(None::<Moment>),
    );
    let row = (progress::webhook_id.eq(Uid::from(id)), changed);
    run!(
        tx,
        diesel::insert_into(progress::table).values(row).on_conflict(progress::webhook_id).do_update().set(changed)
    )?;
    Ok(())
}

/// Moves it from `before` to `after`; `false` where it is not at `before` any more, and nothing is changed.
///
/// # Errors
/// Where the store fails.
pub fn proceed(tx: &mut Tx<'_>, id: WebhookId, before: Cursor, after: Progress) -> Outcome<bool> {
    let there =
        progress::table.find(Uid::from(id)).filter(progress::tx.eq(before.tx)).filter(progress::seq.eq(before.seq));
    let changed = (
        progress::tx.eq(after.cursor.tx),
        progress::seq.eq(after.cursor.seq),
        progress::attempts.eq(i32::try_from(after.attempts).unwrap_or(i32::MAX)),
        progress::next_at.eq(after.next_at.map(Moment)),
    );
    Ok(run!(tx, diesel::update(there).set(changed))? == 1)
}

/// What there is to do for subscriptions.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Work {
    /// Those that something may have to be sent to now: one of each owner, then a second one of each, and so on.
    pub due: Vec<WebhookId>,
    /// When the next one is tried again.
    pub next_at: Option<Instant>,
}

/// What there is to do at `now`, where the feed ends at `end`.
///
/// # Errors
/// Where the store fails.
pub fn work(conn: &mut Conn<'_>, end: Cursor, now: Instant) -> Outcome<Work> {
    let behind = progress::tx.lt(end.tx).or(progress::tx.eq(end.tx).and(progress::seq.lt(end.seq)));
    let query = progress::table
        .inner_join(owned::table.on(owned::id.eq(progress::webhook_id)))
        .filter(owned::state.eq("active"))
        .filter(behind)
        .order(progress::webhook_id)
        .select((progress::webhook_id, progress::next_at, owned::owner));
    let rows = on!(conn, c => query.load::<(Uid, Option<Moment>, String)>(c))?;
    let mut work = Work::default();
    let mut due: BTreeMap<String, VecDeque<WebhookId>> = BTreeMap::new();
    for (id, next_at, owner) in rows {
        match next_at.map(|at| at.0).filter(|at| *at > now) {
            None => due.entry(owner).or_default().push_back(id.0.into()),
            Some(at) => work.next_at = Some(work.next_at.map_or(at, |other| other.min(at))),
        }
    }
    // Whoever is served first differs from second to second, of owners and of an owner's own.
    let turn = usize::try_from(now.micros() / 1_000_000).unwrap_or_default();
    let mut all: Vec<VecDeque<WebhookId>> = due.into_values().collect();
    for own in &mut all {
        own.rotate_left(turn % own.len());
    }
    if !all.is_empty() {
        let first = turn % all.len();
        all.rotate_left(first);
    }
    while !all.is_empty() {
        work.due.extend(all.iter_mut().filter_map(VecDeque::pop_front));
        all.retain(|own| !own.is_empty());
    }
    Ok(work)
}

/// Adds a sealed secret. Those before it sign until `until`, and not for longer than they would have.
///
/// # Errors
/// Where the store fails.
pub fn add_secret(tx: &mut Tx<'_>, id: WebhookId, sealed: &[u8], until: Instant) -> Outcome<()> {
    let own = secrets::table.filter(secrets::webhook_id.eq(Uid::from(id)));
    // Two are live at most: of those before it only the newest stays.
    let replaced = own.filter(secrets::until.is_not_null());
    run!(tx, diesel::delete(replaced))?;
    run!(tx, diesel::update(own).set(secrets::until.eq(Some(Moment(until)))))?;
    let row = (
        secrets::id.eq(Uid(tx.mint())),
        secrets::webhook_id.eq(Uid::from(id)),
        secrets::sealed.eq(sealed),
        secrets::until.eq(None::<Moment>),
    );
    run!(tx, diesel::insert_into(secrets::table).values(row))?;
    Ok(())
}

/// The sealed secrets that sign at `now`, newest first, each with when it ceases to.
///
/// # Errors
/// Where the store fails.
pub fn secrets_of(conn: &mut Conn<'_>, id: WebhookId, now: Instant) -> Outcome<Vec<(Vec<u8>, Option<Instant>)>> {
    let query = secrets::table
        .filter(secrets::webhook_id.eq(Uid::from(id)))
        .filter(secrets::until.is_null().or(secrets::until.gt(Moment(now))))
        .order(secrets::id.desc())
        .select((secrets::sealed, secrets::until));
    let rows = on!(conn, c => query.load::<(Vec<u8>, Option<Moment>)>(c))?;
    Ok(rows.into_iter().map(|(sealed, until)| (sealed, until.map(|until| until.0))).collect())
}

/// Forgets secrets, progress and deliveries of a subscription that is deleted.
///
/// # Errors
/// Where the store fails.
pub fn forget(tx: &mut Tx<'_>, id: WebhookId) -> Outcome<()> {
    let id = Uid::from(id);
    run!(tx, diesel::delete(secrets::table.filter(secrets::webhook_id.eq(id))))?;
    run!(tx, diesel::delete(deliveries::table.filter(deliveries::webhook_id.eq(id))))?;
    run!(tx, diesel::delete(progress::table.find(id)))?;
    Ok(())
}

/// One attempt to deliver one event.
#[derive(Clone, PartialEq, Eq, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = deliveries)]
pub struct Delivery {
    /// Identifier, in the order of the attempts.
    pub id: Uid,
    /// To which subscription.
    pub webhook_id: Uid,
    /// Which event.
    pub event_id: Uid,
    /// The event's type.
    pub kind: String,
    /// Counted from 1 for each event.
    pub attempt: i32,
    /// When it began.
    pub at: Moment,
    /// Milliseconds that it took.
    pub duration_ms: i64,
    /// What the receiver answered, if it did.
    pub status: Option<i32>,
    /// How it ended.
    pub outcome: String,
}

/// Adds to the log of deliveries.
///
/// # Errors
/// Where the store fails.
pub fn log(tx: &mut Tx<'_>, delivery: &Delivery) -> Outcome<()> {
    run!(tx, diesel::insert_into(deliveries::table).values(delivery))?;
    Ok(())
}

/// Deliveries of a subscription before one of them, newest first.
///
/// # Errors
/// Where the store fails.
pub fn deliveries_of(conn: &mut Conn<'_>, id: WebhookId, before: Option<Uuid>, limit: i64) -> Outcome<Vec<Delivery>> {
    Ok(on!(conn, c => {
        let mut query = deliveries::table.filter(deliveries::webhook_id.eq(Uid::from(id))).into_boxed();
        if let Some(before) = before {
            query = query.filter(deliveries::id.lt(Uid(before)));
        }
        query.order(deliveries::id.desc()).limit(limit).select(Delivery::as_select()).load(c)
    })?)
}

/// Forgets deliveries older than `before`.
///
/// # Errors
/// Where the store fails.
pub fn forget_deliveries(tx: &mut Tx<'_>, before: Instant) -> Outcome<usize> {
    let old = deliveries::table.filter(deliveries::at.lt(Moment(before)));
    Ok(run!(tx, diesel::delete(old))?)
}

/// How many deliveries are older than `before`.
///
/// # Errors
/// Where the store fails.
pub fn old_deliveries(conn: &mut Conn<'_>, before: Instant) -> Outcome<i64> {
    let old = deliveries::table.filter(deliveries::at.lt(Moment(before))).count();
    Ok(on!(conn, c => old.get_result(c))?)
}

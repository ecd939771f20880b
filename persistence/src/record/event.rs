//! The event log: written in the transaction that changes the aggregate, chained by hash per aggregate, read in
//! commit order.

use std::collections::HashMap;

use diesel::prelude::*;
use domain::kernel::{About, Actor, Aggregate, Audience, Kind, Named, ProviderId, Role};
use serde::Serialize;
use uuid::Uuid;

use crate::aggregate::{Taken, Unique};
use crate::{Conn, Failure, Json, Moment, Outcome, Stored, Tx, Uid};

mod digest;
mod read;

pub use read::{Cursor, Filter, PROVIDING_SIDE, Scope, after, before, end, place_of};
pub(super) use read::{earliest_after, hashes, instants};

mod schema {
    diesel::table! {
        use diesel::sql_types::*;
        use crate::types::sql::{Json, Moment, Uid};

        events (seq) {
            seq -> BigInt,
            tx -> BigInt,
            id -> Uid,
            format -> Integer,
            at -> Moment,
            kind -> Text,
            aggregate -> Text,
            aggregate_id -> Uid,
            link -> BigInt,
            version -> BigInt,
            arrangement_id -> Nullable<Uid>,
            lot_id -> Nullable<Uid>,
            provider_id -> Nullable<Uid>,
            application_id -> Nullable<Uid>,
            audience -> Text,
            actor -> Text,
            role -> Text,
            authority -> Nullable<Text>,
            acting_for -> Nullable<Uid>,
            request -> Nullable<Text>,
            from_state -> Nullable<Text>,
            to_state -> Text,
            data -> Json,
            previous -> Nullable<Binary>,
            hash -> Binary,
        }
    }
}
pub(super) use schema::events;

/// The format in which events are written. What is in an event, and what its hash covers, changes with this number only.
pub const FORMAT: i32 = 1;

/// Two transactions that go on with one chain meet.
pub(crate) static CHAIN: Unique =
    Unique { index: "events_chain", table: "events", columns: &["aggregate_id", "link"], taken: Taken::Retry };

/// One event as it is stored.
#[derive(Clone, PartialEq, Eq, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = events, treat_none_as_default_value = false)]
pub struct Entry {
    /// Unique; consumers drop repeats by it.
    pub id: Uid,
    /// The format that it is written and hashed in: [`FORMAT`], or one before it.
    pub format: i32,
    /// The instant of the command.
    pub at: Moment,
    /// What happened, past tense.
    pub kind: String,
    /// The kind of aggregate.
    pub aggregate: String,
    /// Which aggregate.
    pub aggregate_id: Uid,
    /// Place in the aggregate's chain, from 1.
    pub link: i64,
    /// The aggregate's version after it.
    pub version: i64,
    /// The arrangement it is about.
    pub arrangement_id: Option<Uid>,
    /// The lot it is about.
    pub lot_id: Option<Uid>,
    /// The provider it is about: no other provider sees it.
    pub provider_id: Option<Uid>,
    /// The application it is about.
    pub application_id: Option<Uid>,
    /// Who may see it: `everyone`, `parties`, `provider`, `buyers`, `administrators` or `owner`.
    pub audience: String,
    /// The token's subject.
    pub actor: String,
    /// In which role.
    pub role: String,
    /// For which authority.
    pub authority: Option<String>,
    /// For which provider.
    pub acting_for: Option<Uid>,
    /// On which request.
    pub request: Option<String>,
    /// The state before, where there was one.
    pub from_state: Option<String>,
    /// The state after.
    pub to_state: String,
    /// The event's own fields.
    pub data: Json,
    /// The hash of the event before it in the chain.
    pub previous: Option<Vec<u8>>,
    /// SHA-256 over everything above.
    pub hash: Vec<u8>,
}

/// Something to append: an event's fields beside what the transaction knows.
pub struct Note<'a> {
    /// The kind of aggregate.
    pub kind: Kind,
    /// Which one.
    pub id: Uuid,
    /// Its version after the event.
    pub version: i64,
    /// What it is about.
    pub about: About,
    /// Who may see it.
    pub audience: Audience,
    /// The state before.
    pub from: Option<&'a str>,
    /// The state after.
    pub to: &'a str,
}

/// Records what a command did to an aggregate.
pub(crate) fn record<A: Aggregate>(
    tx: &mut Tx<'_>,
    after: &A,
    version: i64,
    from: Option<&str>,
    events: &[A::Event],
) -> Outcome<()> {
    events.iter().try_for_each(|event| append(tx, &noted(after, version, from, event), event))
}

fn noted<'a, A: Aggregate>(after: &A, version: i64, from: Option<&'a str>, event: &A::Event) -> Note<'a> {
    let (about, audience) = (after.about(), after.audience(event));
    Note { kind: A::KIND, id: after.id().into(), version, about, audience, from, to: after.state().name() }
}

/// Notes an event of an aggregate that it does not change, such as the reading of an application's content.
///
/// # Errors
/// Where the store fails.
pub fn note<A: Aggregate>(tx: &mut Tx<'_>, of: &Stored<A>, event: &A::Event) -> Outcome<()> {
    append(tx, &noted(&of.value, of.version, Some(of.value.state().name()), event), event)
}

/// Appends an event to an aggregate's chain: for things that happen without changing it, such as the reading of an
/// application's content.
///
/// # Errors
/// Where the store fails or the event is not an object with a `type`.
pub fn append<E: Serialize>(tx: &mut Tx<'_>, note: &Note<'_>, event: &E) -> Outcome<()> {
    let head = head(tx, note.id)?;
    let entry = entry(tx, note, event, head)?;
    run!(tx, diesel::insert_into(events::table).values(&entry))?;
    Ok(())
}

/// What a command did to one of many aggregates: after it, its version, the state before, and the events.
type Done<'a, A> = (&'a A, i64, Option<&'static str>, &'a [<A as Aggregate>::Event]);

/// As [`record`] for many aggregates at once, each of which occurs once: in one statement for each thousand events.
pub(crate) fn record_all<A: Aggregate>(tx: &mut Tx<'_>, done: &[Done<'_, A>]) -> Outcome<()> {
    // What is new has no chain yet.
    let old: Vec<Uid> = done.iter().filter(|done| done.2.is_some()).map(|done| Uid(done.0.id().into())).collect();
    let mut heads = heads(tx, &old)?;
    let mut entries = Vec::with_capacity(done.len());
    for (after, version, from, events) in done {
        let id: Uuid = after.id().into();
        for event in *events {
            let note = noted(*after, *version, *from, event);
            let entry = entry(tx, &note, event, heads.remove(&id))?;
            heads.insert(id, (entry.link, entry.hash.clone()));
            entries.push(entry);
        }
    }
    for entries in entries.chunks(crate::aggregate::ROWS) {
        run!(tx, diesel::insert_into(events::table).values(entries))?;
    }
    Ok(())
}

/// The last link of each of those chains, with its hash.
fn heads(conn: &mut Conn<'_>, aggregates: &[Uid]) -> Outcome<HashMap<Uuid, (i64, Vec<u8>)>> {
    if aggregates.is_empty() {
        return Ok(HashMap::new());
    }
    let later = diesel::alias!(events as later);
    let follows = later
        .filter(later.field(events::aggregate_id).eq(events::aggregate_id))
        .filter(later.field(events::link).gt(events::link));
    let query = events::table
        .filter(events::aggregate_id.eq_any(aggregates))
        .filter(diesel::dsl::not(diesel::dsl::exists(follows)))
        .select((events::aggregate_id, events::link, events::hash));
    let rows = on!(conn, c => query.load::<(Uid, i64, Vec<u8>)>(c))?;
    Ok(rows.into_iter().map(|(id, link, hash)| (id.0, (link, hash))).collect())
}

fn head(conn: &mut Conn<'_>, aggregate: Uuid) -> Outcome<Option<(i64, Vec<u8>)>> {
    let query = events::table
        .filter(events::aggregate_id.eq(Uid(aggregate)))
        .order(events::link.desc())
        .select((events::link, events::hash));
    Ok(on!(conn, c => query.first(c)).optional()?)
}

fn entry<E: Serialize>(tx: &Tx<'_>, note: &Note<'_>, event: &E, head: Option<(i64, Vec<u8>)>) -> Outcome<Entry> {
    let mut data = serde_json::to_value(event)?;
    let kind = data
        .as_object_mut()
        .and_then(|fields| fields.remove("type"))
        .and_then(|kind| kind.as_str().map(str::to_owned))
        .ok_or_else(|| Failure::Broken(format!("an event of {} has no type", note.kind.name())))?;
    let stamp = tx.stamp();
    let (link, previous) = head.map_or((1, None), |(link, hash)| (link + 1, Some(hash)));
    let mut entry = Entry {
        id: Uid(tx.mint()),
        format: FORMAT,
        at: Moment(stamp.now),
        kind,
        aggregate: note.kind.name().to_owned(),
        aggregate_id: Uid(note.id),
        link,
        version: note.version,
        arrangement_id: note.about.arrangement.map(Uid::from),
        lot_id: note.about.lot.map(Uid::from),
        provider_id: note.about.provider.map(Uid::from),
        application_id: note.about.application.map(Uid::from),
        audience: note.audience.name().to_owned(),
        actor: stamp.actor.subject.clone(),
        role: stamp.actor.role.name().to_owned(),
        authority: stamp.actor.authority.as_ref().map(ToString::to_string),
        acting_for: acting_for(&stamp.actor, note.about).map(Uid::from),
        request: stamp.request.clone(),
        from_state: note.from.map(str::to_owned),
        to_state: note.to.to_owned(),
        data: Json(data.to_string()),
        previous,
        hash: Vec::new(),
    };
    entry.hash = entry.digest();
    Ok(entry)
}

/// The provider an actor acts for: its own, or for a portal, which acts for many, the one that the event is about
/// (CRD-09).
fn acting_for(actor: &Actor, about: About) -> Option<ProviderId> {
    actor.provider.or(if actor.role == Role::Portal { about.provider } else { None })
}

//! Reading the log in commit order: what a caller may see of it, and where in it. Whatever is asked, a page costs the same
//! in a young record and in an old one (`docs/adr/0014-reads-that-do-not-grow.md`).

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection as _;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use domain::kernel::{Instant, Role};
use uuid::Uuid;

use super::super::time_index;
use super::{Entry, events};
use crate::dialect::{Behind, First, Fixed, Merged};
use crate::types::sql::Uid as SqlUid;
use crate::{Conn, Moment, Outcome, Uid};

/// A place in the feed: transaction, then sequence.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Cursor {
    /// The writing transaction; 0 on SQLite, where the single writer gives the order.
    pub tx: i64,
    /// The sequence in it.
    pub seq: i64,
}

impl Cursor {
    /// After everything.
    pub const END: Self = Self { tx: i64::MAX, seq: i64::MAX };
}

/// Which events.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// What the caller may see at all.
    pub scope: Scope,
    /// This one.
    pub id: Option<Uuid>,
    /// Of this aggregate.
    pub aggregate_id: Option<Uuid>,
    /// About this provider.
    pub provider: Option<Uuid>,
    /// About this lot.
    pub lot: Option<Uuid>,
    /// About this arrangement.
    pub arrangement: Option<Uuid>,
    /// By this actor.
    pub actor: Option<String>,
    /// Of these kinds; of any where empty.
    pub kinds: Vec<String>,
    /// At or after.
    pub from: Option<Instant>,
    /// Before.
    pub until: Option<Instant>,
}

/// What a caller may see of the record.
#[derive(Clone, Debug, Default)]
pub enum Scope {
    /// Nothing: the safe default.
    #[default]
    Nothing,
    /// Everything.
    Everything,
    /// Events about these arrangements, and those of providers and the library.
    Arrangements(Vec<Uuid>),
    /// Events about these providers, and what is open to all.
    Providers(Vec<Uuid>),
    /// What is done in running the system, and nothing of any procurement.
    Administration,
    /// What is open to all, alone.
    Open,
}

/// What the buying side sees: not what is for a provider's own eyes, nor what is for nobody's. Written out, as in the indexes
/// that have no other events.
const SHOWN: Fixed = Fixed("audience NOT IN ('provider', 'administrators', 'owner')");

/// The roles whose account a provider may see.
pub const PROVIDING_SIDE: [Role; 2] = [Role::Provider, Role::Portal];

/// Parts that a page is put together from at most. Whoever may see more sees a good part of all there is, and is served
/// from the whole feed.
const PARTS: usize = 128;
/// Their number is a multiple of this, so that there are few statements: each number of parts is one of its own.
const STEP: usize = 4;

/// A part of the feed that one index holds, in the feed's order. A scope is a few of them, each of which gives the first
/// rows of a page: an OR over columns would have the database go through all that others may see.
#[derive(Clone, Debug)]
enum Part {
    /// The whole scope.
    Whole(Scope),
    /// The whole scope, of this kind.
    Kind(Scope, String),
    /// What the buying side sees of an arrangement, or of what belongs to none; of one kind, where there is one.
    Arrangement(Option<Uuid>, Option<String>),
    /// What a provider sees of itself.
    Provider(Uuid),
}

/// What is searched in an index. Whatever else is asked is asked of each row that is found, in words that keep a database
/// without statistics from searching for that instead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Key {
    Id,
    Aggregate,
    Provider,
    Lot,
    Actor,
    Arrangement,
    Kinds,
    /// The part's own.
    Part,
}

impl Filter {
    /// The key that finds the fewest rows, of those that are given.
    fn key(&self, part: &Part) -> Key {
        let given = [
            (self.id.is_some(), Key::Id),
            (self.aggregate_id.is_some(), Key::Aggregate),
            (self.provider.is_some(), Key::Provider),
            (matches!(part, Part::Provider(_)), Key::Part),
            (self.lot.is_some(), Key::Lot),
            (self.arrangement.is_some() && matches!(part, Part::Whole(Scope::Open)), Key::Arrangement),
            (matches!(part, Part::Whole(Scope::Open | Scope::Administration)), Key::Part),
            (self.actor.is_some(), Key::Actor),
            (self.arrangement.is_some(), Key::Arrangement),
            (matches!(part, Part::Arrangement(..) | Part::Kind(..)), Key::Part),
            (!self.kinds.is_empty(), Key::Kinds),
        ];
        given.into_iter().find(|(given, _)| *given).map_or(Key::Part, |(_, key)| key)
    }

    /// The parts that the filter's scope is read by. No event is in two of them.
    fn parts(&self) -> Vec<Part> {
        // What is asked for has an index of its own, and the scope is asked of each row that it finds.
        let narrow = self.id.or(self.aggregate_id).or(self.provider);
        let market = self.lot.or(self.arrangement);
        let few = |ids: &[Uuid]| {
            let ids: BTreeSet<Uuid> = ids.iter().copied().collect();
            // Nothing is about nothing.
            let none = ids.len().next_multiple_of(STEP) - ids.len();
            (ids.len() <= PARTS).then(|| ids.into_iter().chain(std::iter::repeat_n(Uuid::nil(), none)))
        };
        let kinds: BTreeSet<&String> = self.kinds.iter().collect();
        let whole = || vec![Part::Whole(self.scope.clone())];
        match &self.scope {
            Scope::Nothing => Vec::new(),
            Scope::Everything if narrow.or(market).is_none() && self.actor.is_none() && !kinds.is_empty() => {
                kinds.into_iter().map(|kind| Part::Kind(Scope::Everything, kind.clone())).collect()
            }
            Scope::Arrangements(ids) if narrow.or(market).is_none() && self.actor.is_none() => match few(ids) {
                Some(own) => {
                    let each = !kinds.is_empty() && (ids.len() + 1) * kinds.len() <= PARTS;
                    let kinds: Vec<_> = if each { kinds.into_iter().cloned().map(Some).collect() } else { vec![None] };
                    let of = |id| kinds.iter().map(move |kind| Part::Arrangement(id, kind.clone()));
                    own.map(Some).chain([None]).flat_map(of).collect()
                }
                None => whole(),
            },
            Scope::Providers(ids) if narrow.is_none() => match few(ids) {
                Some(ids) => ids.map(Part::Provider).chain([Part::Whole(Scope::Open)]).collect(),
                None => whole(),
            },
            Scope::Everything | Scope::Administration | Scope::Open | Scope::Arrangements(_) | Scope::Providers(_) => {
                whole()
            }
        }
    }
}

/// What is open to all, and what administrators see. Written out: only so do the indexes of just these serve them.
const OPEN: Fixed = Fixed("(audience = 'everyone' AND provider_id IS NULL)");
const ADMINISTRATION: Fixed = Fixed("audience = 'administrators'");

/// A part of the feed by a filter as a boxed query, once per backend.
macro_rules! filtered {
    ($filter:expr, $part:expr) => {{
        let filter: &Filter = $filter;
        let mut query = events::table.into_boxed();
        let scope = match $part {
            Part::Whole(scope) => Some(scope),
            Part::Kind(scope, kind) => {
                query = query.filter(events::kind.eq(kind.clone()));
                Some(scope)
            }
            Part::Arrangement(id, kind) => {
                query = query.filter(SHOWN);
                if let Some(kind) = kind {
                    query = query.filter(events::kind.eq(kind.clone()));
                }
                query = match id {
                    Some(id) => query.filter(events::arrangement_id.eq(Uid(*id))),
                    None => query.filter(events::arrangement_id.is_null()),
                };
                None
            }
            Part::Provider(id) => {
                // What is for the buying side is sealed from the provider that it is about.
                query = query.filter(events::provider_id.eq(Uid(*id))).filter(events::audience.ne("buyers"));
                None
            }
        };
        query = match scope {
            None => query,
            Some(Scope::Open) => query.filter(OPEN),
            Some(Scope::Nothing) => query.filter(events::seq.lt(0)),
            // What is for a provider's own eyes is sealed from every other reader.
            Some(Scope::Everything) => query.filter(SHOWN),
            Some(Scope::Arrangements(ids)) => query
                .filter(events::arrangement_id.eq_any(uids(ids)).or(events::arrangement_id.is_null()))
                .filter(SHOWN),
            Some(Scope::Administration) => query.filter(ADMINISTRATION),
            Some(Scope::Providers(ids)) => query.filter(
                events::provider_id
                    .eq_any(uids(ids))
                    .and(events::audience.ne("buyers"))
                    .or(events::audience.eq("everyone").and(events::provider_id.is_null())),
            ),
        };
        let key = filter.key($part);
        macro_rules! ask {
            ($column:ident: $sql:ty, $value:expr, $key:expr) => {
                query = if key == $key {
                    query.filter(events::$column.eq($value))
                } else {
                    let column = concat!("coalesce(", stringify!($column), ", ", stringify!($column), ")");
                    query.filter(sql::<$sql>(column).eq($value))
                };
            };
        }
        if let Some(id) = filter.id {
            ask!(id: SqlUid, Uid(id), Key::Id);
        }
        if let Some(id) = filter.aggregate_id {
            ask!(aggregate_id: SqlUid, Uid(id), Key::Aggregate);
        }
        if let Some(id) = filter.provider {
            ask!(provider_id: Nullable<SqlUid>, Uid(id), Key::Provider);
        }
        if let Some(id) = filter.lot {
            ask!(lot_id: Nullable<SqlUid>, Uid(id), Key::Lot);
        }
        if let Some(id) = filter.arrangement {
            ask!(arrangement_id: Nullable<SqlUid>, Uid(id), Key::Arrangement);
        }
        if let Some(actor) = &filter.actor {
            ask!(actor: Text, actor.clone(), Key::Actor);
            // Who acts on the buying side is not shown to providers, so it is not to be found out by asking either.
            if matches!(filter.scope, Scope::Providers(_)) {
                query = query.filter(events::role.eq_any(PROVIDING_SIDE.map(Role::name)));
            }
        }
        match filter.kinds.as_slice() {
            [] => {}
            _ if matches!($part, Part::Kind(..) | Part::Arrangement(_, Some(_))) => {}
            // For what the buying side sees of an arrangement there is an index of both.
            [kind] if key == Key::Arrangement && matches!(scope, Some(Scope::Everything | Scope::Arrangements(_))) => {
                query = query.filter(events::kind.eq(kind.clone()));
            }
            [kind] => {
                ask!(kind: Text, kind.clone(), Key::Kinds);
            }
            kinds => query = query.filter(sql::<Text>("coalesce(kind, kind)").eq_any(kinds.to_vec())),
        }
        if let Some(from) = filter.from {
            query = query.filter(events::at.ge(Moment(from)));
        }
        if let Some(until) = filter.until {
            query = query.filter(events::at.lt(Moment(until)));
        }
        query
    }};
}

fn uids(ids: &[Uuid]) -> Vec<Option<Uid>> {
    ids.iter().map(|id| Some(Uid(*id))).collect()
}

/// What a PostgreSQL reader may see: only events below the oldest transaction still running, so that none can appear
/// later behind the cursor. On SQLite the single writer commits in sequence.
const SETTLED: Fixed = Fixed("tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint");

/// What `$query` finds within `$bounds`; on PostgreSQL only what is settled. SQLite has one writer, so there the sequence
/// alone, which is the key, is the order of the feed, and each index ends with it by itself.
macro_rules! within {
    (Pg, $query:expr, $bounds:expr) => {{
        let mut query = $query.filter(SETTLED);
        for (compare, place) in $bounds {
            query = query.filter(Behind { compare: *compare, place: (place.tx, place.seq) });
        }
        query
    }};
    (Sqlite, $query:expr, $bounds:expr) => {{
        let mut query = $query;
        for (compare, place) in $bounds {
            query = match *compare {
                ">" => query.filter(events::seq.gt(place.seq)),
                "<" => query.filter(events::seq.lt(place.seq)),
                _ => query.filter(events::seq.le(place.seq)),
            };
        }
        query
    }};
}

/// The first of those by place.
macro_rules! in_order {
    (Pg, $query:expr, $first:expr) => {
        match $first {
            First::Oldest => $query.order((events::tx.asc(), events::seq.asc())),
            First::Newest => $query.order((events::tx.desc(), events::seq.desc())),
        }
    };
    (Sqlite, $query:expr, $first:expr) => {
        match $first {
            First::Oldest => $query.order(events::seq.asc()),
            First::Newest => $query.order(events::seq.desc()),
        }
    };
}

/// Loads what `$query` finds within `$bounds`, by place.
macro_rules! placed {
    ($conn:expr, $query:expr, $first:expr, $bounds:expr, $select:expr) => {
        match $conn {
            Conn::Pg(c) => in_order!(Pg, within!(Pg, $query, $bounds), $first).select($select).load(&mut **c),
            Conn::Sqlite(c) => {
                in_order!(Sqlite, within!(Sqlite, $query, $bounds), $first).select($select).load(&mut **c)
            }
        }
    };
}

/// An event with its place.
macro_rules! whole {
    () => {
        (events::tx, events::seq, Entry::as_select())
    };
}

/// How a page's places compare to one.
type Bound = (&'static str, Cursor);
type Placed = (i64, i64, Entry);
type Found = Vec<(Cursor, Entry)>;

fn at((tx, seq, entry): Placed) -> (Cursor, Entry) {
    (Cursor { tx, seq }, entry)
}

/// The bounds of a page after one place or before another, narrowed to the times that are asked for.
fn bounds(conn: &mut Conn<'_>, filter: &Filter, after: Option<Cursor>, before: Option<Cursor>) -> Outcome<Vec<Bound>> {
    let from = filter.from.map(|from| time_index::before(conn, from)).transpose()?;
    let until = filter.until.map(|until| time_index::behind(conn, until)).transpose()?.flatten();
    let lower = after.max(from).map(|place| (">", place));
    let upper = match (before, until) {
        (Some(before), Some(until)) if until >= before => Some(("<", before)),
        (_, Some(until)) => Some(("<=", until)),
        (before, None) => before.map(|place| ("<", place)),
    };
    Ok(lower.into_iter().chain(upper).collect())
}

/// A page of what the filter finds within bounds. Where several parts may have it, their places are merged as their indexes
/// have them, no further than the page goes, and its events alone are read.
fn page(conn: &mut Conn<'_>, filter: &Filter, bounds: &[Bound], limit: i64, first: First) -> Outcome<Found> {
    let parts = filter.parts();
    let rows: Vec<Placed> = match (parts.as_slice(), conn) {
        ([], _) => Vec::new(),
        ([part], conn) => placed!(conn, filtered!(filter, part).limit(limit), first, bounds, whole!())?,
        (parts, Conn::Pg(c)) => {
            // What is asked for changes nothing of the plan, and to plan it takes longer than to find it.
            c.batch_execute("SET LOCAL plan_cache_mode = force_generic_plan")?;
            let places = |part: &Part| in_order!(Pg, within!(Pg, filtered!(filter, part), bounds), first).limit(limit);
            let parts = parts.iter().map(|part| places(part).select((events::tx, events::seq))).collect();
            events::table.filter(Merged { parts, first, limit }).select(whole!()).load(&mut **c)?
        }
        (parts, Conn::Sqlite(c)) => {
            let parts = parts.iter().map(|part| within!(Sqlite, filtered!(filter, part), bounds).select(events::seq));
            events::table.filter(Merged { parts: parts.collect(), first, limit }).select(whole!()).load(&mut **c)?
        }
    };
    let mut found: Found = rows.into_iter().map(at).collect();
    match first {
        First::Oldest => found.sort_unstable_by_key(|(place, _)| *place),
        First::Newest => found.sort_unstable_by_key(|(place, _)| std::cmp::Reverse(*place)),
    }
    Ok(found)
}

/// Events after `cursor` in commit order, each with its place.
///
/// # Errors
/// Where the store fails.
pub fn after(conn: &mut Conn<'_>, filter: &Filter, cursor: Cursor, limit: i64) -> Outcome<Found> {
    let bounds = bounds(conn, filter, Some(cursor), None)?;
    page(conn, filter, &bounds, limit, First::Oldest)
}

/// Events before `cursor`, newest first, each with its place.
///
/// # Errors
/// Where the store fails.
pub fn before(conn: &mut Conn<'_>, filter: &Filter, cursor: Cursor, limit: i64) -> Outcome<Found> {
    let bounds = bounds(conn, filter, None, Some(cursor))?;
    page(conn, filter, &bounds, limit, First::Newest)
}

/// The place of the last settled event: nothing will ever appear before it. The beginning where there is none.
///
/// # Errors
/// Where the store fails.
pub fn end(conn: &mut Conn<'_>) -> Outcome<Cursor> {
    let all: &[Bound] = &[];
    let last: Vec<(i64, i64)> =
        placed!(conn, events::table.into_boxed().limit(1), First::Newest, all, (events::tx, events::seq))?;
    Ok(last.first().map_or_else(Cursor::default, |(tx, seq)| Cursor { tx: *tx, seq: *seq }))
}

/// The place of an event in the feed.
///
/// # Errors
/// Where the store fails.
pub fn place_of(conn: &mut Conn<'_>, id: Uuid) -> Outcome<Option<Cursor>> {
    let query = events::table.filter(events::id.eq(Uid(id))).select((events::tx, events::seq));
    Ok(on!(conn, c => query.first(c)).optional()?.map(|(tx, seq)| Cursor { tx, seq }))
}

/// The hashes of settled events after one place and up to another, in commit order, each with its place.
pub(in crate::record) fn hashes(
    conn: &mut Conn<'_>,
    after: Cursor,
    up_to: Cursor,
    limit: i64,
) -> Outcome<Vec<(Cursor, Vec<u8>)>> {
    let rows: Vec<(i64, i64, Vec<u8>)> = placed!(
        conn,
        events::table.into_boxed().limit(limit),
        First::Oldest,
        &[(">", after), ("<=", up_to)],
        (events::tx, events::seq, events::hash)
    )?;
    Ok(rows.into_iter().map(|(tx, seq, hash)| (Cursor { tx, seq }, hash)).collect())
}

/// The instants of settled events after a place, in commit order.
pub(in crate::record) fn instants(conn: &mut Conn<'_>, after: Cursor, limit: i64) -> Outcome<Vec<(Cursor, Instant)>> {
    let rows: Vec<(i64, i64, Moment)> = placed!(
        conn,
        events::table.into_boxed().limit(limit),
        First::Oldest,
        &[(">", after)],
        (events::tx, events::seq, events::at)
    )?;
    Ok(rows.into_iter().map(|(tx, seq, at)| (Cursor { tx, seq }, at.0)).collect())
}

/// The earliest instant of the events after a place, settled or not.
pub(in crate::record) fn earliest_after(conn: &mut Conn<'_>, place: Cursor) -> Outcome<Option<Instant>> {
    use diesel::dsl::min;
    let earliest: Option<Moment> = match conn {
        Conn::Pg(c) => events::table
            .filter(
                sql::<Bool>("(tx, seq) > (")
                    .bind::<BigInt, _>(place.tx)
                    .sql(", ")
                    .bind::<BigInt, _>(place.seq)
                    .sql(")"),
            )
            .select(min(events::at))
            .first(&mut **c),
        Conn::Sqlite(c) => events::table.filter(events::seq.gt(place.seq)).select(min(events::at)).first(&mut **c),
    }?;
    Ok(earliest.map(|at| at.0))
}

//! The change feed: what happened, in commit order, to be followed from a cursor.

use actix_web::{get, web};
use domain::kernel::{ArrangementId, AuthorityCode, Instant, LotId};
use persistence::Outcome;
use persistence::record::event::{self, Cursor, Entry, Filter, PROVIDING_SIDE, Scope};
use persistence::record::hex;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::cursor;
use crate::http::filters::EventType;
use crate::http::routes::routes;
use crate::http::{Answer, Call, Reply, listing};

routes! {
    list_events: ReadRecord, [listing::RULES];
}

/// An event as it is shown.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Event)]
pub struct EventView {
    /// Unique; consumers drop repeats by it.
    id: Uuid,
    /// What happened, past tense.
    #[serde(rename = "type")]
    #[schema(example = "ApplicationSubmitted")]
    kind: String,
    /// The version of the events' format: 1. What is in an event, and what its hash covers, changes with it only.
    #[schema(example = 1)]
    format: i32,
    /// The instant of the command.
    at: Instant,
    /// Its place in the feed: a feed read after it continues with the next event.
    cursor: String,
    /// What it happened to.
    aggregate: AggregateRef,
    /// The aggregate's version after it.
    version: i64,
    /// The arrangement it is about.
    arrangement: Option<Uuid>,
    /// The lot it is about.
    lot: Option<Uuid>,
    /// The provider it is about.
    provider: Option<Uuid>,
    /// The application it is about.
    application: Option<Uuid>,
    /// Who gave the command.
    actor: ActorView,
    /// The state before; none where the event began the aggregate.
    from_state: Option<String>,
    /// The state after.
    to_state: String,
    /// The event's own fields; in the contract each type says its own.
    #[schema(value_type = Object)]
    data: serde_json::Value,
    /// SHA-256 over the event and the hash of the one before it in its aggregate's chain.
    hash: String,
    /// Its place in its aggregate's chain, from 1.
    link: i64,
}

/// Which aggregate.
#[derive(Serialize, ToSchema)]
struct AggregateRef {
    /// Its kind.
    #[schema(example = "application")]
    kind: String,
    /// Its identifier.
    id: Uuid,
}

/// Who gave a command.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ActorView {
    /// The account. Providers and portals are not shown the accounts of the buying side.
    subject: Option<String>,
    /// In which role.
    #[schema(example = "lead_agency")]
    role: String,
    /// For which authority.
    authority: Option<AuthorityCode>,
    /// For which provider.
    acting_for: Option<Uuid>,
}

/// Whether a caller of this scope is shown whose account gave the command.
pub(super) fn shows_account(scope: &Scope, entry: &Entry) -> bool {
    match scope {
        Scope::Everything | Scope::Arrangements(_) | Scope::Administration => true,
        Scope::Providers(_) => PROVIDING_SIDE.iter().any(|role| role.name() == entry.role),
        Scope::Open | Scope::Nothing => false,
    }
}

impl EventView {
    /// An event as a caller of this scope is shown it.
    ///
    /// # Errors
    /// Where what is stored cannot be read: a defect.
    pub fn of(place: Cursor, entry: Entry, scope: &Scope) -> Outcome<Self> {
        let subject = shows_account(scope, &entry).then_some(entry.actor);
        let id = |id: Option<persistence::Uid>| id.map(|id| id.0);
        Ok(Self {
            id: entry.id.0,
            kind: entry.kind,
            format: entry.format,
            at: entry.at.0,
            cursor: cursor::text(place),
            aggregate: AggregateRef { kind: entry.aggregate, id: entry.aggregate_id.0 },
            version: entry.version,
            arrangement: id(entry.arrangement_id),
            lot: id(entry.lot_id),
            provider: id(entry.provider_id),
            application: id(entry.application_id),
            actor: ActorView {
                subject,
                role: entry.role,
                authority: entry.authority.and_then(|code| code.try_into().ok()),
                acting_for: id(entry.acting_for),
            },
            from_state: entry.from_state,
            to_state: entry.to_state,
            data: serde_json::from_str(&entry.data.0)?,
            hash: hex(&entry.hash),
            link: entry.link,
        })
    }
}

/// A part of a list that grows.
#[derive(Serialize, ToSchema)]
pub struct Feed<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Where to go on: always given, also where there is nothing new yet.
    pub next: String,
}

/// Which part of the feed.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListEventsQuery {
    /// `next` of the answer before, or the `cursor` of an event; the beginning of the feed where absent.
    after: Option<String>,
    /// Rows on the page, 1 to 200; 50 where absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// Only events of this type.
    #[param(inline, example = "ApplicationSubmitted")]
    kind: Option<EventType>,
    /// Only what is about this arrangement.
    arrangement: Option<ArrangementId>,
    /// Only what is about this lot.
    lot: Option<LotId>,
}

/// Follow the change feed
///
/// What happened, in the order in which it became permanent; an event never appears before `next`. Keep `next` and
/// ask again with it: an answer without events has one too. Each caller sees its own: a provider what is about it or
/// open to all, an authority the arrangements in which it takes part. Events of one aggregate are ordered by `link`.
#[utoipa::path(tag = "record", params(ListEventsQuery), responses((status = 200, body = Feed<EventView>)))]
#[get("/v1/events")]
async fn list_events(call: Call, following: web::Query<ListEventsQuery>) -> Answer {
    call.scan(move |c, call| {
        let limit = listing::rows(following.limit)?;
        let after = cursor::place(following.after.as_deref(), "/after")?.unwrap_or_default();
        let filter = Filter {
            scope: call.who.record_scope(c)?,
            kinds: following.kind.iter().map(|kind| kind.name().to_owned()).collect(),
            arrangement: following.arrangement.map(Uuid::from),
            lot: following.lot.map(Uuid::from),
            ..Filter::default()
        };
        let found = event::after(c, &filter, after, limit)?;
        let next = match found.last() {
            Some((last, _)) if i64::try_from(found.len()).is_ok_and(|n| n == limit) => *last,
            // All was read: whoever polls need not pass again over what is not shown to it.
            Some(_) | None => event::end(c)?.max(after),
        };
        let items = found.into_iter().map(|(place, entry)| EventView::of(place, entry, &filter.scope));
        let feed = Feed { items: items.collect::<Outcome<Vec<_>>>()?, next: cursor::text(next) };
        Ok(Reply::json(200, &feed)?.tagged_by_content(0))
    })
    .await
}

//! The audit: who did what to an object, when and on which request (BEY-01).

use actix_web::{get, web};
use domain::kernel::{ArrangementId, Instant, LotId, ProviderId};
use persistence::Outcome;
use persistence::record::event::{self, Cursor, Filter};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::cursor;
use super::events::{EventView, shows_account};
use crate::http::filters::{self, EventType, in_order};
use crate::http::routes::routes;
use crate::http::{Answer, Call, List, Reply, listing};

routes! {
    list_audit: ReadRecord, [listing::RULES, filters::RULES];
}

/// An event with the request that it came with.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AuditView {
    #[serde(flatten)]
    event: EventView,
    /// The request's id as in `X-Request-Id` and in the log; shown where the actor's account is.
    request: Option<String>,
}

/// Which part of the record.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListAuditQuery {
    /// Only of this object, of whatever kind it is.
    object: Option<Uuid>,
    /// Only about this provider.
    provider: Option<ProviderId>,
    /// Only about this lot.
    lot: Option<LotId>,
    /// Only about this arrangement.
    arrangement: Option<ArrangementId>,
    /// Only by this account. Providers and portals find accounts of their own side only.
    actor: Option<String>,
    /// Only events of this type.
    #[param(inline, example = "Suspended")]
    kind: Option<EventType>,
    /// Only what happened at or after this instant.
    from: Option<Instant>,
    /// Only what happened before this instant.
    until: Option<Instant>,
    /// Rows on the page, 1 to 200; 50 where absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Search the audit
///
/// Newest first. Pages do not shift while new events come in: each goes on where the one before it ended. Each caller
/// sees what the change feed shows it.
#[utoipa::path(tag = "record", params(ListAuditQuery), responses((status = 200, body = List<AuditView>)))]
#[get("/v1/audit")]
async fn list_audit(call: Call, search: web::Query<ListAuditQuery>) -> Answer {
    call.scan(move |c, call| {
        let limit = listing::rows(search.limit)?;
        in_order(search.from, search.until, "/until")?;
        let before = cursor::place(search.cursor.as_deref(), "/cursor")?.unwrap_or(Cursor::END);
        let filter = Filter {
            scope: call.who.record_scope(c)?,
            aggregate_id: search.object,
            provider: search.provider.map(Uuid::from),
            lot: search.lot.map(Uuid::from),
            arrangement: search.arrangement.map(Uuid::from),
            actor: search.actor.clone(),
            kinds: search.kind.iter().map(|kind| kind.name().to_owned()).collect(),
            from: search.from,
            until: search.until,
            ..Filter::default()
        };
        let mut found = event::before(c, &filter, before, limit + 1)?;
        let shown = usize::try_from(limit).unwrap_or_default();
        let more = found.len() > shown;
        found.truncate(shown);
        let next = if more { found.last().map(|(place, _)| cursor::text(*place)) } else { None };
        let items = found.into_iter().map(|(place, mut entry)| {
            let request = entry.request.take().filter(|_| shows_account(&filter.scope, &entry));
            Ok(AuditView { event: EventView::of(place, entry, &filter.scope)?, request })
        });
        Reply::json(200, &List { items: items.collect::<Outcome<Vec<_>>>()?, next })
    })
    .await
}

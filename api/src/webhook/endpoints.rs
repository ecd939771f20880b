//! Subscriptions over HTTP. Each belongs to the account that made it; to any other it is 404.

use actix_web::{delete, get, patch, post, web};
use domain::kernel::{Aggregate as _, Decided, Instant, WebhookId};
use domain::webhook::webhook::{self as rules, Filters, Webhook};
use persistence::record::event::{self, Cursor, Filter};
use persistence::webhook as store;
use persistence::{Conn, Failure, Outcome, Stored, Tx};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::deliver;
use super::sign::Secret;
use crate::http::listing::{BAD_CURSOR, bad_cursor};
use crate::http::reply::Resource;
use crate::http::routes::routes;
use crate::http::{Answer, Call, List, Problem, Reply, listing};
use crate::record::cursor;

routes! {
    create_webhook: Subscribe, [rules::RULES, RULES, listing::RULES];
    list_webhooks: Subscribe, [];
    get_webhook: Subscribe, [];
    change_webhook: Subscribe, [rules::RULES];
    delete_webhook: Subscribe, [];
    pause_webhook: Subscribe, [];
    resume_webhook: Subscribe, [];
    replay_webhook: Subscribe, [RULES, listing::RULES];
    list_deliveries: Subscribe, [listing::RULES];
}

domain::rules! {
    ONE_PLACE = "webhook_place_ambiguous", Input, "CRD-09", "A place of the feed is named by a cursor or by an instant, not by both.";
}

/// A subscription as its owner is shown it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct WebhookView {
    #[serde(flatten)]
    subscription: Webhook,
    /// Its place in the feed: everything of its owner's up to here has been delivered.
    cursor: String,
    /// Failed attempts to deliver the event that follows.
    attempts: u32,
    /// When that event is tried again; `null` where nothing has failed.
    next_attempt_at: Option<Instant>,
    /// The secret that signs: shown in the answer that made it, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")]
    secret: Option<String>,
}

/// The answer with a subscription. A secret in it is not kept with it under an idempotency key.
pub(super) fn show(c: &mut Conn<'_>, stored: &Stored<Webhook>, secret: Option<&Secret>) -> Outcome<Reply> {
    let reply = Reply::json(200, &view(c, stored)?)?.tagged_by_content(stored.version);
    Ok(match secret {
        None => reply,
        Some(secret) => reply.once("secret", secret.text()),
    })
}

fn view(c: &mut Conn<'_>, stored: &Stored<Webhook>) -> Outcome<Resource<WebhookView>> {
    let progress = store::progress_of(c, stored.value.id)?;
    Ok(Resource::of(stored, |subscription| WebhookView {
        subscription: subscription.clone(),
        cursor: cursor::text(progress.cursor),
        attempts: progress.attempts,
        next_attempt_at: progress.next_at,
        // The answer that shows it has it beside the view, and keeps it nowhere.
        secret: None,
    }))
}

/// The caller's own subscription.
pub(super) fn own<T: Send + Sync + 'static>(
    call: &Call<T>,
    c: &mut Conn<'_>,
    id: WebhookId,
) -> Outcome<Stored<Webhook>> {
    let stored = c.get::<Webhook>(id)?;
    if stored.value.is_of(&call.who.actor) { Ok(stored) } else { Err(Failure::NotFound(Webhook::KIND)) }
}

/// The caller's own subscription, to change it.
pub(super) fn lock_own<T: Send + Sync + 'static>(
    call: &Call<T>,
    tx: &mut Tx<'_>,
    id: WebhookId,
) -> Outcome<Stored<Webhook>> {
    call.lock_if(tx, id, |subscription: &Webhook| subscription.is_of(&call.who.actor))
}

/// Where something may be sent, as far as can be told now. Names are looked up, so it is asked off this thread and
/// before any transaction.
async fn check<T: Send + Sync + 'static>(call: &Call<T>, url: &str) -> Result<(), Problem> {
    let (sender, url) = (call.app().webhooks.sender.clone(), url.to_owned());
    let checked = tokio::task::spawn_blocking(move || sender.check(&url)).await;
    let checked = checked.map_err(|stopped| Problem::from(Failure::Broken(stopped.to_string())))?;
    checked.map_err(|violation| Problem::from(Failure::from(violation)))
}

/// A subscription to be made.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = CreateWebhook)]
struct Subscribe {
    /// Where to send: an https address.
    #[schema(example = "https://example.org/hooks/dps")]
    url: String,
    /// What it is for.
    #[validate(length(max = 500))]
    #[schema(max_length = 500)]
    description: Option<String>,
    /// Which events; all that the account may see where absent.
    #[serde(default)]
    filters: Filters,
    /// Send what comes after this place: `next` or an event's `cursor` of `GET /v1/events`. From now on where neither
    /// this nor `from` is given.
    after: Option<String>,
    /// Send what happened at or after this instant.
    from: Option<Instant>,
}

/// Subscribe to events
///
/// They are sent one after the other, in the order of the feed, each at least once: drop repeats by `webhook-id`. The
/// account is sent what it may see of the feed at that time. Signed by the Standard Webhooks specification; the answer
/// shows the secret, once: a replay under the idempotency key does not have it, and `rotate` makes another.
#[utoipa::path(tag = "webhooks", request_body = Subscribe, responses((status = 201, body = Resource<WebhookView>)))]
#[post("/v1/webhooks")]
async fn create_webhook(call: Call<Subscribe>) -> Answer {
    check(&call, &call.body.url).await?;
    let secret = Secret::new()?;
    call.write(move |tx, call| {
        let Subscribe { url, description, filters, after, from } = call.body.clone();
        let owner = &call.who.actor;
        tx.take_turn(&format!("webhooks of {} {}", owner.role.name(), owner.subject))?;
        let others = store::of(tx, owner)?.len();
        let id: WebhookId = tx.mint();
        let decision = Webhook::subscribe(id, &call.who.actor, url, description, filters, others, tx.now())?;
        let start = place(tx, &decision.0, after.as_deref(), from)?;
        let stored = tx.create(decision)?;
        let start = start.map_or_else(|| event::end(tx), Ok)?;
        store::place(tx, id, start)?;
        store::add_secret(tx, id, &call.app().webhooks.seal.close(id, &secret)?, tx.now())?;
        let shown = (!call.is_dry_run()).then_some(&secret);
        Ok(show(tx, &stored, shown)?.at(format!("/v1/webhooks/{id}")))
    })
    .await
}

/// The place of the feed that a caller names.
fn place(
    c: &mut Conn<'_>,
    subscription: &Webhook,
    after: Option<&str>,
    from: Option<Instant>,
) -> Outcome<Option<Cursor>> {
    let end = event::end(c)?;
    // Beyond the end nothing would be sent until the feed has grown up to there.
    let Some(from) = from else { return Ok(cursor::place(after, "/after")?.map(|at| at.min(end))) };
    if after.is_some() {
        return Err(ONE_PLACE.broken_at("/from", "there is a cursor too").into());
    }
    let filter = Filter { from: Some(from), ..deliver::filter(c, subscription)? };
    let first = event::after(c, &filter, Cursor::default(), 1)?;
    let before = first.first().map(|(at, _)| Cursor { tx: at.tx, seq: at.seq - 1 });
    Ok(Some(before.unwrap_or(end)))
}

/// List the own subscriptions
#[utoipa::path(tag = "webhooks", responses((status = 200, body = List<Resource<WebhookView>>)))]
#[get("/v1/webhooks")]
async fn list_webhooks(call: Call) -> Answer {
    call.scan(|c, call| {
        let own = store::of(c, &call.who.actor)?;
        let items = own.iter().map(|stored| view(c, stored)).collect::<Outcome<Vec<_>>>()?;
        Ok(Reply::json(200, &List { items, next: None })?.tagged_by_content(0))
    })
    .await
}

/// Read a subscription
#[utoipa::path(tag = "webhooks", params(("id" = WebhookId, Path)), responses((status = 200, body = Resource<WebhookView>)))]
#[get("/v1/webhooks/{id}")]
async fn get_webhook(call: Call, id: web::Path<WebhookId>) -> Answer {
    call.read(move |c, call| {
        let stored = own(call, c, *id)?;
        show(c, &stored, None)
    })
    .await
}

/// What is to be changed; what is absent stays.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ChangeWebhook)]
struct Change {
    /// Another address.
    url: Option<String>,
    /// Another description.
    #[validate(length(max = 500))]
    #[schema(max_length = 500)]
    description: Option<String>,
    /// Other filters, in place of all that were.
    filters: Option<Filters>,
}

/// Change a subscription
///
/// Its place in the feed stays: what was filtered out before is not sent later, unless it is replayed.
#[utoipa::path(tag = "webhooks", params(("id" = WebhookId, Path)), request_body = Change, responses((status = 200, body = Resource<WebhookView>)))]
#[patch("/v1/webhooks/{id}")]
async fn change_webhook(call: Call<Change>, id: web::Path<WebhookId>) -> Answer {
    if let Some(url) = call.body.url.clone() {
        check(&call, &url).await?;
    }
    act(call, *id, |subscription, _, call| {
        let Change { url, description, filters } = call.body.clone();
        Ok(subscription.change(url, description, filters)?)
    })
    .await
}

/// The common command on one's own subscription.
async fn act<T: Send + Sync + 'static>(
    call: Call<T>,
    id: WebhookId,
    decide: impl Fn(Webhook, &mut Tx<'_>, &Call<T>) -> Outcome<Decided<Webhook>> + Send + 'static,
) -> Answer {
    call.write(move |tx, call| {
        let before = lock_own(call, tx, id)?;
        let decision = decide(before.value.clone(), tx, call)?;
        let stored = tx.save(&before, decision)?;
        show(tx, &stored, None)
    })
    .await
}

/// Delete a subscription
///
/// Nothing more is sent. Its secrets and its log are forgotten.
#[utoipa::path(tag = "webhooks", params(("id" = WebhookId, Path)), responses((status = 200, body = Resource<WebhookView>)))]
#[delete("/v1/webhooks/{id}")]
async fn delete_webhook(call: Call, id: web::Path<WebhookId>) -> Answer {
    call.write(move |tx, call| {
        let before = lock_own(call, tx, *id)?;
        let decision = before.value.clone().delete(tx.now())?;
        let stored = tx.save(&before, decision)?;
        let reply = show(tx, &stored, None)?;
        store::forget(tx, *id)?;
        Ok(reply)
    })
    .await
}

/// Pause a subscription
///
/// Nothing is lost: `resume` goes on where it stopped.
#[utoipa::path(tag = "webhooks", params(("id" = WebhookId, Path)), responses((status = 200, body = Resource<WebhookView>)))]
#[post("/v1/webhooks/{id}/pause")]
async fn pause_webhook(call: Call, id: web::Path<WebhookId>) -> Answer {
    act(call, *id, |subscription, tx, _| Ok(subscription.pause(tx.now())?)).await
}

/// How to go on.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ResumeWebhook)]
struct Resume {
    /// Leave out the event that could not be delivered.
    #[serde(default)]
    skip: bool,
}

/// Resume a paused or failing subscription
///
/// It goes on where it stopped. After a failure that is the event that could not be delivered, with all its attempts
/// before it again, or with `skip` the event after it.
#[utoipa::path(tag = "webhooks", params(("id" = WebhookId, Path)), request_body = Resume, responses((status = 200, body = Resource<WebhookView>)))]
#[post("/v1/webhooks/{id}/resume")]
async fn resume_webhook(call: Call<Resume>, id: web::Path<WebhookId>) -> Answer {
    act(call, *id, |subscription, tx, call| {
        let skipped = subscription.undeliverable().filter(|_| call.body.skip);
        let decision = subscription.resume(call.body.skip)?;
        let at = match skipped {
            Some(event) => event::place_of(tx, event)?,
            None => None,
        };
        let at = at.map_or_else(|| Ok(store::progress_of(tx, decision.0.id)?.cursor), Ok::<_, Failure>)?;
        store::place(tx, decision.0.id, at)?;
        Ok(decision)
    })
    .await
}

/// Where to go on from: one of the two.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ReplayWebhook)]
struct Replay {
    /// After this place: `next` or an event's `cursor` of `GET /v1/events`.
    after: Option<String>,
    /// With what happened at or after this instant.
    from: Option<Instant>,
}

/// Send again from a place of the feed
///
/// Back, for what is to be sent once more by the same ids, or forward, to leave something out. A subscription that is
/// paused or failing stays so.
#[utoipa::path(tag = "webhooks", params(("id" = WebhookId, Path)), request_body = Replay, responses((status = 200, body = Resource<WebhookView>)))]
#[post("/v1/webhooks/{id}/replay")]
async fn replay_webhook(call: Call<Replay>, id: web::Path<WebhookId>) -> Answer {
    act(call, *id, |subscription, tx, call| {
        let Replay { after, from } = call.body.clone();
        let decision = subscription.replay()?;
        let Some(at) = place(tx, &decision.0, after.as_deref(), from)? else {
            return Err(BAD_CURSOR.broken_at("/after", "a cursor or an instant is needed").into());
        };
        store::place(tx, decision.0.id, at)?;
        Ok(decision)
    })
    .await
}

/// An attempt to deliver.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeliveryView {
    /// Identifier of the attempt.
    id: Uuid,
    /// The event, or the ping: `webhook-id`.
    event: Uuid,
    /// The event's type.
    #[serde(rename = "type")]
    #[schema(example = "Suspended")]
    kind: String,
    /// Counted from 1 for each event.
    attempt: i32,
    /// When.
    at: Instant,
    /// How long it took, in milliseconds.
    duration_ms: i64,
    /// The status that the receiver answered with, if it did.
    status: Option<i32>,
    /// How it ended.
    #[schema(value_type = super::send::Ended)]
    outcome: String,
}

impl From<store::Delivery> for DeliveryView {
    fn from(row: store::Delivery) -> Self {
        let store::Delivery { id, webhook_id: _, event_id, kind, attempt, at, duration_ms, status, outcome } = row;
        Self { id: id.0, event: event_id.0, kind, attempt, at: at.0, duration_ms, status, outcome }
    }
}

/// Which part of the log.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListDeliveriesQuery {
    /// Rows on the page, 1 to 200; 50 where absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List the deliveries of a subscription
///
/// Each attempt, pings included, newest first; kept for 30 days.
#[utoipa::path(tag = "webhooks", params(("id" = WebhookId, Path), ListDeliveriesQuery), responses((status = 200, body = List<DeliveryView>)))]
#[get("/v1/webhooks/{id}/deliveries")]
async fn list_deliveries(call: Call, id: web::Path<WebhookId>, search: web::Query<ListDeliveriesQuery>) -> Answer {
    call.scan(move |c, call| {
        own(call, c, *id)?;
        let limit = listing::rows(search.limit)?;
        let before = search.cursor.as_deref().map(Uuid::parse_str).transpose().map_err(|_| bad_cursor())?;
        let found = store::deliveries_of(c, *id, before, limit + 1)?;
        Reply::json(200, &List::cut(found.into_iter().map(DeliveryView::from).collect(), limit, |row| row.id))
    })
    .await
}

//! The secret of a subscription: made anew, and tried out.

use actix_web::{post, web};
use domain::kernel::{Instant, WebhookId};
use domain::webhook::Webhook;
use persistence::webhook as store;
use persistence::{Mode, Stamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::deliver;
use super::endpoints::{DeliveryView, WebhookView, lock_own, own, show};
use super::send::{Ended, Sent};
use super::sign::{self, Secret};
use crate::http::reply::Resource;
use crate::http::routes::routes;
use crate::http::{Answer, Call, Reply};

routes! {
    rotate_webhook: Subscribe, [];
    ping_webhook: Subscribe, [];
}

/// Hours that the old secret signs on where the caller does not say.
const OVERLAP: u32 = 24;

/// How long the old secret signs on.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = RotateWebhook)]
struct Rotate {
    /// Hours, 0 to 168; 24 where absent.
    #[validate(range(min = 0, max = 168))]
    #[schema(minimum = 0, maximum = 168)]
    overlap_hours: Option<u32>,
}

/// Rotate the secret
///
/// From now on each request is signed with the new secret and, until the overlap ends, with the old one too: whoever
/// knows either can verify it. The answer shows the new secret, once.
#[utoipa::path(tag = "webhooks", params(("id" = WebhookId, Path)), request_body = Rotate, responses((status = 200, body = Resource<WebhookView>)))]
#[post("/v1/webhooks/{id}/rotate")]
async fn rotate_webhook(call: Call<Rotate>, id: web::Path<WebhookId>) -> Answer {
    let secret = Secret::new()?;
    call.write(move |tx, call| {
        let before = lock_own(call, tx, *id)?;
        let hours = call.body.overlap_hours.unwrap_or(OVERLAP);
        let until = tx.now().plus_seconds(i64::from(hours) * 3600);
        let stored = tx.save(&before, before.value.clone().rotate(until)?)?;
        store::add_secret(tx, *id, &call.app().webhooks.seal.close(*id, &secret)?, until)?;
        let shown = (!call.is_dry_run()).then_some(&secret);
        show(tx, &stored, shown)
    })
    .await
}

/// What a ping says.
#[derive(Serialize)]
struct Ping {
    subscription: WebhookId,
}

/// Send a ping
///
/// Sends a signed `ping` now, whatever state the subscription is in, and answers with how it ended. It takes no notice
/// of `Idempotency-Key`: each ping is a new one.
#[utoipa::path(tag = "webhooks", params(("id" = WebhookId, Path)), responses((status = 200, body = DeliveryView)))]
#[post("/v1/webhooks/{id}/ping")]
async fn ping_webhook(call: Call, id: web::Path<WebhookId>) -> Answer {
    let (id, app, now) = (*id, call.shared(), call.now());
    let (who, dry) = ((*call.who.actor).clone(), call.is_dry_run());
    let read = app.db.read(move |c| {
        let subscription: Webhook = own(&call, c, id)?.value;
        Ok((subscription.url, store::secrets_of(c, id, now)?))
    });
    let (url, secrets) = read.await?;
    let event = Uuid::from_bytes(sign::random()?);
    let sent = if dry { Sent::nothing(Ended::NotSent) } else { ping(&app, id, &url, secrets, event, now).await? };
    let stamp = Stamp { now, actor: who, request: None, ids: app.ids.clone() };
    let mode = if dry { Mode::DryRun } else { Mode::Commit };
    let logged = app.db.write(stamp, mode, move |tx| deliver::log(tx, id, (event, "ping"), 1, sent)).await?;
    Ok(Reply::json(200, &DeliveryView::from(logged))?.send(None))
}

async fn ping(
    app: &crate::App,
    id: WebhookId,
    url: &str,
    secrets: Vec<(Vec<u8>, Option<Instant>)>,
    event: Uuid,
    now: Instant,
) -> persistence::Outcome<Sent> {
    let sealed: Vec<Vec<u8>> = secrets.into_iter().map(|(sealed, _)| sealed).collect();
    let body = deliver::body("ping", now, Ping { subscription: id })?;
    let sent = deliver::transmit(app, id, url, &sealed, event, body).await?;
    app.metrics.delivered(sent.ended.name());
    Ok(sent)
}

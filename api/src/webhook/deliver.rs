//! Sends the feed to its subscribers: each subscription by one server at a time, one event after the other.
//!
//! An event is sent, and then its delivery is committed: a server that ends between the two has it sent again, by the
//! same id. Nothing is skipped, so whatever the feed shows its owner arrives at least once, in the feed's order.

use std::time::{Duration, Instant as Stopwatch};

use actix_web::web;
use domain::kernel::{Instant, Permission, WebhookId};
use domain::webhook::{Undelivered, Webhook, WebhookState, retry};
use persistence::record::event::{self, Cursor, Filter, Scope};
use persistence::record::lease;
use persistence::webhook::{self as store, Delivery, Progress};
use persistence::{Conn, Mode, Moment, Outcome, Tx, Uid};
use serde::Serialize;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::send::{Ended, Message, Sent};
use super::sign::{self, Secret};
use crate::App;
use crate::clock::Clock;
use crate::jobs::{Due, Tally};
use crate::record::events::EventView;

/// Subscriptions that a server sends to at once.
const AT_ONCE: usize = 8;
/// How long a server goes on with whom it has begun with, before it looks anew who waits: a slow receiver is not to be
/// waited for by others.
const SPELL: Duration = Duration::from_secs(10);
/// Events that are read at a time.
const BATCH: i64 = 50;
/// Seconds that a lease is held without being renewed: longer than a request takes.
const LEASE: i64 = 60;

/// How many subscriptions something may have to be sent to.
///
/// # Errors
/// Where the store fails.
pub fn due(c: &mut Conn<'_>, now: Instant) -> Outcome<Due> {
    let end = event::end(c)?;
    let work = store::work(c, end, now)?;
    Ok(Due { count: i64::try_from(work.due.len()).unwrap_or(i64::MAX), next_at: work.next_at })
}

/// Sends whatever is due at `now`.
///
/// # Errors
/// Where the store fails.
pub async fn run(app: &web::Data<App>, now: Instant) -> Outcome<Tally> {
    let work = app.db.scan(move |c| {
        let end = event::end(c)?;
        store::work(c, end, now)
    });
    let mut waiting = work.await?.due.into_iter();
    let began = Stopwatch::now();
    let (mut turns, mut all, mut broken) = (JoinSet::new(), Tally::default(), None);
    loop {
        while turns.len() < AT_ONCE
            && began.elapsed() < SPELL
            && let Some(id) = waiting.next()
        {
            turns.spawn(turn(app.clone(), id));
        }
        match turns.join_next().await {
            None => break,
            Some(Ok(Ok(tally))) => all += tally,
            Some(Ok(Err(failure))) => broken = Some(failure),
            Some(Err(stopped)) => broken = Some(persistence::Failure::Broken(stopped.to_string())),
        }
    }
    broken.map_or(Ok(all), Err)
}

/// Sends to one subscription, if no other server does.
async fn turn(app: web::Data<App>, id: WebhookId) -> Outcome<Tally> {
    let turn = Turn { id, holder: Uuid::from_bytes(sign::random()?) };
    let now = app.clock.now();
    let Some(batch) = app.db.scan(move |c| Batch::read(c, id, now)).await? else { return Ok(Tally::default()) };
    if let (true, Some(end)) = (batch.items.is_empty(), batch.end) {
        // Most of what happens is not for most subscriptions: to pass over it takes no lease.
        let (from, there) = (batch.progress.cursor, Progress { cursor: end, attempts: 0, next_at: None });
        app.db
            .write(app.by_clock(app.clock.now()), Mode::Commit, move |tx| store::proceed(tx, id, from, there))
            .await?;
        return Ok(Tally::default());
    }
    let taken = app.db.write(app.by_clock(app.clock.now()), Mode::Commit, move |tx| turn.renew(tx)).await?;
    if !taken {
        return Ok(Tally::default());
    }
    let sent = turn.send(&app).await;
    app.db
        .write(app.by_clock(app.clock.now()), Mode::Commit, move |tx| lease::release(tx, &turn.lease(), turn.holder))
        .await?;
    sent
}

/// A subscription that this server has the lease of.
#[derive(Clone, Copy)]
struct Turn {
    id: WebhookId,
    holder: Uuid,
}

/// What is to be sent next.
struct Batch {
    url: String,
    sealed: Vec<Vec<u8>>,
    progress: Progress,
    items: Vec<Item>,
    /// Where the feed ends, where these are all of its events.
    end: Option<Cursor>,
}

/// An event as it is sent.
struct Item {
    place: Cursor,
    id: Uuid,
    kind: String,
    body: String,
}

/// What a receiver gets: the feed's own item, in the form that the specification recommends.
#[derive(Serialize)]
struct Payload<'a, T> {
    #[serde(rename = "type")]
    kind: &'a str,
    timestamp: Instant,
    data: T,
}

/// The body of a message.
///
/// # Errors
/// Where it cannot be written as JSON.
pub fn body(kind: &str, timestamp: Instant, data: impl Serialize) -> Outcome<String> {
    Ok(serde_json::to_string(&Payload { kind, timestamp, data })?)
}

impl Turn {
    fn lease(&self) -> String {
        format!("webhook/{}", self.id)
    }

    /// Takes the lease, or makes it last longer. By the machine's time, as leases are.
    fn renew(&self, tx: &mut Tx<'_>) -> Outcome<bool> {
        let now = Clock::system();
        lease::take(tx, &self.lease(), self.holder, now, now.plus_seconds(LEASE))
    }

    async fn send(self, app: &App) -> Outcome<Tally> {
        let (mut tally, began) = (Tally::default(), Stopwatch::now());
        loop {
            let (id, now) = (self.id, app.clock.now());
            let Some(batch) = app.db.scan(move |c| Batch::read(c, id, now)).await? else { return Ok(tally) };
            let mut progress = batch.progress;
            for item in batch.items {
                let attempt = progress.attempts + 1;
                let sent = transmit(app, self.id, &batch.url, &batch.sealed, item.id, item.body).await?;
                let delivered = sent.ended == Ended::Delivered;
                app.metrics.delivered(sent.ended.name());
                tracing::info!(subscription = %self.id, event = %item.id, attempt, outcome = sent.ended.name(), status = sent.status);
                if delivered {
                    tally.made += 1;
                } else {
                    tally.failed += 1;
                }
                let next =
                    Next { from: progress.cursor, place: item.place, event: item.id, kind: item.kind, attempt, sent };
                let draw = u32::from_ne_bytes(sign::random()?);
                let settled = app
                    .db
                    .write(app.by_clock(app.clock.now()), Mode::Commit, move |tx| self.settle(tx, &next, draw))
                    .await?;
                if !(settled && delivered) || began.elapsed() >= SPELL {
                    return Ok(tally);
                }
                progress = Progress { cursor: item.place, attempts: 0, next_at: None };
            }
            let Some(end) = batch.end else { continue };
            let from = progress.cursor;
            if end > from {
                let there = Progress { cursor: end, attempts: 0, next_at: None };
                app.db
                    .write(app.by_clock(app.clock.now()), Mode::Commit, move |tx| {
                        Ok(lease::holds(tx, &self.lease(), self.holder)? && store::proceed(tx, self.id, from, there)?)
                    })
                    .await?;
            }
            return Ok(tally);
        }
    }

    /// Writes down how an attempt ended. `false` where this server is to stop: it lost the lease, or the subscription
    /// was stopped or put elsewhere meanwhile.
    fn settle(&self, tx: &mut Tx<'_>, next: &Next, draw: u32) -> Outcome<bool> {
        if !lease::holds(tx, &self.lease(), self.holder)? {
            return Ok(false);
        }
        self.renew(tx)?;
        let stored = tx.lock::<Webhook>(self.id)?;
        let Next { from, place, event, ref kind, attempt, sent } = *next;
        if matches!(stored.value.state, WebhookState::Deleted { .. }) {
            return Ok(false);
        }
        log(tx, self.id, (event, kind), attempt, sent)?;
        let active = matches!(stored.value.state, WebhookState::Active);
        if sent.ended == Ended::Delivered {
            let there = Progress { cursor: place, attempts: 0, next_at: None };
            return Ok(store::proceed(tx, self.id, from, there)? && active);
        }
        let next_at = match sent.ended {
            Ended::Gone => None,
            _ => retry::next(attempt, draw, sent.retry_after, tx.now()),
        };
        let still = Progress { cursor: from, attempts: attempt, next_at };
        if store::proceed(tx, self.id, from, still)? && active && next_at.is_none() {
            let reason = if sent.ended == Ended::Gone { Undelivered::Gone } else { Undelivered::Exhausted };
            let decision = stored.value.clone().fail(event, reason, tx.now())?;
            tx.save(&stored, decision)?;
            tracing::warn!(subscription = %self.id, %event, outcome = sent.ended.name(), "a webhook is failing");
        }
        Ok(active)
    }
}

/// An attempt to write down.
#[derive(Clone)]
struct Next {
    from: Cursor,
    place: Cursor,
    event: Uuid,
    kind: String,
    attempt: u32,
    sent: Sent,
}

/// Adds an attempt to the log of deliveries.
///
/// # Errors
/// Where the store fails.
pub fn log(tx: &mut Tx<'_>, id: WebhookId, (event, kind): (Uuid, &str), attempt: u32, sent: Sent) -> Outcome<Delivery> {
    let delivery = Delivery {
        id: tx.mint::<Uuid>().into(),
        webhook_id: Uid::from(id),
        event_id: event.into(),
        kind: kind.to_owned(),
        attempt: i32::try_from(attempt).unwrap_or(i32::MAX),
        at: Moment(tx.now()),
        duration_ms: i64::try_from(sent.took.as_millis()).unwrap_or(i64::MAX),
        status: sent.status.map(i32::from),
        outcome: sent.ended.name().to_owned(),
    };
    store::log(tx, &delivery)?;
    Ok(delivery)
}

/// The feed as the owner of a subscription sees it now, by the subscription's filters.
///
/// # Errors
/// Where the store fails.
pub fn filter(c: &mut Conn<'_>, subscription: &Webhook) -> Outcome<Filter> {
    let who = usecase::client::account(c, &subscription.owner, Permission::Subscribe)?;
    let filters = &subscription.filters;
    Ok(Filter {
        // Whoever was revoked is sent nothing more.
        scope: who.map_or(Ok(Scope::Nothing), |who| who.record_scope(c))?,
        kinds: filters.kinds.clone(),
        arrangement: filters.arrangement.map(Uuid::from),
        lot: filters.lot.map(Uuid::from),
        provider: filters.provider.map(Uuid::from),
        ..Filter::default()
    })
}

impl Batch {
    /// `None` where nothing is to be sent now.
    fn read(c: &mut Conn<'_>, id: WebhookId, now: Instant) -> Outcome<Option<Self>> {
        let subscription = c.get::<Webhook>(id)?.value;
        if !matches!(subscription.state, WebhookState::Active) {
            return Ok(None);
        }
        let progress = store::progress_of(c, id)?;
        if progress.next_at.is_some_and(|at| at > now) {
            return Ok(None);
        }
        let filter = filter(c, &subscription)?;
        if matches!(filter.scope, Scope::Nothing) {
            return Ok(None);
        }
        let found = event::after(c, &filter, progress.cursor, BATCH)?;
        let full = i64::try_from(found.len()).is_ok_and(|n| n == BATCH);
        let end = if full { None } else { Some(event::end(c)?.max(progress.cursor)) };
        let sealed = store::secrets_of(c, id, now)?.into_iter().map(|(sealed, _)| sealed).collect();
        let items = found.into_iter().map(|(place, entry)| {
            let (id, kind, at) = (entry.id.0, entry.kind.clone(), entry.at.0);
            let body = body(&kind, at, EventView::of(place, entry, &filter.scope)?)?;
            Ok(Item { place, id, kind, body })
        });
        Ok(Some(Self { url: subscription.url, sealed, progress, items: items.collect::<Outcome<_>>()?, end }))
    }
}

/// Signs a message with every live secret, newest first, and sends it.
///
/// # Errors
/// Where the server is broken; whatever is wrong with the receiver is in the answer.
pub async fn transmit(
    app: &App,
    to: WebhookId,
    url: &str,
    sealed: &[Vec<u8>],
    id: Uuid,
    body: String,
) -> Outcome<Sent> {
    let secrets: Vec<Secret> = sealed.iter().filter_map(|sealed| app.webhooks.seal.open(to, sealed)).collect();
    if secrets.is_empty() {
        tracing::error!(subscription = %to, "no secret can be read: was the seal key replaced?");
        return Ok(Sent::nothing(Ended::SecretUnreadable));
    }
    // Receivers refuse what is old by their own clocks, so it is the machine's time, never a moved one.
    let (id, seconds) = (id.to_string(), Clock::system().micros() / 1_000_000);
    let signatures = secrets.iter().map(|secret| secret.sign(&id, seconds, &body)).collect::<Outcome<Vec<_>>>()?;
    let message = Message { id, seconds, signature: signatures.join(" "), body };
    let (sender, url) = (app.webhooks.sender.clone(), url.to_owned());
    let sent = tokio::task::spawn_blocking(move || sender.send(&url, message)).await;
    sent.map_err(|stopped| persistence::Failure::Broken(stopped.to_string()))
}

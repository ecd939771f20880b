//! The clock-driven work: whatever is due, earliest first, each in its own transaction, by the same code that a
//! request would run. Several servers may sweep one database: a change is made under a lock and only while due.

use std::collections::HashSet;
use std::sync::atomic::{AtomicI64, Ordering};

use actix_web::web;
use domain::kernel::{Actor, Instant};
use persistence::record::{checkpoint, idempotency, timer};
use persistence::{Failure, Mode, Outcome, Stamp, Tx};
use uuid::Uuid;

use crate::App;
use crate::clock::Clock;

/// Due things read at a time.
const BATCH: i64 = 100;
/// Answers under idempotency keys are kept this long.
const ANSWERS_KEPT_DAYS: i64 = 30;
/// The feed is sealed this often at most, by each server.
const SEALED_EVERY: std::time::Duration = std::time::Duration::from_secs(60);

/// What a sweep did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct Done {
    /// Changes that were due and were made.
    pub made: usize,
    /// Changes that were due and failed: logged, counted and left for the next sweep.
    pub failed: usize,
    /// Checkpoints that were made.
    pub sealed: usize,
}

/// Makes every change that is due at `now`.
///
/// # Errors
/// Where the store cannot be reached.
pub async fn sweep(app: &App, now: Instant) -> Outcome<Done> {
    let (mut done, mut tried) = (Done::default(), HashSet::new());
    loop {
        // Whatever was tried and is still due stays in front: it must not hide what comes after it.
        let limit = BATCH.saturating_add(i64::try_from(tried.len()).unwrap_or(i64::MAX));
        let due = app.db.scan(move |c| timer::due(c, now, limit)).await?;
        app.metrics.overdue(due.first().map_or(0, |t| (now.micros() - t.at.micros()) / 1_000_000));
        let Some(next) = due.into_iter().find(|t| !tried.contains(&(t.id, t.at))) else { return Ok(done) };
        tried.insert((next.id, next.at));
        let (id, kind, what) = (next.id, next.kind.clone(), next.what.clone());
        match tick(app, now, next.kind, id).await {
            Ok(()) => {
                done.made += 1;
                app.metrics.swept(&kind, &what, "made");
            }
            Err(Failure::Unavailable(why)) => return Err(Failure::Unavailable(why)),
            Err(failure) => {
                done.failed += 1;
                tracing::error!(%kind, %what, %id, %failure, "a change that is due failed");
                app.metrics.swept(&kind, &what, "failed");
            }
        }
    }
}

async fn tick(app: &App, now: Instant, kind: String, id: Uuid) -> Outcome<()> {
    app.db.write(stamp(app, now), Mode::Commit, move |tx| tick_in(tx, &kind, id)).await
}

fn stamp(app: &App, now: Instant) -> Stamp {
    Stamp { now, actor: Actor::clock(), request: None, ids: app.ids.clone() }
}

fn tick_in(tx: &mut Tx<'_>, kind: &str, id: Uuid) -> Outcome<()> {
    let ticks = [crate::arrangement::tick, crate::admission::tick, crate::standing::tick];
    for tick in ticks {
        if tick(tx, kind, id)? {
            return Ok(());
        }
    }
    Err(Failure::Broken(format!("nothing ticks a {kind}")))
}

/// Moves a movable clock to `to`, stopping at each instant at which something falls due, so that a jump over ten
/// years does what ten years would have done.
///
/// # Errors
/// Where the store cannot be reached.
pub async fn walk(app: &App, clock: &AtomicI64, to: Instant) -> Outcome<()> {
    let mut stuck = None;
    loop {
        let next = app.db.scan(move |c| timer::due(c, to, 1)).await?.pop();
        // A change that stays due failed: it is logged, and the rest of the way is walked at its end.
        if next.is_none() || next == stuck {
            break;
        }
        let stop = next.as_ref().map_or(to, |timer| timer.at.max(app.clock.now()));
        clock.store(stop.micros(), Ordering::SeqCst);
        sweep(app, stop).await?;
        stuck = next;
    }
    clock.store(to.micros(), Ordering::SeqCst);
    sweep(app, to).await?;
    // In all that time the feed would have been sealed.
    seal(app, to).await?;
    Ok(())
}

/// Seals the events of the feed that no checkpoint seals yet, if any. Returns how many checkpoints it took.
///
/// # Errors
/// Where the store cannot be reached.
pub async fn seal(app: &App, now: Instant) -> Outcome<usize> {
    let mut sealed = 0;
    while app.db.scan(checkpoint::is_due).await? {
        let made = app.db.write(stamp(app, now), Mode::Commit, checkpoint::seal).await?;
        sealed += usize::from(made.is_some());
        if !made.is_some_and(|made| made.is_full()) {
            break;
        }
    }
    Ok(sealed)
}

/// Forgets the answers under idempotency keys that are older than they are kept.
async fn forget(app: &App, now: Instant) -> Outcome<()> {
    let before = now.plus_seconds(-ANSWERS_KEPT_DAYS * 86_400);
    app.db.write(stamp(app, now), Mode::Commit, move |tx| idempotency::forget(tx, before)).await?;
    Ok(())
}

/// Does all that a server does by itself, once, as of now.
///
/// # Errors
/// Where the store cannot be reached.
pub async fn once(app: &App) -> Outcome<Done> {
    let now = app.clock.now();
    let done = sweep(app, now).await?;
    let sealed = seal(app, now).await?;
    if matches!(app.clock, Clock::System) {
        forget(app, now).await?;
    }
    Ok(Done { sealed, ..done })
}

/// Sweeps for as long as the server runs.
pub async fn run(app: web::Data<App>, every: std::time::Duration) {
    let mut beat = tokio::time::interval(every);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut tidied = Instant::from_micros(0);
    // By the machine's clock: one that is moved may stand still for long.
    let mut sealed: Option<std::time::Instant> = None;
    loop {
        beat.tick().await;
        let now = app.clock.now();
        if let Err(failure) = sweep(&app, now).await {
            tracing::warn!(%failure, "the sweep will try again");
        }
        if sealed.is_none_or(|at| at.elapsed() >= SEALED_EVERY) {
            sealed = Some(std::time::Instant::now());
            if let Err(failure) = seal(&app, now).await {
                tracing::warn!(%failure, "the feed was not sealed");
            }
        }
        if matches!(app.clock, Clock::System) && now > tidied.plus_seconds(3600) {
            tidied = now;
            if let Err(failure) = forget(&app, now).await {
                tracing::warn!(%failure, "old answers were not forgotten");
            }
        }
    }
}

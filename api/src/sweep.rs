//! The clock-driven work: whatever is due, earliest first, each in its own transaction, by the same code that a
//! request would run. Several servers may sweep one database: a change is made under a lock and only while due.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant as Stopwatch};

use actix_web::web;
use domain::kernel::Instant;
use persistence::record::timer::{self, Sorts};
use persistence::record::{checkpoint, time_index};
use persistence::{Failure, Mode, Outcome};
use usecase::clockwork::Clockwork;
use uuid::Uuid;

use crate::App;
use crate::jobs::{self, Tally};

/// Due things read at a time.
const BATCH: i64 = 100;

/// What a sweep did, by job.
#[derive(Clone, Debug, Default)]
pub struct Made(BTreeMap<&'static str, Tally>);

impl Made {
    /// All of it.
    #[must_use]
    pub fn total(&self) -> Tally {
        self.0.values().fold(Tally::default(), |mut all, tally| {
            all += *tally;
            all
        })
    }

    /// Each job's part.
    #[must_use]
    pub fn by_job(self) -> BTreeMap<&'static str, Tally> {
        self.0
    }

    fn add(&mut self, other: &Self) {
        for (job, tally) in &other.0 {
            *self.0.entry(job).or_default() += *tally;
        }
    }

    /// Keeps what was done as runs of the jobs.
    async fn keep(&self, app: &App, at: Instant, took: Duration) -> Outcome<()> {
        for (job, tally) in &self.0 {
            jobs::keep(app, job, at, took, *tally, false).await?;
        }
        Ok(())
    }
}

/// Makes every change that is due at `now`; of those sorts only, where some are given.
///
/// # Errors
/// Where the store cannot be reached. A change that fails is logged, counted and left for the next sweep.
pub async fn sweep(app: &App, sorts: Option<Sorts>, now: Instant) -> Outcome<Made> {
    let (mut made, mut tried) = (Made::default(), HashSet::new());
    loop {
        // Whatever was tried and is still due stays in front: it must not hide what comes after it.
        let limit = BATCH.saturating_add(i64::try_from(tried.len()).unwrap_or(i64::MAX));
        let due = app.db.scan(move |c| timer::due(c, sorts, now, limit)).await?;
        if sorts.is_none() {
            app.metrics.overdue(due.first().map_or(0, |t| (now.micros() - t.at.micros()) / 1_000_000));
        }
        let Some(next) = due.into_iter().find(|t| !tried.contains(&(t.id, t.at))) else { return Ok(made) };
        tried.insert((next.id, next.at));
        let (id, kind, what) = (next.id, next.kind.clone(), next.what.clone());
        let clockwork = match jobs::of_timer(&kind, &what) {
            Ok(clockwork) => clockwork,
            Err(failure) => {
                tracing::error!(%failure, "a change that is due is left undone");
                app.metrics.swept(&kind, &what, "failed");
                continue;
            }
        };
        let job = clockwork.job.name();
        match tick(app, now, clockwork, id).await {
            // Another server made it meanwhile.
            Ok(false) => {}
            Ok(true) => {
                made.0.entry(job).or_default().made += 1;
                app.metrics.swept(&kind, &what, "made");
            }
            Err(Failure::Unavailable(why)) => return Err(Failure::Unavailable(why)),
            Err(failure) => {
                tracing::error!(%kind, %what, %id, %failure, "a change that is due failed");
                made.0.entry(job).or_default().failed += 1;
                app.metrics.swept(&kind, &what, "failed");
            }
        }
    }
}

/// Makes the change, if it is still due. Whether it did.
async fn tick(app: &App, now: Instant, clockwork: &'static Clockwork, id: Uuid) -> Outcome<bool> {
    let write = app.db.write(app.by_clock(now), Mode::Commit, move |tx| {
        (clockwork.tick)(tx, id)?;
        Ok(tx.changed())
    });
    write.await
}

/// Moves a movable clock to `to`, stopping at each instant at which something falls due, so that a jump over ten
/// years does what ten years would have done.
///
/// # Errors
/// Where the store cannot be reached.
pub async fn walk(app: &App, clock: &AtomicI64, to: Instant) -> Outcome<()> {
    let began = Stopwatch::now();
    let (mut made, mut stuck) = (Made::default(), None);
    loop {
        let next = app.db.scan(move |c| timer::due(c, None, to, 1)).await?.pop();
        // A change that stays due failed: it is logged, and the rest of the way is walked at its end.
        if next.is_none() || next == stuck {
            break;
        }
        let stop = next.as_ref().map_or(to, |timer| timer.at.max(app.clock.now()));
        clock.store(stop.micros(), Ordering::SeqCst);
        made.add(&sweep(app, None, stop).await?);
        stuck = next;
    }
    clock.store(to.micros(), Ordering::SeqCst);
    made.add(&sweep(app, None, to).await?);
    made.keep(app, to, began.elapsed()).await?;
    // In all that time the feed would have been sealed.
    seal(app, to).await.map(drop)
}

/// Seals the events of the feed that no checkpoint seals yet, if any. Returns how many checkpoints it took.
///
/// # Errors
/// Where the store cannot be reached.
pub async fn seal(app: &App, now: Instant) -> Outcome<Tally> {
    let mut tally = Tally::default();
    while app.db.scan(checkpoint::is_due).await? {
        let made = app.db.write(app.by_clock(now), Mode::Commit, checkpoint::seal).await?;
        tally.made += usize::from(made.is_some());
        if !made.is_some_and(|made| made.is_full()) {
            break;
        }
    }
    // Where a time is in the feed is told with it.
    while app.db.scan(time_index::is_due).await?
        && app.db.write(app.by_clock(now), Mode::Commit, time_index::keep).await?
    {}
    Ok(tally)
}

/// Makes every change that is due, and keeps that it did.
///
/// # Errors
/// Where the store cannot be reached.
pub async fn timed(app: &App, now: Instant) -> Outcome<Made> {
    let began = Stopwatch::now();
    let made = sweep(app, None, now).await?;
    made.keep(app, now, began.elapsed()).await?;
    app.metrics.sweep_ended();
    Ok(made)
}

/// Sweeps for as long as the server runs.
pub async fn run(app: web::Data<App>, every: Duration) {
    let mut beat = tokio::time::interval_at(tokio::time::Instant::now() + every, every);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        if let Err(failure) = timed(&app, app.clock.now()).await {
            tracing::warn!(%failure, "the sweep will try again");
        }
    }
}

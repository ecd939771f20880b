//! The work that no request asks for: by the clock, and in the background. Each job has a name under which it is
//! listed, run and inspected (CRD-08, requirements §7).
//!
//! What the clock does is stated by each subject; a new job of another sort is an entry in [`JOBS`]. Every server runs all of them; several on one database share the work, because a
//! change is made under a lock and only while due, or by whoever holds a lease.

pub mod endpoints;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::LazyLock;
use std::time::{Duration, Instant as Stopwatch};

use actix_web::rt::task::JoinHandle;
use actix_web::web;
use domain::kernel::Instant;
use persistence::record::job::{self, JobRun};
use persistence::record::timer::{self, Sorts};
use persistence::record::{checkpoint, idempotency};
use persistence::{Conn, Failure, Mode, Moment, Outcome, webhook};
use usecase::clockwork::{ClockJob, Clockwork};
use uuid::Uuid;

use crate::clock::Clock;
use crate::http::routes::Subject;
use crate::webhook::deliver;
use crate::{App, SUBJECTS, sweep};

/// Days that answers under idempotency keys, deliveries and runs of jobs are kept.
const RETENTION_DAYS: i64 = 30;

/// A piece of work with a name.
pub struct Job {
    /// Its name in paths.
    pub name: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    work: Work,
}

/// What a job does.
enum Work {
    /// The clock-driven changes of these sorts. In the background one sweep makes them all, in the order in which they
    /// fall due.
    Clock(Sorts),
    /// Anything else.
    Own {
        /// How often it is run in the background.
        every: Duration,
        /// Whether it follows real time, and is left alone in the background where the clock is moved.
        real_time: bool,
        /// What there is to do.
        due: fn(&mut Conn<'_>, Instant) -> Outcome<Due>,
        /// Does it.
        run: for<'a> fn(&'a web::Data<App>, Instant) -> Running<'a>,
    },
}

/// Work under way.
type Running<'a> = Pin<Box<dyn Future<Output = Outcome<Tally>> + 'a>>;

/// What a job has to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Due {
    /// How many things.
    pub count: i64,
    /// When the next one after them falls due, where that is known.
    pub next_at: Option<Instant>,
}

/// What a job did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct Tally {
    /// How many things were done.
    pub made: usize,
    /// How many failed.
    pub failed: usize,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.made += other.made;
        self.failed += other.failed;
    }
}

/// The jobs over HTTP.
pub static SUBJECT: Subject = Subject {
    tags: &[("jobs", "Clock-driven and background work (CRD-08)")],
    routes: &[endpoints::routes],
    clock: &[],
    deadlines: &[],
    uploads: &[],
};

/// Every job, in the order of the list: those of the clock, then the others.
pub static JOBS: LazyLock<Vec<Job>> = LazyLock::new(|| {
    let clock =
        ClockJob::ALL.map(|job| Job { name: job.name(), summary: job.summary(), work: Work::Clock(sorts(job)) });
    clock.into_iter().chain(OTHERS()).collect()
});

/// What the clock does, of every subject.
fn clockwork() -> impl Iterator<Item = &'static Clockwork> {
    SUBJECTS.iter().flat_map(|subject| subject.clock)
}

/// The sorts of timers that a job makes.
fn sorts(job: ClockJob) -> Sorts {
    let own = clockwork().filter(|clockwork| clockwork.job == job);
    // As many as the program has, and made once.
    own.map(|clockwork| (clockwork.kind.name(), clockwork.what)).collect::<Vec<_>>().leak()
}

/// The jobs that are not the clock's.
const OTHERS: fn() -> [Job; 3] = || {
    [
        Job {
            name: "deliver",
            summary: "Send webhooks",
            work: Work::Own {
                every: Duration::from_secs(1),
                real_time: false,
                due: deliver::due,
                run: |app, now| Box::pin(deliver::run(app, now)),
            },
        },
        Job {
            name: "seal",
            summary: "Seal the feed with a checkpoint",
            work: Work::Own {
                every: Duration::from_secs(60),
                real_time: false,
                due: |c, _| Ok(Due { count: i64::from(checkpoint::is_due(c)?), next_at: None }),
                run: |app, now| Box::pin(sweep::seal(app, now)),
            },
        },
        Job {
            name: "tidy",
            summary: "Forget answers under idempotency keys, deliveries and runs of jobs after 30 days",
            work: Work::Own {
                every: Duration::from_secs(3600),
                real_time: true,
                due: |c, now| {
                    let before = now.plus_seconds(-RETENTION_DAYS * 86_400);
                    let count =
                        idempotency::old(c, before)? + webhook::old_deliveries(c, before)? + job::old(c, before)?;
                    Ok(Due { count, next_at: None })
                },
                run: |app, now| Box::pin(tidy(app, now)),
            },
        },
    ]
};

async fn tidy(app: &App, now: Instant) -> Outcome<Tally> {
    let before = now.plus_seconds(-RETENTION_DAYS * 86_400);
    let forgotten = app.db.write(app.by_clock(now), Mode::Commit, move |tx| {
        Ok(idempotency::forget(tx, before)? + webhook::forget_deliveries(tx, before)? + job::forget(tx, before)?)
    });
    Ok(Tally { made: forgotten.await?, failed: 0 })
}

/// What makes a clock-driven change of that sort.
///
/// # Errors
/// A defect: every sort of timer is some subject's.
pub fn of_timer(kind: &str, what: &str) -> Outcome<&'static Clockwork> {
    let found = clockwork().find(|clockwork| clockwork.kind.name() == kind && clockwork.what == what);
    found.ok_or_else(|| Failure::Broken(format!("no subject makes {kind}/{what}")))
}

impl Job {
    /// What there is to do at `now`.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn due(&self, c: &mut Conn<'_>, now: Instant) -> Outcome<Due> {
        match self.work {
            Work::Clock(sorts) => {
                let (count, next_at) = timer::outlook(c, sorts, now)?;
                Ok(Due { count, next_at })
            }
            Work::Own { due, .. } => due(c, now),
        }
    }

    /// Runs it. A run is kept where it did something or failed, and always where it was `asked` for.
    ///
    /// # Errors
    /// Where the store fails, or whatever the job does.
    pub async fn run(&self, app: &web::Data<App>, now: Instant, asked: bool) -> Outcome<JobRun> {
        let began = Stopwatch::now();
        let done = match self.work {
            Work::Clock(sorts) => sweep::sweep(app, Some(sorts), now).await.map(|made| made.total()),
            Work::Own { run, .. } => run(app, now).await,
        };
        let (tally, broken) = match done {
            Ok(tally) => (tally, None),
            Err(failure) => (Tally { made: 0, failed: 1 }, Some(failure)),
        };
        let run = keep(app, self.name, now, began.elapsed(), tally, asked).await?;
        broken.map_or(Ok(run), Err)
    }
}

/// Keeps a run of a job, where there is something to keep.
///
/// # Errors
/// Where the store fails.
pub async fn keep(
    app: &App,
    job: &'static str,
    at: Instant,
    took: Duration,
    tally: Tally,
    asked: bool,
) -> Outcome<JobRun> {
    let whole = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let run = move |id: Uuid| JobRun {
        id: id.into(),
        job: job.to_owned(),
        at: Moment(at),
        duration_ms: i64::try_from(took.as_millis()).unwrap_or(i64::MAX),
        made: whole(tally.made),
        failed: whole(tally.failed),
    };
    if tally == Tally::default() && !asked {
        return Ok(run(Uuid::nil()));
    }
    app.db
        .write(app.by_clock(at), Mode::Commit, move |tx| {
            let run = run(tx.mint());
            job::keep(tx, &run)?;
            Ok(run)
        })
        .await
}

/// Starts the jobs that run in the background beside the sweep, each on a beat of its own and none more often than
/// `least`.
#[must_use]
pub fn start(app: &web::Data<App>, least: Duration) -> Vec<JoinHandle<()>> {
    let beats = background(app).map(|(job, every)| actix_web::rt::spawn(beat(app.clone(), job, every.max(least))));
    beats.collect()
}

/// Does once, as of now, all that a server does by itself. Returns what was done, by job.
///
/// # Errors
/// Where the store fails, or whatever a job does.
pub async fn once(app: &web::Data<App>) -> Outcome<BTreeMap<&'static str, Tally>> {
    let now = app.clock.now();
    let mut done = sweep::timed(app, now).await?.by_job();
    for (job, _) in background(app) {
        let run = job.run(app, now, false).await?;
        let whole = |n: i64| usize::try_from(n).unwrap_or_default();
        *done.entry(job.name).or_default() += Tally { made: whole(run.made), failed: whole(run.failed) };
    }
    Ok(done)
}

/// The jobs beside the sweep, with how often each is run.
fn background(app: &App) -> impl Iterator<Item = (&'static Job, Duration)> {
    JOBS.iter().filter_map(|job| match job.work {
        Work::Own { real_time: true, .. } if matches!(app.clock, Clock::Movable(_)) => None,
        Work::Own { every, .. } => Some((job, every)),
        Work::Clock(_) => None,
    })
}

async fn beat(app: web::Data<App>, job: &'static Job, every: Duration) {
    let mut beat = tokio::time::interval_at(tokio::time::Instant::now() + every, every);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        if let Err(failure) = job.run(&app, app.clock.now(), false).await {
            tracing::warn!(job = job.name, %failure, "a job will be tried again");
        }
    }
}

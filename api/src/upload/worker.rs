//! Brings uploads to an end, one after the other in the order of their receipt, the accounts that sent them in turn, each
//! on one server at a time.
//!
//! A file is first read from end to end, and where all or nothing is applied each row is decided on the way, without a
//! lock. Then an atomic upload is applied in one transaction, a partial one in batches, each of which also writes how far it came:
//! whoever takes over goes on behind the last batch that is there.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use domain::kernel::{Instant, UploadId};
use domain::upload::{Counts, Failing, Note, Upload, UploadMode, UploadState};
use persistence::record::lease;
use persistence::upload::{self as store, Fault};
use persistence::{Conn, Failure, Mode, Outcome, Stamp, Stored, Tx};

use super::file;
use super::pass::Pass;
use super::rows;
use usecase::upload::row::{self, Line, Places};
use usecase::upload::{Decider, Tally, note, numbered};

use crate::App;
use crate::clock::Clock;

/// Uploads looked for at a time.
const LOOK: i64 = 1_000;
/// Seconds after which another server may take over from one that fell silent.
const LEASE: i64 = 60;
/// How often an atomic upload is tried again where other writes came in between its two ways through the file.
const TRIES: u32 = 3;
/// Forgotten at a time.
const FORGET: i64 = 50;
/// Seconds after which the pieces of a file that never became an upload are dropped: longer than any file may take.
const CUT: i64 = 86_400;

/// Works for as long as the server runs: at once when something was received, and on the beat for what another server
/// left.
pub async fn run(app: web::Data<App>, every: Duration) {
    let mut tidied = Instant::from_micros(0);
    loop {
        drain(&app).await;
        let now = app.clock.now();
        if now > tidied.plus_seconds(3600) {
            tidied = now;
            forget(&app, now).await;
        }
        tokio::select! {
            () = app.uploads.woken.notified() => {}
            () = tokio::time::sleep(every) => {}
        }
    }
}

/// Brings every upload to an end that no other server works on.
async fn drain(app: &App) {
    let (mut tried, mut served): (HashSet<UploadId>, HashMap<String, u32>) = (HashSet::new(), HashMap::new());
    loop {
        let found = match app.db.scan(move |c| store::open(c, LOOK)).await {
            Ok(found) => found,
            Err(failure) => return tracing::warn!(%failure, "uploads were not looked for"),
        };
        let next = found.into_iter().filter(|(id, _)| !tried.contains(id));
        let Some((id, owner)) = next.min_by_key(|(id, owner)| (served.get(owner).copied(), *id)) else { return };
        tried.insert(id);
        *served.entry(owner).or_default() += 1;
        if let Err(failure) = work(app, id).await {
            tracing::warn!(upload = %id, %failure, "an upload will be tried again");
        }
        app.uploads.moved.notify_waiters();
    }
}

async fn forget(app: &App, now: Instant) {
    let kept = now.plus_seconds(-86_400 * i64::from(app.uploads.limits.kept_days));
    let cut = now.plus_seconds(-CUT);
    let stamp = app.by_clock(now);
    loop {
        match app.db.write(stamp.clone(), Mode::Commit, move |tx| store::forget(tx, kept, cut, FORGET)).await {
            Ok(0) => return,
            Ok(_) => {}
            Err(failure) => return tracing::warn!(%failure, "old uploads were not forgotten"),
        }
    }
}

/// One upload in hand.
#[derive(Clone)]
struct Job<'a> {
    app: &'a App,
    upload: Arc<Upload>,
}

/// Brings one upload further, unless another server does.
async fn work(app: &App, id: UploadId) -> Outcome<()> {
    let found = app.db.read(move |c| c.get::<Upload>(id)).await?;
    let job = Job { app, upload: Arc::new(found.value) };
    if !job.write(|_| Ok(())).await.map_or_else(lost, |()| Ok(true))? {
        return Ok(());
    }
    let outcome = job.bring_to_an_end().await;
    let failed = match outcome {
        Ok(()) => Ok(()),
        // Another server took over.
        Err(Failure::Stale) => return Ok(()),
        Err(Failure::Unavailable(why)) => Err(Failure::Unavailable(why)),
        Err(Failure::Again(why)) => Err(Failure::Again(why)),
        Err(failure) => {
            tracing::error!(upload = %id, %failure, "an upload failed");
            job.end(|upload, counts, now| upload.fail(Failing::Server, counts, now)).await
        }
    };
    let (name, holder) = (job.lease(), app.uploads.holder);
    app.db.write(job.stamp(), Mode::Commit, move |tx| lease::release(tx, &name, holder)).await?;
    failed
}

/// `false` where the lease is another server's.
fn lost(failure: Failure) -> Outcome<bool> {
    if matches!(failure, Failure::Stale) { Ok(false) } else { Err(failure) }
}

impl Job<'_> {
    fn id(&self) -> UploadId {
        self.upload.id
    }

    fn lease(&self) -> String {
        format!("upload/{}", self.id())
    }

    /// In the name of who sent it, now.
    fn stamp(&self) -> Stamp {
        let (by, request) = (self.upload.by.clone(), self.upload.request.clone());
        Stamp { now: self.app.clock.now(), actor: by, request, ids: self.app.ids.clone() }
    }

    /// A transaction under the lease, which it renews; [`Failure::Stale`] where another server has it.
    async fn write<T: Send + 'static>(&self, work: impl Fn(&mut Tx<'_>) -> Outcome<T> + Send + 'static) -> Outcome<T> {
        let (name, holder) = (self.lease(), self.app.uploads.holder);
        self.app
            .db
            .write(self.stamp(), Mode::Commit, move |tx| {
                // By the machine's clock: a movable one stands still.
                let now = Clock::system();
                if !lease::take(tx, &name, holder, now, now.plus_seconds(LEASE))? {
                    return Err(Failure::Stale);
                }
                work(tx)
            })
            .await
    }

    /// Ends it by a command of the upload, with the counts of what was applied.
    async fn end(
        &self,
        command: impl Fn(Upload, Counts, Instant) -> domain::kernel::Decision<Upload> + Send + 'static,
    ) -> Outcome<()> {
        let id = self.id();
        self.write(move |tx| {
            let counts = store::progress(tx, id)?;
            conclude(tx, id, |upload, now| command(upload, counts, now)).map(drop)
        })
        .await
    }

    fn is_late(&self) -> bool {
        let seconds = i64::from(self.app.uploads.limits.minutes) * 60;
        self.app.clock.now() > self.upload.received_at.plus_seconds(seconds)
    }

    async fn too_late(&self) -> Outcome<()> {
        // What a way through an atomic file counted was not applied.
        let applies = self.upload.order.mode == UploadMode::Partial && self.upload.state != UploadState::Received;
        self.end(move |upload, counts, now| {
            upload.fail(Failing::TimeLimit, if applies { counts } else { Counts::default() }, now)
        })
        .await
    }

    async fn bring_to_an_end(&self) -> Outcome<()> {
        if self.is_late() {
            return self.too_late().await;
        }
        let id = self.id();
        let Some(file) = file::spool(&self.app.db, id).await? else {
            return Err(Failure::Broken("the file of an upload is gone".to_owned()));
        };
        for _ in 0..TRIES {
            let now = self.app.db.read(move |c| c.get::<Upload>(id)).await?.value;
            let job = Job { app: self.app, upload: Arc::new(now) };
            let validated = match job.upload.state {
                UploadState::Received => job.validate(&file).await?,
                UploadState::Validated { .. } => Some((*job.upload).clone()),
                UploadState::Applied { .. }
                | UploadState::Partial { .. }
                | UploadState::Rejected { .. }
                | UploadState::Failed { .. } => None,
            };
            let Some(validated) = validated.filter(|upload| !upload.is_over()) else { return Ok(()) };
            let job = Job { app: self.app, upload: Arc::new(validated) };
            match job.upload.order.mode {
                UploadMode::Partial => return job.apply_good_rows(&file).await,
                UploadMode::Atomic => match job.apply_all(&file).await {
                    // What another writer changed meanwhile shows as a fault on another way through the file.
                    Err(Failure::Refused(_)) => job.decide_again(&file).await?,
                    outcome => return outcome,
                },
            }
        }
        self.end(Upload::reject).await
    }

    /// A way through the file, in the file's own thread.
    async fn pass(&self, file: &File) -> Outcome<Result<Pass, Vec<Fault>>> {
        let file = file::again(file)?;
        let (rows, format) = (rows(self.upload.order.kind)?, self.upload.order.file.format);
        let limits = self.app.uploads.limits;
        off_thread(move || Pass::open(rows, format, file, &limits)).await
    }

    /// Reads the file from end to end; `None` where it is over by that.
    async fn validate(&self, file: &File) -> Outcome<Option<Upload>> {
        let id = self.id();
        let Some(counts) = self.look_through(file).await? else { return Ok(None) };
        let atomic = self.upload.order.mode == UploadMode::Atomic;
        let validated = self
            .write(move |tx| {
                let after = conclude(tx, id, |upload, now| upload.validate(counts, now))?;
                if after.order.dry_run {
                    return Ok(after);
                }
                if atomic && counts.refused > 0 {
                    return conclude(tx, id, |upload, now| upload.conclude(counts, now));
                }
                // From here on the progress is that of applying.
                store::keep_progress(tx, id, Counts::default())?;
                Ok(after)
            })
            .await?;
        Ok(Some(validated))
    }

    /// As [`Job::validate`], for an upload that was found good before.
    async fn decide_again(&self, file: &File) -> Outcome<()> {
        let id = self.id();
        let Some(counts) = self.look_through(file).await? else { return Ok(()) };
        self.write(move |tx| {
            if counts.refused > 0 {
                return conclude(tx, id, |upload, now| upload.conclude(counts, now)).map(drop);
            }
            store::keep_progress(tx, id, Counts::default())
        })
        .await
    }

    /// Goes through the file and notes what is wrong with its rows; `None` where it cannot be used and is rejected.
    async fn look_through(&self, file: &File) -> Outcome<Option<Counts>> {
        let id = self.id();
        self.write(move |tx| {
            store::drop_faults(tx, id)?;
            store::drop_notes(tx, id)?;
            store::keep_progress(tx, id, Counts::default())
        })
        .await?;
        let mut pass = match self.pass(file).await? {
            Ok(pass) => pass,
            Err(faults) => return self.unusable(Counts::default(), faults).await,
        };
        let mut counts = Counts::default();
        loop {
            let (back, batch) = off_thread(move || {
                let batch = pass.batch();
                (pass, batch)
            })
            .await?;
            pass = back;
            let lines = match batch {
                Ok(lines) if lines.is_empty() => {
                    self.note_the_whole(pass).await?;
                    return Ok(Some(counts));
                }
                Ok(lines) => lines,
                Err(fault) => {
                    let notes = pass.notes();
                    self.write(move |tx| store::add_notes(tx, id, notes.clone())).await?;
                    return self.unusable(counts, vec![fault]).await;
                }
            };
            let tally = if self.upload.is_decided_first() {
                let (desk, lines, places) = (self.decider()?, Arc::new(lines), pass.places.clone());
                self.app.db.scan(move |c| Ok(desk.tally(c, &lines, &places)?.0)).await?
            } else {
                let counts = Counts { rows: lines.len() as u64, ..Counts::default() };
                Tally { counts, ..Tally::default() }
            };
            counts = counts.plus(tally.counts);
            self.write(move |tx| {
                store::add_faults(tx, id, &tally.faults)?;
                store::add_notes(tx, id, tally.notes.clone())?;
                store::keep_progress(tx, id, counts)
            })
            .await?;
            if self.is_late() {
                self.too_late().await?;
                return Ok(None);
            }
        }
    }

    /// Notes what is to be said of the file as a whole, once it was read to its end.
    async fn note_the_whole(&self, pass: Pass) -> Outcome<()> {
        let (id, rows, mut notes) = (self.id(), rows(self.upload.order.kind)?, pass.notes());
        let unnamed = move |c: &mut Conn<'_>| rows.unnamed(c, &|column, key| pass.names(column, key));
        Note::add(&mut notes, self.app.db.scan(unnamed).await?);
        self.write(move |tx| store::add_notes(tx, id, notes.clone())).await
    }

    /// Rejects a file that cannot be used.
    async fn unusable(&self, counts: Counts, faults: Vec<Fault>) -> Outcome<Option<Counts>> {
        let id = self.id();
        let faults = numbered(faults);
        self.write(move |tx| {
            // What was found in its rows may be no more than a consequence.
            store::drop_faults(tx, id)?;
            store::add_faults(tx, id, &faults)?;
            conclude(tx, id, |upload, now| upload.reject(Counts { rows: counts.rows, ..Counts::default() }, now))
        })
        .await?;
        Ok(None)
    }

    /// Applies every row in one transaction, or none.
    async fn apply_all(&self, file: &File) -> Outcome<()> {
        let (id, desk, limits) = (self.id(), self.decider()?, self.app.uploads.limits);
        let file = file::again(file)?;
        let (rows, format) = (rows(self.upload.order.kind)?, self.upload.order.file.format);
        self.write(move |tx| {
            let changed = || row::NO_ROWS.broken("the file cannot be read again");
            let mut pass = Pass::open(rows, format, file::again(&file)?, &limits).map_err(|_| changed())?;
            let mut counts = Counts::default();
            loop {
                let lines = pass.batch().map_err(|_| changed())?;
                if lines.is_empty() {
                    break;
                }
                let tally = desk.apply(tx, &lines, &pass.places)?;
                if let Some(fault) = tally.faults.first() {
                    tracing::info!(upload = %id, code = %fault.code, "a row was overtaken");
                    return Err(OVERTAKEN.broken("another change came in between").into());
                }
                counts = counts.plus(tally.counts);
            }
            store::keep_progress(tx, id, counts)?;
            conclude(tx, id, |upload, now| upload.conclude(counts, now)).map(drop)
        })
        .await
    }

    /// Applies the rows that can be, batch by batch, from where it was left.
    async fn apply_good_rows(&self, file: &File) -> Outcome<()> {
        let id = self.id();
        let Ok(mut pass) = self.pass(file).await? else {
            return Err(Failure::Broken("a file that was read cannot be read again".to_owned()));
        };
        let done = self.app.db.read(move |c| store::progress(c, id)).await?.rows;
        let mut behind = 0;
        loop {
            let (back, batch) = off_thread(move || {
                let batch = pass.batch();
                (pass, batch)
            })
            .await?;
            pass = back;
            let mut lines =
                batch.map_err(|fault| Failure::Broken(format!("{} in a file that was read", fault.code)))?;
            if lines.is_empty() {
                return self.end(Upload::conclude).await;
            }
            let skip = usize::try_from(done.saturating_sub(behind)).unwrap_or(usize::MAX).min(lines.len());
            behind += lines.len() as u64;
            lines.drain(..skip);
            if lines.is_empty() {
                continue;
            }
            self.apply_batch(Arc::new(lines), &pass.places).await?;
            self.app.uploads.moved.notify_waiters();
            if self.is_late() {
                return self.too_late().await;
            }
        }
    }

    /// Applies a batch; where a constraint refuses it, row by row, so that it is known which one.
    async fn apply_batch(&self, lines: Arc<Vec<Line>>, places: &Places) -> Outcome<()> {
        match self.apply_lines(lines.clone(), places.clone(), None).await {
            Err(Failure::Refused(_)) => {}
            outcome => return outcome,
        }
        for line in lines.iter() {
            let line = Arc::new(vec![line.clone()]);
            match self.apply_lines(line.clone(), places.clone(), None).await {
                Err(Failure::Refused(refusal)) => self.apply_lines(line, places.clone(), Some(refusal)).await?,
                outcome => outcome?,
            }
        }
        Ok(())
    }

    /// Applies rows with their progress in one transaction, or notes that they are refused.
    async fn apply_lines(
        &self,
        lines: Arc<Vec<Line>>,
        places: Places,
        refused: Option<domain::kernel::Refusal>,
    ) -> Outcome<()> {
        let (id, desk) = (self.id(), self.decider()?);
        self.write(move |tx| {
            let before = store::progress(tx, id)?;
            let tally = match &refused {
                None => desk.apply(tx, &lines, &places)?,
                Some(refusal) => note(&lines, &places, refusal),
            };
            store::add_faults(tx, id, &tally.faults)?;
            store::keep_progress(tx, id, before.plus(tally.counts))?;
            store::add_notes(tx, id, tally.notes)
        })
        .await
    }

    fn decider(&self) -> Outcome<Decider> {
        Ok(Decider::new(rows(self.upload.order.kind)?, self.upload.clone(), self.stamp()))
    }
}

domain::rules! {
    OVERTAKEN = "upload_overtaken", Conflict, "A21", "An atomic upload is applied to what its rows were decided on.";
}

/// Carries out a command of the upload itself.
fn conclude(
    tx: &mut Tx<'_>,
    id: UploadId,
    command: impl FnOnce(Upload, Instant) -> domain::kernel::Decision<Upload>,
) -> Outcome<Upload> {
    let before: Stored<Upload> = tx.lock(id)?;
    let upload = before.value.clone().noted(store::notes(tx, id)?);
    let decision = command(upload, tx.now())?;
    Ok(tx.save(&before, decision)?.value)
}

/// Runs work that blocks where nobody waits for it.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Outcome<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Failure::Broken(format!("a way through a file: {error}")))
}

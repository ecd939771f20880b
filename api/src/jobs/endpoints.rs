//! Jobs over HTTP: what is due, what was done, and doing it now.

use actix_web::{get, post, web};
use domain::kernel::Instant;
use persistence::record::job::{self, JobRun};
use persistence::{Conn, Outcome};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{JOBS, Job};
use crate::http::listing::bad_cursor;
use crate::http::problem;
use crate::http::routes::routes;
use crate::http::{Answer, Call, List, Problem, Reply, listing};

routes! {
    list_jobs: RunClock, [];
    get_job: RunClock, [];
    list_job_runs: RunClock, [listing::RULES];
    run_job: RunClock, [];
}

/// A job as it is shown.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct JobView {
    /// Its name.
    #[schema(example = "advance-rounds")]
    name: &'static str,
    /// What it does.
    summary: &'static str,
    /// How many things it has to do now.
    due: i64,
    /// When the next one after them falls due, where that is known.
    next_due_at: Option<Instant>,
    /// The last run that did something, failed, or was asked for.
    last_run: Option<JobRunView>,
}

/// A run of a job.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct JobRunView {
    /// Identifier; `null` for a run that was not kept (`dryRun`).
    id: Option<Uuid>,
    /// Which job.
    #[schema(example = "advance-rounds")]
    job: String,
    /// When it began.
    started_at: Instant,
    /// How long it took, in milliseconds.
    duration_ms: i64,
    /// How it ended.
    outcome: JobOutcome,
    /// How many things were done; with `dryRun`, how many would be.
    made: i64,
    /// How many failed, and are left for the next run.
    failed: i64,
}

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum JobOutcome {
    /// Everything that was due was done.
    Succeeded,
    /// Some of it failed.
    Partly,
    /// All of it failed.
    Failed,
}

impl From<JobRun> for JobRunView {
    fn from(run: JobRun) -> Self {
        let outcome = match (run.made, run.failed) {
            (_, 0) => JobOutcome::Succeeded,
            (0, _) => JobOutcome::Failed,
            _ => JobOutcome::Partly,
        };
        Self {
            id: Some(run.id.0).filter(|id| !id.is_nil()),
            job: run.job,
            started_at: run.at.0,
            duration_ms: run.duration_ms,
            outcome,
            made: run.made,
            failed: run.failed,
        }
    }
}

fn view(c: &mut Conn<'_>, job: &Job, now: Instant) -> Outcome<JobView> {
    let due = job.due(c, now)?;
    let last_run = job::runs(c, job.name, None, 1)?.pop().map(JobRunView::from);
    Ok(JobView { name: job.name, summary: job.summary, due: due.count, next_due_at: due.next_at, last_run })
}

fn find(name: &str) -> Result<&'static Job, Problem> {
    let found = JOBS.iter().find(|job| job.name == name);
    found.ok_or_else(|| Problem::new(&problem::NOT_FOUND, "no such job"))
}

/// List the jobs
///
/// The clock-driven and background work: what is due now, and what was done last. Every server does it by itself, as
/// soon as it is due.
#[utoipa::path(tag = "jobs", responses((status = 200, body = List<JobView>)))]
#[get("/v1/jobs")]
async fn list_jobs(call: Call) -> Answer {
    call.scan(|c, call| {
        let items = JOBS.iter().map(|job| view(c, job, call.now())).collect::<Outcome<Vec<_>>>()?;
        Reply::json(200, &List { items, next: None })
    })
    .await
}

/// Read a job
#[utoipa::path(tag = "jobs", params(("name" = String, Path, description = "Its name")), responses((status = 200, body = JobView)))]
#[get("/v1/jobs/{name}")]
async fn get_job(call: Call, name: web::Path<String>) -> Answer {
    let job = find(&name)?;
    call.scan(move |c, call| Reply::json(200, &view(c, job, call.now())?)).await
}

/// Which part of the history.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListJobRunsQuery {
    /// Rows on the page, 1 to 200; 50 where absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List the runs of a job
///
/// Newest first: those that did something, failed, or were asked for; kept for 30 days.
#[utoipa::path(tag = "jobs", params(("name" = String, Path, description = "Its name"), ListJobRunsQuery), responses((status = 200, body = List<JobRunView>)))]
#[get("/v1/jobs/{name}/runs")]
async fn list_job_runs(call: Call, name: web::Path<String>, search: web::Query<ListJobRunsQuery>) -> Answer {
    let job = find(&name)?;
    call.scan(move |c, _| {
        let limit = listing::rows(search.limit)?;
        let before = search.cursor.as_deref().map(Uuid::parse_str).transpose().map_err(|_| bad_cursor())?;
        let found = job::runs(c, job.name, before, limit + 1)?;
        let next = |run: &JobRunView| run.id.unwrap_or_default();
        Reply::json(200, &List::cut(found.into_iter().map(JobRunView::from).collect(), limit, next))
    })
    .await
}

/// Run a job now
///
/// Does what is due, and answers when it is done. It takes no notice of `Idempotency-Key`: whatever was done is not
/// due any more.
#[utoipa::path(tag = "jobs", params(("name" = String, Path, description = "Its name")), responses((status = 200, body = JobRunView)))]
#[post("/v1/jobs/{name}/run")]
async fn run_job(call: Call, name: web::Path<String>) -> Answer {
    let (job, app, now) = (find(&name)?, call.shared(), call.now());
    let run = if call.is_dry_run() {
        let due = app.db.scan(move |c| job.due(c, now)).await?;
        let job = job.name.to_owned();
        JobRun { id: Uuid::nil().into(), job, at: persistence::Moment(now), duration_ms: 0, made: due.count, failed: 0 }
    } else {
        job.run(&app, now, true).await?
    };
    Ok(Reply::json(200, &JobRunView::from(run))?.send(None))
}

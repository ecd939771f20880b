//! The server itself: whether it lives, what it measures, what its error codes mean, and its clock.

use actix_web::{HttpResponse, get, put, web};
use domain::kernel::Instant;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::clock::Clock;
use crate::http::problem::{self, CODES};
use crate::http::routes::{Subject, routes};
use crate::http::{Answer, Call, Problem, Reply};
use crate::sweep;
use persistence::Outcome;

domain::rules! {
    CLOCK_FIXED = "clock_fixed", Conflict, "CRD-08", "Only a development server with a movable clock can be moved.";
    CLOCK_BACKWARDS = "clock_backwards", Input, "BEY-01", "Time moves forward.";
}

/// The server itself.
pub static SUBJECT: Subject =
    Subject { tags: &[("system", "The server itself")], routes: &[routes], clock: &[], deadlines: &[], uploads: &[] };

routes! {
    get_health: ReadMarket, [];
    get_ready: ReadMarket, [];
    get_problem: ReadMarket, [];
    get_clock: ReadMarket, [];
    move_clock: RunClock, [RULES];
}

/// Whether the process lives.
#[derive(Serialize, ToSchema)]
struct Health {
    /// Always `ok`.
    status: &'static str,
    /// The program's version.
    version: &'static str,
}

/// The server lives
#[utoipa::path(tag = "system", responses((status = 200, body = Health)))]
#[get("/health")]
async fn get_health(call: Call) -> Answer {
    drop(call);
    Ok(Reply::json(200, &Health { status: "ok", version: env!("CARGO_PKG_VERSION") })?.send(None))
}

/// The server can do its work: the database answers
#[utoipa::path(tag = "system", responses((status = 200, body = Health)))]
#[get("/ready")]
async fn get_ready(call: Call) -> Answer {
    call.scan(|c, _| {
        persistence::record::timer::due(c, None, Instant::from_micros(0), 1)?;
        Reply::json(200, &Health { status: "ready", version: env!("CARGO_PKG_VERSION") })
    })
    .await
}

/// What an error code means.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Explained {
    /// The code.
    code: String,
    /// The status it is answered with.
    status: u16,
    /// The rule in one sentence.
    says: String,
    /// The requirement or statute it rests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    rests_on: Option<String>,
}

/// What an error code means
///
/// Every `type` of a problem is a relative address of this resource.
#[utoipa::path(tag = "system", params(("code" = String, Path, description = "The code")), responses((status = 200, body = Explained)))]
#[get("/problems/{code}")]
async fn get_problem(call: Call, code: web::Path<String>) -> Answer {
    drop(call);
    let found = table().find(|known| known.code == *code);
    let found = found.ok_or_else(|| Problem::new(&problem::NOT_FOUND, "no such code"))?;
    Ok(Reply::json(200, &found)?.send(None))
}

/// Every code that this API can answer with: the protocol's and the domain's.
pub fn table() -> impl Iterator<Item = Explained> {
    let ours = CODES.iter().map(|c| (c.code, c.status, c.says, None));
    let rules = crate::rules().map(|r| (r.code, problem::status(r.nature), r.says, Some(r.rests_on.to_owned())));
    ours.chain(rules).map(|(code, status, says, rests_on)| Explained {
        code: code.to_owned(),
        status,
        says: says.to_owned(),
        rests_on,
    })
}

/// The server's time.
#[derive(Serialize, ToSchema)]
struct Time {
    /// Now.
    now: Instant,
    /// Whether it can be moved.
    movable: bool,
}

/// Where to move the clock.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct MoveClock {
    /// The new time; not before the present one.
    now: Instant,
}

/// The server's time
#[utoipa::path(tag = "system", responses((status = 200, body = Time)))]
#[get("/v1/clock")]
async fn get_clock(call: Call) -> Answer {
    Ok(time(&call.app().clock)?.send(None))
}

/// Move a development server's clock forward
///
/// Everything that falls due on the way is done, in order, before the answer. A production server answers 409.
#[utoipa::path(tag = "system", params(("If-Match" = Option<String>, Header, description = "Not needed")), request_body = MoveClock, responses((status = 200, body = Time)))]
#[put("/v1/clock")]
async fn move_clock(call: Call<MoveClock>) -> Answer {
    let app = call.shared();
    let to = call.body.now;
    let Clock::Movable(at) = &app.clock else {
        return Err(Problem::from(persistence::Failure::from(
            CLOCK_FIXED.broken("this server follows the system's clock"),
        )));
    };
    if to < app.clock.now() {
        return Err(Problem::from(persistence::Failure::from(
            CLOCK_BACKWARDS.broken_at("/now", format!("it is {} already", app.clock.now())),
        )));
    }
    if call.is_dry_run() {
        return Ok(Reply::json(200, &Time { now: to, movable: true })?.send(None));
    }
    sweep::walk(&app, at, to).await?;
    Ok(time(&app.clock)?.send(None))
}

fn time(clock: &Clock) -> Outcome<Reply> {
    Reply::json(200, &Time { now: clock.now(), movable: matches!(clock, Clock::Movable(_)) })
}

/// The figures in Prometheus's text format: for the operator's network, without a token, like `/health`.
pub async fn metrics(app: web::Data<crate::App>) -> Result<HttpResponse, Problem> {
    app.metrics.load(&app.db.load());
    let text = app.metrics.text().map_err(|e| Problem::from(persistence::Failure::Broken(e.to_string())))?;
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(text))
}

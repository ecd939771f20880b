//! Rounds: schedule, open, close, evaluate, complete, cancel (A3).

use actix_web::{get, post, web};
use domain::arrangement::round::NewRound;
use domain::arrangement::{self as rules, Arrangement, Round, schedule};
use domain::kernel::{ArrangementId, Instant, RoundId};
use persistence::arrangement as store;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::arrangements::Because;
use usecase::arrangement::round;
use usecase::lifecycle;

use crate::http::reply::Resource;
use crate::http::routes::routes;
use crate::http::{Answer, Call, DomainBody, List, Reply};

routes! {
    schedule_round: ManageRounds, [rules::RULES, rules::round::RULES, schedule::RULES, domain::kernel::rule::RULES];
    list_rounds: ReadMarket, [];
    get_round: ReadMarket, [];
    open_round: ManageRounds, [rules::RULES, rules::round::RULES];
    close_round: ManageRounds, [rules::RULES, rules::round::RULES];
    start_evaluation: ManageRounds, [rules::RULES, rules::round::RULES];
    complete_round: ManageRounds, [rules::RULES, rules::round::RULES];
    cancel_round: ManageRounds, [rules::RULES, rules::round::RULES, schedule::RULES, domain::kernel::rule::RULES];
    lengthen_round: ManageRounds, [rules::RULES, rules::round::RULES, domain::kernel::rule::RULES];
    reinstate_round: ManageRounds, [rules::RULES, rules::round::RULES, schedule::RULES, domain::kernel::rule::RULES];
}

/// Schedule a round
///
/// Absent instants follow from the policies; the first round of a lot has exactly the length that they name (DPS-11). With
/// `extra` it may come before rounds that are announced already; what waits for one of these goes to it.
#[utoipa::path(tag = "rounds", params(("id" = ArrangementId, Path)), request_body = NewRound, responses((status = 201, body = Resource<Round>)))]
#[post("/v1/arrangements/{id}/rounds")]
async fn schedule_round(call: Call<DomainBody<NewRound>>, id: web::Path<ArrangementId>) -> Answer {
    call.write(move |tx, call| {
        let new = call.body.0.clone();
        Reply::created(&lifecycle::schedule_round(tx, call, &call.app().gazetteer, *id, new)?, "rounds")
    })
    .await
}

/// List the rounds of an arrangement
#[utoipa::path(tag = "rounds", params(("id" = ArrangementId, Path)), responses((status = 200, body = List<Resource<Round>>)))]
#[get("/v1/arrangements/{id}/rounds")]
async fn list_rounds(call: Call, id: web::Path<ArrangementId>) -> Answer {
    call.scan(move |c, call| {
        call.who.get::<Arrangement>(c, *id)?;
        let items = store::rounds_of(c, *id)?.iter().map(|round| Resource::of(round, Clone::clone)).collect();
        Reply::json(200, &List { items, next: None })
    })
    .await
}

/// Read a round
#[utoipa::path(tag = "rounds", params(("id" = RoundId, Path)), responses((status = 200, body = Resource<Round>)))]
#[get("/v1/rounds/{id}")]
async fn get_round(call: Call, id: web::Path<RoundId>) -> Answer {
    call.show::<Round>(*id, |found, _| Reply::ok(found)).await
}

/// Open a round that is due
///
/// The server does this by itself at the published instant; never before it. The next round is scheduled by policy.
#[utoipa::path(tag = "rounds", params(("id" = RoundId, Path)), responses((status = 200, body = Resource<Round>)))]
#[post("/v1/rounds/{id}/open")]
async fn open_round(call: Call, id: web::Path<RoundId>) -> Answer {
    call.write(move |tx, call| Reply::ok(&lifecycle::open_round(tx, call, *id)?)).await
}

/// Close a round that is due
///
/// The server does this by itself at the published instant; never before it.
#[utoipa::path(tag = "rounds", params(("id" = RoundId, Path)), responses((status = 200, body = Resource<Round>)))]
#[post("/v1/rounds/{id}/close")]
async fn close_round(call: Call, id: web::Path<RoundId>) -> Answer {
    call.write(move |tx, call| Reply::ok(&lifecycle::close_round(tx, call, *id)?)).await
}

/// Start the evaluation of a closed round
///
/// The last submitted version of each application is frozen for evaluation, and a check is opened for each
/// requirement of its lots. Drafts are not evaluated (PRO-19).
#[utoipa::path(tag = "rounds", params(("id" = RoundId, Path)), responses((status = 200, body = Resource<Round>)))]
#[post("/v1/rounds/{id}/start-evaluation")]
async fn start_evaluation(call: Call, id: web::Path<RoundId>) -> Answer {
    call.write(move |tx, call| Reply::ok(&lifecycle::start_evaluation(tx, call, &call.app().gazetteer, *id)?)).await
}

/// Complete a round whose every line is decided
#[utoipa::path(tag = "rounds", params(("id" = RoundId, Path)), responses((status = 200, body = Resource<Round>)))]
#[post("/v1/rounds/{id}/complete")]
async fn complete_round(call: Call, id: web::Path<RoundId>) -> Answer {
    call.write(move |tx, call| Reply::ok(&round::complete(tx, call, *id)?)).await
}

/// Why a round is cancelled, and what follows it.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct CancelRound {
    /// The reason, for those it affects.
    #[validate(length(min = 1, max = 4000))]
    #[schema(min_length = 1, max_length = 4000)]
    reason: String,
    /// Whether the next one by policy is scheduled in its place, where none is ahead.
    #[serde(default = "wanted")]
    #[schema(default = true)]
    successor: bool,
}

const fn wanted() -> bool {
    true
}

/// Cancel a round that has not opened
///
/// Applications that wait for it go to the next round of their lots; where there is none, they are evaluated at once. However
/// many are cancelled one after the other, the next opening by policy moves by one interval at most.
#[utoipa::path(tag = "rounds", params(("id" = RoundId, Path)), request_body = CancelRound, responses((status = 200, body = Resource<Round>)))]
#[post("/v1/rounds/{id}/cancel")]
async fn cancel_round(call: Call<CancelRound>, id: web::Path<RoundId>) -> Answer {
    call.write(move |tx, call| {
        let CancelRound { reason, successor } = &call.body;
        Reply::ok(&lifecycle::cancel_round(tx, call, &call.app().gazetteer, *id, reason, *successor)?)
    })
    .await
}

/// When a round closes instead.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LengthenRound {
    /// The first instant after receipt, later than before.
    closes_at: Instant,
    /// Why.
    #[validate(length(min = 1, max = 4000))]
    #[schema(min_length = 1, max_length = 4000)]
    reason: String,
}

/// Let a round close later
///
/// Before it closes. Its evaluation moves with it, and those who have applied in it are told.
#[utoipa::path(tag = "rounds", params(("id" = RoundId, Path)), request_body = LengthenRound, responses((status = 200, body = Resource<Round>)))]
#[post("/v1/rounds/{id}/lengthen")]
async fn lengthen_round(call: Call<LengthenRound>, id: web::Path<RoundId>) -> Answer {
    call.write(move |tx, call| {
        let LengthenRound { closes_at, reason } = call.body.clone();
        Reply::ok(&lifecycle::lengthen_round(tx, call, *id, closes_at, reason)?)
    })
    .await
}

/// Undo the cancellation of a round, before it would have opened
///
/// Applications that wait for a later round of their lots go to it.
#[utoipa::path(tag = "rounds", params(("id" = RoundId, Path)), request_body = Because, responses((status = 200, body = Resource<Round>)))]
#[post("/v1/rounds/{id}/reinstate")]
async fn reinstate_round(call: Call<Because>, id: web::Path<RoundId>) -> Answer {
    call.write(move |tx, call| {
        let reason = call.body.reason.clone();
        Reply::ok(&lifecycle::reinstate_round(tx, call, &call.app().gazetteer, *id, reason)?)
    })
    .await
}

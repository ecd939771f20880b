//! Rounds: schedule, open, close, evaluate, complete, cancel (A3).

use actix_web::{get, post, web};
use domain::arrangement::round::NewRound;
use domain::arrangement::{self as rules, Arrangement, Round, schedule};
use domain::kernel::{ArrangementId, RoundId};
use persistence::arrangement as store;

use super::arrangements::Because;
use usecase::arrangement::round;
use usecase::lifecycle;

use crate::http::reply::Resource;
use crate::http::routes::routes;
use crate::http::{Answer, Call, DomainBody, List, Reply};

routes! {
    schedule_round: ManageRounds, [rules::RULES, rules::round::RULES];
    list_rounds: ReadMarket, [];
    get_round: ReadMarket, [];
    open_round: ManageRounds, [rules::RULES, rules::round::RULES];
    close_round: ManageRounds, [rules::RULES, rules::round::RULES];
    start_evaluation: ManageRounds, [rules::round::RULES];
    complete_round: ManageRounds, [rules::round::RULES];
    cancel_round: ManageRounds, [rules::RULES, rules::round::RULES, schedule::RULES];
}

/// Schedule a round
///
/// Absent instants follow from the policies; the first round of a lot has exactly the length that they name (DPS-11).
#[utoipa::path(tag = "rounds", params(("id" = ArrangementId, Path)), request_body = NewRound, responses((status = 201, body = Resource<Round>)))]
#[post("/v1/arrangements/{id}/rounds")]
async fn schedule_round(call: Call<DomainBody<NewRound>>, id: web::Path<ArrangementId>) -> Answer {
    call.write(move |tx, call| Reply::created(&round::schedule(tx, call, *id, call.body.0.clone())?, "rounds")).await
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

/// Cancel a round that has not opened
///
/// Applications that wait for it go to the next round of their lots; it is refused where there is none for one of them.
#[utoipa::path(tag = "rounds", params(("id" = RoundId, Path)), request_body = Because, responses((status = 200, body = Resource<Round>)))]
#[post("/v1/rounds/{id}/cancel")]
async fn cancel_round(call: Call<Because>, id: web::Path<RoundId>) -> Answer {
    call.write(move |tx, call| Reply::ok(&lifecycle::cancel_round(tx, call, *id, &call.body.reason)?)).await
}

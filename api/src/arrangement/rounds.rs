//! Rounds: schedule, open, close, evaluate, complete, cancel (A3).

use actix_web::{get, post, web};
use domain::arrangement::round::{NewRound, ScheduleFacts};
use domain::arrangement::{self as rules, Arrangement, LotScope, Round, RoundState, Window, schedule};
use domain::kernel::{Aggregate as _, ArrangementId, RoundId};
use persistence::arrangement as store;
use persistence::{Outcome, Stored, Tx};

use super::arrangements::Because;
use crate::admission::evaluation;
use crate::http::call::decided;
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
    call.write(move |tx, call| {
        // The arrangement's row is locked: its rounds are numbered and kept apart one at a time.
        let found = tx.lock::<Arrangement>(*id);
        let arrangement = call.who.own(tx, found)?.value;
        Reply::created(&schedule_new(tx, &arrangement, call.body.0.clone())?, "rounds")
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
    call.write(move |tx, call| {
        let before = call.lock::<Round>(tx, *id)?;
        let decision = before.value.clone().open(tx.now())?;
        Reply::ok(&opened(tx, &before, decision)?)
    })
    .await
}

/// Close a round that is due
///
/// The server does this by itself at the published instant; never before it.
#[utoipa::path(tag = "rounds", params(("id" = RoundId, Path)), responses((status = 200, body = Resource<Round>)))]
#[post("/v1/rounds/{id}/close")]
async fn close_round(call: Call, id: web::Path<RoundId>) -> Answer {
    call.write(move |tx, call| {
        let before = call.lock::<Round>(tx, *id)?;
        let decision = before.value.clone().close(tx.now())?;
        Reply::ok(&closed(tx, &before, decision)?)
    })
    .await
}

/// Start the evaluation of a closed round
///
/// The last submitted version of each application is frozen for evaluation, and a check is opened for each
/// requirement of its lots. Drafts are not evaluated (PRO-19).
#[utoipa::path(tag = "rounds", params(("id" = RoundId, Path)), responses((status = 200, body = Resource<Round>)))]
#[post("/v1/rounds/{id}/start-evaluation")]
async fn start_evaluation(call: Call, id: web::Path<RoundId>) -> Answer {
    call.write(move |tx, call| {
        let before = call.lock::<Round>(tx, *id)?;
        let decision = before.value.clone().start_evaluation(tx.now())?;
        let after = tx.save(&before, decision)?;
        evaluation::begin_of_round(tx, &call.app().gazetteer, &after.value)?;
        Reply::ok(&after)
    })
    .await
}

/// Complete a round whose every line is decided
#[utoipa::path(tag = "rounds", params(("id" = RoundId, Path)), responses((status = 200, body = Resource<Round>)))]
#[post("/v1/rounds/{id}/complete")]
async fn complete_round(call: Call, id: web::Path<RoundId>) -> Answer {
    call.act(*id, |round: Round, tx, _| {
        let undecided = evaluation::undecided_lines(tx, round.id)?;
        decided(round.complete(undecided, tx.now()))
    })
    .await
}

/// Cancel a round that has not opened
///
/// Applications that wait for it go to the next round of their lots; it is refused where there is none for one of them.
#[utoipa::path(tag = "rounds", params(("id" = RoundId, Path)), request_body = Because, responses((status = 200, body = Resource<Round>)))]
#[post("/v1/rounds/{id}/cancel")]
async fn cancel_round(call: Call<Because>, id: web::Path<RoundId>) -> Answer {
    call.write(move |tx, call| {
        let before = call.lock::<Round>(tx, *id)?;
        let decision = before.value.clone().cancel(call.body.reason.clone(), tx.now())?;
        let after = tx.save(&before, decision)?;
        schedule_follow_up(tx, &after.value)?;
        evaluation::reroute_from(tx, &after.value)?;
        Reply::ok(&after)
    })
    .await
}

/// What is due: it opens or closes at its published instant.
pub(super) fn tick(tx: &mut Tx<'_>, id: RoundId) -> Outcome<()> {
    let before = tx.lock::<Round>(id)?;
    if before.value.due().is_none_or(|due| due.at > tx.now()) {
        // Another server was quicker.
        return Ok(());
    }
    let decision = before.value.clone().tick(tx.now())?;
    match decision.0.state {
        RoundState::Open => opened(tx, &before, decision).map(drop),
        RoundState::Closed => closed(tx, &before, decision).map(drop),
        RoundState::Scheduled
        | RoundState::Evaluating { .. }
        | RoundState::Completed { .. }
        | RoundState::Cancelled { .. } => tx.save(&before, decision).map(drop),
    }
}

type Decided = (Round, Vec<rules::RoundEvent>);

/// The next round is announced now rather than at the close, so that what arrives from the very close on waits for it
/// (AC-04); and what waits for this one is received in it.
fn opened(tx: &mut Tx<'_>, before: &Stored<Round>, decision: Decided) -> Outcome<Stored<Round>> {
    let after = tx.save(before, decision)?;
    schedule_follow_up(tx, &after.value)?;
    evaluation::round_opened(tx, &after.value)?;
    Ok(after)
}

/// The next round is announced where that could not be done when this one opened.
fn closed(tx: &mut Tx<'_>, before: &Stored<Round>, decision: Decided) -> Outcome<Stored<Round>> {
    let after = tx.save(before, decision)?;
    schedule_follow_up(tx, &after.value)?;
    Ok(after)
}

/// The next round of the same lots is scheduled by policy, if none is ahead (DPS-12). What the clock does to a round,
/// and its cancellation, are not refused for want of a next one.
fn schedule_follow_up(tx: &mut Tx<'_>, round: &Round) -> Outcome<()> {
    let arrangement = tx.lock::<Arrangement>(round.arrangement)?.value;
    let rounds = all_rounds(tx, arrangement.id)?;
    let Some(term) = arrangement.in_force() else { return Ok(()) };
    let follow_up = schedule::follow_up(&arrangement.policies, round, &rounds, term.ends_at(), tx.now());
    let Some(new) = follow_up else { return Ok(()) };
    let facts = ScheduleFacts { policies: &arrangement.policies, in_force: Some(term), rounds: &rounds };
    if let Ok(decision) = Round::schedule(tx.mint(), arrangement.id, new, facts, tx.now()) {
        tx.create(decision)?;
    }
    Ok(())
}

/// Schedules a round of all lots over a window that follows from the policies.
pub(super) fn schedule_window(tx: &mut Tx<'_>, arrangement: &Arrangement, window: Window) -> Outcome<Stored<Round>> {
    let new = NewRound {
        lots: LotScope::All,
        opens_at: window.opens_at,
        closes_at: Some(window.closes_at),
        evaluation_from: Some(window.evaluation_from),
        evaluation_to: Some(window.evaluation_to),
    };
    schedule_new(tx, arrangement, new)
}

fn schedule_new(tx: &mut Tx<'_>, arrangement: &Arrangement, new: NewRound) -> Outcome<Stored<Round>> {
    let rounds = all_rounds(tx, arrangement.id)?;
    let facts = ScheduleFacts { policies: &arrangement.policies, in_force: arrangement.in_force(), rounds: &rounds };
    tx.create(Round::schedule(tx.mint(), arrangement.id, new, facts, tx.now())?)
}

fn all_rounds(tx: &mut Tx<'_>, arrangement: ArrangementId) -> Outcome<Vec<Round>> {
    Ok(store::rounds_of(tx, arrangement)?.into_iter().map(|round| round.value).collect())
}

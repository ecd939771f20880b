//! Every due instant of an aggregate, with the parts that made it.

use actix_web::{get, web};
use domain::admission::Application;
use domain::arrangement::{Arrangement, Policies, Round};
use domain::kernel::{About, Aggregate, Instant, Kind};
use domain::law::deadline::{self, Deadline, LegalClock, by_policy, given};
use domain::standing::improvement_notice::ImprovementNotice;
use domain::standing::removal::{Ground, Removal};
use domain::standing::suspension::Suspension;
use persistence::{Conn, Failure, Outcome, Record};
use uuid::Uuid;

use crate::auth::Caller;
use crate::http::routes::routes;
use crate::http::{Answer, Call, List, Reply};

routes! {
    explain_deadlines: ReadDeadlines, [deadline::RULES];
}

/// Explain every deadline of a thing
///
/// For an `arrangement`, `round`, `application`, `suspension`, `notice` or `removal`: each due instant with its rule,
/// regime, rule-set version, calendar version and start event.
#[utoipa::path(
    tag = "law",
    params(("kind" = String, Path, description = "Such as `round`"), ("id" = Uuid, Path, description = "Its id")),
    responses((status = 200, body = List<Deadline>))
)]
#[get("/v1/deadlines/{kind}/{id}")]
async fn explain_deadlines(call: Call, path: web::Path<(String, Uuid)>) -> Answer {
    call.scan(move |c, call| {
        let (kind, id) = &*path;
        Reply::json(200, &List { items: of(c, &call.who, kind, *id)?, next: None })
    })
    .await
}

fn of(c: &mut Conn<'_>, who: &Caller, kind: &str, id: Uuid) -> Outcome<Vec<Deadline>> {
    match kind {
        "arrangement" => {
            let (arrangement, policies) = find::<Arrangement>(c, who, id.into())?;
            let start = arrangement.particulars.contract_start.map(Instant::start_of);
            start.map(|start| Ok(by_policy(&policies, LegalClock::Term, start)?)).into_iter().collect()
        }
        "round" => {
            let (round, policies) = find::<Round>(c, who, id.into())?;
            of_round(&round, &policies)
        }
        "application" => {
            let (application, policies) = find::<Application>(c, who, id.into())?;
            of_application(c, &application, &policies)
        }
        "suspension" => {
            let (suspension, policies) = find::<Suspension>(c, who, id.into())?;
            let months = months_between(suspension.from, suspension.until);
            Ok(vec![
                enforced(timed(&policies, LegalClock::Suspension, months, suspension.from)?, suspension.until),
                by_policy(&policies, LegalClock::LongestSuspension, suspension.from)?,
            ])
        }
        "improvement_notice" => {
            let (notice, policies) = find::<ImprovementNotice>(c, who, id.into())?;
            let days = days_between(notice.issued_at, notice.rectify_by);
            Ok(vec![enforced(timed(&policies, LegalClock::Improvement, days, notice.issued_at)?, notice.rectify_by)])
        }
        "removal" => {
            let (removal, policies) = find::<Removal>(c, who, id.into())?;
            let clock = match removal.ground {
                Ground::NoFault => LegalClock::NoFaultNotice,
                Ground::TermEnd => return Ok(Vec::new()),
                _ => LegalClock::RemovalNotice,
            };
            let due = match clock {
                LegalClock::NoFaultNotice => removal.effective_at(),
                _ => Some(removal.representations_until),
            };
            let deadline = by_policy(&policies, clock, removal.notified_at)?;
            Ok(vec![due.map_or_else(|| deadline.clone(), |due| enforced(deadline.clone(), due))])
        }
        _ => Err(Failure::NotFound(Kind::Arrangement)),
    }
}

/// The aggregate, if it is the caller's to see, with the policies of its arrangement.
fn find<A: Record>(c: &mut Conn<'_>, who: &Caller, id: A::Id) -> Outcome<(A, Policies)> {
    let who = if matches!(A::KIND, Kind::Arrangement | Kind::Round) { who.in_market() } else { who.clone() };
    let found = who.get::<A>(c, id)?.value;
    let about: About = Aggregate::about(&found);
    let arrangement = about.arrangement.ok_or(Failure::NotFound(A::KIND))?;
    Ok((found, c.get::<Arrangement>(arrangement)?.value.policies))
}

fn of_round(round: &Round, policies: &Policies) -> Outcome<Vec<Deadline>> {
    let window = round.window;
    let timed = |clock, from, to| -> Outcome<Deadline> {
        Ok(enforced(timed(policies, clock, days_between(from, to), from)?, to))
    };
    Ok(vec![
        timed(LegalClock::FirstRound, window.opens_at, window.closes_at)?,
        timed(LegalClock::Evaluation, window.evaluation_from, window.evaluation_to)?,
    ])
}

/// The instant that is in force, where it was set by hand and is not what the rule alone would give.
fn enforced(deadline: Deadline, due: Instant) -> Deadline {
    if deadline.due == due {
        return deadline;
    }
    let explanation = format!("{} It was set by hand to {due}, which is in force.", deadline.explanation);
    Deadline { due, explanation, ..deadline }
}

fn of_application(c: &mut Conn<'_>, application: &Application, policies: &Policies) -> Outcome<Vec<Deadline>> {
    if let Some(round) = application.round() {
        return of_round(&c.get::<Round>(round)?.value, policies);
    }
    let Some(version) = application.counting() else { return Ok(Vec::new()) };
    let statutory = deadline::statutory(policies.regime, policies.division, "PCR34-16", version.receipt.at);
    // Only regulation 34 times the evaluation of a single request.
    Ok(statutory.into_iter().chain(application.extension.as_ref().map(|e| e.deadline.clone())).collect())
}

fn timed(policies: &Policies, clock: LegalClock, count: u32, start: Instant) -> Outcome<Deadline> {
    Ok(given(policies.regime, policies.division, clock.rule(), count, start)?)
}

/// Civil days, as the engine counts them.
fn days_between(from: Instant, to: Instant) -> u32 {
    u32::try_from((to.date() - from.date()).num_days()).unwrap_or_default()
}

/// Whole months whose end, clamped, is `to`.
fn months_between(from: Instant, to: Instant) -> u32 {
    (0..1200).find(|months| from.plus_months(*months) >= to).unwrap_or_default()
}

//! Compliance checks: assess, judge, confirm, waive, reopen (A5).

use actix_web::{get, post, web};
use domain::admission::Application;
use domain::admission::compliance_check::{self as rules, ComplianceCheck, Judgement};
use domain::admission::declaration_of_interests;
use domain::kernel::{Aggregate as _, ApplicationId, ArrangementId, ComplianceCheckId, Named, ProviderId};
use persistence::admission::{checks_of, compliance_checks};
use persistence::{Filter, Outcome};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::arrangement::arrangements::Because;
use crate::http::filters::StateOf;
use crate::http::reply::Resource;
use crate::http::routes::routes;
use crate::http::{Answer, Call, DomainBody, List, Listing, Reply};
use usecase::admission::application::{self, SEALED};
use usecase::admission::check;

routes! {
    list_application_checks: ReadApplications, [application::RULES];
    list_checks: RecordCheck, [crate::http::listing::RULES];
    get_check: ReadApplications, [application::RULES];
    assess_check: RecordCheck, [rules::RULES];
    record_check: RecordCheck, [rules::RULES, declaration_of_interests::RULES, domain::kernel::rule::RULES];
    confirm_check: RecordCheck, [rules::RULES, declaration_of_interests::RULES];
    return_check: RecordCheck, [rules::RULES, declaration_of_interests::RULES, domain::kernel::rule::RULES];
    waive_check: DecideLine, [rules::RULES, declaration_of_interests::RULES, domain::kernel::rule::RULES];
    reopen_check: RecordCheck, [rules::RULES, domain::kernel::rule::RULES];
}

/// List the checks of an application
///
/// The buying side sees them from the start of evaluation, the provider once the application is decided.
#[utoipa::path(tag = "checks", params(("id" = ApplicationId, Path)), responses((status = 200, body = List<Resource<ComplianceCheck>>)))]
#[get("/v1/applications/{id}/checks")]
async fn list_application_checks(call: Call, id: web::Path<ApplicationId>) -> Answer {
    call.scan(move |c, call| {
        let application = call.who.get::<Application>(c, *id)?.value;
        shown_to(call, &application)?;
        let items = checks_of(c, *id)?.iter().map(|check| Resource::of(check, Clone::clone)).collect();
        Reply::json(200, &List { items, next: None })
    })
    .await
}

type StateName = StateOf<ComplianceCheck>;

/// Which checks to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListChecksQuery {
    /// Only of this arrangement.
    arrangement: Option<ArrangementId>,
    /// Only of this provider.
    provider: Option<ProviderId>,
    /// Only in this state.
    #[param(inline)]
    state: Option<StateName>,
}

/// List checks: an assessor's work
#[utoipa::path(tag = "checks", params(ListChecksQuery, Listing), responses((status = 200, body = List<Resource<ComplianceCheck>>)))]
#[get("/v1/checks")]
async fn list_checks(call: Call, wanted: web::Query<ListChecksQuery>, listing: web::Query<Listing>) -> Answer {
    call.list(
        move |c, call| {
            let page = listing.page()?;
            let (provider_id, arrangement_id) = call.who.reach(c, wanted.provider, wanted.arrangement)?;
            let filter = Filter::all()
                .if_any(compliance_checks::provider_id, provider_id)
                .if_any(compliance_checks::arrangement_id, arrangement_id)
                .if_is(compliance_checks::state, wanted.state.map(StateOf::name));
            Ok((page, filter.since(listing.since())))
        },
        |found: &ComplianceCheck, _| found.clone(),
    )
    .await
}

/// Read a check with the facts it rests on
#[utoipa::path(tag = "checks", params(("id" = ComplianceCheckId, Path)), responses((status = 200, body = Resource<ComplianceCheck>)))]
#[get("/v1/checks/{id}")]
async fn get_check(call: Call, id: web::Path<ComplianceCheckId>) -> Answer {
    call.read(move |c, call| {
        let check = call.who.get::<ComplianceCheck>(c, *id)?;
        let application = c.get::<Application>(check.value.application)?.value;
        shown_to(call, &application)?;
        Reply::ok(&check)
    })
    .await
}

/// Let the facts decide a check
///
/// For an open check whose facts were corrected; the result names each fact it rests on.
#[utoipa::path(tag = "checks", params(("id" = ComplianceCheckId, Path)), responses((status = 200, body = Resource<ComplianceCheck>)))]
#[post("/v1/checks/{id}/assess")]
async fn assess_check(call: Call, id: web::Path<ComplianceCheckId>) -> Answer {
    call.write(move |tx, call| Reply::ok(&check::assess(tx, call, &call.app().gazetteer, *id)?)).await
}

/// Record an assessor's judgement
///
/// The assessor has declared its interests and has none in this provider (BEY-08). Where the policy asks for a second
/// pair of eyes, the result is proposed until another assessor confirms it. Where facts decide, a pass is recorded only if
/// what the provider states of its documents or managers would pass: the assessor has seen the proof, and names it.
#[utoipa::path(tag = "checks", params(("id" = ComplianceCheckId, Path)), request_body = Judgement, responses((status = 200, body = Resource<ComplianceCheck>)))]
#[post("/v1/checks/{id}/record")]
async fn record_check(call: Call<DomainBody<Judgement>>, id: web::Path<ComplianceCheckId>) -> Answer {
    call.write(move |tx, call| Reply::ok(&check::record(tx, call, &call.app().gazetteer, *id, call.body.0.clone())?))
        .await
}

/// Confirm a proposed result
#[utoipa::path(tag = "checks", params(("id" = ComplianceCheckId, Path)), responses((status = 200, body = Resource<ComplianceCheck>)))]
#[post("/v1/checks/{id}/confirm")]
async fn confirm_check(call: Call, id: web::Path<ComplianceCheckId>) -> Answer {
    call.write(move |tx, call| Reply::ok(&check::confirm(tx, call, *id)?)).await
}

/// Return a proposed result to be assessed again
#[utoipa::path(tag = "checks", params(("id" = ComplianceCheckId, Path)), request_body = Because, responses((status = 200, body = Resource<ComplianceCheck>)))]
#[post("/v1/checks/{id}/return")]
async fn return_check(call: Call<Because>, id: web::Path<ComplianceCheckId>) -> Answer {
    call.write(move |tx, call| Reply::ok(&check::send_back(tx, call, *id, &call.body.reason)?)).await
}

/// Waive a requirement for this application, with a reason
#[utoipa::path(tag = "checks", params(("id" = ComplianceCheckId, Path)), request_body = Because, responses((status = 200, body = Resource<ComplianceCheck>)))]
#[post("/v1/checks/{id}/waive")]
async fn waive_check(call: Call<Because>, id: web::Path<ComplianceCheckId>) -> Answer {
    call.write(move |tx, call| Reply::ok(&check::waive(tx, call, *id, &call.body.reason)?)).await
}

/// Reopen a check on new evidence
///
/// A failed or expired one; and a passed one against which something was found since, before a line is decided by it.
#[utoipa::path(tag = "checks", params(("id" = ComplianceCheckId, Path)), request_body = Because, responses((status = 200, body = Resource<ComplianceCheck>)))]
#[post("/v1/checks/{id}/reopen")]
async fn reopen_check(call: Call<Because>, id: web::Path<ComplianceCheckId>) -> Answer {
    call.write(move |tx, call| Reply::ok(&check::reopen(tx, call, *id, &call.body.reason)?)).await
}

/// A provider sees the checks of its application once it is decided.
fn shown_to<T: Send + Sync + 'static>(call: &Call<T>, application: &Application) -> Outcome<()> {
    if call.who.is_providing() && application.state().name() != "decided" {
        return Err(SEALED.broken("the checks are shown once the application is decided").into());
    }
    Ok(())
}

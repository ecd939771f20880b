//! Arrangements: create, publish, establish, extend, terminate (A1).

use actix_web::{get, patch, post, put, web};
use domain::arrangement::{
    self as rules, Arrangement, ExternalReference, NewArrangement, Participant, Particulars, Policies,
    arrangement::Changes,
};
use domain::kernel::{ArrangementId, AuthorityCode, Role};
use domain::law;
use persistence::Filter;
use persistence::arrangement::{self as store, arrangements};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use usecase::lifecycle;

use crate::http::filters::StateOf;
use crate::http::reply::Resource;
use crate::http::routes::routes;
use crate::http::{Answer, Call, DomainBody, List, Listing, Reply};

routes! {
    create_arrangement: ManageArrangement, [store::RULES, rules::RULES, rules::particulars::RULES, rules::policy::RULES, law::regime::RULES, usecase::arrangement::RULES];
    list_arrangements: ReadMarket, [crate::http::listing::RULES];
    get_arrangement: ReadMarket, [];
    amend_arrangement: ManageArrangement, [store::RULES, rules::RULES, rules::particulars::RULES];
    get_policies: ReadMarket, [];
    set_policies: ManageArrangement, [rules::policy::RULES, law::regime::RULES];
    get_authorities: ReadMarket, [];
    add_authority: ManageArrangement, [rules::RULES, rules::arrangement::RULES];
    link_arrangement: ManageArrangement, [rules::RULES, rules::arrangement::RULES];
    publish_arrangement: ManageArrangement, [rules::publication::RULES, rules::RULES, rules::particulars::RULES, rules::policy::RULES, rules::arrangement::RULES, law::regime::RULES, rules::round::RULES];
    modify_arrangement: ManageArrangement, [rules::RULES, rules::particulars::RULES, rules::arrangement::RULES];
    establish_arrangement: ManageArrangement, [rules::arrangement::RULES];
    begin_arrangement_review: ManageArrangement, [rules::arrangement::RULES, law::regime::RULES];
    decline_arrangement_extension: ManageArrangement, [domain::kernel::rule::RULES];
    extend_arrangement: ManageArrangement, [rules::RULES, rules::arrangement::RULES, law::regime::RULES, domain::kernel::rule::RULES];
    terminate_arrangement: ManageArrangement, [rules::RULES, domain::kernel::rule::RULES];
    discard_arrangement: ManageArrangement, [];
}

/// Create a draft arrangement
///
/// The caller's authority leads it.
#[utoipa::path(tag = "arrangements", request_body = NewArrangement, responses((status = 201, body = Resource<Arrangement>)))]
#[post("/v1/arrangements")]
async fn create_arrangement(call: Call<DomainBody<NewArrangement>>) -> Answer {
    call.write(|tx, call| Reply::created(&usecase::arrangement::create(tx, call, call.body.0.clone())?, "arrangements"))
        .await
}

type StateName = StateOf<Arrangement>;

/// Which arrangements to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListArrangementsQuery {
    /// Only in this state.
    #[param(inline)]
    state: Option<StateName>,
    /// Only led by this authority.
    lead: Option<AuthorityCode>,
}

/// List arrangements
///
/// Everyone sees what is published; an authority also sees its own drafts.
#[utoipa::path(tag = "arrangements", params(ListArrangementsQuery, Listing), responses((status = 200, body = List<Resource<Arrangement>>)))]
#[get("/v1/arrangements")]
async fn list_arrangements(
    call: Call,
    wanted: web::Query<ListArrangementsQuery>,
    listing: web::Query<Listing>,
) -> Answer {
    call.list(
        move |_, call| {
            let page = listing.page()?;
            let filter =
                Filter::all().if_is(arrangements::state, wanted.state.map(StateOf::name)).since(listing.since());
            // Drafts are their lead's alone.
            let drafts_of = call.who.actor.authority.as_ref().filter(|_| call.who.actor.role != Role::Script);
            let filter = match (drafts_of, wanted.state) {
                (Some(own), Some(state)) if state.name() == "draft" => filter.is(arrangements::lead, own.as_str()),
                (_, _) => filter
                    .if_is(arrangements::lead, wanted.lead.as_ref().map(AuthorityCode::as_str))
                    .is(arrangements::published, true),
            };
            Ok((page, filter))
        },
        |found: &Arrangement, _| found.clone(),
    )
    .await
}

/// Read an arrangement
#[utoipa::path(tag = "arrangements", params(("id" = ArrangementId, Path)), responses((status = 200, body = Resource<Arrangement>)))]
#[get("/v1/arrangements/{id}")]
async fn get_arrangement(call: Call, id: web::Path<ArrangementId>) -> Answer {
    call.show::<Arrangement>(*id, |found, _| Reply::ok(found)).await
}

/// Rewrite a draft's particulars
#[utoipa::path(tag = "arrangements", params(("id" = ArrangementId, Path)), request_body = Particulars, responses((status = 200, body = Resource<Arrangement>)))]
#[patch("/v1/arrangements/{id}")]
async fn amend_arrangement(call: Call<DomainBody<Particulars>>, id: web::Path<ArrangementId>) -> Answer {
    call.act(*id, |arrangement: Arrangement, _, call| Ok(arrangement.amend(call.body.0.clone())?)).await
}

/// Read the policies
#[utoipa::path(tag = "arrangements", params(("id" = ArrangementId, Path)), responses((status = 200, body = Policies)))]
#[get("/v1/arrangements/{id}/policies")]
async fn get_policies(call: Call, id: web::Path<ArrangementId>) -> Answer {
    call.read(move |c, call| {
        let found = call.who.get::<Arrangement>(c, *id)?;
        Ok(Reply::json(200, &found.value.policies)?.tagged(found.version))
    })
    .await
}

/// Set a draft's policies
///
/// They are frozen at publication; a mode that the regime forbids is refused with the reason.
#[utoipa::path(tag = "arrangements", params(("id" = ArrangementId, Path)), request_body = Policies, responses((status = 200, body = Resource<Arrangement>)))]
#[put("/v1/arrangements/{id}/policies")]
async fn set_policies(call: Call<DomainBody<Policies>>, id: web::Path<ArrangementId>) -> Answer {
    call.act(*id, |arrangement: Arrangement, _, call| Ok(arrangement.set_policies(call.body.0.clone())?)).await
}

/// Read the authorities that use an arrangement
#[utoipa::path(tag = "arrangements", params(("id" = ArrangementId, Path)), responses((status = 200, body = Vec<Participant>)))]
#[get("/v1/arrangements/{id}/authorities")]
async fn get_authorities(call: Call, id: web::Path<ArrangementId>) -> Answer {
    call.read(move |c, call| {
        let found = call.who.get::<Arrangement>(c, *id)?;
        Ok(Reply::json(200, &found.value.participants)?.tagged(found.version))
    })
    .await
}

/// Let an authority use the arrangement
///
/// Refused after publication where the policies close the participants (C-17).
#[utoipa::path(tag = "arrangements", params(("id" = ArrangementId, Path)), request_body = Participant, responses((status = 200, body = Resource<Arrangement>)))]
#[post("/v1/arrangements/{id}/authorities")]
async fn add_authority(call: Call<DomainBody<Participant>>, id: web::Path<ArrangementId>) -> Answer {
    call.write(move |tx, call| Reply::ok(&usecase::arrangement::add_authority(tx, call, *id, call.body.0.clone())?))
        .await
}

/// Record what a portal calls the arrangement
///
/// One reference per system; the same again changes nothing (DPS-24).
#[utoipa::path(tag = "arrangements", params(("id" = ArrangementId, Path)), request_body = ExternalReference, responses((status = 200, body = Resource<Arrangement>)))]
#[post("/v1/arrangements/{id}/external-references")]
async fn link_arrangement(call: Call<DomainBody<ExternalReference>>, id: web::Path<ArrangementId>) -> Answer {
    call.act(*id, |arrangement: Arrangement, _, call| Ok(arrangement.link(call.body.0.clone())?)).await
}

/// Publish an arrangement
///
/// Everything that is missing is named at once. The first round is scheduled by policy, and the lots open.
#[utoipa::path(tag = "arrangements", params(("id" = ArrangementId, Path)), responses((status = 200, body = Resource<Arrangement>)))]
#[post("/v1/arrangements/{id}/publish")]
async fn publish_arrangement(call: Call, id: web::Path<ArrangementId>) -> Answer {
    call.write(move |tx, call| Reply::ok(&lifecycle::publish_arrangement(tx, call, *id)?)).await
}

/// A modification with its reason.
#[derive(Clone, Debug, Deserialize, serde::Serialize, ToSchema, Validate)]
struct Modify {
    /// What is replaced.
    #[validate(nested)]
    changes: Changes,
    /// Why.
    #[validate(length(max = 4000))]
    #[schema(max_length = 4000)]
    reason: String,
}

/// Modify a published arrangement
///
/// Recorded with date and reason, open to all (PCR34-28).
#[utoipa::path(tag = "arrangements", params(("id" = ArrangementId, Path)), request_body = Modify, responses((status = 200, body = Resource<Arrangement>)))]
#[post("/v1/arrangements/{id}/modify")]
async fn modify_arrangement(call: Call<DomainBody<Modify>>, id: web::Path<ArrangementId>) -> Answer {
    call.act(*id, |arrangement: Arrangement, tx, call| {
        let Modify { changes, reason } = call.body.0.clone();
        Ok(arrangement.modify(changes, reason, tx.now())?)
    })
    .await
}

/// Take an arrangement into use
#[utoipa::path(tag = "arrangements", params(("id" = ArrangementId, Path)), responses((status = 200, body = Resource<Arrangement>)))]
#[post("/v1/arrangements/{id}/establish")]
async fn establish_arrangement(call: Call, id: web::Path<ArrangementId>) -> Answer {
    call.act(*id, |arrangement: Arrangement, tx, _| Ok(arrangement.establish(tx.now())?)).await
}

/// Begin the review that precedes an extension
///
/// Whether the term is extended is decided after a review (EMF-02): by `extend` or by `decline-extension`. The arrangement
/// stays in use meanwhile, and expires with its term where nothing is decided.
#[utoipa::path(tag = "arrangements", params(("id" = ArrangementId, Path)), responses((status = 200, body = Resource<Arrangement>)))]
#[post("/v1/arrangements/{id}/review")]
async fn begin_arrangement_review(call: Call, id: web::Path<ArrangementId>) -> Answer {
    call.act(*id, |arrangement: Arrangement, tx, _| Ok(arrangement.begin_review(tx.now())?)).await
}

/// Decide after a review that the term is not extended
#[utoipa::path(tag = "arrangements", params(("id" = ArrangementId, Path)), request_body = Because, responses((status = 200, body = Resource<Arrangement>)))]
#[post("/v1/arrangements/{id}/decline-extension")]
async fn decline_arrangement_extension(call: Call<Because>, id: web::Path<ArrangementId>) -> Answer {
    call.act(*id, |arrangement: Arrangement, tx, call| {
        Ok(arrangement.decline_extension(call.body.reason.clone(), tx.now())?)
    })
    .await
}

/// By how much a term is extended.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Extend {
    /// Months more.
    #[validate(range(min = 1, max = 600))]
    #[schema(minimum = 1, maximum = 600)]
    months: u32,
    /// Why.
    #[validate(length(min = 1, max = 4000))]
    #[schema(min_length = 1, max_length = 4000)]
    reason: String,
}

/// Extend the term after a review, as the policies and the statute allow
#[utoipa::path(tag = "arrangements", params(("id" = ArrangementId, Path)), request_body = Extend, responses((status = 200, body = Resource<Arrangement>)))]
#[post("/v1/arrangements/{id}/extend")]
async fn extend_arrangement(call: Call<Extend>, id: web::Path<ArrangementId>) -> Answer {
    call.act(*id, |arrangement: Arrangement, tx, call| {
        Ok(arrangement.extend(call.body.months, call.body.reason.clone(), tx.now())?)
    })
    .await
}

/// Why something is done.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Because {
    /// The reason, for those it affects.
    #[validate(length(min = 1, max = 4000))]
    #[schema(min_length = 1, max_length = 4000)]
    pub reason: String,
}

/// Terminate an arrangement
///
/// All that hangs on it ends: lots, rounds under way or ahead, interests, open applications with their checks, memberships
/// with their fees, measures, hearings and appeals.
#[utoipa::path(tag = "arrangements", params(("id" = ArrangementId, Path)), request_body = Because, responses((status = 200, body = Resource<Arrangement>)))]
#[post("/v1/arrangements/{id}/terminate")]
async fn terminate_arrangement(call: Call<Because>, id: web::Path<ArrangementId>) -> Answer {
    call.write(move |tx, call| Reply::ok(&lifecycle::terminate_arrangement(tx, call, *id, &call.body.reason)?)).await
}

/// Give up a draft
#[utoipa::path(tag = "arrangements", params(("id" = ArrangementId, Path)), responses((status = 200, body = Resource<Arrangement>)))]
#[post("/v1/arrangements/{id}/discard")]
async fn discard_arrangement(call: Call, id: web::Path<ArrangementId>) -> Answer {
    call.write(move |tx, call| Reply::ok(&lifecycle::discard_arrangement(tx, call, *id)?)).await
}

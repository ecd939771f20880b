//! The shared requirement library (DPS-21).

use actix_web::{get, post, web};
use domain::arrangement::{self as rules, Requirement, RequirementVersion};
use domain::kernel::{AuthorityCode, RequirementId};
use persistence::Filter;
use persistence::arrangement::requirements;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use usecase::arrangement::requirement;

use crate::http::reply::Resource;
use crate::http::routes::routes;
use crate::http::{Answer, Call, DomainBody, List, Listing, Reply};

routes! {
    define_requirement: ManageArrangement, [rules::RULES, rules::requirement::RULES];
    list_requirements: ReadMarket, [crate::http::listing::RULES];
    get_requirement: ReadMarket, [];
    add_requirement_version: ManageArrangement, [rules::RULES, rules::requirement::RULES];
}

/// A new requirement.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase")]
struct Define {
    /// Unique in the caller's library.
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    code: String,
    /// Its first version.
    #[validate(nested)]
    first: RequirementVersion,
}

/// Put a requirement into the library of the caller's authority
#[utoipa::path(tag = "requirements", request_body = Define, responses((status = 201, body = Resource<Requirement>)))]
#[post("/v1/requirements")]
async fn define_requirement(call: Call<DomainBody<Define>>) -> Answer {
    call.write(|tx, call| {
        let Define { code, first } = call.body.0.clone();
        Reply::created(&requirement::define(tx, call, code, first)?, "requirements")
    })
    .await
}

/// Whose library to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListRequirementsQuery {
    /// Only this authority's.
    owner: Option<AuthorityCode>,
}

/// List the requirement library
#[utoipa::path(tag = "requirements", params(ListRequirementsQuery, Listing), responses((status = 200, body = List<Resource<Requirement>>)))]
#[get("/v1/requirements")]
async fn list_requirements(
    call: Call,
    library: web::Query<ListRequirementsQuery>,
    listing: web::Query<Listing>,
) -> Answer {
    call.list(
        move |_, _| {
            let page = listing.page()?;
            let owner = library.owner.as_ref().map(ToString::to_string);
            Ok((page, Filter::all().if_is(requirements::owner, owner).since(listing.since())))
        },
        |found: &Requirement, _| found.clone(),
    )
    .await
}

/// Read a requirement with all its versions
#[utoipa::path(tag = "requirements", params(("id" = RequirementId, Path)), responses((status = 200, body = Resource<Requirement>)))]
#[get("/v1/requirements/{id}")]
async fn get_requirement(call: Call, id: web::Path<RequirementId>) -> Answer {
    call.read(move |c, _| Reply::ok(&c.get::<Requirement>(*id)?)).await
}

/// Add a version to a requirement of the caller's library
///
/// Versions are immutable; lots keep theirs until they adopt another.
#[utoipa::path(tag = "requirements", params(("id" = RequirementId, Path)), request_body = RequirementVersion, responses((status = 200, body = Resource<Requirement>)))]
#[post("/v1/requirements/{id}/versions")]
async fn add_requirement_version(call: Call<DomainBody<RequirementVersion>>, id: web::Path<RequirementId>) -> Answer {
    call.write(move |tx, call| Reply::ok(&requirement::add_version(tx, call, *id, call.body.0.clone())?)).await
}

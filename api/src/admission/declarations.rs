//! Declarations of interest by assessors (BEY-08).

use actix_web::{get, put, web};
use domain::admission::declaration_of_interests::{self, DeclarationOfInterests, DeclaredInterest};
use domain::kernel::{ArrangementId, Kind};
use persistence::Failure;
use persistence::admission::declaration_of;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use usecase::admission::declaration;

use crate::http::reply::Resource;
use crate::http::routes::routes;
use crate::http::{Answer, Call, DomainBody, Reply};

routes! {
    declare_interests: RecordCheck, [declaration_of_interests::RULES, domain::arrangement::RULES];
    get_declaration: RecordCheck, [];
}

/// An assessor's interests.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = DeclareInterests)]
struct Interests {
    /// Empty where there is none.
    #[validate(nested)]
    interests: Vec<DeclaredInterest>,
}

/// Declare the caller's interests in the providers of an arrangement
///
/// Needed before the first check is judged. Declaring again replaces what was declared before; the record keeps both.
#[utoipa::path(tag = "checks", params(("id" = ArrangementId, Path), ("If-Match" = Option<String>, Header, description = "Not needed: the last declaration stands")), request_body = Interests, responses((status = 200, body = Resource<DeclarationOfInterests>)))]
#[put("/v1/arrangements/{id}/declaration-of-interests")]
async fn declare_interests(call: Call<DomainBody<Interests>>, id: web::Path<ArrangementId>) -> Answer {
    call.write(move |tx, call| Reply::ok(&declaration::declare(tx, call, *id, call.body.0.interests.clone())?)).await
}

/// Read the caller's own declaration
#[utoipa::path(tag = "checks", params(("id" = ArrangementId, Path)), responses((status = 200, body = Resource<DeclarationOfInterests>)))]
#[get("/v1/arrangements/{id}/declaration-of-interests")]
async fn get_declaration(call: Call, id: web::Path<ArrangementId>) -> Answer {
    call.read(move |c, call| {
        let found = declaration_of(c, *id, &call.who.actor.subject)?;
        Reply::ok(&found.ok_or(Failure::NotFound(Kind::DeclarationOfInterests))?)
    })
    .await
}

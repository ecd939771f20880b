//! Declarations of interest by assessors (BEY-08).

use actix_web::{get, put, web};
use domain::admission::declaration_of_interests::{self, DeclarationOfInterests, DeclaredInterest};
use domain::arrangement::Arrangement;
use domain::kernel::{ArrangementId, Kind};
use persistence::admission::declaration_of;
use persistence::{Failure, Outcome, Tx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::reply::Resource;
use crate::http::routes::routes;
use crate::http::{Answer, Call, DomainBody, Reply};

routes! {
    declare_interests: RecordCheck, [declaration_of_interests::RULES];
    get_declaration: RecordCheck, [];
}

/// An assessor's interests.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeclareInterests)]
struct Interests {
    /// Empty where there is none.
    interests: Vec<DeclaredInterest>,
}

/// Declare the caller's interests in the providers of an arrangement
///
/// Needed before the first check is judged. Declaring again replaces what was declared before; the record keeps both.
#[utoipa::path(tag = "checks", params(("id" = ArrangementId, Path), ("If-Match" = Option<String>, Header, description = "Not needed: the last declaration stands")), request_body = Interests, responses((status = 200, body = Resource<DeclarationOfInterests>)))]
#[put("/v1/arrangements/{id}/declaration-of-interests")]
async fn declare_interests(call: Call<DomainBody<Interests>>, id: web::Path<ArrangementId>) -> Answer {
    call.write(move |tx, call| {
        let found = tx.hold::<Arrangement>(*id);
        call.who.own(tx, found)?;
        let (interests, now) = (call.body.0.interests.clone(), tx.now());
        let actor = tx.actor();
        let stored = match declaration_of(tx, *id, &actor.subject)? {
            None => tx.create(DeclarationOfInterests::declare(tx.mint(), *id, interests, actor, now)?)?,
            Some(before) => {
                let decision = before.value.clone().revise(interests, actor, now)?;
                tx.save(&before, decision)?
            }
        };
        Reply::ok(&stored)
    })
    .await
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

/// What the caller declared for an arrangement.
pub(crate) fn own(tx: &mut Tx<'_>, arrangement: ArrangementId) -> Outcome<Option<DeclarationOfInterests>> {
    let assessor = tx.actor();
    Ok(declaration_of(tx, arrangement, &assessor.subject)?.map(|declaration| declaration.value))
}

//! Interest in an arrangement (A19, PRO-07).

use actix_web::{get, post, web};
use domain::arrangement::interest::{self as rules, Interest};
use domain::kernel::{ArrangementId, InterestId, Kind, ProviderId};
use persistence::arrangement::interests;
use persistence::{Failure, Filter};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use usecase::arrangement::interest;

use crate::http::reply::Resource;
use crate::http::routes::routes;
use crate::http::{Answer, Call, List, Listing, Reply};

routes! {
    register_interest: Apply, [rules::RULES];
    list_interests: ReadApplications, [crate::http::listing::RULES];
    withdraw_interest: Apply, [];
}

/// Whose interest.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct RegisterInterest {
    /// The provider; the token's provider where absent.
    provider: Option<ProviderId>,
}

/// Register interest in an arrangement
///
/// Inside the window that it publishes, half-open (PRO-07).
#[utoipa::path(tag = "arrangements", params(("id" = ArrangementId, Path)), request_body = RegisterInterest, responses((status = 201, body = Resource<Interest>)))]
#[post("/v1/arrangements/{id}/interests")]
async fn register_interest(call: Call<RegisterInterest>, id: web::Path<ArrangementId>) -> Answer {
    call.write(move |tx, call| {
        let provider = call.body.provider.or(call.who.actor.provider).ok_or(Failure::NotFound(Kind::Provider))?;
        Reply::created(&interest::register(tx, call, *id, provider)?, "interests")
    })
    .await
}

/// List the interests in an arrangement
///
/// Providers see their own.
#[utoipa::path(tag = "arrangements", params(("id" = ArrangementId, Path), Listing), responses((status = 200, body = List<Resource<Interest>>)))]
#[get("/v1/arrangements/{id}/interests")]
async fn list_interests(call: Call, id: web::Path<ArrangementId>, listing: web::Query<Listing>) -> Answer {
    call.list(
        move |c, call| {
            let page = listing.page()?;
            let (provider_id, arrangement_id) = call.who.reach(c, None, Some(*id))?;
            let filter = Filter::all()
                .if_any(interests::provider_id, provider_id)
                .if_any(interests::arrangement_id, arrangement_id);
            Ok((page, filter.since(listing.since())))
        },
        |found: &Interest, _| found.clone(),
    )
    .await
}

/// Withdraw an interest
#[utoipa::path(tag = "arrangements", params(("id" = InterestId, Path)), responses((status = 200, body = Resource<Interest>)))]
#[post("/v1/interests/{id}/withdraw")]
async fn withdraw_interest(call: Call, id: web::Path<InterestId>) -> Answer {
    call.act(*id, |interest: Interest, tx, _| Ok(interest.withdraw(tx.now())?)).await
}

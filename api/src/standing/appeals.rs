//! Appeals against a rejection, a suspension or a removal, and what follows from one that is upheld (BEY-05).

use actix_web::{get, post, web};
use domain::admission::application::{self};
use domain::admission::compliance_check::{self};
use domain::admission::membership::{self};
use domain::kernel::{About, AppealId, ArrangementId, Kind, ProviderId};
use domain::standing::appeal::{self as rules, Appeal, AppealTarget};
use persistence::standing::appeals;
use persistence::{Conn, Failure, Filter, Outcome, Uid};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::arrangement::arrangements::Because;
use usecase::standing::appeal;

use crate::http::filters::StateOf;
use crate::http::reply::Resource;
use crate::http::routes::routes;
use crate::http::{Answer, Call, List, Listing, Reply};

routes! {
    lodge_appeal: MakeRepresentations, [domain::arrangement::RULES, rules::RULES, domain::kernel::rule::RULES];
    list_appeals: ReadApplications, [crate::http::listing::RULES];
    get_appeal: ReadApplications, [];
    uphold_appeal: DecideAppeal, [rules::RULES, application::RULES, compliance_check::RULES, membership::RULES, domain::kernel::rule::RULES];
    dismiss_appeal: DecideAppeal, [rules::RULES, domain::kernel::rule::RULES];
    withdraw_appeal: MakeRepresentations, [];
}

/// An appeal to be lodged.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Lodge {
    /// Against what.
    target: AppealTarget,
    /// Why.
    #[validate(length(min = 1, max = 20_000))]
    #[schema(min_length = 1, max_length = 20_000)]
    grounds: String,
}

/// Lodge an appeal, as the provider concerned
///
/// The decision stays in effect until the appeal is upheld.
#[utoipa::path(tag = "standing", request_body = Lodge, responses((status = 201, body = Resource<Appeal>)))]
#[post("/v1/appeals")]
async fn lodge_appeal(call: Call<Lodge>) -> Answer {
    call.write(|tx, call| {
        let Lodge { target, grounds } = call.body.clone();
        Reply::created(&appeal::lodge(tx, call, target, grounds)?, "appeals")
    })
    .await
}

type StateName = StateOf<Appeal>;

/// Which appeals to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListAppealsQuery {
    /// Only in this state.
    #[param(inline)]
    state: Option<StateName>,
    /// Only in this arrangement.
    arrangement: Option<ArrangementId>,
    /// Only of this provider.
    provider: Option<ProviderId>,
}

/// List appeals
///
/// A provider's own; an authority's in the arrangements whose applications it may read.
#[utoipa::path(tag = "standing", params(ListAppealsQuery, Listing), responses((status = 200, body = List<Resource<Appeal>>)))]
#[get("/v1/appeals")]
async fn list_appeals(call: Call, which: web::Query<ListAppealsQuery>, listing: web::Query<Listing>) -> Answer {
    call.list(
        move |c, call| {
            let page = listing.page()?;
            let filter = Filter::all()
                .if_is(appeals::state, which.state.map(StateOf::name))
                .if_is(appeals::arrangement_id, which.arrangement)
                .since(listing.since());
            let filter = match (call.who.own_providers(c)?, which.arrangement) {
                (Some(mut own), _) => {
                    own.retain(|id| which.provider.is_none_or(|only| only == *id));
                    return Ok((page, filter.any(appeals::provider_id, own)));
                }
                (None, Some(only)) => {
                    call.who.may(c, within(only), Kind::Arrangement)?;
                    filter
                }
                (None, None) => filter.if_any(appeals::arrangement_id, readable(call, c)?),
            };
            Ok((page, filter.if_is(appeals::provider_id, which.provider)))
        },
        |found: &Appeal, _| found.clone(),
    )
    .await
}

fn within(arrangement: ArrangementId) -> About {
    About { arrangement: Some(arrangement), ..About::default() }
}

/// The arrangements whose appeals a buyer may read; `None`: all.
fn readable(call: &Call, conn: &mut Conn<'_>) -> Outcome<Option<Vec<Uid>>> {
    let Some(own) = call.who.own_arrangements(conn)? else { return Ok(None) };
    let mut found = Vec::new();
    for id in own {
        match call.who.may(conn, within(id), Kind::Arrangement) {
            Ok(()) => found.push(Uid::from(id)),
            Err(Failure::NotFound(_) | Failure::Forbidden) => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(Some(found))
}

/// Read an appeal
#[utoipa::path(tag = "standing", params(("id" = AppealId, Path)), responses((status = 200, body = Resource<Appeal>)))]
#[get("/v1/appeals/{id}")]
async fn get_appeal(call: Call, id: web::Path<AppealId>) -> Answer {
    call.show::<Appeal>(*id, |found, _| Reply::ok(found)).await
}

/// Uphold an appeal
///
/// What was decided is set aside at once: the suspension is lifted, or annulled where it has ended; the removal revoked
/// or, where it took effect, the provider admitted again; a rejected line is evaluated again with its failed checks.
#[utoipa::path(tag = "standing", params(("id" = AppealId, Path)), request_body = Because, responses((status = 200, body = Resource<Appeal>)))]
#[post("/v1/appeals/{id}/uphold")]
async fn uphold_appeal(call: Call<Because>, id: web::Path<AppealId>) -> Answer {
    call.write(move |tx, call| Reply::ok(&appeal::uphold(tx, call, *id, &call.body.reason)?)).await
}

/// Dismiss an appeal: the decision stands
#[utoipa::path(tag = "standing", params(("id" = AppealId, Path)), request_body = Because, responses((status = 200, body = Resource<Appeal>)))]
#[post("/v1/appeals/{id}/dismiss")]
async fn dismiss_appeal(call: Call<Because>, id: web::Path<AppealId>) -> Answer {
    call.write(move |tx, call| Reply::ok(&appeal::dismiss(tx, call, *id, call.body.reason.clone())?)).await
}

/// Take an appeal back, as the provider that lodged it
#[utoipa::path(tag = "standing", params(("id" = AppealId, Path)), responses((status = 200, body = Resource<Appeal>)))]
#[post("/v1/appeals/{id}/withdraw")]
async fn withdraw_appeal(call: Call, id: web::Path<AppealId>) -> Answer {
    call.write(move |tx, call| Reply::ok(&appeal::withdraw(tx, call, *id)?)).await
}

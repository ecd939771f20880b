//! Core cost fees: a member offers and withdraws them; it and the buyers of its arrangement read them.

use actix_web::{get, post, web};
use domain::fee::{Fee, OfferFee, fee as rules};
use domain::kernel::{ArrangementId, FeeId, Instant, LotId, MembershipId, ProviderId};
use persistence::fee::{self as store, fees};
use persistence::{Filter, Outcome, Stored};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::http::body::DomainBody;
use crate::http::reply::Resource;
use crate::http::routes::routes;
use crate::http::{Answer, Call, List, Listing, Reply, listing};
use crate::standing::seen_member;
use usecase::Caller;

routes! {
    offer_fee: OfferFee, [rules::RULES, domain::standing::RULES];
    list_member_fees: ReadMembers, [];
    list_fees: ReadMembers, [listing::RULES];
    get_fee: ReadMembers, [];
    withdraw_fee: OfferFee, [domain::kernel::rule::RULES];
}

/// A fee as the caller is shown it: what it is compared with is for the buying side.
fn shown(who: &Caller, fee: &Fee) -> Fee {
    if who.is_providing() { fee.as_offered() } else { fee.clone() }
}

fn reply(who: &Caller, fee: &Stored<Fee>) -> Outcome<Reply> {
    Reply::view(fee, shown(who, &fee.value))
}

/// Offer a fee
///
/// A later fee of the same `code` takes the place of the one before on its first day. An abnormally high fee is
/// accepted, and flagged to the buying side for discussion (PRC-04).
#[utoipa::path(tag = "fees", params(("id" = MembershipId, Path)), request_body = OfferFee, responses((status = 201, body = Resource<Fee>)))]
#[post("/v1/memberships/{id}/fees")]
async fn offer_fee(call: Call<DomainBody<OfferFee>>, id: web::Path<MembershipId>) -> Answer {
    call.write(move |tx, call| {
        let fee = usecase::fee::offer(tx, call, *id, call.body.0.clone())?;
        Ok(reply(&call.who, &fee)?.at(format!("/v1/fees/{}", fee.value.id)))
    })
    .await
}

/// List the fees of a membership
///
/// All of them: those that hold, those to come, and those that were asked before.
#[utoipa::path(tag = "fees", params(("id" = MembershipId, Path)), responses((status = 200, body = List<Resource<Fee>>)))]
#[get("/v1/memberships/{id}/fees")]
async fn list_member_fees(call: Call, id: web::Path<MembershipId>) -> Answer {
    call.scan(move |c, call| {
        seen_member(call, c, *id)?;
        let fees = store::fees_of(c, *id)?;
        let items = fees.iter().map(|fee| Resource::of(fee, |fee| shown(&call.who, fee))).collect();
        Reply::json(200, &List { items, next: None })
    })
    .await
}

/// Which fees to list.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct ListFeesQuery {
    /// Only of this membership.
    membership: Option<MembershipId>,
    /// Only in this lot.
    lot: Option<LotId>,
    /// Only in this arrangement.
    arrangement: Option<ArrangementId>,
    /// Only of this provider.
    provider: Option<ProviderId>,
    /// Only the fees that hold at this instant, one for each service.
    as_of: Option<Instant>,
}

/// List fees
///
/// Providers see their own.
#[utoipa::path(tag = "fees", params(ListFeesQuery, Listing), responses((status = 200, body = List<Resource<Fee>>)))]
#[get("/v1/fees")]
async fn list_fees(call: Call, wanted: web::Query<ListFeesQuery>, listing: web::Query<Listing>) -> Answer {
    call.scan(move |c, call| {
        let page = listing.page()?;
        let (provider_id, arrangement_id) = call.who.reach(c, wanted.provider, wanted.arrangement)?;
        let filter = Filter::all()
            .if_any(fees::provider_id, provider_id)
            .if_any(fees::arrangement_id, arrangement_id)
            .if_is(fees::lot_id, wanted.lot)
            .if_is(fees::membership_id, wanted.membership)
            .since(listing.since());
        let found = match wanted.as_of {
            Some(at) => store::holding_at(c, &filter, at, page)?,
            None => c.list(&filter, page)?,
        };
        Listing::reply(page, found, |fee| shown(&call.who, fee))
    })
    .await
}

/// Read a fee
#[utoipa::path(tag = "fees", params(("id" = FeeId, Path)), responses((status = 200, body = Resource<Fee>)))]
#[get("/v1/fees/{id}")]
async fn get_fee(call: Call, id: web::Path<FeeId>) -> Answer {
    call.read(move |c, call| {
        let found = call.who.get::<Fee>(c, *id)?;
        reply(&call.who, &found)
    })
    .await
}

/// Why a fee is withdrawn.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct WithdrawFee {
    /// The reason.
    #[validate(length(min = 1, max = 4000))]
    #[schema(min_length = 1, max_length = 4000)]
    reason: String,
}

/// Withdraw a fee
///
/// One that has begun ends now, and the one before it does not return. One that has not begun was never asked.
#[utoipa::path(tag = "fees", params(("id" = FeeId, Path)), request_body = WithdrawFee, responses((status = 200, body = Resource<Fee>)))]
#[post("/v1/fees/{id}/withdraw")]
async fn withdraw_fee(call: Call<WithdrawFee>, id: web::Path<FeeId>) -> Answer {
    call.write(move |tx, call| {
        let before = call.lock::<Fee>(tx, *id)?;
        let decision = before.value.clone().withdraw(call.body.reason.clone(), tx.actor(), tx.now())?;
        reply(&call.who, &tx.save(&before, decision)?)
    })
    .await
}

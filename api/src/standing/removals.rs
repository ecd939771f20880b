//! Removals: begin, hear, decide, revoke, take effect, and the register of an arrangement (A8, R-04).

use actix_web::{get, post, web};
use domain::kernel::{ArrangementId, Instant, MembershipId, ProviderId, RemovalId};
use domain::standing::removal::{self as rules, Ground, NotifyRemoval, Removal};
use persistence::Filter;
use persistence::standing::{self as store, removals};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::{listed, on_measure, seen_member};
use crate::arrangement::arrangements::Because;
use usecase::standing::removal;

use crate::http::filters::StateOf;
use crate::http::reply::Resource;
use crate::http::routes::routes;
use crate::http::{Answer, Call, List, Listing, Reply};

routes! {
    begin_removal: Remove, [removal::RULES, rules::RULES, domain::standing::RULES, domain::kernel::rule::RULES];
    list_membership_removals: ReadMembers, [];
    get_removal: ReadMembers, [];
    represent_removal: MakeRepresentations, [domain::standing::RULES];
    decide_removal: Remove, [rules::RULES, domain::kernel::rule::RULES];
    confirm_removal: Remove, [rules::RULES];
    return_removal: Remove, [domain::kernel::rule::RULES];
    revoke_removal: Remove, [domain::standing::RULES, domain::kernel::rule::RULES];
    give_no_fault_notice: GiveNoFaultNotice, [rules::RULES, domain::standing::RULES];
    list_removals: ReadMembers, [crate::http::listing::RULES];
    count_removals: ReadMembers, [];
}

/// Why the failure path need not be followed.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Gross {
    /// Why the failure is gross.
    #[validate(length(max = 4000))]
    #[schema(max_length = 4000)]
    reason: String,
}

/// A removal to be begun.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Begin {
    /// The ground; not `no_fault`, which has its own notice, nor `term_end`, which the clock sees to.
    ground: Ground,
    /// The grounds in words, as the provider is told them.
    #[validate(length(min = 1, max = 20_000))]
    #[schema(min_length = 1, max_length = 20_000)]
    reason: String,
    /// Given where the failure is gross, so that the arrangement's failure path need not be followed (C-02).
    #[validate(nested)]
    gross: Option<Gross>,
    /// References of documents.
    #[serde(default)]
    #[validate(length(max = 100))]
    #[schema(max_items = 100)]
    evidence: Vec<String>,
}

/// Begin the removal of a member
///
/// The provider is told and heard; the member stays one until the decision takes effect. Leaving the lot does not end it, and
/// where the provider is admitted again meanwhile it goes on against the new membership.
#[utoipa::path(tag = "standing", params(("id" = MembershipId, Path)), request_body = Begin, responses((status = 201, body = Resource<Removal>)))]
#[post("/v1/memberships/{id}/removals")]
async fn begin_removal(call: Call<Begin>, id: web::Path<MembershipId>) -> Answer {
    call.write(move |tx, call| {
        let Begin { ground, reason, gross, evidence } = call.body.clone();
        let order = NotifyRemoval { ground, reason, gross: gross.map(|gross| gross.reason), evidence };
        Reply::created(&removal::begin(tx, call, *id, order)?, "removals")
    })
    .await
}

/// A notice without cause.
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NoFault {
    /// The reason, where the one who gives notice names one; it owes none.
    #[serde(default)]
    #[validate(length(max = 4000))]
    #[schema(max_length = 4000)]
    reason: String,
}

/// Give notice without cause, as either side
///
/// The membership ends after the arrangement's period of notice (NOT-06).
#[utoipa::path(tag = "standing", params(("id" = MembershipId, Path)), request_body = NoFault, responses((status = 201, body = Resource<Removal>)))]
#[post("/v1/memberships/{id}/no-fault-notice")]
async fn give_no_fault_notice(call: Call<NoFault>, id: web::Path<MembershipId>) -> Answer {
    call.write(move |tx, call| {
        Reply::created(&removal::give_no_fault_notice(tx, call, *id, call.body.reason.clone())?, "removals")
    })
    .await
}

/// List the removals of a member from its lot
///
/// Whichever membership they were begun against.
#[utoipa::path(tag = "standing", params(("id" = MembershipId, Path)), responses((status = 200, body = List<Resource<Removal>>)))]
#[get("/v1/memberships/{id}/removals")]
async fn list_membership_removals(call: Call, id: web::Path<MembershipId>) -> Answer {
    call.scan(move |c, call| {
        let member = seen_member(call, c, *id)?;
        let items =
            store::removals_of(c, member.provider, member.lot)?.iter().map(|r| Resource::of(r, Clone::clone)).collect();
        Reply::json(200, &List { items, next: None })
    })
    .await
}

/// Read a removal
#[utoipa::path(tag = "standing", params(("id" = RemovalId, Path)), responses((status = 200, body = Resource<Removal>)))]
#[get("/v1/removals/{id}")]
async fn get_removal(call: Call, id: web::Path<RemovalId>) -> Answer {
    call.show::<Removal>(*id, |found, _| Reply::ok(found)).await
}

/// What a provider says to its removal.
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Hearing {
    /// The text, or a reference of the document that holds it.
    #[validate(length(max = 20_000))]
    #[schema(max_length = 20_000)]
    text: Option<String>,
    /// Whether the provider declares that it makes none, or no more: then the decision need not wait.
    #[serde(default)]
    none: bool,
}

/// Make representations to a removal, or declare that there are none, as the provider concerned
#[utoipa::path(tag = "standing", params(("id" = RemovalId, Path)), request_body = Hearing, responses((status = 200, body = Resource<Removal>)))]
#[post("/v1/removals/{id}/representations")]
async fn represent_removal(call: Call<Hearing>, id: web::Path<RemovalId>) -> Answer {
    call.write(move |tx, call| {
        let Hearing { text, none } = call.body.clone();
        Reply::ok(&removal::hear(tx, call, *id, text, none)?)
    })
    .await
}

/// A decision to remove.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Decide {
    /// When it takes effect; as early as the provider's hearing allows, where absent.
    effective_at: Option<Instant>,
    /// The reasons, as the provider is told them.
    #[validate(length(min = 1, max = 20_000))]
    #[schema(min_length = 1, max_length = 20_000)]
    reasons: String,
}

/// Decide a removal
///
/// The provider is told the reasons before it takes effect (PA37). Where the policy asks for two people (`removalByTwo`), the
/// decision is proposed until another one confirms it.
#[utoipa::path(tag = "standing", params(("id" = RemovalId, Path)), request_body = Decide, responses((status = 200, body = Resource<Removal>)))]
#[post("/v1/removals/{id}/decide")]
async fn decide_removal(call: Call<Decide>, id: web::Path<RemovalId>) -> Answer {
    call.write(move |tx, call| {
        let Decide { effective_at, reasons } = call.body.clone();
        Reply::ok(&removal::decide(tx, call, *id, effective_at, reasons)?)
    })
    .await
}

/// Confirm a proposed removal, as another person (ADD-24)
#[utoipa::path(tag = "standing", params(("id" = RemovalId, Path)), responses((status = 200, body = Resource<Removal>)))]
#[post("/v1/removals/{id}/confirm")]
async fn confirm_removal(call: Call, id: web::Path<RemovalId>) -> Answer {
    call.write(move |tx, call| Reply::ok(&removal::confirm(tx, call, *id)?)).await
}

/// Return a proposed removal, to be decided again or revoked
#[utoipa::path(tag = "standing", params(("id" = RemovalId, Path)), request_body = Because, responses((status = 200, body = Resource<Removal>)))]
#[post("/v1/removals/{id}/return")]
async fn return_removal(call: Call<Because>, id: web::Path<RemovalId>) -> Answer {
    on_measure(call, *id, |removal: Removal, _, call| Ok(removal.send_back(call.body.reason.clone())?)).await
}

/// Do not pursue a removal, or take it back before it takes effect
#[utoipa::path(tag = "standing", params(("id" = RemovalId, Path)), request_body = Because, responses((status = 200, body = Resource<Removal>)))]
#[post("/v1/removals/{id}/revoke")]
async fn revoke_removal(call: Call<Because>, id: web::Path<RemovalId>) -> Answer {
    on_measure(call, *id, |removal: Removal, tx, call| {
        Ok(removal.revoke(call.body.reason.clone(), tx.actor(), tx.now())?)
    })
    .await
}

type StateName = StateOf<Removal>;

/// Which removals to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct RemovalsQuery {
    /// Only in this state.
    #[param(inline)]
    state: Option<StateName>,
    /// Only about this provider.
    provider: Option<ProviderId>,
}

/// Read the removal register of an arrangement
///
/// A provider reads its own entries.
#[utoipa::path(tag = "standing", params(("id" = ArrangementId, Path), RemovalsQuery, Listing), responses((status = 200, body = List<Resource<Removal>>)))]
#[get("/v1/arrangements/{id}/removals")]
async fn list_removals(
    call: Call,
    id: web::Path<ArrangementId>,
    wanted: web::Query<RemovalsQuery>,
    listing: web::Query<Listing>,
) -> Answer {
    call.list(
        move |c, call| {
            let page = listing.page()?;
            let filter = Filter::all()
                .is(removals::arrangement_id, *id)
                .if_any(removals::provider_id, listed(c, call, *id, wanted.provider)?)
                .if_is(removals::state, wanted.state.map(StateOf::name));
            Ok((page, filter.since(listing.since())))
        },
        |found: &Removal, _| found.clone(),
    )
    .await
}

/// How many removals rest on a ground.
#[derive(Serialize, ToSchema)]
struct Count {
    /// The ground.
    #[schema(value_type = Ground)]
    ground: String,
    /// How many, revoked ones included.
    count: i64,
}

/// Count the removals of an arrangement by ground
///
/// A provider counts its own.
#[utoipa::path(tag = "standing", params(("id" = ArrangementId, Path)), responses((status = 200, body = Vec<Count>)))]
#[get("/v1/arrangements/{id}/removals/by-ground")]
async fn count_removals(call: Call, id: web::Path<ArrangementId>) -> Answer {
    call.scan(move |c, call| {
        let own = listed(c, call, *id, None)?;
        let counts = store::removals_by_ground(c, *id, own.as_deref())?;
        let counts: Vec<_> = counts.into_iter().map(|(ground, count)| Count { ground, count }).collect();
        Reply::json(200, &counts)
    })
    .await
}

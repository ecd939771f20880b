//! Sanctions: conceal or restrict a member, and lift either (WAL-13).

use actix_web::{get, post, web};
use domain::kernel::{Instant, MembershipId, SanctionId};
use domain::standing::attribution;
use domain::standing::sanction::{self as rules, ApplySanction, Sanction, SanctionKind};
use persistence::standing as store;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::{Lift, on_measure, seen_member};
use usecase::standing::sanction;

use crate::arrangement::arrangements::Because;
use crate::http::reply::Resource;
use crate::http::routes::routes;
use crate::http::{Answer, Call, List, Reply};

routes! {
    apply_sanction: ApplySanction, [rules::RULES, domain::standing::RULES, domain::kernel::rule::RULES];
    list_sanctions: ReadMembers, [];
    get_sanction: ReadMembers, [];
    lift_sanction: ApplySanction, [attribution::RULES, domain::kernel::rule::RULES];
    lift_sanction_for_authority: ApplySanction, [attribution::RULES, domain::kernel::rule::RULES];
}

/// A sanction to be imposed.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ImposeSanction)]
struct Impose {
    /// Which step of the ladder.
    kind: SanctionKind,
    /// The grounds.
    #[validate(length(min = 1, max = 20_000))]
    #[schema(min_length = 1, max_length = 20_000)]
    reason: String,
    /// Why the failing is serious enough to skip a step.
    #[validate(length(max = 4000))]
    #[schema(max_length = 4000)]
    serious: Option<String>,
    /// References of documents.
    #[serde(default)]
    #[validate(length(max = 100))]
    #[schema(max_items = 100)]
    evidence: Vec<String>,
    /// When to look at it again.
    review_on: Option<Instant>,
}

/// Conceal or restrict a member
///
/// Concealed members are hidden from the search of portals and still get referrals; restricted ones get none. It stands against
/// the provider in the lot until it is lifted, whatever becomes of the membership.
#[utoipa::path(tag = "standing", params(("id" = MembershipId, Path)), request_body = Impose, responses((status = 201, body = Resource<Sanction>)))]
#[post("/v1/memberships/{id}/sanctions")]
async fn apply_sanction(call: Call<Impose>, id: web::Path<MembershipId>) -> Answer {
    call.write(move |tx, call| {
        let Impose { kind, reason, serious, evidence, review_on } = call.body.clone();
        let order = ApplySanction { kind, reason, serious, evidence, review_on };
        Reply::created(&sanction::apply(tx, call, *id, order)?, "sanctions")
    })
    .await
}

/// List the sanctions of a member in its lot
///
/// Whichever membership they were imposed against.
#[utoipa::path(tag = "standing", params(("id" = MembershipId, Path)), responses((status = 200, body = List<Resource<Sanction>>)))]
#[get("/v1/memberships/{id}/sanctions")]
async fn list_sanctions(call: Call, id: web::Path<MembershipId>) -> Answer {
    call.scan(move |c, call| {
        let member = seen_member(call, c, *id)?;
        let items = store::sanctions_of(c, member.provider, member.lot)?
            .iter()
            .map(|s| Resource::of(s, Clone::clone))
            .collect();
        Reply::json(200, &List { items, next: None })
    })
    .await
}

/// Read a sanction
#[utoipa::path(tag = "standing", params(("id" = SanctionId, Path)), responses((status = 200, body = Resource<Sanction>)))]
#[get("/v1/sanctions/{id}")]
async fn get_sanction(call: Call, id: web::Path<SanctionId>) -> Answer {
    call.show::<Sanction>(*id, |found, _| Reply::ok(found)).await
}

/// Lift a sanction for the caller's authority alone
///
/// One that another authority of the arrangement imposed (DPS-27).
#[utoipa::path(tag = "standing", params(("id" = SanctionId, Path)), request_body = Because, responses((status = 200, body = Resource<Sanction>)))]
#[post("/v1/sanctions/{id}/lift-for-authority")]
async fn lift_sanction_for_authority(call: Call<Because>, id: web::Path<SanctionId>) -> Answer {
    on_measure(call, *id, |sanction: Sanction, tx, call| {
        Ok(sanction.lift_for(call.body.reason.clone(), tx.actor(), tx.now())?)
    })
    .await
}

/// Lift a sanction
///
/// As the authority that imposed it: another one lifts it for itself.
#[utoipa::path(tag = "standing", params(("id" = SanctionId, Path)), request_body = Lift, responses((status = 200, body = Resource<Sanction>)))]
#[post("/v1/sanctions/{id}/lift")]
async fn lift_sanction(call: Call<Lift>, id: web::Path<SanctionId>) -> Answer {
    on_measure(call, *id, |sanction: Sanction, tx, call| {
        let Lift { reason, annulled } = call.body.clone();
        Ok(sanction.lift(reason, annulled, tx.actor(), tx.now())?)
    })
    .await
}

//! Memberships after admission: the provider leaves, evidence is renewed (A6).

use actix_web::{post, web};
use domain::admission::declaration_of_interests;
use domain::admission::membership::{self as rules, Membership};
use domain::kernel::{Instant, MembershipId, RequirementId};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use usecase::standing::member::{self, RenewEvidence};

use crate::http::reply::Resource;
use crate::http::routes::routes;
use crate::http::{Answer, Call, Reply};

routes! {
    withdraw_membership: LeaveLot, [];
    renew_evidence: RecordCheck, [rules::RULES, declaration_of_interests::RULES, domain::standing::RULES];
}

/// Why a provider leaves.
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Leave {
    /// The reason, where the provider gives one; it owes none.
    #[validate(length(max = 4000))]
    #[schema(max_length = 4000)]
    reason: Option<String>,
}

/// Leave a lot
///
/// The member leaves at once. What the authority took against it stands until its own end, and a removal that is being heard
/// goes on; one that is due takes effect first, so that nobody leaves who is already removed.
#[utoipa::path(tag = "standing", params(("id" = MembershipId, Path)), request_body = Leave, responses((status = 200, body = Resource<Membership>)))]
#[post("/v1/memberships/{id}/withdraw")]
async fn withdraw_membership(call: Call<Leave>, id: web::Path<MembershipId>) -> Answer {
    call.write(move |tx, call| Reply::ok(&member::withdraw(tx, call, *id, call.body.reason.clone())?)).await
}

/// Renewed evidence that an officer accepts.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Renew {
    /// The requirement that the evidence is for.
    requirement: RequirementId,
    /// Its version; the one that the membership rests on, where absent.
    version: Option<u32>,
    /// Until when the evidence is valid; absent only where what the membership rests on had no end.
    valid_until: Option<Instant>,
    /// References of the documents, at least one.
    #[serde(default)]
    #[validate(length(max = 100))]
    #[schema(max_items = 100)]
    evidence: Vec<String>,
}

/// Accept renewed evidence
///
/// The officer has declared its interests before, as for a check. A member whose mandatory evidence has expired gets referrals again from now on.
#[utoipa::path(tag = "standing", params(("id" = MembershipId, Path)), request_body = Renew, responses((status = 200, body = Resource<Membership>)))]
#[post("/v1/memberships/{id}/renew-evidence")]
async fn renew_evidence(call: Call<Renew>, id: web::Path<MembershipId>) -> Answer {
    call.write(move |tx, call| {
        let Renew { requirement, version, valid_until, evidence } = call.body.clone();
        let order = RenewEvidence { requirement, version, valid_until, evidence };
        Reply::ok(&member::renew_evidence(tx, call, *id, &order)?)
    })
    .await
}

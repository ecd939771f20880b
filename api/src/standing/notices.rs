//! Improvement notices: issue, answer, extend, judge, withdraw (TIR-18).

use actix_web::{get, post, web};
use chrono::NaiveDate;
use domain::kernel::{ImprovementNoticeId, Instant, MembershipId};
use domain::standing::improvement_notice::{self as rules, ImprovementNotice, IssueNotice};
use persistence::standing as store;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::{Said, on_measure, seen_member};
use crate::arrangement::arrangements::Because;
use usecase::standing::improvement_notice;

use crate::http::reply::Resource;
use crate::http::routes::routes;
use crate::http::{Answer, Call, List, Reply};

routes! {
    issue_improvement_notice: IssueNotice, [rules::RULES, domain::standing::RULES, domain::kernel::rule::RULES];
    list_improvement_notices: ReadMembers, [];
    get_improvement_notice: ReadMembers, [];
    respond_to_improvement_notice: MakeRepresentations, [domain::standing::RULES];
    extend_improvement_notice: IssueNotice, [rules::RULES];
    meet_improvement_notice: IssueNotice, [];
    fail_improvement_notice: IssueNotice, [rules::RULES, domain::kernel::rule::RULES];
    withdraw_improvement_notice: IssueNotice, [domain::kernel::rule::RULES];
}

/// An improvement notice to be issued.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewNotice {
    /// What is to be rectified.
    #[validate(length(min = 1, max = 20_000))]
    #[schema(min_length = 1, max_length = 20_000)]
    issue: String,
    /// The date of the discussion with the provider.
    #[schema(value_type = String, format = Date)]
    discussion_held_on: NaiveDate,
    /// Whether the provider's contact agreed to the time.
    agreed_with_provider: bool,
    /// End of the time to rectify.
    rectify_by: Instant,
    /// References of documents.
    #[serde(default)]
    #[validate(length(max = 100))]
    #[schema(max_items = 100)]
    evidence: Vec<String>,
}

/// Issue an improvement notice
///
/// A warning with time to rectify, after a discussion with the provider. The member's standing stays as it is.
#[utoipa::path(tag = "standing", params(("id" = MembershipId, Path)), request_body = NewNotice, responses((status = 201, body = Resource<ImprovementNotice>)))]
#[post("/v1/memberships/{id}/improvement-notices")]
async fn issue_improvement_notice(call: Call<NewNotice>, id: web::Path<MembershipId>) -> Answer {
    call.write(move |tx, call| {
        let NewNotice { issue, discussion_held_on, agreed_with_provider, rectify_by, evidence } = call.body.clone();
        let order = IssueNotice { issue, discussion_held_on, agreed_with_provider, rectify_by, evidence };
        Reply::created(&improvement_notice::issue(tx, call, *id, order)?, "improvement-notices")
    })
    .await
}

/// List the improvement notices of a membership
#[utoipa::path(tag = "standing", params(("id" = MembershipId, Path)), responses((status = 200, body = List<Resource<ImprovementNotice>>)))]
#[get("/v1/memberships/{id}/improvement-notices")]
async fn list_improvement_notices(call: Call, id: web::Path<MembershipId>) -> Answer {
    call.scan(move |c, call| {
        let member = seen_member(call, c, *id)?;
        let items =
            store::notices_of(c, member.provider, member.lot)?.iter().map(|n| Resource::of(n, Clone::clone)).collect();
        Reply::json(200, &List { items, next: None })
    })
    .await
}

/// Read an improvement notice
#[utoipa::path(tag = "standing", params(("id" = ImprovementNoticeId, Path)), responses((status = 200, body = Resource<ImprovementNotice>)))]
#[get("/v1/improvement-notices/{id}")]
async fn get_improvement_notice(call: Call, id: web::Path<ImprovementNoticeId>) -> Answer {
    call.show::<ImprovementNotice>(*id, |found, _| Reply::ok(found)).await
}

/// Answer an improvement notice, as the provider concerned
#[utoipa::path(tag = "standing", params(("id" = ImprovementNoticeId, Path)), request_body = Said, responses((status = 200, body = Resource<ImprovementNotice>)))]
#[post("/v1/improvement-notices/{id}/respond")]
async fn respond_to_improvement_notice(call: Call<Said>, id: web::Path<ImprovementNoticeId>) -> Answer {
    on_measure(call, *id, |notice: ImprovementNotice, tx, call| {
        Ok(notice.respond(call.body.text.clone(), tx.actor(), tx.now())?)
    })
    .await
}

/// More time to rectify.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MoreTime {
    /// New end of the time.
    rectify_by: Instant,
    /// Whether the provider agreed.
    agreed_with_provider: bool,
}

/// Give more time to rectify, by agreement
#[utoipa::path(tag = "standing", params(("id" = ImprovementNoticeId, Path)), request_body = MoreTime, responses((status = 200, body = Resource<ImprovementNotice>)))]
#[post("/v1/improvement-notices/{id}/extend")]
async fn extend_improvement_notice(call: Call<MoreTime>, id: web::Path<ImprovementNoticeId>) -> Answer {
    on_measure(call, *id, |notice: ImprovementNotice, tx, call| {
        Ok(notice.extend(call.body.rectify_by, call.body.agreed_with_provider, tx.now())?)
    })
    .await
}

/// Judge that the issue is rectified
#[utoipa::path(tag = "standing", params(("id" = ImprovementNoticeId, Path)), responses((status = 200, body = Resource<ImprovementNotice>)))]
#[post("/v1/improvement-notices/{id}/meet")]
async fn meet_improvement_notice(call: Call, id: web::Path<ImprovementNoticeId>) -> Answer {
    on_measure(call, *id, |notice: ImprovementNotice, tx, _| Ok(notice.meet(tx.actor(), tx.now())?)).await
}

/// Judge that the issue is not rectified, once its time has passed
#[utoipa::path(tag = "standing", params(("id" = ImprovementNoticeId, Path)), request_body = Because, responses((status = 200, body = Resource<ImprovementNotice>)))]
#[post("/v1/improvement-notices/{id}/fail")]
async fn fail_improvement_notice(call: Call<Because>, id: web::Path<ImprovementNoticeId>) -> Answer {
    on_measure(call, *id, |notice: ImprovementNotice, tx, call| {
        Ok(notice.fail(call.body.reason.clone(), tx.actor(), tx.now())?)
    })
    .await
}

/// Take an improvement notice back
#[utoipa::path(tag = "standing", params(("id" = ImprovementNoticeId, Path)), request_body = Because, responses((status = 200, body = Resource<ImprovementNotice>)))]
#[post("/v1/improvement-notices/{id}/withdraw")]
async fn withdraw_improvement_notice(call: Call<Because>, id: web::Path<ImprovementNoticeId>) -> Answer {
    on_measure(call, *id, |notice: ImprovementNotice, tx, call| {
        Ok(notice.withdraw(call.body.reason.clone(), tx.actor(), tx.now())?)
    })
    .await
}

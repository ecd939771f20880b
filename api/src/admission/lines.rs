//! Decisions on the lines of an application: admitted or rejected, with reasons (A4, DPS-02, PRO-25).

use actix_web::{post, web};
use domain::admission::application as rules;
use domain::admission::declaration_of_interests;
use domain::admission::line::{self};
use domain::admission::membership::{self, Membership};
use domain::arrangement::{self};
use domain::kernel::{ApplicationId, LotId, MembershipId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::applications::{ApplicationView, view};
use crate::http::reply::Resource;
use crate::http::routes::routes;
use crate::http::{Answer, Call, Reply};

routes! {
    admit_line: DecideLine, [rules::RULES, line::RULES, membership::RULES, declaration_of_interests::RULES, arrangement::RULES];
    reject_line: DecideLine, [rules::RULES, line::RULES, declaration_of_interests::RULES, arrangement::RULES];
}

/// What an admission leads to.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Admitted {
    /// The application after the decision.
    #[serde(flatten)]
    application: ApplicationView,
    /// The membership that was created.
    membership: MembershipId,
    /// Always false: admission guarantees no award (DPS-05).
    award_guaranteed: bool,
    /// What the letter of admission says (DPS-05).
    statement: &'static str,
}

/// Admit a line
///
/// The only decision where every mandatory check is met; it makes the provider a member of the lot. Never capped
/// (DPS-02). A measure that stands against the provider in the lot, or a removal that is being heard, goes on.
#[utoipa::path(tag = "applications", params(("id" = ApplicationId, Path), ("lot" = LotId, Path)), responses((status = 201, body = Resource<Admitted>)))]
#[post("/v1/applications/{id}/lines/{lot}/admit")]
async fn admit_line(call: Call, path: web::Path<(ApplicationId, LotId)>) -> Answer {
    let (id, lot) = *path;
    call.write(move |tx, call| {
        let (after, member) = usecase::lifecycle::admit_line(tx, call, id, lot)?;
        let membership = member.value.id;
        let admitted = Admitted {
            application: view(&after.value, call.who.side()),
            membership,
            award_guaranteed: Membership::AWARD_GUARANTEED,
            statement: arrangement::arrangement::NO_GUARANTEE,
        };
        Ok(Reply::view(&after, admitted)?.at(format!("/v1/memberships/{membership}")))
    })
    .await
}

/// Why a line is rejected.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct RejectLine {
    /// Codes of the requirements that are not met: the reasons published beforehand (PRO-25).
    #[validate(length(max = 200))]
    #[schema(max_items = 200)]
    reasons: Vec<String>,
    /// More, for the provider.
    #[validate(length(max = 4000))]
    #[schema(max_length = 4000)]
    note: Option<String>,
}

/// Reject a line, with the published reasons that failed checks give
#[utoipa::path(tag = "applications", params(("id" = ApplicationId, Path), ("lot" = LotId, Path)), request_body = RejectLine, responses((status = 200, body = Resource<ApplicationView>)))]
#[post("/v1/applications/{id}/lines/{lot}/reject")]
async fn reject_line(call: Call<RejectLine>, path: web::Path<(ApplicationId, LotId)>) -> Answer {
    let (id, lot) = *path;
    call.write(move |tx, call| {
        let RejectLine { reasons, note } = call.body.clone();
        let after = usecase::admission::line::reject(tx, call, id, lot, reasons, note)?;
        Reply::view(&after, view(&after.value, call.who.side()))
    })
    .await
}

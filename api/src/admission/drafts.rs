//! Editing the draft of an application: lots, answers, documents, homes, declarations, terms (A4).

use std::collections::BTreeMap;

use actix_web::{delete, post, put, web};
use domain::admission::answers::{self, DeclaredGround, EvidenceItem};
use domain::admission::application as rules;
use domain::kernel::{ApplicationId, HomeId, LotId, RequirementId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use usecase::admission::draft;

use super::applications::{ApplicationView, change, shown};
use crate::http::reply::Resource;
use crate::http::routes::routes;
use crate::http::{Answer, Call, DomainBody};

routes! {
    set_application_lots: Apply, [rules::RULES];
    save_answer: Apply, [rules::RULES, answers::RULES, draft::RULES];
    attach_document: Apply, [rules::RULES, answers::RULES, draft::RULES];
    remove_document: Apply, [rules::RULES, answers::RULES];
    set_offered_homes: Apply, [rules::RULES];
    declare_exclusions: Apply, [rules::RULES, answers::RULES, domain::law::exclusion::RULES];
    accept_terms: Apply, [rules::RULES];
    copy_answers: Apply, [rules::RULES];
}

/// The lots applied to.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChosenLots {
    /// At least one.
    #[validate(length(max = 200))]
    #[schema(max_items = 200)]
    lots: Vec<LotId>,
}

/// Choose the lots applied to
#[utoipa::path(tag = "applications", params(("id" = ApplicationId, Path)), request_body = ChosenLots, responses((status = 200, body = Resource<ApplicationView>)))]
#[put("/v1/applications/{id}/lots")]
async fn set_application_lots(call: Call<ChosenLots>, id: web::Path<ApplicationId>) -> Answer {
    call.write(move |tx, call| shown(&draft::set_lots(tx, call, *id, call.body.lots.clone())?, &call.who)).await
}

/// The answers to one requirement.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase")]
struct Answers {
    /// By question code; `null` takes an answer back.
    #[serde(default)]
    #[schema(value_type = std::collections::HashMap<String, Value>)]
    values: BTreeMap<String, serde_json::Value>,
    /// Whether the provider says that it meets the requirement, where it may be self-assessed (DPS-22).
    #[serde(default)]
    self_assessment: Option<bool>,
}

/// Answer a requirement
///
/// The answers serve every lot that asks for the requirement. Documents that are attached stay.
#[utoipa::path(tag = "applications", params(("id" = ApplicationId, Path), ("requirement" = RequirementId, Path)), request_body = Answers, responses((status = 200, body = Resource<ApplicationView>)))]
#[put("/v1/applications/{id}/answers/{requirement}")]
async fn save_answer(call: Call<DomainBody<Answers>>, path: web::Path<(ApplicationId, RequirementId)>) -> Answer {
    let (id, requirement) = *path;
    call.write(move |tx, call| {
        let Answers { values, self_assessment } = call.body.0.clone();
        shown(&draft::save_answer(tx, call, id, requirement, values, self_assessment)?, &call.who)
    })
    .await
}

/// A document given for a requirement.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase")]
#[schema(as = AttachDocument)]
pub(super) struct Document {
    /// The requirement that asks for it.
    pub(super) requirement: RequirementId,
    /// The document.
    #[serde(flatten)]
    #[validate(nested)]
    pub(super) item: EvidenceItem,
}

/// Attach a document to a requirement
///
/// By reference: the document stays where it is kept. One per code; attaching again replaces it.
#[utoipa::path(tag = "applications", params(("id" = ApplicationId, Path)), request_body = Document, responses((status = 200, body = Resource<ApplicationView>)))]
#[post("/v1/applications/{id}/documents")]
async fn attach_document(call: Call<DomainBody<Document>>, id: web::Path<ApplicationId>) -> Answer {
    call.write(move |tx, call| {
        let Document { requirement, item } = call.body.0.clone();
        shown(&draft::attach(tx, call, *id, requirement, item)?, &call.who)
    })
    .await
}

/// Remove a document
#[utoipa::path(tag = "applications", params(("id" = ApplicationId, Path), ("requirement" = RequirementId, Path), ("code" = String, Path, description = "The evidence code")), responses((status = 200, body = Resource<ApplicationView>)))]
#[delete("/v1/applications/{id}/documents/{requirement}/{code}")]
async fn remove_document(call: Call, path: web::Path<(ApplicationId, RequirementId, String)>) -> Answer {
    let (id, requirement, code) = path.into_inner();
    change(call, id, move |application, tx, _| Ok(application.remove_evidence(requirement, &code, tx.now())?)).await
}

/// The homes offered.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct OfferedHomes {
    /// Homes of the provider.
    #[validate(length(max = 1000))]
    #[schema(max_items = 1000)]
    homes: Vec<HomeId>,
}

/// Choose the homes offered
#[utoipa::path(tag = "applications", params(("id" = ApplicationId, Path)), request_body = OfferedHomes, responses((status = 200, body = Resource<ApplicationView>)))]
#[put("/v1/applications/{id}/homes")]
async fn set_offered_homes(call: Call<OfferedHomes>, id: web::Path<ApplicationId>) -> Answer {
    call.write(move |tx, call| shown(&draft::set_homes(tx, call, *id, call.body.homes.clone())?, &call.who)).await
}

/// The exclusion grounds that apply.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct Declared {
    /// Empty where none applies.
    #[validate(nested)]
    grounds: Vec<DeclaredGround>,
}

/// Declare which exclusion grounds apply, or that none does (PCR57)
#[utoipa::path(tag = "applications", params(("id" = ApplicationId, Path)), request_body = Declared, responses((status = 200, body = Resource<ApplicationView>)))]
#[put("/v1/applications/{id}/exclusions")]
async fn declare_exclusions(call: Call<DomainBody<Declared>>, id: web::Path<ApplicationId>) -> Answer {
    call.write(move |tx, call| {
        shown(&draft::declare_exclusions(tx, call, *id, call.body.0.grounds.clone())?, &call.who)
    })
    .await
}

/// Which terms are accepted.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct AcceptedTerms {
    /// The version of the arrangement's terms.
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    version: String,
}

/// Accept the terms and conditions (PRO-29)
#[utoipa::path(tag = "applications", params(("id" = ApplicationId, Path)), request_body = AcceptedTerms, responses((status = 200, body = Resource<ApplicationView>)))]
#[put("/v1/applications/{id}/terms")]
async fn accept_terms(call: Call<AcceptedTerms>, id: web::Path<ApplicationId>) -> Answer {
    change(call, *id, |application, tx, call| Ok(application.accept_terms(call.body.version.clone(), tx.now())?)).await
}

/// From where to copy.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct CopyAnswers {
    /// An application of the same provider, to any arrangement.
    from: ApplicationId,
}

/// Copy the answers of another application into the draft (DPS-22)
///
/// Answers that the draft has already win.
#[utoipa::path(tag = "applications", params(("id" = ApplicationId, Path)), request_body = CopyAnswers, responses((status = 200, body = Resource<ApplicationView>)))]
#[post("/v1/applications/{id}/copy-answers")]
async fn copy_answers(call: Call<CopyAnswers>, id: web::Path<ApplicationId>) -> Answer {
    call.write(move |tx, call| shown(&draft::copy_answers(tx, call, *id, call.body.from)?, &call.who)).await
}

//! Submitted versions: sealed from the buying side until evaluation, and each reading recorded (PRO-27).

use actix_web::{get, web};
use domain::admission::Application;
use domain::admission::answers::Content;
use domain::admission::receipt::{Receipt, SubmittedVersion};
use domain::kernel::{ApplicationId, Kind, RequirementId};
use persistence::Failure;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::drafts::Document;
use crate::http::routes::routes;
use crate::http::{Answer, Call, List, Reply};
use usecase::admission::application;

routes! {
    read_application_content: ReadApplications, [application::RULES];
    list_application_documents: ReadApplications, [application::RULES];
    list_application_versions: ReadApplications, [];
    get_receipt: ReadApplications, [];
}

/// Read what an application says
///
/// The last submitted version, frozen (PRO-27). The buying side gets it once evaluation has begun, and each reading
/// is recorded.
#[utoipa::path(tag = "applications", params(("id" = ApplicationId, Path)), responses((status = 200, body = SubmittedVersion)))]
#[get("/v1/applications/{id}/content")]
async fn read_application_content(call: Call, id: web::Path<ApplicationId>) -> Answer {
    call.write(move |tx, call| Reply::json(200, &application::read(tx, &call.who, *id)?)).await
}

/// List the documents of an application
///
/// The provider sees those of its draft; where it has none, and to the buying side always, they are those of the last
/// submission. The buying side gets them once evaluation has begun, and each reading is recorded.
#[utoipa::path(tag = "applications", params(("id" = ApplicationId, Path)), responses((status = 200, body = List<Document>)))]
#[get("/v1/applications/{id}/documents")]
async fn list_application_documents(call: Call, id: web::Path<ApplicationId>) -> Answer {
    call.write(move |tx, call| {
        let draft = call.who.get::<Application>(tx, *id)?.value.draft.filter(|_| call.who.is_providing());
        let content = draft.map_or_else(|| application::read(tx, &call.who, *id).map(|version| version.content), Ok)?;
        let documents = |(requirement, answer): (RequirementId, domain::admission::answers::Answer)| {
            answer.evidence.into_iter().map(move |item| Document { requirement, item })
        };
        let items: Vec<Document> = content.answers.into_iter().flat_map(documents).collect();
        Reply::json(200, &List { items, next: None })
    })
    .await
}

/// List the submissions of an application
///
/// The provider sees each with its content; the buying side sees the receipts.
#[utoipa::path(tag = "applications", params(("id" = ApplicationId, Path)), responses((status = 200, body = List<VersionView>)))]
#[get("/v1/applications/{id}/versions")]
async fn list_application_versions(call: Call, id: web::Path<ApplicationId>) -> Answer {
    call.read(move |c, call| {
        let found = call.who.get::<Application>(c, *id)?;
        let own = call.who.is_providing();
        let contents = found.value.versions.iter().map(|version| own.then(|| version.content.clone()));
        let receipts = found.value.receipts(own).into_iter();
        let items = receipts.zip(contents).map(|(receipt, content)| VersionView { receipt, content }).collect();
        Ok(Reply::json(200, &List { items, next: None })?.tagged(found.version))
    })
    .await
}

/// One submission.
#[derive(Serialize, ToSchema)]
struct VersionView {
    /// Its receipt.
    receipt: Receipt,
    /// What was submitted; the provider's own eyes only.
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Content>,
}

/// A receipt as it is shown and printed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ReceiptView {
    /// The receipt.
    #[serde(flatten)]
    receipt: Receipt,
    /// The time of receipt as portals print it, in London.
    #[schema(example = "22/03/2017 17:40:50")]
    printed_at: String,
}

/// Which receipt.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct OfVersion {
    /// Of this submission; the last one where absent.
    version: Option<u32>,
}

/// Read the receipt of a submission (PRO-20)
#[utoipa::path(tag = "applications", params(("id" = ApplicationId, Path), OfVersion), responses((status = 200, body = ReceiptView)))]
#[get("/v1/applications/{id}/receipt")]
async fn get_receipt(call: Call, id: web::Path<ApplicationId>, of: web::Query<OfVersion>) -> Answer {
    call.read(move |c, call| {
        let found = call.who.get::<Application>(c, *id)?;
        let mut receipts = found.value.receipts(call.who.is_providing()).into_iter().rev();
        let receipt = receipts.find(|receipt| of.version.is_none_or(|n| n == receipt.version));
        let receipt = receipt.ok_or(Failure::NotFound(Kind::Application))?;
        Reply::json(200, &ReceiptView { printed_at: receipt.printed_at(), receipt })
    })
    .await
}

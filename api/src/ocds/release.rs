//! The part of the OCDS 1.1 release schema that the export fills, with the lots, techniques and pagination extensions.

use domain::kernel::Instant;
use serde::Serialize;
use serde_json::Number;
use utoipa::ToSchema;

/// The extensions that every package declares.
pub const EXTENSIONS: &[&str] = &[
    "https://raw.githubusercontent.com/open-contracting-extensions/ocds_lots_extension/v1.1.5/extension.json",
    "https://raw.githubusercontent.com/open-contracting-extensions/ocds_techniques_extension/master/extension.json",
    "https://raw.githubusercontent.com/open-contracting-extensions/ocds_pagination_extension/master/extension.json",
];

/// The date of a release. Consumers sort releases by the text of their dates: each has six digits after the second.
#[must_use]
pub fn date(at: Instant) -> String {
    let text = at.to_string();
    let text = text.trim_end_matches('Z');
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{seconds}.{fraction:0<6}Z")
}

/// Writes the [`date`] of a release.
///
/// # Errors
/// Where the text cannot be written.
pub fn dated<S: serde::Serializer>(at: &Instant, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&date(*at))
}

/// What a release tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OcdsTag)]
pub enum Tag {
    /// A new process.
    Tender,
    /// A reasoned change of what was published.
    TenderAmendment,
    /// News of the process.
    TenderUpdate,
    /// It was called off.
    TenderCancellation,
    /// All releases in one.
    Compiled,
}

/// A status of the codelist `tenderStatus`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OcdsStatus)]
pub enum Status {
    /// Not taking place now, and not over.
    Planned,
    /// Taking place.
    Active,
    /// Called off.
    Cancelled,
    /// Over.
    Complete,
}

/// A release: the whole of what is public of a process after one event.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OcdsRelease)]
pub struct Release {
    /// The process.
    pub ocid: String,
    /// The identifier of the event; of a compiled release, the process and its date.
    pub id: String,
    /// When it was told.
    #[serde(serialize_with = "dated")]
    pub date: Instant,
    /// What it tells.
    pub tag: Vec<Tag>,
    /// Always `tender`.
    pub initiation_type: &'static str,
    /// Always `en`.
    pub language: &'static str,
    /// The authorities.
    pub parties: Vec<Party>,
    /// The authority that buys, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buyer: Option<PartyRef>,
    /// The market.
    pub tender: Tender,
}

/// An authority with its roles.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[schema(as = OcdsParty)]
pub struct Party {
    /// Its code.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `procuringEntity`, `buyer`.
    pub roles: Vec<&'static str>,
}

/// An authority that is named elsewhere.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[schema(as = OcdsPartyReference)]
pub struct PartyRef {
    /// Its code.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// The market.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OcdsTender)]
pub struct Tender {
    /// The lead's reference.
    pub id: String,
    /// Title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What is purchased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Status.
    pub status: Status,
    /// The lead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub procuring_entity: Option<PartyRef>,
    /// Always `open`: whoever complies is admitted (DPS-02).
    pub procurement_method: &'static str,
    /// What kind of market.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub procurement_method_details: Option<&'static str>,
    /// Always `services`.
    pub main_procurement_category: &'static str,
    /// Always `electronicSubmission` (DPS-01).
    pub submission_method: Vec<&'static str>,
    /// The estimated value over the whole term; absent is not zero (PRO-06).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// What is bought, by CPV.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<Item>,
    /// The lots that were opened.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lots: Vec<Lot>,
    /// When applications are received.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tender_period: Option<Period>,
    /// The term.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contract_period: Option<Period>,
    /// The closing of each round.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub milestones: Vec<Milestone>,
    /// Specification, terms and other documents.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<Document>,
    /// The reasoned changes since publication.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub amendments: Vec<Amendment>,
    /// What kind of market, in the words of the techniques extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub techniques: Option<Techniques>,
}

/// An amount of money.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[schema(as = OcdsValue)]
pub struct Value {
    /// In pounds.
    #[schema(value_type = f64)]
    pub amount: Number,
    /// Always `GBP`.
    pub currency: &'static str,
}

/// What is bought.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OcdsItem)]
pub struct Item {
    /// Its place in the list.
    pub id: String,
    /// The first CPV code.
    pub classification: Classification,
    /// The others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub additional_classifications: Vec<Classification>,
}

/// A CPV code.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[schema(as = OcdsClassification)]
pub struct Classification {
    /// Always `CPV`.
    pub scheme: &'static str,
    /// Eight digits.
    pub id: String,
}

/// A lot (lots extension).
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[schema(as = OcdsLot)]
pub struct Lot {
    /// Its identifier.
    pub id: String,
    /// Code and title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What is bought in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `active` while open, `planned` while paused.
    pub status: Status,
}

/// A time, half-open.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OcdsPeriod)]
pub struct Period {
    /// Its first instant.
    pub start_date: Instant,
    /// Its end.
    pub end_date: Instant,
}

/// The closing of a round.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OcdsMilestone)]
pub struct Milestone {
    /// The round.
    pub id: String,
    /// Its number.
    pub title: String,
    /// From when to when applications fall into it.
    pub description: String,
    /// When it closes.
    pub due_date: Instant,
    /// When it closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_met: Option<Instant>,
    /// `scheduled`, `met`, or `notMet` where it was cancelled or ended before it closed.
    pub status: &'static str,
    /// The lots it receives for; all, where absent (lots extension).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related_lots: Vec<String>,
}

/// A published document.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OcdsDocument)]
pub struct Document {
    /// `specification`, `terms`, or its place among the others.
    pub id: String,
    /// Of the codelist `documentType`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document_type: Option<&'static str>,
    /// What it is.
    pub title: String,
    /// Where it is read.
    pub url: String,
}

/// A reasoned change.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OcdsAmendment)]
pub struct Amendment {
    /// The release that tells it.
    pub id: String,
    /// When.
    pub date: Instant,
    /// Why.
    pub rationale: String,
    /// What was changed.
    pub description: String,
    /// The release before it.
    #[serde(rename = "amendsReleaseID", skip_serializing_if = "Option::is_none")]
    pub amends: Option<String>,
    /// The release that tells it.
    #[serde(rename = "releaseID")]
    pub release: String,
}

/// What kind of market (techniques extension).
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OcdsTechniques)]
pub struct Techniques {
    /// Whether it is a framework.
    pub has_framework_agreement: bool,
    /// Whether it is a dynamic purchasing system or dynamic market.
    pub has_dynamic_purchasing_system: bool,
    /// Of what sort.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dynamic_purchasing_system: Option<DynamicPurchasingSystem>,
}

/// A dynamic purchasing system (techniques extension).
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[schema(as = OcdsDynamicPurchasingSystem)]
pub struct DynamicPurchasingSystem {
    /// `closed` to authorities beyond those that are listed, or `open`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Whether it is in use.
    pub status: DpsStatus,
}

/// A status of the codelist `dynamicPurchasingSystemStatus`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OcdsDynamicPurchasingSystemStatus)]
pub enum DpsStatus {
    /// Not established yet.
    Pending,
    /// In use.
    Active,
    /// Ended before it was established.
    Cancelled,
    /// Ended.
    Terminated,
}

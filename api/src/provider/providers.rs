//! Providers: register, amend, external references, dormancy, the exclusion record (A20).

use actix_web::{get, patch, post, put, web};
use domain::kernel::{ProviderId, Role, Violations, rule};
use domain::provider::identifier::{
    COMPANY_FORMS, REGULATOR_FORMS, company_number, is_company_number, is_regulator_number, regulator_number,
};
use domain::provider::provider::{
    self as rules, EXTERNAL_REF_BLANK, ExclusionFacts, ExternalRef, Provider, ProviderCorrection, ProviderProfile,
    REGULATOR_ID_MALFORMED, SelfCleaning,
};
use persistence::provider::{self as store, providers};
use persistence::{Filter, Outcome};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::arrangement::arrangements::Because;
use usecase::provider::{self, past};

use super::homes::{AsOfQuery, PastProfile};
use crate::http::filters::StateOf;
use crate::http::reply::Resource;
use crate::http::routes::routes;
use crate::http::{Answer, Call, DomainBody, List, Listing, Reply};

routes! {
    register_provider: ManageProfile, [rules::RULES];
    list_providers: ReadProviders, [crate::http::listing::RULES, rules::RULES];
    get_provider: ReadProviders, [];
    get_provider_profile: ReadProviders, [];
    amend_provider: ManageProfile, [rules::RULES];
    put_provider_by_reference: ManageProfile, [rules::RULES];
    correct_provider: StateFacts, [rules::RULES, rule::RULES];
    confirm_in_house: RecordCheck, [rule::RULES];
    add_external_reference: ManageProfile, [rules::RULES];
    make_provider_dormant: ManageProfile, [rule::RULES];
    reactivate_provider: ManageProfile, [rule::RULES];
    record_exclusion: RecordCheck, [rules::RULES, domain::law::exclusion::RULES];
    judge_self_cleaning: DecideLine, [rules::RULES, rule::RULES];
}

/// Register a provider
///
/// A provider registers itself, under the id that its token names. A portal registers one under a new id and acts for
/// it from then on.
#[utoipa::path(tag = "providers", request_body = ProviderProfile, responses((status = 201, body = Resource<Provider>)))]
#[post("/v1/providers")]
async fn register_provider(call: Call<DomainBody<ProviderProfile>>) -> Answer {
    call.write(|tx, call| Reply::created(&provider::register(tx, call, call.body.0.clone())?, "providers")).await
}

type StateName = StateOf<Provider>;

/// Which providers to list.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct ListProvidersQuery {
    /// Only in this state.
    #[param(inline)]
    state: Option<StateName>,
    /// Only the one with this regulator's number.
    agency_urn: Option<String>,
    /// Only the one with this company number; leading zeros may be left out.
    company_number: Option<String>,
    /// Only the one that this portal calls `reference`; the two go together.
    portal: Option<String>,
    /// What the portal calls it.
    reference: Option<String>,
}

impl ListProvidersQuery {
    /// The numbers looked for, as they are kept.
    fn numbers(&self) -> Outcome<(Option<String>, Option<String>)> {
        let agency = self.agency_urn.as_deref().map(regulator_number);
        let company = self.company_number.as_deref().map(company_number);
        let mut broken = Violations::new();
        let ok = agency.as_deref().is_none_or(is_regulator_number);
        broken.require(ok, &REGULATOR_ID_MALFORMED, "/agencyUrn", REGULATOR_FORMS);
        let ok = company.as_deref().is_none_or(is_company_number);
        broken.require(ok, &REGULATOR_ID_MALFORMED, "/companyNumber", COMPANY_FORMS);
        broken.refuse_any()?;
        Ok((agency, company))
    }

    fn known_as(&self) -> Outcome<Option<ExternalRef>> {
        let missing = |field: &str| Err(EXTERNAL_REF_BLANK.broken_at(field, "the two go together").into());
        match (self.portal.clone(), self.reference.clone()) {
            (Some(portal), Some(reference)) => Ok(Some(ExternalRef { portal, reference }.trimmed())),
            (None, None) => Ok(None),
            (None, Some(_)) => missing("/portal"),
            (Some(_), None) => missing("/reference"),
        }
    }
}

/// List providers
///
/// The buying side finds every provider. A provider finds itself and a portal those that it registered: a search by a
/// portal never brings up anyone else's, concealed or not (WAL-13).
#[utoipa::path(tag = "providers", params(ListProvidersQuery, Listing), responses((status = 200, body = List<Resource<Provider>>)))]
#[get("/v1/providers")]
async fn list_providers(call: Call, wanted: web::Query<ListProvidersQuery>, listing: web::Query<Listing>) -> Answer {
    call.list(
        move |c, call| {
            let page = listing.page()?;
            let (agency, company) = wanted.numbers()?;
            let filter = Filter::all()
                .if_is(providers::state, wanted.state.map(StateOf::name))
                .if_is(providers::agency_urn, agency)
                .if_is(providers::company_number, company)
                .since(listing.since());
            let known = wanted.known_as()?.map(|known_as| store::by_reference(c, &known_as)).transpose()?;
            let actor = &call.who.actor;
            let own = match actor.role {
                Role::Provider => Some(actor.provider.into_iter().collect()),
                Role::Portal if !call.who.named().is_empty() => call.who.own_providers(c)?,
                _ => None,
            };
            let ids = match (known, own) {
                (Some(known), Some(own)) => Some(known.into_iter().filter(|id| own.contains(id)).collect()),
                (Some(known), None) => Some(known.into_iter().collect()),
                (None, own) => own,
            };
            // By the account: a portal may have registered more than a list of ids should hold.
            let account = (actor.role == Role::Portal && call.who.named().is_empty()).then_some(&actor.subject);
            Ok((page, filter.if_any(providers::id, ids).if_is(providers::registered_by, account)))
        },
        |found: &Provider, _| found.clone(),
    )
    .await
}

/// Read a provider
#[utoipa::path(tag = "providers", params(("id" = ProviderId, Path)), responses((status = 200, body = Resource<Provider>)))]
#[get("/v1/providers/{id}")]
async fn get_provider(call: Call, id: web::Path<ProviderId>) -> Answer {
    call.show::<Provider>(*id, |found, _| Reply::ok(found)).await
}

/// Read what a provider said of itself at an instant
#[utoipa::path(tag = "providers", params(("id" = ProviderId, Path), AsOfQuery), responses((status = 200, body = PastProfile)))]
#[get("/v1/providers/{id}/profile")]
async fn get_provider_profile(call: Call, id: web::Path<ProviderId>, asked: web::Query<AsOfQuery>) -> Answer {
    call.scan(move |c, call| {
        let found = call.who.get::<Provider>(c, *id)?;
        let as_of = asked.as_of.unwrap_or_else(|| call.now());
        let (said, began) = (&found.value.profile, found.value.registered_at);
        let kinds = ["ProviderAmended", "ProviderCorrected"];
        let profile = past::profile_at(c, &found, said, began, &kinds, as_of)?;
        Ok(Reply::json(200, &PastProfile { as_of, profile })?.tagged_by_content(found.version))
    })
    .await
}

/// Replace a provider's profile
///
/// What the profile leaves out, the provider no longer states.
#[utoipa::path(tag = "providers", params(("id" = ProviderId, Path)), request_body = ProviderProfile, responses((status = 200, body = Resource<Provider>)))]
#[patch("/v1/providers/{id}")]
async fn amend_provider(call: Call<DomainBody<ProviderProfile>>, id: web::Path<ProviderId>) -> Answer {
    call.act(*id, |provider: Provider, tx, call| Ok(provider.amend(call.body.0.clone(), tx.now())?)).await
}

/// Put right who a provider is
///
/// A name or number that was mistyped, with a reason, by the provider or an officer of an authority that deals with it: the provider
/// applied to an arrangement in which that takes part. What is left out stays.
#[utoipa::path(tag = "providers", params(("id" = ProviderId, Path)), request_body = ProviderCorrection, responses((status = 200, body = Resource<Provider>)))]
#[post("/v1/providers/{id}/correct")]
async fn correct_provider(call: Call<DomainBody<ProviderCorrection>>, id: web::Path<ProviderId>) -> Answer {
    call.act(*id, |provider: Provider, tx, call| {
        provider::deals_with(tx, &call.who, provider.id)?;
        Ok(provider.correct(call.body.0.clone(), &call.who.actor, tx.now())?)
    })
    .await
}

/// Whether a provider is an authority's own service.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct InHouseConfirmation {
    /// Whether it is.
    in_house: bool,
    /// Why, such as the authority whose it is.
    #[validate(length(max = 4000))]
    #[schema(max_length = 4000)]
    reason: String,
}

/// Confirm whether a provider is an authority's own service
///
/// What the provider's profile says of it is its own word (MSC-01); rules rest on what is confirmed here.
#[utoipa::path(tag = "providers", params(("id" = ProviderId, Path)), request_body = InHouseConfirmation, responses((status = 200, body = Resource<Provider>)))]
#[post("/v1/providers/{id}/confirm-in-house")]
async fn confirm_in_house(call: Call<DomainBody<InHouseConfirmation>>, id: web::Path<ProviderId>) -> Answer {
    call.act(*id, |provider: Provider, tx, call| {
        provider::deals_with(tx, &call.who, provider.id)?;
        let InHouseConfirmation { in_house, reason } = &call.body.0;
        Ok(provider.confirm_in_house(*in_house, reason, &call.who.actor, tx.now())?)
    })
    .await
}

/// Register a provider or replace its profile, by what the portal calls it
///
/// For portals that send their own record whole, as often as they like (DPS-24): 201 where the reference is new, 200
/// where the portal's provider is known by it, and the same profile again changes nothing. `If-Match` is optional: the
/// last profile sent stands, unless the caller says which version it saw. With `If-Match` nothing is registered. A
/// reference that names another portal's provider is refused. Should two first requests for one reference meet, one
/// of them may be refused; sent again, it succeeds.
#[utoipa::path(tag = "providers",
    params(
        ("portal" = String, Path, description = "The portal, such as `procontract`"),
        ("reference" = String, Path, description = "What it calls the provider"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the version the caller saw; may be left out")
    ),
    request_body = ProviderProfile,
    responses((status = 200, body = Resource<Provider>), (status = 201, body = Resource<Provider>))
)]
#[put("/v1/providers/by-reference/{portal}/{reference}")]
async fn put_provider_by_reference(
    call: Call<DomainBody<ProviderProfile>>,
    known_as: web::Path<(String, String)>,
) -> Answer {
    let (portal, reference) = known_as.into_inner();
    let known_as = ExternalRef { portal, reference }.trimmed();
    call.write(move |tx, call| {
        let (stored, is_new) = provider::put_by_reference(tx, call, known_as.clone(), call.body.0.clone())?;
        if is_new { Reply::created(&stored, "providers") } else { Reply::ok(&stored) }
    })
    .await
}

/// Record what a portal calls the provider
///
/// One reference per portal, and no other provider's; the same again changes nothing (DPS-24).
#[utoipa::path(tag = "providers", params(("id" = ProviderId, Path)), request_body = ExternalRef, responses((status = 200, body = Resource<Provider>)))]
#[post("/v1/providers/{id}/external-references")]
async fn add_external_reference(call: Call<DomainBody<ExternalRef>>, id: web::Path<ProviderId>) -> Answer {
    call.write(move |tx, call| Reply::ok(&provider::add_external_reference(tx, call, *id, call.body.0.clone())?)).await
}

/// Record that a provider is no longer in business
///
/// It keeps its record and cannot be amended until it is reactivated.
#[utoipa::path(tag = "providers", params(("id" = ProviderId, Path)), request_body = Because, responses((status = 200, body = Resource<Provider>)))]
#[post("/v1/providers/{id}/make-dormant")]
async fn make_provider_dormant(call: Call<Because>, id: web::Path<ProviderId>) -> Answer {
    call.act(*id, |provider: Provider, tx, call| Ok(provider.make_dormant(&call.body.reason, tx.now())?)).await
}

/// Record that a provider is in business again
#[utoipa::path(tag = "providers", params(("id" = ProviderId, Path)), request_body = Because, responses((status = 200, body = Resource<Provider>)))]
#[post("/v1/providers/{id}/reactivate")]
async fn reactivate_provider(call: Call<Because>, id: web::Path<ProviderId>) -> Answer {
    call.act(*id, |provider: Provider, tx, call| Ok(provider.reactivate(&call.body.reason, tx.now())?)).await
}

/// Record an exclusion ground against a provider
///
/// By an authority to whose arrangement the provider applied. The record is added to, never taken from, and the provider sees
/// it. `GET /v1/regimes` lists the grounds.
#[utoipa::path(tag = "providers", params(("id" = ProviderId, Path)), request_body = ExclusionFacts, responses((status = 200, body = Resource<Provider>)))]
#[post("/v1/providers/{id}/exclusions")]
async fn record_exclusion(call: Call<DomainBody<ExclusionFacts>>, id: web::Path<ProviderId>) -> Answer {
    call.act(*id, |provider: Provider, tx, call| {
        provider::deals_with(tx, &call.who, provider.id)?;
        Ok(provider.record_exclusion(call.body.0.clone(), &call.who.actor, tx.now())?)
    })
    .await
}

/// Judge a provider's self-cleaning
///
/// `n` is the exclusion's place in the provider's `exclusions`, from 0; places never change. The latest judgement
/// stands, earlier ones are in the audit.
#[utoipa::path(tag = "providers", params(("id" = ProviderId, Path), ("n" = usize, Path, description = "From 0")), request_body = SelfCleaning, responses((status = 200, body = Resource<Provider>)))]
#[post("/v1/providers/{id}/exclusions/{n}/self-cleaning")]
async fn judge_self_cleaning(call: Call<DomainBody<SelfCleaning>>, path: web::Path<(ProviderId, usize)>) -> Answer {
    let (id, n) = path.into_inner();
    call.act(id, move |provider: Provider, tx, call| {
        provider::deals_with(tx, &call.who, provider.id)?;
        Ok(provider.judge_self_cleaning(n, call.body.0.clone())?)
    })
    .await
}

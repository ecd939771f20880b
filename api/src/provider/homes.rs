//! Homes and their dated ratings (A20, CHE-09, CHE-12).

use actix_web::{get, patch, post, web};
use chrono::NaiveDate;
use domain::kernel::{Aggregate as _, HomeId, Instant, Kind, ProviderId, rule};
use domain::provider::eligibility::StatedRating;
use domain::provider::home::{
    self as rules, Home, HomeCorrection, HomeProfile, RatingEntry, RatingFacts, Registration, Transfer,
};
use domain::provider::identifier::{REGULATOR_FORMS, is_regulator_number, regulator_number};
use domain::provider::provider::{Provider, REGULATOR_ID_MALFORMED};
use domain::provider::{Rating, StatedBy};
use persistence::Filter;
use persistence::provider::{self as store, homes};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use usecase::provider::{deals_with, home, past};

use crate::arrangement::arrangements::Because;
use crate::http::filters::StateOf;
use crate::http::reply::Resource;
use crate::http::routes::routes;
use crate::http::{Answer, Call, DomainBody, List, Listing, Reply};

routes! {
    list_provider_homes: ReadProviders, [crate::http::listing::RULES];
    add_home: ManageProfile, [rules::RULES, &[&REGULATOR_ID_MALFORMED], home::RULES];
    find_home: ReadProviders, [&[&REGULATOR_ID_MALFORMED]];
    get_home: ReadProviders, [];
    amend_home: ManageProfile, [rules::RULES];
    register_home: ManageProfile, [rules::RULES, &[&REGULATOR_ID_MALFORMED]];
    close_home: StateFacts, [rules::RULES, rule::RULES];
    reopen_home: StateFacts, [rule::RULES];
    correct_home: StateFacts, [rules::RULES, rule::RULES, &[&REGULATOR_ID_MALFORMED]];
    transfer_home: StateFacts, [rules::RULES, rule::RULES, home::RULES];
    accept_home_transfer: ManageProfile, [rules::RULES];
    end_home_transfer: ManageProfile, [rules::RULES, rule::RULES];
    get_ratings: ReadProviders, [];
    get_home_profile: ReadProviders, [];
    record_rating: StateFacts, [rules::RULES, rule::RULES];
}

type StateName = StateOf<Home>;

/// Which homes to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListProviderHomesQuery {
    /// Only in this state.
    #[param(inline)]
    state: Option<StateName>,
}

/// List the homes of a provider
#[utoipa::path(tag = "providers", params(("id" = ProviderId, Path), ListProviderHomesQuery, Listing), responses((status = 200, body = List<Resource<Home>>)))]
#[get("/v1/providers/{id}/homes")]
async fn list_provider_homes(
    call: Call,
    id: web::Path<ProviderId>,
    wanted: web::Query<ListProviderHomesQuery>,
    listing: web::Query<Listing>,
) -> Answer {
    call.list(
        move |c, call| {
            let page = listing.page()?;
            call.who.get::<Provider>(c, *id)?;
            let filter = Filter::all().is(homes::provider_id, *id).if_is(homes::state, wanted.state.map(StateOf::name));
            Ok((page, filter.since(listing.since())))
        },
        |found: &Home, _| found.clone(),
    )
    .await
}

/// A home to be added.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewHome {
    /// What is said of it.
    #[validate(nested)]
    profile: HomeProfile,
    /// The regulator's registration; left out where the home is still to be opened.
    #[serde(default)]
    registration: Option<Registration>,
    /// When a home without a registration is expected to open, where that is known.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date)]
    expected_on: Option<NaiveDate>,
}

/// Add a home to a provider
///
/// With a registration it is registered, without one proposed: phased opening is possible (CHE-12).
#[utoipa::path(tag = "providers", params(("id" = ProviderId, Path)), request_body = NewHome, responses((status = 201, body = Resource<Home>)))]
#[post("/v1/providers/{id}/homes")]
async fn add_home(call: Call<DomainBody<NewHome>>, id: web::Path<ProviderId>) -> Answer {
    call.write(move |tx, call| {
        let NewHome { profile, registration, expected_on } = call.body.0.clone();
        Reply::created(&home::add(tx, call, *id, profile, registration, expected_on)?, "homes")
    })
    .await
}

/// Which home to find.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct FindHomeQuery {
    /// The regulator's number.
    urn: String,
}

/// Find a home by the regulator's number
///
/// The list has the one home or none; what is another provider's is not found by a provider or a portal. What is no number of a
/// regulator, such as `TBC`, is refused.
#[utoipa::path(tag = "providers", params(FindHomeQuery), responses((status = 200, body = List<Resource<Home>>)))]
#[get("/v1/homes")]
async fn find_home(call: Call, sought: web::Query<FindHomeQuery>) -> Answer {
    call.scan(move |c, call| {
        let urn = regulator_number(&sought.urn);
        if !is_regulator_number(&urn) {
            return Err(REGULATOR_ID_MALFORMED.broken_at("/urn", REGULATOR_FORMS).into());
        }
        let found = match store::home_by_urn(c, &urn)? {
            Some(home) if call.who.sees(c, home.value.about(), Kind::Home)? => Some(home),
            Some(_) | None => None,
        };
        let items: Vec<_> = found.iter().map(|home| Resource::of(home, Clone::clone)).collect();
        Reply::json(200, &List { items, next: None })
    })
    .await
}

/// Read a home
#[utoipa::path(tag = "providers", params(("id" = HomeId, Path)), responses((status = 200, body = Resource<Home>)))]
#[get("/v1/homes/{id}")]
async fn get_home(call: Call, id: web::Path<HomeId>) -> Answer {
    call.show::<Home>(*id, |found, _| Reply::ok(found)).await
}

/// Replace a home's profile
///
/// What the profile leaves out is no longer stated. Registration, closure and ratings have commands of their own.
#[utoipa::path(tag = "providers", params(("id" = HomeId, Path)), request_body = HomeProfile, responses((status = 200, body = Resource<Home>)))]
#[patch("/v1/homes/{id}")]
async fn amend_home(call: Call<DomainBody<HomeProfile>>, id: web::Path<HomeId>) -> Answer {
    call.act(*id, |home: Home, tx, call| Ok(home.amend(call.body.0.clone(), tx.now())?)).await
}

/// Record the registration of a proposed home
#[utoipa::path(tag = "providers", params(("id" = HomeId, Path)), request_body = Registration, responses((status = 200, body = Resource<Home>)))]
#[post("/v1/homes/{id}/register")]
async fn register_home(call: Call<DomainBody<Registration>>, id: web::Path<HomeId>) -> Answer {
    call.act(*id, |home: Home, tx, call| Ok(home.register(call.body.0.clone(), tx.now())?)).await
}

/// How a home closes.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Closure {
    /// From which day on it is closed; today or earlier.
    #[schema(value_type = String, format = Date)]
    closed_on: NaiveDate,
    /// Why.
    #[validate(length(max = 4000))]
    #[schema(max_length = 4000)]
    reason: String,
}

/// Close a home, or give up one that never opened
///
/// Homes are not deleted: decisions rest on the ratings that a home held on a date, so its history and its number stay.
/// A report that comes out after the closure is still recorded.
#[utoipa::path(tag = "providers", params(("id" = HomeId, Path)), request_body = Closure, responses((status = 200, body = Resource<Home>)))]
#[post("/v1/homes/{id}/close")]
async fn close_home(call: Call<DomainBody<Closure>>, id: web::Path<HomeId>) -> Answer {
    call.act(*id, |home: Home, tx, call| {
        deals_with(tx, &call.who, home.provider)?;
        let Closure { closed_on, reason } = &call.body.0;
        Ok(home.close(*closed_on, reason, tx.now())?)
    })
    .await
}

/// Open a home again that was closed by mistake
///
/// By its provider, or an officer of an authority that deals with it. It is open as if it had not been closed.
#[utoipa::path(tag = "providers", params(("id" = HomeId, Path)), request_body = Because, responses((status = 200, body = Resource<Home>)))]
#[post("/v1/homes/{id}/reopen")]
async fn reopen_home(call: Call<Because>, id: web::Path<HomeId>) -> Answer {
    call.act(*id, |home: Home, tx, call| {
        deals_with(tx, &call.who, home.provider)?;
        Ok(home.reopen(&call.body.reason, tx.actor())?)
    })
    .await
}

/// Put a home's registration right
///
/// A number that was mistyped or a wrong date, by its provider, or an officer of an authority that deals with it. What the regulator listed under another number no
/// longer counts: it is about another home.
#[utoipa::path(tag = "providers", params(("id" = HomeId, Path)), request_body = HomeCorrection, responses((status = 200, body = Resource<Home>)))]
#[post("/v1/homes/{id}/correct")]
async fn correct_home(call: Call<DomainBody<HomeCorrection>>, id: web::Path<HomeId>) -> Answer {
    call.act(*id, |home: Home, tx, call| {
        deals_with(tx, &call.who, home.provider)?;
        Ok(home.correct(call.body.0.clone(), tx.actor(), tx.now())?)
    })
    .await
}

/// Transfer a home to its buyer
///
/// Its number and its ratings go with it. Its provider offers it, and it is the buyer's when that accepts; an officer of
/// an authority that deals with the seller records what both agreed, at once. Seller and buyer are told by events about them. What was submitted before stays as it was.
#[utoipa::path(tag = "providers", params(("id" = HomeId, Path)), request_body = Transfer, responses((status = 200, body = Resource<Home>)))]
#[post("/v1/homes/{id}/transfer")]
async fn transfer_home(call: Call<DomainBody<Transfer>>, id: web::Path<HomeId>) -> Answer {
    call.write(move |tx, call| Reply::ok(&home::transfer(tx, call, *id, call.body.0.clone())?)).await
}

/// Accept the transfer of a home, as its buyer
///
/// The event `HomeOffered` says which home. To anybody but the provider that it was offered to, there is no such home.
#[utoipa::path(tag = "providers", params(("id" = HomeId, Path)), responses((status = 200, body = Resource<Home>)))]
#[post("/v1/homes/{id}/accept-transfer")]
async fn accept_home_transfer(call: Call, id: web::Path<HomeId>) -> Answer {
    call.write(move |tx, call| Reply::ok(&home::accept_transfer(tx, call, *id)?)).await
}

/// Decline the transfer of a home, or take it back
///
/// By the provider that it was offered to, or its own.
#[utoipa::path(tag = "providers", params(("id" = HomeId, Path)), request_body = Because, responses((status = 200, body = Resource<Home>)))]
#[post("/v1/homes/{id}/end-transfer")]
async fn end_home_transfer(call: Call<Because>, id: web::Path<HomeId>) -> Answer {
    call.write(move |tx, call| Reply::ok(&home::end_transfer(tx, call, *id, &call.body.reason)?)).await
}

/// For which day.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct GetRatingsQuery {
    /// The day on which `held` was held; today in London where absent.
    #[param(value_type = Option<String>, format = Date)]
    on: Option<NaiveDate>,
}

/// A home's ratings.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Ratings {
    /// The day asked for.
    #[schema(value_type = String, format = Date)]
    on: NaiveDate,
    /// The rating held that day, by the confirmed reports out by then as they stand corrected now; `null` where there was none.
    held: Option<Rating>,
    /// Who stated it.
    stated_by: Option<StatedBy>,
    /// What the provider stated beyond it that day, and nobody has confirmed: it does not count.
    stated: Option<StatedRating>,
    /// Every rating in the order it was recorded.
    history: Vec<RatingEntry>,
}

/// Read a home's rating history, with the rating held on a day
#[utoipa::path(tag = "providers", params(("id" = HomeId, Path), GetRatingsQuery), responses((status = 200, body = Ratings)))]
#[get("/v1/homes/{id}/ratings")]
async fn get_ratings(call: Call, id: web::Path<HomeId>, day: web::Query<GetRatingsQuery>) -> Answer {
    call.read(move |c, call| {
        let found = call.who.get::<Home>(c, *id)?;
        let on = day.on.unwrap_or_else(|| call.now().date());
        let home = &found.value;
        let held = home.held_on(on);
        let ratings = Ratings {
            on,
            held: held.and_then(|entry| entry.facts.rating),
            stated_by: held.map(|entry| entry.stated_by),
            stated: home.stated_on(on).map(StatedRating::from),
            history: home.ratings.clone(),
        };
        Ok(Reply::json(200, &ratings)?.tagged_by_content(found.version))
    })
    .await
}

/// Of which instant.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct AsOfQuery {
    /// The instant asked about; now where absent.
    pub as_of: Option<Instant>,
}

/// What was said of a provider or a home at an instant.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PastProfile {
    /// The instant asked about.
    pub as_of: Instant,
    /// The fields of the profile then. A contact detail that changed since is left out: the record does not keep its values.
    #[schema(value_type = Object)]
    pub profile: serde_json::Map<String, serde_json::Value>,
}

/// Read what was said of a home at an instant
#[utoipa::path(tag = "providers", params(("id" = HomeId, Path), AsOfQuery), responses((status = 200, body = PastProfile)))]
#[get("/v1/homes/{id}/profile")]
async fn get_home_profile(call: Call, id: web::Path<HomeId>, asked: web::Query<AsOfQuery>) -> Answer {
    call.scan(move |c, call| {
        let found = call.who.get::<Home>(c, *id)?;
        let as_of = asked.as_of.unwrap_or_else(|| call.now());
        let (said, began) = (&found.value.profile, found.value.added_at);
        let profile = past::profile_at(c, &found, said, began, &["HomeAmended"], as_of)?;
        Ok(Reply::json(200, &PastProfile { as_of, profile })?.tagged_by_content(found.version))
    })
    .await
}

/// Record a rating
///
/// A provider states a rating; it is held when the regulator's release or an officer says the same. An officer confirms or corrects
/// one, with a `reason`, and it is held. The history is added to only; a second entry for one inspection corrects the first.
/// Leaving out `rating` records that the home has none from then on.
#[utoipa::path(tag = "providers", params(("id" = HomeId, Path)), request_body = RatingFacts, responses((status = 200, body = Resource<Home>)))]
#[post("/v1/homes/{id}/ratings")]
async fn record_rating(call: Call<DomainBody<RatingFacts>>, id: web::Path<HomeId>) -> Answer {
    call.act(*id, |home: Home, tx, call| Ok(home.record_rating(call.body.0.clone(), &call.who.actor, tx.now())?)).await
}

//! Suspensions: impose, extend, lift, answer, and the register of an arrangement (A7, R-03).

use actix_web::{get, post, web};
use domain::kernel::{ArrangementId, HomeId, Instant, MembershipId, ProviderId, SuspensionId};
use domain::standing::attribution;
use domain::standing::suspension::{self as rules, Suspension};
use persistence::standing::{self as store, suspensions};
use persistence::{Filter, Tx};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::{Lift, Said, listed, seen_member};
use crate::arrangement::arrangements::Because;
use usecase::standing::suspension::{self, Stops};

use crate::http::filters::StateOf;
use crate::http::reply::Resource;
use crate::http::routes::routes;
use crate::http::{Answer, Call, List, Listing, Reply};

routes! {
    suspend_membership: Suspend, [rules::RULES, domain::standing::RULES, domain::kernel::rule::RULES];
    list_membership_suspensions: ReadMembers, [];
    get_suspension: ReadMembers, [];
    lift_suspension: Suspend, [domain::standing::RULES, attribution::RULES, domain::kernel::rule::RULES];
    lift_suspension_for_authority: Suspend, [domain::standing::RULES, attribution::RULES, domain::kernel::rule::RULES];
    extend_suspension: Suspend, [rules::RULES, domain::standing::RULES, attribution::RULES, domain::kernel::rule::RULES];
    represent_suspension: MakeRepresentations, [domain::standing::RULES];
    list_suspensions: ReadMembers, [crate::http::listing::RULES];
}

/// Whom to stop.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Scope {
    /// The provider in the lot of this membership, whatever becomes of the membership.
    #[default]
    Lot,
    /// Every membership of the provider in the arrangement, later ones included.
    Provider,
    /// One home of the provider, in every lot of the arrangement.
    Home {
        /// Which.
        home: HomeId,
    },
}

/// A suspension to be imposed.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ImposeSuspension)]
struct Impose {
    /// Whom to stop; the provider in this membership's lot, where absent.
    #[serde(default)]
    scope: Scope,
    /// For how many months; the arrangement's usual length, where absent.
    #[validate(range(max = 600))]
    #[schema(maximum = 600)]
    months: Option<u32>,
    /// From when; now, where absent.
    from: Option<Instant>,
    /// The grounds, as the provider is told them.
    #[validate(length(min = 1, max = 20_000))]
    #[schema(min_length = 1, max_length = 20_000)]
    reason: String,
    /// References of documents.
    #[serde(default)]
    #[validate(length(max = 100))]
    #[schema(max_items = 100)]
    evidence: Vec<String>,
}

/// Suspend a member
///
/// No new referrals from the beginning on; existing placements go on. It ends by itself, or is reviewed, as the
/// arrangement's policies say. It stands against the provider until its own end, whatever becomes of the membership; whether it
/// binds the authority that imposes it or all of the arrangement is a policy (`suspensionScopeAuthority`).
#[utoipa::path(tag = "standing", params(("id" = MembershipId, Path)), request_body = Impose, responses((status = 201, body = Resource<Suspension>)))]
#[post("/v1/memberships/{id}/suspensions")]
async fn suspend_membership(call: Call<Impose>, id: web::Path<MembershipId>) -> Answer {
    call.write(move |tx, call| {
        let Impose { scope, months, from, reason, evidence } = call.body.clone();
        let stops = match scope {
            Scope::Lot => Stops::Membership,
            Scope::Provider => Stops::Provider,
            Scope::Home { home } => Stops::Home(home),
        };
        let order = suspension::Impose { stops, months, from, reason, evidence };
        Reply::created(&suspension::impose(tx, call, *id, order)?, "suspensions")
    })
    .await
}

/// List the suspensions that touch a membership
///
/// Past ones included, and those of the provider or of one of its homes.
#[utoipa::path(tag = "standing", params(("id" = MembershipId, Path)), responses((status = 200, body = List<Resource<Suspension>>)))]
#[get("/v1/memberships/{id}/suspensions")]
async fn list_membership_suspensions(call: Call, id: web::Path<MembershipId>) -> Answer {
    call.scan(move |c, call| {
        let member = seen_member(call, c, *id)?;
        let all = store::suspensions_of(c, member.provider, member.arrangement)?;
        let touching = all.iter().filter(|s| s.value.touches(&member));
        let items = touching.map(|s| Resource::of(s, Clone::clone)).collect();
        Reply::json(200, &List { items, next: None })
    })
    .await
}

/// Read a suspension
#[utoipa::path(tag = "standing", params(("id" = SuspensionId, Path)), responses((status = 200, body = Resource<Suspension>)))]
#[get("/v1/suspensions/{id}")]
async fn get_suspension(call: Call, id: web::Path<SuspensionId>) -> Answer {
    call.show::<Suspension>(*id, |found, _| Reply::ok(found)).await
}

/// Lift a suspension before its time, or after its review
///
/// As the authority that imposed it: another one that is bound by it lifts it for itself.
#[utoipa::path(tag = "standing", params(("id" = SuspensionId, Path)), request_body = Lift, responses((status = 200, body = Resource<Suspension>)))]
#[post("/v1/suspensions/{id}/lift")]
async fn lift_suspension(call: Call<Lift>, id: web::Path<SuspensionId>) -> Answer {
    call.write(move |tx, call| {
        let Lift { reason, annulled } = call.body.clone();
        let lift =
            |suspension: Suspension, tx: &mut Tx<'_>| Ok(suspension.lift(reason, annulled, tx.actor(), tx.now())?);
        Reply::ok(&suspension::act(tx, call, *id, lift)?)
    })
    .await
}

/// Lift a suspension for the caller's authority alone
///
/// One that another authority of the arrangement imposed and that binds the caller's too (DPS-27).
#[utoipa::path(tag = "standing", params(("id" = SuspensionId, Path)), request_body = Because, responses((status = 200, body = Resource<Suspension>)))]
#[post("/v1/suspensions/{id}/lift-for-authority")]
async fn lift_suspension_for_authority(call: Call<Because>, id: web::Path<SuspensionId>) -> Answer {
    call.write(move |tx, call| {
        let reason = call.body.reason.clone();
        let lift = |suspension: Suspension, tx: &mut Tx<'_>| Ok(suspension.lift_for(reason, tx.actor(), tx.now())?);
        Reply::ok(&suspension::act(tx, call, *id, lift)?)
    })
    .await
}

/// By how much a suspension is extended.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Lengthen {
    /// How many months it lasts in all, counted from its beginning.
    #[validate(range(min = 1, max = 600))]
    #[schema(minimum = 1, maximum = 600)]
    months_in_all: u32,
    /// Why.
    #[validate(length(min = 1, max = 4000))]
    #[schema(min_length = 1, max_length = 4000)]
    reason: String,
}

/// Extend a suspension, up to the arrangement's maximum
#[utoipa::path(tag = "standing", params(("id" = SuspensionId, Path)), request_body = Lengthen, responses((status = 200, body = Resource<Suspension>)))]
#[post("/v1/suspensions/{id}/extend")]
async fn extend_suspension(call: Call<Lengthen>, id: web::Path<SuspensionId>) -> Answer {
    call.write(move |tx, call| {
        let Lengthen { months_in_all, reason } = call.body.clone();
        Reply::ok(&suspension::extend(tx, call, *id, months_in_all, reason)?)
    })
    .await
}

/// Make representations to a suspension, as the provider concerned
#[utoipa::path(tag = "standing", params(("id" = SuspensionId, Path)), request_body = Said, responses((status = 200, body = Resource<Suspension>)))]
#[post("/v1/suspensions/{id}/representations")]
async fn represent_suspension(call: Call<Said>, id: web::Path<SuspensionId>) -> Answer {
    call.write(move |tx, call| {
        let represent = |suspension: Suspension, tx: &mut Tx<'_>| {
            Ok(suspension.represent(call.body.text.clone(), tx.actor(), tx.now())?)
        };
        Reply::ok(&suspension::act(tx, call, *id, represent)?)
    })
    .await
}

/// A suspension in the register.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SuspensionEntry)]
struct Entry {
    /// The suspension.
    #[serde(flatten)]
    suspension: Suspension,
    /// Civil days to its end; absent where it is over.
    days_to_end: Option<i64>,
}

type StateName = StateOf<Suspension>;

/// Which suspensions to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct SuspensionsQuery {
    /// Only in this state.
    #[param(inline)]
    state: Option<StateName>,
    /// Only about this provider.
    provider: Option<ProviderId>,
}

/// Read the suspension register of an arrangement
///
/// Each with the days to its end. A provider reads its own entries.
#[utoipa::path(tag = "standing", params(("id" = ArrangementId, Path), SuspensionsQuery, Listing), responses((status = 200, body = List<Resource<Entry>>)))]
#[get("/v1/arrangements/{id}/suspensions")]
async fn list_suspensions(
    call: Call,
    id: web::Path<ArrangementId>,
    wanted: web::Query<SuspensionsQuery>,
    listing: web::Query<Listing>,
) -> Answer {
    call.scan(move |c, call| {
        let page = listing.page()?;
        let filter = Filter::all()
            .is(suspensions::arrangement_id, *id)
            .if_any(suspensions::provider_id, listed(c, call, *id, wanted.provider)?)
            .if_is(suspensions::state, wanted.state.map(StateOf::name))
            .since(listing.since());
        let now = call.now();
        Listing::reply(page, c.list(&filter, page)?, |s| Entry {
            suspension: s.clone(),
            days_to_end: days_to_end(s, now),
        })
    })
    .await
}

fn days_to_end(suspension: &Suspension, now: Instant) -> Option<i64> {
    let over = suspension.over_at().is_some_and(|over| over <= now);
    (!over).then(|| suspension.until.date().signed_duration_since(now.date()).num_days())
}

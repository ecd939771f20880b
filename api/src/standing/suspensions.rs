//! Suspensions: impose, extend, lift, answer, and the register of an arrangement (A7, R-03).

use actix_web::{get, post, web};
use domain::admission::membership::Membership;
use domain::arrangement::Arrangement;
use domain::kernel::{Aggregate as _, ArrangementId, HomeId, Instant, Kind, MembershipId, SuspensionId};
use domain::provider::home::Home;
use domain::standing::suspension::{self as rules, Suspend, SuspendFacts, Suspension, SuspensionScope};
use persistence::standing::{self as store, suspensions};
use persistence::{Failure, Outcome, Stored, Tx, admission};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::{Lift, MeasuresQuery, Said, lock_member, removals, seen_member, uids};
use crate::http::call::OutcomeOf;
use crate::http::reply::Resource;
use crate::http::routes::routes;
use crate::http::{Answer, Call, List, Listing, Reply};

routes! {
    suspend_membership: Suspend, [rules::RULES, domain::standing::RULES, domain::kernel::rule::RULES];
    list_membership_suspensions: ReadMembers, [];
    get_suspension: ReadMembers, [];
    lift_suspension: Suspend, [domain::standing::RULES, domain::kernel::rule::RULES];
    extend_suspension: Suspend, [rules::RULES, domain::standing::RULES, domain::kernel::rule::RULES];
    represent_suspension: MakeRepresentations, [domain::standing::RULES];
    list_suspensions: ReadMembers, [crate::http::listing::RULES];
}

/// Whom to stop.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Scope {
    /// This membership.
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
    /// Whom to stop; this membership, where absent.
    #[serde(default)]
    scope: Scope,
    /// For how many months; the arrangement's usual length, where absent.
    #[validate(range(max = 600))]
    months: Option<u32>,
    /// From when; now, where absent.
    from: Option<Instant>,
    /// The grounds, as the provider is told them.
    #[validate(length(min = 1, max = 20_000))]
    reason: String,
    /// References of documents.
    #[serde(default)]
    #[validate(length(max = 100))]
    evidence: Vec<String>,
}

/// Suspend a member
///
/// No new referrals from the beginning on; existing placements go on. It ends by itself, or is reviewed, as the
/// arrangement's policies say.
#[utoipa::path(tag = "standing", params(("id" = MembershipId, Path)), request_body = Impose, responses((status = 201, body = Resource<Suspension>)))]
#[post("/v1/memberships/{id}/suspensions")]
async fn suspend_membership(call: Call<Impose>, id: web::Path<MembershipId>) -> Answer {
    call.write(move |tx, call| {
        let Impose { scope, months, from, reason, evidence } = call.body.clone();
        let seen = call.who.get::<Membership>(tx, *id)?.value;
        if !matches!(scope, Scope::Lot) {
            lock_all(tx, &seen)?;
        }
        let member = lock_member(call, tx, *id)?.value;
        let (scope, live_membership) = match scope {
            Scope::Lot => (SuspensionScope::Lot { membership: member.id, lot: member.lot }, member.is_live()),
            Scope::Provider => (SuspensionScope::Provider, any_live(tx, &member)?),
            Scope::Home { home } => {
                if tx.hold::<Home>(home)?.value.provider != member.provider {
                    return Err(Failure::NotFound(Kind::Home));
                }
                (SuspensionScope::Home { home }, any_live(tx, &member)?)
            }
        };
        let (arrangement, provider) = (member.arrangement, member.provider);
        let policies = tx.hold::<Arrangement>(arrangement)?.value.policies;
        let others = others(tx, &member)?;
        let facts = SuspendFacts { policies: &policies, live_membership, suspensions: &others };
        let order = Suspend { arrangement, provider, scope, from, months, reason, evidence };
        let decision = Suspension::suspend(tx.mint(), order, facts, tx.actor(), tx.now())?;
        Reply::created(&tx.create(decision)?, "suspensions")
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
#[utoipa::path(tag = "standing", params(("id" = SuspensionId, Path)), request_body = Lift, responses((status = 200, body = Resource<Suspension>)))]
#[post("/v1/suspensions/{id}/lift")]
async fn lift_suspension(call: Call<Lift>, id: web::Path<SuspensionId>) -> Answer {
    command(call, *id, |suspension, tx, call| {
        let Lift { reason, annulled } = call.body.clone();
        Ok(suspension.lift(reason, annulled, tx.actor(), tx.now())?)
    })
    .await
}

/// By how much a suspension is extended.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Lengthen {
    /// How many months it lasts in all, counted from its beginning.
    #[validate(range(min = 1, max = 600))]
    months_in_all: u32,
    /// Why.
    #[validate(length(min = 1, max = 4000))]
    reason: String,
}

/// Extend a suspension, up to the arrangement's maximum
#[utoipa::path(tag = "standing", params(("id" = SuspensionId, Path)), request_body = Lengthen, responses((status = 200, body = Resource<Suspension>)))]
#[post("/v1/suspensions/{id}/extend")]
async fn extend_suspension(call: Call<Lengthen>, id: web::Path<SuspensionId>) -> Answer {
    command(call, *id, |suspension, tx, call| {
        let Lengthen { months_in_all, reason } = call.body.clone();
        let others = store::suspensions_of(tx, suspension.provider, suspension.arrangement)?;
        let others: Vec<_> = others.into_iter().map(|s| s.value).collect();
        Ok(suspension.extend(months_in_all, reason, &others, tx.now())?)
    })
    .await
}

/// Make representations to a suspension, as the provider concerned
#[utoipa::path(tag = "standing", params(("id" = SuspensionId, Path)), request_body = Said, responses((status = 200, body = Resource<Suspension>)))]
#[post("/v1/suspensions/{id}/representations")]
async fn represent_suspension(call: Call<Said>, id: web::Path<SuspensionId>) -> Answer {
    command(call, *id, |suspension, tx, call| Ok(suspension.represent(call.body.text.clone(), tx.actor(), tx.now())?))
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

/// Read the suspension register of an arrangement
///
/// Each with the days to its end. A provider reads its own entries.
#[utoipa::path(tag = "standing", params(("id" = ArrangementId, Path), MeasuresQuery, Listing), responses((status = 200, body = List<Resource<Entry>>)))]
#[get("/v1/arrangements/{id}/suspensions")]
async fn list_suspensions(
    call: Call,
    id: web::Path<ArrangementId>,
    wanted: web::Query<MeasuresQuery>,
    listing: web::Query<Listing>,
) -> Answer {
    call.scan(move |c, call| {
        let page = listing.page()?;
        let filter = suspensions::Filter {
            arrangement_id: Some(vec![(*id).into()]),
            provider_id: wanted.providers(c, call, *id)?.map(uids),
            state: wanted.state.clone().map(|s| vec![s]),
            updated_since: listing.since(),
            ..suspensions::Filter::default()
        };
        let now = call.now();
        Listing::reply(page, suspensions::list(c, &filter, page)?, |s| Entry {
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

/// A command on a suspension: the memberships that it stops are locked first, in the order of their identifiers.
async fn command<T: Send + Sync + 'static>(
    call: Call<T>,
    id: SuspensionId,
    decide: impl Fn(Suspension, &mut Tx<'_>, &Call<T>) -> OutcomeOf<Suspension> + Send + 'static,
) -> Answer {
    call.write(move |tx, call| {
        let seen = call.who.get::<Suspension>(tx, id)?.value;
        lock_stopped(tx, &seen)?;
        let before = call.lock::<Suspension>(tx, id)?;
        let decision = decide(before.value.clone(), tx, call)?;
        Reply::ok(&tx.save(&before, decision)?)
    })
    .await
}

/// Locks what a suspension stops; a removal of that one membership which is due takes effect first.
pub(super) fn lock_stopped(tx: &mut Tx<'_>, suspension: &Suspension) -> Outcome<()> {
    match suspension.scope {
        SuspensionScope::Lot { membership, .. } => {
            let member = tx.lock::<Membership>(membership)?;
            removals::run_due(tx, member).map(drop)
        }
        SuspensionScope::Provider | SuspensionScope::Home { .. } => {
            let members = admission::memberships_of(tx, suspension.provider, suspension.arrangement)?;
            members.iter().try_for_each(|m| tx.lock::<Membership>(m.value.id).map(drop))
        }
    }
}

/// Locks every membership of the provider in the arrangement, in the order of their identifiers.
fn lock_all(tx: &mut Tx<'_>, member: &Membership) -> Outcome<()> {
    let members = admission::memberships_of(tx, member.provider, member.arrangement)?;
    members.iter().try_for_each(|m| tx.lock::<Membership>(m.value.id).map(drop))
}

fn any_live(tx: &mut Tx<'_>, member: &Membership) -> Outcome<bool> {
    Ok(!admission::lots_held(tx, member.provider, member.arrangement)?.is_empty())
}

/// The provider's suspensions in the arrangement of a membership.
pub(super) fn others(tx: &mut Tx<'_>, member: &Membership) -> Outcome<Vec<Suspension>> {
    let all: Vec<Stored<Suspension>> = store::suspensions_of(tx, member.provider, member.arrangement)?;
    Ok(all.into_iter().map(|s| s.value).collect())
}

/// What is due: it lapses, or awaits its review.
pub(super) fn tick(tx: &mut Tx<'_>, id: SuspensionId) -> Outcome<()> {
    let seen = tx.get::<Suspension>(id)?.value;
    lock_stopped(tx, &seen)?;
    let before = tx.lock::<Suspension>(id)?;
    if before.value.due().is_none_or(|due| due.at > tx.now()) {
        // Another server was quicker, or a removal has replaced it.
        return Ok(());
    }
    let decision = before.value.clone().tick(tx.now())?;
    tx.save(&before, decision).map(drop)
}

//! Removals: begin, hear, decide, revoke, take effect, and the register of an arrangement (A8, R-04).

use actix_web::{get, post, web};
use domain::admission::membership::Membership;
use domain::arrangement::Arrangement;
use domain::kernel::{Aggregate as _, ArrangementId, Instant, MembershipId, RemovalId};
use domain::standing::removal::{self as rules, Ground, NotifyRemoval, Removal, RemovalFacts};
use persistence::standing::{self as store, removals};
use persistence::{Outcome, Stored, Tx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::{MeasuresQuery, lock_measure, lock_member, on_measure, seen_member, suspensions, uids};
use crate::arrangement::arrangements::Because;
use crate::http::reply::Resource;
use crate::http::routes::routes;
use crate::http::{Answer, Call, List, Listing, Reply};

domain::rules! {
    NO_FAULT_HAS_NOTICE = "no_fault_has_notice", Input, "NOT-06",
        "Notice without cause is given as such: POST /v1/memberships/{id}/no-fault-notice.";
}

routes! {
    begin_removal: Remove, [RULES, rules::RULES, domain::standing::RULES, domain::kernel::rule::RULES];
    list_membership_removals: ReadMembers, [];
    get_removal: ReadMembers, [];
    represent_removal: MakeRepresentations, [domain::standing::RULES];
    decide_removal: Remove, [rules::RULES, domain::kernel::rule::RULES];
    revoke_removal: Remove, [domain::standing::RULES, domain::kernel::rule::RULES];
    give_no_fault_notice: GiveNoFaultNotice, [rules::RULES, domain::standing::RULES];
    list_removals: ReadMembers, [crate::http::listing::RULES];
    count_removals: ReadMembers, [];
}

/// Why the failure path need not be followed.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Gross {
    /// Why the failure is gross.
    #[validate(length(max = 4000))]
    reason: String,
}

/// A removal to be begun.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Begin {
    /// The ground; not `no_fault`, which has its own notice, nor `term_end`, which the clock sees to.
    ground: Ground,
    /// The grounds in words, as the provider is told them.
    #[validate(length(min = 1, max = 20_000))]
    reason: String,
    /// Given where the failure is gross, so that the arrangement's failure path need not be followed (C-02).
    #[validate(nested)]
    gross: Option<Gross>,
    /// References of documents.
    #[serde(default)]
    #[validate(length(max = 100))]
    evidence: Vec<String>,
}

/// Begin the removal of a member
///
/// The provider is told and heard; the member stays one until the decision takes effect.
#[utoipa::path(tag = "standing", params(("id" = MembershipId, Path)), request_body = Begin, responses((status = 201, body = Resource<Removal>)))]
#[post("/v1/memberships/{id}/removals")]
async fn begin_removal(call: Call<Begin>, id: web::Path<MembershipId>) -> Answer {
    call.write(move |tx, call| {
        let member = lock_member(call, tx, *id)?;
        let Begin { ground, reason, gross, evidence } = call.body.clone();
        if ground == Ground::NoFault {
            return Err(NO_FAULT_HAS_NOTICE.broken_at("/ground", NO_FAULT_HAS_NOTICE.says).into());
        }
        let gross = gross.map(|gross| gross.reason);
        notify(tx, &member, NotifyRemoval { ground, reason, gross, evidence })
    })
    .await
}

/// A notice without cause.
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NoFault {
    /// The reason, where the one who gives notice names one; it owes none.
    #[serde(default)]
    #[validate(length(max = 4000))]
    reason: String,
}

/// Give notice without cause, as either side
///
/// The membership ends after the arrangement's period of notice (NOT-06).
#[utoipa::path(tag = "standing", params(("id" = MembershipId, Path)), request_body = NoFault, responses((status = 201, body = Resource<Removal>)))]
#[post("/v1/memberships/{id}/no-fault-notice")]
async fn give_no_fault_notice(call: Call<NoFault>, id: web::Path<MembershipId>) -> Answer {
    call.write(move |tx, call| {
        let member = lock_member(call, tx, *id)?;
        let order = NotifyRemoval {
            ground: Ground::NoFault,
            reason: call.body.reason.clone(),
            gross: None,
            evidence: Vec::new(),
        };
        notify(tx, &member, order)
    })
    .await
}

fn notify(tx: &mut Tx<'_>, member: &Stored<Membership>, order: NotifyRemoval) -> Outcome<Reply> {
    let membership = &member.value;
    let policies = tx.hold::<Arrangement>(membership.arrangement)?.value.policies;
    let suspensions = suspensions::others(tx, membership)?;
    let notices: Vec<_> = store::notices_of(tx, membership.id)?.into_iter().map(|n| n.value).collect();
    let sanctions: Vec<_> = store::sanctions_of(tx, membership.id)?.into_iter().map(|s| s.value).collect();
    let facts = RemovalFacts {
        policies: &policies,
        membership,
        suspensions: &suspensions,
        notices: &notices,
        sanctions: &sanctions,
        removal_pending: store::pending_removal(tx, membership.id)?.is_some(),
    };
    let decision = Removal::notify(tx.mint(), order, facts, tx.actor(), tx.now())?;
    let created = tx.create(decision)?;
    carry_out(tx, member.clone(), &created.value)?;
    Reply::created(&created, "removals")
}

/// List the removals of a membership
#[utoipa::path(tag = "standing", params(("id" = MembershipId, Path)), responses((status = 200, body = List<Resource<Removal>>)))]
#[get("/v1/memberships/{id}/removals")]
async fn list_membership_removals(call: Call, id: web::Path<MembershipId>) -> Answer {
    call.scan(move |c, call| {
        seen_member(call, c, *id)?;
        let items = store::removals_of(c, *id)?.iter().map(|r| Resource::of(r, Clone::clone)).collect();
        Reply::json(200, &List { items, next: None })
    })
    .await
}

/// Read a removal
#[utoipa::path(tag = "standing", params(("id" = RemovalId, Path)), responses((status = 200, body = Resource<Removal>)))]
#[get("/v1/removals/{id}")]
async fn get_removal(call: Call, id: web::Path<RemovalId>) -> Answer {
    call.show::<Removal>(*id, |found, _| Reply::ok(found)).await
}

/// What a provider says to its removal.
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Hearing {
    /// The text, or a reference of the document that holds it.
    #[validate(length(max = 20_000))]
    text: Option<String>,
    /// Whether the provider declares that it makes none, or no more: then the decision need not wait.
    #[serde(default)]
    none: bool,
}

/// Make representations to a removal, or declare that there are none, as the provider concerned
#[utoipa::path(tag = "standing", params(("id" = RemovalId, Path)), request_body = Hearing, responses((status = 200, body = Resource<Removal>)))]
#[post("/v1/removals/{id}/representations")]
async fn represent_removal(call: Call<Hearing>, id: web::Path<RemovalId>) -> Answer {
    on_measure(call, *id, |mut removal: Removal, tx, call| {
        let Hearing { text, none } = call.body.clone();
        let mut events = Vec::new();
        if text.is_some() || !none {
            let (heard, said) = removal.represent(text.unwrap_or_default(), tx.actor(), tx.now())?;
            events.extend(said);
            removal = heard;
        }
        if none {
            let (heard, waived) = removal.waive(tx.now())?;
            events.extend(waived);
            removal = heard;
        }
        Ok((removal, events))
    })
    .await
}

/// A decision to remove.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Decide {
    /// When it takes effect; as early as the provider's hearing allows, where absent.
    effective_at: Option<Instant>,
    /// The reasons, as the provider is told them.
    #[validate(length(min = 1, max = 20_000))]
    reasons: String,
}

/// Decide a removal
///
/// The provider is told the reasons before it takes effect (PA37).
#[utoipa::path(tag = "standing", params(("id" = RemovalId, Path)), request_body = Decide, responses((status = 200, body = Resource<Removal>)))]
#[post("/v1/removals/{id}/decide")]
async fn decide_removal(call: Call<Decide>, id: web::Path<RemovalId>) -> Answer {
    call.write(move |tx, call| {
        let before = lock_measure::<Removal, _>(call, tx, *id)?;
        let Decide { effective_at, reasons } = call.body.clone();
        let decision = before.value.clone().decide(effective_at, reasons, tx.actor(), tx.now())?;
        let after = tx.save(&before, decision)?;
        let member = tx.lock::<Membership>(after.value.membership)?;
        carry_out(tx, member, &after.value)?;
        Reply::ok(&after)
    })
    .await
}

/// Do not pursue a removal, or take it back before it takes effect
#[utoipa::path(tag = "standing", params(("id" = RemovalId, Path)), request_body = Because, responses((status = 200, body = Resource<Removal>)))]
#[post("/v1/removals/{id}/revoke")]
async fn revoke_removal(call: Call<Because>, id: web::Path<RemovalId>) -> Answer {
    on_measure(call, *id, |removal: Removal, tx, call| {
        Ok(removal.revoke(call.body.reason.clone(), tx.actor(), tx.now())?)
    })
    .await
}

/// Read the removal register of an arrangement
///
/// A provider reads its own entries.
#[utoipa::path(tag = "standing", params(("id" = ArrangementId, Path), MeasuresQuery, Listing), responses((status = 200, body = List<Resource<Removal>>)))]
#[get("/v1/arrangements/{id}/removals")]
async fn list_removals(
    call: Call,
    id: web::Path<ArrangementId>,
    wanted: web::Query<MeasuresQuery>,
    listing: web::Query<Listing>,
) -> Answer {
    call.list(
        move |c, call| {
            let page = listing.page()?;
            let filter = removals::Filter {
                arrangement_id: Some(vec![(*id).into()]),
                provider_id: wanted.providers(c, call, *id)?.map(uids),
                state: wanted.state.clone().map(|s| vec![s]),
                updated_since: listing.since(),
                ..removals::Filter::default()
            };
            Ok((page, filter))
        },
        |found: &Removal, _| found.clone(),
    )
    .await
}

/// How many removals rest on a ground.
#[derive(Serialize, ToSchema)]
struct Count {
    /// The ground.
    #[schema(value_type = Ground)]
    ground: String,
    /// How many, revoked ones included.
    count: i64,
}

/// Count the removals of an arrangement by ground
///
/// A provider counts its own.
#[utoipa::path(tag = "standing", params(("id" = ArrangementId, Path)), responses((status = 200, body = Vec<Count>)))]
#[get("/v1/arrangements/{id}/removals/by-ground")]
async fn count_removals(call: Call, id: web::Path<ArrangementId>) -> Answer {
    call.scan(move |c, call| {
        let own = MeasuresQuery { state: None, provider: None }.providers(c, call, *id)?;
        let counts = store::removals_by_ground(c, *id, own.as_deref())?;
        let counts: Vec<_> = counts.into_iter().map(|(ground, count)| Count { ground, count }).collect();
        Reply::json(200, &counts)
    })
    .await
}

/// Ends the membership where its removal is in effect, with what suspended it alone: a suspension of the provider or
/// of a home concerns other memberships too and goes on.
fn carry_out(tx: &mut Tx<'_>, member: Stored<Membership>, removal: &Removal) -> Outcome<Stored<Membership>> {
    let (false, Some(at)) = (removal.is_pending(), removal.effective_at()) else { return Ok(member) };
    if !member.value.is_live() {
        // It ended otherwise before the removal took effect.
        return Ok(member);
    }
    let decision = member.value.clone().remove(removal.id, at)?;
    let after = tx.save(&member, decision)?;
    for before in store::open_suspensions(tx, removal.membership)? {
        // One that the clock ended before then lapses by its own work, however late that is.
        if before.value.over_at().is_none_or(|over| over >= at) {
            let decision = before.value.clone().convert(removal.id, at)?;
            tx.save(&before, decision)?;
        }
    }
    Ok(after)
}

/// Lets a removal of the locked membership that is due take effect before anything else is decided about it, so that
/// late clock-driven work makes no difference.
pub(crate) fn run_due(tx: &mut Tx<'_>, member: Stored<Membership>) -> Outcome<Stored<Membership>> {
    match store::pending_removal(tx, member.value.id)? {
        Some(before) if before.value.due().is_some_and(|due| due.at <= tx.now()) => {
            let decision = before.value.clone().tick(tx.now())?;
            let after = tx.save(&before, decision)?;
            carry_out(tx, member, &after.value)
        }
        Some(_) | None => Ok(member),
    }
}

/// Revokes the removal that is under way against a locked membership which ends otherwise.
///
/// # Errors
/// Where the store fails; a refusal where the removal is due (see [`run_due`]).
pub(crate) fn drop_pending(tx: &mut Tx<'_>, membership: MembershipId, reason: &str) -> Outcome<()> {
    if let Some(before) = store::pending_removal(tx, membership)? {
        let decision = before.value.clone().revoke(reason.to_owned(), tx.actor(), tx.now())?;
        tx.save(&before, decision)?;
    }
    Ok(())
}

/// What is due: it takes effect.
pub(super) fn tick(tx: &mut Tx<'_>, id: RemovalId) -> Outcome<()> {
    let membership = tx.get::<Removal>(id)?.value.membership;
    let member = tx.lock::<Membership>(membership)?;
    run_due(tx, member).map(drop)
}

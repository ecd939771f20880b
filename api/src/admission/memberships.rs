//! Memberships: what a provider holds in a lot, and how it stands (A6).

use actix_web::{get, web};
use domain::admission::membership::Membership;
use domain::arrangement::arrangement::NO_GUARANTEE;
use domain::arrangement::{Arrangement, Term};
use domain::kernel::{ArrangementId, AuthorityCode, Instant, LotId, MembershipId, ProviderId};
use domain::standing::{Cause, Impediment, Standing, StandingFacts, explain, standing};
use persistence::Filter;
use persistence::admission::memberships;
use persistence::impediment;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::http::reply::Resource;
use crate::http::routes::routes;
use crate::http::{Answer, Call, List, Listing, Reply};

routes! {
    list_memberships: ReadMembers, [crate::http::listing::RULES];
    get_membership: ReadMembers, [];
}

/// A membership with its standing.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MembershipView {
    /// The membership.
    #[serde(flatten)]
    membership: Membership,
    /// Always false: admission guarantees no award (DPS-05).
    award_guaranteed: bool,
    /// What the letter of admission says (DPS-05).
    statement: &'static str,
    /// The instant that the standing is computed for.
    as_of: Instant,
    /// Until when all that counts has been decided: the instant asked about or now, whichever is earlier.
    known_until: Instant,
    /// The known end of the term: from then on the provider is no member. Absent once the arrangement has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    term_ends_at: Option<Instant>,
    /// The standing at that instant, computed from every measure that touches the member and binds the caller's authority.
    standing: Standing,
    /// Why.
    because: Vec<Cause>,
}

/// A membership as it stood at an instant.
#[must_use]
pub fn view(
    membership: &Membership,
    impediments: &[Impediment],
    (term_ends_at, seen_by): (Option<Instant>, Option<&AuthorityCode>),
    (at, now): (Instant, Instant),
) -> MembershipView {
    let term = term_ends_at.map(|end| (membership.arrangement, end));
    let (id, admitted_at) = (membership.id, membership.admitted_at);
    let facts = StandingFacts { membership: id, admitted_at, term, seen_by, impediments };
    MembershipView {
        membership: membership.clone(),
        award_guaranteed: Membership::AWARD_GUARANTEED,
        statement: NO_GUARANTEE,
        as_of: at,
        known_until: at.min(now),
        term_ends_at,
        standing: standing(&facts, at),
        because: explain(&facts, at),
    }
}

/// Which memberships to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListMembershipsQuery {
    /// Only in this arrangement.
    arrangement: Option<ArrangementId>,
    /// Only in this lot.
    lot: Option<LotId>,
    /// Only of this provider.
    provider: Option<ProviderId>,
    /// Only live ones, or only ended ones.
    live: Option<bool>,
}

/// List memberships
///
/// Providers see their own. The register of a lot, with everyone's standing, is `GET /v1/lots/{id}/members`.
#[utoipa::path(tag = "memberships", params(ListMembershipsQuery, Listing), responses((status = 200, body = List<Resource<Membership>>)))]
#[get("/v1/memberships")]
async fn list_memberships(
    call: Call,
    wanted: web::Query<ListMembershipsQuery>,
    listing: web::Query<Listing>,
) -> Answer {
    call.list(
        move |c, call| {
            let page = listing.page()?;
            let (provider_id, arrangement_id) = call.who.reach(c, wanted.provider, wanted.arrangement)?;
            let filter = Filter::all()
                .if_any(memberships::provider_id, provider_id)
                .if_any(memberships::arrangement_id, arrangement_id)
                .if_is(memberships::lot_id, wanted.lot)
                .if_is(memberships::live, wanted.live);
            Ok((page, filter.since(listing.since())))
        },
        |found: &Membership, _| found.clone(),
    )
    .await
}

/// At which instant.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct GetMembershipQuery {
    /// The instant asked about; now where absent.
    pub as_of: Option<Instant>,
}

/// Read a membership with its standing
#[utoipa::path(tag = "memberships", params(("id" = MembershipId, Path), GetMembershipQuery), responses((status = 200, body = Resource<MembershipView>)))]
#[get("/v1/memberships/{id}")]
async fn get_membership(call: Call, id: web::Path<MembershipId>, at: web::Query<GetMembershipQuery>) -> Answer {
    call.scan(move |c, call| {
        let found = call.who.get::<Membership>(c, *id)?;
        let impediments = impediment::against(c, &found.value)?;
        let arrangement = c.get::<Arrangement>(found.value.arrangement)?.value;
        let (now, seen_by) = (call.now(), call.who.actor.authority.as_ref());
        let known = (arrangement.in_force().map(Term::ends_at), seen_by);
        let view = view(&found.value, &impediments, known, (at.as_of.unwrap_or(now), now));
        Ok(Reply::view(&found, view)?.tagged_by_content(found.version))
    })
    .await
}

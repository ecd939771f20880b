//! The register of a lot: who is a member, who may receive a referral, and why, at any instant (DPS-04).

use domain::arrangement::lot::{self, Right};
use domain::arrangement::{Arrangement, Lot, Term};
use domain::kernel::{HomeId, Instant, LotId, MembershipId, ProviderId, Role};
use domain::standing::{Cause, Standing, StandingFacts, excluded_homes, explain, standing};
use persistence::record::hex;
use persistence::{Conn, Outcome, impediment};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::Caller;

/// One member at the instant asked about.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RegisterEntry)]
pub struct Entry {
    /// The membership.
    pub membership: MembershipId,
    /// The member.
    pub provider: ProviderId,
    /// Its legal name.
    pub name: String,
    /// Since when.
    pub admitted_at: Instant,
    /// How it stands.
    #[serde(flatten)]
    pub standing: Standing,
    /// Why; only for the buying side and the member itself.
    pub because: Vec<Cause>,
    /// Homes that may not be offered.
    pub excluded_homes: Vec<HomeId>,
}

/// The register of a lot at an instant.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Register {
    /// The lot.
    pub lot: LotId,
    /// The instant asked about.
    pub as_of: Instant,
    /// Until when all that counts has been decided: the instant asked about or now, whichever is earlier. For later
    /// instants the register tells what is decided so far; what is decided after it may change that.
    pub known_until: Instant,
    /// The known end of the term: from then on nobody is a member. Absent once the arrangement has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub term_ends_at: Option<Instant>,
    /// How many are listed.
    pub count: usize,
    /// SHA-256 of the list as it is written here: two readers that have the same hash have the same list.
    pub content_hash: String,
    /// Members in the order of admission; the removed stay listed with their standing.
    pub members: Vec<Entry>,
}

/// The register of a lot at an instant, as the caller may see it; with `receiving` the members alone that may then receive a
/// referral, which is the list that a dispatch goes to. An authority is shown what binds it; whoever belongs to none, what binds
/// any of them (DPS-27).
///
/// # Errors
/// [`LOT_NOT_USED`](lot::LOT_NOT_USED) where an authority asks for the dispatch list of a lot that it does not use.
pub fn of_lot(
    c: &mut Conn<'_>,
    caller: &Caller,
    id: LotId,
    (at, now): (Instant, Instant),
    receiving: bool,
) -> Outcome<Register> {
    let role = caller.actor.role;
    let who = if caller.is_providing() { caller.in_market() } else { caller.clone() };
    let lot = who.get::<Lot>(c, id)?.value;
    let arrangement = c.get::<Arrangement>(lot.arrangement)?.value;
    let term_ends_at = arrangement.in_force().map(Term::ends_at);
    let term = term_ends_at.map(|end| (lot.arrangement, end));
    let seen_by = caller.actor.authority.as_ref();
    if let Some(own) = seen_by.filter(|_| receiving) {
        // The lead sees whom each authority of its arrangement may call, whether or not it uses the lot itself.
        let leads = arrangement.lead.code == *own;
        if !leads && lot.right_of(own) != Right::Uses {
            return Err(lot::LOT_NOT_USED.broken(format!("{own} does not use this lot")).into());
        }
    }
    let own = caller.own_providers(c)?.unwrap_or_default();
    let only = (role == Role::Provider).then_some(own.as_slice());
    let mut members = Vec::new();
    for member in impediment::members(c, lot.id, at, only)? {
        let impediments = member.impediments.as_slice();
        let (membership, admitted_at) = (member.membership, member.admitted_at);
        let facts = StandingFacts { membership, admitted_at, term, seen_by, impediments };
        let standing = standing(&facts, at);
        let is_own = own.contains(&member.provider);
        let hidden = role == Role::Portal && !is_own && !standing.visible_to_portals;
        if hidden || (receiving && !standing.may_receive_referrals) {
            continue;
        }
        let told = role != Role::Portal || is_own;
        members.push(Entry {
            membership: member.membership,
            provider: member.provider,
            admitted_at: member.admitted_at,
            standing,
            because: if told { explain(&facts, at) } else { Vec::new() },
            excluded_homes: if standing.has_excluded_homes { excluded_homes(&facts, at).collect() } else { Vec::new() },
            name: member.name,
        });
    }
    let content_hash = hex(&Sha256::digest(serde_json::to_vec(&members)?));
    let known_until = at.min(now);
    Ok(Register { lot: lot.id, as_of: at, known_until, term_ends_at, count: members.len(), content_hash, members })
}

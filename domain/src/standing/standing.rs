//! The one place where suspensions, sanctions, removals, expired evidence and dormancy combine into a standing.

use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::{ArrangementId, AuthorityCode, Effect, HomeId, Impediment, Instant, Kind, MembershipId};

impl Effect {
    /// The status it leads to. `HomeSuspended` leaves the member active.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Effect::NotYetMember => Status::NotYetMember,
            Effect::Removed => Status::Removed,
            Effect::Withdrawn => Status::Withdrawn,
            Effect::Ended => Status::Ended,
            Effect::Dormant => Status::Dormant,
            Effect::Suspended => Status::Suspended,
            Effect::Restricted => Status::Restricted,
            Effect::EvidenceExpired => Status::EvidenceExpired,
            Effect::Concealed => Status::Concealed,
            Effect::HomeSuspended(_) => Status::Active,
        }
    }

    /// Stable code, and the requirement it rests on.
    #[must_use]
    pub const fn code(self) -> (&'static str, &'static str) {
        match self {
            Effect::NotYetMember => ("not_yet_member", "DPS-04"),
            Effect::Removed => ("removed", "DPS-06"),
            Effect::Withdrawn => ("withdrawn", "A6"),
            Effect::Ended => ("arrangement_ended", "C-08"),
            Effect::Dormant => ("provider_dormant", "A20"),
            Effect::Suspended => ("suspended", "DPS-19"),
            Effect::HomeSuspended(_) => ("home_suspended", "DPS-19"),
            Effect::Restricted => ("restricted", "WAL-13"),
            Effect::EvidenceExpired => ("evidence_expired", "PA36-1"),
            Effect::Concealed => ("concealed", "WAL-13"),
        }
    }
}

/// All that a member's standing at any instant depends on. Plain values, so that a whole lot is loaded with a few
/// set-based queries and each member borrows its slice.
#[derive(Clone, Copy, Debug)]
pub struct StandingFacts<'a> {
    /// Which membership.
    pub membership: MembershipId,
    /// When it began.
    pub admitted_at: Instant,
    /// The arrangement with the known end of its term, while it is in force: from then on nobody is a member.
    pub term: Option<(ArrangementId, Instant)>,
    /// As which authority of a joint arrangement meets the member; whatever binds any of them, where absent (DPS-27).
    pub seen_by: Option<&'a AuthorityCode>,
    /// In any order: the membership's own, every suspension that touches it, its sanctions and removals, and its
    /// provider's dormancy.
    pub impediments: &'a [Impediment],
}

/// What a member is, strongest first: where several apply at once, the first is the status (DPS-04, A6).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MemberStatus)]
pub enum Status {
    /// Asked about an instant before admission.
    NotYetMember,
    /// Removed by the authority: final.
    Removed,
    /// Left.
    Withdrawn,
    /// The arrangement ended.
    Ended,
    /// The provider is dormant.
    Dormant,
    /// Suspended by at least one suspension.
    Suspended,
    /// Restricted.
    Restricted,
    /// Mandatory evidence is out of date.
    EvidenceExpired,
    /// Hidden from portals, still a member that gets referrals.
    Concealed,
    /// A member in good standing.
    Active,
}

/// A member's standing at one instant.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// The strongest thing that applies.
    pub status: Status,
    /// Whether new referrals may be sent (DPS-04). Existing placements are never touched (Q2).
    pub may_receive_referrals: bool,
    /// Whether a portal's search shows the member; buyers see concealed members too.
    pub visible_to_portals: bool,
    /// Whether some homes may not be offered: see [`excluded_homes`].
    pub has_excluded_homes: bool,
}

/// Why a member's standing is what it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// Stable code, such as `suspended`.
    pub code: &'static str,
    /// Since when; absent for what was so from the start.
    pub since: Option<Instant>,
    /// Until when, as far as is known.
    pub until: Option<Instant>,
    /// The kind of thing it comes from.
    pub source_kind: Kind,
    /// That thing's identifier.
    pub source_id: uuid::Uuid,
    /// The one home it concerns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home: Option<HomeId>,
    /// The one authority that it binds; all of the arrangement, where absent (DPS-27).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binds_only: Option<AuthorityCode>,
    /// The authorities that lifted it for themselves.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lifted_for: Vec<AuthorityCode>,
    /// The requirement it rests on.
    pub rests_on: &'static str,
}

/// What is set against the member at `at` and binds whoever meets it: the only reader of the impediments.
fn imposed<'a>(facts: &StandingFacts<'a>, at: Instant) -> impl Iterator<Item = &'a Impediment> + use<'a> {
    let seen_by = facts.seen_by;
    let binds = move |one: &&Impediment| seen_by.is_none_or(|authority| one.binds.binds(authority));
    facts.impediments.iter().filter(move |one| one.covers(at)).filter(binds)
}

/// What bounds the membership at `at` by itself: its beginning, and the end of the term.
fn bounds(facts: &StandingFacts<'_>, at: Instant) -> [Option<Impediment>; 2] {
    let early = (at < facts.admitted_at).then(|| {
        let start = Instant::from_micros(i64::MIN);
        Impediment::new(Effect::NotYetMember, (Kind::Membership, facts.membership.0), start, Some(facts.admitted_at))
    });
    let over = facts.term.filter(|(_, end)| *end <= at);
    let late =
        over.map(|(arrangement, end)| Impediment::new(Effect::Ended, (Kind::Arrangement, arrangement.0), end, None));
    [early, late]
}

/// The effects that apply at `at`.
fn effects<'a>(facts: &StandingFacts<'a>, at: Instant) -> impl Iterator<Item = Effect> + use<'a> {
    let bounds = bounds(facts, at).map(|bound| bound.map(|bound| bound.effect));
    bounds.into_iter().flatten().chain(imposed(facts, at).map(|one| one.effect))
}

/// The standing at `at`, past, present or future, as far as the facts go. Allocates nothing.
///
/// Precedence is the order of [`Status`]. Referrals stop by everything down to expired evidence; concealment only
/// hides (A18). Who is not a member is not shown to portals either.
#[must_use]
pub fn standing(facts: &StandingFacts<'_>, at: Instant) -> Standing {
    let mut status = Status::Active;
    let (mut concealed, mut has_excluded_homes) = (false, false);
    for effect in effects(facts, at) {
        status = status.min(effect.status());
        concealed |= matches!(effect, Effect::Concealed);
        has_excluded_homes |= matches!(effect, Effect::HomeSuspended(_));
    }
    let (may_receive_referrals, is_member) = match status {
        Status::NotYetMember | Status::Removed | Status::Withdrawn | Status::Ended => (false, false),
        Status::Dormant | Status::Suspended | Status::Restricted | Status::EvidenceExpired => (false, true),
        Status::Concealed | Status::Active => (true, true),
    };
    Standing { status, may_receive_referrals, visible_to_portals: is_member && !concealed, has_excluded_homes }
}

/// The homes that may not be offered at `at` though the member may be; a home may come more than once.
pub fn excluded_homes<'a>(facts: &StandingFacts<'a>, at: Instant) -> impl Iterator<Item = HomeId> + use<'a> {
    effects(facts, at).filter_map(Effect::home)
}

/// Why the standing at `at` is what it is, strongest cause first; empty for a member in good standing.
#[must_use]
pub fn explain(facts: &StandingFacts<'_>, at: Instant) -> Vec<Cause> {
    let mut found: Vec<Impediment> =
        bounds(facts, at).into_iter().flatten().chain(imposed(facts, at).cloned()).collect();
    found.sort_by_key(|cause| {
        (cause.effect.status(), cause.from, cause.id, cause.until, cause.kind, cause.effect.home())
    });
    found.dedup();
    found
        .into_iter()
        .map(|cause| {
            let (code, rests_on) = cause.effect.code();
            Cause {
                code,
                since: (cause.effect != Effect::NotYetMember).then_some(cause.from),
                until: cause.until,
                source_kind: cause.kind,
                source_id: cause.id,
                home: cause.effect.home(),
                binds_only: cause.binds.only,
                lifted_for: cause.binds.except,
                rests_on,
            }
        })
        .collect()
}

//! What holds or narrows a member: said by each aggregate that does, kept by the store, read by the standing.

use strum::IntoStaticStr;
use uuid::Uuid;

use super::{ArrangementId, AuthorityCode, HomeId, Instant, Kind, LotId, MembershipId, Named, ProviderId};

/// What an impediment does to a member while it lasts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Effect {
    /// The membership has not begun.
    NotYetMember,
    /// A removal took effect.
    Removed,
    /// The provider left.
    Withdrawn,
    /// The arrangement ended.
    Ended,
    /// The provider is dormant (A20).
    Dormant,
    /// No new business for the member (DPS-19).
    Suspended,
    /// No new business for one home (DPS-19); the member's status stays.
    HomeSuspended(HomeId),
    /// No new placements (WAL-13).
    Restricted,
    /// A mandatory assurance is out of date (PA36-1).
    EvidenceExpired,
    /// Hidden from the search of portals (WAL-13).
    Concealed,
}

impl Effect {
    /// The one home that it concerns.
    #[must_use]
    pub const fn home(self) -> Option<HomeId> {
        if let Effect::HomeSuspended(home) = self { Some(home) } else { None }
    }

    /// The effect of that name and [`home`](Self::home).
    #[must_use]
    pub fn of(name: &str, home: Option<HomeId>) -> Option<Self> {
        let on_the_member = [
            Effect::NotYetMember,
            Effect::Removed,
            Effect::Withdrawn,
            Effect::Ended,
            Effect::Dormant,
            Effect::Suspended,
            Effect::Restricted,
            Effect::EvidenceExpired,
            Effect::Concealed,
        ];
        let effects = home.map_or(on_the_member.to_vec(), |home| vec![Effect::HomeSuspended(home)]);
        effects.into_iter().find(|effect| effect.name() == name)
    }
}

/// Which authorities of a joint arrangement an impediment binds; by default all (DPS-27).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Binds {
    /// This one alone.
    pub only: Option<AuthorityCode>,
    /// All but these, which lifted it for themselves.
    pub except: Vec<AuthorityCode>,
}

impl Binds {
    /// Whether it binds that authority.
    #[must_use]
    pub fn binds(&self, authority: &AuthorityCode) -> bool {
        self.only.as_ref().is_none_or(|only| only == authority) && !self.except.contains(authority)
    }
}

/// One effect over a half-open period `[from, until)`, and the thing it comes from. An
/// aggregate gives it, the store keeps it as a row, and a standing is read from it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Impediment {
    /// What it does.
    pub effect: Effect,
    /// The kind of thing it comes from.
    pub kind: Kind,
    /// That thing's identifier.
    pub id: Uuid,
    /// First instant.
    pub from: Instant,
    /// First instant after it; without end, where absent.
    pub until: Option<Instant>,
    /// Which authorities it binds.
    pub binds: Binds,
}

impl Impediment {
    /// From what it does, the thing it comes from and its period. It binds every authority.
    #[must_use]
    pub fn new(effect: Effect, source: (Kind, Uuid), from: Instant, until: Option<Instant>) -> Self {
        Self { effect, kind: source.0, id: source.1, from, until, binds: Binds::default() }
    }

    /// Whether the period includes `at`.
    #[must_use]
    pub fn covers(&self, at: Instant) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }
}

/// Whom an impediment hits: every membership that has all of these.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Whom {
    /// The provider.
    pub provider: ProviderId,
    /// Its memberships in this arrangement only.
    pub arrangement: Option<ArrangementId>,
    /// Those of this lot only.
    pub lot: Option<LotId>,
    /// This membership only.
    pub membership: Option<MembershipId>,
}

/// An impediment with whom it is imposed on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Imposed {
    /// Whom it hits.
    pub on: Whom,
    /// What it does, from when until when, and what it comes from: the aggregate that gives it, or what that rests on.
    pub impediment: Impediment,
}

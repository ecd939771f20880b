//! The first two steps of the ladder: concealment, then restriction; the third is a removal (WAL-13, A18).

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};
use utoipa::ToSchema;

use super::{Attribution, MEMBERSHIP_NOT_LIVE, counts_since};
use crate::admission::membership::Membership;
use crate::arrangement::ScopeAuthority;
use crate::kernel::{
    About, Actor, Aggregate, ArrangementId, AuthorityCode, DeadlineKind, Decision, Effect, Imposed, Instant, Kind,
    LotId, MembershipId, ProviderId, SanctionId, State, StatedDeadline, Violations, Whom,
};

crate::rules! {
    LADDER_STEP_MISSING = "ladder_step_missing", Conflict, "WAL-13",
        "A restriction follows a concealment unless the failing is serious, with a recorded reason.";
    SANCTION_IN_FORCE = "sanction_in_force", Conflict, "A18",
        "A provider is under at most one sanction of each kind in a lot at once.";
    REVIEW_IN_THE_PAST = "review_in_the_past", Input, "A18",
        "A sanction is reviewed after it was imposed.";
}

/// A step of the ladder, in its order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SanctionKind {
    /// Hidden from the search of portals; still gets referrals.
    Conceal,
    /// No new placements.
    Restrict,
}

/// The state of a sanction.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[strum(serialize_all = "snake_case")]
pub enum SanctionState {
    /// In force.
    Active,
    /// Ended.
    Lifted {
        /// When.
        at: Instant,
        /// Why.
        reason: String,
        /// Subject of who lifted it.
        by: String,
        /// It should not have been imposed: it does not count as a step of the ladder.
        annulled: bool,
    },
    /// Ended with its arrangement.
    Ended {
        /// When.
        at: Instant,
        /// Why.
        reason: String,
    },
}

impl State for SanctionState {
    fn knows(&self) -> &'static [&'static str] {
        match self {
            Self::Active => &["lift", "lift_for", "end"],
            Self::Lifted { .. } | Self::Ended { .. } => &[],
        }
    }
}

/// A concealment or restriction of a provider in one lot, whatever becomes of its membership (WAL-13).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sanction {
    /// Identifier.
    pub id: SanctionId,
    /// The arrangement.
    pub arrangement: ArrangementId,
    /// The lot.
    pub lot: LotId,
    /// The provider.
    pub provider: ProviderId,
    /// The membership against which it was imposed.
    pub membership: MembershipId,
    /// Which authority imposed it, and which it binds.
    #[serde(flatten)]
    pub attribution: Attribution,
    /// Which step.
    pub kind: SanctionKind,
    /// First instant.
    pub from: Instant,
    /// The grounds.
    pub grounds: String,
    /// Why a step was skipped, if one was.
    pub serious: Option<String>,
    /// References of documents.
    pub evidence: Vec<String>,
    /// When somebody looks at it again.
    pub review_on: Option<Instant>,
    /// Subject of who imposed it.
    pub imposed_by: String,
    /// State.
    #[serde(flatten)]
    pub state: SanctionState,
}

/// The command to impose a sanction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApplySanction {
    /// Which step.
    pub kind: SanctionKind,
    /// The grounds.
    pub reason: String,
    /// Why the failing is serious enough to skip a step.
    pub serious: Option<String>,
    /// References of documents.
    pub evidence: Vec<String>,
    /// When to look at it again.
    pub review_on: Option<Instant>,
}

/// What happened to a sanction.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, VariantNames)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum SanctionEvent {
    /// A concealment was imposed.
    Concealed {
        /// Of which membership.
        membership: MembershipId,
        /// The grounds.
        reason: String,
    },
    /// A restriction was imposed.
    Restricted {
        /// Of which membership.
        membership: MembershipId,
        /// The grounds.
        reason: String,
    },
    /// Lifted by another authority for itself (DPS-27).
    SanctionLiftedFor {
        /// Which.
        authority: AuthorityCode,
        /// Why.
        reason: String,
    },
    /// Ended with its arrangement.
    SanctionEnded {
        /// Why.
        reason: String,
    },
    /// It ended.
    SanctionLifted {
        /// Which step it was.
        kind: SanctionKind,
        /// Why.
        reason: String,
        /// Whether it should not have been imposed.
        annulled: bool,
    },
}

impl Aggregate for Sanction {
    type Id = SanctionId;
    type State = SanctionState;
    type Event = SanctionEvent;
    const KIND: Kind = Kind::Sanction;

    fn id(&self) -> SanctionId {
        self.id
    }

    fn state(&self) -> &SanctionState {
        &self.state
    }

    fn about(&self) -> About {
        About {
            arrangement: Some(self.arrangement),
            lot: Some(self.lot),
            provider: Some(self.provider),
            application: None,
        }
    }

    fn deadlines(&self) -> Vec<StatedDeadline> {
        let review = self.review_on.filter(|_| self.in_force());
        review.map(|on| StatedDeadline::at(DeadlineKind::SanctionReview, on)).into_iter().collect()
    }

    /// What its step does to the provider in the lot, whichever membership it holds meanwhile.
    fn impediments(&self) -> Vec<Imposed> {
        let effect = match self.kind {
            SanctionKind::Conceal => Effect::Concealed,
            SanctionKind::Restrict => Effect::Restricted,
        };
        let on = Whom {
            provider: self.provider,
            arrangement: Some(self.arrangement),
            lot: Some(self.lot),
            membership: None,
        };
        self.attribution.impose(on, effect, (Kind::Sanction, self.id.0), self.from, self.over_at())
    }
}

impl Sanction {
    /// Imposes a sanction on the provider of `membership` in its lot from now on; `sanctions` are those of the provider there,
    /// past ones included, and `since` is when an earlier removal settled what came before it.
    pub fn apply(
        id: SanctionId,
        order: ApplySanction,
        membership: &Membership,
        sanctions: &[Sanction],
        since: Option<Instant>,
        actor: &Actor,
        now: Instant,
    ) -> Decision<Self> {
        let ApplySanction { kind, reason, serious, evidence, review_on } = order;
        let mut broken = Violations::new();
        broken.require_reason(&reason, "/reason");
        if let Some(serious) = &serious {
            broken.require_reason(serious, "/serious");
        }
        let reviewable = review_on.is_none_or(|on| on > now);
        broken.require(reviewable, &REVIEW_IN_THE_PAST, "/reviewOn", "the review is not in the future");
        if !membership.is_live() {
            broken.add(MEMBERSHIP_NOT_LIVE.broken("the membership has ended"));
        }
        let mine = |s: &&Sanction| s.is_of(membership) && s.kind == kind && s.in_force();
        if let Some(other) = sanctions.iter().find(mine) {
            broken.add(SANCTION_IN_FORCE.broken_at("/kind", format!("sanction {} is in force", other.id)));
        }
        let in_order = match kind {
            SanctionKind::Conceal => true,
            SanctionKind::Restrict => sanctions.iter().any(|s| s.is_step(SanctionKind::Conceal, membership, since)),
        };
        if !in_order && serious.is_none() {
            broken.add(LADDER_STEP_MISSING.broken_at("/kind", "the member has not been concealed before"));
        }
        broken.refuse_any()?;
        let sanction = Self {
            id,
            arrangement: membership.arrangement,
            lot: membership.lot,
            provider: membership.provider,
            membership: membership.id,
            attribution: Attribution::of(actor, ScopeAuthority::All),
            kind,
            from: now,
            grounds: reason.clone(),
            serious,
            evidence,
            review_on,
            imposed_by: actor.subject.clone(),
            state: SanctionState::Active,
        };
        let membership = membership.id;
        let event = match kind {
            SanctionKind::Conceal => SanctionEvent::Concealed { membership, reason },
            SanctionKind::Restrict => SanctionEvent::Restricted { membership, reason },
        };
        Ok((sanction, vec![event]))
    }

    /// Ends it. `annulled`: it should not have been imposed.
    pub fn lift(mut self, reason: String, annulled: bool, actor: &Actor, now: Instant) -> Decision<Self> {
        self.permit("lift")?;
        let mut broken = Violations::new();
        broken.require_reason(&reason, "/reason");
        self.attribution.require_own(actor, &mut broken);
        broken.refuse_any()?;
        let event = SanctionEvent::SanctionLifted { kind: self.kind, reason: reason.clone(), annulled };
        self.state = SanctionState::Lifted { at: now, reason, by: actor.subject.clone(), annulled };
        Ok((self, vec![event]))
    }

    /// Lifts it for the actor's authority alone (DPS-27).
    pub fn lift_for(mut self, reason: String, actor: &Actor, now: Instant) -> Decision<Self> {
        self.permit("lift_for")?;
        let authority = self.attribution.lift_for(&reason, actor, now)?;
        Ok((self, vec![SanctionEvent::SanctionLiftedFor { authority, reason }]))
    }

    /// Ends it with its arrangement.
    pub fn end(mut self, reason: String, now: Instant) -> Decision<Self> {
        self.permit("end")?;
        let event = SanctionEvent::SanctionEnded { reason: reason.clone() };
        self.state = SanctionState::Ended { at: now, reason };
        Ok((self, vec![event]))
    }

    /// Whether it has not ended.
    #[must_use]
    pub fn in_force(&self) -> bool {
        match self.state {
            SanctionState::Active => true,
            SanctionState::Lifted { .. } | SanctionState::Ended { .. } => false,
        }
    }

    /// Whether it counts as step `kind` taken against the provider of `membership` in its lot: in force or past, but not
    /// annulled, nor over before an earlier removal took effect.
    #[must_use]
    pub fn is_step(&self, kind: SanctionKind, membership: &Membership, since: Option<Instant>) -> bool {
        let annulled = matches!(self.state, SanctionState::Lifted { annulled: true, .. });
        self.kind == kind && self.is_of(membership) && !annulled && counts_since(since, self.over_at())
    }

    /// When it ended, if it did.
    #[must_use]
    pub fn over_at(&self) -> Option<Instant> {
        match self.state {
            SanctionState::Active => None,
            SanctionState::Lifted { at, .. } | SanctionState::Ended { at, .. } => Some(at),
        }
    }

    /// Whether it is of the provider and lot of a membership.
    fn is_of(&self, membership: &Membership) -> bool {
        (self.provider, self.lot) == (membership.provider, membership.lot)
    }
}

#[cfg(test)]
mod tests;

//! The end of a membership by a decision, or by notice of either side (A8, PA37, PA58, NOT-06).

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};
use utoipa::ToSchema;

pub use super::ground::{Ground, GroundRule, Obligation};
use super::improvement_notice::ImprovementNotice;
use super::sanction::{Sanction, SanctionKind};
use super::suspension::Suspension;
use super::{ALREADY_OVER, EVIDENCE_REQUIRED, MEMBERSHIP_NOT_LIVE, NOT_DUE, Representation, TEXT_REQUIRED};
use crate::admission::membership::Membership;
use crate::arrangement::{FailurePath, Policies};
use crate::kernel::{
    About, Actor, Aggregate, ArrangementId, Decision, Due, Effect, Impediment, Imposed, Instant, Kind, LotId,
    MembershipId, ProviderId, RemovalId, State, Violations, Whom,
};

crate::rules! {
    FAILURE_PATH_NOT_FOLLOWED = "failure_path_not_followed", Conflict, "C-02",
        "A removal for failure follows the arrangement's failure path, unless the failure is gross, with a recorded reason.";
    NO_FAULT_NOT_AVAILABLE = "no_fault_not_available", Conflict, "C-09",
        "Notice without cause is given only where the arrangement allows it.";
    ONLY_AUTHORITY_REMOVES = "only_authority_removes", Forbidden, "A8",
        "A provider may give notice without cause, and on no other ground.";
    TERM_END_BY_CLOCK = "term_end_by_clock", Input, "C-08",
        "Memberships end with the term of their arrangement by themselves; nobody removes a member on this ground.";
    REMOVAL_PENDING = "removal_pending", Conflict, "A8",
        "A membership has at most one removal under way.";
    PROVIDER_NOT_HEARD = "provider_not_heard", Conflict, "PA58",
        "A removal is decided after the provider made representations, declared that it makes none, or let its time pass.";
    EFFECT_TOO_EARLY = "effect_too_early", Input, "PA37",
        "A removal takes effect after the provider is told, and not before its time for representations unless it made clear that it makes none.";
}

/// Who ends the membership.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// The authority.
    Authority,
    /// The provider.
    Provider,
}

/// A decision, as the provider is told it before it takes effect (PA37).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RemovalDecision {
    /// When it was made.
    pub at: Instant,
    /// Subject of who made it: somebody else decides an appeal.
    pub by: String,
    /// Why.
    pub reasons: String,
}

/// The state of a removal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[strum(serialize_all = "snake_case")]
pub enum RemovalState {
    /// The provider is told that removal is considered, and is heard.
    Notified,
    /// Decided; the member stays one until it takes effect.
    Decided {
        /// The decision.
        decision: RemovalDecision,
        /// When it takes effect.
        effective_at: Instant,
    },
    /// The membership is over.
    Effective {
        /// The decision.
        decision: RemovalDecision,
        /// Since when.
        at: Instant,
    },
    /// Not pursued, or taken back before effect.
    Revoked {
        /// When.
        at: Instant,
        /// Subject of who did.
        by: String,
        /// Why.
        reason: String,
    },
}

impl State for RemovalState {
    fn knows(&self) -> &'static [&'static str] {
        match self {
            Self::Notified => &["represent", "waive", "decide", "revoke"],
            Self::Decided { .. } => &["revoke", "tick"],
            Self::Effective { .. } | Self::Revoked { .. } => &[],
        }
    }
}

/// A removal (A8).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Removal {
    /// Identifier.
    pub id: RemovalId,
    /// The arrangement.
    pub arrangement: ArrangementId,
    /// The lot.
    pub lot: LotId,
    /// The provider.
    pub provider: ProviderId,
    /// The membership.
    pub membership: MembershipId,
    /// The ground.
    pub ground: Ground,
    /// Who ends it.
    pub given_by: Party,
    /// The grounds in words, as the provider is told them.
    pub grounds: String,
    /// Why the failure is gross, where the failure path was not followed (C-02).
    pub gross: Option<String>,
    /// References of documents.
    pub evidence: Vec<String>,
    /// When the provider was told.
    pub notified_at: Instant,
    /// Subject of who told it.
    pub notified_by: String,
    /// Until when it may make representations; with no hearing, the instant of the notice.
    pub representations_until: Instant,
    /// What it said.
    pub representations: Vec<Representation>,
    /// When it declared that it makes none (more).
    pub waived_at: Option<Instant>,
    /// State.
    #[serde(flatten)]
    pub state: RemovalState,
}

/// The command to begin a removal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NotifyRemoval {
    /// The ground.
    pub ground: Ground,
    /// The grounds in words.
    pub reason: String,
    /// Why the failure is gross or serious.
    pub gross: Option<String>,
    /// References of documents.
    pub evidence: Vec<String>,
}

/// What a removal depends on; the lists may hold those of other memberships too.
#[derive(Clone, Copy, Debug)]
pub struct RemovalFacts<'a> {
    /// The arrangement's.
    pub policies: &'a Policies,
    /// The membership.
    pub membership: &'a Membership,
    /// The provider's suspensions, past ones included.
    pub suspensions: &'a [Suspension],
    /// The membership's notices.
    pub notices: &'a [ImprovementNotice],
    /// The membership's sanctions, past ones included.
    pub sanctions: &'a [Sanction],
    /// Whether another removal of the membership is notified or decided.
    pub removal_pending: bool,
}

/// What happened to a removal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, VariantNames)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum RemovalEvent {
    /// The provider is told.
    RemovalNotified {
        /// Of which membership.
        membership: MembershipId,
        /// The ground.
        ground: Ground,
        /// Who ends it.
        given_by: Party,
        /// In words.
        reason: String,
        /// Until when the provider is heard.
        representations_until: Instant,
    },
    /// The provider was heard, or declared that it says nothing.
    RepresentationsMade {
        /// Whether it makes none (more).
        waived: bool,
    },
    /// Decided; the provider is told with the reasons (PA37).
    RemovalDecided {
        /// Why.
        reasons: String,
        /// When it takes effect.
        effective_at: Instant,
    },
    /// It took effect: the membership is to be removed.
    RemovalEffective {
        /// Of which membership.
        membership: MembershipId,
        /// The ground.
        ground: Ground,
        /// When, however late it was noticed.
        effective_at: Instant,
    },
    /// Not pursued.
    RemovalRevoked {
        /// Why.
        reason: String,
    },
}

impl Aggregate for Removal {
    type Id = RemovalId;
    type State = RemovalState;
    type Event = RemovalEvent;
    const KIND: Kind = Kind::Removal;
    const CLOCK: &'static [&'static str] = &["take_effect"];

    fn id(&self) -> RemovalId {
        self.id
    }

    fn state(&self) -> &RemovalState {
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

    fn due(&self) -> Option<Due> {
        match self.state {
            RemovalState::Decided { effective_at, .. } => Some(Due { at: effective_at, what: "take_effect" }),
            RemovalState::Notified | RemovalState::Effective { .. } | RemovalState::Revoked { .. } => None,
        }
    }

    /// The end of the membership, once that is decided.
    fn impediments(&self) -> Vec<Imposed> {
        let on = Whom {
            provider: self.provider,
            arrangement: Some(self.arrangement),
            lot: Some(self.lot),
            membership: Some(self.membership),
        };
        let source = (Kind::Removal, self.id.0);
        let removed = self.effective_at().map(|at| Impediment::new(Effect::Removed, source, at, None));
        removed.into_iter().map(|impediment| Imposed { on, impediment }).collect()
    }
}

impl RemovalFacts<'_> {
    /// Why the failure path forbids a removal now, if it does.
    fn path_refusal(&self, now: Instant) -> Option<&'static str> {
        let membership = self.membership;
        let (followed, missing) = match self.policies.failure_path {
            FailurePath::Direct => (true, ""),
            FailurePath::SuspendFirst => (
                self.suspensions.iter().any(|s| s.precedes_removal(membership, now)),
                "the member has not been suspended before",
            ),
            FailurePath::NoticeFirst => (
                self.notices.iter().any(|n| n.membership == membership.id && n.unrectified(now)),
                "no improvement notice has run out unrectified",
            ),
            FailurePath::Ladder => (
                self.sanctions.iter().any(|s| s.is_step(SanctionKind::Restrict, membership.id)),
                "the member has not been restricted before",
            ),
        };
        (!followed).then_some(missing)
    }
}

impl Removal {
    /// Tells the provider that removal is considered; without a hearing (no fault) it is decided at once.
    pub fn notify(
        id: RemovalId,
        order: NotifyRemoval,
        facts: RemovalFacts<'_>,
        actor: &Actor,
        now: Instant,
    ) -> Decision<Self> {
        let NotifyRemoval { ground, reason, gross, evidence } = order;
        let (rule, membership) = (ground.rule(), facts.membership);
        let given_by = if actor.provider.is_some() { Party::Provider } else { Party::Authority };
        let mut broken = Violations::new();
        // Who gives notice without cause owes no reason (NOT-06).
        if ground != Ground::NoFault {
            broken.require_reason(&reason, "/reason");
            if given_by == Party::Provider {
                broken.add(ONLY_AUTHORITY_REMOVES.broken_at("/ground", "the authority alone removes on this ground"));
            }
        }
        if let Some(gross) = &gross {
            broken.require_reason(gross, "/gross");
        }
        let proven = !rule.needs_evidence || evidence.iter().any(|e| !e.trim().is_empty());
        broken.require(proven, &EVIDENCE_REQUIRED, "/evidence", "at least one document is required");
        if !membership.is_live() {
            broken.add(MEMBERSHIP_NOT_LIVE.broken("the membership has ended"));
        }
        if facts.removal_pending {
            broken.add(REMOVAL_PENDING.broken("another removal of this membership is under way"));
        }
        let on_path = rule.follows_failure_path && gross.is_none();
        if let Some(missing) = facts.path_refusal(now).filter(|_| on_path) {
            broken.add(FAILURE_PATH_NOT_FOLLOWED.broken_at("/ground", missing));
        }
        // It needs neither evidence nor a hearing, so that it would remove anyone at once.
        let by_decision = ground != Ground::TermEnd;
        broken.require(by_decision, &TERM_END_BY_CLOCK, "/ground", "the membership ends with the term by itself");
        let notice_months = facts.policies.no_fault_notice_months;
        if ground == Ground::NoFault && notice_months.is_none() {
            broken.add(NO_FAULT_NOT_AVAILABLE.broken_at("/ground", "the arrangement knows no notice without cause"));
        }
        broken.refuse_any()?;
        let hearing = if rule.provider_heard { facts.policies.removal_notice_days } else { 0 };
        let removal = Self {
            id,
            arrangement: membership.arrangement,
            lot: membership.lot,
            provider: membership.provider,
            membership: membership.id,
            ground,
            given_by,
            grounds: reason.clone(),
            gross,
            evidence,
            notified_at: now,
            notified_by: actor.subject.clone(),
            representations_until: now.plus_days(hearing),
            representations: Vec::new(),
            waived_at: None,
            state: RemovalState::Notified,
        };
        let mut events = vec![RemovalEvent::RemovalNotified {
            membership: membership.id,
            ground,
            given_by,
            reason: reason.clone(),
            representations_until: removal.representations_until,
        }];
        if rule.provider_heard {
            return Ok((removal, events));
        }
        let effective_at = match notice_months {
            Some(months) if ground == Ground::NoFault => now.plus_months(months),
            Some(_) | None => now,
        };
        let (removal, more) = removal.settle(effective_at, reason, actor, now);
        events.extend(more);
        Ok((removal, events))
    }

    /// Records what the provider says; heard until the decision, even where its time has passed.
    pub fn represent(mut self, text: String, actor: &Actor, now: Instant) -> Decision<Self> {
        self.permit("represent")?;
        let mut broken = Violations::new();
        broken.require(!text.trim().is_empty(), &TEXT_REQUIRED, "/text", "a text or a document is required");
        broken.refuse_any()?;
        self.representations.push(Representation::new(text, actor, now));
        let event = RemovalEvent::RepresentationsMade { waived: false };
        Ok((self, vec![event]))
    }

    /// The provider declares that it makes no (more) representations.
    pub fn waive(mut self, now: Instant) -> Decision<Self> {
        self.permit("waive")?;
        self.waived_at = Some(self.waived_at.unwrap_or(now));
        let event = RemovalEvent::RepresentationsMade { waived: true };
        Ok((self, vec![event]))
    }

    /// Decides to remove, after the provider was heard. Takes effect at `effective_at`, by default at the end of the
    /// time for representations, or at once where that has passed or the provider makes none.
    pub fn decide(self, effective_at: Option<Instant>, reasons: String, actor: &Actor, now: Instant) -> Decision<Self> {
        self.permit("decide")?;
        let earliest = if self.waived_at.is_some() { now } else { now.max(self.representations_until) };
        let effective_at = effective_at.unwrap_or(earliest);
        let mut broken = Violations::new();
        broken.require_reason(&reasons, "/reasons");
        let detail = format!("it takes effect at {earliest} at the earliest");
        broken.require(effective_at >= earliest, &EFFECT_TOO_EARLY, "/effectiveAt", detail);
        if earliest > now && self.representations.is_empty() {
            let detail = format!("the provider is heard until {}", self.representations_until);
            broken.add(PROVIDER_NOT_HEARD.broken(detail));
        }
        broken.refuse_any()?;
        Ok(self.settle(effective_at, reasons, actor, now))
    }

    /// Does not pursue it, or takes it back before it takes effect.
    pub fn revoke(mut self, reason: String, actor: &Actor, now: Instant) -> Decision<Self> {
        self.permit("revoke")?;
        let mut broken = Violations::new();
        broken.require_reason(&reason, "/reason");
        if let Some(at) = self.effective_at().filter(|at| *at <= now) {
            broken.add(ALREADY_OVER.broken(format!("the removal took effect at {at}")));
        }
        broken.refuse_any()?;
        let event = RemovalEvent::RemovalRevoked { reason: reason.clone() };
        self.state = RemovalState::Revoked { at: now, by: actor.subject.clone(), reason };
        Ok((self, vec![event]))
    }

    /// Takes effect, at the decided instant even where the clock-driven work is late.
    pub fn tick(mut self, now: Instant) -> Decision<Self> {
        self.permit("tick")?;
        match self.state.clone() {
            RemovalState::Decided { decision, effective_at } if effective_at <= now => {
                let event = self.take_effect(decision, effective_at);
                Ok((self, vec![event]))
            }
            RemovalState::Decided { .. }
            | RemovalState::Notified
            | RemovalState::Effective { .. }
            | RemovalState::Revoked { .. } => Err(NOT_DUE.broken("the removal takes effect later").into()),
        }
    }

    /// From when the membership is over, once that is decided: late clock-driven work makes no difference.
    #[must_use]
    pub fn effective_at(&self) -> Option<Instant> {
        match self.state {
            RemovalState::Decided { effective_at: at, .. } | RemovalState::Effective { at, .. } => Some(at),
            RemovalState::Notified | RemovalState::Revoked { .. } => None,
        }
    }

    /// Whether it is under way: notified or decided, and neither in effect nor revoked.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        matches!(self.state, RemovalState::Notified | RemovalState::Decided { .. })
    }

    fn settle(
        mut self,
        effective_at: Instant,
        reasons: String,
        actor: &Actor,
        now: Instant,
    ) -> (Self, Vec<RemovalEvent>) {
        let mut events = vec![RemovalEvent::RemovalDecided { reasons: reasons.clone(), effective_at }];
        let decision = RemovalDecision { at: now, by: actor.subject.clone(), reasons };
        if effective_at <= now {
            events.push(self.take_effect(decision, effective_at));
        } else {
            self.state = RemovalState::Decided { decision, effective_at };
        }
        (self, events)
    }

    fn take_effect(&mut self, decision: RemovalDecision, at: Instant) -> RemovalEvent {
        self.state = RemovalState::Effective { decision, at };
        RemovalEvent::RemovalEffective { membership: self.membership, ground: self.ground, effective_at: at }
    }
}

#[cfg(test)]
mod tests;

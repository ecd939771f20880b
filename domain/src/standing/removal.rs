//! The end of a membership by a decision, or by notice of either side (A8, PA37, PA58, NOT-06).

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};
use utoipa::ToSchema;

mod event;
mod path;

pub use event::RemovalEvent;
pub use path::RemovalFacts;

pub use super::ground::{Ground, GroundRule, Obligation};
use super::{ALREADY_OVER, EVIDENCE_REQUIRED, MEMBERSHIP_NOT_LIVE, NOT_DUE, Representation, TEXT_REQUIRED};
use crate::arrangement::Policies;
use crate::kernel::{
    Actor, Aggregate, ArrangementId, AuthorityCode, Decision, Instant, LotId, MembershipId, ProviderId, RemovalId,
    State, Violations,
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
        "A provider has at most one removal under way in a lot.";
    PROVIDER_NOT_HEARD = "provider_not_heard", Conflict, "PA58",
        "A removal is decided after the provider made representations, declared that it makes none, or let its time pass.";
    SECOND_DECIDER = "second_decider", Forbidden, "ADD-24",
        "A proposed removal is confirmed by another person than the one who proposed it.";
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
    /// The second person, where the policy asks for one (ADD-24).
    pub confirmed_by: Option<String>,
    /// Why.
    pub reasons: String,
}

impl RemovalDecision {
    fn of(reasons: String, actor: &Actor, now: Instant) -> Self {
        Self { at: now, by: actor.subject.clone(), confirmed_by: None, reasons }
    }
}

/// The state of a removal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[strum(serialize_all = "snake_case")]
pub enum RemovalState {
    /// The provider is told that removal is considered, and is heard.
    Notified,
    /// Decided by one person; another confirms or returns it, and the provider is heard meanwhile (ADD-24).
    Proposed {
        /// The decision.
        decision: RemovalDecision,
        /// When it is to take effect, where the decision says so: not before it is confirmed.
        asked_at: Option<Instant>,
    },
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
    /// Found wrong after it took effect, as by an appeal: the membership was over then, and its ground counts for nothing.
    Annulled {
        /// The decision.
        decision: RemovalDecision,
        /// Since when the membership was over.
        at: Instant,
        /// When it was annulled.
        annulled_at: Instant,
        /// Subject of who annulled it.
        by: String,
        /// Why.
        reason: String,
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
            Self::Notified => &["represent", "waive", "decide", "revoke", "follow"],
            Self::Proposed { .. } => &["represent", "waive", "confirm", "return", "revoke", "follow"],
            Self::Decided { .. } => &["revoke", "follow", "tick"],
            Self::Effective { .. } => &["annul"],
            Self::Annulled { .. } | Self::Revoked { .. } => &[],
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
    /// The membership: the last one of the provider in the lot while the removal is under way.
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
    /// The authority that began it (DPS-27).
    pub authority: Option<AuthorityCode>,
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
        if facts.removals.iter().any(Removal::is_pending) {
            broken.add(REMOVAL_PENDING.broken("another removal from this lot is under way"));
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
            authority: actor.authority.clone(),
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
        let decision = RemovalDecision::of(reason, actor, now);
        let by_two = facts.policies.removal_by_two && given_by == Party::Authority;
        let (removal, more) = if by_two {
            removal.propose(None, decision)
        } else {
            let effective_at = removal.earliest(facts.policies, now);
            removal.settle(effective_at, decision, now)
        };
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
    /// time for representations, or at once where that has passed or the provider makes none; proposed, where the policy
    /// asks for a second person (ADD-24).
    pub fn decide(
        self,
        effective_at: Option<Instant>,
        reasons: String,
        policies: &Policies,
        actor: &Actor,
        now: Instant,
    ) -> Decision<Self> {
        self.permit("decide")?;
        let earliest = self.earliest(policies, now);
        let (asked_at, effective_at) = (effective_at, effective_at.unwrap_or(earliest));
        let mut broken = Violations::new();
        broken.require_reason(&reasons, "/reasons");
        let detail = format!("it takes effect at {earliest} at the earliest");
        broken.require(effective_at >= earliest, &EFFECT_TOO_EARLY, "/effectiveAt", detail);
        if earliest > now && self.representations.is_empty() {
            let detail = format!("the provider is heard until {}", self.representations_until);
            broken.add(PROVIDER_NOT_HEARD.broken(detail));
        }
        broken.refuse_any()?;
        let decision = RemovalDecision::of(reasons, actor, now);
        let by_two = policies.removal_by_two;
        Ok(if by_two { self.propose(asked_at, decision) } else { self.settle(effective_at, decision, now) })
    }

    /// Confirms a proposed decision, as another person. It takes effect as it was asked, and no earlier than a decision
    /// made now could.
    pub fn confirm(self, policies: &Policies, actor: &Actor, now: Instant) -> Decision<Self> {
        self.permit("confirm")?;
        let RemovalState::Proposed { decision, asked_at } = self.state.clone() else {
            return Err(self.refused("confirm"));
        };
        if decision.by == actor.subject {
            return Err(SECOND_DECIDER.broken("you proposed it").into());
        }
        let earliest = self.earliest(policies, now);
        let decision = RemovalDecision { confirmed_by: Some(actor.subject.clone()), ..decision };
        Ok(self.settle(asked_at.unwrap_or(earliest).max(earliest), decision, now))
    }

    /// Returns a proposed decision: it is decided again, or the removal is revoked.
    pub fn send_back(mut self, reason: String) -> Decision<Self> {
        self.permit("return")?;
        let mut broken = Violations::new();
        broken.require_reason(&reason, "/reason");
        broken.refuse_any()?;
        self.state = RemovalState::Notified;
        Ok((self, vec![RemovalEvent::RemovalReturned { reason }]))
    }

    /// Goes on against the membership that the provider holds in the lot since.
    pub fn follow(mut self, membership: MembershipId) -> Decision<Self> {
        self.permit("follow")?;
        self.membership = membership;
        Ok((self, vec![RemovalEvent::RemovalFollowed { membership }]))
    }

    /// Sets it aside though it took effect: it should not have been decided.
    pub fn annul(mut self, reason: String, actor: &Actor, now: Instant) -> Decision<Self> {
        let RemovalState::Effective { decision, at } = self.state.clone() else { return Err(self.refused("annul")) };
        let mut broken = Violations::new();
        broken.require_reason(&reason, "/reason");
        broken.refuse_any()?;
        let event = RemovalEvent::RemovalAnnulled { reason: reason.clone() };
        let by = actor.subject.clone();
        self.state = RemovalState::Annulled { decision, at, annulled_at: now, by, reason };
        Ok((self, vec![event]))
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
            | RemovalState::Proposed { .. }
            | RemovalState::Effective { .. }
            | RemovalState::Annulled { .. }
            | RemovalState::Revoked { .. } => Err(NOT_DUE.broken("the removal takes effect later").into()),
        }
    }

    /// From when the membership is over, once that is decided: late clock-driven work makes no difference.
    #[must_use]
    pub fn effective_at(&self) -> Option<Instant> {
        match self.state {
            RemovalState::Decided { effective_at: at, .. }
            | RemovalState::Effective { at, .. }
            | RemovalState::Annulled { at, .. } => Some(at),
            RemovalState::Notified | RemovalState::Proposed { .. } | RemovalState::Revoked { .. } => None,
        }
    }

    /// Whether it is under way: notified or decided, and neither in effect nor revoked.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        matches!(self.state, RemovalState::Notified | RemovalState::Proposed { .. } | RemovalState::Decided { .. })
    }

    /// When the last of `removals` took effect that was not annulled.
    #[must_use]
    pub fn last_effect(removals: &[Removal]) -> Option<Instant> {
        let effect = |removal: &Removal| match removal.state {
            RemovalState::Effective { at, .. } => Some(at),
            _ => None,
        };
        removals.iter().filter_map(effect).max()
    }

    /// Since when its ground is to be answered by whoever applies again: it took effect, for a cause, and was not annulled.
    #[must_use]
    pub fn ground_stands_since(&self) -> Option<Instant> {
        let for_cause = !matches!(self.ground, Ground::NoFault | Ground::TermEnd);
        Self::last_effect(std::slice::from_ref(self)).filter(|_| for_cause)
    }

    /// The earliest instant at which a decision made now takes effect.
    fn earliest(&self, policies: &Policies, now: Instant) -> Instant {
        match policies.no_fault_notice_months {
            Some(months) if self.ground == Ground::NoFault => now.plus_months(months),
            Some(_) | None if self.waived_at.is_some() => now,
            Some(_) | None => now.max(self.representations_until),
        }
    }

    fn propose(mut self, asked_at: Option<Instant>, decision: RemovalDecision) -> (Self, Vec<RemovalEvent>) {
        let event = RemovalEvent::RemovalProposed { reasons: decision.reasons.clone() };
        self.state = RemovalState::Proposed { decision, asked_at };
        (self, vec![event])
    }

    fn settle(mut self, effective_at: Instant, decision: RemovalDecision, now: Instant) -> (Self, Vec<RemovalEvent>) {
        let mut events = vec![RemovalEvent::RemovalDecided { reasons: decision.reasons.clone(), effective_at }];
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

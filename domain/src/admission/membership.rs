//! Provider × lot after admission (A6). Whether the member is suspended, restricted or concealed is not stored here:
//! it is computed by [`crate::standing::standing()`].

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};
use utoipa::ToSchema;

use super::declaration_of_interests::{self, DeclarationOfInterests};
use crate::arrangement::requirement::RequirementRef;
use crate::kernel::rule::EVIDENCE_REQUIRED;
use crate::kernel::{
    About, Actor, Aggregate, ApplicationId, ArrangementId, DeadlineKind, Decision, Due, DueBy, Effect, Impediment,
    Imposed, Instant, Kind, LotId, MembershipId, ProviderId, RemovalId, State, StatedDeadline, Violations, Whom,
};
use crate::standing::NOT_DUE;

crate::rules! {
    MEMBERSHIP_EXISTS = "membership_exists", Conflict, "A6",
        "A provider holds at most one live membership of a lot.";
    ASSURANCE_UNKNOWN = "assurance_unknown", Input, "A6",
        "Only evidence that the membership rests on can be renewed.";
    EVIDENCE_EXPIRED = "evidence_already_expired", Input, "A5",
        "Renewed evidence is still valid when it is given.";
    VALIDITY_REQUIRED = "validity_required", Input, "A5",
        "Evidence that had an end is renewed until an instant that is named.";
}

/// A time in which a mandatory assurance was not valid, closed by its renewal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Lapse {
    /// When it had expired.
    pub from: Instant,
    /// When it was renewed.
    pub until: Instant,
}

/// A passed check that the membership goes on resting on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Assurance {
    /// What was required.
    pub requirement: RequirementRef,
    /// The requirement's code.
    pub code: String,
    /// Whether the member must have it at all times; without it, it gets no referrals.
    pub mandatory: bool,
    /// When it expires; never, where absent.
    pub valid_until: Option<Instant>,
    /// When it was last renewed.
    pub renewed_at: Option<Instant>,
    /// References of the documents that it was last renewed with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub renewed_with: Vec<String>,
    /// Whether its expiry has been announced.
    pub expired: bool,
    /// The gaps before it was renewed, oldest first: standing in the past stays answerable.
    pub lapses: Vec<Lapse>,
}

impl Assurance {
    /// From a passed check.
    #[must_use]
    pub fn new(requirement: RequirementRef, code: String, mandatory: bool, valid_until: Option<Instant>) -> Self {
        let (renewed_with, lapses) = (Vec::new(), Vec::new());
        Self { requirement, code, mandatory, valid_until, renewed_at: None, renewed_with, expired: false, lapses }
    }

    fn unannounced(&self) -> Option<Instant> {
        self.valid_until.filter(|_| !self.expired)
    }
}

/// The state of a membership.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[strum(serialize_all = "snake_case")]
pub enum MembershipState {
    /// A member.
    Active,
    /// The provider left.
    Withdrawn {
        /// When.
        at: Instant,
        /// Why, where it says so.
        reason: Option<String>,
    },
    /// The authority ended it; re-admission is a new membership.
    Removed {
        /// By which removal.
        removal: RemovalId,
        /// When it took effect.
        at: Instant,
    },
    /// The arrangement ended.
    Ended {
        /// When.
        at: Instant,
    },
}

impl State for MembershipState {
    fn knows(&self) -> &'static [&'static str] {
        match self {
            Self::Active => &["renew_assurance", "tick", "withdraw", "remove", "end"],
            Self::Withdrawn { .. } | Self::Removed { .. } | Self::Ended { .. } => &[],
        }
    }
}

/// A membership (A6). Admission guarantees no award (DPS-05).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Membership {
    /// Identifier.
    pub id: MembershipId,
    /// The arrangement.
    pub arrangement: ArrangementId,
    /// The lot.
    pub lot: LotId,
    /// The member.
    pub provider: ProviderId,
    /// The application whose line was admitted.
    pub application: ApplicationId,
    /// Since when.
    pub admitted_at: Instant,
    /// What it rests on.
    pub assurances: Vec<Assurance>,
    /// State.
    #[serde(flatten)]
    pub state: MembershipState,
}

/// The line that a membership is created from: the application decides that it is admitted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AdmittedLine {
    /// The arrangement.
    pub arrangement: ArrangementId,
    /// The lot of the line.
    pub lot: LotId,
    /// The applicant.
    pub provider: ProviderId,
    /// The application.
    pub application: ApplicationId,
    /// From its passed checks.
    pub assurances: Vec<Assurance>,
}

/// What happened to a membership.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, VariantNames)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum MembershipEvent {
    /// Admitted.
    MembershipCreated {
        /// From which application.
        application: ApplicationId,
        /// Always false (DPS-05).
        award_guaranteed: bool,
    },
    /// An assurance ran out.
    EvidenceExpired {
        /// Which requirement.
        requirement: RequirementRef,
        /// Its code.
        code: String,
        /// Whether referrals stop.
        mandatory: bool,
        /// When, however late it was noticed.
        effective_at: Instant,
    },
    /// An assurance was renewed.
    EvidenceRenewed {
        /// Which requirement.
        requirement: RequirementRef,
        /// Its code.
        code: String,
        /// Until when; without end, where absent.
        valid_until: Option<Instant>,
        /// References of the documents that show it.
        evidence: Vec<String>,
    },
    /// The provider left.
    MembershipWithdrawn {
        /// Why.
        reason: Option<String>,
    },
    /// A removal took effect.
    MembershipRemoved {
        /// By which removal.
        removal: RemovalId,
        /// When, however late it was noticed.
        effective_at: Instant,
    },
    /// The arrangement ended.
    MembershipEnded {
        /// When, however late it was noticed.
        effective_at: Instant,
    },
}

impl Aggregate for Membership {
    type Id = MembershipId;
    type State = MembershipState;
    type Event = MembershipEvent;
    const KIND: Kind = Kind::Membership;
    const CLOCK: &'static [&'static str] = &["expire_evidence"];

    fn id(&self) -> MembershipId {
        self.id
    }

    fn state(&self) -> &MembershipState {
        &self.state
    }

    fn about(&self) -> About {
        About {
            arrangement: Some(self.arrangement),
            lot: Some(self.lot),
            provider: Some(self.provider),
            application: Some(self.application),
        }
    }

    fn due(&self) -> Option<Due> {
        self.permit("tick").ok()?;
        let at = self.assurances.iter().filter_map(Assurance::unannounced).min()?;
        Some(Due { at, what: "expire_evidence" })
    }

    fn deadlines(&self) -> Vec<StatedDeadline> {
        let live = self.assurances.iter().filter(|_| self.is_live());
        let expiry = |a: &Assurance| {
            let due = DueBy::At(a.valid_until?);
            Some(StatedDeadline { what: DeadlineKind::Evidence, item: Some(a.code.clone()), due })
        };
        live.filter_map(expiry).collect()
    }

    /// Its end, and mandatory evidence out of date.
    fn impediments(&self) -> Vec<Imposed> {
        let on = Whom {
            provider: self.provider,
            arrangement: Some(self.arrangement),
            lot: Some(self.lot),
            membership: Some(self.id),
        };
        let own = (Kind::Membership, self.id.0);
        let end = match self.state {
            MembershipState::Active => None,
            MembershipState::Withdrawn { at, .. } => Some(Impediment::new(Effect::Withdrawn, own, at, None)),
            // The same value as the removal gives, so that an explanation names it once.
            MembershipState::Removed { removal, at } => {
                Some(Impediment::new(Effect::Removed, (Kind::Removal, removal.0), at, None))
            }
            MembershipState::Ended { at } => Some(Impediment::new(Effect::Ended, own, at, None)),
        };
        let expired = self.assurances.iter().filter(|a| a.mandatory).flat_map(|a| {
            let past = a.lapses.iter().map(|lapse| (lapse.from, Some(lapse.until)));
            let last = a.valid_until.map(|until| (until, None));
            let source = (Kind::Requirement, a.requirement.requirement.0);
            past.chain(last).map(move |(from, until)| Impediment::new(Effect::EvidenceExpired, source, from, until))
        });
        end.into_iter().chain(expired).map(|impediment| Imposed { on, impediment }).collect()
    }
}

impl Membership {
    /// Admission guarantees no award (DPS-05): what every view and letter says.
    pub const AWARD_GUARANTEED: bool = false;

    /// Makes the provider a member from an admitted line. Members are never counted or capped (DPS-02).
    /// `already_member`: whether the provider has a live membership of the lot.
    pub fn admit(id: MembershipId, line: AdmittedLine, already_member: bool, now: Instant) -> Decision<Self> {
        if already_member {
            return Err(MEMBERSHIP_EXISTS.broken("the provider is a member of this lot already").into());
        }
        let AdmittedLine { arrangement, lot, provider, application, assurances } = line;
        let state = MembershipState::Active;
        let created = MembershipEvent::MembershipCreated { application, award_guaranteed: Self::AWARD_GUARANTEED };
        Ok((Self { id, arrangement, lot, provider, application, admitted_at: now, assurances, state }, vec![created]))
    }

    /// Renews the evidence for one requirement until `valid_until` (`None`: without end, as it was before); the event
    /// keeps the references of the documents. The same evidence again changes nothing. Accepting it is an assessment: `declared` is
    /// the actor's declaration of interests (BEY-08).
    pub fn renew_assurance(
        mut self,
        requirement: RequirementRef,
        valid_until: Option<Instant>,
        evidence: &[String],
        declared: Option<&DeclarationOfInterests>,
        actor: &Actor,
        now: Instant,
    ) -> Decision<Self> {
        self.permit("renew_assurance")?;
        let mut broken = Violations::new();
        if let Err(violation) = declaration_of_interests::permits(declared, self.arrangement, self.provider, actor) {
            broken.add(violation);
        }
        let held = self.assurances.iter().find(|a| a.requirement == requirement);
        let known = held.is_some();
        let shown = evidence.iter().any(|reference| !reference.trim().is_empty());
        broken.require(shown, &EVIDENCE_REQUIRED, "/evidence", "at least one document is required");
        let ends = held.is_some_and(|a| a.valid_until.is_some());
        broken.require(!ends || valid_until.is_some(), &VALIDITY_REQUIRED, "/validUntil", "say until when it is valid");
        broken.require(known, &ASSURANCE_UNKNOWN, "/requirement", "the membership does not rest on this requirement");
        let in_date = valid_until.is_none_or(|until| until > now);
        broken.require(in_date, &EVIDENCE_EXPIRED, "/validUntil", "the evidence has expired already");
        broken.refuse_any()?;
        // A late sweep must not lose the expiry: it is announced before the renewal.
        let mut events = self.expire(now);
        for assurance in self.assurances.iter_mut().filter(|a| a.requirement == requirement) {
            let is_known =
                !assurance.expired && assurance.valid_until == valid_until && assurance.renewed_with == evidence;
            if is_known {
                continue;
            }
            if let Some(from) = assurance.valid_until.filter(|until| *until <= now) {
                assurance.lapses.push(Lapse { from, until: now });
            }
            assurance.valid_until = valid_until;
            assurance.renewed_at = Some(now);
            assurance.renewed_with = evidence.to_vec();
            assurance.expired = false;
            events.push(MembershipEvent::EvidenceRenewed {
                requirement,
                code: assurance.code.clone(),
                valid_until,
                evidence: evidence.to_vec(),
            });
        }
        Ok((self, events))
    }

    /// Announces every assurance that has expired, once each.
    pub fn tick(mut self, now: Instant) -> Decision<Self> {
        self.permit("tick")?;
        let events = self.expire(now);
        if events.is_empty() {
            return Err(NOT_DUE.broken("no evidence has expired since the last time").into());
        }
        Ok((self, events))
    }

    /// The provider leaves the lot; it owes no reason.
    pub fn withdraw(mut self, reason: Option<String>, now: Instant) -> Decision<Self> {
        self.permit("withdraw")?;
        let event = MembershipEvent::MembershipWithdrawn { reason: reason.clone() };
        self.state = MembershipState::Withdrawn { at: now, reason };
        Ok((self, vec![event]))
    }

    /// `removal` took effect at `at`.
    pub fn remove(mut self, removal: RemovalId, at: Instant) -> Decision<Self> {
        self.permit("remove")?;
        let event = MembershipEvent::MembershipRemoved { removal, effective_at: at };
        self.state = MembershipState::Removed { removal, at };
        Ok((self, vec![event]))
    }

    /// The arrangement's term ended, or it was terminated, at `at`.
    pub fn end(mut self, at: Instant) -> Decision<Self> {
        self.permit("end")?;
        let event = MembershipEvent::MembershipEnded { effective_at: at };
        self.state = MembershipState::Ended { at };
        Ok((self, vec![event]))
    }

    /// Whether it existed at `at`, in whatever standing.
    #[must_use]
    pub fn is_member_at(&self, at: Instant) -> bool {
        self.admitted_at <= at && self.ended_at().is_none_or(|ended| at < ended)
    }

    /// When it ended, if it did.
    #[must_use]
    pub fn ended_at(&self) -> Option<Instant> {
        match self.state {
            MembershipState::Active => None,
            MembershipState::Withdrawn { at, .. }
            | MembershipState::Removed { at, .. }
            | MembershipState::Ended { at } => Some(at),
        }
    }

    /// Whether it has not ended.
    #[must_use]
    pub fn is_live(&self) -> bool {
        matches!(self.state, MembershipState::Active)
    }

    fn expire(&mut self, now: Instant) -> Vec<MembershipEvent> {
        let mut events = Vec::new();
        for assurance in &mut self.assurances {
            if let Some(at) = assurance.unannounced().filter(|at| *at <= now) {
                assurance.expired = true;
                events.push(MembershipEvent::EvidenceExpired {
                    requirement: assurance.requirement,
                    code: assurance.code.clone(),
                    mandatory: assurance.mandatory,
                    effective_at: at,
                });
            }
        }
        events
    }
}

#[cfg(test)]
mod tests;

//! A formal improvement notice: a warning with time to rectify, after a discussion (TIR-18).

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};
use utoipa::ToSchema;

use super::{MEMBERSHIP_NOT_LIVE, NOT_DUE, Representation, TEXT_REQUIRED, counts_since};
use crate::admission::membership::Membership;
use crate::kernel::{
    About, Actor, Aggregate, ArrangementId, AuthorityCode, DeadlineKind, Decision, Due, ImprovementNoticeId, Instant,
    Kind, LotId, MembershipId, ProviderId, State, StatedDeadline, Violations,
};

crate::rules! {
    DISCUSSION_FIRST = "discussion_first", Input, "TIR-18",
        "An improvement notice is issued after a discussion with the provider.";
    RECTIFY_BY_TOO_EARLY = "rectify_by_too_early", Input, "TIR-18",
        "The time to rectify ends in the future, and an extension makes it end later.";
    EXTENSION_NOT_AGREED = "extension_not_agreed", Input, "TIR-18",
        "The time to rectify is extended by agreement with the provider.";
    TIME_TO_RECTIFY_RUNNING = "time_to_rectify_running", Conflict, "TIR-18",
        "A notice is judged not met only after the time to rectify has passed.";
}

/// The state of an improvement notice.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[strum(serialize_all = "snake_case")]
pub enum ImprovementNoticeState {
    /// The provider has time to rectify.
    Issued,
    /// The time has passed; it counts as not met unless judged otherwise.
    AwaitingJudgement {
        /// When the time passed.
        since: Instant,
    },
    /// Rectified.
    Met {
        /// When it was judged.
        at: Instant,
        /// Subject of the judge.
        by: String,
    },
    /// Not rectified.
    NotMet {
        /// When it was judged.
        at: Instant,
        /// Subject of the judge.
        by: String,
        /// Why.
        reason: String,
    },
    /// Over before it was judged: its arrangement ended, or a removal took effect.
    Ended {
        /// When.
        at: Instant,
        /// Why.
        reason: String,
    },
    /// Taken back: counts for nothing.
    Withdrawn {
        /// When.
        at: Instant,
        /// Subject of who did.
        by: String,
        /// Why.
        reason: String,
    },
}

impl State for ImprovementNoticeState {
    fn knows(&self) -> &'static [&'static str] {
        match self {
            Self::Issued => &["respond", "extend", "meet", "fail", "withdraw", "end", "tick"],
            Self::AwaitingJudgement { .. } => &["respond", "extend", "meet", "fail", "withdraw", "end"],
            Self::Met { .. } | Self::NotMet { .. } | Self::Withdrawn { .. } | Self::Ended { .. } => &[],
        }
    }
}

/// An improvement notice (TIR-18).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImprovementNotice {
    /// Identifier.
    pub id: ImprovementNoticeId,
    /// The arrangement.
    pub arrangement: ArrangementId,
    /// The lot.
    pub lot: LotId,
    /// The provider.
    pub provider: ProviderId,
    /// The membership.
    pub membership: MembershipId,
    /// What is to be rectified.
    pub issue: String,
    /// The date of the discussion before it.
    #[schema(value_type = String, format = Date)]
    pub discussion_held_on: NaiveDate,
    /// Whether the provider's contact agreed to the time.
    pub agreed_with_provider: bool,
    /// References of documents.
    pub evidence: Vec<String>,
    /// When it was issued.
    pub issued_at: Instant,
    /// Subject of who issued it.
    pub issued_by: String,
    /// The authority that issued it (DPS-27).
    pub authority: Option<AuthorityCode>,
    /// End of the time to rectify.
    pub rectify_by: Instant,
    /// What the provider answered.
    pub responses: Vec<Representation>,
    /// State.
    #[serde(flatten)]
    pub state: ImprovementNoticeState,
}

/// The command to issue a notice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IssueNotice {
    /// What is to be rectified.
    pub issue: String,
    /// The date of the discussion.
    pub discussion_held_on: NaiveDate,
    /// Whether the provider's contact agreed to the time.
    pub agreed_with_provider: bool,
    /// End of the time to rectify.
    pub rectify_by: Instant,
    /// References of documents.
    pub evidence: Vec<String>,
}

/// What happened to an improvement notice.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, VariantNames)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum ImprovementNoticeEvent {
    /// Issued.
    ImprovementNoticeIssued {
        /// To which membership.
        membership: MembershipId,
        /// End of the time to rectify.
        rectify_by: Instant,
    },
    /// The provider answered.
    ImprovementNoticeAnswered,
    /// More time was agreed.
    ImprovementNoticeExtended {
        /// New end of the time.
        rectify_by: Instant,
    },
    /// The time passed.
    ImprovementNoticeExpired {
        /// When, however late it was noticed.
        effective_at: Instant,
    },
    /// Rectified.
    ImprovementNoticeMet,
    /// Not rectified.
    ImprovementNoticeNotMet {
        /// Why.
        reason: String,
    },
    /// Over before it was judged.
    ImprovementNoticeEnded {
        /// Why.
        reason: String,
    },
    /// Taken back.
    ImprovementNoticeWithdrawn {
        /// Why.
        reason: String,
    },
}

impl Aggregate for ImprovementNotice {
    type Id = ImprovementNoticeId;
    type State = ImprovementNoticeState;
    type Event = ImprovementNoticeEvent;
    const KIND: Kind = Kind::ImprovementNotice;
    const CLOCK: &'static [&'static str] = &["expire"];

    fn id(&self) -> ImprovementNoticeId {
        self.id
    }

    fn state(&self) -> &ImprovementNoticeState {
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
        let unjudged = self.permit("end").is_ok();
        unjudged.then(|| StatedDeadline::at(DeadlineKind::Rectification, self.rectify_by)).into_iter().collect()
    }

    fn due(&self) -> Option<Due> {
        self.permit("tick").ok()?;
        Some(Due { at: self.rectify_by, what: "expire" })
    }
}

impl ImprovementNotice {
    /// Issues a notice to `membership`.
    pub fn issue(
        id: ImprovementNoticeId,
        order: IssueNotice,
        membership: &Membership,
        actor: &Actor,
        now: Instant,
    ) -> Decision<Self> {
        let IssueNotice { issue, discussion_held_on, agreed_with_provider, rectify_by, evidence } = order;
        let mut broken = Violations::new();
        broken.require_reason(&issue, "/issue");
        let held = discussion_held_on <= now.date();
        broken.require(held, &DISCUSSION_FIRST, "/discussionHeldOn", "the discussion is still to come");
        broken.require(rectify_by > now, &RECTIFY_BY_TOO_EARLY, "/rectifyBy", format!("{rectify_by} has passed"));
        if !membership.is_live() {
            broken.add(MEMBERSHIP_NOT_LIVE.broken("the membership has ended"));
        }
        broken.refuse_any()?;
        let notice = Self {
            id,
            arrangement: membership.arrangement,
            lot: membership.lot,
            provider: membership.provider,
            membership: membership.id,
            issue,
            discussion_held_on,
            agreed_with_provider,
            evidence,
            issued_at: now,
            issued_by: actor.subject.clone(),
            authority: actor.authority.clone(),
            rectify_by,
            responses: Vec::new(),
            state: ImprovementNoticeState::Issued,
        };
        let event = ImprovementNoticeEvent::ImprovementNoticeIssued { membership: membership.id, rectify_by };
        Ok((notice, vec![event]))
    }

    /// Records the provider's answer.
    pub fn respond(mut self, text: String, actor: &Actor, now: Instant) -> Decision<Self> {
        self.permit("respond")?;
        let mut broken = Violations::new();
        broken.require(!text.trim().is_empty(), &TEXT_REQUIRED, "/text", "a text or a document is required");
        broken.refuse_any()?;
        self.responses.push(Representation::new(text, actor, now));
        let event = ImprovementNoticeEvent::ImprovementNoticeAnswered;
        Ok((self, vec![event]))
    }

    /// Gives more time, by agreement; also after the time has passed.
    pub fn extend(mut self, rectify_by: Instant, agreed_with_provider: bool, now: Instant) -> Decision<Self> {
        self.permit("extend")?;
        let mut broken = Violations::new();
        let later = rectify_by > self.rectify_by && rectify_by > now;
        broken.require(later, &RECTIFY_BY_TOO_EARLY, "/rectifyBy", format!("{rectify_by} is not later"));
        let detail = "the provider has not agreed";
        broken.require(agreed_with_provider, &EXTENSION_NOT_AGREED, "/agreedWithProvider", detail);
        broken.refuse_any()?;
        self.rectify_by = rectify_by;
        self.state = ImprovementNoticeState::Issued;
        let event = ImprovementNoticeEvent::ImprovementNoticeExtended { rectify_by };
        Ok((self, vec![event]))
    }

    /// Judges that the issue is rectified.
    pub fn meet(mut self, actor: &Actor, now: Instant) -> Decision<Self> {
        self.permit("meet")?;
        self.state = ImprovementNoticeState::Met { at: now, by: actor.subject.clone() };
        let event = ImprovementNoticeEvent::ImprovementNoticeMet;
        Ok((self, vec![event]))
    }

    /// Judges that the issue is not rectified, once its time has passed.
    pub fn fail(mut self, reason: String, actor: &Actor, now: Instant) -> Decision<Self> {
        self.permit("fail")?;
        let mut broken = Violations::new();
        broken.require_reason(&reason, "/reason");
        if now < self.rectify_by {
            let detail = format!("the provider has until {}", self.rectify_by);
            broken.add(TIME_TO_RECTIFY_RUNNING.broken(detail));
        }
        broken.refuse_any()?;
        let event = ImprovementNoticeEvent::ImprovementNoticeNotMet { reason: reason.clone() };
        self.state = ImprovementNoticeState::NotMet { at: now, by: actor.subject.clone(), reason };
        Ok((self, vec![event]))
    }

    /// Takes the notice back.
    pub fn withdraw(mut self, reason: String, actor: &Actor, now: Instant) -> Decision<Self> {
        self.permit("withdraw")?;
        let mut broken = Violations::new();
        broken.require_reason(&reason, "/reason");
        broken.refuse_any()?;
        let event = ImprovementNoticeEvent::ImprovementNoticeWithdrawn { reason: reason.clone() };
        self.state = ImprovementNoticeState::Withdrawn { at: now, by: actor.subject.clone(), reason };
        Ok((self, vec![event]))
    }

    /// Ends it unjudged: its arrangement ended, or a removal took effect.
    pub fn end(mut self, reason: String, now: Instant) -> Decision<Self> {
        self.permit("end")?;
        let event = ImprovementNoticeEvent::ImprovementNoticeEnded { reason: reason.clone() };
        self.state = ImprovementNoticeState::Ended { at: now, reason };
        Ok((self, vec![event]))
    }

    /// The time to rectify has passed.
    pub fn tick(mut self, now: Instant) -> Decision<Self> {
        self.permit("tick")?;
        let at = self.rectify_by;
        if now < at {
            return Err(NOT_DUE.broken(format!("the time to rectify ends at {at}")).into());
        }
        self.state = ImprovementNoticeState::AwaitingJudgement { since: at };
        let event = ImprovementNoticeEvent::ImprovementNoticeExpired { effective_at: at };
        Ok((self, vec![event]))
    }

    /// Whether its time has passed unrectified at `now`, so that a removal of the provider of `membership` from its lot
    /// may follow (TIR-18, C-02); `since` is when an earlier removal settled what came before it.
    #[must_use]
    pub fn precedes_removal(&self, membership: &Membership, since: Option<Instant>, now: Instant) -> bool {
        let (unrectified, over_at) = match self.state {
            ImprovementNoticeState::Issued => (self.rectify_by <= now, None),
            ImprovementNoticeState::AwaitingJudgement { .. } => (true, None),
            ImprovementNoticeState::NotMet { at, .. } => (true, Some(at)),
            ImprovementNoticeState::Met { .. }
            | ImprovementNoticeState::Withdrawn { .. }
            | ImprovementNoticeState::Ended { .. } => (false, None),
        };
        let same = (self.provider, self.lot) == (membership.provider, membership.lot);
        same && unrectified && counts_since(since, over_at)
    }
}

#[cfg(test)]
mod tests;

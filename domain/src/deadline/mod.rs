//! Deadlines that are told (ADD-21, BEY-06): what an aggregate states as due is told ahead as often as the policies say, and
//! once more where it was missed. A missed one stays on the list of what is overdue until it is done.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::arrangement::Policies;
use crate::kernel::{
    About, Aggregate, ApplicationId, ArrangementId, Audience, DeadlineId, DeadlineKind, Decided, Decision, Due, DueBy,
    Instant, Kind, LotId, ProviderId, State, StatedDeadline,
};
use crate::law::deadline::statutory;
use crate::standing::NOT_DUE;

/// Where a deadline stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[strum(serialize_all = "snake_case")]
pub enum DeadlineState {
    /// Ahead.
    Running,
    /// Passed, and what was due is not done.
    Missed {
        /// Since when.
        since: Instant,
    },
    /// Done, or due no more.
    Over {
        /// When.
        at: Instant,
    },
}

impl State for DeadlineState {
    fn knows(&self) -> &'static [&'static str] {
        match self {
            Self::Running => &["move", "close", "tick"],
            Self::Missed { .. } => &["move", "close"],
            Self::Over { .. } => &[],
        }
    }
}

/// One deadline of one thing, as it is watched.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WatchedDeadline {
    /// Identifier.
    pub id: DeadlineId,
    /// The kind of thing whose deadline it is.
    pub of_kind: Kind,
    /// Which one.
    pub of: Uuid,
    /// What is due.
    pub what: DeadlineKind,
    /// Which of several, such as the code of a requirement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// The rule that it was counted by, where a statute sets it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The arrangement.
    pub arrangement: ArrangementId,
    /// The lot that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lot: Option<LotId>,
    /// The provider that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderId>,
    /// The application that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application: Option<ApplicationId>,
    /// When it is due: an act is in time before this instant.
    pub due_at: Instant,
    /// When it is still told ahead, earliest first.
    pub tell_at: Vec<Instant>,
    /// Whether it is told where it is missed.
    pub tell_missed: bool,
    /// State.
    #[serde(flatten)]
    pub state: DeadlineState,
}

/// What is told of a deadline. That one was set, moved or is over is told by the thing itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, VariantNames)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum DeadlineEvent {
    /// It is watched from now on.
    DeadlineSet {
        /// When it is due.
        due_at: Instant,
    },
    /// It is due at another instant.
    DeadlineMoved {
        /// When.
        due_at: Instant,
    },
    /// It is near.
    DeadlineNear {
        /// The kind of thing whose deadline it is.
        of_kind: Kind,
        /// Which one.
        of: Uuid,
        /// What is due.
        what: DeadlineKind,
        /// Which of several.
        item: Option<String>,
        /// When.
        due_at: Instant,
        /// In how many civil days.
        days: i64,
    },
    /// It has passed, and what was due is not done.
    DeadlineMissed {
        /// The kind of thing whose deadline it was.
        of_kind: Kind,
        /// Which one.
        of: Uuid,
        /// What was due.
        what: DeadlineKind,
        /// Which of several.
        item: Option<String>,
        /// When it was due, however late it was noticed.
        due_at: Instant,
        /// The rule that it was counted by, where a statute sets it.
        rule: Option<String>,
    },
    /// It was done, or is due no more.
    DeadlineOver,
}

impl Aggregate for WatchedDeadline {
    type Id = DeadlineId;
    type State = DeadlineState;
    type Event = DeadlineEvent;
    const KIND: Kind = Kind::Deadline;
    const CLOCK: &'static [&'static str] = &["tell"];

    fn id(&self) -> DeadlineId {
        self.id
    }

    fn state(&self) -> &DeadlineState {
        &self.state
    }

    fn about(&self) -> About {
        About {
            arrangement: Some(self.arrangement),
            lot: self.lot,
            provider: self.provider,
            application: self.application,
        }
    }

    fn audience(&self, event: &DeadlineEvent) -> Audience {
        match event {
            DeadlineEvent::DeadlineNear { .. } => self.told_to(),
            DeadlineEvent::DeadlineMissed { .. } if self.tell_missed => self.told_to(),
            DeadlineEvent::DeadlineMissed { .. }
            | DeadlineEvent::DeadlineSet { .. }
            | DeadlineEvent::DeadlineMoved { .. }
            | DeadlineEvent::DeadlineOver => Audience::Owner,
        }
    }

    fn due(&self) -> Option<Due> {
        self.permit("tick").ok()?;
        let at = self.tell_at.first().copied().unwrap_or(self.due_at).min(self.due_at);
        Some(Due { at, what: "tell" })
    }
}

impl WatchedDeadline {
    /// Watches what the thing `of` states, by the policies of its arrangement; nothing, where the regime does not know the
    /// rule that it is counted by.
    #[must_use]
    pub fn set(
        id: DeadlineId,
        (of_kind, of): (Kind, Uuid),
        about: About,
        stated: &StatedDeadline,
        policies: &Policies,
        now: Instant,
    ) -> Option<Decided<Self>> {
        let due_at = due_at(stated.due, policies)?;
        let rule = match stated.due {
            DueBy::At(_) => None,
            DueBy::Rule(rule, _) => Some(rule.to_owned()),
        };
        let watched = Self {
            id,
            of_kind,
            of,
            what: stated.what,
            item: stated.item.clone(),
            rule,
            arrangement: about.arrangement?,
            lot: about.lot,
            provider: about.provider,
            application: about.application,
            due_at,
            tell_at: tell_at(stated.what, due_at, policies, now),
            tell_missed: policies.tell_ahead.missed,
            state: DeadlineState::Running,
        };
        Some((watched, vec![DeadlineEvent::DeadlineSet { due_at }]))
    }

    /// Whether it watches that.
    #[must_use]
    pub fn is_of(&self, stated: &StatedDeadline) -> bool {
        (self.what, &self.item) == (stated.what, &stated.item)
    }

    /// Is due when the thing states it now; told ahead anew, where that is another instant.
    pub fn restate(mut self, stated: &StatedDeadline, policies: &Policies, now: Instant) -> Decision<Self> {
        self.permit("move")?;
        let Some(due_at) = due_at(stated.due, policies).filter(|due_at| *due_at != self.due_at) else {
            return Ok((self, Vec::new()));
        };
        self.due_at = due_at;
        self.tell_at = tell_at(self.what, due_at, policies, now);
        self.state = DeadlineState::Running;
        Ok((self, vec![DeadlineEvent::DeadlineMoved { due_at }]))
    }

    /// The thing states it no more.
    pub fn close(mut self, now: Instant) -> Decision<Self> {
        self.permit("close")?;
        self.state = DeadlineState::Over { at: now };
        Ok((self, vec![DeadlineEvent::DeadlineOver]))
    }

    /// Tells what is to be told now: once, however late, and not that something is near which has passed.
    pub fn tick(mut self, now: Instant) -> Decision<Self> {
        self.permit("tick")?;
        let told = self.tell_at.iter().filter(|at| **at <= now).count();
        if now < self.due_at && told == 0 {
            return Err(NOT_DUE.broken("nothing is to be told now").into());
        }
        self.tell_at.drain(..told);
        let (of_kind, of, what, item, due_at) = (self.of_kind, self.of, self.what, self.item.clone(), self.due_at);
        let event = if now < due_at {
            let days = (due_at.date() - now.date()).num_days();
            DeadlineEvent::DeadlineNear { of_kind, of, what, item, due_at, days }
        } else if what.can_be_missed() {
            self.state = DeadlineState::Missed { since: due_at };
            DeadlineEvent::DeadlineMissed { of_kind, of, what, item, due_at, rule: self.rule.clone() }
        } else {
            self.state = DeadlineState::Over { at: due_at };
            DeadlineEvent::DeadlineOver
        };
        Ok((self, vec![event]))
    }

    /// Who is told: all, where all may act on it; else the buying side, with the provider that it is about unless what is due
    /// is the buying side's own business.
    #[must_use]
    pub fn told_to(&self) -> Audience {
        match self.what {
            DeadlineKind::RoundOpens | DeadlineKind::RoundCloses | DeadlineKind::TermEnds => Audience::Everyone,
            DeadlineKind::SuspensionReview | DeadlineKind::SanctionReview => Audience::Buyers,
            DeadlineKind::Evaluation if self.provider.is_none() => Audience::Buyers,
            DeadlineKind::Evaluation
            | DeadlineKind::SuspensionEnds
            | DeadlineKind::Rectification
            | DeadlineKind::Hearing
            | DeadlineKind::RemovalEffect
            | DeadlineKind::Evidence => Audience::Parties,
        }
    }
}

fn due_at(due: DueBy, policies: &Policies) -> Option<Instant> {
    match due {
        DueBy::At(at) => Some(at),
        DueBy::Rule(rule, start) => {
            statutory(policies.regime(), policies.division, rule, start).ok().map(|deadline| deadline.due)
        }
    }
}

/// The instants ahead of `due_at` at which the policies tell it that have not passed, earliest first.
fn tell_at(what: DeadlineKind, due_at: Instant, policies: &Policies, now: Instant) -> Vec<Instant> {
    let ahead = &policies.tell_ahead;
    let days = match what {
        DeadlineKind::RoundOpens | DeadlineKind::RoundCloses => &ahead.rounds,
        DeadlineKind::Evaluation => &ahead.evaluations,
        DeadlineKind::SuspensionEnds | DeadlineKind::SuspensionReview => &ahead.suspensions,
        DeadlineKind::SanctionReview => &ahead.reviews,
        DeadlineKind::Rectification => &ahead.notices,
        DeadlineKind::Hearing | DeadlineKind::RemovalEffect => &ahead.removals,
        DeadlineKind::Evidence => &ahead.evidence,
        DeadlineKind::TermEnds => &ahead.terms,
    };
    let mut instants: Vec<Instant> =
        days.iter().map(|days| due_at.minus_days(*days)).filter(|at| now < *at && *at < due_at).collect();
    instants.sort_unstable();
    instants.dedup();
    instants
}

#[cfg(test)]
mod tests;

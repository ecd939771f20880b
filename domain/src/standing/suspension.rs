//! A time-limited stop on new business (A7, DPS-19). Existing placements go on (Q2).

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};
use utoipa::ToSchema;

use super::{Attribution, MEMBERSHIP_NOT_LIVE, NOT_DUE, Representation, TEXT_REQUIRED};
use crate::arrangement::{Policies, SuspensionEnd};
use crate::kernel::{
    About, Actor, Aggregate, ArrangementId, DeadlineKind, Decision, Due, Effect, HomeId, Imposed, Instant, Kind, LotId,
    MembershipId, ProviderId, RemovalId, State, StatedDeadline, SuspensionId, Violations, Whom,
};

mod event;
mod relations;

pub use event::SuspensionEvent;

crate::rules! {
    SUSPENSION_TOO_LONG = "suspension_too_long", Input, "DPS-19",
        "A suspension, extensions and those that follow it without a gap included, lasts no longer than the arrangement's maximum.";
    SUSPENSION_TOO_SHORT = "suspension_too_short", Input, "DPS-19",
        "A suspension lasts at least a month, and an extension makes it end later than before and later than now.";
    SUSPENSION_IN_THE_PAST = "suspension_in_the_past", Input, "DPS-19",
        "A suspension begins now or later: standing is not changed for the past.";
    SUSPENSION_OVERLAPS = "suspension_overlaps", Conflict, "A7",
        "The same provider, lot or home is never under two suspensions at once.";
}

/// Whom a suspension stops.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum SuspensionScope {
    /// Every membership of the provider in the arrangement, later ones included.
    Provider,
    /// The provider in one lot, whatever becomes of its membership.
    Lot {
        /// The membership against which it was imposed.
        membership: MembershipId,
        /// Its lot.
        lot: LotId,
    },
    /// One home of the provider, in every lot of the arrangement.
    Home {
        /// Which.
        home: HomeId,
    },
}

/// The state of a suspension.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[strum(serialize_all = "snake_case")]
pub enum SuspensionState {
    /// Imposed; in force from its beginning.
    Active,
    /// Its time is up and the policy asks for a review: still in force.
    AwaitingReview {
        /// When its time was up.
        since: Instant,
    },
    /// Ended early or by review.
    Lifted {
        /// When.
        at: Instant,
        /// Why.
        reason: String,
        /// Subject of who lifted it.
        by: String,
        /// It should not have been imposed: it does not count as a step on the failure path.
        annulled: bool,
    },
    /// Ended by the clock.
    Lapsed {
        /// When its time was up.
        at: Instant,
    },
    /// Ended with its arrangement.
    Ended {
        /// When.
        at: Instant,
        /// Why.
        reason: String,
    },
    /// Replaced by a removal that took effect.
    Converted {
        /// Which.
        removal: RemovalId,
        /// When the removal took effect: no instant lies between the two.
        at: Instant,
    },
    /// Found wrong after it had ended, as by an appeal: it stopped the member then, and counts for nothing since.
    Annulled {
        /// When it had ended.
        ended_at: Instant,
        /// When it was annulled.
        at: Instant,
        /// Why.
        reason: String,
        /// Subject of who annulled it.
        by: String,
    },
}

impl State for SuspensionState {
    fn knows(&self) -> &'static [&'static str] {
        match self {
            Self::Active => &["represent", "extend", "lift", "lift_for", "annul", "convert", "end", "tick"],
            Self::AwaitingReview { .. } => &["represent", "extend", "lift", "lift_for", "annul", "convert", "end"],
            Self::Lifted { annulled: false, .. } | Self::Lapsed { .. } | Self::Ended { .. } => &["annul"],
            // What a removal rested on stays with it: the removal has an appeal of its own.
            Self::Lifted { annulled: true, .. } | Self::Converted { .. } | Self::Annulled { .. } => &[],
        }
    }
}

/// A suspension (A7).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Suspension {
    /// Identifier.
    pub id: SuspensionId,
    /// The arrangement.
    pub arrangement: ArrangementId,
    /// The provider.
    pub provider: ProviderId,
    /// Whom it stops.
    pub scope: SuspensionScope,
    /// Which authority imposed it, and which it binds.
    #[serde(flatten)]
    pub attribution: Attribution,
    /// First instant.
    pub from: Instant,
    /// Planned end.
    pub until: Instant,
    /// The latest that `until` may become.
    pub max_until: Instant,
    /// What happens at `until` (C-03).
    pub at_end: SuspensionEnd,
    /// The grounds, as the provider is told them.
    pub grounds: String,
    /// References of the documents it rests on.
    pub evidence: Vec<String>,
    /// Subject of who imposed it: somebody else decides an appeal.
    pub imposed_by: String,
    /// When it was imposed.
    pub imposed_at: Instant,
    /// What the provider said to it.
    pub representations: Vec<Representation>,
    /// State.
    #[serde(flatten)]
    pub state: SuspensionState,
}

/// The command to suspend.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Suspend {
    /// The arrangement.
    pub arrangement: ArrangementId,
    /// The provider.
    pub provider: ProviderId,
    /// Whom to stop.
    pub scope: SuspensionScope,
    /// From when; now, where absent.
    pub from: Option<Instant>,
    /// For how many months; the policy's, where absent.
    pub months: Option<u32>,
    /// The grounds.
    pub reason: String,
    /// References of documents.
    pub evidence: Vec<String>,
}

/// What a new suspension depends on.
#[derive(Clone, Copy, Debug)]
pub struct SuspendFacts<'a> {
    /// The arrangement's.
    pub policies: &'a Policies,
    /// Whether a live membership is in its scope.
    pub live_membership: bool,
    /// The provider's suspensions in the arrangement.
    pub suspensions: &'a [Suspension],
}

impl Aggregate for Suspension {
    type Id = SuspensionId;
    type State = SuspensionState;
    type Event = SuspensionEvent;
    const KIND: Kind = Kind::Suspension;
    const CLOCK: &'static [&'static str] = &["lapse", "review"];

    fn id(&self) -> SuspensionId {
        self.id
    }

    fn state(&self) -> &SuspensionState {
        &self.state
    }

    fn about(&self) -> About {
        let lot = match self.scope {
            SuspensionScope::Lot { lot, .. } => Some(lot),
            SuspensionScope::Provider | SuspensionScope::Home { .. } => None,
        };
        About { arrangement: Some(self.arrangement), lot, provider: Some(self.provider), application: None }
    }

    fn due(&self) -> Option<Due> {
        self.permit("tick").ok()?;
        let what = match self.at_end {
            SuspensionEnd::Lapse => "lapse",
            SuspensionEnd::Review => "review",
        };
        Some(Due { at: self.until, what })
    }

    fn deadlines(&self) -> Vec<StatedDeadline> {
        let what = match self.at_end {
            SuspensionEnd::Lapse => DeadlineKind::SuspensionEnds,
            SuspensionEnd::Review => DeadlineKind::SuspensionReview,
        };
        let running = matches!(self.state, SuspensionState::Active | SuspensionState::AwaitingReview { .. });
        running.then(|| StatedDeadline::at(what, self.until)).into_iter().collect()
    }

    /// No new business for whom it stops: the provider, whichever membership it holds meanwhile.
    fn impediments(&self) -> Vec<Imposed> {
        let (effect, lot) = match self.scope {
            SuspensionScope::Provider => (Effect::Suspended, None),
            SuspensionScope::Lot { lot, .. } => (Effect::Suspended, Some(lot)),
            SuspensionScope::Home { home } => (Effect::HomeSuspended(home), None),
        };
        let on = Whom { provider: self.provider, arrangement: Some(self.arrangement), lot, membership: None };
        self.attribution.impose(on, effect, (Kind::Suspension, self.id.0), self.from, self.over_at())
    }
}

/// The first instant after a suspension: when it was ended, else when it lapses by itself; without end while a review
/// is awaited. `until` is the planned end, `ended_at` when it was lifted, lapsed or converted.
#[must_use]
pub fn over_at(at_end: SuspensionEnd, until: Instant, ended_at: Option<Instant>) -> Option<Instant> {
    match at_end {
        SuspensionEnd::Lapse => Some(ended_at.map_or(until, |at| at.min(until))),
        SuspensionEnd::Review => ended_at,
    }
}

impl Suspension {
    /// Suspends; the end is `from` + months, clamped to the month's last day (AC-12).
    pub fn suspend(
        id: SuspensionId,
        order: Suspend,
        facts: SuspendFacts<'_>,
        actor: &Actor,
        now: Instant,
    ) -> Decision<Self> {
        let Suspend { arrangement, provider, scope, from, months, reason, evidence } = order;
        let max = facts.policies.suspension_max_months;
        let months = months.unwrap_or(facts.policies.suspension_months);
        let from = from.unwrap_or(now);
        let mut suspension = Self {
            id,
            arrangement,
            provider,
            scope,
            attribution: Attribution::of(actor, facts.policies.suspension_scope_authority),
            from,
            until: from.plus_months(months),
            max_until: from.plus_months(max),
            at_end: facts.policies.suspension_end,
            grounds: reason,
            evidence,
            imposed_by: actor.subject.clone(),
            imposed_at: now,
            representations: Vec::new(),
            state: SuspensionState::Active,
        };
        suspension.max_until = suspension.stretch(facts.suspensions).0.plus_months(max);
        let mut broken = Violations::new();
        broken.require_reason(&suspension.grounds, "/reason");
        broken.require(months > 0, &SUSPENSION_TOO_SHORT, "/months", "0 months are no suspension");
        let detail = format!("{months} months asked, at most {max} allowed");
        broken.require(months <= max, &SUSPENSION_TOO_LONG, "/months", detail);
        broken.require(from >= now, &SUSPENSION_IN_THE_PAST, "/from", format!("{from} has passed"));
        if !facts.live_membership {
            broken.add(MEMBERSHIP_NOT_LIVE.broken("the provider has no live membership to suspend"));
        }
        suspension.refuse_clash(facts.suspensions, "/scope", &mut broken);
        suspension.refuse_chain(max, facts.suspensions, "/months", &mut broken);
        broken.refuse_any()?;
        let event = SuspensionEvent::Suspended {
            scope,
            from,
            until: suspension.until,
            reason: suspension.grounds.clone(),
            authority: suspension.attribution.authority.clone(),
            binds: suspension.attribution.binds,
        };
        Ok((suspension, vec![event]))
    }

    /// Makes it `months_in_all` long, counted from its beginning, at most until the maximum of the policies after the
    /// beginning of the time without a gap that it is part of; `others` are the provider's suspensions in the
    /// arrangement.
    pub fn extend(
        mut self,
        months_in_all: u32,
        reason: String,
        others: &[Suspension],
        actor: &Actor,
        now: Instant,
    ) -> Decision<Self> {
        self.permit_at("extend", now)?;
        let until = self.from.plus_months(months_in_all);
        let mut broken = Violations::new();
        broken.require_reason(&reason, "/reason");
        self.attribution.require_own(actor, &mut broken);
        let detail = format!("it may last until {} at most", self.max_until);
        let later = until > self.until && until > now;
        self.until = until;
        self.state = SuspensionState::Active;
        // One that was announced to begin where this one would now end goes on with it.
        let within = self.stretch(others).1 <= self.max_until;
        broken.require(within, &SUSPENSION_TOO_LONG, "/monthsInAll", detail);
        broken.require(later, &SUSPENSION_TOO_SHORT, "/monthsInAll", format!("it would end at {until}"));
        self.refuse_clash(others, "/monthsInAll", &mut broken);
        broken.refuse_any()?;
        let event = SuspensionEvent::SuspensionExtended { until, reason };
        Ok((self, vec![event]))
    }

    /// Ends it before its time, or after its review, as the authority that imposed it. `annulled`: it should not have
    /// been imposed.
    pub fn lift(self, reason: String, annulled: bool, actor: &Actor, now: Instant) -> Decision<Self> {
        let mut broken = Violations::new();
        self.attribution.require_own(actor, &mut broken);
        self.permit_at("lift", now)?;
        broken.refuse_any()?;
        self.lifted(reason, annulled, actor, now)
    }

    /// Lifts it for the actor's authority alone (DPS-27).
    pub fn lift_for(mut self, reason: String, actor: &Actor, now: Instant) -> Decision<Self> {
        self.permit_at("lift_for", now)?;
        let authority = self.attribution.lift_for(&reason, actor, now)?;
        Ok((self, vec![SuspensionEvent::SuspensionLiftedFor { authority, reason }]))
    }

    /// Ends it with its arrangement. One that the clock has ended lapses first.
    pub fn end(self, reason: String, now: Instant) -> Decision<Self> {
        if self.over_at().is_some_and(|over| over <= now) && self.permit("tick").is_ok() {
            return self.tick(now);
        }
        self.permit("end")?;
        let mut ended = self;
        let event = SuspensionEvent::SuspensionEnded { reason: reason.clone() };
        ended.state = SuspensionState::Ended { at: now, reason };
        Ok((ended, vec![event]))
    }

    fn lifted(mut self, reason: String, annulled: bool, actor: &Actor, now: Instant) -> Decision<Self> {
        self.permit_at("lift", now)?;
        let mut broken = Violations::new();
        broken.require_reason(&reason, "/reason");
        broken.refuse_any()?;
        let event = SuspensionEvent::SuspensionLifted { reason: reason.clone(), annulled };
        self.state = SuspensionState::Lifted { at: now, reason, by: actor.subject.clone(), annulled };
        Ok((self, vec![event]))
    }

    /// Sets it aside though it may have ended: it should not have been imposed. One in force is lifted at once; for one
    /// that is over the past stays as it was, and it counts as no step any more.
    pub fn annul(self, reason: String, actor: &Actor, now: Instant) -> Decision<Self> {
        self.permit("annul")?;
        let Some(ended_at) = self.over_at().filter(|over| *over <= now) else {
            return self.lifted(reason, true, actor, now);
        };
        let mut broken = Violations::new();
        broken.require_reason(&reason, "/reason");
        broken.refuse_any()?;
        // Late clock-driven work is done first, so that the record has the end before what follows.
        let (mut over, mut events) = if self.permit("tick").is_ok() { self.tick(now)? } else { (self, Vec::new()) };
        events.push(SuspensionEvent::SuspensionAnnulled { reason: reason.clone() });
        over.state = SuspensionState::Annulled { ended_at, at: now, reason, by: actor.subject.clone() };
        Ok((over, events))
    }

    /// Records what the provider says to it (PA58).
    pub fn represent(mut self, text: String, actor: &Actor, now: Instant) -> Decision<Self> {
        self.permit_at("represent", now)?;
        let mut broken = Violations::new();
        broken.require(!text.trim().is_empty(), &TEXT_REQUIRED, "/text", "a text or a document is required");
        broken.refuse_any()?;
        self.representations.push(Representation::new(text, actor, now));
        let event = SuspensionEvent::SuspensionAnswered;
        Ok((self, vec![event]))
    }

    /// Ends it because `removal` took effect at `at`; it stands until that instant, so that no referral slips through.
    pub fn convert(mut self, removal: RemovalId, at: Instant) -> Decision<Self> {
        self.permit_at("convert", at)?;
        let event = SuspensionEvent::SuspensionConverted { removal, effective_at: at };
        self.state = SuspensionState::Converted { removal, at };
        Ok((self, vec![event]))
    }

    /// Its time is up: it lapses, or awaits review (C-03).
    pub fn tick(mut self, now: Instant) -> Decision<Self> {
        self.permit("tick")?;
        let at = self.until;
        if now < at {
            return Err(NOT_DUE.broken(format!("the suspension lasts until {at}")).into());
        }
        let event = match self.at_end {
            SuspensionEnd::Lapse => {
                self.state = SuspensionState::Lapsed { at };
                SuspensionEvent::SuspensionLapsed { effective_at: at }
            }
            SuspensionEnd::Review => {
                self.state = SuspensionState::AwaitingReview { since: at };
                SuspensionEvent::SuspensionReviewDue { effective_at: at }
            }
        };
        Ok((self, vec![event]))
    }
}

#[cfg(test)]
mod tests;

//! A suspension beside others and beside memberships: when it is over, whom it touches, and which follow it without a gap.

use super::super::{ALREADY_OVER, counts_since};
use super::{SUSPENSION_OVERLAPS, SUSPENSION_TOO_LONG, Suspension, SuspensionScope, SuspensionState, over_at};
use crate::admission::membership::Membership;
use crate::kernel::{Aggregate, Instant, Refusal, Violations};

impl Suspension {
    /// The first instant after it, as far as is known: late clock-driven work makes no difference.
    #[must_use]
    pub fn over_at(&self) -> Option<Instant> {
        let ended_at = match self.state {
            SuspensionState::Active | SuspensionState::AwaitingReview { .. } => None,
            SuspensionState::Lifted { at, .. }
            | SuspensionState::Lapsed { at }
            | SuspensionState::Ended { at, .. }
            | SuspensionState::Converted { at, .. }
            | SuspensionState::Annulled { ended_at: at, .. } => Some(at),
        };
        over_at(self.at_end, self.until, ended_at)
    }

    /// Whether it stops `membership`, or one of its homes. One that was over before the provider became a member again is
    /// nothing to this membership.
    #[must_use]
    pub fn touches(&self, membership: &Membership) -> bool {
        self.stops(membership) && self.over_at().is_none_or(|over| over > membership.admitted_at)
    }

    /// Whether it counts as a step before the removal of the provider of `membership` from its lot (C-02): it stopped the
    /// provider there as a whole, began, and was not annulled; `since` is when an earlier removal settled what came
    /// before it.
    #[must_use]
    pub fn precedes_removal(&self, membership: &Membership, since: Option<Instant>, now: Instant) -> bool {
        let whole = match self.scope {
            SuspensionScope::Provider | SuspensionScope::Lot { .. } => true,
            SuspensionScope::Home { .. } => false,
        };
        let began = self.from <= now && self.over_at().is_none_or(|over| self.from < over);
        whole && began && !self.is_annulled() && self.stops(membership) && counts_since(since, self.over_at())
    }

    /// Whether it is of the provider, in the lot, of a membership.
    fn stops(&self, membership: &Membership) -> bool {
        let same = self.provider == membership.provider && self.arrangement == membership.arrangement;
        same && match self.scope {
            SuspensionScope::Provider | SuspensionScope::Home { .. } => true,
            SuspensionScope::Lot { lot, .. } => lot == membership.lot,
        }
    }

    /// Whether the two stop the same for an authority that both bind.
    fn same_target(&self, other: &Self) -> bool {
        let target = |one: &Self| match one.scope {
            SuspensionScope::Provider => (None, None),
            SuspensionScope::Lot { lot, .. } => (Some(lot), None),
            SuspensionScope::Home { home } => (None, Some(home)),
        };
        (self.arrangement, self.provider, target(self)) == (other.arrangement, other.provider, target(other))
            && self.attribution.meets(&other.attribution)
    }

    /// Whether it should not have been imposed, as far as is known.
    #[must_use]
    pub fn is_annulled(&self) -> bool {
        matches!(self.state, SuspensionState::Lifted { annulled: true, .. } | SuspensionState::Annulled { .. })
    }

    /// As [`permit`](Self::permit), and refused where the clock has ended it though nobody has said so yet.
    pub(super) fn permit_at(&self, attempted: &'static str, at: Instant) -> Result<(), Refusal> {
        self.permit(attempted)?;
        if self.over_at().is_some_and(|over| over < at || (over == at && attempted != "convert")) {
            return Err(ALREADY_OVER.broken(format!("the suspension ended at {}", self.until)).into());
        }
        Ok(())
    }

    /// The first of `others` with the same target that is in force at some instant of this one.
    fn clash<'a>(&self, others: &'a [Suspension]) -> Option<&'a Suspension> {
        let same = |o: &&Suspension| o.id != self.id && self.same_target(o);
        let before = |from: Instant, over: Option<Instant>| over.is_none_or(|over| from < over);
        others.iter().filter(same).find(|o| {
            // An empty period, lifted before it began, clashes with nothing.
            before(o.from, o.over_at()) && before(o.from, self.over_at()) && before(self.from, o.over_at())
        })
    }

    /// The first instant and the end of the time without a gap that it makes with `others` of the same target, as far
    /// as they stopped the member and were not annulled.
    pub(super) fn stretch(&self, others: &[Suspension]) -> (Instant, Instant) {
        let chained = |o: &&Suspension| o.id != self.id && self.same_target(o) && !o.is_annulled();
        let (mut from, mut until) = (self.from, self.until);
        // Each step goes further back or ahead, since an empty period is no link.
        while let Some(o) = others.iter().filter(chained).find(|o| o.from < from && o.over_at() == Some(from)) {
            from = o.from;
        }
        while let Some(o) = others.iter().filter(chained).find(|o| o.from == until && o.end_as_known() > until) {
            until = o.end_as_known();
        }
        (from, until)
    }

    /// Its end as planned, or as it came.
    fn end_as_known(&self) -> Instant {
        self.over_at().unwrap_or(self.until)
    }

    pub(super) fn refuse_chain(&self, max: u32, others: &[Suspension], field: &str, broken: &mut Violations) {
        let (from, until) = self.stretch(others);
        let latest = from.plus_months(max);
        let chained = (from, until) != (self.from, self.until);
        let detail = format!("with those next to it it would last from {from} until {until}, at most until {latest}");
        broken.require(!chained || until <= latest, &SUSPENSION_TOO_LONG, field, detail);
    }

    pub(super) fn refuse_clash(&self, others: &[Suspension], field: &str, broken: &mut Violations) {
        if let Some(other) = self.clash(others) {
            broken.add(SUSPENSION_OVERLAPS.broken_at(field, format!("suspension {} is in force then", other.id)));
        }
    }
}

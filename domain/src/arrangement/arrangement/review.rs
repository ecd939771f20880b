//! The review that precedes an extension of the term, and its decision (EMF-02, C-08).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Arrangement, ArrangementEvent, ArrangementState, EXTENSION_EMPTY, EXTENSION_NOT_AVAILABLE, TERM_OVER};
use crate::arrangement::{Modification, Modified};
use crate::kernel::{Aggregate, Decision, Instant, Violations};
use crate::law;

/// A review of whether the term is extended, with the decision that followed (EMF-02).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Review {
    /// When it began.
    pub began_at: Instant,
    /// When it was decided.
    pub decided_at: Instant,
    /// By how many months the term was extended; by none, where it was not.
    pub extended_months: u32,
    /// Why.
    pub reason: String,
}

impl Arrangement {
    /// Begins the review that precedes an extension (EMF-02), where one is to be had.
    pub fn begin_review(mut self, now: Instant) -> Decision<Self> {
        self.permit("begin_review")?;
        let Some(term) = self.in_force().copied() else { return Err(self.refused("begin_review")) };
        let mut broken = Violations::new();
        if let Some(fixed) = law::period_refusal(self.policies.regime(), now.date()) {
            broken.add(fixed);
        }
        let left = self.policies.extension_months.saturating_sub(term.extended_months);
        broken.require(left > 0, &EXTENSION_NOT_AVAILABLE, "", "no month is left to extend by");
        broken.require(now < term.ends_at(), &TERM_OVER, "", format!("the term ended on {}", term.last_day));
        broken.refuse_any()?;
        self.state = ArrangementState::Review { term, review_since: now };
        Ok((self, vec![ArrangementEvent::ArrangementReviewBegun]))
    }

    /// Decides after the review that the term stays as it is (EMF-02).
    pub fn decline_extension(mut self, reason: String, now: Instant) -> Decision<Self> {
        let ArrangementState::Review { term, review_since } = self.state else {
            return Err(self.refused("decline_extension"));
        };
        let mut broken = Violations::new();
        broken.require_reason(&reason, "/reason");
        broken.refuse_any()?;
        let event = ArrangementEvent::ExtensionDeclined { reason: reason.clone() };
        self.reviews.push(Review { began_at: review_since, decided_at: now, extended_months: 0, reason });
        let extended = term.extended_months > 0;
        self.state =
            if extended { ArrangementState::Extended { term } } else { ArrangementState::Established { term } };
        Ok((self, vec![event]))
    }

    /// Extends the term by `months` after a review (EMF-02), within what the policies provide in all (C-08) and the statute
    /// allows.
    pub fn extend(mut self, months: u32, reason: String, now: Instant) -> Decision<Self> {
        let ArrangementState::Review { term, review_since } = self.state else { return Err(self.refused("extend")) };
        let regime = self.policies.regime();
        let extended = term.extended_months.saturating_add(months);
        let most = self.policies.extension_months;
        let mut broken = Violations::new();
        broken.require_reason(&reason, "/reason");
        if let Some(fixed) = law::period_refusal(regime, now.date()) {
            broken.add(fixed);
        }
        broken.require(months > 0, &EXTENSION_EMPTY, "/months", "give at least one month");
        let left = most.saturating_sub(term.extended_months);
        broken.require(
            extended <= most,
            &EXTENSION_NOT_AVAILABLE,
            "/months",
            format!("{left} of {most} months are left"),
        );
        // The clock may not have run yet: an ended term is not revived.
        broken.require(now < term.ends_at(), &TERM_OVER, "", format!("the term ended on {}", term.last_day));
        broken.refuse_any()?;
        let term = term.extended(self.policies.term_months, extended, law::statutory_end(regime));
        let review =
            Review { began_at: review_since, decided_at: now, extended_months: months, reason: reason.clone() };
        self.reviews.push(review);
        self.state = ArrangementState::Extended { term };
        self.modifications.push(Modification { at: now, reason: reason.clone(), changed: vec![Modified::Term] });
        let event = ArrangementEvent::ArrangementExtended { months, term, reason };
        Ok((self, vec![event]))
    }
}

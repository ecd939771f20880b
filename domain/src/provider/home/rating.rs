//! A home's ratings: who stated each, and which one is held on a day (TIR-05).

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::{
    DATES_REVERSED, Home, HomeEvent, RATING_ALREADY_RECORDED, RATING_SOURCE_REQUIRED, Rating, StatedBy, not_future,
};
use crate::kernel::text::{tidied, tidy};
use crate::kernel::{Actor, Aggregate as _, Decision, Instant, Violations};

/// A rating to be recorded; one that leaves out `rating` says that the home has none from then on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RatingFacts {
    /// The overall judgement.
    #[serde(default)]
    pub rating: Option<Rating>,
    /// Date of the inspection.
    #[schema(value_type = String, format = Date)]
    pub inspected_on: NaiveDate,
    /// Date of the report; the rating is held from then on.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date)]
    pub published_on: Option<NaiveDate>,
    /// Where it was taken from, such as `ofsted` or `provider`. It says where to look and confirms nothing.
    #[validate(length(max = 500))]
    #[schema(max_length = 500)]
    pub source: String,
    /// Why; an officer who confirms or corrects a rating says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(max = 4000))]
    #[schema(max_length = 4000)]
    pub reason: Option<String>,
}

impl RatingFacts {
    /// The date from which the rating is held.
    #[must_use]
    pub fn held_from(&self) -> NaiveDate {
        self.published_on.unwrap_or(self.inspected_on)
    }

    /// Whether both say the same of one inspection.
    fn is_as(&self, other: &Self) -> bool {
        self.rating == other.rating && self.held_from() == other.held_from()
    }

    pub(super) fn check(&self, broken: &mut Violations, now: Instant) {
        not_future(broken, self.inspected_on, "/inspectedOn", now);
        if let Some(published_on) = self.published_on {
            not_future(broken, published_on, "/publishedOn", now);
            let follows = self.inspected_on <= published_on;
            broken.require(follows, &DATES_REVERSED, "/publishedOn", "it was published before the inspection");
        }
    }
}

/// A recorded rating. Entries are added only; one of the same inspection supersedes the earlier one, but a provider's never one
/// that is confirmed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RatingEntry {
    /// What was recorded.
    pub facts: RatingFacts,
    /// Who stated it. What the provider states is not held.
    pub stated_by: StatedBy,
    /// Whether the regulator took the judgement of that inspection back: it is as if it had not been.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub withdrawn: bool,
    /// The number under which the regulator listed it; of another number than the home's it does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub urn: Option<String>,
    /// When.
    pub recorded_at: Instant,
    /// Subject of the account that recorded it.
    pub recorded_by: String,
}

impl Home {
    /// Adds a rating to the history, in any order of inspections. A second entry for one inspection corrects the first. A
    /// provider states it; an officer confirms or corrects it with a reason, and it is held.
    pub fn record_rating(mut self, facts: RatingFacts, actor: &Actor, now: Instant) -> Decision<Self> {
        self.permit("record_rating")?;
        let stated_by = StatedBy::of(actor);
        let facts = RatingFacts { source: tidy(&facts.source), reason: tidied(facts.reason), ..facts };
        let mut broken = Violations::new();
        facts.check(&mut broken, now);
        broken.require(!facts.source.is_empty(), &RATING_SOURCE_REQUIRED, "/source", "a source is required");
        if stated_by.is_confirmed() {
            broken.require_reason(facts.reason.as_deref().unwrap_or_default(), "/reason");
        }
        let of_inspection = self.counting().filter(|e| e.facts.inspected_on == facts.inspected_on);
        // An officer who says what the provider says confirms it.
        let earlier = of_inspection.filter(|e| e.stated_by.is_confirmed() || !stated_by.is_confirmed()).last();
        if earlier.is_some_and(|e| e.facts.is_as(&facts)) {
            broken.add(RATING_ALREADY_RECORDED.broken(format!("the inspection of {} stands so", facts.inspected_on)));
        }
        broken.refuse_any()?;
        let events = self.enter(facts, stated_by, false, actor, now);
        Ok((self, events))
    }

    /// Adds an entry; its event, and that of a change of what is held.
    pub(super) fn enter(
        &mut self,
        facts: RatingFacts,
        stated_by: StatedBy,
        withdrawn: bool,
        actor: &Actor,
        now: Instant,
    ) -> Vec<HomeEvent> {
        let (provider, today) = (self.provider, now.date());
        let from = self.rating_on(today);
        let recorded = HomeEvent::RatingRecorded {
            provider,
            rating: facts.rating,
            inspected_on: facts.inspected_on,
            correction: self.counting().any(|e| e.facts.inspected_on == facts.inspected_on),
            withdrawn,
            stated_by,
            reason: facts.reason.clone(),
        };
        let urn = (stated_by == StatedBy::Regulator).then(|| self.urn().map(str::to_owned)).flatten();
        let recorded_by = actor.subject.clone();
        self.ratings.push(RatingEntry { facts, stated_by, withdrawn, urn, recorded_at: now, recorded_by });
        let to = self.rating_on(today);
        let changed = (from != to).then_some(HomeEvent::RatingChanged { provider, from, to });
        std::iter::once(recorded).chain(changed).collect()
    }

    /// The entries that are about this home: the regulator's under another number are about another.
    pub(super) fn counting(&self) -> impl Iterator<Item = &RatingEntry> {
        let own = self.urn();
        self.ratings.iter().filter(move |e| e.urn.is_none() || e.urn.as_deref() == own)
    }

    /// What the regulator last said of an inspection.
    pub(super) fn said_of(&self, inspected_on: NaiveDate) -> Option<&RatingFacts> {
        let said = self.counting().filter(|e| e.stated_by == StatedBy::Regulator).map(|e| &e.facts);
        said.filter(|facts| facts.inspected_on == inspected_on).last()
    }

    /// How an inspection stands confirmed, if it is.
    #[must_use]
    pub fn confirmed(&self, inspected_on: NaiveDate) -> Option<&RatingEntry> {
        self.counting().filter(|e| e.stated_by.is_confirmed() && e.facts.inspected_on == inspected_on).last()
    }

    /// What is held on `date`: of the confirmed reports out by then, the latest inspection's, as last corrected.
    #[must_use]
    pub fn held_on(&self, date: NaiveDate) -> Option<&RatingEntry> {
        let held = self.counting().filter(|e| e.stated_by.is_confirmed() && e.facts.held_from() <= date);
        let held = held.filter(|e| !self.confirmed(e.facts.inspected_on).is_some_and(|last| last.withdrawn));
        // Of equal inspections `max_by_key` takes the last one, which is the correction.
        held.max_by_key(|e| e.facts.inspected_on)
    }

    /// The rating held on `date`.
    #[must_use]
    pub fn rating_on(&self, date: NaiveDate) -> Option<Rating> {
        self.held_on(date).and_then(|e| e.facts.rating)
    }

    /// What the provider states on `date` beyond what is confirmed: of a later inspection, or of one that nobody else has told of.
    #[must_use]
    pub fn stated_on(&self, date: NaiveDate) -> Option<&RatingFacts> {
        let out = self.counting().filter(|e| e.facts.held_from() <= date);
        let latest = out.max_by_key(|e| (e.facts.inspected_on, e.stated_by.is_confirmed()))?;
        (!latest.stated_by.is_confirmed()).then_some(&latest.facts)
    }

    /// The rating held now.
    #[must_use]
    pub fn current_rating(&self, now: Instant) -> Option<Rating> {
        self.rating_on(now.date())
    }
}

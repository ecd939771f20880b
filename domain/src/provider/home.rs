//! A registered home or setting with its dated rating history (A20, CHE-09, CHE-12).

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, Serialize};
use strum::{IntoStaticStr, VariantNames};
use utoipa::ToSchema;
use validator::Validate;

use super::boundary::{Location, Postcode};
use super::eligibility::HomeFacts;
use super::provider::{REGULATOR_ID_MALFORMED, filled, is_regulator_id, reasoned, regulator_number};
use super::{Rating, changed_fields};
use crate::arrangement::policy::Point;
use crate::kernel::{About, Actor, Aggregate, Decision, HomeId, Instant, Kind, ProviderId, State, Violations};

crate::rules! {
    HOME_NAME_REQUIRED = "home_name_required", Input, "A20", "A home has a name.";
    URN_TAKEN = "urn_taken", Conflict, "A20", "A regulator's number names one home.";
    BEDS_OUT_OF_RANGE = "beds_out_of_range", Input, "CHE-09", "A home whose size is stated has at least one bed.";
    DATE_IN_FUTURE = "date_in_future", Input, "A20", "What is recorded as having happened lies in the past.";
    DATES_REVERSED = "dates_reversed", Input, "A20", "A report follows its inspection, and a closure the registration.";
    RATING_SOURCE_REQUIRED = "rating_source_required", Input, "TIR-05", "A rating names its source.";
    RATING_ALREADY_RECORDED = "rating_already_recorded", Conflict, "A20",
        "The rating history is append-only: what it already says is not recorded again.";
}

/// What kind of setting a home is.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HomeKind {
    /// Children's home.
    ChildrensHome,
    /// Secure children's home.
    SecureChildrensHome,
    /// Independent fostering agency (its office).
    FosteringAgency,
    /// Residential special school.
    ResidentialSpecialSchool,
    /// Residential family centre.
    ResidentialFamilyCentre,
    /// Supported accommodation for 16- and 17-year-olds.
    SupportedAccommodation,
    /// Short-break home.
    ShortBreakHome,
    /// Another kind, in the regulator's words.
    Other(String),
}

/// Whether there is a registered manager. Who it is, is personal and not kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "post", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum RegisteredManager {
    /// There is one.
    Filled {
        /// Since when, where stated.
        #[serde(default)]
        #[schema(value_type = Option<String>, format = Date)]
        since: Option<NaiveDate>,
    },
    /// There is none.
    Vacant,
}

/// What a provider says of a home; adding and amending send all of it. What is not stated stays `null`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HomeProfile {
    /// Name.
    #[validate(length(max = 500))]
    #[schema(max_length = 500)]
    pub name: String,
    /// Kind of setting.
    pub kind: HomeKind,
    /// Full or outward; blank and `REDACTED` are read as `null`.
    #[serde(default, deserialize_with = "postcode")]
    pub postcode: Option<Postcode>,
    /// The local authority it stands in, by the name the regulator prints.
    #[serde(default)]
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    pub local_authority: Option<String>,
    /// Region.
    #[serde(default)]
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    pub region: Option<String>,
    /// Number of beds.
    #[serde(default)]
    pub beds: Option<u16>,
    /// Registered manager (CHE-12).
    #[serde(default)]
    pub registered_manager: Option<RegisteredManager>,
    /// Dual registration; never assumed (CHE-09).
    #[serde(default)]
    pub dual_registration: Option<bool>,
    /// Takes emergency placements (MSC-04).
    #[serde(default)]
    pub emergency_capacity: Option<bool>,
}

fn postcode<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Postcode>, D::Error> {
    let text = Option::<String>::deserialize(from)?.unwrap_or_default();
    Postcode::read(&text).map_err(serde::de::Error::custom)
}

impl HomeProfile {
    fn checked(self, broken: &mut Violations, now: Instant) -> Self {
        let profile = Self {
            name: self.name.trim().to_owned(),
            local_authority: filled(self.local_authority),
            region: filled(self.region),
            ..self
        };
        broken.require(!profile.name.is_empty(), &HOME_NAME_REQUIRED, "/name", "a name is required");
        broken.require(profile.beds != Some(0), &BEDS_OUT_OF_RANGE, "/beds", "0 beds; leave it out if not known");
        if let Some(RegisteredManager::Filled { since: Some(since) }) = profile.registered_manager {
            not_future(broken, since, "/registeredManager/since", now);
        }
        profile
    }
}

fn not_future(broken: &mut Violations, date: NaiveDate, field: &str, now: Instant) {
    broken.require(date <= now.date(), &DATE_IN_FUTURE, field, format!("{date} is after {}", now.date()));
}

/// The regulator's registration of a home.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Registration {
    /// The regulator's number; unique among homes.
    pub urn: String,
    /// Since when.
    #[schema(value_type = String, format = Date)]
    pub registered_on: NaiveDate,
}

impl Registration {
    fn checked(self, broken: &mut Violations, now: Instant) -> Self {
        let urn = regulator_number(&self.urn);
        broken.require(is_regulator_id(&urn), &REGULATOR_ID_MALFORMED, "/urn", "such as SC009423 or 2590934");
        not_future(broken, self.registered_on, "/registeredOn", now);
        Self { urn, ..self }
    }
}

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
    /// Where it was taken from, such as `ofsted` or `provider`.
    #[validate(length(max = 500))]
    #[schema(max_length = 500)]
    pub source: String,
}

impl RatingFacts {
    /// The date from which the rating is held.
    #[must_use]
    pub fn held_from(&self) -> NaiveDate {
        self.published_on.unwrap_or(self.inspected_on)
    }
}

/// A recorded rating. Entries are added only; one of the same inspection supersedes the earlier one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RatingEntry {
    /// What was recorded.
    pub facts: RatingFacts,
    /// When.
    pub recorded_at: Instant,
    /// Subject of the account that recorded it.
    pub recorded_by: String,
}

/// Phased opening: a proposed home becomes a registered one (CHE-12).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[strum(serialize_all = "snake_case")]
pub enum HomeState {
    /// Not registered yet.
    Proposed {
        /// When it is expected to open.
        #[schema(value_type = Option<String>, format = Date)]
        expected_on: Option<NaiveDate>,
    },
    /// Registered with the regulator.
    Registered {
        /// The registration.
        registration: Registration,
    },
    /// Closed, or never opened.
    Closed {
        /// The registration it had.
        registration: Option<Registration>,
        /// From which day on it is closed.
        #[schema(value_type = String, format = Date)]
        closed_on: NaiveDate,
        /// Why.
        reason: String,
    },
}

impl State for HomeState {
    fn knows(&self) -> &'static [&'static str] {
        match self {
            Self::Proposed { .. } => &["amend", "register", "close"],
            Self::Registered { .. } => &["amend", "record_rating", "record_registration_status", "close"],
            // A report may come out after the home has closed; it still counts for earlier dates.
            Self::Closed { registration: Some(_), .. } => &["record_rating"],
            Self::Closed { registration: None, .. } => &[],
        }
    }
}

/// A home (A20).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Home {
    /// Identifier.
    pub id: HomeId,
    /// Whose it is.
    pub provider: ProviderId,
    /// What is said of it.
    pub profile: HomeProfile,
    /// Its ratings in the order they were recorded.
    pub ratings: Vec<RatingEntry>,
    /// Since when the regulator's list says that its registration is suspended, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration_suspended_at: Option<Instant>,
    /// When it was added.
    pub added_at: Instant,
    /// State.
    #[serde(flatten)]
    pub state: HomeState,
}

/// Events of a home.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema, VariantNames)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum HomeEvent {
    /// It was added.
    HomeAdded {
        /// Whose it is.
        provider: ProviderId,
        /// The regulator's number, where it is registered.
        urn: Option<String>,
    },
    /// What is said of it was replaced.
    HomeAmended {
        /// Whose it is.
        provider: ProviderId,
        /// The fields that differ.
        changed: Vec<String>,
    },
    /// The proposed home was registered with the regulator.
    HomeRegistered {
        /// Whose it is.
        provider: ProviderId,
        /// The regulator's number.
        urn: String,
        /// Since when.
        #[schema(value_type = String, format = Date)]
        registered_on: NaiveDate,
    },
    /// It was closed, or will not open.
    HomeClosed {
        /// Whose it is.
        provider: ProviderId,
        /// From which day on.
        #[schema(value_type = String, format = Date)]
        closed_on: NaiveDate,
        /// Why.
        reason: String,
    },
    /// A rating was recorded.
    RatingRecorded {
        /// Whose it is.
        provider: ProviderId,
        /// The judgement; none where it has no rating from then on.
        rating: Option<Rating>,
        /// Date of the inspection.
        #[schema(value_type = String, format = Date)]
        inspected_on: NaiveDate,
        /// Whether it supersedes an earlier one of the same inspection.
        correction: bool,
    },
    /// The regulator's list says that its registration is suspended.
    HomeRegistrationSuspended {
        /// Whose it is.
        provider: ProviderId,
        /// The regulator's number.
        urn: String,
    },
    /// The regulator's list says no longer that its registration is suspended.
    HomeRegistrationRestored {
        /// Whose it is.
        provider: ProviderId,
        /// The regulator's number.
        urn: String,
    },
    /// The rating that it holds is another.
    RatingChanged {
        /// Whose it is.
        provider: ProviderId,
        /// The rating before.
        from: Option<Rating>,
        /// The rating since.
        to: Option<Rating>,
    },
}

impl Aggregate for Home {
    type Id = HomeId;
    type State = HomeState;
    type Event = HomeEvent;
    const KIND: Kind = Kind::Home;

    fn id(&self) -> HomeId {
        self.id
    }

    fn state(&self) -> &HomeState {
        &self.state
    }

    fn about(&self) -> About {
        About { provider: Some(self.provider), ..About::default() }
    }
}

impl Home {
    /// Adds a home that is registered with the regulator.
    pub fn add(
        id: HomeId,
        provider: ProviderId,
        profile: HomeProfile,
        reg: Registration,
        now: Instant,
    ) -> Decision<Self> {
        let mut broken = Violations::new();
        let profile = profile.checked(&mut broken, now);
        let registration = reg.checked(&mut broken, now);
        broken.refuse_any()?;
        Ok(Self::added(id, provider, profile, HomeState::Registered { registration }, now))
    }

    /// Adds a home that is still to be opened (CHE-12).
    pub fn propose(
        id: HomeId,
        provider: ProviderId,
        profile: HomeProfile,
        expected_on: Option<NaiveDate>,
        now: Instant,
    ) -> Decision<Self> {
        let mut broken = Violations::new();
        let profile = profile.checked(&mut broken, now);
        broken.refuse_any()?;
        Ok(Self::added(id, provider, profile, HomeState::Proposed { expected_on }, now))
    }

    /// Replaces the profile. One that changes nothing has no event.
    pub fn amend(mut self, profile: HomeProfile, now: Instant) -> Decision<Self> {
        self.permit("amend")?;
        let mut broken = Violations::new();
        let profile = profile.checked(&mut broken, now);
        broken.refuse_any()?;
        let changed = changed_fields(&self.profile, &profile);
        if changed.is_empty() {
            return Ok((self, vec![]));
        }
        self.profile = profile;
        let event = HomeEvent::HomeAmended { provider: self.provider, changed };
        Ok((self, vec![event]))
    }

    /// Records the regulator's registration of a proposed home.
    pub fn register(mut self, registration: Registration, now: Instant) -> Decision<Self> {
        self.permit("register")?;
        let mut broken = Violations::new();
        let registration = registration.checked(&mut broken, now);
        broken.refuse_any()?;
        let event = HomeEvent::HomeRegistered {
            provider: self.provider,
            urn: registration.urn.clone(),
            registered_on: registration.registered_on,
        };
        self.state = HomeState::Registered { registration };
        Ok((self, vec![event]))
    }

    /// Closes the home from `closed_on`, today or earlier; a proposed one is given up.
    pub fn close(mut self, closed_on: NaiveDate, reason: &str, now: Instant) -> Decision<Self> {
        self.permit("close")?;
        let registration = self.registration().cloned();
        let mut broken = Violations::new();
        broken.require_reason(reason, "/reason");
        not_future(&mut broken, closed_on, "/closedOn", now);
        let follows = registration.as_ref().is_none_or(|r| r.registered_on <= closed_on);
        broken.require(follows, &DATES_REVERSED, "/closedOn", "it closed before it was registered");
        broken.refuse_any()?;
        let reason = reasoned(reason)?;
        let event = HomeEvent::HomeClosed { provider: self.provider, closed_on, reason: reason.clone() };
        self.state = HomeState::Closed { registration, closed_on, reason };
        Ok((self, vec![event]))
    }

    /// Adds a rating to the history, in any order of inspections. A second entry for one inspection corrects the first.
    pub fn record_rating(mut self, facts: RatingFacts, actor: &Actor, now: Instant) -> Decision<Self> {
        self.permit("record_rating")?;
        let mut broken = Violations::new();
        not_future(&mut broken, facts.inspected_on, "/inspectedOn", now);
        if let Some(published_on) = facts.published_on {
            not_future(&mut broken, published_on, "/publishedOn", now);
            let follows = facts.inspected_on <= published_on;
            broken.require(follows, &DATES_REVERSED, "/publishedOn", "it was published before the inspection");
        }
        broken.require(!facts.source.trim().is_empty(), &RATING_SOURCE_REQUIRED, "/source", "a source is required");
        let earlier = self.ratings.iter().rev().find(|e| e.facts.inspected_on == facts.inspected_on);
        let correction = earlier.is_some();
        if earlier.is_some_and(|e| e.facts.rating == facts.rating && e.facts.held_from() == facts.held_from()) {
            broken.add(RATING_ALREADY_RECORDED.broken(format!("the inspection of {} stands so", facts.inspected_on)));
        }
        broken.refuse_any()?;
        let (provider, today) = (self.provider, now.date());
        let (rating, inspected_on) = (facts.rating, facts.inspected_on);
        let from = self.rating_on(today);
        self.ratings.push(RatingEntry { facts, recorded_at: now, recorded_by: actor.subject.clone() });
        let to = self.rating_on(today);
        let mut events = vec![HomeEvent::RatingRecorded { provider, rating, inspected_on, correction }];
        if from != to {
            events.push(HomeEvent::RatingChanged { provider, from, to });
        }
        Ok((self, events))
    }

    /// Records whether the regulator's list says that its registration is suspended. What is recorded already changes nothing.
    pub fn record_registration_status(mut self, suspended: bool, now: Instant) -> Decision<Self> {
        self.permit("record_registration_status")?;
        if self.registration_suspended_at.is_some() == suspended {
            return Ok((self, vec![]));
        }
        let (provider, urn) = (self.provider, self.urn().unwrap_or_default().to_owned());
        self.registration_suspended_at = suspended.then_some(now);
        let event = if suspended {
            HomeEvent::HomeRegistrationSuspended { provider, urn }
        } else {
            HomeEvent::HomeRegistrationRestored { provider, urn }
        };
        Ok((self, vec![event]))
    }

    /// The rating held on `date`: of the reports out by then, the latest inspection's, as last corrected.
    #[must_use]
    pub fn rating_on(&self, date: NaiveDate) -> Option<Rating> {
        let held = self.ratings.iter().map(|e| &e.facts).filter(|f| f.held_from() <= date);
        // Of equal inspections `max_by_key` takes the last one, which is the correction.
        held.max_by_key(|f| f.inspected_on).and_then(|f| f.rating)
    }

    /// The rating held now.
    #[must_use]
    pub fn current_rating(&self, now: Instant) -> Option<Rating> {
        self.rating_on(now.date())
    }

    /// The regulator's number, once registered.
    #[must_use]
    pub fn urn(&self) -> Option<&str> {
        self.registration().map(|r| r.urn.as_str())
    }

    /// The facts that tests look at, as of `on`; `None` where the home was not registered that day. `point` is the
    /// centre of its outward postcode, where the caller knows it.
    #[must_use]
    pub fn facts(&self, on: NaiveDate, point: Option<Point>) -> Option<HomeFacts> {
        let open = match &self.state {
            HomeState::Proposed { .. } | HomeState::Registered { .. } => true,
            HomeState::Closed { closed_on, .. } => on < *closed_on,
        };
        let registration = self.registration().filter(|r| open && r.registered_on <= on)?;
        Some(HomeFacts {
            id: self.id,
            urn: registration.urn.clone(),
            rating: self.rating_on(on),
            location: Location {
                postcode: self.profile.postcode.clone(),
                local_authority: self.profile.local_authority.clone(),
                point,
            },
            registered_manager: self.profile.registered_manager.as_ref().map(|m| match m {
                RegisteredManager::Filled { .. } => true,
                RegisteredManager::Vacant => false,
            }),
        })
    }

    fn added(
        id: HomeId,
        provider: ProviderId,
        profile: HomeProfile,
        state: HomeState,
        now: Instant,
    ) -> (Self, Vec<HomeEvent>) {
        let ratings = Vec::new();
        let home = Self { id, provider, profile, ratings, registration_suspended_at: None, added_at: now, state };
        let event = HomeEvent::HomeAdded { provider, urn: home.urn().map(str::to_owned) };
        (home, vec![event])
    }

    fn registration(&self) -> Option<&Registration> {
        match &self.state {
            HomeState::Proposed { .. } => None,
            HomeState::Registered { registration } => Some(registration),
            HomeState::Closed { registration, .. } => registration.as_ref(),
        }
    }
}

#[cfg(test)]
mod tests;

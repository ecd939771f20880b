//! A registered home or setting with its dated rating history (A20, CHE-09, CHE-12).

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, Serialize};
use strum::{IntoStaticStr, VariantNames};
use utoipa::ToSchema;
use validator::Validate;

use super::boundary::{Location, Postcode, is_same_authority};
use super::eligibility::{HomeFacts, StatedRating};
use super::identifier::{REGULATOR_FORMS, is_regulator_number, regulator_number};
use super::provider::{REGULATOR_ID_MALFORMED, reasoned};
use super::{Rating, StatedBy};
use crate::arrangement::policy::Point;
use crate::kernel::text::{tidied, tidy};
use crate::kernel::{About, Aggregate, Decision, Difference, HomeId, Instant, Kind, ProviderId, State, Violations};

mod event;
mod rating;
mod release;
mod transfer;

pub use event::HomeEvent;
pub use rating::{RatingEntry, RatingFacts};
pub use release::{Listed, Listing, OwnerReading, RegisterOwner, Said};
pub use transfer::{FormerOwner, HomeCorrection, Transfer};

crate::rules! {
    HOME_NAME_REQUIRED = "home_name_required", Input, "A20", "A home has a name.";
    URN_TAKEN = "urn_taken", Conflict, "A20", "A regulator's number names one home.";
    BEDS_OUT_OF_RANGE = "beds_out_of_range", Input, "CHE-09", "A home whose size is stated has at least one bed.";
    DATE_IN_FUTURE = "date_in_future", Input, "A20", "What is recorded as having happened lies in the past.";
    DATES_REVERSED = "dates_reversed", Input, "A20", "A report follows its inspection, and a closure the registration.";
    RATING_SOURCE_REQUIRED = "rating_source_required", Input, "TIR-05", "A rating names its source.";
    RATING_ALREADY_RECORDED = "rating_already_recorded", Conflict, "A20",
        "The rating history is append-only: what it already says is not recorded again.";
    TRANSFER_EMPTY = "transfer_empty", Input, "A20", "A home is transferred to another provider than its own.";
    TRANSFER_NOT_OFFERED = "transfer_not_offered", Conflict, "A20", "A transfer is accepted or declined when it was offered.";
    OFFICER_PUTS_RIGHT = "officer_puts_right", Conflict, "A20",
        "Of a home that the regulator judged or listed, number, dates and closure are put right by an officer.";
    OTHER_KIND_REQUIRED = "other_kind_required", Input, "A20", "A kind that is none of those known is named.";
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
    /// As it is kept: each text composed, with single blanks.
    #[must_use]
    pub fn tidied(self) -> Self {
        Self {
            name: tidy(&self.name),
            kind: match self.kind {
                HomeKind::Other(words) => HomeKind::Other(tidy(&words)),
                known => known,
            },
            local_authority: tidied(self.local_authority),
            region: tidied(self.region),
            ..self
        }
    }

    fn checked(self, broken: &mut Violations, now: Instant) -> Self {
        let profile = self.tidied();
        let named = !matches!(&profile.kind, HomeKind::Other(words) if words.is_empty());
        broken.require(named, &OTHER_KIND_REQUIRED, "/kind", "say what it is");
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
        broken.require(is_regulator_number(&urn), &REGULATOR_ID_MALFORMED, "/urn", REGULATOR_FORMS);
        not_future(broken, self.registered_on, "/registeredOn", now);
        Self { urn, ..self }
    }
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
            Self::Proposed { .. } => &["amend", "register", "close", "transfer"],
            Self::Registered { .. } => {
                &["amend", "record_rating", "record_registration_status", "close", "transfer", "correct"]
            }
            // A report may come out after the home has closed; it still counts for earlier dates.
            Self::Closed { registration: Some(_), .. } => &["record_rating", "correct", "reopen"],
            Self::Closed { registration: None, .. } => &["reopen"],
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
    #[schema(required = false)]
    pub registration_suspended_at: Option<Instant>,
    /// What the regulator's latest release says of it beside ratings; that wins over the profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub listed: Option<Listed>,
    /// Whose it was before, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub owners: Vec<FormerOwner>,
    /// The transfer that its owner offers, until the buyer accepts or declines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub transfer: Option<Transfer>,
    /// When it was added.
    pub added_at: Instant,
    /// State.
    #[serde(flatten)]
    pub state: HomeState,
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
        let Difference { changed, before, after } = Difference::between(&self.profile, &profile, &[]);
        if changed.is_empty() {
            return Ok((self, vec![]));
        }
        self.profile = profile;
        let event = HomeEvent::HomeAmended { provider: self.provider, changed, before, after };
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
        self.transfer = None;
        Ok((self, vec![event]))
    }

    /// The regulator's number, once registered.
    #[must_use]
    pub fn urn(&self) -> Option<&str> {
        self.registration().map(|r| r.urn.as_str())
    }

    /// The facts that tests look at, as of `on`; `None` where the home was not registered that day. `find` gives the centre of
    /// an outward postcode, where the caller knows it.
    #[must_use]
    pub fn facts(&self, on: NaiveDate, find: impl Fn(&Postcode) -> Option<Point>) -> Option<HomeFacts> {
        let open = match &self.state {
            HomeState::Proposed { .. } | HomeState::Registered { .. } => true,
            HomeState::Closed { closed_on, .. } => on < *closed_on,
        };
        let registration = self.registration().filter(|r| open && r.registered_on <= on)?;
        let held = self.held_on(on);
        let (location, located_by) = self.location(find);
        Some(HomeFacts {
            id: self.id,
            urn: registration.urn.clone(),
            rating: held.and_then(|entry| entry.facts.rating),
            rated_by: held.map(|entry| entry.stated_by),
            stated: self.stated_on(on).map(StatedRating::from),
            location,
            located_by,
            registered_manager: self.profile.registered_manager.as_ref().map(|m| match m {
                RegisteredManager::Filled { .. } => true,
                RegisteredManager::Vacant => false,
            }),
            listed_under: None,
        })
    }

    /// The kind of setting, with whose word that is: the regulator's where its release tells.
    #[must_use]
    pub fn kind(&self) -> (&HomeKind, StatedBy) {
        let listed = self.listed.as_ref().and_then(|listed| listed.says.kind.as_ref());
        listed.map_or((&self.profile.kind, StatedBy::Provider), |kind| (kind, StatedBy::Regulator))
    }

    /// Where it stands, with whose word that is: the regulator's where its release tells. A postcode that the provider states
    /// does not count where the regulator names another authority than the provider.
    fn location(&self, find: impl Fn(&Postcode) -> Option<Point>) -> (Location, StatedBy) {
        let stated = &self.profile;
        let listed = self.listed.as_ref().map(|listed| listed.says.clone()).unwrap_or_default();
        let agrees = match (&listed.local_authority, &stated.local_authority) {
            (Some(listed), Some(stated)) => is_same_authority(listed, stated),
            (_, _) => true,
        };
        let (by_list, named) = (listed.postcode.is_some(), listed.local_authority.is_some());
        let postcode = listed.postcode.or_else(|| stated.postcode.clone().filter(|_| agrees));
        let local_authority = listed.local_authority.or_else(|| stated.local_authority.clone());
        let point = postcode.as_ref().and_then(find);
        // It is the regulator's word where no part of it is the provider's.
        let is_stated = (!by_list && postcode.is_some()) || (!named && local_authority.is_some());
        let by = if (by_list || named) && !is_stated { StatedBy::Regulator } else { StatedBy::Provider };
        (Location { postcode, local_authority, point }, by)
    }

    fn added(
        id: HomeId,
        provider: ProviderId,
        profile: HomeProfile,
        state: HomeState,
        now: Instant,
    ) -> (Self, Vec<HomeEvent>) {
        let home = Self {
            id,
            provider,
            profile,
            ratings: Vec::new(),
            registration_suspended_at: None,
            listed: None,
            owners: Vec::new(),
            transfer: None,
            added_at: now,
            state,
        };
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

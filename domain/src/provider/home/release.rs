//! What the regulator's release says of a home: the latest one wins over anything a provider said.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::rating::RatingFacts;
use super::{Home, HomeEvent, HomeKind, HomeState, StatedBy};
use crate::kernel::text::organisation;
use crate::kernel::{Actor, Aggregate as _, Decision, Difference, Instant, Violations};
use crate::provider::boundary::Postcode;

/// The organisation that the regulator lists as a home's owner.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegisterOwner {
    /// Its name as printed.
    pub name: String,
    /// Its number, where the release has one.
    pub number: Option<String>,
}

/// What a home's being listed under another owner looks like.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OwnerReading {
    /// The same owner under another name: its number is the same, or the name is that of the home's provider.
    Rename,
    /// Another owner: the numbers differ.
    Sale,
    /// Neither is told by the release.
    Unclear,
}

/// What the regulator's latest release says of a home, beside its ratings. What it does not say is absent.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Listing {
    /// Kind of setting.
    pub kind: Option<HomeKind>,
    /// The local authority it stands in.
    pub local_authority: Option<String>,
    /// Its postcode.
    pub postcode: Option<Postcode>,
    /// Registered places.
    pub places: Option<u16>,
    /// Who owns it.
    pub owner: Option<RegisterOwner>,
}

/// A [`Listing`] with the day of which it speaks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// The latest day of which a release speaks; the day it was sent, where none says.
    #[schema(value_type = String, format = Date)]
    pub on: NaiveDate,
    /// Whether a release said so itself.
    #[serde(default)]
    pub dated: bool,
    /// What it says.
    pub says: Listing,
}

/// What a release says of one home.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Said {
    /// The day of which the release speaks, where it says so.
    pub as_at: Option<NaiveDate>,
    /// What it says beside ratings.
    pub listing: Listing,
    /// The inspections that it tells of with their judgements, oldest first.
    pub inspections: Vec<RatingFacts>,
    /// Whether its registration is suspended, where it says.
    pub suspended: Option<bool>,
    /// Whether that is all: a release with columns for judgements in which there is no other.
    pub whole: bool,
}

impl Home {
    /// Records what a release says, where that is new. What it repeats changes nothing, so that a correction by an officer stands
    /// until the regulator says something else. A release that is older than the last one adds inspections and changes none.
    /// `names` are the names of the home's provider, present and past.
    pub fn released(mut self, said: Said, names: &[String], actor: &Actor, now: Instant) -> Decision<Self> {
        self.permit("record_rating")?;
        let mut broken = Violations::new();
        said.inspections.iter().for_each(|facts| facts.check(&mut broken, now));
        broken.refuse_any()?;
        let as_at = said.as_at.filter(|day| *day <= now.date());
        let on = as_at.unwrap_or_else(|| now.date());
        // One that does not say of when it speaks makes no other stale.
        let stale = as_at.is_some() && self.listed.as_ref().is_some_and(|known| known.dated && known.on > on);
        let latest = said.inspections.iter().map(|facts| facts.inspected_on).max();
        let mut news: Vec<(RatingFacts, bool)> = Vec::new();
        for facts in said.inspections {
            let known = self.said_of(facts.inspected_on);
            let told = |known: &RatingFacts| {
                known.rating == facts.rating && (facts.published_on.is_none() || known.held_from() == facts.held_from())
            };
            if !known.is_some_and(|known| stale || told(known)) {
                news.push((facts, false));
            }
        }
        // A list that does not say of which day it is may be older than what it leaves out; a blank says that there is nothing.
        if said.whole && !stale && (as_at.is_some() || latest.is_none()) {
            news.extend(self.withdrawn_after(latest).into_iter().map(|facts| (facts, true)));
        }
        let mut events = Vec::new();
        for (facts, withdrawn) in news {
            events.extend(self.enter(facts, StatedBy::Regulator, withdrawn, actor, now));
        }
        if !stale {
            events.extend(self.list(on, as_at.is_some(), said.listing, names));
        }
        match (said.suspended, &self.state) {
            (Some(suspended), HomeState::Registered { .. }) if !stale => {
                let (home, more) = self.record_registration_status(suspended, now)?;
                events.extend(more);
                Ok((home, events))
            }
            // Of a home that is closed here the list tells nothing new.
            (_, _) => Ok((self, events)),
        }
    }

    /// Judgements of inspections after `latest` that the regulator made and no longer publishes, as withdrawn.
    fn withdrawn_after(&self, latest: Option<NaiveDate>) -> Vec<RatingFacts> {
        let later = |day: NaiveDate| latest.is_none_or(|latest| day > latest);
        let mut days: Vec<NaiveDate> = self
            .counting()
            .filter(|e| e.stated_by == StatedBy::Regulator && later(e.facts.inspected_on))
            .map(|e| e.facts.inspected_on)
            .collect();
        days.sort_unstable();
        days.dedup();
        let standing = days.into_iter().filter_map(|day| self.said_of(day)).filter(|facts| facts.rating.is_some());
        standing.map(|facts| RatingFacts { rating: None, ..facts.clone() }).collect()
    }

    /// Keeps what a release says beside ratings.
    fn list(&mut self, on: NaiveDate, dated: bool, says: Listing, names: &[String]) -> Vec<HomeEvent> {
        let before = self.listed.as_ref();
        let old = before.map(|listed| listed.says.clone()).unwrap_or_default();
        // What a release leaves out, an earlier one may have said.
        let says = Listing {
            kind: says.kind.or(old.kind.clone()),
            local_authority: says.local_authority.or(old.local_authority.clone()),
            postcode: says.postcode.or(old.postcode.clone()),
            places: says.places.or(old.places),
            owner: says.owner.or(old.owner.clone()),
        };
        let differs = Difference::between(&old, &says, &[]);
        if before.is_some_and(|known| differs.changed.is_empty() && !(dated && (!known.dated || known.on < on))) {
            return Vec::new();
        }
        let provider = self.provider;
        let owner =
            old.owner.zip(says.owner.clone()).filter(|(from, to)| organisation(&from.name) != organisation(&to.name));
        let owner = owner.map(|(from, to)| {
            let reading = reading(&from, &to, names);
            HomeEvent::HomeOwnerChanged { provider, from, to, reading }
        });
        let known = self.listed.as_ref().filter(|known| known.dated && !dated).map(|known| known.on);
        self.listed = Some(Listed { on: known.unwrap_or(on), dated: dated || known.is_some(), says });
        let Difference { changed, before, after } = differs;
        std::iter::once(HomeEvent::HomeListed { provider, on, changed, before, after }).chain(owner).collect()
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

    /// Whether the regulator lists it under an organisation that is not among these names; who that is.
    #[must_use]
    pub fn listed_under_another(&self, names: &[String]) -> Option<&str> {
        let owner = self.listed.as_ref()?.says.owner.as_ref()?;
        let listed = without_form(&owner.name);
        (!names.iter().any(|name| without_form(name) == listed)).then_some(owner.name.as_str())
    }
}

/// An organisation's name without its legal form, which lists leave out as they like.
fn without_form(name: &str) -> String {
    let name = organisation(name);
    let form = ["limited", "plc", "llp", "cic"].into_iter().find_map(|form| name.strip_suffix(form));
    form.map(str::to_owned).unwrap_or(name)
}

fn reading(from: &RegisterOwner, to: &RegisterOwner, names: &[String]) -> OwnerReading {
    let is_named = names.iter().any(|name| without_form(name) == without_form(&to.name));
    match (&from.number, &to.number) {
        (Some(from), Some(to)) if from == to => OwnerReading::Rename,
        (Some(_), Some(_)) => OwnerReading::Sale,
        (None, _) | (_, None) if is_named => OwnerReading::Rename,
        (None, _) | (_, None) => OwnerReading::Unclear,
    }
}

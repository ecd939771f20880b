//! A provider of care, kept at organisation level: no person's name or address (A20).

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};
use utoipa::ToSchema;
use validator::Validate;

use super::StatedBy;
use super::identifier::is_placeholder;
use crate::kernel::{
    About, Actor, Aggregate, Decision, Difference, Effect, Impediment, Imposed, Instant, Kind, ProviderId, Refusal,
    State, Violations, Whom,
};
use crate::law::exclusion;

mod event;
mod profile;

pub use event::ProviderEvent;
pub use profile::{ExternalRef, ProviderProfile};

crate::rules! {
    LEGAL_NAME_REQUIRED = "legal_name_required", Input, "A20", "A provider is registered under its legal name.";
    REGULATOR_ID_MALFORMED = "regulator_id_malformed", Input, "A20",
        "A number has a form that its regulator, or Companies House, gives; a word that stands for a missing one is none.";
    ALREADY_REGISTERED = "already_registered", Conflict, "A20", "A provider is registered once.";
    AGENCY_URN_TAKEN = "agency_urn_taken", Conflict, "A20", "A regulator's number names one provider.";
    COMPANY_NUMBER_TAKEN = "company_number_taken", Conflict, "A20", "A company number names one provider.";
    CONTACT_MALFORMED = "contact_malformed", Input, "A20", "A contact is an e-mail address and a telephone number.";
    EXTERNAL_REF_TAKEN = "external_ref_taken", Conflict, "CRD-07", "A portal knows a provider by one reference.";
    EXTERNAL_REF_IN_USE = "external_ref_in_use", Conflict, "DPS-24, CRD-09", "A portal's reference names one provider.";
    PORTAL_NAME_FOREIGN = "portal_name_foreign", Forbidden, "CRD-09",
        "A machine client writes references under its own portal name, and nobody else does.";
    EXTERNAL_REF_BLANK = "external_ref_blank", Input, "CRD-07",
        "An external reference names the portal and its reference; a word that stands for a missing one is none.";
    EXCLUSION_MALFORMED = "exclusion_malformed", Input, "PCR57, PA58",
        "An exclusion names its ground, its evidence and a period that does not end before it begins.";
    EXCLUSION_UNKNOWN = "exclusion_unknown", Input, "PCR57, PA58", "Self-cleaning answers a recorded exclusion.";
}

/// Fields of the profile whose values stay out of the record: it is kept for ever.
const CONTACTS: [&str; 2] = ["email", "phone"];

/// An exclusion to be recorded.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExclusionFacts {
    /// Code of the ground in the regime's rule set.
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    pub ground: String,
    /// When the ground arose.
    #[schema(value_type = String, format = Date)]
    pub from: NaiveDate,
    /// The last day of its look-back, where one is fixed.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date)]
    pub until: Option<NaiveDate>,
    /// References of the evidence.
    pub evidence: Vec<String>,
}

/// How an authority judged a provider's self-cleaning; a refusal carries its reasons (PCR57).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SelfCleaning {
    /// Whether it is enough.
    pub accepted: bool,
    /// Why.
    pub reason: String,
    /// References of the provider's evidence.
    #[serde(default)]
    pub evidence: Vec<String>,
}

/// A recorded exclusion; never removed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Exclusion {
    /// What was recorded.
    pub facts: ExclusionFacts,
    /// Subject of the account that recorded it.
    pub recorded_by: String,
    /// When.
    pub recorded_at: Instant,
    /// The latest judgement of self-cleaning.
    pub self_cleaning: Option<SelfCleaning>,
}

/// Registered providers apply; dormant ones keep their record only.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[strum(serialize_all = "snake_case")]
pub enum ProviderState {
    /// In business.
    Registered,
    /// Not in business.
    Dormant {
        /// Since when.
        since: Instant,
        /// Why.
        reason: String,
    },
}

impl State for ProviderState {
    fn knows(&self) -> &'static [&'static str] {
        match self {
            Self::Registered => &[
                "amend",
                "correct",
                "confirm_in_house",
                "add_external_ref",
                "add_home",
                "make_dormant",
                "record_exclusion",
                "judge_self_cleaning",
            ],
            // What disqualifies a provider is recorded whether or not it is in business, and what was mistyped is put right.
            Self::Dormant { .. } => {
                &["correct", "confirm_in_house", "reactivate", "record_exclusion", "judge_self_cleaning"]
            }
        }
    }
}

/// A time out of business that is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Dormancy {
    /// When it became dormant.
    pub from: Instant,
    /// When it was in business again.
    pub until: Instant,
}

/// A name that a provider had.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FormerName {
    /// Its registered name then.
    pub name: String,
    /// Until when.
    pub until: Instant,
}

/// Whether a provider is an authority's own service, as an officer confirmed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ConfirmedInHouse)]
pub struct InHouse {
    /// Whether it is.
    pub in_house: bool,
    /// Why, such as the authority whose it is.
    pub reason: String,
    /// Subject of the account that confirmed it.
    pub by: String,
    /// When.
    pub at: Instant,
}

/// What was wrong in who a provider is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProviderCorrection {
    /// The registered name; as it is where absent.
    #[serde(default)]
    #[validate(length(max = 500))]
    #[schema(max_length = 500)]
    pub legal_name: Option<String>,
    /// The regulator's number of the agency; as it is where absent.
    #[serde(default)]
    pub agency_urn: Option<String>,
    /// The number at Companies House; as it is where absent.
    #[serde(default)]
    pub company_number: Option<String>,
    /// Why.
    #[validate(length(max = 4000))]
    #[schema(max_length = 4000)]
    pub reason: String,
}

/// A provider of care (A20).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Provider {
    /// Identifier.
    pub id: ProviderId,
    /// What it says of itself; earlier versions live in the events.
    pub profile: ProviderProfile,
    /// Names that it had, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub former_names: Vec<FormerName>,
    /// Whether it is an authority's own service, as an officer confirmed last; what the profile says is the provider's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub in_house: Option<InHouse>,
    /// What portals call it.
    pub external_refs: Vec<ExternalRef>,
    /// Subject of the portal or account that registered it.
    pub registered_by: String,
    /// When.
    pub registered_at: Instant,
    /// Its exclusion record, oldest first.
    pub exclusions: Vec<Exclusion>,
    /// When it was dormant before, oldest first: standing in the past stays answerable.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub past_dormancies: Vec<Dormancy>,
    /// State.
    #[serde(flatten)]
    pub state: ProviderState,
}

impl Aggregate for Provider {
    type Id = ProviderId;
    type State = ProviderState;
    type Event = ProviderEvent;
    const KIND: Kind = Kind::Provider;

    fn id(&self) -> ProviderId {
        self.id
    }

    fn state(&self) -> &ProviderState {
        &self.state
    }

    fn about(&self) -> About {
        About { provider: Some(self.id), ..About::default() }
    }

    /// Its dormancies, past and present, against every membership that it has.
    fn impediments(&self) -> Vec<Imposed> {
        let on = Whom { provider: self.id, arrangement: None, lot: None, membership: None };
        let present = match self.state {
            ProviderState::Registered => None,
            ProviderState::Dormant { since, .. } => Some((since, None)),
        };
        let past = self.past_dormancies.iter().map(|time| (time.from, Some(time.until)));
        let source = (Kind::Provider, self.id.0);
        let dormant = |(from, until)| Impediment::new(Effect::Dormant, source, from, until);
        past.chain(present).map(|time| Imposed { on, impediment: dormant(time) }).collect()
    }
}

impl Provider {
    /// Registers a provider; `actor` is the portal or account it belongs to from now on.
    pub fn register(id: ProviderId, profile: ProviderProfile, actor: &Actor, now: Instant) -> Decision<Self> {
        let mut broken = Violations::new();
        let profile = profile.checked(&mut broken);
        broken.refuse_any()?;
        let (legal_name, in_house) = (profile.legal_name.clone(), profile.in_house);
        let provider = Self {
            id,
            profile,
            former_names: Vec::new(),
            in_house: None,
            external_refs: Vec::new(),
            registered_by: actor.subject.clone(),
            registered_at: now,
            exclusions: Vec::new(),
            past_dormancies: Vec::new(),
            state: ProviderState::Registered,
        };
        Ok((provider, vec![ProviderEvent::ProviderRegistered { legal_name, in_house }]))
    }

    /// Replaces the profile. One that changes nothing has no event.
    pub fn amend(mut self, profile: ProviderProfile, now: Instant) -> Decision<Self> {
        self.permit("amend")?;
        let mut broken = Violations::new();
        let profile = profile.checked(&mut broken);
        broken.refuse_any()?;
        let Difference { changed, before, after } = Difference::between(&self.profile, &profile, &CONTACTS);
        if changed.is_empty() {
            return Ok((self, vec![]));
        }
        let legal_name = profile.legal_name.clone();
        let former_name = self.replace(profile, now);
        let event = ProviderEvent::ProviderAmended { changed, before, after, legal_name, former_name };
        Ok((self, vec![event]))
    }

    /// Puts right who it is: what was mistyped, or what Companies House says otherwise. What is as it was changes nothing.
    pub fn correct(mut self, correction: ProviderCorrection, actor: &Actor, now: Instant) -> Decision<Self> {
        self.permit("correct")?;
        let mut broken = Violations::new();
        let is = self.profile.clone();
        let profile = ProviderProfile {
            legal_name: correction.legal_name.unwrap_or(is.legal_name),
            agency_urn: correction.agency_urn.or(is.agency_urn),
            company_number: correction.company_number.or(is.company_number),
            ..self.profile.clone()
        };
        let profile = profile.checked(&mut broken);
        broken.require_reason(&correction.reason, "/reason");
        broken.refuse_any()?;
        let Difference { changed, before, after } = Difference::between(&self.profile, &profile, &CONTACTS);
        if changed.is_empty() {
            return Ok((self, vec![]));
        }
        self.replace(profile, now);
        let (stated_by, reason) = (StatedBy::of(actor), reasoned(&correction.reason)?);
        let event = ProviderEvent::ProviderCorrected { changed, before, after, stated_by, reason };
        Ok((self, vec![event]))
    }

    /// Records whether it is an authority's own service, as an officer who knows. The same again changes nothing.
    pub fn confirm_in_house(mut self, in_house: bool, reason: &str, actor: &Actor, now: Instant) -> Decision<Self> {
        self.permit("confirm_in_house")?;
        let reason = reasoned(reason)?;
        if self.in_house.as_ref().is_some_and(|known| known.in_house == in_house && known.reason == reason) {
            return Ok((self, vec![]));
        }
        self.in_house = Some(InHouse { in_house, reason: reason.clone(), by: actor.subject.clone(), at: now });
        Ok((self, vec![ProviderEvent::InHouseConfirmed { in_house, reason }]))
    }

    /// Whether it is an authority's own service: only where an officer confirmed it.
    #[must_use]
    pub fn is_in_house(&self) -> bool {
        self.in_house.as_ref().is_some_and(|known| known.in_house)
    }

    /// Its names, present and past, those that it trades under included.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let past = self.former_names.iter().map(|former| &former.name);
        std::iter::once(&self.profile.legal_name).chain(&self.profile.trading_names).chain(past).cloned().collect()
    }

    /// Puts another profile in the place of its own; the registered name before, where that differs.
    fn replace(&mut self, profile: ProviderProfile, now: Instant) -> Option<String> {
        let former = std::mem::replace(&mut self.profile, profile).legal_name;
        let former = Some(former).filter(|name| *name != self.profile.legal_name)?;
        self.former_names.push(FormerName { name: former.clone(), until: now });
        Some(former)
    }

    /// Adds what a portal calls the provider. The same again is no change; another from the same portal is refused.
    pub fn add_external_ref(mut self, external_ref: ExternalRef) -> Decision<Self> {
        self.permit("add_external_ref")?;
        let external_ref = external_ref.trimmed();
        let mut broken = Violations::new();
        let named = |text: &str| !text.is_empty() && !is_placeholder(text);
        let blank = "this names nothing";
        broken.require(named(&external_ref.portal), &EXTERNAL_REF_BLANK, "/portal", blank);
        broken.require(named(&external_ref.reference), &EXTERNAL_REF_BLANK, "/reference", blank);
        broken.refuse_any()?;
        match self.external_refs.iter().find(|known| known.portal == external_ref.portal) {
            Some(known) if *known == external_ref => Ok((self, vec![])),
            Some(known) => {
                let detail = format!("{} knows it as {}", known.portal, known.reference);
                Err(EXTERNAL_REF_TAKEN.broken_at("/reference", detail).into())
            }
            None => {
                self.external_refs.push(external_ref.clone());
                let event = ProviderEvent::ExternalRefAdded { external_ref };
                Ok((self, vec![event]))
            }
        }
    }

    /// Records that it is no longer in business.
    pub fn make_dormant(mut self, reason: &str, now: Instant) -> Decision<Self> {
        self.permit("make_dormant")?;
        let reason = reasoned(reason)?;
        self.state = ProviderState::Dormant { since: now, reason: reason.clone() };
        let event = ProviderEvent::ProviderMadeDormant { reason };
        Ok((self, vec![event]))
    }

    /// Records that it is in business again.
    pub fn reactivate(mut self, reason: &str, now: Instant) -> Decision<Self> {
        self.permit("reactivate")?;
        let reason = reasoned(reason)?;
        if let ProviderState::Dormant { since, .. } = self.state {
            self.past_dormancies.push(Dormancy { from: since, until: now });
        }
        self.state = ProviderState::Registered;
        let event = ProviderEvent::ProviderReactivated { reason };
        Ok((self, vec![event]))
    }

    /// Adds to the exclusion record; whether the ground applies is for the regime's rule set to say. What it says already changes
    /// nothing.
    pub fn record_exclusion(mut self, facts: ExclusionFacts, actor: &Actor, now: Instant) -> Decision<Self> {
        self.permit("record_exclusion")?;
        let mut broken = Violations::new();
        let detail = "a ground is required";
        let named = !facts.ground.trim().is_empty();
        broken.require(named, &EXCLUSION_MALFORMED, "/ground", detail);
        // A misspelt one would count for nothing, and nobody would know.
        let unknown = exclusion::unknown(&facts.ground, "/ground").filter(|_| named);
        if let Some(unknown) = unknown {
            broken.add(unknown);
        }
        let detail = "evidence is required";
        broken.require(facts.evidence.iter().any(|e| !e.trim().is_empty()), &EXCLUSION_MALFORMED, "/evidence", detail);
        let detail = "it ends before it begins";
        broken.require(facts.until.is_none_or(|u| u >= facts.from), &EXCLUSION_MALFORMED, "/until", detail);
        broken.require(facts.from <= now.date(), &EXCLUSION_MALFORMED, "/from", "it lies in the future");
        broken.refuse_any()?;
        if self.exclusions.iter().any(|known| known.facts == facts) {
            return Ok((self, vec![]));
        }
        let event =
            ProviderEvent::ExclusionRecorded { ground: facts.ground.clone(), from: facts.from, until: facts.until };
        let recorded_by = actor.subject.clone();
        self.exclusions.push(Exclusion { facts, recorded_by, recorded_at: now, self_cleaning: None });
        Ok((self, vec![event]))
    }

    /// Records how self-cleaning was judged for the exclusion at `index` (PA58: representations come first).
    pub fn judge_self_cleaning(mut self, index: usize, judged: SelfCleaning) -> Decision<Self> {
        self.permit("judge_self_cleaning")?;
        let mut broken = Violations::new();
        broken.require_reason(&judged.reason, "/reason");
        let Some(exclusion) = self.exclusions.get_mut(index) else {
            broken.add(EXCLUSION_UNKNOWN.broken(format!("no exclusion {index} is recorded")));
            return broken.refuse_any().map(|()| (self, vec![]));
        };
        broken.refuse_any()?;
        if exclusion.self_cleaning.as_ref() == Some(&judged) {
            return Ok((self, vec![]));
        }
        let event = ProviderEvent::SelfCleaningJudged {
            ground: exclusion.facts.ground.clone(),
            accepted: judged.accepted,
            reason: judged.reason.clone(),
        };
        exclusion.self_cleaning = Some(judged);
        Ok((self, vec![event]))
    }

    /// Whether homes may be added to it: a dormant provider keeps its record only.
    ///
    /// # Errors
    /// [`Refusal::WrongState`] where it is not in business.
    pub fn may_add_home(&self) -> Result<(), Refusal> {
        self.permit("add_home")
    }
}

/// The reason, trimmed, or the refusal that one is required.
pub(crate) fn reasoned(reason: &str) -> Result<String, Refusal> {
    let mut broken = Violations::new();
    broken.require_reason(reason, "/reason");
    broken.refuse_any().map(|()| reason.trim().to_owned())
}

#[cfg(test)]
mod tests;

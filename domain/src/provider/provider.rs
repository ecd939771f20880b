//! A provider of care, kept at organisation level: no person's name or address (A20).

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};
use utoipa::ToSchema;
use validator::Validate;

use super::changed_fields;
use crate::kernel::{
    About, Actor, Aggregate, Decision, Effect, Impediment, Imposed, Instant, Kind, ProviderId, Refusal, State,
    Violations, Whom,
};
use crate::law::exclusion;

crate::rules! {
    LEGAL_NAME_REQUIRED = "legal_name_required", Input, "A20", "A provider is registered under its legal name.";
    REGULATOR_ID_MALFORMED = "regulator_id_malformed", Input, "A20",
        "A regulator's number is up to 20 letters, digits, '-' and '/'; a company number is 8 letters and digits.";
    ALREADY_REGISTERED = "already_registered", Conflict, "A20", "A provider is registered once.";
    AGENCY_URN_TAKEN = "agency_urn_taken", Conflict, "A20", "A regulator's number names one provider.";
    COMPANY_NUMBER_TAKEN = "company_number_taken", Conflict, "A20", "A company number names one provider.";
    CONTACT_MALFORMED = "contact_malformed", Input, "A20", "A contact is an e-mail address and a telephone number.";
    EXTERNAL_REF_TAKEN = "external_ref_taken", Conflict, "CRD-07", "A portal knows a provider by one reference.";
    EXTERNAL_REF_IN_USE = "external_ref_in_use", Conflict, "DPS-24, CRD-09", "A portal's reference names one provider.";
    PORTAL_NAME_FOREIGN = "portal_name_foreign", Forbidden, "CRD-09",
        "A machine client writes references under its own portal name, and nobody else does.";
    EXTERNAL_REF_BLANK = "external_ref_blank", Input, "CRD-07", "An external reference names the portal and its reference.";
    EXCLUSION_MALFORMED = "exclusion_malformed", Input, "PCR57, PA58",
        "An exclusion names its ground, its evidence and a period that does not end before it begins.";
    EXCLUSION_UNKNOWN = "exclusion_unknown", Input, "PCR57, PA58", "Self-cleaning answers a recorded exclusion.";
}

/// What a provider says of itself; registration and amendment send all of it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProviderProfile {
    /// The registered name.
    #[validate(length(max = 500))]
    #[schema(max_length = 500)]
    pub legal_name: String,
    /// Names it trades under.
    #[serde(default)]
    pub trading_names: Vec<String>,
    /// The regulator's number of the agency, such as `SC009423` or `2590934`; unique among providers.
    #[serde(default)]
    pub agency_urn: Option<String>,
    /// The number at Companies House, 8 characters; unique among providers.
    #[serde(default)]
    pub company_number: Option<String>,
    /// The organisation's e-mail address.
    #[serde(default)]
    #[validate(length(max = 320))]
    #[schema(max_length = 320)]
    pub email: Option<String>,
    /// The organisation's telephone number.
    #[serde(default)]
    #[validate(length(max = 100))]
    #[schema(max_length = 100)]
    pub phone: Option<String>,
    /// Whether it says that it is an authority's own service (MSC-01). No rule rests on it yet.
    #[serde(default)]
    pub in_house: bool,
}

impl ProviderProfile {
    /// Trimmed and in capitals where numbers are; what is wrong goes into `broken`.
    fn checked(self, broken: &mut Violations) -> Self {
        let number = |text: Option<String>, read: fn(&str) -> String| text.map(|n| read(&n)).filter(|n| !n.is_empty());
        let profile = Self {
            legal_name: self.legal_name.trim().to_owned(),
            trading_names: self.trading_names.into_iter().filter_map(|n| filled(Some(n))).collect(),
            agency_urn: number(self.agency_urn, regulator_number),
            company_number: number(self.company_number, company_number),
            email: filled(self.email),
            phone: filled(self.phone),
            in_house: self.in_house,
        };
        let all = |text: &Option<String>, ok: fn(&str) -> bool| text.as_deref().is_none_or(ok);
        let detail = "a legal name is required";
        broken.require(!profile.legal_name.is_empty(), &LEGAL_NAME_REQUIRED, "/legalName", detail);
        let detail = "such as SC009423 or 2590934";
        broken.require(all(&profile.agency_urn, is_regulator_id), &REGULATOR_ID_MALFORMED, "/agencyUrn", detail);
        let company = all(&profile.company_number, |n| n.len() == 8 && n.bytes().all(|b| b.is_ascii_alphanumeric()));
        broken.require(company, &REGULATOR_ID_MALFORMED, "/companyNumber", "such as 01234567 or OC301234");
        broken.require(all(&profile.email, is_email), &CONTACT_MALFORMED, "/email", "such as office@example.org");
        broken.require(all(&profile.phone, is_phone), &CONTACT_MALFORMED, "/phone", "such as +44 1223 000000");
        profile
    }
}

pub(super) fn filled(text: Option<String>) -> Option<String> {
    text.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty())
}

/// A regulator's number as it is kept, however it was written: what is looked up is read the same way.
#[must_use]
pub fn regulator_number(text: &str) -> String {
    text.split_whitespace().collect::<String>().to_ascii_uppercase()
}

/// A company number as it is kept: with the leading zeros that Companies House drops in places.
#[must_use]
pub fn company_number(text: &str) -> String {
    let number = regulator_number(text);
    let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    if digits { format!("{number:0>8}") } else { number }
}

/// Regulators differ (Ofsted `SC009423`, Wales with `/` and `-`), so only the alphabet is checked.
pub(super) fn is_regulator_id(text: &str) -> bool {
    (1..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'/')
}

fn is_email(text: &str) -> bool {
    !text.contains(char::is_whitespace)
        && text.rsplit_once('@').is_some_and(|(local, host)| !local.is_empty() && host.contains('.'))
}

fn is_phone(text: &str) -> bool {
    text.bytes().filter(u8::is_ascii_digit).count() >= 7
        && text.chars().all(|c| c.is_ascii_digit() || "+() -".contains(c))
}

/// What a portal calls the provider; the pair is unique among providers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExternalRef {
    /// The portal, such as `procontract`.
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    pub portal: String,
    /// Its reference.
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    pub reference: String,
}

impl ExternalRef {
    /// As it is kept: without blanks around it.
    #[must_use]
    pub fn trimmed(self) -> Self {
        Self { portal: self.portal.trim().to_owned(), reference: self.reference.trim().to_owned() }
    }
}

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
            Self::Registered => {
                &["amend", "add_external_ref", "add_home", "make_dormant", "record_exclusion", "judge_self_cleaning"]
            }
            // What disqualifies a provider is recorded whether or not it is in business.
            Self::Dormant { .. } => &["reactivate", "record_exclusion", "judge_self_cleaning"],
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

/// A provider of care (A20).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Provider {
    /// Identifier.
    pub id: ProviderId,
    /// What it says of itself; earlier versions live in the events.
    pub profile: ProviderProfile,
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

/// Events of a provider. Contact details stay out of them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema, VariantNames)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum ProviderEvent {
    /// It was registered.
    ProviderRegistered {
        /// Its registered name.
        legal_name: String,
        /// Whether an authority runs it.
        in_house: bool,
    },
    /// Its profile was replaced.
    ProviderAmended {
        /// The fields that differ.
        changed: Vec<String>,
        /// Its registered name since.
        legal_name: String,
        /// Its registered name before, where that differs.
        former_name: Option<String>,
    },
    /// A portal's reference was added.
    ExternalRefAdded {
        /// What the portal calls it.
        external_ref: ExternalRef,
    },
    /// It is no longer in business.
    ProviderMadeDormant {
        /// Why.
        reason: String,
    },
    /// It is in business again.
    ProviderReactivated {
        /// Why.
        reason: String,
    },
    /// An exclusion was recorded.
    ExclusionRecorded {
        /// Code of the ground.
        ground: String,
        /// When the ground arose.
        #[schema(value_type = String, format = Date)]
        from: NaiveDate,
        /// The last day of its look-back, where one is fixed.
        #[schema(value_type = Option<String>, format = Date)]
        until: Option<NaiveDate>,
    },
    /// Self-cleaning was judged.
    SelfCleaningJudged {
        /// Code of the ground.
        ground: String,
        /// Whether it is enough.
        accepted: bool,
        /// Why.
        reason: String,
    },
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
    pub fn amend(mut self, profile: ProviderProfile) -> Decision<Self> {
        self.permit("amend")?;
        let mut broken = Violations::new();
        let profile = profile.checked(&mut broken);
        broken.refuse_any()?;
        let changed = changed_fields(&self.profile, &profile);
        if changed.is_empty() {
            return Ok((self, vec![]));
        }
        let legal_name = profile.legal_name.clone();
        let former_name = Some(std::mem::replace(&mut self.profile, profile).legal_name).filter(|n| *n != legal_name);
        let event = ProviderEvent::ProviderAmended { changed, legal_name, former_name };
        Ok((self, vec![event]))
    }

    /// Adds what a portal calls the provider. The same again is no change; another from the same portal is refused.
    pub fn add_external_ref(mut self, external_ref: ExternalRef) -> Decision<Self> {
        self.permit("add_external_ref")?;
        let external_ref = external_ref.trimmed();
        let mut broken = Violations::new();
        let blank = "may not be blank";
        broken.require(!external_ref.portal.is_empty(), &EXTERNAL_REF_BLANK, "/portal", blank);
        broken.require(!external_ref.reference.is_empty(), &EXTERNAL_REF_BLANK, "/reference", blank);
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

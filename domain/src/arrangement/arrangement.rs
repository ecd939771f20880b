//! The arrangement (A1): DRAFT → LIVE → ESTABLISHED → EXTENDED, ended by EXPIRED, TERMINATED or, unpublished, DISCARDED.

use chrono::{Months, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::particulars::{check_documents, check_value};
use super::{
    AdmissionMode, Commands, Contact, DocumentRef, ExternalReference, NOTHING_DUE, Participant, Particulars, Policies,
    Regime, Terms, require_text, schedule,
};
use crate::kernel::{About, Aggregate, ArrangementId, Decision, Due, Instant, Kind, LotId, Pence, Violations};

crate::rules! {
    SPECIFICATION_REQUIRED = "specification_required", Input, "DPS-07",
        "A service specification is published before the arrangement goes live.";
    LOT_REQUIRED = "lot_required", Input, "DPS-08, PCR34-3", "A published arrangement has at least one lot.";
    REQUIREMENT_REQUIRED = "requirement_required", Input, "A1, PCR34-3", "Every published lot states its requirements.";
    AUTHORITY_REQUIRED = "authority_required", Input, "DPS-27", "At least one authority uses the arrangement.";
    START_REQUIRED = "contract_start_required", Input, "DPS-18", "A published arrangement names its contract start.";
    LIVE_AFTER_START = "live_after_contract_start", Input, "DPS-18", "An arrangement goes live before its contracts start.";
    TERM_OVER = "term_over", Input, "DPS-17", "The term is not over at publication.";
    NOT_LIVE_YET = "not_live_yet", Conflict, "DPS-18", "An arrangement is established after it went live.";
    PARTICIPANTS_CLOSED = "participants_closed", Conflict, "C-17, SUB-03",
        "No authority joins a live arrangement whose participants are closed.";
    EXTENSION_NOT_AVAILABLE = "extension_not_available", Conflict, "C-08", "The term is extended only as the policies provide.";
    EXTENSION_EMPTY = "extension_empty", Input, "C-08", "An extension is at least one month.";
    NOTHING_CHANGED = "nothing_changed", Input, "PCR34-28", "A modification changes something.";
    CONDITIONS_FIXED = "conditions_fixed", Conflict, "PA36-6",
        "The conditions of membership of a dynamic market are not changed during its term.";
}

/// What every letter of admission says (DPS-05).
pub const NO_GUARANTEE: &str =
    "Admission does not guarantee any award of individual contracts; it creates no contract and no spend.";

/// What kind of market it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ArrangementKind {
    /// Dynamic purchasing system.
    Dps,
    /// Framework.
    Framework,
    /// Flexible agreement, open with tiers.
    FlexibleAgreement,
    /// Approved provider list.
    ApprovedList,
    /// Dynamic market under the Procurement Act 2023.
    DynamicMarket,
}

/// The term of a published arrangement.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Term {
    /// When it goes live: rounds open and applications arrive from here.
    pub live_at: Instant,
    /// First day of its contracts.
    #[schema(value_type = String, format = Date)]
    pub contract_start: NaiveDate,
    /// Last day, inclusive: 2019-04-01 and 120 months read 2029-03-31 (DPS-17).
    #[schema(value_type = String, format = Date)]
    pub last_day: NaiveDate,
    /// Months by which it was extended in all.
    pub extended_months: u32,
}

impl Term {
    /// A term of `months` plus `extended_months` from `contract_start`.
    #[must_use]
    pub fn of(live_at: Instant, contract_start: NaiveDate, months: u32, extended_months: u32) -> Self {
        let whole = Months::new(months.saturating_add(extended_months));
        let after = contract_start.checked_add_months(whole).unwrap_or(NaiveDate::MAX);
        Self { live_at, contract_start, last_day: after.pred_opt().unwrap_or(after), extended_months }
    }

    /// The first instant after the term.
    #[must_use]
    pub fn ends_at(&self) -> Instant {
        Instant::start_of(self.last_day.succ_opt().unwrap_or(self.last_day))
    }
}

/// What was changed after publication.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Modified {
    /// The description.
    Description,
    /// The service specification.
    Specification,
    /// Other documents.
    Documents,
    /// Terms and conditions.
    Terms,
    /// The contact.
    Contact,
    /// The estimated value.
    EstimatedValue,
    /// The authorities that use it.
    Participants,
    /// The length of the term.
    Term,
}

/// A dated and reasoned change of a published arrangement, open to all (PCR34-28).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Modification {
    /// When.
    pub at: Instant,
    /// Why.
    pub reason: String,
    /// What.
    pub changed: Vec<Modified>,
}

/// Something lawful that the lead should know.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Warning {
    /// Stable code.
    pub code: String,
    /// For a person.
    pub detail: String,
}

/// The state of an arrangement with its data.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum ArrangementState {
    /// Being written.
    Draft,
    /// Published: applications arrive from `term.liveAt`.
    Live {
        /// Its term.
        term: Term,
    },
    /// The first members are admitted and the arrangement is in use.
    Established {
        /// Its term.
        term: Term,
    },
    /// In use beyond its first term.
    Extended {
        /// Its term, extension included.
        term: Term,
    },
    /// The term ended.
    Expired {
        /// Its term; it ended with the last day.
        term: Term,
    },
    /// Ended early by the lead.
    Terminated {
        /// The term it had.
        term: Term,
        /// When it ended.
        at: Instant,
        /// Why.
        reason: String,
    },
    /// Given up before publication.
    Discarded,
}

/// A dynamic purchasing system, framework or approved list, led by one authority for several (DPS-27).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Arrangement {
    /// Identifier.
    pub id: ArrangementId,
    /// What kind of market.
    pub kind: ArrangementKind,
    /// The authority that runs the procurement.
    pub lead: Participant,
    /// The authorities that use it, each once.
    pub participants: Vec<Participant>,
    /// What it publishes about itself.
    #[serde(flatten)]
    pub particulars: Particulars,
    /// What portals call it, once per system.
    pub external_references: Vec<ExternalReference>,
    /// Frozen at publication.
    pub policies: Policies,
    /// Changes since publication, oldest first.
    pub modifications: Vec<Modification>,
    /// What the lead was told at publication.
    pub warnings: Vec<Warning>,
    /// When it was created.
    pub created_at: Instant,
    /// Its state.
    #[serde(flatten)]
    pub state: ArrangementState,
}

/// What creates an arrangement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewArrangement {
    /// What kind of market.
    pub kind: ArrangementKind,
    /// The authority that runs the procurement.
    pub lead: Participant,
    /// The authorities that use it; repetitions are dropped (EMF-01).
    #[serde(default)]
    pub participants: Vec<Participant>,
    /// What it publishes about itself.
    #[serde(flatten)]
    pub particulars: Particulars,
    /// Policies; the defaults, where absent.
    #[serde(default)]
    pub policies: Policies,
}

/// What a modification replaces; absent stays as it is.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Changes {
    /// The description.
    pub description: Option<String>,
    /// The service specification; fixed in a dynamic market (PA36-6).
    pub specification: Option<DocumentRef>,
    /// All other documents.
    pub documents: Option<Vec<DocumentRef>>,
    /// Terms and conditions; fixed in a dynamic market (PA36-6).
    pub terms: Option<Terms>,
    /// The contact.
    pub contact: Option<Contact>,
    /// The estimated value.
    pub estimated_value: Option<Pence>,
}

/// A lot as publication sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LotFact {
    /// Which lot.
    pub id: LotId,
    /// Its code, for the refusal's words.
    pub code: String,
    /// How many requirements it has.
    pub requirements: usize,
}

/// What publication needs to know of others.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PublicationFacts {
    /// The lots that are not closed.
    pub lots: Vec<LotFact>,
    /// The day by which systems of this regime end by statute, if any; a term beyond it is warned of.
    pub statutory_end: Option<NaiveDate>,
}

/// What happened to an arrangement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
#[expect(missing_docs, reason = "past tense of the commands, with the ids, instants and reasons they carry")]
pub enum ArrangementEvent {
    ArrangementCreated { arrangement: ArrangementId, reference: String },
    ArrangementAmended { arrangement: ArrangementId },
    ArrangementLinked { arrangement: ArrangementId, system: String, reference: String },
    AuthorityAdded { arrangement: ArrangementId, authority: crate::kernel::AuthorityCode },
    PoliciesSet { arrangement: ArrangementId },
    ArrangementPublished { arrangement: ArrangementId, term: Term, warnings: Vec<Warning> },
    ArrangementModified { arrangement: ArrangementId, changed: Vec<Modified>, reason: String },
    ArrangementEstablished { arrangement: ArrangementId },
    ArrangementExtended { arrangement: ArrangementId, months: u32, term: Term, reason: String },
    ArrangementTerminated { arrangement: ArrangementId, reason: String },
    ArrangementExpired { arrangement: ArrangementId, at: Instant },
    ArrangementDiscarded { arrangement: ArrangementId },
}

use ArrangementEvent as Event;
use ArrangementState as State;

impl Aggregate for Arrangement {
    type Event = ArrangementEvent;
    const KIND: Kind = Kind::Arrangement;

    fn id(&self) -> uuid::Uuid {
        self.id.0
    }

    fn state(&self) -> &'static str {
        match self.state {
            State::Draft => "draft",
            State::Live { .. } => "live",
            State::Established { .. } => "established",
            State::Extended { .. } => "extended",
            State::Expired { .. } => "expired",
            State::Terminated { .. } => "terminated",
            State::Discarded => "discarded",
        }
    }

    fn about(&self) -> About {
        About { arrangement: Some(self.id), ..About::default() }
    }

    fn due(&self) -> Option<Due> {
        self.in_force().map(|term| Due { at: term.ends_at(), what: "expire" })
    }
}

impl Commands for Arrangement {
    fn allowed(&self) -> &'static [&'static str] {
        match self.state {
            State::Draft => &["amend", "link", "add_authority", "set_policies", "publish", "discard"],
            State::Live { .. } => &["link", "add_authority", "modify", "establish", "terminate"],
            State::Established { .. } | State::Extended { .. } => {
                &["link", "add_authority", "modify", "extend", "terminate"]
            }
            State::Expired { .. } | State::Terminated { .. } | State::Discarded => &[],
        }
    }
}

impl Arrangement {
    /// Creates a draft. Codes of authorities that are repeated are dropped.
    pub fn create(id: ArrangementId, new: NewArrangement, now: Instant) -> Decision<Self> {
        let mut found = Violations::new();
        new.particulars.check(&mut found);
        new.policies.check(&mut found, "/policies");
        require_text(&mut found, &new.lead.name, "/lead/name");
        let mut participants: Vec<Participant> = Vec::new();
        for (i, participant) in new.participants.into_iter().enumerate() {
            require_text(&mut found, &participant.name, &format!("/participants/{i}/name"));
            if participants.iter().all(|p| p.code != participant.code) {
                participants.push(participant);
            }
        }
        found.refuse_any()?;
        let event = Event::ArrangementCreated { arrangement: id, reference: new.particulars.reference.clone() };
        let draft = Self {
            id,
            kind: new.kind,
            lead: new.lead,
            participants,
            particulars: new.particulars,
            external_references: Vec::new(),
            policies: new.policies,
            modifications: Vec::new(),
            warnings: Vec::new(),
            created_at: now,
            state: State::Draft,
        };
        Ok((draft, vec![event]))
    }

    /// The term, once published.
    #[must_use]
    pub fn term(&self) -> Option<&Term> {
        match &self.state {
            State::Live { term }
            | State::Established { term }
            | State::Extended { term }
            | State::Expired { term }
            | State::Terminated { term, .. } => Some(term),
            State::Draft | State::Discarded => None,
        }
    }

    /// The term while the arrangement is live, established or extended: then lots open and rounds run.
    #[must_use]
    pub fn in_force(&self) -> Option<&Term> {
        match &self.state {
            State::Live { term } | State::Established { term } | State::Extended { term } => Some(term),
            State::Draft | State::Expired { .. } | State::Terminated { .. } | State::Discarded => None,
        }
    }

    /// Whether it expired, or was terminated or discarded: nothing happens to it any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        match self.state {
            State::Expired { .. } | State::Terminated { .. } | State::Discarded => true,
            State::Draft | State::Live { .. } | State::Established { .. } | State::Extended { .. } => false,
        }
    }

    /// Replaces the particulars of a draft.
    pub fn amend(mut self, particulars: Particulars) -> Decision<Self> {
        self.permit("amend")?;
        let mut found = Violations::new();
        particulars.check(&mut found);
        found.refuse_any()?;
        self.particulars = particulars;
        let event = Event::ArrangementAmended { arrangement: self.id };
        Ok((self, vec![event]))
    }

    /// Records what a portal calls it; the same again changes nothing (DPS-24).
    pub fn link(mut self, link: ExternalReference) -> Decision<Self> {
        self.permit("link")?;
        let mut found = Violations::new();
        require_text(&mut found, &link.system, "/system");
        require_text(&mut found, &link.reference, "/reference");
        found.refuse_any()?;
        if self.external_references.contains(&link) {
            return Ok((self, vec![]));
        }
        let event = Event::ArrangementLinked {
            arrangement: self.id,
            system: link.system.clone(),
            reference: link.reference.clone(),
        };
        self.external_references.retain(|known| known.system != link.system);
        self.external_references.push(link);
        Ok((self, vec![event]))
    }

    /// Lets an authority use it; the same again changes nothing. After publication only where the policies
    /// leave the participants open, and then as a modification.
    pub fn add_authority(mut self, authority: Participant, now: Instant) -> Decision<Self> {
        self.permit("add_authority")?;
        let mut found = Violations::new();
        require_text(&mut found, &authority.name, "/name");
        found.refuse_any()?;
        if self.participants.iter().any(|p| p.code == authority.code) {
            return Ok((self, vec![]));
        }
        if self.in_force().is_some() {
            if self.policies.participants_closed {
                return Err(PARTICIPANTS_CLOSED
                    .broken_at("/code", "the participants were closed at publication")
                    .into());
            }
            let reason = format!("{} joined", authority.code);
            self.modifications.push(Modification { at: now, reason, changed: vec![Modified::Participants] });
        }
        let event = Event::AuthorityAdded { arrangement: self.id, authority: authority.code.clone() };
        self.participants.push(authority);
        Ok((self, vec![event]))
    }

    /// Replaces the policies of a draft; publication freezes them.
    pub fn set_policies(mut self, policies: Policies) -> Decision<Self> {
        self.permit("set_policies")?;
        let mut found = Violations::new();
        policies.check(&mut found, "");
        found.refuse_any()?;
        self.policies = policies;
        let event = Event::PoliciesSet { arrangement: self.id };
        Ok((self, vec![event]))
    }

    /// Publishes: everything that is missing is refused at once (A1).
    pub fn publish(mut self, facts: &PublicationFacts, now: Instant) -> Decision<Self> {
        self.permit("publish")?;
        let mut found = Violations::new();
        self.particulars.check(&mut found);
        self.policies.check(&mut found, "/policies");
        found.require(
            self.particulars.specification.is_some(),
            &SPECIFICATION_REQUIRED,
            "/specification",
            "the service specification is missing",
        );
        found.require(!facts.lots.is_empty(), &LOT_REQUIRED, "/lots", "there is no lot");
        for lot in facts.lots.iter().filter(|lot| lot.requirements == 0) {
            found.add(REQUIREMENT_REQUIRED.broken_at("/lots", format!("lot {} has no requirement", lot.code)));
        }
        found.require(!self.participants.is_empty(), &AUTHORITY_REQUIRED, "/participants", "no authority uses it");
        let live_at = self.particulars.live_at.unwrap_or(now);
        let Some(start) = self.particulars.contract_start else {
            found.add(START_REQUIRED.broken_at("/contractStart", "the contract start is missing"));
            return found.refuse_any().map(|()| (self, vec![]));
        };
        let term = Term::of(live_at, start, self.policies.term_months, 0);
        found.require(
            live_at.date() <= start,
            &LIVE_AFTER_START,
            "/liveAt",
            format!("it goes live on {}, contracts start on {start}", live_at.date()),
        );
        found.require(
            now < term.ends_at(),
            &TERM_OVER,
            "/contractStart",
            format!("the term ended on {}", term.last_day),
        );
        found.refuse_any()?;
        self.warnings = self.warn(&term, facts, now);
        self.particulars.live_at = Some(live_at);
        self.state = State::Live { term };
        let event = Event::ArrangementPublished { arrangement: self.id, term, warnings: self.warnings.clone() };
        Ok((self, vec![event]))
    }

    fn warn(&self, term: &Term, facts: &PublicationFacts, now: Instant) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let mut warn = |holds: bool, code: &str, detail: String| {
            if holds {
                warnings.push(Warning { code: code.to_owned(), detail });
            }
        };
        if let Some(end) = facts.statutory_end {
            let detail = format!("the term ends on {}, systems of this regime on {end}", term.last_day);
            warn(term.last_day > end, "term_beyond_statutory_end", detail);
        }
        if let Some(first) = schedule::first_round(&self.policies, term.live_at) {
            let late = first.evaluation_to > Instant::start_of(term.contract_start);
            let detail = format!("the first evaluation is planned to end on {}", first.evaluation_to.date());
            warn(late, "first_evaluation_after_contract_start", detail);
        }
        let closed = self.policies.admission_mode == AdmissionMode::Closed;
        warn(closed, "admission_closed", "no application will be received".to_owned());
        warn(term.live_at < now, "live_at_in_the_past", format!("it counts as live since {}", term.live_at));
        warn(self.particulars.terms.is_none(), "terms_missing", "applicants have no terms to accept".to_owned());
        warnings
    }

    /// Changes what may change after publication, dated and with a reason (PCR34-28).
    pub fn modify(mut self, changes: Changes, reason: String, now: Instant) -> Decision<Self> {
        self.permit("modify")?;
        let mut found = Violations::new();
        found.require_reason(&reason, "/reason");
        check_value(&mut found, changes.estimated_value, "/estimatedValue");
        if let Some(documents) = &changes.documents {
            check_documents(&mut found, documents);
        }
        if let Some(specification) = &changes.specification {
            specification.check(&mut found, "/specification");
        }
        if let Some(terms) = &changes.terms {
            terms.check(&mut found, "/terms");
        }
        if let Some(contact) = &changes.contact {
            require_text(&mut found, &contact.name, "/contact/name");
        }
        let mut changed = Vec::new();
        let is = &mut self.particulars;
        replace(&mut is.description, changes.description, Modified::Description, &mut changed);
        replace(&mut is.specification, changes.specification.map(Some), Modified::Specification, &mut changed);
        replace(&mut is.documents, changes.documents, Modified::Documents, &mut changed);
        replace(&mut is.terms, changes.terms.map(Some), Modified::Terms, &mut changed);
        replace(&mut is.contact, changes.contact.map(Some), Modified::Contact, &mut changed);
        replace(&mut is.estimated_value, changes.estimated_value.map(Some), Modified::EstimatedValue, &mut changed);
        if self.policies.regime == Regime::Pa23Market {
            for (what, field) in [(Modified::Specification, "/specification"), (Modified::Terms, "/terms")] {
                found.require(!changed.contains(&what), &CONDITIONS_FIXED, field, "fixed until the market ends");
            }
        }
        found.require(!changed.is_empty(), &NOTHING_CHANGED, "", "everything already is as given");
        found.refuse_any()?;
        let event =
            Event::ArrangementModified { arrangement: self.id, changed: changed.clone(), reason: reason.clone() };
        self.modifications.push(Modification { at: now, reason, changed });
        Ok((self, vec![event]))
    }

    /// Takes it into use after it went live.
    pub fn establish(mut self, now: Instant) -> Decision<Self> {
        let term = match self.state {
            State::Live { term } => term,
            State::Draft
            | State::Established { .. }
            | State::Extended { .. }
            | State::Expired { .. }
            | State::Terminated { .. }
            | State::Discarded => return Err(self.refused("establish")),
        };
        if now < term.live_at {
            return Err(NOT_LIVE_YET.broken(format!("it goes live at {}", term.live_at)).into());
        }
        self.state = State::Established { term };
        let event = Event::ArrangementEstablished { arrangement: self.id };
        Ok((self, vec![event]))
    }

    /// Extends the term by `months`, within what the policies provide in all (C-08).
    pub fn extend(mut self, months: u32, reason: String, now: Instant) -> Decision<Self> {
        let term = match self.state {
            State::Established { term } | State::Extended { term } => term,
            State::Draft | State::Live { .. } | State::Expired { .. } | State::Terminated { .. } | State::Discarded => {
                return Err(self.refused("extend"));
            }
        };
        let extended = term.extended_months.saturating_add(months);
        let most = self.policies.extension_months;
        let mut found = Violations::new();
        found.require_reason(&reason, "/reason");
        found.require(months > 0, &EXTENSION_EMPTY, "/months", "give at least one month");
        let left = most.saturating_sub(term.extended_months);
        found.require(
            extended <= most,
            &EXTENSION_NOT_AVAILABLE,
            "/months",
            format!("{left} of {most} months are left"),
        );
        // The clock may not have run yet: an ended term is not revived.
        found.require(now < term.ends_at(), &TERM_OVER, "", format!("the term ended on {}", term.last_day));
        found.refuse_any()?;
        let term = Term::of(term.live_at, term.contract_start, self.policies.term_months, extended);
        self.state = State::Extended { term };
        self.modifications.push(Modification { at: now, reason: reason.clone(), changed: vec![Modified::Term] });
        let event = Event::ArrangementExtended { arrangement: self.id, months, term, reason };
        Ok((self, vec![event]))
    }

    /// Ends it early.
    pub fn terminate(mut self, reason: String, now: Instant) -> Decision<Self> {
        self.permit("terminate")?;
        let mut found = Violations::new();
        found.require_reason(&reason, "/reason");
        found.refuse_any()?;
        let Some(term) = self.in_force().copied() else { return Err(self.refused("terminate")) };
        self.state = State::Terminated { term, at: now, reason: reason.clone() };
        let event = Event::ArrangementTerminated { arrangement: self.id, reason };
        Ok((self, vec![event]))
    }

    /// Gives up a draft.
    pub fn discard(mut self) -> Decision<Self> {
        self.permit("discard")?;
        self.state = State::Discarded;
        let event = Event::ArrangementDiscarded { arrangement: self.id };
        Ok((self, vec![event]))
    }

    /// Expires it when its term has ended.
    pub fn tick(mut self, now: Instant) -> Decision<Self> {
        let ended = self.in_force().copied().filter(|term| term.ends_at() <= now);
        let Some(term) = ended else { return Err(NOTHING_DUE.broken("the term has not ended").into()) };
        self.state = State::Expired { term };
        let event = Event::ArrangementExpired { arrangement: self.id, at: term.ends_at() };
        Ok((self, vec![event]))
    }
}

/// Puts `new` in place where it is given and differs, and notes `what` changed.
fn replace<T: PartialEq>(is: &mut T, new: Option<T>, what: Modified, changed: &mut Vec<Modified>) {
    if let Some(new) = new.filter(|new| new != is) {
        *is = new;
        changed.push(what);
    }
}

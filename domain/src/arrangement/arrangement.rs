//! The arrangement (A1): DRAFT → LIVE → ESTABLISHED → EXTENDED, ended by EXPIRED, TERMINATED or, unpublished, DISCARDED.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};
use utoipa::ToSchema;
use validator::Validate;

use super::particulars::{check_documents, check_value};
use super::{
    Contact, DocumentRef, ExternalReference, Modification, Modified, NOTHING_DUE, Participant, Particulars, Policies,
    Regime, Term, Terms, Warning, require_text,
};
use crate::kernel::{
    About, Aggregate, ArrangementId, Audience, DeadlineKind, Decision, Difference, Due, Instant, Kind, Pence, State,
    StatedDeadline, Violations,
};

mod event;
mod review;

pub use event::ArrangementEvent;
pub use review::Review;

/// Fields whose values stay out of the record, which is kept for ever: a contact may be a person.
const CONTACT: [&str; 1] = ["contact"];

crate::rules! {
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

/// The state of an arrangement with its data.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[strum(serialize_all = "snake_case")]
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
    /// In use, and under review: whether it is extended is decided next (EMF-02).
    Review {
        /// Its term.
        term: Term,
        /// Since when it is reviewed.
        review_since: Instant,
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
        terminated_at: Instant,
        /// Why.
        reason: String,
    },
    /// Given up before publication.
    Discarded,
}

impl State for ArrangementState {
    fn knows(&self) -> &'static [&'static str] {
        match self {
            Self::Draft => &["amend", "link", "add_authority", "set_policies", "publish", "discard"],
            Self::Live { .. } => &["link", "add_authority", "modify", "establish", "terminate"],
            Self::Established { .. } | Self::Extended { .. } => {
                &["link", "add_authority", "modify", "begin_review", "terminate"]
            }
            Self::Review { .. } => &["link", "add_authority", "modify", "extend", "decline_extension", "terminate"],
            Self::Expired { .. } | Self::Terminated { .. } | Self::Discarded => &[],
        }
    }
}

/// Where a market that was run elsewhere before was taken over from (ADD-06).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Imported {
    /// The system or file.
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    pub source: String,
    /// The day on which its notice was sent: the regime goes by it.
    #[schema(value_type = String, format = Date)]
    pub notice_sent_on: NaiveDate,
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
    /// Where it was taken over from, if it was run elsewhere before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<Imported>,
    /// Changes since publication, oldest first.
    pub modifications: Vec<Modification>,
    /// Reviews of the term, oldest first.
    pub reviews: Vec<Review>,
    /// What the lead was told at publication.
    pub warnings: Vec<Warning>,
    /// When it was created.
    pub created_at: Instant,
    /// Its state.
    #[serde(flatten)]
    pub state: ArrangementState,
}

/// What creates an arrangement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct NewArrangement {
    /// What kind of market.
    pub kind: ArrangementKind,
    /// The authority that runs the procurement.
    #[validate(nested)]
    pub lead: Participant,
    /// The authorities that use it; repetitions are dropped (EMF-01).
    #[serde(default)]
    #[validate(nested)]
    pub participants: Vec<Participant>,
    /// What it publishes about itself.
    #[serde(flatten)]
    #[validate(nested)]
    pub particulars: Particulars,
    /// Policies; the defaults, where absent.
    #[serde(default)]
    pub policies: Policies,
    /// Where it is taken over from, if it was run elsewhere before.
    #[serde(default)]
    #[validate(nested)]
    pub imported: Option<Imported>,
}

/// What a modification replaces; absent stays as it is.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Changes {
    /// The description.
    pub description: Option<String>,
    /// The service specification; fixed in a dynamic market (PA36-6).
    #[validate(nested)]
    pub specification: Option<DocumentRef>,
    /// All other documents.
    #[validate(nested)]
    pub documents: Option<Vec<DocumentRef>>,
    /// Terms and conditions; fixed in a dynamic market (PA36-6).
    #[validate(nested)]
    pub terms: Option<Terms>,
    /// The contact.
    #[validate(nested)]
    pub contact: Option<Contact>,
    /// The estimated value.
    pub estimated_value: Option<Pence>,
}

impl Aggregate for Arrangement {
    type Id = ArrangementId;
    type State = ArrangementState;
    type Event = ArrangementEvent;
    const KIND: Kind = Kind::Arrangement;
    const CLOCK: &'static [&'static str] = &["expire"];

    fn id(&self) -> ArrangementId {
        self.id
    }

    fn state(&self) -> &ArrangementState {
        &self.state
    }

    fn about(&self) -> About {
        About { arrangement: Some(self.id), ..About::default() }
    }

    fn audience(&self, _event: &ArrangementEvent) -> Audience {
        if self.term().is_some() { Audience::Everyone } else { Audience::Parties }
    }

    fn due(&self) -> Option<Due> {
        self.in_force().map(|term| Due { at: term.ends_at(), what: "expire" })
    }

    fn deadlines(&self) -> Vec<StatedDeadline> {
        self.in_force().map(|term| StatedDeadline::at(DeadlineKind::TermEnds, term.ends_at())).into_iter().collect()
    }
}

impl Arrangement {
    /// Creates a draft. An authority that is repeated, by its code or its name, is dropped (EMF-01).
    pub fn create(id: ArrangementId, new: NewArrangement, now: Instant) -> Decision<Self> {
        let mut broken = Violations::new();
        new.particulars.check(&mut broken);
        new.policies.check(&mut broken, "/policies");
        require_text(&mut broken, &new.lead.name, "/lead/name");
        if let Some(imported) = &new.imported {
            require_text(&mut broken, &imported.source, "/imported/source");
        }
        let mut participants: Vec<Participant> = Vec::new();
        for (i, participant) in new.participants.into_iter().map(Participant::tidied).enumerate() {
            require_text(&mut broken, &participant.name, &format!("/participants/{i}/name"));
            if !participants.iter().any(|known| known.is_same(&participant)) {
                participants.push(participant);
            }
        }
        broken.refuse_any()?;
        let event = ArrangementEvent::ArrangementCreated { reference: new.particulars.reference.clone() };
        let draft = Self {
            id,
            kind: new.kind,
            lead: new.lead.tidied(),
            participants,
            particulars: new.particulars,
            external_references: Vec::new(),
            policies: new.policies.tidied(),
            imported: new.imported,
            reviews: Vec::new(),
            modifications: Vec::new(),
            warnings: Vec::new(),
            created_at: now,
            state: ArrangementState::Draft,
        };
        Ok((draft, vec![event]))
    }

    /// Replaces the particulars of a draft. Those that it has change nothing.
    pub fn amend(mut self, particulars: Particulars) -> Decision<Self> {
        self.permit("amend")?;
        let mut broken = Violations::new();
        particulars.check(&mut broken);
        broken.refuse_any()?;
        let Difference { changed, before, after } = Difference::between(&self.particulars, &particulars, &CONTACT);
        if changed.is_empty() {
            return Ok((self, vec![]));
        }
        self.particulars = particulars;
        let event = ArrangementEvent::ArrangementAmended { changed, before, after };
        Ok((self, vec![event]))
    }

    /// Records what a portal calls it; the same again changes nothing (DPS-24).
    pub fn link(mut self, link: ExternalReference) -> Decision<Self> {
        self.permit("link")?;
        let mut broken = Violations::new();
        require_text(&mut broken, &link.system, "/system");
        require_text(&mut broken, &link.reference, "/reference");
        broken.refuse_any()?;
        if self.external_references.contains(&link) {
            return Ok((self, vec![]));
        }
        let event =
            ArrangementEvent::ArrangementLinked { system: link.system.clone(), reference: link.reference.clone() };
        self.external_references.retain(|known| known.system != link.system);
        self.external_references.push(link);
        Ok((self, vec![event]))
    }

    /// Lets an authority use it; the same again changes nothing. After publication only where the policies
    /// leave the participants open, and then as a modification.
    pub fn add_authority(mut self, authority: Participant, now: Instant) -> Decision<Self> {
        self.permit("add_authority")?;
        let mut broken = Violations::new();
        require_text(&mut broken, &authority.name, "/name");
        broken.refuse_any()?;
        let authority = authority.tidied();
        if self.participants.iter().any(|known| known.is_same(&authority)) {
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
        let code = authority.code.clone();
        self.participants.push(authority);
        let event = ArrangementEvent::AuthorityAdded { authority: code, notice: self.notice() };
        Ok((self, vec![event]))
    }

    /// Replaces the policies of a draft; publication freezes them. Those that it has change nothing.
    pub fn set_policies(mut self, policies: Policies) -> Decision<Self> {
        self.permit("set_policies")?;
        let mut broken = Violations::new();
        policies.check(&mut broken, "");
        broken.refuse_any()?;
        let policies = policies.tidied();
        let Difference { changed, before, after } = Difference::between(&self.policies, &policies, &[]);
        if changed.is_empty() {
            return Ok((self, vec![]));
        }
        self.policies = policies;
        let event = ArrangementEvent::PoliciesSet { changed, before, after };
        Ok((self, vec![event]))
    }

    /// Changes what may change after publication, dated and with a reason (PCR34-28).
    pub fn modify(mut self, changes: Changes, reason: String, now: Instant) -> Decision<Self> {
        self.permit("modify")?;
        let mut broken = Violations::new();
        broken.require_reason(&reason, "/reason");
        check_value(&mut broken, changes.estimated_value, "/estimatedValue");
        if let Some(documents) = &changes.documents {
            check_documents(&mut broken, documents);
        }
        if let Some(specification) = &changes.specification {
            specification.check(&mut broken, "/specification");
        }
        if let Some(terms) = &changes.terms {
            terms.check(&mut broken, "/terms");
        }
        if let Some(contact) = &changes.contact {
            require_text(&mut broken, &contact.name, "/contact/name");
        }
        let mut what = Vec::new();
        let was = self.particulars.clone();
        let is = &mut self.particulars;
        replace(&mut is.description, changes.description, Modified::Description, &mut what);
        replace(&mut is.specification, changes.specification.map(Some), Modified::Specification, &mut what);
        replace(&mut is.documents, changes.documents, Modified::Documents, &mut what);
        replace(&mut is.terms, changes.terms.map(Some), Modified::Terms, &mut what);
        replace(&mut is.contact, changes.contact.map(Some), Modified::Contact, &mut what);
        replace(&mut is.estimated_value, changes.estimated_value.map(Some), Modified::EstimatedValue, &mut what);
        if self.policies.regime() == Regime::Pa23Market {
            for (fixed, field) in [(Modified::Specification, "/specification"), (Modified::Terms, "/terms")] {
                broken.require(!what.contains(&fixed), &CONDITIONS_FIXED, field, "fixed until the market ends");
            }
        }
        broken.require(!what.is_empty(), &NOTHING_CHANGED, "", "everything already is as given");
        broken.refuse_any()?;
        let Difference { before, after, .. } = Difference::between(&was, &self.particulars, &CONTACT);
        let event = ArrangementEvent::ArrangementModified {
            changed: what.clone(),
            before,
            after,
            reason: reason.clone(),
            notice: self.notice(),
        };
        self.modifications.push(Modification { at: now, reason, changed: what });
        Ok((self, vec![event]))
    }

    /// Takes it into use after it went live.
    pub fn establish(mut self, now: Instant) -> Decision<Self> {
        let term = match self.state {
            ArrangementState::Live { term } => term,
            ArrangementState::Draft
            | ArrangementState::Established { .. }
            | ArrangementState::Review { .. }
            | ArrangementState::Extended { .. }
            | ArrangementState::Expired { .. }
            | ArrangementState::Terminated { .. }
            | ArrangementState::Discarded => return Err(self.refused("establish")),
        };
        if now < term.live_at {
            return Err(NOT_LIVE_YET.broken(format!("it goes live at {}", term.live_at)).into());
        }
        self.state = ArrangementState::Established { term };
        let event = ArrangementEvent::ArrangementEstablished;
        Ok((self, vec![event]))
    }

    /// Ends it early.
    pub fn terminate(mut self, reason: String, now: Instant) -> Decision<Self> {
        self.permit("terminate")?;
        let mut broken = Violations::new();
        broken.require_reason(&reason, "/reason");
        broken.refuse_any()?;
        let Some(term) = self.in_force().copied() else { return Err(self.refused("terminate")) };
        self.state = ArrangementState::Terminated { term, terminated_at: now, reason: reason.clone() };
        let event = ArrangementEvent::ArrangementTerminated { reason };
        Ok((self, vec![event]))
    }

    /// Gives up a draft.
    pub fn discard(mut self) -> Decision<Self> {
        self.permit("discard")?;
        self.state = ArrangementState::Discarded;
        let event = ArrangementEvent::ArrangementDiscarded;
        Ok((self, vec![event]))
    }

    /// Expires it when its term has ended.
    pub fn tick(mut self, now: Instant) -> Decision<Self> {
        let ended = self.in_force().copied().filter(|term| term.ends_at() <= now);
        let Some(term) = ended else { return Err(NOTHING_DUE.broken("the term has not ended").into()) };
        self.state = ArrangementState::Expired { term };
        let event = ArrangementEvent::ArrangementExpired { effective_at: term.ends_at() };
        Ok((self, vec![event]))
    }

    /// The term, once published.
    #[must_use]
    pub fn term(&self) -> Option<&Term> {
        match &self.state {
            ArrangementState::Live { term }
            | ArrangementState::Established { term }
            | ArrangementState::Review { term, .. }
            | ArrangementState::Extended { term }
            | ArrangementState::Expired { term }
            | ArrangementState::Terminated { term, .. } => Some(term),
            ArrangementState::Draft | ArrangementState::Discarded => None,
        }
    }

    /// The term while the arrangement is live, established, under review or extended: then lots open and rounds run.
    #[must_use]
    pub fn in_force(&self) -> Option<&Term> {
        match &self.state {
            ArrangementState::Live { term }
            | ArrangementState::Established { term }
            | ArrangementState::Review { term, .. }
            | ArrangementState::Extended { term } => Some(term),
            ArrangementState::Draft
            | ArrangementState::Expired { .. }
            | ArrangementState::Terminated { .. }
            | ArrangementState::Discarded => None,
        }
    }

    /// As [`in_force`](Self::in_force), and its term not over at `now` though the clock's work may be late: what can still be
    /// begun.
    #[must_use]
    pub fn in_force_at(&self, now: Instant) -> Option<&Term> {
        self.in_force().filter(|term| now < term.ends_at())
    }

    /// Whether it expired, or was terminated or discarded: nothing happens to it any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        match self.state {
            ArrangementState::Expired { .. } | ArrangementState::Terminated { .. } | ArrangementState::Discarded => {
                true
            }
            ArrangementState::Draft
            | ArrangementState::Live { .. }
            | ArrangementState::Established { .. }
            | ArrangementState::Review { .. }
            | ArrangementState::Extended { .. } => false,
        }
    }
}

/// Puts `new` in place where it is given and differs, and notes `what` changed.
fn replace<T: PartialEq>(is: &mut T, new: Option<T>, what: Modified, changed: &mut Vec<Modified>) {
    if let Some(new) = new.filter(|new| new != is) {
        *is = new;
        changed.push(what);
    }
}

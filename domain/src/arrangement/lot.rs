//! The lot (A2): DRAFT → OPEN ⇄ PAUSED → CLOSED. There is no cap on admission anywhere (DPS-02, PCR34-6).

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};
use utoipa::ToSchema;
use validator::Validate;

use super::arrangement::CONDITIONS_FIXED;
use super::publication::REQUIREMENT_REQUIRED;
use super::requirement::RequirementRef;
use super::{ARRANGEMENT_NOT_IN_FORCE, Regime, require_code, require_text};
use crate::kernel::{
    About, Aggregate, ArrangementId, Audience, AuthorityCode, Decision, Instant, Kind, LotId, RequirementId, State,
    Violations,
};

mod event;

pub use event::LotEvent;

crate::rules! {
    LOT_CODE_TAKEN = "lot_code_taken", Conflict, "DPS-09", "A lot's code is unique in its arrangement.";
    ARRANGEMENT_OVER = "arrangement_over", Conflict, "A1", "An arrangement that has ended gains no lots.";
    AUTHORITY_REPEATED = "authority_repeated", Input, "DPS-09", "Each authority has one alias and one access entry.";
    NO_RESERVED_RIGHT = "no_reserved_right", Conflict, "PRO-11, C-17",
        "An authority extends its use only to lots for which it reserved the right.";
    LOT_NOT_USED = "lot_not_used", Forbidden, "PRO-11, AC-28",
        "An authority dispatches to a lot that it uses; a right that it reserved is exercised first.";
    REQUIREMENT_UNKNOWN = "requirement_unknown", Input, "DPS-21", "A lot refers to versions that the library holds.";
    REQUIREMENT_NOT_ADOPTED = "requirement_not_adopted", Conflict, "A2", "Only an adopted requirement can be dropped.";
    REQUIREMENTS_FIXED = "requirements_fixed", Conflict, "A2",
        "Once a line was evaluated, a lot's requirements change only by a newer version.";
}

/// What is bought.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServiceType {
    /// Residential care in a children's home.
    ChildrensHome,
    /// Independent fostering agency.
    FosteringAgency,
    /// Independent or non-maintained special school.
    SpecialSchool,
    /// Tuition out of school.
    Tuition,
    /// Supported accommodation for care leavers.
    SupportedAccommodation,
    /// Another service; the title says which.
    Other,
}

/// What one authority calls the lot (C-13).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Alias {
    /// Which authority.
    pub authority: AuthorityCode,
    /// Its code, such as `Lot 1`.
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    pub code: String,
    /// Its label, such as `Lot 1 - IFA`.
    #[validate(length(max = 500))]
    #[schema(max_length = 500)]
    pub label: String,
}

/// Whether an authority uses the lot (PRO-11).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// It does.
    Uses,
    /// Not yet: it reserved the right to.
    Reserved,
    /// It does not.
    None,
}

/// One authority's access to the lot. A participant without an entry uses it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Access {
    /// Which authority.
    pub authority: AuthorityCode,
    /// What it may.
    pub right: Right,
}

/// What a lot says of itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct LotParticulars {
    /// Unique in the arrangement.
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    pub code: String,
    /// Title.
    #[validate(length(max = 500))]
    #[schema(max_length = 500)]
    pub title: String,
    /// What is bought, and how this lot is told from the others (PCR34-3).
    #[serde(default)]
    pub description: String,
    /// The kind of service.
    pub service_type: ServiceType,
    /// Whether staff may transfer to a new provider (TUPE).
    #[serde(default)]
    pub tupe: bool,
}

/// The state of a lot with its data.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[strum(serialize_all = "snake_case")]
pub enum LotState {
    /// Being written.
    Draft,
    /// Applied to and called off from.
    Open,
    /// Not applied to for now.
    Paused {
        /// Since when.
        paused_at: Instant,
        /// Why.
        reason: String,
    },
    /// Ended.
    Closed {
        /// When.
        closed_at: Instant,
        /// Why.
        reason: String,
        /// Whether it was ever open: one that was not is nobody's but its authorities' to know of.
        was_open: bool,
    },
}

impl State for LotState {
    fn knows(&self) -> &'static [&'static str] {
        match self {
            Self::Draft => &[
                "amend",
                "set_aliases",
                "set_access",
                "exercise_reserved",
                "adopt",
                "drop_requirement",
                "open",
                "close",
            ],
            Self::Open => &["set_aliases", "exercise_reserved", "adopt", "drop_requirement", "pause", "close"],
            Self::Paused { .. } => &["set_aliases", "exercise_reserved", "adopt", "drop_requirement", "open", "close"],
            Self::Closed { .. } => &[],
        }
    }
}

/// A service category that is applied to and admitted separately (DPS-08).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Lot {
    /// Identifier, the same for every authority (DPS-09).
    pub id: LotId,
    /// The arrangement it belongs to.
    pub arrangement: ArrangementId,
    /// What it says of itself.
    #[serde(flatten)]
    pub particulars: LotParticulars,
    /// What authorities call it.
    pub aliases: Vec<Alias>,
    /// Which authorities use it.
    pub access: Vec<Access>,
    /// What an applicant must meet, each requirement in one version.
    pub requirements: Vec<RequirementRef>,
    /// When it was defined.
    pub defined_at: Instant,
    /// Its state.
    #[serde(flatten)]
    pub state: LotState,
}

/// What a change of a lot's conditions needs to know of others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConditionFacts {
    /// The arrangement's regime.
    pub regime: Regime,
    /// When the arrangement was published, if it was ([`Term::published_at`](super::Term)).
    pub published_at: Option<Instant>,
    /// Whether a line of this lot was ever evaluated.
    pub evaluated: bool,
}

impl Aggregate for Lot {
    type Id = LotId;
    type State = LotState;
    type Event = LotEvent;
    const KIND: Kind = Kind::Lot;

    fn id(&self) -> LotId {
        self.id
    }

    fn state(&self) -> &LotState {
        &self.state
    }

    fn about(&self) -> About {
        About { arrangement: Some(self.arrangement), lot: Some(self.id), ..About::default() }
    }

    fn audience(&self, _event: &LotEvent) -> Audience {
        match self.state {
            LotState::Draft | LotState::Closed { was_open: false, .. } => Audience::Parties,
            LotState::Open | LotState::Paused { .. } | LotState::Closed { was_open: true, .. } => Audience::Everyone,
        }
    }
}

impl LotParticulars {
    fn check(&self, broken: &mut Violations, code_taken: bool) {
        require_code(broken, &self.code, "/code");
        require_text(broken, &self.title, "/title");
        broken.require(!code_taken, &LOT_CODE_TAKEN, "/code", format!("another lot is `{}`", self.code));
    }
}

impl Lot {
    /// Defines a draft. `code_taken`: another lot of the arrangement has its code; `arrangement_over`:
    /// [`Arrangement::is_over`](super::Arrangement::is_over).
    pub fn define(
        id: LotId,
        arrangement: ArrangementId,
        particulars: LotParticulars,
        code_taken: bool,
        arrangement_over: bool,
        now: Instant,
    ) -> Decision<Self> {
        let mut broken = Violations::new();
        particulars.check(&mut broken, code_taken);
        broken.require(!arrangement_over, &ARRANGEMENT_OVER, "", "the arrangement has ended");
        broken.refuse_any()?;
        let event = LotEvent::LotDefined { code: particulars.code.clone() };
        let lot = Self {
            id,
            arrangement,
            particulars,
            aliases: Vec::new(),
            access: Vec::new(),
            requirements: Vec::new(),
            defined_at: now,
            state: LotState::Draft,
        };
        Ok((lot, vec![event]))
    }

    /// Rewrites a draft; what it says already changes nothing. `code_taken`: another lot of the arrangement has the new code.
    pub fn amend(mut self, particulars: LotParticulars, code_taken: bool) -> Decision<Self> {
        self.permit("amend")?;
        let mut broken = Violations::new();
        particulars.check(&mut broken, code_taken);
        broken.refuse_any()?;
        if self.particulars == particulars {
            return Ok((self, vec![]));
        }
        self.particulars = particulars;
        let event = LotEvent::LotAmended;
        Ok((self, vec![event]))
    }

    /// Replaces what authorities call it.
    pub fn set_aliases(mut self, aliases: Vec<Alias>) -> Decision<Self> {
        self.permit("set_aliases")?;
        let mut broken = Violations::new();
        for (i, alias) in aliases.iter().enumerate() {
            require_text(&mut broken, &alias.code, &format!("/{i}/code"));
            require_text(&mut broken, &alias.label, &format!("/{i}/label"));
        }
        check_once(&mut broken, aliases.iter().map(|alias| &alias.authority));
        broken.refuse_any()?;
        if self.aliases == aliases {
            return Ok((self, vec![]));
        }
        self.aliases = aliases;
        let event = LotEvent::LotAliasesSet;
        Ok((self, vec![event]))
    }

    /// Replaces the access of authorities, while it is a draft: later only reserved rights add to it (C-17).
    pub fn set_access(mut self, access: Vec<Access>) -> Decision<Self> {
        self.permit("set_access")?;
        let mut broken = Violations::new();
        check_once(&mut broken, access.iter().map(|access| &access.authority));
        broken.refuse_any()?;
        if self.access == access {
            return Ok((self, vec![]));
        }
        self.access = access;
        let event = LotEvent::LotAccessSet;
        Ok((self, vec![event]))
    }

    /// Turns `authority`'s reserved right into use (PRO-11).
    pub fn exercise_reserved(mut self, authority: AuthorityCode) -> Decision<Self> {
        self.permit("exercise_reserved")?;
        let reserved = |access: &&mut Access| access.authority == authority && access.right == Right::Reserved;
        let Some(access) = self.access.iter_mut().find(reserved) else {
            let detail = format!("{authority} reserved no right to this lot");
            return Err(NO_RESERVED_RIGHT.broken_at("/authority", detail).into());
        };
        access.right = Right::Uses;
        let event = LotEvent::ReservedRightExercised { authority };
        Ok((self, vec![event]))
    }

    /// Refers to a requirement in one version, or moves to another version of it. `latest` is the number of the
    /// newest version in the library, 0 where there is no such requirement.
    pub fn adopt(mut self, reference: RequirementRef, latest: u32, facts: ConditionFacts) -> Decision<Self> {
        self.permit("adopt")?;
        let RequirementRef { requirement, version } = reference;
        let pinned = self.requirements.iter().find(|r| r.requirement == requirement).map(|r| r.version);
        if pinned == Some(version) {
            return Ok((self, vec![]));
        }
        let mut broken = Violations::new();
        let known = (1..=latest).contains(&version);
        broken.require(known, &REQUIREMENT_UNKNOWN, "/version", format!("the library has versions up to {latest}"));
        let newer = pinned.is_some_and(|pinned| pinned < version);
        self.check_conditions(&mut broken, facts, newer);
        broken.refuse_any()?;
        let held = self.requirements.iter_mut().find(|r| r.requirement == requirement);
        let event = if let Some(held) = held {
            let from = std::mem::replace(&mut held.version, version);
            LotEvent::RequirementRepinned { requirement, from, to: version }
        } else {
            self.requirements.push(reference);
            LotEvent::RequirementAdopted { requirement, version }
        };
        Ok((self, vec![event]))
    }

    /// No longer refers to a requirement. A published lot keeps at least one.
    pub fn drop_requirement(mut self, requirement: RequirementId, facts: ConditionFacts) -> Decision<Self> {
        self.permit("drop_requirement")?;
        let mut broken = Violations::new();
        let adopted = self.requirements.iter().any(|r| r.requirement == requirement);
        broken.require(adopted, &REQUIREMENT_NOT_ADOPTED, "/requirement", "this lot does not refer to it");
        self.check_conditions(&mut broken, facts, false);
        let others = self.requirements.iter().any(|r| r.requirement != requirement);
        broken.require(
            others || !self.is_published(facts),
            &REQUIREMENT_REQUIRED,
            "/requirement",
            "it is the last one",
        );
        broken.refuse_any()?;
        self.requirements.retain(|r| r.requirement != requirement);
        let event = LotEvent::RequirementDropped { requirement };
        Ok((self, vec![event]))
    }

    /// Opens it, first or after a pause. `in_force`: the arrangement is live, established or extended.
    pub fn open(mut self, in_force: bool) -> Decision<Self> {
        self.permit("open")?;
        let mut broken = Violations::new();
        broken.require(in_force, &ARRANGEMENT_NOT_IN_FORCE, "", "the arrangement is not live, established or extended");
        broken.require(!self.requirements.is_empty(), &REQUIREMENT_REQUIRED, "", "this lot has no requirement");
        broken.refuse_any()?;
        self.state = LotState::Open;
        let event = LotEvent::LotOpened { particulars: self.particulars.clone() };
        Ok((self, vec![event]))
    }

    /// Stops applications for now.
    pub fn pause(mut self, reason: String, now: Instant) -> Decision<Self> {
        self.permit("pause")?;
        check_reason(&reason)?;
        self.state = LotState::Paused { paused_at: now, reason: reason.clone() };
        let event = LotEvent::LotPaused { reason };
        Ok((self, vec![event]))
    }

    /// Ends it.
    pub fn close(mut self, reason: String, now: Instant) -> Decision<Self> {
        self.permit("close")?;
        check_reason(&reason)?;
        let was_open = !matches!(self.state, LotState::Draft);
        self.state = LotState::Closed { closed_at: now, reason: reason.clone(), was_open };
        let event = LotEvent::LotClosed { reason };
        Ok((self, vec![event]))
    }

    /// The code and label by which `authority` knows it (AC-20).
    #[must_use]
    pub fn known_to(&self, authority: &AuthorityCode) -> (&str, &str) {
        let alias = self.aliases.iter().find(|alias| alias.authority == *authority);
        let own = (self.particulars.code.as_str(), self.particulars.title.as_str());
        alias.map_or(own, |alias| (alias.code.as_str(), alias.label.as_str()))
    }

    /// What `authority`, a participant of the arrangement, may.
    #[must_use]
    pub fn right_of(&self, authority: &AuthorityCode) -> Right {
        self.access.iter().find(|access| access.authority == *authority).map_or(Right::Uses, |access| access.right)
    }

    /// Whether it is applied to now.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match self.state {
            LotState::Open => true,
            LotState::Draft | LotState::Paused { .. } | LotState::Closed { .. } => false,
        }
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self.state, LotState::Closed { .. })
    }

    /// Published with its arrangement or, where it was added later, by opening: until then its conditions are free.
    fn is_published(&self, facts: ConditionFacts) -> bool {
        match self.state {
            LotState::Draft => facts.published_at.is_some_and(|published_at| self.defined_at <= published_at),
            LotState::Open | LotState::Paused { .. } | LotState::Closed { .. } => true,
        }
    }

    fn check_conditions(&self, broken: &mut Violations, facts: ConditionFacts, newer: bool) {
        let fixed = facts.regime == Regime::Pa23Market && self.is_published(facts);
        broken.require(!fixed, &CONDITIONS_FIXED, "/requirement", "fixed until the market ends");
        broken.require(newer || !facts.evaluated, &REQUIREMENTS_FIXED, "/requirement", "a line was evaluated already");
    }
}

fn check_reason(reason: &str) -> Result<(), crate::kernel::Refusal> {
    let mut broken = Violations::new();
    broken.require_reason(reason, "/reason");
    broken.refuse_any()
}

fn check_once<'a>(broken: &mut Violations, authorities: impl Iterator<Item = &'a AuthorityCode>) {
    let mut seen: Vec<&AuthorityCode> = Vec::new();
    for (i, authority) in authorities.enumerate() {
        let field = format!("/{i}/authority");
        broken.require(!seen.contains(&authority), &AUTHORITY_REPEATED, &field, format!("{authority} occurs twice"));
        seen.push(authority);
    }
}

//! Declarations of interest: an assessor declares before it assesses, and not where it has an interest (BEY-08).

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};
use utoipa::ToSchema;
use validator::Validate;

use crate::kernel::{
    About, Actor, Aggregate, ArrangementId, Decision, DeclarationOfInterestsId, Instant, Kind, ProviderId, Refusal,
    State, Violation, Violations,
};

crate::rules! {
    CONFLICT_NOT_DECLARED = "conflict_not_declared", Conflict, "BEY-08",
        "An assessor declares its interests, or that it has none, before it assesses in an arrangement.";
    CONFLICT_OF_INTEREST = "conflict_of_interest", Forbidden, "BEY-08",
        "An assessor does not assess a provider in which it has an interest.";
    INTEREST_MALFORMED = "interest_malformed", Input, "BEY-08", "Each provider is declared once, with the nature of the interest.";
    NOT_OWN_DECLARATION = "not_own_declaration", Forbidden, "BEY-08", "Interests are declared by the assessor itself.";
}

/// An interest in one provider.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeclaredInterest {
    /// The provider.
    pub provider: ProviderId,
    /// What the interest is, such as `former employee`.
    #[validate(length(max = 500))]
    #[schema(max_length = 500)]
    pub nature: String,
}

/// What one assessor declared for one arrangement; unique for the pair.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeclarationOfInterests {
    /// Identifier.
    pub id: DeclarationOfInterestsId,
    /// The arrangement.
    pub arrangement: ArrangementId,
    /// The assessor's subject.
    pub assessor: String,
    /// Its interests; empty = it declares that it has none.
    pub interests: Vec<DeclaredInterest>,
    /// When they were declared or last revised.
    pub declared_at: Instant,
}

/// The one state of a declaration: it is revised, and never taken back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, IntoStaticStr, VariantNames)]
#[serde(tag = "state", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum DeclarationOfInterestsState {
    /// It stands.
    Declared,
}

impl State for DeclarationOfInterestsState {
    fn knows(&self) -> &'static [&'static str] {
        match self {
            Self::Declared => &["revise"],
        }
    }
}

/// Events of a declaration. The nature of an interest stays out of them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema, VariantNames)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum DeclarationOfInterestsEvent {
    /// An assessor declared its interests, or that it has none.
    InterestsDeclared {
        /// Subject of the assessor's account.
        assessor: String,
        /// The providers in which it has one.
        providers: Vec<ProviderId>,
        /// Whether it replaces an earlier declaration.
        revised: bool,
    },
}

impl Aggregate for DeclarationOfInterests {
    type Id = DeclarationOfInterestsId;
    type State = DeclarationOfInterestsState;
    type Event = DeclarationOfInterestsEvent;
    const KIND: Kind = Kind::DeclarationOfInterests;

    fn id(&self) -> DeclarationOfInterestsId {
        self.id
    }

    fn state(&self) -> &DeclarationOfInterestsState {
        &DeclarationOfInterestsState::Declared
    }

    fn about(&self) -> About {
        About { arrangement: Some(self.arrangement), ..About::default() }
    }
}

impl DeclarationOfInterests {
    /// Declares the actor's interests, or with an empty list that it has none.
    pub fn declare(
        id: DeclarationOfInterestsId,
        arrangement: ArrangementId,
        interests: Vec<DeclaredInterest>,
        actor: &Actor,
        now: Instant,
    ) -> Decision<Self> {
        let interests = checked(interests)?;
        let declaration = Self { id, arrangement, assessor: actor.subject.clone(), interests, declared_at: now };
        let event = declaration.event(false);
        Ok((declaration, vec![event]))
    }

    /// Replaces the interests; what was declared before stays in the events. Those that are declared change nothing.
    pub fn revise(mut self, interests: Vec<DeclaredInterest>, actor: &Actor, now: Instant) -> Decision<Self> {
        if actor.subject != self.assessor {
            return Err(NOT_OWN_DECLARATION.broken("it is another assessor's declaration").into());
        }
        let interests = checked(interests)?;
        if self.interests == interests {
            return Ok((self, Vec::new()));
        }
        self.interests = interests;
        self.declared_at = now;
        let event = self.event(true);
        Ok((self, vec![event]))
    }

    /// Whether the assessor may assess `provider`; [`CONFLICT_OF_INTEREST`] where not.
    pub fn permits(&self, provider: ProviderId) -> Result<(), Violation> {
        match self.interests.iter().find(|i| i.provider == provider) {
            None => Ok(()),
            Some(_) => Err(CONFLICT_OF_INTEREST.broken(format!("an interest in provider {provider} is declared"))),
        }
    }

    fn event(&self, revised: bool) -> DeclarationOfInterestsEvent {
        DeclarationOfInterestsEvent::InterestsDeclared {
            assessor: self.assessor.clone(),
            providers: self.interests.iter().map(|i| i.provider).collect(),
            revised,
        }
    }
}

/// Whether `actor` may assess `provider` in `arrangement`, given its declaration there. Another's declaration is none.
pub fn permits(
    declared: Option<&DeclarationOfInterests>,
    arrangement: ArrangementId,
    provider: ProviderId,
    actor: &Actor,
) -> Result<(), Violation> {
    match declared.filter(|d| d.arrangement == arrangement && d.assessor == actor.subject) {
        Some(declaration) => declaration.permits(provider),
        None => Err(CONFLICT_NOT_DECLARED.broken("declare your interests in this arrangement first, even if none")),
    }
}

fn checked(interests: Vec<DeclaredInterest>) -> Result<Vec<DeclaredInterest>, Refusal> {
    let mut broken = Violations::new();
    for (i, interest) in interests.iter().enumerate() {
        let field = format!("/interests/{i}/nature");
        broken.require(!interest.nature.trim().is_empty(), &INTEREST_MALFORMED, &field, "say what the interest is");
        let twice = interests.iter().take(i).any(|earlier| earlier.provider == interest.provider);
        let field = format!("/interests/{i}/provider");
        broken.require(!twice, &INTEREST_MALFORMED, &field, "the provider is declared twice");
    }
    broken.refuse_any().map(|()| interests)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(n: u128) -> ProviderId {
        ProviderId(uuid::Uuid::from_u128(n))
    }

    fn interest(n: u128, nature: &str) -> DeclaredInterest {
        DeclaredInterest { provider: provider(n), nature: nature.to_owned() }
    }

    fn assessor(subject: &str) -> Actor {
        Actor { subject: subject.to_owned(), ..Actor::clock() }
    }

    fn declare(interests: Vec<DeclaredInterest>) -> Decision<DeclarationOfInterests> {
        let (id, arrangement) = (DeclarationOfInterestsId(uuid::Uuid::nil()), ArrangementId(uuid::Uuid::nil()));
        DeclarationOfInterests::declare(id, arrangement, interests, &assessor("a"), Instant::from_micros(0))
    }

    #[test]
    fn an_assessor_declares_first_and_has_no_interest() {
        let (declared, _) = declare(vec![interest(1, "former employee")]).unwrap();
        let code = |declared, subject: &str, arrangement, n| {
            permits(declared, ArrangementId(uuid::Uuid::from_u128(arrangement)), provider(n), &assessor(subject))
                .map_err(|v| v.rule.code)
        };
        assert_eq!(code(None, "a", 0, 2), Err("conflict_not_declared"));
        assert_eq!(code(Some(&declared), "b", 0, 2), Err("conflict_not_declared"));
        assert_eq!(code(Some(&declared), "a", 1, 2), Err("conflict_not_declared"));
        assert_eq!(code(Some(&declared), "a", 0, 1), Err("conflict_of_interest"));
        assert_eq!(code(Some(&declared), "a", 0, 2), Ok(()));
    }

    #[test]
    fn every_interest_names_its_nature_and_a_provider_once() {
        let Err(Refusal::Rules(broken)) = declare(vec![interest(1, "shares"), interest(1, " ")]) else {
            panic!("refused")
        };
        let fields: Vec<_> = broken.iter().filter_map(|v| v.field.as_deref()).collect();
        assert_eq!(fields, ["/interests/1/nature", "/interests/1/provider"]);
    }

    #[test]
    fn only_the_assessor_revises_and_the_event_keeps_the_nature_out() {
        let (declared, events) = declare(vec![]).unwrap();
        assert!(matches!(events.as_slice(), [DeclarationOfInterestsEvent::InterestsDeclared { revised: false, .. }]));
        let later = Instant::from_micros(9);
        assert!(declared.clone().revise(vec![], &assessor("b"), later).is_err());
        let (revised, events) = declared.revise(vec![interest(2, "spouse")], &assessor("a"), later).unwrap();
        assert_eq!(revised.declared_at, later);
        assert!(!serde_json::to_string(&events).unwrap().contains("spouse"));
    }
}

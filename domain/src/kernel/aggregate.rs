//! The shape that every aggregate shares, so that storing, recording and sweeping are written once.

use serde::Serialize;
use serde::de::DeserializeOwned;
use strum::{IntoStaticStr, VariantNames};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{ApplicationId, ArrangementId, Imposed, Instant, Kind, LotId, ProviderId, Refusal, StatedDeadline};

/// What a command led to: the new aggregate with its events.
pub type Decided<A> = (A, Vec<<A as Aggregate>::Event>);

/// The outcome of a command: what it led to, or why not (CRD-02).
pub type Decision<A> = Result<Decided<A>, Refusal>;

/// What an aggregate is about: events are filtered and scoped by it (requirements §2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct About {
    /// The arrangement it belongs to.
    pub arrangement: Option<ArrangementId>,
    /// The lot it belongs to.
    pub lot: Option<LotId>,
    /// The provider it concerns: no other provider ever sees its events.
    pub provider: Option<ProviderId>,
    /// The application it belongs to.
    pub application: Option<ApplicationId>,
}

/// The next thing that the clock does to an aggregate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Due {
    /// When.
    pub at: Instant,
    /// What, such as `close` or `lapse`.
    pub what: &'static str,
}

/// Who may see an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Audience {
    /// Every provider and every buyer: published procurement documents are open to all (PCR34-14).
    Everyone,
    /// The buying side of the arrangement, and the provider it is about.
    Parties,
    /// The provider it is about alone: before evaluation the buying side sees that an application was received, and no
    /// more (DPS-13, PRO-27).
    Provider,
    /// The buying side of the arrangement alone: what an evaluation finds is sealed from the provider until the
    /// application is decided (PRO-25).
    Buyers,
    /// Whoever runs the system: neither buyers nor providers learn which clients there are.
    Administrators,
    /// Nobody in the feed or the audit: it is the business of one account, which reads the thing itself.
    Owner,
}

impl Audience {
    /// The name in the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// A value with a name, as JSON and the store write it: every enum that derives `IntoStaticStr` of strum, in snake case.
pub trait Named {
    /// The name.
    fn name(&self) -> &'static str;
}

impl<T> Named for T
where
    for<'a> &'a T: Into<&'static str>,
{
    fn name(&self) -> &'static str {
        self.into()
    }
}

/// The state of an aggregate: an enum with its data in the variants.
pub trait State: Named + VariantNames {
    /// The names of all states.
    #[must_use]
    fn names() -> &'static [&'static str] {
        Self::VARIANTS
    }

    /// The commands that it knows.
    fn knows(&self) -> &'static [&'static str];
}

/// A consistency boundary with a state, changed only by commands that return a [`Decision`].
pub trait Aggregate: Clone + Serialize + DeserializeOwned + Send + 'static {
    /// Which kind it is.
    const KIND: Kind;

    /// What the clock does to it: every `what` of [`Aggregate::due`]. Something in the clockwork makes each.
    const CLOCK: &'static [&'static str] = &[];

    /// Its identifier.
    type Id: Copy + std::fmt::Display + From<Uuid> + Into<Uuid> + Send + 'static;

    /// Its states.
    type State: State;

    /// Its events, past tense; serialised with their name under `type`. The record says whose they are and when they were
    /// recorded: they carry neither, and where the clock's work may be late, an `effective_at`.
    type Event: Serialize + ToSchema + VariantNames;

    /// Its identifier.
    fn id(&self) -> Self::Id;

    /// Its state.
    fn state(&self) -> &Self::State;

    /// What it is about.
    fn about(&self) -> About;

    /// Who may see an event, beside the clock and the verifier.
    fn audience(&self, _event: &Self::Event) -> Audience {
        Audience::Parties
    }

    /// Whether there is such a thing for the buying side, whatever it may see of it.
    fn exists_for_buyers(&self) -> bool {
        true
    }

    /// The next instant at which the clock changes it, if any.
    fn due(&self) -> Option<Due> {
        None
    }

    /// What it sets against members, past, present and to come: the one rule that every standing is read from.
    fn impediments(&self) -> Vec<Imposed> {
        Vec::new()
    }

    /// What is due of it, as long as it is: told ahead and, where it is missed, afterwards (ADD-21).
    fn deadlines(&self) -> Vec<StatedDeadline> {
        Vec::new()
    }

    /// The commands that it knows now: those of its state.
    fn knows(&self) -> &'static [&'static str] {
        self.state().knows()
    }

    /// Lets a command go on that its state knows.
    ///
    /// # Errors
    /// [`Refusal::WrongState`].
    fn permit(&self, command: &'static str) -> Result<(), Refusal> {
        if self.knows().contains(&command) { Ok(()) } else { Err(self.refused(command)) }
    }

    /// The refusal of a command that its state does not know.
    fn refused(&self, command: &'static str) -> Refusal {
        Refusal::WrongState { kind: Self::KIND, from: self.state().name(), attempted: command, allowed: self.knows() }
    }
}

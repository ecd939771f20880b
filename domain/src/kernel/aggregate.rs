//! The shape that every aggregate shares, so that storing, recording and sweeping are written once.

use super::{ApplicationId, ArrangementId, Instant, LotId, ProviderId, Refusal};

/// The outcome of a command: the new aggregate with its events, or why not (CRD-02).
pub type Decision<A> = Result<(A, Vec<<A as Aggregate>::Event>), Refusal>;

/// The kinds of aggregate, as they are named in events and in the audit.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A1.
    Arrangement,
    /// A2.
    Lot,
    /// DPS-21.
    Requirement,
    /// A3.
    Round,
    /// A20.
    Provider,
    /// A20.
    Home,
    /// A4.
    Application,
    /// A5.
    ComplianceCheck,
    /// A6.
    Membership,
    /// A7.
    Suspension,
    /// TIR-18.
    ImprovementNotice,
    /// WAL-13.
    Sanction,
    /// A8.
    Removal,
    /// BEY-05.
    Appeal,
    /// BEY-08.
    DeclarationOfInterests,
    /// A19.
    Interest,
    /// A15.
    Fee,
    /// CRD-08, CRD-09.
    Client,
    /// CRD-09.
    Webhook,
    /// A21.
    Upload,
}

impl Kind {
    /// Every kind.
    pub const ALL: &'static [Kind] = &[
        Kind::Arrangement,
        Kind::Lot,
        Kind::Requirement,
        Kind::Round,
        Kind::Provider,
        Kind::Home,
        Kind::Application,
        Kind::ComplianceCheck,
        Kind::Membership,
        Kind::Suspension,
        Kind::ImprovementNotice,
        Kind::Sanction,
        Kind::Removal,
        Kind::Appeal,
        Kind::DeclarationOfInterests,
        Kind::Interest,
        Kind::Fee,
        Kind::Client,
        Kind::Webhook,
        Kind::Upload,
    ];

    /// The name in events, audit and store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Arrangement => "arrangement",
            Kind::Lot => "lot",
            Kind::Requirement => "requirement",
            Kind::Round => "round",
            Kind::Provider => "provider",
            Kind::Home => "home",
            Kind::Application => "application",
            Kind::ComplianceCheck => "compliance_check",
            Kind::Membership => "membership",
            Kind::Suspension => "suspension",
            Kind::ImprovementNotice => "improvement_notice",
            Kind::Sanction => "sanction",
            Kind::Removal => "removal",
            Kind::Appeal => "appeal",
            Kind::DeclarationOfInterests => "declaration_of_interests",
            Kind::Interest => "interest",
            Kind::Fee => "fee",
            Kind::Client => "client",
            Kind::Webhook => "webhook",
            Kind::Upload => "upload",
        }
    }
}

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
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
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
        match self {
            Audience::Everyone => "everyone",
            Audience::Parties => "parties",
            Audience::Provider => "provider",
            Audience::Buyers => "buyers",
            Audience::Administrators => "administrators",
            Audience::Owner => "owner",
        }
    }
}

/// A consistency boundary with a state, changed only by commands that return a [`Decision`].
pub trait Aggregate: Clone + serde::Serialize + serde::de::DeserializeOwned + Send + 'static {
    /// Its events, past tense; serialised with their name under `type`.
    type Event: serde::Serialize;

    /// Which kind it is.
    const KIND: Kind;

    /// What the clock does to it: every `what` of [`Aggregate::due`]. Something in the clockwork makes each.
    const CLOCK: &'static [&'static str] = &[];

    /// Its identifier, untyped.
    fn id(&self) -> uuid::Uuid;

    /// The name of its state, as the API and the transition tables print it.
    fn state(&self) -> &'static str;

    /// What it is about.
    fn about(&self) -> About;

    /// Whether there is such a thing for the buying side, whatever it may see of it.
    fn exists_for_buyers(&self) -> bool {
        true
    }

    /// Who may see an event, beside the clock and the verifier.
    fn audience(&self, _event: &Self::Event) -> Audience {
        Audience::Parties
    }

    /// The next instant at which the clock changes it, if any.
    fn due(&self) -> Option<Due> {
        None
    }
}

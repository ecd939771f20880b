//! Typed identifiers. The caller mints them: the domain has no randomness (CRD-01).

/// Declares one identifier type per aggregate, so that a lot's id can never be passed for a round's.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize,
            utoipa::ToSchema,
        )]
        #[serde(transparent)]
        #[schema(value_type = String, format = Uuid)]
        pub struct $name(pub uuid::Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<$name> for uuid::Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl From<uuid::Uuid> for $name {
            fn from(id: uuid::Uuid) -> Self {
                Self(id)
            }
        }
    )+};
}

ids! {
    /// A dynamic purchasing system, framework or approved list (A1).
    ArrangementId,
    /// A service category that is applied to and admitted separately (A2).
    LotId,
    /// One test in the shared requirement library (DPS-21).
    RequirementId,
    /// A window of receipt followed by evaluation (A3).
    RoundId,
    /// A provider of care (A20).
    ProviderId,
    /// A registered home or setting of a provider (A20).
    HomeId,
    /// A provider's application to an arrangement (A4).
    ApplicationId,
    /// One requirement tested against one application (A5).
    ComplianceCheckId,
    /// Provider × lot after admission (A6).
    MembershipId,
    /// A time-limited stop on new business (A7).
    SuspensionId,
    /// A warning with time to rectify (TIR-18).
    ImprovementNoticeId,
    /// A concealment or restriction (WAL-13).
    SanctionId,
    /// The end of a membership by the authority (A8).
    RemovalId,
    /// A provider's appeal (BEY-05).
    AppealId,
    /// A provider's interest in an arrangement (A19).
    InterestId,
    /// An assessor's declaration of interests (BEY-08).
    DeclarationOfInterestsId,
    /// A member's fee for a service (A15).
    FeeId,
    /// A machine client: a portal or a script (CRD-08, CRD-09).
    ClientId,
    /// One secret of a machine client.
    SecretId,
    /// A webhook subscription (CRD-09).
    WebhookId,
    /// A bulk upload (A21).
    UploadId,
}

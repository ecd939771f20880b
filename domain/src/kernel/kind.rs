//! The kinds of aggregate: the one list that their names and identifiers are made from.

use strum::IntoStaticStr;

/// One line an aggregate: makes its [`Kind`] and the type of its identifier.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident, $Id:ident;)+) => {
        /// The kinds of aggregate, as they are named in events and in the audit.
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, IntoStaticStr, serde::Serialize,
            serde::Deserialize, utoipa::ToSchema,
        )]
        #[serde(rename_all = "snake_case")]
        #[strum(serialize_all = "snake_case")]
        pub enum Kind {
            $($(#[$doc])* $kind,)+
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Kind] = &[$(Kind::$kind),+];

            /// The name in events, audit and store.
            #[must_use]
            pub fn name(self) -> &'static str {
                self.into()
            }
        }

        ids! { $($(#[$doc])* $Id,)+ }
    };
}

kinds! {
    /// A dynamic purchasing system, framework or approved list (A1).
    Arrangement, ArrangementId;
    /// A service category that is applied to and admitted separately (A2).
    Lot, LotId;
    /// One test in the shared requirement library (DPS-21).
    Requirement, RequirementId;
    /// A window of receipt followed by evaluation (A3).
    Round, RoundId;
    /// A provider of care (A20).
    Provider, ProviderId;
    /// A registered home or setting of a provider (A20).
    Home, HomeId;
    /// A provider's application to an arrangement (A4).
    Application, ApplicationId;
    /// One requirement tested against one application (A5).
    ComplianceCheck, ComplianceCheckId;
    /// Provider × lot after admission (A6).
    Membership, MembershipId;
    /// A time-limited stop on new business (A7).
    Suspension, SuspensionId;
    /// A warning with time to rectify (TIR-18).
    ImprovementNotice, ImprovementNoticeId;
    /// A concealment or restriction (WAL-13).
    Sanction, SanctionId;
    /// The end of a membership by the authority (A8).
    Removal, RemovalId;
    /// A provider's appeal (BEY-05).
    Appeal, AppealId;
    /// An assessor's declaration of interests (BEY-08).
    DeclarationOfInterests, DeclarationOfInterestsId;
    /// A provider's interest in an arrangement (A19).
    Interest, InterestId;
    /// A member's fee for a service (A15).
    Fee, FeeId;
    /// A deadline that is told ahead and when it is missed (ADD-21).
    Deadline, DeadlineId;
    /// A machine client: a portal or a script (CRD-08, CRD-09).
    Client, ClientId;
    /// A webhook subscription (CRD-09).
    Webhook, WebhookId;
    /// A bulk upload (A21).
    Upload, UploadId;
}

//! Foundations that every subject stands on: ids, time, money, actors, rules and the shape of an aggregate.

pub mod actor;
pub mod aggregate;
pub mod id;
pub mod money;
pub mod permission;
pub mod rule;
pub mod time;

pub use actor::{Actor, AuthorityCode, Role};
pub use aggregate::{About, Aggregate, Audience, Decision, Due, Kind};
pub use id::{
    AppealId, ApplicationId, ArrangementId, ClientId, ComplianceCheckId, DeclarationOfInterestsId, FeeId, HomeId,
    ImprovementNoticeId, InterestId, LotId, MembershipId, ProviderId, RemovalId, RequirementId, RoundId, SanctionId,
    SecretId, SuspensionId, UploadId, WebhookId,
};
pub use money::{BasisPoints, Pence};
pub use permission::{Permission, Reach};
pub use rule::{Nature, Refusal, Rule, Violation, Violations};
pub use time::Instant;

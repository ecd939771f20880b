//! Providers, their homes and the regulator's ratings (A20).

pub mod authority;
pub mod boundary;
pub mod eligibility;
mod fact;
pub mod home;
pub mod identifier;
#[expect(clippy::module_inception, reason = "the subject is named after its first aggregate")]
pub mod provider;

pub use boundary::{Inside, Location, Postcode};
pub use eligibility::{HomeFacts, RatingShare};
pub use fact::StatedBy;
pub use home::{Home, HomeEvent};
pub use provider::{Provider, ProviderEvent};

/// A regulator's overall judgement, from worst to best. A home without one is simply unrated (TIR-04).
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Rating {
    /// Inadequate.
    Inadequate,
    /// Requires improvement to be good.
    RequiresImprovement,
    /// Good.
    Good,
    /// Outstanding.
    Outstanding,
}

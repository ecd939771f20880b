//! Providers, their homes and the regulator's ratings (A20).

pub mod boundary;
pub mod eligibility;
pub mod home;
#[expect(clippy::module_inception, reason = "the subject is named after its first aggregate")]
pub mod provider;

pub use boundary::{Inside, Location, Postcode};
pub use eligibility::{HomeFacts, RatingShare};
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

/// The fields in which two versions of a profile differ, by their JSON names: what an amendment's event says.
fn changed_fields<T: serde::Serialize>(old: &T, new: &T) -> Vec<String> {
    let object = |it: &T| serde_json::to_value(it).ok().and_then(|v| v.as_object().cloned()).unwrap_or_default();
    let old = object(old);
    object(new).into_iter().filter(|(field, value)| old.get(field) != Some(value)).map(|(field, _)| field).collect()
}

//! Who stated a fact. What a provider says of itself is stated; it is held when the regulator's release or an officer says so.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{Actor, Role};

/// Who stated a fact.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatedBy {
    /// The provider of itself, or a portal for it: stated, and confirmed by nobody.
    #[default]
    Provider,
    /// The regulator, in a release of its list.
    Regulator,
    /// An officer of the buying side, with a reason.
    Officer,
}

impl StatedBy {
    /// Whose word an actor's is.
    #[must_use]
    pub fn of(actor: &Actor) -> Self {
        match actor.role {
            Role::Provider | Role::Portal => Self::Provider,
            Role::Public
            | Role::ArtOfficer
            | Role::Commissioner
            | Role::LeadAgency
            | Role::MonitoringOfficer
            | Role::Consortium
            | Role::SocialWorker
            | Role::Script
            | Role::Administrator => Self::Officer,
        }
    }

    /// Whether anybody but the provider says so.
    #[must_use]
    pub fn is_confirmed(self) -> bool {
        self != Self::Provider
    }

    /// The source in words, as a finding names it.
    #[must_use]
    pub fn says(self) -> &'static str {
        match self {
            Self::Provider => "stated by the provider, not confirmed",
            Self::Regulator => "by the regulator's release",
            Self::Officer => "confirmed by an officer",
        }
    }
}

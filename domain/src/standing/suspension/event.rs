//! Events of a suspension.

use serde::{Deserialize, Serialize};
use strum::VariantNames;
use utoipa::ToSchema;

use super::SuspensionScope;
use crate::kernel::{Instant, RemovalId};

/// What happened to a suspension.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, VariantNames)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum SuspensionEvent {
    /// Imposed. The provider learns the grounds and that it may make representations.
    Suspended {
        /// Whom it stops.
        scope: SuspensionScope,
        /// First instant.
        from: Instant,
        /// Planned end.
        until: Instant,
        /// The grounds.
        reason: String,
    },
    /// The provider answered.
    SuspensionAnswered,
    /// Made longer.
    SuspensionExtended {
        /// New planned end.
        until: Instant,
        /// Why.
        reason: String,
    },
    /// Ended by a person.
    SuspensionLifted {
        /// Why.
        reason: String,
        /// Whether it should not have been imposed.
        annulled: bool,
    },
    /// Ended by the clock.
    SuspensionLapsed {
        /// When, however late it was noticed.
        effective_at: Instant,
    },
    /// Its time is up; somebody must review it.
    SuspensionReviewDue {
        /// When, however late it was noticed.
        effective_at: Instant,
    },
    /// Found wrong after it had ended.
    SuspensionAnnulled {
        /// Why.
        reason: String,
    },
    /// Replaced by a removal.
    SuspensionConverted {
        /// By which removal.
        removal: RemovalId,
        /// From when on, however late it was noticed.
        effective_at: Instant,
    },
}

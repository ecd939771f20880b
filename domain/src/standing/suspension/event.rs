//! What is recorded of a suspension.

use serde::{Deserialize, Serialize};

use super::SuspensionScope;
use crate::kernel::{Instant, RemovalId, SuspensionId};

/// What happened to a suspension.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum SuspensionEvent {
    /// Imposed. The provider learns the grounds and that it may make representations.
    Suspended {
        /// Which.
        suspension: SuspensionId,
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
    RepresentationsMade {
        /// Which.
        suspension: SuspensionId,
        /// When.
        at: Instant,
    },
    /// Made longer.
    SuspensionExtended {
        /// Which.
        suspension: SuspensionId,
        /// New planned end.
        until: Instant,
        /// Why.
        reason: String,
        /// When.
        at: Instant,
    },
    /// Ended by a person.
    SuspensionLifted {
        /// Which.
        suspension: SuspensionId,
        /// Why.
        reason: String,
        /// Whether it should not have been imposed.
        annulled: bool,
        /// When.
        at: Instant,
    },
    /// Ended by the clock.
    SuspensionLapsed {
        /// Which.
        suspension: SuspensionId,
        /// When its time was up.
        at: Instant,
    },
    /// Its time is up; somebody must review it.
    SuspensionReviewDue {
        /// Which.
        suspension: SuspensionId,
        /// When its time was up.
        at: Instant,
    },
    /// Found wrong after it had ended.
    SuspensionAnnulled {
        /// Which.
        suspension: SuspensionId,
        /// Why.
        reason: String,
        /// When.
        at: Instant,
    },
    /// Replaced by a removal.
    SuspensionConverted {
        /// Which.
        suspension: SuspensionId,
        /// By which removal.
        removal: RemovalId,
        /// When.
        at: Instant,
    },
}

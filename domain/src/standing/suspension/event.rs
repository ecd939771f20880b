//! Events of a suspension.

use serde::{Deserialize, Serialize};
use strum::VariantNames;
use utoipa::ToSchema;

use super::SuspensionScope;
use crate::arrangement::ScopeAuthority;
use crate::kernel::{AuthorityCode, Instant, RemovalId};

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
        /// The authority that imposed it: the others are told by this (DPS-27).
        authority: Option<AuthorityCode>,
        /// Whether it binds that authority alone or all of the arrangement.
        binds: ScopeAuthority,
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
    /// Lifted by another authority for itself (DPS-27).
    SuspensionLiftedFor {
        /// Which.
        authority: AuthorityCode,
        /// Why.
        reason: String,
    },
    /// Ended with its arrangement.
    SuspensionEnded {
        /// Why.
        reason: String,
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

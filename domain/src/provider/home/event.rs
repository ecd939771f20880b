//! Events of a home.

use chrono::NaiveDate;
use serde::Serialize;
use strum::VariantNames;
use utoipa::ToSchema;

use super::release::{OwnerReading, RegisterOwner};
use super::{Rating, Registration, StatedBy};
use crate::kernel::ProviderId;

/// Events of a home.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema, VariantNames)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum HomeEvent {
    /// It was added.
    HomeAdded {
        /// Whose it is.
        provider: ProviderId,
        /// The regulator's number, where it is registered.
        urn: Option<String>,
    },
    /// What is said of it was replaced.
    HomeAmended {
        /// Whose it is.
        provider: ProviderId,
        /// The fields that differ.
        changed: Vec<String>,
        /// Their values before.
        #[schema(value_type = Object)]
        before: serde_json::Map<String, serde_json::Value>,
        /// Their values since.
        #[schema(value_type = Object)]
        after: serde_json::Map<String, serde_json::Value>,
    },
    /// The proposed home was registered with the regulator.
    HomeRegistered {
        /// Whose it is.
        provider: ProviderId,
        /// The regulator's number.
        urn: String,
        /// Since when.
        #[schema(value_type = String, format = Date)]
        registered_on: NaiveDate,
    },
    /// Its number or the date of its registration was put right. What the regulator said under another number no longer counts.
    HomeCorrected {
        /// Whose it is.
        provider: ProviderId,
        /// The registration before.
        before: Registration,
        /// The registration since.
        after: Registration,
        /// Why.
        reason: String,
    },
    /// It was closed, or will not open.
    HomeClosed {
        /// Whose it is.
        provider: ProviderId,
        /// From which day on.
        #[schema(value_type = String, format = Date)]
        closed_on: NaiveDate,
        /// Why.
        reason: String,
    },
    /// It was closed by mistake, and is open as if it had not been.
    HomeReopened {
        /// Whose it is.
        provider: ProviderId,
        /// From which day on it was closed.
        #[schema(value_type = String, format = Date)]
        closed_on: NaiveDate,
        /// Why.
        reason: String,
    },
    /// Its owner says that it was sold; the buyer has not said so yet.
    HomeTransferOffered {
        /// Whose it is.
        provider: ProviderId,
        /// To whom.
        to: ProviderId,
        /// From which day on.
        #[schema(value_type = String, format = Date)]
        on: NaiveDate,
        /// Why.
        reason: String,
    },
    /// The transfer that was offered was declined or taken back.
    HomeTransferEnded {
        /// Whose it is.
        provider: ProviderId,
        /// To whom it was offered.
        to: ProviderId,
        /// Why.
        reason: String,
    },
    /// It is another provider's, with its number and its ratings.
    HomeTransferred {
        /// Whose it was.
        from: ProviderId,
        /// Whose it is.
        to: ProviderId,
        /// From which day on.
        #[schema(value_type = String, format = Date)]
        on: NaiveDate,
        /// Why.
        reason: String,
    },
    /// A rating was recorded. One that the provider states is not held until the regulator or an officer says so.
    RatingRecorded {
        /// Whose it is.
        provider: ProviderId,
        /// The judgement; none where it has no rating from then on.
        rating: Option<Rating>,
        /// Date of the inspection.
        #[schema(value_type = String, format = Date)]
        inspected_on: NaiveDate,
        /// Whether it supersedes an earlier one of the same inspection.
        correction: bool,
        /// Whether the regulator took the judgement of that inspection back.
        withdrawn: bool,
        /// Who stated it.
        stated_by: StatedBy,
        /// Why, where an officer did.
        reason: Option<String>,
    },
    /// The regulator's list says that its registration is suspended.
    HomeRegistrationSuspended {
        /// Whose it is.
        provider: ProviderId,
        /// The regulator's number.
        urn: String,
    },
    /// The regulator's list says no longer that its registration is suspended.
    HomeRegistrationRestored {
        /// Whose it is.
        provider: ProviderId,
        /// The regulator's number.
        urn: String,
    },
    /// The rating that it holds is another.
    RatingChanged {
        /// Whose it is.
        provider: ProviderId,
        /// The rating before.
        from: Option<Rating>,
        /// The rating since.
        to: Option<Rating>,
    },
    /// The regulator's release says of it what it did not say before.
    HomeListed {
        /// Whose it is.
        provider: ProviderId,
        /// The day of which the release speaks.
        #[schema(value_type = String, format = Date)]
        on: NaiveDate,
        /// The fields that differ.
        changed: Vec<String>,
        /// What it said before.
        #[schema(value_type = Object)]
        before: serde_json::Map<String, serde_json::Value>,
        /// What it says.
        #[schema(value_type = Object)]
        after: serde_json::Map<String, serde_json::Value>,
    },
    /// The regulator lists it under another owner than before. It stays its provider's: a sale is concluded by a transfer.
    HomeOwnerChanged {
        /// Whose it is here.
        provider: ProviderId,
        /// The owner listed before.
        from: RegisterOwner,
        /// The owner listed since.
        to: RegisterOwner,
        /// What that looks like.
        reading: OwnerReading,
    },
}

//! Events of a provider.

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::{Map, Value};
use strum::VariantNames;
use utoipa::ToSchema;

use super::ExternalRef;
use crate::kernel::{HomeId, ProviderId};
use crate::provider::StatedBy;

/// Events of a provider. Contact details stay out of them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema, VariantNames)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum ProviderEvent {
    /// It was registered.
    ProviderRegistered {
        /// Its registered name.
        legal_name: String,
        /// Whether an authority runs it.
        in_house: bool,
    },
    /// Its profile was replaced.
    ProviderAmended {
        /// The fields that differ.
        changed: Vec<String>,
        /// Their values before, but for contact details.
        #[schema(value_type = Object)]
        before: Map<String, Value>,
        /// Their values since, but for contact details.
        #[schema(value_type = Object)]
        after: Map<String, Value>,
        /// Its registered name since.
        legal_name: String,
        /// Its registered name before, where that differs.
        former_name: Option<String>,
    },
    /// Who it is was put right.
    ProviderCorrected {
        /// The fields that differ.
        changed: Vec<String>,
        /// Their values before.
        #[schema(value_type = Object)]
        before: Map<String, Value>,
        /// Their values since.
        #[schema(value_type = Object)]
        after: Map<String, Value>,
        /// By whom.
        stated_by: StatedBy,
        /// Why.
        reason: String,
    },
    /// An officer confirmed whether it is an authority's own service.
    InHouseConfirmed {
        /// Whether it is.
        in_house: bool,
        /// Why.
        reason: String,
    },
    /// Another provider says that it sold it a home.
    HomeOffered {
        /// Which.
        home: HomeId,
        /// The regulator's number.
        urn: Option<String>,
        /// Whose it is.
        from: ProviderId,
        /// From which day on.
        #[schema(value_type = String, format = Date)]
        on: NaiveDate,
        /// Why.
        reason: String,
    },
    /// A home of it is another provider's.
    HomeHandedOver {
        /// Which.
        home: HomeId,
        /// The regulator's number.
        urn: Option<String>,
        /// To whom.
        to: ProviderId,
        /// From which day on.
        #[schema(value_type = String, format = Date)]
        on: NaiveDate,
        /// Why.
        reason: String,
    },
    /// A portal's reference was added.
    ExternalRefAdded {
        /// What the portal calls it.
        external_ref: ExternalRef,
    },
    /// It is no longer in business.
    ProviderMadeDormant {
        /// Why.
        reason: String,
    },
    /// It is in business again.
    ProviderReactivated {
        /// Why.
        reason: String,
    },
    /// An exclusion was recorded.
    ExclusionRecorded {
        /// Code of the ground.
        ground: String,
        /// When the ground arose.
        #[schema(value_type = String, format = Date)]
        from: NaiveDate,
        /// The last day of its look-back, where one is fixed.
        #[schema(value_type = Option<String>, format = Date)]
        until: Option<NaiveDate>,
    },
    /// Self-cleaning was judged.
    SelfCleaningJudged {
        /// Code of the ground.
        ground: String,
        /// Whether it is enough.
        accepted: bool,
        /// Why.
        reason: String,
    },
}

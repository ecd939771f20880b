//! What is recorded of an arrangement.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use strum::VariantNames;
use utoipa::ToSchema;

use crate::arrangement::{Modified, Notice, Term, Warning};
use crate::kernel::{AuthorityCode, Instant};

/// What happened to an arrangement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, VariantNames)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum ArrangementEvent {
    /// A draft was created.
    ArrangementCreated {
        /// The reference of the procurement.
        reference: String,
    },
    /// The draft was rewritten.
    ArrangementAmended {
        /// The fields that differ.
        #[serde(default)]
        changed: Vec<String>,
        /// Their values before, but for the contact's.
        #[serde(default)]
        #[schema(value_type = Object)]
        before: Map<String, Value>,
        /// Their values since, but for the contact's.
        #[serde(default)]
        #[schema(value_type = Object)]
        after: Map<String, Value>,
    },
    /// It was tied to a record of another system.
    ArrangementLinked {
        /// Which system.
        system: String,
        /// What that system calls it.
        reference: String,
    },
    /// An authority joined.
    AuthorityAdded {
        /// Which.
        authority: AuthorityCode,
        /// What is published since, where it is published.
        notice: Option<Box<Notice>>,
    },
    /// Its policies were set.
    PoliciesSet {
        /// The policies that differ.
        #[serde(default)]
        changed: Vec<String>,
        /// Their values before.
        #[serde(default)]
        #[schema(value_type = Object)]
        before: Map<String, Value>,
        /// Their values since.
        #[serde(default)]
        #[schema(value_type = Object)]
        after: Map<String, Value>,
    },
    /// It was published.
    ArrangementPublished {
        /// From when until when it runs.
        term: Term,
        /// What the law finds remarkable about it, and does not forbid.
        warnings: Vec<Warning>,
        /// What is published.
        notice: Option<Box<Notice>>,
    },
    /// It was modified after publication.
    ArrangementModified {
        /// What was changed.
        changed: Vec<Modified>,
        /// The values before, but for the contact's.
        #[serde(default)]
        #[schema(value_type = Object)]
        before: Map<String, Value>,
        /// The values since, but for the contact's.
        #[serde(default)]
        #[schema(value_type = Object)]
        after: Map<String, Value>,
        /// Why.
        reason: String,
        /// What is published since.
        notice: Option<Box<Notice>>,
    },
    /// It is in use.
    ArrangementEstablished,
    /// Whether its term is extended is under review.
    ArrangementReviewBegun,
    /// The review ended without an extension.
    ExtensionDeclined {
        /// Why.
        reason: String,
    },
    /// Its term was extended.
    ArrangementExtended {
        /// By how many months.
        months: u32,
        /// The term since.
        term: Term,
        /// Why.
        reason: String,
    },
    /// It was ended early.
    ArrangementTerminated {
        /// Why.
        reason: String,
    },
    /// Its term ended.
    ArrangementExpired {
        /// When, however late it was noticed.
        effective_at: Instant,
    },
    /// The draft was given up.
    ArrangementDiscarded,
}

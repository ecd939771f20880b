//! What is recorded of a lot.

use serde::{Deserialize, Serialize};
use strum::VariantNames;
use utoipa::ToSchema;

use super::LotParticulars;
use crate::kernel::{AuthorityCode, RequirementId};

/// What happened to a lot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, VariantNames)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum LotEvent {
    /// A draft was defined.
    LotDefined {
        /// Its code in the arrangement.
        code: String,
    },
    /// The draft was rewritten.
    LotAmended,
    /// What authorities call it was set.
    LotAliasesSet,
    /// Which authorities use it was set.
    LotAccessSet,
    /// A reserved right was turned into use.
    ReservedRightExercised {
        /// By which authority.
        authority: AuthorityCode,
    },
    /// It refers to another requirement.
    RequirementAdopted {
        /// Which.
        requirement: RequirementId,
        /// In which version.
        version: u32,
    },
    /// It refers to another version of a requirement.
    RequirementRepinned {
        /// Which requirement.
        requirement: RequirementId,
        /// The version before.
        from: u32,
        /// The version since.
        to: u32,
    },
    /// It no longer refers to a requirement.
    RequirementDropped {
        /// Which.
        requirement: RequirementId,
    },
    /// It is applied to.
    LotOpened {
        /// What it says of itself.
        particulars: LotParticulars,
    },
    /// It is not applied to for now.
    LotPaused {
        /// Why.
        reason: String,
    },
    /// It ended.
    LotClosed {
        /// Why.
        reason: String,
    },
}

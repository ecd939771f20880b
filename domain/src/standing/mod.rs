//! A member's standing, and what changes it: suspensions, improvement notices, sanctions, removals and appeals.

pub mod appeal;
pub mod attribution;
pub mod ground;
pub mod improvement_notice;
pub mod removal;
pub mod sanction;
#[expect(clippy::module_inception, reason = "the subject and its one rule have the same name in the field")]
pub mod standing;
pub mod suspension;

pub use crate::kernel::{Effect, Impediment};
pub use attribution::{Attribution, LiftedFor};
pub use standing::{Cause, Standing, StandingFacts, Status, excluded_homes, explain, standing};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{Actor, Instant};

/// What a provider said to a decision that is about it (PA58).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Representation {
    /// When.
    pub at: Instant,
    /// Subject of the account that sent it.
    pub by: String,
    /// Its text, or a reference of the document that holds it.
    pub text: String,
}

impl Representation {
    fn new(text: String, actor: &Actor, now: Instant) -> Self {
        Self { at: now, by: actor.subject.clone(), text }
    }
}

crate::rules! {
    use EVIDENCE_REQUIRED, TEXT_REQUIRED;
    MEMBERSHIP_NOT_LIVE = "membership_not_live", Conflict, "A6",
        "Measures are taken only against a live membership.";
    NOT_DUE = "not_due", Conflict, "CRD-08",
        "The clock changes something only when its time has come.";
    ALREADY_OVER = "already_over", Conflict, "DPS-19",
        "What has ended by the clock is not changed any more, even where the clock-driven work is late.";
}

/// Whether what was over then counts since an instant: a removal that took effect settles what came before it.
fn counts_since(since: Option<Instant>, over_at: Option<Instant>) -> bool {
    since.is_none_or(|since| over_at.is_none_or(|over| over > since))
}

#[cfg(test)]
pub(crate) mod tests;

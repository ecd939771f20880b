//! A published market: the arrangement, its lots with their requirements, its rounds, and the policies that
//! decide between what the sources say (requirements §3).

// The subject and its root aggregate are both called arrangement; neither has a better name.
#[expect(clippy::module_inception, reason = "the aggregate's file is named after the aggregate")]
pub mod arrangement;
pub mod interest;
pub mod lot;
pub mod notice;
pub mod particulars;
pub mod policy;
pub mod publication;
pub mod requirement;
pub mod round;
pub mod schedule;
pub mod term;

pub use arrangement::{
    Arrangement, ArrangementEvent, ArrangementKind, ArrangementState, Imported, NewArrangement, Review,
};
pub use interest::{Interest, InterestWindow};
pub use lot::{Lot, LotEvent, LotState, ServiceType};
pub use notice::Notice;
pub use particulars::{Contact, DocumentRef, ExternalReference, Participant, Particulars, Terms};
pub use policy::{
    AdmissionMode, AllHomes, FailurePath, LastRound, LocationBoundary, Policies, Regime, ScopeAuthority, SuspensionEnd,
    TellAhead,
};
pub use publication::{LotFact, PublicationFacts};
pub use requirement::{
    EvidenceAsked, Gate, Question, Requirement, RequirementEvent, RequirementRef, RequirementVersion, Test,
};
pub use round::{LotScope, Round, RoundEvent, RoundState};
pub use schedule::{Routing, Window};
pub use term::{Modification, Modified, Term, Warning};

use crate::kernel::Violations;

crate::rules! {
    use TEXT_REQUIRED;
    CODE_MALFORMED = "code_malformed", Input, "DPS-09", "A code is 1 to 64 of letters, digits, '.', '_' and '-'.";
    NOTHING_DUE = "nothing_due", Conflict, "CRD-01", "The clock changes nothing before the instant that is due.";
    ARRANGEMENT_NOT_IN_FORCE = "arrangement_not_in_force", Conflict, "A2",
        "Lots open and rounds run only while their arrangement is live, established, under review or extended.";
}

/// Adds [`TEXT_REQUIRED`] at `field` where `text` is blank.
fn require_text(broken: &mut Violations, text: &str, field: &str) {
    broken.require(!text.trim().is_empty(), &TEXT_REQUIRED, field, "this may not be blank");
}

/// Adds [`CODE_MALFORMED`] at `field` unless `code` is one.
fn require_code(broken: &mut Violations, code: &str, field: &str) {
    let plain = code.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    broken.require(plain && (1..=64).contains(&code.len()), &CODE_MALFORMED, field, format!("`{code}` is no code"));
}

#[cfg(test)]
mod tests;

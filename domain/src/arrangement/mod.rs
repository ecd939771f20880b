//! A published market: the arrangement, its lots with their requirements, its rounds, and the policies that
//! decide between what the sources say (requirements §3).

pub mod policy;
pub mod requirement;
pub mod schedule;

pub use policy::{AdmissionMode, AllHomes, FailurePath, LocationBoundary, Policies, Regime, SuspensionEnd};
pub use requirement::{EvidenceAsked, Gate, Question, Requirement, RequirementVersion, Test};

//! From an application to its decision.

pub mod compliance_check;
pub mod conflict;

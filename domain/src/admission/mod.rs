//! Admission: applications, their compliance checks, and the memberships they lead to (A4 to A6).

pub mod answers;
pub mod application;
pub mod compliance_check;
pub mod declaration_of_interests;
pub mod line;
pub mod membership;
pub mod receipt;

pub use application::Application;

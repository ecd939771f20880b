//! The rules of dynamic purchasing systems for care placements.
//!
//! Pure: no I/O, clock or randomness (CRD-01). Time and ids are arguments, facts from other aggregates come in as
//! values, and a decision is either the new aggregate with its events or every rule that it breaks.

pub mod admission;
pub mod aggregates;
pub mod arrangement;
pub mod client;
pub mod deadline;
pub mod fee;
pub mod kernel;
pub mod law;
pub mod provider;
pub mod standing;
pub mod upload;
pub mod webhook;

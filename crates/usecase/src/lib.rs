//! Use cases: what a command does in its transaction, with the facts it rests on. They know no HTTP.
//!
//! A use case is one function: it locks what the command is about, gathers the facts, lets the domain decide, and stores
//! the outcome with its events. A command on one aggregate alone needs none: [`Command::act`] is its use case.
//!
//! The subjects have one order, and each uses only those above it in this list; [`lifecycle`] is the last and says what an
//! event of one subject means for the others. `tests/order.rs` holds the `use` lines against it.
//!
//! | subject | what it knows |
//! |---|---|
//! | `tenancy`, `caller`, `command` | what is whose, who calls, and which version they saw |
//! | [`clockwork`] | what falls due, and who does it |
//! | [`deadline`] | which deadlines there are, and why |
//! | [`client`] | machine clients, and who acts with their tokens |
//! | [`provider`] | providers, homes, the gazetteer |
//! | [`arrangement`] | arrangements, lots, requirements, rounds, interests |
//! | [`admission`] | applications, checks, declarations of interests, memberships |
//! | [`standing`] | suspensions, notices, sanctions, removals, appeals |
//! | [`fee`] | members' fees |
//! | [`upload`] | kinds of upload, and how their rows are decided |
//! | [`lifecycle`] | what an event of one subject means for the others |

mod caller;
pub mod clockwork;
mod command;
pub mod deadline;
mod tenancy;

pub mod admission;
pub mod arrangement;
pub mod client;
pub mod fee;
pub mod lifecycle;
pub mod provider;
pub mod standing;
pub mod upload;

pub use caller::{Accepted, Caller, Grant, Side};
pub use command::{Command, Seen, lock_due};
pub use tenancy::TenancyFacts;

//! Foundations that every subject stands on: ids, time, money, actors, rules and the shape of an aggregate.

#[macro_use]
pub mod id;
pub mod actor;
pub mod aggregate;
pub mod deadline;
mod difference;
pub mod impediment;
pub mod kind;
pub mod money;
pub mod permission;
pub mod rule;
pub mod text;
pub mod time;

pub use actor::{Actor, AuthorityCode, Role};
pub use aggregate::{About, Aggregate, Audience, Decided, Decision, Due, Named, State};
pub use deadline::{DeadlineKind, DueBy, StatedDeadline};
pub use difference::Difference;
pub use id::*;
pub use impediment::{Binds, Effect, Impediment, Imposed, Whom};
pub use kind::*;
pub use money::{BasisPoints, Pence};
pub use permission::{Permission, Reach};
pub use rule::{Nature, Refusal, Rule, Violation, Violations};
pub use time::Instant;

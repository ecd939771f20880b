//! The way of a request: authenticated, read, answered, and refused in one form.

pub mod access;
pub mod arrival;
pub mod body;
pub mod call;
pub mod filters;
pub mod gate;
pub mod limits;
pub mod listing;
pub mod problem;
pub mod reply;
pub mod response_cache;
pub mod routes;

pub use body::DomainBody;
pub use call::{Call, Nothing};
pub use listing::{List, Listing};
pub use problem::Problem;
pub use reply::{Answer, Reply};

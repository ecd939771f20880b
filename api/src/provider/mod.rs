//! Providers, their homes and ratings over HTTP (A20).

pub mod homes;
pub mod providers;

use crate::http::routes::Subject;
use usecase::upload::kinds;

/// The subject.
pub static SUBJECT: Subject = Subject {
    tags: &[("providers", "Providers, homes and ratings (A20)")],
    routes: &[providers::routes, homes::routes],
    clock: &[],
    deadlines: &[],
    uploads: &[&kinds::homes::Homes, &kinds::providers::Providers, &kinds::ratings::Ratings],
};

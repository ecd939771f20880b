//! Members' fees over HTTP (PRC-01).

pub mod fees;

use crate::http::routes::Subject;
use usecase::upload::kinds;

/// The subject.
pub static SUBJECT: Subject = Subject {
    tags: &[("fees", "What members ask for their services (A15)")],
    routes: &[fees::routes],
    clock: &[],
    deadlines: &[],
    uploads: &[&kinds::fees::Fees],
};

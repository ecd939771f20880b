//! Admission over HTTP: applications, checks, decisions, memberships and the register (A4 to A6).

pub mod applications;
pub mod checks;
pub mod declarations;
pub mod drafts;
pub mod lines;
pub mod memberships;
pub mod progress;
pub mod register;
pub mod versions;

use crate::http::routes::{Subject, clockwork, explained};
use usecase::upload::kinds;

/// The subject.
pub static SUBJECT: Subject = Subject {
    tags: &[
        ("applications", "Versioned applications, sealed until evaluation (A4)"),
        ("checks", "Compliance checks (A5)"),
        ("memberships", "Members and the register of a lot (A6)"),
    ],
    routes: &[
        applications::routes,
        versions::routes,
        drafts::routes,
        declarations::routes,
        checks::routes,
        lines::routes,
        memberships::routes,
        register::routes,
        progress::routes,
    ],
    clock: &[
        clockwork!(FindOverdue: ComplianceCheck "expire", usecase::admission::check::expire),
        clockwork!(FindOverdue: Membership "expire_evidence", usecase::admission::expire_evidence),
    ],
    deadlines: &[explained!(Application, usecase::admission::application::deadlines)],
    uploads: &[&kinds::answers::Answers],
};

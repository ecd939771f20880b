//! Bulk uploads: files of many rows, received as they come, applied in the background by the commands of the domain
//! (CRD-07, A21; `docs/adr/0009-uploads.md`).
//!
//! A kind of upload is one file under `usecase::upload::kinds`: its columns, what tells its rows apart, and how a batch of them is
//! decided. Everything else (receiving, limits, modes, dry runs, progress, resuming, faults, refused rows, templates)
//! is written once.

mod file;
mod pass;
mod receive;
mod refused;
mod resource;
mod templates;
mod worker;

use domain::kernel::{Actor, Instant, Rule};
use domain::upload::{Room, UploadKind};
use persistence::{Conn, Failure, Outcome};
use tokio::sync::Notify;
use usecase::upload::{Rows, reading, row};
use uuid::Uuid;

pub use worker::run;

use crate::http::routes::Subject;

/// What an upload may come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// `DPS_UPLOAD_LIMIT`: bytes of a file at most.
    pub bytes: u64,
    /// `DPS_UPLOAD_ROWS`: rows of a file at most.
    pub rows: u64,
    /// `DPS_UPLOAD_SECONDS`: how long a file may take to arrive.
    pub seconds: u64,
    /// `DPS_UPLOAD_MINUTES`: how long after its receipt a file may still be worked on.
    pub minutes: u32,
    /// `DPS_UPLOAD_KEPT_DAYS`: how long a file and its faults are kept after its end.
    pub kept_days: u32,
    /// `DPS_UPLOAD_OPEN`: uploads of an account that may be open at a time.
    pub open: u64,
    /// `DPS_UPLOAD_ACCOUNT_LIMIT`: bytes of an account's files that are kept at most.
    pub account: u64,
}

impl Limits {
    /// What room there is for the files of an account.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn room(&self, conn: &mut Conn<'_>, by: &Actor, now: Instant) -> Outcome<Room> {
        let since = now.plus_seconds(-86_400 * i64::from(self.kept_days));
        let held = persistence::upload::held(conn, by, since)?;
        Ok(Room { held, most_open: self.open, most_bytes: self.account })
    }
}

/// What the receiving and the working side of a server share.
#[derive(Debug)]
pub struct UploadQueue {
    /// The limits.
    pub limits: Limits,
    /// This server, as the holder of leases.
    holder: Uuid,
    /// There is something to do.
    woken: Notify,
    /// Something was brought further.
    moved: Notify,
}

impl UploadQueue {
    /// A desk of its own for a server.
    #[must_use]
    pub fn new(limits: Limits, holder: Uuid) -> Self {
        Self { limits, holder, woken: Notify::new(), moved: Notify::new() }
    }
}

/// The subject.
pub static SUBJECT: Subject = Subject {
    tags: &[("uploads", "Bulk uploads: many rows in one file (A21)")],
    routes: &[receive::routes, templates::routes, refused::routes, resource::routes],
    clock: &[],
    deadlines: &[],
    uploads: &[],
};

domain::rules! {
    UPLOAD_EMPTY = "upload_empty", Input, "CRD-07", "An upload has a file as its body.";
    UPLOAD_FORMAT = "upload_format", Input, "CRD-07",
        "A file is CSV, NDJSON, or a workbook in XLSX or ODS, as its content tells.";
    UPLOAD_NOT_OVER = "upload_not_over", Conflict, "CRD-07", "Refused rows are given when the upload is over.";
    UPLOAD_FORGOTTEN = "upload_forgotten", Conflict, "CRD-07", "A file is kept for some days after its upload is over.";
}

/// Every kind of upload, of whichever subject.
pub fn kinds() -> impl Iterator<Item = &'static dyn Rows> {
    crate::SUBJECTS.iter().flat_map(|subject| subject.uploads).copied()
}

/// How the rows of a kind are decided.
///
/// # Errors
/// A defect: every kind is some subject's.
pub fn rows(kind: UploadKind) -> Outcome<&'static dyn Rows> {
    let found = kinds().find(|rows| rows.kind() == kind);
    found.ok_or_else(|| Failure::Broken(format!("no subject has uploads of {}", kind.name())))
}

/// The rules by which rows are refused, beside those of the domain's commands.
pub fn row_rules() -> impl Iterator<Item = &'static Rule> {
    [row::RULES, reading::RULES, worker::RULES].into_iter().chain(kinds().map(Rows::rules)).flatten().copied()
}

/// What the table reader may find in a file.
fn table_limits(limits: &Limits) -> tables::Limits {
    // As long as a text of a request may be, in any script.
    tables::Limits { bytes: limits.bytes, rows: limits.rows, cell_bytes: 80_000, ..tables::Limits::default() }
}

#[cfg(test)]
mod tests {
    use domain::upload::UploadKind;

    #[test]
    fn every_kind_of_upload_is_one_subjects() {
        for kind in UploadKind::ALL {
            assert_eq!(super::kinds().filter(|rows| rows.kind() == kind).count(), 1, "{}", kind.name());
        }
        assert_eq!(super::kinds().count(), UploadKind::ALL.len());
    }
}

//! How much of an account a server holds, and whether there is room for more (BEY-04).

use crate::kernel::{Refusal, Violations};

/// Files of an account that are kept at most, however small.
pub const FILES: u64 = 10_000;

/// What a server holds for an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Held {
    /// Its uploads that are not over.
    pub open: u64,
    /// Its files that are kept; counted up to [`FILES`].
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What it holds, and what it may.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Room {
    /// What is there.
    pub held: Held,
    /// Uploads that may be open at a time.
    pub most_open: u64,
    /// Bytes that may be kept.
    pub most_bytes: u64,
}

impl Room {
    /// Whether there is room for another file of so many bytes (BEY-04).
    ///
    /// # Errors
    /// [`UPLOAD_QUOTA`] where there is not.
    pub fn takes(self, bytes: u64) -> Result<(), Refusal> {
        let Self { held: Held { open, files, bytes: kept }, most_open, most_bytes } = self;
        let mut broken = Violations::new();
        if open >= most_open {
            broken.add(UPLOAD_QUOTA.broken(format!("{open} uploads are not over yet")));
        }
        if files >= FILES || kept.saturating_add(bytes) > most_bytes {
            let held = format!("{files} files of {kept} bytes are kept");
            broken.add(UPLOAD_QUOTA.broken(format!("{held}, of {FILES} and {most_bytes} that may be")));
        }
        broken.refuse_any()
    }
}

crate::rules! {
    UPLOAD_QUOTA = "upload_quota", Conflict, "BEY-04",
        "An account has so many uploads under way, and so many files kept for it, at a time.";
}

//! A file on its way back out of the store.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};

use domain::kernel::UploadId;
use persistence::{Db, Failure, Outcome, upload as store};

/// Bytes of a piece of a file, but for the last.
pub const PIECE: usize = 256 * 1024;

/// The whole file in a temporary one without a name, which is gone with the process.
///
/// # Errors
/// Where the store fails or the temporary folder is full; `Ok(None)` where the file is forgotten.
pub async fn spool(db: &Db, id: UploadId) -> Outcome<Option<File>> {
    let broken = |error: std::io::Error| Failure::Unavailable(format!("a temporary file: {error}"));
    let mut file = tempfile::tempfile().map_err(broken)?;
    let mut n = 0;
    while let Some(bytes) = db.scan(move |c| store::chunk(c, id, n)).await? {
        file.write_all(&bytes).map_err(broken)?;
        n += 1;
    }
    file.seek(SeekFrom::Start(0)).map_err(broken)?;
    Ok((n > 0).then_some(file))
}

/// The same file once more: they share a place, so one reads it after the other.
///
/// # Errors
/// Where the system refuses.
pub fn again(file: &File) -> Outcome<File> {
    file.try_clone().map_err(|error| Failure::Unavailable(format!("a temporary file: {error}")))
}

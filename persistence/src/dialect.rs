//! The few statements and messages that differ between the databases.

/// Whether an error message means that the database cannot be reached or is too busy.
pub(crate) fn says_unavailable(message: &str) -> bool {
    [
        "database is locked",
        "disk I/O error",
        "database or disk is full",
        "terminating connection",
        "server closed the connection",
        "the database system is",
        "too many clients",
        "no connection to the server",
    ]
    .iter()
    .any(|part| message.contains(part))
}

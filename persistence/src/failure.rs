//! Why a use case did not succeed: one error type from the store to the edge.

use diesel::result::{DatabaseErrorKind, Error as Diesel};
use domain::kernel::{Kind, Refusal, Violation};

use crate::aggregate::Taken;

/// The result of a use case or of a store function.
pub type Outcome<T> = Result<T, Failure>;

/// Why a use case did not succeed. Inner details are for the log, never for a caller.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A rule of the domain, or the constraint that guards it.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// It does not exist, or it is not the caller's.
    #[error("no such {}", .0.name())]
    NotFound(Kind),
    /// The role may do this, but not to this object.
    #[error("not permitted")]
    Forbidden,
    /// The version the caller saw is not the current one.
    #[error("stale version")]
    Stale,
    /// The caller must say which version it saw.
    #[error("a precondition is required")]
    Unconditional,
    /// The store cannot be reached or is too busy; trying again can help.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// A defect.
    #[error("broken: {0}")]
    Broken(String),
    /// Two transactions met; the same one may succeed when run again.
    #[error("transactions met: {0}")]
    Again(String),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Violation> for Failure {
    fn from(violation: Violation) -> Self {
        Self::Refused(violation.into())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Broken(format!("stored JSON: {error}"))
    }
}

impl From<Diesel> for Failure {
    fn from(error: Diesel) -> Self {
        // Why it did not commit says more than that it could not be taken back either.
        if let Diesel::RollbackErrorOnCommit { commit_error, .. } = error {
            return Self::from(*commit_error);
        }
        let Diesel::DatabaseError(kind, info) = &error else { return Self::Broken(error.to_string()) };
        match kind {
            DatabaseErrorKind::UniqueViolation => {
                match crate::aggregate::taken(info.constraint_name(), info.message()) {
                    Some(Taken::Refuse(rule)) => Self::Refused(rule.broken(rule.says).into()),
                    Some(Taken::Retry) => Self::Again(info.message().to_owned()),
                    None => Self::Broken(error.to_string()),
                }
            }
            DatabaseErrorKind::SerializationFailure => Self::Again(info.message().to_owned()),
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => {
                Self::Unavailable(info.message().to_owned())
            }
            _ if info.message().contains("deadlock detected") => Self::Again(info.message().to_owned()),
            _ if crate::dialect::says_unavailable(info.message()) => Self::Unavailable(info.message().to_owned()),
            _ => Self::Broken(error.to_string()),
        }
    }
}

impl From<r2d2::Error> for Failure {
    fn from(error: r2d2::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(kind: DatabaseErrorKind, message: &str) -> Diesel {
        Diesel::DatabaseError(kind, Box::new(message.to_owned()))
    }

    #[test]
    fn a_database_that_cannot_go_on_is_unavailable_and_no_defect() {
        for message in [
            "could not extend file \"base/16384/16525\": No space left on device",
            "could not write to file \"base/pgsql_tmp/pgsql_tmp1.0\": No space left on device",
            "could not extend file \"base/16384/16525\": wrote only 4096 of 8192 bytes at block 7",
            "could not write block 7 of temporary file: Disk quota exceeded",
            "database or disk is full",
        ] {
            let failure = Failure::from(told(DatabaseErrorKind::Unknown, message));
            assert!(matches!(failure, Failure::Unavailable(_)), "{message}: {failure:?}");
        }
    }

    #[test]
    fn a_commit_that_failed_tells_why_also_where_no_rollback_followed() {
        let lost = || Box::new(told(DatabaseErrorKind::ClosedConnection, "no connection to the server"));
        let full = Box::new(told(DatabaseErrorKind::Unknown, "database or disk is full"));
        let failure = Failure::from(Diesel::RollbackErrorOnCommit { rollback_error: lost(), commit_error: full });
        assert!(matches!(&failure, Failure::Unavailable(why) if why.contains("full")), "{failure:?}");
    }
}

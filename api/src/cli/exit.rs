//! Exit codes: how a command ends.

use std::process::ExitCode;

use domain::kernel::{Refusal, Violation};
use persistence::Failure;

/// Why a command did not succeed, as its exit code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Whatever has no code of its own.
    Failed = 1,
    /// The configuration is refused.
    Configuration = 3,
    /// The store or the server cannot be reached.
    Unreachable = 4,
    /// The record is not whole, or a backup is not what was backed up.
    Broken = 5,
    /// Some of what was given was rejected.
    Rejected = 6,
}

/// Every exit code and what it means. Code 2 is given where the command line itself cannot be read.
pub static CODES: [(u8, &str); 7] = [
    (0, "done"),
    (1, "failed; the message says why"),
    (2, "the command line is wrong"),
    (3, "the configuration is refused"),
    (4, "the store or the server cannot be reached"),
    (5, "the record is not whole, or a backup is not what was backed up"),
    (6, "some of what was given was rejected"),
];

/// The end of a command that did not succeed.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code.
    pub exit: Exit,
    /// What to say, one line each; nothing where it was said already.
    pub why: Vec<String>,
}

/// What a command comes to.
pub type Run = Result<(), Ended>;

impl Ended {
    /// An end with one line.
    #[must_use]
    pub fn new(exit: Exit, why: impl Into<String>) -> Self {
        Self { exit, why: vec![why.into()] }
    }

    /// Says why, on stderr.
    #[must_use]
    pub fn told(self) -> ExitCode {
        for line in self.why {
            eprintln!("dps: {line}");
        }
        ExitCode::from(self.exit as u8)
    }
}

impl From<String> for Ended {
    fn from(why: String) -> Self {
        Self::new(Exit::Failed, why)
    }
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unavailable(why) => Self::new(Exit::Unreachable, why),
            Failure::Broken(why) => Self::new(Exit::Failed, why),
            Failure::Refused(Refusal::Rules(broken)) => {
                let line = |v: Violation| match v.field {
                    None => format!("{}: {}", v.rule.code, v.detail),
                    Some(field) => format!("{}: {} ({field})", v.rule.code, v.detail),
                };
                Self { exit: Exit::Failed, why: broken.into_iter().map(line).collect() }
            }
            Failure::Refused(Refusal::WrongState { kind, from, attempted, .. }) => {
                Self::new(Exit::Failed, format!("a {} that is {from} knows no {attempted}", kind.name()))
            }
            other => Self::new(Exit::Failed, other.to_string()),
        }
    }
}

impl From<crate::server::NotStarted> for Ended {
    fn from(why: crate::server::NotStarted) -> Self {
        match why {
            crate::server::NotStarted::Store(failure) => failure.into(),
            crate::server::NotStarted::Configuration(why) => Self { exit: Exit::Configuration, why },
            crate::server::NotStarted::Other(why) => why.into(),
        }
    }
}

/// The codes for `--help`.
#[must_use]
pub fn help() -> String {
    let lines = CODES.iter().map(|(code, says)| format!("  {code}  {says}"));
    std::iter::once("Exit codes:".to_owned()).chain(lines).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operations_page_has_the_codes() {
        let page = include_str!("../../../docs/operations.md");
        for (code, says) in CODES {
            assert!(page.contains(&format!("| {code} | {says} |")), "docs/operations.md: | {code} | {says} |");
        }
    }
}

//! Clockwork: what falls due, by kind, and what makes it happen (CRD-08).
//!
//! A subject states its own as [`Clockwork`] values. The sweep makes them in the order in which they fall due; the jobs
//! group them under the names by which they are run and inspected.

use domain::kernel::Kind;
use persistence::{Outcome, Tx};
use uuid::Uuid;

/// The jobs that clock-driven changes belong to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ClockJob {
    /// Rounds open and close.
    AdvanceRounds,
    /// Suspensions end that lapse by themselves.
    LapseSuspensions,
    /// Decided removals take effect.
    EffectRemovals,
    /// What has run out is found.
    FindOverdue,
    /// Deadlines are told, ahead and when they are missed.
    TellDeadlines,
    /// Arrangements end whose term is over.
    EndTerms,
}

impl ClockJob {
    /// Every one, in the order of the list of jobs.
    pub const ALL: [Self; 6] = [
        Self::AdvanceRounds,
        Self::LapseSuspensions,
        Self::EffectRemovals,
        Self::FindOverdue,
        Self::TellDeadlines,
        Self::EndTerms,
    ];

    /// The name in paths.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AdvanceRounds => "advance-rounds",
            Self::LapseSuspensions => "lapse-suspensions",
            Self::EffectRemovals => "effect-removals",
            Self::FindOverdue => "find-overdue",
            Self::TellDeadlines => "tell-deadlines",
            Self::EndTerms => "end-terms",
        }
    }

    /// What it does, in a line.
    #[must_use]
    pub const fn summary(self) -> &'static str {
        match self {
            Self::AdvanceRounds => "Open and close rounds, and schedule the next ones",
            Self::LapseSuspensions => "End suspensions that lapse by themselves",
            Self::EffectRemovals => "Let decided removals take effect",
            Self::FindOverdue => {
                "Find what has run out: notices, checks, evidence, and suspensions that are up for review"
            }
            Self::TellDeadlines => "Tell deadlines that are near, and those that were missed",
            Self::EndTerms => "End arrangements whose term is over",
        }
    }
}

/// One sort of change that the clock makes.
#[derive(Clone, Copy, Debug)]
pub struct Clockwork {
    /// The job that it belongs to.
    pub job: ClockJob,
    /// The kind of aggregate.
    pub kind: Kind,
    /// Which change, as [`domain::kernel::Due::what`] names it.
    pub what: &'static str,
    /// Makes the change under a lock, if it is still due.
    pub tick: fn(&mut Tx<'_>, Uuid) -> Outcome<()>,
}

//! Deadlines as an aggregate states them: what is to happen by when. Whether and how they are told is for
//! [`crate::deadline`].

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;
use utoipa::ToSchema;

use super::Instant;

/// What is due.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum DeadlineKind {
    /// A round opens, by the clock.
    RoundOpens,
    /// A round closes, by the clock.
    RoundCloses,
    /// The evaluation of a round or of one request is to end (PCR34-16, DPS-16).
    Evaluation,
    /// A suspension lapses, by the clock.
    SuspensionEnds,
    /// A suspension is to be reviewed (C-03).
    SuspensionReview,
    /// A sanction is to be reviewed (A18).
    SanctionReview,
    /// What an improvement notice asks is to be rectified, and then judged (TIR-18).
    Rectification,
    /// The hearing before a removal ends, and a decision is owed (PA58).
    Hearing,
    /// A removal takes effect, by the clock.
    RemovalEffect,
    /// Evidence that a membership rests on expires (PA36-1).
    Evidence,
    /// The term of an arrangement ends, by the clock (DPS-17).
    TermEnds,
}

impl DeadlineKind {
    /// Whether somebody has to act before it, so that it can be missed; what the clock does is never late.
    #[must_use]
    pub const fn can_be_missed(self) -> bool {
        match self {
            Self::Evaluation
            | Self::SuspensionReview
            | Self::SanctionReview
            | Self::Rectification
            | Self::Hearing
            | Self::Evidence => true,
            Self::RoundOpens | Self::RoundCloses | Self::SuspensionEnds | Self::RemovalEffect | Self::TermEnds => false,
        }
    }
}

/// When something is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DueBy {
    /// At that instant.
    At(Instant),
    /// By a rule of the arrangement's regime, counted from that instant; not at all, where the regime does not know it.
    Rule(&'static str, Instant),
}

/// A deadline of an aggregate, as long as it states it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StatedDeadline {
    /// What is due.
    pub what: DeadlineKind,
    /// Which of several, such as the code of a requirement.
    pub item: Option<String>,
    /// When.
    pub due: DueBy,
}

impl StatedDeadline {
    /// Due at an instant.
    #[must_use]
    pub const fn at(what: DeadlineKind, at: Instant) -> Self {
        Self { what, item: None, due: DueBy::At(at) }
    }
}

//! Where a submission goes.

use crate::kernel::{Instant, RoundId};

/// What becomes of an application that is submitted now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Routing {
    /// Evaluated on arrival, without a round.
    Evaluate,
    /// Received in an open round.
    Open {
        /// The round.
        round: RoundId,
        /// When it closes.
        closes_at: Instant,
    },
    /// Queued for a round that is yet to open.
    Queued {
        /// The round.
        round: RoundId,
        /// When it opens.
        opens_at: Instant,
    },
}

//! The server's time: the system's, or on a development server one that an integrator can move.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::kernel::Instant;

/// Where `now` comes from.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The system's time.
    System,
    /// A time that stands still until it is moved forward.
    Movable(Arc<AtomicI64>),
}

impl Clock {
    /// A movable clock that stands at `start`.
    #[must_use]
    pub fn movable(start: Instant) -> Self {
        Self::Movable(Arc::new(AtomicI64::new(start.micros())))
    }

    /// The system's time.
    #[must_use]
    pub fn system() -> Instant {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Instant::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Instant {
        match self {
            Self::System => Self::system(),
            Self::Movable(at) => Instant::from_micros(at.load(Ordering::SeqCst)),
        }
    }
}

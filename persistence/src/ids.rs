//! Identifiers: where new ones come from.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::kernel::Instant;
use uuid::{Builder, ContextV7, Timestamp, Uuid};

/// Mints version 7 identifiers, which sort by the time they were made.
#[derive(Clone, Debug)]
pub enum Ids {
    /// Unpredictable ones: for every server that is used.
    Random(Arc<std::sync::Mutex<ContextV7>>),
    /// Counted ones: for documentation examples, which must come out the same each time.
    Counted(Arc<AtomicU64>),
}

impl Ids {
    /// Unpredictable identifiers.
    #[must_use]
    pub fn random() -> Self {
        Self::Random(Arc::default())
    }

    /// Counted identifiers.
    #[must_use]
    pub fn counted() -> Self {
        Self::Counted(Arc::default())
    }

    /// The next identifier.
    pub(crate) fn next(&self, now: Instant) -> Uuid {
        let micros = now.micros().max(0).unsigned_abs();
        match self {
            Self::Random(context) => {
                let context = context.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                let nanos = u32::try_from(micros % 1_000_000 * 1000).unwrap_or_default();
                Uuid::new_v7(Timestamp::from_unix(&*context, micros / 1_000_000, nanos))
            }
            Self::Counted(counter) => {
                let n = counter.fetch_add(1, Ordering::Relaxed).to_be_bytes();
                let mut tail = [0; 10];
                tail.iter_mut().skip(2).zip(n).for_each(|(slot, byte)| *slot = byte);
                Builder::from_unix_timestamp_millis(micros / 1000, &tail).into_uuid()
            }
        }
    }
}

/// The first identifier that could have been minted at that instant.
pub(crate) fn at(instant: Instant) -> Uuid {
    let millis = instant.micros().max(0).unsigned_abs() / 1000;
    Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
}

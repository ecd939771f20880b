//! Record: the event log that audit, change feed and time travel read, the checkpoints that seal it and the
//! verifier that proves it, the marks by which a time is found in it, the timers of clock-driven work, the leases and the
//! history of background work, and the answers that were given under an idempotency key.

pub mod checkpoint;
pub mod event;
pub mod idempotency;
pub mod job;
pub mod lease;
pub mod time_index;
pub mod timer;
pub mod verify;

/// Bytes as they are shown: hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|half| char::from_digit(half.into(), 16)).collect()
}

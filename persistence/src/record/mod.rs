//! What happened: the event log that audit, change feed and time travel read, the timers of clock-driven work, and
//! the answers that were given under an idempotency key.

pub mod event;
pub mod idempotency;
pub mod timer;

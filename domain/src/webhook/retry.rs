//! When a failed sending is tried again: exponential backoff with full jitter, so that receivers that come back are
//! not met by everybody at once.

use crate::kernel::Instant;

/// Attempts for one event, the first included. Their waits add up to two days on average, and to four at most.
pub const ATTEMPTS: u32 = 20;
/// Seconds that the first wait takes at most; each further one twice as many.
const FIRST: u64 = 10;
/// Seconds that any wait takes at most.
const LONGEST: u64 = 12 * 3600;
/// Seconds that a receiver can ask to be left alone for (`Retry-After`).
const ASKED: u64 = 24 * 3600;

/// Seconds that the wait after failed attempt number `attempt` takes at most.
#[must_use]
pub fn ceiling(attempt: u32) -> u64 {
    let doubled = 1_u64.checked_shl(attempt.saturating_sub(1)).unwrap_or(u64::MAX);
    FIRST.saturating_mul(doubled).min(LONGEST)
}

/// When to try again after failed attempt number `attempt`; `None` where it was the last. `draw` is random, each value
/// as likely as any other; `asked` is how many seconds the receiver asks to be left alone for.
#[must_use]
pub fn next(attempt: u32, draw: u32, asked: Option<u64>, now: Instant) -> Option<Instant> {
    if attempt >= ATTEMPTS {
        return None;
    }
    let drawn = ceiling(attempt) * u64::from(draw) / u64::from(u32::MAX);
    let wait = drawn.max(asked.unwrap_or_default().min(ASKED));
    Some(now.plus_seconds(i64::try_from(wait).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Instant = Instant::from_micros(0);

    #[test]
    fn waits_double_up_to_half_a_day_and_end_after_twenty_attempts() {
        let ceilings: Vec<u64> = (1..ATTEMPTS).map(ceiling).collect();
        assert_eq!(ceilings[..4], [10, 20, 40, 80]);
        assert_eq!(ceilings.last(), Some(&43_200));
        assert!(ceilings.is_sorted());
        let most: u64 = ceilings.iter().sum();
        assert_eq!(most / 86_400, 3, "{most} s: between three and four days");
        assert_eq!(next(ATTEMPTS, 0, None, T0), None);
        assert!(next(ATTEMPTS - 1, 0, None, T0).is_some());
    }

    #[test]
    fn a_wait_is_anything_from_nothing_to_its_ceiling() {
        assert_eq!(next(3, 0, None, T0), Some(T0));
        assert_eq!(next(3, u32::MAX, None, T0), Some(T0.plus_seconds(40)));
        assert_eq!(next(3, u32::MAX / 2, None, T0), Some(T0.plus_seconds(19)));
    }

    #[test]
    fn a_receiver_can_ask_for_more_time_up_to_a_day() {
        assert_eq!(next(1, 0, Some(120), T0), Some(T0.plus_seconds(120)));
        assert_eq!(next(12, u32::MAX, Some(1), T0), Some(T0.plus_seconds(20_480)), "it is never sooner for that");
        assert_eq!(next(1, 0, Some(u64::MAX), T0), Some(T0.plus_seconds(86_400)));
    }
}

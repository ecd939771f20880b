//! Rate limits per caller: a token bucket each, in memory, per server (BEY-04).
//!
//! A bucket holds a minute's worth and fills evenly. It is kept as one number, the instant at which it will be full
//! (the generic cell rate algorithm), so that a bucket that is full need not be kept at all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

use super::problem::{self, Problem};
use crate::clock::Clock;

/// What a bucket holds is a minute's worth.
const WINDOW: Duration = Duration::from_secs(60);
/// Buckets kept at most.
const BUCKETS_MAX: usize = 100_000;

/// The buckets of all callers.
#[derive(Debug)]
pub struct Limits {
    clock: Clock,
    began: Instant,
    /// Requests a minute of a caller; 0 where there is no limit.
    per_minute: u32,
    /// Whether the last entry of `X-Forwarded-For` is the caller's address: the proxy in front wrote it.
    proxied: bool,
    full_at: Mutex<HashMap<String, Duration>>,
}

/// What is left to a caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Share {
    /// Of which policy.
    pub policy: &'static str,
    /// Requests a minute.
    pub limit: u32,
    /// Requests that may be sent now.
    pub left: u64,
    /// Seconds until all of them may be sent.
    pub full_in: u64,
    /// Seconds to wait, where this request is one too many.
    pub wait: Option<u64>,
}

impl Limits {
    /// Buckets for callers with so many requests a minute each, by the server's clock: one that is moved by hand fills
    /// them by hand.
    #[must_use]
    pub fn new(clock: Clock, per_minute: u32, proxied: bool) -> Self {
        Self { clock, began: Instant::now(), per_minute, proxied, full_at: Mutex::default() }
    }

    /// Counts a request of `caller`, by its own limit or the server's; `None` where there is none.
    pub fn count(&self, policy: &'static str, caller: impl FnOnce() -> String, own: Option<u32>) -> Option<Share> {
        let limit = own.unwrap_or(self.per_minute);
        (limit > 0).then(|| self.take(policy, &caller(), limit, self.elapsed()))
    }

    /// Where a request comes from. An IPv6 network is one caller: it has more addresses than could be counted.
    #[must_use]
    pub fn address(&self, req: &HttpRequest) -> String {
        let forwarded = || {
            let last = req.headers().get_all("x-forwarded-for").last()?.to_str().ok()?.rsplit(',').next()?;
            last.trim().parse().ok()
        };
        let named = if self.proxied { forwarded() } else { None };
        match named.or_else(|| req.peer_addr().map(|peer| peer.ip())) {
            Some(IpAddr::V6(v6)) if v6.to_ipv4_mapped().is_none() => {
                let [a, b, c, d, ..] = v6.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
            Some(address) => address.to_canonical().to_string(),
            None => "unknown".to_owned(),
        }
    }

    /// Never goes back: the system's own time may.
    fn elapsed(&self) -> Duration {
        match &self.clock {
            Clock::System => self.began.elapsed(),
            Clock::Movable(_) => Duration::from_micros(self.clock.now().micros().max(0).unsigned_abs()),
        }
    }

    fn take(&self, policy: &'static str, caller: &str, limit: u32, now: Duration) -> Share {
        let bucket = format!("{policy} {caller}");
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if full_at.len() >= BUCKETS_MAX && !full_at.contains_key(&bucket) {
            forget(&mut full_at, now);
        }
        let each = WINDOW / limit;
        let before = full_at.get(&bucket).copied().unwrap_or_default().max(now);
        let after = before + each;
        let too_many = after > now + WINDOW;
        let full = if too_many { before } else { after };
        full_at.insert(bucket, full);
        let seconds = |time: Duration| time.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX);
        let left = (now + WINDOW).saturating_sub(full).as_nanos() / each.as_nanos().max(1);
        Share {
            policy,
            limit,
            left: left.try_into().unwrap_or(u64::MAX),
            full_in: seconds(full.saturating_sub(now)),
            wait: too_many.then(|| seconds(after.saturating_sub(now + WINDOW)).max(1)),
        }
    }
}

/// Makes room: full buckets first, for they say nothing, then the fuller ones.
fn forget(full_at: &mut HashMap<String, Duration>, now: Duration) {
    for quarters in 0..=4 {
        full_at.retain(|_, at| *at > now + WINDOW / 4 * quarters);
        if full_at.len() < BUCKETS_MAX {
            return;
        }
    }
}

impl Share {
    /// The refusal, where the request is one too many.
    ///
    /// # Errors
    /// 429 with the seconds to wait.
    pub fn allow(self) -> Result<(), Problem> {
        let Some(wait) = self.wait else { return Ok(()) };
        let detail = format!("{} requests a minute are allowed; wait {wait} seconds", self.limit);
        Err(Problem { retry_after: Some(wait), ..Problem::new(&problem::RATE_LIMITED, detail) })
    }

    /// `RateLimit` and `RateLimit-Policy`, as draft-ietf-httpapi-ratelimit-headers writes them.
    pub fn mark(self, headers: &mut HeaderMap) {
        let Self { policy, limit, left, full_in, wait: _ } = self;
        let fields = [
            ("ratelimit-policy", format!("\"{policy}\";q={limit};w={}", WINDOW.as_secs())),
            ("ratelimit", format!("\"{policy}\";r={left};t={full_in}")),
        ];
        for (name, value) in fields {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits::new(Clock::System, 3, false)
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_minutes_worth_at_once_then_evenly() {
        let limits = limits();
        let take = |now| limits.take("caller", "a", 3, now);
        let left: Vec<u64> = (0..3).map(|_| take(at(0)).left).collect();
        assert_eq!(left, [2, 1, 0]);
        let refused = take(at(0));
        assert_eq!((refused.left, refused.full_in, refused.wait), (0, 60, Some(20)));
        assert_eq!(take(at(19)).wait, Some(1), "a refused request costs nothing");
        assert_eq!(take(at(20)).wait, None);
        assert_eq!(take(at(20)).wait, Some(20));
        assert_eq!(take(at(1000)).left, 2);
    }

    #[test]
    fn callers_do_not_share() {
        let limits = limits();
        (0..3).for_each(|_| drop(limits.take("caller", "a", 3, at(0)).allow()));
        assert!(limits.take("caller", "a", 3, at(0)).allow().is_err());
        assert!(limits.take("caller", "b", 3, at(0)).allow().is_ok());
        assert!(limits.take("address", "a", 3, at(0)).allow().is_ok(), "nor do policies");
        assert_eq!(limits.count("caller", || "c".to_owned(), Some(7)).map(|share| share.limit), Some(7));
        assert_eq!(Limits::new(Clock::System, 0, false).count("caller", || "a".to_owned(), None), None);
    }

    #[test]
    fn memory_is_bounded_and_those_who_are_throttled_stay_so() {
        let limits = limits();
        for _ in 0..3 {
            limits.take("caller", "greedy", 3, at(0));
        }
        for n in 0..BUCKETS_MAX + 10 {
            limits.take("caller", &n.to_string(), 3, at(0));
        }
        assert!(limits.full_at.lock().unwrap().len() <= BUCKETS_MAX);
        assert!(limits.take("caller", "greedy", 3, at(0)).wait.is_some());
    }
}

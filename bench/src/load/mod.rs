//! The one client of everything that is measured, peers included: a single thread, keep-alive connections over
//! loopback, and either the next request as soon as the answer is there (closed loop) or a constant rate, where a
//! request's time counts from when it was to be sent, however long it had to wait for a connection.

mod wire;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use mio::{Events, Poll};

use crate::Outcome;
use wire::{Connection, Turn};

/// How long answers are waited for after the last request of a constant rate.
const LATE: Duration = Duration::from_secs(10);

/// Requests as they go over the wire, with the one status that is right for all of them.
pub struct Script {
    /// The requests, in the order in which they are sent.
    pub requests: Vec<Vec<u8>>,
    /// The status that counts as success.
    pub status: u16,
    /// Whether each may be sent once only: a write that succeeds once.
    pub once: bool,
    next: usize,
}

impl Script {
    /// Requests that are sent over and over.
    pub fn repeated(requests: Vec<Vec<u8>>, status: u16) -> Self {
        Self { requests, status, once: false, next: 0 }
    }

    /// Requests that are sent once each.
    pub fn once(requests: Vec<Vec<u8>>, status: u16) -> Self {
        Self { requests, status, once: true, next: 0 }
    }

    /// How many are left; of those that are sent over and over there is no end.
    pub fn left(&self) -> usize {
        if self.once { self.requests.len().saturating_sub(self.next) } else { usize::MAX }
    }

    fn take(&mut self) -> Option<&[u8]> {
        if self.next >= self.requests.len() {
            if self.once {
                return None;
            }
            self.next = 0;
        }
        self.next += 1;
        self.requests.get(self.next - 1).map(Vec::as_slice)
    }
}

/// How hard, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Connections.
    pub connections: usize,
    /// Requests a second; `None` for a closed loop.
    pub rate: Option<f64>,
    /// How long it runs before it counts.
    pub warm: Duration,
    /// How long it counts.
    pub time: Duration,
    /// Answers that are counted at most.
    pub count: u64,
}

impl Pace {
    /// As many as the answers allow.
    pub fn closed(connections: usize, time: Duration) -> Self {
        Self { connections, rate: None, warm: time / 5, time, count: u64::MAX }
    }

    /// So many a second.
    pub fn constant(self, rate: f64) -> Self {
        Self { rate: Some(rate), ..self }
    }

    /// So many answers at most, all of which count.
    pub fn counted(self, count: u64) -> Self {
        Self { count, warm: Duration::ZERO, ..self }
    }
}

/// What was measured.
pub struct Measured {
    /// Answers that were counted.
    pub answers: u64,
    /// In how many seconds.
    pub seconds: f64,
    /// Their times in nanoseconds.
    pub times: Histogram<u64>,
    /// Bytes of them.
    pub bytes: u64,
    /// What went wrong, and how often: nothing, or the figure is none.
    pub failures: BTreeMap<String, u64>,
}

impl Measured {
    /// Answers a second.
    pub fn rate(&self) -> f64 {
        if self.seconds > 0.0 { self.answers as f64 / self.seconds } else { 0.0 }
    }

    /// A quantile of the times, in microseconds.
    pub fn micros(&self, quantile: f64) -> f64 {
        self.times.value_at_quantile(quantile) as f64 / 1e3
    }

    fn fail(&mut self, what: String) {
        *self.failures.entry(what).or_default() += 1;
    }
}

/// Sends the requests of `script` to `address`.
pub fn run(address: SocketAddr, script: &mut Script, pace: Pace) -> Outcome<Measured> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(pace.connections.max(16));
    let mut connections =
        (0..pace.connections).map(|n| Connection::open(address, poll.registry(), n)).collect::<Result<Vec<_>, _>>()?;
    let mut measured = Measured {
        answers: 0,
        seconds: 0.0,
        times: Histogram::new_with_bounds(1_000, 60_000_000_000, 3)?,
        bytes: 0,
        failures: BTreeMap::new(),
    };
    let began = Instant::now();
    let counts_from = began + pace.warm;
    let ends = counts_from + pace.time;
    let due = |n: u64| pace.rate.map(|rate| began + Duration::from_secs_f64(n as f64 / rate));
    let (mut sent, mut open, mut last) = (0_u64, 0_usize, began);
    let mut free: Vec<usize> = (0..connections.len()).rev().collect();
    loop {
        let now = Instant::now();
        // Hand out what is due to connections that are free.
        while !free.is_empty() && now < ends && sent < pace.count {
            let since = match due(sent) {
                Some(due) if due > now => break,
                Some(due) => due,
                None => Instant::now(),
            };
            let Some(request) = script.take() else { break };
            let Some(n) = free.pop() else { break };
            let Some(connection) = connections.get_mut(n) else { continue };
            sent += 1;
            match connection.send(request, since) {
                Ok(()) => open += 1,
                Err(error) => measured.fail(format!("connection: {error}")),
            }
        }
        let over = now >= ends || sent >= pace.count || script.left() == 0;
        // A closed loop ends at its time; whatever has a number of requests waits for all of their answers.
        if over && (open == 0 || (pace.rate.is_none() && now >= ends) || now >= ends + LATE) {
            if open > 0 && pace.rate.is_some() {
                measured.fail(format!("{open} answers were not there after {LATE:?}"));
            }
            break;
        }
        if open == 0 && free.is_empty() {
            measured.fail("no connection is left".to_owned());
            break;
        }
        // The poll's own wait is as coarse as a millisecond: at a constant rate it is asked without end.
        let wait = if pace.rate.is_some() { Duration::ZERO } else { Duration::from_millis(50) };
        poll.poll(&mut events, Some(wait))?;
        for event in &events {
            let n = event.token().0;
            let Some(connection) = connections.get_mut(n).filter(|connection| !connection.is_free()) else { continue };
            match connection.turn() {
                Ok(Turn::Wait) => {}
                Ok(Turn::Answered(status, bytes, since)) => {
                    let now = Instant::now();
                    open -= 1;
                    free.push(n);
                    last = now;
                    if now >= counts_from {
                        if status == script.status {
                            measured.answers += 1;
                            measured.bytes += bytes as u64;
                            let nanos = u64::try_from((now - since).as_nanos()).unwrap_or(u64::MAX);
                            measured.times.saturating_record(nanos);
                        } else {
                            measured.fail(format!("status {status}"));
                        }
                    }
                }
                Err(error) => {
                    open -= 1;
                    measured.fail(format!("connection: {error}"));
                }
            }
        }
    }
    // What is counted by number ends with its last answer.
    let end = if pace.count < u64::MAX || script.once { last } else { last.max(ends.min(Instant::now())) };
    measured.seconds = end.saturating_duration_since(counts_from).as_secs_f64();
    Ok(measured)
}

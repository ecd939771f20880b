//! Pool load: how busy a store is, for whoever watches it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use diesel::r2d2::event::{CheckoutEvent, HandleEvent, TimeoutEvent};
use diesel::r2d2::{ManageConnection, Pool};

/// How busy a store is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Load {
    /// Connections that the pool may have.
    pub most: u32,
    /// Connections that are in use now.
    pub in_use: u32,
    /// How long requests have waited for a connection, all together.
    pub waited: Duration,
    /// Requests that waited in vain.
    pub timeouts: u64,
    /// Writes that wait for SQLite's writer; on PostgreSQL each has a connection of its own.
    pub writes_waiting: usize,
}

/// Counts what a pool has its callers wait for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waits(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    micros: AtomicU64,
    timeouts: AtomicU64,
}

impl HandleEvent for Waits {
    fn handle_checkout(&self, event: CheckoutEvent) {
        let micros = u64::try_from(event.duration().as_micros()).unwrap_or(u64::MAX);
        self.0.micros.fetch_add(micros, Ordering::Relaxed);
    }

    fn handle_timeout(&self, _: TimeoutEvent) {
        self.0.timeouts.fetch_add(1, Ordering::Relaxed);
    }
}

impl Waits {
    /// The load of the pool that tells these.
    pub(crate) fn of<M: ManageConnection>(&self, pool: &Pool<M>) -> Load {
        let state = pool.state();
        Load {
            most: pool.max_size(),
            in_use: state.connections.saturating_sub(state.idle_connections),
            waited: Duration::from_micros(self.0.micros.load(Ordering::Relaxed)),
            timeouts: self.0.timeouts.load(Ordering::Relaxed),
            writes_waiting: 0,
        }
    }
}

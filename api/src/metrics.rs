//! Metrics: what Prometheus scrapes.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use persistence::Load;
use prometheus::process_collector::ProcessCollector;
use prometheus::{
    Encoder as _, Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry,
    TextEncoder,
};

use crate::clock::Clock;
use crate::http::routes::Entry;

/// The server's figures.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    durations: HistogramVec,
    swept: IntCounterVec,
    overdue: IntGauge,
    swept_at: IntGauge,
    deliveries: IntCounterVec,
    in_flight: IntGauge,
    store: Store,
    /// The series of each operation, by its number: looking them up by their labels would cost as much as all the rest of
    /// what is done for a request.
    operations: Arc<[OnceLock<Series>]>,
}

/// The series of one operation.
#[derive(Debug)]
struct Series {
    took: Histogram,
    /// By status; there are few.
    answered: Mutex<Vec<(u16, IntCounter)>>,
}

/// How busy the store is, as it was asked last.
#[derive(Clone, Debug)]
struct Store {
    most: IntGauge,
    in_use: IntGauge,
    waited: Gauge,
    timeouts: IntGauge,
    writes: IntGauge,
}

impl Store {
    fn new() -> Result<Self, prometheus::Error> {
        Ok(Self {
            most: IntGauge::new("dps_connections", "Connections that the pool may have")?,
            in_use: IntGauge::new("dps_connections_in_use", "Connections in use")?,
            waited: Gauge::new("dps_connection_wait_seconds", "Time waited for connections since the start")?,
            timeouts: IntGauge::new("dps_connection_timeouts", "Waits for a connection in vain since the start")?,
            writes: IntGauge::new("dps_writes_waiting", "Writes that wait for the one writer of SQLite")?,
        })
    }

    fn register(&self, registry: &Registry) -> Result<(), prometheus::Error> {
        for gauge in [&self.most, &self.in_use, &self.timeouts, &self.writes] {
            registry.register(Box::new(gauge.clone()))?;
        }
        registry.register(Box::new(self.waited.clone()))
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub struct Busy(IntGauge);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    /// New figures for so many operations, all zero.
    ///
    /// # Errors
    /// Where a figure is misnamed: a defect.
    pub fn new(operations: usize) -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let requests =
            IntCounterVec::new(Opts::new("dps_requests_total", "Requests answered"), &["method", "path", "status"])?;
        let durations = HistogramVec::new(
            HistogramOpts::new("dps_request_seconds", "Time to answer")
                // From a read by key on SQLite to what no caller waits for: 0.1 ms to 6.6 s.
                .buckets(prometheus::exponential_buckets(0.0001, 2.0, 17)?),
            &["method", "path"],
        )?;
        let swept = IntCounterVec::new(
            Opts::new("dps_swept_total", "Clock-driven changes made"),
            &["kind", "what", "outcome"],
        )?;
        let overdue = IntGauge::new("dps_sweep_overdue_seconds", "Age of the oldest clock-driven change not yet made")?;
        let swept_at =
            IntGauge::new("dps_sweep_timestamp_seconds", "Unix time of the last sweep that came to its end")?;
        // One that never does is told from the start on.
        swept_at.set(unix_seconds());
        let deliveries =
            IntCounterVec::new(Opts::new("dps_deliveries_total", "Attempts to deliver a webhook"), &["outcome"])?;
        let in_flight = IntGauge::new("dps_requests_in_flight", "Requests being answered")?;
        let build =
            Opts::new("dps_build_info", "The program that runs").const_label("version", env!("CARGO_PKG_VERSION"));
        let build = IntGauge::with_opts(build)?;
        build.set(1);
        let store = Store::new()?;
        store.register(&registry)?;
        registry.register(Box::new(ProcessCollector::for_self()))?;
        registry.register(Box::new(build))?;
        registry.register(Box::new(in_flight.clone()))?;
        registry.register(Box::new(deliveries.clone()))?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(durations.clone()))?;
        registry.register(Box::new(swept.clone()))?;
        registry.register(Box::new(overdue.clone()))?;
        registry.register(Box::new(swept_at.clone()))?;
        let operations = (0..operations).map(|_| OnceLock::new()).collect();
        Ok(Self { registry, requests, durations, swept, overdue, swept_at, deliveries, in_flight, store, operations })
    }

    /// Counts a request for an operation.
    pub fn operation(&self, entry: &Entry, status: u16, took: Duration) {
        let (method, path) = (entry.method, entry.pattern);
        let Some(series) = self.operations.get(entry.number) else { return self.request(method, path, status, took) };
        let series = series.get_or_init(|| Series {
            took: self.durations.with_label_values(&[method, path]),
            answered: Mutex::default(),
        });
        series.took.observe(took.as_secs_f64());
        let mut answered = series.answered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, count)) = answered.iter().find(|(of, _)| *of == status) {
            return count.inc();
        }
        let count = self.requests.with_label_values(&[method, path, &status.to_string()]);
        count.inc();
        answered.push((status, count));
    }

    /// Counts a request for anything else.
    pub fn request(&self, method: &str, path: &str, status: u16, took: Duration) {
        self.requests.with_label_values(&[method, path, &status.to_string()]).inc();
        self.durations.with_label_values(&[method, path]).observe(took.as_secs_f64());
    }

    /// Counts a request as being answered, for as long as that is kept.
    #[must_use]
    pub fn busy(&self) -> Busy {
        self.in_flight.inc();
        Busy(self.in_flight.clone())
    }

    /// Sets how busy the store is.
    pub fn load(&self, load: &Load) {
        let whole = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        self.store.most.set(load.most.into());
        self.store.in_use.set(load.in_use.into());
        self.store.waited.set(load.waited.as_secs_f64());
        self.store.timeouts.set(whole(load.timeouts));
        self.store.writes.set(i64::try_from(load.writes_waiting).unwrap_or(i64::MAX));
    }

    /// Counts a clock-driven change.
    pub fn swept(&self, kind: &str, what: &str, outcome: &str) {
        self.swept.with_label_values(&[kind, what, outcome]).inc();
    }

    /// Counts an attempt to deliver a webhook.
    pub fn delivered(&self, outcome: &str) {
        self.deliveries.with_label_values(&[outcome]).inc();
    }

    /// Sets the age of the oldest change that is due.
    pub fn overdue(&self, seconds: i64) {
        self.overdue.set(seconds);
    }

    /// Notes that a sweep came to its end.
    pub fn sweep_ended(&self) {
        self.swept_at.set(unix_seconds());
    }

    /// The figures in Prometheus's text format.
    ///
    /// # Errors
    /// Where they cannot be written.
    pub fn text(&self) -> Result<Vec<u8>, prometheus::Error> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }
}

fn unix_seconds() -> i64 {
    Clock::system().micros() / 1_000_000
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The names that begin so in a text.
    fn named(text: &str, prefix: &str) -> BTreeSet<String> {
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let plain = |word: &str| {
            let parts = ["_bucket", "_sum", "_count"];
            parts.iter().find_map(|part| word.strip_suffix(part)).unwrap_or(word).to_owned()
        };
        words.filter(|word| word.starts_with(prefix)).map(plain).collect()
    }

    #[test]
    fn the_dashboard_and_the_alerts_name_what_is_measured_and_all_of_it() {
        let metrics = Metrics::new(0).unwrap();
        metrics.request("GET", "/health", 200, Duration::from_millis(1));
        metrics.swept("round", "open", "made");
        metrics.delivered("delivered");
        let exported = String::from_utf8(metrics.text().unwrap()).unwrap();
        let dashboard = include_str!("../../deploy/grafana-dashboard.json");
        let alerts = include_str!("../../deploy/alerts.yml");
        let documented = include_str!("../../docs/operations.md").split("\n## ");
        let documented = documented.filter(|part| part.starts_with("What to watch")).collect::<String>();
        let own = named(&exported, "dps_");
        assert!(own.contains("dps_requests_total"), "{own:?}");
        assert_eq!(named(dashboard, "dps_"), own, "the dashboard against /metrics");
        assert_eq!(named(&documented, "dps_"), own, "docs/operations.md against /metrics");
        assert!(named(alerts, "dps_").is_subset(&own), "{:?}", named(alerts, "dps_"));
        let process = named(&exported, "process_");
        for text in [dashboard, alerts, &documented] {
            assert!(named(text, "process_").is_subset(&process), "{:?}", named(text, "process_"));
        }
    }

    #[test]
    fn what_is_being_answered_is_counted_until_it_is() {
        let metrics = Metrics::new(0).unwrap();
        let (one, two) = (metrics.busy(), metrics.busy());
        drop(one);
        assert_eq!(metrics.in_flight.get(), 1);
        drop(two);
        assert_eq!(metrics.in_flight.get(), 0);
    }
}

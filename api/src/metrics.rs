//! What Prometheus scrapes.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use prometheus::{
    Encoder as _, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry,
    TextEncoder,
};

use crate::http::routes::Entry;

/// The server's figures.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    durations: HistogramVec,
    swept: IntCounterVec,
    overdue: IntGauge,
    deliveries: IntCounterVec,
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
                .buckets(prometheus::exponential_buckets(0.0005, 2.0, 14)?),
            &["method", "path"],
        )?;
        let swept = IntCounterVec::new(
            Opts::new("dps_swept_total", "Clock-driven changes made"),
            &["kind", "what", "outcome"],
        )?;
        let overdue = IntGauge::new("dps_sweep_overdue_seconds", "Age of the oldest clock-driven change not yet made")?;
        let deliveries =
            IntCounterVec::new(Opts::new("dps_deliveries_total", "Attempts to deliver a webhook"), &["outcome"])?;
        registry.register(Box::new(deliveries.clone()))?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(durations.clone()))?;
        registry.register(Box::new(swept.clone()))?;
        registry.register(Box::new(overdue.clone()))?;
        let operations = (0..operations).map(|_| OnceLock::new()).collect();
        Ok(Self { registry, requests, durations, swept, overdue, deliveries, operations })
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

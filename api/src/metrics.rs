//! What Prometheus scrapes.

use std::time::Duration;

use prometheus::{Encoder as _, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry, TextEncoder};

/// The server's figures.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    durations: HistogramVec,
    swept: IntCounterVec,
    overdue: IntGauge,
    deliveries: IntCounterVec,
}

impl Metrics {
    /// New figures, all zero.
    ///
    /// # Errors
    /// Where a figure is misnamed: a defect.
    pub fn new() -> Result<Self, prometheus::Error> {
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
        Ok(Self { registry, requests, durations, swept, overdue, deliveries })
    }

    /// Counts a request.
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

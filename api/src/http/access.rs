//! The access log: a line for each request, in the form of the rest of the log.
//!
//! Lines are kept for up to a second and written together: a call to the kernel for each costs as much as answering. What
//! a killed process had not written yet is lost; the record of what was done is in the store.

use std::io::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::kernel::Instant;
use tracing::Level;

/// Bytes kept at most.
const BUFFER_BYTES: usize = 32 * 1024;
/// How often what is kept is written.
const BEAT: Duration = Duration::from_secs(1);
/// What the log's filter knows these lines by.
const TARGET: &str = "api::http::gate";

static LINES: Mutex<Lines> = Mutex::new(Lines { text: Vec::new(), second: i64::MIN, prefix: String::new() });

struct Lines {
    text: Vec<u8>,
    /// The second that the last line fell into, and how it is written.
    second: i64,
    prefix: String,
}

/// One request, as it is told. Nothing in it names a person or a thing: the path is the pattern.
pub struct Line<'a> {
    /// When it was answered, by the machine's clock.
    pub at: Instant,
    /// Its id: letters, digits, `-`, `_` and `.`.
    pub request: &'a str,
    /// Its method.
    pub method: &'static str,
    /// The path's pattern.
    pub path: &'a str,
    /// The status of the answer.
    pub status: u16,
    /// Microseconds it took.
    pub micros: u128,
}

impl Line<'_> {
    /// Puts it into the log, where the log's filter lets it through.
    pub fn write(&self) {
        if !tracing::enabled!(target: TARGET, Level::INFO) {
            return;
        }
        let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
        let (second, micro) = (self.at.micros().div_euclid(1_000_000), self.at.micros().rem_euclid(1_000_000));
        if lines.second != second {
            lines.second = second;
            lines.prefix = Instant::from_micros(second * 1_000_000).to_string().replace('Z', "");
        }
        let Lines { text, prefix, .. } = &mut *lines;
        let Self { at: _, request, method, path, status, micros } = self;
        let written = writeln!(
            text,
            "{{\"timestamp\":\"{prefix}.{micro:06}Z\",\"level\":\"INFO\",\"fields\":{{\"request\":\"{request}\",\
             \"method\":\"{method}\",\"path\":\"{path}\",\"status\":{status},\"micros\":{micros}}},\"target\":\"{TARGET}\"}}",
        );
        // Writing to memory does not fail.
        drop(written);
        if text.len() >= BUFFER_BYTES {
            tell(text);
        }
    }
}

/// Writes what is kept.
pub fn flush() {
    tell(&mut LINES.lock().unwrap_or_else(PoisonError::into_inner).text);
}

fn tell(text: &mut Vec<u8>) {
    // Where the log cannot be written there is nobody to tell.
    drop(std::io::stderr().write_all(text));
    text.clear();
}

/// Writes what is kept, each second.
pub async fn run() {
    loop {
        actix_web::rt::time::sleep(BEAT).await;
        flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_json_like_any_other() {
        let at = Instant::from_micros(1_544_000_000_000_042);
        let line = Line { at, request: "0123456789ab", method: "GET", path: "/v1/lots/{id}", status: 200, micros: 7 };
        let subscriber = tracing_subscriber::fmt().with_writer(std::io::sink).finish();
        tracing::subscriber::with_default(subscriber, || line.write());
        let text = std::mem::take(&mut LINES.lock().unwrap().text);
        let told: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let expected = serde_json::json!({
            "timestamp": "2018-12-05T08:53:20.000042Z", "level": "INFO", "target": TARGET,
            "fields": {"request": "0123456789ab", "method": "GET", "path": "/v1/lots/{id}", "status": 200, "micros": 7},
        });
        assert_eq!(told, expected);
    }
}

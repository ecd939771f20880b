//! Sends one request, and says how it ended. Never says where to: an address may itself be a secret.

use std::time::{Duration, Instant as Stopwatch};

use domain::kernel::Violation;
use serde::Serialize;
use ureq::http::header::{CONTENT_TYPE, RETRY_AFTER};
use ureq::http::{Request, Uri};
use ureq::unversioned::resolver::{DefaultResolver, Resolver};
use ureq::unversioned::transport::DefaultConnector;
use utoipa::ToSchema;

use super::guard::{self, Guarded};
use crate::clock::Clock;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a request may take in all. Leases are longer.
pub const TOTAL: Duration = Duration::from_secs(15);
/// Bytes of an answer that are read before the connection is closed.
const READ: u64 = 16 * 1024;

/// How an attempt to deliver ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// The receiver answered with a status from 200 to 299.
    Delivered,
    /// With another status.
    Rejected,
    /// With a redirect, which is not followed.
    Redirected,
    /// With 410: nothing more is sent.
    Gone,
    /// Not in time: 5 seconds to connect, 15 in all.
    TimedOut,
    /// The host's name leads nowhere.
    Unresolvable,
    /// The host has no address that anything is sent to.
    AddressRefused,
    /// The connection could not be secured.
    TlsFailed,
    /// There was no connection, or it broke.
    Unreachable,
    /// The server cannot read the secret to sign with: rotate it.
    SecretUnreadable,
    /// Nothing was sent, as was asked (`dryRun`).
    NotSent,
}

impl Ended {
    /// The name in the store and in the figures.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Rejected => "rejected",
            Self::Redirected => "redirected",
            Self::Gone => "gone",
            Self::TimedOut => "timed_out",
            Self::Unresolvable => "unresolvable",
            Self::AddressRefused => "address_refused",
            Self::TlsFailed => "tls_failed",
            Self::Unreachable => "unreachable",
            Self::SecretUnreadable => "secret_unreadable",
            Self::NotSent => "not_sent",
        }
    }
}

/// An attempt and its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sent {
    /// How it ended.
    pub ended: Ended,
    /// What the receiver answered, if it did.
    pub status: Option<u16>,
    /// How many seconds it asks to be left alone for.
    pub retry_after: Option<u64>,
    /// How long it took.
    pub took: Duration,
}

impl Sent {
    /// An attempt that sent nothing.
    #[must_use]
    pub fn nothing(ended: Ended) -> Self {
        Self { ended, status: None, retry_after: None, took: Duration::ZERO }
    }
}

/// A message, signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// The event's id.
    pub id: String,
    /// Seconds since 1970 at which it was signed.
    pub seconds: i64,
    /// Signatures, with a space between them.
    pub signature: String,
    /// JSON.
    pub body: String,
}

/// Sends messages.
#[derive(Clone, Debug)]
pub struct Sender {
    agent: ureq::Agent,
    /// Whether private receivers, and plain http, are allowed.
    pub private: bool,
}

impl Sender {
    /// One that looks names up as the machine does.
    #[must_use]
    pub fn new(private: bool) -> Self {
        Self::resolving(private, DefaultResolver::default())
    }

    /// One that looks names up with `resolver`.
    #[must_use]
    pub fn resolving(private: bool, resolver: impl Resolver) -> Self {
        let config = ureq::Agent::config_builder()
            // A proxy of the environment would look names up by itself.
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .https_only(!private)
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(TOTAL))
            // A connection that is kept may be closed at the other end: the next message would seem to fail.
            .max_idle_connections(0)
            .user_agent(concat!("dps/", env!("CARGO_PKG_VERSION")))
            .build();
        let guarded = Guarded { inner: resolver, private };
        Self { agent: ureq::Agent::with_parts(config, DefaultConnector::default(), guarded), private }
    }

    /// The address as given by a caller, if anything may be sent to it as far as can be told now. Blocks.
    ///
    /// # Errors
    /// What is wrong with it, at `/url`.
    pub fn check(&self, url: &str) -> Result<(), Violation> {
        let uri = guard::url(url, self.private)?;
        Guarded { inner: DefaultResolver::default(), private: self.private }.check(&uri)
    }

    /// Sends a message. Blocks, up to [`TOTAL`].
    #[must_use]
    pub fn send(&self, url: &str, message: Message) -> Sent {
        let began = Stopwatch::now();
        let sent = match guard::url(url, self.private) {
            Ok(uri) => self.post(uri, message),
            Err(_) => Sent::nothing(Ended::AddressRefused),
        };
        Sent { took: began.elapsed(), ..sent }
    }

    fn post(&self, uri: Uri, message: Message) -> Sent {
        let Message { id, seconds, signature, body } = message;
        let request = Request::post(uri)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", signature)
            .body(body);
        let Ok(request) = request else { return Sent::nothing(Ended::Unreachable) };
        match self.agent.run(request) {
            Err(error) => Sent::nothing(failed(&error)),
            Ok(mut answer) => {
                let status = answer.status().as_u16();
                let retry_after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
                let retry_after = retry_after.and_then(|value| seconds_until(value, Clock::system().micros()));
                // Some receivers take it ill when nobody listens. What they say is of no interest.
                drop(answer.body_mut().with_config().limit(READ).read_to_vec());
                let ended = match status {
                    200..=299 => Ended::Delivered,
                    300..=399 => Ended::Redirected,
                    410 => Ended::Gone,
                    _ => Ended::Rejected,
                };
                Sent { ended, status: Some(status), retry_after, took: Duration::ZERO }
            }
        }
    }
}

fn failed(error: &ureq::Error) -> Ended {
    match error {
        error if guard::is_refused(error) => Ended::AddressRefused,
        ureq::Error::Timeout(_) => Ended::TimedOut,
        ureq::Error::HostNotFound => Ended::Unresolvable,
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => Ended::TlsFailed,
        ureq::Error::Io(inner) => match inner.kind() {
            std::io::ErrorKind::TimedOut => Ended::TimedOut,
            // How a bad certificate is reported.
            std::io::ErrorKind::InvalidData => Ended::TlsFailed,
            _ => Ended::Unreachable,
        },
        _ => Ended::Unreachable,
    }
}

/// `Retry-After`, in seconds or as a date.
fn seconds_until(value: &str, now_micros: i64) -> Option<u64> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(seconds);
    }
    let at = chrono::DateTime::parse_from_rfc2822(value.trim()).ok()?;
    u64::try_from(at.timestamp().saturating_sub(now_micros / 1_000_000)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_says_when_to_try_again_in_seconds_or_by_date() {
        let now = 1_445_412_420_000_000; // Wed, 21 Oct 2015 07:27:00 GMT
        assert_eq!(seconds_until("120", now), Some(120));
        assert_eq!(seconds_until("Wed, 21 Oct 2015 07:28:00 GMT", now), Some(60));
        assert_eq!(seconds_until("Wed, 21 Oct 2015 07:26:00 GMT", now), None);
        assert_eq!(seconds_until("soon", now), None);
    }
}

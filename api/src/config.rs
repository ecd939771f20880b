//! Configuration: defaults, file and environment, validated at start with all errors at once.

pub mod settings;
pub mod source;
pub mod strength;
pub mod url;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use domain::kernel::Instant;
use jsonwebtoken::Algorithm;
use tracing_subscriber::EnvFilter;

use crate::auth::keys::Source;
use crate::auth::token::{CLIENT_ISSUER, LOCAL_ISSUER};
use crate::client::oauth::OAuth;
use crate::http::arrival::Bounds;
use crate::ocds;
use crate::upload::Limits;

/// Where the server stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Profile {
    /// A generated token key and, if wanted, a movable clock.
    Development,
    /// Tokens of a named identity provider and the system's clock only.
    Production,
}

/// Whose tokens are accepted, beside those of machine clients.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Tokens {
    /// Those that this program makes for development, with the key of the clients' tokens.
    Local,
    /// Those of an identity provider.
    Published {
        /// Where its JSON Web Key Set is.
        keys: Source,
        /// The one algorithm accepted.
        algorithm: Algorithm,
        /// The one issuer accepted.
        issuer: String,
    },
}

/// The whole configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// `DPS_PROFILE`.
    pub profile: Profile,
    /// `DATABASE_URL`.
    pub database: String,
    /// `DPS_CONNECTIONS`.
    pub connections: u32,
    /// `DPS_LISTEN`.
    pub listen: SocketAddr,
    /// `DPS_WORKERS`.
    pub workers: usize,
    /// `DPS_CLOCK`: `None` for the system's, else where the movable one starts.
    pub clock: Option<Instant>,
    /// `DPS_AUDIENCE`.
    pub audience: String,
    /// `DPS_JWKS_FILE` or `DPS_JWKS_URL` with `DPS_JWKS_SECONDS`, `DPS_JWT_ALGORITHM`, `DPS_ISSUER`.
    pub tokens: Tokens,
    /// `DPS_TOKEN_KEY_FILE`: the key of the tokens that this program signs, made where missing. Servers of one database
    /// share it.
    pub key_file: PathBuf,
    /// `DPS_TOKEN_SECONDS`, `DPS_SECRET_OVERLAP_HOURS`, `DPS_TOKEN_RATE_LIMIT`.
    pub oauth: OAuth,
    /// `DPS_RATE_LIMIT`: requests a minute of a caller; 0 where there is no limit.
    pub rate_limit: u32,
    /// `DPS_TRUST_PROXY`: whether the proxy in front names the caller's address, last in `X-Forwarded-For`.
    pub proxied: bool,
    /// `DPS_SWEEP_SECONDS`: how often the clock-driven work is looked for.
    pub sweep_seconds: u64,
    /// `DPS_POSTCODES`: a CSV file with the centres of outward postcodes, for boundaries by radius.
    pub postcodes: Option<PathBuf>,
    /// What clients may take of the server.
    pub bounds: Bounds,
    /// `DPS_SEAL_KEY_FILE`: the key that webhooks' secrets are sealed with.
    pub seal_key_file: PathBuf,
    /// `DPS_WEBHOOK_PRIVATE`: whether webhooks may go to private addresses and over plain http.
    pub webhook_private: bool,
    /// `DPS_OCID_PREFIX`: what the identifiers of contracting processes begin with, as the standard's registry gave it.
    pub ocid_prefix: String,
    /// `DPS_PUBLISHER`: the name of whoever publishes the market.
    pub publisher: String,
    /// `DPS_PUBLIC_URL`: the address under which the server is reached; the one it listens on, where absent.
    pub public_url: Option<String>,
    /// `DPS_DATA_LICENCE`: the address of the licence of published data.
    pub data_licence: Option<String>,
    /// What uploads may come to.
    pub uploads: Limits,
}

impl Config {
    /// From any source of named values; what it does not have is as [`settings::SETTINGS`] says.
    ///
    /// # Errors
    /// Everything that is wrong, one line each, beginning with the setting's name.
    pub fn from(given: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<String>> {
        let mut wrong: Vec<String> = settings::SETTINGS
            .iter()
            .filter(|setting| given(setting.name).is_some_and(|value| !value.is_empty() && value.trim().is_empty()))
            .map(|setting| format!("{} is blank", setting.name))
            .collect();
        let get = |name: &str| {
            given(name).or_else(|| settings::find(name).and_then(|setting| setting.default).map(str::to_owned))
        };
        let text = |name: &str| get(name).unwrap_or_default();
        let profile = match text("DPS_PROFILE").as_str() {
            "development" => Profile::Development,
            "production" => Profile::Production,
            other => {
                wrong.push(format!("DPS_PROFILE is development or production, not {other}"));
                Profile::Production
            }
        };
        let database = text("DATABASE_URL");
        if !["sqlite:", "postgres:", "postgresql:"].iter().any(|scheme| database.starts_with(scheme)) {
            wrong.push("DATABASE_URL begins with sqlite: or postgres:".to_owned());
        }
        let clock = match text("DPS_CLOCK").as_str() {
            "system" => None,
            start => match start.parse() {
                Ok(at) => Some(at),
                Err(why) => {
                    wrong.push(format!("DPS_CLOCK is `system` or a start: {why}"));
                    None
                }
            },
        };
        if clock.is_some() && profile == Profile::Production {
            wrong.push("DPS_CLOCK: a production server follows the system's clock".to_owned());
        }
        let tokens = tokens(&get, profile, &mut wrong);
        if let Err(why) = log_filter(&text("DPS_LOG")) {
            wrong.push(format!("DPS_LOG: {why}"));
        }
        let ocid_prefix = text("DPS_OCID_PREFIX");
        if !ocds::Publisher::is_prefix(&ocid_prefix) {
            wrong.push("DPS_OCID_PREFIX is `ocds-` and six lower-case letters or digits".to_owned());
        }
        let mut address = |name: &str| {
            let given = get(name)?;
            if !["https://", "http://"].iter().any(|scheme| given.starts_with(scheme)) {
                wrong.push(format!("{name} begins with https:// or http://"));
            }
            Some(given)
        };
        let (public_url, data_licence) = (address("DPS_PUBLIC_URL"), address("DPS_DATA_LICENCE"));
        // A clock that stands still would never fill a bucket again.
        let still = |name: &str| clock.is_some() && given(name).is_none();
        let limit = |name: &str, wrong: &mut Vec<String>| if still(name) { 0 } else { number(&get, name, wrong) };
        let config = Self {
            profile,
            database,
            connections: number(&get, "DPS_CONNECTIONS", &mut wrong),
            listen: text("DPS_LISTEN").parse().unwrap_or_else(|_| {
                wrong.push("DPS_LISTEN is an address with a port, such as 127.0.0.1:8080".to_owned());
                SocketAddr::from(([127, 0, 0, 1], 0))
            }),
            workers: number(&get, "DPS_WORKERS", &mut wrong),
            clock,
            audience: text("DPS_AUDIENCE"),
            tokens,
            key_file: text("DPS_TOKEN_KEY_FILE").into(),
            oauth: OAuth {
                token_seconds: number(&get, "DPS_TOKEN_SECONDS", &mut wrong),
                overlap_hours: number(&get, "DPS_SECRET_OVERLAP_HOURS", &mut wrong),
                per_minute: limit("DPS_TOKEN_RATE_LIMIT", &mut wrong),
            },
            rate_limit: limit("DPS_RATE_LIMIT", &mut wrong),
            proxied: either(&get, "DPS_TRUST_PROXY", "true", "false", &mut wrong),
            sweep_seconds: number(&get, "DPS_SWEEP_SECONDS", &mut wrong),
            postcodes: get("DPS_POSTCODES").map(PathBuf::from),
            bounds: Bounds {
                body: number(&get, "DPS_BODY_LIMIT", &mut wrong),
                time: Duration::from_secs(number(&get, "DPS_REQUEST_SECONDS", &mut wrong)),
                idle: Duration::from_secs(number(&get, "DPS_IDLE_SECONDS", &mut wrong)),
                connections: number(&get, "DPS_CLIENT_CONNECTIONS", &mut wrong),
            },
            uploads: Limits {
                bytes: number(&get, "DPS_UPLOAD_LIMIT", &mut wrong),
                rows: number(&get, "DPS_UPLOAD_ROWS", &mut wrong),
                seconds: number(&get, "DPS_UPLOAD_SECONDS", &mut wrong),
                minutes: number(&get, "DPS_UPLOAD_MINUTES", &mut wrong),
                kept_days: number(&get, "DPS_UPLOAD_KEPT_DAYS", &mut wrong),
                open: number(&get, "DPS_UPLOAD_OPEN", &mut wrong),
                account: number(&get, "DPS_UPLOAD_ACCOUNT_LIMIT", &mut wrong),
            },
            ocid_prefix,
            publisher: text("DPS_PUBLISHER"),
            public_url: public_url.map(|url| url.trim_end_matches('/').to_owned()),
            data_licence,
            seal_key_file: text("DPS_SEAL_KEY_FILE").into(),
            webhook_private: either(&get, "DPS_WEBHOOK_PRIVATE", "allow", "refuse", &mut wrong),
        };
        if wrong.is_empty() { Ok(config) } else { Err(wrong) }
    }
}

/// Whose tokens are accepted.
fn tokens(get: &impl Fn(&str) -> Option<String>, profile: Profile, wrong: &mut Vec<String>) -> Tokens {
    let every = Duration::from_secs(number(get, "DPS_JWKS_SECONDS", wrong));
    let source = source(get("DPS_JWKS_FILE"), get("DPS_JWKS_URL"), every, profile, wrong);
    match (source, get("DPS_ISSUER")) {
        (Some(keys), Some(issuer)) => {
            let algorithm = get("DPS_JWT_ALGORITHM").unwrap_or_default();
            let algorithm = algorithm.parse().unwrap_or_else(|_| {
                wrong.push(format!("DPS_JWT_ALGORITHM: unknown algorithm {algorithm}"));
                Algorithm::RS256
            });
            if matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512) {
                wrong.push("DPS_JWT_ALGORITHM: a published key set is asymmetric".to_owned());
            }
            if [CLIENT_ISSUER, LOCAL_ISSUER].contains(&issuer.as_str()) {
                wrong.push(format!("DPS_ISSUER: {issuer} is this program's own"));
            }
            Tokens::Published { keys, algorithm, issuer }
        }
        (None, None) => {
            if profile == Profile::Production {
                wrong.push(
                    "DPS_JWKS_FILE or DPS_JWKS_URL, and DPS_ISSUER, name the identity provider of a production server"
                        .to_owned(),
                );
            }
            Tokens::Local
        }
        (_, _) => {
            wrong.push("DPS_JWKS_FILE or DPS_JWKS_URL, and DPS_ISSUER, go together".to_owned());
            Tokens::Local
        }
    }
}

/// Whether a setting says the one of two words.
fn either(get: &impl Fn(&str) -> Option<String>, name: &str, yes: &str, no: &str, wrong: &mut Vec<String>) -> bool {
    let said = get(name).unwrap_or_default();
    if said != yes && said != no {
        wrong.push(format!("{name} is {yes} or {no}, not {said}"));
    }
    said == yes
}

/// Unknown keys have the address asked again after so many seconds, at the earliest.
const ASKED_AGAIN: Duration = Duration::from_secs(10);

/// Where the identity provider's keys are; `None` where nothing says so.
fn source(
    file: Option<String>,
    url: Option<String>,
    every: Duration,
    profile: Profile,
    wrong: &mut Vec<String>,
) -> Option<Source> {
    match (file, url) {
        (None, None) => None,
        (Some(file), None) => Some(Source::File(file.into())),
        (file, Some(address)) => {
            if file.is_some() {
                wrong.push("DPS_JWKS_FILE and DPS_JWKS_URL: one of them".to_owned());
            }
            let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
            let near = |at: &&str| {
                address.strip_prefix(*at).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
            };
            let open = profile == Profile::Development && local.iter().any(near);
            if !address.starts_with("https://") && !open {
                wrong.push("DPS_JWKS_URL begins with https://".to_owned());
            }
            Some(Source::Url { address, every, again: ASKED_AGAIN })
        }
    }
}

/// A number within what the table allows. Where it is not, any will do: the configuration is refused.
fn number<N: TryFrom<u64> + Default>(get: &impl Fn(&str) -> Option<String>, name: &str, wrong: &mut Vec<String>) -> N {
    let within = settings::find(name).and_then(|setting| setting.within.clone()).unwrap_or(0..=0);
    let text = get(name).unwrap_or_default();
    let number = text.parse().ok().filter(|number| within.contains(number)).and_then(|number| N::try_from(number).ok());
    number.unwrap_or_else(|| {
        wrong.push(format!("{name} is a number from {} to {}, not {text}", within.start(), within.end()));
        N::default()
    })
}

/// What is logged, as a filter. Names of parts of the program are plain ASCII: the parser panics at some other letters.
///
/// # Errors
/// What is wrong with it.
pub fn log_filter(text: &str) -> Result<EnvFilter, String> {
    if text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        EnvFilter::builder().parse(text).map_err(|why| why.to_string())
    } else {
        Err("it has plain letters only".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given<'a>(values: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        |name| values.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned())
    }

    #[test]
    fn nothing_need_be_set() {
        let config = Config::from(given(&[])).unwrap();
        assert_eq!(config.database, "sqlite:data/dps.db");
        assert_eq!(config.clock, None);
    }

    #[test]
    fn every_setting_that_is_asked_for_is_in_the_table() {
        let asked = std::cell::RefCell::new(std::collections::BTreeSet::new());
        for issuer in [None, Some("x")] {
            let both = ["DPS_JWKS_FILE", "DPS_ISSUER"];
            drop(Config::from(|name| {
                asked.borrow_mut().insert(name.to_owned());
                issuer.filter(|_| both.contains(&name)).map(str::to_owned)
            }));
        }
        let table = settings::SETTINGS.iter().map(|setting| setting.name.to_owned()).collect();
        assert_eq!(asked.into_inner(), table);
    }

    #[test]
    fn every_error_is_told_at_once() {
        let wrong = Config::from(given(&[
            ("DPS_PROFILE", "production"),
            ("DATABASE_URL", "mysql://x"),
            ("DPS_CLOCK", "2019-01-04T00:00:00Z"),
            ("DPS_LISTEN", "here"),
            ("DPS_WORKERS", "0"),
            ("DPS_OCID_PREFIX", "ocds-DPS000"),
            ("DPS_PUBLIC_URL", "dps.example"),
        ]))
        .unwrap_err();
        assert_eq!(wrong.len(), 7, "{wrong:?}");
    }

    #[test]
    fn keys_come_over_tls_or_from_this_machine_in_development() {
        let address = |profile: &str, url: &str| {
            let values = [("DPS_PROFILE", profile), ("DPS_JWKS_URL", url), ("DPS_ISSUER", "https://idp.example.org")];
            Config::from(given(&values)).is_ok()
        };
        assert!(address("production", "https://idp.example.org/keys"));
        assert!(!address("production", "http://127.0.0.1:9/keys"));
        assert!(address("development", "http://127.0.0.1:9/keys"));
        assert!(!address("development", "http://127.0.0.1.example.org/keys"));
        assert!(!address("development", "http://idp.example.org/keys"));
    }

    #[test]
    fn a_clock_that_is_moved_by_hand_limits_no_rate_unless_told() {
        let rate = |values: &[(&str, &str)]| Config::from(given(values)).unwrap().rate_limit;
        let clock = ("DPS_CLOCK", "2019-01-04T00:00:00Z");
        assert_eq!([rate(&[]), rate(&[clock]), rate(&[clock, ("DPS_RATE_LIMIT", "5")])], [600, 0, 5]);
    }

    #[test]
    fn a_production_server_refuses_a_movable_clock_and_local_tokens() {
        let wrong =
            Config::from(given(&[("DPS_PROFILE", "production"), ("DPS_CLOCK", "2019-01-04T00:00:00Z")])).unwrap_err();
        assert!(
            wrong.iter().any(|w| w.starts_with("DPS_CLOCK")) && wrong.iter().any(|w| w.starts_with("DPS_JWKS_FILE"))
        );
    }
}

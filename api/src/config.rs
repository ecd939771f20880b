//! Configuration: defaults and environment, validated at start with all errors at once.

use std::net::SocketAddr;
use std::path::PathBuf;

use domain::kernel::Instant;
use jsonwebtoken::Algorithm;

use crate::upload::Limits;

/// Where the server stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Profile {
    /// A generated token key and, if wanted, a movable clock.
    Development,
    /// Tokens of a named identity provider and the system's clock only.
    Production,
}

/// Whose tokens are accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Tokens {
    /// Those that this program issues with the secret in a file, made where missing.
    Local {
        /// The secret's file.
        key_file: PathBuf,
    },
    /// Those of an identity provider.
    Published {
        /// The file with its JSON Web Key Set.
        jwks_file: PathBuf,
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
    /// `DPS_JWKS_FILE`, `DPS_JWT_ALGORITHM`, `DPS_ISSUER`, `DPS_TOKEN_KEY_FILE`.
    pub tokens: Tokens,
    /// `DPS_SWEEP_SECONDS`: how often the clock-driven work is looked for.
    pub sweep_seconds: u64,
    /// `DPS_POSTCODES`: a CSV file with the centres of outward postcodes, for boundaries by radius.
    pub postcodes: Option<PathBuf>,
    /// `DPS_BODY_LIMIT`: bytes of a request body at most.
    pub body_limit: usize,
    /// What uploads may come to.
    pub uploads: Limits,
}

impl Config {
    /// From the environment.
    ///
    /// # Errors
    /// Everything that is wrong, one line each.
    pub fn from_env() -> Result<Self, Vec<String>> {
        Self::from(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    /// From any source of named values.
    ///
    /// # Errors
    /// Everything that is wrong, one line each.
    pub fn from(get: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<String>> {
        let mut wrong = Vec::new();
        let profile = match get("DPS_PROFILE").as_deref() {
            None | Some("development") => Profile::Development,
            Some("production") => Profile::Production,
            Some(other) => {
                wrong.push(format!("DPS_PROFILE is development or production, not {other}"));
                Profile::Production
            }
        };
        let database = get("DATABASE_URL").unwrap_or_else(|| "sqlite:data/dps.db".to_owned());
        if !["sqlite:", "postgres:", "postgresql:"].iter().any(|scheme| database.starts_with(scheme)) {
            wrong.push("DATABASE_URL begins with sqlite: or postgres:".to_owned());
        }
        let clock = match get("DPS_CLOCK").as_deref() {
            None | Some("system") => None,
            Some(start) => match start.parse() {
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
        let tokens = match (get("DPS_JWKS_FILE"), get("DPS_ISSUER")) {
            (Some(file), Some(issuer)) => {
                let algorithm = get("DPS_JWT_ALGORITHM").unwrap_or_else(|| "RS256".to_owned());
                let algorithm = algorithm.parse().unwrap_or_else(|_| {
                    wrong.push(format!("DPS_JWT_ALGORITHM: unknown algorithm {algorithm}"));
                    Algorithm::RS256
                });
                if matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512) {
                    wrong.push("DPS_JWT_ALGORITHM: a published key set is asymmetric".to_owned());
                }
                Tokens::Published { jwks_file: file.into(), algorithm, issuer }
            }
            (None, None) => {
                if profile == Profile::Production {
                    wrong.push(
                        "DPS_JWKS_FILE and DPS_ISSUER name the identity provider of a production server".to_owned(),
                    );
                }
                let file = get("DPS_TOKEN_KEY_FILE").unwrap_or_else(|| "data/token.key".to_owned());
                Tokens::Local { key_file: file.into() }
            }
            (_, _) => {
                wrong.push("DPS_JWKS_FILE and DPS_ISSUER go together".to_owned());
                Tokens::Local { key_file: PathBuf::new() }
            }
        };
        let config = Self {
            profile,
            database,
            connections: number(&get, "DPS_CONNECTIONS", 8, 1..=1000, &mut wrong),
            listen: get("DPS_LISTEN").unwrap_or_else(|| "127.0.0.1:8080".to_owned()).parse().unwrap_or_else(|_| {
                wrong.push("DPS_LISTEN is an address with a port, such as 127.0.0.1:8080".to_owned());
                SocketAddr::from(([127, 0, 0, 1], 0))
            }),
            workers: number(&get, "DPS_WORKERS", 2, 1..=256, &mut wrong),
            clock,
            audience: get("DPS_AUDIENCE").unwrap_or_else(|| "dps".to_owned()),
            tokens,
            sweep_seconds: number(&get, "DPS_SWEEP_SECONDS", 1, 1..=3600, &mut wrong),
            postcodes: get("DPS_POSTCODES").map(PathBuf::from),
            body_limit: number(&get, "DPS_BODY_LIMIT", 1_048_576, 1024..=104_857_600, &mut wrong),
            uploads: uploads(&get, &mut wrong),
        };
        if wrong.is_empty() { Ok(config) } else { Err(wrong) }
    }
}

fn uploads(get: &impl Fn(&str) -> Option<String>, wrong: &mut Vec<String>) -> Limits {
    let usual = Limits::default();
    Limits {
        bytes: number(get, "DPS_UPLOAD_LIMIT", usual.bytes, 1024..=1 << 30, wrong),
        rows: number(get, "DPS_UPLOAD_ROWS", usual.rows, 1..=1_000_000, wrong),
        seconds: number(get, "DPS_UPLOAD_SECONDS", usual.seconds, 1..=3600, wrong),
        minutes: number(get, "DPS_UPLOAD_MINUTES", usual.minutes, 1..=1440, wrong),
        kept_days: number(get, "DPS_UPLOAD_KEPT_DAYS", usual.kept_days, 1..=3650, wrong),
    }
}

fn number<N: std::str::FromStr + PartialOrd + std::fmt::Display + Copy>(
    get: &impl Fn(&str) -> Option<String>,
    name: &str,
    default: N,
    within: std::ops::RangeInclusive<N>,
    wrong: &mut Vec<String>,
) -> N {
    let Some(text) = get(name) else { return default };
    match text.parse() {
        Ok(n) if within.contains(&n) => n,
        _ => {
            wrong.push(format!("{name} is a number from {} to {}, not {text}", within.start(), within.end()));
            default
        }
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
    fn every_error_is_told_at_once() {
        let wrong = Config::from(given(&[
            ("DPS_PROFILE", "production"),
            ("DATABASE_URL", "mysql://x"),
            ("DPS_CLOCK", "2019-01-04T00:00:00Z"),
            ("DPS_LISTEN", "here"),
            ("DPS_WORKERS", "0"),
        ]))
        .unwrap_err();
        assert_eq!(wrong.len(), 5, "{wrong:?}");
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

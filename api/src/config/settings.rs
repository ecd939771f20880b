//! The settings: the one table behind the configuration, `dps check-config`, the help, the sample file and the table
//! in `docs/operations.md`. A new setting is a row here and a field of [`super::Config`].

use std::ops::RangeInclusive;

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// Its name in the environment.
    pub name: &'static str,
    /// What holds where it is not set.
    pub default: Option<&'static str>,
    /// The numbers it may be, where it is one.
    pub within: Option<RangeInclusive<u64>>,
    /// What it is, in a phrase.
    pub says: &'static str,
}

const fn text(name: &'static str, default: &'static str, says: &'static str) -> Setting {
    Setting { name, default: Some(default), within: None, says }
}

const fn optional(name: &'static str, says: &'static str) -> Setting {
    Setting { name, default: None, within: None, says }
}

const fn number(name: &'static str, default: &'static str, within: RangeInclusive<u64>, says: &'static str) -> Setting {
    Setting { name, default: Some(default), within: Some(within), says }
}

/// Every setting, in the order in which it is told.
pub static SETTINGS: &[Setting] = &[
    text("DPS_PROFILE", "development", "or `production`"),
    text("DATABASE_URL", "sqlite:data/dps.db", "`sqlite:<path>` or `postgres://…`"),
    number("DPS_CONNECTIONS", "8", 1..=1000, "connections of the pool. On SQLite for reading; there is one writer"),
    text("DPS_LISTEN", "127.0.0.1:8080", "address with port; port 0 takes a free one"),
    number("DPS_WORKERS", "2", 1..=256, "HTTP threads"),
    text("DPS_CLOCK", "system", "or the instant at which a movable clock starts"),
    text("DPS_AUDIENCE", "dps", "the `aud` that tokens must have"),
    optional(
        "DPS_JWKS_FILE",
        "the identity provider's key set; read again when the file changes. Goes with `DPS_ISSUER`",
    ),
    optional(
        "DPS_JWKS_URL",
        "or where it is published: `https://…`, on a development server also `http://` of this machine",
    ),
    number(
        "DPS_JWKS_SECONDS",
        "300",
        10..=86_400,
        "how often that address is asked; also when a token names an unknown key, 10 seconds apart at least",
    ),
    optional("DPS_ISSUER", "the `iss` that tokens must have"),
    text("DPS_JWT_ALGORITHM", "RS256", "the one algorithm accepted with a key set; symmetric ones are refused"),
    text(
        "DPS_TOKEN_KEY_FILE",
        "data/token.key",
        "the key of machine clients' tokens (and of local ones), made where missing, readable by its owner only. \
         Servers of one database share it",
    ),
    number("DPS_TOKEN_SECONDS", "900", 60..=3600, "how long a client's token is valid"),
    number(
        "DPS_SECRET_OVERLAP_HOURS",
        "24",
        0..=720,
        "how long a rotated secret stays valid where the administrator does not say",
    ),
    number(
        "DPS_RATE_LIMIT",
        "600",
        0..=100_000,
        "requests a minute of a caller, on each server; 0 for no limit, the default with a movable clock",
    ),
    number(
        "DPS_TOKEN_RATE_LIMIT",
        "30",
        0..=10_000,
        "requests for a token a minute, for one client from one address; ten times as many for an address. 0 as above",
    ),
    text(
        "DPS_TRUST_PROXY",
        "false",
        "`true` where a proxy in front writes the caller's address last into `X-Forwarded-For`: without it all who \
         come through the proxy are one address",
    ),
    number("DPS_SWEEP_SECONDS", "1", 1..=3600, "how often clock-driven work is looked for"),
    optional(
        "DPS_POSTCODES",
        "a CSV file with `postcode`, `latitude`, `longitude` of outward postcodes. Without it no home lies inside a \
         boundary by radius",
    ),
    number("DPS_BODY_LIMIT", "1048576", 1024..=104_857_600, "bytes of a request body at most"),
    number(
        "DPS_REQUEST_SECONDS",
        "30",
        1..=600,
        "how long the head of a request, and then its body, may take to arrive",
    ),
    number("DPS_IDLE_SECONDS", "15", 1..=600, "how long a connection is kept for a next request"),
    number(
        "DPS_CLIENT_CONNECTIONS",
        "400",
        1..=100_000,
        "connections of clients at a time; more wait. Each takes two descriptors",
    ),
    number("DPS_UPLOAD_LIMIT", "67108864", 1024..=1_073_741_824, "bytes of an uploaded file at most"),
    number("DPS_UPLOAD_ROWS", "100000", 1..=1_000_000, "rows of it at most"),
    number("DPS_UPLOAD_SECONDS", "300", 1..=3600, "how long it may take to arrive"),
    number("DPS_UPLOAD_MINUTES", "60", 1..=1440, "how long after its receipt it may be worked on"),
    number("DPS_UPLOAD_KEPT_DAYS", "14", 1..=3650, "how long the file and its faults are kept after its end"),
    number("DPS_UPLOAD_OPEN", "20", 1..=1000, "uploads of an account that may be under way at a time"),
    number(
        "DPS_UPLOAD_ACCOUNT_LIMIT",
        "1073741824",
        1024..=1_099_511_627_776,
        "bytes of its files that are kept for an account at most",
    ),
    optional(
        "DPS_PUBLIC_URL",
        "the address under which callers reach the server, such as `https://dps.example.gov.uk`; those in the OCDS export \
         begin with it. The one listened on where absent",
    ),
    text("DPS_PUBLISHER", "Dynamic purchasing system", "the name of whoever publishes the market as open data"),
    text(
        "DPS_OCID_PREFIX",
        "ocds-dps000",
        "`ocds-` and six letters or digits: the prefix that the [Open Contracting registry]\
         (https://standard.open-contracting.org/latest/en/guidance/build/#register-an-ocid-prefix) gave you. The default \
         is nobody's: do not publish with it. Set it before the first publication and keep it",
    ),
    optional(
        "DPS_DATA_LICENCE",
        "the address of the licence of published data, such as that of the Open Government Licence",
    ),
    text(
        "DPS_SEAL_KEY_FILE",
        "data/seal.key",
        "the key that webhooks' secrets are sealed with, 32 bytes or more. A development server makes it where missing",
    ),
    text(
        "DPS_WEBHOOK_PRIVATE",
        "refuse",
        "`allow`: webhooks may go to private addresses and over plain http. For development and closed networks",
    ),
    text(
        "DPS_LOG",
        "info,actix_server=warn,actix_http=off",
        "filter of the log, such as `warn,api=debug`; commands that end say `warn` and up. Off by default: the framework's \
         own lines, which anyone who sends it nonsense could write",
    ),
];

/// What the program reads from the environment and is no setting of the server.
pub const OTHERS: [&str; 3] = ["DPS_CONFIG", "DPS_TOKEN", "DPS_URL"];

/// The setting of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

impl Setting {
    /// Its name in the file: `listen` for `DPS_LISTEN`.
    #[must_use]
    pub fn key(&self) -> String {
        self.name.strip_prefix("DPS_").unwrap_or(self.name).to_lowercase()
    }

    /// What it is, with the numbers it may be.
    #[must_use]
    pub fn explained(&self) -> String {
        match &self.within {
            None => self.says.to_owned(),
            Some(within) => format!("{}; {} to {}", self.says, within.start(), within.end()),
        }
    }

    /// A value as it may be printed: without secrets.
    #[must_use]
    pub fn shown(&self, value: &str) -> String {
        let secret = ["_SECRET", "_PASSWORD", "_TOKEN", "_KEY"].iter().any(|end| self.name.ends_with(end));
        if secret { super::url::HIDDEN.to_owned() } else { super::url::shown(value) }
    }
}

/// The settings for `--help`.
#[must_use]
pub fn help() -> String {
    let mut lines = vec![
        "Settings (defaults, then the file of --config, then the environment; in the file the names are in lower case \
         without DPS_):"
            .to_owned(),
    ];
    for setting in SETTINGS {
        let default = setting.default.map(|default| format!(" [default: {default}]")).unwrap_or_default();
        lines.push(format!("  {}{default}\n          {}", setting.name, setting.explained()));
    }
    lines.join("\n")
}

/// A file that says nothing but the defaults, each with what it is.
#[must_use]
pub fn sample() -> String {
    let mut lines = vec![
        "# Configuration of dps, in TOML: `dps --config <this file> serve`, or its path in DPS_CONFIG.".to_owned(),
        "# The environment goes before this file. Keep it from other readers where it holds a password.".to_owned(),
    ];
    for setting in SETTINGS {
        let value = match (setting.default, &setting.within) {
            (Some(number), Some(_)) => number.to_owned(),
            (default, _) => format!("{:?}", default.unwrap_or("…")),
        };
        lines.push(format!("\n# {}\n#{} = {value}", setting.explained(), setting.key()));
    }
    lines.join("\n") + "\n"
}

/// The rows of the table in `docs/operations.md`.
#[must_use]
pub fn table() -> String {
    let row = |setting: &Setting| {
        let default = setting.default.map(|default| format!("`{default}`")).unwrap_or_default();
        format!("| `{}` | {default} | {} |\n", setting.name, setting.explained())
    };
    SETTINGS.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The environment goes before the file: what a unit sets there, its operator's file could not change.
    #[test]
    fn the_unit_leaves_settings_to_its_operators_file() {
        let unit = include_str!("../../../deploy/dps.service");
        let set: Vec<&str> = unit.lines().filter_map(|line| line.strip_prefix("Environment=")).collect();
        let handed = ["DPS_CONFIG=%d/dps.toml", "DPS_TOKEN_KEY_FILE=%d/token.key", "DPS_SEAL_KEY_FILE=%d/seal.key"];
        assert_eq!(set, handed);
    }

    #[test]
    fn the_operations_page_has_the_table() {
        let page = include_str!("../../../docs/operations.md");
        assert!(page.contains(&table()), "docs/operations.md must have these rows:\n\n{}", table());
    }

    #[test]
    fn the_sample_is_a_file_of_defaults() {
        let sample = sample();
        let uncommented: Vec<_> = sample
            .lines()
            .filter_map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')))
            .filter(|line| !line.contains('…'))
            .collect();
        let given: toml::Table = uncommented.join("\n").parse().unwrap();
        for setting in SETTINGS {
            let value = given.get(&setting.key()).map(|value| match value {
                toml::Value::Integer(number) => number.to_string(),
                other => other.as_str().unwrap().to_owned(),
            });
            assert_eq!(value.as_deref(), setting.default, "{}", setting.name);
        }
        assert_eq!(sample.parse::<toml::Table>().unwrap(), toml::Table::new());
    }
}

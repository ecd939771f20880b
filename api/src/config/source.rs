//! Sources of settings: defaults, then the file, then the environment, then a flag.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::settings::{self, SETTINGS, Setting};
use super::{Config, Profile};

/// Where a value comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Nothing was set.
    Default,
    /// The configuration file.
    File,
    /// The environment.
    Environment,
    /// A flag of the command.
    Flag,
}

/// A setting as it holds, fit to be printed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Row {
    /// Its name in the environment.
    pub name: &'static str,
    /// Its value without secrets.
    pub value: Option<String>,
    /// Where the value comes from.
    pub from: Origin,
}

/// The values that were given, and what is wrong with the file.
#[derive(Clone, Debug, Default)]
pub struct Source {
    file: Option<PathBuf>,
    values: BTreeMap<&'static str, (Origin, String)>,
    wrong: Vec<String>,
}

impl Source {
    /// Reads the file, if one is named, and the environment. Empty variables count as absent.
    #[must_use]
    pub fn read(file: Option<&Path>, environment: impl Fn(&str) -> Option<String>) -> Self {
        let mut source = Self { file: file.map(Path::to_owned), ..Self::default() };
        if let Some(file) = file {
            match std::fs::read_to_string(file) {
                Ok(text) => source.take(file, &text),
                Err(why) => source.wrong.push(format!("{}: {why}", file.display())),
            }
        }
        for setting in SETTINGS {
            if let Some(value) = environment(setting.name).filter(|value| !value.is_empty()) {
                source.values.insert(setting.name, (Origin::Environment, value));
            }
        }
        source
    }

    fn take(&mut self, file: &Path, text: &str) {
        let at = file.display();
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            // The whole error would quote the line, and with it perhaps a password.
            Err(error) => {
                let error: toml::de::Error = error;
                let line = error
                    .span()
                    .map_or(1, |span| text.bytes().take(span.start).filter(|byte| *byte == b'\n').count() + 1);
                self.wrong.push(format!("{at}, line {line}: {}", error.message()));
                return;
            }
        };
        for (key, value) in table {
            let Some(setting) = SETTINGS.iter().find(|setting| setting.key() == key) else {
                let keys = SETTINGS.iter().map(Setting::key);
                self.wrong.push(format!("{at}: `{key}` is not a setting{}", near(&key, keys)));
                continue;
            };
            let value = match value {
                toml::Value::String(text) => text,
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Boolean(yes) => yes.to_string(),
                toml::Value::Datetime(at) => at.to_string(),
                toml::Value::Float(_) | toml::Value::Array(_) | toml::Value::Table(_) => {
                    self.wrong.push(format!("{at}: `{key}` is a text or a number, not {}", value.type_str()));
                    continue;
                }
            };
            if !value.is_empty() {
                self.values.insert(setting.name, (Origin::File, value));
            }
        }
    }

    /// Sets what a flag says.
    pub fn set(&mut self, name: &'static str, value: String) {
        self.values.insert(name, (Origin::Flag, value));
    }

    /// What was given for a setting; nothing where its default holds.
    #[must_use]
    pub fn given(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|(_, value)| value.as_str())
    }

    /// The configuration.
    ///
    /// # Errors
    /// Everything that is wrong, one line each, with where the value comes from.
    pub fn config(&self) -> Result<Config, Vec<String>> {
        let config = Config::from(|name| self.given(name).map(str::to_owned));
        let mut wrong = self.wrong.clone();
        let config = match config {
            Ok(config) if wrong.is_empty() => return Ok(config),
            Ok(_) => Vec::new(),
            Err(more) => more,
        };
        wrong.extend(config.into_iter().map(|line| self.traced(line)));
        Err(wrong)
    }

    /// The line with where the value of the setting it begins with comes from.
    fn traced(&self, line: String) -> String {
        let name = line.split(|c: char| !(c.is_ascii_uppercase() || c == '_')).next().unwrap_or_default();
        let Some(((origin, _), setting)) = self.values.get(name).zip(settings::find(name)) else { return line };
        match (origin, &self.file) {
            (Origin::File, Some(file)) => format!("{line} (`{}` in {})", setting.key(), file.display()),
            (Origin::Flag, _) => format!("{line} (from a flag)"),
            _ => format!("{line} (from the environment)"),
        }
    }

    /// Every setting as it holds.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        let row = |setting: &Setting| {
            let (from, value) = match self.values.get(setting.name) {
                Some((from, value)) => (*from, Some(value.as_str())),
                None => (Origin::Default, setting.default),
            };
            Row { name: setting.name, value: value.map(|value| setting.shown(value)), from }
        };
        SETTINGS.iter().map(row).collect()
    }

    /// What is allowed and unwise. `names` are those of the variables that the environment has.
    #[must_use]
    pub fn warnings(&self, config: &Config, names: impl Iterator<Item = String>) -> Vec<String> {
        let known = || SETTINGS.iter().map(|setting| setting.name).chain(settings::OTHERS);
        let unknown = names.filter(|name| name.starts_with("DPS_") && !known().any(|known| known == name));
        let mut found: Vec<String> =
            unknown.map(|name| format!("{name} is not a setting{}", near(&name, known().map(str::to_owned)))).collect();
        let mut warn = |unwise: bool, says: &str| {
            if unwise {
                found.push(says.to_owned());
            }
        };
        let production = config.profile == Profile::Production;
        let database = config.database.as_str();
        warn(
            !production && !config.listen.ip().is_loopback(),
            "DPS_LISTEN: a development server is open to other machines",
        );
        warn(
            config.clock.is_some(),
            "DPS_CLOCK: a movable clock begins anew at each start; use a fresh database with it",
        );
        warn(
            production && database.strip_prefix("sqlite:").is_some_and(|path| Path::new(path).is_relative()),
            "DATABASE_URL: a relative path; which file it is depends on where the server is started",
        );
        warn(
            production
                && is_remote(database)
                && !["verify-full", "verify-ca"].iter().any(|mode| database.contains(mode)),
            "DATABASE_URL: without sslmode=verify-full nobody proves that it is the right database server",
        );
        let held = self.values.iter().any(|(name, (from, value))| {
            *from == Origin::File && settings::find(name).is_some_and(|setting| setting.shown(value) != *value)
        });
        warn(
            held && self.file.as_deref().is_some_and(others_read),
            "the configuration file holds a secret and others can read it: chmod 600",
        );
        warn(others_read(&config.key_file), "DPS_TOKEN_KEY_FILE: others can read the secret: chmod 600");
        warn(others_read(&config.seal_key_file), "DPS_SEAL_KEY_FILE: others can read the secret: chmod 600");
        warn(
            database.strip_prefix("sqlite:").is_some_and(|path| others_read(Path::new(path))),
            "DATABASE_URL: others can read the database: chmod 600",
        );
        found
    }
}

/// Whether a URL is that of a PostgreSQL on another machine.
fn is_remote(url: &str) -> bool {
    let (url, _) = super::url::parted(url);
    let Some((_, rest)) = url.split_once("://") else { return false };
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let host = host.split(['/', '?']).next().unwrap_or_default();
    !(host.is_empty() || ["localhost", "127.0.0.1", "[::1]"].iter().any(|own| host.starts_with(own)))
}

fn others_read(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    // What systemd hands a service is for it alone, by an access list that the mode shows as a group's right.
    if std::env::var_os("CREDENTIALS_DIRECTORY").is_some_and(|handed| file.starts_with(handed)) {
        return false;
    }
    std::fs::metadata(file).is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
}

/// The name that was meant, perhaps.
fn near(name: &str, known: impl Iterator<Item = String>) -> String {
    let closest = known.map(|known| (strsim::damerau_levenshtein(name, &known), known)).min();
    match closest {
        Some((far, known)) if far <= name.len() / 3 => format!("; did you mean `{known}`?"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("dps-config-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn file(name: &str, text: &str) -> PathBuf {
        let file = folder(name).join("dps.toml");
        std::fs::write(&file, text).unwrap();
        file
    }

    #[test]
    fn the_environment_goes_before_the_file_and_a_flag_before_both() {
        let file =
            file("order", "listen = \"127.0.0.1:1\"\nworkers = 3\nclock = 2018-12-03T09:00:00Z\naudience = \"file\"");
        let mut source = Source::read(Some(&file), |name| match name {
            "DPS_WORKERS" => Some("4".to_owned()),
            "DPS_AUDIENCE" => Some(String::new()),
            _ => None,
        });
        let config = source.config().unwrap();
        assert_eq!((config.listen.port(), config.workers, config.connections), (1, 4, 8));
        assert_eq!(config.audience, "file", "an empty variable counts as absent");
        assert_eq!(config.clock, Some("2018-12-03T09:00:00Z".parse().unwrap()));
        source.set("DPS_LISTEN", "127.0.0.1:2".to_owned());
        assert_eq!(source.config().unwrap().listen.port(), 2);
    }

    #[test]
    fn all_errors_are_told_at_once_with_where_they_come_from() {
        let file = file("errors", "lisen = \"x\"\nzebra = 1\nworkers = 0\nconnections = [1]");
        let wrong = Source::read(Some(&file), |name| (name == "DPS_LISTEN").then(|| "here".to_owned()));
        let wrong = wrong.config().unwrap_err();
        let at = file.display();
        assert_eq!(
            wrong,
            [
                format!("{at}: `connections` is a text or a number, not array"),
                format!("{at}: `lisen` is not a setting; did you mean `listen`?"),
                format!("{at}: `zebra` is not a setting"),
                "DPS_LISTEN is an address with a port, such as 127.0.0.1:8080 (from the environment)".to_owned(),
                format!("DPS_WORKERS is a number from 1 to 256, not 0 (`workers` in {at})"),
            ]
        );
    }

    #[test]
    fn a_file_that_cannot_be_read_is_told_without_its_text() {
        let missing = Source::read(Some(Path::new("/no/such/file")), |_| None).config().unwrap_err();
        assert!(missing[0].starts_with("/no/such/file: "), "{missing:?}");
        let file = file("syntax", "workers = 2\ndatabase_url = \"postgres://u:s3cret@h/d\n");
        let wrong = Source::read(Some(&file), |_| None).config().unwrap_err().join("\n");
        assert!(wrong.contains(", line 2: ") && !wrong.contains("s3cret"), "{wrong}");
    }

    #[test]
    fn no_secret_is_shown() {
        let file = file("secret", "database_url = \"postgres://u:s3cret@elsewhere/d?password=s3cret\"");
        let source = Source::read(Some(&file), |_| None);
        let rows = source.rows();
        let row = rows.iter().find(|row| row.name == "DATABASE_URL").unwrap();
        assert_eq!(row.value.as_deref(), Some("postgres://u:***@elsewhere/d?password=***"));
        assert_eq!(row.from, Origin::File);
    }

    #[test]
    fn what_is_unwise_is_told() {
        let file = file("unwise", "database_url = \"postgres://u:s3cret@elsewhere/d\"");
        let given =
            [("DPS_PROFILE", "production"), ("DPS_JWKS_FILE", "/keys.json"), ("DPS_ISSUER", "https://issuer.example")];
        let source = Source::read(Some(&file), |name| {
            given.iter().find(|(given, _)| *given == name).map(|(_, value)| (*value).to_owned())
        });
        let config = source.config().unwrap();
        let names = ["DPS_WORKER", "DPS_CONFIG", "HOME"].map(str::to_owned);
        let found = source.warnings(&config, names.into_iter());
        assert_eq!(
            found,
            [
                "DPS_WORKER is not a setting; did you mean `DPS_WORKERS`?",
                "DATABASE_URL: without sslmode=verify-full nobody proves that it is the right database server",
                "the configuration file holds a secret and others can read it: chmod 600",
            ]
        );
        let quiet = Source::read(None, |_| None);
        let mut config = quiet.config().unwrap();
        config.key_file = folder("unwise").join("none");
        assert_eq!(quiet.warnings(&config, std::iter::empty()), Vec::<String>::new());
        let open = folder("unwise").join("open");
        std::fs::write(&open, "").unwrap();
        std::fs::set_permissions(&open, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
        config.database = format!("sqlite:{}", open.display());
        (config.key_file, config.seal_key_file) = (open.clone(), open);
        let found = quiet.warnings(&config, std::iter::empty());
        assert!(found.len() == 3 && found.iter().all(|says| says.contains("others can read")), "{found:?}");
    }
}

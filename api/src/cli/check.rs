//! `dps check-config`: the configuration as it holds, what is wrong with it, and what is unwise.

use serde::Serialize;

use super::exit::{Ended, Exit, Run};
use crate::config::settings;
use crate::config::source::{Origin, Row, Source};
use crate::config::{Config, strength};

#[derive(Serialize)]
struct Checked {
    settings: Vec<Row>,
    warnings: Vec<String>,
    errors: Vec<String>,
}

/// Prints the effective configuration, or the sample file.
pub(super) fn run(source: &Source, sample: bool, json: bool) -> Run {
    if sample {
        print!("{}", settings::sample());
        return Ok(());
    }
    let (warnings, errors) = match source.config() {
        Ok(config) => {
            // A name that is no Unicode is none of ours.
            let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
            (source.warnings(&config, names), missing(&config).into_iter().chain(strength::faults(&config)).collect())
        }
        Err(wrong) => (Vec::new(), wrong),
    };
    let checked = Checked { settings: source.rows(), warnings, errors };
    if json {
        super::print_json(&checked)?;
    } else {
        print!("{}", told(&checked));
    }
    if checked.errors.is_empty() {
        return Ok(());
    }
    Err(Ended { exit: Exit::Configuration, why: if json { Vec::new() } else { checked.errors } })
}

/// Files that the configuration names and that are not there.
fn missing(config: &Config) -> Vec<String> {
    let missing = config.postcodes.iter().filter(|file| !file.is_file());
    missing.map(|file| format!("DPS_POSTCODES: there is no file {}", file.display())).collect()
}

fn told(checked: &Checked) -> String {
    let widest = |cell: fn(&Row) -> usize| checked.settings.iter().map(cell).max().unwrap_or_default();
    let (name, value) = (widest(|row| row.name.len()), widest(|row| row.value.as_deref().unwrap_or("-").len()));
    let mut lines: Vec<String> = checked
        .settings
        .iter()
        .map(|row| {
            let from = match row.from {
                Origin::Default => "default",
                Origin::File => "file",
                Origin::Environment => "environment",
                Origin::Flag => "flag",
            };
            format!("{:name$}  {:value$}  {from}", row.name, row.value.as_deref().unwrap_or("-"))
        })
        .collect();
    lines.extend(checked.warnings.iter().map(|warning| format!("warning: {warning}")));
    lines.join("\n") + "\n"
}

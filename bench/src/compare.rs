//! Two builds side by side: the reports of runs that took turns, row by row.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::Outcome;
use crate::report::{median, number};

/// The reports that are compared.
#[derive(clap::Args)]
pub struct Wanted {
    /// Reports of the build from before
    #[arg(long, required = true, num_args = 1..)]
    before: Vec<PathBuf>,
    /// Reports of this build
    #[arg(long, required = true, num_args = 1..)]
    now: Vec<PathBuf>,
}

/// The values of each row, by its place in the report, its database and what it measures.
type Values = BTreeMap<(usize, String, String), (String, Vec<f64>)>;

/// Prints each row that both have, as the ratio of the medians. A row's value is a share of its ceiling where it has one,
/// so that what the machine did in one run and not in the next is in both.
pub fn run(wanted: &Wanted) -> Outcome<()> {
    let (before, now) = (values(&wanted.before)?, values(&wanted.now)?);
    println!("| database | what | before | now | now / before |\n|---|---|---|---|---|");
    for ((n, database, what), (unit, after)) in now {
        let found = before.iter().find(|((_, d, w), _)| *d == database && *w == what);
        let Some((_, (_, earlier))) = found else {
            println!("| {database} | {what} | | {} | row {n} is new |", shown(&unit, median(&after)));
            continue;
        };
        let ratio = median(&after) / median(earlier);
        println!(
            "| {database} | {what} | {} | {} | {ratio:.2} |",
            shown(&unit, median(earlier)),
            shown(&unit, median(&after))
        );
    }
    Ok(())
}

fn values(reports: &[PathBuf]) -> Outcome<Values> {
    let mut all = Values::new();
    for report in reports {
        for (n, row) in rows(report)?.into_iter().enumerate() {
            let text = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            if let Some(value) = row.get("value").and_then(Value::as_f64) {
                let entry =
                    all.entry((n, text("database"), text("what"))).or_insert_with(|| (text("unit"), Vec::new()));
                entry.1.push(value);
            }
        }
    }
    Ok(all)
}

fn rows(report: &Path) -> Outcome<Vec<Value>> {
    let report: Value = serde_json::from_slice(&std::fs::read(report)?)?;
    let rows = report.get("rows").and_then(Value::as_array).cloned();
    rows.ok_or_else(|| "a report has no rows".into())
}

fn shown(unit: &str, value: f64) -> String {
    match unit {
        "%" => format!("{:.1} %", value * 100.0),
        unit => format!("{} {unit}", number(value)),
    }
}

//! The table.

use std::path::Path;

use serde::Serialize;

use crate::Outcome;
use crate::machine::Machine;

/// What a figure has to reach.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// That much or more.
    AtLeast(f64),
    /// That much or less.
    AtMost(f64),
}

/// One line of the table.
#[derive(Clone, Serialize)]
pub struct Row {
    database: String,
    what: String,
    /// The figure with its unit.
    measured: String,
    /// What it is held against, where it is held against something.
    beside: String,
    /// What the goal is about: a ratio or the figure itself.
    value: Option<f64>,
    /// Whether the value is shown as per cent, or with its unit.
    unit: &'static str,
    goal: Option<Goal>,
    /// Half of the range of the repetitions, as a share of their median.
    spread: Option<f64>,
    note: String,
    /// What went wrong: then the figure is none.
    failed: Vec<String>,
}

impl Row {
    /// A line without a figure yet.
    pub fn new(database: &str, what: impl Into<String>) -> Self {
        Self {
            database: database.to_owned(),
            what: what.into(),
            measured: String::new(),
            beside: String::new(),
            value: None,
            unit: "%",
            goal: None,
            spread: None,
            note: String::new(),
            failed: Vec::new(),
        }
    }

    /// The figure as it is shown.
    pub fn measured(mut self, text: impl Into<String>) -> Self {
        self.measured = text.into();
        self
    }

    /// What it is held against.
    pub fn beside(mut self, text: impl Into<String>) -> Self {
        self.beside = text.into();
        self
    }

    /// What the goal is about, by repetition; `unit` is `%` for a ratio.
    pub fn value(mut self, repetitions: &[f64], unit: &'static str) -> Self {
        self.value = Some(median(repetitions));
        self.unit = unit;
        self.spread = spread(repetitions);
        self
    }

    /// The goal.
    pub fn goal(mut self, goal: Goal) -> Self {
        self.goal = Some(goal);
        self
    }

    /// What else is to be known.
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.note = text.into();
        self
    }

    /// Marks it as failed.
    pub fn failed(mut self, why: impl IntoIterator<Item = String>) -> Self {
        self.failed.extend(why);
        self
    }

    fn shown(&self, value: f64) -> String {
        match self.unit {
            "%" => format!("{:.1} %", value * 100.0),
            "x" => format!("{value:.2} x"),
            unit => format!("{} {unit}", number(value)),
        }
    }

    fn verdict(&self) -> String {
        if !self.failed.is_empty() {
            return format!("FAILED: {}", self.failed.join("; "));
        }
        let (Some(value), Some(goal)) = (self.value, self.goal) else { return String::new() };
        let (held, by) = match goal {
            Goal::AtLeast(goal) => (value >= goal, value / goal - 1.0),
            Goal::AtMost(goal) => (value <= goal, 1.0 - value / goal),
        };
        if held { format!("met by {:.0} %", by * 100.0) } else { format!("MISSED by {:.0} %", -by * 100.0) }
    }

    /// The cells.
    fn cells(&self) -> [String; 8] {
        let goal = match self.goal {
            None => String::new(),
            Some(Goal::AtLeast(goal)) => format!("≥ {}", self.shown(goal)),
            Some(Goal::AtMost(goal)) => format!("≤ {}", self.shown(goal)),
        };
        [
            self.database.clone(),
            self.what.clone(),
            self.measured.clone(),
            self.beside.clone(),
            self.value.map(|value| self.shown(value)).unwrap_or_default(),
            goal,
            self.verdict(),
            match (self.spread, self.note.is_empty()) {
                (Some(spread), true) => format!("± {:.0} %", spread * 100.0),
                (Some(spread), false) => format!("± {:.0} %; {}", spread * 100.0, self.note),
                (None, _) => self.note.clone(),
            },
        ]
    }
}

/// All lines, as they are found.
pub struct Table {
    machine: Machine,
    settings: Vec<String>,
    rows: Vec<Row>,
}

const HEADS: [&str; 8] = ["database", "what", "measured", "beside", "value", "goal", "verdict", "spread, notes"];

impl Table {
    /// An empty one.
    pub fn new(machine: Machine, settings: Vec<String>) -> Self {
        Self { machine, settings, rows: Vec::new() }
    }

    /// Adds a line, and tells it at once: a run is long.
    pub fn add(&mut self, row: Row) {
        eprintln!(
            "bench: {}",
            row.cells().iter().filter(|cell| !cell.is_empty()).cloned().collect::<Vec<_>>().join(" | ")
        );
        self.rows.push(row);
    }

    /// The whole as text.
    pub fn text(&self) -> String {
        let mut lines: Vec<[String; 8]> = vec![HEADS.map(str::to_owned)];
        lines.extend(self.rows.iter().map(Row::cells));
        let mut widths = [0; 8];
        for line in &lines {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let padded = |line: &[String; 8]| {
            let cells = line.iter().zip(widths).map(|(cell, width)| format!(" {cell:width$} ")).collect::<Vec<_>>();
            format!("|{}|\n", cells.join("|"))
        };
        let rule = widths.map(|width| "-".repeat(width + 2)).join("|");
        let mut text = format!("{}\n{}\n\n", self.machine.told(), self.settings.join("\n"));
        for (n, line) in lines.iter().enumerate() {
            text += &padded(line);
            if n == 0 {
                text.extend(["|", &rule, "|\n"]);
            }
        }
        text
    }

    /// Writes it as JSON and as text into `folder`.
    pub fn keep(&self, folder: &Path) -> Outcome<()> {
        let json = serde_json::json!({ "machine": self.machine, "settings": self.settings, "rows": self.rows });
        std::fs::write(folder.join("report.json"), serde_json::to_string_pretty(&json)?)?;
        std::fs::write(folder.join("report.md"), self.text())?;
        Ok(())
    }

    /// How many lines failed: their figures are none.
    pub fn failures(&self) -> usize {
        self.rows.iter().filter(|row| !row.failed.is_empty()).count()
    }
}

/// The median; 0 of nothing.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match (sorted.get(middle.wrapping_sub(1)), sorted.get(middle)) {
        (Some(low), Some(high)) if sorted.len().is_multiple_of(2) => f64::midpoint(*low, *high),
        (_, Some(value)) => *value,
        (_, None) => 0.0,
    }
}

fn spread(values: &[f64]) -> Option<f64> {
    let most = values.iter().copied().reduce(f64::max)?;
    let least = values.iter().copied().reduce(f64::min)?;
    (values.len() > 1 && median(values) > 0.0).then(|| (most - least) / 2.0 / median(values))
}

/// A number for people: `12,345`, `12.3`, `0.12`.
pub fn number(value: f64) -> String {
    if value < 10.0 {
        return format!("{value:.2}");
    }
    if value < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut grouped = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_met_or_missed_by_how_much() {
        let row = |value: f64, goal| Row::new("sqlite", "read").value(&[value], "%").goal(goal).verdict();
        assert_eq!(row(0.66, Goal::AtLeast(0.6)), "met by 10 %");
        assert_eq!(row(0.3, Goal::AtLeast(0.6)), "MISSED by 50 %");
        assert_eq!(row(1.5, Goal::AtMost(2.0)), "met by 25 %");
        assert_eq!(row(3.0, Goal::AtMost(2.0)), "MISSED by 50 %");
        let failed = Row::new("sqlite", "read").value(&[1.0], "%").goal(Goal::AtLeast(0.6));
        assert_eq!(failed.failed(["status 500".to_owned()]).verdict(), "FAILED: status 500");
    }

    #[test]
    fn figures_are_medians_and_grouped() {
        assert_eq!((median(&[3.0, 1.0, 2.0]), median(&[1.0, 2.0]), median(&[])), (2.0, 1.5, 0.0));
        assert_eq!(
            [number(1_234_567.0), number(999.6), number(12.34), number(0.1234)],
            ["1,234,567", "1,000", "12.3", "0.12"]
        );
        assert_eq!(spread(&[9.0, 10.0, 11.0]), Some(0.1));
    }
}

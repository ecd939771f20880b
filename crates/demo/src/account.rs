//! The account of the play, as it goes.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::cast::Cast;
use tables::ofsted::List;

/// Columns of the account's text.
const WIDTH: usize = 110;

/// Prints the account.
pub(super) struct Account {
    sections: usize,
}

impl Account {
    /// An account of which nothing is told yet.
    pub fn new() -> Self {
        Self { sections: 0 }
    }

    /// The list, and who of it plays.
    pub fn opening(&mut self, list: &List, cast: &Cast) {
        self.section("The regulator's list");
        if let Some(title) = &list.title {
            self.say(title);
        }
        let settings: usize = cast.players.iter().map(|p| p.settings.len()).sum();
        self.say(&format!("{} rows were read, {} with a reservation.", grouped(list.rows.len()), list.warnings.len()));
        self.say(&format!(
            "Asked to apply: {} owners with {} homes, agencies and schools, from {}.",
            cast.players.len(),
            grouped(settings),
            cast.regions.join(", ")
        ));
        for (why, count) in &cast.left_out {
            self.item(&format!("{count} not in the play: {why}"));
        }
        self.say(&format!(
            "The list tells of ratings up to {}; the source's market went live on 4 January 2019. So that no rating \
             comes from the future, its calendar is moved: go-live is 4 January {}.",
            cast.latest, cast.year
        ));
        self.say(
            "Ratings, places and owners are the list's. Papers, managers, declarations and failings are invented: \
             they are told of numbers such as P-017, never of names.",
        );
    }

    /// Begins a section.
    pub fn section(&mut self, title: &str) {
        self.sections += 1;
        println!("\n{}. {title}", self.sections);
    }

    /// Tells something.
    pub fn say(&self, text: &str) {
        let _ = self.sections;
        println!("{}", wrapped(text, "   ", "   "));
    }

    /// Tells one of several things.
    pub fn item(&self, text: &str) {
        let _ = self.sections;
        println!("{}", wrapped(text, "   - ", "     "));
    }
}

/// `text` in lines, the first begun with `first` and the others with `rest`.
fn wrapped(text: &str, first: &str, rest: &str) -> String {
    let mut lines = vec![first.to_owned()];
    for word in text.split_whitespace() {
        let line = lines.last_mut();
        match line {
            Some(line) if line.chars().count() + word.chars().count() < WIDTH || line.len() <= rest.len() => {
                if !line.ends_with(' ') {
                    line.push(' ');
                }
                line.push_str(word);
            }
            _ => lines.push(format!("{rest}{word}")),
        }
    }
    lines.join("\n")
}

/// A number with its thousands apart.
pub(super) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let lead = digits.len() % 3;
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && i % 3 == lead {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Counts in words: `12 active, 1 suspended`.
pub(super) fn counted(counts: &BTreeMap<String, usize>) -> String {
    if counts.is_empty() {
        return "none".to_owned();
    }
    let shown: Vec<_> = counts.iter().map(|(what, n)| format!("{} {}", grouped(*n), what.replace('_', " "))).collect();
    shown.join(", ")
}

/// An object of numbers as counts.
pub(super) fn counts(of: &Value) -> BTreeMap<String, usize> {
    let number = |n: &Value| usize::try_from(n.as_u64().unwrap_or_default()).unwrap_or(usize::MAX);
    of.as_object().into_iter().flatten().map(|(what, n)| (what.clone(), number(n))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        assert_eq!([7, 70, 700, 7_000, 70_000, 7_000_000].map(grouped).join(" "), "7 70 700 7,000 70,000 7,000,000");
    }

    #[test]
    fn long_text_is_wrapped_under_its_beginning() {
        let text = wrapped(&"word ".repeat(40), "   - ", "     ");
        assert!(text.starts_with("   - word word") && text.contains("\n     word"));
        assert!(text.lines().all(|line| line.len() <= WIDTH));
    }
}

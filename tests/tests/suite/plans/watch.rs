//! Collects every statement that the store makes in these tests, on connections that the tests did not open themselves.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{LazyLock, Mutex, MutexGuard, Once, PoisonError};

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};

use crate::database::Kind;

/// Statements, and the databases whose statements are still to be explained.
#[derive(Default)]
struct Seen {
    /// Everything that was ever made, by kind of database: with values left out, and long lists short.
    made: HashSet<(Kind, String)>,
    /// What was first made on a database that is there still.
    fresh: HashMap<String, Vec<String>>,
}

static SEEN: LazyLock<Mutex<Seen>> = LazyLock::new(Mutex::default);

fn seen() -> MutexGuard<'static, Seen> {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on the statements that the store makes on this database are collected.
pub fn begin(url: &str) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| set_default_instrumentation(|| Some(Box::new(Watch::default()))).unwrap());
    seen().fresh.insert(address(url).to_owned(), Vec::new());
}

/// The statements that were first made on this database; no more of them are collected.
pub fn end(url: &str) -> Vec<String> {
    seen().fresh.remove(address(url)).unwrap_or_default()
}

/// Every statement that was made on databases of that kind so far.
pub fn made(kind: Kind) -> Vec<String> {
    seen().made.iter().filter(|(on, _)| *on == kind).map(|(_, statement)| statement.clone()).collect()
}

/// Statements on databases that are followed just now.
static FOLLOWED: LazyLock<Mutex<HashMap<String, Vec<String>>>> = LazyLock::new(Mutex::default);

fn followed() -> MutexGuard<'static, HashMap<String, Vec<String>>> {
    FOLLOWED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Every statement that servers make on this database during that work, in order, without their values.
pub fn during(url: &str, work: impl FnOnce()) -> Vec<String> {
    followed().insert(address(url).to_owned(), Vec::new());
    work();
    followed().remove(address(url)).unwrap_or_default()
}

/// What diesel calls a database: SQLite's is a path.
fn address(url: &str) -> &str {
    url.trim_start_matches("sqlite:")
}

/// Sees what one connection does.
#[derive(Default)]
struct Watch {
    url: String,
    /// Statements that this connection made before, so that it need not ask for the others'.
    known: HashSet<u64>,
    text: Text,
}

impl Instrumentation for Watch {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartEstablishConnection { url, .. } => url.clone_into(&mut self.url),
            InstrumentationEvent::StartQuery { query, .. } => {
                self.text.0.clear();
                // The writing is broken off before the values.
                let _broken_off = write!(self.text, "{query}");
                self.keep();
            }
            _ => {}
        }
    }
}

impl Watch {
    fn keep(&mut self) {
        let text = self.text.0.as_str();
        if let Some(statements) = followed().get_mut(&self.url) {
            statements.push(text.to_owned());
        }
        let first = text.split_whitespace().next().unwrap_or_default();
        if !["SELECT", "UPDATE", "DELETE", "WITH"].contains(&first) {
            // What is inserted is looked for nowhere.
            return;
        }
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        if !self.known.insert(hasher.finish()) {
            return;
        }
        let kind = if self.url.starts_with("postgres") { Kind::Postgres } else { Kind::Sqlite };
        let mut seen = seen();
        let shape = (kind, shape(text));
        if seen.fresh.contains_key(&self.url) && !seen.made.contains(&shape) {
            seen.fresh.entry(self.url.clone()).or_default().push(shape.1.clone());
            seen.made.insert(shape);
        }
    }
}

/// A statement without its values.
#[derive(Default)]
struct Text(String);

impl std::fmt::Write for Text {
    fn write_str(&mut self, part: &str) -> std::fmt::Result {
        match part.find(" -- binds") {
            None => {
                self.0.push_str(part);
                Ok(())
            }
            Some(end) => {
                self.0.push_str(&part[..end]);
                Err(std::fmt::Error)
            }
        }
    }
}

/// Of a list of values in parentheses two are left: one alone is an equation to SQLite.
fn shape(text: &str) -> String {
    let mut shape = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("IN (?, ?, ") {
        let (before, list) = rest.split_at(start + "IN (".len());
        let end = list.find(')').unwrap_or(list.len());
        shape.push_str(before);
        shape.push_str(if list[..end].chars().all(|c| "?, ".contains(c)) { "?, ?" } else { &list[..end] });
        rest = &list[end..];
    }
    shape + rest
}

#[test]
fn a_long_list_is_told_as_a_short_one() {
    assert_eq!(shape("a IN (?, ?, ?, ?) AND b IN (?) AND c IN (?, ?, ?)"), "a IN (?, ?) AND b IN (?) AND c IN (?, ?)");
    assert_eq!(shape("a = ?"), "a = ?");
}

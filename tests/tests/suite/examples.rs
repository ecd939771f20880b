//! The contract's examples are exchanges that these tests had: for each operation, and each status that it answers a
//! success with, the first of the first test, by name, that called it. Identifiers and digests are written so that they come out the same each time.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Entries of a list that an example shows.
const SHOWN: usize = 2;
/// Hexadecimal digits from which on a text is a digest or a random name.
const DIGEST: usize = 16;

/// By operation and status: the test, and the exchange.
static KEPT: Mutex<BTreeMap<(String, u16), (String, Value)>> = Mutex::new(BTreeMap::new());

/// Keeps an exchange, if it is the one that the contract shows.
pub fn keep(operation: &str, status: u16, sent: Option<&[u8]>, answered: &Value) {
    let thread = std::thread::current();
    // Tests with several callers at once do not have the same exchanges each time, and those of plans ask at random; who
    // tries what is not theirs is no example.
    let no = ["servers", "plans", "access"];
    let usable = |name: &&str| name.contains("sqlite::") && !name.split("::").any(|part| no.contains(&part));
    let Some(test) = thread.name().filter(usable) else {
        return;
    };
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (operation.to_owned(), status);
    if kept.get(&key).is_some_and(|(first, _)| first.as_str() <= test) {
        return;
    }
    let mut plain = Plain::default();
    let mut example = Map::new();
    if let Some(sent) = sent.and_then(|bytes| serde_json::from_slice::<Value>(bytes).ok()) {
        example.insert("request".to_owned(), plain.value(&sent));
    }
    example.insert("response".to_owned(), plain.value(answered));
    kept.insert(key, (test.to_owned(), Value::Object(example)));
}

/// Writes what was kept so far to `tmp/examples.json` in the build directory.
pub fn report() {
    let kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let mut examples: BTreeMap<&str, BTreeMap<String, &Value>> = BTreeMap::new();
    for ((operation, status), (_, example)) in kept.iter() {
        examples.entry(operation).or_default().insert(status.to_string(), example);
    }
    let text = serde_json::to_string_pretty(&json!(examples)).unwrap() + "\n";
    drop(std::fs::write(concat!(env!("CARGO_TARGET_TMPDIR"), "/examples.json"), text));
}

/// Writes identifiers in the order in which they appear, and digests as plain digits.
#[derive(Default)]
struct Plain(HashMap<String, String>);

/// What stands for a field whose value differs each time.
fn constant(name: &str, value: &Value) -> Option<Value> {
    match (name, value) {
        ("access_token", Value::String(_)) => {
            Some(json!("eyJhbGciOiJIUzI1NiJ9.eyJzY29wZSI6InJlYWRfcHJvdmlkZXJzIn0.c2lnbmF0dXJl"))
        }
        ("durationMs", Value::Number(_)) => Some(json!(12)),
        ("secret", Value::String(_)) => Some(json!("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")),
        ("url", Value::String(url)) if url.starts_with("http://127.") => Some(json!("https://example.org/hooks/dps")),
        ("nextAttemptAt", Value::String(_)) => Some(json!("2019-05-01T12:00:07Z")),
        _ => None,
    }
}

impl Plain {
    fn value(&mut self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => Value::Array(items.iter().take(SHOWN).map(|item| self.value(item)).collect()),
            Value::Object(fields) => {
                let shown = |(name, value): (&String, &Value)| {
                    let value = constant(name, value).unwrap_or_else(|| self.value(value));
                    (self.text(name), value)
                };
                fields.iter().map(shown).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    fn text(&mut self, text: &str) -> String {
        let is_hex = |word: &str| word.len() >= DIGEST && word.bytes().all(|b| b.is_ascii_hexdigit());
        let words = text.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        words
            .map(|word| {
                let bare = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
                let rest = &word[bare.len()..];
                if Uuid::parse_str(bare).is_ok() && bare.len() == 36 {
                    let next = self.0.len() + 1;
                    let plain = || format!("0190a000-0000-7000-8000-{next:012}");
                    self.0.entry(bare.to_owned()).or_insert_with(plain).clone() + rest
                } else if is_hex(bare) {
                    "0123456789abcdef".chars().cycle().take(bare.len()).collect::<String>() + rest
                } else {
                    word.to_owned()
                }
            })
            .collect()
    }
}

//! Values before and after: what the record keeps of a change.

use serde::Serialize;
use serde_json::{Map, Value};

/// What two versions of a thing differ in, by JSON names: what a change's event says (BEY-01, ADD-23).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Difference {
    /// The fields that differ.
    pub changed: Vec<String>,
    /// Their values before.
    pub before: Map<String, Value>,
    /// Their values since.
    pub after: Map<String, Value>,
}

impl Difference {
    /// Between two versions. The values of `unkept` fields stay out of it, and of the record: only that they changed is said.
    #[must_use]
    pub fn between<T: Serialize>(old: &T, new: &T, unkept: &[&str]) -> Self {
        let object = |it: &T| serde_json::to_value(it).ok().and_then(|v| v.as_object().cloned()).unwrap_or_default();
        let (old, new) = (object(old), object(new));
        let mut found = Self::default();
        // A field may be left out where it is empty.
        let gone = old.keys().filter(|field| !new.contains_key(*field));
        for field in new.keys().chain(gone) {
            let (was, is) = (old.get(field).unwrap_or(&Value::Null), new.get(field).unwrap_or(&Value::Null));
            if was != is {
                found.changed.push(field.clone());
                if !unkept.contains(&field.as_str()) {
                    found.before.insert(field.clone(), was.clone());
                    found.after.insert(field.clone(), is.clone());
                }
            }
        }
        found
    }
}

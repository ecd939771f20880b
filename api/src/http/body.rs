//! Request bodies: JSON in, held against the published schema, then against the limits of its type (CRD-06).

mod faults;
mod shape;

use std::borrow::Cow;
use std::collections::BTreeMap;

use domain::kernel::text::composed;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::ToSchema;
use validator::Validate;

use super::problem::{self, Problem};
use faults::Faults;
use shape::Shape;

/// Characters of a text at most.
const TEXT: usize = 20_000;
/// Entries of a list, and members of an object, at most.
const ENTRIES: usize = 1_000;
/// Characters of a member's name at most.
const NAME: usize = 200;

/// What a request may bring.
pub trait Body: Sized {
    /// Reads it from JSON text.
    ///
    /// # Errors
    /// 400 where it is no JSON, 422 with every field that is wrong.
    fn read(text: &[u8]) -> Result<Self, Problem>;
}

impl<T: DeserializeOwned + Validate + ToSchema + 'static> Body for T {
    fn read(text: &[u8]) -> Result<Self, Problem> {
        let mut sent =
            serde_json::from_slice(text).map_err(|error| Problem::new(&problem::UNREADABLE, error.to_string()))?;
        // Before anything else is looked for in it.
        refuse(|faults| measure(&sent, faults))?;
        refuse(|faults| Shape::of::<T>().check(&sent, faults))?;
        // A field that is there twice, for one: only the parser sees it.
        let parsed = serde_json::from_slice::<T>(text);
        refuse(|faults| match &parsed {
            Ok(body) => body.validate().err().iter().for_each(|errors| collect(errors, &sent, faults)),
            Err(error) => faults.note(|| plain(&error.to_string()).to_owned()),
        })?;
        // The parser has seen it as it came; what is kept is composed.
        let parsed = if compose(&mut sent) { serde_json::from_value(sent) } else { parsed };
        parsed.map_err(|error| Problem::new(&problem::BROKEN, error.to_string()))
    }
}

/// A value of the domain as the body: the domain checks what it means.
#[derive(Clone, Debug)]
pub struct DomainBody<T>(pub T);

impl<T: DeserializeOwned + Validate + ToSchema + 'static> Body for DomainBody<T> {
    fn read(text: &[u8]) -> Result<Self, Problem> {
        T::read(text).map(Self)
    }
}

/// # Errors
/// 422 with every fault that is found.
fn refuse(find: impl FnOnce(&mut Faults)) -> Result<(), Problem> {
    let mut faults = Faults::default();
    find(&mut faults);
    let found = faults.found();
    if found.is_empty() { Ok(()) } else { Err(Problem::invalid(found)) }
}

/// What a parser said, without where in the text: no caller counts lines.
fn plain(said: &str) -> &str {
    said.split(" at line ").next().unwrap_or(said)
}

/// Brings every text into its composed form (NFC); whether any was not.
fn compose(sent: &mut Value) -> bool {
    match sent {
        Value::String(text) => match composed(text) {
            Cow::Owned(other) if other != *text => {
                *text = other;
                true
            }
            Cow::Owned(_) | Cow::Borrowed(_) => false,
        },
        Value::Array(items) => items.iter_mut().fold(false, |any, item| compose(item) | any),
        Value::Object(fields) => fields.values_mut().fold(false, |any, value| compose(value) | any),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Finds texts and lists that are too long, and texts that no database or calendar holds.
fn measure(sent: &Value, faults: &mut Faults) {
    match sent {
        Value::String(text) if text.chars().count() > TEXT => {
            faults.note(|| format!("a text has at most {TEXT} characters"));
        }
        Value::String(text) if text.contains('\0') => {
            faults.note(|| "a text has no NUL character".to_owned());
        }
        Value::String(text) if is_far_date(text) => {
            faults.note(|| "a date lies between the years 1900 and 2999".to_owned());
        }
        Value::Array(items) if items.len() > ENTRIES => {
            faults.note(|| format!("a list has at most {ENTRIES} entries"));
        }
        Value::Object(fields) if fields.len() > ENTRIES => {
            faults.note(|| format!("an object has at most {ENTRIES} members"));
        }
        Value::Object(fields) if fields.keys().any(|name| name.contains('\0')) => {
            faults.note(|| "a name has no NUL character".to_owned());
        }
        Value::Object(fields) if fields.keys().any(|name| name.chars().count() > NAME) => {
            faults.note(|| format!("a name has at most {NAME} characters"));
        }
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                faults.within(&i.to_string(), |faults| measure(item, faults));
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                faults.within(name, |faults| measure(value, faults));
            }
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether a text is a date of a year whose successors could not be written with four digits.
fn is_far_date(text: &str) -> bool {
    let date = text.get(..10).and_then(|day| day.parse::<chrono::NaiveDate>().ok());
    date.is_some_and(|date| !(1900..3000).contains(&chrono::Datelike::year(&date)))
}

/// The limits that `validator` found broken. It knows types, and where what was sent has no such member, its fields stand
/// among the others.
fn collect(errors: &validator::ValidationErrors, sent: &Value, faults: &mut Faults) {
    use validator::ValidationErrorsKind::{Field, List, Struct};
    for (name, kind) in errors.errors() {
        let name = camel(name);
        match (kind, sent.get(&name)) {
            (Field(broken), _) => faults.within(&name, |faults| {
                for error in broken {
                    faults.note(|| error.message.as_ref().map_or_else(|| limits(error), ToString::to_string));
                }
            }),
            (Struct(inner), Some(member)) => faults.within(&name, |faults| collect(inner, member, faults)),
            (Struct(inner), None) => collect(inner, sent, faults),
            (List(items), Some(member)) => faults.within(&name, |faults| each(items, member, faults)),
            (List(items), None) => each(items, sent, faults),
        }
    }
}

fn each(broken: &BTreeMap<usize, Box<validator::ValidationErrors>>, sent: &Value, faults: &mut Faults) {
    for (at, inner) in broken {
        let item = sent.get(*at).unwrap_or(&Value::Null);
        faults.within(&at.to_string(), |faults| collect(inner, item, faults));
    }
}

fn limits(error: &validator::ValidationError) -> String {
    let mut limits: Vec<_> = error
        .params
        .iter()
        .filter(|(name, _)| *name != "value")
        .map(|(name, limit)| format!("{name} {limit}"))
        .collect();
    limits.sort();
    format!("breaks its {} limit: {}", error.code, limits.join(", "))
}

/// `opens_at` as `opensAt`.
#[must_use]
pub fn camel(snake: &str) -> String {
    let mut words = snake.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut name, word| {
        let mut letters = word.chars();
        name.extend(letters.next().map(|c| c.to_ascii_uppercase()));
        name.push_str(letters.as_str());
        name
    })
}

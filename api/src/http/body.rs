//! Request bodies: JSON in, checked field by field (CRD-06).

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use validator::Validate;

use super::problem::{self, FieldError, Problem};

/// Characters of a text at most.
const TEXT: usize = 20_000;
/// Members of an object, and bytes of its text, that are tried in turn to find the one that is wrong.
const MEMBERS: usize = 64;
const TRIED: usize = 16 * 1024;
/// Entries of a list, and members of an object, at most.
const ENTRIES: usize = 1_000;
/// Characters of a member's name at most.
const NAME: usize = 200;
/// Errors that are told at most: each may have a place as long as the body is deep.
const ERRORS: usize = 100;

/// What a request may bring.
pub trait Body: Sized {
    /// Reads it from JSON text.
    ///
    /// # Errors
    /// 400 where it is no JSON, 422 with every field that is wrong.
    fn read(text: &[u8]) -> Result<Self, Problem>;
}

impl<T: DeserializeOwned + Validate> Body for T {
    fn read(text: &[u8]) -> Result<Self, Problem> {
        sizes(&parse(text)?)?;
        let body: T = parse(text)?;
        match body.validate() {
            Ok(()) => Ok(body),
            Err(errors) => {
                let mut found = Vec::new();
                collect(&errors, "", &mut found);
                Err(Problem::invalid(found))
            }
        }
    }
}

/// A value of the domain as the body: the domain checks what it means, this its size and that every field is known.
#[derive(Clone, Debug)]
pub struct DomainBody<T>(pub T);

impl<T: DeserializeOwned + Serialize> Body for DomainBody<T> {
    fn read(text: &[u8]) -> Result<Self, Problem> {
        let sent: Value = parse(text)?;
        sizes(&sent)?;
        let body: T = parse(text)?;
        let known = serde_json::to_value(&body).map_err(|e| Problem::new(&problem::BROKEN, e.to_string()))?;
        let mut found = Vec::new();
        inspect(&sent, &known, &mut String::new(), &mut found);
        if found.is_empty() { Ok(Self(body)) } else { Err(Problem::invalid(found)) }
    }
}

fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, Problem> {
    // What is no JSON at all is 400, before anything is said of its fields.
    serde_json::from_slice::<serde::de::IgnoredAny>(text)
        .map_err(|error| Problem::new(&problem::UNREADABLE, error.to_string()))?;
    let mut json = serde_json::Deserializer::from_slice(text);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let said = error.inner().to_string();
        // Of what can be passed over unread, only the nesting is found out here.
        if error.inner().is_syntax() {
            return Problem::new(&problem::UNREADABLE, said);
        }
        // Where fields are shared between types the parser loses its place, and the field is found by doing without it.
        let field = match error.path().to_string().as_str() {
            "." => blame::<T>(text).unwrap_or_default(),
            path => pointer(path),
        };
        Problem::invalid(vec![wrong(field, plain(&said).to_owned())])
    })
}

/// The member of an object without which its text would fail in another way, or not at all.
fn blame<T: DeserializeOwned>(text: &[u8]) -> Option<String> {
    // Each member costs a parse of all the others: no more than a request has.
    if text.len() > TRIED {
        return None;
    }
    let Value::Object(fields) = serde_json::from_slice(text).ok()? else { return None };
    if fields.len() > MEMBERS {
        return None;
    }
    let failure = |fields: &serde_json::Map<String, Value>| {
        T::deserialize(Value::Object(fields.clone())).err().map(|error| plain(&error.to_string()).to_owned())
    };
    let whole = failure(&fields)?;
    let culprit = fields.keys().find(|name| {
        let mut without = fields.clone();
        without.remove(*name);
        failure(&without).is_none_or(|said| said != whole)
    })?;
    Some(format!("/{culprit}"))
}

/// What a parser said, without where in the text: the field says that.
fn plain(said: &str) -> &str {
    said.split(" at line ").next().unwrap_or(said)
}

/// Refuses texts and lists that are too long, and texts that no database or calendar holds.
fn sizes(sent: &Value) -> Result<(), Problem> {
    let mut found = Vec::new();
    measure(sent, &mut String::new(), &mut found);
    if found.is_empty() { Ok(()) } else { Err(Problem::invalid(found)) }
}

fn measure(sent: &Value, at: &mut String, found: &mut Vec<FieldError>) {
    match sent {
        Value::String(text) if text.chars().count() > TEXT => {
            note(found, at, || format!("a text has at most {TEXT} characters"));
        }
        Value::String(text) if text.contains('\0') => {
            note(found, at, || "a text has no NUL character".to_owned());
        }
        Value::String(text) if is_far_date(text) => {
            note(found, at, || "a date lies between the years 1900 and 2999".to_owned());
        }
        Value::Array(items) if items.len() > ENTRIES => {
            note(found, at, || format!("a list has at most {ENTRIES} entries"));
        }
        Value::Object(fields) if fields.len() > ENTRIES => {
            note(found, at, || format!("an object has at most {ENTRIES} members"));
        }
        Value::Object(fields) if fields.keys().any(|name| name.chars().count() > NAME) => {
            note(found, at, || format!("a name has at most {NAME} characters"));
        }
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                within(at, &i.to_string(), |at| measure(item, at, found));
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                within(at, name, |at| measure(value, at, found));
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

/// Finds fields that the value does not know: those that were sent and are not among what it writes of itself.
fn inspect(sent: &Value, known: &Value, at: &mut String, found: &mut Vec<FieldError>) {
    match (sent, known) {
        (Value::Array(items), Value::Array(read)) => {
            for (i, (item, read)) in items.iter().zip(read).enumerate() {
                within(at, &i.to_string(), |at| inspect(item, read, at, found));
            }
        }
        (Value::Object(fields), Value::Object(read)) => {
            for (name, value) in fields {
                within(at, name, |at| match read.get(name) {
                    Some(read) => inspect(value, read, at, found),
                    None if value.is_null() => {}
                    None => note(found, at, || format!("unknown field `{name}`")),
                });
            }
        }
        _ => {}
    }
}

fn within(at: &mut String, name: &str, work: impl FnOnce(&mut String)) {
    let length = at.len();
    at.push('/');
    at.push_str(&name.replace('~', "~0").replace('/', "~1"));
    work(at);
    at.truncate(length);
}

/// Adds an error, where not too many are told already.
fn note(found: &mut Vec<FieldError>, at: &str, detail: impl FnOnce() -> String) {
    if found.len() < ERRORS {
        found.push(wrong(at.to_owned(), detail()));
    }
}

fn wrong(field: String, detail: String) -> FieldError {
    FieldError { code: problem::INVALID.code.to_owned(), field: Some(field), detail, rests_on: None }
}

/// `lots[0].code`, as the parser names it, as a JSON pointer.
fn pointer(path: &str) -> String {
    match path {
        "." => String::new(),
        path => format!("/{}", path.replace(['.', '['], "/").replace(']', "")),
    }
}

fn collect(errors: &validator::ValidationErrors, at: &str, found: &mut Vec<FieldError>) {
    use validator::ValidationErrorsKind::{Field, List, Struct};
    for (name, kind) in errors.errors() {
        let at = format!("{at}/{}", camel(name));
        match kind {
            Field(broken) => broken.iter().for_each(|error| {
                note(found, &at, || error.message.as_ref().map_or_else(|| limits(error), ToString::to_string));
            }),
            Struct(inner) => collect(inner, &at, found),
            List(items) => items.iter().for_each(|(i, inner)| collect(inner, &format!("{at}/{i}"), found)),
        }
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

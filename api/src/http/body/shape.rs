//! A body beside the schema that the contract publishes for it: every field that is missing, unknown, of the wrong type or
//! outside a published limit. A parser stops at the first of them, loses its place where a type is told by a tag, takes a list
//! for an object, and passes over what it does not know within shared fields.

use std::any::TypeId;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use domain::kernel::Instant;
use domain::provider::Postcode;
use regex::Regex;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::faults::Faults;
use crate::openapi;

/// The published schema of a type.
pub struct Shape {
    schema: Value,
    schemas: Map<String, Value>,
    patterns: BTreeMap<String, Regex>,
}

impl Shape {
    /// The shape of a type, made when the first of its bodies comes.
    pub fn of<T: ToSchema + 'static>() -> Arc<Self> {
        static MADE: LazyLock<Mutex<HashMap<TypeId, Arc<Shape>>>> = LazyLock::new(Mutex::default);
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        made.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(Self::made::<T>())).clone()
    }

    fn made<T: ToSchema>() -> Self {
        let (schema, schemas) = openapi::schema_of::<T>();
        let mut shape = Self { schema, schemas, patterns: BTreeMap::new() };
        let mut open: Vec<&Value> = shape.schemas.values().chain([&shape.schema]).collect();
        let mut patterns = BTreeMap::new();
        while let Some(part) = open.pop() {
            if let Some(pattern) = part["pattern"].as_str() {
                patterns.extend(Regex::new(pattern).ok().map(|regex| (pattern.to_owned(), regex)));
            }
            match part {
                Value::Object(members) => open.extend(members.values()),
                Value::Array(items) => open.extend(items),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        shape.patterns = patterns;
        shape
    }

    /// Finds every fault of a body.
    pub fn check(&self, sent: &Value, faults: &mut Faults) {
        self.value(&self.schema, sent, faults);
    }

    /// The schema that a reference leads to.
    fn target<'s>(&'s self, schema: &'s Value) -> &'s Value {
        let name = schema["$ref"].as_str().and_then(|at| at.rsplit('/').next());
        name.and_then(|name| self.schemas.get(name)).map_or(schema, |named| self.target(named))
    }

    fn value(&self, schema: &Value, sent: &Value, faults: &mut Faults) {
        let schema = self.target(schema);
        if let Some(cases) = schema["oneOf"].as_array() {
            return self.choice(cases, sent, faults);
        }
        if !is_of_type(schema, sent) {
            let expected = kinds(schema).join(" or ");
            return faults.note(|| format!("invalid type: {}, expected {expected}", kind(sent)));
        }
        let among =
            schema["enum"].as_array().map(Vec::as_slice).or_else(|| schema.get("const").map(std::slice::from_ref));
        if let Some(among) = among.filter(|among| !among.contains(sent)) {
            return faults.note(|| not_among(sent, among));
        }
        match sent {
            Value::String(text) => self.text(schema, text, faults),
            Value::Number(_) => number(schema, sent, faults),
            Value::Array(items) => self.list(schema, items, faults),
            Value::Object(fields) => self.object(schema, fields, faults),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn text(&self, schema: &Value, text: &str, faults: &mut Faults) {
        counted(schema, ["minLength", "maxLength"], text.chars().count(), "length", faults);
        let wrong = match schema["format"].as_str() {
            Some("uuid") => uuid::Uuid::parse_str(text).err().map(|error| error.to_string()),
            Some("date") => text.parse::<chrono::NaiveDate>().err().map(|error| error.to_string()),
            Some("date-time") => Instant::try_from(text.to_owned()).err(),
            Some("postcode") => Postcode::read(text).err(),
            Some(_) | None => None,
        };
        let pattern = schema["pattern"].as_str();
        let unlike = pattern.filter(|pattern| self.patterns.get(*pattern).is_some_and(|known| !known.is_match(text)));
        if let Some(wrong) = wrong.or_else(|| unlike.map(|pattern| format!("`{text}` is not of the form {pattern}"))) {
            faults.note(|| wrong);
        }
    }

    fn list(&self, schema: &Value, items: &[Value], faults: &mut Faults) {
        counted(schema, ["minItems", "maxItems"], items.len(), "number of entries", faults);
        for (at, item) in items.iter().enumerate().take_while(|_| schema.get("items").is_some()) {
            if faults.are_enough() {
                return;
            }
            faults.within(&at.to_string(), |faults| self.value(&schema["items"], item, faults));
        }
    }

    fn object(&self, schema: &Value, fields: &Map<String, Value>, faults: &mut Faults) {
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        for name in required.filter(|name| !fields.contains_key(*name)) {
            faults.missing(name);
        }
        let known = schema["properties"].as_object();
        let others = schema.get("additionalProperties").filter(|others| others.is_object());
        for (name, value) in fields {
            if faults.are_enough() {
                return;
            }
            faults.within(name, |faults| match known.and_then(|known| known.get(name)).or(others) {
                Some(schema) => self.value(schema, value, faults),
                None if known.is_some() => faults.note(|| format!("unknown field `{name}`")),
                None => {}
            });
        }
    }

    /// One of several: which, is told by the type or by a field with a constant.
    fn choice(&self, cases: &[Value], sent: &Value, faults: &mut Faults) {
        let cases: Vec<&Value> = cases.iter().map(|case| self.target(case)).collect();
        let fitting: Vec<&Value> = cases.iter().copied().filter(|case| is_of_type(case, sent)).collect();
        if let [only] = fitting.as_slice() {
            return self.value(only, sent, faults);
        }
        if fitting.is_empty() {
            let mut expected: Vec<&str> = cases.iter().flat_map(|case| kinds(case)).collect();
            expected.dedup();
            return faults.note(|| format!("invalid type: {}, expected {}", kind(sent), expected.join(" or ")));
        }
        if let Some(case) = fitting.iter().copied().find(|case| is_tagged(case, sent)) {
            return self.value(case, sent, faults);
        }
        let constants: Vec<Value> = fitting.iter().filter_map(|case| case.get("const").cloned()).collect();
        if constants.len() == fitting.len() {
            if !constants.contains(sent) {
                faults.note(|| not_among(sent, &constants));
            }
            return;
        }
        let mut tags: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for (name, constant) in fitting.iter().flat_map(|case| constants_of(case)) {
            tags.entry(name).or_default().push(constant.clone());
        }
        for (name, known) in tags {
            match sent.get(name) {
                None => faults.missing(name),
                Some(tag) if !known.contains(tag) => {
                    faults.within(name, |faults| faults.note(|| not_among(tag, &known)));
                }
                Some(_) => {}
            }
        }
        // Whatever it is meant to be, these are wrong.
        let tried = fitting.iter().map(|case| {
            let mut here = faults.here();
            self.value(case, sent, &mut here);
            here
        });
        faults.take_shared(tried.collect());
    }
}

/// The fields of a case that have one value, which tells it from the others.
fn constants_of(case: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let fields = case["properties"].as_object().into_iter().flatten();
    fields.filter_map(|(name, field)| Some((name.as_str(), field.get("const")?)))
}

/// Whether an object has every constant of a case.
fn is_tagged(case: &Value, sent: &Value) -> bool {
    let mut tags = constants_of(case).peekable();
    tags.peek().is_some() && tags.all(|(name, constant)| sent.get(name) == Some(constant))
}

/// The types that a schema names.
fn kinds(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::String(only) => vec![only],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn is_of_type(schema: &Value, sent: &Value) -> bool {
    let kinds = kinds(schema);
    kinds.is_empty()
        || kinds.iter().any(|expected| *expected == kind(sent) || (*expected == "number" && sent.is_number()))
}

/// The type of a value, as schemas name it.
fn kind(sent: &Value) -> &'static str {
    match sent {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn not_among(sent: &Value, among: &[Value]) -> String {
    let among: Vec<String> = among.iter().map(ToString::to_string).collect();
    format!("{sent} is not one of {}", among.join(", "))
}

fn counted(schema: &Value, [least, most]: [&str; 2], count: usize, what: &str, faults: &mut Faults) {
    let limit = |name: &str| schema[name].as_u64().and_then(|limit| usize::try_from(limit).ok());
    if limit(least).is_some_and(|limit| count < limit) || limit(most).is_some_and(|limit| count > limit) {
        let [least, most] = [&schema[least], &schema[most]];
        let limits = match (least.is_null(), most.is_null()) {
            (false, false) => format!("{least} to {most}"),
            (false, true) => format!("at least {least}"),
            (true, _) => format!("at most {most}"),
        };
        faults.note(|| format!("its {what} is {limits}"));
    }
}

fn number(schema: &Value, sent: &Value, faults: &mut Faults) {
    let (least, most) = match schema["format"].as_str() {
        Some("int32") => (Some(f64::from(i32::MIN)), Some(f64::from(i32::MAX))),
        Some(_) | None => (None, None),
    };
    let least = schema["minimum"].as_f64().or(least);
    let most = schema["maximum"].as_f64().or(most);
    let value = sent.as_f64().unwrap_or_default();
    if least.is_some_and(|least| value < least) {
        faults.note(|| format!("{sent} is less than {}", least.unwrap_or_default()));
    } else if most.is_some_and(|most| value > most) {
        faults.note(|| format!("{sent} is more than {}", most.unwrap_or_default()));
    } else if schema["format"] == "int64" && sent.as_i64().is_none() {
        faults.note(|| format!("{sent} is more than {}", i64::MAX));
    }
}

//! Schemas in the shape that generators of clients understand. What the macros write is right, but says much of it in
//! ways that tools cannot read: a generic type repeats its parameter, a flattened state is an intersection with a union.

use serde_json::{Map, Value, json};

use crate::http::body::camel;

type Fields = Map<String, Value>;

/// Where the schemas are, in a reference to one.
const SCHEMAS: &str = "#/components/schemas/";
/// Generic types whose rows are worth a name.
const PAGES: [&str; 2] = ["List_", "Feed_"];

/// Rewrites every schema of the document, without a change to what is valid.
pub fn tidy(document: &mut Value) {
    let mut schemas = taken(document);
    refer(document, &mut schemas);
    name_rows(&mut schemas);
    let flat: Vec<(String, Value)> =
        schemas.iter().map(|(name, s)| (name.clone(), flattened(name, s, &schemas))).collect();
    schemas.extend(flat);
    constants(document);
    schemas.values_mut().for_each(constants);
    integers(document);
    schemas.values_mut().for_each(integers);
    put_back(document, schemas);
}

/// Leaves out the schemas that no operation leads to.
pub fn prune(document: &mut Value) {
    let mut schemas = taken(document);
    let used = reachable(document, &schemas);
    schemas.retain(|name, _| used.contains(name));
    put_back(document, schemas);
}

/// Puts the schemas into the document.
pub fn put_back(document: &mut Value, schemas: Fields) {
    if let Some(components) = document.get_mut("components") {
        components["schemas"] = Value::Object(schemas);
    }
}

/// The schemas of the document, taken out of it.
pub fn taken(document: &mut Value) -> Fields {
    match document.pointer_mut("/components/schemas").map(Value::take) {
        Some(Value::Object(schemas)) => schemas,
        _ => Fields::new(),
    }
}

/// Puts a reference in the place of each copy of a named schema.
fn refer(document: &mut Value, schemas: &mut Fields) {
    let named = |schema: &&Value| ["properties", "allOf", "oneOf"].iter().any(|part| schema.get(part).is_some());
    let known: Vec<(String, Value)> = schemas
        .iter()
        .filter(|(_, schema)| named(schema))
        .map(|(name, schema)| (name.clone(), schema.clone()))
        .collect();
    if let Some(paths) = document.get_mut("paths") {
        replace(paths, &known);
    }
    for schema in schemas.values_mut() {
        children(schema).for_each(|part| replace(part, &known));
    }
}

fn replace(value: &mut Value, known: &[(String, Value)]) {
    if value.is_object()
        && let Some((name, _)) = known.iter().find(|(_, schema)| schema == value)
    {
        *value = reference(name);
    } else {
        children(value).for_each(|part| replace(part, known));
    }
}

fn children(value: &mut Value) -> Box<dyn Iterator<Item = &mut Value> + '_> {
    match value {
        Value::Object(members) => Box::new(members.values_mut()),
        Value::Array(items) => Box::new(items.iter_mut()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Box::new(std::iter::empty()),
    }
}

/// Refers to a schema.
pub fn reference(name: &str) -> Value {
    json!({ "$ref": format!("{SCHEMAS}{name}") })
}

/// Gives the rows of a page a schema of their own, where a generic type repeats them.
fn name_rows(schemas: &mut Fields) {
    let mut rows = Vec::new();
    for (page, schema) in schemas.iter_mut() {
        let row = PAGES.iter().find_map(|prefix| page.strip_prefix(prefix));
        let items = schema.pointer_mut("/properties/items/items").filter(|items| items.get("$ref").is_none());
        if let (Some(row), Some(items)) = (row, items) {
            rows.push((row.to_owned(), std::mem::replace(items, reference(row))));
        }
    }
    schemas.extend(rows);
}

fn target<'a>(schema: &'a Value, schemas: &'a Fields) -> &'a Value {
    let name = schema["$ref"].as_str().and_then(|at| at.strip_prefix(SCHEMAS));
    name.and_then(|name| schemas.get(name)).map_or(schema, |named| target(named, schemas))
}

/// A named schema without intersections: one object, or one for each alternative.
fn flattened(name: &str, schema: &Value, schemas: &Fields) -> Value {
    let mut schema = plain(schema, schemas);
    if let Some(Value::Array(cases)) = schema.get_mut("oneOf") {
        for case in cases.iter_mut().filter_map(Value::as_object_mut).filter(|case| case.contains_key("properties")) {
            // Generators name a type by its title.
            let title = tag(case).map(|tag| name.replace('_', "") + &pascal(&tag));
            case.extend(title.map(|title| ("title".to_owned(), json!(title))));
        }
    }
    schema
}

/// A schema without intersections, all the way down.
fn plain(schema: &Value, schemas: &Fields) -> Value {
    match schema {
        Value::Object(members) if members.contains_key("allOf") => {
            let described = members.get("description").map(|text| ("description".to_owned(), text.clone()));
            let mut cases = alternatives(schema, schemas);
            if cases.len() == 1 {
                let mut only = cases.pop().unwrap_or_default();
                only.extend(described);
                return Value::Object(only);
            }
            let mut union = Fields::from_iter([("oneOf".to_owned(), json!(cases))]);
            union.extend(described);
            Value::Object(union)
        }
        Value::Object(members) => members.iter().map(|(name, part)| (name.clone(), plain(part, schemas))).collect(),
        Value::Array(items) => items.iter().map(|part| plain(part, schemas)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => schema.clone(),
    }
}

/// The objects that a schema allows: every choice among its unions, with the fields of its intersections together.
fn alternatives(schema: &Value, schemas: &Fields) -> Vec<Fields> {
    let schema = target(schema, schemas);
    if let Some(cases) = schema["oneOf"].as_array() {
        let of = |case: &Value| {
            let described = target(case, schemas).get("description").cloned();
            let mut objects = alternatives(case, schemas);
            for object in &mut objects {
                object.extend(described.clone().map(|text| ("description".to_owned(), text)));
            }
            objects
        };
        return cases.iter().flat_map(of).collect();
    }
    let Some(parts) = schema["allOf"].as_array() else {
        let mut object = schema.as_object().cloned().unwrap_or_default();
        object.remove("description");
        return vec![object.into_iter().map(|(name, part)| (name, plain(&part, schemas))).collect()];
    };
    let mut whole = vec![Fields::from_iter([("type".to_owned(), json!("object"))])];
    for part in parts {
        let choices = alternatives(part, schemas);
        whole = whole.iter().flat_map(|before| choices.iter().map(|choice| together(before, choice))).collect();
    }
    whole
}

fn together(one: &Fields, other: &Fields) -> Fields {
    let mut both = one.clone();
    for (name, value) in other {
        match (both.get_mut(name), value) {
            (Some(Value::Object(known)), Value::Object(more)) => known.extend(more.clone()),
            (Some(Value::Array(known)), Value::Array(more)) => known.extend(more.iter().cloned()),
            _ => {
                both.insert(name.clone(), value.clone());
            }
        }
    }
    both
}

/// What tells a case of a union from the others.
fn tag(case: &Fields) -> Option<String> {
    let of = |field: &Value| match field["enum"].as_array().map(Vec::as_slice) {
        Some([only]) => only.as_str().map(str::to_owned),
        _ => None,
    };
    let tags: Vec<String> = case.get("properties")?.as_object()?.values().filter_map(of).collect();
    (!tags.is_empty()).then(|| tags.join("_"))
}

pub(super) fn pascal(name: &str) -> String {
    let camel = camel(name);
    let (first, rest) = camel.split_at_checked(1).unwrap_or_default();
    first.to_uppercase() + rest
}

/// A choice of one is a constant.
fn constants(schema: &mut Value) {
    if let Some(members) = schema.as_object_mut() {
        let only = match members.get("enum").and_then(Value::as_array).map(Vec::as_slice) {
            Some([only]) => Some(only.clone()),
            _ => None,
        };
        if let Some(only) = only {
            members.remove("enum");
            members.insert("const".to_owned(), only);
        }
    }
    children(schema).for_each(constants);
}

/// Small integers by their limits, in the formats that every tool knows.
fn integers(schema: &mut Value) {
    if let Some(members) = schema.as_object_mut() {
        let (format, most) = match members.get("format").and_then(Value::as_str) {
            Some("u-int8") => ("int32", Some(u8::MAX.into())),
            Some("u-int16") => ("int32", Some(u16::MAX.into())),
            Some("u-int32") => ("int32", None),
            Some("u-int64") => ("int64", None),
            _ => ("", None),
        };
        if !format.is_empty() {
            members.insert("format".to_owned(), json!(format));
        }
        if let Some::<u32>(most) = most {
            members.entry("maximum").or_insert(json!(most));
        }
    }
    children(schema).for_each(integers);
}

/// The names that the operations lead to.
fn reachable(document: &Value, schemas: &Fields) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Vec<&Value> = ["/paths", "/webhooks", "/components/responses", "/components/parameters"]
        .iter()
        .filter_map(|at| document.pointer(at))
        .collect();
    while let Some(value) = open.pop() {
        match value {
            Value::Object(members) => {
                let name = value["$ref"].as_str().and_then(|at| at.strip_prefix(SCHEMAS));
                if let Some(name) = name.filter(|name| !found.iter().any(|known| known == name)) {
                    found.push(name.to_owned());
                    open.extend(schemas.get(name));
                }
                open.extend(members.values());
            }
            Value::Array(items) => open.extend(items),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    found
}

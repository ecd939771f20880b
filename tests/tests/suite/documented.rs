//! The published document as the tests see it: every answer must be one that it promises.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::actor::Reply;

/// The document that the server publishes (AC-81 proves that it is this one).
pub static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let text = api::openapi::text().expect("the document");
    serde_json::from_str(text).expect("the document is JSON")
});

/// One operation of the document.
#[derive(Clone, Debug)]
pub struct Operation {
    pub method: String,
    pub path: String,
    pub id: String,
    pub permission: String,
    pub documented: Value,
}

/// Every operation that needs a permission, in the order of the document.
pub static OPERATIONS: LazyLock<Vec<Operation>> =
    LazyLock::new(|| ALL.iter().filter(|operation| !operation.permission.is_empty()).cloned().collect());

/// Every operation: beside those, where machine clients get their tokens.
pub static ALL: LazyLock<Vec<Operation>> = LazyLock::new(|| {
    let paths = DOCUMENT["paths"].as_object().expect("paths");
    let mut operations = Vec::new();
    for (path, methods) in paths {
        for (method, documented) in methods.as_object().expect("methods") {
            let text = |name: &str| documented[name].as_str().unwrap_or_default().to_owned();
            operations.push(Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                id: text("operationId"),
                permission: text("x-permission"),
                documented: in_full(documented),
            });
        }
    }
    operations
});

/// What a part of the document is, wherever its reference leads.
pub fn target(part: &'static Value) -> &'static Value {
    part["$ref"]
        .as_str()
        .map_or(part, |at| target(DOCUMENT.pointer(&at[1..]).unwrap_or_else(|| panic!("{at} leads nowhere"))))
}

/// An operation with its shared responses and parameters in their places, and its codes at their statuses.
fn in_full(documented: &'static Value) -> Value {
    let mut full = documented.clone();
    for (at, part) in documented["parameters"].as_array().into_iter().flatten().enumerate() {
        full["parameters"][at] = target(part).clone();
    }
    for (status, response) in full["responses"].as_object_mut().into_iter().flatten() {
        *response = target(&documented["responses"][status]).clone();
        if let Some(codes) = documented["x-problem-codes"].get(status) {
            response["x-problem-codes"] = codes.clone();
        }
    }
    full
}

impl Operation {
    /// Its path with `id` in the place of every parameter.
    pub fn filled(&self, id: &str) -> String {
        // `{n}` is a place in a list, all others are ids.
        let filled = self.path.split('/').map(|part| match part {
            "{n}" => "0",
            part if part.starts_with('{') => id,
            part => part,
        });
        filled.collect::<Vec<_>>().join("/")
    }

    fn matches(&self, method: &str, path: &str) -> bool {
        // Asked of every operation for every request of every test: it stops at the first part that differs.
        let (mut own, mut asked) = (self.path.split('/'), path.split('/'));
        let mut same = || match (own.next(), asked.next()) {
            (None, None) => Some(true),
            (Some(own), Some(asked)) if own == asked || own.starts_with('{') => None,
            (_, _) => Some(false),
        };
        self.method == method && std::iter::repeat_with(&mut same).find_map(|end| end).unwrap_or_default()
    }

    /// Codes documented for a status.
    fn codes(&self, status: u16) -> Vec<&str> {
        let codes = self.documented["responses"][status.to_string()]["x-problem-codes"].as_array();
        codes.map(|codes| codes.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
    }

    /// The query that it cannot do without, with `id` as every value.
    pub fn needed_query(&self, id: &str) -> String {
        let parameters = self.documented["parameters"].as_array().into_iter().flatten();
        let needed = parameters.filter(|p| p["in"] == "query" && p["required"] == true);
        let pairs: Vec<String> = needed.map(|p| format!("{}={id}", p["name"].as_str().unwrap())).collect();
        if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
    }

    /// Whether its body is a file, which is not looked at as JSON.
    pub fn takes_a_file(&self) -> bool {
        let media = self.documented["requestBody"]["content"].as_object();
        media.is_some_and(|media| !media.contains_key("application/json"))
    }

    /// Every problem code that it documents.
    pub fn all_codes(&self) -> BTreeSet<&str> {
        let responses = self.documented["responses"].as_object().into_iter().flat_map(|r| r.values());
        responses
            .flat_map(|r| r["x-problem-codes"].as_array().into_iter().flatten())
            .filter_map(Value::as_str)
            .collect()
    }
}

/// The operation that a request names. Where two match, the one with more written out.
pub fn operation(method: &str, path: &str) -> Option<&'static Operation> {
    let path = path.split('?').next().unwrap_or_default();
    let found = ALL.iter().filter(|operation| operation.matches(method, path));
    found.min_by_key(|operation| operation.path.matches('{').count())
}

/// Whether a request reads the record, whose events appear when older transactions have ended.
pub fn reads_the_feed(method: &str, path: &str) -> bool {
    operation(method, path).is_some_and(|o| match o.permission.as_str() {
        "ReadRecord" => method == "GET",
        permission => permission == "Subscribe" || o.id == "runJob" || o.path.starts_with("/v1/ocds/"),
    })
}

/// Pages of the server that are not operations of the API.
fn is_page(path: &str) -> bool {
    ["/openapi.json", "/docs", "/metrics"].iter().any(|page| path.starts_with(page))
}

/// Fails the test where the answer is not one that the document promises.
#[track_caller]
pub fn check(method: &str, path: &str, reply: &Reply) -> Option<&'static Operation> {
    assert!(reply.status < 500, "the server failed\n{reply}");
    let Some(operation) = operation(method, path) else {
        let refused = matches!(reply.status, 404 | 405);
        assert!(refused || is_page(path), "an answer of an operation that is not documented\n{reply}");
        return None;
    };
    EXERCISED.lock().unwrap_or_else(PoisonError::into_inner).insert(operation.id.clone());
    let documented = &operation.documented["responses"][reply.status.to_string()];
    assert!(!documented.is_null(), "{} does not document the status {}\n{reply}", operation.id, reply.status);
    // Where tokens are given, errors are those of RFC 6749.
    if reply.status >= 400 && !operation.permission.is_empty() {
        let code = reply.body["code"].as_str().unwrap_or_default();
        let codes = operation.codes(reply.status);
        assert!(codes.contains(&code), "{} documents for {} only {codes:?}\n{reply}", operation.id, reply.status);
        let known = operation.all_codes();
        for error in reply.body["errors"].as_array().into_iter().flatten() {
            let code = error["code"].as_str().unwrap_or_default();
            assert!(known.contains(code), "{} does not document the code {code}\n{reply}", operation.id);
        }
        let media = reply.header("content-type").unwrap_or_default();
        assert_eq!(media, "application/problem+json", "the media type of a problem\n{reply}");
    }
    if reply.status == 304 {
        assert!(reply.text.is_empty(), "304 has no body\n{reply}");
        return Some(operation);
    }
    let media = reply.header("content-type").unwrap_or_default();
    if media != "application/json" {
        assert!(!documented["content"][media].is_null(), "{} does not document {media}\n{reply}", operation.id);
        return Some(operation);
    }
    if operation.id == "listEvents" {
        reply.body["items"].as_array().into_iter().flatten().for_each(check_event);
    }
    let validator = validator(operation, reply.status);
    let wrong: Vec<String> =
        validator.iter_errors(&reply.body).map(|e| format!("{}: {e}", e.instance_path())).take(5).collect();
    assert!(wrong.is_empty(), "{} answers against its schema:\n{}\n{reply}", operation.id, wrong.join("\n"));
    Some(operation)
}

/// Fails the test where an event is not one that the document tells by its type.
#[track_caller]
pub fn check_event(event: &Value) {
    let kind = event["type"].as_str().unwrap_or_default();
    let data = format!("{kind}/allOf/1/properties/data");
    for (name, shown) in [(kind, event), (&data, &event["data"])] {
        let validator = made(format!("the event {name}"), || json!({"$ref": format!("#/components/schemas/{name}")}));
        let wrong: Vec<String> = validator.iter_errors(shown).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(wrong.is_empty(), "{kind} is against its schema:\n{}\n{event:#}", wrong.join("\n"));
    }
}

/// The validator of an operation's answers with a status. Fields that the schema does not name are wrong.
fn validator(operation: &Operation, status: u16) -> Arc<Validator> {
    made(format!("{} {status}", operation.id), || {
        let content = operation.documented["responses"][status.to_string()]["content"].as_object();
        let schema = content.and_then(|types| types.values().next()).map(|media| media["schema"].clone());
        schema.unwrap_or_else(|| panic!("{} documents no body for {status}", operation.id))
    })
}

/// The validator of a schema, made once. Fields that it does not name are wrong.
fn made(name: String, schema: impl FnOnce() -> Value) -> Arc<Validator> {
    static MADE: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(validator) = made.get(&name) {
        return validator.clone();
    }
    let mut root = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "allOf": [schema()],
        "unevaluatedProperties": false,
        "components": DOCUMENT["components"],
    });
    // Which of a hundred types an event is, is not found by trying them: each is held against its own.
    root["components"]["schemas"]["Event"] = json!({"type": "object", "required": ["type"]});
    let built = jsonschema::options().should_validate_formats(true).build(&root);
    let built = Arc::new(built.unwrap_or_else(|e| panic!("the schema of {name}: {e}")));
    made.insert(name, built.clone());
    built
}

static EXERCISED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Writes which operations were called so far, and which never: `tmp/operations.txt` in the build directory.
pub fn report() {
    let exercised = EXERCISED.lock().unwrap_or_else(PoisonError::into_inner);
    let line = |o: &Operation| format!("{} {}\n", if exercised.contains(&o.id) { "called" } else { "never " }, o.id);
    let text: String = ALL.iter().map(line).collect();
    drop(std::fs::write(concat!(env!("CARGO_TARGET_TMPDIR"), "/operations.txt"), text));
}

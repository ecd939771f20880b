//! Events in the contract: each type is a schema of its own, the feed shows one of them, and webhooks send one.

use domain::aggregates::{self, Events};
use domain::kernel::Kind;
use serde_json::{Map, Value, json};

use super::shapes;

/// An event of any type, as the feed shows it.
const EVENT: &str = "Event";
/// What events of every type have.
const HEAD: &str = "EventHead";

/// The events of every aggregate, with the schemas that they refer to.
///
/// # Errors
/// Where a schema cannot be written: a defect.
pub fn schemas() -> Result<Map<String, Value>, String> {
    let events = Kind::ALL.iter().map(|kind| aggregates::events(*kind));
    let schemas = events.flat_map(|Events { name, schema, parts, .. }| parts.into_iter().chain([(name, schema)]));
    schemas.map(|(name, schema)| Ok((name, serde_json::to_value(schema).map_err(|e| e.to_string())?))).collect()
}

/// Tells the event of the feed as one of its types, each with its own fields.
pub fn unite(document: &mut Value) {
    let mut schemas = shapes::taken(document);
    let unions = Kind::ALL.iter().filter_map(|kind| schemas.remove(&aggregates::events(*kind).name));
    let types: Vec<(String, Value)> = unions.flat_map(cases).collect();
    let mut head = schemas.remove(EVENT).unwrap_or_default();
    for name in ["type", "data"] {
        without(&mut head, name);
    }
    let union = json!({
        "description": head.get("description"),
        "oneOf": types.iter().map(|(kind, _)| shapes::reference(kind)).collect::<Vec<_>>(),
        "discriminator": {"propertyName": "type"},
    });
    schemas.extend([(HEAD.to_owned(), head), (EVENT.to_owned(), union)]);
    schemas.extend(types);
    shapes::put_back(document, schemas);
}

/// The event types of a union, by their names.
fn cases(mut union: Value) -> Vec<(String, Value)> {
    let cases = match union.get_mut("oneOf").map(Value::take) {
        Some(Value::Array(cases)) => cases,
        _ => vec![union],
    };
    cases.into_iter().filter_map(event).collect()
}

/// The schema of an event, from that of its fields and its name.
fn event(mut data: Value) -> Option<(String, Value)> {
    let kind = data.pointer("/properties/type/const")?.as_str()?.to_owned();
    without(&mut data, "type");
    let fields = data.as_object_mut()?;
    // Generators name it after the event.
    fields.remove("title");
    let mut event = Map::new();
    event.extend(fields.remove("description").map(|says| ("description".to_owned(), says)));
    let own = json!({
        "type": "object",
        "required": ["type", "data"],
        "properties": {"type": {"type": "string", "const": kind}, "data": data},
    });
    event.insert("allOf".to_owned(), json!([shapes::reference(HEAD), own]));
    Some((kind, Value::Object(event)))
}

/// Takes a field out of an object's schema.
fn without(schema: &mut Value, name: &str) {
    if let Some(fields) = schema["properties"].as_object_mut() {
        fields.remove(name);
    }
    if let Some(required) = schema["required"].as_array_mut() {
        required.retain(|one| one != name);
    }
    if let Some(members) = schema.as_object_mut() {
        members.retain(|_, member| !["[]", "{}"].contains(&member.to_string().as_str()));
    }
}

/// What is sent to subscriptions.
pub fn webhooks() -> Value {
    let header = |name: &str, says: &str| json!({"name": name, "in": "header", "required": true, "description": says, "schema": {"type": "string"}});
    let headers = [
        header("webhook-id", "The event's id: the same on every attempt"),
        header("webhook-timestamp", "When it was sent, in seconds since 1970"),
        header("webhook-signature", "One or more signatures, by Standard Webhooks"),
    ];
    let sent = |id: &str, summary: &str, kind: Value, data: Value| {
        let body = json!({
            "type": "object",
            "required": ["type", "timestamp", "data"],
            "properties": {"type": kind, "timestamp": shapes::reference("Instant"), "data": data},
        });
        json!({"post": {
            "tags": ["webhooks"],
            "operationId": id,
            "summary": summary,
            "parameters": headers,
            "requestBody": {"required": true, "content": {"application/json": {"schema": body}}},
            "responses": {
                "204": {"description": "It is received: any 2xx"},
                "410": {"description": "Nothing more is wanted: the subscription stops"},
            },
            "security": [{}],
        }})
    };
    let text = json!({"type": "string"});
    let ping = json!({
        "type": "object",
        "required": ["subscription"],
        "properties": {"subscription": shapes::reference("WebhookId")},
    });
    json!({
        "event": sent("receiveEvent", "An event of the feed, as the subscription's owner sees it", text, shapes::reference(EVENT)),
        "ping": sent("receivePing", "A ping that was asked for", json!({"type": "string", "const": "ping"}), ping),
    })
}

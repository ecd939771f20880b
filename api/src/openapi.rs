//! The published contract: what the handlers document, completed with what every operation shares.

use actix_web::web::ServiceConfig;
use actix_web::{HttpResponse, web};
use serde_json::{Map, Value, json};
use utoipa::OpenApi as _;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::http::body::camel;
use crate::http::problem::{self, CODES, Code};
use crate::http::routes::Operation;
use crate::http::{Problem, problem::FieldError};
use crate::subjects;
use domain::kernel::{Reach, Role};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Dynamic purchasing system",
        description = "Markets for care placements: lots and rounds, applications and compliance checks, members in \
                       good standing. Errors are RFC 9457 problem details; `GET /problems/{code}` explains each code.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(Problem, FieldError)),
    tags(
        (name = "arrangements", description = "Markets, their authorities and policies (A1)"),
        (name = "lots", description = "Service categories and what they require (A2)"),
        (name = "requirements", description = "The shared requirement library (DPS-21)"),
        (name = "rounds", description = "Windows of receipt followed by evaluation (A3)"),
        (name = "law", description = "Regimes, rules and deadlines that explain themselves"),
        (name = "providers", description = "Providers, homes and ratings (A20)"),
        (name = "applications", description = "Versioned applications, sealed until evaluation (A4)"),
        (name = "checks", description = "Compliance checks (A5)"),
        (name = "memberships", description = "Members and the register of a lot (A6)"),
        (name = "standing", description = "Suspensions, notices, sanctions, removals and appeals (A7, A8)"),
        (name = "fees", description = "What members ask for their services (A15)"),
        (name = "uploads", description = "Bulk uploads: many rows in one file (A21)"),
        (name = "record", description = "The change feed and the audit (BEY-01)"),
        (name = "system", description = "The server itself")
    )
)]
struct Frame;

/// The document as JSON text, the same on every run.
///
/// # Errors
/// Where it cannot be written: a defect.
pub fn text() -> Result<String, String> {
    let mut document = Frame::openapi();
    let mut operations = Vec::new();
    for subject in subjects() {
        document.merge((subject.document)());
        operations.extend(subject.operations);
    }
    let mut document = serde_json::to_value(&document).map_err(|e| e.to_string())?;
    camel_fields(&mut document);
    let examples = serde_json::from_str(EXAMPLES).map_err(|e| format!("the examples: {e}"))?;
    complete(&mut document, &operations, &examples);
    let mut text = serde_json::to_string_pretty(&document).map_err(|e| e.to_string())?;
    text.push('\n');
    Ok(text)
}

/// Names fields as they are sent: serde's `rename_all_fields` is not read by the macro that writes the schemas.
fn camel_fields(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Object(fields)) = members.get_mut("properties") {
                *fields = std::mem::take(fields).into_iter().map(|(name, field)| (camel(&name), field)).collect();
            }
            if let Some(Value::Array(names)) = members.get_mut("required") {
                for name in names {
                    *name = json!(camel(name.as_str().unwrap_or_default()));
                }
            }
            members.values_mut().for_each(camel_fields);
        }
        Value::Array(items) => items.iter_mut().for_each(camel_fields),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Adds to each operation what follows from its method and its row in the list of routes.
fn complete(document: &mut Value, operations: &[Operation], examples: &Value) {
    if let Some(components) = document.get_mut("components").and_then(Value::as_object_mut) {
        let bearer = json!({"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}});
        components.insert("securitySchemes".to_owned(), bearer);
    }
    let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) else { return };
    for methods in paths.values_mut().filter_map(Value::as_object_mut) {
        for (method, documented) in methods {
            let name = documented["operationId"].as_str().unwrap_or_default().to_owned();
            let Some(operation) = operations.iter().find(|o| o.name == name) else { continue };
            if let Some(documented) = documented.as_object_mut() {
                describe(documented, method, operation, examples);
            }
        }
    }
}

/// Exchanges that the tests had, by operation: the contract's examples were executed.
static EXAMPLES: &str = include_str!("../../openapi/examples.json");

/// Puts an exchange where the contract shows it.
fn exemplify(documented: &mut Map<String, Value>, exchange: &Value) {
    let mut show = |at: &str, example: Option<&Value>| {
        let media = documented.get_mut(at).map(|part| if at == "responses" { ok(part) } else { Some(part) });
        let media = media.flatten().and_then(|part| part.pointer_mut("/content/application~1json"));
        if let (Some(Value::Object(media)), Some(example)) = (media, example) {
            media.insert("example".to_owned(), example.clone());
        }
    };
    show("requestBody", exchange.get("request"));
    show("responses", exchange.get("response"));
}

/// The successful answer among the responses.
fn ok(responses: &mut Value) -> Option<&mut Value> {
    responses
        .as_object_mut()?
        .iter_mut()
        .find(|(status, _)| matches!(status.as_str(), "200" | "201" | "202"))
        .map(|(_, r)| r)
}

fn describe(documented: &mut Map<String, Value>, method: &str, operation: &Operation, examples: &Value) {
    let public = operation.permission.reach(Role::Public) != Reach::None;
    let writes = method != "get";
    documented.insert("operationId".to_owned(), json!(camel(operation.name)));
    if let Some(exchange) = examples.get(camel(operation.name)) {
        exemplify(documented, exchange);
    }
    documented.insert("x-permission".to_owned(), json!(operation.permission.name()));
    documented
        .insert("security".to_owned(), if public { json!([{}, {"bearer": []}]) } else { json!([{"bearer": []}]) });
    let mut codes: Vec<(u16, &str)> = protocol(documented, method, public).map(|c| (c.status, c.code)).collect();
    codes.extend(operation.rules.iter().flat_map(|rules| rules.iter()).map(|r| (problem::status(r.nature), r.code)));
    codes.sort_unstable();
    codes.dedup();
    if let Some(responses) = documented.get_mut("responses").and_then(Value::as_object_mut) {
        for group in codes.chunk_by(|a, b| a.0 == b.0) {
            let Some((status, _)) = group.first() else { continue };
            let names: Vec<&str> = group.iter().map(|(_, code)| *code).collect();
            responses.insert(
                status.to_string(),
                json!({
                    "description": format!("One of: {}", names.join(", ")),
                    "x-problem-codes": names,
                    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
                }),
            );
        }
        if !writes {
            responses.insert("304".to_owned(), json!({"description": "Unchanged since the ETag in If-None-Match"}));
        }
    }
    let parameters = documented.entry("parameters").or_insert_with(|| json!([]));
    if let Some(parameters) = parameters.as_array_mut() {
        // What a handler documents itself, it documents better: an `If-Match` that may be left out, for one.
        let own: Vec<Value> = parameters.iter().map(|p| p["name"].clone()).collect();
        parameters.extend(headers(method).into_iter().filter(|header| !own.contains(&header["name"])));
    }
}

/// The codes that follow from the protocol alone.
fn protocol(
    documented: &Map<String, Value>,
    method: &str,
    public: bool,
) -> impl Iterator<Item = &'static &'static Code> {
    let writes = method != "get";
    let own = documented.get("parameters").and_then(Value::as_array);
    let optional = own.is_some_and(|own| own.iter().any(|p| p["name"] == "If-Match"));
    let conditional = matches!(method, "put" | "patch" | "delete") && !optional;
    let body = documented.get("requestBody").and_then(|body| body.pointer("/content")).and_then(Value::as_object);
    let streamed = body.is_some_and(|media| !media.contains_key("application/json"));
    CODES.iter().filter(move |code| match code.status {
        403 => !public || writes,
        405 => false,
        // What has no body refuses one that says something.
        409 | 412 | 413 | 415 => writes,
        428 => conditional,
        408 => streamed,
        _ => true,
    })
}

fn headers(method: &str) -> Vec<Value> {
    let header = |name: &str, required: bool, description: &str| json!({"name": name, "in": "header", "required": required, "description": description, "schema": {"type": "string"}});
    let dry = json!({"name": "dryRun", "in": "query", "required": false, "schema": {"type": "boolean"},
        "description": "`true`: decide in full, answer as usual, write nothing"});
    let key = header("Idempotency-Key", false, "A replay with the same key is answered with the first answer");
    match method {
        "get" => vec![header("If-None-Match", false, "The ETag of the representation the caller has")],
        "post" => vec![key, header("If-Match", false, "The ETag of the version the caller saw"), dry],
        _ => vec![key, header("If-Match", true, "The ETag of the version the caller saw"), dry],
    }
}

/// Serves the document and its pages, which take nothing from another site.
pub fn serve(service: &mut ServiceConfig, text: &str) {
    let text = text.to_owned();
    service.route(
        "/openapi.json",
        web::get().to(move || {
            let body = text.clone();
            async move { HttpResponse::Ok().content_type("application/json").body(body) }
        }),
    );
    service.route(
        "/docs",
        web::get().to(|| async { HttpResponse::Found().insert_header(("Location", "/docs/")).finish() }),
    );
    service.service(SwaggerUi::new("/docs/{_:.*}").config(Config::from("/openapi.json").validator_url("none")));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::subjects;

    /// A name is one schema: a second one would silently stand in the place of the first.
    #[test]
    fn no_two_subjects_name_different_schemas_alike() {
        let mut known = BTreeMap::new();
        for subject in subjects() {
            let components = (subject.document)().components.unwrap_or_default();
            for (name, schema) in components.schemas {
                let schema = serde_json::to_value(schema).unwrap();
                let first = known.entry(name.clone()).or_insert_with(|| schema.clone());
                assert_eq!(*first, schema, "{name} names two schemas");
            }
        }
    }
}

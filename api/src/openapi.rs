//! The published contract: what the handlers document, completed with what every operation shares.

mod events;
mod shapes;
mod shared;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use actix_web::middleware::DefaultHeaders;
use actix_web::web::ServiceConfig;
use actix_web::{HttpResponse, web};
use serde_json::{Map, Value, json};
use utoipa::{OpenApi as _, ToSchema};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::client::oauth;
use crate::http::body::camel;
use crate::http::call;
use crate::http::problem::{self, CODES, Code};
use crate::http::routes::Operation;
use crate::http::{Problem, problem::FieldError};
use crate::{SUBJECTS, routes};
use domain::kernel::{Permission, Reach, Role};
use persistence::Failure;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Dynamic purchasing system",
        description = "Markets for care placements: lots and rounds, applications and compliance checks, members in \
                       good standing. Errors are RFC 9457 problem details; `GET /problems/{code}` explains each code.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers((url = "/", description = "The server that this document comes from")),
    components(schemas(Problem, FieldError))
)]
struct Frame;

/// The document as JSON text, the same on every run: made once.
///
/// # Errors
/// Where it cannot be written: a defect.
pub fn text() -> Result<&'static str, String> {
    static TEXT: LazyLock<Result<String, String>> = LazyLock::new(written);
    TEXT.as_deref().map_err(Clone::clone)
}

fn written() -> Result<String, String> {
    let mut document = Frame::openapi();
    let mut operations = Vec::new();
    let tags = SUBJECTS.iter().flat_map(|subject| subject.tags);
    document.tags = Some(
        tags.map(|(name, says)| utoipa::openapi::tag::TagBuilder::new().name(*name).description(Some(*says)).build())
            .collect(),
    );
    for routes in routes() {
        document.merge((routes.document)());
        operations.extend(routes.operations);
    }
    let mut document = serde_json::to_value(&document).map_err(|e| e.to_string())?;
    let events = json!({"components": {"schemas": events::schemas()?}});
    merge(&mut document, events);
    camel_fields(&mut document);
    let token = serde_json::to_value(oauth::Document::openapi()).map_err(|e| e.to_string())?;
    merge(&mut document, token);
    let examples: Value = serde_json::from_str(EXAMPLES).map_err(|e| format!("the examples: {e}"))?;
    shapes::tidy(&mut document);
    events::unite(&mut document);
    merge(&mut document, json!({"webhooks": events::webhooks()}));
    complete(&mut document, &operations, &examples);
    shared::parameters(&mut document);
    shapes::prune(&mut document);
    let mut text = serde_json::to_string_pretty(&document).map_err(|e| e.to_string())?;
    text.push('\n');
    Ok(text)
}

/// Adds the members of an object that the other does not have yet, all the way down.
fn merge(whole: &mut Value, part: Value) {
    if let (Value::Object(whole), Value::Object(part)) = (whole, part) {
        for (name, member) in part {
            match whole.get_mut(&name) {
                Some(known) => merge(known, member),
                None => drop(whole.insert(name, member)),
            }
        }
    }
}

/// The schema of a type as the document has it, and those that it refers to by their names.
#[must_use]
pub fn schema_of<T: ToSchema>() -> (Value, Map<String, Value>) {
    let mut schemas = vec![(String::new(), T::schema())];
    T::schemas(&mut schemas);
    let schemas: BTreeMap<_, _> = schemas.into_iter().collect();
    let mut document = json!({"components": {"schemas": schemas}});
    camel_fields(&mut document);
    shapes::tidy(&mut document);
    let mut schemas = shapes::taken(&mut document);
    (schemas.remove("").unwrap_or_default(), schemas)
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
        components.insert("securitySchemes".to_owned(), schemes());
        components.insert("responses".to_owned(), shared::responses());
        if let Some(schemas) = components.get_mut("schemas").and_then(Value::as_object_mut) {
            let key =
                json!({"type": "string", "minLength": 1, "maxLength": call::KEY, "pattern": "^[!-~]([ -~]*[!-~])?$"});
            schemas.insert("IdempotencyKey".to_owned(), key);
            schemas.insert("SeenVersion".to_owned(), json!({"type": "string", "pattern": call::SEEN}));
        }
    }
    let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) else { return };
    for methods in paths.values_mut().filter_map(Value::as_object_mut) {
        for (method, documented) in methods {
            let name = documented["operationId"].as_str().unwrap_or_default().to_owned();
            let Some(documented) = documented.as_object_mut() else { continue };
            if let Some(exchanges) = examples.get(camel(&name)).and_then(Value::as_object) {
                exemplify(documented, exchanges);
            }
            if let Some(operation) = operations.iter().find(|o| o.name == name) {
                describe(documented, method, operation);
            }
        }
    }
}

/// How callers prove who they are: people by a token of the identity provider, machine clients by one of this server.
fn schemes() -> Value {
    let scopes = Permission::ALL.iter().filter(|p| is_scope(**p)).map(|p| (p.scope().to_owned(), json!(p.says())));
    json!({
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "clientSecret": {"type": "http", "scheme": "basic", "description": "A client's id and secret, where it asks for a token"},
        "oauth2": {
            "type": "oauth2",
            "description": "For machine clients. The secret goes in the form, or in a Basic header; errors are those of RFC 6749.",
            "flows": {"clientCredentials": {"tokenUrl": oauth::PATH, "scopes": scopes.collect::<Map<_, _>>()}}
        }
    })
}

/// Whether a machine client can have the permission.
fn is_scope(permission: Permission) -> bool {
    [Role::Portal, Role::Script].into_iter().any(|role| permission.reach(role) != Reach::None)
}

/// Exchanges that the tests had, by operation: the contract's examples were executed.
static EXAMPLES: &str = include_str!("../../openapi/examples.json");

/// Puts the exchanges of an operation, by status, where the contract shows them.
fn exemplify(documented: &mut Map<String, Value>, exchanges: &Map<String, Value>) {
    let mut show = |part: &str, at: &str, example: Option<&Value>| {
        let media =
            documented.get_mut(part).and_then(|part| part.pointer_mut(&format!("{at}/content/application~1json")));
        if let (Some(Value::Object(media)), Some(example)) = (media, example) {
            media.insert("example".to_owned(), example.clone());
        }
    };
    show("requestBody", "", exchanges.values().find_map(|exchange| exchange.get("request")));
    for (status, exchange) in exchanges {
        show("responses", &format!("/{status}"), exchange.get("response"));
    }
}

/// Says of a success what its schema cannot: what it means, and what its headers carry.
fn succeed(status: &str, response: &mut Value, summary: &str) {
    let schema = response.pointer("/content/application~1json/schema/$ref").and_then(Value::as_str);
    let is_resource = schema.is_some_and(|name| name.contains("/Resource_"));
    let Some(response) = response.as_object_mut() else { return };
    if response.get("description").and_then(Value::as_str).is_none_or(str::is_empty) {
        response.insert("description".to_owned(), json!(summary));
    }
    let header = |description: &str| json!({"description": description, "schema": {"type": "string"}});
    let mut headers = Map::new();
    if is_resource {
        headers.insert("ETag".to_owned(), header("The version; `If-Match` takes it"));
    }
    if status == "201" {
        headers.insert("Location".to_owned(), header("Where the new resource is"));
    }
    if !headers.is_empty() {
        response.entry("headers").or_insert_with(|| json!(headers));
    }
}

/// `RoundId` names a round.
fn says_which(parameter: &mut Value) {
    let name = parameter.pointer("/schema/$ref").and_then(Value::as_str).and_then(|at| at.rsplit('/').next());
    if parameter["in"] == "path"
        && parameter.get("description").is_none()
        && let Some(thing) = name.and_then(|name| name.strip_suffix("Id"))
    {
        let words = thing.chars().flat_map(|c| c.is_uppercase().then_some(' ').into_iter().chain(c.to_lowercase()));
        parameter["description"] = json!(format!("Which{}", words.collect::<String>()));
    }
}

fn describe(documented: &mut Map<String, Value>, method: &str, operation: &Operation) {
    let sent = documented.get_mut("requestBody").and_then(|body| body["content"].as_object_mut());
    // A file is bytes, whatever it is called; generators know it by this.
    for (_, content) in sent.into_iter().flatten().filter(|(media, _)| *media != "application/json") {
        content["schema"] = json!({"type": "string", "format": "binary"});
    }
    let public = operation.permission.reach(Role::Public) != Reach::None;
    let writes = method != "get";
    documented.insert("operationId".to_owned(), json!(camel(operation.name)));
    documented.insert("x-permission".to_owned(), json!(operation.permission.name()));
    let anyone = public.then(|| json!({}));
    let client = is_scope(operation.permission).then(|| json!({"oauth2": [operation.permission.scope()]}));
    let security: Vec<Value> = anyone.into_iter().chain([json!({"bearer": []})]).chain(client).collect();
    documented.insert("security".to_owned(), json!(security));
    let mut codes: Vec<(u16, &str)> = protocol(documented, method, public).map(|c| (c.status, c.code)).collect();
    let of_keys = if writes { problem::RULES } else { &[] };
    let refusals = operation.rules.iter().flat_map(|rules| rules.iter()).chain(of_keys);
    codes.extend(refusals.map(|r| (problem::status(r.nature), r.code)));
    codes.sort_unstable();
    codes.dedup();
    let summary = documented.get("summary").and_then(Value::as_str).unwrap_or_default().to_owned();
    if let Some(responses) = documented.get_mut("responses").and_then(Value::as_object_mut) {
        for (status, response) in responses.iter_mut().filter(|(status, _)| status.starts_with('2')) {
            succeed(status, response, &summary);
        }
        for (status, _) in &codes {
            responses.insert(status.to_string(), shared::response(*status));
        }
        if !writes {
            responses.insert("304".to_owned(), shared::response(304));
        }
    }
    documented.insert(shared::CODES_BY_STATUS.to_owned(), shared::by_status(&codes));
    let parameters = documented.entry("parameters").or_insert_with(|| json!([]));
    if let Some(parameters) = parameters.as_array_mut() {
        parameters.iter_mut().for_each(says_which);
        for own in parameters.iter_mut().filter(|p| p["name"] == "If-Match") {
            own["schema"] = json!({"$ref": "#/components/schemas/SeenVersion"});
        }
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
    CODES.iter().filter(move |code| match code.status {
        // A client's token is asked for its scope also where no token is needed.
        403 => !public || writes || code.code == problem::INSUFFICIENT_SCOPE.code,
        405 => false,
        // What has no body refuses one that says something.
        408 | 409 | 412 | 413 | 415 => writes,
        428 => conditional,
        _ => true,
    })
}

fn headers(method: &str) -> Vec<Value> {
    let header = |name: &str, required: bool, description: &str, schema: Value| json!({"name": name, "in": "header", "required": required, "description": description, "schema": schema});
    let any = json!({"type": "string"});
    let named = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let (key, seen) = (named("IdempotencyKey"), named("SeenVersion"));
    let dry = json!({"name": "dryRun", "in": "query", "required": false, "schema": {"type": "boolean"},
        "description": "`true`: decide in full, answer as usual, write nothing"});
    let key = header("Idempotency-Key", false, "A replay with the same key is answered with the first answer", key);
    match method {
        "get" => vec![header("If-None-Match", false, "The ETag of the representation the caller has", any)],
        "post" => vec![key, header("If-Match", false, "The ETag of the version the caller saw", seen), dry],
        _ => vec![key, header("If-Match", true, "The ETag of the version the caller saw", seen), dry],
    }
}

/// Serves the document and its pages, which take nothing from another site.
pub fn serve(service: &mut ServiceConfig) {
    service.route("/openapi.json", web::get().to(published));
    service.route(
        "/docs",
        web::get().to(|| async { HttpResponse::Found().insert_header(("Location", "/docs/")).finish() }),
    );
    // What the page is made of comes from this server. It writes styles into its elements.
    let policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                  connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let page =
        SwaggerUi::new("/{_:.*}").config(Config::from("/openapi.json").validator_url("none").show_extensions(true));
    service.service(
        web::scope("/docs").wrap(DefaultHeaders::new().add(("Content-Security-Policy", policy))).service(page),
    );
}

/// The document. It is made when it is first asked for: that takes longer than starting the server, and most of its memory.
async fn published() -> Result<HttpResponse, Problem> {
    let text = web::block(text).await.map_err(|e| e.to_string()).and_then(|made| made);
    let text = text.map_err(|why| Failure::Broken(format!("the document: {why}")))?;
    Ok(HttpResponse::Ok().content_type("application/json").body(text))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::routes;

    /// A name is one schema: a second one would silently stand in the place of the first.
    #[test]
    fn no_two_subjects_name_different_schemas_alike() {
        let mut known = BTreeMap::new();
        for routes in routes() {
            let components = (routes.document)().components.unwrap_or_default();
            for (name, schema) in components.schemas {
                let schema = serde_json::to_value(schema).unwrap();
                let first = known.entry(name.clone()).or_insert_with(|| schema.clone());
                assert_eq!(*first, schema, "{name} names two schemas");
            }
        }
    }
}

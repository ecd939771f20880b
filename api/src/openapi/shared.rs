//! Responses and parameters that operations have in common: told once among the components, and referred to.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use serde_json::{Map, Value, json};

use super::shapes::pascal;
use crate::http::body::camel;
use crate::http::problem::CODES;

/// The member with the codes of problems: of a shared response its own, of an operation those of [`BY_RULE`], by status.
pub const CODES_BY_STATUS: &str = "x-problem-codes";
/// Statuses whose codes follow from the rules of an operation.
const BY_RULE: [u16; 3] = [403, 409, 422];

/// Every response that is no success, by the name of its status.
pub fn responses() -> Value {
    let statuses = CODES.iter().map(|code| code.status).filter(|status| *status != 405).chain([304]);
    statuses.map(|status| (name(status), written(status))).collect::<Map<_, _>>().into()
}

fn written(status: u16) -> Value {
    if status == 304 {
        return json!({"description": "Unchanged since the ETag in If-None-Match"});
    }
    let codes: Vec<_> = CODES.iter().filter(|code| code.status == status).collect();
    let content = json!({"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}});
    if BY_RULE.contains(&status) {
        let description = format!("{}: the operation's `{CODES_BY_STATUS}` say by which rules", words(status));
        return json!({"description": description, "content": content});
    }
    let says: Vec<&str> = codes.iter().map(|code| code.says).collect();
    let names: Vec<&str> = codes.iter().map(|code| code.code).collect();
    json!({"description": says.join(" "), CODES_BY_STATUS: names, "content": content})
}

/// Refers to the response of a status.
pub fn response(status: u16) -> Value {
    json!({"$ref": format!("#/components/responses/{}", name(status))})
}

/// The codes of an operation that its shared responses do not have.
pub fn by_status(codes: &[(u16, &str)]) -> Value {
    let mut grouped: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (status, code) in codes.iter().filter(|(status, _)| BY_RULE.contains(status)) {
        grouped.entry(status.to_string()).or_default().push(code);
    }
    json!(grouped)
}

fn words(status: u16) -> &'static str {
    StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default()
}

fn name(status: u16) -> String {
    words(status).replace(' ', "")
}

/// Refers to parameters that several operations have. Of those with one name but other words, what most have is shared.
pub fn parameters(document: &mut Value) {
    let mut uses: BTreeMap<String, Vec<(Value, usize)>> = BTreeMap::new();
    for parameter in each(document) {
        let known = uses.entry(title(parameter)).or_default();
        match known.iter_mut().find(|(one, _)| one == parameter) {
            Some((_, count)) => *count += 1,
            None => known.push((parameter.clone(), 1)),
        }
    }
    let most = |known: Vec<(Value, usize)>| known.into_iter().rev().max_by_key(|(_, count)| *count);
    let shared: Map<String, Value> = uses
        .into_iter()
        .filter_map(|(name, known)| most(known).filter(|(_, count)| *count > 1).map(|(parameter, _)| (name, parameter)))
        .collect();
    for parameter in each(document) {
        let name = title(parameter);
        if shared.get(&name) == Some(parameter) {
            *parameter = json!({"$ref": format!("#/components/parameters/{name}")});
        }
    }
    if let Some(components) = document.get_mut("components") {
        components["parameters"] = shared.into();
    }
}

/// Every parameter of every operation.
fn each(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    let methods = paths.into_iter().flat_map(|paths| paths.values_mut()).filter_map(Value::as_object_mut);
    let operations = methods.flat_map(|methods| methods.values_mut());
    let lists = operations.filter_map(|operation| operation.get_mut("parameters").and_then(Value::as_array_mut));
    lists.flatten()
}

/// What a parameter is called among the components: `RoundId` for the `id` of a round, `IfMatchRequired`.
fn title(parameter: &Value) -> String {
    let schema = parameter.pointer("/schema/$ref").and_then(Value::as_str).and_then(|at| at.rsplit('/').next());
    let (name, place) = (parameter["name"].as_str().unwrap_or_default(), &parameter["in"]);
    match schema {
        Some(schema) if name == "id" => schema.to_owned(),
        _ if place != "path" && parameter["required"] == true => pascal(&camel(&name.replace('-', "_"))) + "Required",
        _ => pascal(&camel(&name.replace('-', "_"))),
    }
}

//! Which aggregate a part of the document names: a parameter with the schema `FeeId` is the id of a fee.

use domain::kernel::Kind;
use serde_json::Value;

use crate::documented::{OPERATIONS, Operation};

/// The kind whose identifiers have that schema.
fn by_schema(schema: &Value) -> Option<Kind> {
    let name = schema["$ref"].as_str()?.rsplit('/').next()?.strip_suffix("Id")?;
    Kind::ALL.iter().copied().find(|kind| format!("{kind:?}") == name)
}

/// The kind that a parameter of an operation names.
pub fn parameter(operation: &Operation, place: &str, name: &str) -> Option<Kind> {
    let mut parameters = operation.documented["parameters"].as_array().into_iter().flatten();
    by_schema(&parameters.find(|parameter| parameter["in"] == place && parameter["name"] == name)?["schema"])
}

/// The kind of the thing that a path is under: the first that it names.
pub fn under(operation: &Operation) -> Option<Kind> {
    parameters(&operation.path).find_map(|name| parameter(operation, "path", name))
}

/// The kind that a collection has: `lots` those of which `/v1/lots/{id}` names one.
pub fn collection(word: &str) -> Option<Kind> {
    let path = format!("/v1/{word}/{{id}}");
    under(OPERATIONS.iter().find(|operation| operation.path == path)?)
}

/// The parameters of a path pattern, in its order.
fn parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

#[test]
fn every_kind_that_a_path_names_is_known_by_its_schema() {
    for operation in OPERATIONS.iter() {
        for name in parameters(&operation.path) {
            let all = operation.documented["parameters"].as_array().into_iter().flatten();
            let mut schemas = all.filter(|p| p["in"] == "path" && p["name"] == name).map(|p| p["schema"].to_string());
            let is_id = schemas.any(|schema| schema.contains("Id\""));
            assert_eq!(parameter(operation, "path", name).is_some(), is_id, "{}: {name}", operation.id);
        }
    }
}

//! Proofs over every operation of the published document.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use domain::kernel::{Permission, Reach, Role};
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::documented::{ALL, OPERATIONS, Operation};

/// An id that nothing has.
const NOBODY: &str = "0190a000-0000-7000-8000-00000000dead";

pub fn permission(operation: &Operation) -> Permission {
    let found = Permission::ALL.iter().find(|p| p.name() == operation.permission);
    *found.unwrap_or_else(|| panic!("{} has no permission: `{}`", operation.id, operation.permission))
}

fn is_public(operation: &Operation) -> bool {
    permission(operation).reach(Role::Public) != Reach::None
}

fn call(app: &TestApp, role: Role, operation: &Operation) -> crate::actor::Reply {
    let method = match operation.method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        other => panic!("a method that is new here: {other}"),
    };
    let body = if method == "GET" { Value::Null } else { json!({}) };
    app.of_role(role).request(method, &operation.filled(NOBODY)).json(body).if_match("\"1\"").send()
}

on_both! {
    fn every_operation_asks_for_a_token_unless_it_is_public(app: &TestApp) {
        for operation in OPERATIONS.iter().filter(|operation| !is_public(operation)) {
            call(app, Role::Public, operation).problem("unauthenticated", 401);
        }
    }

    fn every_operation_refuses_a_token_that_is_none(app: &TestApp) {
        for operation in OPERATIONS.iter().filter(|operation| operation.method == "GET") {
            app.bearing("x").get(&operation.filled(NOBODY)).problem("unauthenticated", 401);
        }
    }

    fn every_write_refuses_a_field_that_it_does_not_know(app: &TestApp) {
        for operation in OPERATIONS.iter().filter(|operation| operation.method != "GET") {
            let role = Role::ALL.into_iter().skip(1).find(|role| permission(operation).reach(*role) != Reach::None);
            let known = ["POST", "PUT", "PATCH", "DELETE"];
            let method = known.into_iter().find(|known| operation.method == *known).unwrap();
            let caller = app.of_role(role.unwrap());
            let send = |media: &str| {
                let body = json!({"noSuchField": 1}).to_string();
                let path = format!("{}{}", operation.filled(NOBODY), operation.needed_query(NOBODY));
                caller.request(method, &path).bytes(media, body.as_bytes()).if_match("\"1\"").send()
            };
            if operation.takes_a_file() {
                send("application/json").problem("unsupported_media_type", 415);
            } else {
                send("application/json").problem("invalid", 422);
            }
            send("text/plain").problem("unsupported_media_type", 415);
        }
    }

    fn every_operation_keeps_to_the_matrix(app: &TestApp) {
        for operation in OPERATIONS.iter() {
            for role in Role::ALL.into_iter().skip(1) {
                let reply = call(app, role, operation);
                if permission(operation).reach(role) == Reach::None {
                    reply.problem("forbidden", 403);
                } else {
                    let at_the_gate = reply.body["detail"].as_str().is_some_and(|d| d.starts_with("the role "));
                    assert!(reply.status != 401 && !at_the_gate, "{} may {}\n{reply}", role.name(), operation.id);
                }
            }
        }
    }
}

#[test]
fn every_operation_is_documented_in_full() {
    let open: Vec<&str> = ALL.iter().filter(|o| o.permission.is_empty()).map(|o| o.path.as_str()).collect();
    assert_eq!(open, ["/oauth/token"], "every other operation needs a permission");
    let mut ids = BTreeSet::new();
    for operation in OPERATIONS.iter() {
        let Operation { id, documented, .. } = operation;
        assert!(!id.is_empty() && ids.insert(id), "an operation has an id of its own: {operation:?}");
        permission(operation);
        let summary = documented["summary"].as_str().unwrap_or_default();
        assert!(!summary.is_empty() && !summary.ends_with('.'), "{id}: a summary is a line: `{summary}`");
        assert_eq!(documented["tags"].as_array().map_or(0, Vec::len), 1, "{id} has one tag");
        assert!(!operation.all_codes().is_empty(), "{id} documents its problems");
        for parameter in documented["parameters"].as_array().into_iter().flatten() {
            let described = parameter["description"].as_str().is_some_and(|text| !text.is_empty());
            assert!(described || parameter["in"] == "path", "{id} describes its parameters: {parameter}");
        }
        let path: Vec<&str> = operation.path.split('/').filter(|part| part.starts_with('{')).collect();
        let named = documented["parameters"].as_array().into_iter().flatten().filter(|p| p["in"] == "path").count();
        assert_eq!(path.len(), named, "{id} documents the parameters of its path");
    }
}

#[test]
fn every_path_is_plural_kebab_case_under_v1() {
    let outside = ["/health", "/ready", "/problems/{code}"];
    for operation in OPERATIONS.iter().filter(|operation| !outside.contains(&operation.path.as_str())) {
        let rest = operation.path.strip_prefix("/v1/").unwrap_or_else(|| panic!("{} is under /v1", operation.path));
        for part in rest.split('/').filter(|part| !part.starts_with('{')) {
            let kebab = part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            assert!(kebab, "{} is written in kebab case", operation.path);
        }
    }
}

#[test]
fn the_permission_matrix() {
    let mut table = format!("{:<22}", "");
    for role in Role::ALL {
        write!(table, "{:<20}", role.name()).unwrap();
    }
    for permission in Permission::ALL {
        write!(table, "\n{:<22}", permission.name()).unwrap();
        for role in Role::ALL {
            let reach = match permission.reach(role) {
                Reach::Full => "full",
                Reach::Own => "own",
                Reach::None => "-",
            };
            write!(table, "{reach:<20}").unwrap();
        }
    }
    let mut operations = String::new();
    for operation in OPERATIONS.iter() {
        writeln!(operations, "{:<22}{:<7}{}", operation.permission, operation.method, operation.path).unwrap();
    }
    let text: Vec<&str> = table.lines().map(str::trim_end).collect();
    insta::assert_snapshot!(format!("{}\n\n{operations}", text.join("\n")));
}

//! What looks like a statement is a text: it is kept as it is, finds itself and nothing else, and does nothing.

use domain::kernel::Role;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::documented::OPERATIONS;

const STATEMENTS: [&str; 8] = [
    "'; DROP TABLE providers; --",
    "' OR '1'='1",
    "\") OR 1=1 --",
    "x') UNION SELECT id, body FROM clients --",
    "\\'; SELECT pg_sleep(60); --",
    "%",
    "_",
    "$1 ?1 :id",
];

/// A text as part of an address.
fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

on_both! {
    fn a_statement_in_a_text_is_a_text(app: &TestApp) {
        let portal = app.portal("procontract");
        let statement = |n: usize| STATEMENTS[n % STATEMENTS.len()];
        for (n, text) in STATEMENTS.iter().enumerate() {
            let body = json!({"legalName": text, "email": "office@example.org", "tradingNames": [statement(n + 1)]});
            let kept = portal.request("PUT", &format!("/v1/providers/by-reference/{}/{}", escaped("procontract"), escaped(text)));
            let kept = kept.header("if-none-match", "*").header("x-request-id", "r").json(body).send().expect(201);
            assert_eq!(kept.body["profile"]["legalName"], *text);
        }
        // Each finds itself by its reference, and none finds another.
        for text in STATEMENTS {
            let found = portal.all(&format!("/v1/providers?portal=procontract&reference={}", escaped(text)));
            let names: Vec<&Value> = found.iter().map(|provider| &provider["profile"]["legalName"]).collect();
            assert_eq!(names, [text], "{found:?}");
        }
        // Nor does any parameter that is a text find what it does not name.
        let caller = |permission: &str| {
            let role = if permission.contains("Client") { Role::Administrator } else { Role::Script };
            app.of_role(role)
        };
        let mut asked = 0;
        for operation in OPERATIONS.iter().filter(|operation| operation.method == "GET") {
            for parameter in operation.documented["parameters"].as_array().into_iter().flatten() {
                let free = parameter["in"] == "query" && parameter["schema"].to_string().contains("\"string\"");
                let name = parameter["name"].as_str().unwrap_or_default();
                for text in STATEMENTS.iter().filter(|_| free) {
                    let path = operation.path.replace("{id}", "0190a000-0000-7000-8000-00000000dead");
                    let path = format!("{path}?{name}={}", escaped(text));
                    let reply = caller(&operation.permission).get(&path);
                    assert!(reply.status < 500, "{reply}");
                    let items = reply.body["items"].as_array().map_or(0, Vec::len);
                    assert!(items == 0, "{path} finds {items}\n{reply}");
                    asked += 1;
                }
            }
        }
        assert!(asked > 200, "{asked}");
        for operation in OPERATIONS.iter().filter(|operation| operation.path.contains('{')) {
            for text in STATEMENTS {
                let path: Vec<String> = operation.path.split('/').map(|part| if part.starts_with('{') { escaped(text) } else { part.to_owned() }).collect();
                let method: &'static str = match operation.method.as_str() {
                    "GET" => "GET",
                    "PUT" => "PUT",
                    "DELETE" => "DELETE",
                    "PATCH" => "PATCH",
                    _ => "POST",
                };
                let reply = caller(&operation.permission).request(method, &path.join("/")).json(json!({})).send();
                assert!((400..500).contains(&reply.status), "{reply}");
            }
        }
        assert_eq!(portal.all("/v1/providers").len(), STATEMENTS.len(), "nothing was dropped");
        // Nor does the name of an account, which the audit is searched by.
        for text in STATEMENTS {
            let own = app.actor(Role::LeadAgency, text, Some("LGSS"), None);
            own.post("/v1/arrangements?dryRun=true", json!({})).expect(422);
            assert_eq!(app.script().get(&format!("/v1/audit?actor={}", escaped(text))).expect(200).body["items"], json!([]));
        }
    }
}

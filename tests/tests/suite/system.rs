//! The server itself.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::json;

use crate::app::{START, TestApp};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

on_both! {
    fn it_lives_works_and_is_measured_without_a_token(app: &TestApp) {
        assert_eq!(app.anonymous().get("/health").expect(200).body["status"], "ok");
        assert_eq!(app.anonymous().get("/ready").expect(200).body["status"], "ready");
        let figures = app.anonymous().get("/metrics").expect(200).text;
        for path in ["/health", "/ready"] {
            let line = format!("dps_requests_total{{method=\"GET\",path=\"{path}\",status=\"200\"}} 1");
            assert!(figures.contains(&line), "{line}\n{figures}");
        }
    }

    fn unknown_paths_are_counted_as_one(app: &TestApp) {
        app.anonymous().get("/made/up/1").expect(404);
        app.anonymous().get("/made/up/2").expect(404);
        let figures = app.anonymous().get("/metrics").expect(200).text;
        assert!(!figures.contains("/made/up"), "{figures}");
    }

    fn every_code_is_explained(app: &TestApp) {
        let mut seen = BTreeSet::new();
        for known in api::system::table() {
            let known = serde_json::to_value(&known).unwrap();
            let code = known["code"].as_str().unwrap().to_owned();
            assert_eq!(app.anonymous().get(&format!("/problems/{code}")).expect(200).body, known);
            assert!(known["says"].as_str().unwrap().ends_with('.'), "{known}");
            assert!(seen.insert(code), "one code, one meaning: {known}");
        }
        for operation in crate::documented::OPERATIONS.iter() {
            for code in operation.all_codes() {
                assert!(seen.contains(code), "{} documents {code}, which nothing explains", operation.id);
            }
        }
        app.anonymous().get("/problems/made_up").problem("not_found", 404);
    }

    fn the_clock_moves_forward_for_those_who_run_it(app: &TestApp) {
        let now = app.anonymous().get("/v1/clock").expect(200).body;
        assert_eq!(now, json!({"now": START, "movable": true}));
        app.anonymous().put("/v1/clock", json!({"now": "2017-01-01T00:00:00Z"})).problem("unauthenticated", 401);
        app.commissioner("CCC").put("/v1/clock", json!({"now": "2017-01-01T00:00:00Z"})).problem("forbidden", 403);
        app.script().put("/v1/clock", json!({"now": "2015-12-31T23:59:59Z"})).problem("clock_backwards", 422);
        app.at("2017-01-01T00:00:00Z");
        assert_eq!(app.anonymous().get("/v1/clock").expect(200).body["now"], "2017-01-01T00:00:00Z");
    }

    fn the_law_explains_itself(app: &TestApp) {
        assert_eq!(app.anonymous().all("/v1/regimes").len(), 4);
        let ask = |query: &str| app.anonymous().get(&format!("/v1/deadlines?{query}"));
        ask("regime=pcr34&rule=PCR34-16&start=2019-01-04T00:00:00Z").expect(200);
        ask("regime=pcr34&rule=NONE&start=2019-01-04T00:00:00Z").problem("no_such_clock", 422);
        ask("regime=sharia&rule=NONE&start=2019-01-04T00:00:00Z").problem("unreadable", 400);
    }

    fn ac_81_the_published_contract_is_the_one_that_is_served(app: &TestApp) {
        let published = std::fs::read_to_string(format!("{ROOT}/openapi/openapi.json"))
            .expect("openapi/openapi.json: `make openapi` writes it");
        let served = app.anonymous().get("/openapi.json").expect(200);
        assert!(served.text == published, "openapi/openapi.json is not what is served: run `make openapi`");
        let named: BTreeSet<&str> = crate::documented::OPERATIONS.iter().map(|o| o.id.as_str()).collect();
        for operation in api::routes().flat_map(|routes| routes.operations) {
            let id = api::http::body::camel(operation.name);
            assert!(named.contains(id.as_str()), "{id} is served but not documented");
        }
    }

    fn the_documentation_is_served_with_the_server(app: &TestApp) {
        assert_eq!(app.anonymous().get("/docs").expect(302).header("location"), Some("/docs/"));
        assert!(app.anonymous().get("/docs/").expect(200).text.contains("swagger-ui"));
    }
}

#[test]
fn ac_82_the_domain_is_pure() {
    let answer = Command::new(format!("{ROOT}/scripts/purity")).output().expect("scripts/purity");
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
}

//! The headers that every answer has, after OWASP's lists for REST and for secure headers.

use crate::actor::Reply;
use crate::app::TestApp;
use crate::database::Kind;

const EVERY: [(&str, &str); 8] = [
    ("x-content-type-options", "nosniff"),
    ("cache-control", "no-store"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ("x-permitted-cross-domain-policies", "none"),
];
const NOTHING: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// One of each sort of answer, with what was asked.
fn answers(app: &TestApp) -> Vec<(&'static str, u16, Reply)> {
    let anyone = app.anonymous();
    let lead = app.lead("LGSS");
    let made = lead.post("/v1/arrangements", crate::market::cambridgeshire()).expect(201);
    let path = format!("/v1/arrangements/{}", made.id());
    let etag = made.etag();
    let unchanged = lead.request("GET", &path).header("if-none-match", &etag).send();
    vec![
        ("an answer", 200, lead.get(&path)),
        ("something made", 201, made),
        ("a redirection", 302, anyone.get("/docs")),
        ("nothing new", 304, unchanged),
        ("what cannot be read", 400, anyone.get("/v1/clock?x=1")),
        ("no token", 401, anyone.get("/v1/providers")),
        ("no right", 403, app.administrator().get("/v1/providers")),
        ("not there", 404, lead.get("/v1/arrangements/0190a000-0000-7000-8000-00000000dead")),
        ("no page", 404, anyone.get("/nothing")),
        ("no page of the documentation", 404, anyone.get("/docs/nothing")),
        ("no method", 405, anyone.request("DELETE", "/v1/clock").send()),
        ("a head", 200, lead.request("HEAD", &path).send_to_broken()),
        ("a token's form", 400, anyone.request("POST", "/oauth/token").send()),
        ("the document", 200, anyone.get("/openapi.json")),
        ("the figures", 200, anyone.get("/metrics")),
        ("the page", 200, anyone.get("/docs/")),
        ("its script", 200, anyone.get("/docs/swagger-initializer.js")),
    ]
}

on_both! {
    fn every_answer_says_what_a_browser_may_do_with_it(app: &TestApp) {
        for (what, status, reply) in answers(app) {
            assert_eq!(reply.status, status, "{what}: {reply}");
            for (name, value) in EVERY {
                assert_eq!(reply.header(name), Some(value), "{what}: {name}");
                assert_eq!(reply.headers.get_all(name).iter().count(), 1, "{what}: {name}");
            }
            let policy = reply.header("content-security-policy").unwrap();
            let is_page = what.contains("page of") || ["the page", "its script"].contains(&what);
            assert_eq!(policy == NOTHING, !is_page, "{what}: {policy}");
            assert!(policy.starts_with("default-src 'none'; ") && policy.ends_with("frame-ancestors 'none'"), "{policy}");
            assert!(!policy.contains("script-src 'self' ") && !policy.contains("unsafe-eval"), "{policy}");
            // Nothing tells what this server is made of, and no other site's script may read an answer.
            for absent in ["server", "x-powered-by", "access-control-allow-origin", "strict-transport-security", "set-cookie"] {
                assert_eq!(reply.header(absent), None, "{what}: {absent}");
            }
            if reply.status >= 400 && what != "no page of the documentation" {
                assert!(reply.header("content-type").is_some_and(|media| media.ends_with("json")), "{what}: {reply}");
            }
        }
    }
}

#[test]
fn behind_tls_a_browser_is_told_to_come_by_nothing_else() {
    let app = &TestApp::tuned(Kind::Sqlite, |config| config.public_url = Some("https://dps.example.gov.uk".to_owned()));
    for reply in [app.anonymous().get("/v1/clock"), app.anonymous().get("/nothing"), app.anonymous().get("/docs/")] {
        assert_eq!(reply.header("strict-transport-security"), Some("max-age=63072000"), "{reply}");
    }
}

#[test]
fn a_browser_of_another_site_gets_no_leave() {
    let app = &TestApp::on(Kind::Sqlite);
    let asked = app.anonymous().request("OPTIONS", "/v1/arrangements");
    let asked = asked.header("origin", "https://evil.example").header("access-control-request-method", "POST").send();
    assert_eq!((asked.status, asked.header("access-control-allow-origin")), (405, None));
}

//! What clients may take of the server: size, number, depth and time. Each limit is tried, by hand where a client library would not do
//! it; the server answers or closes, and goes on serving others.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::app::{BODY_LIMIT, TestApp};
use crate::applicants::Applicant;
use crate::market::{LIVE, Market, cambridgeshire};

/// What a server in a hurry waits for.
const SOON: Duration = Duration::from_secs(1);

/// A connection to the server, with that sent.
fn sent(app: &TestApp, bytes: impl AsRef<[u8]>) -> TcpStream {
    let mut stream = TcpStream::connect(app.address.trim_start_matches("http://")).unwrap();
    stream.write_all(bytes.as_ref()).unwrap();
    stream
}

/// What comes until the server closes the connection. One that it resets ends too.
pub fn rest(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    String::from_utf8_lossy(&answer).into_owned()
}

/// One answer on a connection that stays.
fn answered(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    while !answer.ends_with(b"}") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        answer.extend(byte);
    }
    String::from_utf8(answer).unwrap()
}

/// A server that waits for nobody, on a database of that kind.
fn hurried(app: &TestApp) -> TestApp {
    TestApp::tuned(app.database.kind, |config| (config.bounds.time, config.bounds.idle) = (SOON, SOON))
}

/// The head of a request for an arrangement, by the lead agency.
fn creation(app: &TestApp, headers: &str) -> String {
    let lead = app.lead("LGSS");
    let token = lead.token();
    format!(
        "POST /v1/arrangements HTTP/1.1\r\nhost: dps\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n{headers}\r\n"
    )
}

on_both! {
    fn a_head_that_does_not_arrive_is_not_waited_for(app: &TestApp) {
        let app = &hurried(app);
        let first = sent(app, "GET /health HTTP/1.1\r\nhost: dps\r\n");
        let mut later = sent(app, "GET /health HTTP/1.1\r\nhost: dps\r\n\r\n");
        assert!(answered(&mut later).contains("\"ok\""));
        later.write_all(b"GET /health HTTP/1.1\r\nhost: dps\r\n").unwrap();
        let idle = sent(app, "");
        app.anonymous().get("/health").expect(200);
        assert!(rest(first).starts_with("HTTP/1.1 408 "));
        // The framework times the first head of a connection only; the others are closed.
        assert_eq!(rest(later), "");
        assert!(rest(idle).starts_with("HTTP/1.1 408 "));
        app.anonymous().get("/health").expect(200);
    }

    fn a_body_that_does_not_arrive_is_not_waited_for(app: &TestApp) {
        let app = &hurried(app);
        let slow = sent(app, creation(app, "content-length: 100\r\n") + "{\"kind\"");
        let chunked = sent(app, creation(app, "transfer-encoding: chunked\r\n") + "7\r\n{\"kind\"\r\n");
        let form = "POST /oauth/token HTTP/1.1\r\nhost: dps\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 100\r\n\r\ngrant";
        let form = sent(app, form);
        app.anonymous().get("/health").expect(200);
        for stream in [slow, chunked] {
            let answer = rest(stream);
            assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("\"too_slow\""), "{answer}");
        }
        let answer = rest(form);
        assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("\"invalid_request\""), "{answer}");
        assert!(app.lead("LGSS").all("/v1/arrangements").is_empty());
    }

    fn a_refused_body_is_not_read_for_ever(app: &TestApp) {
        let app = &hurried(app);
        // Without a token it is refused before its body is read, and the rest never comes.
        let refused = sent(app, "POST /v1/arrangements HTTP/1.1\r\nhost: dps\r\ntransfer-encoding: chunked\r\n\r\n7\r\n{\"kind\"\r\n");
        let answer = rest(refused);
        assert!(answer.starts_with("HTTP/1.1 401 ") && answer.contains("\"unauthenticated\""), "{answer}");
    }

    fn more_connections_than_there_may_be_wait(app: &TestApp) {
        let app = &TestApp::tuned(app.database.kind, |config| {
            (config.bounds.time, config.bounds.idle, config.bounds.connections) = (SOON, SOON, 2);
        });
        let held = [sent(app, "GET /health HTTP/1.1\r\n"), sent(app, "GET /health HTTP/1.1\r\n")];
        app.anonymous().get("/health").expect(200);
        let ended = |stream: TcpStream| stream.set_nonblocking(true).is_ok() && rest(stream).starts_with("HTTP/1.1 408 ");
        assert!(held.into_iter().any(ended), "one that waited came after one that held a place was closed");
    }

    fn a_head_has_a_largest_size(app: &TestApp) {
        let get = |target: &str, headers: &str| rest(sent(app, format!("GET {target} HTTP/1.1\r\nhost: dps\r\nconnection: close\r\n{headers}\r\n")));
        let many = |n: usize| (0..n).map(|n| format!("x-{n}: 1\r\n")).collect::<String>();
        assert!(get("/health", &many(94)).starts_with("HTTP/1.1 200 "));
        assert!(get("/health", &many(95)).starts_with("HTTP/1.1 431 "));
        assert!(get("/health", &format!("x: {}\r\n", "x".repeat(120_000))).starts_with("HTTP/1.1 200 "));
        assert!(get("/health", &format!("x: {}", "x".repeat(140_000))).starts_with("HTTP/1.1 431 "));
        assert!(get(&format!("/v1/regimes?{}", "x".repeat(60_000)), "").starts_with("HTTP/1.1 400 "));
        assert!(get(&format!("/v1/regimes?{}", "x".repeat(70_000)), "").starts_with("HTTP/1.1 400 "));
        app.anonymous().get("/health").expect(200);
    }

    fn a_body_is_refused_by_what_it_says_or_by_what_comes(app: &TestApp) {
        // What is refused in the middle of a body is closed when it has lain idle.
        let app = &TestApp::tuned(app.database.kind, |config| config.bounds.idle = SOON);
        let announced = rest(sent(app, creation(app, "content-length: 99999999999\r\n") + "{"));
        assert!(announced.starts_with("HTTP/1.1 413 ") && announced.contains("\"too_large\""), "{announced}");
        let piece = format!("4000\r\n{}\r\n", " ".repeat(0x4000));
        let counted = rest(sent(app, creation(app, "transfer-encoding: chunked\r\nconnection: close\r\n") + &piece.repeat(BODY_LIMIT / 0x4000 + 1) + "0\r\n\r\n"));
        assert!(counted.starts_with("HTTP/1.1 413 ") && counted.contains("\"too_large\""), "{counted}");
        let malformed = rest(sent(app, creation(app, "transfer-encoding: chunked\r\n") + "no number\r\n{}\r\n0\r\n\r\n"));
        assert!(malformed.starts_with("HTTP/1.1 400 "), "{malformed}");
        let both = rest(sent(app, creation(app, "transfer-encoding: chunked\r\ncontent-length: 2\r\n") + "0\r\n\r\n"));
        assert!(both.starts_with("HTTP/1.1 400 "), "what could be read in two ways is not read: {both}");
    }

    fn json_has_a_greatest_depth(app: &TestApp) {
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        let path = "/v1/applications/0190a000-0000-7000-8000-00000000dead/answers/0190a000-0000-7000-8000-00000000dead";
        let answer = |depth: usize| {
            let body = format!("{{\"values\": {{\"insured\": {}}}}}", nested(depth));
            app.newcomer().request("PUT", path).bytes("application/json", body.as_bytes()).if_match("*").send()
        };
        answer(100).problem("not_found", 404);
        for depth in [200, BODY_LIMIT / 2 - 100] {
            answer(depth).problem("unreadable", 400);
            // Also where something else is asked for.
            let lead = app.lead("LGSS").request("POST", "/v1/requirements").bytes("application/json", nested(depth).as_bytes());
            lead.send().problem("unreadable", 400);
        }
    }

    fn a_list_and_a_text_have_a_greatest_length(app: &TestApp) {
        let newcomer = app.newcomer();
        let register = |names: usize, letters: usize| {
            let names: Vec<String> = (0..names).map(|n| format!("Name {n}")).collect();
            let body = json!({"legalName": "x".repeat(letters), "tradingNames": names});
            newcomer.post("/v1/providers?dryRun=true", body)
        };
        let (list, text) = ("a list has at most 1000 entries", "a text has at most 20000 characters");
        let said = |names, letters, what: &str| register(names, letters).text.contains(what);
        assert!(said(1_001, 1, list) && !said(1_000, 1, list));
        assert!(said(1, 20_001, text) && !said(1, 20_000, text));
        // Before anything else is looked for in it.
        let unknown = newcomer.post("/v1/providers", json!({"unknown": vec![0; 1_001]}));
        assert!(unknown.text.contains(list), "{unknown}");
    }

    fn an_object_has_so_many_members_with_such_names_and_a_refusal_so_many_errors(app: &TestApp) {
        let market = Market::published(app);
        app.at(LIVE);
        let application = Applicant::new(app, "Fens Care").start(&market, &["FOSTERING"]);
        let answer = |values: Value| application.answer(&market, "safeguarding", json!({"values": values}));
        let members = |n: usize, value: &str| (0..n).map(|n| (format!("{n:x}"), json!(value))).collect::<Map<_, _>>();
        let (count, name) = ("an object has at most 1000 members", "a name has at most 200 characters");
        let said = |values: Value, what: &str| answer(values).text.contains(what);
        assert!(said(members(1_001, "x").into(), count) && !said(members(1_000, "x").into(), count));
        assert!(said(json!({"n".repeat(201): 1}), name) && !said(json!({"n".repeat(200): 1}), name));
        // Each would name a place that is as long as its object's name.
        let reply = answer(json!({"n".repeat(200): members(1_000, "\0")}));
        assert_eq!(reply.body["errors"].as_array().unwrap().len(), 100);
        assert!(reply.text.len() < 100_000, "{} bytes", reply.text.len());
        reply.problem("invalid", 422);
    }

    fn a_query_parameter_is_known_and_there_once(app: &TestApp) {
        let lead = app.lead("LGSS");
        for query in ["limit=1&limit=1", "state=live&state=live", "limit=1&cursor=&cursor="] {
            lead.get(&format!("/v1/arrangements?{query}")).problem("unreadable", 400);
        }
        lead.post("/v1/arrangements?dryRun=true&dryRun=true", cambridgeshire()).problem("unreadable", 400);
        let many: String = (0..5_000).map(|n| format!("x{n}=1&")).collect();
        lead.get(&format!("/v1/arrangements?{many}")).problem("unreadable", 400);
    }
}

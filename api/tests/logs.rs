//! The log of a running server: each line is an object of the documented form, and tells nothing of whoever calls.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, and says where")]

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// The fields of a request that was answered, as docs/operations.md lists them.
const ANSWERED: [&str; 5] = ["method", "micros", "path", "request", "status"];
/// What only callers know of: none of it is ever logged.
const PRIVATE: [&str; 6] = ["jane", "0190a000-0000-7000-8000-00000000cafe", "LGSS", "eyJ", "s3cret", "127.0.0.1"];

struct Server {
    child: Child,
    folder: PathBuf,
    address: String,
    agent: ureq::Agent,
}

impl Server {
    fn start(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("logs_{name}_{}", std::process::id()));
        drop(std::fs::remove_dir_all(&folder));
        std::fs::create_dir_all(&folder).unwrap();
        let mut child = Self::command(&folder, &["serve"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let first = BufReader::new(child.stdout.take().unwrap()).lines().next().expect("the address").unwrap();
        let address = first.split_whitespace().last().unwrap().to_owned();
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .proxy(None)
            .build()
            .into();
        Self { child, folder, address, agent }
    }

    fn command(folder: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dps"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("DPS_")) {
            command.env_remove(name);
        }
        command
            .args(arguments)
            .current_dir(folder)
            .env("DATABASE_URL", "sqlite:dps.db")
            .env("DPS_LISTEN", "127.0.0.1:0")
            .env("DPS_CLOCK", "2018-12-03T09:00:00Z");
        command
    }

    fn token(&self) -> String {
        let arguments = ["token", "--role", "lead_agency", "--authority", "LGSS", "--subject", "jane.doe"];
        let told = Self::command(&self.folder, &arguments).output().unwrap();
        String::from_utf8(told.stdout).unwrap().trim().to_owned()
    }

    /// The status, the request's id as the answer tells it, and the body.
    fn send(&self, method: &str, path: &str, token: Option<&str>, body: &Value) -> (u16, String, Value) {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.address));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.header("content-type", "application/json");
        let mut answer = match body {
            Value::Null if method == "GET" => self.agent.run(request.body(()).unwrap()),
            Value::Null => self.agent.run(request.body(Vec::new()).unwrap()),
            body => self.agent.run(request.body(body.to_string()).unwrap()),
        }
        .unwrap();
        let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
        let text = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), id, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// Stops it; what it logged, line by line.
    fn stop(mut self) -> Vec<Value> {
        assert!(Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap().success());
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0), "{log}");
        drop(std::fs::remove_dir_all(&self.folder));
        for private in PRIVATE {
            assert!(!log.contains(private), "`{private}` is logged:\n{log}");
        }
        let lines = log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic_with(&e, line)));
        lines.collect()
    }
}

#[expect(clippy::panic, reason = "a test fails by panicking")]
fn panic_with(error: &serde_json::Error, line: &str) -> ! {
    panic!("{error}: {line}")
}

fn keys(object: &Value) -> BTreeSet<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

fn requirement(code: &str) -> Value {
    json!({"code": code, "first": {
        "title": "Jane's insurance, s3cret, jane.doe@example.org", "test": {"kind": "manual"}, "gate": "membership",
        "mandatory": true, "selfAssessable": false, "questions": [],
    }})
}

#[test]
fn each_line_is_of_the_documented_form_and_tells_nothing_of_the_caller() {
    let server = Server::start("form");
    let token = server.token();
    let person = "/v1/providers/0190a000-0000-7000-8000-00000000cafe";
    let sent = [
        ("POST", "/v1/requirements", Some(token.as_str()), requirement("insurance"), 201),
        ("POST", "/v1/requirements", Some(token.as_str()), json!({"jane": "s3cret"}), 422),
        ("GET", person, Some(token.as_str()), Value::Null, 404),
        ("GET", person, Some("eyJ.s3cret.jane"), Value::Null, 401),
        ("GET", "/v1/audit?actor=jane.doe", Some(token.as_str()), Value::Null, 200),
        ("GET", "/v1/audit?jane=s3cret", Some(token.as_str()), Value::Null, 400),
        ("GET", "/jane.doe@example.org?token=s3cret", None, Value::Null, 404),
        ("JANE", "/v1/requirements", None, Value::Null, 405),
        ("POST", "/oauth/token", None, json!({"client_id": "jane", "client_secret": "s3cret"}), 400),
    ];
    let mut answered = Vec::new();
    for (method, path, token, body, expected) in &sent {
        let (status, id, body) = server.send(method, path, *token, body);
        assert_eq!(status, *expected, "{method} {path}: {body}");
        answered.push((id, *method, status));
    }
    let (_, _, audit) = server.send("GET", "/v1/audit?kind=RequirementDefined", Some(&token), &Value::Null);
    assert_eq!(audit["items"][0]["request"], answered[0].0, "the audit names the request");

    let lines = server.stop();
    let documented = include_str!("../../docs/operations.md");
    for line in &lines {
        assert_eq!(keys(line), BTreeSet::from(["fields", "level", "target", "timestamp"]), "{line}");
        if line["fields"]["status"].is_null() {
            assert_eq!(
                (&line["level"], keys(&line["fields"])),
                (&json!("INFO"), BTreeSet::from(["message"])),
                "{line}"
            );
            continue;
        }
        assert_eq!(keys(&line["fields"]), BTreeSet::from(ANSWERED), "{line}");
        let path = line["fields"]["path"].as_str().unwrap();
        assert!(path == "unknown" || path.starts_with('/') && !path.contains('?'), "{line}");
    }
    for field in ANSWERED {
        assert!(documented.contains(&format!("\n| `{field}` |")), "docs/operations.md does not tell of `{field}`");
    }
    for (id, method, status) in answered {
        let told = lines.iter().find(|line| line["fields"]["request"] == id).expect("a line for each request");
        let known = if method == "JANE" { "other" } else { method };
        assert_eq!((&told["fields"]["method"], &told["fields"]["status"]), (&json!(known), &json!(status)));
    }
}

#[test]
fn what_is_wrong_with_the_server_is_logged_beside_the_request_and_not_answered() {
    use diesel::Connection as _;
    use diesel::connection::SimpleConnection as _;
    let server = Server::start("trouble");
    let token = server.token();
    let mut beside = diesel::SqliteConnection::establish(server.folder.join("dps.db").to_str().unwrap()).unwrap();
    beside.batch_execute("ALTER TABLE requirements RENAME TO hidden").unwrap();
    let (status, id, problem) = server.send("GET", "/v1/requirements", Some(&token), &Value::Null);
    assert_eq!((status, &problem["code"]), (500, &json!("internal_error")));
    assert!(!problem.to_string().contains("no such table"), "{problem}");

    let lines = server.stop();
    let told: Vec<&Value> = lines.iter().filter(|line| line["fields"]["request"] == id).collect();
    assert_eq!(told.len(), 2, "{lines:?}");
    assert_eq!(keys(&told[0]["fields"]), BTreeSet::from(["cause", "message", "request"]));
    assert_eq!((&told[0]["level"], &told[0]["fields"]["message"]), (&json!("ERROR"), &json!("broken")));
    assert!(told[0]["fields"]["cause"].as_str().unwrap().contains("no such table"));
    assert_eq!(told[1]["fields"]["status"], 500);
}

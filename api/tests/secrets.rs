//! What must be in no log, no figure and no answer of a failure: the binary at its most talkative, fed with values that
//! it could tell, on both databases.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and says where"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// Is in all that is secret or personal here, and in nothing else.
const CANARY: &str = "kanarie";
/// As is this, which has to be a number.
const PHONE: &str = "+44 1223 773177";
const PROVIDER: &str = "0190a000-0000-7000-8000-000000000001";

/// A server of a database of its own, with its log in a file.
struct Server {
    home: PathBuf,
    database: String,
    child: Child,
    /// Open for as long as the server runs, which says more than its first line.
    _told: BufReader<std::process::ChildStdout>,
    address: String,
    agent: ureq::Agent,
}

/// What was answered.
struct Answer {
    status: u16,
    text: String,
}

impl Answer {
    #[track_caller]
    fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    fn body(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    fn id(&self) -> String {
        self.body()["id"].as_str().unwrap().to_owned()
    }
}

impl Server {
    fn on(name: &str, database: impl FnOnce(&Path) -> String) -> Self {
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("secrets_{name}_{}", std::process::id()));
        drop(std::fs::remove_dir_all(&home));
        std::fs::create_dir_all(&home).unwrap();
        let database = database(&home);
        let log = std::fs::File::create(home.join("log")).unwrap();
        let mut child = command(&home, &database).arg("serve").stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut first = String::new();
        let mut told = BufReader::new(child.stdout.take().unwrap());
        told.read_line(&mut first).unwrap();
        let address = first.split_whitespace().last().expect("the server starts").to_owned();
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .allow_non_standard_methods(true)
            .build()
            .into();
        Self { home, database, child, _told: told, address, agent }
    }

    fn token(&self, claims: &[&str]) -> String {
        let told = command(&self.home, &self.database).args(["token", "--role"]).args(claims).output().unwrap();
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
        String::from_utf8(told.stdout).unwrap().trim().to_owned()
    }

    fn send(&self, token: &str, method: &str, path: &str, more: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.address));
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        let answer = match method {
            "GET" => self.agent.run(request.body(()).unwrap()),
            _ => self.agent.run(request.body(body.to_vec()).unwrap()),
        };
        let mut answer = answer.unwrap_or_else(|e| panic!("{method} {path}: {e}"));
        let status = answer.status().as_u16();
        let answer = Answer { status, text: answer.body_mut().read_to_string().unwrap_or_default() };
        assert!(status < 500 || !answer.text.contains(CANARY), "{method} {path}: a failure tells\n{}", answer.text);
        answer
    }

    fn json(&self, token: &str, method: &str, path: &str, body: &Value) -> Answer {
        let key = format!("{CANARY}-{path}");
        let media = [("content-type", "application/json"), ("if-match", "*"), ("idempotency-key", key.as_str())];
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        self.send(token, method, path, &media, &body)
    }

    /// The log so far.
    fn log(&self) -> String {
        std::fs::read_to_string(self.home.join("log")).unwrap()
    }

    /// Fails where the log, or what is counted, has one of these.
    #[track_caller]
    fn tells_none_of(&self, secrets: &[String]) {
        let figures = self.send("", "GET", "/metrics", &[], b"").expect(200).text;
        for (where_, text) in [("the log", self.log()), ("the figures", figures)] {
            for secret in secrets {
                assert!(secret.len() > 6, "{secret}");
                let line = text.lines().find(|line| line.contains(secret.as_str()));
                assert!(line.is_none(), "{where_}: {secret} in\n{}", line.unwrap_or_default());
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        if !std::thread::panicking() {
            drop(std::fs::remove_dir_all(&self.home));
        }
    }
}

fn command(home: &Path, database: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dps"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("DPS_")) {
        command.env_remove(name);
    }
    command
        .current_dir(home)
        .env("DATABASE_URL", database)
        .env("DPS_TOKEN_KEY_FILE", home.join("token.key"))
        .env("DPS_SEAL_KEY_FILE", home.join("seal.key"))
        .env("DPS_LISTEN", "127.0.0.1:0")
        .env("DPS_CLOCK", "2019-01-03T09:00:00Z")
        .env("DPS_WEBHOOK_PRIVATE", "allow")
        .env("DPS_LOG", "trace");
    command
}

/// Every text of it with the canary.
fn tainted(value: &Value) -> Value {
    match value {
        Value::String(text) => json!(format!("{text} {CANARY}")),
        Value::Array(items) => items.iter().map(tainted).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), tainted(value))).collect(),
        other => other.clone(),
    }
}

/// A receiver that refuses, so that there is something to log.
fn receiver() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = [0; 4096];
            drop(stream.read(&mut head));
            drop(stream.write_all(b"HTTP/1.1 500 kanarie\r\ncontent-length: 7\r\nconnection: close\r\n\r\nkanarie"));
        }
    });
    format!("http://user-{CANARY}:pass-{CANARY}@{address}/{CANARY}?token={CANARY}")
}

/// All that is secret or personal in a market, given as it should be: the secrets that the server made.
fn given(server: &Server) -> Vec<String> {
    let lead = server.token(&["lead_agency", "--authority", "LGSS", "--subject", "lead-kanarie"]);
    let provider = server.token(&["provider", "--provider", PROVIDER, "--subject", "provider-kanarie"]);
    let admin = server.token(&["administrator"]);
    let mut secrets = vec![lead.clone(), provider.clone(), admin.clone()];
    let profile = json!({
        "legalName": "Kanarie kanarie Ltd", "tradingNames": ["kanarie"], "email": "kanarie@example.org", "phone": PHONE,
    });
    server.json(&provider, "POST", "/v1/providers", &profile).expect(201);
    server.json(&provider, "POST", "/v1/providers", &profile).expect(201);
    let home = json!({"profile": {"name": "kanarie", "kind": "childrens_home", "postcode": "HD1 1AA", "beds": 4}});
    server.json(&provider, "POST", &format!("/v1/providers/{PROVIDER}/homes"), &home).expect(201);
    let requirement = json!({"code": "insurance", "first": {
        "title": "kanarie", "test": {"kind": "manual"}, "gate": "membership", "mandatory": true, "selfAssessable": false,
        "questions": [{"code": "insurer", "text": "kanarie?", "answer": {"type": "text", "maxLength": 200}, "mandatory": true}],
    }});
    let requirement = server.json(&lead, "POST", "/v1/requirements", &requirement).expect(201).id();
    let arrangement = json!({
        "kind": "dps", "lead": {"code": "LGSS", "name": "kanarie"}, "participants": [{"code": "CCC", "name": "kanarie"}],
        "reference": "DN119642", "title": "kanarie", "description": "kanarie", "cpv": ["85311300-5"],
        "specification": {"title": "kanarie", "uri": "urn:example:kanarie"},
        "terms": {"document": {"title": "Terms", "uri": "urn:example:terms"}, "version": "kanarie"},
        "contact": {"name": "kanarie"}, "liveAt": "2019-01-04T00:00:00Z", "contractStart": "2019-04-01", "policies": {},
    });
    let arrangement = server.json(&lead, "POST", "/v1/arrangements", &arrangement).expect(201).id();
    let lots = format!("/v1/arrangements/{arrangement}/lots");
    let lot = json!({"code": "A", "title": "kanarie", "serviceType": "fostering_agency"});
    let lot = server.json(&lead, "POST", &lots, &lot).expect(201).id();
    let adopted = json!({"requirement": requirement, "version": 1});
    server.json(&lead, "POST", &format!("/v1/lots/{lot}/requirements"), &adopted).expect(200);
    server.json(&lead, "POST", &format!("/v1/arrangements/{arrangement}/publish"), &Value::Null).expect(200);

    // A webhook, whose address is a secret too, and whose receiver fails.
    let webhook = server.json(&lead, "POST", "/v1/webhooks", &json!({"url": receiver(), "description": CANARY}));
    let made = if webhook.status == 201 {
        webhook
    } else {
        let address = receiver().replace(&format!("user-{CANARY}:pass-{CANARY}@"), "");
        server.json(&lead, "POST", "/v1/webhooks?", &json!({"url": address, "description": CANARY})).expect(201)
    };
    secrets.push(made.body()["secret"].as_str().unwrap().to_owned());
    let script = server.token(&["script"]);
    server.json(&script, "PUT", "/v1/clock", &json!({"now": "2019-01-10T09:00:00Z"})).expect(200);

    let application = json!({"arrangement": arrangement, "lots": [lot], "externalRef": CANARY});
    let application = server.json(&provider, "POST", "/v1/applications", &application).expect(201).id();
    let of = |under: &str| format!("/v1/applications/{application}{under}");
    let unknown = json!({"values": {CANARY: CANARY}});
    server.json(&provider, "PUT", &of(&format!("/answers/{requirement}?")), &unknown);
    let answer = json!({"values": {"insurer": CANARY}});
    server.json(&provider, "PUT", &of(&format!("/answers/{requirement}")), &answer).expect(200);
    server.json(&provider, "PUT", &of("/exclusions"), &json!({"grounds": []})).expect(200);
    server.json(&provider, "PUT", &of("/terms"), &json!({"version": CANARY})).expect(200);
    server.json(&provider, "POST", &of("/submit"), &Value::Null).expect(201);
    let file = format!(
        "name,kind,postcode,beds\r\n{CANARY},childrens_home,PE29 1AA,2\r\n{CANARY},{CANARY},{CANARY},{CANARY}\r\n"
    );
    let prefer = [("content-type", "text/csv"), ("prefer", "wait=60"), ("idempotency-key", CANARY)];
    server.send(&provider, "POST", "/v1/uploads/homes?mode=partial", &prefer, file.as_bytes()).expect(201);
    server.json(&script, "POST", "/v1/jobs/deliver/run", &Value::Null).expect(200);

    // A machine client: its secret in both ways, a wrong one, its token, another secret.
    let client = json!({"name": CANARY, "role": "script", "scopes": ["read_providers"]});
    let client = server.json(&admin, "POST", "/v1/clients", &client).expect(201);
    let (id, secret) = (client.id(), client.body()["secret"].as_str().unwrap().to_owned());
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let ask = |secret: &str| {
        let body = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
        server.send("", "POST", "/oauth/token", &form, body.as_bytes())
    };
    let given = ask(&secret).expect(200).body()["access_token"].as_str().unwrap().to_owned();
    ask(CANARY).expect(401);
    let basic = [form[0], ("authorization", "Basic a2FuYXJpZTprYW5hcmllLWthbmFyaWU=")];
    server.send("", "POST", "/oauth/token", &basic, b"grant_type=client_credentials").expect(401);
    server.send(&given, "GET", "/v1/providers", &[], b"").expect(200);
    server.json(&admin, "POST", &format!("/v1/clients/{id}/revoke"), &json!({"reason": CANARY})).expect(200);
    server.send(&given, "GET", "/v1/providers", &[], b"").expect(401);
    secrets.extend([secret, given, "a2FuYXJpZTprYW5hcmllLWthbmFyaWU=".to_owned()]);
    secrets
}

/// Every operation of the document, with the canary in its path, its query, its headers and its body.
fn tried(server: &Server) {
    let document = server.send("", "GET", "/openapi.json", &[], b"").expect(200).body();
    let tokens = [
        server.token(&["lead_agency", "--authority", "LGSS"]),
        server.token(&["provider", "--provider", PROVIDER]),
        server.token(&["administrator"]),
        format!("{CANARY}.{CANARY}.{CANARY}"),
    ];
    let mut asked = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let fill = |value: &str| -> String {
                let part = |part: &str| if part.starts_with('{') { value.to_owned() } else { part.to_owned() };
                path.split('/').map(part).collect::<Vec<_>>().join("/")
            };
            let example = &operation["requestBody"]["content"]["application/json"]["example"];
            let key = format!("{CANARY}-{asked}");
            for token in &tokens {
                let (method, body) = (method.to_uppercase(), tainted(example));
                let headers = [
                    ("content-type", "application/json"),
                    ("if-match", "*"),
                    ("idempotency-key", key.as_str()),
                    ("user-agent", CANARY),
                    ("referer", "https://example.org/kanarie"),
                    ("cookie", "session=kanarie"),
                ];
                server.send(token, &method, &fill(CANARY), &headers, body.to_string().as_bytes());
                server.send(token, &method, &fill(PROVIDER), &headers, body.to_string().as_bytes());
                server.send(token, &method, &format!("{}?{CANARY}={CANARY}", fill(PROVIDER)), &headers, b"");
                let broken = format!("{{\"password\": \"{CANARY}\", {CANARY}");
                server.send(token, &method, &fill(PROVIDER), &headers, broken.as_bytes());
                asked += 1;
            }
        }
    }
    assert!(asked > 600, "{asked}");
    server.send(&tokens[0], "GET", &format!("/{CANARY}/{CANARY}?{CANARY}"), &[], b"").expect(404);
    server.send(&tokens[0], CANARY, "/v1/providers", &[("x-request-id", "kan arie")], b"");
}

/// The store refuses what it should take, and says what in its own words.
fn failed(server: &Server) {
    let refuse = if let Some(path) = server.database.strip_prefix("sqlite:") {
        let mut conn = <diesel::SqliteConnection as diesel::Connection>::establish(path).unwrap();
        diesel::connection::SimpleConnection::batch_execute(
            &mut conn,
            "PRAGMA busy_timeout = 5000; CREATE TRIGGER refuse BEFORE INSERT ON requirements BEGIN SELECT RAISE(ABORT, 'refused'); END; DROP TABLE fees",
        )
    } else {
        let mut conn = <diesel::PgConnection as diesel::Connection>::establish(&server.database).unwrap();
        diesel::connection::SimpleConnection::batch_execute(
            &mut conn,
            "ALTER TABLE requirements ADD CONSTRAINT refuse CHECK (body::text !~ 'broken') NOT VALID; DROP TABLE fees",
        )
    };
    refuse.unwrap();
    let lead = server.token(&["lead_agency", "--authority", "LGSS"]);
    let body = json!({"code": "broken-kanarie", "first": {
        "title": "kanarie broken", "test": {"kind": "manual"}, "gate": "membership", "mandatory": true, "selfAssessable": false,
    }});
    let answer = server.json(&lead, "POST", "/v1/requirements", &body);
    assert_eq!(answer.status, 500, "{}", answer.text);
    for word in ["refuse", "requirements", "SQL", "constraint"] {
        assert!(!answer.text.replace("/v1/requirements", "").contains(word), "{}", answer.text);
    }
    server.json(&lead, "GET", &format!("/v1/fees?lot={PROVIDER}"), &Value::Null).expect(500);
    assert!(server.log().contains("\"ERROR\""), "it is logged as a defect");
}

fn nothing_tells(server: &Server) {
    let mut secrets = given(server);
    secrets.extend([CANARY, "Kanarie", PHONE].map(str::to_owned));
    tried(server);
    failed(server);
    server.tells_none_of(&secrets);
    let key = std::fs::read(server.home.join("token.key")).unwrap();
    let log = std::fs::read(server.home.join("log")).unwrap();
    assert!(!log.windows(key.len()).any(|part| part == key));
    let lines = server.log();
    let requests = lines.lines().filter(|line| line.contains("\"micros\"")).count();
    assert!(requests > 1_000 && lines.contains("\"TRACE\""), "the log is what it says: {requests}");
}

#[test]
fn nothing_secret_or_personal_is_told_on_sqlite() {
    nothing_tells(&Server::on("sqlite", |home| format!("sqlite:{}", home.join("dps.db").display())));
}

#[test]
fn nothing_secret_or_personal_is_told_on_postgres() {
    let server = std::env::var("TEST_POSTGRES_URL").expect("TEST_POSTGRES_URL: run `make test`");
    let name = format!("secrets_{}", std::process::id());
    let administer = |statement: String| {
        let mut conn = <diesel::PgConnection as diesel::Connection>::establish(&server).unwrap();
        diesel::connection::SimpleConnection::batch_execute(&mut conn, &statement).unwrap();
    };
    administer(format!("CREATE DATABASE {name}"));
    nothing_tells(&Server::on("postgres", |_| format!("{}/{name}", server.rsplit_once('/').unwrap().0)));
    administer(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
}

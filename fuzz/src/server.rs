//! A whole server within the process, with the market that the demo leaves behind. An input chooses an operation, a caller and the things it
//! is about, and gives the query, the conditions and the body: so every request type, header and filter is read by the code that serves.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Mutex, PoisonError};

use actix_web::dev::ServerHandle;
use api::auth::token::{self, Claims, LOCAL_ISSUER};
use api::config::Config;
use domain::kernel::{AuthorityCode, Kind, ProviderId, Role};
use persistence::Ids;
use serde_json::Value;
use uuid::Uuid;

/// Before the demo.
const STARTS_AT: &str = "2000-01-01T00:00:00Z";

/// The audience that a server asks for as a rule.
const AUDIENCE: &str = "dps";

/// Where tokens are given.
const TOKENS: &str = "/oauth/token";

/// A running server with somebody of each role, and what they may ask about.
pub struct Server {
    address: String,
    /// The published document.
    document: Value,
    /// Method and path of each operation.
    operations: Vec<(String, String)>,
    tokens: Vec<String>,
    /// Identifiers that are there.
    things: Vec<(Kind, String)>,
    /// Where files go, each with the token of whoever may send them.
    desks: Vec<(String, String)>,
    wire: Mutex<Option<BufReader<TcpStream>>>,
    handle: ServerHandle,
    _home: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

impl Server {
    /// One request: three bytes choose operation, caller and things; then come query, `If-Match`, `Idempotency-Key` and `Content-Type`, a line each,
    /// and the body is the rest. Where tokens are given, the second line is `Authorization`.
    pub fn request(&self, bytes: &[u8]) {
        let [operation, caller, thing, rest @ ..] = bytes else { return };
        let mut parts = rest.splitn(5, |byte| *byte == b'\n');
        let mut next = || parts.next().unwrap_or_default();
        let (query, seen, key, media, body) = (next(), next(), next(), next(), next());
        let (method, path) = &self.operations[usize::from(*operation) % self.operations.len()];
        let path = self.filled(method, path, usize::from(*thing));
        // What is no character of an address is escaped as any client would; the rest is as it comes.
        let query: String = query
            .iter()
            .map(|b| if b.is_ascii_graphic() && *b != b'#' { char::from(*b).to_string() } else { format!("%{b:02X}") })
            .collect();
        // Where tokens are given takes credentials of another form, and none of what operations have in common.
        let gives_tokens = path == TOKENS;
        let dry = if method == "GET" || gives_tokens { "" } else { "&dryRun=true" };
        let token = self.tokens[usize::from(*caller) % self.tokens.len()].as_bytes();
        let (authorization, seen) = if gives_tokens { (seen, &b""[..]) } else { (token, seen) };
        let mut head = format!("{method} {path}?{query}{dry} HTTP/1.1\r\nhost: {}\r\n", self.address).into_bytes();
        for (name, value) in
            [("authorization", authorization), ("if-match", seen), ("idempotency-key", key), ("content-type", media)]
        {
            if !value.is_empty() {
                let value: Vec<u8> = value.iter().copied().filter(|b| *b >= b' ' && *b != 0x7f).collect();
                head.extend_from_slice(format!("{name}: ").as_bytes());
                head.extend_from_slice(&value);
                head.extend_from_slice(b"\r\n");
            }
        }
        head.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
        head.extend_from_slice(body);
        let (status, answer) = self.exchange(&head);
        assert!((200..500).contains(&status), "{status} to {method} {path}?{query}\n{answer}");
    }

    /// One file, as a dry run that is read to its end: the first byte chooses what it is of, the rest is the file.
    pub fn file(&self, bytes: &[u8]) {
        let [desk, file @ ..] = bytes else { return };
        let (path, token) = &self.desks[usize::from(*desk) % self.desks.len()];
        let (status, answer) = self.send(path, token, file);
        assert!((200..500).contains(&status), "{status} to {path}\n{answer}");
        let state = serde_json::from_str::<Value>(&answer).unwrap_or_default()["state"].clone();
        assert!(status != 201 || ["validated", "rejected", "partial"].iter().any(|over| state == *over), "{answer}");
    }

    /// Sends a file, as a dry run that is read to its end.
    fn send(&self, path: &str, token: &str, file: &[u8]) -> (u16, String) {
        let mut request = format!(
            "POST {path}&dryRun=true&mode=partial HTTP/1.1\r\nhost: {}\r\nauthorization: {token}\r\nprefer: wait=20\r\n\
             content-type: application/octet-stream\r\ncontent-length: {}\r\n\r\n",
            self.address,
            file.len()
        )
        .into_bytes();
        request.extend_from_slice(file);
        self.exchange(&request)
    }

    /// Plays the demo and serves what it leaves.
    pub fn start() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let database = format!("sqlite:{}", home.path().join("dps.db").display());
        let usual = Config::from(|name| (name == "DPS_CLOCK").then(|| STARTS_AT.to_owned())).expect("a configuration");
        let key_file = home.path().join("token.key");
        let seal_key_file = home.path().join("seal.key");
        let config = Config {
            database,
            listen: ([127, 0, 0, 1], 0).into(),
            workers: 1,
            key_file: key_file.clone(),
            seal_key_file,
            sweep_seconds: 86_400,
            ..usual
        };
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async {
                let bound = api::server::bind(&config, Ids::random()).expect("the server starts");
                tell.send((bound.address, bound.handle.clone())).expect("somebody listens");
                bound.run().await.expect("the server runs");
            });
        });
        let (address, handle) = told.recv().expect("the server starts");
        let document: Value = serde_json::from_str(api::openapi::text().expect("the document")).expect("JSON");
        let mut operations = Vec::new();
        for (path, methods) in document["paths"].as_object().expect("paths") {
            // Files are for another target, and whoever moves the clock takes the market away.
            for method in methods
                .as_object()
                .expect("methods")
                .keys()
                .filter(|_| !path.contains("/uploads/") && path != "/v1/clock")
            {
                operations.push((method.to_uppercase(), path.clone()));
            }
        }
        let mut server = Self {
            address: address.to_string(),
            document,
            operations,
            tokens: Vec::new(),
            things: Vec::new(),
            desks: Vec::new(),
            wire: Mutex::default(),
            handle,
            _home: home,
        };
        let secret = token::local_secret(&key_file).expect("the key");
        let player = demo::Client::new(format!("http://{}", server.address), AUDIENCE, &secret);
        demo::play(demo::list(None).expect("the sample"), &player, || Ok(())).expect("the demo plays");
        let bearer = |role, authority: Option<&str>, provider: Option<Uuid>| {
            let authority = authority.map(|code| AuthorityCode::try_from(code.to_owned()).expect("a code"));
            let claims = Claims {
                sub: format!("{role:?}"),
                iss: LOCAL_ISSUER.to_owned(),
                aud: AUDIENCE.to_owned(),
                exp: 4_102_444_800,
                role,
                authority,
                provider: provider.map(ProviderId),
            };
            format!("Bearer {}", token::issue(&secret, &claims).expect("a token"))
        };
        server.tokens = vec![bearer(Role::LeadAgency, Some("LGSS"), None)];
        server.look();
        let provider = server.of_kind(Kind::Provider).next().and_then(|id| id.parse().ok());
        let authority = Some("CCC");
        server.tokens.extend([
            bearer(Role::Provider, None, provider),
            bearer(Role::Commissioner, authority, None),
            bearer(Role::Consortium, Some("LGSS"), None),
            bearer(Role::Portal, None, None),
            bearer(Role::Script, None, None),
            bearer(Role::Administrator, None, None),
        ]);
        let newcomer = bearer(Role::Provider, None, Some(Uuid::from_u128(1)));
        let draft = server.draft(&newcomer);
        server.desks = server.desks(&newcomer, &draft);
        server
    }

    /// Finds what the lists of the document show: those within another thing once that is known.
    fn look(&mut self) {
        let paths = self.document["paths"].as_object().expect("paths");
        let mut lists: Vec<(String, Kind)> =
            paths.iter().filter(|(_, on)| on.get("get").is_some()).filter_map(|(path, _)| Some((path.clone(), self.listed(path)?))).collect();
        lists.sort_by_key(|(path, _)| path.matches('{').count());
        for (path, kind) in lists {
            let within: Vec<String> = match path.matches('{').count() {
                0 => vec![path],
                1 => {
                    let outer = self.named("get", &path, "path", "id").into_iter().flat_map(|kind| self.of_kind(kind));
                    outer.take(20).map(|id| path.replace("{id}", id)).collect()
                }
                _ => Vec::new(),
            };
            for path in within {
                let found = self.shown(&path).into_iter().map(|id| (kind, id));
                let new: Vec<_> = found.filter(|thing| !self.things.contains(thing)).collect();
                self.things.extend(new);
            }
        }
        // What nobody lists by a path of the document cannot be asked about; without these nearly nothing can.
        for kind in [Kind::Arrangement, Kind::Lot, Kind::Provider, Kind::Application, Kind::Membership] {
            assert!(self.of_kind(kind).next().is_some(), "no {} is found", kind.name());
        }
    }

    /// The kind that a path lists: that of which its last part has each.
    fn listed(&self, path: &str) -> Option<Kind> {
        self.named("get", &format!("/v1/{}/{{id}}", path.rsplit('/').next()?), "path", "id")
    }

    /// The kind that a parameter names, by its schema: a `FeeId` is that of a fee.
    fn named(&self, method: &str, path: &str, place: &str, name: &str) -> Option<Kind> {
        let parameters = self.document["paths"][path][method]["parameters"].as_array().into_iter().flatten();
        let mut parameters = parameters.map(|parameter| match parameter["$ref"].as_str() {
            Some(at) => self.document.pointer(at.trim_start_matches('#')).expect("it leads somewhere"),
            None => parameter,
        });
        let parameter = parameters.find(|parameter| parameter["in"] == place && parameter["name"] == name)?;
        let schema = parameter["schema"]["$ref"].as_str()?.rsplit('/').next()?.strip_suffix("Id")?;
        Kind::ALL.iter().copied().find(|kind| format!("{kind:?}") == schema)
    }

    fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.things.iter().filter(move |(known, _)| *known == kind).map(|(_, id)| id.as_str())
    }

    /// Where the document says that files go, each with the token of the first that may send one there.
    fn desks(&self, newcomer: &str, draft: &str) -> Vec<(String, String)> {
        let paths = self.document["paths"].as_object().expect("paths");
        let desks = paths.iter().filter(|(path, on)| path.starts_with("/v1/uploads/") && on.get("post").is_some());
        let desks = desks.map(|(path, _)| {
            let about = self.named("post", path, "query", "application").map(|_| format!("application={draft}"));
            let path = format!("{path}?{}", about.unwrap_or_default());
            let mut callers = self.tokens.iter().map(String::as_str).chain([newcomer]);
            let sends = callers.find(|token| self.send(&path, token, b"urn\r\n").0 == 201);
            let sends = sends.unwrap_or_else(|| panic!("nobody may send a file to {path}")).to_owned();
            (path, sends)
        });
        desks.collect()
    }

    /// The path with things that are there, where there are any of the kind.
    fn filled(&self, method: &str, path: &str, choice: usize) -> String {
        let mut told = None;
        let parts = path.split('/').map(|part| {
            let Some(name) = part.strip_prefix('{').and_then(|name| name.strip_suffix('}')) else { return part.to_owned() };
            if name == "kind" {
                let kind = Kind::ALL[choice % Kind::ALL.len()];
                told = Some(kind);
                return kind.name().to_owned();
            }
            let kind = self.named(&method.to_lowercase(), path, "path", name).or(told);
            let known: Vec<&str> = kind.into_iter().flat_map(|kind| self.of_kind(kind)).collect();
            known.get(choice % known.len().max(1)).map_or_else(|| choice.to_string(), |id| (*id).to_owned())
        });
        parts.collect::<Vec<_>>().join("/")
    }

    /// An application that a provider has just begun, to the first market that there is.
    fn draft(&self, token: &str) -> String {
        self.post(token, "/v1/providers", &serde_json::json!({"legalName": "Newcomer"}));
        let arrangement = self.of_kind(Kind::Arrangement).next().expect("a market");
        let lots = self.shown(&format!("/v1/arrangements/{arrangement}/lots"));
        let draft =
            self.post(token, "/v1/applications", &serde_json::json!({"arrangement": arrangement, "lots": lots}));
        draft["id"].as_str().expect("an id").to_owned()
    }

    /// Creates what the body says.
    fn post(&self, token: &str, path: &str, body: &Value) -> Value {
        let (host, body) = (&self.address, body.to_string());
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: {token}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let (status, answer) = self.exchange(request.as_bytes());
        assert_eq!(status, 201, "{path}: {answer}");
        serde_json::from_str(&answer).expect("JSON")
    }

    /// The first identifiers of a list, as the lead agency sees it.
    fn shown(&self, path: &str) -> Vec<String> {
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: {}\r\nauthorization: {}\r\n\r\n", self.address, self.tokens[0]);
        let (_, body) = self.exchange(request.as_bytes());
        let body: Value = serde_json::from_str(&body).unwrap_or_default();
        let items = body["items"].as_array().into_iter().flatten().take(20);
        items.filter_map(|item| Some(item["id"].as_str()?.to_owned())).collect()
    }

    /// Status and body of the answer, over a connection that is kept.
    fn exchange(&self, request: &[u8]) -> (u16, String) {
        let mut wire = self.wire.lock().unwrap_or_else(PoisonError::into_inner);
        // One that the server closed meanwhile is made anew, once.
        for _ in 0..2 {
            let mut open = wire
                .take()
                .unwrap_or_else(|| BufReader::new(TcpStream::connect(&self.address).expect("the server listens")));
            if open.get_mut().write_all(request).is_ok()
                && let Some((status, body, kept)) = answer(&mut open)
            {
                *wire = kept.then_some(open);
                return (status, body);
            }
        }
        panic!("no answer to\n{}", String::from_utf8_lossy(request));
    }
}

fn answer(open: &mut BufReader<TcpStream>) -> Option<(u16, String, bool)> {
    let (mut line, mut length, mut kept) = (String::new(), 0, true);
    open.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let status = line.split(' ').nth(1)?.parse().ok()?;
    loop {
        line.clear();
        open.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "connection" => kept = value != "close",
            _ => {}
        }
    }
    let mut body = vec![0; length];
    open.read_exact(&mut body).ok()?;
    Some((status, String::from_utf8_lossy(&body).into_owned(), kept))
}

//! Whoever calls the API, and the answers it gets. Every answer is checked against the published document.

use serde_json::Value;
use ureq::http::{HeaderMap, Request};

use crate::app::TestApp;
use crate::{documented, examples};

/// A caller with its token.
#[derive(Clone)]
pub struct Actor<'a> {
    pub app: &'a TestApp,
    pub name: String,
    token: Option<String>,
}

impl<'a> Actor<'a> {
    pub fn new(app: &'a TestApp, name: String, token: Option<String>) -> Self {
        Self { app, name, token }
    }

    /// Its token, for a request that is put together by hand.
    pub fn token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Reply {
        self.request("GET", path).send()
    }

    /// Posts a body; `Value::Null` for none.
    #[track_caller]
    pub fn post(&self, path: &str, body: Value) -> Reply {
        self.request("POST", path).json(body).send()
    }

    /// Puts, with the resource's present `ETag` in `If-Match`.
    #[track_caller]
    pub fn put(&self, path: &str, body: Value) -> Reply {
        self.request("PUT", path).json(body).matching().send()
    }

    /// Patches, with the resource's present `ETag` in `If-Match`.
    #[track_caller]
    pub fn patch(&self, path: &str, body: Value) -> Reply {
        self.request("PATCH", path).json(body).matching().send()
    }

    /// A request to complete: `.json(..)`, `.if_match(..)`, `.key(..)`, `.dry()`, then `.send()`.
    pub fn request(&self, method: &'static str, path: &str) -> Call<'a> {
        let mut headers = Vec::new();
        if let Some(token) = &self.token {
            headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        }
        Call { actor: self.clone(), method, path: path.to_owned(), headers, body: None }
    }

    /// All items of a list, page by page.
    #[track_caller]
    pub fn all(&self, path: &str) -> Vec<Value> {
        let joint = if path.contains('?') { '&' } else { '?' };
        let (mut items, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let page = cursor.as_ref().map_or(path.to_owned(), |cursor| format!("{path}{joint}cursor={cursor}"));
            let body = self.get(&page).expect(200).body;
            items.extend(body["items"].as_array().expect("items").iter().cloned());
            match body["next"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return items,
            }
        }
    }
}

/// A request that is being put together.
pub struct Call<'a> {
    actor: Actor<'a>,
    method: &'static str,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Call<'_> {
    /// With a JSON body; `Value::Null` for none.
    pub fn json(self, body: Value) -> Self {
        if body.is_null() { self } else { self.bytes("application/json", body.to_string().as_bytes()) }
    }

    /// With any body.
    pub fn bytes(mut self, media: &str, bytes: &[u8]) -> Self {
        self.body = Some(bytes.to_vec());
        self.header("content-type", media)
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn if_match(self, etag: &str) -> Self {
        self.header("if-match", etag)
    }

    /// With an idempotency key.
    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// Decided in full, nothing written.
    pub fn dry(mut self) -> Self {
        self.path.push_str(if self.path.contains('?') { "&dryRun=true" } else { "?dryRun=true" });
        self
    }

    /// With the present `ETag` of the resource that the path begins with, such as `/v1/lots/{id}`, where it has one.
    #[track_caller]
    pub fn matching(self) -> Self {
        let root: Vec<&str> = self.path.split(['/', '?']).take(4).collect();
        if root.len() < 4 {
            return self;
        }
        match self.actor.get(&root.join("/")).header("etag").map(str::to_owned) {
            Some(etag) => self.if_match(&etag),
            None => self,
        }
    }

    #[track_caller]
    pub fn send(self) -> Reply {
        let (method, path, sent) = (self.method, self.path.clone(), self.body.clone());
        let reply = self.send_to_broken();
        let operation = documented::check(method, &path, &reply);
        if let (Some(operation), 200..=299) = (operation, reply.status) {
            examples::keep(&operation.id, reply.status, sent.as_deref(), &reply.body);
        }
        reply
    }

    /// Sends to a server that the test has broken: it may fail, which no document promises.
    #[track_caller]
    pub fn send_to_broken(self) -> Reply {
        let Self { actor, method, path, headers, body } = self;
        if documented::reads_the_feed(method, &path) {
            actor.app.settle();
        }
        let mut request = Request::builder().method(method).uri(format!("{}{path}", actor.app.address));
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        let sent = body.as_deref().map(|bytes| String::from_utf8_lossy(bytes).chars().take(2000).collect());
        let answer = match body {
            Some(bytes) => actor.app.agent.run(request.body(bytes).unwrap()),
            // ureq knows which methods come without a body.
            None if matches!(method, "GET" | "HEAD") => actor.app.agent.run(request.body(()).unwrap()),
            None => actor.app.agent.run(request.body(Vec::new()).unwrap()),
        };
        let answer = answer.unwrap_or_else(|e| panic!("{} {method} {path}: {e}", actor.name));
        let (parts, mut content) = answer.into_parts();
        let bytes = content.with_config().limit(64 * 1024 * 1024).read_to_vec().unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let media = parts.headers.get("content-type").and_then(|v| v.to_str().ok()).unwrap_or_default();
        let body = if media.ends_with("json") && !media.ends_with("ndjson") && !text.is_empty() {
            serde_json::from_str(&text).unwrap()
        } else {
            Value::Null
        };
        let status = parts.status.as_u16();
        let request = format!("{} {method} {path}", actor.name);
        Reply { request, sent, status, body, text, bytes, headers: parts.headers }
    }
}

/// An answer.
pub struct Reply {
    pub status: u16,
    /// The body, where it is JSON.
    pub body: Value,
    /// The body as text.
    pub text: String,
    /// The body as it came.
    pub bytes: Vec<u8>,
    pub headers: HeaderMap,
    request: String,
    sent: Option<String>,
}

impl Reply {
    /// The answer, if it has that status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert!(self.status == status, "expected {status}\n{self}");
        self
    }

    /// The answer, if it is that problem.
    #[track_caller]
    pub fn problem(self, code: &str, status: u16) -> Self {
        assert!(self.status == status && self.body["code"] == code, "expected {status} {code}\n{self}");
        self
    }

    /// The answer, if the problem names that code at that JSON pointer.
    #[track_caller]
    pub fn blames(self, code: &str, field: &str) -> Self {
        let errors = self.body["errors"].as_array().cloned().unwrap_or_default();
        let named = errors.iter().any(|e| e["code"] == code && e["field"] == field);
        assert!(named, "expected {code} at {field}\n{self}");
        self
    }

    /// The answer, if the state of what it shows is that one.
    #[track_caller]
    pub fn state(self, state: &str) -> Self {
        assert!(self.body["state"] == state, "expected the state {state}\n{self}");
        self
    }

    /// The `id` of what it shows.
    #[track_caller]
    pub fn id(&self) -> String {
        self.body["id"].as_str().unwrap_or_else(|| panic!("no id\n{self}")).to_owned()
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The `ETag`.
    #[track_caller]
    pub fn etag(&self) -> String {
        self.header("etag").unwrap_or_else(|| panic!("no ETag\n{self}")).to_owned()
    }
}

impl std::fmt::Display for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.request)?;
        if let Some(sent) = &self.sent {
            writeln!(f, "  sent {sent}")?;
        }
        let shown = if self.body.is_null() { self.text.clone() } else { format!("{:#}", self.body) };
        write!(f, "answered {}\n{}", self.status, shown.chars().take(6000).collect::<String>())
    }
}

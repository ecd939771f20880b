//! One client for everyone in the play: counts what it sends, and takes nothing but the answer that is expected.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::kernel::Role;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};
use ureq::http::Request;
use uuid::Uuid;

use crate::Played;

/// The issuer of tokens that are made for development.
const ISSUER: &str = "dps-local";
/// 2100-01-01: the play's tokens do not expire.
const FAR: u64 = 4_102_444_800;
/// Characters of a body that are told when something goes wrong.
const TOLD: usize = 4_000;

/// Speaks to the server of the play, a development server whose clock can be moved.
pub struct Client {
    address: String,
    audience: &'static str,
    key: EncodingKey,
    agent: ureq::Agent,
    sent: AtomicU64,
}

impl Client {
    /// A client of the server at `address`, such as `http://127.0.0.1:8080`. It makes tokens for that audience itself, with the
    /// server's `secret`.
    #[must_use]
    pub fn new(address: String, audience: &'static str, secret: &[u8]) -> Self {
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        Self { address, audience, key: EncodingKey::from_secret(secret), agent, sent: AtomicU64::new(0) }
    }

    /// How many requests were sent.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Someone who works for an authority.
    pub(super) fn buyer(&self, role: Role, subject: &str, authority: &str) -> Played<Caller<'_>> {
        self.caller(role, subject, &json!({"authority": authority}))
    }

    /// A provider, by its id.
    pub(super) fn provider(&self, id: Uuid) -> Played<Caller<'_>> {
        self.caller(Role::Provider, &format!("provider-{id}"), &json!({"provider": id}))
    }

    /// A portal.
    pub(super) fn portal(&self, name: &str) -> Played<Caller<'_>> {
        self.caller(Role::Portal, name, &json!({}))
    }

    /// An internal script.
    pub(super) fn script(&self) -> Played<Caller<'_>> {
        self.caller(Role::Script, "script", &json!({}))
    }

    /// Whoever bears a token of that role; `whose` has the authority or provider, where the role asks for one.
    fn caller(&self, role: Role, subject: &str, whose: &Value) -> Played<Caller<'_>> {
        let mut claims = json!({"sub": subject, "iss": ISSUER, "aud": self.audience, "exp": FAR, "role": role});
        for (name, value) in whose.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
        let token = encode(&Header::default(), &claims, &self.key).map_err(|e| e.to_string())?;
        Ok(Caller { client: self, subject: subject.to_owned(), bearer: format!("Bearer {token}") })
    }
}

/// Someone who calls the API.
#[derive(Clone)]
pub(super) struct Caller<'a> {
    client: &'a Client,
    subject: String,
    bearer: String,
}

/// An answer that was expected.
pub(super) struct Reply {
    /// Its body.
    pub body: Value,
    /// Its `ETag`, for the next change.
    pub etag: String,
}

impl Reply {
    /// The `id` of what it shows.
    pub fn id(&self) -> Played<String> {
        text(&self.body, "id")
    }
}

/// The text of a field.
pub(super) fn text(value: &Value, field: &str) -> Played<String> {
    value[field].as_str().map(str::to_owned).ok_or_else(|| format!("no `{field}` in {value}"))
}

/// The items of a list within an answer.
pub(super) fn items<'v>(value: &'v Value, field: &str) -> &'v [Value] {
    value[field].as_array().map(Vec::as_slice).unwrap_or_default()
}

impl Caller<'_> {
    /// Reads.
    pub fn get(&self, path: &str) -> Played<Value> {
        Ok(self.send("GET", path, None, None, &[200])?.body)
    }

    /// Commands; `Value::Null` for no body.
    pub fn post(&self, path: &str, body: &Value) -> Played<Reply> {
        self.send("POST", path, Some(body), None, &[200, 201])
    }

    /// Puts a part of what has that `ETag`.
    pub fn put(&self, path: &str, etag: &str, body: &Value) -> Played<Reply> {
        self.send("PUT", path, Some(body), Some(etag), &[200, 201])
    }

    /// Puts what asks for no `If-Match`.
    pub fn put_whole(&self, path: &str, body: &Value) -> Played<Reply> {
        self.send("PUT", path, Some(body), None, &[200, 201])
    }

    /// Posts what must be refused, with that status and code; the refusal.
    pub fn refused(&self, path: &str, body: &Value, status: u16, code: &str) -> Played<Value> {
        expected(self.send("POST", path, Some(body), None, &[status])?.body, path, code)
    }

    /// Reads what must not be read, with that status and code; the refusal.
    pub fn get_refused(&self, path: &str, status: u16, code: &str) -> Played<Value> {
        expected(self.send("GET", path, None, None, &[status])?.body, path, code)
    }

    /// All items of a list, page by page.
    pub fn all(&self, path: &str) -> Played<Vec<Value>> {
        let joint = if path.contains('?') { '&' } else { '?' };
        let (mut found, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let mut page = format!("{path}{joint}limit=200");
            if let Some(cursor) = &cursor {
                let _ = write!(page, "&cursor={cursor}");
            }
            let mut body = self.get(&page)?;
            if let Value::Array(items) = body["items"].take() {
                found.extend(items);
            }
            match body["next"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return Ok(found),
            }
        }
    }

    fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        etag: Option<&str>,
        expected: &[u16],
    ) -> Played<Reply> {
        self.client.sent.fetch_add(1, Ordering::Relaxed);
        let failed = |e: &dyn std::fmt::Display| format!("{} {method} {path}: {e}", self.subject);
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.client.address))
            .header("authorization", &self.bearer);
        if let Some(etag) = etag {
            request = request.header("if-match", etag);
        }
        let answer = match body {
            None => self.client.agent.run(request.body(()).map_err(|e| failed(&e))?),
            Some(Value::Null) => self.client.agent.run(request.body(Vec::new()).map_err(|e| failed(&e))?),
            Some(body) => {
                let request = request.header("content-type", "application/json");
                self.client.agent.run(request.body(body.to_string().into_bytes()).map_err(|e| failed(&e))?)
            }
        };
        let (parts, mut content) = answer.map_err(|e| failed(&e))?.into_parts();
        let text = content.with_config().limit(64 << 20).read_to_string().map_err(|e| failed(&e))?;
        let status = parts.status.as_u16();
        if !expected.contains(&status) {
            return Err(self.unexpected(method, path, body, status, &text));
        }
        let etag = parts.headers.get("etag").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        Ok(Reply { body: serde_json::from_str(&text).map_err(|e| failed(&e))?, etag })
    }

    fn unexpected(&self, method: &str, path: &str, body: Option<&Value>, status: u16, answer: &str) -> String {
        let sent = body.filter(|b| !b.is_null()).map(|b| format!("sent {}\n", shortened(&b.to_string())));
        let answer = serde_json::from_str::<Value>(answer).map_or_else(|_| answer.to_owned(), |v| format!("{v:#}"));
        format!(
            "an answer that was not expected\n{} {method} {path}\n{}answered {status}\n{}",
            self.subject,
            sent.unwrap_or_default(),
            shortened(&answer)
        )
    }
}

/// The problem, if it is the one that was expected.
fn expected(problem: Value, path: &str, code: &str) -> Played<Value> {
    let named = problem["code"] == code || items(&problem, "errors").iter().any(|e| e["code"] == code);
    if named { Ok(problem) } else { Err(format!("{path}: expected {code}, answered {problem:#}")) }
}

fn shortened(text: &str) -> String {
    text.chars().take(TOLD).collect()
}

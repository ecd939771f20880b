//! A server with a history, and the requests that are sent to it.

use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use api::auth::token::{Claims, LOCAL_ISSUER, issue, local_secret};
use domain::kernel::{AuthorityCode, ProviderId, Role};
use serde_json::Value;
use uuid::Uuid;

use crate::Outcome;
use crate::history::{AUTHORITIES, History};
use crate::load::Script;
use crate::server::Server;

/// Accounts of the buying side that call: each has a token of its own.
const OFFICERS: usize = 200;
/// Different objects that are asked for, spread evenly over the history however long it is.
const OBJECTS: usize = 1_000;

/// A server with a history.
pub struct Site {
    pub server: Server,
    pub history: History,
    secret: Vec<u8>,
    officers: Vec<String>,
    script: String,
}

impl Site {
    /// Starts the server on a history.
    pub fn open(dps: &Path, url: &str, folder: &Path, history: History) -> Outcome<Self> {
        let secret = local_secret(&folder.join("token.key"))?;
        let server = Server::product(dps, url, folder)?;
        let mut site = Self { server, history, secret, officers: Vec::new(), script: String::new() };
        let [user, _] = AUTHORITIES[0].users;
        for n in 0..OFFICERS {
            let token = site.token(format!("officer-{n}"), Role::Commissioner, Some(user), None)?;
            site.officers.push(token);
        }
        site.script = site.token("integration".to_owned(), Role::Script, None, None)?;
        Ok(site)
    }

    fn token(&self, sub: String, role: Role, authority: Option<&str>, provider: Option<ProviderId>) -> Outcome<String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let authority = authority.map(|code| AuthorityCode::try_from(code.to_owned())).transpose()?;
        let (iss, aud) = (LOCAL_ISSUER.to_owned(), "dps".to_owned());
        Ok(issue(&self.secret, &Claims { sub, iss, aud, exp: now + 12 * 3600, role, authority, provider })?)
    }

    fn officer(&self, n: usize) -> &str {
        self.officers.get(n % self.officers.len()).map_or("", String::as_str)
    }

    /// Every officer asks for `path`.
    pub fn officers_ask(&self, path: &str) -> Script {
        Script::repeated(self.officers.iter().map(|token| get(path, token, "")).collect(), 200)
    }

    /// The integration script asks for these paths.
    pub fn script_asks(&self, paths: &[String]) -> Script {
        Script::repeated(paths.iter().map(|path| get(path, &self.script, "")).collect(), 200)
    }

    /// Applications that are asked for, and by whom.
    fn asked_for(&self) -> impl Iterator<Item = (String, &str)> {
        let all = &self.history.applications;
        let step = (all.len() / OBJECTS).max(1);
        let some = all.iter().step_by(step).take(OBJECTS).cycle().take(OBJECTS).enumerate();
        // 1,009 is prime to the number of officers: over the rounds each asks for all.
        some.map(|(n, (id, _))| (format!("/v1/applications/{id}"), self.officer(n * 1_009)))
    }

    /// Officers read applications by id.
    pub fn by_key(&self) -> Script {
        Script::repeated(self.asked_for().map(|(path, token)| get(&path, token, "")).collect(), 200)
    }

    /// The same, with the `ETag` that they saw: nothing has changed.
    pub fn unchanged(&self) -> Outcome<Script> {
        let requests = self.asked_for().map(|(path, token)| {
            let answer = ureq::get(self.url(&path)).header("Authorization", format!("Bearer {token}")).call()?;
            let etag = answer.headers().get("etag").ok_or("an answer has no ETag")?.to_str()?.to_owned();
            Ok(get(&path, token, &format!("If-None-Match: {etag}\r\n")))
        });
        Ok(Script::repeated(requests.collect::<Outcome<_>>()?, 304))
    }

    /// One page of 50 members.
    pub fn page_of_members(&self) -> Script {
        self.officers_ask(&format!("/v1/memberships?lot={}&limit=50", self.history.register))
    }

    /// The whole register of a lot that has 50 members, each with its standing.
    pub fn register_of_fifty(&self) -> Script {
        self.officers_ask(&format!("/v1/lots/{}/members", self.history.page))
    }

    /// The whole register of the lot that has 400 members, as it was at an instant.
    pub fn register_at_an_instant(&self) -> Script {
        self.officers_ask(&format!("/v1/lots/{}/members?asOf={}", self.history.register, self.history.as_of))
    }

    /// Providers submit their drafts, each its own.
    pub fn submissions(&self) -> Outcome<Script> {
        let requests = self.history.drafts.iter().map(|(id, provider)| {
            let token = self.token(format!("account-{provider}"), Role::Provider, None, Some(*provider))?;
            let head = format!("Idempotency-Key: {}\r\nContent-Type: application/json\r\n", Uuid::from(*id));
            Ok(request("POST", &format!("/v1/applications/{id}/submit"), &token, &head, ""))
        });
        Ok(Script::once(requests.collect::<Outcome<_>>()?, 201))
    }

    /// Sends a file of homes of `provider`, and waits until they are applied; in how many seconds.
    pub fn upload_homes(&self, provider: ProviderId, numbers: std::ops::Range<usize>) -> Outcome<f64> {
        let rows = numbers.map(|n| {
            let home = format!("BU{n:08},2010-04-01,Home {n},childrens_home,PE29 1AA,{}", n % 5 + 1);
            format!("{home},good,2015-05-01,2015-06-01\r\n")
        });
        let heads = "urn,registeredOn,name,kind,postcode,beds,rating,inspectedOn,publishedOn\r\n";
        let file = format!("{heads}{}", rows.collect::<String>());
        let token = self.token(format!("account-{provider}"), Role::Provider, None, Some(provider))?;
        let began = Instant::now();
        let mut answer = ureq::post(self.url("/v1/uploads/homes"))
            .header("Authorization", format!("Bearer {token}"))
            .header("Content-Type", "text/csv")
            .header("Prefer", "wait=60")
            .send(file.as_bytes())?;
        let seconds = began.elapsed().as_secs_f64();
        let upload: Value = serde_json::from_str(&answer.body_mut().read_to_string()?)?;
        match upload.get("state").and_then(Value::as_str) {
            Some("applied") => Ok(seconds),
            state => Err(format!("the upload is {state:?}").into()),
        }
    }

    /// The place in the feed of the last event on that page of the audit.
    pub fn cursor(&self, path: &str) -> Outcome<String> {
        let page = self.json(path)?;
        let last = page.get("items").and_then(Value::as_array).and_then(|items| items.last());
        let cursor = last.and_then(|event| event.get("cursor")).and_then(Value::as_str);
        Ok(cursor.ok_or("an event has no cursor")?.to_owned())
    }

    /// What the integration script reads there.
    pub fn json(&self, path: &str) -> Outcome<Value> {
        let mut answer = ureq::get(self.url(path)).header("Authorization", format!("Bearer {}", self.script)).call()?;
        Ok(serde_json::from_str(&answer.body_mut().read_to_string()?)?)
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address)
    }
}

/// A GET as it goes over the wire.
pub fn get(path: &str, token: &str, head: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n{head}\r\n").into_bytes()
}

/// A request with a body as it goes over the wire.
pub fn request(method: &str, path: &str, token: &str, head: &str, body: &str) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n{head}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

//! Tokens of an identity provider: its key set in a file or at an address, rotation, and what is refused.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::auth::keys::Source;
use api::config::{Config, Tokens};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use p256::pkcs8::EncodePrivateKey as _;
use serde_json::{Value, json};

use crate::actor::Reply;
use crate::app::TestApp;
use crate::database::Kind;

pub const ISSUER: &str = "https://idp.example.org";
/// A day: nothing of it passes while a test runs.
const DAY: Duration = Duration::from_secs(86_400);

/// A key pair of the identity provider; the same each time.
pub struct Pair {
    pub kid: &'static str,
    pub algorithm: Algorithm,
    pub signing: EncodingKey,
}

impl Pair {
    pub fn new(kid: &'static str, seed: u8) -> Self {
        let der = p256::SecretKey::from_slice(&[seed; 32]).unwrap().to_pkcs8_der().unwrap();
        Self { kid, algorithm: Algorithm::ES256, signing: EncodingKey::from_ec_der(der.as_bytes()) }
    }

    /// One of RSA, made for these tests and used nowhere else.
    pub fn rsa(kid: &'static str) -> Self {
        Self { kid, algorithm: Algorithm::RS256, signing: EncodingKey::from_rsa_der(include_bytes!("rsa.der")) }
    }

    pub fn published(&self) -> Value {
        let mut jwk = serde_json::to_value(Jwk::from_encoding_key(&self.signing, self.algorithm).unwrap()).unwrap();
        jwk["kid"] = json!(self.kid);
        jwk["use"] = json!("sig");
        jwk
    }

    /// A token of a lead agency, with other claims where `claims` has them.
    pub fn token(&self, claims: &Value) -> String {
        let header = Header { kid: Some(self.kid.to_owned()), ..Header::new(self.algorithm) };
        encode(&header, &said(claims), &self.signing).unwrap()
    }
}

pub fn said(claims: &Value) -> Value {
    let mut all = json!({
        "iss": ISSUER, "aud": "tests", "sub": "someone", "exp": 4_102_444_800_u64,
        "role": "lead_agency", "authority": "LGSS", "scope": "openid profile",
    });
    for (name, value) in claims.as_object().unwrap() {
        all[name] = value.clone();
    }
    all
}

fn set(pairs: &[&Pair]) -> String {
    // What this server does not know, or must not use, stands beside what it uses.
    let strange = json!({"kty": "XYZ", "kid": "strange"});
    let shared = json!({"kty": "oct", "kid": "shared", "k": BASE64_URL_SAFE_NO_PAD.encode([7; 32])});
    let mut keys = vec![strange, shared];
    keys.extend(pairs.iter().map(|pair| pair.published()));
    json!({"keys": keys}).to_string()
}

fn people(config: &mut Config, keys: Source, algorithm: Algorithm) {
    config.tokens = Tokens::Published { keys, algorithm, issuer: ISSUER.to_owned() };
}

#[track_caller]
fn try_it(app: &TestApp, token: &str) -> Reply {
    app.bearing(token).get("/v1/providers")
}

/// A server whose identity provider publishes in a file, and where that is. It accepts what the first key signs with.
pub fn by_file(pairs: &[&Pair]) -> (TestApp, std::path::PathBuf) {
    let mut path = std::path::PathBuf::new();
    let app = TestApp::tuned(Kind::Sqlite, |config| {
        path = config.key_file.with_file_name("jwks.json");
        std::fs::write(&path, set(pairs)).unwrap();
        people(config, Source::File(path.clone()), pairs[0].algorithm);
    });
    (app, path)
}

/// Publishes in the place of what is there, as one does with files that others read.
fn replace(path: &std::path::Path, text: &str) {
    let next = path.with_extension("next");
    std::fs::write(&next, text).unwrap();
    std::fs::rename(next, path).unwrap();
}

#[test]
fn a_token_is_what_its_provider_says_and_nothing_else() {
    let (one, other) = (Pair::new("one", 1), Pair::new("one", 2));
    let (app, _) = by_file(&[&one]);
    let app = &app;
    try_it(app, &one.token(&json!({}))).expect(200);
    try_it(app, &one.token(&json!({"aud": ["elsewhere", "tests"]}))).expect(200);
    try_it(app, &one.token(&json!({"nbf": 1}))).expect(200);
    app.bearing(&one.token(&json!({"role": "administrator", "authority": null}))).get("/v1/clients").expect(200);
    for wrong in [
        json!({"aud": "elsewhere"}),
        json!({"aud": ["elsewhere"]}),
        json!({"iss": "https://other.example.org"}),
        json!({"iss": "dps"}),
        json!({"iss": "dps-local"}),
        json!({"exp": 1}),
        json!({"nbf": 4_102_444_000_u64}),
        json!({"role": "public"}),
        json!({"role": "root"}),
        json!({"role": null}),
        json!({"authority": null}),
        json!({"sub": ""}),
    ] {
        try_it(app, &one.token(&wrong)).problem("unauthenticated", 401);
    }
    try_it(app, &other.token(&json!({}))).problem("unauthenticated", 401);
}

#[test]
fn a_set_of_many_kinds_of_keys_is_used_for_one() {
    let (rsa, elliptic) = (Pair::rsa("rsa"), Pair::new("ec", 1));
    let (app, _) = by_file(&[&rsa, &elliptic]);
    let app = &app;
    try_it(app, &rsa.token(&json!({}))).expect(200);
    try_it(app, &elliptic.token(&json!({}))).problem("unauthenticated", 401);
    let header = Header { kid: Some("rsa".to_owned()), ..Header::new(Algorithm::RS512) };
    let other = encode(&header, &said(&json!({})), &rsa.signing).unwrap();
    try_it(app, &other).problem("unauthenticated", 401);
    let modulus = rsa.published()["n"].as_str().unwrap().to_owned();
    let header = Header { kid: Some("rsa".to_owned()), ..Header::new(Algorithm::HS256) };
    for secret in [BASE64_URL_SAFE_NO_PAD.decode(&modulus).unwrap(), modulus.into_bytes()] {
        let token = encode(&header, &said(&json!({"iss": "dps"})), &EncodingKey::from_secret(&secret)).unwrap();
        try_it(app, &token).problem("unauthenticated", 401);
    }
}

#[test]
fn a_key_set_in_a_file_is_read_again_when_it_changes() {
    let (one, two) = (Pair::new("one", 1), Pair::new("two", 2));
    let (app, path) = by_file(&[&one]);
    let app = &app;
    let (old, new) = (one.token(&json!({})), two.token(&json!({})));
    try_it(app, &old).expect(200);
    try_it(app, &new).problem("unauthenticated", 401);
    replace(&path, &set(&[&one, &two]));
    try_it(app, &new).expect(200);
    try_it(app, &old).expect(200);
    replace(&path, &set(&[&two]));
    try_it(app, &old).problem("unauthenticated", 401);
    try_it(app, &new).expect(200);
    // A key that is another under the same name is another key.
    replace(&path, &set(&[&Pair::new("two", 3)]));
    try_it(app, &new).problem("unauthenticated", 401);
    replace(&path, &set(&[&two]));
    try_it(app, &new).expect(200);
    replace(&path, "{ half a f");
    try_it(app, &new).expect(200);
    std::fs::remove_file(&path).unwrap();
    try_it(app, &new).expect(200);
}

/// The identity provider's address: what it publishes, where `None` is a failure, and how often it was asked.
struct Provider {
    address: String,
    state: Arc<Mutex<(Option<String>, usize)>>,
}

impl Provider {
    fn new(text: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/keys", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new((text, 0)));
        let shared = state.clone();
        // It ends with the process: nobody waits for it.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    if stream.read(&mut byte).unwrap_or(0) == 0 {
                        break;
                    }
                    request.push(byte[0]);
                }
                let text = {
                    let mut state = shared.lock().unwrap();
                    state.1 += 1;
                    state.0.clone()
                };
                let (status, text) = text.map_or(("503 Service Unavailable", String::new()), |text| ("200 OK", text));
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", text.len());
                drop(stream.write_all((head + &text).as_bytes()));
            }
        });
        Self { address, state }
    }

    fn publishes(&self, text: Option<String>) {
        self.state.lock().unwrap().0 = text;
    }

    fn asked(&self) -> usize {
        self.state.lock().unwrap().1
    }

    /// A server that asks it at once about an unknown key, where `again` has passed since it last asked.
    fn server(&self, again: Duration) -> TestApp {
        let address = self.address.clone();
        TestApp::tuned(Kind::Sqlite, |config| {
            people(config, Source::Url { address, every: DAY, again }, Algorithm::ES256);
        })
    }
}

#[test]
fn an_address_is_asked_about_a_key_that_is_not_known() {
    let (one, two) = (Pair::new("one", 1), Pair::new("two", 2));
    let provider = Provider::new(Some(set(&[&one])));
    let app = &provider.server(Duration::ZERO);
    let (old, new) = (one.token(&json!({})), two.token(&json!({})));
    try_it(app, &old).expect(200);
    try_it(app, &old).expect(200);
    assert_eq!(provider.asked(), 1, "a known key asks nobody");
    provider.publishes(Some(set(&[&two])));
    try_it(app, &new).expect(200);
    assert_eq!(provider.asked(), 2);
    try_it(app, &old).problem("unauthenticated", 401);
    // Where it fails, or says nothing that can be read, what it said before holds.
    for text in [None, Some("<html>".to_owned())] {
        provider.publishes(text);
        try_it(app, &old).problem("unauthenticated", 401);
        try_it(app, &new).expect(200);
    }
    provider.publishes(Some(set(&[])));
    try_it(app, &old).problem("unauthenticated", 401);
    try_it(app, &new).problem("unauthenticated", 401);
}

#[test]
fn names_that_are_made_up_do_not_make_the_server_ask_again_and_again() {
    let (one, two) = (Pair::new("one", 1), Pair::new("two", 2));
    let provider = Provider::new(Some(set(&[&one])));
    let app = &provider.server(DAY);
    provider.publishes(Some(set(&[&one, &two])));
    for _ in 0..3 {
        try_it(app, &two.token(&json!({}))).problem("unauthenticated", 401);
    }
    try_it(app, &one.token(&json!({}))).expect(200);
    assert_eq!(provider.asked(), 1);
}

#[test]
fn a_server_starts_without_its_identity_provider_and_serves_machine_clients() {
    let one = Pair::new("one", 1);
    let provider = Provider::new(None);
    let app = &provider.server(Duration::ZERO);
    try_it(app, &one.token(&json!({}))).problem("unauthenticated", 401);
    provider.publishes(Some(set(&[&one])));
    let admin = app.bearing(&one.token(&json!({"role": "administrator"})));
    let terms = json!({"name": "Reader", "role": "script", "scopes": ["read_providers"]});
    let made = admin.post("/v1/clients", terms).expect(201).body;
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        made["id"].as_str().unwrap(),
        made["secret"].as_str().unwrap()
    );
    let media = "application/x-www-form-urlencoded";
    let given = app.anonymous().request("POST", "/oauth/token").bytes(media, form.as_bytes()).send().expect(200);
    try_it(app, given.body["access_token"].as_str().unwrap()).expect(200);
}

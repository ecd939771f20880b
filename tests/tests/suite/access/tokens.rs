//! Attacks on tokens and on the header that carries them. Each is refused as a token, before anything is looked up for
//! it, and the next honest one is served.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use domain::kernel::Role;
use jsonwebtoken::crypto::sign;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use crate::actor::Reply;
use crate::app::TestApp;
use crate::applicants::Applicant;
use crate::database::Kind;
use crate::identity::{ISSUER, Pair, by_file, said};

const PATH: &str = "/v1/providers";

fn part(text: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(text)
}

/// A token of that header and those claims as they are written, signed with a key by an algorithm.
fn raw(header: &str, claims: &str, key: &EncodingKey, algorithm: Algorithm) -> String {
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = sign(signed.as_bytes(), key, algorithm).unwrap();
    format!("{signed}.{signature}")
}

/// An honest token of the provider's key with another header.
fn headed(pair: &Pair, header: Value) -> String {
    raw(&header.to_string(), &said(&json!({})).to_string(), &pair.signing, pair.algorithm)
}

/// An honest token of the provider's key with other claims, as they are written.
fn claiming(pair: &Pair, claims: &str) -> String {
    let header = json!({"alg": pair.algorithm, "kid": pair.kid, "typ": "JWT"});
    raw(&header.to_string(), claims, &pair.signing, pair.algorithm)
}

fn sent(app: &TestApp, header: &str) -> Reply {
    app.anonymous().request("GET", PATH).header("authorization", header).send()
}

/// Fails where one of these is served, or is refused as anything but a token; and where the answer says what was sent.
#[track_caller]
fn refused(app: &TestApp, tokens: impl IntoIterator<Item = (String, String)>) {
    for (why, token) in tokens {
        let reply = sent(app, &format!("Bearer {token}"));
        assert!(reply.status == 401 && reply.body["code"] == "unauthenticated", "{why}: {token}\n{reply}");
        assert!(token.len() < 20 || !reply.text.contains(&token), "{why}: the answer repeats the token\n{reply}");
        assert!(reply.header("www-authenticate").is_some_and(|way| way.starts_with("Bearer")), "{why}\n{reply}");
    }
}

fn named<T: ToString>(what: &str, tokens: impl IntoIterator<Item = T>) -> Vec<(String, String)> {
    tokens.into_iter().enumerate().map(|(n, token)| (format!("{what} {n}"), token.to_string())).collect()
}

#[test]
fn a_token_without_a_signature_is_none() {
    let one = Pair::new("one", 1);
    for app in [&by_file(&[&one]).0, &TestApp::on(Kind::Sqlite)] {
        let honest = one.token(&json!({}));
        let claims = [said(&json!({})), said(&json!({"iss": "dps-local"})), said(&json!({"iss": "dps"}))];
        for spelling in ["none", "None", "NONE", "nOnE", "none ", "", "null"] {
            for claims in &claims {
                let unsigned = format!(
                    "{}.{}",
                    part(&json!({"alg": spelling, "kid": "one"}).to_string()),
                    part(&claims.to_string())
                );
                let signature = honest.rsplit('.').next().unwrap();
                refused(
                    app,
                    named(spelling, [format!("{unsigned}."), unsigned.clone(), format!("{unsigned}.{signature}")]),
                );
            }
        }
        let parts: Vec<&str> = honest.split('.').collect();
        let [header, body, signature] = parts[..] else { panic!("three parts") };
        refused(
            app,
            named(
                "cut",
                [
                    format!("{header}.{body}."),
                    format!("{header}.{body}"),
                    format!("{header}..{signature}"),
                    format!(".{body}.{signature}"),
                    format!("{header}.{body}.{}", &signature[..signature.len() - 2]),
                    format!("{header}.{body}.{signature}.{signature}"),
                    format!("{header}.{}.{signature}", part(&said(&json!({"role": "administrator"})).to_string())),
                    "..".to_owned(),
                    ".".to_owned(),
                    String::new(),
                    "null".to_owned(),
                ],
            ),
        );
    }
}

#[test]
fn an_algorithm_is_pinned_whatever_the_key() {
    for expected in [Pair::rsa("rsa"), Pair::new("ec", 1)] {
        let (app, _) = by_file(&[&expected]);
        let app = &app;
        // The public key, which everyone knows, in any of the forms that it is known in, as if it were a secret; and a
        // shared secret that the set publishes by mistake.
        let jwk = expected.published();
        let members: Vec<&str> = ["n", "x", "y"].iter().filter_map(|name| jwk[name].as_str()).collect();
        let decoded: Vec<Vec<u8>> = members.iter().map(|text| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()).collect();
        let mut forms = vec![jwk.to_string().into_bytes(), decoded.concat(), Vec::new(), vec![0; 32], vec![7; 32]];
        forms.extend(members.iter().map(|text| text.as_bytes().to_vec()).chain(decoded));
        for secret in &forms {
            let key = EncodingKey::from_secret(secret);
            for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
                for (issuer, kid) in
                    [(ISSUER, expected.kid), (ISSUER, "shared"), ("dps", expected.kid), ("dps-local", "shared")]
                {
                    let claims = said(&json!({"iss": issuer})).to_string();
                    // Under its own name, and under the one that is expected.
                    for named_as in [algorithm, expected.algorithm] {
                        let header = json!({"alg": named_as, "kid": kid, "typ": "JWT"}).to_string();
                        refused(app, named("a public key as a secret", [raw(&header, &claims, &key, algorithm)]));
                    }
                }
            }
        }
        // A token for development is nothing here.
        app.lead("LGSS").get(PATH).problem("unauthenticated", 401);
        sent(app, &format!("Bearer {}", expected.token(&json!({})))).expect(200);
    }
}

#[test]
fn a_key_signs_by_one_algorithm() {
    let (rsa, elliptic) = (Pair::rsa("rsa"), Pair::new("ec", 1));
    let (app, _) = by_file(&[&rsa, &elliptic]);
    let app = &app;
    for algorithm in [Algorithm::RS384, Algorithm::RS512, Algorithm::PS256, Algorithm::PS512] {
        let header = json!({"alg": algorithm, "kid": "rsa"}).to_string();
        refused(
            app,
            named("another of its kind", [raw(&header, &said(&json!({})).to_string(), &rsa.signing, algorithm)]),
        );
    }
    let unknown = ["ES512", "HS1", "RSA-OAEP", "dir"].map(|name| headed(&rsa, json!({"alg": name, "kid": "rsa"})));
    refused(app, named("unknown", unknown));
    refused(
        app,
        named("another kind", [elliptic.token(&json!({})), headed(&elliptic, json!({"alg": "ES256", "kid": "rsa"}))]),
    );
    sent(app, &format!("Bearer {}", rsa.token(&json!({})))).expect(200);
}

#[test]
fn a_header_names_a_key_and_brings_none() {
    let (one, evil) = (Pair::new("one", 1), Pair::new("evil", 2));
    let (app, path) = by_file(&[&one]);
    let app = &app;
    let file = path.display().to_string();
    let names = [
        "evil",
        "",
        " one",
        "one ",
        "ONE",
        "one\u{0}",
        "../one",
        "../../../../dev/null",
        "/dev/null",
        "/proc/self/environ",
        "file:///dev/null",
        file.as_str(),
        "https://evil.example/jwks.json",
        "http://127.0.0.1:1/",
        "' OR '1'='1",
        "one' UNION SELECT 'k'--",
        "one; DROP TABLE events",
        "$(id)",
        "`id`",
        "${jndi:ldap://evil.example/a}",
        "*",
        "[]",
    ];
    refused(app, names.map(|kid| (format!("kid {kid:?}"), headed(&one, json!({"alg": "ES256", "kid": kid})))));
    for kid in [json!(null), json!(1), json!(["one"]), json!({"k": "one"}), json!(true)] {
        refused(app, named("a kid that is no text", [headed(&one, json!({"alg": "ES256", "kid": kid}))]));
    }
    refused(app, named("no kid", [headed(&one, json!({"alg": "ES256"}))]));
    // A key that comes with the token is nobody's.
    for (name, value) in [
        ("jwk", evil.published()),
        ("jku", json!("https://evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/cert.pem")),
        ("x5c", json!([part("certificate")])),
        ("x5t", json!("dGh1bWI")),
    ] {
        for kid in ["one", "evil"] {
            let header = json!({"alg": "ES256", "kid": kid, name: value});
            refused(app, named(name, [headed(&evil, header)]));
        }
    }
    // What must be understood, and is not (RFC 7515, 4.1.11).
    refused(
        app,
        named(
            "critical",
            [
                headed(&one, json!({"alg": "ES256", "kid": "one", "crit": ["exp"]})),
                headed(&one, json!({"alg": "ES256", "kid": "one", "crit": ["b64"], "b64": false})),
                headed(&one, json!({"alg": "ES256", "kid": "one", "crit": []})),
            ],
        ),
    );
    let twice =
        raw(r#"{"alg":"ES256","kid":"one","kid":"one"}"#, &said(&json!({})).to_string(), &one.signing, one.algorithm);
    let both =
        raw(r#"{"alg":"none","alg":"ES256","kid":"one"}"#, &said(&json!({})).to_string(), &one.signing, one.algorithm);
    refused(app, named("said twice", [twice, both]));
    sent(app, &format!("Bearer {}", headed(&one, json!({"alg": "ES256", "kid": "one"})))).expect(200);
}

#[test]
fn a_claim_is_of_its_type_said_once_and_there() {
    let one = Pair::new("one", 1);
    let (app, _) = by_file(&[&one]);
    let app = &app;
    let usual = said(&json!({}));
    for name in ["iss", "aud", "sub", "exp", "role", "authority"] {
        let mut without = usual.clone();
        without.as_object_mut().unwrap().remove(name);
        refused(app, named(&format!("without {name}"), [claiming(&one, &without.to_string())]));
        for odd in
            [json!(null), json!({}), json!([]), json!([1]), json!(true), json!(-1), json!(1.5e300), json!("\u{0}")]
        {
            let claims = said(&json!({name: odd})).to_string();
            refused(app, named(&format!("{name} is {odd}"), [claiming(&one, &claims)]));
        }
        // The second would win in one reader, and the first in another.
        let (text, value) = (usual.to_string(), &usual[name]);
        for other in [value.clone(), json!("administrator")] {
            let twice = format!("{},\"{name}\":{other}}}", text.trim_end_matches('}'));
            refused(app, named(&format!("{name} twice"), [claiming(&one, &twice)]));
        }
    }
    for (name, value) in [
        ("iss", json!([ISSUER, "dps"])),
        ("iss", json!(format!("{ISSUER}/"))),
        ("iss", json!("HTTPS://IDP.EXAMPLE.ORG")),
        ("iss", json!("dps")),
        ("iss", json!("dps-local")),
        ("aud", json!("test")),
        ("aud", json!("tests ")),
        ("aud", json!(["elsewhere"])),
        ("exp", json!("4102444800")),
        ("exp", json!(1)),
        ("exp", json!(0)),
        ("nbf", json!(4_102_444_000_u64)),
        ("nbf", json!("1")),
        ("sub", json!("")),
        ("sub", json!("x".repeat(201))),
        ("role", json!("Lead_Agency")),
        ("role", json!("public")),
        ("role", json!("root")),
        ("role", json!(["lead_agency", "administrator"])),
        ("role", json!("provider")),
        ("authority", json!("lgss")),
        ("authority", json!("LGSS,BRAD")),
        ("authority", json!(["LGSS", "BRAD"])),
        ("provider", json!("*")),
    ] {
        refused(app, named(&format!("{name} is {value}"), [claiming(&one, &said(&json!({name: value})).to_string())]));
    }
    refused(
        app,
        named(
            "no object",
            [
                claiming(&one, "[]"),
                claiming(&one, "null"),
                claiming(&one, ""),
                claiming(&one, "{"),
                claiming(&one, "{}"),
            ],
        ),
    );
    let nested = format!("{}{}", "[".repeat(3000), "]".repeat(3000));
    refused(app, named("nested", [claiming(&one, &said(&json!({})).to_string().replace("\"someone\"", &nested))]));
    sent(app, &format!("Bearer {}", claiming(&one, &usual.to_string()))).expect(200);
}

#[test]
fn a_token_is_as_long_as_a_header_may_be() {
    let one = Pair::new("one", 1);
    let (app, _) = by_file(&[&one]);
    let app = &app;
    refused(
        app,
        named("long", [claiming(&one, &said(&json!({"sub": "x".repeat(20_000)})).to_string()), "x".repeat(20_000)]),
    );
    // Beyond that the connection itself refuses.
    let reply =
        app.anonymous().request("GET", PATH).header("authorization", &format!("Bearer {}", "x".repeat(400_000)));
    let status = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| reply.send_to_broken().status));
    assert!(status.is_err() || matches!(status, Ok(400..=499)), "{status:?}");
    sent(app, &format!("Bearer {}", one.token(&json!({})))).expect(200);
}

on_both! {
    fn a_header_is_one_and_says_bearer(app: &TestApp) {
        let (lead, admin) = (app.lead("LGSS"), app.administrator());
        let (lead, admin) = (lead.token(), admin.token());
        let refused = |headers: &[String]| {
            let call = headers.iter().fold(app.anonymous().request("GET", PATH), |call, header| call.header("authorization", header));
            call.send().problem("unauthenticated", 401);
        };
        for header in ["", "Bearer", "Bearer ", "Basic eDp5", "Token x", "Negotiate x"] {
            refused(&[header.to_owned()]);
        }
        for header in [
            lead.to_owned(), format!("bearer{lead}"), format!("Bearer  {lead}"), format!("Bearer\t{lead}"),
            format!("Bearer {lead} x"), format!("Bearer {lead},"), format!("Bearer {lead}, Bearer {admin}"),
            format!("Bearer \"{lead}\""), format!("Basic {lead}"), format!("Bearer {lead}="), format!("Bearer Bearer {lead}"),
        ] {
            refused(&[header]);
        }
        // Of two, a proxy may have looked at the other one.
        let (lead, admin) = (format!("Bearer {lead}"), format!("Bearer {admin}"));
        refused(&[lead.clone(), admin.clone()]);
        refused(&[admin, lead.clone()]);
        refused(&[lead.clone(), lead.clone()]);
        refused(&[lead.clone(), "Basic eDp5".to_owned()]);
        refused(&[lead.clone(), String::new()]);
        // Spaces around a field are no part of it (RFC 9110, 5.5).
        sent(app, &format!("{lead} ")).expect(200);
        // No other place is looked at.
        let token = lead.trim_start_matches("Bearer ");
        app.anonymous().get(&format!("{PATH}?access_token={token}")).problem("unauthenticated", 401);
        for other in ["x-authorization", "x-forwarded-authorization", "proxy-authorization", "cookie", "x-original-authorization"] {
            app.anonymous().request("GET", PATH).header(other, &lead).send().problem("unauthenticated", 401);
        }
        for who in ["x-user", "x-role", "x-remote-user", "x-forwarded-user"] {
            app.anonymous().request("GET", PATH).header(who, "administrator").send().problem("unauthenticated", 401);
        }
        let posted = [("x-http-method-override", "DELETE"), ("x-original-url", "/v1/clients"), ("x-rewrite-url", "/v1/clients")];
        for (name, value) in posted {
            let reply = app.lead("LGSS").request("GET", PATH).header(name, value).send().expect(200);
            assert!(reply.body["items"].is_array(), "{name}");
        }
    }

    fn claims_of_another_role_give_nothing(app: &TestApp) {
        let market = crate::market::Market::draft(app, json!({}));
        let (ash, birch) = (Applicant::new(app, "Ash"), Applicant::new(app, "Birch"));
        let as_ash = |role: Role, authority| app.actor(role, "mixed", authority, Some(&ash.id));
        for mixed in [as_ash(Role::Provider, Some("LGSS")), as_ash(Role::Portal, Some("LGSS"))] {
            mixed.get(&market.path("")).problem("not_found", 404);
            mixed.get(&format!("/v1/providers/{}", birch.id)).problem("not_found", 404);
            mixed.post(&market.path("/publish"), Value::Null).problem("forbidden", 403);
            let shown = crate::members::feed(&mixed, "");
            assert!(shown.iter().all(|event| event["provider"] == json!(ash.id)), "{shown:#?}");
        }
        // A portal is not the provider that its token names; a buyer and an administrator are none.
        as_ash(Role::Portal, None).get(&format!("/v1/providers/{}", ash.id)).problem("not_found", 404);
        let order = json!({"arrangement": market.id, "provider": ash.id, "lots": []});
        as_ash(Role::LeadAgency, Some("LGSS")).post("/v1/applications", order.clone()).problem("forbidden", 403);
        let administrator = as_ash(Role::Administrator, Some("LGSS"));
        administrator.get(&market.path("")).problem("not_found", 404);
        administrator.get(&format!("/v1/providers/{}", ash.id)).problem("forbidden", 403);
        // A script of an authority is no script of all.
        let script = app.actor(Role::Script, "of-brad", Some("BRAD"), None);
        script.get(&market.path("")).problem("not_found", 404);
        app.script().get(&market.path("")).expect(200);
    }

    fn a_clients_token_ends_with_its_client_and_its_secret(app: &TestApp) {
        let admin = app.administrator();
        let made = admin.post("/v1/clients", json!({"name": "Reader", "role": "script", "scopes": ["read_providers"]})).expect(201);
        let form = format!("grant_type=client_credentials&client_id={}&client_secret={}", made.id(), made.body["secret"].as_str().unwrap());
        let ask = || app.anonymous().request("POST", "/oauth/token").bytes("application/x-www-form-urlencoded", form.as_bytes()).send();
        let token = ask().expect(200).body["access_token"].as_str().unwrap().to_owned();
        let client = app.bearing(&token);
        client.get(PATH).expect(200);
        client.get("/v1/memberships").problem("insufficient_scope", 403);
        // It is verified and remembered; what it was is asked anew.
        admin.post(&format!("/v1/clients/{}/revoke", made.id()), json!({"reason": "lost"})).expect(200);
        client.get(PATH).problem("unauthenticated", 401);
        client.get("/v1/memberships").problem("unauthenticated", 401);
        ask().expect(401);
    }
}

//! Machine clients: registration, tokens, scopes, rotation, revocation, portals and rate limits.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use domain::kernel::Role;
use serde_json::{Value, json};

use crate::actor::{Actor, Reply};
use crate::app::TestApp;
use crate::applicants::Applicant;
use crate::database::Kind;
use crate::members::{Member, feed, rolling};
use crate::receiver::Receiver;
use crate::webhooks::{deliver, subscribe};

/// A script that reads providers and the record.
fn reader() -> Value {
    json!({"name": "Reader", "role": "script", "scopes": ["read_providers", "read_record"]})
}

/// A portal that keeps profiles under a name of its own.
fn portal(name: &str) -> Value {
    let scopes = ["manage_profile", "read_providers", "read_record"];
    json!({"name": "Portal", "role": "portal", "scopes": scopes, "portal": name})
}

/// A registered client, as whoever registered it knows it.
struct Client {
    id: String,
    secret: String,
}

impl Client {
    #[track_caller]
    fn new(app: &TestApp, terms: Value) -> Self {
        let made = app.administrator().post("/v1/clients", terms).expect(201);
        Self { id: made.id(), secret: made.body["secret"].as_str().unwrap().to_owned() }
    }

    fn path(&self, rest: &str) -> String {
        format!("/v1/clients/{}{rest}", self.id)
    }

    fn form(&self, more: &str) -> String {
        format!("grant_type=client_credentials&client_id={}&client_secret={}{more}", self.id, self.secret)
    }

    /// Someone with a new token of this client.
    #[track_caller]
    fn caller<'a>(&self, app: &'a TestApp) -> Actor<'a> {
        app.bearing(&bearer(&ask(app, &self.form("")).expect(200)))
    }

    /// A new secret, where the present one stays valid for so many hours.
    #[track_caller]
    fn rotated(&self, app: &TestApp, hours: u32) -> Self {
        let answer = app.administrator().post(&self.path("/rotate"), json!({"overlapHours": hours})).expect(200);
        Self { id: self.id.clone(), secret: answer.body["secret"].as_str().unwrap().to_owned() }
    }
}

/// Asks for a token with that form.
#[track_caller]
fn ask(app: &TestApp, form: &str) -> Reply {
    let media = "application/x-www-form-urlencoded";
    app.anonymous().request("POST", "/oauth/token").bytes(media, form.as_bytes()).send()
}

fn bearer(reply: &Reply) -> String {
    reply.body["access_token"].as_str().unwrap().to_owned()
}

/// Fails where the answer is not that error of RFC 6749.
#[track_caller]
fn refused(reply: &Reply, status: u16, error: &str) {
    assert!(reply.status == status && reply.body["error"] == error, "expected {status} {error}\n{reply}");
    assert!(!reply.body["error_description"].as_str().unwrap().is_empty(), "{reply}");
    assert_eq!(reply.header("cache-control"), Some("no-store"), "{reply}");
    assert_eq!(reply.header("www-authenticate").is_some(), status == 401, "{reply}");
}

on_both! {
    fn only_an_administrator_registers_clients(app: &TestApp) {
        for role in Role::ALL.into_iter().filter(|role| ![Role::Administrator, Role::Public].contains(role)) {
            app.of_role(role).post("/v1/clients", reader()).problem("forbidden", 403);
        }
        app.anonymous().post("/v1/clients", reader()).problem("unauthenticated", 401);
        let admin = app.administrator();
        let client = Client::new(app, reader());
        let shown = admin.get(&client.path("")).expect(200).state("active");
        assert_eq!(shown.body["terms"]["scopes"], json!(["read_providers", "read_record"]));
        assert_eq!(shown.body["registeredBy"], "administrator");
        assert_eq!(admin.all("/v1/clients?state=active").len(), 1);
        let wrong = json!({"name": " ", "role": "script", "scopes": ["read_members", "suspend"], "portal": "x", "rateLimit": 0});
        admin.post("/v1/clients", wrong).blames("client_name", "/name").blames("client_scope", "/scopes/1")
            .blames("client_acts_for", "/portal").blames("portal_name", "/portal").blames("client_rate", "/rateLimit");
        admin.post("/v1/clients", json!({"name": "x", "role": "script", "scopes": ["root"]})).problem("invalid", 422);
        let nobody = json!({"name": "x", "role": "portal", "scopes": ["apply"], "providers": [client.id]});
        admin.post("/v1/clients", nobody).blames("client_acts_for", "/providers/0");
        // Who runs the system has no part in a procurement.
        admin.get("/v1/providers").problem("forbidden", 403);
    }

    fn a_secret_is_shown_once(app: &TestApp) {
        let admin = app.administrator();
        let register = || admin.request("POST", "/v1/clients").json(reader()).key("k-1").send().expect(201);
        let (first, again) = (register(), register());
        let secret = first.body["secret"].as_str().unwrap().to_owned();
        assert_eq!(again.id(), first.id());
        assert_eq!(again.body["secret"], Value::Null, "a replay has all but the secret");
        let dry = admin.request("POST", "/v1/clients").json(reader()).dry().send().expect(201);
        assert_eq!(dry.body["secret"], Value::Null);
        let client = Client { id: first.id(), secret };
        let rotate = || admin.request("POST", &client.path("/rotate")).json(json!({})).key("k-2").send().expect(200);
        let (rotated, replayed) = (rotate(), rotate());
        assert_eq!(replayed.body["secret"], Value::Null);
        let second = rotated.body["secret"].as_str().unwrap().to_owned();
        assert_ne!(second, client.secret);
        ask(app, &client.form("")).expect(200);
        let told = [
            admin.get(&client.path("")).expect(200).text,
            admin.get("/v1/clients").expect(200).text,
            admin.get("/v1/events").expect(200).text,
            admin.get("/v1/audit").expect(200).text,
            again.text, replayed.text,
        ];
        for text in &told {
            assert!(text.contains(&client.id) && !text.contains("dps_"), "{text}");
            assert!(!text.contains(&client.secret) && !text.contains(&second), "{text}");
        }
        if app.database.kind == Kind::Sqlite {
            for file in std::fs::read_dir(&app.database.home).unwrap() {
                let bytes = std::fs::read(file.unwrap().path()).unwrap();
                assert!(!String::from_utf8_lossy(&bytes).contains(&client.secret), "only the hash is stored");
            }
        }
    }

    fn what_is_done_to_clients_is_the_administrators_to_see(app: &TestApp) {
        let client = Client::new(app, reader());
        let kinds = |actor: &Actor<'_>| -> Vec<String> {
            feed(actor, "").iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
        };
        app.administrator().post(&client.path("/revoke"), json!({"reason": "not needed"})).expect(200).state("revoked");
        assert_eq!(kinds(&app.administrator()), ["ClientRegistered", "ClientRevoked"]);
        for other in [app.script(), app.lead("LGSS"), app.portal("p"), app.newcomer()] {
            assert_eq!(kinds(&other), Vec::<String>::new(), "{}", other.name);
        }
        let fens = Applicant::new(app, "Fens Care");
        assert!(kinds(&fens.provider).contains(&"ProviderRegistered".to_owned()));
        assert_eq!(kinds(&app.administrator()).len(), 2, "nothing of a procurement");
    }

    fn a_token_is_got_in_both_ways_and_refused_in_the_form_of_rfc_6749(app: &TestApp) {
        let client = Client::new(app, reader());
        let given = ask(app, &client.form("")).expect(200);
        assert_eq!((&given.body["token_type"], &given.body["expires_in"]), (&json!("Bearer"), &json!(900)));
        assert_eq!(given.body["scope"], "read_providers read_record");
        assert_eq!((given.header("cache-control"), given.header("pragma")), (Some("no-store"), Some("no-cache")));
        app.bearing(&bearer(&given)).get("/v1/providers").expect(200);

        let media = "application/x-www-form-urlencoded";
        let basic = |id: &str, secret: &str, form: &str| {
            let pair = format!("Basic {}", BASE64_STANDARD.encode(format!("{id}:{secret}")));
            app.anonymous().request("POST", "/oauth/token").bytes(media, form.as_bytes()).header("authorization", &pair).send()
        };
        let grant = "grant_type=client_credentials";
        basic(&client.id, &client.secret, grant).expect(200);
        basic(&client.id.replace('-', "%2D"), &client.secret, grant).expect(200);
        basic(&client.id, &client.secret, &format!("{grant}&client_id={}", client.id)).expect(200);
        refused(&basic(&client.id, "dps_0", grant), 401, "invalid_client");
        refused(&basic(&client.id, &client.secret, &client.form("")), 400, "invalid_request");
        refused(&basic(&client.id, &client.secret, &format!("{grant}&client_id=other")), 400, "invalid_request");

        let unknown = Client { id: "0190a000-0000-7000-8000-00000000dead".into(), secret: client.secret.clone() };
        refused(&ask(app, &unknown.form("")), 401, "invalid_client");
        let named = Client { id: "me".into(), secret: String::from("x") };
        refused(&ask(app, &named.form("")), 401, "invalid_client");
        refused(&ask(app, grant), 401, "invalid_client");
        refused(&ask(app, &client.form("&grant_type=client_credentials")), 400, "invalid_request");
        refused(&ask(app, &client.form("").replace("grant_type=client_credentials&", "")), 400, "invalid_request");
        refused(&ask(app, &client.form("").replace("client_credentials", "password")), 400, "unsupported_grant_type");
        refused(&ask(app, &client.form("&scope=read_providers+suspend")), 400, "invalid_scope");
        let json = app.anonymous().request("POST", "/oauth/token").json(json!({"grant_type": "client_credentials"})).send();
        refused(&json, 400, "invalid_request");
        let get = app.anonymous().request("GET", "/oauth/token").send();
        assert_eq!((get.status, get.header("allow")), (405, Some("POST")));
    }

    fn scopes_narrow_what_the_role_may_do(app: &TestApp) {
        let client = Client::new(app, reader());
        let all = client.caller(app);
        all.get("/v1/events").expect(200);
        let narrow = ask(app, &client.form("&scope=read_providers")).expect(200);
        assert_eq!(narrow.body["scope"], "read_providers");
        let narrow = app.bearing(&bearer(&narrow));
        narrow.get("/v1/providers").expect(200);
        let without = narrow.get("/v1/events").problem("insufficient_scope", 403);
        assert_eq!(without.body["scope"], "read_record");
        assert_eq!(without.header("www-authenticate"), Some("Bearer error=\"insufficient_scope\", scope=\"read_record\""));
        // Its role may move the clock; it may not. Nor may it read as a script what anyone reads as anyone.
        app.script().put("/v1/clock", json!({"now": "2016-01-02T00:00:00Z"})).expect(200);
        all.put("/v1/clock", json!({"now": "2016-01-03T00:00:00Z"})).problem("insufficient_scope", 403);
        all.get("/v1/arrangements").problem("insufficient_scope", 403);
        app.anonymous().get("/v1/arrangements").expect(200);
        // What a client may do is asked at each request.
        let less = json!({"name": "Reader", "role": "script", "scopes": ["read_providers"]});
        app.administrator().patch(&client.path(""), less).expect(200);
        all.get("/v1/events").problem("insufficient_scope", 403);
        all.get("/v1/providers").expect(200);
        refused(&ask(app, &client.form("&scope=read_record")), 400, "invalid_scope");
        app.administrator().patch(&client.path(""), portal("p1")).problem("client_role_fixed", 409);
    }

    fn a_rotated_secret_overlaps_and_ends_with_its_tokens(app: &TestApp) {
        let first = Client::new(app, reader());
        let early = first.caller(app);
        let second = first.rotated(app, 24);
        app.at("2016-01-01T23:59:59Z");
        first.caller(app).get("/v1/providers").expect(200);
        let late = second.caller(app);
        app.at("2016-01-02T00:00:00Z");
        refused(&ask(app, &first.form("")), 401, "invalid_client");
        early.get("/v1/providers").problem("unauthenticated", 401);
        late.get("/v1/providers").expect(200);
        let third = second.rotated(app, 0);
        late.get("/v1/providers").problem("unauthenticated", 401);
        refused(&ask(app, &second.form("")), 401, "invalid_client");
        third.caller(app).get("/v1/providers").expect(200);
        let shown = app.administrator().get(&third.path("")).expect(200);
        assert_eq!(shown.body["secrets"].as_array().unwrap().len(), 1);
        app.administrator().post(&third.path("/rotate"), json!({"overlapHours": 721})).problem("invalid", 422);
    }

    fn a_portal_is_recorded_with_the_provider_that_it_acts_for(app: &TestApp) {
        let fens = Applicant::new(app, "Fens Care");
        let wash = Applicant::new(app, "Wash Homes");
        let mut terms = portal("procontract");
        terms["providers"] = json!([fens.id]);
        let client = Client::new(app, terms);
        let caller = client.caller(app);
        let own = caller.post("/v1/providers", json!({"legalName": "Ouse Care"})).expect(201).id();
        let fens_path = format!("/v1/providers/{}", fens.id);
        caller.patch(&fens_path, json!({"legalName": "Fens Care Ltd"})).expect(200);
        for (provider, kind) in [(&own, "ProviderRegistered"), (&fens.id, "ProviderAmended")] {
            let events = feed(&caller, "");
            let event = events.iter().find(|e| e["type"] == kind && e["provider"] == json!(provider)).unwrap();
            assert_eq!(event["actor"], json!({"subject": client.id, "role": "portal", "authority": null, "actingFor": provider}));
        }
        let mut seen: Vec<String> = caller.all("/v1/providers").iter().map(|p| p["id"].as_str().unwrap().to_owned()).collect();
        let mut expected = vec![own, fens.id.clone()];
        seen.sort();
        expected.sort();
        assert_eq!(seen, expected);
        caller.get(&format!("/v1/providers/{}", wash.id)).problem("not_found", 404);
        assert_eq!(caller.all("/v1/providers?portal=procontract&reference=none").len(), 0);
    }

    fn what_a_client_subscribed_ends_with_it(app: &TestApp) {
        let market = rolling(app, json!({}));
        let receiver = Receiver::new();
        let scopes = ["read_record", "subscribe"];
        let client = Client::new(app, json!({"name": "Feed", "role": "script", "scopes": scopes}));
        subscribe(&client.caller(app), &receiver, json!({}));
        let member = Member::new(&market, "Ash");
        let suspension = member.suspend(&market.lead, json!({})).expect(201).id();
        deliver(app);
        assert!(!receiver.take().is_empty());
        app.administrator().post(&client.path("/revoke"), json!({"reason": "lost"})).expect(200);
        let lift = format!("/v1/suspensions/{suspension}/lift");
        market.lead.post(&lift, json!({"reason": "mended"})).expect(200);
        deliver(app);
        assert!(receiver.take().is_empty());
    }

    fn a_portals_name_is_its_own(app: &TestApp) {
        let client = Client::new(app, portal("procontract"));
        app.administrator().post("/v1/clients", portal("procontract")).problem("portal_name_taken", 409);
        let caller = client.caller(app);
        let put = |who: &Actor<'_>, name: &str| {
            who.request("PUT", &format!("/v1/providers/by-reference/{name}/S-1")).json(json!({"legalName": "Ouse Care"})).send()
        };
        let made = put(&caller, "procontract").expect(201).id();
        put(&caller, "contrax").problem("portal_name_foreign", 403);
        put(&caller, "ProContract").problem("portal_name_foreign", 403);
        put(&app.portal("other"), "procontract").problem("portal_name_foreign", 403);
        put(&app.portal("other"), "ProContract").problem("portal_name_foreign", 403);
        put(&app.portal("other"), "contrax").expect(201);
        let refer = |who: &Actor<'_>, id: &str, name: &str| {
            who.post(&format!("/v1/providers/{id}/external-references"), json!({"portal": name, "reference": "S-9"}))
        };
        let fens = Applicant::new(app, "Fens Care");
        refer(&fens.provider, &fens.id, " procontract ").problem("portal_name_foreign", 403);
        refer(&fens.provider, &fens.id, "contrax").expect(200);
        refer(&caller, &made, "contrax").problem("portal_name_foreign", 403);
        app.administrator().post(&client.path("/revoke"), json!({"reason": "closed"})).expect(200);
        put(&app.portal("other"), "procontract").problem("portal_name_foreign", 403);
    }
}

#[test]
fn a_revoked_client_is_refused_by_every_server_at_once() {
    let first = &TestApp::on(Kind::Postgres);
    let second = &first.beside(crate::app::START);
    let client = Client::new(first, reader());
    let token = bearer(&ask(first, &client.form("")).expect(200));
    for server in [first, second] {
        server.bearing(&token).get("/v1/providers").expect(200);
    }
    second.administrator().post(&client.path("/revoke"), json!({"reason": "leaked"})).expect(200).state("revoked");
    for server in [first, second] {
        server.bearing(&token).get("/v1/providers").problem("unauthenticated", 401);
        refused(&ask(server, &client.form("")), 401, "invalid_client");
    }
    first.administrator().post(&client.path("/rotate"), json!({})).problem("wrong_state", 409);
}

/// How many requests are left, and until when.
#[track_caller]
fn left(reply: &Reply) -> (&str, &str) {
    (reply.header("ratelimit").unwrap(), reply.header("ratelimit-policy").unwrap())
}

#[test]
fn each_caller_has_a_rate_of_its_own() {
    let app = &TestApp::tuned(Kind::Sqlite, |config| config.rate_limit = 3);
    let mut terms = reader();
    terms["rateLimit"] = json!(2);
    let client = Client::new(app, terms);
    let admin = app.administrator();
    assert_eq!(left(&admin.get("/v1/clients").expect(200)), ("\"caller\";r=1;t=40", "\"caller\";q=3;w=60"));
    admin.get("/v1/clients").expect(200);
    let refused = admin.get("/v1/clients").problem("rate_limited", 429);
    assert_eq!((left(&refused).0, refused.header("retry-after")), ("\"caller\";r=0;t=60", Some("20")));
    // The client has its own limit, and nobody takes from another.
    let caller = client.caller(app);
    assert_eq!(left(&caller.get("/v1/providers").expect(200)).1, "\"caller\";q=2;w=60");
    caller.get("/v1/providers").expect(200);
    caller.get("/v1/providers").problem("rate_limited", 429);
    // Without a valid token the address counts; what shows that the server lives does not.
    let anyone = app.anonymous();
    assert_eq!(left(&anyone.get("/v1/clock").expect(200)).1, "\"address\";q=3;w=60");
    app.bearing("x").get("/v1/providers").problem("unauthenticated", 401);
    app.bearing("y").get("/v1/providers").problem("unauthenticated", 401);
    app.bearing("z").get("/v1/providers").problem("rate_limited", 429);
    assert_eq!(anyone.get("/health").expect(200).header("ratelimit"), None);
    app.at("2016-01-01T00:00:20Z");
    admin.get("/v1/clients").expect(200);
    admin.get("/v1/clients").problem("rate_limited", 429);
}

#[test]
fn guessing_a_secret_is_slow() {
    let app = &TestApp::tuned(Kind::Sqlite, |config| config.oauth.per_minute = 2);
    let client = Client::new(app, reader());
    let guess = Client { id: client.id.clone(), secret: "dps_00".to_owned() };
    refused(&ask(app, &guess.form("")), 401, "invalid_client");
    refused(&ask(app, &guess.form("")), 401, "invalid_client");
    let slow = ask(app, &client.form(""));
    refused(&slow, 429, "temporarily_unavailable");
    assert_eq!((slow.header("retry-after"), left(&slow).1), (Some("30"), "\"token\";q=2;w=60"));
    // Another client at the same address is served, until the address itself asks too often.
    let other = Client::new(app, json!({"name": "Other", "role": "script", "scopes": ["read_members"]}));
    ask(app, &other.form("")).expect(200);
    // What is no identifier has one bucket, however long and many.
    let nobody =
        |n: usize| format!("grant_type=client_credentials&client_id={n}{}&client_secret=y", "x".repeat(10_000));
    (0..2).for_each(|n| refused(&ask(app, &nobody(n)), 401, "invalid_client"));
    (2..16).for_each(|n| refused(&ask(app, &nobody(n)), 429, "temporarily_unavailable"));
    refused(&ask(app, &other.form("")), 429, "temporarily_unavailable");
    app.at("2016-01-01T00:01:00Z");
    ask(app, &client.form("")).expect(200);
}

#[test]
fn behind_a_proxy_the_address_is_the_one_that_it_saw() {
    let app = &TestApp::tuned(Kind::Sqlite, |config| {
        config.rate_limit = 1;
        config.proxied = true;
    });
    let from = |address: &str| app.anonymous().request("GET", "/v1/clock").header("x-forwarded-for", address).send();
    from("192.0.2.1").expect(200);
    from("198.51.100.9, 192.0.2.1").problem("rate_limited", 429);
    from("192.0.2.2").expect(200);
    from("2001:db8::1").expect(200);
    from("2001:db8::2").problem("rate_limited", 429);
}

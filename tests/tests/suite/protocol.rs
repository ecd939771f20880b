//! What holds for every operation: tokens, preconditions, idempotency, dry runs, bodies, pages.

use domain::kernel::Role;
use serde_json::{Value, json};

use crate::app::{BODY_LIMIT, TestApp};
use crate::market::{self, Market, cambridgeshire, manual, particulars, with};

on_both! {
    fn ac_83_a_stale_if_match_is_refused(app: &TestApp) {
        let market = Market::draft(app, json!({}));
        let path = market.path("");
        let seen = market.lead.get(&path).expect(200).etag();
        let first = with(particulars(), json!({"title": "In time"}));
        let first = market.lead.request("PATCH", &path).json(first).if_match(&seen).send().expect(200);
        assert_ne!(first.etag(), seen);
        let later = with(particulars(), json!({"title": "Too late"}));
        market.lead.request("PATCH", &path).json(later.clone()).if_match(&seen).send().problem("stale", 412);
        market.lead.request("PATCH", &path).json(later.clone()).send().problem("precondition_required", 428);
        for other in ["mine", "\"+1\"", "\"-1\"", "\"1.x\"", "W/\"1\"", "1"] {
            market.lead.request("PATCH", &path).json(later.clone()).if_match(other).send().problem("unreadable", 400);
        }
        assert_ne!(market.show()["title"], "Too late");
        // A post may say what it saw, and then it counts.
        market.lead.request("POST", &market.path("/discard")).if_match(&seen).send().problem("stale", 412);
    }

    fn an_unchanged_representation_is_not_sent_again(app: &TestApp) {
        let market = Market::draft(app, json!({}));
        let etag = market.lead.get(&market.path("")).expect(200).etag();
        market.lead.request("GET", &market.path("")).header("if-none-match", &etag).send().expect(304);
        market.lead.patch(&market.path(""), particulars()).expect(200);
        market.lead.request("GET", &market.path("")).header("if-none-match", &etag).send().expect(304);
        market.lead.patch(&market.path(""), with(particulars(), json!({"title": "Another"}))).expect(200);
        market.lead.request("GET", &market.path("")).header("if-none-match", &etag).send().expect(200);
    }

    fn a_head_is_answered_as_its_get_without_the_body(app: &TestApp) {
        let market = Market::draft(app, json!({}));
        let head = |path: &str| market.lead.request("HEAD", path).send_to_broken();
        let get = market.lead.get(&market.path("")).expect(200);
        let same = head(&market.path(""));
        assert_eq!((same.status, same.etag(), same.text.as_str()), (200, get.etag(), ""));
        assert_eq!(same.header("content-length"), Some(get.text.len().to_string().as_str()));
        let unchanged = market.lead.request("HEAD", &market.path("")).header("if-none-match", &get.etag());
        assert_eq!(unchanged.send_to_broken().status, 304);
        assert_eq!(app.anonymous().request("HEAD", &market.path("")).send_to_broken().status, 404);
        assert_eq!(app.anonymous().request("HEAD", "/v1/fees").send_to_broken().status, 401);
        assert_eq!(head(&market.path("/publish")).status, 405, "what only posts has nothing to get");
        assert_eq!((head("/openapi.json").status, head("/nothing").status), (200, 404));
    }

    fn a_replay_is_answered_with_the_first_answer(app: &TestApp) {
        let lead = app.lead("LGSS");
        let create = |key: &str, body: Value| lead.request("POST", "/v1/arrangements").key(key).json(body).send();
        let first = create("a-1", cambridgeshire()).expect(201);
        let again = create("a-1", cambridgeshire()).expect(201);
        assert_eq!((&again.text, again.etag(), again.header("location")), (&first.text, first.etag(), first.header("location")));
        assert_eq!(lead.all("/v1/arrangements?state=draft").len(), 1);

        let other = with(cambridgeshire(), json!({"reference": "DN2"}));
        create("a-1", other.clone()).problem("idempotency_key_reused", 409);
        // A key belongs to its subject, and a refusal uses none up.
        let bradford = with(other.clone(), json!({"lead": {"code": "BRAD"}}));
        app.lead("BRAD").request("POST", "/v1/arrangements").key("a-1").json(bradford).send().expect(201);
        create("a-2", cambridgeshire()).problem("reference_taken", 409);
        create("a-2", other).expect(201);
        create("", cambridgeshire()).problem("unreadable", 400);
    }

    fn a_dry_run_writes_nothing(app: &TestApp) {
        let lead = app.lead("LGSS");
        let trial = lead.request("POST", "/v1/arrangements").json(cambridgeshire()).dry().send().expect(201);
        lead.get(&format!("/v1/arrangements/{}", trial.id())).problem("not_found", 404);
        let market = Market::draft(app, json!({}));
        let trial = market.lead.request("POST", &market.path("/publish")).dry().send().expect(200);
        assert_eq!(trial.body["state"], "live");
        assert_eq!(market.show()["state"], "draft");
        assert_eq!(market.rounds().len(), 0);
        let refused = with(cambridgeshire(), json!({"lead": {"code": "CCC"}}));
        lead.request("POST", "/v1/arrangements").json(refused).dry().send().problem("not_your_authority", 403);
    }

    fn a_dry_run_uses_no_key_up(app: &TestApp) {
        let create = || app.lead("LGSS").request("POST", "/v1/arrangements").key("a-1").json(cambridgeshire());
        let trial = create().dry().send().expect(201);
        let real = create().send().expect(201);
        assert_ne!(trial.id(), real.id());
    }

    fn nobody_without_a_token_writes(app: &TestApp) {
        let refused = app.anonymous().post("/v1/arrangements", cambridgeshire()).problem("unauthenticated", 401);
        assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
        app.bearing("not.a.token").get("/v1/arrangements").problem("unauthenticated", 401);
        app.anonymous().request("GET", "/v1/arrangements").header("authorization", "Basic eDp5").send()
            .problem("unauthenticated", 401);
    }

    fn a_role_that_may_not_is_told_so(app: &TestApp) {
        for role in [Role::Provider, Role::Portal, Role::ArtOfficer, Role::SocialWorker, Role::MonitoringOfficer] {
            app.of_role(role).post("/v1/arrangements", cambridgeshire()).problem("forbidden", 403);
        }
    }

    fn what_does_not_exist_is_not_found(app: &TestApp) {
        let lead = app.lead("LGSS");
        lead.get("/v1/arrangements/0190a000-0000-7000-8000-000000000000").problem("not_found", 404);
        lead.get("/v1/arrangements/not-an-id").problem("not_found", 404);
        lead.get("/v1/nothing").problem("not_found", 404);
        app.anonymous().get("/").problem("not_found", 404);
    }

    fn a_method_that_a_resource_does_not_know_is_named(app: &TestApp) {
        let refused = app.lead("LGSS").request("DELETE", "/v1/arrangements").send().problem("method_not_allowed", 405);
        assert!(refused.body["detail"].as_str().unwrap().contains("GET, POST"));
    }

    fn a_body_is_json_and_says_so(app: &TestApp) {
        let post = |media: &str, bytes: &[u8]| {
            app.lead("LGSS").request("POST", "/v1/arrangements").bytes(media, bytes).send()
        };
        post("text/plain", b"{}").problem("unsupported_media_type", 415);
        post("application/json", b"{").problem("unreadable", 400);
        post("application/json", format!("{} {{}}", cambridgeshire()).as_bytes()).problem("unreadable", 400);
        post("application/json", b"\xff").problem("unreadable", 400);
        post("application/json; charset=utf-8", cambridgeshire().to_string().as_bytes()).expect(201);
    }

    fn a_body_has_a_largest_size(app: &TestApp) {
        let body = json!({"code": "x", "first": manual(&"x".repeat(BODY_LIMIT))});
        app.lead("LGSS").post("/v1/requirements", body).problem("too_large", 413);
    }

    fn every_field_that_is_wrong_is_pointed_at(app: &TestApp) {
        let lead = app.lead("LGSS");
        lead.post("/v1/arrangements", with(cambridgeshire(), json!({"colour": "red", "contact": {"name": "Team"}})))
            .problem("invalid", 422).blames("invalid", "/colour");
        lead.post("/v1/arrangements", with(cambridgeshire(), json!({"contact": {"fax": "1"}})))
            .problem("invalid", 422);
        lead.post("/v1/arrangements", with(cambridgeshire(), json!({"kind": "bazaar"})))
            .problem("invalid", 422);
        lead.post("/v1/arrangements", with(cambridgeshire(), json!({"title": "", "cpv": ["12"]})))
            .expect(422).blames("text_required", "/title").blames("cpv_malformed", "/cpv/0");
        lead.post("/v1/arrangements", with(cambridgeshire(), json!({"description": "x".repeat(20_001)})))
            .problem("invalid", 422).blames("invalid", "/description");
        let market = Market::published(app);
        market.lead.post(&market.path("/terminate"), json!({"reason": "x", "when": "now"})).problem("invalid", 422);
        market.lead.post(&market.path("/terminate"), json!({})).problem("invalid", 422);
        market.lead.post(&market.path("/terminate"), json!({"reason": "x".repeat(4001)}))
            .problem("invalid", 422).blames("invalid", "/reason");
    }

    fn a_list_is_read_page_by_page(app: &TestApp) {
        let lead = app.lead("LGSS");
        let made: Vec<String> =
            (0..5).map(|n| market::requirement(&lead, &format!("r{n}"), manual("Something"))).collect();
        let read = |query: &str| -> Vec<String> {
            lead.all(&format!("/v1/requirements{query}")).iter().map(|r| r["id"].as_str().unwrap().to_owned()).collect()
        };
        for query in ["", "?limit=1", "?limit=2", "?limit=5", "?limit=200"] {
            assert_eq!(read(query), made, "{query}");
        }
        assert_eq!(lead.get("/v1/requirements?limit=5").expect(200).body["next"], Value::Null);
        lead.get("/v1/requirements?limit=0").problem("bad_limit", 422);
        lead.get("/v1/requirements?limit=201").problem("bad_limit", 422);
        lead.get("/v1/requirements?cursor=x").problem("bad_cursor", 422);
        lead.get("/v1/requirements?limit=many").problem("unreadable", 400);
    }

    fn only_what_changed_since_is_listed(app: &TestApp) {
        let lead = app.lead("LGSS");
        market::requirement(&lead, "old", manual("Something"));
        app.at("2016-02-01T00:00:00Z");
        let new = market::requirement(&lead, "new", manual("Something"));
        let found = lead.all("/v1/requirements?updatedSince=2016-02-01T00:00:00Z");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["id"], new);
    }

    fn every_answer_names_its_request(app: &TestApp) {
        let mine = app.anonymous().request("GET", "/health").header("x-request-id", "request-0001").send();
        assert_eq!(mine.header("x-request-id"), Some("request-0001"));
        let ours = app.anonymous().request("GET", "/health").header("x-request-id", "a b\"c").send();
        assert!(ours.header("x-request-id").is_some_and(|id| id.len() == 24));
        assert_eq!(ours.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(ours.header("cache-control"), Some("no-store"));
    }
}

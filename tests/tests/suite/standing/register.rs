//! The register of a lot at any instant: past truth with its reasons, and a hash by which two readers compare.

use serde_json::{Value, json};

use crate::app::TestApp;
use crate::members::{Member, register, rolling};

/// Status and first reason of each member, in the register's order.
fn told(register: &Value) -> Vec<(&str, Option<&str>)> {
    let members = register["members"].as_array().unwrap();
    assert_eq!(register["count"], members.len());
    members.iter().map(|m| (m["status"].as_str().unwrap(), m["because"][0]["code"].as_str())).collect()
}

on_both! {
    fn the_register_tells_what_was_so_at_any_instant(app: &TestApp) {
        let market = rolling(app, json!({"failurePath": "direct"}));
        let ash = Member::new(&market, "Ash");
        app.at("2019-02-01T00:00:00Z");
        let birch = Member::new(&market, "Birch");
        app.at("2019-05-01T12:00:00Z");
        let suspension = ash.suspend(&market.lead, json!({})).expect(201).id();
        app.at("2019-06-01T12:00:00Z");
        market.lead.post(&format!("/v1/suspensions/{suspension}/lift"), json!({"reason": "better"})).expect(200);
        app.at("2019-07-01T12:00:00Z");
        let removal = birch.remove(&market.lead, json!({})).expect(201).id();
        birch.provider().post(&format!("/v1/removals/{removal}/representations"), json!({"none": true})).expect(200);
        market.lead.post(&format!("/v1/removals/{removal}/decide"), json!({"reasons": "proven"})).expect(200);
        app.at("2024-01-01T00:00:00Z");

        let at = |instant: &str| register(&market.lead, &ash.lot, &format!("?asOf={instant}"));
        assert_eq!(told(&at("2019-01-03T23:59:59Z")), []);
        assert_eq!(told(&at("2019-01-04T00:00:00Z")), [("active", None)]);
        assert_eq!(told(&at("2019-02-01T00:00:00Z")), [("active", None), ("active", None)]);
        let during = at("2019-05-01T12:00:00Z");
        assert_eq!(told(&during), [("suspended", Some("suspended")), ("active", None)]);
        let because = &during["members"][0]["because"][0];
        assert_eq!((&because["since"], &because["until"]), (&json!("2019-05-01T12:00:00Z"), &json!("2019-06-01T12:00:00Z")));
        assert_eq!((&because["sourceKind"], &because["sourceId"]), (&json!("suspension"), &json!(suspension)));
        assert_eq!(because["restsOn"], "DPS-19");
        assert_eq!(told(&at("2019-06-01T12:00:00Z")), [("active", None), ("active", None)]);
        assert_eq!(told(&at("2019-07-01T12:00:00Z")), [("active", None), ("removed", Some("removed"))]);
        assert_eq!(told(&at("2023-01-01T00:00:00Z")), [("active", None), ("removed", Some("removed"))]);

        assert!(ash.received(&market, "2019-05-01T11:59:59.999999Z") && !ash.received(&market, "2019-05-01T12:00:00Z"));
        assert!(!ash.received(&market, "2019-06-01T11:59:59.999999Z") && ash.received(&market, "2019-06-01T12:00:00Z"));
        assert_eq!(ash.because(&market, "2019-05-20T00:00:00Z"), ["suspended"]);
        let asked = market.lead.get(&ash.path("?asOf=2019-05-20T00:00:00Z")).expect(200).body;
        assert_eq!((&asked["asOf"], &asked["standing"]["status"]), (&json!("2019-05-20T00:00:00Z"), &json!("suspended")));
        assert_eq!(ash.because(&market, "2019-01-03T00:00:00Z"), ["not_yet_member"]);
    }

    fn equal_lists_have_equal_hashes(app: &TestApp) {
        let market = rolling(app, json!({}));
        let ash = Member::new(&market, "Ash");
        app.at("2019-05-01T12:00:00Z");
        let hash = |query: &str| register(&market.lead, &ash.lot, query)["contentHash"].as_str().unwrap().to_owned();
        let now = hash("");
        assert_eq!(now.len(), 64);
        assert_eq!(hash("?asOf=2019-02-01T00:00:00Z"), now);
        assert_eq!(hash("?receiving=true"), now, "everyone receives");
        let ccc = register(&app.commissioner("CCC"), &ash.lot, "");
        assert_eq!(ccc["contentHash"], json!(now), "two buyers compare what they read");
        assert_ne!(hash("?asOf=2019-01-03T00:00:00Z"), now);
        ash.suspend(&market.lead, json!({"months": 1})).expect(201);
        assert_ne!(hash(""), now);
        assert_eq!(hash("?asOf=2019-02-01T00:00:00Z"), now, "what was so stays so");
        app.at("2019-06-01T12:00:00Z");
        assert_eq!(hash(""), now, "nothing is left of it");
    }

    fn ac_105_a_register_tells_names_as_they_were(app: &TestApp) {
        let market = rolling(app, json!({}));
        let (ash, birch) = (Member::new(&market, "Ash"), Member::new(&market, "Birch"));
        app.at("2019-03-15T12:00:00Z");
        let at = |query: &str| register(&market.lead, &ash.lot, query);
        let march = at("");
        app.at("2019-05-10T12:00:00Z");
        let rename = |name: &str| {
            let path = format!("/v1/providers/{}", ash.of.id);
            ash.provider().patch(&path, json!({"legalName": name})).expect(200);
        };
        rename("Rowan");
        let names = |register: &Value| {
            register["members"].as_array().unwrap().iter().map(|m| m["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(&at("")), ["Rowan", "Birch"]);
        let then = at("?asOf=2019-03-15T12:00:00Z");
        assert_eq!(names(&then), ["Ash", "Birch"]);
        assert_eq!((&then["contentHash"], &then["members"]), (&march["contentHash"], &march["members"]));
        assert_eq!(names(&at("?asOf=2019-05-10T11:59:59.999999Z")), ["Ash", "Birch"]);
        assert_eq!(names(&at("?asOf=2019-05-10T12:00:00Z")), ["Rowan", "Birch"]);
        // Two names at one instant: the first was never its name.
        rename("Hazel");
        assert_eq!(names(&at("?asOf=2019-05-10T12:00:00Z")), ["Hazel", "Birch"]);
        app.at("2019-06-01T00:00:00Z");
        rename("Ash");
        assert_eq!(names(&at("?asOf=2019-05-20T00:00:00Z")), ["Hazel", "Birch"]);
        assert_eq!(at("?asOf=2019-03-15T12:00:00Z")["contentHash"], march["contentHash"]);
        let own = register(birch.provider(), &ash.lot, "?asOf=2019-05-20T00:00:00Z");
        assert_eq!(names(&own), ["Birch"]);
    }

    fn each_reader_is_told_its_own(app: &TestApp) {
        let market = rolling(app, json!({}));
        let (ash, birch) = (Member::new(&market, "Ash"), Member::new(&market, "Birch"));
        ash.suspend(&market.lead, json!({})).expect(201);
        let own = register(ash.provider(), &ash.lot, "");
        assert_eq!(told(&own), [("suspended", Some("suspended"))]);
        let other = register(birch.provider(), &ash.lot, "");
        assert_eq!(told(&other), [("active", None)]);
        // A portal sees who is a member, not why one does not receive.
        assert_eq!(told(&register(&app.portal("p"), &ash.lot, "")), [("suspended", None), ("active", None)]);
        app.commissioner("BRAD").get(&format!("/v1/lots/{}/members", ash.lot)).problem("not_found", 404);
        app.anonymous().get(&format!("/v1/lots/{}/members", ash.lot)).problem("unauthenticated", 401);
        market.lead.get(&format!("/v1/lots/{}/members?asOf=yesterday", ash.lot)).problem("unreadable", 400);
    }

    fn the_register_says_how_far_ahead_it_knows(app: &TestApp) {
        let market = rolling(app, json!({"termMonths": 12}));
        let member = Member::new(&market, "Ash");
        app.at("2019-05-01T12:00:00Z");
        let at = |instant: &str| register(&market.lead, &member.lot, &format!("?asOf={instant}"));
        let past = at("2019-02-01T00:00:00Z");
        assert_eq!((&past["knownUntil"], &past["termEndsAt"]), (&json!("2019-02-01T00:00:00Z"), &json!("2020-03-31T23:00:00Z")));
        let ahead = at("2020-03-31T22:59:59Z");
        assert_eq!((&ahead["knownUntil"], &ahead["members"][0]["status"]), (&json!("2019-05-01T12:00:00Z"), &json!("active")));
        // After the known end of the term nobody is a member.
        let after = at("2020-03-31T23:00:00Z");
        assert_eq!(told(&after), [("ended", Some("arrangement_ended"))]);
        assert!(!member.received(&market, "2025-01-01T00:00:00Z"));
        let one = market.lead.get(&member.path("?asOf=2025-01-01T00:00:00Z")).expect(200).body;
        assert_eq!((&one["standing"]["status"], &one["knownUntil"]), (&json!("ended"), &json!("2019-05-01T12:00:00Z")));
        app.at("2020-04-01T00:00:00Z");
        assert_eq!(told(&at("2025-01-01T00:00:00Z")), [("ended", Some("arrangement_ended"))]);
        assert!(at("2025-01-01T00:00:00Z")["termEndsAt"].is_null());
        assert_eq!(told(&at("2020-03-31T22:59:59Z")), [("active", None)]);
    }
}

//! Suspensions: how long they last, whom they stop, and how they end (DPS-19, C-03).

use serde_json::{Value, json};

use crate::app::TestApp;
use crate::members::{Member, count, feed, register, rolling, rolling_since};

/// The path of a suspension, or of something under it.
fn path(suspension: &str, under: &str) -> String {
    format!("/v1/suspensions/{suspension}{under}")
}

on_both! {
    fn ac_12_six_months_end_on_the_last_of_february(app: &TestApp) {
        let market = rolling_since(app, "2018-01-04", json!({}));
        let member = Member::new(&market, "Ash");
        // Ten in London in summer is ten in London in winter.
        app.at("2018-08-31T09:00:00Z");
        let made = member.suspend(&market.lead, json!({})).expect(201).state("active").body;
        assert_eq!(made["until"], "2019-02-28T10:00:00Z");
        app.at("2019-08-31T09:00:00Z");
        let made = member.suspend(&market.lead, json!({})).expect(201).body;
        assert_eq!(made["until"], "2020-02-29T10:00:00Z");
        let deadlines = market.lead.all(&format!("/v1/deadlines/suspension/{}", made["id"].as_str().unwrap()));
        assert!(deadlines.iter().any(|d| d["due"] == "2020-02-29T10:00:00Z"), "{deadlines:#?}");
    }

    fn ac_13_a_suspended_member_gets_nothing_until_the_instant_it_lapses(app: &TestApp) {
        let market = rolling(app, json!({}));
        let (member, other) = (Member::new(&market, "Ash"), Member::new(&market, "Birch"));
        app.at("2019-05-01T12:00:00Z");
        assert!(member.receives(&market));
        let made = member.suspend(&market.lead, json!({})).expect(201).body;
        let suspension = made["id"].as_str().unwrap();
        assert_eq!(made["until"], "2019-11-01T13:00:00Z");
        assert!(!member.receives(&market) && other.receives(&market));

        app.at("2019-11-01T12:59:59.999999Z");
        assert_eq!(member.status(&market), "suspended");
        assert!(!member.receives(&market));
        assert_eq!(count(app, "SuspensionLapsed"), 0);
        app.at("2019-11-01T13:00:00Z");
        assert_eq!(member.status(&market), "active");
        assert!(member.receives(&market));
        market.lead.get(&path(suspension, "")).expect(200).state("lapsed");
        let lapsed = feed(&app.script(), "&kind=SuspensionLapsed");
        assert_eq!(lapsed.len(), 1);
        assert_eq!((&lapsed[0]["at"], &lapsed[0]["actor"]["role"]), (&json!("2019-11-01T13:00:00Z"), &json!("script")));
        // Nothing is left to do.
        market.lead.post(&path(suspension, "/lift"), json!({"reason": "late"})).problem("wrong_state", 409);
    }

    fn ac_14_a_suspension_is_no_longer_than_the_maximum(app: &TestApp) {
        let market = rolling(app, json!({}));
        let member = Member::new(&market, "Ash");
        member.suspend(&market.lead, json!({"months": 7})).problem("suspension_too_long", 422)
            .blames("suspension_too_long", "/months");
        member.suspend(&market.lead, json!({"months": 0, "from": "2019-01-01T00:00:00Z"})).expect(422)
            .blames("suspension_too_short", "/months")
            .blames("suspension_in_the_past", "/from");
        member.suspend(&market.lead, json!({"reason": " "})).problem("reason_required", 422);
        assert!(member.receives(&market));
        member.suspend(&market.lead, json!({"months": 6})).expect(201);
    }

    fn an_extension_stays_within_the_maximum(app: &TestApp) {
        let market = rolling(app, json!({"suspensionMonths": 3, "suspensionMaxMonths": 6}));
        let member = Member::new(&market, "Ash");
        app.at("2019-05-01T12:00:00Z");
        let made = member.suspend(&market.lead, json!({})).expect(201).body;
        let suspension = made["id"].as_str().unwrap();
        assert_eq!(made["until"], "2019-08-01T12:00:00Z");
        let extend = |months: u32| {
            market.lead.post(&path(suspension, "/extend"), json!({"monthsInAll": months, "reason": "not yet"}))
        };
        extend(7).problem("suspension_too_long", 422).blames("suspension_too_long", "/monthsInAll");
        extend(3).problem("suspension_too_short", 422);
        assert_eq!(extend(6).expect(200).body["until"], "2019-11-01T13:00:00Z");
        app.at("2019-08-01T12:00:00Z");
        assert!(!member.receives(&market), "the old end has no effect");
        app.at("2019-11-01T13:00:00Z");
        assert!(member.receives(&market));
        assert_eq!(count(app, "SuspensionLapsed"), 1);
        extend(6).problem("wrong_state", 409);
    }

    fn under_review_it_stays_until_someone_acts(app: &TestApp) {
        let market = rolling(app, json!({"suspensionEnd": "review", "suspensionMaxMonths": 12}));
        let member = Member::new(&market, "Ash");
        app.at("2019-05-01T12:00:00Z");
        let suspension = member.suspend(&market.lead, json!({})).expect(201).id();
        app.at("2019-11-01T13:00:00Z");
        market.lead.get(&path(&suspension, "")).expect(200).state("awaiting_review");
        assert_eq!(count(app, "SuspensionReviewDue"), 1);
        app.at("2025-01-01T00:00:00Z");
        assert!(!member.receives(&market));
        // Its maximum has passed meanwhile: nothing is left but to lift it.
        let longer = json!({"monthsInAll": 12, "reason": "not yet"});
        market.lead.post(&path(&suspension, "/extend"), longer).problem("suspension_too_short", 422);
        market.lead.post(&path(&suspension, "/lift"), json!({"reason": ""})).problem("invalid", 422);
        market.lead.post(&path(&suspension, "/lift"), json!({"reason": "reviewed"})).expect(200).state("lifted");
        assert!(member.receives(&market));
        assert!(!member.received(&market, "2024-12-31T23:59:59Z"));
    }

    fn a_review_may_extend_it(app: &TestApp) {
        let market = rolling(app, json!({"suspensionEnd": "review", "suspensionMaxMonths": 12}));
        let member = Member::new(&market, "Ash");
        app.at("2019-05-01T12:00:00Z");
        let suspension = member.suspend(&market.lead, json!({})).expect(201).id();
        app.at("2019-12-01T12:00:00Z");
        let longer = json!({"monthsInAll": 12, "reason": "not yet"});
        let extended = market.lead.post(&path(&suspension, "/extend"), longer).expect(200).state("active").body;
        assert_eq!(extended["until"], "2020-05-01T12:00:00Z");
        app.at("2020-05-01T12:00:00Z");
        market.lead.get(&path(&suspension, "")).expect(200).state("awaiting_review");
        assert_eq!(count(app, "SuspensionReviewDue"), 2);
        assert!(!member.receives(&market));
    }

    fn overlapping_suspensions_hold_until_the_last_ends(app: &TestApp) {
        let market = rolling(app, json!({}));
        let both = Member::in_lots(&market, "Ash", &["FOSTERING", "TUITION"]);
        let (fostering, tuition) = (&both[0], &both[1]);
        let home = fostering.of.home("CB1 1AA", None);
        app.at("2019-05-01T12:00:00Z");
        let lot = fostering.suspend(&market.lead, json!({"months": 2})).expect(201).id();
        assert!(!fostering.receives(&market) && tuition.receives(&market));
        fostering.suspend(&market.lead, json!({})).problem("suspension_overlaps", 409);
        let provider = tuition.suspend(&market.lead, json!({"scope": {"kind": "provider"}, "months": 3})).expect(201).id();
        fostering.suspend(&market.lead, json!({"scope": {"kind": "provider"}})).problem("suspension_overlaps", 409);
        let of_home = json!({"scope": {"kind": "home", "home": home}, "months": 4});
        let of_home = fostering.suspend(&market.lead, of_home).expect(201).id();
        assert!(!fostering.receives(&market) && !tuition.receives(&market));
        let because = fostering.because(&market, "2019-05-01T12:00:00Z");
        assert_eq!(because, ["suspended", "suspended", "home_suspended"]);
        for member in &both {
            let touching = market.lead.all(&member.path("/suspensions"));
            assert_eq!(touching.len(), if member.id == fostering.id { 3 } else { 2 }, "{touching:#?}");
        }

        // One is lifted: the lot's own goes on.
        app.at("2019-05-02T12:00:00Z");
        market.lead.post(&path(&provider, "/lift"), json!({"reason": "better"})).expect(200).state("lifted");
        assert!(!fostering.receives(&market) && tuition.receives(&market));
        app.at("2019-07-01T12:00:00Z");
        market.lead.get(&path(&lot, "")).expect(200).state("lapsed");
        assert!(fostering.receives(&market));
        let entry = register(&market.lead, &fostering.lot, "")["members"][0].clone();
        assert_eq!((&entry["status"], &entry["excludedHomes"]), (&json!("active"), &json!([home])));
        app.at("2019-09-01T12:00:00Z");
        market.lead.get(&path(&of_home, "")).expect(200).state("lapsed");
        let entry = register(&market.lead, &fostering.lot, "")["members"][0].clone();
        assert_eq!((&entry["excludedHomes"], &entry["because"]), (&json!([]), &json!([])));
    }

    fn a_suspension_of_the_provider_covers_a_later_membership(app: &TestApp) {
        let market = rolling(app, json!({}));
        let member = Member::new(&market, "Ash");
        member.suspend(&market.lead, json!({"scope": {"kind": "provider"}})).expect(201);
        let later = member.of.admitted(&market, "TUITION");
        let seen = market.lead.get(&format!("/v1/memberships/{later}")).expect(200).body;
        assert_eq!(seen["standing"]["status"], "suspended");
    }

    fn a_home_is_the_providers_own(app: &TestApp) {
        let market = rolling(app, json!({}));
        let (member, other) = (Member::new(&market, "Ash"), Member::new(&market, "Birch"));
        let home = other.of.home("CB1 1AA", None);
        member.suspend(&market.lead, json!({"scope": {"kind": "home", "home": home}})).problem("not_found", 404);
    }

    fn an_announced_suspension_begins_by_itself(app: &TestApp) {
        let market = rolling(app, json!({}));
        let member = Member::new(&market, "Ash");
        member.suspend(&market.lead, json!({"from": "2019-06-01T00:00:00Z", "months": 1})).expect(201);
        assert!(member.receives(&market));
        // What is announced is part of the answer for a day to come.
        assert!(member.received(&market, "2019-05-31T23:59:59Z") && !member.received(&market, "2019-06-01T00:00:00Z"));
        app.at("2019-06-01T00:00:00Z");
        assert!(!member.receives(&market));
        app.at("2019-07-01T00:00:00Z");
        assert!(member.receives(&market));
    }

    fn the_provider_is_heard_on_its_suspension(app: &TestApp) {
        let market = rolling(app, json!({}));
        let member = Member::new(&market, "Ash");
        let suspension = member.suspend(&market.lead, json!({})).expect(201).id();
        let said = json!({"text": "we did visit"});
        market.lead.post(&path(&suspension, "/representations"), said.clone()).problem("forbidden", 403);
        let heard = member.provider().post(&path(&suspension, "/representations"), said).expect(200).body;
        assert_eq!(heard["representations"][0]["text"], "we did visit");
        member.provider().post(&path(&suspension, "/representations"), json!({"text": " "}))
            .problem("text_required", 422);
    }

    fn the_suspension_register_counts_the_days(app: &TestApp) {
        let market = rolling(app, json!({}));
        let (ash, birch) = (Member::new(&market, "Ash"), Member::new(&market, "Birch"));
        app.at("2019-05-01T12:00:00Z");
        ash.suspend(&market.lead, json!({"months": 1})).expect(201);
        birch.suspend(&market.lead, json!({"months": 2})).expect(201);
        app.at("2019-05-22T12:00:00Z");
        let entries = market.lead.all(&market.path("/suspensions"));
        let days: Vec<&Value> = entries.iter().map(|entry| &entry["daysToEnd"]).collect();
        assert_eq!(days, [&json!(10), &json!(40)]);
        assert_eq!(ash.provider().all(&market.path("/suspensions")).len(), 1, "its own");
        app.at("2019-06-01T12:00:00Z");
        let over = market.lead.all(&market.path("/suspensions?state=lapsed"));
        assert_eq!((over.len(), &over[0]["daysToEnd"]), (1, &Value::Null));
        let of_birch = market.lead.all(&market.path(&format!("/suspensions?provider={}", birch.of.id)));
        assert_eq!(of_birch.len(), 1);
        app.commissioner("BRAD").get(&market.path("/suspensions")).problem("not_found", 404);
    }
}

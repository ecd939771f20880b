//! Removals: the failure path before them, the hearing within them, their effect, and notice without cause.

use serde_json::{Value, json};

use crate::app::TestApp;
use crate::members::{Member, count, feed, kinds, rolling, rolling_since};

/// The path of a removal, or of something under it.
fn path(removal: &str, under: &str) -> String {
    format!("/v1/removals/{removal}{under}")
}

/// No representations, or no more.
fn none() -> Value {
    json!({"none": true})
}

on_both! {
    fn ac_15_a_proven_failure_ends_the_membership(app: &TestApp) {
        let market = rolling(app, json!({"failurePath": "direct"}));
        let (member, other) = (Member::new(&market, "Ash"), Member::new(&market, "Birch"));
        app.at("2019-05-01T12:00:00Z");
        member.remove(&market.lead, json!({"evidence": []})).problem("evidence_required", 422)
            .blames("evidence_required", "/evidence");
        let removal = member.remove(&market.lead, json!({})).expect(201).state("notified").id();
        assert!(member.receives(&market), "it is a member until the decision takes effect");
        member.provider().post(&path(&removal, "/representations"), none()).expect(200);
        let decided = market.lead.post(&path(&removal, "/decide"), json!({"reasons": "proven"})).expect(200).state("effective");
        assert_eq!(decided.body["decision"]["reasons"], "proven");
        let after = member.standing(&market);
        assert_eq!((&after["state"], &after["standing"]["status"]), (&json!("removed"), &json!("removed")));
        assert_eq!(after["removal"], json!(removal));
        let events = feed(&market.lead, &format!("&lot={}", member.lot));
        assert!(kinds(&events).ends_with(&["RemovalDecided", "RemovalEffective", "MembershipRemoved"]), "{events:#?}");
        app.at("2029-01-01T00:00:00Z");
        assert!(!member.receives(&market) && other.receives(&market));
        assert!(member.received(&market, "2019-05-01T11:59:59Z"), "what was so stays so");
        // Nothing more is done to what is over.
        member.suspend(&market.lead, json!({})).problem("membership_not_live", 409);
        member.remove(&market.lead, json!({})).problem("membership_not_live", 409);
        member.provider().post(&member.path("/withdraw"), json!({})).problem("wrong_state", 409);
        market.lead.post(&path(&removal, "/revoke"), json!({"reason": "late"})).problem("wrong_state", 409);
    }

    fn ac_16_suspension_comes_first_unless_the_failure_is_gross(app: &TestApp) {
        let market = rolling(app, json!({"failurePath": "suspend_first"}));
        let member = Member::new(&market, "Ash");
        member.remove(&market.lead, json!({})).problem("failure_path_not_followed", 409);
        member.remove(&market.lead, json!({"ground": "term_end"})).problem("term_end_by_clock", 422);
        member.remove(&market.lead, json!({"gross": {"reason": " "}})).expect(422).blames("reason_required", "/gross");
        let dry = json!({"ground": "quality", "reason": "harm", "evidence": ["urn:x:1"], "gross": {"reason": "a child was hurt"}});
        market.lead.request("POST", &member.path("/removals")).json(dry).dry().send().expect(201);
        assert_eq!(market.lead.all(&member.path("/removals")), Vec::<Value>::new(), "it was a trial");

        // One home's suspension, or one that should not have been, is no step towards removal.
        let home = member.of.home("CB1 1AA", None);
        member.suspend(&market.lead, json!({"scope": {"kind": "home", "home": home}})).expect(201);
        member.remove(&market.lead, json!({})).problem("failure_path_not_followed", 409);
        let annulled = member.suspend(&market.lead, json!({})).expect(201).id();
        let lift = json!({"reason": "wrong member", "annulled": true});
        market.lead.post(&format!("/v1/suspensions/{annulled}/lift"), lift).expect(200);
        member.remove(&market.lead, json!({})).problem("failure_path_not_followed", 409);
        member.suspend(&market.lead, json!({"months": 1})).expect(201);
        app.at("2019-04-01T00:00:00Z");
        member.remove(&market.lead, json!({})).expect(201);
    }

    fn ac_16_a_gross_failure_is_recorded_with_its_reason(app: &TestApp) {
        let market = rolling(app, json!({"failurePath": "suspend_first"}));
        let member = Member::new(&market, "Ash");
        let made = member.remove(&market.lead, json!({"gross": {"reason": "a child was hurt"}})).expect(201).body;
        assert_eq!(made["gross"], "a child was hurt");
    }

    fn ac_64_notice_without_cause_runs_a_year(app: &TestApp) {
        let app = &TestApp::since(app.database.kind, "2014-01-01T00:00:00Z");
        let market = rolling_since(app, "2014-04-01", json!({"noFaultNoticeMonths": 12}));
        let (ash, birch) = (Member::new(&market, "Ash"), Member::new(&market, "Birch"));
        let commissioner = app.commissioner("CCC");
        app.at("2014-07-31T23:00:00Z");
        let notice = commissioner.post(&ash.path("/no-fault-notice"), Value::Null).expect(201).state("decided").body;
        assert_eq!((&notice["effectiveAt"], &notice["givenBy"]), (&json!("2015-07-31T23:00:00Z"), &json!("authority")));
        commissioner.post(&ash.path("/no-fault-notice"), Value::Null).problem("removal_pending", 409);
        app.at("2015-07-31T22:59:59.999999Z");
        assert!(ash.receives(&market));
        app.at("2015-07-31T23:00:00Z");
        assert!(!ash.receives(&market));
        assert_eq!(ash.status(&market), "removed");

        // The other side may give it too.
        app.at("2016-02-29T00:00:00Z");
        let notice = birch.provider().post(&birch.path("/no-fault-notice"), json!({"reason": "we close"})).expect(201).body;
        assert_eq!((&notice["effectiveAt"], &notice["givenBy"]), (&json!("2017-02-28T00:00:00Z"), &json!("provider")));
        app.at("2017-02-28T00:00:00Z");
        assert_eq!(birch.status(&market), "removed");
        let by_ground = market.lead.get(&market.path("/removals/by-ground")).expect(200).body;
        assert_eq!(by_ground, json!([{"ground": "no_fault", "count": 2}]));
    }

    fn notice_without_cause_is_given_where_the_arrangement_knows_it(app: &TestApp) {
        let market = rolling(app, json!({}));
        let member = Member::new(&market, "Ash");
        app.commissioner("CCC").post(&member.path("/no-fault-notice"), Value::Null).problem("no_fault_not_available", 409);
        member.remove(&market.lead, json!({"ground": "no_fault"})).problem("no_fault_has_notice", 422);
        member.remove(member.provider(), json!({})).problem("forbidden", 403);
    }

    fn a_removal_is_decided_after_the_provider_is_heard(app: &TestApp) {
        let market = rolling(app, json!({"failurePath": "direct"}));
        let member = Member::new(&market, "Ash");
        app.at("2019-05-01T12:00:00Z");
        let made = member.remove(&market.lead, json!({})).expect(201).body;
        let removal = made["id"].as_str().unwrap();
        assert_eq!(made["representationsUntil"], "2019-05-29T12:00:00Z");
        let decide = |body: Value| market.lead.post(&path(removal, "/decide"), body);
        decide(json!({"reasons": "proven"})).problem("provider_not_heard", 409);
        decide(json!({"reasons": " ", "effectiveAt": "2019-05-02T00:00:00Z"})).expect(409)
            .blames("reason_required", "/reasons").blames("effect_too_early", "/effectiveAt");
        member.provider().post(&path(removal, "/representations"), json!({})).problem("text_required", 422);
        let said = member.provider().post(&path(removal, "/representations"), json!({"text": "we did visit"})).expect(200).body;
        assert_eq!(said["representations"][0]["text"], "we did visit");

        // Heard early, it is decided early; it takes effect when the time for representations is over.
        app.at("2019-05-10T12:00:00Z");
        let decided = decide(json!({"reasons": "proven"})).expect(200).state("decided").body;
        assert_eq!(decided["effectiveAt"], "2019-05-29T12:00:00Z");
        assert!(member.receives(&market));
        member.provider().post(&path(removal, "/representations"), json!({"text": "more"})).problem("wrong_state", 409);
        app.at("2019-05-29T11:59:59.999999Z");
        assert!(member.receives(&market));
        assert!(!member.received(&market, "2019-05-29T12:00:00Z"), "the future is known");
        app.at("2019-05-29T12:00:00Z");
        assert!(!member.receives(&market));
        market.lead.get(&path(removal, "")).expect(200).state("effective");
        assert_eq!(count(app, "MembershipRemoved"), 1);
    }

    fn whoever_lets_its_time_pass_has_been_heard(app: &TestApp) {
        let market = rolling(app, json!({"failurePath": "direct", "removalNoticeDays": 14}));
        let member = Member::new(&market, "Ash");
        app.at("2019-05-01T12:00:00Z");
        let removal = member.remove(&market.lead, json!({})).expect(201).id();
        app.at("2019-05-15T12:00:00Z");
        market.lead.post(&path(&removal, "/decide"), json!({"reasons": "proven"})).expect(200).state("effective");
    }

    fn a_removal_may_be_revoked_before_its_effect(app: &TestApp) {
        let market = rolling(app, json!({"failurePath": "direct"}));
        let member = Member::new(&market, "Ash");
        let removal = member.remove(&market.lead, json!({})).expect(201).id();
        member.remove(&market.lead, json!({})).problem("removal_pending", 409);
        member.provider().post(&path(&removal, "/representations"), none()).expect(200);
        let later = json!({"reasons": "proven", "effectiveAt": "2019-06-01T00:00:00Z"});
        market.lead.post(&path(&removal, "/decide"), later).expect(200).state("decided");
        market.lead.post(&path(&removal, "/revoke"), json!({"reason": "settled"})).expect(200).state("revoked");
        app.at("2019-07-01T00:00:00Z");
        assert!(member.receives(&market) && member.received(&market, "2019-06-01T00:00:00Z"));
        // And another one may begin.
        member.remove(&market.lead, json!({})).expect(201);
        let all = market.lead.all(&market.path("/removals"));
        assert_eq!(all.iter().map(|r| &r["state"]).collect::<Vec<_>>(), [&json!("revoked"), &json!("notified")]);
    }

    fn a_removal_takes_the_place_of_the_lots_suspension(app: &TestApp) {
        let market = rolling(app, json!({}));
        let both = Member::in_lots(&market, "Ash", &["FOSTERING", "TUITION"]);
        app.at("2019-05-01T12:00:00Z");
        let lot = both[0].suspend(&market.lead, json!({})).expect(201).id();
        let provider = both[0].suspend(&market.lead, json!({"scope": {"kind": "provider"}})).expect(201).id();
        let removal = both[0].remove(&market.lead, json!({})).expect(201).id();
        both[0].provider().post(&path(&removal, "/representations"), none()).expect(200);
        market.lead.post(&path(&removal, "/decide"), json!({"reasons": "proven"})).expect(200).state("effective");
        market.lead.get(&format!("/v1/suspensions/{lot}")).expect(200).state("converted");
        // What concerns the other lot too goes on.
        market.lead.get(&format!("/v1/suspensions/{provider}")).expect(200).state("active");
        assert!(!both[1].receives(&market));
        assert_eq!(both[1].status(&market), "suspended");
    }

    fn exclusion_asks_for_no_failure_path(app: &TestApp) {
        let market = rolling(app, json!({"failurePath": "notice_first"}));
        let (ash, birch) = (Member::new(&market, "Ash"), Member::new(&market, "Birch"));
        ash.remove(&market.lead, json!({"ground": "exclusion_mandatory"})).expect(201);
        birch.remove(&market.lead, json!({"ground": "eligibility"})).expect(201);
        birch.remove(&market.lead, json!({"ground": "quality"})).expect(409);
        let by_ground = market.lead.get(&market.path("/removals/by-ground")).expect(200).body;
        assert_eq!(by_ground, json!([{"ground": "eligibility", "count": 1}, {"ground": "exclusion_mandatory", "count": 1}]));
        let own = ash.provider().get(&market.path("/removals/by-ground")).expect(200).body;
        assert_eq!(own, json!([{"ground": "exclusion_mandatory", "count": 1}]));
    }
}

//! A joint arrangement: a measure is that of the authority that took it, and the others decide for themselves (DPS-27).

use serde_json::json;

use crate::app::TestApp;
use crate::members::{Member, feed, receivers, rolling};

on_both! {
    fn a_suspension_binds_all_until_another_authority_lifts_it_for_itself(app: &TestApp) {
        let market = rolling(app, json!({}));
        let member = Member::new(&market, "Ash");
        let (ccc, pcc) = (app.commissioner("CCC"), app.commissioner("PCC"));
        app.at("2019-05-01T12:00:00Z");
        let made = member.suspend(&ccc, json!({})).expect(201).body;
        assert_eq!((&made["authority"], &made["binds"]), (&json!("CCC"), &json!("all")));
        let suspension = made["id"].as_str().unwrap();
        let path = |under: &str| format!("/v1/suspensions/{suspension}{under}");
        // The others are told at once, by whom and that it binds them.
        let told = feed(&pcc, "&kind=Suspended");
        assert_eq!((&told[0]["data"]["authority"], &told[0]["data"]["binds"]), (&json!("CCC"), &json!("all")));
        for buyer in [&ccc, &pcc, &market.lead] {
            assert!(receivers(buyer, &member.lot, "").is_empty(), "{}", buyer.name);
        }
        app.at("2019-06-01T12:00:00Z");
        pcc.post(&path("/lift"), json!({"reason": "not ours"})).problem("not_its_measure", 403);
        pcc.post(&path("/extend"), json!({"monthsInAll": 6, "reason": "not ours"})).problem("not_its_measure", 403);
        ccc.post(&path("/lift-for-authority"), json!({"reason": "ours"})).problem("not_bound_by_it", 409);
        pcc.post(&path("/lift-for-authority"), json!({"reason": " "})).problem("reason_required", 422);
        let lifted = pcc.post(&path("/lift-for-authority"), json!({"reason": "we have seen the visits"})).expect(200).state("active").body;
        assert_eq!((&lifted["liftedFor"][0]["authority"], &lifted["liftedFor"][0]["reason"]), (&json!("PCC"), &json!("we have seen the visits")));
        pcc.post(&path("/lift-for-authority"), json!({"reason": "again"})).problem("not_bound_by_it", 409);

        assert_eq!(receivers(&pcc, &member.lot, ""), std::slice::from_ref(&member.of.id));
        assert!(receivers(&ccc, &member.lot, "").is_empty());
        assert!(receivers(&pcc, &member.lot, "&asOf=2019-05-15T00:00:00Z").is_empty(), "the past is as it was");
        let seen = |by: &crate::actor::Actor<'_>| by.get(&member.path("")).expect(200).body;
        assert_eq!(seen(&pcc)["standing"]["status"], "active");
        let others = seen(&ccc);
        assert_eq!((&others["standing"]["status"], &others["because"][0]["liftedFor"]), (&json!("suspended"), &json!(["PCC"])));
        // The provider is told of all that holds it anywhere.
        assert_eq!(seen(member.provider())["standing"]["status"], "suspended");
        ccc.post(&path("/lift"), json!({"reason": "better"})).expect(200).state("lifted");
        assert_eq!(receivers(&ccc, &member.lot, "").len(), 1);
    }

    fn by_policy_a_suspension_binds_the_authority_that_imposed_it_alone(app: &TestApp) {
        let market = rolling(app, json!({"suspensionScopeAuthority": "own"}));
        let member = Member::new(&market, "Ash");
        let (ccc, pcc) = (app.commissioner("CCC"), app.commissioner("PCC"));
        let made = member.suspend(&ccc, json!({})).expect(201).body;
        assert_eq!(made["binds"], "own");
        assert!(receivers(&ccc, &member.lot, "").is_empty());
        assert_eq!(receivers(&pcc, &member.lot, ""), std::slice::from_ref(&member.of.id));
        let lift = format!("/v1/suspensions/{}/lift-for-authority", made["id"].as_str().unwrap());
        pcc.post(&lift, json!({"reason": "not bound"})).problem("not_bound_by_it", 409);
        let because = &ccc.get(&member.path("")).expect(200).body["because"][0];
        assert_eq!(because["bindsOnly"], "CCC");
        // Each authority may suspend for itself; one does not do so twice.
        member.suspend(&pcc, json!({"months": 1})).expect(201);
        member.suspend(&pcc, json!({"months": 1})).problem("suspension_overlaps", 409);
        app.at("2019-03-01T00:00:00Z");
        assert_eq!(receivers(&pcc, &member.lot, "").len(), 1, "PCC's own has lapsed");
        assert!(receivers(&ccc, &member.lot, "").is_empty());
    }

    fn a_sanction_is_lifted_by_another_authority_for_itself(app: &TestApp) {
        let market = rolling(app, json!({}));
        let member = Member::new(&market, "Ash");
        let (ccc, pcc) = (app.commissioner("CCC"), app.commissioner("PCC"));
        let order = json!({"kind": "restrict", "reason": "late", "serious": "a child was hurt"});
        let sanction = ccc.post(&member.path("/sanctions"), order).expect(201).id();
        assert!(receivers(&pcc, &member.lot, "").is_empty());
        let path = |under: &str| format!("/v1/sanctions/{sanction}{under}");
        pcc.post(&path("/lift"), json!({"reason": "not ours"})).problem("not_its_measure", 403);
        pcc.post(&path("/lift-for-authority"), json!({"reason": "seen"})).expect(200).state("active");
        assert_eq!(receivers(&pcc, &member.lot, "").len(), 1);
        assert!(receivers(&ccc, &member.lot, "").is_empty());
    }
}

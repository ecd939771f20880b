//! Improvement notices and the ladder of sanctions, and the removals that they lead to (TIR-18, WAL-13).

use domain::kernel::Role;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::market::with;
use crate::members::{Member, count, receivers, register, rolling};

/// A notice with a month to rectify, from 1 May 2019.
fn notice(changes: Value) -> Value {
    let usual = json!({
        "issue": "late visits",
        "discussionHeldOn": "2019-04-30",
        "agreedWithProvider": true,
        "rectifyBy": "2019-06-01T00:00:00Z",
    });
    with(usual, changes)
}

/// The path of a notice, or of something under it.
fn path(notice: &str, under: &str) -> String {
    format!("/v1/improvement-notices/{notice}{under}")
}

on_both! {
    fn ac_70_concealed_from_portals_then_restricted_then_removed(app: &TestApp) {
        let market = rolling(app, json!({"failurePath": "ladder"}));
        let (member, other) = (Member::new(&market, "Ash"), Member::new(&market, "Birch"));
        let (portal, consortium) = (app.portal("procontract"), app.buyer(Role::Consortium, "LGSS"));
        let listed = |register: Value| -> Vec<String> {
            let members = register["members"].as_array().unwrap();
            members.iter().map(|m| m["provider"].as_str().unwrap().to_owned()).collect()
        };
        let both = [member.of.id.clone(), other.of.id.clone()];
        let without = &both[1..];
        assert_eq!(listed(register(&portal, &member.lot, "")), both);
        let impose = |kind: &str, more: Value| {
            let order = with(json!({"kind": kind, "reason": "late visits"}), more);
            consortium.post(&member.path("/sanctions"), order)
        };
        impose("restrict", json!({})).problem("ladder_step_missing", 409);
        member.remove(&market.lead, json!({})).problem("failure_path_not_followed", 409);

        let concealed = impose("conceal", json!({})).expect(201).state("active").id();
        impose("conceal", json!({})).problem("sanction_in_force", 409);
        assert_eq!(listed(register(&portal, &member.lot, "")), without);
        assert_eq!(receivers(&portal, &member.lot, ""), without);
        assert_eq!(listed(register(&market.lead, &member.lot, "")), both, "buyers see whom they may call");
        assert!(member.receives(&market));
        assert_eq!(member.status(&market), "concealed");
        let own = register(member.provider(), &member.lot, "");
        assert_eq!((&own["count"], &own["members"][0]["because"][0]["code"]), (&json!(1), &json!("concealed")));
        member.remove(&market.lead, json!({})).problem("failure_path_not_followed", 409);

        impose("restrict", json!({"reviewOn": "2019-01-01T00:00:00Z"})).problem("review_in_the_past", 422);
        impose("restrict", json!({})).expect(201);
        assert!(!member.receives(&market));
        assert_eq!(member.status(&market), "restricted");
        assert_eq!(market.lead.all(&member.path("/sanctions")).len(), 2);
        consortium.post(&format!("/v1/sanctions/{concealed}/lift"), json!({"reason": "enough"})).expect(200).state("lifted");
        assert_eq!(listed(register(&portal, &member.lot, "")), both, "no longer hidden, still restricted");
        assert!(!member.receives(&market));
        member.remove(&market.lead, json!({"ground": "sanction"})).expect(201);
    }

    fn ac_70_a_serious_failing_skips_a_step(app: &TestApp) {
        let market = rolling(app, json!({"failurePath": "ladder"}));
        let (ash, birch) = (Member::new(&market, "Ash"), Member::new(&market, "Birch"));
        let consortium = app.buyer(Role::Consortium, "LGSS");
        let order = json!({"kind": "restrict", "reason": "harm", "serious": " "});
        consortium.post(&ash.path("/sanctions"), order.clone()).expect(422).blames("reason_required", "/serious");
        let order = with(order, json!({"serious": "a child was hurt"}));
        let restricted = consortium.post(&ash.path("/sanctions"), order).expect(201).id();
        // A step that should not have been taken is none.
        let lift = json!({"reason": "wrong member", "annulled": true});
        consortium.post(&format!("/v1/sanctions/{restricted}/lift"), lift).expect(200);
        ash.remove(&market.lead, json!({})).problem("failure_path_not_followed", 409);
        assert!(ash.receives(&market));
        birch.remove(&market.lead, json!({"gross": {"reason": "a child was hurt"}})).expect(201);
    }

    fn a_notice_that_is_met_leads_nowhere(app: &TestApp) {
        let market = rolling(app, json!({"failurePath": "notice_first"}));
        let member = Member::new(&market, "Ash");
        app.at("2019-05-01T12:00:00Z");
        member.remove(&market.lead, json!({})).problem("failure_path_not_followed", 409);
        market.lead.post(&member.path("/improvement-notices"), notice(json!({
            "discussionHeldOn": "2019-05-02", "rectifyBy": "2019-05-01T12:00:00Z", "issue": " ",
        }))).expect(422)
            .blames("discussion_first", "/discussionHeldOn")
            .blames("rectify_by_too_early", "/rectifyBy")
            .blames("reason_required", "/issue");
        let issued = market.lead.post(&member.path("/improvement-notices"), notice(json!({}))).expect(201).state("issued").id();
        assert!(member.receives(&market), "a warning changes no standing");
        member.remove(&market.lead, json!({})).problem("failure_path_not_followed", 409);
        let answer = member.provider().post(&path(&issued, "/respond"), json!({"text": "new rota"})).expect(200).body;
        assert_eq!(answer["responses"][0]["text"], "new rota");
        market.lead.post(&path(&issued, "/fail"), json!({"reason": "no"})).problem("time_to_rectify_running", 409);
        market.lead.post(&path(&issued, "/meet"), Value::Null).expect(200).state("met");
        app.at("2019-07-01T00:00:00Z");
        assert_eq!(count(app, "ImprovementNoticeExpired"), 0);
        market.lead.get(&path(&issued, "")).expect(200).state("met");
        member.remove(&market.lead, json!({})).problem("failure_path_not_followed", 409);
    }

    fn a_notice_that_runs_out_opens_the_way_to_removal(app: &TestApp) {
        let market = rolling(app, json!({"failurePath": "notice_first"}));
        let (ash, birch) = (Member::new(&market, "Ash"), Member::new(&market, "Birch"));
        app.at("2019-05-01T12:00:00Z");
        let issued = market.lead.post(&ash.path("/improvement-notices"), notice(json!({}))).expect(201).id();
        let deadlines = market.lead.all(&format!("/v1/deadlines/improvement_notice/{issued}"));
        assert_eq!(deadlines.len(), 1, "{deadlines:#?}");
        app.at("2019-05-31T23:59:59.999999Z");
        market.lead.get(&path(&issued, "")).expect(200).state("issued");
        ash.remove(&market.lead, json!({})).problem("failure_path_not_followed", 409);
        app.at("2019-06-01T00:00:00Z");
        market.lead.get(&path(&issued, "")).expect(200).state("awaiting_judgement");
        assert_eq!(count(app, "ImprovementNoticeExpired"), 1);

        // More time is given by agreement only, and then the way is closed again.
        let more = |agreed: bool| json!({"rectifyBy": "2019-07-01T00:00:00Z", "agreedWithProvider": agreed});
        market.lead.post(&path(&issued, "/extend"), more(false)).problem("extension_not_agreed", 422);
        market.lead.post(&path(&issued, "/extend"), more(true)).expect(200).state("issued");
        ash.remove(&market.lead, json!({})).problem("failure_path_not_followed", 409);
        app.at("2019-07-01T00:00:00Z");
        assert_eq!(count(app, "ImprovementNoticeExpired"), 2);
        market.lead.post(&path(&issued, "/fail"), json!({"reason": "still late"})).expect(200).state("not_met");
        ash.remove(&market.lead, json!({})).expect(201);
        // Another member's notice is none of its own.
        birch.remove(&market.lead, json!({})).problem("failure_path_not_followed", 409);
    }

    fn a_notice_may_be_taken_back(app: &TestApp) {
        let market = rolling(app, json!({"failurePath": "notice_first"}));
        let member = Member::new(&market, "Ash");
        app.at("2019-05-01T12:00:00Z");
        let issued = market.lead.post(&member.path("/improvement-notices"), notice(json!({}))).expect(201).id();
        market.lead.post(&path(&issued, "/withdraw"), json!({"reason": "an error"})).expect(200).state("withdrawn");
        app.at("2019-07-01T00:00:00Z");
        assert_eq!(count(app, "ImprovementNoticeExpired"), 0);
        member.remove(&market.lead, json!({})).problem("failure_path_not_followed", 409);
        assert_eq!(market.lead.all(&member.path("/improvement-notices")).len(), 1);
    }
}

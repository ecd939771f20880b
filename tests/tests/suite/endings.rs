//! What ends a thing ends all that hangs on it, and nothing can be begun in what has ended.

use serde_json::{Value, json};

use crate::app::TestApp;
use crate::applicants::{Applicant, declare_interests};
use crate::market::{FIRST_CLOSE, LIVE, Market};
use crate::members::{Member, another_lead, count, rolling};

on_both! {
    fn a_terminated_market_keeps_no_round_under_way(app: &TestApp) {
        let market = Market::published(app);
        app.at(LIVE);
        let applied = Applicant::new(app, "Ash").submitted(&market, &["FOSTERING"]);
        let round = format!("/v1/rounds/{}", market.round(1)["id"].as_str().unwrap());
        app.at("2019-01-20T00:00:00Z");
        market.lead.post(&market.path("/terminate"), json!({"reason": "no funding"})).expect(200);
        let ended = market.lead.get(&round).expect(200).state("ended").body;
        assert_eq!(ended["reason"], "no funding");
        assert_eq!(market.round(2)["state"], "cancelled");
        assert_eq!(applied.show()["state"], "lapsed");
        app.at("2019-03-01T00:00:00Z");
        market.lead.get(&round).expect(200).state("ended");
        market.lead.post(&format!("{round}/start-evaluation"), Value::Null).problem("arrangement_not_in_force", 409);
        let longer = json!({"closesAt": "2019-04-01T00:00:00Z", "reason": "x"});
        for (under, body) in [("/close", Value::Null), ("/lengthen", longer)] {
            market.lead.post(&format!("{round}{under}"), body).problem("wrong_state", 409);
        }
        let wanted = json!({"lots": {"scope": "all"}, "opensAt": "2019-05-01T00:00:00Z"});
        market.lead.post(&market.path("/rounds"), wanted).problem("arrangement_not_in_force", 409);
        let second = format!("/v1/rounds/{}/reinstate", market.round(2)["id"].as_str().unwrap());
        market.lead.post(&second, json!({"reason": "x"})).problem("arrangement_not_in_force", 409);
        // OCDS says that the round was not met.
        let milestones = milestones(&market);
        assert_eq!(milestones[0]["status"], "notMet", "{milestones:#}");
    }

    fn a_round_that_has_closed_is_evaluated_no_more_once_its_market_ended(app: &TestApp) {
        let market = Market::published(app);
        app.at(FIRST_CLOSE);
        let round = format!("/v1/rounds/{}", market.round(1)["id"].as_str().unwrap());
        market.lead.post(&market.path("/terminate"), json!({"reason": "no funding"})).expect(200);
        market.lead.post(&format!("{round}/start-evaluation"), Value::Null).problem("arrangement_not_in_force", 409);
        let milestones = milestones(&market);
        assert_eq!(milestones[0]["status"], "met", "it had closed: {milestones:#}");
    }

    fn the_end_of_an_arrangement_ends_every_measure_check_fee_interest_and_appeal(app: &TestApp) {
        let market = rolling(app, json!({"failurePath": "direct"}));
        let member = Member::new(&market, "Ash");
        let fee = json!({"code": "CORE", "description": "Core", "amountPence": 400_000, "unit": "week", "validFrom": "2019-02-01"});
        let fee = member.provider().post(&member.path("/fees"), fee).expect(201).id();
        let suspension = member.suspend(&market.lead, json!({"scope": {"kind": "provider"}})).expect(201).id();
        let sanction = app.commissioner("CCC").post(&member.path("/sanctions"), json!({"kind": "conceal", "reason": "late"})).expect(201).id();
        let notice = json!({
            "issue": "late", "discussionHeldOn": "2019-01-04", "agreedWithProvider": true, "rectifyBy": "2019-06-01T00:00:00Z",
        });
        let notice = market.lead.post(&member.path("/improvement-notices"), notice).expect(201).id();
        let removal = member.remove(&market.lead, json!({})).expect(201).id();
        let appeal = member.appeals(json!({"kind": "suspension", "suspension": suspension}));
        member.provider().post(&member.path("/withdraw"), json!({})).expect(200);
        let birch = Applicant::new(app, "Birch");
        birch.provider.post(&format!("/v1/arrangements/{}/interests", market.id), json!({"provider": birch.id})).expect(201);
        let pending = birch.submitted(&market, &["FOSTERING"]);
        let check = pending.check_path(&market, "safeguarding", "");

        app.at("2019-05-01T00:00:00Z");
        market.lead.post(&market.path("/terminate"), json!({"reason": "no funding"})).expect(200);
        for (path, state) in [
            (format!("/v1/suspensions/{suspension}"), "ended"),
            (format!("/v1/sanctions/{sanction}"), "ended"),
            (format!("/v1/improvement-notices/{notice}"), "ended"),
            (format!("/v1/removals/{removal}"), "revoked"),
            (format!("/v1/fees/{fee}"), "ended"),
            (appeal.clone(), "lapsed"),
            (check.clone(), "dropped"),
        ] {
            let reader = if path == check { &market.lead } else { member.provider() };
            reader.get(&path).expect(200).state(state);
        }
        assert_eq!(count(app, "InterestEnded"), 1);
        // Nothing is done to what has ended, nor begun in it.
        declare_interests_is_refused(&market);
        market.lead.post(&format!("{check}/record"), json!({"passed": true, "evidence": ["x"]})).problem("wrong_state", 409);
        market.lead.post(&format!("/v1/suspensions/{suspension}/lift"), json!({"reason": "x"})).problem("wrong_state", 409);
        another_lead(app).post(&format!("{appeal}/uphold"), json!({"reason": "x"})).problem("wrong_state", 409);
        let again = json!({"target": {"kind": "suspension", "suspension": suspension}, "grounds": "still"});
        member.provider().post("/v1/appeals", again).problem("arrangement_not_in_force", 409);
        app.at("2019-12-01T00:00:00Z");
        assert_eq!((count(app, "SuspensionLapsed"), count(app, "ImprovementNoticeExpired")), (0, 0));
    }

    fn a_lot_that_closes_ends_its_lines_and_members(app: &TestApp) {
        let market = rolling(app, json!({"failurePath": "direct"}));
        let both = Member::in_lots(&market, "Ash", &["FOSTERING", "TUITION"]);
        let one = Applicant::new(app, "Birch").submitted(&market, &["FOSTERING"]);
        let two = Applicant::new(app, "Cedar").submitted(&market, &["FOSTERING", "TUITION"]);
        let left = Member::new(&market, "Dogwood");
        let removal = left.remove(&market.lead, json!({})).expect(201).id();
        left.provider().post(&left.path("/withdraw"), json!({})).expect(200);
        let suspension = both[0].suspend(&market.lead, json!({})).expect(201).id();
        let sanction = json!({"kind": "conceal", "reason": "late"});
        let sanction = app.commissioner("CCC").post(&both[0].path("/sanctions"), sanction).expect(201).id();
        let close = format!("/v1/lots/{}/close", market.lot("FOSTERING"));
        market.lead.post(&close, json!({"reason": "merged into another"})).expect(200).state("closed");
        assert_eq!((both[0].status(&market).as_str(), both[1].status(&market).as_str()), ("ended", "active"));
        for (under, id, state) in
            [("suspensions", suspension, "ended"), ("sanctions", sanction, "ended"), ("removals", removal, "revoked")]
        {
            market.lead.get(&format!("/v1/{under}/{id}")).expect(200).state(state);
        }
        assert_eq!(one.show()["state"], "lapsed");
        let left = two.show();
        assert_eq!(left["state"], "in_evaluation");
        let states: Vec<_> = left["lines"].as_array().unwrap().iter().map(|line| line["status"]["state"].clone()).collect();
        assert_eq!(states, ["lapsed", "in_evaluation"]);
        assert!(one.checks(&market).iter().all(|check| check["state"] == "dropped"));
        two.pass(&market);
        market.lead.post(&two.line(&market, "FOSTERING", "/admit"), Value::Null).problem("line_state_wrong", 409);
        two.admit(&market, "TUITION");
    }

    fn a_discarded_draft_takes_its_lots_with_it(app: &TestApp) {
        let market = Market::draft(app, json!({}));
        market.lead.post(&market.path("/discard"), Value::Null).expect(200).state("discarded");
        let lot = format!("/v1/lots/{}", market.lot("FOSTERING"));
        market.lead.get(&lot).expect(200).state("closed");
        market.lead.put(&format!("{lot}/aliases"), json!([])).problem("wrong_state", 409);
        // What nobody outside knew of is told to nobody outside.
        let outside = crate::members::feed(&Applicant::new(app, "Ash").provider, "&kind=LotClosed");
        assert_eq!(outside, Vec::<Value>::new());
    }

    fn what_is_withdrawn_leaves_no_check_open(app: &TestApp) {
        let market = rolling(app, json!({}));
        let application = Applicant::new(app, "Ash").submitted(&market, &["FOSTERING"]);
        let check = application.check_path(&market, "safeguarding", "");
        application.provider.post(&application.path("/withdraw"), Value::Null).expect(200).state("withdrawn");
        market.lead.get(&check).expect(200).state("dropped");
        declare_interests(&market.lead, &market, json!([]));
        market.lead.post(&format!("{check}/record"), json!({"passed": true, "evidence": ["x"]})).problem("wrong_state", 409);
    }
}

#[track_caller]
fn declare_interests_is_refused(market: &Market<'_>) {
    let path = market.path("/declaration-of-interests");
    market.lead.put(&path, json!({"interests": []})).problem("arrangement_not_in_force", 409);
}

/// The milestones of the market's rounds, as OCDS tells them.
#[track_caller]
fn milestones(market: &Market<'_>) -> Value {
    let records = market.lead.get("/v1/ocds/records").expect(200).body["records"].clone();
    records[0]["compiledRelease"]["tender"]["milestones"].clone()
}

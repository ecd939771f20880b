//! What the authority began, it ends: no measure, hearing or ground is escaped by leaving a lot and coming back.

use serde_json::{Value, json};

use crate::app::TestApp;
use crate::applicants::declare_interests;
use crate::market::Market;
use crate::members::{Member, another_lead, count, rolling};

/// The member leaves its lot and is admitted to it again, by a new application.
#[track_caller]
fn comes_back<'a>(market: &Market<'a>, member: &Member<'a>) -> Member<'a> {
    member.provider().post(&member.path("/withdraw"), json!({})).expect(200).state("withdrawn");
    let application = member.of.submitted(market, &["FOSTERING"]);
    application.pass(market);
    let id = application.admit(market, "FOSTERING");
    let of = crate::applicants::Applicant {
        app: market.lead.app,
        id: member.of.id.clone(),
        provider: member.of.provider.clone(),
    };
    Member { of, application: application.id, id, lot: member.lot.clone() }
}

fn sanction(kind: &str) -> Value {
    json!({"kind": kind, "reason": "late visits", "serious": "a child was hurt"})
}

on_both! {
    fn a_suspension_stands_against_the_provider_whatever_its_membership_does(app: &TestApp) {
        let market = rolling(app, json!({"suspensionMonths": 6}));
        let member = Member::new(&market, "Ash");
        app.at("2019-05-01T12:00:00Z");
        let suspension = member.suspend(&market.lead, json!({})).expect(201).id();
        let again = comes_back(&market, &member);
        assert_ne!(again.id, member.id);
        assert!(!again.receives(&market), "it begins under the measure");
        assert_eq!(again.status(&market), "suspended");
        let touching = market.lead.all(&again.path("/suspensions"));
        assert_eq!(touching[0]["id"], json!(suspension));
        // Nor is it imposed a second time by way of the new membership.
        again.suspend(&market.lead, json!({})).problem("suspension_overlaps", 409);
        app.at("2019-11-01T13:00:00Z");
        assert!(again.receives(&market), "until its own end");
        // It counts as the step that it was.
        again.remove(&market.lead, json!({})).expect(201);
    }

    fn a_sanction_stands_against_the_provider_whatever_its_membership_does(app: &TestApp) {
        let market = rolling(app, json!({"failurePath": "ladder"}));
        let commissioner = app.commissioner("CCC");
        let member = Member::new(&market, "Ash");
        let concealed = commissioner.post(&member.path("/sanctions"), sanction("conceal")).expect(201).id();
        commissioner.post(&member.path("/sanctions"), sanction("restrict")).expect(201);
        let again = comes_back(&market, &member);
        assert_eq!(again.status(&market), "restricted");
        assert!(!again.receives(&market));
        assert_eq!(market.lead.all(&again.path("/sanctions")).len(), 2);
        commissioner.post(&again.path("/sanctions"), sanction("restrict")).problem("sanction_in_force", 409);
        commissioner.post(&format!("/v1/sanctions/{concealed}/lift"), json!({"reason": "better"})).expect(200);
        assert_eq!(again.because(&market, "2019-02-01T00:00:00Z"), ["restricted"]);
        // The ladder was climbed: removal is next.
        again.remove(&market.lead, json!({"ground": "sanction"})).expect(201);
    }

    fn a_notice_that_ran_out_is_still_the_step_before_removal(app: &TestApp) {
        let market = rolling(app, json!({"failurePath": "notice_first"}));
        let member = Member::new(&market, "Ash");
        let notice = json!({
            "issue": "late", "discussionHeldOn": "2019-01-04", "agreedWithProvider": true, "rectifyBy": "2019-02-01T00:00:00Z",
        });
        market.lead.post(&member.path("/improvement-notices"), notice).expect(201);
        let again = comes_back(&market, &member);
        again.remove(&market.lead, json!({})).problem("failure_path_not_followed", 409);
        app.at("2019-02-01T00:00:00Z");
        assert_eq!(market.lead.all(&again.path("/improvement-notices"))[0]["state"], "awaiting_judgement");
        again.remove(&market.lead, json!({})).expect(201);
    }

    fn a_removal_that_is_heard_goes_on_against_the_membership_that_comes_after(app: &TestApp) {
        let market = rolling(app, json!({"failurePath": "direct"}));
        let member = Member::new(&market, "Ash");
        app.at("2019-05-01T12:00:00Z");
        let removal = member.remove(&market.lead, json!({})).expect(201).id();
        let again = comes_back(&market, &member);
        let heard = market.lead.get(&format!("/v1/removals/{removal}")).expect(200).state("notified").body;
        assert_eq!(heard["membership"], json!(again.id));
        assert_eq!(count(app, "RemovalFollowed"), 1);
        again.remove(&market.lead, json!({})).problem("removal_pending", 409);
        app.at("2019-05-29T12:00:00Z");
        market.lead.post(&format!("/v1/removals/{removal}/decide"), json!({"reasons": "proven"})).expect(200).state("effective");
        assert_eq!((again.status(&market).as_str(), again.receives(&market)), ("removed", false));
        assert_eq!(again.standing(&market)["removal"], json!(removal));
    }

    fn leaving_does_not_revoke_a_removal_that_is_heard(app: &TestApp) {
        let market = rolling(app, json!({"failurePath": "direct"}));
        let member = Member::new(&market, "Ash");
        app.at("2019-05-01T12:00:00Z");
        let removal = member.remove(&market.lead, json!({})).expect(201).id();
        member.provider().post(&member.path("/withdraw"), json!({})).expect(200);
        market.lead.get(&format!("/v1/removals/{removal}")).expect(200).state("notified");
        app.at("2019-05-29T12:00:00Z");
        // It applies while it is heard; the removal takes effect before it is admitted.
        let application = member.of.submitted(&market, &["FOSTERING"]);
        application.pass(&market);
        market.lead.post(&format!("/v1/removals/{removal}/decide"), json!({"reasons": "proven"})).expect(200).state("effective");
        assert_eq!(member.because(&market, "2019-06-01T00:00:00Z"), ["removed", "withdrawn"]);
        market.lead.post(&application.line(&market, "FOSTERING", "/admit"), Value::Null).problem("check_open", 409);
        assert_eq!(application.check(&market, "removal_ground")["removal"], json!(removal));
    }

    fn a_providers_own_notice_is_done_when_it_leaves(app: &TestApp) {
        let market = rolling(app, json!({"noFaultNoticeMonths": 12}));
        let member = Member::new(&market, "Ash");
        let notice = member.provider().post(&member.path("/no-fault-notice"), json!({})).expect(201).id();
        let again = comes_back(&market, &member);
        market.lead.get(&format!("/v1/removals/{notice}")).expect(200).state("revoked");
        app.at("2020-06-01T00:00:00Z");
        assert!(again.receives(&market));
    }

    fn the_ground_of_a_removal_is_a_mandatory_check_that_an_officer_decides_with_a_reason(app: &TestApp) {
        let market = rolling(app, json!({"failurePath": "direct"}));
        let member = Member::new(&market, "Ash");
        app.at("2019-05-01T12:00:00Z");
        let removal = member.remove(&market.lead, json!({})).expect(201).id();
        member.provider().post(&format!("/v1/removals/{removal}/representations"), json!({"none": true})).expect(200);
        market.lead.post(&format!("/v1/removals/{removal}/decide"), json!({"reasons": "proven"})).expect(200).state("effective");

        // It may apply at once. Another lot asks nothing of it.
        let application = member.of.submitted(&market, &["FOSTERING", "TUITION"]);
        declare_interests(&market.lead, &market, json!([]));
        let check = application.check(&market, "removal_ground");
        assert_eq!((&check["removal"], &check["requirement"]), (&json!(removal), &Value::Null));
        assert_eq!((&check["lots"], &check["terms"]["mandatory"]), (&json!([member.lot]), &json!(true)));
        for other in ["safeguarding", "insurance"] {
            let path = application.check_path(&market, other, "/record");
            market.lead.post(&path, json!({"passed": true, "evidence": ["answers"]})).expect(200);
        }
        application.admit(&market, "TUITION");
        market.lead.post(&application.line(&market, "FOSTERING", "/admit"), Value::Null).problem("check_open", 409);
        let judge = |body: Value| market.lead.post(&application.check_path(&market, "removal_ground", "/record"), body);
        market.lead.post(&application.check_path(&market, "removal_ground", "/assess"), Value::Null).problem("needs_assessor", 409);
        market.lead.post(&application.check_path(&market, "removal_ground", "/waive"), json!({"reason": "no"}))
            .problem("removal_not_waivable", 409);
        judge(json!({"passed": true, "evidence": ["visits"]})).problem("reason_required", 422);
        judge(json!({"passed": true, "reason": "visits are made since"})).expect(200).state("passed");
        let id = application.admit(&market, "FOSTERING");
        assert_eq!(market.lead.get(&format!("/v1/memberships/{id}")).expect(200).body["assurances"].as_array().unwrap().len(), 2);

        // Whoever was admitted after it has answered the ground.
        member.provider().post(&format!("/v1/memberships/{id}/withdraw"), json!({})).expect(200);
        let third = member.of.submitted(&market, &["FOSTERING"]);
        assert_eq!(third.checks(&market).len(), 2);
    }

    fn a_ground_that_is_not_remedied_is_a_reason_to_reject(app: &TestApp) {
        let market = rolling(app, json!({"failurePath": "direct", "removalNoticeDays": 0}));
        let member = Member::new(&market, "Ash");
        let removal = member.remove(&market.lead, json!({})).expect(201).id();
        market.lead.post(&format!("/v1/removals/{removal}/decide"), json!({"reasons": "proven"})).expect(200);
        let application = member.of.submitted(&market, &["FOSTERING"]);
        application.fail(&market, "removal_ground");
        application.pass(&market);
        application.reject(&market, "FOSTERING", &["removal_ground"]).expect(200).state("decided");
        let reason = application.show()["lines"][0]["status"]["reasons"][0].clone();
        assert_eq!((&reason["code"], &reason["requirement"]), (&json!("removal_ground"), &Value::Null));
    }

    fn a_removal_that_was_annulled_on_appeal_asks_nothing(app: &TestApp) {
        let market = rolling(app, json!({"failurePath": "direct", "removalNoticeDays": 0}));
        let member = Member::new(&market, "Ash");
        let removal = member.remove(&market.lead, json!({})).expect(201).id();
        market.lead.post(&format!("/v1/removals/{removal}/decide"), json!({"reasons": "proven"})).expect(200);
        let appeal = member.appeals(json!({"kind": "removal", "removal": removal}));
        another_lead(app).post(&format!("{appeal}/uphold"), json!({"reason": "they did visit"})).expect(200).state("upheld");
        market.lead.get(&format!("/v1/removals/{removal}")).expect(200).state("annulled");
        assert!(member.receives(&market), "it is a member again");
        assert_eq!(member.status(&market), "removed", "what was so stays so");
    }

    fn two_people_remove_where_the_policy_says_so(app: &TestApp) {
        let market = rolling(app, json!({"failurePath": "direct", "removalByTwo": true, "removalNoticeDays": 0}));
        let member = Member::new(&market, "Ash");
        let removal = member.remove(&market.lead, json!({})).expect(201).id();
        let path = |under: &str| format!("/v1/removals/{removal}{under}");
        market.lead.post(&path("/decide"), json!({"reasons": "proven"})).expect(200).state("proposed");
        assert!(member.receives(&market));
        market.lead.post(&path("/confirm"), Value::Null).problem("second_decider", 403);
        another_lead(app).post(&path("/return"), json!({"reason": " "})).expect(422);
        another_lead(app).post(&path("/return"), json!({"reason": "the visits are not shown"})).expect(200).state("notified");
        market.lead.post(&path("/decide"), json!({"reasons": "proven by visits"})).expect(200).state("proposed");
        let done = another_lead(app).post(&path("/confirm"), Value::Null).expect(200).state("effective").body;
        assert_eq!(done["decision"]["confirmedBy"], "another-lead");
        assert_eq!(member.status(&market), "removed");
        assert_eq!((count(app, "RemovalProposed"), count(app, "RemovalDecided")), (2, 1));
    }
}

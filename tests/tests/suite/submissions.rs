//! Submissions: versions, receipts and deadlines to the second; what an applicant may still change, and until when.

use serde_json::{Value, json};

use crate::actor::Actor;
use crate::app::TestApp;
use crate::applicants::{Applicant, Application};
use crate::market::{FIRST_CLOSE, LIVE, Market, SECOND_OPEN, manual, with};

/// A market that goes live at `live` with a first round of 30 days.
fn since<'a>(app: &'a TestApp, live: &str, policies: Value) -> Market<'a> {
    let market = Market::draft(app, json!({"liveAt": live, "contractStart": "2018-04-01", "policies": policies}));
    market.publish();
    app.at(live);
    market
}

/// Two questions, the second only for those who answer the first with yes.
fn conditional() -> Value {
    with(
        manual("Restraint is used lawfully"),
        json!({"questions": [
            {"code": "used", "text": "Is restraint used?", "answer": {"type": "yes_no"}, "mandatory": true},
            {"code": "training", "text": "Who trains for it?", "answer": {"type": "text", "maxLength": 40}, "mandatory": true,
             "when": {"question": "used", "equals": true}},
        ]}),
    )
}

on_both! {
    fn ac_21_the_deadline_is_kept_to_the_second(app: &TestApp) {
        // 30 days from 29 March 2017 12:00 in London, summer time on both days.
        let market = since(app, "2017-03-29T11:00:00Z", json!({"admissionMode": "windowed"}));
        assert_eq!(market.round(1)["closesAt"], "2017-04-28T11:00:00Z");
        let [early, late] = ["Early", "Late"].map(|name| Applicant::new(app, name).ready(&market, &["FOSTERING"]));
        app.at("2017-04-28T10:59:59Z");
        early.submit().expect(201).state("submitted");
        app.at("2017-04-28T11:00:00Z");
        late.submit().problem("round_not_open", 409);
        assert_eq!((&late.show()["state"], &late.show()["receipts"]), (&json!("draft"), &json!([])));
    }

    fn ac_24_the_last_version_counts_and_each_receipt_stays(app: &TestApp) {
        let market = since(app, "2017-03-01T00:00:00Z", json!({}));
        let application = Applicant::new(app, "Fens Care").ready(&market, &["FOSTERING"]);
        app.at("2017-03-22T17:40:50Z");
        application.submit().expect(201);
        application.submit().problem("no_draft", 409);
        app.at("2017-03-24T09:00:00Z");
        application.provider.post(&application.path("/revise"), Value::Null).expect(200).state("submitted");
        application.provider.post(&application.path("/revise"), Value::Null).problem("draft_open", 409);
        let lots = json!({"lots": [market.lot("FOSTERING"), market.lot("TUITION")]});
        application.provider.put(&application.path("/lots"), lots).expect(200);
        let counting = || application.provider.get(&application.path("/content")).expect(200).body;
        assert_eq!(counting()["receipt"]["version"], 1, "an unfinished revision does not count");
        application.submit().expect(201);
        assert_eq!(counting()["receipt"]["version"], 2);
        assert_eq!(counting()["content"]["lots"].as_array().unwrap().len(), 2);

        let receipt = |of: &str| application.provider.get(&application.path(&format!("/receipt{of}"))).expect(200).body;
        let first = receipt("?version=1");
        assert_eq!((&first["at"], &first["printedAt"]), (&json!("2017-03-22T17:40:50Z"), &json!("22/03/2017 17:40:50")));
        assert_eq!((&receipt("")["version"], &receipt("")["printedAt"]), (&json!(2), &json!("24/03/2017 09:00:00")));
        application.provider.get(&application.path("/receipt?version=3")).problem("not_found", 404);
        let versions = application.provider.all(&application.path("/versions"));
        let lots: Vec<usize> = versions.iter().map(|v| v["content"]["lots"].as_array().unwrap().len()).collect();
        assert_eq!(lots, [1, 2]);
        assert_ne!(versions[0]["receipt"]["contentHash"], versions[1]["receipt"]["contentHash"]);

        application.into_evaluation(&market);
        assert_eq!(market.lead.get(&application.path("/content")).expect(200).body["receipt"]["version"], 2);
        assert_eq!(application.show()["lines"].as_array().unwrap().len(), 2);
    }

    fn ac_25_a_draft_is_not_a_response(app: &TestApp) {
        let market = Market::published(app);
        app.at(LIVE);
        let draft = Applicant::new(app, "Fens Care").ready(&market, &["FOSTERING"]);
        let revised = Applicant::new(app, "Wash Homes").submitted(&market, &["FOSTERING"]);
        revised.provider.post(&revised.path("/revise"), Value::Null).expect(200);
        let both = json!({"lots": [market.lot("FOSTERING"), market.lot("TUITION")]});
        revised.provider.put(&revised.path("/lots"), both).expect(200);
        revised.into_evaluation(&market);

        assert_eq!((&draft.show()["state"], &draft.show()["receipts"]), (&json!("draft"), &json!([])));
        market.lead.get(&draft.path("")).problem("not_found", 404);
        market.lead.get(&draft.path("/checks")).problem("not_found", 404);
        let received = market.lead.all(&format!("/v1/applications?arrangement={}", market.id));
        assert_eq!(received.iter().map(|a| a["id"].clone()).collect::<Vec<_>>(), [json!(revised.id)]);
        // Nor is a revision that was not submitted again.
        assert_eq!((revised.show()["lines"].as_array().unwrap().len(), &revised.show()["draft"]), (1, &Value::Null));
    }

    fn what_was_never_submitted_does_not_exist_for_buyers_whatever_becomes_of_it(app: &TestApp) {
        let market = Market::published(app);
        app.at(LIVE);
        let [left, dropped] = ["Fens Care", "Wash Homes"].map(|name| Applicant::new(app, name).ready(&market, &["FOSTERING"]));
        let submitted = Applicant::new(app, "Ouse Care").submitted(&market, &["FOSTERING"]);
        dropped.provider.post(&dropped.path("/withdraw"), Value::Null).expect(200).state("withdrawn");
        market.lead.post(&market.path("/terminate"), json!({"reason": "no funding"})).expect(200);

        assert_eq!(left.show()["state"], "lapsed");
        let found = |by: &Actor<'_>, query: &str| -> Vec<Value> {
            let all = by.all(&format!("/v1/applications?arrangement={}{query}", market.id));
            all.iter().map(|application| application["id"].clone()).collect()
        };
        assert_eq!(found(&market.lead, ""), [json!(submitted.id)]);
        assert_eq!(found(&market.lead, "&state=withdrawn"), Vec::<Value>::new());
        let fed = |by: &Actor<'_>| by.get("/v1/events?limit=200").expect(200).text;
        let events = fed(&market.lead);
        assert!(events.contains(&submitted.id));
        for application in [&left, &dropped] {
            market.lead.get(&application.path("")).problem("not_found", 404);
            assert!(!events.contains(&application.id), "{events}");
            assert_eq!(found(&application.provider, ""), [json!(application.id)]);
            assert!(fed(&application.provider).contains(&application.id));
        }
    }

    fn ac_26_everything_that_is_missing_is_named_at_once(app: &TestApp) {
        let insurance = with(manual("Insured"), json!({
            "test": {"kind": "insurance", "minimum": 500_000_000},
            "evidence": [{"code": "policy", "title": "The policy", "mandatory": true}],
        }));
        let exclusion = with(manual("Not excluded"), json!({"test": {"kind": "no_exclusion"}}));
        let own = with(manual("Restraint is used lawfully"), json!({"selfAssessable": true, "questions": conditional()["questions"]}));
        let asked = [("restraint", own), ("insurance", insurance), ("exclusion", exclusion)];
        let market = Market::asking(app, json!({}), &asked);
        let application = Applicant::new(app, "Fens Care").start(&market, &["CARE"]);
        let at = |requirement: &str, field: &str| format!("/answers/{}{field}", market.requirement(requirement));
        application.submit().expect(422)
            .blames("answer_missing", &at("restraint", "/values/used"))
            .blames("self_assessment_missing", &at("restraint", "/selfAssessment"))
            .blames("evidence_missing", &at("insurance", "/evidence/policy"))
            .blames("declaration_missing", "/exclusions")
            .blames("terms_not_accepted", "/termsAccepted");
        application.provider.put(&application.path("/terms"), json!({"version": "2018-01"})).expect(200);
        application.submit().expect(422).blames("terms_not_accepted", "/termsAccepted");

        application.accept_terms();
        application.answer(&market, "restraint", json!({"values": {"used": false}, "selfAssessment": true})).expect(200);
        application.attach(&market, "insurance", "policy", json!({"amount": 500_000_000, "expiresOn": "2019-12-31"})).expect(200);
        application.declare(json!([])).expect(200);
        application.submit().expect(201);
    }

    fn a_question_is_asked_where_its_condition_holds(app: &TestApp) {
        let market = Market::asking(app, json!({}), &[("restraint", conditional())]);
        let application = Applicant::new(app, "Fens Care").ready(&market, &["CARE"]);
        let say = |values: Value| application.answer(&market, "restraint", json!({"values": values}));
        let training = format!("/answers/{}/values/training", market.requirement("restraint"));
        say(json!({"used": true})).expect(200);
        let refused = application.submit().problem("answer_missing", 422).blames("answer_missing", &training);
        assert_eq!(refused.body["errors"].as_array().unwrap().len(), 1);
        say(json!({"used": true, "training": "  "})).expect(200);
        application.submit().expect(422).blames("answer_missing", &training);
        say(json!({"used": "yes"})).problem("answer_type_wrong", 422);
        say(json!({"colour": 1})).problem("question_unknown", 422);
        say(json!({"training": "x".repeat(41)})).problem("answer_type_wrong", 422);
        say(json!({"used": false})).expect(200);
        application.submit().expect(201);
    }

    fn until_its_round_closes_an_application_can_be_taken_back(app: &TestApp) {
        let market = Market::published(app);
        app.at(LIVE);
        let [early, late] = ["Early", "Late"].map(|name| Applicant::new(app, name));
        let taken = early.submitted(&market, &["FOSTERING"]);
        let kept = late.submitted(&market, &["FOSTERING"]);
        app.at("2019-02-02T23:59:59Z");
        taken.provider.post(&taken.path("/withdraw"), Value::Null).expect(200).state("withdrawn");
        taken.provider.post(&taken.path("/withdraw"), Value::Null).problem("wrong_state", 409);
        let again = early.submitted(&market, &["FOSTERING"]);
        app.at(FIRST_CLOSE);
        for late in [&kept, &again] {
            for action in ["/withdraw", "/revise"] {
                late.provider.post(&late.path(action), Value::Null).problem("round_closed", 409);
            }
            late.provider.post(&late.line(&market, "FOSTERING", "/withdraw"), Value::Null).problem("round_closed", 409);
        }
        kept.into_evaluation(&market);
        kept.provider.post(&kept.path("/revise"), Value::Null).problem("wrong_state", 409);
        kept.provider.post(&kept.path("/withdraw"), Value::Null).problem("round_closed", 409);
        assert_eq!(taken.show()["state"], "withdrawn");
    }

    fn a_revision_that_is_late_leaves_the_version_before_it(app: &TestApp) {
        let market = Market::published(app);
        app.at(LIVE);
        let application = Applicant::new(app, "Fens Care").submitted(&market, &["FOSTERING"]);
        application.provider.post(&application.path("/revise"), Value::Null).expect(200);
        app.at(FIRST_CLOSE);
        application.submit().problem("round_closed", 409);
        assert_eq!(application.show()["receipts"].as_array().unwrap().len(), 1);
    }

    fn one_line_is_taken_back_and_the_others_go_on(app: &TestApp) {
        let market = Market::published(app);
        app.at(LIVE);
        let application = Applicant::new(app, "Fens Care").submitted(&market, &["FOSTERING", "TUITION"]);
        let take = |lot: &str| application.provider.post(&application.line(&market, lot, "/withdraw"), Value::Null);
        take("INMSS").problem("line_unknown", 422);
        take("TUITION").expect(200).state("submitted");
        take("TUITION").problem("line_state_wrong", 409);
        application.into_evaluation(&market);
        application.pass(&market);
        market.lead.post(&application.line(&market, "TUITION", "/admit"), Value::Null).problem("line_state_wrong", 409);
        application.admit(&market, "FOSTERING");
        let decided = application.show();
        assert_eq!(decided["state"], "decided");
        let states: Vec<_> = decided["lines"].as_array().unwrap().iter().map(|l| l["status"]["state"].clone()).collect();
        assert_eq!(states, ["admitted", "withdrawn"]);

        let other = Applicant::new(app, "Wash Homes").submitted(&market, &["TUITION"]);
        other.provider.post(&other.line(&market, "TUITION", "/withdraw"), Value::Null).expect(200).state("withdrawn");
    }

    fn answers_are_copied_from_the_application_before(app: &TestApp) {
        let market = Market::asking(app, json!({"admissionMode": "rolling"}), &[("restraint", conditional())]);
        let applicant = Applicant::new(app, "Fens Care");
        let first = applicant.ready(&market, &["CARE"]);
        first.answer(&market, "restraint", json!({"values": {"used": true, "training": "We do"}})).expect(200);
        first.submit().expect(201);
        first.fail(&market, "restraint");
        first.reject(&market, "CARE", &["restraint"]).expect(200);
        let again = json!({"arrangement": market.id, "lots": [market.lot("CARE")], "previous": first.id, "copyAnswers": true});
        let other = Applicant::new(app, "Wash Homes");
        other.provider.post("/v1/applications", again.clone()).problem("not_found", 404);
        // What was never submitted is not to be named to buyers, who would see what an application follows.
        let dropped = applicant.ready(&market, &["CARE"]);
        dropped.provider.post(&dropped.path("/withdraw"), Value::Null).expect(200);
        let follows = with(again.clone(), json!({"previous": dropped.id, "copyAnswers": false}));
        applicant.provider.post("/v1/applications", follows).blames("previous_invalid", "/previous");
        let started = applicant.provider.post("/v1/applications", again).expect(201);
        let second = Application { app, provider: applicant.provider.clone(), id: started.id() };
        let copied = &second.show()["draft"]["answers"][market.requirement("restraint")]["values"];
        assert_eq!(copied["training"], "We do");
        assert_eq!(second.show()["draft"]["termsAccepted"], Value::Null, "terms are accepted each time");
        second.submit().problem("terms_not_accepted", 422);
        second.accept_terms();
        second.submit().expect(201);
    }

    fn a_cancelled_round_sends_what_waits_for_it_to_the_next(app: &TestApp) {
        let market = Market::published(app);
        app.at(FIRST_CLOSE);
        let application = Applicant::new(app, "Fens Care").submitted(&market, &["FOSTERING"]);
        let waits_for = |number: u32| {
            let (shown, round) = (application.show(), market.round(number));
            assert_eq!((&shown["state"], &shown["round"], &shown["opensAt"]), (&json!("queued"), &round["id"], &round["opensAt"]));
        };
        waits_for(2);
        let second = format!("/v1/rounds/{}", market.round(2)["id"].as_str().unwrap());
        market.lead.post(&format!("{second}/cancel"), json!({"reason": "no officers"})).expect(200);
        waits_for(3);
        app.at(SECOND_OPEN);
        waits_for(3);
        app.at(market.round(3)["opensAt"].as_str().unwrap());
        assert_eq!(application.show()["state"], "submitted");
    }

    fn what_is_queued_can_be_revised_and_is_received_when_its_round_opens(app: &TestApp) {
        let market = Market::published(app);
        app.at(FIRST_CLOSE);
        let application = Applicant::new(app, "Fens Care").submitted(&market, &["FOSTERING"]);
        application.provider.post(&application.path("/revise"), Value::Null).expect(200).state("queued");
        application.submit().expect(201).state("queued");
        application.provider.post(&application.path("/revise"), Value::Null).expect(200);
        app.at(SECOND_OPEN);
        application.submit().expect(201).state("submitted");
        assert_eq!(application.show()["receipts"].as_array().unwrap().len(), 3);
        market.lead.get(&application.path("/content")).problem("application_sealed", 409);
    }

    fn a_portal_acts_for_the_provider_it_registered(app: &TestApp) {
        let market = Market::published(app);
        app.at(LIVE);
        let portal = app.portal("procontract");
        let provider = portal.post("/v1/providers", json!({"legalName": "Fens Care"})).expect(201).id();
        let start = json!({"arrangement": market.id, "provider": provider, "lots": [market.lot("FOSTERING")], "externalRef": "PC-1"});
        app.portal("other").post("/v1/applications", start.clone()).problem("not_found", 404);
        let id = portal.post("/v1/applications", start).expect(201).id();
        let application = Application { app, provider: portal.clone(), id };
        application.accept_terms();
        application.submit().expect(201).state("submitted");
        assert_eq!(portal.all("/v1/applications?externalRef=PC-1").len(), 1);
        assert_eq!(portal.get(&application.path("/content")).expect(200).body["by"], "procontract");
        // The provider itself holds the same application; another portal none.
        assert_eq!(app.provider(&provider).get(&application.path("")).expect(200).id(), application.id);
        app.portal("other").get(&application.path("")).problem("not_found", 404);
        assert_eq!(app.portal("other").all("/v1/applications"), Vec::<Value>::new());
        app.portal("other").post(&application.path("/withdraw"), Value::Null).problem("not_found", 404);
        application.into_evaluation(&market);
        application.pass(&market);
        let membership = application.admit(&market, "FOSTERING");
        portal.get(&format!("/v1/memberships/{membership}")).expect(200);
    }

    fn a_dashboard_shows_what_is_in_hand(app: &TestApp) {
        let market = Market::published(app);
        let applicant = Applicant::new(app, "Fens Care");
        let dashboard = || applicant.provider.get(&format!("/v1/providers/{}/dashboard", applicant.id)).expect(200).body;
        let ahead = dashboard()["deadlines"].clone();
        assert_eq!((&ahead[0]["what"], &ahead[0]["at"]), (&json!("round_opens"), &json!(LIVE)));
        app.at(LIVE);
        let ahead = dashboard()["deadlines"].clone();
        assert_eq!((&ahead[0]["what"], &ahead[0]["at"]), (&json!("round_closes"), &json!(FIRST_CLOSE)));
        let draft = applicant.ready(&market, &["FOSTERING"]);
        assert_eq!(dashboard()["openApplications"][0]["id"], draft.id);
        draft.submit().expect(201);
        assert_eq!(dashboard()["openApplications"][0]["state"], "submitted");
        draft.into_evaluation(&market);
        draft.pass(&market);
        draft.admit(&market, "FOSTERING");
        let after = dashboard();
        assert_eq!((&after["openApplications"], &after["memberships"]), (&json!([]), &json!(1)));
    }

    fn a_dry_submission_is_decided_and_not_made(app: &TestApp) {
        let market = Market::published(app);
        app.at(LIVE);
        let application = Applicant::new(app, "Fens Care").start(&market, &["FOSTERING"]);
        let dry = || application.provider.request("POST", &application.path("/submit")).dry().send();
        dry().problem("terms_not_accepted", 422);
        application.accept_terms();
        let before = (application.show(), market.lead.all("/v1/audit"));
        dry().expect(201).state("submitted");
        assert_eq!((application.show(), market.lead.all("/v1/audit")), before);
        application.submit().expect(201);
    }
}

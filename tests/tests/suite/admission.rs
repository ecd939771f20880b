//! Admission: where a submission goes, and the one decision that its checks leave (DPS-02, DPS-13, C-01).

use serde_json::{Value, json};

use crate::app::TestApp;
use crate::applicants::{Applicant, declare_interests, failed, member, passed};
use crate::market::{FIRST_CLOSE, LIVE, Market, SECOND_OPEN};

on_both! {
    fn ac_03_nothing_is_decided_while_the_round_is_open(app: &TestApp) {
        let market = Market::published(app);
        app.at(LIVE);
        let application = Applicant::new(app, "Fens Care").submitted(&market, &["FOSTERING"]);
        declare_interests(&market.lead, &market, json!([]));
        for (decision, body) in [("/admit", Value::Null), ("/reject", json!({"reasons": ["safeguarding"]}))] {
            let refused = market.lead.post(&application.line(&market, "FOSTERING", decision), body);
            assert_eq!(refused.problem("wrong_state", 409).body["from"], "submitted");
        }
        assert_eq!(application.checks(&market), Vec::<Value>::new());
        assert_eq!(application.show()["lines"][0]["status"]["state"], "pending");
    }

    fn ac_04_between_rounds_an_application_queues_for_the_next(app: &TestApp) {
        let market = Market::published(app);
        app.at(FIRST_CLOSE);
        let application = Applicant::new(app, "Fens Care").ready(&market, &["FOSTERING"]);
        let queued = application.submit().expect(201).state("queued").body;
        assert_eq!((&queued["round"], &queued["opensAt"]), (&market.round(2)["id"], &json!(SECOND_OPEN)));
        assert_eq!(queued["receipts"][0]["round"], market.round(2)["id"]);
        app.at(SECOND_OPEN);
        let received = application.show();
        assert_eq!((&received["state"], &received["round"]), (&json!("submitted"), &market.round(2)["id"]));
        assert_eq!(received["closesAt"], market.round(2)["closesAt"]);
    }

    fn ac_05_outside_its_window_a_market_receives_nothing(app: &TestApp) {
        let market = Market::published_with(app, json!({"policies": {"admissionMode": "windowed"}}));
        app.at(FIRST_CLOSE);
        let application = Applicant::new(app, "Fens Care").ready(&market, &["FOSTERING"]);
        let refused = application.submit().problem("round_not_open", 409);
        assert!(refused.text.contains("2019-04-04"), "it names the next opening\n{refused}");
        assert_eq!(application.show()["state"], "draft");
    }

    fn ac_06_a_rolling_market_evaluates_on_arrival(app: &TestApp) {
        let market = Market::rolling(app);
        let application = Applicant::new(app, "Fens Care").ready(&market, &["FOSTERING"]);
        let received = application.submit().expect(201).state("in_evaluation").body;
        assert_eq!(received["round"], Value::Null);
        assert_eq!(received["lines"][0]["status"]["state"], "in_evaluation");
        assert_eq!(application.checks(&market).len(), 2);
    }

    fn ac_07_who_meets_every_requirement_is_admitted(app: &TestApp) {
        let market = Market::rolling(app);
        let application = Applicant::new(app, "Fens Care").submitted(&market, &["FOSTERING"]);
        application.pass(&market);
        for reasons in [json!([]), json!(["safeguarding"])] {
            market.lead.post(&application.line(&market, "FOSTERING", "/reject"), json!({"reasons": reasons}))
                .problem("rejection_unfounded", 422).blames("rejection_unfounded", "/decision");
        }
        application.admit(&market, "FOSTERING");
        let decided = application.show();
        assert_eq!(decided["state"], "decided");
        assert_eq!(decided["lines"][0]["status"]["state"], "admitted");
    }

    fn ac_08_a_failed_requirement_bars_admission_and_is_named(app: &TestApp) {
        let market = Market::rolling(app);
        let application = Applicant::new(app, "Fens Care").submitted(&market, &["FOSTERING"]);
        application.fail(&market, "insurance");
        // While the other is open there is no decision at all.
        application.reject(&market, "FOSTERING", &["insurance"]).problem("check_open", 409);
        application.pass(&market);
        let refused = market.lead.post(&application.line(&market, "FOSTERING", "/admit"), Value::Null);
        let refused = refused.problem("check_failed", 422).blames("check_failed", "/decision");
        assert!(refused.text.contains("insurance: Insurance is in force"), "{refused}");
        assert!(!refused.text.contains("safeguarding"), "only what failed is named\n{refused}");
        application.reject(&market, "FOSTERING", &["safeguarding"]).expect(422)
            .blames("rejection_reason_unpublished", "/reasons/0");
        application.reject(&market, "FOSTERING", &[]).expect(422).blames("rejection_reason_missing", "/reasons");
        application.reject(&market, "FOSTERING", &["insurance"]).expect(200).state("decided");
    }

    fn ac_09_a_rejected_applicant_applies_again_and_still_reads_why(app: &TestApp) {
        let market = Market::published(app);
        app.at(LIVE);
        let applicant = Applicant::new(app, "Fens Care");
        let first = applicant.submitted(&market, &["FOSTERING"]);
        let follow = json!({"arrangement": market.id, "lots": [market.lot("FOSTERING")], "previous": first.id});
        applicant.provider.post("/v1/applications", follow.clone()).problem("application_open", 409);
        first.into_evaluation(&market);
        first.fail(&market, "safeguarding");
        first.pass(&market);
        first.reject(&market, "FOSTERING", &["safeguarding"]).expect(200);

        app.at(SECOND_OPEN);
        let again = applicant.provider.post("/v1/applications", follow).expect(201);
        assert_eq!(again.body["previous"], first.id);
        let again = crate::applicants::Application { app, provider: applicant.provider.clone(), id: again.id() };
        again.accept_terms();
        let received = again.submit().expect(201).state("submitted");
        assert_eq!(received.body["round"], market.round(2)["id"]);

        let reasons = first.show()["lines"][0]["status"]["reasons"].clone();
        assert_eq!(reasons[0]["code"], "safeguarding");
        assert_eq!(reasons[0]["text"], "Children are kept safe");
        let why = applicant.provider.all(&first.path("/checks"));
        let failed = why.iter().find(|check| check["state"] == "failed").unwrap();
        assert_eq!(failed["result"]["reason"], "the papers do not show it");
    }

    fn ac_10_there_is_no_cap(app: &TestApp) {
        // The source counts 39 fostering agencies (DPS-28); in a rolling market each takes the shortest way in.
        let market = Market::rolling(app);
        for n in 1..=39 {
            member(&market, &format!("Agency {n}"), "FOSTERING");
        }
        let (fortieth, _) = member(&market, "Agency 40", "FOSTERING");
        market.lead.get(&format!("/v1/memberships/{fortieth}")).expect(200);
        let members = market.lead.all(&format!("/v1/memberships?lot={}&live=true", market.lot("FOSTERING")));
        assert_eq!(members.len(), 40);
    }

    fn ac_11_admission_guarantees_no_award(app: &TestApp) {
        let market = Market::rolling(app);
        let applicant = Applicant::new(app, "Fens Care");
        let application = applicant.submitted(&market, &["FOSTERING"]);
        application.pass(&market);
        let admitted = market.lead.post(&application.line(&market, "FOSTERING", "/admit"), Value::Null).expect(201);
        let membership = admitted.header("location").unwrap().to_owned();
        for reader in [&market.lead, &applicant.provider] {
            let read = reader.get(&membership).expect(200).body;
            assert_eq!(read["awardGuaranteed"], false);
            assert_eq!(read["statement"], admitted.body["statement"]);
            assert!(read["statement"].as_str().unwrap().contains("guarantee"), "{read:#}");
            assert_eq!(read["standing"]["status"], "active", "{read:#}");
        }
        // Nothing else came of it: no contract and no placement is among what was recorded.
        let recorded = market.lead.all(&format!("/v1/audit?provider={}", applicant.id));
        let kinds: std::collections::BTreeSet<_> = recorded.iter().map(|e| e["aggregate"]["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["application", "compliance_check", "membership", "provider"]);
    }

    fn ac_80_another_providers_application_does_not_exist(app: &TestApp) {
        let market = Market::published(app);
        app.at(LIVE);
        let mine = Applicant::new(app, "Fens Care").submitted(&market, &["FOSTERING"]);
        let other = Applicant::new(app, "Wash Homes");
        let theirs = other.submitted(&market, &["FOSTERING"]);
        for under in ["", "/content", "/versions", "/receipt", "/checks"] {
            other.provider.get(&mine.path(under)).problem("not_found", 404);
            app.portal("portal-1").get(&mine.path(under)).problem("not_found", 404);
            app.lead("BRAD").get(&mine.path(under)).problem("not_found", 404);
            app.anonymous().get(&mine.path(under)).problem("unauthenticated", 401);
        }
        for under in ["/submit", "/revise", "/withdraw"] {
            other.provider.post(&mine.path(under), Value::Null).problem("not_found", 404);
            app.anonymous().post(&mine.path(under), Value::Null).problem("unauthenticated", 401);
        }
        let seen = other.provider.all("/v1/applications");
        assert_eq!(seen.iter().map(|a| a["id"].clone()).collect::<Vec<_>>(), [json!(theirs.id)]);
        other.provider.get(&format!("/v1/providers/{}/dashboard", mine.show()["provider"].as_str().unwrap()))
            .problem("not_found", 404);
    }

    fn each_line_is_decided_by_its_own_checks(app: &TestApp) {
        let mut market = Market::draft(app, json!({"policies": {"admissionMode": "rolling"}}));
        market.require("premises", crate::market::manual("Premises are fit"));
        market.define("SECURE", "childrens_home");
        app.at("2019-01-03T09:00:00Z");
        market.publish();
        app.at(LIVE);
        let application = Applicant::new(app, "Fens Care").submitted(&market, &["FOSTERING", "SECURE"]);
        assert_eq!(application.checks(&market).len(), 3, "one check serves both lots");
        application.fail(&market, "premises");
        application.pass(&market);
        application.admit(&market, "FOSTERING");
        assert_eq!(application.show()["state"], "in_evaluation");
        application.reject(&market, "SECURE", &["premises"]).expect(200).state("decided");
        application.reject(&market, "SECURE", &["premises"]).problem("wrong_state", 409);
    }

    fn a_decision_asks_for_a_declaration_and_no_interest(app: &TestApp) {
        let market = Market::rolling(app);
        let applicant = Applicant::new(app, "Fens Care");
        let application = applicant.submitted(&market, &["FOSTERING"]);
        let record = application.check_path(&market, "safeguarding", "/record");
        market.lead.post(&record, passed()).problem("conflict_not_declared", 409);
        let interest = json!([{"provider": applicant.id, "nature": "former employee"}]);
        declare_interests(&market.lead, &market, interest.clone());
        market.lead.post(&record, passed()).problem("conflict_of_interest", 403);
        market.lead.post(&record, failed()).problem("conflict_of_interest", 403);
        application.pass(&market);
        declare_interests(&market.lead, &market, interest);
        market.lead.post(&application.line(&market, "FOSTERING", "/admit"), Value::Null)
            .problem("conflict_of_interest", 403);
        let other = Applicant::new(app, "Wash Homes").submitted(&market, &["FOSTERING"]);
        let judged = other.check_path(&market, "safeguarding", "/record");
        market.lead.post(&judged, passed()).expect(200).state("passed");
    }
}

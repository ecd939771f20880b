//! Arrangements: the term, what publication needs, who sees a draft, and how a market ends.

use serde_json::{Value, json};

use crate::app::TestApp;
use crate::market::{self, FIRST_CLOSE, LIVE, Market, cambridgeshire, with};

on_both! {
    fn ac_17_publication_needs_a_specification(app: &TestApp) {
        let market = Market::draft(app, json!({"specification": null}));
        market.lead.post(&market.path("/publish"), Value::Null)
            .problem("specification_required", 422)
            .blames("specification_required", "/specification");
        assert_eq!(market.show()["state"], "draft");
    }

    fn everything_that_publication_lacks_is_named_at_once(app: &TestApp) {
        let lead = app.lead("LGSS");
        let bare = with(cambridgeshire(), json!({"specification": null, "contractStart": null, "participants": []}));
        let id = market::arrangement(&lead, bare);
        lead.post(&format!("/v1/arrangements/{id}/publish"), Value::Null)
            .expect(422)
            .blames("specification_required", "/specification")
            .blames("lot_required", "/lots")
            .blames("authority_required", "/participants")
            .blames("contract_start_required", "/contractStart");
    }

    fn ac_18_the_term_ends_on_the_last_day_of_its_120_months(app: &TestApp) {
        let market = Market::published(app);
        let term = market.show()["term"].clone();
        assert_eq!(term["contractStart"], "2019-04-01");
        assert_eq!(term["lastDay"], "2029-03-31");
    }

    fn publication_schedules_the_first_round_and_opens_the_lots(app: &TestApp) {
        let market = Market::published(app);
        let round = market.round(1);
        assert_eq!((&round["opensAt"], &round["closesAt"]), (&json!(LIVE), &json!(FIRST_CLOSE)));
        assert_eq!(round["state"], "scheduled");
        for (_, lot) in &market.lots {
            market.lead.get(&format!("/v1/lots/{lot}")).expect(200).state("open");
        }
    }

    fn a_draft_is_its_leads_alone_and_a_publication_is_everybodys(app: &TestApp) {
        let market = Market::draft(app, json!({}));
        let path = market.path("");
        app.lead("BRAD").get(&path).problem("not_found", 404);
        app.anonymous().get(&path).problem("not_found", 404);
        app.newcomer().get(&path).problem("not_found", 404);
        app.portal("portal-1").get(&path).problem("not_found", 404);
        app.lead("BRAD").patch(&path, json!({"reference": "X", "title": "X"})).problem("not_found", 404);
        assert_eq!(app.anonymous().all("/v1/arrangements"), Vec::<Value>::new());
        assert_eq!(app.lead("BRAD").all("/v1/arrangements?state=draft"), Vec::<Value>::new());
        assert_eq!(market.lead.all("/v1/arrangements?state=draft").len(), 1);

        market.publish();
        for anyone in [app.lead("BRAD"), app.anonymous(), app.newcomer(), app.portal("portal-1")] {
            anyone.get(&path).expect(200).state("live");
            assert_eq!(anyone.all("/v1/arrangements").len(), 1, "{}", anyone.name);
        }
    }

    fn a_participant_sees_what_it_may_not_change(app: &TestApp) {
        let market = Market::published(app);
        let because = json!({"reason": "not ours to end"});
        app.lead("CCC").post(&market.path("/terminate"), because.clone()).problem("forbidden", 403);
        app.commissioner("CCC").get(&market.path("")).expect(200);
        app.newcomer().post(&market.path("/terminate"), because).problem("forbidden", 403);
    }

    fn ac_67_an_authority_that_is_listed_twice_takes_part_once(app: &TestApp) {
        let lead = app.lead("LGSS");
        let list = |names: &[(&str, &str)]| {
            let participants: Vec<Value> = names.iter().map(|(code, name)| json!({"code": code, "name": name})).collect();
            let id = market::arrangement(&lead, with(cambridgeshire(), json!({"participants": participants, "reference": names[0].0})));
            let shown = lead.get(&format!("/v1/arrangements/{id}")).expect(200).body["participants"].clone();
            (id, shown.as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>())
        };
        let four = [("NOTT", "Nottingham City"), ("RUTL", "Rutland"), ("DERBY", "Derby City"), ("DERBS", "Derbyshire")];
        let (_, same) = list(&[&four[..], &[("DERBY", "Derby City")]].concat());
        assert_eq!(same, ["Nottingham City", "Rutland", "Derby City", "Derbyshire"]);
        // The same authority as another body spells it, under another code.
        let mut other = four;
        other[0].0 = "NTT";
        let (id, same) = list(&[&other[..], &[("DCC", "DERBY\u{a0}CITY council")]].concat());
        assert_eq!(same, ["Nottingham City", "Rutland", "Derby City", "Derbyshire"]);
        let again = lead.post(&format!("/v1/arrangements/{id}/authorities"), json!({"code": "DERB", "name": "City of Derby"})).expect(200);
        assert_eq!(again.body["participants"].as_array().unwrap().len(), 4);
    }

    fn an_authority_creates_only_what_it_leads(app: &TestApp) {
        app.lead("CCC").post("/v1/arrangements", cambridgeshire())
            .problem("not_your_authority", 403)
            .blames("not_your_authority", "/lead/code");
    }

    fn a_reference_is_used_once_by_its_lead(app: &TestApp) {
        let lead = app.lead("LGSS");
        market::arrangement(&lead, cambridgeshire());
        lead.post("/v1/arrangements", cambridgeshire()).problem("reference_taken", 409);
    }

    fn policies_are_frozen_at_publication(app: &TestApp) {
        let market = Market::draft(app, json!({}));
        let policies = market.path("/policies");
        let now = market.lead.get(&policies).expect(200).body;
        market.lead.put(&policies, with(now.clone(), json!({"firstRoundDays": 14}))).expect(200);
        assert_eq!(market.lead.get(&policies).body["firstRoundDays"], 14);
        market.publish();
        let refused = market.lead.put(&policies, now).problem("wrong_state", 409);
        assert_eq!(refused.body["from"], "live");
        assert_eq!(refused.body["attempted"], "set_policies");
        assert!(refused.body["allowed"].as_array().unwrap().contains(&json!("terminate")));
    }

    fn a_mode_that_the_regime_forbids_is_refused(app: &TestApp) {
        let market = Market::draft(app, json!({}));
        let policies = market.path("/policies");
        let now = market.lead.get(&policies).expect(200).body;
        market.lead.put(&policies, with(now, json!({"regime": "pcr34"})))
            .problem("admission_mode_not_allowed", 422)
            .blames("admission_mode_not_allowed", "/admissionMode");
    }

    fn participants_are_closed_at_publication(app: &TestApp) {
        let market = Market::draft(app, json!({}));
        let authorities = market.path("/authorities");
        let bradford = json!({"code": "BRAD", "name": "Bradford"});
        let joined = market.lead.post(&authorities, bradford.clone()).expect(200);
        let again = market.lead.post(&authorities, bradford).expect(200);
        assert_eq!(joined.etag(), again.etag(), "the same again changes nothing");
        app.commissioner("BRAD").get(&market.path("")).expect(200);
        market.publish();
        market.lead.post(&authorities, json!({"code": "LEEDS", "name": "Leeds"}))
            .problem("participants_closed", 409);
        assert_eq!(market.lead.get(&authorities).expect(200).body.as_array().unwrap().len(), 3);
    }

    fn a_portals_reference_is_recorded_once(app: &TestApp) {
        let market = Market::published(app);
        let link = json!({"system": "procontract", "reference": "DN119642"});
        let first = market.lead.post(&market.path("/external-references"), link.clone()).expect(200);
        let again = market.lead.post(&market.path("/external-references"), link).expect(200);
        assert_eq!(first.etag(), again.etag());
        assert_eq!(market.show()["externalReferences"].as_array().unwrap().len(), 1);
    }

    fn a_modification_is_dated_and_reasoned(app: &TestApp) {
        let market = Market::published(app);
        let change = json!({"changes": {"description": "More of it"}, "reason": "demand grew"});
        let after = market.lead.post(&market.path("/modify"), change).expect(200).body;
        assert_eq!(after["description"], "More of it");
        assert_eq!(after["modifications"][0]["reason"], "demand grew");
        market.lead.post(&market.path("/modify"), json!({"changes": {}, "reason": "none"}))
            .problem("nothing_changed", 422);
    }

    fn a_draft_can_be_given_up(app: &TestApp) {
        let market = Market::draft(app, json!({}));
        market.lead.post(&market.path("/discard"), Value::Null).expect(200).state("discarded");
        market.lead.post(&market.path("/publish"), Value::Null).problem("wrong_state", 409);
        market.lead.post(&market.path("/lots"), json!({"code": "X", "title": "X", "serviceType": "other"}))
            .problem("arrangement_over", 409);
    }

    fn termination_cancels_rounds_and_closes_lots(app: &TestApp) {
        let market = Market::published(app);
        let ended = market.lead.post(&market.path("/terminate"), json!({"reason": "no funding"})).expect(200);
        assert_eq!(ended.body["reason"], "no funding");
        for round in market.rounds() {
            assert_eq!((&round["state"], &round["reason"]), (&json!("cancelled"), &json!("no funding")));
        }
        for lot in market.lead.all(&market.path("/lots")) {
            assert_eq!(lot["state"], "closed");
        }
        app.at("2019-06-01T00:00:00Z");
        assert_eq!(market.show()["state"], "terminated");
        assert_eq!(market.rounds().len(), 1, "nothing more is scheduled");
    }

    fn the_term_runs_out_by_itself(app: &TestApp) {
        let market = Market::published_with(app, json!({"policies": {"termMonths": 6, "extensionMonths": 3}}));
        let extend = json!({"months": 3, "reason": "until the new one is ready"});
        market.lead.post(&market.path("/extend"), extend.clone()).problem("wrong_state", 409);
        app.at("2019-04-01T09:00:00Z");
        market.lead.post(&market.path("/establish"), Value::Null).expect(200).state("established");
        // A review comes first, and its decision is kept (EMF-02).
        market.lead.post(&market.path("/extend"), extend.clone()).problem("wrong_state", 409);
        market.lead.post(&market.path("/review"), Value::Null).expect(200).state("review");
        market.lead.post(&market.path("/decline-extension"), json!({"reason": "not yet"})).expect(200).state("established");
        app.at("2019-05-01T09:00:00Z");
        market.lead.post(&market.path("/review"), Value::Null).expect(200).state("review");
        let extended = market.lead.post(&market.path("/extend"), extend).expect(200).state("extended").body;
        assert_eq!(extended["term"]["lastDay"], "2019-12-31");
        let reviews = [
            json!({"beganAt": "2019-04-01T09:00:00Z", "decidedAt": "2019-04-01T09:00:00Z", "extendedMonths": 0, "reason": "not yet"}),
            json!({"beganAt": "2019-05-01T09:00:00Z", "decidedAt": "2019-05-01T09:00:00Z", "extendedMonths": 3, "reason": "until the new one is ready"}),
        ];
        assert_eq!(extended["reviews"], json!(reviews));
        market.lead.post(&market.path("/review"), Value::Null).problem("extension_not_available", 409);
        app.at("2019-12-31T23:59:59Z");
        assert_eq!(market.show()["state"], "extended");
        app.at("2020-01-01T00:00:00Z");
        assert_eq!(market.show()["state"], "expired");
        assert!(market.lead.all(&market.path("/lots")).iter().all(|lot| lot["state"] == "closed"));
    }

    fn a_review_that_nobody_decides_ends_with_the_term(app: &TestApp) {
        let market = Market::published_with(app, json!({"policies": {"termMonths": 6, "extensionMonths": 3}}));
        app.at("2019-04-01T09:00:00Z");
        market.lead.post(&market.path("/establish"), Value::Null).expect(200);
        market.lead.post(&market.path("/review"), Value::Null).expect(200).state("review");
        app.at("2019-09-30T23:00:00Z");
        assert_eq!(market.show()["state"], "expired");
    }

    fn the_regime_goes_by_the_day_on_which_the_notice_is_sent(app: &TestApp) {
        let dates = json!({"liveAt": null, "contractStart": "2025-06-01"});
        let draft = |reference: &str, more: Value| {
            let market = Market::draft(app, with(with(dates.clone(), more), json!({"reference": reference})));
            (market.path("/publish"), market)
        };
        let old = json!({"policies": {"regime": "pcr_light_touch"}});
        let imported = json!({"imported": {"source": "the old portal", "noticeSentOn": "2019-01-04"}});
        // Requirements of one lead are named once: one market at a time.
        let (publish, first) = draft("A", json!({}));
        app.at("2025-03-01T09:00:00Z");
        assert_eq!(first.show()["policies"]["regime"], Value::Null);
        let live = first.lead.post(&publish, Value::Null).expect(200).body;
        assert_eq!(live["policies"]["regime"], "pa23_light_touch");
        let ended = crate::market::arrangement(&first.lead, with(crate::market::cambridgeshire(), with(with(dates.clone(), old.clone()), json!({"reference": "B"}))));
        let refused = first.lead.post(&format!("/v1/arrangements/{ended}/publish"), Value::Null).expect(422);
        refused.blames("regime_ended", "/policies/regime");
        let taken = with(with(dates.clone(), with(old, imported)), json!({"reference": "C"}));
        let taken = crate::market::arrangement(&first.lead, with(crate::market::cambridgeshire(), taken));
        let lot = crate::market::lot(&first.lead, &taken, "CARE", "childrens_home");
        crate::market::adopt(&first.lead, &lot, first.requirement("insurance"));
        let live = first.lead.post(&format!("/v1/arrangements/{taken}/publish"), Value::Null).expect(200).body;
        assert_eq!((&live["policies"]["regime"], &live["imported"]["noticeSentOn"]), (&json!("pcr_light_touch"), &json!("2019-01-04")));
    }

    fn a_system_under_regulation_34_ends_by_statute(app: &TestApp) {
        let policies = json!({"regime": "pcr34", "admissionMode": "rolling", "extensionMonths": 24});
        let market = Market::published_with(app, json!({"policies": policies}));
        let shown = market.show();
        assert_eq!(shown["term"]["lastDay"], "2029-02-23");
        assert_eq!(shown["warnings"][0]["code"], "term_beyond_statutory_end");
        let deadline = market.lead.all(&format!("/v1/deadlines/arrangement/{}", market.id))[0].clone();
        assert_eq!(deadline["due"], "2029-02-24T00:00:00Z");
        app.at("2026-02-24T00:00:00Z");
        market.lead.post(&market.path("/establish"), Value::Null).expect(200);
        market.lead.post(&market.path("/review"), Value::Null).problem("period_fixed_by_statute", 409);
        app.at("2029-02-23T23:59:59Z");
        assert_eq!(market.show()["state"], "established");
        app.at("2029-02-24T00:00:00Z");
        assert_eq!(market.show()["state"], "expired");
    }
}

//! Rounds: they open and close at their published instants, and the next one follows by policy.

use serde_json::{Value, json};

use crate::app::{START, TestApp};
use crate::applicants::Applicant;
use crate::market::{FIRST_CLOSE, LIVE, Market, SECOND_OPEN};
use crate::members::{count, feed, kinds};

on_both! {
    fn ac_01_the_first_round_is_thirty_days_long(app: &TestApp) {
        let market = Market::published(app);
        let round = market.round(1);
        assert_eq!(round["opensAt"], "2019-01-04T00:00:00Z");
        assert_eq!(round["closesAt"], "2019-02-03T00:00:00Z");
    }

    fn ac_02_thirty_days_end_at_midnight_across_the_clock_change(app: &TestApp) {
        let market = Market::published_with(app, json!({"liveAt": "2019-03-15T00:00:00Z"}));
        assert_eq!(market.round(1)["closesAt"], "2019-04-13T23:00:00Z");
    }

    fn a_round_opens_and_closes_by_the_clock(app: &TestApp) {
        let market = Market::published(app);
        let state = || market.round(1)["state"].clone();
        app.at("2019-01-03T23:59:59.999999Z");
        assert_eq!(state(), "scheduled");
        app.at(LIVE);
        assert_eq!(state(), "open");
        app.at("2019-02-02T23:59:59.999999Z");
        assert_eq!(state(), "open");
        app.at(FIRST_CLOSE);
        assert_eq!(state(), "closed");
    }

    fn nobody_opens_or_closes_a_round_early(app: &TestApp) {
        let market = Market::published(app);
        let round = format!("/v1/rounds/{}", market.round(1)["id"].as_str().unwrap());
        market.lead.post(&format!("{round}/open"), Value::Null).problem("round_not_due", 409);
        app.at(LIVE);
        market.lead.post(&format!("{round}/close"), Value::Null).problem("round_not_due", 409);
        market.lead.post(&format!("{round}/open"), Value::Null).problem("wrong_state", 409);
        market.lead.post(&format!("{round}/start-evaluation"), Value::Null).problem("wrong_state", 409);
        market.lead.post(&format!("{round}/cancel"), json!({"reason": "late"})).expect(409);
    }

    fn a_round_that_is_due_may_be_opened_and_closed_by_hand(app: &TestApp) {
        // A server that had nothing to do when its clock was moved past the round, and does not look again today.
        let late = app.beside(START);
        late.at("2019-02-10T00:00:00Z");
        let market = Market::published(app);
        let round = format!("/v1/rounds/{}", market.round(1)["id"].as_str().unwrap());
        let lead = late.lead("LGSS");
        lead.get(&round).expect(200).state("scheduled");
        lead.post(&format!("{round}/open"), Value::Null).expect(200).state("open");
        let closed = lead.post(&format!("{round}/close"), Value::Null).expect(200).state("closed");
        assert_eq!(closed.body["closesAt"], FIRST_CLOSE);
    }

    fn the_next_round_is_scheduled_when_one_opens(app: &TestApp) {
        let market = Market::published(app);
        assert_eq!(market.rounds().len(), 1);
        app.at(LIVE);
        assert_eq!(market.rounds().len(), 2);
        app.at(FIRST_CLOSE);
        assert_eq!(market.rounds().len(), 2);
        let next = market.round(2);
        assert_eq!((&next["state"], &next["opensAt"]), (&json!("scheduled"), &json!(SECOND_OPEN)));
        assert_eq!(next["closesAt"], "2019-05-03T23:00:00Z");
    }

    fn a_closed_round_is_evaluated_and_completed(app: &TestApp) {
        let market = Market::published(app);
        app.at(FIRST_CLOSE);
        let round = format!("/v1/rounds/{}", market.round(1)["id"].as_str().unwrap());
        market.lead.post(&format!("{round}/start-evaluation"), Value::Null).expect(200).state("evaluating");
        market.lead.post(&format!("{round}/complete"), Value::Null).expect(200).state("completed");
    }

    fn a_cancelled_round_gives_way_to_the_next(app: &TestApp) {
        let market = Market::published(app);
        let round = format!("/v1/rounds/{}", market.round(1)["id"].as_str().unwrap());
        market.lead.post(&format!("{round}/cancel"), json!({"reason": "not ready"})).expect(200).state("cancelled");
        market.lead.get(&round).expect(200).state("cancelled");
        let next = market.round(2);
        assert_eq!((&next["state"], &next["opensAt"]), (&json!("scheduled"), &json!(SECOND_OPEN)));
    }

    fn a_round_of_ones_own_may_not_overlap(app: &TestApp) {
        let market = Market::published(app);
        let wanted = json!({"lots": {"scope": "all"}, "opensAt": "2019-01-20T00:00:00Z", "closesAt": "2019-02-20T00:00:00Z"});
        market.lead.post(&market.path("/rounds"), wanted).problem("round_overlaps", 409);
        let wanted = json!({"lots": {"scope": "all"}, "opensAt": "2019-03-01T00:00:00Z", "closesAt": "2019-02-20T00:00:00Z"});
        market.lead.post(&market.path("/rounds"), wanted).problem("round_backwards", 422);
        let wanted = json!({"lots": {"scope": "all"}, "opensAt": "2019-03-01T00:00:00Z"});
        let made = market.lead.post(&market.path("/rounds"), wanted).expect(201);
        market.lead.get(made.header("location").unwrap()).expect(200).state("scheduled");
    }

    fn a_rolling_market_has_no_rounds(app: &TestApp) {
        let market = Market::published_with(app, json!({"policies": {"admissionMode": "rolling"}}));
        assert_eq!(market.rounds(), Vec::<Value>::new());
        let wanted = json!({"lots": {"scope": "all"}, "opensAt": "2019-03-01T00:00:00Z"});
        market.lead.post(&market.path("/rounds"), wanted).problem("rounds_not_used", 409);
    }

    fn ten_years_in_one_step_are_ten_years_of_rounds(app: &TestApp) {
        let market = Market::published(app);
        app.at("2029-04-01T09:00:00Z");
        assert_eq!(market.show()["state"], "expired");
        let rounds = market.rounds();
        assert!(rounds.iter().all(|round| round["state"] == "ended"), "nobody evaluated them: {rounds:#?}");
        // Every three months from 4 January 2019; the last ends within the term, which ends on 31 March 2029.
        assert_eq!(rounds.len(), 41);
        let numbers: Vec<u64> = rounds.iter().map(|round| round["number"].as_u64().unwrap()).collect();
        assert_eq!(numbers, (1..=41).collect::<Vec<_>>());
        let last = rounds.last().unwrap();
        assert_eq!(last["opensAt"], "2029-01-04T00:00:00Z");
        // Each was closed at its own instant, not at the end of the walk.
        let closed = crate::members::feed(&app.script(), "&kind=RoundClosed");
        assert_eq!(closed.len(), 41);
        for event in closed {
            let round = rounds.iter().find(|round| round["id"] == event["aggregate"]["id"]).unwrap();
            assert_eq!(event["at"], round["closesAt"]);
        }
        assert_eq!(market.show()["updatedAt"], "2029-03-31T23:00:00Z");
    }

    fn a_first_round_is_whole_from_publication_where_the_market_was_to_be_live_before(app: &TestApp) {
        let market = Market::draft(app, json!({}));
        app.at("2019-01-20T09:30:00Z");
        market.publish();
        let round = market.round(1);
        assert_eq!((&round["opensAt"], &round["closesAt"]), (&json!("2019-01-20T09:30:00Z"), &json!("2019-02-19T09:30:00Z")));
        // Nor is one scheduled by hand that is half over when anybody can apply.
        let wanted = json!({"lots": {"scope": "all"}, "opensAt": "2019-01-10T00:00:00Z", "closesAt": "2019-03-10T00:00:00Z"});
        market.lead.post(&market.path("/rounds"), wanted).expect(409).blames("round_in_the_past", "/opensAt");
    }

    fn an_open_round_is_lengthened_and_those_in_it_are_told(app: &TestApp) {
        let market = Market::published(app);
        app.at(LIVE);
        let applied = Applicant::new(app, "Ash").submitted(&market, &["FOSTERING"]);
        let round = format!("/v1/rounds/{}", market.round(1)["id"].as_str().unwrap());
        let lengthen = |to: &str, reason: &str| {
            market.lead.post(&format!("{round}/lengthen"), json!({"closesAt": to, "reason": reason}))
        };
        lengthen("2019-02-01T00:00:00Z", "less").problem("round_not_longer", 422).blames("round_not_longer", "/closesAt");
        lengthen("2019-05-01T00:00:00Z", "far").problem("round_overlaps", 409);
        lengthen("2019-02-10T00:00:00Z", " ").problem("reason_required", 422);
        let longer = lengthen("2019-02-10T00:00:00Z", "the portal was down").expect(200).state("open").body;
        assert_eq!(longer["evaluationFrom"], "2019-02-10T00:00:00Z");
        assert_eq!(applied.show()["closesAt"], "2019-02-10T00:00:00Z");
        let told = feed(&applied.provider, "");
        assert!(kinds(&told).contains(&"RoundLengthened") && kinds(&told).contains(&"ApplicationRoundLengthened"));
        // It is revised after the old close, and a new one is received.
        app.at("2019-02-05T00:00:00Z");
        applied.provider.post(&applied.path("/revise"), Value::Null).expect(200);
        let late = Applicant::new(app, "Birch").submitted(&market, &["FOSTERING"]);
        assert_eq!(late.show()["round"], applied.show()["round"]);
        app.at("2019-02-10T00:00:00Z");
        market.lead.get(&round).expect(200).state("closed");
        lengthen("2019-02-20T00:00:00Z", "late").problem("wrong_state", 409);
    }

    fn an_extra_round_takes_what_waits_and_leaves_the_rhythm(app: &TestApp) {
        let market = Market::published(app);
        app.at(FIRST_CLOSE);
        let waiting = Applicant::new(app, "Ash").submitted(&market, &["FOSTERING"]);
        assert_eq!(waiting.show()["opensAt"], SECOND_OPEN);
        let wanted = |extra: Value| {
            let extra = crate::market::with(json!({"lots": {"scope": "all"}, "opensAt": "2019-02-20T00:00:00Z", "closesAt": "2019-03-01T00:00:00Z"}), extra);
            market.lead.post(&market.path("/rounds"), extra)
        };
        wanted(json!({})).problem("round_out_of_order", 409);
        let made = wanted(json!({"extra": "a lot has too few members"})).expect(201).body;
        assert_eq!((&made["number"], &made["extra"]), (&json!(3), &json!("a lot has too few members")));
        let moved = waiting.show();
        assert_eq!((&moved["state"], &moved["round"]), (&json!("queued"), &made["id"]));
        assert_eq!(kinds(&feed(&waiting.provider, "&kind=ApplicationQueued")).len(), 2);
        app.at("2019-03-01T00:00:00Z");
        assert_eq!(waiting.show()["state"], "submitted");
        app.at("2019-04-10T00:00:00Z");
        assert_eq!(market.round(2)["state"], "open", "the rhythm goes on");
        assert_eq!(market.round(4)["opensAt"], "2019-07-03T23:00:00Z");
    }

    fn cancellations_one_after_the_other_do_not_move_the_next_opening_away(app: &TestApp) {
        let market = Market::published(app);
        app.at(FIRST_CLOSE);
        let scheduled = || market.rounds().into_iter().find(|round| round["state"] == "scheduled").unwrap();
        for _ in 0..3 {
            let round = format!("/v1/rounds/{}/cancel", scheduled()["id"].as_str().unwrap());
            market.lead.post(&round, json!({"reason": "not ready"})).expect(200).state("cancelled");
        }
        assert_eq!(scheduled()["opensAt"], "2019-07-03T23:00:00Z", "three months, not nine");
    }

    fn a_round_is_cancelled_without_a_successor_and_what_waits_is_evaluated(app: &TestApp) {
        let market = Market::published(app);
        app.at(FIRST_CLOSE);
        let waiting = Applicant::new(app, "Ash").submitted(&market, &["FOSTERING"]);
        let round = format!("/v1/rounds/{}", market.round(2)["id"].as_str().unwrap());
        market.lead.post(&format!("{round}/cancel"), json!({"reason": "not needed", "successor": false})).expect(200);
        assert_eq!(market.rounds().len(), 2);
        assert_eq!(waiting.show()["state"], "in_evaluation");
        waiting.pass(&market);
        waiting.admit(&market, "FOSTERING");
        // It stays open all the time.
        Applicant::new(app, "Birch").submitted(&market, &["FOSTERING"]).into_evaluation(&market);

        // The cancellation is undone: what comes now waits for it.
        market.lead.post(&format!("{round}/reinstate"), json!({"reason": "needed after all"})).expect(200).state("scheduled");
        assert_eq!(count(app, "RoundReinstated"), 1);
        let next = Applicant::new(app, "Cedar").submitted(&market, &["FOSTERING"]);
        assert_eq!(next.show()["opensAt"], SECOND_OPEN);
        app.at(SECOND_OPEN);
        assert_eq!(next.show()["state"], "submitted");
        market.lead.post(&format!("{round}/reinstate"), json!({"reason": "again"})).problem("wrong_state", 409);
    }

    fn an_undone_cancellation_takes_back_what_went_to_the_successor(app: &TestApp) {
        let market = Market::published(app);
        app.at(FIRST_CLOSE);
        let waiting = Applicant::new(app, "Ash").submitted(&market, &["FOSTERING"]);
        let round = format!("/v1/rounds/{}", market.round(2)["id"].as_str().unwrap());
        market.lead.post(&format!("{round}/cancel"), json!({"reason": "a mistake"})).expect(200);
        assert_eq!(waiting.show()["opensAt"], "2019-07-03T23:00:00Z");
        market.lead.post(&format!("{round}/reinstate"), json!({"reason": "a mistake"})).expect(200);
        assert_eq!(waiting.show()["opensAt"], SECOND_OPEN);
    }

    fn a_batched_market_is_open_to_its_last_day(app: &TestApp) {
        let market = Market::published_with(app, json!({"policies": {"termMonths": 4}}));
        // The second round, from 4 April to 4 May, is the last that fits: the term ends on 31 July.
        app.at("2019-07-04T00:00:00Z");
        assert_eq!(market.rounds().len(), 2);
        let late = Applicant::new(app, "Ash").submitted(&market, &["FOSTERING"]);
        assert_eq!(late.show()["state"], "in_evaluation");
        late.pass(&market);
        late.admit(&market, "FOSTERING");
        app.at("2019-07-31T22:59:59Z");
        Applicant::new(app, "Birch").submitted(&market, &["FOSTERING"]);
        app.at("2019-07-31T23:00:00Z");
        let started = json!({"arrangement": market.id, "lots": [market.lot("FOSTERING")]});
        Applicant::new(app, "Cedar").provider.post("/v1/applications", started).problem("arrangement_not_accepting", 409);
    }

    fn by_policy_the_last_round_is_shortened(app: &TestApp) {
        let policies = json!({"termMonths": 4, "lastRound": "shortened", "evaluationDays": 10});
        let market = Market::published_with(app, json!({"policies": policies}));
        app.at("2019-05-01T00:00:00Z");
        let last = market.round(3);
        assert_eq!((&last["opensAt"], &last["closesAt"]), (&json!("2019-07-03T23:00:00Z"), &json!("2019-07-21T23:00:00Z")));
        assert_eq!(last["evaluationTo"], "2019-07-31T23:00:00Z");
        app.at("2019-07-04T00:00:00Z");
        let inside = Applicant::new(app, "Ash").submitted(&market, &["FOSTERING"]);
        assert_eq!(inside.show()["round"], last["id"]);
        app.at("2019-07-22T00:00:00Z");
        let after = Applicant::new(app, "Birch").submitted(&market, &["FOSTERING"]);
        assert_eq!(after.show()["state"], "in_evaluation");
    }
}

//! Rounds: they open and close at their published instants, and the next one follows by policy.

use serde_json::{Value, json};

use crate::app::{START, TestApp};
use crate::market::{FIRST_CLOSE, LIVE, Market, SECOND_OPEN};

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
        assert!(rounds.iter().all(|round| round["state"] == "closed"), "{rounds:#?}");
        // Every three months from 4 January 2019; the last ends within the term, which ends on 31 March 2029.
        assert_eq!(rounds.len(), 41);
        let numbers: Vec<u64> = rounds.iter().map(|round| round["number"].as_u64().unwrap()).collect();
        assert_eq!(numbers, (1..=41).collect::<Vec<_>>());
        let last = rounds.last().unwrap();
        assert_eq!(last["opensAt"], "2029-01-04T00:00:00Z");
        // Each was closed at its own instant, not at the end of the walk.
        assert_eq!(last["updatedAt"], last["closesAt"]);
        assert_eq!(rounds[20]["updatedAt"], rounds[20]["closesAt"]);
        assert_eq!(market.show()["updatedAt"], "2029-03-31T23:00:00Z");
    }
}

//! Interest in a market (A19).

use serde_json::{Value, json};

use crate::app::TestApp;
use crate::market::Market;

on_both! {
    fn ac_22_interest_is_registered_inside_its_window_only(app: &TestApp) {
        // 05/07/2016 12:30 to 14/09/2016 12:00 in London, which is an hour ahead of UTC in summer.
        let window = json!({"from": "2016-07-05T11:30:00Z", "to": "2016-09-14T11:00:00Z"});
        let market = Market::draft(app, json!({
            "interestWindow": window, "liveAt": "2016-06-02T09:00:00Z", "contractStart": "2017-04-01",
        }));
        app.at("2016-06-01T09:00:00Z");
        market.publish();
        let provider = app.newcomer();
        provider.post("/v1/providers", json!({"legalName": "Meadow Care Ltd"})).expect(201);
        let path = market.path("/interests");

        app.at("2016-07-05T11:29:59Z");
        provider.post(&path, json!({})).problem("interest_window_closed", 409);
        app.at("2016-07-05T11:30:00Z");
        let interest = provider.post(&path, json!({})).expect(201).state("registered").id();
        provider.post(&path, json!({})).problem("interest_registered", 409);

        let withdraw = format!("/v1/interests/{interest}/withdraw");
        app.provider("0190a000-0000-7000-8000-000000000002").post(&withdraw, Value::Null).expect(404);
        provider.post(&withdraw, Value::Null).expect(200).state("withdrawn");
        provider.post(&withdraw, Value::Null).problem("wrong_state", 409);
        assert_eq!(market.lead.get(&path).expect(200).body["items"].as_array().unwrap().len(), 1);

        app.at("2016-09-14T11:00:00Z");
        provider.post(&path, json!({})).problem("interest_window_closed", 409);
    }
}

//! Ten years of a whole market, with its members and measures, in one step of the clock.

use serde_json::json;

use crate::app::TestApp;
use crate::applicants::Applicant;
use crate::market::{FIRST_CLOSE, LIVE, Market};
use crate::members::{Member, count, feed};

on_both! {
    fn ten_years_of_a_whole_market_in_one_step(app: &TestApp) {
        let market = Market::published_with(app, json!({"policies": {"failurePath": "direct"}}));
        app.at(LIVE);
        let applicants: Vec<_> = ["Ash", "Birch", "Cedar", "Dogwood"]
            .into_iter()
            .map(|name| {
                let applicant = Applicant::new(app, name);
                let application = applicant.submitted(&market, &["FOSTERING"]);
                (applicant, application)
            })
            .collect();
        app.at(FIRST_CLOSE);
        let members: Vec<Member<'_>> = applicants
            .into_iter()
            .map(|(of, application)| {
                application.into_evaluation(&market);
                application.pass(&market);
                let id = application.admit(&market, "FOSTERING");
                Member { of, application: application.id, id, lot: market.lot("FOSTERING").to_owned() }
            })
            .collect();
        let [ash, birch, cedar, dogwood] = members.as_slice() else { panic!("four members") };
        app.at("2019-05-01T12:00:00Z");
        ash.suspend(&market.lead, json!({})).expect(201);
        birch.suspend(&market.lead, json!({"from": "2024-01-01T00:00:00Z", "months": 3, "scope": {"kind": "provider"}})).expect(201);
        let removal = cedar.remove(&market.lead, json!({})).expect(201).id();
        cedar.provider().post(&format!("/v1/removals/{removal}/representations"), json!({"none": true})).expect(200);
        let decision = json!({"reasons": "proven", "effectiveAt": "2022-02-22T00:00:00Z"});
        market.lead.post(&format!("/v1/removals/{removal}/decide"), decision).expect(200);

        app.at("2029-04-02T00:00:00Z");
        assert_eq!(market.show()["state"], "expired");
        let rounds = market.rounds();
        assert_eq!(rounds.len(), 41);
        assert_eq!((count(app, "RoundOpened"), count(app, "RoundClosed")), (41, 41));
        for event in feed(&app.script(), "&kind=RoundOpened") {
            let round = rounds.iter().find(|round| round["id"] == event["aggregate"]["id"]).unwrap();
            assert_eq!(event["at"], round["opensAt"]);
        }
        let lapsed = feed(&app.script(), "&kind=SuspensionLapsed");
        let instants: Vec<_> = lapsed.iter().map(|event| &event["at"]).collect();
        assert_eq!(instants, [&json!("2019-11-01T13:00:00Z"), &json!("2024-03-31T23:00:00Z")]);
        assert_eq!(feed(&app.script(), "&kind=MembershipRemoved")[0]["at"], "2022-02-22T00:00:00Z");
        let ended = feed(&app.script(), "&kind=MembershipEnded");
        assert_eq!(ended.len(), 3);
        assert!(ended.iter().all(|event| event["at"] == "2029-03-31T23:00:00Z"), "{ended:#?}");
        for (at, expected) in [
            ("2019-10-01T00:00:00Z", [false, true, true, true]),
            ("2022-02-22T00:00:00Z", [true, true, false, true]),
            ("2024-03-31T22:59:59Z", [true, false, false, true]),
            ("2029-03-31T22:59:59Z", [true, true, false, true]),
            ("2029-03-31T23:00:00Z", [false; 4]),
        ] {
            let received = [ash, birch, cedar, dogwood].map(|member| member.received(&market, at));
            assert_eq!(received, expected, "{at}");
        }
    }
}

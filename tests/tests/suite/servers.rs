//! Clock-driven work: ten years of a whole market in one step, and several servers that do the same work at once.

use std::sync::Barrier;

use serde_json::{Value, json};

use crate::app::TestApp;
use crate::market::{FIRST_CLOSE, LIVE, Market, with};
use crate::members::{Member, count, feed, rolling};

on_both! {
    fn ten_years_of_a_whole_market_in_one_step(app: &TestApp) {
        let market = Market::published_with(app, json!({"policies": {"failurePath": "direct"}}));
        app.at(LIVE);
        let applicants: Vec<_> = ["Ash", "Birch", "Cedar", "Dogwood"]
            .into_iter()
            .map(|name| {
                let applicant = crate::applicants::Applicant::new(app, name);
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

mod postgres {
    use super::*;
    use crate::database::Kind;

    /// Moves the clocks of all servers at once.
    fn together(servers: &[&TestApp], to: &str) {
        let barrier = Barrier::new(servers.len());
        std::thread::scope(|scope| {
            for server in servers {
                scope.spawn(|| {
                    barrier.wait();
                    server.at(to);
                });
            }
        });
    }

    /// Fails where any type of event that the clock makes happened twice to one thing at one link of its state.
    #[track_caller]
    fn once_each(app: &TestApp, expected: &[(&str, usize)]) {
        for (kind, times) in expected {
            let events = feed(&app.script(), &format!("&kind={kind}"));
            assert_eq!(events.len(), *times, "{kind}: {events:#?}");
            assert!(events.iter().all(|event| event["actor"]["subject"] == "clock"), "{kind}: {events:#?}");
        }
    }

    #[test]
    fn three_servers_on_one_database_make_every_change_once() {
        let first = &TestApp::on(Kind::Postgres);
        let market = rolling(first, json!({"failurePath": "direct"}));
        let members: Vec<Member<'_>> = (0..6).map(|n| Member::new(&market, &format!("Provider {n}"))).collect();
        first.at("2019-05-01T12:00:00Z");
        let notice = with(
            json!({"issue": "late", "discussionHeldOn": "2019-04-01"}),
            json!({"agreedWithProvider": true, "rectifyBy": "2019-06-01T00:00:00Z"}),
        );
        for member in &members {
            member.suspend(&market.lead, json!({"months": 1})).expect(201);
            member.suspend(&market.lead, json!({"months": 1, "scope": {"kind": "provider"}})).expect(201);
            market.lead.post(&member.path("/improvement-notices"), notice.clone()).expect(201);
        }
        for member in &members[..2] {
            let removal = member.remove(&market.lead, json!({})).expect(201).id();
            member.provider().post(&format!("/v1/removals/{removal}/representations"), json!({"none": true})).expect(200);
            let decision = json!({"reasons": "proven", "effectiveAt": "2019-06-15T00:00:00Z"});
            market.lead.post(&format!("/v1/removals/{removal}/decide"), decision).expect(200);
        }
        let second = &first.beside("2019-05-01T12:00:00Z");
        let third = &first.beside("2019-05-01T12:00:00Z");
        together(&[first, second, third], "2019-07-01T00:00:00Z");
        once_each(first, &[
            ("SuspensionLapsed", 12),
            ("ImprovementNoticeExpired", 6),
            ("RemovalEffective", 2),
            ("MembershipRemoved", 2),
        ]);
        // Whoever is asked, it is the same market.
        let lot = &members[0].lot;
        let asked: Vec<Value> = [first, second, third]
            .map(|server| crate::members::register(&server.lead("LGSS"), lot, "?receiving=true"))
            .to_vec();
        assert_eq!(asked[0]["count"], 4);
        assert!(asked.iter().all(|register| register["contentHash"] == asked[0]["contentHash"]));
        for server in [first, second, third] {
            let figures = server.anonymous().get("/metrics").expect(200).text;
            assert!(!figures.contains("result=\"failed\""), "{figures}");
        }
        // The end of the term falls to all of them too.
        together(&[first, second, third], "2029-04-02T00:00:00Z");
        once_each(first, &[("MembershipEnded", 4), ("ArrangementExpired", 1)]);
    }

    #[test]
    fn two_servers_walk_ten_years_of_rounds_and_make_each_once() {
        let first = &TestApp::on(Kind::Postgres);
        let market = Market::published(first);
        let second = &first.beside("2019-01-03T09:00:00Z");
        together(&[first, second], "2029-04-02T00:00:00Z");
        assert_eq!(market.rounds().len(), 41);
        once_each(first, &[("RoundOpened", 41), ("RoundClosed", 41), ("ArrangementExpired", 1)]);
        // The first was scheduled at publication, by its lead.
        assert_eq!(count(first, "RoundScheduled"), 41);
    }
}

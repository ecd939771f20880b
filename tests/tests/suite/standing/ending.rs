//! What ends a membership or its good standing without a measure: the provider leaves or sleeps, papers expire, the
//! arrangement ends.

use serde_json::{Value, json};

use crate::app::TestApp;
use crate::applicants::{Applicant, declare_interests, passed};
use crate::market::with;
use crate::members::{Member, count, feed, kinds, rolling};

on_both! {
    fn a_provider_leaves_a_lot_at_once(app: &TestApp) {
        let market = rolling(app, json!({"failurePath": "direct"}));
        let both = Member::in_lots(&market, "Ash", &["FOSTERING", "TUITION"]);
        let member = &both[0];
        market.lead.post(&member.path("/withdraw"), json!({})).problem("forbidden", 403);
        app.at("2019-05-01T12:00:00Z");
        let left = member.provider().post(&member.path("/withdraw"), json!({"reason": "we close"})).expect(200).state("withdrawn");
        assert_eq!(left.body["reason"], "we close");
        assert!(!member.receives(&market) && both[1].receives(&market));
        assert_eq!(member.because(&market, "2019-06-01T00:00:00Z"), ["withdrawn"]);
        member.provider().post(&member.path("/withdraw"), json!({})).problem("wrong_state", 409);
        // It may come back, by a new membership.
        let again = member.of.admitted(&market, "FOSTERING");
        assert_ne!(again, member.id);
        assert!(member.receives(&market));
    }

    fn nobody_leaves_who_is_removed(app: &TestApp) {
        let market = rolling(app, json!({"failurePath": "direct"}));
        let member = Member::new(&market, "Ash");
        let removal = member.remove(&market.lead, json!({})).expect(201).id();
        member.provider().post(&format!("/v1/removals/{removal}/representations"), json!({"none": true})).expect(200);
        market.lead.post(&format!("/v1/removals/{removal}/decide"), json!({"reasons": "proven"})).expect(200);
        member.provider().post(&member.path("/withdraw"), json!({})).problem("wrong_state", 409);
    }

    fn expired_evidence_stops_referrals_until_it_is_renewed(app: &TestApp) {
        let market = rolling(app, json!({}));
        let applicant = Applicant::new(app, "Ash");
        let application = applicant.submitted(&market, &["FOSTERING"]);
        declare_interests(&market.lead, &market, json!([]));
        let insurance = with(passed(), json!({"validUntil": "2019-06-01T00:00:00Z"}));
        market.lead.post(&application.check_path(&market, "insurance", "/record"), insurance).expect(200).state("passed");
        application.pass(&market);
        let id = application.admit(&market, "FOSTERING");
        let (application, lot) = (application.id, market.lot("FOSTERING").to_owned());
        let member = Member { of: applicant, application, id, lot };

        app.at("2019-05-31T23:59:59.999999Z");
        assert!(member.receives(&market));
        app.at("2019-06-01T00:00:00Z");
        assert!(!member.receives(&market));
        assert_eq!(member.status(&market), "evidence_expired");
        let expired = feed(member.provider(), "&kind=EvidenceExpired");
        assert_eq!(expired.len(), 1);
        assert_eq!((&expired[0]["data"]["code"], &expired[0]["at"]), (&json!("insurance"), &json!("2019-06-01T00:00:00Z")));

        app.at("2019-06-10T00:00:00Z");
        let renew = |changes: Value| {
            let usual = json!({"requirement": market.requirement("insurance"), "evidence": ["urn:example:policy"]});
            market.lead.post(&member.path("/renew-evidence"), with(usual, changes))
        };
        let until = json!({"validUntil": "2020-06-01T00:00:00Z"});
        renew(with(until.clone(), json!({"evidence": []}))).problem("evidence_required", 422);
        renew(json!({})).problem("validity_required", 422);
        declare_interests(&market.lead, &market, json!([{"provider": member.of.id, "nature": "shares"}]));
        renew(until).problem("conflict_of_interest", 403);
        declare_interests(&market.lead, &market, json!([]));
        renew(json!({"validUntil": "2019-06-10T00:00:00Z"})).problem("evidence_already_expired", 422);
        renew(json!({"version": 2, "validUntil": "2020-06-01T00:00:00Z"})).problem("assurance_unknown", 422);
        member.provider().post(&member.path("/renew-evidence"), json!({"requirement": market.requirement("insurance")}))
            .problem("forbidden", 403);
        renew(json!({"validUntil": "2020-06-01T00:00:00Z"})).expect(200);
        assert!(member.receives(&market));
        for (instant, received) in [
            ("2019-05-31T23:59:59Z", true), ("2019-06-01T00:00:00Z", false), ("2019-06-09T23:59:59Z", false),
            ("2019-06-10T00:00:00Z", true), ("2020-06-01T00:00:00Z", false),
        ] {
            assert_eq!(member.received(&market, instant), received, "{instant}");
        }
        app.at("2020-06-01T00:00:00Z");
        assert!(!member.receives(&market));
        assert_eq!(count(app, "EvidenceExpired"), 2);
    }

    fn a_dormant_provider_receives_nothing(app: &TestApp) {
        let market = rolling(app, json!({}));
        let both = Member::in_lots(&market, "Ash", &["FOSTERING", "TUITION"]);
        let provider = format!("/v1/providers/{}", both[0].of.id);
        app.at("2019-05-01T00:00:00Z");
        both[0].provider().post(&format!("{provider}/make-dormant"), json!({"reason": "no staff"})).expect(200).state("dormant");
        assert!(both.iter().all(|member| !member.receives(&market)));
        assert_eq!(both[1].status(&market), "dormant");
        app.at("2019-06-01T00:00:00Z");
        both[0].provider().post(&format!("{provider}/reactivate"), json!({"reason": "staff found"})).expect(200);
        assert!(both.iter().all(|member| member.receives(&market)));
        assert!(!both[0].received(&market, "2019-05-15T00:00:00Z"));
        assert_eq!(both[0].because(&market, "2019-05-15T00:00:00Z"), ["provider_dormant"]);
    }

    fn termination_ends_every_membership(app: &TestApp) {
        let market = rolling(app, json!({"failurePath": "direct"}));
        let (ash, birch) = (Member::new(&market, "Ash"), Member::new(&market, "Birch"));
        let removal = ash.remove(&market.lead, json!({})).expect(201).id();
        let undecided = Applicant::new(app, "Cedar").submitted(&market, &["FOSTERING"]);
        app.at("2019-05-01T00:00:00Z");
        market.lead.post(&market.path("/terminate"), json!({"reason": "no funding"})).expect(200).state("terminated");
        let lapsed = undecided.show();
        assert_eq!((&lapsed["state"], &lapsed["reason"]), (&json!("lapsed"), &json!("no funding")));
        assert_eq!(count(app, "ApplicationLapsed"), 1);
        for member in [&ash, &birch] {
            assert!(!member.receives(&market) && member.received(&market, "2019-04-30T23:59:59Z"));
            assert_eq!(member.status(&market), "ended");
        }
        market.lead.get(&format!("/v1/removals/{removal}")).expect(200).state("revoked");
        assert_eq!(count(app, "MembershipEnded"), 2);
        ash.suspend(&market.lead, json!({})).problem("membership_not_live", 409);
    }

    fn the_end_of_the_term_ends_every_membership(app: &TestApp) {
        let market = rolling(app, json!({"termMonths": 12}));
        let member = Member::new(&market, "Ash");
        app.at("2020-03-31T22:59:59.999999Z");
        assert!(member.receives(&market));
        app.at("2020-03-31T23:00:00Z");
        assert_eq!(member.status(&market), "ended");
        assert!(!member.receives(&market));
        let events = feed(member.provider(), "");
        assert_eq!(kinds(&events).iter().filter(|kind| **kind == "MembershipEnded").count(), 1);
    }
}

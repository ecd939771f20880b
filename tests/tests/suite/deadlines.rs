//! Deadlines that are told: what is coming ahead of time, what was missed afterwards, once each, by policy (ADD-21).

use serde_json::{Value, json};

use crate::app::TestApp;
use crate::applicants::Applicant;
use crate::market::{FIRST_CLOSE, Market, manual};
use crate::members::{Member, feed, rolling};

/// What is told of deadlines so far, in its order: the type, what is due, and when it was told.
fn told(app: &TestApp, kind: &str) -> Vec<(String, String)> {
    let events = feed(&app.script(), &format!("&kind={kind}"));
    let told = |e: &Value| (e["data"]["what"].as_str().unwrap().to_owned(), e["at"].as_str().unwrap().to_owned());
    events.iter().map(told).collect()
}

fn pair(what: &str, at: &str) -> (String, String) {
    (what.to_owned(), at.to_owned())
}

fn overdue(by: &crate::actor::Actor<'_>) -> Vec<Value> {
    by.all("/v1/watched-deadlines?state=missed")
}

on_both! {
    fn ac_106_an_evaluation_past_its_legal_day_is_told_and_listed(app: &TestApp) {
        let policies = json!({"regime": "pcr34", "admissionMode": "rolling"});
        let market = Market::asking(app, policies, &[("safeguarding", manual("Children are kept safe"))]);
        // Friday 4 January 2019: the tenth working day after it ends with Friday the 18th.
        let late = Applicant::new(app, "Fens Care").submitted(&market, &["CARE"]);
        let extended = Applicant::new(app, "Wash Homes").submitted(&market, &["CARE"]);
        let decided = Applicant::new(app, "Nene Homes").submitted(&market, &["CARE"]);
        app.at("2019-01-10T00:00:00Z");
        market.lead.post(&extended.path("/extend-evaluation"), json!({"justification": "references abroad"})).expect(200);
        decided.pass(&market);
        decided.admit(&market, "CARE");
        app.at("2019-01-18T23:59:59.999999Z");
        assert_eq!(told(app, "DeadlineMissed"), []);
        app.at("2019-01-19T00:00:00Z");
        assert_eq!(told(app, "DeadlineMissed"), [pair("evaluation", "2019-01-19T00:00:00Z")]);
        let list = overdue(&market.lead);
        assert_eq!(list.len(), 1, "{list:#?}");
        assert_eq!((&list[0]["of"], &list[0]["ofKind"], &list[0]["rule"]), (&json!(late.id), &json!("application"), &json!("PCR34-16")));
        // The recorded extension is heeded; another authority sees nothing, and the provider its own.
        app.at("2019-01-25T23:59:59Z");
        assert_eq!(overdue(&market.lead).len(), 1);
        assert_eq!((overdue(&app.lead("BRAD")).len(), overdue(&late.provider).len(), overdue(&extended.provider).len()), (0, 1, 0));
        app.at("2019-01-26T00:00:00Z");
        assert_eq!(told(app, "DeadlineMissed").len(), 2);
        // Once each, and listed until it is done.
        app.at("2019-03-01T00:00:00Z");
        assert_eq!(told(app, "DeadlineMissed").len(), 2);
        late.pass(&market);
        late.admit(&market, "CARE");
        let left = overdue(&market.lead);
        assert_eq!(left.iter().map(|d| &d["of"]).collect::<Vec<_>>(), [&json!(extended.id)]);
    }

    fn rounds_are_told_ahead_and_a_late_evaluation_afterwards(app: &TestApp) {
        let market = Market::published_with(app, json!({"policies": {"evaluationDays": 10}}));
        app.at(FIRST_CLOSE);
        let near = told(app, "DeadlineNear");
        // Published the day before it goes live: a week ahead had passed by then, and the day before has not quite.
        let closes = [pair("round_closes", "2019-01-27T00:00:00Z"), pair("round_closes", "2019-02-02T00:00:00Z")];
        assert_eq!(near.iter().filter(|(what, _)| what == "round_closes").cloned().collect::<Vec<_>>(), closes);
        assert_eq!(feed(&Applicant::new(app, "Birch").provider, "&kind=DeadlineNear").len(), near.len(), "everyone may apply");
        app.at("2019-02-13T00:00:00Z");
        assert_eq!(told(app, "DeadlineMissed"), [pair("evaluation", "2019-02-13T00:00:00Z")]);
        let round = market.round(1)["id"].as_str().unwrap().to_owned();
        assert_eq!(overdue(&market.lead)[0]["of"], json!(round));
        market.lead.post(&format!("/v1/rounds/{round}/start-evaluation"), Value::Null).expect(200);
        market.lead.post(&format!("/v1/rounds/{round}/complete"), Value::Null).expect(200);
        assert!(overdue(&market.lead).is_empty());
    }

    fn measures_evidence_and_the_term_are_told_ahead_and_when_missed(app: &TestApp) {
        let market = rolling(app, json!({"failurePath": "direct", "termMonths": 12}));
        let member = Member::new(&market, "Ash");
        let notice = json!({
            "issue": "late", "discussionHeldOn": "2019-01-04", "agreedWithProvider": true, "rectifyBy": "2019-02-01T00:00:00Z",
        });
        let notice = market.lead.post(&member.path("/improvement-notices"), notice).expect(201).id();
        let sanction = json!({"kind": "conceal", "reason": "late", "reviewOn": "2019-03-01T00:00:00Z"});
        app.commissioner("CCC").post(&member.path("/sanctions"), sanction).expect(201);
        app.at("2019-02-01T00:00:00Z");
        assert_eq!(told(app, "DeadlineNear"), [pair("rectification", "2019-01-25T00:00:00Z")]);
        assert_eq!(told(app, "DeadlineMissed"), [pair("rectification", "2019-02-01T00:00:00Z")]);
        market.lead.post(&format!("/v1/improvement-notices/{notice}/meet"), Value::Null).expect(200);
        assert!(overdue(&market.lead).is_empty());
        app.at("2019-03-01T00:00:00Z");
        assert_eq!(overdue(&market.lead)[0]["what"], "sanction_review");
        // Whether a sanction is reviewed is the buying side's business.
        assert!(overdue(member.provider()).is_empty());
        assert_eq!(feed(member.provider(), "&kind=DeadlineMissed").len(), 1);

        member.suspend(&market.lead, json!({"months": 2})).expect(201);
        let removal = member.remove(&market.lead, json!({})).expect(201).id();
        app.at("2019-04-01T00:00:00Z");
        let near: Vec<String> = told(app, "DeadlineNear").into_iter().map(|(what, _)| what).collect();
        assert_eq!(near, ["rectification", "sanction_review", "hearing", "suspension_ends"]);
        assert_eq!(overdue(member.provider())[0]["what"], "hearing", "a decision is owed");
        market.lead.post(&format!("/v1/removals/{removal}/revoke"), json!({"reason": "settled"})).expect(200);
        assert!(overdue(member.provider()).is_empty());
        app.at("2020-03-31T23:00:00Z");
        assert_eq!(told(app, "DeadlineNear").iter().filter(|(what, _)| what == "term_ends").count(), 2);
        // What has ended owes nothing more.
        assert!(overdue(&market.lead).is_empty());
        assert!(market.lead.all("/v1/watched-deadlines?state=running").is_empty());
    }

    fn nothing_is_told_where_the_policies_say_so(app: &TestApp) {
        let quiet = json!({"rounds": [], "evaluations": [], "terms": [], "missed": false});
        let market = Market::published_with(app, json!({"policies": {"evaluationDays": 10, "tellAhead": quiet}}));
        app.at("2019-03-01T00:00:00Z");
        assert_eq!((told(app, "DeadlineNear"), told(app, "DeadlineMissed")), (vec![], vec![]));
        assert_eq!(overdue(&market.lead).len(), 1, "it is overdue all the same");
        let often = json!({"tellAhead": {"rounds": [0]}});
        let draft = crate::market::with(crate::market::cambridgeshire(), json!({"reference": "X", "policies": often}));
        market.lead.post("/v1/arrangements", draft).problem("tell_ahead_malformed", 422)
            .blames("tell_ahead_malformed", "/policies/tellAhead/rounds");
    }
}

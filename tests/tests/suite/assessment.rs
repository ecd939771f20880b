//! Assessment: what facts decide by themselves, and what an assessor may and may not (A5, TIR-03 to TIR-13, PCR57).

use serde_json::{Value, json};

use crate::actor::Actor;
use crate::app::TestApp;
use crate::applicants::{Applicant, Application, declare_interests, failed, passed};
use crate::market::{LIVE, Market, adopt, manual, requirement, with};
use crate::members::feed;

/// A requirement that facts decide.
fn decided_by(title: &str, test: Value) -> Value {
    with(manual(title), json!({"test": test}))
}

/// Lancashire's two tiers in a market around Kirklees: HD, WF and HX.
fn tiers(app: &TestApp) -> Market<'_> {
    let boundary = json!({"mode": "postcode_areas", "postcodeAreas": ["HD", "WF", "HX"]});
    let asked = [
        ("tier1", decided_by("65 % rated good", json!({"kind": "rating_share", "atLeast": "good", "percent": 65}))),
        ("tier2", decided_by("One not inadequate", json!({"kind": "rated_home", "atLeast": "requires_improvement"}))),
        ("inside", decided_by("A home inside", json!({"kind": "home_inside_boundary"}))),
    ];
    Market::asking(app, json!({"admissionMode": "rolling", "locationBoundary": boundary}), &asked)
}

/// What became of a provider with so many homes of each rating at each postcode: the results of its checks.
fn results<'a>(
    market: &Market<'a>,
    name: &str,
    homes: &[(usize, &str, Option<&str>)],
) -> (String, String, Application<'a>) {
    let applicant = Applicant::new(market.lead.app, name);
    for (count, postcode, rating) in homes {
        for _ in 0..*count {
            applicant.home(postcode, *rating);
        }
    }
    let application = applicant.submitted(market, &["CARE"]);
    let state = |code: &str| application.check(market, code)["state"].as_str().unwrap().to_owned();
    (state("tier1"), state("tier2"), application)
}

const GOOD: Option<&str> = Some("good");
const REQUIRES: Option<&str> = Some("requires_improvement");
const INADEQUATE: Option<&str> = Some("inadequate");

fn insured() -> Value {
    with(
        decided_by("Insured", json!({"kind": "insurance", "minimum": 500_000_000})),
        json!({
            "evidence": [{"code": "policy", "title": "The policy", "mandatory": true}],
        }),
    )
}

on_both! {
    fn ac_38_an_unrated_home_is_in_neither_number(app: &TestApp) {
        let market = tiers(app);
        let (tier1, _, application) = results(&market, "Fens Care", &[(1, "HD1 1AA", GOOD), (1, "HD1 1AB", None)]);
        assert_eq!(tier1, "passed");
        let share = application.check(&market, "tier1")["result"]["findings"][0].clone();
        assert_eq!((&share["good"], &share["rated"], &share["unrated"], &share["percentShown"]), (&json!(1), &json!(1), &json!(1), &json!(100)));
    }

    fn ac_39_sixty_five_per_cent_is_reached_exactly(app: &TestApp) {
        let market = tiers(app);
        let (tier1, _, _) = results(&market, "Thirteen of twenty", &[(13, "HD1", GOOD), (7, "WF2", REQUIRES)]);
        assert_eq!(tier1, "passed");
        let (tier1, _, application) = results(&market, "Eleven of seventeen", &[(11, "HD1", GOOD), (6, "WF2", REQUIRES)]);
        assert_eq!(tier1, "failed");
        let why = application.check(&market, "tier1")["result"]["reason"].clone();
        assert!(why.as_str().unwrap().contains("11 of 17 rated homes"), "{why}");
    }

    fn ac_40_without_a_rated_home_no_tier_is_met(app: &TestApp) {
        let market = tiers(app);
        let (tier1, tier2, application) = results(&market, "Fens Care", &[(2, "HD1", None)]);
        assert_eq!((tier1.as_str(), tier2.as_str()), ("failed", "failed"));
        let share = application.check(&market, "tier1")["result"]["findings"][0].clone();
        assert_eq!(share["percentShown"], Value::Null, "the share is undefined, not nought");
        let (tier1, tier2, _) = results(&market, "No homes", &[]);
        assert_eq!((tier1.as_str(), tier2.as_str()), ("failed", "failed"));
    }

    fn ac_41_one_home_inside_that_is_not_inadequate_is_enough_for_tier_2(app: &TestApp) {
        let market = tiers(app);
        let (tier1, tier2, _) = results(&market, "One of three", &[(1, "HX3", REQUIRES), (2, "HX4", INADEQUATE)]);
        assert_eq!((tier1.as_str(), tier2.as_str()), ("failed", "passed"));
        let (_, tier2, _) = results(&market, "Good, elsewhere", &[(1, "LS1 1AA", GOOD)]);
        assert_eq!(tier2, "failed");
    }

    fn ac_48_a_home_at_hd1_is_inside(app: &TestApp) {
        let market = tiers(app);
        let (tier1, _, application) = results(&market, "Fens Care", &[(1, "HD1", GOOD), (1, "H1", REQUIRES)]);
        assert_eq!(tier1, "passed", "H is not HD");
        let homes = application.check(&market, "tier1")["result"]["findings"][0]["homes"].clone();
        let counted: std::collections::BTreeSet<_> =
            homes.as_array().unwrap().iter().map(|home| home["counted"].as_str().unwrap()).collect();
        assert_eq!(counted.into_iter().collect::<Vec<_>>(), ["good", "outside"]);
        assert_eq!(application.check(&market, "inside")["state"], "passed");
    }

    fn ratings_count_as_they_stood_when_the_application_was_received(app: &TestApp) {
        let market = tiers(app);
        let applicant = Applicant::new(app, "Fens Care");
        let home = applicant.home("HD1", REQUIRES);
        app.at("2019-02-01T09:00:00Z");
        let application = applicant.submitted(&market, &["CARE"]);
        assert_eq!(application.check(&market, "tier1")["state"], "failed");
        declare_interests(&market.lead, &market, json!([]));
        let again = || {
            market.lead.post(&application.check_path(&market, "tier1", "/reopen"), json!({"reason": "a rating came"})).expect(200).state("open");
            market.lead.post(&application.check_path(&market, "tier1", "/assess"), Value::Null).expect(200)
        };
        app.at("2019-03-01T09:00:00Z");
        applicant.rate(&home, "good", "2019-02-20").expect(200);
        again().state("failed");
        // Nor does a report that was out by then: what was known at the receipt is kept with the application.
        applicant.rate(&home, "good", "2019-01-20").expect(200);
        again().state("failed");
    }

    fn what_facts_decide_nobody_passes_by_hand(app: &TestApp) {
        let market = tiers(app);
        let (_, _, application) = results(&market, "Fens Care", &[(1, "HD1", INADEQUATE)]);
        declare_interests(&market.lead, &market, json!([]));
        market.lead.post(&application.check_path(&market, "tier1", "/record"), passed()).problem("wrong_state", 409);
        market.lead.post(&application.check_path(&market, "tier1", "/reopen"), json!({"reason": "see again"})).expect(200);
        market.lead.post(&application.check_path(&market, "tier1", "/record"), passed()).problem("decided_by_facts", 409);
        market.lead.post(&application.check_path(&market, "tier1", "/assess"), Value::Null).expect(200).state("failed");
    }

    fn the_providers_own_word_counts_where_it_may(app: &TestApp) {
        let own = with(manual("Staff are vetted"), json!({"selfAssessable": true, "questions": [
            {"code": "how", "text": "How?", "answer": {"type": "text", "maxLength": 100}, "mandatory": true}]}));
        let market = Market::asking(app, json!({"admissionMode": "rolling"}), &[("vetting", own), ("other", manual("Other"))]);
        let say = |name: &str, met: bool| {
            let application = Applicant::new(app, name).ready(&market, &["CARE"]);
            let answer = json!({"values": {"how": "DBS"}, "selfAssessment": met});
            application.answer(&market, "other", answer.clone()).expect(422);
            application.answer(&market, "vetting", answer).expect(200);
            application.submit().expect(201);
            application.check(&market, "vetting")
        };
        let met = say("Fens Care", true);
        assert_eq!((&met["state"], &met["result"]["method"]), (&json!("passed"), &json!("self_assessment")));
        // That it is not met, an assessor looks into.
        assert_eq!(say("Wash Homes", false)["state"], "open");
    }

    fn a_second_assessor_confirms_or_returns(app: &TestApp) {
        let policies = json!({"admissionMode": "rolling", "secondAssessor": true});
        let market = Market::asking(app, policies, &[("safeguarding", manual("Children are kept safe"))]);
        let application = Applicant::new(app, "Fens Care").submitted(&market, &["CARE"]);
        declare_interests(&market.lead, &market, json!([]));
        let at = |under: &str| application.check_path(&market, "safeguarding", under);
        market.lead.post(&at("/record"), json!({"passed": true})).expect(422).blames("evidence_required", "/evidence");
        market.lead.post(&at("/record"), json!({"passed": false})).expect(422).blames("reason_required", "/reason");
        market.lead.post(&at("/record"), passed()).expect(200).state("proposed");
        market.lead.post(&application.line(&market, "CARE", "/admit"), Value::Null).problem("check_open", 409);
        market.lead.post(&at("/confirm"), Value::Null).problem("second_assessor", 403);
        let second = app.actor(domain::kernel::Role::LeadAgency, "second", Some("LGSS"), None);
        second.post(&at("/confirm"), Value::Null).problem("conflict_not_declared", 409);
        declare_interests(&second, &market, json!([]));
        second.post(&at("/return"), json!({"reason": "which page?"})).expect(200).state("open");
        market.lead.post(&at("/record"), passed()).expect(200).state("proposed");
        let confirmed = second.post(&at("/confirm"), Value::Null).expect(200).state("passed").body;
        assert_eq!((&confirmed["result"]["assessor"], &confirmed["result"]["confirmedBy"]), (&json!("lead_agency-LGSS"), &json!("second")));
        application.admit(&market, "CARE");
    }

    fn a_requirement_is_waived_with_a_reason(app: &TestApp) {
        let market = Market::rolling(app);
        let application = Applicant::new(app, "Fens Care").submitted(&market, &["FOSTERING"]);
        application.fail(&market, "insurance");
        let waive = application.check_path(&market, "insurance", "/waive");
        market.lead.post(&waive, json!({"reason": ""})).problem("invalid", 422);
        application.provider.post(&waive, json!({"reason": "please"})).problem("forbidden", 403);
        let waived = market.lead.post(&waive, json!({"reason": "covered by the county"})).expect(200).state("waived").body;
        assert_eq!((&waived["reason"], &waived["by"]), (&json!("covered by the county"), &json!("lead_agency-LGSS")));
        application.pass(&market);
        application.admit(&market, "FOSTERING");
    }

    fn a_failed_check_is_reopened_until_its_line_is_decided(app: &TestApp) {
        let market = Market::rolling(app);
        let application = Applicant::new(app, "Fens Care").submitted(&market, &["FOSTERING"]);
        application.fail(&market, "insurance");
        // What was found is for the buying side alone.
        let told = |who: &Actor<'_>| feed(who, "").iter().any(|event| event["type"].as_str().unwrap().starts_with("Check"));
        assert!(told(&app.script()) && !told(&application.provider));
        let at = |under: &str| application.check_path(&market, "insurance", under);
        market.lead.post(&at("/reopen"), json!({"reason": "a new policy came"})).expect(200).state("open");
        market.lead.post(&at("/record"), failed()).expect(200).state("failed");
        application.pass(&market);
        application.reject(&market, "FOSTERING", &["insurance"]).expect(200);
        market.lead.post(&at("/reopen"), json!({"reason": "too late"})).problem("application_decided", 409);
        market.lead.post(&at("/waive"), json!({"reason": "too late"})).problem("application_decided", 409);
    }

    fn a_mandatory_ground_excludes_until_self_cleaning_is_accepted(app: &TestApp) {
        let asked = [("exclusion", decided_by("No ground of exclusion applies", json!({"kind": "no_exclusion"})))];
        let market = Market::asking(app, json!({"admissionMode": "rolling"}), &asked);
        let applicant = Applicant::new(app, "Fens Care");
        let application = applicant.ready(&market, &["CARE"]);
        application.declare(json!([{"code": "sorcery", "occurredOn": "2018-01-01"}])).problem("unknown_exclusion_ground", 422);
        application.declare(json!([{"code": "bribery", "occurredOn": "2030-01-01"}])).expect(422);
        application.declare(json!([{"code": "bribery", "occurredOn": "2018-01-01", "selfCleaning": "new directors"}])).expect(200);
        application.submit().expect(201);
        let at = |under: &str| application.check_path(&market, "exclusion", under);
        let check = application.check(&market, "exclusion");
        assert_eq!((&check["state"], &check["result"]["findings"][0]["mandatory"]), (&json!("failed"), &json!(true)));
        let why = check["result"]["reason"].as_str().unwrap();
        assert!(why.contains("Conviction: bribery (mandatory, PCR57") && why.contains("it counts for 5 years"), "{why}");
        declare_interests(&market.lead, &market, json!([]));
        market.lead.post(&at("/waive"), json!({"reason": "we like them"})).problem("exclusion_not_waivable", 409);

        let provider = format!("/v1/providers/{}", applicant.id);
        let ground = json!({"ground": "bribery", "from": "2018-01-01", "evidence": ["judgment"]});
        market.lead.post(&format!("{provider}/exclusions"), ground).expect(200);
        let judge = |accepted: bool| {
            let judgement = json!({"accepted": accepted, "reason": "new directors, a new code of conduct"});
            market.lead.post(&format!("{provider}/exclusions/0/self-cleaning"), judgement).expect(200);
            market.lead.post(&at("/reopen"), json!({"reason": "self-cleaning was judged"})).expect(200);
            market.lead.post(&at("/assess"), Value::Null).expect(200)
        };
        judge(false).state("failed");
        let clean = judge(true).state("passed").body;
        assert!(clean["result"]["findings"][0]["why"].as_str().unwrap().contains("self-cleaning was accepted"), "{clean:#}");
        application.admit(&market, "CARE");
    }

    fn exclusions_are_the_business_of_authorities_that_were_applied_to(app: &TestApp) {
        let asked = [("papers", manual("Insured"))];
        let market = Market::asking(app, json!({"admissionMode": "rolling"}), &asked);
        let applicant = Applicant::new(app, "Fens Care");
        let path = format!("/v1/providers/{}/exclusions", applicant.id);
        let ground = json!({"ground": "bribery", "from": "2018-01-01", "evidence": ["judgment"]});
        market.lead.post(&path, ground.clone()).expect(403);
        applicant.submitted(&market, &["CARE"]);
        market.lead.post(&path, ground.clone()).expect(200);
        let stranger = app.lead("DERBY");
        stranger.post(&path, ground).expect(403);
        let judgement = json!({"accepted": true, "reason": "new directors"});
        stranger.post(&format!("{path}/0/self-cleaning"), judgement.clone()).expect(403);
        market.lead.post(&format!("{path}/0/self-cleaning"), judgement).expect(200);
    }

    fn a_mandatory_ground_found_during_evaluation_stops_the_admission(app: &TestApp) {
        let asked = [("exclusion", decided_by("No ground of exclusion applies", json!({"kind": "no_exclusion"})))];
        let market = Market::asking(app, json!({"admissionMode": "rolling"}), &asked);
        let applicant = Applicant::new(app, "Fens Care");
        let application = applicant.ready(&market, &["CARE"]);
        application.declare(json!([])).expect(200);
        application.submit().expect(201);
        assert_eq!(application.check(&market, "exclusion")["state"], "passed");
        app.at("2019-02-01T09:00:00Z");
        let ground = json!({"ground": "bribery", "from": "2019-01-31", "evidence": ["judgment"]});
        market.lead.post(&format!("/v1/providers/{}/exclusions", applicant.id), ground).expect(200);
        let at = |under: &str| application.check_path(&market, "exclusion", under);
        market.lead.post(&at("/reopen"), json!({"reason": "a conviction"})).expect(200).state("open");
        declare_interests(&market.lead, &market, json!([]));
        market.lead.post(&application.line(&market, "CARE", "/admit"), Value::Null).problem("check_open", 409);
        market.lead.post(&at("/assess"), Value::Null).expect(200).state("failed");
        application.reject(&market, "CARE", &["exclusion"]).expect(200);
        market.lead.post(&at("/reopen"), json!({"reason": "again"})).problem("application_decided", 409);
    }

    fn a_requirement_that_is_added_after_the_submission_is_not_asked_of_it(app: &TestApp) {
        let market = Market::published(app);
        app.at(LIVE);
        let application = Applicant::new(app, "Fens Care").submitted(&market, &["FOSTERING"]);
        let late = requirement(&market.lead, "late", manual("Was asked for later"));
        adopt(&market.lead, market.lot("FOSTERING"), &late);
        application.into_evaluation(&market);
        let mut codes: Vec<_> = application.checks(&market).iter().map(|c| c["code"].as_str().unwrap().to_owned()).collect();
        codes.sort();
        assert_eq!(codes, ["insurance", "safeguarding"]);
    }

    fn a_discretionary_ground_can_be_waived_and_an_old_one_is_over(app: &TestApp) {
        let asked = [("exclusion", decided_by("No ground of exclusion applies", json!({"kind": "no_exclusion"})))];
        let market = Market::asking(app, json!({"admissionMode": "rolling"}), &asked);
        let declares = |name: &str, on: &str| {
            let application = Applicant::new(app, name).ready(&market, &["CARE"]);
            application.declare(json!([{"code": "poor_performance", "occurredOn": on}])).expect(200);
            application.submit().expect(201);
            application
        };
        let recent = declares("Fens Care", "2018-01-01");
        assert_eq!(recent.check(&market, "exclusion")["state"], "failed");
        declare_interests(&market.lead, &market, json!([]));
        market.lead.post(&recent.check_path(&market, "exclusion", "/waive"), json!({"reason": "made good"})).expect(200).state("waived");
        // Three years to the day before it was received.
        assert_eq!(declares("Wash Homes", "2016-01-04").check(&market, "exclusion")["state"], "passed");
        assert_eq!(declares("Ouse Homes", "2016-01-05").check(&market, "exclusion")["state"], "failed");
    }

    fn an_insurance_covers_enough_and_lasts(app: &TestApp) {
        let market = Market::asking(app, json!({"admissionMode": "rolling"}), &[("insurance", insured())]);
        let given = |name: &str, document: Value| {
            let application = Applicant::new(app, name).ready(&market, &["CARE"]);
            application.attach(&market, "insurance", "policy", document).expect(200);
            application.submit().expect(201);
            application
        };
        let fails = |name: &str, document: Value, why: &str| {
            let check = given(name, document).check(&market, "insurance");
            assert!(check["state"] == "failed" && check["result"]["reason"].as_str().unwrap().contains(why), "{check:#}");
        };
        fails("Too little", json!({"amount": 499_999_999, "expiresOn": "2019-12-31"}), "is less than £5000000.00");
        fails("Expired", json!({"amount": 500_000_000, "expiresOn": "2019-01-03"}), "expired");
        fails("Without end", json!({"amount": 500_000_000}), "missing: its expiry");
        let application = given("Fens Care", json!({"amount": 500_000_000, "expiresOn": "2019-07-31"}));
        // The provider says so, and nobody else yet: an officer who has seen the policy confirms it, for as long as it lasts.
        assert_eq!(application.check(&market, "insurance")["state"], "open");
        let assess = application.check_path(&market, "insurance", "/assess");
        market.lead.post(&assess, Value::Null).problem("needs_assessor", 409);
        application.pass(&market);
        let check = application.check(&market, "insurance");
        assert_eq!((&check["state"], &check["result"]["validUntil"]), (&json!("passed"), &json!("2019-07-31T23:00:00Z")));
        assert_eq!(check["result"]["findings"][0]["statedBy"], "officer");
        let membership = application.admit(&market, "CARE");
        let standing = || application.provider.get(&format!("/v1/memberships/{membership}")).expect(200).body["standing"]["status"].clone();
        app.at("2019-07-31T22:59:59Z");
        assert_eq!(standing(), "active");
        app.at("2019-07-31T23:00:00Z");
        assert_eq!(standing(), "evidence_expired");
        assert_eq!(application.check(&market, "insurance")["state"], "expired");
    }

    fn evidence_counts_for_as_long_as_the_requirement_says(app: &TestApp) {
        let dated = with(decided_by("Safeguarding policy in date", json!({"kind": "evidence_in_date"})), json!({
            "evidence": [{"code": "policy", "title": "The policy", "mandatory": true}], "validityMonths": 12,
        }));
        let market = Market::asking(app, json!({"admissionMode": "rolling"}), &[("policy", dated)]);
        let issued = |name: &str, on: &str| {
            let application = Applicant::new(app, name).ready(&market, &["CARE"]);
            application.attach(&market, "policy", "policy", json!({"issuedOn": on})).expect(200);
            application.submit().expect(201);
            if application.check(&market, "policy")["state"] == "open" {
                application.pass(&market);
            }
            application.check(&market, "policy")
        };
        let fresh = issued("Fens Care", "2018-01-05");
        assert_eq!((&fresh["state"], &fresh["result"]["validUntil"]), (&json!("passed"), &json!("2019-01-05T00:00:00Z")));
        assert_eq!(issued("Wash Homes", "2018-01-04")["state"], "failed");
    }

    fn a_check_that_expires_before_the_decision_bars_it(app: &TestApp) {
        let market = Market::asking(app, json!({"admissionMode": "rolling"}), &[("insurance", insured())]);
        let application = Applicant::new(app, "Fens Care").ready(&market, &["CARE"]);
        application.attach(&market, "insurance", "policy", json!({"amount": 500_000_000, "expiresOn": "2019-01-31"})).expect(200);
        application.submit().expect(201);
        application.pass(&market);
        app.at("2019-02-01T00:00:00Z");
        market.lead.post(&application.line(&market, "CARE", "/admit"), Value::Null).problem("check_failed", 422);
    }

    fn a_request_under_regulation_34_is_evaluated_in_ten_working_days(app: &TestApp) {
        let policies = json!({"regime": "pcr34", "admissionMode": "rolling"});
        let market = Market::asking(app, policies, &[("safeguarding", manual("Children are kept safe"))]);
        // Friday 4 January 2019; the tenth working day after it is Friday the 18th.
        let application = Applicant::new(app, "Fens Care").submitted(&market, &["CARE"]);
        let deadlines = || application.provider.get(&format!("/v1/deadlines/application/{}", application.id)).expect(200).body["items"].clone();
        let first = deadlines()[0].clone();
        assert_eq!((&first["rule"], &first["due"]), (&json!("PCR34-16"), &json!("2019-01-19T00:00:00Z")));
        assert_eq!((&first["regime"], &first["count"], &first["unit"]), (&json!("pcr34"), &json!(10), &json!("working_days")));
        assert!(first["ruleSetVersion"].is_string() && first["calendarVersion"].is_string() && first["explanation"].is_string());
        let extend = |application: &Application<'_>, why: &str| {
            market.lead.post(&application.path("/extend-evaluation"), json!({"justification": why}))
        };
        extend(&application, "").problem("invalid", 422);
        let other = Applicant::new(app, "Wash Homes").submitted(&market, &["CARE"]);
        app.at("2019-01-17T23:59:59Z");
        let extended = extend(&application, "references abroad").expect(200).body;
        assert_eq!(extended["extension"]["deadline"]["due"], "2019-01-26T00:00:00Z");
        assert_eq!((&deadlines()[1]["rule"], &deadlines()[1]["due"]), (&json!("PCR34-17"), &json!("2019-01-26T00:00:00Z")));
        extend(&application, "and again").problem("evaluation_extended", 409);
        app.at("2019-01-18T00:00:00Z");
        extend(&other, "on the tenth day").problem("evaluation_extension_too_late", 409);
    }

    fn an_admission_is_tried_without_being_made(app: &TestApp) {
        let market = Market::rolling(app);
        let application = Applicant::new(app, "Fens Care").submitted(&market, &["FOSTERING"]);
        application.pass(&market);
        let admit = application.line(&market, "FOSTERING", "/admit");
        let before = (application.show(), market.lead.all("/v1/audit"), market.lead.all("/v1/memberships"));
        market.lead.request("POST", &admit).dry().send().expect(201).state("decided");
        assert_eq!((application.show(), market.lead.all("/v1/audit"), market.lead.all("/v1/memberships")), before);
        market.lead.post(&admit, Value::Null).expect(201);
    }

    fn an_admission_that_is_sent_twice_is_made_once(app: &TestApp) {
        let market = Market::rolling(app);
        let application = Applicant::new(app, "Fens Care").submitted(&market, &["FOSTERING"]);
        application.pass(&market);
        let admit = || market.lead.request("POST", &application.line(&market, "FOSTERING", "/admit")).key("admit-1").send();
        let (first, again) = (admit().expect(201), admit().expect(201));
        assert_eq!((&first.text, first.header("location")), (&again.text, again.header("location")));
        assert_eq!(market.lead.all("/v1/memberships").len(), 1);
        market.lead.post(&application.line(&market, "FOSTERING", "/admit"), Value::Null).problem("wrong_state", 409);
    }

    fn an_assessor_reads_back_what_it_declared_and_judged(app: &TestApp) {
        let market = Market::asking(app, json!({"admissionMode": "rolling"}), &[("safeguarding", manual("Children are kept safe"))]);
        let application = Applicant::new(app, "Fens Care").submitted(&market, &["CARE"]);
        let declaration = market.path("/declaration-of-interests");
        market.lead.get(&declaration).problem("not_found", 404);
        application.pass(&market);
        assert_eq!(market.lead.get(&declaration).expect(200).body["interests"], json!([]));
        let check = application.check_path(&market, "safeguarding", "");
        market.lead.get(&check).expect(200).state("passed");
        application.provider.get(&check).problem("application_sealed", 409);
    }
}

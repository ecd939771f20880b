//! Who may say what: what a provider states of itself is not held until the regulator or an officer says so. What identifies it,
//! and how names are compared.

use serde_json::{Value, json};

use crate::actor::Actor;
use crate::app::TestApp;
use crate::applicants::{Applicant, declare_interests};
use crate::market::{Market, arrangement, cambridgeshire, manual, with};
use crate::members::{count, feed};
use crate::uploads::{HOMES, send};

const RATINGS: &str = "/v1/uploads/ratings";

/// A requirement that facts decide.
fn decided_by(test: Value) -> Value {
    with(manual("Is met"), json!({"test": test}))
}

fn rated_good() -> Value {
    decided_by(json!({"kind": "rated_home", "atLeast": "good"}))
}

/// A release that lists one home.
fn release(urn: &str, inspected: &str, judged: &str, owner: &str) -> String {
    let headings = "URN,Provision type,Local authority,Sector,Postcode,Organisation which owns the provider,\
                    Latest full inspection date,Latest full inspection publication date,\
                    Overall experiences and progress of children and young people";
    let published = if inspected.is_empty() { "" } else { "01/12/2018" };
    let place = "Children's home,Cambridgeshire,Private,PE29 1AA";
    format!("{headings}\n{urn},{place},{owner},{inspected},{published},{judged}\n")
}

fn urn_of(who: &Actor<'_>, home: &str) -> String {
    who.get(&format!("/v1/homes/{home}")).expect(200).body["registration"]["urn"].as_str().unwrap().to_owned()
}

fn problems(who: &Actor<'_>, upload: &str) -> Vec<(Value, Value)> {
    let errors = who.all(&format!("/v1/uploads/{upload}/errors"));
    errors.iter().map(|error| (error["column"].clone(), error["code"].clone())).collect()
}

on_both! {
    fn a_provider_does_not_decide_its_own_admission(app: &TestApp) {
        let market = Market::asking(app, json!({"admissionMode": "rolling"}), &[("rated", rated_good())]);
        let fens = Applicant::new(app, "Fens Care");
        let home = fens.home("PE29 1AA", None);
        let urn = urn_of(&fens.provider, &home);
        send(&market.lead, RATINGS, &release(&urn, "01/11/2018", "Inadequate", "Fens Care")).expect(201).state("applied");
        // Over the regulator's release, and of a day of its own.
        fens.state_rating(&home, "outstanding", "2018-11-01").expect(200);
        let held = |who: &Actor<'_>| who.get(&format!("/v1/homes/{home}/ratings")).expect(200).body;
        assert_eq!((&held(&fens.provider)["held"], &held(&fens.provider)["statedBy"]), (&json!("inadequate"), &json!("regulator")));
        fens.state_rating(&home, "outstanding", "2018-12-20").expect(200);
        let told = held(&market.lead);
        assert_eq!((&told["held"], &told["stated"]["rating"]), (&json!("inadequate"), &json!("outstanding")));
        let again = send(&market.lead, RATINGS, &release(&urn, "01/11/2018", "Inadequate", "Fens Care")).expect(201);
        assert_eq!(again.body["counts"]["unchanged"], 1);

        let application = fens.submitted(&market, &["CARE"]);
        let check = application.check(&market, "rated");
        assert_eq!(check["state"], "failed", "{check:#}");
        let counted = &check["result"]["findings"][0]["homes"][0];
        assert_eq!((&counted["rating"], &counted["ratedBy"]), (&json!("inadequate"), &json!("regulator")));
        assert_eq!(counted["stated"]["rating"], "outstanding");
        assert!(check["result"]["reason"].as_str().unwrap().contains("nobody has confirmed"), "{check:#}");

        // An officer who has seen the report confirms it: what was stated at the receipt counts as it was confirmed since.
        let confirms = json!({"rating": "outstanding", "inspectedOn": "2018-12-20", "publishedOn": "2018-12-20", "source": "the report"});
        let path = format!("/v1/homes/{home}/ratings");
        market.lead.post(&path, confirms.clone()).expect(422).blames("reason_required", "/reason");
        market.lead.post(&path, with(confirms, json!({"reason": "the report is out"}))).expect(200);
        assert_eq!(held(&market.lead)["held"], "outstanding");
        declare_interests(&market.lead, &market, json!([]));
        market.lead.post(&application.check_path(&market, "rated", "/reopen"), json!({"reason": "it is confirmed"})).expect(200);
        let again = market.lead.post(&application.check_path(&market, "rated", "/assess"), Value::Null).expect(200).state("passed").body;
        assert_eq!(again["result"]["findings"][0]["homes"][0]["ratedBy"], "officer");
        assert_eq!(count(app, "RatingChanged"), 2);
    }

    fn the_latest_release_wins_and_a_correction_stands_until_it_says_something_else(app: &TestApp) {
        app.at("2019-03-01T00:00:00Z");
        let (fens, lead) = (Applicant::new(app, "Fens Care"), app.lead("LGSS"));
        let home = fens.home("PE29 1AA", None);
        let urn = urn_of(&fens.provider, &home);
        let held = || lead.get(&format!("/v1/homes/{home}/ratings")).expect(200).body["held"].clone();
        let listed = |judged: &str| {
            let inspected = if judged.is_empty() { "" } else { "01/11/2018" };
            send(&lead, RATINGS, &release(&urn, inspected, judged, "Fens Care")).expect(201).state("applied");
            held()
        };
        assert_eq!([listed("Good"), listed("Inadequate"), listed("Good")], ["good", "inadequate", "good"]);
        let corrected = json!({
            "rating": "requires_improvement", "inspectedOn": "2018-11-01", "publishedOn": "2018-12-01",
            "source": "the report", "reason": "the list has a slip",
        });
        lead.post(&format!("/v1/homes/{home}/ratings"), corrected).expect(200);
        assert_eq!([listed("Good"), listed("Inadequate")], ["requires_improvement", "inadequate"]);
        assert_eq!(listed(""), Value::Null, "blank: it has none");
        assert_eq!(listed("Good"), "good");
    }

    fn a_release_tells_an_owner_that_is_another_and_moves_nothing(app: &TestApp) {
        app.at("2019-03-01T00:00:00Z");
        let (fens, lead) = (Applicant::new(app, "Fens Care"), app.lead("LGSS"));
        let home = fens.home("PE29 1AA", None);
        let urn = urn_of(&fens.provider, &home);
        let listed = |owner: &str| {
            send(&lead, RATINGS, &release(&urn, "01/11/2018", "Good", owner)).expect(201).state("applied");
            feed(&lead, "&kind=HomeOwnerChanged").into_iter().map(|event| event["data"]["reading"].clone()).collect::<Vec<_>>()
        };
        assert!(listed("Fens Care").is_empty() && listed("FENS  CARE").is_empty());
        fens.provider.patch(&format!("/v1/providers/{}", fens.id), json!({"legalName": "Fenland Care"})).expect(200);
        assert_eq!(listed("Fenland Care"), ["rename"]);
        assert_eq!(listed("Wash Homes Ltd"), ["rename", "unclear"]);
        assert_eq!(lead.get(&format!("/v1/homes/{home}")).expect(200).body["provider"], fens.id.as_str());
    }

    fn what_a_provider_states_of_its_papers_is_confirmed_by_an_officer(app: &TestApp) {
        let insured = with(decided_by(json!({"kind": "insurance", "minimum": 500_000_000})), json!({
            "evidence": [{"code": "policy", "title": "The policy", "mandatory": true}],
        }));
        let managed = decided_by(json!({"kind": "registered_manager"}));
        let clean = decided_by(json!({"kind": "no_exclusion"}));
        let asked = [("insurance", insured), ("manager", managed), ("exclusion", clean)];
        let market = Market::asking(app, json!({"admissionMode": "rolling"}), &asked);
        let fens = Applicant::new(app, "Fens Care");
        let profile = json!({"name": "The Limes", "kind": "childrens_home", "registeredManager": {"post": "filled"}});
        let home = json!({"profile": profile, "registration": {"urn": "SC424242", "registeredOn": "2010-04-01"}});
        fens.provider.post(&format!("/v1/providers/{}/homes", fens.id), home).expect(201);
        let application = fens.ready(&market, &["CARE"]);
        application.attach(&market, "insurance", "policy", json!({"amount": 500_000_000, "expiresOn": "2019-12-31"})).expect(200);
        application.declare(json!([])).expect(200);
        application.submit().expect(201);
        let state = |code: &str| application.check(&market, code)["state"].clone();
        assert_eq!([state("insurance"), state("manager"), state("exclusion")], ["open", "open", "passed"]);
        let declared = application.check(&market, "exclusion")["result"]["findings"][0].clone();
        assert_eq!(declared["statedBy"], "provider", "nobody else can say that there is none");
        application.pass(&market);
        for code in ["insurance", "manager"] {
            let result = application.check(&market, code)["result"].clone();
            assert_eq!((&result["findings"][0]["statedBy"], &result["method"]), (&json!("officer"), &json!("manual")), "{result:#}");
        }
        application.admit(&market, "CARE");
    }

    fn in_house_is_what_an_officer_confirmed(app: &TestApp) {
        let market = Market::rolling(app);
        let fens = Applicant::new(app, "Fens Care");
        fens.submitted(&market, &["FOSTERING"]);
        let path = format!("/v1/providers/{}", fens.id);
        let amended = fens.provider.patch(&path, json!({"legalName": "Fens Care", "inHouse": true})).expect(200).body;
        assert!(amended["profile"]["inHouse"] == true && amended["inHouse"].is_null(), "{amended:#}");
        let confirm = format!("{path}/confirm-in-house");
        let yes = json!({"inHouse": true, "reason": "the county runs it"});
        fens.provider.post(&confirm, yes.clone()).problem("forbidden", 403);
        app.commissioner("BRAD").post(&confirm, yes.clone()).problem("forbidden", 403);
        let confirmed = app.commissioner("CCC").post(&confirm, yes).expect(200).body;
        assert_eq!((&confirmed["inHouse"]["inHouse"], &confirmed["inHouse"]["by"]), (&json!(true), &json!("commissioner-CCC")));
    }

    fn placeholders_are_no_identifiers_wherever_they_come_from(app: &TestApp) {
        let (fens, lead) = (Applicant::new(app, "Fens Care"), app.lead("LGSS"));
        let portal = app.portal("procontract");
        for text in ["TBC", "N/A", "-", "0", "XXXXXXX", "00000000", "REDACTED", "awaiting", "?"] {
            let profile = json!({"name": "Elm House", "kind": "childrens_home"});
            let home = json!({"profile": profile, "registration": {"urn": text, "registeredOn": "2015-04-01"}});
            fens.provider.post(&format!("/v1/providers/{}/homes", fens.id), home).expect(422)
                .blames("regulator_id_malformed", "/registration/urn");
            let numbers = json!({"legalName": "Fens Care", "companyNumber": text, "agencyUrn": text});
            fens.provider.patch(&format!("/v1/providers/{}", fens.id), numbers).expect(422)
                .blames("regulator_id_malformed", "/companyNumber").blames("regulator_id_malformed", "/agencyUrn");
            let sought: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            for filter in ["/v1/homes?urn=", "/v1/providers?agencyUrn=", "/v1/providers?companyNumber="] {
                lead.get(&format!("{filter}{sought}")).problem("regulator_id_malformed", 422);
            }
            let file = format!("urn,registeredOn,name,kind\n{text},2015-04-01,Elm House,childrens_home\n");
            let id = send(&fens.provider, HOMES, &file).expect(201).state("rejected").id();
            assert_eq!(problems(&fens.provider, &id), [(json!("urn"), json!("regulator_id_malformed"))], "{text}");
            let file = format!("portal,reference,legalName,companyNumber,agencyUrn\nprocontract,S-1,Fens,{text},{text}\n");
            let id = send(&portal, "/v1/uploads/providers", &file).expect(201).state("rejected").id();
            let found = problems(&portal, &id);
            assert!(found.len() == 2 && found.iter().all(|(_, code)| code == "regulator_id_malformed"), "{text} {found:?}");
            if text != "?" {
                let reference = json!({"portal": "procontract", "reference": text});
                fens.provider.post(&format!("/v1/providers/{}/external-references", fens.id), reference)
                    .expect(422).blames("external_ref_blank", "/reference");
            }
        }
        assert_eq!(lead.all(&format!("/v1/providers/{}/homes", fens.id)), Vec::<Value>::new());
    }

    fn a_name_is_kept_tidy_and_found_however_it_is_written(app: &TestApp) {
        let fens = Applicant::new(app, " Cafe\u{301}\u{a0}House\u{200b}  Ltd ");
        let path = format!("/v1/providers/{}", fens.id);
        assert_eq!(fens.provider.get(&path).expect(200).body["profile"]["legalName"], "Café House Ltd");
        let same = fens.provider.patch(&path, json!({"legalName": "Café  House Ltd"})).expect(200);
        assert_eq!(same.body["version"], 1, "it says the same");
        // Every text of a body is kept composed, escaped or not.
        let id = arrangement(&app.lead("LGSS"), with(cambridgeshire(), json!({"title": "Cafe\u{301} placements"})));
        assert_eq!(app.lead("LGSS").get(&format!("/v1/arrangements/{id}")).expect(200).body["title"], "Café placements");
        // One home in two Unicode forms, among those that have no number.
        let twice = "name,kind\nCaf\u{e9} House,childrens_home\nCafe\u{301} House,childrens_home\n";
        let id = send(&fens.provider, HOMES, twice).expect(201).state("rejected").id();
        assert_eq!(problems(&fens.provider, &id), [(json!("name"), json!("duplicate_row"))]);
        send(&fens.provider, HOMES, "name,kind\nCaf\u{e9} House,childrens_home\n").expect(201).state("applied");
        let again = send(&fens.provider, HOMES, "name,kind\nCAFE\u{301}  HOUSE,childrens_home\n").expect(201).state("applied");
        assert_eq!((&again.body["counts"]["added"], &again.body["counts"]["changed"]), (&json!(0), &json!(1)));
    }

    fn an_authority_is_the_same_however_a_body_spells_it(app: &TestApp) {
        let boundary = json!({
            "mode": "postcode_areas", "postcodeAreas": [],
            "localAuthorities": ["Southend-on-Sea", "Bournemouth, Christchurch and Poole"],
        });
        let inside = decided_by(json!({"kind": "home_inside_boundary"}));
        let policies = json!({"admissionMode": "rolling", "locationBoundary": boundary});
        let market = Market::asking(app, policies, &[("inside", inside)]);
        let check = |name: &str, authority: &str| {
            let applicant = Applicant::new(app, name);
            let home = applicant.home("SS1 1AA", None);
            let profile = json!({"name": "Elm", "kind": "childrens_home", "localAuthority": authority});
            applicant.provider.patch(&format!("/v1/homes/{home}"), profile).expect(200);
            let application = applicant.submitted(&market, &["CARE"]);
            application.check(&market, "inside")["state"].clone()
        };
        assert_eq!(check("Ash", "Southend on Sea"), "passed");
        assert_eq!(check("Birch", "BOURNEMOUTH, CHRISTCHURCH & POOLE"), "passed");
        assert_eq!(check("Cedar", "Oldham"), "failed");
        // A near miss is looked at by a person.
        assert_eq!(check("Dogwood", "Southend-on-See"), "open");
    }

    fn an_authority_that_is_not_known_is_refused_when_it_is_stated(app: &TestApp) {
        let lead = app.lead("LGSS");
        let policies = |authority: &str| json!({"locationBoundary": {
            "mode": "postcode_areas", "postcodeAreas": ["HD"], "localAuthorities": ["Kirklees", authority],
        }});
        let new = with(cambridgeshire(), json!({"policies": policies("Southend-on-See")}));
        lead.post("/v1/arrangements", new).expect(422)
            .blames("authority_unknown", "/policies/locationBoundary/localAuthorities/1");
        let id = arrangement(&lead, with(cambridgeshire(), json!({"policies": policies("Bristol, City of")})));
        lead.put(&format!("/v1/arrangements/{id}/policies"), policies("Atlantis")).expect(422)
            .blames("authority_unknown", "/locationBoundary/localAuthorities/1");
    }

    fn the_record_keeps_values_before_and_after(app: &TestApp) {
        let fens = Applicant::new(app, "Old Ltd");
        let path = format!("/v1/providers/{}", fens.id);
        let amended = json!({"legalName": "New Ltd", "companyNumber": "1234567", "email": "office@example.org"});
        fens.provider.patch(&path, amended).expect(200);
        let told = |kind: &str| feed(&app.script(), &format!("&kind={kind}"))[0]["data"].clone();
        let change = told("ProviderAmended");
        assert_eq!(change["changed"], json!(["companyNumber", "email", "legalName"]));
        assert_eq!(change["before"], json!({"companyNumber": null, "legalName": "Old Ltd"}), "contact details stay out");
        assert_eq!(change["after"], json!({"companyNumber": "01234567", "legalName": "New Ltd"}));
        let at = |instant: &str| fens.provider.get(&format!("{path}/profile?asOf={instant}"));
        let then = at("2016-01-01T00:00:00Z").expect(200).body["profile"].clone();
        assert_eq!(then["legalName"], "New Ltd", "both at one instant: the last counts");
        at("2015-12-31T23:59:59Z").problem("not_found", 404);
        app.at("2016-02-01T00:00:00Z");
        fens.provider.patch(&path, json!({"legalName": "Newer Ltd", "email": "other@example.org"})).expect(200);
        app.at("2016-03-01T00:00:00Z");
        fens.provider.post(&format!("{path}/correct"), json!({"companyNumber": "7654321", "reason": "mistyped"})).expect(200);
        let named = |instant: &str| at(instant).expect(200).body["profile"].clone();
        let then = named("2016-01-31T00:00:00Z");
        assert_eq!((&then["legalName"], &then["companyNumber"]), (&json!("New Ltd"), &json!("01234567")));
        assert!(then.get("email").is_none(), "{then}");
        let then = named("2016-02-15T00:00:00Z");
        assert_eq!((&then["legalName"], &then["email"]), (&json!("Newer Ltd"), &json!("other@example.org")));
        assert_eq!(then["companyNumber"], Value::Null, "the profile left it out, and the correction came later");
        let home = fens.home("PE29 1AA", None);
        fens.provider.patch(&format!("/v1/homes/{home}"), json!({"name": "The Limes", "kind": "childrens_home"})).expect(200);
        let then = fens.provider.get(&format!("/v1/homes/{home}/profile?asOf=2016-02-28T00:00:00Z"));
        then.problem("not_found", 404);
        assert_eq!(fens.provider.get(&format!("/v1/homes/{home}/profile")).expect(200).body["profile"]["name"], "The Limes");
        let change = told("HomeAmended");
        assert_eq!((&change["before"]["beds"], &change["after"]["beds"]), (&json!(4), &Value::Null));
        let lead = app.lead("LGSS");
        let id = arrangement(&lead, cambridgeshire());
        let policies = format!("/v1/arrangements/{id}/policies");
        lead.put(&policies, json!({"suspensionMonths": 3})).expect(200);
        let change = feed(&lead, "&kind=PoliciesSet")[0]["data"].clone();
        assert_eq!((&change["before"]["suspensionMonths"], &change["after"]["suspensionMonths"]), (&json!(6), &json!(3)));
        let same = lead.put(&policies, json!({"suspensionMonths": 3})).expect(200);
        assert_eq!((same.body["version"].clone(), feed(&lead, "&kind=PoliciesSet").len()), (json!(2), 1), "what is as it was is no change");
    }
}

//! Providers, their homes and ratings (A20).

use serde_json::{Value, json};

use crate::app::TestApp;
use crate::applicants::Applicant;
use crate::market::{LIVE, Market};

on_both! {
    fn a_provider_keeps_its_profile_and_others_do_not_see_it(app: &TestApp) {
        let fens = Applicant::new(app, "Fens Care");
        let path = format!("/v1/providers/{}", fens.id);
        assert_eq!(fens.provider.get(&path).expect(200).body["profile"]["legalName"], "Fens Care");
        let amended = fens.provider.patch(&path, json!({"legalName": "Fens Care Ltd", "companyNumber": "1234567"})).expect(200);
        assert_eq!(amended.body["profile"]["companyNumber"], "01234567");
        let known = json!({"portal": "procontract", "reference": "S-1"});
        fens.provider.post(&format!("{path}/external-references"), known).expect(200);
        let wash = Applicant::new(app, "Wash Homes");
        wash.provider.get(&path).expect(404);
        wash.provider.patch(&format!("/v1/providers/{}", wash.id), json!({"legalName": "Wash", "companyNumber": "01234567"}))
            .problem("company_number_taken", 409);
        app.commissioner("CCC").get(&path).expect(200);
    }

    fn a_home_opens_is_rated_and_closes_and_its_history_stays(app: &TestApp) {
        let fens = Applicant::new(app, "Fens Care");
        let homes = format!("/v1/providers/{}/homes", fens.id);
        let profile = json!({"name": "The Limes", "kind": "childrens_home", "postcode": "PE29 1AA", "beds": 3});
        let home = fens.provider.post(&homes, json!({"profile": profile, "expectedOn": "2016-06-01"})).expect(201);
        let id = home.state("proposed").id();
        let path = format!("/v1/homes/{id}");
        let registration = json!({"urn": "SC424242", "registeredOn": "2015-12-01"});
        fens.provider.post(&format!("{path}/register"), registration.clone()).expect(200).state("registered");
        let found = app.lead("LGSS").get("/v1/homes?urn=sc424242").expect(200).body;
        assert_eq!(found["items"][0]["id"], id);
        let other = json!({"profile": profile, "registration": registration});
        Applicant::new(app, "Wash Homes").provider.get(&path).expect(404);
        fens.provider.post(&homes, other).problem("urn_taken", 409);

        fens.rate(&id, "good", "2015-12-10").expect(200);
        fens.rate(&id, "inadequate", "2015-12-20").expect(200);
        let held = |on: &str| fens.provider.get(&format!("{path}/ratings?on={on}")).expect(200).body["held"].clone();
        assert_eq!([held("2015-12-09"), held("2015-12-10"), held("2015-12-20")], [Value::Null, json!("good"), json!("inadequate")]);

        fens.provider.patch(&path, json!({"name": "The Limes", "kind": "childrens_home", "beds": 4})).expect(200);
        assert_eq!(fens.provider.get(&path).expect(200).body["profile"]["beds"], 4);
        let closed = json!({"closedOn": "2015-12-31", "reason": "sold"});
        fens.provider.post(&format!("{path}/close"), closed).expect(200).state("closed");
        assert_eq!(held("2015-12-10"), "good");
        assert_eq!(fens.provider.all(&format!("{homes}?state=closed")).len(), 1);
    }

    fn a_portal_sends_the_same_provider_again_and_again(app: &TestApp) {
        let portal = app.portal("portal-1");
        let path = "/v1/providers/by-reference/procontract/S-7";
        let send = |name: &str| portal.request("PUT", path).json(json!({"legalName": name})).send();
        let made = send("Ouse Care").expect(201).id();
        assert_eq!(send("Ouse Care").expect(200).body["version"], 1);
        let amended = send("Ouse Care Ltd").expect(200);
        assert_eq!((amended.id(), &amended.body["version"]), (made, &json!(2)));
        app.portal("portal-2").request("PUT", path).json(json!({"legalName": "Mine"})).send().problem("external_ref_in_use", 409);
    }

    fn a_draft_copies_answers_offers_homes_and_drops_documents(app: &TestApp) {
        let mut market = Market::draft(app, json!({"policies": {"admissionMode": "rolling"}}));
        let insured = json!({
            "title": "Insured", "test": {"kind": "evidence_in_date"}, "gate": "membership", "mandatory": true,
            "selfAssessable": false, "evidence": [{"code": "policy", "title": "The policy", "mandatory": true}],
        });
        market.require("papers", insured);
        market.define("PAPERS", "other");
        app.at("2019-01-03T09:00:00Z");
        market.publish();
        app.at(LIVE);
        let fens = Applicant::new(app, "Fens Care");
        let home = fens.home("PE29 1AA", Some("good"));
        let first = fens.ready(&market, &["PAPERS"]);
        let document = json!({"expiresOn": "2020-01-01", "document": {"name": "policy.pdf", "uri": "https://example.org/policy.pdf"}});
        first.attach(&market, "papers", "policy", document).expect(200);
        fens.provider.put(&first.path("/homes"), json!({"homes": [home]})).expect(200);
        first.submit().expect(201);
        fens.provider.post(&first.path("/withdraw"), Value::Null).expect(200).state("withdrawn");

        let second = fens.ready(&market, &["PAPERS"]);
        let copied = fens.provider.post(&second.path("/copy-answers"), json!({"from": first.id})).expect(200);
        let requirement = market.requirement("papers");
        assert_eq!(copied.body["draft"]["answers"][requirement]["evidence"][0]["code"], "policy");
        let path = second.path(&format!("/documents/{requirement}/policy"));
        let etag = copied.etag();
        fens.provider.request("DELETE", &path).if_match(&etag).send().expect(200);
        second.submit().problem("evidence_missing", 422);
    }
}

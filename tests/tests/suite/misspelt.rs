//! What is misspelt is refused with what there is, bounds that are swapped are refused, and what changes nothing stores nothing.

use domain::kernel::{Reach, Role};
use serde_json::{Value, json};

use crate::actor::{Actor, Reply};
use crate::app::TestApp;
use crate::applicants::Applicant;
use crate::contract::permission;
use crate::documented::OPERATIONS;
use crate::market::{LIVE, Market, manual, with};
use crate::members::{Member, count, rolling};

/// An id that nothing has.
const NOBODY: &str = "0190a000-0000-7000-8000-00000000dead";

/// Sends the same twice: the first changes what the path is under, the second stores nothing.
#[track_caller]
fn twice(actor: &Actor<'_>, method: &'static str, path: &str, body: &Value) {
    let root = path.split('/').take(4).collect::<Vec<_>>().join("/");
    let seen = || actor.get(&root).expect(200).etag();
    let send = || {
        let reply = actor.request(method, path).json(body.clone()).matching().send();
        assert!((200..300).contains(&reply.status), "{reply}");
        seen()
    };
    let (before, first, again) = (seen(), send(), send());
    assert!(before != first && first == again, "{method} {path}: {before}, {first}, {again}");
}

on_both! {
    fn a_word_that_a_list_does_not_know_is_refused_with_those_it_knows(app: &TestApp) {
        let mut looked_at = 0;
        for operation in OPERATIONS.iter().filter(|operation| operation.method == "GET") {
            let parameters = operation.documented["parameters"].as_array().into_iter().flatten();
            for parameter in parameters.filter(|parameter| parameter["in"] == "query") {
                let name = parameter["name"].as_str().unwrap();
                let schema = crate::documented::target(parameter_schema(operation.id.as_str(), name));
                let known = schema["enum"].as_array();
                assert!(known.is_some() || !["state", "kind"].contains(&name), "{} takes any {name}", operation.id);
                let Some(known) = known else { continue };
                let role = Role::ALL.into_iter().skip(1).find(|role| permission(operation).reach(*role) != Reach::None);
                // What is read first is refused first.
                let needed = operation.needed_query(NOBODY).replace('?', "&");
                let needed = if needed.contains(&format!("&{name}=")) { String::new() } else { needed };
                let path = operation.filled(NOBODY).replace(&format!("templates/{NOBODY}"), "templates/homes");
                let path = format!("{path}?{name}=NoSuchThing{needed}");
                let refused = app.of_role(role.unwrap()).get(&path).problem("unreadable", 400);
                let told = refused.body["detail"].as_str().unwrap();
                assert!(known.iter().all(|word| told.contains(word.as_str().unwrap())), "{path}: {told}");
                looked_at += 1;
            }
        }
        assert!(looked_at >= 12, "{looked_at} parameters with known words");
    }

    fn a_subscription_to_events_that_do_not_exist_is_refused(app: &TestApp) {
        let lead = app.lead("LGSS");
        let order = |kinds: Value| json!({"url": "https://192.0.2.1/hook", "filters": {"kinds": kinds}});
        let refused = |reply: Reply, field: &str| {
            let told = reply.blames("webhook_filter_unusable", field).body.to_string();
            assert!(told.contains("SuspensionLapsed") && told.contains("RatingChanged"), "{told}");
        };
        let sent: Value = serde_json::from_slice(&crate::uploads::case("webhook_unknown_kind.json")).unwrap();
        refused(lead.post("/v1/webhooks?dryRun=true", order(sent["filters"]["kinds"].clone())), "/filters/kinds/0");
        refused(lead.post("/v1/webhooks?dryRun=true", order(json!(["Suspended", "NoSuchEvent"]))), "/filters/kinds/1");
        refused(lead.post("/v1/webhooks?dryRun=true", order(json!(["suspended"]))), "/filters/kinds/0");
        let receiver = crate::receiver::Receiver::new();
        let made = lead.post("/v1/webhooks", json!({"url": receiver.url(), "filters": {"kinds": ["Suspended"]}})).expect(201);
        let path = format!("/v1/webhooks/{}", made.id());
        refused(lead.patch(&path, json!({"filters": {"kinds": ["Suspend"]}})), "/filters/kinds/0");
        assert_eq!(lead.get(&path).expect(200).body["filters"]["kinds"], json!(["Suspended"]));
    }

    fn bounds_that_are_swapped_are_refused(app: &TestApp) {
        let market = Market::published(app);
        let (early, late) = ("2019-01-01T00:00:00Z", "2019-02-01T00:00:00Z");
        let audit = |from: &str, until: &str| market.lead.get(&format!("/v1/audit?from={from}&until={until}"));
        audit(early, late).expect(200);
        audit(early, early).expect(200);
        audit(late, early).blames("bounds_reversed", "/until");
        let report = |before: &str, after: &str| {
            market.lead.get(&format!("/v1/reports/r-02?arrangement={}&before={before}{after}", market.id))
        };
        report(early, &format!("&after={late}")).expect(200);
        report(late, &format!("&after={early}")).blames("bounds_reversed", "/before");
        // As yet there is nothing after tomorrow.
        report("2030-01-01T00:00:00Z", "").blames("bounds_reversed", "/before");
    }

    fn what_changes_nothing_stores_nothing(app: &TestApp) {
        let market = Market::draft(app, json!({}));
        let lead = &market.lead;
        twice(lead, "PATCH", &market.path(""), &with(crate::market::particulars(), json!({"title": "Homes for children"})));
        twice(lead, "PUT", &market.path("/policies"), &json!({"firstRoundDays": 40}));
        let link = json!({"system": "procontract", "reference": "DN1"});
        twice(lead, "POST", &market.path("/external-references"), &link);
        let lot = format!("/v1/lots/{}", market.lot("TUITION"));
        twice(lead, "PATCH", &lot, &json!({"code": "TUITION", "title": "Tuition at home", "serviceType": "tuition"}));
        let aliases = json!([{"authority": "CCC", "code": "T", "label": "Lessons"}]);
        twice(lead, "PUT", &format!("{lot}/aliases"), &aliases);
        twice(lead, "PUT", &format!("{lot}/access"), &json!([{"authority": "PCC", "right": "reserved"}]));
        let fens = Applicant::new(app, "Fens Care");
        let home = format!("/v1/homes/{}", fens.home("PE29 1AA", None));
        let profile = json!({"name": "The Elms", "kind": "childrens_home", "beds": 3});
        twice(&fens.provider, "PATCH", &home, &profile);
        twice(&fens.provider, "PATCH", &format!("/v1/providers/{}", fens.id), &json!({"legalName": "Fens Care Holdings Ltd"}));
        let script = app.script();
        let receiver = crate::receiver::Receiver::new();
        let made = script.post("/v1/webhooks", json!({"url": receiver.url()})).expect(201);
        twice(&script, "PATCH", &format!("/v1/webhooks/{}", made.id()), &json!({"description": "All of it"}));
    }

    fn a_draft_is_saved_where_something_is_changed(app: &TestApp) {
        let mut market = Market::draft(app, json!({"policies": {"admissionMode": "rolling"}}));
        let papers = with(manual("Insured"), json!({
            "selfAssessable": true, "questions": [{"code": "insured", "text": "Insured?", "answer": {"type": "yes_no"}, "mandatory": true}],
            "evidence": [{"code": "policy", "title": "The policy", "mandatory": true}],
        }));
        market.require("papers", papers);
        market.define("PAPERS", "childrens_home");
        app.at("2019-01-03T09:00:00Z");
        market.publish();
        app.at(LIVE);
        let fens = Applicant::new(app, "Fens Care");
        let application = fens.start(&market, &["PAPERS"]);
        let home = fens.home("PE29 1AA", None);
        let answers = format!("/answers/{}", market.requirement("papers"));
        let (provider, lots) = (&fens.provider, json!({"lots": [market.lot("PAPERS"), market.lot("TUITION")]}));
        twice(provider, "PUT", &application.path("/lots"), &lots);
        twice(provider, "PUT", &application.path(&answers), &json!({"values": {"insured": true}, "selfAssessment": true}));
        let document = json!({
            "requirement": market.requirement("papers"), "code": "policy",
            "document": {"name": "policy.pdf", "uri": "https://example.org/policy"},
        });
        twice(provider, "POST", &application.path("/documents"), &document);
        twice(provider, "PUT", &application.path("/homes"), &json!({"homes": [home]}));
        twice(provider, "PUT", &application.path("/exclusions"), &json!({"grounds": []}));
        twice(provider, "PUT", &application.path("/terms"), &json!({"version": "2019-01"}));
    }

    fn exclusions_that_are_recorded_are_not_recorded_again(app: &TestApp) {
        let market = rolling(app, json!({}));
        let member = Member::new(&market, "Fens Care");
        let (lead, provider) = (&market.lead, format!("/v1/providers/{}", member.of.id));
        let excluded = json!({"ground": "bribery", "from": "2015-01-01", "evidence": ["judgment"]});
        twice(lead, "POST", &format!("{provider}/exclusions"), &excluded);
        let misspelt = json!({"ground": "bribary", "from": "2015-01-01", "evidence": ["judgment"]});
        lead.post(&format!("{provider}/exclusions"), misspelt).blames("unknown_exclusion_ground", "/ground");
        let cleaned = json!({"accepted": false, "reason": "nothing was shown", "evidence": []});
        twice(lead, "POST", &format!("{provider}/exclusions/0/self-cleaning"), &cleaned);
    }

    fn interests_that_are_declared_are_not_declared_again(app: &TestApp) {
        let market = rolling(app, json!({}));
        let member = Member::new(&market, "Fens Care");
        let declared = json!({"interests": [{"provider": member.of.id, "nature": "a cousin works there"}]});
        let path = market.path("/declaration-of-interests");
        let declare = |body: &Value| market.lead.request("PUT", &path).json(body.clone()).if_match("*").send().expect(200);
        declare(&declared);
        let before = count(app, "InterestsDeclared");
        declare(&declared);
        assert_eq!(count(app, "InterestsDeclared"), before);
        declare(&json!({"interests": []}));
        assert_eq!(count(app, "InterestsDeclared"), before + 1);
    }
}

/// The schema of a parameter in the document.
fn parameter_schema(operation: &str, name: &str) -> &'static Value {
    let found = OPERATIONS.iter().find(|known| known.id == operation).unwrap();
    let parameters = found.documented["parameters"].as_array().unwrap();
    &parameters.iter().find(|parameter| parameter["name"] == name).unwrap()["schema"]
}

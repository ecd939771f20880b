//! The export as OCDS 1.1, each package checked against the published schema with its extensions.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use jsonschema::{Draft, Registry, Validator};
use serde_json::{Value, json};

use crate::actor::Actor;
use crate::app::TestApp;
use crate::market::Market;
use crate::members::{Member, rolling};

/// A file of the standard.
macro_rules! standard {
    ($file:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!("../../ocds/", $file))).unwrap()
    };
}

/// Extends a schema by an extension: a JSON merge patch (RFC 7396) without removals.
fn extend(schema: &mut Value, patch: Value) {
    match (schema, patch) {
        (Value::Object(schema), Value::Object(patch)) => {
            for (name, value) in patch {
                extend(schema.entry(name).or_insert(Value::Null), value);
            }
        }
        (schema, patch) => *schema = patch,
    }
}

/// A package's validator: the standard with the extensions that the export declares. Only named fields are known.
fn validator(mut package: Value) -> Validator {
    let mut release = standard!("release-schema.json");
    extend(&mut release, standard!("extensions/lots.json"));
    extend(&mut release, standard!("extensions/techniques.json"));
    let required = package["required"].clone();
    extend(&mut package, standard!("extensions/pagination.json"));
    package["required"] = required;
    close(&mut release);
    close(&mut package);
    let at = |name: &str| format!("https://standard.open-contracting.org/schema/1__1__5/{name}");
    let registry = Registry::new()
        .add(at("release-schema.json"), Draft::Draft4.create_resource(release))
        .unwrap()
        .add(
            at("versioned-release-validation-schema.json"),
            Draft::Draft4.create_resource(standard!("versioned-release-validation-schema.json")),
        )
        .unwrap()
        .prepare()
        .unwrap();
    let options = jsonschema::options().with_draft(Draft::Draft4).should_validate_formats(true);
    options.with_registry(&registry).build(&package).unwrap()
}

/// Refuses fields that a schema does not name.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.get("properties").is_some_and(Value::is_object) {
                members.entry("additionalProperties").or_insert(json!(false));
            }
            members.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

static RELEASES: LazyLock<Validator> = LazyLock::new(|| validator(standard!("release-package-schema.json")));
static RECORDS: LazyLock<Validator> = LazyLock::new(|| validator(standard!("record-package-schema.json")));

/// Reads a package and checks it.
#[track_caller]
fn package(by: &Actor<'_>, path: &str) -> Value {
    let body = by.get(path).expect(200).body;
    let validator = if body["records"].is_array() { &*RECORDS } else { &*RELEASES };
    let wrong: Vec<String> = validator.iter_errors(&body).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(wrong.is_empty(), "{path} is no OCDS:\n{}\n{body:#}", wrong.join("\n"));
    keep(&body);
    body
}

/// Keeps a package for checking it with other tools: `tmp/ocds` in the build directory.
fn keep(package: &Value) {
    static KEPT: AtomicUsize = AtomicUsize::new(0);
    let folder = concat!(env!("CARGO_TARGET_TMPDIR"), "/ocds");
    std::fs::create_dir_all(folder).unwrap();
    let number = KEPT.fetch_add(1, Ordering::Relaxed);
    std::fs::write(format!("{folder}/{number}.json"), package.to_string()).unwrap();
}

/// Reads every package of a list, following `links.next`; its releases or records.
#[track_caller]
fn all(by: &Actor<'_>, path: &str, of: &str) -> Vec<Value> {
    let (mut found, mut path) = (Vec::new(), path.to_owned());
    loop {
        let page = package(by, &path);
        found.extend(page[of].as_array().unwrap().iter().cloned());
        match page["links"]["next"].as_str() {
            Some(next) => next.strip_prefix(&by.app.address).unwrap().clone_into(&mut path),
            None => return found,
        }
    }
}

/// The tag and the date of each release.
fn tags(releases: &[Value]) -> Vec<&str> {
    releases.iter().map(|release| release["tag"][0].as_str().unwrap()).collect()
}

fn ocid(market: &Market<'_>) -> String {
    format!("ocds-dps000-{}", market.id)
}

#[track_caller]
fn record(by: &Actor<'_>, market: &Market<'_>) -> Value {
    let mut package = package(by, &format!("/v1/ocds/records/{}", ocid(market)));
    package["records"][0].take()
}

on_both! {
    fn a_published_market_is_one_contracting_process(app: &TestApp) {
        let public = app.anonymous();
        public.get("/v1/ocds/records").problem("not_found", 404);
        public.get("/v1/ocds/releases").problem("not_found", 404);
        let changes = json!({"estimatedValue": 1_326_442_250, "cpv": ["85311300-5", "80000000"], "documents": [
            {"title": "Guide", "uri": "https://example.org/guide"},
        ]});
        let market = Market::draft(app, changes);
        public.get(&format!("/v1/ocds/records/{}", ocid(&market))).problem("not_found", 404);
        app.at("2019-01-03T09:00:00Z");
        market.publish();

        let releases = all(&public, "/v1/ocds/releases", "releases");
        assert_eq!(tags(&releases), ["tender"], "one command is one release");
        let release = &releases[0];
        assert_eq!(release["ocid"], ocid(&market));
        assert_eq!(release["date"], "2019-01-03T09:00:00.000000Z");
        let roles = |code: &str| release["parties"].as_array().unwrap().iter().find(|p| p["id"] == code).unwrap()["roles"].clone();
        assert_eq!((roles("LGSS"), roles("CCC"), roles("PCC")), (json!(["procuringEntity"]), json!(["buyer"]), json!(["buyer"])));
        assert_eq!(release["buyer"], Value::Null, "there are two");
        let tender = &release["tender"];
        assert_eq!((&tender["id"], &tender["title"]), (&json!("DN119642"), &json!("Children's external placements")));
        assert_eq!((&tender["status"], &tender["procurementMethod"]), (&json!("active"), &json!("open")));
        assert_eq!(tender["value"], json!({"amount": 13_264_422.5, "currency": "GBP"}));
        let (first, second) = (json!({"scheme": "CPV", "id": "85311300"}), json!({"scheme": "CPV", "id": "80000000"}));
        assert_eq!(tender["items"], json!([{"id": "1", "classification": first, "additionalClassifications": [second]}]));
        let period = json!({"startDate": "2019-01-04T00:00:00Z", "endDate": "2029-03-31T23:00:00Z"});
        assert_eq!(tender["tenderPeriod"], period);
        let term = json!({"startDate": "2019-03-31T23:00:00Z", "endDate": "2029-03-31T22:59:59Z"});
        assert_eq!(tender["contractPeriod"], term);
        let lots: Vec<&str> = tender["lots"].as_array().unwrap().iter().map(|lot| lot["id"].as_str().unwrap()).collect();
        assert_eq!(lots, market.lots.iter().map(|(_, id)| id.as_str()).collect::<Vec<_>>());
        assert_eq!(tender["lots"][0]["title"], "FOSTERING - FOSTERING placements");
        let documents: Vec<&Value> = tender["documents"].as_array().unwrap().iter().map(|d| &d["documentType"]).collect();
        assert_eq!(documents, [&json!("technicalSpecifications"), &json!("biddingDocuments"), &Value::Null]);
        assert_eq!(tender["milestones"][0]["dueDate"], "2019-02-03T00:00:00Z");
        assert_eq!(tender["techniques"], json!({
            "hasFrameworkAgreement": false, "hasDynamicPurchasingSystem": true,
            "dynamicPurchasingSystem": {"type": "closed", "status": "pending"},
        }));
        assert!(!release.to_string().contains("Procurement team"), "a contact may be a person, and a release stays");

        let one = package(&public, &format!("/v1/ocds/releases/{}", release["id"].as_str().unwrap()));
        assert_eq!(one["releases"], json!([release]));
        let record = record(&public, &market);
        let url = record["releases"][0]["url"].as_str().unwrap();
        let (address, id) = url.strip_prefix(&app.address).unwrap().split_once('#').unwrap();
        assert_eq!((&package(&public, address)["releases"][0], &json!(id)), (release, &release["id"]));
        assert_eq!(record["compiledRelease"]["tag"], json!(["compiled"]));
        assert_eq!(record["compiledRelease"]["tender"], *tender);
    }

    fn each_public_event_is_told_once_and_never_changes(app: &TestApp) {
        let market = Market::published(app);
        let (lead, public) = (&market.lead, app.anonymous());
        let mut before = all(&public, "/v1/ocds/releases", "releases");
        let step = |what: &str, before: &mut Vec<Value>| {
            let after = all(&public, "/v1/ocds/releases?limit=1", "releases");
            assert_eq!(after[..before.len()], before[..], "{what}: what was told stays");
            let new = after[before.len()..].to_vec();
            *before = after;
            new
        };
        let because = |reason: &str| json!({"reason": reason});

        let changes = json!({"changes": {"description": "More of it"}, "reason": "demand grew"});
        lead.post(&market.path("/modify"), changes).expect(200);
        let modified = step("modify", &mut before);
        assert_eq!(tags(&modified), ["tenderAmendment"]);
        let amendment = &modified[0]["tender"]["amendments"][0];
        assert_eq!((&amendment["rationale"], &amendment["description"]), (&json!("demand grew"), &json!("Changed: description")));
        assert_eq!((&amendment["amendsReleaseID"], &amendment["releaseID"]), (&before[0]["id"], &modified[0]["id"]));
        assert_eq!(modified[0]["tender"]["description"], "More of it");
        assert_ne!(before[0]["tender"]["description"], "More of it");

        let tuition = market.lot("TUITION");
        lead.post(&format!("/v1/lots/{tuition}/pause"), because("enough")).expect(200);
        let paused = step("pause", &mut before);
        assert_eq!((tags(&paused), &paused[0]["tender"]["lots"][3]["status"]), (vec!["tenderUpdate"], &json!("planned")));
        // A new lot is nobody's to see until it opens.
        let hidden = crate::market::lot(lead, &market.id, "NEW", "other");
        crate::market::adopt(lead, &hidden, market.requirement("insurance"));
        assert_eq!(step("define", &mut before), [] as [Value; 0]);
        lead.post(&format!("/v1/lots/{hidden}/open"), Value::Null).expect(200);
        assert_eq!(step("open", &mut before)[0]["tender"]["lots"][4]["id"], json!(hidden));

        app.at("2019-02-03T00:00:00Z");
        let closed = step("close", &mut before);
        assert_eq!(tags(&closed), ["tenderUpdate", "tenderUpdate"], "the second round was scheduled, the first closed");
        let rounds = &closed[1]["tender"]["milestones"];
        assert_eq!((&rounds[0]["status"], &rounds[0]["dateMet"]), (&json!("met"), &json!("2019-02-03T00:00:00Z")));
        assert_eq!(rounds[1]["status"], "scheduled");
        lead.post(&market.path("/establish"), Value::Null).expect(200);
        let established = step("establish", &mut before);
        assert_eq!(established[0]["tender"]["techniques"]["dynamicPurchasingSystem"]["status"], "active");

        // The same question gets the same releases, whoever asks, whichever way.
        let dates: Vec<&str> = before.iter().map(|release| release["date"].as_str().unwrap()).collect();
        assert!(dates.windows(2).all(|pair| pair[0] < pair[1]), "{dates:?}");
        let late = all(&public, "/v1/ocds/releases?since=2019-02-03T00:00:00Z", "releases");
        assert_eq!(late, before[before.len() - 2..]);
        let newcomer = app.newcomer();
        assert_eq!(all(&newcomer, "/v1/ocds/releases?limit=3", "releases"), before);
        let record = record(&public, &market);
        let linked: Vec<&Value> = record["releases"].as_array().unwrap().iter().map(|release| &release["date"]).collect();
        assert_eq!(linked, dates);
        assert_eq!(record["compiledRelease"]["tender"], before[before.len() - 1]["tender"]);

        lead.post(&market.path("/terminate"), because("no demand")).expect(200);
        let ended = step("terminate", &mut before);
        assert_eq!(tags(&ended), ["tenderUpdate"]);
        let tender = &ended[0]["tender"];
        assert_eq!(tender["status"], "complete");
        assert_eq!(tender["techniques"]["dynamicPurchasingSystem"]["status"], "terminated");
        assert!(tender["lots"].as_array().unwrap().iter().all(|lot| lot["status"] == "complete"), "{tender:#}");
        assert_eq!(tender["milestones"][1]["status"], "notMet");
    }

    fn a_market_that_is_called_off_is_cancelled(app: &TestApp) {
        let market = Market::published(app);
        market.lead.post(&market.path("/terminate"), json!({"reason": "no money"})).expect(200);
        let releases = all(&app.anonymous(), "/v1/ocds/releases", "releases");
        assert_eq!(tags(&releases), ["tender", "tenderCancellation"]);
        let tender = &releases[1]["tender"];
        assert_eq!((&tender["status"], &tender["lots"][0]["status"]), (&json!("cancelled"), &json!("cancelled")));
        assert_eq!(tender["techniques"]["dynamicPurchasingSystem"]["status"], "cancelled");
    }

    fn nothing_of_members_is_published(app: &TestApp) {
        let market = rolling(app, json!({}));
        let ash = Member::new(&market, "Ash");
        let conceal = json!({"kind": "conceal", "reason": "late visits"});
        app.commissioner("CCC").post(&ash.path("/sanctions"), conceal).expect(201);
        let fee = json!({"code": "CORE", "description": "Core", "amountPence": 1, "unit": "week", "validFrom": "2019-04-01"});
        ash.provider().post(&ash.path("/fees"), fee).expect(201);
        for reader in [&app.anonymous(), &market.lead, ash.provider()] {
            let told = format!("{:?}{}", all(reader, "/v1/ocds/releases", "releases"), record(reader, &market));
            for secret in [ash.of.id.as_str(), ash.id.as_str(), ash.application.as_str(), "Ash", "supplier", "award", "late visits"] {
                assert!(!told.contains(secret), "{} reads `{secret}`", reader.name);
            }
        }
        let events = market.lead.get("/v1/events?kind=MembershipCreated").expect(200).body;
        let event = events["items"][0]["id"].as_str().unwrap().to_owned();
        app.anonymous().get(&format!("/v1/ocds/releases/{event}")).problem("not_found", 404);
    }

    fn the_market_that_the_demo_plays_is_told(app: &TestApp) {
        demo::play(demo::list(None).unwrap(), &app.demo_client(), || Ok(())).unwrap();
        let releases = all(&app.anonymous(), "/v1/ocds/releases?limit=20", "releases");
        let records = all(&app.anonymous(), "/v1/ocds/records", "records");
        assert_eq!(releases[0]["tag"], json!(["tender"]));
        let linked: usize = records.iter().map(|record| record["releases"].as_array().unwrap().len()).sum();
        assert_eq!(linked, releases.len());
    }

    fn several_markets_are_paged(app: &TestApp) {
        let first = Market::published(app);
        let new = crate::market::with(crate::market::cambridgeshire(), json!({"reference": "DN2", "kind": "framework", "participants": []}));
        let new = crate::market::with(new, json!({"participants": [{"code": "LGSS", "name": "Local Government Shared Services"}]}));
        let second = crate::market::arrangement(&first.lead, new);
        let lot = crate::market::lot(&first.lead, &second, "ONLY", "other");
        crate::market::adopt(&first.lead, &lot, first.requirement("insurance"));
        first.lead.post(&format!("/v1/arrangements/{second}/publish"), Value::Null).expect(200);
        let draft = json!({"reference": "DN3"});
        crate::market::arrangement(&first.lead, crate::market::with(crate::market::cambridgeshire(), draft));

        let public = app.anonymous();
        let records = all(&public, "/v1/ocds/records?limit=1", "records");
        assert_eq!(records.len(), 2, "a draft is nobody's to see");
        assert_eq!(records, all(&public, "/v1/ocds/records", "records"));
        let compiled = &records[1]["compiledRelease"];
        assert_eq!(compiled["parties"][0]["roles"], json!(["procuringEntity", "buyer"]));
        assert_eq!(compiled["buyer"]["id"], "LGSS");
        let techniques = json!({"hasFrameworkAgreement": true, "hasDynamicPurchasingSystem": false});
        assert_eq!(compiled["tender"]["techniques"], techniques);
        public.get("/v1/ocds/records?cursor=x").problem("bad_cursor", 422).blames("bad_cursor", "/cursor");
        public.get("/v1/ocds/releases?cursor=x").problem("bad_cursor", 422).blames("bad_cursor", "/cursor");
        public.get("/v1/ocds/releases?since=yesterday").problem("unreadable", 400);
        public.get(&format!("/v1/ocds/records/ocds-other0-{}", first.id)).problem("not_found", 404);
        public.get(&format!("/v1/ocds/records/{}", ocid(&first).to_uppercase())).problem("not_found", 404);
    }
}

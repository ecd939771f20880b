//! Bulk uploads (CRD-07, A21).

mod answers;
mod figures;
mod formats;
mod hostile;
mod kinds;
mod notes;
mod release;
mod resume;
mod workbooks;

use serde_json::{Value, json};

use crate::actor::{Actor, Reply};
use crate::app::TestApp;
use crate::applicants::Applicant;
use crate::members::{count, feed};
use crate::record::feed::verified;

pub const HOMES: &str = "/v1/uploads/homes";
const HEADINGS: &str = "urn,registeredOn,name,kind,postcode,beds,rating,inspectedOn,publishedOn";

/// Sends a file and waits until its upload is over.
#[track_caller]
pub fn send(actor: &Actor<'_>, path: &str, file: &str) -> Reply {
    send_bytes(actor, path, "text/csv", file.as_bytes())
}

#[track_caller]
pub fn send_bytes(actor: &Actor<'_>, path: &str, media: &str, file: &[u8]) -> Reply {
    actor.request("POST", path).bytes(media, file).header("prefer", "wait=60").send()
}

/// A file of homes with those numbers.
pub fn homes(numbers: std::ops::Range<u32>) -> String {
    let rows = numbers.map(|n| {
        format!("SC1{n:05},2010-04-01,Home {n},childrens_home,PE29 1AA,{},good,2015-05-01,2015-06-01\r\n", n % 5 + 1)
    });
    format!("{HEADINGS}\r\n{}", rows.collect::<String>())
}

/// The same with three bad rows: without a name, of no kind, registered on no day.
fn three_bad() -> String {
    homes(0..100)
        .replace("Home 10,", ",")
        .replace("Home 20,childrens_home", "Home 20,castle")
        .replace("SC100030,2010-04-01", "SC100030,2010-04-31")
}

/// A small file as somebody sent it.
pub fn case(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/cases/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The codes of the notes of an upload, in their order.
fn noted(body: &Value) -> Vec<&str> {
    body["notes"].as_array().unwrap().iter().map(|note| note["code"].as_str().unwrap()).collect()
}

/// The note of that code.
#[track_caller]
fn note<'b>(body: &'b Value, code: &str) -> &'b Value {
    let found = body["notes"].as_array().unwrap().iter().find(|note| note["code"] == code);
    found.unwrap_or_else(|| panic!("no {code} in {:#}", body["notes"]))
}

/// Those of a provider, by the list.
fn kept(fens: &Applicant<'_>) -> usize {
    fens.provider.all(&format!("/v1/providers/{}/homes?limit=200", fens.id)).len()
}

fn counts(body: &Value) -> [u64; 6] {
    ["rows", "added", "changed", "unchanged", "refused", "skipped"].map(|name| body["counts"][name].as_u64().unwrap())
}

/// What is wrong with the rows of an upload: row, column, value and code.
fn faults(actor: &Actor<'_>, id: &str) -> Vec<(u64, Value, Value, String)> {
    let errors = actor.all(&format!("/v1/uploads/{id}/errors?limit=2"));
    let row = |e: &Value| {
        (e["row"].as_u64().unwrap(), e["column"].clone(), e["value"].clone(), e["code"].as_str().unwrap().to_owned())
    };
    errors.iter().map(row).collect()
}

on_both! {
    fn ac_78_partial_applies_the_good_rows_and_atomic_none(app: &TestApp) {
        let fens = Applicant::new(app, "Fens Care");
        let expected = vec![
            (12, json!("name"), Value::Null, "missing_value".to_owned()),
            (22, json!("kind"), json!("castle"), "unreadable_value".to_owned()),
            (32, json!("registeredOn"), json!("2010-04-31"), "unreadable_value".to_owned()),
        ];
        let atomic = send(&fens.provider, HOMES, &three_bad()).expect(201).state("rejected");
        assert_eq!(counts(&atomic.body), [100, 0, 0, 0, 3, 0]);
        assert_eq!(faults(&fens.provider, &atomic.id()), expected);
        assert_eq!((kept(&fens), count(app, "HomeAdded")), (0, 0));

        let partial = send(&fens.provider, &format!("{HOMES}?mode=partial"), &three_bad()).expect(201).state("partial");
        assert_eq!(counts(&partial.body), [100, 97, 0, 0, 3, 0]);
        assert_eq!(partial.body["progress"], partial.body["counts"]);
        assert_eq!(faults(&fens.provider, &partial.id()), expected);
        assert_eq!((kept(&fens), count(app, "HomeAdded"), count(app, "RatingRecorded"), count(app, "RatingChanged")), (97, 97, 97, 0));
        let homes = fens.provider.get("/v1/homes?urn=SC100099").expect(200).body;
        assert_eq!(homes["items"][0]["profile"]["beds"], 5);
        let rating = &homes["items"][0]["ratings"][0];
        assert_eq!((&rating["facts"]["source"], &rating["statedBy"]), (&json!("provider"), &json!("provider")));
    }

    fn ac_79_a_key_and_a_body_have_one_effect(app: &TestApp) {
        let fens = Applicant::new(app, "Fens Care");
        let send = |file: &str| {
            let call = fens.provider.request("POST", HOMES).bytes("text/csv", file.as_bytes());
            call.header("prefer", "wait=60").key("once").send()
        };
        let first = send(&homes(0..3)).expect(201).state("applied");
        let again = send(&homes(0..3)).expect(201).state("applied");
        assert_eq!(first.body, again.body);
        send(&homes(0..4)).problem("idempotency_key_reused", 409);
        assert_eq!((kept(&fens), count(app, "HomeAdded"), feed(&fens.provider, "&kind=UploadReceived").len()), (3, 3, 1));
        assert_eq!(fens.provider.all("/v1/uploads").len(), 1);
    }

    fn a_dry_run_tells_the_difference_and_makes_none(app: &TestApp) {
        let fens = Applicant::new(app, "Fens Care");
        send(&fens.provider, HOMES, &homes(0..10)).expect(201).state("applied");
        let file = homes(0..12).replace("Home 3,", "The Limes,").replace("Home 4,childrens_home", "Home 4,castle");
        let dry = send(&fens.provider, &format!("{HOMES}?dryRun=true&mode=partial"), &file).expect(201).state("validated");
        assert_eq!(counts(&dry.body), [12, 2, 1, 8, 1, 0]);
        assert_eq!(faults(&fens.provider, &dry.id()).len(), 1);
        assert_eq!((kept(&fens), count(app, "HomeAmended")), (10, 0));
        let done = send(&fens.provider, &format!("{HOMES}?mode=partial"), &file).expect(201).state("partial");
        assert_eq!(counts(&done.body), counts(&dry.body));
        assert_eq!((kept(&fens), count(app, "HomeAmended")), (12, 1));
        let again = send(&fens.provider, &format!("{HOMES}?mode=partial"), &file).expect(201).state("partial");
        assert_eq!(counts(&again.body), [12, 0, 0, 11, 1, 0]);
        // What was written in batches is chained as what was written one by one.
        assert!(verified(app).is_intact());
    }

    fn refused_rows_are_corrected_and_sent_again(app: &TestApp) {
        let fens = Applicant::new(app, "Fens Care");
        let path = format!("{HOMES}?mode=partial");
        let partial = send(&fens.provider, &path, &three_bad()).expect(201).state("partial");
        let file = fens.provider.get(&format!("/v1/uploads/{}/rejected", partial.id())).expect(200);
        assert_eq!(file.header("content-type"), Some("text/csv"));
        assert_eq!(file.text.lines().count(), 4, "{}", file.text);
        assert!(file.text.contains("missing_value"), "{}", file.text);
        let corrected = file.text.replace("2010-04-01,,childrens_home", "2010-04-01,Home 10,childrens_home")
            .replace("castle,", "childrens_home,").replace("2010-04-31", "2010-04-30");
        let done = send(&fens.provider, &path, &corrected).expect(201).state("applied");
        assert_eq!(counts(&done.body), [3, 3, 0, 0, 0, 0]);
        assert_eq!(kept(&fens), 100);
        // Nothing of an atomic one was applied: it comes back whole.
        let atomic = send(&fens.provider, HOMES, &three_bad()).expect(201).state("rejected");
        let whole = fens.provider.get(&format!("/v1/uploads/{}/rejected", atomic.id())).expect(200);
        assert_eq!(whole.text.lines().count(), 101);
    }

    fn an_upload_is_its_senders_alone(app: &TestApp) {
        let fens = Applicant::new(app, "Fens Care");
        let id = send(&fens.provider, HOMES, &three_bad()).expect(201).id();
        for path in ["", "/errors", "/rejected"] {
            let path = format!("/v1/uploads/{id}{path}");
            fens.provider.get(&path).expect(200);
            for other in [Applicant::new(app, "Wash Homes").provider, app.portal("p"), app.lead("LGSS"), app.script()] {
                other.get(&path).problem("not_found", 404);
            }
            app.commissioner("CCC").get(&path).problem("forbidden", 403);
        }
        assert!(app.lead("LGSS").all("/v1/uploads").is_empty());
    }

    fn a_home_is_told_by_its_number_or_its_name(app: &TestApp) {
        let fens = Applicant::new(app, "Fens Care");
        let proposed = "name,kind,expectedOn\nThe Limes,childrens_home,2016-06-01\n";
        let first = send(&fens.provider, HOMES, proposed).expect(201).state("applied");
        assert_eq!(counts(&first.body), [1, 1, 0, 0, 0, 0]);
        let registered = "name,kind,urn,registeredOn,beds\nthe limes,childrens_home,sc 424242,01/12/2015,3\n";
        let second = send(&fens.provider, HOMES, registered).expect(201).state("applied");
        assert_eq!(counts(&second.body), [1, 0, 1, 0, 0, 0]);
        // A column that is left out leaves what is stated, a blank cell takes it back.
        let renamed = "urn,name,kind\nSC424242,The Limes,childrens_home\n";
        send(&fens.provider, HOMES, renamed).expect(201).state("applied");
        let home = |field: &str| {
            fens.provider.get("/v1/homes?urn=SC424242").expect(200).body["items"][0]["profile"][field].clone()
        };
        assert_eq!((home("name"), home("beds")), (json!("The Limes"), json!(3)));
        send(&fens.provider, HOMES, "urn,name,kind,beds\nSC424242,The Limes,childrens_home,\n").expect(201).state("applied");
        assert_eq!(home("beds"), Value::Null);
        assert_eq!(kept(&fens), 1);

        let twice = "urn,registeredOn,name,kind\nSC100001,2010-01-01,A,childrens_home\nsc100001,2010-01-01,B,childrens_home\n";
        let id = send(&fens.provider, HOMES, twice).expect(201).state("rejected").id();
        assert_eq!(faults(&fens.provider, &id), [(3, json!("urn"), json!("sc100001"), "duplicate_row".to_owned())]);
        let wash = Applicant::new(app, "Wash Homes");
        let theirs = "urn,registeredOn,name,kind\nSC424242,2015-12-01,Mine,childrens_home\n";
        let id = send(&wash.provider, HOMES, theirs).expect(201).state("rejected").id();
        assert_eq!(faults(&wash.provider, &id)[0].3, "urn_taken");
        let named = format!("provider,name,kind\n{},Mine,childrens_home\n", fens.id);
        let id = send(&wash.provider, HOMES, &named).expect(201).state("rejected").id();
        assert_eq!(faults(&wash.provider, &id)[0].3, "row_provider_unknown");
    }

    fn an_upload_is_the_business_of_its_sender(app: &TestApp) {
        let fens = Applicant::new(app, "Fens Care");
        send(&fens.provider, HOMES, &homes(0..1)).expect(201).state("applied");
        let providers = "portal,reference,legalName\nprocontract,P-1,Wash Homes\n";
        send(&app.portal("procontract"), "/v1/uploads/providers", providers).expect(201).state("applied");
        let told = |who: &Actor<'_>| {
            let events = feed(who, "");
            events.iter().filter(|event| event["aggregate"]["kind"] == "upload").count()
        };
        assert_eq!(told(&fens.provider), 3, "received, validated, applied");
        for other in [app.lead("LGSS"), app.commissioner("CCC"), app.script(), app.portal("procontract")] {
            assert_eq!(told(&other), 0, "what the rows did is told by other events");
        }
    }

    fn a_file_is_forgotten_some_days_after_its_end(app: &TestApp) {
        let fens = Applicant::new(app, "Fens Care");
        let id = send(&fens.provider, HOMES, &three_bad()).expect(201).id();
        app.at("2016-02-01T00:00:00Z");
        // What is old is forgotten between one upload and the next.
        for n in 0..2 {
            send(&fens.provider, HOMES, &homes(n..n + 1)).expect(201).state("applied");
        }
        fens.provider.get(&format!("/v1/uploads/{id}/rejected")).problem("upload_forgotten", 409);
        assert!(faults(&fens.provider, &id).is_empty());
        fens.provider.get(&format!("/v1/uploads/{id}")).expect(200).state("rejected");
    }

    fn an_account_has_room_for_so_many_bytes(app: &TestApp) {
        let app = &TestApp::tuned(app.database.kind, |config| config.uploads.account = 20_000);
        let [fens, wash] = ["Fens Care", "Wash Homes"].map(|name| Applicant::new(app, name));
        let file = homes(0..100);
        assert!((6_700..10_000).contains(&file.len()), "{}", file.len());
        for _ in 0..2 {
            send(&fens.provider, HOMES, &file).expect(201);
        }
        send(&fens.provider, HOMES, &file).problem("upload_quota", 409);
        assert_eq!(fens.provider.all("/v1/uploads").len(), 2);
        send(&wash.provider, HOMES, &homes(100..200)).expect(201).state("applied");
        app.at("2016-02-01T00:00:00Z");
        send(&fens.provider, HOMES, &file).expect(201).state("applied");
    }

    fn a_template_is_a_file_that_can_be_sent(app: &TestApp) {
        let fens = Applicant::new(app, "Fens Care");
        app.at("2019-01-01T00:00:00Z");
        let template = fens.provider.get("/v1/upload-templates/homes").expect(200);
        let filled_in = template.text.replace("SC900001", "SC700001").replace("The Limes", "The Elms");
        send(&fens.provider, HOMES, &filled_in).expect(201).state("applied");
        assert_eq!(kept(&fens), 1);
        fens.provider.get("/v1/upload-templates/castles").expect(404);
    }

    fn the_example_of_a_template_is_refused_where_nobody_touched_it(app: &TestApp) {
        app.at("2019-01-01T00:00:00Z");
        let fens = Applicant::new(app, "Fens Care");
        let senders = [("homes", fens.provider.clone()), ("providers", app.portal("p")), ("fees", fens.provider.clone()), ("ratings", app.lead("LGSS"))];
        for (kind, sender) in &senders {
            for format in ["csv", "ndjson", "xlsx", "ods"] {
                let template = sender.get(&format!("/v1/upload-templates/{kind}?format={format}"));
                if (*kind, format) == ("ratings", "ndjson") {
                    template.problem("register_format", 422);
                    continue;
                }
                let template = template.expect(200);
                let path = format!("/v1/uploads/{kind}?mode=partial");
                let done = send_bytes(sender, &path, "application/octet-stream", &template.bytes).expect(201).state("rejected");
                let found: Vec<_> = faults(sender, &done.id()).into_iter().map(|fault| (fault.0, fault.3)).collect();
                assert_eq!(found, [(if format == "ndjson" { 1 } else { 2 }, "example_row".to_owned())], "{kind} {format}");
            }
        }
        // A spreadsheet writes it down again in its own way; the other rows are taken.
        let template = fens.provider.get("/v1/upload-templates/homes").expect(200).text;
        let (headings, example) = template.split_once("\r\n").unwrap();
        let written = example.replace("2015-04-01", "01/04/2015").replace("yes", "YES");
        let own = example.replace("SC900001", "SC700002").replace("The Limes", "The Oaks");
        let file = format!("{headings}\r\n{written}{own}");
        let done = send(&fens.provider, &format!("{HOMES}?mode=partial"), &file).expect(201).state("partial");
        assert_eq!(faults(&fens.provider, &done.id())[0].3, "example_row");
        // A home of that name is not the example.
        send(&fens.provider, HOMES, "name,kind\nThe Limes,childrens_home\n").expect(201).state("applied");
    }
}

//! Providers by a portal, and the regulator's releases.

use serde_json::json;

use super::{HOMES, counts, faults, send, send_bytes};
use crate::app::TestApp;
use crate::applicants::Applicant;
use crate::members::{Member, count, rolling};

const PROVIDERS: &str = "/v1/uploads/providers";
const RATINGS: &str = "/v1/uploads/ratings";

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/../samples/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

on_both! {
    fn a_portal_sends_its_providers_again_and_again(app: &TestApp) {
        let portal = app.portal("portal-1");
        let file = "portal,reference,legalName,tradingNames,companyNumber,email\n\
            procontract,S-1,Fens Care Ltd,Fens | Fenland,1234567,office@example.org\n\
            procontract,S-2,Wash Homes Ltd,,,\n,,Ouse Care Ltd,,OC301234,\n";
        let first = send(&portal, PROVIDERS, file).expect(201).state("applied");
        assert_eq!(counts(&first.body), [3, 3, 0, 0, 0, 0]);
        let again = send(&portal, PROVIDERS, file).expect(201).state("applied");
        assert_eq!(counts(&again.body), [3, 0, 0, 3, 0, 0]);
        let named = portal.all("/v1/providers?portal=procontract&reference=S-1");
        assert_eq!(named[0]["profile"]["tradingNames"], json!(["Fens", "Fenland"]));
        assert_eq!((count(app, "ProviderRegistered"), count(app, "ExternalRefAdded")), (3, 2));
        // Later it gives the third a reference, and renames the second.
        let later = "portal,reference,legalName,companyNumber\nprocontract,S-3,Ouse Care Ltd,oc301234\nprocontract,S-2,Wash Ltd,\n";
        let later = send(&portal, PROVIDERS, later).expect(201).state("applied");
        assert_eq!(counts(&later.body), [2, 0, 2, 0, 0, 0]);
        assert_eq!(portal.all("/v1/providers?portal=procontract&reference=S-3")[0]["profile"]["companyNumber"], "OC301234");

        let other = app.portal("portal-2");
        let theirs = "portal,reference,legalName,companyNumber\nprocontract,S-1,Mine,\nother,1,Mine,01234567\nother,2,,\n,,Nameless,\n";
        let done = send(&other, &format!("{PROVIDERS}?mode=partial"), theirs).expect(201).state("rejected");
        let codes: Vec<_> = faults(&other, &done.id()).into_iter().map(|f| (f.0, f.3)).collect();
        let expected = [(2, "external_ref_in_use"), (3, "company_number_taken"), (4, "missing_value"), (5, "missing_value")];
        assert_eq!(codes, expected.map(|(row, code)| (row, code.to_owned())));
        Applicant::new(app, "Nene").provider.request("POST", PROVIDERS).bytes("text/csv", b"a").send().problem("forbidden", 403);
        let long = format!("portal,reference,legalName\nprocontract,S-9,{}\n", "x".repeat(501));
        let long = send(&portal, PROVIDERS, &long).expect(201).state("rejected");
        let fault = faults(&portal, &long.id()).remove(0);
        assert_eq!((fault.1, fault.3.as_str()), (json!("legalName"), "unreadable_value"));

        // A portal uploads the homes of the providers that it registered.
        let id = portal.all("/v1/providers?portal=procontract&reference=S-1")[0]["id"].as_str().unwrap().to_owned();
        let homes = format!("provider,name,kind\n{id},The Limes,childrens_home\n");
        send(&portal, HOMES, &homes).expect(201).state("applied");
        send(&other, HOMES, &homes).expect(201).state("rejected");
        other.request("POST", &format!("{HOMES}?provider={id}")).bytes("text/csv", b"a").send().problem("not_found", 404);
    }

    fn a_member_offers_its_fees_in_one_file(app: &TestApp) {
        let market = rolling(app, json!({}));
        let member = Member::new(&market, "Fens Care");
        let provider = member.provider();
        let file = |amount: &str| format!(
            "membership,code,description,amountPence,unit,validFrom\n{0},SOLO,Solo placement,{amount},week,2019-04-01\n\
             {0},PAIR,For two,300000,week,01/04/2019\n", member.id
        );
        let first = send(provider, "/v1/uploads/fees", &file("385000")).expect(201).state("applied");
        assert_eq!(counts(&first.body), [2, 2, 0, 0, 0, 0]);
        let again = send(provider, "/v1/uploads/fees", &file("385000")).expect(201).state("applied");
        assert_eq!(counts(&again.body), [2, 0, 0, 2, 0, 0]);
        assert_eq!(count(app, "FeeOffered"), 2);
        let dearer = send(provider, "/v1/uploads/fees", &file("400000")).expect(201).state("rejected");
        assert_eq!(faults(provider, &dearer.id())[0].3, "fee_not_later");
        let other = Member::new(&market, "Wash Homes");
        let theirs = send(other.provider(), "/v1/uploads/fees", &file("1")).expect(201).state("rejected");
        assert_eq!(faults(other.provider(), &theirs.id())[0].3, "row_membership_unknown");
    }

    fn the_regulators_releases_add_ratings_and_overwrite_none(app: &TestApp) {
        app.at("2024-01-01T00:00:00Z");
        let fens = Applicant::new(app, "Fens Care");
        let homes = "urn,registeredOn,name,kind,rating,inspectedOn\n\
            SC900000,2004-01-01,One,childrens_home,inadequate,2020-01-01\n9000147,2005-04-12,Two,childrens_home,,\n";
        send(&fens.provider, HOMES, homes).expect(201).state("applied");
        let lead = app.lead("LGSS");
        let release = sample("ofsted-sample.csv");
        fens.provider.request("POST", RATINGS).bytes("text/csv", &release).send().problem("forbidden", 403);
        let first = send_bytes(&lead, RATINGS, "text/csv", &release).expect(201).state("applied");
        assert_eq!(counts(&first.body), [40, 2, 0, 0, 0, 38]);
        let again = send_bytes(&app.script(), RATINGS, "text/csv", &release).expect(201).state("applied");
        assert_eq!(counts(&again.body), [40, 0, 0, 2, 0, 38]);
        assert_eq!((count(app, "RatingRecorded"), count(app, "RatingChanged")), (3, 2), "what it says itself changes nothing");
        let found = lead.get("/v1/homes?urn=SC900000").expect(200).body["items"][0].clone();
        let ratings: Vec<_> = found["ratings"].as_array().unwrap().iter().map(|r| r["facts"].clone()).collect();
        assert_eq!(ratings[0]["rating"], "inadequate");
        let stated: Vec<_> = found["ratings"].as_array().unwrap().iter().map(|r| r["statedBy"].clone()).collect();
        assert_eq!(stated, ["provider", "regulator"]);
        assert_eq!(ratings[1], json!({"rating": "good", "inspectedOn": "2022-01-01", "publishedOn": "2022-02-03", "source": "ofsted"}));
        // Another year, another encoding.
        for other in ["ofsted-older.csv", "ofsted-mac-roman.csv", "ofsted-windows-1252.csv"] {
            send_bytes(&lead, RATINGS, "text/csv", &sample(other)).expect(201).state("applied");
        }
        let broken = send_bytes(&lead, RATINGS, "text/csv", &sample("ofsted-broken.csv")).expect(201).state("partial");
        let faults = faults(&lead, &broken.id());
        assert_eq!((faults.len(), faults[0].0, faults[0].3.as_str()), (7, 4, "unknown_rating"));
    }
}

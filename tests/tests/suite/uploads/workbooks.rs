//! Rows and sheets as spreadsheets have them.

use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};
use tables::{Format, Writer};

use super::figures::with;
use super::{HOMES, case, faults, kept, send, send_bytes};
use crate::app::TestApp;
use crate::applicants::Applicant;

const ANY: &str = "application/octet-stream";

on_both! {
    fn rows_are_counted_as_the_spreadsheet_counts_them(app: &TestApp) {
        app.at("2019-01-01T00:00:00Z");
        let fens = Applicant::new(app, "Fens Care");
        let path = format!("{HOMES}?mode=partial");
        let row = |file: &[u8]| {
            let done = send_bytes(&fens.provider, &path, ANY, file).expect(201);
            faults(&fens.provider, &done.id())[0].0
        };
        assert_eq!(row(&case("homes_multi_line_cell.csv")), 3);
        assert_eq!(row(b"A title\r\n\r\nname,kind\r\n\r\n\"Two\r\nlines\",childrens_home\r\nElm,castle\r\n"), 6);
        assert_eq!(row(b"name,kind\r\"Two\rlines\",childrens_home\rElm,castle\r"), 3);
        // NDJSON has lines.
        assert_eq!(row(b"\n{\"name\": \"a\\nb\", \"kind\": \"childrens_home\"}\n{\"name\": \"Elm\", \"kind\": \"castle\"}\n"), 3);
        // What is wrong with its encoding is told at that row too.
        let done = send_bytes(&fens.provider, &path, ANY, b"name,kind\n\"Two\nlines\",childrens_home\nRen\xe9e House,childrens_home\n").expect(201);
        assert_eq!(super::note(&done.body, "encoding_guessed")["rows"], json!([3]));
    }

    fn the_sheet_with_the_headings_is_found_or_the_others_are_named(app: &TestApp) {
        app.at("2019-01-01T00:00:00Z");
        let fens = Applicant::new(app, "Fens Care");
        let done = send_bytes(&fens.provider, HOMES, ANY, &case("homes_guidance_sheet_first.xlsx")).expect(201).state("applied");
        assert!(super::note(&done.body, "other_sheets")["detail"].as_str().unwrap().contains("`Guidance`"));
        assert_eq!(kept(&fens), 1);
        // A cover that names the columns one by one is not the table.
        let mut book = Workbook::new();
        let cover = book.add_worksheet().set_name("Columns").unwrap();
        for (row, column) in (0..).zip(["name", "kind", "beds"]) {
            cover.write(row, 0, column).unwrap();
        }
        let sheet = book.add_worksheet().set_name("Homes").unwrap();
        for (column, (heading, cell)) in (0..).zip([("name", "Oak House"), ("kind", "childrens_home")]) {
            sheet.write(0, column, heading).unwrap();
            sheet.write(1, column, cell).unwrap();
        }
        send_bytes(&fens.provider, HOMES, ANY, &book.save_to_buffer().unwrap()).expect(201).state("applied");
        assert_eq!(kept(&fens), 2);
        let mut none = Workbook::new();
        for name in ["Cover", "Notes"] {
            none.add_worksheet().set_name(name).unwrap().write(0, 0, "Nothing").unwrap();
        }
        let done = send_bytes(&fens.provider, HOMES, ANY, &none.save_to_buffer().unwrap()).expect(201).state("rejected");
        let fault = fens.provider.all(&format!("/v1/uploads/{}/errors", done.id())).remove(0);
        let told = fault["detail"].as_str().unwrap();
        assert!(fault["code"] == "no_headings" && told.contains("`Cover`") && told.contains("`Notes`"), "{told}");
    }

    fn the_regulators_words_for_kinds_are_taken(app: &TestApp) {
        let fens = Applicant::new(app, "Fens Care");
        for (n, (words, kind)) in [
            ("Children's home", json!("childrens_home")), ("Children’s Home", json!("childrens_home")), ("childrens home", json!("childrens_home")),
            ("CHILDRENS_HOME", json!("childrens_home")), ("Secure children's home", json!("secure_childrens_home")),
            ("Independent fostering agency", json!("fostering_agency")), ("Fostering agency", json!("fostering_agency")),
            ("Residential special school", json!("residential_special_school")), ("Residential family centre", json!("residential_family_centre")),
            ("Supported accommodation", json!("supported_accommodation")), ("Short-break home", json!("short_break_home")),
            ("Residential holiday scheme for disabled children", json!({"other": "Residential holiday scheme for disabled children"})),
            ("other: A boat", json!({"other": "A boat"})),
        ].into_iter().enumerate() {
            send(&fens.provider, HOMES, &format!("name,kind\nHome {n},{words}\n")).expect(201).state("applied");
            let home = fens.provider.all(&format!("/v1/providers/{}/homes?limit=200", fens.id)).pop().unwrap();
            assert_eq!(home["profile"]["kind"], kind, "{words}");
        }
        let done = send(&fens.provider, HOMES, "name,kind\nElm,Castle\n").expect(201).state("rejected");
        assert_eq!(faults(&fens.provider, &done.id())[0].3, "unreadable_value");
    }

    fn an_absent_key_keeps_and_null_clears_whatever_other_lines_have(app: &TestApp) {
        app.at("2019-01-01T00:00:00Z");
        let fens = Applicant::new(app, "Fens Care");
        let home = || fens.provider.get("/v1/homes?urn=SC670006").expect(200).body["items"][0]["profile"].clone();
        let sent = |file: &str| send(&fens.provider, HOMES, file).expect(201).state("applied").body["counts"].clone();
        send_bytes(&fens.provider, HOMES, ANY, &case("homes_missing_key_1.ndjson")).expect(201).state("applied");
        send_bytes(&fens.provider, HOMES, ANY, &case("homes_missing_key_2.ndjson")).expect(201).state("applied");
        assert_eq!((home()["beds"].clone(), kept(&fens)), (json!(3), 2));
        // Of each column; what is needed of a new one too.
        let all = r#"{"urn": "SC670006", "registeredOn": "2015-04-01", "name": "Elm", "kind": "childrens_home", "beds": 3, "postcode": "CB7 4AA", "localAuthority": "Ely", "region": "East", "registeredManager": "yes", "managerSince": "2018-01-01", "dualRegistration": true, "emergencyCapacity": false, "rating": "good", "inspectedOn": "2018-01-01", "publishedOn": "2018-02-01"}"#;
        let other = all.replace("SC670006", "SC670007").replace("Elm", "Oak");
        sent(&format!("{all}\n{other}\n"));
        let before = home();
        let same = sent(&format!("{{\"urn\": \"SC670006\"}}\n{other}\n"));
        assert_eq!((same["unchanged"].clone(), home()), (json!(2), before.clone()));
        sent(r#"{"urn": "SC670006", "beds": 4}"#);
        assert_eq!((home()["beds"].clone(), home()["name"].clone(), home()["registeredManager"].clone()), (json!(4), json!("Elm"), before["registeredManager"].clone()));
        for key in ["beds", "postcode", "localAuthority", "region", "registeredManager", "dualRegistration", "emergencyCapacity"] {
            sent(&format!("{{\"urn\": \"SC670006\", \"{key}\": null}}\n{other}\n"));
            assert_eq!(home()[key], Value::Null, "{key}");
        }
        let refused = send(&fens.provider, HOMES, "{\"urn\": \"SC670006\", \"name\": null}\n{\"name\": \"New\"}\n").expect(201).state("rejected");
        let found: Vec<_> = faults(&fens.provider, &refused.id()).into_iter().map(|f| (f.0, f.1, f.3)).collect();
        assert_eq!(found, [(1, json!("name"), "missing_value".to_owned()), (2, json!("kind"), "missing_value".to_owned())]);
        // A date without a judgement does not say that nothing was judged, nor a judgement when its report came out.
        let ratings = || fens.provider.get("/v1/homes?urn=SC670006").expect(200).body["items"][0]["ratings"].as_array().unwrap().len();
        sent(r#"{"urn": "SC670006", "inspectedOn": "2018-01-01"}"#);
        sent(r#"{"urn": "SC670006", "inspectedOn": "2018-01-01", "rating": "good"}"#);
        sent(r#"{"urn": "SC670006", "inspectedOn": "2017-01-01"}"#);
        assert_eq!(ratings(), 1);
    }

    fn what_is_refused_of_ndjson_comes_back_as_it_was_said(app: &TestApp) {
        let fens = Applicant::new(app, "Fens Care");
        send(&fens.provider, HOMES, "{\"name\": \"Elm\", \"kind\": \"childrens_home\", \"beds\": 3, \"region\": \"East\"}\n").expect(201).state("applied");
        let path = format!("{HOMES}?mode=partial");
        let done = send(&fens.provider, &path, "{\"name\": \"Elm\", \"beds\": null, \"postcode\": \"nowhere\"}\n{\"name\": \"Elm\", \"region\": \"x\"}\n").expect(201);
        let file = fens.provider.get(&format!("/v1/uploads/{}/rejected", done.id())).expect(200).text;
        let corrected = file.lines().next().unwrap().replace("nowhere", "CB7 4AA");
        send(&fens.provider, HOMES, &format!("{corrected}\n")).expect(201).state("applied");
        let home = fens.provider.all(&format!("/v1/providers/{}/homes", fens.id)).remove(0);
        assert_eq!((&home["profile"]["beds"], &home["profile"]["region"]), (&Value::Null, &json!("East")));
    }

    fn a_character_that_one_database_alone_would_take_is_one_refused_row(app: &TestApp) {
        let fens = Applicant::new(app, "Fens Care");
        let path = format!("{HOMES}?mode=partial");
        let good = r#"{"name": "Good", "kind": "childrens_home"}"#;
        let done = send(&fens.provider, &path, &format!("{{\"name\": \"a\\u0000b\", \"kind\": \"childrens_home\"}}\n{good}\n")).expect(201).state("partial");
        let found: Vec<_> = faults(&fens.provider, &done.id()).into_iter().map(|f| (f.0, f.1, f.3)).collect();
        assert_eq!(found, [(1, json!("name"), "bad_character".to_owned())]);
        fens.provider.get(&format!("/v1/uploads/{}/rejected", done.id())).expect(200);
        // In a name, a value of another sort, a text that is no object.
        for line in ["{\"na\\u0000me\": \"x\"}", "{\"name\": {\"a\\u0000\": 1}}", "{\"name\": \"a\\u0000\", \"name\": \"\\u0000\"}", "{\"name\": \"\\ud800\"}"] {
            let done = send(&fens.provider, &path, &format!("{line}\n{good}\n")).expect(201);
            assert!(done.body["state"] == "partial" || done.body["state"] == "rejected", "{line}: {:#}", done.body);
            assert!(!faults(&fens.provider, &done.id()).is_empty(), "{line}");
        }
        // A workbook writes it as an escape, in a heading too.
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        for (column, (heading, bad, good)) in (0..).zip([("name", "a NUL b", "Oak"), ("kind", "childrens_home", "childrens_home"), ("region", "", "NUL")]) {
            for (row, cell) in (0..).zip([heading, bad, good]) {
                sheet.write(row, column, cell).unwrap();
            }
        }
        let book = book.save_to_buffer().unwrap();
        let done = send_bytes(&fens.provider, &path, ANY, &with(&book, "NUL", "_x0000_")).expect(201).state("rejected");
        let found: Vec<_> = faults(&fens.provider, &done.id()).into_iter().map(|f| (f.0, f.1, f.3)).collect();
        let bad = "bad_character".to_owned();
        assert_eq!(found, [(2, json!("name"), bad.clone()), (3, json!("region"), bad)]);
        let heading = send_bytes(&fens.provider, &path, ANY, &with(&book, "region", "re_x0000_gion")).expect(201).state("rejected");
        assert!(!faults(&fens.provider, &heading.id()).is_empty());
        let profile = json!({"legalName": "x", "a\u{0}b": 1});
        app.newcomer().post("/v1/providers", profile).problem("invalid", 422);
    }

    fn a_spreadsheet_comes_in_and_goes_out_as_ods(app: &TestApp) {
        let fens = Applicant::new(app, "Fens Care");
        let mut writer = Writer::new(Vec::new(), Format::Ods, &["urn", "registeredOn", "name", "kind", "beds"]).unwrap();
        for (urn, beds) in [("SC700001", "3"), ("SC700002", "many")] {
            writer.row(&[urn, "2010-04-01", urn, "childrens_home", beds]).unwrap();
        }
        let file = writer.finish().unwrap();
        let done = send_bytes(&fens.provider, &format!("{HOMES}?mode=partial"), Format::Ods.media_type(), &file).expect(201).state("partial");
        assert_eq!(done.body["file"]["format"], "ods");
        let refused = fens.provider.get(&format!("/v1/uploads/{}/rejected", done.id())).expect(200);
        assert_eq!((refused.header("content-type"), Format::sniff(&refused.bytes)), (Some(Format::Ods.media_type()), Ok(Format::Ods)));
        let again = send_bytes(&fens.provider, HOMES, Format::Ods.media_type(), &refused.bytes).expect(201).state("rejected");
        assert_eq!(faults(&fens.provider, &again.id())[0].1, "beds");
        assert_eq!(kept(&fens), 1);
    }
}

//! The regulator's releases: one bad cell is one bad row, and what the latest says holds.

use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};

use super::{HOMES, case, counts, faults, note, noted, send, send_bytes};
use crate::actor::{Actor, Reply};
use crate::app::TestApp;
use crate::applicants::Applicant;
use crate::members::{count, feed};
use tables::{Format, Writer};

const RATINGS: &str = "/v1/uploads/ratings";
const HEADINGS: [&str; 8] = [
    "URN",
    "Provision type",
    "Local authority",
    "Sector",
    "Latest full inspection date",
    "Latest full inspection publication date",
    "Overall experiences and progress of children and young people",
    "Registration status",
];

/// A release of homes with the dates of inspection and report, the judgement and the registration.
fn release(rows: &[[&str; 5]]) -> Vec<u8> {
    release_as(Format::Csv, rows)
}

fn release_as(format: Format, rows: &[[&str; 5]]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), format, &HEADINGS).unwrap();
    for [urn, inspected, published, rating, status] in rows {
        writer.row(&[urn, "Children's home", "Havering", "Private", inspected, published, rating, status]).unwrap();
    }
    writer.finish().unwrap()
}

/// Homes of those numbers.
fn homes<'a>(app: &'a TestApp, numbers: &[&str]) -> Applicant<'a> {
    app.at("2020-01-01T00:00:00Z");
    let fens = Applicant::new(app, "Fens Care");
    let rows: String = numbers.iter().map(|urn| format!("{urn},2015-04-01,Home {urn},childrens_home\n")).collect();
    send(&fens.provider, HOMES, &format!("urn,registeredOn,name,kind\n{rows}")).expect(201).state("applied");
    fens
}

#[track_caller]
fn sent(lead: &Actor<'_>, file: &[u8]) -> Reply {
    send_bytes(lead, RATINGS, "application/octet-stream", file).expect(201)
}

fn held(lead: &Actor<'_>, urn: &str) -> Value {
    let home =
        lead.get(&format!("/v1/homes?urn={urn}")).expect(200).body["items"][0]["id"].as_str().unwrap().to_owned();
    lead.get(&format!("/v1/homes/{home}/ratings")).expect(200).body["held"].clone()
}

fn codes(lead: &Actor<'_>, done: &Reply) -> Vec<(u64, String)> {
    faults(lead, &done.id()).into_iter().map(|fault| (fault.0, fault.3)).collect()
}

on_both! {
    fn a_bad_cell_refuses_its_row_and_no_other(app: &TestApp) {
        homes(app, &["SC670001", "SC670002"]);
        let lead = app.lead("LGSS");
        for (file, code, row) in [
            ("ratings_new_scale_word.csv", "unknown_rating", 3),
            ("ratings_published_before_inspected.csv", "dates_reversed", 3),
            // As a spreadsheet counts: the headings have two lines.
            ("ratings_headings_with_line_breaks.csv", "bad_date", 4),
        ] {
            let done = sent(&lead, &case(file)).state("partial");
            assert_eq!(counts(&done.body)[4], 1, "{file}");
            assert_eq!(codes(&lead, &done), [(row, code.to_owned())], "{file}");
            let all_or_none = send_bytes(&lead, &format!("{RATINGS}?mode=atomic"), "text/csv", &case(file)).expect(201);
            all_or_none.state("rejected");
        }
        assert_eq!((held(&lead, "SC670001"), held(&lead, "SC670002")), (json!("good"), Value::Null));
        let good = ["SC670001", "01/03/2019", "01/04/2019", "Outstanding", "Active"];
        for (bad, code) in [
            (["SC670001", "01/02/2019", "01/03/2019", "Good", "Active"], "duplicate_urn"),
            (["SC670002", "31/02/2019", "01/03/2019", "Good", "Active"], "bad_date"),
            (["SC670002", "01/02/2019", "soon", "Good", "Active"], "bad_date"),
            (["2.59E+06", "01/02/2019", "01/03/2019", "Good", "Active"], "bad_urn"),
            (["", "01/02/2019", "01/03/2019", "Good", "Active"], "missing_value"),
        ] {
            for format in [Format::Csv, Format::Xlsx, Format::Ods] {
                let done = sent(&lead, &release_as(format, &[good, bad])).state("partial");
                assert_eq!(codes(&lead, &done), [(3, code.to_owned())], "{bad:?} {format:?}");
            }
        }
        assert_eq!(held(&lead, "SC670001"), "outstanding");
    }

    fn what_nothing_rests_on_is_not_judged(app: &TestApp) {
        homes(app, &["SC670001", "SC670002"]);
        let lead = app.lead("LGSS");
        let done = sent(&lead, &case("ratings_unused_places_cell.csv")).state("applied");
        assert_eq!(counts(&done.body), [2, 2, 0, 0, 0, 0]);
        assert!(note(&done.body, "columns_not_used")["about"].as_array().unwrap().contains(&json!("Places")));
        let file = "URN,Provision type,Local authority,Sector,Latest full inspection date,Overall effectiveness,Registration date,Short breaks only,Linked education URN\n\
            SC670001,,,,02/02/2019,Outstanding,someday,perhaps,#N/A\n";
        assert_eq!(counts(&sent(&lead, file.as_bytes()).state("applied").body), [1, 1, 0, 0, 0, 0]);
        // Of a workbook an error or a formula in such a column neither.
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        for (column, heading) in (0..).zip(HEADINGS.iter().chain([&"Places"])) {
            sheet.write(0, column, *heading).unwrap();
        }
        for (column, cell) in (0..).zip(["SC670002", "Children's home", "Havering", "Private", "03/02/2019", "03/03/2019", "Inadequate", "Active"]) {
            sheet.write(1, column, cell).unwrap();
        }
        sheet.write_formula(1, 8, "=1/0").unwrap();
        assert_eq!(counts(&sent(&lead, &book.save_to_buffer().unwrap()).state("applied").body), [1, 1, 0, 0, 0, 0]);
        assert_eq!((held(&lead, "SC670001"), held(&lead, "SC670002")), (json!("outstanding"), json!("inadequate")));
    }

    fn a_list_without_ratings_is_told_and_not_applied(app: &TestApp) {
        homes(app, &["SC670001"]);
        let lead = app.lead("LGSS");
        let done = sent(&lead, &case("ratings_without_inspection_columns.csv")).state("rejected");
        assert_eq!(codes(&lead, &done), [(1, "no_ratings".to_owned())]);
        lead.get("/problems/no_ratings").expect(200);
    }

    fn what_the_latest_release_says_holds(app: &TestApp) {
        homes(app, &["SC670004"]);
        let lead = app.lead("LGSS");
        let read = |file: &str| sent(&lead, &case(file)).state("applied").body;
        read("ratings_correction_1.csv");
        assert_eq!(held(&lead, "SC670004"), "good");
        let second = read("ratings_correction_2.csv");
        assert_eq!(held(&lead, "SC670004"), "inadequate");
        assert_eq!(note(&second, "judgement_corrected")["about"], json!(["SC670004"]));
        // It goes back to what was said before.
        let third = read("ratings_correction_3.csv");
        assert_eq!(held(&lead, "SC670004"), "good");
        assert_eq!(note(&third, "judgement_corrected")["count"], 1);
        let again = read("ratings_correction_3.csv");
        assert_eq!(counts(&again), [1, 0, 0, 1, 0, 0]);
        assert_eq!(count(app, "RatingChanged"), 3);
        // It withdraws what it said: with the inspection, and without.
        let blank = |inspected: &str, published: &str| sent(&lead, &release(&[["SC670004", inspected, published, "", "Active"]])).state("applied").body;
        let withdrawn = blank("01/02/2019", "01/03/2019");
        assert_eq!((held(&lead, "SC670004"), &note(&withdrawn, "judgement_withdrawn")["rows"]), (Value::Null, &json!([2])));
        assert_eq!(counts(&blank("01/02/2019", "01/03/2019")), [1, 0, 0, 1, 0, 0]);
        read("ratings_correction_1.csv");
        assert_eq!(held(&lead, "SC670004"), "good");
        blank("", "");
        assert_eq!(held(&lead, "SC670004"), Value::Null);
        // Nothing was overwritten.
        let home = lead.get("/v1/homes?urn=SC670004").expect(200).body["items"][0].clone();
        assert_eq!(home["ratings"].as_array().unwrap().len(), 6);
    }

    fn a_suspended_registration_is_an_event_that_officers_see(app: &TestApp) {
        homes(app, &["SC670001", "SC670002"]);
        let lead = app.lead("LGSS");
        let done = sent(&lead, &case("ratings_registration_suspended.csv")).state("applied");
        assert_eq!(note(&done.body, "registration_suspended")["about"], json!(["SC670002"]));
        let told = feed(&lead, "&kind=HomeRegistrationSuspended");
        assert_eq!(told.iter().map(|event| event["data"]["urn"].clone()).collect::<Vec<_>>(), [json!("SC670002")]);
        let home = || lead.get("/v1/homes?urn=SC670002").expect(200).body["items"][0].clone();
        assert_eq!(home()["registrationSuspendedAt"], "2020-01-01T00:00:00Z");
        // Once.
        let again = sent(&lead, &case("ratings_registration_suspended.csv")).state("applied");
        assert_eq!((counts(&again.body), count(app, "HomeRegistrationSuspended")), ([2, 0, 0, 2, 0, 0], 1));
        assert_eq!(note(&again.body, "registration_suspended")["count"], 1);
        let active = sent(&lead, &release(&[["SC670002", "01/02/2019", "01/03/2019", "Good", "Active"]])).state("applied");
        assert_eq!((counts(&active.body), count(app, "HomeRegistrationRestored")), ([1, 0, 1, 0, 0, 0], 1));
        assert_eq!(home()["registrationSuspendedAt"], Value::Null);
    }

    fn what_a_release_leaves_open_is_told(app: &TestApp) {
        let fens = homes(app, &["SC670001", "SC670002", "SC670003", "SC670004", "SC670005"]);
        let lead = app.lead("LGSS");
        let done = sent(&lead, &release(&[
            ["SC670001", "01/02/2019", "01/03/2019", "Adequate", "Active"],
            ["SC670002", "", "", "Good", "Active"],
            ["SC670003", "01/02/2019", "01/03/2019", "Good", "Dormant"],
            ["SC990000", "01/02/2019", "01/03/2019", "Satisfactory", "Suspended"],
        ])).state("applied");
        assert_eq!(counts(&done.body), [4, 1, 2, 0, 0, 1]);
        assert_eq!(noted(&done.body), ["columns_not_used", "homes_not_listed", "superseded_rating", "undated_rating", "unknown_registration_status"]);
        assert_eq!(note(&done.body, "homes_not_listed")["about"], json!(["SC670004", "SC670005"]));
        assert_eq!(note(&done.body, "superseded_rating")["about"], json!(["SC670001"]));
        // A row that is refused names its home all the same; one that is closed is not looked for.
        let home = lead.get("/v1/homes?urn=SC670005").expect(200).body["items"][0]["id"].as_str().unwrap().to_owned();
        fens.provider.post(&format!("/v1/homes/{home}/close"), json!({"closedOn": "2019-12-01", "reason": "sold"})).expect(200);
        let done = sent(&lead, &release(&[
            ["SC670001", "", "", "", ""], ["SC670002", "", "", "", ""], ["SC670003", "01/02/2019", "", "Good", ""], ["SC670004", "soon", "", "Good", ""],
        ])).state("partial");
        assert_eq!(noted(&done.body), ["columns_not_used"]);
    }

    fn a_release_comes_in_each_format_and_from_the_sheet_that_has_it(app: &TestApp) {
        homes(app, &["SC670001"]);
        let lead = app.lead("LGSS");
        for (format, day, rating) in [(Format::Csv, "01/02/2019", "good"), (Format::Xlsx, "02/02/2019", "inadequate"), (Format::Ods, "03/02/2019", "outstanding")] {
            let done = sent(&lead, &release_as(format, &[["SC670001", day, "", rating, "Active"]])).state("applied");
            assert_eq!(done.body["file"]["format"], format.extension());
            assert_eq!(held(&lead, "SC670001"), rating);
        }
        let mut book = Workbook::new();
        book.add_worksheet().set_name("Cover").unwrap().write(0, 0, "Children's social care in England").unwrap();
        let sheet = book.add_worksheet().set_name("Provider level").unwrap();
        sheet.write(0, 0, "Provider level, as at 31 March").unwrap();
        for (column, heading) in (0..).zip(HEADINGS) {
            sheet.write(3, column, heading).unwrap();
        }
        for (column, cell) in (0..).zip(["SC670001", "Children's home", "Havering", "Private", "04/02/2019", "", "Requires improvement to be good", "Active"]) {
            sheet.write(4, column, cell).unwrap();
        }
        let done = sent(&lead, &book.save_to_buffer().unwrap()).state("applied");
        assert!(note(&done.body, "other_sheets")["detail"].as_str().unwrap().contains("`Cover`"), "{:#}", done.body);
        assert_eq!(held(&lead, "SC670001"), "requires_improvement");
        let ndjson = sent(&lead, br#"{"URN": "SC670001"}"#).state("rejected");
        assert_eq!(codes(&lead, &ndjson), [(0, "register_format".to_owned())]);
    }
}

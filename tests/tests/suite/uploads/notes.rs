//! What is read with a reservation reaches the sender: in the upload, in the list, in the file of refused rows.

use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};

use super::{HOMES, case, counts, faults, kept, note, noted, send, send_bytes};
use crate::actor::{Actor, Reply};
use crate::app::TestApp;
use crate::applicants::Applicant;
use crate::market::Market;

const ANY: &str = "application/octet-stream";

fn sent(fens: &Applicant<'_>, mode: &str, file: &[u8]) -> Reply {
    send_bytes(&fens.provider, &format!("{HOMES}?mode={mode}"), ANY, file).expect(201)
}

fn rejected(actor: &Actor<'_>, id: &str) -> Reply {
    actor.get(&format!("/v1/uploads/{id}/rejected")).expect(200)
}

on_both! {
    fn a_cut_last_line_is_told(app: &TestApp) {
        app.at("2019-01-01T00:00:00Z");
        let fens = Applicant::new(app, "Fens Care");
        let done = sent(&fens, "partial", &case("homes_cut_last_cell.csv"));
        assert_eq!(note(&done.body, "no_final_line_end")["rows"], json!([2]));
        let shown = fens.provider.get(&format!("/v1/uploads/{}", done.id())).expect(200).body;
        assert_eq!(shown["notes"], done.body["notes"]);
        let listed = fens.provider.all("/v1/uploads");
        assert_eq!(listed[0]["notes"], done.body["notes"]);
        // NDJSON may be cut off as well, between two values.
        let line = br#"{"name": "Elm", "kind": "childrens_home"}"#;
        assert_eq!(noted(&sent(&fens, "atomic", line).state("applied").body), ["no_final_line_end"]);
        assert_eq!(noted(&sent(&fens, "atomic", b"name,kind\nOak,childrens_home\n").state("applied").body), [""; 0]);
    }

    fn notes_stand_before_the_refused_rows_and_are_not_read_again(app: &TestApp) {
        let fens = Applicant::new(app, "Fens Care");
        let done = sent(&fens, "partial", b"name,kind\nElm,castle\nOak,childrens_home").state("partial");
        let file = rejected(&fens.provider, &done.id()).text;
        let lines: Vec<&str> = file.lines().collect();
        assert!(lines[1].contains("no_final_line_end") && lines[1].starts_with(",,3,"), "{file}");
        assert!(lines[2].starts_with("Elm,castle,2,kind,unreadable_value"), "{file}");
        let corrected = file.replace("castle", "childrens_home");
        let again = sent(&fens, "atomic", corrected.as_bytes()).state("applied");
        assert_eq!(counts(&again.body), [1, 1, 0, 0, 0, 0]);
        assert_eq!(kept(&fens), 2);
    }

    fn a_file_that_is_refused_as_a_whole_has_its_faults_as_a_file_too(app: &TestApp) {
        let fens = Applicant::new(app, "Fens Care");
        let cut = |format: &str| {
            let template = fens.provider.get(&format!("/v1/upload-templates/homes?format={format}")).expect(200).bytes;
            template[..template.len() / 2].to_vec()
        };
        let cases: [(&[u8], &str); 9] = [
            (b"plum,pear\n1,2\n", "no_headings"),
            (b"name,kind\n", "no_rows"),
            (b"name,colour\nElm,red\n", "unknown_column"),
            (b"name,kind,name\nElm,castle,Oak\n", "duplicate_heading"),
            (b"name,kind\n\"Elm,castle\n", "unclosed_quote"),
            (b"name,kind\nA\0B,childrens_home\n", "not_text"),
            (b"{\"name\": \"Elm\", \"kin", "cut_off"),
            (&cut("xlsx"), "bad_xlsx"),
            (&cut("ods"), "bad_ods"),
        ];
        for (file, code) in cases {
            for mode in ["atomic", "partial"] {
                let done = sent(&fens, mode, file).state("rejected");
                let found: Vec<_> = faults(&fens.provider, &done.id()).into_iter().map(|fault| fault.3).collect();
                assert!(found.contains(&code.to_owned()), "{code}: {found:?}");
                let answer = rejected(&fens.provider, &done.id());
                if answer.header("content-type").is_some_and(|media| media.starts_with("text/csv") || media.ends_with("ndjson")) {
                    assert!(answer.text.contains(code), "{code} in\n{}", answer.text);
                }
            }
        }
        let script = app.script();
        for file in ["ratings_without_inspection_columns.csv", "homes_cut_last_cell.csv"] {
            let done = send_bytes(&script, "/v1/uploads/ratings", ANY, &case(file)).expect(201).state("rejected");
            rejected(&script, &done.id());
        }
        assert_eq!(kept(&fens), 0);
    }

    fn other_sheets_and_hidden_rows_and_columns_are_told(app: &TestApp) {
        app.at("2019-01-01T00:00:00Z");
        let fens = Applicant::new(app, "Fens Care");
        let done = sent(&fens, "atomic", &case("homes_two_sheets.xlsx")).state("applied");
        let told = note(&done.body, "other_sheets")["detail"].as_str().unwrap();
        assert!(told.contains("`Sheet`") && told.contains("`More homes`"), "{told}");
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        for (row, cells) in [["name", "kind"], ["Elm", "childrens_home"], ["Oak", "childrens_home"], ["Ash", "childrens_home"]].iter().enumerate() {
            for (column, cell) in cells.iter().enumerate() {
                sheet.write(u32::try_from(row).unwrap(), u16::try_from(column).unwrap(), *cell).unwrap();
            }
        }
        sheet.set_row_hidden(2).unwrap();
        sheet.set_row_hidden(3).unwrap();
        sheet.set_column_hidden(1).unwrap();
        let done = sent(&fens, "atomic", &book.save_to_buffer().unwrap()).state("applied");
        assert_eq!(noted(&done.body), ["hidden_columns", "hidden_rows"]);
        assert_eq!(note(&done.body, "hidden_rows")["rows"], json!([3]));
        assert_eq!(kept(&fens), 4);
    }

    fn the_sender_sees_what_amounts_were_understood_to_be(app: &TestApp) {
        let mut market = Market::draft(app, json!({"policies": {"admissionMode": "rolling"}}));
        market.require("cover", json!({
            "title": "Insured", "test": {"kind": "manual"}, "gate": "membership", "mandatory": true, "selfAssessable": false,
            "questions": [{"code": "sum", "text": "How much?", "answer": {"type": "money"}, "mandatory": false}],
            "evidence": [{"code": "policy", "title": "The policy", "mandatory": false}],
        }));
        market.define("CARE", "childrens_home");
        app.at("2019-01-03T09:00:00Z");
        market.publish();
        app.at(crate::market::LIVE);
        let fens = Applicant::new(app, "Fens Care");
        let application = fens.ready(&market, &["CARE"]);
        let path = format!("/v1/uploads/answers?application={}", application.id);
        let file = "requirement,question,value,evidence,documentName,documentUri,amount\n\
            cover,sum,\"£5,000,000\",,,,\ncover,,,policy,policy.pdf,https://example.org/p,500000000\n";
        let dry = send(&fens.provider, &format!("{path}&dryRun=true"), file).expect(201).state("validated");
        assert_eq!(note(&dry.body, "amounts_understood")["about"], json!(["£5000000.00", "£5000000.00"]));
        send(&fens.provider, &path, file).expect(201).state("applied");
        let draft = application.show()["draft"]["answers"][market.requirement("cover")].clone();
        assert_eq!((&draft["values"]["sum"], &draft["evidence"][0]["amount"]), (&json!(500_000_000), &json!(500_000_000)));
        let unclear = file.replace("\"£5,000,000\"", "5000000.00").replace("500000000", "€5000");
        let done = send(&fens.provider, &path, &unclear).expect(201).state("rejected");
        let found: Vec<_> = faults(&fens.provider, &done.id()).into_iter().map(|f| (f.0, f.1, f.3)).collect();
        let unclear = "amount_unclear".to_owned();
        assert_eq!(found, [(2, json!("value"), unclear.clone()), (3, json!("amount"), unclear)]);
        assert_eq!(done.body["notes"], Value::Array(Vec::new()));
    }
}

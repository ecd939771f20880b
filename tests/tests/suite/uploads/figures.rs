//! Money has a unit: in every format, in columns and in answers.

use std::io::{Cursor, Read as _, Write as _};

use rust_xlsxwriter::{Format as Shown, Workbook};
use serde_json::json;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::{case, faults, note, send, send_bytes};
use crate::app::TestApp;
use crate::members::{Member, rolling};

const FEES: &str = "/v1/uploads/fees";
const ANY: &str = "application/octet-stream";

/// A workbook with another text in the place of one of its own.
pub fn with(workbook: &[u8], text: &str, other: &str) -> Vec<u8> {
    let mut archive = ZipArchive::new(Cursor::new(workbook)).unwrap();
    let mut made = ZipWriter::new(Cursor::new(Vec::new()));
    for n in 0..archive.len() {
        let mut part = archive.by_index(n).unwrap();
        let mut content = String::new();
        part.read_to_string(&mut content).unwrap();
        made.start_file(part.name().unwrap().into_owned(), SimpleFileOptions::default()).unwrap();
        made.write_all(content.replace(text, other).as_bytes()).unwrap();
    }
    made.finish().unwrap().into_inner()
}

/// A workbook of one fee whose amount is shown in that format.
fn fee(membership: &str, code: &str, amount: f64, shown: &str) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let cells = [
        ("membership", membership),
        ("code", code),
        ("description", "Solo"),
        ("unit", "week"),
        ("validFrom", "2019-06-01"),
    ];
    for (column, (heading, cell)) in (0..).zip(cells) {
        sheet.write(0, column, heading).unwrap();
        sheet.write(1, column, cell).unwrap();
    }
    sheet.write(0, 5, "amountPence").unwrap();
    sheet.write_with_format(1, 5, amount, &Shown::new().set_num_format(shown)).unwrap();
    book.save_to_buffer().unwrap()
}

/// An ODS spreadsheet of the same, its amount in that cell.
fn ods_fee(membership: &str, code: &str, cell: &str) -> Vec<u8> {
    let text = |text: &str| {
        format!("<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>")
    };
    let row =
        |cells: [&str; 5], last: &str| format!("<table:table-row>{}{last}</table:table-row>", cells.map(text).concat());
    let rows = [
        row(["membership", "code", "description", "unit", "validFrom"], &text("amountPence")),
        row([membership, code, "Solo", "week", "2019-06-01"], cell),
    ];
    let content = format!(
        "<office:document-content xmlns:office=\"o\" xmlns:table=\"t\" xmlns:text=\"x\"><office:body><office:spreadsheet>\
         <table:table table:name=\"Fees\">{}</table:table></office:spreadsheet></office:body></office:document-content>",
        rows.concat()
    );
    let mut made = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, part) in [("mimetype", tables::Format::Ods.media_type()), ("content.xml", &content)] {
        made.start_file(name, stored).unwrap();
        made.write_all(part.as_bytes()).unwrap();
    }
    made.finish().unwrap().into_inner()
}

on_both! {
    fn an_amount_is_converted_by_its_unit_or_refused_by_name(app: &TestApp) {
        let market = rolling(app, json!({}));
        let member = Member::new(&market, "Fens Care");
        let provider = member.provider();
        let sent = |file: &[u8]| send_bytes(provider, FEES, ANY, file).expect(201);
        let amount = |code: &str| {
            let fees = provider.all(&format!("/v1/fees?membership={}", member.id));
            fees.into_iter().find(|fee| fee["code"] == code).unwrap()["amountPence"].clone()
        };
        let done = sent(&with(&case("fees_currency_cell.xlsx"), "MEMBERSHIP-ID", &member.id)).state("applied");
        assert_eq!(amount("SOLO"), 385_000);
        assert_eq!(note(&done.body, "amounts_understood")["about"], json!(["£3850.00"]));
        for (code, value, shown) in [
            ("A", 3850.0, "\"£\"#,##0.00"), ("B", 3850.0, "_-[$£-809]* #,##0.00_-"), ("C", 3850.0, "£#,##0"),
            ("D", 385_000.0, "General"), ("E", 385_000.0, "#,##0"), ("F", 3850.0, "#,##0.00 [$GBP]"),
        ] {
            sent(&fee(&member.id, code, value, shown)).state("applied");
            assert_eq!(amount(code), 385_000, "{shown}");
        }
        for (value, shown, fault) in [
            (3850.0, "[$€-407]#,##0.00", "currency_cell"), (3850.0, "$#,##0.00", "currency_cell"), (0.25, "0%", "amount_unclear"),
            (3850.0, "0.00", "amount_unclear"), (3850.0, "_-* #,##0.00_-;-* #,##0.00_-", "amount_unclear"), (3850.5, "General", "amount_unclear"),
            (3850.005, "\"£\"0.00", "amount_unclear"),
        ] {
            let done = sent(&fee(&member.id, "Z", value, shown)).state("rejected");
            let found: Vec<_> = faults(provider, &done.id()).into_iter().map(|f| (f.0, f.1, f.3)).collect();
            assert_eq!(found, [(2, json!("amountPence"), fault.to_owned())], "{shown}");
        }
        let pounds = |currency: &str| format!("<table:table-cell office:value-type=\"currency\" office:currency=\"{currency}\" office:value=\"3850\"><text:p>3,850.00</text:p></table:table-cell>");
        sent(&ods_fee(&member.id, "O", &pounds("GBP"))).state("applied");
        assert_eq!(amount("O"), 385_000);
        let euros = sent(&ods_fee(&member.id, "P", &pounds("EUR"))).state("rejected");
        assert_eq!(faults(provider, &euros.id())[0].3, "currency_cell");
        let shown = "<table:table-cell office:value-type=\"float\" office:value=\"3850\"><text:p>3,850.00</text:p></table:table-cell>";
        let unclear = sent(&ods_fee(&member.id, "P", shown)).state("rejected");
        assert_eq!(faults(provider, &unclear.id())[0].3, "amount_unclear");
        // As text, in CSV and NDJSON too.
        let text = |code: &str, amount: &str| format!(
            "membership,code,description,amountPence,unit,validFrom\n{},{code},Solo,\"{amount}\",week,2019-06-01\n", member.id
        );
        for (code, written) in [("T", "£3,850"), ("U", "£3850.00"), ("V", "385000p"), ("W", "3850 GBP"), ("X", "385000")] {
            send(provider, FEES, &text(code, written)).expect(201).state("applied");
            assert_eq!(amount(code), 385_000, "{written}");
        }
        for written in ["3,850", "3850.00", "€3850", "25%", "£38,50"] {
            let done = send(provider, FEES, &text("Z", written)).expect(201).state("rejected");
            assert_eq!(faults(provider, &done.id())[0].3, "amount_unclear", "{written}");
        }
    }
}

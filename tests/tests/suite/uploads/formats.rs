//! The three formats, told by their content, in and out.

use tables::{Format, Limits, Reader, Rejected, Writer};

use super::{HOMES, counts, faults, kept, send_bytes};
use crate::app::TestApp;
use crate::applicants::Applicant;

const HEADINGS: [&str; 5] = ["urn", "registeredOn", "name", "kind", "beds"];

fn file(format: Format, rows: &[[&str; 5]]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), format, &HEADINGS).unwrap();
    for row in rows {
        writer.row(row).unwrap();
    }
    writer.finish().unwrap()
}

/// The rows of a file by their headings, ours included.
fn read(format: Format, bytes: &[u8]) -> Vec<Vec<String>> {
    let known = |heading: &str| HEADINGS.contains(&heading);
    let reader = Reader::open(std::io::Cursor::new(bytes.to_vec()), format, Limits::default(), &known).unwrap();
    assert!(reader.headings().iter().all(|heading| !heading.starts_with("dps_")), "ours are not read");
    reader.map(|row| row.unwrap().cells).collect()
}

/// An archive whose table of contents claims another size for a part.
fn claiming(mut archive: Vec<u8>, part: &str, size: u32) -> Vec<u8> {
    let entry = archive
        .windows(46 + part.len())
        .rposition(|at| at.starts_with(b"PK\x01\x02") && at.ends_with(part.as_bytes()))
        .unwrap();
    archive[entry + 24..entry + 28].copy_from_slice(&size.to_le_bytes());
    archive
}

on_both! {
    fn each_format_comes_in_and_goes_out(app: &TestApp) {
        for (n, format) in [Format::Csv, Format::Ndjson, Format::Xlsx].into_iter().enumerate() {
            let fens = Applicant::new(app, "Fens Care");
            let (one, two) = (format!("SC10{n}001"), format!("SC10{n}002"));
            let rows = |kind: &'static str| file(format, &[
                [one.as_str(), "2010-04-01", "The Limes", "childrens_home", "3"], [two.as_str(), "2010-04-01", "The Elms", kind, "4"],
            ]);
            // The name of the media type decides nothing.
            let path = format!("{HOMES}?mode=partial");
            let done = send_bytes(&fens.provider, &path, "application/octet-stream", &rows("castle")).expect(201).state("partial");
            assert_eq!(counts(&done.body), [2, 1, 0, 0, 1, 0], "{format:?}");
            assert_eq!(done.body["file"]["format"], format.extension());
            assert_eq!(faults(&fens.provider, &done.id())[0].3, "unreadable_value");
            let refused = fens.provider.get(&format!("/v1/uploads/{}/rejected", done.id())).expect(200);
            assert_eq!(refused.header("content-type"), Some(format.media_type()));
            assert_eq!(read(format, &refused.bytes), [[two.as_str(), "2010-04-01", "The Elms", "castle", "4"]], "{format:?}");
            assert!(format == Format::Xlsx || refused.text.contains(Rejected::<Vec<u8>>::COLUMNS[2]), "{}", refused.text);
            send_bytes(&fens.provider, HOMES, "text/csv", &rows("childrens_home")).expect(201).state("applied");
            assert_eq!(kept(&fens), 2);
            let template = fens.provider.get(&format!("/v1/upload-templates/homes?format={}", format.extension())).expect(200);
            assert_eq!(Format::sniff(&template.bytes).unwrap(), format);
        }
    }

    fn a_workbook_that_is_cut_or_bloated_is_rejected(app: &TestApp) {
        let fens = Applicant::new(app, "Fens Care");
        let whole = file(Format::Xlsx, &[["SC100001", "2010-04-01", "The Limes", "childrens_home", "3"]]);
        let cut = send_bytes(&fens.provider, HOMES, "application/octet-stream", &whole[..whole.len() / 2]).expect(201);
        assert_eq!(faults(&fens.provider, &cut.state("rejected").id())[0].0, 0);
        // One that says what it unpacks to, and one that lies.
        let limes = ["SC100001", "2010-04-01", "The Limes", "childrens_home", "3"];
        let bloated = file(Format::Xlsx, &vec![limes; 1_500]);
        for (claim, code) in [(u32::MAX - 1, "inflated_too_large"), (100, "bad_xlsx")] {
            let bomb = claiming(bloated.clone(), "xl/worksheets/sheet1.xml", claim);
            let done = send_bytes(&fens.provider, HOMES, "application/octet-stream", &bomb).expect(201).state("rejected");
            let found: Vec<_> = faults(&fens.provider, &done.id()).into_iter().map(|fault| fault.3).collect();
            assert_eq!(found, [code]);
        }
        assert_eq!(kept(&fens), 0);
    }

    fn a_formula_is_one_refused_row(app: &TestApp) {
        let fens = Applicant::new(app, "Fens Care");
        let workbook = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/seeds/tables/formula.xlsx")).unwrap();
        let path = format!("{HOMES}?mode=partial");
        let done = send_bytes(&fens.provider, &path, "application/octet-stream", &workbook).expect(201).state("partial");
        assert_eq!(counts(&done.body), [2, 1, 0, 0, 1, 0]);
        let found = &faults(&fens.provider, &done.id())[0];
        assert_eq!((found.0, found.3.as_str()), (3, "formula_cell"));
        app.anonymous().get("/problems/formula_cell").expect(200);
        assert_eq!(kept(&fens), 1);
    }
}

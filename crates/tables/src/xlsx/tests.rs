//! Workbooks made here, part by part: as programs write them, and as nobody should.

use crate::{Fault, Format, Limits, Reader, Row};
use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

const TYPES: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const DATES: &str = r#"<styleSheet><numFmts><numFmt numFmtId="164" formatCode="[$-809]dd mmm yyyy"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/></cellXfs></styleSheet>"#;

/// A workbook of two sheets, the first of them hidden.
fn workbook(strings: &str, rows: &str) -> Vec<u8> {
    let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
    packed(strings, &sheet, "xl/sharedStrings.xml")
}

fn packed(strings: &str, sheet: &str, strings_part: &str) -> Vec<u8> {
    let root = format!(
        r#"<Relationships><Relationship Id="a" Type="{TYPES}/officeDocument" Target="/xl/workbook.xml"/></Relationships>"#
    );
    let links = format!(
        r#"<Relationships><Relationship Id="r1" Type="{TYPES}/worksheet" Target="worksheets/hidden.xml"/><Relationship Id="r2" Type="{TYPES}/worksheet" Target="../xl/worksheets/sheet.xml"/><Relationship Id="r3" Type="{TYPES}/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="r4" Type="{TYPES}/styles" Target="styles.xml"/></Relationships>"#
    );
    let book = r#"<x:workbook><x:sheets><x:sheet name="H" sheetId="1" state="hidden" r:id="r1"/><x:sheet name="S" sheetId="2" r:id="r2"/></x:sheets></x:workbook>"#;
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, xml) in [
        ("_rels/.rels", root.as_str()),
        ("xl/workbook.xml", book),
        ("xl/_rels/workbook.xml.rels", &links),
        ("xl/worksheets/hidden.xml", "<worksheet/>"),
        ("xl/worksheets/sheet.xml", sheet),
        (strings_part, strings),
        ("xl/styles.xml", DATES),
    ] {
        zip.start_file(name, options).expect("begun");
        zip.write_all(xml.as_bytes()).expect("written");
    }
    zip.finish().expect("ended").into_inner()
}

fn read_with(bytes: &[u8], limits: Limits) -> Result<Vec<Row>, Fault> {
    Reader::open(Cursor::new(bytes), Format::Xlsx, limits, &|heading| heading.starts_with("Name"))?.collect()
}

fn read(bytes: &[u8]) -> Result<Vec<Row>, Fault> {
    read_with(bytes, Limits::default())
}

fn rows(cells: &str) -> String {
    format!(
        "<row r=\"2\"><c r=\"B2\" t=\"inlineStr\"><is><t>Name</t></is></c><c r=\"C2\" t=\"str\"><v>Day</v></c></row><row r=\"5\">{cells}</row>"
    )
}

fn refused(bytes: &[u8]) -> (&'static str, String) {
    let fault = read(bytes).expect_err("refused");
    (fault.code, fault.message)
}

#[test]
fn cells_are_what_the_sheet_shows() {
    let strings = "<sst><si><t>a &amp; b</t></si><si><r><t>Z</t></r><r><t xml:space=\"preserve\">oë </t></r><rPh><t>guide</t></rPh></si></sst>";
    for (cell, shown) in [
        (r#"<c r="B5" t="s"><v>0</v></c>"#, "a & b"),
        (r#"<c r="B5" t="s"><v>1</v></c>"#, "Zoë "),
        (r#"<c r="B5"><v>12.5</v></c>"#, "12.5"),
        (r#"<c r="B5"><v>4.0</v></c>"#, "4"),
        (r#"<c r="B5" t="n"><v>0.30000000000000004</v></c>"#, "0.3"),
        (r#"<c r="B5" s="1"><v>45016</v></c>"#, "2023-03-31"),
        (r#"<c r="B5" s="2"><v>45016.5</v></c>"#, "2023-03-31T12:00:00"),
        (r#"<c r="B5" t="d"><v>2023-03-31T00:00:00Z</v></c>"#, "2023-03-31"),
        (r#"<c r="B5" t="b"><v>1</v></c>"#, "true"),
        (r#"<c r="B5" t="inlineStr"><is><t>_x0041_&#233;<![CDATA[<]]></t></is></c>"#, "Aé<"),
        (r#"<c r="B5" t="inlineStr"><is><t>'=1</t></is></c>"#, "=1"),
    ] {
        let read = read(&workbook(strings, &rows(cell))).expect("read");
        assert_eq!(read, [Row { number: 5, cells: vec![shown.to_owned(), String::new()], ..Row::default() }], "{cell}");
    }
}

#[test]
fn a_cell_that_cannot_be_told_is_the_row_s_fault() {
    let long = format!(r#"<c r="B5" t="inlineStr"><is><t>{}</t></is></c>"#, "é".repeat(40_000));
    for (cell, code, value) in [
        (r#"<c r="B5"><f>1+1</f><v>2</v></c>"#, "formula_cell", "=1+1"),
        (r#"<c r="B5" t="str"><f t="shared" si="0"/><v>x</v></c>"#, "formula_cell", "="),
        (r#"<c r="B5" t="e"><v>#DIV/0!</v></c>"#, "error_cell", "#DIV/0!"),
        (r#"<c r="B5"><v>12345678901234567</v></c>"#, "inexact_number", "12345678901234567"),
        (r#"<c r="B5" s="1"><v>60</v></c>"#, "bad_date", "60"),
        (r#"<c r="B5" t="inlineStr"><is><t>a_x0000_</t></is></c>"#, "bad_character", "a\0"),
        (&long, "long_cell", &format!("{}…", "é".repeat(199))),
    ] {
        let read = read(&workbook("<sst/>", &rows(cell))).expect("read");
        let [row] = read.as_slice() else { panic!("one row: {read:?}") };
        let [fault] = row.faults.as_slice() else { panic!("one fault: {row:?}") };
        assert_eq!((fault.row, fault.column.as_str(), fault.code, fault.value.as_str()), (5, "Name", code, value));
    }
    let stray = read(&workbook("<sst/>", &rows(r#"<c r="XFD5"><v>1</v></c>"#))).expect("read");
    assert_eq!((stray[0].faults[0].code, stray[0].faults[0].value.as_str()), ("ragged_row", "1"));
}

#[test]
fn a_workbook_that_is_none_is_refused_by_name() {
    assert_eq!(refused(b"PK\x03\x04").0, "bad_xlsx");
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("readme.txt", SimpleFileOptions::default()).expect("begun");
    assert_eq!(refused(&zip.finish().expect("ended").into_inner()).0, "not_xlsx");
    let (code, message) = refused(&workbook("<sst/>", r#"<row r="3"/><row r="2"/>"#));
    assert_eq!(code, "bad_xlsx");
    assert!(message.contains("out of order"), "{message}");
    for cells in
        [r#"<c r="C5"/><c r="B5"/>"#, r#"<c r="XFE5"/>"#, r#"<c r="B5" t="s"><v>7</v></c>"#, "<c>&nope;</c>", "<c></d>"]
    {
        assert_eq!(refused(&workbook("<sst/>", &rows(cells))).0, "bad_xlsx", "{cells}");
    }
    assert_eq!(refused(&packed("<sst/>", "<worksheet><sheetData>", "xl/sharedStrings.xml")).0, "bad_xlsx");
}

#[expect(clippy::format_collect, reason = "it is written once")]
#[test]
fn what_is_made_to_do_harm_does_none() {
    // Spaces pack into a thousandth of their bytes.
    let small = Limits { inflated_bytes: 1 << 20, ..Limits::default() };
    let bomb = format!("<sst>{}</sst>", " ".repeat(2_500_000));
    assert_eq!(read_with(&workbook(&bomb, &rows("")), small).expect_err("refused").code, "inflated_too_large");
    // The same, where the archive lies about its sizes.
    let mut lying = workbook(&bomb, &rows(""));
    let size = u32::try_from(bomb.len()).expect("small").to_le_bytes();
    for at in 0..lying.len() - 4 {
        if lying[at..at + 4] == size {
            lying[at..at + 4].copy_from_slice(&100_u32.to_le_bytes());
        }
    }
    assert_eq!(read_with(&lying, Limits { row_bytes: 64 << 20, ..small }).expect_err("refused").code, "bad_xlsx");
    let (code, message) = refused(&workbook(&bomb, &rows("")));
    assert!(code == "bad_xlsx" && message.contains("a piece of it"), "{message}");

    let laughs = r#"<!DOCTYPE sst [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><sst><si><t>&b;</t></si></sst>"#;
    assert!(refused(&workbook(laughs, &rows(""))).1.contains("document type"));
    let deep = format!("<sst>{}", "<a>".repeat(10_000));
    assert!(refused(&workbook(&deep, &rows(""))).1.contains("deeply"));

    let texts = format!("<sst>{}</sst>", "<si><t>text</t></si>".repeat(10_000));
    let held = Limits { strings_bytes: 1 << 16, ..Limits::default() };
    assert_eq!(read_with(&workbook(&texts, &rows("")), held).expect_err("refused").code, "inflated_too_large");
    let huge = format!("<sst><si><t>{}</t></si></sst>", "x".repeat(3 << 20));
    assert!(refused(&workbook(&huge, &rows(""))).1.contains("a piece of it"));

    let wide: String = (0..16_384).map(|n| format!(r#"<c t="str"><v>Name{n}</v></c>"#)).collect();
    assert_eq!(refused(&workbook("<sst/>", &format!("<row>{wide}</row>"))).0, "too_many_columns");
    let blank: String = (948_576..=1_048_576).map(|n| format!(r#"<row r="{n}"/>"#)).collect();
    let read_all = read(&workbook("<sst/>", &format!("{}{blank}", rows(r#"<c r="B5"><v>1</v></c>"#)))).expect("read");
    assert_eq!(read_all.len(), 1);
}

#[test]
fn a_damaged_part_or_a_crowded_archive_is_refused() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for n in 0..1_001 {
        zip.start_file(format!("{n}"), stored).expect("begun");
    }
    let crowd = zip.finish().expect("ended").into_inner();
    assert!(refused(&crowd).1.contains("more parts"));

    let whole = workbook("<sst/>", &rows(r#"<c r="B5"><v>1</v></c>"#));
    let original = read(&whole).expect("read");
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        // Names and times of parts may change without harm; values may not.
        if let Ok(rows) = read(&damaged) {
            assert_eq!(rows, original, "byte {at}");
        }
    }
}

//! Spreadsheets made here, as programs write them, and as nobody should.

use crate::{Fault, Format, Limits, Reader, Row};
use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

fn spreadsheet(styles: &str, tables: &str) -> Vec<u8> {
    let content = format!(
        r#"<office:document-content xmlns:office="o" xmlns:table="t" xmlns:text="x" xmlns:style="s" xmlns:calcext="c"><office:automatic-styles>{styles}</office:automatic-styles><office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>"#
    );
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let packed = stored.compression_method(CompressionMethod::Deflated);
    for (name, bytes, how) in [
        ("mimetype", super::MEDIA_TYPE, stored),
        ("META-INF/manifest.xml", "<manifest/>", packed),
        ("content.xml", &content, packed),
    ] {
        zip.start_file(name, how).expect("begun");
        zip.write_all(bytes.as_bytes()).expect("written");
    }
    zip.finish().expect("ended").into_inner()
}

fn table(name: &str, rows: &str) -> String {
    format!(r#"<table:table table:name="{name}">{rows}</table:table>"#)
}

fn text(text: &str) -> String {
    format!(r#"<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>"#)
}

fn row(cells: &str) -> String {
    format!("<table:table-row>{cells}</table:table-row>")
}

const HEADINGS: &str = "<table:table-row><table:table-cell/><table:table-cell office:value-type=\"string\"><text:p>Name</text:p></table:table-cell><table:table-cell office:value-type=\"string\"><text:p>Nameless</text:p></table:table-cell></table:table-row>";

fn opened(bytes: &[u8]) -> Result<(Vec<Row>, Vec<&'static str>), Fault> {
    assert_eq!(Format::sniff(bytes).ok(), Some(Format::Ods));
    let known = |heading: &str| heading.starts_with("Name");
    let mut reader = Reader::open(Cursor::new(bytes), Format::Ods, Limits::default(), &known)?;
    let rows = reader.by_ref().collect::<Result<_, _>>()?;
    Ok((rows, reader.notes().iter().map(|note| note.code).collect()))
}

fn read(tables: &str) -> Result<Vec<Row>, Fault> {
    opened(&spreadsheet("", tables)).map(|(rows, _)| rows)
}

#[test]
fn cells_are_what_the_sheet_shows() {
    for (cell, shown) in [
        (text("a &amp; b"), "a & b"),
        (text("a<text:s text:c=\"2\"/>b<text:tab/><text:span>c</text:span><text:line-break/>d"), "a  b\tc\nd"),
        (r#"<table:table-cell office:value-type="string"><text:p>one</text:p><text:p>two</text:p></table:table-cell>"#.to_owned(), "one\ntwo"),
        (r#"<table:table-cell office:value-type="string"><office:annotation><text:p>a note</text:p></office:annotation><text:p>x</text:p></table:table-cell>"#.to_owned(), "x"),
        (r#"<table:table-cell office:value-type="float" office:value="0.30000000000000004"><text:p>0.3</text:p></table:table-cell>"#.to_owned(), "0.3"),
        (r#"<table:table-cell office:value-type="float" office:value="3850"><text:p>3,850.00</text:p></table:table-cell>"#.to_owned(), "3850.00"),
        (r#"<table:table-cell office:value-type="currency" office:currency="GBP" office:value="3850"><text:p>£3,850.00</text:p></table:table-cell>"#.to_owned(), "£3850.00"),
        (r#"<table:table-cell office:value-type="percentage" office:value="0.25"><text:p>25%</text:p></table:table-cell>"#.to_owned(), "25%"),
        (r#"<table:table-cell office:value-type="date" office:date-value="2023-03-31"><text:p>31/03/23</text:p></table:table-cell>"#.to_owned(), "2023-03-31"),
        (r#"<table:table-cell office:value-type="time" office:time-value="PT09H30M00S"><text:p>09:30</text:p></table:table-cell>"#.to_owned(), "09:30:00"),
        (r#"<table:table-cell office:value-type="boolean" office:boolean-value="true"><text:p>TRUE</text:p></table:table-cell>"#.to_owned(), "true"),
        (text("'=1"), "=1"),
    ] {
        let rows = read(&table("S", &format!("{HEADINGS}{}", row(&format!("<table:table-cell/>{cell}"))))).expect("read");
        assert_eq!(rows, [Row { number: 2, cells: vec![shown.to_owned(), String::new()], ..Row::default() }], "{cell}");
    }
}

#[test]
fn a_cell_that_cannot_be_told_is_the_row_s_fault() {
    for (cell, code) in [
        (
            r#"<table:table-cell table:formula="of:=1+1" office:value-type="float" office:value="2"><text:p>2</text:p></table:table-cell>"#,
            "formula_cell",
        ),
        (
            r#"<table:table-cell office:value-type="string" calcext:value-type="error"><text:p>#N/A</text:p></table:table-cell>"#,
            "error_cell",
        ),
        (
            r#"<table:table-cell office:value-type="currency" office:currency="EUR" office:value="1"><text:p>1 €</text:p></table:table-cell>"#,
            "currency_cell",
        ),
        (
            r#"<table:table-cell office:value-type="float" office:value="12345678901234567"><text:p>1.2E+16</text:p></table:table-cell>"#,
            "inexact_number",
        ),
    ] {
        let rows =
            read(&table("S", &format!("{HEADINGS}{}", row(&format!("<table:table-cell/>{cell}"))))).expect("read");
        let [row] = rows.as_slice() else { panic!("one row: {rows:?}") };
        assert_eq!(
            row.faults.iter().map(|f| (f.row, f.column.as_str(), f.code)).collect::<Vec<_>>(),
            [(2, "Name", code)]
        );
    }
}

#[test]
fn what_stands_for_several_is_each_of_them() {
    let again = r#"<table:table-row table:number-rows-repeated="3"><table:table-cell/><table:table-cell table:number-columns-repeated="2" office:value-type="string"><text:p>x</text:p></table:table-cell><table:table-cell table:number-columns-repeated="16000"/></table:table-row>"#;
    let blank = r#"<table:table-row table:number-rows-repeated="5"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>"#;
    let rest = r#"<table:table-row table:number-rows-repeated="1048000"><table:table-cell/></table:table-row>"#;
    let rows = read(&table("S", &format!("{HEADINGS}{again}{blank}{again}{rest}"))).expect("read");
    assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), [2, 3, 4, 10, 11, 12]);
    assert!(rows.iter().all(|row| row.cells == ["x", "x"] && row.faults.is_empty()), "{rows:?}");
    let more = again.replace("\"3\"", "\"2000000\"");
    assert_eq!(read(&table("S", &format!("{HEADINGS}{more}"))).expect_err("refused").code, "bad_ods");
    let many = again.replace("\"3\"", "\"1000000\"");
    assert_eq!(read(&table("S", &format!("{HEADINGS}{many}"))).expect_err("refused").code, "too_many_rows");
    let wide = again.replace("\"2\"", "\"1000000000\"");
    let rows = read(&table("S", &format!("{HEADINGS}{wide}"))).expect("read");
    assert!(rows.iter().all(|row| row.faults.iter().any(|fault| fault.code == "ragged_row")));
}

#[test]
fn the_sheet_with_the_headings_is_read_and_what_is_hidden_is_told() {
    let style = r#"<style:style style:name="ta2" style:family="table"><style:table-properties table:display="false"/></style:style>"#;
    let cover = table("Cover", &row(&text("How to fill in this form")));
    let hidden = format!(
        r#"<table:table table:name="Lists" table:style-name="ta2">{HEADINGS}{}</table:table>"#,
        row(&text("no"))
    );
    let column = r#"<table:table-column/><table:table-column table:visibility="collapse"/>"#;
    let filtered =
        format!(r#"<table:table-row table:visibility="filter"><table:table-cell/>{}</table:table-row>"#, text("y"));
    let homes =
        table("Homes", &format!("{column}{HEADINGS}{}{filtered}", row(&format!("<table:table-cell/>{}", text("x")))));
    let (rows, notes) = opened(&spreadsheet(style, &format!("{cover}{hidden}{homes}"))).expect("read");
    assert_eq!(rows.iter().map(|row| row.cells[0].as_str()).collect::<Vec<_>>(), ["x", "y"]);
    assert_eq!(notes, ["other_sheets", "hidden_columns", "hidden_rows"]);
    let none = opened(&spreadsheet("", &format!("{cover}{}", table("More", &row(&text("b")))))).expect_err("refused");
    assert!(
        none.code == "no_headings" && none.message.contains("`Cover`") && none.message.contains("`More`"),
        "{none}"
    );
}

#[test]
fn what_is_made_to_grow_does_not() {
    let blank = " ".repeat(3_000_000);
    let limits = Limits { inflated_bytes: 1 << 20, ..Limits::default() };
    let known = |heading: &str| heading.starts_with("Name");
    let bomb = spreadsheet("", &table("S", &format!("{HEADINGS}{blank}")));
    let fault = Reader::open(Cursor::new(bomb.as_slice()), Format::Ods, limits, &known).expect_err("refused");
    assert_eq!((fault.code, bomb.len() < 10_000), ("inflated_too_large", true));
    let deep = "<table:table-row>".repeat(1_000);
    assert!(read(&table("S", &deep)).expect_err("refused").message.contains("deeply"));
}

#[test]
fn what_is_no_spreadsheet_is_refused_by_name() {
    let damaged = |from: usize| {
        let mut bytes = spreadsheet("", &table("S", HEADINGS));
        bytes.truncate(bytes.len() - from);
        opened(&bytes).expect_err("refused").code
    };
    assert_eq!((damaged(1), damaged(200)), ("bad_ods", "bad_ods"));
    assert_eq!(read("<table:table><table:table-row>").expect_err("refused").code, "bad_ods");
    assert_eq!(read("").expect_err("refused").code, "not_ods");
}

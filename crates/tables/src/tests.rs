use super::*;
use proptest::prelude::*;
use std::io::Cursor;

const FORMATS: [Format; 4] = [Format::Csv, Format::Ndjson, Format::Xlsx, Format::Ods];

fn known(heading: &str) -> bool {
    matches!(heading, "Name" | "Places" | "Note")
}

/// A text as that format keeps it: XML has no control characters, and ODS one way to end a line.
fn kept(format: Format, text: &str) -> String {
    if format != Format::Ods {
        return text.to_owned();
    }
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    let kept = |c: char| c == '\n' || c == '\t' || !(c.is_ascii_control() || matches!(c, '\u{fffe}' | '\u{ffff}'));
    lines.chars().map(|c| if kept(c) { c } else { '\u{fffd}' }).collect()
}

fn written(format: Format, rows: &[Vec<String>]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), format, &["Name", "Places", "Note"]).expect("begun");
    for row in rows {
        writer.row(row).expect("written");
    }
    writer.finish().expect("ended")
}

fn read_with(bytes: &[u8], limits: Limits) -> Result<Vec<Row>, Fault> {
    let format = Format::sniff(bytes.get(..256).unwrap_or(bytes))?;
    Reader::open(Cursor::new(bytes), format, limits, &known)?.collect()
}

fn read(bytes: impl AsRef<[u8]>) -> Result<Vec<Row>, Fault> {
    read_with(bytes.as_ref(), Limits::default())
}

fn refused(bytes: impl AsRef<[u8]>) -> (&'static str, u64) {
    let fault = read(bytes).expect_err("refused");
    (fault.code, fault.row)
}

fn codes(rows: &[Row]) -> Vec<(u64, &str, &'static str)> {
    rows.iter().flat_map(|row| &row.faults).map(|f| (f.row, f.column.as_str(), f.code)).collect()
}

fn texts(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|&cell| cell.to_owned()).collect()
}

#[test]
fn a_table_comes_back_as_it_was_written_in_every_format() {
    let rows = [
        texts(&["Zoë’s \"home\"", "007", "a,b;c\r\n\td"]),
        texts(&["=1+1", "", " -x "]),
        texts(&["'=1", "-4.5", "_x0041_"]),
    ];
    for format in FORMATS {
        let bytes = written(format, &rows);
        assert_eq!(Format::sniff(&bytes).ok(), Some(format));
        let back = read(&bytes).expect("read");
        let expected: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| kept(format, cell)).collect()).collect();
        assert_eq!(back.iter().map(|row| row.cells.clone()).collect::<Vec<_>>(), expected, "{format:?}");
        assert!(back.iter().all(|row| row.faults.is_empty()));
        let first = if format == Format::Ndjson { 1 } else { 2 };
        assert_eq!(back[0].number, first);
    }
    let csv = String::from_utf8(written(Format::Csv, &rows)).expect("text");
    assert!(csv.contains("\r\n'=1+1,,' -x \r\n"), "what would run does not: {csv}");
}

#[test]
fn refused_rows_can_be_sent_again_as_they_are() {
    let row = Row { number: 7, cells: texts(&["@Home", "four", ""]), ..Row::default() };
    let fault = |column: &str, code| Fault { column: column.to_owned(), ..Fault::file(code, "=no").at(7) };
    let headings = texts(&["Name", "Places", "Note"]);
    for format in FORMATS {
        let mut rejected = Rejected::new(Vec::new(), format, &headings).expect("begun");
        rejected.row(&row, &[fault("Places", "bad_places"), fault("", "other")]).expect("written");
        let bytes = rejected.finish().expect("ended");
        let back = Reader::open(Cursor::new(&bytes), format, Limits::default(), &known).expect("opens");
        assert!(back.headings().iter().all(|heading| known(heading)));
        let back: Vec<Row> = back.collect::<Result<_, _>>().expect("read");
        let [again] = back.as_slice() else { panic!("one row: {back:?}") };
        assert_eq!((&again.cells[..2], again.faults.len()), (&row.cells[..2], 0), "{format:?}");
        if format == Format::Csv {
            let text = String::from_utf8(bytes).expect("text");
            assert!(text.ends_with("'@Home,four,,7,Places,bad_places; other,'=no; =no\r\n"), "{text}");
        }
    }
}

#[test]
fn what_is_absent_is_told_from_what_is_blank() {
    let text = "{\"Name\": \"a\", \"Note\": null}\n{\"Name\": \"\", \"Places\": 4}\n";
    let rows = read(text).expect("read");
    assert_eq!(rows.iter().map(|row| row.absent.clone()).collect::<Vec<_>>(), [vec![2], vec![1]]);
    // And so it goes out again.
    let mut writer = Writer::new(Vec::new(), Format::Ndjson, &["Name", "Note", "Places", "dps_code"]).expect("begun");
    for row in &rows {
        writer.row_again(row, &["x"]).expect("written");
    }
    let again = writer.finish().expect("ended");
    let said = rows.iter().map(|row| (row.cells.clone(), row.absent.clone())).collect::<Vec<_>>();
    let back = read(&again).expect("read");
    assert_eq!(back.iter().map(|row| (row.cells.clone(), row.absent.clone())).collect::<Vec<_>>(), said);
    assert_eq!(read("Name,Places\na,\n").expect("read")[0].absent, [0_usize; 0]);
}

#[test]
fn rows_that_have_nothing_but_our_own_words_are_not_read() {
    for format in FORMATS {
        let mut writer = Writer::new(Vec::new(), format, &["Name", "Places", "dps_code", "dps_reason"]).expect("begun");
        writer.row(&["", "", "other_sheets", "only one is read"]).expect("written");
        writer.row(&["a", "4", "", ""]).expect("written");
        let rows = read(writer.finish().expect("ended")).expect("read");
        assert_eq!(rows.iter().map(|row| row.cells.clone()).collect::<Vec<_>>(), [texts(&["a", "4"])], "{format:?}");
    }
}

#[test]
fn a_template_reads_as_its_example() {
    for format in FORMATS {
        let bytes = template(Vec::new(), format, &["Name", "Places"], &["Fen House", "4"]).expect("written");
        assert_eq!(read(bytes).expect("read")[0].cells, ["Fen House", "4"]);
    }
}

#[test]
fn what_is_wrong_with_a_row_leaves_the_others() {
    let long = "x".repeat(10 << 20);
    let csv = [
        b"Name,Places,Note,,\na,1\nb,2,c,,stray\n".as_slice(),
        b"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9,\xff,\n\"d\"x,4,\n",
        format!("{long},5,\n").as_bytes(),
        b"good,6,\n",
    ]
    .concat();
    let rows = read(csv).expect("read");
    assert_eq!(
        codes(&rows),
        [
            (2, "", "ragged_row"),
            (3, "", "ragged_row"),
            (4, "Places", "bad_encoding"),
            (5, "Name", "bad_quotes"),
            (6, "Name", "long_cell")
        ]
    );
    assert_eq!(rows[4].cells[0].len(), Limits::default().cell_bytes);
    assert_eq!(rows[4].faults[0].value.chars().count(), MAX_VALUE);
    assert_eq!(rows[5].cells, texts(&["good", "6", ""]));

    let json = [
        b"{\"Name\": \"a\", \"Places\": 12.50, \"Note\": null}\n\n[1]\n{\"Name\": {}}\n{\"Name\":\n{\"Name\": \"\xff\"}\n".as_slice(),
        b"{\"Name\": 1, \"Name\": 2}\n{\"Note\": \"\\u0000\"}\n",
        format!("{{\"Name\": \"{long}\"}}\n{{\"Name\": {}}}\n", "[".repeat(100_000)).as_bytes(),
        b"{\"Places\": true, \"Name\": -0.10}",
    ]
    .concat();
    let rows = read(json).expect("read");
    assert_eq!(rows[0].cells, texts(&["a", "12.50", ""]));
    assert_eq!(
        codes(&rows),
        [
            (3, "", "not_an_object"),
            (4, "Name", "nested_value"),
            (5, "", "bad_json"),
            (6, "", "bad_encoding"),
            (7, "Name", "duplicate_key"),
            (8, "Note", "bad_character"),
            (9, "", "long_row"),
            (10, "", "bad_json"),
        ]
    );
    assert_eq!(rows.last().map(|row| row.cells.clone()), Some(texts(&["-0.10", "true", ""])));
}

#[test]
fn what_is_wrong_with_the_file_is_its_error() {
    assert_eq!(refused(""), ("no_headings", 0));
    assert_eq!(refused("a,b\n1,2\n"), ("no_headings", 1));
    assert_eq!(refused("\n\nName,Places, Name\n"), ("duplicate_heading", 3));
    assert_eq!(refused("Name,Places\na,\"4\nb,5\n"), ("unclosed_quote", 2));
    assert_eq!(refused("Name\na\n\0\n"), ("not_text", 3));
    assert_eq!(refused("Name\n\"a\nb\"\n\0\n"), ("not_text", 3));
    assert_eq!(refused("{\"Name\": \"a\"}\n{\"Name\": \"b"), ("cut_off", 2));
    assert_eq!(refused(format!("Name{}\n", ",x".repeat(16_383))), ("too_many_columns", 1));
    let keys: Vec<String> = (0..300).map(|n| format!("\"Name{n}\":1")).collect();
    assert_eq!(refused(format!("{{{}}}", keys.join(","))), ("too_many_columns", 1));
    let few = Limits { rows: 2, bytes: 40, ..Limits::default() };
    let limited = |text: &str| read_with(text.as_bytes(), few).expect_err("refused").code;
    assert_eq!(limited("Name\na\n,\nb\nc\n"), "too_many_rows");
    assert_eq!(limited("{\"Name\":1}\n{\"Name\":1}\n{\"Name\":1}"), "too_many_rows");
    assert_eq!(limited(&"Name\n".repeat(10)), "too_large");
}

#[test]
fn a_title_blank_rows_and_a_missing_line_end_are_noticed() {
    let text = "A title; of this table\n\nName;\"Number\nof\"; \n\n;;\na;4;\n";
    let reader = Reader::open(Cursor::new(text), Format::Csv, Limits::default(), &known).expect("opens");
    assert_eq!(reader.headings(), ["Name", "Number of"]);
    assert_eq!((reader.headings_row(), reader.preamble()[0].number), (3, 1));
    assert!(reader.notes().is_empty());
    let rows: Vec<Row> = reader.collect::<Result<_, _>>().expect("read");
    assert_eq!(rows, [Row { number: 6, cells: texts(&["a", "4"]), ..Row::default() }]);
    let reader = Reader::open(Cursor::new("Name\na"), Format::Csv, Limits::default(), &known).expect("opens");
    assert_eq!(reader.notes()[0].code, "no_final_line_end");
    let blank = format!("Name\n{}a\n", ",\n".repeat(1_048_576));
    assert_eq!(read(blank).expect("read")[0].number, 1_048_578);
}

#[test]
fn a_cut_off_file_is_never_read_as_a_whole_one() {
    let rows: Vec<Vec<String>> = (0..40).map(|n| texts(&[&format!("\"{n}\", a"), "4", "x\ny"])).collect();
    for format in FORMATS {
        let whole = written(format, &rows);
        let is_workbook = matches!(format, Format::Xlsx | Format::Ods);
        for length in (0..whole.len()).step_by(if is_workbook { 17 } else { 3 }) {
            let Ok(read) = read(&whole[..length]) else { continue };
            assert!(!is_workbook, "{format:?} of {length} bytes");
            let good = read.iter().filter(|row| row.faults.is_empty());
            for (row, original) in good.zip(&rows) {
                // CSV that ends without a line end has a note, and its last cell may have been cut.
                let is_last = row.number == read.last().map_or(0, |last| last.number);
                assert!(row.cells == *original || is_last && format == Format::Csv, "{format:?} at {length}: {row:?}");
            }
        }
    }
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "['=+@\t\r\n -]{0,3}[0-9a-z=]{0,3}",
        "[_x0-9A-F\r\u{1}]{0,12}",
        "[,;\t\"\r\n é–'{}<&]{0,8}",
    ]
    .prop_map(|text| text.replace('\0', ""))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_comes_back(cells in prop::collection::vec(prop::collection::vec(cell(), 3), 1..5)) {
        let mut rows = cells;
        rows.retain(|row| row.iter().any(|cell| !cell.trim().is_empty()));
        for format in FORMATS {
            let back = read(written(format, &rows));
            let back = if rows.is_empty() && format == Format::Ndjson { Ok(Vec::new()) } else { back };
            let back: Vec<Row> = back.expect("read");
            let expected: Vec<Vec<String>> = rows.iter().map(|row| match format {
                Format::Ndjson => by_key(&rows, row),
                _ => row.iter().map(|cell| kept(format, cell)).collect(),
            }).collect();
            prop_assert_eq!(back.into_iter().map(|row| row.cells).collect::<Vec<_>>(), expected, "{:?}", format);
        }
    }

    #[test]
    fn csv_is_split_as_the_common_reader_splits_it(text in "[ab,\"\r\n]{0,24}") {
        let ours: Vec<_> = csv::split(&text);
        prop_assume!(ours.iter().all(|record| record.as_ref().is_ok_and(|record| record.flaws.is_empty())));
        let theirs = ::csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes()).into_records();
        let theirs: Vec<Vec<String>> = theirs.map(|r| r.expect("read").iter().map(str::to_owned).collect()).collect();
        prop_assert_eq!(ours.into_iter().flatten().map(|record| record.cells).collect::<Vec<_>>(), theirs);
    }
}

/// `rust_xlsxwriter` 0.102 alone does not let the first and the third come back.
#[test]
fn what_looks_like_an_escape_comes_back() {
    for text in ["_x0A00\r", "_x0041_x0042_", "_x0041_x0A00\r", "_x000D_", "a_x_x0041"] {
        let rows = vec![vec![text.to_owned(), String::new(), String::new()]];
        let back: Vec<Row> = read(written(Format::Xlsx, &rows)).expect("read");
        assert_eq!(back.into_iter().map(|row| row.cells).collect::<Vec<_>>(), rows);
    }
}

/// A row's cells in the order of the keys as they first come: blank cells are not written.
fn by_key(rows: &[Vec<String>], row: &[String]) -> Vec<String> {
    let mut places: Vec<usize> = Vec::new();
    for place in rows.iter().flat_map(|row| (0..row.len()).filter(|&at| !row[at].is_empty())) {
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places.into_iter().map(|place| row[place].clone()).collect()
}

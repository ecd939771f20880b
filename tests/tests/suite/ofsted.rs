//! The fictional releases of `samples/`, and small ones made here.
use chrono::NaiveDate;
use std::collections::BTreeMap;
use tables::ofsted::{Entry, List, ProvisionType, Rating, Sector, read};
use tables::{Encoding, Fault};

fn sample(name: &str) -> Result<List, Vec<Fault>> {
    let path = format!("{}/../samples/{name}", env!("CARGO_MANIFEST_DIR"));
    read(&std::fs::read(path).unwrap_or_default())
}

fn day(y: i32, m: u32, d: u32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(y, m, d)
}

fn by_urn<'a>(list: &'a List, urn: &str) -> Option<&'a Entry> {
    list.rows.iter().find(|entry| entry.urn == urn)
}

fn faults(errors: &[Fault]) -> Vec<(u64, &str, &str, &str)> {
    errors.iter().map(|e| (e.row, e.column.as_str(), e.value.as_str(), e.code)).collect()
}

#[test]
fn the_sample_is_read_whole() {
    let list = sample("ofsted-sample.csv").expect("read");
    assert_eq!((list.rows.len(), list.encoding), (40, Encoding::Utf8));
    assert!(list.warnings.is_empty(), "{:?}", list.warnings);
    assert!(list.title.as_deref().is_some_and(|t| t.starts_with("FICTIONAL SAMPLE")));
    let mut ratings: BTreeMap<Option<Rating>, u32> = BTreeMap::new();
    for entry in &list.rows {
        *ratings.entry(entry.latest.rating).or_default() += 1;
    }
    assert_eq!(ratings.len(), 5, "all four and none: {ratings:?}");
    let first = &list.rows[0];
    assert_eq!((first.row, first.urn.as_str()), (5, "SC900000"));
    assert_eq!((first.name.clone(), first.postcode.clone(), first.redacted), (None, None, true));
    assert_eq!(
        (first.provision_type, first.provision_text.as_str()),
        (ProvisionType::ChildrensHome, "Children's home")
    );
    assert_eq!((first.sector, first.places), (Some(Sector::Private), Some(4)));
    assert_eq!(first.registration_date, day(2004, 1, 1));
    assert_eq!((first.latest.date, first.latest.published), (day(2022, 1, 1), day(2022, 2, 3)));
    let fostering = list.rows.iter().find(|e| e.provision_type == ProvisionType::FosteringAgency).expect("one");
    assert_eq!((fostering.places, fostering.postcode.as_deref(), fostering.redacted), (None, Some("CB7 9ZY"), false));
    assert_eq!(fostering.local_authority.as_deref(), Some("Cambridgeshire"));
    assert_eq!(fostering.region.as_deref(), Some("East of England"));
    assert_eq!(list.rows.iter().filter(|e| e.short_breaks_only == Some(true)).count(), 2);
    assert_eq!(list.rows.iter().filter(|e| e.multi_building == Some(true)).count(), 1);
}

#[test]
fn owners_are_grouped_over_their_spellings() {
    let list = sample("ofsted-sample.csv").expect("read");
    let owners = list.owners();
    assert_eq!(owners["heronmerecarelimited"].len(), 4);
    assert_eq!(owners["sedgeandwillowchildrenshomeslimited"].len(), 3);
    assert_eq!(owners["ashgrainchildrenandfamilieslimited"].len(), 3);
    assert_eq!(owners["larkstonehomes"].len(), 1, "with and without `Ltd` stay apart");
}

#[test]
fn another_order_windows_1252_and_headings_with_line_breaks() {
    let list = sample("ofsted-windows-1252.csv").expect("read");
    assert_eq!((list.encoding, list.rows.len()), (Encoding::Windows1252, 6));
    assert_eq!(list.warnings.iter().map(|w| w.code).collect::<Vec<_>>(), ["encoding_guessed"]);
    let original = sample("ofsted-sample.csv").expect("read");
    for entry in &list.rows {
        let same = by_urn(&original, &entry.urn).expect("listed");
        assert_eq!(entry.latest.rating, same.latest.rating);
        assert_eq!((entry.latest.date, entry.registration_date), (same.latest.date, same.registration_date));
        assert_eq!((entry.places, &entry.region), (same.places, &same.region));
    }
    // Four rows before the headings, whose line breaks make no rows.
    assert_eq!(list.rows[0].row, 6);
    assert_eq!(list.rows[3].name.as_deref(), Some("Wherrybridge Fostering – Cambridge"));
    assert_eq!(list.rows[4].owner.as_ref().map(|o| o.name.as_str()), Some("The Brackenhythe Children’s Trust"));
}

#[test]
fn mac_roman_with_bare_returns_and_previous_ratings() {
    let list = sample("ofsted-mac-roman.csv").expect("read");
    assert_eq!((list.encoding, list.rows.len()), (Encoding::MacRoman, 4));
    assert_eq!(list.title.as_deref(), Some("FICTIONAL SAMPLE – Provider level"));
    assert_eq!(list.rows[3].name.as_deref(), Some("Renée Oakmarrow School"));
    let previous = &list.rows[0].previous;
    assert_eq!((previous.date, previous.rating), (day(2020, 3, 4), Some(Rating::RequiresImprovement)));
    assert_eq!(list.rows[1].previous.rating, None);
    assert_eq!(list.rows[0].row, 4);
}

#[test]
fn an_older_release_with_a_byte_order_mark_and_superseded_ratings() {
    let list = sample("ofsted-older.csv").expect("read");
    assert_eq!(list.encoding, Encoding::Utf8Bom);
    let [adequate, school, agency] = list.rows.as_slice() else { panic!("three rows") };
    assert_eq!((adequate.latest.rating, adequate.latest.rating_text.as_deref()), (None, Some("Adequate")));
    assert_eq!(adequate.short_breaks_only, Some(true));
    assert_eq!(school.provision_type, ProvisionType::SpecialSchoolChildrensHome);
    assert_eq!((school.name.as_deref(), school.latest.rating), (Some("St Osyth’s"), Some(Rating::RequiresImprovement)));
    assert_eq!((agency.provision_type, agency.latest.rating), (ProvisionType::FosteringAgency, None));
    let codes = list.warnings.iter().map(|w| (w.row, w.code)).collect::<Vec<_>>();
    assert_eq!(codes, [(2, "absent_column"), (2, "absent_column"), (3, "superseded_rating")]);
}

#[test]
fn every_fault_is_named_by_row_and_column() {
    let errors = sample("ofsted-broken.csv").expect_err("refused");
    let date = "Latest full inspection date";
    assert_eq!(
        faults(&errors),
        [
            (4, "Overall effectiveness", "Fairly good", "unknown_rating"),
            (5, date, "31/02/2022", "bad_date"),
            (6, "URN", "sc900401", "duplicate_urn"),
            (8, "", "", "ragged_row"),
            (9, "", "stray", "ragged_row"),
            (10, "URN", "", "missing_value"),
            (12, "URN", "2.59E+06", "bad_urn"),
        ],
        "nothing rests on places and kinds"
    );
    assert!(errors[2].message.contains("row 3"), "{}", errors[2]);
}

#[test]
fn a_missing_heading_names_those_looked_for_and_those_found() {
    let errors = sample("ofsted-no-urn.csv").expect_err("refused");
    assert_eq!(faults(&errors), [(1, "urn", "", "missing_heading"), (1, "sector", "", "missing_heading")]);
    assert!(errors[0].message.contains("`unique reference number`") && errors[0].message.contains("`Places`"));
}

#[test]
fn what_is_no_list_is_refused() {
    let code = |text: &str| read(text.as_bytes()).expect_err("refused")[0].code;
    assert_eq!(code(""), "no_headings");
    assert_eq!(code("a,b,c\n1,2,3\n"), "no_headings");
    assert_eq!(code("URN,Provision type,Local authority,Sector\n,,,\n"), "no_rows");
    assert_eq!(
        code("URN,Provision type,Local authority,Sector,Region,Ofsted region\n1,b,c,d,e,f\n"),
        "duplicate_heading"
    );
    let open = format!("URN,Provision type,Local authority,Sector\n1,b,c,\"d\n{}", "2,b,c,d\n".repeat(400));
    assert_eq!(code(&open), "long_cell");
}

#[test]
fn redacted_is_never_a_duplicate_and_lines_are_counted_over_empty_ones() {
    let text = "\n\nURN,Provision type,Local authority,Sector\n\nREDACTED,Children's home,Norfolk,Private\n\n\n\
                REDACTED,Pop-up home,Norfolk,Private\n";
    let list = read(text.as_bytes()).expect("read");
    assert_eq!(list.rows.iter().map(|e| e.row).collect::<Vec<_>>(), [5, 8]);
    assert_eq!(list.rows[1].provision_type, ProvisionType::Other);
    assert_eq!(list.warnings.iter().filter(|w| w.code == "redacted_urn").count(), 1);
    assert!(list.warnings.iter().any(|w| (w.row, w.code) == (8, "unknown_provision_type")));
}

#[test]
fn errors_stop_at_a_limit() {
    let rows = "x-1,Children's home,Norfolk,Private\n".repeat(1_000);
    let errors = read(format!("URN,Provision type,Local authority,Sector\n{rows}").as_bytes()).expect_err("refused");
    assert_eq!((errors.len(), errors[200].code), (201, "too_many_errors"));
}

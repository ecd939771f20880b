//! Formula guard: what a spreadsheet would run is kept from running.
//!
//! A spreadsheet takes a text that begins with `=`, `+`, `-`, `@`, a tab or a line break for a formula (OWASP, CSV injection).
//! Such text is data to us and is accepted: `+44 1223 …` and `- none -` are what people write. But we never write it as it is: an apostrophe
//! is put in front, which a spreadsheet takes as "this is text". Reading takes that one apostrophe off again, so a file of ours that is corrected and sent
//! again comes back to the same values. A number with its sign (`-12.5`) does no harm and stays.

/// The text as a spreadsheet may have it.
pub(super) fn guarded(text: &str) -> String {
    if is_risky(text) && !is_number(text) { format!("'{text}") } else { text.to_owned() }
}

/// The text a spreadsheet's cell stands for.
pub(super) fn unguarded(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| is_risky(rest)).unwrap_or(cell)
}

/// [`unguarded`], without a copy where nothing is taken off.
pub(super) fn unguard(mut cell: String) -> String {
    if unguarded(&cell).len() < cell.len() {
        cell.remove(0);
    }
    cell
}

/// Whether the text, apostrophes and spaces before it aside, begins as a formula does.
fn is_risky(text: &str) -> bool {
    let text = text.trim_start_matches('\'');
    text.starts_with(['\t', '\r', '\n']) || text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, part) = digits.split_once(['.', ',']).unwrap_or((digits, "0"));
    [whole, part].iter().all(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_run_gets_an_apostrophe_and_loses_it_again() {
        for (text, cell) in [
            ("=1+1", "'=1+1"),
            ("  =cmd|' /C calc'!A0", "'  =cmd|' /C calc'!A0"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-", "'-"),
            ("-1+1", "'-1+1"),
            ("+44 1223 000000", "'+44 1223 000000"),
            ("\tx", "'\tx"),
            ("＝1", "'＝1"),
            ("'=1", "''=1"),
            ("-12.5", "-12.5"),
            ("+7", "+7"),
            ("'tis", "'tis"),
            ("''", "''"),
            ("a=b", "a=b"),
            ("", ""),
        ] {
            assert_eq!(guarded(text), cell, "{text}");
            assert_eq!(unguarded(cell), text, "{cell}");
            assert_eq!(unguard(cell.to_owned()), text, "{cell}");
        }
    }
}

//! Identifiers that others give: numbers of regulators and of Companies House. A word that stands where a number is missing is
//! none.

use crate::kernel::text::folded;

/// A regulator's number as it is kept, however it was written: what is looked up is read the same way.
#[must_use]
pub fn regulator_number(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace() && (c.is_ascii_graphic() || c.is_alphanumeric()))
        .collect::<String>()
        .to_uppercase()
}

/// A company number as it is kept: with the leading zeros that are dropped in places.
#[must_use]
pub fn company_number(text: &str) -> String {
    let number = regulator_number(text);
    let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    if digits { format!("{number:0>8}") } else { number }
}

/// What a regulator's number looks like, for a person.
pub const REGULATOR_FORMS: &str = "such as SC009423 or 2590934 (Ofsted), SIN-00001234-ABCD (Wales), CS2003000123 (Scotland) or 10234 (Northern Ireland)";

/// What a company number looks like, for a person.
pub const COMPANY_FORMS: &str = "such as 01234567, OC301234 or SC123456";

/// Whether a number, as it is kept, is one that a regulator of social care or of schools gives: Ofsted (`SC009423`, `2590934`,
/// `EY123456`, a school's `130285`), Care Inspectorate Wales (`SIN-00001234-ABCD`, `W16/00000123`), Care Inspectorate
/// (`CS2003000123`), RQIA (`10234`), CQC (`1-101652845`). Nothing but zeros or nines is what forms are filled in with.
#[must_use]
pub fn is_regulator_number(number: &str) -> bool {
    let digits = |text: &str, least: usize, most: usize| {
        (least..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
    };
    let letters = number.len() - number.trim_start_matches(|c: char| c.is_ascii_uppercase()).len();
    let (prefix, rest) = number.split_at(letters);
    let formed = match prefix {
        "" => digits(rest, 5, 8) || rest.strip_prefix("1-").is_some_and(|rest| digits(rest, 6, 12)),
        "SIN" => rest.strip_prefix('-').and_then(|rest| rest.split_once('-')).is_some_and(|(number, check)| {
            digits(number, 8, 8) && check.len() == 4 && check.bytes().all(|b| b.is_ascii_alphanumeric())
        }),
        "W" => digits(&rest.replace(['/', '-'], ""), 6, 12),
        _ => letters <= 4 && digits(rest, 5, 10),
    };
    formed && !is_filling(number)
}

/// Whether a number, as it is kept, is one that Companies House gives: eight digits; two letters of its list and six digits; a
/// registered society's.
#[must_use]
pub fn is_company_number(number: &str) -> bool {
    const PREFIXES: [&str; 33] = [
        "AC", "CE", "CS", "ES", "FC", "FE", "GE", "GN", "GS", "IC", "LP", "NC", "NF", "NI", "NL", "NO", "NP", "NR",
        "NV", "NZ", "OC", "OE", "PC", "R0", "RC", "SA", "SC", "SE", "SF", "SG", "SI", "SO", "SR",
    ];
    let Some((prefix, rest)) = number.split_at_checked(2) else { return false };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let formed = match prefix {
        "IP" | "RS" | "SP" | "SL" | "SZ" | "ZC" => rest.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()),
        prefix => (digits(prefix) || PREFIXES.contains(&prefix)) && digits(rest),
    };
    number.len() == 8 && formed && rest.bytes().any(|b| b.is_ascii_digit()) && !is_filling(number)
}

/// Whether all digits of a number are zeros, or all are nines.
fn is_filling(number: &str) -> bool {
    let mut digits = number.bytes().filter(u8::is_ascii_digit).peekable();
    let first = digits.peek().copied();
    matches!(first, Some(b'0' | b'9')) && digits.all(|digit| Some(digit) == first)
}

/// Whether a text stands where there is no number or reference (`TBC`, `N/A`, `-`, `XXXXXXX`, `awaiting registration`).
#[must_use]
pub fn is_placeholder(text: &str) -> bool {
    const WORDS: [&str; 26] = [
        "tbc",
        "tba",
        "tbd",
        "na",
        "n a",
        "none",
        "null",
        "nil",
        "nan",
        "unknown",
        "not known",
        "not applicable",
        "not available",
        "redacted",
        "withheld",
        "various",
        "see above",
        "as above",
        "ditto",
        "no number",
        "no reference",
        "no ref",
        "no urn",
        "not registered",
        "undefined",
        "xxx",
    ];
    const BEGINNINGS: [&str; 7] =
        ["awaiting", "pending", "to be ", "applied for", "application in", "not yet", "in progress"];
    let words = folded(text);
    let same = |c: char| !words.is_empty() && words.chars().all(|known| known == c || known == ' ');
    WORDS.contains(&words.as_str())
        || BEGINNINGS.iter().any(|begins| words.starts_with(begins))
        || same('x')
        || same('0')
        || (!text.trim().is_empty()
            && text.trim().chars().all(|c| matches!(c, '-' | '–' | '—' | '.' | '?' | '*' | '#' | '/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_regulators_and_companies_house_give_is_a_number() {
        for text in [
            "SC009423",
            "sc 009423",
            "2590934",
            "EY123456",
            "130285",
            "SIN-00001234-ABCD",
            "W16/00000123",
            "CS2003000123",
            "10234",
            "1-101652845",
            "\u{feff}SC\u{a0}670004\u{200b}",
        ] {
            assert!(is_regulator_number(&regulator_number(text)), "{text}");
        }
        for text in [
            "01234567", "1234567", "48839", "oc301234", "SC123456", "NI012345", "IP12345R", "CE000123", "SL001234",
            "R0000123",
        ] {
            assert!(is_company_number(&company_number(text)), "{text}");
        }
    }

    #[test]
    fn what_stands_where_there_is_no_number_is_none() {
        let placeholders = [
            "TBC",
            "tba",
            "N/A",
            "n/a",
            "-",
            "--",
            "0",
            "00",
            "XXXXXXX",
            "xxxxxxx",
            "00000000",
            "0000000",
            "SC000000",
            "REDACTED",
            "awaiting",
            "Awaiting registration",
            "pending",
            "none",
            "unknown",
            "not applicable",
            "?",
            "SCXXXXXX",
            "to be confirmed",
            "applied for",
            ".",
            "NULL",
        ];
        // Of a company it is a real one.
        assert!(!is_regulator_number("9999999") && is_company_number(&company_number("9999999")));
        for text in placeholders {
            assert!(!is_regulator_number(&regulator_number(text)), "{text}");
            assert!(!is_company_number(&company_number(text)), "{text}");
        }
        for text in [
            "TBC",
            "N/A",
            "n.a.",
            "-",
            "—",
            "0",
            "000",
            "XXXXXXX",
            "Redacted",
            "awaiting reference",
            "pending",
            "to be confirmed",
        ] {
            assert!(is_placeholder(text), "{text}");
        }
        for text in ["S-1", "DN119642", "_", "%", "Nana", "TBC-17", "", "Tobermory"] {
            assert!(!is_placeholder(text), "{text}");
        }
    }

    #[test]
    fn numbers_are_looked_up_as_they_are_kept() {
        assert_eq!(regulator_number(" sc 009423 "), "SC009423");
        assert_eq!(company_number("1234567"), "01234567");
        assert_eq!(company_number("oc301234"), "OC301234");
        assert_eq!(company_number(" "), "");
    }
}

//! Numbers as a sheet shows them: which styles make a number a date, and what a number is as text.

use super::package::bad;
use super::xml::{Node, Xml, attribute};
use crate::Fault;
use chrono::{Days, NaiveDate, NaiveTime, TimeDelta};
use std::collections::HashMap;
use std::io::Read;

/// Excel has no more styles than this.
const MAX_STYLES: usize = 1 << 16;
/// Digits a spreadsheet keeps of a number.
const DIGITS: usize = 15;
/// The first whole number with more digits.
const INEXACT: f64 = 1e15;
const SECONDS_A_DAY: f64 = 86_400.0;

/// Which of a workbook's styles, by their place, show a date or a time.
pub(super) fn read<R: Read>(xml: &mut Xml<R>) -> Result<Vec<bool>, Fault> {
    let mut own: HashMap<u32, bool> = HashMap::new();
    let mut styles = Vec::new();
    let mut in_styles = false;
    loop {
        match xml.next()? {
            Node::Start(element) => match element.local_name().as_ref() {
                "numFmt" => {
                    let id = attribute(&element, "numFmtId")?.and_then(|id| id.parse().ok());
                    let code = attribute(&element, "formatCode")?.unwrap_or_default();
                    own.extend(id.map(|id| (id, shows_date(&code))));
                }
                "cellXfs" => in_styles = true,
                "xf" if in_styles => {
                    let id = attribute(&element, "numFmtId")?.and_then(|id| id.parse().ok()).unwrap_or(0);
                    styles.push(own.get(&id).copied().unwrap_or_else(|| is_built_in_date(id)));
                }
                _ => {}
            },
            Node::End(name) if name == "cellXfs" => in_styles = false,
            Node::End(_) | Node::Text(_) => {}
            Node::Eof => return Ok(styles),
        }
        if styles.len().max(own.len()) > MAX_STYLES {
            return Err(bad("it has more styles than a workbook has"));
        }
    }
}

fn is_built_in_date(id: u32) -> bool {
    matches!(id, 14..=22 | 27..=36 | 45 | 47 | 50..=58)
}

/// Whether a number format shows a date or a time of day; elapsed time, such as `[h]:mm`, is neither.
fn shows_date(code: &str) -> bool {
    let mut chars = code.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => while chars.next().is_some_and(|c| c != '"') {},
            '\\' | '_' | '*' => {
                chars.next();
            }
            '[' => {
                let inside: String = chars.by_ref().take_while(|c| *c != ']').collect();
                if inside.chars().all(|c| matches!(c.to_ascii_lowercase(), 'h' | 'm' | 's')) {
                    return false;
                }
            }
            ';' => return false,
            _ if matches!(c.to_ascii_lowercase(), 'd' | 'm' | 'y' | 'h' | 's') => return true,
            _ => {}
        }
    }
    false
}

/// What cannot be told of a number, as code and message.
pub(super) type Unclear = (&'static str, &'static str);

/// A number as text without an exponent, to the 15 digits a spreadsheet keeps.
pub(super) fn number(text: &str) -> Result<String, Unclear> {
    let value = parse(text)?;
    if value.abs() >= INEXACT {
        return Err(("inexact_number", "a spreadsheet keeps 15 digits of a number: write it as text"));
    }
    // `0.1 + 0.2` is kept as 0.30000000000000004 and shown as 0.3.
    let rounded: f64 = format!("{value:.*e}", DIGITS - 1).parse().unwrap_or(value);
    Ok(if rounded == 0.0 { "0".to_owned() } else { rounded.to_string() })
}

fn parse(text: &str) -> Result<f64, Unclear> {
    let value = text.trim().parse().ok().filter(|value: &f64| value.is_finite());
    value.ok_or(("inexact_number", "the workbook says that this is a number, and it is none"))
}

/// A date, a time of day or both, as ISO 8601: `2023-03-31`, `09:30:00`, `2023-03-31T09:30:00`.
pub(super) fn date(text: &str, since_1904: bool) -> Result<String, Unclear> {
    let wrong = ("bad_date", "not a day of the spreadsheet's calendar");
    let value = parse(text)?;
    if !(0.0..2_958_466.0).contains(&value) {
        return Err(wrong);
    }
    let whole = format!("{:.0}", value.floor()).parse::<u64>().map_err(|_| wrong)?;
    let seconds = format!("{:.0}", (value.fract() * SECONDS_A_DAY).round()).parse::<u32>().map_err(|_| wrong)?;
    let (day, seconds) = (whole + u64::from(seconds / 86_400), seconds % 86_400);
    let time = NaiveTime::MIN + TimeDelta::seconds(i64::from(seconds));
    if day == 0 && !since_1904 {
        return Ok(time.format("%H:%M:%S").to_string());
    }
    // A spreadsheet that counts from 1900 has a 29 February in that year, its day 60.
    let before_first = match (since_1904, day) {
        (true, _) => NaiveDate::from_ymd_opt(1904, 1, 1),
        (false, ..60) => NaiveDate::from_ymd_opt(1899, 12, 31),
        (false, 60) => None,
        (false, 61..) => NaiveDate::from_ymd_opt(1899, 12, 30),
    };
    let date = before_first.and_then(|first| first.checked_add_days(Days::new(day))).ok_or(wrong)?;
    Ok(if seconds == 0 { date.to_string() } else { date.and_time(time).format("%Y-%m-%dT%H:%M:%S").to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_what_its_cell_shows() {
        for (kept, shown) in [
            ("12.5", "12.5"),
            ("4", "4"),
            ("4.0", "4"),
            ("1.1000000000000001", "1.1"),
            ("0.30000000000000004", "0.3"),
            ("1E-3", "0.001"),
            ("-7", "-7"),
            ("-0", "0"),
            ("999999999999999", "999999999999999"),
            ("1.2E+5", "120000"),
        ] {
            assert_eq!(number(kept), Ok(shown.to_owned()), "{kept}");
        }
        for kept in ["1234567890123456", "1E300", "-1E+15", "NaN", "inf", "four", ""] {
            assert_eq!(number(kept).map_err(|e| e.0), Err("inexact_number"), "{kept}");
        }
    }

    #[test]
    fn a_date_is_the_day_its_cell_shows() {
        for (kept, since_1904, shown) in [
            ("45016", false, "2023-03-31"),
            ("43554", true, "2023-03-31"),
            ("1", false, "1900-01-01"),
            ("59", false, "1900-02-28"),
            ("61", false, "1900-03-01"),
            ("0", true, "1904-01-01"),
            ("45016.395833333336", false, "2023-03-31T09:30:00"),
            ("0.5", false, "12:00:00"),
            ("45015.999999999", false, "2023-03-31"),
            ("2958465", false, "9999-12-31"),
        ] {
            assert_eq!(date(kept, since_1904), Ok(shown.to_owned()), "{kept}");
        }
        for kept in ["60", "-1", "2958466", "1e300"] {
            assert_eq!(date(kept, false).map_err(|e| e.0), Err("bad_date"), "{kept}");
        }
    }

    #[test]
    fn a_format_tells_dates_from_numbers() {
        for code in ["dd/mm/yyyy", "yyyy\\-mm\\-dd;@", "[$-809]dd mmmm yyyy", "h:mm", "[Red]d"] {
            assert!(shows_date(code), "{code}");
        }
        for code in ["General", "0.00", "#,##0;[Red]-#,##0", "\"days\" 0", "[h]:mm:ss", "0 \\d", "@", "0.00E+00", "0_m"]
        {
            assert!(!shows_date(code), "{code}");
        }
    }
}

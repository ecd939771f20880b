//! Numbers as a sheet shows them: which styles make a number a date, an amount of money or a percentage, and what it is as text.

use crate::Fault;
use crate::package::bad;
use crate::xml::{Node, Xml, attribute};
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

/// How a style shows a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Shown {
    /// As it is.
    #[default]
    Plain,
    /// With so many digits behind the point.
    Decimals(usize),
    /// As a date or a time of day.
    Date,
    /// As a hundredfold with `%`.
    Percent,
    /// With a pound sign.
    Pounds,
    /// With the sign of another currency, or of one that depends on whose machine it is.
    OtherCurrency,
}

/// How a workbook's styles, by their place, show a number.
pub(super) fn read<R: Read>(xml: &mut Xml<R>) -> Result<Vec<Shown>, Fault> {
    let mut own: HashMap<u32, Shown> = HashMap::new();
    let mut styles = Vec::new();
    let mut in_styles = false;
    loop {
        match xml.next()? {
            Node::Start(element) => match element.local_name().as_ref() {
                "numFmt" => {
                    let id = attribute(&element, "numFmtId")?.and_then(|id| id.parse().ok());
                    let code = attribute(&element, "formatCode")?.unwrap_or_default();
                    own.extend(id.map(|id| (id, shown(&code))));
                }
                "cellXfs" => in_styles = true,
                "xf" if in_styles => {
                    let id = attribute(&element, "numFmtId")?.and_then(|id| id.parse().ok()).unwrap_or(0);
                    styles.push(own.get(&id).copied().unwrap_or_else(|| built_in(id)));
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

/// What a number format that has no code of its own shows. Those of money have the sign of the machine they are seen on.
fn built_in(id: u32) -> Shown {
    match id {
        2 | 4 | 39 | 40 | 43 => Shown::Decimals(2),
        5..=8 | 42 | 44 => Shown::OtherCurrency,
        9 | 10 => Shown::Percent,
        14..=22 | 27..=36 | 45 | 47 | 50..=58 => Shown::Date,
        _ => Shown::Plain,
    }
}

/// What a number format shows, by its part for positive numbers. Elapsed time, such as `[h]:mm`, is no time of day.
fn shown(code: &str) -> Shown {
    let (mut words, mut decimals, mut behind_point, mut percent) = (String::new(), 0, false, false);
    let mut chars = code.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => words.extend(chars.by_ref().take_while(|c| *c != '"')),
            '\\' => words.extend(chars.next()),
            '_' | '*' => {
                chars.next();
            }
            '[' => {
                let inside: String = chars.by_ref().take_while(|c| *c != ']').collect();
                if inside.chars().all(|c| matches!(c.to_ascii_lowercase(), 'h' | 'm' | 's')) {
                    return Shown::Plain;
                }
                // `[$£-809]` has a sign, `[$-809]` only says whose names of months are meant.
                words.extend(inside.strip_prefix('$').and_then(|sign| sign.split('-').next()));
            }
            ';' => break,
            '%' => percent = true,
            '.' => behind_point = true,
            '0' if behind_point => decimals += 1,
            'E' | 'e' => return Shown::Plain,
            '£' | '$' | '€' | '¥' => words.push(c),
            _ if matches!(c.to_ascii_lowercase(), 'd' | 'm' | 'y' | 'h' | 's') => return Shown::Date,
            _ => {}
        }
    }
    let is_foreign = |word: &str| ["EUR", "USD", "CHF"].contains(&word) || word.contains(is_currency_sign);
    let words = words.to_uppercase();
    let mut each = words.split_whitespace();
    match decimals {
        _ if words.contains('£') || each.clone().any(|word| word == "GBP") => Shown::Pounds,
        _ if each.any(is_foreign) => Shown::OtherCurrency,
        _ if percent => Shown::Percent,
        0 => Shown::Plain,
        decimals => Shown::Decimals(decimals),
    }
}

/// Whether a character is the sign of a currency (Unicode, `Sc`).
fn is_currency_sign(c: char) -> bool {
    matches!(c, '$' | '¢'..='¥' | '\u{58f}' | '\u{60b}' | '\u{e3f}' | '\u{20a0}'..='\u{20c0}')
}

/// What cannot be told of a number, as code and message.
pub(crate) type Unclear = (&'static str, &'static str);

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

/// A number as its cell shows it: with its sign where it is money or a percentage, and with what stands behind its point.
pub(crate) fn shown_number(text: &str, shown: Shown) -> Result<String, Unclear> {
    match shown {
        Shown::Plain | Shown::Date => number(text),
        Shown::Decimals(places) => number(text).map(|number| padded(number, places)),
        Shown::Percent => number(&(parse(text)? * 100.0).to_string()).map(|number| format!("{number}%")),
        Shown::Pounds => {
            let number = padded(number(text)?, 2);
            Ok(match number.strip_prefix('-') {
                Some(rest) => format!("-£{rest}"),
                None => format!("£{number}"),
            })
        }
        Shown::OtherCurrency => Err((
            "currency_cell",
            "a cell shown as money, and not in pounds: write whole pence as a plain number, or pounds with a pound sign",
        )),
    }
}

/// A number with at least so many digits behind its point.
fn padded(mut number: String, places: usize) -> String {
    let behind = number.split_once('.').map(|(_, behind)| behind.len());
    if places > 0 {
        if behind.is_none() {
            number.push('.');
        }
        number.extend(std::iter::repeat_n('0', places.saturating_sub(behind.unwrap_or_default())));
    }
    number
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
    fn a_format_tells_dates_and_money_from_numbers() {
        let all = |codes: &[&str], expected: Shown| {
            for code in codes {
                assert_eq!(shown(code), expected, "{code}");
            }
        };
        all(&["dd/mm/yyyy", "yyyy\\-mm\\-dd;@", "[$-809]dd mmmm yyyy", "h:mm", "[Red]d"], Shown::Date);
        all(
            &[
                "General",
                "#,##0;[Red]-#,##0",
                "\"days\" 0",
                "[h]:mm:ss",
                "0 \\d",
                "@",
                "0_m",
                "_-* #,##0_-",
                "0.00E+00",
            ],
            Shown::Plain,
        );
        all(&["0.00", "#,##0.00", "_-* #,##0.00_-;-* #,##0.00_-"], Shown::Decimals(2));
        all(&["0%", "0.00%", "0\\ %"], Shown::Percent);
        all(
            &[
                "\"£\"#,##0.00",
                "£0",
                "[$£-809]#,##0.00",
                "_-\"£\"* #,##0.00_-;-\"£\"* #,##0.00_-",
                "#,##0\\ [$GBP]",
                "\\£0",
            ],
            Shown::Pounds,
        );
        all(&["\"$\"#,##0.00", "$#,##0", "[$€-407] #,##0.00", "#,##0.00 \"EUR\"", "[$₹-4009]0"], Shown::OtherCurrency);
    }

    #[test]
    fn money_and_percentages_keep_their_sign() {
        for (kept, how, text) in [
            ("3850", Shown::Pounds, "£3850.00"),
            ("3850.5", Shown::Pounds, "£3850.50"),
            ("-0.5", Shown::Pounds, "-£0.50"),
            ("0.005", Shown::Pounds, "£0.005"),
            ("0.29", Shown::Percent, "29%"),
            ("0.125", Shown::Percent, "12.5%"),
            ("3850", Shown::Decimals(2), "3850.00"),
            ("3", Shown::Plain, "3"),
        ] {
            assert_eq!(shown_number(kept, how), Ok(text.to_owned()), "{kept} {how:?}");
        }
        assert_eq!(shown_number("1", Shown::OtherCurrency).map_err(|e| e.0), Err("currency_cell"));
    }
}

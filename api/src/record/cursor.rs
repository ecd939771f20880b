//! Places in the feed as callers hold them: opaque, and of a known version.

use persistence::Outcome;
use persistence::record::event::Cursor;

use crate::http::listing::BAD_CURSOR;

/// What the text of this version begins with; a later form can tell it apart.
const VERSION: &str = "01";

/// The place as text.
#[must_use]
pub fn text(place: Cursor) -> String {
    format!("{VERSION}{:016x}{:016x}", place.tx, place.seq)
}

/// The place that a text names; `None` where there is no text.
///
/// # Errors
/// A refusal at `field` where this server did not give the text.
pub fn place(text: Option<&str>, field: &'static str) -> Outcome<Option<Cursor>> {
    let Some(text) = text else { return Ok(None) };
    let number = |range| text.get(range).and_then(|digits| i64::from_str_radix(digits, 16).ok());
    let found = match (text.get(..2), number(2..18), number(18..34)) {
        (Some(VERSION), Some(tx), Some(seq)) => Some(Cursor { tx, seq }),
        _ => None,
    };
    // What is written in another way, such as with a sign, is no text of ours.
    match found.filter(|found| self::text(*found) == text) {
        Some(found) => Ok(Some(found)),
        None => Err(BAD_CURSOR.broken_at(field, "the cursor is not one that this list gave").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was_given_and_nothing_else_passes() {
        for at in [Cursor::default(), Cursor { tx: 7, seq: 4711 }, Cursor::END] {
            assert_eq!(place(Some(&text(at)), "/after").unwrap(), Some(at));
        }
        let good = text(Cursor { tx: 7, seq: 8 });
        for bad in [
            "",
            "01",
            "é",
            &good[..33],
            &format!("{good}0"),
            &good.replacen("01", "02", 1),
            &good.replacen("010", "01+", 1),
        ] {
            assert!(place(Some(bad), "/after").is_err(), "{bad}");
        }
    }
}

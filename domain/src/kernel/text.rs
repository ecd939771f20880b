//! Text as people write it: how a name is kept, and when two names are the same.

use std::borrow::Cow;

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

/// A text in its composed form (NFC): one that two keyboards write in two ways is one.
#[must_use]
pub fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { Cow::Borrowed(text) } else { ComposingNormalizerBorrowed::new_nfc().normalize(text) }
}

/// A text of one line as it is kept: composed (NFC), without what nobody sees, with single blanks in it and none around it.
#[must_use]
pub fn tidy(text: &str) -> String {
    let seen: String = text.chars().filter(|c| c.is_whitespace() || !is_invisible(*c)).collect();
    composed(&seen).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A tidy text, where there is any.
#[must_use]
pub fn tidied(text: Option<String>) -> Option<String> {
    text.map(|text| tidy(&text)).filter(|text| !text.is_empty())
}

/// What two spellings of one name have in common: letters and digits in small words. Case, marks on letters, punctuation,
/// apostrophes, hyphens and blanks of every kind do not count, and `&` and `+` are `and`.
#[must_use]
pub fn folded(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len());
    let plain = DecomposingNormalizerBorrowed::new_nfkd().normalize(text);
    for c in plain.chars().flat_map(char::to_lowercase) {
        match c {
            '&' | '+' => spaced.push_str(" and "),
            '\'' | '’' | '‘' | 'ʼ' | '′' | '`' | '´' | '.' => {}
            c if c.is_alphanumeric() => spaced.push(c),
            c if is_mark(c) || (is_invisible(c) && !c.is_whitespace()) => {}
            _ => spaced.push(' '),
        }
    }
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// As [`folded`], for an organisation: `Ltd` is `Limited`, and blanks do not count at all. With and without `Limited` are two
/// bodies.
#[must_use]
pub fn organisation(name: &str) -> String {
    folded(name).split(' ').map(|word| if word == "ltd" { "limited" } else { word }).collect()
}

/// Whether a character is not to be seen, wherever it stands.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a character is a mark on the letter before it.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_composed_and_without_what_nobody_sees() {
        for text in [
            "Café House",
            " Cafe\u{301}  House ",
            "\u{feff}Café\u{a0}House",
            "Ca\u{ad}f\u{200b}é\u{2009}House\r\n",
            "Café\u{3000}House\u{200e}",
            "\u{202b}Café\tHouse\u{202c}",
        ] {
            assert_eq!(tidy(text), "Café House", "{text:?}");
        }
        assert_eq!(tidied(Some(" \u{200b}\u{a0}".to_owned())), None);
        assert_eq!(tidy("Ynys Môn & Co."), "Ynys Môn & Co.", "what is seen is kept");
    }

    #[test]
    fn names_are_compared_as_people_write_them() {
        for (one, other) in [
            ("Southend-on-Sea", "Southend on Sea"),
            ("Bournemouth, Christchurch and Poole", "BOURNEMOUTH,CHRISTCHURCH & POOLE"),
            ("St. Helens", "St Helens"),
            ("King’s Lynn", "Kings Lynn"),
            ("King's Lynn", "Kings\u{a0}Lynn"),
            ("Stoke‐on‑Trent", "stoke on trent"),
            ("Ynys Môn", "Ynys Mon"),
            ("Café", "Cafe\u{301}"),
            ("Ｄｅｒｂｙ", "Derby"),
            ("Der\u{200b}by", "Derby"),
        ] {
            assert_eq!(folded(one), folded(other), "{one} {other}");
        }
        assert_ne!(folded("Derby"), folded("Derbyshire"));
        assert_ne!(folded("East Sussex"), folded("West Sussex"));
        assert_eq!(
            organisation("Fen & Willow Children's Homes Ltd."),
            organisation("FEN AND WILLOW CHILDRENS HOMES LIMITED")
        );
        assert_ne!(organisation("Fen Homes"), organisation("Fen Homes Ltd"));
    }
}

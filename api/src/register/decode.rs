//! From bytes to text: which of the four encodings a release is in.
//!
//! A byte-order mark or valid UTF-8 settles it. What is left is an eight-bit file, and its only evidence is how the
//! bytes above 127 read in their surroundings. **The heuristic:** the file is read once as Windows-1252 and once as
//! Mac Roman, and every non-ASCII character of either reading is scored between its neighbours:
//!
//! - a dash between two spaces or two letters or digits, an apostrophe or closing quote after a letter, an opening
//!   quote before one, a pound sign before a digit, an accented lower-case letter in a word, a capital that starts a
//!   word or stands among capitals: +2;
//! - a no-break space: +1;
//! - a control character (bytes Windows-1252 leaves undefined): -5;
//! - anything else, such as `Ð` on its own, `Õ` amid lower case, `∂`, `◊`: -2.
//!
//! Mac Roman gets 3 more when the lines end in a bare carriage return. The higher score wins and Windows-1252 wins a
//! tie (`Mary’s` in Windows-1252 is `Maryís` in Mac Roman, and both are words). The guess is reported as a warning.

use super::{RowError, shorten};
use encoding_rs::{MACINTOSH, WINDOWS_1252};

/// The encoding a release was read in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// UTF-8 without a byte-order mark (plain ASCII included).
    Utf8,
    /// UTF-8 with a byte-order mark.
    Utf8Bom,
    /// Windows-1252.
    Windows1252,
    /// Mac Roman.
    MacRoman,
}

impl Encoding {
    /// The encoding's usual name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf8Bom => "UTF-8 with a byte-order mark",
            Self::Windows1252 => "Windows-1252",
            Self::MacRoman => "Mac Roman",
        }
    }
}

/// The text with line ends made `\n`, its encoding, and a warning when the encoding was guessed.
pub(super) fn decode(bytes: &[u8]) -> Result<(String, Encoding, Option<RowError>), RowError> {
    if bytes.starts_with(b"PK\x03\x04") {
        return Err(RowError::file("not_csv", "this is a ZIP file, such as an ODS or XLSX workbook: save it as CSV"));
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(RowError::file("unsupported_encoding", "this is UTF-16: save it as CSV in UTF-8"));
    }
    if let Some(at) = bytes.iter().position(|&b| b == 0) {
        let message = "a zero byte: this is not a text file";
        return Err(RowError { row: line_at(bytes, at), ..RowError::file("not_text", message) });
    }
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        return match std::str::from_utf8(rest) {
            Ok(text) => Ok((unify_lines(text), Encoding::Utf8Bom, None)),
            Err(e) => {
                let message = "the byte-order mark says UTF-8, but these bytes are not UTF-8";
                let row = line_at(rest, e.valid_up_to());
                Err(RowError { row, ..RowError::file("bad_encoding", message) })
            }
        };
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok((unify_lines(text), Encoding::Utf8, None));
    }
    Ok(guess(bytes))
}

fn guess(bytes: &[u8]) -> (String, Encoding, Option<RowError>) {
    let (windows, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
    let (mac, _) = MACINTOSH.decode_without_bom_handling(bytes);
    let bare_returns = !bytes.contains(&b'\n') && bytes.contains(&b'\r');
    let mac_score = score(&mac) + if bare_returns { 3 } else { 0 };
    let windows_score = score(&windows);
    let (encoding, text, other, other_name) = if mac_score > windows_score {
        (Encoding::MacRoman, mac, windows, Encoding::Windows1252.name())
    } else {
        (Encoding::Windows1252, windows, mac, Encoding::MacRoman.name())
    };
    let message = format!(
        "not UTF-8: read as {} (score {}), where {other_name} (score {}) would read `{}`",
        encoding.name(),
        mac_score.max(windows_score),
        mac_score.min(windows_score),
        around_first_special(&other),
    );
    let first = bytes.iter().position(|b| !b.is_ascii()).unwrap_or(0);
    let warning = RowError {
        row: line_at(bytes, first),
        value: around_first_special(&text),
        ..RowError::file("encoding_guessed", &message)
    };
    (unify_lines(&text), encoding, Some(warning))
}

/// How well a reading's non-ASCII characters fit between their neighbours (see the module's text).
fn score(text: &str) -> i64 {
    let mut total = 0;
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if !c.is_ascii() {
            total += fit(before, c, rest.peek().copied().unwrap_or(' '));
        }
        before = c;
    }
    total
}

fn fit(before: char, c: char, after: char) -> i64 {
    let fits = match c {
        '\u{a0}' => return 1,
        _ if c.is_control() => return -5,
        '–' | '—' => {
            before.is_whitespace() && after.is_whitespace() || before.is_alphanumeric() && after.is_alphanumeric()
        }
        '’' => before.is_alphabetic(),
        '”' => !before.is_whitespace(),
        '‘' | '“' => !before.is_alphabetic() && after.is_alphanumeric(),
        '£' => after.is_ascii_digit(),
        _ if c.is_lowercase() => before.is_alphabetic() || after.is_lowercase(),
        _ if c.is_uppercase() => {
            if before.is_alphabetic() {
                before.is_uppercase()
            } else {
                after.is_alphabetic()
            }
        }
        _ => false,
    };
    if fits { 2 } else { -2 }
}

/// The first non-ASCII character of a text with up to twelve characters of its line on either side.
fn around_first_special(text: &str) -> String {
    let line = text.split(['\n', '\r']).find(|line| !line.is_ascii()).unwrap_or_default();
    let at = line.chars().position(|c| !c.is_ascii()).unwrap_or(0);
    shorten(&line.chars().skip(at.saturating_sub(12)).take(25).collect::<String>())
}

/// `\r\n` and bare `\r` made `\n`, so that lines count alike whatever wrote the file.
fn unify_lines(text: &str) -> String {
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.to_owned() }
}

/// The 1-based line of the byte at `at`.
fn line_at(bytes: &[u8], at: usize) -> u64 {
    let mut lines = 1;
    let mut before = 0;
    for &b in bytes.iter().take(at) {
        if b == b'\r' || b == b'\n' && before != b'\r' {
            lines += 1;
        }
        before = b;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoding_of(bytes: &[u8]) -> Encoding {
        decode(bytes).expect("decodes").1
    }

    #[test]
    fn a_dash_an_apostrophe_and_an_accent_tell_the_two_apart() {
        assert_eq!(encoding_of(b"England \xd0 Provider"), Encoding::MacRoman);
        assert_eq!(encoding_of(b"Children\xd5s Home"), Encoding::MacRoman);
        assert_eq!(encoding_of(b"Ren\x8ee House"), Encoding::MacRoman);
        assert_eq!(encoding_of(b"England \x96 Provider"), Encoding::Windows1252);
        assert_eq!(encoding_of(b"Children\x92s Home"), Encoding::Windows1252);
        assert_eq!(encoding_of(b"Ren\xe9e House"), Encoding::Windows1252);
        assert_eq!(encoding_of(b"\x93Fenland\x94"), Encoding::Windows1252);
        assert_eq!(encoding_of(b"\xd2Fenland\xd3"), Encoding::MacRoman);
    }

    #[test]
    fn line_ends_are_unified_and_a_guess_is_reported() {
        let (text, encoding, warning) = decode(b"a,b\rc \xd0 d,e\r").expect("decodes");
        assert_eq!((text.as_str(), encoding), ("a,b\nc – d,e\n", Encoding::MacRoman));
        let warning = warning.expect("a guess");
        assert_eq!((warning.code, warning.row), ("encoding_guessed", 2));
    }

    #[test]
    fn what_is_not_a_text_file_is_refused() {
        let code = |bytes: &[u8]| decode(bytes).expect_err("refused").code;
        assert_eq!(code(b"PK\x03\x04..."), "not_csv");
        assert_eq!(code(b"\xff\xfeU\0R\0"), "unsupported_encoding");
        assert_eq!(code(b"URN\0"), "not_text");
        assert_eq!(code(b"\xef\xbb\xbfURN \x96"), "bad_encoding");
    }
}

//! Text encodings: what a text file is written in.
//!
//! A byte-order mark or valid UTF-8 settles it; so does more well-formed UTF-8 than bytes that are not (then the rows that have those are
//! refused). What is left is an eight-bit file, and its only evidence is how the bytes above 127 read in their surroundings. **The
//! heuristic:** every non-ASCII character is scored between its neighbours, once as Windows-1252 and once as Mac Roman:
//!
//! - a dash between two spaces or two letters or digits, an apostrophe or closing quote after a letter, an opening
//!   quote before one, a pound sign before a digit, an accented lower-case letter in a word, a capital that starts a
//!   word or stands among capitals: +2;
//! - a no-break space: +1;
//! - a control character (bytes Windows-1252 leaves undefined): -5;
//! - anything else, such as `Ð` on its own, `Õ` amid lower case, `∂`, `◊`: -2.
//!
//! Mac Roman gets 3 more when the lines end in a bare carriage return. The higher score wins and Windows-1252 wins a
//! tie (`Mary’s` in Windows-1252 is `Maryís` in Mac Roman, and both are words). The guess is reported as a note.

use super::{Fault, shorten};
use encoding_rs::{MACINTOSH, WINDOWS_1252};
use std::borrow::Cow;
use std::io::{Read, Seek, SeekFrom};

/// The note on a file that may have been cut off.
pub(super) const CUT: &str = "no_final_line_end";
/// The byte-order mark of UTF-8.
pub(super) const BOM: &[u8] = b"\xef\xbb\xbf";
const BLOCK: usize = 1 << 16;
/// Characters of its line shown on either side of the first one that was guessed.
const AROUND: usize = 12;

/// The encoding a text is in.
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

    /// The text of these bytes, and whether all of them are of this encoding.
    pub(super) fn decode(self, bytes: &[u8]) -> (Cow<'_, str>, bool) {
        match self {
            Self::Utf8 | Self::Utf8Bom => match std::str::from_utf8(bytes) {
                Ok(text) => (Cow::Borrowed(text), true),
                Err(_) => (String::from_utf8_lossy(bytes), false),
            },
            Self::Windows1252 => (WINDOWS_1252.decode_without_bom_handling(bytes).0, true),
            Self::MacRoman => (MACINTOSH.decode_without_bom_handling(bytes).0, true),
        }
    }
}

/// What a first pass over a text file finds.
#[derive(Debug)]
pub(super) struct Survey {
    pub(super) encoding: Encoding,
    pub(super) notes: Vec<Fault>,
}

impl Survey {
    /// The encoding where only UTF-8 can be meant.
    pub(super) fn unicode(&self) -> Encoding {
        match self.encoding {
            Encoding::Utf8Bom => Encoding::Utf8Bom,
            Encoding::Utf8 | Encoding::Windows1252 | Encoding::MacRoman => Encoding::Utf8,
        }
    }
}

/// Reads the whole file once, block by block, and leaves the source behind its byte-order mark.
///
/// # Errors
/// `unsupported_encoding`, `not_text`, `unreadable`.
pub(super) fn survey<S: Read + Seek>(source: &mut S) -> Result<Survey, Fault> {
    let unreadable = |e: std::io::Error| Fault::unreadable(&e);
    source.rewind().map_err(unreadable)?;
    let mut signs = Signs::default();
    let mut block = Vec::with_capacity(BLOCK);
    loop {
        block.clear();
        source.by_ref().take(BLOCK as u64).read_to_end(&mut block).map_err(unreadable)?;
        if block.is_empty() {
            break;
        }
        signs.see(&block)?;
    }
    let (encoding, mut notes) = signs.settle(source).map_err(unreadable)?;
    if signs.bytes > 0 && !matches!(signs.last, b'\n' | b'\r') {
        let message = "the last line has no line end: was the file cut off?";
        notes.push(Fault::file(CUT, message).at(signs.row));
    }
    let start = if signs.bom { BOM.len() as u64 } else { 0 };
    source.seek(SeekFrom::Start(start)).map_err(unreadable)?;
    Ok(Survey { encoding, notes })
}

/// Whether a byte stands within quotation marks: those that begin a cell, whatever parts the cells.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Quotes {
    #[default]
    None,
    Open,
    /// The closing one, or the first of two that stand for one.
    Closed,
}

impl Quotes {
    fn after(self, last: u8, byte: u8) -> Self {
        match (self, byte) {
            (Self::Open, b'"') => Self::Closed,
            (Self::Open, _) | (Self::Closed, b'"') => Self::Open,
            (Self::None, b'"') if matches!(last, b',' | b';' | b'\t' | b'\n' | b'\r') => Self::Open,
            (Self::None | Self::Closed, _) => Self::None,
        }
    }
}

/// What the bytes seen so far say.
#[derive(Default)]
struct Signs {
    bytes: u64,
    bom: bool,
    /// The row of the next byte, as a spreadsheet counts: one more than the line ends before it that are not quoted.
    row: u64,
    quotes: Quotes,
    last: u8,
    has_line_feed: bool,
    has_return: bool,
    /// Place and row of the first byte above 127.
    first: Option<(u64, u64)>,
    /// The end of the last block, where a UTF-8 character was begun.
    begun: Vec<u8>,
    well_formed: u64,
    malformed: u64,
    windows: Score,
    mac: Score,
}

impl Signs {
    fn see(&mut self, block: &[u8]) -> Result<(), Fault> {
        if self.bytes == 0 {
            self.row = 1;
            self.last = b'\n';
            self.bom = block.starts_with(BOM);
            if block.starts_with(b"\xff\xfe") || block.starts_with(b"\xfe\xff") {
                return Err(Fault::file("unsupported_encoding", "this is UTF-16: save it as CSV in UTF-8"));
            }
        }
        for (at, &byte) in block.iter().enumerate() {
            let begins = self.bytes == 0 && self.bom && at == BOM.len();
            self.quotes = self.quotes.after(if begins { b'\n' } else { self.last }, byte);
            let quoted = self.quotes == Quotes::Open;
            match byte {
                0 => {
                    let message = "a zero byte: this is not a text file";
                    return Err(Fault::file("not_text", message).at(self.row));
                }
                b'\n' if self.last == b'\r' => self.has_line_feed = true,
                b'\n' => {
                    self.has_line_feed = true;
                    self.row += u64::from(!quoted);
                }
                b'\r' => {
                    self.has_return = true;
                    self.row += u64::from(!quoted);
                }
                128.. if self.first.is_none() => self.first = Some((self.bytes + at as u64, self.row)),
                _ => {}
            }
            if byte >= 128 || self.last >= 128 {
                let (windows, mac) = (single(WINDOWS_1252, self.last), single(MACINTOSH, self.last));
                self.windows.see(windows, single(WINDOWS_1252, byte));
                self.mac.see(mac, single(MACINTOSH, byte));
            }
            self.last = byte;
        }
        self.bytes += block.len() as u64;
        self.count_utf8(block);
        Ok(())
    }

    fn count_utf8(&mut self, block: &[u8]) {
        if self.begun.is_empty() && block.is_ascii() {
            return;
        }
        let joined = [self.begun.as_slice(), block].concat();
        self.begun.clear();
        for chunk in joined.utf8_chunks() {
            self.well_formed += chunk.valid().bytes().filter(|b| *b >= 0xc0).count() as u64;
            let left = chunk.invalid();
            let ends_here = chunk_ends(&joined, left);
            if ends_here && std::str::from_utf8(left).is_err_and(|e| e.error_len().is_none()) {
                self.begun = left.to_vec();
            } else if !left.is_empty() {
                self.malformed += 1;
            }
        }
    }

    fn settle<S: Read + Seek>(&mut self, source: &mut S) -> std::io::Result<(Encoding, Vec<Fault>)> {
        if !self.begun.is_empty() {
            self.malformed += 1;
        }
        if self.bom {
            return Ok((Encoding::Utf8Bom, Vec::new()));
        }
        let Some((at, row)) = self.first.filter(|_| self.malformed > 0 && self.well_formed <= self.malformed) else {
            return Ok((Encoding::Utf8, Vec::new()));
        };
        let bare_returns = self.has_return && !self.has_line_feed;
        let mac = self.mac.total(single(MACINTOSH, self.last)) + if bare_returns { 3 } else { 0 };
        let windows = self.windows.total(single(WINDOWS_1252, self.last));
        let (encoding, other) = if mac > windows {
            (Encoding::MacRoman, Encoding::Windows1252)
        } else {
            (Encoding::Windows1252, Encoding::MacRoman)
        };
        let place = around(source, at)?;
        let message = format!(
            "not UTF-8: read as {} (score {}), where {} (score {}) would read `{}`",
            encoding.name(),
            mac.max(windows),
            other.name(),
            mac.min(windows),
            shorten(&other.decode(&place).0),
        );
        let note = Fault::file("encoding_guessed", message).at(row).quoting(&encoding.decode(&place).0);
        Ok((encoding, vec![note]))
    }
}

/// Whether `part`, a slice of `whole`, is its end.
fn chunk_ends(whole: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && part.as_ptr_range().end == whole.as_ptr_range().end
}

/// The byte at `at` with the bytes of its line on either side.
fn around<S: Read + Seek>(source: &mut S, at: u64) -> std::io::Result<Vec<u8>> {
    let from = at.saturating_sub(AROUND as u64);
    source.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    source.by_ref().take(at - from + 1 + AROUND as u64).read_to_end(&mut bytes)?;
    let (before, after) = bytes.split_at(usize::try_from(at - from).unwrap_or(0).min(bytes.len()));
    let is_end = |b: &u8| matches!(b, b'\n' | b'\r');
    let start = before.iter().rposition(is_end).map_or(0, |end| end + 1);
    let end = after.iter().position(is_end).unwrap_or(after.len());
    Ok([before.get(start..).unwrap_or_default(), after.get(..end).unwrap_or_default()].concat())
}

/// The character of a byte in an eight-bit encoding.
fn single(encoding: &'static encoding_rs::Encoding, byte: u8) -> char {
    if byte.is_ascii() {
        return char::from(byte);
    }
    encoding.decode_without_bom_handling(&[byte]).0.chars().next().unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// How well a reading's non-ASCII characters fit between their neighbours (see the module's text).
#[derive(Default)]
struct Score {
    total: i64,
    /// A character that waits for the one after it, with the one before it.
    waiting: Option<(char, char)>,
}

impl Score {
    fn see(&mut self, before: char, c: char) {
        if let Some((before, waiting)) = self.waiting.take() {
            self.total += fit(before, waiting, c);
        }
        if !c.is_ascii() {
            self.waiting = Some((before, c));
        }
    }

    fn total(&mut self, last: char) -> i64 {
        self.see(last, ' ');
        self.total
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn surveyed(bytes: &[u8]) -> Survey {
        survey(&mut Cursor::new(bytes)).expect("text")
    }

    #[test]
    fn a_dash_an_apostrophe_and_an_accent_tell_the_two_apart() {
        let encoding_of = |bytes: &[u8]| surveyed(bytes).encoding;
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
    fn a_guess_is_reported_with_its_place() {
        let found = surveyed(b"a,b\rc \xd0 d,e\r");
        assert_eq!(found.encoding, Encoding::MacRoman);
        let [note] = found.notes.as_slice() else { panic!("one note: {:?}", found.notes) };
        assert_eq!((note.code, note.row, note.value.as_str()), ("encoding_guessed", 2, "c – d,e"));
        assert!(note.message.contains("`c Ð d,e`"), "{note}");
    }

    #[test]
    fn a_stray_byte_does_not_turn_utf_8_into_something_else() {
        let text = "Zoë, René, Café \u{2013} ".repeat(20_000);
        assert_eq!(surveyed(text.as_bytes()).encoding, Encoding::Utf8, "over the blocks' ends");
        assert_eq!(surveyed(&[text.as_bytes(), b"\xff\n"].concat()).encoding, Encoding::Utf8);
        assert_eq!(surveyed(b"\xef\xbb\xbfURN \x96\n").encoding, Encoding::Utf8Bom);
    }

    #[test]
    fn what_is_not_a_text_file_is_refused() {
        let refused = |bytes: &[u8]| survey(&mut Cursor::new(bytes)).expect_err("refused");
        assert_eq!(refused(b"\xff\xfeU\0R\0").code, "unsupported_encoding");
        let fault = refused(b"URN\r\nx\r\n\0");
        assert_eq!((fault.code, fault.row), ("not_text", 3));
    }
}

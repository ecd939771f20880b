//! Texts of a workbook: those its cells share, and how control characters are written in XML.

use super::xml::{Node, Xml};
use crate::{Fault, Limits};
use std::fmt::Write as _;
use std::io::Read;

/// The shared strings, one behind the other.
#[derive(Default)]
pub(super) struct Strings {
    text: String,
    ends: Vec<usize>,
}

impl Strings {
    pub(super) fn read<R: Read>(xml: &mut Xml<R>, limits: &Limits) -> Result<Self, Fault> {
        let mut strings = Self::default();
        loop {
            match xml.next()? {
                Node::Start(element) if element.local_name().as_ref() == "si" => {
                    let text = rich_text(xml, "si", limits.cell_bytes)?;
                    strings.text.push_str(&text);
                    strings.ends.push(strings.text.len());
                    if strings.text.len() + strings.ends.len() * size_of::<usize>() > limits.strings_bytes {
                        let message =
                            format!("the workbook's texts together have more than {} bytes", limits.strings_bytes);
                        return Err(Fault::file("inflated_too_large", message));
                    }
                }
                Node::Start(_) | Node::End(_) | Node::Text(_) => {}
                Node::Eof => return Ok(strings),
            }
        }
    }

    pub(super) fn get(&self, at: usize) -> Option<&str> {
        let start = at.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.text.get(start..*self.ends.get(at)?)
    }
}

/// The text within an element that has begun: of its `t` elements together, without the phonetic guide. A text past `most` bytes is cut
/// somewhere after them.
pub(super) fn rich_text<R: Read>(xml: &mut Xml<R>, element: &str, most: usize) -> Result<String, Fault> {
    let mut text = String::new();
    let mut in_text = false;
    let mut in_guide = false;
    loop {
        match xml.next()? {
            Node::Start(start) => match start.local_name().as_ref() {
                "t" => in_text = true,
                "rPh" => in_guide = true,
                _ => {}
            },
            Node::End(name) if name == element => return Ok(unescape(&text)),
            Node::End(name) => match name.as_str() {
                "t" => in_text = false,
                "rPh" => in_guide = false,
                _ => {}
            },
            Node::Text(piece) if in_text && !in_guide => push(&mut text, &piece, most),
            Node::Text(_) => {}
            Node::Eof => return Ok(text),
        }
    }
}

/// Adds to a text that is not yet past what it may come to, escapes included.
pub(super) fn push(text: &mut String, piece: &str, most: usize) {
    if text.len() <= most * ESCAPED {
        text.push_str(piece);
    }
}

/// Bytes of `_x000D_`.
const ESCAPED: usize = 7;

/// The character that begins at a `_xHHHH_`, as a unit of UTF-16.
fn escaped(text: &str) -> Option<u16> {
    digits(text).filter(|_| text.get(6..ESCAPED) == Some("_"))
}

/// What the text begins with, if that is `_xHHHH`.
fn digits(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("_x")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok().filter(|_| digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// The text that `_xHHHH_` stands in for control characters in.
pub(super) fn unescape(text: &str) -> String {
    let mut units = Vec::new();
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        let (before, from) = rest.split_at(at);
        let (kept, next) = match escaped(from) {
            Some(unit) => {
                plain.push_str(before);
                units.clear();
                units.push(unit);
                let mut after = from.get(ESCAPED..).unwrap_or_default();
                while let Some(unit) = escaped(after) {
                    units.push(unit);
                    after = after.get(ESCAPED..).unwrap_or_default();
                }
                (String::from_utf16_lossy(&units), after)
            }
            None => (format!("{before}_x"), from.get(2..).unwrap_or_default()),
        };
        plain.push_str(&kept);
        rest = next;
    }
    plain.push_str(rest);
    plain
}

/// The text with what XML cannot hold, or would change, as `_xHHHH_`.
pub(super) fn escape(text: &str) -> String {
    let mut xml = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            // Whatever comes then: it may itself be written with an underscore.
            '_' if text.get(at..).and_then(digits).is_some() => xml.push_str("_x005F_"),
            '\t' | '\n' => xml.push(c),
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => {
                // Writing to a text does not fail.
                let _ = write!(xml, "_x{:04X}_", u32::from(c));
            }
            _ => xml.push(c),
        }
    }
    xml
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_and_come_back() {
        for (text, xml) in [
            ("a\rb", "a_x000D_b"),
            ("_x0041_", "_x005F_x0041_"),
            ("__x0041_", "__x005F_x0041_"),
            ("_x0041\r", "_x005F_x0041_x000D_"),
            ("_x004", "_x004"),
            ("a & <b>\n", "a &amp; &lt;b&gt;\n"),
        ] {
            assert_eq!(escape(text), xml);
        }
        assert_eq!(unescape("a_x000D_b_x005F_x0041__xD83D__xDE00_"), "a\rb_x0041_😀");
        assert_eq!(unescape("_x_x004G_é_x0041"), "_x_x004G_é_x0041");
    }
}

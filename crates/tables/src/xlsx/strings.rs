//! Texts of a workbook: those its cells share, and how control characters are written in XML.

use crate::xml::{Node, Xml};
use crate::{Fault, Limits};
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
    // What is escaped is escaped within one `t`: two of them may make up what looks like an escape.
    let mut part = String::new();
    let mut in_text = false;
    let mut in_guide = false;
    loop {
        match xml.next()? {
            Node::Start(start) => match start.local_name().as_ref() {
                "t" => in_text = true,
                "rPh" => in_guide = true,
                _ => {}
            },
            Node::End(name) if name == element => return Ok(text),
            Node::End(name) => match name.as_str() {
                "t" => {
                    in_text = false;
                    push(&mut text, &unescape(&part), most);
                    part.clear();
                }
                "rPh" => in_guide = false,
                _ => {}
            },
            Node::Text(piece) if in_text && !in_guide => push(&mut part, &piece, most),
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
    let digits = text.strip_prefix("_x")?.get(..4).filter(|_| text.get(6..ESCAPED) == Some("_"))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_control_characters_come_back() {
        assert_eq!(unescape("a_x000D_b_x005F_x0041__xD83D__xDE00_"), "a\rb_x0041_😀");
        assert_eq!(unescape("_x_x004G_é_x0041"), "_x_x004G_é_x0041");
    }
}

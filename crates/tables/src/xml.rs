//! A part's XML as a stream of what matters. No piece of it is held beyond the bytes a row may have, nothing is nested deeply, and a document type,
//! by which entities grow without end, is refused.

use crate::package::bad;
use crate::{Fault, Limits};
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read};

const MAX_DEPTH: u32 = 64;

/// What comes next.
pub(crate) enum Node<'a> {
    /// An element begins.
    Start(BytesStart<'a>),
    /// An element, of this name without its prefix, ends.
    End(String),
    /// A piece of text.
    Text(Cow<'a, str>),
    /// The document has ended whole.
    Eof,
}

/// A part's XML.
pub(crate) struct Xml<R> {
    reader: Reader<Metered<R>>,
    buffer: Vec<u8>,
    depth: u32,
    begun: bool,
}

impl<R: Read> Xml<R> {
    pub(crate) fn new(source: R, limits: Limits) -> Self {
        let most = limits.row_bytes;
        let mut reader =
            Reader::from_reader(Metered { bytes: BufReader::with_capacity(1 << 15, source), most, spent: 0 });
        reader.config_mut().expand_empty_elements = true;
        Self { reader, buffer: Vec::new(), depth: 0, begun: false }
    }

    /// What the XML is read from.
    pub(crate) fn source(&self) -> &R {
        self.reader.get_ref().bytes.get_ref()
    }

    pub(crate) fn next(&mut self) -> Result<Node<'_>, Fault> {
        self.buffer.clear();
        self.reader.get_mut().spent = 0;
        match self.reader.read_event_into(&mut self.buffer).map_err(fault)? {
            Event::Start(element) => {
                self.depth += 1;
                self.begun = true;
                if self.depth > MAX_DEPTH {
                    Err(bad("its elements are nested too deeply"))
                } else {
                    Ok(Node::Start(element))
                }
            }
            Event::End(element) => {
                self.depth = self.depth.saturating_sub(1);
                Ok(Node::End(element.local_name().as_ref().to_owned()))
            }
            Event::Text(text) => Ok(Node::Text(text.xml10_content())),
            Event::CData(text) => Ok(Node::Text(text.xml10_content())),
            Event::GeneralRef(name) => {
                let named = || quick_xml::escape::resolve_predefined_entity(&name).map(Cow::Borrowed);
                let numbered = name.resolve_char_ref().map_err(fault)?.map(|c| Cow::Owned(c.to_string()));
                numbered.or_else(named).map(Node::Text).ok_or_else(|| bad("it names an unknown entity"))
            }
            Event::DocType(_) => Err(bad("it has a document type, which no workbook has")),
            Event::Eof if self.depth > 0 || !self.begun => Err(bad("a part ends in the middle")),
            Event::Eof => Ok(Node::Eof),
            // Of the same worth as a text without characters.
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Empty(_) => Ok(Node::Text(Cow::Borrowed(""))),
        }
    }

    /// Goes on to the end of the part, and so to its checksum.
    pub(crate) fn finish(&mut self) -> Result<(), Fault> {
        while !matches!(self.next()?, Node::Eof) {}
        Ok(())
    }
}

/// The value of an element's attribute, by its name without prefix.
pub(crate) fn attribute(element: &BytesStart<'_>, name: &str) -> Result<Option<String>, Fault> {
    for attribute in element.attributes().with_checks(false) {
        let attribute = attribute.map_err(|_| bad("an attribute cannot be read"))?;
        if attribute.key.local_name().as_ref() == name {
            let value = attribute.normalized_value(XmlVersion::default()).map_err(fault)?;
            return Ok(Some(value.into_owned()));
        }
    }
    Ok(None)
}

#[expect(clippy::needless_pass_by_value, reason = "as `map_err` hands it over")]
fn fault(error: quick_xml::Error) -> Fault {
    if let quick_xml::Error::Io(error) = &error {
        return match error.get_ref().and_then(|inner| inner.downcast_ref::<Fault>()) {
            Some(fault) => fault.clone(),
            None => bad("a part cannot be unpacked"),
        };
    }
    bad("a part is not the XML it should be")
}

/// Counts the bytes of one piece of XML, which would be held as a whole.
struct Metered<R> {
    bytes: BufReader<R>,
    most: usize,
    spent: usize,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.bytes.read(buffer)
    }
}

impl<R: Read> BufRead for Metered<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.spent > self.most {
            let message = format!("a piece of it has more than {} bytes", self.most);
            return Err(io::Error::other(bad(message)));
        }
        self.bytes.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.spent += count;
        self.bytes.consume(count);
    }
}

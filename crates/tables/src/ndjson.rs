//! NDJSON: an object a line. Values that are not text stand for their text as written; `null` is blank, and a key that an object
//! has not is absent.

use super::{Encoding, Fault, Flaw, Limits, Record, shorten};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::fmt;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};

/// Reads a source's lines as records, each with a cell for every key of any line.
pub(super) struct Ndjson<R> {
    lines: Lines<R>,
    places: HashMap<String, usize>,
    limits: Limits,
}

impl<R: Read + Seek> Ndjson<R> {
    /// Collects the keys of all lines, in their order, and starts again at the same place.
    pub(super) fn open(mut source: R, limits: Limits) -> Result<(Self, Vec<String>), Fault> {
        let unreadable = |e: std::io::Error| Fault::unreadable(&e);
        let start = source.stream_position().map_err(unreadable)?;
        let mut lines = Lines::new(source, limits.row_bytes);
        let mut keys: Vec<String> = Vec::new();
        let mut places = HashMap::new();
        let mut bytes = 0;
        while lines.next()? {
            // What is wrong with a line is said when it is read.
            let Ok(Object(fields)) = serde_json::from_slice(&lines.line) else { continue };
            for (key, _) in fields {
                if places.contains_key(&key) {
                    continue;
                }
                bytes += key.len();
                if keys.len() == limits.columns || bytes > limits.row_bytes {
                    let message =
                        format!("the objects have more than {} different keys, or very long ones", limits.columns);
                    return Err(Fault::file("too_many_columns", message).at(lines.number));
                }
                places.insert(key.clone(), keys.len());
                keys.push(key);
            }
        }
        let mut source = lines.input.into_inner();
        source.seek(SeekFrom::Start(start)).map_err(unreadable)?;
        Ok((Self { lines: Lines::new(source, limits.row_bytes), places, limits }, keys))
    }
}

impl<R: Read> Ndjson<R> {
    fn record(&mut self) -> Result<Option<Record>, Fault> {
        if !self.lines.next()? {
            return Ok(None);
        }
        let number = self.lines.number;
        let mut record = Record { number, cells: vec![String::new(); self.places.len()], ..Record::default() };
        let line = self.lines.line.trim_ascii();
        let mut flaw = |at, value: &str, code, message| {
            record.flaws.push(Flaw { at, value: shorten(value), code, message });
        };
        let Ok(text) = std::str::from_utf8(line) else {
            flaw(None, &Encoding::Utf8.decode(line).0, "bad_encoding", "these bytes are not UTF-8");
            return Ok(Some(record));
        };
        if self.lines.is_long {
            flaw(None, text, "long_row", "the line is too long");
            return Ok(Some(record));
        }
        if text.is_empty() {
            return Ok(Some(record));
        }
        if !text.starts_with('{') {
            flaw(None, text, "not_an_object", "each line must be a JSON object");
            return Ok(Some(record));
        }
        let fields = match serde_json::from_str(text) {
            Ok(Object(fields)) => fields,
            Err(e) if e.is_eof() && !self.lines.has_end => {
                return Err(
                    Fault::file("cut_off", "the last line ends within an object: is the file whole?").at(number)
                );
            }
            Err(_) => {
                flaw(None, text, "bad_json", "this line is no JSON object");
                return Ok(Some(record));
            }
        };
        let mut seen = vec![false; self.places.len()];
        for (key, value) in fields {
            let Some(&place) = self.places.get(&key) else { continue };
            let (Some(seen), Some(cell)) = (seen.get_mut(place), record.cells.get_mut(place)) else { continue };
            let at = Some(place);
            if std::mem::replace(seen, true) {
                flaw(at, value.get(), "duplicate_key", "the object has this key twice");
                continue;
            }
            let Some(text) = scalar(value.get()) else {
                flaw(at, value.get(), "nested_value", "a value must be text, a number, true, false or null");
                continue;
            };
            *cell = text;
            if cell.len() > self.limits.cell_bytes {
                flaw(at, cell, "long_cell", "a cell is too long to be a value");
                *cell = shorten(cell);
            }
            if cell.contains('\0') {
                flaw(at, cell, "bad_character", "a character that text cannot have (NUL)");
                *cell = cell.replace('\0', "\u{fffd}");
            }
        }
        record.absent = (0..).zip(&seen).filter(|(_, seen)| !**seen).map(|(place, _)| place).collect();
        Ok(Some(record))
    }
}

impl<R: Read> Iterator for Ndjson<R> {
    type Item = Result<Record, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        self.record().transpose()
    }
}

/// The text of a JSON value; none if it has values of its own.
fn scalar(json: &str) -> Option<String> {
    match json.bytes().next()? {
        b'"' => serde_json::from_str(json).ok(),
        b'{' | b'[' => None,
        b'n' => Some(String::new()),
        _ => Some(json.to_owned()),
    }
}

/// An object's keys and values as written, twice where they are there twice.
struct Object<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Object(fields))
    }
}

/// A source's lines, each held as far as it may go.
struct Lines<R> {
    input: BufReader<R>,
    most: usize,
    line: Vec<u8>,
    number: u64,
    is_long: bool,
    has_end: bool,
}

impl<R: Read> Lines<R> {
    fn new(source: R, most: usize) -> Self {
        let input = BufReader::with_capacity(1 << 16, source);
        Self { input, most, line: Vec::new(), number: 0, is_long: false, has_end: false }
    }

    /// Reads the next line, without its end; false if there is none.
    fn next(&mut self) -> Result<bool, Fault> {
        self.line.clear();
        (self.is_long, self.has_end) = (false, false);
        let mut some = false;
        while !self.has_end {
            let block = self.input.fill_buf().map_err(|e| Fault::unreadable(&e))?;
            if block.is_empty() {
                break;
            }
            some = true;
            let end = block.iter().position(|b| *b == b'\n');
            let piece = block.get(..end.unwrap_or(block.len())).unwrap_or_default();
            let room = self.most.saturating_sub(self.line.len());
            self.is_long |= piece.len() > room;
            self.line.extend_from_slice(piece.get(..room).unwrap_or(piece));
            self.has_end = end.is_some();
            let used = piece.len() + usize::from(self.has_end);
            self.input.consume(used);
        }
        self.number += u64::from(some);
        Ok(some)
    }
}

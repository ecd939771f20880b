//! CSV split into cells (RFC 4180): read a byte at a time, so that rows are counted whatever ends them (`\n`, `\r\n`,
//! a bare `\r`), as a spreadsheet counts them, a cell is never held beyond its limit, and quotation marks that are never closed are noticed.

use super::headings::{Known, printed};
use super::{Encoding, Fault, Flaw, Limits, Record, shorten};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};

const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];
/// How much of a file is looked at for its delimiter.
const HEAD: u64 = 1 << 16;

/// Splits a source into records.
pub(super) struct Csv<R> {
    input: BufReader<R>,
    delimiter: u8,
    encoding: Encoding,
    limits: Limits,
    /// The row that comes next.
    next: u64,
    /// The last byte was a carriage return: a line feed now ends no further line.
    after_return: bool,
    #[expect(clippy::option_option, reason = "not ended; ended well; ended with a fault")]
    ended: Option<Option<Fault>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing of the cell has come.
    Start,
    Bare,
    Quoted,
    /// A quotation mark within quotation marks: the closing one, or the first of two that stand for one.
    Quote,
}

impl<R: Read + Seek> Csv<R> {
    /// Splits what is left of the source, by the delimiter that makes most known headings of one of the first rows.
    pub(super) fn open(mut source: R, encoding: Encoding, limits: Limits, known: &Known<'_>) -> Result<Self, Fault> {
        let unreadable = |e: std::io::Error| Fault::unreadable(&e);
        let start = source.stream_position().map_err(unreadable)?;
        let mut head = Vec::new();
        source.by_ref().take(HEAD).read_to_end(&mut head).map_err(unreadable)?;
        source.seek(SeekFrom::Start(start)).map_err(unreadable)?;
        let headings = |delimiter: u8| {
            let records = Csv::split(head.as_slice(), delimiter, encoding, limits).take_while(Result::is_ok).flatten();
            let rows = records.filter(|r| !r.is_blank()).take(limits.preamble + 1);
            rows.map(|r| r.cells.iter().filter(|cell| known(&printed(cell))).count()).max().unwrap_or(0)
        };
        // Of equals `max_by_key` takes the last: the comma.
        let delimiter = DELIMITERS.into_iter().rev().max_by_key(|d| headings(*d)).unwrap_or(b',');
        Ok(Csv::split(source, delimiter, encoding, limits))
    }
}

impl<R: Read> Csv<R> {
    fn split(source: R, delimiter: u8, encoding: Encoding, limits: Limits) -> Self {
        let input = BufReader::with_capacity(1 << 16, source);
        Self { input, delimiter, encoding, limits, next: 1, after_return: false, ended: None }
    }

    /// The number of the row that has come.
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    /// The next record; none at the end.
    fn record(&mut self) -> Result<Option<Record>, Fault> {
        let mut row = Cells::new(self.encoding, self.limits);
        let mut state = State::Start;
        loop {
            let block = self.input.fill_buf().map_err(|e| Fault::unreadable(&e))?;
            if block.is_empty() {
                break;
            }
            let mut used = 0;
            let mut done = false;
            for &byte in block {
                used += 1;
                if std::mem::take(&mut self.after_return) && byte == b'\n' {
                    if state == State::Quoted {
                        row.push(byte);
                    }
                    continue;
                }
                self.after_return = byte == b'\r';
                match (state, byte) {
                    (State::Start, b'"') => {
                        row.begun = true;
                        state = State::Quoted;
                    }
                    (State::Quoted, b'"') => state = State::Quote,
                    (State::Quote, b'"') => {
                        row.push(byte);
                        state = State::Quoted;
                    }
                    (State::Quoted, _) => row.push(byte),
                    (_, b'\n' | b'\r') if row.begun => {
                        done = true;
                        break;
                    }
                    // A row without anything.
                    (_, b'\n' | b'\r') => self.next += 1,
                    (_, _) if byte == self.delimiter => {
                        row.end_cell();
                        state = State::Start;
                    }
                    (State::Quote, _) => {
                        let message =
                            "text after the closing quotation mark: a quotation mark within a cell is written twice";
                        row.flaw("bad_quotes", message);
                        row.push(byte);
                        state = State::Bare;
                    }
                    (State::Start | State::Bare, _) => {
                        row.push(byte);
                        state = State::Bare;
                    }
                }
            }
            self.input.consume(used);
            if done {
                return Ok(Some(row.record(self.number())));
            }
        }
        let number = self.number();
        let unclosed = (state == State::Quoted).then(|| {
            let message = "a quotation mark is opened here and never closed: is the file whole?";
            Fault::file("unclosed_quote", message).at(number)
        });
        if !row.begun {
            self.ended = Some(None);
            return Ok(None);
        }
        let record = row.record(number);
        match unclosed {
            Some(fault) if record.flaws.is_empty() => Err(fault),
            // What was wrong with the row before may be what is wrong with the file.
            unclosed => {
                self.ended = Some(unclosed);
                Ok(Some(record))
            }
        }
    }
}

impl<R: Read> Iterator for Csv<R> {
    type Item = Result<Record, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(left) = &mut self.ended {
            return left.take().map(Err);
        }
        let record = self.record();
        if record.is_err() {
            self.ended = Some(None);
        }
        record.transpose()
    }
}

/// The cells of a row as they come.
struct Cells {
    encoding: Encoding,
    limits: Limits,
    done: Vec<String>,
    cell: Vec<u8>,
    cell_bytes: usize,
    row_bytes: usize,
    beyond: Option<String>,
    flaws: Vec<Flaw>,
    begun: bool,
}

impl Cells {
    fn new(encoding: Encoding, limits: Limits) -> Self {
        let (cells, cell, flaws) = (Vec::new(), Vec::new(), Vec::new());
        Self { encoding, limits, done: cells, cell, cell_bytes: 0, row_bytes: 0, beyond: None, flaws, begun: false }
    }

    fn push(&mut self, byte: u8) {
        self.begun = true;
        self.cell_bytes += 1;
        if self.cell_bytes <= self.limits.cell_bytes && self.row_bytes + self.cell_bytes <= self.limits.row_bytes {
            self.cell.push(byte);
        }
    }

    fn flaw(&mut self, code: &'static str, message: &'static str) {
        let value = shorten(&self.encoding.decode(&self.cell).0);
        self.flaws.push(Flaw { at: Some(self.done.len()), value, code, message });
    }

    fn end_cell(&mut self) {
        self.begun = true;
        if self.done.len() == self.limits.columns {
            if self.beyond.is_none() && !self.cell.trim_ascii().is_empty() {
                self.beyond = Some(shorten(&self.encoding.decode(&self.cell).0));
            }
        } else {
            if self.cell_bytes > self.limits.cell_bytes {
                self.flaw("long_cell", "a cell is too long to be a value: is a quotation mark left open?");
            } else if self.cell_bytes > self.cell.len() {
                self.flaw("long_row", "the row is too long: is a quotation mark left open?");
            }
            self.row_bytes += self.cell.len();
            let (text, whole) = self.encoding.decode(&self.cell);
            let text = text.into_owned();
            if !whole && self.cell_bytes == self.cell.len() {
                self.flaw("bad_encoding", "these bytes are not UTF-8, which the rest of the file is in");
            }
            self.done.push(text);
        }
        self.cell.clear();
        self.cell_bytes = 0;
    }

    fn record(mut self, number: u64) -> Record {
        self.end_cell();
        Record { number, cells: self.done, beyond: self.beyond, flaws: self.flaws, ..Record::default() }
    }
}

/// A text's records by commas, as they come.
#[cfg(test)]
pub(super) fn split(text: &str) -> Vec<Result<Record, Fault>> {
    Csv::split(text.as_bytes(), b',', Encoding::Utf8, Limits::default()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn split(text: &str) -> Vec<(u64, Vec<String>)> {
        let known = |heading: &str| matches!(heading, "a" | "b" | "c" | "d");
        let csv = Csv::open(Cursor::new(text), Encoding::Utf8, Limits::default(), &known).expect("opens");
        csv.map(|record| record.expect("a record")).map(|record| (record.number, record.cells)).collect()
    }

    fn row(number: u64, cells: &[&str]) -> (u64, Vec<String>) {
        (number, cells.iter().map(|&cell| cell.to_owned()).collect())
    }

    #[test]
    fn rows_are_counted_as_a_spreadsheet_does_whatever_ends_them() {
        for end in ["\n", "\r\n", "\r"] {
            let text = "\na,b\n\n\n\"x\ny\",2\n3,\"4\"\n".replace('\n', end);
            let lines = format!("x{end}y");
            assert_eq!(split(&text), [row(2, &["a", "b"]), row(5, &[&lines, "2"]), row(6, &["3", "4"])], "{end:?}");
        }
    }

    #[test]
    fn quotation_marks_are_read_as_they_are_meant() {
        assert_eq!(split("\"a \"\"b\"\"\",\"\",5\" pipe\n"), [row(1, &["a \"b\"", "", "5\" pipe"])]);
        assert_eq!(split("a,b"), [row(1, &["a", "b"])]);
        assert_eq!(split("a,"), [row(1, &["a", ""])]);
        assert_eq!(split("\"\""), [row(1, &[""])]);
        assert_eq!(split(",\n"), [row(1, &["", ""])]);
    }

    #[test]
    fn the_delimiter_is_the_one_that_makes_headings() {
        assert_eq!(split("A title, of this table\na;b;c\n1,5;2;3\n")[2], row(3, &["1,5", "2", "3"]));
        assert_eq!(split("a\tb\n1\t2\n")[1], row(2, &["1", "2"]));
        assert_eq!(split("a\n1;2\n")[1], row(2, &["1;2"]));
        assert_eq!(split("a,b\n1;2;3;4,5\n")[1], row(2, &["1;2;3;4", "5"]));
    }
}

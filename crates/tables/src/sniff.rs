//! Which format a file is in, told by its first bytes.

use super::{Fault, Format};

/// Files people send for a table, by how they begin. What is none of these, and no table, fails as text: it has zero bytes.
const OTHERS: [(&[u8], &str); 12] = [
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook (.xls), or one with a password"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "packed with gzip"),
    (b"BZh", "packed with bzip2"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"\xfd7zXZ", "packed with xz"),
    (b"{\\rtf", "a rich text document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"<", "an HTML or XML document, whatever its name ends with"),
    (b"[", "a JSON array: send one object a line, without brackets and commas around them"),
];

impl Format {
    /// Tells the format by a file's first bytes: 256 are enough, and fewer only if the file has no more.
    ///
    /// # Errors
    /// `unsupported_format`, by name; `unsupported_encoding`.
    pub fn sniff(head: &[u8]) -> Result<Self, Fault> {
        let accepted = "save it as XLSX, ODS or CSV";
        if head.starts_with(b"PK\x03\x04") {
            let kind = head.get(30..).unwrap_or_default();
            if kind.starts_with(b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet") {
                return Ok(Self::Ods);
            }
            if kind.starts_with(b"mimetype") {
                let message = format!("this is an OpenDocument file, and no spreadsheet: {accepted}");
                return Err(Fault::file("unsupported_format", message));
            }
            return Ok(Self::Xlsx);
        }
        if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
            return Err(Fault::file("unsupported_encoding", "this is UTF-16: save it as CSV in UTF-8"));
        }
        let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
        if let Some((_, name)) = OTHERS.iter().find(|(magic, _)| head.starts_with(magic) || text.starts_with(magic)) {
            return Err(Fault::file("unsupported_format", format!("this is {name}: {accepted}")));
        }
        Ok(if text.starts_with(b"{") { Self::Ndjson } else { Self::Csv })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_tells_the_format() {
        assert_eq!(Format::sniff(b"PK\x03\x04............").ok(), Some(Format::Xlsx));
        assert_eq!(Format::sniff(b"\xef\xbb\xbf\n  {\"a\": 1}").ok(), Some(Format::Ndjson));
        assert_eq!(Format::sniff(b"URN;Name\n").ok(), Some(Format::Csv));
        assert_eq!(Format::sniff(b"").ok(), Some(Format::Csv));
    }

    #[test]
    fn other_files_are_refused_by_name() {
        let said = |head: &[u8]| Format::sniff(head).expect_err("refused");
        let open = |kind: &str| {
            [b"PK\x03\x04".as_slice(), &[0; 26], b"mimetypeapplication/vnd.oasis.opendocument.", kind.as_bytes()]
                .concat()
        };
        assert_eq!(Format::sniff(&open("spreadsheet")).ok(), Some(Format::Ods));
        for (head, word) in [
            (open("text").as_slice(), "OpenDocument"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel"),
            (b"%PDF-1.7", "PDF"),
            (b"\x1f\x8b\x08", "gzip"),
            (b"{\\rtf1", "rich text"),
            (b"\n<html>", "HTML"),
            (b"[{\"a\":1}]", "JSON array"),
        ] {
            let fault = said(head);
            assert_eq!(fault.code, "unsupported_format");
            assert!(fault.message.contains(word), "{fault}");
        }
        assert_eq!(said(b"\xff\xfeU\0").code, "unsupported_encoding");
    }
}

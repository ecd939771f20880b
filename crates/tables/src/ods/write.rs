//! ODS written row by row: one sheet of text cells, so that `007` stays `007` and nothing is a formula. No more than one row is held.

use super::{CONTENT, MEDIA_TYPE};
use crate::guard;
use quick_xml::escape::escape;
use std::io::{self, Write};
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, DateTime, ZipWriter};

const NAMESPACES: &str = r#"xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" xmlns:number="urn:oasis:names:tc:opendocument:xmlns:datastyle:1.0" xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0""#;
/// Cells are text, whatever is typed into them; the headings are bold.
const STYLES: &str = r#"<office:automatic-styles><number:text-style style:name="N1"><number:text-content/></number:text-style><style:style style:name="text" style:family="table-cell" style:data-style-name="N1"/><style:style style:name="heading" style:family="table-cell" style:data-style-name="N1"><style:text-properties fo:font-weight="bold"/></style:style></office:automatic-styles>"#;
const MANIFEST: &str = r#"<?xml version="1.0" encoding="UTF-8"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.3"><manifest:file-entry manifest:full-path="/" manifest:version="1.3" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/><manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>"#;
/// Columns beside those that have headings, which are text as well.
const COLUMNS: usize = 1_024;

/// Writes a spreadsheet with one sheet; its first row is bold.
pub(crate) struct Document<W: Write> {
    zip: ZipWriter<StreamWriter<W>>,
    rows: u64,
}

impl<W: Write> Document<W> {
    pub(crate) fn begin(out: W) -> io::Result<Self> {
        let mut zip = ZipWriter::new_stream(out);
        // The same rows make the same file.
        let packed = SimpleFileOptions::default().last_modified_time(DateTime::default());
        let stored = packed.compression_method(CompressionMethod::Stored);
        let packed = packed.compression_method(CompressionMethod::Deflated);
        zip.start_file("mimetype", stored)?;
        zip.write_all(MEDIA_TYPE.as_bytes())?;
        zip.start_file("META-INF/manifest.xml", packed)?;
        zip.write_all(MANIFEST.as_bytes())?;
        zip.start_file(CONTENT, packed)?;
        write!(
            zip,
            r#"<?xml version="1.0" encoding="UTF-8"?><office:document-content {NAMESPACES} office:version="1.3">{STYLES}<office:body><office:spreadsheet><table:table table:name="Rows"><table:table-column table:number-columns-repeated="{COLUMNS}" table:default-cell-style-name="text"/>"#
        )?;
        Ok(Self { zip, rows: 0 })
    }

    pub(crate) fn row<T: AsRef<str>>(&mut self, cells: &[T]) -> io::Result<()> {
        let style = if self.rows == 0 { "heading" } else { "text" };
        self.rows += 1;
        self.zip.write_all(b"<table:table-row>")?;
        for cell in cells.iter().map(AsRef::as_ref) {
            if cell.is_empty() {
                self.zip.write_all(b"<table:table-cell/>")?;
            } else {
                write!(self.zip, r#"<table:table-cell office:value-type="string" table:style-name="{style}">"#)?;
                self.paragraphs(&guard::guarded(cell))?;
                self.zip.write_all(b"</table:table-cell>")?;
            }
        }
        self.zip.write_all(b"</table:table-row>")
    }

    /// A paragraph for each line; blanks and tabs that XML would lose as elements.
    fn paragraphs(&mut self, text: &str) -> io::Result<()> {
        for line in text.replace("\r\n", "\n").split(['\n', '\r']) {
            self.zip.write_all(b"<text:p>")?;
            let mut rest = line;
            while let Some(at) = rest.find([' ', '\t']) {
                let (before, from) = rest.split_at(at);
                self.text(before)?;
                let blanks = from.len() - from.trim_start_matches(' ').len();
                if blanks > 0 {
                    write!(self.zip, r#"<text:s text:c="{blanks}"/>"#)?;
                } else {
                    self.zip.write_all(b"<text:tab/>")?;
                }
                rest = from.get(blanks.max(1)..).unwrap_or_default();
            }
            self.text(rest)?;
            self.zip.write_all(b"</text:p>")?;
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        // XML 1.0 has no other control characters.
        let text: String = text.chars().map(|c| if is_of_xml(c) { c } else { '\u{fffd}' }).collect();
        self.zip.write_all(escape(text.as_str()).as_bytes())
    }

    pub(crate) fn end(mut self) -> io::Result<W> {
        self.zip.write_all(b"</table:table></office:spreadsheet></office:body></office:document-content>")?;
        Ok(self.zip.finish()?.into_inner())
    }
}

fn is_of_xml(c: char) -> bool {
    !c.is_ascii_control() && !matches!(c, '\u{fffe}' | '\u{ffff}')
}

//! XLSX written as a stream: one sheet of text cells, so that `007` stays `007` and nothing is a formula.

use super::strings::escape;
use crate::guard;
use std::io::{self, Write};
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

/// What a sheet has at most.
const MAX_ROWS: u32 = 1_048_576;
const DECLARATION: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#;

/// The parts that are the same in every workbook. Both styles show text as text (format 49); the second, of headings, is bold.
const PARTS: [(&str, &str); 5] = [
    (
        "[Content_Types].xml",
        r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>"#,
    ),
    (
        "_rels/.rels",
        r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#,
    ),
    (
        "xl/workbook.xml",
        r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Rows" sheetId="1" r:id="rId1"/></sheets></workbook>"#,
    ),
    (
        "xl/_rels/workbook.xml.rels",
        r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#,
    ),
    (
        "xl/styles.xml",
        r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/></cellXfs></styleSheet>"#,
    ),
];

/// The sheet before its rows: the headings stay in sight, and whole columns are text, so that what is typed in stays as typed.
const SHEET: &str = r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><cols><col min="1" max="16384" width="18" style="1" customWidth="1"/></cols><sheetData>"#;

/// Writes a workbook with one sheet; the first row is bold.
pub(crate) struct Workbook<W: Write> {
    zip: ZipWriter<StreamWriter<W>>,
    rows: u32,
}

impl<W: Write> Workbook<W> {
    pub(crate) fn begin(out: W) -> io::Result<Self> {
        let mut zip = ZipWriter::new_stream(out);
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        for (name, xml) in PARTS {
            zip.start_file(name, options)?;
            zip.write_all(DECLARATION.as_bytes())?;
            zip.write_all(xml.as_bytes())?;
        }
        zip.start_file("xl/worksheets/sheet1.xml", options)?;
        zip.write_all(DECLARATION.as_bytes())?;
        zip.write_all(SHEET.as_bytes())?;
        Ok(Self { zip, rows: 0 })
    }

    pub(crate) fn row<T: AsRef<str>>(&mut self, cells: &[T]) -> io::Result<()> {
        if self.rows == MAX_ROWS {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a sheet has no more rows"));
        }
        let style = if self.rows == 0 { 2 } else { 1 };
        self.rows += 1;
        let mut xml = format!("<row r=\"{}\">", self.rows);
        for (place, cell) in cells.iter().map(AsRef::as_ref).enumerate().filter(|(_, cell)| !cell.is_empty()) {
            let text = escape(&guard::guarded(cell));
            let cell = format!(
                r#"<c r="{}{}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>"#,
                letters(place),
                self.rows
            );
            xml.push_str(&cell);
        }
        xml.push_str("</row>");
        self.zip.write_all(xml.as_bytes())
    }

    pub(crate) fn end(mut self) -> io::Result<W> {
        self.zip.write_all(b"</sheetData></worksheet>")?;
        Ok(self.zip.finish()?.into_inner())
    }
}

/// A column's letters, from its place from 0.
fn letters(place: usize) -> String {
    let mut rest = place + 1;
    let mut letters = Vec::new();
    while rest > 0 {
        letters.push(char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ".get((rest - 1) % 26).copied().unwrap_or(b'A')));
        rest = (rest - 1) / 26;
    }
    letters.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::letters;

    #[test]
    fn columns_have_letters() {
        for (place, name) in [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA"), (16_383, "XFD")] {
            assert_eq!(letters(place), name);
        }
    }
}

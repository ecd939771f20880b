//! The ZIP archive a workbook is, XLSX or ODS: its parts, unpacked as a stream and never beyond what they may come to, whatever they claim.

use crate::xml::Xml;
use crate::{Fault, Limits};
use flate2::Crc;
use flate2::read::DeflateDecoder;
use std::collections::HashMap;
use std::io::{self, Read, Seek, SeekFrom, Take};
use zip::{CompressionMethod, ZipArchive};

/// A workbook has a dozen parts, or a few more with pictures.
const MAX_PARTS: usize = 1_000;
/// The end record of an archive lies this near to the end of the file.
const TAIL: u64 = (1 << 16) + 64;

/// A workbook's parts by name.
pub(crate) struct Package<S> {
    source: S,
    parts: HashMap<String, Part>,
    limits: Limits,
    /// What the parts not read yet may come to.
    left: u64,
}

#[derive(Clone, Copy)]
struct Part {
    start: u64,
    packed: u64,
    size: u64,
    crc: u32,
    method: CompressionMethod,
    encrypted: bool,
}

/// The fault of a workbook that is damaged, or made to do harm.
pub(crate) fn bad(what: impl Into<String>) -> Fault {
    let what: String = what.into();
    Fault::file("bad_xlsx", format!("this workbook is damaged or cut off: {what}"))
}

fn too_large(limits: &Limits) -> Fault {
    let message = format!("unpacked, the workbook has more than {} bytes", limits.inflated_bytes);
    Fault::file("inflated_too_large", message)
}

impl<S: Read + Seek> Package<S> {
    pub(crate) fn open(mut source: S, limits: Limits) -> Result<Self, Fault> {
        check_end(&mut source).map_err(|e| Fault::unreadable(&e))??;
        let mut archive = ZipArchive::new(source).map_err(|_| bad("its table of contents cannot be read"))?;
        let mut parts = HashMap::new();
        for index in 0..archive.len().min(MAX_PARTS) {
            let file = archive.by_index_raw(index).map_err(|_| bad("a part is not where it should be"))?;
            let part = Part {
                start: file.data_start().ok_or_else(|| bad("a part is not where it should be"))?,
                packed: file.compressed_size(),
                size: file.size(),
                crc: file.crc32(),
                method: file.compression(),
                encrypted: file.encrypted(),
            };
            let name = String::from_utf8_lossy(file.name_raw()).to_lowercase();
            if parts.insert(name, part).is_some() {
                return Err(bad("it has a part twice"));
            }
        }
        Ok(Self { source: archive.into_inner(), parts, limits, left: limits.inflated_bytes })
    }

    /// What `read` makes of a part; none if there is no such part.
    pub(crate) fn read<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Xml<Inflated<&mut S>>) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        let Some(part) = self.parts.get(&name.to_lowercase()).copied() else { return Ok(None) };
        let mut xml = Xml::new(part.open(&mut self.source, self.limits, self.left)?, self.limits);
        let made = read(&mut xml)?;
        self.left = xml.source().left;
        Ok(Some(made))
    }

    /// What `look` makes of a part that is read again later, of which it unpacks so many bytes at most.
    pub(crate) fn glance<T>(
        &mut self,
        name: &str,
        most: u64,
        look: impl FnOnce(Xml<Inflated<&mut S>>) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        let Some(part) = self.parts.get(&name.to_lowercase()).copied() else { return Ok(None) };
        let mut bytes = part.open(&mut self.source, self.limits, self.left)?;
        bytes.left = bytes.left.min(most);
        look(Xml::new(bytes, self.limits)).map(Some)
    }

    /// A part to be read at leisure, as the last one.
    pub(crate) fn into_part(mut self, name: &str) -> Result<Xml<Inflated<S>>, Fault> {
        let part = self.parts.remove(&name.to_lowercase()).ok_or_else(|| bad("its sheet is missing"))?;
        Ok(Xml::new(part.open(self.source, self.limits, self.left)?, self.limits))
    }
}

/// Refuses an archive that claims a great many parts before its table of contents is read into memory.
fn check_end<S: Read + Seek>(source: &mut S) -> io::Result<Result<(), Fault>> {
    let end = source.seek(SeekFrom::End(0))?;
    source.seek(SeekFrom::Start(end.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    source.by_ref().take(TAIL).read_to_end(&mut tail)?;
    let records = tail.windows(22).filter(|record| record.starts_with(b"PK\x05\x06"));
    for record in records {
        let parts = record.get(10..12).and_then(|n| n.try_into().ok()).map_or(0, u16::from_le_bytes);
        let is_zip64 = record.get(12..20).is_some_and(|places| places.chunks(4).any(|n| n == [0xff; 4]));
        if usize::from(parts) > MAX_PARTS || is_zip64 {
            return Ok(Err(bad("it claims more parts than a workbook has")));
        }
    }
    Ok(Ok(()))
}

impl Part {
    fn open<S: Read + Seek>(self, mut source: S, limits: Limits, left: u64) -> Result<Inflated<S>, Fault> {
        if self.encrypted {
            return Err(Fault::file("unsupported_format", "this workbook has a password: save it without one"));
        }
        if self.size > left {
            return Err(too_large(&limits));
        }
        source.seek(SeekFrom::Start(self.start)).map_err(|e| Fault::unreadable(&e))?;
        let packed = source.take(self.packed);
        let bytes = match self.method {
            CompressionMethod::Stored => Unpacking::Stored(packed),
            CompressionMethod::Deflated => Unpacking::Deflated(DeflateDecoder::new(packed)),
            _ => return Err(bad("it is packed in a way workbooks are not")),
        };
        Ok(Inflated { bytes, part: self, limits, left, crc: Crc::new(), seen: 0 })
    }
}

enum Unpacking<S> {
    Stored(Take<S>),
    Deflated(DeflateDecoder<Take<S>>),
}

/// A part's bytes: counted as they come, and compared with their checksum at the end.
pub(crate) struct Inflated<S> {
    bytes: Unpacking<S>,
    part: Part,
    limits: Limits,
    left: u64,
    crc: Crc,
    seen: u64,
}

impl<S: Read> Read for Inflated<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.bytes {
            Unpacking::Stored(bytes) => bytes.read(buffer)?,
            Unpacking::Deflated(bytes) => bytes.read(buffer)?,
        };
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| io::Error::other(too_large(&self.limits)))?;
        self.seen += count as u64;
        self.crc.update(buffer.get(..count).unwrap_or_default());
        let is_over = count == 0 && !buffer.is_empty();
        // One that is more than it claims is not unpacked any further.
        if self.seen > self.part.size || (is_over && (self.seen, self.crc.sum()) != (self.part.size, self.part.crc)) {
            return Err(io::Error::other(bad("a part does not match its checksum")));
        }
        Ok(count)
    }
}

//! The refused rows of an upload as a file in the format they came in, with what is wrong with them: to be corrected and
//! sent again. Of an atomic upload nothing was applied, so all of its rows are given.

use std::fs::File;
use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::header::{CONTENT_DISPOSITION, ContentDisposition, DispositionParam, DispositionType};
use actix_web::{HttpRequest, HttpResponse, get, web};
use domain::kernel::UploadId;
use domain::upload::{Upload, UploadMode};
use persistence::upload::{self as store, Fault};
use persistence::{Db, Failure, Outcome};
use tokio::sync::mpsc;

use super::{RULES, UPLOAD_FORGOTTEN, UPLOAD_NOT_OVER, file, pass, resource};
use crate::http::arrival::Working;
use crate::http::routes::routes;
use crate::http::{Answer, Call};
use tables::{Rejected, Writer};

routes! {
    get_refused_rows: ReadUploads, [RULES];
}

/// Faults read at a time.
const PAGE: i64 = 500;
/// Pieces on their way to a slow reader at most.
const AHEAD: usize = 4;
/// Bytes of a piece, about.
const PIECE: usize = 64 * 1024;

/// Download the refused rows of an upload
///
/// In the format they came in, with four columns beside them that say what is wrong and are not read when the file is sent again. Of an
/// atomic upload all rows are given, since none was applied. What is wrong with the file as a whole, and notes on it, come first, in rows
/// that have nothing but those four columns; of a file that cannot be read there is nothing else.
#[utoipa::path(tag = "uploads", params(("id" = UploadId, Path)), responses((status = 200, description = "The rows", content((String = "text/csv"), (String = "application/x-ndjson"), (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), (String = "application/vnd.oasis.opendocument.spreadsheet")))))]
#[get("/v1/uploads/{id}/rejected")]
async fn get_refused_rows(req: HttpRequest, call: Call, id: web::Path<UploadId>) -> Answer {
    let (app, who, id) = (call.shared(), call.who.clone(), *id);
    let (time, working) = (app.bounds.time, Working::on(&req));
    let upload = app.db.read(move |c| resource::find(c, &who, id)).await?.value;
    if !upload.is_over() {
        return Err(Failure::from(UPLOAD_NOT_OVER.broken("it is still worked on")).into());
    }
    let Some(file) = file::spool(&app.db, id).await? else {
        return Err(Failure::from(UPLOAD_FORGOTTEN.broken("the file is kept no longer")).into());
    };
    let format = pass::of(upload.order.file.format);
    let name = format!("rejected-{id}.{}", format.extension());
    let limits = app.uploads.limits;
    let (send, pieces) = mpsc::channel(AHEAD);
    let faults = Faults::of(app.db.clone(), id);
    tokio::task::spawn_blocking(move || {
        let mut out = Pipe { send, time, handle: faults.handle.clone(), piece: Vec::with_capacity(PIECE) };
        if let Err(error) = write(&upload, file, &limits, faults, &mut out) {
            // The reader sees a transfer that was cut off, and so knows that it is not whole.
            tracing::warn!(upload = %upload.id, %error, "refused rows were not written to their end");
            drop(out.pass(Err(error)));
        }
    });
    let mut response = HttpResponse::Ok();
    response.content_type(format.media_type());
    response.insert_header((CONTENT_DISPOSITION, attachment(name)));
    Ok(response.body(Pieces { pieces, _working: working }))
}

/// A file to be saved under a name.
#[must_use]
pub fn attachment(name: String) -> ContentDisposition {
    ContentDisposition { disposition: DispositionType::Attachment, parameters: vec![DispositionParam::Filename(name)] }
}

/// Writes the rows of a file that were refused, each with what is wrong with it.
fn write(upload: &Upload, file: File, limits: &super::Limits, mut faults: Faults, out: &mut Pipe) -> io::Result<()> {
    let format = upload.order.file.format;
    let rows = super::rows(upload.order.kind).map_err(io::Error::other)?;
    // A file that is at fault as a whole is given as far as it can be read.
    let mut reader = pass::reader(rows, format, file, limits).ok();
    let headings = match &reader {
        Some(reader) => reader.headings().to_vec(),
        None => rows.template().iter().map(|(heading, _)| (*heading).to_owned()).collect(),
    };
    let all: Vec<&str> = headings.iter().map(String::as_str).chain(Rejected::<Pipe>::COLUMNS).collect();
    let mut writer = Writer::new(&mut *out, pass::of(format), &all)?;
    let none = tables::Row {
        cells: vec![String::new(); headings.len()],
        absent: (0..headings.len()).collect(),
        ..tables::Row::default()
    };
    for note in &upload.notes {
        let row = note.rows.first().map(ToString::to_string).unwrap_or_default();
        writer.row_again(&none, &[&row, &note.about.join(", "), &note.code, &note.detail])?;
    }
    let before = reader.as_ref().map_or(u64::MAX, tables::Reader::headings_row);
    let alone = |fault: Fault| ours(fault.line, &[fault]);
    for fault in faults.up_to(before)? {
        writer.row_again(&none, &alone(fault).each_ref().map(String::as_str))?;
    }
    let every = upload.order.mode == UploadMode::Atomic;
    while let Some(Ok(row)) = reader.as_mut().and_then(Iterator::next) {
        let own = faults.up_to(row.number)?;
        if every || !own.is_empty() {
            writer.row_again(&row, &ours(row.number, &own).each_ref().map(String::as_str))?;
        }
    }
    // Of rows behind the place to which it can be read, and of the last line of text.
    for fault in faults.up_to(u64::MAX)? {
        writer.row_again(&none, &alone(fault).each_ref().map(String::as_str))?;
    }
    writer.finish()?;
    out.flush()?;
    out.last()
}

/// What stands beside a row: its number and, of each fault, column, code and words.
fn ours(row: u64, faults: &[Fault]) -> [String; 4] {
    let parts = |part: fn(&Fault) -> Option<&str>| faults.iter().filter_map(part).collect::<Vec<_>>().join("; ");
    let row = if row > 0 { row.to_string() } else { String::new() };
    [row, parts(|fault| fault.column.as_deref()), parts(|fault| Some(&fault.code)), parts(|fault| Some(&fault.detail))]
}

/// The faults of an upload in the order of its rows, a page at a time.
struct Faults {
    db: Db,
    id: UploadId,
    handle: tokio::runtime::Handle,
    after: (u64, u64),
    page: std::iter::Peekable<std::vec::IntoIter<Fault>>,
    ended: bool,
}

impl Faults {
    fn of(db: Db, id: UploadId) -> Self {
        let handle = tokio::runtime::Handle::current();
        Self { db, id, handle, after: (0, 0), page: Vec::new().into_iter().peekable(), ended: false }
    }

    /// Those up to a row that were not given yet.
    fn up_to(&mut self, line: u64) -> io::Result<Vec<Fault>> {
        let mut found = Vec::new();
        loop {
            while let Some(fault) = self.page.next_if(|fault| fault.line <= line) {
                found.push(fault);
            }
            if self.ended || self.page.peek().is_some() {
                return Ok(found);
            }
            self.turn().map_err(|failure| io::Error::other(failure.to_string()))?;
        }
    }

    fn turn(&mut self) -> Outcome<()> {
        let (id, after) = (self.id, self.after);
        let page = self.handle.block_on(self.db.scan(move |c| store::faults(c, id, after, PAGE)))?;
        match page.last() {
            Some(last) => self.after = (last.line, last.n),
            None => self.ended = true,
        }
        self.page = page.into_iter().peekable();
        Ok(())
    }
}

/// What is written, in pieces, to whoever reads the answer: no faster than that.
struct Pipe {
    send: mpsc::Sender<io::Result<web::Bytes>>,
    /// How long a piece may stand.
    time: Duration,
    handle: tokio::runtime::Handle,
    piece: Vec<u8>,
}

impl Pipe {
    fn last(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::take(&mut self.piece);
        self.pass(Ok(piece.into()))
    }

    /// Waits until there is room: a reader that takes nothing holds no thread for good.
    fn pass(&self, piece: io::Result<web::Bytes>) -> io::Result<()> {
        let sent = self.handle.block_on(tokio::time::timeout(self.time, self.send.send(piece)));
        sent.map_err(|_| io::ErrorKind::TimedOut)?.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.last()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The other end of a [`Pipe`], as the body of an answer.
struct Pieces {
    pieces: mpsc::Receiver<io::Result<web::Bytes>>,
    _working: Option<Working>,
}

impl MessageBody for Pieces {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<web::Bytes>>> {
        self.pieces.poll_recv(cx)
    }
}

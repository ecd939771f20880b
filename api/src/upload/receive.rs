//! Receiving a file: streamed into the store as it comes, so that it is never in memory whole and any server can go on
//! with it. Only a file that came to its end becomes an upload.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use actix_web::http::header::{CONTENT_LENGTH, LOCATION};
use actix_web::{HttpMessage as _, HttpRequest, post, web};
use domain::kernel::{ApplicationId, ProviderId, UploadId};
use domain::upload::{self, FileFormat, Order, Subject, Upload, UploadKind, UploadMode, UploadedFile};
use futures_core::Stream as _;
use persistence::record::hex;
use persistence::{Conn, Failure, Mode, Outcome, Stamp, upload as store};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use usecase::upload::kinds;
use utoipa::IntoParams;

use super::file::PIECE;
use super::resource::{UploadView, Wait, shown_after};
use super::{RULES, UPLOAD_EMPTY, UPLOAD_FORMAT};
use crate::App;
use crate::http::problem;
use crate::http::reply::Resource;
use crate::http::routes::routes;
use crate::http::{Answer, Call, Problem};

routes! {
    upload_homes: ManageProfile, [RULES, domain::upload::RULES];
    upload_providers: ManageProfile, [RULES, domain::upload::RULES];
    upload_answers: Apply, [RULES, domain::upload::RULES];
    upload_fees: OfferFee, [RULES, domain::upload::RULES];
    upload_ratings: RecordRatings, [RULES, domain::upload::RULES];
}

/// What may be sent, whatever it is called: the content tells.
const MEDIA: [&str; 5] = [
    "text/csv",
    "application/x-ndjson",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/octet-stream",
];

/// What becomes of the good rows where others are refused.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct UploadQuery {
    /// `atomic`: all rows or none. `partial`: every row that can be. Where absent `partial` for `ratings`, and `atomic` for all others.
    mode: Option<UploadMode>,
}

/// Whose homes they are.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct UploadHomesQuery {
    /// The provider of every row that names none; for a provider it is itself.
    provider: Option<ProviderId>,
}

/// Whose answers they are.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct UploadAnswersQuery {
    /// The application whose draft the rows answer.
    application: ApplicationId,
}

/// Declares the operation that receives a kind of upload: its scope asks whose the rows are, by the query where it needs one.
macro_rules! receives {
    ($($(#[doc = $says:literal])+ $handler:ident: $path:literal, $kind:ident, $scope:path $(, $query:ident $field:ident)?;)+) => {$(
        $(#[doc = $says])+
        #[utoipa::path(
            tag = "uploads",
            params(UploadQuery, $($query,)? Wait),
            request_body(
                content(
                    (String = "text/csv"), (String = "application/x-ndjson"),
                    (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
                    (String = "application/vnd.oasis.opendocument.spreadsheet"),
                    (String = "application/octet-stream")
                ),
                description = "The file; its content tells what it is"
            ),
            responses(
                (status = 201, body = Resource<UploadView>, description = "It is over"),
                (status = 202, body = Resource<UploadView>, description = "It is received and worked on")
            )
        )]
        #[post($path)]
        async fn $handler(
            req: HttpRequest,
            body: web::Payload,
            how: web::Query<UploadQuery>,
            $($field: web::Query<$query>,)?
        ) -> Answer {
            let kind = UploadKind::$kind;
            receive(&req, body, kind, how.mode.unwrap_or(kind.usual_mode()), move |c, call| $scope(c, &call.who $(, $field.$field)?)).await
        }
    )+};
}

receives! {
    /// Upload homes with their ratings
    ///
    /// One row a home, added or brought up to date; told by its `urn`, else by its name among the provider's that have none. A column that the
    /// file does not have leaves what is stated as it is, as does a key that an NDJSON object has not; a blank cell, or `null`, takes it back.
    /// `Prefer: wait` answers when it is over.
    upload_homes: "/v1/uploads/homes", Homes, kinds::homes::scope, UploadHomesQuery provider;
    /// Upload the providers of a portal
    ///
    /// One row a provider, registered or brought up to date; told by the portal's reference, else by its company number. For a portal, which acts
    /// for them from then on (PRO-01, DPS-24).
    upload_providers: "/v1/uploads/providers", Providers, kinds::providers::scope;
    /// Upload answers and evidence into the draft of an application
    ///
    /// A row answers a question, gives a document, or assesses a requirement, which it names by its code.
    upload_answers: "/v1/uploads/answers", Answers, kinds::answers::scope, UploadAnswersQuery application;
    /// Upload the fees of memberships
    ///
    /// One row a fee: offered as by a request of its own. One that is offered already changes nothing.
    upload_fees: "/v1/uploads/fees", Fees, kinds::fees::scope;
    /// Upload the regulator's published list
    ///
    /// As it is published, of any year, as CSV, XLSX or ODS: it adds dated ratings to the homes that are known here, by their number. Rows about
    /// other homes are skipped. What the latest release says holds, also where it goes back or is blank; what was recorded before stays in the
    /// history. A rating that changes is an event, and so is a registration that is suspended.
    upload_ratings: "/v1/uploads/ratings", Ratings, kinds::ratings::scope;
}

/// Receives a file, if the caller may send it, and answers with its upload.
async fn receive(
    req: &HttpRequest,
    body: web::Payload,
    kind: UploadKind,
    mode: UploadMode,
    subject: impl FnOnce(&mut Conn<'_>, &Call) -> Outcome<Subject> + Send + 'static,
) -> Answer {
    let wait = Wait::of(req)?;
    let media = req.content_type();
    if !media.is_empty() && !MEDIA.iter().any(|known| media.eq_ignore_ascii_case(known)) {
        let detail = format!("an upload is one of {}", MEDIA.join(", "));
        return Err(Problem::new(&problem::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    let call = Call::streamed(req)?;
    let app = call.shared();
    let limit = app.uploads.limits.bytes;
    let announced = req.headers().get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > limit) {
        return Err(too_large(limit));
    }
    let limits = app.uploads.limits;
    let (call, subject) = app
        .db
        .read(move |c| {
            let subject = subject(c, &call)?;
            // Before it is read.
            limits.room(c, &call.who.actor, call.now())?.takes(announced.unwrap_or_default())?;
            Ok((call, subject))
        })
        .await?;
    let stamp = Stamp { now: call.now(), actor: (*call.who.actor).clone(), request: None, ids: app.ids.clone() };
    let id: UploadId = stamp.mint();
    let received = stream(&app, &stamp, id, body).await;
    let (file, digest) = match received {
        Ok(received) => received,
        Err(problem) => {
            drop_file(&app, stamp, id).await;
            return Err(problem);
        }
    };
    let dry_run = call.is_dry_run();
    let answer = call
        .signed(&digest)
        .write(move |tx, call| {
            let order = Order { kind, mode, dry_run, file: file.clone(), subject };
            let by = (*call.who.actor).clone();
            let now = tx.now();
            tx.take_turn(&format!("uploads of {}", upload::owner(&by)))?;
            let room = limits.room(tx, &by, now)?;
            let created = tx.create(Upload::receive(id, order, by, call.request(), room, now)?)?;
            UploadView::reply(tx, &created).map(|reply| reply.at(format!("/v1/uploads/{id}")).with_status(202))
        })
        .await;
    // Under a key that was used before the answer names another upload, and this file belongs to none.
    let named = answer.as_ref().ok().and_then(|answer| answer.headers().get(LOCATION)?.to_str().ok());
    let named = named.and_then(|location| location.rsplit('/').next()?.parse().ok()).map(UploadId);
    if named != Some(id) {
        drop_file(&app, stamp, id).await;
    }
    app.uploads.woken.notify_one();
    match (wait.seconds(), named) {
        (Some(seconds), Some(named)) => shown_after(&app, named, seconds).await,
        (_, _) => answer,
    }
}

fn too_large(limit: u64) -> Problem {
    Problem::new(&problem::TOO_LARGE, format!("a file has at most {limit} bytes"))
}

/// Writes the body into the store piece by piece.
async fn stream(
    app: &App,
    stamp: &Stamp,
    id: UploadId,
    mut body: web::Payload,
) -> Result<(UploadedFile, Vec<u8>), Problem> {
    let limits = app.uploads.limits;
    let until = tokio::time::Instant::now() + Duration::from_secs(limits.seconds);
    let (mut sha, mut bytes, mut n, mut format) = (Sha256::new(), 0_u64, 0_i64, None);
    let mut piece: Vec<u8> = Vec::with_capacity(PIECE);
    loop {
        let next = tokio::time::timeout_at(until, poll_fn(|cx| Pin::new(&mut body).poll_next(cx))).await;
        let next = next.map_err(|_| {
            Problem::new(&problem::TOO_SLOW, format!("a file arrives within {} seconds", limits.seconds))
        })?;
        let more = next.transpose().map_err(|e| Problem::new(&problem::UNREADABLE, format!("cut off: {e}")))?;
        if let Some(more) = &more {
            bytes += more.len() as u64;
            if bytes > limits.bytes {
                return Err(too_large(limits.bytes));
            }
            sha.update(more);
            piece.extend_from_slice(more);
        }
        let is_last = more.is_none();
        while piece.len() >= PIECE || (is_last && !piece.is_empty()) {
            let rest = piece.split_off(piece.len().min(PIECE));
            let full = std::mem::replace(&mut piece, rest);
            if n == 0 {
                format = Some(recognised(&full)?);
            }
            app.db.write(stamp.clone(), Mode::Commit, move |tx| store::keep_chunk(tx, id, n, &full)).await?;
            n += 1;
        }
        if is_last {
            break;
        }
    }
    let digest = sha.finalize().to_vec();
    match format {
        Some(format) => Ok((UploadedFile { format, bytes, sha256: hex(&digest) }, digest)),
        None => Err(Failure::from(UPLOAD_EMPTY.broken("the body is empty")).into()),
    }
}

fn recognised(head: &[u8]) -> Result<FileFormat, Problem> {
    match tables::Format::sniff(head) {
        Ok(tables::Format::Csv) => Ok(FileFormat::Csv),
        Ok(tables::Format::Ndjson) => Ok(FileFormat::Ndjson),
        Ok(tables::Format::Xlsx) => Ok(FileFormat::Xlsx),
        Ok(tables::Format::Ods) => Ok(FileFormat::Ods),
        Err(fault) => Err(Failure::from(UPLOAD_FORMAT.broken(fault.message)).into()),
    }
}

/// Drops what was received of a file that does not become an upload. What cannot be dropped now is forgotten later.
async fn drop_file(app: &App, stamp: Stamp, id: UploadId) {
    if let Err(failure) = app.db.write(stamp, Mode::Commit, move |tx| store::drop_chunks(tx, id)).await {
        tracing::warn!(%failure, "the pieces of a file were not dropped");
    }
}

//! Uploads as resources: where each stands, and what is wrong with its rows.

use std::time::Duration;

use actix_web::{HttpRequest, get, web};
use domain::kernel::{Kind, UploadId};
use domain::upload::{Counts, Upload, UploadKind, owner};
use persistence::upload::{self as store, uploads};
use persistence::{Conn, Failure, Filter, Outcome, Stored};
use serde::{Deserialize, Serialize};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::{IntoParams, ToSchema};

use crate::App;
use crate::http::filters::StateOf;
use crate::http::listing::{bad_cursor, rows};
use crate::http::problem;
use crate::http::reply::Resource;
use crate::http::routes::routes;
use crate::http::{Answer, Call, List, Listing, Problem, Reply};
use usecase::Caller;

routes! {
    list_uploads: ReadUploads, [crate::http::listing::RULES];
    get_upload: ReadUploads, [];
    list_upload_errors: ReadUploads, [crate::http::listing::RULES];
}

/// Seconds that an answer waits at most.
const LONGEST: u64 = 60;

/// An upload with how far it has come.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UploadView {
    /// The upload.
    #[serde(flatten)]
    upload: Upload,
    /// The rows that were looked at so far, on the present way through the file.
    progress: Counts,
}

impl UploadView {
    /// 200 with an upload and its progress.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn reply(conn: &mut Conn<'_>, stored: &Stored<Upload>) -> Outcome<Reply> {
        let view = Self { upload: stored.value.clone(), progress: store::progress(conn, stored.value.id)? };
        Ok(Reply::view(stored, view)?.tagged_by_content(stored.version))
    }
}

/// How long the caller is willing to wait (RFC 7240).
#[derive(Clone, Copy, Debug)]
pub struct Wait(Option<u64>);

impl IntoParams for Wait {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let says = "`wait=<seconds>`, 60 at most: answer when the upload is over, or then";
        vec![
            ParameterBuilder::new()
                .name("Prefer")
                .parameter_in(ParameterIn::Header)
                .description(Some(says))
                .schema(Some(<String as utoipa::PartialSchema>::schema()))
                .build(),
        ]
    }
}

impl Wait {
    /// What a request says. Other preferences are none of ours.
    ///
    /// # Errors
    /// 400 where it is no text.
    pub fn of(req: &HttpRequest) -> Result<Self, Problem> {
        let Some(header) = req.headers().get("prefer") else { return Ok(Self(None)) };
        let text = header.to_str().map_err(|_| Problem::new(&problem::UNREADABLE, "Prefer is not plain text"))?;
        let mut named = text.split([',', ';']).filter_map(|part| part.trim().strip_prefix("wait="));
        Ok(Self(named.find_map(|seconds| seconds.trim().parse().ok()).map(|seconds: u64| seconds.min(LONGEST))))
    }

    /// The seconds to wait, if any.
    #[must_use]
    pub fn seconds(self) -> Option<u64> {
        self.0
    }
}

/// Answers with the upload when it is over, or after that many seconds as it is then.
///
/// # Errors
/// Where the store fails.
pub async fn shown_after(app: &App, id: UploadId, seconds: u64) -> Answer {
    let stored = over(app, id, seconds).await?;
    let is_over = stored.value.is_over();
    let reply = app.db.read(move |c| UploadView::reply(c, &stored)).await?;
    Ok(reply.at(format!("/v1/uploads/{id}")).with_status(if is_over { 201 } else { 202 }).send(None))
}

/// The upload when it is over, or after that many seconds as it is then.
async fn over(app: &App, id: UploadId, seconds: u64) -> Outcome<Stored<Upload>> {
    let until = tokio::time::Instant::now() + Duration::from_secs(seconds);
    let mut look_again = true;
    loop {
        let moved = app.uploads.moved.notified();
        tokio::pin!(moved);
        moved.as_mut().enable();
        let stored = app.db.read(move |c| c.get::<Upload>(id)).await?;
        let now = tokio::time::Instant::now();
        if stored.value.is_over() || now >= until {
            return Ok(stored);
        }
        if look_again {
            // It may be another server that works on it, or one that did.
            app.uploads.woken.notify_one();
        }
        let look = until.min(now + Duration::from_secs(1));
        look_again = tokio::time::timeout_at(look, moved).await.is_err();
    }
}

/// An upload of the caller's side.
///
/// # Errors
/// Not found, where it is another's.
pub fn find(conn: &mut Conn<'_>, who: &Caller, id: UploadId) -> Outcome<Stored<Upload>> {
    let found = conn.get::<Upload>(id)?;
    if owner(&found.value.by) == owner(&who.actor) { Ok(found) } else { Err(Failure::NotFound(Kind::Upload)) }
}

type StateName = StateOf<Upload>;

/// Which uploads to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListUploadsQuery {
    /// Only of this kind.
    kind: Option<UploadKind>,
    /// Only in this state.
    #[param(inline)]
    state: Option<StateName>,
}

/// List the uploads of your side
#[utoipa::path(tag = "uploads", params(ListUploadsQuery, Listing), responses((status = 200, body = List<Resource<Upload>>)))]
#[get("/v1/uploads")]
async fn list_uploads(call: Call, wanted: web::Query<ListUploadsQuery>, listing: web::Query<Listing>) -> Answer {
    call.list(
        move |_, call| {
            let page = listing.page()?;
            let filter = Filter::all()
                .is(uploads::owner, owner(&call.who.actor))
                .if_is(uploads::kind, wanted.kind.map(UploadKind::name))
                .if_is(uploads::state, wanted.state.map(StateOf::name));
            Ok((page, filter.since(listing.since())))
        },
        |found: &Upload, _| found.clone(),
    )
    .await
}

/// Read an upload
///
/// With `Prefer: wait` the answer comes when it is over.
#[utoipa::path(tag = "uploads", params(("id" = UploadId, Path), Wait), responses((status = 200, body = Resource<UploadView>)))]
#[get("/v1/uploads/{id}")]
async fn get_upload(call: Call, req: HttpRequest, id: web::Path<UploadId>) -> Answer {
    let app = call.shared();
    if let Some(seconds) = Wait::of(&req)?.seconds() {
        let (who, id) = (call.who.clone(), *id);
        app.db.read(move |c| find(c, &who, id)).await?;
        over(&app, id, seconds).await?;
    }
    call.read(move |c, call| {
        let found = find(c, &call.who, *id)?;
        UploadView::reply(c, &found)
    })
    .await
}

/// Something that is wrong with a file.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UploadFault {
    /// The row as a spreadsheet or an editor counts it: from 1, with the headings; 0 for the file as a whole.
    row: u64,
    /// The column, where one is to blame.
    column: Option<String>,
    /// What stands there, shortened.
    value: Option<String>,
    /// Stable code of the rule.
    code: String,
    /// What is wrong in this case.
    detail: String,
    /// The requirement or statute that the rule rests on.
    rests_on: Option<String>,
}

/// Which page of the faults.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct FaultPage {
    /// Faults on the page, 1 to 200; 50 where absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List what is wrong with the rows of an upload, in their order
#[utoipa::path(tag = "uploads", params(("id" = UploadId, Path), FaultPage), responses((status = 200, body = List<UploadFault>)))]
#[get("/v1/uploads/{id}/errors")]
async fn list_upload_errors(call: Call, id: web::Path<UploadId>, page: web::Query<FaultPage>) -> Answer {
    call.scan(move |c, call| {
        let limit = rows(page.limit)?;
        let after = match page.cursor.as_deref() {
            None => (0, 0),
            Some(cursor) => place(cursor).ok_or_else(bad_cursor)?,
        };
        find(c, &call.who, *id)?;
        let mut faults = store::faults(c, *id, after, limit + 1)?;
        let shown = usize::try_from(limit).unwrap_or_default();
        let more = faults.len() > shown;
        faults.truncate(shown);
        let next = faults.last().filter(|_| more).map(|last| format!("{}-{}", last.line, last.n));
        let items: Vec<UploadFault> = faults
            .into_iter()
            .map(|store::Fault { line, n: _, column, value, code, rests_on, detail }| UploadFault {
                row: line,
                column,
                value,
                code,
                detail,
                rests_on,
            })
            .collect();
        Ok(Reply::json(200, &List { items, next })?.tagged_by_content(0))
    })
    .await
}

fn place(cursor: &str) -> Option<(u64, u64)> {
    let (line, n) = cursor.split_once('-')?;
    Some((line.parse().ok()?, n.parse().ok()?))
}

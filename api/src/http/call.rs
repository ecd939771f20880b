//! One extractor for every handler: who calls, with what body, under which conditions; and the one way to the store.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use domain::kernel::Decided;
use persistence::{Conn, Dependencies, Filter, Mode, Outcome, Page, Record, Stamp, Stored, Tx, record::idempotency};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use validator::Validate;

use super::body::Body;
use super::reply::Resource;
use super::response_cache::{CachedResponse, Key};
use super::{Answer, Problem, Reply, arrival, listing, problem};
use crate::App;
use usecase::{Caller, Command, Seen, Side};

/// The body of a request that has none.
#[derive(Clone, Debug, Default, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// A request, read and checked: a [`Command`] with its body.
pub struct Call<T = Nothing> {
    app: web::Data<App>,
    command: Command,
    /// What it sends.
    pub body: T,
    dry_run: bool,
    key: Option<String>,
    fingerprint: Vec<u8>,
    if_none_match: Option<String>,
    request: Option<String>,
    /// Where the answer may be kept.
    path: Option<String>,
    /// Whether a list is asked for in the order of changes.
    since: bool,
}

/// What any operation looks for in the query. `dryRun=true` decides in full and writes nothing.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CommonQuery {
    #[serde(default)]
    dry_run: bool,
    updated_since: Option<serde::de::IgnoredAny>,
}

impl<T: Body + 'static> FromRequest for Call<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (req, payload) = (req.clone(), payload.take());
        if matches!(payload, Payload::None) {
            let read = Self::extract(&req, b"");
            return Box::pin(std::future::ready(read));
        }
        Box::pin(async move {
            let bytes = arrival::body(req.clone(), payload).await?;
            Self::extract(&req, &bytes)
        })
    }
}

impl Call {
    /// A request whose body the handler reads itself, piece by piece: its [`Call::signed`] has to follow.
    ///
    /// # Errors
    /// 400 where a header or the query cannot be read.
    pub fn streamed(req: &HttpRequest) -> Result<Self, Problem> {
        Self::extract(req, b"")
    }

    /// With the digest of the body, which belongs to what an idempotency key stands for. What a dry run of it writes is for
    /// the handler to say.
    #[must_use]
    pub fn signed(mut self, digest: &[u8]) -> Self {
        self.fingerprint.extend_from_slice(digest);
        self.dry_run = false;
        self
    }
}

impl<T: Body> Call<T> {
    fn extract(req: &HttpRequest, bytes: &[u8]) -> Result<Self, Problem> {
        let unreadable = |what: &str| Problem::new(&problem::UNREADABLE, what);
        let missing = || Problem::new(&problem::BROKEN, "the request was not authenticated");
        let app = req.app_data::<web::Data<App>>().cloned().ok_or_else(missing)?;
        let who = req.extensions().get::<Caller>().cloned().ok_or_else(missing)?;
        let request = req.extensions().get::<super::gate::RequestId>().map(|id| id.0.clone());
        let header = |name: &str| req.headers().get(name).map(|v| v.to_str().map(str::to_owned)).transpose();
        // A read is answered anew and in full: an answer kept under a key, or a dry run, would give sealed content without
        // recording the reading.
        let key = if req.method().is_safe() { Ok(None) } else { header("idempotency-key") };
        let key = key.map_err(|_| unreadable("Idempotency-Key is not plain text"))?;
        if key.as_ref().is_some_and(|k| k.is_empty() || k.len() > KEY) {
            return Err(unreadable("Idempotency-Key is 1 to 255 characters"));
        }
        let if_match = header("if-match").map_err(|_| unreadable("If-Match is not plain text"))?;
        let if_match = if_match
            .map(|tag| seen(&tag).ok_or_else(|| unreadable("If-Match is `*` or an ETag that this server gave")));
        let wish = match req.query_string() {
            "" => CommonQuery::default(),
            query => web::Query::<CommonQuery>::from_query(query)
                .map_err(|_| unreadable("dryRun is true or false"))?
                .into_inner(),
        };
        if !bytes.is_empty() && req.content_type() != "application/json" {
            return Err(Problem::new(&problem::UNSUPPORTED_MEDIA_TYPE, "this body is application/json"));
        }
        let body = T::read(if bytes.is_empty() { b"{}" } else { bytes })?;
        Ok(Self {
            app,
            command: Command {
                who,
                seen: if_match.transpose()?,
                conditional: [Method::PUT, Method::PATCH, Method::DELETE].contains(req.method()),
            },
            body,
            dry_run: wish.dry_run && !req.method().is_safe(),
            fingerprint: key.as_ref().map(|_| fingerprint(req, bytes)).unwrap_or_default(),
            key,
            if_none_match: header("if-none-match").unwrap_or_default(),
            request,
            path: super::response_cache::path(req).map(str::to_owned),
            since: wish.updated_since.is_some(),
        })
    }
}

impl<T> std::ops::Deref for Call<T> {
    type Target = Command;

    fn deref(&self) -> &Command {
        &self.command
    }
}

impl<T: Send + Sync + 'static> Call<T> {
    /// The server's time.
    #[must_use]
    pub fn now(&self) -> domain::kernel::Instant {
        self.app.clock.now()
    }

    /// What the server holds.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Whether the caller only asks what would happen.
    #[must_use]
    pub fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    /// The request's id, for the audit.
    #[must_use]
    pub fn request(&self) -> Option<String> {
        self.request.clone()
    }

    /// What the server holds, to keep beyond the call.
    #[must_use]
    pub fn shared(&self) -> web::Data<App> {
        self.app.clone()
    }

    /// Answers from a short read by key.
    ///
    /// # Errors
    /// The problem that `work` failed with.
    pub async fn read(self, work: impl FnOnce(&mut Conn<'_>, &Self) -> Outcome<Reply> + Send + 'static) -> Answer {
        let (db, seen) = (self.app.db.clone(), self.if_none_match.clone());
        let reply = db.read(move |c| work(c, &self)).await?;
        Ok(reply.send(seen.as_deref()))
    }

    /// Answers from a read of many rows, or of several in one snapshot.
    ///
    /// # Errors
    /// The problem that `work` failed with.
    pub async fn scan(self, work: impl FnOnce(&mut Conn<'_>, &Self) -> Outcome<Reply> + Send + 'static) -> Answer {
        let (db, seen) = (self.app.db.clone(), self.if_none_match.clone());
        let reply = db.scan(move |c| work(c, &self)).await?;
        Ok(reply.send(seen.as_deref()))
    }

    /// Answers with one aggregate as the caller's side sees it. `view` makes it from the aggregate and the side alone, so
    /// that the gate can give it to others of that side, while it is true.
    ///
    /// # Errors
    /// Not found, forbidden, or what `view` fails with.
    pub async fn show<A: Record>(self, id: A::Id, view: fn(&Stored<A>, Side) -> Outcome<Reply>) -> Answer {
        let (app, side, seen) = (self.app.clone(), self.who.side(), self.if_none_match.clone());
        let keep = self.path.clone().zip(app.db.mark());
        let read = app.db.read(move |c| {
            let found = c.get::<A>(id);
            let (found, ties) = self.who.tied(c, found)?;
            let about = found.value.about();
            let written = view(&found, side)?.write();
            if let Some((path, since)) = keep {
                let basis = Dependencies::new(since, ties.on().chain([(id.into(), found.version)]));
                let sheet = CachedResponse { kind: A::KIND, basis, about, ties, written: written.clone() };
                self.app.responses.keep_sheet(path, side, sheet);
            }
            Ok(written)
        });
        Ok(read.await?.send(seen.as_deref()))
    }

    /// Answers with a page of the aggregates that `ask` filters by, each as the caller's side sees it. `view` makes a row
    /// from the aggregate and the side alone: a version that was shown once is not read again.
    ///
    /// # Errors
    /// What `ask` fails with.
    pub async fn list<A: Record, V: Serialize + 'static>(
        self,
        ask: impl FnOnce(&mut Conn<'_>, &Self) -> Outcome<(Page, Filter<A>)> + Send + 'static,
        view: fn(&A, Side) -> V,
    ) -> Answer {
        let side = self.who.side();
        let row = move |stored: &Stored<A>| Resource::of(stored, |value| view(value, side));
        let key = move |id| Key { view: view as usize, id, side };
        // In the order of changes the rows that a filter is after may be anywhere among all.
        let far = self.since;
        let page = move |c: &mut Conn<'_>, call: &Self| {
            let (page, filter) = ask(c, call)?;
            listing::page(c, &filter, page, &call.app.responses, key, row)
        };
        if far { self.scan(page).await } else { self.read(page).await }
    }

    /// Answers from one transaction: with the first answer where the idempotency key was used before, and without
    /// keeping anything where `dryRun=true`.
    ///
    /// # Errors
    /// The problem that `work` failed with; then nothing is written.
    pub async fn write(self, work: impl Fn(&mut Tx<'_>, &Self) -> Outcome<Reply> + Send + 'static) -> Answer {
        let db = self.app.db.clone();
        let stamp = Stamp {
            now: self.now(),
            actor: (*self.who.actor).clone(),
            request: self.request.clone(),
            ids: self.app.ids.clone(),
        };
        let mode = if self.dry_run { Mode::DryRun } else { Mode::Commit };
        let reply = db
            .write(stamp, mode, move |tx| {
                let Some(key) = &self.key else { return work(tx, &self) };
                if let Some((fingerprint, answer)) = idempotency::find(tx, key)? {
                    if fingerprint != self.fingerprint {
                        return Err(problem::KEY_REUSED.broken("the key belongs to another request").into());
                    }
                    return Ok(serde_json::from_str(&answer)?);
                }
                let reply = work(tx, &self)?;
                idempotency::keep(tx, key, &self.fingerprint, &serde_json::to_string(&reply)?)?;
                Ok(reply)
            })
            .await?;
        Ok(reply.send(None))
    }

    /// The common command: load, authorise, decide, store, record, show.
    ///
    /// # Errors
    /// Whatever the decision refuses, and the usual problems of a write.
    pub async fn act<A: Record>(
        self,
        id: A::Id,
        decide: impl Fn(A, &mut Tx<'_>, &Self) -> Outcome<Decided<A>> + Send + 'static,
    ) -> Answer {
        self.write(move |tx, call| Reply::ok(&call.command.act(tx, id, |before, tx| decide(before, tx, call))?)).await
    }
}

/// What an idempotency key stands for.
fn fingerprint(req: &HttpRequest, body: &[u8]) -> Vec<u8> {
    let mut sha = Sha256::new();
    for part in [req.method().as_str().as_bytes(), req.uri().to_string().as_bytes(), body] {
        sha.update((part.len() as u64).to_be_bytes());
        sha.update(part);
    }
    sha.finalize().to_vec()
}

/// Characters of an idempotency key at most.
pub const KEY: usize = 255;
/// What an `If-Match` looks like, for the contract.
pub const SEEN: &str = r#"^(\*|"[0-9]{1,18}(\.[0-9a-f]{16})?")$"#;

/// An `If-Match`: `*`, or an ETag that this server gave: a version, and a digest of what was shown where that is more.
fn seen(tag: &str) -> Option<Seen> {
    if tag == "*" {
        return Some(Seen::Anything);
    }
    let inner = tag.strip_prefix('"')?.strip_suffix('"')?;
    let (version, shown) = inner.split_once('.').map_or((inner, None), |(version, shown)| (version, Some(shown)));
    let is_number = (1..=18).contains(&version.len()) && version.bytes().all(|b| b.is_ascii_digit());
    let is_digest =
        shown.is_none_or(|shown| shown.len() == 16 && shown.bytes().all(|b| b"0123456789abcdef".contains(&b)));
    if is_number && is_digest { version.parse().ok().map(Seen::Version) } else { None }
}

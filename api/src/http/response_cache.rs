//! Response cache: what was answered is kept while it is true, so that it need not be read and written again (ADR 15).
//!
//! One aggregate as a side sees it is kept while nothing that it rests on was changed, which the store is asked each time
//! ([`persistence::Dependencies`]). Rows of lists are kept by version, which never changes what it says. Whether the caller may see
//! it is decided each time.

use std::sync::Arc;

use actix_web::dev::ServiceRequest;
use actix_web::http::{Method, header};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use domain::kernel::{About, Kind};
use persistence::{Db, Dependencies};
use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};
use uuid::Uuid;

use super::reply::Written;
use usecase::{Caller, Side, TenancyFacts};

/// Bytes kept of each sort at most, about.
const BYTES: u64 = 16 * 1024 * 1024;
/// How many the memory is laid out for; it grows with what is kept.
const EXPECTED: usize = 8 * 1024;

/// Which answer: to what was asked for, and to which side.
type Asked = (String, Side);

/// The same, borrowed from a request.
#[derive(Hash)]
struct Asking<'a>(&'a str, Side);

impl Equivalent<Asked> for Asking<'_> {
    fn equivalent(&self, key: &Asked) -> bool {
        self.0 == key.0 && self.1 == key.1
    }
}

/// Under which path the answer to a request may be kept: that of a read that says nothing beside its path.
#[must_use]
pub fn path(req: &HttpRequest) -> Option<&str> {
    let says = |name: header::HeaderName| req.headers().contains_key(name);
    let plain = req.method() == Method::GET
        && req.query_string().is_empty()
        && !says(header::IF_MATCH)
        && !says(header::CONTENT_LENGTH)
        && !says(header::TRANSFER_ENCODING);
    plain.then(|| req.path())
}

/// Which row: of one function to one side about one aggregate.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Key {
    /// The function that makes it, by its address: two that share one do the same.
    pub view: usize,
    /// The aggregate.
    pub id: Uuid,
    /// For whom.
    pub side: Side,
}

/// An aggregate as a side sees it.
#[derive(Debug)]
pub struct CachedResponse {
    /// Its kind.
    pub kind: Kind,
    /// What it rests on.
    pub basis: Dependencies,
    /// What it is about.
    pub about: About,
    /// Whose it is.
    pub ties: TenancyFacts,
    /// The answer.
    pub written: Written,
}

/// What was answered.
#[derive(Debug)]
pub struct ResponseCache {
    sheets: Cache<Asked, Arc<CachedResponse>, Weight>,
    rows: Cache<(Key, i64), Bytes, Weight>,
}

#[derive(Clone, Debug)]
struct Weight;

/// What keeping costs beside the text.
const EACH: u64 = 300;

impl Weighter<Asked, Arc<CachedResponse>> for Weight {
    fn weight(&self, _: &Asked, sheet: &Arc<CachedResponse>) -> u64 {
        (sheet.written.len() + sheet.ties.size()) as u64 + EACH
    }
}

impl Weighter<(Key, i64), Bytes> for Weight {
    fn weight(&self, _: &(Key, i64), row: &Bytes) -> u64 {
        row.len() as u64 + EACH
    }
}

impl Default for ResponseCache {
    fn default() -> Self {
        Self {
            sheets: Cache::with_weighter(EXPECTED, BYTES, Weight),
            rows: Cache::with_weighter(EXPECTED, BYTES, Weight),
        }
    }
}

impl ResponseCache {
    /// The answer to a request that was answered before, while it is true. Who may not see it is told first, from memory, and
    /// then answered as if nothing were kept: the store is asked no more than for what is not there.
    pub async fn answer(&self, db: &Db, req: &ServiceRequest, who: &Caller) -> Option<HttpResponse> {
        let sheet = self.sheets.get(&Asking(path(req.request())?, who.side()))?;
        let may = who.may_by(&sheet.ties, sheet.about, sheet.kind).is_ok() && db.is_still(&sheet.basis).await;
        let seen = req.headers().get(header::IF_NONE_MATCH).and_then(|seen| seen.to_str().ok());
        may.then(|| sheet.written.send(seen))
    }

    /// Keeps the answer to a path for that side.
    pub fn keep_sheet(&self, path: String, side: Side, sheet: CachedResponse) {
        self.sheets.insert((path, side), Arc::new(sheet));
    }

    /// A version as a row of a list.
    #[must_use]
    pub fn row(&self, key: Key, version: i64) -> Option<Bytes> {
        self.rows.get(&(key, version))
    }

    /// Keeps a row.
    pub fn keep_row(&self, key: Key, version: i64, row: Bytes) {
        self.rows.insert((key, version), row);
    }
}

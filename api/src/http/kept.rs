//! What was answered is kept, so that it need not be read and written again.
//!
//! One aggregate as a side sees it is kept while the store can tell that nothing it rests on was changed: on SQLite, to the
//! commit ([`persistence::Changes`]). Rows of lists are kept by version, which never changes what it says, on both databases.
//! Whether the caller may see it is asked each time.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use domain::kernel::{About, Kind};
use persistence::{Changes, Mark, Outcome};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use uuid::Uuid;

use super::reply::Written;
use crate::auth::ties::Ties;
use crate::auth::{Side, Who};

/// Bytes kept of each sort at most, about.
const BYTES: u64 = 16 * 1024 * 1024;
/// How many the memory is laid out for; it grows with what is kept.
const EXPECTED: usize = 8 * 1024;

/// Which answer: of one function to one side about one aggregate.
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
pub struct Sheet {
    /// When it was read.
    pub since: Mark,
    /// What it is about.
    pub about: About,
    /// Whose it is.
    pub ties: Ties,
    /// The answer.
    pub written: Written,
}

impl Sheet {
    /// What it rests on.
    fn rests_on(&self, id: Uuid) -> impl Iterator<Item = Uuid> + use<> {
        let arrangement = self.about.arrangement.map(Uuid::from);
        let provider = self.about.provider.map(Uuid::from);
        [Some(id), arrangement, provider].into_iter().flatten()
    }

    /// The response for a caller who may see it.
    ///
    /// # Errors
    /// Not found or forbidden.
    pub fn send(&self, who: &Who, kind: Kind, if_none_match: Option<&str>) -> Outcome<HttpResponse> {
        who.may_by(&self.ties, self.about, kind)?;
        Ok(self.written.send(if_none_match))
    }
}

/// What was answered.
#[derive(Debug)]
pub struct Kept {
    sheets: Cache<Key, Arc<Sheet>, Weight>,
    rows: Cache<(Key, i64), Bytes, Weight>,
}

#[derive(Clone, Debug)]
struct Weight;

/// What keeping costs beside the text.
const EACH: u64 = 300;

impl Weighter<Key, Arc<Sheet>> for Weight {
    fn weight(&self, _: &Key, sheet: &Arc<Sheet>) -> u64 {
        sheet.written.len() as u64 + EACH
    }
}

impl Weighter<(Key, i64), Bytes> for Weight {
    fn weight(&self, _: &(Key, i64), row: &Bytes) -> u64 {
        row.len() as u64 + EACH
    }
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            sheets: Cache::with_weighter(EXPECTED, BYTES, Weight),
            rows: Cache::with_weighter(EXPECTED, BYTES, Weight),
        }
    }
}

impl Kept {
    /// The answer, while it is true.
    #[must_use]
    pub fn sheet(&self, changes: &Changes, key: Key) -> Option<Arc<Sheet>> {
        self.sheets.get(&key).filter(|sheet| changes.none_of(sheet.rests_on(key.id), sheet.since))
    }

    /// Keeps an answer.
    pub fn keep_sheet(&self, key: Key, sheet: Arc<Sheet>) {
        self.sheets.insert(key, sheet);
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

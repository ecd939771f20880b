//! Lists: pages by an opaque cursor.

use std::collections::HashMap;
use std::fmt::Write as _;

use actix_web::web::Bytes;
use domain::kernel::Instant;
use persistence::record::hex;
use persistence::{Conn, Failure, Filter, Head, Moment, Outcome, Page, Record, Stored};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::Reply;
use super::reply::Resource;
use super::response_cache::{Key, ResponseCache};

/// Rows on a page where the caller does not say.
const DEFAULT: i64 = 50;
/// Rows on a page at most.
const MOST: i64 = 200;

/// Which page of a list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct Listing {
    /// Rows on the page, 1 to 200; 50 where absent.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<i64>,
    /// `next` of the page before.
    pub cursor: Option<String>,
    /// Only what was changed at or after this instant, in the order of the changes. What is changed meanwhile comes again.
    pub updated_since: Option<Instant>,
}

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub struct List<T> {
    /// The rows.
    pub items: Vec<T>,
    /// The cursor of the next page; `null` on the last.
    pub next: Option<String>,
}

impl<T> List<T> {
    /// A page of `limit` rows, from up to one more; each row is told by `key` where the next page begins.
    pub fn cut(mut items: Vec<T>, limit: i64, key: impl Fn(&T) -> Uuid) -> Self {
        let shown = usize::try_from(limit).unwrap_or_default();
        let more = items.len() > shown;
        items.truncate(shown);
        let next = if more { items.last().map(|row| key(row).to_string()) } else { None };
        Self { items, next }
    }
}

impl Listing {
    /// The page to read: one row more than is shown tells whether there is a next one.
    ///
    /// # Errors
    /// A refusal where the limit or the cursor is unusable.
    pub fn page(&self) -> Outcome<Page> {
        let limit = rows(self.limit)?;
        let (changed, after) = match (&self.cursor, self.updated_since) {
            (None, _) => (None, None),
            (Some(text), None) => (None, Some(text.as_str())),
            (Some(text), Some(_)) => {
                let (changed, after) = text.split_once('.').ok_or_else(bad_cursor)?;
                (Some(Instant::from_micros(changed.parse().map_err(|_| bad_cursor())?)), Some(after))
            }
        };
        let after = after.map(Uuid::parse_str).transpose().map_err(|_| bad_cursor())?;
        Ok(Page { after, changed, changes: self.updated_since.is_some(), limit: limit + 1 })
    }

    /// The instant for a filter.
    #[must_use]
    pub fn since(&self) -> Option<Moment> {
        self.updated_since.map(Moment)
    }

    /// 200 with the rows that `page` brought, by `view`.
    ///
    /// # Errors
    /// Where they cannot be written as JSON.
    pub fn reply<A: Record, V: Serialize>(
        page: Page,
        mut rows: Vec<Stored<A>>,
        view: impl Fn(&A) -> V,
    ) -> Outcome<Reply> {
        let shown = usize::try_from(page.limit - 1).unwrap_or_default();
        let more = rows.len() > shown;
        rows.truncate(shown);
        let next = rows.last().filter(|_| more).map(|row| place(page, row.value.id().into(), row.updated_at));
        let items = rows.iter().map(|row| Resource::of(row, &view)).collect();
        Ok(Reply::json(200, &List { items, next })?.tagged_by_content(0))
    }
}

/// The cursor of a page that goes on after that row.
fn place(page: Page, id: Uuid, updated_at: Instant) -> String {
    if page.changes { format!("{}.{id}", updated_at.micros()) } else { id.to_string() }
}

/// 200 with a page of aggregates, each as `show` makes it. What was made of a version is kept under `key`.
///
/// # Errors
/// Where the store fails, or they cannot be written as JSON.
pub fn page<A: Record, V: Serialize>(
    conn: &mut Conn<'_>,
    filter: &Filter<A>,
    page: Page,
    kept: &ResponseCache,
    key: impl Fn(Uuid) -> Key,
    show: impl Fn(&Stored<A>) -> Resource<V>,
) -> Outcome<Reply> {
    let mut found = conn.heads(filter, page)?;
    let shown = usize::try_from(page.limit - 1).unwrap_or_default();
    let more = found.len() > shown;
    found.truncate(shown);
    let next = found.last().filter(|_| more).map(|row| place(page, row.id, row.updated_at));
    let mut rows: Vec<_> = found.iter().map(|row| (row.version, kept.row(key(row.id), row.version))).collect();
    let missing: Vec<Uuid> =
        found.iter().zip(&rows).filter(|(_, (_, row))| row.is_none()).map(|(row, _)| row.id).collect();
    if !missing.is_empty() {
        let read: Vec<Stored<A>> = conn.these(&missing)?;
        let mut read: HashMap<Uuid, Stored<A>> =
            read.into_iter().map(|stored| (stored.value.id().into(), stored)).collect();
        for (Head { id, .. }, row) in found.iter().zip(&mut rows).filter(|(_, (_, row))| row.is_none()) {
            // It may have been changed since the page was read: then this is what it has become.
            let Some(stored) = read.remove(id) else { continue };
            let text = Bytes::from(serde_json::to_vec(&show(&stored))?);
            kept.keep_row(key(*id), stored.version, text.clone());
            *row = (stored.version, Some(text));
        }
    }
    let mut sha = Sha256::new();
    let mut body = String::from("{\"items\":[");
    for (Head { id, .. }, (version, row)) in found.iter().zip(&rows) {
        let Some(row) = row else { continue };
        sha.update(id.as_bytes());
        sha.update(version.to_be_bytes());
        if !body.ends_with('[') {
            body.push(',');
        }
        body.push_str(std::str::from_utf8(row).map_err(|e| Failure::Broken(e.to_string()))?);
    }
    sha.update(next.as_deref().unwrap_or_default());
    let next = serde_json::to_string(&next)?;
    write!(body, "],\"next\":{next}}}").map_err(|e| Failure::Broken(e.to_string()))?;
    let digest = hex(sha.finalize().get(..8).unwrap_or_default());
    Ok(Reply::text(200, body).with_etag(format!("\"0.{digest}\"")))
}

/// The rows of a page, by what the caller asked for.
///
/// # Errors
/// A refusal where that is unusable.
pub fn rows(limit: Option<i64>) -> Outcome<i64> {
    let limit = limit.unwrap_or(DEFAULT);
    if (1..=MOST).contains(&limit) {
        Ok(limit)
    } else {
        Err(BAD_LIMIT.broken_at("/limit", format!("{limit} is not within 1 to {MOST}")).into())
    }
}

/// The refusal of a cursor that is not of this list.
#[must_use]
pub fn bad_cursor() -> Failure {
    BAD_CURSOR.broken_at("/cursor", "the cursor is not one that this list gave").into()
}

domain::rules! {
    BAD_LIMIT = "bad_limit", Input, "requirements §7", "A page has between 1 and 200 rows.";
    BAD_CURSOR = "bad_cursor", Input, "requirements §7", "A cursor is passed back as it was given.";
}

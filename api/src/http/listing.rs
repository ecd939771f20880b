//! Lists: pages by an opaque cursor.

use domain::kernel::Instant;
use persistence::{Failure, Moment, Outcome, Page, Record, Stored};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::Reply;
use super::reply::Resource;

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
        let place = |row: &Stored<A>| match row.value.id() {
            id if page.changes => format!("{}.{id}", row.updated_at.micros()),
            id => id.to_string(),
        };
        let next = if more { rows.last().map(place) } else { None };
        let items = rows.iter().map(|row| Resource::of(row, &view)).collect();
        Ok(Reply::json(200, &List { items, next })?.tagged_by_content(0))
    }
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

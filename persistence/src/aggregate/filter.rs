//! Filters: which rows of a table.

use std::marker::PhantomData;

use uuid::Uuid;

use super::Rows;
use super::cell::{Cell, Sort, Typed};
use super::statement::Statement;
use super::table::Table;
use crate::{Conn, Moment, Outcome, Page, Record};

/// Values of one column that a page is put together from at most, a part for each: so many ranges of an index, each in
/// the order of the page. With more it would be as well to look through all rows.
const PARTS: usize = 32;

/// The arrangement's column, by which rows are found unless a narrower one finds them.
const ARRANGEMENT: &str = "arrangement_id";

/// Which aggregates: those whose columns all have one of the accepted values.
#[derive(Clone, Debug)]
pub struct Filter<A> {
    pub(crate) terms: Terms,
    of: PhantomData<fn() -> A>,
}

impl<A: Record> Filter<A> {
    /// All of them.
    #[must_use]
    pub fn all() -> Self {
        Self { terms: Terms::all(A::TABLE), of: PhantomData }
    }

    /// Only those whose column has that value.
    #[must_use]
    pub fn is<C>(self, column: C, value: impl Into<ValueOf<C>>) -> Self
    where
        C: diesel::Column<Table: Rows<Of = A>, SqlType: Typed>,
    {
        self.any(column, [value])
    }

    /// Only those whose column has one of the values; none where there is no value.
    #[must_use]
    pub fn any<C, V: Into<ValueOf<C>>>(mut self, _column: C, values: impl IntoIterator<Item = V>) -> Self
    where
        C: diesel::Column<Table: Rows<Of = A>, SqlType: Typed>,
    {
        let values = values.into_iter().map(|value| value.into().into()).collect();
        self.terms.accepted.push(Accepted { name: C::NAME, sort: C::SqlType::SORT, values });
        self
    }

    /// As [`Filter::is`], where a value is given.
    #[must_use]
    pub fn if_is<C, V: Into<ValueOf<C>>>(self, column: C, value: Option<V>) -> Self
    where
        C: diesel::Column<Table: Rows<Of = A>, SqlType: Typed>,
    {
        self.if_any(column, value.map(|value| [value]))
    }

    /// As [`Filter::any`], where values are given.
    #[must_use]
    pub fn if_any<C, V: Into<ValueOf<C>>>(self, column: C, values: Option<impl IntoIterator<Item = V>>) -> Self
    where
        C: diesel::Column<Table: Rows<Of = A>, SqlType: Typed>,
    {
        match values {
            Some(values) => self.any(column, values),
            None => self,
        }
    }

    /// Only those that were changed at or after an instant, where one is given.
    #[must_use]
    pub fn since(mut self, since: Option<Moment>) -> Self {
        self.terms.since = since.map(Cell::from);
        self
    }
}

/// What a column holds.
pub type ValueOf<C> = <<C as diesel::Expression>::SqlType as Typed>::Value;

/// The values that a column may have.
#[derive(Clone, Debug)]
struct Accepted {
    name: &'static str,
    sort: Sort,
    values: Vec<Cell>,
}

/// A filter, whatever its table.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) table: &'static Table,
    accepted: Vec<Accepted>,
    since: Option<Cell>,
}

impl Terms {
    pub(crate) fn all(table: &'static Table) -> Self {
        Self { table, accepted: Vec::new(), since: None }
    }

    /// Those with these identifiers.
    pub(crate) fn ids(table: &'static Table, ids: Vec<Cell>) -> Self {
        let ids = Accepted { name: "id", sort: Sort::Uid, values: ids };
        Self { accepted: vec![ids], ..Self::all(table) }
    }

    /// Writes the conditions, each behind `AND` or, the first, behind `before`. Of changes since an instant all else is
    /// asked of each row, in words that no index is searched for.
    pub(crate) fn write<'a, S>(&'a self, to: &mut Statement<'a, S>, before: &'static str, page: &Cut) -> &'static str {
        let mut before = before;
        for Accepted { name, sort, values } in &self.accepted {
            to.words(before);
            if page.changes {
                to.words("coalesce(").name(name).words(", ").name(name).words(")");
            } else {
                to.name(name);
            }
            to.is_any(*sort, values);
            before = " AND ";
        }
        if let Some(since) = self.since.as_ref().filter(|_| page.changed.is_none()) {
            to.words(before).words("updated_at >= ").value(Sort::Moment, since);
            before = " AND ";
        }
        before
    }

    /// Whether no row can match.
    fn accepts_nothing(&self) -> bool {
        self.accepted.iter().any(|accepted| accepted.values.is_empty())
    }

    /// The same in several parts, each with one value of a column: so each is in the order of an index.
    fn parts(&self) -> Option<Vec<Self>> {
        let declared = |accepted: &Accepted| self.table.column(accepted.name);
        let is_found = |accepted: &Accepted| accepted.values.len() == 1 && declared(accepted).is_some_and(|c| c.narrow);
        let found = self.accepted.iter().any(is_found);
        let split = |accepted: &Accepted| {
            (2..=PARTS).contains(&accepted.values.len())
                && declared(accepted).is_some()
                && !(found && accepted.name == ARRANGEMENT)
        };
        let place = self.accepted.iter().position(split).or_else(|| {
            // With a column the states are asked of each row that it finds.
            let by_column = self.accepted.iter().any(|accepted| declared(accepted).is_some());
            let states = |accepted: &Accepted| accepted.name == "state" && accepted.values.len() > 1;
            self.accepted.iter().position(states).filter(|_| !by_column)
        })?;
        let part = |value: &Cell| {
            let mut part = self.clone();
            if let Some(accepted) = part.accepted.get_mut(place) {
                accepted.values = vec![value.clone()];
            }
            part
        };
        Some(self.accepted.get(place)?.values.iter().map(part).collect())
    }
}

/// A page in cells: where it begins and ends.
pub(crate) struct Cut {
    changes: bool,
    changed: Option<Cell>,
    after: Option<Cell>,
    limit: Option<Cell>,
}

impl From<Page> for Cut {
    fn from(page: Page) -> Self {
        let after = page.after.map(|id| Cell::from(crate::Uid(id)));
        Self {
            changes: page.changes,
            changed: page.changed.filter(|_| page.changes && after.is_some()).map(|at| Cell::from(Moment(at))),
            after,
            limit: page.most().map(|_| Cell::from(page.limit)),
        }
    }
}

impl Cut {
    /// Writes where the page begins, its order (that of creation, or that of the last changes) and where it ends.
    pub(crate) fn write<'a, S>(&'a self, to: &mut Statement<'a, S>, before: &'static str) {
        if let Some(after) = &self.after {
            to.words(before);
            match &self.changed {
                Some(changed) => {
                    to.words("(updated_at, id) > (")
                        .value(Sort::Moment, changed)
                        .words(", ")
                        .value(Sort::Uid, after)
                        .words(")");
                }
                None => {
                    to.words("id > ").value(Sort::Uid, after);
                }
            }
        }
        to.words(if self.changes { " ORDER BY updated_at, id" } else { " ORDER BY id" });
        if let Some(limit) = &self.limit {
            to.words(" LIMIT ").value(Sort::Big, limit);
        }
    }
}

/// How the rows of a page are read.
pub(crate) type Read<'a, R> = &'a dyn Fn(&mut Conn<'_>, &Terms, Page) -> Outcome<Vec<R>>;

/// The rows of a page by `read`, in several parts where each is then in the order of an index.
pub(crate) fn in_parts<R>(
    conn: &mut Conn<'_>,
    terms: &Terms,
    page: Page,
    id: fn(&R) -> Uuid,
    read: Read<'_, R>,
) -> Outcome<Vec<R>> {
    if terms.accepts_nothing() {
        return Ok(Vec::new());
    }
    let parts = if page.changes { None } else { page.most().zip(terms.parts()) };
    let Some((most, parts)) = parts else { return read(conn, terms, page) };
    let mut rows = Vec::new();
    for part in &parts {
        rows.extend(in_parts(conn, part, page, id, read)?);
    }
    rows.sort_unstable_by_key(id);
    rows.dedup_by_key(|row| id(row));
    rows.truncate(most);
    Ok(rows)
}

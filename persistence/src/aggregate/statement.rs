//! One statement for all tables: its text and values in pieces. Its text is its key among those that are prepared.

use std::marker::PhantomData;

use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::{QueryResult, RunQueryDsl};

use super::cell::{Binds, Cell, Sort};
use super::table::Column;

/// A piece of a statement.
#[derive(Clone, Copy)]
enum Piece<'a> {
    /// In these words.
    Words(&'static str),
    /// A table's or a column's name.
    Name(&'static str),
    /// A value.
    One(Sort, &'a Cell),
    /// That what stands before is one of these.
    Any(Sort, &'a Vec<Cell>),
    /// Whatever is in it differs in length from time to time: it is not prepared for later.
    Once,
}

/// A statement that gives rows of `Rows`, or none.
pub(crate) struct Statement<'a, Rows = ()> {
    pieces: Vec<Piece<'a>>,
    rows: PhantomData<fn() -> Rows>,
}

impl<'a, Rows> Statement<'a, Rows> {
    pub(crate) fn new(words: &'static str, table: &'static str) -> Self {
        Self { pieces: vec![Piece::Words(words), Piece::Name(table)], rows: PhantomData }
    }

    pub(crate) fn words(&mut self, words: &'static str) -> &mut Self {
        self.pieces.push(Piece::Words(words));
        self
    }

    pub(crate) fn name(&mut self, name: &'static str) -> &mut Self {
        self.pieces.push(Piece::Name(name));
        self
    }

    pub(crate) fn value(&mut self, sort: Sort, value: &'a Cell) -> &mut Self {
        self.pieces.push(Piece::One(sort, value));
        self
    }

    /// One value is an equation: behind it an index is in order.
    pub(crate) fn is_any(&mut self, sort: Sort, values: &'a Vec<Cell>) -> &mut Self {
        if let [one] = values.as_slice() {
            self.words(" = ").value(sort, one)
        } else {
            self.pieces.push(Piece::Any(sort, values));
            self
        }
    }

    pub(crate) fn once(&mut self) -> &mut Self {
        self.pieces.push(Piece::Once);
        self
    }

    /// Names, or whatever `write` makes of each, with commas between.
    pub(crate) fn list<T>(&mut self, of: impl Iterator<Item = T>, write: impl Fn(&mut Self, T)) -> &mut Self {
        for (n, one) in of.enumerate() {
            if n > 0 {
                self.words(", ");
            }
            write(self, one);
        }
        self
    }

    /// A row in parentheses.
    pub(crate) fn row<'c>(&mut self, columns: impl Iterator<Item = &'c Column>, row: &'a [Cell]) -> &mut Self {
        self.words("(");
        self.list(columns.zip(row), |all, (column, cell)| {
            all.value(column.sort, cell);
        });
        self.words(")")
    }
}

impl<DB: Binds, Rows> QueryFragment<DB> for Statement<'_, Rows> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        for piece in &self.pieces {
            match piece {
                Piece::Words(words) => out.push_sql(words),
                Piece::Name(name) => out.push_identifier(name)?,
                Piece::One(sort, value) => DB::one(out.reborrow(), *sort, value)?,
                Piece::Any(sort, values) => DB::any(out.reborrow(), *sort, values)?,
                Piece::Once => out.unsafe_to_cache_prepared(),
            }
        }
        Ok(())
    }
}

impl<Rows> QueryId for Statement<'_, Rows> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Rows> Query for Statement<'_, Rows> {
    type SqlType = Rows;
}

impl<Rows, C> RunQueryDsl<C> for Statement<'_, Rows> {}

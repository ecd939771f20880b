//! Cells: the values that a row is written from and found by, whatever its table.

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::pg::Pg;
use diesel::query_builder::AstPass;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{self, Array, Nullable};
use diesel::sqlite::Sqlite;

use crate::types::{Storable as _, sql};
use crate::{Json, Moment, Uid};

/// Declares the sorts of cell, a line each: its SQL type, and the type of its values.
macro_rules! sorts {
    ($($(#[$doc:meta])* $Sort:ident: $sql:ty = $value:ty;)+) => {
        /// The sort of a column.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Sort {
            $($(#[$doc])* $Sort,)+
        }

        /// A value of a column.
        #[derive(Clone, PartialEq, Debug)]
        pub enum Cell {
            /// None.
            Null,
            $($(#[$doc])* $Sort($value),)+
        }

        $(
            impl Typed for $sql {
                type Value = $value;
                const SORT: Sort = Sort::$Sort;
            }

            impl Typed for Nullable<$sql> {
                type Value = $value;
                const SORT: Sort = Sort::$Sort;
            }

            impl<V: Into<$value>> Fills<$sql> for V {
                fn cell(self) -> Cell {
                    Cell::from(self.into())
                }
            }

            impl<V: Into<$value>> Fills<Nullable<$sql>> for Option<V> {
                fn cell(self) -> Cell {
                    self.map_or(Cell::Null, |value| Cell::from(value.into()))
                }
            }

            impl From<$value> for Cell {
                fn from(value: $value) -> Self {
                    Self::$Sort(value.storable())
                }
            }
        )+

        impl<ST> ToSql<ST, Pg> for Cell {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                match self {
                    Cell::Null => Ok(IsNull::Yes),
                    $(Cell::$Sort(value) => ToSql::<$sql, Pg>::to_sql(value, out),)+
                }
            }
        }

        impl<ST> ToSql<ST, Sqlite> for Cell {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
                match self {
                    Cell::Null => Ok(IsNull::Yes),
                    $(Cell::$Sort(value) => ToSql::<$sql, Sqlite>::to_sql(value, out),)+
                }
            }
        }

        impl Binds for Pg {
            fn one<'b>(mut out: AstPass<'_, 'b, Self>, sort: Sort, value: &'b Cell) -> QueryResult<()> {
                match sort {
                    $(Sort::$Sort => out.push_bind_param::<$sql, _>(value),)+
                }
            }

            fn any<'b>(mut out: AstPass<'_, 'b, Self>, sort: Sort, values: &'b Vec<Cell>) -> QueryResult<()> {
                out.push_sql(" = ANY(");
                match sort {
                    $(Sort::$Sort => out.push_bind_param::<Array<$sql>, _>(values)?,)+
                }
                out.push_sql(")");
                Ok(())
            }
        }

        impl Binds for Sqlite {
            fn one<'b>(mut out: AstPass<'_, 'b, Self>, sort: Sort, value: &'b Cell) -> QueryResult<()> {
                match sort {
                    $(Sort::$Sort => out.push_bind_param::<$sql, _>(value),)+
                }
            }

            fn any<'b>(mut out: AstPass<'_, 'b, Self>, sort: Sort, values: &'b Vec<Cell>) -> QueryResult<()> {
                // A list is a statement of its own for each length, so none is prepared for later.
                out.unsafe_to_cache_prepared();
                out.push_sql(" IN (");
                for (n, value) in values.iter().enumerate() {
                    if n > 0 {
                        out.push_sql(", ");
                    }
                    Self::one(out.reborrow(), sort, value)?;
                }
                out.push_sql(")");
                Ok(())
            }
        }
    };
}

sorts! {
    /// An identifier.
    Uid: sql::Uid = Uid;
    /// Text.
    Text: sql_types::Text = String;
    /// An instant.
    Moment: sql::Moment = Moment;
    /// Yes or no.
    Bool: sql_types::Bool = bool;
    /// A small number.
    Int: sql_types::Integer = i32;
    /// A number.
    Big: sql_types::BigInt = i64;
    /// A document.
    Json: sql::Json = Json;
}

/// The SQL type of a column, with or without nulls: its sort, and the type of what it holds.
pub trait Typed {
    /// What it holds, where it holds something.
    type Value: Into<Cell>;
    /// Its sort.
    const SORT: Sort;
}

/// A value that may stand in a column of that SQL type.
pub trait Fills<Type> {
    /// The value as a cell.
    fn cell(self) -> Cell;
}

/// A value as a cell of a column of that SQL type.
pub(crate) fn cell<Type>(value: impl Fills<Type>) -> Cell {
    value.cell()
}

/// A database that cells can be bound in.
pub(crate) trait Binds: Backend {
    /// Binds one value.
    fn one<'b>(out: AstPass<'_, 'b, Self>, sort: Sort, value: &'b Cell) -> QueryResult<()>;

    /// Writes that what stands before is one of the values.
    #[expect(clippy::ptr_arg, reason = "what is bound has a size")]
    fn any<'b>(out: AstPass<'_, 'b, Self>, sort: Sort, values: &'b Vec<Cell>) -> QueryResult<()>;
}

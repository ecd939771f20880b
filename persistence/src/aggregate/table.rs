//! Tables of aggregates: what is declared of one. What is done with all of them is in `store.rs`.

use domain::kernel::{Kind, Rule};

use super::cell::Sort;

/// The table of a kind of aggregate.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// The columns that keys, filters and constraints need, beside those that every table has.
    pub columns: &'static [Column],
    /// Its unique indexes, and those of what is kept beside it.
    pub unique: &'static [Unique],
}

/// A column of a table.
#[derive(Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Its sort.
    pub sort: Sort,
    /// Whether all that one value finds is of one arrangement, so that it is found by this whatever arrangements are
    /// asked for.
    pub narrow: bool,
}

/// A unique index.
#[derive(Debug)]
pub struct Unique {
    /// Its name, which PostgreSQL reports.
    pub index: &'static str,
    /// The table that it is on, which SQLite reports.
    pub table: &'static str,
    /// Its columns, which SQLite reports.
    pub columns: &'static [&'static str],
    /// What it means where there is one already.
    pub taken: Taken,
}

/// What it means where a unique index has the same already.
#[derive(Clone, Copy, Debug)]
pub enum Taken {
    /// The rule that the index guards is broken.
    Refuse(&'static Rule),
    /// Two transactions made the first of one thing: the second sees it when it is run again.
    Retry,
}

const fn common(name: &'static str, sort: Sort) -> Column {
    Column { name, sort, narrow: false }
}

/// The columns that every table of aggregates begins with.
static COMMON: [Column; 5] = [
    common("id", Sort::Uid),
    common("version", Sort::Big),
    common("state", Sort::Text),
    common("updated_at", Sort::Moment),
    common("body", Sort::Json),
];

impl Table {
    /// All of its columns, in the order of a row's cells.
    pub(crate) fn all(&self) -> impl Iterator<Item = &'static Column> {
        COMMON.iter().chain(self.columns)
    }

    /// A column that is declared, by its name.
    pub(crate) fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

impl Unique {
    /// Whether an error is about it, by PostgreSQL's name of it or by SQLite's message.
    fn is(&self, index: Option<&str>, message: &str) -> bool {
        if let Some(index) = index {
            index == self.index
        } else {
            let columns: Vec<String> = self.columns.iter().map(|column| format!("{}.{column}", self.table)).collect();
            message.strip_suffix(&columns.join(", ")).is_some_and(|before| before.ends_with(": "))
        }
    }
}

/// The last one of some names, where there is one.
pub(crate) const fn last(of: &[&'static str]) -> &'static str {
    match of {
        [.., last] => last,
        [] => "",
    }
}

/// What the unique index means that an error names.
pub(crate) fn taken(index: Option<&str>, message: &str) -> Option<Taken> {
    let all = Kind::ALL.iter().flat_map(|kind| crate::table_of(*kind).unique).chain([&crate::record::event::CHAIN]);
    all.into_iter().find(|unique| unique.is(index, message)).map(|unique| unique.taken)
}

/// What may be said of a column, in brackets behind its type.
#[expect(non_upper_case_globals, reason = "they stand in a declaration as words")]
pub(crate) mod marks {
    /// All that one value finds is of one arrangement.
    pub(crate) const narrow: bool = true;
}

/// Declares an aggregate's table: its columns, each computed from the aggregate; its unique indexes, each with what it
/// means where there is one already; and the function that keeps what stands beside it.
macro_rules! declare_table {
    (
        $(#[$doc:meta])*
        $table:ident: $A:ty {
            $($col:ident: $sql:ty $([$mark:ident])? = |$a:ident| $value:expr;)*
        }
        $(unique $index:ident $(on $other:ident)? ($($key:ident),+) = $taken:expr;)*
        $(beside $beside:path;)?
    ) => {
        $(#[$doc])*
        pub mod $table {
            #[expect(missing_docs, reason = "the columns say what the aggregate's fields say")]
            mod declared {
                diesel::table! {
                    use diesel::sql_types::*;
                    use $crate::types::sql::{Json, Moment, Uid};

                    $table (id) {
                        id -> Uid,
                        version -> BigInt,
                        state -> Text,
                        updated_at -> Moment,
                        body -> Json,
                        $($col -> $sql,)*
                    }
                }
            }
            pub use declared::$table::*;
        }

        impl $crate::aggregate::Rows for $table::table {
            type Of = $A;
        }

        impl $crate::Record for $A {
            const TABLE: &'static $crate::aggregate::Table = &$crate::aggregate::Table {
                name: stringify!($table),
                columns: &[$($crate::aggregate::Column {
                    name: stringify!($col),
                    sort: <diesel::dsl::SqlTypeOf<$table::$col> as $crate::aggregate::Typed>::SORT,
                    narrow: false $(|| $crate::aggregate::marks::$mark)?,
                }),*],
                unique: &[$($crate::aggregate::Unique {
                    index: stringify!($index),
                    table: $crate::aggregate::table::last(&[stringify!($table) $(, stringify!($other))?]),
                    columns: &[$(stringify!($key)),+],
                    taken: $taken,
                }),*],
            };

            fn cells(&self) -> Vec<$crate::aggregate::Cell> {
                vec![$({
                    let $a = self;
                    $crate::aggregate::cell::<diesel::dsl::SqlTypeOf<$table::$col>>($value)
                }),*]
            }

            $(
                fn keep_beside(tx: &mut $crate::Tx<'_>, rows: &[$crate::aggregate::Change<'_, Self>]) -> $crate::Outcome<()> {
                    $beside(tx, rows)
                }
            )?
        }
    };
}

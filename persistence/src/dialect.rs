//! The few statements and messages that differ between the databases.

use diesel::backend::Backend;
use diesel::expression::{ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Bool, HasSqlType};
use diesel::sqlite::Sqlite;

use crate::{Failure, Outcome};

/// A condition in fixed words. Unlike with diesel's `sql`, a statement that has it is prepared once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fixed(pub(crate) &'static str);

impl<DB: Backend> QueryFragment<DB> for Fixed {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql(self.0);
        Ok(())
    }
}

/// That an event's place in PostgreSQL's feed is behind another or before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Behind {
    /// How it compares, such as `>`.
    pub(crate) compare: &'static str,
    /// Transaction and sequence.
    pub(crate) place: (i64, i64),
}

impl QueryFragment<Pg> for Behind {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("(tx, seq) ");
        out.push_sql(self.compare);
        out.push_sql(" (");
        out.push_bind_param::<BigInt, _>(&self.place.0)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&self.place.1)?;
        out.push_sql(")");
        Ok(())
    }
}

/// Which end of the feed a page begins at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum First {
    /// The beginning.
    Oldest,
    /// The end.
    Newest,
}

/// That an event is among the first ones of several parts of the feed, each of which is in its order already: the database
/// merges them, and goes no further in each than the page does.
#[derive(Clone, Debug)]
pub(crate) struct Merged<Q> {
    /// What finds the places of each part: on PostgreSQL, which does not merge otherwise, in order and no more than a page.
    pub(crate) parts: Vec<Q>,
    /// Where the page begins.
    pub(crate) first: First,
    /// Events at most.
    pub(crate) limit: i64,
}

impl<Q> Merged<Q> {
    /// In the words of a database: before the first part, between two, and behind the last by where the page begins.
    fn walk<'b, DB>(
        &'b self,
        mut out: AstPass<'_, 'b, DB>,
        [before, between, oldest, newest]: [&str; 4],
    ) -> QueryResult<()>
    where
        Q: QueryFragment<DB>,
        DB: Backend + HasSqlType<BigInt>,
        i64: ToSql<BigInt, DB>,
    {
        for (n, part) in self.parts.iter().enumerate() {
            out.push_sql(if n == 0 { before } else { between });
            part.walk_ast(out.reborrow())?;
        }
        out.push_sql(match self.first {
            First::Oldest => oldest,
            First::Newest => newest,
        });
        out.push_bind_param::<BigInt, _>(&self.limit)?;
        out.push_sql(")");
        Ok(())
    }
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Merged<Q> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let oldest = ")) AS places ORDER BY tx, seq LIMIT ";
        let newest = ")) AS places ORDER BY tx DESC, seq DESC LIMIT ";
        self.walk(out, ["seq IN (SELECT seq FROM ((", ") UNION ALL (", oldest, newest])
    }
}

impl<Q: QueryFragment<Sqlite>> QueryFragment<Sqlite> for Merged<Q> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.walk(out, ["seq IN (", " UNION ALL ", " ORDER BY 1 LIMIT ", " ORDER BY 1 DESC LIMIT "])
    }
}

/// What diesel asks of a condition in words: that it is one, and that the words themselves tell statements apart.
macro_rules! condition {
    ($words:ty $(, $of:ident)?) => {
        impl$(<$of>)? Expression for $words {
            type SqlType = Bool;
        }

        impl$(<$of>)? QueryId for $words {
            type QueryId = ();
            const HAS_STATIC_QUERY_ID: bool = false;
        }

        impl<G $(, $of)?> ValidGrouping<G> for $words {
            type IsAggregate = is_aggregate::Never;
        }

        impl<T $(, $of)?> AppearsOnTable<T> for $words {}
        impl<T $(, $of)?> SelectableExpression<T> for $words {}
    };
}
condition!(Fixed);
condition!(Behind);
condition!(Merged<Q>, Q);

/// Refuses a PostgreSQL database whose events were written by another cluster whose transaction counter was ahead of
/// this one's: its feed would hide them until the counter has caught up (docs/operations.md, restore).
pub(crate) fn refuse_foreign_history(conn: &mut PgConnection) -> Outcome<()> {
    const AHEAD: &str =
        "SELECT max(tx) AS ahead FROM events WHERE tx >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint";
    #[derive(QueryableByName)]
    struct Newest {
        #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
        ahead: Option<i64>,
    }
    match diesel::sql_query(AHEAD).get_result::<Newest>(conn)?.ahead {
        None => Ok(()),
        Some(tx) => Err(Failure::Unavailable(format!(
            "the events come from another cluster whose transactions went up to {tx}: advance this cluster's counter \
             beyond it with pg_resetwal (see docs/operations.md, restore)"
        ))),
    }
}

/// Whether every migration has run. A server whose role may not create tables starts on a schema that is current: the
/// migration library would create its own table, if need be, before it looks.
pub(crate) fn is_current(conn: &mut PgConnection, versions: &[String]) -> bool {
    #[derive(QueryableByName)]
    struct Ran {
        #[diesel(sql_type = diesel::sql_types::Text)]
        version: String,
    }
    let ran = diesel::sql_query("SELECT version FROM __diesel_schema_migrations").load::<Ran>(conn);
    ran.is_ok_and(|ran| versions.iter().all(|version| ran.iter().any(|ran| ran.version == *version)))
}

/// Drops every index that was being made while others wrote when whoever made it failed or was killed: PostgreSQL keeps
/// its name and does not use it. One that somebody else is making now stays.
pub(crate) fn drop_broken_indexes(conn: &mut PgConnection) -> Outcome<()> {
    #[derive(QueryableByName)]
    struct Broken {
        #[diesel(sql_type = diesel::sql_types::Text)]
        name: String,
    }
    let broken = diesel::sql_query(
        "SELECT indexrelid::regclass::text AS name FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid \
         WHERE relnamespace = current_schema()::text::regnamespace AND NOT indisvalid \
         AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index WHERE index_relid = indexrelid)",
    );
    for Broken { name } in broken.load(conn)? {
        diesel::sql_query(format!("DROP INDEX CONCURRENTLY IF EXISTS {name}")).execute(conn)?;
    }
    Ok(())
}

#[diesel::declare_sql_function]
extern "SQL" {
    fn hashtextextended(text: diesel::sql_types::Text, seed: diesel::sql_types::BigInt) -> diesel::sql_types::BigInt;
    /// What it returns is nothing that could be read.
    fn pg_advisory_xact_lock(key: diesel::sql_types::BigInt) -> diesel::sql_types::Bool;
    /// Whether the session has that lock now.
    fn pg_try_advisory_lock(key: diesel::sql_types::BigInt) -> diesel::sql_types::Bool;
}

/// Lets one transaction at a time have that name, until it ends. SQLite has one writer anyway.
pub(crate) fn take_turn(tx: &mut crate::Tx<'_>, name: &str) -> Outcome<()> {
    if let crate::Conn::Pg(conn) = &mut **tx {
        diesel::select(pg_advisory_xact_lock(hashtextextended(name, 0))).execute(*conn)?;
    }
    Ok(())
}

/// Whether an error message means that the database cannot be reached or is too busy.
pub(crate) fn says_unavailable(message: &str) -> bool {
    [
        "database is locked",
        "disk I/O error",
        "database or disk is full",
        "No space left on device",
        "Disk quota exceeded",
        "could not extend file",
        "terminating connection",
        "server closed the connection",
        "the database system is",
        "too many clients",
        "no connection to the server",
        "connection to server was lost",
        "SSL connection has been closed",
        "canceling statement due to",
        "idle-in-transaction timeout",
    ]
    .iter()
    .any(|part| message.contains(part))
}

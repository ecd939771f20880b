//! What is done with the rows of any table of aggregates.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use domain::kernel::{Instant, Named as _};
use uuid::Uuid;

use super::cell::{Cell, Sort};
use super::filter::{Cut, Terms, in_parts};
use super::statement::Statement;
use super::table::Table;
use super::{Head, Strength, Which};
use crate::types::sql;
use crate::{Conn, Json, Moment, Outcome, Page, Tx, Uid};

/// A row as it is read: identifier, version, when it was last changed, and the document.
pub(crate) type Document = (Uid, i64, Moment, Json);
type Documents = (sql::Uid, BigInt, sql::Moment, sql::Json);
const DOCUMENTS: &str = "SELECT id, version, updated_at, body FROM ";

/// The one with that identifier, held in that strength where one is given.
pub(crate) fn find(
    conn: &mut Conn<'_>,
    table: &'static Table,
    id: Uuid,
    held: Option<Strength>,
) -> Outcome<Option<Document>> {
    let id = Cell::from(Uid(id));
    let mut query = Statement::<Documents>::new(DOCUMENTS, table.name);
    query.words(" WHERE id = ").value(Sort::Uid, &id);
    hold(conn, &mut query, held);
    Ok(on!(conn, c => query.load::<Document>(c))?.pop())
}

/// Those with these identifiers that are there.
pub(crate) fn these(conn: &mut Conn<'_>, table: &'static Table, ids: &[Uuid]) -> Outcome<Vec<Document>> {
    if matches!(conn, Conn::Sqlite(_)) {
        // A list of values would be prepared anew each time there, and a look-up is as quick.
        return ids.iter().filter_map(|id| find(conn, table, *id, None).transpose()).collect();
    }
    documents(conn, &by_ids(table, ids), None, None)
}

/// As [`these`], in the order of identifiers, so that those who hold the same ones do not wait for each other.
pub(crate) fn hold_these(tx: &mut Tx<'_>, table: &'static Table, ids: &[Uuid]) -> Outcome<Vec<Document>> {
    documents(tx, &by_ids(table, ids), Some(Page::ALL), Some(Strength::Share))
}

fn by_ids(table: &'static Table, ids: &[Uuid]) -> Terms {
    Terms::ids(table, ids.iter().map(|id| Cell::from(Uid(*id))).collect())
}

/// The rows of a page, in the order of creation; in that of their last changes, where those since an instant are asked
/// for.
pub(crate) fn list(conn: &mut Conn<'_>, terms: &Terms, page: Page) -> Outcome<Vec<Document>> {
    in_parts(conn, terms, page, |row| row.0.0, &|conn, terms, page| documents(conn, terms, Some(page), None))
}

fn documents(conn: &mut Conn<'_>, terms: &Terms, page: Option<Page>, held: Option<Strength>) -> Outcome<Vec<Document>> {
    let cut = Cut::from(page.unwrap_or(Page::ALL));
    let mut query = Statement::<Documents>::new(DOCUMENTS, terms.table.name);
    let next = terms.write(&mut query, " WHERE ", &cut);
    if page.is_some() {
        cut.write(&mut query, next);
    }
    hold(conn, &mut query, held);
    Ok(on!(conn, c => query.load(c))?)
}

/// SQLite has one writer and needs no locks.
fn hold<S>(conn: &Conn<'_>, query: &mut Statement<'_, S>, strength: Option<Strength>) {
    match (conn, strength) {
        (Conn::Pg(_), Some(Strength::Share)) => query.words(" FOR SHARE"),
        (Conn::Pg(_), Some(Strength::Update)) => query.words(" FOR NO KEY UPDATE"),
        (Conn::Sqlite(_), _) | (Conn::Pg(_), None) => query,
    };
}

/// As [`list`], without the documents.
pub(crate) fn heads(conn: &mut Conn<'_>, terms: &Terms, page: Page) -> Outcome<Vec<Head>> {
    in_parts(conn, terms, page, |row| row.id, &|conn, terms, page| {
        let cut = Cut::from(page);
        let mut query =
            Statement::<(sql::Uid, BigInt, sql::Moment)>::new("SELECT id, version, updated_at FROM ", terms.table.name);
        let next = terms.write(&mut query, " WHERE ", &cut);
        cut.write(&mut query, next);
        let rows = on!(conn, c => query.load::<(Uid, i64, Moment)>(c))?;
        Ok(rows.into_iter().map(|(id, version, at)| Head { id: id.0, version, updated_at: at.0 }).collect())
    })
}

/// How many rows match.
pub(crate) fn count(conn: &mut Conn<'_>, terms: &Terms) -> Outcome<i64> {
    let mut query = Statement::<BigInt>::new("SELECT COUNT(*) FROM ", terms.table.name);
    terms.write(&mut query, " WHERE ", &Cut::from(Page::ALL));
    Ok(on!(conn, c => query.get_result::<i64>(c))?)
}

/// Identifiers and versions, for the verifier of the record.
pub(crate) fn versions(conn: &mut Conn<'_>, table: &'static Table, which: Which<'_>) -> Outcome<Vec<(Uid, i64)>> {
    let (terms, page) = match which {
        Which::These(ids) => (Terms::ids(table, ids.iter().copied().map(Cell::from).collect()), Page::ALL),
        Which::After(id, limit) => (Terms::all(table), Page { after: id.map(|id| id.0), limit, ..Page::ALL }),
    };
    let cut = Cut::from(page);
    let mut query = Statement::<(sql::Uid, BigInt)>::new("SELECT id, version FROM ", table.name);
    let next = terms.write(&mut query, " WHERE ", &cut);
    cut.write(&mut query, next);
    Ok(on!(conn, c => query.load(c))?)
}

/// Inserts rows, each with a cell for each column.
pub(crate) fn insert(tx: &mut Tx<'_>, table: &'static Table, rows: &[Vec<Cell>]) -> Outcome<()> {
    if matches!(&mut **tx, Conn::Sqlite(_)) {
        // Without a network between, a prepared statement for each row is as quick.
        for row in rows {
            run!(tx, insertion(table, std::slice::from_ref(row)))?;
        }
    } else if !rows.is_empty() {
        run!(tx, insertion(table, rows))?;
    }
    Ok(())
}

fn insertion<'a>(table: &'static Table, rows: &'a [Vec<Cell>]) -> Statement<'a> {
    let mut statement = Statement::new("INSERT INTO ", table.name);
    statement.words(" (").list(table.all(), |all, column| {
        all.name(column.name);
    });
    statement.words(") VALUES ").list(rows.iter(), |all, row| {
        all.row(table.all(), row);
    });
    if rows.len() > 1 {
        statement.once();
    }
    statement
}

/// Writes the next version of each row over the one before it. `false` where one is not that version any more.
pub(crate) fn update(tx: &mut Tx<'_>, table: &'static Table, rows: &[Vec<Cell>]) -> Outcome<bool> {
    if rows.len() > 1 && matches!(&mut **tx, Conn::Pg(_)) {
        // Every row is there: the insertion always meets it, and changes it where it is still that version.
        let mut upsert = insertion(table, rows);
        upsert.words(" ON CONFLICT (id) DO UPDATE SET ").list(table.all().skip(1), |all, column| {
            all.name(column.name).words(" = excluded.").name(column.name);
        });
        upsert.words(" WHERE ").name(table.name).words(".version = excluded.version - 1");
        return Ok(run!(tx, upsert)? == rows.len());
    }
    let mut all = true;
    for row in rows {
        let [id, Cell::Big(version), ..] = row.as_slice() else { return Ok(false) };
        let before = Cell::from(version - 1);
        let mut change = Statement::<()>::new("UPDATE ", table.name);
        change.words(" SET ").list(table.all().zip(row).skip(1), |all, (column, cell)| {
            all.name(column.name).words(" = ").value(column.sort, cell);
        });
        change.words(" WHERE id = ").value(Sort::Uid, id).words(" AND version = ").value(Sort::Big, &before);
        all &= run!(tx, change)? == 1;
    }
    Ok(all)
}

/// A row's cells, in the order of its table's columns.
pub(crate) fn row<A: super::Record>(value: &A, version: i64, now: Instant) -> Outcome<Vec<Cell>> {
    let mut row = vec![
        Cell::from(Uid(value.id().into())),
        Cell::from(version),
        Cell::from(value.state().name().to_owned()),
        Cell::from(Moment(now)),
        Cell::from(Json(serde_json::to_string(value)?)),
    ];
    row.extend(value.cells());
    Ok(row)
}

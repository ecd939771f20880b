//! Carries a history from SQLite to PostgreSQL by `COPY`, several times as fast as it could be made there: the columns of
//! both are the same, and a hash does not tell in which database its event is.

use std::path::Path;

use postgres::Client;
use postgres::binary_copy::BinaryCopyInWriter;
use postgres::types::{ToSql, Type};
use rusqlite::Connection;
use rusqlite::types::Value;

use crate::Outcome;
use crate::bare::postgres::{Raw, open};

/// Rows that are copied in one transaction: places in the feed are made of these, so they are not one for all.
const ROWS: usize = 1_000;
/// Microseconds from 1970 to 2000, where PostgreSQL's timestamps begin.
const PG_EPOCH: i64 = 946_684_800_000_000;

/// Carries all from the file at `from` into the database at `into`, whose schema is there and whose tables are empty. The
/// feed is to be sealed anew: its places are the transactions of that database.
pub fn carry(from: &Path, into: &str) -> Outcome<()> {
    let from = Connection::open(from)?;
    let mut into = open(into)?;
    // Rows come table by table and no reader looks yet.
    into.batch_execute("SET session_replication_role = replica; SET synchronous_commit = off")?;
    let mut tables = from.prepare(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' \
         AND name NOT IN ('__diesel_schema_migrations', 'checkpoints')",
    )?;
    let tables = tables.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    for table in tables {
        copy(&from, &mut into, &table)?;
    }
    // As a database has it that lives: the planner knows how much there is.
    into.batch_execute("VACUUM (ANALYZE)")?;
    Ok(())
}

fn copy(from: &Connection, into: &mut Client, table: &str) -> Outcome<()> {
    let described = into.prepare(&format!("SELECT * FROM {table}"))?;
    // What the database itself gives an event.
    let given = |name: &str| table == "events" && ["seq", "tx"].contains(&name);
    let columns: Vec<_> = described.columns().iter().filter(|column| !given(column.name())).collect();
    let types: Vec<Type> = columns.iter().map(|column| column.type_().clone()).collect();
    let names: Vec<&str> = columns.iter().map(|column| column.name()).collect();
    let names = names.join(", ");
    let order = if table == "events" { "ORDER BY seq" } else { "" };
    let mut select = from.prepare(&format!("SELECT {names} FROM {table} {order}"))?;
    let mut rows = select.query([])?;
    let command = format!("COPY {table} ({names}) FROM STDIN (FORMAT binary)");
    let mut more = true;
    while more {
        let mut writer = BinaryCopyInWriter::new(into.copy_in(&command)?, &types);
        for _ in 0..ROWS {
            let Some(row) = rows.next()? else {
                more = false;
                break;
            };
            let values = types.iter().enumerate().map(|(n, kind)| wire(row.get(n)?, kind));
            let values = values.collect::<Outcome<Vec<Raw>>>()?;
            let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
            writer.write(&values)?;
        }
        writer.finish()?;
    }
    Ok(())
}

/// A value of SQLite as PostgreSQL has it on the wire.
fn wire(value: Value, kind: &Type) -> Outcome<Raw> {
    Ok(Raw(match (value, kind) {
        (Value::Null, _) => None,
        (Value::Blob(bytes), _) => Some(bytes),
        (Value::Text(text), _) => Some(text.into_bytes()),
        (Value::Integer(n), &Type::BOOL) => Some(vec![u8::from(n != 0)]),
        (Value::Integer(n), &Type::INT4) => Some(i32::try_from(n)?.to_be_bytes().to_vec()),
        (Value::Integer(n), &Type::INT8) => Some(n.to_be_bytes().to_vec()),
        (Value::Integer(n), &Type::TIMESTAMPTZ) => Some((n - PG_EPOCH).to_be_bytes().to_vec()),
        (value, kind) => return Err(format!("no {kind} is made of {value:?}").into()),
    }))
}

//! On SQLite: one connection with the server's settings.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::{ANSWER, APPLICATION, EVENT, HOME, Mint, statements};
use crate::Outcome;

fn open(path: &Path) -> Outcome<Connection> {
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
         PRAGMA foreign_keys = ON; PRAGMA mmap_size = 1099511627776;",
    )?;
    Ok(connection)
}

fn rows(connection: &Connection, query: &str) -> Outcome<Vec<Vec<Value>>> {
    let mut statement = connection.prepare(query)?;
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| (0..columns).map(|n| row.get::<_, Value>(n)).collect())?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Submissions that the server made, to be written again and again.
pub struct Submissions {
    connection: Connection,
    rows: Vec<[Vec<Value>; 3]>,
    link: i64,
}

impl Submissions {
    /// Those in the database at `path`.
    pub fn open(path: &Path) -> Outcome<Self> {
        let connection = open(path)?;
        let of = |columns: &str, table: &str| {
            columns.split(", ").map(|c| format!("{table}.{c}")).collect::<Vec<_>>().join(", ")
        };
        let from = "FROM applications a JOIN events e ON e.aggregate_id = a.id AND e.kind = 'ApplicationSubmitted' \
             JOIN answers r ON r.key = lower(substr(hex(a.id), 1, 8) || '-' || substr(hex(a.id), 9, 4) || '-' \
             || substr(hex(a.id), 13, 4) || '-' || substr(hex(a.id), 17, 4) || '-' || substr(hex(a.id), 21)) ORDER BY a.id";
        let query = |columns: &str, table: &str| format!("SELECT {} {from}", of(columns, table));
        let applications = rows(&connection, &query(APPLICATION, "a"))?;
        let events = rows(&connection, &query(EVENT, "e"))?;
        let answers = rows(&connection, &query(ANSWER, "r"))?;
        let rows: Vec<_> = applications.into_iter().zip(events).zip(answers).map(|((a, e), r)| [a, e, r]).collect();
        if rows.is_empty() { Err("no submission to repeat".into()) } else { Ok(Self { connection, rows, link: 1_000 }) }
    }

    /// Writes them for so long, a transaction each; how many a second.
    pub fn repeat(&mut self, time: Duration) -> Outcome<f64> {
        let [update, event, answer] = statements(|n| format!("?{n}"));
        let (began, mut done, mint) = (Instant::now(), 0_u64, Mint::new());
        let mut begin = self.connection.prepare("BEGIN IMMEDIATE")?;
        let mut commit = self.connection.prepare("COMMIT")?;
        let mut update = self.connection.prepare(&update)?;
        let mut insert = self.connection.prepare(&event)?;
        let mut keep = self.connection.prepare(&answer)?;
        while began.elapsed() < time {
            self.link += 1;
            for [application, event, answer] in &mut self.rows {
                let id = mint.next();
                replace(event, 0, Value::Blob(id.as_bytes().to_vec()));
                replace(event, 5, Value::Integer(self.link));
                replace(answer, 1, Value::Text(id.to_string()));
                begin.execute([])?;
                update.execute(params_from_iter(application.iter()))?;
                insert.execute(params_from_iter(event.iter()))?;
                keep.execute(params_from_iter(answer.iter()))?;
                commit.execute([])?;
                done += 1;
                if began.elapsed() >= time {
                    break;
                }
            }
        }
        Ok(done as f64 / began.elapsed().as_secs_f64())
    }
}

fn replace(row: &mut [Value], column: usize, value: Value) {
    if let Some(slot) = row.get_mut(column) {
        *slot = value;
    }
}

/// Writes the homes of a provider with their events from the database at `from` into that at `into`, whose schema is
/// there and whose tables are empty: prepared statements in one durable transaction. How many homes a second.
pub fn bulk(from: &Path, into: &Path, provider: uuid::Uuid) -> Outcome<f64> {
    let from = open(from)?;
    let provider = provider.as_simple();
    let homes = rows(&from, &format!("SELECT {HOME} FROM homes WHERE provider_id = x'{provider}'"))?;
    let events =
        format!("SELECT {EVENT} FROM events WHERE provider_id = x'{provider}' AND aggregate = 'home' ORDER BY seq");
    let events = rows(&from, &events)?;
    let parent = rows(&from, &format!("SELECT * FROM providers WHERE id = x'{provider}'"))?;
    let mut connection = open(into)?;
    insert(&connection, "providers", None, &parent)?;
    let began = Instant::now();
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    insert(&transaction, "homes", Some(HOME), &homes)?;
    insert(&transaction, "events", Some(EVENT), &events)?;
    transaction.commit()?;
    Ok(homes.len() as f64 / began.elapsed().as_secs_f64())
}

fn insert(connection: &Connection, table: &str, columns: Option<&str>, rows: &[Vec<Value>]) -> Outcome<()> {
    let width = rows.first().map_or(0, Vec::len);
    let values = (1..=width).map(|n| format!("?{n}")).collect::<Vec<_>>().join(", ");
    let columns = columns.map(|columns| format!(" ({columns})")).unwrap_or_default();
    let mut statement = connection.prepare(&format!("INSERT INTO {table}{columns} VALUES ({values})"))?;
    for row in rows {
        statement.execute(params_from_iter(row.iter()))?;
    }
    Ok(())
}

//! On PostgreSQL: the wire protocol with prepared statements, and `COPY`.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use postgres::types::private::BytesMut;
use postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, NoTls, Statement, Transaction};

use super::{ANSWER, APPLICATION, EVENT, HOME, Mint, statements};
use crate::Outcome;

/// A value of whatever type, as it is on the wire.
#[derive(Clone, Debug)]
pub struct Raw(pub Option<Vec<u8>>);

type Wrong = Box<dyn std::error::Error + Sync + Send>;

impl FromSql<'_> for Raw {
    fn from_sql(_: &Type, raw: &[u8]) -> Result<Self, Wrong> {
        Ok(Self(Some(raw.to_vec())))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Wrong> {
        Ok(Self(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl ToSql for Raw {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Wrong> {
        Ok(self.0.as_ref().map_or(IsNull::Yes, |raw| {
            out.extend_from_slice(raw);
            IsNull::No
        }))
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// Opens a connection.
pub fn open(url: &str) -> Outcome<Client> {
    Ok(Client::connect(url, NoTls)?)
}

/// Makes an empty database, in place of one of that name, or a copy of `template`; its URL.
pub fn database(server: &str, name: &str, template: Option<&str>) -> Outcome<String> {
    let mut client = open(server)?;
    client.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))?;
    let template = template.map(|of| format!(" TEMPLATE {of}")).unwrap_or_default();
    client.batch_execute(&format!("CREATE DATABASE {name}{template}"))?;
    let (head, _) = server.rsplit_once('/').ok_or("the server's URL names no database")?;
    Ok(format!("{head}/{name}"))
}

/// Removes a database.
pub fn remove(server: &str, name: &str) -> Outcome<()> {
    Ok(open(server)?.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))?)
}

/// Submissions that the server made, to be written again and again.
pub struct Submissions {
    url: String,
    rows: Vec<[Vec<Raw>; 3]>,
    link: i64,
}

impl Submissions {
    /// Those in the database at `url`.
    pub fn open(url: &str) -> Outcome<Self> {
        let mut client = open(url)?;
        let mut load = |columns: &str, table: &str| -> Outcome<Vec<Vec<Raw>>> {
            let columns: Vec<String> = columns.split(", ").map(|column| format!("{table}.{column}")).collect();
            let query = format!(
                "SELECT {} FROM applications a JOIN events e ON e.aggregate_id = a.id \
                 AND e.kind = 'ApplicationSubmitted' JOIN answers r ON r.key = a.id::text ORDER BY a.id",
                columns.join(", ")
            );
            let rows = client.query(&query, &[])?;
            rows.iter().map(|row| (0..row.len()).map(|n| Ok(row.try_get(n)?)).collect()).collect()
        };
        let (applications, events, answers) = (load(APPLICATION, "a")?, load(EVENT, "e")?, load(ANSWER, "r")?);
        let rows: Vec<_> = applications.into_iter().zip(events).zip(answers).map(|((a, e), r)| [a, e, r]).collect();
        if rows.is_empty() {
            return Err("no submission to repeat".into());
        }
        Ok(Self { url: url.to_owned(), rows, link: 1_000 })
    }

    /// Writes them for so long over that many connections, a transaction each; how many a second.
    pub fn repeat(&mut self, connections: usize, time: Duration) -> Outcome<f64> {
        let share = self.rows.len().div_ceil(connections);
        self.link += 1_000_000;
        let (url, link) = (self.url.as_str(), self.link);
        let done = std::thread::scope(|scope| {
            let workers: Vec<_> = self
                .rows
                .chunks_mut(share)
                .map(|rows| scope.spawn(move || repeat(url, rows, link, time).map_err(|error| error.to_string())))
                .collect();
            workers
                .into_iter()
                .map(|worker| worker.join().unwrap_or_else(|_| Err("a loop ended".to_owned())))
                .sum::<Result<f64, _>>()
        })?;
        Ok(done)
    }
}

fn repeat(url: &str, rows: &mut [[Vec<Raw>; 3]], mut link: i64, time: Duration) -> Outcome<f64> {
    let mut client = open(url)?;
    let [update, event, answer] = statements(|n| format!("${n}"));
    let (update, event, answer) = (client.prepare(&update)?, client.prepare(&event)?, client.prepare(&answer)?);
    let (mint, began, mut done) = (Mint::new(), Instant::now(), 0_u64);
    while began.elapsed() < time {
        link += 1;
        for [application, happened, answered] in rows.iter_mut() {
            let id = mint.next();
            replace(happened, 0, id.as_bytes().to_vec());
            replace(happened, 5, link.to_be_bytes().to_vec());
            replace(answered, 1, id.to_string().into_bytes());
            client.batch_execute("BEGIN")?;
            execute(&mut client, &update, application)?;
            execute(&mut client, &event, happened)?;
            execute(&mut client, &answer, answered)?;
            client.batch_execute("COMMIT")?;
            done += 1;
            if began.elapsed() >= time {
                break;
            }
        }
    }
    Ok(done as f64 / began.elapsed().as_secs_f64())
}

fn execute(client: &mut Client, statement: &Statement, values: &[Raw]) -> Outcome<()> {
    let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
    client.execute(statement, &values)?;
    Ok(())
}

fn replace(row: &mut [Raw], column: usize, value: Vec<u8>) {
    if let Some(slot) = row.get_mut(column) {
        *slot = Raw(Some(value));
    }
}

/// Writes the homes of a provider with their events from the database at `from` into that at `into`, whose schema is
/// there and whose tables are empty: `COPY` in one durable transaction. How many homes a second.
pub fn bulk(from: &str, into: &str, provider: uuid::Uuid) -> Outcome<f64> {
    let mut from = open(from)?;
    let mut out = |query: String| -> Outcome<Vec<u8>> {
        let mut bytes = Vec::new();
        from.copy_out(&format!("COPY ({query}) TO STDOUT (FORMAT binary)"))?.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let parent = out(format!("SELECT * FROM providers WHERE id = '{provider}'"))?;
    let homes = out(format!("SELECT {HOME} FROM homes WHERE provider_id = '{provider}'"))?;
    let events = out(format!(
        "SELECT {EVENT} FROM events WHERE provider_id = '{provider}' AND aggregate = 'home' ORDER BY seq"
    ))?;
    let mut client = open(into)?;
    let mut transaction = client.transaction()?;
    copy(&mut transaction, "providers", "", &parent)?;
    transaction.commit()?;
    let began = Instant::now();
    let mut transaction = client.transaction()?;
    let homes = copy(&mut transaction, "homes", HOME, &homes)?;
    copy(&mut transaction, "events", EVENT, &events)?;
    transaction.commit()?;
    Ok(homes as f64 / began.elapsed().as_secs_f64())
}

fn copy(transaction: &mut Transaction<'_>, table: &str, columns: &str, bytes: &[u8]) -> Outcome<u64> {
    let columns = if columns.is_empty() { String::new() } else { format!(" ({columns})") };
    let mut copied = transaction.copy_in(&format!("COPY {table}{columns} FROM STDIN (FORMAT binary)"))?;
    copied.write_all(bytes)?;
    Ok(copied.finish()?)
}

//! The ceilings of writes: the statements of the server with the rows of the server, and nothing else.
//!
//! Each works on a copy of the database that is measured, so that tables and indexes are as large, and takes the rows
//! that the server wrote there before.

pub mod postgres;
pub mod sqlite;

use domain::kernel::Actor;
use persistence::{Ids, Stamp};
use uuid::Uuid;

/// The columns of an event that its writer gives.
const EVENT: &str = "id, at, kind, aggregate, aggregate_id, link, version, arrangement_id, lot_id, provider_id, \
     application_id, audience, actor, role, authority, acting_for, request, from_state, to_state, data, previous, hash, format";
/// The columns of a home.
const HOME: &str = "id, version, state, updated_at, body, provider_id, urn";
/// What a submission changes of an application, and what it is found by.
const APPLICATION: &str = "state, updated_at, body, arrangement_id, provider_id, round_id, external_ref, open, id";
/// An answer under an idempotency key.
const ANSWER: &str = "subject, key, fingerprint, answer, at";

/// The statements of a submission, `$n` being the n-th value.
fn statements(value: impl Fn(usize) -> String) -> [String; 3] {
    let values = |columns: &str| (1..=columns.split(", ").count()).map(&value).collect::<Vec<_>>().join(", ");
    let set: Vec<String> =
        APPLICATION.split(", ").take(8).enumerate().map(|(n, column)| format!("{column} = {}", value(n + 1))).collect();
    [
        format!("UPDATE applications SET {}, version = version + 1 WHERE id = {}", set.join(", "), value(9)),
        format!("INSERT INTO events ({EVENT}) VALUES ({})", values(EVENT)),
        format!("INSERT INTO answers ({ANSWER}) VALUES ({})", values(ANSWER)),
    ]
}

/// Where the identifiers of repeated rows come from: as the server's, in the order of time.
struct Mint(Stamp);

impl Mint {
    fn new() -> Self {
        Self(Stamp { now: crate::machine::now(), actor: Actor::clock(), request: None, ids: Ids::random() })
    }

    fn next(&self) -> Uuid {
        self.0.mint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_are_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("dps.db");
        persistence::migrate(&format!("sqlite:{}", file.display())).unwrap();
        let connection = rusqlite::Connection::open(file).unwrap();
        for (table, given, own) in
            [("events", EVENT, &["seq", "tx"][..]), ("homes", HOME, &[]), ("answers", ANSWER, &[])]
        {
            let mut known = connection.prepare(&format!("SELECT name FROM pragma_table_info('{table}')")).unwrap();
            let known: Vec<String> = known.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
            for column in known.iter().filter(|column| !own.contains(&column.as_str())) {
                assert!(given.split(", ").any(|name| name == column), "{table}.{column} is not written");
            }
        }
    }
}

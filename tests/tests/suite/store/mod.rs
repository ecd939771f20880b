//! The store beneath the API.

mod atomic;
mod feed;
mod leases;
mod restore;
mod schema;
mod writes;

use diesel::prelude::*;
use domain::arrangement::{Requirement, RequirementVersion};
use domain::kernel::{Actor, AuthorityCode, Role};
use persistence::record::event::{self, Cursor, Entry, Filter, Scope};
use persistence::{Db, Failure, Ids, Mode, Outcome, Settings, Stamp, Stored, Tx};

use crate::app::START;
use crate::database::{Database, Kind, postgres, sqlite};

/// An open store on a database of its own.
pub struct Store {
    pub database: Database,
    pub db: Db,
}

impl Store {
    pub fn on(kind: Kind) -> Self {
        let database = Database::new(kind);
        let settings = Settings { connections: 8, ..Settings::new(&database.url) };
        let db = Db::open(&settings).unwrap();
        Self { database, db }
    }

    /// One transaction, by nobody in particular.
    pub fn write<T: Send + 'static>(
        &self,
        mode: Mode,
        work: impl Fn(&mut Tx<'_>) -> Outcome<T> + Send + 'static,
    ) -> Outcome<T> {
        wait(self.db.write(stamp(), mode, work))
    }

    /// A requirement with that code, stored.
    pub fn define(&self, code: &'static str) -> Outcome<Stored<Requirement>> {
        self.write(Mode::Commit, move |tx| define(tx, code))
    }

    /// How many requirements have one of those codes.
    pub fn count(&self, codes: &[&str]) -> i64 {
        use persistence::arrangement::requirements;
        let filter = persistence::Filter::all().any(requirements::code, codes.iter().copied());
        wait(self.db.scan(move |c| c.count(&filter))).unwrap()
    }

    /// The feed after a place in it.
    pub fn feed(&self, after: Cursor) -> Vec<(Cursor, Entry)> {
        let filter = Filter { scope: Scope::Everything, ..Filter::default() };
        wait(self.db.scan(move |c| event::after(c, &filter, after, 1000))).unwrap()
    }

    /// Runs a statement beside the store.
    pub fn execute(&self, statement: &str) -> QueryResult<usize> {
        beside(&self.database, statement)
    }
}

/// Runs a statement on a database, on a connection of its own.
pub fn beside(database: &Database, statement: &str) -> QueryResult<usize> {
    match database.kind {
        Kind::Sqlite => {
            let mut conn = sqlite(&database.url);
            diesel::sql_query("PRAGMA busy_timeout = 10000").execute(&mut conn).unwrap();
            diesel::sql_query(statement).execute(&mut conn)
        }
        Kind::Postgres => diesel::sql_query(statement).execute(&mut postgres(&database.url)),
    }
}

/// Runs a future of the store to its end.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

pub fn stamp() -> Stamp {
    let authority = Some(AuthorityCode::try_from("LGSS".to_owned()).unwrap());
    let actor = Actor { subject: "tester".to_owned(), role: Role::LeadAgency, authority, provider: None };
    Stamp { now: START.parse().unwrap(), actor, request: None, ids: Ids::random() }
}

pub fn version(title: &str) -> RequirementVersion {
    serde_json::from_value(crate::market::manual(title)).unwrap()
}

/// Stores a requirement in an open transaction.
pub fn define(tx: &mut Tx<'_>, code: &str) -> Outcome<Stored<Requirement>> {
    let owner = tx.actor().authority.clone().ok_or(Failure::Forbidden)?;
    let decision = Requirement::define(tx.mint(), owner, code.to_owned(), version("Something"), false, tx.now())?;
    tx.create(decision)
}

/// Returns when every transaction that was open on the server has ended, so that the feed shows all written before.
pub fn settle(url: &str) {
    #[derive(QueryableByName)]
    struct Now {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        tx: i64,
    }
    #[derive(QueryableByName)]
    struct Seen {
        #[diesel(sql_type = diesel::sql_types::Bool)]
        settled: bool,
    }
    let mut conn = postgres(url);
    let now: Now = diesel::sql_query("SELECT pg_current_xact_id()::text::bigint AS tx").get_result(&mut conn).unwrap();
    let query = format!("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint > {} AS settled", now.tx);
    while !diesel::sql_query(&query).get_result::<Seen>(&mut conn).unwrap().settled {
        std::thread::yield_now();
    }
}

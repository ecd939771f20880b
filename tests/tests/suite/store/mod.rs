//! The store beneath the API.

use diesel::prelude::*;

/// Returns when every transaction that was open on the server has ended, so that the feed shows all written before.
pub fn settle(url: &str) {
    #[derive(QueryableByName)]
    struct Tx {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        tx: i64,
    }
    #[derive(QueryableByName)]
    struct Settled {
        #[diesel(sql_type = diesel::sql_types::Bool)]
        settled: bool,
    }
    let mut conn = PgConnection::establish(url).unwrap();
    let now: Tx = diesel::sql_query("SELECT pg_current_xact_id()::text::bigint AS tx").get_result(&mut conn).unwrap();
    let query = format!("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint > {} AS settled", now.tx);
    while !diesel::sql_query(&query).get_result::<Settled>(&mut conn).unwrap().settled {
        std::thread::yield_now();
    }
}

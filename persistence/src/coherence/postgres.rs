//! Coherence on PostgreSQL: the database is asked for versions, in one statement for all the responses that are asked about
//! at the time: while one statement runs, the next ones gather.

use std::collections::HashMap;
use std::sync::mpsc;
use std::time::Duration;

use diesel::r2d2::{ConnectionManager, Pool};
use diesel::{PgConnection, RunQueryDsl as _};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::{Failure, Outcome, Uid};

/// Answers that one statement asks about at most.
const GROUP: usize = 256;

/// Whether these aggregates still have these versions, and whom to tell.
struct Question {
    on: Vec<(Uuid, i64)>,
    tell: oneshot::Sender<bool>,
}

/// Asks PostgreSQL for many at once. Its thread ends when the last handle is dropped.
pub(crate) struct Asker(mpsc::Sender<Question>);

impl Asker {
    /// How long the database is waited for before an answer counts as no longer true.
    pub(crate) const WAIT: Duration = Duration::from_secs(1);

    /// Over a connection of its own, made when first needed: those of the pool may all be writing.
    pub(crate) fn open(pool: r2d2::Builder<ConnectionManager<PgConnection>>, url: &str) -> Outcome<Self> {
        let pool = pool.max_size(1).min_idle(Some(0)).connection_timeout(Self::WAIT);
        let pool = pool.build_unchecked(ConnectionManager::new(url));
        let (questions, asked) = mpsc::channel();
        std::thread::Builder::new()
            .name("postgres-asker".to_owned())
            .spawn(move || {
                while let Ok(first) = asked.recv() {
                    let questions: Vec<_> = std::iter::once(first).chain(asked.try_iter().take(GROUP - 1)).collect();
                    answer(&pool, questions);
                }
            })
            .map_err(|error| Failure::Unavailable(error.to_string()))?;
        Ok(Self(questions))
    }

    /// Whether all have these versions still. Where that is not to be known, or not soon, they do not.
    pub(crate) async fn is_still(&self, on: &[(Uuid, i64)]) -> bool {
        let (tell, told) = oneshot::channel();
        let asked = self.0.send(Question { on: on.to_vec(), tell }).is_ok();
        asked && matches!(tokio::time::timeout(Self::WAIT, told).await, Ok(Ok(true)))
    }
}

fn answer(pool: &Pool<ConnectionManager<PgConnection>>, mut questions: Vec<Question>) {
    // While a statement stalled, those who waited for the next one went away.
    questions.retain(|question| !question.tell.is_closed());
    if questions.is_empty() {
        return;
    }
    let mut ids: Vec<Uid> = questions.iter().flat_map(|question| &question.on).map(|(id, _)| Uid(*id)).collect();
    ids.sort_unstable();
    ids.dedup();
    let now = versions(pool, ids).unwrap_or_else(|error| {
        tracing::warn!(%error, "what is kept cannot be told from what was changed");
        HashMap::new()
    });
    for Question { on, tell } in questions {
        if tell.send(on.iter().all(|(id, version)| now.get(id) == Some(version))).is_err() {
            tracing::trace!("whoever asked went away");
        }
    }
}

fn versions(pool: &Pool<ConnectionManager<PgConnection>>, ids: Vec<Uid>) -> Outcome<HashMap<Uuid, i64>> {
    let found: Vec<(Uid, i64)> = newest::Versions(ids).load(&mut *pool.get()?)?;
    Ok(found.into_iter().map(|(id, version)| (id.0, version)).collect())
}

/// The statement: it is no query of one table, since the planner would go through whole chains for the ends of them.
mod newest {
    use diesel::PgConnection;
    use diesel::pg::Pg;
    use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
    use diesel::sql_types::{Array, BigInt};

    use crate::Uid;
    use crate::types::sql;

    /// The version in the last event of each of these aggregates.
    #[derive(QueryId)]
    pub(super) struct Versions(pub(super) Vec<Uid>);

    impl QueryFragment<Pg> for Versions {
        fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> diesel::QueryResult<()> {
            out.push_sql("SELECT asked.id, last.version FROM unnest(");
            out.push_bind_param::<Array<sql::Uid>, _>(&self.0)?;
            out.push_sql(
                "::uuid[]) AS asked(id) CROSS JOIN LATERAL (SELECT version FROM events WHERE aggregate_id = asked.id \
                 ORDER BY link DESC LIMIT 1) AS last",
            );
            Ok(())
        }
    }

    impl Query for Versions {
        type SqlType = (sql::Uid, BigInt);
    }

    impl diesel::RunQueryDsl<PgConnection> for Versions {}
}

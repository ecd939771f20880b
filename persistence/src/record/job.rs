//! The history of the jobs: what was run, when, for how long, and what came of it (CRD-08).

use diesel::prelude::*;
use domain::kernel::Instant;
use uuid::Uuid;

use crate::{Conn, Moment, Outcome, Tx, Uid};

mod schema {
    diesel::table! {
        use diesel::sql_types::*;
        use crate::types::sql::{Moment, Uid};

        job_runs (id) {
            id -> Uid,
            job -> Text,
            at -> Moment,
            duration_ms -> BigInt,
            made -> BigInt,
            failed -> BigInt,
        }
    }
}
use schema::job_runs;

/// One run of a job.
#[derive(Clone, PartialEq, Eq, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = job_runs)]
pub struct JobRun {
    /// Identifier, in the order in which runs ended.
    pub id: Uid,
    /// Which job.
    pub job: String,
    /// When it began.
    pub at: Moment,
    /// Milliseconds that it took.
    pub duration_ms: i64,
    /// How many things were done.
    pub made: i64,
    /// How many failed.
    pub failed: i64,
}

/// Keeps a run.
///
/// # Errors
/// Where the store fails.
pub fn keep(tx: &mut Tx<'_>, run: &JobRun) -> Outcome<()> {
    run!(tx, diesel::insert_into(job_runs::table).values(run))?;
    Ok(())
}

/// Runs of a job before one of them, newest first.
///
/// # Errors
/// Where the store fails.
pub fn runs(conn: &mut Conn<'_>, job: &str, before: Option<Uuid>, limit: i64) -> Outcome<Vec<JobRun>> {
    Ok(on!(conn, c => {
        let mut query = job_runs::table.filter(job_runs::job.eq(job)).into_boxed();
        if let Some(before) = before {
            query = query.filter(job_runs::id.lt(Uid(before)));
        }
        query.order(job_runs::id.desc()).limit(limit).select(JobRun::as_select()).load(c)
    })?)
}

/// Forgets runs older than `before`.
///
/// # Errors
/// Where the store fails.
pub fn forget(tx: &mut Tx<'_>, before: Instant) -> Outcome<usize> {
    let old = job_runs::table.filter(job_runs::at.lt(Moment(before)));
    Ok(run!(tx, diesel::delete(old))?)
}

/// How many runs are older than `before`.
///
/// # Errors
/// Where the store fails.
pub fn old(conn: &mut Conn<'_>, before: Instant) -> Outcome<i64> {
    let old = job_runs::table.filter(job_runs::at.lt(Moment(before))).count();
    Ok(on!(conn, c => old.get_result(c))?)
}

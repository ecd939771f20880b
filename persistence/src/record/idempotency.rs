//! Answers given under an idempotency key, kept in the transaction of the write they answer.

use diesel::prelude::*;
use domain::kernel::{Actor, Instant};

use crate::{Conn, Moment, Outcome, Tx};

mod schema {
    diesel::table! {
        use diesel::sql_types::*;
        use crate::types::sql::Moment;

        answers (subject, key) {
            subject -> Text,
            key -> Text,
            fingerprint -> Binary,
            answer -> Text,
            at -> Moment,
        }
    }
}
use schema::answers;

/// The answer given to the caller under `key`, with the fingerprint of its request.
///
/// # Errors
/// Where the store fails.
pub fn find(tx: &mut Tx<'_>, key: &str) -> Outcome<Option<(Vec<u8>, String)>> {
    let account = account(tx.actor());
    // A retry that meets its first attempt waits for it, and is answered as it was.
    tx.take_turn(&format!("{account} {key}"))?;
    let query = answers::table.find((account, key)).select((answers::fingerprint, answers::answer));
    Ok(on!(&mut **tx, c => query.first(c)).optional()?)
}

/// Keeps an answer.
///
/// # Errors
/// [`crate::Failure::Again`] where the same key is being answered by another transaction.
pub fn keep(tx: &mut Tx<'_>, key: &str, fingerprint: &[u8], answer: &str) -> Outcome<()> {
    let row = (
        answers::subject.eq(account(tx.actor())),
        answers::key.eq(key),
        answers::fingerprint.eq(fingerprint),
        answers::answer.eq(answer),
        answers::at.eq(Moment(tx.now())),
    );
    let kept = run!(tx, diesel::insert_into(answers::table).values(row).on_conflict_do_nothing())?;
    if kept == 1 { Ok(()) } else { Err(crate::Failure::Again("the same key".to_owned())) }
}

/// Forgets answers older than `before`.
///
/// # Errors
/// Where the store fails.
pub fn forget(tx: &mut Tx<'_>, before: Instant) -> Outcome<usize> {
    let old = answers::table.filter(answers::at.lt(Moment(before)));
    Ok(run!(tx, diesel::delete(old))?)
}

/// How many answers are older than `before`.
///
/// # Errors
/// Where the store fails.
pub fn old(conn: &mut Conn<'_>, before: Instant) -> Outcome<i64> {
    let old = answers::table.filter(answers::at.lt(Moment(before))).count();
    Ok(on!(conn, c => old.get_result(c))?)
}

/// Whose key it is: the same subject in another role or for another authority or provider is another account.
#[must_use]
pub fn account(actor: &Actor) -> String {
    let authority = actor.authority.as_ref().map(ToString::to_string).unwrap_or_default();
    let provider = actor.provider.map(|provider| provider.to_string()).unwrap_or_default();
    format!("{} {authority} {provider} {}", actor.role.name(), actor.subject)
}

//! Checkpoints: each seals the events of the feed since the one before it, so that nothing sealed can be altered,
//! removed, added or moved unnoticed by whoever keeps the last digest elsewhere.

use diesel::prelude::*;
use sha2::{Digest, Sha256};

use super::event::{self, Cursor};
use crate::{Conn, Moment, Outcome, Tx};

mod schema {
    diesel::table! {
        use diesel::sql_types::*;
        use crate::types::sql::Moment;

        checkpoints (number) {
            number -> BigInt,
            tx -> BigInt,
            seq -> BigInt,
            events -> BigInt,
            digest -> Binary,
            sealed_at -> Moment,
        }
    }
}
use schema::checkpoints;

/// Events that one checkpoint seals at most.
pub const MOST: i64 = 10_000;

/// A seal of the feed.
#[derive(Clone, PartialEq, Eq, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = checkpoints)]
pub struct Checkpoint {
    /// Counted from 1, without gaps.
    pub number: i64,
    /// The transaction of the last event sealed.
    pub tx: i64,
    /// The sequence of the last event sealed.
    pub seq: i64,
    /// How many events it seals.
    pub events: i64,
    /// SHA-256 over the digest of the checkpoint before it, if any, and the hashes of its events in the feed's order.
    pub digest: Vec<u8>,
    /// When it was made.
    pub sealed_at: Moment,
}

impl Checkpoint {
    /// The place of the last event sealed.
    #[must_use]
    pub fn place(&self) -> Cursor {
        Cursor { tx: self.tx, seq: self.seq }
    }

    /// Whether it seals as much as one may: there may be more to seal at once.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.events >= MOST
    }
}

/// The last checkpoint.
///
/// # Errors
/// Where the store fails.
pub fn last(conn: &mut Conn<'_>) -> Outcome<Option<Checkpoint>> {
    let query = checkpoints::table.order(checkpoints::number.desc());
    Ok(on!(conn, c => query.select(Checkpoint::as_select()).first(c)).optional()?)
}

/// Checkpoints after a number, oldest first.
///
/// # Errors
/// Where the store fails.
pub fn after(conn: &mut Conn<'_>, number: i64, limit: i64) -> Outcome<Vec<Checkpoint>> {
    let query = checkpoints::table.filter(checkpoints::number.gt(number)).order(checkpoints::number.asc()).limit(limit);
    Ok(on!(conn, c => query.select(Checkpoint::as_select()).load(c))?)
}

/// Whether there are settled events that no checkpoint seals yet.
///
/// # Errors
/// Where the store fails.
pub fn is_due(conn: &mut Conn<'_>) -> Outcome<bool> {
    let sealed = last(conn)?.map_or_else(Cursor::default, |last| last.place());
    Ok(event::end(conn)? > sealed)
}

/// Seals the settled events since the last checkpoint, [`MOST`] at most. `Ok(None)` where there are none, or where
/// another server sealed them meanwhile.
///
/// # Errors
/// Where the store fails.
pub fn seal(tx: &mut Tx<'_>) -> Outcome<Option<Checkpoint>> {
    let before = last(tx)?;
    let after = before.as_ref().map_or_else(Cursor::default, Checkpoint::place);
    let sealed = event::hashes(tx, after, Cursor::END, MOST)?;
    let Some((end, _)) = sealed.last() else { return Ok(None) };
    let mut sha = begin(before.as_ref());
    for (_, hash) in &sealed {
        sha.update(hash);
    }
    let checkpoint = Checkpoint {
        number: before.map_or(1, |before| before.number + 1),
        tx: end.tx,
        seq: end.seq,
        events: i64::try_from(sealed.len()).unwrap_or(MOST),
        digest: sha.finalize().to_vec(),
        sealed_at: Moment(tx.now()),
    };
    // The number is the key: of two servers that seal at once one stores its checkpoint and the other finds it there.
    let stored = run!(tx, diesel::insert_into(checkpoints::table).values(&checkpoint).on_conflict_do_nothing())?;
    Ok((stored == 1).then_some(checkpoint))
}

/// The digest of the checkpoint that follows `before`, still without its events.
pub(super) fn begin(before: Option<&Checkpoint>) -> Sha256 {
    let mut sha = Sha256::new();
    if let Some(before) = before {
        sha.update(&before.digest);
    }
    sha
}

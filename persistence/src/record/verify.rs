//! Proves the record: recomputes the chain of every aggregate and every checkpoint, in memory that does not grow with
//! the store, and names each place at which something is wrong.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use domain::kernel::Kind;
use serde::Serialize;
use sha2::Digest;
use uuid::Uuid;

use super::checkpoint::{self, Checkpoint};
use super::event::{self, Cursor, Entry, events};
use crate::aggregate::{Which, versions};
use crate::{Conn, Outcome, Uid, table_of};

#[cfg(test)]
mod tests;

/// Rows read at a time.
const PAGE: i64 = 1_000;
/// Findings that are listed; more are counted only.
const LISTED: usize = 1_000;

/// What the verifier found.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// Chains that were recomputed.
    pub chains: u64,
    /// Events in them.
    pub events: u64,
    /// Checkpoints that were recomputed.
    pub checkpoints: u64,
    /// Events that they seal.
    pub sealed: u64,
    /// SHA-256 over the hashes of all events, by aggregate and link: two records with the same one are the same.
    pub digest: String,
    /// The number of the last checkpoint and its digest: to be compared with the one that was kept elsewhere.
    pub last_checkpoint: Option<(i64, String)>,
    /// Everything that is wrong, up to a thousand findings.
    pub findings: Vec<Finding>,
    /// Findings beyond those that are listed.
    pub unlisted: u64,
}

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// What.
    pub fault: Fault,
}

/// A place in the record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub enum Place {
    /// A link of an aggregate's chain.
    Link {
        /// The kind of aggregate.
        kind: String,
        /// Which one.
        aggregate: Uuid,
        /// The link; 0 where the chain has none.
        link: i64,
    },
    /// A checkpoint.
    Checkpoint {
        /// Its number.
        checkpoint: i64,
    },
}

/// What is wrong at a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Fault {
    /// The event's hash is not that of its content: it was altered or moved.
    Altered,
    /// The event does not carry the hash of the event before it: one of the two was replaced or moved.
    Unlinked,
    /// The links before this one, down to `from`, are missing.
    Missing {
        /// The first missing link.
        from: i64,
    },
    /// The aggregate is at a later version than its last event: the newest events are missing.
    HeadMissing {
        /// The aggregate's version.
        aggregate: i64,
        /// The version of its last event.
        recorded: i64,
    },
    /// The aggregate is at an earlier version than its last event: the event is forged or the aggregate was put back.
    Ahead {
        /// The aggregate's version.
        aggregate: i64,
        /// The version of its last event.
        recorded: i64,
    },
    /// The aggregate has no event at all.
    Unrecorded,
    /// The events are there and the aggregate is not.
    Gone,
    /// The event is of a format that is not known: of a later version, or it was altered.
    UnknownFormat,
    /// No store of this kind of aggregate is known.
    UnknownKind,
    /// The checkpoints before this one, down to `from`, are missing.
    CheckpointMissing {
        /// The first missing number.
        from: i64,
    },
    /// The events that it seals are not as many as there were.
    Count {
        /// How many were sealed.
        sealed: i64,
        /// How many there are.
        found: i64,
    },
    /// The events that it seals, or their order, are not what was sealed.
    Seal,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.place {
            Place::Link { kind, aggregate, link: 0 } => write!(f, "{kind} {aggregate}: ")?,
            Place::Link { kind, aggregate, link } => write!(f, "{kind} {aggregate}, event {link}: ")?,
            Place::Checkpoint { checkpoint } => write!(f, "checkpoint {checkpoint}: ")?,
        }
        match self.fault {
            Fault::Altered => f.write_str("it was altered or moved"),
            Fault::Unlinked => f.write_str("it does not follow the event before it"),
            Fault::Missing { from } => write!(f, "what came before it is missing, from event {from} on"),
            Fault::HeadMissing { aggregate, recorded } => {
                write!(f, "the newest events are missing: recorded to version {recorded} of {aggregate}")
            }
            Fault::Ahead { aggregate, recorded } => {
                write!(f, "version {recorded} is recorded, and it is at version {aggregate}")
            }
            Fault::Unrecorded => f.write_str("none of its events is there"),
            Fault::Gone => f.write_str("its events are there and it is not"),
            Fault::UnknownFormat => f.write_str("its format is not known"),
            Fault::UnknownKind => f.write_str("this kind is not known"),
            Fault::CheckpointMissing { from } => write!(f, "checkpoints are missing before it, from {from} on"),
            Fault::Count { sealed, found } => write!(f, "{sealed} events were sealed and {found} are there"),
            Fault::Seal => f.write_str("what was sealed is not what is there, or not in this order"),
        }
    }
}

impl Account {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        self.findings.is_empty()
    }

    fn add(&mut self, place: Place, fault: Fault) {
        if self.findings.len() < LISTED {
            self.findings.push(Finding { place, fault });
        } else {
            self.unlisted += 1;
        }
    }
}

/// Verifies the whole record. Run it on one snapshot ([`crate::Db::scan`]), so that nothing moves meanwhile.
///
/// # Errors
/// Where the store fails.
pub fn verify(conn: &mut Conn<'_>) -> Outcome<Account> {
    verify_telling(conn, &mut |_| {})
}

/// How many events there are to verify.
///
/// # Errors
/// Where the store fails.
pub fn size(conn: &mut Conn<'_>) -> Outcome<u64> {
    let count = on!(conn, c => events::table.count().get_result::<i64>(c))?;
    Ok(u64::try_from(count).unwrap_or_default())
}

/// As [`verify`], telling now and then how many events were read.
///
/// # Errors
/// Where the store fails.
pub fn verify_telling(conn: &mut Conn<'_>, tell: &mut dyn FnMut(u64)) -> Outcome<Account> {
    let mut account = Account::default();
    chains(conn, &mut account, tell)?;
    for kind in Kind::ALL {
        unrecorded(conn, *kind, &mut account)?;
    }
    checkpoints(conn, &mut account)?;
    Ok(account)
}

/// The last event of a chain as far as it was read.
struct Head {
    kind: String,
    id: Uid,
    link: i64,
    version: i64,
    hash: Vec<u8>,
}

impl Head {
    fn place(&self) -> Place {
        Place::Link { kind: self.kind.clone(), aggregate: self.id.0, link: self.link }
    }
}

fn chains(conn: &mut Conn<'_>, account: &mut Account, tell: &mut dyn FnMut(u64)) -> Outcome<()> {
    let mut sha = sha2::Sha256::new();
    let mut ended: Vec<Head> = Vec::new();
    let mut head: Option<Head> = None;
    loop {
        let page = entries(conn, head.as_ref())?;
        let done = page.is_empty();
        for entry in page {
            if let Some(last) = head.take_if(|head| head.id != entry.aggregate_id) {
                ended.push(last);
            }
            account.events += 1;
            sha.update(&entry.hash);
            account.chains += u64::from(head.is_none());
            head = Some(follow(head.as_ref(), entry, account));
        }
        if done {
            ended.extend(head.take());
        }
        compare(conn, &std::mem::take(&mut ended), account)?;
        tell(account.events);
        if done {
            account.digest = super::hex(&sha.finalize());
            return Ok(());
        }
    }
}

fn entries(conn: &mut Conn<'_>, after: Option<&Head>) -> Outcome<Vec<Entry>> {
    use crate::types::sql::Uid as SqlUid;
    use diesel::sql_types::{BigInt, Bool};
    macro_rules! query {
        () => {{
            let mut query = events::table.into_boxed();
            if let Some(head) = after {
                query = query.filter(
                    diesel::dsl::sql::<Bool>("(aggregate_id, link) > (")
                        .bind::<SqlUid, _>(head.id)
                        .sql(", ")
                        .bind::<BigInt, _>(head.link)
                        .sql(")"),
                );
            }
            query.order((events::aggregate_id.asc(), events::link.asc())).limit(PAGE).select(Entry::as_select())
        }};
    }
    Ok(on!(conn, c => query!().load(c))?)
}

/// Checks an event against the one before it in its chain.
fn follow(head: Option<&Head>, entry: Entry, account: &mut Account) -> Head {
    let place = || Place::Link { kind: entry.aggregate.clone(), aggregate: entry.aggregate_id.0, link: entry.link };
    let expected = head.map_or(1, |head| head.link + 1);
    if entry.link != expected {
        account.add(place(), Fault::Missing { from: expected });
    } else if entry.previous.as_ref() != head.map(|head| &head.hash) {
        account.add(place(), Fault::Unlinked);
    }
    if !(1..=event::FORMAT).contains(&entry.format) {
        account.add(place(), Fault::UnknownFormat);
    } else if entry.hash != entry.digest() {
        account.add(place(), Fault::Altered);
    }
    let Entry { aggregate: kind, aggregate_id: id, link, version, hash, .. } = entry;
    Head { kind, id, link, version, hash }
}

/// Compares the ends of chains with the versions of their aggregates.
fn compare(conn: &mut Conn<'_>, ended: &[Head], account: &mut Account) -> Outcome<()> {
    let mut by_kind: BTreeMap<&str, Vec<&Head>> = BTreeMap::new();
    for head in ended {
        by_kind.entry(&head.kind).or_default().push(head);
    }
    for (kind, heads) in by_kind {
        let Some(known) = Kind::ALL.iter().find(|known| known.name() == kind) else {
            for head in heads {
                account.add(head.place(), Fault::UnknownKind);
            }
            continue;
        };
        let ids: Vec<Uid> = heads.iter().map(|head| head.id).collect();
        let versions: BTreeMap<Uid, i64> = versions(conn, table_of(*known), Which::These(&ids))?.into_iter().collect();
        for head in heads {
            let recorded = head.version;
            match versions.get(&head.id) {
                None => account.add(head.place(), Fault::Gone),
                Some(&aggregate) if aggregate > recorded => {
                    account.add(head.place(), Fault::HeadMissing { aggregate, recorded });
                }
                Some(&aggregate) if aggregate < recorded => {
                    account.add(head.place(), Fault::Ahead { aggregate, recorded });
                }
                Some(_) => {}
            }
        }
    }
    Ok(())
}

/// Finds aggregates without any event.
fn unrecorded(conn: &mut Conn<'_>, kind: Kind, account: &mut Account) -> Outcome<()> {
    let mut after = None;
    loop {
        let rows = versions(conn, table_of(kind), Which::After(after, PAGE))?;
        let ids: Vec<Uid> = rows.into_iter().map(|(id, _)| id).collect();
        let Some(last) = ids.last() else { return Ok(()) };
        after = Some(*last);
        let query =
            events::table.filter(events::aggregate_id.eq_any(ids.clone())).select(events::aggregate_id).distinct();
        let recorded: BTreeSet<Uid> = on!(conn, c => query.load::<Uid>(c))?.into_iter().collect();
        for id in ids.iter().filter(|id| !recorded.contains(id)) {
            let place = Place::Link { kind: kind.name().to_owned(), aggregate: id.0, link: 0 };
            account.add(place, Fault::Unrecorded);
        }
    }
}

fn checkpoints(conn: &mut Conn<'_>, account: &mut Account) -> Outcome<()> {
    let mut before: Option<Checkpoint> = None;
    loop {
        let number = before.as_ref().map_or(i64::MIN, |before| before.number);
        let page = checkpoint::after(conn, number, PAGE)?;
        if page.is_empty() {
            account.last_checkpoint = before.map(|last| (last.number, super::hex(&last.digest)));
            return Ok(());
        }
        for next in page {
            reseal(conn, before.as_ref(), &next, account)?;
            before = Some(next);
        }
    }
}

fn reseal(conn: &mut Conn<'_>, before: Option<&Checkpoint>, next: &Checkpoint, account: &mut Account) -> Outcome<()> {
    let place = || Place::Checkpoint { checkpoint: next.number };
    account.checkpoints += 1;
    let expected = before.map_or(1, |before| before.number + 1);
    if next.number != expected {
        account.add(place(), Fault::CheckpointMissing { from: expected });
        return Ok(());
    }
    let (mut sha, mut found) = (checkpoint::begin(before), 0);
    let mut at = before.map_or_else(Cursor::default, Checkpoint::place);
    loop {
        let page = event::hashes(conn, at, next.place(), PAGE)?;
        let Some((last, _)) = page.last() else { break };
        at = *last;
        for (_, hash) in &page {
            sha.update(hash);
            found += 1;
        }
    }
    account.sealed += u64::try_from(found).unwrap_or_default();
    if found != next.events {
        account.add(place(), Fault::Count { sealed: next.events, found });
    } else if sha.finalize().as_slice() != next.digest || at != next.place() {
        account.add(place(), Fault::Seal);
    }
    Ok(())
}

//! Tampering, and what the verifier says of it: on SQLite, and on PostgreSQL where `TEST_POSTGRES_URL` names one.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};
use domain::arrangement::{Requirement, RequirementVersion};
use domain::kernel::{About, Actor, Aggregate, AuthorityCode, Instant};
use serde_json::json;

use super::*;
use crate::record::event::Note;
use crate::{Db, Ids, Mode, Settings, Stamp, Stored, migrate};

struct Store {
    url: String,
    db: Db,
    runtime: tokio::runtime::Runtime,
}

/// A new store on each database.
fn stores() -> Vec<Store> {
    let name = Uuid::now_v7().simple().to_string();
    let mut urls = vec![format!("sqlite:{}", std::env::temp_dir().join(format!("dps-{name}.db")).display())];
    if let Ok(server) = std::env::var("TEST_POSTGRES_URL") {
        let mut conn = PgConnection::establish(&server).unwrap();
        conn.batch_execute(&format!("CREATE DATABASE verify_{name}")).unwrap();
        urls.push(format!("{}/verify_{name}", server.rsplit_once('/').unwrap().0));
    }
    let open = |url: String| {
        migrate(&url).unwrap();
        let db = Db::open(&Settings { connections: 2, ..Settings::new(&url) }).unwrap();
        Store { url, db, runtime: tokio::runtime::Builder::new_current_thread().build().unwrap() }
    };
    urls.into_iter().map(open).collect()
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Some(path) = self.url.strip_prefix("sqlite:") {
            for end in ["", "-wal", "-shm"] {
                drop(std::fs::remove_file(format!("{path}{end}")));
            }
        }
    }
}

impl Store {
    fn write<T: Send + 'static>(&self, work: impl Fn(&mut crate::Tx<'_>) -> Outcome<T> + Send + 'static) -> T {
        let stamp = Stamp { now: Instant::from_micros(1), actor: Actor::clock(), request: None, ids: Ids::random() };
        self.runtime.block_on(self.db.write(stamp, Mode::Commit, work)).unwrap()
    }

    fn verify(&self) -> Account {
        self.runtime.block_on(self.db.scan(verify)).unwrap()
    }

    /// An aggregate with four events.
    fn requirement(&self, code: &'static str) -> Uuid {
        self.write(move |tx| {
            let owner = AuthorityCode::try_from("LGSS".to_owned()).unwrap();
            let new = Requirement::define(tx.mint(), owner, code.to_owned(), version(0), false, tx.now())?;
            let mut stored: Stored<Requirement> = tx.create(new)?;
            for n in 1..4 {
                stored = tx.save(&stored, stored.value.clone().add_version(version(n))?)?;
            }
            Ok(stored.value.id().into())
        })
    }

    /// Seals all there is, once it is settled: transactions of the tests beside this one are of the same server.
    fn seal(&self) -> Option<Checkpoint> {
        self.settle();
        self.write(checkpoint::seal)
    }

    fn settle(&self) {
        let unsettled = |c: &mut Conn<'_>| {
            let all: i64 = on!(c, c => events::table.count().get_result(c))?;
            Ok(event::end(c)?.seq < all)
        };
        while self.runtime.block_on(self.db.scan(unsettled)).unwrap() {
            // Another test's transaction is open: it ends by itself.
            std::thread::yield_now();
        }
    }

    /// Changes the store behind the program's back.
    fn tamper(&self, statements: &str) {
        if let Some(path) = self.url.strip_prefix("sqlite:") {
            let mut conn = SqliteConnection::establish(path).unwrap();
            conn.batch_execute("PRAGMA busy_timeout = 5000; DROP TRIGGER events_are_kept; DROP TRIGGER events_are_fixed; DROP TRIGGER checkpoints_are_kept; DROP TRIGGER checkpoints_are_fixed").unwrap();
            conn.batch_execute(statements).unwrap();
        } else {
            let mut conn = PgConnection::establish(&self.url).unwrap();
            conn.batch_execute(
                "DROP TRIGGER events_are_kept ON events; DROP TRIGGER checkpoints_are_kept ON checkpoints",
            )
            .unwrap();
            conn.batch_execute(statements).unwrap();
        }
    }
}

fn version(n: u32) -> RequirementVersion {
    serde_json::from_value(json!({
        "title": format!("Safeguarding {n}"), "test": {"kind": "no_exclusion"}, "gate": "membership", "mandatory": true,
        "selfAssessable": false, "evidence": [], "validityMonths": null, "questions": [],
    }))
    .unwrap()
}

/// A finding by its link, or by its checkpoint's number below zero.
fn place(finding: &Finding) -> (i64, Fault) {
    match finding.place {
        Place::Link { link, .. } => (link, finding.fault),
        Place::Checkpoint { checkpoint } => (-checkpoint, finding.fault),
    }
}

/// What is found after tampering with the second of two requirements, both sealed.
fn found(statements: &str) -> Vec<Vec<(i64, Fault)>> {
    stores()
        .iter()
        .map(|store| {
            store.requirement("one");
            store.requirement("two");
            store.seal().unwrap();
            store.tamper(statements);
            let account = store.verify();
            assert_eq!((account.chains, account.checkpoints), (2, 1));
            account.findings.iter().map(place).collect()
        })
        .collect()
}

/// The same on every database.
#[track_caller]
fn finds(statements: &str, expected: &[(i64, Fault)]) {
    for found in found(statements) {
        assert_eq!(found, expected, "{statements}");
    }
}

/// The rows of the second requirement.
const TWO: &str = "aggregate_id = (SELECT id FROM requirements WHERE code = 'two')";

#[test]
fn what_nobody_touched_is_intact_and_sealed_once() {
    for store in stores() {
        assert_eq!(store.seal(), None, "there is nothing to seal");
        store.requirement("one");
        let first = store.seal().unwrap();
        assert_eq!((first.number, first.events, store.seal()), (1, 4, None));
        store.requirement("two");
        assert_eq!(store.seal().map(|c| (c.number, c.events)), Some((2, 4)));
        store.requirement("three");
        let account = store.verify();
        assert_eq!((account.chains, account.events, account.checkpoints, account.sealed), (3, 12, 2, 8));
        assert!(account.is_intact(), "{:?}", account.findings);
    }
}

#[test]
fn the_log_and_its_seals_refuse_changes() {
    for store in stores() {
        store.requirement("one");
        store.seal().unwrap();
        for change in [
            "DELETE FROM events",
            "UPDATE events SET actor = 'x'",
            "DELETE FROM checkpoints",
            "UPDATE checkpoints SET events = 0",
        ] {
            let refused = match store.url.strip_prefix("sqlite:") {
                Some(path) => SqliteConnection::establish(path).unwrap().batch_execute(change),
                None => PgConnection::establish(&store.url).unwrap().batch_execute(change),
            };
            assert!(refused.unwrap_err().to_string().contains("append-only"), "{change}");
        }
    }
}

#[test]
fn an_altered_event_is_named() {
    for field in ["data = '{}'", "actor = 'somebody'", "request = ''", "to_state = 'x'", "lot_id = id"] {
        finds(&format!("UPDATE events SET {field} WHERE link = 2 AND {TWO}"), &[(2, Fault::Altered)]);
    }
}

#[test]
fn an_event_altered_with_its_hash_no_longer_fits_the_next_one_nor_the_seal() {
    finds(
        &format!("UPDATE events SET hash = previous WHERE link = 2 AND {TWO}"),
        &[(2, Fault::Altered), (3, Fault::Unlinked), (-1, Fault::Seal)],
    );
}

#[test]
fn a_missing_link_is_named() {
    finds(
        &format!("DELETE FROM events WHERE link = 2 AND {TWO}"),
        &[(3, Fault::Missing { from: 2 }), (-1, Fault::Count { sealed: 8, found: 7 })],
    );
}

#[test]
fn a_cut_chain_is_named() {
    let count = |found| (-1, Fault::Count { sealed: 8, found });
    finds(
        &format!("DELETE FROM events WHERE link > 2 AND {TWO}"),
        &[(2, Fault::HeadMissing { aggregate: 4, recorded: 2 }), count(6)],
    );
    finds(&format!("DELETE FROM events WHERE link = 1 AND {TWO}"), &[(2, Fault::Missing { from: 1 }), count(7)]);
}

#[test]
fn a_chain_that_is_gone_or_whose_aggregate_is_gone_is_named() {
    for store in stores() {
        let (one, two) = (store.requirement("one"), store.requirement("two"));
        store.tamper("DELETE FROM events WHERE aggregate_id = (SELECT id FROM requirements WHERE code = 'one'); DELETE FROM requirements WHERE code = 'two'");
        let place = |aggregate, link| Place::Link { kind: "requirement".to_owned(), aggregate, link };
        let expected = [
            Finding { place: place(two, 4), fault: Fault::Gone },
            Finding { place: place(one, 0), fault: Fault::Unrecorded },
        ];
        assert_eq!(store.verify().findings, expected);
    }
}

#[test]
fn reordered_links_are_named() {
    finds(
        &format!(
            "UPDATE events SET link = -link WHERE link IN (2, 3) AND {TWO}; UPDATE events SET link = 5 + link WHERE link < 0 AND {TWO}"
        ),
        &[(2, Fault::Unlinked), (2, Fault::Altered), (3, Fault::Unlinked), (3, Fault::Altered), (4, Fault::Unlinked)],
    );
}

#[test]
fn moving_events_within_the_feed_breaks_the_seal() {
    // The identity of PostgreSQL may not be written; the transaction may. On SQLite the sequence alone is the place.
    for store in stores() {
        store.requirement("one");
        store.requirement("two");
        store.seal().unwrap();
        let place = if store.url.starts_with("sqlite:") { "seq" } else { "tx" };
        store.tamper(&format!("UPDATE events SET {place} = {place} - 1000000 WHERE link = 1 AND {TWO}"));
        let faults: Vec<Fault> = store.verify().findings.iter().map(|finding| finding.fault).collect();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(matches!(faults.first(), Some(Fault::Count { .. } | Fault::Seal)), "{faults:?}");
    }
}

#[test]
fn a_forged_event_that_continues_the_chain_is_ahead_of_its_aggregate() {
    for store in stores() {
        let id = store.requirement("one");
        store.write(move |tx| {
            let note = Note {
                kind: Kind::Requirement,
                id,
                version: 5,
                about: About::default(),
                audience: domain::kernel::Audience::Parties,
                from: Some("defined"),
                to: "defined",
            };
            event::append(tx, &note, &json!({"type": "RequirementVersioned"}))
        });
        let account = store.verify();
        let place = Place::Link { kind: "requirement".to_owned(), aggregate: id, link: 5 };
        assert_eq!(account.findings, [Finding { place, fault: Fault::Ahead { aggregate: 4, recorded: 5 } }]);
        assert!(account.findings.first().unwrap().to_string().contains("event 5: version 5 is recorded"));
    }
}

#[test]
fn an_event_that_was_put_in_between_is_named() {
    // With the hash that the chain expects of the one after it, or with one of its own.
    let columns = "id, at, format, kind, aggregate, aggregate_id, version, audience, actor, role, to_state, data";
    let insert = |id: &str, previous: &str| {
        format!(
            "UPDATE events SET link = -link - 1 WHERE link > 2 AND {TWO}; UPDATE events SET link = -link WHERE link < 0 AND {TWO}; \
             INSERT INTO events ({columns}, link, previous, hash) SELECT {id}, at, format, kind, aggregate, aggregate_id, version, \
             audience, 'nobody', role, to_state, data, 3, {previous}, hash FROM events WHERE link = 2 AND {TWO}"
        )
    };
    for (previous, unlinked) in [("hash", false), ("previous", true)] {
        for store in stores() {
            let id = if store.url.starts_with("sqlite:") { "randomblob(16)" } else { "gen_random_uuid()" };
            store.requirement("one");
            store.requirement("two");
            store.seal().unwrap();
            store.tamper(&insert(id, previous));
            let found: Vec<(i64, Fault)> = store.verify().findings.iter().map(place).collect();
            assert!([3, 4, 5].iter().all(|link| found.contains(&(*link, Fault::Altered))), "{found:?}");
            assert_eq!(found.contains(&(3, Fault::Unlinked)), unlinked, "{found:?}");
        }
    }
}

#[test]
fn an_aggregate_that_was_put_back_is_named() {
    finds("UPDATE requirements SET version = 2 WHERE code = 'two'", &[(4, Fault::Ahead { aggregate: 2, recorded: 4 })]);
    // With its newest events, the seal tells; before they are sealed, only a later copy of the feed can.
    finds(
        &format!("UPDATE requirements SET version = 2 WHERE code = 'two'; DELETE FROM events WHERE link > 2 AND {TWO}"),
        &[(-1, Fault::Count { sealed: 8, found: 6 })],
    );
}

#[test]
fn an_altered_checkpoint_is_named() {
    finds("UPDATE checkpoints SET events = 7", &[(-1, Fault::Count { sealed: 7, found: 8 })]);
    finds("UPDATE checkpoints SET digest = (SELECT hash FROM events WHERE link = 1 LIMIT 1)", &[(-1, Fault::Seal)]);
    finds("UPDATE checkpoints SET seq = seq - 1", &[(-1, Fault::Count { sealed: 8, found: 7 })]);
    finds("UPDATE checkpoints SET number = 2", &[(-2, Fault::CheckpointMissing { from: 1 })]);
}

#[test]
fn a_missing_checkpoint_is_named() {
    for store in stores() {
        for code in ["one", "two", "three"] {
            store.requirement(code);
            store.seal().unwrap();
        }
        store.tamper("DELETE FROM checkpoints WHERE number = 2");
        let findings = store.verify().findings;
        let place = Place::Checkpoint { checkpoint: 3 };
        assert_eq!(findings, [Finding { place, fault: Fault::CheckpointMissing { from: 2 } }]);
    }
}

#[test]
fn of_several_that_seal_at_once_one_does() {
    for store in stores() {
        store.requirement("one");
        store.settle();
        let sealed: Vec<_> = store.runtime.block_on(async {
            let one = |_| {
                let stamp =
                    Stamp { now: Instant::from_micros(1), actor: Actor::clock(), request: None, ids: Ids::random() };
                let db = store.db.clone();
                tokio::spawn(async move { db.write(stamp, Mode::Commit, checkpoint::seal).await.unwrap() })
            };
            let tasks: Vec<_> = (0..8).map(one).collect();
            let mut ended = Vec::new();
            for task in tasks {
                ended.extend(task.await.unwrap());
            }
            ended
        });
        assert_eq!(sealed.len(), 1);
        assert!(store.verify().is_intact());
    }
}

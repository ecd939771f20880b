//! Writes: kept whole or not at all, by version, by key, in a chain that cannot be altered unseen.

use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Duration;

use domain::arrangement::Requirement;
use domain::kernel::{Aggregate as _, Refusal};
use persistence::record::event::Cursor;
use persistence::record::{idempotency, lease};
use persistence::{Dependencies, Failure, Mode};

use super::{Store, define, stamp, version, wait};
use crate::database::Kind;

on_both! {
    fn what_a_transaction_fails_at_is_not_kept(store: &Store) {
        let failed = store.write(Mode::Commit, |tx| {
            define(tx, "a")?;
            Err::<(), _>(Failure::Forbidden)
        });
        assert!(matches!(failed, Err(Failure::Forbidden)), "{failed:?}");
        assert_eq!(store.count(&["a"]), 0);
        assert_eq!(store.feed(Cursor::default()), vec![]);
    }

    fn a_write_that_panics_harms_nobody(store: &Store) {
        let failed = store.write(Mode::Commit, |tx| -> persistence::Outcome<()> {
            define(tx, "a")?;
            panic!("this panic is part of the test");
        });
        assert!(matches!(failed, Err(Failure::Broken(_))), "{failed:?}");
        store.define("b").unwrap();
        assert_eq!((store.count(&["a"]), store.count(&["b"])), (0, 1));
    }

    fn a_dry_run_answers_and_keeps_nothing(store: &Store) {
        let shown = store.write(Mode::DryRun, |tx| define(tx, "a")).unwrap();
        assert_eq!(shown.value.code, "a");
        assert_eq!(store.count(&["a"]), 0);
        store.define("a").unwrap();
    }

    fn what_was_read_is_true_until_that_is_written(store: &Store) {
        let read = store.define("a").unwrap();
        let basis = Dependencies::new(store.db.mark().unwrap(), [(read.value.id.into(), read.version)]);
        let still = || wait(store.db.is_still(&basis));
        assert!(still());
        store.write(Mode::DryRun, |tx| define(tx, "b")).unwrap();
        assert!(still(), "a dry run writes nothing");
        store.write(Mode::Commit, |tx| define(tx, "b").and(Err::<(), _>(Failure::Forbidden))).unwrap_err();
        assert!(still(), "what fails neither");
        let holder = read.value.id.into();
        store.write(Mode::Commit, move |tx| lease::take(tx, "a", holder, tx.now(), tx.now().plus_seconds(60))).unwrap();
        assert!(still(), "a lease is nothing that is read");
        store.define("b").unwrap();
        assert!(still(), "nor is another aggregate");
        let old = read.clone();
        store.write(Mode::Commit, move |tx| tx.save(&old, old.value.clone().add_version(version("better"))?)).unwrap();
        assert!(!still());
    }

    fn a_constraint_answers_with_its_rule(store: &Store) {
        store.define("a").unwrap();
        match store.define("a") {
            Err(Failure::Refused(Refusal::Rules(broken))) => assert_eq!(broken[0].rule.code, "requirement_code_taken"),
            other => panic!("{other:?}"),
        }
    }

    fn a_change_of_an_old_version_is_stale(store: &Store) {
        let old = store.define("a").unwrap();
        let change = |title: &'static str| {
            let old = old.clone();
            store.write(Mode::Commit, move |tx| tx.save(&old, old.value.clone().add_version(version(title))?))
        };
        assert_eq!(change("better").unwrap().version, 2);
        assert!(matches!(change("best"), Err(Failure::Again(_) | Failure::Unavailable(_))));
        let now = wait(store.db.read({
            let id = old.value.id;
            move |c| c.get::<Requirement>(id)
        })).unwrap();
        assert_eq!((now.version, now.value.versions.len()), (2, 2));
    }

    fn of_two_writes_under_one_key_one_is_kept(store: &Store) {
        // Both look for an answer before either has kept one, where the database lets them.
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let tasks: Vec<_> = ["a", "b"].into_iter().map(|code| scope.spawn(move || {
                store.write(Mode::Commit, move |tx| {
                    if let Some((_, answer)) = idempotency::find(tx, "key")? {
                        return Ok(answer);
                    }
                    define(tx, code)?;
                    idempotency::keep(tx, "key", b"print", code)?;
                    Ok(code.to_owned())
                })
            })).collect();
            tasks.into_iter().map(|task| task.join().unwrap().unwrap()).collect()
        });
        assert_eq!(outcomes[0], outcomes[1], "both are told of the one that was kept");
        assert_eq!(store.count(&["a", "b"]), 1);
    }

    fn events_are_append_only(store: &Store) {
        store.define("a").unwrap();
        for statement in ["UPDATE events SET actor = 'x'", "DELETE FROM events"] {
            let refused = store.execute(statement).unwrap_err();
            assert!(refused.to_string().contains("append-only"), "{statement}: {refused}");
        }
        if store.database.kind == Kind::Postgres {
            store.execute("TRUNCATE events").unwrap_err();
        }
        assert_eq!(super::feed::settled(store).len(), 1);
    }

    fn each_aggregates_events_are_a_chain(store: &Store) {
        for code in ["a", "b"] {
            let mut stored = store.define(code).unwrap();
            for title in ["good", "better", "best"] {
                let before = stored.clone();
                stored = store.write(Mode::Commit, move |tx| {
                    tx.save(&before, before.value.clone().add_version(version(title))?)
                }).unwrap();
            }
        }
        let feed = super::feed::settled(store);
        assert_eq!(feed.len(), 8);
        for (_, entry) in &feed {
            assert_eq!(entry.hash, entry.digest(), "what was read is what was hashed: {entry:?}");
            let before = feed.iter().map(|(_, e)| e)
                .find(|e| e.aggregate_id == entry.aggregate_id && e.link + 1 == entry.link);
            assert_eq!(entry.previous.as_ref(), before.map(|e| &e.hash));
            assert_eq!(entry.link == 1, before.is_none());
            assert_eq!(entry.version, entry.link, "one event a command here");
        }
        let mut forged = feed[3].1.clone();
        "someone else".clone_into(&mut forged.actor);
        assert_ne!(forged.hash, forged.digest());
    }
}

/// SQLite groups the writes that wait: here the first of a group is held until the others wait behind it.
#[test]
fn of_a_group_only_the_write_that_fails_is_undone() {
    let store = &Store::on(Kind::Sqlite);
    let (started, is_started) = channel();
    let (release, released) = channel::<()>();
    let (started, released) = (Mutex::new(started), Mutex::new(released));
    let first = store.db.write(stamp(), Mode::Commit, move |tx| {
        define(tx, "first")?;
        started.lock().unwrap().send(()).unwrap();
        released.lock().unwrap().recv().unwrap();
        Ok(())
    });
    let fails = store.db.write(stamp(), Mode::Commit, |tx| {
        define(tx, "fails")?;
        Err::<(), _>(Failure::Forbidden)
    });
    let panics = store.db.write(stamp(), Mode::Commit, |tx| -> persistence::Outcome<()> {
        define(tx, "panics")?;
        panic!("this panic is part of the test");
    });
    let tried = store.db.write(stamp(), Mode::DryRun, |tx| define(tx, "tried").map(drop));
    let last = store.db.write(stamp(), Mode::Commit, |tx| {
        assert_eq!(tx.actor().subject, "tester");
        define(tx, "last").map(drop)
    });
    let told = wait(async {
        // Polled in this order, each is handed to the writer; the last one to be polled lets the first go on.
        let mut all: Vec<std::pin::Pin<Box<dyn Future<Output = persistence::Outcome<()>>>>> =
            vec![Box::pin(first), Box::pin(fails), Box::pin(panics), Box::pin(tried), Box::pin(last)];
        let mut told: Vec<Option<persistence::Outcome<()>>> = all.iter().map(|_| None).collect();
        let mut held = true;
        std::future::poll_fn(|context| {
            for (future, told) in all.iter_mut().zip(&mut told).filter(|(_, told)| told.is_none()) {
                if let std::task::Poll::Ready(outcome) = future.as_mut().poll(context) {
                    *told = Some(outcome);
                }
            }
            if std::mem::take(&mut held) {
                is_started.recv_timeout(Duration::from_secs(30)).unwrap();
                release.send(()).unwrap();
            }
            if told.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
        told
    });
    let ended: Vec<bool> = told.iter().map(|outcome| matches!(outcome, Some(Ok(())))).collect();
    assert_eq!(ended, [true, false, false, true, true], "{told:?}");
    assert_eq!(store.count(&["first", "last"]), 2);
    assert_eq!(store.count(&["fails", "panics", "tried"]), 0);
    assert_eq!(store.feed(Cursor::default()).len(), 2);
    let stored = store.define("after").unwrap();
    assert_eq!(stored.value.state(), stored.value.state(), "the writer goes on");
}

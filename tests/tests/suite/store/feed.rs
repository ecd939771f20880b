//! The feed: in commit order, and nothing ever appears behind a reader's cursor.

use std::collections::BTreeSet;
use std::sync::mpsc::channel;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use persistence::record::event::{Cursor, Entry};
use persistence::{Mode, Uid};

use super::{Store, define};
use crate::database::Kind;

/// The whole feed, when all that was written is shown.
pub fn settled(store: &Store) -> Vec<(Cursor, Entry)> {
    if store.database.kind == Kind::Postgres {
        super::settle(&store.database.url);
    }
    store.feed(Cursor::default())
}

/// A reader that remembers its place.
#[derive(Default)]
struct Reader {
    place: Cursor,
    seen: Vec<Uid>,
}

impl Reader {
    fn follow(&mut self, store: &Store) -> usize {
        let page = store.feed(self.place);
        for (place, entry) in &page {
            assert!(*place > self.place, "the feed goes forward");
            self.place = *place;
            self.seen.push(entry.id);
        }
        page.len()
    }
}

/// Leave to go on, given through a channel; a test that waits in vain fails.
fn leave(receiver: &Mutex<std::sync::mpsc::Receiver<()>>) {
    let receiver: MutexGuard<'_, _> = receiver.lock().unwrap_or_else(PoisonError::into_inner);
    receiver.recv_timeout(Duration::from_secs(60)).expect("leave to commit");
}

mod postgres {
    use super::*;

    #[test]
    fn a_later_commit_waits_for_an_older_transaction() {
        let store = &Store::on(Kind::Postgres);
        std::thread::scope(|scope| {
            let (wrote, has_written) = channel();
            let (commit, may_commit) = channel();
            let (wrote, may_commit) = (Mutex::new(wrote), Mutex::new(may_commit));
            let slow = scope.spawn(move || {
                store.write(Mode::Commit, move |tx| {
                    let stored = define(tx, "slow")?;
                    wrote.lock().unwrap().send(()).unwrap();
                    leave(&may_commit);
                    Ok(stored)
                })
            });
            has_written.recv_timeout(Duration::from_secs(60)).unwrap();
            store.define("quick").unwrap();
            assert_eq!(store.count(&["quick"]), 1, "it is committed");
            let mut reader = Reader::default();
            assert_eq!(reader.follow(store), 0, "shown now, the slow one would appear behind the cursor");
            commit.send(()).unwrap();
            slow.join().unwrap().unwrap();
            crate::store::settle(&store.database.url);
            assert_eq!(reader.follow(store), 2);
            assert_eq!(reader.follow(store), 0);
        });
    }

    #[test]
    fn what_is_rolled_back_holds_nobody_up() {
        let store = &Store::on(Kind::Postgres);
        store.write(Mode::DryRun, |tx| define(tx, "tried")).unwrap();
        store.define("kept").unwrap();
        assert_eq!(settled(store).len(), 1);
    }
}

#[test]
fn a_reader_beside_parallel_writers_misses_nothing_on_postgres() {
    const WRITERS: usize = 6;
    const WRITES: usize = 12;
    let store = &Store::on(Kind::Postgres);
    let reader = std::thread::scope(|scope| {
        // Each writer holds every transaction open until another one has written: commits are out of order by design.
        let (mut give, mut take): (Vec<_>, Vec<_>) = (0..WRITERS).map(|_| channel::<()>()).unzip();
        give.rotate_left(1);
        let mut tasks = Vec::new();
        for (number, (next, own)) in give.into_iter().zip(take.drain(..)).enumerate() {
            tasks.push(scope.spawn(move || {
                let (next, own) = (std::sync::Arc::new(Mutex::new(next)), std::sync::Arc::new(Mutex::new(own)));
                for n in 0..WRITES {
                    let (next, own) = (next.clone(), own.clone());
                    let code = format!("w{number}-{n}");
                    store
                        .write(Mode::Commit, move |tx| {
                            define(tx, &format!("{code}-1"))?;
                            // The last writes of a neighbour may have ended already.
                            let _ = next.lock().unwrap_or_else(PoisonError::into_inner).send(());
                            leave(&own);
                            define(tx, &format!("{code}-2"))
                        })
                        .unwrap();
                }
            }));
        }
        let mut reader = Reader::default();
        while !tasks.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            reader.follow(store);
        }
        for task in tasks {
            task.join().unwrap();
        }
        super::settle(&store.database.url);
        reader.follow(store);
        reader
    });
    let unique: BTreeSet<Uid> = reader.seen.iter().copied().collect();
    assert_eq!((reader.seen.len(), unique.len()), (WRITERS * WRITES * 2, WRITERS * WRITES * 2));
    let whole: Vec<Uid> = store.feed(Cursor::default()).into_iter().map(|(_, entry)| entry.id).collect();
    assert_eq!(reader.seen, whole, "read bit by bit or at once, it is the same feed");
}

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};

use super::*;

/// A database with its shared file, and a connection to it.
fn database(name: &str) -> (Changes, SqliteConnection, String) {
    let folder = std::env::temp_dir().join(format!("dps-changes-{}-{name}", std::process::id()));
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("db").display().to_string();
    let mut conn = SqliteConnection::establish(&path).unwrap();
    conn.batch_execute("PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (0)").unwrap();
    let changes = Changes::of(&path).unwrap();
    (changes, conn, path)
}

const ONE: Uuid = Uuid::from_u128(1);
const TWO: Uuid = Uuid::from_u128(2);

/// The writer changes `ids`, or is found to have changed nothing.
fn write(changes: &Changes, conn: &mut SqliteConnection, ids: &[Uuid], within: impl FnOnce()) {
    conn.batch_execute("BEGIN IMMEDIATE").unwrap();
    let mut changing = changes.begin();
    if !ids.is_empty() {
        conn.batch_execute("UPDATE t SET x = x + 1").unwrap();
    }
    changing.add((ids.to_vec(), !ids.is_empty()));
    changing.commits();
    within();
    conn.batch_execute("COMMIT").unwrap();
    changing.done(true);
}

#[test]
fn what_is_changed_ends_what_was_read_of_it_and_nothing_else() {
    let (changes, mut conn, _) = database("own");
    let before = changes.mark();
    assert!(changes.none_of([ONE, TWO], before));
    write(&changes, &mut conn, &[ONE], || {
        assert!(!changes.none_of([ONE], before), "while it is being changed");
        assert!(!changes.none_of([ONE], changes.mark()), "for a reader that comes meanwhile too");
        assert!(changes.none_of([TWO], before));
    });
    assert!(!changes.none_of([TWO, ONE], before));
    assert!(changes.none_of([TWO], before), "what was read of others is still true");
    assert!(changes.none_of([ONE], changes.mark()), "what is read from now on is true");
}

#[test]
fn a_read_that_began_before_the_commit_is_not_taken_for_true() {
    let (changes, mut conn, _) = database("early");
    let mut early = changes.mark();
    write(&changes, &mut conn, &[ONE], || early = changes.mark());
    assert!(!changes.none_of([ONE], early));
}

#[test]
fn another_process_ends_everything() {
    let (changes, mut conn, path) = database("other");
    let mut other = SqliteConnection::establish(&path).unwrap();
    let before = changes.mark();
    assert!(changes.none_of([ONE], before));
    other.batch_execute("INSERT INTO t VALUES (1)").unwrap();
    assert!(!changes.none_of([ONE], before));
    let after = changes.mark();
    assert!(changes.none_of([ONE], after), "it is noticed once");
    // Between two of the writer's own, where nobody reads.
    other.batch_execute("INSERT INTO t VALUES (2)").unwrap();
    write(&changes, &mut conn, &[TWO], || {});
    assert!(!changes.none_of([ONE], after));
}

#[test]
fn a_commit_of_what_was_there_hides_no_other_process() {
    let (changes, mut conn, path) = database("same");
    let mut other = SqliteConnection::establish(&path).unwrap();
    let before = changes.mark();
    let counter = changes.counted();
    conn.batch_execute("BEGIN IMMEDIATE").unwrap();
    let mut changing = changes.begin();
    // A row is reported as changed, and SQLite finds nothing to write.
    conn.batch_execute("UPDATE t SET x = 0").unwrap();
    changing.add((Vec::new(), true));
    changing.commits();
    conn.batch_execute("COMMIT").unwrap();
    changing.done(true);
    assert_eq!(changes.counted(), counter, "SQLite counts nothing");
    assert!(changes.none_of([ONE], before));
    other.batch_execute("INSERT INTO t VALUES (1)").unwrap();
    assert!(!changes.none_of([ONE], before));
}

#[test]
fn a_commit_of_nothing_hides_no_other_process() {
    let (changes, mut conn, path) = database("nothing");
    let mut other = SqliteConnection::establish(&path).unwrap();
    let before = changes.mark();
    write(&changes, &mut conn, &[], || {});
    assert!(changes.none_of([ONE], before));
    other.batch_execute("INSERT INTO t VALUES (1)").unwrap();
    write(&changes, &mut conn, &[], || {});
    assert!(!changes.none_of([ONE], before));
}

#[test]
fn a_transaction_that_was_rolled_back_ends_only_what_it_touched() {
    let (changes, mut conn, _) = database("rolled-back");
    let before = changes.mark();
    conn.batch_execute("BEGIN IMMEDIATE").unwrap();
    let mut changing = changes.begin();
    changing.add((vec![ONE], true));
    changing.commits();
    conn.batch_execute("ROLLBACK").unwrap();
    changing.done(false);
    assert!(!changes.none_of([ONE], before));
    assert!(changes.none_of([TWO], before));
}

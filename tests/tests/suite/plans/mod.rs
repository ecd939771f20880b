//! No statement that the store makes gets slower as the history grows: each one that these tests make, wherever they make
//! it, is explained by its database when the test ends, and may neither scan nor sort what grows
//! (docs/adr/0014-reads-that-do-not-grow.md).

mod explain;
pub mod watch;

use persistence::record::event::Cursor;

use crate::database::Database;
use crate::store::{Store, wait};
use explain::{Explainer, Fault};

mod allowed;
mod asked;
mod order;

use allowed::ALLOWED;

/// Fails the test that was the first to make a statement whose cost grows with the history.
pub fn check(database: &Database) {
    let statements = watch::end(&database.url);
    if statements.is_empty() {
        return;
    }
    let mut explainer = Explainer::on(database);
    let mut wrong = String::new();
    for statement in &statements {
        let judged = explainer.judge(statement);
        for (fault, line) in judged.faults {
            if !ALLOWED.iter().any(|allowed| allowed.covers(database.kind, statement, fault)) {
                wrong += &format!("{fault:?}: {line}\nfor {statement}\n{}\n", judged.plan);
            }
        }
    }
    assert!(wrong.is_empty(), "statements whose cost grows with the history, on {:?}:\n\n{wrong}", database.kind);
}

on_both! {
    fn statements_are_collected_and_judged(store: &Store) {
        store.define("known").unwrap();
        store.feed(Cursor::default());
        let made = watch::made(store.database.kind);
        let known = made.iter().filter(|made| made.contains("FROM `events`") || made.contains("FROM \"events\""));
        assert!(known.count() > 0, "{made:#?}");

        let mut explainer = Explainer::on(&store.database);
        let mut faults = |statement: &str| -> Vec<Fault> {
            explainer.judge(statement).faults.into_iter().map(|(fault, _)| fault).collect()
        };
        assert_eq!(faults("SELECT count(*) FROM events WHERE role = 'script'"), [Fault::Scans]);
        assert_eq!(faults("SELECT id FROM applications WHERE version > 1 ORDER BY id LIMIT 1"), [Fault::Scans]);
        let one = "'00000000-0000-0000-0000-000000000000'";
        let walked = format!("SELECT id FROM applications WHERE id > {one} AND version > 1 ORDER BY id LIMIT 1");
        assert_eq!(faults(&walked), [Fault::Walks]);
        let sorted = format!("SELECT id FROM compliance_checks WHERE provider_id = {one} ORDER BY updated_at LIMIT 1");
        assert_eq!(faults(&sorted), [Fault::Sorts]);
        assert_eq!(faults(&sorted.replace("updated_at", "id")), []);
        assert_eq!(faults("SELECT count(*) FROM leases WHERE name > 'a' AND holder IS NULL"), [], "it is small");
    }

    fn what_is_allowed_is_still_needed(store: &Store) {
        let kind = store.database.kind;
        let mut explainer = Explainer::on(&store.database);
        for allowed in ALLOWED.iter().filter(|allowed| allowed.on.contains(&kind)) {
            wait(store.db.scan(allowed.ask)).unwrap();
            let made = watch::made(kind);
            let mut needed = made.iter().filter(|made| allowed.is(made));
            let faulty = |made: &String| explainer.judge(made).faults.iter().any(|(fault, _)| *fault == allowed.fault);
            assert!(needed.any(faulty), "no statement needs this any more: {}", allowed.why);
        }
    }
}

//! Leases: one holder at a time, whatever the machines' clocks say.

use domain::kernel::Instant;
use persistence::Mode;
use persistence::record::lease;
use uuid::Uuid;

use super::Store;

const A: Uuid = Uuid::from_u128(1);
const B: Uuid = Uuid::from_u128(2);

/// Whether `holder` gets the lease at that second, for a minute.
fn takes(store: &Store, holder: Uuid, second: i64) -> bool {
    let at = |second| Instant::from_micros(0).plus_seconds(1_000_000 + second);
    store.write(Mode::Commit, move |tx| lease::take(tx, "a", holder, at(second), at(second + 60))).unwrap()
}

on_both! {
    fn a_lease_is_held_until_it_has_run_out(store: &Store) {
        assert!(takes(store, A, 0));
        assert!(!takes(store, B, 59));
        assert!(takes(store, A, 59), "renewed");
        assert!(!takes(store, B, 118));
        assert!(takes(store, B, 119));
    }

    fn a_lease_of_a_clock_that_was_ahead_holds_nobody_up(store: &Store) {
        assert!(takes(store, A, 60), "a minute ahead is a clock like any other");
        assert!(!takes(store, B, 0));
        assert!(takes(store, A, 86_400), "a day ahead");
        assert!(takes(store, B, 0), "the clock was set right, and the holder is gone");
        assert!(!takes(store, A, 1));
    }
}

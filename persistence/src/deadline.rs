//! Deadlines that are told: kept in step with what aggregates state, wherever one is saved.

use domain::arrangement::Arrangement;
use domain::deadline::{DeadlineState, WatchedDeadline};
use domain::kernel::{Aggregate, Named as _};
use uuid::Uuid;

use crate::aggregate::{Change, Filter};
use crate::{Outcome, Page, Stored, Tx, Uid};

declare_table! {
    /// Deadlines of other aggregates, over ones included.
    deadlines: WatchedDeadline {
        of_id: Uid = |d| Uid(d.of);
        what: Text = |d| d.what.name().to_owned();
        arrangement_id: Uid = |d| d.arrangement;
        provider_id: Nullable<Uid> = |d| d.provider;
        told_to: Text = |d| d.told_to().name().to_owned();
        due_at: Moment = |d| d.due_at;
        live: Bool = |d| !matches!(d.state, DeadlineState::Over { .. });
    }
}

/// Keeps the deadlines of aggregates that were written; those that state the same as before cost nothing.
pub(crate) fn keep<A: Aggregate>(tx: &mut Tx<'_>, rows: &[Change<'_, A>]) -> Outcome<()> {
    for (before, after) in rows {
        let was = before.map(Aggregate::deadlines).unwrap_or_default();
        let is = after.deadlines();
        let (true, Some(arrangement)) = (was != is, after.about().arrangement) else { continue };
        let policies = tx.get::<Arrangement>(arrangement)?.value.policies;
        let (of, now) = (after.id().into(), tx.now());
        let mut watched = if was.is_empty() { Vec::new() } else { live(tx, of)? };
        for stated in &is {
            if let Some(place) = watched.iter().position(|known| known.value.is_of(stated)) {
                let before = watched.swap_remove(place);
                let decision = before.value.clone().restate(stated, &policies, now)?;
                tx.save(&before, decision)?;
            } else if let Some(set) =
                WatchedDeadline::set(tx.mint(), (A::KIND, of), after.about(), stated, &policies, now)
            {
                tx.create(set)?;
            }
        }
        for before in watched {
            let decision = before.value.clone().close(now)?;
            tx.save(&before, decision)?;
        }
    }
    Ok(())
}

/// The deadlines of one thing that are not over, locked: the clock tells them meanwhile.
fn live(tx: &mut Tx<'_>, of: Uuid) -> Outcome<Vec<Stored<WatchedDeadline>>> {
    let found: Vec<Stored<WatchedDeadline>> =
        tx.list(&Filter::all().is(deadlines::of_id, Uid(of)).is(deadlines::live, true), Page::ALL)?;
    let locked = found.into_iter().map(|known| tx.lock::<WatchedDeadline>(known.value.id));
    let mut locked = locked.collect::<Outcome<Vec<_>>>()?;
    locked.retain(|known| !matches!(known.value.state, DeadlineState::Over { .. }));
    Ok(locked)
}

//! Deadlines, explained: each due instant of a thing with its rule, regime, versions and start event (BEY-06); and told,
//! ahead and when they are missed (ADD-21).
//!
//! A subject states its own as [`Explained`] values.

use domain::arrangement::{Arrangement, Policies};
use domain::deadline::WatchedDeadline;
use domain::kernel::{Aggregate, DeadlineId, Instant, Kind};
use domain::law::deadline::{Deadline, LegalClock, given};
use persistence::{Conn, Failure, Outcome, Record, Tx};
use uuid::Uuid;

use crate::{Caller, lock_due};

/// What explains the deadlines of a kind.
#[derive(Clone, Copy, Debug)]
pub struct Explained {
    /// The kind.
    pub kind: Kind,
    /// The deadlines of that one, if it is the caller's to see.
    pub of: fn(&mut Conn<'_>, &Caller, Uuid) -> Outcome<Vec<Deadline>>,
}

/// Tells a deadline that is near or was missed, once (ADD-21).
///
/// # Errors
/// Where the store fails.
pub fn tell(tx: &mut Tx<'_>, id: DeadlineId) -> Outcome<()> {
    let Some(before) = lock_due::<WatchedDeadline>(tx, id)? else { return Ok(()) };
    let decision = before.value.clone().tick(tx.now())?;
    tx.save(&before, decision).map(drop)
}

/// The aggregate, if it is the caller's to see, with the policies of its arrangement.
pub(crate) fn find<A: Record>(c: &mut Conn<'_>, who: &Caller, id: A::Id) -> Outcome<(A, Policies)> {
    let found = who.get::<A>(c, id)?.value;
    let arrangement = Aggregate::about(&found).arrangement.ok_or(Failure::NotFound(A::KIND))?;
    Ok((found, c.get::<Arrangement>(arrangement)?.value.policies))
}

/// The instant that is in force, where it was set by hand and is not what the rule alone would give.
pub(crate) fn enforced(deadline: Deadline, due: Instant) -> Deadline {
    if deadline.due == due {
        return deadline;
    }
    let explanation = format!("{} It was set by hand to {due}, which is in force.", deadline.explanation);
    Deadline { due, explanation, ..deadline }
}

/// The deadline of a count of days or months that was chosen.
pub(crate) fn timed(policies: &Policies, clock: LegalClock, count: u32, start: Instant) -> Outcome<Deadline> {
    Ok(given(policies.regime(), policies.division, clock.rule(), count, start)?)
}

/// Civil days, as the engine counts them.
pub(crate) fn days_between(from: Instant, to: Instant) -> u32 {
    u32::try_from((to.date() - from.date()).num_days()).unwrap_or_default()
}

/// Whole months whose end, clamped, is `to`.
pub(crate) fn months_between(from: Instant, to: Instant) -> u32 {
    (0..1200).find(|months| from.plus_months(*months) >= to).unwrap_or_default()
}

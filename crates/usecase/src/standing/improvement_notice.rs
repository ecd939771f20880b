//! Improvement notices (TIR-18).

use domain::admission::membership::Membership;
use domain::kernel::{ImprovementNoticeId, MembershipId};
use domain::law::deadline::{Deadline, LegalClock};
use domain::standing::improvement_notice::{ImprovementNotice, IssueNotice};
use persistence::{Conn, Outcome, Stored, Tx};

use super::lock_member;
use crate::deadline::{days_between, enforced, find, timed};
use crate::{Caller, Command, lock_due};

/// Issues a notice to a member.
///
/// # Errors
/// What the rules refuse.
pub fn issue(
    tx: &mut Tx<'_>,
    by: &Command,
    membership: MembershipId,
    order: IssueNotice,
) -> Outcome<Stored<ImprovementNotice>> {
    let member = lock_member(tx, by, membership)?.value;
    tx.create(ImprovementNotice::issue(tx.mint(), order, &member, tx.actor(), tx.now())?)
}

/// The time to rectify passes.
///
/// # Errors
/// Where the store fails.
pub fn expire(tx: &mut Tx<'_>, id: ImprovementNoticeId) -> Outcome<()> {
    let membership = tx.get::<ImprovementNotice>(id)?.value.membership;
    tx.lock::<Membership>(membership)?;
    let Some(before) = lock_due::<ImprovementNotice>(tx, id)? else { return Ok(()) };
    let decision = before.value.clone().tick(tx.now())?;
    tx.save(&before, decision).map(drop)
}

/// The end of the time to rectify.
///
/// # Errors
/// Not found, and what the engine refuses.
pub fn deadlines(c: &mut Conn<'_>, who: &Caller, id: ImprovementNoticeId) -> Outcome<Vec<Deadline>> {
    let (notice, policies) = find::<ImprovementNotice>(c, who, id)?;
    let days = days_between(notice.issued_at, notice.rectify_by);
    Ok(vec![enforced(timed(&policies, LegalClock::Improvement, days, notice.issued_at)?, notice.rectify_by)])
}

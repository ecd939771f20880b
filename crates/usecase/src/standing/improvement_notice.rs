//! Improvement notices (TIR-18).

use domain::admission::membership::Membership;
use domain::arrangement::{Arrangement, Lot};
use domain::kernel::{Aggregate as _, ImprovementNoticeId, LotId, MembershipId, ProviderId};
use domain::law::deadline::{Deadline, LegalClock};
use domain::standing::improvement_notice::{ImprovementNotice, IssueNotice};
use persistence::standing::improvement_notices as notices;
use persistence::{Conn, Filter, Outcome, Page, Stored, Tx};

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

/// Ends the unjudged notices of an arrangement that has ended.
pub(crate) fn end_all(tx: &mut Tx<'_>, arrangement: &Arrangement, reason: &str) -> Outcome<()> {
    let open = Filter::all().is(notices::arrangement_id, arrangement.id);
    end_those(tx, &open, reason)
}

/// Ends the unjudged notices in one lot that has ended.
pub(crate) fn end_in_lot(tx: &mut Tx<'_>, lot: &Lot, reason: &str) -> Outcome<()> {
    end_those(tx, &Filter::all().is(notices::lot_id, lot.id), reason)
}

/// Ends the unjudged notices of a provider in a lot.
pub(super) fn end_of(tx: &mut Tx<'_>, provider: ProviderId, lot: LotId, reason: &str) -> Outcome<()> {
    let open = Filter::all().is(notices::lot_id, lot).is(notices::provider_id, provider);
    end_those(tx, &open, reason)
}

fn end_those(tx: &mut Tx<'_>, filter: &Filter<ImprovementNotice>, reason: &str) -> Outcome<()> {
    for found in tx.list(filter, Page::ALL)? {
        if found.value.permit("end").is_ok() {
            let before = tx.lock::<ImprovementNotice>(found.value.id)?;
            let decision = before.value.clone().end(reason.to_owned(), tx.now())?;
            tx.save(&before, decision)?;
        }
    }
    Ok(())
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

//! Sanctions: a member is concealed or restricted (WAL-13).

use domain::arrangement::{Arrangement, Lot};
use domain::kernel::MembershipId;
use domain::standing::removal::Removal;
use domain::standing::sanction::{ApplySanction, Sanction};
use persistence::standing::{sanctions, sanctions_of};
use persistence::{Filter, Outcome, Page, Stored, Tx};

use super::{lock_member, removal};
use crate::Command;

/// Conceals or restricts a member.
///
/// # Errors
/// What the rules refuse.
pub fn apply(
    tx: &mut Tx<'_>,
    by: &Command,
    membership: MembershipId,
    order: ApplySanction,
) -> Outcome<Stored<Sanction>> {
    let member = lock_member(tx, by, membership)?.value;
    let before: Vec<_> = sanctions_of(tx, member.provider, member.lot)?.into_iter().map(|s| s.value).collect();
    let since = Removal::last_effect(&removal::of_lot(tx, member.provider, member.lot)?);
    tx.create(Sanction::apply(tx.mint(), order, &member, &before, since, tx.actor(), tx.now())?)
}

/// Ends the sanctions of an arrangement that has ended.
pub(crate) fn end_all(tx: &mut Tx<'_>, arrangement: &Arrangement, reason: &str) -> Outcome<()> {
    end_those(tx, &Filter::all().is(sanctions::arrangement_id, arrangement.id), reason)
}

/// Ends the sanctions in one lot that has ended.
pub(crate) fn end_in_lot(tx: &mut Tx<'_>, lot: &Lot, reason: &str) -> Outcome<()> {
    end_those(tx, &Filter::all().is(sanctions::lot_id, lot.id), reason)
}

fn end_those(tx: &mut Tx<'_>, filter: &Filter<Sanction>, reason: &str) -> Outcome<()> {
    for before in tx.list(&filter.clone().is(sanctions::in_force, true), Page::ALL)? {
        let before = tx.lock::<Sanction>(before.value.id)?;
        if before.value.in_force() {
            let decision = before.value.clone().end(reason.to_owned(), tx.now())?;
            tx.save(&before, decision)?;
        }
    }
    Ok(())
}

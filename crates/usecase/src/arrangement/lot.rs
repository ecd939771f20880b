//! Lots: defined, named, given requirements, opened and closed (A2).

use domain::arrangement::lot::{ConditionFacts, LotParticulars};
use domain::arrangement::{Arrangement, Lot, Requirement, RequirementRef};
use domain::kernel::{Aggregate as _, ArrangementId, LotId, Named, RequirementId};
use persistence::arrangement as store;
use persistence::{Outcome, Stored, Tx, admission};

use crate::Command;

/// Defines a lot.
///
/// # Errors
/// What the rules refuse.
pub fn define(
    tx: &mut Tx<'_>,
    by: &Command,
    arrangement: ArrangementId,
    particulars: LotParticulars,
) -> Outcome<Stored<Lot>> {
    let is_over = by.hold::<Arrangement>(tx, arrangement)?.is_over();
    let taken = store::lots_of(tx, arrangement)?.iter().any(|lot| lot.value.particulars.code == particulars.code);
    tx.create(Lot::define(tx.mint(), arrangement, particulars, taken, is_over, tx.now())?)
}

/// Rewrites a lot's particulars.
///
/// # Errors
/// What the rules refuse.
pub fn amend(tx: &mut Tx<'_>, by: &Command, id: LotId, particulars: LotParticulars) -> Outcome<Stored<Lot>> {
    by.act(tx, id, |lot: Lot, tx| {
        let others = store::lots_of(tx, lot.arrangement)?;
        let taken =
            others.iter().any(|other| other.value.id != lot.id && other.value.particulars.code == particulars.code);
        Ok(lot.amend(particulars, taken)?)
    })
}

/// Lets a lot ask for a version of a requirement.
///
/// # Errors
/// What the rules refuse.
pub fn adopt(tx: &mut Tx<'_>, by: &Command, id: LotId, reference: RequirementRef) -> Outcome<Stored<Lot>> {
    by.act(tx, id, |lot: Lot, tx| {
        let latest = tx.get::<Requirement>(reference.requirement)?.value.latest();
        let facts = conditions(tx, &lot)?;
        Ok(lot.adopt(reference, latest, facts)?)
    })
}

/// Lets a lot no longer ask for a requirement.
///
/// # Errors
/// What the rules refuse.
pub fn drop_requirement(tx: &mut Tx<'_>, by: &Command, id: LotId, requirement: RequirementId) -> Outcome<Stored<Lot>> {
    by.act(tx, id, |lot: Lot, tx| {
        let facts = conditions(tx, &lot)?;
        Ok(lot.drop_requirement(requirement, facts)?)
    })
}

/// Opens a lot while its arrangement is in force.
///
/// # Errors
/// What the rules refuse.
pub fn open(tx: &mut Tx<'_>, by: &Command, id: LotId) -> Outcome<Stored<Lot>> {
    by.act(tx, id, |lot: Lot, tx| {
        let arrangement = tx.hold::<Arrangement>(lot.arrangement)?.value;
        Ok(lot.open(arrangement.in_force_at(tx.now()).is_some())?)
    })
}

/// What the conditions of a lot may still become (A2).
fn conditions(tx: &mut Tx<'_>, lot: &Lot) -> Outcome<ConditionFacts> {
    let arrangement = tx.hold::<Arrangement>(lot.arrangement)?.value;
    Ok(ConditionFacts {
        regime: arrangement.policies.regime(),
        published_at: arrangement.term().map(|term| term.published_at),
        evaluated: admission::was_evaluated(tx, lot)?,
    })
}

/// Opens the draft lots of an arrangement that was published.
pub(crate) fn open_all(tx: &mut Tx<'_>, arrangement: &Arrangement) -> Outcome<()> {
    for lot in store::lots_of(tx, arrangement.id)?.iter().filter(|lot| lot.value.state().name() == "draft") {
        let before = tx.lock::<Lot>(lot.value.id)?;
        let decision = before.value.clone().open(arrangement.in_force().is_some())?;
        tx.save(&before, decision)?;
    }
    Ok(())
}

/// Closes the lots of an arrangement that has ended.
pub(crate) fn close_all(tx: &mut Tx<'_>, arrangement: &Arrangement, reason: &str) -> Outcome<()> {
    for lot in store::lots_of(tx, arrangement.id)?.iter().filter(|lot| lot.value.state().name() != "closed") {
        let decision = lot.value.clone().close(reason.to_owned(), tx.now())?;
        tx.save(lot, decision)?;
    }
    Ok(())
}

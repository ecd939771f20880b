//! Declarations of interests: an assessor declares before it assesses (BEY-08).

use domain::admission::declaration_of_interests::{DeclarationOfInterests, DeclaredInterest};
use domain::arrangement::{ARRANGEMENT_NOT_IN_FORCE, Arrangement};
use domain::kernel::ArrangementId;
use persistence::admission::declaration_of;
use persistence::{Outcome, Stored, Tx};

use crate::Command;

/// Declares the caller's interests in the providers of an arrangement; again, they replace what was declared before.
///
/// # Errors
/// What the rules refuse.
pub fn declare(
    tx: &mut Tx<'_>,
    by: &Command,
    arrangement: ArrangementId,
    interests: Vec<DeclaredInterest>,
) -> Outcome<Stored<DeclarationOfInterests>> {
    if by.hold::<Arrangement>(tx, arrangement)?.is_over() {
        return Err(ARRANGEMENT_NOT_IN_FORCE.broken("the arrangement has ended").into());
    }
    let (actor, now) = (tx.actor(), tx.now());
    turn(tx, arrangement)?;
    match declaration_of(tx, arrangement, &actor.subject)? {
        None => tx.create(DeclarationOfInterests::declare(tx.mint(), arrangement, interests, actor, now)?),
        Some(before) => {
            let decision = before.value.clone().revise(interests, actor, now)?;
            tx.save(&before, decision)
        }
    }
}

/// An assessor declares and decides one after the other: an interest that was declared first is known to the decision.
fn turn(tx: &mut Tx<'_>, arrangement: ArrangementId) -> Outcome<()> {
    let assessor = &tx.actor().subject;
    tx.take_turn(&format!("interests in {arrangement} of {assessor}"))
}

/// What the caller declared for an arrangement; none of it changes until the transaction ends.
///
/// # Errors
/// Where the store fails.
pub fn own(tx: &mut Tx<'_>, arrangement: ArrangementId) -> Outcome<Option<DeclarationOfInterests>> {
    turn(tx, arrangement)?;
    let assessor = tx.actor();
    Ok(declaration_of(tx, arrangement, &assessor.subject)?.map(|declaration| declaration.value))
}

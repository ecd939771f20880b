//! Declarations of interests: an assessor declares before it assesses (BEY-08).

use domain::admission::declaration_of_interests::{DeclarationOfInterests, DeclaredInterest};
use domain::arrangement::Arrangement;
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
    by.hold::<Arrangement>(tx, arrangement)?;
    let (actor, now) = (tx.actor(), tx.now());
    match declaration_of(tx, arrangement, &actor.subject)? {
        None => tx.create(DeclarationOfInterests::declare(tx.mint(), arrangement, interests, actor, now)?),
        Some(before) => {
            let decision = before.value.clone().revise(interests, actor, now)?;
            tx.save(&before, decision)
        }
    }
}

/// What the caller declared for an arrangement.
///
/// # Errors
/// Where the store fails.
pub fn own(tx: &mut Tx<'_>, arrangement: ArrangementId) -> Outcome<Option<DeclarationOfInterests>> {
    let assessor = tx.actor();
    Ok(declaration_of(tx, arrangement, &assessor.subject)?.map(|declaration| declaration.value))
}

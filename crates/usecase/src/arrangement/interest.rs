//! Interests: a provider tells that it means to apply (A19, PRO-07).

use domain::arrangement::{Arrangement, Interest};
use domain::kernel::{Aggregate as _, ArrangementId, ProviderId};
use domain::provider::provider::Provider;
use persistence::arrangement::interests;
use persistence::{Filter, Outcome, Page, Stored, Tx};

use crate::Command;

/// Ends the interests in an arrangement that has ended.
pub(crate) fn end_all(tx: &mut Tx<'_>, arrangement: &Arrangement, _reason: &str) -> Outcome<()> {
    let standing = Filter::all().is(interests::arrangement_id, arrangement.id).is(interests::state, "registered");
    for found in tx.list(&standing, Page::ALL)? {
        let before = tx.lock::<Interest>(found.value.id)?;
        if before.value.permit("end").is_ok() {
            let decision = before.value.clone().end(tx.now())?;
            tx.save(&before, decision)?;
        }
    }
    Ok(())
}

/// Registers a provider's interest in a published arrangement.
///
/// # Errors
/// What the rules refuse.
pub fn register(
    tx: &mut Tx<'_>,
    by: &Command,
    arrangement: ArrangementId,
    provider: ProviderId,
) -> Outcome<Stored<Interest>> {
    by.hold::<Provider>(tx, provider)?;
    let found = tx.hold::<Arrangement>(arrangement);
    let published = by.who.in_market().own(tx, found)?.value;
    let filter = Filter::all()
        .is(interests::arrangement_id, arrangement)
        .is(interests::provider_id, provider)
        .is(interests::state, "registered");
    let registered = tx.count(&filter)? > 0;
    tx.create(Interest::register(tx.mint(), provider, &published, registered, tx.now())?)
}

//! Interests: a provider tells that it means to apply (A19, PRO-07).

use domain::arrangement::{Arrangement, Interest};
use domain::kernel::{ArrangementId, ProviderId};
use domain::provider::provider::Provider;
use persistence::arrangement::interests;
use persistence::{Filter, Outcome, Stored, Tx};

use crate::Command;

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

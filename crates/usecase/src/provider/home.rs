//! Homes: added as registered or as expected to open (CHE-12).

use chrono::NaiveDate;
use domain::kernel::{ProviderId, Refusal};
use domain::provider::home::{Home, HomeProfile, Registration};
use domain::provider::provider::Provider;
use persistence::{Outcome, Stored, Tx};

use crate::Command;

domain::rules! {
    OPENING_AMBIGUOUS = "home_opening_ambiguous", Input, "CHE-12",
        "A home is added as registered or as expected to open, not both.";
}

/// Adds a home to a provider.
///
/// # Errors
/// What the rules refuse, at the places of `/profile` and `/registration`.
pub fn add(
    tx: &mut Tx<'_>,
    by: &Command,
    provider: ProviderId,
    profile: HomeProfile,
    registration: Option<Registration>,
    expected_on: Option<NaiveDate>,
) -> Outcome<Stored<Home>> {
    by.hold::<Provider>(tx, provider)?.may_add_home()?;
    let decision = match (registration, expected_on) {
        (Some(_), Some(_)) => {
            let detail = "a home that is registered is not expected to open";
            return Err(OPENING_AMBIGUOUS.broken_at("/expectedOn", detail).into());
        }
        (Some(registration), None) => Home::add(tx.mint(), provider, profile, registration, tx.now()),
        (None, expected_on) => Home::propose(tx.mint(), provider, profile, expected_on, tx.now()),
    };
    tx.create(decision.map_err(placed)?)
}

/// The refusal with its fields where the body of the request has them.
fn placed(refusal: Refusal) -> Refusal {
    let Refusal::Rules(mut broken) = refusal else { return refusal };
    for violation in &mut broken {
        if let Some(field) = &mut violation.field {
            let part = if matches!(field.as_str(), "/urn" | "/registeredOn") { "/registration" } else { "/profile" };
            field.insert_str(0, part);
        }
    }
    Refusal::Rules(broken)
}

//! Homes: added as registered or as expected to open (CHE-12).

use chrono::NaiveDate;
use domain::kernel::{Decided, HomeId, Kind, ProviderId, Refusal};
use domain::provider::home::{Home, HomeEvent, HomeProfile, Registration, Transfer};
use domain::provider::provider::{Provider, ProviderEvent};
use persistence::record::event;
use persistence::{Failure, Outcome, Stored, Tx};

use super::deals_with;
use crate::Command;

domain::rules! {
    OPENING_AMBIGUOUS = "home_opening_ambiguous", Input, "CHE-12",
        "A home is added as registered or as expected to open, not both.";
    BUYER_UNKNOWN = "buyer_unknown", Input, "A20", "A home is transferred to a provider that is registered.";
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

/// A home is sold. Its owner offers it, and the buyer accepts; an officer records what both agreed. Both are told, and the
/// authorities.
///
/// # Errors
/// What the rules refuse.
pub fn transfer(tx: &mut Tx<'_>, by: &Command, id: HomeId, transfer: Transfer) -> Outcome<Stored<Home>> {
    let of = by.who.get::<Home>(tx, id)?.value.provider;
    deals_with(tx, &by.who, of)?;
    // The buyer before the home, as everywhere.
    let buyer = match tx.lock::<Provider>(transfer.to) {
        Err(Failure::NotFound(Kind::Provider)) => {
            return Err(BUYER_UNKNOWN.broken_at("/to", format!("there is no provider {}", transfer.to)).into());
        }
        found => found?,
    };
    buyer.value.may_add_home()?;
    let before = by.lock::<Home>(tx, id)?;
    let now = tx.now();
    if !by.who.is_providing() {
        let decision = before.value.clone().transfer(transfer, now)?;
        return handed_over(tx, &before, decision);
    }
    let from = before.value.provider;
    let (on, reason) = (transfer.on, transfer.reason.clone());
    let decision = before.value.clone().offer_transfer(transfer, now)?;
    let is_new = !decision.1.is_empty();
    let after = tx.save(&before, decision)?;
    if is_new {
        let urn = after.value.urn().map(str::to_owned);
        event::note(tx, &buyer, &ProviderEvent::HomeOffered { home: id, urn, from, on, reason })?;
    }
    Ok(after)
}

/// The buyer accepts the transfer that it was offered. To anybody else there is none.
///
/// # Errors
/// Not found, and what the rules refuse.
pub fn accept_transfer(tx: &mut Tx<'_>, by: &Command, id: HomeId) -> Outcome<Stored<Home>> {
    let own = by.who.own_providers(tx)?.unwrap_or_default();
    let is_offered = |home: &Home| home.transfer.as_ref().is_some_and(|offered| own.contains(&offered.to));
    let before = by.lock_if(tx, id, is_offered)?;
    let decision = before.value.clone().accept_transfer()?;
    tx.hold::<Provider>(decision.0.provider)?.value.may_add_home()?;
    handed_over(tx, &before, decision)
}

/// The buyer declines the transfer that it was offered, or the owner takes it back.
///
/// # Errors
/// Not found, and what the rules refuse.
pub fn end_transfer(tx: &mut Tx<'_>, by: &Command, id: HomeId, reason: &str) -> Outcome<Stored<Home>> {
    let own = by.who.own_providers(tx)?.unwrap_or_default();
    let is_party = |home: &Home| {
        let to = home.transfer.as_ref().map(|offered| offered.to);
        own.contains(&home.provider) || to.is_some_and(|to| own.contains(&to))
    };
    let before = by.lock_if(tx, id, is_party)?;
    let decision = before.value.clone().end_transfer(reason)?;
    tx.save(&before, decision)
}

/// Stores that a home is another's, and tells its former owner.
fn handed_over(tx: &mut Tx<'_>, before: &Stored<Home>, decision: Decided<Home>) -> Outcome<Stored<Home>> {
    let after = tx.save(before, decision.clone())?;
    let seller = tx.get::<Provider>(before.value.provider)?;
    for told in decision.1 {
        if let HomeEvent::HomeTransferred { to, on, reason, .. } = told {
            let (home, urn) = (after.value.id, after.value.urn().map(str::to_owned));
            event::note(tx, &seller, &ProviderEvent::HomeHandedOver { home, urn, to, on, reason })?;
        }
    }
    Ok(after)
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

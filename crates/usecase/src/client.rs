//! Machine clients: an administrator registers portals and scripts (CRD-05, CRD-08, CRD-09). A secret is made by the caller,
//! who has randomness; what is kept of it is its digest.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::client::{Client, ClientState, ClientTerms, Secret};
use domain::kernel::{Actor, ClientId, Instant, Permission, ProviderId, Role, SecretId};
use persistence::{Conn, Outcome, Stored, Tx, provider};

use crate::{Caller, Grant};

/// Registers a client, with the digest of its first secret.
///
/// # Errors
/// What the rules refuse.
pub fn register(tx: &mut Tx<'_>, terms: &ClientTerms, digest: &str) -> Outcome<Stored<Client>> {
    let registered = registered(tx, terms)?;
    let secret = kept(tx, digest);
    tx.create(Client::register(tx.mint(), terms.clone(), &registered, secret, tx.actor(), tx.now())?)
}

/// Replaces what a client may do.
///
/// # Errors
/// What the rules refuse.
pub fn amend(tx: &mut Tx<'_>, before: &Stored<Client>, terms: &ClientTerms) -> Outcome<Stored<Client>> {
    let registered = registered(tx, terms)?;
    tx.save(before, before.value.clone().amend(terms.clone(), &registered)?)
}

/// Gives a client a new secret; the one in use stays valid for `overlap` seconds.
///
/// # Errors
/// What the rules refuse.
pub fn rotate(tx: &mut Tx<'_>, before: &Stored<Client>, digest: &str, overlap: i64) -> Outcome<Stored<Client>> {
    let secret = kept(tx, digest);
    tx.save(before, before.value.clone().rotate(secret, overlap, tx.now())?)
}

fn kept(tx: &Tx<'_>, digest: &str) -> Secret {
    Secret::new(tx.mint(), digest.to_owned(), tx.now())
}

/// Of the providers that the terms name, those that are registered.
fn registered(tx: &mut Tx<'_>, terms: &ClientTerms) -> Outcome<BTreeSet<ProviderId>> {
    provider::existing(tx, terms.providers.iter().copied())
}

/// Who acts with a client's token, by the client's present state; `None` where the client was revoked or the secret has
/// ended.
#[must_use]
pub fn acting(client: Client, secret: SecretId, now: Instant) -> Option<(Actor, Grant)> {
    if !client.has_live(secret, now) {
        return None;
    }
    let actor = Actor {
        subject: client.id.to_string(),
        role: client.terms.role,
        authority: client.terms.authority.clone(),
        provider: None,
    };
    granted(client).map(|grant| (actor, grant))
}

/// What is granted to a client; `None` where it was revoked.
fn granted(Client { state, terms, .. }: Client) -> Option<Grant> {
    match state {
        ClientState::Active => {
            Some(Grant { scopes: terms.scopes, providers: terms.providers, rate_limit: terms.rate_limit })
        }
        ClientState::Revoked { .. } => None,
    }
}

/// The account of `actor` as it stands now, for what is done in its name while it does not call. `None` where it is
/// that of a machine client that was revoked or may do this no more.
///
/// # Errors
/// Where the store fails.
pub fn account(c: &mut Conn<'_>, actor: &Actor, permission: Permission) -> Outcome<Option<Caller>> {
    let who = |grant| Caller { actor: Arc::new(actor.clone()), permission, grant };
    let id = if matches!(actor.role, Role::Portal | Role::Script) { actor.subject.parse().ok() } else { None };
    let client = id.map(|id| c.find::<Client>(ClientId(id))).transpose()?.flatten();
    let Some(client) = client else { return Ok(Some(who(None))) };
    let grant = granted(client.value).filter(|grant| grant.scopes.contains(&permission));
    Ok(grant.map(|grant| who(Some(Arc::new(grant)))))
}

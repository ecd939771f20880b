//! Machine clients: an administrator registers portals and scripts, which get short tokens at `POST /oauth/token`
//! (CRD-05, CRD-08, CRD-09).

pub mod clients;
pub mod oauth;

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::client::{Client, ClientState, ClientTerms, Secret};
use domain::kernel::{Actor, ClientId, Permission, ProviderId, Role};
use persistence::{Conn, Db, Failure, Mode, Outcome, Stamp, Stored, Tx, provider};
use sha2::{Digest as _, Sha256};

use crate::App;
use crate::auth::token::ClientToken;
use crate::http::problem::{self, Problem};
use crate::http::routes::Subject;
use persistence::record::hex;
use usecase::{Caller, Grant};

/// The subject.
pub static SUBJECT: Subject = Subject {
    tags: &[("clients", "Machine clients: portals and scripts with tokens of their own (CRD-08, CRD-09)")],
    routes: &[clients::routes],
    clock: &[],
    deadlines: &[],
    uploads: &[],
};

/// A client with the secret that was made for it: it is told once, and kept nowhere.
pub type Told = (Stored<Client>, String);

/// Who registers clients on the server's own command line.
#[must_use]
pub fn operator() -> Actor {
    Actor { subject: "operator".to_owned(), role: Role::Administrator, authority: None, provider: None }
}

/// Registers a client without HTTP.
///
/// # Errors
/// The refusal of the rules, or where the store fails.
pub async fn register(db: &Db, stamp: Stamp, terms: ClientTerms) -> Outcome<Told> {
    db.write(stamp, Mode::Commit, move |tx| register_in(tx, &terms)).await
}

/// Gives a client a new secret without HTTP; the one in use stays valid for `overlap` seconds.
///
/// # Errors
/// As [`register`].
pub async fn rotate(db: &Db, stamp: Stamp, id: ClientId, overlap: i64) -> Outcome<Told> {
    db.write(stamp, Mode::Commit, move |tx| {
        let before = tx.lock::<Client>(id)?;
        rotate_in(tx, &before, overlap)
    })
    .await
}

/// Ends a client without HTTP.
///
/// # Errors
/// As [`register`].
pub async fn revoke(db: &Db, stamp: Stamp, id: ClientId, reason: String) -> Outcome<Stored<Client>> {
    db.write(stamp, Mode::Commit, move |tx| {
        let before = tx.lock::<Client>(id)?;
        let decision = before.value.clone().revoke(reason.clone(), tx.actor(), tx.now())?;
        tx.save(&before, decision)
    })
    .await
}

fn register_in(tx: &mut Tx<'_>, terms: &ClientTerms) -> Outcome<Told> {
    let registered = registered(tx, terms)?;
    let (secret, plain) = new_secret(tx)?;
    let decision = Client::register(tx.mint(), terms.clone(), &registered, secret, tx.actor(), tx.now())?;
    Ok((tx.create(decision)?, plain))
}

fn rotate_in(tx: &mut Tx<'_>, before: &Stored<Client>, overlap: i64) -> Outcome<Told> {
    let (secret, plain) = new_secret(tx)?;
    let decision = before.value.clone().rotate(secret, overlap, tx.now())?;
    Ok((tx.save(before, decision)?, plain))
}

/// Of the providers that the terms name, those that are registered.
fn registered(tx: &mut Tx<'_>, terms: &ClientTerms) -> Outcome<BTreeSet<ProviderId>> {
    Ok(provider::names_of(tx, terms.providers.iter().copied())?.into_keys().collect())
}

/// 256 random bits, and what is kept of them. The beginning is for scanners that look for secrets in files.
fn new_secret(tx: &Tx<'_>) -> Outcome<(Secret, String)> {
    let mut bits = [0; 32];
    getrandom::fill(&mut bits).map_err(|e| Failure::Broken(format!("no randomness: {e}")))?;
    let plain = format!("dps_{}", hex(&bits));
    Ok((Secret::new(tx.mint(), hash(&plain), tx.now()), plain))
}

/// No dictionary holds 256 random bits, so a slow hash would add nothing but load.
fn hash(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

/// Who calls with a client's token, by the client's present state: a client that was revoked or narrowed, or a secret
/// that has ended, counts at once, on every server.
///
/// # Errors
/// 401 where the client or the secret has ended.
pub async fn caller(app: &App, token: &ClientToken) -> Result<(Actor, Grant), Problem> {
    let (id, now) = (token.client, app.clock.now());
    let found = app.db.read(move |c| c.find::<Client>(id)).await?.map(|found| found.value);
    let ended = || Problem::new(&problem::UNAUTHENTICATED, "the client was revoked, or its secret has ended");
    let client = found.filter(|client| client.has_live(token.secret, now)).ok_or_else(ended)?;
    let actor = Actor {
        subject: client.id.to_string(),
        role: client.terms.role,
        authority: client.terms.authority.clone(),
        provider: None,
    };
    let mut grant = granted(client).ok_or_else(ended)?;
    grant.scopes.retain(|scope| token.scopes.contains(scope));
    Ok((actor, grant))
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

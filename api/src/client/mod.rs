//! Machine clients: an administrator registers portals and scripts, which get short tokens at `POST /oauth/token`
//! (CRD-05, CRD-08, CRD-09).

pub mod clients;
pub mod oauth;

use domain::client::Client;
use domain::kernel::Actor;
use persistence::record::hex;
use persistence::{Failure, Outcome};
use sha2::{Digest as _, Sha256};
use usecase::{Grant, client};

use crate::App;
use crate::auth::token::ClientToken;
use crate::http::problem::{self, Problem};
use crate::http::routes::Subject;

/// The subject.
pub static SUBJECT: Subject = Subject {
    tags: &[("clients", "Machine clients: portals and scripts with tokens of their own (CRD-08, CRD-09)")],
    routes: &[clients::routes],
    clock: &[],
    deadlines: &[],
    uploads: &[],
};

/// A secret that was made for a client: it is told once, and kept nowhere.
pub struct NewSecret {
    /// What the client is told. The beginning is for scanners that look for secrets in files.
    pub plain: String,
    /// What is kept.
    pub digest: String,
}

impl NewSecret {
    /// 256 random bits.
    ///
    /// # Errors
    /// Where there is no randomness.
    pub fn make() -> Outcome<Self> {
        let mut bits = [0; 32];
        getrandom::fill(&mut bits).map_err(|e| Failure::Broken(format!("no randomness: {e}")))?;
        let plain = format!("dps_{}", hex(&bits));
        let digest = digest(&plain);
        Ok(Self { plain, digest })
    }
}

/// No dictionary holds 256 random bits, so a slow hash would add nothing but load.
fn digest(secret: &str) -> String {
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
    let (actor, mut grant) = found.and_then(|found| client::acting(found, token.secret, now)).ok_or_else(ended)?;
    grant.scopes.retain(|scope| token.scopes.contains(scope));
    Ok((actor, grant))
}

//! JSON Web Tokens: algorithm, issuer and audience are pinned by configuration (CRD-05).

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use domain::kernel::{Actor, AuthorityCode, ProviderId, Role};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};

/// What a token says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    /// An opaque account id.
    pub sub: String,
    /// Who issued it.
    pub iss: String,
    /// For whom.
    pub aud: String,
    /// Seconds since 1970 at which it expires.
    pub exp: u64,
    /// The one role of this token.
    pub role: Role,
    /// The authority the bearer works for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authority: Option<AuthorityCode>,
    /// The provider the bearer belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderId>,
}

/// Verified tokens kept at most; verifying costs several times what answering does.
const KEPT: usize = 10_000;

/// Verifies tokens, and remembers those it verified until they expire.
pub struct Verifier {
    keys: Keys,
    validation: Validation,
    seen: Mutex<HashMap<String, (u64, Actor)>>,
}

enum Keys {
    Shared(DecodingKey),
    Published(JwkSet),
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verifier")
    }
}

/// The issuer of tokens that this program makes for development.
pub const LOCAL_ISSUER: &str = "dps-local";

impl Verifier {
    /// For tokens signed with a local secret (HS256): development.
    #[must_use]
    pub fn local(secret: &[u8], audience: &str) -> Self {
        Self::new(Keys::Shared(DecodingKey::from_secret(secret)), Algorithm::HS256, LOCAL_ISSUER, audience)
    }

    /// For tokens of an identity provider, by its JSON Web Key Set.
    #[must_use]
    pub fn published(keys: JwkSet, algorithm: Algorithm, issuer: &str, audience: &str) -> Self {
        Self::new(Keys::Published(keys), algorithm, issuer, audience)
    }

    fn new(keys: Keys, algorithm: Algorithm, issuer: &str, audience: &str) -> Self {
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.leeway = 30;
        Self { keys, validation, seen: Mutex::default() }
    }

    /// Who bears `token`.
    ///
    /// # Errors
    /// What is wrong with it, for the caller; never the token itself.
    pub fn verify(&self, token: &str) -> Result<Actor, String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map(|d| d.as_secs()).unwrap_or_default();
        if let Some((expires, actor)) = self.seen().get(token)
            && *expires > now
        {
            return Ok(actor.clone());
        }
        let claims = self.claims(token)?;
        let actor = actor(&claims)?;
        let mut seen = self.seen();
        if seen.len() >= KEPT {
            seen.clear();
        }
        seen.insert(token.to_owned(), (claims.exp, actor.clone()));
        Ok(actor)
    }

    fn claims(&self, token: &str) -> Result<Claims, String> {
        let say = |e: jsonwebtoken::errors::Error| format!("the token is refused: {e}");
        let key = match &self.keys {
            Keys::Shared(key) => key.clone(),
            Keys::Published(set) => {
                let header = decode_header(token).map_err(say)?;
                let kid = header.kid.ok_or("the token names no key")?;
                let jwk = set.find(&kid).ok_or("the token names an unknown key")?;
                DecodingKey::from_jwk(jwk).map_err(say)?
            }
        };
        decode::<Claims>(token, &key, &self.validation).map(|data| data.claims).map_err(say)
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, HashMap<String, (u64, Actor)>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn actor(claims: &Claims) -> Result<Actor, String> {
    let Claims { sub, role, authority, provider, iss: _, aud: _, exp: _ } = claims.clone();
    if sub.is_empty() || sub.len() > 200 {
        return Err("the token's subject is empty or too long".to_owned());
    }
    match role {
        Role::Public => Err("a token has a role".to_owned()),
        Role::Provider if provider.is_none() => Err("a provider's token names the provider".to_owned()),
        Role::Provider | Role::Portal | Role::Script => Ok(Actor { subject: sub, role, authority, provider }),
        Role::ArtOfficer
        | Role::Commissioner
        | Role::LeadAgency
        | Role::MonitoringOfficer
        | Role::Consortium
        | Role::SocialWorker => match authority {
            None => Err("the token of a buyer names its authority".to_owned()),
            Some(_) => Ok(Actor { subject: sub, role, authority, provider: None }),
        },
    }
}

/// A token signed with a local secret: for development and tests.
///
/// # Errors
/// Where it cannot be signed.
pub fn issue(secret: &[u8], claims: &Claims) -> Result<String, String> {
    encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(secret)).map_err(|e| e.to_string())
}

/// The local secret in `file`; made where missing, readable by its owner only.
///
/// # Errors
/// Where the file cannot be read or made.
pub fn local_secret(file: &Path) -> Result<Vec<u8>, String> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let say = |e: std::io::Error| format!("the key {}: {e}", file.display());
    match std::fs::read(file) {
        Ok(secret) if secret.len() >= 32 => Ok(secret),
        Ok(_) => Err(format!("the key {} is shorter than 32 bytes", file.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut secret = [0u8; 32];
            getrandom::fill(&mut secret).map_err(|e| e.to_string())?;
            let mut made =
                std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).map_err(say)?;
            made.write_all(&secret).map_err(say)?;
            Ok(secret.to_vec())
        }
        Err(error) => Err(say(error)),
    }
}

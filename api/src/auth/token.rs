//! JSON Web Tokens: of people, by an identity provider or for development, and of machine clients, by this server.
//! Algorithm, issuer and audience are pinned by configuration (CRD-05).

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use domain::kernel::{Actor, AuthorityCode, ClientId, Permission, ProviderId, Role, SecretId};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::keys::Keys;

/// What the token of a person says.
#[derive(Clone, Debug, Serialize)]
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

/// What is read of any token; issuer, audience and times are checked before.
#[derive(Deserialize)]
struct Said {
    sub: String,
    iss: String,
    exp: u64,
    role: Option<Role>,
    authority: Option<AuthorityCode>,
    provider: Option<ProviderId>,
    scope: Option<String>,
    secret: Option<Uuid>,
}

/// Who bears a token.
#[derive(Clone, Debug)]
pub enum Bearer {
    /// A person, or an account that the identity provider vouches for.
    Person(Arc<Actor>),
    /// A machine client: what it may do is for its present state to say.
    Client(Arc<ClientToken>),
}

/// What the token of a machine client says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientToken {
    /// Which client.
    pub client: ClientId,
    /// The secret that it was got with.
    pub secret: SecretId,
    /// What it was asked for.
    pub scopes: BTreeSet<Permission>,
}

/// Verified tokens kept at most; verifying costs several times what answering does.
const TOKENS_MAX: usize = 10_000;

/// Verifies tokens, and remembers those it verified until they expire or the keys change. The state of a client is not
/// remembered.
pub struct Verifier {
    audience: String,
    signing: EncodingKey,
    own: DecodingKey,
    /// For what this program signs itself.
    owned: Validation,
    people: Option<People>,
    seen: Cache<String, Seen>,
}

/// The identity provider.
struct People {
    keys: Arc<Keys>,
    validation: Validation,
}

#[derive(Clone)]
struct Seen {
    expires: u64,
    generation: u64,
    bearer: Bearer,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verifier")
    }
}

/// The issuer of tokens that this program makes for development.
pub const LOCAL_ISSUER: &str = "dps-local";
/// The issuer of machine clients' tokens.
pub const CLIENT_ISSUER: &str = "dps";

/// What is wrong with a token, for the caller; never the token itself.
type Verified<T> = Result<T, String>;

impl Verifier {
    /// For development: whoever can read the key makes tokens of any role.
    #[must_use]
    pub fn local(key: &[u8], audience: &str) -> Self {
        Self::new(key, audience, &[CLIENT_ISSUER, LOCAL_ISSUER], None)
    }

    /// For the tokens of an identity provider, and of clients by `key`.
    #[must_use]
    pub fn published(key: &[u8], keys: Arc<Keys>, algorithm: Algorithm, issuer: &str, audience: &str) -> Self {
        let people = People { keys, validation: validation(algorithm, &[issuer], audience) };
        Self::new(key, audience, &[CLIENT_ISSUER], Some(people))
    }

    fn new(key: &[u8], audience: &str, issuers: &[&str], people: Option<People>) -> Self {
        Self {
            audience: audience.to_owned(),
            signing: EncodingKey::from_secret(key),
            own: DecodingKey::from_secret(key),
            owned: validation(Algorithm::HS256, issuers, audience),
            people,
            seen: Cache::new(TOKENS_MAX),
        }
    }

    /// Who bears `token`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn verify(&self, token: &str) -> Verified<Bearer> {
        let generation = self.people.as_ref().map_or(0, |people| people.keys.generation());
        if let Some(seen) = self.seen.get(token)
            && seen.expires > now()
            && seen.generation == generation
        {
            return Ok(seen.bearer);
        }
        let (said, generation) = self.said(token, generation).await?;
        let expires = said.exp;
        let bearer = bearer(said)?;
        self.seen.insert(token.to_owned(), Seen { expires, generation, bearer: bearer.clone() });
        Ok(bearer)
    }

    /// What a token says that one of the two keys signed. The kind of signature tells which is asked; each knows one
    /// algorithm, so a public key never serves as a shared one.
    async fn said(&self, token: &str, generation: u64) -> Verified<(Said, u64)> {
        let say = |e: jsonwebtoken::errors::Error| format!("the token is refused: {e}");
        let header = decode_header(token).map_err(say)?;
        // Nothing that must be understood beyond the usual is (RFC 7515, 4.1.11).
        if header.crit.is_some() {
            return Err("the token is refused: its header has `crit`".to_owned());
        }
        let people = match &self.people {
            Some(people) if header.alg != Algorithm::HS256 => people,
            _ => return Ok((decode(token, &self.own, &self.owned).map_err(say)?.claims, generation)),
        };
        let kid = header.kid.ok_or("the token names no key")?;
        let (key, generation) = people.keys.find(&kid).await.ok_or("the token names an unknown key")?;
        let data = decode::<Said>(token, &key, &people.validation).map_err(say)?;
        if data.claims.iss == CLIENT_ISSUER {
            return Err("the token is refused: its issuer is this server".to_owned());
        }
        Ok((data.claims, generation))
    }

    /// A token for a machine client; `role` and `authority` tell the bearer, the server asks the client's state.
    ///
    /// # Errors
    /// Where it cannot be signed.
    pub fn issue(
        &self,
        token: &ClientToken,
        role: Role,
        authority: Option<&AuthorityCode>,
        seconds: u64,
    ) -> Result<String, String> {
        let mut jti = [0; 16];
        getrandom::fill(&mut jti).map_err(|e| e.to_string())?;
        let now = now();
        let claims = serde_json::json!({
            "iss": CLIENT_ISSUER,
            "aud": self.audience,
            "sub": token.client,
            "iat": now,
            "exp": now + seconds,
            "jti": Uuid::from_bytes(jti),
            "role": role,
            "authority": authority,
            "scope": scope(&token.scopes),
            "secret": token.secret,
        });
        encode(&Header::new(Algorithm::HS256), &claims, &self.signing).map_err(|e| e.to_string())
    }
}

/// Scopes as a token and its answer write them.
#[must_use]
pub fn scope(scopes: &BTreeSet<Permission>) -> String {
    scopes.iter().map(|scope| scope.scope()).collect::<Vec<_>>().join(" ")
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map(|d| d.as_secs()).unwrap_or_default()
}

fn validation(algorithm: Algorithm, issuers: &[&str], audience: &str) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.set_issuer(issuers);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.validate_nbf = true;
    validation.leeway = 30;
    validation
}

fn bearer(said: Said) -> Verified<Bearer> {
    if said.iss == CLIENT_ISSUER {
        let client = said.sub.parse().map_err(|_| "the token names no client")?;
        let secret = said.secret.ok_or("the token names no secret")?;
        let scopes = said.scope.unwrap_or_default().split(' ').filter_map(Permission::of_scope).collect();
        return Ok(Bearer::Client(Arc::new(ClientToken {
            client: ClientId(client),
            secret: SecretId(secret),
            scopes,
        })));
    }
    actor(said).map(|actor| Bearer::Person(Arc::new(actor)))
}

fn actor(said: Said) -> Verified<Actor> {
    let Said { sub, role, authority, provider, .. } = said;
    let role = role.ok_or("the token names no role")?;
    if sub.is_empty() || sub.len() > 200 || sub.contains(char::is_control) {
        return Err("the token's subject is empty, too long or no plain text".to_owned());
    }
    match role {
        Role::Public => Err("a token has a role".to_owned()),
        Role::Provider if provider.is_none() => Err("a provider's token names the provider".to_owned()),
        Role::Provider | Role::Portal | Role::Script => Ok(Actor { subject: sub, role, authority, provider }),
        Role::Administrator => Ok(Actor { subject: sub, role, authority: None, provider: None }),
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

/// A token of a person, signed with a local key: for development and tests.
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

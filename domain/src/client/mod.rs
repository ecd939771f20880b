//! Machine clients: portals and scripts that get their tokens by the client credentials grant (CRD-05, CRD-08, CRD-09).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};
use utoipa::ToSchema;
use validator::Validate;

use crate::kernel::{
    About, Actor, Aggregate, Audience, AuthorityCode, ClientId, Decision, Instant, Kind, Permission, ProviderId, Reach,
    Role, SecretId, State, Violations,
};

crate::rules! {
    CLIENT_NAME = "client_name", Input, "CRD-08", "A client has a name of at most 200 characters.";
    CLIENT_ROLE = "client_role", Input, "CRD-08, CRD-09", "A machine client is a portal or a script.";
    CLIENT_ROLE_FIXED = "client_role_fixed", Conflict, "CRD-05", "A client keeps the role that it was registered in.";
    CLIENT_SCOPE = "client_scope", Input, "CRD-05, CRD-08",
        "A client has at least one scope, and none that its role does not have.";
    CLIENT_ACTS_FOR = "client_acts_for", Input, "CRD-05",
        "A script acts for an authority or for all, a portal for registered providers and under its own portal name.";
    PORTAL_NAME = "portal_name", Input, "CRD-09", "A portal's name is 2 to 40 of a-z, 0-9 and '-'.";
    PORTAL_NAME_TAKEN = "portal_name_taken", Conflict, "CRD-09", "A portal's name belongs to one client.";
    CLIENT_RATE = "client_rate", Input, "BEY-04", "A client's rate is 1 to 100000 requests a minute.";
    SECRET_OVERLAP = "secret_overlap", Input, "CRD-05", "A rotated secret stays valid for 30 days at most.";
}

/// Seconds for which a rotated secret stays valid at most.
const LONGEST_OVERLAP: i64 = 30 * 86_400;

/// What a client may do, and for whom; registration and amendment state all of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClientTerms {
    /// What people call it.
    pub name: String,
    /// `portal` or `script`; fixed at registration.
    pub role: Role,
    /// The permissions that its tokens carry at most, such as `read_members`.
    pub scopes: BTreeSet<Permission>,
    /// The authority that a script acts for; without one it serves all.
    #[serde(default)]
    pub authority: Option<AuthorityCode>,
    /// The providers that a portal acts for, beside those that it registers itself.
    #[serde(default)]
    pub providers: BTreeSet<ProviderId>,
    /// The name under which a portal writes external references, such as `procontract`; unique, never given to another.
    #[serde(default)]
    pub portal: Option<String>,
    /// Requests a minute, where the server's own limit does not fit.
    #[serde(default)]
    pub rate_limit: Option<u32>,
}

impl ClientTerms {
    /// Without blanks around names; what is wrong goes into `broken`. `registered` are those of the providers that are.
    fn checked(self, registered: &BTreeSet<ProviderId>, broken: &mut Violations) -> Self {
        let terms = Self {
            name: self.name.trim().to_owned(),
            portal: self.portal.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()),
            ..self
        };
        let named = (1..=200).contains(&terms.name.chars().count());
        broken.require(named, &CLIENT_NAME, "/name", "a name of 1 to 200 characters is required");
        let machine = matches!(terms.role, Role::Portal | Role::Script);
        broken.require(machine, &CLIENT_ROLE, "/role", format!("{} is no role of a machine", terms.role.name()));
        broken.require(!terms.scopes.is_empty(), &CLIENT_SCOPE, "/scopes", "at least one scope is required");
        for (n, scope) in terms.scopes.iter().enumerate() {
            let detail = format!("a {} has no {}", terms.role.name(), scope.scope());
            broken.require(scope.reach(terms.role) != Reach::None, &CLIENT_SCOPE, &format!("/scopes/{n}"), detail);
        }
        let portal = terms.role == Role::Portal;
        let detail = "a portal acts for providers";
        broken.require(!portal || terms.authority.is_none(), &CLIENT_ACTS_FOR, "/authority", detail);
        let detail = "only a portal acts for providers";
        broken.require(portal || terms.providers.is_empty(), &CLIENT_ACTS_FOR, "/providers", detail);
        let detail = "only a portal writes external references";
        broken.require(portal || terms.portal.is_none(), &CLIENT_ACTS_FOR, "/portal", detail);
        for (n, provider) in terms.providers.iter().enumerate() {
            let detail = format!("no provider is registered as {provider}");
            broken.require(registered.contains(provider), &CLIENT_ACTS_FOR, &format!("/providers/{n}"), detail);
        }
        let plain = |name: &str| name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let fits = |name: &String| (2..=40).contains(&name.len()) && plain(name);
        broken.require(terms.portal.as_ref().is_none_or(fits), &PORTAL_NAME, "/portal", "such as procontract");
        let rate = terms.rate_limit.is_none_or(|rate| (1..=100_000).contains(&rate));
        broken.require(rate, &CLIENT_RATE, "/rateLimit", "1 to 100000 requests a minute");
        terms
    }
}

/// A secret, of which only the hash is known.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Secret {
    /// Identifier; tokens name the secret that they were got with.
    pub id: SecretId,
    /// SHA-256 of the secret, in hexadecimal digits.
    pub hash: String,
    /// When it was made.
    pub created_at: Instant,
    /// When it ends, where it does.
    pub expires_at: Option<Instant>,
}

impl Secret {
    /// A new secret, by its hash.
    #[must_use]
    pub fn new(id: SecretId, hash: String, now: Instant) -> Self {
        Self { id, hash, created_at: now, expires_at: None }
    }

    /// Whether it is valid at that instant.
    #[must_use]
    pub fn is_live(&self, at: Instant) -> bool {
        self.expires_at.is_none_or(|end| at < end)
    }
}

/// Active clients get tokens; revoked ones get none, and theirs are refused.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[strum(serialize_all = "snake_case")]
pub enum ClientState {
    /// In use.
    Active,
    /// Ended, for good.
    Revoked {
        /// When.
        at: Instant,
        /// Why.
        reason: String,
        /// Subject of the account that did it.
        by: String,
    },
}

impl State for ClientState {
    fn knows(&self) -> &'static [&'static str] {
        match self {
            Self::Active => &["amend", "rotate", "revoke"],
            Self::Revoked { .. } => &[],
        }
    }
}

/// A machine client. It is stored with its secrets' hashes and shown without them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Client {
    /// Identifier: the `client_id`, the tokens' `sub`, and the subject in events.
    pub id: ClientId,
    /// What it may do.
    pub terms: ClientTerms,
    /// Its secrets, oldest first: two live ones at most.
    pub secrets: Vec<Secret>,
    /// Subject of the account that registered it.
    pub registered_by: String,
    /// When.
    pub registered_at: Instant,
    /// State.
    #[serde(flatten)]
    pub state: ClientState,
}

/// Events of a client. They name secrets and never say what they are, nor their hash.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema, VariantNames)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum ClientEvent {
    /// It was registered.
    ClientRegistered {
        /// What it may do.
        terms: ClientTerms,
        /// Its first secret.
        secret: SecretId,
    },
    /// What it may do was replaced.
    ClientAmended {
        /// What it may do since.
        terms: ClientTerms,
    },
    /// It has another secret.
    ClientSecretRotated {
        /// The new one.
        secret: SecretId,
        /// The one that stays valid for a while, if any.
        ending: Vec<SecretId>,
        /// Until when that one is valid.
        ends_at: Instant,
    },
    /// It was ended with all its secrets and tokens.
    ClientRevoked {
        /// Why.
        reason: String,
    },
}

impl Aggregate for Client {
    type Id = ClientId;
    type State = ClientState;
    type Event = ClientEvent;
    const KIND: Kind = Kind::Client;

    fn id(&self) -> ClientId {
        self.id
    }

    fn state(&self) -> &ClientState {
        &self.state
    }

    fn about(&self) -> About {
        About::default()
    }

    fn audience(&self, _event: &ClientEvent) -> Audience {
        Audience::Administrators
    }
}

impl Client {
    /// Registers a client with its first secret. `registered` are those of the providers it names that exist.
    pub fn register(
        id: ClientId,
        terms: ClientTerms,
        registered: &BTreeSet<ProviderId>,
        secret: Secret,
        actor: &Actor,
        now: Instant,
    ) -> Decision<Self> {
        let mut broken = Violations::new();
        let terms = terms.checked(registered, &mut broken);
        broken.refuse_any()?;
        let event = ClientEvent::ClientRegistered { terms: terms.clone(), secret: secret.id };
        let client = Self {
            id,
            terms,
            secrets: vec![secret],
            registered_by: actor.subject.clone(),
            registered_at: now,
            state: ClientState::Active,
        };
        Ok((client, vec![event]))
    }

    /// Replaces what it may do: at once, for the tokens that it has too.
    pub fn amend(mut self, terms: ClientTerms, registered: &BTreeSet<ProviderId>) -> Decision<Self> {
        self.permit("amend")?;
        let mut broken = Violations::new();
        let terms = terms.checked(registered, &mut broken);
        let same = terms.role == self.terms.role;
        broken.require(same, &CLIENT_ROLE_FIXED, "/role", format!("it is a {}", self.terms.role.name()));
        broken.refuse_any()?;
        if terms == self.terms {
            return Ok((self, Vec::new()));
        }
        self.terms = terms.clone();
        let event = ClientEvent::ClientAmended { terms };
        Ok((self, vec![event]))
    }

    /// Gives it a new secret. The one in use stays valid for `overlap` seconds, any older one ends now: two are live at
    /// most. What has ended before is forgotten.
    pub fn rotate(mut self, secret: Secret, overlap: i64, now: Instant) -> Decision<Self> {
        self.permit("rotate")?;
        let mut broken = Violations::new();
        let within = (0..=LONGEST_OVERLAP).contains(&overlap);
        broken.require(within, &SECRET_OVERLAP, "/overlapHours", "0 to 720 hours");
        broken.refuse_any()?;
        let ends_at = now.plus_seconds(overlap);
        self.secrets.retain(|secret| secret.is_live(now));
        let kept = self
            .secrets
            .pop()
            .into_iter()
            .map(|last| Secret { expires_at: Some(last.expires_at.map_or(ends_at, |end| end.min(ends_at))), ..last });
        let kept: Vec<Secret> = kept.filter(|last| last.is_live(now)).collect();
        let event = ClientEvent::ClientSecretRotated {
            secret: secret.id,
            ending: kept.iter().map(|last| last.id).collect(),
            ends_at,
        };
        self.secrets = kept;
        self.secrets.push(secret);
        Ok((self, vec![event]))
    }

    /// Ends it, with all its secrets and tokens, at once.
    pub fn revoke(mut self, reason: String, actor: &Actor, now: Instant) -> Decision<Self> {
        self.permit("revoke")?;
        let mut broken = Violations::new();
        broken.require_reason(&reason, "/reason");
        broken.refuse_any()?;
        self.secrets.clear();
        let event = ClientEvent::ClientRevoked { reason: reason.clone() };
        self.state = ClientState::Revoked { at: now, reason, by: actor.subject.clone() };
        Ok((self, vec![event]))
    }

    /// Whether it has a valid secret of that id at that instant: tokens end with the secret that they were got with.
    #[must_use]
    pub fn has_live(&self, secret: SecretId, at: Instant) -> bool {
        self.secrets.iter().any(|own| own.id == secret && own.is_live(at))
    }
}

#[cfg(test)]
mod tests;

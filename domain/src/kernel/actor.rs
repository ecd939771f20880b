//! Actors: a person or client with one role, and the authority or provider it belongs to (CRD-05).

use strum::IntoStaticStr;

use super::ProviderId;

/// The roles of requirements §6, and the one that runs the system.
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize, utoipa::ToSchema, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Role {
    /// Anyone, without a token: published documents are open to all (PCR34-14).
    Public,
    /// A provider of care; sees its own data only.
    Provider,
    /// Access to Resources officer: finds placements.
    ArtOfficer,
    /// Commissioner of a participating authority.
    Commissioner,
    /// The authority that runs the procurement.
    LeadAgency,
    /// Contract monitoring officer.
    MonitoringOfficer,
    /// A consortium that runs frameworks for others (4Cs).
    Consortium,
    /// Social worker.
    SocialWorker,
    /// An e-procurement portal that acts for the providers it registered.
    Portal,
    /// An internal integration script.
    Script,
    /// Runs the system and registers its machine clients; has no part in a procurement.
    Administrator,
}

impl Role {
    /// Every role: in the column order of requirements §6, then those that run the system.
    pub const ALL: [Role; 11] = [
        Role::Public,
        Role::Provider,
        Role::ArtOfficer,
        Role::Commissioner,
        Role::LeadAgency,
        Role::MonitoringOfficer,
        Role::Consortium,
        Role::SocialWorker,
        Role::Portal,
        Role::Script,
        Role::Administrator,
    ];

    /// The name as it stands in a token's `role` claim.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// A contracting authority's short code, such as `CCC`, `PCC` or `LGSS`: 2 to 16 of `A-Z`, `0-9` and `-`.
#[derive(
    Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, example = "CCC", pattern = "^[A-Z0-9-]{2,16}$")]
pub struct AuthorityCode(String);

impl AuthorityCode {
    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for AuthorityCode {
    type Error = String;

    fn try_from(code: String) -> Result<Self, Self::Error> {
        let plain = code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-');
        if plain && (2..=16).contains(&code.len()) {
            Ok(Self(code))
        } else {
            Err("an authority code is 2 to 16 of A-Z, 0-9 and '-'".to_owned())
        }
    }
}

impl From<AuthorityCode> for String {
    fn from(code: AuthorityCode) -> Self {
        code.0
    }
}

impl std::fmt::Display for AuthorityCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The author of a command, as it is written into every event (BEY-01).
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Actor {
    /// The token's subject: an opaque account id, never a name or an e-mail address.
    pub subject: String,
    /// The role the command was given in.
    pub role: Role,
    /// The authority the actor works for, on the buying side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authority: Option<AuthorityCode>,
    /// The provider the actor belongs to or acts for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderId>,
}

impl Actor {
    /// The server's own clock-driven work (rounds, lapses, removals taking effect).
    #[must_use]
    pub fn clock() -> Self {
        Self { subject: "clock".to_owned(), role: Role::Script, authority: None, provider: None }
    }
}

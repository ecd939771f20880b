//! Errors as RFC 9457 problem details, from one table of codes: the ones here and the domain's rules.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use domain::kernel::{Kind, Nature, Refusal, Violation};
use persistence::Failure;
use serde::Serialize;
use utoipa::ToSchema;

/// A kind of error that is not a rule of the domain.
#[derive(PartialEq, Eq, Debug)]
pub struct Code {
    /// Stable machine-readable code.
    pub code: &'static str,
    /// The status it is answered with.
    pub status: u16,
    /// What it means, in one sentence.
    pub says: &'static str,
}

macro_rules! codes {
    ($($name:ident = $code:literal, $status:literal, $says:literal;)+) => {
        $(#[doc = $says] pub static $name: Code = Code { code: $code, status: $status, says: $says };)+
        /// All of them.
        pub static CODES: &[&Code] = &[$(&$name),+];
    };
}

codes! {
    UNREADABLE = "unreadable", 400, "The request cannot be read: its JSON, query or a header is malformed.";
    UNAUTHENTICATED = "unauthenticated", 401, "A valid bearer token is needed.";
    FORBIDDEN = "forbidden", 403, "The role may not do this.";
    INSUFFICIENT_SCOPE = "insufficient_scope", 403, "The client's token does not have the scope that this needs.";
    NOT_FOUND = "not_found", 404, "There is no such thing, or it is not yours.";
    METHOD_NOT_ALLOWED = "method_not_allowed", 405, "The resource does not know this method.";
    WRONG_STATE = "wrong_state", 409, "The state does not know this command.";
    TOO_SLOW = "too_slow", 408, "The request body took longer to arrive than this server waits.";
    STALE = "stale", 412, "The version in If-Match is not the current one.";
    TOO_LARGE = "too_large", 413, "The request body is larger than this server accepts.";
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type", 415, "The request body is of a media type that this operation takes; application/json where it says no other.";
    INVALID = "invalid", 422, "One or more fields are missing, of the wrong type or outside their limits.";
    PRECONDITION_REQUIRED = "precondition_required", 428, "This request needs If-Match with the ETag that was read.";
    RATE_LIMITED = "rate_limited", 429, "Too many requests: Retry-After says when to come back.";
    BROKEN = "internal_error", 500, "Something is wrong with the server; it has been recorded.";
    UNAVAILABLE = "unavailable", 503, "The server cannot do this now; try again later.";
}

domain::rules! {
    KEY_REUSED = "idempotency_key_reused", Conflict, "CRD-07, AC-79", "An idempotency key belongs to one request.";
}

/// One thing that is wrong with a request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FieldError {
    /// Stable code of the rule.
    #[schema(example = "round_not_open")]
    pub code: String,
    /// JSON pointer to the field, where one is to blame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What is wrong in this case.
    pub detail: String,
    /// The requirement or statute the rule rests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rests_on: Option<String>,
}

/// An error as RFC 9457 problem details.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// A relative address that explains the code.
    #[serde(rename = "type")]
    #[schema(example = "/problems/round_not_open")]
    pub kind: String,
    /// The rule in one sentence.
    pub title: String,
    /// The HTTP status.
    #[schema(example = 409)]
    pub status: u16,
    /// Stable machine-readable code.
    pub code: String,
    /// What is wrong in this case.
    pub detail: String,
    /// Everything that is wrong, where rules are broken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<FieldError>,
    /// The state it is in, for `wrong_state`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The command that was tried, for `wrong_state`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempted: Option<String>,
    /// The commands that the state knows, for `wrong_state`; the methods, for `method_not_allowed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<Vec<String>>,
    /// The scope that is needed, for `insufficient_scope`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<&'static str>,
    /// The seconds to wait, for `rate_limited`; they are in `Retry-After`.
    #[serde(skip)]
    pub retry_after: Option<u64>,
    /// What the server's own trouble is, for the log alone.
    #[serde(skip)]
    pub cause: Option<String>,
}

impl Problem {
    /// A problem of a table code.
    #[must_use]
    pub fn new(code: &'static Code, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("/problems/{}", code.code),
            title: code.says.to_owned(),
            status: code.status,
            code: code.code.to_owned(),
            detail: detail.into(),
            errors: Vec::new(),
            from: None,
            attempted: None,
            allowed: None,
            scope: None,
            retry_after: None,
            cause: None,
        }
    }

    /// Fields that are missing, malformed or out of limits.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = errors.first().map(|e| e.detail.clone()).unwrap_or_default();
        Self { errors, ..Self::new(&INVALID, detail) }
    }

    /// Logs what the server's own trouble is, beside the request that met it.
    pub fn log(&self, request: &str) {
        match &self.cause {
            None => {}
            Some(cause) if self.code == UNAVAILABLE.code => tracing::warn!(request, cause, "unavailable"),
            Some(cause) => tracing::error!(request, cause, "broken"),
        }
    }

    fn rules(violations: &[Violation]) -> Self {
        // The gravest violation names the problem; all of them are listed.
        let Some(first) = violations.iter().rev().max_by_key(|v| v.rule.nature) else {
            return Self::new(&BROKEN, "the request was refused without a reason");
        };
        Self {
            kind: format!("/problems/{}", first.rule.code),
            title: first.rule.says.to_owned(),
            status: status(first.rule.nature),
            code: first.rule.code.to_owned(),
            detail: first.detail.clone(),
            errors: violations
                .iter()
                .map(|v| FieldError {
                    code: v.rule.code.to_owned(),
                    field: v.field.clone(),
                    detail: v.detail.clone(),
                    rests_on: Some(v.rule.rests_on.to_owned()),
                })
                .collect(),
            from: None,
            attempted: None,
            allowed: None,
            scope: None,
            retry_after: None,
            cause: None,
        }
    }

    fn wrong_state(kind: Kind, from: &str, attempted: &str, allowed: &[&str]) -> Self {
        Self {
            from: Some(from.to_owned()),
            attempted: Some(attempted.to_owned()),
            allowed: Some(allowed.iter().map(|&a| a.to_owned()).collect()),
            ..Self::new(&WRONG_STATE, format!("the {} is {from}, which does not know `{attempted}`", kind.name()))
        }
    }
}

/// The status that a rule's violation is answered with.
#[must_use]
pub fn status(nature: Nature) -> u16 {
    match nature {
        Nature::Input => 422,
        Nature::Conflict => 409,
        Nature::Forbidden => 403,
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(Refusal::Rules(violations)) => Self::rules(&violations),
            Failure::Refused(Refusal::WrongState { kind, from, attempted, allowed }) => {
                Self::wrong_state(kind, from, attempted, allowed)
            }
            Failure::NotFound(kind) => Self::new(&NOT_FOUND, format!("no such {}", kind.name())),
            Failure::Forbidden => Self::new(&FORBIDDEN, FORBIDDEN.says),
            Failure::Stale => Self::new(&STALE, "it was changed meanwhile: read it again"),
            Failure::Unconditional => Self::new(&PRECONDITION_REQUIRED, PRECONDITION_REQUIRED.says),
            Failure::Unavailable(inner) | Failure::Again(inner) => {
                Self { cause: Some(inner), ..Self::new(&UNAVAILABLE, UNAVAILABLE.says) }
            }
            Failure::Broken(inner) => Self { cause: Some(inner), ..Self::new(&BROKEN, BROKEN.says) },
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: {}", self.status, self.code, self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        match self.status {
            401 => {
                response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
            }
            405 => {
                let known = self.allowed.as_deref().unwrap_or_default().join(", ");
                response.insert_header((header::ALLOW, known));
            }
            403 => {
                if let Some(scope) = &self.scope {
                    let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
                    response.insert_header((header::WWW_AUTHENTICATE, challenge));
                }
            }
            429 => {
                response.insert_header((header::RETRY_AFTER, self.retry_after.unwrap_or(1).to_string()));
            }
            503 => {
                response.insert_header((header::RETRY_AFTER, "1"));
            }
            _ => {}
        }
        response.content_type("application/problem+json").body(serde_json::to_string(self).unwrap_or_default())
    }
}

//! `POST /oauth/token`: the client credentials grant (RFC 6749 §4.4), with its own form of errors (§5.2).

use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::{StatusCode, header};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use domain::client::Client;
use domain::kernel::{ClientId, Permission, SecretId};
use serde::Serialize;
use subtle::ConstantTimeEq as _;
use utoipa::ToSchema;

use crate::App;
use crate::auth::token::{ClientToken, scope};
use crate::http::arrival;
use crate::http::limits::Share;
use crate::http::problem::{self, Problem};

/// How tokens are given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OAuth {
    /// Seconds for which a token is valid.
    pub token_seconds: u64,
    /// Hours for which a rotated secret stays valid, where the administrator does not say.
    pub overlap_hours: u16,
    /// Requests for a token a minute, for one client from one address; 0 where there is no limit.
    pub per_minute: u32,
}

/// Clients that one address may serve before it is the address that is limited.
const CLIENTS_PER_ADDRESS: u32 = 10;
/// Where tokens are given.
pub const PATH: &str = "/oauth/token";

/// Its part of the contract: it stands before the gate, so it is none of the operations that need a permission.
#[derive(utoipa::OpenApi)]
#[openapi(paths(token))]
pub struct Document;

/// Registers the one route.
pub fn serve(service: &mut ServiceConfig) {
    service.service(web::resource(PATH).route(web::post().to(token)).default_service(web::to(|| async {
        let problem = Problem::new(&problem::METHOD_NOT_ALLOWED, "this resource knows POST");
        Problem { allowed: Some(vec!["POST".to_owned()]), ..problem }.error_response()
    })));
}

/// What a client sends for a token (RFC 6749 §4.4.2).
#[derive(ToSchema)]
struct TokenRequest {
    /// `client_credentials`.
    #[schema(required = true, value_type = String, pattern = "^client_credentials$")]
    grant_type: Option<String>,
    /// The client's identifier, where no Basic header names it.
    client_id: Option<String>,
    /// Its secret, where no Basic header has it.
    client_secret: Option<String>,
    /// The scopes asked for, with blanks between them; all that the client has, where absent.
    scope: Option<String>,
}

/// A token (RFC 6749 §5.1).
#[derive(Serialize, ToSchema)]
struct TokenGiven {
    /// What goes behind `Bearer` in `Authorization`.
    access_token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// Seconds for which it is valid.
    expires_in: u64,
    /// What it may be used for, with blanks between the scopes.
    scope: String,
}

/// Why there is no token (RFC 6749 §5.2).
#[derive(Serialize, ToSchema)]
struct TokenRefused {
    /// An error code of RFC 6749, such as `invalid_client`.
    error: &'static str,
    /// What is wrong, for people.
    error_description: String,
}

/// What [`TokenRefused`] is answered with.
struct Refused {
    status: u16,
    error: &'static str,
    why: String,
    share: Option<Share>,
}

impl Refused {
    fn new(status: u16, error: &'static str, why: &str) -> Self {
        Self { status, error, why: why.to_owned(), share: None }
    }

    fn request(why: &str) -> Self {
        Self::new(400, "invalid_request", why)
    }

    /// The same for an unknown client, a wrong secret and a revoked client: nothing is learned of which there are.
    fn client() -> Self {
        Self::new(401, "invalid_client", "the client is unknown, or its secret is not valid")
    }

    fn answer(self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        if status == StatusCode::UNAUTHORIZED {
            response.insert_header((header::WWW_AUTHENTICATE, "Basic realm=\"dps\", charset=\"UTF-8\""));
        }
        if let Some(wait) = self.share.and_then(|share| share.wait) {
            response.insert_header((header::RETRY_AFTER, wait.to_string()));
        }
        let mut response =
            unstored(&mut response).json(TokenRefused { error: self.error, error_description: self.why });
        if let Some(share) = self.share {
            share.mark(response.headers_mut());
        }
        response
    }
}

/// RFC 6749 §5.1: no cache keeps what is answered here.
fn unstored(response: &mut actix_web::HttpResponseBuilder) -> &mut actix_web::HttpResponseBuilder {
    response.insert_header((header::CACHE_CONTROL, "no-store")).insert_header((header::PRAGMA, "no-cache"))
}

/// Get a token for a machine client
///
/// The client credentials grant of RFC 6749, section 4.4. The client proves itself in the form or in a Basic header, not in
/// both; no bearer token is needed. Errors are those of section 5.2.
#[utoipa::path(post, path = "/oauth/token", operation_id = "giveToken", tag = "clients", security((), ("clientSecret" = [])),
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, body = TokenGiven, description = "The token"),
        (status = 400, body = TokenRefused, description = "The form, the grant or a scope is wrong"),
        (status = 401, body = TokenRefused, description = "The client is unknown, or its secret is not valid"),
        (status = 408, body = TokenRefused, description = "The form took longer to arrive than this server waits"),
        (status = 413, body = TokenRefused, description = "The form is larger than this server accepts"),
        (status = 429, body = TokenRefused, description = "Too many requests: `Retry-After` says when to come back"),
        (status = 500, body = TokenRefused, description = "Something is wrong with the server"),
        (status = 503, body = TokenRefused, description = "The server cannot do this now; try again later"),
    ))]
async fn token(req: HttpRequest, app: web::Data<App>, payload: web::Payload) -> HttpResponse {
    let given = match arrival::body(req.clone(), payload.into_inner()).await {
        Ok(body) => give(&req, &app, &body).await,
        Err(problem) => Err(Refused::new(problem.status, "invalid_request", &problem.detail)),
    };
    given.unwrap_or_else(Refused::answer)
}

async fn give(req: &HttpRequest, app: &App, body: &[u8]) -> Result<HttpResponse, Refused> {
    let address = app.limits.address(req);
    let per_address = app.oauth.per_minute.saturating_mul(CLIENTS_PER_ADDRESS);
    limited(app.limits.count("token-address", || address.clone(), Some(per_address)))?;
    let mut form = form(req, body)?;
    let (id, secret) = credentials(req, &mut form)?;
    // What is no identifier shares one bucket: it is anyone's text, and as long as a body may be.
    let id = id.parse::<uuid::Uuid>().ok();
    let bucket = || format!("{address} {}", id.unwrap_or_default());
    let share = app.limits.count("token", bucket, Some(app.oauth.per_minute));
    limited(share)?;
    match form.grant_type.as_deref() {
        None => return Err(Refused::request("grant_type is missing")),
        Some("client_credentials") => {}
        Some(_) => return Err(Refused::new(400, "unsupported_grant_type", "the grant is client_credentials")),
    }
    let id: ClientId = id.ok_or_else(Refused::client)?.into();
    let found = app.db.read(move |c| c.find::<Client>(id)).await;
    let found = found.map_err(|failure| {
        tracing::warn!(%failure, "no token was given");
        Refused::new(503, "temporarily_unavailable", "try again later")
    })?;
    let client = found.map(|found| found.value).ok_or_else(Refused::client)?;
    let secret = proven(&client, &secret, app).ok_or_else(Refused::client)?;
    let scopes = narrowed(&client, form.scope.as_deref())?;
    let token = ClientToken { client: id, secret, scopes };
    let seconds = app.oauth.token_seconds;
    let signed = app.verifier.issue(&token, client.terms.role, client.terms.authority.as_ref(), seconds);
    let signed = signed.map_err(|why| {
        tracing::error!(%why, "a token was not signed");
        Refused::new(500, "server_error", "something is wrong with the server")
    })?;
    let mut response = unstored(&mut HttpResponse::Ok()).json(TokenGiven {
        access_token: signed,
        token_type: "Bearer",
        expires_in: seconds,
        scope: scope(&token.scopes),
    });
    if let Some(share) = share {
        share.mark(response.headers_mut());
    }
    Ok(response)
}

fn limited(share: Option<Share>) -> Result<(), Refused> {
    match share {
        Some(Share { wait: Some(wait), .. }) => Err(Refused {
            share,
            ..Refused::new(429, "temporarily_unavailable", &format!("too many requests; wait {wait} seconds"))
        }),
        Some(_) | None => Ok(()),
    }
}

/// The parameters of the form, each once; empty ones count as absent, others are ignored (RFC 6749 §3.2).
fn form(req: &HttpRequest, body: &[u8]) -> Result<TokenRequest, Refused> {
    use actix_web::HttpMessage as _;
    if req.content_type() != "application/x-www-form-urlencoded" {
        return Err(Refused::request("the body is application/x-www-form-urlencoded"));
    }
    if !req.query_string().is_empty() {
        return Err(Refused::request("parameters are in the body, not in the address"));
    }
    let mut form = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(body).filter(|(_, value)| !value.is_empty()) {
        if form.insert(name.into_owned(), value.into_owned()).is_some() {
            return Err(Refused::request("a parameter is there twice"));
        }
    }
    let mut field = |name: &str| form.remove(name);
    Ok(TokenRequest {
        grant_type: field("grant_type"),
        client_id: field("client_id"),
        client_secret: field("client_secret"),
        scope: field("scope"),
    })
}

/// The client's id and secret, by `client_secret_basic` or `client_secret_post`, not by both.
fn credentials(req: &HttpRequest, form: &mut TokenRequest) -> Result<(String, String), Refused> {
    let (id, secret) = (form.client_id.take(), form.client_secret.take());
    let Some(basic) = req.headers().get(header::AUTHORIZATION) else {
        return id.zip(secret).ok_or_else(|| Refused::new(401, "invalid_client", "client authentication is missing"));
    };
    if secret.is_some() {
        return Err(Refused::request("the client authenticates in two ways"));
    }
    let pair = decoded(basic.as_bytes()).ok_or_else(Refused::client)?;
    match id {
        Some(id) if id != pair.0 => Err(Refused::request("client_id names another client")),
        Some(_) | None => Ok(pair),
    }
}

/// Both parts of a Basic header are form-encoded within it (RFC 6749 §2.3.1).
fn decoded(header: &[u8]) -> Option<(String, String)> {
    let (scheme, encoded) = std::str::from_utf8(header).ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let plain = |part: &str| form_urlencoded::parse(part.as_bytes()).next().map(|(name, _)| name.into_owned());
    Some((plain(id)?, plain(secret)?))
}

/// The live secret that was shown, compared in a time that does not tell how much of it is right.
fn proven(client: &Client, shown: &str, app: &App) -> Option<SecretId> {
    let (hash, now) = (super::digest(shown), app.clock.now());
    let mut live = client.secrets.iter().filter(|secret| secret.is_live(now));
    live.find(|secret| bool::from(secret.hash.as_bytes().ct_eq(hash.as_bytes()))).map(|secret| secret.id)
}

/// The scopes asked for, or all that the client has.
fn narrowed(client: &Client, asked: Option<&str>) -> Result<BTreeSet<Permission>, Refused> {
    let Some(asked) = asked else { return Ok(client.terms.scopes.clone()) };
    let known = |scope: &str| Permission::of_scope(scope).filter(|scope| client.terms.scopes.contains(scope));
    let scopes: Option<BTreeSet<_>> = asked.split(' ').filter(|scope| !scope.is_empty()).map(known).collect();
    let refused = || Refused::new(400, "invalid_scope", "the client does not have every scope that is asked for");
    scopes.filter(|scopes| !scopes.is_empty()).ok_or_else(refused)
}

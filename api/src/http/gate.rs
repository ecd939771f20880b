//! Before anything is read from a request: which operation, who calls, may the role; after it: count and log.

use std::sync::Arc;
use std::time::Instant;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, ResponseError, web};
use domain::kernel::{Actor, Reach, Role};

use persistence::record::hex;

use super::arrival::Working;
use super::limits::Share;
use super::problem::{self, Problem};
use crate::auth::token::Bearer;
use crate::auth::{Grant, Who};
use crate::{App, client};

/// The request's id: the caller's `X-Request-Id` where it is usable, else a new one. It is in the log, the audit and
/// the answer.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// Authenticates and authorises before extraction; counts, logs and marks the answer. A `HEAD` is answered as the `GET`
/// that it stands for, and the connection leaves out the body.
///
/// # Errors
/// Where the framework itself fails.
pub async fn gate<B: MessageBody>(
    mut req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let began = Instant::now();
    let _working = Working::on(req.request());
    let id = request_id(&req);
    req.extensions_mut().insert(RequestId(id.clone()));
    let method = req.method().to_string();
    if req.method() == Method::HEAD {
        req.head_mut().method = Method::GET;
    }
    let pattern = req.match_pattern().unwrap_or_else(|| "unknown".to_owned());
    let app = req.app_data::<web::Data<App>>().cloned();
    let mut share = None;
    let mut response = match admit(&req, app.as_ref().map(web::Data::get_ref), &mut share).await {
        Ok(who) => {
            if let Some(who) = who {
                req.extensions_mut().insert(who);
            }
            next.call(req).await?.map_into_left_body()
        }
        Err(problem) => req.into_response(problem.error_response()).map_into_right_body(),
    };
    if let Ok(value) = header::HeaderValue::from_str(&id) {
        response.headers_mut().insert(header::HeaderName::from_static("x-request-id"), value);
    }
    if let Some(share) = share {
        share.mark(response.headers_mut());
    }
    let (status, took) = (response.status().as_u16(), began.elapsed());
    if let Some(app) = app {
        // A method is what the caller sent: only known ones become labels.
        let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"].into_iter().find(|known| *known == method);
        app.metrics.request(known.unwrap_or("other"), &pattern, status, took);
    }
    tracing::info!(request = %id, %method, path = %pattern, status, micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    Ok(response)
}

/// The caller of an operation; `None` for pages that are not operations of the API. What is left to the caller goes
/// into `share`.
async fn admit(req: &ServiceRequest, app: Option<&App>, share: &mut Option<Share>) -> Result<Option<Who>, Problem> {
    let Some(app) = app else { return Err(Problem::new(&problem::BROKEN, problem::BROKEN.says)) };
    if [req.path(), req.query_string()].iter().any(|part| part.contains("%00") || part.contains('\0')) {
        return Err(Problem::new(&problem::UNREADABLE, "the address has no NUL character"));
    }
    let pattern = req.match_pattern();
    let entry = match app.directory.find(pattern.as_deref(), req.method().as_str()) {
        Ok(entry) => entry,
        Err(known) if known.is_empty() => return Ok(None),
        Err(known) => {
            let problem =
                Problem::new(&problem::METHOD_NOT_ALLOWED, format!("this resource knows {}", known.join(", ")));
            return Err(Problem { allowed: Some(known.into_iter().map(str::to_owned).collect()), ..problem });
        }
    };
    let operation = entry.operation;
    let public = operation.permission.reach(Role::Public) != Reach::None;
    let known = authenticate(req, app, public).await;
    // What tells operators that the server lives is not counted.
    if pattern.is_some_and(|pattern| pattern.starts_with("/v1/")) {
        *share = match &known {
            Ok((actor, grant)) if actor.role != Role::Public => {
                let own = grant.as_ref().and_then(|grant| grant.rate_limit);
                app.limits.count("caller", &format!("{} {}", actor.role.name(), actor.subject), own)
            }
            // Whoever shows no valid token is known by the address alone.
            Ok(_) | Err(_) => app.limits.count("address", &app.limits.address(req.request()), None),
        };
        if let Some(share) = *share {
            share.allow()?;
        }
    }
    let (actor, grant) = known?;
    if operation.permission.reach(actor.role) == Reach::None {
        let detail = format!("the role {} has no {}", actor.role.name(), operation.permission.name());
        return Err(Problem::new(&problem::FORBIDDEN, detail));
    }
    let who = Who { actor, permission: operation.permission, grant };
    if !who.has(operation.permission) {
        let scope = operation.permission.scope();
        let problem = Problem::new(&problem::INSUFFICIENT_SCOPE, format!("the token does not have the scope {scope}"));
        return Err(Problem { scope: Some(scope), ..problem });
    }
    // A misspelt filter would silently answer another question.
    if let Some(name) = entry.unknown(req.query_string()) {
        return Err(Problem::new(&problem::UNREADABLE, format!("this operation has no query parameter `{name}`")));
    }
    Ok(Some(who))
}

type Known = (Actor, Option<Arc<Grant>>);

/// Who bears the request's token; the public where it has none and none is needed.
async fn authenticate(req: &ServiceRequest, app: &App, public: bool) -> Result<Known, Problem> {
    let refuse = |why: &str| Problem::new(&problem::UNAUTHENTICATED, why);
    let Some(value) = req.headers().get(header::AUTHORIZATION) else {
        let anyone = Actor { subject: "public".to_owned(), role: Role::Public, authority: None, provider: None };
        return if public { Ok((anyone, None)) } else { Err(refuse(problem::UNAUTHENTICATED.says)) };
    };
    let token = value.to_str().ok().and_then(|v| v.strip_prefix("Bearer "));
    let token = token.ok_or_else(|| refuse("Authorization is `Bearer <token>`"))?;
    match app.verifier.verify(token).await.map_err(|why| refuse(&why))? {
        Bearer::Person(actor) => Ok((actor, None)),
        Bearer::Client(token) => client::caller(app, token).await.map(|(actor, grant)| (actor, Some(grant))),
    }
}

fn request_id(req: &ServiceRequest) -> String {
    let given = req.headers().get("x-request-id").and_then(|v| v.to_str().ok());
    let usable = |id: &&str| {
        (8..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    let new = || {
        let mut bytes = [0u8; 12];
        // Without randomness the id is all zeros, which is a poor id and no reason to refuse the request.
        getrandom::fill(&mut bytes).unwrap_or_default();
        hex(&bytes)
    };
    given.filter(usable).map_or_else(new, str::to_owned)
}

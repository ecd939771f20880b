//! Before anything is read from a request: which operation, who calls, may the role; after it: count and log.

use std::time::Instant;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, ResponseError, web};
use domain::kernel::{Actor, Reach, Role};

use persistence::record::hex;

use super::problem::{self, Problem};
use crate::App;
use crate::auth::Who;

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
    let id = request_id(&req);
    req.extensions_mut().insert(RequestId(id.clone()));
    let method = req.method().to_string();
    if req.method() == Method::HEAD {
        req.head_mut().method = Method::GET;
    }
    let pattern = req.match_pattern().unwrap_or_else(|| "unknown".to_owned());
    let app = req.app_data::<web::Data<App>>().cloned();
    let mut response = match admit(&req, app.as_ref().map(web::Data::get_ref)) {
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
    let (status, took) = (response.status().as_u16(), began.elapsed());
    if let Some(app) = app {
        // A method is what the caller sent: only known ones become labels.
        let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"].into_iter().find(|known| *known == method);
        app.metrics.request(known.unwrap_or("other"), &pattern, status, took);
    }
    tracing::info!(request = %id, %method, path = %pattern, status, micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    Ok(response)
}

/// The caller of an operation; `None` for pages that are not operations of the API.
fn admit(req: &ServiceRequest, app: Option<&App>) -> Result<Option<Who>, Problem> {
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
    let actor = match req.headers().get(header::AUTHORIZATION) {
        None if public => Actor { subject: "public".to_owned(), role: Role::Public, authority: None, provider: None },
        None => return Err(Problem::new(&problem::UNAUTHENTICATED, problem::UNAUTHENTICATED.says)),
        Some(value) => {
            let token = value.to_str().ok().and_then(|v| v.strip_prefix("Bearer "));
            let token =
                token.ok_or_else(|| Problem::new(&problem::UNAUTHENTICATED, "Authorization is `Bearer <token>`"))?;
            app.verifier.verify(token).map_err(|why| Problem::new(&problem::UNAUTHENTICATED, why))?
        }
    };
    if operation.permission.reach(actor.role) == Reach::None {
        let detail = format!("the role {} has no {}", actor.role.name(), operation.permission.name());
        return Err(Problem::new(&problem::FORBIDDEN, detail));
    }
    // A misspelt filter would silently answer another question.
    if let Some(name) = entry.unknown(req.query_string()) {
        return Err(Problem::new(&problem::UNREADABLE, format!("this operation has no query parameter `{name}`")));
    }
    Ok(Some(Who { actor, permission: operation.permission }))
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

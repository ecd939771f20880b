//! Before anything is read from a request: which operation, who calls, may the role; after it: count and log.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, ResponseError, web};
use domain::kernel::{Actor, Reach, Role};

use persistence::record::hex;

use super::access::Line;
use super::arrival::Working;
use super::limits::Share;
use super::problem::{self, Problem};
use super::routes::{Directory, Found};
use crate::auth::token::Bearer;
use crate::clock::Clock;
use crate::{App, client};
use usecase::{Caller, Grant};

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
    let id = RequestId(request_id(&req));
    // A method is what the caller sent: only known ones become labels.
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"].into_iter();
    let method = known.into_iter().find(|known| *known == req.method().as_str()).unwrap_or("other");
    if req.method() == Method::HEAD {
        req.head_mut().method = Method::GET;
    }
    let found = Directory::published().find(req.match_info().unprocessed(), req.method().as_str());
    let app = req.app_data::<web::Data<App>>().cloned();
    let _busy = app.as_ref().map(|app| app.metrics.busy());
    let mut share = None;
    let admitted = admit(&req, app.as_ref().map(web::Data::get_ref), found, &mut share).await;
    req.extensions_mut().insert(id.clone());
    let kept = match (&admitted, &app) {
        (Ok(Some(who)), Some(app)) => app.responses.answer(&app.db, &req, who).await,
        _ => None,
    };
    let mut response = match (admitted, kept) {
        (_, Some(kept)) => req.into_response(kept).map_into_right_body(),
        (Ok(who), None) => {
            if let Some(who) = who {
                req.extensions_mut().insert(who);
            }
            let response = next.call(req).await?;
            debug_assert!(
                found.pattern().is_none_or(|pattern| names(pattern).eq(response
                    .request()
                    .match_info()
                    .iter()
                    .map(|p| p.0))),
                "the directory and the framework read {} alike",
                response.request().path()
            );
            response.map_into_left_body()
        }
        (Err(problem), None) => {
            problem.log(&id.0);
            req.into_response(problem.error_response()).map_into_right_body()
        }
    };
    if let Some(problem) = response.response().error().and_then(|error| error.as_error::<Problem>()) {
        problem.log(&id.0);
    }
    if let Ok(value) = header::HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(header::HeaderName::from_static("x-request-id"), value);
    }
    if let Some(share) = share {
        share.mark(response.headers_mut());
    }
    let (status, took) = (response.status().as_u16(), began.elapsed());
    let tell = |path: &str| {
        let at = Clock::system();
        Line { at, request: &id.0, method, path, status, micros: took.as_micros() }.write();
    };
    match (found, app) {
        (Found::Operation(entry), Some(app)) if method == entry.method => {
            app.metrics.operation(entry, status, took);
            tell(entry.pattern);
        }
        (_, app) => {
            let pattern = found.pattern().map_or_else(|| response.request().match_pattern(), |p| Some(p.to_owned()));
            let pattern = pattern.as_deref().unwrap_or("unknown");
            if let Some(app) = app {
                app.metrics.request(method, pattern, status, took);
            }
            tell(pattern);
        }
    }
    Ok(response)
}

/// The names of what varies in a path pattern.
fn names(pattern: &str) -> impl Iterator<Item = &str> {
    pattern.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

/// The caller of an operation; `None` for pages that are not operations of the API. What is left to the caller goes
/// into `share`.
async fn admit(
    req: &ServiceRequest,
    app: Option<&App>,
    found: Found,
    share: &mut Option<Share>,
) -> Result<Option<Caller>, Problem> {
    let Some(app) = app else { return Err(Problem::new(&problem::BROKEN, problem::BROKEN.says)) };
    if [req.path(), req.query_string()].iter().any(|part| part.contains("%00") || part.contains('\0')) {
        return Err(Problem::new(&problem::UNREADABLE, "the address has no NUL character"));
    }
    let entry = match found {
        Found::Operation(entry) => entry,
        Found::Nothing => return Ok(None),
        Found::Elsewhere(_, entries) => {
            let known: Vec<_> = entries.iter().map(|entry| entry.method).collect();
            let problem =
                Problem::new(&problem::METHOD_NOT_ALLOWED, format!("this resource knows {}", known.join(", ")));
            return Err(Problem { allowed: Some(known.into_iter().map(str::to_owned).collect()), ..problem });
        }
    };
    let operation = entry.operation;
    let public = operation.permission.reach(Role::Public) != Reach::None;
    let known = authenticate(req, app, public).await;
    // What tells operators that the server lives is not counted.
    if entry.pattern.starts_with("/v1/") {
        *share = match &known {
            Ok((actor, grant)) if actor.role != Role::Public => {
                let own = grant.as_ref().and_then(|grant| grant.rate_limit);
                app.limits.count("caller", || format!("{} {}", actor.role.name(), actor.subject), own)
            }
            // Whoever shows no valid token is known by the address alone.
            Ok(_) | Err(_) => app.limits.count("address", || app.limits.address(req.request()), None),
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
    let who = Caller { actor, permission: operation.permission, grant };
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

type Known = (Arc<Actor>, Option<Arc<Grant>>);

/// Who bears the request's token; the public where it has none and none is needed.
async fn authenticate(req: &ServiceRequest, app: &App, public: bool) -> Result<Known, Problem> {
    let refuse = |why: &str| Problem::new(&problem::UNAUTHENTICATED, why);
    let mut values = req.headers().get_all(header::AUTHORIZATION);
    let Some(value) = values.next() else {
        return if public { Ok((anyone(), None)) } else { Err(refuse(problem::UNAUTHENTICATED.says)) };
    };
    // Of two, whoever stands in front may have looked at the other one.
    if values.next().is_some() {
        return Err(refuse("there is one Authorization"));
    }
    let token = value.to_str().ok().and_then(|v| v.strip_prefix("Bearer "));
    let token = token.ok_or_else(|| refuse("Authorization is `Bearer <token>`"))?;
    match app.verifier.verify(token).await.map_err(|why| refuse(&why))? {
        Bearer::Person(actor) => Ok((actor, None)),
        Bearer::Client(token) => {
            client::caller(app, &token).await.map(|(actor, grant)| (Arc::new(actor), Some(Arc::new(grant))))
        }
    }
}

/// Whoever shows no token.
fn anyone() -> Arc<Actor> {
    static ANYONE: LazyLock<Arc<Actor>> = LazyLock::new(|| {
        Arc::new(Actor { subject: "public".to_owned(), role: Role::Public, authority: None, provider: None })
    });
    ANYONE.clone()
}

fn request_id(req: &ServiceRequest) -> String {
    let given = req.headers().get("x-request-id").and_then(|v| v.to_str().ok());
    let usable = |id: &&str| {
        (8..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    given.filter(usable).map_or_else(new_id, str::to_owned)
}

/// An id that no other request of any server has: it need not be one that nobody guesses.
fn new_id() -> String {
    static PROCESS: LazyLock<String> = LazyLock::new(|| {
        let mut bytes = [0u8; 8];
        // Without randomness the ids of two processes are alike, which is no reason to refuse requests.
        getrandom::fill(&mut bytes).unwrap_or_default();
        hex(&bytes)
    });
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{}{:08x}", *PROCESS, COUNT.fetch_add(1, Ordering::Relaxed))
}

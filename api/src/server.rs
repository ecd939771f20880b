//! Starting the server.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::{DefaultHeaders, from_fn};
use actix_web::rt::task::JoinHandle;
use actix_web::{App as Service, HttpServer, ResponseError, web};
use domain::kernel::Actor;
use persistence::{Db, Failure, Ids, Settings, Stamp, migrate};

use crate::auth::keys::Keys;
use crate::auth::token::{self, Verifier};
use crate::clock::Clock;
use crate::config::{Config, Tokens, strength};
use crate::http::limits::Limits;
use crate::http::problem::{self, Problem};
use crate::http::response_cache::ResponseCache;
use crate::http::routes::{self, Directory};
use crate::http::{access, arrival};
use crate::metrics::Metrics;
use crate::ocds::Publisher;
use crate::webhook::Webhooks;
use crate::webhook::send::Sender;
use crate::webhook::sign::Seal;
use crate::{App, client, http, jobs, openapi, sweep, system, upload};
use usecase::provider::Gazetteer;

/// A server that has been bound and not yet run.
pub struct Bound {
    /// Where it listens.
    pub address: SocketAddr,
    /// Stops it.
    pub handle: ServerHandle,
    server: Server,
    background: Vec<JoinHandle<()>>,
}

impl Bound {
    /// Serves until a signal or its handle stops it, and then ends the work in the background too: what was committed
    /// stands, the rest is left for the next start.
    ///
    /// # Errors
    /// Where the server fails.
    pub async fn run(self) -> std::io::Result<()> {
        let ended = self.server.await;
        for task in &self.background {
            task.abort();
        }
        for task in self.background {
            // That it was ended is no error.
            drop(task.await);
        }
        access::flush();
        tracing::info!("stopped");
        ended
    }
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum NotStarted {
    /// Its store cannot be opened.
    #[error("{0}")]
    Store(#[from] Failure),
    /// Its configuration is refused, a line each.
    #[error("{}", .0.join("; "))]
    Configuration(Vec<String>),
    /// Something else, in words.
    #[error("{0}")]
    Other(String),
}

impl From<String> for NotStarted {
    fn from(why: String) -> Self {
        Self::Other(why)
    }
}

/// Opens the store (bringing its schema up to date), binds the address and starts the clock-driven work. Call it in a
/// Tokio runtime.
///
/// # Errors
/// What cannot be opened or bound.
pub fn bind(config: &Config, ids: Ids) -> Result<Bound, NotStarted> {
    let weak = strength::faults(config);
    if !weak.is_empty() {
        return Err(NotStarted::Configuration(weak));
    }
    let keys = published(config)?;
    let listener = TcpListener::bind(config.listen).map_err(|e| format!("{}: {e}", config.listen))?;
    let address = listener.local_addr().map_err(|e| e.to_string())?;
    let app = web::Data::new(open(config, ids, address, keys.clone())?);
    let (shared, bounds) = (app.clone(), config.bounds);
    let encrypted = config.public_url.as_ref().is_some_and(|url| url.starts_with("https://"));
    let server = HttpServer::new(move || {
        let shared = shared.clone();
        Service::new()
            .app_data(shared.clone())
            .app_data(web::PayloadConfig::new(bounds.body))
            .app_data(
                web::QueryConfig::default()
                    .error_handler(|e, _| Problem::new(&problem::UNREADABLE, e.to_string()).into()),
            )
            .app_data(
                web::PathConfig::default()
                    .error_handler(|e, _| Problem::new(&problem::NOT_FOUND, e.to_string()).into()),
            )
            // The last one is the outermost: what the gate refuses has the headers too.
            .wrap(from_fn(http::gate::gate))
            .wrap(headers(encrypted))
            .configure(|service| {
                client::oauth::serve(service);
                service.route("/metrics", web::get().to(system::metrics));
                openapi::serve(service);
                routes::register(service);
            })
            .default_service(web::to(|| async {
                Problem::new(&problem::NOT_FOUND, "there is nothing here").error_response()
            }))
    })
    .workers(config.workers)
    .shutdown_timeout(10)
    .max_connections(bounds.connections.div_ceil(config.workers))
    .client_request_timeout(bounds.time)
    .client_disconnect_timeout(bounds.idle)
    .keep_alive(bounds.idle)
    // Later than the two that the framework knows: what they close, they close in order.
    .on_connect(arrival::watch(bounds.time + bounds.idle * 2))
    .listen(listener)
    .map_err(|e| e.to_string())?
    .run();
    let beat = Duration::from_secs(config.sweep_seconds);
    let mut background = jobs::start(&app, beat);
    background.push(actix_web::rt::spawn(upload::run(app.clone(), beat)));
    background.push(actix_web::rt::spawn(sweep::run(app, beat)));
    background.push(actix_web::rt::spawn(access::run()));
    background.extend(keys.map(|keys| actix_web::rt::spawn(keys.run())));
    Ok(Bound { address, handle: server.handle(), server, background })
}

/// Makes the folders that the configuration names and, where it is missing, an empty SQLite file that only its owner
/// reads: what SQLite puts beside it has the same rights.
///
/// # Errors
/// Which one cannot be made.
pub fn prepare(config: &Config) -> Result<(), String> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let database = config.database.strip_prefix("sqlite:").map(std::path::Path::new);
    let keys = [config.key_file.as_path(), config.seal_key_file.as_path()].map(Some);
    for folder in keys.into_iter().chain([database]).flatten().filter_map(std::path::Path::parent) {
        std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    let Some(file) = database else { return Ok(()) };
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => Err(format!("{}: {e}", file.display())),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Opens the store, bringing its schema up to date, and all else that requests share.
pub(crate) fn open(config: &Config, ids: Ids, address: SocketAddr, keys: Option<Arc<Keys>>) -> Result<App, NotStarted> {
    prepare(config)?;
    migrate(&config.database)?;
    let settings = Settings { connections: config.connections, ..Settings::new(&config.database) };
    let clock = config.clock.map_or(Clock::System, Clock::movable);
    let holder = Stamp { now: Clock::system(), actor: Actor::clock(), request: None, ids: Ids::random() }.mint();
    Ok(App {
        db: Db::open(&settings)?,
        limits: Limits::new(clock.clone(), config.rate_limit, config.proxied),
        clock,
        ids,
        verifier: verifier(config, keys)?,
        oauth: config.oauth,
        bounds: config.bounds,
        responses: ResponseCache::default(),
        metrics: Metrics::new(Directory::published().operations()).map_err(|e| e.to_string())?,
        gazetteer: config.postcodes.as_deref().map(Gazetteer::read).transpose()?.unwrap_or_default(),
        webhooks: Webhooks { sender: Sender::new(config.webhook_private), seal: seal(config)? },
        publisher: Publisher {
            prefix: config.ocid_prefix.clone(),
            name: config.publisher.clone(),
            base: config.public_url.clone().unwrap_or_else(|| format!("http://{address}")),
            licence: config.data_licence.clone(),
        },
        uploads: upload::UploadQueue::new(config.uploads, holder),
    })
}

/// With the key in its file. Servers that share a database share the key, so only a development server makes one.
fn seal(config: &Config) -> Result<Seal, String> {
    Ok(Seal::new(&token::local_secret(&config.seal_key_file)?))
}

/// The keys of the identity provider, where there is one.
fn published(config: &Config) -> Result<Option<Arc<Keys>>, String> {
    match &config.tokens {
        Tokens::Local => Ok(None),
        Tokens::Published { keys, algorithm, .. } => Ok(Some(Arc::new(Keys::open(keys.clone(), *algorithm)?))),
    }
}

fn verifier(config: &Config, keys: Option<Arc<Keys>>) -> Result<Verifier, String> {
    let own = token::local_secret(&config.key_file)?;
    Ok(match (&config.tokens, keys) {
        (Tokens::Published { algorithm, issuer, .. }, Some(keys)) => {
            Verifier::published(&own, keys, *algorithm, issuer, &config.audience)
        }
        (Tokens::Published { .. } | Tokens::Local, _) => Verifier::local(&own, &config.audience),
    })
}

/// What no answer of an API should be without. That only TLS may be used is said where callers come by it: the proxy in
/// front ends it.
fn headers(encrypted: bool) -> DefaultHeaders {
    let headers = DefaultHeaders::new()
        .add(("X-Content-Type-Options", "nosniff"))
        .add(("Cache-Control", "no-store"))
        .add(("Referrer-Policy", "no-referrer"))
        .add(("X-Frame-Options", "DENY"))
        // An answer is data: shown as a page it loads nothing, runs nothing and stands in no frame.
        .add((
            "Content-Security-Policy",
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ))
        .add(("Cross-Origin-Opener-Policy", "same-origin"))
        .add(("Cross-Origin-Resource-Policy", "same-origin"))
        .add(("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"))
        .add(("X-Permitted-Cross-Domain-Policies", "none"));
    if encrypted { headers.add(("Strict-Transport-Security", "max-age=63072000")) } else { headers }
}

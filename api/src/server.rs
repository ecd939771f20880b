//! Starting the server.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::{DefaultHeaders, from_fn};
use actix_web::{App as Service, HttpServer, ResponseError, web};
use domain::kernel::Actor;
use persistence::{Db, Ids, Settings, Stamp, migrate};

use crate::auth::token::{self, Verifier};
use crate::clock::Clock;
use crate::config::{Config, Tokens};
use crate::http::problem::{self, Problem};
use crate::http::routes::Directory;
use crate::metrics::Metrics;
use crate::provider::gazetteer::Gazetteer;
use crate::{App, http, openapi, subjects, sweep, system, upload};

/// A server that has been bound and not yet run.
pub struct Bound {
    /// Where it listens.
    pub address: SocketAddr,
    /// Stops it.
    pub handle: ServerHandle,
    /// Runs it: a future that ends when the server stops.
    pub server: Server,
}

/// Opens the store (bringing its schema up to date), binds the address and starts the clock-driven work. Call it in a
/// Tokio runtime.
///
/// # Errors
/// What cannot be opened or bound, in words.
pub fn bind(config: &Config, ids: Ids) -> Result<Bound, String> {
    let app = web::Data::new(open(config, ids)?);
    let listener = TcpListener::bind(config.listen).map_err(|e| format!("{}: {e}", config.listen))?;
    let address = listener.local_addr().map_err(|e| e.to_string())?;
    let (shared, limit) = (app.clone(), config.body_limit);
    let server = HttpServer::new(move || {
        let shared = shared.clone();
        Service::new()
            .app_data(shared.clone())
            .app_data(web::PayloadConfig::new(limit))
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
            .wrap(headers())
            .configure(|service| {
                for subject in subjects() {
                    (subject.configure)(service);
                }
                service.route("/metrics", web::get().to(system::metrics));
                openapi::serve(service, &shared.openapi);
            })
            .default_service(web::to(|| async {
                Problem::new(&problem::NOT_FOUND, "there is nothing here").error_response()
            }))
    })
    .workers(config.workers)
    .shutdown_timeout(10)
    .client_request_timeout(Duration::from_secs(10))
    .listen(listener)
    .map_err(|e| e.to_string())?
    .run();
    let beat = Duration::from_secs(config.sweep_seconds);
    actix_web::rt::spawn(upload::run(app.clone(), beat));
    actix_web::rt::spawn(sweep::run(app, beat));
    Ok(Bound { address, handle: server.handle(), server })
}

/// Makes the folders that the configuration names.
///
/// # Errors
/// Which one cannot be made.
pub fn prepare(config: &Config) -> Result<(), String> {
    let database = config.database.strip_prefix("sqlite:").map(std::path::Path::new);
    let key = match &config.tokens {
        Tokens::Local { key_file } => Some(key_file.as_path()),
        Tokens::Published { .. } => None,
    };
    for folder in [database, key].into_iter().flatten().filter_map(std::path::Path::parent) {
        std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    Ok(())
}

fn open(config: &Config, ids: Ids) -> Result<App, String> {
    prepare(config)?;
    migrate(&config.database).map_err(|e| e.to_string())?;
    let settings = Settings { connections: config.connections, ..Settings::new(&config.database) };
    let holder = Stamp { now: Clock::system(), actor: Actor::clock(), request: None, ids: Ids::random() }.mint();
    Ok(App {
        db: Db::open(&settings).map_err(|e| e.to_string())?,
        clock: config.clock.map_or(Clock::System, Clock::movable),
        ids,
        verifier: verifier(config)?,
        directory: Directory::of(&subjects()),
        metrics: Metrics::new().map_err(|e| e.to_string())?,
        gazetteer: config.postcodes.as_deref().map(Gazetteer::read).transpose()?.unwrap_or_default(),
        uploads: upload::Desk::new(config.uploads, holder),
        openapi: openapi::text()?,
    })
}

fn verifier(config: &Config) -> Result<Verifier, String> {
    match &config.tokens {
        Tokens::Local { key_file } => Ok(Verifier::local(&token::local_secret(key_file)?, &config.audience)),
        Tokens::Published { jwks_file, algorithm, issuer } => {
            let say = |e: &dyn std::fmt::Display| format!("the key set {}: {e}", jwks_file.display());
            let text = std::fs::read_to_string(jwks_file).map_err(|e| say(&e))?;
            let keys = serde_json::from_str(&text).map_err(|e| say(&e))?;
            Ok(Verifier::published(keys, *algorithm, issuer, &config.audience))
        }
    }
}

/// What no answer of an API should be without.
fn headers() -> DefaultHeaders {
    DefaultHeaders::new()
        .add(("X-Content-Type-Options", "nosniff"))
        .add(("Cache-Control", "no-store"))
        .add(("Referrer-Policy", "no-referrer"))
        .add(("X-Frame-Options", "DENY"))
}

//! The real server, in this process, on a port and a database of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use actix_web::dev::ServerHandle;
use api::auth::token::{self, Claims, LOCAL_ISSUER};
use api::config::Config;
use api::http::arrival::Bounds;
use api::upload::Limits;
use domain::kernel::{AuthorityCode, ProviderId, Role};
use persistence::Ids;
use serde_json::json;
use uuid::Uuid;

use crate::actor::Actor;
use crate::database::{Database, Kind};

/// Where the clock of every test starts: before anything that a scenario of the requirements tells of.
pub const START: &str = "2016-01-01T00:00:00Z";
/// Bytes of a request body at most.
pub const BODY_LIMIT: usize = 262_144;
/// Rows of an upload at most.
pub const UPLOAD_ROWS: u64 = 2_000;
/// The audience of the tests' tokens.
const AUDIENCE: &str = "tests";
/// 2100-01-01: tokens of tests do not expire.
const FAR: u64 = 4_102_444_800;
/// Servers that run now.
static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// A running server. It is stopped when this goes out of scope, and its database dropped with the last server on it.
pub struct TestApp {
    pub database: Arc<Database>,
    pub address: String,
    pub agent: ureq::Agent,
    secret: Vec<u8>,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl TestApp {
    /// A server on a new database of that kind, its clock at [`START`].
    pub fn on(kind: Kind) -> Self {
        Self::since(kind, START)
    }

    /// A server on a new database of that kind, its clock at that instant.
    pub fn since(kind: Kind, start: &str) -> Self {
        Self::with(Arc::new(Database::new(kind)), start)
    }

    /// One more server on this one's database, with a clock of its own that stands at that instant.
    pub fn beside(&self, start: &str) -> Self {
        Self::with(self.database.clone(), start)
    }

    /// A server on a new database of that kind, configured in some other way.
    pub fn tuned(kind: Kind, tune: impl FnOnce(&mut Config)) -> Self {
        Self::built(Arc::new(Database::new(kind)), START, tune)
    }

    fn with(database: Arc<Database>, start: &str) -> Self {
        Self::built(database, start, |_| {})
    }

    fn built(database: Arc<Database>, start: &str, tune: impl FnOnce(&mut Config)) -> Self {
        let key_file = database.home.join("token.key");
        let usual = Config::from(|name| (name == "DPS_CLOCK").then(|| start.to_owned())).unwrap();
        let mut config = Config {
            database: database.url.clone(),
            connections: 4,
            listen: ([127, 0, 0, 1], 0).into(),
            workers: 1,
            audience: AUDIENCE.to_owned(),
            key_file: key_file.clone(),
            // The test moves the clock, and that does what falls due: the server's own beat must not get in between.
            sweep_seconds: 86_400,
            bounds: Bounds { body: BODY_LIMIT, ..usual.bounds },
            seal_key_file: database.home.join("seal.key"),
            // Receivers of tests are in this process.
            webhook_private: true,
            uploads: Limits { bytes: 12 * 1024 * 1024, rows: UPLOAD_ROWS, ..usual.uploads },
            ..usual
        };
        tune(&mut config);
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async {
                match api::server::bind(&config, Ids::random()) {
                    Ok(bound) => {
                        tell.send(Ok((bound.address, bound.handle.clone()))).unwrap();
                        bound.run().await.expect("the server runs until it is stopped");
                    }
                    Err(why) => tell.send(Err(why)).unwrap(),
                }
            });
        });
        let (address, handle) = told.recv().expect("the server's thread").expect("the server starts");
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .allow_non_standard_methods(true)
            // Made and filled with zeros for each request: the usual 128 KiB take longer than most answers.
            .input_buffer_size(16 * 1024)
            .output_buffer_size(64 * 1024)
            .build()
            .into();
        let secret = token::local_secret(&key_file).unwrap();
        RUNNING.fetch_add(1, Ordering::Relaxed);
        Self { database, address: format!("http://{address}"), agent, secret, handle, thread: Some(thread) }
    }

    /// Moves the clock forward; whatever falls due on the way is done before this returns.
    #[track_caller]
    pub fn at(&self, instant: &str) {
        self.script().put("/v1/clock", json!({"now": instant})).expect(200);
    }

    /// The lead agency of that authority.
    pub fn lead(&self, authority: &str) -> Actor<'_> {
        self.buyer(Role::LeadAgency, authority)
    }

    /// A commissioner of that authority.
    pub fn commissioner(&self, authority: &str) -> Actor<'_> {
        self.buyer(Role::Commissioner, authority)
    }

    /// Anyone who works for that authority.
    pub fn buyer(&self, role: Role, authority: &str) -> Actor<'_> {
        self.actor(role, &format!("{}-{authority}", role.name()), Some(authority), None)
    }

    /// A provider, by its id.
    pub fn provider(&self, id: &str) -> Actor<'_> {
        self.actor(Role::Provider, &format!("provider-{id}"), None, Some(id))
    }

    /// A provider that is not registered yet, under the id it will have.
    pub fn newcomer(&self) -> Actor<'_> {
        self.provider(&Uuid::from_u128(0x0190_a000_0000_7000_8000_0000_0000_0001).to_string())
    }

    /// A portal.
    pub fn portal(&self, subject: &str) -> Actor<'_> {
        self.actor(Role::Portal, subject, None, None)
    }

    /// An internal script that serves every authority.
    pub fn script(&self) -> Actor<'_> {
        self.actor(Role::Script, "script", None, None)
    }

    /// Whoever runs the system.
    pub fn administrator(&self) -> Actor<'_> {
        self.actor(Role::Administrator, "administrator", None, None)
    }

    /// Anyone, without a token.
    pub fn anonymous(&self) -> Actor<'_> {
        Actor::new(self, "anonymous".to_owned(), None)
    }

    /// Someone of that role, with all the claims that the role asks for.
    pub fn of_role(&self, role: Role) -> Actor<'_> {
        match role {
            Role::Public => self.anonymous(),
            Role::Provider => self.newcomer(),
            Role::Portal => self.portal("portal-1"),
            Role::Script => self.script(),
            Role::Administrator => self.administrator(),
            Role::ArtOfficer
            | Role::Commissioner
            | Role::LeadAgency
            | Role::MonitoringOfficer
            | Role::Consortium
            | Role::SocialWorker => self.buyer(role, "LGSS"),
        }
    }

    /// Any bearer of a token.
    pub fn actor(&self, role: Role, subject: &str, authority: Option<&str>, provider: Option<&str>) -> Actor<'_> {
        let claims = Claims {
            sub: subject.to_owned(),
            iss: LOCAL_ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            exp: FAR,
            role,
            authority: authority.map(|code| AuthorityCode::try_from(code.to_owned()).unwrap()),
            provider: provider.map(|id| ProviderId(id.parse().unwrap())),
        };
        Actor::new(self, subject.to_owned(), Some(token::issue(&self.secret, &claims).unwrap()))
    }

    /// Anyone who shows exactly that as a token.
    pub fn bearing(&self, token: &str) -> Actor<'_> {
        Actor::new(self, "bearer".to_owned(), Some(token.to_owned()))
    }

    /// Whoever plays the demo here.
    pub fn demo_client(&self) -> demo::Client {
        demo::Client::new(self.address.clone(), AUDIENCE, &self.secret)
    }

    /// On PostgreSQL the feed shows an event when every older transaction on the server has ended, those of other
    /// databases included. This returns when all that was written until now is shown.
    pub fn settle(&self) {
        if self.database.kind == Kind::Postgres {
            crate::store::settle(&self.database.url);
        }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !std::thread::panicking()
        {
            panic!("the server's thread panicked");
        }
        // The last server of a run is alone when it stops.
        if RUNNING.fetch_sub(1, Ordering::Relaxed) == 1 {
            crate::documented::report();
            crate::examples::report();
        }
    }
}

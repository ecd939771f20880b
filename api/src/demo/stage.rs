//! The server that the market is played on: in this process, on a port and (as a rule) a database of its own.

use std::path::PathBuf;
use std::thread::JoinHandle;

use actix_web::dev::ServerHandle;
use domain::kernel::Instant;
use persistence::Ids;
use uuid::Uuid;

use super::Played;
use super::client::Client;
use crate::auth::token;
use crate::config::{Config, Profile, Tokens};
use crate::server;

/// The audience of the tokens of this play.
const AUDIENCE: &str = "dps-demo";

/// A running server and a client for it.
pub(super) struct Stage {
    /// Speaks to the server.
    pub client: Client,
    /// Its configuration.
    pub config: Config,
    folder: PathBuf,
    handle: ServerHandle,
    thread: JoinHandle<Played<()>>,
}

impl Stage {
    /// Starts a server whose clock stands at `starts`.
    pub fn open(database: Option<&str>, starts: Instant) -> Played<Self> {
        let folder = std::env::temp_dir().join(format!("dps-demo-{}", new_id()?));
        std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let key_file = folder.join("token.key");
        let config = Config {
            profile: Profile::Development,
            database: database.map_or_else(|| format!("sqlite:{}", folder.join("dps.db").display()), str::to_owned),
            connections: 8,
            listen: ([127, 0, 0, 1], 0).into(),
            workers: 2,
            clock: Some(starts),
            audience: AUDIENCE.to_owned(),
            tokens: Tokens::Local { key_file: key_file.clone() },
            // Moving the clock does what falls due; the beat is left to seal the feed.
            sweep_seconds: 1,
            postcodes: None,
            body_limit: 1_048_576,
            uploads: crate::upload::Limits::default(),
        };
        let (tell, told) = std::sync::mpsc::channel();
        let served = config.clone();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async {
                let bound = server::bind(&served, Ids::random())?;
                tell.send((bound.address, bound.handle)).map_err(|e| e.to_string())?;
                bound.server.await.map_err(|e| e.to_string())
            })
        });
        let Ok((address, handle)) = told.recv() else {
            let why = thread.join().unwrap_or_else(|_| Err("the server's thread panicked".to_owned()));
            return Err(why.err().unwrap_or_else(|| "the server did not start".to_owned()));
        };
        let secret = token::local_secret(&key_file)?;
        let client = Client::new(format!("http://{address}"), AUDIENCE, secret);
        Ok(Self { client, config, folder, handle, thread })
    }

    /// Stops the server.
    pub fn close(self) -> Played<Closed> {
        drop(self.handle.stop(true));
        self.thread.join().map_err(|_| "the server's thread panicked".to_owned())??;
        Ok(Closed { config: self.config, folder: self.folder })
    }
}

/// A stage whose server has stopped; its database is still there.
pub(super) struct Closed {
    /// The configuration it had.
    pub config: Config,
    folder: PathBuf,
}

impl Closed {
    /// Removes the temporary folder. A play that ends early leaves it, to be looked into.
    pub fn clear(self) {
        if let Err(why) = std::fs::remove_dir_all(&self.folder) {
            eprintln!("dps: {} stays behind: {why}", self.folder.display());
        }
    }
}

/// An identifier that nothing else has.
pub(super) fn new_id() -> Played<Uuid> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|e| e.to_string())?;
    Ok(Uuid::from_bytes(bytes))
}

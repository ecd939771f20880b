//! `dps client …`: machine clients, on the database itself: so the first one needs no token.

use std::collections::BTreeSet;

use clap::Subcommand;
use domain::client::{Client, ClientTerms};
use domain::kernel::{Actor, AuthorityCode, ClientId, Named, Permission, ProviderId, Role};
use persistence::{Db, Filter, Ids, Mode, Outcome, Page, Settings, Stamp, Stored, Tx};
use usecase::client as usecases;
use uuid::Uuid;

use super::exit::Run;
use super::role;
use crate::client::NewSecret;
use crate::client::clients::ClientView;
use crate::clock::Clock;
use crate::config::Config;
use crate::server;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Register a client and print its id and its secret, which is never shown again
    Register {
        /// What people call it
        #[arg(long)]
        name: String,
        /// Its role, which must be a machine's
        #[arg(long, value_parser = role())]
        role: Role,
        /// What its tokens may do at most, such as `read_members`; several, or separated by commas
        #[arg(long = "scope", value_name = "SCOPE", required = true, value_delimiter = ',', value_parser = scope)]
        scopes: Vec<Permission>,
        /// The authority that a script acts for
        #[arg(long, value_name = "CODE")]
        authority: Option<String>,
        /// A provider that a portal acts for; several, or separated by commas
        #[arg(long = "provider", value_name = "ID", value_delimiter = ',')]
        providers: Vec<Uuid>,
        /// The name under which a portal writes external references
        #[arg(long, value_name = "NAME")]
        portal: Option<String>,
        /// Requests a minute, where the server's limit does not fit
        #[arg(long, value_name = "REQUESTS")]
        rate_limit: Option<u32>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List the clients
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Give a client a new secret and print it
    Rotate {
        /// Its id
        client: Uuid,
        /// Hours for which the secret in use stays valid; as configured where absent
        #[arg(long, value_name = "HOURS")]
        overlap: Option<u16>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// End a client at once and for good
    Revoke {
        /// Its id
        client: Uuid,
        /// Why
        #[arg(long)]
        reason: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

fn scope(name: &str) -> Result<Permission, String> {
    Permission::ALL.iter().copied().find(|permission| permission.scope() == name).ok_or_else(|| {
        let known: Vec<_> = Permission::ALL.iter().map(|permission| permission.scope()).collect();
        format!("a scope is one of {}", known.join(", "))
    })
}

impl Command {
    pub fn run(self, config: &Config) -> Run {
        server::prepare(config)?;
        persistence::migrate(&config.database)?;
        let db = Db::open(&Settings { connections: 1, ..Settings::new(&config.database) })?;
        let clock = config.clock.map_or(Clock::System, Clock::movable);
        let actor =
            Actor { subject: "operator".to_owned(), role: Role::Administrator, authority: None, provider: None };
        let stamp = Stamp { now: clock.now(), actor, request: None, ids: Ids::random() };
        let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(|e| e.to_string())?;
        let write = Write { db: &db, stamp, runtime: &runtime };
        match self {
            Self::Register { name, role, scopes, authority, providers, portal, rate_limit, json } => {
                let terms = ClientTerms {
                    name,
                    role,
                    scopes: scopes.into_iter().collect(),
                    authority: authority.map(AuthorityCode::try_from).transpose()?,
                    providers: providers.into_iter().map(ProviderId).collect::<BTreeSet<_>>(),
                    portal,
                    rate_limit,
                };
                let secret = NewSecret::make()?;
                let digest = secret.digest.clone();
                let made = write.run(move |tx| usecases::register(tx, &terms, &digest))?;
                told(&made, secret, json)
            }
            Self::List { json } => {
                let all = runtime.block_on(db.scan(|c| c.list(&Filter::<Client>::all(), Page::ALL)))?;
                list(&all, json)
            }
            Self::Rotate { client, overlap, json } => {
                let overlap = i64::from(overlap.unwrap_or(config.oauth.overlap_hours)) * 3600;
                let secret = NewSecret::make()?;
                let digest = secret.digest.clone();
                let after = write.run(move |tx| {
                    let before = tx.lock::<Client>(ClientId(client))?;
                    usecases::rotate(tx, &before, &digest, overlap)
                })?;
                told(&after, secret, json)
            }
            Self::Revoke { client, reason, json } => {
                let revoked = write.run(move |tx| {
                    let before = tx.lock::<Client>(ClientId(client))?;
                    let decision = before.value.clone().revoke(reason.clone(), tx.actor(), tx.now())?;
                    tx.save(&before, decision)
                })?;
                list(&[revoked], json)
            }
        }
    }
}

/// How a command writes: it is the server for a moment.
struct Write<'a> {
    db: &'a Db,
    stamp: Stamp,
    runtime: &'a tokio::runtime::Runtime,
}

impl Write<'_> {
    fn run(self, work: impl Fn(&mut Tx<'_>) -> Outcome<Stored<Client>> + Send + 'static) -> Outcome<Stored<Client>> {
        self.runtime.block_on(self.db.write(self.stamp, Mode::Commit, work))
    }
}

/// A client with its new secret.
fn told(client: &Stored<Client>, secret: NewSecret, json: bool) -> Run {
    if json {
        let mut value = serde_json::to_value(ClientView::of(&client.value)).map_err(|e| e.to_string())?;
        if let Some(fields) = value.as_object_mut() {
            fields.insert("secret".to_owned(), secret.plain.into());
        }
        return super::print_json(&value);
    }
    println!("client_id      {}", client.value.id);
    println!("client_secret  {}", secret.plain);
    Ok(())
}

fn list(all: &[Stored<Client>], json: bool) -> Run {
    if json {
        return super::print_json(&all.iter().map(|stored| ClientView::of(&stored.value)).collect::<Vec<_>>());
    }
    for Stored { value: client, .. } in all {
        let scopes: Vec<_> = client.terms.scopes.iter().map(|scope| scope.scope()).collect();
        let state = client.state.name();
        println!("{}  {state}  {}  {}  {}", client.id, client.terms.role.name(), client.terms.name, scopes.join(","));
    }
    Ok(())
}

//! `dps serve`, `dps migrate` and `dps token`.

use std::io::Write as _;
use std::net::SocketAddr;

use domain::kernel::{AuthorityCode, ProviderId, Role};
use persistence::Ids;

use super::exit::Run;
use super::role;
use crate::auth::token::{self, Claims, LOCAL_ISSUER};
use crate::config::{Config, Tokens, url};
use crate::server;

/// Serves until a signal ends it.
pub(super) fn serve(config: &Config) -> Run {
    actix_web::rt::System::new().block_on(async {
        let bound = server::bind(config, Ids::random())?;
        // A server whose output nobody reads any more serves all the same.
        drop(std::io::stdout().write_all(greeting(config, bound.address).as_bytes()));
        Ok(bound.run().await.map_err(|e| e.to_string())?)
    })
}

fn greeting(config: &Config, address: SocketAddr) -> String {
    let at = format!("http://{address}");
    let mut lines = vec![
        format!("dps serves    {at}"),
        format!("documentation {at}/docs/  ({at}/openapi.json)"),
        format!("database      {}", url::shown(&config.database)),
    ];
    if config.tokens == Tokens::Local {
        lines.push("a token for each role, for 12 hours (any authority and provider will do here):".to_owned());
        lines.extend(Role::ALL.into_iter().skip(1).map(|role| {
            let claim = match role {
                Role::Provider => " --provider 0190a000-0000-7000-8000-000000000001",
                Role::Portal | Role::Script | Role::Administrator | Role::Public => "",
                _ => " --authority LGSS",
            };
            format!("  dps token --role {}{claim}", role.name())
        }));
    }
    lines.join("\n") + "\n"
}

/// Brings the schema up to date and prints which migrations ran.
pub(super) fn migrate(config: &Config, json: bool) -> Run {
    server::prepare(config)?;
    let ran = persistence::migrate(&config.database)?;
    if json {
        return super::print_json(&ran);
    }
    for version in ran {
        println!("{version}");
    }
    Ok(())
}

/// What a token is to say.
#[derive(clap::Args)]
pub(super) struct Token {
    /// What its bearer may do
    #[arg(long, value_parser = role())]
    role: Role,
    /// The authority's code, for the buying side
    #[arg(long, value_name = "CODE")]
    authority: Option<String>,
    /// The provider's id, for a provider
    #[arg(long, value_name = "ID")]
    provider: Option<uuid::Uuid>,
    /// The account; the role's name where absent
    #[arg(long)]
    subject: Option<String>,
    /// Hours until it expires
    #[arg(long, default_value_t = 12)]
    hours: u64,
}

impl Token {
    /// Prints a token for a development server.
    pub fn run(self, config: &Config) -> Run {
        let Tokens::Local = config.tokens else {
            return Err("this server accepts no local tokens: people's are its identity provider's".to_owned().into());
        };
        server::prepare(config)?;
        let secret = token::local_secret(&config.key_file)?;
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_err(|e| e.to_string())?;
        let claims = Claims {
            sub: self.subject.unwrap_or_else(|| self.role.name().to_owned()),
            iss: LOCAL_ISSUER.to_owned(),
            aud: config.audience.clone(),
            exp: now.as_secs().saturating_add(self.hours.saturating_mul(3600)),
            role: self.role,
            authority: self.authority.map(AuthorityCode::try_from).transpose()?,
            provider: self.provider.map(ProviderId),
        };
        println!("{}", token::issue(&secret, &claims)?);
        Ok(())
    }
}

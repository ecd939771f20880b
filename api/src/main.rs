//! The one binary: `dps --help`.

use std::process::ExitCode;

use api::auth::token::{self, Claims, LOCAL_ISSUER};
use api::config::{Config, Tokens};
use api::{cli, demo, openapi, server};
use clap::{Parser, Subcommand};
use domain::kernel::{AuthorityCode, ProviderId, Role};
use persistence::Ids;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A dynamic purchasing system for care placements, over REST.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Bring the schema up to date and serve the API
    Serve,
    /// Bring the schema up to date
    Migrate,
    /// Prove that the record is whole: every event chain and every checkpoint
    Verify {
        /// Print the account as JSON
        #[arg(long)]
        json: bool,
    },
    /// Play a whole market over HTTP, and print an account of it
    Demo {
        /// The regulator's list; a fictional sample where absent
        #[arg(long)]
        register: Option<std::path::PathBuf>,
        /// Where to keep it, such as `postgres://…`, empty; a temporary file where absent
        #[arg(long)]
        database: Option<String>,
    },
    /// Print the `OpenAPI` document
    Openapi,
    /// Print a token for a development server
    Token {
        /// Such as `lead_agency`, `provider` or `script`
        #[arg(long, value_parser = role)]
        role: Role,
        /// The authority's code, for the buying side
        #[arg(long)]
        authority: Option<String>,
        /// The provider's id, for a provider
        #[arg(long)]
        provider: Option<uuid::Uuid>,
        /// The account; the role's name where absent
        #[arg(long)]
        subject: Option<String>,
        /// Hours until it expires
        #[arg(long, default_value_t = 12)]
        hours: u64,
    },
}

fn role(name: &str) -> Result<Role, String> {
    Role::ALL.into_iter().find(|r| r.name() == name && *r != Role::Public).ok_or_else(|| {
        let known: Vec<_> = Role::ALL.iter().skip(1).map(|r| r.name()).collect();
        format!("a role is one of {}", known.join(", "))
    })
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // The account of a play is not to drown in the log of its requests.
    let level = if matches!(cli.command, Command::Demo { .. }) { "warn" } else { "info" };
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::try_from_env("DPS_LOG").unwrap_or_else(|_| level.into()))
        .with_writer(std::io::stderr)
        .json()
        .init();
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            for line in why {
                eprintln!("dps: {line}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), Vec<String>> {
    let one = |why: String| vec![why];
    match command {
        Command::Openapi => {
            print!("{}", openapi::text().map_err(one)?);
            Ok(())
        }
        Command::Migrate => {
            let config = Config::from_env()?;
            server::prepare(&config).map_err(one)?;
            for version in persistence::migrate(&config.database).map_err(|e| one(e.to_string()))? {
                println!("{version}");
            }
            Ok(())
        }
        Command::Token { role, authority, provider, subject, hours } => {
            let config = Config::from_env()?;
            let authority = authority.map(AuthorityCode::try_from).transpose().map_err(one)?;
            let subject = subject.unwrap_or_else(|| role.name().to_owned());
            println!(
                "{}",
                local_token(&config, role, authority, provider.map(ProviderId), subject, hours).map_err(one)?
            );
            Ok(())
        }
        Command::Verify { json } => {
            let intact = cli::verify(&Config::from_env()?, json).map_err(one)?;
            // The account that was printed says why.
            if intact { Ok(()) } else { Err(Vec::new()) }
        }
        Command::Demo { register, database } => demo::run(&demo::Options { register, database }),
        Command::Serve => serve(&Config::from_env()?).map_err(one),
    }
}

fn local_token(
    config: &Config,
    role: Role,
    authority: Option<AuthorityCode>,
    provider: Option<ProviderId>,
    sub: String,
    hours: u64,
) -> Result<String, String> {
    let Tokens::Local = config.tokens else {
        return Err("this server accepts no local tokens: people's are its identity provider's".to_owned());
    };
    server::prepare(config)?;
    let secret = token::local_secret(&config.key_file)?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_err(|e| e.to_string())?;
    let exp = now.as_secs() + hours * 3600;
    let claims =
        Claims { sub, iss: LOCAL_ISSUER.to_owned(), aud: config.audience.clone(), exp, role, authority, provider };
    token::issue(&secret, &claims)
}

fn serve(config: &Config) -> Result<(), String> {
    actix_web::rt::System::new().block_on(async {
        let bound = server::bind(config, Ids::random())?;
        let at = format!("http://{}", bound.address);
        println!("dps serves    {at}");
        println!("documentation {at}/docs/  ({at}/openapi.json)");
        println!("database      {}", config.database.split('@').next_back().unwrap_or_default());
        if config.tokens == Tokens::Local {
            println!("a token for each role, for 12 hours (any authority and provider will do here):");
            for role in Role::ALL.into_iter().skip(1) {
                let claim = match role {
                    Role::Provider => " --provider 0190a000-0000-7000-8000-000000000001",
                    Role::Portal | Role::Script | Role::Administrator | Role::Public => "",
                    _ => " --authority LGSS",
                };
                println!("  dps token --role {}{claim}", role.name());
            }
        }
        bound.server.await.map_err(|e| e.to_string())
    })
}

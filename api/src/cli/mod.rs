//! The command line.

mod audit;
mod backup;
mod check;
mod client;
pub mod exit;
mod health;
mod import;
mod progress;
mod serve;
mod sweep;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use domain::kernel::Role;
use exit::{Ended, Exit, Run};

use crate::config::settings;
use crate::config::source::Source;
use crate::openapi;

/// A dynamic purchasing system for care placements, over REST.
#[derive(Parser)]
#[command(name = "dps", version, after_help = exit::help(), after_long_help = long_help())]
struct Cli {
    #[arg(long, global = true, value_name = "FILE", help = "The configuration file, in TOML [env: DPS_CONFIG]")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

fn long_help() -> String {
    format!("{}\n\n{}", exit::help(), settings::help())
}

#[derive(Subcommand)]
enum Command {
    /// Bring the schema up to date and serve the API
    ///
    /// Prints the address first. SIGTERM and Ctrl-C stop new requests and the clock-driven work; requests that run may
    /// end, for ten seconds at most.
    Serve {
        /// Where to listen, such as 127.0.0.1:8080: goes before the file and the environment
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<String>,
    },
    /// Bring the schema up to date and print which migrations ran
    Migrate {
        /// Print a list of JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the configuration as it holds, what is wrong with it and what is unwise
    ///
    /// Nothing is opened or changed. Passwords are not printed.
    CheckConfig {
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// Print a commented file with every setting instead
        #[arg(long, conflicts_with = "json")]
        sample: bool,
    },
    /// Do what is due now (rounds that close, suspensions that lapse, …), seal the feed, and end
    ///
    /// A server does this by itself. Several may do it at once: each change is made once.
    Sweep {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Ask the server of this machine, at `DPS_LISTEN`, whether it can do its work
    ///
    /// Says nothing where it can, and ends with 4 where it cannot.
    Health,
    /// Look after machine clients, on the database itself: this needs no token
    Client {
        #[command(subcommand)]
        command: client::Command,
    },
    /// Look after the record
    Audit {
        #[command(subcommand)]
        command: Audit,
    },
    /// Copy the database into a file, while a server writes, and prove the copy
    ///
    /// An account of it (schema, events, last checkpoint, SHA-256) is kept beside it as <FILE>.json. PostgreSQL is
    /// copied by `pg_dump`, which must be on the path.
    Backup {
        /// The file to make; it must not be there yet
        file: PathBuf,
        /// Print the account as JSON
        #[arg(long)]
        json: bool,
    },
    /// Put a backup in the place of the database, after proving it
    ///
    /// Stop the servers first: a database that is in use is refused. What is wrong with the backup is found before
    /// anything is replaced. PostgreSQL is restored by `pg_restore`, which must be on the path. Where that was killed,
    /// no server starts until it is restored again with --replace, or put back with --back.
    Restore {
        /// The file that `dps backup` made, with its account beside it
        #[arg(required_unless_present = "back")]
        file: Option<PathBuf>,
        /// Replace what is in the database
        #[arg(long)]
        replace: bool,
        /// Put back what was there before a restore that was killed (PostgreSQL)
        #[arg(long, conflicts_with_all = ["file", "replace", "json"])]
        back: bool,
        /// Print the restored record's account as JSON
        #[arg(long)]
        json: bool,
    },
    /// Upload a file to a running server, wait, and say what became of its rows
    ///
    /// Ends with 6 where rows were refused; the first ones are told.
    Import(import::Import),
    /// Print the `OpenAPI` document
    Openapi,
    /// Print a token for a development server
    Token(serve::Token),
    /// Print the completions for a shell: `dps completions bash > /etc/bash_completion.d/dps`
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Print the manual page, or write those of all commands into a folder
    Man {
        /// The folder, such as /usr/local/share/man/man1
        folder: Option<PathBuf>,
    },
}

#[derive(Subcommand)]
enum Audit {
    /// Prove that the record is whole: every event chain and every checkpoint
    ///
    /// Changes nothing, and may run beside a server. Prints the last checkpoint: compare it with the one that you keep
    /// elsewhere.
    Verify {
        /// Print the account as JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let file = cli.config.or_else(|| variable("DPS_CONFIG").map(PathBuf::from));
    let mut source = Source::read(file.as_deref(), variable);
    log(&cli.command, &source);
    run(cli.command, &mut source).map_or_else(Ended::told, |()| ExitCode::SUCCESS)
}

/// A server tells each request; a command that ends tells what is wrong.
fn log(command: &Command, source: &Source) {
    let usual = settings::find("DPS_LOG").and_then(|setting| setting.default).unwrap_or("info");
    let default = if matches!(command, Command::Serve { .. }) { usual } else { "warn" };
    let filter = crate::config::log_filter(source.given("DPS_LOG").unwrap_or(default));
    tracing_subscriber::fmt()
        .with_env_filter(filter.unwrap_or_else(|_| default.into()))
        .with_writer(std::io::stderr)
        .json()
        .init();
}

fn run(command: Command, source: &mut Source) -> Run {
    if let Command::Serve { listen: Some(address) } = &command {
        source.set("DPS_LISTEN", address.clone());
    }
    let config = || source.config().map_err(|why| Ended { exit: Exit::Configuration, why });
    match command {
        Command::Serve { listen: _ } => serve::serve(&config()?),
        Command::Migrate { json } => serve::migrate(&config()?, json),
        Command::CheckConfig { json, sample } => check::run(source, sample, json),
        Command::Sweep { json } => sweep::run(&config()?, json),
        Command::Health => health::run(&config()?),
        Command::Audit { command: Audit::Verify { json } } => audit::verify(&config()?, json),
        Command::Client { command } => command.run(&config()?),
        Command::Backup { file, json } => backup::backup(&config()?, &file, json),
        Command::Restore { file: Some(file), replace, json, back: _ } => {
            backup::restore(&config()?, &file, replace, json)
        }
        Command::Restore { file: None, .. } => backup::back(&config()?),
        Command::Import(import) => import.run(),
        Command::Openapi => {
            print!("{}", openapi::text()?);
            Ok(())
        }
        Command::Token(token) => token.run(&config()?),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "dps", &mut std::io::stdout());
            Ok(())
        }
        Command::Man { folder } => man(folder.as_deref()).map_err(|e| e.to_string().into()),
    }
}

fn man(folder: Option<&Path>) -> std::io::Result<()> {
    match folder {
        None => clap_mangen::Man::new(Cli::command()).render(&mut std::io::stdout()),
        Some(folder) => {
            std::fs::create_dir_all(folder)?;
            clap_mangen::generate_to(Cli::command(), folder)
        }
    }
}

/// Takes one of these by its name: help and completions tell every name there is.
fn one_of<T: Copy + Send + Sync + 'static>(
    all: impl IntoIterator<Item = T>,
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    let all: Vec<T> = all.into_iter().collect();
    let names: Vec<&str> = all.iter().map(|one| name(*one)).collect();
    let find = move |given: String| all.iter().copied().find(|one| name(*one) == given).ok_or("unknown");
    PossibleValuesParser::new(names).try_map(find)
}

/// Takes the role of whoever has a token, by its name.
fn role() -> impl TypedValueParser<Value = Role> {
    one_of(Role::ALL.into_iter().filter(|role| *role != Role::Public), Role::name)
}

/// Prints for a program.
fn print_json(value: &impl serde::Serialize) -> Run {
    println!("{}", serde_json::to_string_pretty(value).map_err(|e| e.to_string())?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}

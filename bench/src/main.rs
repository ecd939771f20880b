//! `make bench`: measures the server beside ceilings and peers, in one run, and prints a table.
//!
//! The server and its database are pinned to the first core, the load to the second. See `docs/benchmarks.md`.
#![expect(clippy::cast_precision_loss, reason = "counts become figures for people")]
#![expect(clippy::similar_names, reason = "a pace at a place, a site of a size")]

mod bare;
mod compare;
mod history;
mod load;
mod machine;
mod report;
mod rows;
mod server;
mod site;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Whatever goes wrong ends the run, and is told.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Measures the server beside ceilings and peers.
#[derive(Parser)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measures, and prints the table
    Run(rows::Wanted),
    /// Two builds side by side: reports of runs that took turns
    Compare(compare::Wanted),
    /// The ceiling of reads: the same server answering a static 1 KB
    Static {
        /// Where to listen
        #[arg(long)]
        listen: std::net::SocketAddr,
    },
    /// Makes a history in an empty database, and proves it
    History {
        /// `sqlite:<path>` or `postgres://…`
        #[arg(long)]
        url: String,
        /// Events, about
        #[arg(long)]
        events: u64,
        /// Drafts that are ready to be submitted
        #[arg(long, default_value_t = 300)]
        drafts: usize,
    },
}

fn main() -> ExitCode {
    let ran = match Line::parse().command {
        Command::Run(wanted) => rows::run(&wanted),
        Command::Compare(wanted) => compare::run(&wanted),
        Command::Static { listen } => server::answer_statically(listen),
        Command::History { url, events, drafts } => make(&url, history::Plan { events, drafts }),
    };
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn make(url: &str, plan: history::Plan) -> Outcome<()> {
    let made = history::make(url, &std::env::temp_dir(), plan, machine::today())?;
    println!("{} events in {:.1} s, {:.0} a second", made.events, made.seconds, made.events as f64 / made.seconds);
    println!("{} events verified", history::verify(url)?);
    Ok(())
}

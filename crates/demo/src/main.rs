//! `dps-demo`: plays a whole market on a server of its own.

mod stage;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use demo::Played;
use stage::Stage;

/// Play a whole market over HTTP, and print an account of it
#[derive(Parser)]
#[command(name = "dps-demo", version)]
struct Options {
    /// The regulator's list (Ofsted's, as it is published); a fictional sample where absent
    #[arg(long, value_name = "FILE")]
    ofsted: Option<PathBuf>,
    /// Where to keep it, such as `postgres://…`, empty; a temporary file where absent
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// The server's program; the `dps` beside this one where absent
    #[arg(long, value_name = "FILE")]
    dps: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("dps-demo: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: Options) -> Played<()> {
    let list = demo::list(options.ofsted.as_deref())?;
    let dps = match options.dps {
        Some(dps) => dps,
        None => std::env::current_exe().map_err(|e| e.to_string())?.with_file_name("dps"),
    };
    let stage = Stage::open(dps, options.database)?;
    match demo::play(list, &stage.client, || stage.prove()) {
        Ok(()) => stage.clear(),
        Err(why) => Err(format!("{why}\nwhat was played until then is in {}", stage.keep())),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Options::command().debug_assert();
    }
}

//! The market that the requirements come from, played whole over HTTP against a server of its own.
//!
//! The regulator's list gives the providers, their homes and their ratings. Everything else that happens here (papers,
//! declarations, failings) is invented, so it is told of numbers (`P-017`) and never of names.

#![expect(
    clippy::indexing_slicing,
    reason = "a JSON value without that field reads as null, and one that is written to is an object made here"
)]

mod account;
mod acts;
mod cast;
mod client;
mod market;
mod stage;

use std::fs::File;
use std::io::Cursor;
use std::path::PathBuf;
use std::time::Instant as Stopwatch;

use crate::register::{self, Release, RowError};
use account::{Account, grouped};
use cast::Cast;
use stage::Stage;

/// The list that is played where no other is given: fictional, in the regulator's format.
const SAMPLE: &[u8] = include_bytes!("../../../samples/register-sample.csv");

/// Owners that a play needs at least, for each part to be played.
const FEWEST: usize = 16;

/// What to play.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The regulator's list; the fictional sample where absent.
    pub register: Option<PathBuf>,
    /// The database; a new one in a temporary folder where absent.
    pub database: Option<String>,
}

/// What a step of the play comes to: what went wrong, in words, ends the play.
type Played<T> = Result<T, String>;

/// Plays the market and prints an account of it.
///
/// # Errors
/// Whatever was not as expected, one line each.
pub fn run(options: &Options) -> Result<(), Vec<String>> {
    let watch = Stopwatch::now();
    let said = |found: Vec<RowError>| found.iter().map(ToString::to_string).collect::<Vec<_>>();
    let release = match &options.register {
        Some(file) => Release::open(File::open(file).map_err(|e| vec![format!("{}: {e}", file.display())])?),
        None => Release::open(Cursor::new(SAMPLE)),
    };
    let register = release.and_then(register::collect).map_err(said)?;
    let cast = Cast::of(&register);
    if cast.players.len() < FEWEST {
        let found = cast.players.len();
        return Err(vec![format!(
            "{found} owners of the list could apply in this market, and the play needs {FEWEST}"
        )]);
    }
    play(options, register, cast, watch).map_err(|why| vec![why])
}

fn play(options: &Options, register: crate::register::Register, cast: Cast, watch: Stopwatch) -> Played<()> {
    let mut account = Account::new();
    account.opening(&register, &cast);
    drop(register);
    let stage = Stage::open(options.database.as_deref(), cast.starts())?;
    let laps = acts::play(&stage.client, cast, &mut account);
    let stage = stage.close()?;
    let laps = laps.map_err(|why| {
        format!("{why}\nwhat was played until then is in {}", crate::config::url::shown(&stage.config.database))
    })?;
    account.section("The record, proved");
    crate::cli::audit::verify(&stage.config, false)
        .map_err(|ended| if ended.why.is_empty() { "the record is broken".to_owned() } else { ended.why.join("\n") })?;
    stage.clear();
    account.section("Done");
    for lap in &laps {
        account.item(&format!("{}: {} requests, {:.1} s", lap.act, lap.requests, lap.took.as_secs_f64()));
    }
    let requests: u64 = laps.iter().map(|lap| lap.requests).sum();
    account.say(&format!(
        "{} HTTP requests; the whole play took {:.1} s. Everything was as expected.",
        grouped(usize::try_from(requests).unwrap_or(usize::MAX)),
        watch.elapsed().as_secs_f64()
    ));
    Ok(())
}

//! The market that the requirements come from, played whole over HTTP.
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

pub use client::Client;

use std::fs::File;
use std::io::Cursor;
use std::path::Path;
use std::time::Instant as Stopwatch;

use account::{Account, grouped};
use cast::Cast;
use tables::Fault;
use tables::ofsted::{self, List, Release};

/// The list that is played where no other is given: fictional, in the regulator's format.
const SAMPLE: &[u8] = include_bytes!("../../../samples/ofsted-sample.csv");

/// Owners that a play needs at least, for each part to be played.
const FEWEST: usize = 16;

/// What a step of the play comes to: what went wrong, in words, ends the play.
pub type Played<T> = Result<T, String>;

/// The regulator's list to play; the fictional sample where no file is named.
///
/// # Errors
/// What is wrong with the list, a line each.
pub fn list(file: Option<&Path>) -> Played<List> {
    let release = match file {
        Some(file) => Release::open(File::open(file).map_err(|e| format!("{}: {e}", file.display()))?),
        None => Release::open(Cursor::new(SAMPLE)),
    };
    let said = |faults: Vec<Fault>| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    release.and_then(ofsted::collect).map_err(said)
}

/// Plays the market and prints an account of it. The server must be new, its clock before the list's last year;
/// `prove` proves its record when all is played, and prints what it finds.
///
/// # Errors
/// Whatever was not as expected, in words.
pub fn play(list: List, client: &Client, prove: impl FnOnce() -> Played<()>) -> Played<()> {
    let watch = Stopwatch::now();
    let cast = Cast::of(&list);
    if cast.players.len() < FEWEST {
        let found = cast.players.len();
        return Err(format!("{found} owners of the list could apply in this market, and the play needs {FEWEST}"));
    }
    let mut account = Account::new();
    account.opening(&list, &cast);
    drop(list);
    let laps = acts::play(client, cast, &mut account)?;
    account.section("The record, proved");
    prove()?;
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

//! The acts of the play, in their order.

mod apply;
mod evaluate;
mod publish;
mod register;
mod registers;
mod second_round;
mod standing;

use std::collections::BTreeMap;
use std::time::{Duration, Instant as Stopwatch};

use chrono::NaiveDate;
use domain::kernel::{Instant, Role};
use serde_json::json;
use uuid::Uuid;

use crate::Played;
use crate::account::Account;
use crate::cast::{Cast, Player};
use crate::client::{Caller, Client};
use crate::market::LEAD;

/// Requests that run at once where their order does not matter.
const AT_ONCE: usize = 3;

/// What an act took.
pub(super) struct Lap {
    /// Its name.
    pub act: &'static str,
    /// Requests that it sent.
    pub requests: u64,
    /// How long they took, with all that lies between.
    pub took: Duration,
}

/// Plays all acts.
pub(super) fn play(client: &Client, cast: Cast, account: &mut Account) -> Played<Vec<Lap>> {
    client.script()?.put_whole("/v1/clock", &json!({"now": cast.starts()}))?;
    let mut laps = Laps { client, last: (0, Stopwatch::now()), done: Vec::new() };
    let Cast { year, players, .. } = cast;
    let mut play = Play { year, account, players, stage: publish::play(client, year)?, results: Results::default() };
    publish::tell(&mut play)?;
    laps.done("publish");
    register::play(&mut play)?;
    laps.done("register");
    let drafts = apply::play(&mut play)?;
    laps.done("apply");
    evaluate::first_round(&mut play, drafts)?;
    laps.done("evaluate");
    second_round::play(&mut play)?;
    laps.done("second round");
    standing::play(&mut play)?;
    registers::look_back(&mut play)?;
    laps.done("the year after");
    Ok(laps.done)
}

/// Times the acts.
struct Laps<'a> {
    client: &'a Client,
    last: (u64, Stopwatch),
    done: Vec<Lap>,
}

impl Laps<'_> {
    fn done(&mut self, act: &'static str) {
        let (sent, now) = (self.client.sent(), Stopwatch::now());
        let (before, since) = std::mem::replace(&mut self.last, (sent, now));
        self.done.push(Lap { act, requests: sent - before, took: now - since });
    }
}

/// What the acts share.
struct Play<'a> {
    year: i32,
    account: &'a mut Account,
    players: Vec<Player>,
    stage: Market<'a>,
    results: Results,
}

/// What has come about so far.
#[derive(Default)]
struct Results {
    members: Vec<Member>,
    /// How many of them the first round admitted: with the papers of their part.
    in_first_round: usize,
    rejected: Vec<Rejected>,
    registers: Vec<registers::Seen>,
}

/// A membership.
#[derive(Clone)]
struct Member {
    /// Index of the player.
    player: usize,
    /// Index of the lot.
    lot: usize,
    id: String,
}

/// A line that was rejected.
#[derive(Clone)]
struct Rejected {
    player: usize,
    lot: usize,
    application: String,
    /// Codes of the requirements that were not met.
    codes: Vec<String>,
}

/// The published market; shared by those who act at the same time.
struct Market<'a> {
    client: &'a Client,
    lead: Caller<'a>,
    arrangement: String,
    /// Ids of the lots, in the order of the table.
    lots: Vec<String>,
    /// Ids of the requirements by code.
    requirements: BTreeMap<&'static str, String>,
}

impl<'a> Market<'a> {
    fn requirement(&self, code: &str) -> Played<&str> {
        self.requirements.get(code).map(String::as_str).ok_or_else(|| format!("no requirement {code}"))
    }

    fn lot(&self, at: usize) -> Played<&str> {
        self.lots.get(at).map(String::as_str).ok_or_else(|| format!("no lot {at}"))
    }

    /// Whoever applies for a player: its portal, or the provider itself.
    fn applicant(&self, player: &Player) -> Played<Caller<'a>> {
        match player.portal {
            Some(portal) => self.client.portal(portal),
            None => self.client.provider(player.id),
        }
    }

    fn commissioner(&self, subject: &str, authority: &str) -> Played<Caller<'a>> {
        self.client.buyer(Role::Commissioner, subject, authority)
    }

    /// Another officer of the lead agency, who did not decide.
    fn second_lead(&self) -> Played<Caller<'a>> {
        self.client.buyer(Role::LeadAgency, "lead-2", LEAD.0)
    }
}

impl Play<'_> {
    /// A player by its index.
    fn player(&self, at: usize) -> Played<&Player> {
        self.players.get(at).ok_or_else(|| format!("no player {at}"))
    }

    fn day(&self, month: u32, day: u32) -> Played<NaiveDate> {
        day_of(self.year, month, day)
    }

    /// Moves the clock to nine in the morning in London on a day of the play's year.
    fn at(&self, month: u32, day: u32) -> Played<()> {
        self.at_instant(morning(self.day(month, day)?))
    }

    fn at_instant(&self, now: Instant) -> Played<()> {
        self.stage.client.script()?.put_whole("/v1/clock", &json!({"now": now})).map(drop)
    }
}

fn day_of(year: i32, month: u32, day: u32) -> Played<NaiveDate> {
    NaiveDate::from_ymd_opt(year, month, day).ok_or_else(|| format!("there is no {year}-{month}-{day}"))
}

/// Nine o'clock in London.
fn morning(day: NaiveDate) -> Instant {
    Instant::london(day.and_hms_opt(9, 0, 0).unwrap_or_default())
}

/// An identifier that nothing else has.
fn new_id() -> Played<Uuid> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|e| e.to_string())?;
    Ok(Uuid::from_bytes(bytes))
}

/// Does `work` for each of `things`, some at the same time; the results come in the order of the things.
fn each<T: Sync, R: Send>(things: &[T], work: impl Fn(&T) -> Played<R> + Sync) -> Played<Vec<R>> {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let Some(thing) = things.get(at) else { return Ok(done) };
            done.push((at, work(thing)?));
        }
    };
    let workers: Vec<_> = std::thread::scope(|scope| {
        let spawned: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(worker)).collect();
        let joined = spawned.into_iter().map(std::thread::ScopedJoinHandle::join);
        joined.map(|done| done.unwrap_or_else(|_| Err("a thread of the play panicked".to_owned()))).collect::<Vec<_>>()
    });
    let mut done: Vec<_> = workers.into_iter().collect::<Played<Vec<_>>>()?.into_iter().flatten().collect();
    done.sort_by_key(|(at, _)| *at);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

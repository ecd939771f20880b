//! Reads and writes beside their ceilings.

use std::time::{Duration, Instant};

use persistence::migrate;
use uuid::Uuid;

use crate::Outcome;
use crate::bare;
use crate::history::{self, Plan};
use crate::load::{self, Measured, Pace, Script};
use crate::report::{Goal, Row, median, number};
use crate::rows::place::Place;
use crate::rows::{Bench, failures, today};
use crate::site::Site;

/// Clients at a time.
pub const CLIENTS: usize = 32;
/// Connections of the server's pool on PostgreSQL: the bare loop has as many.
const POOL: usize = 8;

/// What of it the peers are held against.
pub struct Rates {
    /// Reads of an application by id, a second.
    pub read: f64,
    /// Submissions, a second.
    pub submit: f64,
}

/// The shares of their ceilings that are asked of reads.
struct Goals {
    key: f64,
    unchanged: Option<f64>,
    page: f64,
}

/// Everything that has a ceiling, on one database.
pub fn measure(bench: &mut Bench, place: &Place) -> Outcome<Rates> {
    let goals = if place.is_sqlite() {
        Goals { key: 0.6, unchanged: Some(0.85), page: 0.08 }
    } else {
        Goals { key: 0.2, unchanged: None, page: 0.05 }
    };
    let url = place.fresh("ratios")?;
    let history =
        history::make(&url, &place.folder("ratios"), Plan { events: 10_000, drafts: bench.drafts() }, today())?;
    let site = Site::open(&bench.dps, &url, &place.folder("ratios"), history)?;
    let read = reading(bench, place, &site, "application by id", site.by_key(), Some(goals.key))?;
    reading(bench, place, &site, "application by id, 304", site.unchanged()?, goals.unchanged)?;
    reading(bench, place, &site, "page of 50 members", site.page_of_members(), Some(goals.page))?;
    reading(bench, place, &site, "register of 50 members", site.register_of_fifty(), None)?;
    reading(bench, place, &site, "register of 400 members at an instant", site.register_at_an_instant(), None)?;
    let submit = submissions(bench, place, &url, site)?;
    Ok(Rates { read, submit })
}

/// A read in turn with the static ceiling, so that whatever else the machine does meets both; then at half of that load.
fn reading(
    bench: &mut Bench,
    place: &Place,
    site: &Site,
    what: &str,
    mut script: Script,
    goal: Option<f64>,
) -> Outcome<f64> {
    let pace = Pace::closed(CLIENTS, bench.burst());
    let (mut ratios, mut rates, mut ceilings, mut failed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.repetitions() {
        let ceiling = bench.static_rate(CLIENTS)?;
        let measured = load::run(site.server.address, &mut script, pace)?;
        failed.extend(failures(&measured));
        ratios.push(measured.rate() / ceiling);
        rates.push(measured.rate());
        ceilings.push(ceiling);
        site.server.forget_log()?;
    }
    let rate = median(&rates);
    let row = Row::new(place.database, what)
        .measured(format!("{}/s", number(rate)))
        .beside(format!("static {}/s", number(median(&ceilings))))
        .value(&ratios, "%")
        .failed(failed);
    bench.table.add(match goal {
        Some(goal) => row.goal(Goal::AtLeast(goal)),
        None => row,
    });
    at_half_load(bench, place, site, what, script, rate / 2.0)?;
    Ok(rate)
}

fn at_half_load(
    bench: &mut Bench,
    place: &Place,
    site: &Site,
    what: &str,
    mut script: Script,
    rate: f64,
) -> Outcome<()> {
    let pace = Pace::closed(CLIENTS, bench.burst()).constant(rate);
    let (mut tails, mut p50, mut p99, mut failed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut plain = Vec::new();
    for _ in 0..bench.repetitions() {
        // What the machine itself does to whoever answers at this rate.
        let ceiling = bench.statically(pace)?;
        plain.push(ceiling.micros(0.99) / ceiling.micros(0.5));
        let measured = load::run(site.server.address, &mut script, pace)?;
        failed.extend(failures(&measured));
        p50.push(measured.micros(0.5));
        p99.push(measured.micros(0.99));
        tails.push(measured.micros(0.99) / measured.micros(0.5));
        site.server.forget_log()?;
    }
    let row = Row::new(place.database, format!("{what}, p99 at half load"))
        .measured(format!("p99 {} µs", number(median(&p99))))
        .beside(format!("p50 {} µs", number(median(&p50))))
        .value(&tails, "x")
        .goal(Goal::AtMost(2.0))
        .note(format!("{}/s; the static answer at that rate {:.1} x", number(rate), median(&plain)))
        .failed(failed);
    bench.table.add(row);
    Ok(())
}

/// Submissions by one client and by many, in turn with the bare transaction on a copy of the database.
fn submissions(bench: &mut Bench, place: &Place, url: &str, site: Site) -> Outcome<f64> {
    let mut script = site.submissions()?;
    let (few, many) = bench.submissions();
    // What the bare loop repeats is what the server wrote.
    let first = submit(&site, &mut script, CLIENTS, 200)?;
    if !first.failures.is_empty() {
        let row = Row::new(place.database, "submit").failed(failures(&first));
        bench.table.add(row);
        return Ok(0.0);
    }
    let Site { server, history, .. } = site;
    drop(server);
    place.copy("ratios", "bare")?;
    let site = Site::open(&bench.dps, url, &place.folder("ratios"), history)?;
    let mut bare = Bare::open(place, url)?;
    let (mut alone, mut crowd, mut bare_alone, mut bare_crowd) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut failed = Vec::new();
    for _ in 0..bench.repetitions() {
        bare_alone.push(bare.repeat(1, bench.burst() / 2)?);
        let one = submit(&site, &mut script, 1, few)?;
        let all = submit(&site, &mut script, CLIENTS, many)?;
        bare_crowd.push(bare.repeat(POOL, bench.burst() / 2)?);
        for measured in [&one, &all] {
            failed.extend(failures(measured));
        }
        alone.push(one.rate());
        crowd.push(all.rate());
    }
    let ratio = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a / b).collect::<Vec<_>>();
    let per_second = |rates: &[f64]| format!("{}/s", number(median(rates)));
    let row = |what: &str| Row::new(place.database, what).failed(failed.clone());
    bench.table.add(
        row("submit, one client")
            .measured(per_second(&alone))
            .beside(format!("bare transaction {}", per_second(&bare_alone)))
            .value(&ratio(&alone, &bare_alone), "%")
            .goal(Goal::AtLeast(0.8)),
    );
    let loops = if place.is_sqlite() { "one connection" } else { "8 connections" };
    bench.table.add(
        row("submit, 32 clients")
            .measured(per_second(&crowd))
            .beside(format!("bare transaction, {loops} {}", per_second(&bare_crowd)))
            .value(&ratio(&crowd, &bare_crowd), "%")
            .goal(Goal::AtLeast(0.8)),
    );
    let times = row("submit, 32 clients to one")
        .measured(per_second(&crowd))
        .beside(per_second(&alone))
        .value(&ratio(&crowd, &alone), "x");
    bench.table.add(if place.is_sqlite() { times.goal(Goal::AtLeast(5.0)) } else { times });
    bulk(bench, place, url, &site)?;
    place.remove("bare")?;
    Ok(median(&crowd))
}

fn submit(site: &Site, script: &mut Script, clients: usize, count: u64) -> Outcome<Measured> {
    load::run(site.server.address, script, Pace::closed(clients, Duration::from_secs(60)).counted(count))
}

/// The bare transaction on either database.
enum Bare {
    Sqlite(bare::sqlite::Submissions),
    Postgres(bare::postgres::Submissions),
}

impl Bare {
    fn open(place: &Place, url: &str) -> Outcome<Self> {
        if place.is_sqlite() {
            return Ok(Self::Sqlite(bare::sqlite::Submissions::open(&place.file("bare"))?));
        }
        Ok(Self::Postgres(bare::postgres::Submissions::open(&url.replace("/ratios", "/bare"))?))
    }

    fn repeat(&mut self, connections: usize, time: Duration) -> Outcome<f64> {
        match self {
            Self::Sqlite(bare) => bare.repeat(time),
            Self::Postgres(bare) => bare.repeat(connections, time),
        }
    }
}

/// A file of homes, beside their rows written as fast as the database takes them.
fn bulk(bench: &mut Bench, place: &Place, url: &str, site: &Site) -> Outcome<()> {
    let rows = if bench.quick { 5_000 } else { 20_000 };
    let (mut rates, mut bare_rates, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..if bench.quick { 1 } else { 3 } {
        let provider = site.history.drafts.iter().rev().nth(n).ok_or("no provider")?.1;
        let seconds = site.upload_homes(provider, n * rows..(n + 1) * rows)?;
        let into = place.fresh("bulk")?;
        migrate(&into)?;
        let bare = if place.is_sqlite() {
            bare::sqlite::bulk(&place.file("ratios"), &place.file("bulk"), Uuid::from(provider))?
        } else {
            bare::postgres::bulk(url, &into, Uuid::from(provider))?
        };
        let rate = rows as f64 / seconds;
        rates.push(rate);
        bare_rates.push(bare);
        ratios.push(rate / bare);
    }
    place.remove("bulk")?;
    let bare = if place.is_sqlite() { "bare loop" } else { "COPY" };
    let row = Row::new(place.database, format!("bulk upload of {} homes", number(rows as f64)))
        .measured(format!("{} rows/s", number(median(&rates))))
        .beside(format!("{bare} of the same rows {}/s", number(median(&bare_rates))))
        .value(&ratios, "%")
        .goal(Goal::AtLeast(0.4))
        .note("a home is four rows: itself and three events");
    bench.table.add(row);
    Ok(())
}

/// The time that `work` takes.
pub fn timed<T>(work: impl FnOnce() -> Outcome<T>) -> Outcome<(T, f64)> {
    let began = Instant::now();
    let done = work()?;
    Ok((done, began.elapsed().as_secs_f64()))
}

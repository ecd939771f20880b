//! The same operations on histories of different lengths.

use std::time::Duration;

use crate::Outcome;
use crate::history::{self, Plan};
use crate::load::{self, Pace, Script};
use crate::report::{Goal, Row, number};
use crate::rows::place::Place;
use crate::rows::{Bench, failures, today};
use crate::site::Site;

/// Drafts that are submitted at each length.
const DRAFTS: usize = 300;
/// How much a read may grow from the first length to the last.
const MOST: f64 = 1.3;

/// What one operation took at each length.
struct Series {
    what: String,
    /// Median microseconds of an answer.
    micros: Vec<f64>,
    failed: Vec<String>,
    read: bool,
}

/// Measures at each of `lengths`, and compares the last with the first.
pub fn measure(bench: &mut Bench, place: &Place, lengths: &[u64]) -> Outcome<()> {
    let mut found: Vec<Series> = Vec::new();
    let mut events = Vec::new();
    for length in lengths {
        let url = place.fresh("growth")?;
        let history = history::make(&url, &place.folder("growth"), Plan { events: *length, drafts: DRAFTS }, today())?;
        let pace = history.events as f64 / history.seconds;
        let size = place.bytes("growth")? as f64 / f64::from(1 << 20);
        events.push(history.events);
        let row = Row::new(place.database, format!("history of {} events", number(history.events as f64)))
            .measured(format!("made in {:.0} s, {}/s", history.seconds, number(pace)))
            .note(format!("{} MiB on the disk", number(size)));
        bench.table.add(row);
        let site = Site::open(&bench.dps, &url, &place.folder("growth"), history)?;
        let all = operations(&site)?;
        for (n, (what, script)) in all.into_iter().enumerate() {
            let (micros, failed, read) = answer_time(bench, &site, script)?;
            if n >= found.len() {
                found.push(Series { what, micros: Vec::new(), failed: Vec::new(), read });
            }
            if let Some(series) = found.get_mut(n) {
                series.micros.push(micros);
                series.failed.extend(failed);
            }
        }
        drop(site);
        if bench.verify {
            let (proved, seconds) = super::ratios::timed(|| history::verify(&url))?;
            let row = Row::new(place.database, format!("proof of {} events", number(proved as f64)))
                .measured(format!("{seconds:.1} s"));
            bench.table.add(row);
        }
        place.remove("growth")?;
    }
    let spans: Vec<String> = events.iter().map(|n| number(*n as f64)).collect();
    for series in found {
        let all: Vec<String> = series.micros.iter().map(|micros| number(*micros)).collect();
        let row = Row::new(place.database, series.what)
            .measured(format!("{} µs", all.join(" → ")))
            .beside(format!("at {} events", spans.join(" → ")))
            .failed(series.failed);
        let growth = series.micros.last().zip(series.micros.first()).map(|(last, first)| last / first);
        bench.table.add(match growth.filter(|_| events.len() > 1) {
            Some(growth) if series.read => row.value(&[growth], "x").goal(Goal::AtMost(MOST)),
            Some(growth) => row.value(&[growth], "x"),
            None => row,
        });
    }
    Ok(())
}

/// The median time of an answer where one client asks: what a request costs, without any waiting for others.
fn answer_time(bench: &Bench, site: &Site, mut script: Script) -> Outcome<(f64, Vec<String>, bool)> {
    let read = !script.once;
    let pace = if read {
        // Every object is read before it counts.
        Pace { warm: bench.burst(), ..Pace::closed(1, bench.burst()) }
    } else {
        Pace::closed(1, Duration::from_secs(60)).counted(DRAFTS as u64)
    };
    let measured = load::run(site.server.address, &mut script, pace)?;
    site.server.forget_log()?;
    Ok((measured.micros(0.5), failures(&measured), read))
}

/// All that is measured, with its name.
fn operations(site: &Site) -> Outcome<Vec<(String, Script)>> {
    let history = &site.history;
    let page = site.page_of_members();
    let middle = site.cursor(&format!("/v1/audit?object={}&limit=1", history.middle))?;
    let end = site.cursor("/v1/audit?limit=50")?;
    let oldest = history.applications.first().ok_or("no application")?;
    let feed = |after: Option<&str>| match after {
        Some(after) => format!("/v1/events?limit=50&after={after}"),
        None => "/v1/events?limit=50".to_owned(),
    };
    let mut all = vec![
        ("application by id".to_owned(), site.by_key()),
        ("page of members".to_owned(), page),
        ("register of 400 members, asOf".to_owned(), site.register_at_an_instant()),
        (
            "page of 50 applications".to_owned(),
            site.officers_ask(&format!("/v1/applications?limit=50&arrangement={}", history.arrangement)),
        ),
    ];
    let places = [("start", feed(None)), ("middle", feed(Some(&middle))), ("end", feed(Some(&end)))];
    for (place, path) in &places {
        all.push((format!("feed, {place}, by the script"), site.script_asks(std::slice::from_ref(path))));
    }
    for (place, path) in &places {
        all.push((format!("feed, {place}, by an authority"), site.officers_ask(path)));
    }
    let audits = [
        ("provider", format!("/v1/audit?limit=50&provider={}", oldest.1)),
        ("object", format!("/v1/audit?limit=50&object={}", oldest.0)),
        ("actor", "/v1/audit?limit=50&actor=lead-0".to_owned()),
        ("kind", "/v1/audit?limit=50&kind=SuspensionLifted".to_owned()),
    ];
    for (by, path) in &audits {
        all.push((format!("audit by {by}, by the script"), site.script_asks(std::slice::from_ref(path))));
    }
    for (by, path) in &audits {
        all.push((format!("audit by {by}, by an authority"), site.officers_ask(path)));
    }
    all.push(("submit, one client".to_owned(), site.submissions()?));
    Ok(all)
}

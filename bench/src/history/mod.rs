//! Makes a history: by the domain's own commands and the store's own set-based writes, so that every column, version and
//! chain is as the server would have written it.
//!
//! One arrangement is measured: its lot `REGISTER` has the same members however much history there is, and its second
//! round is open to drafts that are ready to be submitted. Around it lie the arrangements of twenty authorities in turn.

mod carry;
mod cohort;
mod market;
mod store;

use std::path::Path;
use std::time::{Duration, Instant as Stopwatch};

use domain::admission::Application;
use domain::arrangement::Round;
use domain::kernel::{Actor, ApplicationId, ArrangementId, Instant, LotId, ProviderId};
use persistence::Stored;
use persistence::record::{checkpoint, verify};

use crate::Outcome;
use carry::carry;
use cohort::{Business, admit, apply, register};
pub use market::AUTHORITIES;
use market::{DAY, HOUR, Market};
use store::Store;

/// How much history.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Events, about.
    pub events: u64,
    /// Drafts that are ready to be submitted.
    pub drafts: usize,
}

/// Applicants to the lot whose register is read: one in ten is rejected, 400 are members.
const REGISTER: usize = 444;
/// Applicants to the lot that has one page of members: 50.
const PAGE: usize = 55;
/// Applicants to any other arrangement, and after how many arrangements others apply.
const APPLICANTS: usize = 1_000;
const GENERATION: usize = 8;
/// Days of an arrangement's story.
const STORY: i64 = 4;

/// What there is to be measured in a history.
pub struct History {
    /// Events.
    pub events: u64,
    /// How long it took to make.
    pub seconds: f64,
    /// The measured arrangement.
    pub arrangement: ArrangementId,
    /// The lot with 400 members.
    pub register: LotId,
    /// The lot with 50 members.
    pub page: LotId,
    /// When some of its members were suspended.
    pub as_of: Instant,
    /// Decided applications to arrangements of the measured authorities, oldest first.
    pub applications: Vec<(ApplicationId, ProviderId)>,
    /// Applications ready to be submitted.
    pub drafts: Vec<(ApplicationId, ProviderId)>,
    /// An application in the middle of the history, of whomever.
    pub middle: ApplicationId,
}

/// Makes a history in the database at `url`, which is empty. `today` is the day on which it ends. For PostgreSQL it is
/// made in a file in `folder` first, which is removed again.
pub fn make(url: &str, folder: &Path, plan: Plan, today: Instant) -> Outcome<History> {
    if url.starts_with("sqlite:") {
        return make_here(url, plan, today);
    }
    let began = Stopwatch::now();
    let folder = folder.join("dps-bench-history");
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("dps.db");
    let mut history = make_here(&format!("sqlite:{}", file.display()), plan, today)?;
    let store = Store::open(url)?;
    carry(&file, url)?;
    seal(&store, today)?;
    std::fs::remove_dir_all(folder)?;
    history.seconds = began.elapsed().as_secs_f64();
    Ok(history)
}

/// On SQLite.
fn make_here(url: &str, plan: Plan, today: Instant) -> Outcome<History> {
    let began = Stopwatch::now();
    let mut history = fill(Store::open(url)?, plan, today)?;
    // The store is closed by a thread of its own, which locks the file until all is in it.
    let file = rusqlite::Connection::open(url.trim_start_matches("sqlite:"))?;
    file.busy_timeout(Duration::from_secs(300))?;
    file.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    history.seconds = began.elapsed().as_secs_f64();
    Ok(history)
}

fn fill(mut store: Store, plan: Plan, today: Instant) -> Outcome<History> {
    let began = Stopwatch::now();
    let around = plan.events.saturating_sub(12_000).div_ceil(15_000);
    let days = i64::try_from(around)? * STORY;
    let at = |day: i64| today.plus_seconds((day - days - 40) * DAY);

    let mut market = Market::publish(&mut store, 0, &["REGISTER", "PAGE"], at(0))?;
    let businesses = register(&mut store, 1, REGISTER + PAGE, at(0))?;
    let [register_lot, page_lot] = *market.lot_ids() else {
        return Err("the measured arrangement has two lots".into());
    };
    let lot_of = |n: usize| if n < REGISTER { register_lot } else { page_lot };
    let mut applications = story(&mut store, &mut market, &businesses, lot_of, at(0))?;
    let as_of = market.round()?.window.closes_at.plus_seconds(8 * HOUR);

    let mut all = applications.clone();
    let (mut next, mut generation): (usize, Vec<Business>) = (1 + REGISTER + PAGE, Vec::new());
    let drafts_cost = plan.drafts as u64 * 9;
    let mut n = 1;
    while store.events + drafts_cost + 1_000 < plan.events {
        // The last one is as large as what is missing.
        let missing = usize::try_from(plan.events.saturating_sub(store.events + drafts_cost) / 15)?;
        let live = at(i64::try_from(n)? * STORY);
        let mut other = Market::publish(&mut store, n, &["FOSTERING", "RESIDENTIAL", "SCHOOLS", "TUITION"], live)?;
        if (n - 1) % GENERATION == 0 {
            generation = register(&mut store, next, APPLICANTS, live)?;
            next += APPLICANTS;
        }
        let lots = other.lot_ids();
        let lot_of = |n: usize| lots.get(n % lots.len()).copied().unwrap_or(register_lot);
        let applicants = generation.get(..missing.clamp(1, APPLICANTS)).unwrap_or(&generation);
        let made = story(&mut store, &mut other, applicants, lot_of, live)?;
        if n % AUTHORITIES.len() == 0 {
            applications.extend(&made);
        }
        all.extend(made);
        n += 1;
        if n % 50 == 0 {
            let pace = store.events as f64 / began.elapsed().as_secs_f64();
            eprintln!("bench: {} of {} events, {pace:.0} a second", store.events, plan.events);
        }
    }
    let opens = today.plus_seconds(-2 * DAY);
    market.schedule(&mut store, opens, opens.plus_seconds(-HOUR))?;
    market.step(&mut store, opens, &Actor::clock(), Round::open)?;
    let mut drafts = Vec::with_capacity(plan.drafts);
    while drafts.len() < plan.drafts {
        let count = (plan.drafts - drafts.len()).min(APPLICANTS);
        let businesses = register(&mut store, next, count, opens)?;
        next += count;
        let made = apply(&mut store, &market, &businesses, |_| register_lot, opens.plus_seconds(HOUR))?;
        drafts.extend(made.iter().map(key));
    }
    seal(&store, today)?;
    let middle = all.get(all.len() / 2).ok_or("no application")?.0;
    Ok(History {
        events: store.events,
        seconds: began.elapsed().as_secs_f64(),
        arrangement: market.arrangement.value.id,
        register: register_lot,
        page: page_lot,
        as_of,
        applications,
        drafts,
        middle,
    })
}

/// The first round of an arrangement, from its opening to its completion.
fn story(
    store: &mut Store,
    market: &mut Market,
    businesses: &[Business],
    lot_of: impl Fn(usize) -> LotId,
    live: Instant,
) -> Outcome<Vec<(ApplicationId, ProviderId)>> {
    market.step(store, live, &Actor::clock(), Round::open)?;
    let drafts = apply(store, market, businesses, lot_of, live.plus_seconds(HOUR))?;
    let keys = drafts.iter().map(key).collect();
    admit(store, market, businesses, drafts, live.plus_seconds(3 * HOUR))?;
    Ok(keys)
}

fn key(application: &Stored<Application>) -> (ApplicationId, ProviderId) {
    (application.value.id, application.value.provider)
}

/// Seals the feed, or the server would while it is measured.
fn seal(store: &Store, today: Instant) -> Outcome<()> {
    while store.read(checkpoint::is_due)? {
        if store.write(today, &Actor::clock(), checkpoint::seal)?.is_none() {
            break;
        }
    }
    Ok(())
}

/// Proves every chain and checkpoint of the database at `url`; how many events it has.
pub fn verify(url: &str) -> Outcome<u64> {
    let account = Store::open(url)?.read(verify::verify)?;
    if account.is_intact() { Ok(account.events) } else { Err("the history that was made is not whole".into()) }
}

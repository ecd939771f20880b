//! Rows of the benchmark, group by group.

mod footprint;
mod growth;
mod peers;
mod place;
mod ratios;
mod standing;

use std::path::PathBuf;
use std::time::Duration;

use crate::Outcome;
use crate::load::{self, Measured, Pace, Script};
use crate::machine::{self, LOAD_CORE, Machine, SERVER_CORE};
use crate::report::{Row, Table};
use crate::server::{LOG, Server};
use place::Place;

/// What to measure.
#[derive(clap::Args)]
pub struct Wanted {
    /// The program that is measured
    #[arg(long, default_value = "target/release/dps")]
    dps: PathBuf,
    /// Where databases and the report are kept
    #[arg(long, default_value = "target/bench")]
    folder: PathBuf,
    /// Short: about two minutes, small histories
    #[arg(long)]
    quick: bool,
    /// Which databases
    #[arg(long, value_delimiter = ',', default_value = "sqlite,postgres")]
    databases: Vec<String>,
    /// Which groups
    #[arg(long, value_delimiter = ',', default_value = "ratios,peers,growth,footprint,standing")]
    only: Vec<String>,
    /// Events of the longest history of the growth rows
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// The folder of the peers' start scripts
    #[arg(long)]
    peers: Option<PathBuf>,
    /// A PostgreSQL to measure on, pinned to the server's core
    #[arg(long, env = "TEST_POSTGRES_URL", hide_env_values = true)]
    postgres: Option<String>,
}

impl Wanted {
    /// The lengths of history that are compared.
    fn lengths(&self) -> Vec<u64> {
        if self.quick {
            return vec![10_000, 50_000];
        }
        let mut lengths: Vec<u64> = [10_000, 1_000_000].into_iter().filter(|length| *length < self.events).collect();
        lengths.push(self.events);
        lengths
    }
}

/// What all groups share.
pub struct Bench {
    pub dps: PathBuf,
    pub table: Table,
    pub quick: bool,
    /// Whether histories are proved after they were measured.
    pub verify: bool,
    /// The ceiling of reads.
    pub ceiling: Server,
}

impl Bench {
    /// How long a burst lasts.
    pub fn burst(&self) -> Duration {
        Duration::from_millis(if self.quick { 700 } else { 2_000 })
    }

    /// How often it is repeated.
    pub fn repetitions(&self) -> usize {
        if self.quick { 3 } else { 5 }
    }

    /// A burst against the static ceiling.
    pub fn static_rate(&self, connections: usize) -> Outcome<f64> {
        self.statically(Pace::closed(connections, self.burst())).map(|measured| measured.rate())
    }

    /// What answers nothing but the same 1 KB, at that pace.
    pub fn statically(&self, pace: Pace) -> Outcome<Measured> {
        let request = crate::site::get("/", "none", "");
        let mut script = Script::repeated(vec![request], 200);
        let measured = load::run(self.ceiling.address, &mut script, pace)?;
        if measured.failures.is_empty() {
            Ok(measured)
        } else {
            Err(format!("the ceiling: {:?}", measured.failures).into())
        }
    }

    /// How many submissions one client makes in a repetition, and how many all.
    pub fn submissions(&self) -> (u64, u64) {
        if self.quick { (250, 800) } else { (1_000, 3_000) }
    }

    /// Drafts for all of them.
    pub fn drafts(&self) -> usize {
        if self.quick { 3_600 } else { 20_600 }
    }
}

/// What went wrong, in words.
pub fn failures(measured: &Measured) -> Vec<String> {
    measured.failures.iter().map(|(what, n)| format!("{n} x {what}")).collect()
}

/// Measures, and prints the table.
pub fn run(wanted: &Wanted) -> Outcome<()> {
    std::fs::create_dir_all(&wanted.folder)?;
    let machine = Machine::look(&wanted.folder)?;
    let settings = vec![
        format!(
            "server, its database and the ceilings on core {SERVER_CORE}, load on core {LOAD_CORE}; one HTTP worker, a pool of 8, no rate limit, log `{LOG}` into a file"
        ),
        "static: the same framework, allocator and settings, answering 1 KB of JSON without middleware".to_owned(),
    ];
    let mut bench = Bench {
        dps: wanted.dps.clone(),
        table: Table::new(machine, settings),
        quick: wanted.quick,
        verify: !wanted.quick,
        ceiling: Server::ceiling()?,
    };
    let folder = std::fs::canonicalize(&wanted.folder)?;
    let mut places = Vec::new();
    for name in &wanted.databases {
        places.push(match (name.as_str(), &wanted.postgres) {
            ("sqlite", _) => Place::sqlite(folder.join("sqlite")),
            ("postgres", Some(server)) => Place::postgres(folder.join("postgres"), server.clone()),
            ("postgres", None) => return Err("no PostgreSQL was given".into()),
            _ => return Err(format!("there is no database {name}").into()),
        });
    }
    let asked = |group: &str| wanted.only.iter().any(|only| only == group);
    for place in &places {
        if asked("ratios") {
            let rates = ratios::measure(&mut bench, place)?;
            if let Some(peers) = wanted.peers.as_ref().filter(|_| asked("peers")) {
                peers::measure(&mut bench, peers, place.is_sqlite(), &rates)?;
            }
        }
        if asked("footprint") {
            footprint::measure(&mut bench, place)?;
        }
        if asked("growth") {
            growth::measure(&mut bench, place, &wanted.lengths())?;
        }
    }
    if asked("standing") {
        standing::measure(&mut bench);
    }
    if asked("footprint") {
        footprint::size(&mut bench, &folder)?;
    }
    if wanted.peers.is_none() && asked("peers") {
        bench.table.add(Row::new("", "peers").note("left out: no folder of theirs was given"));
    }
    println!("{}", bench.table.text());
    bench.table.keep(&wanted.folder)?;
    match bench.table.failures() {
        0 => Ok(()),
        n => Err(format!("{n} rows failed").into()),
    }
}

/// The day on which histories end.
pub fn today() -> domain::kernel::Instant {
    machine::today()
}

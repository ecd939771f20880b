//! Memory, the time until the first answer, and the size of the program.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::Outcome;
use crate::history::{self, Plan};
use crate::load::{self, Pace};
use crate::machine::memory;
use crate::report::{Goal, Row, median, number};
use crate::rows::place::Place;
use crate::rows::ratios::CLIENTS;
use crate::rows::{Bench, failures, today};
use crate::server::Server;
use crate::site::Site;

/// Starts on a database that is there.
const STARTS: usize = 7;

/// Measured on a database of its own, from a start that nothing came before.
pub fn measure(bench: &mut Bench, place: &Place) -> Outcome<()> {
    let (url, folder) = (place.fresh("footprint")?, place.folder("footprint"));
    let history = history::make(&url, &place.folder("footprint"), Plan { events: 20_000, drafts: 0 }, today())?;
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        starts.push(Server::product(&bench.dps, &url, &folder)?.first_answer.as_secs_f64() * 1e3);
    }
    let site = Site::open(&bench.dps, &url, &folder, history)?;
    // Two beats of the background work.
    std::thread::sleep(Duration::from_millis(2_500));
    let pid = site.server.pid();
    let (rest, own) = (mebibytes(pid, "VmRSS")?, mebibytes(pid, "RssAnon")?);
    let mut failed = Vec::new();
    let page = site.page_of_members();
    for mut script in [site.by_key(), page] {
        let measured = load::run(site.server.address, &mut script, Pace::closed(CLIENTS, bench.burst()))?;
        failed.extend(failures(&measured));
    }
    let load = mebibytes(pid, "VmHWM")?;
    let start = Row::new(place.database, "start to first answer, existing database")
        .measured(format!("{:.0} ms", median(&starts)))
        .value(&starts, "ms");
    let resting = Row::new(place.database, "resident memory at rest")
        .measured(format!("{rest:.1} MiB"))
        .value(&[rest], "MiB")
        .note(format!("{own:.1} MiB of it are no file's"));
    let loaded = Row::new(place.database, "resident memory under load, at most")
        .measured(format!("{load:.1} MiB"))
        .value(&[load], "MiB")
        .failed(failed);
    if place.is_sqlite() {
        bench.table.add(start.goal(Goal::AtMost(100.0)));
        // The goal is in megabytes of a million bytes.
        bench.table.add(resting.goal(Goal::AtMost(40e6 / f64::from(1 << 20))));
    } else {
        bench.table.add(start);
        bench.table.add(resting);
    }
    bench.table.add(loaded);
    place.remove("footprint")
}

fn mebibytes(pid: u32, name: &str) -> Outcome<f64> {
    Ok(memory(pid, name)? as f64 / 1024.0)
}

/// The program on the disk, without the names of its functions either.
pub fn size(bench: &mut Bench, folder: &Path) -> Outcome<()> {
    let stripped = folder.join("stripped");
    if !Command::new("strip").arg("-o").args([&stripped, &bench.dps]).status()?.success() {
        return Err("the program could not be stripped".into());
    }
    let size = std::fs::metadata(&stripped)?.len() as f64 / f64::from(1 << 20);
    std::fs::remove_file(stripped)?;
    bench.table.add(
        Row::new("", "size of the program, stripped").measured(format!("{} MiB", number(size))).value(&[size], "MiB"),
    );
    Ok(())
}

//! Machine: what the figures were measured on.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Instant as Stopwatch, SystemTime, UNIX_EPOCH};

use domain::kernel::Instant;
use serde::Serialize;

use crate::Outcome;

/// The core of the server and of its database, and the core of the load.
pub const SERVER_CORE: &str = "0";
/// See [`SERVER_CORE`].
pub const LOAD_CORE: &str = "1";

/// The machine and the code.
#[derive(Serialize)]
pub struct Machine {
    commit: String,
    cores: usize,
    cpu: String,
    kernel: String,
    memory_gib: u64,
    /// Microseconds that a durable write of 4 KiB takes, the median of many.
    fsync_micros: f64,
    /// Load of the machine in the minute before.
    load_before: String,
    at: String,
}

impl Machine {
    /// This one; durable writes are tried in `folder`.
    pub fn look(folder: &Path) -> Outcome<Self> {
        let cpu = fs::read_to_string("/proc/cpuinfo")?;
        let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
        let memory = fs::read_to_string("/proc/meminfo")?;
        let memory = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")).unwrap_or("0");
        let kib: u64 = memory.trim().trim_end_matches(" kB").parse().unwrap_or_default();
        Ok(Self {
            commit: commit(),
            // Not what this process is pinned to.
            cores: fs::read_to_string("/proc/cpuinfo")?.lines().filter(|line| line.starts_with("processor")).count(),
            cpu: cpu.trim_start_matches([' ', '\t', ':']).to_owned(),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            memory_gib: kib >> 20,
            fsync_micros: fsync(folder)?,
            load_before: fs::read_to_string("/proc/loadavg")?.split(' ').next().unwrap_or_default().to_owned(),
            at: now().to_string(),
        })
    }

    /// For the head of the table.
    pub fn told(&self) -> String {
        format!(
            "commit {}, {}\n{} cores of {}, {} GiB, Linux {}; a durable write of 4 KiB takes {:.0} µs; load before the run {}",
            self.commit,
            self.at,
            self.cores,
            self.cpu,
            self.memory_gib,
            self.kernel,
            self.fsync_micros,
            self.load_before
        )
    }
}

fn commit() -> String {
    let git = |args: &[&str]| {
        let ran = Command::new("git").args(args).output().ok().filter(|ran| ran.status.success())?;
        Some(String::from_utf8_lossy(&ran.stdout).trim().to_owned())
    };
    let head = git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or_else(|| "unknown".to_owned());
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|text| !text.is_empty());
    if changed { format!("{head} with changes") } else { head }
}

fn fsync(folder: &Path) -> Outcome<f64> {
    let path = folder.join("fsync");
    let mut file = fs::File::create(&path)?;
    let mut times = Vec::new();
    for _ in 0..200 {
        file.write_all(&[7; 4096])?;
        let began = Stopwatch::now();
        file.sync_data()?;
        times.push(began.elapsed().as_secs_f64() * 1e6);
    }
    fs::remove_file(path)?;
    Ok(crate::report::median(&times))
}

/// The instant of the machine's clock.
pub fn now() -> Instant {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Instant::from_micros(i64::try_from(since.as_micros()).unwrap_or_default())
}

/// The beginning of the day.
pub fn today() -> Instant {
    Instant::start_of(now().date())
}

/// Kilobytes of a process that `/proc` has under `name`: such as `VmRSS`.
pub fn memory(pid: u32, name: &str) -> Outcome<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("the process is gone")?;
    Ok(line.trim_start_matches(':').trim().trim_end_matches(" kB").parse()?)
}

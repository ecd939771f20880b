//! Peers: what would be used instead, driven by the same client. How they are installed and started is not this project's: a
//! folder has their scripts. Without one these lines are left out.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Outcome;
use crate::load::{self, Pace, Script};
use crate::machine::SERVER_CORE;
use crate::report::{Goal, Row, median, number};
use crate::rows::ratios::{CLIENTS, Rates};
use crate::rows::{Bench, failures};
use crate::site::request;

/// Applications that a peer holds.
const APPLICATIONS: usize = 5_000;

/// A peer that runs.
struct Peer {
    name: &'static str,
    address: SocketAddr,
    /// The value of `Authorization`.
    token: String,
    /// The paths of its applications.
    applications: Vec<String>,
    /// Where one is created, and the body of one.
    create: (&'static str, String),
    /// Stops it.
    stop: Vec<String>,
    note: &'static str,
}

impl Drop for Peer {
    fn drop(&mut self) {
        for command in &self.stop {
            drop(Command::new("bash").args(["-c", command]).output());
        }
    }
}

/// The peer beside the database of `database`, against what was measured there.
pub fn measure(bench: &mut Bench, folder: &Path, sqlite: bool, ours: &Rates) -> Outcome<()> {
    let state = std::env::temp_dir().join("dps-peers");
    let peer = if sqlite { pocketbase(folder, &state)? } else { postgrest(folder, &state)? };
    let database = if sqlite { "SQLite" } else { "PostgreSQL" };
    let ask = |method: &str, body: Option<&dyn Fn(usize) -> String>, status: u16| -> Outcome<(f64, Vec<String>)> {
        let requests = (0..APPLICATIONS).map(|n| {
            let creating = method == "POST";
            let path = if creating {
                peer.create.0
            } else {
                peer.applications.get(n % peer.applications.len()).map_or("", String::as_str)
            };
            peer_request(&peer, method, path, &body.map(|body| body(n)).unwrap_or_default())
        });
        let mut script = Script::repeated(requests.collect(), status);
        let (mut rates, mut failed) = (Vec::new(), Vec::new());
        for _ in 0..bench.repetitions() {
            let measured = load::run(peer.address, &mut script, Pace::closed(CLIENTS, bench.burst()))?;
            failed.extend(failures(&measured));
            rates.push(measured.rate());
        }
        Ok((median(&rates), failed))
    };
    let (read, read_failed) = ask("GET", None, 200)?;
    let (changed_status, created_status) = if sqlite { (200, 200) } else { (204, 201) };
    let status = |n: usize| format!(r#"{{"status":"{}"}}"#, if n.is_multiple_of(2) { "approved" } else { "submitted" });
    let (changed, changed_failed) = ask("PATCH", Some(&status), changed_status)?;
    let (created, created_failed) = ask("POST", Some(&|_| peer.create.1.clone()), created_status)?;
    let beside = |rate: f64| format!("{} {}/s", peer.name, number(rate));
    let read = Row::new(database, "application by id, beside a peer")
        .measured(format!("{}/s", number(ours.read)))
        .beside(beside(read))
        .value(&[ours.read / read], "x")
        .goal(Goal::AtLeast(10.0))
        .failed(read_failed);
    let write = changed.max(created);
    let write = Row::new(database, "submit, 32 clients, beside a peer")
        .measured(format!("{}/s", number(ours.submit)))
        .beside(beside(write))
        .value(&[ours.submit / write], "x")
        .goal(Goal::AtLeast(3.0))
        .note(format!(
            "{}changes a status {}/s, creates {}/s, each with an audit row",
            peer.note,
            number(changed),
            number(created)
        ))
        .failed(changed_failed.into_iter().chain(created_failed));
    bench.table.add(read);
    bench.table.add(write);
    Ok(())
}

fn peer_request(peer: &Peer, method: &str, path: &str, body: &str) -> Vec<u8> {
    let head = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
    // The scheme of the token is the peer's own.
    let with = String::from_utf8_lossy(&request(method, path, "", head, body)).into_owned();
    with.replace("Authorization: Bearer \r\n", &format!("Authorization: {}\r\n", peer.token)).into_bytes()
}

fn script(folder: &Path, state: &Path, name: &str, args: &[&str]) -> Outcome<String> {
    let ran = Command::new("taskset")
        .args(["-c", SERVER_CORE, "bash"])
        .arg(folder.join(name))
        .args(args)
        .env("PEERS_STATE", state)
        .env("PG_CORE", SERVER_CORE)
        .output()?;
    if ran.status.success() {
        return Ok(String::from_utf8_lossy(&ran.stdout).into_owned());
    }
    Err(format!("{name}: {}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr)).into())
}

fn end(state: &Path, pid: &str) -> String {
    format!("kill $(cat {})", state.join(pid).display())
}

const DATA: &str = r#""data":{"serviceName":"Placement offer","serviceDescription":"Therapeutic residential placement with education on site and a link worker for children aged eight to sixteen","serviceFeatures":["Ofsted good or outstanding","Waking night staff","Education on site"],"serviceBenefits":["Stable placement","Local placement","Clear outcomes"]}"#;

fn postgrest(folder: &Path, state: &Path) -> Outcome<Peer> {
    if !state.join("pgrest/node_modules").exists() {
        script(folder, state, "postgrest/install.sh", &[])?;
    }
    script(folder, state, "postgrest/start.sh", &[SERVER_CORE])?;
    let token = Command::new("python3").arg(folder.join("postgrest/mktoken.py")).output()?;
    Ok(Peer {
        name: "PostgREST",
        address: "127.0.0.1:5002".parse()?,
        token: format!("Bearer {}", String::from_utf8(token.stdout)?.trim()),
        applications: (1..=APPLICATIONS).map(|id| format!("/applications?id=eq.{id}")).collect(),
        create: ("/applications", format!(r#"{{"provider_id":1,"lot":"special-schools","status":"draft",{DATA}}}"#)),
        stop: vec![
            end(state, "pgrest.pid"),
            format!("PEERS_STATE={} bash {} stop", state.display(), folder.join("pg.sh").display()),
        ],
        note: "",
    })
}

fn pocketbase(folder: &Path, state: &Path) -> Outcome<Peer> {
    let records = "/api/collections/applications/records";
    if state.join("pb/token").exists() {
        script(folder, state, "pocketbase/start.sh", &[SERVER_CORE])?;
    } else {
        // It also starts it.
        script(folder, state, "pocketbase/install.sh", &[])?;
    }
    let read = |name: &str| -> Outcome<String> { Ok(fs::read_to_string::<PathBuf>(state.join("pb").join(name))?) };
    let providers = read("provs.txt")?;
    let provider = providers.lines().next().ok_or("the peer has no provider")?;
    Ok(Peer {
        name: "PocketBase",
        address: "127.0.0.1:5006".parse()?,
        token: read("token")?.trim().to_owned(),
        applications: read("ids.txt")?.lines().map(|id| format!("{records}/{id}")).collect(),
        create: (records, format!(r#"{{"provider":"{provider}","lot":"special-schools","status":"draft",{DATA}}}"#)),
        stop: vec![end(state, "pb.pid")],
        note: "commits with synchronous=NORMAL: not durable at each commit, where the product is; ",
    })
}

//! `dps import`: uploads a file to a running server and follows it to its end.

#![expect(clippy::indexing_slicing, reason = "a JSON value without that field reads as null")]

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::upload::{Counts, Note, UploadKind, UploadMode};
use serde_json::Value;
use ureq::http::{Request, Response};
use ureq::{Agent, Body, SendBody};
use uuid::Uuid;

use super::exit::{Ended, Exit, Run};
use super::one_of;
use super::progress::Bar;

/// Faults that are told; all are in the file of `--rejected`.
const TOLD: usize = 20;

/// What to upload, and how.
#[derive(clap::Args)]
pub(super) struct Import {
    /// What its rows are
    #[arg(value_parser = one_of(UploadKind::ALL, UploadKind::name))]
    kind: UploadKind,
    /// A file of CSV, NDJSON, XLSX or ODS
    file: PathBuf,
    /// The server [env: `DPS_URL`; `http://127.0.0.1:8080` where absent]
    #[arg(long)]
    url: Option<String>,
    /// `atomic`: all rows or none. `partial`: every row that can be. Where absent `partial` for ratings, and `atomic` for all others
    #[arg(long, value_parser = mode)]
    mode: Option<UploadMode>,
    /// Only ask what it would do
    #[arg(long)]
    dry_run: bool,
    /// The provider of every row that names none
    #[arg(long, value_name = "ID")]
    provider: Option<Uuid>,
    /// The application that is answered
    #[arg(long, value_name = "ID")]
    application: Option<Uuid>,
    /// Where to write the rows that were refused, with what is wrong with them
    #[arg(long, value_name = "FILE")]
    rejected: Option<PathBuf>,
    /// The file with the token; `DPS_TOKEN` has it where absent
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Print the upload as JSON
    #[arg(long)]
    json: bool,
}

fn mode(name: &str) -> Result<UploadMode, String> {
    serde_json::from_value(name.into()).map_err(|_| "a mode is atomic or partial".to_owned())
}

impl Import {
    /// Uploads, waits, and says what became of the rows.
    pub fn run(self) -> Run {
        let server = Server::new(self.url.as_deref(), self.token_file.as_deref())?;
        let sent = server.send(&self)?;
        let path = format!("/v1/uploads/{}", sent["id"].as_str().unwrap_or_default());
        let upload = server.followed(&path, sent)?;
        let state = upload["state"].as_str().unwrap_or_default().to_owned();
        let counts: Counts = serde_json::from_value(upload["counts"].clone()).unwrap_or_default();
        let bad = counts.refused > 0 || state == "rejected";
        if let Some(file) = self.rejected.as_deref().filter(|_| bad) {
            server.save(&format!("{path}/rejected"), file)?;
        }
        if self.json {
            super::print_json(&upload)?;
        } else {
            let Counts { rows, added, changed, unchanged, refused, skipped } = counts;
            println!(
                "{state}: {rows} rows, {added} added, {changed} changed, {unchanged} unchanged, {refused} refused, \
                 {skipped} skipped"
            );
            let notes: Vec<Note> = serde_json::from_value(upload["notes"].clone()).unwrap_or_default();
            for note in &notes {
                println!("{}", said(note));
            }
        }
        if state == "failed" {
            let why = format!("the server could not do it: {}", upload["reason"].as_str().unwrap_or("no reason given"));
            return Err(Ended::new(Exit::Failed, why));
        }
        if bad {
            return Err(Ended { exit: Exit::Rejected, why: server.faults(&path)? });
        }
        Ok(())
    }

    /// The path with what is asked.
    fn target(&self) -> String {
        let mode = serde_json::to_value(self.mode.unwrap_or(self.kind.usual_mode())).ok();
        let mut asked = vec![("mode", mode.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned())];
        asked.extend(self.provider.map(|id| ("provider", id.to_string())));
        asked.extend(self.application.map(|id| ("application", id.to_string())));
        if self.dry_run {
            asked.push(("dryRun", "true".to_owned()));
        }
        let asked: Vec<String> = asked.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("/v1/uploads/{}?{}", self.kind.name(), asked.join("&"))
    }
}

/// A server that is spoken to with a token.
struct Server {
    url: String,
    bearer: String,
    agent: Agent,
}

impl Server {
    fn new(url: Option<&str>, token_file: Option<&Path>) -> Result<Self, String> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let url = url.map(str::to_owned).or_else(|| variable("DPS_URL"));
        let url = url.unwrap_or_else(|| "http://127.0.0.1:8080".to_owned()).trim_end_matches('/').to_owned();
        let token = match token_file {
            Some(file) => std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?,
            None => variable("DPS_TOKEN").ok_or("a token is needed: in DPS_TOKEN, or in the file of --token-file")?,
        };
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(10)))
            .build()
            .into();
        Ok(Self { url, bearer: format!("Bearer {}", token.trim()), agent })
    }

    fn request(&self, method: &str, path: &str) -> ureq::http::request::Builder {
        let uri = format!("{}{path}", self.url);
        Request::builder().method(method).uri(uri).header("authorization", &self.bearer)
    }

    fn get(&self, path: &str, prefer: &str) -> Result<Response<Body>, Ended> {
        let request = self.request("GET", path).header("prefer", prefer).body(()).map_err(|e| e.to_string())?;
        self.answered(self.agent.run(request))
    }

    /// Sends the file as it is read.
    fn send(&self, import: &Import) -> Result<Value, Ended> {
        let say = |e: std::io::Error| format!("{}: {e}", import.file.display());
        let file = File::open(&import.file).map_err(say)?;
        let bytes = file.metadata().map_err(say)?.len();
        let mut read = Followed { file, read: 0, bar: Bar::new("sending", Some(bytes)) };
        let request = self
            .request("POST", &import.target())
            .header("content-type", "application/octet-stream")
            .header("content-length", bytes)
            .body(SendBody::from_reader(&mut read))
            .map_err(|e| e.to_string())?;
        json(self.answered(self.agent.run(request))?)
    }

    /// The upload when it is over.
    fn followed(&self, path: &str, mut upload: Value) -> Result<Value, Ended> {
        let bar = Bar::new("rows looked at", None);
        while is_running(&upload) {
            // The server answers after a second at the latest, or when it is over.
            upload = json(self.get(path, "wait=1")?)?;
            bar.at(upload["progress"]["rows"].as_u64().unwrap_or_default());
        }
        Ok(upload)
    }

    fn save(&self, path: &str, file: &Path) -> Result<(), Ended> {
        let mut body = self.get(path, "")?.into_body();
        let say = |e: std::io::Error| format!("{}: {e}", file.display());
        let mut out = File::create(file).map_err(say)?;
        std::io::copy(&mut body.as_reader(), &mut out).map_err(say)?;
        Ok(())
    }

    /// What is wrong with the first rows.
    fn faults(&self, path: &str) -> Result<Vec<String>, Ended> {
        let page = json(self.get(&format!("{path}/errors?limit={TOLD}"), "")?)?;
        let part = |fault: &Value, name: &str| fault[name].as_str().unwrap_or_default().to_owned();
        let line = |fault: &Value| {
            let column = fault["column"].as_str().map(|column| format!(", {column}")).unwrap_or_default();
            format!("row {}{column}: {} ({})", fault["row"], part(fault, "detail"), part(fault, "code"))
        };
        let mut lines: Vec<String> = page["items"].as_array().into_iter().flatten().map(line).collect();
        if page["next"].is_string() {
            lines.push(format!("and more: {}{path}/errors", self.url));
        }
        Ok(lines)
    }

    /// The answer, where it is one of success.
    fn answered(&self, answer: Result<Response<Body>, ureq::Error>) -> Result<Response<Body>, Ended> {
        let answer = answer.map_err(|e| Ended::new(Exit::Unreachable, format!("{}: {e}", self.url)))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let exit = if status.as_u16() == 503 { Exit::Unreachable } else { Exit::Failed };
        let problem = json(answer).unwrap_or_default();
        let detail = problem["detail"].as_str().or(problem["title"].as_str()).unwrap_or_default();
        let mut why = vec![format!("{}: {status}: {detail}", self.url)];
        for error in problem["errors"].as_array().into_iter().flatten() {
            let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
            why.push(format!("{}: {}", text("code"), text("detail")));
        }
        Err(Ended { exit, why })
    }
}

/// A note in one line.
fn said(note: &Note) -> String {
    let rows: Vec<String> = note.rows.iter().map(ToString::to_string).collect();
    let part = |name: &str, parts: &[String]| match parts {
        [] => String::new(),
        parts => format!("; {name}{}", parts.join(", ")),
    };
    let count = if note.count > 1 { format!(" ({} in all)", note.count) } else { String::new() };
    format!("note: {}{count}{}{} ({})", note.detail, part("rows ", &rows), part("", &note.about), note.code)
}

/// Whether the server still works on it.
fn is_running(upload: &Value) -> bool {
    match upload["state"].as_str() {
        Some("received") => true,
        Some("validated") => upload["dryRun"] != true,
        _ => false,
    }
}

fn json(answer: Response<Body>) -> Result<Value, Ended> {
    let text = answer.into_body().read_to_string().map_err(|e| Ended::new(Exit::Unreachable, e.to_string()))?;
    serde_json::from_str(&text).map_err(|e| format!("the server's answer is no JSON: {e}").into())
}

/// A file that is read under a bar.
struct Followed {
    file: File,
    read: u64,
    bar: Bar,
}

impl Read for Followed {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.read += read as u64;
        self.bar.at(self.read);
        Ok(read)
    }
}

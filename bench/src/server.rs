//! Servers under measurement: processes of their own, pinned to their core, stopped with their handle.

use std::fs::{File, OpenOptions};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use actix_web::{App, HttpResponse, HttpServer, web};

use crate::Outcome;
use crate::machine::SERVER_CORE;

/// The level that operators run with: a line a request.
pub const LOG: &str = "info";

/// A running process.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// From its start to its first answer.
    pub first_answer: Duration,
    log: Option<PathBuf>,
}

impl Server {
    /// The product on the database at `url`, with its files in `folder`.
    pub fn product(dps: &Path, url: &str, folder: &Path) -> Outcome<Self> {
        let log = folder.join("server.log");
        let mut command = pinned(dps);
        command
            .arg("serve")
            .env_clear()
            .env("DATABASE_URL", url)
            .env("DPS_WORKERS", "1")
            .env("DPS_RATE_LIMIT", "0")
            .env("DPS_LOG", LOG)
            .env("DPS_TOKEN_KEY_FILE", folder.join("token.key"))
            .env("DPS_SEAL_KEY_FILE", folder.join("seal.key"))
            .env("TMPDIR", folder)
            .stderr(OpenOptions::new().create(true).append(true).open(&log)?);
        Self::start(command, "DPS_LISTEN", Some(log))
    }

    /// The ceiling: this program, answering statically.
    pub fn ceiling() -> Outcome<Self> {
        let mut command = pinned(&std::env::current_exe()?);
        command.arg("static");
        Self::start(command, "", None)
    }

    fn start(mut command: Command, listen: &str, log: Option<PathBuf>) -> Outcome<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        if listen.is_empty() {
            command.arg("--listen").arg(address.to_string());
        } else {
            command.env(listen, address.to_string());
        }
        let began = Instant::now();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        let mut server = Self { child, address, first_answer: Duration::ZERO, log };
        while !answers(address) {
            if began.elapsed() > Duration::from_secs(60) || server.child.try_wait()?.is_some() {
                return Err(format!("a server did not start: {command:?}").into());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        server.first_answer = began.elapsed();
        Ok(server)
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Empties its log, so that a long run does not fill the disk.
    pub fn forget_log(&self) -> Outcome<()> {
        if let Some(log) = &self.log {
            File::options().write(true).open(log)?.set_len(0)?;
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It would end by itself on SIGTERM, but nothing of it is needed any more.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn pinned(program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", SERVER_CORE]).arg(program);
    command
}

/// Whether it gives an answer over HTTP, whatever it says.
fn answers(address: SocketAddr) -> bool {
    use std::io::{Read as _, Write as _};
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    let asked = stream.write_all(b"GET /health HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n");
    let mut answer = [0; 12];
    asked.is_ok() && stream.read_exact(&mut answer).is_ok() && answer.starts_with(b"HTTP/1.1 ")
}

/// Serves 1 KB of JSON with the settings of the product: one worker, the same allocator and the same framework.
pub fn answer_statically(listen: SocketAddr) -> Outcome<()> {
    let body: &'static str = Box::leak(format!("{{\"text\":\"{}\"}}", "x".repeat(1024 - 11)).into_boxed_str());
    actix_web::rt::System::new().block_on(async move {
        HttpServer::new(move || {
            App::new().default_service(web::to(move || async move {
                HttpResponse::Ok().content_type("application/json").body(body)
            }))
        })
        .workers(1)
        .client_request_timeout(Duration::from_secs(10))
        .bind(listen)?
        .run()
        .await
    })?;
    Ok(())
}

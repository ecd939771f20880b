//! Whoever receives webhooks: an HTTP server in this process that keeps what it was sent, and answers as it is told.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use serde_json::Value;
use standardwebhooks::Webhook;
use ureq::http::{HeaderMap, HeaderName, HeaderValue};

/// A request that was received.
#[derive(Clone)]
pub struct Got {
    pub headers: HeaderMap,
    pub text: String,
    pub body: Value,
}

impl Got {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The event's id.
    pub fn id(&self) -> String {
        self.header("webhook-id").to_owned()
    }

    /// Whether the published library of the specification takes it for genuine, by that secret.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        Webhook::new(secret).unwrap().verify(self.text.as_bytes(), &self.headers).is_ok()
    }
}

type Hook = Box<dyn FnMut(usize) + Send>;

#[derive(Default)]
struct Told {
    got: Vec<Got>,
    /// What to answer next, by status and headers; 204 when there is nothing more.
    answers: VecDeque<(u16, String)>,
    /// Done after each request, before it is answered, with how many there were.
    hook: Option<Hook>,
    stopped: bool,
}

/// A receiver; it stops when this goes out of scope.
pub struct Receiver {
    pub address: SocketAddr,
    told: Arc<Mutex<Told>>,
    thread: Option<JoinHandle<()>>,
}

impl Receiver {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let told = Arc::<Mutex<Told>>::default();
        let shared = told.clone();
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if lock(&shared).stopped {
                    return;
                }
                serve(stream.unwrap(), &shared);
            }
        });
        Self { address, told, thread: Some(thread) }
    }

    /// Where it receives.
    pub fn url(&self) -> String {
        format!("http://{}/hooks?token=t0k3n", self.address)
    }

    /// Answers the next request so.
    pub fn answers(&self, status: u16, header: &str) {
        lock(&self.told).answers.push_back((status, header.to_owned()));
    }

    /// Answers the next `n` requests with a status.
    pub fn refuses(&self, status: u16, n: usize) {
        (0..n).for_each(|_| self.answers(status, ""));
    }

    /// Does that after each request, before it is answered.
    pub fn on_request(&self, hook: impl FnMut(usize) + Send + 'static) {
        lock(&self.told).hook = Some(Box::new(hook));
    }

    /// What was received since this was asked last.
    pub fn take(&self) -> Vec<Got> {
        let got = std::mem::take(&mut lock(&self.told).got);
        let events = got.iter().filter(|got| got.body["type"].as_str().is_some_and(|kind| kind != "ping"));
        events.for_each(|got| crate::documented::check_event(&got.body["data"]));
        got
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        lock(&self.told).stopped = true;
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn lock(told: &Mutex<Told>) -> MutexGuard<'_, Told> {
    told.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(mut stream: TcpStream, told: &Mutex<Told>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut line, mut headers, mut length) = (String::new(), HeaderMap::new(), 0);
    reader.read_line(&mut line).unwrap();
    loop {
        line.clear();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap();
        }
        headers.append(
            name.to_ascii_lowercase().parse::<HeaderName>().unwrap(),
            value.trim().parse::<HeaderValue>().unwrap(),
        );
    }
    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let body = serde_json::from_str(&text).unwrap_or_default();
    let (status, header) = {
        let mut told = lock(told);
        told.got.push(Got { headers, text, body });
        let n = told.got.len();
        if let Some(hook) = &mut told.hook {
            hook(n);
        }
        told.answers.pop_front().unwrap_or((204, String::new()))
    };
    let header = if header.is_empty() { header } else { format!("{header}\r\n") };
    let answer = format!("HTTP/1.1 {status} Told\r\n{header}content-length: 0\r\nconnection: close\r\n\r\n");
    drop(stream.write_all(answer.as_bytes()));
}

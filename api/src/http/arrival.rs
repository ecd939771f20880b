//! Limits on arrival: within which size and which time a request is read. Before its head is read whole that is for the
//! framework to say; a body, and a connection on which nothing happens, are bounded here.

use std::any::Any;
use std::cell::Cell;
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd as _;
use std::rc::{Rc, Weak};
use std::time::Duration;

use actix_web::dev::{Extensions, Payload};
use actix_web::error::PayloadError;
use actix_web::rt::{self, net};
use actix_web::{FromRequest as _, HttpRequest, web};
use tokio::time::{Instant, sleep_until, timeout};

use super::problem::{self, Problem};
use crate::App;

/// What clients may take of the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// `DPS_BODY_LIMIT`: bytes of a request body at most.
    pub body: usize,
    /// `DPS_REQUEST_SECONDS`: how long the head of a request, and then its body, may take to arrive; also how long a reader may
    /// leave a streamed answer standing.
    pub time: Duration,
    /// `DPS_IDLE_SECONDS`: how long a connection is kept for a next request; also how long one that is refused while it still sends is
    /// left to read why.
    pub idle: Duration,
    /// `DPS_CLIENT_CONNECTIONS`: connections of clients at a time, over all threads.
    pub connections: usize,
}

/// The body of a request, whole.
///
/// # Errors
/// 413 where it is too large, 408 where it takes too long, 400 where it is cut off or its transfer is malformed.
pub async fn body(req: HttpRequest, mut payload: Payload) -> Result<web::Bytes, Problem> {
    let time = req.app_data::<web::Data<App>>().map_or(Duration::ZERO, |app| app.bounds.time);
    let too_slow = |_| Problem::new(&problem::TOO_SLOW, format!("a body arrives within {} seconds", time.as_secs()));
    let arrived = timeout(time, web::Bytes::from_request(&req, &mut payload)).await.map_err(too_slow)?;
    arrived.map_err(|error| match error.as_error::<PayloadError>() {
        Some(PayloadError::Overflow) => Problem::new(&problem::TOO_LARGE, error.to_string()),
        _ => Problem::new(&problem::UNREADABLE, format!("the body did not arrive whole: {error}")),
    })
}

/// A client's connection. The framework times the head of its first request, and what lies idle between two. A later head that stops
/// midway, a refused body that never ends and an answer that nobody reads are in neither: they would hold the connection for good.
#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    /// Requests that are worked on.
    working: Cell<usize>,
    /// Since when there is none.
    since: Cell<Instant>,
}

/// A request that is worked on: its connection is not closed for being idle.
#[derive(Debug)]
pub struct Working(Rc<Connection>);

impl Working {
    /// Of a request, where its connection is watched.
    #[must_use]
    pub fn on(req: &HttpRequest) -> Option<Self> {
        let connection = req.conn_data::<Rc<Connection>>()?;
        connection.working.set(connection.working.get() + 1);
        Some(Self(connection.clone()))
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.0.working.set(self.0.working.get().saturating_sub(1));
        self.0.since.set(Instant::now());
    }
}

/// Watches each connection as it is made: one that is not worked on for so long is closed.
pub fn watch(idle: Duration) -> impl Fn(&dyn Any, &mut Extensions) + Send + Sync + 'static {
    move |stream, extensions| {
        // The copy is of the descriptor: it reaches the connection for as long as the connection keeps it.
        let copy = stream.downcast_ref::<net::TcpStream>().and_then(|own| own.as_fd().try_clone_to_owned().ok());
        let Some(copy) = copy else { return };
        let (working, since) = (Cell::new(0), Cell::new(Instant::now()));
        let connection = Rc::new(Connection { stream: copy.into(), working, since });
        rt::spawn(close_when_idle(Rc::downgrade(&connection), idle));
        extensions.insert(connection);
    }
}

async fn close_when_idle(connection: Weak<Connection>, idle: Duration) {
    let mut due = Instant::now() + idle;
    loop {
        sleep_until(due).await;
        let Some(connection) = connection.upgrade() else { return };
        let now = Instant::now();
        due = if connection.working.get() > 0 { now + idle } else { connection.since.get() + idle };
        if due <= now {
            // One that is closed already is no error.
            drop(connection.stream.shutdown(Shutdown::Both));
            return;
        }
    }
}

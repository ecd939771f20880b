//! Webhooks: the change feed, sent to whoever subscribes, by the Standard Webhooks specification (CRD-09).

pub mod deliver;
pub mod endpoints;
pub mod guard;
pub mod secrets;
pub mod send;
pub mod sign;

use crate::http::routes::Subject;
use send::Sender;
use sign::Seal;

/// The routes of this subject.
#[must_use]
pub fn routes() -> Vec<Subject> {
    vec![endpoints::routes(), secrets::routes()]
}

/// What sending takes.
#[derive(Debug)]
pub struct Webhooks {
    /// Sends.
    pub sender: Sender,
    /// Keeps secrets.
    pub seal: Seal,
}

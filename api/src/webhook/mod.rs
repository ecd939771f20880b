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

/// The subject.
pub static SUBJECT: Subject = Subject {
    tags: &[("webhooks", "The change feed, sent (CRD-09)")],
    routes: &[endpoints::routes, secrets::routes],
    clock: &[],
    deadlines: &[],
    uploads: &[],
};

/// What sending takes.
#[derive(Debug)]
pub struct Webhooks {
    /// Sends.
    pub sender: Sender,
    /// Keeps secrets.
    pub seal: Seal,
}

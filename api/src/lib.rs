//! The REST API of the dynamic purchasing system.
//!
//! A request goes `route -> use case -> domain decision -> store -> record`, straight down and back once: the gate
//! authenticates, the call reads the request, the handler loads what the rule needs, the domain decides, the store
//! keeps the outcome with its events in one transaction.

pub mod auth;
pub mod cli;
pub mod clock;
pub mod config;
pub mod http;
pub mod jobs;
pub mod metrics;
pub mod openapi;
pub mod server;
pub mod sweep;

pub mod admission;
pub mod arrangement;
pub mod client;
pub mod fee;
pub mod ocds;
pub mod provider;
pub mod record;
pub mod reports;
pub mod standing;
pub mod system;
pub mod upload;
pub mod webhook;

use auth::token::Verifier;
use client::oauth::OAuth;
use clock::Clock;
use std::collections::BTreeMap;

use domain::kernel::{Actor, Instant, Rule};
use http::arrival::Bounds;
use http::limits::Limits;
use http::response_cache::ResponseCache;
use http::routes::{Routes, Subject};
use metrics::Metrics;
use persistence::{Db, Ids, Stamp};
use usecase::provider::Gazetteer;

/// What every request shares.
#[derive(Debug)]
pub struct App {
    /// The store.
    pub db: Db,
    /// The server's time.
    pub clock: Clock,
    /// Where new identifiers come from.
    pub ids: Ids,
    /// Who bears a token.
    pub verifier: Verifier,
    /// How machine clients get tokens.
    pub oauth: OAuth,
    /// What clients may take.
    pub bounds: Bounds,
    /// How many requests are left to whom.
    pub limits: Limits,
    /// What was answered and is still true.
    pub responses: ResponseCache,
    /// What Prometheus scrapes.
    pub metrics: Metrics,
    /// Where outward postcodes lie.
    pub gazetteer: Gazetteer,
    /// What sending webhooks takes.
    pub webhooks: webhook::Webhooks,
    /// Who publishes the market as open data.
    pub publisher: ocds::Publisher,
    /// Where uploads are handed over.
    pub uploads: upload::UploadQueue,
}

impl App {
    /// The stamp of what the server does by itself.
    #[must_use]
    pub fn by_clock(&self, now: Instant) -> Stamp {
        Stamp { now, actor: Actor::clock(), request: None, ids: self.ids.clone() }
    }
}

/// The subjects of the API, in the order of the documentation.
pub static SUBJECTS: &[&Subject] = &[
    &arrangement::SUBJECT,
    &provider::SUBJECT,
    &admission::SUBJECT,
    &standing::SUBJECT,
    &fee::SUBJECT,
    &upload::SUBJECT,
    &record::SUBJECT,
    &client::SUBJECT,
    &webhook::SUBJECT,
    &jobs::SUBJECT,
    &reports::SUBJECT,
    &ocds::SUBJECT,
    &system::SUBJECT,
];

/// The routes of every subject.
pub fn routes() -> impl Iterator<Item = Routes> {
    SUBJECTS.iter().flat_map(|subject| subject.routes).map(|routes| routes())
}

/// Every rule that an operation or a row of an upload can be refused by, each once.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    listed().map(|rule| (rule.code, rule)).collect::<BTreeMap<_, _>>().into_values()
}

/// The same as the operations list them, and those that no operation answers with.
fn listed() -> impl Iterator<Item = &'static Rule> {
    let all = routes().flat_map(|s| s.operations).flat_map(|o| o.rules).copied().flatten().copied();
    all.chain(http::problem::RULES.iter().copied()).chain(upload::row_rules())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_code_is_one_rule() {
        let mut known = BTreeMap::new();
        for rule in listed() {
            let first: &Rule = known.entry(rule.code).or_insert(rule);
            assert!(std::ptr::eq(first, rule), "`{}` means two things", rule.code);
        }
        for code in http::problem::CODES {
            assert!(!known.contains_key(code.code), "`{}` is a rule as well", code.code);
        }
    }
}

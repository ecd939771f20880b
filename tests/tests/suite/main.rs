//! Black-box tests: the real server over HTTP with actors as objects, and the store beneath it. Every test runs on
//! SQLite and on PostgreSQL, has its own database and moves its own clock; nothing waits for the time of day.
//!
//! `make test` runs them. One of them: `scripts/postgres run -- cargo test -p tests ac_17`; on SQLite alone:
//! `cargo test -p tests sqlite::`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    reason = "a test fails by panicking, and says where"
)]
#![expect(
    clippy::format_collect,
    clippy::format_push_string,
    clippy::similar_names,
    reason = "what a test writes is short, and written once"
)]

/// Makes two tests of each body: `<module>::sqlite::<name>` and `<module>::postgres::<name>`, each with its own
/// `TestApp` or `Store`. Once per module.
macro_rules! on_both {
    ($($(#[$meta:meta])* fn $name:ident($subject:ident: &$Subject:ident) $body:block)+) => {
        $($(#[$meta])* fn $name($subject: &$Subject) $body)+
        mod sqlite {
            $(#[test] fn $name() { super::$name(&super::$Subject::on(crate::database::Kind::Sqlite)); })+
        }
        mod postgres {
            $(#[test] fn $name() { super::$name(&super::$Subject::on(crate::database::Kind::Postgres)); })+
        }
    };
}

mod access;
mod actor;
mod app;
mod applicants;
mod database;
mod documented;
mod examples;
mod market;
mod members;
mod receiver;

mod admission;
mod arrangements;
mod assessment;
mod bodies;
mod clients;
mod contract;
mod deadlines;
mod decade;
mod endings;
mod facts;
mod fees;
mod homes;
mod identity;
mod interests;
mod jobs;
mod kept;
mod limits;
mod lots;
mod misspelt;
mod ocds;
mod ofsted;
mod plans;
mod protocol;
mod providers;
mod record;
mod reports;
mod rounds;
mod sealed;
mod seeds;
mod servers;
mod standing;
mod store;
mod submissions;
mod system;
mod uploads;
mod webhooks;

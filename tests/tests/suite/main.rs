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
    reason = "a test fails by panicking, and says where"
)]

/// Makes two tests of each body: `<module>::sqlite::<name>` and `<module>::postgres::<name>`. Once per module.
macro_rules! on_both {
    ($($(#[$meta:meta])* fn $name:ident($app:ident: &TestApp) $body:block)+) => {
        $($(#[$meta])* fn $name($app: &crate::app::TestApp) $body)+
        mod sqlite {
            $(#[test] fn $name() { super::$name(&crate::app::TestApp::on(crate::database::Kind::Sqlite)); })+
        }
        mod postgres {
            $(#[test] fn $name() { super::$name(&crate::app::TestApp::on(crate::database::Kind::Postgres)); })+
        }
    };
}

mod actor;
mod app;
mod database;
mod documented;
mod market;

mod arrangements;

mod lots;

mod rounds;
mod store;


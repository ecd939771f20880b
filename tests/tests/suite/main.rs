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

/// What is written once for the aggregate of a kind, whichever that is: `of_kind!(kind, A => A::CLOCK)`. A kind that is
/// missing here does not compile.
macro_rules! of_kind {
    ($kind:expr, $A:ident => $work:expr) => {
        of_kind! {
            $kind, $A => $work;
            Arrangement: domain::arrangement::Arrangement,
            Lot: domain::arrangement::Lot,
            Requirement: domain::arrangement::Requirement,
            Round: domain::arrangement::Round,
            Provider: domain::provider::provider::Provider,
            Home: domain::provider::home::Home,
            Application: domain::admission::Application,
            ComplianceCheck: domain::admission::compliance_check::ComplianceCheck,
            Membership: domain::admission::membership::Membership,
            Suspension: domain::standing::suspension::Suspension,
            ImprovementNotice: domain::standing::improvement_notice::ImprovementNotice,
            Sanction: domain::standing::sanction::Sanction,
            Removal: domain::standing::removal::Removal,
            Appeal: domain::standing::appeal::Appeal,
            DeclarationOfInterests: domain::admission::declaration_of_interests::DeclarationOfInterests,
            Interest: domain::arrangement::Interest,
            Fee: domain::fee::Fee,
            Client: domain::client::Client,
            Webhook: domain::webhook::Webhook,
            Upload: domain::upload::Upload,
        }
    };
    ($kind:expr, $A:ident => $work:expr; $($Kind:ident: $Type:ty,)+) => {
        match $kind {
            $(domain::kernel::Kind::$Kind => {
                type $A = $Type;
                $work
            })+
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
mod decade;
mod fees;
mod identity;
mod interests;
mod jobs;
mod kept;
mod limits;
mod lots;
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

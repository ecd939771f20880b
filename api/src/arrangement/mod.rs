//! Markets over HTTP: arrangements, lots, the requirement library, rounds and the law they stand under.

pub mod arrangements;
pub mod interests;
pub mod law;
pub mod lots;
pub mod requirements;
pub mod rounds;

use usecase::lifecycle;

use crate::http::routes::{Subject, clockwork, explained};

/// The subject.
pub static SUBJECT: Subject = Subject {
    tags: &[
        ("arrangements", "Markets, their authorities and policies (A1)"),
        ("lots", "Service categories and what they require (A2)"),
        ("requirements", "The shared requirement library (DPS-21)"),
        ("rounds", "Windows of receipt followed by evaluation (A3)"),
        ("law", "Regimes, rules and deadlines that explain themselves"),
    ],
    routes: &[arrangements::routes, lots::routes, requirements::routes, rounds::routes, interests::routes, law::routes],
    clock: &[
        clockwork!(AdvanceRounds: Round "open", lifecycle::round_is_due),
        clockwork!(AdvanceRounds: Round "close", lifecycle::round_is_due),
        clockwork!(EndTerms: Arrangement "expire", lifecycle::arrangement_is_due),
    ],
    deadlines: &[
        explained!(Arrangement, usecase::arrangement::deadlines),
        explained!(Round, usecase::arrangement::round::deadlines),
    ],
    uploads: &[],
};

//! Why a membership may be ended by a removal, and what follows from the ground: data, not code (PA37, C-10).

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;
use utoipa::ToSchema;

/// The ground of a removal (A8, PA37).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[schema(as = RemovalGround)]
#[strum(serialize_all = "snake_case")]
pub enum Ground {
    /// Proven failure to comply with the specification.
    NonCompliance,
    /// Poor quality.
    Quality,
    /// The conditions of membership are no longer met; automatic, without a failure path (C-10).
    Eligibility,
    /// The last step of the sanction ladder.
    Sanction,
    /// Excluded by a mandatory ground, on the debarment list.
    ExclusionMandatory,
    /// Excluded or excludable otherwise.
    ExclusionDiscretionary,
    /// Without cause, with notice, by either side.
    NoFault,
    /// The term ended.
    TermEnd,
}

/// Whether the authority must remove or may.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Obligation {
    /// It must.
    Must,
    /// It may.
    May,
}

/// What follows from a ground.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "one row of a table, each column its own question")]
pub struct GroundRule {
    /// Must or may.
    pub obligation: Obligation,
    /// Whether `failure_path` must have been followed (C-02, C-10).
    pub follows_failure_path: bool,
    /// Whether it needs evidence (A8).
    pub needs_evidence: bool,
    /// Whether the provider is heard before the decision (PA58).
    pub provider_heard: bool,
    /// Whether the Minister is told of the removal (PA59, verify).
    pub minister_told: bool,
    /// What it rests on.
    pub rests_on: &'static str,
    /// Whether the wording of the statute is still to be verified.
    pub verify: bool,
}

impl Ground {
    /// Every ground.
    pub const ALL: [Ground; 8] = [
        Ground::NonCompliance,
        Ground::Quality,
        Ground::Eligibility,
        Ground::Sanction,
        Ground::ExclusionMandatory,
        Ground::ExclusionDiscretionary,
        Ground::NoFault,
        Ground::TermEnd,
    ];

    /// What follows from it.
    #[must_use]
    pub const fn rule(self) -> GroundRule {
        use Obligation::{May, Must};
        //                                    obligation path evidence heard minister rests on      verify
        match self {
            Ground::NonCompliance => row(May, [true, true, true, false], "DPS-06", false),
            Ground::Quality => row(May, [true, true, true, false], "C-02", false),
            Ground::Eligibility => row(May, [false, true, true, false], "PA37, C-10", true),
            Ground::Sanction => row(May, [true, true, true, false], "WAL-13", false),
            Ground::ExclusionMandatory => row(Must, [false, true, true, true], "PA37, PCR57", true),
            Ground::ExclusionDiscretionary => row(May, [false, true, true, true], "PA37, PCR57", true),
            Ground::NoFault => row(May, [false, false, false, false], "NOT-06, C-09", false),
            Ground::TermEnd => row(Must, [false, false, false, false], "C-08, PCR34-28", false),
        }
    }
}

const fn row(obligation: Obligation, flags: [bool; 4], rests_on: &'static str, verify: bool) -> GroundRule {
    let [follows_failure_path, needs_evidence, provider_heard, minister_told] = flags;
    GroundRule { obligation, follows_failure_path, needs_evidence, provider_heard, minister_told, rests_on, verify }
}

//! The shared requirement library (DPS-21): one test each, with immutable versions that lots refer to.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{AuthorityCode, Instant, Pence, RequirementId};
use crate::provider::Rating;

/// When a requirement must be met (PA36-1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// Before admission; these are the compliance checks of an application.
    Membership,
    /// Before a contract is awarded.
    Award,
    /// All the time of the membership: evidence that expires must be renewed.
    Ongoing,
}

/// How a requirement is tested. All but `Manual` are decided by facts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Test {
    /// An assessor judges answers and evidence.
    Manual,
    /// Of the rated homes inside the boundary, at least `percent` are rated `at_least` or better (TIR-03, TIR-04).
    RatingShare {
        /// The rating that counts as good.
        at_least: Rating,
        /// Whole per cent, 1 to 100.
        percent: u8,
    },
    /// At least one home inside the boundary is rated `at_least` or better (TIR-07).
    RatedHome {
        /// The rating asked for.
        at_least: Rating,
    },
    /// At least one home stands inside the boundary (TIR-13).
    HomeInsideBoundary,
    /// No exclusion ground applies that is within its look-back and not self-cleaned (PCR57, PA58).
    NoExclusion,
    /// Insurance of at least `minimum` cover, in date.
    Insurance {
        /// The least cover.
        minimum: Pence,
    },
    /// Every mandatory evidence item is given and in date.
    EvidenceInDate,
    /// Every home inside the boundary has a registered manager (CHE-12).
    RegisteredManager,
}

/// What kind of answer a question takes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum AnswerType {
    /// True or false.
    YesNo,
    /// Free text.
    Text {
        /// Characters at most.
        max_length: u32,
    },
    /// A whole number.
    Number,
    /// An amount in pence.
    Money,
    /// A calendar date, `YYYY-MM-DD`.
    Date,
    /// One of the options.
    Choice {
        /// The values to choose from.
        options: Vec<String>,
    },
}

/// A question is applicable only where another one was answered so (PRO-17).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Condition {
    /// Code of a question of the same requirement.
    pub question: String,
    /// The answer that makes this question applicable.
    #[schema(value_type = Object)]
    pub equals: serde_json::Value,
}

/// A question of a requirement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Question {
    /// Unique in the requirement.
    pub code: String,
    /// What is asked.
    pub text: String,
    /// The kind of answer.
    pub answer: AnswerType,
    /// Whether an answer is needed where the question is applicable.
    pub mandatory: bool,
    /// When the question is applicable; always, where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
}

/// A document that a requirement asks for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EvidenceAsked {
    /// Unique in the requirement.
    pub code: String,
    /// What the document is.
    pub title: String,
    /// Whether it must be given.
    pub mandatory: bool,
}

/// One immutable version of a requirement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequirementVersion {
    /// What is required, in one sentence; also the published reason when it is not met (PRO-25).
    pub title: String,
    /// How it is tested.
    pub test: Test,
    /// When it must be met.
    pub gate: Gate,
    /// Whether a line can be admitted without it.
    pub mandatory: bool,
    /// Whether the provider's own answers count as evidence (DPS-22).
    pub self_assessable: bool,
    /// The documents asked for.
    #[serde(default)]
    pub evidence: Vec<EvidenceAsked>,
    /// Months for which evidence counts where it names no expiry of its own.
    #[serde(default)]
    pub validity_months: Option<u32>,
    /// The questions asked.
    #[serde(default)]
    pub questions: Vec<Question>,
}

/// A requirement of the library, owned by a lead agency and referred to by lots.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Requirement {
    /// Identifier.
    pub id: RequirementId,
    /// The authority whose library it stands in.
    pub owner: AuthorityCode,
    /// Unique in the library; also the reason code of a rejection that rests on it (PRO-25).
    pub code: String,
    /// Oldest first; version `n` is at index `n - 1`.
    pub versions: Vec<RequirementVersion>,
    /// When it was defined.
    pub defined_at: Instant,
}

/// One version of one requirement.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequirementRef {
    /// Which requirement.
    pub requirement: RequirementId,
    /// Which version, from 1.
    pub version: u32,
}

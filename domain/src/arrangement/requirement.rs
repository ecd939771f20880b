//! The shared requirement library (DPS-21): one test each, with immutable versions that lots refer to.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};
use utoipa::ToSchema;
use validator::Validate;

use super::{TEXT_REQUIRED, require_code, require_text};
use crate::kernel::{
    About, Aggregate, AuthorityCode, Decision, Instant, Kind, Pence, RequirementId, State, Violation, Violations,
};
use crate::provider::Rating;

crate::rules! {
    CODE_TAKEN = "requirement_code_taken", Conflict, "DPS-21", "A requirement's code is unique in its library.";
    CODE_REPEATED = "code_repeated", Input, "DPS-21", "Codes of questions and of evidence are unique in their requirement.";
    CONDITION_UNKNOWN = "condition_unknown", Input, "PRO-17",
        "A question depends only on an earlier question of the same requirement, and on an answer that it can have.";
    OPTIONS_MALFORMED = "options_malformed", Input, "PRO-17", "A choice offers different options, at least one.";
    TEST_INCOMPLETE = "test_incomplete", Input, "DPS-21", "A test that facts decide has the data it decides by.";
    NOT_SELF_ASSESSABLE = "not_self_assessable", Input, "DPS-22",
        "Only what is asked can be assessed by the provider itself: answers of a manual test, or evidence.";
    VERSION_UNCHANGED = "version_unchanged", Conflict, "DPS-21", "A new version differs from the one before it.";
}

/// When a requirement must be met (PA36-1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// Before admission; these are the compliance checks of an application.
    Membership,
    /// Before a contract is awarded.
    Award,
    /// From admission on, all the time of the membership: evidence that expires must be renewed.
    Ongoing,
}

impl Gate {
    /// Whether it must be met at admission. What an award needs is asked at the award (PA36-1).
    #[must_use]
    pub fn is_asked_at_admission(self) -> bool {
        match self {
            Gate::Membership | Gate::Ongoing => true,
            Gate::Award => false,
        }
    }
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
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Condition {
    /// Code of a question of the same requirement.
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    pub question: String,
    /// The answer that makes this question applicable.
    #[schema(value_type = Value)]
    pub equals: serde_json::Value,
}

/// A question of a requirement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Question {
    /// Unique in the requirement.
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    pub code: String,
    /// What is asked.
    #[validate(length(max = 4000))]
    #[schema(max_length = 4000)]
    pub text: String,
    /// The kind of answer.
    pub answer: AnswerType,
    /// Whether an answer is needed where the question is applicable.
    pub mandatory: bool,
    /// When the question is applicable; always, where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(nested)]
    pub when: Option<Condition>,
}

/// A document that a requirement asks for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EvidenceAsked {
    /// Unique in the requirement.
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    pub code: String,
    /// What the document is.
    #[validate(length(max = 500))]
    #[schema(max_length = 500)]
    pub title: String,
    /// Whether it must be given.
    pub mandatory: bool,
}

/// One immutable version of a requirement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequirementVersion {
    /// What is required, in one sentence; also the published reason when it is not met (PRO-25).
    #[validate(length(max = 1000))]
    #[schema(max_length = 1000)]
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
    #[validate(nested)]
    pub evidence: Vec<EvidenceAsked>,
    /// Months for which evidence counts where it names no expiry of its own.
    #[serde(default)]
    pub validity_months: Option<u32>,
    /// The questions asked.
    #[serde(default)]
    #[validate(nested)]
    pub questions: Vec<Question>,
}

/// A requirement of the library, owned by a lead agency and referred to by lots.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
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

/// The one state of a requirement: it only gains versions.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, IntoStaticStr, VariantNames)]
#[serde(tag = "state", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum RequirementState {
    /// It is in the library.
    Defined,
}

impl State for RequirementState {
    fn knows(&self) -> &'static [&'static str] {
        match self {
            Self::Defined => &["add_version"],
        }
    }
}

/// One version of one requirement.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequirementRef {
    /// Which requirement.
    pub requirement: RequirementId,
    /// Which version, from 1.
    pub version: u32,
}

/// What happened in the library.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, VariantNames)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum RequirementEvent {
    /// A requirement with its first version was put into the library.
    RequirementDefined {
        /// Whose library.
        owner: AuthorityCode,
        /// Its code there.
        code: String,
    },
    /// It has another version.
    RequirementVersioned {
        /// The number of that version.
        version: u32,
    },
}

impl Aggregate for Requirement {
    type Id = RequirementId;
    type State = RequirementState;
    type Event = RequirementEvent;
    const KIND: Kind = Kind::Requirement;

    fn id(&self) -> RequirementId {
        self.id
    }

    fn state(&self) -> &RequirementState {
        &RequirementState::Defined
    }

    fn about(&self) -> About {
        About::default()
    }
}

impl Requirement {
    /// Puts a requirement with its first version into `owner`'s library. `code_taken` is whether the library
    /// already has the code.
    pub fn define(
        id: RequirementId,
        owner: AuthorityCode,
        code: String,
        first: RequirementVersion,
        code_taken: bool,
        now: Instant,
    ) -> Decision<Self> {
        let mut broken = Violations::new();
        require_code(&mut broken, &code, "/code");
        broken.require(!code_taken, &CODE_TAKEN, "/code", format!("`{code}` is in the library already"));
        first.check(&mut broken);
        broken.refuse_any()?;
        let event = RequirementEvent::RequirementDefined { owner: owner.clone(), code: code.clone() };
        Ok((Self { id, owner, code, versions: vec![first], defined_at: now }, vec![event]))
    }

    /// Adds a version; earlier ones stay as they are, and lots keep theirs until they adopt it.
    pub fn add_version(mut self, version: RequirementVersion) -> Decision<Self> {
        let mut broken = Violations::new();
        version.check(&mut broken);
        let same = self.versions.last() == Some(&version);
        broken.require(!same, &VERSION_UNCHANGED, "", format!("this is version {}", self.latest()));
        broken.refuse_any()?;
        self.versions.push(version);
        let event = RequirementEvent::RequirementVersioned { version: self.latest() };
        Ok((self, vec![event]))
    }

    /// Version `number`, from 1.
    #[must_use]
    pub fn version(&self, number: u32) -> Option<&RequirementVersion> {
        self.versions.get(usize::try_from(number.checked_sub(1)?).ok()?)
    }

    /// The number of the newest version.
    #[must_use]
    pub fn latest(&self) -> u32 {
        u32::try_from(self.versions.len()).unwrap_or(u32::MAX)
    }
}

impl RequirementVersion {
    /// Collects what is wrong with it; pointers are relative to the version.
    pub fn check(&self, broken: &mut Violations) {
        require_text(broken, &self.title, "/title");
        self.check_test(broken);
        for (i, asked) in self.evidence.iter().enumerate() {
            let earlier = self.evidence.iter().take(i).map(|e| e.code.as_str());
            check_code(broken, &asked.code, earlier, &format!("/evidence/{i}/code"));
            require_text(broken, &asked.title, &format!("/evidence/{i}/title"));
        }
        let valid = self.validity_months.is_none_or(|months| (1..=120).contains(&months));
        broken.require(valid, &TEST_INCOMPLETE, "/validityMonths", "evidence counts for 1 to 120 months");
        for (i, question) in self.questions.iter().enumerate() {
            let earlier = self.questions.get(..i).unwrap_or_default();
            check_code(
                broken,
                &question.code,
                earlier.iter().map(|q| q.code.as_str()),
                &format!("/questions/{i}/code"),
            );
            require_text(broken, &question.text, &format!("/questions/{i}/text"));
            if let Some(wrong) = question.answer.refusal(&format!("/questions/{i}/answer")) {
                broken.add(wrong);
            }
            if let Some(when) = &question.when {
                let asked = earlier.iter().find(|q| q.code == when.question);
                broken.require(
                    asked.is_some_and(|q| q.answer.admits(&when.equals)),
                    &CONDITION_UNKNOWN,
                    &format!("/questions/{i}/when"),
                    format!("no earlier question `{}` has the answer {}", when.question, when.equals),
                );
            }
        }
    }

    fn check_test(&self, broken: &mut Violations) {
        match self.test {
            Test::RatingShare { percent, .. } => {
                let share = (1..=100).contains(&percent);
                broken.require(share, &TEST_INCOMPLETE, "/test/percent", "give 1 to 100 per cent");
            }
            Test::Insurance { minimum } => {
                broken.require(minimum > Pence(0), &TEST_INCOMPLETE, "/test/minimum", "give the least cover");
            }
            Test::EvidenceInDate => {
                let some = self.evidence.iter().any(|asked| asked.mandatory);
                broken.require(some, &TEST_INCOMPLETE, "/evidence", "ask for at least one mandatory document");
            }
            Test::Manual
            | Test::RatedHome { .. }
            | Test::HomeInsideBoundary
            | Test::NoExclusion
            | Test::RegisteredManager => {}
        }
        let assessable = match self.test {
            Test::Manual => !self.questions.is_empty(),
            Test::EvidenceInDate => true,
            Test::RatingShare { .. }
            | Test::RatedHome { .. }
            | Test::HomeInsideBoundary
            | Test::NoExclusion
            | Test::Insurance { .. }
            | Test::RegisteredManager => false,
        };
        let detail = "nothing that the provider answers decides this test";
        broken.require(assessable || !self.self_assessable, &NOT_SELF_ASSESSABLE, "/selfAssessable", detail);
    }
}

fn check_code<'a>(broken: &mut Violations, code: &str, mut earlier: impl Iterator<Item = &'a str>, field: &str) {
    require_code(broken, code, field);
    broken.require(!earlier.any(|other| other == code), &CODE_REPEATED, field, format!("`{code}` occurs twice"));
}

impl AnswerType {
    fn refusal(&self, at: &str) -> Option<Violation> {
        match self {
            AnswerType::Text { max_length } => (*max_length == 0)
                .then(|| TEXT_REQUIRED.broken_at(format!("{at}/maxLength"), "leave room for an answer")),
            AnswerType::Choice { options } => {
                let repeated = options.iter().enumerate().any(|(i, o)| options.iter().take(i).any(|p| p == o));
                let wrong = options.is_empty() || repeated || options.iter().any(|o| o.trim().is_empty());
                wrong.then(|| {
                    OPTIONS_MALFORMED.broken_at(format!("{at}/options"), "options are blank, missing or repeated")
                })
            }
            AnswerType::YesNo | AnswerType::Number | AnswerType::Money | AnswerType::Date => None,
        }
    }

    /// Whether `answer` is of this type.
    #[must_use]
    pub fn admits(&self, answer: &serde_json::Value) -> bool {
        let text = answer.as_str();
        match self {
            AnswerType::YesNo => answer.is_boolean(),
            AnswerType::Text { max_length } => text.is_some_and(|t| t.chars().count() <= *max_length as usize),
            AnswerType::Number | AnswerType::Money => answer.is_i64(),
            AnswerType::Date => text.is_some_and(|t| t.len() == 10 && t.parse::<chrono::NaiveDate>().is_ok()),
            AnswerType::Choice { options } => text.is_some_and(|t| options.iter().any(|o| o == t)),
        }
    }
}

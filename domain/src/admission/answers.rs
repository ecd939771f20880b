//! Content of an application: lots, answers, evidence, homes, declarations and accepted terms (PRO-17, DPS-22).

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use validator::Validate;

use crate::arrangement::requirement::{AnswerType, RequirementRef};
use crate::arrangement::{Question, RequirementVersion, Test};
use crate::kernel::{HomeId, Instant, LotId, Pence, RequirementId, Rule, Violations};

#[cfg(test)]
mod tests;

crate::rules! {
    QUESTION_UNKNOWN = "question_unknown", Input, "PRO-17", "An answer names a question of its requirement.";
    ANSWER_TYPE_WRONG = "answer_type_wrong", Input, "PRO-17", "An answer is of the kind that its question asks for.";
    OPTION_NOT_OFFERED = "option_not_offered", Input, "PRO-17", "A choice is one of the options offered.";
    ANSWER_MISSING = "answer_missing", Input, "PRO-17", "Every mandatory question that applies is answered.";
    SELF_ASSESSMENT_MISSING = "self_assessment_missing", Input, "DPS-22",
        "Where a requirement may be self-assessed, the provider says whether it meets it.";
    SELF_ASSESSMENT_NOT_OFFERED = "self_assessment_not_offered", Input, "DPS-22",
        "Only a requirement that allows it is self-assessed.";
    EVIDENCE_UNKNOWN = "evidence_unknown", Input, "PRO-17", "Evidence answers to a code that the requirement asks for.";
    EVIDENCE_MISSING = "evidence_missing", Input, "PRO-17", "Every mandatory evidence item is given.";
    EVIDENCE_INVALID = "evidence_invalid", Input, "PRO-17",
        "Evidence names its document, where it is kept, and dates and amounts that can be true.";
    DECLARATION_MISSING = "declaration_missing", Input, "PCR57",
        "Where exclusion is tested, the provider declares the grounds that apply, or that none does.";
    DECLARATION_INVALID = "declaration_invalid", Input, "PCR57",
        "A declared ground has a code and a date that is not in the future.";
}

/// The content of an application: a draft while it is edited, frozen in each submitted version (PRO-18).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Content {
    /// The lots applied to; each becomes a line.
    pub lots: Vec<LotId>,
    /// Answers by requirement: one answer serves every lot that asks for the requirement (DPS-22).
    #[schema(value_type = std::collections::BTreeMap<String, Answer>)]
    pub answers: BTreeMap<RequirementId, Answer>,
    /// The homes offered.
    pub homes: Vec<HomeId>,
    /// The exclusion grounds that apply; an empty list declares that none does, `null` declares nothing.
    pub exclusions: Option<Vec<DeclaredGround>>,
    /// The version of the terms and conditions that was accepted (PRO-29).
    pub terms_accepted: Option<String>,
}

/// What was said about one requirement.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Answer {
    /// Answers by question code.
    #[schema(value_type = Object)]
    pub values: BTreeMap<String, Value>,
    /// Whether the provider meets the requirement in its own judgement.
    pub self_assessment: Option<bool>,
    /// Documents, one for each evidence code, in the order of the codes.
    pub evidence: Vec<EvidenceItem>,
}

/// One document given as evidence.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceItem {
    /// The code that the requirement asks for it by.
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    pub code: String,
    /// The document.
    #[validate(nested)]
    pub document: DocumentRef,
    /// The date it was issued on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub issued_on: Option<NaiveDate>,
    /// The last date on which it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub expires_on: Option<NaiveDate>,
    /// The amount it proves, such as the cover of an insurance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Pence>,
}

/// A document that is kept elsewhere (DPS-24): the portal's own store, for one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = GivenDocument)]
pub struct DocumentRef {
    /// The file's name.
    #[validate(length(max = 500))]
    #[schema(max_length = 500)]
    pub name: String,
    /// Where it is kept: an `https`, `http` or `urn` URI of at most 2048 characters.
    pub uri: String,
    /// SHA-256 of its bytes, 64 lower-case hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// An exclusion ground that the provider declares to apply to it (PCR57, PA58).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeclaredGround {
    /// The ground's code in the regime's rule set.
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    pub code: String,
    /// The date of the event: its look-back runs from here.
    #[schema(value_type = String, format = Date)]
    pub occurred_on: NaiveDate,
    /// What the provider did to put it right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_cleaning: Option<String>,
}

/// A requirement as a lot asks for it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Which version of which requirement.
    pub requirement: RequirementRef,
    /// What it says.
    pub definition: &'a RequirementVersion,
}

/// The codes of the questions that apply, given the answers (PRO-17). A question whose condition rests on one that
/// does not itself apply, does not apply either; so neither does a circle of conditions.
#[must_use]
pub fn applicable<'q>(questions: &'q [Question], values: &BTreeMap<String, Value>) -> BTreeSet<&'q str> {
    let mut found = BTreeSet::new();
    loop {
        let before = found.len();
        for question in questions {
            let applies = question.when.as_ref().is_none_or(|when| {
                found.contains(when.question.as_str()) && values.get(&when.question) == Some(&when.equals)
            });
            if applies {
                found.insert(question.code.as_str());
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

/// Adds a violation for every value that answers no question of `definition`, or not as it was asked. `at` is the
/// JSON pointer of the values.
pub(super) fn check_values(
    definition: &RequirementVersion,
    values: &BTreeMap<String, Value>,
    at: &str,
    broken: &mut Violations,
) {
    for (code, value) in values {
        let field = format!("{at}/{}", escape(code));
        match definition.questions.iter().find(|q| q.code == *code) {
            None => broken.add(QUESTION_UNKNOWN.broken_at(field, format!("there is no question `{code}`"))),
            Some(question) => {
                if let Some((rule, detail)) = mistyped(&question.answer, value) {
                    broken.add(rule.broken_at(field, detail));
                }
            }
        }
    }
}

/// Which rule `value` breaks as an answer of kind `answer`, if any.
fn mistyped(answer: &AnswerType, value: &Value) -> Option<(&'static Rule, String)> {
    let (right, asked) = match answer {
        AnswerType::YesNo => (value.is_boolean(), "true or false".to_owned()),
        AnswerType::Text { max_length } => {
            let fits = value.as_str().is_some_and(|text| text.chars().count() <= *max_length as usize);
            (fits, format!("text of at most {max_length} characters"))
        }
        AnswerType::Number => (value.is_i64(), "a whole number".to_owned()),
        AnswerType::Money => (value.is_i64(), "an amount in whole pence".to_owned()),
        AnswerType::Date => {
            // The length keeps out `2019-1-4`, which the parser would take.
            let date = value.as_str().is_some_and(|text| text.len() == 10 && text.parse::<NaiveDate>().is_ok());
            (date, "a date written YYYY-MM-DD".to_owned())
        }
        AnswerType::Choice { options } => {
            let offered = value.as_str().is_none_or(|chosen| options.iter().any(|o| o == chosen));
            if !offered {
                return Some((&OPTION_NOT_OFFERED, format!("{value} is not one of: {}", options.join(", "))));
            }
            (value.is_string(), format!("one of: {}", options.join(", ")))
        }
    };
    (!right).then(|| (&ANSWER_TYPE_WRONG, format!("the answer is {asked}")))
}

/// Adds a violation for everything that is wrong with `item` as evidence for `definition`.
pub(super) fn check_evidence(definition: &RequirementVersion, item: &EvidenceItem, broken: &mut Violations) {
    let asked = definition.evidence.iter().any(|e| e.code == item.code);
    broken.require(asked, &EVIDENCE_UNKNOWN, "/code", format!("no evidence `{}` is asked for", item.code));
    let DocumentRef { name, uri, sha256 } = &item.document;
    broken.require(!name.trim().is_empty(), &EVIDENCE_INVALID, "/document/name", "a document has a name");
    // A closed list: the address is shown to buyers as a link.
    let scheme = uri.split_once(':').is_some_and(|(scheme, rest)| {
        ["https", "http", "urn"].contains(&scheme) && !rest.is_empty() && !uri.contains(char::is_whitespace)
    });
    let detail = "an https, http or urn URI of at most 2048 characters";
    broken.require(scheme && uri.len() <= 2048, &EVIDENCE_INVALID, "/document/uri", detail);
    let hex = |hash: &String| hash.len() == 64 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let detail = "64 lower-case hexadecimal digits";
    broken.require(sha256.as_ref().is_none_or(hex), &EVIDENCE_INVALID, "/document/sha256", detail);
    let ordered = item.issued_on.zip(item.expires_on).is_none_or(|(issued, expires)| issued <= expires);
    broken.require(ordered, &EVIDENCE_INVALID, "/expiresOn", "evidence expires on or after its issue");
    let amount = item.amount.is_none_or(|amount| amount.0 >= 0);
    broken.require(amount, &EVIDENCE_INVALID, "/amount", "an amount is not negative");
}

/// Adds a violation for every declared ground that cannot be true on the date of `now`.
pub(super) fn check_grounds(grounds: &[DeclaredGround], now: Instant, broken: &mut Violations) {
    for (i, ground) in grounds.iter().enumerate() {
        let coded = !ground.code.trim().is_empty();
        broken.require(coded, &DECLARATION_INVALID, &format!("/exclusions/{i}/code"), "a ground has a code");
        let past = ground.occurred_on <= now.date();
        let field = format!("/exclusions/{i}/occurredOn");
        broken.require(past, &DECLARATION_INVALID, &field, "the date is in the future");
    }
}

/// Adds a violation for everything that `asked` still misses in `content` (PRO-17). Only requirements of the
/// membership gate must be complete: what is due at award or later may not be demanded of an applicant (PA36-1).
/// Answers that nothing asks for, or that no longer apply, are left where they are and not looked at.
pub(super) fn check_complete(content: &Content, asked: &[Asked], broken: &mut Violations) {
    let none = Answer::default();
    let mut seen = BTreeSet::new();
    for Asked { requirement, definition } in asked.iter().copied().filter(|a| seen.insert(a.requirement)) {
        let id = requirement.requirement;
        let answer = content.answers.get(&id).unwrap_or(&none);
        let at = format!("/answers/{id}");
        let gated = definition.gate.is_asked_at_admission();
        let applies = applicable(&definition.questions, &answer.values);
        for question in definition.questions.iter().filter(|q| applies.contains(q.code.as_str())) {
            let field = format!("{at}/values/{}", escape(&question.code));
            let given = answer.values.get(&question.code).filter(|value| !is_blank(value));
            match given.map(|value| mistyped(&question.answer, value)) {
                // The library moved on, or the answer was copied from an application to another version.
                Some(Some((rule, detail))) => broken.add(rule.broken_at(field, detail)),
                Some(None) => {}
                None => broken.require(!(gated && question.mandatory), &ANSWER_MISSING, &field, &question.text),
            }
        }
        if !gated {
            continue;
        }
        for wanted in definition.evidence.iter().filter(|e| e.mandatory) {
            let given = answer.evidence.iter().any(|e| e.code == wanted.code);
            let field = format!("{at}/evidence/{}", escape(&wanted.code));
            broken.require(given, &EVIDENCE_MISSING, &field, &wanted.title);
        }
        let assessed = !definition.self_assessable || answer.self_assessment.is_some();
        let field = format!("{at}/selfAssessment");
        broken.require(assessed, &SELF_ASSESSMENT_MISSING, &field, &definition.title);
        let declared = definition.test != Test::NoExclusion || content.exclusions.is_some();
        broken.require(declared, &DECLARATION_MISSING, "/exclusions", &definition.title);
    }
}

/// Blank text is no answer.
fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

/// Escapes a token of a JSON pointer (RFC 6901).
fn escape(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

/// The homes inside the boundary that are not offered (C-12): a warning under `warn`, refused under `require`.
#[must_use]
pub fn omitted_homes(offered: &[HomeId], inside_boundary: &[HomeId]) -> Vec<HomeId> {
    inside_boundary.iter().filter(|home| !offered.contains(home)).copied().collect()
}

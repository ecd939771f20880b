use serde_json::json;

use super::*;
use crate::provider::Rating;

fn manual() -> RequirementVersion {
    RequirementVersion {
        title: "Staff are vetted".to_owned(),
        test: Test::Manual,
        gate: Gate::Membership,
        mandatory: true,
        self_assessable: true,
        evidence: vec![EvidenceAsked { code: "dbs".to_owned(), title: "DBS policy".to_owned(), mandatory: true }],
        validity_months: Some(12),
        questions: vec![
            question("vetted", AnswerType::YesNo, None),
            question("how", AnswerType::Text { max_length: 500 }, Some(("vetted", json!(true)))),
        ],
    }
}

fn question(code: &str, answer: AnswerType, when: Option<(&str, Value)>) -> Question {
    let when = when.map(|(question, equals)| Condition { question: question.to_owned(), equals });
    Question { code: code.to_owned(), text: "What?".to_owned(), answer, mandatory: true, when }
}

fn define(first: RequirementVersion) -> Decision<Requirement> {
    Requirement::define(RequirementId(uuid(7)), code("LGSS"), "vetting".to_owned(), first, false, at(MIDNIGHT))
}

#[test]
fn versions_are_kept_and_numbered_from_one() {
    let first = define(manual()).unwrap().0;
    survives_storage(&first);
    let changed = RequirementVersion { validity_months: None, ..manual() };
    let (second, events) = first.clone().add_version(changed.clone()).unwrap();
    assert_eq!(event_names(&events), ["RequirementVersioned"]);
    assert_eq!(second.version(1), Some(&manual()));
    assert_eq!(second.version(2), Some(&changed));
    assert_eq!((second.version(0), second.version(3), second.latest()), (None, None, 2));
    assert_eq!(refused(first.add_version(manual())), ["version_unchanged"]);
}

#[test]
fn a_code_is_unique_in_its_library_and_well_formed() {
    let (id, owner) = (RequirementId(uuid(7)), code("LGSS"));
    let twice = Requirement::define(id, owner, "not a code".to_owned(), manual(), true, at(MIDNIGHT));
    assert_eq!(refused(twice), ["code_malformed", "requirement_code_taken"]);
}

#[test]
fn questions_depend_only_on_earlier_ones_and_possible_answers() {
    let with = |questions| define(RequirementVersion { questions, ..manual() });
    let yes = || question("a", AnswerType::YesNo, None);
    let choice = |options: &[&str]| AnswerType::Choice { options: options.iter().map(|&o| o.to_owned()).collect() };
    assert_eq!(refused(with(vec![yes(), yes()])), ["code_repeated"]);
    assert_eq!(
        refused(with(vec![question("b", AnswerType::Number, Some(("a", json!(true)))), yes()])),
        ["condition_unknown"]
    );
    assert_eq!(
        refused(with(vec![question("a", AnswerType::Date, Some(("a", json!("2019-01-01"))))])),
        ["condition_unknown"]
    );
    assert_eq!(
        refused(with(vec![yes(), question("b", AnswerType::Date, Some(("a", json!("yes"))))])),
        ["condition_unknown"]
    );
    let pick = question("a", choice(&["x", "y"]), None);
    assert!(with(vec![pick.clone(), question("b", AnswerType::Money, Some(("a", json!("y"))))]).is_ok());
    assert_eq!(
        refused(with(vec![pick, question("b", AnswerType::Money, Some(("a", json!("z"))))])),
        ["condition_unknown"]
    );
    for options in [&[][..], &["x", "x"], &["x", " "]] {
        assert_eq!(refused(with(vec![question("a", choice(options), None)])), ["options_malformed"]);
    }
    assert_eq!(refused(with(vec![question("a", AnswerType::Text { max_length: 0 }, None)])), ["text_required"]);
}

#[test]
fn tests_by_facts_have_their_data_and_are_not_self_assessed() {
    let with = |test| define(RequirementVersion { test, self_assessable: false, evidence: vec![], ..manual() });
    let share = |percent| with(Test::RatingShare { at_least: Rating::Good, percent });
    assert!(share(1).is_ok() && share(100).is_ok());
    assert_eq!(refused(share(0)), ["test_incomplete"]);
    assert_eq!(refused(share(101)), ["test_incomplete"]);
    assert_eq!(refused(with(Test::Insurance { minimum: Pence(0) })), ["test_incomplete"]);
    assert_eq!(refused(with(Test::EvidenceInDate)), ["test_incomplete"]);
    let valid = |months| define(RequirementVersion { validity_months: Some(months), ..manual() });
    assert_eq!(refused(valid(0)), ["test_incomplete"]);

    let own = |test| define(RequirementVersion { test, ..manual() });
    assert!(own(Test::Manual).is_ok() && own(Test::EvidenceInDate).is_ok());
    for test in [Test::NoExclusion, Test::RegisteredManager, Test::Insurance { minimum: Pence(1) }] {
        assert_eq!(refused(own(test)), ["not_self_assessable"]);
    }
    assert_eq!(refused(define(RequirementVersion { questions: vec![], ..manual() })), ["not_self_assessable"]);
}

#[test]
fn answers_are_told_by_their_type() {
    let text = AnswerType::Text { max_length: 2 };
    assert!(text.admits(&json!("äö")) && !text.admits(&json!("abc")) && !text.admits(&json!(1)));
    assert!(AnswerType::Number.admits(&json!(-3)) && !AnswerType::Number.admits(&json!(1.5)));
    assert!(AnswerType::Date.admits(&json!("2019-02-28")));
    assert!(!AnswerType::Date.admits(&json!("2019-02-29")) && !AnswerType::Date.admits(&json!("2019-2-8")));
}

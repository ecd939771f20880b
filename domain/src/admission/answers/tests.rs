use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::arrangement::EvidenceAsked;
use crate::arrangement::Gate;
use crate::arrangement::requirement::Condition;
use crate::kernel::{Refusal, Violation};

fn question(code: &str, answer: AnswerType, when: Option<(&str, Value)>) -> Question {
    let when = when.map(|(question, equals)| Condition { question: question.to_owned(), equals });
    Question { code: code.to_owned(), text: format!("{code}?"), answer, mandatory: true, when }
}

fn definition(questions: Vec<Question>) -> RequirementVersion {
    RequirementVersion {
        title: "Safeguarding".to_owned(),
        test: Test::Manual,
        gate: Gate::Membership,
        mandatory: true,
        self_assessable: false,
        evidence: vec![EvidenceAsked { code: "policy".to_owned(), title: "Policy".to_owned(), mandatory: true }],
        validity_months: None,
        questions,
    }
}

fn values(pairs: &[(&str, Value)]) -> BTreeMap<String, Value> {
    pairs.iter().map(|(code, value)| ((*code).to_owned(), value.clone())).collect()
}

fn found(violations: Violations) -> Vec<Violation> {
    match violations.refuse_any() {
        Ok(()) => Vec::new(),
        Err(Refusal::Rules(found)) => found,
        Err(other @ Refusal::WrongState { .. }) => panic!("{other:?}"),
    }
}

fn fields(violations: Violations) -> Vec<(&'static str, String)> {
    found(violations).into_iter().map(|v| (v.rule.code, v.field.unwrap_or_default())).collect()
}

#[test]
fn each_kind_of_answer_has_its_boundary() {
    let choice = AnswerType::Choice { options: vec!["a".to_owned(), "b".to_owned()] };
    let rows = [
        (AnswerType::YesNo, json!(false), None),
        (AnswerType::YesNo, json!("yes"), Some("answer_type_wrong")),
        (AnswerType::Text { max_length: 3 }, json!("äöü"), None),
        (AnswerType::Text { max_length: 3 }, json!("äöüx"), Some("answer_type_wrong")),
        (AnswerType::Text { max_length: 3 }, json!(1), Some("answer_type_wrong")),
        (AnswerType::Number, json!(-1), None),
        (AnswerType::Number, json!(1.0), Some("answer_type_wrong")),
        (AnswerType::Number, json!("1"), Some("answer_type_wrong")),
        (AnswerType::Money, json!(1_000_000_000_i64), None),
        (AnswerType::Money, json!(0.5), Some("answer_type_wrong")),
        (AnswerType::Date, json!("2020-02-29"), None),
        (AnswerType::Date, json!("2019-02-29"), Some("answer_type_wrong")),
        (AnswerType::Date, json!("2019-1-4"), Some("answer_type_wrong")),
        (AnswerType::Date, json!(20_190_104), Some("answer_type_wrong")),
        (choice.clone(), json!("b"), None),
        (choice.clone(), json!("c"), Some("option_not_offered")),
        (choice, json!(["a"]), Some("answer_type_wrong")),
    ];
    for (kind, value, code) in rows {
        assert_eq!(mistyped(&kind, &value).map(|(rule, _)| rule.code), code, "{kind:?} {value}");
    }
}

#[test]
fn a_condition_rests_on_an_applicable_question_and_a_circle_on_nothing() {
    let yes = |on: &'static str| Some((on, json!(true)));
    let questions = [
        question("c", AnswerType::YesNo, yes("b")),
        question("b", AnswerType::YesNo, yes("a")),
        question("a", AnswerType::YesNo, None),
        question("x", AnswerType::YesNo, yes("y")),
        question("y", AnswerType::YesNo, yes("x")),
    ];
    let all = values(&["a", "b", "x", "y"].map(|code| (code, json!(true))));
    assert_eq!(applicable(&questions, &all), BTreeSet::from(["a", "b", "c"]));
    let mut some = all;
    some.insert("a".to_owned(), json!(false));
    assert_eq!(applicable(&questions, &some), BTreeSet::from(["a"]), "`b` is answered but does not apply");
}

#[test]
fn values_are_checked_one_by_one_with_their_pointers() {
    let asked = definition(vec![question("a/b", AnswerType::YesNo, None)]);
    let mut violations = Violations::new();
    check_values(&asked, &values(&[("a/b", json!(3)), ("zz", json!(1))]), "/values", &mut violations);
    let expected = [("answer_type_wrong", "/values/a~1b".to_owned()), ("question_unknown", "/values/zz".to_owned())];
    assert_eq!(fields(violations), expected);
}

#[test]
fn evidence_names_its_document_and_possible_dates() {
    let asked = definition(Vec::new());
    let day = |text: &str| text.parse::<NaiveDate>().ok();
    let document =
        DocumentRef { name: "policy.pdf".to_owned(), uri: "https://files/1".to_owned(), sha256: Some("0a".repeat(32)) };
    let mut item = EvidenceItem {
        code: "policy".to_owned(),
        document,
        issued_on: day("2019-01-01"),
        expires_on: day("2019-01-01"),
        amount: Some(Pence(0)),
    };
    let check = |item: &EvidenceItem| {
        let mut violations = Violations::new();
        check_evidence(&asked, item, &mut violations);
        fields(violations).into_iter().map(|(_, field)| field).collect::<Vec<_>>()
    };
    assert!(check(&item).is_empty());
    item.code = "other".to_owned();
    item.document = DocumentRef { name: " ".to_owned(), uri: "javascript:x".to_owned(), sha256: Some("0A".repeat(32)) };
    item.expires_on = day("2018-12-31");
    item.amount = Some(Pence(-1));
    let all = ["/code", "/document/name", "/document/uri", "/document/sha256", "/expiresOn", "/amount"];
    assert_eq!(check(&item), all);
}

#[test]
fn what_is_due_later_is_not_demanded_of_an_applicant() {
    let id = RequirementId(uuid::Uuid::from_u128(7));
    let requirement = RequirementRef { requirement: id, version: 1 };
    let missing = |definition: &RequirementVersion| {
        let mut violations = Violations::new();
        let asked = Asked { requirement, definition };
        // Asked by two lots, reported once.
        check_complete(&Content::default(), &[asked, asked], &mut violations);
        fields(violations).into_iter().map(|(code, _)| code).collect::<Vec<_>>()
    };
    let mut asked = definition(vec![question("a", AnswerType::YesNo, None)]);
    asked.self_assessable = true;
    asked.test = Test::NoExclusion;
    let all = ["answer_missing", "evidence_missing", "self_assessment_missing", "declaration_missing"];
    assert_eq!(missing(&asked), all);
    asked.gate = Gate::Award;
    assert!(missing(&asked).is_empty(), "PA36-1");
    // What must hold all the time must hold from the first day.
    asked.gate = Gate::Ongoing;
    assert_eq!(missing(&asked), all);
}

#[test]
fn blank_text_is_no_answer_and_an_answer_that_does_not_apply_is_ignored() {
    let id = RequirementId(uuid::Uuid::from_u128(7));
    let text = AnswerType::Text { max_length: 9 };
    let mut asked =
        definition(vec![question("a", AnswerType::YesNo, None), question("why", text, Some(("a", json!(false))))]);
    asked.evidence.clear();
    let check = |given: &[(&str, Value)]| {
        let answer = Answer { values: values(given), ..Answer::default() };
        let content = Content { answers: BTreeMap::from([(id, answer)]), ..Content::default() };
        let requirement = RequirementRef { requirement: id, version: 1 };
        let mut violations = Violations::new();
        check_complete(&content, &[Asked { requirement, definition: &asked }], &mut violations);
        fields(violations).into_iter().map(|(code, _)| code).collect::<Vec<_>>()
    };
    assert_eq!(check(&[("a", json!(false)), ("why", json!("  "))]), ["answer_missing"]);
    assert!(check(&[("a", json!(false)), ("why", json!("because"))]).is_empty());
    assert!(check(&[("a", json!(true)), ("why", json!(5)), ("gone", json!(1))]).is_empty());
    assert_eq!(check(&[("a", json!("true"))]), ["answer_type_wrong"], "copied from another version");
}

#[test]
fn a_ground_of_today_is_not_in_the_future() {
    let ground =
        |day: &str| DeclaredGround { code: "fraud".to_owned(), occurred_on: day.parse().unwrap(), self_cleaning: None };
    let now: Instant = "2019-06-30T23:30:00Z".parse().unwrap(); // 1 July in London
    let mut violations = Violations::new();
    check_grounds(&[ground("2019-07-01"), ground("2019-07-02")], now, &mut violations);
    assert_eq!(fields(violations), [("declaration_invalid", "/exclusions/1/occurredOn".to_owned())]);
}

proptest! {
    /// C-12: offered and omitted homes together cover the boundary, and never overlap.
    #[test]
    fn omitted_homes_are_the_rest(offered in proptest::collection::vec(0_u128..9, 0..9), inside in proptest::collection::vec(0_u128..9, 0..9)) {
        let homes = |ids: &[u128]| ids.iter().map(|id| HomeId(uuid::Uuid::from_u128(*id))).collect::<Vec<_>>();
        let (offered, inside) = (homes(&offered), homes(&inside));
        let omitted = omitted_homes(&offered, &inside);
        for home in &inside {
            prop_assert_ne!(offered.contains(home), omitted.contains(home));
        }
    }
}

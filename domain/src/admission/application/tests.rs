use std::collections::BTreeMap;

use serde_json::json;

use super::super::answers::{DocumentRef, EvidenceItem};
use super::super::line::{CheckFact, CheckOutcome, LineDecision, Reason};
use super::super::receipt::{AskedByLot, ReceivedAs};
use super::*;
use crate::arrangement::requirement::{AnswerType, Condition, RequirementRef};
use crate::arrangement::{EvidenceAsked, Gate, Question, RequirementVersion, Test};
use crate::kernel::{MembershipId, Named, RequirementId, Role};

mod frozen;
mod table;

fn uuid(n: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(n)
}

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn lot(n: u128) -> LotId {
    LotId(uuid(n))
}

fn round(n: u128) -> RoundId {
    RoundId(uuid(n))
}

fn opens() -> Instant {
    at("2017-03-01T00:00:00Z")
}

fn noon() -> Instant {
    at("2017-03-22T12:00:00Z")
}

fn closes() -> Instant {
    at("2017-04-28T11:00:00Z") // 12:00:00 in London
}

fn open() -> Routing {
    Routing::Open { round: round(1), closes_at: closes() }
}

fn queued() -> Routing {
    Routing::Queued { round: round(1), opens_at: opens() }
}

fn actor() -> Actor {
    Actor { subject: "subject-1".to_owned(), role: Role::Provider, authority: None, provider: None }
}

fn definition() -> RequirementVersion {
    let question = |code: &str, when| Question {
        code: code.to_owned(),
        text: format!("{code}?"),
        answer: AnswerType::YesNo,
        mandatory: true,
        when,
    };
    let when = Condition { question: "incidents".to_owned(), equals: json!(true) };
    RequirementVersion {
        title: "Safeguarding policy".to_owned(),
        test: Test::NoExclusion,
        gate: Gate::Membership,
        mandatory: true,
        self_assessable: true,
        evidence: vec![EvidenceAsked { code: "policy".to_owned(), title: "Policy".to_owned(), mandatory: true }],
        validity_months: None,
        questions: vec![question("incidents", None), question("reported", Some(when))],
    }
}

fn requirement() -> RequirementRef {
    RequirementRef { requirement: RequirementId(uuid(50)), version: 1 }
}

fn snapshot() -> Snapshot {
    Snapshot { requirements: vec![AskedByLot { lot: lot(1), requirement: requirement() }], homes: Vec::new() }
}

fn lots() -> [LotId; 3] {
    [lot(1), lot(2), lot(3)]
}

fn start_with(previous: Option<&Application>) -> Decision<Application> {
    let all = lots();
    let facts =
        StartFacts { accepting: true, open_application: None, lots: LotFacts { all: &all, open: &all, held: &[] } };
    let command = Start {
        id: ApplicationId(uuid(if previous.is_some() { 101 } else { 100 })),
        arrangement: ArrangementId(uuid(10)),
        provider: ProviderId(uuid(20)),
        external_ref: Some("PC-4711".to_owned()),
        lots: vec![lot(1), lot(2), lot(1)],
        previous,
    };
    Application::start(command, &facts, opens())
}

fn item() -> EvidenceItem {
    let document = DocumentRef { name: "policy.pdf".to_owned(), uri: "https://files/1".to_owned(), sha256: None };
    EvidenceItem { code: "policy".to_owned(), document, issued_on: None, expires_on: None, amount: None }
}

/// Answers everything that is asked.
fn complete(app: Application, now: Instant) -> Application {
    let definition = definition();
    let asked = Asked { requirement: requirement(), definition: &definition };
    let values = BTreeMap::from([("incidents".to_owned(), json!(false))]);
    let app = app.save_answer(asked, values, Some(true), now).unwrap().0;
    let app = app.attach_evidence(asked, item(), now).unwrap().0;
    let app = app.declare(Vec::new(), now).unwrap().0;
    app.accept_terms("2017-1".to_owned(), now).unwrap().0
}

fn submit(app: Application, routing: Routing, now: Instant) -> Decision<Application> {
    let (all, definition) = (lots(), definition());
    let facts = SubmitFacts {
        lots: LotFacts { all: &all, open: &all, held: &[] },
        asked: &[Asked { requirement: requirement(), definition: &definition }],
        terms: Some("2017-1"),
        all_homes: AllHomes::Warn,
        homes_inside: &[],
        snapshot: &snapshot(),
        routing,
    };
    app.submit(&facts, Some("hash".to_owned()), &actor(), now)
}

fn check(outcome: CheckOutcome) -> CheckFact {
    CheckFact {
        requirement: Some(requirement()),
        code: "safeguarding".to_owned(),
        title: "Safeguarding policy".to_owned(),
        mandatory: true,
        gate: Gate::Membership,
        outcome,
    }
}

fn admit() -> LineDecision {
    LineDecision::Admit { membership: MembershipId(uuid(70)) }
}

fn reject() -> LineDecision {
    LineDecision::Reject { reasons: vec!["safeguarding".to_owned()], note: Some("no policy".to_owned()) }
}

fn decide(app: Application, lot: LotId, decision: LineDecision, outcome: CheckOutcome) -> Decision<Application> {
    app.decide_line(lot, decision, &[check(outcome)], &actor(), closes())
}

fn reopen(app: Application, other_open: bool, held: bool) -> Decision<Application> {
    app.reopen_line(lot(1), "appeal upheld", ReopenFacts { other_open, held }, &actor(), closes())
}

fn codes<T: std::fmt::Debug>(refused: Result<T, Refusal>) -> Vec<(&'static str, String)> {
    match refused.unwrap_err() {
        Refusal::Rules(all) => all.into_iter().map(|v| (v.rule.code, v.field.unwrap_or_default())).collect(),
        Refusal::WrongState { from, .. } => vec![("wrong_state", from.to_owned())],
    }
}

fn draft() -> Application {
    complete(start_with(None).unwrap().0, opens())
}

fn submitted() -> Application {
    submit(draft(), open(), noon()).unwrap().0
}

fn in_evaluation() -> Application {
    submitted().begin_evaluation(closes()).unwrap().0
}

fn rolling() -> Application {
    submit(draft(), Routing::Evaluate, noon()).unwrap().0
}

fn rejected() -> Application {
    let app = decide(in_evaluation(), lot(1), reject(), CheckOutcome::Failed).unwrap().0;
    decide(app, lot(2), reject(), CheckOutcome::Failed).unwrap().0
}

#[test]
fn ac_03_no_line_is_decided_before_its_round_closes() {
    let app = submitted();
    assert_eq!(
        codes(decide(app.clone(), lot(1), admit(), CheckOutcome::Passed)),
        [("wrong_state", "submitted".into())]
    );
    assert!(app.lines.iter().all(|line| line.status == LineStatus::Pending));
    let early = closes().plus_seconds(-1);
    assert_eq!(codes(app.begin_evaluation(early)), [("round_still_open", String::new())]);
}

#[test]
fn ac_04_a_late_submission_queues_for_the_next_round() {
    let (app, events) = submit(draft(), queued(), opens().plus_seconds(-60)).unwrap();
    assert_eq!((app.state().name(), app.round()), ("queued", Some(round(1))));
    assert_eq!(app.versions[0].receipt.state, ReceivedAs::Queued);
    assert!(matches!(
        events[..],
        [ApplicationEvent::ApplicationSubmitted { .. }, ApplicationEvent::ApplicationQueued { .. }]
    ));
    assert_eq!(
        codes(app.clone().round_opened(closes(), opens().plus_seconds(-1))),
        [("round_opens_later", String::new())]
    );
    let (app, events) = app.round_opened(closes(), opens()).unwrap();
    assert_eq!(events, [ApplicationEvent::ApplicationRoundOpened { round: round(1), closes_at: closes() }]);
    assert_eq!(app.state().name(), "submitted");
}

#[test]
fn a_queued_application_finds_another_round_where_its_own_is_cancelled() {
    let app = submit(draft(), queued(), opens()).unwrap().0;
    let next = Routing::Queued { round: round(2), opens_at: closes() };
    assert_eq!(app.clone().reroute(next).unwrap().0.round(), Some(round(2)));
    assert_eq!(app.clone().reroute(open()).unwrap().0.state().name(), "submitted");
    assert_eq!(app.reroute(Routing::Evaluate).unwrap().0.state().name(), "in_evaluation");
}

#[test]
fn ac_06_rolling_is_in_evaluation_at_once_without_a_round() {
    let (app, events) = submit(draft(), Routing::Evaluate, noon()).unwrap();
    assert_eq!((app.state().name(), app.round()), ("in_evaluation", None));
    assert!(app.content_visible_to_buyers());
    assert_eq!(events[1], ApplicationEvent::EvaluationBegun { version: 1, round: None });
    assert!(app.lines.iter().all(|line| line.status == LineStatus::InEvaluation));
}

#[test]
fn ac_07_passed_checks_leave_admission_only() {
    for outcome in [CheckOutcome::Passed, CheckOutcome::Waived] {
        let refused = decide(in_evaluation(), lot(1), reject(), outcome);
        assert_eq!(codes(refused), [("rejection_unfounded", "/decision".into())]);
        let (app, events) = decide(in_evaluation(), lot(1), admit(), outcome).unwrap();
        assert_eq!(events, [ApplicationEvent::LineAdmitted { lot: lot(1), membership: MembershipId(uuid(70)) }]);
        assert_eq!(app.state().name(), "in_evaluation", "the second line is undecided");
    }
}

#[test]
fn ac_08_a_failed_check_is_named() {
    let refused = decide(in_evaluation(), lot(1), admit(), CheckOutcome::Failed).unwrap_err();
    let Refusal::Rules(violations) = refused else { panic!() };
    assert_eq!(violations[0].rule.code, "check_failed");
    assert_eq!(violations[0].detail, "safeguarding: Safeguarding policy");
}

#[test]
fn an_open_check_bars_either_decision_and_others_bear_on_neither() {
    for decision in [admit(), reject()] {
        let refused = decide(in_evaluation(), lot(1), decision, CheckOutcome::Open);
        assert_eq!(codes(refused), [("check_open", String::new())]);
    }
    let optional = CheckFact { mandatory: false, ..check(CheckOutcome::Failed) };
    let later = CheckFact { gate: Gate::Award, ..check(CheckOutcome::Open) };
    let facts = [check(CheckOutcome::Passed), optional, later];
    assert!(in_evaluation().decide_line(lot(1), admit(), &facts, &actor(), closes()).is_ok());
    let refused = in_evaluation().decide_line(lot(1), reject(), &facts, &actor(), closes());
    assert_eq!(codes(refused), [("rejection_unfounded", "/decision".into())], "an optional failure is no ground");
}

#[test]
fn pro_25_a_rejection_names_published_reasons() {
    let with = |reasons: &[&str]| {
        let reasons = reasons.iter().map(|code| (*code).to_owned()).collect();
        decide(in_evaluation(), lot(1), LineDecision::Reject { reasons, note: None }, CheckOutcome::Failed)
    };
    assert_eq!(codes(with(&[])), [("rejection_reason_missing", "/reasons".into())]);
    assert_eq!(codes(with(&["safeguarding", "price"])), [("rejection_reason_unpublished", "/reasons/1".into())]);
    let (_, events) = with(&["safeguarding", "safeguarding"]).unwrap();
    let text = "Safeguarding policy".to_owned();
    let reasons = vec![Reason { code: "safeguarding".to_owned(), text, requirement: Some(requirement()) }];
    assert_eq!(events, [ApplicationEvent::LineRejected { lot: lot(1), reasons }]);
}

#[test]
fn ac_09_a_rejected_applicant_applies_again_and_reasons_stay_readable() {
    let first = rejected();
    assert!(!first.is_open());
    let (again, events) = start_with(Some(&first)).unwrap();
    assert_eq!(events, [ApplicationEvent::ApplicationStarted { previous: Some(first.id) }]);
    assert!(matches!(&first.lines[0].status, LineStatus::Rejected(r) if r.reasons[0].code == "safeguarding"));
    // DPS-22: answers are reused; the declaration and the terms are made anew.
    let again = again.copy_from(&first, noon()).unwrap().0;
    let missing = codes(submit(again.clone(), open(), noon()));
    assert_eq!(
        missing,
        [("declaration_missing", "/exclusions".into()), ("terms_not_accepted", "/termsAccepted".into())]
    );
    let again = again.declare(Vec::new(), noon()).unwrap().0.accept_terms("2017-1".to_owned(), noon()).unwrap().0;
    assert_eq!(submit(again, open(), noon()).unwrap().0.state().name(), "submitted");
}

#[test]
fn what_a_draft_says_already_survives_a_copy() {
    let first = rejected();
    let definition = definition();
    let asked = Asked { requirement: requirement(), definition: &definition };
    let own = BTreeMap::from([("incidents".to_owned(), json!(true))]);
    let again = start_with(Some(&first)).unwrap().0.save_answer(asked, own.clone(), None, noon()).unwrap().0;
    let again = again.copy_from(&first, noon()).unwrap().0;
    assert_eq!(again.draft.unwrap().answers[&requirement().requirement].values, own);
    let unsubmitted = draft();
    assert_eq!(codes(draft().copy_from(&unsubmitted, noon())), [("nothing_to_copy", "/from".into())]);
    let foreign = Application { provider: ProviderId(uuid(21)), ..first };
    assert_eq!(codes(draft().copy_from(&foreign, noon())), [("nothing_to_copy", "/from".into())]);
}

#[test]
fn ac_21_a_submission_at_the_closing_second_is_refused() {
    assert!(submit(draft(), open(), closes().plus_seconds(-1)).is_ok());
    assert_eq!(codes(submit(draft(), open(), closes())), [("round_closed", String::new())]);
    let revised = submitted().revise(noon()).unwrap().0;
    assert!(submit(revised.clone(), open(), closes().plus_seconds(-1)).is_ok());
    assert_eq!(codes(submit(revised, open(), closes())), [("round_closed", String::new())]);
}

#[test]
fn ac_24_the_last_version_counts_and_receipt_1_is_readable() {
    let first = submit(draft(), open(), at("2017-03-22T17:40:50.987Z")).unwrap().0;
    let (app, events) = first.revise(noon()).unwrap();
    assert_eq!(events, [ApplicationEvent::ApplicationRevised { from_version: 1 }]);
    assert_eq!(app.counting().unwrap().receipt.version, 1, "until the new one is submitted");
    assert_eq!(codes(app.clone().revise(noon())), [("draft_open", String::new())]);
    let all = lots();
    let app = app.set_lots(vec![lot(3)], LotFacts { all: &all, open: &all, held: &[] }, noon()).unwrap().0;
    let app = submit(app, open(), noon().plus_seconds(60)).unwrap().0;
    assert_eq!(app.counting().unwrap().receipt.version, 2);
    assert_eq!(app.lines.iter().map(|l| l.lot).collect::<Vec<_>>(), [lot(3)]);
    let receipt = &app.versions[0].receipt;
    assert_eq!((receipt.version, receipt.state), (1, ReceivedAs::Submitted));
    assert_eq!(receipt.at, at("2017-03-22T17:40:50Z"));
    assert_eq!(receipt.printed_at(), "22/03/2017 17:40:50");
    assert_eq!(receipt.content_hash.as_deref(), Some("hash"));
}

#[test]
fn ac_25_a_draft_never_submitted_is_not_evaluated() {
    assert_eq!(codes(draft().begin_evaluation(closes())), [("wrong_state", "draft".into())]);
    let revised = submitted().revise(noon()).unwrap().0.set_homes(Vec::new(), &[], noon()).unwrap().0;
    let app = revised.begin_evaluation(closes()).unwrap().0;
    assert_eq!(app.draft, None);
    assert_eq!(app.evaluated_content().unwrap().receipt.version, 1);
}

#[test]
fn ac_26_everything_that_is_missing_is_listed() {
    let definition = definition();
    let asked = Asked { requirement: requirement(), definition: &definition };
    let values = BTreeMap::from([("incidents".to_owned(), json!(true))]);
    let app = start_with(None).unwrap().0.save_answer(asked, values, None, noon()).unwrap().0;
    let at = format!("/answers/{}", requirement().requirement);
    let all = [
        ("answer_missing", format!("{at}/values/reported")),
        ("evidence_missing", format!("{at}/evidence/policy")),
        ("self_assessment_missing", format!("{at}/selfAssessment")),
        ("declaration_missing", "/exclusions".to_owned()),
        ("terms_not_accepted", "/termsAccepted".to_owned()),
    ];
    assert_eq!(codes(submit(app, open(), noon())), all);
    let stale = draft().accept_terms("2016-1".to_owned(), noon()).unwrap().0;
    assert_eq!(codes(submit(stale, open(), noon())), [("terms_not_accepted", "/termsAccepted".into())]);
}

#[test]
fn a_start_lists_every_rule_that_it_breaks() {
    let open_draft = draft();
    let command = Start {
        id: ApplicationId(uuid(1)),
        arrangement: ArrangementId(uuid(10)),
        provider: ProviderId(uuid(20)),
        external_ref: Some(" ".to_owned()),
        lots: vec![lot(1), lot(2), lot(9)],
        previous: Some(&open_draft),
    };
    let facts = StartFacts {
        accepting: false,
        open_application: Some(ApplicationId(uuid(100))),
        lots: LotFacts { all: &lots(), open: &[lot(2)], held: &[lot(2)] },
    };
    let expected = [
        ("arrangement_not_accepting", ""),
        ("application_open", ""),
        ("external_ref_invalid", "/externalRef"),
        ("previous_invalid", "/previous"),
        ("lot_not_open", "/lots/0"),
        ("lot_held", "/lots/1"),
        ("lot_unknown", "/lots/2"),
    ];
    assert_eq!(codes(Application::start(command, &facts, noon())), expected.map(|(c, f)| (c, f.to_owned())));
    let none = draft().set_lots(Vec::new(), facts.lots, noon());
    assert_eq!(codes(none), [("lot_line_missing", "/lots".into())]);
}

#[test]
fn evidence_is_replaced_by_code_and_taken_back_once() {
    let definition = definition();
    let asked = Asked { requirement: requirement(), definition: &definition };
    let app = draft().attach_evidence(asked, item(), noon()).unwrap().0;
    let id = requirement().requirement;
    assert_eq!(app.draft.as_ref().unwrap().answers[&id].evidence.len(), 1);
    let app = app.remove_evidence(id, "policy", noon()).unwrap().0;
    assert_eq!(codes(app.remove_evidence(id, "policy", noon())), [("evidence_unknown", "/code".into())]);
}

#[test]
fn a_saved_answer_is_checked_and_null_takes_it_back() {
    let plain = RequirementVersion { self_assessable: false, ..definition() };
    let asked = Asked { requirement: requirement(), definition: &plain };
    let values = BTreeMap::from([("incidents".to_owned(), json!("no")), ("reported".to_owned(), json!(null))]);
    let refused = draft().save_answer(asked, values, Some(true), noon());
    let expected =
        [("answer_type_wrong", "/values/incidents".into()), ("self_assessment_not_offered", "/selfAssessment".into())];
    assert_eq!(codes(refused), expected);
    let null = BTreeMap::from([("incidents".to_owned(), json!(null))]);
    let app = draft().save_answer(asked, null, None, noon()).unwrap().0;
    let answer = app.draft.unwrap().answers[&requirement().requirement].clone();
    assert!(answer.values.is_empty());
    assert_eq!(answer.evidence.len(), 1, "the evidence stays");
}

#[test]
fn pro_27_nothing_is_visible_before_evaluation() {
    for app in [draft(), submit(draft(), queued(), noon()).unwrap().0, submitted()] {
        assert!(!app.content_visible_to_buyers());
        assert_eq!(app.evaluated_content(), None);
    }
    let events = submitted().withdraw_line(lot(1), noon()).unwrap().1;
    assert_eq!(events, [ApplicationEvent::LineWithdrawn { lot: None }]);
    assert_eq!(in_evaluation().evaluated_content().unwrap().receipt.version, 1);
    assert!(rejected().content_visible_to_buyers());
}

#[test]
fn a_withdrawal_ends_with_the_round_and_under_rolling_with_the_decision() {
    let (gone, events) = submitted().withdraw(closes().plus_seconds(-1)).unwrap();
    assert_eq!((gone.state().name(), gone.is_open()), ("withdrawn", false));
    assert_eq!(events.len(), 1);
    assert_eq!(codes(submitted().withdraw(closes())), [("round_closed", String::new())]);
    assert_eq!(codes(in_evaluation().withdraw(closes())), [("round_closed", String::new())]);
    // A line that is decided stays so.
    let app = decide(rolling(), lot(1), admit(), CheckOutcome::Passed).unwrap().0;
    let (app, events) = app.withdraw(closes()).unwrap();
    assert_eq!(app.state().name(), "decided");
    assert_eq!(events, [ApplicationEvent::LineWithdrawn { lot: Some(lot(2)) }, ApplicationEvent::ApplicationDecided]);
    assert_eq!(app.lines[0].status.name(), "admitted");
}

#[test]
fn the_last_line_withdrawn_withdraws_the_application_and_its_lot_is_not_revised_back() {
    let app = submitted().revise(noon()).unwrap().0.withdraw_line(lot(1), noon()).unwrap().0;
    assert_eq!(app.draft.as_ref().unwrap().lots, [lot(2)]);
    let app = submitted().withdraw_line(lot(1), noon()).unwrap().0;
    assert_eq!(app.clone().revise(noon()).unwrap().0.draft.unwrap().lots, [lot(2)]);
    assert_eq!(codes(app.clone().withdraw_line(lot(1), noon())), [("line_state_wrong", "/lot".into())]);
    assert_eq!(codes(app.clone().withdraw_line(lot(9), noon())), [("line_unknown", "/lot".into())]);
    let evaluated = app.clone().begin_evaluation(closes()).unwrap().0;
    assert_eq!(evaluated.lines.iter().map(|l| l.status.name()).collect::<Vec<_>>(), ["withdrawn", "in_evaluation"]);
    let (app, events) = app.withdraw_line(lot(2), noon()).unwrap();
    assert_eq!(app.state().name(), "withdrawn");
    assert_eq!(events, [ApplicationEvent::LineWithdrawn { lot: None }, ApplicationEvent::ApplicationWithdrawn]);
}

#[test]
fn bey_05_an_upheld_appeal_reopens_the_line_and_keeps_the_rejection() {
    let (app, events) = reopen(rejected(), false, false).unwrap();
    assert_eq!(events, [ApplicationEvent::LineReopened { lot: lot(1), reason: "appeal upheld".to_owned() }]);
    assert_eq!((app.state().name(), app.round()), ("in_evaluation", Some(round(1))));
    assert_eq!(app.lines[0].reopened[0].rejection.reasons[0].code, "safeguarding");
    let (app, events) = decide(app, lot(1), admit(), CheckOutcome::Waived).unwrap();
    assert_eq!(app.state().name(), "decided");
    assert_eq!(events[1], ApplicationEvent::ApplicationDecided);
    assert_eq!(codes(reopen(app, false, false)), [("line_state_wrong", "/lot".into())]);
    let barred = reopen(rejected(), true, true);
    assert_eq!(codes(barred), [("application_open", String::new()), ("lot_held", String::new())]);
    let facts = ReopenFacts { other_open: false, held: false };
    let silent = rejected().reopen_line(lot(1), " ", facts, &actor(), closes());
    assert_eq!(codes(silent), [("reason_required", "/reason".into())]);
}

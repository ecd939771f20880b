use std::fmt::Write;

use super::*;
use crate::admission::declaration_of_interests::DeclaredInterest;
use crate::arrangement::LocationBoundary;
use crate::kernel::{Aggregate, Audience, DeclarationOfInterestsId, Due, Named, Refusal};
use crate::kernel::{AuthorityCode, HomeId, Pence, RequirementId};
use crate::provider::{HomeFacts, Location, Postcode, Rating, StatedBy};
use chrono::NaiveDate;
use uuid::Uuid;

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn now() -> Instant {
    at("2019-03-01T12:00:00Z")
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn lot(n: u128) -> LotId {
    LotId(Uuid::from_u128(n))
}

fn version(test: Test) -> RequirementVersion {
    RequirementVersion {
        title: "Is met".to_owned(),
        test,
        gate: Gate::Membership,
        mandatory: true,
        self_assessable: false,
        evidence: vec![EvidenceAsked { code: "cert".to_owned(), title: "Certificate".to_owned(), mandatory: true }],
        validity_months: None,
        questions: vec![],
    }
}

fn requirement(n: u128, version: u32) -> RequirementRef {
    RequirementRef { requirement: RequirementId(Uuid::from_u128(n)), version }
}

fn applicant() -> Applicant {
    Applicant {
        application: ApplicationId(Uuid::nil()),
        arrangement: ArrangementId(Uuid::nil()),
        provider: ProviderId(Uuid::from_u128(7)),
    }
}

fn open(test: Test) -> ComplianceCheck {
    let version = version(test);
    let asked = [LotRequirement { lot: lot(1), requirement: requirement(1, 1), code: "R1", version: &version }];
    open_checks(applicant(), &asked, || ComplianceCheckId(Uuid::nil()), now()).remove(0).0
}

fn assessor(subject: &str) -> Actor {
    let authority = AuthorityCode::try_from("CCC".to_owned()).ok();
    Actor { subject: subject.to_owned(), role: Role::LeadAgency, authority, provider: None }
}

fn declared(subject: &str, interests: &[u128]) -> DeclarationOfInterests {
    let interests = interests
        .iter()
        .map(|n| DeclaredInterest { provider: ProviderId(Uuid::from_u128(*n)), nature: "kin".to_owned() });
    let id = DeclarationOfInterestsId(Uuid::nil());
    DeclarationOfInterests::declare(id, applicant().arrangement, interests.collect(), &assessor(subject), now())
        .unwrap()
        .0
}

fn pass() -> Judgement {
    Judgement { passed: true, reason: String::new(), evidence: vec!["cert".to_owned()], valid_until: None }
}

fn fail() -> Judgement {
    Judgement { passed: false, reason: "not shown".to_owned(), evidence: vec![], valid_until: None }
}

fn facts(boundary: &LocationBoundary) -> Facts<'_> {
    Facts { on: day("2019-03-01"), boundary, homes: &[], exclusions: None, evidence: &[], self_assessment: None }
}

fn areas() -> LocationBoundary {
    LocationBoundary::PostcodeAreas { postcode_areas: vec!["PR".to_owned()], local_authorities: vec![] }
}

fn home(urn: &str, postcode: &str, rating: Option<Rating>, registered_manager: Option<bool>) -> HomeFacts {
    let location = Location { postcode: Postcode::read(postcode).unwrap(), ..Location::default() };
    let rated_by = rating.map(|_| StatedBy::Regulator);
    HomeFacts {
        id: HomeId(Uuid::nil()),
        urn: urn.to_owned(),
        rating,
        rated_by,
        stated: None,
        location,
        located_by: StatedBy::Provider,
        registered_manager,
        listed_under: None,
    }
}

/// By the facts, or where those are only stated, as an assessor can confirm them.
fn decide(test: Test, facts: &Facts<'_>) -> Outcome {
    decide_by(&Terms::from(&version(test)), facts)
}

fn decide_by(terms: &Terms, facts: &Facts<'_>) -> Outcome {
    automatic(terms, facts, now()).or_else(|| confirmable(terms, facts, now())).unwrap()
}

fn codes(refusal: Refusal) -> Vec<&'static str> {
    match refusal {
        Refusal::WrongState { .. } => vec!["wrong_state"],
        Refusal::Rules(broken) => broken.into_iter().map(|v| v.rule.code).collect(),
    }
}

fn every_state() -> Vec<ComplianceCheck> {
    let by = declared("a", &[]);
    let judged = |check: ComplianceCheck, judgement, second| {
        check.record(judgement, None, Some(&by), second, &assessor("a"), now())
    };
    let expiring = Judgement { valid_until: Some(at("2019-04-01T00:00:00Z")), ..pass() };
    let passed = judged(open(Test::Manual), expiring, false).unwrap().0;
    let expired = passed.clone().tick(at("2019-05-01T00:00:00Z")).unwrap().0;
    vec![
        open(Test::Manual),
        judged(open(Test::Manual), pass(), true).unwrap().0,
        passed,
        judged(open(Test::Manual), fail(), false).unwrap().0,
        open(Test::Manual).waive("trivial", false, Some(&by), &assessor("a"), now()).unwrap().0,
        expired,
    ]
}

type Command<'a> = Box<dyn Fn(ComplianceCheck) -> Decision<ComplianceCheck> + 'a>;

#[test]
fn the_table() {
    let (a, b, later) = (declared("a", &[]), declared("b", &[]), at("2019-06-01T00:00:00Z"));
    let everywhere = LocationBoundary::Everywhere;
    let commands: [(&str, Command<'_>); 10] = [
        ("assess", Box::new(|c| c.assess(&facts(&everywhere), &Actor::clock(), now()))),
        ("record pass", Box::new(|c| c.record(pass(), None, Some(&a), false, &assessor("a"), now()))),
        ("record, second", Box::new(|c| c.record(fail(), None, Some(&a), true, &assessor("a"), now()))),
        ("confirm", Box::new(|c| c.confirm(Some(&b), &assessor("b"), now()))),
        ("return", Box::new(|c| c.send_back("unclear", Some(&b), &assessor("b")))),
        ("waive", Box::new(|c| c.waive("trivial", false, Some(&a), &assessor("a"), now()))),
        ("waive, decided", Box::new(|c| c.waive("trivial", true, Some(&a), &assessor("a"), now()))),
        ("reopen", Box::new(|c| c.reopen("new evidence", false))),
        ("reopen, decided", Box::new(|c| c.reopen("new evidence", true))),
        ("tick", Box::new(|c| c.tick(later))),
    ];
    let mut table = String::new();
    for check in every_state() {
        for (name, command) in &commands {
            let from = check.state().name();
            let outcome = match command(check.clone()) {
                Ok((next, events)) => {
                    let event = serde_json::to_value(&events[0]).unwrap();
                    format!("-> {} ({})", next.state().name(), event["type"].as_str().unwrap())
                }
                Err(refusal) => codes(refusal).join(", "),
            };
            writeln!(table, "{from:<9} {name:<16} {outcome}").unwrap();
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn no_event_of_a_check_is_for_the_provider() {
    let (failed, events) =
        open(Test::Manual).record(fail(), None, Some(&declared("a", &[])), false, &assessor("a"), now()).unwrap();
    assert_eq!(failed.audience(&events[0]), Audience::Buyers);
    assert_eq!(failed.about().provider, Some(applicant().provider), "the event is about the provider all the same");
}

#[test]
fn a_check_survives_its_serialisation() {
    let share = home("SC1", "PR1", Some(Rating::Good), None);
    let rated = open(Test::RatingShare { at_least: Rating::Good, percent: 65 })
        .assess(&Facts { homes: &[share], ..facts(&areas()) }, &Actor::clock(), now())
        .unwrap();
    for check in every_state().into_iter().chain([rated.0]) {
        let json = serde_json::to_string(&check).unwrap();
        assert_eq!(serde_json::from_str::<ComplianceCheck>(&json).unwrap(), check);
    }
}

#[test]
fn one_check_per_version_serves_every_lot_and_only_the_membership_gate_opens() {
    let (now_needed, later) =
        (version(Test::Manual), RequirementVersion { gate: Gate::Award, ..version(Test::Manual) });
    let line = |l, n, v, version| LotRequirement { lot: lot(l), requirement: requirement(n, v), code: "R", version };
    let asked = [
        line(1, 1, 1, &now_needed),
        line(2, 1, 1, &now_needed),
        line(2, 1, 1, &now_needed),
        line(2, 1, 2, &now_needed),
        line(2, 3, 1, &later),
    ];
    let mut n = 0;
    let checks = open_checks(
        applicant(),
        &asked,
        || {
            n += 1;
            ComplianceCheckId(Uuid::from_u128(n))
        },
        now(),
    );
    let lots: Vec<_> = checks.iter().map(|(c, _)| (c.requirement.unwrap().version, c.lots.clone())).collect();
    assert_eq!(lots, [(1, vec![lot(1), lot(2)]), (2, vec![lot(2)])]);
    assert!(
        checks.iter().all(
            |(c, events)| matches!(&events[..], [ComplianceCheckEvent::CheckOpened { lots, .. }] if *lots == c.lots)
        )
    );
}

#[test]
fn ac_08_what_blocks_a_line_is_named() {
    let blocked = |check: &ComplianceCheck, l, now| blocking(std::slice::from_ref(check), lot(l), now).count() == 1;
    let stands: Vec<_> = every_state().iter().map(|c| (c.state().name(), blocked(c, 1, now()))).collect();
    let expected =
        [("open", true), ("proposed", true), ("passed", false), ("failed", true), ("waived", false), ("expired", true)];
    assert_eq!(stands, expected);
    let [_, _, passed, mut failed, ..] = <[ComplianceCheck; 6]>::try_from(every_state()).unwrap();
    // Its validity is over before the clock's work has run.
    assert!(blocked(&passed, 1, at("2019-04-01T00:00:00Z")));
    assert!(!blocked(&failed, 2, now()), "another lot");
    failed.terms.mandatory = false;
    assert!(!blocked(&failed, 1, now()), "not mandatory");
}

#[test]
fn a_late_tick_expires_at_the_due_instant() {
    let passed = every_state().remove(2);
    let due = at("2019-04-01T00:00:00Z");
    assert_eq!(passed.due(), Some(Due { at: due, what: "expire" }));
    assert_eq!(codes(passed.clone().tick(due.plus_seconds(-1)).unwrap_err()), ["check_not_expired"]);
    let (expired, events) = passed.tick(due.plus_days(9)).unwrap();
    assert!(matches!(expired.state, ComplianceCheckState::Expired { expired_at, .. } if expired_at == due));
    assert!(matches!(&events[..], [ComplianceCheckEvent::CheckExpired { expired_at, .. }] if *expired_at == due));
    assert_eq!(expired.due(), None);
}

#[test]
fn who_may_judge() {
    let record = |declaration: Option<&DeclarationOfInterests>, actor: &Actor| {
        codes(open(Test::Manual).record(fail(), None, declaration, false, actor, now()).unwrap_err())
    };
    assert_eq!(record(None, &assessor("a")), ["conflict_not_declared"]);
    assert_eq!(record(Some(&declared("b", &[])), &assessor("a")), ["conflict_not_declared"]);
    assert_eq!(record(Some(&declared("a", &[7])), &assessor("a")), ["conflict_of_interest"]);
    let own = Actor { provider: Some(applicant().provider), role: Role::Provider, ..assessor("a") };
    assert_eq!(record(Some(&declared("a", &[])), &own), ["provider_never_assesses"]);
    let portal = Actor { role: Role::Portal, ..assessor("a") };
    assert_eq!(record(Some(&declared("a", &[])), &portal), ["provider_never_assesses"]);
    let elsewhere = declared("a", &[8]);
    assert!(open(Test::Manual).record(fail(), None, Some(&elsewhere), false, &assessor("a"), now()).is_ok());
    let waived = open(Test::Manual).waive(" ", false, Some(&declared("a", &[7])), &assessor("a"), now());
    assert_eq!(codes(waived.unwrap_err()), ["conflict_of_interest", "reason_required"]);
}

#[test]
fn the_second_pair_of_eyes_is_another_and_the_first_result_is_not_told() {
    let a = declared("a", &[]);
    let (proposed, events) = open(Test::Manual).record(fail(), None, Some(&a), true, &assessor("a"), now()).unwrap();
    assert!(!serde_json::to_string(&events).unwrap().contains("not shown"));
    assert_eq!(codes(proposed.clone().confirm(Some(&a), &assessor("a"), now()).unwrap_err()), ["second_assessor"]);
    let (failed, _) = proposed.confirm(Some(&declared("b", &[])), &assessor("b"), now()).unwrap();
    let result = failed.result().unwrap();
    assert_eq!((result.assessor.as_str(), result.confirmed_by.as_deref()), ("a", Some("b")));
    let brief = Judgement { valid_until: Some(now().plus_seconds(1)), ..pass() };
    let (stale, _) = open(Test::Manual).record(brief, None, Some(&a), true, &assessor("a"), now()).unwrap();
    let late = stale.confirm(Some(&declared("b", &[])), &assessor("b"), now().plus_seconds(1));
    assert_eq!(codes(late.unwrap_err()), ["validity_past"]);
}

#[test]
fn what_a_judgement_carries() {
    let record = |test, judgement| {
        codes(open(test).record(judgement, None, Some(&declared("a", &[])), false, &assessor("a"), now()).unwrap_err())
    };
    let bare = Judgement { evidence: vec![" ".to_owned()], valid_until: Some(now()), ..pass() };
    assert_eq!(record(Test::NoExclusion, bare), ["decided_by_facts", "evidence_required", "validity_past"]);
    assert_eq!(record(Test::Manual, Judgement { reason: " ".to_owned(), ..fail() }), ["reason_required"]);
    // An assessor may find that declared facts are untrue.
    let insurance = Test::Insurance { minimum: Pence(1) };
    let found = open(insurance).record(fail(), None, Some(&declared("a", &[])), false, &assessor("a"), now());
    assert_eq!(found.unwrap().0.state().name(), "failed");
}

#[test]
fn a_self_assessment_counts_only_where_the_version_says_so() {
    let boundary = LocationBoundary::Everywhere;
    let terms = |self_assessable| Terms { self_assessable, ..Terms::from(&version(Test::Manual)) };
    let says = |stated| Facts { self_assessment: stated, ..facts(&boundary) };
    let method = |own, stated| automatic(&terms(own), &says(stated), now()).map(|o| (o.method, o.passed));
    assert_eq!(method(true, Some(true)), Some((Method::SelfAssessment, true)));
    assert_eq!(method(true, Some(false)), None);
    assert_eq!(method(true, None), None);
    assert_eq!(method(false, Some(true)), None);
}

#[test]
fn mandatory_grounds_are_never_waived() {
    let boundary = LocationBoundary::Everywhere;
    let ground = |mandatory, applies| ExclusionFinding {
        ground: "bribery".to_owned(),
        mandatory,
        applies,
        why: "convicted in 2018".to_owned(),
        stated_by: StatedBy::Officer,
    };
    let waive = |found: Option<&[ExclusionFinding]>| {
        let (check, _) = open(Test::NoExclusion)
            .assess(&Facts { exclusions: found, ..facts(&boundary) }, &Actor::clock(), now())
            .unwrap();
        assert_eq!(check.state().name(), "failed");
        check
            .waive("low risk", false, Some(&declared("a", &[])), &assessor("a"), now())
            .map_err(codes)
            .map(|(c, _)| c.state().name())
    };
    assert_eq!(waive(Some(&[ground(false, true), ground(true, false)])), Ok("waived"));
    assert_eq!(waive(Some(&[ground(true, true), ground(false, true)])), Err(vec!["exclusion_not_waivable"]));
    assert_eq!(waive(None), Err(vec!["exclusion_not_waivable"]));
    let unread = open(Test::NoExclusion).waive("low risk", false, Some(&declared("a", &[])), &assessor("a"), now());
    assert_eq!(codes(unread.unwrap_err()), ["exclusion_not_waivable"]);
    assert!(decide(Test::NoExclusion, &Facts { exclusions: Some(&[]), ..facts(&boundary) }).passed);
    assert!(decide(Test::NoExclusion, &Facts { exclusions: Some(&[ground(true, false)]), ..facts(&boundary) }).passed);
}

#[test]
fn a_missing_fact_fails_and_is_named() {
    let boundary = areas();
    let unknown = [home("SC9", "REDACTED", Some(Rating::Good), None)];
    let facts = Facts { homes: &unknown, ..facts(&boundary) };
    for (test, names) in [
        (Test::RatedHome { at_least: Rating::Good }, "SC9: missing: its postcode is not known"),
        (Test::HomeInsideBoundary, "SC9: missing: its postcode is not known"),
        (Test::NoExclusion, "exclusion grounds: missing: the provider has not declared them"),
        (Test::Insurance { minimum: Pence(500_000_000) }, "insurance: missing: proof of cover of at least £5000000.00"),
        (Test::EvidenceInDate, "cert: missing: Certificate"),
        (Test::RegisteredManager, "SC9: missing: whether it has a registered manager"),
    ] {
        let outcome = decide(test, &facts);
        assert!(!outcome.passed && outcome.explain().ends_with(names), "{}", outcome.explain());
    }
}

#[test]
fn homes_inside_have_a_manager_and_one_home_is_inside() {
    let boundary = areas();
    let test = |test: Test, homes: &[HomeFacts]| decide(test, &Facts { homes, ..facts(&boundary) }).passed;
    let (run, vacant) = (home("SC1", "PR1", None, Some(true)), home("SC2", "HD1", None, Some(false)));
    assert!(test(Test::RegisteredManager, &[run.clone(), vacant.clone()]), "outside does not count");
    assert!(!test(Test::RegisteredManager, &[run.clone(), home("SC3", "PR2", None, Some(false))]));
    assert!(!test(Test::RegisteredManager, &[run.clone(), home("SC3", "", None, Some(false))]), "may be inside");
    assert!(!test(Test::RegisteredManager, std::slice::from_ref(&vacant)));
    assert!(test(Test::HomeInsideBoundary, &[vacant.clone(), run]));
    assert!(!test(Test::HomeInsideBoundary, &[vacant]));
}

fn document(amount: Option<i64>, issued_on: Option<&str>, expires_on: Option<&str>) -> EvidenceFacts {
    EvidenceFacts {
        code: "cert".to_owned(),
        amount: amount.map(Pence),
        issued_on: issued_on.map(day),
        expires_on: expires_on.map(day),
    }
}

#[test]
fn insurance_is_enough_cover_in_date() {
    let boundary = LocationBoundary::Everywhere;
    let test = |evidence: &[EvidenceFacts]| {
        let outcome = decide(Test::Insurance { minimum: Pence(500) }, &Facts { evidence, ..facts(&boundary) });
        assert_eq!(outcome.passed, outcome.valid_until.is_some());
        outcome.valid_until.map(|end| end.to_string())
    };
    let march_1 = Some("2019-03-01");
    assert_eq!(
        test(&[document(Some(500), None, march_1)]).as_deref(),
        Some("2019-03-02T00:00:00Z"),
        "its last day counts"
    );
    assert_eq!(test(&[document(Some(499), None, march_1)]), None);
    assert_eq!(test(&[document(Some(500), None, Some("2019-02-28"))]), None);
    assert_eq!(test(&[document(Some(500), march_1, None)]), None, "an insurance has an end");
    assert_eq!(test(&[document(None, None, march_1)]), None);
    let renewed = [document(Some(500), None, march_1), document(Some(900), None, Some("2019-06-30"))];
    assert_eq!(test(&renewed).as_deref(), Some("2019-06-30T23:00:00Z"));
}

#[test]
fn evidence_counts_until_its_expiry_or_for_the_months_given() {
    let boundary = LocationBoundary::Everywhere;
    let test = |validity_months, evidence: &[EvidenceFacts]| {
        let terms = Terms { validity_months, ..Terms::from(&version(Test::EvidenceInDate)) };
        let outcome = decide_by(&terms, &Facts { evidence, ..facts(&boundary) });
        (outcome.passed, outcome.valid_until.map(|end| end.to_string()))
    };
    assert_eq!(test(None, &[document(None, None, None)]), (true, None));
    assert_eq!(test(Some(6), &[document(None, None, None)]), (false, None));
    let august = document(None, Some("2018-10-31"), None);
    assert_eq!(test(Some(4), std::slice::from_ref(&august)), (false, None), "it ended on 28 February");
    assert_eq!(test(Some(6), &[august]), (true, Some("2019-04-29T23:00:00Z".to_owned())));
    let renewed = [document(None, None, Some("2019-01-01")), document(None, None, Some("2019-03-31"))];
    assert_eq!(test(None, &renewed), (true, Some("2019-03-31T23:00:00Z".to_owned())));
    let other = EvidenceFacts { code: "other".to_owned(), ..document(None, None, None) };
    assert_eq!(test(None, &[other]), (false, None));
}

mod stated;

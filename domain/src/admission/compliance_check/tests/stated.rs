//! What a provider states, and who confirms it.

use super::*;
use crate::provider::eligibility::StatedRating;

#[test]
fn what_a_provider_states_of_itself_passes_nothing_until_an_assessor_confirms_it() {
    let (boundary, a) = (LocationBoundary::Everywhere, declared("a", &[]));
    let enough = [document(Some(500), None, Some("2019-06-30"))];
    let managed = [home("SC9", "PR1", None, Some(true))];
    let facts = Facts { evidence: &enough, homes: &managed, ..facts(&boundary) };
    for test in [Test::Insurance { minimum: Pence(500) }, Test::EvidenceInDate, Test::RegisteredManager] {
        let check = open(test.clone());
        assert_eq!(codes(check.clone().assess(&facts, &Actor::clock(), now()).unwrap_err()), ["needs_assessor"]);
        let (passed, _) = check.record(pass(), Some(&facts), Some(&a), false, &assessor("a"), now()).unwrap();
        let result = passed.result().unwrap();
        assert_eq!((passed.state().name(), result.method), ("passed", Method::Manual));
        assert!(
            result
                .findings
                .iter()
                .all(|f| matches!(f, Finding::Fact { stated_by: StatedBy::Officer, holds: true, .. })),
            "{:?}",
            result.findings
        );
        // Where the requirement takes the provider's word, it is said whose it is.
        let own = Terms { self_assessable: true, ..Terms::from(&version(test)) };
        assert!(automatic(&own, &Facts { self_assessment: Some(false), ..facts }, now()).is_none());
        let outcome = automatic(&own, &Facts { self_assessment: Some(true), ..facts }, now()).unwrap();
        assert_eq!((outcome.passed, outcome.method), (true, Method::SelfAssessment));
        assert!(outcome.findings[0].explain().ends_with("(stated by the provider, not confirmed)"));
    }
    // What it states against itself counts, and nobody confirms what does not hold.
    let little = [document(Some(499), None, Some("2019-06-30"))];
    let facts = Facts { evidence: &little, ..facts };
    let check = open(Test::Insurance { minimum: Pence(500) });
    assert_eq!(check.clone().assess(&facts, &Actor::clock(), now()).unwrap().0.state().name(), "failed");
    let refused = check.record(pass(), Some(&facts), Some(&a), false, &assessor("a"), now()).unwrap_err();
    assert_eq!(codes(refused), ["decided_by_facts"]);
}

#[test]
fn a_confirmed_proof_counts_no_longer_than_it_lasts() {
    let (boundary, a) = (LocationBoundary::Everywhere, declared("a", &[]));
    let enough = [document(Some(500), None, Some("2019-06-30"))];
    let facts = Facts { evidence: &enough, ..facts(&boundary) };
    let until = |asked: Option<&str>| {
        let judgement = Judgement { valid_until: asked.map(at), ..pass() };
        let check = open(Test::Insurance { minimum: Pence(500) });
        let passed = check.record(judgement, Some(&facts), Some(&a), false, &assessor("a"), now()).unwrap().0;
        passed.result().unwrap().valid_until.map(|end| end.to_string())
    };
    assert_eq!(until(None).as_deref(), Some("2019-06-30T23:00:00Z"));
    assert_eq!(until(Some("2019-04-01T00:00:00Z")).as_deref(), Some("2019-04-01T00:00:00Z"));
    assert_eq!(until(Some("2030-01-01T00:00:00Z")).as_deref(), Some("2019-06-30T23:00:00Z"));
}

#[test]
fn a_stated_rating_is_missing_and_said_so() {
    let boundary = areas();
    let stated = StatedRating { rating: Some(Rating::Outstanding), inspected_on: day("2019-01-10") };
    let homes = [HomeFacts { stated: Some(stated), ..home("SC9", "PR1", None, None) }];
    let outcome = decide(Test::RatedHome { at_least: Rating::Good }, &Facts { homes: &homes, ..facts(&boundary) });
    assert!(!outcome.passed && outcome.explain().contains("nobody has confirmed"), "{}", outcome.explain());
}

#[test]
fn a_near_miss_of_a_name_fails_nobody() {
    let boundary = LocationBoundary::PostcodeAreas {
        postcode_areas: vec![],
        local_authorities: vec!["Southend-on-Sea".to_owned()],
    };
    let at = |authority: &str| {
        let mut home = home("SC9", "SS1", Some(Rating::Good), None);
        home.location.local_authority = Some(authority.to_owned());
        [home]
    };
    for test in [Test::HomeInsideBoundary, Test::RatedHome { at_least: Rating::Good }] {
        let terms = Terms::from(&version(test));
        let by = |homes: &[HomeFacts]| automatic(&terms, &Facts { homes, ..facts(&boundary) }, now()).map(|o| o.passed);
        assert_eq!(by(&at("Southend on Sea")), Some(true));
        assert_eq!(by(&at("Southend-on-See")), None, "an assessor looks");
        assert_eq!(by(&at("Oldham")), Some(false));
        let near = at("Southend-on-See");
        assert!(confirmable(&terms, &Facts { homes: &near, ..facts(&boundary) }, now()).unwrap().passed);
    }
}

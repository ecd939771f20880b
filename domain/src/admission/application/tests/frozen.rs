//! What a submission asks for, and what it keeps.

use super::*;
use crate::provider::StatedBy;
use crate::provider::{HomeFacts, Location, Postcode, Rating};

#[test]
fn an_arrangement_without_terms_asks_for_no_acceptance() {
    let (all, kept) = (lots(), snapshot());
    let facts = |terms| SubmitFacts {
        lots: LotFacts { all: &all, open: &all, held: &[] },
        asked: &[],
        terms,
        all_homes: AllHomes::Off,
        homes_inside: &[],
        snapshot: &kept,
        routing: open(),
    };
    let silent = start_with(None).unwrap().0.declare(Vec::new(), noon()).unwrap().0;
    let refused = silent.clone().submit(&facts(Some("2017-1")), None, &actor(), noon());
    assert_eq!(codes(refused), [("terms_not_accepted", "/termsAccepted".into())]);
    assert!(silent.submit(&facts(None), None, &actor(), noon()).is_ok());
}

#[test]
fn a_submission_keeps_what_it_is_judged_by() {
    let all = lots();
    let home = HomeFacts {
        id: HomeId(uuid(80)),
        urn: "SC1".to_owned(),
        rating: Some(Rating::RequiresImprovement),
        rated_by: None,
        stated: None,
        location: Location { postcode: Postcode::read("HD1").unwrap(), ..Location::default() },
        located_by: StatedBy::Provider,
        registered_manager: Some(true),
        listed_under: None,
    };
    let kept = Snapshot { homes: vec![home], ..snapshot() };
    let facts = SubmitFacts {
        lots: LotFacts { all: &all, open: &all, held: &[] },
        asked: &[],
        terms: None,
        all_homes: AllHomes::Off,
        homes_inside: &[],
        snapshot: &kept,
        routing: open(),
    };
    let app = start_with(None).unwrap().0.declare(Vec::new(), noon()).unwrap().0;
    let app = app.submit(&facts, None, &actor(), noon()).unwrap().0;
    let read: Application = serde_json::from_str(&serde_json::to_string(&app).unwrap()).unwrap();
    let begun = read.begin_evaluation(closes()).unwrap().0;
    assert_eq!(begun.evaluated_content().unwrap().snapshot.as_ref(), Some(&kept));
    // Requirements and ratings that come later reach a later version alone.
    let revised = app.revise(noon()).unwrap().0;
    let later = snapshot();
    let again = revised.submit(&SubmitFacts { snapshot: &later, ..facts }, None, &actor(), noon()).unwrap().0;
    let snapshots: Vec<_> = again.versions.iter().map(|version| version.snapshot.as_ref()).collect();
    assert_eq!(snapshots, [Some(&kept), Some(&later)]);
}

#[test]
fn homes_are_the_providers_and_all_of_them_where_the_policy_requires_it() {
    let home = |n| HomeId(uuid(n));
    let refused = draft().set_homes(vec![home(1), home(9)], &[home(1), home(2)], noon());
    assert_eq!(codes(refused), [("home_unknown", "/homes/1".into())]);
    let app = draft().set_homes(vec![home(1)], &[home(1), home(2)], noon()).unwrap().0;
    let (all, inside, kept) = (lots(), [home(1), home(2)], snapshot());
    let facts = |all_homes| SubmitFacts {
        lots: LotFacts { all: &all, open: &all, held: &[] },
        asked: &[],
        terms: Some("2017-1"),
        all_homes,
        homes_inside: &inside,
        snapshot: &kept,
        routing: open(),
    };
    let refused = app.clone().submit(&facts(AllHomes::Require), None, &actor(), noon());
    assert_eq!(codes(refused), [("homes_omitted", "/homes".into())]);
    assert!(app.clone().submit(&facts(AllHomes::Warn), None, &actor(), noon()).is_ok());
    assert!(app.submit(&facts(AllHomes::Off), None, &actor(), noon()).is_ok());
}

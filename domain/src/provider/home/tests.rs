use std::fmt::Write;

use super::*;
use crate::kernel::{Named, Refusal};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn now() -> Instant {
    "2019-03-01T12:00:00Z".parse().unwrap()
}

fn profile() -> HomeProfile {
    serde_json::from_str(r#"{"name": "Oak", "kind": "childrens_home", "postcode": "hd12ab"}"#).unwrap()
}

fn registration(on: &str) -> Registration {
    Registration { urn: "sc009423".to_owned(), registered_on: day(on) }
}

fn ids() -> (HomeId, ProviderId) {
    (HomeId(uuid::Uuid::nil()), ProviderId(uuid::Uuid::nil()))
}

fn home() -> Home {
    Home::add(ids().0, ids().1, profile(), registration("2015-01-01"), now()).unwrap().0
}

fn rating(rating: Option<Rating>, inspected: &str, published: Option<&str>) -> RatingFacts {
    let published_on = published.map(day);
    RatingFacts { rating, inspected_on: day(inspected), published_on, source: "ofsted".to_owned() }
}

fn rate(home: Home, facts: RatingFacts) -> Decision<Home> {
    home.record_rating(facts, &Actor::clock(), now())
}

fn codes(refusal: Refusal) -> Vec<&'static str> {
    match refusal {
        Refusal::WrongState { .. } => vec!["wrong_state"],
        Refusal::Rules(broken) => broken.into_iter().map(|v| v.rule.code).collect(),
    }
}

/// From and to of the change of rating, if there was one.
fn change(events: &[HomeEvent]) -> Option<(Option<Rating>, Option<Rating>)> {
    events
        .iter()
        .find_map(|e| if let HomeEvent::RatingChanged { from, to, .. } = e { Some((*from, *to)) } else { None })
}

const GOOD: Option<Rating> = Some(Rating::Good);
const INADEQUATE: Option<Rating> = Some(Rating::Inadequate);

type Command = fn(Home) -> Decision<Home>;

#[test]
fn the_table() {
    let proposed = Home::propose(ids().0, ids().1, profile(), None, now()).unwrap().0;
    let never_opened = proposed.clone().close(day("2019-02-01"), "no planning consent", now()).unwrap().0;
    let closed = home().close(day("2019-02-01"), "sold", now()).unwrap().0;
    let commands: [(&str, Command); 4] = [
        ("amend", |h| h.amend(HomeProfile { beds: Some(4), ..profile() }, now())),
        ("register", |h| h.register(registration("2019-02-01"), now())),
        ("record_rating", |h| rate(h, rating(GOOD, "2018-01-01", None))),
        ("close", |h| h.close(day("2019-02-28"), "sold", now())),
    ];
    let mut table = String::new();
    for (name, home) in
        [("proposed", proposed), ("registered", home()), ("closed", closed), ("never opened", never_opened)]
    {
        let json = serde_json::to_string(&home).unwrap();
        assert_eq!(serde_json::from_str::<Home>(&json).unwrap(), home);
        for (command_name, command) in commands {
            let outcome = match command(home.clone()) {
                Ok((next, events)) => format!("-> {} {}", next.state().name(), serde_json::to_string(&events).unwrap()),
                Err(refusal) => codes(refusal).join(", "),
            };
            writeln!(table, "{name:<12} {command_name:<13} {outcome}").unwrap();
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_withheld_postcode_is_none_and_nothing_is_assumed() {
    let read = |postcode| {
        serde_json::from_value::<HomeProfile>(serde_json::json!(
            {"name": "Oak", "kind": {"other": "barge"}, "postcode": postcode}))
    };
    assert_eq!(read("REDACTED").unwrap().postcode, None);
    assert!(read("nowhere").is_err());
    let profile = profile();
    assert_eq!(profile.postcode.as_ref().map(Postcode::as_str), Some("HD1 2AB"));
    assert_eq!((profile.dual_registration, profile.beds, profile.registered_manager), (None, None, None));
}

#[test]
fn the_rating_on_a_date_is_the_latest_published_by_then() {
    let home = rate(home(), rating(GOOD, "2017-05-01", Some("2017-06-10"))).unwrap().0;
    let home = rate(home, rating(INADEQUATE, "2018-05-01", Some("2018-06-10"))).unwrap().0;
    for (date, held) in [("2017-06-09", None), ("2017-06-10", GOOD), ("2018-06-09", GOOD), ("2018-06-10", INADEQUATE)] {
        assert_eq!(home.rating_on(day(date)), held, "{date}");
    }
    assert_eq!(home.current_rating(now()), INADEQUATE);
}

#[test]
fn the_current_rating_changes_only_by_a_later_inspection_or_its_correction() {
    let (home, events) = rate(home(), rating(GOOD, "2018-05-01", None)).unwrap();
    assert_eq!(change(&events), Some((None, GOOD)));
    // An older inspection may arrive late; it changes the past only.
    let (home, events) = rate(home, rating(INADEQUATE, "2016-05-01", None)).unwrap();
    assert_eq!((change(&events), home.rating_on(day("2017-01-01"))), (None, INADEQUATE));
    let (home, events) = rate(home, rating(GOOD, "2019-01-10", None)).unwrap();
    assert_eq!(change(&events), None, "good again");
    let (home, events) = rate(home, rating(INADEQUATE, "2019-01-10", None)).unwrap();
    assert!(matches!(
        &events[..],
        [HomeEvent::RatingRecorded { correction: true, .. }, HomeEvent::RatingChanged { .. }]
    ));
    assert_eq!((change(&events), home.ratings.len()), (Some((GOOD, INADEQUATE)), 4));
    let (home, events) = rate(home, rating(None, "2019-02-10", None)).unwrap();
    assert_eq!(change(&events), Some((INADEQUATE, None)));
    assert_eq!(codes(rate(home, rating(None, "2019-02-10", None)).unwrap_err()), ["rating_already_recorded"]);
}

#[test]
fn a_rating_lies_in_the_past_and_names_its_source() {
    let facts = RatingFacts { source: " ".to_owned(), ..rating(GOOD, "2019-03-02", Some("2019-02-28")) };
    assert_eq!(codes(rate(home(), facts).unwrap_err()), ["date_in_future", "dates_reversed", "rating_source_required"]);
    assert!(rate(home(), rating(GOOD, "2019-03-01", Some("2019-03-01"))).is_ok(), "today is past enough");
}

#[test]
fn only_a_home_registered_that_day_has_facts() {
    let closed = home().close(day("2019-02-01"), "sold", now()).unwrap().0;
    for (date, there) in [("2014-12-31", false), ("2015-01-01", true), ("2019-01-31", true), ("2019-02-01", false)] {
        assert_eq!(closed.facts(day(date), None).is_some(), there, "{date}");
    }
    let proposed = Home::propose(ids().0, ids().1, profile(), None, now()).unwrap().0;
    assert_eq!(proposed.facts(day("2019-02-01"), None), None);
    let manager = |registered_manager| {
        let profile = HomeProfile { registered_manager, ..profile() };
        let home = home().amend(profile, now()).unwrap().0;
        home.facts(day("2019-02-01"), None).unwrap().registered_manager
    };
    assert_eq!(manager(None), None);
    assert_eq!(manager(Some(RegisteredManager::Vacant)), Some(false));
    assert_eq!(manager(Some(RegisteredManager::Filled { since: None })), Some(true));
}

#[test]
fn a_home_tells_everything_that_is_wrong() {
    let wrong = HomeProfile {
        name: " ".to_owned(),
        beds: Some(0),
        registered_manager: Some(RegisteredManager::Filled { since: Some(day("2019-03-02")) }),
        ..profile()
    };
    let bad = Registration { urn: "!".to_owned(), registered_on: day("2019-03-02") };
    let refused = Home::add(ids().0, ids().1, wrong, bad, now()).unwrap_err();
    let expected =
        ["home_name_required", "beds_out_of_range", "date_in_future", "regulator_id_malformed", "date_in_future"];
    assert_eq!(codes(refused), expected);
    let early = home().close(day("2014-01-01"), "", now()).unwrap_err();
    assert_eq!(codes(early), ["reason_required", "dates_reversed"]);
}

#[test]
fn a_suspended_registration_is_told_once_and_so_is_its_end() {
    let (suspended, events) = home().record_registration_status(true, now()).unwrap();
    assert!(matches!(events.as_slice(), [HomeEvent::HomeRegistrationSuspended { urn, .. }] if urn == "SC009423"));
    let (same, none) = suspended.record_registration_status(true, now()).unwrap();
    assert!(none.is_empty() && same.registration_suspended_at == Some(now()));
    let (restored, events) = same.record_registration_status(false, now()).unwrap();
    assert!(matches!(events.as_slice(), [HomeEvent::HomeRegistrationRestored { .. }]));
    assert!(restored.record_registration_status(false, now()).unwrap().1.is_empty());
    let proposed = Home::propose(ids().0, ids().1, profile(), None, now()).unwrap().0;
    assert!(matches!(proposed.record_registration_status(true, now()), Err(Refusal::WrongState { .. })));
}

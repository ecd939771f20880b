use std::fmt::Write;

use super::*;
use crate::kernel::{Actor, Named, Refusal, Role};

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
    RatingFacts {
        rating,
        inspected_on: day(inspected),
        published_on,
        source: "ofsted".to_owned(),
        reason: Some("the report".to_owned()),
    }
}

fn officer() -> Actor {
    Actor { subject: "officer".to_owned(), role: Role::LeadAgency, authority: None, provider: None }
}

fn provider() -> Actor {
    Actor { subject: "own".to_owned(), role: Role::Provider, authority: None, provider: Some(ids().1) }
}

fn buyer(n: u128) -> ProviderId {
    ProviderId(uuid::Uuid::from_u128(n))
}

fn sold(to: u128, on: &str) -> Transfer {
    Transfer { to: buyer(to), on: day(on), reason: "sold".to_owned() }
}

fn mistyped(urn: &str) -> HomeCorrection {
    HomeCorrection { urn: Some(urn.to_owned()), registered_on: None, reason: "mistyped".to_owned() }
}

fn rate(home: Home, facts: RatingFacts) -> Decision<Home> {
    home.record_rating(facts, &officer(), now())
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
    let commands: [(&str, Command); 8] = [
        ("amend", |h| h.amend(HomeProfile { beds: Some(4), ..profile() }, now())),
        ("register", |h| h.register(registration("2019-02-01"), now())),
        ("record_rating", |h| rate(h, rating(GOOD, "2018-01-01", None))),
        ("close", |h| h.close(day("2019-02-28"), "sold", now())),
        ("offer_transfer", |h| h.offer_transfer(sold(2, "2019-02-15"), now())),
        ("transfer", |h| h.transfer(sold(2, "2019-02-15"), now())),
        ("correct", |h| h.correct(mistyped("SC009424"), &officer(), now())),
        ("reopen", |h| h.reopen("closed by mistake", &officer())),
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
            writeln!(table, "{name:<12} {command_name:<14} {outcome}").unwrap();
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
        assert_eq!(closed.facts(day(date), |_| None).is_some(), there, "{date}");
    }
    let proposed = Home::propose(ids().0, ids().1, profile(), None, now()).unwrap().0;
    assert_eq!(proposed.facts(day("2019-02-01"), |_| None), None);
    let manager = |registered_manager| {
        let profile = HomeProfile { registered_manager, ..profile() };
        let home = home().amend(profile, now()).unwrap().0;
        home.facts(day("2019-02-01"), |_| None).unwrap().registered_manager
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

fn says(facts: &[RatingFacts]) -> Said {
    Said { inspections: facts.to_vec(), whole: true, ..Said::default() }
}

fn release(home: Home, said: Said) -> (Home, Vec<HomeEvent>) {
    home.released(said, &["Fens Care Ltd".to_owned()], &officer(), now()).unwrap()
}

#[test]
fn what_a_provider_says_is_stated_and_held_when_another_confirms_it() {
    let own = |home: Home, facts| home.record_rating(RatingFacts { reason: None, ..facts }, &provider(), now());
    let (home, events) = own(home(), rating(Some(Rating::Outstanding), "2018-05-01", None)).unwrap();
    assert_eq!((change(&events), home.rating_on(day("2019-01-01"))), (None, None));
    assert_eq!(home.stated_on(day("2019-01-01")).unwrap().rating, Some(Rating::Outstanding));
    // The regulator says otherwise of the same inspection, and goes on to: the provider's word is over.
    let (home, events) = release(home, says(&[rating(INADEQUATE, "2018-05-01", None)]));
    assert_eq!(change(&events), Some((None, INADEQUATE)));
    assert_eq!(home.held_on(day("2019-01-01")).unwrap().stated_by, StatedBy::Regulator);
    let (home, events) = own(home, rating(Some(Rating::Outstanding), "2018-05-01", None)).unwrap();
    assert_eq!((change(&events), home.current_rating(now())), (None, INADEQUATE));
    assert_eq!(home.stated_on(day("2019-01-01")), None);
    // An officer corrects it, with a reason; what the release repeats does not undo that, what it says anew does.
    let bare = RatingFacts { reason: None, ..rating(GOOD, "2018-05-01", None) };
    assert_eq!(codes(rate(home.clone(), bare).unwrap_err()), ["reason_required"]);
    let (home, events) = rate(home, rating(GOOD, "2018-05-01", None)).unwrap();
    assert_eq!(change(&events), Some((INADEQUATE, GOOD)));
    let (home, events) = release(home, says(&[rating(INADEQUATE, "2018-05-01", None)]));
    assert_eq!((events, home.current_rating(now())), (vec![], GOOD));
    let (home, _) = release(home, says(&[rating(Some(Rating::Outstanding), "2018-05-01", None)]));
    assert_eq!(home.current_rating(now()), Some(Rating::Outstanding));
}

#[test]
fn an_officer_confirms_what_the_provider_says() {
    let facts = RatingFacts { reason: None, ..rating(GOOD, "2018-05-01", None) };
    let home = home().record_rating(facts, &provider(), now()).unwrap().0;
    let (home, events) = rate(home, rating(GOOD, "2018-05-01", None)).unwrap();
    assert_eq!((change(&events), home.ratings.len()), (Some((None, GOOD)), 2));
    assert_eq!(codes(rate(home, rating(GOOD, "2018-05-01", None)).unwrap_err()), ["rating_already_recorded"]);
}

#[test]
fn the_latest_release_holds_also_when_it_goes_back_and_when_it_is_blank() {
    let mut home = home();
    for (held, changed) in [(GOOD, true), (INADEQUATE, true), (GOOD, true), (GOOD, false)] {
        let (next, events) = release(home, says(&[rating(held, "2019-02-01", None)]));
        assert_eq!((next.current_rating(now()), change(&events).is_some()), (held, changed));
        home = next;
    }
    let (blank, events) = release(home.clone(), says(&[]));
    assert_eq!((blank.current_rating(now()), change(&events)), (None, Some((GOOD, None))));
    assert_eq!(release(blank.clone(), says(&[])).1, vec![], "blank again says nothing new");
    assert_eq!(release(blank, says(&[rating(GOOD, "2019-02-01", None)])).0.current_rating(now()), GOOD);
    // A list without judgements says nothing of them.
    assert_eq!(release(home, Said { whole: false, ..says(&[]) }).0.current_rating(now()), GOOD);
}

#[test]
fn an_older_release_adds_inspections_and_changes_none() {
    let dated = |on: &str, facts: &[RatingFacts]| Said { as_at: Some(day(on)), ..says(facts) };
    let (home, _) = release(home(), dated("2019-02-28", &[rating(GOOD, "2019-02-01", None)]));
    let older = [rating(INADEQUATE, "2018-02-01", None)];
    let (home, events) = release(home, dated("2018-03-31", &older));
    assert_eq!((home.current_rating(now()), home.rating_on(day("2018-06-01"))), (GOOD, INADEQUATE));
    assert!(matches!(&events[..], [HomeEvent::RatingRecorded { .. }]), "{events:?}");
    let (home, events) = release(home, says(&older));
    assert_eq!((home.current_rating(now()), events), (GOOD, vec![]), "a list without a day takes nothing back");
    let (back, _) = release(home.clone(), dated("2019-03-01", &older));
    assert_eq!(back.current_rating(now()), INADEQUATE, "a later one goes back to the inspection before");
    let (home, events) = release(home, dated("2018-03-31", &[rating(None, "2019-02-01", None)]));
    assert_eq!((home.current_rating(now()), events), (GOOD, vec![]));
}

#[test]
fn a_rename_is_told_from_a_sale() {
    let owned = |name: &str, number: Option<&str>| {
        let owner = RegisterOwner { name: name.to_owned(), number: number.map(str::to_owned) };
        Said { listing: Listing { owner: Some(owner), ..Listing::default() }, ..Said::default() }
    };
    let reading = |from: (&str, Option<&str>), to: (&str, Option<&str>)| {
        let (home, _) = release(home(), owned(from.0, from.1));
        let (home, events) = release(home, owned(to.0, to.1));
        assert_eq!(home.provider, ids().1, "it stays where it is");
        events
            .iter()
            .find_map(|e| if let HomeEvent::HomeOwnerChanged { reading, .. } = e { Some(*reading) } else { None })
    };
    assert_eq!(reading(("Fens Care Ltd", None), ("FENS CARE LIMITED", None)), None, "the same, spelt otherwise");
    assert_eq!(reading(("Fens Ltd", Some("7")), ("Fens Group Ltd", Some("7"))), Some(OwnerReading::Rename));
    assert_eq!(reading(("Fens Ltd", Some("7")), ("Wash Ltd", Some("8"))), Some(OwnerReading::Sale));
    assert_eq!(
        reading(("Old Fens Ltd", None), ("Fens Care Ltd", None)),
        Some(OwnerReading::Rename),
        "the provider's name"
    );
    assert_eq!(reading(("Fens Care Ltd", None), ("Wash Ltd", None)), Some(OwnerReading::Unclear));
    let (home, _) = release(home(), owned("Wash Ltd", None));
    assert_eq!(home.listed_under_another(&["Fens Care Ltd".to_owned()]), Some("Wash Ltd"));
    assert_eq!(home.listed_under_another(&["WASH limited".to_owned()]), None);
}

#[test]
fn where_a_home_stands_the_release_says() {
    let listing = Listing {
        kind: Some(HomeKind::ShortBreakHome),
        local_authority: Some("Leeds".to_owned()),
        ..Listing::default()
    };
    let stated = HomeProfile { local_authority: Some("Kirklees".to_owned()), ..profile() };
    let home = home().amend(stated, now()).unwrap().0;
    let facts = |home: &Home| home.facts(day("2019-02-01"), |_| None).unwrap();
    assert_eq!(facts(&home).located_by, StatedBy::Provider);
    assert_eq!(home.kind(), (&HomeKind::ChildrensHome, StatedBy::Provider));
    let (home, _) = release(home, Said { listing, ..Said::default() });
    let found = facts(&home);
    assert_eq!((found.location.local_authority.as_deref(), found.located_by), (Some("Leeds"), StatedBy::Regulator));
    assert_eq!(found.location.postcode, None, "a postcode of another authority does not count");
    assert_eq!(home.kind(), (&HomeKind::ShortBreakHome, StatedBy::Regulator));
}

#[test]
fn a_home_is_sold_with_its_ratings_from_a_day() {
    let home = rate(home(), rating(GOOD, "2018-05-01", None)).unwrap().0;
    let (offered, events) = home.clone().offer_transfer(sold(2, "2019-02-15"), now()).unwrap();
    assert!(matches!(&events[..], [HomeEvent::HomeTransferOffered { .. }]));
    assert_eq!(offered.provider, ids().1, "until the buyer accepts");
    assert_eq!(offered.clone().offer_transfer(sold(2, "2019-02-15"), now()).unwrap().1, []);
    let (moved, events) = offered.clone().accept_transfer().unwrap();
    assert!(
        matches!(&events[..], [HomeEvent::HomeTransferred { from, to, .. }] if *from == ids().1 && *to == buyer(2))
    );
    assert_eq!((moved.provider, moved.about().provider), (buyer(2), Some(buyer(2))));
    assert_eq!([moved.owner_on(day("2019-02-14")), moved.owner_on(day("2019-02-15"))], [ids().1, buyer(2)]);
    assert_eq!((moved.current_rating(now()), moved.urn()), (GOOD, Some("SC009423")));
    assert_eq!(moved.transfer(sold(3, "2019-02-01"), now()).map_err(codes).unwrap_err(), ["dates_reversed"]);
    let ended = offered.end_transfer("not paid").unwrap().0;
    assert_eq!((ended.provider, ended.transfer.clone()), (ids().1, None));
    assert_eq!(codes(ended.accept_transfer().unwrap_err()), ["transfer_not_offered"]);
    let own = Transfer { to: ids().1, on: day("2019-03-02"), reason: " ".to_owned() };
    assert_eq!(codes(home.transfer(own, now()).unwrap_err()), ["transfer_empty", "date_in_future", "reason_required"]);
}

#[test]
fn a_number_is_put_right_and_what_was_listed_under_another_does_not_count() {
    let (home, _) = release(home(), says(&[rating(GOOD, "2018-05-01", None)]));
    assert_eq!(home.clone().correct(mistyped("sc 009423"), &officer(), now()).unwrap().1, []);
    let (right, events) = home.correct(mistyped("SC009432"), &officer(), now()).unwrap();
    assert!(matches!(&events[..], [HomeEvent::HomeCorrected { .. }]));
    assert_eq!((right.urn(), right.current_rating(now()), right.listed.clone()), (Some("SC009432"), None, None));
    assert_eq!(codes(right.correct(mistyped("TBC"), &officer(), now()).unwrap_err()), ["regulator_id_malformed"]);
}

#[test]
fn a_home_that_was_closed_by_mistake_is_open_as_if_it_had_not_been() {
    let closed = home().close(day("2019-02-01"), "wrong home", now()).unwrap().0;
    assert!(closed.facts(day("2019-02-10"), |_| None).is_none());
    assert_eq!(codes(closed.clone().reopen(" ", &officer()).unwrap_err()), ["reason_required"]);
    let open = closed.reopen("the other one closed", &officer()).unwrap().0;
    assert_eq!(open.state().name(), "registered");
    assert!(open.facts(day("2019-02-10"), |_| None).is_some());
}

#[test]
fn a_change_says_what_was_and_what_is() {
    let (_, events) = home().amend(HomeProfile { beds: Some(4), ..profile() }, now()).unwrap();
    let json = serde_json::to_value(&events[0]).unwrap();
    assert_eq!(
        (&json["before"], &json["after"]),
        (&serde_json::json!({"beds": null}), &serde_json::json!({"beds": 4}))
    );
}

#[test]
fn a_provider_does_not_shed_what_the_regulator_said() {
    let said = Said { suspended: Some(true), ..says(&[]) };
    let (home, _) = home().released(said, &[], &officer(), now()).unwrap();
    let refused = home.clone().correct(mistyped("SC009432"), &provider(), now()).unwrap_err();
    assert_eq!(codes(refused), ["officer_puts_right"]);
    let closed = home.clone().close(day("2019-01-01"), "sold", now()).unwrap().0;
    assert_eq!(codes(closed.reopen("it was not", &provider()).unwrap_err()), ["officer_puts_right"]);
    // What was said under the other number is of another home, its suspension too.
    let (right, _) = home.correct(mistyped("SC009432"), &officer(), now()).unwrap();
    assert_eq!((right.listed, right.registration_suspended_at), (None, None));
}

#[test]
fn an_older_release_changes_nothing_and_one_without_a_day_makes_none_older() {
    let of = |as_at: Option<&str>, suspended: bool| Said {
        as_at: as_at.map(day),
        suspended: Some(suspended),
        listing: Listing { local_authority: Some("Kirklees".to_owned()), ..Listing::default() },
        ..Said::default()
    };
    let told = |home: Home, said: Said| home.released(said, &[], &officer(), now()).unwrap();
    let (home, _) = told(home(), of(None, true));
    let (home, events) = told(home, of(Some("2018-03-31"), false));
    assert!(events.iter().any(|event| matches!(event, HomeEvent::HomeRegistrationRestored { .. })), "{events:?}");
    let (home, events) = told(home, of(Some("2017-08-31"), true));
    assert_eq!((events, home.registration_suspended_at), (vec![], None));
    // Nor does one without a day hide that of the last one that has it.
    let (home, _) = told(home, of(None, false));
    assert_eq!(home.listed.map(|listed| (listed.on, listed.dated)), Some((day("2018-03-31"), true)));
}

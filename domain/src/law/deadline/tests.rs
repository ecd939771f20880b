use std::fmt::Write as _;

use super::*;
use crate::arrangement::Regime::{Pa23LightTouch, Pa23Market, Pcr34, PcrLightTouch};
use crate::arrangement::policy::Division::{EnglandAndWales, Scotland};
use crate::law::rule_sets;

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn clock(clock: LegalClock, start: &str) -> Deadline {
    let regime = Some(PcrLightTouch);
    by_policy(&Policies { regime, no_fault_notice_months: Some(12), ..Policies::default() }, clock, at(start)).unwrap()
}

fn codes(refusal: Refusal) -> Vec<&'static str> {
    match refusal {
        Refusal::Rules(broken) => broken.into_iter().map(|v| v.rule.code).collect(),
        Refusal::WrongState { .. } => vec![],
    }
}

/// Every clock of every regime from one start over Easter and the change of clocks; given lengths are 6.
#[test]
fn golden_every_clock_of_every_regime() {
    let start = at("2026-03-27T10:00:00Z");
    let mut table = String::new();
    for set in rule_sets() {
        for rule in set.rules.iter().filter(|rule| rule.timing.is_some()) {
            let fixed = rule.timing.unwrap().count.is_some();
            let d = if fixed {
                statutory(set.regime, EnglandAndWales, rule.id, start)
            } else {
                given(set.regime, EnglandAndWales, rule.id, 6, start)
            }
            .unwrap();
            let Deadline { bound, count, unit, start_event, due, verify, .. } = &d;
            let mark = if *verify { " verify" } else { "" };
            writeln!(
                table,
                "{:<19} {:<9} {bound:?} {count} {unit:?} from {start_event:?} -> {due}{mark}",
                set.version, d.rule
            )
            .unwrap();
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn golden_explanations() {
    let explained = [
        statutory(Pcr34, EnglandAndWales, "PCR34-16", at("2026-12-21T09:30:00Z")).unwrap(),
        statutory(Pa23Market, Scotland, "PA59", at("2026-10-20T09:00:00Z")).unwrap(),
        statutory(Pcr34, Scotland, "PCR34-25", at("2028-12-29T09:00:00Z")).unwrap(),
        clock(LegalClock::FirstRound, "2019-03-15T00:00:00Z"),
        clock(LegalClock::Suspension, "2019-08-31T11:00:00Z"),
    ];
    insta::assert_snapshot!(explained.map(|d| d.explanation).join("\n\n"));
}

#[test]
fn ac_01_thirty_days_from_go_live() {
    assert_eq!(clock(LegalClock::FirstRound, "2019-01-04T00:00:00Z").due, at("2019-02-03T00:00:00Z"));
}

#[test]
fn ac_02_thirty_days_across_the_clock_change() {
    assert_eq!(clock(LegalClock::FirstRound, "2019-03-15T00:00:00Z").due, at("2019-04-13T23:00:00Z"));
}

#[test]
fn ac_12_a_suspension_from_the_31st_of_august() {
    assert_eq!(clock(LegalClock::Suspension, "2019-08-31T09:00:00Z").due.date().to_string(), "2020-02-29");
    assert_eq!(clock(LegalClock::Suspension, "2018-08-31T09:00:00Z").due.date().to_string(), "2019-02-28");
}

#[test]
fn ac_18_the_term_ends_the_day_before() {
    let term = clock(LegalClock::Term, "2019-03-31T23:00:00Z");
    assert_eq!(term.last_day().to_string(), "2029-03-31");
    assert_eq!(term.due, at("2029-03-31T23:00:00Z"));
}

#[test]
fn ac_64_a_year_of_notice() {
    let ends = |given| clock(LegalClock::NoFaultNotice, given).due.date().to_string();
    assert_eq!(ends("2014-08-01T09:00:00Z"), "2015-08-01");
    assert_eq!(ends("2016-02-29T09:00:00Z"), "2017-02-28");
    let none = by_policy(&Policies::default(), LegalClock::NoFaultNotice, at("2014-08-01T09:00:00Z"));
    assert_eq!(codes(none.unwrap_err()), ["no_such_clock"]);
}

#[test]
fn in_time_is_half_open_on_both_sides() {
    let within = statutory(Pcr34, EnglandAndWales, "PCR34-16", at("2026-11-02T09:00:00Z")).unwrap();
    assert_eq!(within.due, at("2026-11-17T00:00:00Z"));
    assert!(within.in_time(at("2026-11-16T23:59:59.999999Z")) && !within.in_time(within.due));
    assert_eq!(within.last_day().to_string(), "2026-11-16");
    let at_least = statutory(Pcr34, EnglandAndWales, "PCR34-9", at("2026-11-02T09:00:00Z")).unwrap();
    assert!(!at_least.in_time(at("2026-12-02T08:59:59.999999Z")) && at_least.in_time(at("2026-12-02T09:00:00Z")));
}

#[test]
fn the_contract_details_notice_has_four_times_as_long_under_light_touch() {
    let due = |regime| statutory(regime, EnglandAndWales, "PA53", at("2026-01-05T12:00:00Z")).unwrap().due;
    assert_eq!(due(Pa23Market), at("2026-02-04T12:00:00Z"));
    assert_eq!(due(Pa23LightTouch), at("2026-05-05T11:00:00Z"));
}

#[test]
fn beyond_the_calendar_is_visible() {
    let last = |start, rule| statutory(Pcr34, EnglandAndWales, rule, at(start)).unwrap();
    assert!(last("2028-12-15T09:00:00Z", "PCR34-25").calendar_covers);
    // 22 December 2028 + 5 working days is 2 January 2029, whose holidays are not known
    let beyond = last("2028-12-22T09:00:00Z", "PCR34-25");
    assert!(!beyond.calendar_covers && beyond.explanation.contains("not known"));
    assert!(!last("2011-12-20T09:00:00Z", "PCR34-16").calendar_covers);
    // calendar days need no bank holidays
    assert!(last("2030-01-01T09:00:00Z", "PCR34-9").calendar_covers);
}

#[test]
fn a_clock_that_is_not_there_is_refused() {
    let start = at("2026-01-05T12:00:00Z");
    let refused = |regime, rule, count: Option<u32>| match count {
        Some(count) => given(regime, EnglandAndWales, rule, count, start).unwrap_err(),
        None => statutory(regime, EnglandAndWales, rule, start).unwrap_err(),
    };
    for refusal in [
        refused(PcrLightTouch, "PCR34-16", None),
        refused(Pcr34, "PCR34-6", None),
        refused(Pcr34, "PCR34-18", None),
        refused(Pcr34, "PCR34-16", Some(20)),
        refused(Pcr34, "PCR34-6", Some(20)),
    ] {
        assert_eq!(codes(refusal), ["no_such_clock"]);
    }
    assert_eq!(given(Pcr34, EnglandAndWales, "PCR34-18", 20, start).unwrap().count, 20);
}

#[test]
fn a_period_that_leaves_the_calendar_of_the_world_is_refused() {
    let run = |count| given(Pcr34, Scotland, "PCR34-18", count, at("2026-01-05T12:00:00Z"));
    assert!(!run(36_525).unwrap().calendar_covers);
    assert_eq!(codes(run(u32::MAX).unwrap_err()), ["period_too_long"]);
}

#[test]
fn an_evaluation_is_extended_before_day_ten_with_a_justification() {
    let received = at("2026-11-02T09:00:00Z");
    let extend = |justification, now| extend_evaluation(Pcr34, EnglandAndWales, received, justification, at(now));
    let longer = extend("accounts awaited", "2026-11-15T23:59:59Z").unwrap();
    assert_eq!((longer.rule.as_str(), longer.due), ("PCR34-17", at("2026-11-24T00:00:00Z")));
    assert_eq!(
        codes(extend(" ", "2026-11-16T00:00:00Z").unwrap_err()),
        ["reason_required", "evaluation_extension_too_late"]
    );
    let light = extend_evaluation(PcrLightTouch, EnglandAndWales, received, "x", received);
    assert_eq!(codes(light.unwrap_err()), ["no_such_clock"]);
}

#[test]
fn every_policy_clock_runs_under_every_regime() {
    for regime in [PcrLightTouch, Pcr34, Pa23Market, Pa23LightTouch] {
        let policies = Policies { regime: Some(regime), no_fault_notice_months: Some(12), ..Policies::default() };
        for clock in [
            LegalClock::FirstRound,
            LegalClock::LaterRound,
            LegalClock::NextRound,
            LegalClock::Evaluation,
            LegalClock::Term,
            LegalClock::Suspension,
            LegalClock::LongestSuspension,
            LegalClock::RemovalNotice,
            LegalClock::NoFaultNotice,
        ] {
            assert!(by_policy(&policies, clock, at("2026-01-05T12:00:00Z")).is_ok(), "{regime:?} {clock:?}");
        }
    }
    assert!(given(Pcr34, Scotland, LegalClock::Improvement.rule(), 14, at("2026-01-05T12:00:00Z")).is_ok());
}

#[test]
fn a_deadline_survives_the_store() {
    let d = clock(LegalClock::RemovalNotice, "2026-01-05T12:00:00Z");
    let json = serde_json::to_value(&d).unwrap();
    assert_eq!(json["ruleSetVersion"], "pcr_light_touch/1");
    assert_eq!(json["calendarCovers"], true);
    assert_eq!(serde_json::from_value::<Deadline>(json).unwrap(), d);
}

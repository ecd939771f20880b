use std::fmt::Write as _;

use super::*;
use crate::arrangement::Regime::{Pa23LightTouch, Pa23Market, Pcr34, PcrLightTouch};

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn declared(code: &str, occurred_on: &str) -> DeclaredGround {
    DeclaredGround {
        code: code.to_owned(),
        occurred_on: occurred_on.parse().unwrap(),
        debarred: false,
        self_cleaning: None,
    }
}

fn one(ground: DeclaredGround, regime: Regime, now: &str) -> Finding {
    applies(&[ground], regime, at(now)).unwrap().remove(0)
}

#[test]
fn golden_grounds() {
    let mut table = String::new();
    for regime in [Pcr34, Pa23Market] {
        for g in grounds(regime) {
            let Ground { code, kind, look_back_years, removal, verify, rule, .. } = g;
            let mark = if *verify { " verify" } else { "" };
            writeln!(table, "{rule:<5} {code:<34} {kind:?} {look_back_years}y {removal:?}{mark}").unwrap();
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn codes_are_unique_and_light_touch_uses_the_grounds_of_its_statute() {
    for regime in [PcrLightTouch, Pcr34, Pa23Market, Pa23LightTouch] {
        let mut codes: Vec<_> = grounds(regime).iter().map(|g| g.code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), grounds(regime).len());
        assert!(grounds(regime).iter().all(|g| crate::law::rule_set(regime).rule(g.rule).is_some()));
    }
    assert_eq!(grounds(PcrLightTouch), grounds(Pcr34));
}

#[test]
fn a_mandatory_ground_counts_five_years_and_a_discretionary_one_three() {
    for (code, last, first_over) in [
        ("fraud", "2026-06-09T22:59:59.999999Z", "2026-06-09T23:00:00Z"),
        ("poor_performance", "2024-06-09T22:59:59.999999Z", "2024-06-09T23:00:00Z"),
    ] {
        let ground = declared(code, "2021-06-10");
        assert_eq!(one(ground.clone(), Pcr34, last).effect, Effect::Applies);
        let over = one(ground, Pcr34, first_over);
        assert_eq!(over.effect, Effect::LookBackOver);
        assert_eq!((over.look_back_ends, over.admission, over.removal), (at(first_over), None, None));
    }
}

#[test]
fn look_back_from_a_leap_day_clamps() {
    let ends = one(declared("fraud", "2024-02-29"), Pcr34, "2026-01-01T00:00:00Z").look_back_ends;
    assert_eq!(ends, at("2029-02-28T00:00:00Z"));
}

#[test]
fn a_ground_counts_from_its_own_day_and_not_before() {
    assert!(one(declared("fraud", "2026-01-05"), Pcr34, "2026-01-05T00:00:00Z").applies());
    let early = applies(&[declared("fraud", "2026-01-05")], Pcr34, at("2026-01-04T23:59:59Z"));
    let Err(Refusal::Rules(broken)) = early else { panic!("{early:?}") };
    assert_eq!(broken[0].rule, &GROUND_IN_FUTURE);
}

#[test]
fn must_or_may_of_each_kind() {
    let now = "2026-01-05T00:00:00Z";
    let duties = |code, regime| {
        let f = one(declared(code, "2025-06-01"), regime, now);
        (f.admission.unwrap(), f.removal.unwrap())
    };
    assert_eq!(duties("fraud", Pcr34), (Duty::Must, Duty::Must));
    assert_eq!(duties("insolvency", Pcr34), (Duty::May, Duty::May));
    // excluded but not debarred: not admitted, and may be removed
    assert_eq!(duties("terrorism", Pa23Market), (Duty::Must, Duty::May));
    assert_eq!(duties("insolvency", Pa23Market), (Duty::May, Duty::May));
}

#[test]
fn debarment_by_a_mandatory_ground_makes_removal_a_duty_that_neither_time_nor_cleaning_ends() {
    let debarred = |code| DeclaredGround {
        debarred: true,
        self_cleaning: Some(SelfCleaning::Accepted { reason: "new board".to_owned() }),
        ..declared(code, "2015-06-01")
    };
    let mandatory = one(debarred("terrorism"), Pa23Market, "2026-01-05T00:00:00Z");
    assert_eq!((mandatory.effect, mandatory.removal), (Effect::Applies, Some(Duty::Must)));
    assert!(!mandatory.self_cleaning_open);
    // the list is unknown to PCR 2015
    assert_eq!(one(debarred("terrorism"), Pcr34, "2026-01-05T00:00:00Z").effect, Effect::LookBackOver);
}

#[test]
fn self_cleaning_is_considered() {
    let now = "2026-01-05T00:00:00Z";
    let with = |self_cleaning| DeclaredGround { self_cleaning, ..declared("fraud", "2025-06-01") };
    let reason = || "as recorded".to_owned();
    assert!(one(with(None), Pcr34, now).self_cleaning_open);
    let accepted = one(with(Some(SelfCleaning::Accepted { reason: reason() })), Pcr34, now);
    assert_eq!((accepted.effect, accepted.admission), (Effect::SelfCleaned, None));
    let refused = one(with(Some(SelfCleaning::Refused { reason: reason() })), Pcr34, now);
    assert!(refused.applies() && !refused.self_cleaning_open);
}

#[test]
fn every_fault_of_the_input_is_told_at_once() {
    let faults = [
        DeclaredGround {
            self_cleaning: Some(SelfCleaning::Refused { reason: " ".to_owned() }),
            ..declared("theft_fraud_bribery", "2027-01-01")
        },
        declared("fraud", "2025-01-01"),
    ];
    let Err(Refusal::Rules(broken)) = applies(&faults, Pcr34, at("2026-01-05T00:00:00Z")) else { panic!() };
    let told: Vec<_> = broken.iter().map(|v| (v.rule.code, v.field.as_deref().unwrap())).collect();
    assert_eq!(
        told,
        [
            ("exclusion_ground_in_future", "/0/occurredOn"),
            ("reason_required", "/0/selfCleaning/reason"),
            ("unknown_exclusion_ground", "/0/code"),
        ]
    );
}

#[test]
fn the_strongest_duty_wins() {
    let now = at("2026-01-05T00:00:00Z");
    let found = applies(&[declared("insolvency", "2025-01-01"), declared("fraud", "2025-01-01")], Pcr34, now).unwrap();
    assert_eq!(strongest(&found, |f| f.removal), Some(Duty::Must));
    assert_eq!(strongest(&found[..1], |f| f.removal), Some(Duty::May));
    assert_eq!(strongest(&[], |f| f.removal), None);
}

use super::*;
use crate::admission::membership::Membership;
use crate::kernel::Named;
use crate::standing::tests::{actor, at, codes, lot_scope, member, provider, suspend_order, t0, table};
use uuid::Uuid;

fn suspend(order: Suspend, policies: &Policies, others: &[Suspension], now: Instant) -> Decision<Suspension> {
    let facts = SuspendFacts { policies, live_membership: true, suspensions: others };
    Suspension::suspend(Uuid::from_u128(20 + others.len() as u128).into(), order, facts, &actor("lead"), now)
}

fn suspended(policies: &Policies) -> Suspension {
    suspend(suspend_order(lot_scope()), policies, &[], t0()).unwrap().0
}

fn longer(at_end: SuspensionEnd) -> Policies {
    Policies { suspension_max_months: 12, suspension_end: at_end, ..Policies::default() }
}

#[test]
fn golden_table() {
    let review = suspended(&longer(SuspensionEnd::Review));
    let late = t0().plus_months(7);
    let lapsing = suspended(&longer(SuspensionEnd::Lapse));
    let states = vec![
        review.clone(),
        review.tick(late).unwrap().0,
        lapsing.clone(),
        lapsing.clone().lift("better".into(), false, &actor("lead"), t0()).unwrap().0,
        lapsing.clone().lift("an error".into(), true, &actor("lead"), t0()).unwrap().0,
        lapsing.clone().tick(late).unwrap().0,
        lapsing.clone().end("terminated".into(), t0()).unwrap().0,
        lapsing.clone().annul("an error".into(), &actor("lead"), late).unwrap().0,
        lapsing.convert(Uuid::from_u128(9).into(), t0().plus_months(2)).unwrap().0,
    ];
    insta::assert_snapshot!(table(
        states,
        &[
            ("represent", &|s: Suspension| s.represent("we did".into(), &provider(), late)),
            ("extend", &|s: Suspension| s.extend(9, "still open".into(), &[], &actor("lead"), late)),
            ("extend far", &|s: Suspension| s.extend(13, String::new(), &[], &actor("lead"), late)),
            ("lift", &|s: Suspension| s.lift("better".into(), false, &actor("lead"), late)),
            ("lift_for", &|s: Suspension| s.lift_for("ours".into(), &actor("other"), late)),
            ("annul", &|s: Suspension| s.annul("an error".into(), &actor("lead"), late)),
            ("end", &|s: Suspension| s.end("terminated".into(), late)),
            ("convert", &|s: Suspension| s.convert(Uuid::from_u128(9).into(), late)),
            ("tick early", &|s: Suspension| s.tick(t0())),
            ("tick", &|s: Suspension| s.tick(late)),
        ]
    ));
}

#[test]
fn ac_12_six_months_clamp_to_the_last_of_february() {
    for (from, end) in [("2019-08-30T23:00:00Z", "2020-02-29"), ("2018-08-30T23:00:00Z", "2019-02-28")] {
        let made = suspend(suspend_order(lot_scope()), &Policies::default(), &[], at(from)).unwrap().0;
        assert_eq!(made.until.date().to_string(), end);
    }
}

#[test]
fn ac_14_seven_months_are_too_long() {
    let months = |months| Suspend { months: Some(months), ..suspend_order(lot_scope()) };
    let made = |n| codes(&suspend(months(n), &Policies::default(), &[], t0()));
    assert_eq!(made(7), ["suspension_too_long"]);
    assert_eq!(made(0), ["suspension_too_short"]);
    assert!(made(6).is_empty() && made(1).is_empty());
    assert_eq!(SUSPENSION_TOO_LONG.nature, crate::kernel::Nature::Input);
}

#[test]
fn every_broken_rule_is_named_at_once() {
    let order = Suspend {
        from: Some(t0().plus_seconds(-1)),
        months: Some(7),
        reason: " ".into(),
        ..suspend_order(SuspensionScope::Provider)
    };
    let facts = SuspendFacts { policies: &Policies::default(), live_membership: false, suspensions: &[] };
    let outcome = Suspension::suspend(Uuid::from_u128(1).into(), order, facts, &actor("lead"), t0());
    let all = ["reason_required", "suspension_too_long", "suspension_in_the_past", "membership_not_live"];
    assert_eq!(codes(&outcome), all);
}

#[test]
fn one_target_is_never_suspended_twice_at_once_but_may_be_again() {
    let policies = Policies::default();
    let first = suspended(&policies);
    let starting = |from| Suspend { from: Some(from), ..suspend_order(lot_scope()) };
    let others = [first.clone()];
    let last_second = starting(first.until.plus_seconds(-1));
    assert_eq!(codes(&suspend(last_second, &policies, &others, t0())), ["suspension_overlaps"]);
    assert!(suspend(starting(first.until.plus_days(1)), &policies, &others, t0()).is_ok());
    assert!(suspend(suspend_order(SuspensionScope::Provider), &policies, &others, t0()).is_ok());
    let lifted = [first.lift("better".into(), false, &actor("lead"), t0().plus_days(1)).unwrap().0];
    assert!(suspend(suspend_order(lot_scope()), &policies, &lifted, t0().plus_days(2)).is_ok());
}

#[test]
fn suspensions_without_a_gap_stay_within_the_maximum_together() {
    let policies = Policies::default();
    let first = suspended(&policies);
    let again = |from, months| Suspend { from: Some(from), months: Some(months), ..suspend_order(lot_scope()) };
    let others = [first.clone()];
    let made = |order, others: &[Suspension]| suspend(order, &policies, others, t0());
    assert_eq!(codes(&made(again(first.until, 1), &others)), ["suspension_too_long"]);
    assert!(made(again(first.until.plus_seconds(1), 6), &others).is_ok(), "a gap begins anew");
    let mut ahead = first.clone();
    (ahead.from, ahead.until) = (t0().plus_months(2), t0().plus_months(7));
    assert_eq!(codes(&made(again(t0(), 2), &[ahead])), ["suspension_too_long"], "nor before one that was announced");

    let month = t0().plus_months(1);
    let short = suspend(again(t0(), 1), &policies, &[], t0()).unwrap().0;
    let second = made(again(month, 2), std::slice::from_ref(&short)).unwrap().0;
    assert_eq!(second.max_until, t0().plus_months(6), "counted from the first");
    let both = [short, second.clone()];
    assert_eq!(
        codes(&second.clone().extend(6, "still open".into(), &both, &actor("lead"), month)),
        ["suspension_too_long"]
    );
    assert!(second.extend(5, "still open".into(), &both, &actor("lead"), month).is_ok());
    let annulled = [first.lift("an error".into(), true, &actor("lead"), month).unwrap().0];
    assert!(suspend(again(month, 6), &policies, &annulled, month).is_ok(), "what was annulled counts for nothing");
}

#[test]
fn a_step_counts_whatever_became_of_the_membership_until_a_removal_settled_it() {
    let policies = Policies::default();
    for scope in [SuspensionScope::Provider, lot_scope()] {
        let made = suspend(suspend_order(scope), &policies, &[], t0()).unwrap().0;
        let (end, late) = (made.until, made.until.plus_days(9));
        let again = |admitted_at| Membership { id: Uuid::from_u128(99).into(), admitted_at, ..member() };
        assert!(made.touches(&again(end.plus_seconds(-1))), "it stands against the membership that came after");
        assert!(!made.touches(&again(end)), "it was over before");
        assert!(made.precedes_removal(&again(end), None, late));
        assert!(!made.precedes_removal(&again(end), Some(end), late), "a removal took effect since");
        assert!(made.precedes_removal(&again(end), Some(end.plus_seconds(-1)), late));
    }
    let elsewhere = Membership { lot: Uuid::from_u128(98).into(), ..member() };
    let made = suspended(&policies);
    assert!(!made.touches(&elsewhere) && !made.precedes_removal(&elsewhere, None, t0()));
}

#[test]
fn the_same_lot_is_not_suspended_twice_by_way_of_a_new_membership() {
    let policies = Policies::default();
    let others = [suspended(&policies)];
    let again = SuspensionScope::Lot { membership: Uuid::from_u128(99).into(), lot: member().lot };
    assert_eq!(codes(&suspend(suspend_order(again), &policies, &others, t0())), ["suspension_overlaps"]);
}

#[test]
fn the_authority_that_imposed_it_ends_it() {
    let of = |code: &str| Actor {
        authority: crate::kernel::AuthorityCode::try_from(code.to_owned()).ok(),
        ..actor("officer")
    };
    let facts = SuspendFacts { policies: &longer(SuspensionEnd::Lapse), live_membership: true, suspensions: &[] };
    let order = suspend_order(lot_scope());
    let made = Suspension::suspend(Uuid::from_u128(1).into(), order, facts, &of("LGSS"), t0()).unwrap().0;
    let later = t0().plus_days(1);
    assert_eq!(codes(&made.clone().lift("ours".into(), false, &of("PCC"), later)), ["not_its_measure"]);
    assert_eq!(codes(&made.clone().extend(9, "ours".into(), &[], &of("PCC"), later)), ["not_its_measure"]);
    assert_eq!(codes(&made.clone().lift_for("ours".into(), &of("LGSS"), later)), ["not_bound_by_it"]);
    let lifted = made.lift_for("seen".into(), &of("PCC"), later).unwrap().0;
    let binds = |at: Instant, code: &str| {
        let imposed = lifted.impediments();
        let of = of(code).authority.unwrap();
        imposed.iter().any(|i| i.impediment.covers(at) && i.impediment.binds.binds(&of))
    };
    assert!(binds(t0(), "PCC") && !binds(later, "PCC") && binds(later, "CCC") && binds(later, "LGSS"));
    assert!(lifted.lift("better".into(), false, &of("LGSS"), later).is_ok());
}

#[test]
fn an_extension_does_not_run_into_an_announced_suspension() {
    let policies = longer(SuspensionEnd::Lapse);
    let first = suspended(&policies);
    let order = Suspend { from: Some(first.until), ..suspend_order(lot_scope()) };
    let second = suspend(order, &policies, std::slice::from_ref(&first), t0()).unwrap().0;
    let outcome = first.clone().extend(7, "still open".into(), &[first.clone(), second], &actor("lead"), t0());
    assert_eq!(codes(&outcome), ["suspension_overlaps"]);
    assert!(first.clone().extend(12, "still open".into(), &[first], &actor("lead"), t0()).is_ok());
}

#[test]
fn at_its_end_a_lapsing_suspension_is_over_before_anyone_says_so() {
    let made = suspended(&Policies::default());
    let end = made.until;
    assert!(made.clone().lift("better".into(), false, &actor("lead"), end.plus_seconds(-1)).is_ok());
    assert_eq!(codes(&made.clone().lift("better".into(), false, &actor("lead"), end)), ["already_over"]);
    assert!(made.clone().convert(Uuid::from_u128(9).into(), end).is_ok(), "the removal takes over at that instant");
    assert_eq!(codes(&made.clone().convert(Uuid::from_u128(9).into(), end.plus_seconds(1))), ["already_over"]);
    assert_eq!(made.due(), Some(Due { at: end, what: "lapse" }));
    assert!(made.tick(end).is_ok());
}

#[test]
fn what_counts_as_a_step_before_removal() {
    let (member, policies) = (member(), Policies::default());
    let made = suspended(&policies);
    assert!(made.precedes_removal(&member, None, t0()));
    let annulled = made.clone().lift("an error".into(), true, &actor("lead"), t0().plus_days(1)).unwrap().0;
    assert!(!annulled.precedes_removal(&member, None, t0().plus_days(2)));
    let lapsed = made.tick(t0().plus_months(6)).unwrap().0;
    assert!(lapsed.precedes_removal(&member, None, t0().plus_months(8)));
    let home = SuspensionScope::Home { home: Uuid::from_u128(7).into() };
    assert!(!suspend(suspend_order(home), &policies, &[], t0()).unwrap().0.precedes_removal(&member, None, t0()));
    let later = Suspend { from: Some(t0().plus_days(5)), ..suspend_order(lot_scope()) };
    let announced = suspend(later, &policies, &[], t0()).unwrap().0;
    assert!(!announced.precedes_removal(&member, None, t0()));
    assert!(announced.precedes_removal(&member, None, t0().plus_days(5)));
}

#[test]
fn what_is_annulled_after_its_end_keeps_the_past_and_is_no_step() {
    let (member, late) = (member(), t0().plus_months(7));
    let made = suspended(&Policies::default());
    let names = |events: &[SuspensionEvent]| -> Vec<String> {
        let name = |event: &SuspensionEvent| serde_json::to_value(event).unwrap()["type"].as_str().unwrap().to_owned();
        events.iter().map(name).collect()
    };
    let annul = |s: Suspension, now| s.annul("an error".into(), &actor("judge"), now);
    // In force, it is lifted.
    let (lifted, events) = annul(made.clone(), t0().plus_days(1)).unwrap();
    assert_eq!((lifted.state().name(), names(&events)), ("lifted", vec!["SuspensionLifted".to_owned()]));
    // Over by the clock though nobody has said so, it lapses first.
    let (annulled, events) = annul(made.clone(), late).unwrap();
    assert_eq!(names(&events), ["SuspensionLapsed", "SuspensionAnnulled"]);
    let (same, events) = annul(made.clone().tick(late).unwrap().0, late).unwrap();
    assert_eq!((&same, names(&events)), (&annulled, vec!["SuspensionAnnulled".to_owned()]));
    assert_eq!((annulled.over_at(), annulled.due()), (Some(made.until), None));
    assert!(!annulled.precedes_removal(&member, None, late) && !lifted.precedes_removal(&member, None, late));
    assert_eq!(codes(&made.tick(late).unwrap().0.annul(" ".into(), &actor("judge"), late)), ["reason_required"]);
}

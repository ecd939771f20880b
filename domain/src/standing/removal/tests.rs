use super::*;
use crate::admission::membership::Membership;
use crate::arrangement::FailurePath;
use crate::kernel::Due;
use crate::kernel::Named;
use crate::standing::suspension::{SuspendFacts, Suspension};
use crate::standing::tests::{actor, at, codes, lot_scope, member, notice, provider, suspend_order, t0, table};
use std::fmt::Write as _;
use uuid::Uuid;

fn order(ground: Ground) -> NotifyRemoval {
    let evidence = vec!["report".into()];
    NotifyRemoval { ground, reason: "failed".into(), gross: None, evidence }
}

fn policies(failure_path: FailurePath) -> Policies {
    Policies { failure_path, no_fault_notice_months: Some(12), ..Policies::default() }
}

fn plain() -> Policies {
    policies(FailurePath::Direct)
}

fn facts<'a>(policies: &'a Policies, membership: &'a Membership) -> RemovalFacts<'a> {
    RemovalFacts { policies, membership, suspensions: &[], notices: &[], sanctions: &[], removals: &[] }
}

fn notify(path: FailurePath, order: NotifyRemoval, actor: &Actor, now: Instant) -> Decision<Removal> {
    Removal::notify(Uuid::from_u128(9).into(), order, facts(&policies(path), &member()), actor, now)
}

fn notified() -> Removal {
    notify(FailurePath::Direct, order(Ground::NonCompliance), &actor("lead"), t0()).unwrap().0
}

#[test]
fn golden_table() {
    let who = actor("lead");
    let end = notified().representations_until;
    let decided = notified().decide(Some(end.plus_days(5)), "failed".into(), &plain(), &who, end).unwrap().0;
    let by_two = Policies { removal_by_two: true, ..plain() };
    let proposed = notified().decide(None, "failed".into(), &by_two, &who, end).unwrap().0;
    let effective = decided.clone().tick(end.plus_days(5)).unwrap().0;
    let states = vec![
        notified(),
        proposed,
        decided,
        effective.clone(),
        effective.annul("an error".into(), &who, end.plus_days(6)).unwrap().0,
        notified().revoke("heard".into(), &who, t0()).unwrap().0,
    ];
    insta::assert_snapshot!(table(
        states,
        &[
            ("represent", &|r: Removal| r.represent("we did".into(), &provider(), end)),
            ("waive", &|r: Removal| r.waive(end)),
            ("decide", &|r: Removal| r.decide(None, "failed".into(), &plain(), &who, end)),
            ("decide early", &|r: Removal| r.decide(None, String::new(), &plain(), &who, t0())),
            ("decide ahead", &|r: Removal| r.decide(Some(end.plus_days(1)), "failed".into(), &plain(), &who, end)),
            ("confirm", &|r: Removal| r.confirm(&by_two, &actor("second"), end)),
            ("confirm own", &|r: Removal| r.confirm(&by_two, &who, end)),
            ("return", &|r: Removal| r.send_back("think again".into())),
            ("follow", &|r: Removal| r.follow(Uuid::from_u128(55).into())),
            ("annul", &|r: Removal| r.annul("an error".into(), &who, end.plus_days(6))),
            ("revoke", &|r: Removal| r.revoke("heard".into(), &who, end)),
            ("revoke late", &|r: Removal| r.revoke("heard".into(), &who, end.plus_days(5))),
            ("tick early", &|r: Removal| r.tick(end)),
            ("tick", &|r: Removal| r.tick(end.plus_days(5))),
        ]
    ));
}

#[test]
fn each_ground_on_each_path_with_no_step_before_it() {
    let mut out = String::new();
    for ground in Ground::ALL {
        let rule = ground.rule();
        writeln!(out, "{ground:?}: {:?}, rests on {}", rule.obligation, rule.rests_on).unwrap();
        for path in [FailurePath::Direct, FailurePath::SuspendFirst, FailurePath::NoticeFirst, FailurePath::Ladder] {
            let plain = notify(path, order(ground), &actor("lead"), t0());
            let bare = notify(path, NotifyRemoval { evidence: vec![], ..order(ground) }, &actor("lead"), t0());
            let gross = NotifyRemoval { gross: Some("a child was harmed".into()), ..order(ground) };
            let gross = notify(path, gross, &actor("lead"), t0());
            let by_provider = notify(path, order(ground), &provider(), t0());
            let said = |outcome: &Decision<Removal>| match outcome {
                Ok((removal, _)) => removal.state().name().to_owned(),
                Err(_) => codes(outcome).join("+"),
            };
            let (plain, bare, gross) = (said(&plain), said(&bare), said(&gross));
            writeln!(out, "  {path:?}: {plain}; unproven {bare}; gross {gross}; by provider {}", said(&by_provider))
                .unwrap();
        }
    }
    insta::assert_snapshot!(out);
}

#[test]
fn ac_16_suspension_first_unless_gross_with_a_reason() {
    let path = FailurePath::SuspendFirst;
    let refused = notify(path, order(Ground::NonCompliance), &actor("lead"), t0());
    assert_eq!(codes(&refused), ["failure_path_not_followed"]);
    assert_eq!(FAILURE_PATH_NOT_FOLLOWED.nature, crate::kernel::Nature::Conflict);
    let gross = |why: &str| NotifyRemoval { gross: Some(why.into()), ..order(Ground::NonCompliance) };
    assert_eq!(codes(&notify(path, gross(" "), &actor("lead"), t0())), ["reason_required"]);
    assert!(notify(path, gross("a child was harmed"), &actor("lead"), t0()).is_ok());

    let (policies, member) = (policies(path), member());
    let suspending = SuspendFacts { policies: &policies, live_membership: true, suspensions: &[] };
    let id = Uuid::from_u128(20).into();
    let made = Suspension::suspend(id, suspend_order(lot_scope()), suspending, &actor("lead"), t0()).unwrap().0;
    let facts = RemovalFacts { suspensions: &[made], ..facts(&policies, &member) };
    assert!(Removal::notify(Uuid::from_u128(9).into(), order(Ground::Quality), facts, &actor("lead"), t0()).is_ok());
}

#[test]
fn ac_44_a_notice_run_out_unrectified_comes_first() {
    let (policies, member, notices) = (policies(FailurePath::NoticeFirst), member(), [notice()]);
    let facts = RemovalFacts { notices: &notices, ..facts(&policies, &member) };
    let on = |now| Removal::notify(Uuid::from_u128(9).into(), order(Ground::Quality), facts, &actor("lead"), now);
    let end = notices[0].rectify_by;
    assert_eq!(codes(&on(end.plus_seconds(-1))), ["failure_path_not_followed"]);
    assert!(on(end).is_ok());
}

#[test]
fn ac_64_notice_without_cause_lasts_a_year_and_either_side_gives_it() {
    for (given, end) in [("2014-08-01T10:00:00Z", "2015-08-01"), ("2016-02-29T10:00:00Z", "2017-02-28")] {
        for (who, party) in [(actor("commissioner"), Party::Authority), (provider(), Party::Provider)] {
            let blank = NotifyRemoval { reason: String::new(), evidence: vec![], ..order(Ground::NoFault) };
            let removal = notify(FailurePath::SuspendFirst, blank, &who, at(given)).unwrap().0;
            assert_eq!(removal.given_by, party);
            assert_eq!(removal.state().name(), "decided");
            assert_eq!(removal.effective_at().unwrap().date().to_string(), end);
        }
    }
    let member = member();
    let silent = Policies::default();
    let id = Uuid::from_u128(9).into();
    let outcome = Removal::notify(id, order(Ground::NoFault), facts(&silent, &member), &provider(), t0());
    assert_eq!(codes(&outcome), ["no_fault_not_available"]);
}

#[test]
fn the_provider_is_heard_and_told_before_the_effect() {
    let who = actor("lead");
    let end = notified().representations_until;
    assert_eq!(end, t0().plus_days(28));
    let decide = |r: Removal, effect, now| r.decide(effect, "failed".into(), &plain(), &who, now);
    assert_eq!(codes(&decide(notified(), None, end.plus_seconds(-1))), ["provider_not_heard"]);
    let heard = notified().represent("we did".into(), &provider(), t0()).unwrap().0;
    assert_eq!(decide(heard.clone(), None, t0()).unwrap().0.effective_at(), Some(end), "told, then removed");
    assert_eq!(codes(&decide(heard, Some(t0()), t0())), ["effect_too_early"]);
    let waived = notified().waive(t0()).unwrap().0;
    let (now_over, events) = decide(waived, None, t0()).unwrap();
    assert_eq!(now_over.state().name(), "effective");
    assert!(matches!(&events[..], [RemovalEvent::RemovalDecided { .. }, RemovalEvent::RemovalEffective { .. }]));
    assert_eq!(codes(&decide(notified(), Some(end.plus_seconds(-1)), end)), ["effect_too_early"]);
}

#[test]
fn a_late_sweep_takes_effect_at_the_decided_instant_and_cannot_be_revoked_meanwhile() {
    let end = notified().representations_until;
    let effect = end.plus_days(5);
    let decided = notified().decide(Some(effect), "failed".into(), &plain(), &actor("lead"), end).unwrap().0;
    assert_eq!(decided.due(), Some(Due { at: effect, what: "take_effect" }));
    assert_eq!(codes(&decided.clone().revoke("heard".into(), &actor("lead"), effect)), ["already_over"]);
    let (over, events) = decided.tick(effect.plus_days(9)).unwrap();
    assert_eq!(over.effective_at(), Some(effect));
    assert!(matches!(&events[..], [RemovalEvent::RemovalEffective { effective_at: at, .. }] if *at == effect));
}

#[test]
fn one_removal_at_a_time_of_a_live_membership() {
    let (policies, gone) = (policies(FailurePath::Direct), member().withdraw(None, t0()).unwrap().0);
    let removals = [notified()];
    let facts = RemovalFacts { removals: &removals, ..facts(&policies, &gone) };
    let outcome = Removal::notify(Uuid::from_u128(9).into(), order(Ground::Quality), facts, &actor("lead"), t0());
    assert_eq!(codes(&outcome), ["membership_not_live", "removal_pending"]);
}

#[test]
fn the_end_of_the_term_is_no_decision_to_remove() {
    let outcome = notify(FailurePath::Direct, order(Ground::TermEnd), &actor("lead"), t0());
    assert_eq!(codes(&outcome), ["term_end_by_clock"]);
    let bare = NotifyRemoval { evidence: vec![], ..order(Ground::TermEnd) };
    assert_eq!(codes(&notify(FailurePath::Direct, bare, &actor("lead"), t0())), ["term_end_by_clock"]);
}

#[test]
fn a_second_person_confirms_what_one_proposes_and_it_takes_effect_no_earlier() {
    let by_two = Policies { removal_by_two: true, ..plain() };
    let end = notified().representations_until;
    let asked = end.plus_days(2);
    let decide = |at| notified().decide(at, "failed".into(), &by_two, &actor("lead"), end).unwrap().0;
    let proposed = decide(Some(asked));
    assert_eq!((proposed.state().name(), proposed.effective_at(), proposed.due()), ("proposed", None, None));
    assert!(proposed.is_pending());
    assert_eq!(codes(&proposed.clone().confirm(&by_two, &actor("lead"), end)), ["second_decider"]);
    let effect = |removal: Removal, now| removal.confirm(&by_two, &actor("second"), now).unwrap().0.effective_at();
    assert_eq!(effect(proposed.clone(), end), Some(asked));
    assert_eq!(effect(proposed, asked.plus_days(1)), Some(asked.plus_days(1)), "not before it is confirmed");
    // Notice without cause runs from its confirmation; a provider's own needs none.
    let member = member();
    let give = |who: &Actor| {
        let order = NotifyRemoval { reason: String::new(), evidence: vec![], ..order(Ground::NoFault) };
        Removal::notify(Uuid::from_u128(9).into(), order, facts(&by_two, &member), who, t0()).unwrap().0
    };
    assert_eq!(give(&provider()).state().name(), "decided");
    assert_eq!(effect(give(&actor("lead")), t0().plus_days(3)), Some(t0().plus_days(3).plus_months(12)));
}

#[test]
fn the_ground_of_a_removal_stands_once_it_took_effect_unless_it_was_annulled() {
    let end = notified().representations_until;
    let effective = notified().decide(None, "failed".into(), &plain(), &actor("lead"), end).unwrap().0;
    assert_eq!(effective.ground_stands_since(), Some(end));
    assert_eq!(Removal::last_effect(&[notified(), effective.clone()]), Some(end));
    let annulled = effective.annul("an error".into(), &actor("judge"), end.plus_days(1)).unwrap().0;
    assert_eq!((annulled.ground_stands_since(), annulled.effective_at()), (None, Some(end)));
    assert_eq!(Removal::last_effect(&[annulled]), None);
    assert_eq!(notified().ground_stands_since(), None);
}

use super::*;
use crate::standing::tests::{actor, codes, member, notice, provider, t0, table};
use uuid::Uuid;

#[test]
fn golden_table() {
    let (who, late) = (actor("monitor"), t0().plus_months(2));
    let states = vec![
        notice(),
        notice().tick(late).unwrap().0,
        notice().meet(&who, t0()).unwrap().0,
        notice().fail("no change".into(), &who, late).unwrap().0,
        notice().withdraw("an error".into(), &who, t0()).unwrap().0,
    ];
    insta::assert_snapshot!(table(
        states,
        &[
            ("respond", &|n: ImprovementNotice| n.respond("we did".into(), &provider(), late)),
            ("extend", &|n: ImprovementNotice| n.extend(late.plus_days(1), true, late)),
            ("extend alone", &|n: ImprovementNotice| n.extend(late, false, late)),
            ("meet", &|n: ImprovementNotice| n.meet(&who, late)),
            ("fail", &|n: ImprovementNotice| n.fail("no change".into(), &who, late)),
            ("fail early", &|n: ImprovementNotice| n.fail("no change".into(), &who, t0())),
            ("withdraw", &|n: ImprovementNotice| n.withdraw("an error".into(), &who, late)),
            ("tick early", &|n: ImprovementNotice| n.tick(t0())),
            ("tick", &|n: ImprovementNotice| n.tick(late)),
        ]
    ));
}

#[test]
fn the_time_passes_by_itself_and_an_agreed_extension_gives_more() {
    let end = notice().rectify_by;
    assert!(!notice().precedes_removal(&member(), None, end.plus_seconds(-1)));
    assert!(notice().precedes_removal(&member(), None, end), "however late the sweep");
    let more = notice().tick(end).unwrap().0.extend(end.plus_days(7), true, end).unwrap().0;
    assert!(!more.precedes_removal(&member(), None, end) && more.precedes_removal(&member(), None, end.plus_days(7)));
    assert!(!notice().meet(&actor("monitor"), end).unwrap().0.precedes_removal(&member(), None, end.plus_days(7)));
}

#[test]
fn a_discussion_comes_first_and_the_time_lies_ahead() {
    let order = IssueNotice {
        issue: String::new(),
        discussion_held_on: t0().plus_days(1).date(),
        agreed_with_provider: false,
        rectify_by: t0(),
        evidence: vec![],
    };
    let gone = member().withdraw(None, t0()).unwrap().0;
    let outcome = ImprovementNotice::issue(Uuid::from_u128(8).into(), order, &gone, &actor("monitor"), t0());
    let all = ["reason_required", "discussion_first", "rectify_by_too_early", "membership_not_live"];
    assert_eq!(codes(&outcome), all);
}

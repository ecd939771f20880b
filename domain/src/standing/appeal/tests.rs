use super::*;
use crate::standing::tests::{actor, codes, member, provider, t0, table};
use uuid::Uuid;

fn lodge(decider: Option<&str>, appeal_pending: bool) -> Decision<Appeal> {
    let order = LodgeAppeal {
        arrangement: member().arrangement,
        provider: member().provider,
        target: AppealTarget::Removal { removal: Uuid::from_u128(9).into() },
        grounds: "the report names another home".into(),
    };
    let facts = AppealFacts { original_decider: decider.map(str::to_owned), appeal_pending };
    Appeal::lodge(Uuid::from_u128(40).into(), order, facts, &provider(), t0())
}

#[test]
fn golden_table() {
    let lodged = lodge(Some("lead"), false).unwrap().0;
    let other = actor("another");
    let states = vec![
        lodged.clone(),
        lodged.clone().uphold("so it is".into(), None, &other, t0()).unwrap().0,
        lodged.clone().dismiss("it does not".into(), None, &other, t0()).unwrap().0,
        lodged.withdraw(t0()).unwrap().0,
    ];
    insta::assert_snapshot!(table(
        states,
        &[
            ("uphold", &|a: Appeal| a.uphold("so it is".into(), None, &other, t0())),
            ("uphold own", &|a: Appeal| a.uphold(String::new(), None, &actor("lead"), t0())),
            ("dismiss", &|a: Appeal| a.dismiss("it does not".into(), None, &other, t0())),
            ("dismiss own", &|a: Appeal| a.dismiss("it does not".into(), None, &actor("lead"), t0())),
            ("withdraw", &|a: Appeal| a.withdraw(t0())),
        ]
    ));
}

#[test]
fn one_appeal_at_a_time_against_something_decided() {
    assert_eq!(codes(&lodge(None, true)), ["appeal_pending", "nothing_to_appeal"]);
}

#[test]
fn whoever_confirmed_a_decision_of_two_does_not_decide_the_appeal() {
    let lodged = lodge(Some("lead"), false).unwrap().0;
    let refused = lodged.uphold("so it is".into(), Some("second"), &actor("second"), t0());
    assert_eq!(codes(&refused), ["own_decision"]);
}

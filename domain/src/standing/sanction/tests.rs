use super::*;
use crate::standing::tests::{actor, codes, member, t0, table};
use uuid::Uuid;

fn apply(kind: SanctionKind, serious: Option<&str>, before: &[Sanction]) -> Decision<Sanction> {
    let serious = serious.map(str::to_owned);
    let order = ApplySanction { kind, reason: "failing".into(), serious, evidence: vec![], review_on: None };
    let id = Uuid::from_u128(30 + before.len() as u128).into();
    Sanction::apply(id, order, &member(), before, None, &actor("consortium"), t0())
}

#[test]
fn golden_table() {
    let active = apply(SanctionKind::Conceal, None, &[]).unwrap().0;
    let lifted = active.clone().lift("better".into(), false, &actor("consortium"), t0()).unwrap().0;
    insta::assert_snapshot!(table(
        vec![active.clone(), lifted, active.end("terminated".into(), t0()).unwrap().0],
        &[
            ("lift", &|s: Sanction| s.lift("better".into(), false, &actor("consortium"), t0())),
            ("lift_for", &|s: Sanction| s.lift_for("ours".into(), &actor("other"), t0())),
            ("end", &|s: Sanction| s.end("terminated".into(), t0())),
            ("lift blank", &|s: Sanction| s.lift(" ".into(), false, &actor("consortium"), t0())),
        ]
    ));
}

#[test]
fn steps_are_taken_in_order_unless_serious() {
    use SanctionKind::{Conceal, Restrict};
    assert_eq!(codes(&apply(Restrict, None, &[])), ["ladder_step_missing"]);
    assert_eq!(codes(&apply(Restrict, Some(" "), &[])), ["reason_required"]);
    assert!(apply(Restrict, Some("a child was harmed"), &[]).is_ok());
    let concealed = apply(Conceal, None, &[]).unwrap().0;
    assert!(apply(Restrict, None, std::slice::from_ref(&concealed)).is_ok());
    assert_eq!(codes(&apply(Conceal, None, std::slice::from_ref(&concealed))), ["sanction_in_force"]);
    let lift = |annulled| concealed.clone().lift("why".into(), annulled, &actor("consortium"), t0()).unwrap().0;
    assert!(apply(Restrict, None, &[lift(false)]).is_ok(), "a past step counts");
    assert_eq!(codes(&apply(Restrict, None, &[lift(true)])), ["ladder_step_missing"]);
}

#[test]
fn a_step_counts_whatever_became_of_the_membership_until_a_removal_settled_it() {
    let concealed = apply(SanctionKind::Conceal, None, &[]).unwrap().0;
    let again = Membership { id: Uuid::from_u128(99).into(), ..member() };
    assert!(concealed.is_step(SanctionKind::Conceal, &again, Some(t0().plus_days(1))), "it stands");
    let lifted = concealed.lift("better".into(), false, &actor("consortium"), t0()).unwrap().0;
    assert!(lifted.is_step(SanctionKind::Conceal, &again, None));
    assert!(!lifted.is_step(SanctionKind::Conceal, &again, Some(t0().plus_days(1))), "a removal took effect since");
    let elsewhere = Membership { lot: Uuid::from_u128(98).into(), ..member() };
    assert!(!lifted.is_step(SanctionKind::Conceal, &elsewhere, None));
}

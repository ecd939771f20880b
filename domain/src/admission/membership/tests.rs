use super::*;
use crate::standing::tests::{actor, codes, line, member, requirement, t0, table};
use crate::standing::{StandingFacts, Status, standing};
use uuid::Uuid;

fn insured(until: Option<Instant>) -> Membership {
    let assurance = Assurance::new(requirement(), "insurance".into(), true, until);
    Membership::admit(Uuid::from_u128(5).into(), line(vec![assurance]), false, t0()).unwrap().0
}

fn assessor() -> Actor {
    actor("assessor")
}

fn none_declared() -> DeclarationOfInterests {
    let (arrangement, by) = (member().arrangement, assessor());
    DeclarationOfInterests::declare(Uuid::from_u128(8).into(), arrangement, vec![], &by, t0()).unwrap().0
}

fn renew(member: Membership, until: Option<Instant>, now: Instant) -> Decision<Membership> {
    member.renew_assurance(requirement(), until, &["cert".into()], Some(&none_declared()), &assessor(), now)
}

fn status(member: &Membership, at: Instant) -> Status {
    let impediments: Vec<_> = member.impediments().into_iter().map(|imposed| imposed.impediment).collect();
    let facts = StandingFacts {
        membership: member.id,
        admitted_at: member.admitted_at,
        term: None,
        seen_by: None,
        impediments: &impediments,
    };
    standing(&facts, at).status
}

#[test]
fn golden_table() {
    let now = t0().plus_months(13);
    let active = insured(Some(t0().plus_months(12)));
    let states = vec![
        active.clone(),
        active.clone().withdraw(Some("closing".into()), now).unwrap().0,
        active.clone().remove(Uuid::from_u128(9).into(), now).unwrap().0,
        active.end(now).unwrap().0,
    ];
    insta::assert_snapshot!(table(
        states,
        &[
            ("renew", &|m: Membership| renew(m, Some(now.plus_months(1)), now)),
            ("renew past", &|m: Membership| renew(m, Some(now), now)),
            ("tick", &|m: Membership| m.tick(now)),
            ("tick early", &|m: Membership| m.tick(t0())),
            ("withdraw", &|m: Membership| m.withdraw(None, now)),
            ("remove", &|m: Membership| m.remove(Uuid::from_u128(9).into(), now)),
            ("end", &|m: Membership| m.end(now)),
        ]
    ));
}

#[test]
fn ac_10_admission_knows_no_cap_and_one_membership_per_lot() {
    for n in 0..40 {
        assert!(Membership::admit(Uuid::from_u128(n).into(), line(vec![]), false, t0()).is_ok());
    }
    let second = Membership::admit(Uuid::from_u128(99).into(), line(vec![]), true, t0());
    assert_eq!(codes(&second), ["membership_exists"]);
}

#[test]
fn ac_11_admission_guarantees_no_award() {
    let (_, events) = Membership::admit(Uuid::from_u128(5).into(), line(vec![]), false, t0()).unwrap();
    let event = serde_json::to_value(&events[0]).unwrap();
    assert_eq!(event["type"], "MembershipCreated");
    assert_eq!(event["awardGuaranteed"], false);
    assert_eq!(events.len(), 1, "no contract, spend or placement");
}

#[test]
fn evidence_expires_once_and_its_renewal_keeps_the_gap() {
    let expiry = t0().plus_months(12);
    let member = insured(Some(expiry));
    assert_eq!(member.due(), Some(Due { at: expiry, what: "expire_evidence" }));
    assert_eq!(codes(&member.clone().tick(expiry.plus_seconds(-1))), ["not_due"]);
    let (member, events) = member.tick(expiry.plus_days(2)).unwrap();
    assert!(matches!(&events[..], [MembershipEvent::EvidenceExpired { effective_at: at, .. }] if *at == expiry));
    assert_eq!(member.due(), None);
    assert_eq!(codes(&member.clone().tick(expiry.plus_days(3))), ["not_due"]);
    let renewed = expiry.plus_days(10);
    let (member, events) = renew(member, Some(renewed.plus_months(12)), renewed).unwrap();
    assert!(matches!(&events[..], [MembershipEvent::EvidenceRenewed { evidence, .. }] if *evidence == ["cert"]));
    assert_eq!(status(&member, expiry.plus_seconds(-1)), Status::Active);
    assert_eq!(status(&member, expiry), Status::EvidenceExpired);
    assert_eq!(status(&member, renewed.plus_seconds(-1)), Status::EvidenceExpired);
    assert_eq!(status(&member, renewed), Status::Active);
}

#[test]
fn renewal_before_the_sweep_announces_the_expiry_too_and_renewal_in_time_leaves_no_gap() {
    let expiry = t0().plus_months(12);
    let (_, events) = renew(insured(Some(expiry)), Some(expiry.plus_months(12)), expiry.plus_days(1)).unwrap();
    assert!(matches!(&events[..], [MembershipEvent::EvidenceExpired { .. }, MembershipEvent::EvidenceRenewed { .. }]));
    let in_time = renew(insured(Some(expiry)), Some(expiry.plus_months(12)), expiry.plus_seconds(-1)).unwrap().0;
    assert!(in_time.assurances[0].lapses.is_empty());
    assert_eq!(status(&in_time, expiry), Status::Active);
}

#[test]
fn unknown_evidence_is_refused_with_every_reason() {
    let outcome = member().renew_assurance(requirement(), Some(t0()), &[" ".into()], None, &assessor(), t0());
    let all = ["conflict_not_declared", "evidence_required", "assurance_unknown", "evidence_already_expired"];
    assert_eq!(codes(&outcome), all);
}

#[test]
fn what_had_an_end_is_renewed_until_a_named_instant() {
    assert_eq!(codes(&renew(insured(Some(t0().plus_months(12))), None, t0())), ["validity_required"]);
    assert!(renew(insured(None), None, t0()).is_ok());
}

#[test]
fn nobody_accepts_evidence_of_a_provider_in_which_it_has_an_interest() {
    let interest = declaration_of_interests::DeclaredInterest { provider: member().provider, nature: "shares".into() };
    let declared = none_declared().revise(vec![interest], &assessor(), t0()).unwrap().0;
    let evidence = ["cert".to_owned()];
    let outcome = insured(None).renew_assurance(requirement(), None, &evidence, Some(&declared), &assessor(), t0());
    assert_eq!(codes(&outcome), ["conflict_of_interest"]);
}

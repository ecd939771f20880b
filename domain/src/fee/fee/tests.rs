use super::*;
use crate::standing::tests::{actor, at, codes, member, t0, table};
use uuid::Uuid;

fn order(pence: i64, from: &str) -> OfferFee {
    OfferFee {
        code: "CORE".into(),
        description: "Core placement".into(),
        amount_pence: Pence(pence),
        unit: FeeUnit::Week,
        valid_from: from.parse().unwrap(),
    }
}

fn offered(order: OfferFee, before: &[Fee]) -> Decision<Fee> {
    let id = Uuid::from_u128(40 + before.len() as u128).into();
    Fee::offer(id, order, &member(), before, (vec![], None), &actor("ash"), t0())
}

fn fee(pence: i64, from: &str, before: &[Fee]) -> Fee {
    offered(order(pence, from), before).unwrap().0
}

fn withdrawn(fee: &Fee, when: &str) -> Fee {
    fee.clone().withdraw("an error".into(), &actor("ash"), at(when)).unwrap().0
}

#[test]
fn golden_table() {
    let first = fee(400_000, "2019-02-04", &[]);
    let gone = withdrawn(&first, "2019-03-01T00:00:00Z");
    insta::assert_snapshot!(table(
        vec![first, gone],
        &[
            ("withdraw", &|f: Fee| f.withdraw("an error".into(), &actor("ash"), t0())),
            ("withdraw blank", &|f: Fee| f.withdraw(" ".into(), &actor("ash"), t0())),
        ]
    ));
}

#[test]
fn what_is_wrong_is_told_at_once() {
    let wrong = OfferFee { code: " ".into(), description: "x".repeat(501), ..order(0, "2019-02-04") };
    assert_eq!(codes(&offered(wrong, &[])), ["fee_service_required", "fee_service_required", "fee_out_of_range"]);
    assert_eq!(codes(&offered(order(100_000_001, "2019-02-04"), &[])), ["fee_out_of_range"]);
    assert!(offered(order(100_000_000, "2019-02-04"), &[]).is_ok());
    let left = member().withdraw(None, t0()).unwrap().0;
    let id = Uuid::from_u128(40).into();
    let late = Fee::offer(id, order(1, "2019-02-04"), &left, &[], (vec![], None), &actor("ash"), t0());
    assert_eq!(codes(&late), ["membership_not_live"]);
}

#[test]
fn a_later_fee_takes_the_place_of_the_one_before() {
    let first = fee(400_000, "2018-04-01", &[]);
    assert_eq!(first.supersedes, None, "the first may begin in the past");
    let second = fee(410_000, "2019-04-01", std::slice::from_ref(&first));
    assert_eq!(second.supersedes, Some(first.id));
    let both = [first, second.clone()];
    assert_eq!(codes(&offered(order(1, "2019-04-01"), &both)), ["fee_not_later"]);
    assert_eq!(codes(&offered(order(1, "2019-02-03"), &both)), ["fee_not_later", "fee_backdated"]);
    let other = OfferFee { code: "SOLO".into(), ..order(1, "2017-01-01") };
    assert_eq!(offered(other, &both).unwrap().0.supersedes, None, "another service has fees of its own");

    let early = withdrawn(&second, "2019-03-01T00:00:00Z");
    assert!(!early.counts(), "it was never asked");
    let again = [both[0].clone(), early];
    assert_eq!(fee(405_000, "2019-03-15", &again).supersedes, Some(both[0].id));
    let late = withdrawn(&both[0], "2019-01-01T00:00:00Z");
    assert!(late.counts());
    assert_eq!(codes(&offered(order(1, "2019-02-03"), std::slice::from_ref(&late))), ["fee_backdated"]);
    assert_eq!(fee(1, "2019-02-04", &[late]).supersedes, None);
}

#[test]
fn ac_61_an_abnormally_high_fee_is_flagged_and_accepted() {
    let others = || vec![Pence(400_001), Pence(390_000), Pence(400_000), Pence(500_000)];
    let quarter = Some(BasisPoints(2_500));
    let offer = |pence, others, over| {
        let id = Uuid::from_u128(40).into();
        Fee::offer(id, order(pence, "2019-02-04"), &member(), &[], (others, over), &actor("ash"), t0()).unwrap()
    };
    // The median of four is 400,000.5 pence, which is 400,001; a quarter above it 500,001.25.
    let (fee, events) = offer(500_002, others(), quarter);
    assert_eq!(fee.abnormal, Some(Abnormal { median_pence: Pence(400_001), over: BasisPoints(2_500) }));
    assert_eq!(fee.as_offered().abnormal, None);
    assert_eq!(events.iter().map(|e| fee.audience(e)).collect::<Vec<_>>(), [Audience::Parties, Audience::Buyers]);
    assert_eq!(offer(500_001, others(), quarter).1.len(), 1, "not above the limit");
    assert_eq!(offer(500_002, others(), None).1.len(), 1, "no policy");
    assert_eq!(offer(90_000_000, vec![Pence(1), Pence(1)], quarter).1.len(), 1, "too few to compare with");
}

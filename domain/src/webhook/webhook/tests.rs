use super::*;
use crate::kernel::Role;
use crate::standing::tests::{actor, codes, t0, table};

fn filters(kinds: &[&str]) -> Filters {
    Filters { kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(), ..Filters::default() }
}

fn subscribe(filters: Filters, others: usize) -> Decision<Webhook> {
    let id = Uuid::from_u128(1).into();
    Webhook::subscribe(id, &actor("lead"), "https://example.org/".into(), None, filters, others, t0())
}

fn active() -> Webhook {
    subscribe(Filters::default(), 0).unwrap().0
}

fn event() -> Uuid {
    Uuid::from_u128(9)
}

#[test]
fn golden_table() {
    let failing = active().fail(event(), Undelivered::Exhausted, t0()).unwrap().0;
    let states = vec![active(), active().pause(t0()).unwrap().0, failing, active().delete(t0()).unwrap().0];
    let too_many = filters(&["Suspended"; KINDS + 1]);
    insta::assert_snapshot!(table(
        states,
        &[
            ("change", &|s: Webhook| s.change(Some("https://example.org/b".into()), None, None)),
            ("change badly", &|s: Webhook| s.change(None, None, Some(too_many.clone()))),
            ("rotate", &|s: Webhook| s.rotate(t0())),
            ("replay", &Webhook::replay),
            ("pause", &|s: Webhook| s.pause(t0())),
            ("resume", &|s: Webhook| s.resume(false)),
            ("fail", &|s: Webhook| s.fail(event(), Undelivered::Gone, t0())),
            ("delete", &|s: Webhook| s.delete(t0())),
        ]
    ));
}

#[test]
fn filters_and_numbers_have_limits() {
    assert_eq!(codes(&subscribe(filters(&["Suspended"; KINDS]), PER_OWNER - 1)), [""; 0]);
    assert_eq!(codes(&subscribe(filters(&[""]), PER_OWNER)), ["too_many_webhooks", "webhook_filter_unusable"]);
}

#[test]
fn a_change_that_changes_nothing_is_no_event() {
    assert_eq!(active().change(Some("https://example.org/".into()), None, None).unwrap().1, []);
}

#[test]
fn only_what_could_not_be_delivered_is_skipped() {
    let skipped = |s: Webhook| match &s.resume(true).unwrap().1[..] {
        [WebhookEvent::WebhookResumed { skipped, .. }] => *skipped,
        other => panic!("{other:?}"),
    };
    assert_eq!(skipped(active().pause(t0()).unwrap().0), None);
    assert_eq!(skipped(active().fail(event(), Undelivered::Gone, t0()).unwrap().0), Some(event()));
}

#[test]
fn another_account_is_another_owner() {
    let owner = actor("lead");
    assert!(active().is_of(&owner));
    assert!(!active().is_of(&actor("other")));
    assert!(!active().is_of(&Actor { role: Role::Script, ..owner.clone() }));
    assert!(!active().is_of(&Actor { provider: Some(Uuid::from_u128(3).into()), ..owner.clone() }));
    assert!(!active().delete(t0()).unwrap().0.is_of(&owner), "what is deleted is nobody's");
}

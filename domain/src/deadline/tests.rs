use super::*;
use crate::arrangement::{Regime, TellAhead};

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn about() -> About {
    About { arrangement: Some(Uuid::from_u128(1).into()), ..About::default() }
}

fn watch(stated: &StatedDeadline, policies: &Policies, now: &str) -> Option<WatchedDeadline> {
    let of = (Kind::Round, Uuid::from_u128(2));
    WatchedDeadline::set(Uuid::from_u128(3).into(), of, about(), stated, policies, at(now)).map(|set| set.0)
}

fn closes() -> StatedDeadline {
    StatedDeadline::at(DeadlineKind::RoundCloses, at("2019-04-13T23:00:00Z"))
}

/// All that is told from `deadline` on, with the instant at which the clock tells it.
fn told(mut deadline: WatchedDeadline) -> Vec<(String, &'static str)> {
    let mut all = Vec::new();
    while let Some(due) = deadline.due() {
        let (next, events) = deadline.tick(due.at).unwrap();
        let name = match events[0] {
            DeadlineEvent::DeadlineNear { .. } => "near",
            DeadlineEvent::DeadlineMissed { .. } => "missed",
            _ => "over",
        };
        all.push((due.at.to_string(), name));
        deadline = next;
    }
    all
}

#[test]
fn what_is_coming_is_told_ahead_once_each_by_policy() {
    let policies = Policies::default();
    let told_from = |now| told(watch(&closes(), &policies, now).unwrap());
    // Seven days and one day before, at the same London clock time.
    let seven = ("2019-04-06T23:00:00Z".to_owned(), "near");
    let one = ("2019-04-12T23:00:00Z".to_owned(), "near");
    let over = ("2019-04-13T23:00:00Z".to_owned(), "over");
    assert_eq!(told_from("2019-03-15T00:00:00Z"), [seven, one.clone(), over.clone()]);
    assert_eq!(told_from("2019-04-10T00:00:00Z"), [one, over.clone()], "the seventh day had passed");
    let silent = Policies { tell_ahead: TellAhead { rounds: vec![], ..TellAhead::default() }, ..policies.clone() };
    assert_eq!(told(watch(&closes(), &silent, "2019-03-15T00:00:00Z").unwrap()), [over]);
}

#[test]
fn what_was_missed_is_told_once_and_stays_missed() {
    let policies = Policies::default();
    let owed = StatedDeadline::at(DeadlineKind::Hearing, at("2019-05-01T00:00:00Z"));
    let watched = watch(&owed, &policies, "2019-04-01T00:00:00Z").unwrap();
    // However late the sweep: nothing is near that has passed.
    let (missed, events) = watched.tick(at("2019-06-01T00:00:00Z")).unwrap();
    assert!(matches!(events.as_slice(), [DeadlineEvent::DeadlineMissed { .. }]));
    assert_eq!(missed.state, DeadlineState::Missed { since: at("2019-05-01T00:00:00Z") });
    assert_eq!(missed.due(), None);
    let (again, events) = missed.clone().restate(&owed, &policies, at("2019-06-02T00:00:00Z")).unwrap();
    assert!(events.is_empty() && again == missed);
    let later = StatedDeadline::at(DeadlineKind::Hearing, at("2019-07-01T00:00:00Z"));
    let (moved, _) = missed.restate(&later, &policies, at("2019-06-02T00:00:00Z")).unwrap();
    assert_eq!(moved.state, DeadlineState::Running);
    assert_eq!(moved.close(at("2019-06-03T00:00:00Z")).unwrap().0.due(), None);
}

#[test]
fn a_rule_is_a_deadline_where_the_regime_knows_it() {
    let by_law = StatedDeadline {
        what: DeadlineKind::Evaluation,
        item: None,
        due: DueBy::Rule("PCR34-16", at("2019-01-04T10:00:00Z")),
    };
    let under = |regime| Policies { regime: Some(regime), ..Policies::default() };
    assert_eq!(watch(&by_law, &under(Regime::PcrLightTouch), "2019-01-04T10:00:00Z"), None);
    let watched = watch(&by_law, &under(Regime::Pcr34), "2019-01-04T10:00:00Z").unwrap();
    assert_eq!((watched.due_at, watched.rule.as_deref()), (at("2019-01-19T00:00:00Z"), Some("PCR34-16")));
}

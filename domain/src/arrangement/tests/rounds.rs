use proptest::prelude::*;

use super::*;

const FIRST_CLOSE: &str = "2019-02-03T00:00:00Z";

fn new(opens_at: &str) -> NewRound {
    let opens_at = at(opens_at);
    NewRound { lots: LotScope::All, opens_at, closes_at: None, evaluation_from: None, evaluation_to: None, extra: None }
}

fn only(lots: &[u128]) -> LotScope {
    LotScope::Some { lots: lots.iter().map(|n| LotId(uuid(*n))).collect() }
}

fn schedule_among(rounds: &[Round], new: NewRound, now: &str) -> Decision<Round> {
    let live = live_with(Policies::default());
    let facts = ScheduleFacts { policies: &live.policies, in_force: live.in_force(), rounds };
    Round::schedule(RoundId(uuid(100 + rounds.len() as u128)), live.id, new, facts, at(now))
}

fn first() -> Round {
    schedule_among(&[], new(MIDNIGHT), "2019-01-01T00:00:00Z").unwrap().0
}

/// Rounds from January and from April.
fn two() -> [Round; 2] {
    let second = schedule_among(&[first()], new("2019-04-03T23:00:00Z"), "2019-01-01T00:00:00Z").unwrap().0;
    [first(), second]
}

fn cancelled() -> Round {
    first().cancel("Postponed".to_owned(), at("2019-01-03T23:59:59Z")).unwrap().0
}

#[test]
fn golden_table() {
    type Command = (&'static str, fn(Round) -> Decision<Round>);
    let commands: Vec<Command> = vec![
        ("open", |r| r.open(at(FIRST_CLOSE))),
        ("close", |r| r.close(at(FIRST_CLOSE))),
        ("start_evaluation", |r| r.start_evaluation(at(FIRST_CLOSE))),
        ("complete", |r| r.complete(0, at(FIRST_CLOSE))),
        ("cancel", |r| r.cancel("Postponed".to_owned(), at("2019-01-03T23:59:59Z"))),
        ("lengthen", |r| {
            let live = live_with(Policies::default());
            let facts = ScheduleFacts { policies: &live.policies, in_force: live.in_force(), rounds: &[] };
            r.lengthen(at("2019-02-10T00:00:00Z"), "More time".to_owned(), facts, at(MIDNIGHT))
        }),
        ("reinstate", |r| {
            let live = live_with(Policies::default());
            let facts = ScheduleFacts { policies: &live.policies, in_force: live.in_force(), rounds: &[] };
            r.reinstate("A mistake".to_owned(), facts, at("2019-01-03T23:59:59Z"))
        }),
        ("tick", |r| r.tick(at(FIRST_CLOSE))),
    ];
    let open = first().open(at(MIDNIGHT)).unwrap().0;
    let closed = open.clone().close(at(FIRST_CLOSE)).unwrap().0;
    let evaluating = closed.clone().start_evaluation(at(FIRST_CLOSE)).unwrap().0;
    let completed = evaluating.clone().complete(0, at(FIRST_CLOSE)).unwrap().0;
    let mut table = String::new();
    let ended = open.clone().end("Terminated".to_owned(), at(MIDNIGHT)).unwrap().0;
    for before in [first(), open, closed, evaluating, completed, cancelled(), ended] {
        survives_storage(&before);
        for (name, command) in &commands {
            table.push_str(&line(&before, name, command(before.clone())));
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn ac_01_the_first_round_closes_after_thirty_days() {
    assert_eq!(first().window.closes_at, at(FIRST_CLOSE));
    let live = live_with(Policies::default());
    assert_eq!(first_round(&live.policies, live.term().unwrap()), Some(first().window));
    let exact = NewRound { closes_at: Some(at(FIRST_CLOSE)), ..new(MIDNIGHT) };
    assert!(schedule_among(&[], exact, MIDNIGHT).is_ok());
    let short = NewRound { closes_at: Some(at("2019-02-02T23:59:59Z")), ..new(MIDNIGHT) };
    assert_eq!(refused(schedule_among(&[], short, MIDNIGHT)), ["first_round_length"]);
}

#[test]
fn ac_02_thirty_days_across_the_clock_change_end_at_the_same_clock_time() {
    let round = schedule_among(&[], new("2019-03-15T00:00:00Z"), MIDNIGHT).unwrap().0;
    assert_eq!(round.window.closes_at, at("2019-04-13T23:00:00Z"));
}

#[test]
fn ac_03_evaluation_starts_only_after_the_close() {
    let open = first().open(at(MIDNIGHT)).unwrap().0;
    assert_eq!(refused(open.clone().start_evaluation(at("2019-01-20T00:00:00Z"))), ["wrong_state"]);
    let later = NewRound { evaluation_from: Some(at("2019-02-10T00:00:00Z")), ..new(MIDNIGHT) };
    let closed = schedule_among(&[], later, MIDNIGHT).unwrap().0.open(at(MIDNIGHT)).unwrap().0;
    let closed = closed.close(at(FIRST_CLOSE)).unwrap().0;
    assert_eq!(refused(closed.clone().start_evaluation(at("2019-02-09T23:59:59Z"))), ["round_not_due"]);
    let evaluating = closed.start_evaluation(at("2019-02-10T00:00:00Z")).unwrap().0;
    assert_eq!(refused(evaluating.complete(1, at("2019-03-01T00:00:00Z"))), ["lines_undecided"]);
}

fn routed(mode: AdmissionMode, rounds: &[Round], now: &str) -> Result<Routing, Refusal> {
    route(mode, rounds, &[LotId(uuid(2))], at(now))
}

#[test]
fn ac_04_between_rounds_a_submission_waits_for_the_next_one() {
    let batched = |now| routed(AdmissionMode::ContinuousReceiptBatched, &two(), now);
    let queued = Routing::Queued { round: two()[1].id, opens_at: at("2019-04-03T23:00:00Z") };
    assert_eq!(
        batched("2019-02-02T23:59:59.999999Z"),
        Ok(Routing::Open { round: two()[0].id, closes_at: at(FIRST_CLOSE) })
    );
    assert_eq!(batched(FIRST_CLOSE), Ok(queued), "at the close it is too late for the first");
    assert_eq!(batched("2019-04-03T22:59:59Z"), Ok(queued));
    assert!(matches!(batched("2019-04-03T23:00:00Z"), Ok(Routing::Open { .. })));
    // It stays open to its last day: with no further round it is decided on arrival (DPS-10).
    assert_eq!(batched("2019-06-01T00:00:00Z"), Ok(Routing::Evaluate));
}

#[test]
fn ac_05_windowed_refuses_between_rounds_and_names_the_next_opening() {
    let refusal = routed(AdmissionMode::Windowed, &two(), FIRST_CLOSE).unwrap_err();
    let Refusal::Rules(found) = refusal else { panic!("{refusal:?}") };
    assert_eq!((found[0].rule.code, found[0].rule.nature), ("round_not_open", Nature::Conflict));
    assert!(found[0].detail.contains("2019-04-04"), "the date in London: {}", found[0].detail);
    assert!(matches!(routed(AdmissionMode::Windowed, &two(), MIDNIGHT), Ok(Routing::Open { .. })));
    let none = routed(AdmissionMode::Windowed, &[cancelled()], MIDNIGHT).unwrap_err();
    assert_eq!(codes(&none), ["round_not_open"]);
}

#[test]
fn ac_06_rolling_evaluates_at_once_without_a_round() {
    assert_eq!(routed(AdmissionMode::Rolling, &[], MIDNIGHT), Ok(Routing::Evaluate));
    let closed = routed(AdmissionMode::Closed, &two(), MIDNIGHT).unwrap_err();
    assert_eq!(codes(&closed), ["admission_closed"]);
}

#[test]
fn a_round_receives_only_for_lots_that_it_covers_all() {
    let some = NewRound { lots: only(&[2, 3]), ..new(MIDNIGHT) };
    let round = schedule_among(&[], some, MIDNIGHT).unwrap().0;
    let to = |lots: &[u128]| {
        let lots: Vec<_> = lots.iter().map(|n| LotId(uuid(*n))).collect();
        route(AdmissionMode::Windowed, std::slice::from_ref(&round), &lots, at(MIDNIGHT)).is_ok()
    };
    assert!(to(&[2]) && to(&[3, 2]) && !to(&[2, 4]) && !to(&[4]));
}

#[test]
fn ac_21_receipt_is_half_open_whatever_the_sweep_did() {
    for round in [first(), first().open(at(MIDNIGHT)).unwrap().0] {
        assert!(!round.accepts_at(at("2019-01-03T23:59:59.999999Z")));
        assert!(round.accepts_at(at(MIDNIGHT)));
        assert!(round.accepts_at(at("2019-02-02T23:59:59.999999Z")));
        assert!(!round.accepts_at(at(FIRST_CLOSE)));
    }
    assert!(!cancelled().accepts_at(at(MIDNIGHT)));
}

#[test]
fn rounds_open_and_close_never_early_and_late_as_of_their_instants() {
    let early = at("2019-01-03T23:59:59.999999Z");
    assert_eq!(refused(first().open(early)), ["round_not_due"]);
    assert_eq!(refused(first().tick(early)), ["nothing_due"]);
    let late = at("2019-03-01T00:00:00Z");
    let (open, events) = first().tick(late).unwrap();
    assert_eq!(events, [RoundEvent::RoundOpened { number: 1, effective_at: at(MIDNIGHT) }]);
    assert_eq!(refused(open.clone().close(at("2019-02-02T23:59:59Z"))), ["round_not_due"]);
    let (closed, events) = open.tick(late).unwrap();
    assert_eq!(events, [RoundEvent::RoundClosed { number: 1, effective_at: at(FIRST_CLOSE) }]);
    assert_eq!(closed.due(), None);
    assert_eq!(refused(closed.tick(late)), ["nothing_due"]);
    assert_eq!(refused(first().cancel("Late".to_owned(), at(MIDNIGHT))), ["round_has_opened"]);
}

#[test]
fn rounds_that_share_a_lot_follow_each_other() {
    let among = |rounds: &[Round], opens_at| refused(schedule_among(rounds, new(opens_at), MIDNIGHT));
    assert_eq!(among(&[first()], "2019-02-02T23:59:59Z"), ["round_overlaps"]);
    assert!(schedule_among(&[first()], new(FIRST_CLOSE), MIDNIGHT).is_ok(), "one may follow at once");
    assert_eq!(among(&two()[1..], "2019-02-10T00:00:00Z"), ["round_out_of_order"]);
    let apart = |lots: &[u128]| NewRound { lots: only(lots), ..new(MIDNIGHT) };
    let left = schedule_among(&[], apart(&[2]), MIDNIGHT).unwrap().0;
    let right = schedule_among(std::slice::from_ref(&left), apart(&[3]), MIDNIGHT).unwrap().0;
    assert_eq!((left.number, right.number), (1, 2), "other lots may be received for at the same time");
    assert_eq!(refused(schedule_among(&[left], apart(&[3, 2]), MIDNIGHT)), ["round_overlaps"]);
    let again = schedule_among(&[cancelled()], new(MIDNIGHT), MIDNIGHT).unwrap().0;
    assert_eq!((again.number, again.window), (2, first().window), "a cancelled round is in no one's way");
}

#[test]
fn a_round_lies_within_the_term_and_in_the_future() {
    let among = |new, now| refused(schedule_among(&two(), new, now));
    let last = NewRound { closes_at: Some(at("2029-03-31T23:00:00Z")), ..new("2029-03-01T00:00:00Z") };
    assert!(schedule_among(&two(), last.clone(), MIDNIGHT).is_ok());
    let beyond = NewRound { closes_at: Some(at("2029-03-31T23:00:01Z")), ..last };
    assert_eq!(among(beyond, MIDNIGHT), ["round_outside_term"]);
    let early = "2019-01-03T23:59:59Z";
    assert_eq!(refused(schedule_among(&[], new(early), early)), ["round_outside_term"]);
    assert_eq!(refused(schedule_among(&[], new(MIDNIGHT), FIRST_CLOSE)), ["round_in_the_past"]);
    let half_over = "2019-01-20T00:00:00Z";
    assert_eq!(refused(schedule_among(&[], new(MIDNIGHT), half_over)), ["round_in_the_past"]);
    let opens_at = "2020-01-01T00:00:00Z";
    let backwards = NewRound {
        closes_at: Some(at(opens_at)),
        evaluation_from: Some(at("2019-12-31T00:00:00Z")),
        evaluation_to: Some(at("2019-12-31T00:00:00Z")),
        ..new(opens_at)
    };
    assert_eq!(among(backwards, MIDNIGHT), ["round_backwards"; 3]);
    let nothing = NewRound { lots: only(&[]), ..new(opens_at) };
    assert_eq!(among(nothing, MIDNIGHT), ["round_lots_required"]);
    let draft = draft_with(Policies { admission_mode: AdmissionMode::Rolling, ..Policies::default() });
    let facts = ScheduleFacts { policies: &draft.policies, in_force: draft.in_force(), rounds: &[] };
    let refusal = Round::schedule(RoundId(uuid(9)), draft.id, new(MIDNIGHT), facts, at(MIDNIGHT));
    assert_eq!(refused(refusal), ["rounds_not_used", "arrangement_not_in_force"]);
}

/// The rounds that follow `window` by those policies until `end`, each announced when the one before it opens.
fn series(policies: &Policies, window: Window, end: Instant) -> Vec<Window> {
    let mut rounds = vec![Round { window, ..first() }];
    while let Some(new) =
        follow_up(policies, rounds.last().unwrap(), &rounds, end, rounds.last().unwrap().window.opens_at)
    {
        let (closes_at, evaluation_to) = (new.closes_at.unwrap(), new.evaluation_to.unwrap());
        let window = Window { opens_at: new.opens_at, closes_at, evaluation_from: closes_at, evaluation_to };
        rounds.push(Round { id: RoundId(uuid(500 + rounds.len() as u128)), window, ..first() });
    }
    rounds.drain(1..).map(|round| round.window).collect()
}

fn openings(windows: &[Window]) -> Vec<String> {
    windows.iter().map(|window| window.opens_at.civil().to_string()).collect()
}

#[test]
fn ac_46_quarterly_rounds_from_the_first_of_january() {
    let policies = Policies::default();
    let all = series(&policies, Window::of(&policies, at("2019-01-01T00:00:00Z"), 30), at("2029-03-31T23:00:00Z"));
    assert_eq!(openings(&all[..3]), ["2019-04-01 00:00:00", "2019-07-01 00:00:00", "2019-10-01 00:00:00"]);
}

#[test]
fn the_next_round_skips_intervals_that_overlap_and_ends_with_the_term() {
    let policies = Policies { round_interval_months: 1, ..Policies::default() };
    let long = Window::of(&policies, at("2019-01-31T00:00:00Z"), 60);
    let next = |policies: &Policies, end: &str| openings(&series(policies, long, at(end))).first().cloned();
    assert_eq!(next(&policies, "2029-04-01T00:00:00Z").as_deref(), Some("2019-04-30 00:00:00"), "the 31st clamps");
    assert_eq!(next(&policies, "2019-05-29T23:00:00Z").as_deref(), Some("2019-04-30 00:00:00"));
    assert_eq!(next(&policies, "2019-05-29T22:59:59Z"), None, "it would not end within the term");
    let rolling = Policies { admission_mode: AdmissionMode::Rolling, ..policies };
    assert_eq!(next(&rolling, "2029-04-01T00:00:00Z"), None);
    let live = live_with(rolling);
    assert_eq!(first_round(&live.policies, live.term().unwrap()), None);
}

#[test]
fn a_last_round_is_shortened_by_policy_so_that_it_can_be_evaluated_within_the_term() {
    let policies = Policies { last_round: LastRound::Shortened, evaluation_days: 10, ..Policies::default() };
    let end = at("2019-04-24T23:00:00Z");
    let all = series(&policies, first().window, end);
    let [last] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!(last.opens_at, at("2019-04-03T23:00:00Z"));
    assert_eq!((last.closes_at, last.evaluation_to), (at("2019-04-14T23:00:00Z"), end));
    // One that could not be evaluated any more is none.
    assert_eq!(series(&policies, first().window, at("2019-04-13T23:00:00Z")), []);
    let none = Policies { last_round: LastRound::OnArrival, ..policies };
    assert_eq!(series(&none, first().window, end), []);
}

#[test]
fn an_application_for_lots_of_several_rounds_goes_to_the_last_of_them_to_close() {
    let of = |lots: &[u128], opens_at| NewRound { lots: only(lots), ..new(opens_at) };
    let one = schedule_among(&[], of(&[2], MIDNIGHT), MIDNIGHT).unwrap().0;
    let other = schedule_among(std::slice::from_ref(&one), of(&[3], "2019-01-10T00:00:00Z"), MIDNIGHT).unwrap().0;
    let rounds = [one, other];
    let to = |lots: &[u128], now| {
        let lots: Vec<_> = lots.iter().map(|n| LotId(uuid(*n))).collect();
        route(AdmissionMode::ContinuousReceiptBatched, &rounds, &lots, at(now)).unwrap()
    };
    assert!(matches!(to(&[2, 3], MIDNIGHT), Routing::Queued { round, .. } if round == rounds[1].id));
    assert!(matches!(to(&[2, 3], "2019-01-20T00:00:00Z"), Routing::Open { round, .. } if round == rounds[1].id));
    assert!(matches!(to(&[2, 4], MIDNIGHT), Routing::Open { round, .. } if round == rounds[0].id));
    assert_eq!(to(&[4], MIDNIGHT), Routing::Evaluate);
}

fn following(round: &Round, rounds: &[Round], now: &str) -> Option<NewRound> {
    follow_up(&Policies::default(), round, rounds, at("2029-03-31T23:00:00Z"), at(now))
}

#[test]
fn what_follows_a_round_is_never_over_already() {
    let late = "2019-05-03T23:00:00Z";
    let new = following(&first(), &[first()], late).unwrap();
    assert_eq!(new.opens_at.civil().to_string(), "2019-07-04 00:00:00", "the one from April closed at that instant");
    assert!(schedule_among(&[first()], new, late).is_ok());
    let half_over = following(&first(), &[first()], "2019-04-20T00:00:00Z").unwrap();
    assert_eq!(half_over.opens_at.civil().to_string(), "2019-07-04 00:00:00", "nor half over");
}

#[test]
fn a_later_round_of_its_lots_is_what_follows() {
    assert_eq!(following(&first(), &two(), MIDNIGHT), None);
    assert_eq!(following(&first(), &two(), "2019-06-01T00:00:00Z"), None, "late, it is later all the same");
    let adjacent = schedule_among(&[first()], new(FIRST_CLOSE), MIDNIGHT).unwrap().0;
    assert_eq!(following(&first(), &[first(), adjacent], FIRST_CLOSE), None);
    let lots = |numbers: &[u128], opens_at| NewRound { lots: only(numbers), ..new(opens_at) };
    let left = schedule_among(&[], lots(&[2], MIDNIGHT), MIDNIGHT).unwrap().0;
    let right = schedule_among(std::slice::from_ref(&left), lots(&[3], "2019-04-03T23:00:00Z"), MIDNIGHT).unwrap().0;
    let next = following(&left, &[left.clone(), right], MIDNIGHT).unwrap();
    assert_eq!(next.lots, only(&[2]), "a round of other lots is none of its");
}

#[test]
fn what_replaces_a_cancelled_first_round_has_the_length_of_a_first_round() {
    let policies = Policies { first_round_days: 40, round_window_days: 20, ..Policies::default() };
    let among = |rounds: &[Round]| {
        let new = follow_up(&policies, &cancelled(), rounds, at("2029-03-31T23:00:00Z"), at("2019-01-03T00:00:00Z"))?;
        let live = live_with(policies.clone());
        let facts = ScheduleFacts { policies: &live.policies, in_force: live.in_force(), rounds };
        Round::schedule(RoundId(uuid(200)), live.id, new, facts, at("2019-01-03T00:00:00Z")).map(|made| made.0).ok()
    };
    let made = among(&[cancelled()]).unwrap();
    assert_eq!(made.window.closes_at, made.window.opens_at.plus_days(40));
    let [mut open, _] = two();
    open.window.opens_at = at("2018-11-01T00:00:00Z");
    open.window.closes_at = at("2018-12-01T00:00:00Z");
    open.id = RoundId(uuid(300));
    let made = among(&[open, cancelled()]).unwrap();
    assert_eq!(made.window.closes_at, made.window.opens_at.plus_days(20));
}

#[test]
fn cancelling_one_after_the_other_never_moves_the_next_opening_further_than_one_interval() {
    let now = "2019-03-01T00:00:00Z";
    let mut closed = first();
    closed.state = RoundState::Closed;
    let mut rounds = vec![closed];
    let announced = |rounds: &[Round], new| schedule_among(rounds, new, now).unwrap().0;
    let new_one = NewRound { lots: LotScope::All, ..new("2019-04-03T23:00:00Z") };
    rounds.push(announced(&rounds, new_one));
    let mut openings = Vec::new();
    for _ in 0..3 {
        let last = rounds.last_mut().unwrap();
        *last = last.clone().cancel("Not ready".to_owned(), at(now)).unwrap().0;
        let next = following(rounds.last().unwrap(), &rounds, now).unwrap();
        openings.push(next.opens_at.civil().date().to_string());
        rounds.push(announced(&rounds, next));
    }
    assert_eq!(openings, ["2019-07-04", "2019-04-04", "2019-07-04"]);
}

#[test]
fn an_extra_round_comes_between_and_changes_nothing_of_the_rhythm() {
    let now = "2019-02-10T00:00:00Z";
    let between = |extra: Option<&str>, opens_at, days: u32| {
        let closes_at = Some(at(opens_at).plus_days(days));
        schedule_among(&two(), NewRound { extra: extra.map(str::to_owned), closes_at, ..new(opens_at) }, now)
    };
    assert_eq!(refused(between(None, "2019-02-20T00:00:00Z", 10)), ["round_out_of_order"]);
    assert_eq!(refused(between(Some(" "), "2019-02-20T00:00:00Z", 10)), ["reason_required"]);
    assert_eq!(refused(between(Some("Need"), "2019-03-30T00:00:00Z", 10)), ["round_overlaps"]);
    let (extra, events) = between(Some("Need"), "2019-02-20T00:00:00Z", 10).unwrap();
    assert_eq!((extra.number, event_names(&events)), (3, vec!["RoundScheduled".to_owned()]));
    let [one, two] = two();
    let gone = two.cancel("Not ready".to_owned(), at(now)).unwrap().0;
    let rounds = [one, gone.clone(), Round { window: first().window, ..extra.clone() }];
    // The cancelled one gives way to the next of the rhythm, not to one counted from the extra round.
    let next = following(&gone, &rounds, now).unwrap();
    assert_eq!(next.opens_at.civil().date().to_string(), "2019-07-04");
}

#[test]
fn a_round_is_lengthened_before_it_closes_and_a_cancellation_undone_before_it_opens() {
    let live = live_with(Policies::default());
    let rounds = two();
    let facts = ScheduleFacts { policies: &live.policies, in_force: live.in_force(), rounds: &rounds };
    let lengthen = |round: Round, to: &str, now: &str| round.lengthen(at(to), "More time".to_owned(), facts, at(now));
    let open = rounds[0].clone().open(at(MIDNIGHT)).unwrap().0;
    let (longer, events) = lengthen(open.clone(), "2019-02-10T00:00:00Z", "2019-02-01T00:00:00Z").unwrap();
    assert_eq!(event_names(&events), ["RoundLengthened"]);
    assert_eq!(longer.window.evaluation_from, at("2019-02-10T00:00:00Z"), "its evaluation moves with it");
    assert!(longer.window.evaluation_to > open.window.evaluation_to);
    assert_eq!(refused(lengthen(open.clone(), "2019-02-02T00:00:00Z", "2019-02-01T00:00:00Z")), ["round_not_longer"]);
    assert_eq!(refused(lengthen(open.clone(), "2019-02-10T00:00:00Z", FIRST_CLOSE)), ["round_not_longer"]);
    assert_eq!(refused(lengthen(open, "2019-04-10T00:00:00Z", "2019-02-01T00:00:00Z")), ["round_overlaps"]);

    let reinstate = |rounds: &[Round], now: &str| {
        let facts = ScheduleFacts { policies: &live.policies, in_force: live.in_force(), rounds };
        cancelled().reinstate("A mistake".to_owned(), facts, at(now))
    };
    let back = reinstate(&[cancelled()], "2019-01-03T23:59:59Z").unwrap().0;
    assert_eq!((back.state().name(), back.window), ("scheduled", first().window));
    assert_eq!(refused(reinstate(&[cancelled()], MIDNIGHT)), ["round_has_opened"]);
    let other = Round { id: RoundId(uuid(7)), ..first() };
    assert_eq!(refused(reinstate(&[cancelled(), other], "2019-01-03T00:00:00Z")), ["round_overlaps"]);
}

proptest! {
    #[test]
    fn following_rounds_never_overlap_and_stay_in_the_term(
        first_round_days in 1..400_u32, round_interval_months in 1..13_u32, round_window_days in 1..120_u32,
        start in 0..2000_i64,
    ) {
        let policies = Policies { first_round_days, round_interval_months, round_window_days, ..Policies::default() };
        let live_at = at(MIDNIGHT).plus_seconds(start * 86_400);
        let end = live_at.plus_months(36);
        let mut window = Window::of(&policies, live_at, policies.first_round_days);
        for next in series(&policies, window, end) {
            prop_assert!(window.closes_at <= next.opens_at && next.opens_at < next.closes_at && next.closes_at <= end);
            window = next;
        }
    }

    #[test]
    fn batched_receipt_is_continuous(seconds in 0..20_000_000_i64) {
        let now = at("2018-11-01T00:00:00Z").plus_seconds(seconds);
        let last = two()[1].window.closes_at;
        let routed = route(AdmissionMode::ContinuousReceiptBatched, &two(), &[LotId(uuid(2))], now);
        prop_assert_eq!(routed == Ok(Routing::Evaluate), now >= last);
    }
}

//! The golden table, and what holds in every order of commands.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::kernel::Named;

type Command = (&'static str, fn(Application, Instant) -> Decision<Application>);

const COMMANDS: [Command; 19] = [
    ("set_lots", |app, now| {
        let all = lots();
        app.set_lots(vec![lot(2), lot(3)], LotFacts { all: &all, open: &all, held: &[] }, now)
    }),
    ("save_answer", |app, now| {
        let definition = definition();
        let values = BTreeMap::from([("incidents".to_owned(), json!(false))]);
        app.save_answer(Asked { requirement: requirement(), definition: &definition }, values, Some(false), now)
    }),
    ("attach_evidence", |app, now| {
        let definition = definition();
        app.attach_evidence(Asked { requirement: requirement(), definition: &definition }, item(), now)
    }),
    ("remove_evidence", |app, now| app.remove_evidence(requirement().requirement, "policy", now)),
    ("set_homes", |app, now| app.set_homes(Vec::new(), &[], now)),
    ("declare", |app, now| app.declare(Vec::new(), now)),
    ("accept_terms", |app, now| app.accept_terms("2017-1".to_owned(), now)),
    ("copy_from", |app, now| app.copy_from(&rejected(), now)),
    ("submit", |app, now| {
        let routing = match app.status {
            Status::Queued { .. } => queued(),
            _ => open(),
        };
        submit(app, routing, now)
    }),
    ("revise", Application::revise),
    ("withdraw", Application::withdraw),
    ("withdraw_line", |app, now| app.withdraw_line(lot(2), now)),
    ("lapse", |app, now| app.lapse("the arrangement's term has ended".to_owned(), now)),
    ("round_opened", |app, now| app.round_opened(closes(), now)),
    ("reroute", |app, _| app.reroute(Routing::Queued { round: round(2), opens_at: closes() })),
    ("begin_evaluation", Application::begin_evaluation),
    ("admit", |app, now| app.decide_line(lot(2), admit(), &[check(CheckOutcome::Passed)], &actor(), now)),
    ("reject", |app, now| app.decide_line(lot(2), reject(), &[check(CheckOutcome::Failed)], &actor(), now)),
    ("reopen_line", |app, now| {
        app.reopen_line(lot(2), "appeal", ReopenFacts { other_open: false, held: false }, &actor(), now)
    }),
];

fn lines(app: &Application) -> String {
    app.lines.iter().map(|line| line.status.name()).collect::<Vec<_>>().join("+")
}

#[test]
fn every_state_and_command() {
    let one_left = decide(in_evaluation(), lot(1), reject(), CheckOutcome::Failed).unwrap().0;
    let states = [
        ("draft", draft(), noon()),
        ("queued", submit(draft(), queued(), opens()).unwrap().0, noon()),
        ("queued, being revised", submit(draft(), queued(), opens()).unwrap().0.revise(opens()).unwrap().0, noon()),
        ("submitted", submitted(), noon()),
        ("submitted, being revised", submitted().revise(noon()).unwrap().0, noon()),
        ("submitted, at its close", submitted(), closes()),
        ("submitted, being revised, at its close", submitted().revise(noon()).unwrap().0, closes()),
        ("in evaluation, one line left", one_left, closes()),
        ("in evaluation, rolling", rolling(), noon()),
        ("decided", rejected(), closes()),
        ("withdrawn", submitted().withdraw(noon()).unwrap().0, noon()),
        ("lapsed", submitted().lapse("terminated".to_owned(), noon()).unwrap().0, noon()),
    ];
    let mut table = String::new();
    for (name, app, now) in states {
        writeln!(table, "{name} ({}) [{}]", app.state().name(), lines(&app)).unwrap();
        for (command, run) in COMMANDS {
            let outcome = match run(app.clone(), now) {
                Ok((new, events)) => {
                    let names =
                        events.iter().map(|e| serde_json::to_value(e).unwrap()["type"].as_str().unwrap().to_owned());
                    format!("{} [{}] {}", new.state().name(), lines(&new), names.collect::<Vec<_>>().join(", "))
                }
                Err(Refusal::WrongState { allowed, attempted, .. }) => {
                    assert!(!allowed.contains(&attempted), "{name}: {attempted}");
                    // The state does not know the command.
                    "-".to_owned()
                }
                Err(Refusal::Rules(all)) => {
                    format!("! {}", all.iter().map(|v| v.rule.code).collect::<Vec<_>>().join(", "))
                }
            };
            writeln!(table, "  {command:<17} {outcome}").unwrap();
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn it_reads_back_as_it_was_written() {
    for app in [draft(), submitted(), rolling(), reopen(rejected(), false, false).unwrap().0] {
        let text = serde_json::to_string(&app).unwrap();
        assert_eq!(serde_json::from_str::<Application>(&text).unwrap(), app, "{text}");
    }
    let event = serde_json::to_value(ApplicationEvent::EvaluationBegun { version: 1, round: None }).unwrap();
    assert_eq!(event, json!({"type": "EvaluationBegun", "version": 1, "round": null}));
}

#[test]
fn what_the_end_of_the_arrangement_leaves_undecided_lapses_and_what_was_decided_stands() {
    let one_left = decide(in_evaluation(), lot(1), reject(), CheckOutcome::Failed).unwrap().0;
    let (lapsed, events) = one_left.lapse("terminated".to_owned(), closes()).unwrap();
    assert_eq!(lines(&lapsed), "rejected+lapsed");
    assert_eq!((lapsed.is_open(), lapsed.round()), (false, None));
    assert_eq!(events, [ApplicationEvent::ApplicationLapsed { reason: "terminated".to_owned() }]);
    assert_eq!(codes(submitted().lapse(" ".to_owned(), noon())), [("reason_required", "/reason".to_owned())]);
    let (unseen, events) = draft().lapse("terminated".to_owned(), noon()).unwrap();
    assert_eq!(unseen.audience(&events[0]), crate::kernel::Audience::Provider);
}

#[test]
fn a_submission_never_moves_to_another_round() {
    let app = submitted().revise(noon()).unwrap().0;
    let later = Routing::Queued { round: round(2), opens_at: closes() };
    assert_eq!(codes(submit(app.clone(), later, noon())), [("round_closed", String::new())]);
    assert_eq!(codes(submit(app.clone(), Routing::Evaluate, noon())), [("round_closed", String::new())]);
    // Its round is still open, so the refusal does not say that it has closed.
    let said = |refusal: Refusal| match refusal {
        Refusal::Rules(broken) => broken.into_iter().map(|violation| violation.detail).collect::<Vec<_>>().join("; "),
        Refusal::WrongState { .. } => panic!("a submission is known here"),
    };
    assert!(!said(submit(app.clone(), later, noon()).unwrap_err()).contains("has closed"));
    assert!(said(submit(app, open(), closes()).unwrap_err()).contains("has closed"));
    let app = submit(draft(), queued(), opens()).unwrap().0.revise(noon()).unwrap().0;
    let (app, events) = submit(app, open(), noon()).unwrap();
    assert_eq!(app.state().name(), "submitted");
    assert!(matches!(events[1], ApplicationEvent::ApplicationRoundOpened { .. }));
}

proptest! {
    /// PRO-18, PRO-19, PRO-27: whatever is done in whatever order, what was submitted never changes, lines belong to
    /// the version that counts, and a draft is never there while buyers may look.
    #[test]
    fn submitted_versions_never_change(steps in proptest::collection::vec((0_usize..COMMANDS.len(), 0_i64..3), 0..24)) {
        let mut app = draft();
        let mut now = noon();
        for (command, days) in steps {
            now = now.plus_seconds(days * 86_400);
            if let Ok((new, events)) = COMMANDS[command].1(app.clone(), now) {
                prop_assert!(new.versions.starts_with(&app.versions));
                prop_assert!(events.is_empty() == (new == app), "an event for each change, and for nothing else");
                app = new;
            }
            prop_assert!(app.draft.is_none() || !app.content_visible_to_buyers());
            prop_assert!(app.is_open() || app.draft.is_none());
            let counted = app.counting().map(|v| v.content.lots.clone()).unwrap_or_default();
            prop_assert_eq!(app.lines.iter().map(|l| l.lot).collect::<Vec<_>>(), counted);
            let undecided = app.lines.iter().any(|l| l.status.is_undecided());
            prop_assert_eq!(undecided, app.is_open() && !matches!(app.status, Status::Draft));
        }
    }
}

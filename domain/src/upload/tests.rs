use std::fmt::Write as _;

use super::note::NOTES;
use super::*;
use crate::kernel::Named;
use crate::kernel::Refusal;

fn actor(role: Role, subject: &str) -> Actor {
    Actor { subject: subject.to_owned(), role, authority: None, provider: None }
}

fn received(mode: UploadMode, dry_run: bool) -> Upload {
    let file = UploadedFile { format: FileFormat::Csv, bytes: 3, sha256: String::new() };
    let order = Order { kind: UploadKind::Homes, mode, dry_run, file, subject: Subject::default() };
    let by = actor(Role::Portal, "portal");
    Upload::receive(uuid::Uuid::from_u128(1).into(), order, by, None, room(), Instant::from_micros(0)).unwrap().0
}

fn room() -> Room {
    Room { held: Held { open: 1, files: 2, bytes: 5 }, most_open: 2, most_bytes: 8 }
}

#[test]
fn an_account_has_room_for_so_many_files() {
    assert_eq!(room().takes(3), Ok(()));
    let held = room().held;
    let busy = Room { held: Held { open: 2, ..held }, ..room() };
    let many = Room { held: Held { files: FILES, ..held }, ..room() };
    for (room, bytes) in [(room(), 4), (busy, 3), (many, 0), (room(), u64::MAX)] {
        let Err(Refusal::Rules(violations)) = room.takes(bytes) else { panic!("{room:?} takes {bytes}") };
        assert_eq!(violations.iter().map(|v| v.rule).collect::<Vec<_>>(), [&UPLOAD_QUOTA]);
    }
}

fn counts(good: u64, refused: u64) -> Counts {
    Counts { rows: good + refused, added: good, refused, ..Counts::default() }
}

type Command<'a> = (&'a str, &'a dyn Fn(Upload) -> Decision<Upload>);

#[test]
fn golden_table() {
    let now = Instant::from_micros(1);
    let commands: &[Command<'_>] = &[
        ("validate", &|u| u.validate(counts(2, 1), now)),
        ("conclude all good", &|u| u.conclude(counts(3, 0), now)),
        ("conclude some good", &|u| u.conclude(counts(2, 1), now)),
        ("conclude none good", &|u| u.conclude(counts(0, 3), now)),
        ("conclude no rows", &|u| u.conclude(counts(0, 0), now)),
        ("reject", &|u| u.reject(counts(2, 1), now)),
        ("fail", &|u| u.fail(Failing::Server, counts(1, 0), now)),
    ];
    let mut table = String::new();
    for (name, mode, dry_run) in [
        ("atomic", UploadMode::Atomic, false),
        ("partial", UploadMode::Partial, false),
        ("dry run", UploadMode::Atomic, true),
    ] {
        let received = received(mode, dry_run);
        let validated = received.clone().validate(counts(2, 1), now).unwrap().0;
        let mut states = vec![
            received.clone(),
            validated.clone(),
            received.clone().reject(counts(2, 1), now).unwrap().0,
            received.fail(Failing::TimeLimit, counts(0, 0), now).unwrap().0,
        ];
        states.extend([counts(3, 0), counts(2, 1)].into_iter().filter_map(|c| {
            let after = validated.clone().conclude(c, now).ok()?.0;
            (after.state().name() != "rejected").then_some(after)
        }));
        for state in states {
            for (command, run) in commands {
                let outcome = match run(state.clone()) {
                    Ok((after, events)) => {
                        assert_eq!(events.len(), 1, "each command says what it did");
                        format!("-> {}", after.state().name())
                    }
                    Err(Refusal::WrongState { .. }) => "wrong_state".to_owned(),
                    Err(Refusal::Rules(rules)) => format!("{rules:?}"),
                };
                writeln!(table, "{name:<8} {:<10} {command:<19} {outcome}", state.state().name()).unwrap();
            }
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn what_is_rejected_had_no_effect() {
    let now = Instant::from_micros(1);
    let validated = received(UploadMode::Atomic, false).validate(counts(3, 0), now).unwrap().0;
    let rejected = validated.conclude(counts(97, 3), now).unwrap().0;
    let UploadState::Rejected { counts, .. } = rejected.state else { panic!("{:?}", rejected.state) };
    assert_eq!(counts, Counts { rows: 100, refused: 3, ..Counts::default() });
}

#[test]
fn an_owner_is_the_side_that_sent_it() {
    let provider = |subject: &str, id: u128| Actor {
        provider: Some(uuid::Uuid::from_u128(id).into()),
        ..actor(Role::Provider, subject)
    };
    assert_eq!(owner(&provider("a", 1)), owner(&provider("b", 1)));
    assert_ne!(owner(&provider("a", 1)), owner(&provider("a", 2)));
    assert_ne!(owner(&actor(Role::Portal, "a")), owner(&actor(Role::Portal, "b")));
    assert_ne!(owner(&actor(Role::Portal, "a")), owner(&actor(Role::Script, "a")));
}

#[test]
fn notes_of_the_same_words_are_one() {
    let mut notes = Vec::new();
    for row in 1..=30 {
        Note::add(&mut notes, [Note::new("a", "words").on(Some(row), Some(format!("SC{row}")))]);
    }
    Note::add(&mut notes, [Note::new("a", "other words"), Note::new("b", "words").on_all(vec!["x".to_owned(); 25])]);
    let told: Vec<_> = notes.iter().map(|n| (n.code.as_str(), n.count, n.rows.len(), n.about.len())).collect();
    assert_eq!(told, [("a", 30, 20, 20), ("a", 0, 0, 0), ("b", 25, 0, 20)]);
    Note::add(&mut notes, (0..200).map(|n| Note::new("c", n.to_string())));
    assert_eq!(notes.len(), NOTES);
}

#[test]
fn a_list_of_the_regulators_is_applied_as_far_as_it_goes() {
    for kind in UploadKind::ALL {
        assert_eq!(kind.usual_mode() == UploadMode::Partial, kind == UploadKind::Ratings);
    }
}

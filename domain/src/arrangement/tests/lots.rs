use super::*;

const NOW: &str = "2019-01-05T09:00:00Z";
const PINNED: RequirementRef = RequirementRef { requirement: RequirementId(uuid::Uuid::from_u128(7)), version: 1 };

fn particulars() -> LotParticulars {
    LotParticulars {
        code: "FOST".to_owned(),
        title: "Independent Fostering Agencies".to_owned(),
        description: String::new(),
        service_type: ServiceType::FosteringAgency,
        tupe: false,
    }
}

fn facts() -> ConditionFacts {
    ConditionFacts { regime: Regime::PcrLightTouch, published_at: None, evaluated: false }
}

fn defined(when: &str) -> Lot {
    Lot::define(LotId(uuid(2)), ArrangementId(uuid(1)), particulars(), false, false, at(when)).unwrap().0
}

fn draft() -> Lot {
    let lot = defined("2018-12-01T09:00:00Z").adopt(PINNED, 2, facts()).unwrap().0;
    let access = |authority: &str, right| Access { authority: code(authority), right };
    lot.set_access(vec![access("CCC", Right::Uses), access("PCC", Right::Reserved)]).unwrap().0
}

fn open() -> Lot {
    draft().open(true).unwrap().0
}

fn repinned(version: u32) -> RequirementRef {
    RequirementRef { version, ..PINNED }
}

#[test]
fn golden_table() {
    type Command = (&'static str, fn(Lot) -> Decision<Lot>);
    let commands: Vec<Command> = vec![
        ("amend", |l| l.amend(particulars(), false)),
        ("set_aliases", |l| l.set_aliases(vec![])),
        ("set_access", |l| l.set_access(vec![])),
        ("exercise_reserved", |l| l.exercise_reserved(code("PCC"))),
        ("adopt", |l| l.adopt(repinned(2), 2, facts())),
        ("drop_requirement", |l| l.drop_requirement(PINNED.requirement, facts())),
        ("open", |l| l.open(true)),
        ("pause", |l| l.pause("Review".to_owned(), at(NOW))),
        ("close", |l| l.close("No demand".to_owned(), at(NOW))),
    ];
    let paused = open().pause("Review".to_owned(), at(NOW)).unwrap().0;
    let closed = open().close("No demand".to_owned(), at(NOW)).unwrap().0;
    let mut table = String::new();
    for before in [draft(), open(), paused, closed] {
        survives_storage(&before);
        for (name, command) in &commands {
            table.push_str(&line(&before, name, command(before.clone())));
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn ac_20_an_alias_is_the_same_lot() {
    let alias = Alias { authority: code("PCC"), code: "Lot 1".to_owned(), label: "Lot 1 - IFA".to_owned() };
    let lot = open().set_aliases(vec![alias.clone()]).unwrap().0;
    assert_eq!(lot.known_to(&code("PCC")), ("Lot 1", "Lot 1 - IFA"));
    assert_eq!(lot.known_to(&code("CCC")), ("FOST", "Independent Fostering Agencies"));
    assert_eq!(lot.id, open().id);
    assert_eq!(refused(lot.set_aliases(vec![alias.clone(), alias])), ["authority_repeated"]);
}

#[test]
fn ac_28_a_reserved_right_is_exercised_once() {
    let lot = open();
    assert_eq!(lot.right_of(&code("PCC")), Right::Reserved);
    let lot = lot.exercise_reserved(code("PCC")).unwrap().0;
    assert_eq!(lot.right_of(&code("PCC")), Right::Uses);
    assert_eq!(refused(lot.clone().exercise_reserved(code("PCC"))), ["no_reserved_right"]);
    assert_eq!(refused(lot.exercise_reserved(code("NCC"))), ["no_reserved_right"]);
}

#[test]
fn a_lot_opens_only_with_requirements_in_an_arrangement_in_force() {
    let bare = defined(NOW);
    assert_eq!(refused(bare.open(false)), ["arrangement_not_in_force", "requirement_required"]);
    let taken = Lot::define(LotId(uuid(2)), ArrangementId(uuid(1)), particulars(), true, true, at(NOW));
    assert_eq!(refused(taken), ["lot_code_taken", "arrangement_over"]);
    assert_eq!(refused(open().pause(" ".to_owned(), at(NOW))), ["reason_required"]);
}

#[test]
fn requirements_are_free_until_a_line_is_evaluated_then_only_newer_versions() {
    let other = RequirementRef { requirement: RequirementId(uuid(8)), version: 1 };
    assert_eq!(open().adopt(other, 1, facts()).unwrap().0.requirements, [PINNED, other]);
    assert_eq!(refused(draft().adopt(repinned(3), 2, facts())), ["requirement_unknown"]);
    assert_eq!(refused(draft().adopt(repinned(0), 2, facts())), ["requirement_unknown"]);

    let evaluated = ConditionFacts { evaluated: true, ..facts() };
    let newer = open().adopt(repinned(2), 2, evaluated).unwrap().0;
    assert_eq!(newer.requirements, [repinned(2)]);
    assert_eq!(refused(newer.clone().adopt(PINNED, 2, evaluated)), ["requirements_fixed"]);
    assert_eq!(refused(newer.clone().adopt(other, 1, evaluated)), ["requirements_fixed"]);
    let drop = newer.clone().drop_requirement(PINNED.requirement, evaluated);
    assert_eq!(refused(drop), ["requirements_fixed", "requirement_required"]);
    assert_eq!(newer.clone().adopt(repinned(2), 2, evaluated).unwrap(), (newer, vec![]), "the same again is no change");
    assert_eq!(refused(draft().drop_requirement(other.requirement, facts())), ["requirement_not_adopted"]);
}

#[test]
fn a_market_keeps_its_conditions_from_publication() {
    let published =
        |when| ConditionFacts { regime: Regime::Pa23Market, published_at: Some(at(when)), evaluated: false };
    let after = published("2018-12-20T09:00:00Z");
    assert_eq!(refused(draft().adopt(repinned(2), 2, after)), ["conditions_fixed"], "though not open yet");
    assert_eq!(refused(open().adopt(repinned(2), 2, after)), ["conditions_fixed"]);
    let later = defined("2020-01-01T09:00:00Z").adopt(PINNED, 1, after).unwrap().0;
    let opened = later.open(true).unwrap().0;
    assert_eq!(
        refused(opened.adopt(repinned(2), 2, after)),
        ["conditions_fixed"],
        "a lot added later fixes by opening"
    );
    let before = ConditionFacts { published_at: None, ..after };
    assert!(draft().adopt(repinned(2), 2, before).is_ok());
}

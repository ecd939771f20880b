//! Shared fixtures: the Cambridgeshire and Peterborough DPS of 2019.

use serde_json::Value;

use super::arrangement::*;
use super::lot::*;
use super::publication::*;
use super::requirement::*;
use super::round::*;
use super::schedule::*;
use super::*;
use crate::kernel::*;

mod arrangements;
mod lots;
mod requirements;
mod rounds;

const MIDNIGHT: &str = "2019-01-04T00:00:00Z";

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn uuid(n: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(n)
}

fn code(text: &str) -> AuthorityCode {
    AuthorityCode::try_from(text.to_owned()).unwrap()
}

fn authority(text: &str) -> Participant {
    Participant { code: code(text), name: format!("{text} council") }
}

fn document(title: &str) -> DocumentRef {
    DocumentRef { title: title.to_owned(), uri: "https://example.org/spec.pdf".to_owned(), sha256: None }
}

fn new_arrangement() -> NewArrangement {
    NewArrangement {
        kind: ArrangementKind::Dps,
        lead: authority("LGSS"),
        participants: vec![authority("CCC"), authority("PCC")],
        particulars: Particulars {
            reference: "DPS-5247827".to_owned(),
            title: "Children's external placements".to_owned(),
            cpv: vec!["85311300-5".to_owned(), "85311000".to_owned()],
            specification: Some(document("Specification")),
            terms: Some(Terms { document: document("Terms"), version: "2019-01".to_owned() }),
            live_at: Some(at(MIDNIGHT)),
            contract_start: "2019-04-01".parse().ok(),
            ..Particulars::default()
        },
        policies: Policies::default(),
        imported: None,
    }
}

fn draft_with(policies: Policies) -> Arrangement {
    let new = NewArrangement { policies, ..new_arrangement() };
    Arrangement::create(ArrangementId(uuid(1)), new, at("2018-12-01T09:00:00Z")).unwrap().0
}

fn publication() -> PublicationFacts {
    PublicationFacts { lots: vec![LotFact { id: LotId(uuid(2)), code: "FOST".to_owned(), requirements: 1 }] }
}

fn live_with(policies: Policies) -> Arrangement {
    draft_with(policies).publish(&publication(), at("2018-12-20T09:00:00Z")).unwrap().0
}

fn codes(refusal: &Refusal) -> Vec<&'static str> {
    match refusal {
        Refusal::WrongState { .. } => vec!["wrong_state"],
        Refusal::Rules(violations) => violations.iter().map(|v| v.rule.code).collect(),
    }
}

fn refused<A: Aggregate + std::fmt::Debug>(decision: Decision<A>) -> Vec<&'static str>
where
    A::Event: std::fmt::Debug,
{
    codes(&decision.unwrap_err())
}

fn event_names<E: serde::Serialize>(events: &[E]) -> Vec<String> {
    let name = |event: &E| serde_json::to_value(event).unwrap()["type"].as_str().unwrap().to_owned();
    events.iter().map(name).collect()
}

/// One golden line for one command in one state; proves that table and transition agree.
fn line<A: Aggregate>(before: &A, command: &'static str, decision: Decision<A>) -> String {
    let knows = before.knows().contains(&command) || command == "tick";
    let outcome = match decision {
        Ok((after, events)) => {
            assert!(knows, "{command} works in {} but the table does not know it", before.state().name());
            format!("{} [{}]", after.state().name(), event_names(&events).join(", "))
        }
        Err(refusal) => {
            let wrong = matches!(refusal, Refusal::WrongState { .. });
            assert_eq!(wrong, !knows, "{command} in {}: {refusal:?}", before.state().name());
            format!("! {}", codes(&refusal).join(", "))
        }
    };
    format!("{:<12} {:<18} {outcome}\n", before.state().name(), command)
}

/// An aggregate survives storage as it is.
fn survives_storage<A: Aggregate + PartialEq + std::fmt::Debug>(aggregate: &A) {
    let stored = serde_json::to_string(aggregate).unwrap();
    assert_eq!(&serde_json::from_str::<A>(&stored).unwrap(), aggregate);
    assert_eq!(serde_json::from_str::<Value>(&stored).unwrap()["id"], aggregate.id().to_string());
}

#[test]
fn every_rule_code_is_declared_once() {
    let lists = [
        super::RULES,
        particulars::RULES,
        policy::RULES,
        publication::RULES,
        arrangement::RULES,
        lot::RULES,
        requirement::RULES,
        round::RULES,
        schedule::RULES,
    ];
    let mut all: Vec<_> = lists.iter().flat_map(|list| list.iter().map(|rule| rule.code)).collect();
    let declared = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), declared);
}

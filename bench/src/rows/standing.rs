//! The pure function that computes standing.

use std::hint::black_box;
use std::time::Instant as Stopwatch;

use domain::kernel::{Instant, Kind, MembershipId};
use domain::standing::{Effect, Impediment, StandingFacts, standing};
use uuid::Uuid;

use crate::report::{Goal, Row, median, number};
use crate::rows::Bench;

/// Members of the lot.
const MEMBERS: u32 = 10_000;
const DAY: i64 = 86_400;

/// The standing of ten thousand members at an instant. Two in five have impediments: a suspension that is over, one that
/// is in force, a concealed time, evidence that ran out.
pub fn measure(bench: &mut Bench) {
    let admitted = crate::machine::now().plus_seconds(-1_000 * DAY);
    let members: Vec<(MembershipId, Vec<Impediment>)> = (0..MEMBERS).map(|n| member(n, admitted)).collect();
    let mut times = Vec::new();
    let mut receiving = 0;
    for round in 0..200 {
        let at = admitted.plus_seconds(DAY * (100 + round));
        let began = Stopwatch::now();
        for (membership, impediments) in &members {
            let (membership, admitted_at) = (*membership, admitted);
            let facts = StandingFacts { membership, admitted_at, term: None, seen_by: None, impediments };
            receiving += u32::from(standing(black_box(&facts), black_box(at)).may_receive_referrals);
        }
        times.push(began.elapsed().as_secs_f64() * 1e9 / f64::from(MEMBERS));
    }
    let row = Row::new("", "standing of 10,000 members, pure function")
        .measured(format!("{} ns each", number(median(&times))))
        .value(&[median(&times)], "ns")
        .goal(Goal::AtMost(50.0))
        .note(format!("{receiving} of {} may receive", MEMBERS * 200));
    bench.table.add(row);
}

fn member(n: u32, admitted: Instant) -> (MembershipId, Vec<Impediment>) {
    let id = Uuid::from_u128(u128::from(n) + 1);
    let source = (Kind::Suspension, id);
    let at = |day: i64| admitted.plus_seconds(DAY * (day + i64::from(n % 97)));
    let over = Impediment::new(Effect::Suspended, source, at(10), Some(at(100)));
    let impediments = match n % 5 {
        0 => vec![over, Impediment::new(Effect::Suspended, source, at(150), None)],
        1 => vec![
            over,
            Impediment::new(Effect::Concealed, source, at(50), Some(at(200))),
            Impediment::new(Effect::EvidenceExpired, source, at(250), Some(at(260))),
        ],
        _ => Vec::new(),
    };
    (MembershipId(id), impediments)
}

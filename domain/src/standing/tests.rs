//! Fixtures of the subject's tests, every short sequence of commands, and the laws of the one standing function.

use std::fmt::Write as _;

use proptest::prelude::*;
use uuid::Uuid;

use super::improvement_notice::ImprovementNotice;
use super::removal::{Ground, NotifyRemoval, Removal, RemovalFacts, RemovalState};
use super::sanction::{ApplySanction, Sanction, SanctionKind};
use super::suspension::{Suspend, SuspendFacts, Suspension, SuspensionScope};
use super::*;
use crate::admission::membership::{AdmittedLine, Assurance, Membership};
use crate::arrangement::requirement::RequirementRef;
use crate::arrangement::{FailurePath, Policies, SuspensionEnd};
use crate::kernel::{Aggregate, Decision, HomeId, Kind, Named, ProviderId, Refusal, Role};

pub(crate) fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

pub(crate) fn t0() -> Instant {
    at("2019-02-04T00:00:00Z")
}

pub(crate) fn actor(subject: &str) -> Actor {
    Actor { subject: subject.to_owned(), role: Role::LeadAgency, authority: None, provider: None }
}

pub(crate) fn provider() -> Actor {
    let provider = Some(ProviderId(Uuid::from_u128(3)));
    Actor { subject: "home".to_owned(), role: Role::Provider, authority: None, provider }
}

pub(crate) fn line(assurances: Vec<Assurance>) -> AdmittedLine {
    AdmittedLine {
        arrangement: Uuid::from_u128(1).into(),
        lot: Uuid::from_u128(2).into(),
        provider: Uuid::from_u128(3).into(),
        application: Uuid::from_u128(4).into(),
        assurances,
    }
}

pub(crate) fn requirement() -> RequirementRef {
    RequirementRef { requirement: Uuid::from_u128(6).into(), version: 1 }
}

pub(crate) fn member() -> Membership {
    Membership::admit(Uuid::from_u128(5).into(), line(Vec::new()), false, t0()).unwrap().0
}

pub(crate) fn codes<A: Aggregate>(outcome: &Decision<A>) -> Vec<&'static str> {
    match outcome {
        Ok(_) => vec![],
        Err(Refusal::WrongState { .. }) => vec!["wrong_state"],
        Err(Refusal::Rules(all)) => all.iter().map(|v| v.rule.code).collect(),
    }
}

/// A command, and its name in the table.
pub(crate) type Command<'a, A> = (&'a str, &'a dyn Fn(A) -> Decision<A>);

/// Prints what each command makes of each state; states also survive the store.
pub(crate) fn table<A: Aggregate + PartialEq + std::fmt::Debug>(states: Vec<A>, commands: &[Command<'_, A>]) -> String {
    let mut out = String::new();
    for from in states {
        let stored = serde_json::to_string(&from).unwrap();
        assert_eq!(serde_json::from_str::<A>(&stored).unwrap(), from);
        for (name, command) in commands {
            let outcome = command(from.clone());
            let to = match &outcome {
                Ok((to, _)) => format!("-> {}", to.state().name()),
                Err(_) => codes(&outcome).join(", "),
            };
            writeln!(out, "{:20} {name:12} {to}", from.state().name()).unwrap();
        }
    }
    out
}

pub(crate) fn suspend_order(scope: SuspensionScope) -> Suspend {
    let m = member();
    Suspend {
        arrangement: m.arrangement,
        provider: m.provider,
        scope,
        from: None,
        months: None,
        reason: "late visits".to_owned(),
        evidence: vec![],
    }
}

pub(crate) fn lot_scope() -> SuspensionScope {
    SuspensionScope::Lot { membership: member().id, lot: member().lot }
}

/// A member with all that can be done to it.
#[derive(Clone)]
struct World {
    now: Instant,
    policies: Policies,
    member: Membership,
    suspensions: Vec<Suspension>,
    sanctions: Vec<Sanction>,
    removals: Vec<Removal>,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    SuspendProvider,
    SuspendLot,
    LiftFirst,
    LiftLast,
    Conceal,
    Restrict,
    LiftSanction,
    Notify,
    Decide,
    Revoke,
    Withdraw,
    Wait,
    Sweep,
}

const STEPS: [Step; 13] = [
    Step::SuspendProvider,
    Step::SuspendLot,
    Step::LiftFirst,
    Step::LiftLast,
    Step::Conceal,
    Step::Restrict,
    Step::LiftSanction,
    Step::Notify,
    Step::Decide,
    Step::Revoke,
    Step::Withdraw,
    Step::Wait,
    Step::Sweep,
];

/// The new aggregate, or the old one where the command is refused.
fn change<A: Aggregate>(slot: Option<&mut A>, command: impl FnOnce(A) -> Decision<A>) {
    let Some(slot) = slot else { return };
    if let Ok((new, _)) = command(slot.clone()) {
        *slot = new;
    }
}

impl World {
    fn new(path: FailurePath) -> Self {
        let policies = Policies { failure_path: path, removal_notice_days: 0, ..Policies::default() };
        Self { now: t0(), policies, member: member(), suspensions: vec![], sanctions: vec![], removals: vec![] }
    }

    fn id(&self) -> Uuid {
        Uuid::from_u128(100 + (self.suspensions.len() + self.sanctions.len() + self.removals.len()) as u128)
    }

    fn step(&mut self, step: Step) {
        let (who, now, id) = (actor("lead"), self.now, self.id());
        match step {
            Step::SuspendProvider => self.suspend(SuspensionScope::Provider),
            Step::SuspendLot => self.suspend(lot_scope()),
            Step::LiftFirst => change(self.suspensions.first_mut(), |s| s.lift("ok".into(), false, &who, now)),
            Step::LiftLast => change(self.suspensions.last_mut(), |s| s.lift("ok".into(), false, &who, now)),
            Step::Conceal => self.sanction(SanctionKind::Conceal),
            Step::Restrict => self.sanction(SanctionKind::Restrict),
            Step::LiftSanction => change(self.sanctions.last_mut(), |s| s.lift("ok".into(), false, &who, now)),
            Step::Notify => {
                let facts = RemovalFacts {
                    policies: &self.policies,
                    membership: &self.member,
                    suspensions: &self.suspensions,
                    notices: &[],
                    sanctions: &self.sanctions,
                    removals: &self.removals,
                };
                let order = NotifyRemoval {
                    ground: Ground::NonCompliance,
                    reason: "failed".into(),
                    gross: None,
                    evidence: vec!["report".into()],
                };
                if let Ok((removal, _)) = Removal::notify(id.into(), order, facts, &who, now) {
                    self.removals.push(removal);
                }
            }
            Step::Decide => {
                // One month ahead, so that revocation and late sweeps have their chance.
                let effect = Some(now.plus_months(1));
                change(self.removals.last_mut(), |r| r.decide(effect, "failed".into(), &self.policies, &who, now));
            }
            Step::Revoke => change(self.removals.last_mut(), |r| r.revoke("heard".into(), &who, now)),
            Step::Withdraw => change(Some(&mut self.member), |m| m.withdraw(None, now)),
            Step::Wait => self.now = now.plus_months(1),
            Step::Sweep => {
                for suspension in &mut self.suspensions {
                    change(Some(suspension), |s| s.tick(now));
                }
                change(self.removals.last_mut(), |r| r.tick(now));
                if let Some(Removal { id, state: RemovalState::Effective { at, .. }, .. }) = self.removals.last() {
                    change(Some(&mut self.member), |m| m.remove(*id, *at));
                }
            }
        }
    }

    fn suspend(&mut self, scope: SuspensionScope) {
        let facts = SuspendFacts {
            policies: &self.policies,
            live_membership: self.member.is_live(),
            suspensions: &self.suspensions,
        };
        let order = suspend_order(scope);
        if let Ok((new, _)) = Suspension::suspend(self.id().into(), order, facts, &actor("lead"), self.now) {
            self.suspensions.push(new);
        }
    }

    fn sanction(&mut self, kind: SanctionKind) {
        let order = ApplySanction { kind, reason: "failing".into(), serious: None, evidence: vec![], review_on: None };
        let made =
            Sanction::apply(self.id().into(), order, &self.member, &self.sanctions, None, &actor("lead"), self.now);
        if let Ok((new, _)) = made {
            self.sanctions.push(new);
        }
    }

    fn impediments(&self) -> Vec<Impediment> {
        let mut all = self.member.impediments();
        all.extend(self.suspensions.iter().flat_map(Suspension::impediments));
        all.extend(self.sanctions.iter().flat_map(Sanction::impediments));
        all.extend(self.removals.iter().flat_map(Removal::impediments));
        all.into_iter().map(|imposed| imposed.impediment).collect()
    }

    fn standing(&self, at: Instant) -> Standing {
        let impediments = self.impediments();
        standing(&facts(&impediments), at)
    }

    /// What must hold whatever was done, said without the function under test.
    fn check(&self, trail: &[Step], was: &mut Vec<(Instant, Standing)>) {
        let now = self.standing(self.now);
        let removed = self.removals.iter().any(|r| r.effective_at().is_some_and(|at| at <= self.now));
        let stopped = self.suspensions.iter().any(|s| s.over_at().is_none_or(|over| self.now < over));
        let restricted =
            self.sanctions.iter().any(|s| s.kind == SanctionKind::Restrict && s.state().name() == "active");
        let concealed = self.sanctions.iter().any(|s| s.kind == SanctionKind::Conceal && s.state().name() == "active");
        let left = !self.member.is_live();
        let free = !(removed || stopped || restricted || left);
        assert_eq!(now.may_receive_referrals, free, "{trail:?}");
        assert_eq!(now.visible_to_portals, !(removed || left || concealed), "{trail:?}");
        if removed {
            assert_eq!(now.status, Status::Removed, "{trail:?}");
            assert_eq!(self.standing(self.now.plus_months(240)).status, Status::Removed, "{trail:?}");
        }
        // Nothing done now changes the past.
        for (at, then) in was.iter().filter(|(at, _)| *at < self.now) {
            assert_eq!(self.standing(*at), *then, "{trail:?} at {at}");
        }
        was.push((self.now, now));
        was.dedup_by_key(|(at, _)| *at);
        if let Some(last) = was.last_mut() {
            // Of several steps in one instant, the last decides what that instant was.
            *last = (self.now, now);
        }
    }
}

fn explore(world: &World, trail: &mut Vec<Step>, was: &[(Instant, Standing)], left: usize, seen: &mut usize) {
    for step in STEPS {
        let (mut next, mut past) = (world.clone(), was.to_vec());
        next.step(step);
        trail.push(step);
        next.check(trail, &mut past);
        *seen += 1;
        if left > 1 {
            explore(&next, trail, &past, left - 1, seen);
        }
        trail.pop();
    }
}

#[test]
fn no_short_sequence_of_commands_breaks_standing() {
    for path in [FailurePath::Direct, FailurePath::SuspendFirst, FailurePath::Ladder] {
        let mut seen = 0;
        explore(&World::new(path), &mut Vec::new(), &[], 4, &mut seen);
        assert_eq!(seen, 13 + 13 * 13 + 13 * 13 * 13 + 13 * 13 * 13 * 13);
    }
}

#[test]
fn lifting_one_of_two_overlapping_suspensions_leaves_the_member_suspended() {
    let mut world = World::new(FailurePath::Direct);
    for step in [Step::SuspendProvider, Step::SuspendLot, Step::LiftFirst] {
        world.step(step);
    }
    assert_eq!(world.standing(world.now).status, Status::Suspended);
    world.step(Step::LiftLast);
    assert_eq!(world.standing(world.now).status, Status::Active);
}

#[test]
fn ac_13_no_referral_while_suspended_and_again_from_the_end_instant_however_late_the_sweep() {
    let mut world = World::new(FailurePath::Direct);
    world.step(Step::SuspendLot);
    let until = world.suspensions[0].until;
    assert!(!world.standing(until.plus_seconds(-1)).may_receive_referrals);
    assert!(world.standing(until).may_receive_referrals, "before the sweep");
    world.now = until.plus_days(3);
    world.step(Step::Sweep);
    assert_eq!(world.suspensions[0].state().name(), "lapsed");
    assert!(world.standing(until).may_receive_referrals, "after the sweep");
    assert!(!world.standing(until.plus_seconds(-1)).may_receive_referrals, "the past is as it was");
}

#[test]
fn a_suspension_that_awaits_review_stays_in_force() {
    let mut world = World::new(FailurePath::Direct);
    world.policies.suspension_end = SuspensionEnd::Review;
    world.step(Step::SuspendLot);
    let long_after = world.suspensions[0].until.plus_months(12);
    assert_eq!(world.standing(long_after).status, Status::Suspended);
    world.now = long_after;
    world.step(Step::Sweep);
    assert_eq!(world.standing(long_after).status, Status::Suspended);
    world.step(Step::LiftLast);
    assert_eq!(world.standing(long_after).status, Status::Active);
}

#[test]
fn ac_70_concealment_hides_and_restriction_stops_dispatch() {
    let mut world = World::new(FailurePath::Ladder);
    world.step(Step::Restrict);
    assert!(world.sanctions.is_empty(), "a step cannot be skipped");
    world.step(Step::Conceal);
    let hidden = world.standing(world.now);
    assert_eq!(hidden.status, Status::Concealed);
    assert!(hidden.may_receive_referrals && !hidden.visible_to_portals);
    world.step(Step::Notify);
    assert!(world.removals.is_empty(), "not restricted before");
    world.step(Step::Restrict);
    let stopped = world.standing(world.now);
    assert_eq!(stopped.status, Status::Restricted);
    assert!(!stopped.may_receive_referrals && !stopped.visible_to_portals);
    world.step(Step::Notify);
    assert_eq!(world.removals.len(), 1);
}

#[test]
fn ac_15_a_direct_removal_ends_dispatch() {
    let mut world = World::new(FailurePath::Direct);
    for step in [Step::Notify, Step::Decide, Step::Wait, Step::Sweep] {
        assert!(world.member.is_live());
        world.step(step);
    }
    assert_eq!(world.member.state().name(), "removed");
    assert!(!world.standing(world.now).may_receive_referrals);
    let impediments = world.impediments();
    let causes = explain(&facts(&impediments), world.now);
    assert_eq!(causes.len(), 1, "membership and removal name the same cause: {causes:?}");
    assert_eq!((causes[0].code, causes[0].source_kind), ("removed", Kind::Removal));
}

#[test]
fn a_converted_suspension_and_its_removal_leave_no_gap() {
    let mut world = World::new(FailurePath::SuspendFirst);
    for step in [Step::SuspendLot, Step::Notify, Step::Decide, Step::Wait, Step::Sweep] {
        world.step(step);
    }
    let removal = world.removals[0].clone();
    let effect = removal.effective_at().unwrap();
    change(world.suspensions.first_mut(), |s| s.convert(removal.id, effect));
    assert_eq!(world.suspensions[0].state().name(), "converted");
    assert_eq!(world.standing(effect.plus_seconds(-1)).status, Status::Suspended);
    assert_eq!(world.standing(effect).status, Status::Removed);
}

#[test]
fn explanations_come_strongest_first_and_the_time_before_admission_has_its_own() {
    let mut world = World::new(FailurePath::Direct);
    for step in [Step::Conceal, Step::SuspendLot, Step::SuspendProvider] {
        world.step(step);
    }
    let impediments = world.impediments();
    let codes = |at| explain(&facts(&impediments), at).iter().map(|c| c.code).collect::<Vec<_>>();
    assert_eq!(codes(t0()), ["suspended", "suspended", "concealed"]);
    assert_eq!(codes(t0().plus_seconds(-1)), ["not_yet_member"]);
    assert_eq!(explain(&facts(&[]), t0().plus_seconds(-1))[0].since, None);
    assert!(explain(&facts(&[]), t0()).is_empty());
}

#[test]
fn a_suspended_home_is_excluded_and_the_member_stays_active() {
    let home = HomeId(Uuid::from_u128(77));
    let one = Impediment::new(Effect::HomeSuspended(home), (Kind::Suspension, Uuid::nil()), t0(), None);
    let now = standing(&facts(std::slice::from_ref(&one)), t0());
    assert_eq!(now.status, Status::Active);
    assert!(now.may_receive_referrals && now.has_excluded_homes);
    assert_eq!(excluded_homes(&facts(std::slice::from_ref(&one)), t0()).collect::<Vec<_>>(), [home]);
    assert_eq!(explain(&facts(std::slice::from_ref(&one)), t0())[0].home, Some(home));
}

pub(crate) fn facts(impediments: &[Impediment]) -> StandingFacts<'_> {
    StandingFacts { membership: member().id, admitted_at: t0(), term: None, seen_by: None, impediments }
}

fn any_impediment() -> impl Strategy<Value = Impediment> {
    let effect = prop_oneof![
        Just(Effect::Removed),
        Just(Effect::Withdrawn),
        Just(Effect::Ended),
        Just(Effect::Dormant),
        Just(Effect::Suspended),
        Just(Effect::HomeSuspended(HomeId(Uuid::from_u128(9)))),
        Just(Effect::Restricted),
        Just(Effect::EvidenceExpired),
        Just(Effect::Concealed),
    ];
    (effect, -20_i64..20, proptest::option::of(0_i64..20), 0_u128..4).prop_map(|(effect, from, length, id)| {
        let from_at = t0().plus_seconds(from);
        let until = length.map(|length| from_at.plus_seconds(length));
        Impediment::new(effect, (Kind::Suspension, Uuid::from_u128(id)), from_at, until)
    })
}

#[test]
fn after_the_known_end_of_the_term_nobody_is_a_member() {
    let arrangement = member().arrangement;
    let end = t0().plus_months(12);
    let known = StandingFacts { term: Some((arrangement, end)), ..facts(&[]) };
    assert_eq!(standing(&known, end.plus_seconds(-1)).status, Status::Active);
    let after = standing(&known, end);
    assert_eq!((after.status, after.may_receive_referrals), (Status::Ended, false));
    let cause = &explain(&known, end)[0];
    assert_eq!((cause.code, cause.source_kind, cause.since), ("arrangement_ended", Kind::Arrangement, Some(end)));
}

proptest! {
    #[test]
    fn standing_depends_only_on_the_intervals_that_cover_the_instant(
        all in proptest::collection::vec(any_impediment(), 0..8),
        seconds in -25_i64..45,
    ) {
        let at = t0().plus_seconds(seconds);
        let covering: Vec<_> = all.iter().filter(|i| i.covers(at)).cloned().collect();
        let reversed: Vec<_> = all.iter().rev().cloned().collect();
        let now = standing(&facts(&all), at);
        prop_assert_eq!(now, standing(&facts(&covering), at));
        prop_assert_eq!(now, standing(&facts(&reversed), at));
        let causes = explain(&facts(&all), at);
        prop_assert_eq!(&causes, &explain(&facts(&reversed), at));
        // The first cause names the status; without one, the member is active.
        let named = causes.iter().find(|c| c.code != "home_suspended");
        prop_assert_eq!(now.status == Status::Active, named.is_none());
        prop_assert!(now.may_receive_referrals <= (seconds >= 0));
    }

    #[test]
    fn one_more_impediment_never_improves_a_standing(
        all in proptest::collection::vec(any_impediment(), 0..6),
        more in any_impediment(),
        seconds in -25_i64..45,
    ) {
        let at = t0().plus_seconds(seconds);
        let before = standing(&facts(&all), at);
        let after = standing(&facts(&[all.clone(), vec![more]].concat()), at);
        prop_assert!(after.status <= before.status);
        prop_assert!(after.may_receive_referrals <= before.may_receive_referrals);
        prop_assert!(after.visible_to_portals <= before.visible_to_portals);
    }
}

/// A notice whose time to rectify is one month.
pub(crate) fn notice() -> ImprovementNotice {
    let order = super::improvement_notice::IssueNotice {
        issue: "records of visits".into(),
        discussion_held_on: t0().date(),
        agreed_with_provider: true,
        rectify_by: t0().plus_months(1),
        evidence: vec![],
    };
    ImprovementNotice::issue(Uuid::from_u128(8).into(), order, &member(), &actor("monitor"), t0()).unwrap().0
}

//! Cohorts: providers that apply to an arrangement in one round, from their registration to their membership.

use std::collections::BTreeMap;

use domain::admission::Application;
use domain::admission::answers::Content;
use domain::admission::application::{LotFacts, Start, StartFacts, SubmitFacts};
use domain::admission::compliance_check::{Applicant, Judgement, LotRequirement, open_checks};
use domain::admission::line::{CheckFact, CheckOutcome, LineDecision};
use domain::admission::membership::{AdmittedLine, Assurance, Membership};
use domain::admission::receipt::{AskedByLot, Snapshot};
use domain::arrangement::{Round, Routing};
use domain::kernel::{Actor, Decided, Instant, LotId, MembershipId, Role};
use domain::provider::home::{Home, HomeKind, HomeProfile, RatingFacts, RegisteredManager, Registration};
use domain::provider::provider::{Provider, ProviderProfile};
use domain::provider::{HomeFacts, Postcode, Rating};
use domain::standing::suspension::{Suspend, SuspendFacts, Suspension, SuspensionScope};
use persistence::Stored;
use persistence::record::hex;
use sha2::{Digest as _, Sha256};

use super::market::{DAY, HOUR, Market, TERMS};
use super::store::{Store, decided};
use crate::Outcome;

/// One of `EVERY_..` applicants is rejected, one of so many members is suspended for a day.
const REJECTED: usize = 10;
const SUSPENDED: usize = 5;

/// A provider with its home.
#[derive(Clone)]
pub struct Business {
    pub provider: Provider,
    pub home: Home,
}

/// Registers `count` providers, each with a rated home. `first` numbers them.
pub fn register(store: &mut Store, first: usize, count: usize, now: Instant) -> Outcome<Vec<Business>> {
    let portal = Actor { subject: "procontract".to_owned(), role: Role::Portal, authority: None, provider: None };
    let officer = Actor { subject: "lead".to_owned(), role: Role::LeadAgency, authority: None, provider: None };
    let mut providers = Vec::with_capacity(count);
    let mut homes: Vec<Decided<Home>> = Vec::with_capacity(count);
    for n in first..first + count {
        let profile = ProviderProfile {
            legal_name: format!("Care Provider {n} Limited"),
            trading_names: vec![format!("The Limes {n}")],
            company_number: Some(format!("{n:08}")),
            email: Some(format!("office@provider-{n}.example")),
            phone: Some("+44 1223 000000".to_owned()),
            ..ProviderProfile::default()
        };
        let provider = decided(Provider::register(store.mint(now), profile, &portal, now))?;
        let profile = HomeProfile {
            name: format!("The Limes {n}"),
            kind: HomeKind::ChildrensHome,
            postcode: Postcode::read("CB7 4AA")?,
            local_authority: Some("Cambridgeshire".to_owned()),
            region: Some("East of England".to_owned()),
            beds: Some(4),
            registered_manager: Some(RegisteredManager::Filled { since: None }),
            dual_registration: None,
            emergency_capacity: None,
        };
        let day = now.plus_seconds(-400 * DAY).date();
        let registration = Registration { urn: format!("SC{n:08}"), registered_on: day };
        let (home, mut events) = decided(Home::add(store.mint(now), provider.0.id, profile, registration, now))?;
        let rating = RatingFacts {
            rating: Some(Rating::Good),
            inspected_on: day,
            published_on: Some(day),
            source: "ofsted".to_owned(),
            reason: Some("as published".to_owned()),
        };
        let (home, more) = decided(home.record_rating(rating, &officer, now))?;
        events.extend(more);
        providers.push(provider);
        homes.push((home, events));
    }
    let providers = store.create_all(now, &portal, providers)?;
    let homes = store.create_all(now, &portal, homes)?;
    Ok(providers.into_iter().zip(homes).map(|(p, h)| Business { provider: p.value, home: h.value }).collect())
}

/// Starts an application of each to one of `lots`, in turn by `lot_of`, and fills in its draft.
pub fn apply(
    store: &mut Store,
    market: &Market,
    businesses: &[Business],
    lot_of: impl Fn(usize) -> LotId,
    now: Instant,
) -> Outcome<Vec<Stored<Application>>> {
    let all = market.lot_ids();
    let lots = LotFacts { all: &all, open: &all, held: &[] };
    let facts = StartFacts { accepting: true, open_application: None, lots };
    let portal = Actor { subject: "procontract".to_owned(), role: Role::Portal, authority: None, provider: None };
    let started = businesses.iter().enumerate().map(|(n, business)| {
        let start = Start {
            id: store.mint(now),
            arrangement: market.arrangement.value.id,
            provider: business.provider.id,
            external_ref: None,
            lots: vec![lot_of(n)],
            previous: None,
        };
        decided(Application::start(start, &facts, now))
    });
    let started = started.collect::<Outcome<_>>()?;
    let started = store.create_all(now, &portal, started)?;

    let later = now.plus_seconds(HOUR / 2);
    let asked = market.asked_of_applicants();
    let saved = started.into_iter().zip(businesses).map(|(before, business)| {
        let (mut application, mut events) = (before.value.clone(), Vec::new());
        for asked in &asked {
            let text = "Fen Mutual, ten million pounds for each claim, in force until the end of next year";
            let question = asked.definition.questions.first().map(|q| q.code.clone()).ok_or("no question")?;
            let values = BTreeMap::from([(question, serde_json::Value::from(text))]);
            let (after, more) = decided(application.save_answer(*asked, values, None, later))?;
            application = after;
            events.extend(more);
        }
        let (application, more) = decided(application.set_homes(vec![business.home.id], &[business.home.id], later))?;
        events.extend(more);
        let (application, more) = decided(application.accept_terms(TERMS.to_owned(), later))?;
        events.extend(more);
        Ok((before, (application, events)))
    });
    let saved = saved.collect::<Outcome<_>>()?;
    store.save_all(later, &portal, saved)
}

/// Submits, evaluates and decides them, makes members of those that pass, and suspends some for a day. The market's last
/// round is open, and is completed.
pub fn admit(
    store: &mut Store,
    market: &mut Market,
    businesses: &[Business],
    drafts: Vec<Stored<Application>>,
    now: Instant,
) -> Outcome<Vec<Stored<Membership>>> {
    let submitted = submit(store, market, businesses, drafts, now)?;
    let closed = market.round()?.window.closes_at;
    market.step(store, closed, &Actor::clock(), Round::close)?;
    let begins = closed.plus_seconds(HOUR);
    let lead = market.lead.clone();
    market.step(store, begins, &lead, Round::start_evaluation)?;
    let evaluating = submitted.into_iter().map(|before| {
        let decision = decided(before.value.clone().begin_evaluation(begins))?;
        Ok((before, decision))
    });
    let evaluating = evaluating.collect::<Outcome<_>>()?;
    let evaluating = store.save_all(begins, &lead, evaluating)?;
    let judged = judge(store, market, &evaluating, begins)?;
    let members = decide(store, market, evaluating, &judged, begins.plus_seconds(2 * HOUR))?;
    market.step(store, begins.plus_seconds(3 * HOUR), &lead, |round, now| round.complete(0, now))?;
    suspend(store, market, &members, begins.plus_seconds(4 * HOUR))?;
    Ok(members)
}

fn submit(
    store: &mut Store,
    market: &Market,
    businesses: &[Business],
    drafts: Vec<Stored<Application>>,
    now: Instant,
) -> Outcome<Vec<Stored<Application>>> {
    let all = market.lot_ids();
    let asked = market.asked_of_applicants();
    let round = market.round()?;
    let routing = Routing::Open { round: round.id, closes_at: round.window.closes_at };
    let portal = Actor { subject: "procontract".to_owned(), role: Role::Portal, authority: None, provider: None };
    let submitted = drafts.into_iter().zip(businesses).map(|(before, business)| {
        let content: &Content = before.value.draft.as_ref().ok_or("no draft")?;
        let requirement = |lot: &LotId| {
            asked.iter().map(|a| AskedByLot { lot: *lot, requirement: a.requirement }).collect::<Vec<_>>()
        };
        let homes: Vec<HomeFacts> = business.home.facts(now.date(), |_| None).into_iter().collect();
        let snapshot = Snapshot { requirements: content.lots.iter().flat_map(requirement).collect(), homes };
        let inside = [business.home.id];
        let facts = SubmitFacts {
            lots: LotFacts { all: &all, open: &all, held: &[] },
            asked: &asked,
            terms: Some(TERMS),
            all_homes: market.arrangement.value.policies.all_homes,
            homes_inside: &inside,
            snapshot: &snapshot,
            routing,
        };
        let hash = hex(&Sha256::digest(serde_json::to_vec(content)?));
        let decision = decided(before.value.clone().submit(&facts, Some(hash), &portal, now))?;
        Ok((before, decision))
    });
    let submitted = submitted.collect::<Outcome<_>>()?;
    store.save_all(now, &portal, submitted)
}

/// Opens the checks of each application and judges them: for every applicant whether it passes.
fn judge(
    store: &mut Store,
    market: &Market,
    applications: &[Stored<Application>],
    now: Instant,
) -> Outcome<Vec<Vec<CheckFact>>> {
    let asked = market.asked();
    let mut opened = Vec::new();
    for application in applications {
        let application = &application.value;
        let of = Applicant {
            application: application.id,
            arrangement: application.arrangement,
            provider: application.provider,
        };
        let lines: Vec<_> = application
            .lines
            .iter()
            .flat_map(|line| asked.iter().map(|(requirement, code, version)| (line.lot, *requirement, *code, *version)))
            .map(|(lot, requirement, code, version)| LotRequirement { lot, requirement, code, version })
            .collect();
        opened.extend(open_checks(of, &lines, || store.mint(now), now));
    }
    let lead = market.lead.clone();
    let opened = store.create_all(now, &lead, opened)?;
    let later = now.plus_seconds(HOUR);
    let mut facts = vec![Vec::with_capacity(asked.len()); applications.len()];
    let mut recorded = Vec::with_capacity(opened.len());
    for (n, before) in opened.into_iter().enumerate() {
        let applicant = n / asked.len().max(1);
        let passed = applicant % REJECTED != REJECTED - 1 || n % asked.len().max(1) != 0;
        let judgement = Judgement {
            passed,
            reason: if passed { String::new() } else { "The cover has run out".to_owned() },
            evidence: if passed { vec!["certificate".to_owned()] } else { Vec::new() },
            valid_until: None,
        };
        let check = before.value.clone();
        if let Some(facts) = facts.get_mut(applicant) {
            facts.push(CheckFact {
                requirement: check.requirement,
                code: check.code.clone(),
                title: check.terms.title.clone(),
                mandatory: check.terms.mandatory,
                gate: check.terms.gate,
                outcome: if passed { CheckOutcome::Passed } else { CheckOutcome::Failed },
            });
        }
        let decision = decided(check.record(judgement, None, Some(&market.declaration), false, &lead, later))?;
        recorded.push((before, decision));
    }
    store.save_all(later, &lead, recorded)?;
    Ok(facts)
}

fn decide(
    store: &mut Store,
    market: &Market,
    applications: Vec<Stored<Application>>,
    judged: &[Vec<CheckFact>],
    now: Instant,
) -> Outcome<Vec<Stored<Membership>>> {
    let lead = market.lead.clone();
    let mut admitted = Vec::with_capacity(applications.len());
    let mut changed = Vec::with_capacity(applications.len());
    for (before, facts) in applications.into_iter().zip(judged) {
        let lot = before.value.lines.first().map(|line| line.lot).ok_or("no line")?;
        let failed: Vec<String> =
            facts.iter().filter(|f| f.outcome == CheckOutcome::Failed).map(|f| f.code.clone()).collect();
        let decision = if failed.is_empty() {
            let membership: MembershipId = store.mint(now);
            let assurance = |f: &CheckFact| {
                f.requirement.map(|requirement| Assurance::new(requirement, f.code.clone(), f.mandatory, None))
            };
            let line = AdmittedLine {
                arrangement: before.value.arrangement,
                lot,
                provider: before.value.provider,
                application: before.value.id,
                assurances: facts.iter().filter_map(assurance).collect(),
            };
            admitted.push(decided(Membership::admit(membership, line, false, now))?);
            LineDecision::Admit { membership }
        } else {
            LineDecision::Reject { reasons: failed, note: None }
        };
        let decision = decided(before.value.clone().decide_line(lot, decision, facts, &lead, now))?;
        changed.push((before, decision));
    }
    store.save_all(now, &lead, changed)?;
    store.create_all(now, &lead, admitted)
}

fn suspend(store: &mut Store, market: &Market, members: &[Stored<Membership>], now: Instant) -> Outcome<()> {
    let commissioner = market.commissioner.clone();
    let facts = SuspendFacts { policies: &market.arrangement.value.policies, live_membership: true, suspensions: &[] };
    let suspended = members.iter().step_by(SUSPENDED).map(|member| {
        let order = Suspend {
            arrangement: member.value.arrangement,
            provider: member.value.provider,
            scope: SuspensionScope::Lot { membership: member.value.id, lot: member.value.lot },
            from: None,
            months: Some(3),
            reason: "Safeguarding concern".to_owned(),
            evidence: Vec::new(),
        };
        decided(Suspension::suspend(store.mint(now), order, facts, &commissioner, now))
    });
    let suspended = suspended.collect::<Outcome<_>>()?;
    let suspended = store.create_all(now, &commissioner, suspended)?;
    let later = now.plus_seconds(DAY);
    let lifted = suspended.into_iter().map(|before| {
        let decision = decided(before.value.clone().lift("Put right".to_owned(), false, &commissioner, later))?;
        Ok((before, decision))
    });
    let lifted = lifted.collect::<Outcome<_>>()?;
    store.save_all(later, &commissioner, lifted).map(drop)
}

//! Evaluation: checks are opened from the requirements of the lots, and facts decide those they can (A5, WAL-05).

use chrono::NaiveDate;
use domain::admission::Application;
use domain::admission::answers::Content;
use domain::admission::application::Status;
use domain::admission::compliance_check::{
    Applicant, ComplianceCheck, EvidenceFacts, ExclusionFinding, Facts as CheckFacts, LotRequirement, automatic,
    exclusion_findings, open_checks, open_for_removal,
};
use domain::admission::line::Line;
use domain::admission::membership::{Membership, MembershipState};
use domain::admission::receipt::{AskedByLot, Snapshot};
use domain::arrangement::{Arrangement, LocationBoundary, Lot, Round, Routing, schedule};
use domain::kernel::{Aggregate as _, HomeId, Instant, LotId, ProviderId};
use domain::provider::boundary::{Inside, inside};
use domain::provider::eligibility::HomeFacts;
use domain::provider::home::Home;
use domain::provider::provider::Provider;
use domain::standing::removal::Removal;
use persistence::admission::{applications, applications_in_round, checks_of, memberships_in_lot, open_application};
use persistence::arrangement::rounds_of;
use persistence::provider::homes_of;
use persistence::record::hex;
use persistence::standing::removals_of;
use persistence::{Conn, Failure, Filter, Outcome, Page, Tx};
use sha2::{Digest as _, Sha256};

use crate::arrangement::requirement::required;
use crate::provider::Gazetteer;

/// The homes of a provider as they stood on a day.
pub(super) struct Facts {
    homes: Vec<HomeFacts>,
}

impl Facts {
    pub(super) fn of_provider(
        conn: &mut Conn<'_>,
        gazetteer: &Gazetteer,
        provider: ProviderId,
        at: Instant,
    ) -> Outcome<Self> {
        let homes = homes_of(conn, provider)?;
        let is_listed = homes.iter().any(|home| home.value.listed.is_some());
        let names = if is_listed { conn.get::<Provider>(provider)?.value.names() } else { Vec::new() };
        let own = homes.iter().filter(|home| home.value.owner_on(at.date()) == provider);
        let facts = own.filter_map(|home| {
            let facts = home.value.facts(at.date(), |postcode| gazetteer.find(postcode.outward()))?;
            Some(HomeFacts { listed_under: home.value.listed_under_another(&names).map(str::to_owned), ..facts })
        });
        Ok(Self { homes: facts.collect() })
    }

    /// The homes as they stood when that was submitted, with what was stated then as it was confirmed since.
    fn confirmed_since(conn: &mut Conn<'_>, snapshot: &Snapshot, on: NaiveDate) -> Outcome<Self> {
        let mut homes = snapshot.homes.clone();
        for facts in &mut homes {
            let Some(stated) = &facts.stated else { continue };
            let home = conn.get::<Home>(facts.id)?.value;
            // As it was held on that day: a report that came out later, or was taken back, is none of that day.
            let confirmed = home.confirmed(stated.inspected_on);
            if let Some(entry) = confirmed.filter(|entry| !entry.withdrawn && entry.facts.held_from() <= on) {
                (facts.rating, facts.rated_by, facts.stated) = (entry.facts.rating, Some(entry.stated_by), None);
            }
        }
        Ok(Self { homes })
    }

    /// What a submission made now is judged by.
    pub(super) fn snapshot(&self, requirements: Vec<AskedByLot>) -> Snapshot {
        Snapshot { requirements, homes: self.homes.clone() }
    }

    pub(super) fn inside(&self, boundary: &LocationBoundary) -> Vec<HomeId> {
        let within = |home: &&HomeFacts| inside(boundary, &home.location).0 == Inside::Inside;
        self.homes.iter().filter(within).map(|home| home.id).collect()
    }
}

/// SHA-256 of what is submitted, in hex: the receipt proves the content.
pub(super) fn digest(content: &Content) -> Outcome<String> {
    let text = serde_json::to_vec(content)?;
    Ok(hex(&Sha256::digest(text)))
}

/// Begins the evaluation of every application received in a closed round.
pub(crate) fn begin_of_round(tx: &mut Tx<'_>, gazetteer: &Gazetteer, round: &Round) -> Outcome<()> {
    for before in applications_in_round(tx, round.id, "submitted")? {
        let before = tx.lock::<Application>(before.value.id)?;
        let begun = before.value.clone().begin_evaluation(tx.now())?;
        let after = tx.save(&before, begun)?;
        open(tx, gazetteer, &after.value)?;
    }
    Ok(())
}

/// Opens the checks of an application whose evaluation has begun, and decides those that facts decide.
pub(super) fn open(tx: &mut Tx<'_>, gazetteer: &Gazetteer, application: &Application) -> Outcome<()> {
    let now = tx.now();
    let context = Context::load(tx, gazetteer, application, now)?;
    let mut asked = Vec::new();
    for lot in application.lines.iter().filter(|line| line.status.is_undecided()).map(|line| line.lot) {
        let references = match &context.snapshot {
            Some(snapshot) => snapshot.asked_by(lot),
            None => tx.hold::<Lot>(lot)?.value.requirements,
        };
        asked.extend(
            required(tx, &references)?.into_iter().map(|(reference, code, version)| (lot, reference, code, version)),
        );
    }
    let lines: Vec<_> = asked
        .iter()
        .map(|(lot, requirement, code, version)| LotRequirement { lot: *lot, requirement: *requirement, code, version })
        .collect();
    let of =
        Applicant { application: application.id, arrangement: application.arrangement, provider: application.provider };
    let opened = open_checks(of, &lines, || tx.mint(), tx.now());
    for (check, mut events) in opened {
        let (decided, more) = context.assess(&check, tx)?;
        events.extend(more);
        tx.create((decided, events))?;
    }
    for line in application.lines.iter().filter(|line| line.status.is_undecided()) {
        let removals = removals_of(tx, application.provider, line.lot)?;
        let standing = removals.iter().filter(|removal| removal.value.ground_stands_since().is_some());
        if let Some(last) = standing.max_by_key(|removal| removal.value.ground_stands_since()) {
            open_for(tx, application, &last.value)?;
        }
    }
    Ok(())
}

/// Opens the check of a removal's ground where the provider has not been a member of the lot since: whoever was admitted
/// after it has answered the ground already.
fn open_for(tx: &mut Tx<'_>, application: &Application, removal: &Removal) -> Outcome<()> {
    let since = removal.ground_stands_since();
    let after = |member: &Membership| {
        let by_it = matches!(member.state, MembershipState::Removed { removal: by, .. } if by == removal.id);
        !by_it && since.is_some_and(|since| member.admitted_at >= since)
    };
    if memberships_in_lot(tx, removal.provider, removal.lot)?.iter().any(|member| after(&member.value)) {
        return Ok(());
    }
    if checks_of(tx, application.id)?.iter().any(|check| check.value.removal == Some(removal.id)) {
        return Ok(());
    }
    let of =
        Applicant { application: application.id, arrangement: application.arrangement, provider: application.provider };
    let opened = open_for_removal(of, removal, tx.mint(), tx.now());
    tx.create(opened).map(drop)
}

/// A removal that takes effect while the provider applies to the lot again: its ground is to be answered before admission.
pub(crate) fn removal_took_effect(tx: &mut Tx<'_>, removal: &Removal) -> Outcome<()> {
    if removal.ground_stands_since().is_none() {
        return Ok(());
    }
    let Some(id) = open_application(tx, removal.provider, removal.arrangement)? else { return Ok(()) };
    let application = tx.lock::<Application>(id)?.value;
    let undecided = |line: &Line| line.lot == removal.lot && line.status.is_undecided();
    if matches!(application.status, Status::InEvaluation { .. }) && application.lines.iter().any(undecided) {
        open_for(tx, &application, removal)?;
    }
    Ok(())
}

/// Gives up the undecided checks that nothing needs any more: their application has ended, or each of the lots that need
/// them is decided or gone.
pub(super) fn drop_checks(tx: &mut Tx<'_>, application: &Application, reason: &str) -> Outcome<()> {
    let needed = |lot: &LotId| application.lines.iter().any(|line| line.lot == *lot && line.status.is_undecided());
    for found in checks_of(tx, application.id)? {
        let check = &found.value;
        if check.permit("drop").is_ok() && !(application.is_open() && check.lots.iter().any(needed)) {
            let before = tx.lock::<ComplianceCheck>(check.id)?;
            let decision = before.value.clone().drop(reason, tx.now())?;
            tx.save(&before, decision)?;
        }
    }
    Ok(())
}

/// What the facts of an application's checks are taken from: gathered once for all of them.
pub(super) struct Context {
    content: Content,
    received: Instant,
    snapshot: Option<Snapshot>,
    boundary: LocationBoundary,
    homes: Facts,
    exclusions: Option<Vec<ExclusionFinding>>,
}

impl Context {
    /// The facts as of the submitted version (PRO-27, TIR-05), with the exclusions recorded until `now`.
    pub(super) fn load(
        conn: &mut Conn<'_>,
        gazetteer: &Gazetteer,
        application: &Application,
        now: Instant,
    ) -> Outcome<Self> {
        let counting = application.evaluated_content();
        let version =
            counting.ok_or_else(|| Failure::Broken("an application in evaluation has no version".to_owned()))?;
        let received = version.receipt.at;
        let policies = conn.get::<Arrangement>(application.arrangement)?.value.policies;
        let provider = conn.get::<Provider>(application.provider)?.value;
        let exclusions = match &version.content.exclusions {
            None => None,
            Some(grounds) => Some(exclusion_findings(grounds, &provider.exclusions, policies.regime(), received, now)?),
        };
        Ok(Self {
            homes: match &version.snapshot {
                Some(snapshot) => Facts::confirmed_since(conn, snapshot, received.date())?,
                None => Facts::of_provider(conn, gazetteer, application.provider, received)?,
            },
            snapshot: version.snapshot.clone(),
            content: version.content.clone(),
            received,
            boundary: policies.location_boundary,
            exclusions,
        })
    }

    /// The check as the facts decide it; as it is, where an assessor must judge.
    pub(super) fn assess(
        &self,
        check: &ComplianceCheck,
        tx: &Tx<'_>,
    ) -> Outcome<(ComplianceCheck, Vec<domain::admission::compliance_check::ComplianceCheckEvent>)> {
        self.with_facts(check, |facts| {
            if automatic(&check.terms, facts, tx.now()).is_none() {
                return Ok((check.clone(), Vec::new()));
            }
            Ok(check.clone().assess(facts, tx.actor(), tx.now())?)
        })
    }

    /// Hands the facts that a check looks at to `work`.
    pub(super) fn with_facts<T>(&self, check: &ComplianceCheck, work: impl FnOnce(&CheckFacts<'_>) -> T) -> T {
        let answer = check.requirement.and_then(|asked| self.content.answers.get(&asked.requirement));
        let evidence: Vec<_> = answer
            .map(|answer| answer.evidence.as_slice())
            .unwrap_or_default()
            .iter()
            .map(|item| EvidenceFacts {
                code: item.code.clone(),
                amount: item.amount,
                issued_on: item.issued_on,
                expires_on: item.expires_on,
            })
            .collect();
        work(&CheckFacts {
            on: self.received.date(),
            boundary: &self.boundary,
            homes: &self.homes.homes,
            exclusions: self.exclusions.as_deref(),
            evidence: &evidence,
            self_assessment: answer.and_then(|answer| answer.self_assessment),
        })
    }
}

/// Receives in a round that opened what waited for it.
pub(crate) fn round_opened(tx: &mut Tx<'_>, round: &Round) -> Outcome<()> {
    for before in applications_in_round(tx, round.id, "queued")? {
        let before = tx.lock::<Application>(before.value.id)?;
        let received = before.value.clone().round_opened(round.window.closes_at, tx.now())?;
        tx.save(&before, received)?;
    }
    Ok(())
}

/// Tells those whose submission is in a round that closes later.
pub(crate) fn round_lengthened(tx: &mut Tx<'_>, round: &Round) -> Outcome<()> {
    for before in applications_in_round(tx, round.id, "submitted")? {
        let before = tx.lock::<Application>(before.value.id)?;
        // Its provider may have taken it back meanwhile.
        let Status::Submitted { .. } = before.value.status else { continue };
        let lengthened = before.value.clone().round_lengthened(round.window.closes_at)?;
        tx.save(&before, lengthened)?;
    }
    Ok(())
}

/// Sends what waits for a round of the arrangement where it would go now: rounds were cancelled, put in or reinstated.
pub(crate) fn reroute_all(tx: &mut Tx<'_>, gazetteer: &Gazetteer, round: &Round) -> Outcome<()> {
    let mode = tx.get::<Arrangement>(round.arrangement)?.value.policies.admission_mode;
    let rounds: Vec<_> = rounds_of(tx, round.arrangement)?.into_iter().map(|round| round.value).collect();
    let queued = Filter::all().is(applications::arrangement_id, round.arrangement).is(applications::state, "queued");
    for before in tx.list(&queued, Page::ALL)? {
        let before = tx.lock::<Application>(before.value.id)?;
        let Status::Queued { round: waits_for, .. } = before.value.status else { continue };
        let undecided = before.value.lines.iter().filter(|line| line.status.is_undecided());
        let lots: Vec<LotId> = undecided.map(|line| line.lot).collect();
        let routing = schedule::route(mode, &rounds, &lots, tx.now())?;
        if matches!(routing, Routing::Queued { round, .. } if round == waits_for) {
            continue;
        }
        let rerouted = before.value.clone().reroute(routing)?;
        let after = tx.save(&before, rerouted)?;
        if let Routing::Evaluate = routing {
            open(tx, gazetteer, &after.value)?;
        }
    }
    Ok(())
}

/// Closes the open applications of an arrangement that has ended.
pub(crate) fn lapse_all(tx: &mut Tx<'_>, arrangement: &Arrangement, reason: &str) -> Outcome<()> {
    let open = Filter::all()
        .is(applications::arrangement_id, arrangement.id)
        .any(applications::state, ["draft", "queued", "submitted", "in_evaluation"]);
    for before in tx.list(&open, Page::ALL)? {
        let before = tx.lock::<Application>(before.value.id)?;
        // Its provider may have taken it back meanwhile.
        if before.value.is_open() {
            let lapsed = before.value.clone().lapse(reason.to_owned(), tx.now())?;
            let after = tx.save(&before, lapsed)?;
            drop_checks(tx, &after.value, reason)?;
        }
    }
    Ok(())
}

/// Closes the undecided lines of a lot that has ended.
pub(crate) fn lapse_lines(tx: &mut Tx<'_>, lot: &Lot, reason: &str) -> Outcome<()> {
    let open = Filter::all()
        .is(applications::arrangement_id, lot.arrangement)
        .any(applications::state, ["queued", "submitted", "in_evaluation"]);
    for found in tx.list(&open, Page::ALL)? {
        let before = tx.lock::<Application>(found.value.id)?;
        let undecided = |line: &Line| line.lot == lot.id && line.status.is_undecided();
        if before.value.is_open() && before.value.lines.iter().any(undecided) {
            let lapsed = before.value.clone().lapse_line(lot.id, reason.to_owned(), tx.now())?;
            let after = tx.save(&before, lapsed)?;
            drop_checks(tx, &after.value, reason)?;
        }
    }
    Ok(())
}

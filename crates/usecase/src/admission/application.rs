//! Applications: started, submitted, read (A4).

use domain::admission::Application;
use domain::admission::answers::{Asked, omitted_homes};
use domain::admission::application::{self as rules, ApplicationEvent, Start, StartFacts, SubmitFacts};
use domain::admission::receipt::SubmittedVersion;
use domain::arrangement::{ARRANGEMENT_NOT_IN_FORCE, AllHomes, Arrangement, Round, RoundState, Routing, schedule};
use domain::kernel::{
    Aggregate as _, ApplicationId, ArrangementId, HomeId, Kind, LotId, Named, ProviderId, Violations,
};
use domain::law::deadline::{Deadline, statutory};
use domain::provider::provider::Provider;
use persistence::admission as store;
use persistence::arrangement::rounds_of;
use persistence::provider::homes_of;
use persistence::record::event;
use persistence::{Conn, Failure, Outcome, Stored, Tx};

use super::evaluation::{self, Facts};
use super::lots::Lots;
use crate::arrangement::requirement::required;
use crate::arrangement::round;
use crate::deadline::find;
use crate::provider::Gazetteer;
use crate::{Caller, Command};

domain::rules! {
    SEALED = "application_sealed", Conflict, "DPS-13, PRO-27",
        "What an application says is sealed until its evaluation begins, whoever asks.";
}

/// What starts an application.
#[derive(Clone, Debug)]
pub struct StartApplication {
    /// The arrangement applied to.
    pub arrangement: ArrangementId,
    /// The applicant.
    pub provider: ProviderId,
    /// The lots applied to.
    pub lots: Vec<LotId>,
    /// The portal's own reference.
    pub external_ref: Option<String>,
    /// The earlier application that this one follows.
    pub previous: Option<ApplicationId>,
    /// Whether the answers of the earlier application are copied into the draft (DPS-22).
    pub copy_answers: bool,
}

/// Starts an application: one open one for a provider and an arrangement (DPS-03).
///
/// # Errors
/// What the rules refuse.
pub fn start(tx: &mut Tx<'_>, by: &Command, order: StartApplication) -> Outcome<Stored<Application>> {
    let StartApplication { arrangement, provider, lots, external_ref, previous, copy_answers } = order;
    // The provider's row is locked: its applications are started one at a time.
    let found = tx.lock::<Provider>(provider);
    let applicant = by.who.own(tx, found)?.value;
    let market = tx.hold::<Arrangement>(arrangement)?.value;
    if market.term().is_none() {
        return Err(Failure::NotFound(Kind::Arrangement));
    }
    let previous = previous.map(|id| by.who.get::<Application>(tx, id)).transpose()?.map(|found| found.value);
    let known = Lots::load(tx, provider, arrangement)?;
    let now = tx.now();
    let facts = StartFacts {
        accepting: market.in_force_at(now).is_some_and(|term| term.live_at <= now)
            && applicant.state().name() == "registered",
        open_application: store::open_application(tx, provider, arrangement)?,
        lots: known.facts(),
    };
    let start = Start { id: tx.mint(), arrangement, provider, external_ref, lots, previous: previous.as_ref() };
    let mut started = Application::start(start, &facts, now)?;
    if let Some(previous) = previous.as_ref().filter(|_| copy_answers) {
        let (copied, events) = started.0.copy_from(previous, now)?;
        started = (copied, started.1.into_iter().chain(events).collect());
    }
    tx.create(started)
}

/// A submitted application.
#[derive(Clone, Debug)]
pub struct Submitted {
    /// The application.
    pub application: Stored<Application>,
    /// Homes inside the boundary that are not offered: a warning, where the policy is to warn (C-12).
    pub omitted_homes: Vec<HomeId>,
}

/// Submits the draft of an application: evaluated at once, received in the open round, or queued for the next one (C-01).
///
/// # Errors
/// Everything that is missing.
pub fn submit(tx: &mut Tx<'_>, by: &Command, gazetteer: &Gazetteer, id: ApplicationId) -> Outcome<Submitted> {
    let before = by.lock::<Application>(tx, id)?;
    let (application, now) = (before.value.clone(), tx.now());
    let arrangement = tx.hold::<Arrangement>(application.arrangement)?.value;
    if arrangement.in_force_at(now).is_none() {
        return Err(rules::NOT_ACCEPTING.broken("the arrangement is not in force").into());
    }
    let lots = Lots::load(tx, application.provider, application.arrangement)?;
    let draft = application.draft.clone().unwrap_or_default();
    let references = lots.asked_by(&draft.lots);
    let library = required(tx, &references)?;
    let asked: Vec<_> =
        library.iter().map(|(requirement, _, definition)| Asked { requirement: *requirement, definition }).collect();
    let rounds: Vec<_> = rounds_of(tx, arrangement.id)?.into_iter().map(|round| round.value).collect();
    let routing = schedule::route(arrangement.policies.admission_mode, &rounds, &draft.lots, now)?;
    let routing = arrived(tx, routing)?;
    let homes = Facts::of_provider(tx, gazetteer, application.provider, now)?;
    still_own(tx, application.provider, &draft.homes)?;
    let inside = homes.inside(&arrangement.policies.location_boundary);
    let facts = SubmitFacts {
        lots: lots.facts(),
        asked: &asked,
        terms: arrangement.particulars.terms.as_ref().map(|terms| terms.version.as_str()),
        all_homes: arrangement.policies.all_homes,
        homes_inside: &inside,
        snapshot: &homes.snapshot(lots.references(&draft.lots)),
        routing,
    };
    let hash = evaluation::digest(&draft)?;
    let decision = application.submit(&facts, Some(hash), tx.actor(), now)?;
    let mut application = tx.save(&before, decision)?;
    if let Routing::Evaluate = routing {
        evaluation::open(tx, gazetteer, &application.value)?;
        application.value = tx.get::<Application>(id)?.value;
    }
    let warns = arrangement.policies.all_homes == AllHomes::Warn;
    let omitted_homes = if warns { omitted_homes(&draft.homes, &inside) } else { Vec::new() };
    Ok(Submitted { application, omitted_homes })
}

/// Refuses homes that were the provider's when they were chosen and are another's by now.
fn still_own(tx: &mut Tx<'_>, provider: ProviderId, chosen: &[HomeId]) -> Outcome<()> {
    if chosen.is_empty() {
        return Ok(());
    }
    let own: Vec<HomeId> = homes_of(tx, provider)?.into_iter().map(|home| home.value.id).collect();
    let mut broken = Violations::new();
    for (i, home) in chosen.iter().enumerate() {
        let detail = format!("{home} is no home of the provider");
        broken.require(own.contains(home), &rules::HOME_UNKNOWN, &format!("/homes/{i}"), detail);
    }
    Ok(broken.refuse_any()?)
}

/// The routing, with its round held so that neither its opening nor its evaluation can pass this submission by.
fn arrived(tx: &mut Tx<'_>, routing: Routing) -> Outcome<Routing> {
    let (Routing::Open { round, .. } | Routing::Queued { round, .. }) = routing else { return Ok(routing) };
    let round = tx.hold::<Round>(round)?.value;
    match round.state {
        // It was opened, or lengthened, while this request waited.
        RoundState::Open | RoundState::Closed => {
            Ok(Routing::Open { round: round.id, closes_at: round.window.closes_at })
        }
        RoundState::Scheduled => Ok(routing),
        RoundState::Evaluating { .. }
        | RoundState::Completed { .. }
        | RoundState::Ended { .. }
        | RoundState::Cancelled { .. } => {
            Err(rules::ROUND_CLOSED.broken("the round went on while this request waited").into())
        }
    }
}

/// Takes an application back: the checks that it leaves open are given up.
///
/// # Errors
/// What the rules refuse.
pub fn withdraw(tx: &mut Tx<'_>, by: &Command, id: ApplicationId) -> Outcome<Stored<Application>> {
    let after = by.act(tx, id, |application: Application, tx| Ok(application.withdraw(tx.now())?))?;
    evaluation::drop_checks(tx, &after.value, "the application was withdrawn")?;
    Ok(after)
}

/// Takes one line of an application back.
///
/// # Errors
/// What the rules refuse.
pub fn withdraw_line(tx: &mut Tx<'_>, by: &Command, id: ApplicationId, lot: LotId) -> Outcome<Stored<Application>> {
    let after = by.act(tx, id, |application: Application, tx| Ok(application.withdraw_line(lot, tx.now())?))?;
    evaluation::drop_checks(tx, &after.value, "the line was withdrawn")?;
    Ok(after)
}

/// Gives the evaluation of one request more time (PCR34-17).
///
/// # Errors
/// What the rules refuse.
pub fn extend_evaluation(
    tx: &mut Tx<'_>,
    by: &Command,
    id: ApplicationId,
    justification: String,
) -> Outcome<Stored<Application>> {
    by.act(tx, id, |application: Application, tx| {
        let arrangement = tx.hold::<Arrangement>(application.arrangement)?.value;
        if arrangement.in_force_at(tx.now()).is_none() {
            return Err(ARRANGEMENT_NOT_IN_FORCE.broken("the arrangement has ended").into());
        }
        let policies = arrangement.policies;
        Ok(application.extend_evaluation(&policies, justification, tx.now())?)
    })
}

/// The submitted version that counts, as far as the caller may read it. A reading by the buying side is recorded (PRO-27).
///
/// # Errors
/// [`SEALED`] before the evaluation.
pub fn read(tx: &mut Tx<'_>, who: &Caller, id: ApplicationId) -> Outcome<SubmittedVersion> {
    let found = tx.lock::<Application>(id);
    let found = who.own(tx, found)?;
    let application = &found.value;
    if who.is_providing() {
        return application.counting().cloned().ok_or(Failure::NotFound(Kind::Application));
    }
    let Some(version) = application.evaluated_content() else {
        return Err(SEALED.broken("its evaluation has not begun").into());
    };
    let read = ApplicationEvent::ApplicationContentRead { version: version.receipt.version };
    event::note(tx, &found, &read)?;
    Ok(version.clone())
}

/// The end of an application's evaluation: that of its round, or the one that regulation 34 times for a single request.
///
/// # Errors
/// Not found, and what the engine refuses.
pub fn deadlines(c: &mut Conn<'_>, who: &Caller, id: ApplicationId) -> Outcome<Vec<Deadline>> {
    let (application, policies) = find::<Application>(c, who, id)?;
    if let Some(round) = application.round() {
        return round::deadlines_of(&c.get::<Round>(round)?.value, &policies);
    }
    let Some(version) = application.counting() else { return Ok(Vec::new()) };
    let statutory = statutory(policies.regime(), policies.division, "PCR34-16", version.receipt.at);
    Ok(statutory.into_iter().chain(application.extension.as_ref().map(|e| e.deadline.clone())).collect())
}

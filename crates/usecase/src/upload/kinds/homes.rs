//! Homes with their ratings: one row a home, added or brought up to date. What a file has no column for stays as it is; a blank
//! cell takes back what was stated.

use std::collections::{HashMap, HashSet};

use domain::kernel::text::folded;
use domain::kernel::{Decided, HomeId, ProviderId, Refusal, Role, Rule};
use domain::provider::boundary::Postcode;
use domain::provider::home::{
    Home, HomeKind, HomeProfile, HomeState, RATING_ALREADY_RECORDED, RatingFacts, RegisteredManager, Registration,
    URN_TAKEN,
};
use domain::provider::identifier::{REGULATOR_FORMS, is_regulator_number, regulator_number};
use domain::provider::provider::{Provider, REGULATOR_ID_MALFORMED};
use domain::upload::{Subject, UploadKind};
use persistence::provider::homes;
use persistence::{Conn, Filter, Outcome, Page, Stored, Tx};

use tables::ofsted::{self, ProvisionType};

use super::{own, rating};
use crate::Caller;
use crate::upload::row::{Cells, Column, MISSING_VALUE, column};
use crate::upload::{Batch, Change, Decisions, Rows, Verdict, write_all};

domain::rules! {
    PROVIDER_UNKNOWN = "row_provider_unknown", Input, "CRD-07", "A row is about a provider that the sender is or acts for.";
    REGISTRATION_DIFFERS = "registration_differs", Conflict, "A20",
        "The date of a home's registration is recorded once.";
    RATING_INCOMPLETE = "rating_incomplete", Input, "A20", "A rating has the date of its inspection.";
}

/// Homes.
pub struct Homes;

static COLUMNS: &[Column] = &[
    column("provider", false, ""),
    column("urn", false, "SC900001"),
    column("registeredOn", false, "2015-04-01"),
    column("expectedOn", false, ""),
    column("name", true, "The Limes"),
    column("kind", true, "childrens_home"),
    column("postcode", false, "CB7 4AA"),
    column("localAuthority", false, "Cambridgeshire"),
    column("region", false, "East of England"),
    column("beds", false, "4"),
    column("registeredManager", false, "yes"),
    column("managerSince", false, "2018-09-01"),
    column("dualRegistration", false, "no"),
    column("emergencyCapacity", false, "yes"),
    column("rating", false, "good"),
    column("inspectedOn", false, "2018-05-14"),
    column("publishedOn", false, "2018-06-20"),
    column("source", false, "ofsted"),
];

/// What tells a home from others: its number, else its name among those of its provider that have none.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Key {
    Urn(String),
    Name(ProviderId, String),
}

/// The provider of every row that names none: the one asked for, if it is the caller's; a provider is its own.
///
/// # Errors
/// Not found.
pub fn scope(c: &mut Conn<'_>, who: &Caller, provider: Option<ProviderId>) -> Outcome<Subject> {
    let actor = &who.actor;
    let provider = provider.or(if actor.role == Role::Provider { actor.provider } else { None });
    if let Some(id) = provider {
        who.get::<Provider>(c, id)?;
    }
    Ok(Subject { provider, ..Subject::default() })
}

impl Rows for Homes {
    fn kind(&self) -> UploadKind {
        UploadKind::Homes
    }

    fn rules(&self) -> &'static [&'static Rule] {
        RULES
    }

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn keys(&self, cells: &Cells<'_>) -> Vec<(&'static str, String)> {
        match (urn(cells), cells.text("name")) {
            (Some(urn), _) => vec![("urn", urn)],
            (None, Some(name)) => {
                let provider = cells.text("provider").unwrap_or_default();
                vec![("name", format!("{provider} {}", folded(&name)))]
            }
            (None, None) => Vec::new(),
        }
    }

    fn hold(&self, tx: &mut Tx<'_>, batch: &Batch<'_>) -> Outcome<()> {
        tx.hold_all::<Provider>(&named(batch)).map(drop)
    }

    fn decide(&self, conn: &mut Conn<'_>, batch: &Batch<'_>) -> Outcome<Decisions> {
        let known = Known::load(conn, batch)?;
        let mut changes = Vec::new();
        let mut verdicts = Vec::new();
        for mut cells in batch.cells() {
            let change = decide(&mut cells, batch, &known);
            verdicts.push(if !cells.is_good() {
                Verdict::Refused(cells.faults())
            } else if let Some(change) = change {
                let verdict = match &change {
                    Change::New(_) => Verdict::Added,
                    Change::Old(_, _) => Verdict::Changed,
                };
                changes.push(change);
                verdict
            } else {
                Verdict::Unchanged
            });
        }
        Ok(Decisions { verdicts, notes: Vec::new(), write: Box::new(|tx| write_all(tx, changes)) })
    }
}

/// What the rows of a batch meet.
struct Known {
    homes: HashMap<Key, Stored<Home>>,
    /// Those that are the sender's.
    providers: HashMap<ProviderId, Provider>,
}

impl Known {
    fn load(conn: &mut Conn<'_>, batch: &Batch<'_>) -> Outcome<Self> {
        let providers = own(conn, batch, &named(batch))?;
        let own: Vec<ProviderId> = providers.iter().map(|p| p.id).collect();
        let numbers = batch.cells().filter_map(|cells| urn(&cells));
        let mut found = conn.list(&Filter::all().any(homes::urn, numbers), Page::ALL)?;
        // Those without a number are few: they wait to be registered.
        let proposed = Filter::all().any(homes::provider_id, own).is(homes::state, "proposed");
        found.extend(conn.list(&proposed, Page::ALL)?);
        let key = |home: &Home| match home.urn() {
            Some(urn) => Key::Urn(urn.to_owned()),
            None => Key::Name(home.provider, folded(&home.profile.name)),
        };
        Ok(Self {
            homes: found.into_iter().map(|home| (key(&home.value), home)).collect(),
            providers: providers.into_iter().map(|p| (p.id, p)).collect(),
        })
    }
}

fn urn(cells: &Cells<'_>) -> Option<String> {
    cells.text("urn").map(|urn| regulator_number(&urn))
}

/// The provider that a row is about: the one it names, else that of the file.
fn provider_of(cells: &Cells<'_>, batch: &Batch<'_>) -> Option<ProviderId> {
    match cells.text("provider") {
        Some(named) => named.parse().ok().map(ProviderId),
        None => batch.subject.provider,
    }
}

/// The providers that the rows of a batch are about.
fn named(batch: &Batch<'_>) -> Vec<ProviderId> {
    let named: HashSet<ProviderId> = batch.cells().filter_map(|cells| provider_of(&cells, batch)).collect();
    let mut named: Vec<ProviderId> = named.into_iter().collect();
    named.sort_unstable();
    named
}

/// What becomes of a home; `None` where it stays as it is, or where the row is refused.
fn decide(cells: &mut Cells<'_>, batch: &Batch<'_>, known: &Known) -> Option<Change<Home>> {
    let provider = provider_of(cells, batch);
    let Some(owner) = provider.and_then(|id| known.providers.get(&id)) else {
        let rule =
            if provider.is_none() && cells.text("provider").is_none() { &MISSING_VALUE } else { &PROVIDER_UNKNOWN };
        cells.refuse(rule, "provider", "the identifier of a provider that the sender is or acts for");
        return None;
    };
    let name = folded(&cells.text("name").unwrap_or_default());
    let number = urn(cells);
    if number.as_deref().is_some_and(|number| !is_regulator_number(number)) {
        cells.refuse(&REGULATOR_ID_MALFORMED, "urn", REGULATOR_FORMS);
        return None;
    }
    let by_number = number.clone().and_then(|urn| known.homes.get(&Key::Urn(urn)));
    let before = by_number.or_else(|| known.homes.get(&Key::Name(owner.id, name)));
    let known = before.map(|home| &home.value);
    let profile = profile(cells, known.map(|home| &home.profile)).tidied();
    cells.limited(&profile);
    let registration = registration(cells, number, known);
    let facts = facts(cells, known);
    if !cells.is_good() {
        return None;
    }
    let mut decided = match before {
        Some(before) if before.value.provider != owner.id => {
            cells.refuse(&URN_TAKEN, "urn", "it names another provider's home; one that is sold is transferred");
            return None;
        }
        Some(before) => change(cells, batch, before.value.clone(), profile, registration)?,
        None => add(cells, batch, owner, profile, registration)?,
    };
    if let Some(facts) = facts {
        decided = rated(decided, facts, batch, cells);
    }
    match before {
        None => Some(Change::New(decided)),
        Some(_) if decided.1.is_empty() => None,
        Some(before) => Some(Change::Old(before.clone(), decided)),
    }
}

fn add(
    cells: &mut Cells<'_>,
    batch: &Batch<'_>,
    owner: &Provider,
    profile: HomeProfile,
    registration: Option<Registration>,
) -> Option<Decided<Home>> {
    let (id, now): (HomeId, _) = (batch.stamp.mint(), batch.stamp.now);
    let expected_on = cells.date("expectedOn");
    let decision = owner.may_add_home().and_then(|()| match registration {
        Some(registration) => Home::add(id, owner.id, profile, registration, now),
        None => Home::propose(id, owner.id, profile, expected_on, now),
    });
    decision.map_err(|refusal| cells.refused(&refusal)).ok()
}

/// A home that is known: its profile as the row says, and its registration where it had none.
fn change(
    cells: &mut Cells<'_>,
    batch: &Batch<'_>,
    home: Home,
    profile: HomeProfile,
    registration: Option<Registration>,
) -> Option<Decided<Home>> {
    // What is closed may be sent again as it is.
    let same = home.profile == profile;
    let amended = if same { Ok((home, Vec::new())) } else { home.amend(profile, batch.stamp.now) };
    let (home, mut events) = amended.map_err(|refusal| cells.refused(&refusal)).ok()?;
    let registered = match (&home.state, registration) {
        (HomeState::Proposed { .. }, Some(registration)) => home.register(registration, batch.stamp.now),
        (HomeState::Registered { .. } | HomeState::Closed { .. } | HomeState::Proposed { .. }, _) => {
            Ok((home, Vec::new()))
        }
    };
    let (home, more) = registered.map_err(|refusal| cells.refused(&refusal)).ok()?;
    events.extend(more);
    Some((home, events))
}

/// The registration that a row states; of a home that is registered, it is the one on record.
fn registration(cells: &mut Cells<'_>, urn: Option<String>, before: Option<&Home>) -> Option<Registration> {
    let urn = urn?;
    let on_record = before.and_then(|home| match &home.state {
        HomeState::Registered { registration } => Some(registration.clone()),
        HomeState::Closed { registration, .. } => registration.clone(),
        HomeState::Proposed { .. } => None,
    });
    let stated = cells.date("registeredOn");
    match (on_record, stated) {
        (Some(on_record), Some(stated)) if on_record.registered_on != stated => {
            let detail = format!("it was registered on {}", on_record.registered_on);
            cells.refuse(&REGISTRATION_DIFFERS, "registeredOn", &detail);
            None
        }
        (Some(on_record), _) => Some(on_record),
        (None, Some(registered_on)) => Some(Registration { urn, registered_on }),
        (None, None) => {
            if cells.text("registeredOn").is_none() {
                cells.refuse(&MISSING_VALUE, "registeredOn", "a home with a number is registered since a day");
            }
            None
        }
    }
}

fn profile(cells: &mut Cells<'_>, before: Option<&HomeProfile>) -> HomeProfile {
    let name = match before.filter(|_| !cells.has("name")) {
        Some(before) => before.name.clone(),
        None => cells.needed("name").unwrap_or_default(),
    };
    let kinds = "a kind of home by its name in the API, such as childrens_home, or in the regulator's own words";
    let kind = match before.filter(|_| !cells.has("kind")) {
        Some(before) => before.kind.clone(),
        None => cells.needed("kind").and_then(|_| cells.read("kind", kinds, kind)).unwrap_or(HomeKind::ChildrensHome),
    };
    let stays = |column: &str| !cells.has(column);
    let postcode = if stays("postcode") {
        before.and_then(|p| p.postcode.clone())
    } else {
        cells.read("postcode", "a postcode such as HD1 2AB, or its first half", |t| Postcode::read(t).ok()).flatten()
    };
    let text = |cells: &Cells<'_>, column: &str, old: Option<String>| {
        if cells.has(column) { cells.text(column) } else { old }
    };
    let local_authority = text(cells, "localAuthority", before.and_then(|p| p.local_authority.clone()));
    let region = text(cells, "region", before.and_then(|p| p.region.clone()));
    let beds = if cells.has("beds") { cells.number("beds") } else { before.and_then(|p| p.beds) };
    let registered_manager = registered_manager(cells, before.and_then(|p| p.registered_manager.as_ref()));
    let yes = |cells: &mut Cells<'_>, column, old| if cells.has(column) { cells.yes(column) } else { old };
    let dual_registration = yes(cells, "dualRegistration", before.and_then(|p| p.dual_registration));
    let emergency_capacity = yes(cells, "emergencyCapacity", before.and_then(|p| p.emergency_capacity));
    HomeProfile {
        name,
        kind,
        postcode,
        local_authority,
        region,
        beds,
        registered_manager,
        dual_registration,
        emergency_capacity,
    }
}

fn registered_manager(cells: &mut Cells<'_>, before: Option<&RegisteredManager>) -> Option<RegisteredManager> {
    let (filled, since) = match before {
        Some(RegisteredManager::Filled { since }) => (Some(true), *since),
        Some(RegisteredManager::Vacant) => (Some(false), None),
        None => (None, None),
    };
    let since = if cells.has("managerSince") { cells.date("managerSince") } else { since };
    let filled = if cells.has("registeredManager") { cells.yes("registeredManager") } else { filled };
    filled.map(|filled| if filled { RegisteredManager::Filled { since } } else { RegisteredManager::Vacant })
}

/// A kind by its name in the API, blanks and hyphens as in writing, or in the regulator's own words.
pub(super) fn kind(text: &str) -> Option<HomeKind> {
    if let Some(other) = text.strip_prefix("other:") {
        return Some(other.trim().to_owned()).filter(|other| !other.is_empty()).map(HomeKind::Other);
    }
    let name = text.to_lowercase().replace([' ', '-'], "_");
    serde_json::from_value(serde_json::Value::String(name)).ok().or_else(|| printed_kind(text))
}

/// A kind as the regulator's list prints it. One that has no name of its own here keeps the regulator's.
fn printed_kind(text: &str) -> Option<HomeKind> {
    match ofsted::provision_type(text) {
        ProvisionType::ChildrensHome => Some(HomeKind::ChildrensHome),
        ProvisionType::SecureChildrensHome => Some(HomeKind::SecureChildrensHome),
        ProvisionType::ResidentialSpecialSchool => Some(HomeKind::ResidentialSpecialSchool),
        ProvisionType::FosteringAgency => Some(HomeKind::FosteringAgency),
        ProvisionType::FamilyCentre => Some(HomeKind::ResidentialFamilyCentre),
        ProvisionType::SupportedAccommodation => Some(HomeKind::SupportedAccommodation),
        ProvisionType::SpecialSchoolChildrensHome
        | ProvisionType::BoardingSchool
        | ProvisionType::FurtherEducationCollege
        | ProvisionType::VoluntaryAdoptionAgency
        | ProvisionType::AdoptionSupportAgency
        | ProvisionType::HolidayScheme
        | ProvisionType::SecureTrainingCentre => Some(HomeKind::Other(text.to_owned())),
        ProvisionType::Other => None,
    }
}

/// Records a rating on what was decided so far; one that stands so already changes nothing.
fn rated(
    (home, mut events): Decided<Home>,
    facts: RatingFacts,
    batch: &Batch<'_>,
    cells: &mut Cells<'_>,
) -> Decided<Home> {
    match home.clone().record_rating(facts, &batch.stamp.actor, batch.stamp.now) {
        Ok((home, more)) => {
            events.extend(more);
            (home, events)
        }
        Err(Refusal::Rules(broken)) if broken.iter().all(|v| *v.rule == RATING_ALREADY_RECORDED) => (home, events),
        Err(refusal) => {
            cells.refused(&refusal);
            (home, events)
        }
    }
}

/// The rating that a row states, if any; what it does not speak of is as it is known of that inspection.
fn facts(cells: &mut Cells<'_>, before: Option<&Home>) -> Option<RatingFacts> {
    let mut held = cells.read("rating", "outstanding, good, requires_improvement or inadequate", rating);
    let mut published_on = cells.date("publishedOn");
    let inspected_on = cells.date("inspectedOn");
    let known = |on| before.and_then(|home| home.ratings.iter().rev().find(|entry| entry.facts.inspected_on == on));
    let known = inspected_on.and_then(known).map(|entry| &entry.facts);
    if !cells.has("rating") {
        // A date alone does not say that nothing was judged.
        match known {
            Some(known) => held = known.rating,
            None if inspected_on.is_some() => return None,
            None => {}
        }
    }
    if !cells.has("publishedOn") {
        published_on = known.and_then(|known| known.published_on);
    }
    match (inspected_on, cells.text("rating").is_some() || published_on.is_some()) {
        (Some(inspected_on), _) => {
            let source = cells.text("source").unwrap_or_else(|| "provider".to_owned());
            Some(RatingFacts { rating: held, inspected_on, published_on, source, reason: None })
        }
        (None, true) if cells.text("inspectedOn").is_none() => {
            cells.refuse(&RATING_INCOMPLETE, "inspectedOn", "the rating has no date of inspection");
            None
        }
        (None, _) => None,
    }
}

//! The providers of a portal: one row each, registered or brought up to date (PRO-01, DPS-24). What a file has no column for
//! stays as it is; a blank cell takes back what was stated.

use std::collections::HashMap;

use domain::kernel::{Decided, ProviderId, Role};
use domain::provider::identifier::{
    COMPANY_FORMS, REGULATOR_FORMS, company_number, is_company_number, is_regulator_number, regulator_number,
};
use domain::provider::provider::{
    AGENCY_URN_TAKEN, COMPANY_NUMBER_TAKEN, EXTERNAL_REF_IN_USE, ExternalRef, Provider, ProviderProfile,
    REGULATOR_ID_MALFORMED,
};
use domain::upload::{Subject, UploadKind};
use persistence::provider::{self as store, providers};
use persistence::{Conn, Failure, Filter, Outcome, Page, Stored};

use crate::Caller;
use crate::upload::row::{Cells, Column, MISSING_VALUE, column};
use crate::upload::{Batch, Change, Decisions, Rows, Verdict, write_all};

/// Providers.
pub struct Providers;

static COLUMNS: &[Column] = &[
    column("portal", false, "procontract"),
    column("reference", false, "S-1001"),
    column("legalName", true, "Fens Care Limited"),
    column("tradingNames", false, "Fens Care | Fenland Homes"),
    column("agencyUrn", false, ""),
    column("companyNumber", false, "01234567"),
    column("email", false, "office@example.org"),
    column("phone", false, "+44 1223 000000"),
    column("inHouse", false, "no"),
];

/// Providers are uploaded by portals; a provider registers itself under the id in its token.
///
/// # Errors
/// Forbidden to everybody else.
pub fn scope(_: &mut Conn<'_>, who: &Caller) -> Outcome<Subject> {
    if who.actor.role == Role::Portal { Ok(Subject::default()) } else { Err(Failure::Forbidden) }
}

impl Rows for Providers {
    fn kind(&self) -> UploadKind {
        UploadKind::Providers
    }

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn keys(&self, cells: &Cells<'_>) -> Vec<(&'static str, String)> {
        let known_as = known_as(cells).map(|r| ("reference", format!("{} {}", r.portal, r.reference)));
        let company = cells.text("companyNumber").map(|n| ("companyNumber", company_number(&n)));
        let agency = cells.text("agencyUrn").map(|n| ("agencyUrn", regulator_number(&n)));
        [known_as, company, agency].into_iter().flatten().collect()
    }

    fn decide(&self, conn: &mut Conn<'_>, batch: &Batch<'_>) -> Outcome<Decisions> {
        let known = Known::load(conn, batch)?;
        let (mut changes, mut verdicts) = (Vec::new(), Vec::new());
        for mut cells in batch.cells() {
            let change = decide(&mut cells, batch, &known);
            verdicts.push(match change {
                _ if !cells.is_good() => Verdict::Refused(cells.faults()),
                None => Verdict::Unchanged,
                Some(change) => {
                    let verdict = match change {
                        Change::New(_) => Verdict::Added,
                        Change::Old(..) => Verdict::Changed,
                    };
                    changes.push(change);
                    verdict
                }
            });
        }
        Ok(Decisions { verdicts, notes: Vec::new(), write: Box::new(move |tx| write_all(tx, changes)) })
    }
}

/// What the rows of a batch meet.
struct Known {
    providers: HashMap<ProviderId, Stored<Provider>>,
    references: HashMap<(String, String), ProviderId>,
    companies: HashMap<String, ProviderId>,
    agencies: HashMap<String, ProviderId>,
}

impl Known {
    fn load(conn: &mut Conn<'_>, batch: &Batch<'_>) -> Outcome<Self> {
        let sought: Vec<ExternalRef> = batch.cells().filter_map(|cells| known_as(&cells)).collect();
        let references = store::by_references(conn, &sought)?;
        let numbers = |column: &'static str, read: fn(&str) -> String| -> Vec<String> {
            batch.cells().filter_map(|cells| cells.text(column)).map(|n| read(&n)).collect()
        };
        let filters = [
            Filter::all().any(providers::id, references.iter().map(|(_, id)| *id)),
            Filter::all().any(providers::company_number, numbers("companyNumber", company_number)),
            Filter::all().any(providers::agency_urn, numbers("agencyUrn", regulator_number)),
        ];
        let mut found = HashMap::new();
        for filter in filters {
            found.extend(conn.list(&filter, Page::ALL)?.into_iter().map(|p| (p.value.id, p)));
        }
        let by = |number: fn(&ProviderProfile) -> &Option<String>| {
            let numbered = found.values().map(|p: &Stored<Provider>| (number(&p.value.profile).clone(), p.value.id));
            numbered.filter_map(|(number, id)| Some((number?, id))).collect()
        };
        Ok(Self {
            companies: by(|p| &p.company_number),
            agencies: by(|p| &p.agency_urn),
            references: references.into_iter().map(|(r, id)| ((r.portal, r.reference), id)).collect(),
            providers: found,
        })
    }
}

fn known_as(cells: &Cells<'_>) -> Option<ExternalRef> {
    Some(ExternalRef { portal: cells.text("portal")?, reference: cells.text("reference")? }.trimmed())
}

/// What becomes of a provider; `None` where it stays as it is, or where the row is refused.
fn decide(cells: &mut Cells<'_>, batch: &Batch<'_>, known: &Known) -> Option<Change<Provider>> {
    let known_as = known_as(cells);
    for (column, other) in [("portal", "reference"), ("reference", "portal")] {
        if cells.text(column).is_none() && cells.text(other).is_some() {
            cells.refuse(&MISSING_VALUE, column, "a portal and its reference go together");
        }
    }
    let company = cells.text("companyNumber").map(|n| company_number(&n));
    let agency = cells.text("agencyUrn").map(|n| regulator_number(&n));
    for (column, is_number, forms) in [
        ("companyNumber", company.as_deref().is_none_or(is_company_number), COMPANY_FORMS),
        ("agencyUrn", agency.as_deref().is_none_or(is_regulator_number), REGULATOR_FORMS),
    ] {
        if !is_number {
            cells.refuse(&REGULATOR_ID_MALFORMED, column, forms);
        }
    }
    if !cells.is_good() {
        return None;
    }
    if known_as.is_none() && company.is_none() {
        cells.refuse(&MISSING_VALUE, "reference", "a provider is told by a portal's reference or its company number");
    }
    let by_reference =
        known_as.as_ref().and_then(|r| known.references.get(&(r.portal.clone(), r.reference.clone()))).copied();
    let by_company = company.as_ref().and_then(|number| known.companies.get(number)).copied();
    let by_agency = agency.as_ref().and_then(|number| known.agencies.get(number)).copied();
    let own =
        |id: &ProviderId| known.providers.get(id).is_some_and(|p| p.value.registered_by == batch.stamp.actor.subject);
    // A number that names another's provider is taken, whoever sends it: whose it is, is not told.
    let id = by_reference.or(by_company.filter(own));
    if by_reference.is_some_and(|id| !own(&id)) {
        cells.refuse(&EXTERNAL_REF_IN_USE, "reference", "the portal calls another provider so");
    }
    if by_company.is_some_and(|other| Some(other) != id) {
        cells.refuse(&COMPANY_NUMBER_TAKEN, "companyNumber", "it names another provider");
    }
    if by_agency.is_some_and(|other| Some(other) != id) {
        cells.refuse(&AGENCY_URN_TAKEN, "agencyUrn", "it names another provider");
    }
    let before = id.and_then(|id| known.providers.get(&id));
    let profile = profile(cells, before.map(|p| &p.value.profile));
    cells.limited(&profile);
    if let Some(reference) = &known_as {
        cells.limited(reference);
    }
    if !cells.is_good() {
        return None;
    }
    let decided = match before {
        Some(before) => before.value.clone().amend(profile, batch.stamp.now),
        None => Provider::register(batch.stamp.mint(), profile, &batch.stamp.actor, batch.stamp.now),
    };
    let decided = decided.and_then(|decided| with_reference(decided, known_as));
    let decided = decided.map_err(|refusal| cells.refused(&refusal)).ok()?;
    match before {
        None => Some(Change::New(decided)),
        Some(_) if decided.1.is_empty() => None,
        Some(before) => Some(Change::Old(before.clone(), decided)),
    }
}

fn with_reference(
    (provider, mut events): Decided<Provider>,
    known_as: Option<ExternalRef>,
) -> Result<Decided<Provider>, domain::kernel::Refusal> {
    let Some(known_as) = known_as else { return Ok((provider, events)) };
    let (provider, more) = provider.add_external_ref(known_as)?;
    events.extend(more);
    Ok((provider, events))
}

fn profile(cells: &mut Cells<'_>, before: Option<&ProviderProfile>) -> ProviderProfile {
    let legal_name = match before.filter(|_| !cells.has("legalName")) {
        Some(before) => before.legal_name.clone(),
        None => cells.needed("legalName").unwrap_or_default(),
    };
    let old = before.cloned().unwrap_or_default();
    let text = |column: &str, old: Option<String>| if cells.has(column) { cells.text(column) } else { old };
    let trading_names = if cells.has("tradingNames") {
        let names = cells.text("tradingNames").unwrap_or_default();
        names.split('|').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
    } else {
        old.trading_names
    };
    let (agency_urn, company_number) = (text("agencyUrn", old.agency_urn), text("companyNumber", old.company_number));
    let (email, phone) = (text("email", old.email), text("phone", old.phone));
    let in_house = if cells.has("inHouse") { cells.yes("inHouse").unwrap_or(false) } else { old.in_house };
    ProviderProfile { legal_name, trading_names, agency_urn, company_number, email, phone, in_house }
}

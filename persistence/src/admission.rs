//! Applications, their checks, declarations of interest, and memberships.

use diesel::prelude::*;
use domain::admission::Application;
use domain::admission::application::{APPLICATION_OPEN, LOT_HELD};
use domain::admission::compliance_check::ComplianceCheck;
use domain::admission::declaration_of_interests::DeclarationOfInterests;
use domain::admission::membership::Membership;
use domain::arrangement::Lot;
use domain::kernel::{ApplicationId, ArrangementId, LotId, ProviderId, RoundId};

use crate::aggregate::{Filter, Taken};
use crate::{Conn, Outcome, Page, Stored, Uid};

declare_table! {
    /// Applications.
    applications: Application {
        arrangement_id: Uid = |a| a.arrangement;
        provider_id: Uid = |a| a.provider;
        round_id: Nullable<Uid> [narrow] = |a| a.round();
        external_ref: Nullable<Text> = |a| a.external_ref.clone();
        open: Bool = |a| a.is_open();
        received: Bool = |a| a.is_received();
    }
    unique applications_one_open (provider_id, arrangement_id) = Taken::Refuse(&APPLICATION_OPEN);
}

declare_table! {
    /// Compliance checks.
    compliance_checks: ComplianceCheck {
        arrangement_id: Uid = |check| check.arrangement;
        application_id: Uid [narrow] = |check| check.application;
        provider_id: Uid = |check| check.provider;
        requirement_id: Nullable<Uid> = |check| check.requirement.map(|it| it.requirement);
        requirement_version: Nullable<Integer> =
            |check| check.requirement.map(|it| i32::try_from(it.version).unwrap_or(i32::MAX));
    }
    unique compliance_checks_one_each (application_id, requirement_id, requirement_version) = Taken::Retry;
}

declare_table! {
    /// Declarations of interest.
    declarations_of_interests: DeclarationOfInterests {
        arrangement_id: Uid = |d| d.arrangement;
        assessor: Text = |d| d.assessor.clone();
    }
    unique declarations_of_interests_one_each (arrangement_id, assessor) = Taken::Retry;
}

declare_table! {
    /// Memberships.
    memberships: Membership {
        arrangement_id: Uid = |m| m.arrangement;
        lot_id: Uid [narrow] = |m| m.lot;
        provider_id: Uid = |m| m.provider;
        application_id: Uid [narrow] = |m| m.application;
        admitted_at: Moment = |m| m.admitted_at;
        live: Bool = |m| m.is_live();
    }
    unique memberships_one_live (provider_id, lot_id) = Taken::Refuse(&LOT_HELD);
}

/// The checks of an application, in the order in which they were opened.
///
/// # Errors
/// Where the store fails.
pub fn checks_of(conn: &mut Conn<'_>, application: ApplicationId) -> Outcome<Vec<Stored<ComplianceCheck>>> {
    conn.all_of(compliance_checks::application_id, application)
}

/// The open application of a provider to an arrangement.
///
/// # Errors
/// Where the store fails.
pub fn open_application(
    conn: &mut Conn<'_>,
    provider: ProviderId,
    arrangement: ArrangementId,
) -> Outcome<Option<ApplicationId>> {
    use applications as table;
    let query = table::table
        .filter(table::provider_id.eq(Uid::from(provider)))
        .filter(table::arrangement_id.eq(Uid::from(arrangement)))
        .filter(table::open)
        .select(table::id);
    Ok(on!(conn, c => query.first::<Uid>(c)).optional()?.map(|id| ApplicationId(id.0)))
}

/// The lots of an arrangement that a provider is a member of.
///
/// # Errors
/// Where the store fails.
pub fn lots_held(conn: &mut Conn<'_>, provider: ProviderId, arrangement: ArrangementId) -> Outcome<Vec<LotId>> {
    use memberships as table;
    let query = table::table
        .filter(table::provider_id.eq(Uid::from(provider)))
        .filter(table::arrangement_id.eq(Uid::from(arrangement)))
        .filter(table::live)
        .select(table::lot_id);
    Ok(on!(conn, c => query.load::<Uid>(c))?.into_iter().map(|id| LotId(id.0)).collect())
}

/// What an assessor declared for an arrangement.
///
/// # Errors
/// Where the store fails.
pub fn declaration_of(
    conn: &mut Conn<'_>,
    arrangement: ArrangementId,
    assessor: &str,
) -> Outcome<Option<Stored<DeclarationOfInterests>>> {
    let filter = Filter::all()
        .is(declarations_of_interests::arrangement_id, arrangement)
        .is(declarations_of_interests::assessor, assessor);
    Ok(conn.list(&filter, Page::ALL)?.pop())
}

/// The memberships of a provider in an arrangement, ended ones included.
///
/// # Errors
/// Where the store fails.
pub fn memberships_of(
    conn: &mut Conn<'_>,
    provider: ProviderId,
    arrangement: ArrangementId,
) -> Outcome<Vec<Stored<Membership>>> {
    let filter = Filter::all().is(memberships::provider_id, provider).is(memberships::arrangement_id, arrangement);
    conn.list(&filter, Page::ALL)
}

/// The memberships of a provider in a lot, ended ones included, in the order of admission.
///
/// # Errors
/// Where the store fails.
pub fn memberships_in_lot(conn: &mut Conn<'_>, provider: ProviderId, lot: LotId) -> Outcome<Vec<Stored<Membership>>> {
    conn.list(&Filter::all().is(memberships::provider_id, provider).is(memberships::lot_id, lot), Page::ALL)
}

/// The lines of a round that are not decided yet.
///
/// # Errors
/// Where the store fails.
pub fn undecided_lines(conn: &mut Conn<'_>, round: RoundId) -> Outcome<u64> {
    let open = applications_in_round(conn, round, "in_evaluation")?;
    Ok(open.iter().flat_map(|a| &a.value.lines).filter(|line| line.status.is_undecided()).count() as u64)
}

/// Whether a line of the lot was ever evaluated: then its requirements only gain versions (A2).
///
/// # Errors
/// Where the store fails.
pub fn was_evaluated(conn: &mut Conn<'_>, lot: &Lot) -> Outcome<bool> {
    let filter = Filter::all()
        .is(applications::arrangement_id, lot.arrangement)
        .any(applications::state, Application::OPEN_TO_BUYERS);
    let found: Vec<Stored<Application>> = conn.list(&filter, Page::ALL)?;
    Ok(found.iter().any(|application| application.value.lines.iter().any(|line| line.lot == lot.id)))
}

/// The applications of a round that are in one state.
///
/// # Errors
/// Where the store fails.
pub fn applications_in_round(conn: &mut Conn<'_>, round: RoundId, state: &str) -> Outcome<Vec<Stored<Application>>> {
    conn.list(&Filter::all().is(applications::round_id, round).is(applications::state, state), Page::ALL)
}

//! Applications, their checks, declarations of interest, and memberships.

use diesel::prelude::*;
use domain::admission::Application;
use domain::admission::compliance_check::ComplianceCheck;
use domain::admission::declaration_of_interests::DeclarationOfInterests;
use domain::admission::membership::Membership;
use domain::arrangement::Lot;
use domain::kernel::{
    ApplicationId, ArrangementId, ComplianceCheckId, DeclarationOfInterestsId, LotId, MembershipId, ProviderId, RoundId,
};

use crate::{Conn, Outcome, Page, Stored, Uid};

aggregate! {
    /// Applications.
    applications: Application, ApplicationId {
        arrangement_id: Uid = Uid, |a| a.arrangement.into();
        provider_id: Uid = Uid, |a| a.provider.into();
        round_id: Nullable<Uid> = Option<Uid>, |a| a.round().map(Uid::from);
        external_ref: Nullable<Text> = Option<String>, |a| a.external_ref.clone();
        open: Bool = bool, |a| a.is_open();
        received: Bool = bool, |a| a.is_received();
    }
}

aggregate! {
    /// Compliance checks.
    checks: ComplianceCheck, ComplianceCheckId {
        arrangement_id: Uid = Uid, |check| check.arrangement.into();
        application_id: Uid = Uid, |check| check.application.into();
        provider_id: Uid = Uid, |check| check.provider.into();
        requirement_id: Uid = Uid, |check| check.requirement.requirement.into();
        requirement_version: Integer = i32, |check| i32::try_from(check.requirement.version).unwrap_or(i32::MAX);
    }
}

aggregate! {
    /// Declarations of interest.
    declarations: DeclarationOfInterests, DeclarationOfInterestsId {
        arrangement_id: Uid = Uid, |d| d.arrangement.into();
        assessor: Text = String, |d| d.assessor.clone();
    }
}

aggregate! {
    /// Memberships.
    memberships: Membership, MembershipId {
        arrangement_id: Uid = Uid, |m| m.arrangement.into();
        lot_id: Uid = Uid, |m| m.lot.into();
        provider_id: Uid = Uid, |m| m.provider.into();
        application_id: Uid = Uid, |m| m.application.into();
        live: Bool = bool, |m| m.is_live();
    }
}

/// The checks of an application, in the order in which they were opened.
///
/// # Errors
/// Where the store fails.
pub fn checks_of(conn: &mut Conn<'_>, application: ApplicationId) -> Outcome<Vec<Stored<ComplianceCheck>>> {
    let filter = checks::Filter { application_id: Some(vec![application.into()]), ..checks::Filter::default() };
    checks::list(conn, &filter, Page::ALL)
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
    use applications::applications as table;
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
    use memberships::memberships as table;
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
    let filter = declarations::Filter {
        arrangement_id: Some(vec![arrangement.into()]),
        assessor: Some(vec![assessor.to_owned()]),
        ..declarations::Filter::default()
    };
    Ok(declarations::list(conn, &filter, Page::ALL)?.pop())
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
    let filter = memberships::Filter {
        provider_id: Some(vec![provider.into()]),
        arrangement_id: Some(vec![arrangement.into()]),
        ..memberships::Filter::default()
    };
    memberships::list(conn, &filter, Page::ALL)
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
    let filter = applications::Filter {
        arrangement_id: Some(vec![lot.arrangement.into()]),
        state: Some(vec!["in_evaluation".to_owned(), "decided".to_owned()]),
        ..applications::Filter::default()
    };
    let found = applications::list(conn, &filter, Page::ALL)?;
    Ok(found.iter().any(|application| application.value.lines.iter().any(|line| line.lot == lot.id)))
}

/// The applications of a round that are in one state.
///
/// # Errors
/// Where the store fails.
pub fn applications_in_round(conn: &mut Conn<'_>, round: RoundId, state: &str) -> Outcome<Vec<Stored<Application>>> {
    let filter = applications::Filter {
        round_id: Some(vec![Some(round.into())]),
        state: Some(vec![state.to_owned()]),
        ..applications::Filter::default()
    };
    applications::list(conn, &filter, Page::ALL)
}

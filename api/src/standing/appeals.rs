//! Appeals against a rejection, a suspension or a removal, and what follows from one that is upheld (BEY-05).

use actix_web::{get, post, web};
use domain::admission::Application;
use domain::admission::application::{self, ReopenFacts};
use domain::admission::compliance_check::{self, ComplianceCheck, ComplianceCheckState};
use domain::admission::line::LineStatus;
use domain::admission::membership::{self, AdmittedLine, Membership};
use domain::arrangement::Arrangement;
use domain::kernel::{
    About, Aggregate as _, AppealId, ApplicationId, ArrangementId, Kind, LotId, ProviderId, RemovalId, SuspensionId,
};
use domain::standing::appeal::{self as rules, Appeal, AppealFacts, AppealTarget, LodgeAppeal};
use domain::standing::removal::{Party, Removal, RemovalState};
use domain::standing::suspension::{Suspension, SuspensionState};
use persistence::standing::{self as store, appeals};
use persistence::{Conn, Failure, Outcome, Stored, Tx, Uid, admission};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::{removals, suspensions, uids};
use crate::arrangement::arrangements::Because;
use crate::auth::Caller;
use crate::http::reply::Resource;
use crate::http::routes::routes;
use crate::http::{Answer, Call, List, Listing, Reply};

routes! {
    lodge_appeal: MakeRepresentations, [rules::RULES, domain::kernel::rule::RULES];
    list_appeals: ReadApplications, [crate::http::listing::RULES];
    get_appeal: ReadApplications, [];
    uphold_appeal: DecideAppeal, [rules::RULES, application::RULES, compliance_check::RULES, membership::RULES, domain::kernel::rule::RULES];
    dismiss_appeal: DecideAppeal, [rules::RULES, domain::kernel::rule::RULES];
    withdraw_appeal: MakeRepresentations, [];
}

/// An appeal to be lodged.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Lodge {
    /// Against what.
    target: AppealTarget,
    /// Why.
    #[validate(length(min = 1, max = 20_000))]
    grounds: String,
}

/// Lodge an appeal, as the provider concerned
///
/// The decision stays in effect until the appeal is upheld.
#[utoipa::path(tag = "standing", request_body = Lodge, responses((status = 201, body = Resource<Appeal>)))]
#[post("/v1/appeals")]
async fn lodge_appeal(call: Call<Lodge>) -> Answer {
    call.write(|tx, call| {
        let Lodge { target, grounds } = call.body.clone();
        let (about, kind) = about(tx, &call.who, &target)?;
        let (Some(arrangement), Some(provider)) = (about.arrangement, about.provider) else {
            return Err(Failure::NotFound(kind));
        };
        lock_target(tx, &target)?;
        let facts = AppealFacts {
            original_decider: decider(tx, &target)?,
            appeal_pending: store::appeal_pending(tx, &target)?,
        };
        let order = LodgeAppeal { arrangement, provider, target, grounds };
        let decision = Appeal::lodge(tx.mint(), order, facts, tx.actor(), tx.now())?;
        Reply::created(&tx.create(decision)?, "appeals")
    })
    .await
}

/// Which appeals to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListAppealsQuery {
    /// Only in this state.
    state: Option<String>,
    /// Only in this arrangement.
    arrangement: Option<ArrangementId>,
    /// Only of this provider.
    provider: Option<ProviderId>,
}

/// List appeals
///
/// A provider's own; an authority's in the arrangements whose applications it may read.
#[utoipa::path(tag = "standing", params(ListAppealsQuery, Listing), responses((status = 200, body = List<Resource<Appeal>>)))]
#[get("/v1/appeals")]
async fn list_appeals(call: Call, which: web::Query<ListAppealsQuery>, listing: web::Query<Listing>) -> Answer {
    call.list(
        move |c, call| {
            let page = listing.page()?;
            let mut filter = appeals::Filter {
                state: which.state.clone().map(|s| vec![s]),
                provider_id: which.provider.map(|id| vec![id.into()]),
                arrangement_id: which.arrangement.map(|id| vec![id.into()]),
                updated_since: listing.since(),
                ..appeals::Filter::default()
            };
            match call.who.own_providers(c)? {
                Some(mut own) => {
                    own.retain(|id| which.provider.is_none_or(|only| only == *id));
                    filter.provider_id = Some(uids(own));
                }
                None => {
                    if let Some(only) = which.arrangement {
                        call.who.may(c, within(only), Kind::Arrangement)?;
                    } else {
                        filter.arrangement_id = readable(call, c)?;
                    }
                }
            }
            Ok((page, filter))
        },
        |found: &Appeal, _| found.clone(),
    )
    .await
}

fn within(arrangement: ArrangementId) -> About {
    About { arrangement: Some(arrangement), ..About::default() }
}

/// The arrangements whose appeals a buyer may read; `None`: all.
fn readable(call: &Call, conn: &mut Conn<'_>) -> Outcome<Option<Vec<Uid>>> {
    let Some(own) = call.who.own_arrangements(conn)? else { return Ok(None) };
    let mut found = Vec::new();
    for id in own {
        match call.who.may(conn, within(id), Kind::Arrangement) {
            Ok(()) => found.push(Uid::from(id)),
            Err(Failure::NotFound(_) | Failure::Forbidden) => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(Some(found))
}

/// Read an appeal
#[utoipa::path(tag = "standing", params(("id" = AppealId, Path)), responses((status = 200, body = Resource<Appeal>)))]
#[get("/v1/appeals/{id}")]
async fn get_appeal(call: Call, id: web::Path<AppealId>) -> Answer {
    call.show::<Appeal>(*id, |found, _| Reply::ok(found)).await
}

/// Uphold an appeal
///
/// What was decided is set aside at once: the suspension is lifted, or annulled where it has ended; the removal revoked
/// or, where it took effect, the provider admitted again; a rejected line is evaluated again with its failed checks.
#[utoipa::path(tag = "standing", params(("id" = AppealId, Path)), request_body = Because, responses((status = 200, body = Resource<Appeal>)))]
#[post("/v1/appeals/{id}/uphold")]
async fn uphold_appeal(call: Call<Because>, id: web::Path<AppealId>) -> Answer {
    call.write(move |tx, call| {
        let before = lock_appeal(call, tx, *id)?;
        let reason = &call.body.reason;
        let decision = before.value.clone().uphold(reason.clone(), tx.actor(), tx.now())?;
        let after = tx.save(&before, decision)?;
        match after.value.target {
            AppealTarget::Line { application, lot } => reopen(tx, application, lot, reason)?,
            AppealTarget::Suspension { suspension } => annul(tx, suspension, reason)?,
            AppealTarget::Removal { removal } => undo(tx, removal, reason)?,
        }
        Reply::ok(&after)
    })
    .await
}

/// Dismiss an appeal: the decision stands
#[utoipa::path(tag = "standing", params(("id" = AppealId, Path)), request_body = Because, responses((status = 200, body = Resource<Appeal>)))]
#[post("/v1/appeals/{id}/dismiss")]
async fn dismiss_appeal(call: Call<Because>, id: web::Path<AppealId>) -> Answer {
    call.write(move |tx, call| {
        let before = lock_appeal(call, tx, *id)?;
        let decision = before.value.clone().dismiss(call.body.reason.clone(), tx.actor(), tx.now())?;
        Reply::ok(&tx.save(&before, decision)?)
    })
    .await
}

/// Take an appeal back, as the provider that lodged it
#[utoipa::path(tag = "standing", params(("id" = AppealId, Path)), responses((status = 200, body = Resource<Appeal>)))]
#[post("/v1/appeals/{id}/withdraw")]
async fn withdraw_appeal(call: Call, id: web::Path<AppealId>) -> Answer {
    call.write(move |tx, call| {
        let before = lock_appeal(call, tx, *id)?;
        let decision = before.value.clone().withdraw(tx.now())?;
        Reply::ok(&tx.save(&before, decision)?)
    })
    .await
}

/// Locks what an appeal is against, and then the appeal.
fn lock_appeal<T: Send + Sync + 'static>(call: &Call<T>, tx: &mut Tx<'_>, id: AppealId) -> Outcome<Stored<Appeal>> {
    let seen = call.who.get::<Appeal>(tx, id)?.value;
    lock_target(tx, &seen.target)?;
    call.lock::<Appeal>(tx, id)
}

/// What a target is about, where that is the caller's: an appeal is its provider's to lodge.
fn about(conn: &mut Conn<'_>, who: &Caller, target: &AppealTarget) -> Outcome<(About, Kind)> {
    Ok(match *target {
        AppealTarget::Line { application, .. } => {
            (who.get::<Application>(conn, application)?.value.about(), Kind::Application)
        }
        AppealTarget::Suspension { suspension } => {
            (who.get::<Suspension>(conn, suspension)?.value.about(), Kind::Suspension)
        }
        AppealTarget::Removal { removal } => (who.get::<Removal>(conn, removal)?.value.about(), Kind::Removal),
    })
}

/// Locks the application or the memberships that a target belongs to; a removal that is due takes effect.
fn lock_target(tx: &mut Tx<'_>, target: &AppealTarget) -> Outcome<()> {
    match *target {
        AppealTarget::Line { application, .. } => tx.lock::<Application>(application).map(drop),
        AppealTarget::Suspension { suspension } => {
            let seen = tx.get::<Suspension>(suspension)?.value;
            suspensions::lock_stopped(tx, &seen)
        }
        AppealTarget::Removal { removal } => {
            let membership = tx.get::<Removal>(removal)?.value.membership;
            let member = tx.lock::<Membership>(membership)?;
            removals::run_due(tx, member).map(drop)
        }
    }
}

/// Who made the decision; `None` where none against the provider stands.
fn decider(tx: &mut Tx<'_>, target: &AppealTarget) -> Outcome<Option<String>> {
    Ok(match *target {
        AppealTarget::Line { application, lot } => {
            let lines = tx.get::<Application>(application)?.value.lines;
            lines.into_iter().find(|line| line.lot == lot).and_then(|line| match line.status {
                LineStatus::Rejected(rejection) => Some(rejection.by),
                LineStatus::Pending
                | LineStatus::InEvaluation
                | LineStatus::Admitted { .. }
                | LineStatus::Withdrawn { .. }
                | LineStatus::Lapsed { .. } => None,
            })
        }
        AppealTarget::Suspension { suspension } => {
            let suspension = tx.get::<Suspension>(suspension)?.value;
            let over = suspension.over_at().is_some_and(|over| over <= tx.now());
            (!over).then_some(suspension.imposed_by)
        }
        AppealTarget::Removal { removal } => {
            let removal = tx.get::<Removal>(removal)?.value;
            match removal.state {
                // Nobody appeals against its own notice.
                RemovalState::Decided { .. } | RemovalState::Effective { .. }
                    if removal.given_by == Party::Provider =>
                {
                    None
                }
                RemovalState::Decided { decision, .. } | RemovalState::Effective { decision, .. } => Some(decision.by),
                RemovalState::Notified | RemovalState::Revoked { .. } => None,
            }
        }
    })
}

/// Puts a rejected line back under evaluation, with its failed checks. The rejection that a check led to is set
/// aside, so that it is open to new evidence though other lines may have been decided by it.
fn reopen(tx: &mut Tx<'_>, id: ApplicationId, lot: LotId, reason: &str) -> Outcome<()> {
    let before = tx.lock::<Application>(id)?;
    let (provider, arrangement) = (before.value.provider, before.value.arrangement);
    let facts = ReopenFacts {
        other_open: admission::open_application(tx, provider, arrangement)?.is_some_and(|open| open != id),
        held: admission::lots_held(tx, provider, arrangement)?.contains(&lot),
    };
    let decision = before.value.clone().reopen_line(lot, reason, facts, tx.actor(), tx.now())?;
    tx.save(&before, decision)?;
    for check in admission::checks_of(tx, id)? {
        if check.value.lots.contains(&lot) && matches!(check.value.state, ComplianceCheckState::Failed { .. }) {
            let before = tx.lock::<ComplianceCheck>(check.value.id)?;
            let decision = before.value.clone().reopen(reason, false)?;
            tx.save(&before, decision)?;
        }
    }
    Ok(())
}

/// Sets a suspension aside that should not have been imposed, also where it has ended meanwhile: it was no step towards
/// a removal. One that is annulled already, or that a removal has replaced, is left.
fn annul(tx: &mut Tx<'_>, id: SuspensionId, reason: &str) -> Outcome<()> {
    let before = tx.lock::<Suspension>(id)?;
    if before.value.is_annulled() || matches!(before.value.state, SuspensionState::Converted { .. }) {
        return Ok(());
    }
    let decision = before.value.clone().annul(reason.to_owned(), tx.actor(), tx.now())?;
    tx.save(&before, decision).map(drop)
}

/// Revokes a removal; where it took effect, admits the provider again: a new membership from the same application
/// with the same assurances (A6), as long as the arrangement is in force and the provider is not a member again.
fn undo(tx: &mut Tx<'_>, id: RemovalId, reason: &str) -> Outcome<()> {
    let before = tx.lock::<Removal>(id)?;
    match before.value.state {
        RemovalState::Notified | RemovalState::Decided { .. } => {
            let decision = before.value.clone().revoke(reason.to_owned(), tx.actor(), tx.now())?;
            tx.save(&before, decision).map(drop)
        }
        RemovalState::Effective { .. } => {
            let Membership { arrangement, lot, provider, application, assurances, .. } =
                tx.get::<Membership>(before.value.membership)?.value;
            let held = admission::lots_held(tx, provider, arrangement)?.contains(&lot);
            if held || tx.hold::<Arrangement>(arrangement)?.value.in_force().is_none() {
                return Ok(());
            }
            let line = AdmittedLine { arrangement, lot, provider, application, assurances };
            let decision = Membership::admit(tx.mint(), line, held, tx.now())?;
            tx.create(decision).map(drop)
        }
        RemovalState::Revoked { .. } => Ok(()),
    }
}

//! Appeals: lodged against a decision, upheld or dismissed by somebody else (BEY-05).

use domain::admission::Application;
use domain::admission::application::ReopenFacts;
use domain::admission::compliance_check::{ComplianceCheck, ComplianceCheckState};
use domain::admission::line::LineStatus;
use domain::admission::membership::{AdmittedLine, Membership, MembershipState};
use domain::arrangement::{ARRANGEMENT_NOT_IN_FORCE, Arrangement, Lot};
use domain::kernel::{About, Aggregate as _, AppealId, ApplicationId, Kind, LotId, RemovalId, SuspensionId};
use domain::standing::appeal::{Appeal, AppealFacts, AppealTarget, LodgeAppeal};
use domain::standing::removal::{Party, Removal, RemovalState};
use domain::standing::suspension::{Suspension, SuspensionState};
use persistence::standing::{self as store, appeals};
use persistence::{Conn, Failure, Filter, Outcome, Page, Stored, Tx, admission};

use super::{Measure as _, lock_lot, removal, suspension};
use crate::{Caller, Command};

/// Lodges an appeal against a decision that is about the caller.
///
/// # Errors
/// What the rules refuse.
pub fn lodge(tx: &mut Tx<'_>, by: &Command, target: AppealTarget, grounds: String) -> Outcome<Stored<Appeal>> {
    let (about, kind) = about(tx, &by.who, &target)?;
    let (Some(arrangement), Some(provider)) = (about.arrangement, about.provider) else {
        return Err(Failure::NotFound(kind));
    };
    if tx.hold::<Arrangement>(arrangement)?.value.in_force_at(tx.now()).is_none() {
        return Err(ARRANGEMENT_NOT_IN_FORCE.broken("the arrangement has ended").into());
    }
    lock_target(tx, &target)?;
    let facts =
        AppealFacts { original_decider: decider(tx, &target)?, appeal_pending: store::appeal_pending(tx, &target)? };
    let order = LodgeAppeal { arrangement, provider, target, grounds };
    tx.create(Appeal::lodge(tx.mint(), order, facts, tx.actor(), tx.now())?)
}

/// Upholds an appeal, and undoes what it was against.
///
/// # Errors
/// What the rules refuse.
pub fn uphold(tx: &mut Tx<'_>, by: &Command, id: AppealId, reason: &str) -> Outcome<Stored<Appeal>> {
    let before = lock_appeal(tx, by, id)?;
    let second = second(tx, &before.value.target)?;
    let decision = before.value.clone().uphold(reason.to_owned(), second.as_deref(), tx.actor(), tx.now())?;
    let after = tx.save(&before, decision)?;
    match after.value.target {
        AppealTarget::Line { application, lot } => reopen(tx, application, lot, reason)?,
        AppealTarget::Suspension { suspension } => annul(tx, suspension, reason)?,
        AppealTarget::Removal { removal } => undo(tx, removal, reason)?,
    }
    Ok(after)
}

/// Dismisses an appeal.
///
/// # Errors
/// What the rules refuse.
pub fn dismiss(tx: &mut Tx<'_>, by: &Command, id: AppealId, reason: String) -> Outcome<Stored<Appeal>> {
    let before = lock_appeal(tx, by, id)?;
    let second = second(tx, &before.value.target)?;
    let decision = before.value.clone().dismiss(reason, second.as_deref(), tx.actor(), tx.now())?;
    tx.save(&before, decision)
}

/// Takes an appeal back.
///
/// # Errors
/// What the rules refuse.
pub fn withdraw(tx: &mut Tx<'_>, by: &Command, id: AppealId) -> Outcome<Stored<Appeal>> {
    let before = lock_appeal(tx, by, id)?;
    let decision = before.value.clone().withdraw(tx.now())?;
    tx.save(&before, decision)
}

/// Closes the appeals that are undecided when their arrangement ends.
pub(crate) fn lapse_all(tx: &mut Tx<'_>, arrangement: &Arrangement, reason: &str) -> Outcome<()> {
    let lodged = Filter::all().is(appeals::arrangement_id, arrangement.id).is(appeals::lodged, true);
    for found in tx.list(&lodged, Page::ALL)? {
        let before = tx.lock::<Appeal>(found.value.id)?;
        if before.value.permit("lapse").is_ok() {
            let decision = before.value.clone().lapse(reason.to_owned(), tx.now())?;
            tx.save(&before, decision)?;
        }
    }
    Ok(())
}

/// Locks what an appeal is against, and then the appeal.
fn lock_appeal(tx: &mut Tx<'_>, by: &Command, id: AppealId) -> Outcome<Stored<Appeal>> {
    let seen = by.who.get::<Appeal>(tx, id)?.value;
    lock_target(tx, &seen.target)?;
    by.lock::<Appeal>(tx, id)
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
            suspension::lock_stopped(tx, &seen)
        }
        AppealTarget::Removal { removal } => {
            let (provider, lot) = tx.get::<Removal>(removal)?.value.against();
            lock_lot(tx, provider, lot)?;
            removal::run_due(tx, provider, lot)
        }
    }
}

/// Who confirmed the decision, where two made it.
fn second(tx: &mut Tx<'_>, target: &AppealTarget) -> Outcome<Option<String>> {
    let AppealTarget::Removal { removal } = *target else { return Ok(None) };
    Ok(match tx.get::<Removal>(removal)?.value.state {
        RemovalState::Decided { decision, .. } | RemovalState::Effective { decision, .. } => decision.confirmed_by,
        RemovalState::Notified
        | RemovalState::Proposed { .. }
        | RemovalState::Annulled { .. }
        | RemovalState::Revoked { .. } => None,
    })
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
                RemovalState::Notified
                | RemovalState::Proposed { .. }
                | RemovalState::Annulled { .. }
                | RemovalState::Revoked { .. } => None,
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

/// Revokes a removal; where it took effect, annuls it and admits the provider again: a new membership from the same
/// application with the same assurances (A6), where the removal ended one, the arrangement is in force and the provider is not
/// a member again.
fn undo(tx: &mut Tx<'_>, id: RemovalId, reason: &str) -> Outcome<()> {
    let before = tx.lock::<Removal>(id)?;
    match before.value.state {
        RemovalState::Notified | RemovalState::Proposed { .. } | RemovalState::Decided { .. } => {
            let decision = before.value.clone().revoke(reason.to_owned(), tx.actor(), tx.now())?;
            tx.save(&before, decision).map(drop)
        }
        RemovalState::Effective { .. } => {
            let decision = before.value.clone().annul(reason.to_owned(), tx.actor(), tx.now())?;
            tx.save(&before, decision)?;
            let Membership { arrangement, lot, provider, application, assurances, state, .. } =
                tx.get::<Membership>(before.value.membership)?.value;
            if !matches!(state, MembershipState::Removed { .. }) {
                return Ok(());
            }
            let held = admission::lots_held(tx, provider, arrangement)?.contains(&lot);
            let in_force = tx.hold::<Arrangement>(arrangement)?.value.in_force_at(tx.now()).is_some();
            if held || !in_force || tx.hold::<Lot>(lot)?.value.is_closed() {
                return Ok(());
            }
            let line = AdmittedLine { arrangement, lot, provider, application, assurances };
            let decision = Membership::admit(tx.mint(), line, held, tx.now())?;
            tx.create(decision).map(drop)
        }
        RemovalState::Annulled { .. } | RemovalState::Revoked { .. } => Ok(()),
    }
}

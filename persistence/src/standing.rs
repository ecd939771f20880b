//! Measures against members: suspensions, notices, sanctions, removals, appeals. What they come to is in `impediment.rs`.

use diesel::prelude::*;
use domain::kernel::{ArrangementId, LotId, ProviderId, RemovalId, SuspensionId};
use domain::standing::appeal::{APPEAL_PENDING, Appeal, AppealState, AppealTarget};
use domain::standing::improvement_notice::ImprovementNotice;
use domain::standing::removal::{Ground, REMOVAL_PENDING, Removal};
use domain::standing::sanction::{SANCTION_IN_FORCE, Sanction, SanctionKind};
use domain::standing::suspension::{Suspension, SuspensionScope};

use crate::aggregate::{Filter, Taken};
use crate::{Conn, Outcome, Page, Stored, Tx, Uid};

declare_table! {
    /// Suspensions. `lot_id` and `membership_id` are set where the provider is suspended in one lot.
    suspensions: Suspension {
        arrangement_id: Uid = |s| s.arrangement;
        provider_id: Uid = |s| s.provider;
        lot_id: Nullable<Uid> [narrow] = |s| match s.scope {
            SuspensionScope::Lot { lot, .. } => Some(lot),
            SuspensionScope::Provider | SuspensionScope::Home { .. } => None,
        };
        membership_id: Nullable<Uid> [narrow] = |s| match s.scope {
            SuspensionScope::Lot { membership, .. } => Some(membership),
            SuspensionScope::Provider | SuspensionScope::Home { .. } => None,
        };
    }
}

declare_table! {
    /// Improvement notices.
    improvement_notices: ImprovementNotice {
        arrangement_id: Uid = |n| n.arrangement;
        provider_id: Uid = |n| n.provider;
        lot_id: Uid [narrow] = |n| n.lot;
        membership_id: Uid [narrow] = |n| n.membership;
    }
}

declare_table! {
    /// Sanctions.
    sanctions: Sanction {
        arrangement_id: Uid = |s| s.arrangement;
        provider_id: Uid = |s| s.provider;
        lot_id: Uid [narrow] = |s| s.lot;
        membership_id: Uid [narrow] = |s| s.membership;
        kind: Text = |s| step(s.kind);
        in_force: Bool = |s| s.in_force();
    }
    unique sanctions_one_each (provider_id, lot_id, kind) = Taken::Refuse(&SANCTION_IN_FORCE);
}

declare_table! {
    /// Removals.
    removals: Removal {
        arrangement_id: Uid = |r| r.arrangement;
        provider_id: Uid = |r| r.provider;
        lot_id: Uid [narrow] = |r| r.lot;
        membership_id: Uid [narrow] = |r| r.membership;
        ground: Text = |r| ground_name(r.ground);
        pending: Bool = |r| r.is_pending();
    }
    unique removals_one_pending (provider_id, lot_id) = Taken::Refuse(&REMOVAL_PENDING);
}

declare_table! {
    /// Appeals.
    appeals: Appeal {
        arrangement_id: Uid = |a| a.arrangement;
        provider_id: Uid = |a| a.provider;
        target: Text = |a| target_key(&a.target);
        lodged: Bool = |a| matches!(a.state, AppealState::Lodged);
    }
    unique appeals_one_lodged (target) = Taken::Refuse(&APPEAL_PENDING);
}

const CONCEAL: &str = "conceal";
const RESTRICT: &str = "restrict";

fn step(kind: SanctionKind) -> &'static str {
    match kind {
        SanctionKind::Conceal => CONCEAL,
        SanctionKind::Restrict => RESTRICT,
    }
}

/// A ground as it stands in its column and in JSON.
#[must_use]
pub fn ground_name(ground: Ground) -> String {
    // A unit variant is written as its name.
    serde_json::to_value(ground).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

/// One text per decision that can be appealed against, so that one index keeps a decision under one appeal.
fn target_key(target: &AppealTarget) -> String {
    match target {
        AppealTarget::Line { application, lot } => format!("line/{application}/{lot}"),
        AppealTarget::Suspension { suspension } => format!("suspension/{suspension}"),
        AppealTarget::Removal { removal } => format!("removal/{removal}"),
    }
}

/// A provider's suspensions in an arrangement, past ones included.
///
/// # Errors
/// Where the store fails.
pub fn suspensions_of(
    conn: &mut Conn<'_>,
    provider: ProviderId,
    arrangement: ArrangementId,
) -> Outcome<Vec<Stored<Suspension>>> {
    let filter = Filter::all().is(suspensions::provider_id, provider).is(suspensions::arrangement_id, arrangement);
    conn.list(&filter, Page::ALL)
}

/// The improvement notices of a provider in a lot, whichever memberships it held.
///
/// # Errors
/// Where the store fails.
pub fn notices_of(conn: &mut Conn<'_>, provider: ProviderId, lot: LotId) -> Outcome<Vec<Stored<ImprovementNotice>>> {
    use improvement_notices as table;
    conn.list(&Filter::all().is(table::lot_id, lot).is(table::provider_id, provider), Page::ALL)
}

/// The sanctions of a provider in a lot, past ones included.
///
/// # Errors
/// Where the store fails.
pub fn sanctions_of(conn: &mut Conn<'_>, provider: ProviderId, lot: LotId) -> Outcome<Vec<Stored<Sanction>>> {
    use sanctions as table;
    conn.list(&Filter::all().is(table::lot_id, lot).is(table::provider_id, provider), Page::ALL)
}

/// The removals of a provider from a lot, revoked ones included.
///
/// # Errors
/// Where the store fails.
pub fn removals_of(conn: &mut Conn<'_>, provider: ProviderId, lot: LotId) -> Outcome<Vec<Stored<Removal>>> {
    use removals as table;
    conn.list(&Filter::all().is(table::lot_id, lot).is(table::provider_id, provider), Page::ALL)
}

/// The removal of a provider from a lot that is under way.
///
/// # Errors
/// Where the store fails.
pub fn pending_removal(tx: &mut Tx<'_>, provider: ProviderId, lot: LotId) -> Outcome<Option<Stored<Removal>>> {
    use removals as table;
    let query = table::table
        .filter(table::provider_id.eq(Uid::from(provider)))
        .filter(table::lot_id.eq(Uid::from(lot)))
        .filter(table::pending)
        .select(table::id);
    let found = on!(&mut **tx, c => query.first::<Uid>(c)).optional()?;
    found.map(|id| tx.lock::<Removal>(RemovalId(id.0))).transpose()
}

/// The suspensions of a provider in one lot alone that nothing has ended yet.
///
/// # Errors
/// Where the store fails.
pub fn open_suspensions(tx: &mut Tx<'_>, provider: ProviderId, lot: LotId) -> Outcome<Vec<Stored<Suspension>>> {
    use suspensions as table;
    let query = table::table
        .filter(table::provider_id.eq(Uid::from(provider)))
        .filter(table::lot_id.eq(Uid::from(lot)))
        .filter(table::state.eq_any(["active", "awaiting_review"]))
        .order(table::id)
        .select(table::id);
    let ids = on!(&mut **tx, c => query.load::<Uid>(c))?;
    ids.into_iter().map(|id| tx.lock::<Suspension>(SuspensionId(id.0))).collect()
}

/// Whether an appeal against `target` is lodged.
///
/// # Errors
/// Where the store fails.
pub fn appeal_pending(conn: &mut Conn<'_>, target: &AppealTarget) -> Outcome<bool> {
    use appeals as table;
    // In the words of the index that keeps a decision under one appeal.
    let lodged = table::table.filter(table::target.eq(target_key(target))).filter(table::lodged).select(table::id);
    Ok(on!(conn, c => lodged.first::<Uid>(c)).optional()?.is_some())
}

/// How many removals of an arrangement rest on each ground; of `providers` only, where given.
///
/// # Errors
/// Where the store fails.
pub fn removals_by_ground(
    conn: &mut Conn<'_>,
    arrangement: ArrangementId,
    providers: Option<&[ProviderId]>,
) -> Outcome<Vec<(String, i64)>> {
    use diesel::dsl::count_star;
    use removals as table;
    let grouped = || {
        table::table
            .filter(table::arrangement_id.eq(Uid::from(arrangement)))
            .group_by(table::ground)
            .order(table::ground)
            .select((table::ground, count_star()))
    };
    Ok(match providers {
        None => on!(conn, c => grouped().load(c))?,
        Some(own) => {
            let own: Vec<Uid> = own.iter().map(|id| Uid::from(*id)).collect();
            on!(conn, c => grouped().filter(table::provider_id.eq_any(&own)).load(c))?
        }
    })
}

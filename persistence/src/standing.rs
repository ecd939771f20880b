//! Measures against members (suspensions, notices, sanctions, removals, appeals), and what they come to.
//!
//! A measure's period is kept in columns: the standing of a whole lot is read without a single document.

use std::collections::HashMap;

use diesel::prelude::*;
use domain::admission::membership::Membership;
use domain::kernel::{
    Aggregate, ArrangementId, HomeId, Kind, LotId, MembershipId, ProviderId, RemovalId, SuspensionId,
};
use domain::provider::provider::Provider;
use domain::standing::appeal::{APPEAL_PENDING, Appeal, AppealState, AppealTarget};
use domain::standing::improvement_notice::ImprovementNotice;
use domain::standing::removal::{Ground, REMOVAL_PENDING, Removal};
use domain::standing::sanction::{SANCTION_IN_FORCE, Sanction, SanctionKind};
use domain::standing::suspension::{Suspension, SuspensionScope};
use domain::standing::{Effect, Impediment};

use crate::aggregate::{Filter, Taken};
use crate::provider::providers;
use crate::{Conn, Json, Moment, Outcome, Page, Stored, Tx, Uid};

declare_table! {
    /// Suspensions. `lot_id` and `membership_id` are set where one membership is suspended, `home_id` where one home.
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
        home_id: Nullable<Uid> = |s| match s.scope {
            SuspensionScope::Home { home } => Some(home),
            SuspensionScope::Provider | SuspensionScope::Lot { .. } => None,
        };
        begins_at: Moment = |s| s.from;
        over_at: Nullable<Moment> = |s| s.over_at();
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
        begins_at: Moment = |s| s.from;
        over_at: Nullable<Moment> = |s| s.over_at();
        in_force: Bool = |s| s.in_force();
    }
    unique sanctions_one_each (membership_id, kind) = Taken::Refuse(&SANCTION_IN_FORCE);
}

declare_table! {
    /// Removals.
    removals: Removal {
        arrangement_id: Uid = |r| r.arrangement;
        provider_id: Uid = |r| r.provider;
        lot_id: Uid [narrow] = |r| r.lot;
        membership_id: Uid [narrow] = |r| r.membership;
        ground: Text = |r| ground_name(r.ground);
        effective_at: Nullable<Moment> = |r| r.effective_at();
        pending: Bool = |r| r.is_pending();
    }
    unique removals_one_pending (membership_id) = Taken::Refuse(&REMOVAL_PENDING);
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

/// The improvement notices of a membership.
///
/// # Errors
/// Where the store fails.
pub fn notices_of(conn: &mut Conn<'_>, membership: MembershipId) -> Outcome<Vec<Stored<ImprovementNotice>>> {
    conn.all_of(improvement_notices::membership_id, membership)
}

/// The sanctions of a membership, past ones included.
///
/// # Errors
/// Where the store fails.
pub fn sanctions_of(conn: &mut Conn<'_>, membership: MembershipId) -> Outcome<Vec<Stored<Sanction>>> {
    conn.all_of(sanctions::membership_id, membership)
}

/// The removals of a membership, revoked ones included.
///
/// # Errors
/// Where the store fails.
pub fn removals_of(conn: &mut Conn<'_>, membership: MembershipId) -> Outcome<Vec<Stored<Removal>>> {
    conn.all_of(removals::membership_id, membership)
}

/// The removal of a membership that is under way.
///
/// # Errors
/// Where the store fails.
pub fn pending_removal(tx: &mut Tx<'_>, membership: MembershipId) -> Outcome<Option<Stored<Removal>>> {
    use removals as table;
    let query =
        table::table.filter(table::membership_id.eq(Uid::from(membership))).filter(table::pending).select(table::id);
    let found = on!(&mut **tx, c => query.first::<Uid>(c)).optional()?;
    found.map(|id| tx.lock::<Removal>(RemovalId(id.0))).transpose()
}

/// The suspensions of one membership alone that nothing has ended yet.
///
/// # Errors
/// Where the store fails.
pub fn open_suspensions(tx: &mut Tx<'_>, membership: MembershipId) -> Outcome<Vec<Stored<Suspension>>> {
    use suspensions as table;
    let query = table::table
        .filter(table::membership_id.eq(Uid::from(membership)))
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

/// Everything that is set against one membership, past and present: what [`domain::standing::StandingFacts`] needs.
///
/// # Errors
/// Where the store fails.
pub fn impediments_of(conn: &mut Conn<'_>, membership: &Membership) -> Outcome<Vec<Impediment>> {
    let asked = Asked {
        arrangement: membership.arrangement,
        lot: membership.lot,
        provider: Some(membership.provider),
        providers: vec![membership.provider.into()],
    };
    Ok(Measures::load(conn, &asked)?.against(membership))
}

/// Everything that is set against each of `members`, memberships of one lot, in a number of queries that does not
/// grow with them (but for one more query per thousand providers).
///
/// # Errors
/// Where the store fails.
pub fn impediments_of_lot(
    conn: &mut Conn<'_>,
    arrangement: ArrangementId,
    lot: LotId,
    members: &[Stored<Membership>],
) -> Outcome<HashMap<MembershipId, Vec<Impediment>>> {
    if members.is_empty() {
        return Ok(HashMap::new());
    }
    let mut providers: Vec<Uid> = members.iter().map(|m| m.value.provider.into()).collect();
    providers.sort_unstable();
    providers.dedup();
    let measures = Measures::load(conn, &Asked { arrangement, lot, provider: None, providers })?;
    Ok(members.iter().map(|m| (m.value.id, measures.against(&m.value))).collect())
}

/// Whose measures to load.
struct Asked {
    arrangement: ArrangementId,
    lot: LotId,
    /// Only this provider's.
    provider: Option<ProviderId>,
    /// Whose dormancy.
    providers: Vec<Uid>,
}

/// The measures in a lot.
#[derive(Default)]
struct Measures {
    /// Against one membership.
    single: HashMap<Uid, Vec<Impediment>>,
    /// Against every membership of a provider.
    wide: HashMap<Uid, Vec<Impediment>>,
}

/// Identifiers in one statement at most: databases bound the number of parameters.
const IDS: usize = 1_000;

impl Measures {
    fn load(conn: &mut Conn<'_>, asked: &Asked) -> Outcome<Self> {
        let mut found = Self::default();
        found.suspensions(conn, asked)?;
        found.sanctions(conn, asked)?;
        found.removals(conn, asked)?;
        for ids in asked.providers.chunks(IDS) {
            found.dormancies(conn, ids)?;
        }
        Ok(found)
    }

    fn against(&self, membership: &Membership) -> Vec<Impediment> {
        let single = self.single.get(&membership.id.into()).into_iter().flatten().copied();
        let wide = self.wide.get(&membership.provider.into()).into_iter().flatten().copied();
        let own = membership.impediments().into_iter().map(|imposed| imposed.impediment);
        own.chain(single).chain(wide).collect()
    }

    fn suspensions(&mut self, conn: &mut Conn<'_>, asked: &Asked) -> Outcome<()> {
        use suspensions as table;
        type Row = (Uid, Uid, Option<Uid>, Option<Uid>, Moment, Option<Moment>);
        let rows = on!(conn, c => {
            let mut query = table::table
                .filter(table::arrangement_id.eq(Uid::from(asked.arrangement)))
                .filter(table::lot_id.is_null().or(table::lot_id.eq(Uid::from(asked.lot))))
                .into_boxed();
            if let Some(only) = asked.provider { query = query.filter(table::provider_id.eq(Uid::from(only))); }
            query.select((
                table::id, table::provider_id, table::membership_id, table::home_id, table::begins_at, table::over_at,
            )).load::<Row>(c)
        })?;
        for (id, provider, membership, home, from, until) in rows {
            let effect = home.map_or(Effect::Suspended, |home| Effect::HomeSuspended(HomeId(home.0)));
            let one = Impediment::new(effect, (Kind::Suspension, id.0), from.0, until.map(|at| at.0));
            match membership {
                Some(membership) => self.single.entry(membership).or_default().push(one),
                None => self.wide.entry(provider).or_default().push(one),
            }
        }
        Ok(())
    }

    fn sanctions(&mut self, conn: &mut Conn<'_>, asked: &Asked) -> Outcome<()> {
        use sanctions as table;
        type Row = (Uid, Uid, String, Moment, Option<Moment>);
        let rows = on!(conn, c => {
            let mut query = table::table.filter(table::lot_id.eq(Uid::from(asked.lot))).into_boxed();
            if let Some(only) = asked.provider { query = query.filter(table::provider_id.eq(Uid::from(only))); }
            query
                .select((table::id, table::membership_id, table::kind, table::begins_at, table::over_at))
                .load::<Row>(c)
        })?;
        for (id, membership, kind, from, until) in rows {
            let effect = match kind.as_str() {
                CONCEAL => Effect::Concealed,
                RESTRICT => Effect::Restricted,
                other => return Err(crate::Failure::Broken(format!("no kind of sanction is called {other}"))),
            };
            let one = Impediment::new(effect, (Kind::Sanction, id.0), from.0, until.map(|at| at.0));
            self.single.entry(membership).or_default().push(one);
        }
        Ok(())
    }

    fn removals(&mut self, conn: &mut Conn<'_>, asked: &Asked) -> Outcome<()> {
        use removals as table;
        let rows = on!(conn, c => {
            let mut query = table::table
                .filter(table::lot_id.eq(Uid::from(asked.lot)))
                .filter(table::effective_at.is_not_null())
                .into_boxed();
            if let Some(only) = asked.provider { query = query.filter(table::provider_id.eq(Uid::from(only))); }
            query.select((table::id, table::membership_id, table::effective_at)).load::<(Uid, Uid, Option<Moment>)>(c)
        })?;
        for (id, membership, at) in rows {
            let one = at.map(|at| Impediment::new(Effect::Removed, (Kind::Removal, id.0), at.0, None));
            self.single.entry(membership).or_default().extend(one);
        }
        Ok(())
    }

    fn dormancies(&mut self, conn: &mut Conn<'_>, ids: &[Uid]) -> Outcome<()> {
        use providers as table;
        let query = table::table.filter(table::was_dormant).filter(table::id.eq_any(ids)).select(table::body);
        for body in on!(conn, c => query.load::<Json>(c))? {
            let provider: Provider = serde_json::from_str(&body.0)?;
            self.wide
                .entry(provider.id.into())
                .or_default()
                .extend(provider.impediments().into_iter().map(|it| it.impediment));
        }
        Ok(())
    }
}

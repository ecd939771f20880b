//! Members' fees. Which one of a service holds at an instant is not stored: the one that began last, of those that count.

use diesel::prelude::*;
use domain::fee::{Fee, FeeUnit};
use domain::kernel::{FeeId, Instant, LotId, MembershipId, Pence, ProviderId};

use crate::admission::memberships::memberships;
use crate::{Conn, Moment, Outcome, Page, Stored, Uid};

aggregate! {
    /// Fees.
    fees: Fee, FeeId {
        arrangement_id: Uid = Uid, |fee| fee.arrangement.into();
        provider_id: Uid = Uid, |fee| fee.provider.into();
        lot_id: Uid = Uid, |fee| fee.lot.into();
        membership_id: Uid = Uid, |fee| fee.membership.into();
        code: Text = String, |fee| fee.code.clone();
        unit: Text = String, |fee| fee.unit.name().to_owned();
        amount_pence: BigInt = i64, |fee| fee.amount_pence.0;
        begins_at: Moment = Moment, |fee| Moment(fee.begins_at());
        ended_at: Nullable<Moment> = Option<Moment>, |fee| fee.ended_at().map(Moment);
        offered: Bool = bool, |fee| fee.ended_at().is_none();
    }
}

mod joined {
    use super::{fees::fees, memberships};
    diesel::allow_tables_to_appear_in_same_query!(fees, memberships);
}

/// The fees that hold at an instant, as a boxed query, once per backend: begun and not ended, and no other of the same
/// service that counts has begun since.
macro_rules! holding {
    ($at:expr) => {{
        use fees::fees;
        let at = Moment($at);
        let later = diesel::alias!(fees as later);
        let (begins, ended) = (later.field(fees::begins_at), later.field(fees::ended_at));
        let since = later
            .filter(later.field(fees::membership_id).eq(fees::membership_id))
            .filter(later.field(fees::code).eq(fees::code))
            .filter(begins.le(at))
            .filter(begins.gt(fees::begins_at).or(begins.eq(fees::begins_at).and(later.field(fees::id).gt(fees::id))))
            .filter(ended.is_null().or(ended.gt(begins.nullable())));
        fees::table
            .filter(fees::begins_at.le(at))
            .filter(fees::ended_at.is_null().or(fees::ended_at.gt(at)))
            .filter(diesel::dsl::not(diesel::dsl::exists(since)))
            .into_boxed()
    }};
}

/// The fees of a membership, withdrawn ones included.
///
/// # Errors
/// Where the store fails.
pub fn fees_of(conn: &mut Conn<'_>, membership: MembershipId) -> Outcome<Vec<Stored<Fee>>> {
    let filter = fees::Filter { membership_id: Some(vec![membership.into()]), ..fees::Filter::default() };
    fees::list(conn, &filter, Page::ALL)
}

/// A page of the fees that hold at an instant, of those that match `filter` (its providers, arrangements, lots and
/// memberships).
///
/// # Errors
/// Where the store fails.
pub fn holding_at(conn: &mut Conn<'_>, filter: &fees::Filter, at: Instant, page: Page) -> Outcome<Vec<Stored<Fee>>> {
    use fees::fees as table;
    let ids: Vec<Uid> = fees::in_parts(conn, filter, page, |id: &Uid| id.0, &|conn, filter, page| {
        Ok(on!(conn, c => {
            let mut query = holding!(at);
            // One value is an equation: behind it an index is in order.
            macro_rules! accept {
                ($($column:ident)+) => {$(
                    query = match filter.$column.as_deref() {
                        None => query,
                        Some([one]) => query.filter(table::$column.eq(*one)),
                        Some(some) => query.filter(table::$column.eq_any(some.to_vec())),
                    };
                )+};
            }
            accept!(provider_id arrangement_id lot_id membership_id);
            if let Some(since) = filter.updated_since { query = query.filter(table::updated_at.ge(since)); }
            if let Some(after) = page.after { query = query.filter(table::id.gt(Uid(after))); }
            query.order(table::id.asc()).limit(page.limit).select(table::id).load(c)
        })?)
    })?;
    fees::list(conn, &fees::Filter { id: Some(ids), ..fees::Filter::default() }, Page::ALL)
}

/// What the other live members of a lot ask for each of a unit at an instant.
///
/// # Errors
/// Where the store fails.
pub fn asked_by_others(
    conn: &mut Conn<'_>,
    lot: LotId,
    unit: FeeUnit,
    provider: ProviderId,
    at: Instant,
) -> Outcome<Vec<Pence>> {
    use fees::fees as table;
    // Asked of each fee: a list of all who are members would grow with them.
    let is_live = || {
        let its_own = memberships::table.filter(memberships::id.eq(table::membership_id));
        diesel::dsl::exists(its_own.filter(memberships::live))
    };
    let amounts: Vec<i64> = on!(conn, c => holding!(at)
        .filter(table::lot_id.eq(Uid::from(lot)))
        .filter(table::unit.eq(unit.name()))
        .filter(table::provider_id.ne(Uid::from(provider)))
        .filter(is_live())
        .select(table::amount_pence)
        .load(c))?;
    Ok(amounts.into_iter().map(Pence).collect())
}

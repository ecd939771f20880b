//! Members' fees. Which one of a service holds at an instant is not stored: the one that began last, of those that count.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use domain::fee::fee::FEE_NOT_LATER;
use domain::fee::{Fee, FeeUnit};
use domain::kernel::{Instant, LotId, MembershipId, Pence, ProviderId};

use crate::aggregate::{Cell, Cut, Filter, Sort, Statement, Taken, in_parts};
use crate::types::sql;
use crate::{Conn, Moment, Outcome, Page, Record as _, Stored, Uid};

declare_table! {
    /// Fees.
    fees: Fee {
        arrangement_id: Uid = |fee| fee.arrangement;
        provider_id: Uid = |fee| fee.provider;
        lot_id: Uid [narrow] = |fee| fee.lot;
        membership_id: Uid [narrow] = |fee| fee.membership;
        code: Text = |fee| fee.code.clone();
        unit: Text = |fee| fee.unit.name();
        amount_pence: BigInt = |fee| fee.amount_pence.0;
        begins_at: Moment = |fee| fee.begins_at();
        ended_at: Nullable<Moment> = |fee| fee.ended_at();
        offered: Bool = |fee| fee.ended_at().is_none();
    }
    unique fees_one_each (membership_id, code, begins_at) = Taken::Refuse(&FEE_NOT_LATER);
}

/// Writes that a fee holds at an instant: begun and not ended, and no other of the same service that counts has begun since.
fn holding<'a, Rows>(query: &mut Statement<'a, Rows>, at: &'a Cell) {
    query.words("fees.begins_at <= ").value(Sort::Moment, at);
    query.words(" AND (fees.ended_at IS NULL OR fees.ended_at > ").value(Sort::Moment, at);
    query.words(
        ") AND NOT EXISTS (SELECT 1 FROM fees AS later WHERE later.membership_id = fees.membership_id \
         AND later.code = fees.code AND later.begins_at <= ",
    );
    query.value(Sort::Moment, at);
    query.words(
        " AND (later.begins_at > fees.begins_at OR (later.begins_at = fees.begins_at AND later.id > fees.id)) \
         AND (later.ended_at IS NULL OR later.ended_at > later.begins_at))",
    );
}

/// The fees of a membership, withdrawn ones included.
///
/// # Errors
/// Where the store fails.
pub fn fees_of(conn: &mut Conn<'_>, membership: MembershipId) -> Outcome<Vec<Stored<Fee>>> {
    conn.all_of(fees::membership_id, membership)
}

/// A page of the fees that hold at an instant, of those that match `filter`.
///
/// # Errors
/// Where the store fails.
pub fn holding_at(conn: &mut Conn<'_>, filter: &Filter<Fee>, at: Instant, page: Page) -> Outcome<Vec<Stored<Fee>>> {
    let at = Cell::from(Moment(at));
    // Changes are asked for beside an instant, and come in the order of creation all the same.
    let page = Page { changes: false, changed: None, ..page };
    let ids = in_parts(conn, &filter.terms, page, |id: &Uid| id.0, &|conn, terms, page| {
        let cut = Cut::from(page);
        let mut query = Statement::<sql::Uid>::new("SELECT id FROM ", Fee::TABLE.name);
        query.words(" WHERE ");
        holding(&mut query, &at);
        let next = terms.write(&mut query, " AND ", &cut);
        cut.write(&mut query, next);
        Ok(on!(conn, c => query.load::<Uid>(c))?)
    })?;
    conn.list(&Filter::all().any(fees::id, ids), Page::ALL)
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
    let at = Cell::from(Moment(at));
    let (lot, unit, own) =
        (Cell::from(Uid::from(lot)), Cell::from(unit.name().to_owned()), Cell::from(Uid::from(provider)));
    let mut query = Statement::<BigInt>::new("SELECT amount_pence FROM ", Fee::TABLE.name);
    query.words(" WHERE ");
    holding(&mut query, &at);
    query.words(" AND lot_id = ").value(Sort::Uid, &lot).words(" AND unit = ").value(Sort::Text, &unit);
    query.words(" AND provider_id <> ").value(Sort::Uid, &own);
    // Asked of each fee: a list of all who are members would grow with them.
    query.words(
        " AND EXISTS (SELECT 1 FROM memberships WHERE memberships.id = fees.membership_id AND memberships.live)",
    );
    let amounts: Vec<i64> = on!(conn, c => query.load(c))?;
    Ok(amounts.into_iter().map(Pence).collect())
}

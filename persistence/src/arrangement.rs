//! Arrangements with their parties, lots, the requirement library and rounds.

use diesel::prelude::*;
use domain::arrangement::{Arrangement, Interest, Lot, Requirement, Round};
use domain::kernel::{Aggregate as _, ArrangementId, AuthorityCode, InterestId, Kind, LotId, RequirementId, RoundId};

use crate::{Conn, Failure, Listed, Outcome, Page, Stored, Tx, Uid};

aggregate! {
    /// Arrangements.
    arrangements: Arrangement, ArrangementId {
        lead: Text = String, |a| a.lead.code.to_string();
        reference: Text = String, |a| a.particulars.reference.clone();
        published: Bool = bool, |a| a.term().is_some();
    }
}

aggregate! {
    /// Lots.
    lots: Lot, LotId {
        arrangement_id: Uid = Uid, |lot| lot.arrangement.into();
        code: Text = String, |lot| lot.particulars.code.clone();
    }
}

aggregate! {
    /// The requirement library.
    requirements: Requirement, RequirementId {
        owner: Text = String, |r| r.owner.to_string();
        code: Text = String, |r| r.code.clone();
    }
}

aggregate! {
    /// Rounds.
    rounds: Round, RoundId {
        arrangement_id: Uid = Uid, |round| round.arrangement.into();
        number: Integer = i32, |round| i32::try_from(round.number).unwrap_or(i32::MAX);
        opens_at: Moment = Moment, |round| Moment(round.window.opens_at);
        closes_at: Moment = Moment, |round| Moment(round.window.closes_at);
    }
}

aggregate! {
    /// Interests.
    interests: Interest, InterestId {
        arrangement_id: Uid = Uid, |interest| interest.arrangement.into();
        provider_id: Uid = Uid, |interest| interest.provider.into();
    }
}

mod schema {
    diesel::table! {
        use diesel::sql_types::*;
        use crate::types::sql::Uid;

        participants (arrangement_id, authority) {
            arrangement_id -> Uid,
            authority -> Text,
        }
    }
}
use schema::participants;

use arrangements::arrangements as table;
diesel::allow_tables_to_appear_in_same_query!(table, participants);

/// Who stands how to an arrangement: what tenancy is decided by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parties {
    /// The lead's code.
    pub lead: String,
    /// The codes of the authorities that use it.
    pub participants: Vec<String>,
    /// Whether it was ever published.
    pub published: bool,
    /// The arrangement's version.
    pub version: i64,
}

/// The parties of an arrangement.
///
/// # Errors
/// [`Failure::NotFound`] where there is none.
pub fn parties(conn: &mut Conn<'_>, id: ArrangementId) -> Outcome<Parties> {
    let query = table::table
        .left_join(participants::table.on(participants::arrangement_id.eq(table::id)))
        .filter(table::id.eq(Uid::from(id)))
        .select((table::lead, table::published, table::version, participants::authority.nullable()));
    let mut rows = on!(conn, c => query.load::<(String, bool, i64, Option<String>)>(c))?;
    let participants = rows.iter_mut().filter_map(|row| row.3.take()).collect();
    let (lead, published, version, _) = rows.into_iter().next().ok_or(Failure::NotFound(Kind::Arrangement))?;
    Ok(Parties { lead, participants, published, version })
}

/// Keeps the index of participants in step with the aggregate; call it after an authority joined.
///
/// # Errors
/// Where the store fails.
pub fn keep_participants(tx: &mut Tx<'_>, arrangement: &Arrangement) -> Outcome<()> {
    let id = Uid(arrangement.id());
    let rows: Vec<_> = arrangement
        .participants
        .iter()
        .chain([&arrangement.lead])
        .map(|p| (participants::arrangement_id.eq(id), participants::authority.eq(p.code.to_string())))
        .collect();
    for row in &rows {
        run!(tx, diesel::insert_into(participants::table).values(row).on_conflict_do_nothing())?;
    }
    Ok(())
}

/// The arrangements in which an authority takes part, as lead or participant.
///
/// # Errors
/// Where the store fails.
pub fn of_authority(conn: &mut Conn<'_>, code: &AuthorityCode) -> Outcome<Vec<ArrangementId>> {
    let query =
        participants::table.filter(participants::authority.eq(code.as_str())).select(participants::arrangement_id);
    let ids = on!(conn, c => query.load::<Uid>(c))?;
    Ok(ids.into_iter().map(|id| ArrangementId(id.0)).collect())
}

/// The lots of an arrangement.
///
/// # Errors
/// Where the store fails.
pub fn lots_of(conn: &mut Conn<'_>, id: ArrangementId) -> Outcome<Vec<Stored<Lot>>> {
    lots::list(conn, &lots::Filter { arrangement_id: Some(vec![id.into()]), ..lots::Filter::default() }, Page::ALL)
}

/// The rounds of an arrangement, cancelled ones included.
///
/// # Errors
/// Where the store fails.
pub fn rounds_of(conn: &mut Conn<'_>, id: ArrangementId) -> Outcome<Vec<Stored<Round>>> {
    rounds::list(
        conn,
        &rounds::Filter { arrangement_id: Some(vec![id.into()]), ..rounds::Filter::default() },
        Page::ALL,
    )
}

/// Requirements by id.
///
/// # Errors
/// Where the store fails.
pub fn requirements_by_id(conn: &mut Conn<'_>, ids: &[RequirementId]) -> Outcome<Vec<Stored<Requirement>>> {
    let ids: Vec<_> = ids.iter().map(|id| (*id).into()).collect();
    Requirement::these(conn, &ids)
}

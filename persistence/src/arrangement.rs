//! Arrangements with their parties, lots, the requirement library and rounds.

use diesel::prelude::*;
use domain::arrangement::interest::INTEREST_REGISTERED;
use domain::arrangement::lot::LOT_CODE_TAKEN;
use domain::arrangement::requirement::CODE_TAKEN;
use domain::arrangement::round::ROUND_OVERLAPS;
use domain::arrangement::{Arrangement, Interest, Lot, Requirement, Round};
use domain::kernel::{ArrangementId, AuthorityCode, Kind, RequirementId};

use crate::aggregate::{Change, Taken};
use crate::{Conn, Failure, Outcome, Stored, Tx, Uid};

declare_table! {
    /// Arrangements.
    arrangements: Arrangement {
        lead: Text = |a| a.lead.code.to_string();
        reference: Text = |a| a.particulars.reference.clone();
        published: Bool = |a| a.term().is_some();
    }
    unique arrangements_reference (lead, reference) = Taken::Refuse(&REFERENCE_TAKEN);
    beside keep_participants;
}

declare_table! {
    /// Lots.
    lots: Lot {
        arrangement_id: Uid = |lot| lot.arrangement;
        code: Text = |lot| lot.particulars.code.clone();
    }
    unique lots_code (arrangement_id, code) = Taken::Refuse(&LOT_CODE_TAKEN);
}

declare_table! {
    /// The requirement library.
    requirements: Requirement {
        owner: Text = |r| r.owner.to_string();
        code: Text = |r| r.code.clone();
    }
    unique requirements_code (owner, code) = Taken::Refuse(&CODE_TAKEN);
}

declare_table! {
    /// Rounds.
    rounds: Round {
        arrangement_id: Uid = |round| round.arrangement;
        number: Integer = |round| i32::try_from(round.number).unwrap_or(i32::MAX);
        opens_at: Moment = |round| round.window.opens_at;
        closes_at: Moment = |round| round.window.closes_at;
    }
    unique rounds_number (arrangement_id, number) = Taken::Refuse(&ROUND_OVERLAPS);
}

declare_table! {
    /// Interests.
    interests: Interest {
        arrangement_id: Uid = |interest| interest.arrangement;
        provider_id: Uid = |interest| interest.provider;
    }
    unique interests_one_each (provider_id, arrangement_id) = Taken::Refuse(&INTEREST_REGISTERED);
}

domain::rules! {
    REFERENCE_TAKEN = "reference_taken", Conflict, "A1", "An arrangement's reference is unique to its lead.";
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

use arrangements as table;
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

/// Keeps the index of participants in step with arrangements.
fn keep_participants(tx: &mut Tx<'_>, rows: &[Change<'_, Arrangement>]) -> Outcome<()> {
    for &(before, after) in rows {
        let known: Vec<_> = before.into_iter().flat_map(parties_of).collect();
        for code in parties_of(after).filter(|code| !known.contains(code)) {
            let row = (participants::arrangement_id.eq(Uid::from(after.id)), participants::authority.eq(code.as_str()));
            run!(tx, diesel::insert_into(participants::table).values(row).on_conflict_do_nothing())?;
        }
    }
    Ok(())
}

/// The authorities that take part, the lead among them.
fn parties_of(arrangement: &Arrangement) -> impl Iterator<Item = &AuthorityCode> {
    arrangement.participants.iter().chain([&arrangement.lead]).map(|party| &party.code)
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
    conn.all_of(lots::arrangement_id, id)
}

/// The rounds of an arrangement, cancelled ones included.
///
/// # Errors
/// Where the store fails.
pub fn rounds_of(conn: &mut Conn<'_>, id: ArrangementId) -> Outcome<Vec<Stored<Round>>> {
    conn.all_of(rounds::arrangement_id, id)
}

/// Requirements by id.
///
/// # Errors
/// Where the store fails.
pub fn requirements_by_id(conn: &mut Conn<'_>, ids: &[RequirementId]) -> Outcome<Vec<Stored<Requirement>>> {
    let ids: Vec<_> = ids.iter().map(|id| (*id).into()).collect();
    conn.these(&ids)
}

//! Impediments: one projection of all that holds or narrows members, written where an aggregate is saved and read for a
//! lot at an instant in one query (`docs/adr/0018-impediments-are-one-projection.md`).

use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use domain::admission::membership::Membership;
use domain::kernel::Named as _;
use domain::kernel::{
    Aggregate, AuthorityCode, Binds, Effect, HomeId, Impediment, Imposed, Instant, Kind, LotId, MembershipId,
    ProviderId,
};

use crate::aggregate::{Cell, Change, ROWS, Sort, Statement};
use crate::types::sql;
use crate::{Conn, Failure, Moment, Outcome, Tx, Uid};

mod schema {
    diesel::table! {
        use diesel::sql_types::*;
        use crate::types::sql::{Moment, Uid};

        impediments (owner_id, n) {
            owner_id -> Uid,
            n -> Integer,
            source_kind -> Text,
            source_id -> Uid,
            effect -> Text,
            provider_id -> Uid,
            arrangement_id -> Nullable<Uid>,
            lot_id -> Nullable<Uid>,
            membership_id -> Nullable<Uid>,
            home_id -> Nullable<Uid>,
            binds_only -> Nullable<Text>,
            binds_not -> Nullable<Text>,
            begins_at -> Moment,
            over_at -> Nullable<Moment>,
        }
    }
}
use schema::impediments as table;

/// Keeps the projection in step with aggregates that were written; those whose impediments are as they were cost nothing.
pub(crate) fn keep<A: Aggregate>(tx: &mut Tx<'_>, rows: &[Change<'_, A>]) -> Outcome<()> {
    let (mut gone, mut added): (Vec<Uid>, Vec<(Uid, Imposed, i32)>) = (Vec::new(), Vec::new());
    for (before, after) in rows {
        let was = before.map(Aggregate::impediments).unwrap_or_default();
        let is = after.impediments();
        if was == is {
            continue;
        }
        let id = Uid::from(after.id());
        if !was.is_empty() {
            gone.push(id);
        }
        added.extend(is.into_iter().zip(0..).map(|(one, n)| (id, one, n)));
    }
    write(tx, &gone, &added)
}

fn write(tx: &mut Tx<'_>, gone: &[Uid], added: &[(Uid, Imposed, i32)]) -> Outcome<()> {
    for id in gone {
        run!(tx, diesel::delete(table::table.filter(table::owner_id.eq(*id))))?;
    }
    for some in added.chunks(ROWS) {
        let row = |(owner, Imposed { on, impediment }, n): &(Uid, Imposed, i32)| {
            (
                table::owner_id.eq(*owner),
                table::n.eq(*n),
                table::source_kind.eq(impediment.kind.name()),
                table::source_id.eq(Uid(impediment.id)),
                table::effect.eq(impediment.effect.name()),
                table::provider_id.eq(Uid::from(on.provider)),
                table::arrangement_id.eq(on.arrangement.map(Uid::from)),
                table::lot_id.eq(on.lot.map(Uid::from)),
                table::membership_id.eq(on.membership.map(Uid::from)),
                table::home_id.eq(impediment.effect.home().map(Uid::from)),
                table::binds_only.eq(impediment.binds.only.as_ref().map(ToString::to_string)),
                table::binds_not.eq(list(&impediment.binds.except)),
                table::begins_at.eq(Moment(impediment.from)),
                table::over_at.eq(impediment.until.map(Moment)),
            )
        };
        let rows: Vec<_> = some.iter().map(row).collect();
        run!(tx, diesel::insert_into(table::table).values(rows))?;
    }
    Ok(())
}

/// Codes of authorities as they stand in their column: they have no comma. Nothing where there is none.
fn list(codes: &[AuthorityCode]) -> Option<String> {
    (!codes.is_empty()).then(|| codes.iter().map(AuthorityCode::as_str).collect::<Vec<_>>().join(","))
}

fn binds(only: Option<&str>, not: Option<&str>) -> Outcome<Binds> {
    let code = |code: &str| AuthorityCode::try_from(code.to_owned()).map_err(Failure::Broken);
    Ok(Binds {
        only: only.map(code).transpose()?,
        except: not.into_iter().flat_map(|codes| codes.split(',')).map(code).collect::<Outcome<_>>()?,
    })
}

/// How an impediment is read: its source's kind and identifier, its effect, the home it concerns, from when until when,
/// and which authorities it binds.
type Row = (String, Uid, String, Option<Uid>, Moment, Option<Moment>, Option<String>, Option<String>);

fn impediment((kind, id, effect, home, from, until, only, not): Row) -> Outcome<Impediment> {
    let known = Kind::ALL.iter().find(|known| known.name() == kind);
    let effect = Effect::of(&effect, home.map(|home| HomeId(home.0)));
    let (Some(kind), Some(effect)) = (known, effect) else {
        return Err(Failure::Broken(format!("an impediment by a {kind} is not known")));
    };
    let found = Impediment::new(effect, (*kind, id.0), from.0, until.map(|at| at.0));
    Ok(Impediment { binds: binds(only.as_deref(), not.as_deref())?, ..found })
}

/// Everything that is set against one membership, past and present: what [`domain::standing::StandingFacts`] needs.
///
/// # Errors
/// Where the store fails.
pub fn against(conn: &mut Conn<'_>, membership: &Membership) -> Outcome<Vec<Impediment>> {
    let query = table::table
        .filter(table::provider_id.eq(Uid::from(membership.provider)))
        .filter(table::arrangement_id.is_null().or(table::arrangement_id.eq(Uid::from(membership.arrangement))))
        .filter(table::lot_id.is_null().or(table::lot_id.eq(Uid::from(membership.lot))))
        .filter(table::membership_id.is_null().or(table::membership_id.eq(Uid::from(membership.id))))
        .select((
            table::source_kind,
            table::source_id,
            table::effect,
            table::home_id,
            table::begins_at,
            table::over_at,
            table::binds_only,
            table::binds_not,
        ));
    on!(conn, c => query.load::<Row>(c))?.into_iter().map(impediment).collect()
}

/// A member of a lot at an instant, with all that is set against it then.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// Its membership.
    pub membership: MembershipId,
    /// Which provider.
    pub provider: ProviderId,
    /// Since when.
    pub admitted_at: Instant,
    /// The provider's legal name at that instant.
    pub name: String,
    /// What covers the instant.
    pub impediments: Vec<Impediment>,
}

/// The members that a lot has or had by an instant, in the order of admission, each with what is set against it then; of
/// `only` these providers, where given.
///
/// # Errors
/// Where the store fails.
pub fn members(conn: &mut Conn<'_>, lot: LotId, at: Instant, only: Option<&[ProviderId]>) -> Outcome<Vec<Member>> {
    type Columns = (
        (sql::Uid, sql::Uid, sql::Moment, Text),
        (Nullable<Text>, Nullable<sql::Uid>, Nullable<Text>, Nullable<sql::Uid>, Nullable<sql::Moment>),
        (Nullable<sql::Moment>, Nullable<Text>, Nullable<Text>),
    );
    type Against = (Option<String>, Option<Uid>, Option<String>, Option<Uid>, Option<Moment>);
    type Rest = (Option<Moment>, Option<String>, Option<String>);
    type Found = ((Uid, Uid, Moment, String), Against, Rest);
    let (lot, at) = (Cell::from(Uid::from(lot)), Cell::from(Moment(at)));
    let only: Option<Vec<Cell>> = only.map(|only| only.iter().map(|id| Cell::from(Uid::from(*id))).collect());
    if only.as_ref().is_some_and(Vec::is_empty) {
        return Ok(Vec::new());
    }
    let mut query = Statement::<Columns>::new(
        "SELECT m.id, m.provider_id, m.admitted_at, n.legal_name, \
         i.source_kind, i.source_id, i.effect, i.home_id, i.begins_at, i.over_at, i.binds_only, i.binds_not \
         FROM ",
        "memberships",
    );
    query.words(" AS m JOIN provider_names AS n ON n.provider_id = m.provider_id AND n.begins_at <= ");
    query.value(Sort::Moment, &at).words(" AND (n.over_at IS NULL OR n.over_at > ").value(Sort::Moment, &at);
    query.words(
        ") LEFT JOIN impediments AS i ON i.provider_id = m.provider_id \
         AND (i.arrangement_id IS NULL OR i.arrangement_id = m.arrangement_id) \
         AND (i.lot_id IS NULL OR i.lot_id = m.lot_id) AND (i.membership_id IS NULL OR i.membership_id = m.id) \
         AND i.begins_at <= ",
    );
    query.value(Sort::Moment, &at).words(" AND (i.over_at IS NULL OR i.over_at > ").value(Sort::Moment, &at);
    query.words(") WHERE m.lot_id = ").value(Sort::Uid, &lot).words(" AND m.admitted_at <= ").value(Sort::Moment, &at);
    if let Some(only) = &only {
        query.words(" AND m.provider_id").is_any(Sort::Uid, only);
    }
    query.words(" ORDER BY m.id");
    let mut members: Vec<Member> = Vec::new();
    for ((id, provider, admitted_at, name), against, (until, only, not)) in on!(conn, c => query.load::<Found>(c))? {
        let membership = MembershipId(id.0);
        if members.last().is_none_or(|last| last.membership != membership) {
            let (provider, admitted_at) = (ProviderId(provider.0), admitted_at.0);
            members.push(Member { membership, provider, admitted_at, name, impediments: Vec::new() });
        }
        if let ((Some(kind), Some(source), Some(effect), home, Some(from)), Some(member)) =
            (against, members.last_mut())
        {
            member.impediments.push(impediment((kind, source, effect, home, from, until, only, not))?);
        }
    }
    Ok(members)
}

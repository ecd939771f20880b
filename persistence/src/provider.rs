//! Providers and their homes.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use domain::kernel::ProviderId;
use domain::provider::home::{Home, URN_TAKEN};
use domain::provider::provider::{
    AGENCY_URN_TAKEN, ALREADY_REGISTERED, COMPANY_NUMBER_TAKEN, EXTERNAL_REF_IN_USE, ExternalRef, Provider,
};

use crate::aggregate::{Change, Taken};
use crate::{Conn, Moment, Outcome, Stored, Tx, Uid};

declare_table! {
    /// Providers.
    providers: Provider {
        registered_by: Text = |p| p.registered_by.clone();
        agency_urn: Nullable<Text> = |p| p.profile.agency_urn.clone();
        company_number: Nullable<Text> = |p| p.profile.company_number.clone();
    }
    unique providers_pkey (id) = Taken::Refuse(&ALREADY_REGISTERED);
    unique providers_agency_urn (agency_urn) = Taken::Refuse(&AGENCY_URN_TAKEN);
    unique providers_company_number (company_number) = Taken::Refuse(&COMPANY_NUMBER_TAKEN);
    unique provider_refs_reference on provider_refs (portal, reference) = Taken::Refuse(&EXTERNAL_REF_IN_USE);
    beside keep_beside;
}

declare_table! {
    /// Homes.
    homes: Home {
        provider_id: Uid = |h| h.provider;
        urn: Nullable<Text> = |h| h.urn();
    }
    unique homes_urn (urn) = Taken::Refuse(&URN_TAKEN);
}

mod schema {
    diesel::table! {
        use diesel::sql_types::{Nullable, Text};
        use crate::types::sql::{Moment, Uid};

        provider_names (provider_id, begins_at) {
            provider_id -> Uid,
            begins_at -> Moment,
            over_at -> Nullable<Moment>,
            legal_name -> Text,
        }
    }
    diesel::table! {
        use diesel::sql_types::Text;
        use crate::types::sql::Uid;

        provider_refs (provider_id, portal) {
            provider_id -> Uid,
            portal -> Text,
            reference -> Text,
        }
    }
}
use schema::{provider_names, provider_refs};

/// Keeps names and external references in step with providers.
fn keep_beside(tx: &mut Tx<'_>, rows: &[Change<'_, Provider>]) -> Outcome<()> {
    keep_names(tx, rows)?;
    keep_refs(tx, rows)
}

/// Keeps when each provider had which name. Of two names given at one instant the first was never its name.
fn keep_names(tx: &mut Tx<'_>, rows: &[Change<'_, Provider>]) -> Outcome<()> {
    let now = tx.now();
    let mut added = Vec::new();
    for (before, after) in rows {
        let (id, name) = (Uid::from(after.id), &after.profile.legal_name);
        let begins = match before {
            Some(before) if before.profile.legal_name == *name => continue,
            Some(_) => {
                let own = provider_names::table.filter(provider_names::provider_id.eq(id));
                run!(tx, diesel::delete(own.filter(provider_names::begins_at.eq(Moment(now)))))?;
                let present = own.filter(provider_names::over_at.is_null());
                run!(tx, diesel::update(present).set(provider_names::over_at.eq(Moment(now))))?;
                now
            }
            None => after.registered_at,
        };
        added.push((
            provider_names::provider_id.eq(id),
            provider_names::begins_at.eq(Moment(begins)),
            provider_names::legal_name.eq(name),
        ));
    }
    for added in added.chunks(crate::aggregate::ROWS) {
        run!(tx, diesel::insert_into(provider_names::table).values(added.to_vec()))?;
    }
    Ok(())
}

/// Keeps the index of external references in step with providers.
fn keep_refs(tx: &mut Tx<'_>, rows: &[Change<'_, Provider>]) -> Outcome<()> {
    let mut added = Vec::new();
    for (before, after) in rows {
        let known = before.map(|before| before.external_refs.as_slice()).unwrap_or_default();
        let new = after.external_refs.iter().filter(|known_as| !known.contains(known_as));
        added.extend(new.map(|known_as| {
            (
                provider_refs::provider_id.eq(Uid::from(after.id)),
                provider_refs::portal.eq(&known_as.portal),
                provider_refs::reference.eq(&known_as.reference),
            )
        }));
    }
    for added in added.chunks(crate::aggregate::ROWS) {
        run!(tx, diesel::insert_into(provider_refs::table).values(added.to_vec()))?;
    }
    Ok(())
}

/// The providers that portals call so, each with its reference.
///
/// # Errors
/// Where the store fails.
pub fn by_references(conn: &mut Conn<'_>, sought: &[ExternalRef]) -> Outcome<Vec<(ExternalRef, ProviderId)>> {
    let mut by_portal: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for known_as in sought {
        by_portal.entry(&known_as.portal).or_default().push(&known_as.reference);
    }
    let mut found = Vec::new();
    for (portal, references) in by_portal {
        for some in references.chunks(crate::aggregate::ROWS) {
            let query = provider_refs::table
                .filter(provider_refs::portal.eq(portal))
                .filter(provider_refs::reference.eq_any(some.to_vec()))
                .select((provider_refs::reference, provider_refs::provider_id));
            let rows = on!(conn, c => query.load::<(String, Uid)>(c))?;
            let known_as = |reference| ExternalRef { portal: portal.to_owned(), reference };
            found.extend(rows.into_iter().map(|(reference, id)| (known_as(reference), ProviderId(id.0))));
        }
    }
    Ok(found)
}

/// The provider that a portal calls so.
///
/// # Errors
/// Where the store fails; `Ok(None)` where the portal knows none by it.
pub fn by_reference(conn: &mut Conn<'_>, known_as: &ExternalRef) -> Outcome<Option<ProviderId>> {
    let query = provider_refs::table
        .filter(provider_refs::portal.eq(&known_as.portal))
        .filter(provider_refs::reference.eq(&known_as.reference))
        .select(provider_refs::provider_id);
    Ok(on!(conn, c => query.first::<Uid>(c)).optional()?.map(|id| ProviderId(id.0)))
}

/// Every home of a provider, closed ones included.
///
/// # Errors
/// Where the store fails.
pub fn homes_of(conn: &mut Conn<'_>, id: ProviderId) -> Outcome<Vec<Stored<Home>>> {
    conn.all_of(homes::provider_id, id)
}

/// The home with that regulator's number; closed ones keep theirs.
///
/// # Errors
/// Where the store fails; `Ok(None)` where there is none.
pub fn home_by_urn(conn: &mut Conn<'_>, urn: &str) -> Outcome<Option<Stored<Home>>> {
    Ok(conn.all_of(homes::urn, urn)?.into_iter().next())
}

/// The account that registered a provider, with the provider's version.
///
/// # Errors
/// Where the store fails; `Ok(None)` where there is no such provider.
pub fn registered_by(conn: &mut Conn<'_>, id: ProviderId) -> Outcome<Option<(String, i64)>> {
    use providers as table;
    let query = table::table.find(Uid::from(id)).select((table::registered_by, table::version));
    Ok(on!(conn, c => query.first(c)).optional()?)
}

/// The providers that an account registered.
///
/// # Errors
/// Where the store fails.
pub fn registered_through(conn: &mut Conn<'_>, subject: &str) -> Outcome<Vec<ProviderId>> {
    use providers as table;
    let query = table::table.filter(table::registered_by.eq(subject)).order(table::id).select(table::id);
    let ids = on!(conn, c => query.load::<Uid>(c))?;
    Ok(ids.into_iter().map(|id| ProviderId(id.0)).collect())
}

/// Those of some providers that there are.
///
/// # Errors
/// Where the store fails.
pub fn existing(conn: &mut Conn<'_>, ids: impl Iterator<Item = ProviderId>) -> Outcome<BTreeSet<ProviderId>> {
    use providers as table;
    let ids: Vec<Uid> = ids.map(Uid::from).collect();
    let mut found = BTreeSet::new();
    // SQLite bounds the values of one statement.
    for some in ids.chunks(10_000) {
        let query = table::table.filter(table::id.eq_any(some)).select(table::id);
        found.extend(on!(conn, c => query.load::<Uid>(c))?.into_iter().map(|id| ProviderId(id.0)));
    }
    Ok(found)
}

//! Providers and their homes.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use domain::kernel::{HomeId, ProviderId};
use domain::provider::home::Home;
use domain::provider::provider::{ExternalRef, Provider};

use crate::{Conn, Outcome, Page, Stored, Tx, Uid};

aggregate! {
    /// Providers.
    providers: Provider, ProviderId {
        registered_by: Text = String, |p| p.registered_by.clone();
        agency_urn: Nullable<Text> = Option<String>, |p| p.profile.agency_urn.clone();
        company_number: Nullable<Text> = Option<String>, |p| p.profile.company_number.clone();
        was_dormant: Bool = bool, |p| p.impediments().next().is_some();
    }
}

aggregate! {
    /// Homes.
    homes: Home, HomeId {
        provider_id: Uid = Uid, |h| h.provider.into();
        urn: Nullable<Text> = Option<String>, |h| h.urn().map(str::to_owned);
    }
}

mod schema {
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
use schema::provider_refs;

/// Keeps the index of external references in step with the aggregate: call it after references were added to the
/// `known` ones.
///
/// # Errors
/// The refusal of a reference that names another provider.
pub fn keep_refs(tx: &mut Tx<'_>, provider: &Provider, known: &[ExternalRef]) -> Outcome<()> {
    let rows: Vec<_> = provider
        .external_refs
        .iter()
        .filter(|added| !known.contains(added))
        .map(|added| {
            (
                provider_refs::provider_id.eq(Uid::from(provider.id)),
                provider_refs::portal.eq(&added.portal),
                provider_refs::reference.eq(&added.reference),
            )
        })
        .collect();
    for row in rows {
        run!(tx, diesel::insert_into(provider_refs::table).values(row))?;
    }
    Ok(())
}

/// As [`keep_refs`] for many providers at once: call it with the references that were added.
///
/// # Errors
/// The refusal of a reference that names another provider.
pub fn keep_all_refs(tx: &mut Tx<'_>, added: &[(ProviderId, ExternalRef)]) -> Outcome<()> {
    for added in added.chunks(crate::aggregate::ROWS) {
        let rows: Vec<_> = added
            .iter()
            .map(|(id, known_as)| {
                (
                    provider_refs::provider_id.eq(Uid::from(*id)),
                    provider_refs::portal.eq(&known_as.portal),
                    provider_refs::reference.eq(&known_as.reference),
                )
            })
            .collect();
        run!(tx, diesel::insert_into(provider_refs::table).values(&rows))?;
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
    let filter = homes::Filter { provider_id: Some(vec![id.into()]), ..homes::Filter::default() };
    homes::list(conn, &filter, Page::ALL)
}

/// The home with that regulator's number; closed ones keep theirs.
///
/// # Errors
/// Where the store fails; `Ok(None)` where there is none.
pub fn home_by_urn(conn: &mut Conn<'_>, urn: &str) -> Outcome<Option<Stored<Home>>> {
    let filter = homes::Filter { urn: Some(vec![Some(urn.to_owned())]), ..homes::Filter::default() };
    Ok(homes::list(conn, &filter, Page::ALL)?.into_iter().next())
}

/// The account that registered a provider, with the provider's version.
///
/// # Errors
/// Where the store fails; `Ok(None)` where there is no such provider.
pub fn registered_by(conn: &mut Conn<'_>, id: ProviderId) -> Outcome<Option<(String, i64)>> {
    use providers::providers as table;
    let query = table::table.find(Uid::from(id)).select((table::registered_by, table::version));
    Ok(on!(conn, c => query.first(c)).optional()?)
}

/// The providers that an account registered.
///
/// # Errors
/// Where the store fails.
pub fn registered_through(conn: &mut Conn<'_>, subject: &str) -> Outcome<Vec<ProviderId>> {
    use providers::providers as table;
    let query = table::table.filter(table::registered_by.eq(subject)).order(table::id).select(table::id);
    let ids = on!(conn, c => query.load::<Uid>(c))?;
    Ok(ids.into_iter().map(|id| ProviderId(id.0)).collect())
}

/// The legal names of providers.
///
/// # Errors
/// Where the store fails.
pub fn names_of(conn: &mut Conn<'_>, ids: impl Iterator<Item = ProviderId>) -> Outcome<HashMap<ProviderId, String>> {
    let ids: Vec<Uid> = ids.map(Uid::from).collect();
    let mut names = HashMap::with_capacity(ids.len());
    // SQLite bounds the values of one statement.
    for some in ids.chunks(10_000) {
        let filter = providers::Filter { id: Some(some.to_vec()), ..providers::Filter::default() };
        let found = providers::list(conn, &filter, Page::ALL)?;
        names.extend(found.into_iter().map(|p| (p.value.id, p.value.profile.legal_name)));
    }
    Ok(names)
}

//! Providers and their homes.

use std::collections::HashMap;

use diesel::prelude::*;
use domain::kernel::{HomeId, ProviderId};
use domain::provider::home::Home;
use domain::provider::provider::Provider;

use crate::{Conn, Outcome, Page, Stored, Uid};

aggregate! {
    /// Providers.
    providers: Provider, ProviderId {
        registered_by: Text = String, |p| p.registered_by.clone();
        agency_urn: Nullable<Text> = Option<String>, |p| p.profile.agency_urn.clone();
        company_number: Nullable<Text> = Option<String>, |p| p.profile.company_number.clone();
    }
}

aggregate! {
    /// Homes.
    homes: Home, HomeId {
        provider_id: Uid = Uid, |h| h.provider.into();
        urn: Nullable<Text> = Option<String>, |h| h.urn().map(str::to_owned);
    }
}

/// The account that registered a provider.
///
/// # Errors
/// Where the store fails; `Ok(None)` where there is no such provider.
pub fn registered_by(conn: &mut Conn<'_>, id: ProviderId) -> Outcome<Option<String>> {
    use providers::providers as table;
    let query = table::table.find(Uid::from(id)).select(table::registered_by);
    Ok(on!(conn, c => query.first::<String>(c)).optional()?)
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

/// The homes of a provider, in the order in which they were added.
///
/// # Errors
/// Where the store fails.
pub fn homes_of(conn: &mut Conn<'_>, provider: ProviderId) -> Outcome<Vec<Stored<Home>>> {
    homes::list(
        conn,
        &homes::Filter { provider_id: Some(vec![provider.into()]), ..homes::Filter::default() },
        Page::ALL,
    )
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

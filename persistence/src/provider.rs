//! Providers and their homes.

use diesel::prelude::*;
use domain::kernel::{HomeId, ProviderId};
use domain::provider::home::Home;
use domain::provider::provider::Provider;

use crate::{Conn, Outcome, Uid};

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

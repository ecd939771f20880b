//! Machine clients.

use diesel::prelude::*;
use domain::client::{Client, PORTAL_NAME_TAKEN};
use domain::kernel::ClientId;

use crate::aggregate::Taken;

declare_table! {
    /// Machine clients.
    clients: Client {
        portal: Nullable<Text> = |c| c.terms.portal.clone();
    }
    unique clients_portal (portal) = Taken::Refuse(&PORTAL_NAME_TAKEN);
}

/// The client, revoked or not, that writes references under that portal name.
///
/// # Errors
/// Where the store fails; `Ok(None)` where the name is nobody's.
pub fn of_portal(conn: &mut crate::Conn<'_>, name: &str) -> crate::Outcome<Option<ClientId>> {
    use clients as table;
    let query = table::table.filter(table::portal.eq(name)).select(table::id);
    Ok(on!(conn, c => query.first::<crate::Uid>(c)).optional()?.map(|id| ClientId(id.0)))
}

//! Providers: registration, what portals call them, and their homes (A20).

mod gazetteer;
pub mod home;
pub mod past;

use domain::kernel::{ProviderId, Role};
use domain::provider::provider::{EXTERNAL_REF_IN_USE, ExternalRef, PORTAL_NAME_FOREIGN, Provider, ProviderProfile};
use persistence::admission::applications;
use persistence::provider as store;
use persistence::{Conn, Failure, Filter, Outcome, Stored, Tx, client as clients};

use crate::{Caller, Command};

pub use gazetteer::Gazetteer;

/// Registers a provider: under its own id where it registers itself.
///
/// # Errors
/// What the rules refuse.
pub fn register(tx: &mut Tx<'_>, by: &Command, profile: ProviderProfile) -> Outcome<Stored<Provider>> {
    let actor = &by.who.actor;
    let id = match actor.role {
        Role::Provider => actor.provider.ok_or(Failure::Forbidden)?,
        _ => tx.mint(),
    };
    tx.create(Provider::register(id, profile, actor, tx.now())?)
}

/// Registers a provider, or replaces its profile, by what the portal calls it (DPS-24). Whether it is new.
///
/// # Errors
/// A name that is another's, a reference that names another provider, and what the rules refuse.
pub fn put_by_reference(
    tx: &mut Tx<'_>,
    by: &Command,
    known_as: ExternalRef,
    profile: ProviderProfile,
) -> Outcome<(Stored<Provider>, bool)> {
    if by.who.actor.role != Role::Portal {
        return Err(Failure::Forbidden);
    }
    owns_name(tx, &by.who, &known_as.portal)?;
    let Some(id) = store::by_reference(tx, &known_as)? else {
        by.expects_none()?;
        let mut decided = Provider::register(tx.mint(), profile, &by.who.actor, tx.now())?;
        let (provider, known) = decided.0.add_external_ref(known_as)?;
        decided.1.extend(known);
        return Ok((tx.create((provider, decided.1))?, true));
    };
    if !by.who.is_own(tx, id)? {
        let detail = format!("{} calls another provider so", known_as.portal);
        return Err(EXTERNAL_REF_IN_USE.broken_at("/reference", detail).into());
    }
    let before = by.lock_any::<Provider>(tx, id)?;
    let decision = before.value.clone().amend(profile, tx.now())?;
    Ok((tx.save(&before, decision)?, false))
}

/// Records what a portal calls a provider (DPS-24).
///
/// # Errors
/// A name that is another's, a reference that names another provider, and what the rules refuse.
pub fn add_external_reference(
    tx: &mut Tx<'_>,
    by: &Command,
    id: ProviderId,
    known_as: ExternalRef,
) -> Outcome<Stored<Provider>> {
    let before = by.lock::<Provider>(tx, id)?;
    let known_as = known_as.trimmed();
    owns_name(tx, &by.who, &known_as.portal)?;
    let decision = before.value.clone().add_external_ref(known_as)?;
    tx.save(&before, decision)
}

/// Lets a party of a provider go on, and an officer whose authority deals with it: it applied to an arrangement in which the
/// authority takes part. What identifies a provider or a home is no business of other authorities.
///
/// # Errors
/// [`Failure::Forbidden`].
pub fn deals_with(conn: &mut Conn<'_>, who: &Caller, provider: ProviderId) -> Outcome<()> {
    if who.is_providing() {
        return Ok(());
    }
    let Some(own) = who.own_arrangements(conn)? else { return Ok(()) };
    let is_alone = own.is_empty();
    let applied = Filter::all()
        .is(applications::provider_id, provider)
        .any(applications::arrangement_id, own)
        .any(applications::state, ["queued", "submitted", "in_evaluation", "decided"]);
    if !is_alone && conn.count(&applied)? > 0 { Ok(()) } else { Err(Failure::Forbidden) }
}

/// A portal's name that belongs to a machine client is that client's alone, however it is written; a machine client has
/// no other. Names that are nobody's are whoever's uses them first.
fn owns_name(conn: &mut Conn<'_>, who: &Caller, portal: &str) -> Outcome<()> {
    let name = portal.to_ascii_lowercase();
    let client = clients::of_portal(conn, &name)?.map(|id| id.to_string());
    let owned = match (client, &who.grant) {
        (None, None) => true,
        (Some(client), Some(_)) => client == who.actor.subject && portal == name,
        (_, _) => false,
    };
    let foreign = || PORTAL_NAME_FOREIGN.broken_at("/portal", format!("`{portal}` is not the caller's own name"));
    if owned { Ok(()) } else { Err(foreign().into()) }
}

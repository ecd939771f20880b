//! The requirement library: shared by the lots of an authority (DPS-21).

use domain::arrangement::{Requirement, RequirementRef, RequirementVersion};
use domain::kernel::RequirementId;
use persistence::arrangement::{requirements, requirements_by_id};
use persistence::{Conn, Failure, Filter, Outcome, Stored, Tx};

use crate::Command;

/// Puts a requirement into the library of the caller's authority.
///
/// # Errors
/// What the rules refuse.
pub fn define(tx: &mut Tx<'_>, by: &Command, code: String, first: RequirementVersion) -> Outcome<Stored<Requirement>> {
    let owner = by.who.actor.authority.clone().ok_or(Failure::Forbidden)?;
    let filter = Filter::all().is(requirements::owner, owner.as_str()).is(requirements::code, &code);
    let taken = tx.count(&filter)? > 0;
    tx.create(Requirement::define(tx.mint(), owner, code, first, taken, tx.now())?)
}

/// Adds a version to a requirement of the caller's library.
///
/// # Errors
/// Forbidden where the library is another authority's, and what the rules refuse.
pub fn add_version(
    tx: &mut Tx<'_>,
    by: &Command,
    id: RequirementId,
    version: RequirementVersion,
) -> Outcome<Stored<Requirement>> {
    by.act(tx, id, |requirement: Requirement, _| {
        if by.who.actor.authority.as_ref() != Some(&requirement.owner) {
            return Err(Failure::Forbidden);
        }
        Ok(requirement.add_version(version)?)
    })
}

/// The definitions that references name, each with its code; what is not there is left out.
///
/// # Errors
/// Where the store fails.
pub fn required(
    conn: &mut Conn<'_>,
    references: &[RequirementRef],
) -> Outcome<Vec<(RequirementRef, String, RequirementVersion)>> {
    let ids: Vec<_> = references.iter().map(|r| r.requirement).collect();
    let library = requirements_by_id(conn, &ids)?;
    let find = |reference: &RequirementRef| {
        let entry = library.iter().find(|r| r.value.id == reference.requirement)?;
        Some((*reference, entry.value.code.clone(), entry.value.version(reference.version)?.clone()))
    };
    Ok(references.iter().filter_map(find).collect())
}

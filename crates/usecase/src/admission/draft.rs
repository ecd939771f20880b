//! Drafts of applications: what needs more than the draft itself to be edited (A4).

use std::collections::BTreeMap;

use domain::admission::Application;
use domain::admission::answers::{Asked, DeclaredGround, EvidenceItem};
use domain::admission::compliance_check::exclusion_findings;
use domain::arrangement::{Arrangement, RequirementRef, RequirementVersion};
use domain::kernel::{ApplicationId, HomeId, LotId, RequirementId};
use persistence::provider::homes_of;
use persistence::{Outcome, Stored, Tx};

use super::lots::Lots;
use crate::Command;
use crate::arrangement::requirement::required;

domain::rules! {
    REQUIREMENT_NOT_ASKED = "requirement_not_asked", Input, "PRO-17",
        "An answer is to a requirement of one of the lots applied to.";
}

/// Chooses the lots applied to.
///
/// # Errors
/// What the rules refuse.
pub fn set_lots(tx: &mut Tx<'_>, by: &Command, id: ApplicationId, lots: Vec<LotId>) -> Outcome<Stored<Application>> {
    by.act(tx, id, |application: Application, tx| {
        let known = Lots::load(tx, application.provider, application.arrangement)?;
        Ok(application.set_lots(lots, known.facts(), tx.now())?)
    })
}

/// Answers a requirement; `null` takes an answer back.
///
/// # Errors
/// [`REQUIREMENT_NOT_ASKED`], and what the rules refuse.
pub fn save_answer(
    tx: &mut Tx<'_>,
    by: &Command,
    id: ApplicationId,
    requirement: RequirementId,
    values: BTreeMap<String, serde_json::Value>,
    self_assessment: Option<bool>,
) -> Outcome<Stored<Application>> {
    by.act(tx, id, |application: Application, tx| {
        let (requirement, definition) = asked(tx, &application, requirement)?;
        let asked = Asked { requirement, definition: &definition };
        Ok(application.save_answer(asked, values, self_assessment, tx.now())?)
    })
}

/// Attaches a document to a requirement.
///
/// # Errors
/// [`REQUIREMENT_NOT_ASKED`], and what the rules refuse.
pub fn attach(
    tx: &mut Tx<'_>,
    by: &Command,
    id: ApplicationId,
    requirement: RequirementId,
    item: EvidenceItem,
) -> Outcome<Stored<Application>> {
    by.act(tx, id, |application: Application, tx| {
        let (requirement, definition) = asked(tx, &application, requirement)?;
        let asked = Asked { requirement, definition: &definition };
        Ok(application.attach_evidence(asked, item, tx.now())?)
    })
}

/// Chooses the homes offered, of the provider's own.
///
/// # Errors
/// What the rules refuse.
pub fn set_homes(tx: &mut Tx<'_>, by: &Command, id: ApplicationId, homes: Vec<HomeId>) -> Outcome<Stored<Application>> {
    by.act(tx, id, |application: Application, tx| {
        let own: Vec<_> = homes_of(tx, application.provider)?.into_iter().map(|home| home.value.id).collect();
        Ok(application.set_homes(homes, &own, tx.now())?)
    })
}

/// Declares which exclusion grounds apply, or that none does (PCR57).
///
/// # Errors
/// What the rules refuse: unknown codes and dates that cannot be, now and not at evaluation.
pub fn declare_exclusions(
    tx: &mut Tx<'_>,
    by: &Command,
    id: ApplicationId,
    grounds: Vec<DeclaredGround>,
) -> Outcome<Stored<Application>> {
    by.act(tx, id, |application: Application, tx| {
        let regime = tx.hold::<Arrangement>(application.arrangement)?.value.policies.regime();
        exclusion_findings(&grounds, &[], regime, tx.now(), tx.now())?;
        Ok(application.declare(grounds, tx.now())?)
    })
}

/// Copies the answers of another application of the same provider (DPS-22).
///
/// # Errors
/// What the rules refuse.
pub fn copy_answers(
    tx: &mut Tx<'_>,
    by: &Command,
    id: ApplicationId,
    from: ApplicationId,
) -> Outcome<Stored<Application>> {
    by.act(tx, id, |application: Application, tx| {
        let other = by.who.get::<Application>(tx, from)?.value;
        Ok(application.copy_from(&other, tx.now())?)
    })
}

/// The version of a requirement that the lots of a draft ask for.
fn asked(
    tx: &mut Tx<'_>,
    application: &Application,
    requirement: RequirementId,
) -> Outcome<(RequirementRef, RequirementVersion)> {
    let lots = Lots::load(tx, application.provider, application.arrangement)?;
    let chosen = application.draft.as_ref().map(|draft| draft.lots.as_slice()).unwrap_or_default();
    let references: Vec<_> =
        lots.asked_by(chosen).into_iter().filter(|reference| reference.requirement == requirement).collect();
    let found = required(tx, &references)?.pop().map(|(reference, _, definition)| (reference, definition));
    found.ok_or_else(|| REQUIREMENT_NOT_ASKED.broken("none of the lots applied to has this requirement").into())
}

//! Markets: arrangements, lots, the requirement library, rounds and interests (A1 to A3, A19).

pub mod interest;
pub mod lot;
pub mod requirement;
pub mod round;

use domain::arrangement::{Arrangement, LotFact, NewArrangement, Participant, PublicationFacts};
use domain::kernel::{Aggregate as _, ArrangementId, Instant, Named};
use domain::law;
use domain::law::deadline::{Deadline, LegalClock, by_policy};
use persistence::arrangement as store;
use persistence::{Conn, Outcome, Stored, Tx};

use crate::deadline::find;
use crate::{Caller, Command};

domain::rules! {
    NOT_YOUR_AUTHORITY = "not_your_authority", Forbidden, "DPS-27", "An authority creates what it leads itself.";
}

/// Creates a draft that the caller's authority leads.
///
/// # Errors
/// [`NOT_YOUR_AUTHORITY`], and what the rules refuse.
pub fn create(tx: &mut Tx<'_>, by: &Command, new: NewArrangement) -> Outcome<Stored<Arrangement>> {
    if by.who.actor.authority.as_ref() != Some(&new.lead.code) {
        let detail = format!("your authority is not {}", new.lead.code);
        return Err(NOT_YOUR_AUTHORITY.broken_at("/lead/code", detail).into());
    }
    tx.create(Arrangement::create(tx.mint(), new, tx.now())?)
}

/// Lets an authority use the arrangement (C-17).
///
/// # Errors
/// What the rules refuse.
pub fn add_authority(
    tx: &mut Tx<'_>,
    by: &Command,
    id: ArrangementId,
    participant: Participant,
) -> Outcome<Stored<Arrangement>> {
    let before = by.lock::<Arrangement>(tx, id)?;
    let decision = before.value.clone().add_authority(participant, tx.now())?;
    tx.save(&before, decision)
}

/// Publishes a draft. What that means for its lots and rounds is for [`crate::lifecycle`] to say.
pub(crate) fn publish(tx: &mut Tx<'_>, by: &Command, id: ArrangementId) -> Outcome<Stored<Arrangement>> {
    let before = by.lock::<Arrangement>(tx, id)?;
    let own = store::lots_of(tx, id)?;
    let drafts = own.iter().filter(|lot| lot.value.state().name() != "closed");
    let facts = PublicationFacts {
        lots: drafts
            .map(|lot| LotFact {
                id: lot.value.id,
                code: lot.value.particulars.code.clone(),
                requirements: lot.value.requirements.len(),
            })
            .collect(),
    };
    let decision = before.value.clone().publish(&facts, tx.now())?;
    tx.save(&before, decision)
}

/// The end of the term, as the policies time it, extensions and the end by statute included.
///
/// # Errors
/// Not found, and what the engine refuses.
pub fn deadlines(c: &mut Conn<'_>, who: &Caller, id: ArrangementId) -> Outcome<Vec<Deadline>> {
    let (arrangement, policies) = find::<Arrangement>(c, &who.in_market(), id)?;
    let Some(start) = arrangement.particulars.contract_start.map(Instant::start_of) else { return Ok(Vec::new()) };
    let planned = by_policy(&policies, LegalClock::Term, start)?;
    let Some(term) = arrangement.term().filter(|term| term.ends_at() != planned.due) else { return Ok(vec![planned]) };
    let why = match law::statutory_end(policies.regime()).filter(|end| *end == term.last_day) {
        Some(end) => format!("By statute it ends with {end} (PCR34-END), which is in force."),
        None => format!("It was extended by {} months, which is in force.", term.extended_months),
    };
    let explanation = format!("{} {why}", planned.explanation);
    Ok(vec![Deadline { due: term.ends_at(), explanation, ..planned }])
}

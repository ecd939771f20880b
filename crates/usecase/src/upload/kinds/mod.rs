//! The kinds of upload, a file each.

pub mod answers;
pub mod fees;
pub mod homes;
pub mod providers;
pub mod ratings;

use domain::kernel::{Pence, ProviderId, Role};
use domain::provider::Rating;
use domain::provider::provider::Provider;
use domain::upload::Note;
use persistence::provider::providers as kept;
use persistence::{Conn, Filter, Outcome, Page};

use super::Batch;
use super::row::Cells;

/// A rating as it is named in the API or printed by the regulator.
fn rating(text: &str) -> Option<Rating> {
    match super::row::folded(text).as_str() {
        "outstanding" => Some(Rating::Outstanding),
        "good" => Some(Rating::Good),
        "requiresimprovement" | "requiresimprovementtobegood" => Some(Rating::RequiresImprovement),
        "inadequate" => Some(Rating::Inadequate),
        _ => None,
    }
}

/// A rating of the regulator's list.
fn of_the_regulator(rating: tables::ofsted::Rating) -> Rating {
    match rating {
        tables::ofsted::Rating::Inadequate => Rating::Inadequate,
        tables::ofsted::Rating::RequiresImprovement => Rating::RequiresImprovement,
        tables::ofsted::Rating::Good => Rating::Good,
        tables::ofsted::Rating::Outstanding => Rating::Outstanding,
    }
}

/// The note by which the sender sees what an amount was understood to be.
fn understood(cells: &Cells<'_>, amount: Pence) -> Note {
    let note = Note::new("amounts_understood", "amounts, as they are understood");
    note.on(Some(cells.number_of_row()), Some(amount.to_string()))
}

/// Those of the providers that rows name that are the sender's.
fn own(conn: &mut Conn<'_>, batch: &Batch<'_>, named: &[ProviderId]) -> Outcome<Vec<Provider>> {
    let filter = Filter::all().any(kept::id, named.iter().copied());
    let actor = &batch.stamp.actor;
    let is_own = |provider: &Provider| match actor.role {
        Role::Portal => provider.registered_by == actor.subject,
        _ => actor.provider == Some(provider.id),
    };
    let found = conn.list(&filter, Page::ALL)?.into_iter().map(|found| found.value);
    Ok(found.filter(is_own).collect())
}

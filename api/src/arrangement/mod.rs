//! Markets over HTTP: arrangements, lots, the requirement library, rounds and the law they stand under.

pub mod arrangements;
pub mod interests;
pub mod law;
pub mod lots;
pub mod requirements;
pub mod rounds;

use domain::kernel::Kind;
use persistence::{Outcome, Tx};
use uuid::Uuid;

use crate::http::routes::Subject;

/// The routes of this subject.
#[must_use]
pub fn routes() -> Vec<Subject> {
    vec![
        arrangements::routes(),
        lots::routes(),
        requirements::routes(),
        rounds::routes(),
        interests::routes(),
        law::routes(),
    ]
}

/// Does what is due to an arrangement or a round; `false` for any other kind.
///
/// # Errors
/// Where the store fails.
pub fn tick(tx: &mut Tx<'_>, kind: &str, id: Uuid) -> Outcome<bool> {
    if kind == Kind::Arrangement.name() {
        arrangements::tick(tx, id.into())?;
    } else if kind == Kind::Round.name() {
        rounds::tick(tx, id.into())?;
    } else {
        return Ok(false);
    }
    Ok(true)
}

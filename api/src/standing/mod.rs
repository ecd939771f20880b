//! Measures against members over HTTP: suspensions, notices, sanctions, removals and appeals.
//!
//! Every command locks the row of the membership it is about first, so that the rules over several measures are
//! decided one at a time; then a removal that is due takes effect before anything else is decided.

pub mod appeals;
pub mod memberships;
pub mod notices;
pub mod removals;
pub mod sanctions;
pub mod suspensions;

use domain::admission::membership::Membership;
use domain::kernel::{About, ArrangementId, Kind, MembershipId, ProviderId};
use domain::standing::improvement_notice::ImprovementNotice;
use domain::standing::removal::Removal;
use domain::standing::sanction::Sanction;
use persistence::{Conn, Outcome, Record, Stored, Tx, Uid};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::http::Call;
use crate::http::call::OutcomeOf;
use crate::http::routes::Subject;
use crate::http::{Answer, Reply};

/// The routes of this subject.
#[must_use]
pub fn routes() -> Vec<Subject> {
    vec![
        memberships::routes(),
        suspensions::routes(),
        notices::routes(),
        sanctions::routes(),
        removals::routes(),
        appeals::routes(),
    ]
}

/// Does what is due to a measure; `false` for any other kind.
///
/// # Errors
/// Where the store fails.
pub fn tick(tx: &mut Tx<'_>, kind: &str, id: Uuid) -> Outcome<bool> {
    if kind == Kind::Suspension.name() {
        suspensions::tick(tx, id.into())?;
    } else if kind == Kind::ImprovementNotice.name() {
        notices::tick(tx, id.into())?;
    } else if kind == Kind::Removal.name() {
        removals::tick(tx, id.into())?;
    } else {
        return Ok(false);
    }
    Ok(true)
}

/// What a provider puts forward.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Said {
    /// The text, or a reference of the document that holds it.
    #[validate(length(min = 1, max = 20_000))]
    text: String,
}

/// Why a measure ends early.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Lift {
    /// The reason.
    #[validate(length(min = 1, max = 4000))]
    reason: String,
    /// Whether it should not have been imposed: then it counts as no step towards a removal.
    #[serde(default)]
    annulled: bool,
}

/// Which entries of a register to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct MeasuresQuery {
    /// Only in this state.
    state: Option<String>,
    /// Only about this provider.
    provider: Option<ProviderId>,
}

impl MeasuresQuery {
    /// The providers to list: those asked for, of those that the caller may see. A provider's own; to a buyer of the
    /// arrangement, `None`: all.
    fn providers<T: Send + Sync + 'static>(
        &self,
        conn: &mut Conn<'_>,
        call: &Call<T>,
        arrangement: ArrangementId,
    ) -> Outcome<Option<Vec<ProviderId>>> {
        let Some(mut own) = call.who.own_providers(conn)? else {
            let about = About { arrangement: Some(arrangement), ..About::default() };
            call.who.may(conn, about, Kind::Arrangement)?;
            return Ok(self.provider.map(|only| vec![only]));
        };
        own.retain(|id| self.provider.is_none_or(|only| only == *id));
        Ok(Some(own))
    }
}

fn uids(ids: Vec<ProviderId>) -> Vec<Uid> {
    ids.into_iter().map(Uid::from).collect()
}

/// A measure against one membership.
trait Measure: Record {
    fn membership(&self) -> MembershipId;
}

impl Measure for ImprovementNotice {
    fn membership(&self) -> MembershipId {
        self.membership
    }
}

impl Measure for Sanction {
    fn membership(&self) -> MembershipId {
        self.membership
    }
}

impl Measure for Removal {
    fn membership(&self) -> MembershipId {
        self.membership
    }
}

/// Locks the membership that a command is about, the caller's to act on, and does what is due to it.
pub(crate) fn lock_member<T: Send + Sync + 'static>(
    call: &Call<T>,
    tx: &mut Tx<'_>,
    id: MembershipId,
) -> Outcome<Stored<Membership>> {
    let member = call.lock::<Membership>(tx, id)?;
    removals::run_due(tx, member)
}

/// Locks a membership, and then the measure against it.
fn lock_measure<A: Measure, T: Send + Sync + 'static>(
    call: &Call<T>,
    tx: &mut Tx<'_>,
    id: A::Id,
) -> Outcome<Stored<A>> {
    // Whoever may not act on it does not get to hold its membership up.
    let seen = call.who.get::<A>(tx, id)?.value;
    let member = tx.lock::<Membership>(seen.membership())?;
    let before = call.lock::<A>(tx, id)?;
    removals::run_due(tx, member)?;
    // The due removal may be the measure itself.
    let now = tx.get::<A>(id)?;
    Ok(if now.version == before.version { before } else { now })
}

/// A command on a measure against one membership.
async fn on_measure<A: Measure, T: Send + Sync + 'static>(
    call: Call<T>,
    id: A::Id,
    decide: impl Fn(A, &mut Tx<'_>, &Call<T>) -> OutcomeOf<A> + Send + 'static,
) -> Answer
where
    A::Id: Send + 'static,
{
    call.write(move |tx, call| {
        let before = lock_measure::<A, T>(call, tx, id)?;
        let decision = decide(before.value.clone(), tx, call)?;
        Reply::ok(&tx.save(&before, decision)?)
    })
    .await
}

/// The membership whose measures a caller lists.
pub(crate) fn seen_member(call: &Call, conn: &mut Conn<'_>, id: MembershipId) -> Outcome<Membership> {
    let member = call.who.get::<Membership>(conn, id)?.value;
    Ok(member)
}

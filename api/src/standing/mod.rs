//! Measures against members over HTTP: suspensions, notices, sanctions, removals and appeals.

pub mod appeals;
pub mod memberships;
pub mod notices;
pub mod removals;
pub mod sanctions;
pub mod suspensions;

use domain::admission::membership::Membership;
use domain::kernel::{About, ArrangementId, Decided, Kind, MembershipId, ProviderId};
use persistence::{Conn, Outcome, Tx};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::http::Call;
use usecase::standing::{Measure, improvement_notice, removal, suspension};

use crate::http::routes::{Subject, clockwork, explained};
use crate::http::{Answer, Reply};

/// The subject.
pub static SUBJECT: Subject = Subject {
    tags: &[("standing", "Suspensions, notices, sanctions, removals and appeals (A7, A8)")],
    routes: &[
        memberships::routes,
        suspensions::routes,
        notices::routes,
        sanctions::routes,
        removals::routes,
        appeals::routes,
    ],
    clock: &[
        clockwork!(LapseSuspensions: Suspension "lapse", suspension::fall_due),
        clockwork!(FindOverdue: Suspension "review", suspension::fall_due),
        clockwork!(EffectRemovals: Removal "take_effect", removal::take_effect),
        clockwork!(FindOverdue: ImprovementNotice "expire", improvement_notice::expire),
    ],
    deadlines: &[
        explained!(Suspension, suspension::deadlines),
        explained!(ImprovementNotice, improvement_notice::deadlines),
        explained!(Removal, removal::deadlines),
    ],
    uploads: &[],
};

/// What a provider puts forward.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Said {
    /// The text, or a reference of the document that holds it.
    #[validate(length(min = 1, max = 20_000))]
    #[schema(min_length = 1, max_length = 20_000)]
    text: String,
}

/// Why a measure ends early.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Lift {
    /// The reason.
    #[validate(length(min = 1, max = 4000))]
    #[schema(min_length = 1, max_length = 4000)]
    reason: String,
    /// Whether it should not have been imposed: then it counts as no step towards a removal.
    #[serde(default)]
    annulled: bool,
}

/// The providers whose measures are listed: those asked for, of those that the caller may see. A provider's own; to a buyer of
/// the arrangement, `None`: all.
fn listed<T: Send + Sync + 'static>(
    conn: &mut Conn<'_>,
    call: &Call<T>,
    arrangement: ArrangementId,
    only: Option<ProviderId>,
) -> Outcome<Option<Vec<ProviderId>>> {
    let Some(mut own) = call.who.own_providers(conn)? else {
        let about = About { arrangement: Some(arrangement), ..About::default() };
        call.who.may(conn, about, Kind::Arrangement)?;
        return Ok(only.map(|only| vec![only]));
    };
    own.retain(|id| only.is_none_or(|only| only == *id));
    Ok(Some(own))
}

/// A command on a measure against one membership.
async fn on_measure<A: Measure, T: Send + Sync + 'static>(
    call: Call<T>,
    id: A::Id,
    decide: impl Fn(A, &mut Tx<'_>, &Call<T>) -> Outcome<Decided<A>> + Send + 'static,
) -> Answer {
    call.write(move |tx, call| {
        Reply::ok(&usecase::standing::act(tx, call, id, |measure: A, tx| decide(measure, tx, call))?)
    })
    .await
}

/// The membership whose measures a caller lists.
pub(crate) fn seen_member(call: &Call, conn: &mut Conn<'_>, id: MembershipId) -> Outcome<Membership> {
    Ok(call.who.get::<Membership>(conn, id)?.value)
}

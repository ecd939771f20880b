//! The checkpoints that seal the feed, for auditors to keep elsewhere.

use actix_web::{get, web};
use domain::kernel::Instant;
use persistence::Failure;
use persistence::record::checkpoint::{self, Checkpoint};
use persistence::record::hex;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::cursor;
use super::events::Feed;
use crate::http::routes::routes;
use crate::http::{Answer, Call, Reply, listing};

routes! {
    list_checkpoints: ReadRecord, [listing::RULES];
}

/// A checkpoint as it is shown.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CheckpointView {
    /// Counted from 1, without gaps.
    number: i64,
    /// The place in the feed of the last event sealed.
    up_to: String,
    /// How many events it seals: those after the checkpoint before it.
    events: i64,
    /// SHA-256 over the digest of the checkpoint before it, if any, and the hashes of its events in the feed's order.
    digest: String,
    /// When it was made.
    sealed_at: Instant,
}

impl From<Checkpoint> for CheckpointView {
    fn from(checkpoint: Checkpoint) -> Self {
        Self {
            number: checkpoint.number,
            up_to: cursor::text(checkpoint.place()),
            events: checkpoint.events,
            digest: hex(&checkpoint.digest),
            sealed_at: checkpoint.sealed_at.0,
        }
    }
}

/// Which checkpoints.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListCheckpointsQuery {
    /// Only those with a higher number, such as `next` of the answer before.
    after: Option<i64>,
    /// Rows on the page, 1 to 200; 50 where absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
}

/// List the checkpoints that seal the feed
///
/// Oldest first, for the buying side. Whoever keeps them elsewhere can prove later that nothing up to the last one
/// was altered, removed, added or moved: `dps audit verify` recomputes them.
#[utoipa::path(tag = "record", params(ListCheckpointsQuery), responses((status = 200, body = Feed<CheckpointView>)))]
#[get("/v1/checkpoints")]
async fn list_checkpoints(call: Call, following: web::Query<ListCheckpointsQuery>) -> Answer {
    call.scan(move |c, call| {
        if call.who.own_providers(c)?.is_some() {
            return Err(Failure::Forbidden);
        }
        let after = following.after.unwrap_or_default();
        let found = checkpoint::after(c, after, listing::rows(following.limit)?)?;
        let next = found.last().map_or(after, |last| last.number).to_string();
        let items = found.into_iter().map(CheckpointView::from).collect();
        Ok(Reply::json(200, &Feed { items, next })?.tagged_by_content(0))
    })
    .await
}

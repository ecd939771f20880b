//! Deadlines over HTTP: every due instant of an aggregate with the parts that made it, and the list of what is due.

use actix_web::{get, web};
use domain::deadline::WatchedDeadline;
use domain::kernel::{ArrangementId, Audience, DeadlineKind, Kind, Named as _, ProviderId};
use domain::law::deadline::{self, Deadline};
use persistence::deadline::deadlines;
use persistence::{Failure, Filter};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::http::filters::StateOf;
use crate::http::reply::Resource;
use crate::http::routes::routes;
use crate::http::{Answer, Call, List, Listing, Reply};

routes! {
    list_deadlines: ReadDeadlines, [crate::http::listing::RULES];
    explain_deadlines: ReadDeadlines, [deadline::RULES];
}

type StateName = StateOf<WatchedDeadline>;

/// Which deadlines to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListDeadlinesQuery {
    /// Only in this state: `running`, `missed` (the overdue ones) or `over`.
    #[param(inline)]
    state: Option<StateName>,
    /// Only of this arrangement.
    arrangement: Option<ArrangementId>,
    /// Only about this provider.
    provider: Option<ProviderId>,
    /// Only of this sort, such as `evaluation`.
    #[param(inline)]
    what: Option<DeadlineKind>,
}

/// List deadlines: what is coming, and what is overdue
///
/// With `state=missed` the list of what is overdue: it stays there until it is done. Each is told ahead as the policies say
/// (`tellAhead`), and once more where it was missed, by the events `DeadlineNear` and `DeadlineMissed` (ADD-21). A provider
/// sees its own.
#[utoipa::path(tag = "law", params(ListDeadlinesQuery, Listing), responses((status = 200, body = List<Resource<WatchedDeadline>>)))]
#[get("/v1/watched-deadlines")]
async fn list_deadlines(call: Call, wanted: web::Query<ListDeadlinesQuery>, listing: web::Query<Listing>) -> Answer {
    call.list(
        move |c, call| {
            let page = listing.page()?;
            let (provider_id, arrangement_id) = call.who.reach(c, wanted.provider, wanted.arrangement)?;
            let told = call.who.is_providing().then(|| vec![Audience::Parties.name(), Audience::Everyone.name()]);
            let filter = Filter::all()
                .if_any(deadlines::provider_id, provider_id)
                .if_any(deadlines::arrangement_id, arrangement_id)
                .if_any(deadlines::told_to, told)
                .if_is(deadlines::state, wanted.state.map(StateOf::name))
                .if_is(deadlines::what, wanted.what.map(|what| what.name()));
            Ok((page, filter.since(listing.since())))
        },
        |found: &WatchedDeadline, _| found.clone(),
    )
    .await
}

/// Explain every deadline of a thing
///
/// For an `arrangement`, `round`, `application`, `suspension`, `notice` or `removal`: each due instant with its rule,
/// regime, rule-set version, calendar version and start event.
#[utoipa::path(
    tag = "law",
    params(("kind" = String, Path, description = "Such as `round`"), ("id" = Uuid, Path, description = "Its id")),
    responses((status = 200, body = List<Deadline>))
)]
#[get("/v1/deadlines/{kind}/{id}")]
async fn explain_deadlines(call: Call, path: web::Path<(String, Uuid)>) -> Answer {
    call.scan(move |c, call| {
        let (kind, id) = &*path;
        let explained = crate::SUBJECTS.iter().flat_map(|subject| subject.deadlines);
        let explained = explained.into_iter().find(|explained| explained.kind.name() == kind);
        let explained = explained.ok_or(Failure::NotFound(Kind::Arrangement))?;
        Reply::json(200, &List { items: (explained.of)(c, &call.who, *id)?, next: None })
    })
    .await
}

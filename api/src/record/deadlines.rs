//! Every due instant of an aggregate, with the parts that made it.

use actix_web::{get, web};
use domain::kernel::Kind;
use domain::law::deadline::{self, Deadline};
use persistence::Failure;
use uuid::Uuid;

use crate::http::routes::routes;
use crate::http::{Answer, Call, List, Reply};

routes! {
    explain_deadlines: ReadDeadlines, [deadline::RULES];
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

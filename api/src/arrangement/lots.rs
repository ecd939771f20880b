//! Lots: define, name, grant, require, open, pause, close (A2).

use actix_web::{get, patch, post, put, web};
use domain::arrangement::lot::{Access, Alias, LotParticulars};
use domain::arrangement::{self as rules, Arrangement, Lot, Participant, RequirementRef, RequirementVersion};
use domain::kernel::{ArrangementId, AuthorityCode, LotId, RequirementId};
use persistence::arrangement::{self as store};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::arrangements::Because;
use usecase::arrangement::lot;
use usecase::arrangement::requirement::required;

use crate::http::reply::Resource;
use crate::http::routes::routes;
use crate::http::{Answer, Call, DomainBody, List, Reply};

routes! {
    define_lot: ManageArrangement, [rules::RULES, rules::lot::RULES];
    list_lots: ReadMarket, [];
    get_lot: ReadMarket, [];
    amend_lot: ManageArrangement, [rules::RULES, rules::lot::RULES];
    get_lot_aliases: ReadMarket, [];
    get_lot_access: ReadMarket, [];
    set_lot_aliases: ManageArrangement, [rules::RULES, rules::lot::RULES];
    set_lot_access: ManageArrangement, [rules::lot::RULES];
    exercise_reserved_right: ManageArrangement, [rules::lot::RULES];
    list_lot_requirements: ReadMarket, [];
    adopt_requirement: ManageArrangement, [rules::lot::RULES, rules::requirement::RULES];
    drop_requirement: ManageArrangement, [rules::lot::RULES, &[&rules::publication::REQUIREMENT_REQUIRED]];
    open_lot: ManageArrangement, [rules::RULES, rules::lot::RULES, &[&rules::publication::REQUIREMENT_REQUIRED]];
    pause_lot: ManageArrangement, [rules::RULES];
    close_lot: ManageArrangement, [rules::RULES];
}

/// Define a lot of an arrangement
#[utoipa::path(tag = "lots", params(("id" = ArrangementId, Path)), request_body = LotParticulars, responses((status = 201, body = Resource<Lot>)))]
#[post("/v1/arrangements/{id}/lots")]
async fn define_lot(call: Call<DomainBody<LotParticulars>>, id: web::Path<ArrangementId>) -> Answer {
    call.write(move |tx, call| Reply::created(&lot::define(tx, call, *id, call.body.0.clone())?, "lots")).await
}

/// In whose names to list lots.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListLotsQuery {
    /// Show each lot by this authority's code and label as well.
    authority: Option<AuthorityCode>,
}

/// A lot with the name that an authority gives it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct NamedLot {
    /// The lot.
    #[serde(flatten)]
    lot: Lot,
    /// Its code at the authority that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    known_as_code: Option<String>,
    /// Its label at the authority that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    known_as: Option<String>,
}

/// List the lots of an arrangement
///
/// The same lots for every authority, each under the same id (DPS-09).
#[utoipa::path(tag = "lots", params(("id" = ArrangementId, Path), ListLotsQuery), responses((status = 200, body = List<Resource<NamedLot>>)))]
#[get("/v1/arrangements/{id}/lots")]
async fn list_lots(call: Call, id: web::Path<ArrangementId>, naming: web::Query<ListLotsQuery>) -> Answer {
    call.scan(move |c, call| {
        call.who.get::<Arrangement>(c, *id)?;
        let named = |lot: &Lot| {
            let known = naming.authority.as_ref().map(|code| lot.known_to(code));
            NamedLot {
                lot: lot.clone(),
                known_as_code: known.map(|(code, _)| code.to_owned()),
                known_as: known.map(|(_, label)| label.to_owned()),
            }
        };
        let items = store::lots_of(c, *id)?.iter().map(|lot| Resource::of(lot, named)).collect();
        Reply::json(200, &List { items, next: None })
    })
    .await
}

/// Read a lot
#[utoipa::path(tag = "lots", params(("id" = LotId, Path)), responses((status = 200, body = Resource<Lot>)))]
#[get("/v1/lots/{id}")]
async fn get_lot(call: Call, id: web::Path<LotId>) -> Answer {
    call.show::<Lot>(*id, |found, _| Reply::ok(found)).await
}

/// Rewrite a draft lot
#[utoipa::path(tag = "lots", params(("id" = LotId, Path)), request_body = LotParticulars, responses((status = 200, body = Resource<Lot>)))]
#[patch("/v1/lots/{id}")]
async fn amend_lot(call: Call<DomainBody<LotParticulars>>, id: web::Path<LotId>) -> Answer {
    call.write(move |tx, call| Reply::ok(&lot::amend(tx, call, *id, call.body.0.clone())?)).await
}

/// Read what authorities call the lot (C-13)
#[utoipa::path(tag = "lots", params(("id" = LotId, Path)), responses((status = 200, body = List<Alias>)))]
#[get("/v1/lots/{id}/aliases")]
async fn get_lot_aliases(call: Call, id: web::Path<LotId>) -> Answer {
    call.read(move |c, call| {
        let lot = call.who.get::<Lot>(c, *id)?;
        Ok(Reply::json(200, &List { items: lot.value.aliases, next: None })?.tagged(lot.version))
    })
    .await
}

/// Read which authorities use the lot, or reserve the right to (PRO-11)
///
/// Every authority that uses the arrangement, also one without an entry of its own: it uses the lot.
#[utoipa::path(tag = "lots", params(("id" = LotId, Path)), responses((status = 200, body = List<Access>)))]
#[get("/v1/lots/{id}/access")]
async fn get_lot_access(call: Call, id: web::Path<LotId>) -> Answer {
    call.scan(move |c, call| {
        let lot = call.who.get::<Lot>(c, *id)?;
        let participants = c.get::<Arrangement>(lot.value.arrangement)?.value.participants;
        let access = |p: Participant| Access { right: lot.value.right_of(&p.code), authority: p.code };
        let items = participants.into_iter().map(access).collect();
        Ok(Reply::json(200, &List { items, next: None })?.tagged_by_content(lot.version))
    })
    .await
}

/// Set what authorities call the lot (C-13)
#[utoipa::path(tag = "lots", params(("id" = LotId, Path)), request_body = Vec<Alias>, responses((status = 200, body = Resource<Lot>)))]
#[put("/v1/lots/{id}/aliases")]
async fn set_lot_aliases(call: Call<DomainBody<Vec<Alias>>>, id: web::Path<LotId>) -> Answer {
    call.act(*id, |lot: Lot, _, call| Ok(lot.set_aliases(call.body.0.clone())?)).await
}

/// Set which authorities use the lot, or reserve the right to (C-17, PRO-11)
#[utoipa::path(tag = "lots", params(("id" = LotId, Path)), request_body = Vec<Access>, responses((status = 200, body = Resource<Lot>)))]
#[put("/v1/lots/{id}/access")]
async fn set_lot_access(call: Call<DomainBody<Vec<Access>>>, id: web::Path<LotId>) -> Answer {
    call.act(*id, |lot: Lot, _, call| Ok(lot.set_access(call.body.0.clone())?)).await
}

/// Whose right it is.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Exercise {
    /// The authority that reserved it.
    authority: AuthorityCode,
}

/// Exercise a reserved right to use the lot
#[utoipa::path(tag = "lots", params(("id" = LotId, Path)), request_body = Exercise, responses((status = 200, body = Resource<Lot>)))]
#[post("/v1/lots/{id}/exercise-reserved-right")]
async fn exercise_reserved_right(call: Call<Exercise>, id: web::Path<LotId>) -> Answer {
    call.act(*id, |lot: Lot, _, call| Ok(lot.exercise_reserved(call.body.authority.clone())?)).await
}

/// A requirement in the version that a lot asks for.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Adopted {
    /// Which requirement.
    requirement: RequirementId,
    /// Its code in the library; also the reason code of a rejection that rests on it.
    code: String,
    /// Which version.
    version: u32,
    /// What that version says.
    definition: RequirementVersion,
}

/// List what a lot requires, with the wording in force
#[utoipa::path(tag = "lots", params(("id" = LotId, Path)), responses((status = 200, body = List<Adopted>)))]
#[get("/v1/lots/{id}/requirements")]
async fn list_lot_requirements(call: Call, id: web::Path<LotId>) -> Answer {
    call.scan(move |c, call| {
        let lot = call.who.get::<Lot>(c, *id)?;
        let items = required(c, &lot.value.requirements)?
            .into_iter()
            .map(|(reference, code, definition)| Adopted {
                requirement: reference.requirement,
                code,
                version: reference.version,
                definition,
            })
            .collect();
        Ok(Reply::json(200, &List { items, next: None })?.tagged(lot.version))
    })
    .await
}

/// Adopt a requirement of the library, or pin another version of it
///
/// Once a line of the lot was evaluated, only a newer version may be pinned (A2).
#[utoipa::path(tag = "lots", params(("id" = LotId, Path)), request_body = RequirementRef, responses((status = 200, body = Resource<Lot>)))]
#[post("/v1/lots/{id}/requirements")]
async fn adopt_requirement(call: Call<DomainBody<RequirementRef>>, id: web::Path<LotId>) -> Answer {
    call.write(move |tx, call| Reply::ok(&lot::adopt(tx, call, *id, call.body.0)?)).await
}

/// Which requirement to drop.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Drop {
    /// The requirement.
    requirement: RequirementId,
}

/// Drop a requirement from a lot
#[utoipa::path(tag = "lots", params(("id" = LotId, Path)), request_body = Drop, responses((status = 200, body = Resource<Lot>)))]
#[post("/v1/lots/{id}/drop-requirement")]
async fn drop_requirement(call: Call<Drop>, id: web::Path<LotId>) -> Answer {
    call.write(move |tx, call| Reply::ok(&lot::drop_requirement(tx, call, *id, call.body.requirement)?)).await
}

/// Open a lot to applications
#[utoipa::path(tag = "lots", params(("id" = LotId, Path)), responses((status = 200, body = Resource<Lot>)))]
#[post("/v1/lots/{id}/open")]
async fn open_lot(call: Call, id: web::Path<LotId>) -> Answer {
    call.write(move |tx, call| Reply::ok(&lot::open(tx, call, *id)?)).await
}

/// Pause applications to a lot
#[utoipa::path(tag = "lots", params(("id" = LotId, Path)), request_body = Because, responses((status = 200, body = Resource<Lot>)))]
#[post("/v1/lots/{id}/pause")]
async fn pause_lot(call: Call<Because>, id: web::Path<LotId>) -> Answer {
    call.act(*id, |lot: Lot, tx, call| Ok(lot.pause(call.body.reason.clone(), tx.now())?)).await
}

/// Close a lot
#[utoipa::path(tag = "lots", params(("id" = LotId, Path)), request_body = Because, responses((status = 200, body = Resource<Lot>)))]
#[post("/v1/lots/{id}/close")]
async fn close_lot(call: Call<Because>, id: web::Path<LotId>) -> Answer {
    call.write(move |tx, call| Reply::ok(&usecase::lifecycle::close_lot(tx, call, *id, &call.body.reason)?)).await
}

//! The register of a lot: who is a member, who may receive a referral, and why, at any instant (DPS-04).

use actix_web::{get, web};
use domain::arrangement::lot;
use domain::kernel::{Instant, LotId};
use serde::Deserialize;
use utoipa::IntoParams;

use usecase::standing::register::{self, Register};

use crate::http::routes::routes;
use crate::http::{Answer, Call, Reply};

routes! {
    get_register: ReadMembers, [&[&lot::LOT_NOT_USED]];
}

/// Which register.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct GetRegisterQuery {
    /// The instant asked about; now where absent.
    as_of: Option<Instant>,
    /// Only members that may receive a referral at that instant: the list that a dispatch goes to. It is refused to an
    /// authority that does not use the lot.
    #[serde(default)]
    receiving: bool,
}

/// Read the register of a lot, at any instant
///
/// Standing is computed from every suspension, sanction, removal and expiry that covers the instant. Providers see
/// their own entry; portals see members that are not concealed, without the reasons. An authority is shown what binds it.
/// For an instant ahead the register tells what is decided by now (`knownUntil`), and after the known end of the term
/// (`termEndsAt`) nobody is a member.
#[utoipa::path(tag = "memberships", params(("id" = LotId, Path), GetRegisterQuery), responses((status = 200, body = Register)))]
#[get("/v1/lots/{id}/members")]
async fn get_register(call: Call, id: web::Path<LotId>, asked: web::Query<GetRegisterQuery>) -> Answer {
    call.scan(move |c, call| {
        let now = call.now();
        let at = asked.as_of.unwrap_or(now);
        let register = register::of_lot(c, &call.who, *id, (at, now), asked.receiving)?;
        Ok(Reply::json(200, &register)?.tagged_by_content(0))
    })
    .await
}

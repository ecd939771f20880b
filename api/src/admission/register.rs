//! The register of a lot: who is a member, who may receive a referral, and why, at any instant (DPS-04).

use actix_web::{get, web};
use domain::arrangement::lot::{self, Right};
use domain::arrangement::{Arrangement, Lot};
use domain::kernel::{HomeId, Instant, LotId, MembershipId, ProviderId, Role};
use domain::standing::{Cause, Standing, StandingFacts, excluded_homes, explain, standing};
use persistence::admission::memberships;
use persistence::provider::names_of;
use persistence::standing::impediments_of_lot;
use persistence::{Page, Uid};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::{IntoParams, ToSchema};

use crate::http::routes::routes;
use crate::http::{Answer, Call, Reply};
use persistence::record::hex;

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

/// One member at the instant asked about.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RegisterEntry)]
struct Entry {
    /// The membership.
    membership: MembershipId,
    /// The member.
    provider: ProviderId,
    /// Its legal name.
    name: String,
    /// Since when.
    admitted_at: Instant,
    /// How it stands.
    #[serde(flatten)]
    standing: Standing,
    /// Why; only for the buying side and the member itself.
    because: Vec<Cause>,
    /// Homes that may not be offered.
    excluded_homes: Vec<HomeId>,
}

/// The register of a lot at an instant.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Register {
    /// The lot.
    lot: LotId,
    /// The instant asked about.
    as_of: Instant,
    /// How many are listed.
    count: usize,
    /// SHA-256 of the list as it is written here: two readers that have the same hash have the same list.
    content_hash: String,
    /// Members in the order of admission; the removed stay listed with their standing.
    members: Vec<Entry>,
}

/// Read the register of a lot, at any instant
///
/// Standing is computed from every suspension, sanction, removal and expiry that covers the instant. Providers see
/// their own entry; portals see members that are not concealed, without the reasons.
#[utoipa::path(tag = "memberships", params(("id" = LotId, Path), GetRegisterQuery), responses((status = 200, body = Register)))]
#[get("/v1/lots/{id}/members")]
async fn get_register(call: Call, id: web::Path<LotId>, asked: web::Query<GetRegisterQuery>) -> Answer {
    call.scan(move |c, call| {
        let role = call.who.actor.role;
        let who = if call.who.is_providing() { call.who.in_market() } else { call.who.clone() };
        let lot = who.get::<Lot>(c, *id)?.value;
        if let Some(own) = call.who.actor.authority.as_ref().filter(|_| asked.receiving) {
            // The lead sees whom each authority of its arrangement may call, whether or not it uses the lot itself.
            let leads = c.get::<Arrangement>(lot.arrangement)?.value.lead.code == *own;
            if !leads && lot.right_of(own) != Right::Uses {
                return Err(lot::LOT_NOT_USED.broken(format!("{own} does not use this lot")).into());
            }
        }
        let at = asked.as_of.unwrap_or_else(|| call.now());
        let own = call.who.own_providers(c)?.unwrap_or_default();
        let provider_id = (role == Role::Provider).then(|| own.iter().copied().map(Uid::from).collect());
        let filter =
            memberships::Filter { lot_id: Some(vec![lot.id.into()]), provider_id, ..memberships::Filter::default() };
        let mut found = memberships::list(c, &filter, Page::ALL)?;
        found.retain(|m| m.value.admitted_at <= at);
        let impediments = impediments_of_lot(c, lot.arrangement, lot.id, &found)?;
        let names = names_of(c, found.iter().map(|m| m.value.provider))?;
        let mut members = Vec::with_capacity(found.len());
        for member in found.iter().map(|m| &m.value) {
            let impediments = impediments.get(&member.id).map(Vec::as_slice).unwrap_or_default();
            let facts = StandingFacts { membership: member.id, admitted_at: member.admitted_at, impediments };
            let standing = standing(&facts, at);
            let is_own = own.contains(&member.provider);
            let hidden = role == Role::Portal && !is_own && !standing.visible_to_portals;
            if hidden || (asked.receiving && !standing.may_receive_referrals) {
                continue;
            }
            let told = role != Role::Portal || is_own;
            members.push(Entry {
                membership: member.id,
                provider: member.provider,
                name: names.get(&member.provider).cloned().unwrap_or_default(),
                admitted_at: member.admitted_at,
                standing,
                because: if told { explain(&facts, at) } else { Vec::new() },
                excluded_homes: if standing.has_excluded_homes {
                    excluded_homes(&facts, at).collect()
                } else {
                    Vec::new()
                },
            });
        }
        let content_hash = hex(&Sha256::digest(serde_json::to_vec(&members)?));
        let register = Register { lot: lot.id, as_of: at, count: members.len(), content_hash, members };
        Ok(Reply::json(200, &register)?.tagged_by_content(0))
    })
    .await
}

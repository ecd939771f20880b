//! Progress and dashboard: how far a round is, and what a provider has in hand (R-01, PRO-31).

use std::collections::BTreeMap;

use actix_web::{get, web};
use domain::admission::Application;
use domain::arrangement::{Arrangement, Round};
use domain::kernel::{Aggregate as _, ArrangementId, Instant, Named, Permission, ProviderId, RoundId};
use domain::provider::provider::Provider;
use persistence::Filter;
use persistence::Page;
use persistence::admission::{applications, memberships};
use persistence::arrangement::{arrangements, rounds_of};
use serde::Serialize;
use utoipa::ToSchema;

use super::applications::{ApplicationView, existing, view};
use crate::http::reply::Resource;
use crate::http::routes::routes;
use crate::http::{Answer, Call, List, Listing, Reply};

routes! {
    get_round_progress: ReadApplications, [];
    list_round_applications: ReadApplications, [crate::http::listing::RULES];
    get_dashboard: ReadProviders, [];
}

/// How far a round is: counts only, so that nothing sealed shows.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Progress {
    /// The round.
    round: RoundId,
    /// Its state.
    #[schema(value_type = String)]
    state: &'static str,
    /// Applications by state.
    applications: BTreeMap<&'static str, usize>,
    /// Lines by state, once evaluation has begun.
    lines: BTreeMap<&'static str, usize>,
}

/// Read how far a round is
#[utoipa::path(tag = "rounds", params(("id" = RoundId, Path)), responses((status = 200, body = Progress)))]
#[get("/v1/rounds/{id}/progress")]
async fn get_round_progress(call: Call, id: web::Path<RoundId>) -> Answer {
    call.scan(move |c, call| {
        let round = call.who.get::<Round>(c, *id)?.value;
        let (mut by_state, mut lines) = (BTreeMap::new(), BTreeMap::new());
        for application in c.all_of(applications::round_id, *id)? {
            *by_state.entry(application.value.state().name()).or_default() += 1;
            if application.value.content_visible_to_buyers() {
                for line in &application.value.lines {
                    *lines.entry(line.status.name()).or_default() += 1;
                }
            }
        }
        Reply::json(200, &Progress { round: round.id, state: round.state().name(), applications: by_state, lines })
    })
    .await
}

/// List the applications of a round
///
/// Sealed ones show as receipts only.
#[utoipa::path(tag = "rounds", params(("id" = RoundId, Path), Listing), responses((status = 200, body = List<Resource<ApplicationView>>)))]
#[get("/v1/rounds/{id}/applications")]
async fn list_round_applications(call: Call, id: web::Path<RoundId>, listing: web::Query<Listing>) -> Answer {
    call.list(
        move |c, call| {
            let page = listing.page()?;
            let round = call.who.in_market().get::<Round>(c, *id)?.value;
            let (provider_id, arrangement_id) = call.who.reach(c, None, Some(round.arrangement))?;
            let filter = Filter::all()
                .is(applications::round_id, *id)
                .if_any(applications::provider_id, provider_id)
                .if_any(applications::arrangement_id, arrangement_id);
            Ok((page, filter.since(listing.since())))
        },
        view,
    )
    .await
}

/// What a provider has in hand.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Dashboard {
    /// The provider.
    provider: ProviderId,
    /// Its applications that are not decided or withdrawn.
    open_applications: Vec<ApplicationView>,
    /// How many memberships it holds.
    memberships: i64,
    /// Deadlines ahead, earliest first.
    deadlines: Vec<Ahead>,
}

/// A deadline ahead.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Ahead {
    /// When.
    at: Instant,
    /// What: `round_opens` or `round_closes`.
    what: &'static str,
    /// Of which arrangement.
    arrangement: ArrangementId,
    /// The arrangement's title.
    title: String,
    /// Which round.
    round: RoundId,
}

/// Read what a provider has in hand: drafts, submissions and deadlines (PRO-31)
#[utoipa::path(tag = "providers", params(("id" = ProviderId, Path)), responses((status = 200, body = Dashboard)))]
#[get("/v1/providers/{id}/dashboard")]
async fn get_dashboard(call: Call, id: web::Path<ProviderId>) -> Answer {
    call.scan(move |c, call| {
        call.who.get::<Provider>(c, *id)?;
        let now = call.now();
        let (own, arrangement_id) = call.who.reach(c, Some(*id), None)?;
        // Who may not read applications has none shown here either; drafts are the provider's alone.
        let reads = call.who.has(Permission::ReadApplications);
        let filter = Filter::all()
            .if_any(applications::provider_id, own.clone())
            .if_any(applications::arrangement_id, arrangement_id)
            .is(applications::open, true)
            .if_is(applications::received, existing(call.who.side()));
        let open = if reads { c.list(&filter, Page::ALL)? } else { Vec::new() };
        let live = Filter::all().if_any(memberships::provider_id, own).is(memberships::live, true);
        let published = Filter::all().any(arrangements::state, ["live", "established", "extended"]);
        let mut deadlines = Vec::new();
        for arrangement in c.list(&published, Page::ALL)? {
            let Arrangement { id, particulars, .. } = arrangement.value;
            for round in rounds_of(c, id)?.into_iter().map(|round| round.value) {
                let ahead =
                    |at, what| Ahead { at, what, arrangement: id, title: particulars.title.clone(), round: round.id };
                if round.is_ahead_at(now) {
                    deadlines.push(ahead(round.window.opens_at, "round_opens"));
                } else if round.accepts_at(now) {
                    deadlines.push(ahead(round.window.closes_at, "round_closes"));
                }
            }
        }
        deadlines.sort_by_key(|deadline| (deadline.at, deadline.round));
        let seen = |a: &Application| view(a, call.who.side());
        Reply::json(
            200,
            &Dashboard {
                provider: *id,
                open_applications: open.iter().map(|a| seen(&a.value)).collect(),
                memberships: c.count(&live)?,
                deadlines,
            },
        )
    })
    .await
}

//! The law as data: the rules of each regime, and deadlines that explain themselves.

use actix_web::{get, web};
use domain::arrangement::Regime;
use domain::arrangement::policy::Division;
use domain::kernel::Instant;
use domain::law::{self, Deadline, RuleSet, deadline, exclusion::Ground};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::http::routes::routes;
use crate::http::{Answer, Call, List, Reply};

routes! {
    list_regimes: ReadMarket, [];
    explain_deadline: ReadMarket, [deadline::RULES];
}

/// A regime with its rules and exclusion grounds.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RegimeView {
    /// The versioned rules.
    #[serde(flatten)]
    rules: &'static RuleSet,
    /// The grounds on which a supplier is or may be excluded.
    exclusion_grounds: &'static [Ground],
}

/// List the legal regimes with their rules
///
/// A rule marked `verify` is held as data that a lawyer has yet to confirm.
#[utoipa::path(tag = "law", responses((status = 200, body = List<RegimeView>)))]
#[get("/v1/regimes")]
async fn list_regimes(call: Call) -> Answer {
    drop(call);
    let items = law::rule_sets()
        .iter()
        .map(|rules| RegimeView { rules, exclusion_grounds: law::exclusion::grounds(rules.regime) });
    Ok(Reply::json(200, &List { items: items.collect(), next: None })?.send(None))
}

/// Which deadline to compute.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct ExplainDeadlineQuery {
    /// The legal regime.
    #[param(inline)]
    regime: Regime,
    /// The rule, such as `PCR34-16`.
    rule: String,
    /// The instant of the event that starts it.
    start: Instant,
    /// The part of the United Kingdom whose bank holidays count; England and Wales where absent.
    #[param(inline)]
    division: Option<Division>,
    /// The length, for rules whose length a policy or document gives.
    count: Option<u32>,
}

/// Compute a deadline, with every part that made it
#[utoipa::path(tag = "law", params(ExplainDeadlineQuery), responses((status = 200, body = Deadline)))]
#[get("/v1/deadlines")]
async fn explain_deadline(call: Call, asked: web::Query<ExplainDeadlineQuery>) -> Answer {
    call.read(move |_, _| {
        let division = asked.division.unwrap_or(Division::EnglandAndWales);
        let found = match asked.count {
            Some(count) => deadline::given(asked.regime, division, &asked.rule, count, asked.start)?,
            None => deadline::statutory(asked.regime, division, &asked.rule, asked.start)?,
        };
        Reply::json(200, &found)
    })
    .await
}

//! Applications: start, submit, revise, withdraw, and what each side may read (A4).

use actix_web::{get, post, web};
use domain::admission::Application;
use domain::admission::answers::{self, Content};
use domain::admission::application::{self as rules, Status};
use domain::admission::line::{self, Line};
use domain::admission::receipt::Receipt;
use domain::arrangement::schedule;
use domain::kernel::{ApplicationId, ArrangementId, Decided, HomeId, Instant, Kind, LotId, ProviderId};
use persistence::admission::applications;
use persistence::{Failure, Filter, Outcome, Stored, Tx};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::http::filters::StateOf;
use crate::http::reply::Resource;
use crate::http::routes::routes;
use crate::http::{Answer, Call, List, Listing, Reply};
use usecase::admission::application;
use usecase::{Caller, Command, Side};

routes! {
    start_application: Apply, [rules::RULES];
    list_applications: ReadApplications, [crate::http::listing::RULES];
    get_application: ReadApplications, [];
    submit_application: Apply, [rules::RULES, answers::RULES, schedule::RULES];
    revise_application: Apply, [rules::RULES];
    withdraw_application: Apply, [rules::RULES];
    withdraw_line: Apply, [rules::RULES, line::RULES];
    extend_evaluation: DecideLine, [rules::RULES, domain::arrangement::RULES, domain::law::deadline::RULES, domain::kernel::rule::RULES];
}

/// An application as the caller may see it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationView {
    /// Identifier.
    pub id: ApplicationId,
    /// The arrangement applied to.
    pub arrangement: ArrangementId,
    /// The applicant.
    pub provider: ProviderId,
    /// The reference of the portal it came through; hidden from buyers while sealed.
    pub external_ref: Option<String>,
    /// When it was started.
    pub started_at: Instant,
    /// The application before this one; its reasons stay readable there (DPS-03).
    pub previous: Option<ApplicationId>,
    /// Where it stands.
    #[serde(flatten)]
    pub status: Status,
    /// Whether the buying side may not see more than this yet.
    pub sealed: bool,
    /// A receipt for each submission, oldest first; the last one counts.
    pub receipts: Vec<Receipt>,
    /// The lots of the version that counts, with the decision on each; hidden from buyers while sealed.
    pub lines: Vec<Line>,
    /// The longer evaluation that was decided for it (PCR34-17).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extension: Option<rules::EvaluationExtension>,
    /// What is being edited; the provider's own eyes only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draft: Option<Content>,
    /// Homes inside the boundary that are not offered: a warning, where the policy is to warn (C-12).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub omitted_homes: Vec<HomeId>,
}

/// An application as a side may see it.
#[must_use]
pub fn view(application: &Application, side: Side) -> ApplicationView {
    let own = side == Side::Providing;
    let sealed = !application.content_visible_to_buyers();
    ApplicationView {
        id: application.id,
        arrangement: application.arrangement,
        provider: application.provider,
        external_ref: application.external_ref.clone().filter(|_| own || !sealed),
        started_at: application.started_at,
        previous: application.previous,
        status: application.status.clone(),
        sealed,
        receipts: application.receipts(own),
        lines: if own || !sealed { application.lines.clone() } else { Vec::new() },
        extension: application.extension.clone(),
        draft: application.draft.clone().filter(|_| own),
        omitted_homes: Vec::new(),
    }
}

/// Which applications a list shows that side, by whether they were received: to the buying side a draft does not exist
/// (PRO-19).
pub(super) fn existing(side: Side) -> Option<bool> {
    (side == Side::Buying).then_some(true)
}

/// A changed application as the answer to the command that changed it.
pub(super) fn shown(application: &Stored<Application>, who: &Caller) -> Outcome<Reply> {
    Reply::view(application, view(&application.value, who.side()))
}

/// What starts an application.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StartApplication {
    /// The arrangement applied to.
    arrangement: ArrangementId,
    /// The applicant; the token's provider where absent.
    provider: Option<ProviderId>,
    /// The lots applied to.
    #[validate(length(max = 200))]
    #[schema(max_items = 200)]
    lots: Vec<LotId>,
    /// The portal's own reference.
    #[validate(length(min = 1, max = 128))]
    #[schema(min_length = 1, max_length = 128)]
    external_ref: Option<String>,
    /// The earlier application that this one follows.
    previous: Option<ApplicationId>,
    /// Whether the answers of the earlier application are copied into the draft (DPS-22).
    #[serde(default)]
    copy_answers: bool,
}

/// Start an application
///
/// One open application per provider and arrangement. After a rejection a provider may apply again (DPS-03).
#[utoipa::path(tag = "applications", request_body = StartApplication, responses((status = 201, body = Resource<ApplicationView>)))]
#[post("/v1/applications")]
async fn start_application(call: Call<StartApplication>) -> Answer {
    call.write(|tx, call| {
        let StartApplication { arrangement, provider, lots, external_ref, previous, copy_answers } = call.body.clone();
        let provider = provider.or(call.who.actor.provider).ok_or(Failure::NotFound(Kind::Provider))?;
        let order = application::StartApplication { arrangement, provider, lots, external_ref, previous, copy_answers };
        let started = application::start(tx, call, order)?;
        Ok(shown(&started, &call.who)?.at(format!("/v1/applications/{}", started.value.id)))
    })
    .await
}

type StateName = StateOf<Application>;

/// Which applications to list.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct ListApplicationsQuery {
    /// Only to this arrangement.
    arrangement: Option<ArrangementId>,
    /// Only of this provider.
    provider: Option<ProviderId>,
    /// Only in this round.
    round: Option<domain::kernel::RoundId>,
    /// Only in this state.
    #[param(inline)]
    state: Option<StateName>,
    /// Only with this reference of a portal. For buyers, sealed ones have none.
    external_ref: Option<String>,
}

/// List applications
///
/// Providers see their own; buyers those to their arrangements, sealed ones as receipts only.
#[utoipa::path(tag = "applications", params(ListApplicationsQuery, Listing), responses((status = 200, body = List<Resource<ApplicationView>>)))]
#[get("/v1/applications")]
async fn list_applications(
    call: Call,
    wanted: web::Query<ListApplicationsQuery>,
    listing: web::Query<Listing>,
) -> Answer {
    call.list(
        move |c, call| {
            let page = listing.page()?;
            let (providers, arrangements) = call.who.reach(c, wanted.provider, wanted.arrangement)?;
            let sealed = call.who.side() == Side::Buying && wanted.external_ref.is_some();
            let filter = Filter::all()
                .if_any(applications::state, sealed.then_some(Application::OPEN_TO_BUYERS))
                .if_any(applications::provider_id, providers)
                .if_any(applications::arrangement_id, arrangements)
                .if_is(applications::round_id, wanted.round)
                .if_is(applications::state, wanted.state.map(StateOf::name))
                .if_is(applications::received, existing(call.who.side()))
                .if_is(applications::external_ref, wanted.external_ref.clone());
            Ok((page, filter.since(listing.since())))
        },
        view,
    )
    .await
}

/// Read an application
///
/// Its content is a resource of its own, since each reading of it by the buying side is recorded.
#[utoipa::path(tag = "applications", params(("id" = ApplicationId, Path)), responses((status = 200, body = Resource<ApplicationView>)))]
#[get("/v1/applications/{id}")]
async fn get_application(call: Call, id: web::Path<ApplicationId>) -> Answer {
    call.show::<Application>(*id, |found, side| Reply::view(found, view(&found.value, side))).await
}

/// Submit an application
///
/// Everything that is missing is named at once. The answer says where it went: evaluated at once, received in the open
/// round, or queued for the next one (C-01).
#[utoipa::path(tag = "applications", params(("id" = ApplicationId, Path)), responses((status = 201, body = Resource<ApplicationView>)))]
#[post("/v1/applications/{id}/submit")]
async fn submit_application(call: Call, id: web::Path<ApplicationId>) -> Answer {
    call.write(move |tx, call| {
        let submitted = application::submit(tx, call, &call.app().gazetteer, *id)?;
        let view = ApplicationView {
            omitted_homes: submitted.omitted_homes,
            ..view(&submitted.application.value, call.who.side())
        };
        Ok(Reply::view(&submitted.application, view)?.at(format!("/v1/applications/{id}")))
    })
    .await
}

/// Revise a submitted application
///
/// Opens a draft; the submitted version keeps counting until the draft is submitted (PRO-18).
#[utoipa::path(tag = "applications", params(("id" = ApplicationId, Path)), responses((status = 200, body = Resource<ApplicationView>)))]
#[post("/v1/applications/{id}/revise")]
async fn revise_application(call: Call, id: web::Path<ApplicationId>) -> Answer {
    change(call, *id, |application, tx, _| Ok(application.revise(tx.now())?)).await
}

/// Withdraw an application
#[utoipa::path(tag = "applications", params(("id" = ApplicationId, Path)), responses((status = 200, body = Resource<ApplicationView>)))]
#[post("/v1/applications/{id}/withdraw")]
async fn withdraw_application(call: Call, id: web::Path<ApplicationId>) -> Answer {
    call.write(move |tx, call| shown(&application::withdraw(tx, call, *id)?, &call.who)).await
}

/// Withdraw one lot from an application
#[utoipa::path(tag = "applications", params(("id" = ApplicationId, Path), ("lot" = LotId, Path)), responses((status = 200, body = Resource<ApplicationView>)))]
#[post("/v1/applications/{id}/lines/{lot}/withdraw")]
async fn withdraw_line(call: Call, path: web::Path<(ApplicationId, LotId)>) -> Answer {
    let (id, lot) = *path;
    call.write(move |tx, call| shown(&application::withdraw_line(tx, call, id, lot)?, &call.who)).await
}

/// Why an evaluation needs more time.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct ExtendEvaluation {
    /// The justification, which is recorded.
    #[validate(length(min = 1, max = 4000))]
    #[schema(min_length = 1, max_length = 4000)]
    justification: String,
}

/// Give the evaluation of one request more time (PCR34-17)
///
/// Up to 15 working days from receipt, decided with a recorded justification before the tenth.
#[utoipa::path(tag = "applications", params(("id" = ApplicationId, Path)), request_body = ExtendEvaluation, responses((status = 200, body = Resource<ApplicationView>)))]
#[post("/v1/applications/{id}/extend-evaluation")]
async fn extend_evaluation(call: Call<ExtendEvaluation>, id: web::Path<ApplicationId>) -> Answer {
    call.write(move |tx, call| {
        let justification = call.body.justification.clone();
        shown(&application::extend_evaluation(tx, call, *id, justification)?, &call.who)
    })
    .await
}

/// The common command on an application: as [`Call::act`], shown as the caller may see it.
pub(super) async fn change<T: Send + Sync + 'static>(
    call: Call<T>,
    id: ApplicationId,
    decide: impl Fn(Application, &mut Tx<'_>, &Call<T>) -> Outcome<Decided<Application>> + Send + 'static,
) -> Answer {
    call.write(move |tx, call| {
        let after = Command::act(call, tx, id, |application, tx| decide(application, tx, call))?;
        shown(&after, &call.who)
    })
    .await
}

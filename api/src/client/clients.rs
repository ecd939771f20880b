//! Clients over HTTP: register, list, read, amend, rotate, revoke. For administrators.

use actix_web::{get, patch, post, web};
use domain::client::{self as rules, Client, ClientState, ClientTerms, Secret};
use domain::kernel::{ClientId, Instant, SecretId, rule};
use persistence::client::clients;
use persistence::{Filter, Outcome, Stored};
use serde::{Deserialize, Serialize};
use usecase::client as usecases;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::NewSecret;
use crate::arrangement::arrangements::Because;
use crate::http::filters::StateOf;
use crate::http::reply::Resource;
use crate::http::routes::routes;
use crate::http::{Answer, Call, DomainBody, List, Listing, Reply};

routes! {
    register_client: ManageClients, [rules::RULES];
    list_clients: ManageClients, [crate::http::listing::RULES];
    get_client: ManageClients, [];
    amend_client: ManageClients, [rules::RULES];
    rotate_client_secret: ManageClients, [rules::RULES];
    revoke_client: ManageClients, [rule::RULES];
}

/// A machine client as it is shown.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientView {
    /// Its `client_id`; the subject of its tokens and in events.
    id: ClientId,
    /// What it may do.
    terms: ClientTerms,
    /// Its secrets, oldest first; what they are is not known any more.
    secrets: Vec<SecretView>,
    /// Subject of the account that registered it.
    registered_by: String,
    /// When.
    registered_at: Instant,
    /// State.
    #[serde(flatten)]
    state: ClientState,
}

/// What is known of a secret.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ClientSecret)]
struct SecretView {
    /// Identifier.
    id: SecretId,
    /// When it was made.
    created_at: Instant,
    /// When it ends, where it does.
    expires_at: Option<Instant>,
}

/// A client with its new secret.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ClientWithSecret)]
struct WithSecret {
    /// The client.
    #[serde(flatten)]
    client: ClientView,
    /// The new secret. It is shown here and never again: neither a repetition under the same `Idempotency-Key` nor a
    /// dry run has it. Whoever missed it rotates.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    secret: Option<String>,
}

impl ClientView {
    /// Of a client.
    #[must_use]
    pub fn of(client: &Client) -> Self {
        let Client { id, terms, secrets, registered_by, registered_at, state } = client.clone();
        let known = |Secret { id, hash: _, created_at, expires_at }| SecretView { id, created_at, expires_at };
        Self { id, terms, secrets: secrets.into_iter().map(known).collect(), registered_by, registered_at, state }
    }
}

fn shown(stored: &Stored<Client>) -> Outcome<Reply> {
    Reply::view(stored, ClientView::of(&stored.value))
}

/// The answer with the new secret, which is sent and not kept. A dry run makes none.
fn telling<T: Send + Sync + 'static>(call: &Call<T>, stored: &Stored<Client>, secret: &NewSecret) -> Outcome<Reply> {
    let reply = Reply::view(stored, WithSecret { client: ClientView::of(&stored.value), secret: None })?;
    Ok(if call.is_dry_run() { reply } else { reply.once("secret", secret.plain.clone()) })
}

/// Register a machine client
///
/// The answer has its secret, once. A client gets its tokens at `POST /oauth/token`.
#[utoipa::path(tag = "clients", request_body = ClientTerms, responses((status = 201, body = Resource<WithSecret>)))]
#[post("/v1/clients")]
async fn register_client(call: Call<DomainBody<ClientTerms>>) -> Answer {
    let secret = NewSecret::make()?;
    call.write(move |tx, call| {
        let made = usecases::register(tx, &call.body.0, &secret.digest)?;
        let location = format!("/v1/clients/{}", made.value.id);
        Ok(telling(call, &made, &secret)?.at(location))
    })
    .await
}

type StateName = StateOf<Client>;

/// Which clients to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListClientsQuery {
    /// Only in this state.
    #[param(inline)]
    state: Option<StateName>,
}

/// List machine clients
#[utoipa::path(tag = "clients", params(ListClientsQuery, Listing), responses((status = 200, body = List<Resource<ClientView>>)))]
#[get("/v1/clients")]
async fn list_clients(call: Call, wanted: web::Query<ListClientsQuery>, listing: web::Query<Listing>) -> Answer {
    call.list(
        move |_, _| {
            let page = listing.page()?;
            Ok((page, Filter::all().if_is(clients::state, wanted.state.map(StateOf::name)).since(listing.since())))
        },
        |client, _| ClientView::of(client),
    )
    .await
}

/// Read a machine client
#[utoipa::path(tag = "clients", params(("id" = ClientId, Path)), responses((status = 200, body = Resource<ClientView>)))]
#[get("/v1/clients/{id}")]
async fn get_client(call: Call, id: web::Path<ClientId>) -> Answer {
    call.read(move |c, _| shown(&c.get::<Client>(*id)?)).await
}

/// Replace what a machine client may do
///
/// At once: the tokens that it has are narrowed too. They are not widened: a token has the scopes that it was got with.
#[utoipa::path(tag = "clients", params(("id" = ClientId, Path)), request_body = ClientTerms, responses((status = 200, body = Resource<ClientView>)))]
#[patch("/v1/clients/{id}")]
async fn amend_client(call: Call<DomainBody<ClientTerms>>, id: web::Path<ClientId>) -> Answer {
    call.write(move |tx, call| {
        let before = call.lock::<Client>(tx, *id)?;
        shown(&usecases::amend(tx, &before, &call.body.0)?)
    })
    .await
}

/// How to rotate a secret.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = RotateSecret)]
struct Rotate {
    /// Hours for which the secret in use stays valid, 0 to 720; as configured where absent. 0 ends it, and the tokens
    /// that were got with it, at once.
    #[validate(range(max = 720))]
    #[schema(maximum = 720)]
    overlap_hours: Option<u16>,
}

/// Give a machine client a new secret
///
/// The answer has it, once. The secret in use stays valid for the overlap; any older one ends now.
#[utoipa::path(tag = "clients", params(("id" = ClientId, Path)), request_body = Rotate, responses((status = 200, body = Resource<WithSecret>)))]
#[post("/v1/clients/{id}/rotate")]
async fn rotate_client_secret(call: Call<Rotate>, id: web::Path<ClientId>) -> Answer {
    let secret = NewSecret::make()?;
    call.write(move |tx, call| {
        let before = call.lock::<Client>(tx, *id)?;
        let hours = call.body.overlap_hours.unwrap_or(call.app().oauth.overlap_hours);
        let after = usecases::rotate(tx, &before, &secret.digest, i64::from(hours) * 3600)?;
        telling(call, &after, &secret)
    })
    .await
}

/// End a machine client
///
/// At once and for good: its secrets and its tokens are refused from now on, by every server.
#[utoipa::path(tag = "clients", params(("id" = ClientId, Path)), request_body = Because, responses((status = 200, body = Resource<ClientView>)))]
#[post("/v1/clients/{id}/revoke")]
async fn revoke_client(call: Call<Because>, id: web::Path<ClientId>) -> Answer {
    call.write(move |tx, call| {
        let before = call.lock::<Client>(tx, *id)?;
        let decision = before.value.clone().revoke(call.body.reason.clone(), tx.actor(), tx.now())?;
        shown(&tx.save(&before, decision)?)
    })
    .await
}

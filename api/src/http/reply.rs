//! Answers: kept whole, so that a replay under an idempotency key is the first answer to the letter.

use actix_web::HttpResponse;
use actix_web::http::header::HeaderValue;
use actix_web::http::{StatusCode, header};
use actix_web::web::Bytes;
use persistence::{Outcome, Record, Stored};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Problem;
use persistence::record::hex;

/// What a handler returns.
pub type Answer = Result<HttpResponse, Problem>;

/// An answer before it is sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reply {
    status: u16,
    etag: Option<String>,
    location: Option<String>,
    body: String,
    /// A member of the body that is sent and not kept: a replay is answered without it.
    #[serde(skip)]
    once: Option<(&'static str, String)>,
}

/// A resource as it is shown: the aggregate, its version and when it was last changed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Resource<T> {
    /// The aggregate or its view.
    #[serde(flatten)]
    pub value: T,
    /// Counts the changes; the ETag carries it.
    pub version: i64,
    /// When it was last changed.
    pub updated_at: domain::kernel::Instant,
}

impl<T> Resource<T> {
    /// A stored aggregate as it is shown, by `view`.
    pub fn of<A>(stored: &Stored<A>, view: impl FnOnce(&A) -> T) -> Self {
        Self { value: view(&stored.value), version: stored.version, updated_at: stored.updated_at }
    }
}

impl Reply {
    /// 200 with a stored aggregate as it is.
    ///
    /// # Errors
    /// Where it cannot be written as JSON.
    pub fn ok<A: Record>(stored: &Stored<A>) -> Outcome<Self> {
        Self::json(200, &Resource::of(stored, Clone::clone)).map(|r| r.tagged(stored.version))
    }

    /// 201 with a stored aggregate as it is, and where it is: `/v1/{collection}/{id}`.
    ///
    /// # Errors
    /// As [`Reply::ok`].
    pub fn created<A: Record>(stored: &Stored<A>, collection: &str) -> Outcome<Self> {
        let location = format!("/v1/{collection}/{}", stored.value.id());
        Ok(Self { status: 201, location: Some(location), ..Self::ok(stored)? })
    }

    /// 200 with a view of a stored aggregate.
    ///
    /// # Errors
    /// As [`Reply::ok`].
    pub fn view<A, V: Serialize>(stored: &Stored<A>, view: V) -> Outcome<Self> {
        Self::json(200, &Resource::of(stored, |_| view)).map(|r| r.tagged(stored.version))
    }

    /// `status` with any JSON.
    ///
    /// # Errors
    /// As [`Reply::ok`].
    pub fn json(status: u16, body: &impl Serialize) -> Outcome<Self> {
        Ok(Self::text(status, serde_json::to_string(body)?))
    }

    /// `status` with JSON that is written already.
    #[must_use]
    pub fn text(status: u16, body: String) -> Self {
        Self { status, etag: None, location: None, body, once: None }
    }

    /// With that ETag, quotes and all.
    #[must_use]
    pub fn with_etag(self, etag: String) -> Self {
        Self { etag: Some(etag), ..self }
    }

    /// With status 201 and a location.
    #[must_use]
    pub fn at(self, location: String) -> Self {
        Self { status: 201, location: Some(location), ..self }
    }

    /// With another status.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// With the ETag of a version.
    #[must_use]
    pub fn tagged(self, version: i64) -> Self {
        self.with_etag(format!("\"{version}\""))
    }

    /// With a member that is shown this once: it is never kept, so no replay under an idempotency key has it.
    #[must_use]
    pub fn once(self, member: &'static str, value: String) -> Self {
        Self { once: Some((member, value)), ..self }
    }

    /// With an ETag over version and content, for views that show more than the aggregate. `If-Match` looks at the
    /// version only.
    #[must_use]
    pub fn tagged_by_content(self, version: i64) -> Self {
        use sha2::Digest as _;
        let digest = sha2::Sha256::digest(self.body.as_bytes());
        let short = hex(digest.get(..8).unwrap_or_default());
        self.with_etag(format!("\"{version}.{short}\""))
    }

    /// The response; 304 where the caller's `If-None-Match` names this answer.
    #[must_use]
    pub fn send(self, if_none_match: Option<&str>) -> HttpResponse {
        self.write().send(if_none_match)
    }

    /// As it goes out.
    #[must_use]
    pub fn write(self) -> Written {
        let field = |text: &str| HeaderValue::from_str(text).ok();
        Written {
            status: StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK),
            etag: self.etag.as_deref().and_then(field),
            location: self.location.as_deref().and_then(field),
            body: self.whole().into(),
        }
    }

    fn whole(self) -> String {
        let Some((member, value)) = self.once else { return self.body };
        match serde_json::from_str(&self.body) {
            Ok(serde_json::Value::Object(mut members)) => {
                members.insert(member.to_owned(), value.into());
                serde_json::Value::Object(members).to_string()
            }
            _ => self.body,
        }
    }
}

/// An answer as it goes out, as often as it is asked for.
#[derive(Clone, Debug)]
pub struct Written {
    status: StatusCode,
    etag: Option<HeaderValue>,
    location: Option<HeaderValue>,
    body: Bytes,
}

impl Written {
    /// Bytes of the body.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "no body of an answer is empty")]
    pub fn len(&self) -> usize {
        self.body.len()
    }

    /// The response; 304 where the caller's `If-None-Match` names this answer.
    #[must_use]
    pub fn send(&self, if_none_match: Option<&str>) -> HttpResponse {
        let unchanged = match (&self.etag, if_none_match) {
            (Some(etag), Some(seen)) => {
                let names = |tag: &str| tag.trim().trim_start_matches("W/").as_bytes() == etag.as_bytes();
                seen == "*" || seen.split(',').any(names)
            }
            (_, _) => false,
        };
        let mut response = HttpResponse::build(if unchanged { StatusCode::NOT_MODIFIED } else { self.status });
        if let Some(etag) = &self.etag {
            response.insert_header((header::ETAG, etag.clone()));
        }
        if let Some(location) = &self.location {
            response.insert_header((header::LOCATION, location.clone()));
        }
        if unchanged {
            return response.finish();
        }
        response.insert_header((header::CONTENT_TYPE, HeaderValue::from_static("application/json")));
        response.body(self.body.clone())
    }
}

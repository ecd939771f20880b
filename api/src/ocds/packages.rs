//! Release and record packages over HTTP.

use std::collections::{HashMap, hash_map};

use actix_web::{get, web};
use domain::kernel::{ArrangementId, Instant, Kind};
use persistence::arrangement::arrangements;
use persistence::record::event::{self, Cursor, Entry, Filter, Scope};
use persistence::{Conn, Failure, Outcome};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::release::{EXTENSIONS, Release, Tag};
use super::{Publisher, process};
use crate::http::routes::routes;
use crate::http::{Answer, Call, Reply, listing};
use crate::record::cursor;

routes! {
    list_ocds_records: ReadMarket, [listing::RULES];
    get_ocds_record: ReadMarket, [];
    list_ocds_releases: ReadMarket, [listing::RULES];
    get_ocds_release: ReadMarket, [];
}

/// Events read at a time.
const EVENTS: i64 = 500;

/// What every package says of itself.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OcdsPackage)]
struct Package {
    /// Where it is.
    uri: String,
    /// Of the standard: `1.1`.
    version: &'static str,
    /// The extensions that it uses.
    extensions: &'static [&'static str],
    /// When its content last changed.
    published_date: Instant,
    /// Who publishes it.
    publisher: Named,
    /// The licence of the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    license: Option<String>,
    /// Where it goes on (pagination extension).
    #[serde(skip_serializing_if = "Option::is_none")]
    links: Option<Links>,
}

/// Who publishes.
#[derive(Serialize, ToSchema)]
#[schema(as = OcdsPublisher)]
struct Named {
    /// Its name.
    name: String,
}

/// Where a package goes on.
#[derive(Serialize, ToSchema)]
#[schema(as = OcdsLinks)]
struct Links {
    /// The address of the next package.
    next: String,
}

/// A package of releases.
#[derive(Serialize, ToSchema)]
#[schema(as = OcdsReleasePackage)]
struct ReleasePackage {
    /// What it says of itself.
    #[serde(flatten)]
    package: Package,
    /// The releases, in the order in which they were made.
    releases: Vec<Release>,
}

/// A package of records.
#[derive(Serialize, ToSchema)]
#[schema(as = OcdsRecordPackage)]
struct RecordPackage {
    /// What it says of itself.
    #[serde(flatten)]
    package: Package,
    /// The records.
    records: Vec<Record>,
}

/// A process with its releases.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OcdsRecord)]
struct Record {
    /// The process.
    ocid: String,
    /// Its releases, oldest first.
    releases: Vec<Linked>,
    /// All of them in one.
    compiled_release: Release,
}

/// A release, by its address.
#[derive(Serialize, ToSchema)]
#[schema(as = OcdsLinkedRelease)]
struct Linked {
    /// The address of its package, and its identifier.
    url: String,
    /// Its date.
    #[serde(serialize_with = "super::release::dated")]
    date: Instant,
    /// Its tags.
    tag: Vec<Tag>,
}

fn package(publisher: &Publisher, uri: String, published_date: Instant, next: Option<String>) -> Package {
    Package {
        uri,
        version: "1.1",
        extensions: EXTENSIONS,
        published_date,
        publisher: Named { name: publisher.name.clone() },
        license: publisher.licence.clone(),
        links: next.map(|next| Links { next }),
    }
}

/// The standard knows no empty package: where nothing is published, there is none.
fn release_package(publisher: &Publisher, uri: String, releases: Vec<Release>, next: Option<String>) -> Outcome<Reply> {
    let date = releases.iter().map(|release| release.date).max().ok_or(Failure::NotFound(Kind::Arrangement))?;
    let package = package(publisher, uri, date, next);
    Ok(Reply::json(200, &ReleasePackage { package, releases })?.tagged_by_content(0))
}

fn record_package(publisher: &Publisher, uri: String, records: Vec<Record>, next: Option<String>) -> Outcome<Reply> {
    let dates = records.iter().map(|record| record.compiled_release.date);
    let date = dates.max().ok_or(Failure::NotFound(Kind::Arrangement))?;
    let package = package(publisher, uri, date, next);
    Ok(Reply::json(200, &RecordPackage { package, records })?.tagged_by_content(0))
}

/// What everyone may see, and no more.
fn open_to_all() -> Filter {
    Filter { scope: Scope::Open, ..Filter::default() }
}

/// The releases of an arrangement; none, where it is not published.
fn releases_of(conn: &mut Conn<'_>, publisher: &Publisher, arrangement: ArrangementId) -> Outcome<Vec<Release>> {
    let filter = Filter { arrangement: Some(arrangement.0), ..open_to_all() };
    let events = event::after(conn, &filter, Cursor::default(), i64::MAX)?;
    let events: Vec<Entry> = events.into_iter().map(|(_, event)| event).collect();
    process::releases(publisher, arrangement, &events)
}

fn record(publisher: &Publisher, releases: &[Release]) -> Option<Record> {
    let last = releases.last()?;
    let linked = |release: &Release| Linked {
        url: publisher.address(&format!("releases/{0}#{0}", release.id)),
        date: release.date,
        tag: release.tag.clone(),
    };
    Some(Record {
        ocid: last.ocid.clone(),
        releases: releases.iter().map(linked).collect(),
        compiled_release: process::compiled(last),
    })
}

/// An address below the export with what was asked for.
fn asking(publisher: &Publisher, list: &str, asked: &[(&str, Option<String>)]) -> String {
    let given = asked.iter().filter_map(|(name, value)| Some(format!("{name}={}", value.as_ref()?)));
    let query = given.collect::<Vec<_>>().join("&");
    publisher.address(&if query.is_empty() { list.to_owned() } else { format!("{list}?{query}") })
}

/// Which package.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Paging {
    /// Records in the package, 1 to 200; 50 where absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// As in `links.next` of the package before.
    cursor: Option<String>,
}

/// List the published market as OCDS records
///
/// A record package of the Open Contracting Data Standard 1.1: one record for each published arrangement, with a
/// compiled release. `links.next` leads on; the last package has none. Where nothing is published, there is no package.
#[utoipa::path(tag = "ocds", params(Paging), responses((status = 200, body = RecordPackage)))]
#[get("/v1/ocds/records")]
async fn list_ocds_records(call: Call, paging: web::Query<Paging>) -> Answer {
    call.scan(move |c, call| {
        let publisher = &call.app().publisher;
        let Paging { limit, cursor } = paging.into_inner();
        let page = listing::Listing { limit, cursor: cursor.clone(), updated_since: None }.page()?;
        let shown = usize::try_from(page.limit - 1).unwrap_or_default();
        let shown_to_all = persistence::Filter::all().is(arrangements::published, true);
        let found = c.list(&shown_to_all, page)?;
        let last = found.get(shown.saturating_sub(1)).filter(|_| found.len() > shown).map(|last| last.value.id);
        let address =
            |cursor| asking(publisher, "records", &[("limit", limit.map(|n| n.to_string())), ("cursor", cursor)]);
        let mut records = Vec::new();
        for one in found.iter().take(shown) {
            records.extend(record(publisher, &releases_of(c, publisher, one.value.id)?));
        }
        record_package(publisher, address(cursor), records, last.map(|last| address(Some(last.to_string()))))
    })
    .await
}

/// Read the OCDS record of an arrangement
///
/// A record package with one record.
#[utoipa::path(tag = "ocds", params(("ocid" = String, Path, description = "The process, by its OCID")), responses((status = 200, body = RecordPackage)))]
#[get("/v1/ocds/records/{ocid}")]
async fn get_ocds_record(call: Call, ocid: web::Path<String>) -> Answer {
    call.scan(move |c, call| {
        let publisher = &call.app().publisher;
        let arrangement = publisher.arrangement(&ocid).ok_or(Failure::NotFound(Kind::Arrangement))?;
        let records = record(publisher, &releases_of(c, publisher, arrangement)?).into_iter().collect();
        record_package(publisher, publisher.address(&format!("records/{ocid}")), records, None)
    })
    .await
}

/// Which releases.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListOcdsReleasesQuery {
    /// Only what happened at or after this instant.
    since: Option<Instant>,
    /// As in `links.next` of the package before.
    cursor: Option<String>,
    /// Releases in the package, 1 to 200; 50 where absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
}

/// List the published market as OCDS releases
///
/// A release package of the Open Contracting Data Standard 1.1, in the order in which the releases became permanent. Each
/// tells the whole of what was public of its process then, and never changes. `links.next` leads on; the last package has
/// none. Where there is no release, there is no package.
#[utoipa::path(tag = "ocds", params(ListOcdsReleasesQuery), responses((status = 200, body = ReleasePackage)))]
#[get("/v1/ocds/releases")]
async fn list_ocds_releases(call: Call, following: web::Query<ListOcdsReleasesQuery>) -> Answer {
    call.scan(move |c, call| {
        let publisher = &call.app().publisher;
        let ListOcdsReleasesQuery { since, cursor, limit } = following.into_inner();
        let most = usize::try_from(listing::rows(limit)?).unwrap_or_default();
        let from = cursor::place(cursor.as_deref(), "/cursor")?.unwrap_or_default();
        let (releases, more) = releases_after(c, publisher, &Filter { from: since, ..open_to_all() }, from, most)?;
        let address = |cursor| {
            let (limit, since) = (limit.map(|n| n.to_string()), since.map(|at| at.to_string()));
            asking(publisher, "releases", &[("since", since), ("limit", limit), ("cursor", cursor)])
        };
        release_package(publisher, address(cursor), releases, more.map(|more| address(Some(cursor::text(more)))))
    })
    .await
}

/// Up to `most` releases after a place in the feed, and where to go on, if there are more.
fn releases_after(
    conn: &mut Conn<'_>,
    publisher: &Publisher,
    filter: &Filter,
    mut from: Cursor,
    most: usize,
) -> Outcome<(Vec<Release>, Option<Cursor>)> {
    let mut processes: HashMap<Uuid, HashMap<String, Release>> = HashMap::new();
    let (mut found, mut last) = (Vec::new(), from);
    loop {
        let events = event::after(conn, filter, from, EVENTS)?;
        for (place, event) in &events {
            from = *place;
            let Some(arrangement) = event.arrangement_id else { continue };
            let process = match processes.entry(arrangement.0) {
                hash_map::Entry::Occupied(known) => known.into_mut(),
                hash_map::Entry::Vacant(new) => {
                    let releases = releases_of(conn, publisher, ArrangementId(arrangement.0))?;
                    new.insert(releases.into_iter().map(|release| (release.id.clone(), release)).collect())
                }
            };
            let Some(release) = process.remove(&event.id.0.to_string()) else { continue };
            if found.len() == most {
                return Ok((found, Some(last)));
            }
            found.push(release);
            last = *place;
        }
        if i64::try_from(events.len()).is_ok_and(|n| n < EVENTS) {
            return Ok((found, None));
        }
    }
}

/// Read an OCDS release
///
/// A release package with one release. A release never changes.
#[utoipa::path(tag = "ocds", params(("id" = Uuid, Path, description = "The release")), responses((status = 200, body = ReleasePackage)))]
#[get("/v1/ocds/releases/{id}")]
async fn get_ocds_release(call: Call, id: web::Path<Uuid>) -> Answer {
    call.scan(move |c, call| {
        let publisher = &call.app().publisher;
        let id = id.into_inner();
        let event = event::after(c, &Filter { id: Some(id), ..open_to_all() }, Cursor::default(), 1)?.pop();
        let arrangement = event.and_then(|(_, event)| event.arrangement_id);
        let releases = match arrangement {
            Some(arrangement) => releases_of(c, publisher, ArrangementId(arrangement.0))?,
            None => Vec::new(),
        };
        let wanted = id.to_string();
        let releases = releases.into_iter().filter(|release| release.id == wanted).collect();
        release_package(publisher, publisher.address(&format!("releases/{id}")), releases, None)
    })
    .await
}

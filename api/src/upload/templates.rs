//! A template for each kind of upload: its columns, with one row as an example.

use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::{HttpResponse, get, web};
use domain::upload::{FileFormat, UploadKind};
use persistence::Failure;
use serde::Deserialize;
use utoipa::IntoParams;

use super::refused::attachment;
use super::{pass, rows};
use crate::http::routes::routes;
use crate::http::{Answer, Call};
use tables::Writer;
use usecase::upload::kinds::ratings;

routes! {
    get_upload_template: ReadUploads, [ratings::RULES];
}

/// Which template.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct GetUploadTemplateQuery {
    /// `csv`, `ndjson`, `xlsx` or `ods`; `csv` where absent.
    format: Option<FileFormat>,
}

/// Download a template: the columns of a kind of upload, with one row as an example
///
/// The example is refused where it is sent as it stands. That of `ratings` has the headings of the regulator's list, of which the list has more.
#[utoipa::path(tag = "uploads", params(("kind" = UploadKind, Path, description = "`homes`, `providers`, `answers`, `fees` or `ratings`"), GetUploadTemplateQuery), responses((status = 200, description = "The template", content((String = "text/csv"), (String = "application/x-ndjson"), (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), (String = "application/vnd.oasis.opendocument.spreadsheet")))))]
#[get("/v1/upload-templates/{kind}")]
async fn get_upload_template(
    call: Call,
    kind: web::Path<UploadKind>,
    wanted: web::Query<GetUploadTemplateQuery>,
) -> Answer {
    drop(call);
    let (rows, format) = (rows(*kind)?, wanted.format.unwrap_or(FileFormat::Csv));
    if rows.release().is_some() && format == FileFormat::Ndjson {
        return Err(Failure::from(ratings::REGISTER_FORMAT.broken_at("/format", "there is no NDJSON of it")).into());
    }
    let format = pass::of(format);
    let (headings, example): (Vec<&str>, Vec<&str>) = rows.template().into_iter().unzip();
    let broken = |error: std::io::Error| Failure::Broken(format!("a template: {error}"));
    let mut writer = Writer::new(Vec::new(), format, &headings).map_err(broken)?;
    writer.row(&example).map_err(broken)?;
    let bytes = writer.finish().map_err(broken)?;
    let name = format!("{}.{}", kind.name(), format.extension());
    let mut response = HttpResponse::Ok();
    response.content_type(format.media_type()).insert_header((CONTENT_DISPOSITION, attachment(name)));
    Ok(response.body(bytes))
}

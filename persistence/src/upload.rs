//! Bulk uploads: the file in pieces, how far it has come, and what is wrong with its rows (A21).

use diesel::prelude::*;
use domain::kernel::{Actor, Instant, UploadId};
use domain::upload::{Counts, FILES, Held, Note, Upload, owner};

use crate::dialect::Fixed;
use crate::types::Storable;
use crate::{Conn, Json, Moment, Outcome, Tx, Uid};

declare_table! {
    /// Uploads.
    uploads: Upload {
        owner: Text = |u| owner(&u.by);
        kind: Text = |u| u.order.kind.name();
        over: Bool = |u| u.is_over();
        bytes: BigInt = |u| signed(u.order.file.bytes);
    }
}

mod schema {
    diesel::table! {
        use diesel::sql_types::*;
        use crate::types::sql::Uid;

        upload_chunks (upload_id, n) {
            upload_id -> Uid,
            n -> BigInt,
            bytes -> Binary,
        }
    }
    diesel::table! {
        use diesel::sql_types::*;
        use crate::types::sql::{Json, Uid};

        upload_progress (upload_id) {
            upload_id -> Uid,
            rows -> BigInt,
            added -> BigInt,
            changed -> BigInt,
            unchanged -> BigInt,
            refused -> BigInt,
            skipped -> BigInt,
            notes -> Json,
        }
    }
    diesel::table! {
        use diesel::sql_types::*;
        use crate::types::sql::Uid;

        upload_faults (upload_id, line, n) {
            upload_id -> Uid,
            line -> BigInt,
            n -> BigInt,
            column_name -> Nullable<Text>,
            value -> Nullable<Text>,
            code -> Text,
            rests_on -> Nullable<Text>,
            detail -> Text,
        }
    }
}
use schema::{upload_chunks, upload_faults, upload_progress};
use uploads as table;

mod joined {
    use super::{upload_chunks, uploads};
    diesel::allow_tables_to_appear_in_same_query!(upload_chunks, uploads);
}

/// Something that is wrong with a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The row's number, from 1, the headings counted; 0 for the file as a whole.
    pub line: u64,
    /// Its place among the faults of the row.
    pub n: u64,
    /// The column, where one is to blame.
    pub column: Option<String>,
    /// What stands there, where that may be told.
    pub value: Option<String>,
    /// Stable code of the rule.
    pub code: String,
    /// The requirement or statute that the rule rests on.
    pub rests_on: Option<String>,
    /// What is wrong in this case.
    pub detail: String,
}

/// Keeps a piece of a file.
///
/// # Errors
/// Where the store fails.
pub fn keep_chunk(tx: &mut Tx<'_>, id: UploadId, n: i64, bytes: &[u8]) -> Outcome<()> {
    let row = (upload_chunks::upload_id.eq(Uid::from(id)), upload_chunks::n.eq(n), upload_chunks::bytes.eq(bytes));
    run!(tx, diesel::insert_into(upload_chunks::table).values(row))?;
    Ok(())
}

/// A piece of a file, from 0; `Ok(None)` behind the last one.
///
/// # Errors
/// Where the store fails.
pub fn chunk(conn: &mut Conn<'_>, id: UploadId, n: i64) -> Outcome<Option<Vec<u8>>> {
    let query = upload_chunks::table.find((Uid::from(id), n)).select(upload_chunks::bytes);
    Ok(on!(conn, c => query.first::<Vec<u8>>(c)).optional()?)
}

/// Forgets the pieces of a file.
///
/// # Errors
/// Where the store fails.
pub fn drop_chunks(tx: &mut Tx<'_>, id: UploadId) -> Outcome<()> {
    let own = upload_chunks::table.filter(upload_chunks::upload_id.eq(Uid::from(id)));
    run!(tx, diesel::delete(own))?;
    Ok(())
}

/// How far an upload has come; zeros where it has not begun.
///
/// # Errors
/// Where the store fails.
pub fn progress(conn: &mut Conn<'_>, id: UploadId) -> Outcome<Counts> {
    use upload_progress as p;
    let query =
        p::table.find(Uid::from(id)).select((p::rows, p::added, p::changed, p::unchanged, p::refused, p::skipped));
    let found = on!(conn, c => query.first::<(i64, i64, i64, i64, i64, i64)>(c)).optional()?;
    Ok(found.map_or_else(Counts::default, |(rows, added, changed, unchanged, refused, skipped)| Counts {
        rows: rows.unsigned_abs(),
        added: added.unsigned_abs(),
        changed: changed.unsigned_abs(),
        unchanged: unchanged.unsigned_abs(),
        refused: refused.unsigned_abs(),
        skipped: skipped.unsigned_abs(),
    }))
}

/// Keeps how far an upload has come.
///
/// # Errors
/// Where the store fails.
pub fn keep_progress(tx: &mut Tx<'_>, id: UploadId, counts: Counts) -> Outcome<()> {
    use upload_progress as p;
    let changed = (
        p::rows.eq(signed(counts.rows)),
        p::added.eq(signed(counts.added)),
        p::changed.eq(signed(counts.changed)),
        p::unchanged.eq(signed(counts.unchanged)),
        p::refused.eq(signed(counts.refused)),
        p::skipped.eq(signed(counts.skipped)),
    );
    let row = (p::upload_id.eq(Uid::from(id)), p::notes.eq(written(&[])?), changed);
    let upsert = diesel::insert_into(p::table).values(row).on_conflict(p::upload_id).do_update().set(changed);
    // A row that is as it was is not written, or it would count as written.
    let differs = Fixed(
        "(upload_progress.rows, upload_progress.added, upload_progress.changed, upload_progress.unchanged, \
         upload_progress.refused, upload_progress.skipped) IS DISTINCT FROM \
         (excluded.rows, excluded.added, excluded.changed, excluded.unchanged, excluded.refused, excluded.skipped)",
    );
    run!(tx, diesel::query_dsl::methods::FilterDsl::filter(upsert, differs))?;
    Ok(())
}

/// What was noted on the way of an upload.
///
/// # Errors
/// Where the store fails.
pub fn notes(conn: &mut Conn<'_>, id: UploadId) -> Outcome<Vec<Note>> {
    let query = upload_progress::table.find(Uid::from(id)).select(upload_progress::notes);
    let found = on!(conn, c => query.first::<Json>(c)).optional()?;
    found.map_or_else(|| Ok(Vec::new()), |Json(notes)| Ok(serde_json::from_str(&notes)?))
}

/// Adds to what was noted on the way of an upload, whose progress is there.
///
/// # Errors
/// Where the store fails.
pub fn add_notes(tx: &mut Tx<'_>, id: UploadId, more: Vec<Note>) -> Outcome<()> {
    if more.is_empty() {
        return Ok(());
    }
    let mut notes = notes(tx, id)?;
    Note::add(&mut notes, more);
    keep_notes(tx, id, &notes)
}

/// Forgets what was noted on the way of an upload.
///
/// # Errors
/// Where the store fails.
pub fn drop_notes(tx: &mut Tx<'_>, id: UploadId) -> Outcome<()> {
    if notes(tx, id)?.is_empty() { Ok(()) } else { keep_notes(tx, id, &[]) }
}

fn keep_notes(tx: &mut Tx<'_>, id: UploadId, notes: &[Note]) -> Outcome<()> {
    let own = upload_progress::table.filter(upload_progress::upload_id.eq(Uid::from(id)));
    run!(tx, diesel::update(own).set(upload_progress::notes.eq(written(notes)?)))?;
    Ok(())
}

fn written(notes: &[Note]) -> Outcome<Json> {
    Ok(Json(serde_json::to_string(notes)?))
}

/// Adds to what is wrong with a file.
///
/// # Errors
/// Where the store fails.
pub fn add_faults(tx: &mut Tx<'_>, id: UploadId, faults: &[Fault]) -> Outcome<()> {
    use upload_faults as f;
    let text = |text: &Option<String>| text.clone().map(Storable::storable);
    for faults in faults.chunks(crate::aggregate::ROWS) {
        let rows: Vec<_> = faults
            .iter()
            .map(|fault| {
                (
                    f::upload_id.eq(Uid::from(id)),
                    f::line.eq(signed(fault.line)),
                    f::n.eq(signed(fault.n)),
                    f::column_name.eq(text(&fault.column)),
                    f::value.eq(text(&fault.value)),
                    f::code.eq(&fault.code),
                    f::rests_on.eq(fault.rests_on.as_deref()),
                    f::detail.eq(fault.detail.clone().storable()),
                )
            })
            .collect();
        run!(tx, diesel::insert_into(f::table).values(&rows))?;
    }
    Ok(())
}

/// Forgets what was found wrong with a file.
///
/// # Errors
/// Where the store fails.
pub fn drop_faults(tx: &mut Tx<'_>, id: UploadId) -> Outcome<()> {
    let own = upload_faults::table.filter(upload_faults::upload_id.eq(Uid::from(id)));
    run!(tx, diesel::delete(own))?;
    Ok(())
}

/// What is wrong with a file after that row and place, in the order of its rows.
///
/// # Errors
/// Where the store fails.
pub fn faults(conn: &mut Conn<'_>, id: UploadId, after: (u64, u64), limit: i64) -> Outcome<Vec<Fault>> {
    use upload_faults as f;
    type Row = (i64, i64, Option<String>, Option<String>, String, Option<String>, String);
    let (line, n) = (signed(after.0), signed(after.1));
    let query = f::table
        .filter(f::upload_id.eq(Uid::from(id)))
        .filter(f::line.gt(line).or(f::line.eq(line).and(f::n.gt(n))))
        .order((f::line, f::n))
        .limit(limit)
        .select((f::line, f::n, f::column_name, f::value, f::code, f::rests_on, f::detail));
    let rows = on!(conn, c => query.load::<Row>(c))?;
    let fault = |(line, n, column, value, code, rests_on, detail): Row| Fault {
        line: line.unsigned_abs(),
        n: n.unsigned_abs(),
        column,
        value,
        code,
        rests_on,
        detail,
    };
    Ok(rows.into_iter().map(fault).collect())
}

/// Uploads that are still to be brought to an end, oldest first, each with the account that sent it.
///
/// # Errors
/// Where the store fails.
pub fn open(conn: &mut Conn<'_>, limit: i64) -> Outcome<Vec<(UploadId, String)>> {
    // In these words, in which the index of just the open ones is defined.
    let open = table::table.filter(diesel::dsl::not(table::over));
    let query = open.order(table::id).limit(limit).select((table::id, table::owner));
    let found = on!(conn, c => query.load::<(Uid, String)>(c))?;
    Ok(found.into_iter().map(|(id, owner)| (id.0.into(), owner)).collect())
}

/// What is held of what an account sent since then.
///
/// # Errors
/// Where the store fails.
pub fn held(conn: &mut Conn<'_>, by: &Actor, since: Instant) -> Outcome<Held> {
    // Identifiers begin with the time they were minted at.
    let own = table::table.filter(table::owner.eq(owner(by))).filter(table::id.ge(Uid(crate::ids::at(since))));
    let query = own.order(table::id).limit(signed(FILES)).select((table::bytes, table::over));
    let found = on!(conn, c => query.load::<(i64, bool)>(c))?;
    let bytes = found.iter().map(|(bytes, _)| bytes.unsigned_abs()).sum();
    let open = found.iter().filter(|(_, over)| !over).count() as u64;
    Ok(Held { open, files: found.len() as u64, bytes })
}

/// Forgets the files and faults of up to `limit` uploads that were over before `kept`, and the pieces of those that
/// were cut off before `cut`. Returns how many it found.
///
/// # Errors
/// Where the store fails.
pub fn forget(tx: &mut Tx<'_>, kept: Instant, cut: Instant, limit: i64) -> Outcome<usize> {
    // The first pieces are as few as the files that are kept; uploads themselves stay.
    let first = || upload_chunks::table.filter(upload_chunks::n.eq(0)).select(upload_chunks::upload_id).limit(limit);
    let own = || table::table.filter(table::id.eq(upload_chunks::upload_id));
    let ended = own().filter(table::over.eq(true)).filter(table::updated_at.lt(Moment(kept)));
    let old = first().filter(diesel::dsl::exists(ended));
    let cut_off = first()
        // Identifiers begin with the time they were minted at.
        .filter(upload_chunks::upload_id.lt(Uid(crate::ids::at(cut))))
        .filter(diesel::dsl::not(diesel::dsl::exists(own())));
    let mut found = on!(&mut **tx, c => old.load::<Uid>(c))?;
    found.extend(on!(&mut **tx, c => cut_off.load::<Uid>(c))?);
    for id in &found {
        drop_chunks(tx, id.0.into())?;
        drop_faults(tx, id.0.into())?;
    }
    Ok(found.len())
}

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

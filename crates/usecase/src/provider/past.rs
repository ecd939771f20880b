//! What was said of a provider or a home at an instant: the present profile, with each change since taken back by the record
//! (ADD-23).

use domain::kernel::Instant;
use persistence::record::event::{self, Cursor, Filter, Scope};
use persistence::{Conn, Failure, Outcome, Record, Stored};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

/// What the event of a change says of the fields that differ.
#[derive(Deserialize)]
struct Change {
    changed: Vec<String>,
    before: Map<String, Value>,
}

/// Events of a page of the record.
const PAGE: i64 = 200;

/// The fields of `profile` as they were at `at`, by the events of `kinds`. A field whose values are not kept is left out where it
/// changed since.
///
/// # Errors
/// Not found, where the thing `began` later.
pub fn profile_at<A: Record>(
    c: &mut Conn<'_>,
    of: &Stored<A>,
    profile: &impl Serialize,
    began: Instant,
    kinds: &[&str],
    at: Instant,
) -> Outcome<Map<String, Value>> {
    if at < began {
        return Err(Failure::NotFound(A::KIND));
    }
    let id: Uuid = of.value.id().into();
    let mut fields = serde_json::to_value(profile)?.as_object().cloned().unwrap_or_default();
    let filter = Filter {
        scope: Scope::Everything,
        aggregate_id: Some(id),
        from: Some(Instant::from_micros(at.micros() + 1)),
        ..Filter::default()
    };
    let mut place = Cursor::END;
    loop {
        let page = event::before(c, &filter, place, PAGE)?;
        for (_, entry) in page.iter().filter(|(_, entry)| kinds.contains(&entry.kind.as_str())) {
            let Change { changed, mut before } = serde_json::from_str(&entry.data.0)?;
            for field in changed {
                match before.remove(&field) {
                    Some(before) => fields.insert(field, before),
                    None => fields.remove(&field),
                };
            }
        }
        match page.last() {
            Some((last, _)) if i64::try_from(page.len()).is_ok_and(|n| n == PAGE) => place = *last,
            Some(_) | None => return Ok(fields),
        }
    }
}

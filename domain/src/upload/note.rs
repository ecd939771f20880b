//! What was read or applied with a reservation.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Something that was read or applied with a reservation: no fault, and worth knowing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UploadNote)]
pub struct Note {
    /// Stable code.
    pub code: String,
    /// What it is, in words.
    pub detail: String,
    /// How many rows, or things, it is about; 0 where it is the file as a whole.
    pub count: u64,
    /// The first of those rows, 20 at most.
    pub rows: Vec<u64>,
    /// The first things that it is about, 20 at most: numbers of homes, headings of columns, amounts as they were understood.
    pub about: Vec<String>,
}

/// Rows and things that a note names at most.
const NAMED: usize = 20;
/// Notes of an upload at most.
pub(super) const NOTES: usize = 100;

impl Note {
    /// A note on the file as a whole.
    #[must_use]
    pub fn new(code: &str, detail: impl Into<String>) -> Self {
        Self { code: code.to_owned(), detail: detail.into(), count: 0, rows: Vec::new(), about: Vec::new() }
    }

    /// On a row, where it is of one, and what it is about.
    #[must_use]
    pub fn on(self, row: Option<u64>, about: Option<String>) -> Self {
        Self { count: self.count + 1, rows: row.into_iter().collect(), about: about.into_iter().collect(), ..self }
    }

    /// On so many things, of which the first are named.
    #[must_use]
    pub fn on_all(self, about: Vec<String>) -> Self {
        let count = about.len() as u64;
        Self { count, about: about.into_iter().take(NAMED).collect(), ..self }
    }

    /// Adds notes to others: those of the same code in the same words are one.
    pub fn add(notes: &mut Vec<Self>, more: impl IntoIterator<Item = Self>) {
        for note in more {
            let is_full = notes.len() >= NOTES;
            match notes.iter_mut().find(|known| (&known.code, &known.detail) == (&note.code, &note.detail)) {
                Some(known) => {
                    known.count += note.count;
                    let (rows, about) =
                        (NAMED.saturating_sub(known.rows.len()), NAMED.saturating_sub(known.about.len()));
                    known.rows.extend(note.rows.into_iter().take(rows));
                    known.about.extend(note.about.into_iter().take(about));
                }
                None if is_full => {}
                None => notes.push(note),
            }
        }
    }
}

//! What is wrong with a body, place by place.

use crate::http::problem::{self, FieldError};

/// Errors that are told at most: each may have a place as long as the body is deep.
const ERRORS_MAX: usize = 100;

/// The faults found so far, and the place that is being looked at.
#[derive(Default)]
pub struct Faults {
    at: String,
    found: Vec<FieldError>,
}

impl Faults {
    /// Looks at a member or an entry of the place.
    pub fn within(&mut self, name: &str, work: impl FnOnce(&mut Self)) {
        let length = self.at.len();
        self.at.push('/');
        self.at.push_str(&name.replace('~', "~0").replace('/', "~1"));
        work(self);
        self.at.truncate(length);
    }

    /// Adds a fault of the place, where not too many are told already.
    pub fn note(&mut self, detail: impl FnOnce() -> String) {
        if !self.are_enough() {
            let field = Some(self.at.clone());
            self.found.push(FieldError {
                code: problem::INVALID.code.to_owned(),
                field,
                detail: detail(),
                rests_on: None,
            });
        }
    }

    /// Adds that a member of the place is missing.
    pub fn missing(&mut self, name: &str) {
        self.within(name, |faults| faults.note(|| format!("missing field `{name}`")));
    }

    /// Whether no more are told.
    pub fn are_enough(&self) -> bool {
        self.found.len() >= ERRORS_MAX
    }

    /// Faults of the same place, none of them found yet.
    pub fn here(&self) -> Self {
        Self { at: self.at.clone(), found: Vec::new() }
    }

    /// Takes over the faults that all alternatives have in common, one for each place that is not told yet.
    pub fn take_shared(&mut self, mut alternatives: Vec<Self>) {
        let Some(last) = alternatives.pop() else { return };
        let is_told = |found: &[FieldError], fault: &FieldError| found.iter().any(|known| known.field == fault.field);
        for fault in last.found {
            let everywhere = alternatives.iter().all(|other| is_told(&other.found, &fault));
            if everywhere && !is_told(&self.found, &fault) && !self.are_enough() {
                self.found.push(fault);
            }
        }
    }

    /// What was found.
    pub fn found(self) -> Vec<FieldError> {
        self.found
    }
}

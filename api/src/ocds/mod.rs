//! The published market in the Open Contracting Data Standard 1.1: each arrangement is one contracting process.
//!
//! Releases are read from the events that are open to everyone, from the publication of the arrangement on; nothing else
//! is looked at. Whatever the record keeps to the parties (members, measures, applications, fees) cannot get in.

pub mod packages;
pub mod process;
pub mod release;
mod tender;

use domain::kernel::ArrangementId;

use crate::http::routes::Subject;

/// The subject.
pub static SUBJECT: Subject = Subject {
    tags: &[("ocds", "The published market in the Open Contracting Data Standard 1.1")],
    routes: &[packages::routes],
    clock: &[],
    deadlines: &[],
    uploads: &[],
};

/// Who publishes, where, and under which prefix.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Publisher {
    /// What every `ocid` begins with: `ocds-` and six letters or digits that the standard's registry gave out.
    pub prefix: String,
    /// The name of whoever publishes.
    pub name: String,
    /// The address under which the server is reached, without a slash at its end.
    pub base: String,
    /// The address of the licence of the data.
    pub licence: Option<String>,
}

/// The prefix of a server that has none from the registry.
pub const LOCAL_PREFIX: &str = "ocds-dps000";

impl Publisher {
    /// Whether `prefix` is of the form that the registry gives out.
    #[must_use]
    pub fn is_prefix(prefix: &str) -> bool {
        let own = prefix.strip_prefix("ocds-").unwrap_or_default();
        own.len() == 6 && own.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    }

    /// The identifier of an arrangement's contracting process.
    #[must_use]
    pub fn ocid(&self, arrangement: ArrangementId) -> String {
        format!("{}-{arrangement}", self.prefix)
    }

    /// The arrangement whose process that is.
    #[must_use]
    pub fn arrangement(&self, ocid: &str) -> Option<ArrangementId> {
        let id = ocid.strip_prefix(&self.prefix)?.strip_prefix('-')?;
        let id = ArrangementId(id.parse().ok()?);
        // An id that is written in another way is another text, and no ocid of ours.
        (self.ocid(id) == ocid).then_some(id)
    }

    /// The address of something below the export.
    #[must_use]
    pub fn address(&self, under: &str) -> String {
        format!("{}/v1/ocds/{under}", self.base)
    }
}

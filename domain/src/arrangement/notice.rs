//! Public notice of an arrangement, as its events carry it: public events alone tell the whole of it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Arrangement, ArrangementKind, Participant, Particulars, Policies};

/// A published arrangement as of one event. The contact is left out: it may be a person, and the record of events is
/// permanent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// What kind of market.
    pub kind: ArrangementKind,
    /// The authority that runs the procurement.
    pub lead: Participant,
    /// The authorities that use it.
    pub participants: Vec<Participant>,
    /// What it publishes about itself.
    pub particulars: Particulars,
    /// Its policies.
    pub policies: Policies,
}

impl Arrangement {
    /// What everyone is told, once it is published.
    #[must_use]
    pub fn notice(&self) -> Option<Box<Notice>> {
        self.term().map(|_| {
            Box::new(Notice {
                kind: self.kind,
                lead: self.lead.clone(),
                participants: self.participants.clone(),
                particulars: Particulars { contact: None, ..self.particulars.clone() },
                policies: self.policies.clone(),
            })
        })
    }
}

//! Receipts: what a provider holds in hand after a submission (PRO-20), and the version it is for (PRO-18).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answers::Content;
use crate::arrangement::requirement::RequirementRef;
use crate::arrangement::schedule::Routing;
use crate::kernel::{ApplicationId, Instant, LotId, RoundId};
use crate::provider::eligibility::HomeFacts;

/// What a submission led to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReceivedAs {
    /// Waits for its round to open.
    Queued,
    /// Received in an open round.
    Submitted,
    /// Evaluated on arrival.
    InEvaluation,
}

/// The proof of a submission. It stays readable for ever.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// The application.
    pub application: ApplicationId,
    /// The version, from 1.
    pub version: u32,
    /// When it was received, to the second begun.
    pub at: Instant,
    /// What it led to at that moment.
    pub state: ReceivedAs,
    /// The round in whose evaluation it falls (DPS-16); none where it is evaluated on arrival.
    pub round: Option<RoundId>,
    /// SHA-256 of the content received, where it was computed. Sealed as the content is: a submission that says little
    /// could be guessed against it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_hash: Option<String>,
}

impl Receipt {
    /// A receipt for `version`, received at `now` and sent where `routing` says.
    #[must_use]
    pub fn new(
        application: ApplicationId,
        version: u32,
        now: Instant,
        routing: Routing,
        content_hash: Option<String>,
    ) -> Self {
        let (state, round) = match routing {
            Routing::Evaluate => (ReceivedAs::InEvaluation, None),
            Routing::Open { round, .. } => (ReceivedAs::Submitted, Some(round)),
            Routing::Queued { round, .. } => (ReceivedAs::Queued, Some(round)),
        };
        let micros = now.micros();
        let at = Instant::from_micros(micros - micros.rem_euclid(1_000_000));
        Self { application, version, at, state, round, content_hash }
    }

    /// The receipt as the buying side sees it while the application is sealed.
    #[must_use]
    pub fn sealed(&self) -> Self {
        Self { content_hash: None, ..self.clone() }
    }

    /// The time of receipt as portals print it, in London: `22/03/2017 17:40:50`.
    #[must_use]
    pub fn printed_at(&self) -> String {
        self.at.civil().format("%d/%m/%Y %H:%M:%S").to_string()
    }
}

/// One submission, frozen: nothing in it ever changes (PRO-18, PRO-27).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubmittedVersion {
    /// What was submitted.
    pub content: Content,
    /// The receipt that was given for it.
    pub receipt: Receipt,
    /// Who submitted it: the subject of the token.
    pub by: String,
    /// What it is judged by; absent where it was submitted before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<Snapshot>,
}

/// What a submission is judged by, as it stood at that moment: whatever is recorded or required later changes neither.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SubmissionSnapshot)]
pub struct Snapshot {
    /// What each lot asked for (PRO-25, PRO-27).
    pub requirements: Vec<AskedByLot>,
    /// The provider's homes with their ratings (TIR-05).
    pub homes: Vec<HomeFacts>,
}

impl Snapshot {
    /// What the lot asked for.
    #[must_use]
    pub fn asked_by(&self, lot: LotId) -> Vec<RequirementRef> {
        self.requirements.iter().filter(|asked| asked.lot == lot).map(|asked| asked.requirement).collect()
    }
}

/// One lot's reference to a requirement version.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AskedByLot {
    /// The lot.
    pub lot: LotId,
    /// The version that it asked for.
    pub requirement: RequirementRef,
}

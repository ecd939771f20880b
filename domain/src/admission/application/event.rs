//! What happens to an application, and who may see it.

use serde::Serialize;

use super::{Application, Status};
use crate::admission::line::Reason;
use crate::kernel::{About, Aggregate, ApplicationId, Audience, Instant, Kind, LotId, MembershipId, RoundId};

/// What happened to an application. No event tells what was answered, nor, before evaluation, which lots it is for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
#[expect(missing_docs, reason = "each field is named after the one thing it holds")]
pub enum Event {
    /// A provider began to apply.
    ApplicationStarted { previous: Option<ApplicationId> },
    /// A part of the draft was saved.
    DraftSaved { part: DraftPart },
    /// A version was submitted and frozen.
    ApplicationSubmitted { version: u32, at: Instant, round: Option<RoundId> },
    /// It waits for a round.
    ApplicationQueued { round: RoundId, opens_at: Instant },
    /// The round that it waited for opened.
    ApplicationRoundOpened { round: RoundId, closes_at: Instant },
    /// A new draft was opened from the version that counts.
    ApplicationRevised { from_version: u32 },
    /// The provider took it back.
    ApplicationWithdrawn { at: Instant },
    /// It was closed undecided, because the arrangement ended.
    ApplicationLapsed { reason: String, at: Instant },
    /// Evaluation of one version began.
    EvaluationBegun { version: u32, round: Option<RoundId> },
    /// Its evaluation was given more time.
    EvaluationExtended { justification: String, due: Instant },
    /// A lot was admitted to.
    LineAdmitted { lot: LotId, membership: MembershipId },
    /// A lot was not admitted to.
    LineRejected { lot: LotId, reasons: Vec<Reason> },
    /// The provider took one lot back; which one is told only under evaluation.
    LineWithdrawn { lot: Option<LotId> },
    /// A rejection was set aside.
    LineReopened { lot: LotId, reason: String },
    /// Every line is decided.
    ApplicationDecided { at: Instant },
}

/// The parts of a draft.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DraftPart {
    /// The lots applied to.
    Lots,
    /// An answer.
    Answer,
    /// A document.
    Evidence,
    /// The homes offered.
    Homes,
    /// The exclusion grounds.
    Exclusions,
    /// The acceptance of the terms.
    Terms,
    /// Answers copied from another application.
    Copy,
}

impl Aggregate for Application {
    type Event = Event;

    const KIND: Kind = Kind::Application;

    fn id(&self) -> uuid::Uuid {
        self.id.0
    }

    fn state(&self) -> &'static str {
        match self.status {
            Status::Draft => "draft",
            Status::Queued { .. } => "queued",
            Status::Submitted { .. } => "submitted",
            Status::InEvaluation { .. } => "in_evaluation",
            Status::Decided { .. } => "decided",
            Status::Withdrawn { .. } => "withdrawn",
            Status::Lapsed { .. } => "lapsed",
        }
    }

    fn audience(&self, event: &Event) -> Audience {
        match event {
            _ if !self.is_received() => Audience::Provider,
            Event::ApplicationStarted { .. } | Event::DraftSaved { .. } | Event::ApplicationRevised { .. } => {
                Audience::Provider
            }
            Event::ApplicationSubmitted { .. }
            | Event::ApplicationQueued { .. }
            | Event::ApplicationRoundOpened { .. }
            | Event::ApplicationWithdrawn { .. }
            | Event::ApplicationLapsed { .. }
            | Event::EvaluationBegun { .. }
            | Event::EvaluationExtended { .. }
            | Event::LineAdmitted { .. }
            | Event::LineRejected { .. }
            | Event::LineWithdrawn { .. }
            | Event::LineReopened { .. }
            | Event::ApplicationDecided { .. } => Audience::Parties,
        }
    }

    fn exists_for_buyers(&self) -> bool {
        self.is_received()
    }

    fn about(&self) -> About {
        About {
            arrangement: Some(self.arrangement),
            lot: None,
            provider: Some(self.provider),
            application: Some(self.id),
        }
    }
}

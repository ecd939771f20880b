//! Events of an application, and who may see them.

use serde::Serialize;
use strum::VariantNames;
use utoipa::ToSchema;

use super::{Application, Status};
use crate::admission::line::Reason;
use crate::kernel::{
    About, Aggregate, ApplicationId, Audience, DeadlineKind, DueBy, Instant, Kind, LotId, MembershipId, RoundId,
    StatedDeadline,
};

/// What happened to an application. No event tells what was answered, nor, before evaluation, which lots it is for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema, VariantNames)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum ApplicationEvent {
    /// A provider began to apply.
    ApplicationStarted {
        /// The application before this one.
        previous: Option<ApplicationId>,
    },
    /// A part of the draft was saved.
    DraftSaved {
        /// Which.
        part: DraftPart,
    },
    /// A version was submitted and frozen.
    ApplicationSubmitted {
        /// Its number, from 1.
        version: u32,
        /// The round that it was made in or waits for; none under rolling admission.
        round: Option<RoundId>,
    },
    /// It waits for a round.
    ApplicationQueued {
        /// Which.
        round: RoundId,
        /// When that opens.
        opens_at: Instant,
    },
    /// The round that it waited for opened.
    ApplicationRoundOpened {
        /// Which.
        round: RoundId,
        /// Until when it may be revised or withdrawn.
        closes_at: Instant,
    },
    /// The round that it is in closes later than was announced.
    ApplicationRoundLengthened {
        /// Which.
        round: RoundId,
        /// Until when it may be revised or withdrawn.
        closes_at: Instant,
    },
    /// A new draft was opened from the version that counts.
    ApplicationRevised {
        /// The number of that version.
        from_version: u32,
    },
    /// The provider took it back.
    ApplicationWithdrawn,
    /// It was closed undecided, because the arrangement or its lots ended.
    ApplicationLapsed {
        /// Why.
        reason: String,
    },
    /// Evaluation of one version began.
    EvaluationBegun {
        /// The number of that version.
        version: u32,
        /// The round; none under rolling admission.
        round: Option<RoundId>,
    },
    /// Its evaluation was given more time.
    EvaluationExtended {
        /// Why this case needs it.
        justification: String,
        /// The deadline that holds instead.
        due: Instant,
    },
    /// A lot was admitted to.
    LineAdmitted {
        /// Which.
        lot: LotId,
        /// The membership that it led to.
        membership: MembershipId,
    },
    /// A lot was not admitted to.
    LineRejected {
        /// Which.
        lot: LotId,
        /// Why (PRO-25).
        reasons: Vec<Reason>,
    },
    /// The provider took one lot back.
    LineWithdrawn {
        /// Which; told only under evaluation.
        lot: Option<LotId>,
    },
    /// One lot ended before its line was decided.
    LineLapsed {
        /// Which; told only under evaluation.
        lot: Option<LotId>,
        /// Why.
        reason: String,
    },
    /// A rejection was set aside.
    LineReopened {
        /// Of which lot.
        lot: LotId,
        /// Why.
        reason: String,
    },
    /// Every line is decided.
    ApplicationDecided,
    /// Somebody on the buying side read what it says (PRO-27). It changes nothing.
    ApplicationContentRead {
        /// The number of the version.
        version: u32,
    },
}

/// The parts of a draft.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
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
    type Id = ApplicationId;
    type State = Status;
    type Event = ApplicationEvent;
    const KIND: Kind = Kind::Application;

    fn id(&self) -> ApplicationId {
        self.id
    }

    fn state(&self) -> &Status {
        &self.status
    }

    fn audience(&self, event: &ApplicationEvent) -> Audience {
        match event {
            _ if !self.is_received() => Audience::Provider,
            ApplicationEvent::ApplicationStarted { .. }
            | ApplicationEvent::DraftSaved { .. }
            | ApplicationEvent::ApplicationRevised { .. } => Audience::Provider,
            ApplicationEvent::ApplicationSubmitted { .. }
            | ApplicationEvent::ApplicationQueued { .. }
            | ApplicationEvent::ApplicationRoundOpened { .. }
            | ApplicationEvent::ApplicationRoundLengthened { .. }
            | ApplicationEvent::ApplicationWithdrawn
            | ApplicationEvent::ApplicationLapsed { .. }
            | ApplicationEvent::EvaluationBegun { .. }
            | ApplicationEvent::EvaluationExtended { .. }
            | ApplicationEvent::LineAdmitted { .. }
            | ApplicationEvent::LineRejected { .. }
            | ApplicationEvent::LineWithdrawn { .. }
            | ApplicationEvent::LineLapsed { .. }
            | ApplicationEvent::LineReopened { .. }
            | ApplicationEvent::ApplicationDecided
            | ApplicationEvent::ApplicationContentRead { .. } => Audience::Parties,
        }
    }

    /// The evaluation of one request under regulation 34; that of a round is the round's. A line that is put back under
    /// evaluation by an appeal has no clock of its own.
    fn deadlines(&self) -> Vec<StatedDeadline> {
        let (Status::InEvaluation { round: None }, Some(version)) = (&self.status, self.counting()) else {
            return Vec::new();
        };
        if self.lines.iter().any(|line| !line.reopened.is_empty()) {
            return Vec::new();
        }
        let due = match &self.extension {
            Some(extension) => DueBy::At(extension.deadline.due),
            None => DueBy::Rule("PCR34-16", version.receipt.at),
        };
        vec![StatedDeadline { what: DeadlineKind::Evaluation, item: None, due }]
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

//! Bulk uploads: many rows of one kind in one file, each decided by the same commands as a request of its own (A21).

mod note;
mod room;

pub use note::Note;
pub use room::{FILES, Held, RULES, Room, UPLOAD_QUOTA};

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};
use utoipa::ToSchema;

use crate::kernel::{About, Actor, Aggregate, Audience, Decision, Instant, Kind, Role, State, UploadId};
use crate::kernel::{ApplicationId, ArrangementId, ProviderId};

/// What the rows of a file are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum UploadKind {
    /// A provider's homes, with their ratings.
    Homes,
    /// The providers of a portal.
    Providers,
    /// Answers and evidence of one application.
    Answers,
    /// What members ask for their services.
    Fees,
    /// The regulator's published list: dated ratings of homes that are known here.
    Ratings,
}

impl UploadKind {
    /// Every kind.
    pub const ALL: [UploadKind; 5] =
        [UploadKind::Homes, UploadKind::Providers, UploadKind::Answers, UploadKind::Fees, UploadKind::Ratings];

    /// The name in paths and in the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The mode of an upload that names none: one slip of the regulator's does not keep back the rest of its list.
    #[must_use]
    pub fn usual_mode(self) -> UploadMode {
        match self {
            Self::Ratings => UploadMode::Partial,
            Self::Homes | Self::Providers | Self::Answers | Self::Fees => UploadMode::Atomic,
        }
    }
}

/// What becomes of the good rows where others are refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UploadMode {
    /// All rows or none.
    #[default]
    Atomic,
    /// Every row that can be.
    Partial,
}

/// How a file is written; recognised by its content.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileFormat {
    /// Comma-separated values.
    Csv,
    /// A JSON object on each line.
    Ndjson,
    /// An Excel workbook.
    Xlsx,
    /// An ODS spreadsheet (ISO/IEC 26300).
    Ods,
}

/// The file as it was received.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UploadedFile {
    /// How it is written.
    pub format: FileFormat,
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes, in lower-case hexadecimal digits.
    pub sha256: String,
}

/// The rows of a file by what became of them, or would.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Rows that were looked at.
    pub rows: u64,
    /// Rows that add something.
    pub added: u64,
    /// Rows that change something.
    pub changed: u64,
    /// Rows that say what is known already.
    pub unchanged: u64,
    /// Rows that a rule refuses.
    pub refused: u64,
    /// Rows about something that is not kept here: no fault, and no effect.
    pub skipped: u64,
}

impl Counts {
    /// These and those.
    #[must_use]
    pub fn plus(self, more: Self) -> Self {
        Self {
            rows: self.rows + more.rows,
            added: self.added + more.added,
            changed: self.changed + more.changed,
            unchanged: self.unchanged + more.unchanged,
            refused: self.refused + more.refused,
            skipped: self.skipped + more.skipped,
        }
    }

    /// Where no row had any effect.
    fn without_effect(self) -> Self {
        Self { rows: self.rows, refused: self.refused, ..Self::default() }
    }
}

/// Why an upload could not be brought to an end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Failing {
    /// It took longer than the server allows.
    TimeLimit,
    /// The server could not do it; what went wrong is in its log.
    Server,
}

/// Where an upload stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[strum(serialize_all = "snake_case")]
pub enum UploadState {
    /// The file is here, and waits to be read.
    Received,
    /// The file was read from end to end. A dry run stops here, with the difference that it would make.
    Validated {
        /// When.
        at: Instant,
        /// How many rows there are; where each was decided (`atomic` or `dryRun`) also what it would do.
        counts: Counts,
    },
    /// Every row was applied.
    Applied {
        /// When.
        at: Instant,
        /// What the rows did.
        counts: Counts,
    },
    /// Some rows were applied and some refused.
    Partial {
        /// When.
        at: Instant,
        /// What the rows did.
        counts: Counts,
    },
    /// Nothing was applied: the file cannot be used, or its rows are refused.
    Rejected {
        /// When.
        at: Instant,
        /// How many rows were looked at and how many refused; no other one had an effect.
        counts: Counts,
    },
    /// It could not be brought to an end. Nothing of an atomic upload was applied.
    Failed {
        /// When.
        at: Instant,
        /// Why.
        reason: Failing,
        /// What was applied before.
        counts: Counts,
    },
}

impl State for UploadState {
    fn knows(&self) -> &'static [&'static str] {
        match self {
            Self::Received => &["validate", "reject", "fail"],
            Self::Validated { .. } => &["conclude", "reject", "fail"],
            Self::Applied { .. } | Self::Partial { .. } | Self::Rejected { .. } | Self::Failed { .. } => &[],
        }
    }
}

/// A bulk upload (A21).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Upload {
    /// Identifier.
    pub id: UploadId,
    /// What was ordered.
    #[serde(flatten)]
    pub order: Order,
    /// Who sent it. Its rows are decided in this name.
    pub by: Actor,
    /// The request it came with.
    pub request: Option<String>,
    /// When it was received.
    pub received_at: Instant,
    /// What was read or applied with a reservation.
    #[serde(default)]
    pub notes: Vec<Note>,
    /// Where it stands.
    #[serde(flatten)]
    pub state: UploadState,
}

/// What an upload is to do.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UploadOrder)]
pub struct Order {
    /// What the rows are.
    pub kind: UploadKind,
    /// What becomes of the good rows where others are refused.
    pub mode: UploadMode,
    /// Whether it only asks for the difference that it would make.
    pub dry_run: bool,
    /// The file.
    pub file: UploadedFile,
    /// What the file as a whole is about: the application of answers, the provider of homes.
    #[serde(default)]
    pub subject: Subject,
}

/// What a file as a whole is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UploadSubject)]
pub struct Subject {
    /// The application whose answers they are.
    pub application: Option<ApplicationId>,
    /// The arrangement of that application.
    pub arrangement: Option<ArrangementId>,
    /// The one provider that every row is about.
    pub provider: Option<ProviderId>,
}

/// What happened to an upload. Rows speak through the events of what they change.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema, VariantNames)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum UploadEvent {
    /// The file was received.
    UploadReceived {
        /// What its rows are.
        kind: UploadKind,
        /// What becomes of the good rows where others are refused.
        mode: UploadMode,
        /// Whether it only asks for the difference that it would make.
        dry_run: bool,
    },
    /// The file was read from end to end.
    UploadValidated {
        /// How many rows there are, and what they would do.
        counts: Counts,
    },
    /// Every row was applied.
    UploadApplied {
        /// What the rows did.
        counts: Counts,
    },
    /// Some rows were applied and some refused.
    UploadPartlyApplied {
        /// What the rows did.
        counts: Counts,
    },
    /// Nothing of it was applied.
    UploadRejected {
        /// How many rows were looked at and how many refused.
        counts: Counts,
    },
    /// It could not be brought to an end.
    UploadFailed {
        /// Why.
        reason: Failing,
        /// What was applied before.
        counts: Counts,
    },
}

impl Aggregate for Upload {
    type Id = UploadId;
    type State = UploadState;
    type Event = UploadEvent;
    const KIND: Kind = Kind::Upload;

    fn id(&self) -> UploadId {
        self.id
    }

    fn state(&self) -> &UploadState {
        &self.state
    }

    fn about(&self) -> About {
        let Subject { application, arrangement, provider } = self.order.subject;
        About { arrangement, lot: None, provider, application }
    }

    fn audience(&self, _event: &UploadEvent) -> Audience {
        // A file is the business of whoever sent it: what its rows do is told by the events of what they change.
        if self.order.subject.provider.is_some() { Audience::Provider } else { Audience::Owner }
    }

    /// A dry run ends once it is validated.
    fn knows(&self) -> &'static [&'static str] {
        let is_answered = self.order.dry_run && matches!(self.state, UploadState::Validated { .. });
        if is_answered { &[] } else { self.state.knows() }
    }
}

/// Whose uploads an actor shares: its provider's, its authority's, else its account's own.
#[must_use]
pub fn owner(actor: &Actor) -> String {
    match (actor.role, &actor.provider, &actor.authority) {
        (Role::Provider, Some(provider), _) => format!("provider {provider}"),
        (_, _, Some(authority)) => format!("authority {authority} {}", actor.role.name()),
        (role, _, None) => format!("{} {}", role.name(), actor.subject),
    }
}

impl Upload {
    /// Receives a file, where there is room for it.
    pub fn receive(
        id: UploadId,
        order: Order,
        by: Actor,
        request: Option<String>,
        room: Room,
        now: Instant,
    ) -> Decision<Self> {
        room.takes(order.file.bytes)?;
        let Order { kind, mode, dry_run, .. } = order;
        let upload = Self { id, order, by, request, received_at: now, notes: Vec::new(), state: UploadState::Received };
        Ok((upload, vec![UploadEvent::UploadReceived { kind, mode, dry_run }]))
    }

    /// Records that the file was read from end to end.
    pub fn validate(mut self, counts: Counts, now: Instant) -> Decision<Self> {
        self.permit("validate")?;
        self.state = UploadState::Validated { at: now, counts };
        let event = UploadEvent::UploadValidated { counts };
        Ok((self, vec![event]))
    }

    /// Records what its rows did. An atomic one with a refused row, and one without a good row, did nothing.
    pub fn conclude(mut self, counts: Counts, now: Instant) -> Decision<Self> {
        self.permit("conclude")?;
        let (at, refused) = (now, counts.refused > 0);
        let event = match self.order.mode {
            UploadMode::Atomic if refused => return self.reject(counts, now),
            UploadMode::Partial if refused && counts.refused == counts.rows => return self.reject(counts, now),
            UploadMode::Partial if refused => {
                self.state = UploadState::Partial { at, counts };
                UploadEvent::UploadPartlyApplied { counts }
            }
            UploadMode::Atomic | UploadMode::Partial => {
                self.state = UploadState::Applied { at, counts };
                UploadEvent::UploadApplied { counts }
            }
        };
        Ok((self, vec![event]))
    }

    /// Records that nothing of it is applied.
    pub fn reject(mut self, counts: Counts, now: Instant) -> Decision<Self> {
        self.permit("reject")?;
        let counts = counts.without_effect();
        self.state = UploadState::Rejected { at: now, counts };
        let event = UploadEvent::UploadRejected { counts };
        Ok((self, vec![event]))
    }

    /// Records that it cannot be brought to an end; `counts` is what was applied before.
    pub fn fail(mut self, reason: Failing, counts: Counts, now: Instant) -> Decision<Self> {
        self.permit("fail")?;
        self.state = UploadState::Failed { at: now, reason, counts };
        let event = UploadEvent::UploadFailed { reason, counts };
        Ok((self, vec![event]))
    }

    /// With what was noted on its way.
    #[must_use]
    pub fn noted(self, notes: Vec<Note>) -> Self {
        Self { notes, ..self }
    }

    /// Whether nothing more will happen to it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.knows().is_empty()
    }

    /// Whether every row has to be decided before any is applied.
    #[must_use]
    pub fn is_decided_first(&self) -> bool {
        self.order.dry_run || self.order.mode == UploadMode::Atomic
    }
}

#[cfg(test)]
mod tests;

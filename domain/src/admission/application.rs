//! A provider's application to an arrangement, versioned (A4).
//!
//! ```text
//! draft --submit--> queued --round opens--> submitted --round closes--> in_evaluation --all lines--> decided
//! ```
//!
//! Under rolling admission a submission is evaluated at once. The clock never moves an application by itself: its
//! round does, so that there is no `due`.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};
use utoipa::ToSchema;

use super::answers::{self, Asked, Content};
use super::line::{Line, LineStatus};
use super::receipt::{Receipt, Snapshot, SubmittedVersion};
use crate::arrangement::AllHomes;
use crate::arrangement::schedule::Routing;
use crate::kernel::{
    Actor, Aggregate, ApplicationId, ArrangementId, Decision, HomeId, Instant, LotId, Named as _, ProviderId, Refusal,
    RoundId, State, Violation, Violations,
};
use crate::law::Deadline;

mod drafting;
mod evaluation;
mod event;
#[cfg(test)]
mod tests;

pub use evaluation::ReopenFacts;
pub use event::{ApplicationEvent, DraftPart};

crate::rules! {
    NOT_ACCEPTING = "arrangement_not_accepting", Conflict, "DPS-10", "The arrangement accepts applications.";
    APPLICATION_OPEN = "application_open", Conflict, "A4", "A provider has one open application to an arrangement.";
    EXTERNAL_REF_INVALID = "external_ref_invalid", Input, "CRD-09", "An external reference has 1 to 128 characters.";
    PREVIOUS_INVALID = "previous_invalid", Input, "DPS-03",
        "A previous application is the same provider's to the same arrangement, and no longer open.";
    LOT_LINE_MISSING = "lot_line_missing", Input, "A4", "An application has at least one lot line.";
    LOT_UNKNOWN = "lot_unknown", Input, "A4", "A lot line names a lot of the arrangement.";
    LOT_NOT_OPEN = "lot_not_open", Conflict, "A2", "A lot that is applied to is open.";
    LOT_HELD = "lot_held", Conflict, "A4", "There is no line for a lot that the provider is a member of.";
    HOME_UNKNOWN = "home_unknown", Input, "A20", "A home that is offered is one of the provider's.";
    HOMES_OMITTED = "homes_omitted", Input, "C-12", "Where the policy requires it, all homes inside the boundary are offered.";
    TERMS_NOT_ACCEPTED = "terms_not_accepted", Input, "PRO-29", "The terms in force are accepted before a submission.";
    NO_DRAFT = "no_draft", Conflict, "PRO-18", "A submitted version is frozen: a revision opens a new draft first.";
    DRAFT_OPEN = "draft_open", Conflict, "PRO-18", "One draft is open at a time.";
    NOTHING_TO_COPY = "nothing_to_copy", Input, "DPS-22", "Answers are copied from an application that was submitted.";
    ROUND_CLOSED = "round_closed", Conflict, "PRO-16, PRO-18, A4",
        "A submission is changed or withdrawn only before its round closes, and never moves to a later round.";
    ROUND_STILL_OPEN = "round_still_open", Conflict, "DPS-13", "Processing starts only when the round is closed.";
    ROUND_OPENS_LATER = "round_opens_later", Conflict, "DPS-13", "A queued application is received when its round opens.";
    EVALUATION_EXTENDED = "evaluation_extended", Conflict, "PCR34-17", "The evaluation of a request is extended once.";
    LINE_UNKNOWN = "line_unknown", Input, "A4", "A decision is on a lot that the application is for.";
    LINE_STATE_WRONG = "line_state_wrong", Conflict, "A4", "A line is decided once; only a rejected line is reopened.";
}

/// A provider's application to an arrangement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Application {
    /// Identifier.
    pub id: ApplicationId,
    /// The arrangement applied to.
    pub arrangement: ArrangementId,
    /// The applicant.
    pub provider: ProviderId,
    /// The reference of the portal it came through (CRD-09).
    pub external_ref: Option<String>,
    /// When it was started.
    pub started_at: Instant,
    /// The application before this one; its reasons stay readable there (DPS-03).
    pub previous: Option<ApplicationId>,
    /// What is being edited. Never a response, never evaluated (PRO-19), so never there once evaluation has begun.
    pub draft: Option<Content>,
    /// Every submission, oldest first; the last one counts (PRO-18).
    pub versions: Vec<SubmittedVersion>,
    /// The lots of the version that counts.
    pub lines: Vec<Line>,
    /// The longer evaluation that was decided for it, with the reason and the deadline that it led to (PCR34-17).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<EvaluationExtension>,
    /// Where it stands.
    pub status: Status,
}

/// A longer evaluation of one request to participate (PCR34-17).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EvaluationExtension {
    /// Why this case needs it.
    pub justification: String,
    /// When it was decided: before the tenth working day.
    pub decided_at: Instant,
    /// The deadline that holds instead.
    pub deadline: Deadline,
}

/// Where an application stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[schema(as = ApplicationStatus)]
#[strum(serialize_all = "snake_case")]
pub enum Status {
    /// Never submitted.
    Draft,
    /// Submitted, waiting for its round to open.
    Queued {
        /// The round.
        round: RoundId,
        /// When it opens.
        opens_at: Instant,
    },
    /// Submitted in an open round.
    Submitted {
        /// The round.
        round: RoundId,
        /// Until when it may be revised or withdrawn: at this instant it may not.
        closes_at: Instant,
    },
    /// Its last submitted version is being evaluated.
    InEvaluation {
        /// The round; none under rolling admission.
        round: Option<RoundId>,
    },
    /// Every line is decided.
    Decided {
        /// The round; none under rolling admission.
        round: Option<RoundId>,
        /// When the last line was decided.
        at: Instant,
    },
    /// Taken back by the provider; no line was decided.
    Withdrawn {
        /// When.
        at: Instant,
    },
    /// Closed undecided, because the arrangement or its lots ended. What was decided of it before stands.
    Lapsed {
        /// When.
        at: Instant,
        /// Why.
        reason: String,
    },
}

/// The edits of a draft with its ends, and more.
macro_rules! edits_and {
    ($($more:literal),*) => {
        &[
            "set_lots", "save_answer", "attach_evidence", "remove_evidence", "set_homes", "declare", "accept_terms",
            "copy_from", "submit", "withdraw", "lapse", $($more),*
        ]
    };
}

impl State for Status {
    fn knows(&self) -> &'static [&'static str] {
        match self {
            Self::Draft => edits_and![],
            Self::Queued { .. } => edits_and!["withdraw_line", "lapse_line", "revise", "round_opened", "reroute"],
            Self::Submitted { .. } => {
                edits_and!["withdraw_line", "lapse_line", "revise", "round_lengthened", "begin_evaluation"]
            }
            Self::InEvaluation { round: Some(_) } => &["decide_line", "reopen_line", "lapse", "lapse_line"],
            Self::InEvaluation { round: None } => {
                &["decide_line", "reopen_line", "withdraw", "withdraw_line", "extend_evaluation", "lapse", "lapse_line"]
            }
            Self::Decided { .. } => &["reopen_line"],
            Self::Withdrawn { .. } | Self::Lapsed { .. } => &[],
        }
    }
}

/// What is known of an arrangement's lots.
#[derive(Clone, Copy, Debug)]
pub struct LotFacts<'a> {
    /// The lots of the arrangement.
    pub all: &'a [LotId],
    /// Those of them that are open to applications.
    pub open: &'a [LotId],
    /// Those in which the provider has a live membership.
    pub held: &'a [LotId],
}

impl LotFacts<'_> {
    fn check(&self, lots: &[LotId], broken: &mut Violations) {
        broken.require(!lots.is_empty(), &LOT_LINE_MISSING, "/lots", "choose at least one lot");
        for (i, lot) in lots.iter().enumerate() {
            let field = format!("/lots/{i}");
            if !self.all.contains(lot) {
                broken.add(LOT_UNKNOWN.broken_at(field, format!("{lot} is no lot of this arrangement")));
                continue;
            }
            broken.require(self.open.contains(lot), &LOT_NOT_OPEN, &field, "the lot is not open");
            broken.require(!self.held.contains(lot), &LOT_HELD, &field, "the provider is a member of the lot");
        }
    }
}

/// The command to start an application.
#[derive(Clone, Debug)]
pub struct Start<'a> {
    /// Its identifier.
    pub id: ApplicationId,
    /// The arrangement applied to.
    pub arrangement: ArrangementId,
    /// The applicant.
    pub provider: ProviderId,
    /// The reference of the portal it comes through.
    pub external_ref: Option<String>,
    /// The lots applied to.
    pub lots: Vec<LotId>,
    /// The application that this one follows (DPS-03).
    pub previous: Option<&'a Application>,
}

/// What is known when an application is started.
#[derive(Clone, Copy, Debug)]
pub struct StartFacts<'a> {
    /// Whether the arrangement accepts applications.
    pub accepting: bool,
    /// The provider's open application to the arrangement, if any.
    pub open_application: Option<ApplicationId>,
    /// The lots.
    pub lots: LotFacts<'a>,
}

/// What is known when an application is submitted.
#[derive(Clone, Copy, Debug)]
pub struct SubmitFacts<'a> {
    /// The lots.
    pub lots: LotFacts<'a>,
    /// What the lots of the draft ask for.
    pub asked: &'a [Asked<'a>],
    /// The version of the terms in force; none where the arrangement has no terms, and nothing is to be accepted.
    pub terms: Option<&'a str>,
    /// Whether all homes inside the boundary must be offered.
    pub all_homes: AllHomes,
    /// The provider's homes inside the boundary.
    pub homes_inside: &'a [HomeId],
    /// What it will be judged by.
    pub snapshot: &'a Snapshot,
    /// Where a submission made now goes.
    pub routing: Routing,
}

impl Application {
    /// Starts an application as a draft.
    pub fn start(command: Start, facts: &StartFacts, now: Instant) -> Decision<Self> {
        let Start { id, arrangement, provider, external_ref, lots, previous } = command;
        let lots = unique(lots);
        let mut broken = Violations::new();
        if !facts.accepting {
            broken.add(NOT_ACCEPTING.broken("the arrangement accepts no applications"));
        }
        if let Some(open) = facts.open_application {
            broken.add(APPLICATION_OPEN.broken(format!("application {open} is open")));
        }
        let named = external_ref.as_ref().is_none_or(|r| !r.trim().is_empty() && r.chars().count() <= 128);
        broken.require(named, &EXTERNAL_REF_INVALID, "/externalRef", "1 to 128 characters");
        // What was never submitted is not to be named to buyers.
        let follows = previous
            .is_none_or(|p| p.provider == provider && p.arrangement == arrangement && p.is_received() && !p.is_open());
        broken.require(follows, &PREVIOUS_INVALID, "/previous", "this application cannot be followed");
        facts.lots.check(&lots, &mut broken);
        broken.refuse_any()?;
        let previous = previous.map(|p| p.id);
        let draft = Some(Content { lots, ..Content::default() });
        let (versions, lines) = (Vec::new(), Vec::new());
        let status = Status::Draft;
        let started_at = now;
        let new = Self {
            id,
            arrangement,
            provider,
            external_ref,
            started_at,
            previous,
            draft,
            versions,
            lines,
            extension: None,
            status,
        };
        Ok((new, vec![ApplicationEvent::ApplicationStarted { previous }]))
    }

    /// Submits the draft: it is frozen as a new version with a receipt (PRO-17 to PRO-20, PRO-29). `content_hash` is
    /// the SHA-256 of the draft, where the caller computes one. A submission stays in the round it was first made for.
    pub fn submit(
        mut self,
        facts: &SubmitFacts,
        content_hash: Option<String>,
        actor: &Actor,
        now: Instant,
    ) -> Decision<Self> {
        self.still_editable("submit", now)?;
        let content = self.draft.take().ok_or_else(no_draft)?;
        let mut broken = Violations::new();
        if let Some(barred) = self.barred_from(facts.routing, now) {
            broken.add(barred);
        }
        facts.lots.check(&content.lots, &mut broken);
        answers::check_complete(&content, facts.asked, &mut broken);
        if let Some(terms) = facts.terms {
            let agreed = content.terms_accepted.as_deref() == Some(terms);
            let detail = format!("accept version {terms} of the terms");
            broken.require(agreed, &TERMS_NOT_ACCEPTED, "/termsAccepted", detail);
        }
        match facts.all_homes {
            AllHomes::Require => {
                for home in answers::omitted_homes(&content.homes, facts.homes_inside) {
                    broken.add(HOMES_OMITTED.broken_at("/homes", format!("home {home} is not offered")));
                }
            }
            AllHomes::Warn | AllHomes::Off => {}
        }
        broken.refuse_any()?;

        let version = self.last_version().saturating_add(1);
        let receipt = Receipt::new(self.id, version, now, facts.routing, content_hash);
        let round = receipt.round;
        let pending = |lot: &LotId| Line { lot: *lot, status: LineStatus::Pending, reopened: Vec::new() };
        self.lines = content.lots.iter().map(pending).collect();
        let (by, snapshot) = (actor.subject.clone(), Some(facts.snapshot.clone()));
        self.versions.push(SubmittedVersion { content, receipt, by, snapshot });
        let mut events = vec![ApplicationEvent::ApplicationSubmitted { version, round }];
        events.extend(self.enter(facts.routing));
        Ok((self, events))
    }

    /// Opens a new draft from the version that counts, which keeps counting until the draft is submitted (PRO-18).
    pub fn revise(mut self, now: Instant) -> Decision<Self> {
        match &self.status {
            Status::Queued { .. } | Status::Submitted { .. } => self.still_editable("revise", now)?,
            Status::Draft
            | Status::InEvaluation { .. }
            | Status::Decided { .. }
            | Status::Withdrawn { .. }
            | Status::Lapsed { .. } => return Err(self.refused("revise")),
        }
        if self.draft.is_some() {
            return Err(DRAFT_OPEN.broken("a draft is open already").into());
        }
        self.draft = self.counting().map(|version| version.content.clone());
        if let Some(draft) = &mut self.draft {
            let withdrawn = |lot: &LotId| self.lines.iter().any(|l| l.lot == *lot && !l.status.is_undecided());
            draft.lots.retain(|lot| !withdrawn(lot));
        }
        let from_version = self.last_version();
        Ok((self, vec![ApplicationEvent::ApplicationRevised { from_version }]))
    }

    /// Whether it counts as the provider's one open application to the arrangement.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match self.status {
            Status::Draft | Status::Queued { .. } | Status::Submitted { .. } | Status::InEvaluation { .. } => true,
            Status::Decided { .. } | Status::Withdrawn { .. } | Status::Lapsed { .. } => false,
        }
    }

    /// Whether it was ever submitted. Before, it does not exist to the buying side, whatever becomes of it (PRO-19).
    #[must_use]
    pub fn is_received(&self) -> bool {
        !self.versions.is_empty()
    }

    /// The last submitted version: the one that counts.
    #[must_use]
    pub fn counting(&self) -> Option<&SubmittedVersion> {
        self.versions.last()
    }

    /// The round in whose evaluation it falls (DPS-16), where it falls in one.
    #[must_use]
    pub fn round(&self) -> Option<RoundId> {
        match self.status {
            Status::Queued { round, .. } | Status::Submitted { round, .. } => Some(round),
            Status::InEvaluation { round } | Status::Decided { round, .. } => round,
            Status::Draft | Status::Withdrawn { .. } | Status::Lapsed { .. } => None,
        }
    }

    /// Its receipts, as the provider (`own`) or the buying side sees them.
    #[must_use]
    pub fn receipts(&self, own: bool) -> Vec<Receipt> {
        let open = own || self.content_visible_to_buyers();
        let seen = |receipt: &Receipt| if open { receipt.clone() } else { receipt.sealed() };
        self.versions.iter().map(|version| seen(&version.receipt)).collect()
    }

    /// The states in which buyers may see what it says. Before evaluation they see that it was received, and no more
    /// (PRO-27).
    pub const OPEN_TO_BUYERS: [&'static str; 2] = ["in_evaluation", "decided"];

    /// Whether buyers may see what it says.
    #[must_use]
    pub fn content_visible_to_buyers(&self) -> bool {
        Self::OPEN_TO_BUYERS.contains(&self.status.name())
    }

    /// What is evaluated: the frozen version that counts, and nothing before evaluation begins (PRO-27).
    #[must_use]
    pub fn evaluated_content(&self) -> Option<&SubmittedVersion> {
        self.counting().filter(|_| self.content_visible_to_buyers())
    }

    fn last_version(&self) -> u32 {
        self.counting().map_or(0, |version| version.receipt.version)
    }

    /// Refuses an edit once evaluation has begun, or from the very instant at which the round closes (PRO-16).
    fn still_editable(&self, attempted: &'static str, now: Instant) -> Result<(), Refusal> {
        match self.status {
            Status::Submitted { closes_at, .. } if now >= closes_at => Err(round_closed().into()),
            Status::Draft | Status::Queued { .. } | Status::Submitted { .. } => Ok(()),
            Status::InEvaluation { .. } | Status::Decided { .. } | Status::Withdrawn { .. } | Status::Lapsed { .. } => {
                Err(self.refused(attempted))
            }
        }
    }

    /// Why a submission may not go where `routing` says: into no round that has closed, nor out of the round it is in.
    fn barred_from(&self, routing: Routing, now: Instant) -> Option<Violation> {
        let to = match routing {
            Routing::Evaluate => None,
            Routing::Open { closes_at, .. } if now >= closes_at => return Some(round_closed()),
            Routing::Open { round, .. } | Routing::Queued { round, .. } => Some(round),
        };
        let moves = self.counting().is_some() && self.round() != to;
        moves.then(|| ROUND_CLOSED.broken("a submission stays in the round that it was first made for"))
    }

    /// Takes the place that `routing` says.
    fn enter(&mut self, routing: Routing) -> Option<ApplicationEvent> {
        match routing {
            Routing::Evaluate => Some(self.evaluate(None)),
            Routing::Open { round, closes_at } => {
                let opened = matches!(self.status, Status::Queued { .. });
                self.status = Status::Submitted { round, closes_at };
                opened.then_some(ApplicationEvent::ApplicationRoundOpened { round, closes_at })
            }
            Routing::Queued { round, opens_at } => {
                self.status = Status::Queued { round, opens_at };
                Some(ApplicationEvent::ApplicationQueued { round, opens_at })
            }
        }
    }
}

fn no_draft() -> Refusal {
    NO_DRAFT.broken("revise the application first").into()
}

fn round_closed() -> Violation {
    ROUND_CLOSED.broken("the round of this application has closed")
}

/// The first of each, in the order given.
fn unique<T: PartialEq>(items: Vec<T>) -> Vec<T> {
    let mut kept = Vec::with_capacity(items.len());
    for item in items {
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    kept
}

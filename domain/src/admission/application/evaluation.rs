//! Evaluation of an application: its round, the decisions on its lines, and their reopening.

use super::super::line::{CheckFact, Line, LineDecision, LineStatus, Reopening, judge};
use super::{
    APPLICATION_OPEN, Application, ApplicationEvent, EVALUATION_EXTENDED, EvaluationExtension, LINE_STATE_WRONG,
    LINE_UNKNOWN, LOT_HELD, ROUND_OPENS_LATER, ROUND_STILL_OPEN, Status, round_closed,
};
use crate::arrangement::Policies;
use crate::arrangement::schedule::Routing;
use crate::kernel::{Actor, Aggregate, Decision, Instant, LotId, Refusal, RoundId, Violation, Violations};
use crate::law;

/// What is known when a line is reopened.
#[derive(Clone, Copy, Debug)]
pub struct ReopenFacts {
    /// Whether the provider has another open application to the arrangement.
    pub other_open: bool,
    /// Whether the provider has become a member of the lot meanwhile.
    pub held: bool,
}

impl Application {
    /// The round that it waited for has opened.
    pub fn round_opened(mut self, closes_at: Instant, now: Instant) -> Decision<Self> {
        let Status::Queued { round, opens_at } = self.status else { return Err(self.refused("round_opened")) };
        if now < opens_at {
            return Err(ROUND_OPENS_LATER.broken(format!("the round opens at {opens_at}")).into());
        }
        let event = self.enter(Routing::Open { round, closes_at });
        Ok((self, event.into_iter().collect()))
    }

    /// Finds another place where the round that it waited for was cancelled or moved.
    pub fn reroute(mut self, routing: Routing) -> Decision<Self> {
        let Status::Queued { .. } = self.status else { return Err(self.refused("reroute")) };
        let event = self.enter(routing);
        Ok((self, event.into_iter().collect()))
    }

    /// The round that it is in closes later.
    pub fn round_lengthened(mut self, closes_at: Instant) -> Decision<Self> {
        let Status::Submitted { round, .. } = self.status else { return Err(self.refused("round_lengthened")) };
        self.status = Status::Submitted { round, closes_at };
        Ok((self, vec![ApplicationEvent::ApplicationRoundLengthened { round, closes_at }]))
    }

    /// Begins the evaluation of the last submitted version, once the round has closed (DPS-13). An open draft is
    /// dropped: it is not a response (PRO-19).
    pub fn begin_evaluation(mut self, now: Instant) -> Decision<Self> {
        let Status::Submitted { round, closes_at } = self.status else {
            return Err(self.refused("begin_evaluation"));
        };
        if now < closes_at {
            return Err(ROUND_STILL_OPEN.broken(format!("the round closes at {closes_at}")).into());
        }
        let event = self.evaluate(Some(round));
        Ok((self, vec![event]))
    }

    /// Gives the evaluation of this one request more time (PCR34-17), where the regime's clock runs from its receipt.
    /// Once only: the regulation knows no second extension.
    pub fn extend_evaluation(mut self, policies: &Policies, justification: String, now: Instant) -> Decision<Self> {
        let (Status::InEvaluation { round: None }, Some(version)) = (&self.status, self.versions.last()) else {
            return Err(self.refused("extend_evaluation"));
        };
        if self.extension.is_some() {
            return Err(EVALUATION_EXTENDED.broken("this evaluation was extended already").into());
        }
        let received = version.receipt.at;
        let deadline = law::extend_evaluation(policies.regime(), policies.division, received, &justification, now)?;
        let event = ApplicationEvent::EvaluationExtended { justification: justification.clone(), due: deadline.due };
        self.extension = Some(EvaluationExtension { justification, decided_at: now, deadline });
        Ok((self, vec![event]))
    }

    /// Decides one line: its checks leave one decision only (DPS-02). Decides the application with its last line.
    pub fn decide_line(
        mut self,
        lot: LotId,
        decision: LineDecision,
        checks: &[CheckFact],
        actor: &Actor,
        now: Instant,
    ) -> Decision<Self> {
        let Status::InEvaluation { .. } = self.status else { return Err(self.refused("decide_line")) };
        let line = self.line_mut(lot)?;
        match line.status {
            LineStatus::InEvaluation => {}
            LineStatus::Pending
            | LineStatus::Admitted { .. }
            | LineStatus::Rejected(_)
            | LineStatus::Withdrawn { .. }
            | LineStatus::Lapsed { .. } => return Err(wrong_line(line).into()),
        }
        line.status = judge(decision, checks, actor, now)?;
        let event = match &line.status {
            LineStatus::Admitted { membership, .. } => {
                Some(ApplicationEvent::LineAdmitted { lot, membership: *membership })
            }
            LineStatus::Rejected(rejection) => {
                Some(ApplicationEvent::LineRejected { lot, reasons: rejection.reasons.clone() })
            }
            LineStatus::Pending
            | LineStatus::InEvaluation
            | LineStatus::Withdrawn { .. }
            | LineStatus::Lapsed { .. } => None,
        };
        let events = event.into_iter().chain(self.settle(now)).collect();
        Ok((self, events))
    }

    /// Takes the application back: until its round closes, or under rolling admission until it is decided. Lines that
    /// are decided stay so; if there is one, the application is decided rather than withdrawn.
    pub fn withdraw(mut self, now: Instant) -> Decision<Self> {
        self.still_withdrawable("withdraw", now)?;
        self.draft = None;
        let mut events = Vec::new();
        for line in self.lines.iter_mut().filter(|line| line.status.is_undecided()) {
            line.status = LineStatus::Withdrawn { at: now };
            events.push(ApplicationEvent::LineWithdrawn { lot: Some(line.lot) });
        }
        let settled = self.settle(now);
        if matches!(self.status, Status::Withdrawn { .. }) {
            // Withdrawn as a whole: its lines need no events, and the lots of a sealed application stay untold.
            events.clear();
        }
        events.extend(settled);
        Ok((self, events))
    }

    /// Takes one line back, as long as the application could be; with its last line it takes back the application.
    pub fn withdraw_line(mut self, lot: LotId, now: Instant) -> Decision<Self> {
        if let Status::Draft = self.status {
            return Err(self.refused("withdraw_line"));
        }
        self.still_withdrawable("withdraw_line", now)?;
        let told = self.content_visible_to_buyers().then_some(lot);
        let line = self.line_mut(lot)?;
        if !line.status.is_undecided() {
            return Err(wrong_line(line).into());
        }
        line.status = LineStatus::Withdrawn { at: now };
        if let Some(draft) = &mut self.draft {
            draft.lots.retain(|kept| *kept != lot);
        }
        let settled = self.settle(now);
        Ok((self, std::iter::once(ApplicationEvent::LineWithdrawn { lot: told }).chain(settled).collect()))
    }

    /// Closes it undecided, because the arrangement ended; lines that are decided stay so.
    pub fn lapse(mut self, reason: String, now: Instant) -> Decision<Self> {
        if !self.is_open() {
            return Err(self.refused("lapse"));
        }
        let mut broken = Violations::new();
        broken.require_reason(&reason, "/reason");
        broken.refuse_any()?;
        self.draft = None;
        for line in self.lines.iter_mut().filter(|line| line.status.is_undecided()) {
            line.status = LineStatus::Lapsed { at: now };
        }
        let event = ApplicationEvent::ApplicationLapsed { reason: reason.clone() };
        self.status = Status::Lapsed { at: now, reason };
        Ok((self, vec![event]))
    }

    /// Closes one line undecided, because its lot ended; with its last line the application ends.
    pub fn lapse_line(mut self, lot: LotId, reason: String, now: Instant) -> Decision<Self> {
        self.permit("lapse_line")?;
        let told = self.content_visible_to_buyers().then_some(lot);
        let line = self.line_mut(lot)?;
        if !line.status.is_undecided() {
            return Err(wrong_line(line).into());
        }
        line.status = LineStatus::Lapsed { at: now };
        if let Some(draft) = &mut self.draft {
            draft.lots.retain(|kept| *kept != lot);
        }
        let settled = self.settle(now);
        Ok((self, std::iter::once(ApplicationEvent::LineLapsed { lot: told, reason }).chain(settled).collect()))
    }

    /// Puts a rejected line back under evaluation after an upheld appeal (BEY-05). The rejection stays readable.
    pub fn reopen_line(
        mut self,
        lot: LotId,
        reason: &str,
        facts: ReopenFacts,
        actor: &Actor,
        now: Instant,
    ) -> Decision<Self> {
        let (Status::Decided { round, .. } | Status::InEvaluation { round }) = self.status else {
            return Err(self.refused("reopen_line"));
        };
        let line = self.line_mut(lot)?;
        let mut broken = Violations::new();
        broken.require_reason(reason, "/reason");
        if facts.other_open {
            // It may be a draft, which is not to be named to buyers.
            broken.add(APPLICATION_OPEN.broken("another one is open: it is decided or withdrawn first"));
        }
        if facts.held {
            broken.add(LOT_HELD.broken("the provider is a member of the lot"));
        }
        match line.status.clone() {
            LineStatus::Rejected(rejection) => {
                let (reason, by) = (reason.to_owned(), actor.subject.clone());
                line.reopened.push(Reopening { reason, at: now, by, rejection });
                line.status = LineStatus::InEvaluation;
            }
            LineStatus::Pending
            | LineStatus::InEvaluation
            | LineStatus::Admitted { .. }
            | LineStatus::Withdrawn { .. }
            | LineStatus::Lapsed { .. } => broken.add(wrong_line(line)),
        }
        broken.refuse_any()?;
        self.status = Status::InEvaluation { round };
        Ok((self, vec![ApplicationEvent::LineReopened { lot, reason: reason.to_owned() }]))
    }

    /// Puts every live line of the version that counts under evaluation.
    pub(super) fn evaluate(&mut self, round: Option<RoundId>) -> ApplicationEvent {
        self.draft = None;
        self.status = Status::InEvaluation { round };
        for line in self.lines.iter_mut().filter(|line| line.status == LineStatus::Pending) {
            line.status = LineStatus::InEvaluation;
        }
        ApplicationEvent::EvaluationBegun { version: self.last_version(), round }
    }

    fn still_withdrawable(&self, attempted: &'static str, now: Instant) -> Result<(), Refusal> {
        match self.status {
            Status::Submitted { closes_at, .. } if now >= closes_at => Err(round_closed().into()),
            Status::InEvaluation { round: Some(_) } => Err(round_closed().into()),
            Status::Draft | Status::Queued { .. } | Status::Submitted { .. } | Status::InEvaluation { round: None } => {
                Ok(())
            }
            Status::Decided { .. } | Status::Withdrawn { .. } | Status::Lapsed { .. } => Err(self.refused(attempted)),
        }
    }

    /// Ends the application when no line is left to decide.
    fn settle(&mut self, now: Instant) -> Option<ApplicationEvent> {
        if self.lines.iter().any(|line| line.status.is_undecided()) {
            return None;
        }
        self.draft = None;
        let all_withdrawn = self.lines.iter().all(|line| matches!(line.status, LineStatus::Withdrawn { .. }));
        if all_withdrawn {
            self.status = Status::Withdrawn { at: now };
            return Some(ApplicationEvent::ApplicationWithdrawn);
        }
        let none_decided =
            |line: &Line| matches!(line.status, LineStatus::Withdrawn { .. } | LineStatus::Lapsed { .. });
        if self.lines.iter().all(none_decided) {
            let reason = "the lots that it was for have closed".to_owned();
            self.status = Status::Lapsed { at: now, reason: reason.clone() };
            return Some(ApplicationEvent::ApplicationLapsed { reason });
        }
        self.status = Status::Decided { round: self.round(), at: now };
        Some(ApplicationEvent::ApplicationDecided)
    }

    fn line_mut(&mut self, lot: LotId) -> Result<&mut Line, Violation> {
        let found = self.lines.iter_mut().find(|line| line.lot == lot);
        found.ok_or_else(|| LINE_UNKNOWN.broken_at("/lot", format!("the application is not for lot {lot}")))
    }
}

fn wrong_line(line: &Line) -> Violation {
    LINE_STATE_WRONG.broken_at("/lot", format!("the line is {}", line.status.name()))
}

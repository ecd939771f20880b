//! Publication: all its preconditions in one place (A1, DPS-07, DPS-18).

use super::arrangement::TERM_OVER;
use super::{AdmissionMode, Arrangement, ArrangementEvent, ArrangementState, Term, Warning, schedule};
use crate::kernel::{Aggregate, Decision, Instant, LotId, Violations};
use crate::law::{self, regime};

crate::rules! {
    SPECIFICATION_REQUIRED = "specification_required", Input, "DPS-07",
        "A service specification is published before the arrangement goes live.";
    LOT_REQUIRED = "lot_required", Input, "DPS-08, PCR34-3", "A published arrangement has at least one lot.";
    REQUIREMENT_REQUIRED = "requirement_required", Input, "A1, PCR34-3", "Every published lot states its requirements.";
    AUTHORITY_REQUIRED = "authority_required", Input, "DPS-27", "At least one authority uses the arrangement.";
    START_REQUIRED = "contract_start_required", Input, "DPS-18", "A published arrangement names its contract start.";
    NOTICE_AHEAD = "notice_ahead", Input, "ADD-06",
        "The notice of a market that is imported was sent before the market is published here.";
    LIVE_AFTER_START = "live_after_contract_start", Input, "DPS-18", "An arrangement goes live no later than the day its contracts start.";
}

/// A lot as publication sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LotFact {
    /// Which lot.
    pub id: LotId,
    /// Its code, for the refusal's words.
    pub code: String,
    /// How many requirements it has.
    pub requirements: usize,
}

/// What publication needs to know of others.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PublicationFacts {
    /// The lots that are not closed.
    pub lots: Vec<LotFact>,
}

impl Arrangement {
    /// Publishes: everything that is missing is refused at once (A1). The regime is one that was open on the day on which the
    /// notice was sent, and by default that day's light-touch regime.
    pub fn publish(mut self, facts: &PublicationFacts, now: Instant) -> Decision<Self> {
        self.permit("publish")?;
        let mut broken = Violations::new();
        self.particulars.check(&mut broken);
        self.policies.check(&mut broken, "/policies");
        broken.require(
            self.particulars.specification.is_some(),
            &SPECIFICATION_REQUIRED,
            "/specification",
            "the service specification is missing",
        );
        broken.require(!facts.lots.is_empty(), &LOT_REQUIRED, "/lots", "there is no lot");
        for lot in facts.lots.iter().filter(|lot| lot.requirements == 0) {
            broken.add(REQUIREMENT_REQUIRED.broken_at("/lots", format!("lot {} has no requirement", lot.code)));
        }
        broken.require(!self.participants.is_empty(), &AUTHORITY_REQUIRED, "/participants", "no authority uses it");
        let live_at = self.particulars.live_at.unwrap_or(now);
        let (notice_sent_on, blamed) = match &self.imported {
            Some(imported) => (imported.notice_sent_on, "/imported/noticeSentOn"),
            None => (now.date(), "/policies/regime"),
        };
        let ahead = format!("{notice_sent_on} is still to come");
        broken.require(notice_sent_on <= now.date(), &NOTICE_AHEAD, "/imported/noticeSentOn", ahead);
        let regime = self.policies.regime.unwrap_or_else(|| law::default_regime(notice_sent_on));
        self.policies.regime = Some(regime);
        if let Some(ended) = law::ended_refusal(regime, notice_sent_on, blamed) {
            broken.add(ended);
        }
        let Some(start) = self.particulars.contract_start else {
            broken.add(START_REQUIRED.broken_at("/contractStart", "the contract start is missing"));
            return broken.refuse_any().map(|()| (self, vec![]));
        };
        let term = Term::of(now, live_at, start, self.policies.term_months, regime::statutory_end(regime));
        broken.require(
            live_at.date() <= start,
            &LIVE_AFTER_START,
            "/liveAt",
            format!("it goes live on {}, contracts start on {start}", live_at.date()),
        );
        broken.require(
            now < term.ends_at(),
            &TERM_OVER,
            "/contractStart",
            format!("the term ended on {}", term.last_day),
        );
        broken.refuse_any()?;
        self.warnings = self.warn(&term, now);
        self.particulars.live_at = Some(live_at);
        self.state = ArrangementState::Live { term };
        let event =
            ArrangementEvent::ArrangementPublished { term, warnings: self.warnings.clone(), notice: self.notice() };
        Ok((self, vec![event]))
    }

    fn warn(&self, term: &Term, now: Instant) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let mut warn = |holds: bool, code: &str, detail: String| {
            if holds {
                warnings.push(Warning { code: code.to_owned(), detail });
            }
        };
        let planned = Term::of(term.published_at, term.live_at, term.contract_start, self.policies.term_months, None);
        if let Some(beyond) = regime::term_warning(self.policies.regime(), planned.last_day) {
            warn(true, "term_beyond_statutory_end", beyond.text);
        }
        if let Some(first) = schedule::first_round(&self.policies, term) {
            let late = first.evaluation_to > Instant::start_of(term.contract_start);
            let detail = format!("the first evaluation is planned to end on {}", first.evaluation_to.date());
            warn(late, "first_evaluation_after_contract_start", detail);
        }
        let closed = self.policies.admission_mode == AdmissionMode::Closed;
        warn(closed, "admission_closed", "no application will be received".to_owned());
        warn(term.live_at < now, "live_at_in_the_past", format!("it counts as live since {}", term.live_at));
        warn(self.particulars.terms.is_none(), "terms_missing", "applicants have no terms to accept".to_owned());
        warnings
    }
}

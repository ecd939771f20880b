//! Publication: all its preconditions in one place (A1, DPS-07, DPS-18).

use chrono::NaiveDate;

use super::arrangement::TERM_OVER;
use super::{AdmissionMode, Arrangement, ArrangementEvent, ArrangementState, Term, Warning, schedule};
use crate::kernel::{Aggregate, Decision, Instant, LotId, Violations};

crate::rules! {
    SPECIFICATION_REQUIRED = "specification_required", Input, "DPS-07",
        "A service specification is published before the arrangement goes live.";
    LOT_REQUIRED = "lot_required", Input, "DPS-08, PCR34-3", "A published arrangement has at least one lot.";
    REQUIREMENT_REQUIRED = "requirement_required", Input, "A1, PCR34-3", "Every published lot states its requirements.";
    AUTHORITY_REQUIRED = "authority_required", Input, "DPS-27", "At least one authority uses the arrangement.";
    START_REQUIRED = "contract_start_required", Input, "DPS-18", "A published arrangement names its contract start.";
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
    /// The day by which systems of this regime end by statute, if any; a term beyond it is warned of.
    pub statutory_end: Option<NaiveDate>,
}

impl Arrangement {
    /// Publishes: everything that is missing is refused at once (A1).
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
        let Some(start) = self.particulars.contract_start else {
            broken.add(START_REQUIRED.broken_at("/contractStart", "the contract start is missing"));
            return broken.refuse_any().map(|()| (self, vec![]));
        };
        let term = Term::of(now, live_at, start, self.policies.term_months);
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
        self.warnings = self.warn(&term, facts, now);
        self.particulars.live_at = Some(live_at);
        self.state = ArrangementState::Live { term };
        let event =
            ArrangementEvent::ArrangementPublished { term, warnings: self.warnings.clone(), notice: self.notice() };
        Ok((self, vec![event]))
    }

    fn warn(&self, term: &Term, facts: &PublicationFacts, now: Instant) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let mut warn = |holds: bool, code: &str, detail: String| {
            if holds {
                warnings.push(Warning { code: code.to_owned(), detail });
            }
        };
        if let Some(end) = facts.statutory_end {
            let detail = format!("the term ends on {}, systems of this regime on {end}", term.last_day);
            warn(term.last_day > end, "term_beyond_statutory_end", detail);
        }
        if let Some(first) = schedule::first_round(&self.policies, term.live_at) {
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

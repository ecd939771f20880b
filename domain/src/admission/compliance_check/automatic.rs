//! Automatic checks: what facts decide about a requirement. A missing fact fails the test and is named; it is never an error.
//!
//! A finding names who stated its fact. What a provider says of itself is stated, not held: a rating that nobody has confirmed is
//! missing, and where a document or a manager is all that a pass would rest on, facts decide nothing, and an assessor who has seen
//! the proof confirms it. Against itself a provider's word counts, and for itself where the requirement may be self-assessed
//! (DPS-22). That no ground of exclusion applies nobody else can say: it is the provider's declaration, and the finding says so.

use chrono::{Months, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Method, Terms};
use crate::arrangement::{LocationBoundary, Test};
use crate::kernel::{Instant, Pence};
use crate::provider::boundary::{Inside, inside};
use crate::provider::eligibility::{Counted, HomeFacts, RatingShare, rated_home, rating_share};
use crate::provider::{StatedBy, authority};

/// A document given for the requirement under test.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceFacts {
    /// Which of the documents asked for it is.
    pub code: String,
    /// The cover of an insurance.
    pub amount: Option<Pence>,
    /// When it was issued.
    #[schema(value_type = Option<String>, format = Date)]
    pub issued_on: Option<NaiveDate>,
    /// The last day on which it counts.
    #[schema(value_type = Option<String>, format = Date)]
    pub expires_on: Option<NaiveDate>,
}

/// What the law's rule set says of one declared or recorded ground of exclusion.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExclusionFinding {
    /// Code of the ground.
    pub ground: String,
    /// Mandatory or discretionary.
    pub mandatory: bool,
    /// Whether it applies: within its look-back and not self-cleaned.
    pub applies: bool,
    /// Who stated it.
    #[serde(default)]
    pub stated_by: StatedBy,
    /// Why.
    pub why: String,
}

/// The facts that tests look at, as of the submitted version (PRO-27).
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The date of tendering, whose ratings count (TIR-05).
    pub on: NaiveDate,
    /// The boundary of the arrangement's policies.
    pub boundary: &'a LocationBoundary,
    /// The homes entered, as they stood on that date.
    pub homes: &'a [HomeFacts],
    /// What is found of exclusion grounds; `None` = the provider has not declared.
    pub exclusions: Option<&'a [ExclusionFinding]>,
    /// The documents given for this requirement.
    pub evidence: &'a [EvidenceFacts],
    /// The provider's own statement on this requirement.
    pub self_assessment: Option<bool>,
}

/// One fact that a result rests on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[schema(as = CheckFinding)]
pub enum Finding {
    /// A rating test with its figures.
    Share(RatingShare),
    /// A ground of exclusion.
    Exclusion(ExclusionFinding),
    /// Something known.
    Fact {
        /// What it is about: a home's number, a document's code.
        subject: String,
        /// Whether it speaks for a pass.
        holds: bool,
        /// What is known.
        says: String,
        /// Who stated it.
        #[serde(default)]
        stated_by: StatedBy,
    },
    /// Something not known, that would be needed.
    Missing {
        /// What it is about.
        subject: String,
        /// What is missing.
        says: String,
    },
}

impl Finding {
    fn fact(subject: &str, holds: bool, says: impl Into<String>, stated_by: StatedBy) -> Self {
        Finding::Fact { subject: subject.to_owned(), holds, says: says.into(), stated_by }
    }

    /// What the provider says of itself.
    fn stated(subject: &str, holds: bool, says: impl Into<String>) -> Self {
        Self::fact(subject, holds, says, StatedBy::Provider)
    }

    fn missing(subject: &str, says: impl Into<String>) -> Self {
        Finding::Missing { subject: subject.to_owned(), says: says.into() }
    }

    /// Whether it speaks for a pass.
    #[must_use]
    pub fn holds(&self) -> bool {
        match self {
            Finding::Share(share) => share.holds,
            Finding::Exclusion(ground) => !ground.applies,
            Finding::Fact { holds, .. } => *holds,
            Finding::Missing { .. } => false,
        }
    }

    /// The finding in words.
    #[must_use]
    pub fn explain(&self) -> String {
        match self {
            Finding::Share(share) => share.explain(),
            Finding::Exclusion(ground) => format!("{}: {}", ground.ground, ground.why),
            Finding::Fact { subject, says, stated_by, .. } => format!("{subject}: {says} ({})", stated_by.says()),
            Finding::Missing { subject, says } => format!("{subject}: missing: {says}"),
        }
    }
}

/// What facts say about a requirement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// By facts, or by the provider's own statement.
    pub method: Method,
    /// Whether the requirement is met.
    pub passed: bool,
    /// The facts it rests on.
    pub findings: Vec<Finding>,
    /// The instant from which a pass no longer counts.
    pub valid_until: Option<Instant>,
}

impl Outcome {
    fn new(passed: bool, findings: Vec<Finding>) -> Self {
        Self { method: Method::Automatic, passed, findings, valid_until: None }
    }

    /// Passed where every finding speaks for it.
    fn all(findings: Vec<Finding>) -> Self {
        Self::new(findings.iter().all(Finding::holds), findings)
    }

    /// Whether it passes by the provider's word.
    fn is_only_stated(&self) -> bool {
        let stated = |finding: &Finding| match finding {
            Finding::Fact { stated_by, holds, .. } => *holds && !stated_by.is_confirmed(),
            Finding::Share(_) | Finding::Exclusion(_) | Finding::Missing { .. } => false,
        };
        self.passed && self.findings.iter().any(stated)
    }

    /// As an assessor who has seen the proof confirms it.
    fn confirmed(mut self) -> Self {
        for finding in &mut self.findings {
            if let Finding::Fact { stated_by, holds: true, .. } = finding {
                *stated_by = StatedBy::Officer;
            }
        }
        self
    }

    /// What speaks against a pass, in words.
    #[must_use]
    pub fn explain(&self) -> String {
        let against: Vec<String> = self.findings.iter().filter(|f| !f.holds()).map(Finding::explain).collect();
        against.join(" ")
    }
}

/// What facts decide at `at`; `None` where an assessor has to judge.
#[must_use]
pub fn automatic(terms: &Terms, facts: &Facts<'_>, at: Instant) -> Option<Outcome> {
    if let Some(outcome) = by_place(&terms.test, facts) {
        // An authority whose name is not known may be a listed one: a near miss fails nobody.
        let near = near_misses(facts).and_then(|homes| by_place(&terms.test, &Facts { homes: &homes, ..*facts }));
        return (outcome.passed || !near.is_some_and(|near| near.passed)).then_some(outcome);
    }
    if let Some(outcome) = by_proof(terms, facts, at) {
        let may_say = terms.self_assessable && facts.self_assessment == Some(true);
        return match (outcome.is_only_stated(), may_say) {
            (true, true) => Some(Outcome { method: Method::SelfAssessment, ..outcome }),
            (true, false) => None,
            (false, _) => Some(outcome),
        };
    }
    if terms.test == Test::NoExclusion { Some(no_exclusion(facts)) } else { self_assessed(terms, facts) }
}

/// What an assessor who has seen the proof can confirm: the outcome by what the provider states of documents and managers, and
/// with homes inside whose authority's name is not known. `None` where there is nothing to confirm.
#[must_use]
pub fn confirmable(terms: &Terms, facts: &Facts<'_>, at: Instant) -> Option<Outcome> {
    let placed = near_misses(facts).and_then(|homes| by_place(&terms.test, &Facts { homes: &homes, ..*facts }));
    placed.or_else(|| by_proof(terms, facts, at)).map(Outcome::confirmed)
}

/// The tests on homes that stand somewhere and hold a rating.
fn by_place(test: &Test, facts: &Facts<'_>) -> Option<Outcome> {
    let Facts { on, boundary, homes, .. } = *facts;
    match test {
        Test::RatingShare { at_least, percent } => Some(rated(rating_share(homes, boundary, *at_least, *percent, on))),
        Test::RatedHome { at_least } => Some(rated(rated_home(homes, boundary, *at_least, on))),
        Test::HomeInsideBoundary => Some(home_inside(facts)),
        Test::Manual | Test::NoExclusion | Test::Insurance { .. } | Test::EvidenceInDate | Test::RegisteredManager => {
            None
        }
    }
}

/// The tests on what a provider states and proves.
fn by_proof(terms: &Terms, facts: &Facts<'_>, at: Instant) -> Option<Outcome> {
    match &terms.test {
        Test::Insurance { minimum } => Some(insurance(*minimum, terms, facts, at)),
        Test::EvidenceInDate => Some(evidence_in_date(terms, facts, at)),
        Test::RegisteredManager => Some(registered_manager(facts)),
        Test::Manual
        | Test::RatingShare { .. }
        | Test::RatedHome { .. }
        | Test::HomeInsideBoundary
        | Test::NoExclusion => None,
    }
}

/// The homes with those inside whose authority's name is not known; `None` where there is no such home.
fn near_misses(facts: &Facts<'_>) -> Option<Vec<HomeFacts>> {
    let LocationBoundary::PostcodeAreas { local_authorities, .. } = facts.boundary else { return None };
    let listed = local_authorities.first()?;
    let is_near = |home: &HomeFacts| {
        let text = home.location.local_authority.as_deref();
        text.is_some_and(|text| authority::named(text).is_none())
            && inside(facts.boundary, &home.location).0 == Inside::Unknown
    };
    facts.homes.iter().any(is_near).then(|| {
        let placed = |home: &HomeFacts| {
            let mut home = home.clone();
            if is_near(&home) {
                home.location.local_authority = Some(listed.clone());
            }
            home
        };
        facts.homes.iter().map(placed).collect()
    })
}

/// A statement that the requirement is met counts where the version says so (DPS-22); any other goes to an assessor.
fn self_assessed(terms: &Terms, facts: &Facts<'_>) -> Option<Outcome> {
    let met = terms.self_assessable && facts.self_assessment == Some(true);
    let finding = Finding::stated("self-assessment", true, "the provider states that the requirement is met");
    met.then(|| Outcome { method: Method::SelfAssessment, ..Outcome::new(true, vec![finding]) })
}

fn rated(share: RatingShare) -> Outcome {
    let passed = share.holds;
    let unplaced = share.homes.iter().filter(|h| h.counted == Counted::Unplaced);
    let missing: Vec<Finding> = unplaced.map(|h| Finding::missing(&h.urn, h.why.clone())).collect();
    Outcome::new(passed, std::iter::once(Finding::Share(share)).chain(missing).collect())
}

fn home_inside(facts: &Facts<'_>) -> Outcome {
    let mut findings: Vec<Finding> = facts
        .homes
        .iter()
        .map(|home| match inside(facts.boundary, &home.location) {
            (Inside::Inside, why) => Finding::fact(&home.urn, true, why, home.located_by),
            (Inside::Outside, why) => Finding::fact(&home.urn, false, why, home.located_by),
            (Inside::Unknown, why) => Finding::missing(&home.urn, why),
        })
        .collect();
    if findings.is_empty() {
        findings.push(Finding::missing("homes", "no registered home is entered"));
    }
    Outcome::new(findings.iter().any(Finding::holds), findings)
}

fn no_exclusion(facts: &Facts<'_>) -> Outcome {
    Outcome::all(match facts.exclusions {
        None => vec![Finding::missing("exclusion grounds", "the provider has not declared them")],
        Some([]) => vec![Finding::stated("exclusion grounds", true, "none is declared, and none is recorded")],
        Some(found) => found.iter().cloned().map(Finding::Exclusion).collect(),
    })
}

/// Every home that is, or may be, inside has a registered manager (CHE-12).
fn registered_manager(facts: &Facts<'_>) -> Outcome {
    let mut findings: Vec<Finding> = facts
        .homes
        .iter()
        .filter(|home| inside(facts.boundary, &home.location).0 != Inside::Outside)
        .map(|home| match home.registered_manager {
            Some(true) => Finding::stated(&home.urn, true, "has a registered manager"),
            Some(false) => Finding::stated(&home.urn, false, "has no registered manager"),
            None => Finding::missing(&home.urn, "whether it has a registered manager"),
        })
        .collect();
    if findings.is_empty() {
        findings.push(Finding::missing("homes", "no registered home inside the boundary is entered"));
    }
    Outcome::all(findings)
}

/// The end of a document's validity: of its own, or by the months the requirement gives. `Err` says what is missing;
/// `Ok(None)` is a document without an end.
fn valid_until(document: &EvidenceFacts, months: Option<u32>) -> Result<Option<Instant>, &'static str> {
    if let Some(last) = document.expires_on {
        return Ok(last.succ_opt().map(Instant::start_of));
    }
    let Some(months) = months else { return Ok(None) };
    let issued = document.issued_on.ok_or("neither its expiry nor its date of issue is given")?;
    Ok(issued.checked_add_months(Months::new(months)).map(Instant::start_of))
}

/// Whether a document is in date, with the end of its validity.
fn in_date(document: &EvidenceFacts, months: Option<u32>, at: Instant) -> (Finding, Option<Instant>) {
    match valid_until(document, months) {
        Err(says) => (Finding::missing(&document.code, says), None),
        Ok(None) => (Finding::stated(&document.code, true, "given; it has no expiry"), None),
        Ok(Some(end)) if at < end => (Finding::stated(&document.code, true, format!("in date until {end}")), Some(end)),
        Ok(Some(end)) => (Finding::stated(&document.code, false, format!("expired at {end}")), None),
    }
}

/// One insurance of enough cover, in date; of several, the one that lasts longest. An insurance always has an end.
fn insurance(minimum: Pence, terms: &Terms, facts: &Facts<'_>, at: Instant) -> Outcome {
    let mut findings = Vec::new();
    let mut ends = Vec::new();
    for document in facts.evidence {
        let (finding, end) = in_date(document, terms.validity_months, at);
        match (document.amount, end) {
            (None, _) => findings.push(Finding::missing(&document.code, "its amount of cover")),
            (Some(cover), _) if cover < minimum => {
                let says = format!("cover of {cover} is less than {minimum}");
                findings.push(Finding::stated(&document.code, false, says));
            }
            (Some(_), None) if finding.holds() => findings.push(Finding::missing(&document.code, "its expiry")),
            (Some(_), end) => {
                ends.extend(end);
                findings.push(finding);
            }
        }
    }
    if findings.is_empty() {
        findings.push(Finding::missing("insurance", format!("proof of cover of at least {minimum}")));
    }
    let valid_until = ends.iter().max().copied();
    Outcome { valid_until, ..Outcome::new(valid_until.is_some(), findings) }
}

/// Every mandatory document is given and in date; the pass lasts as long as the first of them to expire.
fn evidence_in_date(terms: &Terms, facts: &Facts<'_>, at: Instant) -> Outcome {
    let mut ends = Vec::new();
    let findings = terms.evidence.iter().filter(|asked| asked.mandatory).map(|asked| {
        let given =
            facts.evidence.iter().filter(|e| e.code == asked.code).map(|e| in_date(e, terms.validity_months, at));
        // A renewal may stand beside the old document: one in date is enough, and one without an end lasts longest.
        let best = given.max_by_key(|(finding, end)| (finding.holds(), end.is_none(), *end));
        let (finding, end) = best.unwrap_or_else(|| (Finding::missing(&asked.code, asked.title.clone()), None));
        ends.extend(end);
        finding
    });
    let outcome = Outcome::all(findings.collect());
    let valid_until = if outcome.passed { ends.into_iter().min() } else { None };
    Outcome { valid_until, ..outcome }
}

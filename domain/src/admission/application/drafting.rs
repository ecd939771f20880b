//! The edits of a draft: each saves one part, and refuses what cannot be right whatever else is said.

use std::collections::BTreeMap;

use super::super::answers::{self, Answer, Asked, Content, DeclaredGround, EvidenceItem};
use super::{Application, ApplicationEvent, DraftPart, HOME_UNKNOWN, LotFacts, NOTHING_TO_COPY, no_draft, unique};
use crate::kernel::{Decision, HomeId, Instant, LotId, RequirementId, Violations};

impl Application {
    /// Chooses the lots, in place of those chosen before.
    pub fn set_lots(self, lots: Vec<LotId>, facts: LotFacts, now: Instant) -> Decision<Self> {
        self.edit("set_lots", DraftPart::Lots, now, |draft, broken| {
            draft.lots = unique(lots);
            facts.check(&draft.lots, broken);
        })
    }

    /// Answers the questions of one requirement, in place of the answers before; the evidence stays. A `null` value
    /// takes an answer back. Whether a question applies is looked at on submission only: the order of answering is free.
    pub fn save_answer(
        self,
        asked: Asked,
        values: BTreeMap<String, serde_json::Value>,
        self_assessment: Option<bool>,
        now: Instant,
    ) -> Decision<Self> {
        self.edit("save_answer", DraftPart::Answer, now, |draft, broken| {
            let Asked { requirement, definition } = asked;
            let values = values.into_iter().filter(|(_, value)| !value.is_null()).collect();
            answers::check_values(definition, &values, "/values", broken);
            let offered = self_assessment.is_none() || definition.self_assessable;
            let detail = "this requirement is not self-assessed";
            broken.require(offered, &answers::SELF_ASSESSMENT_NOT_OFFERED, "/selfAssessment", detail);
            let id = requirement.requirement;
            let answer = draft.answers.entry(id).or_default();
            answer.values = values;
            answer.self_assessment = self_assessment;
            if *answer == Answer::default() {
                draft.answers.remove(&id);
            }
        })
    }

    /// Gives a document as evidence, in place of one with the same code.
    pub fn attach_evidence(self, asked: Asked, item: EvidenceItem, now: Instant) -> Decision<Self> {
        self.edit("attach_evidence", DraftPart::Evidence, now, |draft, broken| {
            answers::check_evidence(asked.definition, &item, broken);
            let evidence = &mut draft.answers.entry(asked.requirement.requirement).or_default().evidence;
            evidence.retain(|e| e.code != item.code);
            let at = evidence.partition_point(|e| e.code < item.code);
            evidence.insert(at, item);
        })
    }

    /// Takes a document back.
    pub fn remove_evidence(self, requirement: RequirementId, code: &str, now: Instant) -> Decision<Self> {
        self.edit("remove_evidence", DraftPart::Evidence, now, |draft, broken| {
            let evidence = draft.answers.get_mut(&requirement).map(|answer: &mut Answer| &mut answer.evidence);
            let given = evidence.is_some_and(|evidence| {
                let before = evidence.len();
                evidence.retain(|e| e.code != code);
                evidence.len() < before
            });
            broken.require(given, &answers::EVIDENCE_UNKNOWN, "/code", format!("no evidence `{code}` is given"));
        })
    }

    /// Offers homes, in place of those offered before. `own` are the provider's.
    pub fn set_homes(self, homes: Vec<HomeId>, own: &[HomeId], now: Instant) -> Decision<Self> {
        self.edit("set_homes", DraftPart::Homes, now, |draft, broken| {
            draft.homes = unique(homes);
            for (i, home) in draft.homes.iter().enumerate() {
                let detail = format!("{home} is no home of the provider");
                broken.require(own.contains(home), &HOME_UNKNOWN, &format!("/homes/{i}"), detail);
            }
        })
    }

    /// Declares the exclusion grounds that apply; an empty list declares that none does.
    pub fn declare(self, grounds: Vec<DeclaredGround>, now: Instant) -> Decision<Self> {
        self.edit("declare", DraftPart::Exclusions, now, |draft, broken| {
            answers::check_grounds(&grounds, now, broken);
            draft.exclusions = Some(grounds);
        })
    }

    /// Accepts a version of the terms. Whether it is the one in force is looked at on submission.
    pub fn accept_terms(self, version: String, now: Instant) -> Decision<Self> {
        self.edit("accept_terms", DraftPart::Terms, now, |draft, _| draft.terms_accepted = Some(version))
    }

    /// Reuses the answers, evidence and homes of another application of the provider's, to this or another arrangement
    /// (DPS-22). What the draft says already stays. Declarations and accepted terms speak of their day: they are made anew.
    pub fn copy_from(self, other: &Application, now: Instant) -> Decision<Self> {
        let provider = self.provider;
        self.edit("copy_from", DraftPart::Copy, now, |draft, broken| {
            let Some(from) = other.counting().filter(|_| other.provider == provider) else {
                broken.add(NOTHING_TO_COPY.broken_at("/from", "nothing was submitted there by this provider"));
                return;
            };
            for (requirement, answer) in &from.content.answers {
                draft.answers.entry(*requirement).or_insert_with(|| answer.clone());
            }
            if draft.homes.is_empty() {
                draft.homes.clone_from(&from.content.homes);
            }
        })
    }

    fn edit(
        mut self,
        attempted: &'static str,
        part: DraftPart,
        now: Instant,
        change: impl FnOnce(&mut Content, &mut Violations),
    ) -> Decision<Self> {
        self.still_editable(attempted, now)?;
        let draft = self.draft.as_mut().ok_or_else(no_draft)?;
        let before = draft.clone();
        let mut broken = Violations::new();
        change(draft, &mut broken);
        broken.refuse_any()?;
        let events = if *draft == before { Vec::new() } else { vec![ApplicationEvent::DraftSaved { part }] };
        Ok((self, events))
    }
}

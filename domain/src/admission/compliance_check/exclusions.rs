//! Exclusion findings: grounds that the provider declared, and those recorded against it.

use super::ExclusionFinding;
use crate::admission::answers::DeclaredGround;
use crate::arrangement::Regime;
use crate::kernel::{Instant, Refusal};
use crate::law::{self, Duty, exclusion};
use crate::provider::StatedBy;
use crate::provider::provider::Exclusion;

/// What the grounds mean for an application that was `received` then, as they are known `now`.
///
/// Look-backs are counted to the receipt. A recorded ground that occurred since counts as well: who must be excluded is
/// not admitted, however late it is found (PCR57, PA36-5).
///
/// # Errors
/// A ground that the regime does not know or that lies in the future.
pub fn exclusion_findings(
    declared: &[DeclaredGround],
    recorded: &[Exclusion],
    regime: Regime,
    received: Instant,
    now: Instant,
) -> Result<Vec<ExclusionFinding>, Refusal> {
    let ground = |code: &String, occurred_on| law::DeclaredGround {
        self_cleaning: judged(code, recorded),
        code: code.clone(),
        occurred_on,
        debarred: false,
    };
    let own: Vec<_> = declared.iter().map(|own| ground(&own.code, own.occurred_on)).collect();
    let declared = exclusion::applies(&own, regime, received)?;
    let mut findings: Vec<_> = declared.into_iter().map(|finding| (finding, StatedBy::Provider)).collect();
    for facts in recorded.iter().map(|exclusion| &exclusion.facts) {
        let at = if facts.from > received.date() { now } else { received };
        let found = exclusion::applies(&[ground(&facts.ground, facts.from)], regime, at)?;
        findings.extend(found.into_iter().map(|finding| (finding, StatedBy::Officer)));
    }
    let told = findings.into_iter().map(|(finding, stated_by)| ExclusionFinding {
        mandatory: finding.admission == Some(Duty::Must),
        applies: finding.applies(),
        ground: finding.code,
        why: finding.explanation,
        stated_by,
    });
    Ok(told.collect())
}

/// How the self-cleaning of a ground was judged, in the last record of it.
fn judged(code: &str, recorded: &[Exclusion]) -> Option<law::SelfCleaning> {
    let exclusion = recorded.iter().rev().find(|e| e.facts.ground == code)?;
    let judgement = exclusion.self_cleaning.as_ref()?;
    let reason = judgement.reason.clone();
    Some(if judgement.accepted {
        law::SelfCleaning::Accepted { reason }
    } else {
        law::SelfCleaning::Refused { reason }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::provider::ExclusionFacts;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn recorded(ground: &str, from: &str) -> Exclusion {
        let facts = ExclusionFacts {
            ground: ground.to_owned(),
            from: from.parse().unwrap(),
            until: None,
            evidence: vec!["judgment".to_owned()],
        };
        Exclusion {
            facts,
            recorded_by: "lead".to_owned(),
            recorded_at: at("2019-03-01T12:00:00Z"),
            self_cleaning: None,
        }
    }

    fn found(ground: &str, from: &str) -> (bool, bool) {
        let (received, now) = (at("2019-01-04T12:00:00Z"), at("2019-03-01T12:00:00Z"));
        let findings =
            exclusion_findings(&[], &[recorded(ground, from)], Regime::PcrLightTouch, received, now).unwrap();
        (findings[0].mandatory, findings[0].applies)
    }

    #[test]
    fn a_ground_that_occurred_after_the_receipt_counts() {
        assert_eq!(found("bribery", "2019-02-01"), (true, true));
        assert_eq!(found("bribery", "2018-02-01"), (true, true));
    }

    #[test]
    fn look_backs_are_counted_to_the_receipt() {
        assert_eq!(found("poor_performance", "2016-01-04"), (false, false), "three years to the day");
        assert_eq!(found("poor_performance", "2016-02-01"), (false, true), "over by now, not at the receipt");
    }
}

//! Exclusion grounds as data, and what declared grounds mean at an instant (PCR57, PA37, PA58).
//!
//! law.md fixes the two kinds, the look-backs, self-cleaning and what must or may follow; the single grounds are named
//! after the statutes' own headings and are marked `verify` until someone has read them against the enacted text.

use std::collections::BTreeSet;

use chrono::{Months, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::arrangement::Regime;
use crate::kernel::{Instant, Refusal, Violation, Violations};

crate::rules! {
    UNKNOWN_GROUND = "unknown_exclusion_ground", Input, "PCR57, PA37",
        "A ground is one of the exclusion grounds of its regime.";
    GROUND_IN_FUTURE = "exclusion_ground_in_future", Input, "PCR57",
        "What a declared ground rests on has happened.";
}

/// Whether the ground leaves the authority a choice about admission.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroundKind {
    /// The supplier is excluded.
    Mandatory,
    /// The supplier may be excluded.
    Discretionary,
}

/// What a ground makes of a membership (PA37: ground -> must or may).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RemovalDuty)]
pub enum Removal {
    /// The member must be removed.
    Must,
    /// It must be removed when it stands on the debarment list by this ground, and may be otherwise.
    MustWhenDebarred,
    /// It may be removed.
    May,
}

/// An obligation or a choice.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Duty {
    /// No choice.
    Must,
    /// The authority decides.
    May,
}

/// One exclusion ground of a regime.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ExclusionGround)]
pub struct Ground {
    /// Unique in the regime.
    pub code: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    /// The rule of the rule set that it belongs to.
    pub rule: &'static str,
    /// Mandatory or discretionary.
    pub kind: GroundKind,
    /// Years after which it no longer counts.
    pub look_back_years: u32,
    /// What it makes of a membership.
    pub removal: Removal,
    /// Not yet confirmed against the enacted text.
    pub verify: bool,
}

/// What came of the self-cleaning that a supplier showed (PCR57, PA58).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "outcome", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
#[schema(as = SelfCleaningOutcome)]
pub enum SelfCleaning {
    /// The measures suffice: the ground no longer excludes.
    Accepted {
        /// Why.
        reason: String,
    },
    /// They do not: the supplier is told why.
    Refused {
        /// Why.
        reason: String,
    },
}

/// A ground that a supplier declared, or that was found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = KnownGround)]
pub struct DeclaredGround {
    /// The code of a [`Ground`] of the regime.
    pub code: String,
    /// The day of the conviction or event that the look-back counts from.
    #[schema(value_type = String, format = Date)]
    pub occurred_on: NaiveDate,
    /// Whether the supplier is on the debarment list by this ground (Procurement Act 2023 only).
    #[serde(default)]
    pub debarred: bool,
    /// How self-cleaning was judged; absent while none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_cleaning: Option<SelfCleaning>,
}

/// Whether a declared ground counts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It counts.
    Applies,
    /// Its look-back is over.
    LookBackOver,
    /// Self-cleaning was accepted.
    SelfCleaned,
}

/// What one declared ground means at an instant.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = GroundFinding)]
pub struct Finding {
    /// The ground's code.
    pub code: String,
    /// The rule that it belongs to, such as `PCR57`.
    pub rule: String,
    /// Mandatory or discretionary.
    pub kind: GroundKind,
    /// Whether it counts.
    pub effect: Effect,
    /// The first instant at which its look-back is over. A supplier on the debarment list stays on it after that.
    pub look_back_ends: Instant,
    /// Whether admission must or may be refused; `null` where the ground does not count.
    pub admission: Option<Duty>,
    /// Whether a member must or may be removed; `null` where the ground does not count.
    pub removal: Option<Duty>,
    /// Whether the supplier can still show self-cleaning: the ground counts, and none was judged (PA58). Hear it before
    /// the supplier is treated as excluded.
    pub self_cleaning_open: bool,
    /// Whether the ground is yet to be confirmed against the enacted text.
    pub verify: bool,
    /// All of this for a person.
    pub explanation: String,
}

impl Finding {
    /// Whether the ground counts.
    #[must_use]
    pub fn applies(&self) -> bool {
        self.effect == Effect::Applies
    }
}

/// The strongest duty of several findings, such as that of removal: `removal_duty = strongest(findings, |f| f.removal)`.
pub fn strongest(findings: &[Finding], duty: impl Fn(&Finding) -> Option<Duty>) -> Option<Duty> {
    let duties: Vec<Duty> = findings.iter().filter_map(duty).collect();
    if duties.contains(&Duty::Must) { Some(Duty::Must) } else { duties.first().copied() }
}

/// The grounds of `regime`. A light-touch arrangement uses those of its statute.
#[must_use]
pub fn grounds(regime: Regime) -> &'static [Ground] {
    match regime {
        Regime::PcrLightTouch | Regime::Pcr34 => PCR57,
        Regime::Pa23Market | Regime::Pa23LightTouch => PA23,
    }
}

/// The refusal of a ground that no regime knows, at `field`; none where one does.
#[must_use]
pub fn unknown(code: &str, field: &str) -> Option<Violation> {
    let known: BTreeSet<&str> = [PCR57, PA23].into_iter().flatten().map(|ground| ground.code).collect();
    let detail =
        || format!("there is no ground `{code}`; there are {}", known.iter().copied().collect::<Vec<_>>().join(", "));
    (!known.contains(code)).then(|| UNKNOWN_GROUND.broken_at(field, detail()))
}

/// What a member that no longer meets the conditions is in for: PA37 leaves the choice, and so does the authority's own
/// procedure under PCR 2015.
pub const CONDITIONS_NO_LONGER_MET: Duty = Duty::May;

/// What the declared grounds mean at `at`, one finding each, in order. The look-back of a ground that occurred on a day
/// is over from the start of the same day, `look_back_years` later (29 February clamps).
///
/// # Errors
/// A ground that the regime does not know or that lies in the future; a self-cleaning judged without a reason.
pub fn applies(declared: &[DeclaredGround], regime: Regime, at: Instant) -> Result<Vec<Finding>, Refusal> {
    let mut broken = Violations::new();
    let mut findings = Vec::with_capacity(declared.len());
    for (i, declared) in declared.iter().enumerate() {
        let future = declared.occurred_on > at.date();
        broken.require(!future, &GROUND_IN_FUTURE, &format!("/{i}/occurredOn"), "the date is in the future");
        if let Some(SelfCleaning::Accepted { reason } | SelfCleaning::Refused { reason }) = &declared.self_cleaning {
            broken.require_reason(reason, &format!("/{i}/selfCleaning/reason"));
        }
        match grounds(regime).iter().find(|ground| ground.code == declared.code) {
            Some(ground) => findings.push(finding(ground, declared, at)),
            None => broken.add(UNKNOWN_GROUND.broken_at(format!("/{i}/code"), format!("`{}`", declared.code))),
        }
    }
    broken.refuse_any()?;
    Ok(findings)
}

fn finding(ground: &Ground, declared: &DeclaredGround, at: Instant) -> Finding {
    let over = declared.occurred_on.checked_add_months(Months::new(ground.look_back_years.saturating_mul(12)));
    let look_back_ends = Instant::start_of(over.unwrap_or(NaiveDate::MAX));
    // The debarment list stands by itself: neither time nor self-cleaning ends it here, only leaving the list does.
    let debarred = declared.debarred && ground.removal == Removal::MustWhenDebarred;
    let accepted = matches!(declared.self_cleaning, Some(SelfCleaning::Accepted { .. }));
    let (effect, why) = if debarred {
        (Effect::Applies, "it counts: the supplier is on the debarment list by it".to_owned())
    } else if at >= look_back_ends {
        (Effect::LookBackOver, format!("its look-back of {} years is over", ground.look_back_years))
    } else if accepted {
        (Effect::SelfCleaned, "self-cleaning was accepted".to_owned())
    } else {
        (Effect::Applies, format!("it counts for {} years", ground.look_back_years))
    };
    let counts = effect == Effect::Applies;
    let admission = match ground.kind {
        GroundKind::Mandatory => Duty::Must,
        GroundKind::Discretionary => Duty::May,
    };
    let removal = match ground.removal {
        Removal::Must => Duty::Must,
        Removal::MustWhenDebarred if debarred => Duty::Must,
        Removal::MustWhenDebarred | Removal::May => Duty::May,
    };
    let kind = match ground.kind {
        GroundKind::Mandatory => "mandatory",
        GroundKind::Discretionary => "discretionary",
    };
    Finding {
        code: ground.code.to_owned(),
        rule: ground.rule.to_owned(),
        kind: ground.kind,
        effect,
        look_back_ends,
        admission: counts.then_some(admission),
        removal: counts.then_some(removal),
        self_cleaning_open: counts && !debarred && declared.self_cleaning.is_none(),
        verify: ground.verify,
        explanation: format!(
            "{} ({kind}, {}{}), {}: {why}.",
            ground.title,
            ground.rule,
            if ground.verify { ", to be verified" } else { "" },
            declared.occurred_on
        ),
    }
}

const fn pcr_must(code: &'static str, title: &'static str) -> Ground {
    Ground {
        code,
        title,
        rule: "PCR57",
        kind: GroundKind::Mandatory,
        look_back_years: 5,
        removal: Removal::Must,
        verify: true,
    }
}

const fn pcr_may(code: &'static str, title: &'static str) -> Ground {
    Ground { kind: GroundKind::Discretionary, look_back_years: 3, removal: Removal::May, ..pcr_must(code, title) }
}

const fn pa_must(code: &'static str, title: &'static str) -> Ground {
    Ground { rule: "PA37", removal: Removal::MustWhenDebarred, ..pcr_must(code, title) }
}

const fn pa_may(code: &'static str, title: &'static str) -> Ground {
    Ground { kind: GroundKind::Discretionary, removal: Removal::May, ..pa_must(code, title) }
}

/// PCR 2015, regulation 57.
const PCR57: &[Ground] = &[
    pcr_must("criminal_organisation", "Conviction: conspiracy or participation in a criminal organisation"),
    pcr_must("corruption", "Conviction: corruption"),
    pcr_must("bribery", "Conviction: bribery"),
    pcr_must("fraud", "Conviction: fraud, theft or cheating the revenue"),
    pcr_must("terrorism", "Conviction: terrorist offences or offences linked to them"),
    pcr_must("money_laundering", "Conviction: money laundering or terrorist financing"),
    pcr_must("human_trafficking", "Conviction: child labour, slavery or trafficking in human beings"),
    pcr_must("drug_trafficking", "Conviction: proceeds of drug trafficking"),
    pcr_must("unpaid_taxes_decided", "Unpaid taxes or social security, established by a final decision"),
    pcr_may("unpaid_taxes", "Unpaid taxes or social security, demonstrated otherwise"),
    pcr_may("environmental_social_labour", "Breach of environmental, social or labour law"),
    pcr_may("insolvency", "Bankruptcy, insolvency or a like situation"),
    pcr_may("professional_misconduct", "Grave professional misconduct"),
    pcr_may("distortion_of_competition", "Agreements that distort competition"),
    pcr_may("conflict_of_interest", "A conflict of interest that cannot be remedied otherwise"),
    pcr_may("prior_involvement", "Prior involvement that distorts competition and cannot be remedied otherwise"),
    pcr_may("poor_performance", "Significant or persistent deficiencies under an earlier public contract"),
    pcr_may("misrepresentation", "Serious misrepresentation, or information withheld"),
    pcr_may("undue_influence", "Undue influence on a decision, or misleading information"),
];

/// Procurement Act 2023, schedules 6 and 7. Both kinds look back five years there.
const PA23: &[Ground] = &[
    pa_must("corporate_manslaughter", "Conviction: corporate manslaughter or homicide"),
    pa_must("terrorism", "Conviction: terrorism"),
    pa_must("theft_fraud_bribery", "Conviction: theft, fraud or bribery"),
    pa_must("labour_slavery_trafficking", "Conviction: labour market, slavery or human trafficking offences"),
    pa_must("organised_crime", "Conviction: organised crime"),
    pa_must("tax_offences", "Conviction: tax offences"),
    pa_must("cartel_offence", "Conviction: cartel offence"),
    pa_must("tax_misconduct", "Penalty for misconduct in relation to tax"),
    pa_must("competition_infringement", "Established competition law infringement: cartel"),
    pa_must("failure_to_cooperate", "Failure to co-operate with a debarment investigation"),
    pa_may("labour_market_misconduct", "Labour market misconduct"),
    pa_may("environmental_misconduct", "Environmental misconduct"),
    pa_may("insolvency", "Insolvency or bankruptcy"),
    pa_may("potential_competition_infringement", "Potential competition law infringement"),
    pa_may("professional_misconduct", "Professional misconduct"),
    pa_may("poor_performance", "Breach of contract or poor performance"),
    pa_may("acting_improperly", "Acting improperly in procurement"),
    pa_may("national_security", "Threat to national security"),
];

#[cfg(test)]
mod tests;

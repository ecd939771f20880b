use std::fmt::Write as _;

use super::*;
use crate::arrangement::Regime::{Pa23LightTouch, Pa23Market, Pcr34, PcrLightTouch};

#[test]
fn golden_rule_sets() {
    let mut table = String::new();
    for set in rule_sets() {
        writeln!(table, "{}: {}", set.version, set.title).unwrap();
        for rule in &set.rules {
            let marks = [(rule.verify, " (verify)"), (rule.timing.is_some(), " (clock)")];
            let marks: String = marks.iter().filter(|(on, _)| *on).map(|(_, mark)| *mark).collect();
            writeln!(table, "  {}{marks}: {}", rule.id, rule.text).unwrap();
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn ids_are_unique_in_each_set_and_each_regime_finds_its_own() {
    for regime in [PcrLightTouch, Pcr34, Pa23Market, Pa23LightTouch] {
        let set = rule_set(regime);
        assert_eq!(set.regime, regime);
        for rule in &set.rules {
            assert_eq!(set.rules.iter().filter(|r| r.id == rule.id).count(), 1, "{}", rule.id);
            assert!(!rule.text.contains("  "), "{}", rule.text);
        }
    }
}

#[test]
fn rule_sets_are_listed_in_camel_case() {
    let json = serde_json::to_value(rule_set(Pcr34)).unwrap();
    let clock = json["rules"].as_array().unwrap().iter().find(|r| r["id"] == "PCR34-16").unwrap();
    assert_eq!(
        clock["timing"],
        serde_json::json!({"bound": "within", "count": 10, "unit": "working_days", "startEvent": "request_received"})
    );
}

#[test]
fn only_regulation_34_forbids_batches() {
    use AdmissionMode::{Closed, ContinuousReceiptBatched, Rolling, Windowed};
    for regime in [PcrLightTouch, Pcr34, Pa23Market, Pa23LightTouch] {
        for mode in [ContinuousReceiptBatched, Windowed, Rolling, Closed] {
            let refused = mode_refusal(regime, mode, "/policies/admissionMode").is_some();
            let batched = matches!(mode, ContinuousReceiptBatched | Windowed);
            assert_eq!(refused, regime == Pcr34 && batched, "{regime:?} {mode:?}");
        }
    }
}

#[test]
fn a_term_beyond_the_statutory_end_is_a_warning() {
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    assert_eq!(term_warning(Pcr34, day("2029-02-23")), None);
    let warning = term_warning(Pcr34, day("2029-02-24")).unwrap();
    assert!(warning.verify);
    assert_eq!(
        warning.text,
        "The term ends on 2029-02-24, but systems under regulation 34 end by 2029-02-23 (to be verified)."
    );
    for regime in [PcrLightTouch, Pa23Market, Pa23LightTouch] {
        assert_eq!(term_warning(regime, day("2039-01-01")), None);
    }
}

use std::fmt::Write;

use super::*;
use crate::kernel::{Named, Role};

fn profile(legal_name: &str) -> ProviderProfile {
    ProviderProfile { legal_name: legal_name.to_owned(), ..ProviderProfile::default() }
}

fn now() -> Instant {
    "2019-03-01T12:00:00Z".parse().unwrap()
}

fn portal() -> Actor {
    Actor { subject: "portal-1".to_owned(), role: Role::Portal, authority: None, provider: None }
}

fn register(profile: ProviderProfile) -> Decision<Provider> {
    Provider::register(ProviderId(uuid::Uuid::nil()), profile, &portal(), now())
}

fn exclusion() -> ExclusionFacts {
    ExclusionFacts {
        ground: "bribery".to_owned(),
        from: "2018-01-01".parse().unwrap(),
        until: None,
        evidence: vec!["judgment".to_owned()],
    }
}

fn judged(reason: &str) -> SelfCleaning {
    SelfCleaning { accepted: false, reason: reason.to_owned(), evidence: vec![] }
}

fn external(portal: &str, reference: &str) -> ExternalRef {
    ExternalRef { portal: portal.to_owned(), reference: reference.to_owned() }
}

fn fields(refusal: Refusal) -> Vec<String> {
    match refusal {
        Refusal::WrongState { .. } => vec!["wrong_state".to_owned()],
        Refusal::Rules(broken) => broken.into_iter().filter_map(|v| v.field).collect(),
    }
}

fn mistyped(company: &str) -> ProviderCorrection {
    ProviderCorrection {
        legal_name: None,
        agency_urn: None,
        company_number: Some(company.to_owned()),
        reason: "mistyped".to_owned(),
    }
}

type Command = fn(Provider) -> Decision<Provider>;

#[test]
fn the_table() {
    let registered = register(profile("Example Care Ltd")).unwrap().0;
    let registered = registered.record_exclusion(exclusion(), &portal(), now()).unwrap().0;
    let dormant = registered.clone().make_dormant("wound up", now()).unwrap().0;
    let commands: [(&str, Command); 8] = [
        ("amend", |p| p.amend(profile("Example Homes Ltd"), now())),
        ("correct", |p| p.correct(mistyped("7654321"), &portal(), now())),
        ("confirm_in_house", |p| p.confirm_in_house(true, "run by the county", &portal(), now())),
        ("add_external_ref", |p| p.add_external_ref(external("procontract", "S1"))),
        ("make_dormant", |p| p.make_dormant("wound up", now())),
        ("reactivate", |p| p.reactivate("trades again", now())),
        ("record_exclusion", |p| p.record_exclusion(exclusion(), &portal(), now())),
        ("judge_self_cleaning", |p| p.judge_self_cleaning(0, judged("too recent"))),
    ];
    let mut table = String::new();
    for provider in [registered, dormant] {
        let json = serde_json::to_string(&provider).unwrap();
        assert_eq!(serde_json::from_str::<Provider>(&json).unwrap(), provider);
        for (name, command) in commands {
            let outcome = match command(provider.clone()) {
                Ok((next, events)) => format!("-> {} {}", next.state().name(), serde_json::to_string(&events).unwrap()),
                Err(refusal) => fields(refusal).join(", "),
            };
            writeln!(table, "{:<10} {name:<19} {outcome}", provider.state().name()).unwrap();
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn registration_normalises_and_tells_everything_that_is_wrong() {
    let sent = ProviderProfile {
        trading_names: vec![" Oak ".to_owned(), " ".to_owned()],
        agency_urn: Some("sc 009423".to_owned()),
        company_number: Some("1234567".to_owned()),
        email: Some(" office@example.org ".to_owned()),
        phone: Some("+44 (1223) 000-000".to_owned()),
        ..profile(" Example Care Ltd ")
    };
    let provider = register(sent).unwrap().0;
    assert_eq!(provider.registered_by, "portal-1");
    let profile = provider.profile;
    assert_eq!(profile.legal_name, "Example Care Ltd");
    assert_eq!(profile.trading_names, ["Oak"]);
    assert_eq!(profile.agency_urn.as_deref(), Some("SC009423"));
    assert_eq!(profile.company_number.as_deref(), Some("01234567"));
    let wrong = ProviderProfile {
        legal_name: " ".to_owned(),
        agency_urn: Some("SC_1".to_owned()),
        company_number: Some("123456789".to_owned()),
        email: Some("@example".to_owned()),
        phone: Some("call us".to_owned()),
        ..ProviderProfile::default()
    };
    let expected = ["/legalName", "/agencyUrn", "/companyNumber", "/email", "/phone"];
    assert_eq!(fields(register(wrong).unwrap_err()), expected);
}

#[test]
fn an_amendment_names_what_changed_and_keeps_the_former_name() {
    let provider = register(profile("Old Ltd")).unwrap().0;
    assert_eq!(provider.clone().amend(profile("Old Ltd "), now()).unwrap().1, []);
    let sent = ProviderProfile { email: Some("office@example.org".to_owned()), ..profile("New Ltd") };
    let (_, events) = provider.amend(sent, now()).unwrap();
    let json = serde_json::to_string(&events).unwrap();
    assert!(
        json.contains(
            r#""changed":["email","legalName"],"before":{"legalName":"Old Ltd"},"after":{"legalName":"New Ltd"}"#
        ) && json.contains(r#""formerName":"Old Ltd""#),
        "{json}"
    );
    assert!(!json.contains("office@"), "contact details stay out of events");
}

#[test]
fn a_portal_has_one_reference() {
    let provider = register(profile("A")).unwrap().0.add_external_ref(external("p", "1")).unwrap().0;
    assert_eq!(provider.clone().add_external_ref(external(" p", "1 ")).unwrap().1, []);
    assert_eq!(fields(provider.clone().add_external_ref(external("p", "2")).unwrap_err()), ["/reference"]);
    assert_eq!(fields(provider.add_external_ref(external("", " ")).unwrap_err()), ["/portal", "/reference"]);
}

#[test]
fn exclusions_are_complete_and_their_judgement_reasoned() {
    let provider = register(profile("A")).unwrap().0;
    let wrong = ExclusionFacts {
        ground: String::new(),
        from: "2019-03-02".parse().unwrap(),
        until: Some("2019-03-01".parse().unwrap()),
        evidence: vec![],
    };
    let refused = provider.clone().record_exclusion(wrong, &portal(), now()).unwrap_err();
    assert_eq!(fields(refused), ["/ground", "/evidence", "/until", "/from"]);
    let Err(Refusal::Rules(broken)) = provider.judge_self_cleaning(0, judged("")) else { panic!("refused") };
    assert_eq!(broken.iter().map(|v| v.rule.code).collect::<Vec<_>>(), ["reason_required", "exclusion_unknown"]);
}

#[test]
fn placeholders_are_no_identifiers() {
    for text in ["TBC", "N/A", "-", "0", "XXXXXXX", "00000000", "REDACTED", "awaiting"] {
        let text = Some(text.to_owned());
        let sent = ProviderProfile { agency_urn: text.clone(), company_number: text.clone(), ..profile("A") };
        assert_eq!(fields(register(sent).unwrap_err()), ["/agencyUrn", "/companyNumber"], "{text:?}");
    }
    let blank =
        ProviderProfile { agency_urn: Some("\u{a0}".to_owned()), company_number: Some(String::new()), ..profile("A") };
    let kept = register(blank).unwrap().0.profile;
    assert_eq!((kept.agency_urn, kept.company_number), (None, None));
    let provider = register(profile("A")).unwrap().0;
    assert_eq!(fields(provider.add_external_ref(external("procontract", "TBC")).unwrap_err()), ["/reference"]);
}

#[test]
fn a_former_name_is_kept_and_in_house_is_what_an_officer_confirmed() {
    let provider = register(profile("Old Ltd")).unwrap().0;
    let provider = provider.amend(profile("New\u{a0}Ltd"), now()).unwrap().0;
    assert_eq!(provider.names(), ["New Ltd", "Old Ltd"]);
    assert_eq!(provider.former_names[0].until, now());
    let stated = ProviderProfile { in_house: true, ..profile("New Ltd") };
    let provider = provider.amend(stated, now()).unwrap().0;
    assert!(!provider.is_in_house(), "it says so itself");
    let (provider, events) = provider.confirm_in_house(true, "run by the county", &portal(), now()).unwrap();
    assert!(provider.is_in_house() && events.len() == 1);
    assert_eq!(provider.confirm_in_house(true, "run by the county", &portal(), now()).unwrap().1, []);
}

#[test]
fn a_dormant_provider_adds_no_home() {
    let registered = register(profile("Example Care Ltd")).unwrap().0;
    assert_eq!(registered.may_add_home(), Ok(()));
    let dormant = registered.make_dormant("wound up", now()).unwrap().0;
    assert!(matches!(dormant.may_add_home(), Err(Refusal::WrongState { attempted: "add_home", .. })));
}

#[test]
fn every_dormancy_stays_answerable() {
    let provider = register(profile("Example Care Ltd")).unwrap().0;
    assert_eq!(provider.impediments(), []);
    assert!(!serde_json::to_string(&provider).unwrap().contains("pastDormancies"));
    let (first, back, again) = (now(), now().plus_days(3), now().plus_days(9));
    let provider = provider.make_dormant("wound up", first).unwrap().0;
    let provider = provider.reactivate("trades again", back).unwrap().0;
    let provider = provider.make_dormant("wound up", again).unwrap().0;
    let found: Vec<_> = provider.impediments().iter().map(|it| (it.impediment.from, it.impediment.until)).collect();
    assert_eq!(found, [(first, Some(back)), (again, None)]);
}

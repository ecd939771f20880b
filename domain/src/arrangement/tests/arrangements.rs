use super::*;

type Command = (&'static str, fn(Arrangement) -> Decision<Arrangement>);

const NOW: &str = "2019-05-01T09:00:00Z";

fn commands() -> Vec<Command> {
    vec![
        ("amend", |a| {
            let other = Particulars { title: "Another".to_owned(), ..a.particulars.clone() };
            a.amend(other)
        }),
        ("link", |a| a.link(ExternalReference { system: "procontract".to_owned(), reference: "DN1".to_owned() })),
        ("add_authority", |a| a.add_authority(authority("NCC"), at(NOW))),
        ("set_policies", |a| a.set_policies(Policies::default())),
        ("publish", |a| a.publish(&publication(), at(NOW))),
        ("modify", |a| {
            a.modify(
                Changes { description: Some("More".to_owned()), ..Changes::default() },
                "Asked".to_owned(),
                at(NOW),
            )
        }),
        ("establish", |a| a.establish(at(NOW))),
        ("begin_review", |a| a.begin_review(at(NOW))),
        ("extend", |a| a.extend(12, "Needed".to_owned(), at(NOW))),
        ("decline_extension", |a| a.decline_extension("No need".to_owned(), at(NOW))),
        ("terminate", |a| a.terminate("No longer needed".to_owned(), at(NOW))),
        ("discard", Arrangement::discard),
        ("tick", |a| a.tick(at(NOW))),
    ]
}

fn extendable() -> Policies {
    Policies { extension_months: 24, participants_closed: false, ..Policies::default() }
}

fn states() -> Vec<Arrangement> {
    let live = live_with(extendable());
    let established = live.clone().establish(at(NOW)).unwrap().0;
    vec![
        draft_with(extendable()),
        live.clone(),
        established.clone(),
        established.clone().begin_review(at(NOW)).unwrap().0,
        established.begin_review(at(NOW)).unwrap().0.extend(12, "Needed".to_owned(), at(NOW)).unwrap().0,
        live.clone().tick(at("2029-03-31T23:00:00Z")).unwrap().0,
        live.terminate("No longer needed".to_owned(), at(NOW)).unwrap().0,
        draft_with(extendable()).discard().unwrap().0,
    ]
}

#[test]
fn golden_table() {
    let mut table = String::new();
    for before in states() {
        survives_storage(&before);
        for (name, command) in commands() {
            table.push_str(&line(&before, name, command(before.clone())));
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn ac_17_no_publication_without_a_specification_document() {
    let mut draft = draft_with(Policies::default());
    draft.particulars.specification = None;
    let refusal = draft.publish(&publication(), at(MIDNIGHT)).unwrap_err();
    let Refusal::Rules(found) = refusal else { panic!("{refusal:?}") };
    assert_eq!(found[0].rule.code, "specification_required");
    assert_eq!(found[0].rule.nature, Nature::Input);
    assert_eq!(found[0].field.as_deref(), Some("/specification"));
}

#[test]
fn publication_refuses_everything_that_is_missing_at_once() {
    let mut draft = draft_with(Policies::default());
    draft.participants.clear();
    draft.particulars.specification = None;
    draft.particulars.contract_start = None;
    let mut facts = publication();
    assert_eq!(
        refused(draft.clone().publish(&PublicationFacts::default(), at(MIDNIGHT))),
        ["specification_required", "lot_required", "authority_required", "contract_start_required"]
    );
    facts.lots[0].requirements = 0;
    assert!(refused(draft.publish(&facts, at(MIDNIGHT))).contains(&"requirement_required"));
}

#[test]
fn ac_18_a_term_of_120_months_ends_with_its_last_day() {
    let term = *live_with(Policies::default()).term().unwrap();
    assert_eq!(term.last_day.to_string(), "2029-03-31");
    assert_eq!(term.ends_at(), at("2029-03-31T23:00:00Z"), "midnight in London is an hour earlier in UTC");
}

#[test]
fn ac_29_an_absent_value_is_null() {
    let stored = serde_json::to_value(draft_with(Policies::default())).unwrap();
    assert_eq!(stored["estimatedValue"], Value::Null);
}

#[test]
fn ac_62_a_live_closed_arrangement_takes_no_authority() {
    let live = live_with(Policies::default());
    assert_eq!(refused(live.clone().add_authority(authority("NCC"), at(NOW))), ["participants_closed"]);
    let (same, events) = live.clone().add_authority(authority("PCC"), at(NOW)).unwrap();
    assert_eq!((same, events), (live, vec![]), "one that takes part already changes nothing");
}

#[test]
fn ac_67_an_authority_that_is_listed_twice_takes_part_once() {
    let mut new = new_arrangement();
    new.participants = ["DERBY", "DCC", "DERBY", "LEIC", "NOTTS"].map(authority).to_vec();
    let made = Arrangement::create(ArrangementId(uuid(1)), new, at(MIDNIGHT)).unwrap().0;
    assert_eq!(made.participants.len(), 4);
}

#[test]
fn it_goes_live_no_later_than_contracts_start() {
    let publish = |live_at: &str| {
        let mut draft = draft_with(Policies::default());
        draft.particulars.live_at = Some(at(live_at));
        draft.publish(&publication(), at(MIDNIGHT))
    };
    assert!(publish("2019-04-01T22:59:59Z").is_ok(), "still the first of April in London");
    assert_eq!(refused(publish("2019-04-01T23:00:00Z")), ["live_after_contract_start"]);
}

#[test]
fn publication_is_the_start_where_none_is_planned_and_the_term_may_not_be_over() {
    let mut draft = draft_with(Policies::default());
    draft.particulars.live_at = None;
    let live = draft.clone().publish(&publication(), at(MIDNIGHT)).unwrap().0;
    assert_eq!(live.term().unwrap().live_at, at(MIDNIGHT));
    draft.particulars.live_at = Some(at(MIDNIGHT));
    assert!(draft.clone().publish(&publication(), at("2029-03-31T22:59:59Z")).is_ok());
    assert_eq!(refused(draft.publish(&publication(), at("2029-03-31T23:00:00Z"))), ["term_over"]);
}

#[test]
fn lawful_oddities_are_warned_of() {
    let publish = |policies, now| {
        let warnings = draft_with(policies).publish(&publication(), now).unwrap().0.warnings;
        warnings.into_iter().map(|w| w.code).collect::<Vec<_>>()
    };
    let early = at("2018-12-20T09:00:00Z");
    assert!(publish(Policies::default(), early).is_empty(), "the source's own dates fit exactly");
    assert_eq!(publish(under_34(), early), ["term_beyond_statutory_end"]);
    let slow = Policies { evaluation_days: 58, ..Policies::default() };
    assert_eq!(publish(slow, early), ["first_evaluation_after_contract_start"]);
    let closed = Policies { admission_mode: AdmissionMode::Closed, ..Policies::default() };
    assert_eq!(publish(closed, at(NOW)), ["admission_closed", "live_at_in_the_past"]);
}

fn under_34() -> Policies {
    let (regime, admission_mode) = (Some(Regime::Pcr34), AdmissionMode::Rolling);
    Policies { regime, admission_mode, extension_months: 24, ..Policies::default() }
}

#[test]
fn a_system_under_regulation_34_ends_by_statute_and_its_period_is_fixed_after_a_day() {
    let live = live_with(under_34());
    let term = *live.term().unwrap();
    assert_eq!(term.last_day.to_string(), "2029-02-23", "its policies say 31 March");
    assert_eq!(live.due(), Some(Due { at: at("2029-02-24T00:00:00Z"), what: "expire" }));
    let established = live.establish(at(NOW)).unwrap().0;
    let review = |now| established.clone().begin_review(at(now));
    assert_eq!(refused(review("2026-02-24T00:00:00Z")), ["period_fixed_by_statute"]);
    let reviewed = review("2026-02-23T23:59:59Z").unwrap().0;
    let extend = |now| reviewed.clone().extend(6, "Needed".to_owned(), at(now));
    assert_eq!(refused(extend("2026-02-24T00:00:00Z")), ["period_fixed_by_statute"]);
    let extended = extend("2026-02-23T23:59:59Z").unwrap().0;
    assert_eq!(extended.term().unwrap().last_day, term.last_day, "it ends by statute all the same");
}

#[test]
fn the_regime_goes_by_the_day_on_which_the_notice_is_sent() {
    let publish = |regime, imported: Option<&str>, now: &str| {
        let mut draft = draft_with(Policies { regime, ..Policies::default() });
        draft.particulars.live_at = None;
        draft.particulars.contract_start = "2025-04-01".parse().ok();
        let import = |day: &str| Imported { source: "the old portal".to_owned(), notice_sent_on: day.parse().unwrap() };
        draft.imported = imported.map(import);
        draft.publish(&publication(), at(now))
    };
    let regime = |imported, now| publish(None, imported, now).unwrap().0.policies.regime;
    assert_eq!(regime(None, "2025-02-23T23:59:59Z"), Some(Regime::PcrLightTouch));
    assert_eq!(regime(None, "2025-02-24T00:00:00Z"), Some(Regime::Pa23LightTouch));
    assert_eq!(regime(Some("2019-01-04"), "2025-03-01T00:00:00Z"), Some(Regime::PcrLightTouch));
    let old = Some(Regime::PcrLightTouch);
    assert!(publish(old, None, "2025-02-23T23:59:59Z").is_ok());
    assert_eq!(refused(publish(old, None, "2025-02-24T00:00:00Z")), ["regime_ended"]);
    assert!(publish(old, Some("2025-02-23"), "2025-03-01T00:00:00Z").is_ok());
    assert_eq!(refused(publish(old, Some("2025-02-24"), "2025-03-01T00:00:00Z")), ["regime_ended"]);
    assert_eq!(refused(publish(None, Some("2025-03-02"), "2025-03-01T00:00:00Z")), ["notice_ahead"]);
}

#[test]
fn a_first_round_counts_from_publication_where_it_was_to_be_live_before() {
    let late = draft_with(Policies::default()).publish(&publication(), at("2019-01-20T09:30:00Z")).unwrap().0;
    let term = late.term().unwrap();
    let first = schedule::first_round(&late.policies, term).unwrap();
    assert_eq!((term.live_at, first.opens_at), (at(MIDNIGHT), at("2019-01-20T09:30:00Z")));
    assert_eq!(first.closes_at, at("2019-02-19T09:30:00Z"), "thirty days from when anybody could know of it");
}

#[test]
fn batching_is_refused_under_regulation_34() {
    let policies = Policies { regime: Some(Regime::Pcr34), ..Policies::default() };
    let draft = draft_with(Policies::default());
    assert_eq!(refused(draft.clone().set_policies(policies.clone())), ["admission_mode_not_allowed"]);
    let rolling = Policies { admission_mode: AdmissionMode::Rolling, ..policies };
    assert!(draft.set_policies(rolling).is_ok());
}

#[test]
fn extensions_add_up_to_what_the_policies_provide() {
    let established = live_with(extendable()).establish(at(NOW)).unwrap().0;
    let review = |a: Arrangement| a.begin_review(at(NOW)).unwrap().0;
    let extend = |a: Arrangement, months| a.extend(months, "Needed".to_owned(), at(NOW));
    assert_eq!(refused(extend(established.clone(), 6)), ["wrong_state"], "a review comes first (EMF-02)");
    let reviewed = review(established);
    assert!(reviewed.in_force().is_some(), "it is in use meanwhile");
    assert_eq!(refused(extend(reviewed.clone(), 0)), ["extension_empty"]);
    assert_eq!(refused(extend(reviewed.clone(), 25)), ["extension_not_available"]);
    let once = extend(reviewed.clone(), 18).unwrap().0;
    let twice = extend(review(once.clone()), 6).unwrap().0;
    assert_eq!(twice.term().unwrap().last_day.to_string(), "2031-03-31");
    assert_eq!((twice.modifications.len(), twice.reviews.len()), (2, 2));
    assert_eq!(refused(extend(review(once), 7)), ["extension_not_available"]);
    assert_eq!(refused(twice.begin_review(at(NOW))), ["extension_not_available"], "nothing is left to decide");
    let never = live_with(Policies::default()).establish(at(NOW)).unwrap().0;
    assert_eq!(refused(never.begin_review(at(NOW))), ["extension_not_available"]);
    assert_eq!(refused(reviewed.clone().extend(1, "Late".to_owned(), at("2029-04-01T00:00:00Z"))), ["term_over"]);
    let declined = reviewed.decline_extension("No need".to_owned(), at(NOW)).unwrap().0;
    assert_eq!((declined.state().name(), declined.reviews[0].extended_months), ("established", 0));
}

#[test]
fn it_is_established_only_after_it_went_live() {
    let live = live_with(Policies::default());
    assert_eq!(refused(live.clone().establish(at("2019-01-03T23:59:59Z"))), ["not_live_yet"]);
    assert!(live.establish(at(MIDNIGHT)).is_ok());
}

#[test]
fn a_late_clock_expires_it_with_its_last_day() {
    let live = live_with(Policies::default());
    let end = at("2029-03-31T23:00:00Z");
    assert_eq!(live.due(), Some(Due { at: end, what: "expire" }));
    assert_eq!(refused(live.clone().tick(at("2029-03-31T22:59:59Z"))), ["nothing_due"]);
    let (expired, events) = live.tick(at("2030-01-01T00:00:00Z")).unwrap();
    assert_eq!(events, [ArrangementEvent::ArrangementExpired { effective_at: end }]);
    assert_eq!((expired.due(), expired.in_force(), expired.is_over()), (None, None, true));
    assert_eq!(refused(expired.tick(at("2031-01-01T00:00:00Z"))), ["nothing_due"]);
}

#[test]
fn a_modification_says_when_why_and_what() {
    let live = live_with(Policies::default());
    let changes = Changes { specification: Some(document("Specification 2")), ..Changes::default() };
    let modified = live.clone().modify(changes.clone(), "Clearer".to_owned(), at(NOW)).unwrap().0;
    assert_eq!(
        modified.modifications,
        [Modification { at: at(NOW), reason: "Clearer".to_owned(), changed: vec![Modified::Specification] }]
    );
    assert_eq!(refused(modified.modify(changes, String::new(), at(NOW))), ["reason_required", "nothing_changed"]);
    let market = live_with(Policies {
        regime: Some(Regime::Pa23Market),
        admission_mode: AdmissionMode::Rolling,
        ..Policies::default()
    });
    let terms = Terms { document: document("Terms 2"), version: "2".to_owned() };
    let changes = Changes { terms: Some(terms), description: Some("More".to_owned()), ..Changes::default() };
    assert_eq!(refused(market.modify(changes, "Better".to_owned(), at(NOW))), ["conditions_fixed"]);
}

#[test]
fn a_portal_may_say_its_reference_again_and_change_it() {
    let link =
        |reference: &str| ExternalReference { system: "procontract".to_owned(), reference: reference.to_owned() };
    let (linked, events) = draft_with(Policies::default()).link(link("DN1")).unwrap();
    assert_eq!(events.len(), 1);
    let (again, events) = linked.clone().link(link("DN1")).unwrap();
    assert_eq!((&again, events.len()), (&linked, 0));
    assert_eq!(again.link(link("DN2")).unwrap().0.external_references, [link("DN2")]);
}

#[test]
fn malformed_particulars_are_refused_field_by_field() {
    let mut new = new_arrangement();
    let is = &mut new.particulars;
    is.title = " ".to_owned();
    is.cpv = ["85311300-5", "8531130", "85311300-", "85311300-55", "85311300 5"].map(str::to_owned).to_vec();
    is.estimated_value = Some(Pence(-1));
    is.documents = vec![DocumentRef {
        title: "Evil".to_owned(),
        uri: "javascript:alert(1)".to_owned(),
        sha256: Some("AB".to_owned()),
    }];
    new.policies.suspension_months = 7;
    let refusal = Arrangement::create(ArrangementId(uuid(1)), new, at(MIDNIGHT)).unwrap_err();
    let Refusal::Rules(found) = refusal else { panic!("{refusal:?}") };
    let fields: Vec<_> = found.iter().map(|v| v.field.as_deref().unwrap()).collect();
    assert_eq!(
        fields,
        [
            "/title",
            "/cpv/1",
            "/cpv/2",
            "/cpv/3",
            "/cpv/4",
            "/estimatedValue",
            "/documents/0/uri",
            "/documents/0/sha256",
            "/policies/suspensionMonths"
        ]
    );
}

#[test]
fn policies_are_valid_by_default_and_at_their_edges() {
    let check = |policies: &Policies| {
        let mut broken = Violations::new();
        policies.check(&mut broken, "");
        broken.refuse_any().map_err(|refusal| codes(&refusal))
    };
    assert_eq!(check(&Policies::default()), Ok(()));
    let zero = Policies {
        first_round_days: 0,
        round_interval_months: 0,
        round_window_days: 0,
        evaluation_days: 0,
        term_months: 0,
        suspension_months: 0,
        suspension_max_months: 0,
        no_fault_notice_months: Some(0),
        removal_notice_days: 0,
        ..Policies::default()
    };
    assert_eq!(check(&zero), Err(vec!["policy_out_of_range"; 8]), "only the notice of removal may be nothing");
    let boundary = |location_boundary| check(&Policies { location_boundary, ..Policies::default() });
    let areas = |areas: &[&str]| LocationBoundary::PostcodeAreas {
        postcode_areas: areas.iter().map(|&a| a.to_owned()).collect(),
        local_authorities: vec![],
    };
    assert_eq!(boundary(areas(&["HD", "WF", "L"])), Ok(()));
    assert_eq!(boundary(areas(&[])), Err(vec!["boundary_malformed"]));
    assert_eq!(boundary(areas(&["hd", "HD1", ""])), Err(vec!["boundary_malformed"; 3]));
    assert_eq!(boundary(LocationBoundary::Radius { miles: 0, centres: vec![] }), Err(vec!["boundary_malformed"; 2]));
    let centre = policy::Point { latitude: 53_763_000, longitude: -180_000_001 };
    assert_eq!(
        boundary(LocationBoundary::Radius { miles: 20, centres: vec![centre] }),
        Err(vec!["boundary_malformed"])
    );
}

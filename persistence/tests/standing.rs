//! What the store gives standing: the same from columns as from the aggregates, and the rules that constraints guard.

#[cfg(test)]
mod tests {
    use domain::admission::application::{Application, Status};
    use domain::admission::membership::{AdmittedLine, Membership};
    use domain::arrangement::lot::{LotParticulars, LotState};
    use domain::arrangement::{Arrangement, ArrangementKind, Lot, NewArrangement, Participant, Particulars, Policies};
    use domain::kernel::{Actor, Aggregate, AuthorityCode, Impediment, Instant, Refusal, Role};
    use domain::provider::home::{Home, HomeState};
    use domain::provider::provider::{Provider, ProviderProfile};
    use domain::standing::appeal::{Appeal, AppealFacts, AppealTarget, LodgeAppeal};
    use domain::standing::removal::{Ground, NotifyRemoval, Removal, RemovalFacts};
    use domain::standing::sanction::{ApplySanction, Sanction, SanctionKind};
    use domain::standing::suspension::{Suspend, SuspendFacts, Suspension, SuspensionScope};
    use domain::standing::{StandingFacts, Status as Name, standing};
    use persistence::{
        Db, Failure, Ids, Mode, Outcome, Settings, Stamp, Stored, Tx, impediment, migrate, standing as store,
    };

    fn t0() -> Instant {
        "2020-01-06T09:00:00Z".parse().unwrap()
    }

    fn actor(subject: &str) -> Actor {
        let authority = AuthorityCode::try_from("LGSS".to_owned()).ok();
        Actor { subject: subject.into(), role: Role::LeadAgency, authority, provider: None }
    }

    struct Store(Db, std::path::PathBuf);

    impl Drop for Store {
        fn drop(&mut self) {
            drop(std::fs::remove_dir_all(&self.1));
        }
    }

    impl Store {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("dps-standing-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&folder).unwrap();
            let url = format!("sqlite:{}", folder.join("dps.sqlite").display());
            migrate(&url).unwrap();
            Self(Db::open(&Settings::new(url)).unwrap(), folder)
        }

        fn write<T: Send + 'static>(&self, work: impl Fn(&mut Tx<'_>) -> Outcome<T> + Send + 'static) -> Outcome<T> {
            let stamp = Stamp { now: t0(), actor: actor("lead"), request: None, ids: Ids::random() };
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(self.0.write(stamp, Mode::Commit, work))
        }
    }

    fn arrangement(tx: &mut Tx<'_>) -> Arrangement {
        let code = AuthorityCode::try_from("LGSS".to_owned()).unwrap();
        let new = NewArrangement {
            kind: ArrangementKind::Dps,
            lead: Participant { code, name: "LGSS".into() },
            participants: vec![],
            particulars: Particulars {
                reference: "DPS-1".into(),
                title: "Placements".into(),
                ..Particulars::default()
            },
            policies: Policies { no_fault_notice_months: Some(12), ..Policies::default() },
            imported: None,
        };
        tx.create(Arrangement::create(tx.mint(), new, t0()).unwrap()).unwrap().value
    }

    fn lot(tx: &mut Tx<'_>, arrangement: &Arrangement, code: &str) -> Lot {
        let service_type = serde_json::from_str("\"fostering_agency\"").unwrap();
        let particulars = LotParticulars {
            code: code.into(),
            title: code.into(),
            description: String::new(),
            service_type,
            tupe: false,
        };
        let lot = Lot {
            id: tx.mint(),
            arrangement: arrangement.id,
            particulars,
            aliases: vec![],
            access: vec![],
            requirements: vec![],
            defined_at: t0(),
            state: LotState::Open,
        };
        tx.create((lot, vec![])).unwrap().value
    }

    fn provider(tx: &mut Tx<'_>, name: &str) -> Provider {
        let profile = ProviderProfile { legal_name: name.into(), ..ProviderProfile::default() };
        tx.create(Provider::register(tx.mint(), profile, &actor("portal"), t0()).unwrap()).unwrap().value
    }

    fn member(tx: &mut Tx<'_>, lot: &Lot, provider: &Provider) -> Stored<Membership> {
        let application = Application {
            id: tx.mint(),
            arrangement: lot.arrangement,
            provider: provider.id,
            external_ref: None,
            started_at: t0(),
            previous: None,
            draft: None,
            versions: vec![],
            lines: vec![],
            extension: None,
            status: Status::Decided { round: None, at: t0() },
        };
        let application = tx.create((application, vec![])).unwrap().value.id;
        let (arrangement, lot, provider) = (lot.arrangement, lot.id, provider.id);
        let line = AdmittedLine { arrangement, lot, provider, application, assurances: vec![] };
        tx.create(Membership::admit(tx.mint(), line, false, t0()).unwrap()).unwrap()
    }

    fn suspend(tx: &mut Tx<'_>, member: &Membership, scope: SuspensionScope) -> Stored<Suspension> {
        let order = Suspend {
            arrangement: member.arrangement,
            provider: member.provider,
            scope,
            from: None,
            months: Some(1),
            reason: "records".into(),
            evidence: vec![],
        };
        let facts = SuspendFacts { policies: &Policies::default(), live_membership: true, suspensions: &[] };
        tx.create(Suspension::suspend(tx.mint(), order, facts, tx.actor(), t0()).unwrap()).unwrap()
    }

    fn sanction(tx: &mut Tx<'_>, member: &Membership, before: &[Sanction]) -> Outcome<Stored<Sanction>> {
        let kind = SanctionKind::Conceal;
        let order = ApplySanction { kind, reason: "late".into(), serious: None, evidence: vec![], review_on: None };
        let decision = Sanction::apply(tx.mint(), order, member, before, None, tx.actor(), t0())?;
        tx.create(decision)
    }

    fn remove(tx: &mut Tx<'_>, member: &Membership, ground: Ground) -> Outcome<Stored<Removal>> {
        let policies = Policies { no_fault_notice_months: Some(12), ..Policies::default() };
        let order =
            NotifyRemoval { ground, reason: "gives notice".into(), gross: None, evidence: vec!["letter".into()] };
        let facts = RemovalFacts {
            policies: &policies,
            membership: member,
            suspensions: &[],
            notices: &[],
            sanctions: &[],
            removals: &[],
        };
        let decision = Removal::notify(tx.mint(), order, facts, tx.actor(), t0())?;
        tx.create(decision)
    }

    fn imposed(by: &impl Aggregate) -> Vec<Impediment> {
        by.impediments().into_iter().map(|imposed| imposed.impediment).collect()
    }

    fn sorted(mut all: Vec<Impediment>) -> Vec<Impediment> {
        all.sort_by_key(|one| (one.id, one.from, one.until));
        all
    }

    fn code<T: std::fmt::Debug>(outcome: Outcome<T>) -> &'static str {
        match outcome.unwrap_err() {
            Failure::Refused(Refusal::Rules(broken)) => broken.first().unwrap().rule.code,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_projection_says_what_the_aggregates_say() {
        let store = Store::new("columns");
        store
            .write(|tx| {
                let market = arrangement(tx);
                let (foster, homes) = (lot(tx, &market, "FOST"), lot(tx, &market, "RESI"));
                let (busy, calm) = (provider(tx, "Busy Ltd"), provider(tx, "Calm Ltd"));
                let one = member(tx, &foster, &busy);
                let other_lot = member(tx, &homes, &busy);
                let calm_one = member(tx, &foster, &calm);

                let mut expected: Vec<Impediment> = Vec::new();
                let scope = SuspensionScope::Lot { membership: one.value.id, lot: foster.id };
                let before = suspend(tx, &one.value, scope);
                let lifted = before.value.clone().lift("heard".into(), false, tx.actor(), t0().plus_days(2))?;
                expected.extend(imposed(&tx.save(&before, lifted)?.value));
                let wide = imposed(&suspend(tx, &one.value, SuspensionScope::Provider).value);
                expected.extend(wide.clone());
                expected.extend(imposed(&sanction(tx, &one.value, &[])?.value));
                expected.extend(imposed(&remove(tx, &one.value, Ground::NoFault)?.value));
                let before = tx.lock::<Provider>(busy.id)?;
                let dormant = tx.save(&before, before.value.clone().make_dormant("sold", t0())?)?;
                let back = dormant.value.clone().reactivate("bought", t0().plus_days(1))?;
                let back = tx.save(&dormant, back)?.value;
                expected.extend(imposed(&back));

                let found = impediment::against(tx, &one.value)?;
                assert_eq!(sorted(found.clone()), sorted(expected));
                let elsewhere = impediment::against(tx, &other_lot.value)?;
                assert_eq!(sorted(elsewhere), sorted([imposed(&back), wide].concat()));
                assert_eq!(impediment::against(tx, &calm_one.value)?, []);

                for days in [0, 1, 2, 40, 366] {
                    let at = t0().plus_days(days);
                    let covering = found.iter().filter(|one| one.covers(at)).cloned().collect();
                    let members = impediment::members(tx, foster.id, at, None)?;
                    let [first, second] = members.as_slice() else { panic!("{members:?}") };
                    assert_eq!((first.membership, second.membership), (one.value.id, calm_one.value.id));
                    assert_eq!((first.name.as_str(), first.admitted_at), ("Busy Ltd", t0()));
                    assert_eq!(sorted(first.impediments.clone()), sorted(covering), "after {days} days");
                    assert_eq!(second.impediments, []);
                }
                assert_eq!(impediment::members(tx, foster.id, t0(), Some(&[calm.id]))?.len(), 1);
                assert_eq!(impediment::members(tx, foster.id, t0().plus_seconds(-1), None)?, []);

                let (membership, admitted_at) = (one.value.id, t0());
                let facts = StandingFacts { membership, admitted_at, term: None, seen_by: None, impediments: &found };
                let at = |days| standing(&facts, t0().plus_days(days)).status;
                assert_eq!(
                    [at(0), at(1), at(40), at(366)],
                    [Name::Dormant, Name::Suspended, Name::Concealed, Name::Removed]
                );
                Ok(())
            })
            .unwrap();
    }

    #[test]
    fn a_suspended_home_is_named() {
        let store = Store::new("home");
        store
            .write(|tx| {
                let market = arrangement(tx);
                let foster = lot(tx, &market, "FOST");
                let busy = provider(tx, "Busy Ltd");
                let one = member(tx, &foster, &busy);
                let home = Home {
                    id: tx.mint(),
                    provider: busy.id,
                    profile: serde_json::from_value(
                        serde_json::json!({"name": "Oak House", "kind": "childrens_home"}),
                    )?,
                    ratings: vec![],
                    registration_suspended_at: None,
                    listed: None,
                    owners: Vec::new(),
                    transfer: None,
                    added_at: t0(),
                    state: HomeState::Proposed { expected_on: None },
                };
                let home = tx.create((home, vec![]))?.value.id;
                let suspended = suspend(tx, &one.value, SuspensionScope::Home { home }).value;
                assert_eq!(impediment::against(tx, &one.value)?, imposed(&suspended));
                Ok(())
            })
            .unwrap();
    }

    #[test]
    fn constraints_guard_what_spans_rows() {
        let store = Store::new("guards");
        let ids = store
            .write(|tx| {
                let market = arrangement(tx);
                let foster = lot(tx, &market, "FOST");
                let busy = provider(tx, "Busy Ltd");
                let one = member(tx, &foster, &busy).value;
                sanction(tx, &one, &[])?;
                let removal = remove(tx, &one, Ground::Eligibility)?.value.id;
                Ok((one, removal))
            })
            .unwrap();
        let (one, removal) = ids;
        let again = one.clone();
        assert_eq!(code(store.write(move |tx| sanction(tx, &again, &[]))), "sanction_in_force");
        let again = one.clone();
        assert_eq!(code(store.write(move |tx| remove(tx, &again, Ground::Eligibility))), "removal_pending");
        let lodge = move |tx: &mut Tx<'_>| {
            let order = LodgeAppeal {
                arrangement: one.arrangement,
                provider: one.provider,
                target: AppealTarget::Removal { removal },
                grounds: "no".into(),
            };
            let facts = AppealFacts { original_decider: Some("lead".into()), appeal_pending: false };
            let decision = Appeal::lodge(tx.mint(), order, facts, tx.actor(), t0())?;
            tx.create(decision)
        };
        store.write(lodge).unwrap();
        assert_eq!(code(store.write(lodge)), "appeal_pending");
        let target = AppealTarget::Removal { removal };
        assert!(store.write(move |tx| store::appeal_pending(tx, &target)).unwrap());
    }
}

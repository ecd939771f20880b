//! An arrangement of the history, from its first draft to its published lots.

use domain::admission::answers::Asked;
use domain::admission::declaration_of_interests::DeclarationOfInterests;
use domain::arrangement::lot::{ConditionFacts, LotParticulars};
use domain::arrangement::particulars::{Contact, DocumentRef, Participant, Particulars, Terms};
use domain::arrangement::requirement::{AnswerType, Question, RequirementRef, RequirementVersion};
use domain::arrangement::round::{NewRound, ScheduleFacts};
use domain::arrangement::{
    Arrangement, ArrangementKind, Gate, Lot, LotFact, LotScope, NewArrangement, Policies, PublicationFacts,
    Requirement, Round, ServiceType, Test,
};
use domain::kernel::{Actor, AuthorityCode, Instant, LotId, Role};
use persistence::Stored;

use super::store::Store;
use crate::Outcome;

/// The version of the terms that applicants accept.
pub const TERMS: &str = "2019-01";
/// Seconds of an hour and of a day.
pub const HOUR: i64 = 3_600;
pub const DAY: i64 = 24 * HOUR;

/// A published arrangement, its lots open.
pub struct Market {
    pub arrangement: Stored<Arrangement>,
    pub lots: Vec<Stored<Lot>>,
    pub requirements: Vec<Stored<Requirement>>,
    pub rounds: Vec<Stored<Round>>,
    /// The assessor's declaration of interests.
    pub declaration: DeclarationOfInterests,
    /// Runs the procurement.
    pub lead: Actor,
    /// Suspends.
    pub commissioner: Actor,
}

/// Who takes part: the lead and two others.
#[derive(Clone, Copy)]
pub struct Authorities {
    pub lead: &'static str,
    pub users: [&'static str; 2],
}

/// The authorities in turn: each runs a twentieth of the history. The measured ones are the first.
pub const AUTHORITIES: [Authorities; 20] = {
    const fn of(lead: &'static str, users: [&'static str; 2]) -> Authorities {
        Authorities { lead, users }
    }
    [
        of("LGSS", ["CCC", "PCC"]),
        of("A01", ["A01-N", "A01-S"]),
        of("A02", ["A02-N", "A02-S"]),
        of("A03", ["A03-N", "A03-S"]),
        of("A04", ["A04-N", "A04-S"]),
        of("A05", ["A05-N", "A05-S"]),
        of("A06", ["A06-N", "A06-S"]),
        of("A07", ["A07-N", "A07-S"]),
        of("A08", ["A08-N", "A08-S"]),
        of("A09", ["A09-N", "A09-S"]),
        of("A10", ["A10-N", "A10-S"]),
        of("A11", ["A11-N", "A11-S"]),
        of("A12", ["A12-N", "A12-S"]),
        of("A13", ["A13-N", "A13-S"]),
        of("A14", ["A14-N", "A14-S"]),
        of("A15", ["A15-N", "A15-S"]),
        of("A16", ["A16-N", "A16-S"]),
        of("A17", ["A17-N", "A17-S"]),
        of("A18", ["A18-N", "A18-S"]),
        of("A19", ["A19-N", "A19-S"]),
    ]
};

/// An account of an authority.
pub fn officer(subject: String, role: Role, authority: &str) -> Outcome<Actor> {
    Ok(Actor { subject, role, authority: Some(AuthorityCode::try_from(authority.to_owned())?), provider: None })
}

impl Market {
    /// The `n`-th arrangement: published an hour before it goes live at `live`, with a first round of a day.
    pub fn publish(store: &mut Store, n: usize, lots: &[&str], live: Instant) -> Outcome<Self> {
        let who = AUTHORITIES.get(n % AUTHORITIES.len()).copied().ok_or("no authority")?;
        let lead = officer(format!("lead-{}", n % 50), Role::LeadAgency, who.lead)?;
        let commissioner = officer(format!("commissioner-{}", n % 50), Role::Commissioner, first(who.users))?;
        let drafted = live.plus_seconds(-5 * HOUR);
        let new = arrangement(n, who, live)?;
        let draft = Arrangement::create(store.mint(drafted), new, drafted);
        let draft = store.create(drafted, &lead, draft)?;
        let requirements = requirements(store, n, &lead, drafted)?;
        let lots = define(store, &lead, &draft.value, lots, &requirements, drafted)?;

        let published = live.plus_seconds(-HOUR);
        let facts = PublicationFacts {
            lots: lots
                .iter()
                .map(|lot| LotFact { id: lot.value.id, code: lot.value.particulars.code.clone(), requirements: 2 })
                .collect(),
        };
        let decision = draft.value.clone().publish(&facts, published);
        let arrangement = store.save(published, &lead, draft, decision)?;
        let open = lots.into_iter().map(|lot| {
            let decision = super::store::decided(lot.value.clone().open(true))?;
            Ok((lot, decision))
        });
        let open = open.collect::<Outcome<_>>()?;
        let lots = store.save_all(published, &lead, open)?;
        let declaration =
            DeclarationOfInterests::declare(store.mint(published), arrangement.value.id, Vec::new(), &lead, published);
        let declaration = store.create(published, &lead, declaration)?.value;
        let mut market = Self { arrangement, lots, requirements, rounds: Vec::new(), declaration, lead, commissioner };
        market.schedule(store, live, published)?;
        Ok(market)
    }

    /// Announces a round that opens at `opens_at`.
    pub fn schedule(&mut self, store: &mut Store, opens_at: Instant, now: Instant) -> Outcome<()> {
        let rounds: Vec<Round> = self.rounds.iter().map(|round| round.value.clone()).collect();
        let arrangement = &self.arrangement.value;
        let facts =
            ScheduleFacts { policies: &arrangement.policies, in_force: arrangement.in_force(), rounds: &rounds };
        let new = NewRound {
            lots: LotScope::All,
            opens_at,
            closes_at: None,
            evaluation_from: None,
            evaluation_to: None,
            extra: None,
        };
        let round = Round::schedule(store.mint(now), arrangement.id, new, facts, now);
        let round = store.create(now, &self.lead.clone(), round)?;
        self.rounds.push(round);
        Ok(())
    }

    /// Makes the last round take its next step.
    pub fn step(
        &mut self,
        store: &mut Store,
        now: Instant,
        actor: &Actor,
        step: impl FnOnce(Round, Instant) -> domain::kernel::Decision<Round>,
    ) -> Outcome<()> {
        let before = self.rounds.pop().ok_or("no round")?;
        let decision = step(before.value.clone(), now);
        let after = store.save(now, actor, before, decision)?;
        self.rounds.push(after);
        Ok(())
    }

    /// The last round.
    pub fn round(&self) -> Outcome<&Round> {
        Ok(&self.rounds.last().ok_or("no round")?.value)
    }

    /// The lots.
    pub fn lot_ids(&self) -> Vec<LotId> {
        self.lots.iter().map(|lot| lot.value.id).collect()
    }

    /// What each lot asks for: the same two requirements.
    pub fn asked(&self) -> Vec<(RequirementRef, &str, &RequirementVersion)> {
        let pinned = |r: &'_ Requirement| RequirementRef { requirement: r.id, version: 1 };
        self.requirements
            .iter()
            .filter_map(|r| Some((pinned(&r.value), r.value.code.as_str(), r.value.version(1)?)))
            .collect()
    }

    /// The same, as applications are checked by it.
    pub fn asked_of_applicants(&self) -> Vec<Asked<'_>> {
        self.asked().into_iter().map(|(requirement, _, definition)| Asked { requirement, definition }).collect()
    }
}

fn first(users: [&'static str; 2]) -> &'static str {
    let [first, _] = users;
    first
}

fn arrangement(n: usize, who: Authorities, live: Instant) -> Outcome<NewArrangement> {
    let participant = |code: &str, name: &str| -> Outcome<Participant> {
        Ok(Participant { code: AuthorityCode::try_from(code.to_owned())?, name: name.to_owned() })
    };
    let document = |title: &str, uri: &str| DocumentRef { title: title.to_owned(), uri: uri.to_owned(), sha256: None };
    let [north, south] = who.users;
    Ok(NewArrangement {
        kind: ArrangementKind::Dps,
        lead: participant(who.lead, "Shared Services")?,
        participants: vec![participant(north, "County Council")?, participant(south, "City Council")?],
        particulars: Particulars {
            reference: format!("DN{n:06}"),
            title: format!("Children's external placements {n}"),
            description: "Care placements and education for children, as many as are needed".to_owned(),
            cpv: vec!["85311300-5".to_owned()],
            specification: Some(document("Service specification", "urn:example:specification")),
            terms: Some(Terms { document: document("Terms", "urn:example:terms"), version: TERMS.to_owned() }),
            contact: Some(Contact { name: "Procurement team".to_owned(), email: None, telephone: None, address: None }),
            live_at: Some(live),
            contract_start: Some(live.plus_days(60).date()),
            ..Particulars::default()
        },
        // Long enough that nothing of the history falls due while it is measured.
        policies: Policies { first_round_days: 1, term_months: 600, ..Policies::default() },
        imported: None,
    })
}

fn requirements(store: &mut Store, n: usize, lead: &Actor, now: Instant) -> Outcome<Vec<Stored<Requirement>>> {
    let owner = lead.authority.clone().ok_or("the lead has no authority")?;
    let texts = [
        ("insurance", "Public liability insurance is in force", "insurer", "Who insures you, and for how much?"),
        ("safeguarding", "Children are kept safe", "policy", "How do you keep children safe?"),
    ];
    let all = texts.into_iter().map(|(code, title, question, text)| {
        let version = RequirementVersion {
            title: title.to_owned(),
            test: Test::Manual,
            gate: Gate::Membership,
            mandatory: true,
            self_assessable: false,
            evidence: Vec::new(),
            validity_months: None,
            questions: vec![Question {
                code: question.to_owned(),
                text: text.to_owned(),
                answer: AnswerType::Text { max_length: 400 },
                mandatory: true,
                when: None,
            }],
        };
        let code = format!("{code}-{n}");
        super::store::decided(Requirement::define(store.mint(now), owner.clone(), code, version, false, now))
    });
    let all = all.collect::<Outcome<_>>()?;
    store.create_all(now, lead, all)
}

fn define(
    store: &mut Store,
    lead: &Actor,
    arrangement: &Arrangement,
    codes: &[&str],
    requirements: &[Stored<Requirement>],
    now: Instant,
) -> Outcome<Vec<Stored<Lot>>> {
    let lots = codes.iter().map(|code| {
        let particulars = LotParticulars {
            code: (*code).to_owned(),
            title: format!("{code} placements"),
            description: "Placements of this kind, wherever they are needed".to_owned(),
            service_type: ServiceType::ChildrensHome,
            tupe: false,
        };
        super::store::decided(Lot::define(store.mint(now), arrangement.id, particulars, false, false, now))
    });
    let lots = lots.collect::<Outcome<_>>()?;
    let lots = store.create_all(now, lead, lots)?;
    let facts = ConditionFacts { regime: arrangement.policies.regime(), published_at: None, evaluated: false };
    let adopted = lots.into_iter().map(|before| {
        let (mut lot, mut events) = (before.value.clone(), Vec::new());
        for requirement in requirements {
            let pinned = RequirementRef { requirement: requirement.value.id, version: 1 };
            let (after, more) = super::store::decided(lot.adopt(pinned, 1, facts))?;
            lot = after;
            events.extend(more);
        }
        Ok((before, (lot, events)))
    });
    let adopted = adopted.collect::<Outcome<_>>()?;
    store.save_all(now, lead, adopted)
}

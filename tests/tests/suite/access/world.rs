//! Two tenants that have one of everything: each an authority with its markets, another that takes part in them, and a
//! provider that a portal registered. Nothing connects the two.
//!
//! A new kind of aggregate is one line here, `self.keep(Kind::…, id)`; without it the world does not come to be.

use std::collections::HashMap;

use domain::kernel::{Kind, Role};
use serde_json::{Value, json};

use crate::actor::Actor;
use crate::app::TestApp;
use crate::applicants::{Applicant, passed};
use crate::market::{LIVE, Market, cambridgeshire, manual, with};
use crate::members::Member;

/// The roles that work for an authority.
pub const BUYING: [Role; 6] = [
    Role::ArtOfficer,
    Role::Commissioner,
    Role::LeadAgency,
    Role::MonitoringOfficer,
    Role::Consortium,
    Role::SocialWorker,
];

/// The answers that a requirement asks for.
const ASKED: &str = "safeguarding";

/// One tenant.
pub struct Tenant<'a> {
    app: &'a TestApp,
    /// The authority that leads its arrangements.
    pub lead: &'static str,
    /// An authority that takes part in them.
    pub participant: &'static str,
    portal: &'static str,
    /// What it has of each kind, in the order in which it came to be.
    things: Vec<Thing>,
    /// What goes with its thing of another kind, where not all of a kind do.
    pairs: HashMap<(Kind, Kind), String>,
    /// What is one account's alone, by its role.
    accounts: HashMap<(Role, Kind), String>,
    /// What is found by a word and is no aggregate.
    words: HashMap<&'static str, String>,
}

/// Something that a tenant has.
struct Thing {
    kind: Kind,
    /// Its state, where that matters for who sees it; [`USUAL`] for whatever is meant where nothing else is said.
    state: &'static str,
    id: String,
}

/// The states of what is meant where none is named.
pub const USUAL: [&str; 3] = ["", "live", "evaluated"];

/// Its markets before the clock moves.
struct Drafts<'a> {
    rolling: Market<'a>,
    sealed: Market<'a>,
    open: Market<'a>,
    draft: Market<'a>,
}

impl<'a> Tenant<'a> {
    /// Both, at the instant at which their markets go live.
    pub fn two(app: &'a TestApp) -> [Self; 2] {
        let named = [("LGSS", "CCC", "portal-1"), ("BRAD", "KIRK", "portal-2")];
        let drafted =
            named.map(|(lead, participant, portal)| (lead, participant, portal, Drafts::new(app, lead, participant)));
        app.at("2019-01-03T09:00:00Z");
        for (_, _, _, drafts) in &drafted {
            [&drafts.rolling, &drafts.sealed, &drafts.open].into_iter().for_each(Market::publish);
        }
        app.at(LIVE);
        drafted.map(|(lead, participant, portal, drafts)| {
            let (things, pairs) = (Vec::new(), HashMap::new());
            let (accounts, words) = (HashMap::new(), HashMap::new());
            let mut tenant = Self { app, lead, participant, portal, things, pairs, accounts, words };
            tenant.grow(&drafts);
            for kind in Kind::ALL {
                let known = tenant.is_an_accounts(*kind) || tenant.things.iter().any(|thing| thing.kind == *kind);
                assert!(known, "no tenant has a {}: say in access/world.rs how it comes to one", kind.name());
            }
            tenant
        })
    }

    /// The id of its thing of that kind.
    #[track_caller]
    pub fn thing(&self, kind: Kind) -> &str {
        let found = self.things.iter().find(|thing| thing.kind == kind && USUAL.contains(&thing.state));
        found.map_or_else(|| panic!("{} has no {}", self.lead, kind.name()), |thing| &thing.id)
    }

    /// The id of its thing of that kind in that state; as [`Tenant::thing`] where none has that state.
    pub fn thing_in(&self, kind: Kind, state: &str) -> &str {
        let found = self.things.iter().find(|thing| thing.kind == kind && thing.state == state);
        found.map_or_else(|| self.thing(kind), |thing| &thing.id)
    }

    /// The id of its thing of that kind that goes with its thing of another.
    pub fn thing_with(&self, kind: Kind, other: Kind) -> &str {
        self.pairs.get(&(kind, other)).map_or_else(|| self.thing(kind), String::as_str)
    }

    /// The ids of all its things of that kind.
    pub fn all(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.things.iter().filter(move |thing| thing.kind == kind).map(|thing| thing.id.as_str())
    }

    /// The states of its things of that kind.
    pub fn states(&self, kind: Kind) -> Vec<&'static str> {
        self.things.iter().filter(|thing| thing.kind == kind).map(|thing| thing.state).collect()
    }

    /// Whether things of that kind are one account's alone.
    pub fn is_an_accounts(&self, kind: Kind) -> bool {
        self.accounts.keys().any(|(_, known)| *known == kind)
    }

    /// The id of something that is an account's alone: of that role, or where that has none, of the lead agency.
    #[track_caller]
    pub fn account(&self, role: Role, kind: Kind) -> &str {
        let own = self.accounts.get(&(role, kind)).or_else(|| self.accounts.get(&(Role::LeadAgency, kind)));
        own.unwrap_or_else(|| panic!("{} has no {}", self.lead, kind.name()))
    }

    /// The word by which something of it is found.
    #[track_caller]
    pub fn word(&self, name: &str) -> &str {
        self.words.get(name).unwrap_or_else(|| panic!("{} has no {name}", self.lead))
    }

    /// Whether a text has any of its ids, except those.
    pub fn shows(&self, text: &str, besides: &str) -> bool {
        let ids = self.things.iter().map(|thing| &thing.id).chain(self.pairs.values()).chain(self.accounts.values());
        ids.chain(self.words.values())
            .filter(|id| id.len() == 36 && !besides.contains(*id))
            .any(|id| text.contains(id.as_str()))
    }

    /// Someone of that role who belongs to it.
    pub fn caller(&self, role: Role) -> Actor<'a> {
        match role {
            Role::Provider => self.app.provider(self.thing(Kind::Provider)),
            Role::Portal => self.app.portal(self.portal),
            role if BUYING.contains(&role) => self.app.buyer(role, self.lead),
            role => self.app.of_role(role),
        }
    }

    /// Someone of that buying role at the authority that takes part.
    pub fn takes_part(&self, role: Role) -> Actor<'a> {
        self.app.buyer(role, self.participant)
    }

    fn keep(&mut self, kind: Kind, id: String) {
        self.keep_in(kind, "", id);
    }

    fn keep_in(&mut self, kind: Kind, state: &'static str, id: String) {
        let twice = self.things.iter().any(|thing| thing.kind == kind && thing.state == state);
        assert!(!twice, "{} {state} twice", kind.name());
        self.things.push(Thing { kind, state, id });
    }

    fn grow(&mut self, drafts: &Drafts<'a>) {
        let Drafts { rolling, sealed, open, draft } = drafts;
        let lead = &rolling.lead;
        self.keep_in(Kind::Arrangement, "live", rolling.id.clone());
        self.keep_in(Kind::Arrangement, "draft", draft.id.clone());
        self.keep_in(Kind::Lot, "live", rolling.lot("A").to_owned());
        self.keep_in(Kind::Lot, "draft", draft.lot("A").to_owned());
        let aliases = json!([{"authority": self.participant, "code": "F", "label": "Fostering"}]);
        lead.put(&format!("/v1/lots/{}/aliases", rolling.lot("A")), aliases).expect(200);
        self.keep(Kind::Requirement, rolling.requirement(ASKED).to_owned());
        self.keep(Kind::Round, sealed.round(1)["id"].as_str().unwrap().to_owned());
        self.pairs.insert((Kind::Arrangement, Kind::Round), sealed.id.clone());
        let ash = self.provider();
        self.keep(Kind::Interest, ash.provider.post(&rolling.path("/interests"), json!({})).expect(201).id());
        self.applications(&ash, rolling, sealed, open);
        self.measures(&ash, rolling);
        let excluded = json!({"evidence": ["judgment"], "from": "2018-01-01", "ground": "bribery"});
        lead.post(&format!("/v1/providers/{}/exclusions", ash.id), excluded).expect(200);
        self.accounts(&ash);
        let of_market = |list: &str, items: &str| {
            let page = self.app.anonymous().get(&format!("/v1/ocds/{list}?limit=100")).expect(200).body;
            let found =
                page[items].as_array().unwrap().iter().find(|item| item.to_string().contains(&rolling.id)).cloned();
            found.unwrap_or_else(|| panic!("nothing of {} in {page:#}", rolling.id))
        };
        let (record, release) = (of_market("records", "records"), of_market("releases", "releases"));
        self.words.insert("ocid", record["ocid"].as_str().unwrap().to_owned());
        self.words.insert("release", release["id"].as_str().unwrap().to_owned());
    }

    /// A provider with a home that the portal registered.
    fn provider(&mut self) -> Applicant<'a> {
        let portal = self.app.portal(self.portal);
        let id = portal.post("/v1/providers", json!({"legalName": format!("Care of {}", self.lead)})).expect(201).id();
        let reference = json!({"portal": "procontract", "reference": self.lead});
        portal.post(&format!("/v1/providers/{id}/external-references"), reference).expect(200);
        let ash = Applicant { app: self.app, provider: self.app.provider(&id), id };
        let home = ash.home("HD1 1AA", Some("good"));
        let urn = ash.provider.get(&format!("/v1/homes/{home}")).expect(200).body["registration"]["urn"].clone();
        self.words.insert("urn", urn.as_str().unwrap().to_owned());
        self.keep(Kind::Home, home);
        self.keep(Kind::Provider, ash.id.clone());
        // Another of the portal's has sold it a home, which waits for its word.
        let id =
            portal.post("/v1/providers", json!({"legalName": format!("Seller of {}", self.lead)})).expect(201).id();
        let elm = Applicant { app: self.app, provider: self.app.provider(&id), id };
        let sold = elm.home("HD1 1AB", None);
        let sale = json!({"to": ash.id, "on": "2018-12-01", "reason": "sold"});
        elm.provider.post(&format!("/v1/homes/{sold}/transfer"), sale).expect(200);
        self.keep_in(Kind::Home, "offered", sold);
        ash
    }

    /// An application in each state that matters: a draft, one that is sealed, one in evaluation.
    fn applications(&mut self, ash: &Applicant<'a>, rolling: &Market<'a>, sealed: &Market<'a>, open: &Market<'a>) {
        let draft = ash.start(open, &["A"]);
        let policy = json!({"requirement": self.thing(Kind::Requirement), "code": "policy"});
        draft.attach(open, ASKED, "policy", policy).expect(200);
        self.keep_in(Kind::Application, "draft", draft.id.clone());
        let submitted = ash.submitted(sealed, &["A"]);
        self.keep_in(Kind::Application, "sealed", submitted.id);
        let admitted = ash.submitted(rolling, &["A", "B", "C"]);
        admitted.pass(rolling);
        let declaration = rolling.lead.get(&rolling.path("/declaration-of-interests")).expect(200);
        self.keep(Kind::DeclarationOfInterests, declaration.id());
        self.keep(Kind::Membership, admitted.admit(rolling, "A"));
        let (measured, removed) = (admitted.admit(rolling, "B"), admitted.admit(rolling, "C"));
        for kind in [Kind::Suspension, Kind::ImprovementNotice, Kind::Sanction] {
            self.pairs.insert((Kind::Membership, kind), measured.clone());
        }
        self.pairs.insert((Kind::Membership, Kind::Removal), removed);
        let judged = ash.submitted(rolling, &["D"]);
        let check = judged.check_path(rolling, ASKED, "");
        rolling.lead.post(&format!("{check}/record"), passed()).expect(200);
        self.keep(Kind::ComplianceCheck, check.rsplit('/').next().unwrap().to_owned());
        self.keep_in(Kind::Application, "evaluated", judged.id);
        self.pairs.insert((Kind::Lot, Kind::Application), rolling.lot("D").to_owned());
    }

    /// What is done about members.
    fn measures(&mut self, ash: &Applicant<'a>, rolling: &Market<'a>) {
        let lead = &rolling.lead;
        let member = |with: Kind, lot: &str| Member {
            of: Applicant { app: self.app, id: ash.id.clone(), provider: ash.provider.clone() },
            application: String::new(),
            id: self.thing_with(Kind::Membership, with).to_owned(),
            lot: rolling.lot(lot).to_owned(),
        };
        let (fine, measured, removed) =
            (member(Kind::Fee, "A"), member(Kind::Suspension, "B"), member(Kind::Removal, "C"));
        let fee = json!({"code": "CORE", "description": "Core placement", "amountPence": 400_000, "unit": "week", "validFrom": "2019-04-01"});
        let fee = ash.provider.post(&fine.path("/fees"), fee).expect(201).id();
        let suspension = measured.suspend(lead, json!({"months": 3})).expect(201).id();
        let notice = json!({
            "issue": "late", "discussionHeldOn": "2018-12-01", "agreedWithProvider": true, "rectifyBy": "2019-06-01T00:00:00Z",
        });
        let notice = lead.post(&measured.path("/improvement-notices"), notice).expect(201).id();
        let sanction = json!({"kind": "conceal", "reason": "late"});
        let sanction = self.app.commissioner(self.lead).post(&measured.path("/sanctions"), sanction).expect(201).id();
        let removal = removed.remove(lead, json!({})).expect(201).id();
        let appeal = measured.appeals(json!({"kind": "suspension", "suspension": suspension}));
        let deadlines = lead.all(&format!("/v1/watched-deadlines?what=suspension_ends&provider={}", ash.id));
        self.keep(Kind::Deadline, deadlines[0]["id"].as_str().unwrap().to_owned());
        for (kind, id) in [
            (Kind::Fee, fee),
            (Kind::Suspension, suspension),
            (Kind::ImprovementNotice, notice),
            (Kind::Sanction, sanction),
            (Kind::Removal, removal),
            (Kind::Appeal, appeal.rsplit('/').next().unwrap().to_owned()),
        ] {
            self.keep(kind, id);
        }
    }

    /// What belongs to accounts: a subscription and an upload of each role that may have one, and a machine client.
    fn accounts(&mut self, ash: &Applicant<'a>) {
        let order = json!({"name": self.lead, "role": "script", "scopes": ["read_providers"]});
        let client = self.app.administrator().post("/v1/clients", order).expect(201);
        self.keep(Kind::Client, client.id());
        self.words.insert("client secret", client.body["secret"].as_str().unwrap().to_owned());
        for role in Role::ALL {
            let caller = self.caller(role);
            let webhook = json!({"url": format!("http://127.0.0.1:9/{}", self.lead)});
            let made = caller.post("/v1/webhooks", webhook);
            if made.status == 201 {
                self.accounts.insert((role, Kind::Webhook), made.id());
            }
            let path = match role {
                Role::Provider | Role::Portal => format!("/v1/uploads/homes?mode=partial&provider={}", ash.id),
                _ => "/v1/uploads/ratings?mode=partial".to_owned(),
            };
            let file = "urn,name,kind,postcode\r\n,Upload,childrens_home,PE29 1AA\r\n,,castle,\r\n";
            let sent =
                caller.request("POST", &path).bytes("text/csv", file.as_bytes()).header("prefer", "wait=60").send();
            if sent.status == 201 {
                self.accounts.insert((role, Kind::Upload), sent.id());
            }
        }
    }
}

impl<'a> Drafts<'a> {
    fn new(app: &'a TestApp, lead: &str, participant: &str) -> Self {
        let market = |number: u32, policies: Value| {
            let changes = json!({
                "lead": {"code": lead, "name": lead},
                "participants": [{"code": participant, "name": participant}],
                "reference": format!("{lead}-{number}"),
                "interestWindow": {"from": "2018-01-01T00:00:00Z", "to": "2020-01-01T00:00:00Z"},
                "policies": policies,
            });
            let lead = app.lead(lead);
            let id = crate::market::arrangement(&lead, with(cambridgeshire(), changes));
            Market { lead, id, lots: Vec::new(), requirements: Vec::new() }
        };
        let rolling = json!({"admissionMode": "rolling", "failurePath": "direct", "noFaultNoticeMonths": 12});
        let mut first = market(1, rolling);
        let mut asked = manual("Children are kept safe");
        asked["evidence"] = json!([{"code": "policy", "title": "The policy", "mandatory": false}]);
        first.require(ASKED, asked);
        let requirements = first.requirements.clone();
        let mut others = [2, 3, 4].map(|n| market(n, json!({})));
        for market in others.iter_mut().chain([&mut first]) {
            market.requirements.clone_from(&requirements);
            for code in ["A", "B", "C", "D"] {
                market.define(code, "fostering_agency");
            }
        }
        let [sealed, open, draft] = others;
        Self { rolling: first, sealed, open, draft }
    }
}

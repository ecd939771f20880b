//! Members to take measures against, and how they stand.

use serde_json::{Value, json};

use crate::actor::{Actor, Reply};
use crate::app::TestApp;
use crate::applicants::Applicant;
use crate::market::{LIVE, Market, with};

/// The Cambridgeshire market with those policies, every application evaluated on arrival; the clock stands where it
/// goes live.
#[track_caller]
pub fn rolling(app: &TestApp, policies: Value) -> Market<'_> {
    let policies = with(json!({"admissionMode": "rolling"}), policies);
    let market = Market::published_with(app, json!({"policies": policies}));
    app.at(LIVE);
    market
}

/// As [`rolling`], in another year: live on that day, with its contract from that day.
#[track_caller]
pub fn rolling_since<'a>(app: &'a TestApp, day: &str, policies: Value) -> Market<'a> {
    let policies = with(json!({"admissionMode": "rolling"}), policies);
    let live = format!("{day}T00:00:00Z");
    let market = Market::draft(app, json!({"liveAt": live, "contractStart": day, "policies": policies}));
    market.publish();
    app.at(&live);
    market
}

/// A provider's membership of a lot.
pub struct Member<'a> {
    pub of: Applicant<'a>,
    pub application: String,
    /// The membership's id.
    pub id: String,
    /// The lot's id.
    pub lot: String,
}

impl<'a> Member<'a> {
    /// A new provider that is a member of the fostering lot.
    #[track_caller]
    pub fn new(market: &Market<'a>, name: &str) -> Self {
        Self::in_lots(market, name, &["FOSTERING"]).remove(0)
    }

    /// A new provider that is a member of each of those lots, from one application.
    #[track_caller]
    pub fn in_lots(market: &Market<'a>, name: &str, lots: &[&str]) -> Vec<Self> {
        let (app, of) = (market.lead.app, Applicant::new(market.lead.app, name));
        let application = of.submitted(market, lots);
        application.into_evaluation(market);
        application.pass(market);
        let provider = of.provider.clone();
        let member = |lot: &&str| Self {
            of: Applicant { app, id: of.id.clone(), provider: provider.clone() },
            application: application.id.clone(),
            id: application.admit(market, lot),
            lot: market.lot(lot).to_owned(),
        };
        lots.iter().map(member).collect()
    }

    /// The provider itself.
    pub fn provider(&self) -> &Actor<'a> {
        &self.of.provider
    }

    /// The path of the membership, or of something under it.
    pub fn path(&self, under: &str) -> String {
        format!("/v1/memberships/{}{under}", self.id)
    }

    /// Suspends it by `order`, laid over the usual one.
    #[track_caller]
    pub fn suspend(&self, by: &Actor<'_>, order: Value) -> Reply {
        by.post(&self.path("/suspensions"), with(json!({"reason": "late visits"}), order))
    }

    /// Begins its removal for non-compliance with evidence, by `order` laid over that.
    #[track_caller]
    pub fn remove(&self, by: &Actor<'_>, order: Value) -> Reply {
        let usual = json!({"ground": "non_compliance", "reason": "no visits", "evidence": ["urn:example:visits"]});
        by.post(&self.path("/removals"), with(usual, order))
    }

    /// How it stands now, as the buying side reads it.
    #[track_caller]
    pub fn standing(&self, market: &Market<'_>) -> Value {
        market.lead.get(&self.path("")).expect(200).body
    }

    /// Its status now.
    #[track_caller]
    pub fn status(&self, market: &Market<'_>) -> String {
        self.standing(market)["standing"]["status"].as_str().unwrap().to_owned()
    }

    /// The codes of why it stands so, strongest first, at an instant.
    #[track_caller]
    pub fn because(&self, market: &Market<'_>, at: &str) -> Vec<String> {
        let seen = market.lead.get(&self.path(&format!("?asOf={at}"))).expect(200).body;
        seen["because"].as_array().unwrap().iter().map(|c| c["code"].as_str().unwrap().to_owned()).collect()
    }

    /// Whether a dispatch to its lot reaches it now.
    #[track_caller]
    pub fn receives(&self, market: &Market<'_>) -> bool {
        receivers(&market.lead, &self.lot, "").contains(&self.of.id)
    }

    /// Whether a dispatch to its lot reached it at that instant.
    #[track_caller]
    pub fn received(&self, market: &Market<'_>, at: &str) -> bool {
        receivers(&market.lead, &self.lot, &format!("&asOf={at}")).contains(&self.of.id)
    }

    /// Its provider appeals; the appeal's path.
    #[track_caller]
    pub fn appeals(&self, target: Value) -> String {
        let lodged = self.provider().post("/v1/appeals", json!({"target": target, "grounds": "we did visit"}));
        format!("/v1/appeals/{}", lodged.expect(201).state("lodged").id())
    }
}

/// The providers that a dispatch to a lot goes to, as far as a caller is shown them.
#[track_caller]
pub fn receivers(asked_by: &Actor<'_>, lot: &str, more: &str) -> Vec<String> {
    let register = asked_by.get(&format!("/v1/lots/{lot}/members?receiving=true{more}")).expect(200).body;
    let members = register["members"].as_array().unwrap();
    assert!(members.iter().all(|member| member["mayReceiveReferrals"] == true), "{register:#}");
    members.iter().map(|member| member["provider"].as_str().unwrap().to_owned()).collect()
}

/// The register of a lot; `query` is such as `?asOf=..`.
#[track_caller]
pub fn register(asked_by: &Actor<'_>, lot: &str, query: &str) -> Value {
    asked_by.get(&format!("/v1/lots/{lot}/members{query}")).expect(200).body
}

/// Someone of the lead agency who has decided nothing yet.
pub fn another_lead(app: &TestApp) -> Actor<'_> {
    app.actor(domain::kernel::Role::LeadAgency, "another-lead", Some("LGSS"), None)
}

/// The whole feed as a caller sees it; `query` is such as `&kind=..`.
#[track_caller]
pub fn feed(asked_by: &Actor<'_>, query: &str) -> Vec<Value> {
    follow(asked_by, query, 200, String::new()).0
}

/// The feed after a place, page by page, and the place where it ends.
#[track_caller]
pub fn follow(asked_by: &Actor<'_>, query: &str, limit: usize, mut after: String) -> (Vec<Value>, String) {
    let mut all = Vec::new();
    loop {
        let from = if after.is_empty() { String::new() } else { format!("&after={after}") };
        let page = asked_by.get(&format!("/v1/events?limit={limit}{from}{query}")).expect(200).body;
        let items = page["items"].as_array().unwrap();
        all.extend(items.iter().cloned());
        page["next"].as_str().unwrap().clone_into(&mut after);
        if items.is_empty() {
            return (all, after);
        }
    }
}

/// How many events of that type there are.
#[track_caller]
pub fn count(app: &TestApp, kind: &str) -> usize {
    feed(&app.script(), &format!("&kind={kind}")).len()
}

/// The types of some events, in their order.
pub fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

//! Applicants to test with: providers that register, add homes, apply, are assessed and are admitted. Each helper is
//! one step over HTTP, or the shortest way through several; a scenario takes what it needs.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::actor::{Actor, Reply};
use crate::app::TestApp;
use crate::market::{Market, with};

/// The version of the terms that [`crate::market::cambridgeshire`] publishes.
pub const TERMS: &str = "2019-01";

/// A number that no other call gets: what it names is unique in every database.
fn next() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1_000_000);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A registered provider.
pub struct Applicant<'a> {
    pub app: &'a TestApp,
    pub id: String,
    /// The provider itself.
    pub provider: Actor<'a>,
}

impl<'a> Applicant<'a> {
    /// A provider of that name that has registered itself.
    #[track_caller]
    pub fn new(app: &'a TestApp, name: &str) -> Self {
        let id = Uuid::from_u128(0x0190_a000_0000_7000_8000_0001_0000_0000 + u128::from(next())).to_string();
        let provider = app.provider(&id);
        let registered = provider.post("/v1/providers", json!({"legalName": name})).expect(201).id();
        assert_eq!(registered, id);
        Self { app, id, provider }
    }

    /// Adds a registered home at that postcode, rated so by a report of 2015; `None` where it is not rated yet.
    #[track_caller]
    pub fn home(&self, postcode: &str, rating: Option<&str>) -> String {
        let number = next();
        let home = json!({
            "profile": {"name": format!("Home {number}"), "kind": "childrens_home", "postcode": postcode, "beds": 4},
            "registration": {"urn": format!("SC{number}"), "registeredOn": "2010-04-01"},
        });
        let id = self.provider.post(&format!("/v1/providers/{}/homes", self.id), home).expect(201).id();
        if let Some(rating) = rating {
            self.rate(&id, rating, "2015-06-01").expect(200);
        }
        id
    }

    /// An officer confirms the rating of a home by an inspection and report of that day.
    #[track_caller]
    pub fn rate(&self, home: &str, rating: &str, on: &str) -> Reply {
        let facts = json!({
            "rating": rating, "inspectedOn": on, "publishedOn": on, "source": "ofsted", "reason": "the report says so",
        });
        self.app.lead("LGSS").post(&format!("/v1/homes/{home}/ratings"), facts)
    }

    /// The provider states it.
    #[track_caller]
    pub fn state_rating(&self, home: &str, rating: &str, on: &str) -> Reply {
        let facts = json!({"rating": rating, "inspectedOn": on, "publishedOn": on, "source": "ofsted"});
        self.provider.post(&format!("/v1/homes/{home}/ratings"), facts)
    }

    /// Starts an application for lots by their codes.
    #[track_caller]
    pub fn start(&self, market: &Market<'_>, lots: &[&str]) -> Application<'a> {
        self.start_as(market, lots, json!({}))
    }

    /// Starts an application that says more than its lots.
    #[track_caller]
    pub fn start_as(&self, market: &Market<'_>, lots: &[&str], more: Value) -> Application<'a> {
        let lots: Vec<&str> = lots.iter().map(|code| market.lot(code)).collect();
        let order = with(json!({"arrangement": market.id, "lots": lots}), more);
        let id = self.provider.post("/v1/applications", order).expect(201).id();
        Application { app: self.app, provider: self.provider.clone(), id }
    }

    /// Starts an application and accepts the terms: ready to submit where nothing more is asked.
    #[track_caller]
    pub fn ready(&self, market: &Market<'_>, lots: &[&str]) -> Application<'a> {
        let application = self.start(market, lots);
        application.accept_terms();
        application
    }

    /// Starts, completes and submits an application for those lots.
    #[track_caller]
    pub fn submitted(&self, market: &Market<'_>, lots: &[&str]) -> Application<'a> {
        let application = self.ready(market, lots);
        application.submit().expect(201);
        application
    }

    /// Goes all the way to a membership of that lot; its id. The clock moves to the close of the application's round,
    /// where the market has rounds: a test that needs several members at one instant takes a rolling market, or
    /// submits first and admits afterwards.
    #[track_caller]
    pub fn admitted(&self, market: &Market<'_>, lot: &str) -> String {
        let application = self.submitted(market, &[lot]);
        application.into_evaluation(market);
        application.pass(market);
        application.admit(market, lot)
    }
}

/// A new provider that is a member of that lot: the membership's id, with the provider.
#[track_caller]
pub fn member<'a>(market: &Market<'a>, name: &str, lot: &str) -> (String, Applicant<'a>) {
    let applicant = Applicant::new(market.lead.app, name);
    (applicant.admitted(market, lot), applicant)
}

/// An application as its provider holds it.
pub struct Application<'a> {
    pub app: &'a TestApp,
    pub id: String,
    /// Its provider, or the portal that acts for it.
    pub provider: Actor<'a>,
}

impl Application<'_> {
    /// The path of the application, or of something under it.
    pub fn path(&self, under: &str) -> String {
        format!("/v1/applications/{}{under}", self.id)
    }

    /// As its provider sees it now.
    #[track_caller]
    pub fn show(&self) -> Value {
        self.provider.get(&self.path("")).expect(200).body
    }

    #[track_caller]
    pub fn accept_terms(&self) {
        self.provider.put(&self.path("/terms"), json!({"version": TERMS})).expect(200);
    }

    /// Answers a requirement by its code, with values by question.
    #[track_caller]
    pub fn answer(&self, market: &Market<'_>, requirement: &str, answers: Value) -> Reply {
        self.provider.put(&self.path(&format!("/answers/{}", market.requirement(requirement))), answers)
    }

    /// Attaches a document to a requirement by its code; `more` has its dates and its amount.
    #[track_caller]
    pub fn attach(&self, market: &Market<'_>, requirement: &str, code: &str, more: Value) -> Reply {
        let document = json!({
            "requirement": market.requirement(requirement),
            "code": code,
            "document": {"name": format!("{code}.pdf"), "uri": format!("urn:example:{code}")},
        });
        self.provider.post(&self.path("/documents"), crate::market::with(document, more))
    }

    /// Declares exclusion grounds; an empty list for none.
    #[track_caller]
    pub fn declare(&self, grounds: Value) -> Reply {
        self.provider.put(&self.path("/exclusions"), json!({"grounds": grounds}))
    }

    #[track_caller]
    pub fn submit(&self) -> Reply {
        self.provider.post(&self.path("/submit"), Value::Null)
    }

    /// Moves the clock to the close of its round and starts that round's evaluation; nothing where it is in
    /// evaluation already.
    #[track_caller]
    #[expect(clippy::wrong_self_convention, reason = "it is the application that goes into evaluation, on the server")]
    pub fn into_evaluation(&self, market: &Market<'_>) {
        let shown = self.show();
        if shown["state"] == "in_evaluation" {
            return;
        }
        let round = format!("/v1/rounds/{}", shown["round"].as_str().unwrap_or_else(|| panic!("no round: {shown:#}")));
        self.app.at(market.lead.get(&round).expect(200).body["closesAt"].as_str().unwrap());
        market.lead.post(&format!("{round}/start-evaluation"), Value::Null).expect(200);
    }

    /// Its checks, as the lead agency sees them.
    #[track_caller]
    pub fn checks(&self, market: &Market<'_>) -> Vec<Value> {
        market.lead.all(&self.path("/checks"))
    }

    /// The check of a requirement by its code, as the lead agency sees it.
    #[track_caller]
    pub fn check(&self, market: &Market<'_>, requirement: &str) -> Value {
        let found = self.checks(market).into_iter().find(|check| check["code"] == requirement);
        found.unwrap_or_else(|| panic!("no check of {requirement}"))
    }

    /// The path of that check, or of something under it.
    #[track_caller]
    pub fn check_path(&self, market: &Market<'_>, requirement: &str, under: &str) -> String {
        format!("/v1/checks/{}{under}", self.check(market, requirement)["id"].as_str().unwrap())
    }

    /// The lead agency declares that it has no interests, and passes every check that is open.
    #[track_caller]
    pub fn pass(&self, market: &Market<'_>) {
        declare_interests(&market.lead, market, json!([]));
        for check in self.checks(market).iter().filter(|check| check["state"] == "open") {
            let path = format!("/v1/checks/{}/record", check["id"].as_str().unwrap());
            market.lead.post(&path, passed()).expect(200).state("passed");
        }
    }

    /// The lead agency declares that it has no interests, and fails that check.
    #[track_caller]
    pub fn fail(&self, market: &Market<'_>, requirement: &str) {
        declare_interests(&market.lead, market, json!([]));
        let path = self.check_path(market, requirement, "/record");
        market.lead.post(&path, failed()).expect(200).state("failed");
    }

    /// The path of the line of a lot by its code, such as `/admit` under it.
    pub fn line(&self, market: &Market<'_>, lot: &str, under: &str) -> String {
        self.path(&format!("/lines/{}{under}", market.lot(lot)))
    }

    /// The lead agency admits a line; the id of the membership.
    #[track_caller]
    pub fn admit(&self, market: &Market<'_>, lot: &str) -> String {
        let admitted = market.lead.post(&self.line(market, lot, "/admit"), Value::Null).expect(201);
        admitted.body["membership"].as_str().unwrap().to_owned()
    }

    /// The lead agency rejects a line for requirements by their codes.
    #[track_caller]
    pub fn reject(&self, market: &Market<'_>, lot: &str, reasons: &[&str]) -> Reply {
        market.lead.post(&self.line(market, lot, "/reject"), json!({"reasons": reasons}))
    }
}

/// An assessor declares its interests in the providers of a market.
#[track_caller]
pub fn declare_interests(assessor: &Actor<'_>, market: &Market<'_>, interests: Value) {
    assessor.put(&market.path("/declaration-of-interests"), json!({"interests": interests})).expect(200);
}

/// An assessor's judgement that a requirement is met.
pub fn passed() -> Value {
    json!({"passed": true, "evidence": ["answers"]})
}

/// An assessor's judgement that a requirement is not met.
pub fn failed() -> Value {
    json!({"passed": false, "reason": "the papers do not show it"})
}

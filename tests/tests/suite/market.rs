//! Markets to test in: like the one that LGSS runs for Cambridgeshire and Peterborough. Each helper is one step over
//! HTTP; a scenario takes the steps that it needs.

use serde_json::{Value, json};

use crate::actor::Actor;
use crate::app::TestApp;

/// When the Cambridgeshire market goes live.
pub const LIVE: &str = "2019-01-04T00:00:00Z";
/// When its first round closes (AC-01).
pub const FIRST_CLOSE: &str = "2019-02-03T00:00:00Z";
/// When its second round opens by the default policies.
pub const SECOND_OPEN: &str = "2019-04-03T23:00:00Z";

/// `base` with the fields of `changes` in place of its own, objects within objects too.
pub fn with(mut base: Value, changes: Value) -> Value {
    merge(&mut base, changes);
    base
}

fn merge(base: &mut Value, changes: Value) {
    match (base, changes) {
        (Value::Object(base), Value::Object(changes)) => {
            for (name, value) in changes {
                merge(base.entry(name).or_insert(Value::Null), value);
            }
        }
        (base, changes) => *base = changes,
    }
}

/// What creates the Cambridgeshire arrangement: led by LGSS, used by CCC and PCC.
pub fn cambridgeshire() -> Value {
    json!({
        "kind": "dps",
        "lead": {"code": "LGSS", "name": "Local Government Shared Services"},
        "participants": [
            {"code": "CCC", "name": "Cambridgeshire County Council"},
            {"code": "PCC", "name": "Peterborough City Council"},
        ],
        "reference": "DN119642",
        "title": "Children's external placements",
        "description": "Care placements and education for children, as many as are needed",
        "cpv": ["85311300-5"],
        "specification": {"title": "Service specification", "uri": "urn:example:specification"},
        "terms": {"document": {"title": "Terms", "uri": "urn:example:terms"}, "version": "2019-01"},
        "contact": {"name": "Procurement team"},
        "liveAt": LIVE,
        "contractStart": "2019-04-01",
        "policies": {},
    })
}

/// The particulars of the Cambridgeshire arrangement, as a patch takes them.
pub fn particulars() -> Value {
    let mut all = cambridgeshire();
    for other in ["kind", "lead", "participants", "policies"] {
        all.as_object_mut().unwrap().remove(other);
    }
    all
}

/// A requirement that an assessor judges.
pub fn manual(title: &str) -> Value {
    json!({"title": title, "test": {"kind": "manual"}, "gate": "membership", "mandatory": true, "selfAssessable": false})
}

/// Puts a requirement into the library of the actor's authority; its id.
#[track_caller]
pub fn requirement(lead: &Actor<'_>, code: &str, version: Value) -> String {
    lead.post("/v1/requirements", json!({"code": code, "first": version})).expect(201).id()
}

/// Creates an arrangement; its id.
#[track_caller]
pub fn arrangement(lead: &Actor<'_>, new: Value) -> String {
    lead.post("/v1/arrangements", new).expect(201).id()
}

/// Defines a lot; its id.
#[track_caller]
pub fn lot(lead: &Actor<'_>, arrangement: &str, code: &str, service: &str) -> String {
    let new = json!({"code": code, "title": format!("{code} placements"), "serviceType": service});
    lead.post(&format!("/v1/arrangements/{arrangement}/lots"), new).expect(201).id()
}

/// Lets a lot ask for version 1 of a requirement.
#[track_caller]
pub fn adopt(lead: &Actor<'_>, lot: &str, requirement: &str) {
    let reference = json!({"requirement": requirement, "version": 1});
    lead.post(&format!("/v1/lots/{lot}/requirements"), reference).expect(200);
}

/// An arrangement with its lots, as a test sees it.
pub struct Market<'a> {
    pub lead: Actor<'a>,
    pub id: String,
    /// Codes and ids of the lots, in the order of definition.
    pub lots: Vec<(String, String)>,
    /// Codes and ids of the requirements that every lot asks for.
    pub requirements: Vec<(String, String)>,
}

impl<'a> Market<'a> {
    /// The Cambridgeshire market as a draft, with `changes` to what [`cambridgeshire`] says: the lots FOSTERING,
    /// RESIDENTIAL, INMSS and TUITION, each with the manual requirements `safeguarding` and `insurance`.
    #[track_caller]
    pub fn draft(app: &'a TestApp, changes: Value) -> Self {
        let lead = app.lead("LGSS");
        let id = arrangement(&lead, with(cambridgeshire(), changes));
        let mut market = Self { lead, id, lots: Vec::new(), requirements: Vec::new() };
        market.require("safeguarding", manual("Children are kept safe"));
        market.require("insurance", manual("Insurance is in force"));
        for (code, service) in [
            ("FOSTERING", "fostering_agency"),
            ("RESIDENTIAL", "childrens_home"),
            ("INMSS", "special_school"),
            ("TUITION", "tuition"),
        ] {
            market.define(code, service);
        }
        market
    }

    /// The Cambridgeshire market, published on the day before it goes live; the clock then stands there.
    #[track_caller]
    pub fn published(app: &'a TestApp) -> Self {
        Self::published_with(app, json!({}))
    }

    /// As [`Market::published`], with changes.
    #[track_caller]
    pub fn published_with(app: &'a TestApp, changes: Value) -> Self {
        let market = Self::draft(app, changes);
        app.at("2019-01-03T09:00:00Z");
        market.publish();
        market
    }

    /// As [`Market::published`], with every application evaluated on arrival.
    #[track_caller]
    pub fn rolling(app: &'a TestApp) -> Self {
        let market = Self::published_with(app, json!({"policies": {"admissionMode": "rolling"}}));
        app.at(LIVE);
        market
    }

    /// A live market of one lot, CARE, that asks for exactly those requirements, under those policies.
    #[track_caller]
    pub fn asking(app: &'a TestApp, policies: Value, requirements: &[(&str, Value)]) -> Self {
        let lead = app.lead("LGSS");
        let id = arrangement(&lead, with(cambridgeshire(), json!({"policies": policies})));
        let mut market = Self { lead, id, lots: Vec::new(), requirements: Vec::new() };
        for (code, version) in requirements {
            market.require(code, version.clone());
        }
        market.define("CARE", "childrens_home");
        app.at("2019-01-03T09:00:00Z");
        market.publish();
        app.at(LIVE);
        market
    }

    /// Adds a requirement to the library; lots defined from now on ask for it.
    #[track_caller]
    pub fn require(&mut self, code: &str, version: Value) {
        let id = requirement(&self.lead, code, version);
        self.requirements.push((code.to_owned(), id));
    }

    /// Defines a lot that asks for every requirement so far.
    #[track_caller]
    pub fn define(&mut self, code: &str, service: &str) {
        let id = lot(&self.lead, &self.id, code, service);
        for (_, requirement) in &self.requirements {
            adopt(&self.lead, &id, requirement);
        }
        self.lots.push((code.to_owned(), id));
    }

    #[track_caller]
    pub fn publish(&self) {
        self.lead.post(&self.path("/publish"), Value::Null).expect(200).state("live");
    }

    /// The path of the arrangement, or of something under it.
    pub fn path(&self, under: &str) -> String {
        format!("/v1/arrangements/{}{under}", self.id)
    }

    /// The id of a lot by its code.
    #[track_caller]
    pub fn lot(&self, code: &str) -> &str {
        let found = self.lots.iter().find(|(known, _)| known == code);
        found.map_or_else(|| panic!("no lot {code}"), |(_, id)| id.as_str())
    }

    /// The id of a requirement by its code.
    #[track_caller]
    pub fn requirement(&self, code: &str) -> &str {
        let found = self.requirements.iter().find(|(known, _)| known == code);
        found.map_or_else(|| panic!("no requirement {code}"), |(_, id)| id.as_str())
    }

    /// Its arrangement now.
    #[track_caller]
    pub fn show(&self) -> Value {
        self.lead.get(&self.path("")).expect(200).body
    }

    /// Its rounds now, oldest first.
    #[track_caller]
    pub fn rounds(&self) -> Vec<Value> {
        self.lead.all(&self.path("/rounds"))
    }

    /// The round of that number, from 1.
    #[track_caller]
    pub fn round(&self, number: u32) -> Value {
        let found = self.rounds().into_iter().find(|round| round["number"] == number);
        found.unwrap_or_else(|| panic!("no round {number}"))
    }
}

//! What is wrong with a body is told at once, each fault at its own place (CRD-06).

use std::collections::BTreeSet;

use domain::kernel::{Reach, Role};
use serde_json::{Value, json};

use crate::actor::{Actor, Reply};
use crate::app::TestApp;
use crate::contract::permission;
use crate::documented::{OPERATIONS, Operation, target};
use crate::market::{Market, cambridgeshire, manual, with};

/// An id that nothing has.
const NOBODY: &str = "0190a000-0000-7000-8000-00000000dead";

/// The places that an answer calls invalid.
fn blamed(reply: &Reply) -> BTreeSet<String> {
    let errors = reply.body["errors"].as_array().into_iter().flatten();
    errors.filter(|error| error["code"] == "invalid").map(|error| error["field"].as_str().unwrap().to_owned()).collect()
}

/// Fails where these places, and no others, are not called invalid.
#[track_caller]
fn exactly(reply: &Reply, places: &[&str]) {
    let expected: BTreeSet<String> = places.iter().map(|place| (*place).to_owned()).collect();
    assert!(reply.status == 422 && blamed(reply) == expected, "expected {expected:?}\n{reply}");
}

fn without(mut body: Value, names: &[&str]) -> Value {
    for name in names {
        body.as_object_mut().unwrap().remove(*name).unwrap();
    }
    body
}

on_both! {
    fn every_field_that_is_missing_or_mistyped_is_told_at_once(app: &TestApp) {
        let lead = app.lead("LGSS");
        let create = |body: Value| lead.post("/v1/arrangements?dryRun=true", body);
        exactly(&create(without(cambridgeshire(), &["lead"])), &["/lead"]);
        exactly(&create(json!({})), &["/kind", "/lead", "/reference", "/title"]);
        exactly(&create(with(without(cambridgeshire(), &["title"]), json!({"liveAt": 7}))), &["/liveAt", "/title"]);
        exactly(&create(with(without(cambridgeshire(), &["kind"]), json!({"colour": "red"}))), &["/colour", "/kind"]);
        let inside = with(cambridgeshire(), json!({
            "title": null, "lead": {"code": "lgss"}, "cpv": "85311300-5", "liveAt": "soon", "kind": "bazaar",
            "documents": [{"title": "A", "uri": "urn:a"}, {"uri": 1, "pages": 2}],
            "policies": {"firstRoundDays": -1, "locationBoundary": {"mode": "radius", "miles": "5"}},
        }));
        exactly(&create(inside), &[
            "/cpv", "/documents/1/pages", "/documents/1/title", "/documents/1/uri", "/kind", "/lead/code", "/liveAt",
            "/policies/firstRoundDays", "/policies/locationBoundary/centres", "/policies/locationBoundary/miles", "/title",
        ]);
        exactly(&create(json!([])), &[""]);
    }

    fn what_a_tag_tells_is_pointed_at_where_the_tag_is_missing(app: &TestApp) {
        let market = Market::draft(app, json!({}));
        let define = |test: Value| {
            let first = with(manual("Something"), json!({"test": test}));
            market.lead.post("/v1/requirements?dryRun=true", json!({"code": "new", "first": without(first, &["gate"])}))
        };
        exactly(&define(json!({"kind": null})), &["/first/gate", "/first/test/kind"]);
        exactly(&define(json!({"kind": "guess"})), &["/first/gate", "/first/test/kind"]);
        exactly(&define(json!({"kind": "rating_share", "percent": 300})), &["/first/gate", "/first/test/atLeast", "/first/test/percent"]);
        exactly(&define(json!({"kind": "insurance", "minimum": 1.5})), &["/first/gate", "/first/test/minimum"]);
        let schedule = |lots: Value| market.lead.post(&market.path("/rounds?dryRun=true"), json!({"lots": lots}));
        exactly(&schedule(json!({})), &["/lots/scope", "/opensAt"]);
        exactly(&schedule(json!({"scope": "some"})), &["/lots/lots", "/opensAt"]);
        exactly(&schedule(json!({"scope": "some", "lots": [NOBODY, "x"]})), &["/lots/lots/1", "/opensAt"]);
        let aliases = |list: Value| {
            let path = format!("/v1/lots/{}/aliases?dryRun=true", market.lots[0].1);
            market.lead.request("PUT", &path).json(list).if_match("*").send()
        };
        exactly(&aliases(json!([{"authority": "CCC", "label": "One"}])), &["/0/code"]);
        exactly(&aliases(json!([{"authority": "CCC", "label": "One", "code": "x".repeat(201)}])), &["/0/code"]);
        let home = |kind: Value| {
            let profile = json!({"kind": kind, "postcode": "Ely", "beds": 70_000});
            app.newcomer().post(&format!("/v1/providers/{NOBODY}/homes?dryRun=true"), json!({"profile": profile}))
        };
        let rest = ["/profile/beds", "/profile/name", "/profile/postcode"];
        for (kind, places) in [
            (json!("childrens_home"), vec![]),
            (json!({"other": "A boat"}), vec![]),
            (json!("boat"), vec!["/profile/kind"]),
            (json!({"other": 1}), vec!["/profile/kind/other"]),
            (json!(1), vec!["/profile/kind"]),
        ] {
            exactly(&home(kind), &[rest.as_slice(), &places].concat());
        }
    }

    fn limits_of_what_the_domain_takes_are_told_with_the_rest(app: &TestApp) {
        let lead = app.lead("LGSS");
        let create = |body: Value| lead.post("/v1/arrangements?dryRun=true", body);
        let long = |letters: usize| json!({"title": "x".repeat(letters), "contact": {"name": "x".repeat(letters)}});
        create(with(cambridgeshire(), long(500))).expect(201);
        exactly(&create(with(cambridgeshire(), long(501))), &["/contact/name", "/title"]);
        exactly(&create(with(without(cambridgeshire(), &["kind"]), long(501))), &["/contact/name", "/kind", "/title"]);
        let unknown = with(cambridgeshire(), with(long(501), json!({"colour": "red"})));
        exactly(&create(unknown), &["/colour", "/contact/name", "/title"]);
    }

    fn a_body_of_many_faults_is_looked_at_once(app: &TestApp) {
        let lead = app.lead("LGSS");
        let participants = vec![json!({"code": "a", "kind": {"deeper": 1}}); 1_000];
        let started = std::time::Instant::now();
        let reply = lead.post("/v1/arrangements", with(cambridgeshire(), json!({"participants": participants})));
        let took = started.elapsed();
        assert_eq!(reply.problem("invalid", 422).body["errors"].as_array().unwrap().len(), 100);
        assert!(took < std::time::Duration::from_secs(2), "{took:?}");
        // What only a parser sees is told without a place.
        let twice = br#"{"legalName": "A", "legalName": "B"}"#;
        exactly(&app.newcomer().request("POST", "/v1/providers").bytes("application/json", twice).send(), &[""]);
    }

    fn a_list_is_never_taken_for_an_object_by_the_places_of_its_entries(app: &TestApp) {
        for operation in OPERATIONS.iter().filter(|operation| operation.method != "GET" && !operation.takes_a_file()) {
            let example = &operation.documented["requestBody"]["content"]["application/json"]["example"];
            let swept = Swept { operation, caller: whoever_reaches(app, operation), example };
            let mut objects = vec![String::new()];
            objects_of(example, "", &mut objects);
            for at in objects.iter().filter(|at| example.pointer(at).is_none_or(|part| !part.is_array())) {
                let entries: Vec<Value> = example.pointer(at).and_then(Value::as_object).into_iter().flatten().map(|(_, entry)| entry.clone()).collect();
                for list in [json!([]), Value::Array(entries)] {
                    let mut body = example.clone();
                    *body.pointer_mut(at).unwrap() = list;
                    exactly(&swept.send(body), &[at]);
                }
            }
        }
    }

    fn every_operation_points_at_each_field_of_its_body(app: &TestApp) {
        for operation in OPERATIONS.iter() {
            let media = &operation.documented["requestBody"]["content"]["application/json"];
            let (example, schema) = (&media["example"], &media["schema"]);
            if !example.is_null() {
                Swept { operation, caller: whoever_reaches(app, operation), example }.sweep(schema);
            }
        }
    }
}

/// The places of the objects within a value.
fn objects_of(value: &Value, at: &str, places: &mut Vec<String>) {
    let parts: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, part)| (format!("{at}/{name}"), part)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(i, part)| (format!("{at}/{i}"), part)).collect(),
        _ => return,
    };
    for (at, part) in parts {
        if part.is_object() {
            places.push(at.clone());
        }
        objects_of(part, &at, places);
    }
}

fn whoever_reaches<'a>(app: &'a TestApp, operation: &Operation) -> Actor<'a> {
    let role = Role::ALL.into_iter().skip(1).find(|role| permission(operation).reach(*role) != Reach::None);
    app.of_role(role.unwrap())
}

/// One operation, whose documented example is spoiled in all ways.
struct Swept<'a> {
    operation: &'static Operation,
    caller: Actor<'a>,
    example: &'a Value,
}

impl Swept<'_> {
    fn send(&self, body: Value) -> Reply {
        let method =
            ["POST", "PUT", "PATCH", "DELETE"].into_iter().find(|known| self.operation.method == *known).unwrap();
        let path = format!("{}{}", self.operation.filled(NOBODY), self.operation.needed_query(NOBODY));
        self.caller.request(method, &path).json(body).dry().if_match("*").send()
    }

    /// The example, spoiled in one or more places.
    fn spoiled(&self, ways: &[(&str, Spoil)]) -> Value {
        let mut body = self.example.clone();
        for (place, spoil) in ways {
            let (parent, name) = place.rsplit_once('/').unwrap();
            let fields = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
            match spoil {
                Spoil::Missing => drop(fields.remove(name)),
                // No field takes any value of this sort.
                Spoil::Mistyped if fields.get(name).is_some_and(Value::is_array) => {
                    drop(fields.insert(name.to_owned(), json!(true)));
                }
                Spoil::Mistyped => drop(fields.insert(name.to_owned(), json!([]))),
            }
        }
        body
    }

    fn sweep(&self, schema: &'static Value) {
        // Of a list, its first entry is looked at.
        let schema = target(schema);
        let (at, schema) = if self.example.is_array() { ("/0", target(&schema["items"])) } else { ("", schema) };
        let shown = self.example.pointer(at).and_then(Value::as_object);
        let shown: Vec<String> = shown.into_iter().flatten().map(|(name, _)| format!("{at}/{name}")).collect();
        let required = schema["required"].as_array().into_iter().flatten();
        let required: Vec<String> = required.map(|name| format!("{at}/{}", name.as_str().unwrap())).collect();
        for place in &required {
            exactly(&self.send(self.spoiled(&[(place, Spoil::Missing)])), &[place]);
        }
        for place in &shown {
            exactly(&self.send(self.spoiled(&[(place, Spoil::Mistyped)])), &[place]);
            for other in required.iter().filter(|other| *other != place) {
                exactly(
                    &self.send(self.spoiled(&[(place, Spoil::Mistyped), (other, Spoil::Missing)])),
                    &[place, other],
                );
            }
        }
        self.limits(schema, at.to_owned());
    }

    /// Each published limit of what the example shows is kept, and none is narrower than it is published.
    fn limits(&self, schema: &'static Value, at: String) {
        let schema = target(schema);
        let Some(shown) = self.example.pointer(&at) else { return };
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            self.limits(field, format!("{at}/{name}"));
        }
        let limit = |name: &str| schema[name].as_u64().map(|limit| usize::try_from(limit).unwrap());
        let letters = |count: usize| json!("x".repeat(count));
        let entries = |count: usize| json!(vec![shown[0].clone(); count]);
        let mut cases = Vec::new();
        cases.extend(limit("maxLength").map(|most| (letters(most), letters(most + 1))));
        cases.extend(limit("minLength").filter(|least| *least > 0).map(|least| (letters(least), letters(least - 1))));
        cases.extend(limit("maxItems").filter(|_| !shown[0].is_null()).map(|most| (entries(most), entries(most + 1))));
        cases.extend(limit("maximum").map(|most| (json!(most), json!(most + 1))));
        for (within, beyond) in cases {
            let with = |value: Value| {
                let mut body = self.example.clone();
                *body.pointer_mut(&at).unwrap() = value;
                self.send(body)
            };
            let reply = with(within);
            assert!(!blamed(&reply).contains(&at), "{} takes less than it says at {at}\n{reply}", self.operation.id);
            exactly(&with(beyond), &[&at]);
        }
    }
}

/// How a field is spoiled.
#[derive(Clone, Copy)]
enum Spoil {
    Missing,
    Mistyped,
}

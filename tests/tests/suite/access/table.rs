//! Every operation, by every role, on what is its own tenant's and on what is another's, over HTTP, beside the
//! reviewed table. The operations come from the published document and the bodies from its examples, so a new operation
//! is in the table, or the test fails.
//!
//! Authorisation is decided before any rule: whoever is refused by a rule has been let through. Every write is a dry
//! run, so that no cell changes what the next one meets.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use domain::kernel::Role;
use serde_json::{Value, json};

use super::world::{BUYING, Tenant};
use crate::actor::{Actor, Reply};
use crate::app::TestApp;
use crate::documented::{self, OPERATIONS, Operation};

const LEGEND: &str = "\
o  reached: shown, done, or of a list at least one thing of that tenant's
.  answered, with nothing of that tenant's
r  reached, and refused by a rule
n  not found
f  forbidden
u  unauthenticated
A cell is [own tenant, a tenant in which the caller's authority only takes part, another tenant].
Roles: PUblic PRovider ARt_officer CoMmissioner LEad_agency MOnitoring_officer COnsortium SW social_worker POrtal SCript ADministrator
";
const COLUMNS: [&str; 11] = ["PU", "PR", "AR", "CM", "LE", "MO", "CO", "SW", "PO", "SC", "AD"];

/// An operation on one sort of thing.
struct Row {
    operation: &'static Operation,
    /// Which, where an operation meets things in states that matter.
    which: &'static str,
    /// The sorts of answers that were held against the document, by status and code.
    checked: RefCell<BTreeSet<(u16, String)>>,
}

impl Row {
    /// Every operation, as often as it is worth asking.
    fn all() -> Vec<Self> {
        let of = |operation: &'static Operation| {
            let begins = |start: &str| operation.path.starts_with(start);
            let which: &[&str] = if begins("/v1/applications/{id}") {
                &["draft", "sealed", "evaluated"]
            } else if begins("/v1/arrangements/{id}") || begins("/v1/lots/{id}") {
                &["live", "draft"]
            } else if begins("/v1/deadlines/{kind}") {
                &["arrangement", "round", "application", "suspension", "improvement_notice", "removal"]
            } else {
                &[""]
            };
            which.iter().map(move |which| Self { operation, which, checked: RefCell::default() })
        };
        OPERATIONS.iter().flat_map(of).collect()
    }

    fn name(&self) -> String {
        let Operation { method, path, .. } = self.operation;
        format!("{method} {path} {}", self.which).trim_end().to_owned()
    }

    /// The value of a parameter of the path, for what is that tenant's and, where only one account has it, of that role.
    fn parameter<'t>(&self, under: &str, name: &str, tenant: &'t Tenant<'_>, role: Role) -> &'t str {
        match (under, name) {
            ("applications", "{id}") => tenant.thing(match self.which {
                "draft" => "draft application",
                "sealed" => "sealed application",
                _ => "evaluated application",
            }),
            ("arrangements", "{id}") if self.which == "draft" => tenant.thing("draft arrangement"),
            // Where it has rounds, and members against whom something was done.
            ("arrangements", "{id}") if self.operation.id == "listRounds" => tenant.thing("sealed arrangement"),
            ("arrangements", "{id}") => tenant.thing("live arrangement"),
            ("memberships", "{id}") if self.operation.id == "listMembershipRemovals" => tenant.thing("removed"),
            ("memberships", "{id}")
                if ["listImprovementNotices", "listSanctions", "listMembershipSuspensions"]
                    .contains(&self.operation.id.as_str()) =>
            {
                tenant.thing("measured")
            }
            ("lots", "{id}") if self.which == "draft" => tenant.thing("draft lot"),
            ("lots", "{id}") => tenant.thing("live lot"),
            ("lines", "{lot}") => tenant.thing("lot applied for"),
            ("answers" | "documents", "{requirement}") | ("requirements", "{id}") => tenant.thing("requirement"),
            ("{requirement}", "{code}") => "policy",
            ("problems", "{code}") => "not_found",
            ("deadlines", "{kind}") => self.which,
            ("{kind}", "{id}") => tenant.thing(match self.which {
                "arrangement" => "live arrangement",
                "application" => "evaluated application",
                which => which,
            }),
            ("exclusions", "{n}") => "0",
            ("jobs", "{name}") => "seal",
            ("by-reference", "{portal}") => "procontract",
            ("{portal}", "{reference}") => tenant.lead,
            ("upload-templates", "{kind}") => "homes",
            ("records", "{ocid}") => tenant.thing("ocid"),
            ("releases", "{id}") => tenant.thing("release"),
            ("uploads", "{id}") => tenant.account(role, "upload"),
            ("webhooks", "{id}") => tenant.account(role, "webhook"),
            ("improvement-notices", "{id}") => tenant.thing("improvement_notice"),
            (
                "rounds" | "providers" | "homes" | "checks" | "memberships" | "interests" | "suspensions" | "sanctions"
                | "removals" | "appeals" | "fees" | "clients",
                "{id}",
            ) => tenant.thing(under.trim_end_matches('s')),
            other => panic!("{}: {other:?} is new here: say what it stands for", self.operation.id),
        }
    }

    /// The address, with the query that an operation cannot do without, and what narrows a list to that tenant.
    fn address(&self, tenant: &Tenant<'_>, role: Role) -> String {
        let parts: Vec<&str> = self.operation.path.split('/').collect();
        let filled = parts.iter().enumerate().map(|(at, part)| match part {
            part if part.starts_with('{') => self.parameter(parts[at - 1], part, tenant, role),
            part => part,
        });
        let mut address = filled.collect::<Vec<_>>().join("/");
        let mut joint = '?';
        for parameter in self.operation.documented["parameters"].as_array().into_iter().flatten() {
            let value = match (parameter["name"].as_str().unwrap(), parameter["required"] == true) {
                ("arrangement", _) => tenant.thing("live arrangement"),
                ("provider", _) if !self.operation.path.contains("arrangement") => tenant.thing("provider"),
                ("limit", _) => "100",
                ("application", true) => tenant.thing("draft application"),
                ("urn", true) => tenant.thing("urn"),
                ("before" | "start", true) => "2019-01-04T00:00:00Z",
                ("regime", true) => "pcr34",
                ("rule", true) => "PCR34-16",
                (name, true) if parameter["in"] == "query" => panic!("{}: {name} is new here", self.operation.id),
                _ => continue,
            };
            if parameter["in"] == "query" {
                write!(address, "{joint}{}={value}", parameter["name"].as_str().unwrap()).unwrap();
                joint = '&';
            }
        }
        address
    }

    /// The documented example, about what is that tenant's.
    fn body(&self, tenant: &Tenant<'_>) -> Value {
        let mut body = self.operation.documented["requestBody"]["content"]["application/json"]["example"].clone();
        if let Some(fields) = body.as_object_mut() {
            match self.operation.id.as_str() {
                "startApplication" | "registerInterest" => {
                    fields.insert("provider".to_owned(), json!(tenant.thing("provider")));
                }
                "moveClock" => drop(fields.insert("now".to_owned(), json!(crate::market::LIVE))),
                "createArrangement" => {
                    drop(fields.insert("lead".to_owned(), json!({"code": tenant.lead, "name": "The lead"})));
                }
                "createWebhook" | "changeWebhook" => {
                    drop(fields.insert("url".to_owned(), json!("http://127.0.0.1:9/")));
                }
                _ => {}
            }
        }
        about(&mut body, "", tenant);
        body
    }

    /// Asks for the cell.
    fn ask(&self, caller: &Actor<'_>, tenant: &Tenant<'_>, role: Role) -> char {
        let address = self.address(tenant, role);
        let method =
            ["GET", "POST", "PUT", "PATCH", "DELETE"].into_iter().find(|known| self.operation.method == *known);
        let method = method.unwrap_or_else(|| panic!("a method that is new here: {}", self.operation.method));
        let mut call = caller.request(method, &address);
        if method != "GET" {
            call = if self.operation.takes_a_file() {
                call.bytes("text/csv", b"urn,name\r\n,Dry\r\n")
            } else {
                call.json(self.body(tenant))
            };
            call = call.dry().if_match("*");
        }
        // Asked so that it becomes no example of the contract.
        let reply = call.send_to_broken();
        // Each sort of answer once: a page of events takes longer to check than to get.
        let code = reply.body["code"].as_str().unwrap_or_default().to_owned();
        if self.checked.borrow_mut().insert((reply.status, code)) {
            documented::check(method, &address, &reply);
        }
        self.class(&reply, &address, tenant)
    }

    fn class(&self, reply: &Reply, address: &str, tenant: &Tenant<'_>) -> char {
        let code = reply.body["code"].as_str().unwrap_or_default();
        match (reply.status, code) {
            (200..=299, _) if self.operation.method == "GET" => {
                let list = ["items", "members"].iter().find_map(|name| reply.body[*name].as_array());
                let by_id = self.operation.path.contains('{');
                let shown = match list {
                    Some(list) if by_id => !list.is_empty(),
                    None if by_id => true,
                    _ => tenant.shows(&reply.text, address),
                };
                if shown { 'o' } else { '.' }
            }
            (200..=299, _) => 'o',
            (401, _) => 'u',
            (403, "forbidden" | "insufficient_scope") => 'f',
            (404, "not_found") => 'n',
            // What is wrong with a request is told before it is looked at whose it is.
            (400 | 413 | 415 | 428 | 429, _) | (422, "invalid") => {
                panic!("{}: not a request to decide on\n{reply}", self.name())
            }
            (403 | 409 | 412 | 422, _) => 'r',
            _ => panic!("{}: an outcome that is new here\n{reply}", self.name()),
        }
    }
}

/// Puts that tenant's own in the place of what an example names.
fn about(value: &mut Value, name: &str, tenant: &Tenant<'_>) {
    match value {
        Value::Object(fields) => fields.iter_mut().for_each(|(name, value)| about(value, name, tenant)),
        Value::Array(items) => items.iter_mut().for_each(|item| about(item, name, tenant)),
        Value::String(text) if text.starts_with("0190a000-") => {
            let own = match name {
                "arrangement" => "live arrangement",
                "lots" | "lot" => "live lot",
                "homes" => "home",
                "from" => "evaluated application",
                "providers" => "provider",
                name => name,
            };
            tenant.thing(own).clone_into(text);
        }
        _ => {}
    }
}

on_both! {
    fn every_operation_by_every_role_on_what_is_whose(app: &TestApp) {
        let tenants = Tenant::two(app);
        let [own, other] = &tenants;
        let mut table = format!("{LEGEND}\n{:<72}{}\n", "", COLUMNS.map(|column| format!("{column:<5}")).concat());
        let mut asked = BTreeSet::new();
        let parts = |role| BUYING.contains(&role).then(|| own.takes_part(role));
        let callers = Role::ALL.map(|role| (role, own.caller(role), parts(role)));
        for row in Row::all() {
            let mut line = format!("{:<72}", row.name());
            let mut reached = None;
            for (role, caller, part) in &callers {
                let role = *role;
                let mut cell = String::from(row.ask(caller, own, role));
                cell.extend(part.as_ref().map(|part| row.ask(part, own, role)));
                cell.push(row.ask(caller, other, role));
                if let Some(class @ ('o' | 'r' | '.')) = cell.chars().next()
                    && reached.is_none_or(|(_, best)| best == '.' && class != '.')
                {
                    reached = Some((role, class));
                }
                write!(line, "{cell:<5}").unwrap();
            }
            // What is another's is there: whoever owns it gets what the owner of the first gets.
            if let Some((role, class)) = reached {
                assert_eq!(row.ask(&other.caller(role), other, role), class, "{} as {}", row.name(), role.name());
                asked.insert(&row.operation.id);
            }
            writeln!(table, "{}", line.trim_end()).unwrap();
        }
        let never: Vec<_> = OPERATIONS.iter().map(|operation| &operation.id).filter(|id| !asked.contains(id)).collect();
        assert!(never.is_empty(), "nobody reached these, so that they prove nothing: {never:?}");
        insta::assert_snapshot!("who_reaches_what", table);
    }
}

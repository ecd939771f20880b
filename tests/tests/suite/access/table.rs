//! Every operation, by every role, on what is its own tenant's and on what is another's, over HTTP, beside the
//! reviewed table. The operations come from the published document and the bodies from its examples, so a new operation
//! is in the table, or the test fails.
//!
//! Authorisation is decided before any rule: whoever is refused by a rule has been let through. Every write is a dry
//! run, so that no cell changes what the next one meets.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use domain::kernel::{Kind, Role};
use serde_json::{Value, json};

use super::named;
use super::world::{BUYING, Tenant, USUAL};
use crate::actor::{Actor, Reply};
use crate::app::TestApp;
use crate::documented::{self, ALL, Operation};

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
    /// Every operation, as often as it is worth asking: on what is in each state that matters, and of what is explained
    /// by its kind for each kind that is.
    fn all(tenant: &Tenant<'_>) -> Vec<Self> {
        let of = |operation: &'static Operation| {
            let which = match named::under(operation).map(|kind| tenant.states(kind)) {
                Some(states) if states.len() > 1 => states,
                _ if operation.path.contains("/{kind}/{id}") => explained(operation, tenant),
                _ => vec![""],
            };
            which.into_iter().map(move |which| Self { operation, which, checked: RefCell::default() })
        };
        ALL.iter().flat_map(of).collect()
    }

    fn name(&self) -> String {
        let Operation { method, path, .. } = self.operation;
        format!("{method} {path} {}", self.which).trim_end().to_owned()
    }

    /// The value of a parameter of the path, for what is that tenant's and, where only one account has it, of that role.
    fn parameter<'t>(&self, name: &str, tenant: &'t Tenant<'_>, role: Role) -> &'t str {
        let operation = self.operation;
        let Some(kind) = named::parameter(operation, "path", name) else {
            return match (name, operation.path.starts_with("/problems/")) {
                ("code", true) => "not_found",
                ("code", false) => "policy",
                ("kind", _) if self.which.is_empty() => "homes",
                ("kind", _) => self.which,
                ("id", _) if !self.which.is_empty() => tenant.thing(by_name(self.which)),
                ("n", _) => "0",
                ("name", _) => "seal",
                ("portal", _) => "procontract",
                ("reference", _) => tenant.lead,
                ("ocid", _) => tenant.word("ocid"),
                ("id", _) if operation.path.starts_with("/v1/ocds/") => tenant.word("release"),
                _ => panic!("{}: {name} is new here: say what it stands for", operation.id),
            };
        };
        if tenant.is_an_accounts(kind) {
            return tenant.account(role, kind);
        }
        // A list within something is asked of the one that has such things.
        let listed =
            operation.path.rsplit('/').next().and_then(named::collection).filter(|_| operation.method == "GET");
        match (named::under(operation), listed) {
            (Some(under), _) if under != kind => tenant.thing_with(kind, under),
            (_, Some(listed)) if USUAL.contains(&self.which) => tenant.thing_with(kind, listed),
            _ => tenant.thing_in(kind, self.which),
        }
    }

    /// The address, with the query that an operation cannot do without, and what narrows a list to that tenant.
    fn address(&self, tenant: &Tenant<'_>, role: Role) -> String {
        let filled = self.operation.path.split('/').map(|part| match part.strip_prefix('{') {
            Some(name) => self.parameter(name.trim_end_matches('}'), tenant, role),
            None => part,
        });
        let mut address = filled.collect::<Vec<_>>().join("/");
        let mut joint = '?';
        for parameter in self.operation.documented["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] != "query" {
                continue;
            }
            let (name, needed) = (parameter["name"].as_str().unwrap(), parameter["required"] == true);
            let value = match (name, named::parameter(self.operation, "query", name)) {
                (_, Some(Kind::Arrangement)) => tenant.thing(Kind::Arrangement),
                (_, Some(Kind::Provider)) if !self.operation.path.contains("arrangement") => {
                    tenant.thing(Kind::Provider)
                }
                (_, Some(kind)) if needed => tenant.thing_in(kind, "draft"),
                ("limit", _) => "100",
                ("urn", _) if needed => tenant.word("urn"),
                ("before" | "start", _) if needed => "2019-01-04T00:00:00Z",
                ("regime", _) if needed => "pcr34",
                ("rule", _) if needed => "PCR34-16",
                _ if needed => panic!("{}: {name} is new here", self.operation.id),
                _ => continue,
            };
            write!(address, "{joint}{name}={value}").unwrap();
            joint = '&';
        }
        address
    }

    /// The documented example, about what is that tenant's.
    fn body(&self, tenant: &Tenant<'_>) -> Value {
        let mut body = self.operation.documented["requestBody"]["content"]["application/json"]["example"].clone();
        if let Some(fields) = body.as_object_mut() {
            match self.operation.id.as_str() {
                "startApplication" | "registerInterest" => {
                    fields.insert("provider".to_owned(), json!(tenant.thing(Kind::Provider)));
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

    /// Whether it stands before the gate: the secret counts there, and who sends a bearer token as well is refused.
    fn gives_tokens(&self) -> bool {
        self.operation.permission.is_empty()
    }

    /// Asks for the cell.
    fn ask(&self, caller: &Actor<'_>, tenant: &Tenant<'_>, role: Role) -> char {
        let address = self.address(tenant, role);
        let method =
            ["GET", "POST", "PUT", "PATCH", "DELETE"].into_iter().find(|known| self.operation.method == *known);
        let method = method.unwrap_or_else(|| panic!("a method that is new here: {}", self.operation.method));
        let mut call = caller.request(method, &address);
        if self.gives_tokens() {
            let (client, secret) = (tenant.thing(Kind::Client), tenant.word("client secret"));
            let form = format!("grant_type=client_credentials&client_id={client}&client_secret={secret}");
            call = call.bytes("application/x-www-form-urlencoded", form.as_bytes());
        } else if method != "GET" {
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
            (400, _) if self.gives_tokens() => 'r',
            // What is wrong with a request is told before it is looked at whose it is.
            (400 | 413 | 415 | 428 | 429, _) | (422, "invalid") => {
                panic!("{}: not a request to decide on\n{reply}", self.name())
            }
            (403 | 409 | 412 | 422, _) => 'r',
            _ => panic!("{}: an outcome that is new here\n{reply}", self.name()),
        }
    }
}

/// The kinds whose deadlines are explained, by name.
fn explained(operation: &Operation, tenant: &Tenant<'_>) -> Vec<&'static str> {
    let lead = tenant.caller(Role::LeadAgency);
    let kinds =
        Kind::ALL.iter().filter(|kind| !tenant.is_an_accounts(**kind)).map(|kind| (kind.name(), tenant.thing(*kind)));
    let shown = kinds.filter(|(name, id)| {
        let path = operation.path.replace("{kind}", name).replace("{id}", id);
        lead.request("GET", &path).send_to_broken().status == 200
    });
    shown.map(|(name, _)| name).collect()
}

fn by_name(name: &str) -> Kind {
    let kind = Kind::ALL.iter().find(|kind| kind.name() == name);
    *kind.unwrap_or_else(|| panic!("{name} is new here: say what it stands for"))
}

/// Puts that tenant's own in the place of what an example names.
fn about(value: &mut Value, name: &str, tenant: &Tenant<'_>) {
    match value {
        Value::Object(fields) => fields.iter_mut().for_each(|(name, value)| about(value, name, tenant)),
        Value::Array(items) => items.iter_mut().for_each(|item| about(item, name, tenant)),
        Value::String(text) if text.starts_with("0190a000-") => {
            let own = match name {
                // Whose answers are taken over.
                "from" => Kind::Application,
                // Who bought a home.
                "to" => Kind::Provider,
                name => named::collection(name).unwrap_or_else(|| by_name(name)),
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
        for row in Row::all(own) {
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
        let never: Vec<_> = ALL.iter().map(|operation| &operation.id).filter(|id| !asked.contains(id)).collect();
        assert!(never.is_empty(), "nobody reached these, so that they prove nothing: {never:?}");
        insta::assert_snapshot!("who_reaches_what", table);
    }
}

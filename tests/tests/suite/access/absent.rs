//! What is another's and what is not there cannot be told apart: by what is answered, nor by what the store is asked.

use std::sync::{Arc, Mutex};

use diesel::connection::{InstrumentationEvent, SimpleConnection};
use diesel::{Connection, PgConnection, SqliteConnection};
use domain::admission::Application;
use domain::admission::compliance_check::ComplianceCheck;
use domain::admission::membership::Membership;
use domain::arrangement::{Arrangement, Lot, Round};
use domain::fee::Fee;
use domain::kernel::{Actor, AuthorityCode, Permission, ProviderId, Role};
use domain::provider::home::Home;
use domain::provider::provider::Provider;
use domain::standing::appeal::Appeal;
use domain::standing::improvement_notice::ImprovementNotice;
use domain::standing::removal::Removal;
use domain::standing::sanction::Sanction;
use domain::standing::suspension::Suspension;
use persistence::{Conn, Record};
use usecase::Caller;
use uuid::Uuid;

use super::world::Tenant;
use crate::app::TestApp;
use crate::database::Kind;

/// An id that nothing has.
const NOBODY: &str = "0190a000-0000-7000-8000-00000000dead";

/// The statements that are run on a connection, without their values.
#[derive(Clone, Default)]
struct Statements(Arc<Mutex<Vec<String>>>);

impl Statements {
    fn of(&self, work: impl FnOnce()) -> Vec<String> {
        self.0.lock().unwrap().clear();
        work();
        self.0.lock().unwrap().clone()
    }

    fn watch(&self) -> impl diesel::connection::Instrumentation + use<> {
        let all = self.0.clone();
        move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                let text = query.to_string();
                all.lock().unwrap().push(text.split("-- binds").next().unwrap_or_default().trim().to_owned());
            }
        }
    }
}

/// Whoever asks, as the gate hands it on.
fn who(role: Role, tenant: &Tenant<'_>, permission: Permission) -> Caller {
    let caller = tenant.caller(role);
    let buys = super::world::BUYING.contains(&role);
    let actor = Actor {
        subject: caller.name,
        role,
        authority: buys.then(|| AuthorityCode::try_from(tenant.lead.to_owned()).unwrap()),
        provider: (role == Role::Provider).then(|| ProviderId(tenant.thing("provider").parse().unwrap())),
    };
    Caller { actor: actor.into(), permission, grant: None }
}

/// Fails where the store is asked anything else for what is that tenant's than for what is not there.
fn alike<A: Record>(conn: &mut Conn<'_>, asked: &Statements, who: &Caller, theirs: &str)
where
    A::Id: From<Uuid>,
{
    let mut ask = |id: &str| {
        let id = A::Id::from(id.parse::<Uuid>().unwrap());
        let mut told = String::new();
        let statements = asked.of(|| told = who.get::<A>(conn, id).err().map(|e| e.to_string()).unwrap_or_default());
        (told, statements)
    };
    let (theirs, nobodys) = (ask(theirs), ask(NOBODY));
    let role = who.actor.role.name();
    assert!(theirs.0.starts_with("no such ") && !theirs.1.is_empty(), "{role}: {} {theirs:?}", A::KIND.name());
    assert_eq!(theirs, nobodys, "{role}: {}", A::KIND.name());
}

fn all_alike(conn: &mut Conn<'_>, asked: &Statements, [own, other]: &[Tenant<'_>; 2]) {
    for role in [Role::Provider, Role::Portal, Role::LeadAgency, Role::Commissioner] {
        let market = who(role, own, Permission::ReadMarket);
        alike::<Arrangement>(conn, asked, &market, other.thing("draft arrangement"));
        alike::<Lot>(conn, asked, &market, other.thing("draft lot"));
        let applications = who(role, own, Permission::ReadApplications);
        alike::<Application>(conn, asked, &applications, other.thing("sealed application"));
        alike::<ComplianceCheck>(conn, asked, &applications, other.thing("compliance_check"));
        alike::<Appeal>(conn, asked, &applications, other.thing("appeal"));
        let members = who(role, own, Permission::ReadMembers);
        alike::<Membership>(conn, asked, &members, other.thing("membership"));
        alike::<Suspension>(conn, asked, &members, other.thing("suspension"));
        alike::<ImprovementNotice>(conn, asked, &members, other.thing("improvement_notice"));
        alike::<Sanction>(conn, asked, &members, other.thing("sanction"));
        alike::<Removal>(conn, asked, &members, other.thing("removal"));
        alike::<Fee>(conn, asked, &members, other.thing("fee"));
        if matches!(role, Role::Provider | Role::Portal) {
            let providers = who(role, own, Permission::ReadProviders);
            alike::<Provider>(conn, asked, &providers, other.thing("provider"));
            alike::<Home>(conn, asked, &providers, other.thing("home"));
        } else if role == Role::LeadAgency {
            alike::<Round>(conn, asked, &who(role, own, Permission::ManageRounds), other.thing("round"));
        }
    }
}

on_both! {
    fn the_store_is_asked_the_same_for_what_is_anothers_and_for_what_is_not_there(app: &TestApp) {
        let tenants = Tenant::two(app);
        let asked = Statements::default();
        match app.database.kind {
            Kind::Sqlite => {
                let mut conn = SqliteConnection::establish(app.database.url.trim_start_matches("sqlite:")).unwrap();
                conn.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
                conn.set_instrumentation(asked.watch());
                all_alike(&mut Conn::Sqlite(&mut conn), &asked, &tenants);
            }
            Kind::Postgres => {
                let mut conn = PgConnection::establish(&app.database.url).unwrap();
                conn.set_instrumentation(asked.watch());
                all_alike(&mut Conn::Pg(&mut conn), &asked, &tenants);
            }
        }
    }
}

/// Neither a handler nor a use case finds by an id of the request in any other way: the way to the store is `Caller`,
/// `Command` or `Call`.
#[test]
fn whoever_finds_by_an_id_asks_whose_it_is_in_the_same_step() {
    fn files(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() { files(&entry, found) } else { found.push(entry) }
        }
    }
    let within = |folder: &str| {
        let mut all = Vec::new();
        files(&std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(folder), &mut all);
        all.into_iter().map(|file| {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&file).unwrap())
        })
    };
    let finds = |line: &str, id: &str| {
        let how = ["get", "lock", "hold"].iter().any(|how| line.contains(&format!(".{how}::<")));
        how && line.contains(&format!("({id})?")) && !line.contains("who") && !line.contains("by.")
    };
    let mut beside = Vec::new();
    for (name, text) in within("api/src") {
        // A path parameter is `*id`; what is asked for by it and not through the caller is beside the way.
        beside.extend(text.lines().filter(|line| finds(line, "*id")).map(|line| format!("{name}: {}", line.trim())));
    }
    for (name, text) in within("crates/usecase/src") {
        // A use case that is given by a command has the ids of the request as its arguments.
        for function in text.split("\npub fn ").skip(1) {
            let (signature, body) = function.split_once(" {\n").unwrap();
            let body = body.split("\n}\n").next().unwrap();
            if !signature.contains("by: &Command") {
                continue;
            }
            let arguments = signature.split([',', '(']).filter_map(|argument| argument.split_once(':'));
            let ids: Vec<&str> = arguments.map(|(name, _)| name.trim()).collect();
            let found = body.lines().filter(|line| ids.iter().any(|id| finds(line, id)));
            beside.extend(found.map(|line| format!("{name}: {}", line.trim())));
        }
    }
    // Requirements are published from the first draft, clients are the administrators' alone, and an application
    // that was just locked is read once more.
    let mut meant = [
        "requirements.rs: call.read(move |c, _| Reply::ok(&c.get::<Requirement>(*id)?)).await",
        "clients.rs: call.read(move |c, _| shown(&c.get::<Client>(*id)?)).await",
        "application.rs: application.value = tx.get::<Application>(id)?.value;",
        "application.rs: let market = tx.hold::<Arrangement>(arrangement)?.value;",
    ];
    beside.sort();
    meant.sort_unstable();
    assert_eq!(beside, meant);
}

//! What is another's and what is not there cannot be told apart: by what is answered, nor by what the store is asked.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use diesel::connection::{InstrumentationEvent, SimpleConnection};
use diesel::{Connection, PgConnection, SqliteConnection};
use domain::kernel::{Actor, AuthorityCode, Kind, Permission, ProviderId, Role};
use domain::of_kind;
use persistence::{Conn, Failure, Outcome};
use usecase::Caller;
use uuid::Uuid;

use super::named;
use super::world::Tenant;
use crate::app::TestApp;
use crate::database;
use crate::documented::OPERATIONS;

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
        provider: (role == Role::Provider).then(|| ProviderId(tenant.thing(Kind::Provider).parse().unwrap())),
    };
    Caller { actor: actor.into(), permission, grant: None }
}

/// Kinds of which nothing is hidden in this way, and why.
const OPEN: &[(Kind, &str)] = &[
    (Kind::Requirement, "published from its first draft"),
    (Kind::Deadline, "read in lists alone"),
    (Kind::DeclarationOfInterests, "no operation names one: whoever made it asks for its own"),
    (Kind::Client, "the administrators' alone: to everyone else the operation itself is forbidden"),
];

/// Finds a thing of that kind for that caller, as a handler does.
fn get(kind: Kind, conn: &mut Conn<'_>, who: &Caller, id: Uuid) -> Outcome<()> {
    of_kind!(kind, A => who.get::<A>(conn, id.into()).map(drop))
}

/// Fails where the store is asked anything else for what is another's than for what is not there: for each kind that a
/// path names, under each permission that such a path needs, by each role that finds its own in this way.
fn all_alike(conn: &mut Conn<'_>, asked: &Statements, [own, other]: &[Tenant<'_>; 2]) {
    let permission = |name: &str| Permission::ALL.iter().copied().find(|known| format!("{known:?}") == name);
    let named = OPERATIONS.iter().filter_map(|o| Some((named::under(o)?, permission(&o.permission)?)));
    // What is one account's alone is found by its owner.
    let named: BTreeSet<(Kind, Permission)> = named.filter(|(kind, _)| !own.is_an_accounts(*kind)).collect();
    let mut hidden = BTreeSet::new();
    for (kind, permission) in named {
        for role in Role::ALL {
            let who = who(role, own, permission);
            if get(kind, conn, &who, own.thing(kind).parse().unwrap()).is_err() {
                continue;
            }
            let mut ask = |id: &str| {
                let mut told = Ok(());
                let statements = asked.of(|| told = get(kind, conn, &who, id.parse().unwrap()));
                (told, statements)
            };
            for id in other.all(kind) {
                let (Err(told @ Failure::NotFound(_)), statements) = ask(id) else { continue };
                let (nobodys, as_many) = ask(NOBODY);
                let place = format!("{} as {}, {permission:?}", kind.name(), role.name());
                assert!(told.to_string().starts_with("no such ") && !statements.is_empty(), "{place}: {told}");
                assert_eq!(nobodys.unwrap_err().to_string(), told.to_string(), "{place}");
                assert_eq!(as_many, statements, "{place}");
                hidden.insert(kind);
            }
        }
    }
    for kind in Kind::ALL.iter().filter(|kind| !own.is_an_accounts(**kind)) {
        let open = OPEN.iter().any(|(open, _)| open == kind);
        assert!(hidden.contains(kind) != open, "{}: hidden, or OPEN says why it is not", kind.name());
    }
}

on_both! {
    fn the_store_is_asked_the_same_for_what_is_anothers_and_for_what_is_not_there(app: &TestApp) {
        let tenants = Tenant::two(app);
        let asked = Statements::default();
        match app.database.kind {
            database::Kind::Sqlite => {
                let mut conn = SqliteConnection::establish(app.database.url.trim_start_matches("sqlite:")).unwrap();
                conn.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
                conn.set_instrumentation(asked.watch());
                all_alike(&mut Conn::Sqlite(&mut conn), &asked, &tenants);
            }
            database::Kind::Postgres => {
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
    ];
    beside.sort();
    meant.sort_unstable();
    assert_eq!(beside, meant);
}

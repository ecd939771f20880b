//! The roles of `deploy/postgres-roles.sql`: what each needs is all that it has.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use domain::kernel::Role;
use persistence::record::verify;
use serde_json::Value;

use super::world::Tenant;
use crate::app::TestApp;
use crate::database::{Database, Kind};

const ROLES: &str = include_str!("../../../../deploy/postgres-roles.sql");

/// The database's address for a role.
fn of(role: &str, url: &str) -> String {
    let (_, at) = url.split_once('@').expect("an address with a user");
    format!("postgres://{role}@{at}")
}

fn may(role: &str, url: &str, statement: &str) -> Result<(), String> {
    PgConnection::establish(&of(role, url)).unwrap().batch_execute(statement).map_err(|e| e.to_string())
}

#[track_caller]
fn is_denied(role: &str, url: &str, statement: &str) {
    let said = may(role, url, statement).expect_err(&format!("{role} may: {statement}"));
    assert!(
        ["permission denied", "must be owner", "must be superuser"].iter().any(|no| said.contains(no)),
        "{role}: {statement}: {said}"
    );
}

#[test]
fn the_owner_migrates_and_nobody_else() {
    let database = Database::bare(Kind::Postgres);
    database.execute(ROLES);
    for role in ["dps_app", "dps_read"] {
        let refused = persistence::migrate(&of(role, &database.url)).unwrap_err();
        assert!(format!("{refused:?}").contains("permission denied"), "{role}: {refused:?}");
    }
    assert!(!persistence::migrate(&of("dps_owner", &database.url)).unwrap().is_empty());
    // Until the rights are given again, what is new is its owner's alone.
    is_denied("dps_app", &database.url, "SELECT * FROM events");
    database.execute(ROLES);
    assert_eq!(persistence::migrate(&of("dps_app", &database.url)).unwrap(), Vec::<String>::new());
    may("dps_read", &database.url, "SELECT * FROM events").unwrap();
    // All of it can be taken back and made again by its owner.
    persistence::revert_all(&of("dps_owner", &database.url)).unwrap();
    assert!(!persistence::migrate(&of("dps_owner", &database.url)).unwrap().is_empty());
}

#[test]
fn a_server_does_all_its_work_as_the_servers_role_and_can_do_nothing_else() {
    let app = &TestApp::tuned(Kind::Postgres, |config| {
        PgConnection::establish(&config.database).unwrap().batch_execute(ROLES).unwrap();
        config.database = of("dps_app", &config.database);
    });
    // One of everything, everything that the clock does in two years, and every job.
    let [tenant, _] = Tenant::two(app);
    app.at("2021-01-04T00:00:00Z");
    for job in app.script().get("/v1/jobs").expect(200).body["items"].as_array().unwrap() {
        let run = format!("/v1/jobs/{}/run", job["name"].as_str().unwrap());
        let outcome = app.script().post(&run, Value::Null).expect(200).body["outcome"].clone();
        // Nobody listens where the webhooks go.
        assert!(outcome == "succeeded" || job["name"] == "deliver", "{job:#}: {outcome}");
    }
    let lead = app.lead(tenant.lead);
    let webhook = format!("/v1/webhooks/{}", tenant.account(Role::LeadAgency, domain::kernel::Kind::Webhook));
    assert!(!lead.all(&format!("{webhook}/deliveries")).is_empty(), "it was tried, and that is kept");
    lead.request("DELETE", &webhook).if_match("*").send().expect(200);

    let url = &app.database.url;
    let account = persistence::backup::inspect(&of("dps_read", url), verify::verify).unwrap();
    assert!(account.is_intact() && account.events > 100 && account.checkpoints > 0, "{account:#?}");

    for statement in [
        "UPDATE events SET actor = 'x'",
        "DELETE FROM events",
        "TRUNCATE events",
        "UPDATE checkpoints SET events = 0",
        "DELETE FROM checkpoints",
        "ALTER TABLE events DISABLE TRIGGER events_are_kept",
        "DROP TRIGGER events_are_kept ON events",
        "DROP TABLE applications",
        "DELETE FROM applications",
        "DELETE FROM memberships",
        "TRUNCATE timers",
        "CREATE TABLE mine (id int)",
        "CREATE TEMPORARY TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "CREATE INDEX mine ON events (at)",
        "UPDATE __diesel_schema_migrations SET version = '0'",
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('9')",
        "CREATE ROLE mine",
        "COPY events TO '/tmp/x'",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT setval('events_seq_seq', 1)",
    ] {
        is_denied("dps_app", url, statement);
        is_denied("dps_read", url, statement);
    }
    for statement in
        ["INSERT INTO leases SELECT * FROM leases", "UPDATE applications SET version = 0", "DELETE FROM timers"]
    {
        is_denied("dps_read", url, statement);
    }
}

#[test]
fn whoever_is_not_named_may_not_connect() {
    let database = Database::new(Kind::Postgres);
    database.execute(ROLES);
    let stranger = format!("stranger_{}", std::process::id());
    database.execute(&format!("CREATE ROLE {stranger} LOGIN"));
    let refused = PgConnection::establish(&of(&stranger, &database.url)).err().map(|e| e.to_string());
    database.execute(&format!("DROP ROLE {stranger}"));
    assert!(refused.as_deref().is_some_and(|said| said.contains("permission denied")), "{refused:?}");
}

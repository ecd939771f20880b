//! A command writes all of its rows or none: each statement of a decision is made to fail in turn, and the database
//! is then what it was before, to the last byte.

use diesel::prelude::*;
use diesel::sql_types::Text;
use serde_json::{Value, json};

use super::beside;
use crate::actor::Call;
use crate::app::TestApp;
use crate::applicants::{Applicant, declare_interests, passed};
use crate::database::{Database, Kind, postgres, sqlite};
use crate::market::{Market, manual, with};

/// A statement that fails: on that table, by that operation, where the new row is so.
type Fault = (&'static str, &'static str, &'static str);

const ANY: &str = "1 = 1";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    text: String,
}

fn texts(database: &Database, query: &str) -> Vec<String> {
    let rows: Vec<Row> = match database.kind {
        Kind::Sqlite => diesel::sql_query(query).load(&mut sqlite(&database.url)).unwrap(),
        Kind::Postgres => diesel::sql_query(query).load(&mut postgres(&database.url)).unwrap(),
    };
    rows.into_iter().map(|row| row.text).collect()
}

/// Every row of every table.
fn dump(database: &Database) -> Vec<(String, Vec<String>)> {
    let tables = match database.kind {
        Kind::Sqlite => {
            "SELECT name AS text FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        }
        Kind::Postgres => {
            "SELECT table_name::text AS text FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1"
        }
    };
    let rows = |table: &str| match database.kind {
        Kind::Sqlite => {
            let columns = format!("SELECT 'quote(' || name || ')' AS text FROM pragma_table_info('{table}')");
            let whole = texts(database, &columns).join(" || ',' || ");
            texts(database, &format!("SELECT {whole} AS text FROM {table} ORDER BY 1"))
        }
        Kind::Postgres => texts(database, &format!("SELECT t::text AS text FROM {table} t ORDER BY 1")),
    };
    texts(database, tables)
        .into_iter()
        .map(|table| {
            let found = rows(&table);
            (table, found)
        })
        .collect()
}

fn install(database: &Database, (table, operation, when): Fault) {
    let statement = match database.kind {
        Kind::Sqlite => format!(
            "CREATE TRIGGER fault BEFORE {operation} ON {table} WHEN {} BEGIN SELECT RAISE(ABORT, 'a fault'); END",
            when.replace("row.", "NEW.")
        ),
        Kind::Postgres => {
            let function = "CREATE OR REPLACE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS \
                            $$ BEGIN RAISE EXCEPTION 'a fault'; END $$";
            beside(database, function).unwrap();
            let when = when.replace("row.", "NEW.");
            format!(
                "CREATE TRIGGER fault BEFORE {operation} ON {table} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION fault()"
            )
        }
    };
    beside(database, &statement).unwrap();
}

fn remove(database: &Database, table: &str) {
    let statement = match database.kind {
        Kind::Sqlite => "DROP TRIGGER fault".to_owned(),
        Kind::Postgres => format!("DROP TRIGGER fault ON {table}"),
    };
    beside(database, &statement).unwrap();
}

/// Sends the request once with each fault, and once without any: then exactly the tables with faults have changed.
#[track_caller]
fn all_or_nothing<'a>(app: &'a TestApp, request: impl Fn() -> Call<'a>, faults: &[Fault], status: u16) {
    let before = dump(&app.database);
    for fault in faults {
        install(&app.database, *fault);
        let reply = request().key("once").send_to_broken();
        remove(&app.database, fault.0);
        assert!(
            reply.status == 500 && !reply.text.contains("a fault"),
            "{fault:?}: a failure, and no inner detail\n{reply}"
        );
        assert!(dump(&app.database) == before, "{fault:?} leaves something behind");
    }
    request().key("once").send().expect(status);
    let after = dump(&app.database);
    let written = |(table, rows): &(String, Vec<String>)| !before.contains(&(table.clone(), rows.clone()));
    let written: Vec<&str> = after.iter().filter(|table| written(table)).map(|(table, _)| table.as_str()).collect();
    let mut broken: Vec<&str> = faults.iter().map(|fault| fault.0).collect();
    broken.sort_unstable();
    broken.dedup();
    assert_eq!(written, broken, "every table that is written had its fault");
    // Each event that was written had its fault too.
    let events = |dump: &[(String, Vec<String>)]| dump.iter().find(|(table, _)| table == "events").unwrap().1.len();
    let kinds = "SELECT DISTINCT kind AS text FROM events ORDER BY 1";
    let failed: Vec<String> =
        faults.iter().filter(|f| f.0 == "events").map(|f| f.2.replace("row.kind = ", "").replace('\'', "")).collect();
    assert!(failed.iter().all(|kind| texts(&app.database, kinds).contains(kind)), "{failed:?}");
    assert!(events(&after) - events(&before) >= failed.len(), "{failed:?}");
}

/// A rolling market that asks for a judgement and for a policy by the provider's word, with an application that is complete.
fn ready(app: &TestApp) -> (Market<'_>, crate::applicants::Application<'_>) {
    let insured = with(
        manual("Insured"),
        json!({
            "test": {"kind": "evidence_in_date"},
            "selfAssessable": true,
            "evidence": [{"code": "policy", "title": "The policy", "mandatory": true}],
        }),
    );
    let asked = [("safeguarding", manual("Children are kept safe")), ("insurance", insured)];
    let market = Market::asking(app, json!({"admissionMode": "rolling"}), &asked);
    let application = Applicant::new(app, "Fens Care").ready(&market, &["CARE"]);
    application.answer(&market, "insurance", json!({"selfAssessment": true})).expect(200);
    application.attach(&market, "insurance", "policy", json!({"amount": 100, "expiresOn": "2019-12-31"})).expect(200);
    (market, application)
}

on_both! {
    fn an_admission_is_written_whole_or_not_at_all(app: &TestApp) {
        let (market, application) = ready(app);
        application.submit().expect(201);
        application.pass(&market);
        let path = application.line(&market, "CARE", "/admit");
        let faults = [
            ("applications", "UPDATE", ANY),
            ("memberships", "INSERT", ANY),
            ("impediments", "INSERT", ANY),
            ("deadlines", "INSERT", ANY),
            ("timers", "INSERT", ANY),
            ("events", "INSERT", "row.kind = 'LineAdmitted'"),
            ("events", "INSERT", "row.kind = 'ApplicationDecided'"),
            ("events", "INSERT", "row.kind = 'MembershipCreated'"),
            ("answers", "INSERT", ANY),
        ];
        all_or_nothing(app, || market.lead.request("POST", &path), &faults, 201);
    }

    fn a_judgement_is_written_whole_or_not_at_all(app: &TestApp) {
        let (market, application) = ready(app);
        application.submit().expect(201);
        declare_interests(&market.lead, &market, json!([]));
        let path = application.check_path(&market, "safeguarding", "/record");
        let faults = [
            ("compliance_checks", "UPDATE", ANY),
            ("events", "INSERT", "row.kind = 'CheckPassed'"),
            ("answers", "INSERT", ANY),
        ];
        all_or_nothing(app, || market.lead.request("POST", &path).json(passed()), &faults, 200);
    }

    fn a_submission_is_written_whole_or_not_at_all(app: &TestApp) {
        let (_, application) = ready(app);
        let path = application.path("/submit");
        let faults = [
            ("applications", "UPDATE", ANY),
            ("compliance_checks", "INSERT", ANY),
            ("timers", "INSERT", ANY),
            ("events", "INSERT", "row.kind = 'ApplicationSubmitted'"),
            ("events", "INSERT", "row.kind = 'EvaluationBegun'"),
            ("events", "INSERT", "row.kind = 'CheckOpened'"),
            ("events", "INSERT", "row.kind = 'CheckPassed'"),
            ("answers", "INSERT", ANY),
        ];
        all_or_nothing(app, || application.provider.request("POST", &path).json(Value::Null), &faults, 201);
    }
}

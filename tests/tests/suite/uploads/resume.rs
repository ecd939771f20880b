//! A server that stops midway: another one goes on at the exact row, and nothing is done twice.

use serde_json::{Value, json};

use super::{HOMES, counts, homes, kept};
use crate::app::{START, TestApp};
use crate::applicants::Applicant;
use crate::database::Kind;
use crate::members::{count, feed};
use crate::store::beside;

/// The store stops to answer at one row.
fn break_at(app: &TestApp, urn: &str) {
    let (name, when) = ("fault", format!("NEW.urn = '{urn}'"));
    let statement = match app.database.kind {
        Kind::Sqlite => format!(
            "CREATE TRIGGER {name} BEFORE INSERT ON homes WHEN {when} BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END"
        ),
        Kind::Postgres => {
            let function = "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS \
                            $$ BEGIN RAISE EXCEPTION 'the database system is shutting down'; END $$";
            beside(&app.database, function).unwrap();
            format!("CREATE TRIGGER {name} BEFORE INSERT ON homes FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION fault()")
        }
    };
    beside(&app.database, &statement).unwrap();
}

fn mend(app: &TestApp) {
    let statement = match app.database.kind {
        Kind::Sqlite => "DROP TRIGGER fault",
        Kind::Postgres => "DROP TRIGGER fault ON homes",
    };
    beside(&app.database, statement).unwrap();
}

/// The lease of an upload in the hands of a server that is gone, for that many microseconds of the machine's clock from 1970.
fn leave(app: &TestApp, id: &str, until: i64) {
    let holder = "0190a000000070008000000000000001";
    let statement = match app.database.kind {
        Kind::Sqlite => format!("INSERT OR REPLACE INTO leases VALUES ('upload/{id}', x'{holder}', {until})"),
        Kind::Postgres => format!(
            "INSERT INTO leases VALUES ('upload/{id}', '{holder}', to_timestamp({until} / 1000000.0)) \
             ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until"
        ),
    };
    beside(&app.database, &statement).unwrap();
}

/// Sends an upload to a server that gets as far as the store lets it, and is gone then; the upload's path.
fn left_behind(app: &TestApp, fens: &Applicant<'_>, path: &str, reached: impl Fn(&Value) -> bool) -> String {
    let first = app.beside(START);
    let sender = first.provider(&fens.id);
    let call = sender.request("POST", path).bytes("text/csv", homes(0..1200).as_bytes());
    let id = call.send().expect(202).state("received").id();
    let upload = format!("/v1/uploads/{id}");
    while !reached(&sender.request("GET", &upload).header("prefer", "wait=1").send().expect(200).body) {}
    upload
}

on_both! {
    fn another_server_goes_on_behind_the_last_batch(app: &TestApp) {
        let fens = Applicant::new(app, "Fens Care");
        break_at(app, "SC100700");
        let path = left_behind(app, &fens, &format!("{HOMES}?mode=partial"), |u| u["state"] == "validated" && u["progress"]["rows"] == 500);
        let body = fens.provider.get(&path).expect(200).body;
        assert_eq!((&body["counts"]["rows"], &body["progress"]["added"]), (&json!(1200), &json!(500)));
        assert_eq!((kept(&fens), count(app, "HomeAdded")), (500, 500));
        mend(app);
        // A server that is gone holds it until its lease has run out, which is soon by the machine's clock.
        let id = path.rsplit('/').next().unwrap();
        leave(app, id, api::clock::Clock::system().micros() + 50_000_000);
        let wait = |seconds: &str| fens.provider.request("GET", &path).header("prefer", seconds).send().expect(200);
        wait("wait=1").state("validated");
        leave(app, id, 0);
        let done = wait("wait=60").state("applied");
        assert_eq!(counts(&done.body), [1200, 1200, 0, 0, 0, 0]);
        assert_eq!((kept(&fens), count(app, "HomeAdded"), feed(&fens.provider, "&kind=UploadApplied").len()), (1200, 1200, 1));
    }

    fn what_cannot_be_done_in_time_fails_with_what_was_done(app: &TestApp) {
        let fens = Applicant::new(app, "Fens Care");
        break_at(app, "SC100700");
        let path = left_behind(app, &fens, &format!("{HOMES}?mode=partial"), |u| u["state"] == "validated" && u["progress"]["rows"] == 500);
        leave(app, path.rsplit('/').next().unwrap(), 0);
        app.at("2016-01-01T01:00:01Z");
        let done = fens.provider.request("GET", &path).header("prefer", "wait=60").send().expect(200).state("failed");
        assert_eq!((&done.body["reason"], counts(&done.body)), (&json!("time_limit"), [500, 500, 0, 0, 0, 0]));
        assert_eq!((kept(&fens), count(app, "HomeAdded"), feed(&fens.provider, "&kind=UploadFailed").len()), (500, 500, 1));
        mend(app);
    }

    fn an_atomic_upload_is_never_half(app: &TestApp) {
        let fens = Applicant::new(app, "Fens Care");
        break_at(app, "SC100700");
        let path = left_behind(app, &fens, HOMES, |u| u["state"] == "validated");
        assert_eq!((kept(&fens), count(app, "HomeAdded")), (0, 0));
        mend(app);
        leave(app, path.rsplit('/').next().unwrap(), 0);
        let done = fens.provider.request("GET", &path).header("prefer", "wait=60").send().expect(200).state("applied");
        assert_eq!(counts(&done.body), [1200, 1200, 0, 0, 0, 0]);
        assert_eq!((kept(&fens), count(app, "HomeAdded")), (1200, 1200));
    }
}

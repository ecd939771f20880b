//! Jobs over HTTP: what is due, what was done, and doing it now.

use api::SUBJECTS;
use domain::kernel::{Aggregate, Kind};
use domain::of_kind;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::members::{Member, rolling};

/// What the clock does is walked on the way of a test's clock; a second server whose clock is ahead finds it undone.
fn ahead(app: &TestApp, to: &str) -> TestApp {
    let market = rolling(app, json!({}));
    app.at("2019-05-01T12:00:00Z");
    for name in ["Ash", "Birch"] {
        Member::new(&market, name).suspend(&market.lead, json!({"months": 1})).expect(201);
    }
    app.beside(to)
}

on_both! {
    fn a_script_lists_runs_and_inspects_the_jobs(app: &TestApp) {
        let later = ahead(app, "2019-07-01T00:00:00Z");
        let script = later.script();
        let names: Vec<Value> = script.all("/v1/jobs").iter().map(|job| job["name"].clone()).collect();
        let known = ["advance-rounds", "lapse-suspensions", "effect-removals", "find-overdue", "tell-deadlines", "end-terms", "deliver", "seal", "tidy"];
        assert_eq!(names, known);
        let before = script.get("/v1/jobs/lapse-suspensions").expect(200).body;
        assert_eq!((&before["due"], &before["lastRun"]), (&json!(2), &Value::Null));
        let earlier = app.script().get("/v1/jobs/lapse-suspensions").expect(200).body;
        assert_eq!((&earlier["due"], earlier["nextDueAt"].as_str()), (&json!(0), Some("2019-06-01T12:00:00Z")));
        let run = |name: &str| script.post(&format!("/v1/jobs/{name}/run"), Value::Null).expect(200).body;
        let dry = script.request("POST", "/v1/jobs/lapse-suspensions/run").dry().send().expect(200).body;
        assert_eq!((&dry["made"], &dry["id"]), (&json!(2), &Value::Null));
        assert_eq!(run("effect-removals")["made"], 0, "another job leaves it alone");
        let done = run("lapse-suspensions");
        assert_eq!((&done["made"], &done["failed"], &done["outcome"]), (&json!(2), &json!(0), &json!("succeeded")));
        assert_eq!(done["startedAt"], "2019-07-01T00:00:00Z");
        assert_eq!(run("lapse-suspensions")["made"], 0);
        let after = script.get("/v1/jobs/lapse-suspensions").expect(200).body;
        assert_eq!((&after["due"], &after["lastRun"]["made"]), (&json!(0), &json!(0)));
        let runs = script.all("/v1/jobs/lapse-suspensions/runs?limit=1");
        let made: Vec<&Value> = runs.iter().map(|run| &run["made"]).collect();
        assert_eq!(made, [&json!(0), &json!(2)], "newest first");
        // Moving the clock runs them too, and says so.
        let lead = later.lead("LGSS");
        later.at("2029-06-01T00:00:00Z");
        assert_eq!(lead.get("/v1/jobs/end-terms").expect(200).body["lastRun"]["made"], 1);
        script.post("/v1/jobs/no-such/run", Value::Null).problem("not_found", 404);
        later.provider("0190a000-0000-7000-8000-000000000001").get("/v1/jobs").problem("forbidden", 403);
    }

    fn what_is_old_is_forgotten(app: &TestApp) {
        let script = app.script();
        let run = |name: &str| script.post(&format!("/v1/jobs/{name}/run"), Value::Null).expect(200).body["made"].clone();
        run("seal");
        app.at("2016-01-31T00:00:00Z");
        assert_eq!(run("tidy"), 0, "thirty days are kept");
        app.at("2016-02-01T00:00:00Z");
        let due = script.get("/v1/jobs/tidy").expect(200).body["due"].clone();
        assert_eq!((due, run("tidy")), (json!(1), json!(1)));
        assert_eq!(script.all("/v1/jobs/seal/runs"), [Value::Null; 0]);
    }
}

#[test]
fn whatever_falls_due_is_made_by_one_piece_of_clockwork_and_nothing_else_is() {
    let clock = |kind: Kind| of_kind!(kind, A => <A as Aggregate>::CLOCK);
    let due = Kind::ALL.iter().flat_map(|kind| clock(*kind).iter().map(|what| (*kind, *what)));
    let made = SUBJECTS.iter().flat_map(|subject| subject.clock).map(|clockwork| (clockwork.kind, clockwork.what));
    let sorted = |mut all: Vec<(Kind, &'static str)>| {
        all.sort_unstable();
        all
    };
    assert_eq!(sorted(made.collect()), sorted(due.collect()));
}

//! Several servers on one PostgreSQL database do the same clock-driven work at once, and each change is made once.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::app::TestApp;
use crate::applicants::Applicant;
use crate::database::Kind;
use crate::market::Market;
use crate::members::{Member, count, feed, register, rolling};
use crate::receiver::Receiver;
use crate::webhooks::{deliver, ids, ids_of, subscribe};

/// Moves the clocks of all servers at once.
fn together(servers: &[&TestApp], to: &str) {
    let barrier = Barrier::new(servers.len());
    std::thread::scope(|scope| {
        for server in servers {
            scope.spawn(|| {
                barrier.wait();
                server.at(to);
            });
        }
    });
}

/// Fails where the clock did not make each of those changes as often as expected.
#[track_caller]
fn once_each(app: &TestApp, expected: &[(&str, usize)]) {
    for (kind, times) in expected {
        let events = feed(&app.script(), &format!("&kind={kind}"));
        assert_eq!(events.len(), *times, "{kind}: {events:#?}");
        assert!(events.iter().all(|event| event["actor"]["subject"] == "clock"), "{kind}: {events:#?}");
    }
}

#[test]
fn three_servers_on_one_postgres_make_every_change_once() {
    let first = &TestApp::on(Kind::Postgres);
    let market = rolling(first, json!({"failurePath": "direct"}));
    let members: Vec<Member<'_>> = (0..6).map(|n| Member::new(&market, &format!("Provider {n}"))).collect();
    first.at("2019-05-01T12:00:00Z");
    let notice = json!({
        "issue": "late", "discussionHeldOn": "2019-04-01", "agreedWithProvider": true, "rectifyBy": "2019-06-01T00:00:00Z",
    });
    for member in &members {
        member.suspend(&market.lead, json!({"months": 1})).expect(201);
        member.suspend(&market.lead, json!({"months": 1, "scope": {"kind": "provider"}})).expect(201);
        market.lead.post(&member.path("/improvement-notices"), notice.clone()).expect(201);
    }
    for member in &members[..2] {
        let removal = member.remove(&market.lead, json!({})).expect(201).id();
        member.provider().post(&format!("/v1/removals/{removal}/representations"), json!({"none": true})).expect(200);
        let decision = json!({"reasons": "proven", "effectiveAt": "2019-06-15T00:00:00Z"});
        market.lead.post(&format!("/v1/removals/{removal}/decide"), decision).expect(200);
    }
    let second = &first.beside("2019-05-01T12:00:00Z");
    let third = &first.beside("2019-05-01T12:00:00Z");
    together(&[first, second, third], "2019-07-01T00:00:00Z");
    once_each(
        first,
        &[("SuspensionLapsed", 12), ("ImprovementNoticeExpired", 6), ("RemovalEffective", 2), ("MembershipRemoved", 2)],
    );
    // Whoever is asked, it is the same market.
    let lot = &members[0].lot;
    let asked: Vec<Value> =
        [first, second, third].map(|server| register(&server.lead("LGSS"), lot, "?receiving=true")).to_vec();
    assert_eq!(asked[0]["count"], 4);
    assert!(asked.iter().all(|register| register["contentHash"] == asked[0]["contentHash"]));
    let figures = [first, second, third].map(|server| server.anonymous().get("/metrics").expect(200).text);
    let swept = |outcome: &str| {
        figures.concat().lines().any(|line| line.starts_with("dps_swept_total") && line.contains(outcome))
    };
    assert!(swept("outcome=\"made\"") && !swept("outcome=\"failed\""), "{figures:?}");
    // The end of the term falls to all of them too.
    together(&[first, second, third], "2029-04-02T00:00:00Z");
    once_each(first, &[("MembershipEnded", 4), ("ArrangementExpired", 1)]);
}

#[test]
fn two_servers_on_one_postgres_walk_ten_years_of_rounds_once() {
    let first = &TestApp::on(Kind::Postgres);
    let market = Market::published(first);
    let second = &first.beside("2019-01-03T09:00:00Z");
    together(&[first, second], "2029-04-02T00:00:00Z");
    assert_eq!(market.rounds().len(), 41);
    once_each(first, &[("RoundOpened", 41), ("RoundClosed", 41), ("ArrangementExpired", 1)]);
    // The first was scheduled at publication, by its lead.
    assert_eq!(count(first, "RoundScheduled"), 41);
}

/// All servers do that at once; what each answers.
fn at_once<'a, T: Send>(servers: &[&'a TestApp], act: impl Fn(&'a TestApp) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(servers.len());
    std::thread::scope(|scope| {
        let (barrier, act) = (&barrier, &act);
        let one = |server: &&'a TestApp| {
            let server = *server;
            scope.spawn(move || {
                barrier.wait();
                act(server)
            })
        };
        let running: Vec<_> = servers.iter().map(one).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn two_servers_share_a_job() {
    let first = &TestApp::on(Kind::Postgres);
    let market = rolling(first, json!({}));
    let members: Vec<Member<'_>> = (0..6).map(|n| Member::new(&market, &format!("Provider {n}"))).collect();
    first.at("2019-05-01T12:00:00Z");
    for member in &members {
        member.suspend(&market.lead, json!({"months": 1})).expect(201);
    }
    let later = [(); 2].map(|()| first.beside("2019-07-01T00:00:00Z"));
    let made = at_once(&[&later[0], &later[1]], |server| {
        let run = server.script().post("/v1/jobs/lapse-suspensions/run", Value::Null).expect(200).body;
        assert_eq!(run["failed"], 0);
        run["made"].as_u64().unwrap()
    });
    assert_eq!(made.iter().sum::<u64>(), 6, "each change is one server's: {made:?}");
    once_each(first, &[("SuspensionLapsed", 6)]);
}

#[test]
fn two_servers_on_one_postgres_deliver_each_event_once() {
    let first = &TestApp::on(Kind::Postgres);
    let market = rolling(first, json!({}));
    Member::new(&market, "Ash");
    let second = &first.beside("2019-01-04T00:00:00Z");
    let receivers = [(); 3].map(|()| Receiver::new());
    for receiver in &receivers {
        subscribe(&market.lead, receiver, json!({"from": "2000-01-01T00:00:00Z"}));
    }
    let runs = at_once(&[first, second], deliver);
    let expected = ids_of(&feed(&market.lead, ""));
    assert!(expected.len() > 10);
    let made: u64 = runs.iter().map(|run| run["made"].as_u64().unwrap()).sum();
    assert_eq!(made, 3 * expected.len() as u64);
    for receiver in &receivers {
        assert_eq!(ids(&receiver.take()), expected);
    }
}

#[test]
fn a_server_that_is_lost_between_sending_and_committing_loses_nothing() {
    let first = TestApp::on(Kind::Postgres);
    let database = first.database.clone();
    let market = rolling(&first, json!({}));
    Member::new(&market, "Ash");
    let second = first.beside("2019-01-04T00:00:00Z");
    let receiver = Receiver::new();
    subscribe(&market.lead, &receiver, json!({"from": "2000-01-01T00:00:00Z"}));
    // When the fifth event was received and not yet answered, the server is as good as dead: another has its lease.
    let lost = AtomicBool::new(false);
    let stolen = database.clone();
    receiver.on_request(move |n| {
        if n == 5 && !lost.swap(true, Ordering::SeqCst) {
            stolen.execute("UPDATE leases SET holder = '0190a000-0000-7000-8000-00000000dead'");
        }
    });
    deliver(&first);
    let before = ids(&receiver.take());
    assert_eq!(before.len(), 5, "it sends no more");
    drop(market);
    drop(first);
    assert_eq!(deliver(&second)["made"], 0, "not before the lease has run out");
    // As it does after a minute.
    database.execute("DELETE FROM leases");
    deliver(&second);
    let after = ids(&receiver.take());
    let expected = ids_of(&feed(&second.lead("LGSS"), ""));
    assert_eq!(after.first(), before.last(), "what was not committed is sent again, by the same id");
    let mut all = before;
    all.extend(after);
    all.dedup();
    assert_eq!(all, expected, "every event, once by its id, in order");
}

#[test]
fn a_limit_by_count_holds_for_all_servers_together() {
    let first = &TestApp::on(Kind::Postgres);
    let second = &first.beside("2019-01-04T00:00:00Z");
    let receiver = Receiver::new();
    let order = json!({"url": receiver.url()});
    for _ in 0..18 {
        first.lead("LGSS").post("/v1/webhooks", order.clone()).expect(201);
    }
    let answers = at_once(&[first, second, first, second, first, second], |server| {
        server.lead("LGSS").post("/v1/webhooks", order.clone()).status
    });
    assert_eq!(answers.iter().filter(|status| **status == 201).count(), 2, "{answers:?}");
    assert_eq!(first.lead("LGSS").all("/v1/webhooks").len(), 20);
}

/// Returns when a transaction waits for a lock that `which` describes, or when it is over without.
fn waiting(conn: &mut diesel::PgConnection, which: &str, over: impl Fn() -> bool) {
    use diesel::RunQueryDsl as _;
    #[derive(diesel::QueryableByName)]
    struct Waiting {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        waiting: i64,
    }
    let query = format!(
        "SELECT count(*) AS waiting FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
         WHERE d.datname = current_database() AND NOT l.granted AND {which}"
    );
    while !over() && diesel::sql_query(&query).get_result::<Waiting>(conn).unwrap().waiting == 0 {
        std::thread::yield_now();
    }
}

#[test]
fn an_interest_is_not_declared_beside_a_decision_that_knows_none() {
    use diesel::connection::SimpleConnection as _;
    let first = &TestApp::on(Kind::Postgres);
    let market = rolling(first, json!({}));
    let applicant = Applicant::new(first, "Ash");
    let application = applicant.submitted(&market, &["FOSTERING"]);
    application.into_evaluation(&market);
    application.pass(&market);
    let second = &first.beside("2019-06-01T00:00:00Z");
    let (admit, declare) = (application.line(&market, "FOSTERING", "/admit"), market.path("/declaration-of-interests"));
    let interest = json!({"interests": [{"provider": applicant.id, "nature": "a relative works there"}]});
    let mut held = crate::database::postgres(&first.database.url);
    let mut watch = crate::database::postgres(&first.database.url);
    // The decision has looked for interests, and waits to write the membership.
    held.batch_execute("BEGIN; LOCK TABLE memberships IN SHARE MODE").unwrap();
    let (admitted, declared) = std::thread::scope(|scope| {
        let admitting = scope.spawn(|| market.lead.post(&admit, Value::Null).status);
        waiting(&mut watch, "l.relation = 'memberships'::regclass", || admitting.is_finished());
        let declaring = scope.spawn(|| second.lead("LGSS").put(&declare, interest.clone()).status);
        waiting(&mut watch, "l.locktype = 'advisory'", || declaring.is_finished());
        held.batch_execute("COMMIT").unwrap();
        (admitting.join().unwrap(), declaring.join().unwrap())
    });
    assert_eq!((admitted, declared), (201, 200));
    let kinds: Vec<_> =
        feed(&market.lead, "").into_iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect();
    let at = |kind: &str| kinds.iter().rposition(|other| other == kind);
    assert!(at("LineAdmitted") < at("InterestsDeclared"), "{kinds:?}");
}

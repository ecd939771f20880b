//! What the server keeps of its answers is never shown to whom it is not for, nor after it has ceased to be true.

use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use serde_json::json;

use crate::app::{START, TestApp};
use crate::applicants::Applicant;
use crate::database::{Kind, postgres};
use crate::market::{Market, particulars, with};
use crate::plans::watch::during;

on_both! {
    fn an_answer_is_true_after_every_write(app: &TestApp) {
        let market = Market::rolling(app);
        let willow = Applicant::new(app, "Willow House Ltd");
        let application = willow.ready(&market, &["TUITION"]);
        // Twice, so that the second is one that was kept.
        let read = || [(); 2].map(|()| willow.provider.get(&application.path("")).expect(200));
        let [first, again] = read();
        assert_eq!((&first.text, first.etag()), (&again.text, again.etag()));
        application.submit().expect(201);
        for reply in read() {
            assert_ne!(reply.etag(), first.etag());
            assert_eq!(reply.body["receipts"].as_array().map(Vec::len), Some(1), "{reply}");
        }
        application.provider.post(&application.path("/withdraw"), json!({})).expect(200);
        for reply in read() {
            reply.state("withdrawn");
        }
    }

    fn an_answer_is_for_whom_it_is(app: &TestApp) {
        let market = Market::rolling(app);
        let (willow, fens) = (Applicant::new(app, "Willow House Ltd"), Applicant::new(app, "Fens Care Ltd"));
        let application = willow.ready(&market, &["TUITION"]);
        let path = application.path("");
        let stranger = app.lead("NCC");
        let portal = app.portal("elsewhere");
        let refused = || {
            for other in [&fens.provider, &stranger, &portal] {
                other.get(&path).problem("not_found", 404);
            }
        };
        for _ in 0..2 {
            refused();
            willow.provider.get(&path).expect(200);
            // To the buying side a draft does not exist, whoever read it before.
            market.lead.get(&path).problem("not_found", 404);
        }
        application.submit().expect(201);
        for _ in 0..2 {
            refused();
            assert_eq!(willow.provider.get(&path).expect(200).body["lines"].as_array().map(Vec::len), Some(1));
            market.lead.get(&path).expect(200);
        }
    }

    fn the_store_is_asked_the_same_for_what_is_anothers_though_it_is_kept(app: &TestApp) {
        let market = Market::rolling(app);
        let [willow, fens] = ["Willow House Ltd", "Fens Care Ltd"].map(|name| Applicant::new(app, name));
        let application = willow.ready(&market, &["TUITION"]);
        let own = || drop(willow.provider.get(&application.path("")).expect(200));
        own();
        let kept = during(&app.database.url, own);
        assert!(kept.len() <= 1, "it was not kept: {kept:?}");
        let refused = |path: &str| during(&app.database.url, || drop(fens.provider.get(path).problem("not_found", 404)));
        let theirs = refused(&application.path(""));
        assert!(!theirs.is_empty());
        assert_eq!(theirs, refused("/v1/applications/0190a000-0000-7000-8000-00000000dead"));
    }

    fn a_page_is_true_after_every_write(app: &TestApp) {
        let market = Market::rolling(app);
        let willow = Applicant::new(app, "Willow House Ltd");
        let home = willow.home("PE1 1AA", None);
        let path = format!("/v1/providers/{}/homes", willow.id);
        let read = || [(); 2].map(|()| willow.provider.get(&path).expect(200));
        let [first, again] = read();
        assert_eq!((&first.text, first.etag()), (&again.text, again.etag()));
        assert!(!first.text.contains("Outstanding") && !first.text.contains("outstanding"));
        willow.rate(&home, "outstanding", "2015-06-01").expect(200);
        for reply in read() {
            assert_ne!(reply.etag(), first.etag());
            assert!(reply.text.contains("outstanding"), "{reply}");
        }
        drop(market);
    }

    fn what_another_server_wrote_is_seen_at_once(app: &TestApp) {
        let market = Market::draft(app, json!({}));
        let second = app.beside(START);
        let (here, there) = (app.lead("LGSS"), second.lead("LGSS"));
        for title in ["One title", "Another title", "A third title"] {
            // Both have the answer before it changes.
            for lead in [&here, &there] {
                lead.get(&market.path("")).expect(200);
            }
            there.patch(&market.path(""), with(particulars(), json!({"title": title}))).expect(200);
            for lead in [&there, &here] {
                assert_eq!(lead.get(&market.path("")).expect(200).body["title"], title);
            }
        }
    }
}

/// What is kept is asked about over one connection: where that stands still, reads go on by the others.
#[test]
fn a_read_does_not_wait_for_what_is_kept() {
    let app = &TestApp::on(Kind::Postgres);
    let market = Market::rolling(app);
    let willow = Applicant::new(app, "Willow House Ltd");
    let application = willow.ready(&market, &["TUITION"]);
    let read = || willow.provider.get(&application.path("")).expect(200);
    let text = read().text;
    let mut holder = postgres(&app.database.url);
    std::thread::scope(|scope| {
        holder.batch_execute("BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE").unwrap();
        let (done, told) = std::sync::mpsc::channel();
        scope.spawn(move || done.send(read().text));
        let answer = told.recv_timeout(Duration::from_secs(60));
        holder.batch_execute("ROLLBACK").unwrap();
        assert_eq!(answer, Ok(text));
    });
}

//! Sealed applications: before the evaluation of its round nobody on the buying side reads what one says, and every
//! reading afterwards is recorded (DPS-13, PRO-27).

use domain::kernel::Role;
use serde_json::{Value, json};

use crate::actor::Actor;
use crate::app::TestApp;
use crate::applicants::{Applicant, Application};
use crate::documented::OPERATIONS;
use crate::market::{FIRST_CLOSE, Market, manual, with};
use crate::receiver::Receiver;
use crate::webhooks::{deliver, subscribe};

/// What only the applicant knows.
const SECRET: &str = "zebra-7731";

const BUYING: [Role; 6] = [
    Role::ArtOfficer,
    Role::Commissioner,
    Role::LeadAgency,
    Role::MonitoringOfficer,
    Role::Consortium,
    Role::SocialWorker,
];

fn asking(app: &TestApp) -> Market<'_> {
    let statement = with(
        manual("A statement of purpose is given"),
        json!({
            "questions": [{"code": "purpose", "text": "What for?", "answer": {"type": "text", "maxLength": 200}, "mandatory": true}],
            "evidence": [{"code": "statement", "title": "The statement", "mandatory": true}],
        }),
    );
    Market::asking(app, json!({}), &[("statement", statement)])
}

/// An application that says its secret in an answer, in a document, and in what its portal calls it.
fn telling<'a>(applicant: &Applicant<'a>, market: &Market<'_>, secret: &str) -> Application<'a> {
    let application = applicant.start_as(market, &["CARE"], json!({"externalRef": secret}));
    application.accept_terms();
    application.answer(market, "statement", json!({"values": {"purpose": secret}})).expect(200);
    let document = json!({"document": {"name": format!("{secret}.pdf"), "uri": format!("urn:{secret}")}});
    application.attach(market, "statement", "statement", document).expect(200);
    application
}

/// Everyone on the buying side: each role at the lead and at a participant, and a script that serves all.
fn buyers(app: &TestApp) -> Vec<Actor<'_>> {
    let of = |authority: &'static str| BUYING.into_iter().map(move |role| app.buyer(role, authority));
    of("LGSS").chain(of("CCC")).chain([app.script()]).collect()
}

/// Every path on which something of the application could show.
fn paths(market: &Market<'_>, application: &Application<'_>, applicant: &Applicant<'_>) -> Vec<String> {
    let round = market.round(1)["id"].as_str().unwrap().to_owned();
    let own = ["", "/content", "/documents", "/versions", "/receipt", "/receipt?version=1", "/checks"];
    own.into_iter()
        .map(|under| application.path(under))
        .chain([
            format!("/v1/applications?arrangement={}", market.id),
            format!("/v1/applications?provider={}", applicant.id),
            format!("/v1/checks?arrangement={}", market.id),
            format!("/v1/rounds/{round}/applications"),
            format!("/v1/rounds/{round}/progress"),
            format!("/v1/deadlines/application/{}", application.id),
            format!("/v1/providers/{}/dashboard", applicant.id),
            format!("/v1/memberships?provider={}", applicant.id),
            "/v1/events?limit=200".to_owned(),
            format!("/v1/audit?limit=200&object={}", application.id),
            format!("/v1/audit?limit=200&provider={}", applicant.id),
        ])
        .collect()
}

on_both! {
    fn nobody_who_buys_reads_an_application_before_its_evaluation(app: &TestApp) {
        let market = asking(app);
        let applicant = Applicant::new(app, "Fens Care");
        let application = telling(&applicant, &market, SECRET);
        application.submit().expect(201);
        // A revision that is under way is sealed as well.
        application.provider.post(&application.path("/revise"), Value::Null).expect(200);
        application.answer(&market, "statement", json!({"values": {"purpose": format!("{SECRET} revised")}})).expect(200);
        application.submit().expect(201);
        let lot = market.lot("CARE");
        let sealed = |when: &str| {
            for buyer in buyers(app) {
                for path in paths(&market, &application, &applicant) {
                    let reply = buyer.get(&path);
                    assert!(!reply.text.contains(SECRET), "{when}\n{reply}");
                    let whole = path.starts_with("/v1/applications") || path.contains("/dashboard");
                    assert!(!(whole && reply.text.contains(lot)), "{when}: the lot applied to shows\n{reply}");
                }
                // Nor is it found by what is not shown. A guess finds nothing.
                let found = buyer.get(&format!("/v1/applications?externalRef={SECRET}"));
                assert!(found.status == 403 || found.body["items"] == json!([]), "{when}\n{found}");
                let content = buyer.get(&application.path("/content"));
                if content.status != 403 {
                    content.problem("application_sealed", 409);
                }
            }
        };
        sealed("while the round is open");
        app.at(FIRST_CLOSE);
        sealed("when the round has closed and nobody has begun to evaluate");

        let begun = market.round(1)["id"].as_str().unwrap().to_owned();
        market.lead.post(&format!("/v1/rounds/{begun}/start-evaluation"), Value::Null).expect(200);
        let content = market.lead.get(&application.path("/content")).expect(200);
        assert_eq!(content.body["content"]["answers"][market.requirement("statement")]["values"]["purpose"], "zebra-7731 revised");
        assert_eq!(content.body["receipt"]["version"], 2);
        let found = market.lead.get(&format!("/v1/applications?externalRef={SECRET}")).expect(200);
        assert_eq!(found.body["items"][0]["externalRef"], SECRET);
    }

    fn what_was_read_is_in_the_audit(app: &TestApp) {
        let market = asking(app);
        let applicant = Applicant::new(app, "Fens Care");
        let application = telling(&applicant, &market, SECRET);
        application.submit().expect(201);
        let readings = |who: &Actor<'_>| who.all(&format!("/v1/audit?object={}&kind=ApplicationContentRead", application.id));
        market.lead.get(&application.path("/content")).problem("application_sealed", 409);
        application.into_evaluation(&market);
        // The provider reads its own as often as it likes, unrecorded.
        applicant.provider.get(&application.path("/content")).expect(200);
        assert_eq!(readings(&market.lead), Vec::<Value>::new());
        for times in 1..=2 {
            market.lead.get(&application.path("/content")).expect(200);
            assert_eq!(readings(&market.lead).len(), times);
        }
        // A key does not give it unrecorded, and there is no dry run of a reading.
        for times in 3..=4 {
            market.lead.request("GET", &application.path("/content")).key("again").send().expect(200);
            assert_eq!(readings(&market.lead).len(), times);
        }
        market.lead.request("GET", &application.path("/content")).dry().send().problem("unreadable", 400);
        let read = &readings(&market.lead)[0];
        assert_eq!(read["actor"]["subject"], "lead_agency-LGSS");
        assert_eq!(read["data"]["version"], 1);
        // Its provider sees that it was read, and by whom only as a role.
        let told = readings(&applicant.provider);
        assert_eq!((told.len(), &told[0]["actor"]["subject"]), (4, &Value::Null));
        assert_eq!(told[0]["actor"]["role"], "lead_agency");
    }

    fn documents_are_listed_and_their_reading_recorded(app: &TestApp) {
        let market = asking(app);
        let applicant = Applicant::new(app, "Fens Care");
        let application = telling(&applicant, &market, SECRET);
        let listed = |who: &Actor<'_>| who.all(&application.path("/documents"));
        let mine = listed(&applicant.provider);
        assert_eq!((mine.len(), &mine[0]["code"]), (1, &json!("statement")), "of the draft");
        assert_eq!(mine[0]["document"]["name"], format!("{SECRET}.pdf"));
        application.submit().expect(201);
        market.lead.get(&application.path("/documents")).problem("application_sealed", 409);
        application.into_evaluation(&market);
        assert_eq!((listed(&market.lead), listed(&applicant.provider)), (mine.clone(), mine));
        let readings = market.lead.all(&format!("/v1/audit?object={}&kind=ApplicationContentRead", application.id));
        assert_eq!(readings.len(), 1);
        let other = Applicant::new(app, "Wash Homes");
        other.provider.get(&application.path("/documents")).problem("not_found", 404);
    }

    fn a_draft_does_not_exist_for_buyers(app: &TestApp) {
        let market = asking(app);
        let applicant = Applicant::new(app, "Fens Care");
        let draft = telling(&applicant, &market, SECRET);
        for buyer in buyers(app) {
            for path in paths(&market, &draft, &applicant) {
                let reply = buyer.get(&path);
                assert!(!reply.text.contains(SECRET), "{reply}");
                let told = reply.status == 200 && reply.text.contains(&draft.id);
                assert!(!told, "that there is a draft shows\n{reply}");
            }
            for operation in OPERATIONS.iter() {
                let of_applications = operation.path.strip_prefix("/v1/applications/{id}");
                let path = match (of_applications, operation.id.as_str()) {
                    (Some(under), _) => format!("/v1/applications/{{id}}{under}"),
                    (None, "explainDeadlines") => "/v1/deadlines/application/{id}".to_owned(),
                    (None, _) => continue,
                };
                let path = path.replace("{lot}", market.lot("CARE")).replace("{n}", "0");
                let path = path.replace("{requirement}", market.requirement("statement")).replace("{code}", "statement");
                let body = &operation.documented["requestBody"]["content"]["application/json"]["example"];
                let method = ["GET", "PUT", "POST", "PATCH", "DELETE"].into_iter().find(|m| *m == operation.method).unwrap();
                for tag in ["*", "\"1\"", "\"2\""] {
                    let ask = |id: &str| {
                        let request = buyer.request(method, &path.replace("{id}", id)).json(body.clone()).if_match(tag);
                        let reply = request.send();
                        (reply.status, reply.text.replace(id, "{id}"))
                    };
                    let answer = ask(&draft.id);
                    assert!(answer.0 >= 400, "{method} {path}: {answer:?}");
                    assert_eq!(answer, ask("0190a000-0000-7000-8000-00000000dead"), "{method} {path}");
                }
            }
        }
    }

    fn what_was_withdrawn_stays_sealed(app: &TestApp) {
        let market = asking(app);
        let applicant = Applicant::new(app, "Fens Care");
        let application = telling(&applicant, &market, SECRET);
        application.submit().expect(201);
        application.provider.post(&application.path("/withdraw"), Value::Null).expect(200).state("withdrawn");
        app.at(FIRST_CLOSE);
        let round = market.round(1)["id"].as_str().unwrap().to_owned();
        market.lead.post(&format!("/v1/rounds/{round}/start-evaluation"), Value::Null).expect(200);
        market.lead.get(&application.path("/content")).problem("application_sealed", 409);
        for path in paths(&market, &application, &applicant) {
            let reply = market.lead.get(&path);
            assert!(!reply.text.contains(SECRET), "{reply}");
        }
    }

    fn a_tag_tells_nothing_of_what_is_sealed(app: &TestApp) {
        let market = asking(app);
        let tag = |name: &str, secret: &str| {
            let application = telling(&Applicant::new(app, name), &market, secret);
            application.submit().expect(201);
            market.lead.get(&application.path("")).expect(200).etag()
        };
        assert_eq!(tag("Fens Care", "yes"), tag("Wash Homes", "no-and-at-great-length"));
    }

    fn no_other_way_tells_what_is_sealed(app: &TestApp) {
        let market = asking(app);
        let receiver = Receiver::new();
        subscribe(&market.lead, &receiver, json!({"from": "2000-01-01T00:00:00Z"}));
        let applicant = Applicant::new(app, "Fens Care");
        let application = telling(&applicant, &market, SECRET);
        let answer = application.path(&format!("/answers/{}", market.requirement("statement")));
        let told = json!({"values": {"purpose": SECRET}});
        let keyed = |who: &Actor<'_>| who.request("PUT", &answer).json(told.clone()).key("k-1").if_match("*").send();
        assert!(keyed(&applicant.provider).expect(200).text.contains(SECRET));
        let file = format!("requirement,question,value\r\nstatement,purpose,{SECRET}\r\nstatement,{SECRET},{SECRET}\r\n");
        let upload = format!("/v1/uploads/answers?mode=partial&application={}", application.id);
        let sent = applicant.provider.request("POST", &upload).bytes("text/csv", file.as_bytes()).header("prefer", "wait=60");
        let upload = sent.send().expect(201).id();
        application.submit().expect(201);

        // What a receiver is sent.
        deliver(app);
        let got = receiver.take();
        assert!(got.iter().any(|got| got.text.contains(&application.id)), "that it was received is told");
        assert!(!got.iter().any(|got| got.text.contains(SECRET)));
        let round = market.round(1)["id"].as_str().unwrap().to_owned();
        let line = |how: &str| application.path(&format!("/lines/{}/{how}", market.lot("CARE")));
        let refused: Vec<(String, Value)> = vec![
            (application.path("/submit"), Value::Null), (application.path("/revise"), Value::Null),
            (application.path("/withdraw"), Value::Null), (application.path("/copy-answers"), json!({"from": application.id})),
            (application.path("/extend-evaluation"), json!({"justification": "x"})),
            (line("admit"), Value::Null), (line("reject"), json!({"reasons": ["statement"]})),
            (format!("/v1/rounds/{round}/start-evaluation"), Value::Null),
            ("/v1/applications".to_owned(), json!({"arrangement": market.id, "provider": applicant.id, "lots": [market.lot("CARE")]})),
        ];
        let read = [
            format!("/v1/applications?externalRef={SECRET}"), format!("/v1/applications?state={SECRET}"),
            format!("/v1/applications?sort={SECRET}"), format!("/v1/applications?q={SECRET}"),
            format!("/v1/uploads/{upload}"), format!("/v1/uploads/{upload}/errors"), format!("/v1/uploads/{upload}/rejected"),
            "/v1/uploads".to_owned(), "/v1/webhooks".to_owned(), "/v1/checkpoints".to_owned(), "/v1/jobs/deliver/runs".to_owned(),
            format!("/v1/reports/r-02?arrangement={}&before=2019-01-04T00:00:00Z", market.id),
            "/v1/ocds/releases".to_owned(), "/v1/ocds/records".to_owned(), market.path("/interests"), "/metrics".to_owned(),
        ];
        for buyer in buyers(app) {
            let replayed = keyed(&buyer);
            assert!(replayed.status == 403 && !replayed.text.contains(SECRET), "{replayed}");
            for (path, body) in &refused {
                let reply = buyer.request("POST", path).json(body.clone()).dry().send();
                assert!(reply.status >= 400 && !reply.text.contains(SECRET), "{reply}");
            }
            for path in &read {
                let reply = buyer.get(path);
                let text = reply.text.replace(&format!("={SECRET}"), "").replace(&format!("`{SECRET}`"), "");
                assert!(!text.contains(SECRET), "{reply}");
                let whole = path.contains(SECRET) || path.starts_with("/v1/uploads/");
                assert!(!(whole && reply.status == 200 && reply.body["items"] != json!([])), "{reply}");
            }
        }
    }

    fn progress_and_receipts_are_all_that_shows(app: &TestApp) {
        let market = asking(app);
        for name in ["Fens Care", "Wash Homes"] {
            telling(&Applicant::new(app, name), &market, SECRET).submit().expect(201);
        }
        let round = market.round(1)["id"].as_str().unwrap().to_owned();
        let progress = market.lead.get(&format!("/v1/rounds/{round}/progress")).expect(200).body;
        assert_eq!((&progress["applications"], &progress["lines"]), (&json!({"submitted": 2}), &json!({})));
        let received = market.lead.all(&format!("/v1/rounds/{round}/applications"));
        assert_eq!(received.len(), 2);
        for application in &received {
            assert_eq!((&application["sealed"], &application["lines"]), (&json!(true), &json!([])));
            assert_eq!(application["receipts"].as_array().unwrap().len(), 1);
            assert_eq!(application["draft"], Value::Null);
        }
        app.at(FIRST_CLOSE);
        market.lead.post(&format!("/v1/rounds/{round}/start-evaluation"), Value::Null).expect(200);
        let progress = market.lead.get(&format!("/v1/rounds/{round}/progress")).expect(200).body;
        assert_eq!((&progress["applications"], &progress["lines"]), (&json!({"in_evaluation": 2}), &json!({"in_evaluation": 2})));
    }
}

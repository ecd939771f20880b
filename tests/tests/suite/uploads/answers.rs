//! Answers and evidence into a draft.

use serde_json::json;

use super::{counts, faults, send};
use crate::app::TestApp;
use crate::applicants::Applicant;
use crate::market::{LIVE, Market};
use crate::members::count;

fn market(app: &TestApp) -> Market<'_> {
    let mut market = Market::draft(app, json!({"policies": {"admissionMode": "rolling"}}));
    let papers = json!({
        "title": "Insured", "test": {"kind": "manual"}, "gate": "membership", "mandatory": true, "selfAssessable": true,
        "questions": [
            {"code": "insured", "text": "Insured?", "answer": {"type": "yes_no"}, "mandatory": true},
            {"code": "cover", "text": "How much?", "answer": {"type": "money"}, "mandatory": false},
            {"code": "note", "text": "Anything else?", "answer": {"type": "text", "maxLength": 10}, "mandatory": false},
        ],
        "evidence": [{"code": "policy", "title": "The policy", "mandatory": true}],
    });
    market.require("papers", papers);
    market.define("PAPERS", "other");
    app.at("2019-01-03T09:00:00Z");
    market.publish();
    app.at(LIVE);
    market
}

on_both! {
    fn without_a_wish_to_wait_the_answer_comes_before_the_work(app: &TestApp) {
        let market = market(app);
        let fens = Applicant::new(app, "Fens Care");
        let application = fens.ready(&market, &["PAPERS"]);
        let (portal, script) = (app.portal("portal-1"), app.script());
        let senders = [
            ("homes", &fens.provider),
            ("providers", &portal),
            (&format!("answers?application={}", application.id), &fens.provider),
            ("fees", &fens.provider),
            ("ratings", &script),
        ];
        for (kind, sender) in senders {
            let sent = sender.request("POST", &format!("/v1/uploads/{kind}")).bytes("text/csv", b"plum,pear\n1,2\n").send();
            let path = format!("/v1/uploads/{}", sent.expect(202).state("received").id());
            sender.request("GET", &path).header("prefer", "wait=60").send().expect(200).state("rejected");
        }
    }

    fn answers_and_evidence_go_into_the_senders_own_draft(app: &TestApp) {
        let market = market(app);
        let fens = Applicant::new(app, "Fens Care");
        let application = fens.ready(&market, &["PAPERS"]);
        let path = format!("/v1/uploads/answers?application={}", application.id);
        let file = "requirement,question,value,selfAssessment,evidence,documentName,documentUri,expiresOn,amount\n\
            papers,insured,yes,yes,,,,,\npapers,cover,500,,,,,,\npapers,,,,policy,policy.pdf,https://example.org/p,31/12/2020,500\n";
        let done = send(&fens.provider, &path, file).expect(201).state("applied");
        assert_eq!(counts(&done.body), [3, 3, 0, 0, 0, 0]);
        let draft = application.show()["draft"]["answers"][market.requirement("papers")].clone();
        assert_eq!(draft["values"], json!({"insured": true, "cover": 500}));
        assert_eq!((&draft["selfAssessment"], &draft["evidence"][0]["expiresOn"]), (&json!(true), &json!("2020-12-31")));
        let again = send(&fens.provider, &path, file).expect(201).state("applied");
        assert_eq!(counts(&again.body), [3, 0, 0, 3, 0, 0]);
        // Blank takes back, and what the domain refuses is one row.
        let next = "requirement,question,value,evidence,documentName,documentUri\n\
            papers,cover,,,,\npapers,note,far too long a note,,,\npapers,colour,red,,,\nothers,x,y,,,\npapers,,,policy,policy.pdf,ftp://x\n";
        let partly = send(&fens.provider, &path.replace('?', "?mode=partial&"), next).expect(201).state("partial");
        assert_eq!(counts(&partly.body), [5, 0, 1, 0, 4, 0]);
        let codes: Vec<_> = faults(&fens.provider, &partly.id()).into_iter().map(|f| (f.0, f.1, f.3)).collect();
        assert_eq!(codes, [
            (3, json!("value"), "answer_type_wrong".to_owned()),
            (4, json!("value"), "question_unknown".to_owned()),
            (5, json!("requirement"), "requirement_not_asked".to_owned()),
            (6, json!("documentUri"), "evidence_invalid".to_owned()),
        ]);
        application.submit().expect(201);
        let wash = Applicant::new(app, "Wash Homes");
        wash.provider.request("POST", &path).bytes("text/csv", b"a").send().problem("not_found", 404);
        // To the buying side a draft does not exist.
        assert_eq!(count(app, "UploadReceived"), 0);
    }
}

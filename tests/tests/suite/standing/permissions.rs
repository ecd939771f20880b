//! Who may take which measure, and who sees it.

use domain::kernel::Role;
use serde_json::{Value, json};

use crate::actor::Actor;
use crate::app::TestApp;
use crate::members::{Member, rolling};

/// Everyone of the arrangement who might try, with a participant's commissioner and lead agency last.
fn everyone<'a>(app: &'a TestApp, own: &Member<'a>) -> Vec<(&'static str, Actor<'a>)> {
    vec![
        ("provider", own.provider().clone()),
        ("art officer", app.buyer(Role::ArtOfficer, "LGSS")),
        ("commissioner", app.commissioner("LGSS")),
        ("lead", app.lead("LGSS")),
        ("monitoring officer", app.buyer(Role::MonitoringOfficer, "LGSS")),
        ("consortium", app.buyer(Role::Consortium, "LGSS")),
        ("social worker", app.buyer(Role::SocialWorker, "LGSS")),
        ("portal", app.portal("p")),
        ("script", app.script()),
        ("participant's commissioner", app.commissioner("CCC")),
        ("participant's lead", app.lead("CCC")),
    ]
}

on_both! {
    fn each_measure_is_its_roles_to_take(app: &TestApp) {
        let market = rolling(app, json!({"failurePath": "direct", "noFaultNoticeMonths": 12}));
        let member = Member::new(&market, "Ash");
        app.at("2019-05-01T00:00:00Z");
        let notice = json!({
            "issue": "late", "discussionHeldOn": "2019-04-01", "agreedWithProvider": true, "rectifyBy": "2019-06-01T00:00:00Z",
        });
        let remove = json!({"ground": "quality", "reason": "late", "evidence": ["urn:x:1"]});
        let measures: [(&str, Value, &[&str]); 5] = [
            ("/suspensions", json!({"reason": "late"}), &["commissioner", "lead", "consortium", "participant's commissioner"]),
            ("/removals", remove, &["commissioner", "lead", "consortium", "participant's commissioner"]),
            ("/no-fault-notice", json!({}), &["provider", "commissioner", "participant's commissioner"]),
            ("/improvement-notices", notice, &["commissioner", "lead", "participant's commissioner"]),
            ("/sanctions", json!({"kind": "conceal", "reason": "late"}), &["commissioner", "consortium", "participant's commissioner"]),
        ];
        for (measure, order, allowed) in measures {
            for (name, actor) in everyone(app, &member) {
                let tried = actor.request("POST", &member.path(measure)).json(order.clone()).dry().send();
                let expected = if allowed.contains(&name) { 201 } else { 403 };
                assert_eq!(tried.status, expected, "{name} {measure}\n{tried}");
            }
            // Another authority does not even learn that the member exists, nor does another provider.
            let outsider = app.commissioner("BRAD");
            outsider.request("POST", &member.path(measure)).json(order.clone()).dry().send().problem("not_found", 404);
            app.anonymous().post(&member.path(measure), order).problem("unauthenticated", 401);
        }
        assert!(member.receives(&market), "all of it was a trial");
    }

    fn a_measure_is_seen_by_the_provider_it_is_against_and_by_its_buyers(app: &TestApp) {
        let market = rolling(app, json!({"failurePath": "direct"}));
        let (ash, birch) = (Member::new(&market, "Ash"), Member::new(&market, "Birch"));
        app.at("2019-05-01T00:00:00Z");
        let suspension = ash.suspend(&market.lead, json!({"months": 1})).expect(201).id();
        let removal = ash.remove(&market.lead, json!({})).expect(201).id();
        let sanction = json!({"kind": "conceal", "reason": "late"});
        let sanction = app.commissioner("CCC").post(&ash.path("/sanctions"), sanction).expect(201).id();
        let notice = json!({
            "issue": "late", "discussionHeldOn": "2019-04-01", "agreedWithProvider": true, "rectifyBy": "2019-06-01T00:00:00Z",
        });
        let notice = market.lead.post(&ash.path("/improvement-notices"), notice).expect(201).id();
        let appeal = ash.appeals(json!({"kind": "suspension", "suspension": suspension}));
        let seen = [
            ash.path(""),
            ash.path("/suspensions"), ash.path("/removals"), ash.path("/sanctions"), ash.path("/improvement-notices"),
            format!("/v1/suspensions/{suspension}"), format!("/v1/removals/{removal}"),
            format!("/v1/sanctions/{sanction}"), format!("/v1/improvement-notices/{notice}"), appeal,
            format!("/v1/deadlines/suspension/{suspension}"), format!("/v1/deadlines/removal/{removal}"),
        ];
        for path in &seen {
            ash.provider().get(path).expect(200);
            market.lead.get(path).expect(200);
            app.commissioner("PCC").get(path).expect(200);
            birch.provider().get(path).problem("not_found", 404);
            app.commissioner("BRAD").get(path).problem("not_found", 404);
            app.portal("p").get(path).problem("not_found", 404);
        }
        for (path, body) in [
            (format!("/v1/suspensions/{suspension}/representations"), json!({"text": "x"})),
            (format!("/v1/removals/{removal}/representations"), json!({"none": true})),
            (format!("/v1/improvement-notices/{notice}/respond"), json!({"text": "x"})),
        ] {
            birch.provider().post(&path, body.clone()).problem("not_found", 404);
            ash.provider().post(&path, body).expect(200);
        }
        for (path, body) in [
            (format!("/v1/suspensions/{suspension}/lift"), json!({"reason": "x"})),
            (format!("/v1/suspensions/{suspension}/extend"), json!({"monthsInAll": 2, "reason": "x"})),
            (format!("/v1/removals/{removal}/decide"), json!({"reasons": "x"})),
            (format!("/v1/removals/{removal}/revoke"), json!({"reason": "x"})),
            (format!("/v1/sanctions/{sanction}/lift"), json!({"reason": "x"})),
            (format!("/v1/improvement-notices/{notice}/meet"), Value::Null),
        ] {
            app.commissioner("BRAD").post(&path, body.clone()).problem("not_found", 404);
            ash.provider().post(&path, body).problem("forbidden", 403);
        }
        // A filter by another's id finds nothing more.
        assert_eq!(birch.provider().all(&market.path(&format!("/suspensions?provider={}", ash.of.id))), Vec::<Value>::new());
        assert_eq!(birch.provider().all(&market.path("/removals")), Vec::<Value>::new());
        assert_eq!(birch.provider().all("/v1/memberships").len(), 1);
        assert_eq!(birch.provider().all("/v1/appeals"), Vec::<Value>::new());
    }
}

//! Appeals: by the provider, decided by someone else, and what follows from one that is upheld (BEY-05).

use serde_json::{Value, json};

use crate::app::TestApp;
use crate::applicants::{Applicant, declare_interests};
use crate::market::Market;
use crate::members::{Member, another_lead, count, rolling};

fn because() -> Value {
    json!({"reason": "the visits are on file"})
}

/// Removes a member, who makes no representations, with effect at once or at that instant; the removal's id.
#[track_caller]
fn removed(market: &Market<'_>, member: &Member<'_>, effective_at: Option<&str>) -> String {
    let removal = member.remove(&market.lead, json!({})).expect(201).id();
    member.provider().post(&format!("/v1/removals/{removal}/representations"), json!({"none": true})).expect(200);
    let mut decision = json!({"reasons": "proven"});
    if let Some(at) = effective_at {
        decision["effectiveAt"] = json!(at);
    }
    market.lead.post(&format!("/v1/removals/{removal}/decide"), decision).expect(200);
    removal
}

on_both! {
    fn a_suspension_that_is_appealed_with_success_was_no_step(app: &TestApp) {
        let market = rolling(app, json!({}));
        let (member, other) = (Member::new(&market, "Ash"), Member::new(&market, "Birch"));
        let suspension = member.suspend(&market.lead, json!({})).expect(201).id();
        let target = json!({"kind": "suspension", "suspension": suspension});
        other.provider().post("/v1/appeals", json!({"target": target, "grounds": "x"})).problem("not_found", 404);
        market.lead.post("/v1/appeals", json!({"target": target, "grounds": "x"})).problem("forbidden", 403);
        let appeal = member.appeals(target.clone());
        assert!(!member.receives(&market), "the decision stays in effect meanwhile");
        member.provider().post("/v1/appeals", json!({"target": target, "grounds": "x"})).problem("appeal_pending", 409);

        // Not by whoever decided, nor by whoever may not.
        market.lead.post(&format!("{appeal}/uphold"), because()).problem("own_decision", 403);
        market.lead.post(&format!("{appeal}/dismiss"), because()).problem("own_decision", 403);
        app.commissioner("CCC").post(&format!("{appeal}/uphold"), because()).problem("forbidden", 403);
        app.lead("BRAD").post(&format!("{appeal}/uphold"), because()).problem("not_found", 404);
        member.provider().post(&format!("{appeal}/uphold"), because()).problem("forbidden", 403);
        other.provider().get(&appeal).problem("not_found", 404);

        let judge = another_lead(app);
        judge.post(&format!("{appeal}/uphold"), because()).expect(200).state("upheld");
        let lifted = market.lead.get(&format!("/v1/suspensions/{suspension}")).expect(200).state("lifted").body;
        assert_eq!((&lifted["annulled"], &lifted["by"]), (&json!(true), &json!("another-lead")));
        assert!(member.receives(&market));
        member.remove(&market.lead, json!({})).problem("failure_path_not_followed", 409);
        judge.post(&format!("{appeal}/dismiss"), because()).problem("wrong_state", 409);
    }

    fn a_suspension_that_lapsed_meanwhile_is_annulled_all_the_same(app: &TestApp) {
        let market = rolling(app, json!({}));
        let member = Member::new(&market, "Ash");
        app.at("2019-05-01T12:00:00Z");
        let suspension = member.suspend(&market.lead, json!({"months": 1})).expect(201).id();
        let appeal = member.appeals(json!({"kind": "suspension", "suspension": suspension}));
        app.at("2019-07-01T12:00:00Z");
        another_lead(app).post(&format!("{appeal}/uphold"), because()).expect(200).state("upheld");
        let annulled = market.lead.get(&format!("/v1/suspensions/{suspension}")).expect(200).state("annulled").body;
        assert_eq!((&annulled["endedAt"], &annulled["at"]), (&json!("2019-06-01T12:00:00Z"), &json!("2019-07-01T12:00:00Z")));
        assert_eq!(count(app, "SuspensionAnnulled"), 1);
        member.remove(&market.lead, json!({})).problem("failure_path_not_followed", 409);
        // The past stays as it was: nobody was sent a referral then.
        assert!(!member.received(&market, "2019-05-15T00:00:00Z") && member.received(&market, "2019-06-01T12:00:00Z"));
    }

    fn a_dismissed_appeal_changes_nothing(app: &TestApp) {
        let market = rolling(app, json!({}));
        let member = Member::new(&market, "Ash");
        let suspension = member.suspend(&market.lead, json!({})).expect(201).id();
        let target = json!({"kind": "suspension", "suspension": suspension});
        let appeal = member.appeals(target.clone());
        another_lead(app).post(&format!("{appeal}/dismiss"), because()).expect(200).state("dismissed");
        assert!(!member.receives(&market));
        let appeal = member.appeals(target);
        market.lead.post(&format!("{appeal}/withdraw"), Value::Null).problem("forbidden", 403);
        member.provider().post(&format!("{appeal}/withdraw"), Value::Null).expect(200).state("withdrawn");
        another_lead(app).post(&format!("{appeal}/uphold"), because()).problem("wrong_state", 409);
        let own = member.provider().all("/v1/appeals");
        assert_eq!(own.len(), 2);
        assert_eq!(market.lead.all(&format!("/v1/appeals?arrangement={}&state=dismissed", market.id)).len(), 1);
        assert_eq!(app.lead("BRAD").all("/v1/appeals"), Vec::<Value>::new());
    }

    fn an_upheld_appeal_revokes_a_removal_before_its_effect(app: &TestApp) {
        let market = rolling(app, json!({"failurePath": "direct"}));
        let member = Member::new(&market, "Ash");
        let removal = member.remove(&market.lead, json!({})).expect(201).id();
        let target = json!({"kind": "removal", "removal": removal});
        member.provider().post("/v1/appeals", json!({"target": target, "grounds": "x"})).problem("nothing_to_appeal", 409);
        market.lead.post(&format!("/v1/removals/{removal}/revoke"), because()).expect(200);

        let removal = removed(&market, &member, Some("2019-06-01T00:00:00Z"));
        let appeal = member.appeals(json!({"kind": "removal", "removal": removal}));
        market.lead.post(&format!("{appeal}/uphold"), because()).problem("own_decision", 403);
        another_lead(app).post(&format!("{appeal}/uphold"), because()).expect(200);
        market.lead.get(&format!("/v1/removals/{removal}")).expect(200).state("revoked");
        app.at("2019-06-01T00:00:00Z");
        assert!(member.receives(&market));
        assert_eq!(count(app, "MembershipCreated"), 1, "it is the same membership");
    }

    fn an_upheld_appeal_admits_a_removed_member_again(app: &TestApp) {
        let market = rolling(app, json!({"failurePath": "direct"}));
        let member = Member::new(&market, "Ash");
        app.at("2019-05-01T12:00:00Z");
        let removal = removed(&market, &member, None);
        let appeal = member.appeals(json!({"kind": "removal", "removal": removal}));
        assert!(!member.receives(&market));
        app.at("2019-06-01T12:00:00Z");
        another_lead(app).post(&format!("{appeal}/uphold"), because()).expect(200);
        assert!(member.receives(&market));
        assert!(!member.received(&market, "2019-05-15T00:00:00Z"), "it was no member then");
        let held = member.provider().all("/v1/memberships");
        let states: Vec<_> = held.iter().map(|m| m["state"].as_str().unwrap()).collect();
        assert_eq!(states, ["removed", "active"]);
        assert_eq!(held[1]["application"], json!(member.application));
        assert_eq!(held[1]["assurances"], held[0]["assurances"]);
    }

    fn an_upheld_appeal_opens_a_rejected_line_again(app: &TestApp) {
        let market = rolling(app, json!({}));
        let applicant = Applicant::new(app, "Ash");
        let application = applicant.submitted(&market, &["FOSTERING"]);
        application.fail(&market, "safeguarding");
        application.pass(&market);
        application.reject(&market, "FOSTERING", &["safeguarding"]).expect(200);
        let target = json!({"kind": "line", "application": application.id, "lot": market.lot("FOSTERING")});
        let lodged = applicant.provider.post("/v1/appeals", json!({"target": target, "grounds": "it is on page 4"}));
        let appeal = format!("/v1/appeals/{}", lodged.expect(201).id());
        market.lead.post(&format!("{appeal}/uphold"), because()).problem("own_decision", 403);
        let judge = another_lead(app);
        let draft = applicant.start(&market, &["FOSTERING"]);
        let reply = judge.post(&format!("{appeal}/uphold"), because());
        assert!(!reply.text.contains(&draft.id), "a draft is not named to buyers");
        reply.problem("application_open", 409);
        draft.provider.post(&draft.path("/withdraw"), Value::Null).expect(200);
        judge.post(&format!("{appeal}/uphold"), because()).expect(200).state("upheld");
        assert_eq!(application.show()["state"], "in_evaluation");
        assert_eq!(application.check(&market, "safeguarding")["state"], "open");
        declare_interests(&judge, &market, json!([]));
        application.pass(&market);
        application.admit(&market, "FOSTERING");
        assert_eq!(applicant.provider.all("/v1/memberships").len(), 1);
    }
}

//! Members' fees: what is asked for a service, from when, and who sees it (PRC-01, PRC-04, PRC-08).

use domain::kernel::Role;
use serde_json::{Value, json};

use crate::actor::{Actor, Reply};
use crate::app::TestApp;
use crate::market::with;
use crate::members::{Member, feed, kinds, rolling};

/// Offers a fee of £4,000.00 a week from 1 April 2019, by `changes` to that.
#[track_caller]
fn offer(by: &Actor<'_>, member: &Member<'_>, changes: Value) -> Reply {
    let usual = json!({
        "code": "CORE", "description": "Core placement", "amountPence": 400_000, "unit": "week", "validFrom": "2019-04-01",
    });
    by.post(&member.path("/fees"), with(usual, changes))
}

/// What is asked for each service at an instant, by code.
#[track_caller]
fn asked(by: &Actor<'_>, at: &str) -> Vec<(String, i64)> {
    let fees = by.all(&format!("/v1/fees?limit=1&asOf={at}"));
    fees.iter().map(|fee| (fee["code"].as_str().unwrap().to_owned(), fee["amountPence"].as_i64().unwrap())).collect()
}

on_both! {
    fn a_fee_holds_until_the_next_of_its_service(app: &TestApp) {
        let market = rolling(app, json!({}));
        let ash = Member::new(&market, "Ash");
        let first = offer(ash.provider(), &ash, json!({})).expect(201).state("offered");
        assert_eq!(first.header("location"), Some(format!("/v1/fees/{}", first.id()).as_str()));
        let next = json!({"amountPence": 410_000, "validFrom": "2020-04-01"});
        let second = offer(ash.provider(), &ash, next).expect(201).body;
        assert_eq!((&second["supersedes"], &second["abnormal"]), (&json!(first.id()), &Value::Null));
        offer(ash.provider(), &ash, json!({"code": "SOLO", "amountPence": 9_900, "unit": "hour"})).expect(201);

        let (core, solo) = (|pence| ("CORE".to_owned(), pence), ("SOLO".to_owned(), 9_900));
        // Days are those of London: 1 April begins at 23:00 UTC.
        assert_eq!(asked(&market.lead, "2019-03-31T22:59:59Z"), []);
        assert_eq!(asked(&market.lead, "2019-03-31T23:00:00Z"), [core(400_000), solo.clone()]);
        assert_eq!(asked(&market.lead, "2020-03-31T23:00:00Z"), [core(410_000), solo.clone()]);

        let withdraw = |id: &Value, reason: &str| {
            ash.provider().post(&format!("/v1/fees/{}/withdraw", id.as_str().unwrap()), json!({"reason": reason}))
        };
        withdraw(&second["id"], " ").expect(422).blames("reason_required", "/reason");
        withdraw(&second["id"], "no longer").expect(200).state("withdrawn");
        withdraw(&second["id"], "no longer").problem("wrong_state", 409);
        assert_eq!(asked(&market.lead, "2020-03-31T23:00:00Z"), [core(400_000), solo.clone()], "it never began");
        app.at("2019-06-01T00:00:00Z");
        withdraw(&first.body["id"], "beds are full").expect(200);
        assert_eq!(asked(&market.lead, "2019-05-31T23:59:59Z"), [core(400_000), solo.clone()]);
        assert_eq!(asked(&market.lead, "2019-06-01T00:00:00Z"), [solo]);
        assert_eq!(market.lead.all(&ash.path("/fees")).len(), 3, "all of it is kept");
        let told = feed(ash.provider(), "&kind=FeeWithdrawn");
        assert_eq!(kinds(&told), ["FeeWithdrawn", "FeeWithdrawn"]);
    }

    fn what_is_wrong_with_a_fee_is_named(app: &TestApp) {
        let market = rolling(app, json!({}));
        let ash = Member::new(&market, "Ash");
        offer(ash.provider(), &ash, json!({"code": " ", "description": "", "amountPence": 0})).expect(422)
            .blames("fee_service_required", "/code")
            .blames("fee_service_required", "/description")
            .blames("fee_out_of_range", "/amountPence");
        offer(ash.provider(), &ash, json!({"amountPence": 4000.5})).expect(422).blames("invalid", "/amountPence");
        offer(ash.provider(), &ash, json!({"unit": "month"})).expect(422).blames("invalid", "/unit");
        offer(ash.provider(), &ash, json!({"validFrom": "2019-02-30"})).expect(422).blames("invalid", "/validFrom");
        offer(ash.provider(), &ash, json!({"validFrom": "2018-04-01"})).expect(201);
        offer(ash.provider(), &ash, json!({"validFrom": "2018-04-01"})).problem("fee_not_later", 409);
        offer(ash.provider(), &ash, json!({"validFrom": "2019-01-03"})).expect(422).blames("fee_backdated", "/validFrom");
        ash.provider().post(&ash.path("/withdraw"), json!({})).expect(200);
        offer(ash.provider(), &ash, json!({})).problem("membership_not_live", 409);
    }

    fn ac_61_an_abnormally_high_fee_is_accepted_and_flagged(app: &TestApp) {
        let market = rolling(app, json!({"abnormalFeeOverMedian": 2_500}));
        let members = ["Ash", "Birch", "Cedar", "Elm"].map(|name| Member::new(&market, name));
        for (member, pence) in members.iter().zip([390_000, 400_000, 450_000]) {
            offer(member.provider(), member, json!({"amountPence": pence, "validFrom": "2019-01-01"})).expect(201);
        }
        let elm = &members[3];
        let fee = offer(elm.provider(), elm, json!({"amountPence": 500_001})).expect(201);
        let path = format!("/v1/fees/{}", fee.id());
        assert_eq!(fee.body["abnormal"], Value::Null, "what others ask is not the provider's to learn");
        assert_eq!(elm.provider().get(&path).expect(200).body["abnormal"], Value::Null);
        assert_eq!(elm.provider().all(&elm.path("/fees"))[0]["abnormal"], Value::Null);
        let seen = market.lead.get(&path).expect(200).body["abnormal"].clone();
        assert_eq!(seen, json!({"medianPence": 400_000, "over": 2_500}));
        assert_eq!(feed(&market.lead, "&kind=AbnormalFeeFlagged").len(), 1);
        assert_eq!(feed(elm.provider(), "&kind=AbnormalFeeFlagged").len(), 0);
        let usual = offer(elm.provider(), elm, json!({"code": "LESS", "amountPence": 500_000})).expect(201).id();
        assert_eq!(market.lead.get(&format!("/v1/fees/{usual}")).expect(200).body["abnormal"], Value::Null);
    }

    fn a_fee_is_between_the_member_and_its_buyers(app: &TestApp) {
        let market = rolling(app, json!({}));
        let (ash, birch) = (Member::new(&market, "Ash"), Member::new(&market, "Birch"));
        let fee = format!("/v1/fees/{}", offer(ash.provider(), &ash, json!({})).expect(201).id());
        let ccc = app.commissioner("CCC");
        for buyer in [&market.lead, &ccc, &app.buyer(Role::SocialWorker, "PCC")] {
            buyer.get(&fee).expect(200);
            assert_eq!(buyer.all(&format!("/v1/fees?lot={}&membership={}", ash.lot, ash.id)).len(), 1);
        }
        for outsider in [birch.provider(), &app.commissioner("BRAD"), &app.portal("p")] {
            outsider.get(&fee).problem("not_found", 404);
            outsider.get(&ash.path("/fees")).problem("not_found", 404);
            assert_eq!(outsider.all(&format!("/v1/fees?arrangement={}", market.id)).len(), 0);
            assert_eq!(outsider.all("/v1/fees?asOf=2019-05-01T00:00:00Z").len(), 0);
        }
        offer(birch.provider(), &ash, json!({})).problem("not_found", 404);
        birch.provider().post(&format!("{fee}/withdraw"), json!({"reason": "mine"})).problem("not_found", 404);
        offer(&market.lead, &ash, json!({})).problem("forbidden", 403);
        app.anonymous().get(&fee).problem("unauthenticated", 401);
    }
}

//! The audit: who did what to an object, searched from every side (BEY-01).

use serde_json::{Value, json};

use crate::actor::Actor;
use crate::app::TestApp;
use crate::members::{Member, kinds, rolling};

/// What a search finds, newest first.
#[track_caller]
fn audit(asked_by: &Actor<'_>, query: &str) -> Vec<Value> {
    asked_by.all(&format!("/v1/audit?{query}"))
}

on_both! {
    fn it_is_searched_by_object_provider_lot_actor_and_time(app: &TestApp) {
        let market = rolling(app, json!({}));
        let (ash, birch) = (Member::new(&market, "Ash"), Member::new(&market, "Birch"));
        app.at("2019-05-01T12:00:00Z");
        let suspension = ash.suspend(&app.commissioner("CCC"), json!({})).expect(201).id();
        app.at("2019-06-01T12:00:00Z");
        let other = app.actor(domain::kernel::Role::Commissioner, "another-ccc", Some("CCC"), None);
        other.post(&format!("/v1/suspensions/{suspension}/lift"), json!({"reason": "better"})).expect(200);

        let of_object = audit(&market.lead, &format!("object={suspension}"));
        assert_eq!(kinds(&of_object), ["SuspensionLifted", "Suspended"]);
        assert_eq!(of_object[1]["actor"], json!({
            "subject": "commissioner-CCC", "role": "commissioner", "authority": "CCC", "actingFor": null,
        }));
        assert!(of_object.iter().all(|entry| entry["request"].is_string()), "{of_object:#?}");
        assert_eq!((&of_object[0]["fromState"], &of_object[0]["toState"]), (&json!("active"), &json!("lifted")));

        let by_actor = audit(&market.lead, "actor=commissioner-CCC");
        assert_eq!(kinds(&by_actor), ["Suspended"]);
        assert_eq!(audit(&market.lead, "actor=nobody"), Vec::<Value>::new());
        let of_provider = audit(&market.lead, &format!("provider={}", birch.of.id));
        assert!(!of_provider.is_empty() && of_provider.iter().all(|entry| entry["provider"] == json!(birch.of.id)));
        let of_lot = audit(&market.lead, &format!("lot={}&kind=MembershipCreated", ash.lot));
        assert_eq!(of_lot.len(), 2);
        assert_eq!(audit(&market.lead, &format!("lot={}&kind=MembershipCreated", market.lot("TUITION"))), Vec::<Value>::new());

        // From an instant on, and before one: half-open.
        let between = |from: &str, until: &str| kinds_of(&audit(&market.lead, &format!("from={from}&until={until}")));
        assert_eq!(between("2019-05-01T12:00:00Z", "2019-06-01T12:00:00Z"), ["Suspended"]);
        assert_eq!(between("2019-05-01T12:00:00.000001Z", "2019-06-01T12:00:00Z"), Vec::<String>::new());
        assert_eq!(between("2019-06-01T12:00:00Z", "2029-01-01T00:00:00Z"), ["SuspensionLifted"]);
        assert_eq!(audit(&market.lead, &format!("arrangement={}&from=2019-05-01T00:00:00Z", market.id)).len(), 2);
    }

    fn pages_do_not_shift_while_more_happens(app: &TestApp) {
        let market = rolling(app, json!({}));
        let member = Member::new(&market, "Ash");
        let whole = audit(&market.lead, "");
        let first = market.lead.get("/v1/audit?limit=3").expect(200).body;
        member.suspend(&market.lead, json!({})).expect(201);
        let next = first["next"].as_str().unwrap();
        let second = market.lead.get(&format!("/v1/audit?limit=3&cursor={next}")).expect(200).body;
        let read: Vec<&Value> = [&first, &second].iter().flat_map(|page| page["items"].as_array().unwrap()).collect();
        assert_eq!(read.iter().map(|e| &e["id"]).collect::<Vec<_>>(), whole[..6].iter().map(|e| &e["id"]).collect::<Vec<_>>());
        assert_eq!(audit(&market.lead, "limit=2").len(), whole.len() + 1);
        market.lead.get("/v1/audit?cursor=x").problem("bad_cursor", 422).blames("bad_cursor", "/cursor");
    }

    fn each_caller_finds_what_its_feed_shows(app: &TestApp) {
        let market = rolling(app, json!({}));
        let (ash, birch) = (Member::new(&market, "Ash"), Member::new(&market, "Birch"));
        let suspension = ash.suspend(&market.lead, json!({})).expect(201).id();
        let own = audit(ash.provider(), &format!("object={suspension}"));
        assert_eq!(own.len(), 1);
        assert_eq!((&own[0]["actor"]["subject"], &own[0]["request"]), (&Value::Null, &Value::Null));
        assert_eq!(audit(ash.provider(), "actor=lead_agency-LGSS"), Vec::<Value>::new(), "nor is it found out by asking");
        assert_eq!(audit(birch.provider(), &format!("object={suspension}")), Vec::<Value>::new());
        assert_eq!(audit(birch.provider(), &format!("provider={}", ash.of.id)), Vec::<Value>::new());
        assert_eq!(audit(&app.commissioner("BRAD"), &format!("object={suspension}")), Vec::<Value>::new());
        assert_eq!(audit(&app.commissioner("PCC"), &format!("object={suspension}")).len(), 1);
    }
}

fn kinds_of(events: &[Value]) -> Vec<String> {
    kinds(events).into_iter().map(str::to_owned).collect()
}

//! The change feed over HTTP: a whole journey in commit order, and to each reader its own part of it.

use persistence::record::verify::{self, Account};
use persistence::{Db, Settings};
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::applicants::Applicant;
use crate::members::{Member, feed, follow, kinds, rolling};

/// What `dps audit verify` finds.
pub fn verified(app: &TestApp) -> Account {
    let db = Db::open(&Settings::new(&app.database.url)).unwrap();
    crate::store::wait(db.scan(verify::verify)).unwrap()
}

fn ids(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["id"].as_str().unwrap()).collect()
}

/// The place of an event's type in a list of them.
#[track_caller]
fn place(kinds: &[&str], kind: &str) -> usize {
    kinds.iter().position(|k| *k == kind).unwrap_or_else(|| panic!("no {kind} in {kinds:?}"))
}

on_both! {
    fn a_journey_is_followed_in_the_order_in_which_it_happened(app: &TestApp) {
        let market = rolling(app, json!({}));
        let member = Member::new(&market, "Ash");
        app.at("2019-05-01T12:00:00Z");
        member.suspend(&market.lead, json!({"months": 1})).expect(201);
        app.at("2019-06-01T12:00:00Z");
        let removal = member.remove(&market.lead, json!({})).expect(201).id();
        member.provider().post(&format!("/v1/removals/{removal}/representations"), json!({"none": true})).expect(200);
        market.lead.post(&format!("/v1/removals/{removal}/decide"), json!({"reasons": "proven"})).expect(200);

        let own = feed(member.provider(), "");
        let seen = kinds(&own);
        let journey = [
            "ArrangementPublished", "ProviderRegistered", "ApplicationStarted", "ApplicationSubmitted", "EvaluationBegun",
            "LineAdmitted", "MembershipCreated", "Suspended", "SuspensionLapsed", "RemovalNotified", "RepresentationsMade",
            "RemovalDecided", "RemovalEffective", "MembershipRemoved",
        ];
        let places: Vec<usize> = journey.iter().map(|kind| place(&seen, kind)).collect();
        assert!(places.is_sorted(), "{seen:#?}");
        let instants: Vec<&str> = own.iter().map(|event| event["at"].as_str().unwrap()).collect();
        assert!(instants.is_sorted(), "the clock never goes back");

        // Chains: each aggregate's links count from 1 without a gap, and each event names the state before it.
        let everything = feed(&app.script(), "");
        let mut heads = std::collections::HashMap::new();
        // Of applications and deadlines some events are for nobody here.
        let partly = [json!("application"), json!("deadline")];
        for event in everything.iter().filter(|event| !partly.contains(&event["aggregate"]["kind"])) {
            let link = heads.entry(event["aggregate"]["id"].as_str().unwrap()).or_insert(0);
            *link += 1;
            assert_eq!(event["link"], *link, "{event:#}");
        }
        let account = verified(app);
        assert!(account.is_intact(), "{account:#?}");
        assert!(account.events >= everything.len() as u64 && account.chains >= heads.len() as u64);
    }

    fn page_by_page_it_is_the_same_feed_and_a_place_in_it_stays(app: &TestApp) {
        let market = rolling(app, json!({}));
        let member = Member::new(&market, "Ash");
        let script = app.script();
        let (whole, end) = follow(&script, "", 200, String::new());
        for limit in [1, 7] {
            assert_eq!(ids(&follow(&script, "", limit, String::new()).0), ids(&whole), "by {limit}");
        }
        // From the place of any event on, the rest of it follows.
        let middle = whole.len() / 2;
        let cursor = whole[middle]["cursor"].as_str().unwrap().to_owned();
        assert_eq!(ids(&follow(&script, "", 200, cursor.clone()).0), ids(&whole[middle + 1..]));

        assert_eq!(follow(&script, "", 200, end.clone()).0, Vec::<Value>::new());
        member.suspend(&market.lead, json!({})).expect(201);
        assert_eq!(kinds(&follow(&script, "", 200, end).0), ["Suspended"]);
        let after = follow(&script, "", 200, cursor).0;
        assert_eq!(ids(&after)[..after.len() - 1], ids(&whole)[middle + 1..], "what was read before is read again");
        script.get("/v1/events?after=yesterday").problem("bad_cursor", 422).blames("bad_cursor", "/after");
        script.get("/v1/events?limit=201").problem("bad_limit", 422);
        assert_eq!(kinds(&feed(&script, "&kind=Suspended")), ["Suspended"]);
        let in_lot = feed(&script, &format!("&lot={}", member.lot));
        assert!(!in_lot.is_empty() && in_lot.iter().all(|event| event["lot"] == json!(member.lot)));
    }

    fn a_provider_sees_its_own_part_only(app: &TestApp) {
        let market = rolling(app, json!({}));
        let (ash, birch) = (Member::new(&market, "Ash"), Member::new(&market, "Birch"));
        for member in [&ash, &birch] {
            member.of.home("CB1 1AA", Some("good"));
            let suspension = member.suspend(&market.lead, json!({})).expect(201).id();
            let appeal = member.appeals(json!({"kind": "suspension", "suspension": suspension}));
            member.provider().post(&format!("{appeal}/withdraw"), Value::Null).expect(200);
        }
        for (own, other) in [(&ash, &birch), (&birch, &ash)] {
            let seen = feed(own.provider(), "");
            assert!(seen.iter().any(|event| event["provider"] == json!(own.of.id)));
            for event in &seen {
                assert!(event["provider"].is_null() || event["provider"] == json!(own.of.id), "{event:#}");
                let text = event.to_string();
                assert!(!text.contains(&other.of.id) && !text.contains(&other.id), "{event:#}");
                // Who acts for the buying side is not a provider's business; that it was the lead agency is.
                let buying = event["actor"]["role"] != "provider";
                assert_eq!(event["actor"]["subject"].is_null(), buying, "{event:#}");
                assert!(!text.contains("lead_agency-LGSS"), "{event:#}");
            }
        }
        let suspended = feed(&market.lead, "&kind=Suspended");
        assert_eq!(suspended.len(), 2);
        assert_eq!(suspended[0]["actor"]["subject"], "lead_agency-LGSS");
        // A portal follows the providers that it registered, and has none; a stranger sees what is open to all.
        assert!(feed(&app.portal("p"), "").iter().all(|event| event["provider"].is_null()));
        let stranger = feed(&app.lead("BRAD"), "");
        assert!(stranger.iter().all(|event| event["arrangement"].is_null()), "{stranger:#?}");
        app.anonymous().get("/v1/events").problem("unauthenticated", 401);
        app.buyer(domain::kernel::Role::SocialWorker, "LGSS").get("/v1/events").problem("forbidden", 403);
    }

    fn a_draft_is_in_its_providers_feed_alone(app: &TestApp) {
        let market = rolling(app, json!({}));
        let ash = Applicant::new(app, "Ash");
        let application = ash.ready(&market, &["FOSTERING"]);
        let of = |events: &[Value]| -> Vec<String> {
            let own = events.iter().filter(|event| event["aggregate"]["id"] == json!(application.id));
            own.map(|event| event["type"].as_str().unwrap().to_owned()).collect()
        };
        let buyers = [market.lead.clone(), app.commissioner("CCC"), app.script()];
        assert!(of(&feed(&ash.provider, "")).contains(&"ApplicationStarted".to_owned()));
        for buyer in &buyers {
            assert_eq!(of(&feed(buyer, "")), Vec::<String>::new(), "{}", buyer.name);
            let audited = buyer.all(&format!("/v1/audit?object={}", application.id));
            assert_eq!(audited, Vec::<Value>::new(), "{}", buyer.name);
        }
        application.submit().expect(201);
        for buyer in &buyers {
            let seen = of(&feed(buyer, ""));
            assert_eq!(seen.first().map(String::as_str), Some("ApplicationSubmitted"), "{seen:?}");
            assert!(!seen.iter().any(|kind| kind == "ApplicationStarted" || kind == "DraftSaved"), "{seen:?}");
        }
        // That a buyer read what it says is itself an event, which its provider sees.
        market.lead.get(&application.path("/content")).expect(200);
        assert!(of(&feed(&ash.provider, "")).contains(&"ApplicationContentRead".to_owned()));
        assert!(verified(app).is_intact());
    }
}

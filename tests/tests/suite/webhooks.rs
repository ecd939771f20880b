//! Webhooks over HTTP: signed, in the order of the feed, at least once, and to nobody whose business it is not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use api::webhook::guard::Guarded;
use api::webhook::send::{Ended, Message, Sender};
use serde_json::{Value, json};
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use crate::actor::{Actor, Reply};
use crate::app::TestApp;
use crate::database::Kind;
use crate::market::with;
use crate::members::{Member, feed, follow, rolling};
use crate::receiver::{Got, Receiver};

const BEGINNING: &str = "2000-01-01T00:00:00Z";

/// Subscribes that receiver, by `order` laid over nothing but the address.
#[track_caller]
pub fn subscribe(by: &Actor<'_>, to: &Receiver, order: Value) -> Reply {
    by.post("/v1/webhooks", with(json!({"url": to.url()}), order)).expect(201)
}

#[track_caller]
fn secret(reply: &Reply) -> String {
    reply.body["secret"].as_str().unwrap_or_else(|| panic!("no secret\n{reply}")).to_owned()
}

/// Sends what is due.
#[track_caller]
pub fn deliver(app: &TestApp) -> Value {
    app.script().post("/v1/jobs/deliver/run", Value::Null).expect(200).body
}

pub fn ids(got: &[Got]) -> Vec<String> {
    got.iter().map(Got::id).collect()
}

pub fn ids_of(events: &[Value]) -> Vec<String> {
    events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
}

/// Suspends a member and lifts that again, so often: two events each time.
fn busy(market: &crate::market::Market<'_>, member: &Member<'_>, times: usize) {
    for _ in 0..times {
        let suspension = member.suspend(&market.lead, json!({})).expect(201).id();
        market.lead.post(&format!("/v1/suspensions/{suspension}/lift"), json!({"reason": "mended"})).expect(200);
    }
}

on_both! {
    fn what_is_sent_is_the_feed_signed_and_in_its_order(app: &TestApp) {
        let market = rolling(app, json!({}));
        let member = Member::new(&market, "Ash");
        let receiver = Receiver::new();
        let made = subscribe(&market.lead, &receiver, json!({"description": "the case system"})).state("active");
        let (path, secret) = (made.header("location").unwrap().to_owned(), secret(&made));
        assert_eq!(deliver(app)["made"], 0, "from now on");
        busy(&market, &member, 2);
        let after = made.body["cursor"].as_str().unwrap();
        let expected = follow(&market.lead, "", 200, after.to_owned()).0;
        assert!(expected.len() >= 4);
        let run = deliver(app);
        assert_eq!(run["made"], json!(expected.len()));
        assert_eq!(run["outcome"], "succeeded");
        let got = receiver.take();
        assert_eq!(ids(&got), ids_of(&expected));
        for (got, event) in got.iter().zip(&expected) {
            assert!(got.is_signed_with(&secret));
            assert!(!got.is_signed_with("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="));
            assert_eq!(got.header("content-type"), "application/json");
            assert_eq!(got.body["type"], event["type"]);
            assert_eq!(got.body["timestamp"], event["at"]);
            assert_eq!(got.body["data"], *event);
        }
        let shown = market.lead.get(&path).expect(200);
        assert_eq!(shown.body["attempts"], 0);
        assert!(shown.body["secret"].is_null(), "a secret is shown once");
        assert_eq!(deliver(app)["made"], 0, "each is sent once");
        let log = market.lead.all(&format!("{path}/deliveries?limit=3"));
        assert_eq!(log.len(), expected.len());
        assert_eq!(log[0]["event"], expected.last().unwrap()["id"]);
        assert!(log.iter().all(|row| row["outcome"] == "delivered" && row["status"] == 204 && row["attempt"] == 1));
        let figures = app.anonymous().get("/metrics").expect(200).text;
        assert!(figures.contains(&format!("dps_deliveries_total{{outcome=\"delivered\"}} {}", expected.len())));
    }

    fn a_subscription_filters_as_the_feed_does(app: &TestApp) {
        let market = rolling(app, json!({}));
        let (ash, birch) = (Member::new(&market, "Ash"), Member::new(&market, "Birch"));
        busy(&market, &ash, 1);
        busy(&market, &birch, 1);
        let sent = |order: Value| {
            let receiver = Receiver::new();
            subscribe(&market.lead, &receiver, with(json!({"from": BEGINNING}), order));
            deliver(app);
            ids(&receiver.take())
        };
        assert_eq!(sent(json!({})), ids_of(&feed(&market.lead, "")));
        let kinds = json!({"filters": {"kinds": ["Suspended", "SuspensionLifted"]}});
        let suspensions: Vec<Value> = feed(&market.lead, "").into_iter()
            .filter(|e| e["type"] == "Suspended" || e["type"] == "SuspensionLifted").collect();
        assert_eq!(suspensions.len(), 4);
        assert_eq!(sent(kinds), ids_of(&suspensions));
        let lot = json!({"filters": {"lot": ash.lot}});
        assert_eq!(sent(lot), ids_of(&feed(&market.lead, &format!("&lot={}", ash.lot))));
        let of_ash: Vec<Value> = feed(&market.lead, "").into_iter().filter(|e| e["provider"] == json!(ash.of.id)).collect();
        assert_eq!(sent(json!({"filters": {"provider": ash.of.id}})), ids_of(&of_ash));
        let unknown = json!({"filters": {"arrangement": "0190a000-0000-7000-8000-00000000dead"}});
        assert_eq!(sent(unknown), [""; 0]);
    }

    fn a_failure_is_tried_again_before_anything_else_is_sent(app: &TestApp) {
        let market = rolling(app, json!({}));
        let member = Member::new(&market, "Ash");
        app.at("2019-05-01T12:00:00Z");
        let receiver = Receiver::new();
        let made = subscribe(&market.lead, &receiver, json!({"filters": {"kinds": ["Suspended", "SuspensionLifted"]}}));
        let path = made.header("location").unwrap();
        busy(&market, &member, 1);
        receiver.answers(503, "retry-after: 600");
        assert_eq!(deliver(app)["outcome"], "failed");
        let waiting = market.lead.get(path).expect(200).state("active");
        assert_eq!(waiting.body["attempts"], 1);
        assert_eq!(waiting.body["nextAttemptAt"], "2019-05-01T12:10:00Z", "as long as it asks for");
        deliver(app);
        let first = receiver.take();
        assert_eq!(first.len(), 1, "nothing is sent before its time, nor anything in its place");
        let job = app.script().get("/v1/jobs/deliver").expect(200);
        assert_eq!((&job.body["due"], &job.body["nextDueAt"]), (&json!(0), &json!("2019-05-01T12:10:00Z")));
        app.at("2019-05-01T12:10:00Z");
        deliver(app);
        let rest = receiver.take();
        assert_eq!(rest.len(), 2);
        assert_eq!(rest[0].id(), first[0].id(), "the same id again");
        assert_eq!([&rest[0].body["type"], &rest[1].body["type"]], ["Suspended", "SuspensionLifted"]);
        let log = market.lead.all(&format!("{path}/deliveries"));
        let attempts: Vec<_> = log.iter().map(|row| (row["attempt"].as_i64().unwrap(), row["outcome"].clone())).collect();
        assert_eq!(attempts, [(1, json!("delivered")), (2, json!("delivered")), (1, json!("rejected"))]);
    }

    fn what_cannot_be_delivered_is_a_dead_letter_until_its_owner_decides(app: &TestApp) {
        let market = rolling(app, json!({}));
        let member = Member::new(&market, "Ash");
        let receiver = Receiver::new();
        let made = subscribe(&market.lead, &receiver, json!({"filters": {"kinds": ["Suspended", "SuspensionLifted"]}}));
        let path = made.header("location").unwrap();
        busy(&market, &member, 2);
        let exhaust = || {
            receiver.refuses(500, 20);
            for _ in 0..20 {
                deliver(app);
                let shown = market.lead.get(path).expect(200);
                if let Some(next) = shown.body["nextAttemptAt"].as_str() {
                    app.at(next);
                }
            }
            market.lead.get(path).expect(200).state("failing")
        };
        let failing = exhaust();
        let attempts = receiver.take();
        assert_eq!(attempts.len(), 20);
        assert!(attempts.iter().all(|got| got.id() == attempts[0].id()));
        assert_eq!(failing.body["event"], json!(attempts[0].id()));
        assert_eq!(failing.body["reason"], "exhausted");
        assert_eq!(deliver(app)["made"], 0);
        market.lead.post(&format!("{path}/resume"), json!({})).expect(200).state("active");
        exhaust();
        receiver.take();
        // Without it the others follow, in their order.
        market.lead.post(&format!("{path}/resume"), json!({"skip": true})).expect(200).state("active");
        deliver(app);
        let rest = receiver.take();
        let kinds: Vec<&Value> = rest.iter().map(|got| &got.body["type"]).collect();
        assert_eq!(kinds, ["SuspensionLifted", "Suspended", "SuspensionLifted"]);
        // 410 ends it at once.
        receiver.answers(410, "");
        busy(&market, &member, 1);
        deliver(app);
        let gone = market.lead.get(path).expect(200).state("failing");
        assert_eq!((&gone.body["reason"], receiver.take().len()), (&json!("gone"), 1));
        // So does a pause, and nothing is lost.
        market.lead.post(&format!("{path}/pause"), Value::Null).expect(200).state("paused");
        market.lead.post(&format!("{path}/pause"), Value::Null).problem("wrong_state", 409);
        deliver(app);
        assert_eq!(receiver.take().len(), 0);
        market.lead.post(&format!("{path}/resume"), json!({})).expect(200).state("active");
        deliver(app);
        assert_eq!(receiver.take().len(), 2);
    }

    fn no_owner_waits_for_the_many_subscriptions_of_another(app: &TestApp) {
        let receiver = Receiver::new();
        let (many, one) = (app.script(), app.lead("LGSS"));
        let mut theirs: Vec<String> =
            (0..9).map(|_| subscribe(&many, &receiver, json!({})).id()).collect();
        theirs.sort();
        let own = subscribe(&one, &receiver, json!({})).id();
        crate::market::requirement(&one, "code", crate::market::manual("First"));
        app.settle();
        let store = persistence::Db::open(&persistence::Settings::new(&app.database.url)).unwrap();
        let (mut firsts, now) = (std::collections::BTreeSet::new(), crate::store::stamp().now);
        for second in 0..9 {
            let due = crate::store::wait(store.scan(move |c| {
                let end = persistence::record::event::end(c)?;
                persistence::webhook::work(c, end, now.plus_seconds(second))
            }));
            let due: Vec<String> = due.unwrap().due.iter().map(ToString::to_string).collect();
            assert!(due[..2].contains(&own), "one of each owner comes before a second one of any");
            firsts.extend(due[..2].iter().filter(|id| **id != own).cloned());
            let mut all = due;
            all.retain(|id| *id != own);
            all.sort();
            assert_eq!(all, theirs);
        }
        assert_eq!(firsts.len(), 9, "and of an owner's each is first at times");
    }

    fn a_subscription_is_replayed_from_any_place(app: &TestApp) {
        let market = rolling(app, json!({}));
        let member = Member::new(&market, "Ash");
        let receiver = Receiver::new();
        let made = subscribe(&market.lead, &receiver, json!({}));
        let path = made.header("location").unwrap();
        app.at("2019-05-01T12:00:00Z");
        busy(&market, &member, 2);
        deliver(app);
        receiver.take();
        let all = feed(&market.lead, "");
        let replayed = |from: Value| {
            market.lead.post(&format!("{path}/replay"), from).expect(200);
            deliver(app);
            ids(&receiver.take())
        };
        assert_eq!(replayed(json!({"from": BEGINNING})), ids_of(&all));
        assert_eq!(replayed(json!({"after": all[3]["cursor"]})), ids_of(&all[4..]));
        let late: Vec<Value> = all.iter().filter(|e| e["at"] == "2019-05-01T12:00:00Z").cloned().collect();
        assert_eq!(replayed(json!({"from": "2019-05-01T12:00:00Z"})), ids_of(&late));
        assert_eq!(replayed(json!({"from": "2900-01-01T00:00:00Z"})), [""; 0], "from the end on");
        busy(&market, &member, 1);
        deliver(app);
        assert!(receiver.take().len() >= 2);
        let both = json!({"from": BEGINNING, "after": all[3]["cursor"]});
        market.lead.post(&format!("{path}/replay"), both).problem("webhook_place_ambiguous", 422);
        market.lead.post(&format!("{path}/replay"), json!({})).problem("bad_cursor", 422);
        market.lead.post(&format!("{path}/replay"), json!({"after": "here"})).blames("bad_cursor", "/after");
    }

    fn a_secret_is_rotated_with_both_signing_for_a_while(app: &TestApp) {
        let market = rolling(app, json!({}));
        app.at("2019-05-01T12:00:00Z");
        let receiver = Receiver::new();
        let made = subscribe(&market.lead, &receiver, json!({}));
        let (path, old) = (made.header("location").unwrap(), secret(&made));
        let ping = || {
            let answer = market.lead.post(&format!("{path}/ping"), Value::Null).expect(200).body;
            assert_eq!((&answer["outcome"], &answer["status"], &answer["type"]), (&json!("delivered"), &json!(204), &json!("ping")));
            let got = receiver.take().remove(0);
            assert_eq!(got.body["type"], "ping");
            assert_eq!(json!(got.id()), answer["event"]);
            got
        };
        assert!(ping().is_signed_with(&old));
        let rotated = market.lead.post(&format!("{path}/rotate"), json!({"overlapHours": 2})).expect(200);
        let new = secret(&rotated);
        let both = ping();
        assert_eq!(both.header("webhook-signature").split(' ').count(), 2);
        assert!(both.is_signed_with(&old) && both.is_signed_with(&new));
        app.at("2019-05-01T14:00:00Z");
        let alone = ping();
        assert!(alone.is_signed_with(&new) && !alone.is_signed_with(&old));
        // However often: two are live at most.
        market.lead.post(&format!("{path}/rotate"), json!({})).expect(200);
        market.lead.post(&format!("{path}/rotate"), json!({})).expect(200);
        let last = ping();
        assert_eq!(last.header("webhook-signature").split(' ').count(), 2);
        assert!(!last.is_signed_with(&new));
        market.lead.post(&format!("{path}/rotate"), json!({"overlapHours": 0})).expect(200);
        assert_eq!(ping().header("webhook-signature").split(' ').count(), 1);
    }

    fn a_ping_says_how_it_ended(app: &TestApp) {
        let market = rolling(app, json!({}));
        let receiver = Receiver::new();
        let made = subscribe(&market.lead, &receiver, json!({}));
        let path = made.header("location").unwrap();
        let ping = |by: &Actor<'_>| by.post(&format!("{path}/ping"), Value::Null).expect(200).body["outcome"].clone();
        receiver.answers(302, &format!("location: http://{}/elsewhere", receiver.address));
        assert_eq!(ping(&market.lead), "redirected");
        assert_eq!(receiver.take().len(), 1, "a redirect is not followed");
        receiver.refuses(500, 1);
        assert_eq!(ping(&market.lead), "rejected");
        let dry = market.lead.request("POST", &format!("{path}/ping")).dry().send().expect(200);
        assert_eq!((&dry.body["outcome"], receiver.take().len()), (&json!("not_sent"), 1));
        drop(receiver);
        assert_eq!(ping(&market.lead), "unreachable");
        let log = market.lead.all(&format!("{path}/deliveries"));
        assert_eq!(log.len(), 3);
        assert!(log.iter().all(|row| row["type"] == "ping"));
        market.lead.get(path).expect(200).state("active");
    }

    fn a_subscription_is_its_owners_alone(app: &TestApp) {
        let market = rolling(app, json!({}));
        let (ash, birch) = (Member::new(&market, "Ash"), Member::new(&market, "Birch"));
        let (to_ash, to_script, to_stranger) = (Receiver::new(), Receiver::new(), Receiver::new());
        let from = json!({"from": BEGINNING});
        let made = subscribe(ash.provider(), &to_ash, from.clone());
        let path = made.header("location").unwrap();
        subscribe(&app.script(), &to_script, from.clone());
        subscribe(&app.lead("BRAD"), &to_stranger, from);
        busy(&market, &ash, 1);
        busy(&market, &birch, 1);
        deliver(app);
        let sent = to_ash.take();
        assert_eq!(ids(&sent), ids_of(&feed(ash.provider(), "")));
        assert!(!sent.is_empty());
        for got in sent {
            let provider = &got.body["data"]["provider"];
            assert!(provider.is_null() || *provider == json!(ash.of.id), "{}", got.text);
            assert!(!got.text.contains(&birch.of.id) && !got.text.contains("lead_agency-LGSS"), "{}", got.text);
        }
        assert_eq!(ids(&to_script.take()), ids_of(&feed(&app.script(), "")));
        assert_eq!(ids(&to_stranger.take()), ids_of(&feed(&app.lead("BRAD"), "")));
        // To anybody else it is not there, not even to one of the same authority.
        for other in [birch.provider(), &market.lead, &app.script(), &app.commissioner("LGSS")] {
            other.get(path).problem("not_found", 404);
            other.get(&format!("{path}/deliveries")).problem("not_found", 404);
            for (act, body) in [("ping", Value::Null), ("pause", Value::Null), ("resume", json!({})), ("rotate", json!({})), ("replay", json!({"from": BEGINNING}))] {
                other.post(&format!("{path}/{act}"), body).problem("not_found", 404);
            }
            other.request("PATCH", path).json(json!({})).if_match("*").send().problem("not_found", 404);
            other.request("DELETE", path).if_match("*").send().problem("not_found", 404);
            assert!(other.all("/v1/webhooks").iter().all(|row| row["id"] != made.body["id"]));
        }
        app.buyer(domain::kernel::Role::SocialWorker, "LGSS").get("/v1/webhooks").problem("forbidden", 403);
    }

    fn a_subscription_is_changed_and_deleted(app: &TestApp) {
        let market = rolling(app, json!({}));
        let member = Member::new(&market, "Ash");
        let (first, second) = (Receiver::new(), Receiver::new());
        let made = subscribe(&market.lead, &first, json!({}));
        let path = made.header("location").unwrap();
        market.lead.request("PATCH", path).json(json!({"url": second.url()})).send().problem("precondition_required", 428);
        let changed = json!({"url": second.url(), "filters": {"kinds": ["Suspended"]}});
        market.lead.patch(path, changed).expect(200);
        market.lead.request("PATCH", path).json(json!({})).if_match("\"1\"").send().problem("stale", 412);
        busy(&market, &member, 1);
        deliver(app);
        assert_eq!((first.take().len(), second.take().len()), (0, 1));
        assert_eq!(market.lead.all("/v1/webhooks").len(), 1);
        market.lead.request("DELETE", path).matching().send().expect(200).state("deleted");
        market.lead.get(path).problem("not_found", 404);
        assert_eq!(market.lead.all("/v1/webhooks"), [Value::Null; 0]);
        busy(&market, &member, 1);
        deliver(app);
        assert_eq!(second.take().len(), 0);
        // Twenty, and no more.
        for _ in 0..20 {
            subscribe(&market.lead, &first, json!({}));
        }
        market.lead.post("/v1/webhooks", json!({"url": first.url()})).problem("too_many_webhooks", 409);
        let kinds = json!({"url": first.url(), "filters": {"kinds": [""]}});
        market.lead.post("/v1/webhooks", kinds).blames("webhook_filter_unusable", "/filters/kinds/0");
    }

    fn a_secret_is_told_once_and_kept_by_nobody(app: &TestApp) {
        let receiver = Receiver::new();
        let script = app.script();
        let send = |path: &str, body: Value, key: &str| script.request("POST", path).json(body).key(key).send();
        let order = json!({"url": receiver.url()});
        let made = send("/v1/webhooks", order.clone(), "a").expect(201);
        let path = made.header("location").unwrap();
        let rotated = send(&format!("{path}/rotate"), json!({}), "b").expect(200);
        let secrets = [secret(&made), secret(&rotated)];
        assert_ne!(secrets[0], secrets[1]);
        // A replay is the first answer without the secret.
        let again = send("/v1/webhooks", order.clone(), "a").expect(201);
        assert_eq!(again.body["id"], made.body["id"]);
        assert!(again.body["secret"].is_null());
        assert!(send(&format!("{path}/rotate"), json!({}), "b").expect(200).body["secret"].is_null());
        let dry = script.request("POST", "/v1/webhooks").json(order).dry().send().expect(201);
        assert!(dry.body["secret"].is_null());
        script.post(&format!("{path}/ping"), Value::Null).expect(200);
        let stored = app.database.dump();
        assert!(stored.contains("WebhookSubscribed") && stored.contains("WebhookSecretRotated"));
        for secret in secrets {
            assert!(!stored.contains(&secret) && !stored.contains(secret.trim_start_matches("whsec_")));
        }
        // The address may be a secret too: only the subscription has it.
        let told = format!("{}{}", script.get("/v1/events").expect(200).text, script.get("/v1/audit").expect(200).text);
        assert!(!told.contains("t0k3n") && !told.contains("WebhookSubscribed"));
    }
}

#[test]
fn nothing_is_sent_to_an_address_that_is_nobodys_on_the_internet() {
    let app = TestApp::tuned(Kind::Sqlite, |config| config.webhook_private = false);
    let script = app.script();
    let unusable = [
        "http://example.org/",
        "https://user:secret@example.org/",
        "https://example.org/#a",
        "ftp://example.org/",
        "hooks",
    ];
    for url in unusable {
        script
            .post("/v1/webhooks", json!({"url": url}))
            .problem("webhook_url_unusable", 422)
            .blames("webhook_url_unusable", "/url");
    }
    // However it is written.
    let refused = [
        "https://127.0.0.1/",
        "https://localhost:8443/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://10.1.2.3/",
        "https://[fd00::1]/",
        "https://[64:ff9b::a00:1]/",
    ];
    for url in refused {
        script
            .post("/v1/webhooks", json!({"url": url}))
            .problem("webhook_address_refused", 422)
            .blames("webhook_address_refused", "/url");
    }
    assert_eq!(script.all("/v1/webhooks"), [Value::Null; 0]);
}

/// A name server that gives a public address when it is asked first, and the receiver's ever after.
#[derive(Clone, Debug)]
struct Rebinding {
    asked: Arc<AtomicUsize>,
    to: std::net::SocketAddr,
}

impl Resolver for Rebinding {
    fn resolve(&self, _: &Uri, _: &ureq::config::Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut found = self.empty();
        let first = self.asked.fetch_add(1, Ordering::SeqCst) == 0;
        found.push(if first { ([93, 184, 216, 34], 443).into() } else { self.to });
        Ok(found)
    }
}

#[test]
fn a_name_that_is_bound_anew_gains_nothing() {
    let receiver = Receiver::new();
    let names = Rebinding { asked: Arc::default(), to: receiver.address };
    let url = format!("https://rebinding.example:{}/", receiver.address.port());
    let uri: Uri = url.parse().unwrap();
    assert!(Guarded { inner: names.clone(), private: false }.check(&uri).is_ok(), "at first it is public");
    let message = || Message { id: "1".to_owned(), seconds: 0, signature: "v1,".to_owned(), body: "{}".to_owned() };
    let sent = Sender::resolving(false, names.clone()).send(&url, message());
    assert_eq!(sent.ended, Ended::AddressRefused);
    assert_eq!(names.asked.load(Ordering::SeqCst), 2, "a request looks up once, and goes where it looked");
    assert!(Guarded { inner: names.clone(), private: false }.check(&uri).is_err());
    assert_eq!(receiver.take().len(), 0);
    // Where private addresses are allowed the same name leads there.
    let plain = url.replace("https", "http");
    assert_eq!(Sender::resolving(true, names).send(&plain, message()).ended, Ended::Delivered);
    assert_eq!(receiver.take().len(), 1);
}

//! A home's identity lives: it is sold, a number was mistyped, it was closed by mistake (A20).

use serde_json::{Value, json};

use crate::app::TestApp;
use crate::applicants::Applicant;
use crate::market::Market;
use crate::members::{count, feed};

fn sale(to: &Applicant<'_>, on: &str) -> Value {
    json!({"to": to.id, "on": on, "reason": "sold with its staff"})
}

fn because(reason: &str) -> Value {
    json!({"reason": reason})
}

on_both! {
    fn a_home_is_sold_and_its_ratings_go_with_it(app: &TestApp) {
        let (fens, wash) = (Applicant::new(app, "Fens Care"), Applicant::new(app, "Wash Homes"));
        let home = fens.home("PE29 1AA", Some("good"));
        let path = |under: &str| format!("/v1/homes/{home}{under}");
        wash.provider.post(&path("/transfer"), sale(&wash, "2015-12-01")).problem("not_found", 404);
        fens.provider.post(&path("/transfer"), sale(&fens, "2015-12-01")).expect(422).blames("transfer_empty", "/to");
        fens.provider.post(&path("/transfer"), sale(&wash, "2016-02-01")).expect(422).blames("date_in_future", "/on");
        let nobody = json!({"to": "0190a000-0000-7000-8000-00000000dead", "on": "2015-12-01", "reason": "sold"});
        fens.provider.post(&path("/transfer"), nobody).expect(422).blames("buyer_unknown", "/to");
        let offered = fens.provider.post(&path("/transfer"), sale(&wash, "2015-12-01")).expect(200).body;
        assert_eq!((&offered["provider"], &offered["transfer"]["to"]), (&json!(fens.id), &json!(wash.id)));

        // The buyer is told, sees nothing more, and accepts; nobody else can.
        let told = feed(&wash.provider, "&kind=HomeOffered").remove(0);
        assert_eq!((&told["data"]["home"], &told["data"]["from"]), (&json!(home), &json!(fens.id)));
        wash.provider.get(&path("")).problem("not_found", 404);
        let other = Applicant::new(app, "Nene Care");
        other.provider.post(&path("/accept-transfer"), Value::Null).problem("not_found", 404);
        fens.provider.post(&path("/accept-transfer"), Value::Null).problem("not_found", 404);
        let accepted = wash.provider.post(&path("/accept-transfer"), Value::Null).expect(200).body;
        assert_eq!((&accepted["provider"], &accepted["transfer"]), (&json!(wash.id), &Value::Null));
        assert_eq!(accepted["owners"], json!([{"provider": fens.id, "until": "2015-12-01"}]));
        assert_eq!(wash.provider.get(&path("/ratings")).expect(200).body["held"], "good");
        fens.provider.get(&path("")).problem("not_found", 404);
        assert_eq!(fens.provider.all(&format!("/v1/providers/{}/homes", fens.id)), Vec::<Value>::new());
        // Both are told, and the authorities.
        assert_eq!(feed(&fens.provider, "&kind=HomeHandedOver").len(), 1);
        assert_eq!(feed(&wash.provider, "&kind=HomeTransferred").len(), 1);
        assert_eq!(feed(&app.lead("CCC"), "&kind=HomeTransferred").len(), 1);
    }

    fn an_officer_records_a_sale_and_a_party_ends_an_offer(app: &TestApp) {
        let market = Market::rolling(app);
        let (fens, wash) = (Applicant::new(app, "Fens Care"), Applicant::new(app, "Wash Homes"));
        let (one, two) = (fens.home("PE29 1AA", Some("good")), fens.home("PE29 1AB", None));
        app.commissioner("CCC").post(&format!("/v1/homes/{one}/transfer"), sale(&wash, "2015-12-01")).problem("forbidden", 403);
        fens.submitted(&market, &["FOSTERING"]);
        app.commissioner("BRAD").post(&format!("/v1/homes/{one}/transfer"), sale(&wash, "2015-12-01")).problem("forbidden", 403);
        let moved = app.commissioner("CCC").post(&format!("/v1/homes/{one}/transfer"), sale(&wash, "2015-12-01")).expect(200).body;
        assert_eq!(moved["provider"], wash.id.as_str());
        assert_eq!(feed(&fens.provider, "&kind=HomeHandedOver").len(), 1);
        for (ends, who) in [("not paid", &wash), ("changed our minds", &fens)] {
            fens.provider.post(&format!("/v1/homes/{two}/transfer"), sale(&wash, "2015-12-01")).expect(200);
            who.provider.post(&format!("/v1/homes/{two}/end-transfer"), because(ends)).expect(200);
            wash.provider.post(&format!("/v1/homes/{two}/accept-transfer"), Value::Null).problem("not_found", 404);
        }
        assert_eq!((count(app, "HomeTransferEnded"), count(app, "HomeTransferred")), (2, 1));
        app.lead("LGSS").post(&format!("/v1/providers/{}/make-dormant", wash.id), because("x")).problem("forbidden", 403);
        wash.provider.post(&format!("/v1/providers/{}/make-dormant", wash.id), because("wound up")).expect(200);
        fens.provider.post(&format!("/v1/homes/{two}/transfer"), sale(&wash, "2015-12-01")).problem("wrong_state", 409);
    }

    fn a_home_that_was_sold_is_not_offered_again_by_its_seller(app: &TestApp) {
        let market = Market::rolling(app);
        let (fens, wash) = (Applicant::new(app, "Fens Care"), Applicant::new(app, "Wash Homes"));
        let home = fens.home("PE29 1AA", Some("good"));
        let application = fens.ready(&market, &["FOSTERING"]);
        fens.provider.put(&application.path("/homes"), json!({"homes": [home]})).expect(200);
        fens.provider.post(&format!("/v1/homes/{home}/transfer"), sale(&wash, "2018-12-01")).expect(200);
        wash.provider.post(&format!("/v1/homes/{home}/accept-transfer"), Value::Null).expect(200);
        application.submit().expect(422).blames("home_unknown", "/homes/0");
    }

    fn what_was_mistyped_is_put_right(app: &TestApp) {
        let market = Market::rolling(app);
        let (fens, wash) = (Applicant::new(app, "Fens Care"), Applicant::new(app, "Wash Homes"));
        fens.submitted(&market, &["FOSTERING"]);
        let home = fens.home("PE29 1AA", None);
        let path = format!("/v1/homes/{home}/correct");
        let right = |urn: &str| json!({"urn": urn, "reason": "two digits were swapped"});
        fens.provider.post(&path, right("TBC")).expect(422).blames("regulator_id_malformed", "/urn");
        fens.provider.post(&path, json!({"urn": "SC424242", "reason": " "})).expect(422).blames("reason_required", "/reason");
        wash.provider.post(&path, right("SC424242")).problem("not_found", 404);
        assert_eq!(fens.provider.post(&path, right("sc 424242")).expect(200).body["registration"]["urn"], "SC424242");
        let dated = json!({"registeredOn": "2011-04-01", "reason": "as the certificate says"});
        let by_officer = app.lead("LGSS").post(&path, dated).expect(200).body;
        assert_eq!(by_officer["registration"], json!({"urn": "SC424242", "registeredOn": "2011-04-01"}));
        let change = feed(&app.script(), "&kind=HomeCorrected").remove(1)["data"].clone();
        assert_eq!((&change["before"]["registeredOn"], &change["after"]["registeredOn"]), (&json!("2010-04-01"), &json!("2011-04-01")));
        let other = wash.home("PE29 1AB", None);
        wash.provider.post(&format!("/v1/homes/{other}/correct"), right("SC424242")).problem("urn_taken", 409);

        let provider = format!("/v1/providers/{}/correct", fens.id);
        let named = json!({"legalName": "Fens Care Limited", "companyNumber": "7654321", "reason": "by Companies House"});
        wash.provider.post(&provider, named.clone()).problem("not_found", 404);
        let corrected = app.commissioner("CCC").post(&provider, named).expect(200).body;
        assert_eq!(corrected["profile"]["companyNumber"], "07654321");
        assert_eq!(corrected["formerNames"][0]["name"], "Fens Care");
        let change = feed(&fens.provider, "&kind=ProviderCorrected").remove(0)["data"].clone();
        assert_eq!((&change["before"]["legalName"], &change["statedBy"]), (&json!("Fens Care"), &json!("officer")));
    }

    fn a_home_closed_by_mistake_opens_again(app: &TestApp) {
        let market = Market::rolling(app);
        let fens = Applicant::new(app, "Fens Care");
        fens.submitted(&market, &["FOSTERING"]);
        let home = fens.home("PE29 1AA", Some("good"));
        let closed = json!({"closedOn": "2015-12-01", "reason": "sold"});
        let path = |under: &str| format!("/v1/homes/{home}/{under}");
        fens.provider.post(&path("reopen"), because("it is open")).problem("wrong_state", 409);
        fens.provider.post(&path("close"), closed.clone()).expect(200).state("closed");
        fens.provider.post(&path("reopen"), because(" ")).problem("reason_required", 422);
        let open = fens.provider.post(&path("reopen"), because("the other one closed")).expect(200).state("registered").body;
        assert!(open["registration"]["urn"].is_string(), "{open:#}");
        app.lead("LGSS").post(&path("close"), closed).expect(200).state("closed");
        app.lead("LGSS").post(&path("reopen"), because("not that one")).expect(200).state("registered");
        assert_eq!(count(app, "HomeReopened"), 2);
    }
}

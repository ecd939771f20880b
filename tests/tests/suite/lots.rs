//! Lots and the requirement library.

use serde_json::{Value, json};

use crate::app::TestApp;
use crate::market::{self, Market, manual, with};

on_both! {
    fn ac_20_one_lot_under_the_name_of_each_authority(app: &TestApp) {
        let market = Market::published(app);
        let fostering = market.lot("FOSTERING");
        let aliases = json!([
            {"authority": "CCC", "code": "Fostering", "label": "Fostering"},
            {"authority": "PCC", "code": "Lot 1", "label": "Lot 1 - IFA"},
        ]);
        market.lead.put(&format!("/v1/lots/{fostering}/aliases"), aliases).expect(200);
        let known = |authority: &str, label: &str| {
            let lots = app.commissioner(authority).all(&market.path(&format!("/lots?authority={authority}")));
            let found = lots.iter().find(|lot| lot["knownAs"] == label);
            found.unwrap_or_else(|| panic!("{authority} knows no {label}"))["id"].clone()
        };
        assert_eq!(known("PCC", "Lot 1 - IFA"), fostering);
        assert_eq!(known("CCC", "Fostering"), fostering);
    }

    fn names_and_access_of_each_authority_are_read(app: &TestApp) {
        let market = Market::draft(app, json!({}));
        let lot = format!("/v1/lots/{}", market.lot("TUITION"));
        let alias = json!({"authority": "PCC", "code": "Lot 4", "label": "Lot 4 - Nil spend"});
        market.lead.put(&format!("{lot}/aliases"), json!([alias])).expect(200);
        market.lead.put(&format!("{lot}/access"), json!([{"authority": "PCC", "right": "reserved"}])).expect(200);
        app.anonymous().get(&format!("{lot}/aliases")).problem("not_found", 404);
        market.publish();
        let public = app.anonymous();
        assert_eq!(public.all(&format!("{lot}/aliases")), [alias]);
        let (ccc, pcc) = (json!({"authority": "CCC", "right": "uses"}), json!({"authority": "PCC", "right": "reserved"}));
        assert_eq!(public.all(&format!("{lot}/access")), [ccc, pcc], "who has no entry uses it");
        // What was read can be sent back.
        let read = public.get(&format!("{lot}/access")).expect(200);
        let again = market.lead.request("PUT", &format!("{lot}/access")).json(read.body["items"].clone());
        again.if_match(&read.etag()).send().problem("wrong_state", 409);
    }

    fn ac_28_an_authority_dispatches_only_to_lots_that_it_uses(app: &TestApp) {
        let market = Market::draft(app, json!({}));
        let lot = format!("/v1/lots/{}", market.lot("TUITION"));
        market.lead.put(&format!("{lot}/access"), json!([{"authority": "PCC", "right": "reserved"}])).expect(200);
        market.publish();
        let (pcc, ccc) = (app.commissioner("PCC"), app.commissioner("CCC"));
        let dispatch = format!("{lot}/members?receiving=true");
        pcc.get(&dispatch).problem("lot_not_used", 403);
        pcc.get(&format!("{lot}/members")).expect(200);
        for other in [&ccc, &market.lead, &app.script()] {
            other.get(&dispatch).expect(200);
        }
        market.lead.post(&format!("{lot}/exercise-reserved-right"), json!({"authority": "PCC"})).expect(200);
        pcc.get(&dispatch).expect(200);
    }

    fn a_code_is_used_once_in_an_arrangement(app: &TestApp) {
        let market = Market::draft(app, json!({}));
        let again = json!({"code": "TUITION", "title": "Tuition", "serviceType": "tuition"});
        market.lead.post(&market.path("/lots"), again.clone())
            .problem("lot_code_taken", 409).blames("lot_code_taken", "/code");
        let lot = format!("/v1/lots/{}", market.lot("INMSS"));
        market.lead.patch(&lot, again.clone()).problem("lot_code_taken", 409);
        market.lead.patch(&lot, with(again, json!({"code": "SCHOOLS"}))).expect(200);
    }

    fn a_lot_pauses_opens_and_closes(app: &TestApp) {
        let market = Market::published(app);
        let lot = format!("/v1/lots/{}", market.lot("TUITION"));
        let because = json!({"reason": "under review"});
        market.lead.post(&format!("{lot}/pause"), because.clone()).expect(200).state("paused");
        market.lead.post(&format!("{lot}/pause"), because.clone()).problem("wrong_state", 409);
        market.lead.post(&format!("{lot}/open"), Value::Null).expect(200).state("open");
        market.lead.post(&format!("{lot}/close"), json!({"reason": ""})).problem("invalid", 422);
        market.lead.post(&format!("{lot}/close"), because).expect(200).state("closed");
        market.lead.post(&format!("{lot}/open"), Value::Null).problem("wrong_state", 409);
    }

    fn a_draft_lot_opens_only_with_its_arrangement(app: &TestApp) {
        let market = Market::draft(app, json!({}));
        market.lead.post(&format!("/v1/lots/{}/open", market.lot("TUITION")), Value::Null)
            .problem("arrangement_not_in_force", 409);
    }

    fn a_reserved_right_is_exercised_once(app: &TestApp) {
        let market = Market::draft(app, json!({}));
        let lot = format!("/v1/lots/{}", market.lot("TUITION"));
        market.lead.put(&format!("{lot}/access"), json!([{"authority": "PCC", "right": "reserved"}])).expect(200);
        market.publish();
        let pcc = json!({"authority": "PCC"});
        market.lead.post(&format!("{lot}/exercise-reserved-right"), pcc.clone()).expect(200);
        market.lead.post(&format!("{lot}/exercise-reserved-right"), pcc).problem("no_reserved_right", 409);
    }

    fn a_lot_keeps_the_version_it_adopted(app: &TestApp) {
        let market = Market::draft(app, json!({}));
        let (_, requirement) = &market.requirements[0];
        let versions = format!("/v1/requirements/{requirement}/versions");
        market.lead.post(&versions, manual("Children are kept safer")).expect(200);
        market.lead.post(&versions, manual("Children are kept safer")).problem("version_unchanged", 409);
        app.lead("CCC").post(&versions, manual("Not ours")).problem("forbidden", 403);
        let asked = format!("/v1/lots/{}/requirements", market.lot("TUITION"));
        let title = || market.lead.all(&asked)[0]["definition"]["title"].clone();
        assert_eq!(title(), "Children are kept safe");
        market.lead.post(&asked, json!({"requirement": requirement, "version": 2})).expect(200);
        assert!(market.lead.all(&asked).iter().any(|r| r["definition"]["title"] == "Children are kept safer"));
        market.lead.post(&asked, json!({"requirement": requirement, "version": 9})).problem("requirement_unknown", 422);
    }

    fn a_requirement_is_dropped_from_a_draft(app: &TestApp) {
        let market = Market::draft(app, json!({}));
        let drop = format!("/v1/lots/{}/drop-requirement", market.lot("TUITION"));
        let body = json!({"requirement": market.requirements[0].1});
        market.lead.post(&drop, body.clone()).expect(200);
        market.lead.post(&drop, body).problem("requirement_not_adopted", 409);
    }

    fn the_library_is_read_by_its_owner(app: &TestApp) {
        let lead = app.lead("LGSS");
        let id = market::requirement(&lead, "safeguarding", manual("Children are kept safe"));
        market::requirement(&app.lead("BRAD"), "safeguarding", manual("Bradford's own"));
        lead.post("/v1/requirements", json!({"code": "safeguarding", "first": manual("Again")}))
            .problem("requirement_code_taken", 409);
        lead.get(&format!("/v1/requirements/{id}")).expect(200);
        assert_eq!(lead.all("/v1/requirements").len(), 2);
        assert_eq!(lead.all("/v1/requirements?owner=BRAD").len(), 1);
    }
}

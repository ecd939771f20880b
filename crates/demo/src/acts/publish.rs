//! The lead agency writes the arrangement and publishes it (DPS-07 to DPS-21).

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::kernel::{Instant, Role};
use serde_json::{Value, json};

use super::{Market, Play, day_of};
use crate::Played;
use crate::client::{Caller, Client, items, text};
use crate::market::{AREA, LEAD, LOTS, Lot, PARTICIPANTS, library};

/// Writes and publishes the market.
pub(super) fn play(client: &Client, year: i32) -> Played<Market<'_>> {
    let lead = client.buyer(Role::LeadAgency, "lead-1", LEAD.0)?;
    let mut requirements = BTreeMap::new();
    for (code, first) in library() {
        let id = lead.post("/v1/requirements", &json!({"code": code, "first": first}))?.id()?;
        requirements.insert(code, id);
    }
    let new = arrangement(day_of(year, 1, 4)?, day_of(year, 4, 1)?);
    let arrangement = lead.post("/v1/arrangements", &new)?.id()?;
    let lots = LOTS.iter().map(|lot| define(&lead, &arrangement, lot, &requirements)).collect::<Played<_>>()?;
    lead.post(&format!("/v1/arrangements/{arrangement}/publish"), &Value::Null)?;
    Ok(Market { client, lead, arrangement, lots, requirements })
}

fn arrangement(live: NaiveDate, contract_start: NaiveDate) -> Value {
    let [ccc, pcc] = PARTICIPANTS.map(|(code, name)| json!({"code": code, "name": name}));
    json!({
        "kind": "dps",
        "lead": {"code": LEAD.0, "name": LEAD.1},
        "participants": [ccc, pcc],
        "reference": "DN119642",
        "title": "Children's external placements: Cambridgeshire and Peterborough",
        "description": "Fostering, children's homes, special schools and tuition, open to every compliant provider",
        "cpv": ["85311300-5"],
        "specification": {"title": "Service specification", "uri": "urn:demo:specification"},
        "terms": {"document": {"title": "Terms and conditions", "uri": "urn:demo:terms"}, "version": "1"},
        "contact": {"name": "LGSS Procurement"},
        "liveAt": Instant::start_of(live),
        "contractStart": contract_start,
        "policies": {
            "admissionMode": "continuous_receipt_batched",
            "firstRoundDays": 30,
            "roundIntervalMonths": 3,
            "termMonths": 120,
            "failurePath": "suspend_first",
            "suspensionMonths": 6,
            "suspensionMaxMonths": 6,
            "suspensionEnd": "lapse",
            "locationBoundary":
                {"mode": "postcode_areas", "postcodeAreas": [], "localAuthorities": AREA},
        },
    })
}

fn define(lead: &Caller<'_>, arrangement: &str, lot: &Lot, library: &BTreeMap<&str, String>) -> Played<String> {
    let new = json!({"code": lot.code, "title": lot.title, "serviceType": lot.service});
    let created = lead.post(&format!("/v1/arrangements/{arrangement}/lots"), &new)?;
    let id = created.id()?;
    let alias = |authority: &str, (code, label)| json!({"authority": authority, "code": code, "label": label});
    let aliases = json!([alias("CCC", lot.ccc), alias("PCC", lot.pcc)]);
    lead.put(&format!("/v1/lots/{id}/aliases"), &created.etag, &aliases)?;
    for code in lot.asks {
        lead.post(&format!("/v1/lots/{id}/requirements"), &json!({"requirement": library.get(code), "version": 1}))?;
    }
    Ok(id)
}

/// Tells what was published, as the authorities read it.
pub(super) fn tell(play: &mut Play<'_>) -> Played<()> {
    let market = &play.stage;
    let path = format!("/v1/arrangements/{}", market.arrangement);
    let shown = market.lead.get(&path)?;
    let rounds = market.lead.get(&format!("{path}/rounds"))?;
    let deadline = market.lead.get(&format!("/v1/deadlines/arrangement/{}", market.arrangement))?;
    let explained = items(&deadline, "items").first().map(|d| text(d, "explanation")).transpose()?;
    let at_pcc = market.lead.get(&format!("{path}/lots?authority=PCC"))?;
    let account = &mut *play.account;
    account.section("The market is published");
    account.say(&format!(
        "{} leads for {} and {}: \"{}\", live from {}.",
        LEAD.0,
        PARTICIPANTS[0].0,
        PARTICIPANTS[1].0,
        text(&shown, "title")?,
        shown["term"]["liveAt"].as_str().unwrap_or_default(),
    ));
    for (lot, shown) in LOTS.iter().zip(items(&at_pcc, "items")) {
        let known = text(shown, "knownAs")?;
        account.item(&format!(
            "{}: \"{}\" at CCC, \"{known}\" at PCC; asks for {}",
            lot.code,
            lot.ccc.1,
            lot.asks.join(", ")
        ));
    }
    for round in items(&rounds, "items") {
        account.say(&format!(
            "Round {} is open from {} to {}; evaluation until {}.",
            round["number"],
            text(round, "opensAt")?,
            text(round, "closesAt")?,
            text(round, "evaluationTo")?
        ));
    }
    account.say(&format!("The end of the term explains itself: {}", explained.unwrap_or_default()));
    Ok(())
}

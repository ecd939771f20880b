//! Asks every list for whatever it can be asked for, so that the statement of each combination is explained.

use domain::kernel::Role;
use serde_json::json;

use crate::app::TestApp;
use crate::documented::{OPERATIONS, Operation};
use crate::market::{arrangement, cambridgeshire, with};
use crate::members::{Member, rolling};

/// What the parameters of an operation can be.
fn value(operation: &Operation, name: &str, known: &[(&str, String)], changes: bool) -> Option<String> {
    let id = "0190a000-0000-7000-8000-00000000cafe";
    Some(match (operation.id.as_str(), name) {
        (_, "limit") => return None,
        ("listEvents", "after") | ("listAudit" | "listOcdsReleases", "cursor") => {
            format!("01{:016x}{:016x}", i64::MAX / 2, i64::MAX / 2)
        }
        (_, "after" | "count" | "version") => "1".to_owned(),
        (_, "cursor") if changes => format!("1.{id}"),
        (_, "cursor" | "object") => id.to_owned(),
        (_, "updatedSince" | "asOf" | "from" | "until" | "since" | "before" | "start") => {
            "2017-01-01T00:00:00Z".to_owned()
        }
        (_, "on") => "2017-01-01".to_owned(),
        (_, "live" | "receiving") => "true".to_owned(),
        ("listUploads", "kind") => "fees".to_owned(),
        (_, "urn" | "agencyUrn") => "SC900001".to_owned(),
        (_, "companyNumber") => "01234567".to_owned(),
        _ => known.iter().find(|(known, _)| *known == name).map_or_else(|| "active".to_owned(), |(_, id)| id.clone()),
    })
}

/// None, each, each pair, and all of them.
fn choices<T: Copy>(of: &[T]) -> Vec<Vec<T>> {
    let mut choices = vec![Vec::new(), of.to_vec()];
    for (n, one) in of.iter().enumerate() {
        choices.push(vec![*one]);
        choices.extend(of[n + 1..].iter().map(|other| vec![*one, *other]));
    }
    choices
}

on_both! {
    fn every_list_is_asked_in_every_way(app: &TestApp) {
        let market = rolling(app, json!({}));
        let member = Member::new(&market, "Willow");
        arrangement(&market.lead, with(cambridgeshire(), json!({"reference": "second"})));
        let provider = member.of.id.clone();
        // A market that evaluates on arrival has no rounds: what is asked of one that is not there is asked all the same.
        let round = "0190a000-0000-7000-8000-00000000dead".to_owned();
        let known = [
            ("arrangements", market.id.clone()), ("arrangement", market.id.clone()),
            ("lots", market.lots[0].1.clone()), ("lot", market.lots[0].1.clone()),
            ("providers", provider.clone()), ("provider", provider.clone()),
            ("rounds", round.clone()), ("round", round),
            ("memberships", member.id.clone()), ("membership", member.id.clone()),
        ];
        let own = app.provider(&provider);
        let callers = [
            app.script(), app.lead("LGSS"), own, app.portal("portal-1"), app.administrator(),
            app.buyer(Role::Commissioner, "CCC"),
        ];
        let mut asked = 0;
        for operation in OPERATIONS.iter().filter(|operation| operation.method == "GET") {
            let parts: Vec<&str> = operation.path.split('/').collect();
            let id = known.iter().find(|(kind, _)| parts.get(2) == Some(kind)).map(|(_, id)| id.as_str());
            let parameters = operation.documented["parameters"].as_array().into_iter().flatten();
            let names: Vec<&str> =
                parameters.filter(|p| p["in"] == "query").map(|p| p["name"].as_str().unwrap()).collect();
            if names.is_empty() || (operation.path.contains('{') && id.is_none()) {
                continue;
            }
            let path = operation.filled(id.unwrap_or_default());
            for chosen in choices(&names) {
                let changes = chosen.contains(&"updatedSince");
                let pairs = chosen.iter().filter_map(|&name| Some((name, value(operation, name, &known, changes)?)));
                let query: Vec<String> = pairs.map(|(name, value)| format!("{name}={value}")).collect();
                for caller in &callers {
                    caller.get(&format!("{path}?{}", query.join("&")));
                    asked += 1;
                }
            }
        }
        assert!(asked > 1_000, "{asked}");
    }
}

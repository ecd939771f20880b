//! Reports (requirements §2).

use serde_json::{Value, json};

use crate::app::TestApp;
use crate::applicants::member;
use crate::market::{LIVE, Market};

/// members before and after, by lot, as the source counts them (DPS-28).
const COUNTED: [(&str, usize, usize); 4] =
    [("FOSTERING", 51, 39), ("RESIDENTIAL", 12, 27), ("INMSS", 0, 18), ("TUITION", 8, 5)];

on_both! {
    fn ac_19_members_are_counted_per_lot_before_and_after(app: &TestApp) {
        let lead = app.lead("LGSS");
        let mut market = Market::draft(app, json!({"policies": {"admissionMode": "rolling"}}));
        for (code, service) in [("INMSS", "special_school"), ("TUITION", "tuition")] {
            if !market.lots.iter().any(|(known, _)| known == code) {
                market.define(code, service);
            }
        }
        app.at("2019-01-03T09:00:00Z");
        market.publish();
        app.at(LIVE);

        let mut leaving = Vec::new();
        for (code, before, after) in COUNTED {
            for n in 0..before {
                let (membership, applicant) = member(&market, &format!("{code} {n}"), code);
                if n >= after {
                    leaving.push((membership, applicant));
                }
            }
        }
        let first = "2019-04-01T00:00:00Z";
        app.at("2019-06-01T09:00:00Z");
        for (membership, applicant) in &leaving {
            applicant.provider.post(&format!("/v1/memberships/{membership}/withdraw"), json!({})).expect(200);
        }
        for (code, before, after) in COUNTED {
            for n in before..after {
                member(&market, &format!("{code} later {n}"), code);
            }
        }

        let path = format!("/v1/reports/r-02?arrangement={}&before={first}", market.id);
        let report = lead.get(&path).expect(200).body;
        let of = |code: &str| report["lots"].as_array().unwrap().iter().find(|lot| lot["code"] == code).unwrap().clone();
        for (code, before, after) in COUNTED {
            let row = of(code);
            assert_eq!((row["before"].clone(), row["after"].clone()), (json!(before), json!(after)), "{code}");
        }
        // 71 and 89 are memberships: no total of distinct providers is claimed.
        assert_eq!(report["counted"], "memberships, not distinct providers");
        assert_eq!(report.get("total"), None::<&Value>);
        app.provider("0190a000-0000-7000-8000-000000000001").get(&path).expect(403);
    }
}

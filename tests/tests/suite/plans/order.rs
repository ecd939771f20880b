//! What is read in another way than it was is still what was asked for.

use domain::kernel::{About, ArrangementId, Audience, Kind as DomainKind};
use persistence::record::event::{self, Cursor, Filter, Scope};
use persistence::record::time_index;
use persistence::{Mode, Stamp};
use serde_json::json;
use uuid::Uuid;

use crate::app::TestApp;
use crate::database::Kind;
use crate::market::{manual, requirement};
use crate::store::{Store, define, settle, stamp, wait};

/// Minutes after the start at which events happen, in the order of the feed: the clock jumps on and back.
const CLOCK: [i64; 14] = [10, 20, 30, 5, 25, 90, 40, 41, 100, 100, 7, 101, 500, 102];

on_both! {
    fn times_are_found_however_the_clock_jumped(store: &Store) {
        let at = |minute: i64| stamp().now.plus_seconds(minute * 60);
        for (n, minute) in CLOCK.into_iter().enumerate() {
            let stamp = Stamp { now: at(minute), ..stamp() };
            wait(store.db.write(stamp, Mode::Commit, move |tx| define(tx, &format!("at-{n}")))).unwrap();
            // Marks lie between some events, and the last ones have none.
            if n % 4 == 2 {
                if store.database.kind == Kind::Postgres {
                    settle(&store.database.url);
                }
                assert!(!store.write(Mode::Commit, time_index::keep).unwrap(), "all is marked");
                assert!(!wait(store.db.scan(time_index::is_due)).unwrap());
            }
        }
        if store.database.kind == Kind::Postgres {
            settle(&store.database.url);
        }
        let times: Vec<i64> = (0..=505).step_by(5).chain(CLOCK).chain([6, 8, 102]).collect();
        for from in times.iter().copied().map(Some).chain([None]) {
            for until in [None, Some(0), Some(8), Some(26), Some(41), Some(100), Some(101), Some(501)] {
                let within = |minute: &i64| from.is_none_or(|from| *minute >= from) && until.is_none_or(|until| *minute < until);
                let expected: Vec<i64> = CLOCK.iter().copied().filter(within).collect();
                let filter =
                    Filter { scope: Scope::Everything, from: from.map(at), until: until.map(at), ..Filter::default() };
                let found = wait(store.db.scan(move |c| {
                    let newest = event::before(c, &filter, Cursor::END, 50)?;
                    Ok((newest, event::after(c, &filter, Cursor::default(), 50)?))
                }));
                let (newest, oldest) = found.unwrap();
                let minutes = |found: Vec<(Cursor, event::Entry)>| -> Vec<i64> {
                    let minute = |entry: &event::Entry| (entry.at.0.micros() - at(0).micros()) / 60_000_000;
                    found.iter().map(|(_, entry)| minute(entry)).collect()
                };
                assert_eq!(minutes(oldest), expected, "from {from:?} until {until:?}");
                let newest: Vec<i64> = minutes(newest).into_iter().rev().collect();
                assert_eq!(newest, expected, "from {from:?} until {until:?}, newest first");
            }
        }
    }

    fn parts_of_the_feed_are_merged_page_by_page(store: &Store) {
        const MOST: usize = 140;
        let arrangements: Vec<Uuid> = (0..MOST).map(|_| stamp().mint()).collect();
        for some in 0..20 {
            let arrangements = arrangements.clone();
            let written = store.write(Mode::Commit, move |tx| {
                for n in some * 20..(some + 1) * 20 {
                    // One in eleven belongs to none.
                    let arrangement = (n % 11 > 0).then(|| ArrangementId(arrangements[n * 37 % MOST]));
                    let about = About { arrangement, ..About::default() };
                    let (kind, audience) = (DomainKind::Lot, Audience::Parties);
                    let note = event::Note { kind, id: tx.mint(), version: 1, about, audience, from: None, to: "open" };
                    event::append(tx, &note, &json!({"type": if n % 13 > 0 { "Happened" } else { "Rare" }, "n": n}))?;
                }
                Ok(())
            });
            written.unwrap();
        }
        if store.database.kind == Kind::Postgres {
            settle(&store.database.url);
        }
        let all = store.feed(Cursor::default());
        assert_eq!(all.len(), 400);
        // Few enough to be parts of their own, also for each kind, and too many.
        let (counts, asked) = ([0, 1, 3, 4, 63, 64, 128, 129, MOST], [&[][..], &["Rare"], &["Rare", "Happened"]]);
        for (count, kinds) in counts.into_iter().flat_map(|count| asked.map(|kinds| (count, kinds))) {
            let (own, kinds) = (&arrangements[..count], kinds.iter().map(ToString::to_string).collect::<Vec<_>>());
            let sees = |entry: &event::Entry| {
                let whose = entry.arrangement_id.is_none_or(|id| own.contains(&id.0));
                whose && (kinds.is_empty() || kinds.contains(&entry.kind))
            };
            let expected: Vec<_> = all.iter().filter(|(_, entry)| sees(entry)).cloned().collect();
            let filter = Filter { scope: Scope::Arrangements(own.to_vec()), kinds: kinds.clone(), ..Filter::default() };
            let (mut forward, mut backward) = (Vec::new(), Vec::new());
            loop {
                let (filter, place) = (filter.clone(), forward.last().map_or(Cursor::default(), |(place, _)| *place));
                let page = wait(store.db.scan(move |c| event::after(c, &filter, place, 23))).unwrap();
                if page.is_empty() {
                    break;
                }
                forward.extend(page);
            }
            loop {
                let (filter, place) = (filter.clone(), backward.last().map_or(Cursor::END, |(place, _)| *place));
                let page = wait(store.db.scan(move |c| event::before(c, &filter, place, 23))).unwrap();
                if page.is_empty() {
                    break;
                }
                backward.extend(page);
            }
            backward.reverse();
            assert_eq!(forward, expected, "of {count}, {kinds:?}");
            assert_eq!(backward, expected, "of {count}, {kinds:?}, newest first");
        }
    }

    fn changes_are_listed_in_their_order_page_by_page(app: &TestApp) {
        let lead = app.lead("LGSS");
        let ids: Vec<String> = (0..5).map(|n| requirement(&lead, &format!("code-{n}"), manual("First"))).collect();
        for (day, changed) in [(2, 3), (3, 1), (4, 3)] {
            app.at(&format!("2016-01-0{day}T00:00:00Z"));
            lead.post(&format!("/v1/requirements/{}/versions", ids[changed]), manual(&format!("Day {day}"))).expect(200);
        }
        let since = "updatedSince=2016-01-01T00:00:00Z";
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = lead.get(&format!("/v1/requirements?{since}&limit=2{cursor}")).expect(200);
            seen.extend(page.body["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()));
            let Some(next) = page.body["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        let order: Vec<&String> = [0, 2, 4, 1, 3].map(|n| &ids[n]).into_iter().collect();
        assert_eq!(seen.iter().collect::<Vec<_>>(), order);
        let (plain, changed) = (format!("cursor={}", ids[0]), format!("cursor=1.{}", ids[0]));
        lead.get(&format!("/v1/requirements?{since}&{plain}")).blames("bad_cursor", "/cursor");
        lead.get(&format!("/v1/requirements?{changed}")).blames("bad_cursor", "/cursor");
    }
}

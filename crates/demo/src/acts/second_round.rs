//! The next round: who came late is received, and who was rejected applies again (DPS-03, DPS-12, TIR-05).

use std::collections::BTreeSet;

use serde_json::json;

use super::apply::{self, good_papers};
use super::{Play, Rejected, each, evaluate};
use crate::Played;
use crate::client::text;
use crate::market::{DECIDED_BY_THE_LIST, Part};

/// Those who apply again with a newer rating, at most.
const BETTER: usize = 10;
/// Those who apply again with better papers, at most.
const REPAIRED: usize = 20;

/// Plays the second round.
pub(super) fn play(play: &mut Play<'_>) -> Played<()> {
    let (better, repaired) = candidates(play)?;
    play.at(4, 20)?;
    let inspected = play.day(3, 12)?;
    let published = play.day(4, 10)?;
    for line in &better {
        let player = play.player(line.player)?;
        for home in &player.homes {
            let rating = json!({"rating": "good", "inspectedOn": inspected, "publishedOn": published, "source": "the play",
                       "reason": "the report is out"});
            play.stage.lead.post(&format!("/v1/homes/{home}/ratings"), &rating)?;
        }
    }
    let again: Vec<&Rejected> = better.iter().chain(&repaired).collect();
    let papers = good_papers(play.year)?;
    let before = play.results.members.len();
    let receipts = each(&again, |line| {
        let player = play.player(line.player)?;
        let mut draft = apply::start(&play.stage, player, &[line.lot], Some(&line.application))?;
        apply::fill(&play.stage, player, &mut draft, &papers)?;
        if player.part == Part::Forgets {
            apply::insure(&play.stage, &mut draft, &papers)?;
        }
        draft.submit()?;
        draft.show("/receipt")
    })?;
    play.account.section("The second round: late ones and second attempts");
    play.account.say(&format!(
        "{} providers apply again, {} of them after a newer rating (invented), {} with better papers. Their earlier \
         reasons stay readable.",
        again.len(),
        better.len(),
        repaired.len()
    ));
    if let Some(receipt) = receipts.first() {
        let hash = text(receipt, "contentHash")?;
        play.account.say(&format!(
            "A receipt: version {}, {}, content {hash}.",
            receipt["version"],
            text(receipt, "printedAt")?
        ));
    }
    play.at(5, 7)?;
    evaluate::evaluate(play, 2)?;
    let now_in = |line: &&Rejected| {
        play.results.members.iter().skip(before).any(|m| m.player == line.player && m.lot == line.lot)
    };
    let (rated, mended) = (better.iter().filter(now_in).count(), repaired.iter().filter(now_in).count());
    if rated != better.len() {
        return Err(format!("{rated} of {} got in by their newer rating", better.len()));
    }
    play.account.say(&format!("Now in: {rated} by a newer rating, {mended} by better papers."));
    Ok(())
}

/// Who applies again: by a newer rating, where the share of good homes was too small; with better papers, where
/// insurance was the reason.
fn candidates(play: &Play<'_>) -> Played<(Vec<Rejected>, Vec<Rejected>)> {
    let mut asked = BTreeSet::new();
    let (mut better, mut repaired) = (Vec::new(), Vec::new());
    for line in &play.results.rejected {
        let by_share = line.codes.iter().any(|code| code == "rating-share");
        let only_share = line.codes.iter().all(|code| code == "rating-share" || code == "insurance");
        let by_the_list = line.codes.iter().any(|code| DECIDED_BY_THE_LIST.contains(&code.as_str()));
        if by_share && only_share && better.len() < BETTER && asked.insert(line.player) {
            better.push(line.clone());
        } else if !by_the_list && line.codes == ["insurance"] && repaired.len() < REPAIRED && asked.insert(line.player)
        {
            repaired.push(line.clone());
        }
    }
    if better.is_empty() || repaired.is_empty() {
        return Err("nobody is left to apply again: the list is too small for this play".to_owned());
    }
    Ok((better, repaired))
}

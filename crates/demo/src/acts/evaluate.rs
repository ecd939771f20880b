//! Evaluation of a round: facts decide, officers judge the rest, the lead agency decides each line (DPS-02, A5).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::apply::{Draft, round};
use super::{Market, Member, Play, Rejected, each, registers};
use crate::Played;
use crate::account::{counted, counts};
use crate::client::{Caller, items, text};
use crate::market::{DECIDED_BY_THE_LIST, LOTS, Part};

/// Characters of a reason that are told.
const LONGEST_REASON: usize = 240;

/// Closes the first round, lets the late ones in by the next, and evaluates.
pub(super) fn first_round(play: &mut Play<'_>, mut drafts: Vec<Draft<'_>>) -> Played<()> {
    play.at(2, 5)?;
    let mut late = Vec::new();
    for draft in &mut drafts {
        if play.player(draft.player)?.part == Part::Late {
            draft.submit()?;
            late.push(draft.show("")?);
        }
    }
    let waits = late.first().map(|view| text(view, "opensAt")).transpose()?.unwrap_or_default();
    play.account.section("The round closes; evaluation");
    play.account
        .say(&format!("After the close came {} more, to be queued for the round that opens at {waits}.", late.len()));
    declare(play)?;
    play.at(2, 18)?;
    evaluate(play, 1)?;
    play.results.in_first_round = play.results.members.len();
    play.at(4, 1)?;
    let establish = format!("/v1/arrangements/{}/establish", play.stage.arrangement);
    play.stage.lead.post(&establish, &Value::Null)?;
    play.account.section("Contract start");
    play.account.say("The arrangement is established. Admission guarantees no award (DPS-05).");
    registers::read(play)
}

/// The officers declare their interests; one has an interest in the first provider (BEY-08).
fn declare(play: &Play<'_>) -> Played<()> {
    let market = &play.stage;
    let path = format!("/v1/arrangements/{}/declaration-of-interests", market.arrangement);
    let interested = json!([{"provider": play.player(0)?.id, "nature": "A relative works there"}]);
    for (officer, interests) in officers(market)?.iter().zip([json!([]), interested]) {
        officer.put_whole(&path, &json!({"interests": interests}))?;
    }
    for lead in [market.lead.clone(), market.second_lead()?] {
        lead.put_whole(&path, &json!({"interests": []}))?;
    }
    Ok(())
}

/// The officers of both authorities.
fn officers<'a>(market: &Market<'a>) -> Played<[Caller<'a>; 2]> {
    Ok([market.commissioner("officer-ccc", "CCC")?, market.commissioner("officer-pcc", "PCC")?])
}

/// Evaluates and completes the closed round of that number.
pub(super) fn evaluate(play: &mut Play<'_>, number: u32) -> Played<()> {
    let id = text(&round(&play.stage, number)?, "id")?;
    play.stage.lead.post(&format!("/v1/rounds/{id}/start-evaluation"), &Value::Null)?;
    judge(play, number == 1)?;
    let applications = play.stage.lead.all(&format!("/v1/rounds/{id}/applications"))?;
    let failed = failures(play)?;
    let decided = each(&applications, |application| decide(play, application, &failed))?;
    play.stage.lead.post(&format!("/v1/rounds/{id}/complete"), &Value::Null)?;
    let progress = play.stage.lead.get(&format!("/v1/rounds/{id}/progress"))?;
    let decisions: Vec<Decision> = decided.into_iter().flatten().collect();
    tell(play, &progress, &decisions, &failed)?;
    for decision in decisions {
        match decision {
            Decision::Admitted(member) => play.results.members.push(member),
            Decision::Rejected(rejected) => play.results.rejected.push(rejected),
        }
    }
    Ok(())
}

/// The officers judge what facts do not decide, in turn; an interest is respected.
fn judge(play: &mut Play<'_>, told: bool) -> Played<()> {
    let market = &play.stage;
    let open = market.lead.all(&format!("/v1/checks?arrangement={}&state=open", market.arrangement))?;
    let by_id: BTreeMap<String, Part> = play.players.iter().map(|p| (p.id.to_string(), p.part)).collect();
    let [ccc, pcc] = officers(market)?;
    let first = play.player(0)?.id.to_string();
    if let Some(own) = open.iter().find(|check| check["provider"] == first.as_str()) {
        let path = format!("/v1/checks/{}/record", text(own, "id")?);
        pcc.refused(&path, &judgement(own, Part::Ordinary), 403, "conflict_of_interest")?;
        if told {
            play.account.say(
                "The officer of PCC declared an interest in P-001. Its judgement there was refused: CCC's judges.",
            );
        }
    }
    let turns: Vec<(usize, &Value)> = open.iter().enumerate().collect();
    let failed = each(&turns, |(turn, check)| {
        let provider = text(check, "provider")?;
        let officer = if turn % 2 == 0 || provider == first { &ccc } else { &pcc };
        let part = by_id.get(&provider).copied().unwrap_or(Part::Ordinary);
        let judgement = judgement(check, part);
        officer.post(&format!("/v1/checks/{}/record", text(check, "id")?), &judgement)?;
        Ok(judgement["passed"] == false)
    })?;
    let failed = failed.into_iter().filter(|failed| *failed).count();
    play.account.say(&format!("{} checks needed an officer's judgement; {failed} failed it.", open.len()));
    Ok(())
}

fn judgement(check: &Value, part: Part) -> Value {
    if part == Part::Unsafe && check["code"] == "safeguarding" {
        json!({"passed": false, "reason": "There is no designated safeguarding lead, and no date for one."})
    } else {
        json!({"passed": true, "evidence": ["answers", "statement of purpose"]})
    }
}

/// The failed checks by application.
type Failures = BTreeMap<String, Vec<Value>>;

fn failures(play: &Play<'_>) -> Played<Failures> {
    let market = &play.stage;
    let mut by_application = Failures::new();
    for check in market.lead.all(&format!("/v1/checks?arrangement={}&state=failed", market.arrangement))? {
        by_application.entry(text(&check, "application")?).or_default().push(check);
    }
    Ok(by_application)
}

enum Decision {
    Admitted(Member),
    Rejected(Rejected),
}

/// Decides the lines of an application: admitted where every check is met, else rejected with the reasons.
fn decide(play: &Play<'_>, application: &Value, failed: &Failures) -> Played<Vec<Decision>> {
    let market = &play.stage;
    let id = text(application, "id")?;
    let provider = text(application, "provider")?;
    let player = play.players.iter().position(|p| p.id.to_string() == provider).ok_or("an unknown applicant")?;
    let mut decisions = Vec::new();
    for line in items(application, "lines").iter().filter(|line| line["status"]["state"] == "in_evaluation") {
        let lot_id = text(line, "lot")?;
        let lot = market.lots.iter().position(|known| *known == lot_id).ok_or("an unknown lot")?;
        let checks = failed.get(&id).map(Vec::as_slice).unwrap_or_default();
        let against = checks.iter().filter(|check| items(check, "lots").iter().any(|l| *l == lot_id.as_str()));
        let codes = against.map(|check| text(check, "code")).collect::<Played<Vec<_>>>()?;
        let path = format!("/v1/applications/{id}/lines/{lot_id}");
        decisions.push(if codes.is_empty() {
            let admitted = market.lead.post(&format!("{path}/admit"), &Value::Null)?;
            Decision::Admitted(Member { player, lot, id: text(&admitted.body, "membership")? })
        } else {
            market.lead.post(&format!("{path}/reject"), &json!({"reasons": codes}))?;
            Decision::Rejected(Rejected { player, lot, application: id.clone(), codes })
        });
    }
    Ok(decisions)
}

fn tell(play: &mut Play<'_>, progress: &Value, decisions: &[Decision], failed: &Failures) -> Played<()> {
    let mut admitted: BTreeMap<String, usize> = BTreeMap::new();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut rejected = Vec::new();
    for decision in decisions {
        match decision {
            Decision::Admitted(member) => {
                let code = LOTS.get(member.lot).map_or("", |lot| lot.code);
                *admitted.entry(code.to_owned()).or_default() += 1;
            }
            Decision::Rejected(line) => {
                rejected.push(line);
                for code in &line.codes {
                    *reasons.entry(code.clone()).or_default() += 1;
                }
            }
        }
    }
    play.account.say(&format!("Applications of the round: {}.", counted(&counts(&progress["applications"]))));
    play.account.say(&format!("Their lines, one for each lot: {}.", counted(&counts(&progress["lines"]))));
    play.account.say(&format!("Admitted by lot: {}.", counted(&admitted)));
    play.account.say(&format!("Reasons of the rejections: {}.", counted(&reasons)));
    for (line, why) in examples(&rejected, failed) {
        let player = play.player(line.player)?;
        let by_the_list = line.codes.iter().all(|code| DECIDED_BY_THE_LIST.contains(&code.as_str()));
        let who = if by_the_list { player.name.clone() } else { player.alias() };
        let lot = LOTS.get(line.lot).map_or("", |lot| lot.code);
        play.account.item(&format!("{who}, {lot}: {why}"));
    }
    Ok(())
}

/// The first rejection for each set of reasons, with the words of the checks.
fn examples<'r>(rejected: &[&'r Rejected], failed: &Failures) -> Vec<(&'r Rejected, String)> {
    let mut seen = BTreeSet::new();
    let first = rejected.iter().filter(|line| seen.insert(line.codes.clone())).take(7);
    first
        .map(|line| {
            let checks = failed.get(&line.application).map(Vec::as_slice).unwrap_or_default();
            let of = |code: &String| checks.iter().find(|check| check["code"] == code.as_str());
            let told = line.codes.iter().filter_map(|code| {
                let why = of(code)?["result"]["reason"].as_str()?;
                Some(format!("[{code}] {}", shortened(why)))
            });
            (*line, told.collect::<Vec<_>>().join(" "))
        })
        .collect()
}

/// The beginning of a long reason.
fn shortened(why: &str) -> String {
    match why.char_indices().nth(LONGEST_REASON) {
        Some((end, _)) => format!("{}…", why.get(..end).unwrap_or_default().trim_end()),
        None => why.to_owned(),
    }
}

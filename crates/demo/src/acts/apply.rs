//! Applications in the first round: received all the time, sealed until it closes (DPS-10 to DPS-13, PRO-17 to PRO-20).

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::{Market, Play, each};
use crate::Played;
use crate::account::{counted, counts};
use crate::cast::Player;
use crate::client::{Caller, items, text};
use crate::market::{LEAST_COVER, Part};

/// The papers of an application.
pub(super) struct Papers {
    /// The cover of the insurance, in pence.
    pub cover: i64,
    /// The last day of the certificate.
    pub expires: NaiveDate,
    /// Whether the provider says that it keeps children safe.
    pub safe: bool,
}

/// An application that is being written, or was written.
pub(super) struct Draft<'a> {
    /// Index of the player.
    pub player: usize,
    /// Its id.
    pub id: String,
    caller: Caller<'a>,
    etag: String,
}

/// Writes the applications of the first round; those that are not submitted yet are given back.
pub(super) fn play<'a>(play: &mut Play<'a>) -> Played<Vec<Draft<'a>>> {
    play.at(1, 21)?;
    let (market, year) = (&play.stage, play.year);
    let done = each(&play.players, |player| write(market, player, &papers(player.part, year)?))?;
    let round = round(market, 1)?;
    tell(play, &round)?;
    Ok(done)
}

/// The papers that a part comes with.
fn papers(part: Part, year: i32) -> Played<Papers> {
    let expires = match part {
        Part::Expired => super::day_of(year - 1, 12, 31)?,
        Part::Renews | Part::LetsExpire => super::day_of(year, 6, 30)?,
        _ => super::day_of(year + 2, 3, 31)?,
    };
    let cover = if part == Part::LittleCover { LEAST_COVER / 5 } else { 2 * LEAST_COVER };
    Ok(Papers { cover, expires, safe: !matches!(part, Part::Doubtful | Part::Unsafe) })
}

/// Papers with nothing wrong.
pub(super) fn good_papers(year: i32) -> Played<Papers> {
    papers(Part::Ordinary, year)
}

fn write<'a>(market: &Market<'a>, player: &Player, papers: &Papers) -> Played<Draft<'a>> {
    let mut draft = start(market, player, &player.lots, None)?;
    fill(market, player, &mut draft, papers)?;
    match player.part {
        Part::Draft | Part::Late => {}
        Part::Forgets => {
            draft.refused("evidence_missing")?;
            insure(market, &mut draft, papers)?;
            draft.submit()?;
        }
        Part::Withdraws => {
            draft.submit()?;
            draft.post("withdraw", &Value::Null)?;
        }
        Part::Revises => {
            draft.submit()?;
            draft.post("revise", &Value::Null)?;
            insure(market, &mut draft, &Papers { cover: 4 * LEAST_COVER, ..*papers })?;
            draft.submit()?;
        }
        Part::Ordinary
        | Part::Renews
        | Part::LetsExpire
        | Part::LittleCover
        | Part::Expired
        | Part::NoManager
        | Part::Doubtful
        | Part::Unsafe => draft.submit()?,
    }
    Ok(draft)
}

/// Starts an application for lots, by their indexes.
pub(super) fn start<'a>(
    market: &Market<'a>,
    player: &Player,
    lots: &[usize],
    previous: Option<&str>,
) -> Played<Draft<'a>> {
    let caller = market.applicant(player)?;
    let lots = lots.iter().map(|lot| market.lot(*lot)).collect::<Played<Vec<_>>>()?;
    let mut new = json!({"arrangement": market.arrangement, "provider": player.id, "lots": lots});
    if let Some(previous) = previous {
        new["previous"] = json!(previous);
        new["copyAnswers"] = json!(true);
    }
    let started = caller.post("/v1/applications", &new)?;
    Ok(Draft { player: player.number - 1, id: started.id()?, caller, etag: started.etag })
}

/// Answers everything that is asked; a forgetful player leaves out its certificate.
pub(super) fn fill(market: &Market<'_>, player: &Player, draft: &mut Draft<'_>, papers: &Papers) -> Played<()> {
    let safeguarding = format!("answers/{}", market.requirement("safeguarding")?);
    let plan = json!({"lead": false, "plan": "By the end of the quarter."});
    let values = if papers.safe { json!({"lead": true}) } else { plan };
    draft.put(&safeguarding, &json!({"values": values, "selfAssessment": papers.safe}))?;
    let statement = json!({
        "requirement": market.requirement("service-model")?,
        "code": "statement",
        "document": {"name": "Statement of purpose.pdf", "uri": format!("urn:demo:statement:{}", player.number)},
    });
    draft.post("documents", &statement)?;
    if player.part != Part::Forgets {
        insure(market, draft, papers)?;
    }
    draft.put("homes", &json!({"homes": player.homes}))?;
    draft.put("exclusions", &json!({"grounds": []}))?;
    draft.put("terms", &json!({"version": "1"}))
}

/// Sends the certificate of insurance.
pub(super) fn insure(market: &Market<'_>, draft: &mut Draft<'_>, papers: &Papers) -> Played<()> {
    let certificate = json!({
        "requirement": market.requirement("insurance")?,
        "code": "certificate",
        "document": {"name": "Certificate.pdf", "uri": format!("urn:demo:certificate:{}", draft.player + 1)},
        "expiresOn": papers.expires,
        "amount": papers.cover,
    });
    draft.post("documents", &certificate)
}

impl Draft<'_> {
    fn put(&mut self, under: &str, body: &Value) -> Played<()> {
        self.etag = self.caller.put(&format!("/v1/applications/{}/{under}", self.id), &self.etag, body)?.etag;
        Ok(())
    }

    fn post(&mut self, command: &str, body: &Value) -> Played<()> {
        self.etag = self.caller.post(&format!("/v1/applications/{}/{command}", self.id), body)?.etag;
        Ok(())
    }

    /// Submits; it must be complete.
    pub fn submit(&mut self) -> Played<()> {
        self.post("submit", &Value::Null)
    }

    fn refused(&self, code: &str) -> Played<Value> {
        self.caller.refused(&format!("/v1/applications/{}/submit", self.id), &Value::Null, 422, code)
    }

    /// As its provider sees it.
    pub fn show(&self, under: &str) -> Played<Value> {
        self.caller.get(&format!("/v1/applications/{}{under}", self.id))
    }
}

/// The round of that number.
pub(super) fn round(market: &Market<'_>, number: u32) -> Played<Value> {
    let rounds = market.lead.get(&format!("/v1/arrangements/{}/rounds", market.arrangement))?;
    let found = items(&rounds, "items").iter().find(|round| round["number"] == number);
    found.cloned().ok_or_else(|| format!("there is no round {number}"))
}

fn tell(play: &mut Play<'_>, round: &Value) -> Played<()> {
    let market = &play.stage;
    let id = text(round, "id")?;
    let progress = market.lead.get(&format!("/v1/rounds/{id}/progress"))?;
    let deadlines = market.lead.get(&format!("/v1/deadlines/round/{id}"))?;
    let explained = items(&deadlines, "items").first().map(|d| text(d, "explanation")).transpose()?;
    let sealed = market.lead.all(&format!("/v1/rounds/{id}/applications"))?;
    let sealed_id = sealed.first().map(|a| text(a, "id")).transpose()?.unwrap_or_default();
    let path = format!("/v1/applications/{sealed_id}/content");
    let seal = market.lead.get_refused(&path, 409, "application_sealed")?;
    let mut parts: BTreeMap<String, usize> = BTreeMap::new();
    for player in &play.players {
        let told = match player.part {
            Part::Forgets => "forgot the certificate: refused with the field, then complete",
            Part::Revises => "revised and submitted again",
            Part::Late => "not ready in time",
            Part::Draft => "never submitted",
            Part::Withdraws => "withdrawn",
            _ => "submitted",
        };
        *parts.entry(told.to_owned()).or_default() += 1;
    }
    let account = &mut *play.account;
    account.section("The first round: 30 days of applications");
    account.say(&format!("{} applications were started: {}.", play.players.len(), counted(&parts)));
    account.say(&format!("What the lead agency sees meanwhile: {}.", counted(&counts(&progress["applications"]))));
    account.say(&format!("What it does not see: content. It asked, and was refused: {}", text(&seal, "detail")?));
    account.say(&format!("Why the round closes when it does: {}", explained.unwrap_or_default()));
    Ok(())
}

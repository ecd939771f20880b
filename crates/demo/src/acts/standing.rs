//! A year of contract management: suspensions, notices, a removal, an appeal, insurance that runs out (DPS-06, DPS-19).

use domain::kernel::Instant;
use serde_json::{Value, json};

use super::{Member, Play, Rejected, day_of, morning, registers};
use crate::Played;
use crate::client::{Reply, items, text};
use crate::market::Part;

/// Plays from the summer to the January after.
pub(super) fn play(play: &mut Play<'_>) -> Played<()> {
    let cast = Roles::choose(play)?;
    play.account.section("Suspensions, notices and an appeal");
    appeal(play)?;
    play.at(6, 10)?;
    let suspended = suspend(play, &cast)?;
    play.at(6, 17)?;
    let notices = warn(play, &cast)?;
    play.at(6, 24)?;
    lift(play, &cast, &suspended.lifted)?;
    play.at(7, 15)?;
    play.account.section("Summer: insurance runs out");
    registers::read(play)?;
    judge_notices(play, &cast, &notices)?;
    renew(play)?;
    play.account.section("A removal");
    remove(play, &cast)?;
    play.at_instant(morning(day_of(play.year + 1, 1, 15)?))?;
    play.account.section("The January after");
    standing_is(play, &cast.lapses, "active")?;
    let state = text(&play.stage.lead.get(&format!("/v1/suspensions/{}", suspended.lapses))?, "state")?;
    expect(&state, "lapsed")?;
    play.account
        .say(&format!("The suspension of {} has lapsed by itself: it is active again.", alias(play, &cast.lapses)?));
    registers::read(play)
}

/// Members to whom something happens.
struct Roles {
    lapses: Member,
    lifted: Member,
    home: Member,
    improves: Member,
    fails: Member,
}

impl Roles {
    /// Members of the children's homes lot, each of another provider, with insurance that lasts.
    fn choose(play: &Play<'_>) -> Played<Self> {
        let lasting = |m: &&Member| {
            play.players.get(m.player).is_some_and(|p| !matches!(p.part, Part::Renews | Part::LetsExpire)) && m.lot == 1
        };
        let mut members = play.results.members.iter().filter(lasting).cloned();
        let mut next = || members.next().ok_or("there are too few members: the list is too small for this play");
        Ok(Self { lapses: next()?, lifted: next()?, home: next()?, improves: next()?, fails: next()? })
    }
}

/// What was begun against members.
struct Suspended {
    lapses: String,
    lifted: String,
}

/// How the account speaks of a member.
fn alias(play: &Play<'_>, member: &Member) -> Played<String> {
    Ok(play.player(member.player)?.alias())
}

fn expect(found: &str, wanted: &str) -> Played<()> {
    if found == wanted { Ok(()) } else { Err(format!("expected {wanted}, found {found}")) }
}

/// Makes sure of a member's standing now.
fn standing_is(play: &Play<'_>, member: &Member, wanted: &str) -> Played<()> {
    let shown = play.stage.lead.get(&format!("/v1/memberships/{}", member.id))?;
    expect(&text(&shown["standing"], "status")?, wanted)
}

/// Commands something against a membership.
fn against(play: &Play<'_>, member: &Member, what: &str, body: &Value) -> Played<Reply> {
    play.stage.commissioner("officer-ccc", "CCC")?.post(&format!("/v1/memberships/{}/{what}", member.id), body)
}

fn suspend(play: &mut Play<'_>, cast: &Roles) -> Played<Suspended> {
    let path = format!("/v1/memberships/{}/suspensions", cast.lapses.id);
    let long = json!({"months": 7, "reason": "Staffing is unstable."});
    let refusal = play.stage.lead.refused(&path, &long, 422, "suspension_too_long")?;
    let why = items(&refusal, "errors").first().map(|e| text(e, "detail")).transpose()?;
    let lapses = against(play, &cast.lapses, "suspensions", &json!({"reason": "Staffing is unstable."}))?;
    let whole = json!({"scope": {"kind": "provider"}, "months": 3, "reason": "A serious incident is looked into."});
    let lifted = against(play, &cast.lifted, "suspensions", &whole)?.id()?;
    let home = play.player(cast.home.player)?.homes.first().cloned().ok_or("a member without a home")?;
    let one = json!({"scope": {"kind": "home", "home": home}, "months": 2, "reason": "The building is repaired."});
    against(play, &cast.home, "suspensions", &one)?;
    standing_is(play, &cast.lapses, "suspended")?;
    standing_is(play, &cast.lifted, "suspended")?;
    standing_is(play, &cast.home, "active")?;
    let deadlines = play.stage.lead.get(&format!("/v1/deadlines/suspension/{}", lapses.id()?))?;
    let explained = items(&deadlines, "items").first().map(|d| text(d, "explanation")).transpose()?;
    let (who, wide, house) = (alias(play, &cast.lapses)?, alias(play, &cast.lifted)?, alias(play, &cast.home)?);
    play.account.say(&format!("Seven months for {who} are refused: {}", why.unwrap_or_default()));
    play.account.say(&format!("Six months: until {}. {}", text(&lapses.body, "until")?, explained.unwrap_or_default()));
    play.account.say(&format!("{wide} is suspended in every lot; of {house} one home only, so that it stays active."));
    Ok(Suspended { lapses: lapses.id()?, lifted })
}

fn warn(play: &mut Play<'_>, cast: &Roles) -> Played<[String; 2]> {
    let by = morning(play.day(7, 10)?);
    let notice = json!({
        "issue": "Placement plans are late.",
        "discussionHeldOn": play.day(6, 12)?,
        "agreedWithProvider": true,
        "rectifyBy": by,
    });
    let met = against(play, &cast.improves, "improvement-notices", &notice)?.id()?;
    let unmet = against(play, &cast.fails, "improvement-notices", &notice)?.id()?;
    let (one, other) = (alias(play, &cast.improves)?, alias(play, &cast.fails)?);
    play.account.say(&format!("{one} and {other} get an improvement notice: time to rectify until {by}."));
    let answer = json!({"text": "We have appointed a second planner."});
    let player = play.player(cast.improves.player)?;
    play.stage.applicant(player)?.post(&format!("/v1/improvement-notices/{met}/respond"), &answer)?;
    Ok([met, unmet])
}

fn lift(play: &mut Play<'_>, cast: &Roles, suspension: &str) -> Played<()> {
    let reason = json!({"reason": "The inquiry found nothing."});
    // Another authority of the arrangement decides for itself; the one that imposed it ends it.
    let other = play.stage.commissioner("officer-pcc", "PCC")?;
    let seen = json!({"reason": "Our own visits found nothing."});
    other.post(&format!("/v1/suspensions/{suspension}/lift-for-authority"), &seen)?;
    let officer = play.stage.commissioner("officer-ccc", "CCC")?;
    let lifted = officer.post(&format!("/v1/suspensions/{suspension}/lift"), &reason)?;
    expect(&text(&lifted.body, "state")?, "lifted")?;
    standing_is(play, &cast.lifted, "active")?;
    let who = alias(play, &cast.lifted)?;
    play.account.say(&format!("After two weeks the suspension of {who} is lifted: \"The inquiry found nothing.\""));
    Ok(())
}

fn judge_notices(play: &mut Play<'_>, cast: &Roles, [met, unmet]: &[String; 2]) -> Played<()> {
    let officer = play.stage.commissioner("officer-ccc", "CCC")?;
    for notice in [met, unmet] {
        let now = officer.get(&format!("/v1/improvement-notices/{notice}"))?;
        expect(&text(&now, "state")?, "awaiting_judgement")?;
    }
    let judged = officer.post(&format!("/v1/improvement-notices/{met}/meet"), &Value::Null)?;
    expect(&text(&judged.body, "state")?, "met")?;
    let why = json!({"reason": "Nothing has changed."});
    let judged = officer.post(&format!("/v1/improvement-notices/{unmet}/fail"), &why)?;
    expect(&text(&judged.body, "state")?, "not_met")?;
    let (one, other) = (alias(play, &cast.improves)?, alias(play, &cast.fails)?);
    play.account.say(&format!("The notices ran out: {one} has met it, {other} has not."));
    Ok(())
}

/// Those who renew their insurance are members in good standing again; the others wait.
fn renew(play: &mut Play<'_>) -> Played<()> {
    play.at(8, 5)?;
    let expires = |m: &&Member, part| play.players.get(m.player).is_some_and(|p| p.part == part);
    let first = || play.results.members.iter().take(play.results.in_first_round);
    let renewed: Vec<Member> = first().filter(|m| expires(m, Part::Renews)).cloned().collect();
    let others: Vec<Member> = first().filter(|m| expires(m, Part::LetsExpire)).cloned().collect();
    let requirement = play.stage.requirement("insurance")?.to_owned();
    let until = Instant::start_of(day_of(play.year + 1, 7, 1)?);
    let certificate =
        json!({"requirement": requirement, "validUntil": until, "evidence": ["urn:demo:certificate:renewed"]});
    for member in &renewed {
        standing_is(play, member, "evidence_expired")?;
        against(play, member, "renew-evidence", &certificate)?;
        standing_is(play, member, "active")?;
    }
    for member in &others {
        standing_is(play, member, "evidence_expired")?;
    }
    play.account.say(&format!(
        "On 1 July the insurance of {} memberships had run out: no referrals. {} have renewed it by 5 August and are \
         active again.",
        renewed.len() + others.len(),
        renewed.len()
    ));
    Ok(())
}

/// A removal takes its steps: suspension first, notice, hearing, decision, effect (C-02, PA37, PA58).
fn remove(play: &mut Play<'_>, cast: &Roles) -> Played<()> {
    let member = &cast.fails;
    let removals = format!("/v1/memberships/{}/removals", member.id);
    let order = json!({
        "ground": "non_compliance",
        "reason": "Placement plans are late, and were not mended in the time given.",
        "evidence": ["urn:demo:notice"],
    });
    let early = play.stage.lead.refused(&removals, &order, 409, "failure_path_not_followed")?;
    against(play, member, "suspensions", &json!({"months": 1, "reason": "The notice was not met."}))?;
    play.at(9, 10)?;
    let removal = play.stage.lead.post(&removals, &order)?;
    let id = removal.id()?;
    let decide = format!("/v1/removals/{id}/decide");
    let reasons = json!({"reasons": "The representations were heard; nothing has changed."});
    let unheard = play.stage.lead.refused(&decide, &reasons, 409, "provider_not_heard")?;
    let who = alias(play, member)?;
    let account = &mut *play.account;
    account.say(&format!("{who} shall be removed. At once? {}", first_detail(&early)));
    account.say(&format!("After a suspension, notice is given. Decided at once? {}", first_detail(&unheard)));
    play.at(9, 20)?;
    let said = json!({"text": "We ask for three more months.", "none": true});
    let player = play.player(member.player)?;
    play.stage.applicant(player)?.post(&format!("/v1/removals/{id}/representations"), &said)?;
    play.at(9, 25)?;
    let effect = morning(play.day(10, 15)?);
    let mut decision = reasons;
    decision["effectiveAt"] = json!(effect);
    play.stage.lead.post(&decide, &decision)?;
    standing_is(play, member, "active")?;
    play.at(10, 16)?;
    standing_is(play, member, "removed")?;
    play.account.say(&format!(
        "The provider is heard, the decision made on 25 September; the membership ends on {effect}, and not before."
    ));
    Ok(())
}

/// An appeal against a rejection is upheld by someone who did not decide, and the line is decided again (BEY-05).
fn appeal(play: &mut Play<'_>) -> Played<()> {
    let rejected = &play.results.rejected;
    let line = rejected.iter().find(|line| line.codes == ["safeguarding"]).cloned();
    let line: Rejected = line.ok_or("nobody has reason to appeal: the list is too small for this play")?;
    let lot = play.stage.lot(line.lot)?.to_owned();
    let player = play.player(line.player)?;
    let lodged = json!({
        "target": {"kind": "line", "application": line.application, "lot": lot},
        "grounds": "Our safeguarding lead had been appointed, and the officer was told.",
    });
    let appeal = play.stage.applicant(player)?.post("/v1/appeals", &lodged)?.id()?;
    let uphold = format!("/v1/appeals/{appeal}/uphold");
    let reason = json!({"reason": "The letter of appointment was overlooked."});
    play.stage.lead.refused(&uphold, &reason, 403, "own_decision")?;
    let second = play.stage.second_lead()?;
    second.post(&uphold, &reason)?;
    let officer = play.stage.commissioner("officer-ccc", "CCC")?;
    let checks = officer.get(&format!("/v1/applications/{}/checks", line.application))?;
    for check in items(&checks, "items").iter().filter(|check| check["state"] == "open") {
        let passed = json!({"passed": true, "evidence": ["letter of appointment"]});
        officer.post(&format!("/v1/checks/{}/record", text(check, "id")?), &passed)?;
    }
    let path = format!("/v1/applications/{}/lines/{lot}/admit", line.application);
    let admitted = second.post(&path, &Value::Null)?;
    let who = player.alias();
    play.results.members.push(Member { player: line.player, lot: line.lot, id: text(&admitted.body, "membership")? });
    play.account.say(&format!(
        "{who} appeals against its rejection. The officer who decided may not decide that; another upholds it, the \
         check is judged again, and {who} is admitted."
    ));
    Ok(())
}

/// What a refusal says first.
fn first_detail(problem: &Value) -> String {
    let first = items(problem, "errors").first().and_then(|e| e["detail"].as_str());
    first.or(problem["detail"].as_str()).unwrap_or_default().to_owned()
}

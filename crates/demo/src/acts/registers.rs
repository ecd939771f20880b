//! The register of a lot at an instant: who stands how, and the same answer however late it is asked (DPS-04).

use std::collections::BTreeMap;

use serde_json::Value;

use super::Play;
use crate::Played;
use crate::account::counted;
use crate::client::{items, text};
use crate::market::LOTS;

/// The lot whose register is shown: children's homes.
const SHOWN: usize = 1;

/// A register as it was read at its instant.
pub(super) struct Seen {
    as_of: String,
    hash: String,
    standings: Vec<(String, String)>,
}

/// Reads the register as both authorities see it now, and keeps it.
pub(super) fn read(play: &mut Play<'_>) -> Played<()> {
    let path = format!("/v1/lots/{}/members", play.stage.lot(SHOWN)?);
    let ccc = play.stage.commissioner("officer-ccc", "CCC")?.get(&path)?;
    let pcc = play.stage.commissioner("officer-pcc", "PCC")?.get(&path)?;
    let (seen, same) = (seen(&ccc)?, seen(&pcc)?);
    if seen.hash != same.hash {
        return Err(format!("CCC reads {} and PCC {}", seen.hash, same.hash));
    }
    let lot = LOTS.get(SHOWN).map_or("", |lot| lot.code);
    play.account.say(&format!(
        "Register of {lot} at {}: {} members, {}.",
        seen.as_of,
        seen.standings.len(),
        counted(&by_standing(&seen))
    ));
    play.account.say(&format!("CCC and PCC read the same list: {}", seen.hash));
    play.results.registers.push(seen);
    Ok(())
}

/// Asks at the end for every register that was read on the way.
pub(super) fn look_back(play: &mut Play<'_>) -> Played<()> {
    play.account.section("Looking back");
    for before in &play.results.registers {
        let path = format!("/v1/lots/{}/members?asOf={}", play.stage.lot(SHOWN)?, before.as_of);
        let now = seen(&play.stage.lead.get(&path)?)?;
        if now.standings != before.standings {
            return Err(format!("the register of {} reads differently now", before.as_of));
        }
        let same = if now.hash == before.hash { "and word for word" } else { "the reasons know more by now" };
        play.account.item(&format!(
            "{}: {} members, {}; as it was read then, {same}. {}",
            now.as_of,
            now.standings.len(),
            counted(&by_standing(&now)),
            now.hash
        ));
    }
    Ok(())
}

fn seen(register: &Value) -> Played<Seen> {
    let standing = |member: &Value| Ok((text(member, "membership")?, text(member, "status")?));
    Ok(Seen {
        as_of: text(register, "asOf")?,
        hash: text(register, "contentHash")?,
        standings: items(register, "members").iter().map(standing).collect::<Played<_>>()?,
    })
}

fn by_standing(seen: &Seen) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for (_, status) in &seen.standings {
        *counts.entry(status.clone()).or_default() += 1;
    }
    counts
}

//! Providers register once, by themselves or through a portal, with their homes and ratings (PRO-01, DPS-33).

use serde_json::json;

use super::{Market, Play, each, new_id};
use crate::Played;
use crate::account::{counted, grouped};
use crate::cast::Player;
use crate::market::Part;

/// Registers everyone.
pub(super) fn play(play: &mut Play<'_>) -> Played<()> {
    let market = &play.stage;
    play.players = each(&play.players, |player| enter(market, player.clone()))?;
    let mut through = std::collections::BTreeMap::new();
    for player in &play.players {
        *through.entry(player.portal.unwrap_or("their own account").to_owned()).or_default() += 1;
    }
    let homes: usize = play.players.iter().map(|p| p.homes.len()).sum();
    let rated = play.players.iter().flat_map(|p| &p.settings).filter(|s| s.rating().is_some()).count();
    play.account.section("Providers register");
    play.account.say(&format!(
        "{} providers ({}) with {} homes, {} of them with the rating that the list dates.",
        play.players.len(),
        counted(&through),
        grouped(homes),
        grouped(rated)
    ));
    Ok(())
}

fn enter(market: &Market<'_>, mut player: Player) -> Played<Player> {
    let profile = json!({"legalName": player.name});
    if let Some(portal) = player.portal {
        let path = format!("/v1/providers/by-reference/{portal}/{}", player.alias());
        let id = market.client.portal(portal)?.put_whole(&path, &profile)?.id()?;
        player.id = id.parse().map_err(|e: uuid::Error| e.to_string())?;
    } else {
        player.id = new_id()?;
        market.client.provider(player.id)?.post("/v1/providers", &profile)?;
    }
    let caller = market.applicant(&player)?;
    for (at, setting) in player.settings.iter().enumerate() {
        let has_manager = at > 0 || player.part != Part::NoManager;
        let path = format!("/v1/providers/{}/homes", player.id);
        let home = caller.post(&path, &setting.new_home(has_manager))?.id()?;
        if let Some(rating) = setting.rating() {
            // What the list says is held; the provider's own word would not be.
            market.lead.post(&format!("/v1/homes/{home}/ratings"), &rating)?;
        }
        player.homes.push(home);
    }
    Ok(player)
}

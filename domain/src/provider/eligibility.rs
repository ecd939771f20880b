//! Tests on a provider's homes: the share of good ones and the existence of one (TIR-03 to TIR-07, TIR-14).

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::boundary::{Inside, Location, inside};
use super::home::RatingFacts;
use super::{Rating, StatedBy};
use crate::arrangement::LocationBoundary;
use crate::kernel::HomeId;

/// One open home as it stood on the date of the test (see [`super::Home::facts`]).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HomeFacts {
    /// Which home.
    pub id: HomeId,
    /// The regulator's number.
    pub urn: String,
    /// The rating held on the date; `None` = not yet rated, or stated by the provider alone.
    pub rating: Option<Rating>,
    /// Who stated the rating held.
    #[serde(default)]
    pub rated_by: Option<StatedBy>,
    /// What the provider states beyond it, and nobody has confirmed: it does not count.
    #[serde(default)]
    pub stated: Option<StatedRating>,
    /// Where it stands.
    pub location: Location,
    /// Who stated where it stands.
    #[serde(default)]
    pub located_by: StatedBy,
    /// Whether the provider says that it has a registered manager; `None` = not stated.
    pub registered_manager: Option<bool>,
    /// The owner that the regulator lists, where that is not the provider by any of its names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub listed_under: Option<String>,
}

/// A rating that a provider states and nobody has confirmed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatedRating {
    /// The judgement.
    pub rating: Option<Rating>,
    /// Date of the inspection.
    #[schema(value_type = String, format = Date)]
    pub inspected_on: NaiveDate,
}

impl From<&RatingFacts> for StatedRating {
    fn from(facts: &RatingFacts) -> Self {
        Self { rating: facts.rating, inspected_on: facts.inspected_on }
    }
}

/// How a home entered a test.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// Inside and rated as asked or better.
    Good,
    /// Inside and rated below.
    Below,
    /// Inside and not rated: in neither number (TIR-04).
    Unrated,
    /// Outside: in neither number.
    Outside,
    /// It is not known whether it stands inside: in neither number, and said so.
    Unplaced,
}

/// One home of a test, and how it counted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CountedHome {
    /// Which home.
    pub home: HomeId,
    /// The regulator's number.
    pub urn: String,
    /// The rating held on the date.
    pub rating: Option<Rating>,
    /// Who stated the rating held.
    #[serde(default)]
    pub rated_by: Option<StatedBy>,
    /// What the provider states beyond it, which does not count.
    #[serde(default)]
    pub stated: Option<StatedRating>,
    /// Who stated where it stands.
    #[serde(default)]
    pub located_by: StatedBy,
    /// How it counted.
    pub counted: Counted,
    /// Why it is inside, outside or unplaced.
    pub why: String,
}

/// The outcome of a rating test with the figures it rests on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RatingShare {
    /// The date whose ratings counted (TIR-05).
    #[schema(value_type = String, format = Date)]
    pub on: NaiveDate,
    /// The rating asked for.
    pub at_least: Rating,
    /// The whole per cent asked for; `None` = one home is enough (TIR-07).
    pub percent: Option<u8>,
    /// Rated homes inside that are rated as asked or better.
    pub good: usize,
    /// Rated homes inside.
    pub rated: usize,
    /// Homes inside without a rating.
    pub unrated: usize,
    /// Homes outside.
    pub outside: usize,
    /// Homes of which it is not known whether they are inside.
    pub unplaced: usize,
    /// `good` of `rated` in whole per cent, rounded down so that a failed share never shows as enough; `None` where
    /// no home is rated: the share is undefined.
    pub percent_shown: Option<usize>,
    /// Whether the test holds.
    pub holds: bool,
    /// Every home looked at.
    pub homes: Vec<CountedHome>,
}

impl RatingShare {
    /// The figures in one sentence.
    #[must_use]
    pub fn explain(&self) -> String {
        let asked = self.percent.map_or("at least one is needed".to_owned(), |p| format!("{p} % are needed"));
        let share = self.percent_shown.map_or("no share is defined".to_owned(), |p| format!("{p} %"));
        let stated = self.homes.iter().filter(|home| home.stated.is_some()).count();
        let stated = match stated {
            0 => String::new(),
            n => format!(" Of {n} the provider states a rating that nobody has confirmed; it does not count."),
        };
        format!(
            "On {}: {} of {} rated homes inside the boundary are rated as asked ({share}; {asked}); {} unrated, {} outside, \
             {} of unknown location.{stated}",
            self.on, self.good, self.rated, self.unrated, self.outside, self.unplaced
        )
    }
}

/// Whether at least `percent` of the rated homes inside `boundary` are rated `at_least` or better (TIR-03, TIR-04).
///
/// Exact in integers. No rated home: undefined, so it does not hold. A home that may or may not be inside is left out
/// of both numbers, but the test holds only if it would hold with those rated below counted in.
#[must_use]
pub fn rating_share(
    homes: &[HomeFacts],
    boundary: &LocationBoundary,
    at_least: Rating,
    percent: u8,
    on: NaiveDate,
) -> RatingShare {
    let mut share = count(homes, boundary, at_least, on);
    let doubtful =
        share.homes.iter().filter(|h| h.counted == Counted::Unplaced && h.rating.is_some_and(|r| r < at_least)).count();
    share.percent = Some(percent);
    share.holds = share.rated > 0 && share.good * 100 >= usize::from(percent) * (share.rated + doubtful);
    share
}

/// Whether at least one home inside `boundary` is rated `at_least` or better (TIR-07).
#[must_use]
pub fn rated_home(homes: &[HomeFacts], boundary: &LocationBoundary, at_least: Rating, on: NaiveDate) -> RatingShare {
    let share = count(homes, boundary, at_least, on);
    RatingShare { holds: share.good > 0, ..share }
}

/// The homes known to be inside `boundary` that `entered` leaves out (TIR-14); the policy says what follows.
#[must_use]
pub fn omitted(homes: &[HomeFacts], boundary: &LocationBoundary, entered: &[HomeId]) -> Vec<HomeId> {
    let left_out = |h: &&HomeFacts| !entered.contains(&h.id) && inside(boundary, &h.location).0 == Inside::Inside;
    homes.iter().filter(left_out).map(|h| h.id).collect()
}

fn count(homes: &[HomeFacts], boundary: &LocationBoundary, at_least: Rating, on: NaiveDate) -> RatingShare {
    let homes: Vec<CountedHome> = homes
        .iter()
        .map(|home| {
            let (place, why) = inside(boundary, &home.location);
            let counted = match (place, home.rating) {
                (Inside::Outside, _) => Counted::Outside,
                (Inside::Unknown, _) => Counted::Unplaced,
                (Inside::Inside, None) => Counted::Unrated,
                (Inside::Inside, Some(rating)) if rating >= at_least => Counted::Good,
                (Inside::Inside, Some(_)) => Counted::Below,
            };
            let why = match &home.listed_under {
                Some(owner) => format!("{why}; the regulator lists it under {owner}"),
                None => why,
            };
            CountedHome {
                home: home.id,
                urn: home.urn.clone(),
                rating: home.rating,
                rated_by: home.rated_by,
                stated: home.stated.clone(),
                located_by: home.located_by,
                counted,
                why,
            }
        })
        .collect();
    let number = |counted| homes.iter().filter(|h| h.counted == counted).count();
    let (good, below) = (number(Counted::Good), number(Counted::Below));
    RatingShare {
        on,
        at_least,
        percent: None,
        good,
        rated: good + below,
        unrated: number(Counted::Unrated),
        outside: number(Counted::Outside),
        unplaced: number(Counted::Unplaced),
        percent_shown: (good * 100).checked_div(good + below),
        holds: false,
        homes,
    }
}

#[cfg(test)]
mod tests;

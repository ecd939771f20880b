use proptest::prelude::*;

use super::*;
use crate::provider::Postcode;

fn areas() -> LocationBoundary {
    LocationBoundary::PostcodeAreas { postcode_areas: vec!["PR".to_owned()], local_authorities: vec![] }
}

fn home(postcode: &str, rating: Option<Rating>) -> HomeFacts {
    HomeFacts {
        id: HomeId(uuid::Uuid::nil()),
        urn: "SC1".to_owned(),
        rating,
        rated_by: None,
        stated: None,
        location: Location { postcode: Postcode::read(postcode).unwrap(), ..Location::default() },
        located_by: StatedBy::Provider,
        registered_manager: None,
        listed_under: None,
    }
}

fn homes(good: usize, below: usize, unrated: usize) -> Vec<HomeFacts> {
    let of = |n, rating| std::iter::repeat_with(move || home("PR1", rating)).take(n);
    of(good, Some(Rating::Good)).chain(of(below, Some(Rating::Inadequate))).chain(of(unrated, None)).collect()
}

fn on() -> NaiveDate {
    NaiveDate::from_ymd_opt(2019, 3, 1).unwrap()
}

fn tier_1(homes: &[HomeFacts]) -> RatingShare {
    rating_share(homes, &areas(), Rating::Good, 65, on())
}

fn tier_2(homes: &[HomeFacts]) -> RatingShare {
    rated_home(homes, &areas(), Rating::RequiresImprovement, on())
}

#[test]
fn ac_38_one_good_and_one_unrated_is_one_hundred_per_cent() {
    let share = tier_1(&homes(1, 0, 1));
    assert_eq!((share.percent_shown, share.holds), (Some(100), true));
}

#[test]
fn ac_39_thirteen_of_twenty_hold_and_eleven_of_seventeen_do_not() {
    assert!(tier_1(&homes(13, 7, 0)).holds);
    let short = tier_1(&homes(11, 6, 2));
    assert_eq!((short.percent_shown, short.holds), (Some(64), false));
    assert_eq!(
        short.explain(),
        "On 2019-03-01: 11 of 17 rated homes inside the boundary are rated as asked (64 %; 65 % are needed); 2 unrated, \
         0 outside, 0 of unknown location."
    );
}

#[test]
fn ac_40_no_rated_home_is_eligible_for_neither_tier() {
    for none in [homes(0, 0, 3), vec![]] {
        let share = tier_1(&none);
        assert_eq!((share.percent_shown, share.holds), (None, false));
        assert!(!tier_2(&none).holds);
    }
}

#[test]
fn ac_41_one_home_requiring_improvement_inside_and_none_outside() {
    let mut one = homes(0, 4, 0);
    one.push(home("PR25", Some(Rating::RequiresImprovement)));
    assert!(tier_2(&one).holds);
    assert!(!tier_2(&[home("HD1", Some(Rating::Good))]).holds);
}

#[test]
fn homes_outside_count_in_neither_number() {
    let mut mixed = homes(1, 0, 0);
    mixed.extend([home("HD1", Some(Rating::Inadequate)), home("HD2", Some(Rating::Outstanding))]);
    let share = tier_1(&mixed);
    assert_eq!((share.good, share.rated, share.outside, share.holds), (1, 1, 2, true));
}

#[test]
fn a_withheld_postcode_does_not_hide_a_bad_home() {
    let mut withheld = homes(1, 0, 0);
    withheld.push(home("REDACTED", Some(Rating::Inadequate)));
    let share = tier_1(&withheld);
    assert_eq!((share.good, share.rated, share.unplaced, share.holds), (1, 1, 1, false));
    // Where it makes no difference, it does no harm.
    withheld.extend(homes(1, 0, 0));
    assert!(tier_1(&withheld).holds);
    assert!(!tier_2(&[home("REDACTED", Some(Rating::Good))]).holds);
}

#[test]
fn an_omission_is_a_home_inside_that_was_not_entered() {
    let id = |n| HomeId(uuid::Uuid::from_u128(n));
    let at = |n, postcode| HomeFacts { id: id(n), ..home(postcode, None) };
    assert_eq!(omitted(&[at(1, "PR1"), at(2, "PR2"), at(3, "HD1")], &areas(), &[id(1)]), [id(2)]);
}

proptest! {
    #[test]
    fn the_share_is_the_exact_fraction_and_shows_enough_only_where_it_is(
        good in 0_usize..60, below in 0_usize..60, unrated in 0_usize..5, percent in 1_u8..=100,
    ) {
        let share = rating_share(&homes(good, below, unrated), &areas(), Rating::Good, percent, on());
        let rated = good + below;
        prop_assert_eq!(share.holds, rated > 0 && good * 100 >= usize::from(percent) * rated);
        prop_assert_eq!(share.holds, share.percent_shown.is_some_and(|shown| shown >= usize::from(percent)));
    }
}

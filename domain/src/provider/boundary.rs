//! The area in which homes count: postcode areas and whole authorities, or a radius (TIR-13, C-11).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::authority;
use crate::arrangement::LocationBoundary;
use crate::arrangement::policy::Point;
use crate::kernel::text::folded;

/// A postcode of the United Kingdom, full (`HD1 2AB`) or outward only (`HD1`), in capitals with one space.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, format = "postcode", example = "HD1 2AB")]
pub struct Postcode(String);

impl Postcode {
    /// Reads a postcode as regulators print it: blank and `REDACTED` are no postcode, and no error.
    ///
    /// # Errors
    /// What a postcode looks like, where the text is none.
    pub fn read(text: &str) -> Result<Option<Self>, String> {
        let text = text.trim();
        if text.is_empty() || text.eq_ignore_ascii_case("redacted") {
            return Ok(None);
        }
        Self::try_from(text.to_owned()).map(Some)
    }

    /// The postcode as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The outward code: `HD1` of `HD1 2AB`.
    #[must_use]
    pub fn outward(&self) -> &str {
        self.0.split(' ').next().unwrap_or_default()
    }

    /// The area: the letters before the first digit, `HD` of `HD1 2AB`.
    #[must_use]
    pub fn area(&self) -> &str {
        self.0.split(|c: char| c.is_ascii_digit()).next().unwrap_or_default()
    }
}

impl TryFrom<String> for Postcode {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let plain: String = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect();
        let wrong = || format!("`{text}` is not a postcode such as `HD1 2AB` nor an outward code such as `HD1`");
        // Full first: no outward code ends in a digit and two letters with another outward code before them.
        let at = plain.len().saturating_sub(3);
        match plain.split_at_checked(at) {
            Some((outward, inward)) if is_outward(outward) && is_inward(inward) => {
                Ok(Self(format!("{outward} {inward}")))
            }
            Some(_) | None if is_outward(&plain) => Ok(Self(plain)),
            Some(_) | None => Err(wrong()),
        }
    }
}

impl From<Postcode> for String {
    fn from(postcode: Postcode) -> Self {
        postcode.0
    }
}

impl std::fmt::Display for Postcode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// One or two letters, a digit, and perhaps one more letter or digit.
fn is_outward(code: &str) -> bool {
    let district = code.trim_start_matches(|c: char| c.is_ascii_uppercase());
    matches!(code.len() - district.len(), 1 | 2)
        && matches!(district.as_bytes(), [d] | [d, b'A'..=b'Z' | b'0'..=b'9'] if d.is_ascii_digit())
}

/// A digit and two letters.
fn is_inward(code: &str) -> bool {
    matches!(code.as_bytes(), [b'0'..=b'9', b'A'..=b'Z', b'A'..=b'Z'])
}

/// What is known of where a home stands. What is not known stays `None`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Location {
    /// Full or outward; `None` where the regulator withholds it.
    pub postcode: Option<Postcode>,
    /// The local authority, by the name the regulator prints.
    pub local_authority: Option<String>,
    /// The centre of the outward code, as looked up by the caller.
    pub point: Option<Point>,
}

/// Whether a home stands inside a boundary. `Unknown` is never silently outside.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Inside {
    /// Inside.
    Inside,
    /// Outside.
    Outside,
    /// What is known of the location does not decide it.
    Unknown,
}

/// Whether `location` is inside `boundary`, and why, for a person (TIR-13).
#[must_use]
pub fn inside(boundary: &LocationBoundary, location: &Location) -> (Inside, String) {
    match boundary {
        LocationBoundary::Everywhere => (Inside::Inside, "every home counts".to_owned()),
        LocationBoundary::PostcodeAreas { postcode_areas, local_authorities } => {
            in_areas(postcode_areas, local_authorities, location)
        }
        LocationBoundary::Radius { miles, centres } => in_radius(*miles, centres, location),
    }
}

fn in_areas(areas: &[String], authorities: &[String], location: &Location) -> (Inside, String) {
    let area = location.postcode.as_ref().map(Postcode::area);
    let authority = location.local_authority.as_deref();
    if let Some(area) = area.filter(|area| areas.iter().any(|listed| listed.trim().eq_ignore_ascii_case(area))) {
        return (Inside::Inside, format!("postcode area {area} is listed"));
    }
    if let Some(authority) = authority.filter(|it| authorities.iter().any(|listed| is_same_authority(listed, it))) {
        return (Inside::Inside, format!("local authority {authority} is listed"));
    }
    // Either could still bring it in, so an unlisted one alone does not put the home outside.
    if area.is_none() && !areas.is_empty() {
        return (Inside::Unknown, "its postcode is not known".to_owned());
    }
    if !authorities.is_empty() {
        match authority {
            None => return (Inside::Unknown, "its local authority is not known".to_owned()),
            // It may be a listed one, written in a way that is not known.
            Some(text) if authority::named(text).is_none() => {
                return (Inside::Unknown, format!("`{text}` is no local authority that is known"));
            }
            Some(_) => {}
        }
    }
    let names: Vec<String> =
        [area.map(|a| format!("postcode area {a}")), authority.map(str::to_owned)].into_iter().flatten().collect();
    (Inside::Outside, format!("not listed: {}", names.join(", ")))
}

/// Whether two texts name one local authority, however each body spells it.
#[must_use]
pub fn is_same_authority(one: &str, other: &str) -> bool {
    match (authority::named(one), authority::named(other)) {
        (Some(one), Some(other)) => one == other,
        (None, None) => folded(one) == folded(other),
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn in_radius(miles: u16, centres: &[Point], location: &Location) -> (Inside, String) {
    let Some(point) = location.point else {
        return (Inside::Unknown, "the centre of its outward postcode is not known".to_owned());
    };
    let Some(nearest) = centres.iter().map(|c| metres(*c, point)).min_by(f64::total_cmp) else {
        return (Inside::Unknown, "the boundary names no centre to measure from".to_owned());
    };
    let why = format!("{:.1} miles from the nearest centre, {miles} allowed", nearest / METRES_PER_MILE);
    // Whole metres, so that the last bits of a sine do not decide.
    let limit = (f64::from(miles) * METRES_PER_MILE).round();
    (if nearest <= limit { Inside::Inside } else { Inside::Outside }, why)
}

const METRES_PER_MILE: f64 = 1609.344;

/// The distance on a sphere with the Earth's mean radius, in whole metres (haversine).
fn metres(a: Point, b: Point) -> f64 {
    const EARTH: f64 = 6_371_008.8;
    let radians = |micro: i32| (f64::from(micro) / 1_000_000.0).to_radians();
    let half_chord = |x: f64, y: f64| ((y - x) / 2.0).sin().powi(2);
    let (lat_a, lat_b) = (radians(a.latitude), radians(b.latitude));
    let h =
        half_chord(lat_a, lat_b) + lat_a.cos() * lat_b.cos() * half_chord(radians(a.longitude), radians(b.longitude));
    (2.0 * EARTH * h.min(1.0).sqrt().asin()).round()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(postcode: &str, authority: Option<&str>) -> Location {
        Location {
            postcode: Postcode::read(postcode).unwrap(),
            local_authority: authority.map(str::to_owned),
            point: None,
        }
    }

    fn areas(authorities: &[&str]) -> LocationBoundary {
        LocationBoundary::PostcodeAreas {
            postcode_areas: ["HD", "WF", "HX"].map(str::to_owned).to_vec(),
            local_authorities: authorities.iter().map(|a| (*a).to_owned()).collect(),
        }
    }

    fn decide(boundary: &LocationBoundary, location: &Location) -> Inside {
        inside(boundary, location).0
    }

    #[test]
    fn postcodes_are_normalised_and_split() {
        for (text, shown, outward, area) in [
            ("hd1 2ab", "HD1 2AB", "HD1", "HD"),
            ("HD12AB", "HD1 2AB", "HD1", "HD"),
            ("HD12 1AB", "HD12 1AB", "HD12", "HD"),
            (" m1 ", "M1", "M1", "M"),
            ("W1A", "W1A", "W1A", "W"),
            ("EC1A", "EC1A", "EC1A", "EC"),
            ("ec1a1bb", "EC1A 1BB", "EC1A", "EC"),
        ] {
            let postcode = Postcode::try_from(text.to_owned()).unwrap();
            assert_eq!((postcode.as_str(), postcode.outward(), postcode.area()), (shown, outward, area));
        }
        for text in ["", "H", "HDX", "HDX1", "HD1 2A", "12AB", "H1ABC", "HD123", "ÄB1", "Lancashire"] {
            assert!(Postcode::try_from(text.to_owned()).is_err(), "{text}");
        }
        assert_eq!(Postcode::read("REDACTED"), Ok(None));
        assert_eq!(Postcode::read(" "), Ok(None));
    }

    #[test]
    fn ac_48_a_home_at_hd1_is_inside_postcode_area_hd() {
        assert_eq!(decide(&areas(&[]), &at("HD1", None)), Inside::Inside);
        assert_eq!(inside(&areas(&[]), &at("HD1", None)).1, "postcode area HD is listed");
    }

    #[test]
    fn an_area_is_whole_letters_not_a_prefix() {
        assert_eq!(decide(&areas(&[]), &at("H1", None)), Inside::Outside);
        assert_eq!(decide(&areas(&[]), &at("W1A", None)), Inside::Outside);
    }

    #[test]
    fn a_listed_authority_brings_a_home_in_whatever_its_postcode() {
        assert_eq!(decide(&areas(&["Lancashire"]), &at("", Some(" lancashire "))), Inside::Inside);
        assert_eq!(decide(&areas(&["Lancashire"]), &at("OL1", Some("Oldham"))), Inside::Outside);
    }

    #[test]
    fn what_could_still_bring_it_in_makes_it_unknown_not_outside() {
        assert_eq!(decide(&areas(&[]), &at("REDACTED", Some("Oldham"))), Inside::Unknown);
        assert_eq!(decide(&areas(&["Lancashire"]), &at("OL1", None)), Inside::Unknown);
        assert_eq!(decide(&areas(&["Lancashire"]), &at("", Some("Oldham"))), Inside::Unknown);
        assert_eq!(decide(&LocationBoundary::Everywhere, &Location::default()), Inside::Inside);
    }

    #[test]
    fn an_authority_is_the_same_as_each_body_spells_it_and_a_near_miss_is_not_outside() {
        let listed = areas(&["Southend-on-Sea", "Bournemouth, Christchurch and Poole"]);
        for text in [
            "Southend on Sea",
            "SOUTHEND\u{2011}ON\u{2011}SEA",
            "Bournemouth, Christchurch & Poole",
            "Southend-on-Sea City Council",
        ] {
            assert_eq!(decide(&listed, &at("OL1", Some(text))), Inside::Inside, "{text}");
        }
        assert_eq!(decide(&listed, &at("OL1", Some("Southend-on-See"))), Inside::Unknown);
        assert_eq!(decide(&listed, &at("OL1", Some("Oldham"))), Inside::Outside);
    }

    #[test]
    fn a_radius_is_measured_from_the_nearest_centre() {
        // One minute of latitude on the mean sphere is 1853 m: 0.3 degrees is 20.73 miles.
        let (preston, south) = (
            Point { latitude: 53_760_000, longitude: -2_700_000 },
            Point { latitude: 53_460_000, longitude: -2_700_000 },
        );
        let radius = |miles, centres: &[Point]| LocationBoundary::Radius { miles, centres: centres.to_vec() };
        let home = Location { point: Some(south), ..Location::default() };
        assert_eq!(decide(&radius(20, &[preston]), &home), Inside::Outside);
        assert_eq!(decide(&radius(21, &[preston]), &home), Inside::Inside);
        assert_eq!(decide(&radius(0, &[preston, south]), &home), Inside::Inside);
        assert_eq!(inside(&radius(20, &[preston]), &home).1, "20.7 miles from the nearest centre, 20 allowed");
        assert_eq!(decide(&radius(20, &[]), &home), Inside::Unknown);
        assert_eq!(decide(&radius(20, &[preston]), &at("PR1", None)), Inside::Unknown);
    }
}
